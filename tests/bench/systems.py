"""The simulated systems as the benchmark sees them: processes with an address, and counters that are read before and
after each piece of work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Counts:
    """What a system was asked, and the CPU it needed for that."""

    requests: int
    parts: int
    cpu_s: float

    def __sub__(self, before: Counts) -> Counts:
        return Counts(self.requests - before.requests, self.parts - before.parts, self.cpu_s - before.cpu_s)


class System:
    """kind: "graph", "oro" or "carddav"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        command = [sys.executable, "-m", "tests.bench.served", kind]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.url = str(self._heard())

    def do(self, what: str, **how: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def counts(self) -> Counts:
        return Counts(**self.do("counts"))

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated {self.kind} ended with {self._process.wait()}")
        return json.loads(line)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True)
class Office:
    """A mailbox and an OroCRM for each of so many people, and how they sign in."""

    graph: System
    oro: System
    token: str
    api_keys: list[str]

    def latency(self, milliseconds: int) -> None:
        for system in (self.graph, self.oro):
            system.do("latency", seconds=milliseconds / 1000)

    def fill(self, side: str, person: int, counts: dict[str, int]) -> None:
        system = self.graph if side == "outlook" else self.oro
        for entity, count in counts.items():
            system.do("fill", person=person, entity=entity, count=count)

    def change(self, side: str, counts: dict[str, int], times: int) -> None:
        system = self.graph if side == "outlook" else self.oro
        for entity, count in counts.items():
            system.do("change", person=0, entity=entity, count=count, times=times)

    def counts(self) -> dict[str, Counts]:
        return {"outlook": self.graph.counts(), "oro": self.oro.counts()}


@contextmanager
def office(people: int = 1) -> Iterator[Office]:
    with ExitStack() as stack:
        graph, oro = System("graph"), System("oro")
        stack.callback(graph.stop)
        stack.callback(oro.stop)
        yield Office(graph, oro, graph.do("people", count=people), oro.do("people", count=people))


@contextmanager
def card_servers() -> Iterator[tuple[System, System]]:
    """Two CardDAV servers."""
    with ExitStack() as stack:
        pair = System("carddav"), System("carddav")
        for each in pair:
            stack.callback(each.stop)
        yield pair
