"""The laws of all six lenses (I23), field by field, on items that others wrote."""

from __future__ import annotations

import copy
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.foreign_items import FOREIGN, TEXTS
from tests.core.lens_world import (
    CONTACTS,
    CONTEXT,
    EVENTS,
    TASKS,
    item,
    oro_applies_contact,
    oro_applies_event,
    oro_applies_task,
    outlook_applies,
)
from tests.proof.effort import examples
from tests.proof.tally import count, owe

from orosync.core import zones
from orosync.core.canonical import canonical, same
from orosync.core.fields import Kind, empty_record, fields_of, units_of
from orosync.core.mapping import lens_of, snapshot_of
from orosync.core.records import Entity, Side
from orosync.errors import RecordRefused

RECORDS = {Entity.CONTACT: CONTACTS, Entity.TASK: TASKS, Entity.EVENT: EVENTS}
ORO_APPLIES = {
    Entity.CONTACT: oro_applies_contact,
    Entity.TASK: oro_applies_task,
    Entity.EVENT: oro_applies_event,
}
LENSES = [(side, entity) for entity in Entity for side in Side]
every_lens = pytest.mark.parametrize(("side", "entity"), [pytest.param(*each, id="-".join(each)) for each in LENSES])
UNITS = [(side, entity, unit) for side, entity in LENSES for unit in units_of(entity)]
every_unit = pytest.mark.parametrize(
    ("side", "entity", "unit"), [pytest.param(*each, id="-".join(each)) for each in UNITS]
)


def tried(short: int, a_minute: int) -> Any:
    """Hypothesis' effort in both forms."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples(short, a_minute), suppress_health_check=slow)


def get(side: Side, entity: Entity, body: dict[str, Any]) -> dict[str, Any]:
    return dict(lens_of(side, entity).snapshot(item(body), CONTEXT).record)


def applied(side: Side, entity: Entity, patch: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    if (side, entity, body) == (Side.OUTLOOK, Entity.TASK, None):
        patch = {"importance": "normal", "status": "notStarted", **patch}  # Graph has no task without
    return outlook_applies(patch, body) if side is Side.OUTLOOK else ORO_APPLIES[entity](patch, body)


def records(side: Side, entity: Entity) -> st.SearchStrategy[Any]:
    """Any at all, and those that one side has."""
    return st.one_of(RECORDS[entity], FOREIGN[side, entity].map(lambda body: get(side, entity, body)))


@st.composite
def own_items(draw: st.DrawFn, side: Side, entity: Entity) -> dict[str, Any]:
    """What the lens made of a record, as the side keeps it."""
    lens = lens_of(side, entity)
    held = lens.representable(draw(RECORDS[entity]), CONTEXT)
    return applied(side, entity, lens.put(held, None, CONTEXT), None)


@every_lens
def test_nothing_is_written_for_what_is_there_whoever_wrote_it(side: Side, entity: Entity) -> None:
    """And what is read is in normal form already: the form of a form is itself."""
    lens = lens_of(side, entity)
    owe("lens", f"{entity} in {side}: nothing to write", 60)

    @tried(100, 25)
    @given(st.one_of(FOREIGN[side, entity], own_items(side, entity)))
    def law(body: dict[str, Any]) -> None:
        whole = copy.deepcopy(body)
        record = get(side, entity, body)
        assert lens.put(record, item(body), CONTEXT) == {}
        assert canonical(entity, record) == record
        assert body == whole  # what was read is left as it is
        count("lens", f"{entity} in {side}: nothing to write")

    law()


@every_lens
def test_what_a_side_would_hold_of_an_item_of_the_other_it_holds_as_it_is(side: Side, entity: Entity) -> None:
    """And it goes back to where it came from with nothing to write but what the way there lost."""
    lens, other = lens_of(side, entity), lens_of(side.other, entity)
    owe("lens", f"{entity} in {side}: held", 40)

    @tried(60, 20)
    @given(records(side.other, entity))
    def law(record: dict[str, Any]) -> None:
        held = lens.representable(record, CONTEXT)
        assert canonical(entity, held) == held
        assert lens.representable(held, CONTEXT) == held
        back = other.representable(held, CONTEXT)
        assert other.representable(lens.representable(back, CONTEXT), CONTEXT) == back
        count("lens", f"{entity} in {side}: held")

    law()


@every_unit
def test_a_unit_that_is_written_arrives_and_no_other_moves(side: Side, entity: Entity, unit: str) -> None:
    lens, names = lens_of(side, entity), [each.name for each in units_of(entity)[unit]]
    owe("lens", f"{entity} in {side}: {unit} arrives", 8)

    @tried(20, 8)
    @given(records(side.other, entity), st.one_of(st.none(), FOREIGN[side, entity], FOREIGN[side, entity]))
    def law(record: dict[str, Any], body: dict[str, Any] | None) -> None:
        before = get(side, entity, body) if body is not None else empty_record(entity)
        wanted = {name: record[name] for name in names}
        held = lens.representable({**before, **wanted}, CONTEXT)
        if unit == "time" and (drifts(held) or not held["start"]):
            return
        patch = lens.put(wanted, item(body) if body is not None else None, CONTEXT)
        found = get(side, entity, applied(side, entity, patch, body))
        expected = {**before, **{name: held[name] for name in names}} if body is not None else held
        if body is not None and all(before[name] == value for name, value in wanted.items()):
            expected = before  # it says so already, in whatever form: nothing is written
        assert {
            name: (found[name], expected[name])
            for name in found
            if not same(entity, name, found[name], expected[name]) and not next_one_shows(side, name, expected)
        } == {}
        count("lens", f"{entity} in {side}: {unit} arrives")

    law()


def next_one_shows(side: Side, name: str, expected: dict[str, Any]) -> bool:
    """The exception of the first law: where OroCRM has several, taking one away makes the next one visible."""
    return side is Side.ORO and expected[name] is None and name in {"primary_phone", "other_address"}


def drifts(record: Any) -> bool:
    """A series that begins in the hour its zone's clocks repeat: its wall time names an hour earlier."""
    rule = record["recurrence"]
    moments = (record["start"], record["end"])
    return bool(rule and rule.get("zone")) and not all(zones.is_unambiguous(each, rule["zone"]) for each in moments)


