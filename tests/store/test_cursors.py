"""Where the feeds stand: read once by whoever holds the account, and never believed after a rollback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, leased

from orosync.core.ledger import Cursor
from orosync.core.records import Entity, Side
from orosync.store.database import AccountStore, Database

HERE = (Side.ORO, Entity.CONTACT)


def test_each_scope_has_its_own_and_an_empty_one_at_first(store: AccountStore) -> None:
    assert store.cursor(*HERE) == Cursor()
    saved = Cursor("page 2", 3, NOON, first_done=True, fingerprint="f", balance=7)
    store.save_cursor(*HERE, saved)
    assert store.cursor(*HERE) == saved
    assert store.cursor(Side.OUTLOOK, Entity.CONTACT) == Cursor()
    store.save_cursor(*HERE, Cursor("page 3"))
    assert store.cursor(*HERE) == Cursor("page 3")


def test_whoever_holds_the_account_asks_the_database_once(store: AccountStore, database: Database) -> None:
    store.save_cursor(*HERE, Cursor("page 2"))
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    for side in Side:
        for entity in Entity:
            store.cursor(side, entity)
    assert len([each for each in asked if "FROM cursors" in each]) == 1


def test_what_was_rolled_back_is_forgotten(store: AccountStore) -> None:
    store.save_cursor(*HERE, Cursor("page 2"))

    def interrupted() -> None:
        with store.transaction():
            store.save_cursor(*HERE, Cursor("page 3"))
            assert store.cursor(*HERE) == Cursor("page 3")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert store.cursor(*HERE) == Cursor("page 2")


def test_whoever_only_reads_sees_what_others_save(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    reader, writer = database.account_store(anna), leased(database, anna)
    assert reader.cursor(*HERE) == Cursor()
    writer.save_cursor(*HERE, Cursor("page 2"))
    assert reader.cursor(*HERE) == Cursor("page 2")
    lease = database.leases.take(anna, "worker", NOON, timedelta(minutes=10))
    assert database.account_store(anna, lease).cursor(*HERE) == Cursor("page 2")


def test_what_was_saved_is_known_without_asking_again_once_it_stands(store: AccountStore, database: Database) -> None:
    store.cursor(*HERE)
    with store.transaction():
        store.save_cursor(*HERE, Cursor("page 2"))
        store.save_cursor(Side.OUTLOOK, Entity.TASK, Cursor("token"))
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert store.cursor(*HERE) == Cursor("page 2")
    assert store.cursor(Side.OUTLOOK, Entity.TASK) == Cursor("token")
    assert not [each for each in asked if "FROM cursors" in each]


def test_what_stood_before_is_known_after_a_rollback_in_which_others_were_saved(store: AccountStore) -> None:
    store.cursor(*HERE)
    store.save_cursor(*HERE, Cursor("page 2"))

    def interrupted() -> None:
        with store.transaction():
            store.save_cursor(Side.OUTLOOK, Entity.TASK, Cursor("token"))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    with store.transaction():
        store.save_cursor(Side.ORO, Entity.TASK, Cursor("page 7"))
    assert store.cursor(*HERE) == Cursor("page 2")
    assert store.cursor(Side.OUTLOOK, Entity.TASK) == Cursor()
    assert store.cursor(Side.ORO, Entity.TASK) == Cursor("page 7")
