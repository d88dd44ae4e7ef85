"""Recovery of a create without answer: adopt, wait, or send again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.core.engine_world import NOW, ORO, OUTLOOK, snapshot
from tests.core.lens_world import CONTEXT

from orosync.core.ops import Op, Verb
from orosync.core.records import Entity, Side
from orosync.core.recovery import Adopt, SendAgain, Wait, half_way, recover_create


def create(side: Side, entity: Entity, **values: Any) -> Op:
    ids = {"oro_id": "7"} if side is OUTLOOK else {"outlook_id": "o-1"}
    return Op(Verb.CREATE, entity, side, "only", "only", values=values, **ids)


TASK = create(ORO, Entity.TASK, subject="Call", due_date="2026-11-24")


def recovered(op: Op, candidates: Any, *, after: float = 0, exact: bool = False) -> Any:
    sent: datetime = NOW - timedelta(seconds=after)
    return recover_create(op, candidates, sent, NOW, CONTEXT, exact=exact)


@pytest.mark.parametrize(
    ("side", "after", "outcome"),
    [(ORO, 0, SendAgain()), (OUTLOOK, 19, Wait()), (OUTLOOK, 20, SendAgain())],
)
def test_it_is_sent_again_once_it_would_have_been_visible(side: Side, after: float, outcome: Any) -> None:
    assert recovered(create(side, Entity.CONTACT, fax="1"), [], after=after) == outcome
    assert recovered(create(side, Entity.CONTACT, fax="1"), [], after=after, exact=True) == outcome


def test_what_was_found_by_our_own_id_is_adopted_whatever_it_holds_by_now() -> None:
    made, second = snapshot(OUTLOOK, Entity.TASK, {"subject": "edited"}), snapshot(OUTLOOK, Entity.TASK)
    assert recovered(create(OUTLOOK, Entity.TASK, subject="Call"), [made, second], exact=True) == Adopt(made, 1)


@pytest.mark.parametrize(
    ("values", "adopted"),
    [
        ({}, True),
        ({"priority": "normal", "status": "not_started"}, True),
        ({"priority": "high", "status": "completed"}, True),  # not sent: OroCRM fills them in
        ({"subject": "Call back"}, False),
        ({"due_date": None}, False),
        ({"description": "another task of this name"}, False),
    ],
)
def test_without_an_id_only_the_exact_payload_is_ours(values: dict[str, Any], adopted: bool) -> None:
    candidate = snapshot(ORO, Entity.TASK, values)
    assert recovered(TASK, [candidate]) == (Adopt(candidate) if adopted else SendAgain())


def test_a_default_that_was_sent_must_be_there() -> None:
    op = create(ORO, Entity.TASK, subject="Call", due_date="2026-11-24", priority="high", status="not_started")
    assert recovered(op, [snapshot(ORO, Entity.TASK, {"priority": "normal"})]) == SendAgain()
    assert recovered(op, [snapshot(ORO, Entity.TASK, {"priority": "high"})]) != SendAgain()


def test_the_payload_is_compared_as_the_side_holds_it() -> None:
    op = create(ORO, Entity.CONTACT, first_name="Ada")  # OroCRM has an only name twice
    made = snapshot(ORO, Entity.CONTACT, {"last_name": "Ada", "job_title": None, "emails": None})
    assert recovered(op, [made]) == Adopt(made)


def test_the_oldest_of_several_is_adopted_and_the_others_are_counted() -> None:
    first, second = snapshot(ORO, Entity.TASK, id="7"), snapshot(ORO, Entity.TASK, id="8")
    other = snapshot(ORO, Entity.TASK, {"subject": "Other"}, id="6")
    assert recovered(TASK, [other, first, second]) == Adopt(first, spares=1)


@pytest.mark.parametrize(
    ("side", "entity", "before", "wanted", "stands", "step"),
    [
        (ORO, Entity.TASK, "completed", "in_progress", "not_started", {"status": "not_started"}),
        (ORO, Entity.TASK, "completed", "in_progress", "completed", {}),  # no step was taken
        (ORO, Entity.TASK, "completed", "in_progress", "in_progress", {}),  # both were
        (ORO, Entity.TASK, "completed", "not_started", "not_started", {}),  # one step is the whole way
        (ORO, Entity.TASK, "in_progress", "completed", "not_started", {}),  # that is not on the way: a person's
        (ORO, Entity.TASK, None, None, "not_started", {}),  # an update of other fields
        (OUTLOOK, Entity.TASK, "completed", "in_progress", "not_started", {}),  # Outlook needs no steps
        (ORO, Entity.CONTACT, None, None, None, {}),
    ],
)
def test_a_status_on_the_way_to_ours_is_known_as_such(
    side: Side, entity: Entity, before: str | None, wanted: str | None, stands: str | None, step: dict[str, str]
) -> None:
    told = {name: {"status": value} if value else {} for name, value in (("before", before), ("values", wanted))}
    op = Op(Verb.UPDATE, entity, side, "changed", "changed", outlook_id="o-1", oro_id="7", **told)
    assert half_way(op, {"status": stands} if stands else {}) == step
