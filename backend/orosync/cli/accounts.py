"""`orosync accounts`: connect a mailbox with an OroCRM user, check the connection, switch it on and off.

Secrets come from the environment or a hidden prompt, never from an argument, where other users of the machine and the
shell's history would see them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from orosync import bootstrap
from orosync.bootstrap import Connection, Database
from orosync.cli.exits import FAILED, SIGN_IN
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import opened, reading
from orosync.config import Config, check_oro_url, graph_token, oro_client_secret, oro_secret
from orosync.core.account_state import AccountState, account_state, told
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_PROMPTS = {
    "wsse": "API key of {user}",
    "client-credentials": "Client secret of {user}",
    "password": "Password of {user}",
}


@click.group()
def accounts() -> None:
    """Connect mailboxes with OroCRM users, and look after them."""


@accounts.command()
@click.argument("name")
@click.option("--mailbox", required=True, metavar="UPN", help="The mailbox, as anna@example.com.")
@click.option("--orocrm-url", required=True, metavar="URL", help="Address of the back office, with its path prefix.")
@click.option("--orocrm-user", required=True, help="User name in OroCRM; for client-credentials the client id.")
@click.option("--orocrm-auth", type=click.Choice(bootstrap.TYPED_ORO_AUTHS), default="wsse", show_default=True)
@click.option("--orocrm-client", default="", metavar="ID", help="OAuth client id, for --orocrm-auth password.")
@click.option("--graph-auth", type=click.Choice(bootstrap.GRAPH_AUTHS), default="app", show_default=True)
@click.option("--organisation", default="default", show_default=True, help="Whose settings stand above the user's.")
@click.option("--trust-certificate", default="", metavar="SHA256", help="Fingerprint of a self-signed certificate.")
def add(name: str, orocrm_client: str, **given: str) -> None:
    """Connect a mailbox with an OroCRM user. Nothing is sent yet; `accounts check NAME` tries the connection.

    Secrets come from OROSYNC_ORO_SECRET and OROSYNC_GRAPH_TOKEN (an access token for --graph-auth token, a refresh
    token for user), or are asked for.
    """
    with opened() as (config, database):
        account = _account(config, name, given)
        if account.oro_auth == "password" and not orocrm_client:
            raise BadInput(
                "--orocrm-auth password needs an OAuth application.",
                field="orocrm_client",
                remedy="Give its id with --orocrm-client.",
            )
        if any(each.name == name for each in database.accounts.all()):
            database.accounts.add(account)  # raises, before anybody is asked for a secret
        connection = _asked_for(account, orocrm_client)
        with database.transaction():
            made = database.accounts.get(database.accounts.add(account))
        bootstrap.save_connection(database, made, connection)
    click.echo(f"Account {name} is there. Try it: orosync accounts check {name}")


def _account(config: Config, name: str, given: dict[str, str]) -> Account:
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is no name for an account.", field="name", remedy="Use letters, digits and . _ @ -, 100 at most."
        )
    if not _ADDRESS.fullmatch(given["mailbox"]):
        raise BadInput(f"{given['mailbox']!r} is no mailbox.", field="mailbox", remedy="Write it as anna@example.com.")
    if not given["orocrm_user"].strip():
        raise BadInput("orocrm_user is empty.", field="orocrm_user", remedy="Give the user name in OroCRM.")
    return Account(
        name=name,
        mailbox=given["mailbox"],
        orocrm_url=check_oro_url(given["orocrm_url"], "orocrm_url", config),
        orocrm_user=given["orocrm_user"],
        oro_auth=given["orocrm_auth"],
        graph_auth=given["graph_auth"],
        certificate=_fingerprint(config, given["trust_certificate"]),
        organisation=given["organisation"],
        state_since=datetime.now(UTC),
    )


def _fingerprint(config: Config, text: str) -> str | None:
    if not text:
        return None
    digits = text.replace(":", "").replace(" ", "").lower()
    if not _FINGERPRINT.fullmatch(digits):
        raise BadInput(
            "trust_certificate is no SHA-256 fingerprint.", field="trust_certificate", remedy="Give 64 hex digits."
        )
    if not config.allow_self_signed:
        raise BadInput(
            "Self-signed certificates are not allowed here.",
            field="trust_certificate",
            remedy="An administrator allows them with OROSYNC_ALLOW_SELF_SIGNED=yes.",
        )
    return digits


def _asked_for(account: Account, client: str = "") -> Connection:
    """Secrets from the environment, else from a hidden prompt. Raises BadInput where nobody can be asked."""
    _must_be_typed(account)
    oro = oro_secret() or _prompt(_PROMPTS[account.oro_auth].format(user=account.orocrm_user), "OROSYNC_ORO_SECRET")
    graph = ""
    if account.graph_auth != "app":
        kind = "Access token" if account.graph_auth == "token" else "Refresh token"
        graph = graph_token() or _prompt(f"{kind} of {account.mailbox} for Microsoft Graph", "OROSYNC_GRAPH_TOKEN")
    return Connection(oro=oro, oro_client=client, oro_client_secret=oro_client_secret() or "", graph=graph)


def _must_be_typed(account: Account) -> None:
    if account.oro_auth not in bootstrap.TYPED_ORO_AUTHS:
        raise BadInput(
            f"Account {account.name} signs in on a page of OroCRM.",
            field="orocrm_auth",
            remedy="Its user connects OroCRM again in the pane.",
        )


def _prompt(what: str, variable: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput(f"{what} is missing.", field=variable, remedy=f"Set {variable}.")
    return str(click.prompt(what, hide_input=True, err=True))


@accounts.command("sign-in")
@click.argument("name")
def sign_in(name: str) -> None:
    """Enter an account's secrets again: a new API key, password or token. From the environment, or asked for."""
    with opened() as (_, database):
        account = database.accounts.named(name)
        given = Connection(
            oro=oro_secret() or "", oro_client_secret=oro_client_secret() or "", graph=graph_token() or ""
        )
        if given.oro:
            _must_be_typed(account)
        if not given.oro and not given.graph:
            given = _asked_for(account)
        bootstrap.save_connection(database, account, given)
        bootstrap.look_soon(database, account.id, database.clock.now())
    click.echo(f"Saved. Try it: orosync accounts check {name}")


