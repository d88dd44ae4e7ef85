"""What is in `deploy/` fits the program: commands, variables, secrets, locked packages."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from orosync.cli import program
from orosync.config import Config, fields

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
OURS = ("web", "worker", "dispatcher", "upgrade")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text_of("compose.yaml"))
    return loaded


def understood(words: list[str]) -> None:
    """Raises if the program does not know the command or one of its options."""
    command: click.Command = program
    context = click.Context(program, info_name="orosync")
    while isinstance(command, click.Group):
        name, *words = words
        following = command.get_command(context, name)
        assert following is not None, name
        command, context = following, click.Context(following, parent=context, info_name=name)
    command.make_context(context.info_name, words, parent=context.parent)


def shown_commands() -> Iterator[tuple[str, list[str]]]:
    for file in sorted((DEPLOY / "systemd").iterdir()):
        (line,) = re.findall(r"^ExecStart=\S+/orosync (.+)$", file.read_text("utf-8"), re.MULTILINE)
        yield file.name, shlex.split(line)
    services = yaml.safe_load(text_of("compose.yaml"))["services"]
    for name in OURS:
        yield f"compose.yaml {name}", services[name]["command"]
        check = services[name].get("healthcheck", {}).get("test")
        if check:
            assert check[:2] == ["CMD", "orosync"]
            yield f"compose.yaml {name} healthcheck", check[2:]
    for number, words in enumerate(re.findall(r"^ *CMD (\[.+\])$", text_of("Dockerfile"), re.MULTILINE)):
        yield f"Dockerfile {number}", [word for word in json.loads(words) if word != "orosync"]


@pytest.mark.parametrize(
    ("where", "words"), list(shown_commands()), ids=lambda value: value if type(value) is str else ""
)
def test_every_command_is_one_that_the_program_understands(where: str, words: list[str]) -> None:
    understood(words)


def test_every_variable_named_there_exists() -> None:
    known = {f"OROSYNC_{each.name.upper()}" for each in fields(Config)} | {"OROSYNC_DATA_DIR"}
    named = {
        (file.name, name)
        for file in DEPLOY.rglob("*")
        if file.is_file()
        for name in re.findall(r"\bOROSYNC_[A-Z_]+[A-Z]\b", file.read_text("utf-8"))
    }
    assert len(named) > 15
    assert {each for each in named if each[1].removesuffix("_FILE") not in known} == set()


@pytest.mark.parametrize("service", OURS)
def test_our_containers_can_do_no_more_than_they_need(compose: dict[str, Any], service: str) -> None:
    ours = compose["services"][service]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    assert ours["security_opt"] == ["no-new-privileges:true"]
    assert not ours["user"].startswith("0")
    assert "ports" not in ours


def test_only_the_proxy_is_reached_from_outside(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, each in services.items() if "ports" in each] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] is True
    assert [services[name]["networks"] for name in ("database", "broker", "dispatcher")] == [["inside"]] * 3


def test_every_long_running_container_is_limited_and_starts_again(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "upgrade":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys(), name
    assert compose["services"]["worker"]["deploy"]["replicas"] == 2


def test_secrets_are_files_and_all_of_them_are_declared(compose: dict[str, Any]) -> None:
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in compose["services"].values()
        for secret in service.get("secrets", ())
    }
    assert used == compose["secrets"].keys()
    environment = compose["x-orosync"]["environment"]
    for name in ("DATABASE_URL", "BROKER_URL", "SECRET_KEYS", "CLIENT_SECRET", "METRICS_TOKEN"):
        path = Path(environment[f"OROSYNC_{name}_FILE"])
        assert path.parent == Path("/run/secrets")
        assert path.name in compose["x-orosync"]["secrets"]


def test_nobody_starts_before_the_schema_is_that_of_the_program(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "dispatcher"):
        before = compose["services"][name]["depends_on"]
        assert before["upgrade"]["condition"] == "service_completed_successfully"
        assert before["broker"]["condition"] == "service_healthy"


def test_the_image_runs_as_nobody_and_needs_no_shell() -> None:
    built, run = text_of("Dockerfile").rsplit("\nFROM ", 1)
    assert built.count("--require-hashes") == 2
    instructions = [line.split()[0] for line in run.splitlines()[1:] if re.match(r"[A-Z]+ ", line)]
    assert "RUN" not in instructions
    assert "USER 10001:10001" in run
    for instruction in ("ENTRYPOINT", "CMD"):
        (words,) = re.findall(rf"^{instruction} (.+)$", run, re.MULTILINE)
        assert isinstance(json.loads(words), list)


def locked(name: str) -> dict[str, str]:
    """Package -> its line with version, marker and hashes."""
    text = (REPOSITORY / "backend" / name).read_text("utf-8")
    entries = re.findall(
        r"^([a-z0-9-]+(?:\[[a-z0-9,-]+\])?==[^\\]+)\\\n((?: +--hash=\S+(?: \\)?\n)+)", text, re.MULTILINE
    )
    return {
        head.split("==")[0].partition("[")[0]: f"{head.split(';')[0].split('==')[1].strip()} {sorted(rest.split())}"
        for head, rest in entries
    }


@pytest.mark.parametrize(("name", "least"), [("requirements.runtime.lock", 50), ("requirements.build.lock", 5)])
def test_what_an_image_installs_is_part_of_what_was_tested(name: str, least: int) -> None:
    part, whole = locked(name), locked("requirements.lock")
    assert len(part) >= least
    assert {package for package, line in part.items() if whole.get(package) != line} == set()


def test_an_image_holds_no_tools_of_developers() -> None:
    assert locked("requirements.runtime.lock").keys() & {"pytest", "playwright", "mypy", "ruff", "hypothesis"} == set()
    assert {"flask", "celery", "psycopg", "redis", "gunicorn"} <= locked("requirements.runtime.lock").keys()


def test_a_unit_may_write_its_own_folder_alone() -> None:
    for file in (DEPLOY / "systemd").iterdir():
        unit = file.read_text("utf-8").splitlines()
        for line in ("ProtectSystem=strict", "NoNewPrivileges=yes", "StateDirectory=orosync", "User=orosync"):
            assert line in unit, file.name
        assert not [line for line in unit if line.startswith("ReadWritePaths")]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_adds_no_header_that_would_leave_the_pane_blank(name: str) -> None:
    lines = [line for line in text_of(name).splitlines() if not line.strip().startswith("#")]
    assert not [line for line in lines if re.search(r"frame|security-policy|add_header|\bheader ", line, re.IGNORECASE)]
