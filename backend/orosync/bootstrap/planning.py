"""When an account is looked at next: by its settings, once its first sync began. Every run writes it, whoever asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orosync.bootstrap.oro_push import oro_calls
from orosync.bootstrap.parts import in_force
from orosync.core.due import SAFETY_POLL_S, DueWork, Outcome, Pace, after_run, looked_at_soon, replanned
from orosync.core.ledger import Account
from orosync.core.push import calls_by_itself
from orosync.core.records import Entity, Side
from orosync.core.settings import Settings
from orosync.errors import SettingError
from orosync.store.database import Database
from orosync.store.settings import SYSTEM, Level
from orosync.store.standing import Standing
from orosync.sync.run import Report
from orosync.sync.session import RunRequest

SPREAD_OVER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Known:
    """What a run is begun on. at: no later than any of it was read. subscribed, intends: as in `Standing`."""

    account: Account
    settings: Settings
    pace: Pace
    subscribed: bool
    intends: bool
    at: datetime


def known_of(database: Database, account: Account, at: datetime) -> Known:
    """account: as it was read under the lease. Raises SettingError for a stored value that is not valid any more."""
    standing = database.account_store(account.id).standing()
    settings = in_force(standing.levels)
    pace = _pace(database, account, settings, standing)
    return Known(account, settings, pace, standing.subscribed, standing.intends, at)


def pace_of(database: Database, account: Account) -> Pace:
    """Raises SettingError for a stored value that is not valid any more."""
    standing = database.account_store(account.id).standing()
    return _pace(database, account, in_force(standing.levels), standing)


def _pace(database: Database, account: Account, settings: Settings, standing: Standing) -> Pace:
    """Those who may call are only looked up where there are any."""
    interval_s = {Side.OUTLOOK: float(settings.outlook_sync_interval), Side.ORO: float(settings.crm_sync_interval)}
    if standing.subscribed:
        interval_s[Side.OUTLOOK] = _unless_called(database, account, settings, interval_s[Side.OUTLOOK])
    if standing.hooked:
        interval_s[Side.ORO] = _unless_oro_calls(database, account, settings, interval_s[Side.ORO])
    return Pace(interval_s, enabled=settings.enable_sync and standing.begun and account.state != "disabled")


def _unless_called(database: Database, account: Account, settings: Settings, interval_s: float) -> float:
    """A mailbox that says by itself when something changes is asked now and then, whether it said everything."""
    wanted = [entity for entity in Entity if settings.wants(entity)]
    promised = database.subscriptions.of_account(account.id, Side.OUTLOOK)
    return (
        max(interval_s, SAFETY_POLL_S)
        if calls_by_itself(promised, wanted, database.subscriptions.now())
        else interval_s
    )


def _unless_oro_calls(database: Database, account: Account, settings: Settings, interval_s: float) -> float:
    """The same for OroCRM, where it has lately been heard to call."""
    wanted = [entity for entity in Entity if settings.wants(entity)]
    return max(interval_s, SAFETY_POLL_S) if oro_calls(database, account, wanted) else interval_s


def _pace_or_rarely(database: Database, account: Account) -> Pace:
    """Where a setting is not valid any more somebody has to set it right; until then a look now and then."""
    try:
        return pace_of(database, account)
    except SettingError:
        return Pace(dict.fromkeys(Side, SAFETY_POLL_S))


def plan_next(
    database: Database,
    account: Account,
    outcome: Outcome | None,
    began: datetime,
    now: datetime,
    chance: float,
    *,
    pace: Pace | None = None,
) -> DueWork:
    """When the account is looked at next. outcome: None after what says nothing about how it is doing. pace: that of a
    look that began a moment ago; whoever changed a setting since then calls the account as well."""
    ours = pace or _pace_or_rarely(database, account)
    if outcome is not None:
        return database.due_work.plan(account.id, lambda work: after_run(work, outcome, ours, began, now, chance))
    suspended = database.accounts.get(account.id).state == "suspended"
    return database.due_work.plan(account.id, lambda work: replanned(work, ours, now, chance, suspended=suspended))


def look_soon(database: Database, account_id: int, now: datetime) -> DueWork:
    """The account's settings or sign-in are others now: it is looked at within seconds, if it is kept in step by
    itself."""
    account = database.accounts.get(account_id)
    pace = _pace_or_rarely(database, account)
    if not pace.enabled and database.subscriptions.of_account(account.id, Side.OUTLOOK):
        return database.due_work.change(account.id, lambda work: replace(work, due_at=now))  # once more, to end them
    return database.due_work.change(account.id, lambda work: looked_at_soon(work, pace, now))


def settings_changed(database: Database, level: Level, now: datetime) -> None:
    """Whoever they are for is looked at soon; many are spread, so that they do not all come at once."""
    if level.account_id is not None:
        look_soon(database, level.account_id, now)
    else:
        database.due_work.hurry(None if level == SYSTEM else level.scope, SPREAD_OVER)


def outcome_of(report: Report, request: RunRequest) -> Outcome:
    return Outcome(
        state=report.state,
        sides=request.sides,
        reason=report.problems[0] if report.problems else "",
        throttled=report.throttled,
        retry_after_s=report.retry_after_s,
        sign_in_needed=report.sign_in_needed,
        unfinished=report.unfinished,
    )
