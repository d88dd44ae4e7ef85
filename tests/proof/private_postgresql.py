"""A PostgreSQL server of a test's own, that can really be stopped and started while others go on with theirs."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Server:
    """folder: its data, its socket and its log. commands: the folder of `pg_ctl`."""

    folder: Path
    commands: Path
    port: int
    user: str | None  # whom it runs as; None: as ourselves

    def new_database(self, name: str) -> str:
        """Its URL."""
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Comes back when connections are accepted; after an immediate stop, when it has recovered."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=50"
        self._control("start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options)

    def stop_at_once(self) -> None:
        """As if the power had gone: no farewell to anybody, nothing tidied up."""
        self._control("stop", "-m", "immediate", "-w", "-t", "60")

    def _control(self, *what: str) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), *what)

    def run(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.commands / command), *arguments],
            check=True,
            timeout=120,
            user=self.user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server
            stderr=subprocess.DEVNULL,
        )


@contextlib.contextmanager
def private_postgresql() -> Iterator[Server]:
    """Skips, or fails in the gate, where PostgreSQL is not installed."""
    commands = _commands()
    if commands is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no PostgreSQL server is installed on this machine")
    folder = Path(tempfile.mkdtemp(prefix="orosync-pg-"))
    user = None
    if os.geteuid() == 0:  # it refuses to run as root
        user = "postgres" if _is_known("postgres") else "nobody"
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(folder, commands, port, user)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        server.start()
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop_at_once()
        shutil.rmtree(folder, ignore_errors=True)


def _commands() -> Path | None:
    """Debian keeps them out of the path, by version."""
    found = shutil.which("pg_ctl")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda each: int(each.parent.parent.name))
    return versions[-1].parent if versions else None


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
