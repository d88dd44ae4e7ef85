"""What OroCRM checks and settles about a contact's addresses.

Works on a copy; who asks and whether they may is left to the caller. Source: contactaddresses-*,
contacts-error-address-*, contacts-create-two-*, section 3 of the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from orosync.sandbox.oro import geography, problems
from orosync.sandbox.oro.problems import Problem
from orosync.sandbox.oro.records import Address, Contact
from orosync.sandbox.oro.state import OroState

TEXTS = {
    "label": 255,
    "street": 500,
    "street2": 500,
    "city": 255,
    "postalCode": 255,
    "organization": 255,
    "customRegion": 255,
    "namePrefix": 255,
    "firstName": 255,
    "middleName": 255,
    "lastName": 255,
    "nameSuffix": 255,
}
READ_ONLY = ("createdAt", "updatedAt")
RELATIONS = {"types": "addresstypes", "country": "countries", "region": "regions", "owner": "contacts"}


def blank_address(state: OroState, contact: int) -> Address:
    """A new address without an id."""
    now = state.now()
    return Address(0, contact, {}, primary=False, types=[], country=None, region=None, created_at=now, updated_at=now)


def draft_of(address: Address) -> Address:
    """A copy to try changes on."""
    other = copy(address)
    other.attributes = dict(address.attributes)
    other.types = list(address.types)
    return other


def apply(address: Address, data: Mapping[str, Any], at: str) -> list[Problem]:
    """Writes attributes and relations of a document into the copy; returns what is wrong with them."""
    found: list[Problem] = []
    unknown = []
    for name, value in (data.get("attributes") or {}).items():
        pointer = f"{at}/attributes/{name}"
        if name == "primary":
            address.primary = bool(value)
        elif name in TEXTS:
            text = value.strip() if isinstance(value, str) else value
            if text is not None and not isinstance(text, str):
                found.append(Problem(400, "form constraint", "This value is not valid.", pointer))
            elif text is not None and len(text) > TEXTS[name]:
                found.append(problems.too_long(TEXTS[name], pointer))
            else:
                address.attributes[name] = text
        elif name not in READ_ONLY:
            unknown.append(name)
    for name, value in (data.get("relationships") or {}).items():
        if name not in RELATIONS:
            unknown.append(name)
        elif name != "owner":
            found += _relate(address, name, value.get("data"), f"{at}/relationships/{name}/data")
    if unknown:
        found.append(problems.extra_fields(unknown))
    return found


def _relate(address: Address, name: str, data: Any, pointer: str) -> list[Problem]:
    if name == "types":
        wanted = [entry["id"] for entry in data or ()]
        address.types = [kind for kind in wanted if kind in ("billing", "shipping")]
        return [] if len(address.types) == len(wanted) else [problems.unknown_entity(pointer)]
    identifier = None if data is None else str(data.get("id"))
    known = geography.countries() if name == "country" else geography.regions()
    missing = identifier is not None and identifier not in known
    setattr(address, name, None if missing else identifier)
    return [problems.unknown_entity(pointer)] if missing else []


def check(address: Address, at: str) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with the whole address: (at its fields, at the address itself)."""
    country = geography.countries().get(address.country or "")
    if country is None:
        return [problems.blank(f"{at}/relationships/country/data")], []
    region = geography.regions().get(address.region or "")
    if region is not None and region.country != country.id:
        detail = f"Region {region.name} does not belong to country {country.name}"
        return [], [Problem(400, "valid region constraint", detail)]
    if address.attributes.get("customRegion") and country.regions:
        detail = "Custom region can be used only for countries without predefined regions."
        return [], [Problem(400, "region text constraint", detail)]
    return [], []


def settle_inline(addresses: Sequence[Address]) -> None:
    """One primary and each type once: of those sent together the earlier one keeps what it has."""
    taken: set[str] = set()
    primary = False
    for address in addresses:
        address.types = [kind for kind in address.types if kind not in taken]
        taken.update(address.types)
        address.primary = address.primary and not primary
        primary = primary or address.primary
    if addresses and not primary:
        addresses[0].primary = True


def settle_by_itself(state: OroState, contact: Contact, chosen: Address) -> None:
    """An address written by itself takes type and primary from the others (contactaddresses-patch-types)."""
    others = [address for address in state.address_list(contact) if address.id != chosen.id]
    for address in others:
        kept = [kind for kind in address.types if kind not in chosen.types]
        if kept != address.types or (chosen.primary and address.primary):
            address.types = kept
            address.primary = address.primary and not chosen.primary
            address.updated_at = state.now()
            state.addresses.save(address)
    if not others:
        chosen.primary = True


def same(one: Address, other: Address) -> bool:
    """Whether two copies hold the same values."""
    return (one.attributes, one.primary, one.types, one.country, one.region) == (
        other.attributes,
        other.primary,
        other.types,
        other.country,
        other.region,
    )
