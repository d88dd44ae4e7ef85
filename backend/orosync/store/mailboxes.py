"""Who talks to a mailbox now, and how many requests it has left: Graph counts for each mailbox and application,
whatever process asks (graph-api.md 7). A bucket that is refilled steadily gives 10,000 in 10 minutes at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.store import tables
from orosync.store.transactions import Transactions

CAPACITY = 4_000.0  # tokens that may be used at once
REFILL_PER_S = 10.0  # 4,000 + 600 s x 10 = 10,000 in 10 minutes, the limit

_ROW = tables.mailboxes.c
_FIND = sa.select(tables.mailboxes).where(_ROW.mailbox == sa.bindparam("mailbox_"))
_MINE = (_ROW.mailbox == sa.bindparam("mailbox_"), _ROW.owner == sa.bindparam("owner_"))
_OURS = sa.update(tables.mailboxes).where(*_MINE)
_COUNTED: dict[str, Any] = {"tokens": sa.bindparam("new_tokens"), "counted_at": sa.bindparam("at")}
_KEEP = _OURS.values(expires=sa.bindparam("new_expires"), **_COUNTED)
_RELEASE = _OURS.values(owner=None, **_COUNTED)
_FREE = _OURS.values(owner=None)


def _take(insert: sqlite.Insert | postgresql.Insert) -> sa.Executable:
    """A mailbox that nobody asked yet has all of its requests left."""
    named = ("mailbox", "owner", "expires", "tokens", "counted_at")
    statement = insert.values({name: sa.bindparam(name) for name in named} | {"paused_until": None})
    new = insert.excluded
    free = sa.or_(_ROW.owner.is_(None), _ROW.expires <= sa.bindparam("now"), _ROW.owner == new.owner)
    changes = {"owner": new.owner, "expires": new.expires}
    return statement.on_conflict_do_update(index_elements=["mailbox"], set_=changes, where=free).returning(
        _ROW.tokens, _ROW.counted_at, _ROW.paused_until
    )


_TAKE = {"sqlite": _take(sqlite.insert(tables.mailboxes)), "postgresql": _take(postgresql.insert(tables.mailboxes))}


@dataclass(frozen=True, slots=True)
class MailboxTurn:
    """Its holder alone may send requests to the mailbox. tokens: how many were left at counted_at."""

    mailbox: str
    owner: str
    tokens: float
    counted_at: datetime
    paused_until: datetime | None


class Mailboxes:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def take(self, mailbox: str, owner: str, ttl: timedelta) -> MailboxTurn | None:
        """None while somebody else has it."""
        name, now = mailbox.casefold(), self._now()
        values = {"mailbox": name, "owner": owner, "expires": now + ttl, "tokens": CAPACITY, "counted_at": now}
        with self._transactions.writing() as connection:
            row = connection.execute(_TAKE[connection.dialect.name], {**values, "now": now}).first()
        return None if row is None else MailboxTurn(name, owner, row.tokens, row.counted_at, row.paused_until)

    def owner(self, mailbox: str) -> str | None:
        with self._transactions.reading() as connection:
            row = connection.execute(_FIND, {"mailbox_": mailbox.casefold()}).first()
        return None if row is None else row.owner

    def take_over(self, mailbox: str, before: str, owner: str, ttl: timedelta) -> MailboxTurn | None:
        """From a holder that is known to have died."""
        with self._transactions.writing() as connection:
            connection.execute(_FREE, {"mailbox_": mailbox.casefold(), "owner_": before})
            return self.take(mailbox, owner, ttl)

    def keep(self, turn: MailboxTurn, ttl: timedelta, tokens: float) -> None:
        """Renewed, with what is left by now. Nothing happens if somebody else has it."""
        now = self._now()
        values = {"new_expires": now + ttl, "new_tokens": tokens, "at": now}
        with self._transactions.writing() as connection:
            connection.execute(_KEEP, {"mailbox_": turn.mailbox, "owner_": turn.owner, **values})

    def release(self, turn: MailboxTurn, tokens: float) -> None:
        values = {"new_tokens": tokens, "at": self._now()}
        with self._transactions.writing() as connection:
            connection.execute(_RELEASE, {"mailbox_": turn.mailbox, "owner_": turn.owner, **values})

    def pause(self, mailbox: str, until: datetime) -> None:
        """It asked to be left alone."""
        statement = sa.update(tables.mailboxes).where(_ROW.mailbox == mailbox.casefold()).values(paused_until=until)
        with self._transactions.writing() as connection:
            connection.execute(statement)

    def paused_until(self, mailbox: str) -> datetime | None:
        """None unless it is in the future."""
        with self._transactions.reading() as connection:
            row = connection.execute(_FIND, {"mailbox_": mailbox.casefold()}).first()
        if row is None or row.paused_until is None or row.paused_until <= self._now():
            return None
        until: datetime = row.paused_until
        return until
