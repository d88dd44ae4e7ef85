"""What becomes of calendar events: creating, changing, inviting, answering, deleting.

Every attendee who is a user gets a copy in the own calendar, which follows its parent and cannot be written.
Source: calendarevents-*, section 5 of the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from orosync.sandbox.oro import audit, event_form
from orosync.sandbox.oro.event_form import EventInput
from orosync.sandbox.oro.problems import LegacyRefused
from orosync.sandbox.oro.records import Attendee, Event, Mail, OroUser, Recurrence
from orosync.sandbox.oro.state import OroState

_PLAIN = {
    "calendar": "calendar",
    "title": "title",
    "description": "description",
    "start": "start",
    "end": "end",
    "allDay": "all_day",
    "backgroundColor": "color",
    "isCancelled": "cancelled",
    "recurringEventId": "series",
    "originalStart": "original_start",
}
_FOLLOWS = ("title", "description", "start", "end", "all_day", "recurrence", "original_start", "cancelled", "uid")


def create(state: OroState, user: OroUser, body: Mapping[str, Any]) -> Event:
    """Makes an event. Raises `LegacyRefused` 400, 403. A missing or unknown calendar makes an orphan."""
    form = event_form.read(body)
    event_form.require(form, None)
    now = state.now()
    calendar = form.sent.get("calendar")
    form.sent["calendar"] = calendar if calendar in state.calendars else None
    _check_uid(state, form, None)
    form.raise_if_wrong(None)
    owner = state.calendar_owner(form.sent["calendar"])
    if not state.may(user, "event", "create", owner.id if owner else user.id):
        raise LegacyRefused(403, {"code": 403})
    series = state.events.get(form.sent.get("recurringEventId") or 0)
    event = Event(
        id=state.events.new_id(),
        uid=form.sent.get("uid") or (series.uid if series else state.new_uuid()),
        calendar=None,
        title="",
        description=None,
        start=now,
        end=now,
        all_day=False,
        color=None,
        created_at=now,
        updated_at=now,
        organizer=owner.id if owner else None,
        organizer_email=owner.email if owner else "",
        organizer_name=owner.name if owner else "",
    )
    added, _ = _fill(state, event, form)
    state.events.save(event)
    _send(state, event, form, added, set())
    data = {"title": audit.difference(None, event.title), "uid": audit.difference(None, event.uid)}
    audit.write(state, user, "create", "event", event.id, event.title, data)
    invite(state, user, event)
    return event


def update(state: OroState, user: OroUser | None, event: Event, body: Mapping[str, Any]) -> None:
    """Changes the fields sent. Raises `LegacyRefused` 400. A copy of an invited user refuses every change."""
    form = event_form.read(body)
    if event.parent is not None:
        form.wrong("attendees", "Attendees list cannot be changed")
    event_form.require(form, event)
    if "calendar" in form.sent and form.sent["calendar"] not in state.calendars:
        form.sent["calendar"] = None
    _check_uid(state, form, event)
    form.raise_if_wrong(event, len(parent_of(state, event).attendees))
    before = copy(event)
    added, removed = _fill(state, event, form)
    event.uid = event.uid or form.sent.get("uid") or state.new_uuid()
    names = [name for name in _PLAIN.values() if getattr(before, name) != getattr(event, name)]
    if names or added or removed or not _same_rule(before, event):
        event.updated_at = state.now()
    state.events.save(event)
    _send(state, event, form, added, removed)
    data = {name: audit.difference(str(getattr(before, name)), str(getattr(event, name))) for name in names}
    audit.write(state, user, "update", "event", event.id, event.title, data)
    invite(state, user, event)


def _same_rule(one: Event, other: Event) -> bool:
    if one.recurrence is None or other.recurrence is None:
        return one.recurrence is other.recurrence
    return (one.recurrence.rule, one.recurrence.time_zone) == (other.recurrence.rule, other.recurrence.time_zone)


def _check_uid(state: OroState, form: EventInput, event: Event | None) -> None:
    uid = form.sent.get("uid")
    if uid is None:
        return
    if event is not None:
        if event.uid and event.uid != uid:
            form.wrong("uid", "Field cannot be changed once set")
        return
    taken = (state.events.get(number) for number in state.events.with_key("uid", uid))
    calendar = form.sent.get("calendar")
    if form.sent.get("recurringEventId") is None and any(
        other is not None and other.calendar == calendar and calendar is not None for other in taken
    ):
        form.wrong("uid", "UID field should be unique across one calendar")


def _fill(state: OroState, event: Event, form: EventInput) -> tuple[set[str], set[str]]:
    """Writes what was sent; returns who was added and who removed."""
    for name, attribute in _PLAIN.items():
        if name in form.sent:
            setattr(event, attribute, form.sent[name])
    if "reminders" in form.sent:
        event.reminders = form.sent["reminders"]
    if "recurrence" in form.sent:
        sent = form.sent["recurrence"]
        known = event.recurrence.id if event.recurrence else 0
        event.recurrence = None if sent is None else Recurrence(known or state.next("recurrence"), *sent)
    if "attendees" not in form.sent:
        return set(), set()
    known_by = {attendee.who: attendee for attendee in event.attendees}
    event.attendees = [_attendee(state, entry, known_by) for entry in form.sent["attendees"]]
    now_by = {attendee.who for attendee in event.attendees}
    return now_by - known_by.keys(), known_by.keys() - now_by


def _attendee(state: OroState, entry: Mapping[str, Any], known_by: Mapping[str, Attendee]) -> Attendee:
    user = state.user_with_email(entry.get("email"))
    now = state.now()
    made = Attendee(
        display_name=entry.get("displayName") or entry.get("email"),
        email=entry.get("email"),
        status=entry.get("status") or "none",
        type=entry.get("type"),
        user=user.id if user else None,
        created_at=now,
        updated_at=now,
    )
    known = known_by.get(made.who)
    if known is None:
        return made
    made.created_at = known.created_at
    if entry.get("status") is None:
        made.status = known.status
    if "type" not in entry or (entry["type"] is None and known.type):
        made.type = known.type
    unchanged = (made.status, made.type, made.display_name) == (known.status, known.type, known.display_name)
    made.updated_at = known.updated_at if unchanged else now
    return made


def _send(state: OroState, event: Event, form: EventInput, added: set[str], removed: set[str]) -> None:
    """The mails `notifyAttendees` asks for; none by default."""
    wish = form.sent.get("notifyAttendees", "none")
    if wish == "none":
        return
    for attendee in event.attendees:
        is_new = attendee.who in added
        if attendee.email and (wish == "all" or is_new):
            kind = "invitation" if is_new else "update"
            state.mails.append(Mail(attendee.email, event.title, kind, event.id))
    state.mails.extend(Mail(who, event.title, "cancellation", event.id) for who in sorted(removed) if "@" in who)


# copies of invited users


def children(state: OroState, event: Event) -> list[Event]:
    """The copies in the calendars of invited users."""
    found = (state.events.get(number) for number in state.events.with_key("parent", event.id))
    return [child for child in found if child is not None]


def parent_of(state: OroState, event: Event) -> Event:
    """The event itself or the one it is a copy of."""
    parent = state.events.get(event.parent) if event.parent is not None else None
    return parent or event


def invite(state: OroState, user: OroUser | None, event: Event) -> None:
    """Brings the copies in line: made, changed, taken away."""
    if event.parent is not None:
        return
    owner = state.calendar_owner(event.calendar)
    wanted = {
        attendee.user: attendee
        for attendee in event.attendees
        if attendee.user is not None and (owner is None or attendee.user != owner.id)
    }
    for child in children(state, event):
        holder = state.calendar_owner(child.calendar)
        if holder is None or holder.id not in wanted:
            remove_row(state, user, child)
            continue
        del wanted[holder.id]
        _follow(state, event, child)
    for number in wanted:
        guest = state.users.get(number)
        if guest is not None:
            _make_copy(state, event, guest)


def _follow(state: OroState, event: Event, child: Event) -> None:
    if all(getattr(child, name) == getattr(event, name) for name in _FOLLOWS):
        return
    for name in _FOLLOWS:
        setattr(child, name, getattr(event, name))
    child.updated_at = state.now()
    state.events.save(child)


def _make_copy(state: OroState, event: Event, guest: OroUser) -> None:
    child = copy(event)
    now = state.now()
    child.id, child.parent, child.calendar = state.events.new_id(), event.id, state.calendar_of(guest)
    child.color, child.attendees, child.contacts = None, [], []
    child.reminders = [dict(entry) for entry in event.reminders]
    child.created_at = child.updated_at = now
    if event.series is not None:
        series = state.events.get(event.series)
        copies = children(state, series) if series is not None else []
        child.series = next((each.id for each in copies if each.calendar == child.calendar), None)
    state.events.save(child)


def answer(state: OroState, event: Event, status: str) -> None:
    """An invited user answers in the back office: moves updatedAt of the copy and of the organizer's event."""
    owner = state.calendar_owner(event.calendar)
    parent = parent_of(state, event)
    for attendee in parent.attendees:
        if owner is not None and attendee.user == owner.id:
            attendee.status = status
            attendee.updated_at = state.now()
    for each in {parent.id: parent, event.id: event}.values():
        each.updated_at = state.now()
        state.events.save(each)


# deleting


def delete(state: OroState, user: OroUser | None, event: Event) -> None:
    """Takes an event away: with its copies and exceptions; a copy also takes its attendee out of the parent."""
    for number in state.events.with_key("series", event.id):
        exception = state.events.get(number)
        if exception is not None:
            _delete_with_copies(state, user, exception)
    if event.parent is not None:
        owner = state.calendar_owner(event.calendar)
        parent = parent_of(state, event)
        kept = [each for each in parent.attendees if owner is None or each.user != owner.id]
        if len(kept) < len(parent.attendees):
            parent.attendees = kept
            parent.updated_at = state.now()
            state.events.save(parent)
    _delete_with_copies(state, user, event)


def _delete_with_copies(state: OroState, user: OroUser | None, event: Event) -> None:
    for child in children(state, event):
        remove_row(state, user, child)
    remove_row(state, user, event)


def remove_row(state: OroState, user: OroUser | None, event: Event) -> None:
    """Takes one row away, and notes it in the audit."""
    if event.id in state.events:
        audit.event_removed(state, user, event)
        state.events.remove(event.id)
