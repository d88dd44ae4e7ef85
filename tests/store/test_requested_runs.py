"""Runs that people ask for: one at a time, claimed once, stopped on request, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, SetClock, leased

from orosync.core.records import Entity, Side
from orosync.errors import BadInput
from orosync.store.database import Database


@pytest.fixture
def anna(new_account: Callable[..., int]) -> int:
    return new_account("anna")


def test_one_waits_and_a_second_meets_it(database: Database, anna: int, new_account: Callable[..., int]) -> None:
    runs = database.requested_runs
    assert runs.add(anna, "a", "sync", {}).outcome == "new"
    second = runs.add(anna, "b", "preview", {})
    assert (second.run, second.outcome) == ("a", "busy")
    assert runs.add(new_account("boris"), "c", "sync", {}).outcome == "new"  # another account is not in its way
    assert runs.active(anna) == "a"
    assert [run for _, run in runs.waiting()] == ["a", "c"]


def test_the_same_key_means_the_same_run_even_when_it_is_over(database: Database, anna: int) -> None:
    runs = database.requested_runs
    assert runs.add(anna, "a", "sync", {"x": 1}, key="k").outcome == "new"
    assert runs.end(anna, "a", "done", {})
    again = runs.add(anna, "b", "sync", {"x": 1}, key="k")
    assert (again.run, again.outcome) == ("a", "same")
    assert runs.add(anna, "c", "sync", {}, key="other").outcome == "new"


def test_of_many_that_ask_at_once_one_gets_a_run(database: Database, anna: int) -> None:
    barrier = Barrier(8)

    def ask(number: int) -> str:
        barrier.wait()
        return database.requested_runs.add(anna, f"run-{number}", "sync", {}).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(ask, range(8)))
    assert sorted(outcomes) == ["busy"] * 7 + ["new"]


def test_of_many_workers_one_claims_it(database: Database, anna: int) -> None:
    database.requested_runs.add(anna, "a", "sync", {})
    barrier = Barrier(8)

    def claim(_: int) -> bool:
        barrier.wait()
        return database.requested_runs.claim(anna, "a")

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim, range(8))) == [False] * 7 + [True]


def test_one_that_waits_is_over_at_once_when_it_is_cancelled(database: Database, anna: int) -> None:
    runs = database.requested_runs
    runs.add(anna, "a", "sync", {})
    assert runs.cancel(anna, "a")
    assert not runs.claim(anna, "a")
    assert not runs.cancel(anna, "a")
    assert not runs.cancel(anna, "nothing")
    assert runs.add(anna, "b", "sync", {}).outcome == "new"


def test_one_that_runs_learns_of_its_cancellation_with_its_progress(database: Database, anna: int) -> None:
    runs = database.requested_runs
    runs.add(anna, "a", "sync", {})
    runs.claim(anna, "a")
    assert not runs.tell_progress(anna, "a", {"what": "w", "done": 1, "total": 2})
    assert runs.cancel(anna, "a")
    assert runs.tell_progress(anna, "a", {"what": "w", "done": 2, "total": 2})
    told = database.account_store(anna).run("a")
    assert told is not None
    assert told["progress"] == {"what": "w", "done": 2, "total": 2}


def test_a_run_whose_worker_died_is_ended_by_the_next_request_and_not_before(
    database: Database, anna: int, clock: SetClock
) -> None:
    runs = database.requested_runs
    runs.add(anna, "a", "sync", {})
    runs.claim(anna, "a")
    store = leased(database, anna, "host:1:a")
    store.start_run("a", "sync", NOON)
    clock.at = NOON + timedelta(minutes=9)  # its lease is good for ten
    assert runs.add(anna, "b", "sync", {}).outcome == "busy"
    assert runs.active(anna) == "a"
    clock.at = NOON + timedelta(minutes=11)
    assert runs.active(anna) is None
    assert runs.add(anna, "c", "sync", {}).outcome == "new"
    ended = store.run("a")
    assert ended is not None
    assert (ended["state"], "interrupted" in ended["summary"]["problems"][0]) == ("failed", True)


def test_a_run_that_was_asked_for_keeps_its_number_when_it_begins(database: Database, anna: int) -> None:
    database.requested_runs.add(anna, "a", "sync", {"entities": ["task"]})
    store = leased(database, anna)
    store.start_run("a", "sync", NOON)
    store.finish_run("a", "done", NOON, {"problems": []})
    (row,) = store.runs()
    assert (row["run"], row["state"], row["requested_at"]) == ("a", "done", "2026-11-21T12:00:00Z")
    asked = database.requested_runs.get(anna, "a")
    assert asked is not None
    assert (asked.request, asked.state) == ({"entities": ["task"]}, "done")
    assert database.requested_runs.active(anna) is None


def test_older_runs_are_read_in_pages(database: Database, anna: int) -> None:
    store = leased(database, anna)
    for number in range(5):
        store.start_run(f"run-{number}", "sync" if number % 2 == 0 else "preview", NOON)
    first = store.older_runs(None, ("sync", "preview"), 3)
    assert [row["run"] for _, row in first] == ["run-4", "run-3", "run-2"]
    assert [row["run"] for _, row in store.older_runs(first[-1][0], ("sync", "preview"), 3)] == ["run-1", "run-0"]
    assert [row["run"] for _, row in store.older_runs(None, ("preview",), 3)] == ["run-3", "run-1"]


def until_somebody_waits_for_a_lock(database: Database) -> None:
    """Of PostgreSQL; SQLite's one writer waits before it looks at anything."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while database.engine.dialect.name == "postgresql":
        with database.engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return


