"""Intents that a crash leaves open, and the log of what was done."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.store.conftest import NOON

from orosync.core.ledger import Intent, OplogEntry, Tally
from orosync.core.records import Entity, Side
from orosync.errors import RecordChanged
from orosync.store.database import AccountStore


def create(op_id: str, source_id: str | None = "A", **more: object) -> Intent:
    op = {"verb": "create", "patch": {"subject": "Žofia"}}
    return Intent(op_id, "run", Entity.TASK, Side.ORO, "create", source_id, op, **more)  # type: ignore[arg-type]


def test_only_what_was_sent_is_open_after_a_crash(store: AccountStore) -> None:
    store.prepare_intents([create("1", "A"), create("2", "B"), create("3", "C")])
    store.mark_sent(["3", "1"], NOON)
    assert store.open_intents() == [
        create("1", "A", state="sent", sent_at=NOON),
        create("3", "C", state="sent", sent_at=NOON),
    ]
    store.prepare_intents([create("4", "B")])  # the one merely prepared stands in nobody's way
    store.close_intent("1", "confirmed")
    store.close_intents(["3", "4"])
    assert store.open_intents() == []


def test_a_second_create_for_the_same_record_is_refused_while_one_is_open(store: AccountStore) -> None:
    store.prepare_intents([create("1")])
    store.mark_sent(["1"], NOON)
    with pytest.raises(RecordChanged):
        store.prepare_intents([create("2")])
    store.prepare_intents([replace(create("3"), entity=Entity.EVENT), replace(create("4"), side=Side.OUTLOOK)])
    store.prepare_intents([replace(create("5"), verb="update")])
    store.close_intent("1", "abandoned")
    store.prepare_intents([create("2")])


def test_an_op_that_is_sent_again_replaces_its_intent(store: AccountStore) -> None:
    store.prepare_intents([create("1")])
    store.mark_sent(["1"], NOON)
    store.prepare_intents([create("1", attempt=1)])
    later = NOON + timedelta(minutes=1)
    store.mark_sent(["1"], later)
    assert store.open_intents() == [create("1", state="sent", sent_at=later, attempt=1)]


def entry(op_id: str, verb: str = "update", at: datetime = NOON, **more: object) -> OplogEntry:
    values: dict[str, object] = {
        "run": "run",
        "entity": Entity.CONTACT,
        "side": Side.ORO,
        "outlook_id": "A",
        "oro_id": "1",
        "rule": "R9",
        "reason": "changed in Outlook",
        "before": {"job_title": None, "emails": ["x@y.z"]},
        "after": {"job_title": "Grün", "emails": None},
    }
    return OplogEntry(op_id, at=at, verb=verb, **(values | more))  # type: ignore[arg-type]


def test_how_often_a_record_was_created_on_the_other_side_is_counted(store: AccountStore) -> None:
    store.add_oplog(
        [
            entry("1", "create"),
            entry("2", "create", oro_id="9"),
            entry("3", "create", outlook_id="B"),
            entry("4", "update", outlook_id="C"),
            entry("5", "create", outlook_id="C", side=Side.OUTLOOK),
            entry("6", "create", outlook_id="D", entity=Entity.TASK),
        ]
    )
    assert store.creates_of(Entity.CONTACT, Side.OUTLOOK, ["A", "B", "C", "D", "E"]) == {"A": 2, "B": 1}
    assert store.creates_of(Entity.CONTACT, Side.ORO, ["1", "9"]) == {"1": 1}
    assert store.creates_of(Entity.CONTACT, Side.ORO, []) == {}


def test_the_oplog_tells_what_was_done_by_run_and_by_record(store: AccountStore) -> None:
    first = entry("1")
    second = entry("2", "delete", approved=True, after=None, body_before={"id": "1"}, mails=2)
    other = entry("3", "create", run="later", outlook_id="B", oro_id="2", before=None)
    store.add_oplog([first, second])
    store.add_oplog([other])
    assert [replace(e, seq=0) for e in store.oplog("run")] == [first, second]
    assert [e.op_id for e in store.oplog_of(Entity.CONTACT, Side.OUTLOOK, "A")] == ["2", "1"]
    assert [e.op_id for e in store.oplog_of(Entity.CONTACT, Side.ORO, "2")] == ["3"]
    assert store.oplog_of(Entity.TASK, Side.ORO, "2") == []
    store.mark_undone("1", "undo-run")
    assert [e.undone_by for e in store.oplog("run")] == ["undo-run", None]


def test_the_tally_counts_what_was_written_since(store: AccountStore) -> None:
    assert store.tally(Entity.CONTACT, NOON) == Tally()
    store.add_oplog(
        [
            entry("1", overwrites=True),
            entry("2"),
            entry("3", "create", mails=3),
            entry("4", "delete", mails=1),
            entry("5", "delete", undone_by="x"),
            entry("6", "delete", at=NOON - timedelta(microseconds=1)),
            entry("8", "delete", mails=9, overwrites=True, approved=True),
            entry("7", "delete", entity=Entity.TASK),
        ]
    )
    assert store.tally(Entity.CONTACT, NOON) == Tally(deletes=2, overwrites=1, creates=1, mails=4)


def test_the_oplog_of_a_run_is_read_in_pages_of_what_is_wanted(store: AccountStore) -> None:
    verbs = ("update", "create") * 3
    store.add_oplog([entry(f"o{number}", verb) for number, verb in enumerate(verbs)])
    run = entry("x").run
    first = store.oplog_page(run, 0, 2, entity=None, verb="create")
    assert [each.op_id for each in first] == ["o1", "o3"]
    rest = store.oplog_page(run, first[-1].seq, 2, entity=first[0].entity, verb="create")
    assert [each.op_id for each in rest] == ["o5"]
    assert len(store.oplog_page(run, 0, 50, entity=None, verb=None)) == 6
    other = next(each for each in Entity if each is not first[0].entity)
    assert store.oplog_page(run, 0, 50, entity=other, verb=None) == []
