"""Makes a contact, lead or task from what a mail tells, once: who asks twice gets the record of the first time.

OroCRM knows no idempotency key (idempotency-key-header), so an equal record is looked for before one is made: a contact
or lead with the same address and name, whenever it was made; without an address, and for tasks, one with the same
contents that was made in the last minutes. The same look decides when an answer was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from orosync.core import zones
from orosync.core.beside_mail import Made, NewRecord, NotMade
from orosync.core.records import Json
from orosync.errors import EntityForbidden, OutcomeUnknown, RecordRefused, SideFailing
from orosync.oro import jsonapi
from orosync.oro.answers import TYPE_DENIED, errors_of, one_of, rows_of
from orosync.oro.back_office_pages import page_of
from orosync.oro.beside_mail import spellings
from orosync.oro.client import Answer, OroClient

RESOURCES = {
    "contact": "contacts",
    "lead": "leads",
    "task": "tasks",
    "account": "accounts",
    "opportunity": "opportunities",
    "case": "cases",
}
RECENT = timedelta(minutes=10)
_END_OF_DAY = time(23, 59)  # as a due date that comes from Outlook
_FIELDS = {
    "firstName": "first_name",
    "lastName": "last_name",
    "primaryEmail": "email",
    "emails": "email",
    "name": "name",
    "subject": "subject",
    "dueDate": "due_date",
    "activityTargets": "about",
    "accounts": "about",
    "account": "about",
    "contact": "about",
}


def create(client: OroClient, new: NewRecord, *, user: str, zone: str, now: datetime) -> Made | NotMade:
    """user: id of the account's own user; zone: the zone its days are in.

    Raises what the client raises, EntityForbidden without the permission, SideFailing if the outcome stays unknown.
    """
    new = _completed(new)
    if errors := tuple(_missing(new)):
        return NotMade(errors)
    resource, document = RESOURCES[new.type], _document(new, zone)
    if known := _equal(client, new, document, user, now):
        return Made(new.type, known, page_of(client.base_url, new.type, known), existed=True)
    try:
        answer = client.write("POST", resource, document)
    except OutcomeUnknown as error:
        if known := _equal(client, new, document, user, now):
            return Made(new.type, known, page_of(client.base_url, new.type, known))
        raise SideFailing(
            f"OroCRM gave no answer, so nobody knows whether the {new.type} was made.",
            remedy="Try again: what is there already is not made twice.",
        ) from error
    if not answer.ok:
        return _refusal(answer, new)
    number = str(one_of(answer)["id"])
    return Made(new.type, number, page_of(client.base_url, new.type, number))


def _completed(new: NewRecord) -> NewRecord:
    """A contact's name in one piece is taken apart; a lead without a title of its own goes by the person."""
    first, last, name = new.first_name.strip(), new.last_name.strip(), new.name.strip()
    if new.type == "contact" and name and not (first or last):
        first, last = _parts(name)
    if new.type == "lead":
        name = name or f"{first} {last}".strip() or new.email.strip()
    return NewRecord(new.type, name, first, last, new.email.strip(), new.subject.strip(), new.due_date, new.about)


def _parts(name: str) -> tuple[str, str]:
    """First and last of `Becker, Anna` or `Anna Maria Becker`."""
    if "," in name:
        last, _, first = name.partition(",")
        return first.strip(), last.strip()
    first, _, last = name.rpartition(" ")
    return first.strip(), last.strip()


def _missing(new: NewRecord) -> Iterable[tuple[str, str]]:
    if new.type == "contact" and not (new.first_name or new.last_name or new.email):
        yield "last_name", "Give a name or an e-mail address."
    if new.type == "lead" and not new.name:
        yield "name", "Give a name."
    if new.type == "task" and not new.subject:
        yield "subject", "Give a subject."
    kinds = {"contact": ("account",), "lead": ("contact", "account")}.get(new.type)
    if new.about is not None and kinds is not None and new.about[0] not in kinds:
        yield "about", f"A {new.type} can only belong to: {', '.join(kinds)}."


# ------------------------------------------------------------------------------------------------ the document


