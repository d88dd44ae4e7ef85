"""`orosync demo`: a simulated OroCRM, a simulated mailbox and the application between them, in one process.

Serves a page on which a newcomer sees all three side by side. With `--once` it tells a story in chapters instead,
checks each promise it makes, and leaves.
"""

from __future__ import annotations

import socket
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests

from orosync import bootstrap, telemetry
from orosync.bootstrap.demonstration import Demonstration, Size, opened
from orosync.cli.demo_story import Stage, tell
from orosync.cli.exits import FAILED
from orosync.cli.printing import heading
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.errors import BadInput, OrosyncError
from orosync.sync.run import Report

_PORT = 8080
_MOST = 5000
_PAGES = ("/demo", "/addin/taskpane.html", "/readyz")
_TIMEOUT_S = 10


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65_533),
    help=f"The page's; OroCRM and the mailbox have the next two.  [default: {_PORT}]",
)
@click.option("--contacts", type=click.IntRange(10, _MOST), default=30, show_default=True)
@click.option("--tasks", type=click.IntRange(5, _MOST), default=15, show_default=True)
@click.option("--events", type=click.IntRange(5, _MOST), default=15, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="Other people, other dates.")
@click.option("--no-browser", is_flag=True, help="Open no browser.")
@click.option("--once", is_flag=True, help="Check every promise and leave; exit code 1 if one is not kept.")
@click.pass_context
def demo(
    ctx: click.Context,
    port: int | None,
    contacts: int,
    tasks: int,
    events: int,
    seed: int,
    *,
    no_browser: bool,
    once: bool,
) -> None:
    """A simulated OroCRM and mailbox with people in them, and the pane between them."""
    telemetry.configure("warning")
    first = port or (0 if once else _PORT)
    size = Size(contacts, tasks, events)
    if not once:
        with _opened(first, size, seed) as demonstration:
            _keep_going(demonstration, browser=not no_browser)
        return
    with _stage(first, (contacts, tasks, events), seed) as stage:
        _introduce(stage)
        broken = tell(stage)
        if broken:
            click.echo("\nNot as promised:", err=True)
            for each in broken:
                click.echo(f"  {each}", err=True)
        ctx.exit(FAILED if broken else 0)


@contextmanager
def _opened(port: int, size: Size, seed: int) -> Iterator[Demonstration]:
    """Everything of the demonstration, gone at its end. Raises BadInput for a port that somebody has."""
    ports = tuple(_free(port + more if port else 0) for more in range(3))
    with (
        tempfile.TemporaryDirectory(prefix="orosync-demo-") as folder,
        opened(Path(folder), size=size, seed=seed, ports=(ports[0], ports[1], ports[2])) as demonstration,
    ):
        yield demonstration


@contextmanager
def _stage(port: int, counts: tuple[int, int, int], seed: int) -> Iterator[Stage]:
    """For the story: connected already, and with the default rule for conflicts."""
    with _opened(port, Size(*counts), seed) as demonstration:
        database, people = demonstration.database, demonstration.people
        database.settings.unset(bootstrap.level_of(None), "conflict_resolution", by="story")
        account = Account("demo", people.upn, demonstration.oro_url, people.oro_user, "wsse", "token")
        made = database.accounts.get(database.accounts.add(account))
        bootstrap.save_connection(database, made, bootstrap.Connection(oro=people.api_key, graph=people.token))
        yield Stage(demonstration.config, database, demonstration.graph, demonstration.oro, people, demonstration.url)


def _free(port: int) -> int:
    """The port, if nobody has it. Raises BadInput."""
    if port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise BadInput(
                    f"Port {port} is taken.", field="--port", remedy="Choose another one, as in --port 9090."
                ) from error
    return port


def _introduce(stage: Stage) -> None:
    account = stage.database.accounts.named("demo")
    heading("OroCRM for Outlook, with two simulated systems")
    click.echo(f"OroCRM   {account.orocrm_url}   user {stage.people.oro_user}, API key {stage.people.api_key}")
    click.echo(f"Mailbox  {stage.config.graph_url}   {stage.people.upn}, token {stage.people.token}")
    click.echo(f"Page     {stage.url}/demo")
    for path in _PAGES:
        answer = requests.get(f"{stage.url}{path}", timeout=_TIMEOUT_S)
        stage.promise(f"{path} answers", kept=answer.status_code == 200)


# ------------------------------------------------------------------------------------------------ the page


def _keep_going(demonstration: Demonstration, *, browser: bool) -> None:
    """Serve the page, and let changes travel, until Ctrl-C."""
    page, people = f"{demonstration.url}/demo", demonstration.people
    heading("OroCRM for Outlook, with two simulated systems")
    click.echo(f"Open     {click.style(page, bold=True)}")
    click.echo(f"OroCRM   {demonstration.oro_url}   user {people.oro_user}, API key {people.api_key}")
    click.echo(f"Mailbox  {demonstration.config.graph_url}   {people.upn}")
    click.echo("Everything is made up, stays on this machine and is gone at the end. Ctrl-C ends it.\n")
    if browser:
        webbrowser.open(page)
    try:
        demonstration.keep_in_step(_tell)
    except KeyboardInterrupt:
        click.echo("\nGood-bye.")


def _tell(what: Report | OrosyncError) -> None:
    if isinstance(what, OrosyncError):
        click.echo(str(what), err=True)
        return
    for problem in (*what.problems, *what.limits):
        click.echo(problem, err=True)
    for entity, counts in what.entities.items():
        for side, name in ((Side.OUTLOOK, "Outlook"), (Side.ORO, "OroCRM")):
            done = [f"{count} {verb}" for verb, count in counts[side.value].items() if count]
            if done:
                click.echo(f"{entity}s in {name}: {', '.join(done)}")
