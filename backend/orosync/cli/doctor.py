"""`orosync doctor`: whether configuration, database, keys and accounts are well. Touches no other system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from orosync import __version__, bootstrap
from orosync.bootstrap import Database
from orosync.cli.exits import FAILED
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import configuration
from orosync.config import Config
from orosync.core.schedule import needs_attention
from orosync.errors import OrosyncError

_OLD = timedelta(days=1)
Finding = tuple[str, str, str]  # "ok", "note" or "WRONG"; what; in words


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Whether configuration, database, keys and accounts are well. Asks no other system; see `accounts check`."""
    findings = list(_findings())
    if as_json:
        print_json([dict(zip(("state", "what", "message"), each, strict=True)) for each in findings])
    else:
        print_table(("", "what", "found"), findings)
    if any(state == "WRONG" for state, _, _ in findings):
        ctx.exit(FAILED)


def _findings() -> Iterator[Finding]:
    yield "ok", "version", f"orosync {__version__}"
    try:
        config = configuration()
    except OrosyncError as error:
        yield "WRONG", "configuration", str(error)
        return
    yield "ok", "configuration", f"data folder {config.data_dir}, Graph at {config.graph_url}"
    yield from _registration(config)
    try:
        database = bootstrap.open_database(config)
    except OrosyncError as error:
        yield "WRONG", "database", str(error)
        return
    try:
        yield "ok", "database", f"{database.engine.dialect.name}, schema up to date"
        yield from _accounts(database)
    finally:
        database.close()


def _registration(config: Config) -> Iterator[Finding]:
    if not config.client_id:
        yield "note", "sign-in", "No app registration (OROSYNC_TENANT_ID, OROSYNC_CLIENT_ID): only --graph-auth token."
    elif not config.client_secret and config.client_certificate is None:
        yield "note", "sign-in", "Neither client secret nor certificate: accounts with --graph-auth app cannot sign in."
    else:
        yield "ok", "sign-in", "App registration with a credential."


def _accounts(database: Database) -> Iterator[Finding]:
    now = datetime.now(UTC)
    found = database.accounts.all()
    if not found:
        yield "note", "accounts", "None yet: orosync accounts add --help"
    for account in found:
        store = database.account_store(account.id)
        what = f"account {account.name}"
        try:
            names = database.secrets(account.id).names()
            for name in names:
                database.secrets(account.id).get(name)
        except OrosyncError as error:
            yield "WRONG", what, str(error)
            continue
        if not names:
            yield "WRONG", what, f"No secrets are stored. Run `orosync accounts sign-in {account.name}`."
        elif account.state != "active":
            yield ("note" if account.state == "disabled" else "WRONG"), what, f"{account.state}: {account.state_reason}"
        else:
            yield "ok", what, "active"
        if old := [row for row in store.quarantined() if needs_attention(row.first_at, now)]:
            yield "WRONG", what, f"{len(old)} record(s) have been in quarantine for a week: orosync quarantine list"
        if asked := [row for row in store.conflicts() if now - row.at > _OLD]:
            yield "note", what, f"{len(asked)} conflict(s) wait for a choice: orosync conflicts list"
