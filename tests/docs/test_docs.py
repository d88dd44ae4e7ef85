"""The documents say what the program is: everything of its outside is mentioned, links lead somewhere, commands parse,
and the examples of the API guide are run."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from orosync.bootstrap.demonstration import Size, opened
from orosync.cli import program
from orosync.config import Config
from orosync.core.settings import KEYS

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "decisions").glob("*.md"))]
METHODS = ("get", "post", "put", "patch", "delete")

# Words in bold in the user guide that are not the pane's own: headings of steps, and buttons of others.
OF_OTHERS = {"Apps", "…", "My User", "Generate Key"}


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def blocks_of(page: Path, language: str | None = None) -> list[str]:
    """The code blocks of a page; language: only those that are marked so ("" for those without a mark)."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
    return [code for mark, code in found if language is None or mark == language]


# ---------------------------------------------------------------------------------------------- links


def slugs_of(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def targets_of(page: Path) -> set[str]:
    """Where a page's links and pictures lead, as they are written."""
    text = text_of(page)
    return {*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r"\bsrc(?:set)?=\"([^\"]+)\"", text)}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_every_anchor_to_a_heading(page: Path) -> None:
    broken = set()
    for target in targets_of(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in slugs_of(file)):
            broken.add(target)
    assert broken == set()


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(page.parent / target).resolve() for page in PAGES for target in targets_of(page)}
    pictures = {file.resolve() for kind in ("png", "svg") for file in (DOCS / "pictures").glob(f"*.{kind}")}
    assert pictures - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_picture_says_in_words_what_it_shows(page: Path) -> None:
    text = text_of(page)
    words = re.findall(r"!\[([^\]]*)\]\(", text)
    tags = re.findall(r"<img [^>]+>", text)
    words += [alt for tag in tags for alt in re.findall(r'alt="([^"]*)"', tag)]
    assert len(words) == len(tags) + len(re.findall(r"!\[", text))
    assert [each for each in words if len(each) < 20] == []


def test_the_map_of_the_documents_names_each_of_them() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", text_of(DOCS / "README.md")))
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= links


