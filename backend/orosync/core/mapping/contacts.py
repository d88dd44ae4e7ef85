"""Contacts: Graph's contact and OroCRM's contact as one record (design.md 4.2, graph-api.md 1 and 17, orocrm-api.md 3).

Decides how each field reads and is written; addresses are in `addresses.py`. Attributes nobody maps are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from orosync.core import canonical as forms
from orosync.core import zones
from orosync.core.fields import empty_record
from orosync.core.mapping import addresses, html_text
from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY, Context
from orosync.core.mapping.stamps import extended_patch, extended_values, stamp_of
from orosync.core.records import Entity, Item, Json, Record, Side, Snapshot, Value

OUTLOOK_EMAILS = 3
PRIVATE = frozenset({"private", "confidential"})
# What Exchange and its clients store for "no date" and for a birthday without a year.
_NO_DATE, _NO_YEAR = frozenset({"0001", "4501"}), "1604"
_NAMES = ("first_name", "middle_name", "last_name", "name_suffix")


def _changes(values: Mapping[str, Value], before: Record) -> dict[str, Value]:
    """The values, in normal form, that are not there already."""
    wanted = forms.canonical(Entity.CONTACT, values)
    return {name: value for name, value in wanted.items() if not forms.same(Entity.CONTACT, name, value, before[name])}


# ------------------------------------------------------------------------------------------------ Outlook

_OUTLOOK_TEXTS = {
    "first_name": "givenName",
    "middle_name": "middleName",
    "last_name": "surname",
    "name_suffix": "generation",
    "job_title": "jobTitle",
}
_GENDERS = {"female": "1", "male": "2"}
_GENDER_NAMES = {number: name for name, number in _GENDERS.items()}


def birthday_of(text: str | None) -> str | None:
    """The day of Graph's birthday instant: until noon UTC that day, later the next one (graph-api.md 1.2)."""
    moment = zones.instant(text)
    if moment is None:
        return None
    day = moment[:10] if moment[11:] <= "12:00:00Z" else zones.day_after(moment[:10])
    return None if day[:4] in _NO_DATE else day


def _with_year(day: Value) -> str | None:
    text = cast("str | None", day)
    return None if text is None or text[:4] in {*_NO_DATE, _NO_YEAR} else text


class OutlookContact:
    """Graph v1.0 `contact` with its extended properties."""

    side: Side = Side.OUTLOOK
    entity: Entity = Entity.CONTACT

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        body = item.body
        private = body.get("sensitivity") in PRIVATE
        hidden = private and not context.include_private
        record: dict[str, Value] = {**empty_record(self.entity)} if hidden else self._get(body, context)
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record=record,
            item=item,
            stamp=stamp_of(self.entity, body),
            modified_at=zones.instant(body.get("lastModifiedDateTime")),
            private=private,
            categories=tuple(body.get("categories") or ()),
            notes=() if hidden else self._notes(body, record, context),
        )

    def _get(self, body: Json, context: Context) -> dict[str, Value]:
        extended = extended_values(body)
        return {
            **{field: forms.line(body.get(name)) for field, name in _OUTLOOK_TEXTS.items()},
            "description": forms.block(body.get("personalNotes")),
            "emails": forms.emails(each.get("address") for each in body.get("emailAddresses") or ()),
            "primary_phone": forms.phone(extended.get(PRIMARY_PHONE_PROPERTY.casefold())),
            "birthday": _with_year(birthday_of(body.get("birthday"))),
            "gender": _GENDER_NAMES.get(extended.get(GENDER_PROPERTY.casefold(), "")),
            "fax": forms.line(extended.get(FAX_PROPERTY.casefold())),
            **{
                field: cast("Value", addresses.from_outlook(body.get(name), context.places))
                for field, (name, _) in addresses.KINDS.items()
            },
        }

    def _notes(self, body: Json, record: Record, context: Context) -> tuple[str, ...]:
        notes = []
        if (birthday_of(body.get("birthday")) or "").startswith(_NO_YEAR):
            notes.append("the birthday has no year and stays in Outlook")
        notes += [
            f"the {field.replace('_', ' ')} has no country OroCRM knows and stays in Outlook"
            for field in addresses.KINDS
            if record[field] and addresses.held_by_oro(record[field], context.places) is None
        ]
        refused = sum(not _oro_takes(each) for each in cast("list[str]", record["emails"] or []))
        if refused:
            notes.append(f"{refused} e-mail address(es) OroCRM would refuse stay in Outlook")
        return tuple(notes)

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        body: Json = item.body if item is not None else {}
        before = self._get(body, context)
        changes = _changes(values, before)
        held = self.representable({**before, **changes}, context)
        changes = {name: held[name] for name in changes if held[name] != before[name]}
        patch: Json = {name: changes[field] for field, name in _OUTLOOK_TEXTS.items() if field in changes}
        if "description" in changes:
            patch["personalNotes"] = changes["description"]
        if "emails" in changes:
            patch["emailAddresses"] = _outlook_emails(held["emails"], body)
        if "birthday" in changes:
            patch["birthday"] = f"{changes['birthday']}T11:59:00Z" if changes["birthday"] else None
        for field, (name, _) in addresses.KINDS.items():
            if field in changes:
                value = cast("addresses.Address | None", changes[field])
                patch[name] = addresses.to_outlook(value, body.get(name), context.places)
        if item is None or any(name in changes for name in _NAMES):
            patch |= _display_name(body, held, patch)
        return patch | extended_patch(_outlook_extended(changes))

    def representable(self, record: Record, context: Context) -> Record:
        """Three addresses; a birthday with its year."""
        emails = cast("list[str] | None", record["emails"])
        places = {name: cast("Value", addresses.placed(record[name], context.places)) for name in addresses.KINDS}
        cut = emails[:OUTLOOK_EMAILS] if emails else None
        return {**record, **places, "emails": cut, "birthday": _with_year(record["birthday"])}


