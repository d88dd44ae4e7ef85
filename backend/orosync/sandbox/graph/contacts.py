"""The rules of a contact: its properties, limits, and what the server makes of values (graph-api.md 1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from orosync.sandbox.graph.bodies import crlf
from orosync.sandbox.graph.items import Item
from orosync.sandbox.graph.properties import read_written
from orosync.sandbox.graph.wire import JSON, bad_request, utc_seconds

TEXTS = (
    "assistantName",
    "businessHomePage",
    "companyName",
    "department",
    "displayName",
    "fileAs",
    "generation",
    "givenName",
    "initials",
    "jobTitle",
    "manager",
    "middleName",
    "mobilePhone",
    "nickName",
    "officeLocation",
    "personalNotes",
    "profession",
    "spouseName",
    "surname",
    "title",
    "yomiCompanyName",
    "yomiGivenName",
    "yomiSurname",
)
NAME_PARTS = ("title", "givenName", "middleName", "surname", "generation")
# how many entries a list may have; None: no limit known
LISTS: dict[str, int | None] = {
    "businessPhones": 2,
    "homePhones": 2,
    "imAddresses": None,
    "children": None,
    "categories": None,
}
ADDRESSES = ("homeAddress", "businessAddress", "otherAddress")
ADDRESS_PARTS = frozenset({"street", "city", "state", "postalCode", "countryOrRegion"})
EMAIL_SLOTS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
MAX_EMAILS = 3
READ_ONLY = frozenset(
    [
        "id",
        "parentFolderId",
        "changeKey",
        "createdDateTime",
        "lastModifiedDateTime",
        "@odata.etag",
        "@odata.type",
        "@odata.context",
    ]
)
_DEFAULTS: tuple[tuple[str, Any], ...] = (
    ("categories", ()),
    *((name, None) for name in ("birthday", *TEXTS)),
    *((name, ()) for name in LISTS if name != "categories"),
    *((name, {}) for name in ADDRESSES),
    ("emailAddresses", ()),
)
KNOWN = frozenset(name for name, _ in _DEFAULTS) | frozenset(EMAIL_SLOTS) | (READ_ONLY - {"@odata.context"})


def write(item: Item, body: JSON, *, creating: bool, trim: bool = True) -> None:
    """Applies a POST or PATCH body; all or nothing. Raises GraphFault 400."""
    changes: JSON = {}
    extended: dict[str, str] = {}
    for name, value in body.items():
        if name in READ_ONLY:
            continue
        if name == "singleValueExtendedProperties":
            extended = read_written(value)
        else:
            changes[name] = _checked(name, value, trim)
    _merge_email_slots(item, changes)
    if creating or (not body.keys().isdisjoint(NAME_PARTS) and "displayName" not in body):
        _name(item, changes, creating)
    for name, value in changes.items():
        if value in (None, "", {}, ()) or value == []:
            item.data.pop(name, None)
        else:
            item.data[name] = value
    if extended:
        item.extended = {**(item.extended or {}), **extended}


def _checked(name: str, value: Any, trim: bool) -> Any:
    if name in TEXTS:
        if value is not None and not isinstance(value, str):
            raise _wrong_type(name)
        if value and name == "personalNotes":
            return crlf(value)
        return value.strip() if value and trim else value
    if name in LISTS:
        return _strings(name, value, LISTS[name])
    if name == "emailAddresses":
        return _emails(value)
    if name in EMAIL_SLOTS:
        return None if value is None else _emails([value])[0]
    if name in ADDRESSES:
        return _address(name, value)
    if name == "birthday":
        return _birthday(value)
    raise bad_request(
        f"The property '{name}' does not exist on type 'microsoft.graph.contact'. Make sure to only use property"
        " names that are defined by the type.",
        "RequestBodyRead",
    )


def _wrong_type(name: str) -> Exception:
    return bad_request(f"Cannot convert the value of '{name}' to the expected type.", "RequestBodyRead")


def _limit(name: str, value: list[Any], most: int | None) -> None:
    if most is not None and len(value) > most:
        property_name = name[0].upper() + name[1:]
        raise bad_request(
            f"The multi value property {property_name} has {len(value)} entries, that exceeds the max allowed"
            f" value of {most}"
        )


def _strings(name: str, value: Any, most: int | None) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise _wrong_type(name)
    _limit(name, value, most)
    return [entry.strip() for entry in value]


def _emails(value: Any) -> list[JSON]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _wrong_type("emailAddresses")
    _limit("emailAddresses", value, MAX_EMAILS)
    kept: list[JSON] = []
    for entry in value:
        address, name = entry.get("address"), entry.get("name")
        if not isinstance(address, (str, type(None))) or not isinstance(name, (str, type(None))):
            raise _wrong_type("emailAddresses")
        address = (address or "").strip()
        # A missing name is filled with the address.
        kept.append({"name": (name or "").strip() or address, "address": address})
    return kept


def _address(name: str, value: Any) -> JSON:
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= ADDRESS_PARTS | {"@odata.type"}:
        raise _wrong_type(name)
    if not all(part is None or isinstance(part, str) for part in value.values()):
        raise _wrong_type(name)
    return {part: crlf(text.strip()) for part, text in value.items() if text and part in ADDRESS_PARTS}


def _birthday(value: Any) -> str | None:
    """A bare date becomes 11:59 UTC; an instant stays as sent (graph-api.md 1.2)."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        value = f"{value}T11:59:00Z"
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise bad_request(
            f"Cannot convert the literal '{value}' to the expected type 'Edm.DateTimeOffset'.", "RequestBodyRead"
        )
    return utc_seconds(moment.astimezone(UTC))


