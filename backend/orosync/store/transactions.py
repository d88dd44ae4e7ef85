"""Who writes when: one transaction per thread at a time, which nested ones join, and the fence around an account.

`AccountPart` is the ground on which each noun's file builds its share of the `AccountStore`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.errors import LeaseLost, TryLater
from orosync.store import leases
from orosync.store.engine import connected, is_temporary

T = TypeVar("T")

CHUNK = 500  # ids in one statement; far below SQLite's limit of variables


class Fate:
    """What became of a transaction. Whoever remembers what was written in it asks here whether it stands."""

    committed = False


class _Open(threading.local):
    """The transaction this thread is in, its fate, and the leases it was checked against; or what it is reading by."""

    connection: sa.Connection | None = None
    fate: Fate | None = None
    fenced: set[leases.Lease] | None = None
    reader: sa.Connection | None = None


class Transactions:
    """The transactions of one engine. Threads do not share them; within a thread, whatever asks joins the open one."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._open = _Open()

    @property
    def is_open(self) -> bool:
        """This thread is in a transaction that writes."""
        return self._open.connection is not None

    def holds(self, lease: leases.Lease) -> bool:
        """This thread is in a transaction that keeps the lease in place."""
        return self._open.connection is not None and lease in (self._open.fenced or ())

    @property
    def fate(self) -> Fate | None:
        """Of the transaction that this thread is in."""
        return self._open.fate

    @contextmanager
    def writing(self, lease: leases.Lease | None = None) -> Iterator[sa.Connection]:
        """A connection in a transaction that is committed at the end of the outermost block, or rolled back by an
        exception that leaves it. With a lease: raises LeaseLost unless it is the account's current one, and holds
        it in place until the end. Raises TryLater when the database is locked, full or away."""
        if self._open.connection is not None:
            self._fence(self._open.connection, lease)
            yield self._open.connection
            return
        with _speaking_plainly(), connected(self.engine, writing=True) as connection, connection.begin():
            fate = self._open.fate = Fate()
            self._open.connection = connection
            self._open.fenced = set()
            try:
                self._fence(connection, lease)
                yield connection
            finally:
                self._open.connection = self._open.fate = None
        fate.committed = True

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The open transaction's connection, that of a reading around this one, or one for this reading alone."""
        joined = self._open.connection or self._open.reader
        if joined is not None:
            yield joined
            return
        with _speaking_plainly(), connected(self.engine, writing=False) as connection:
            self._open.reader = connection
            try:
                yield connection
            finally:
                self._open.reader = None

    def _fence(self, connection: sa.Connection, lease: leases.Lease | None) -> None:
        fenced = self._open.fenced
        if lease is None or fenced is None or lease in fenced:
            return
        leases.hold(connection, lease)
        fenced.add(lease)


@contextmanager
def _speaking_plainly() -> Iterator[None]:
    try:
        yield
    except sa.exc.TimeoutError as error:  # all of this process's connections are in use
        raise TryLater(
            "The database could not take part just now (no free connection).",
            remedy="It is tried again by itself; if it stays, start more processes with fewer threads each.",
        ) from error
    except sa.exc.DBAPIError as error:
        if not is_temporary(error):
            raise
        raise TryLater(
            f"The database could not take part just now ({type(error.orig).__name__}).",
            remedy="It is tried again by itself; if it stays, look at the database's load, disk and connection.",
        ) from error


class AccountPart:
    """One account's rows. Writes need the account's lease, and every transaction that writes checks it (I22)."""

    def __init__(
        self,
        transactions: Transactions,
        account_id: int,
        lease: leases.Lease | None,
        now: Callable[[], datetime],
    ) -> None:
        self._transactions = transactions
        self._account_id = account_id
        self._lease = lease
        self._now = now

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nested ones join the outermost, which alone commits."""
        with self._writing():
            yield

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self._lease is None:
            raise LeaseLost("The account's rows are open for reading only.", remedy="Take its lease to write.")
        with self._transactions.writing(self._lease) as connection:
            yield connection

    def _write(self, statement: sa.Executable, values: dict[str, Any] | list[dict[str, Any]]) -> int:
        """Execute for one row of values, or for many in one go; returns how many rows one execution met."""
        if not values:
            return 0
        with self._writing() as connection:
            return int(connection.execute(statement, values).rowcount)

    def _write_chunked(self, statement: sa.Executable, ids: Iterable[Any], **values: Any) -> None:
        """Execute for ids, given to the statement as :ids."""
        every = list(ids)
        if not every:
            return
        with self._writing() as connection:
            for some in chunks(every):
                connection.execute(statement, {"account_id": self._account_id, "ids": some, **values})

    def _rows(self, statement: sa.Executable, **values: Any) -> Sequence[sa.Row[Any]]:
        with self._transactions.reading() as connection:
            return connection.execute(statement, {"account_id": self._account_id, **values}).all()

    def _rows_chunked(self, statement: sa.Executable, ids: Iterable[Any], **values: Any) -> list[sa.Row[Any]]:
        """Rows for ids, given to the statement as :ids."""
        every = list(dict.fromkeys(ids))
        if not every:
            return []
        with self._transactions.reading() as connection:
            return [
                row
                for some in chunks(every)
                for row in connection.execute(statement, {"account_id": self._account_id, "ids": some, **values})
            ]


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(islice(iterator, size)):
        yield some


class Upsert:
    """INSERT, or UPDATE of the row with the same key, for both databases. Made once for each table."""

    def __init__(self, table: sa.Table) -> None:
        key = [column.name for column in table.primary_key]
        rest = [column.name for column in table.columns if column.name not in key]
        self._statements: dict[str, sa.Executable] = {}
        for dialect, insert in (("sqlite", sqlite.insert(table)), ("postgresql", postgresql.insert(table))):
            new = {name: insert.excluded[name] for name in rest}
            self._statements[dialect] = insert.on_conflict_do_update(index_elements=key, set_=new)

    def into(self, connection: sa.Connection) -> sa.Executable:
        return self._statements[connection.dialect.name]
