"""The stamp and other extended properties on Outlook items."""

from __future__ import annotations

import pytest
from tests.core.lens_world import CONTEXT

from orosync.core.mapping import stamp_patch, with_stamp
from orosync.core.mapping.lens import FAX_PROPERTY, STAMP_PROPERTY, Context
from orosync.core.mapping.stamps import extended_patch, extended_values, stamp_of
from orosync.core.records import Entity


@pytest.mark.parametrize("entity", Entity)
def test_a_stamped_item_names_its_oro_record(entity: Entity) -> None:
    assert stamp_of(entity, stamp_patch(entity, "42", CONTEXT, "Call Ada")) == "42"
    assert stamp_of(entity, {}) is None


def test_ids_of_properties_are_compared_without_case() -> None:
    rows = [
        {"id": STAMP_PROPERTY.upper(), "value": "42"},
        {"id": FAX_PROPERTY, "value": ""},
        {"id": "String 0x1", "value": None},
    ]
    body = {"singleValueExtendedProperties": rows}
    assert stamp_of(Entity.EVENT, body) == "42"
    assert extended_values(body) == {STAMP_PROPERTY.casefold(): "42"}


def test_an_empty_value_clears_a_property() -> None:
    assert extended_patch({FAX_PROPERTY: None}) == {
        "singleValueExtendedProperties": [{"id": FAX_PROPERTY, "value": ""}]
    }
    assert extended_patch({}) == {}


def test_a_tasks_stamp_is_a_link_people_can_follow() -> None:
    link = {
        "applicationName": "OroCRM",
        "externalId": "42",
        "displayName": "Call Ada",
        "webUrl": "https://crm.example.com/task/view/42",
    }
    assert stamp_patch(Entity.TASK, "42", CONTEXT, "Call Ada") == {"linkedResources": [link]}
    bare = {"applicationName": "OroCRM", "externalId": "42", "displayName": "OroCRM"}
    assert stamp_patch(Entity.TASK, "42", Context()) == {"linkedResources": [bare]}


def test_links_of_other_programs_are_no_stamps() -> None:
    others = [{"applicationName": "Planner", "externalId": "1"}, {"applicationName": "OroCRM", "externalId": None}]
    assert stamp_of(Entity.TASK, {"linkedResources": others}) is None


def test_a_create_carries_its_stamp_beside_its_other_properties() -> None:
    patch = {"givenName": "Ada", **extended_patch({FAX_PROPERTY: "1"})}
    stamped = with_stamp(patch, Entity.CONTACT, "42", CONTEXT)
    assert stamped["givenName"] == "Ada"
    assert [row["id"] for row in stamped["singleValueExtendedProperties"]] == [FAX_PROPERTY, STAMP_PROPERTY]
    assert [row["id"] for row in patch["singleValueExtendedProperties"]] == [FAX_PROPERTY]
    assert with_stamp({"title": "x"}, Entity.TASK, "42", CONTEXT, "x")["linkedResources"][0]["externalId"] == "42"
