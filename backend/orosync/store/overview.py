"""The whole installation in a few numbers, for whoever watches it: each is one statement that the database counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.records import Side
from orosync.store import tables
from orosync.store.engine import UtcTime
from orosync.store.transactions import Transactions

_CONFLICT, _SUBSCRIPTION, _SECRET = tables.conflicts.c, tables.subscriptions.c, tables.secrets.c
_NOW = sa.bindparam("now", type_=UtcTime)
_QUARANTINED = sa.select(sa.func.count()).select_from(tables.quarantine)
_CONFLICTS = sa.select(sa.func.count()).where(tables.OPEN_CONFLICT, _CONFLICT.choice.is_(None))
_HEALTH = sa.case(
    (_SUBSCRIPTION.state == "refused", "refused"),
    (sa.or_(_SUBSCRIPTION.id.is_(None), _SUBSCRIPTION.state == "missing"), "missing"),
    (_SUBSCRIPTION.expires <= _NOW, "expired"),
    else_="alive",
)
_SUBSCRIPTIONS = sa.select(_SUBSCRIPTION.side, _HEALTH.label("health"), sa.func.count().label("number")).group_by(
    _SUBSCRIPTION.side, sa.literal_column("health")
)
_EARLIEST = sa.select(sa.func.min(_SUBSCRIPTION.expires)).where(_SUBSCRIPTION.id.is_not(None))
_SOME_SECRET = sa.select(_SECRET.account_id, _SECRET.name).order_by(_SECRET.saved_at.desc()).limit(1)
HEALTHS = ("alive", "expired", "missing", "refused")


class Overview:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def quarantined(self) -> int:
        return int(self._one(_QUARANTINED))

    def open_conflicts(self) -> int:
        """Nobody has answered them yet."""
        return int(self._one(_CONFLICTS))

    def subscriptions(self) -> dict[tuple[Side, str], int]:
        """How many by side and health, one of `HEALTHS`."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_SUBSCRIPTIONS, {"now": self._now()}).all()
        return {(Side(row.side), row.health): row.number for row in rows}

    def earliest_expiry(self) -> datetime | None:
        """Of the subscriptions there are."""
        at: datetime | None = self._one(_EARLIEST)
        return at

    def newest_secret(self) -> tuple[int, str] | None:
        """Account and name of the one that was saved last."""
        with self._transactions.reading() as connection:
            row = connection.execute(_SOME_SECRET).first()
        return None if row is None else (row.account_id, row.name)

    def clock(self) -> datetime | None:
        """The database server's own; None where there is no server, and so no other clock."""
        if self._transactions.engine.dialect.name == "sqlite":
            return None
        at: datetime = self._one(sa.select(sa.func.clock_timestamp()))
        return at

    def _one(self, statement: sa.Select[Any]) -> Any:
        with self._transactions.reading() as connection:
            return connection.execute(statement).scalar_one()
