"""Which processes carry out work, by their sign of life: how much can be handed out, and who has died."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from orosync.store import tables
from orosync.store.transactions import Transactions, Upsert

SIGN_EVERY = timedelta(seconds=2)
LOST_AFTER = timedelta(seconds=7)

_ROW = tables.workers.c
_SAVE = Upsert(tables.workers)
_SEEN = sa.update(tables.workers).where(_ROW.name == sa.bindparam("name_")).values(seen_at=sa.bindparam("at"))
_ALL = sa.select(tables.workers).order_by(_ROW.name)
_LOST = sa.delete(tables.workers).where(_ROW.seen_at < sa.bindparam("before")).returning(_ROW.name)
_GONE = sa.delete(tables.workers).where(_ROW.name == sa.bindparam("name_"))


@dataclass(frozen=True, slots=True)
class Worker:
    """slots: how many accounts it works on at once; none: it hands out what is due to the others."""

    name: str
    slots: int
    started_at: datetime
    seen_at: datetime

    @property
    def dispatches(self) -> bool:
        return self.slots == 0


class Workers:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self.now = now

    def sign(self, name: str, slots: int) -> None:
        """It is alive."""
        now = self.now()
        with self._transactions.writing() as connection:
            if not connection.execute(_SEEN, {"name_": name, "at": now}).rowcount:
                values = {"name": name, "slots": slots, "started_at": now, "seen_at": now}
                connection.execute(_SAVE.into(connection), values)

    def leave(self, name: str) -> None:
        """It ends, and holds nothing."""
        with self._transactions.writing() as connection:
            connection.execute(_GONE, {"name_": name})

    def all(self) -> list[Worker]:
        with self._transactions.reading() as connection:
            return [Worker(row.name, row.slots, row.started_at, row.seen_at) for row in connection.execute(_ALL)]

    def bury(self) -> list[str]:
        """Forget those that gave no sign of life for too long; returns their names."""
        with self._transactions.writing() as connection:
            return list(connection.execute(_LOST, {"before": self.now() - LOST_AFTER}).scalars())
