"""Both sides asked at the same time: whose error counts, what stays in the run's own thread, and that it all comes to
the same as one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from tests.sync.world import World, writes

from orosync.bootstrap.lanes import lanes
from orosync.core.records import Entity, Side
from orosync.errors import AccountBlocked, OrosyncError, SideFailing, SignInNeeded, Throttled
from orosync.sync.both_sides import Talk, talk_with
from orosync.sync.run import Report, run_account
from orosync.sync.session import RunRequest, Session

PATIENCE_S = 20


@contextmanager
def both(world: World, **request: Any) -> Iterator[Session]:
    with lanes() as launch:
        session = world.session(RunRequest(**request))
        session.launch, session.side_by_side = launch, True
        yield session


def sync(world: World) -> Report:
    world.clock.forward(minutes=1)
    with both(world) as session:
        return run_account(session)


class Told:
    """A talk of so many questions. said: what happened, in order, with the thread it happened in."""

    def __init__(self) -> None:
        self.said: list[tuple[str, threading.Thread]] = []

    def __call__(self, name: str, times: int, ask: Callable[[int], str]) -> Talk[str, str]:
        answers = []
        for number in range(times):
            answers.append((yield partial(ask, number)))
            self.said.append((f"{name} {number}", threading.current_thread()))
        return "".join(answers)

    @property
    def order(self) -> list[str]:
        return [what for what, _ in self.said]


def raising(error: OrosyncError, at: int = 0) -> Callable[[int], str]:
    def ask(number: int) -> str:
        if number == at:
            raise error
        return "a"

    return ask


def test_one_after_the_other_is_the_order_unless_the_session_says_otherwise(world: World) -> None:
    told = Told()
    talks = {side: told(side.value, 2, str) for side in Side}
    assert talk_with(world.session(), talks) == dict.fromkeys(Side, "01")
    assert told.order == ["outlook 0", "outlook 1", "oro 0", "oro 1"]


def test_both_are_asked_at_the_same_time_and_heard_in_the_threads_of_the_run(world: World) -> None:
    told, met = Told(), threading.Barrier(2, timeout=PATIENCE_S)

    def ask(number: int) -> str:
        if number < 2:
            met.wait()
        return str(number)

    with both(world) as session:
        talks = {Side.OUTLOOK: told("outlook", 2, ask), Side.ORO: told("oro", 4, ask)}
        assert talk_with(session, talks) == {Side.OUTLOOK: "01", Side.ORO: "0123"}
    assert told.order == ["outlook 0", "oro 0", "outlook 1", "oro 1", "oro 2", "oro 3"]
    assert {thread for _, thread in told.said} == {threading.current_thread()}


def test_the_error_of_the_first_side_counts_and_the_other_is_left(world: World) -> None:
    told = Told()
    talks = {
        Side.OUTLOOK: told("outlook", 1, raising(SignInNeeded("sign in"))),
        Side.ORO: told("oro", 3, raising(Throttled("later"))),
    }
    with both(world) as session, pytest.raises(SignInNeeded):
        talk_with(session, talks)
    assert told.order == []


@pytest.mark.parametrize("late", [None, AccountBlocked("blocked")])
def test_the_first_side_comes_to_its_end_before_the_error_of_the_other_is_raised(
    world: World, late: OrosyncError | None
) -> None:
    told = Told()
    talks = {
        Side.OUTLOOK: told("outlook", 3, (lambda _number: "a") if late is None else raising(late, at=2)),
        Side.ORO: told("oro", 3, raising(Throttled("later"))),
    }
    with both(world) as session, pytest.raises(Throttled if late is None else AccountBlocked):
        talk_with(session, talks)
    assert told.order == ["outlook 0", "outlook 1", "outlook 2"][: 3 if late is None else 2]


def test_nothing_is_under_way_any_more_when_an_error_is_raised(world: World) -> None:
    told, asked, failed, landed = Told(), threading.Event(), threading.Event(), threading.Event()

    def slow(_number: int) -> str:
        asked.set()
        assert failed.wait(PATIENCE_S)
        landed.set()
        return ""

    def fail(_number: int) -> str:
        assert asked.wait(PATIENCE_S)
        failed.set()
        raise SideFailing("no")

    with both(world) as session:
        with pytest.raises(SideFailing):
            talk_with(session, {Side.OUTLOOK: told("outlook", 1, fail), Side.ORO: told("oro", 1, slow)})
        assert landed.is_set()


# whole runs


def fill(world: World) -> None:
    for number in range(3):
        world.office.create("contact", {"firstName": f"Ada {number}", "lastName": "Lovelace"})
        world.mailbox.user_create("contact", {"givenName": f"Grace {number}", "surname": "Hopper"})
        world.office.create("task", {"subject": f"Call {number}"})


def test_a_run_comes_to_the_same_and_asks_the_same(world: World) -> None:
    fill(world)
    first = sync(world)
    assert (first.state, writes(first)) == ("done", 9)
    assert len(world.outlook()) == len(world.in_oro()) == 6
    assert len(world.outlook(Entity.TASK)) == 3
    again = [sync(world), world.sync()]
    assert [writes(report) for report in again] == [0, 0]
    assert again[0].requests == again[1].requests


def test_a_sign_in_that_is_over_on_one_side_suspends_although_the_other_one_wants_a_pause(world: World) -> None:
    fill(world)
    sync(world)
    world.graph.revoke_token(world.token)
    world.oro.fail_next("GET", "/api/contacts", 503, headers={"Retry-After": "17"})
    report = sync(world)
    assert (report.state, report.sign_in_needed) == ("suspended", True)


def test_what_outlook_told_is_kept_although_orocrm_cannot_be_asked(world: World) -> None:
    fill(world)
    sync(world)
    world.mailbox.user_create("contact", {"givenName": "New", "surname": "Person"})
    world.oro.fail_next("GET", "/api/tasks", 503, headers={"Retry-After": "17"})
    failed = sync(world)
    assert (failed.state, failed.retry_after_s, writes(failed)) == ("failed", 17, 0)
    assert world.store.pending_count() == 1
    assert writes(sync(world)) == 1
    assert len(world.in_oro()) == 7
