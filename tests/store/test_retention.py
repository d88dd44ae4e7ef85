"""What is forgotten in time, on both databases; and what never is, however old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON, SetClock, leased
from tests.store.test_intents_oplog import create, entry
from tests.store.test_journal import note
from tests.store.test_links import contact
from tests.store.test_troubles import CONFLICT

from orosync.core.exchange import Sighting
from orosync.core.ledger import Quarantined
from orosync.core.records import Entity, LinkState, Side
from orosync.store import tables
from orosync.store.accounts import Places
from orosync.store.database import AccountStore, Database
from orosync.store.retention import Retention
from orosync.store.settings import SYSTEM
from orosync.store.transactions import Transactions

HISTORY = timedelta(days=90)
OLD = NOON - timedelta(days=91)
RECENT = NOON - timedelta(days=89)


def names(store: AccountStore) -> list[str]:
    return [each["run"] for each in store.runs()]


def finished(store: AccountStore, run: str, at: datetime, state: str = "done") -> None:
    store.start_run(run, "sync", at)
    store.finish_run(run, state, at, {})


def test_an_old_run_goes_with_all_it_did_and_the_newer_ones_stay(database: Database, store: AccountStore) -> None:
    for run, at in (("old", OLD), ("recent", RECENT)):
        finished(store, run, at)
        store.save_plan(run, "hash", [{"op": run}], [])
        store.add_oplog([entry(f"{run}-update", run=run, at=at), entry(f"{run}-delete", "delete", run=run, at=at)])
    dropped = database.retention.drop_old(NOON, HISTORY)
    assert (dropped["runs"], dropped["plans"], dropped["oplog"]) == (1, 1, 2)
    assert names(store) == ["recent"]
    assert store.plan("old") is None
    assert store.plan("recent") is not None
    assert store.oplog("old") == []
    assert len(store.oplog("recent")) == 2
    assert set(database.retention.drop_old(NOON, HISTORY).values()) == {0}


def test_a_run_is_remembered_as_a_whole_even_if_it_began_before_the_border(
    database: Database, store: AccountStore
) -> None:
    store.start_run("long", "sync", OLD)
    store.add_oplog([entry("early", run="long", at=OLD), entry("late", run="long", at=RECENT)])
    store.finish_run("long", "done", RECENT, {})
    finished(store, "newest", NOON)
    database.retention.drop_old(NOON, HISTORY)
    assert [each.op_id for each in store.oplog("long")] == ["early", "late"]


def test_the_last_run_of_an_account_stays_however_old(
    database: Database, store: AccountStore, new_account: Callable[..., int]
) -> None:
    other = leased(database, new_account("boris"))
    for each, state in ((store, "held"), (other, "done")):
        finished(each, "first", OLD)
        finished(each, "second", OLD, state)
        each.save_plan("second", "hash", [], [])
        each.add_oplog([entry("1", run="second", at=OLD)])
    assert database.retention.drop_old(NOON, HISTORY)["runs"] == 2
    for each in (store, other):
        assert names(each) == ["second"]
        assert each.plan("second") is not None
        assert len(each.oplog("second")) == 1


def test_a_plan_goes_with_its_own_run_and_not_with_anothers_of_the_same_name(
    database: Database, store: AccountStore, new_account: Callable[..., int]
) -> None:
    other = leased(database, new_account("boris"))
    finished(store, "same", OLD)
    finished(store, "newer", NOON)
    finished(other, "same", NOON)
    for each in (store, other):
        each.save_plan("same", "hash", [], [])
    database.retention.drop_old(NOON, HISTORY)
    assert store.plan("same") is None
    assert other.plan("same") is not None


def test_creates_stay_without_what_they_wrote(database: Database, store: AccountStore) -> None:
    """From their number follows the id of the next create of the same record."""
    finished(store, "old", OLD)
    finished(store, "newest", NOON)
    store.add_oplog([entry("1", "create", run="old", at=OLD, body_before={"x": 1}), entry("2", run="old", at=OLD)])
    dropped = database.retention.drop_old(NOON, HISTORY)
    assert (dropped["oplog"], dropped["emptied"]) == (1, 1)
    (kept,) = store.oplog_of(Entity.CONTACT, Side.OUTLOOK, "A")
    assert (kept.op_id, kept.verb, kept.before, kept.after, kept.body_before) == ("1", "create", None, None, None)
    with database.engine.connect() as connection:
        assert "Grün" not in str(connection.execute(sa.select(tables.oplog)).all())


def test_runs_that_a_person_asked_for_and_that_are_not_over_are_never_dropped(
    database: Database, store: AccountStore, clock: SetClock
) -> None:
    account = store.account().id
    clock.at = OLD
    database.requested_runs.add(account, "running", "sync", {})
    assert database.requested_runs.claim(account, "running")
    finished(store, "newest", NOON)
    clock.at = NOON
    database.retention.drop_old(NOON, HISTORY)
    assert names(store) == ["newest", "running"]

    waits = leased(database, database.accounts.add(replace(store.account(), name="boris", owner=None)))
    clock.at = OLD
    database.requested_runs.add(waits.account().id, "waiting", "sync", {})
    finished(waits, "newest", NOON)
    clock.at = NOON
    database.retention.drop_old(NOON, HISTORY)
    assert names(waits) == ["newest", "waiting"]


def test_pending_work_is_never_touched(database: Database, store: AccountStore) -> None:
    note(store, Sighting("waits", "v1"))
    store.prepare_intents([create("1")])
    store.mark_sent(["1"], OLD)
    store.add_link(contact("A", "1"))
    store.add_conflicts([replace(CONFLICT, at=OLD)])
    store.quarantine(Quarantined(Side.ORO, Entity.TASK, "7", "v", "bad", "refused", 3, OLD, OLD))
    tidied = database.retention.drop_old(NOON + timedelta(days=5_000), HISTORY)
    assert set(tidied.values()) == {0}
    assert [row.id for row in store.pending(Entity.CONTACT)] == ["waits"]
    assert [each.op_id for each in store.open_intents()] == ["1"]
    assert store.count_links(Entity.CONTACT) == 1
    assert len(store.conflicts()) == 1
    assert len(store.quarantined()) == 1


def test_settled_conflicts_are_forgotten_and_open_ones_wait(database: Database, store: AccountStore) -> None:
    settled = replace(CONFLICT, choice="oro")
    store.add_conflicts([replace(settled, at=OLD), replace(settled, at=RECENT), replace(CONFLICT, at=OLD)])
    assert database.retention.drop_old(NOON, HISTORY)["conflicts"] == 1
    assert [(each.choice, each.at) for each in store.conflicts(open_only=False)] == [("oro", RECENT), (None, OLD)]


def test_tombstones_stay_ninety_days_whatever_the_history(
    database: Database, store: AccountStore, clock: SetClock
) -> None:
    link = replace(contact("A", "1"), id=store.add_link(contact("A", "1")))
    store.update_link(replace(link, state=LinkState.TOMBSTONE))
    store.add_link(contact("A", "9"))  # Outlook's half lives on, paired anew
    border = clock.at + timedelta(days=90)
    assert database.retention.drop_old(border, timedelta(days=2))["tombstones"] == 0
    assert database.retention.drop_old(border + timedelta(seconds=1), timedelta(days=3_650))["tombstones"] == 1
    assert store.count_links(Entity.CONTACT) == 1


def test_history_is_never_shorter_than_what_the_guard_counts(database: Database, store: AccountStore) -> None:
    finished(store, "yesterday", NOON - timedelta(days=1))
    finished(store, "newest", NOON)
    store.add_oplog([entry("1", run="yesterday", at=NOON - timedelta(days=1))])
    database.retention.drop_old(NOON, timedelta())
    assert names(store) == ["newest", "yesterday"]
    assert store.tally(Entity.CONTACT, NOON - timedelta(days=1)).overwrites == 0
    assert len(store.oplog("yesterday")) == 1


def test_codes_that_expired_and_changes_of_settings_of_long_ago_go(database: Database, clock: SetClock) -> None:
    database.one_time_codes.add("gone", "text", NOON - timedelta(seconds=1))
    clock.at = NOON - timedelta(days=731)  # adding drops what expired by then
    database.settings.set(SYSTEM, "crm_sync_interval", 300, by="ops")
    clock.at = NOON
    database.settings.set(SYSTEM, "crm_sync_interval", 600, by="ops")
    dropped = database.retention.drop_old(NOON, HISTORY)
    assert (dropped["one_time_codes"], dropped["setting_changes"]) == (1, 1)
    assert [each.after for each in database.settings.history(SYSTEM)] == [600]


def test_a_mailbox_is_forgotten_when_nobody_has_called_it_for_a_day(database: Database, clock: SetClock) -> None:
    turns = {}
    for name in ("idle", "in use", "paused"):
        turns[name] = database.mailboxes.take(name, "worker", timedelta(minutes=1))
        assert turns[name] is not None
    database.mailboxes.pause("paused", NOON + timedelta(days=3))
    clock.at = NOON + timedelta(days=1, seconds=1)
    assert database.mailboxes.take("in use", "worker", timedelta(minutes=1)) is not None
    assert database.retention.drop_old(clock.at, HISTORY)["mailboxes"] == 1
    with database.engine.connect() as connection:
        left = set(connection.execute(sa.select(tables.mailboxes.c.mailbox)).scalars())
    assert left == {"in use", "paused"}


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_what_is_dropped_does_not_depend_on_how_many_go_at_once(
    database: Database, engine: sa.Engine, store: AccountStore, at_once: int
) -> None:
    for number in range(6):
        run = f"run-{number}"
        finished(store, run, OLD if number % 2 == 0 else RECENT)
        store.save_plan(run, "hash", [], [])
        verb = "create" if number == 2 else "update"
        store.add_oplog([entry(f"{number}-{each}", verb, run=run, at=OLD) for each in range(3)])
    dropped = Retention(Transactions(engine), Places(), at_once).drop_old(NOON, HISTORY)
    told = (dropped["runs"], dropped["plans"], dropped["oplog"], dropped["emptied"])
    assert told == (3, 3, 6, 3)
    assert names(store) == ["run-5", "run-3", "run-1"]