def _merge_email_slots(item: Item, changes: JSON) -> None:
    """The newer one-address properties; with `emailAddresses` in one request: not established, so refused."""
    slots = [name for name in EMAIL_SLOTS if name in changes]
    if not slots:
        return
    if "emailAddresses" in changes:
        raise bad_request("Write either emailAddresses or the single address properties, not both.")
    emails: list[Any] = [*item.data.get("emailAddresses", ()), None, None, None][:MAX_EMAILS]
    for name in slots:
        emails[EMAIL_SLOTS.index(name)] = changes.pop(name)
    changes["emailAddresses"] = [entry for entry in emails if entry]


def _name(item: Item, changes: JSON, creating: bool) -> None:
    """DisplayName follows the name parts whenever it is not sent along (graph-api.md 1.1)."""
    parts = {name: changes.get(name, item.data.get(name)) for name in NAME_PARTS}
    if not changes.get("displayName"):
        changes["displayName"] = " ".join(part for part in parts.values() if part)
    if creating and not changes.get("fileAs"):
        given = " ".join(part for part in (parts["givenName"], parts["middleName"]) if part)
        changes["fileAs"] = ", ".join(part for part in (parts["surname"], given) if part)


def value(item: Item, name: str) -> Any:
    """One property, for `$filter` and `$orderby`."""
    if name == "singleValueExtendedProperties":
        return [{"id": key, "value": text} for key, text in (item.extended or {}).items()]
    if name == "createdDateTime":
        return utc_seconds(item.created)
    if name == "lastModifiedDateTime":
        return utc_seconds(item.modified)
    return item.data.get(name)


def render(item: Item, item_id: str) -> JSON:
    """The whole contact as a reply has it; never with extended properties (graph-api.md 2.1)."""
    data = item.data
    key = item.change_key
    row: JSON = {
        "@odata.etag": f'W/"{key}"',
        "id": item_id,
        "createdDateTime": utc_seconds(item.created),
        "lastModifiedDateTime": utc_seconds(item.modified),
        "changeKey": key,
        "parentFolderId": item.container.id,
    }
    for name, default in _DEFAULTS:
        row[name] = data.get(name, default)
    emails = row["emailAddresses"]
    for index, slot in enumerate(EMAIL_SLOTS):
        row[slot] = emails[index] if index < len(emails) else None
    return row
