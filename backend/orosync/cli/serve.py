"""`orosync serve`: the pane and its API, for a browser."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from orosync import bootstrap, telemetry
from orosync.config import load_config, share_metrics, sign_in_problems
from orosync.errors import ConfigurationError

_THREADS = 16  # a pane that watches a run holds one


@click.command()
@click.option("--bind", default="127.0.0.1:8443", show_default=True, metavar="HOST:PORT")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes; SQLite wants one."
)
@click.option("--threads", type=click.IntRange(2, 256), default=_THREADS, show_default=True, help="In each process.")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PEM, for HTTPS.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Of the certificate.")
def serve(bind: str, workers: int, threads: int, certificate: Path | None, key: Path | None) -> None:
    """Serve the task pane, its API and the manifest.

    Outlook wants HTTPS: give a certificate, or put a proxy with one in front and set OROSYNC_PUBLIC_URL.
    """
    config = load_config()
    if problems := sign_in_problems(config):
        raise ConfigurationError(problems)
    telemetry.configure(config.log_level)
    bootstrap.open_database(config).close()  # what is wrong with it is told here, and not by each worker
    from gunicorn.app.base import BaseApplication

    from orosync.bootstrap.application import build_app

    shared = _shared_metrics() if workers > 1 else None
    options: dict[str, Any] = {
        "bind": bind,
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",
        "control_socket_disable": True,  # it would lie in the home folder
        "certfile": str(certificate) if certificate else None,
        "keyfile": str(key) if key else None,
        "graceful_timeout": 60,
        "timeout": 120,
    }

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in options.items():
                if value is not None:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            """In each worker: connections and threads do not survive a fork."""
            app, stop = build_app(config, bootstrap.open_database(config), shared_metrics=shared)
            self.cfg.set("worker_exit", lambda _server, _worker: stop())
            return app

    Server().run()


def _shared_metrics() -> Path:
    """A folder in which all processes of this server count together; gone when it ends."""
    from orosync.metrics import across_processes

    folder = Path(tempfile.mkdtemp(prefix="orosync-metrics-"))
    share_metrics(folder)
    across_processes(folder)
    server = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == server else None)
    return folder
