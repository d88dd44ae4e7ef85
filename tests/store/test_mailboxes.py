"""One at a time talks to a mailbox, in whatever process, and its budget goes along from turn to turn."""

from __future__ import annotations

import threading
from datetime import timedelta

from tests.store.conftest import NOON, SetClock

from orosync.store.database import Database
from orosync.store.mailboxes import CAPACITY, REFILL_PER_S, MailboxTurn

ANNA = "Anna.Becker@contoso.example"
TTL = timedelta(seconds=8)


def taken(database: Database, owner: str, mailbox: str = ANNA) -> MailboxTurn:
    turn = database.mailboxes.take(mailbox, owner, TTL)
    assert turn is not None
    return turn


def test_a_new_mailbox_has_its_whole_budget(database: Database) -> None:
    assert taken(database, "one") == MailboxTurn(ANNA.lower(), "one", CAPACITY, NOON, None)
    assert database.mailboxes.owner(ANNA) == "one"
    assert database.mailboxes.owner("nobody@contoso.example") is None


def test_capacity_and_refill_together_stay_within_ten_thousand_in_ten_minutes() -> None:
    assert CAPACITY + 600 * REFILL_PER_S <= 10_000


def test_nobody_else_has_a_turn_until_it_is_given_back_whatever_case_the_name_is_in(database: Database) -> None:
    turn = taken(database, "one")
    assert database.mailboxes.take(ANNA.upper(), "two", TTL) is None
    taken(database, "three", "other@contoso.example")
    database.mailboxes.release(turn, 100.0)
    again = taken(database, "two", ANNA.upper())
    assert (again.tokens, again.counted_at) == (100.0, NOON)


def test_a_turn_that_is_not_kept_ends_by_itself(database: Database, clock: SetClock) -> None:
    turn = taken(database, "killed")
    clock.at = NOON + TTL - timedelta(seconds=1)
    assert database.mailboxes.take(ANNA, "two", TTL) is None
    database.mailboxes.keep(turn, TTL, 50.0)
    clock.at = NOON + TTL
    assert database.mailboxes.take(ANNA, "two", TTL) is None, "it was kept"
    clock.at += TTL
    assert taken(database, "two").tokens == 50.0, "what it had told is not forgotten"


def test_whoever_lost_the_turn_changes_nothing_any_more(database: Database, clock: SetClock) -> None:
    lost = taken(database, "late")
    clock.at = NOON + TTL
    taken(database, "two")
    database.mailboxes.keep(lost, TTL, 1.0)
    database.mailboxes.release(lost, 1.0)
    assert database.mailboxes.owner(ANNA) == "two"
    clock.at += TTL
    assert taken(database, "three").tokens == CAPACITY


def test_the_same_owner_may_take_it_again(database: Database) -> None:
    taken(database, "one")
    assert taken(database, "one").owner == "one"


def test_a_turn_of_the_dead_is_taken_over_but_not_one_that_changed_hands(database: Database) -> None:
    taken(database, "dead")
    assert database.mailboxes.take_over(ANNA, "somebody else", "two", TTL) is None
    found = database.mailboxes.take_over(ANNA, "dead", "two", TTL)
    assert found is not None
    assert database.mailboxes.owner(ANNA) == "two"


def test_a_pause_is_told_to_everybody_until_it_is_over(database: Database, clock: SetClock) -> None:
    turn = taken(database, "one")
    database.mailboxes.release(turn, 10.0)
    until = NOON + timedelta(seconds=30)
    database.mailboxes.pause(ANNA.upper(), until)
    assert database.mailboxes.paused_until(ANNA) == until
    assert taken(database, "two").paused_until == until
    clock.at = until
    assert database.mailboxes.paused_until(ANNA) is None
    assert database.mailboxes.paused_until("nobody@contoso.example") is None


def test_of_many_that_want_it_at_once_one_gets_it(database: Database) -> None:
    got: list[MailboxTurn | None] = []
    go = threading.Barrier(6)

    def want(owner: str) -> None:
        go.wait(10)
        got.append(database.mailboxes.take(ANNA, owner, TTL))

    threads = [threading.Thread(target=want, args=(f"worker {n}",)) for n in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert len(got) == 6
    assert sum(each is not None for each in got) == 1
