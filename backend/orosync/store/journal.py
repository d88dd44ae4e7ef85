"""What the change feeds said and nobody has worked on yet. One row for a record: a newer word replaces an older one.

A replacing row gets a new seq, so that whoever was working on the older one cannot tick off the newer by it. Rows
that are done are deleted, so the journal stays as small as the work that is waiting.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from orosync.core.exchange import Sighting
from orosync.core.ledger import JournalRow
from orosync.core.records import Entity, Item, Side
from orosync.store import cursors, tables
from orosync.store.transactions import AccountPart, chunks

_ROW = tables.journal.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_ENTITY = _ROW.entity == sa.bindparam("entity")
_SAME = (
    _ACCOUNT,
    _ROW.side == sa.bindparam("side"),
    _ENTITY,
    _ROW.record_id.in_(sa.bindparam("ids", expanding=True)),
)
_KNOWN = sa.select(
    _ROW.record_id, _ROW.version, _ROW.kind, _ROW.generation, _ROW.item.is_not(None).label("has_item")
).where(*_SAME)
_FORGET = sa.delete(tables.journal).where(*_SAME)
_ADD = sa.insert(tables.journal)
_COLUMNS = (_ROW.seq, _ROW.side, _ROW.record_id, _ROW.version, _ROW.kind, _ROW.item)
_PENDING = sa.select(*_COLUMNS).where(_ACCOUNT, _ENTITY).order_by(_ROW.seq)
_PENDING_AFTER = _PENDING.where(_ROW.seq > sa.bindparam("after")).limit(sa.bindparam("most"))
_DONE = sa.delete(tables.journal).where(_ACCOUNT, _ROW.seq.in_(sa.bindparam("ids", expanding=True)))
_LAST = sa.select(sa.func.coalesce(sa.func.max(_ROW.seq), 0)).where(_ACCOUNT)
_UNREAD = sa.or_(_ROW.item.is_(None), _ROW.seq <= sa.bindparam("until"))
_BY_SIDE = (
    sa.select(_ROW.side, sa.func.count().label("all"), sa.func.sum(sa.case((_UNREAD, 1), else_=0)).label("unread"))
    .where(_ACCOUNT, _ENTITY)
    .group_by(_ROW.side)
)
_COUNT = sa.select(sa.func.count()).select_from(tables.journal).where(_ACCOUNT)


def note(
    connection: sa.Connection,
    account_id: int,
    side: Side,
    entity: Entity,
    sightings: Iterable[Sighting],
    *,
    generation: int,
    kind: str | None = None,
) -> int:
    """See `Journal.journal`; for those who write without the account's lease."""
    newest: dict[str, Sighting] = {}
    for sighting in sightings:  # a page may name an id several times: the last word counts, in its place
        newest.pop(sighting.id, None)
        newest[sighting.id] = sighting
    written = 0
    scope = {"account_id": account_id, "side": side, "entity": entity}
    for some in chunks(newest.values()):
        ids = [sighting.id for sighting in some]
        known = {row.record_id: row for row in connection.execute(_KNOWN, {**scope, "ids": ids})}
        rows = [
            {
                **scope,
                "record_id": sighting.id,
                "version": sighting.version,
                "kind": kind or ("removed" if sighting.removed else "seen"),
                "generation": generation,
                "item": _item_to_json(sighting.item),
            }
            for sighting in some
        ]
        rows = [row for row in rows if not _is_noted(known.get(row["record_id"]), row)]
        replaced = [row["record_id"] for row in rows if row["record_id"] in known]
        if replaced:
            connection.execute(_FORGET, {**scope, "ids": replaced})
        if rows:
            connection.execute(_ADD, rows)
        written += len(rows)
    return written


def look_again(connection: sa.Connection, account_id: int, side: Side, entity: Entity, ids: Iterable[str]) -> None:
    """See `Journal.note_seen`; for those who write without the account's lease."""
    generation = cursors.generation(connection, account_id, side, entity)
    note(connection, account_id, side, entity, map(Sighting, ids), generation=generation)


def _is_noted(known: sa.Row[Any] | None, new: dict[str, Any]) -> bool:
    """Without a version nobody knows whether it changed once more, so such a row is never taken for an old one."""
    return (
        known is not None
        and new["version"] is not None
        and (known.version, known.kind, known.generation) == (new["version"], new["kind"], new["generation"])
        and (known.has_item or new["item"] is None)
    )


def _item_to_json(item: Item | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {"id": item.id, "version": item.version, "body": item.body, "container": item.container}


class Journal(AccountPart):
    def journal(
        self,
        side: Side,
        entity: Entity,
        sightings: Iterable[Sighting],
        generation: int,
        kind: str | None = None,
    ) -> int:
        """Note them: "removed" or "seen" by the sighting unless `kind` is given. A pending row of the same record is
        replaced, unless it says exactly the same. Returns how many rows were written."""
        with self._writing() as connection:
            return note(connection, self._account_id, side, entity, sightings, generation=generation, kind=kind)

    def note_seen(self, side: Side, entity: Entity, ids: Iterable[str]) -> None:
        """Whatever is pending about them: these ids shall be looked at by the next pass or run."""
        with self._writing() as connection:
            look_again(connection, self._account_id, side, entity, ids)

    def pending(self, entity: Entity) -> list[JournalRow]:
        """In the order they were noted."""
        return [_to_row(entity, row) for row in self._rows(_PENDING, entity=entity)]

    def pending_after(self, entity: Entity, seq: int, limit: int) -> list[JournalRow]:
        """At most `limit` rows with a greater seq, in order; for working on a large journal in bounded memory."""
        return [_to_row(entity, row) for row in self._rows(_PENDING_AFTER, entity=entity, after=seq, most=limit)]

    def journal_done(self, seqs: Iterable[int]) -> None:
        self._write_chunked(_DONE, seqs)

    def last_seq(self) -> int:
        """The greatest number among pending rows; 0 without any."""
        return int(self._rows(_LAST)[0][0])

    def pending_count(self) -> int:
        return int(self._rows(_COUNT)[0][0])

    def pending_by_side(self, entity: Entity, until: int) -> dict[Side, tuple[int, int]]:
        """How many rows, and how many of them without an item, or with an old one: those with a seq up to `until`."""
        found = {
            Side(row.side): (int(row.all), int(row.unread)) for row in self._rows(_BY_SIDE, entity=entity, until=until)
        }
        return dict.fromkeys(Side, (0, 0)) | found


def _to_row(entity: Entity, row: sa.Row[Any]) -> JournalRow:
    item = None if row.item is None else Item(**row.item)
    return JournalRow(row.seq, Side(row.side), entity, row.record_id, row.version, row.kind, item)
