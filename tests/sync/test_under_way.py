"""Writes that are under way while the next ones are prepared: in order, remembered once, and none after the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from tests.sync.world import World, writes

from orosync.core.exchange import Write, Written
from orosync.core.records import Entity, Side
from orosync.errors import EntityForbidden, LeaseLost, OutOfTime, RecordRefused, RunCancelled, Throttled, TryLater
from orosync.store import tables
from orosync.sync.run import run_account
from orosync.sync.session import RunRequest, Session
from orosync.sync.under_way import Results, Stream, in_turn

T = TypeVar("T")


class Deferred:
    """A launch under which nothing happens until somebody waits for it: whoever prepares more in between does it while
    that is under way. told: (side, writes of this group, open intents when it landed)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: list[tuple[Side, int, int]] = []
        self.sent: list[str] = []

    def __call__(self, side: Side, work: Callable[[], T], /) -> Callable[[], T]:
        self.sent.append(side.value)

        def landed() -> T:
            results = work()
            assert isinstance(results, Mapping)
            self.told.append((side, len(results), open_intents(self.world)))
            return results

        return landed


def open_intents(world: World) -> int:
    with world.database.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(tables.intents)).scalar_one())


def people_in_oro(world: World, count: int) -> None:
    for number in range(count):
        world.office.create("contact", {"firstName": f"Ada {number}", "lastName": "Lovelace"})


def people_in_outlook(world: World, count: int) -> None:
    for number in range(count):
        world.mailbox.user_create("contact", {"givenName": f"Ada {number}", "surname": "Lovelace"})


def session_of(world: World, **request: Any) -> tuple[Session, Deferred]:
    session = world.session(RunRequest(**request))
    session.launch = deferred = Deferred(world)
    return session, deferred


def test_a_group_is_written_down_while_the_one_before_it_is_under_way_and_sent_after_it(world: World) -> None:
    people_in_oro(world, 50)
    session, deferred = session_of(world)
    report = run_account(session)
    assert deferred.told == [(Side.OUTLOOK, 20, 40), (Side.OUTLOOK, 20, 30), (Side.OUTLOOK, 10, 10)]
    assert report.state == "done"
    assert len(world.outlook()) == 50
    assert open_intents(world) == 0
    assert writes(world.sync()) == 0


def test_stamps_travel_while_the_next_records_are_made_in_oro(world: World) -> None:
    people_in_outlook(world, 50)
    session, deferred = session_of(world)
    run_account(session)
    assert deferred.sent == ["oro", "oro", "outlook", "oro", "outlook", "outlook"]
    assert world.store.links_to_stamp(Entity.CONTACT) == []
    assert writes(world.sync()) == 0


def test_a_stamp_that_was_not_taken_is_not_sent_twice_by_one_run(world: World) -> None:
    people_in_outlook(world, 3)
    world.graph.fail_next("PATCH", "contacts", 503, "ServiceUnavailable", times=1)
    session, deferred = session_of(world)
    run_account(session)
    assert deferred.sent == ["oro", "outlook"]
    waiting = len(world.store.links_to_stamp(Entity.CONTACT))
    assert waiting
    world.clock.forward(minutes=1)
    session, deferred = session_of(world)
    run_account(session)
    assert deferred.told == [(Side.OUTLOOK, waiting, 0)]
    assert world.store.links_to_stamp(Entity.CONTACT) == []


def test_after_trouble_with_a_side_what_was_prepared_is_not_sent_and_nothing_is_open(world: World) -> None:
    people_in_oro(world, 60)
    world.graph.fail_next("POST", "contacts", 429, "TooManyRequests", times=1)
    session, deferred = session_of(world)
    report = run_account(session)
    assert report.state == "failed"
    assert report.throttled
    assert len(deferred.told) == 1
    assert len(world.outlook()) < 20
    assert open_intents(world) == 0
    world.clock.forward(minutes=10)
    world.settle()
    assert len(world.outlook()) == 60


@pytest.mark.parametrize("trouble", [OutOfTime, RunCancelled], ids=["its time is over", "a person stops it"])
def test_a_run_that_has_to_end_first_hears_of_what_is_under_way(world: World, trouble: type[Exception]) -> None:
    people_in_oro(world, 60)
    session, deferred = session_of(world)

    def progress(what: str, done: int, _total: int) -> None:
        if what.startswith("writing") and done >= 40:
            raise trouble("enough")

    session.progress = progress
    assert run_account(session).state == "cancelled"
    assert len(deferred.told) == 2
    assert open_intents(world) == 0
    assert world.store.count_links(Entity.CONTACT) == len(world.outlook()) == 40
    world.settle()
    assert len(world.outlook()) == 60


def test_what_has_landed_is_remembered_where_the_next_group_could_not_be_prepared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_in_oro(world, 60)
    session, deferred = session_of(world)
    prepare, prepared = session.store.prepare_intents, [0]

    def locked(intents: Any) -> None:
        prepared[0] += 1
        if prepared[0] == 3:
            raise TryLater("The database is busy.")
        prepare(intents)

    monkeypatch.setattr(session.store, "prepare_intents", locked)
    assert run_account(session).state == "failed"
    assert len(deferred.told) == 2
    assert open_intents(world) == 0
    assert world.store.count_links(Entity.CONTACT) == len(world.outlook()) == 40