@accounts.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """All accounts with their states."""
    with opened() as (_, database):
        found = database.accounts.all()
        states = _states(database, found)
        if as_json:
            print_json([_as_json(each, states[each.id]) for each in found])
            return
        print_table(
            ("name", "state", "mailbox", "orocrm", "user", "last run"),
            (
                (e.name, states[e.id].name, e.mailbox, e.orocrm_url, e.orocrm_user, _last_run(database, e))
                for e in found
            ),
            empty="No accounts yet: orosync accounts add --help",
        )


def _last_run(database: Database, account: Account) -> str:
    newest = database.account_store(account.id).runs(1)
    return f"{newest[0]['state']} {newest[0]['started_at']}" if newest else "never"


def _states(database: Database, found: Sequence[Account]) -> dict[int, AccountState]:
    """How they are doing; one that was removed meanwhile is not doing at all."""
    now = database.clock.now()
    facts = database.account_states.of(each.id for each in found)
    gone = AccountState("disabled", "It was removed just now.")
    return {each.id: account_state(facts[each.id], now) if each.id in facts else gone for each in found}


def _as_json(account: Account, state: AccountState) -> dict[str, Any]:
    """Without the facts that fill pages: places of OroCRM."""
    whole = asdict(account)
    whole.update({"state" if name == "state" else f"state_{name}": value for name, value in state.to_json().items()})
    facts = whole.pop("facts")
    whole["facts"] = {
        side: {name: value for name, value in known.items() if name not in {"countries", "regions"}}
        for side, known in facts.items()
    }
    return whole


@accounts.command()
@click.argument("name")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """One account: how it is connected, what is linked, what waits."""
    with opened() as (_, database):
        account, store = reading(database, name)
        linked = {entity.value: store.count_links(entity) for entity in Entity}
        alone = {entity.value: {side.value: store.count_unlinked(side, entity) for side in Side} for entity in Entity}
        waiting = {
            "journal": store.pending_count(),
            "conflicts": len(store.conflicts()),
            "quarantined": len(store.quarantined()),
        }
        state = _states(database, [account])[account.id]
        read = database.due_work.get(account.id).read_at
        if as_json:
            read_at = {side.value: told(read.get(side)) for side in Side}
            print_json(
                {**_as_json(account, state), "read_at": read_at, "linked": linked, "alone": alone, "waiting": waiting}
            )
            return
        rows: list[tuple[str, object]] = [
            ("name", account.name),
            ("state", " ".join(filter(None, (state.name, state.reason, state.remedy)))),
            *((what, at) for what, at in (("since", told(state.since)), ("until", told(state.until))) if at),
            *((f"{side.value} last read", told(read.get(side)) or "never") for side in Side),
            ("mailbox", f"{account.mailbox} (signs in as {account.graph_auth})"),
            ("orocrm", f"{account.orocrm_url} as {account.orocrm_user} ({account.oro_auth})"),
            *((f"linked {name}s", count) for name, count in linked.items()),
            *(
                (f"{name}s in one place only", f"Outlook {at['outlook']}, OroCRM {at['oro']}")
                for name, at in alone.items()
            ),
            *waiting.items(),
        ]
        print_table(("what", "value"), rows)


@accounts.command()
@click.argument("name")
@json_option
@click.pass_context
def check(ctx: click.Context, name: str, *, as_json: bool) -> None:
    """Try both sides, and say exactly what is wrong. Only reads."""
    with opened() as (config, database):
        account = database.accounts.named(name)
        findings = bootstrap.check_account(config, database, account)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        rows = [("ok" if f.ok else "WRONG", f.side.value, f.what, f"{f.message} {f.remedy}".strip()) for f in findings]
        print_table(("", "side", "what", "found"), rows)
    if not all(each.ok for each in findings):
        ctx.exit(SIGN_IN if any(each.sign_in for each in findings) else FAILED)


@accounts.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let runs work on it again."""
    with opened() as (_, database):
        account, now = database.accounts.named(name), database.clock.now()
        database.accounts.enable(account.id, now)
        bootstrap.look_soon(database, account.id, now)
    click.echo(f"Account {name} is enabled.")


@accounts.command()
@click.argument("name")
@click.option("--reason", default="switched off on the command line", show_default=True)
def disable(name: str, reason: str) -> None:
    """Leave it alone until it is enabled. What is linked is remembered."""
    with opened() as (config, database):
        account = database.accounts.named(name)
        database.accounts.disable(account.id, reason, database.clock.now())
        bootstrap.end_graph_push(config, database, account)
    click.echo(f"Account {name} is disabled.")


@accounts.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, *, yes: bool) -> None:
    """Forget an account with its links, history and secrets. Records stay as they are on both sides."""
    with opened() as (config, database):
        account = database.accounts.named(name)
        if not yes:
            if not sys.stdin.isatty():
                raise BadInput("Nobody can be asked whether this is meant.", field="--yes", remedy="Give --yes.")
            click.confirm(f"Forget account {name}, what is linked, and its history?", abort=True, err=True)
        bootstrap.end_graph_push(config, database, account)
        bootstrap.leave_oro_push(config, database, account)
        database.accounts.remove(account.id)
    click.echo(f"Account {name} is removed.")
