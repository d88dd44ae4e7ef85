"""The form a calendar event is written through: which fields it knows, what it refuses, and its error tree.

Reads a request's fields into `EventInput`; what becomes of the event is left to `event_rules`. Source:
calendarevents-error-*, calendarevents-recurring-error-*, calendarevents-start-forms, text-round-trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import nh3

from orosync.sandbox.oro import recurrence
from orosync.sandbox.oro.problems import LegacyRefused
from orosync.sandbox.oro.records import Event
from orosync.sandbox.oro.times import parse_event_time

FIELDS = (
    "contexts",
    "id",
    "uid",
    "calendar",
    "calendarAlias",
    "title",
    "description",
    "start",
    "end",
    "allDay",
    "backgroundColor",
    "reminders",
    "attendees",
    "notifyAttendees",
    "createdAt",
    "recurrence",
    "recurringEventId",
    "originalStart",
    "isCancelled",
    "updateExceptions",
    "organizerDisplayName",
    "organizerEmail",
)
STATUSES = ("none", "accepted", "declined", "tentative")
TYPES = ("organizer", "required", "optional")
_ATTENDEE = ("displayName", "email", "status", "type")
_BLANK = "This value should not be blank."
_CHOICE = "The selected choice is invalid."
_TAGS = frozenset(nh3.ALLOWED_TAGS) - {"article", "aside", "details", "figure", "header", "nav", "summary"}
_STYLED = {"class", "style", "align", "id", "title", "dir"}


@dataclass
class EventInput:
    """What was sent, read and checked; a name is in `sent` only if the request had it."""

    sent: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)

    def wrong(self, name: str, message: str) -> None:
        """Notes an error at a field (`start`, `recurrence.timeZone`, `attendees.0.status`)."""
        self.errors.setdefault(name, []).append(message)

    def raise_if_wrong(self, event: Event | None, attendees: int = 0) -> None:
        """Raises `LegacyRefused` 400 with the tree of the form when something is wrong.

        `attendees` is how many the event has now: their fields show in the tree.
        """
        if self.errors or self.extra:
            tree = self._tree(event, attendees)
            body = {"code": 400, "message": "Validation Failed", "errors": tree}
            raise LegacyRefused(400, body)

    def _tree(self, event: Event | None, attendees: int) -> dict[str, Any]:
        children = {name: self._leaf(name) for name in FIELDS}
        reminders = len(self.sent["reminders"]) if "reminders" in self.sent else len(event.reminders if event else ())
        if reminders:
            interval: dict[str, Any] = {"children": {"number": [], "unit": []}}
            entry = {"children": {"method": [], "interval": interval}}
            children["reminders"] = {**_errors_of(children["reminders"]), "children": [entry] * reminders}
        if "attendees" in self.sent:
            attendees = len(self.sent["attendees"])
        if attendees:
            entries = [
                {"children": {name: self._leaf(f"attendees.{index}.{name}") for name in _ATTENDEE}}
                for index in range(attendees)
            ]
            children["attendees"] = {**_errors_of(children["attendees"]), "children": entries}
        rule = {name: self._leaf(f"recurrence.{name}") for name in recurrence.FIELDS}
        children["recurrence"] = {"children": rule}
        return {**({"errors": self.extra} if self.extra else {}), "children": children}

    def _leaf(self, name: str) -> Any:
        return {"errors": self.errors[name]} if name in self.errors else []


def _errors_of(leaf: Any) -> dict[str, Any]:
    return leaf if isinstance(leaf, dict) else {}


def clean_html(text: str | None) -> str | None:
    """What OroCRM stores of a description: cleaned HTML, with text entity-encoded (text-round-trip)."""
    if not text:
        return text
    return nh3.clean(
        text,
        tags=set(_TAGS),
        attributes={"*": _STYLED, "a": {"href", "target"}, "img": {"src", "alt", "width", "height"}},
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
    )


def _extra(names: Iterable[str]) -> str:
    return "This form should not contain extra fields: " + ", ".join(f'"{name}"' for name in names) + "."


def read(body: Mapping[str, Any]) -> EventInput:
    """Reads a request's fields; `body` is the JSON object that was sent."""
    form = EventInput()
    for name in FIELDS:
        if name in body:
            _read_field(form, name, body[name])
    unknown = [name for name in body if name not in FIELDS]
    if unknown:
        form.extra.append(_extra(unknown))
    return form


