"""When a promise to call is made, renewed or left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orosync.core.push import (
    REFUSED,
    Subscription,
    calls_by_itself,
    failed,
    granted,
    is_alive,
    lost,
    next_step,
    refused,
)
from orosync.core.records import Entity, Side

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WEEK = timedelta(days=6)
NEW = Subscription(1, Side.OUTLOOK, "me/contacts", Entity.CONTACT)
GRANTED = granted(NEW, "s1", NOW + WEEK, NOW, digest="d")


def test_what_was_never_made_is_made_and_then_kept() -> None:
    assert (next_step(NEW, NOW), is_alive(NEW, NOW)) == ("make", False)
    assert (next_step(GRANTED, NOW), is_alive(GRANTED, NOW)) == ("keep", True)


@pytest.mark.parametrize(
    ("days", "step"), [(0, "keep"), (3.9, "keep"), (4.1, "renew"), (5.9, "renew"), (6, "make"), (9, "make")]
)
def test_it_is_renewed_in_the_last_third_of_its_life_and_made_anew_after_it(days: float, step: str) -> None:
    assert next_step(GRANTED, NOW + timedelta(days=days)) == step


def test_one_without_an_end_lives_until_it_is_said_to_be_lost() -> None:
    endless = granted(NEW, "7", None, NOW)
    assert next_step(endless, NOW + 100 * WEEK) == "keep"
    assert next_step(lost(endless), NOW) == "make"
    assert next_step(replace(GRANTED, since=None), NOW) == "keep"


def test_a_renewal_keeps_the_secret_and_forgets_the_trouble() -> None:
    troubled = failed(replace(GRANTED, state="renew"), NOW, None, 0.5)
    later = NOW + timedelta(minutes=5)
    assert next_step(troubled, later) == "renew"
    renewed = granted(troubled, "s1", later + WEEK, later)
    assert renewed == replace(GRANTED, since=later, expires=later + WEEK)


def test_a_failure_rests_longer_each_time_and_what_lives_goes_on_living() -> None:
    once = failed(GRANTED, NOW, None, 0.5)
    assert is_alive(once, NOW)
    assert next_step(once, NOW + timedelta(seconds=59)) == "wait"
    waits = []
    for _ in range(8):
        once = failed(once, NOW, None, 0.5)
        assert once.next_try is not None
        waits.append((once.next_try - NOW).total_seconds())
    assert waits == sorted(waits)
    assert 60 <= waits[0] < waits[-1] <= 900
    asked = failed(GRANTED, NOW, 3600, 0.0).next_try
    assert asked == NOW + timedelta(hours=1)


def test_a_refusal_is_remembered_for_a_day() -> None:
    told = refused(GRANTED, NOW)
    assert (told.id, told.digest, is_alive(told, NOW)) == (None, "", False)
    assert next_step(told, NOW + REFUSED - timedelta(seconds=1)) == "wait"
    assert next_step(told, NOW + REFUSED) == "make"


def test_a_side_calls_by_itself_when_every_wanted_entity_has_somebody_to_call() -> None:
    contacts, tasks = GRANTED, granted(replace(NEW, resource="t", entity=Entity.TASK), "s2", NOW + WEEK, NOW)
    both = {Entity.CONTACT, Entity.TASK}
    assert calls_by_itself([contacts, tasks], both, NOW)
    assert calls_by_itself([contacts, tasks], {Entity.TASK}, NOW)
    assert not calls_by_itself([contacts], both, NOW)
    assert not calls_by_itself([contacts, refused(tasks, NOW)], both, NOW)
    assert not calls_by_itself([contacts, tasks], both, NOW + WEEK)
    assert not calls_by_itself([contacts], set(), NOW)
