"""The one word for how an account is doing: every combination of signs against a table written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from orosync.core.account_state import STATES, AccountFacts, AccountState, Signs, account_state, next_run_at, state_name
from orosync.core.due import DueWork
from orosync.core.records import Side

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EARLIER, LATER = NOON - timedelta(minutes=5), NOON + timedelta(minutes=5)
WELL = AccountFacts(Signs(), DueWork(1, due_at=LATER, read_at={Side.OUTLOOK: EARLIER, Side.ORO: NOON}))

# One column for each sign, "*" for "whatever"; the first line that fits says the word.
#  account    running held  begun  enabled paused trouble
TABLE = """
   disabled   *       *     *      *       *      *          disabled
   suspended  *       *     *      *       *      *          suspended
   active     yes     *     *      *       *      *          running
   active     no      yes   *      *       *      *          held
   active     no      no    yes    no      *      *          off
   active     no      no    *      *       yes    *          throttled
   active     no      no    *      *       no     throttled  throttled
   active     no      no    *      *       no     failing    failing
   active     no      no    yes    yes     no     none       waiting
   active     no      no    no     *       no     none       not_started
"""


def row_of(signs: Signs) -> list[str]:
    flags = (signs.running, signs.held, signs.begun, signs.enabled, signs.paused)
    return [signs.account, *("yes" if each else "no" for each in flags), signs.trouble or "none"]


def expected(signs: Signs) -> str:
    row = row_of(signs)
    for line in TABLE.strip().splitlines():
        *wanted, word = line.split()
        if all(each in {"*", here} for each, here in zip(wanted, row, strict=True)):
            return word
    raise AssertionError(f"the table says nothing about {signs}")


EVERY = [
    Signs(account, *flags, trouble)
    for account, flags, trouble in product(
        ("active", "suspended", "disabled"), product((True, False), repeat=5), ("", "throttled", "failing")
    )
]


def test_every_combination_of_signs_has_the_word_that_the_table_gives_it() -> None:
    assert len(EVERY) == 288
    assert [state_name(signs) for signs in EVERY] == [expected(signs) for signs in EVERY]
    assert {state_name(signs) for signs in EVERY} == set(STATES)


@pytest.mark.parametrize("signs", EVERY[::7], ids=lambda signs: "-".join(row_of(signs)))
def test_every_state_but_the_calm_ones_says_why_and_what_to_do(signs: Signs) -> None:
    state = account_state(replace(WELL, signs=signs), NOON)
    calm = state.name in {"waiting", "running"}
    assert (state.reason == "", state.remedy == "") == (calm, calm)


def test_an_account_that_waits_tells_since_when_both_sides_are_known_and_when_it_is_looked_at_next() -> None:
    state = account_state(WELL, NOON)
    assert (state.name, state.since, state.until) == ("waiting", EARLIER, LATER)


def test_a_look_that_is_overdue_is_due_now() -> None:
    late = replace(WELL, work=replace(WELL.work, due_at=EARLIER))
    assert next_run_at(late, NOON) == NOON


@pytest.mark.parametrize(
    "signs", [Signs(account="disabled"), Signs(enabled=False), Signs(begun=False)], ids=["disabled", "off", "not begun"]
)
def test_what_is_not_kept_in_step_by_itself_has_no_next_run(signs: Signs) -> None:
    assert next_run_at(replace(WELL, signs=signs), NOON) is None
    assert next_run_at(replace(WELL, work=DueWork(1)), NOON) is None


def test_trouble_tells_its_own_reason_since_when_and_until_when() -> None:
    work = replace(WELL.work, trouble="failing", reason="OroCRM cannot be reached.", since=EARLIER)
    state = account_state(replace(WELL, signs=Signs(trouble="failing"), work=work), NOON)
    assert (state.name, state.reason, state.since, state.until) == (
        "failing",
        "OroCRM cannot be reached.",
        EARLIER,
        LATER,
    )


def test_a_paused_mailbox_is_throttled_until_its_pause_and_its_next_look_are_over() -> None:
    pause = LATER + timedelta(minutes=1)
    paused = replace(WELL, signs=Signs(paused=True), paused_until=pause)
    state = account_state(paused, NOON)
    assert (state.name, state.until) == ("throttled", pause)
    assert state.reason
    on_demand = replace(paused, signs=Signs(paused=True, begun=False), work=DueWork(1))
    assert account_state(on_demand, NOON).until == pause


def test_suspended_and_disabled_tell_what_the_account_was_told() -> None:
    for account in ("suspended", "disabled"):
        facts = replace(WELL, signs=Signs(account=account), account_reason="The key is void.", account_since=EARLIER)
        state = account_state(facts, NOON)
        assert (state.name, state.reason, state.since) == (account, "The key is void.", EARLIER)


def test_running_and_held_tell_since_when() -> None:
    facts = replace(WELL, running_since=EARLIER, held_since=NOON)
    running = account_state(replace(facts, signs=Signs(running=True, held=True)), LATER)
    held = account_state(replace(facts, signs=Signs(held=True)), LATER)
    assert (running.since, running.until, held.since, held.until) == (EARLIER, None, NOON, None)


def test_it_is_told_as_json_with_times_to_the_second() -> None:
    at = datetime(2026, 11, 23, 9, 0, 5, 999, tzinfo=UTC)
    state = AccountState("failing", "no answer", "wait", since=at)
    assert state.to_json() == {
        "state": "failing",
        "reason": "no answer",
        "remedy": "wait",
        "since": "2026-11-23T09:00:05Z",
        "until": None,
    }
