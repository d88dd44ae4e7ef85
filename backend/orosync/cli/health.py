"""`orosync health`: whether a process is alive, for a container's health check, which has neither shell nor curl."""

from __future__ import annotations

import socket
from datetime import timedelta

import click
import requests

from orosync.cli.exits import FAILED
from orosync.cli.surroundings import opened

_PATIENCE_S = 5
_SILENT = timedelta(seconds=30)  # workers say every two seconds in the database that they live


@click.command()
@click.argument("url", required=False)
@click.pass_context
def health(ctx: click.Context, url: str | None) -> None:
    """Whether URL answers as it should (/healthz, /readyz); without one, whether a worker or dispatcher of this
    host is alive.

    Ends with 0 if so, with 1 if not.
    """
    problem = _asked(url) if url else _signs()
    if problem:
        click.echo(problem, err=True)
        ctx.exit(FAILED)
    click.echo("well")


def _asked(url: str) -> str:
    session = requests.Session()
    session.trust_env = False  # no proxy stands between a process and its own machine
    try:
        status = session.get(url, timeout=_PATIENCE_S, allow_redirects=False).status_code
    except requests.RequestException as error:
        return f"no answer ({type(error).__name__})"
    return "" if status == 200 else f"it answers {status}"


def _signs() -> str:
    host = f"{socket.gethostname()}:"
    with opened() as (_, database):
        seen = [worker.seen_at for worker in database.workers.all() if worker.name.startswith(host)]
        now = database.clock.now()
    if not seen:
        return "no worker or dispatcher of this host gives a sign of life"
    silent = now - max(seen)
    return "" if silent <= _SILENT else f"the last sign of life was {silent.total_seconds():.0f} s ago"
