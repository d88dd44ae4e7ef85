"""Due work: one row for each account says when it is looked at next; claimed by one dispatcher at a time.

Written without the account's lease: a call from outside must never wait for a run. Who works on the account is decided
by the lease alone, so a claim that is lost, doubled or late does no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.core.due import DEBOUNCE, DueWork, asked_for, called, perhaps_called
from orosync.core.records import Side
from orosync.store import tables
from orosync.store.engine import UtcTime
from orosync.store.transactions import Transactions, chunks

CLAIM = timedelta(seconds=30)  # for a worker to begin; then it is handed out again
OVERDUE = timedelta(minutes=1)  # then an account is as urgent as one that was called

_ROW = tables.due_work.c
_LEASE = tables.leases.c
_READ_AT = {Side.OUTLOOK: "outlook_read_at", Side.ORO: "oro_read_at"}
_CALLED_AT = {Side.OUTLOOK: "outlook_called_at", Side.ORO: "oro_called_at"}

_NOW = sa.bindparam("now", type_=UtcTime)
_LEASED = sa.exists().where(_LEASE.account_id == _ROW.account_id, _LEASE.owner.is_not(None), _LEASE.expires > _NOW)
_FREE = sa.and_(_ROW.due_at <= _NOW, sa.or_(_ROW.claimed_until.is_(None), _ROW.claimed_until <= _NOW), sa.not_(_LEASED))
_ONE = sa.select(tables.due_work).where(_ROW.account_id == sa.bindparam("account_id"))
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_THERE = sa.select(tables.accounts.c.id, tables.accounts.c.state).where(tables.accounts.c.id.in_(_IDS))
_SOME = sa.select(tables.due_work).where(_ROW.account_id.in_(_IDS)).order_by(_ROW.account_id).with_for_update()
_FIRST = sa.case((sa.or_(_ROW.urgent, _ROW.due_at <= sa.bindparam("long_ago", type_=UtcTime)), 0), else_=1)
_ORDER = (_FIRST, _ROW.due_at, _ROW.account_id)
_PLACE = sa.func.row_number().over(partition_by=tables.accounts.c.orocrm_url, order_by=_ORDER).label("place")
_RANKED = (
    sa.select(_ROW.account_id, _ROW.urgent, _ROW.due_at, tables.accounts.c.orocrm_url, _FIRST.label("first"), _PLACE)
    .join(tables.accounts, tables.accounts.c.id == _ROW.account_id)
    .where(_FREE, tables.accounts.c.state != "disabled")
    .subquery()
)
_CANDIDATES = (
    sa.select(_RANKED.c.account_id, _RANKED.c.orocrm_url, _RANKED.c.urgent)
    .where(_RANKED.c.place <= sa.bindparam("most"))
    .order_by(_RANKED.c.first, _RANKED.c.due_at, _RANKED.c.account_id)
    .limit(sa.bindparam("rows"))
)
_IN_HAND = sa.union(  # handed out, or worked on: each half by an index of its own
    sa.select(_ROW.account_id).where(_ROW.claimed_until > _NOW),
    sa.select(_LEASE.account_id).where(_LEASE.owner.is_not(None), _LEASE.expires > _NOW),
).subquery()
# counted here, since SQLite would walk through all accounts to group them
_BUSY = sa.select(tables.accounts.c.orocrm_url).join(_IN_HAND, _IN_HAND.c.account_id == tables.accounts.c.id)
_STILL_FREE = (
    sa.select(_ROW.account_id)
    .where(_ROW.account_id.in_(sa.bindparam("ids", expanding=True)), _FREE)
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    sa.update(tables.due_work)
    .where(_ROW.account_id.in_(_STILL_FREE))
    .values(claimed_until=sa.bindparam("until", type_=UtcTime))
    .returning(_ROW.account_id)
)
_HAND_OUT = (
    sa.update(tables.due_work)
    .where(_ROW.account_id == sa.bindparam("account_id_"))
    .values(claimed_until=sa.bindparam("until", type_=UtcTime))
)
_UNCLAIM = (
    sa.update(tables.due_work)
    .where(_ROW.account_id.in_(sa.bindparam("ids", expanding=True)))
    .values(claimed_until=None)
)
_BEGIN = (
    sa.update(tables.due_work)
    .where(_ROW.account_id == sa.bindparam("account_id_"))
    .values(claimed_until=None)
    .returning(*tables.due_work.c)
)
_ASKED = sa.select(
    sa.exists().where(
        tables.runs.c.account_id == sa.bindparam("account_id"), tables.REQUESTED_RUN, tables.runs.c.state == "waiting"
    )
)
_ONE_LOCKED = _ONE.with_for_update()
_UNCLAIM_ALL = sa.update(tables.due_work).where(_ROW.claimed_until.is_not(None)).values(claimed_until=None)
_LAG = sa.select(sa.func.count(), sa.func.min(_ROW.due_at)).where(_FREE)
_SEVERAL_INSTANCES = sa.select(  # the two ends of an index, instead of counting
    sa.select(sa.func.min(tables.accounts.c.orocrm_url)).scalar_subquery()
    < sa.select(sa.func.max(tables.accounts.c.orocrm_url)).scalar_subquery()
)

_WITHIN_S = sa.bindparam("within_s", type_=sa.Float)


def _soon_in_sqlite() -> sa.ColumnElement[Any]:
    """As the column's own text: with microseconds, of which SQLite's clock knows thousands alone."""
    seconds = sa.func.abs(sa.func.random() % 1_000_000) / 1e6 * _WITHIN_S
    return sa.func.min(
        _ROW.due_at, sa.func.strftime("%Y-%m-%d %H:%M:%f", _NOW, sa.cast(seconds, sa.Text) + " seconds") + "000"
    )


def _soon_in_postgresql() -> sa.ColumnElement[Any]:
    second: sa.ColumnElement[Any] = sa.literal_column("interval '1 second'")
    return sa.func.least(_ROW.due_at, _NOW + sa.func.random() * _WITHIN_S * second)


def _hurry(soon: sa.ColumnElement[Any], *, one_organisation: bool) -> sa.Update:
    chosen = sa.select(tables.accounts.c.id).where(tables.accounts.c.state != "disabled")
    if one_organisation:
        chosen = chosen.where(tables.accounts.c.organisation == sa.bindparam("organisation_"))
    return (
        sa.update(tables.due_work)
        .where(_ROW.due_at.is_not(None), _ROW.account_id.in_(chosen))
        .values(
            due_at=sa.case((_ROW.trouble == "throttled", _ROW.due_at), else_=soon),
            outlook_called_at=_NOW,
            oro_called_at=_NOW,
        )
    )


_HURRY = {
    (dialect, one): _hurry(soon(), one_organisation=one)
    for dialect, soon in (("sqlite", _soon_in_sqlite), ("postgresql", _soon_in_postgresql))
    for one in (True, False)
}
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert(tables.due_work), "postgresql": postgresql.insert(tables.due_work)}
# all but who was handed it: see _values
_PLAN = [column.name for column in tables.due_work.columns if column.name not in {"account_id", "claimed_until"}]
_SAVE = {
    dialect: insert.on_conflict_do_update(
        index_elements=["account_id"], set_={name: insert.excluded[name] for name in _PLAN}
    )
    for dialect, insert in _INSERT.items()
}


@dataclass(frozen=True, slots=True)
class Claimed:
    account_id: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """waiting: accounts that are due and nobody works on. oldest: since when the first of them is due."""

    waiting: int
    oldest: datetime | None


class DueWorks:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def get(self, account_id: int) -> DueWork:
        """One without any plan if there is no row yet."""
        with self._transactions.reading() as connection:
            row = connection.execute(_ONE, {"account_id": account_id}).first()
        return DueWork(account_id) if row is None else as_work(row, account_id)

    def change(self, account_id: int, how: Callable[[DueWork], DueWork]) -> DueWork:
        """Read, change and write in one transaction; `how` may be called again."""
        with self._transactions.writing() as connection:
            row = connection.execute(_ONE_LOCKED, {"account_id": account_id}).first()
            after = how(DueWork(account_id) if row is None else as_work(row, account_id))
            connection.execute(_SAVE[connection.dialect.name], _values(after))
        return after

    def call(self, account_ids: Iterable[int], sides: frozenset[Side]) -> None:
        """Something changed at these sides of these accounts. Those that are gone are passed over."""
        now = self._now()
        with self._transactions.writing() as connection:
            for some in chunks(sorted(set(account_ids))):  # in one order, so that two callers do not block each other
                _change_all(connection, some, lambda work: called(work, sides, now))

    def call_in_turn(self, account_ids: Sequence[int], side: Side, chance: Callable[[], float]) -> None:
        """Something is new there that may be anybody's of these. Some at a time, so that nobody waits for the database
        while thousands are planned."""
        now = self._now()
        for some in chunks(sorted(account_ids)):
            with self._transactions.writing() as connection:
                _change_all(connection, some, lambda work: perhaps_called(work, side, len(account_ids), now, chance()))

    def hurry(self, organisation: str | None, within: timedelta) -> int:
        """Look at all accounts, or an organisation's, that are kept in step by themselves: both sides, spread by chance
        over a while, and none later than planned. Who was asked to wait still waits. Returns how many."""
        now = self._now()
        with self._transactions.writing() as connection:
            statement = _HURRY[connection.dialect.name, organisation is not None]
            values: dict[str, Any] = {"now": now, "within_s": within.total_seconds()}
            if organisation is not None:
                values["organisation_"] = organisation
            return int(connection.execute(statement, values).rowcount)

    def ask(self, account_id: int) -> None:
        """A person wants something done: it is due at once. Whoever asks also puts it into the queue; should that
        message be lost, it is handed out again."""
        now = self._now()
        with self._transactions.writing() as connection:
            self.change(account_id, lambda work: asked_for(work, now))
            connection.execute(_HAND_OUT, {"account_id_": account_id, "until": now + CLAIM})

    def let_rest(self, account_id: int, *, asked: bool) -> None:
        """Somebody else is at it just now, or at its mailbox, and the queue need not try that many times a second. It
        keeps its place among those that are due: who has it may have been killed, and others are due since then.
        asked: by a person, who is not to wait for what is planned."""
        now = self._now()
        with self._transactions.writing() as connection:
            if asked:
                self.change(account_id, lambda work: asked_for(work, now))
            connection.execute(_HAND_OUT, {"account_id_": account_id, "until": now + DEBOUNCE})

    def begin(self, account_id: int) -> DueWork:
        """It is not waiting for a worker any more. One without any plan if there is no row yet."""
        with self._transactions.writing() as connection:
            row = connection.execute(_BEGIN, {"account_id_": account_id}).first()
        return DueWork(account_id) if row is None else as_work(row, account_id)

    def plan(self, account_id: int, how: Callable[[DueWork], DueWork]) -> DueWork:
        """As `change`, at the end of a run; but due at once if a person asked for something meanwhile, whose worker
        was turned away."""

        def unless_asked(work: DueWork) -> DueWork:
            # a question of its own, after the row is locked: whoever asks writes there as well, before or after us
            asked = connection.execute(_ASKED, {"account_id": account_id}).scalar_one()
            return replace(how(work), due_at=self._now(), urgent=True) if asked else how(work)

        with self._transactions.writing() as connection:
            return self.change(account_id, unless_asked)

    def claim(self, most: int, slots: int) -> list[Claimed]:
        """Up to `most` accounts that are due, nobody works on and nobody was handed: what people and calls wait for
        first, then who is due the longest; but nobody is passed over for long. Where accounts of several OroCRM
        instances take part, none gets more than half of the `slots`, so that a slow one cannot keep all workers
        waiting for it."""
        now = self._now()
        with self._transactions.writing() as connection:
            # twice the slots may be handed out, so that no worker waits for the next round; but of several instances
            # none is handed more than it may occupy: runs of a slow one stay in all slots that they once came into
            several = connection.execute(_SEVERAL_INSTANCES).scalar_one()
            share = max(slots // 2, 1) if several else slots * 2
            busy: Counter[str] = Counter(connection.execute(_BUSY, {"now": now}).scalars())
            # candidates of an instance that has its share must not hide the others: they are as many as are in hand
            limits = {"most": share, "rows": most + busy.total(), "now": now, "long_ago": now - OVERDUE}
            chosen: dict[int, bool] = {}
            for account_id, url, urgent in connection.execute(_CANDIDATES, limits):
                if len(chosen) < most and busy[url] < share:
                    busy[url] += 1
                    chosen[account_id] = urgent
            if not chosen:
                return []
            values = {"ids": list(chosen), "now": now, "until": now + CLAIM}
            got = {account_id for (account_id,) in connection.execute(_CLAIM, values)}
        return [Claimed(account_id, urgent) for account_id, urgent in chosen.items() if account_id in got]

    def unclaim(self, account_ids: Sequence[int]) -> None:
        with self._transactions.writing() as connection:
            for some in chunks(account_ids):
                connection.execute(_UNCLAIM, {"ids": some})

    def unclaim_all(self) -> None:
        """A worker died, and nobody knows what was handed to it."""
        with self._transactions.writing() as connection:
            connection.execute(_UNCLAIM_ALL)

    def in_hand(self) -> int:
        """Handed out or worked on."""
        with self._transactions.reading() as connection:
            return len(connection.execute(_BUSY, {"now": self._now()}).all())

    def lag(self) -> Lag:
        with self._transactions.reading() as connection:
            waiting, oldest = connection.execute(_LAG, {"now": self._now()}).one()
        return Lag(waiting, oldest)


def _change_all(connection: sa.Connection, ids: list[int], how: Callable[[DueWork], DueWork]) -> None:
    """Accounts that are gone are passed over, and what stays as it is is not written. One that waits for its user to
    sign in remembers what it is told, and is looked at no sooner: that would change nothing."""
    states = {row.id: row.state for row in connection.execute(_THERE, {"ids": ids})}
    rows = {row.account_id: as_work(row, row.account_id) for row in connection.execute(_SOME, {"ids": ids})}
    changed = []
    for each, state in sorted(states.items()):
        before = rows.get(each) or DueWork(each)
        after = how(before)
        if state == "suspended":
            after = replace(after, due_at=before.due_at, urgent=before.urgent)
        if after != before:
            changed.append(_values(after))
    if changed:
        connection.execute(_SAVE[connection.dialect.name], changed)


def as_work(row: Any, account_id: int) -> DueWork:
    """row: of this table, or joined with it where there may be none."""

    def times(names: Mapping[Side, str]) -> dict[Side, datetime]:
        return {side: at for side, name in names.items() if (at := getattr(row, name)) is not None}

    return DueWork(
        account_id=account_id,
        due_at=row.due_at,
        urgent=bool(row.urgent),
        read_at=times(_READ_AT),
        called_at=times(_CALLED_AT),
        trouble=row.trouble or "",
        reason=row.reason or "",
        since=row.since,
        attempts=row.attempts or 0,
    )


def _values(work: DueWork) -> dict[str, Any]:
    """Without the claim: whoever works on the account has nothing to do with who was handed it."""
    return {
        "account_id": work.account_id,
        "due_at": work.due_at,
        "urgent": work.urgent,
        **{name: work.read_at.get(side) for side, name in _READ_AT.items()},
        **{name: work.called_at.get(side) for side, name in _CALLED_AT.items()},
        "trouble": work.trouble,
        "reason": work.reason,
        "since": work.since,
        "attempts": work.attempts,
    }
