"""Connections to PostgreSQL that break while nobody looks, and what reading costs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from tests.jobs.cutting import Proxy

from orosync.errors import TryLater
from orosync.store import engine as engines
from orosync.store import tables
from orosync.store.database import Database


@pytest.fixture
def proxy(postgresql: sa.Engine, postgresql_url: str) -> Iterator[Proxy]:
    with postgresql.begin() as connection:
        connection.execute(sa.delete(tables.workers))  # another test's
    parts = urlsplit(postgresql_url)
    with Proxy((parts.hostname or "127.0.0.1", parts.port or 5432)) as made:
        yield made


@pytest.fixture
def database(proxy: Proxy, postgresql_url: str) -> Iterator[Database]:
    url = sa.make_url(postgresql_url).set(host="127.0.0.1", port=proxy.port)
    made = Database(engines.open_engine(url.render_as_string(hide_password=False)))
    yield made
    made.close()


def test_a_connection_that_broke_at_rest_is_replaced_unnoticed(
    database: Database, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.workers.all() == []
    proxy.cut()
    proxy.mend()
    monkeypatch.setattr(engines, "_TRUSTED_S", 0.0)
    assert database.workers.all() == []


def test_one_that_broke_in_use_is_told_once_and_then_replaced(database: Database, proxy: Proxy) -> None:
    assert database.workers.all() == []
    proxy.cut()
    proxy.mend()
    with pytest.raises(TryLater, match="The database could not take part"):
        database.workers.all()
    assert database.workers.all() == []


def test_while_the_server_is_away_everybody_is_told_so_and_then_all_is_well(database: Database, proxy: Proxy) -> None:
    proxy.cut()
    for _ in range(2):
        with pytest.raises(TryLater):
            database.workers.all()
    proxy.mend()
    assert database.workers.all() == []


def test_what_only_reads_begins_no_transaction_and_what_writes_does(database: Database) -> None:
    def status(connection: sa.Connection) -> str:
        connection.execute(sa.text("SELECT 1"))
        return str(connection.connection.dbapi_connection.info.transaction_status.name)  # type: ignore[union-attr]

    for _ in range(2):
        with database._transactions.reading() as connection:
            assert status(connection) == "IDLE"
        with database._transactions.writing() as connection:
            assert status(connection) == "INTRANS"
            with database._transactions.reading() as inner:
                assert inner is connection, "it sees what is written so far"
