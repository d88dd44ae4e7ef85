"""Opens the database: SQLite on one machine, PostgreSQL on many, and makes both behave alike.

Decides durability, locking and how values are written as columns (UTC times, JSON as compact text, ids byte by byte).
What is stored is in `tables.py`; who writes when, in `transactions.py`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from orosync.errors import ConfigurationError

_BEGIN = "orosync_begin"  # in a connection's info: how its next transaction begins, if not simply so
_USED_AT, _TRUSTED_S = "orosync_used_at", 5.0  # of a connection in the pool
LOCK_WAIT_S = 5  # how long one waits for another writer (reference/dependencies.md 2.3) or for a free connection

# FULL makes every commit survive a power cut: an intent must be on disk before its request leaves (R23). Measured:
# 0.4 ms a commit instead of 0.2 ms with NORMAL; commits carry groups of records, so it hardly shows.
_SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {LOCK_WAIT_S * 1000}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


def open_engine(url: str) -> sa.Engine:
    """An engine for `sqlite:///path/to/file` or `postgresql://user:password@host/database`.

    A new SQLite file is readable by its owner alone. Statements' parameters never appear in errors or logs. Raises
    ConfigurationError for a URL of another kind, or a missing driver; nothing is connected yet.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except sa.exc.ArgumentError:
        raise _unusable("is no database URL") from None
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed)
    raise _unusable(f"names {backend!r}, which is not supported")


def _unusable(why: str) -> ConfigurationError:
    return ConfigurationError(
        [f"OROSYNC_DATABASE_URL {why}; use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"]
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise _unusable("names no file")
    file = Path(url.database)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise _unusable(f"names a file that cannot be written ({error.strerror})") from None
    engine = sa.create_engine(
        url,
        hide_parameters=True,
        pool_timeout=LOCK_WAIT_S,
        connect_args={"isolation_level": None, "timeout": float(LOCK_WAIT_S)},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    _begin_as_told(engine)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


@contextmanager
def connected(engine: sa.Engine, *, writing: bool) -> Iterator[sa.Connection]:
    """A connection whose transactions lock at once if they are to write, where they read first and lock later they
    would fail instead of waiting. Else each statement stands alone: no begin and no end around it."""
    with engine.connect() as connection:
        told = connection.info
        told[_BEGIN] = _WRITES.get(engine.dialect.name, "BEGIN") if writing else ""
        try:
            yield connection
        finally:
            told.pop(_BEGIN, None)


_WRITES = {"sqlite": "BEGIN IMMEDIATE"}


def _begin_as_told(engine: sa.Engine) -> None:
    """The drivers begin nothing by themselves. Not by an event of SQLAlchemy's: where anybody listens to one, listeners
    are looked for at each statement."""

    def do_begin(connection: PoolProxiedConnection) -> None:
        if statement := connection.info.get(_BEGIN, "BEGIN"):
            cursor = connection.cursor()
            cursor.execute(statement)
            cursor.close()

    engine.dialect.do_begin = do_begin  # type: ignore[assignment,method-assign]


def _postgresql(url: sa.URL) -> sa.Engine:
    if url.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise _unusable(f"asks for the driver {url.drivername!r}; psycopg is the one that is used")
    options = f"-c timezone=UTC -c lock_timeout={LOCK_WAIT_S}s"
    given = url.query.get("options")
    if isinstance(given, str):
        options = f"{given} {options}"
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_timeout=LOCK_WAIT_S,
            isolation_level="AUTOCOMMIT",  # the driver's; else each connection would be told anew
            connect_args={"connect_timeout": 10, "options": options},
        )
    except ModuleNotFoundError:
        raise ConfigurationError(
            ["OROSYNC_DATABASE_URL names PostgreSQL, but its driver is missing; install orosync[cluster]"]
        ) from None
    _begin_as_told(engine)
    _ping_after_a_rest(engine)
    return engine


def _ping_after_a_rest(engine: sa.Engine) -> None:
    """As SQLAlchemy's pre-ping, but not for a connection that was in use just now: a run takes one a hundred times, and
    each of those pings would go to the server and back."""

    @sa.event.listens_for(engine, "checkin")
    def note_use(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED_AT] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def must_be_alive(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        now = time.monotonic()
        if now - entry.info.get(_USED_AT, now) < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError from error  # the pool takes another one


def is_temporary(error: sa.exc.DBAPIError) -> bool:
    """Whether waiting may help: locked, deadlock, disk full, connection lost."""
    if error.connection_invalidated:
        return True
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "") or ""
        return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN"))
    state = getattr(cause, "sqlstate", None)
    if state is None:  # psycopg could not reach the server at all
        return isinstance(error, sa.exc.OperationalError)
    return str(state).startswith(("08", "40", "53", "55P03", "57"))


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware time, kept and returned in UTC; a naive one is a mistake and refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def to_json(value: Any) -> str:
    """Compact JSON text with sorted keys, so that equal values are equal texts."""
    text = _COMPACT.encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as cut texts from outside have it: keep it, escaped
        text = json.dumps(value, separators=(",", ":"), sort_keys=True, default=_plain)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain)


class JsonText(sa.TypeDecorator[Any]):
    """Any JSON value as compact text, None as NULL; the same on every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Words(sa.TypeDecorator[str]):
    """Free text from outside, such as another system's error message; what no database stores becomes U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
