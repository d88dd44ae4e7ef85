"""Requested runs on threads of this process: carried out, waiting for one another, ended when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.web.application import Application

from orosync.errors import TryLater
from orosync.jobs import handlers
from orosync.jobs.handlers import Requested
from orosync.jobs.threads import ThreadQueue
from orosync.store import tables

SOON = 20.0  # seconds; a test that needs them has failed


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Application]:
    application = Application(tmp_path)
    application.person("boris").connect()
    application.queue.waits = True
    yield application
    application.database.close()


class Watched(Requested):
    """Says when a run is over."""

    def __init__(self, world: Application) -> None:
        super().__init__(world.config, world.database, adapters=world.adapters)
        self.over = threading.Semaphore(0)

    def carry_out(self, account_id: int, run: str) -> None:
        super().carry_out(account_id, run)
        self.over.release()


def state_of(world: Application, run: str) -> str:
    found = world.database.account_store(world.account().id).run(run)
    assert found is not None
    return str(found["state"])


def ask(world: Application, run: str, mode: str = "preview", **request: object) -> None:
    assert world.database.requested_runs.add(world.account().id, run, mode, dict(request)).outcome == "new"


def test_a_run_that_was_put_is_carried_out(world: Application) -> None:
    handler = Watched(world)
    queue = ThreadQueue(handler, world.database)
    ask(world, "a")
    queue.put(world.account().id, "a")
    assert handler.over.acquire(timeout=SOON)
    assert state_of(world, "a") == "done"
    queue.stop()


def test_what_waited_when_the_last_process_ended_is_taken_up(world: Application) -> None:
    ask(world, "a")
    handler = Watched(world)
    queue = ThreadQueue(handler, world.database)
    assert handler.over.acquire(timeout=SOON)
    assert state_of(world, "a") == "done"
    queue.stop()


def test_a_message_that_comes_twice_is_carried_out_once(world: Application) -> None:
    handler = Watched(world)
    ask(world, "a")
    queue = ThreadQueue(handler, world.database)
    queue.put(world.account().id, "a")
    queue.put(world.account().id, "nothing")
    for _ in range(3):
        assert handler.over.acquire(timeout=SOON)
    assert len(world.database.account_store(world.account().id).runs()) == 1
    queue.stop()


def test_a_run_waits_for_the_one_that_has_the_account(world: Application) -> None:
    now = world.parts.clock.now()
    lease = world.database.leases.take(world.account().id, "elsewhere:1:other", now, timedelta(minutes=10))
    assert lease is not None
    handler = Watched(world)
    ask(world, "a")
    queue = ThreadQueue(handler, world.database)
    while state_of(world, "a") != "running":
        pass
    world.database.leases.release(lease)
    assert handler.over.acquire(timeout=SOON)
    assert state_of(world, "a") == "done"
    queue.stop()


def test_a_run_that_waits_for_the_account_can_be_cancelled(world: Application) -> None:
    now = world.parts.clock.now()
    assert world.database.leases.take(world.account().id, "elsewhere:1:other", now, timedelta(minutes=10))
    handler = Watched(world)
    ask(world, "a")
    queue = ThreadQueue(handler, world.database)
    while state_of(world, "a") == "waiting":
        pass
    assert world.database.requested_runs.cancel(world.account().id, "a")
    assert handler.over.acquire(timeout=SOON)
    assert state_of(world, "a") == "cancelled"
    queue.stop()


def test_the_end_of_the_process_ends_a_run_that_waits_for_its_account(world: Application) -> None:
    now = world.parts.clock.now()
    assert world.database.leases.take(world.account().id, "elsewhere:1:other", now, timedelta(minutes=10))
    handler = Watched(world)
    ask(world, "a")
    queue = ThreadQueue(handler, world.database)
    while state_of(world, "a") == "waiting":
        pass
    queue.stop()
    assert state_of(world, "a") == "failed"


def test_a_disabled_account_is_not_synced(world: Application) -> None:
    world.database.accounts.disable(world.account().id, "on leave", world.parts.clock.now())
    ask(world, "a", "sync")
    Watched(world).carry_out(world.account().id, "a")
    assert state_of(world, "a") == "failed"


def test_without_a_secret_the_account_is_suspended_and_says_so(world: Application) -> None:
    world.database.secrets(world.account().id).forget("oro")
    ask(world, "a", "sync")
    Watched(world).carry_out(world.account().id, "a")
    assert state_of(world, "a") == "suspended"
    assert world.account().state == "suspended"
    assert "secret" in world.account().state_reason


def test_whatever_breaks_ends_the_run_and_not_the_worker(world: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("orosync.bootstrap.run_once", broken)
    ask(world, "a", "sync")
    Watched(world).carry_out(world.account().id, "a")
    found = world.database.account_store(world.account().id).run("a")
    assert found is not None
    assert found["state"] == "failed"
    assert "a mistake of ours" not in str(found["summary"])


class Unlucky(Watched):
    """Meets a database that is away, once in each thread."""

    def __init__(self, world: Application, times: int) -> None:
        super().__init__(world)
        self.times = times

    def carry_out(self, account_id: int, run: str) -> None:
        if self.times:
            self.times -= 1
            raise TryLater("The database could not take part just now.")
        super().carry_out(account_id, run)


def test_a_database_that_is_away_ends_no_thread_and_loses_no_run(
    world: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orosync.jobs.threads._PAUSE_S", 0)
    ask(world, "a")
    handler = Unlucky(world, times=3)
    queue = ThreadQueue(handler, world.database, threads=1)
    assert handler.over.acquire(timeout=SOON)
    assert state_of(world, "a") == "done"
    queue.stop()


def test_what_was_not_begun_when_the_process_ends_waits_for_the_next(world: Application) -> None:
    handler = Watched(world)
    queue = ThreadQueue(handler, world.database, threads=1)
    handler.stopping.set()
    ask(world, "a")
    queue.put(world.account().id, "a")
    queue.stop()
    assert state_of(world, "a") == "waiting"


def test_a_run_that_waits_for_its_account_tells_that_its_worker_lives(
    world: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "_TOUCH_EVERY_S", 0)
    now = world.parts.clock.now()
    assert world.database.leases.take(world.account().id, "elsewhere:1:other", now, timedelta(minutes=10))
    ask(world, "a")
    queue = ThreadQueue(Watched(world), world.database)
    while state_of(world, "a") == "waiting":
        pass
    long_ago = now - timedelta(hours=1)
    with world.database.engine.begin() as connection:
        connection.execute(sa.update(tables.runs).values(started_at=long_ago))
    while started(world) == long_ago.replace(microsecond=0):
        pass
    queue.stop()


def started(world: Application) -> datetime:
    with world.database.engine.connect() as connection:
        found: datetime = connection.execute(sa.select(tables.runs.c.started_at)).scalar_one()
    return found.replace(microsecond=0)
