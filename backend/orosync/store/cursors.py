"""Where each side's change feed of each entity stands. Moved by `sync` in the transaction that journals the page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from orosync.core.ledger import Cursor
from orosync.core.records import Entity, Side
from orosync.store import tables
from orosync.store.transactions import AccountPart, Fate, Upsert

_ROW = tables.cursors.c
_SAVE = Upsert(tables.cursors)
_OF_ACCOUNT = sa.select(tables.cursors).where(_ROW.account_id == sa.bindparam("account_id"))
_ONE = _OF_ACCOUNT.where(_ROW.side == sa.bindparam("side"), _ROW.entity == sa.bindparam("entity"))


def generation(connection: sa.Connection, account_id: int, side: Side, entity: Entity) -> int:
    """0 if no cursor was saved yet."""
    row = connection.execute(_ONE, {"account_id": account_id, "side": side, "entity": entity}).first()
    return 0 if row is None else int(row.generation)


class Cursors(AccountPart):
    """Under a lease nobody else moves them, so all of them are read at once and remembered: a run asks thirty times.
    What was saved is remembered for good once its transaction stands."""

    _known: dict[tuple[str, str], Cursor] | None = None
    _saved: tuple[Fate | None, dict[tuple[str, str], Cursor]] | None = None

    def cursor(self, side: Side, entity: Entity) -> Cursor:
        """An empty one if none was saved yet."""
        self._settle()
        known = self._known
        if known is None:
            known = {(row.side, row.entity): _to_cursor(row) for row in self._rows(_OF_ACCOUNT)}
            # what is read inside a transaction may be rolled back with it
            self._known = known if self._lease is not None and not self._transactions.is_open else None
        saved = self._saved[1] if self._saved is not None else {}
        return saved.get((side, entity)) or known.get((side, entity), Cursor())

    def _settle(self) -> None:
        """What was saved in a transaction that is over: it stands, or nobody knows."""
        if self._saved is None or self._saved[0] is self._transactions.fate:
            return
        fate, saved = self._saved
        if fate is None or not fate.committed:
            self._known = None
        elif self._known is not None:
            self._known |= saved
        self._saved = None

    def save_cursor(self, side: Side, entity: Entity, cursor: Cursor) -> None:
        values = {
            "account_id": self._account_id,
            "side": side,
            "entity": entity,
            "cursor": cursor.cursor,
            "generation": cursor.generation,
            "swept_at": cursor.swept_at,
            "first_done": cursor.first_done,
            "fingerprint": cursor.fingerprint,
            "balance": cursor.balance,
        }
        self._settle()
        with self._writing() as connection:
            fate = self._transactions.fate
            if self._saved is None:
                self._saved = fate, {}
            connection.execute(_SAVE.into(connection), values)
            self._saved[1][side, entity] = cursor


def _to_cursor(row: sa.Row[Any]) -> Cursor:
    return Cursor(
        cursor=row.cursor,
        generation=row.generation,
        swept_at=row.swept_at,
        first_done=row.first_done,
        fingerprint=row.fingerprint,
        balance=row.balance,
    )
