"""`orosync worker` and `orosync dispatcher`: the background of a cluster."""

from __future__ import annotations

import signal
import threading

import click

from orosync import bootstrap, telemetry
from orosync.config import load_config


@click.command()
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True, help="Accounts worked on at once.")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Tell its counters to Prometheus at this port.")
@click.option(
    "--metrics-host", default="127.0.0.1", show_default=True, help="Address of that port; whoever reaches it may read."
)
def worker(threads: int, metrics_port: int | None, metrics_host: str) -> None:
    """Work on accounts that the dispatcher hands out. Start as many as you like, on any machine.

    Ends by SIGTERM: runs stop at their next step, and others go on from there.
    """
    config = load_config()
    telemetry.configure(config.log_level)
    from orosync.bootstrap.cluster import run_worker

    database = bootstrap.open_database(config)
    try:
        run_worker(config, database, threads, metrics_at=(metrics_host, metrics_port) if metrics_port else None)
    finally:
        database.close()


@click.command()
def dispatcher() -> None:
    """Hand out what is due to the workers. One is enough; a second one does no harm."""
    config = load_config()
    telemetry.configure(config.log_level)
    from orosync.bootstrap.cluster import run_dispatcher

    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    database = bootstrap.open_database(config)
    try:
        run_dispatcher(config, database, over)
    finally:
        database.close()
