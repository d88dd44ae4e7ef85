"""How accounts are doing, gathered from all the tables that know something of it: one account, many, or all counted.

Only gathers: which word the signs make is decided in `core/account_state.py`. Counting leaves the grouping to the
database, so that thousands of accounts are a handful of rows here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.account_state import AccountFacts, Signs
from orosync.store import tables
from orosync.store.due_work import as_work
from orosync.store.engine import UtcTime
from orosync.store.transactions import Transactions, chunks

_ACCOUNT, _WORK, _LEASE, _MAILBOX = tables.accounts.c, tables.due_work.c, tables.leases.c, tables.mailboxes.c
_RUN, _SETTING = tables.runs.c, tables.settings.c
_NOW = sa.bindparam("now", type_=UtcTime)


def _exists(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(table.c.account_id == _ACCOUNT.id, *conditions).correlate(tables.accounts)


# As in `AccountStanding.standing`.
_BEGUN = sa.or_(_exists(tables.cursors, tables.cursors.c.first_done), _exists(tables.links))
_OFF = (
    sa.exists()
    .where(
        _SETTING.level == "user",
        _SETTING.scope == sa.cast(_ACCOUNT.id, sa.Text),
        _SETTING.key == "enable_sync",
        sa.type_coerce(_SETTING.value, sa.Text) == "false",
    )
    .correlate(tables.accounts)
)
_RUNNING = _exists(tables.leases, _LEASE.owner.is_not(None), _LEASE.expires > _NOW)
_PAUSED = (
    sa.exists()
    .where(_MAILBOX.mailbox == sa.func.lower(_ACCOUNT.mailbox), _MAILBOX.paused_until > _NOW)
    .correlate(tables.accounts)
)
# The newest that is over; a later one that was not held has dealt with the plan.
_LAST_RUN = (
    sa.select(_RUN.id)
    .where(
        _RUN.account_id == _ACCOUNT.id,
        _RUN.mode.in_(("sync", "resync")),
        _RUN.state.not_in(("waiting", "running")),
    )
    .order_by(_RUN.id.desc())
    .limit(1)
    .correlate(tables.accounts)
    .scalar_subquery()
)
_LAST = tables.runs.alias("last")
_HELD = sa.func.coalesce(_LAST.c.state == "held", sa.false())
_RUNNING_SINCE = (
    sa.select(sa.func.max(_RUN.started_at))
    .where(_RUN.account_id == _ACCOUNT.id, _RUN.state == "running")
    .correlate(tables.accounts)
    .scalar_subquery()
)
_SIGNS = (
    _ACCOUNT.state.label("account"),
    _BEGUN.label("begun"),
    sa.not_(_OFF).label("enabled"),
    _RUNNING.label("running"),
    _HELD.label("held"),
    _PAUSED.label("paused"),
    sa.func.coalesce(_WORK.trouble, "").label("trouble"),
)
_FROM = tables.accounts.outerjoin(tables.due_work, _WORK.account_id == _ACCOUNT.id).outerjoin(
    _LAST, _LAST.c.id == _LAST_RUN
)
_IDS = sa.select(_ACCOUNT.id).order_by(_ACCOUNT.name)
_ONE_BY_ONE = sa.select(_ACCOUNT.id, *_SIGNS).select_from(_FROM).order_by(_ACCOUNT.name)
_EACH = sa.select(*_SIGNS).select_from(_FROM).subquery()
_COUNTED = sa.select(*_EACH.c, sa.func.count().label("accounts")).group_by(*_EACH.c)
_FACTS = (
    sa.select(
        _ACCOUNT.id,
        *_SIGNS,
        _ACCOUNT.state_reason,
        _ACCOUNT.state_since,
        _LAST.c.finished_at.label("held_since"),
        sa.case((_RUNNING, _RUNNING_SINCE)).label("running_since"),
        _MAILBOX.paused_until,
        *(column for column in _WORK if column.name != "trouble"),
    )
    .select_from(_FROM.outerjoin(tables.mailboxes, _MAILBOX.mailbox == sa.func.lower(_ACCOUNT.mailbox)))
    .where(_ACCOUNT.id.in_(sa.bindparam("ids", expanding=True)))
)


class AccountStates:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def of(self, account_ids: Iterable[int]) -> dict[int, AccountFacts]:
        """By account; those that do not exist are left out."""
        found: dict[int, AccountFacts] = {}
        with self._transactions.reading() as connection:
            for some in chunks(account_ids):
                for row in connection.execute(_FACTS, {"ids": some, "now": self._now()}):
                    found[row.id] = _to_facts(row)
        return found

    def ids(self, organisation: str | None = None) -> list[int]:
        """Of all accounts, or an organisation's, by name."""
        chosen = _IDS if organisation is None else _IDS.where(_ACCOUNT.organisation == organisation)
        with self._transactions.reading() as connection:
            return list(connection.execute(chosen).scalars())

    def signs(self, organisation: str | None = None) -> list[tuple[int, Signs]]:
        """As `ids`, with their signs."""
        chosen = _ONE_BY_ONE if organisation is None else _ONE_BY_ONE.where(_ACCOUNT.organisation == organisation)
        with self._transactions.reading() as connection:
            return [(row.id, _to_signs(row)) for row in connection.execute(chosen, {"now": self._now()})]

    def counted(self) -> dict[Signs, int]:
        """How many accounts have the same signs."""
        with self._transactions.reading() as connection:
            return {_to_signs(row): row.accounts for row in connection.execute(_COUNTED, {"now": self._now()})}


def _to_signs(row: Any) -> Signs:
    """SQLite has numbers for yes and no."""
    return Signs(
        account=row.account,
        begun=bool(row.begun),
        enabled=bool(row.enabled),
        running=bool(row.running),
        held=bool(row.held),
        paused=bool(row.paused),
        trouble=row.trouble,
    )


def _to_facts(row: Any) -> AccountFacts:
    return AccountFacts(
        signs=_to_signs(row),
        work=as_work(row, row.id),
        account_reason=row.state_reason,
        account_since=row.state_since,
        running_since=row.running_since,
        held_since=row.held_since if row.held else None,
        paused_until=row.paused_until if row.paused else None,
    )
