"""Whether anything waits to be done for an account at all: one question, so that an idle run ends there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.records import Entity
from orosync.store import tables
from orosync.store.transactions import AccountPart

_ENTITIES: sa.BindParameter[Any] = sa.bindparam("entities", expanding=True)


def _of_account(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.literal(1)).where(
        table.c.account_id == sa.bindparam("account_id"), table.c.entity.in_(_ENTITIES)
    )


_ANYTHING = sa.select(
    sa.or_(
        _of_account(tables.journal).exists(),
        _of_account(tables.quarantine).where(tables.quarantine.c.next_try <= sa.bindparam("now")).exists(),
        _of_account(tables.links).where(tables.TO_STAMP).exists(),
    )
)


class WaitingWork(AccountPart):
    def has_work(self, entities: Iterable[Entity], now: datetime) -> bool:
        """Anything of these entities is pending, due for another try, or waits for its stamp."""
        return bool(self._rows(_ANYTHING, entities=list(entities), now=now)[0][0])
