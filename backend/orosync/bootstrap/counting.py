"""Whether this process counts what it does, and where: services do, commands of the command line do not.

The library for it is slow to import, so it is only imported where something is counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from orosync.core.records import Side

if TYPE_CHECKING:
    from orosync.metrics import Metrics

CountRequest = Callable[[str], None]


class _Process:
    def __init__(self) -> None:
        self.metrics: Metrics | None = None
        self.guard = threading.Lock()


_this = _Process()


def begin_counting() -> Metrics:
    """From now on; the same one if it has begun."""
    with _this.guard:
        if _this.metrics is None:
            from orosync.metrics import Metrics

            _this.metrics = Metrics()
        return _this.metrics


def counting() -> Metrics | None:
    return _this.metrics


def request_counter(side: Side) -> CountRequest:
    """For the client of a side: it is told the outcome of every request."""

    def count(outcome: str) -> None:
        if _this.metrics is not None:
            _this.metrics.count_request(side.value, outcome)

    return count
