"""`orosync sync` and `orosync resync`: one run of one account, or a preview of it."""

from __future__ import annotations

from typing import Literal

import click

from orosync import bootstrap
from orosync.cli.exits import exit_code_of_run
from orosync.cli.printing import json_option, print_json, progress_bar
from orosync.cli.reports import print_report, report_as_json
from orosync.cli.surroundings import opened, reading
from orosync.core.records import Entity
from orosync.core.settings import ResyncMode
from orosync.errors import BadInput
from orosync.sync.session import RunRequest

_preview = click.option("--preview", is_flag=True, help="Show what would be done; write nothing anywhere.")
_approve = click.option("--approve", metavar="HASH", help="Carry out exactly the plan that has this hash.")


@click.command()
@click.argument("name")
@click.option("--entity", "entities", multiple=True, type=click.Choice([e.value for e in Entity]), help="Only these.")
@_preview
@_approve
@json_option
@click.pass_context
def sync(
    ctx: click.Context, name: str, entities: tuple[str, ...], approve: str | None, *, preview: bool, as_json: bool
) -> None:
    """Sync an account now, or show what would be done.

    Both feeds are read, and all of OroCRM's records are compared, as with "Sync now" in the pane.
    """
    _not_both(preview=preview, approve=approve)
    request = RunRequest(
        mode="preview" if preview else "sync",
        entities=frozenset(Entity(each) for each in entities) or None,
        approve=approve,
        sweep=True,
    )
    _carry_out(ctx, name, request, "sync {name}" + "".join(f" --entity {each}" for each in entities), as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--mode", type=click.Choice([e.value for e in ResyncMode]), help="As set (resync_mode) if not given.")
@_preview
@_approve
@json_option
@click.pass_context
def resync(
    ctx: click.Context, name: str, mode: str | None, approve: str | None, *, preview: bool, as_json: bool
) -> None:
    """Compare everything again, as in a first sync.

    relink pairs and compares; replace also moves the Outlook items it made to Deleted Items and makes them anew.
    """
    _not_both(preview=preview, approve=approve)
    with opened() as (_, database):
        settings = bootstrap.settings_of(database, database.accounts.named(name))
    chosen = settings.resync_mode if mode is None else ResyncMode(mode)
    kind: Literal["resync", "resync_preview"] = "resync_preview" if preview else "resync"
    request = RunRequest(mode=kind, approve=approve, replace=chosen is ResyncMode.REPLACE, sweep=True)
    _carry_out(ctx, name, request, f"resync {{name}} --mode {chosen}", as_json=as_json)


def _not_both(*, preview: bool, approve: str | None) -> None:
    if preview and approve:
        raise BadInput("A preview carries nothing out.", field="--approve", remedy="Leave out --preview or --approve.")


def _carry_out(ctx: click.Context, name: str, request: RunRequest, command: str, *, as_json: bool) -> None:
    with opened() as (config, database):
        with progress_bar() as progress:
            report = bootstrap.run_once(config, database, name, request, progress)
        resting = len(reading(database, name)[1].quarantined())
        if as_json:
            print_json(report_as_json(report, with_ops=request.preview or report.state == "held"))
        else:
            print_report(report, preview=request.preview, command=command)
            if resting:
                click.echo(
                    f"{resting} record(s) rest in quarantine: orosync quarantine list --account {name}", err=True
                )
    ctx.exit(exit_code_of_run(report, in_quarantine=resting))
