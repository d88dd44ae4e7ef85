"""Leases and transactions: one worker at a time, and a late one writes nothing (I22)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from tests.store.conftest import NOON, leased

from orosync.core.exchange import Sighting
from orosync.core.records import Entity, Link, Side
from orosync.errors import BadInput, LeaseLost
from orosync.store.database import AccountStore, Database
from orosync.store.leases import Lease

TTL = timedelta(minutes=10)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_live_lease_keeps_others_away_and_an_expired_one_does_not(
    database: Database, new_account: Callable[..., int]
) -> None:
    account = new_account("anna")
    leases = database.leases
    first = leases.take(account, "one", NOON, TTL)
    assert first == Lease(account, "one", 1, at(10))
    assert leases.take(account, "two", at(9), TTL) is None
    assert leases.holder(account) == first
    second = leases.take(account, "two", at(10), TTL)
    assert second == Lease(account, "two", 2, at(20))
    with pytest.raises(LeaseLost):
        leases.renew(first, at(11), TTL)
    leases.release(first)  # no longer its own: nothing happens
    assert leases.holder(account) == second
    assert leases.renew(second, at(25), TTL) == Lease(account, "two", 2, at(35))
    assert leases.take(account, "one", at(30), TTL) is None


def test_a_lease_given_back_is_free_at_once_and_void(database: Database, new_account: Callable[..., int]) -> None:
    account = new_account("anna")
    lease = database.leases.take(account, "one", NOON, TTL)
    assert lease is not None
    database.leases.release(lease)
    assert database.leases.holder(account) is None
    with pytest.raises(LeaseLost):
        database.account_store(account, lease).save_facts({})
    second = database.leases.take(account, "two", NOON, TTL)
    assert second is not None
    assert second.epoch == 2


def test_the_same_piece_of_work_takes_its_lease_again_after_a_crash(
    database: Database, new_account: Callable[..., int]
) -> None:
    account = new_account("anna")
    before = leased(database, account, "task 7")
    after = leased(database, account, "task 7")
    after.journal(Side.ORO, Entity.TASK, [Sighting("1")], 1)
    with pytest.raises(LeaseLost):
        before.journal(Side.ORO, Entity.TASK, [Sighting("2")], 1)


def test_no_lease_for_an_account_that_is_not_there(database: Database) -> None:
    with pytest.raises(BadInput):
        database.leases.take(4711, "one", NOON, TTL)


def test_without_a_lease_a_store_only_reads(database: Database, new_account: Callable[..., int]) -> None:
    account = new_account("anna")
    reader = database.account_store(account)
    assert reader.pending_count() == 0
    with pytest.raises(LeaseLost):
        reader.journal_done([1])
    with pytest.raises(LeaseLost), reader.transaction():
        pass
    lease = database.leases.take(account, "one", NOON, TTL)
    with pytest.raises(ValueError, match="another account"):
        database.account_store(account + 1, lease)


def test_nothing_of_a_transaction_stays_when_it_fails_even_if_nested(store: AccountStore) -> None:
    def half() -> None:
        with store.transaction():
            store.journal(Side.ORO, Entity.TASK, [Sighting("1")], 1)
            with store.transaction():
                store.journal(Side.ORO, Entity.TASK, [Sighting("2")], 1)
            assert store.pending_count() == 2  # it reads what it wrote
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert store.pending_count() == 0


def test_others_see_a_transaction_when_it_is_committed_and_not_before(database: Database, store: AccountStore) -> None:
    with ThreadPoolExecutor(1) as elsewhere, store.transaction():
        store.journal(Side.ORO, Entity.TASK, [Sighting("1")], 1)
        assert elsewhere.submit(store.pending_count).result() == 0
    assert store.pending_count() == 1


def test_a_takeover_waits_for_the_commit_it_would_overtake(database: Database, store: AccountStore) -> None:
    account = store.account().id
    asked = threading.Event()

    def take() -> Lease | None:
        asked.set()
        return database.leases.take(account, "two", at(60), TTL)

    with ThreadPoolExecutor(1) as elsewhere:
        with store.transaction():
            store.add_link(Link(0, Entity.TASK, "A", "1"))
            taking = elsewhere.submit(take)
            asked.wait()
            store.add_link(Link(0, Entity.TASK, "B", "2"))
            assert not taking.done()
        lease = taking.result()
    assert lease is not None
    assert store.count_links(Entity.TASK) == 2
    with pytest.raises(LeaseLost):
        store.drop_link(1)


def test_of_many_who_ask_at_once_one_gets_the_lease(database: Database, new_account: Callable[..., int]) -> None:
    accounts = [new_account(f"account {number}") for number in range(10)]

    def take_all(owner: str) -> list[Lease | None]:
        return [database.leases.take(account, owner, NOON, TTL) for account in accounts]

    with ThreadPoolExecutor(4) as workers:
        taken = list(workers.map(take_all, ["one", "two", "three", "four"]))
    for row in zip(*taken, strict=True):
        assert sum(lease is not None for lease in row) == 1


def test_writers_of_several_accounts_wait_for_each_other_and_lose_nothing(
    database: Database, new_account: Callable[..., int]
) -> None:
    stores = [leased(database, new_account(f"account {number}")) for number in range(4)]

    def work(store: AccountStore) -> int:
        for number in range(25):
            with store.transaction():
                cursor = store.cursor(Side.ORO, Entity.TASK)
                store.save_cursor(Side.ORO, Entity.TASK, type(cursor)(generation=cursor.generation + 1))
                store.journal(Side.ORO, Entity.TASK, [Sighting(str(number))], number)
        return store.cursor(Side.ORO, Entity.TASK).generation + store.pending_count()

    with ThreadPoolExecutor(4) as workers:
        assert list(workers.map(work, stores)) == [50] * 4


def test_removing_an_account_stops_whoever_works_on_it(database: Database, store: AccountStore) -> None:
    database.accounts.remove(store.account().id)
    with pytest.raises(LeaseLost):
        store.journal(Side.ORO, Entity.TASK, [Sighting("1")], 1)