def _read_field(form: EventInput, name: str, value: Any) -> None:
    if name in ("start", "end", "originalStart"):
        form.sent[name] = _time(form, name, value)
    elif name == "title":
        form.sent[name] = str(value).strip() if value is not None else ""
        if len(form.sent[name]) > 255:
            form.wrong(name, "This value is too long. It should have 255 characters or less.")
    elif name == "description":
        form.sent[name] = clean_html(None if value is None else str(value))
    elif name == "uid":
        form.sent[name] = None if value is None else str(value)
        if form.sent[name] is not None and len(form.sent[name]) > 36:
            form.wrong(name, "This value is too long. It should have 36 characters or less.")
    elif name in ("calendar", "recurringEventId"):
        text = str(value or "")
        form.sent[name] = int(text) if text.isascii() and text.isdigit() else None
    elif name in ("allDay", "isCancelled", "updateExceptions"):
        form.sent[name] = value not in (None, False, 0, "", "0", "false")
    elif name == "backgroundColor":
        form.sent[name] = value or None
    elif name == "contexts":
        if value:
            form.wrong(name, "The hidden field is invalid.")
    else:
        _read_part(form, name, value)


def _read_part(form: EventInput, name: str, value: Any) -> None:
    if name == "reminders":
        form.sent[name] = [
            {"method": entry.get("method"), "interval": dict(entry.get("interval") or {})} for entry in value or ()
        ]
    elif name == "attendees":
        form.sent[name] = [_attendee(form, index, entry) for index, entry in enumerate(value or ())]
    elif name == "notifyAttendees":
        form.sent[name] = value or "none"
        if form.sent[name] not in ("none", "all", "added_or_deleted"):
            form.wrong(name, _CHOICE)
    elif name == "recurrence":
        form.sent[name] = _recurrence(form, value)


def _time(form: EventInput, name: str, value: Any) -> datetime | None:
    if value is None:
        return None
    moment = parse_event_time(str(value))
    if moment is None:
        form.wrong(name, "Please enter a valid date and time.")
    return moment


def _attendee(form: EventInput, index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in entry if name not in _ATTENDEE]
    if unknown:
        form.extra.append(_extra(unknown))
    if entry.get("status") not in (None, *STATUSES):
        form.wrong(f"attendees.{index}.status", _CHOICE)
    for name in ("displayName", "email"):
        if len(str(entry.get(name) or "")) > 255:
            form.wrong(f"attendees.{index}.{name}", "This value is too long. It should have 255 characters or less.")
    if not entry.get("displayName") and not entry.get("email"):
        form.wrong(f"attendees.{index}.displayName", _BLANK)
    kind = entry.get("type")
    return {**entry, "type": kind if kind in TYPES else None}


def _recurrence(form: EventInput, value: Any) -> tuple[dict[str, Any], str] | None:
    if value is None:
        return None
    unknown = [name for name in value if name not in recurrence.FIELDS]
    if unknown:
        form.extra.append(_extra(unknown))
    rule, zone, errors = recurrence.read_rule(value)
    for name, message in errors.items():
        form.wrong(f"recurrence.{name}", message)
    return rule, zone


def require(form: EventInput, event: Event | None) -> None:
    """Title and times must be there, and in order."""
    names = (("title", "title"), ("start", "start"), ("end", "end"))
    for name, attribute in names:
        value = form.sent[name] if name in form.sent else getattr(event, attribute, None)
        if not value and name not in form.errors:
            form.wrong(name, _BLANK)
    start = form.sent.get("start") or getattr(event, "start", None)
    end = form.sent.get("end") or getattr(event, "end", None)
    if start is not None and end is not None and start > end:
        form.wrong("start", "This date should be earlier than end date")
