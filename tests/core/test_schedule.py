"""When things are done next: the rests of quarantine, retries, polls."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orosync.core.ledger import Quarantined
from orosync.core.records import Entity, Side
from orosync.core.schedule import needs_attention, next_due, quarantine_delay, rested, retry_at

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
FRACTIONS = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempts", "minutes"),
    [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (8, 640), (9, 1280), (10, 1440), (11, 1440), (10_000, 1440)],
)
def test_a_record_rests_twice_as_long_after_each_failure_up_to_a_day(attempts: int, minutes: int) -> None:
    assert quarantine_delay(attempts) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("age", "attention"),
    [
        (timedelta(), False),
        (timedelta(days=7, microseconds=-1), False),
        (timedelta(days=7), True),
        (timedelta(days=400), True),
    ],
)
def test_after_seven_days_in_quarantine_a_record_needs_attention(age: timedelta, attention: bool) -> None:
    assert needs_attention(NOW - age, NOW) is attention


@pytest.mark.parametrize(
    ("attempt", "shortest_s", "longest_s"),
    [(0, 5, 10), (1, 5, 10), (2, 10, 20), (3, 20, 40), (7, 320, 640), (8, 450, 900), (10_000, 450, 900)],
)
def test_retries_back_off_within_a_range_that_doubles(attempt: int, shortest_s: int, longest_s: int) -> None:
    assert retry_at(NOW, None, attempt, 0.0) == NOW + timedelta(seconds=shortest_s)
    assert retry_at(NOW, None, attempt, 0.5) == NOW + timedelta(seconds=(shortest_s + longest_s) / 2)
    assert NOW < retry_at(NOW, None, attempt, 0.999) < NOW + timedelta(seconds=longest_s)


@given(st.floats(0, 86_400), st.integers(0, 100), FRACTIONS)
def test_nobody_is_back_before_the_other_side_asked_for(asked_s: float, attempt: int, fraction: float) -> None:
    assert retry_at(NOW, asked_s, attempt, fraction) >= NOW + timedelta(seconds=asked_s)


def test_a_long_pause_that_was_asked_for_ends_at_different_moments() -> None:
    assert retry_at(NOW, 3600, 1, 0.0) == NOW + timedelta(hours=1)
    assert retry_at(NOW, 3600, 1, 0.5) == NOW + timedelta(hours=1, minutes=3)


def test_a_short_pause_that_was_asked_for_does_not_shorten_the_back_off() -> None:
    assert retry_at(NOW, 1, 3, 0.0) == NOW + timedelta(seconds=20)


@pytest.mark.parametrize("nonsense", [1e30, float("inf")])
def test_a_pause_of_more_than_a_day_is_not_believed(nonsense: float) -> None:
    assert retry_at(NOW, nonsense, 1, 0.0) == NOW + timedelta(days=1)


def test_a_negative_pause_counts_as_none() -> None:
    assert retry_at(NOW, -5, 1, 0.0) == NOW + timedelta(seconds=5)


def test_what_was_never_done_is_due_now() -> None:
    assert next_due(None, 120, NOW, 0.7) == NOW


def test_the_next_poll_is_an_interval_after_the_last_give_or_take_a_twentieth() -> None:
    assert next_due(NOW, 120, NOW, 0.0) == NOW + timedelta(seconds=114)
    assert next_due(NOW, 120, NOW, 0.5) == NOW + timedelta(seconds=120)
    assert NOW + timedelta(seconds=125) < next_due(NOW, 120, NOW, 0.99) < NOW + timedelta(seconds=126)


def test_what_is_late_is_due_now_and_not_in_the_past() -> None:
    assert next_due(NOW - timedelta(hours=5), 120, NOW, 0.5) == NOW


def test_a_row_that_fails_again_keeps_its_first_time_and_rests_longer() -> None:
    failed = Quarantined(Side.ORO, Entity.TASK, "1", "v", "bad", "refused", 1, first_at=NOW, next_try=NOW)
    first = rested(failed, None, NOW)
    assert (first.attempts, first.first_at, first.next_try) == (1, NOW, NOW + timedelta(minutes=5))
    again = rested(failed, first, NOW + timedelta(minutes=5))
    assert (again.attempts, again.first_at, again.next_try) == (2, NOW, NOW + timedelta(minutes=15))
