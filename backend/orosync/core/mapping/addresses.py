"""Postal addresses on both sides: three slots in Outlook, a list with types in OroCRM.

Rules: graph-api.md 1.1 and 17 (written whole, country as text), orocrm-api.md 3 (country required, regions by id, each
type once for a contact). An address of another kind is never changed by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orosync.core.canonical import address as canonical_address
from orosync.core.mapping.lens import Context
from orosync.core.mapping.places import Places
from orosync.core.records import Json

Address = dict[str, str | None]

# Field of the record -> (Outlook's property, OroCRM's type; "" is an address without type).
KINDS = {
    "billing_address": ("businessAddress", "billing"),
    "shipping_address": ("homeAddress", "shipping"),
    "other_address": ("otherAddress", ""),
}
_OUTLOOK_PARTS = {
    "street": "street",
    "city": "city",
    "region": "state",
    "postal_code": "postalCode",
    "country": "countryOrRegion",
}
_STREET_MOST = 500
_PART_MOST = 255


def placed(value: Any, places: Places) -> Address | None:
    """The canonical address, its country and region as OroCRM's ids where they are known."""
    parts = canonical_address(value)
    if parts is None:
        return None
    country = places.country(parts["country"])
    return {**parts, "country": country, "region": places.region(parts["region"], country)}


# ------------------------------------------------------------------------------------------------ Outlook


def from_outlook(value: Json | None, places: Places) -> Address | None:
    if not value:
        return None
    return placed({part: value.get(name) for part, name in _OUTLOOK_PARTS.items()}, places)


def to_outlook(value: Address | None, present: Json | None, places: Places) -> Json:
    """All five parts, as the object is replaced whole. A part that means the same keeps the user's spelling.

    How an address is cleared is not established (graph-api.md 16.7): five nulls clear it if parts are merged as well
    as if the object is replaced.
    """
    if value is None:
        return dict.fromkeys(_OUTLOOK_PARTS.values())
    before = from_outlook(present, places) or {}
    texts = {
        **value,
        "region": places.region_name(value["region"], value["country"]),
        "country": places.country_name(value["country"]),
    }
    same_country = before.get("country") == value["country"]
    kept = {part for part in value if before.get(part) == value[part] and (part != "region" or same_country)}
    return {name: (present or {}).get(name) if part in kept else texts[part] for part, name in _OUTLOOK_PARTS.items()}


# ------------------------------------------------------------------------------------------------ OroCRM


def from_oro(row: Json, places: Places) -> Address | None:
    own = row.get("attributes") or {}
    street = "\n".join(str(each) for each in (own.get("street"), own.get("street2")) if each)
    parts = {
        "street": street,
        "city": own.get("city"),
        "region": row.get("region") or own.get("customRegion") or own.get("regionText"),
        "postal_code": own.get("postalCode"),
        "country": row.get("country"),
    }
    return placed(parts, places)


def held_by_oro(value: Any, places: Places) -> Address | None:
    """What OroCRM would hold: nothing without a country it serves; a region from its list where it has one."""
    address = placed(value, places)
    if address is None or not places.serves(address["country"]):
        return None
    first, second = _two_lines(address["street"])
    region = address["region"]
    if places.has_regions(address["country"]):
        region = region if places.lists(region, address["country"]) else None
    held = {
        "street": "\n".join(filter(None, (first, second))) or None,
        "city": cut(address["city"]),
        "region": cut(region),
        "postal_code": cut(address["postal_code"]),
        "country": address["country"],
    }
    return placed(held, places)


def cut(text: str | None, most: int = _PART_MOST) -> str | None:
    """OroCRM answers 500 to over-long values: they are cut before they are sent (orocrm-api.md 3)."""
    return text if text is None or len(text) <= most else text[:most].rstrip()


def _two_lines(street: str | None) -> tuple[str | None, str | None]:
    first, *others = (street or "").split("\n")
    return cut(first, _STREET_MOST) or None, cut(", ".join(others)) or None


def in_order(rows: list[Json] | None) -> list[Json]:
    """OroCRM's addresses by age, so that "the first one" is the same every time."""
    return sorted(rows or (), key=lambda row: (len(str(row["id"])), str(row["id"])))


def of_type(rows: list[Json], kind: str) -> Json | None:
    """The first address of a type, or without any type for ""."""
    for row in rows:
        types = row.get("types") or []
        if kind in types or (not kind and not types):
            return row
    return None


def oro_patch(wanted: Mapping[str, Address | None], rows: list[Json], context: Context) -> Json:
    """{"create", "update", "delete"} for the kinds in `wanted` (fields of the record), see lens.py; {} for nothing.

    An address that serves another kind as well is only rewritten if that one changes to the same; else it gives up the
    type, and the changed one becomes an address of its own.
    """
    create: list[Json] = []
    update: dict[str, Json] = {}
    delete: list[str] = []
    types = {str(row["id"]): list(row.get("types") or []) for row in rows}
    by_type = {KINDS[field][1]: value for field, value in wanted.items()}
    # Kinds that go away come first: they leave a shared address to the other one.
    for kind, value in sorted(by_type.items(), key=lambda each: each[1] is not None):
        row = of_type(rows, kind)
        row_id = str(row["id"]) if row else ""
        others = [each for each in types.get(row_id, ()) if each != kind]
        if row is None:
            create += [] if value is None else [_new(value, kind, context.places)]
        elif all(each in by_type and by_type[each] == value for each in others):
            if value is None:
                delete += [] if row_id in delete else [row_id]
            else:
                update[row_id] = {**update.get(row_id, {}), **_changed(row, value, context.places)}
        else:
            types[row_id] = others
            update[row_id] = {**update.get(row_id, {}), "types": others}
            create += [] if value is None else [_new(value, kind, context.places)]
    return {"create": create, "update": update, "delete": delete} if create or update or delete else {}


def _new(value: Address, kind: str, places: Places) -> Json:
    """An address needs no names of its own (recorded: contactaddresses-create)."""
    body = _fields(value, places)
    attributes = {name: text for name, text in body["attributes"].items() if text is not None}
    return {**body, "attributes": attributes, "types": [kind] if kind else []}


def _changed(row: Json, value: Address, places: Places) -> Json:
    """Only what differs: parts that mean the same keep OroCRM's spelling."""
    before = from_oro(row, places) or dict.fromkeys(value)
    fields, own = _fields(value, places), row.get("attributes") or {}
    names = {"street": ("street", "street2"), "city": ("city",), "postal_code": ("postalCode",)}
    wanted = [name for part, group in names.items() if before[part] != value[part] for name in group]
    body: Json = {}
    if (before["country"], before["region"]) != (value["country"], value["region"]):
        wanted.append("customRegion")
        body = {name: fields[name] for name in ("country", "region")}
    attributes = {name: fields["attributes"][name] for name in wanted if fields["attributes"][name] != own.get(name)}
    return {**body, **({"attributes": attributes} if attributes else {})}


def _fields(value: Address, places: Places) -> Json:
    street, street2 = _two_lines(value["street"])
    listed = places.lists(value["region"], value["country"])
    attributes = {
        "street": street,
        "street2": street2,
        "city": value["city"],
        "postalCode": value["postal_code"],
        "customRegion": None if listed else value["region"],
    }
    return {"attributes": attributes, "country": value["country"], "region": value["region"] if listed else None}
