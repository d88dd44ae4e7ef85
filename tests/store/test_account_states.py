"""How accounts are doing, as the tables know it: for one, for many, and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.store.conftest import NOON, SetClock, leased

from orosync.core.account_state import Signs, account_state
from orosync.core.due import DueWork
from orosync.core.ledger import Cursor
from orosync.core.records import Entity, Side
from orosync.store.database import Database
from orosync.store.settings import user

NOT_BEGUN = Signs(begun=False)


def begin(database: Database, account_id: int) -> None:
    """As a first sync leaves it, with the lease given back."""
    store = leased(database, account_id)
    store.save_cursor(Side.ORO, Entity.TASK, Cursor(first_done=True))
    give_back(database, account_id)


def give_back(database: Database, account_id: int) -> None:
    lease = database.leases.holder(account_id)
    assert lease is not None
    database.leases.release(lease)


def ran(database: Database, account_id: int, run: str, mode: str, state: str, minutes: int = 0) -> None:
    store = leased(database, account_id)
    at = NOON + timedelta(minutes=minutes)
    store.start_run(run, mode, at)
    if state != "running":
        store.finish_run(run, state, at, {})
    give_back(database, account_id)


def signs_of(database: Database, account_id: int) -> Signs:
    return database.account_states.of([account_id])[account_id].signs


def test_an_account_of_which_nothing_is_known_yet_has_not_begun(
    database: Database, new_account: Callable[..., int]
) -> None:
    number = new_account("anna")
    facts = database.account_states.of([number, number + 100])
    assert list(facts) == [number]
    assert facts[number].signs == NOT_BEGUN
    assert facts[number].work == DueWork(number)
    assert account_state(facts[number], NOON).name == "not_started"


def test_each_table_gives_its_sign(database: Database, new_account: Callable[..., int], clock: SetClock) -> None:
    number = new_account("anna")
    begin(database, number)
    assert signs_of(database, number) == Signs()
    assert database.account_store(number).standing().begun

    database.settings.set(user(number), "enable_sync", False, by="anna")
    assert signs_of(database, number) == Signs(enabled=False)
    database.settings.set(user(number), "enable_sync", True, by="anna")
    assert signs_of(database, number) == Signs()

    ran(database, number, "r1", "sync", "held", 1)
    assert signs_of(database, number) == Signs(held=True)
    assert database.account_states.of([number])[number].held_since == NOON + timedelta(minutes=1)
    ran(database, number, "r2", "preview", "done", 2)
    assert signs_of(database, number).held, "a preview deals with nothing"
    ran(database, number, "r3", "sync", "running", 3)
    assert signs_of(database, number).held, "a run that was killed deals with nothing"
    ran(database, number, "r4", "sync", "failed", 4)
    assert signs_of(database, number) == Signs()

    database.mailboxes.take("Anna@Example.com", "worker", timedelta(seconds=8))
    assert signs_of(database, number) == Signs()
    database.mailboxes.pause("Anna@Example.com", NOON + timedelta(seconds=30))
    facts = database.account_states.of([number])[number]
    assert (facts.signs, facts.paused_until) == (Signs(paused=True), NOON + timedelta(seconds=30))
    clock.at = NOON + timedelta(seconds=31)
    facts = database.account_states.of([number])[number]
    assert (facts.signs, facts.paused_until) == (Signs(), None)

    database.due_work.change(number, lambda work: replace(work, trouble="failing", reason="Away.", since=NOON))
    facts = database.account_states.of([number])[number]
    assert (facts.signs, facts.work.reason, facts.work.since) == (Signs(trouble="failing"), "Away.", NOON)


def test_it_runs_while_somebody_holds_its_lease_and_no_longer(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    number = new_account("anna")
    leased(database, number).start_run("r1", "sync", NOON)
    facts = database.account_states.of([number])[number]
    assert (facts.signs.running, facts.running_since) == (True, NOON)
    clock.at = NOON + timedelta(minutes=11)
    facts = database.account_states.of([number])[number]
    assert (facts.signs.running, facts.running_since) == (False, None)


@pytest.mark.parametrize("state", ["suspended", "disabled"])
def test_what_the_account_itself_says_is_told_with_reason_and_time(
    database: Database, new_account: Callable[..., int], state: str
) -> None:
    number = new_account("anna")
    change: Any = {"suspended": database.accounts.suspend, "disabled": database.accounts.disable}[state]
    change(number, "The key is void.", NOON)
    facts = database.account_states.of([number])[number]
    assert (facts.signs.account, facts.account_reason, facts.account_since) == (state, "The key is void.", NOON)


def test_accounts_are_counted_by_their_signs_and_listed_by_name(
    database: Database, new_account: Callable[..., int]
) -> None:
    numbers = {name: new_account(name, organisation=name[:1]) for name in ("cleo", "anna", "bert", "adam")}
    begin(database, numbers["bert"])
    database.settings.set(user(numbers["bert"]), "enable_sync", False, by="bert")
    database.accounts.disable(numbers["cleo"], "on leave", NOON)
    assert database.account_states.counted() == {
        NOT_BEGUN: 2,
        Signs(enabled=False): 1,
        replace(NOT_BEGUN, account="disabled"): 1,
    }
    assert [number for number, _ in database.account_states.signs()] == [
        numbers[name] for name in ("adam", "anna", "bert", "cleo")
    ]
    assert database.account_states.signs("b") == [(numbers["bert"], Signs(enabled=False))]
    everybody = {number: facts.signs for number, facts in database.account_states.of(numbers.values()).items()}
    assert everybody == dict(database.account_states.signs())
