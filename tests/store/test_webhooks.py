"""Registrations for OroCRM's webhooks, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet
from tests.store.conftest import SECRET_KEY, SetClock, leased

from orosync.core.ledger import Unlinked
from orosync.core.records import Entity, Link, LinkState, Side
from orosync.store.database import Database
from orosync.store.vault import Vault
from orosync.store.webhooks import InTheMaking, reseal

CRM = "https://crm.example.com"


def begun(database: Database, topic: str = "contact.updated") -> InTheMaking:
    found = database.webhooks.begin(CRM, topic)
    assert found is not None
    return found


def test_there_is_one_registration_for_an_instance_and_topic_however_its_address_is_written(database: Database) -> None:
    begun(database)
    assert database.webhooks.begin(f"{CRM}/", "contact.updated") is None
    assert database.webhooks.begin(CRM, "contact.deleted") is not None
    assert database.webhooks.begin("https://other.example.com", "contact.updated") is not None
    assert [each.topic for each in database.webhooks.of_instance(f"{CRM}/")] == ["contact.deleted", "contact.updated"]


def test_one_whose_maker_died_is_begun_again_and_one_that_is_made_is_not(database: Database, clock: SetClock) -> None:
    begun(database, "contact.created")
    done = begun(database)
    database.webhooks.made(done.digest, "uuid-1")
    clock.at += timedelta(minutes=11)
    assert database.webhooks.begin(CRM, "contact.created") is not None
    assert database.webhooks.begin(CRM, "contact.updated") is None


def test_an_address_leads_to_its_registration_and_no_other_does(database: Database) -> None:
    making = begun(database)
    found = database.webhooks.called(making.token)
    assert found is not None
    assert (found[0].topic, found[1]) == ("contact.updated", making.secret)
    assert database.webhooks.called(making.token[:-1] + "x") is None
    assert database.webhooks.called(making.digest) is None


def test_the_address_of_a_forgotten_registration_is_still_known_for_ours(database: Database) -> None:
    making = begun(database)
    database.webhooks.drop(making.digest)
    assert database.webhooks.called(making.token) is None
    assert database.webhooks.was_ours(making.token)
    assert not database.webhooks.was_ours("abc")
    assert not database.webhooks.was_ours(Fernet(Fernet.generate_key()).encrypt(b"orocrm webhook").decode())


def test_neither_the_secret_nor_the_address_can_be_read_in_the_database(database: Database, engine: sa.Engine) -> None:
    making = begun(database)
    with engine.connect() as connection:
        text = str(connection.execute(sa.text("SELECT * FROM webhooks")).all())
    assert making.secret not in text
    assert making.token not in text


def test_a_message_is_heard_once_in_ten_minutes_and_by_each_registration(database: Database, clock: SetClock) -> None:
    making, other = begun(database), begun(database, "task.updated")
    first, second = database.webhooks.called(making.token), database.webhooks.called(other.token)
    assert first is not None
    assert second is not None
    assert not database.webhooks.has_heard(first[0], "m-1")
    for _ in range(2):
        database.webhooks.hear(first[0], "m-1")
    assert database.webhooks.has_heard(first[0], "m-1")
    assert not database.webhooks.has_heard(first[0], "m-2")
    assert not database.webhooks.has_heard(second[0], "m-1")
    clock.at += timedelta(minutes=9)
    assert database.webhooks.has_heard(first[0], "m-1")
    clock.at += timedelta(minutes=2)
    assert not database.webhooks.has_heard(first[0], "m-1")
    database.webhooks.hear(first[0], "m-1")
    assert database.webhooks.has_heard(first[0], "m-1")


def test_it_is_noted_that_an_instance_calls_but_not_at_every_call(database: Database, clock: SetClock) -> None:
    making = begun(database)

    def call(message: str) -> object:
        found = database.webhooks.called(making.token)
        assert found is not None
        database.webhooks.hear(found[0], message)
        return database.webhooks.of_instance(CRM)[0].heard_at

    first = call("m-1")
    assert first == clock.at
    clock.at += timedelta(minutes=1)
    assert call("m-2") == first
    clock.at += timedelta(minutes=5)
    assert call("m-3") == clock.at


def test_only_accounts_of_the_instance_that_hold_a_record_are_concerned_by_it(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    linked, alone, neither = (new_account(name, orocrm_url=f"{CRM}/") for name in ("linked", "alone", "neither"))
    elsewhere = new_account("elsewhere", orocrm_url="https://other.example.com")
    for account_id in (linked, elsewhere):
        store = leased(database, account_id)
        store.add_link(Link(0, Entity.CONTACT, "o-1", "12"))
        store.add_link(Link(0, Entity.CONTACT, "o-2", "13", LinkState.TOMBSTONE))
    row = Unlinked(Side.ORO, Entity.CONTACT, "12", "1")
    leased(database, alone).save_unlinked([row])
    assert database.webhooks.holding(CRM, Entity.CONTACT, "12") == [linked, alone]
    assert database.webhooks.holding(CRM, Entity.TASK, "12") == []
    assert database.webhooks.holding(CRM, Entity.CONTACT, "13") == []
    assert database.webhooks.accounts(CRM) == [linked, alone, neither]
    assert database.webhooks.accounts(CRM, but=linked) == [alone, neither]


def test_an_account_rests_until_it_was_told_to_and_takes_that_with_it(
    database: Database, new_account: Callable[..., int], clock: SetClock
) -> None:
    account_id = new_account("anna")
    assert database.webhooks.rests_until(account_id) is None
    for hours in (1, 2):
        database.webhooks.rest(account_id, clock.at + timedelta(hours=hours))
    assert database.webhooks.rests_until(account_id) == clock.at + timedelta(hours=2)
    database.accounts.remove(account_id)
    assert database.webhooks.rests_until(account_id) is None


def test_secrets_get_the_newest_key_and_what_does_not_open_is_dropped(
    database: Database, engine: sa.Engine, clock: SetClock
) -> None:
    making = begun(database)
    newest = Fernet.generate_key().decode()
    both = Vault([newest, SECRET_KEY])
    with engine.begin() as connection:
        assert reseal(connection, both) == 1
        assert reseal(connection, both) == 0
    found = Database(engine, Vault([newest]), clock).webhooks.called(making.token)
    assert found is not None
    assert found[1] == making.secret
    with engine.begin() as connection:
        assert reseal(connection, Vault([Fernet.generate_key().decode()])) == 0
    assert database.webhooks.of_instance(CRM) == []
