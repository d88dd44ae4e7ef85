"""Unlinked records, conflicts, quarantine, runs and plans."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.store.conftest import NOON, SetClock

from orosync.core.ledger import Conflict, Quarantined, Unlinked
from orosync.core.records import Entity, Side
from orosync.errors import BadInput
from orosync.store.database import AccountStore, Database

A = Unlinked(Side.OUTLOOK, Entity.CONTACT, "A", "v1", match_key="k1", stamp="7", uid="u1", why="direction")
B = Unlinked(Side.OUTLOOK, Entity.CONTACT, "b", "v1", match_key="k1")
C = Unlinked(Side.OUTLOOK, Entity.CONTACT, "C", "v1", uid="u2", stamp="8")


def account_of(store: AccountStore) -> int:
    return store.account().id


def test_unlinked_records_are_found_by_whatever_they_can_be_paired_by(store: AccountStore) -> None:
    store.save_unlinked([C, A, B])
    scope = (Side.OUTLOOK, Entity.CONTACT)
    assert store.unlinked(*scope) == [A, C, B]  # byte by byte: capitals first
    assert store.unlinked_matching(*scope, keys=["k1", "k2"]) == [A, B]
    assert store.unlinked_matching(*scope, ids=["A"], uids=["u2"], keys=["k1"]) == [A, C, B]
    assert store.unlinked_matching(*scope, stamps=["8"]) == [C]
    assert store.unlinked_matching(*scope) == []
    assert store.unlinked_matching(Side.ORO, Entity.CONTACT, keys=["k1"]) == []
    changed = replace(A, version="v2", match_key=None)
    store.save_unlinked([changed])
    assert store.unlinked_matching(*scope, ids=["A"], keys=["k1"]) == [changed, B]
    store.drop_unlinked(*scope, ["A", "C", "never there"])
    assert store.count_unlinked(*scope) == 1


def test_thousands_of_unlinked_records_are_saved_found_and_dropped(store: AccountStore) -> None:
    rows = [replace(A, id=f"{number:05}", match_key=f"k{number}") for number in range(2_500)]
    store.save_unlinked(rows)
    assert store.unlinked_matching(Side.OUTLOOK, Entity.CONTACT, keys=[row.match_key or "" for row in rows]) == rows
    store.drop_unlinked(Side.OUTLOOK, Entity.CONTACT, [row.id for row in rows])
    assert store.count_unlinked(Side.OUTLOOK, Entity.CONTACT) == 0


CONFLICT = Conflict(Entity.CONTACT, "A", "1", "emails", ["a@x"], ["b@x"], None, "ask", choice=None, at=NOON, run="r1")


def test_a_conflict_is_open_until_a_run_has_acted_on_the_answer(store: AccountStore) -> None:
    store.add_conflicts([CONFLICT, replace(CONFLICT, field="fax", base=None, choice="oro")])
    asked, logged = store.conflicts(open_only=False)
    assert (replace(asked, id=0), logged.base, logged.choice) == (CONFLICT, None, "oro")
    assert store.conflicts() == [asked] == [store.conflict(asked.id)]
    store.settle_conflict(asked.id, "oro")
    store.settle_conflict(asked.id, "outlook")
    answered = replace(asked, choice="outlook")
    assert store.conflicts() == [answered] == [store.conflict(asked.id)]
    store.drop_open_conflicts(Entity.CONTACT, "A", "1")
    store.add_conflicts([answered])
    assert store.conflicts() == []
    assert [conflict.choice for conflict in store.conflicts(open_only=False)] == ["oro", "outlook"]
    assert store.conflict(4711) is None
    for closed in (logged.id, 4711):
        with pytest.raises(BadInput, match="no open conflict"):
            store.settle_conflict(closed, "oro")


@pytest.mark.parametrize(
    ("outlook_id", "oro_id", "left"), [("A", None, ["B"]), (None, "1", ["B"]), ("A", "2", []), (None, None, ["A", "B"])]
)
def test_open_conflicts_of_a_record_are_dropped_by_either_id(
    store: AccountStore, outlook_id: str | None, oro_id: str | None, left: list[str]
) -> None:
    settled = replace(CONFLICT, choice="oro")
    store.add_conflicts([CONFLICT, replace(CONFLICT, outlook_id="B", oro_id="2"), settled])
    store.drop_open_conflicts(Entity.CONTACT, outlook_id, oro_id)
    assert [conflict.outlook_id for conflict in store.conflicts()] == left
    assert len(store.conflicts(open_only=False)) == len(left) + 1


def test_a_person_settles_a_conflict_without_a_lease_and_the_record_is_looked_at_again(
    database: Database, store: AccountStore
) -> None:
    store.add_conflicts([CONFLICT])
    [conflict] = store.conflicts()
    database.settle_conflict(account_of(store), conflict.id, Side.OUTLOOK)
    assert [row.choice for row in store.conflicts()] == ["outlook"]
    assert [(row.side, row.id, row.kind) for row in store.pending(Entity.CONTACT)] == [
        (Side.OUTLOOK, "A", "seen"),
        (Side.ORO, "1", "seen"),
    ]
    store.drop_open_conflicts(Entity.CONTACT, "A", None)
    with pytest.raises(BadInput, match="no open conflict"):
        database.settle_conflict(account_of(store), conflict.id, Side.ORO)


BAD = Quarantined(
    Side.ORO, Entity.TASK, "5", "v1", "refused", "Subject: too long", 1, NOON, NOON + timedelta(minutes=5)
)


def test_a_failing_record_is_in_quarantine_once_until_it_is_released(store: AccountStore) -> None:
    store.quarantine(BAD)
    again = replace(BAD, attempts=2, next_try=NOON + timedelta(minutes=10), version=None)
    store.quarantine(again)
    assert store.quarantined() == [again]
    store.release(Side.ORO, Entity.TASK, "5")
    assert store.quarantined() == []


def test_what_no_database_can_store_does_not_keep_a_record_out_of_quarantine(store: AccountStore) -> None:
    store.quarantine(replace(BAD, message="bad \x00 and \ud83d"))
    assert store.quarantined()[0].message == "bad \ufffd and ?"


def test_a_person_has_records_tried_again_or_let_go_without_a_lease(
    database: Database, store: AccountStore, clock: SetClock
) -> None:
    account_id = account_of(store)
    store.quarantine(BAD)
    store.quarantine(replace(BAD, id="6"))
    clock.at = NOON + timedelta(seconds=7)
    assert database.retry_quarantined(account_id, (Side.ORO, Entity.TASK, "6")) == 1
    assert [row.next_try for row in store.quarantined()] == [BAD.next_try, clock.at]
    assert database.retry_quarantined(account_id) == 2
    assert {row.next_try for row in store.quarantined()} == {clock.at}
    assert database.release_quarantined(account_id, Side.ORO, Entity.TASK, "5")
    assert not database.release_quarantined(account_id, Side.ORO, Entity.TASK, "5")
    assert [row.id for row in store.quarantined()] == ["6"]


def test_runs_are_listed_newest_first_with_their_summaries(store: AccountStore) -> None:
    store.start_run("b", "sync", NOON)
    store.start_run("a", "preview", NOON)
    store.finish_run("b", "done", NOON + timedelta(seconds=2), {"seconds": 2.0})
    running = {
        "run": "a",
        "mode": "preview",
        "state": "running",
        "requested_at": None,
        "progress": None,
        "started_at": "2026-11-21T12:00:00Z",
        "finished_at": None,
        "summary": None,
    }
    done = {
        "run": "b",
        "mode": "sync",
        "state": "done",
        "requested_at": None,
        "progress": None,
        "started_at": "2026-11-21T12:00:00Z",
        "finished_at": "2026-11-21T12:00:02Z",
        "summary": {"seconds": 2.0},
    }
    assert store.runs() == [running, done]
    assert store.runs(limit=1) == [running]
    assert store.run("b") == done
    assert store.run("c") is None


def test_a_plan_is_kept_with_its_hash_and_the_limits_it_would_pass(store: AccountStore) -> None:
    assert store.plan("r") is None
    store.save_plan("r", "h1", [{"verb": "delete"}], ["deletes 12 of 10"])
    store.save_plan("r", "h2", [{"verb": "create", "reason": "é"}], [])
    assert store.plan("r") == {"run": "r", "plan_hash": "h2", "limits": []}
    assert list(store.planned_ops("r")) == [{"verb": "create", "reason": "é"}]


@pytest.mark.parametrize("count", [0, 1, 100, 999, 1_000, 1_001, 2_345])
def test_a_plan_of_any_size_is_kept_in_its_order_and_replaces_the_one_before(store: AccountStore, count: int) -> None:
    store.save_plan("r", "h1", ({"number": -1} for _ in range(1_500)), ["limit"])
    store.save_plan("r", "h2", ({"number": number} for number in range(count)), [])
    store.save_plan("another", "h3", [{"number": -1}], [])
    assert store.plan("r") == {"run": "r", "plan_hash": "h2", "limits": []}
    assert [each["number"] for each in store.planned_ops("r")] == list(range(count))
    store.approve_plan("h2", NOON)
    assert [each["number"] for each in store.approved_ops(NOON)] == list(range(count))


def test_a_plan_that_was_not_kept_whole_cannot_be_approved(store: AccountStore) -> None:
    def broken_off() -> Iterator[dict[str, int]]:
        yield from ({"number": number} for number in range(2_500))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save_plan("r", "h1", broken_off(), [])
    plan = store.plan("r")
    assert plan is not None
    assert plan["plan_hash"] == ""


def test_ops_of_a_plan_go_with_it(store: AccountStore) -> None:
    store.start_run("r", "sync", NOON)
    store.save_plan("r", "h1", [{"number": 1}], [])
    store.forget_run("r")
    assert list(store.planned_ops("r")) == []
