"""Records known on one side alone, with what they can be paired by: id, match key, uid, stamp."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from orosync.core.ledger import Unlinked
from orosync.core.records import Entity, Side
from orosync.store import tables
from orosync.store.books import CountedPart
from orosync.store.transactions import Upsert

_ROW = tables.unlinked.c
_SCOPE = (
    _ROW.account_id == sa.bindparam("account_id"),
    _ROW.side == sa.bindparam("side"),
    _ROW.entity == sa.bindparam("entity"),
)
_IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)
_SAVE = Upsert(tables.unlinked)
_DROP = sa.delete(tables.unlinked).where(*_SCOPE, _ROW.record_id.in_(_IDS))
_ALL = sa.select(tables.unlinked).where(*_SCOPE).order_by(_ROW.record_id)
_BY = {
    name: sa.select(tables.unlinked).where(*_SCOPE, _ROW[name].in_(_IDS))
    for name in ("record_id", "match_key", "uid", "stamp")
}
_COUNT = sa.select(sa.func.count()).select_from(tables.unlinked).where(*_SCOPE)


class UnlinkedRecords(CountedPart):
    def save_unlinked(self, rows: Iterable[Unlinked]) -> None:
        """Insert, or replace the row of the same (side, entity, id)."""
        values = [
            {
                "account_id": self._account_id,
                "side": row.side,
                "entity": row.entity,
                "record_id": row.id,
                "version": row.version,
                "match_key": row.match_key,
                "stamp": row.stamp,
                "uid": row.uid,
                "why": row.why,
            }
            for row in rows
        ]
        if values:
            with self._writing() as connection:
                self._count_anew()
                connection.execute(_SAVE.into(connection), values)

    def drop_unlinked(self, side: Side, entity: Entity, ids: Iterable[str]) -> None:
        if dropped := list(ids):
            with self._writing():
                self._count_anew()
                self._write_chunked(_DROP, dropped, side=side, entity=entity)

    def unlinked(self, side: Side, entity: Entity) -> list[Unlinked]:
        """By id, byte by byte."""
        return [_to_unlinked(row) for row in self._rows(_ALL, side=side, entity=entity)]

    def unlinked_matching(
        self,
        side: Side,
        entity: Entity,
        *,
        ids: Iterable[str] = (),
        keys: Iterable[str] = (),
        uids: Iterable[str] = (),
        stamps: Iterable[str] = (),
    ) -> list[Unlinked]:
        """Those that have any of these, each once, by id."""
        wanted = {"record_id": ids, "match_key": keys, "uid": uids, "stamp": stamps}
        found = {
            row.record_id: _to_unlinked(row)
            for name, values in wanted.items()
            for row in self._rows_chunked(_BY[name], values, side=side, entity=entity)
        }
        return [found[record_id] for record_id in sorted(found)]

    def count_unlinked(self, side: Side, entity: Entity) -> int:
        def count() -> int:
            return int(self._rows(_COUNT, side=side, entity=entity)[0][0])

        return self._counted(("alone", side, entity), count)


def _to_unlinked(row: sa.Row[Any]) -> Unlinked:
    return Unlinked(
        side=Side(row.side),
        entity=Entity(row.entity),
        id=row.record_id,
        version=row.version,
        match_key=row.match_key,
        stamp=row.stamp,
        uid=row.uid,
        why=row.why,
    )
