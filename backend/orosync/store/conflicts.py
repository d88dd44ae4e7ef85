"""Fields that changed differently on both sides: base, both values and what was chosen, so that a loser can be
restored.

A conflict that came without a choice is open: somebody is asked. It stays open with the answer until a run has acted on
it, which drops it and logs what was chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from orosync.core.ledger import Conflict
from orosync.core.records import Entity
from orosync.errors import BadInput
from orosync.store import tables
from orosync.store.transactions import AccountPart

_ROW = tables.conflicts.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_ADD = sa.insert(tables.conflicts)
_ALL = sa.select(tables.conflicts).where(_ACCOUNT).order_by(_ROW.id)
_OPEN = _ALL.where(tables.OPEN_CONFLICT)
_OLDER = (
    _ALL.where(_ROW.id < sa.bindparam("before")).order_by(None).order_by(_ROW.id.desc()).limit(sa.bindparam("most"))
)
_NEWER_OPEN = _OPEN.where(_ROW.id > sa.bindparam("after")).limit(sa.bindparam("most"))
_OPEN_IDS = sa.select(_ROW.id).where(_ACCOUNT, tables.OPEN_CONFLICT, _ROW.id.in_(sa.bindparam("ids", expanding=True)))
_COUNT_UNANSWERED = (
    sa.select(sa.func.count())
    .select_from(tables.conflicts)
    .where(_ACCOUNT, tables.OPEN_CONFLICT, _ROW.choice.is_(None))
)
_ONE = sa.select(tables.conflicts).where(_ACCOUNT, _ROW.id == sa.bindparam("conflict_id"))
_SETTLE = (
    sa.update(tables.conflicts)
    .where(_ROW.account_id == sa.bindparam("account_id_"), _ROW.id == sa.bindparam("conflict_id"), tables.OPEN_CONFLICT)
    .values(choice=sa.bindparam("new_choice"))
)
_DROP_OPEN = {
    name: sa.delete(tables.conflicts).where(
        _ACCOUNT,
        _ROW.entity == sa.bindparam("entity"),
        _ROW[name] == sa.bindparam("record_id"),
        tables.OPEN_CONFLICT,
    )
    for name in ("outlook_id", "oro_id")
}
_DROP_OPEN_OF = {
    name: statement.where(_ROW.field.in_(sa.bindparam("fields", expanding=True)))
    for name, statement in _DROP_OPEN.items()
}


def settle(connection: sa.Connection, account_id: int, conflict_id: int, choice: str) -> None:
    """See `Conflicts.settle_conflict`; for those who write without the account's lease."""
    values = {"account_id_": account_id, "conflict_id": conflict_id, "new_choice": choice}
    if not connection.execute(_SETTLE, values).rowcount:
        raise BadInput(
            f"There is no open conflict {conflict_id}.", field="conflict", remedy="See `orosync conflicts list`."
        )


def find(connection: sa.Connection, account_id: int, conflict_id: int) -> Conflict | None:
    row = connection.execute(_ONE, {"account_id": account_id, "conflict_id": conflict_id}).first()
    return None if row is None else _to_conflict(row)


class Conflicts(AccountPart):
    def add_conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """`id` is ignored."""
        rows = [
            {
                "account_id": self._account_id,
                "entity": conflict.entity,
                "outlook_id": conflict.outlook_id,
                "oro_id": conflict.oro_id,
                "field": conflict.field,
                "base": conflict.base,
                "outlook": conflict.outlook,
                "oro": conflict.oro,
                "rule": conflict.rule,
                "choice": conflict.choice,
                "open": conflict.choice is None,
                "at": conflict.at,
                "run": conflict.run,
            }
            for conflict in conflicts
        ]
        self._write(_ADD, rows)

    def conflicts(self, open_only: bool = True) -> list[Conflict]:
        """In the order they arose. Open ones may have their answer already; see the module's text."""
        return [_to_conflict(row) for row in self._rows(_OPEN if open_only else _ALL)]

    def open_conflicts_after(self, after: int, limit: int) -> list[Conflict]:
        """Oldest first: the open ones whose id is above `after`."""
        return [_to_conflict(row) for row in self._rows(_NEWER_OPEN, after=after, most=limit)]

    def conflicts_before(self, before: int | None, limit: int) -> list[Conflict]:
        """Newest first: open and settled ones whose id is below `before`."""
        rows = self._rows(_OLDER, before=before if before is not None else 2**62, most=limit)
        return [_to_conflict(row) for row in rows]

    def open_among(self, conflict_ids: Iterable[int]) -> set[int]:
        """Those of these ids that are open."""
        return {row.id for row in self._rows_chunked(_OPEN_IDS, conflict_ids)}

    def count_unanswered_conflicts(self) -> int:
        """Open ones that wait for a person."""
        return int(self._rows(_COUNT_UNANSWERED)[0][0])

    def conflict(self, conflict_id: int) -> Conflict | None:
        with self._transactions.reading() as connection:
            return find(connection, self._account_id, conflict_id)

    def settle_conflict(self, conflict_id: int, choice: str) -> None:
        """The answer, which may be changed while it is open. BadInput if none with that id is."""
        with self._writing() as connection:
            settle(connection, self._account_id, conflict_id, choice)

    def drop_open_conflicts(
        self, entity: Entity, outlook_id: str | None, oro_id: str | None, fields: Iterable[str] | None = None
    ) -> None:
        """Those of the record with either id; all, or of these fields alone."""
        statements = _DROP_OPEN if fields is None else _DROP_OPEN_OF
        chosen = {} if fields is None else {"fields": list(fields)}
        with self._writing() as connection:
            for name, record_id in (("outlook_id", outlook_id), ("oro_id", oro_id)):
                if record_id is not None:
                    values = {"account_id": self._account_id, "entity": entity, "record_id": record_id}
                    connection.execute(statements[name], {**values, **chosen})


def _to_conflict(row: sa.Row[Any]) -> Conflict:
    return Conflict(
        entity=Entity(row.entity),
        outlook_id=row.outlook_id,
        oro_id=row.oro_id,
        field=row.field,
        base=row.base,
        outlook=row.outlook,
        oro=row.oro,
        rule=row.rule,
        choice=row.choice,
        at=row.at,
        run=row.run,
        id=row.id,
    )
