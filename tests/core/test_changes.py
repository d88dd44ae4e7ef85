"""Comparing: each side with its own shadow, the two sides only through what each can hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.core.engine_world import ORO, OUTLOOK, record
from tests.core.lens_world import CONTACTS, CONTEXT

from orosync.core.changes import changed_units, compare
from orosync.core.fields import units_of
from orosync.core.mapping import lens_of
from orosync.core.records import Entity, Record, Side

FIVE = [f"{letter}@x.com" for letter in "abcde"]
UNITS = units_of(Entity.CONTACT)


def sides(outlook: dict[str, Any], oro: dict[str, Any], shadows: Any = None, entity: Entity = Entity.CONTACT) -> Any:
    return compare(entity, record(entity, **outlook), record(entity, **oro), shadows or {}, CONTEXT)


@pytest.mark.parametrize(
    ("outlook", "oro", "units"),
    [
        ({}, {}, []),
        ({"job_title": "a"}, {"job_title": "b"}, ["job_title"]),
        ({"emails": FIVE[:3]}, {"emails": FIVE}, []),  # all that Outlook can hold
        ({"emails": FIVE[:2]}, {"emails": FIVE}, ["emails"]),
        ({"emails": [FIVE[0], FIVE[2], FIVE[1]]}, {"emails": FIVE[:3]}, []),  # only the first one's place matters
        ({"emails": [FIVE[1], FIVE[0]]}, {"emails": FIVE[:2]}, ["emails"]),
        ({"emails": [*FIVE[:1], "no address"]}, {"emails": FIVE[:1]}, []),  # all that OroCRM takes
        ({"last_name": None}, {"first_name": "Ada", "last_name": "Ada"}, []),  # an only name counts twice in OroCRM
        ({"last_name": None}, {"first_name": "Ada", "last_name": "King"}, ["name"]),
        ({"birthday": None}, {"birthday": "1604-02-29"}, []),  # a birthday without year stays in OroCRM
    ],
)
def test_sides_agree_when_either_says_all_it_can(
    outlook: dict[str, Any], oro: dict[str, Any], units: list[str]
) -> None:
    compared = sides(outlook, oro)
    assert [name for name, unit in UNITS.items() if not compared.agrees(unit)] == units


def test_nothing_on_both_sides_is_the_same_even_where_a_side_would_make_something_of_it() -> None:
    compared = sides({"priority": None}, {"priority": None}, entity=Entity.TASK)
    assert compared.agrees(units_of(Entity.TASK)["priority"])


def test_a_side_has_changed_when_it_differs_from_its_own_shadow_whatever_the_other_says() -> None:
    shadows = {OUTLOOK: record(Entity.CONTACT, emails=FIVE[:3]), ORO: record(Entity.CONTACT, emails=FIVE)}
    compared = sides({"emails": FIVE[:3], "fax": "1"}, {"emails": FIVE[:4]}, shadows)
    told = {side: [name for name, unit in UNITS.items() if compared.changed(side, unit)] for side in Side}
    assert told == {OUTLOOK: ["fax"], ORO: ["emails"]}


def test_a_unit_without_base_has_not_changed_and_one_with_half_a_base_has_none() -> None:
    compared = sides({"fax": "1"}, {"fax": "2"}, {OUTLOOK: {"fax": "3"}})
    assert not compared.has_base(UNITS["fax"])
    assert compared.changed(OUTLOOK, UNITS["fax"])
    assert not compared.changed(ORO, UNITS["fax"])
    assert compared.base(OUTLOOK, UNITS["fax"]) == {"fax": "3"}
    assert compared.base(ORO, UNITS["fax"]) == {}
    assert compared.values(ORO, UNITS["fax"]) == {"fax": "2"}


def test_changed_units_are_told_by_name_and_fields_without_shadow_do_not_count() -> None:
    now = record(Entity.CONTACT, middle_name="X", fax="1", gender="male")
    shadow = {name: value for name, value in record(Entity.CONTACT).items() if name != "gender"}
    assert changed_units(Entity.CONTACT, now, shadow) == ("name", "fax")
    assert changed_units(Entity.CONTACT, now, {}) == ()


def test_an_only_name_is_not_enough_once_its_copy_is_a_name_of_its_own() -> None:
    compared = sides({"last_name": None}, {"first_name": "Eve", "last_name": "Ada"})
    assert not compared.enough(OUTLOOK, UNITS["name"], {"first_name": "Eve"})
    assert compared.enough(OUTLOOK, UNITS["name"], {"first_name": "Eve", "last_name": "Ada"})


@given(oro=CONTACTS)
def test_what_a_side_would_hold_of_a_record_agrees_with_it(oro: Record) -> None:
    held = lens_of(OUTLOOK, Entity.CONTACT).representable(oro, CONTEXT)
    compared = compare(Entity.CONTACT, held, oro, {}, CONTEXT)
    assert all(compared.agrees(unit) for unit in UNITS.values())
