"""Two simulated systems as processes of their own, and the command `orosync` as people start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from click.testing import CliRunner

from orosync.cli import program

COUNTS = ("--contacts", "10", "--tasks", "5", "--events", "5")


@dataclass
class System:
    """One simulated system. told: what it printed when it listened."""

    process: subprocess.Popen[str]
    told: dict[str, str]

    @property
    def url(self) -> str:
        return self.told["url"]

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/sandbox/{path}", timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def started(*arguments: str) -> System:
    process = subprocess.Popen([sys.executable, "-m", "orosync.sandbox", *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the simulated system {arguments} did not start"
    return System(process, json.loads(line))


def ended(system: System) -> None:
    system.process.kill()
    system.process.wait()
    if system.process.stdout is not None:
        system.process.stdout.close()


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class House:
    """A data folder of its own between two systems."""

    graph: System
    oro: System
    folder: Path
    changed: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OROSYNC_")}
        return {
            **kept,
            "OROSYNC_DATA_DIR": str(self.folder),
            "OROSYNC_GRAPH_URL": f"{self.graph.url}/v1.0",
            "OROSYNC_ALLOW_INSECURE_LOOPBACK": "1",
            "OROSYNC_GRAPH_TOKEN": self.graph.told["token"],
            "OROSYNC_ORO_SECRET": self.oro.told["api_key"],
            **self.changed,
        }

    def start(self, *arguments: str, before: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """before: is done in the new process, before it becomes `orosync`."""
        return subprocess.Popen(
            [sys.executable, "-c", "from orosync.cli import main; main()", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,  # noqa: PLW1509  # a limit of that process alone; no thread of ours is at work then
        )

    def run(self, *arguments: str) -> Ran:
        """In this process, which saves a second of starting; `start` is the real thing."""
        result = CliRunner(env=self.environment).invoke(program, list(arguments), prog_name="orosync")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def add(self, name: str = "anna", **other: str) -> Ran:
        options = {
            "--mailbox": self.graph.told["upn"],
            "--orocrm-url": self.oro.url,
            "--orocrm-user": self.oro.told["user"],
            "--graph-auth": "token",
        } | {f"--{key.replace('_', '-')}": value for key, value in other.items()}
        return self.run("accounts", "add", name, *(part for pair in options.items() for part in pair))

    def mailbox(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.graph.get(f"mailboxes/{self.graph.told['upn']}/{kind}")["value"]
        return found
