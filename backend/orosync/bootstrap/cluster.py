"""The processes of a cluster beside the web application: workers, and the dispatcher that hands out what is due."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from orosync.bootstrap.counting import begin_counting
from orosync.config import Config
from orosync.errors import ConfigurationError
from orosync.jobs.account_work import AccountWork
from orosync.jobs.dispatcher import Dispatcher
from orosync.jobs.signs_of_life import SignsOfLife
from orosync.store.database import Database


def run_worker(
    config: Config,
    database: Database,
    threads: int,
    *,
    adapters: Mapping[str, Any] | None = None,
    metrics_at: tuple[str, int] | None = None,
) -> None:
    """Until the process is told to end. metrics_at: host and port where its counters can be read. Raises
    ConfigurationError without a broker, or while it does not answer."""
    from orosync.jobs.cluster import work_off

    _needs_a_broker(config)
    work = AccountWork(config, database, adapters=adapters)
    signs = SignsOfLife(database, threads)
    stop_telling = _tell_metrics(metrics_at)
    signs.start()
    try:
        work_off(config.broker_url, work, threads, signs.name.replace(":", "-"))
    finally:
        signs.stop()
        stop_telling()


def _tell_metrics(where: tuple[str, int] | None) -> Callable[[], None]:
    """Returns what ends it. Raises ConfigurationError for a port that cannot be had."""
    if where is None:
        return lambda: None
    from orosync.metrics import served

    try:
        server = served(begin_counting(), *where)
    except OSError as error:
        host, port = where
        raise ConfigurationError([f"--metrics-port: {host}:{port} cannot be had ({error.strerror})."]) from None

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


def run_dispatcher(config: Config, database: Database, over: threading.Event) -> None:
    """Until `over` is set. Raises ConfigurationError without a broker, or while it does not answer."""
    from orosync.jobs.cluster import ClusterQueue

    _needs_a_broker(config)
    queue = ClusterQueue(config.broker_url)
    try:
        Dispatcher(database, queue, database.clock, timedelta(days=config.history_days)).keep_going(over)
    finally:
        queue.close()


def _needs_a_broker(config: Config) -> None:
    if not config.broker_url:
        where = "workers and dispatcher meet at a broker. On one machine `orosync serve` does all of it"
        raise ConfigurationError([f"OROSYNC_BROKER_URL is not set: {where}"])
    from orosync.jobs.cluster import must_answer

    must_answer(config.broker_url)
