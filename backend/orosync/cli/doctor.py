"""`orosync doctor`: whether this installation is well: configuration, database, keys, clocks, broker, workers, what
expires, accounts. Touches neither mailboxes nor OroCRM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from orosync import __version__, bootstrap
from orosync.bootstrap import Database
from orosync.bootstrap.certificates import client_certificate_expires
from orosync.bootstrap.readiness import LOST_AFTER, broker_trouble, of_itself, signs_missing
from orosync.cli.exits import FAILED
from orosync.cli.printing import json_option, print_json, print_table
from orosync.cli.surroundings import configuration
from orosync.config import Config
from orosync.core.account_state import STATES, account_state, state_name
from orosync.core.records import Side
from orosync.core.schedule import needs_attention
from orosync.errors import OrosyncError

_OLD = timedelta(days=1)
_CLOCKS_APART_S = 60.0  # Entra ID refuses what is five minutes off
_LATE = timedelta(minutes=5)
_SOON_FOR_PEOPLE, _SOON_FOR_PROGRAMS = timedelta(days=30), timedelta(hours=1)
_SHOWN = 5
_EACH = 50  # of more accounts only those are named that need somebody
_GRAVITY: dict[str, str] = {"suspended": "WRONG", "failing": "WRONG"} | dict.fromkeys(
    ("not_started", "off", "held", "throttled", "disabled"), "note"
)
Finding = tuple[str, str, str]  # "ok", "note" or "WRONG"; what; in words


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Whether configuration, database, keys, workers and accounts are well. Asks neither Microsoft 365 nor OroCRM; see
    `accounts check`."""
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
        yield from _installation(config, database)
        yield from _states(database)
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


def _installation(config: Config, database: Database) -> Iterator[Finding]:
    """What everybody's accounts depend on."""
    now = database.clock.now()
    for lack in of_itself(database):
        yield "WRONG", lack.part, lack.message
    yield from _clock(database)
    if config.broker_url:
        yield _broker(config)
    yield from _background(database, now)
    yield from _expiries(config, database, now)


def _clock(database: Database) -> Iterator[Finding]:
    """Processes go by the database's clock; sign-ins, certificates and logs still go by this machine's."""
    before = datetime.now(UTC)
    theirs = database.overview.clock()
    if theirs is None:
        return
    middle = before + (datetime.now(UTC) - before) / 2
    apart_s = abs((theirs - middle).total_seconds())
    state = "WRONG" if apart_s > _CLOCKS_APART_S else "ok"
    yield state, "clock", f"{apart_s:.1f} s apart from the database's" + (": run NTP on both" if state != "ok" else "")


def _broker(config: Config) -> Finding:
    trouble = broker_trouble(config)
    return ("WRONG", "broker", trouble) if trouble else ("ok", "broker", "It answers.")


def _background(database: Database, now: datetime) -> Iterator[Finding]:
    """Without workers there is the command line alone, which may be meant so."""
    for lack in signs_missing(database):
        yield "note", lack.part, f"{lack.message} Nothing runs by itself."
    workers = [each for each in database.workers.all() if not each.dispatches]
    stale = [each for each in workers if now - each.seen_at > LOST_AFTER]
    if stale:
        names = ", ".join(each.name for each in stale[:_SHOWN])
        yield "WRONG", "workers", f"{len(stale)} gave no sign of life for {LOST_AFTER.seconds} s: {names}"
    if alive := len(workers) - len(stale):
        yield "ok", "workers", f"{alive} alive, {sum(each.slots for each in workers)} account(s) at once"
    lag = database.due_work.lag()
    if lag.oldest is not None:
        late = now - lag.oldest
        state = "WRONG" if late > _LATE else "ok"
        yield state, "due work", f"{lag.waiting} account(s) wait, the first since {late.total_seconds():.0f} s"


def _expiries(config: Config, database: Database, now: datetime) -> Iterator[Finding]:
    if config.client_certificate is not None:
        ends = client_certificate_expires(config)
        if ends is None:
            yield "WRONG", "client certificate", "It cannot be read."
        else:
            state = "WRONG" if ends <= now else "note" if ends - now < _SOON_FOR_PEOPLE else "ok"
            yield state, "client certificate", f"good until {ends:%Y-%m-%d}"
    if health := database.overview.subscriptions():
        for side in Side:
            counts = {each: count for (of, each), count in health.items() if of is side}
            if counts:
                ill = counts.get("expired", 0)
                words = ", ".join(f"{count} {each}" for each, count in sorted(counts.items()))
                yield ("note" if ill else "ok"), f"subscriptions of {side.value}", words
    first = database.overview.earliest_expiry()
    if first is not None and now < first < now + _SOON_FOR_PROGRAMS:
        minutes = (first - now).total_seconds() / 60
        yield "note", "subscriptions", f"one ends in {minutes:.0f} min; a running service has renewed it long before"


def _states(database: Database) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for signs, count in database.account_states.counted().items():
        counts[state_name(signs)] += count
    if counts:
        yield "ok", "accounts", ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name])


def _accounts(database: Database) -> Iterator[Finding]:
    now = database.clock.now()
    found = database.accounts.all()
    facts = database.account_states.of(each.id for each in found)
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
        elif account.id in facts:
            state = account_state(facts[account.id], now)
            words = f"{state.name}: {state.reason}" if state.reason else state.name
            gravity = _GRAVITY.get(state.name, "ok")
            if gravity != "ok" or len(found) <= _EACH:
                yield gravity, what, words
        if old := [row for row in store.quarantined() if needs_attention(row.first_at, now)]:
            yield "WRONG", what, f"{len(old)} record(s) have been in quarantine for a week: orosync quarantine list"
        if asked := [row for row in store.conflicts() if now - row.at > _OLD]:
            yield "note", what, f"{len(asked)} conflict(s) wait for a choice: orosync conflicts list"