def _document(new: NewRecord, zone: str) -> Json:
    attributes: dict[str, Any]
    relations: dict[str, Any] = {}
    if new.type == "task":
        attributes = {"subject": new.subject}
        if new.due_date:
            attributes["dueDate"] = zones.at(new.due_date, _END_OF_DAY, zone)
        relations["taskPriority"] = jsonapi.one("taskpriorities", "normal")
        relations["status"] = jsonapi.one("taskstatuses", "open")  # any other is refused by the workflow
        if new.about:
            relations["activityTargets"] = jsonapi.many(RESOURCES[new.about[0]], [new.about[1]])
    else:
        attributes = {"firstName": new.first_name, "lastName": new.last_name, "primaryEmail": new.email}
        attributes = {name: value for name, value in attributes.items() if value}
        if new.type == "lead":
            attributes["name"] = new.name
        if new.about and new.type == "contact":
            relations["accounts"] = jsonapi.many("accounts", [new.about[1]])
        elif new.about:
            relations[new.about[0]] = jsonapi.one(RESOURCES[new.about[0]], new.about[1])
    return jsonapi.document(RESOURCES[new.type], None, attributes, relations)


# ------------------------------------------------------------------------------------------------ is it there already?


def _equal(client: OroClient, new: NewRecord, document: Json, user: str, now: datetime) -> str | None:
    """The id of an equal record, the oldest of them. None also if the user may write, but not see."""
    since = jsonapi.instant(now - RECENT)
    wanted = document["data"]["attributes"]
    resource = RESOURCES[new.type]
    fields = [*wanted, "createdAt"]
    if new.email:
        condition = {"filter[emails]": ",".join(spellings(new.email))}
        fields += ["firstName", "lastName"]
    else:  # leads can be chosen by when they were made, the others by when they were changed (resources-summary)
        condition = jsonapi.since_filter("createdAt" if new.type == "lead" else "updatedAt", since)
        condition |= {"filter[owner]": user} if user else {}
    if new.type == "task":
        fields.append("activityTargets")
    params = {**condition, "sort": "id", **jsonapi.thin(resource, fields), **jsonapi.page(100)}
    answer = client.get(resource, params)
    if not answer.ok:
        return None
    for row in rows_of(answer):
        given = row.get("attributes") or {}
        if (new.email or str(given.get("createdAt") or "") >= since) and _same(new, wanted, given, row):
            return str(row["id"])
    return None


def _same(new: NewRecord, wanted: Mapping[str, Any], given: Mapping[str, Any], row: Json) -> bool:
    if new.type == "task":
        about = {new.about[1]} if new.about else set()
        # users among the targets are OroCRM's own doing
        linked = jsonapi.targets_of(row, "activityTargets", RESOURCES[new.about[0]]) if new.about else set()
        return (
            given.get("dueDate") == wanted.get("dueDate")
            and _plain(given, "subject") == _plain(wanted, "subject")
            and linked >= about
        )
    names = ("firstName", "lastName") + (("name",) if new.type == "lead" else ())
    return all(_plain(given, name) == _plain(wanted, name) for name in names)


def _plain(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "").strip().casefold()


# ------------------------------------------------------------------------------------------------ refusals


def _refusal(answer: Answer, new: NewRecord) -> NotMade:
    """What OroCRM has against it, by the pane's fields. Raises EntityForbidden, RecordRefused without permission."""
    errors = errors_of(answer.document)
    if answer.status == 404 or any(each.get("detail") == TYPE_DENIED for each in errors):
        raise EntityForbidden(
            f"OroCRM does not allow you to make a {new.type}.",
            entity=new.type,
            remedy=f"Ask its administrator for the permission to create {new.type}s.",
        )
    if answer.status == 403:
        raise RecordRefused(f"OroCRM does not allow you to make this {new.type}.", code="forbidden", status=403)
    if answer.status >= 500:
        return NotMade((("", "OroCRM's database refuses a value, most likely one that is too long."),))
    found = [_told(each, new) for each in errors]
    return NotMade(tuple(dict.fromkeys(found)) or (("", f"OroCRM refuses it (status {answer.status})."),))


def _told(error: Json, new: NewRecord) -> tuple[str, str]:
    """(field, message). What OroCRM wants and the pane does not ask for is named in the message."""
    rule, source = str(error.get("detail") or error.get("title") or ""), error.get("source")
    parts = str(source.get("pointer") if isinstance(source, dict) else "").strip("/").split("/")
    name = parts[2] if len(parts) > 2 else ""
    if not name and new.type == "task" and "acceptable" in rule:
        return "about", rule  # a target that is not there comes without a pointer
    if name and name not in _FIELDS:
        return "", f"{name}: {rule}"
    return _FIELDS.get(name, ""), rule