def _outlook_emails(wanted: Value, body: Json) -> list[Json]:
    """The whole collection: entries that stay keep the name and spelling they have there."""
    present: dict[str | None, Json] = {}
    for each in body.get("emailAddresses") or ():
        present.setdefault(forms.email(each.get("address")), each)
    entries = []
    for address in cast("list[str]", wanted or []):
        kept = present.get(address, {})
        entries.append({"name": kept.get("name") or address, "address": kept.get("address") or address})
    return entries


def _outlook_extended(changes: Mapping[str, Value]) -> dict[str, str | None]:
    written: dict[str, str | None] = {}
    if "primary_phone" in changes:
        number = cast("str | None", changes["primary_phone"])
        written[PRIMARY_PHONE_PROPERTY] = number and forms.phone_for_people(number)
    if "gender" in changes:
        written[GENDER_PROPERTY] = _GENDERS.get(str(changes["gender"]), "0")
    if "fax" in changes:
        written[FAX_PROPERTY] = cast("str | None", changes["fax"])
    return written


def _display_name(body: Json, held: Record, patch: Json) -> Json:
    """Sent with every change of a name part, or Graph regenerates it in its own way; a contact without name gets its
    address (graph-api.md 1.1)."""
    parts = [patch.get(_OUTLOOK_TEXTS[name], body.get(_OUTLOOK_TEXTS[name])) for name in _NAMES]
    emails = cast("list[str]", held["emails"] or [""])
    shown = " ".join(str(each).strip() for each in parts if each) or emails[0]
    return {"displayName": shown} if shown else {}


# ------------------------------------------------------------------------------------------------ OroCRM

_ORO_TEXTS = {
    "first_name": ("firstName", 100),
    "middle_name": ("middleName", 255),
    "last_name": ("lastName", 100),
    "name_suffix": ("nameSuffix", 255),
    "job_title": ("jobTitle", 255),
    "fax": ("fax", 255),
}
_MOST = 255
_ORO_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")


def _oro_takes(email: str) -> bool:
    """Whether OroCRM would accept it: for a bad one it refuses the whole contact (contacts-error-bad-email)."""
    local = email.partition("@")[0]
    dots_right = ".." not in local and not local.startswith(".") and not local.endswith(".")
    return len(email) <= _MOST and dots_right and _ORO_EMAIL.fullmatch(email) is not None