def texts_in(value: Any) -> list[str]:
    """Every text in a canonical value."""
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] if isinstance(value, str) else [text for each in inside for text in texts_in(each)]


@tried(200, 200)
@given(st.sampled_from([(entity, each) for entity in Entity for each in fields_of(entity)]), TEXTS)
def test_the_normal_form_of_any_text_in_any_field_is_its_own_normal_form(field: Any, text: str | None) -> None:
    entity, each = field

    def form(text: str | None) -> dict[str, Any]:
        shapes: dict[str, Any] = {"emails": [text], "recurrence": {"pattern": text, "zone": text}}
        address = {"street": text, "city": text, "country": text}
        return canonical(entity, {each.name: address if each.kind is Kind.ADDRESS else shapes.get(each.name, text)})

    once = form(text)
    assert canonical(entity, once) == once
    assert all(unicodedata.is_normalized("NFC", found) for found in texts_in(once))
    if text and each.kind is not Kind.SET:  # letters and their marks may come apart or composed
        assert form(unicodedata.normalize("NFD", text)) == once


MALFORMED: dict[tuple[Side, Entity], dict[str, Any]] = {
    (Side.OUTLOOK, Entity.CONTACT): {"emailAddresses": 5},
    (Side.ORO, Entity.CONTACT): {"attributes": {"emails": [7]}},
    (Side.OUTLOOK, Entity.TASK): {"body": "text"},
    (Side.ORO, Entity.TASK): {"attributes": [1]},
    (Side.OUTLOOK, Entity.EVENT): {"start": "noon"},
    (Side.ORO, Entity.EVENT): {"attendees": [None]},
}


@every_lens
def test_an_item_in_another_form_than_promised_fails_by_itself_and_nothing_of_it_is_said(
    side: Side, entity: Entity
) -> None:
    sound = item({"subject": "x", "title": "x"})
    assert snapshot_of(side, entity, sound, CONTEXT) == lens_of(side, entity).snapshot(sound, CONTEXT)
    body = MALFORMED[side, entity]
    with pytest.raises(RecordRefused) as refused:
        snapshot_of(side, entity, item(body), CONTEXT)
    assert refused.value.code == "malformed"
    assert side.value in str(refused.value)
    assert "noon" not in str(refused.value)