def test_who_had_to_wait_for_the_group_before_it_counts_as_sent_when_it_is_sent(world: World) -> None:
    """How long a create may be invisible is reckoned from there."""
    people_in_oro(world, 40)
    session, _ = session_of(world)
    sent_at: list[timedelta] = []

    def slow(request: Any, _reply: Any) -> None:
        if b'"POST"' not in request.raw_body:
            return
        world.clock.forward(minutes=1)
        with world.database.engine.connect() as connection:
            found = connection.execute(sa.select(sa.func.min(tables.intents.c.sent_at))).scalar_one()
            sent_at.append(world.clock.now() - found)

    world.graph.after_request(slow)
    assert run_account(session).state == "done"
    assert sent_at == [timedelta(minutes=1), timedelta(minutes=1)]


# ---------------------------------------------------------------------------------------------------- by itself


class Port:
    side = Side.ORO
    writes_at_once = 4

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def write(self, some: list[Write]) -> Results:
        self.asked.append([each.op_id for each in some])
        found = {each.op_id: self.answers.get(each.op_id, Written(None)) for each in some}
        for each in found.values():
            if isinstance(each, LeaseLost):
                raise each
        return found


def group(*op_ids: str) -> list[tuple[str, Write]]:
    return [(op_id, Write(op_id, "delete", Entity.CONTACT, {})) for op_id in op_ids]


def send_all(stream: Stream[str], *groups: list[tuple[str, Write]], trouble: Exception | None = None) -> None:
    with stream:
        for each in groups:
            stream.send(each)
        if trouble is not None:
            raise trouble


class Books:
    """What a stream remembered and dropped."""

    def __init__(self, answers: dict[str, Any], *, ends: type[Exception] = Throttled) -> None:
        self.port, self.kept, self.dropped = Port(answers), [], []  # type: ignore[var-annotated]
        self.stream: Stream[str] = Stream(
            self.port,  # type: ignore[arg-type]
            in_turn,
            remember=lambda some, results: self.kept.append({name: results[write.op_id] for name, write in some}),
            drop=lambda some: self.dropped.extend(name for name, _ in some),
            ends=lambda result: isinstance(result, ends),
        )


def test_as_many_as_the_side_takes_at_once_and_each_answer_remembered_once() -> None:
    refused = RecordRefused("no", code="no")
    books = Books({"b": refused})
    with books.stream as stream:
        stream.send(group("a", "b", "c", "d", "e"))
        assert books.kept == []
        stream.send(group("f"))
        assert [set(each) for each in books.kept] == [{"a", "b", "c", "d", "e"}]
        stream.send(group("g"))
    assert books.port.asked == [["a", "b", "c", "d"], ["e"], ["f"], ["g"]]
    assert [list(each) for each in books.kept] == [["a", "b", "c", "d", "e"], ["f"], ["g"]]
    assert books.kept[0]["b"] is refused
    assert books.dropped == []


def test_after_trouble_the_rest_of_the_group_is_not_sent_and_the_next_one_is_dropped() -> None:
    throttled = Throttled("not now", retry_after_s=5)
    books = Books({"b": throttled})
    with books.stream as stream:
        stream.send(group("a", "b", "c", "d", "e", "f"))
        stream.send(group("g", "h"))
        stream.send(())
    assert books.port.asked == [["a", "b", "c", "d"]]
    assert books.kept[0]["b"] is throttled
    assert [type(books.kept[0][name]).__name__ for name in "ef"] == ["TryLater", "TryLater"]
    assert books.dropped == ["g", "h"]


def test_what_ends_a_stream_is_up_to_who_uses_it() -> None:
    books = Books({"a": EntityForbidden("no", entity="contact")}, ends=EntityForbidden)
    with books.stream as stream:
        stream.send(group("a", "b"))
        stream.send(group("c"))
    assert books.port.asked == [["a", "b"]]
    assert books.dropped == ["c"]


def test_an_account_that_was_taken_over_is_told_where_the_answer_is_waited_for() -> None:
    books = Books({"b": LeaseLost("gone")})
    with pytest.raises(LeaseLost):
        send_all(books.stream, group("a", "b"), group("c"))
    assert books.port.asked == [["a", "b"]]
    assert books.kept == []


def test_trouble_of_who_sends_is_no_reason_to_forget_what_landed() -> None:
    books = Books({})
    with pytest.raises(TryLater):
        send_all(books.stream, group("a"), group("b"), trouble=TryLater("The database is busy."))
    assert [list(each) for each in books.kept] == [["a"], ["b"]]


def test_who_was_overtaken_remembers_nothing_more() -> None:
    books = Books({})
    with pytest.raises(LeaseLost):
        send_all(books.stream, group("a"), trouble=LeaseLost("gone"))
    assert books.port.asked == [["a"]]
    assert books.kept == []


def test_where_a_group_cannot_leave_the_one_before_it_is_remembered() -> None:
    books = Books({})

    def leaving(some: list[tuple[str, Write]]) -> None:
        if some[0][0] == "b":
            raise TryLater("The database is busy.")

    books.stream._leaving = leaving  # type: ignore[assignment]
    with pytest.raises(TryLater):
        send_all(books.stream, group("a"), group("b"))
    assert books.port.asked == [["a"]]
    assert [list(each) for each in books.kept] == [["a"]]


def test_where_remembering_breaks_nothing_is_left_under_way() -> None:
    landed: list[str] = []

    def launch(_side: Side, work: Callable[[], T], /) -> Callable[[], T]:
        def wait() -> T:
            results = work()
            assert isinstance(results, Mapping)
            landed.extend(results)
            return results

        return wait

    def remember(_some: object, _results: object) -> None:
        raise ValueError("the database is away")

    port = Port({})
    stream: Stream[str] = Stream(
        port,  # type: ignore[arg-type]
        launch,
        remember=remember,
        drop=lambda _some: None,
        ends=lambda _result: False,
    )
    with pytest.raises(ValueError, match="away"):
        send_all(stream, group("a"), group("b"))
    assert landed == ["a", "b"]
