"""Every contact, task and event that a real OroCRM was recorded with is read by our adapters and lenses: whole, in
normal form, with nothing to write for what is there, and nothing after a way to Outlook and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from tests.core.lens_world import CONTEXT, ZONES, outlook_applies
from tests.proof.tally import count, owe

from orosync.core.canonical import canonical, same
from orosync.core.fields import fields_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.records import Entity, Item, Side
from orosync.oro.client import Answer, OroClient
from orosync.oro.contacts import Contacts
from orosync.oro.legacy_rest import event_body
from orosync.oro.tasks import Tasks

ORO = Side.ORO
NO_CLIENT = cast("OroClient", None)  # all that is asked for is in the recording
LEAST = {Entity.CONTACT: 90, Entity.TASK: 20, Entity.EVENT: 50}
every_entity = pytest.mark.parametrize("entity", list(Entity))


@cache
def recorded(folder: Path) -> dict[Entity, list[tuple[str, Item]]]:
    """(file, item) of each entity, in the order of the files' names."""
    found: dict[Entity, list[tuple[str, Item]]] = {entity: [] for entity in Entity}
    for file in sorted(folder.glob("*.json")):
        exchange = json.loads(file.read_text(encoding="utf-8"))
        body = exchange.get("response", {}).get("body") if isinstance(exchange, dict) else None
        for entity, item in _items(body):
            found[entity].append((file.name, item))
    return found


def _items(body: Any) -> Iterator[tuple[Entity, Item]]:
    """Single answers, lists, and what was included in them; addresses alone stand in a contact of their own."""
    for row in body if isinstance(body, list) else [body]:
        if not isinstance(row, dict):
            continue
        if {"start", "end", "title"} <= row.keys():
            known = event_body(row)
            yield Entity.EVENT, Item(str(row["id"]), "v1", known, str(row.get("calendar")))
            continue
        data, included = row.get("data"), [each for each in row.get("included") or () if isinstance(each, dict)]
        given = data if isinstance(data, list) else [data]
        for each in (*given, *included):
            if isinstance(each, dict):
                yield from _resource(each, included)


def _resource(row: dict[str, Any], included: list[dict[str, Any]]) -> Iterator[tuple[Entity, Item]]:
    """Thin readings lack attributes and relations: they are read as what is not there."""
    if not row.get("attributes"):
        return
    relations = row.get("relationships") or {}
    if row["type"] == "contacts":
        known = {each["id"] for each in included if each["type"] == "contactaddresses"}
        linked = [each for each in (relations.get("addresses") or {}).get("data") or () if each["id"] in known]
        whole = {**row, "relationships": {**relations, "addresses": {"data": linked}}}
        answer = Answer(200, {}, {"data": whole, "included": included})
        yield Entity.CONTACT, Contacts(NO_CLIENT, None, external_id=False).item(answer)
    elif row["type"] == "tasks" and "taskPriority" in relations:
        yield Entity.TASK, _tasks().item(Answer(200, {}, {"data": row}))
    elif row["type"] == "contactaddresses" and (relations.get("country") or {}).get("data"):
        nobody = {
            "type": "contacts",
            "id": "1",
            "attributes": {"firstName": "x"},
            "relationships": {"addresses": {"data": [{"type": "contactaddresses", "id": row["id"]}]}},
        }
        answer = Answer(200, {}, {"data": nobody, "included": [row]})
        yield Entity.CONTACT, Contacts(NO_CLIENT, None, external_id=False).item(answer)


def _tasks() -> Tasks:
    return Tasks(NO_CLIENT, None, lambda: None, lambda _: None)


def _contexts(entity: Entity) -> list[Context]:
    """Days and series are read in OroCRM's own zone, whichever that is."""
    return [CONTEXT] if entity is Entity.CONTACT else [replace(CONTEXT, oro_zone=zone) for zone in ZONES]


@every_entity
def test_nothing_is_written_for_what_was_recorded(entity: Entity, contracts: Path) -> None:
    lens, items = lens_of(ORO, entity), recorded(contracts / "orocrm-5.1")[entity]
    owe("lens", f"{entity}s recorded in oro", LEAST[entity])
    for file, item in items:
        for context in _contexts(entity):
            record = dict(lens.snapshot(item, context).record)
            assert lens.put(record, item, context) == {}, file
            assert canonical(entity, record) == record, file
        count("lens", f"{entity}s recorded in oro")


@every_entity
def test_a_recorded_record_comes_back_from_outlook_as_it_was(entity: Entity, contracts: Path) -> None:
    """A new item of it in Outlook, read again: what Outlook could hold leaves nothing to write in OroCRM."""
    oro, outlook = lens_of(ORO, entity), lens_of(Side.OUTLOOK, entity)
    for file, item in recorded(contracts / "orocrm-5.1")[entity]:
        for context in _contexts(entity):
            record = oro.snapshot(item, context).record
            held = outlook.representable(record, context)
            kept = {name for name in record if same(entity, name, record[name], held[name])}
            made = outlook_applies(outlook.put(record, None, context), None)
            if entity is Entity.TASK:  # what Graph adds to a new one
                made = {"importance": "normal", "status": "notStarted", **made}
            back = outlook.snapshot(Item("o-1", "v1", made), context).record
            assert {name: back[name] for name in kept} == {name: held[name] for name in kept}, file
            assert oro.put({name: back[name] for name in kept}, item, context) == {}, file


@every_entity
def test_every_field_was_recorded_with_a_value(entity: Entity, contracts: Path) -> None:
    """A corpus without values would prove nothing."""
    lens, seen = lens_of(ORO, entity), Counter[str]()
    for _, item in recorded(contracts / "orocrm-5.1")[entity]:
        seen.update(name for name, value in lens.snapshot(item, CONTEXT).record.items() if value is not None)
    assert {each.name for each in fields_of(entity)} - seen.keys() == set()


@pytest.mark.parametrize("text", ["plain", "html"])
def test_text_that_orocrm_was_seen_to_give_back_is_left_as_it_is(text: str, contracts: Path) -> None:
    told = json.loads((contracts / "orocrm-5.1" / "text-round-trip.json").read_text(encoding="utf-8"))["results"]
    ending = " plain" if text == "plain" else ""
    bodies = {
        Entity.CONTACT: {
            "id": "1",
            "attributes": {
                "description": told[f"contacts.description{ending}"],
                "firstName": told["contacts.firstName" if text == "html" else "contacts unicode firstName"],
                "lastName": told["contacts.lastName empty string"],
                "phones": [{"phone": told["contacts.primaryPhone spaces"]}],
                "primaryPhone": told["contacts.primaryPhone spaces"],
                "emails": [{"email": told["contacts.primaryEmail case"]}],
                "primaryEmail": told["contacts.primaryEmail case"],
            },
            "addresses": [],
        },
        Entity.TASK: {"id": "1", "attributes": {"subject": "x", "description": told[f"tasks.description{ending}"]}},
        Entity.EVENT: {
            "id": 1,
            "title": told["calendarevents.title padded"],
            "description": told[f"calendarevents.description{ending}"],
        },
    }
    for entity, body in bodies.items():
        lens, item = lens_of(ORO, entity), Item("1", "v1", body)
        record = lens.snapshot(item, CONTEXT).record
        assert record["description"]
        assert lens.put(record, item, CONTEXT) == {}
