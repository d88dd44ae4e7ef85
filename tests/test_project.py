"""The promises of the project's own files: the lock, the commands, the walls, the sealed test network."""

import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import pytest_socket
import sqlalchemy as sa
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import orosync

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
LOCK = (REPOSITORY / "backend" / "requirements.lock").read_text("utf-8")
PINNED = {
    canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK, re.MULTILINE)
}
WANTED = [
    Requirement(line)
    for lines in (
        PROJECT["project"]["dependencies"],
        PROJECT["project"]["optional-dependencies"]["cluster"],
        PROJECT["project"]["optional-dependencies"]["dev"],
    )
    for line in lines
]


def test_the_lock_names_no_registry_and_no_path() -> None:
    assert not re.findall(
        r"://|--(?:extra-)?index-url|--find-links|^\s*-[ief]\b|@\s*file|(?<!\w)/\w", LOCK, re.MULTILINE
    )


def test_every_package_of_the_lock_carries_a_hash() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) >= len(WANTED)
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("requirement", WANTED, ids=lambda requirement: requirement.name)
def test_the_lock_pins_a_version_inside_the_declared_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)], prereleases=True)


def test_the_changelog_and_the_package_know_the_same_version() -> None:
    heading = re.search(r"^## \[([^\]]+)\]", (REPOSITORY / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading[1] in {"Unreleased", orosync.__version__}


def test_make_help_explains_every_command() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    shown = subprocess.run(["make", "help"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert sorted(re.findall(r"^  make (\w+) +\S", shown, re.MULTILINE)) == sorted(phony[1].split())


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core", "import os", "core-pure"),
        ("core", "import flask", "core-pure"),
        ("core", "import orosync.store", "core-ours"),
        ("outlook", "import orosync.oro", "touching"),
        ("store", "import orosync.sync", "touching"),
        ("sync", "import requests", "sync-plain"),
        ("sync", "import orosync.outlook", "sync-ours"),
        ("sandbox", "import orosync.core", "sandbox-alone"),
        ("sync", "import orosync.sandbox", "sandbox-users"),
        ("cli", "import orosync.store", "parts"),
    ],
)
def test_a_forbidden_import_breaks_its_wall(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for package in [p.parent for p in (REPOSITORY / "backend" / "orosync").glob("*/__init__.py")]:
        (tmp_path / "orosync" / package.name).mkdir(parents=True)
        (tmp_path / "orosync" / package.name / "__init__.py").touch()
    (tmp_path / "orosync" / "__init__.py").touch()
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--contract", contract]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}

    kept = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    (tmp_path / "orosync" / module / "trespass.py").write_text(line + "\n", "utf-8")
    broken = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)

    assert (kept.returncode, broken.returncode) == (0, 1), kept.stdout + broken.stdout
    assert f"orosync.{module}.trespass" in broken.stdout


def test_no_test_reaches_a_host_that_is_not_on_the_list() -> None:
    with pytest.raises(pytest_socket.SocketConnectBlockedError):
        socket.create_connection(("127.0.0.2", 9), timeout=1)  # stands for any host that is not on the list


def test_each_test_process_has_an_empty_postgresql_database_of_its_own(postgresql_url: str) -> None:
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    assert engine.dialect.driver == "psycopg"
    assert engine.url.database not in {"test", "postgres", None}
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select current_database()")) == engine.url.database
