"""Calls bring a look forward: from a side, or because the account itself is another one now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orosync.core.due import DEBOUNCE, DueWork, Outcome, Pace, after_run, called, looked_at_soon
from orosync.core.records import Side

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
PACE = Pace({Side.OUTLOOK: 900.0, Side.ORO: 900.0})
OFF = Pace(PACE.interval_s, enabled=False)
PLANNED = DueWork(1, due_at=NOON + HOUR)


def test_a_call_during_a_run_is_heard_after_it_although_the_same_side_had_called_before() -> None:
    began = NOON + 3 * SECOND
    work = called(PLANNED, frozenset({Side.ORO}), NOON)
    work = called(work, frozenset({Side.ORO}), began + SECOND)
    after = after_run(work, Outcome("done"), PACE, began, began + 5 * SECOND, 0.5)
    assert after.called_at == {Side.ORO: began + SECOND}
    assert after.due_at == began + 5 * SECOND


def test_a_flock_of_calls_does_not_put_the_look_off() -> None:
    work = called(PLANNED, frozenset({Side.ORO}), NOON)
    assert called(work, frozenset({Side.ORO}), NOON + SECOND).due_at == NOON + DEBOUNCE


def test_other_settings_have_both_sides_read_soon() -> None:
    work = looked_at_soon(PLANNED, PACE, NOON)
    assert (work.due_at, work.urgent) == (NOON + DEBOUNCE, True)
    assert work.called_at == {Side.OUTLOOK: NOON, Side.ORO: NOON}
    assert looked_at_soon(DueWork(1), PACE, NOON).due_at == NOON + DEBOUNCE
    assert looked_at_soon(DueWork(1, due_at=NOON), PACE, NOON).due_at == NOON


def test_what_was_switched_off_is_not_planned_any_more() -> None:
    assert looked_at_soon(PLANNED, OFF, NOON).due_at is None


@pytest.mark.parametrize(("trouble", "due_at"), [("throttled", NOON + HOUR), ("failing", NOON + DEBOUNCE)])
def test_other_settings_may_mend_a_failure_but_shorten_no_pause(trouble: str, due_at: datetime) -> None:
    work = DueWork(1, due_at=NOON + HOUR, trouble=trouble)  # type: ignore[arg-type]
    after = looked_at_soon(work, PACE, NOON)
    assert (after.due_at, after.trouble) == (due_at, trouble)
