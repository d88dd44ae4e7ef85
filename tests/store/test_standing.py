"""What a run begins on is read in one question, and says what single questions would say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, leased

from orosync.core.ledger import Cursor, Intent
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.errors import BadInput
from orosync.store.accounts import AtHand
from orosync.store.database import AccountStore, Database
from orosync.store.settings import SYSTEM, organisation, user


def intent(op_id: str = "op") -> Intent:
    return Intent(op_id, "run", Entity.CONTACT, Side.ORO, "create", "source", {"uid": None}, "sent", NOON, 1)


def test_a_new_account_stands_nowhere(store: AccountStore) -> None:
    standing = store.standing()
    assert standing.levels == ({}, {}, {})
    assert not any((standing.begun, standing.subscribed, standing.hooked, standing.intends))


def test_each_of_its_parts_is_noticed(store: AccountStore, database: Database) -> None:
    store.save_cursor(Side.ORO, Entity.CONTACT, Cursor("page", first_done=True))
    assert store.standing().begun
    database.subscriptions.save(Subscription(store._account_id, Side.OUTLOOK, "/me/contacts", Entity.CONTACT))
    assert store.standing().subscribed
    assert database.webhooks.begin("https://crm.example.com/", "contact.update") is not None
    assert store.standing().hooked
    store.prepare_intents([intent()])
    assert store.standing().intends


def test_settings_of_all_levels_come_along(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna", organisation="navy")
    for level in (SYSTEM, organisation("navy"), organisation("army"), user(anna)):
        database.settings.set(level, "crm_sync_interval", 60, by="admin")
    store = database.account_store(anna)
    assert store.standing().levels == store.settings_levels() == ({"crm_sync_interval": 60},) * 3


def test_an_account_that_is_gone_is_named(database: Database) -> None:
    with pytest.raises(BadInput):
        database.account_store(4711).standing()


def test_what_a_run_began_with_goes_until_it_writes(store: AccountStore, database: Database) -> None:
    account = database.accounts.get(store._account_id)
    store.begin_with(account)
    store.begin_without_intents()
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert store.account() is account
    assert store.open_intents() == []
    assert not asked
    store.save_facts({"oro": {"user_id": "7"}})
    store.prepare_intents([intent()])
    assert store.account() == replace(account, facts={"oro": {"user_id": "7"}})
    assert [each.op_id for each in store.open_intents()] == ["op"]


def test_what_was_prepared_and_not_sent_is_abandoned(store: AccountStore) -> None:
    store.prepare_intents([replace(intent(), state="prepared", sent_at=None)])
    assert store.open_intents() == []
    assert not store.standing().intends


def test_an_account_at_hand_and_whether_somebody_wants_or_has_it(
    database: Database, new_account: Callable[..., int]
) -> None:
    anna, boris = new_account("anna"), new_account("boris")
    database.requested_runs.add(boris, "a", "sync", {})
    assert database.accounts.at_hand(anna, NOON) == AtHand(database.accounts.get(anna), wished=False, leased=False)
    assert database.accounts.at_hand(boris, NOON) == AtHand(database.accounts.get(boris), wished=True, leased=False)
    assert database.requested_runs.claim(boris, "a")
    assert database.accounts.at_hand(boris, NOON).wished, "its worker may have died"
    assert database.requested_runs.end(boris, "a", "done", {})
    assert not database.accounts.at_hand(boris, NOON).wished
    lease = database.leases.take(anna, "worker", NOON, timedelta(seconds=8))
    assert lease is not None
    assert database.accounts.at_hand(anna, NOON + timedelta(seconds=7)).leased
    assert not database.accounts.at_hand(anna, NOON + timedelta(seconds=8)).leased
    database.leases.release(lease)
    assert not database.accounts.at_hand(anna, NOON).leased
    with pytest.raises(BadInput):
        database.accounts.at_hand(4711, NOON)


def test_secrets_that_are_read_together_are_those_that_are_read_one_by_one(
    database: Database, new_account: Callable[..., int]
) -> None:
    secrets = database.secrets(new_account("anna"))
    secrets.set("oro", "key")
    with secrets.together():
        assert (secrets.get("oro"), secrets.get("graph_token")) == ("key", None)
    secrets.set("graph_token", "token")
    assert secrets.get("graph_token") == "token", "each is read anew afterwards"


def test_what_is_planned_is_due_at_once_where_somebody_asked_meanwhile(
    database: Database, new_account: Callable[..., int]
) -> None:
    anna = new_account("anna")
    later = NOON + timedelta(hours=1)
    assert database.due_work.plan(anna, lambda work: replace(work, due_at=later)).due_at == later
    database.requested_runs.add(anna, "a", "sync", {})
    planned = database.due_work.plan(anna, lambda work: replace(work, due_at=later))
    assert (planned.due_at, planned.urgent) == (NOON, True)
    assert database.due_work.get(anna) == planned


def test_who_begins_is_told_what_is_due(database: Database, new_account: Callable[..., int]) -> None:
    anna = new_account("anna")
    assert database.due_work.begin(anna).due_at is None
    database.due_work.change(anna, lambda work: replace(work, due_at=NOON))
    database.workers.sign("here:1", 4)
    assert [each.account_id for each in database.due_work.claim(1, 4)] == [anna]
    assert database.due_work.in_hand() == 1
    assert database.due_work.begin(anna) == database.due_work.get(anna)
    assert database.due_work.in_hand() == 0


def test_reading_together_uses_one_connection(store: AccountStore, database: Database) -> None:
    with database.reading():
        with database._transactions.reading() as one, database._transactions.reading() as other:
            assert one is other
        with store.transaction(), database._transactions.reading() as written:
            assert written is not one, "what is written is read where it is written"
    leased(database, store._account_id)
