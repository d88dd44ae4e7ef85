"""Our product in a process of its own, as the benchmark talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.systems import ROOT, Office

Taken = dict[str, Any]


class Ours:
    """Our product in a process of its own. start_s: from its start until it was ready to work."""

    def __init__(self, place: Office, database: Path) -> None:
        told: dict[str, Any] = {"database": str(database), "graph": place.graph.url, "oro": place.oro.url}
        told |= {"token": place.token, "api_keys": place.api_keys}
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.product", json.dumps(told)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._heard()
        self.start_s = time.perf_counter() - began

    def do(self, what: str, **how: Any) -> Taken:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        taken: Taken = self._heard()
        if taken.pop("state") != "done":
            raise RuntimeError(f"{what}: {taken}")
        return taken

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the product ended with {self._process.wait()}")
        return json.loads(line)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def ours(place: Office, database: Path) -> Iterator[Ours]:
    process = Ours(place, database)
    try:
        yield process
    finally:
        process.stop()
