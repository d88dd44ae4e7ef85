"""Synchronisation by itself: at the intervals people set, each feed at its own; asked for at once; off means off.

The clock is the test's: a second passes when it says so, and a round of the dispatcher is made in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.jobs.background_world import HOUSE, Background

from orosync import bootstrap
from orosync.core.due import SAFETY_POLL_S
from orosync.core.records import Side
from orosync.errors import TryLater
from orosync.jobs.dispatcher import Dispatcher
from orosync.jobs.local import LocalQueue

World = Callable[..., Background]
SOON_S = 30.0  # a test that needs them has failed


def in_oro(world: Background) -> set[str]:
    return {str(each["firstName"]) for each in world.oro.contacts()}


def in_outlook(world: Background, name: str) -> set[str]:
    return {str(each["givenName"]) for each in world.mailbox(name).items("contact")}


def make_in_oro(world: Background, name: str) -> None:
    world.oro.back_office_as(world.oro.user("admin")).create("contact", {"firstName": name, "lastName": "Lovelace"})


def make_in_outlook(world: Background, name: str, first: str) -> None:
    world.mailbox(name).user_create("contact", {"givenName": first, "surname": "Hopper"})


def seconds_until(world: Background, happened: Callable[[], bool], at_most: int = 1000) -> int:
    for second in range(1, at_most):
        world.second()
        if happened():
            return second
    raise AssertionError(f"not within {at_most} s")


def test_at_the_default_intervals_changes_on_either_side_of_three_accounts_arrive_by_themselves(
    background: World,
) -> None:
    world = background("anna", "boris", "clara")
    world.first_sync()
    waits: dict[str, int] = {}
    for name in world.ids:
        world.seconds(7)  # not all at the same moment of the intervals
        make_in_outlook(world, name, f"from {name}")
        waits[f"Outlook of {name} to OroCRM"] = seconds_until(world, lambda n=name: f"from {n}" in in_oro(world))  # type: ignore[misc]
    make_in_oro(world, "from OroCRM")
    waits["OroCRM to all"] = seconds_until(
        world, lambda: all("from OroCRM" in in_outlook(world, name) for name in world.ids)
    )
    print("\nseconds until a change arrived, intervals 30 s (Outlook) and 120 s (OroCRM):", waits)
    assert all(wait <= 34 for name, wait in waits.items() if name.startswith("Outlook"))
    assert waits["OroCRM to all"] <= 130
    world.seconds(300)  # and those of Outlook travel on to the other mailboxes
    everybody = {"from OroCRM", *(f"from {name}" for name in world.ids)}
    assert in_oro(world) == everybody
    for name in world.ids:
        assert in_outlook(world, name) == everybody
        assert len(world.mailbox(name).items("contact")) == len(everybody)


def test_each_side_is_asked_at_its_own_interval(background: World) -> None:
    world = background()
    world.first_sync()
    world.seconds(5)
    world.oro.forget_requests()
    world.graph.clear_log()
    world.seconds(600)
    outlook = world.graph.statistics.requests
    oro = len(world.oro.request_log)
    assert 18 <= outlook <= 22  # each 30 s one batch
    assert 3 * 5 <= oro <= 4 * 7  # each 120 s contacts, tasks, and the events of two calendars at most


def test_sync_now_waits_for_nothing_that_is_merely_due(background: World) -> None:
    world = background("anna", "boris", "clara")
    world.first_sync()
    world.queue.at_once = False
    world.clock.forward(minutes=3)
    world.ask("now", name="clara")
    world.queue.put(world.ids["clara"], urgent=True)
    world.second()
    assert world.queue.messages[0] == world.ids["clara"]
    assert sorted(world.queue.messages) == sorted(world.ids.values())


def test_switched_off_it_is_synced_on_demand_and_else_left_alone(background: World) -> None:
    world = background()
    world.first_sync()
    level = bootstrap.level_of(world.account())
    world.database.settings.set(level, "enable_sync", False, by="anna")
    make_in_oro(world, "Ada")
    world.seconds(300)
    assert in_outlook(world, "anna") == set()
    assert world.database.due_work.get(world.ids["anna"]).due_at is None
    world.ask("now")
    world.work.carry_out(world.ids["anna"])
    assert in_outlook(world, "anna") == {"Ada"}
    assert world.database.due_work.get(world.ids["anna"]).due_at is None


def test_a_call_brings_the_look_forward_and_asks_the_side_that_called_alone(background: World) -> None:
    world = background()
    world.database.settings.set(bootstrap.level_of(None), "outlook_sync_interval", int(SAFETY_POLL_S), by="test")
    world.database.settings.set(bootstrap.level_of(None), "crm_sync_interval", int(SAFETY_POLL_S), by="test")
    world.first_sync()
    world.seconds(5)
    make_in_outlook(world, "anna", "Grace")
    before = len([each for each in world.oro.request_log if each.method == "GET"])
    for _ in range(5):  # they come in flocks
        world.database.due_work.call([world.ids["anna"]], frozenset({Side.OUTLOOK}))
    assert seconds_until(world, lambda: "Grace" in in_oro(world)) <= 3
    feeds = [each for each in list(world.oro.request_log)[before:] if "sort=" in str(each)]
    assert feeds == []
    assert world.seconds(60) == 0


def test_a_call_during_a_run_is_not_lost(background: World) -> None:
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)

    def call(*_: object) -> None:
        world.clock.forward(seconds=1)
        world.database.due_work.call([world.ids["anna"]], frozenset({Side.ORO}))
        stop()

    stop = world.graph.after_request(call)
    world.work.carry_out(world.ids["anna"])
    work = world.database.due_work.get(world.ids["anna"])
    assert Side.ORO in work.called_at
    assert work.due_at is not None
    assert work.due_at - world.clock.now() <= timedelta(seconds=2)


def test_a_plan_that_waits_for_a_person_is_looked_at_less_often_and_told_once(background: World) -> None:
    world = background()
    world.first_sync()
    for number in range(205):  # more than the guard lets through by itself
        make_in_oro(world, f"Ada {number}")
    world.clock.forward(minutes=3)
    world.second()
    store = world.database.account_store(world.ids["anna"])
    assert store.runs()[0]["state"] == "held"
    count = len(store.runs())
    assert world.seconds(280) == 0
    assert world.seconds(60) == 1
    assert len(store.runs()) == count
    assert store.runs()[0]["state"] == "held"


def test_the_queue_of_one_machine_works_off_what_the_dispatcher_hands_out(background: World, tmp_path: Path) -> None:
    """The same with huey's threads."""
    world = background("anna", "boris")
    world.first_sync()
    make_in_oro(world, "Ada")
    world.clock.forward(minutes=3)
    world.database.workers.sign("here:1", 2)
    queue = LocalQueue(world.work, tmp_path / "queue.sqlite3", threads=2)
    queue.start()
    try:
        assert Dispatcher(world.database, queue, world.clock, HOUSE).round() == 2
        until = time.monotonic() + SOON_S
        while not all(in_outlook(world, name) == {"Ada"} for name in world.ids):
            assert time.monotonic() < until
    finally:
        queue.stop()
    assert world.database.due_work.in_hand() == 0


def test_a_queue_that_cannot_be_written_is_tried_again_and_said_once(
    background: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = background()
    world.first_sync()
    world.clock.forward(minutes=3)
    world.database.workers.sign("here:1", 2)
    queue = LocalQueue(world.work, tmp_path / "queue.sqlite3", threads=2)

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(queue, "_task", full)
    dispatcher = Dispatcher(world.database, queue, world.clock, HOUSE)
    with pytest.raises(TryLater, match="could not be written"):
        dispatcher.round()
    assert world.database.due_work.in_hand() == 0
