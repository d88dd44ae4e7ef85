"""Calls on their way to the database: many in one transaction, one a second for an account, and none lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from orosync.core.records import Side
from orosync.errors import TryLater
from orosync.web.calls import Calls

OUTLOOK, BOTH = frozenset({Side.OUTLOOK}), frozenset(Side)


class Ledger:
    """In place of the database: what was written, by transaction. It can be away, or slow."""

    def __init__(self) -> None:
        self.written: list[dict[int, frozenset[Side]]] = []
        self.in_turn: list[int] = []  # how many accounts of the instance
        self.accounts_there = 3
        self.away = False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.due_work = self.webhooks = self

    def transaction(self) -> Ledger:
        return self

    def __enter__(self) -> None:
        self.entered.set()
        assert self.gate.wait(10)
        self._now: dict[int, frozenset[Side]] = {}

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.written.append(self._now)

    def call(self, account_ids: list[int], sides: frozenset[Side]) -> None:
        if self.away:
            raise TryLater("away")
        self._now |= dict.fromkeys(account_ids, sides)

    def accounts(self, _orocrm_url: str) -> list[int]:
        return list(range(self.accounts_there))

    def call_in_turn(self, account_ids: list[int], side: Side, _chance: object) -> None:
        if self.away:
            raise TryLater("away")
        assert side is Side.ORO
        self.in_turn.append(len(account_ids))


class Hand:
    def __init__(self) -> None:
        self.at = 50.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def calls(ledger: Ledger, hand: Hand) -> Iterator[Calls]:
    found = Calls(ledger, monotonic=hand)  # type: ignore[arg-type]
    yield found
    found.close()


def test_whoever_calls_comes_back_when_it_is_written(calls: Calls, ledger: Ledger) -> None:
    calls.call({1: OUTLOOK, 2: BOTH})
    assert ledger.written == [{1: OUTLOOK, 2: BOTH}]
    calls.call({3: OUTLOOK})
    assert ledger.written[1:] == [{3: OUTLOOK}]


def test_what_comes_within_the_second_is_gathered_and_written_when_it_ends(
    calls: Calls, ledger: Ledger, hand: Hand
) -> None:
    calls.call({1: OUTLOOK})
    hand.at += 0.4
    calls.call({1: OUTLOOK})
    calls.call({1: BOTH, 2: OUTLOOK})
    assert ledger.written == [{1: OUTLOOK}, {2: OUTLOOK}]
    hand.at += 0.7
    calls.call({3: OUTLOOK})  # whoever comes by takes it along
    assert ledger.written[2:] == [{3: OUTLOOK, 1: BOTH}]
    calls.call({1: OUTLOOK})  # that began a second of its own
    assert len(ledger.written) == 3


def test_at_the_end_nothing_stays_behind(calls: Calls, ledger: Ledger) -> None:
    calls.call({1: OUTLOOK})
    calls.call({1: OUTLOOK})
    calls.close()
    assert ledger.written == [{1: OUTLOOK}, {1: OUTLOOK}]


def test_while_one_is_written_others_gather_for_the_next_transaction(calls: Calls, ledger: Ledger) -> None:
    ledger.gate.clear()
    threads = [threading.Thread(target=calls.call, args=({number: OUTLOOK},)) for number in range(8)]
    threads[0].start()
    assert ledger.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(calls._batch.called) < 7:
        ledger.entered.wait(0.001)
    ledger.gate.set()
    for thread in threads:
        thread.join(10)
    assert len(ledger.written) == 2
    assert set(ledger.written[1]) == set(range(1, 8))


def test_while_the_database_is_away_whoever_calls_is_told_and_may_come_again_at_once(
    calls: Calls, ledger: Ledger
) -> None:
    ledger.away = True
    for _ in range(2):
        with pytest.raises(TryLater):
            calls.call({1: OUTLOOK})
    ledger.away = False
    calls.call({1: OUTLOOK})
    assert ledger.written == [{1: OUTLOOK}]


def test_what_was_answered_already_is_tried_again(calls: Calls, ledger: Ledger, hand: Hand) -> None:
    calls.call({1: OUTLOOK})
    calls.call({1: OUTLOOK})
    hand.at += 1
    ledger.away = True
    with pytest.raises(TryLater):
        calls.call({2: OUTLOOK})
    ledger.away = False
    hand.at += 1
    calls.call({3: OUTLOOK})
    assert ledger.written == [{1: OUTLOOK}, {3: OUTLOOK, 1: OUTLOOK}]


def test_a_database_that_takes_too_long_is_a_case_for_later(
    calls: Calls, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orosync.web.calls._PATIENCE_S", 0.01)
    ledger.gate.clear()
    with pytest.raises(TryLater, match="too long"):
        calls.call({1: OUTLOOK})
    ledger.gate.set()


CRM = "https://crm.example.com"


def test_what_may_be_anybody_s_is_planned_once_in_as_long_as_the_accounts_are_many(
    calls: Calls, ledger: Ledger, hand: Hand
) -> None:
    ledger.accounts_there = 4000
    for _ in range(3):
        calls.call_all_of(CRM)
        hand.at += 2
    calls.call_all_of("https://other.example.com")
    assert ledger.in_turn == [4000, 4000], "of the three, one; the others wait until 8 s are over"
    hand.at += 2
    calls.call({1: OUTLOOK})  # whoever comes by takes it along
    assert ledger.in_turn == [4000] * 3
    assert ledger.written == [{1: OUTLOOK}]


def test_few_accounts_wait_no_longer_than_for_any_other_call(calls: Calls, ledger: Ledger, hand: Hand) -> None:
    calls.call_all_of(CRM)
    hand.at += 1
    calls.call_all_of(CRM)
    assert ledger.in_turn == [3, 3]


def test_what_may_be_anybody_s_and_could_not_be_written_is_said_and_nothing_of_it_is_lost(
    calls: Calls, ledger: Ledger, hand: Hand
) -> None:
    calls.call_all_of(CRM)
    calls.call_all_of(CRM)
    hand.at += 1
    ledger.away = True
    with pytest.raises(TryLater):
        calls.call({1: OUTLOOK})
    ledger.away = False
    hand.at += 1
    calls.call({1: OUTLOOK})
    assert ledger.in_turn == [3, 3]


def test_at_the_end_what_may_be_anybody_s_does_not_stay_behind(calls: Calls, ledger: Ledger) -> None:
    calls.call_all_of(CRM)
    calls.call_all_of(CRM)
    calls.close()
    assert ledger.in_turn == [3, 3]
