"""Records that fail by themselves, why, and when they are tried again (R26; the back-off is computed in `core`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.ledger import Quarantined
from orosync.core.records import Entity, Side
from orosync.store import tables
from orosync.store.transactions import AccountPart, Upsert

_ROW = tables.quarantine.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id_")
_ONE = (
    _ACCOUNT,
    _ROW.side == sa.bindparam("side_"),
    _ROW.entity == sa.bindparam("entity_"),
    _ROW.record_id == sa.bindparam("record_id_"),
)
_SAVE = Upsert(tables.quarantine)
_ALL = (
    sa.select(tables.quarantine)
    .where(_ROW.account_id == sa.bindparam("account_id"))
    .order_by(_ROW.first_at, _ROW.side, _ROW.entity, _ROW.record_id)
)
_COUNT = sa.select(sa.func.count()).select_from(tables.quarantine).where(_ROW.account_id == sa.bindparam("account_id"))
_PAGE = _ALL.limit(sa.bindparam("most")).offset(sa.bindparam("start"))
_RELEASE = sa.delete(tables.quarantine).where(*_ONE)
_RETRY_ONE = sa.update(tables.quarantine).where(*_ONE).values(next_try=sa.bindparam("at"))
_RETRY_ALL = sa.update(tables.quarantine).where(_ACCOUNT).values(next_try=sa.bindparam("at"))


def retry(
    connection: sa.Connection, account_id: int, at: datetime, record: tuple[Side, Entity, str] | None = None
) -> int:
    """Let the next run try again: one record, or all of the account. Returns how many there were."""
    values: dict[str, Any] = {"account_id_": account_id, "at": at}
    if record is None:
        return int(connection.execute(_RETRY_ALL, values).rowcount)
    return int(connection.execute(_RETRY_ONE, {**values, **_key(*record)}).rowcount)


def release(connection: sa.Connection, account_id: int, side: Side, entity: Entity, id: str) -> int:
    """See `Quarantine.release`; for those who write without the account's lease. Returns how many there were."""
    return int(connection.execute(_RELEASE, {"account_id_": account_id, **_key(side, entity, id)}).rowcount)


def _key(side: Side, entity: Entity, id: str) -> dict[str, str]:
    return {"side_": side, "entity_": entity, "record_id_": id}


class Quarantine(AccountPart):
    def quarantine(self, row: Quarantined) -> None:
        """Insert, or replace the row of the same (side, entity, id)."""
        values = {
            "account_id": self._account_id,
            "side": row.side,
            "entity": row.entity,
            "record_id": row.id,
            "version": row.version,
            "code": row.code,
            "message": row.message,
            "attempts": row.attempts,
            "first_at": row.first_at,
            "next_try": row.next_try,
        }
        with self._writing() as connection:
            connection.execute(_SAVE.into(connection), values)

    def quarantined(self) -> list[Quarantined]:
        """Oldest first."""
        return [_to_quarantined(row) for row in self._rows(_ALL)]

    def quarantined_page(self, start: int, limit: int) -> list[Quarantined]:
        """Oldest first, without the first `start`."""
        return [_to_quarantined(row) for row in self._rows(_PAGE, start=start, most=limit)]

    def count_quarantined(self) -> int:
        return int(self._rows(_COUNT)[0][0])

    def release(self, side: Side, entity: Entity, id: str) -> None:
        """It is well again, or gone."""
        with self._writing() as connection:
            release(connection, self._account_id, side, entity, id)


def _to_quarantined(row: sa.Row[Any]) -> Quarantined:
    return Quarantined(
        side=Side(row.side),
        entity=Entity(row.entity),
        id=row.record_id,
        version=row.version,
        code=row.code,
        message=row.message,
        attempts=row.attempts,
        first_at=row.first_at,
        next_try=row.next_try,
    )
