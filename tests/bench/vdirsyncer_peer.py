"""vdirsyncer as a peer: installed once into an environment of its own, and started as a person would start it.

Every step is a fresh process, as it has no service; how long it takes to start and do nothing is measured as well, so
that it can be taken off.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.systems import ROOT, System

VERSION = "0.21.0"
PLACE = ROOT / ".venv" / f".vdirsyncer-{VERSION}"
_MEASURE = ROOT / "tests" / "bench" / "own_process.py"
_INSTALL_S, _SYNC_S = 300, 3600


@dataclass(frozen=True)
class Step:
    """wall_s and cpu_s include the start of the process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def python() -> Path:
    return PLACE / "bin" / "python"


def install() -> str:
    """Into `.venv`, once. Returns why it is not there, "" if it is."""
    if _is_there():
        return ""
    try:
        venv.create(PLACE, with_pip=True, clear=True)
        command = [str(python()), "-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*command, f"vdirsyncer=={VERSION}"], check=True, timeout=_INSTALL_S, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        return f"could not be installed ({type(error).__name__})"
    return "" if _is_there() else "could not be started"


def _is_there() -> bool:
    if not python().exists():
        return False
    command = [str(python()), "-m", "vdirsyncer", "--version"]
    return VERSION in subprocess.run(command, check=False, capture_output=True, text=True).stdout


class Vdirsyncer:
    """Keeps the folders of `a` and `b` in step: /0/, /1/ ... up to `folders`."""

    def __init__(self, folder: Path, a: System, b: System, folders: int = 1) -> None:
        self._folder, self._config = folder, folder / "config"
        lines = ["[general]", f'status_path = "{folder / "status"}"']
        for number in range(folders):
            lines += [f"[pair p{number}]", f'a = "a{number}"', f'b = "b{number}"', "collections = null"]
            lines += ['conflict_resolution = "a wins"']
            for side, system in (("a", a), ("b", b)):
                lines += [f"[storage {side}{number}]", 'type = "carddav"', f'url = "{system.url}/{number}/"']
                lines += ['username = "user"', 'password = "x"']
        self._config.write_text("\n".join(lines) + "\n")
        self._run("discover")

    def sync(self) -> Step:
        return self._run("sync")

    def start(self) -> Step:
        """Nothing but starting and reading the configuration."""
        return self._run("sync", "--help")

    def lose_state(self) -> None:
        for file in sorted((self._folder / "status").rglob("*"), reverse=True):
            if file.is_file():
                file.unlink()
        self._run("discover")

    def _run(self, *arguments: str) -> Step:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report"
            command = [str(python()), "-P", str(_MEASURE), str(report), "vdirsyncer", "--verbosity", "WARNING"]
            done = subprocess.run(
                [*command, "--config", str(self._config), *arguments],
                check=False,
                capture_output=True,
                text=True,
                timeout=_SYNC_S,
            )
            if done.returncode or not report.exists():
                raise RuntimeError(f"vdirsyncer {arguments[0]}: {(done.stderr or done.stdout)[-800:]}")
            told: dict[str, Any] = json.loads(report.read_text())
        if told.pop("exit"):
            raise RuntimeError(f"vdirsyncer {arguments[0]} failed: {done.stderr[-800:]}")
        return Step(**told)


if __name__ == "__main__":
    sys.exit(install() or 0)
