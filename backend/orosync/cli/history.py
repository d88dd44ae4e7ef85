"""`orosync runs` and `orosync undo`: what was done, and taking it back."""

from __future__ import annotations

from dataclasses import asdict

import click

from orosync import bootstrap
from orosync.bootstrap import AccountStore, Database
from orosync.cli.exits import FAILED
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.reports import print_counts, print_ops
from orosync.cli.surroundings import opened
from orosync.core.ledger import Account
from orosync.core.records import Entity, Json
from orosync.errors import BadInput
from orosync.sync.take_back import UndoReport


@click.group()
def runs() -> None:
    """What was done, run by run."""


@runs.command("list")
@click.option("--account", "name", help="Of this account; else of all.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
def list_(name: str | None, limit: int, *, as_json: bool) -> None:
    """The newest first."""
    with opened() as (_, database):
        chosen = [database.accounts.named(name)] if name else database.accounts.all()
        found = [
            {"account": account.name, **run}
            for account in chosen
            for run in database.account_store(account.id).runs(limit)
        ]
    found = sorted(found, key=lambda run: str(run["started_at"]), reverse=True)[:limit]
    if as_json:
        print_json(found)
        return
    rows = ((r["run"], r["account"], r["mode"], r["state"], r["started_at"], _written(r["summary"])) for r in found)
    print_table(("run", "account", "mode", "state", "started", "written"), rows, empty="No runs yet.")


def _written(summary: dict[str, object] | None) -> int:
    entities = (summary or {}).get("entities")
    if not isinstance(entities, dict):
        return int(str((summary or {}).get("taken_back") or 0))
    return sum(sum(counts[side].values()) for counts in entities.values() for side in ("outlook", "oro"))


@runs.command()
@click.argument("run")
@click.option("--account", "name", help="If several accounts have a run that begins like this.")
@json_option
def show(run: str, name: str | None, *, as_json: bool) -> None:
    """One run: counts, every op with rule and reason, and the plan that was shown or held."""
    with opened() as (_, database):
        account, store, found = find_run(database, run, name)
        entries = store.oplog(found["run"])
        plan = store.plan(found["run"])
        planned = list(store.planned_ops(found["run"]))
    if as_json:
        plan = plan and {**plan, "ops": planned}
        print_json({"account": account.name, **found, "ops": [asdict(each) for each in entries], "plan": plan})
        return
    click.echo(f"Run {found['run']} of {account.name}: {found['mode']}, {found['state']}, {found['started_at']}")
    summary = found["summary"] or {}
    if "entities" in summary:
        print_counts({Entity(entity): counts for entity, counts in summary["entities"].items()})
    for problem in summary.get("problems", ()):
        click.echo(f"Problem: {problem}")
    if entries:
        click.echo("")
        rows = (
            (e.verb, e.entity.value, e.side.value, e.oro_id, e.rule, e.reason, "taken back" if e.undone_by else "")
            for e in entries
        )
        print_table(("op", "entity", "side", "OroCRM id", "rule", "because", ""), rows)
    if plan:
        print_ops(planned)


@click.command()
@click.argument("run")
@click.option("--account", "name", help="If several accounts have a run that begins like this.")
@click.option("--preview", is_flag=True, help="Show what would be taken back; write nothing.")
@json_option
@click.pass_context
def undo(ctx: click.Context, run: str, name: str | None, *, preview: bool, as_json: bool) -> None:
    """Take a run back: what it made, changed and deleted, where nobody has touched it since."""
    with opened() as (config, database):
        account, _, found = find_run(database, run, name)
        report = bootstrap.undo_once(config, database, account.name, found["run"], preview=preview)
    if as_json:
        print_json(_as_json(report, account))
    else:
        _print(report, preview=preview)
    if report.failed:
        ctx.exit(FAILED)


def find_run(database: Database, run: str, name: str | None) -> tuple[Account, AccountStore, Json]:
    """A run by its id or the beginning of it, with its account. Raises BadInput for none, or for several."""
    chosen = [database.accounts.named(name)] if name else database.accounts.all()
    found = []
    for account in chosen:
        store = database.account_store(account.id)
        exact = store.run(run)
        rows = (
            [exact] if exact else [each for each in store.runs(1000) if len(run) >= 4 and each["run"].startswith(run)]
        )
        found += [(account, store, row) for row in rows]
    if not found:
        raise BadInput(f"There is no run {run}.", field="run", remedy="See `orosync runs list`.")
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} runs begin with {run}.", field="run", remedy="Give the whole id, and --account if needed."
        )
    return found[0]


def _as_json(report: UndoReport, account: Account) -> dict[str, object]:
    return {
        "run": report.run,
        "account": account.name,
        "undo_of": report.of_run,
        "taken_back": [step.op.to_json() for step in report.steps if step.op and step.entry.op_id not in report.failed],
        "left": [
            {
                "op": entry.op_id,
                "entity": entry.entity,
                "oro_id": entry.oro_id,
                "outlook_id": entry.outlook_id,
                "why": why,
            }
            for entry, why in report.left
        ],
    }


def _print(report: UndoReport, *, preview: bool) -> None:
    rows = [
        (step.op.verb.value, step.op.entity.value, step.op.side.value, step.op.oro_id, step.op.reason)
        for step in report.steps
        if step.op is not None and step.entry.op_id not in report.failed
    ]
    print_table(("op", "entity", "side", "OroCRM id", "because"), rows, empty="Nothing can be taken back.")
    if report.left:
        click.echo("\nLeft alone:")
        print_table(
            ("entity", "side", "OroCRM id", "why"),
            ((entry.entity.value, entry.side.value, entry.oro_id, why) for entry, why in report.left),
        )
    what = "would be taken back" if preview else "taken back"
    click.echo(f"\n{len(rows)} op(s) {what}, {len(report.left)} left alone.")
