"""`orosync demo`: both simulated systems on loopback, with people in them, and the engine between them.

Tells a story in chapters and checks each promise it makes; afterwards it keeps both in step until it is stopped.
"""

from __future__ import annotations

import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from cryptography.fernet import Fernet

from orosync import bootstrap, telemetry
from orosync.cli.demo_story import Stage, tell
from orosync.cli.exits import FAILED
from orosync.cli.printing import heading
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.errors import BadInput, OrosyncError
from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.seed import seed as fill
from orosync.sandbox.transport import serve
from orosync.sync.session import RunRequest

_PORT = 8080
_EVERY_S = 3.0
_MOST = 5000


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_534), help=f"OroCRM's; the mailbox has the next one.  [default: {_PORT}]"
)
@click.option("--contacts", type=click.IntRange(10, _MOST), default=40, show_default=True)
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
    """A simulated OroCRM and mailbox with people in them, kept in step."""
    telemetry.configure("warning")
    first = port or (0 if once else _PORT)
    with _stage(first, (contacts, tasks, events), seed) as stage:
        _introduce(stage)
        broken = tell(stage)
        if broken:
            click.echo("\nNot as promised:", err=True)
            for each in broken:
                click.echo(f"  {each}", err=True)
        if once:
            ctx.exit(FAILED if broken else 0)
        _keep_going(stage, browser=not no_browser)


@contextmanager
def _stage(port: int, counts: tuple[int, int, int], seed: int) -> Iterator[Stage]:
    """Everything of the demonstration, gone at its end."""
    graph, oro = GraphSandbox(seed=seed), OroSandbox(seed=seed)
    people = fill(graph, oro, contacts=counts[0], tasks=counts[1], events=counts[2], seed=seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orosync-demo-")))
        oro_at = stack.enter_context(serve(create_oro_app(oro), _free(port)))
        graph_at = stack.enter_context(serve(create_graph_app(graph), _free(port + 1 if port else 0)))
        config = Config(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'orosync.sqlite3'}",
            secret_keys=(Fernet.generate_key().decode(),),
            graph_url=f"{graph_at.url}/v1.0",
            allow_insecure_loopback=True,
        )
        database = bootstrap.open_database(config)
        stack.callback(database.close)
        account = Account("demo", people.upn, oro_at.url, people.oro_user, "wsse", "token")
        made = database.accounts.get(database.accounts.add(account))
        bootstrap.save_connection(database, made, bootstrap.Connection(oro=people.api_key, graph=people.token))
        yield Stage(config, database, graph, oro, people)


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


def _keep_going(stage: Stage, *, browser: bool) -> None:
    """Sync every few seconds until Ctrl-C."""
    account = stage.database.accounts.named("demo")
    graph = stage.config.graph_url.removesuffix("/v1.0")
    click.echo("")
    heading("Both keep running. Change something on one side and watch it arrive on the other:")
    click.echo(f"  curl {account.orocrm_url}/sandbox/contacts")
    click.echo(
        f"  curl -X PATCH {account.orocrm_url}/sandbox/contacts/1 -H 'Content-Type: application/json' "
        """-d '{"jobTitle": "Queen"}' """
    )
    click.echo(f"  curl {graph}/sandbox/mailboxes/{stage.people.upn}/contact")
    click.echo("Ctrl-C ends it.")
    if browser:
        webbrowser.open(f"{account.orocrm_url}/sandbox/contacts")
    pause = threading.Event()
    try:
        while not pause.wait(_EVERY_S):
            _sync_quietly(stage)
    except KeyboardInterrupt:
        click.echo("\nGood-bye.")


def _sync_quietly(stage: Stage) -> None:
    try:
        report = bootstrap.run_once(stage.config, stage.database, "demo", RunRequest())
    except OrosyncError as error:
        click.echo(str(error), err=True)
        return
    for problem in (*report.problems, *report.limits):
        click.echo(problem, err=True)
    for entity, counts in report.entities.items():
        for side, name in ((Side.OUTLOOK, "Outlook"), (Side.ORO, "OroCRM")):
            done = [f"{count} {verb}" for verb, count in counts[side.value].items() if count]
            if done:
                click.echo(f"{entity}s in {name}: {', '.join(done)}  (orosync run {report.run[:8]})")