def test_one_that_is_claimed_while_it_is_cancelled_learns_of_it(database: Database, anna: int) -> None:
    runs = database.requested_runs
    runs.add(anna, "a", "sync", {})
    with ThreadPoolExecutor(1) as pool:
        with database.transaction():
            assert runs.claim(anna, "a")
            cancelled = pool.submit(runs.cancel, anna, "a")
            until_somebody_waits_for_a_lock(database)
        assert cancelled.result()
    asked = runs.get(anna, "a")
    assert asked is not None
    assert (asked.state, asked.cancel) == ("running", True)


def test_a_run_that_nobody_asked_for_cannot_be_cancelled(database: Database, anna: int) -> None:
    leased(database, anna).start_run("a", "sync", NOON)
    assert not database.requested_runs.cancel(anna, "a")


def test_asking_does_not_wait_for_a_run_that_writes(database: Database, anna: int) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("has one writer at a time")
    store = leased(database, anna)
    with ThreadPoolExecutor(1) as pool, store.transaction():
        store.note_seen(Side.ORO, Entity.CONTACT, ["1"])
        assert pool.submit(database.requested_runs.add, anna, "a", "sync", {}).result().outcome == "new"


def test_an_account_that_was_removed_meanwhile_gets_no_run(database: Database, anna: int) -> None:
    database.accounts.remove(anna)
    with pytest.raises(BadInput, match="any more"):
        database.requested_runs.add(anna, "a", "sync", {})


def test_a_run_whose_worker_died_can_be_ended_without_another_request(
    database: Database, anna: int, clock: SetClock
) -> None:
    runs = database.requested_runs
    runs.add(anna, "a", "sync", {})
    runs.claim(anna, "a")
    runs.end_dead(anna)
    assert runs.active(anna) == "a"  # it has just begun
    clock.at = NOON + timedelta(minutes=2)
    runs.end_dead(anna)
    asked = runs.get(anna, "a")
    assert asked is not None
    assert asked.state == "failed"


def test_one_that_waits_its_turn_is_not_dead(database: Database, anna: int, clock: SetClock) -> None:
    database.requested_runs.add(anna, "a", "sync", {})
    clock.at = NOON + timedelta(days=2)
    database.requested_runs.end_dead(anna)
    assert database.requested_runs.active(anna) == "a"
