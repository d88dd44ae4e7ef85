"""Postal addresses: three slots in Outlook, a list with types in OroCRM."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.lens_world import CONTEXT, PLACES

from orosync.core.mapping import addresses


def value(**parts: str | None) -> addresses.Address:
    return {**dict.fromkeys(("street", "city", "region", "postal_code", "country")), **parts}


def row(id: str, *types: str, country: str | None = "DE", region: str | None = None, **own: Any) -> dict[str, Any]:
    return {"id": id, "attributes": own, "country": country, "region": region, "types": list(types)}


BERLIN = value(street="Hauptstr. 5", city="Berlin", region="DE-BE", postal_code="10115", country="DE")
NEW_YORK = value(street="1 Main St\nFloor 2", city="New York", region="US-NY", country="US")
ORO_BERLIN: dict[str, Any] = {"street": "Hauptstr. 5", "city": "Berlin", "postalCode": "10115"}


def patch(rows: list[dict[str, Any]], **wanted: addresses.Address | None) -> dict[str, Any]:
    fields = {"billing": "billing_address", "shipping": "shipping_address", "other": "other_address"}
    return addresses.oro_patch({fields[name]: each for name, each in wanted.items()}, rows, CONTEXT)


# ------------------------------------------------------------------------------------------------ Outlook


def test_the_users_own_spelling_means_the_same_and_stays() -> None:
    present = {"street": "1 Main St\r\nFloor 2", "city": "New York", "state": "NY", "countryOrRegion": "USA"}
    assert addresses.from_outlook(present, PLACES) == NEW_YORK
    moved = addresses.to_outlook({**NEW_YORK, "city": "Albany"}, present, PLACES)
    assert moved == {
        "street": "1 Main St\r\nFloor 2",
        "city": "Albany",
        "state": "NY",
        "postalCode": None,
        "countryOrRegion": "USA",
    }


def test_all_five_parts_are_written_with_names_for_people() -> None:
    assert addresses.to_outlook(BERLIN, None, PLACES) == {
        "street": "Hauptstr. 5",
        "city": "Berlin",
        "state": "Berlin",
        "postalCode": "10115",
        "countryOrRegion": "Germany",
    }


def test_a_cleared_address_has_five_empty_parts() -> None:
    assert set(addresses.to_outlook(None, {"city": "x"}, PLACES).values()) == {None}
    assert len(addresses.to_outlook(None, None, PLACES)) == 5
    assert addresses.from_outlook({}, PLACES) is None
    assert addresses.from_outlook(None, PLACES) is None


def test_a_region_is_written_anew_when_its_country_changes() -> None:
    present = {"state": "NY", "countryOrRegion": "Narnia"}
    assert addresses.to_outlook(value(region="NY", country="DE"), present, PLACES)["state"] == "NY"


# ------------------------------------------------------------------------------------------------ OroCRM


@pytest.mark.parametrize(
    ("address", "held"),
    [
        (BERLIN, BERLIN),
        (value(city="x"), None),
        (value(city="x", country="Narnia"), None),
        (value(city="x", country="NL"), None),  # not served by this instance
        (value(country="deutschland"), value(country="DE")),
        (value(region="Quebec", country="US"), value(country="US")),
        (value(region="US-NY", country="DE"), value(country="DE")),
        (value(region="La Condamine", country="MC"), value(region="La Condamine", country="MC")),
        (value(street="a\nb\nc", country="DE"), value(street="a\nb, c", country="DE")),
        (value(street="x" * 501, city="c" * 256, country="DE"), value(street="x" * 500, city="c" * 255, country="DE")),
        (None, None),
    ],
)
def test_what_oro_can_hold(address: addresses.Address | None, held: addresses.Address | None) -> None:
    assert addresses.held_by_oro(address, PLACES) == held


def test_the_oldest_address_of_a_kind_is_the_one() -> None:
    rows = addresses.in_order([row("10"), row("9"), row("11", "billing")])
    assert [each["id"] for each in rows] == ["9", "10", "11"]
    assert addresses.of_type(rows, "") == row("9")
    assert addresses.of_type(rows, "billing") == row("11", "billing")
    assert addresses.of_type(rows, "shipping") is None
    assert addresses.in_order(None) == []


def test_oro_reads_street_and_street_2_as_two_lines() -> None:
    stored = row("1", country="US", region="US-NY", street="1 Main St", street2="Floor 2", city="New York")
    assert addresses.from_oro(stored, PLACES) == NEW_YORK
    assert addresses.from_oro({"id": "1"}, PLACES) is None
    legacy = row("1", country="MC", regionText="La Condamine")
    assert addresses.from_oro(legacy, PLACES) == value(region="La Condamine", country="MC")


def test_a_new_address_is_created_with_its_type() -> None:
    assert patch([], billing=NEW_YORK, other=value(region="x", country="MC")) == {
        "create": [
            {
                "attributes": {"street": "1 Main St", "street2": "Floor 2", "city": "New York"},
                "country": "US",
                "region": "US-NY",
                "types": ["billing"],
            },
            {"attributes": {"customRegion": "x"}, "country": "MC", "region": None, "types": []},
        ],
        "update": {},
        "delete": [],
    }


def test_only_what_differs_is_updated() -> None:
    stored = row("1", "billing", region="DE-BE", organization="Acme", **ORO_BERLIN)
    assert patch([stored], billing={**BERLIN, "city": "Potsdam"}) == {
        "create": [],
        "update": {"1": {"attributes": {"city": "Potsdam"}}},
        "delete": [],
    }


def test_a_street_that_means_the_same_keeps_its_two_fields() -> None:
    stored = row("1", "billing", street2="Hauptstr. 5", city="Berlin")
    assert patch([stored], billing=value(street="Hauptstr. 5", city="Potsdam", country="DE"))["update"] == {
        "1": {"attributes": {"city": "Potsdam"}}
    }
    assert patch([stored], billing=value(street="Ring 1", city="Berlin", country="DE"))["update"] == {
        "1": {"attributes": {"street": "Ring 1", "street2": None}}
    }


def test_another_country_takes_its_region_along() -> None:
    stored = row("1", country="MC", customRegion="La Condamine", city="x")
    assert patch([stored], other=value(city="x", region="DE-BE", country="DE"))["update"] == {
        "1": {"country": "DE", "region": "DE-BE", "attributes": {"customRegion": None}}
    }
    listed = row("1", region="DE-BE", city="x")
    assert patch([listed], other=value(city="x", country="DE"))["update"] == {"1": {"country": "DE", "region": None}}


def test_an_address_without_country_gets_one() -> None:
    assert patch([row("1", country=None)], other=value(country="DE"))["update"] == {
        "1": {"country": "DE", "region": None}
    }


# One row a situation of an address that is billing and shipping address at once.
SHARED = row("1", "billing", "shipping", region="DE-BE", **ORO_BERLIN)
NEW = {"attributes": {"city": "x"}, "country": "DE", "region": None}
ELSEWHERE = value(city="x", country="DE")


@pytest.mark.parametrize(
    ("wanted", "create", "update", "delete"),
    [
        ({"billing": ELSEWHERE}, [{**NEW, "types": ["billing"]}], {"1": {"types": ["shipping"]}}, []),
        ({"shipping": ELSEWHERE}, [{**NEW, "types": ["shipping"]}], {"1": {"types": ["billing"]}}, []),
        ({"billing": None}, [], {"1": {"types": ["shipping"]}}, []),
        ({"shipping": None}, [], {"1": {"types": ["billing"]}}, []),
        ({"billing": None, "shipping": None}, [], {}, ["1"]),
        (
            {"billing": ELSEWHERE, "shipping": None},
            [],
            {
                "1": {
                    "types": ["billing"],
                    "attributes": {"street": None, "city": "x", "postalCode": None},
                    "country": "DE",
                    "region": None,
                }
            },
            [],
        ),
        (
            {"billing": {**BERLIN, "city": "Potsdam"}, "shipping": {**BERLIN, "city": "Potsdam"}},
            [],
            {"1": {"attributes": {"city": "Potsdam"}}},
            [],
        ),
        (
            {"billing": ELSEWHERE, "shipping": {**BERLIN, "city": "Potsdam"}},
            [{**NEW, "types": ["billing"]}],
            {"1": {"types": ["shipping"], "attributes": {"city": "Potsdam"}}},
            [],
        ),
    ],
)
def test_an_address_of_two_kinds_never_changes_the_other_kind(
    wanted: dict[str, Any], create: list[Any], update: dict[str, Any], delete: list[str]
) -> None:
    assert patch([SHARED], **wanted) == {"create": create, "update": update, "delete": delete}


def test_an_address_of_one_kind_is_deleted_with_it() -> None:
    assert patch([row("1", "billing"), row("2")], billing=None) == {"create": [], "update": {}, "delete": ["1"]}
    assert patch([row("1"), row("2")], other=None) == {"create": [], "update": {}, "delete": ["1"]}
    assert patch([row("1")], billing=None) == {}
