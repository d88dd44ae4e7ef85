"""The data audit: who changed or removed what, with the old values.

Contacts, their e-mail and phone rows, tasks and calendar events are audited; addresses are not. Entries are
written by the message-queue consumer: while it stands still they wait. Source: audits-list-*, section 6 of the
API reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orosync.sandbox.oro import webhooks
from orosync.sandbox.oro.records import Audit, Event, OroUser
from orosync.sandbox.oro.state import OroState

CLASSES = {
    "contact": "Oro\\Bundle\\ContactBundle\\Entity\\Contact",
    "email": "Oro\\Bundle\\ContactBundle\\Entity\\ContactEmail",
    "phone": "Oro\\Bundle\\ContactBundle\\Entity\\ContactPhone",
    "task": "Oro\\Bundle\\TaskBundle\\Entity\\Task",
    "note": "Oro\\Bundle\\NoteBundle\\Entity\\Note",
    "call": "Oro\\Bundle\\CallBundle\\Entity\\Call",
    "event": "Oro\\Bundle\\CalendarBundle\\Entity\\CalendarEvent",
    "user": "Oro\\Bundle\\UserBundle\\Entity\\User",
    "calendar": "Oro\\Bundle\\CalendarBundle\\Entity\\Calendar",
    "address": "Oro\\Bundle\\ContactBundle\\Entity\\ContactAddress",
    "source": "Oro\\Bundle\\ContactBundle\\Entity\\Source",
    "method": "Oro\\Bundle\\ContactBundle\\Entity\\Method",
    "priority": "Oro\\Bundle\\TaskBundle\\Entity\\TaskPriority",
}


def difference(old: Any, new: Any) -> dict[str, Any]:
    """The old and the new value of one field."""
    return {"old": old, "new": new}


def of_attribute(name: str, old: Any, new: Any) -> dict[str, Any]:
    """The old and the new value of a contact's attribute; a birthday is stored as a date."""
    if name != "birthday":
        return difference(old, new)
    return difference(_date(old), _date(new))


def _date(value: str | None) -> dict[str, Any]:
    stored = {"date": f"{value} 00:00:00.000000", "timezone_type": 3, "timezone": "UTC"}
    return {"value": stored if value else None, "type": "date"}


def _entry(kind: str, number: Any, name: str, change: Any = ()) -> dict[str, Any]:
    shown = {"entity_class": CLASSES[kind], "entity_id": number, "entity_name": name, "change_set": change or []}
    return {f"{CLASSES[kind]}{number}": shown}


def removed_relation(kind: str, number: Any, name: str) -> dict[str, Any]:
    """How the audit shows a relation of a removed record."""
    changes = {"added": [], "removed": _entry(kind, number, name), "changed": []}
    return {"old": f"Removed: {name}", "new": None, "collectionDiffs": changes}


def added(kind: str, rows: Sequence[tuple[Any, str]], field: str | None = None) -> dict[str, Any]:
    """How the audit shows relations and lists of a new record; rows are (id, name)."""
    entries: dict[str, Any] = {}
    for number, name in rows:
        entries |= _entry(kind, number, name, {field: [None, name]} if field else ())
    changes = {"added": entries, "removed": [], "changed": []}
    return {"old": None, "new": "Added: " + ", ".join(name for _, name in rows), "collectionDiffs": changes}


def write(
    state: OroState,
    user: OroUser | None,
    action: str,
    kind: str,
    number: int,
    name: str,
    data: dict[str, Any],
    additional: dict[str, Any] | None = None,
) -> None:
    """Notes one change; `action` is create, update or remove. Nothing to say, nothing written. Webhooks hear of it,
    too, whether it is audited or not."""
    if data:
        webhooks.note(state, action, kind, number)
    if not state.settings.audited or not data:
        return
    key = (kind, str(number))
    state.versions[key] = state.versions.get(key, 0) + 1
    entry = Audit(
        id=0,
        action=action,
        updated_at=state.now(),
        object_class=CLASSES[kind],
        object_id=str(number),
        object_name=name,
        version=state.versions[key],
        transaction=state.new_uuid(),
        user=user.id if user else None,
        data=data,
        additional=additional or [],
    )
    state.waiting_audits.append(entry)
    if state.settings.audit_consumer_running:
        consume(state)


def consume(state: OroState) -> None:
    """The consumer writes what waits."""
    for entry in state.waiting_audits:
        entry.id = state.audits.new_id()
        state.audits.save(entry)
    state.waiting_audits.clear()


def moment(value: Any) -> dict[str, Any]:
    """A datetime as the audit stores it."""
    stored = {"date": f"{value:%Y-%m-%d %H:%M:%S}.000000", "timezone_type": 3, "timezone": "UTC"}
    return {"value": stored if value else None, "type": "datetime"}


def event_removed(state: OroState, user: OroUser | None, event: Event) -> None:
    """The entry of a deleted event, with uid and calendar (audits-list-calendar-event-deletions)."""
    none: dict[str, Any] = {"value": None, "type": "datetime"}
    data: dict[str, Any] = {
        "uid": difference(event.uid, None),
        "title": difference(event.title, None),
        **({"description": difference(event.description, None)} if event.description else {}),
        "start": difference(moment(event.start), none),
        "end": difference(moment(event.end), none),
        "allDay": difference(event.all_day, False),
    }
    owner = state.calendar_owner(event.calendar)
    if owner is not None:
        data["calendar"] = removed_relation("calendar", event.calendar, owner.name)
    additional = {"uid": event.uid, "calendar_id": event.calendar}
    write(state, user, "remove", "event", event.id, event.title, data, additional)
