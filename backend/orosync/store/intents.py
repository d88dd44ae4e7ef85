"""Ops written down before they are sent (R23): what a crash leaves open is found here.

The database allows one open create for a source record (I3). Closed intents are deleted, in the transaction that
writes the oplog: that is where history is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from orosync.core.ledger import Intent
from orosync.core.records import Entity, Side
from orosync.errors import RecordChanged
from orosync.store import tables
from orosync.store.transactions import AccountPart, Upsert

_ROW = tables.intents.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id_")
_SAVE = Upsert(tables.intents)
_MARK_SENT = (
    sa.update(tables.intents)
    .where(_ACCOUNT, _ROW.op_id == sa.bindparam("op_id_"))
    .values(state="sent", sent_at=sa.bindparam("at"))
)
_CLOSE = sa.delete(tables.intents).where(_ACCOUNT, _ROW.op_id == sa.bindparam("op_id_"))
_ABANDON_PREPARED = sa.delete(tables.intents).where(_ACCOUNT, _ROW.state == "prepared")
_ANY = sa.select(_ROW.op_id).where(_ROW.account_id == sa.bindparam("account_id")).limit(1)
_SENT = sa.select(tables.intents).where(_ACCOUNT, _ROW.state == "sent").order_by(_ROW.sent_at, _ROW.op_id)


class Intents(AccountPart):
    _none_open = False

    def begin_without_intents(self) -> None:
        """There was none a moment ago, by what was read under this lease: that goes until this store writes one."""
        self._none_open = True

    def prepare_intents(self, intents: Iterable[Intent]) -> None:
        """Write them down; an op that is sent once more replaces its former row. RecordChanged if another create for
        the same source is still open, and the transaction it happened in must then be given up."""
        rows = [
            {
                "account_id": self._account_id,
                "op_id": intent.op_id,
                "run": intent.run,
                "entity": intent.entity,
                "side": intent.side,
                "verb": intent.verb,
                "source_id": intent.source_id,
                "op": intent.op,
                "state": intent.state,
                "sent_at": intent.sent_at,
                "attempt": intent.attempt,
            }
            for intent in intents
        ]
        if not rows:
            return
        self._none_open = False
        with self._writing() as connection:
            try:
                connection.execute(_SAVE.into(connection), rows)
            except sa.exc.IntegrityError:
                raise RecordChanged("A create for the same record is still open.", code="open_create") from None

    def mark_sent(self, op_ids: Iterable[str], at: datetime) -> None:
        self._write(_MARK_SENT, [{**self._key(op_id), "at": at} for op_id in op_ids])

    def close_intent(self, op_id: str, state: Literal["confirmed", "abandoned"]) -> None:  # noqa: ARG002
        """It is settled, one way or the other, and forgotten."""
        self.close_intents([op_id])

    def close_intents(self, op_ids: Iterable[str]) -> None:
        """Many at once."""
        self._write(_CLOSE, [self._key(op_id) for op_id in op_ids])

    def open_intents(self) -> list[Intent]:
        """Those sent, oldest first. Merely prepared ones never left this machine: they are abandoned by this call."""
        if self._none_open or not self._rows(_ANY):  # as for nearly every run
            return []
        with self._writing() as connection:
            account = {"account_id_": self._account_id}
            connection.execute(_ABANDON_PREPARED, account)
            return [_to_intent(row) for row in connection.execute(_SENT, account)]

    def _key(self, op_id: str) -> dict[str, Any]:
        return {"account_id_": self._account_id, "op_id_": op_id}


def _to_intent(row: sa.Row[Any]) -> Intent:
    return Intent(
        op_id=row.op_id,
        run=row.run,
        entity=Entity(row.entity),
        side=Side(row.side),
        verb=row.verb,
        source_id=row.source_id,
        op=row.op,
        state=row.state,
        sent_at=row.sent_at,
        attempt=row.attempt,
    )
