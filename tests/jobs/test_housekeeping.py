"""What is old goes now and then, and nobody who is due waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.empty_database import put_empty_database

from orosync.core.ledger import Account
from orosync.errors import TryLater
from orosync.jobs.housekeeping import EVERY, Housekeeping
from orosync.store.database import Database
from orosync.store.engine import open_engine

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HISTORY = timedelta(days=90)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(open_engine(f"sqlite:///{put_empty_database(tmp_path / 'orosync.db')}"))
    yield database
    database.close()


class Told:
    """In place of the database's retention: tells when it was called, and does as it is told."""

    def __init__(self) -> None:
        self.calls: list[datetime] = []
        self.error: Exception | None = None
        self.may_end = threading.Event()
        self.may_end.set()

    def drop_old(self, now: datetime, history: timedelta) -> dict[str, int]:
        assert history == HISTORY
        self.calls.append(now)
        assert self.may_end.wait(30)
        if self.error is not None:
            raise self.error
        return {}


@pytest.fixture
def told(database: Database) -> Told:
    told = Told()
    database.retention = told  # type: ignore[assignment]
    return told


def test_it_is_done_at_the_start_and_every_six_hours(database: Database, told: Told) -> None:
    keeping = Housekeeping(database, HISTORY)
    for hours in (0, 1, 5.9, 6, 7, 12):
        keeping.look(NOON + timedelta(hours=hours))
        keeping.wait()
    assert told.calls == [NOON, NOON + EVERY, NOON + 2 * EVERY]


def test_nobody_waits_for_it_and_it_is_not_begun_twice(database: Database, told: Told) -> None:
    told.may_end.clear()
    keeping = Housekeeping(database, HISTORY)
    keeping.look(NOON)
    keeping.look(NOON + 2 * EVERY)
    told.may_end.set()
    keeping.wait()
    assert told.calls == [NOON]


@pytest.mark.parametrize(("error", "next_after"), [(TryLater("locked"), timedelta(minutes=10)), (OSError("?"), EVERY)])
def test_what_could_not_be_done_is_done_later(
    database: Database, told: Told, error: Any, next_after: timedelta
) -> None:
    told.error = error
    keeping = Housekeeping(database, HISTORY)
    for at in (timedelta(), next_after - timedelta(seconds=1), next_after):
        keeping.look(NOON + at)
        keeping.wait()
    assert told.calls == [NOON, NOON + next_after]


def test_old_runs_are_dropped(database: Database) -> None:
    account = database.accounts.add(Account("anna", "a@example.com", "https://crm.example", "anna", "wsse", "token"))
    lease = database.leases.take(account, "worker", NOON, timedelta(hours=1))
    store = database.account_store(account, lease)
    for run, at in (("old", NOON - timedelta(days=91)), ("newest", NOON)):
        store.start_run(run, "sync", at)
        store.finish_run(run, "done", at, {})
    keeping = Housekeeping(database, HISTORY)
    keeping.look(NOON)
    keeping.wait()
    assert [each["run"] for each in store.runs()] == ["newest"]
