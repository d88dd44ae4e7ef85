"""Undo: what still stands as a run left it is taken back, everything else is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.core.engine_world import NOW, ORO, OUTLOOK, as_half, record, snapshot

from orosync.core.ledger import OplogEntry
from orosync.core.ops import Verb
from orosync.core.records import GONE, OUT_OF_SCOPE, UNREADABLE, Entity
from orosync.core.undo import plan_undo

UPDATED = OplogEntry(
    op_id="op",
    run="r1",
    at=NOW,
    entity=Entity.CONTACT,
    side=OUTLOOK,
    verb="update",
    outlook_id="o-1",
    oro_id="7",
    rule="changed_in_oro",
    reason="job_title: changed in oro",
    before={"job_title": "Poet"},
    after={"job_title": "Countess"},
)
WHOLE = {name: value for name, value in record(Entity.CONTACT).items() if value is not None}
CREATED = replace(UPDATED, verb="create", before=None, after=WHOLE)
DELETED = replace(UPDATED, verb="delete", before=record(Entity.CONTACT), after=None)
AS_LEFT = snapshot(OUTLOOK, Entity.CONTACT)
EDITED = snapshot(OUTLOOK, Entity.CONTACT, {"job_title": "Queen"})


@pytest.mark.parametrize(
    ("entry", "current", "attendees", "why_not"),
    [
        (replace(UPDATED, undone_by="r2"), AS_LEFT, 0, "it was taken back before"),
        (UPDATED, UNREADABLE, 0, "it cannot be read at the moment"),
        (DELETED, OUT_OF_SCOPE, 0, "it cannot be read at the moment"),
        (UPDATED, AS_LEFT, 2, "it is a meeting with attendees now, who would be mailed"),
        (UPDATED, GONE, 0, "it does not exist any more"),
        (CREATED, GONE, 0, "it does not exist any more"),
        (UPDATED, EDITED, 0, "it was changed since"),
        (CREATED, EDITED, 0, "it was changed since"),
        (CREATED, snapshot(OUTLOOK, Entity.CONTACT, {"fax": "12"}), 0, "it was changed since"),
        (DELETED, AS_LEFT, 0, "it exists again"),
    ],
)
def test_what_does_not_stand_as_it_was_left_is_not_taken_back(
    entry: OplogEntry, current: Any, attendees: int, why_not: str
) -> None:
    step = plan_undo(entry, as_half(current), 1, attendees)
    assert (step.op, step.why_not) == (None, why_not)


def test_an_update_is_undone_by_writing_what_was_there_before() -> None:
    added_since = snapshot(OUTLOOK, Entity.CONTACT, {"fax": "12"})  # another field: it stays
    op = plan_undo(UPDATED, as_half(added_since), 5).op
    assert op is not None
    assert (op.verb, op.side, op.outlook_id, op.oro_id, op.link_id) == (Verb.UPDATE, OUTLOOK, "o-1", "7", 5)
    assert (op.values, op.before, op.overwrites) == ({"job_title": "Poet"}, {"job_title": "Countess"}, True)
    assert (op.rule, op.reason) == ("undo", "takes back: job_title: changed in oro")


def test_a_create_is_undone_by_a_delete_that_remembers_what_was_there() -> None:
    op = plan_undo(CREATED, as_half(AS_LEFT), 5).op
    assert op is not None
    assert (op.verb, op.values, op.before, op.overwrites) == (Verb.DELETE, {}, record(Entity.CONTACT), False)


def test_what_a_side_fills_in_by_itself_does_not_make_a_create_look_edited() -> None:
    entry = replace(CREATED, entity=Entity.EVENT, after={"title": "Lunch"})
    bare = {"start": None, "end": None, "all_day": False}
    assert plan_undo(entry, as_half(snapshot(OUTLOOK, Entity.EVENT, bare)), 5).op is not None


def test_a_delete_is_undone_by_a_new_item_without_a_link() -> None:
    op = plan_undo(replace(DELETED, side=ORO), GONE, 5).op
    assert op is not None
    assert (op.verb, op.side, op.values, op.before, op.link_id) == (Verb.CREATE, ORO, record(Entity.CONTACT), {}, None)


def test_an_entry_without_images_is_undone_without_values() -> None:
    update = plan_undo(replace(UPDATED, before=None, after=None), as_half(AS_LEFT), 5).op
    create = plan_undo(replace(DELETED, before=None), GONE, 5).op
    assert update is not None
    assert create is not None
    assert (update.values, create.values) == ({}, {})
