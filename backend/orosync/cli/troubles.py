"""`orosync conflicts` and `orosync quarantine`: what waits for a person, and what fails by itself."""

from __future__ import annotations

from dataclasses import asdict

import click

from orosync.bootstrap import Database
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import opened
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.errors import BadInput

_account = click.option("--account", "name", help="Of this account; else of all.")


@click.group()
def conflicts() -> None:
    """Fields that were changed differently on both sides."""


@conflicts.command("list")
@_account
@click.option("--all", "every", is_flag=True, help="Also those that a rule or a person has settled.")
@json_option
def list_conflicts(name: str | None, *, every: bool, as_json: bool) -> None:
    """Those that wait for a choice, oldest first."""
    with opened() as (_, database):
        found = [
            (account, each)
            for account in _chosen(database, name)
            for each in database.account_store(account.id).conflicts(open_only=not every)
        ]
    if as_json:
        print_json([{"account": account.name, **asdict(each)} for account, each in found])
        return
    rows = (
        (
            c.id,
            a.name,
            c.entity.value,
            c.oro_id,
            c.field,
            _values(c.oro),
            _values(c.outlook),
            c.choice or "open",
            c.rule,
        )
        for a, c in found
    )
    columns = ("id", "account", "entity", "OroCRM id", "field", "in OroCRM", "in Outlook", "taken", "rule")
    print_table(columns, rows, empty="No conflicts.")


def _values(unit: object) -> str:
    if not isinstance(unit, dict):
        return str(unit)
    if len(unit) == 1:
        return str(next(iter(unit.values())))
    return ", ".join(str(value) for value in unit.values() if value is not None)


@conflicts.command()
@click.argument("conflict_id", metavar="ID", type=int)
@click.option("--take", type=click.Choice([side.value for side in Side]), required=True, help="Whose value is right.")
@_account
def resolve(conflict_id: int, take: str, name: str | None) -> None:
    """Choose a side's value; the next run carries it to the other side."""
    with opened() as (_, database):
        holders = [
            account
            for account in _chosen(database, name)
            if database.account_store(account.id).conflict(conflict_id) is not None
        ]
        if not holders:
            raise BadInput(f"There is no conflict {conflict_id}.", field="ID", remedy="See `orosync conflicts list`.")
        database.settle_conflict(holders[0].id, conflict_id, Side(take))
    click.echo(f"The next run takes the value of {take}: orosync sync {holders[0].name}")


@click.group()
def quarantine() -> None:
    """Records that fail by themselves."""


@quarantine.command("list")
@_account
@json_option
def list_quarantined(name: str | None, *, as_json: bool) -> None:
    """Which, why, and when they are tried again."""
    with opened() as (_, database):
        found = [
            (account, each)
            for account in _chosen(database, name)
            for each in database.account_store(account.id).quarantined()
        ]
    if as_json:
        print_json([{"account": account.name, **asdict(each)} for account, each in found])
        return
    rows = (
        (a.name, q.entity.value, q.side.value, q.id, q.attempts, f"{q.next_try:%Y-%m-%d %H:%M} UTC", q.message)
        for a, q in found
    )
    columns = ("account", "entity", "side", "id", "tries", "next try", "why")
    print_table(columns, rows, empty="Nothing is in quarantine.")


@quarantine.command()
@click.argument("name")
@click.argument("record_id", metavar="[ID]", required=False)
@click.option("--entity", type=click.Choice([e.value for e in Entity]), help="If several records have this id.")
def retry(name: str, record_id: str | None, entity: str | None) -> None:
    """Let the next run try again: one record, or all of account NAME."""
    with opened() as (_, database):
        account = database.accounts.named(name)
        if record_id is None:
            count = database.retry_quarantined(account.id)
        else:
            rows = [
                row
                for row in database.account_store(account.id).quarantined()
                if row.id == record_id and entity in {None, row.entity.value}
            ]
            if not rows:
                raise BadInput(
                    f"{record_id} is not in quarantine.", field="ID", remedy="See `orosync quarantine list`."
                )
            count = sum(database.retry_quarantined(account.id, (row.side, row.entity, row.id)) for row in rows)
    click.echo(f"{count} record(s) are tried again by the next run: orosync sync {name}")


def _chosen(database: Database, name: str | None) -> list[Account]:
    return [database.accounts.named(name)] if name else database.accounts.all()
