"""What this process counts: runs, writes, how long changes take to arrive, requests. For Prometheus.

Labels have few values each, and none of them names an account, a mailbox or a record. What is true of the whole
installation at a moment (accounts by state, what waits) is not counted here but asked of the database when somebody
looks, see `bootstrap/gauges.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    start_http_server,
    values,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from orosync import __version__

__all__ = ["CONTENT_TYPE", "Collector", "Metric", "Metrics", "across_processes", "gauge", "served", "text_of"]

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for

# An idle run takes tens of milliseconds, a first sync minutes; a push arrives within seconds, a poll within minutes.
_RUN_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
_ARRIVAL_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)


class Collector(Protocol):
    """Tells what is true now, whenever somebody looks."""

    def collect(self) -> Iterable[Metric]: ...


def gauge(name: str, text: str, rows: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for row, value in rows:
        family.add_metric(row, value)
    return family


class _BuildInfo:
    def collect(self) -> Iterator[Metric]:
        yield gauge("orosync_build_info", "Which program this is.", [((__version__,), 1)], ("version",))


class Metrics:
    """One for each process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_BuildInfo())
        self._runs = Counter(
            "orosync_runs_total", "Runs that came to an end.", ("mode", "state"), registry=self.registry
        )
        self._run_seconds = Histogram(
            "orosync_run_seconds", "How long runs took.", buckets=_RUN_S, registry=self.registry
        )
        self._ops = Counter("orosync_ops_total", "Records written.", ("side", "entity", "verb"), registry=self.registry)
        self._arrivals = Histogram(
            "orosync_arrival_seconds",
            "From a change on the other side, by that side's clock, to its confirmed write on this one.",
            ("side",),
            buckets=_ARRIVAL_S,
            registry=self.registry,
        )
        self._requests = Counter(
            "orosync_requests_total",
            "Requests to either side; parts of a batch count singly.",
            ("side", "outcome"),
            registry=self.registry,
        )

    def count_request(self, side: str, outcome: str) -> None:
        """outcome: "ok", "throttled", "refused", "failed" or "unreachable"."""
        self._requests.labels(side, outcome).inc()

    def count_run(
        self,
        mode: str,
        state: str,
        seconds: float,
        ops: Mapping[tuple[str, str, str], int] | None = None,
        arrivals: Iterable[tuple[str, float]] = (),
    ) -> None:
        """ops: how many by (side, entity, verb). arrivals: (side, seconds) of every change that was carried over."""
        self._runs.labels(mode, state).inc()
        self._run_seconds.observe(seconds)
        for labels, count in (ops or {}).items():
            if count:
                self._ops.labels(*labels).inc(count)
        for side, took_s in arrivals:
            self._arrivals.labels(side).observe(took_s)


def across_processes(folder: Path) -> None:
    """Counters made from now on are kept in files of this folder, which several processes share: the environment
    names it already (`config.share_metrics`)."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.db"):
        former.unlink()
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def text_of(metrics: Metrics, more: Iterable[Collector] = (), shared: Path | None = None) -> bytes:
    """In Prometheus's text format. more: what is true of the whole installation. shared: the folder of
    `across_processes`, whose counters are then told in place of this process's own."""
    looked = CollectorRegistry()
    if shared is None:
        looked.register(metrics.registry)
    else:
        MultiProcessCollector(looked, str(shared))  # type: ignore[no-untyped-call]  # registers itself
        looked.register(_BuildInfo())
    for each in more:
        looked.register(each)
    return generate_latest(looked)


def served(metrics: Metrics, host: str, port: int) -> Any:
    """This process's own counters at a port, from a thread; returns the server, which `shutdown` ends."""
    server, _thread = start_http_server(port, addr=host, registry=metrics.registry)
    return server