# ---------------------------------------------------------------------------------------------- settings, environment


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("write_settings", DOCS / "write_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_settings_are_those_of_the_program() -> None:
    page = DOCS / "settings.md"
    assert generator().with_tables(text_of(page)) == text_of(page), "run docs/write_settings.py"


def test_every_setting_is_documented() -> None:
    assert [key for key in KEYS if f"`{key}`" not in text_of(DOCS / "settings.md")] == []


def variables() -> set[str]:
    """As `config.py` reads them."""
    source = text_of(REPOSITORY / "backend" / "orosync" / "config.py")
    return set(re.findall(r"""(?:reader\.value|reader\.flag|_secret)\(\s*"([A-Z_]+)\"""", source))


def rows_of_the_environment() -> dict[str, str]:
    """Variable without its prefix -> default, as the tables have them."""
    return dict(
        re.findall(r"^\| `OROSYNC_([A-Z_]+)` \| (.+?) \| .+ \|$", text_of(DOCS / "environment.md"), re.MULTILINE)
    )


def test_every_environment_variable_is_documented_and_no_other() -> None:
    assert len(variables()) > 20
    assert set(rows_of_the_environment()) == variables()


def test_the_documented_defaults_are_those_of_the_program() -> None:
    config, rows = Config(data_dir=Path("/data"), database_url="sqlite://"), rows_of_the_environment()
    for name in ("AUTHORITY", "GRAPH_URL", "LOG_LEVEL", "FRAME_ANCESTORS", "PROXIES", "RUNS_AT_ONCE", "HISTORY_DAYS"):
        value = getattr(config, name.lower())
        texts = value if isinstance(value, tuple) else (value,)
        assert rows[name] == ", ".join(str(each) if isinstance(each, int) else f"`{each}`" for each in texts)
    for name, default in rows.items():
        value = getattr(config, name.lower(), None)
        assert (value is False) == (default == "no"), name
        assert default != "none" or value in {None, "", ()}, name


def test_no_document_names_a_variable_that_does_not_exist() -> None:
    known = variables() | {f"{name}_FILE" for name in variables()}
    unknown = {
        (name_of(page), name)
        for page in PAGES
        for name in re.findall(r"\bOROSYNC_([A-Z_]+)\b", text_of(page))
        if name not in known
    }
    assert unknown == set()


# ---------------------------------------------------------------------------------------------- commands


def commands() -> Iterator[tuple[str, click.Command]]:
    """("accounts list", command), each one there is."""
    context = click.Context(program)

    def below(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                yield from below(command, f"{path}{name} ")
            else:
                yield f"{path}{name}", command

    yield from below(program, "")


def shown_commands() -> list[tuple[str, str]]:
    """(page, line) of every `orosync ...` in a code block or between backticks; in a block it may have its folder, and
    be the entry point of an image."""
    found = []
    for page in PAGES:
        text = text_of(page)
        for code in blocks_of(page):
            lines = re.findall(r"^(?:\S*/orosync|orosync|docker run --rm orosync:\w+) ([^>|\n]+)", code, re.MULTILINE)
            found += [(name_of(page), f"orosync {line.strip()}") for line in lines]
        inline = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        found += [(name_of(page), line) for line in re.findall(r"`(orosync [^`]+)`", inline)]
    return found


def test_every_command_is_shown_somewhere() -> None:
    shown = [line for _, line in shown_commands()]
    assert [name for name, _ in commands() if not any(line.startswith(f"orosync {name}") for line in shown)] == []


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_a_shown_command_is_one_that_the_program_understands(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [re.sub(r"=VALUE(\.\.\.)?$", "=VALUE", word) for word in shlex.split(line, comments=True)][1:]
    for word in words:
        if word.endswith(".pem"):
            Path(word).touch()
    command: click.Command = program
    context = click.Context(program, info_name="orosync")
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-"):
            break
        name, *words = words
        following = command.get_command(context, name)
        assert following is not None, f"{page}: {line}"
        command = following
        context = click.Context(command, parent=context, info_name=name)
    if is_named_only(command, words):
        return
    command.make_context(context.info_name, words, parent=context.parent)


def is_named_only(command: click.Command, words: list[str]) -> bool:
    """In running text a command may stand for itself, without what it needs."""
    return not words or words == ["--help"] or isinstance(command, click.Group)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_of_the_repository_that_are_named_exist(page: Path) -> None:
    """Those between backticks that begin with a folder of it."""
    folders = "backend|deploy|docs|tests|addin"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]+)`", text_of(page)))
    made_by_people = {"deploy/secrets/", "deploy/orosync.env"}
    assert {each for each in named - made_by_people if not (REPOSITORY / each).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_shown_target_of_make_exists(page: Path) -> None:
    makefile = text_of(REPOSITORY / "Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    places = "\n".join([*blocks_of(page), *re.findall(r"`([^`\n]+)`", text_of(page))])
    assert set(re.findall(r"^make ([a-z-]+)", places, re.MULTILINE)) <= targets


# ---------------------------------------------------------------------------------------------- the API


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with opened(tmp_path_factory.mktemp("demonstration"), size=Size(12, 6, 6)) as demonstration:
        yield demonstration


def operations(served: Any) -> set[str]:
    document = served.flask.extensions["orosync.openapi"]
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in METHODS
    }


def test_the_api_guide_lists_every_operation_and_no_other(served: Any) -> None:
    listed = re.findall(
        r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)` \|", text_of(DOCS / "api-guide.md"), re.MULTILINE
    )
    assert len(listed) == len(set(listed))
    assert set(listed) == operations(served)


def test_operations_named_in_running_text_exist(served: Any) -> None:
    pattern = re.compile(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?\s]*)`")
    named = {each for page in PAGES for each in pattern.findall(text_of(page))}
    assert named - operations(served) == set()


def test_every_code_of_a_problem_is_in_the_api_guide() -> None:
    web = REPOSITORY / "backend" / "orosync" / "web"
    sources = "\n".join(text_of(file) for file in web.rglob("*.py"))
    codes = set(re.findall(r'^    code = "([a-z_]+)"|\bcode="([a-z_]+)"', sources, re.MULTILINE))
    codes = {code for pair in codes for code in pair if code}
    mapped = text_of(web / "problems.py").partition("_STATUS")[2].partition("\n)\n")[0]
    codes |= set(re.findall(r'\d{3}, "([a-z_]+)"', mapped))
    inside = {"cancelled", "no_manifest", "bad_request"}  # of windows and pages; never given as such
    assert len(codes) > 20
    assert {code for code in codes - inside if f"`{code}`" not in text_of(DOCS / "api-guide.md")} == set()


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the examples need curl and jq")
def test_the_examples_of_the_api_guide_work_in_their_order(served: Any, tmp_path: Path) -> None:
    examples = "\n".join(blocks_of(DOCS / "api-guide.md", "sh"))
    assert examples.count("api ") > 30
    script = "set -euo pipefail\n" + examples.replace("http://127.0.0.1:8080", served.url)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert re.search(r'"taken_back": [1-9]', done.stdout)


def test_a_problem_looks_as_the_api_guide_shows_it(served: Any) -> None:
    client = served.flask.test_client()
    token = client.post("/auth/local", json={"person": "anna"}).get_json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    tag = client.get("/api/v1/admin/settings?level=system", headers=headers).headers["ETag"]
    answer = client.patch(
        "/api/v1/admin/settings?level=system", json={"sync_tasks": "maybe"}, headers={**headers, "If-Match": tag}
    )
    (shown,) = (json.loads(code) for code in blocks_of(DOCS / "api-guide.md", "json"))
    vary = {"request_id": "", "title": ""}  # a title is the status in Python's words, which differ between versions
    assert {**answer.get_json(), **vary} == {**shown, **vary}
    assert answer.get_json().keys() == shown.keys()


# ---------------------------------------------------------------------------------------------- words of the pane


def words_of_the_pane() -> set[str]:
    entries = json.loads(text_of(REPOSITORY / "addin" / "locales" / "en.json")).values()
    return {word for entry in entries for word in ([entry] if isinstance(entry, str) else entry.values())}


def test_words_in_bold_in_the_user_guide_are_words_of_the_pane() -> None:
    bold = {word for word in re.findall(r"\*\*([^*]+)\*\*", text_of(DOCS / "user-guide.md")) if not word[0].isdigit()}
    assert len(bold) > 40
    assert bold - words_of_the_pane() - OF_OTHERS == set()
