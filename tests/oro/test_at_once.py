"""Several questions at the same time: how many, whose error counts, and what is never asked at all."""

from __future__ import annotations

import gc
import os
import threading
from contextvars import ContextVar
from typing import Any

import pytest
from tests.oro.conftest import Reader, World

from orosync.core.exchange import FeedPage, FeedRequest
from orosync.core.records import Entity
from orosync.errors import SideFailing, SignInNeeded, Throttled
from orosync.oro.at_once import AtOnce

PATIENCE_S = 20
_who: ContextVar[str] = ContextVar("who", default="nobody")


class Meeting:
    """Requests wait for each other until `size` of them are under way. most: how many there were at a time."""

    def __init__(self, world: World, size: int) -> None:
        self.most, self._under_way, self._size = 0, 0, size
        self._guard, self._met = threading.Lock(), threading.Event()
        self._handle = world.oro.handle
        world.oro.handle = self.handle  # type: ignore[method-assign]

    def handle(self, asked: Any) -> Any:
        with self._guard:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            if self._under_way == self._size:
                self._met.set()
        assert self._met.wait(PATIENCE_S), "they came one after the other"
        try:
            return self._handle(asked)
        finally:
            with self._guard:
                self._under_way -= 1


def test_answers_come_in_the_order_of_the_questions() -> None:
    for most in (1, 2, 4, 20):
        with AtOnce(most).questions() as ask:
            answers = [ask(lambda number=number: number * 2) for number in range(9)]  # type: ignore[misc]
        assert [answer() for answer in answers] == [number * 2 for number in range(9)]


def test_nobody_asked_is_no_answer() -> None:
    assert AtOnce(4).all([]) == []


def test_one_at_a_time_is_the_asking_thread_alone_and_stops_at_the_first_error() -> None:
    threads: list[threading.Thread] = []

    def ask() -> None:
        threads.append(threading.current_thread())
        if len(threads) == 2:
            raise SideFailing("no")

    with pytest.raises(SideFailing):
        AtOnce(1).all([ask] * 4)
    assert threads == [threading.current_thread()] * 2


def test_questions_within_questions_do_not_raise_the_number_and_do_not_wait_for_ever() -> None:
    at_once, guard, four_met = AtOnce(4), threading.Lock(), threading.Event()
    threads: set[threading.Thread] = set()

    def request() -> int:
        with guard:
            threads.add(threading.current_thread())
            if len(threads) == 4:
                four_met.set()
        assert four_met.wait(PATIENCE_S)
        return 1

    def several() -> int:
        return sum(at_once.all([request] * 5))

    assert sum(at_once.all([several] * 6)) == 30
    assert len(threads) == 4


def test_the_first_error_in_their_order_wins_and_what_has_not_begun_does_not_begin() -> None:
    failed, begun = threading.Event(), []

    def late() -> None:
        assert failed.wait(PATIENCE_S)
        raise SignInNeeded("the first in order, the last in time")

    def early() -> None:
        failed.set()
        raise Throttled("the last in order")

    with pytest.raises(SignInNeeded):
        AtOnce(2).all([late, early, *[lambda: begun.append(1)] * 5])
    assert begun == []


def test_what_is_known_of_the_run_is_known_in_every_thread() -> None:
    met = threading.Barrier(3)

    def ask() -> str:
        met.wait(PATIENCE_S)
        return _who.get()

    token = _who.set("ada")
    try:
        assert AtOnce(3).all([ask] * 3) == ["ada"] * 3
    finally:
        _who.reset(token)


def meets(size: int) -> bool:
    """So many are under way at the same time."""
    met = threading.Barrier(size, timeout=PATIENCE_S)
    return len(AtOnce(size).all([met.wait] * size)) == size


def test_the_next_run_uses_the_threads_of_one_that_is_over() -> None:
    gc.collect()
    assert meets(4)
    gc.collect()
    before = set(threading.enumerate())
    for _ in range(20):
        assert meets(4)
        gc.collect()
    assert set(threading.enumerate()) <= before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no such processes here")
def test_a_forked_process_has_threads_of_its_own() -> None:
    assert meets(4)
    child = os.fork()
    if child == 0:
        os._exit(0 if meets(4) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# what the side makes of it


def test_finding_out_asks_four_things_at_a_time_and_none_twice(world: World) -> None:
    world.oro.back_office.create("task", {"subject": "A"})
    meeting = Meeting(world, 4)
    facts = world.side(at_once=4, audit=True).facts
    assert meeting.most == 4
    assert world.side(audit=True).facts == facts


def test_finding_out_asks_nothing_twice(world: World) -> None:
    world.oro.back_office.create("task", {"subject": "A"})
    side = world.side()
    side.discover()
    asked = world.requests()
    assert len(asked) == len(set(asked)) == 11


def test_the_lists_of_all_entities_are_asked_for_at_the_same_time(world: World) -> None:
    hour = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}
    world.oro.back_office.create("event", {"title": "Talk"} | hour)
    side = world.side(at_once=4)
    first = side.pages([FeedRequest(entity, None) for entity in Entity])
    cursors = [page.cursor for page in first if isinstance(page, FeedPage)]
    meeting = Meeting(world, 4)
    world.oro.forget_requests()
    again = side.pages([FeedRequest(*each) for each in zip(Entity, cursors, strict=True)])
    assert all(isinstance(page, FeedPage) and page.last and not page.sightings for page in again)
    assert meeting.most == len(world.requests()) == 4  # contacts, tasks; events and their number


def test_feeds_read_at_the_same_time_bring_what_they_bring_one_after_the_other(world: World) -> None:
    for number in range(7):
        world.oro.back_office.create("contact", {"firstName": f"Ada {number}"})
        world.oro.back_office.create("task", {"subject": f"Call {number}"})
        world.clock.forward(minutes=1)
    requests = [FeedRequest(entity, None) for entity in Entity]
    assert world.side(at_once=4, audit=True).pages(requests) == world.side(audit=True).pages(requests)


def test_a_pause_that_one_list_is_asked_for_ends_all_of_them(world: World) -> None:
    side = world.side(at_once=4)
    world.oro.fail_next("GET", "/api/tasks", 503, headers={"Retry-After": "17"})
    with pytest.raises(Throttled) as pause:
        side.pages([FeedRequest(entity, None) for entity in Entity])
    assert pause.value.retry_after_s == 17


def test_trouble_of_one_entity_is_in_its_place_while_the_others_are_read(world: World) -> None:
    world.oro.back_office.create("contact", {"firstName": "Ada"})
    side = world.side(at_once=4)
    world.oro.fail_next("GET", "/api/tasks", 500, times=2)
    contacts, tasks, events = side.pages([FeedRequest(entity, None) for entity in Entity])
    assert isinstance(tasks, SideFailing)
    assert isinstance(contacts, FeedPage)
    assert len(contacts.sightings) == 1
    assert isinstance(events, FeedPage)


def test_a_list_that_one_page_holds_is_one_request_the_first_time_too(world: World) -> None:
    world.oro.back_office.create("contact", {"firstName": "Ada"})
    reader = Reader(world.side(), Entity.CONTACT)
    world.oro.forget_requests()
    assert len(reader.ids()) == 1
    assert len(world.requests()) == 1
    assert reader.ids() == []
