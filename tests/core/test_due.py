"""When an account is looked at next: a table of what came of a run, and what a call changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.due import (
    ANYBODYS_S,
    BLOCKED_S,
    DEBOUNCE,
    HELD_S,
    SIGNED_OUT_S,
    DueWork,
    Outcome,
    Pace,
    after_run,
    asked_for,
    called,
    next_look,
    perhaps_called,
    replanned,
    sides_due,
)
from orosync.core.records import Side
from orosync.core.schedule import LONGEST_RETRY_AFTER_S

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVEN = 0.5  # chance that stretches no interval
PACE = Pace({Side.OUTLOOK: 30.0, Side.ORO: 120.0})
OFF = replace(PACE, enabled=False)
BOTH, OUTLOOK, ORO = frozenset(Side), frozenset({Side.OUTLOOK}), frozenset({Side.ORO})


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def read(outlook: float, oro: float, **more: object) -> DueWork:
    """Sides that were read so many seconds ago."""
    work = DueWork(1, due_at=NOW, read_at={Side.OUTLOOK: ago(outlook), Side.ORO: ago(oro)})
    return replace(work, **more)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- which sides


@pytest.mark.parametrize(
    ("work", "due"),
    [
        (DueWork(1), BOTH),
        (read(0, 0), frozenset()),
        (read(30, 30), OUTLOOK),
        (read(27, 107), OUTLOOK),
        (read(30, 108), BOTH),
        (read(10, 120), ORO),
        (read(1, 1, called_at={Side.ORO: NOW}), ORO),
        (read(1, 1, called_at={Side.ORO: ago(-1)}), frozenset()),
        (read(1, 120, called_at={Side.ORO: ago(-500)}), ORO),
    ],
    ids=[
        "never read",
        "just read",
        "one interval is over",
        "almost over",
        "one that is almost due goes along",
        "the other one",
        "called",
        "called for later",
        "called for later than its interval",
    ],
)
def test_a_side_is_read_when_its_interval_is_over_or_it_called(work: DueWork, due: frozenset[Side]) -> None:
    assert sides_due(work, PACE, NOW) == due


def test_the_next_look_is_for_whoever_is_due_first_and_never_before_now() -> None:
    assert next_look(read(0, 100), PACE, NOW, EVEN) == NOW + timedelta(seconds=20)
    assert next_look(read(0, 0), PACE, NOW, EVEN) == NOW + timedelta(seconds=30)
    assert next_look(read(500, 500), PACE, NOW, EVEN) == NOW
    assert next_look(read(0, 0, called_at={Side.ORO: ago(1)}), PACE, NOW, EVEN) == ago(1) + DEBOUNCE


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 10_000), st.floats(0, 10_000))
def test_a_look_comes_within_an_interval_and_its_spread(chance: float, outlook: float, oro: float) -> None:
    at = next_look(read(outlook, oro), PACE, NOW, chance)
    assert NOW <= at <= NOW + timedelta(seconds=30 * 1.05)


# ---------------------------------------------------------------------------------------------------- calls


def test_a_call_brings_the_look_forward_after_a_moment_for_others_to_come() -> None:
    work = replace(read(0, 0), due_at=NOW + timedelta(seconds=30))
    once = called(work, ORO, NOW)
    assert (once.due_at, once.urgent, once.called_at) == (NOW + DEBOUNCE, True, {Side.ORO: NOW})
    again = called(once, BOTH, NOW + timedelta(seconds=1))
    assert again.due_at == NOW + DEBOUNCE
    assert again.called_at == dict.fromkeys(Side, NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    "work",
    [DueWork(1), read(0, 0, trouble="failing", due_at=NOW + timedelta(minutes=5))],
    ids=["not kept in step", "in trouble"],
)
def test_a_call_hurries_nobody_who_is_not_kept_in_step_or_waits_because_of_trouble(work: DueWork) -> None:
    after = called(work, OUTLOOK, NOW)
    assert after == replace(work, called_at={Side.OUTLOOK: NOW})


# ------------------------------------------------------------------------------- something new that is anybody's

MANY = 500  # accounts of an instance
TURN = timedelta(seconds=MANY * ANYBODYS_S)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("work", "chance", "called_at"),
    [
        (read(0, 1000), 0.0, NOW + DEBOUNCE),
        (read(0, 1000), EVEN, NOW + DEBOUNCE + TURN / 2),
        (read(0, 0), 0.0, NOW + TURN),
        (read(0, 30), 0.0, ago(30) + TURN),
        (DueWork(1), 0.0, NOW + TURN),
        (read(0, 1000, called_at={Side.ORO: ago(-5)}), EVEN, ago(-5)),
        (read(0, 1000, called_at={Side.ORO: LATER}), EVEN, NOW + DEBOUNCE + TURN / 2),
        (read(0, 1000, called_at={Side.ORO: ago(5)}), EVEN, NOW),
    ],
    ids=[
        "at once by chance",
        "in the middle of its turn",
        "all others first, having just looked",
        "the rest of its turn",
        "never read",
        "as soon as it was called before",
        "sooner than it was called before",
        "about to look, or looking",
    ],
)
def test_what_may_be_anybody_s_is_looked_for_in_turn(work: DueWork, chance: float, called_at: datetime) -> None:
    after = perhaps_called(replace(work, due_at=LATER), Side.ORO, MANY, NOW, chance)
    assert after.called_at == {Side.ORO: called_at}
    assert after.due_at == min(called_at, LATER)
    assert not after.urgent
    alone = perhaps_called(read(0, 1000, due_at=LATER), Side.ORO, 1, NOW, EVEN)
    assert alone.due_at is not None
    assert alone.due_at < NOW + DEBOUNCE + timedelta(seconds=1), "one alone is as fast as for any other call"


@pytest.mark.parametrize(
    "work",
    [DueWork(1), read(0, 0, trouble="throttled", due_at=NOW + timedelta(minutes=5))],
    ids=["not kept in step", "in trouble"],
)
def test_it_hurries_nobody_who_is_not_kept_in_step_or_waits_because_of_trouble(work: DueWork) -> None:
    after = perhaps_called(work, Side.ORO, MANY, NOW, EVEN)
    assert after == replace(work, called_at={Side.ORO: NOW + TURN})


def test_however_much_is_new_an_account_looks_once_in_the_time_that_all_take() -> None:
    pace = Pace({Side.OUTLOOK: 10_000.0, Side.ORO: 10_000.0})
    work, now, looks = read(0, 0, due_at=LATER), NOW, 0
    for second in range(1000):
        now = NOW + timedelta(seconds=second)
        work = perhaps_called(work, Side.ORO, MANY, now, (second * 0.37) % 1)
        assert work.due_at is not None
        if work.due_at <= now:
            sides = sides_due(work, pace, now)
            assert sides == ORO
            work, looks = after_run(work, Outcome("done", sides), pace, now, now, EVEN), looks + 1
    assert 8 <= looks <= 1000 / TURN.total_seconds()


def test_a_call_for_later_is_no_reason_to_try_a_suspended_account_at_once() -> None:
    work = read(0, 0, called_at={Side.ORO: LATER})
    after = after_run(work, Outcome("suspended"), PACE, ago(1), NOW, EVEN)
    assert after.due_at == NOW + timedelta(seconds=BLOCKED_S * 1.05)
    assert after.called_at == work.called_at


# ---------------------------------------------------------------------------------------------------- after a run

WELL = {"trouble": "", "reason": "", "since": None, "attempts": 0, "urgent": False}
TROUBLED = read(30, 120, trouble="failing", reason="no answer", since=ago(60), attempts=2, urgent=True)


@pytest.mark.parametrize("state", ["done", "held"])
@pytest.mark.parametrize("sides", [BOTH, OUTLOOK, ORO], ids=["both", "outlook", "oro"])
def test_a_run_that_came_to_its_end_ends_trouble_and_remembers_whose_feed_it_read(
    state: str, sides: frozenset[Side]
) -> None:
    after = after_run(TROUBLED, Outcome(state, sides), PACE, ago(1), NOW, EVEN)
    assert {name: getattr(after, name) for name in WELL} == WELL
    assert after.read_at == {side: ago(1) if side in sides else TROUBLED.read_at[side] for side in Side}


@pytest.mark.parametrize(
    ("outcome", "pace", "wait_s"),
    [
        (Outcome("done"), PACE, 29),
        (Outcome("done", ORO), PACE, 0),
        (Outcome("done"), OFF, None),
        (Outcome("held"), PACE, HELD_S - 1),
        (Outcome("held"), Pace({Side.OUTLOOK: 5000.0, Side.ORO: 6000.0}), 4999),
        (Outcome("done", unfinished=True), PACE, 0),
        (Outcome("cancelled", unfinished=True), PACE, 0),
        (Outcome("cancelled", unfinished=True), OFF, None),
        (Outcome("cancelled"), Pace({Side.OUTLOOK: 40.0, Side.ORO: 400.0}), 10),
        (Outcome("suspended"), PACE, BLOCKED_S * 1.05),
        (Outcome("suspended", sign_in_needed=True), PACE, SIGNED_OUT_S * 1.05),
        (Outcome("suspended"), OFF, None),
        (Outcome("failed"), PACE, 7.5),
        (Outcome("failed", throttled=True, retry_after_s=100), PACE, 105),
        (Outcome("failed", throttled=True, retry_after_s=10**9), PACE, LONGEST_RETRY_AFTER_S * 1.05),
        (Outcome("failed"), OFF, None),
    ],
    ids=lambda value: "-".join((value.state, str(value.retry_after_s))) if isinstance(value, Outcome) else "",
)
def test_what_came_of_a_run_decides_when_the_next_look_is(outcome: Outcome, pace: Pace, wait_s: float | None) -> None:
    after = after_run(read(30, 120), outcome, pace, ago(1), NOW, EVEN)
    assert after.due_at == (None if wait_s is None else NOW + timedelta(seconds=wait_s))
    assert not after.urgent


def test_failures_in_a_row_are_counted_from_the_first_and_wait_longer_each_time() -> None:
    work, waits = read(0, 0), []
    for _ in range(4):
        work = after_run(work, Outcome("failed", reason="no answer"), PACE, NOW, NOW, EVEN)
        assert work.due_at is not None
        waits.append((work.due_at - NOW).total_seconds())
    assert waits == [7.5, 15, 30, 60]
    assert (work.attempts, work.since, work.trouble, work.reason) == (4, NOW, "failing", "no answer")
    assert after_run(work, Outcome("failed", throttled=True), PACE, NOW, NOW, EVEN).trouble == "throttled"


@pytest.mark.parametrize(
    "outcome", [Outcome("done"), Outcome("suspended"), Outcome("held")], ids=["done", "suspended", "held"]
)
def test_a_call_that_came_during_the_run_is_served_after_it(outcome: Outcome) -> None:
    began = ago(10)
    work = read(0, 0, called_at={Side.OUTLOOK: ago(20), Side.ORO: ago(5)})
    after = after_run(work, outcome, PACE, began, NOW, EVEN)
    assert after.called_at == {Side.ORO: ago(5)}
    assert after.due_at is not None
    assert after.due_at <= NOW + DEBOUNCE


def test_what_was_called_for_before_a_run_that_failed_is_still_called_for() -> None:
    work = read(0, 0, called_at={Side.OUTLOOK: ago(20)})
    assert after_run(work, Outcome("failed"), PACE, ago(10), NOW, EVEN).called_at == work.called_at


# ---------------------------------------------------------------------------------------------------- planned anew


@pytest.mark.parametrize(
    ("work", "pace", "suspended", "wait_s"),
    [
        (read(0, 0), OFF, False, None),
        (read(0, 0), PACE, False, 30),
        (read(0, 0), PACE, True, BLOCKED_S * 1.05),
        (TROUBLED, PACE, False, 15),
    ],
    ids=["off", "well", "suspended", "in trouble"],
)
def test_after_what_says_nothing_about_it_an_account_is_planned_as_it_stands(
    work: DueWork, pace: Pace, suspended: bool, wait_s: float | None
) -> None:
    after = replanned(work, pace, NOW, EVEN, suspended=suspended)
    assert after.due_at == (None if wait_s is None else NOW + timedelta(seconds=wait_s))
    assert not after.urgent
    assert after.trouble == work.trouble


@pytest.mark.parametrize("due_in_s", [None, -30, 300], ids=["nothing planned", "due", "planned"])
def test_who_is_asked_for_is_due_at_once_and_whoever_was_due_before_keeps_their_place(due_in_s: float | None) -> None:
    work = DueWork(1, due_at=None if due_in_s is None else NOW + timedelta(seconds=due_in_s), attempts=2)
    place = NOW if due_in_s is None else min(NOW, NOW + timedelta(seconds=due_in_s))
    assert asked_for(work, NOW) == replace(work, due_at=place, urgent=True)
