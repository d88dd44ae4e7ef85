"""The engine alone: our product and both simulated systems in one process, without sockets. What the systems need is
taken off, so that records a second are those of the engine with durable intents.

`python -m tests.bench.in_process FOLDER outlook|oro COUNT` prints one line of JSON for each piece of work.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.bench.product import Place, Product, Taken
from tests.bench.served import Graph, Oro

from orosync.sandbox.transport import WsgiAdapter

GRAPH, CRM = "http://127.0.0.1:1", "http://127.0.0.1:2"  # nobody listens there: the adapters answer


class Measured(WsgiAdapter):
    """A simulated system that knows how much of the thread's time it took."""

    taken_s = 0.0
    _adding = threading.Lock()

    def send(self, *arguments: Any, **more: Any) -> Any:
        before = time.thread_time()
        try:
            return super().send(*arguments, **more)
        finally:
            with self._adding:
                Measured.taken_s += time.thread_time() - before


def main() -> None:
    folder, to, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    graph, oro = Graph(), Oro()
    token, keys = graph.people(1), oro.people(1)
    other = graph if to == "oro" else oro
    other.fill(0, "contact", count)
    adapters = {GRAPH: Measured(graph.app), CRM: Measured(oro.app)}
    product = Product(Place(str(folder / "engine.sqlite3"), GRAPH, CRM, token, keys), adapters)
    _say("first sync", product.sync)
    product.settle()
    _say("no change", product.look, of=12)
    sides: tuple[tuple[str, Oro | Graph], ...] = (("OroCRM", oro), ("Outlook", graph))
    for times, (side, system) in enumerate(sides, start=1):
        system.change(0, "contact", max(1, count // 100), times)
        _say(f"1 % changed in {side}", product.change)
        product.settle()
    product.close()


def _say(what: str, act: Callable[[], Taken], of: int = 1) -> None:
    """of: how many times the systems were asked for one time that is told."""
    Measured.taken_s = 0.0
    taken = act()
    own = replace(taken, cpu_s=taken.cpu_s - Measured.taken_s / of)
    if taken.state != "done":
        raise RuntimeError(f"{what}: {taken.state}")
    sys.stdout.write(json.dumps({"work": what, **asdict(own)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
