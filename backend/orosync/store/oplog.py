"""What was done to which record, with before and after: the source of undo, of explanations and of the
guard's tally."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.ledger import OplogEntry, Tally
from orosync.core.records import Entity, Side
from orosync.store import tables
from orosync.store.transactions import AccountPart

_ROW = tables.oplog.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_ENTITY = _ROW.entity == sa.bindparam("entity")
_ADD = sa.insert(tables.oplog)
_OF_RUN = sa.select(tables.oplog).where(_ACCOUNT, _ROW.run == sa.bindparam("run")).order_by(_ROW.seq)
_PAGE_OF_RUN = _OF_RUN.where(
    _ROW.seq > sa.bindparam("after"),
    sa.or_(sa.bindparam("entity", type_=sa.Text).is_(None), _ROW.entity == sa.bindparam("entity", type_=sa.Text)),
    sa.or_(sa.bindparam("verb", type_=sa.Text).is_(None), _ROW.verb == sa.bindparam("verb", type_=sa.Text)),
).limit(sa.bindparam("most"))
_OF_RECORD = {
    side: sa.select(tables.oplog)
    .where(_ACCOUNT, _ENTITY, column == sa.bindparam("record_id"))
    .order_by(_ROW.seq.desc())
    for side, column in ((Side.OUTLOOK, _ROW.outlook_id), (Side.ORO, _ROW.oro_id))
}
_CREATES = {
    source: sa.select(column.label("source_id"), sa.func.count().label("times"))
    .where(
        _ACCOUNT,
        _ENTITY,
        column.in_(sa.bindparam("ids", expanding=True)),
        _ROW.verb == "create",
        _ROW.side == source.other,
    )
    .group_by(column)
    for source, column in ((Side.OUTLOOK, _ROW.outlook_id), (Side.ORO, _ROW.oro_id))
}
_MARK_UNDONE = (
    sa.update(tables.oplog)
    .where(_ROW.account_id == sa.bindparam("account_id_"), _ROW.op_id == sa.bindparam("op_id_"))
    .values(undone_by=sa.bindparam("by_run"))
)


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


_TALLY = sa.select(
    _count(_ROW.verb == "delete"),
    _count(_ROW.overwrites.is_(sa.true())),
    _count(_ROW.verb == "create"),
    sa.func.coalesce(sa.func.sum(_ROW.mails), 0),
).where(_ACCOUNT, _ENTITY, _ROW.at >= sa.bindparam("since"), _ROW.approved.is_(sa.false()))


class Oplog(AccountPart):
    def add_oplog(self, entries: Iterable[OplogEntry]) -> None:
        """`seq` is ignored; it is given in this order."""
        rows = [
            {
                "account_id": self._account_id,
                "op_id": entry.op_id,
                "run": entry.run,
                "at": entry.at,
                "entity": entry.entity,
                "side": entry.side,
                "verb": entry.verb,
                "outlook_id": entry.outlook_id,
                "oro_id": entry.oro_id,
                "rule": entry.rule,
                "reason": entry.reason,
                "before": entry.before,
                "after": entry.after,
                "mails": entry.mails,
                "overwrites": entry.overwrites,
                "approved": entry.approved,
                "undone_by": entry.undone_by,
                "body_before": entry.body_before,
            }
            for entry in entries
        ]
        self._write(_ADD, rows)

    def oplog(self, run: str) -> list[OplogEntry]:
        """In the order it was done."""
        return [_to_entry(row) for row in self._rows(_OF_RUN, run=run)]

    def oplog_page(self, run: str, after: int, limit: int, *, entity: str | None, verb: str | None) -> list[OplogEntry]:
        """As `oplog`: those whose seq is above `after`, of this entity and verb, None for all."""
        rows = self._rows(_PAGE_OF_RUN, run=run, after=after, most=limit, entity=entity, verb=verb)
        return [_to_entry(row) for row in rows]

    def oplog_of(self, entity: Entity, side: Side, id: str) -> list[OplogEntry]:
        """Newest first."""
        return [_to_entry(row) for row in self._rows(_OF_RECORD[side], entity=entity, record_id=id)]

    def creates_of(self, entity: Entity, source: Side, ids: Iterable[str]) -> dict[str, int]:
        """How often each of these records of `source` was created on the other side; none without one."""
        rows = self._rows_chunked(_CREATES[source], ids, entity=entity)
        return {row.source_id: int(row.times) for row in rows}

    def mark_undone(self, op_id: str, by_run: str) -> None:
        self._write(_MARK_UNDONE, {"account_id_": self._account_id, "op_id_": op_id, "by_run": by_run})

    def tally(self, entity: Entity, since: datetime) -> Tally:
        """What was written since then (inclusive), undoing included, approved ops not (R20: a rolling budget)."""
        return Tally(*(int(number) for number in self._rows(_TALLY, entity=entity, since=since)[0]))


def _to_entry(row: sa.Row[Any]) -> OplogEntry:
    return OplogEntry(
        op_id=row.op_id,
        run=row.run,
        at=row.at,
        entity=Entity(row.entity),
        side=Side(row.side),
        verb=row.verb,
        outlook_id=row.outlook_id,
        oro_id=row.oro_id,
        rule=row.rule,
        reason=row.reason,
        before=row.before,
        after=row.after,
        mails=row.mails,
        overwrites=row.overwrites,
        approved=row.approved,
        undone_by=row.undone_by,
        body_before=row.body_before,
        seq=row.seq,
    )
