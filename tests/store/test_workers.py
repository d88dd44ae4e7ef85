"""Signs of life: who carries out work, how much at once, and who has died."""

from __future__ import annotations

from datetime import timedelta

from tests.store.conftest import NOON, SetClock

from orosync.store.database import Database
from orosync.store.workers import LOST_AFTER, SIGN_EVERY, Worker


def test_a_worker_is_known_from_its_first_sign_until_it_leaves(database: Database, clock: SetClock) -> None:
    assert database.workers.all() == []
    database.workers.sign("b", 4)
    database.workers.sign("a", 2)
    clock.at = NOON + SIGN_EVERY
    database.workers.sign("b", 4)
    assert database.workers.all() == [Worker("a", 2, NOON, NOON), Worker("b", 4, NOON, NOON + SIGN_EVERY)]
    database.workers.leave("b")
    database.workers.leave("nobody")
    assert [each.name for each in database.workers.all()] == ["a"]


def test_whoever_gives_no_sign_for_too_long_is_buried_once(database: Database, clock: SetClock) -> None:
    database.workers.sign("killed", 4)
    database.workers.sign("alive", 4)
    clock.at = NOON + LOST_AFTER
    database.workers.sign("alive", 4)
    assert database.workers.bury() == [], "it may just be slow"
    clock.at += timedelta(milliseconds=1)
    assert database.workers.bury() == ["killed"]
    assert database.workers.bury() == []
    assert [each.name for each in database.workers.all()] == ["alive"]


def test_a_worker_that_was_taken_for_dead_is_back_with_its_next_sign(database: Database, clock: SetClock) -> None:
    database.workers.sign("slow", 3)
    clock.at = NOON + 2 * LOST_AFTER
    assert database.workers.bury() == ["slow"]
    database.workers.sign("slow", 3)
    assert database.workers.all() == [Worker("slow", 3, clock.at, clock.at)]


def test_two_signs_may_be_missed() -> None:
    assert LOST_AFTER > 3 * SIGN_EVERY