class OroContact:
    """OroCRM's contact: {"id", "attributes", "owner": id, "addresses": [...], "tags"?}."""

    side: Side = Side.ORO
    entity: Entity = Entity.CONTACT

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        own, rows = item.body.get("attributes") or {}, addresses.in_order(item.body.get("addresses"))
        record = self._get(item.body, context)
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record=record,
            item=item,
            modified_at=zones.instant(own.get("updatedAt")),
            categories=tags_of(item.body),
            owned=is_own(item.body.get("owner"), context),
            notes=tuple(_oro_notes(own, rows, record)),
        )

    def _get(self, body: Json, context: Context) -> dict[str, Value]:
        own, rows = body.get("attributes") or {}, addresses.in_order(body.get("addresses"))
        found = {field: addresses.of_type(rows, kind) for field, (_, kind) in addresses.KINDS.items()}
        return {
            **{field: forms.line(own.get(name)) for field, (name, _) in _ORO_TEXTS.items()},
            "description": html_text.either_text(own.get("description")),
            "emails": forms.emails(_stored(own, "emails", "email", "primaryEmail")),
            "primary_phone": forms.phone(next(iter(_stored(own, "phones", "phone", "primaryPhone")), None)),
            "birthday": forms.day(own.get("birthday")),
            "gender": own.get("gender") if own.get("gender") in forms.GENDERS else None,
            **{
                field: cast("Value", addresses.from_oro(row, context.places)) if row else None
                for field, row in found.items()
            },
        }

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        body: Json = item.body if item is not None else {}
        own: Json = body.get("attributes") or {}
        before = self._get(body, context)
        changes = _changes(values, before)
        if "first_name" in changes or "last_name" in changes:
            changes = {name: before[name] for name in ("first_name", "last_name")} | changes
        held = self.representable({**before, **changes}, context)
        changes = {name: held[name] for name in changes if held[name] != before[name]}
        plain = {**{field: name for field, (name, _) in _ORO_TEXTS.items()}, "birthday": "birthday", "gender": "gender"}
        attributes: Json = {name: changes[field] for field, name in plain.items() if field in changes}
        if "description" in changes:
            attributes["description"] = oro_description(changes["description"], own.get("description"))
        if "emails" in changes:
            attributes |= _oro_emails(held["emails"], own)
        if "primary_phone" in changes:
            attributes |= _oro_phones(cast("str | None", changes["primary_phone"]), own)
        moved = {name: cast("addresses.Address | None", changes[name]) for name in addresses.KINDS if name in changes}
        parts = addresses.oro_patch(moved, addresses.in_order(body.get("addresses")), context)
        if not attributes and not parts:
            return {}
        return {"attributes": attributes, **({"addresses": parts} if parts else {})}

    def representable(self, record: Record, context: Context) -> Record:
        """One of first and last name counts for both; lengths cut; only what OroCRM accepts (orocrm-api.md 3)."""
        first, last = record["first_name"], record["last_name"]
        texts = {**record, "first_name": first or last, "last_name": last or first}
        emails = [each for each in cast("list[str]", record["emails"] or []) if _oro_takes(each)]
        number = cast("str | None", record["primary_phone"])
        return {
            **record,
            **{name: addresses.cut(cast("str | None", texts[name]), most) for name, (_, most) in _ORO_TEXTS.items()},
            "emails": emails or None,
            "primary_phone": forms.phone(addresses.cut(number)),
            **{name: cast("Value", addresses.held_by_oro(record[name], context.places)) for name in addresses.KINDS},
        }


def is_own(owner: Any, context: Context) -> bool:
    """Whether the record is the account's own user's; an owner we may not see is somebody else."""
    return not context.oro_user_id or str(owner) == context.oro_user_id


def tags_of(body: Json) -> tuple[str, ...]:
    return tuple(str(each) for each in body.get("tags") or ())


def oro_description(text: Value, present: str | None) -> str | None:
    """Text for a field that may hold plain text or HTML: HTML stays HTML, and so does what would pass for it."""
    if text is None:
        return None
    wanted = str(text)
    as_markup = html_text.looks_like_html(present) or html_text.looks_like_html(wanted)
    return html_text.markup_of(wanted) if as_markup else wanted


def _stored(own: Json, many: str, one: str, primary: str) -> list[str]:
    """Stored spellings, the primary one first."""
    first = own.get(primary)
    rest = [str(each[one]) for each in own.get(many) or () if each.get(one) and each[one] != first]
    return [str(first), *rest] if first else rest


def _oro_emails(wanted: Value, own: Json) -> Json:
    """The whole list, as PATCH replaces it; an address that is there keeps its spelling (all of them, if several)."""
    spellings: dict[str | None, list[str]] = {}
    for each in _stored(own, "emails", "email", "primaryEmail"):
        spellings.setdefault(forms.email(each), []).append(each)
    listed = [spelling for each in cast("list[str]", wanted or []) for spelling in spellings.get(each, [each])]
    if not listed:
        return {"emails": []}
    return {"emails": [{"email": each} for each in listed], "primaryEmail": listed[0]}


def _oro_phones(wanted: str | None, own: Json) -> Json:
    """Another number that is there becomes the primary; a new one takes the primary's place; no other one is lost."""
    listed = [str(each["phone"]) for each in own.get("phones") or () if each.get("phone")]
    present = _stored(own, "phones", "phone", "primaryPhone")
    if wanted is None:
        rest = [each for each in listed if forms.phone(each) != forms.phone(present[0])]
        return {"phones": [{"phone": each} for each in rest], **({"primaryPhone": rest[0]} if rest else {})}
    for each in present:
        if forms.phone(each) == wanted:
            return {"primaryPhone": each}
    number = forms.phone_for_people(wanted)
    replaced = [number if each == present[0] else each for each in listed]
    if number not in replaced:
        replaced.insert(0, number)
    return {"phones": [{"phone": each} for each in replaced], "primaryPhone": number}


def _oro_notes(own: Json, rows: list[Json], record: Record) -> list[str]:
    untyped = sum(not row.get("types") for row in rows)
    counts = (
        (len(cast("list[str]", record["emails"] or [])) - OUTLOOK_EMAILS, "e-mail address(es) beyond the third"),
        (len(_stored(own, "phones", "phone", "primaryPhone")) - 1, "further phone number(s)"),
        (untyped - 1, "further address(es) without type"),
    )
    return [f"{count} {what} stay in OroCRM" for count, what in counts if count > 0]
