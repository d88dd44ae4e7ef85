"""Counts of records are remembered while nobody can have changed them, and not for a moment longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, leased

from orosync.core.ledger import Unlinked
from orosync.core.records import Entity, Link, LinkState, Side
from orosync.store.database import AccountStore, Database

TTL = timedelta(minutes=10)


def link(number: int) -> Link:
    return Link(0, Entity.CONTACT, f"o{number}", str(number))


def alone(number: int) -> Unlinked:
    return Unlinked(Side.ORO, Entity.CONTACT, f"a{number}", "v", None, None, None, "")


def counts(store: AccountStore) -> tuple[int, int]:
    """As a run asks: in the transaction that journals a page."""
    with store.transaction():
        return store.count_links(Entity.CONTACT), store.count_unlinked(Side.ORO, Entity.CONTACT)


def next_run(database: Database, store: AccountStore, owner: str = "worker") -> AccountStore:
    assert store._lease is not None
    database.leases.release(store._lease)
    return leased(database, store._account_id, owner)


@pytest.fixture
def counted(database: Database) -> list[str]:
    """Every time that the database had to count."""
    asked: list[str] = []

    def note(*told: object) -> None:
        if "count(*)" in str(told[2]):
            asked.append(str(told[2]))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    return asked


def test_one_run_after_the_other_counts_once(store: AccountStore, database: Database, counted: list[str]) -> None:
    store.add_link(link(1))
    store.save_unlinked([alone(1)])
    assert counts(store) == (1, 1)
    assert len(counted) == 2
    for _ in range(3):
        store = next_run(database, store)
        assert counts(store) == (1, 1)
    assert len(counted) == 2


def test_whatever_is_written_is_counted(store: AccountStore) -> None:
    number = store.add_link(link(1))
    assert counts(store) == (1, 0)
    store.add_links([link(2), link(3)])
    assert counts(store) == (3, 0)
    store.save_unlinked([alone(1), alone(2)])
    assert counts(store) == (3, 2)
    store.drop_unlinked(Side.ORO, Entity.CONTACT, ["a1"])
    assert counts(store) == (3, 1)
    store.update_link(replace(link(1), id=number, state=LinkState.TOMBSTONE))
    assert counts(store) == (2, 1)
    store.drop_link(store.links_by_id(Side.ORO, Entity.CONTACT, ["2"])["2"].id)
    assert counts(store) == (1, 1)


def test_what_is_rolled_back_was_never_counted(store: AccountStore) -> None:
    assert counts(store) == (0, 0)

    def interrupted() -> None:
        with store.transaction():
            store.add_link(link(1))
            assert store.count_links(Entity.CONTACT) == 1
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert counts(store) == (0, 0)


def test_what_somebody_else_did_meanwhile_is_counted(store: AccountStore, database: Database) -> None:
    """Another process, with books of its own."""
    assert counts(store) == (0, 0)
    elsewhere = Database(database.engine)
    theirs = next_run(elsewhere, store, "elsewhere")
    theirs.add_link(link(1))
    assert counts(next_run(database, theirs)) == (1, 0)


def test_who_lost_the_account_spoils_nothing(store: AccountStore, database: Database) -> None:
    """It counts just before its successor's transaction ends, and does not know yet that it has one."""
    lost, found = store, list[int]()
    successor = database.leases.take(store._account_id, "two", NOON + 2 * TTL, TTL)
    mine = database.account_store(store._account_id, successor)
    with mine.transaction():
        mine.add_link(link(1))
        late = threading.Thread(target=lambda: found.append(lost.count_links(Entity.CONTACT)))
        late.start()
        late.join()
    assert found == [0]
    assert counts(mine) == (1, 0)


def test_whoever_only_reads_always_counts(store: AccountStore, database: Database) -> None:
    assert counts(store) == (0, 0)
    reader = database.account_store(store._account_id)
    store.add_link(link(1))
    assert reader.count_links(Entity.CONTACT) == 1


def test_accounts_do_not_share_their_books(database: Database, new_account: Callable[..., int]) -> None:
    anna, boris = leased(database, new_account("anna")), leased(database, new_account("boris"))
    anna.add_link(link(1))
    assert counts(anna) == (1, 0)
    assert counts(boris) == (0, 0)
