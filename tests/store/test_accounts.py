"""Accounts with their facts, settings by level, and secrets."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, SECRET_KEY, SetClock, account_named, leased

from orosync.core.exchange import Sighting
from orosync.core.ledger import Conflict, Cursor, Intent, OplogEntry, Quarantined, Unlinked
from orosync.core.push import Subscription
from orosync.core.records import Entity, Link, Side
from orosync.errors import BadInput, ConfigurationError, SettingError
from orosync.store import tables
from orosync.store.database import AccountStore, Database
from orosync.store.settings import SYSTEM, organisation, user
from orosync.store.vault import Vault

PLACES = {"countries": {"CZ": "Česko"}, "regions": {"CZ-JM": ["CZ", "JM", "Jihomoravský"]}}
FACTS = {"oro": {"user_id": "3", "zone": "Europe/Prague", **PLACES}, "outlook": {"mailbox_id": "m"}}


def rows_in(database: Database, table: sa.Table) -> int:
    with database.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_an_account_comes_back_as_it_was_added(database: Database) -> None:
    given = account_named("Žofia", facts=FACTS, certificate="ab:cd", organisation="North", state_since=NOON)
    account_id = database.accounts.add(given)
    stored = replace(given, id=account_id)
    assert database.accounts.named("Žofia") == database.accounts.get(account_id) == stored
    assert database.accounts.all() == [stored] == [database.account_store(account_id).account()]
    with pytest.raises(BadInput) as caught:
        database.accounts.add(given)
    assert caught.value.field == "name"


@pytest.mark.parametrize("ask", [lambda a: a.named("x"), lambda a: a.get(9), lambda a: a.remove(9)])
def test_an_account_that_is_not_there_is_named(database: Database, ask: Callable[[object], object]) -> None:
    with pytest.raises(BadInput, match="There is no account"):
        ask(database.accounts)


def test_countries_and_regions_are_stored_once_for_all_who_have_the_same(
    database: Database, store: AccountStore, new_account: Callable[..., int]
) -> None:
    other = leased(database, new_account("boris"))
    for each in (store, other):
        each.save_facts(FACTS)
        assert each.account().facts == FACTS
    assert rows_in(database, tables.places) == 1
    with database.engine.connect() as connection:
        assert "Česko" not in str(connection.execute(sa.select(tables.accounts.c.facts)).all())
    in_german = {"oro": {**FACTS["oro"], "countries": {"CZ": "Tschechien"}}}
    other.save_facts(in_german)
    assert other.account().facts == in_german
    assert store.account().facts == Database(database.engine).account_store(store.account().id).account().facts == FACTS
    store.save_facts({"oro": {"user_id": "3"}})
    assert store.account().facts == {"oro": {"user_id": "3"}}
    database.retention.drop_old(NOON, timedelta(days=90))
    assert rows_in(database, tables.places) == 1
    assert other.account().facts == in_german


def test_an_account_is_suspended_by_a_run_but_disabled_and_enabled_by_people(
    database: Database, store: AccountStore
) -> None:
    account_id = store.account().id
    store.set_state("suspended", "key refused", NOON)
    suspended = store.account()
    assert (suspended.state, suspended.state_reason, suspended.state_since) == ("suspended", "key refused", NOON)
    database.accounts.disable(account_id, "on leave", NOON)
    store.set_state("active", "", NOON)
    assert store.account().state == "disabled"
    database.accounts.enable(account_id, NOON)
    assert (store.account().state, store.account().state_reason) == ("active", "")


def test_an_account_is_connected_to_another_place_and_keeps_its_state(database: Database, store: AccountStore) -> None:
    store.save_facts(FACTS)
    before = store.account()
    database.accounts.reconnect(replace(before, orocrm_url="https://other.example.com", state="disabled", facts={}))
    assert store.account() == replace(before, orocrm_url="https://other.example.com")


def test_removing_an_account_leaves_no_row_behind_and_others_alone(
    database: Database, new_account: Callable[..., int]
) -> None:
    ids = [new_account("anna"), new_account("boris")]
    for account_id in ids:
        fill(database, account_id)
    of_nobody = {"places", "one_time_codes", "workers", "mailboxes", "webhooks", "webhook_rests", "heard_messages"}
    of_accounts = [table for name, table in tables.metadata.tables.items() if name not in of_nobody]
    assert {table.name: rows_in(database, table) for table in of_accounts} == {table.name: 2 for table in of_accounts}
    database.accounts.remove(ids[0])
    assert {table.name: rows_in(database, table) for table in of_accounts} == {table.name: 1 for table in of_accounts}
    assert new_account("clara") > ids[1]


def fill(database: Database, account_id: int) -> None:
    """One row in every table."""
    store = leased(database, account_id)
    store.save_facts(FACTS)
    store.save_cursor(Side.ORO, Entity.TASK, Cursor("c"))
    store.journal(Side.ORO, Entity.TASK, [Sighting("1")], 1)
    store.add_link(Link(0, Entity.TASK, "A", "1"))
    store.save_unlinked([Unlinked(Side.ORO, Entity.TASK, "2", "v")])
    store.prepare_intents([Intent("op", "run", Entity.TASK, Side.ORO, "create", "A", {})])
    store.add_oplog(
        [OplogEntry("op", "run", NOON, Entity.TASK, Side.ORO, "create", "A", "1", "R1", "new", None, {"subject": "s"})]
    )
    store.add_conflicts([Conflict(Entity.TASK, "A", "1", "subject", "a", "b", "c", "ask", None, NOON, "run")])
    store.quarantine(Quarantined(Side.ORO, Entity.TASK, "3", None, "code", "message", 1, NOON, NOON))
    store.start_run("run", "sync", NOON)
    store.save_plan("run", "hash", [{}], [])
    database.settings.set(user(account_id), "sync_tasks", False, by="anna")
    database.due_work.ask(account_id)
    database.subscriptions.save(Subscription(account_id, Side.OUTLOOK, "r", Entity.TASK, f"s{account_id}"))
    database.secrets(account_id).set("oro", "s3cret")


def test_settings_are_kept_by_level_with_who_changed_them_and_when(
    database: Database, clock: SetClock, new_account: Callable[..., int]
) -> None:
    account = new_account("anna", organisation="North")
    store = database.account_store(account)
    settings = database.settings
    settings.set(SYSTEM, "crm_sync_interval", 120, by="admin")
    settings.set(organisation("North"), "crm_sync_interval", 300, by="admin")
    settings.set(organisation("South"), "crm_sync_interval", 60, by="admin")
    settings.set(user(account), "match_keys.contact", ["emails"], by="anna")
    assert store.settings_levels() == (
        {"crm_sync_interval": 120},
        {"crm_sync_interval": 300},
        {"match_keys.contact": ["emails"]},
    )
    clock.at = NOON + timedelta(hours=1)
    settings.set(SYSTEM, "crm_sync_interval", 120, by="again")  # no change
    settings.set(SYSTEM, "crm_sync_interval", 90, by="boss")
    assert settings.unset(SYSTEM, "crm_sync_interval", by="boss")
    assert not settings.unset(SYSTEM, "crm_sync_interval", by="boss")
    assert settings.get(SYSTEM) == {}
    told = [(change.before, change.after, change.changed_by, change.at) for change in settings.history(SYSTEM)]
    assert told == [(90, None, "boss", clock.at), (120, 90, "boss", clock.at), (None, 120, "admin", NOON)]


def test_false_is_a_value_and_not_the_number_nought(database: Database) -> None:
    database.settings.set(SYSTEM, "k", 0, by="admin")
    database.settings.set(SYSTEM, "k", False, by="admin")
    assert database.settings.get(SYSTEM)["k"] is False


def test_a_setting_needs_a_value_and_an_account(database: Database) -> None:
    with pytest.raises(SettingError):
        database.settings.set(SYSTEM, "sync_tasks", None, by="admin")
    with pytest.raises(BadInput):
        database.settings.set(user(4711), "sync_tasks", True, by="admin")
    with pytest.raises(BadInput):
        database.account_store(4711).settings_levels()


def test_a_secret_is_stored_encrypted_and_opens_with_its_key(
    database: Database, new_account: Callable[..., int]
) -> None:
    secrets = database.secrets(new_account("anna"))
    secrets.set("oro", "pässword")
    secrets.set("graph", "first")
    secrets.set("graph", "second")
    assert (secrets.get("oro"), secrets.get("graph"), secrets.get("other")) == ("pässword", "second", None)
    assert secrets.names() == ["graph", "oro"]
    with database.engine.connect() as connection:
        stored = str(connection.execute(sa.select(tables.secrets)).all())
    assert "second" not in stored
    secrets.forget("graph")
    assert secrets.get("graph") is None


def test_a_secret_copied_to_another_account_does_not_open(database: Database, new_account: Callable[..., int]) -> None:
    anna, boris = new_account("anna"), new_account("boris")
    database.secrets(anna).set("oro", "s3cret")
    database.secrets(boris).set("oro", "other")
    with database.engine.begin() as connection:
        sealed = sa.select(tables.secrets.c.ciphertext).where(tables.secrets.c.account_id == anna).scalar_subquery()
        connection.execute(sa.update(tables.secrets).values(ciphertext=sealed))
    with pytest.raises(ConfigurationError, match="another place"):
        database.secrets(boris).get("oro")


def test_keys_that_are_none_are_named_by_their_place_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Vault([SECRET_KEY, "hunter2", "č"])
    assert [problem[:27] for problem in caught.value.problems] == [
        "OROSYNC_SECRET_KEYS: key 2 ",
        "OROSYNC_SECRET_KEYS: key 3 ",
    ]
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="not set"):
        Vault([])
    assert SECRET_KEY not in repr(Vault([SECRET_KEY]))


def test_secrets_need_a_vault(database: Database, new_account: Callable[..., int]) -> None:
    with pytest.raises(ConfigurationError, match="OROSYNC_SECRET_KEYS"):
        Database(database.engine).secrets(new_account("anna"))


def test_several_things_of_a_database_happen_together_or_not_at_all(database: Database) -> None:
    def add_half() -> None:
        with database.transaction():
            account_id = database.accounts.add(account_named("anna"))
            database.secrets(account_id).set("oro", "s3cret")
            raise KeyError

    with pytest.raises(KeyError):
        add_half()
    assert database.accounts.all() == []


def test_of_many_that_are_added_at_once_under_one_name_one_is_there(database: Database) -> None:
    barrier = Barrier(6)

    def add(number: int) -> bool:
        barrier.wait()
        try:
            database.accounts.add(account_named("anna", owner=f"t:{number}"))
        except BadInput:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(add, range(6))) == [False] * 5 + [True]


def test_a_person_has_one_account(database: Database) -> None:
    database.accounts.add(account_named("anna", owner="t:1"))
    with pytest.raises(BadInput, match="same person"):
        database.accounts.add(account_named("other", owner="t:1"))
