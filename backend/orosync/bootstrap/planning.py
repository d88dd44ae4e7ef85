"""When an account is looked at next: by its settings, once its first sync began; every run writes it, whoever began it."""

from __future__ import annotations

from datetime import datetime

from orosync.bootstrap.parts import settings_of
from orosync.core.due import SAFETY_POLL_S, DueWork, Outcome, Pace, after_run, replanned
from orosync.core.ledger import Account
from orosync.core.records import Side
from orosync.errors import SettingError
from orosync.store.database import Database
from orosync.sync.run import Report
from orosync.sync.session import RunRequest


def pace_of(database: Database, account: Account) -> Pace:
    """Raises SettingError for a stored value that is not valid any more."""
    settings = settings_of(database, account)
    begun = database.account_store(account.id).has_begun()
    interval_s = {
        Side.OUTLOOK: float(settings.outlook_sync_interval),
        Side.ORO: float(settings.crm_sync_interval),
    }
    return Pace(interval_s, enabled=settings.enable_sync and begun and account.state != "disabled")


def plan_next(
    database: Database, account: Account, outcome: Outcome | None, began: datetime, now: datetime, chance: float
) -> DueWork:
    """When the account is looked at next. outcome: None after what says nothing about how it is doing."""
    try:
        pace = pace_of(database, account)
    except SettingError:  # somebody has to set it right; until then a look now and then
        pace = Pace(dict.fromkeys(Side, SAFETY_POLL_S))
    if outcome is not None:
        return database.due_work.change(account.id, lambda work: after_run(work, outcome, pace, began, now, chance))
    suspended = database.accounts.get(account.id).state == "suspended"
    return database.due_work.change(account.id, lambda work: replanned(work, pace, now, chance, suspended=suspended))


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
