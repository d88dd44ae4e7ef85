"""Calendar events: Graph's event and the event of OroCRM's old REST API as one record (design.md 4.2).

Days float and instants stay (I24): all-day events are pairs of days with an exclusive end, others pairs of instants.
Rules: graph-api.md 3, orocrm-api.md 5. Attendees are read and counted, never written, and no reminder is ever set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any, cast

from orosync.core import canonical as forms
from orosync.core import recurrence, zones
from orosync.core.fields import empty_record, units_of
from orosync.core.mapping import html_text
from orosync.core.mapping.addresses import cut
from orosync.core.mapping.contacts import PRIVATE
from orosync.core.mapping.lens import Context
from orosync.core.mapping.stamps import stamp_of
from orosync.core.mapping.tasks import NO_TITLE, body_text, text_body
from orosync.core.records import Entity, Item, Json, Record, Side, Snapshot, Value

_TIME = tuple(each.name for each in units_of(Entity.EVENT)["time"])
_LAST_MINUTE = time(23, 59)
BUSY_TITLE = "Private appointment"


def _changes(values: Mapping[str, Value], before: Record) -> dict[str, Value]:
    """What differs; where the time does, all of it (its fields belong together)."""
    wanted = forms.canonical(Entity.EVENT, values)
    changes = {name: value for name, value in wanted.items() if value != before[name]}
    if any(name in changes for name in _TIME):
        changes = forms.canonical(Entity.EVENT, {name: before[name] for name in _TIME} | changes)
    return changes


def _series_notes(present: Any, rule: Json | None, held: Json | None, target: str) -> tuple[str, ...]:
    if present and rule is None:
        return ("the rule of this series is not one we know: it is left as it is",)
    if rule is not None and held is None:
        return (f"{target} cannot hold the rule of this series",)
    if rule != held:
        return (f"{target} does not know the time zone of this series: it is an hour off for a part of the year",)
    return ()


# ------------------------------------------------------------------------------------------------ Outlook


class OutlookEvent:
    """Graph v1.0 `event`, a single one or a series' master, times in UTC as replies are by default."""

    side: Side = Side.OUTLOOK
    entity: Entity = Entity.EVENT

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        body = item.body
        private = body.get("sensitivity") in PRIVATE
        hidden = private and not context.include_private
        record = _shown(self._get, body, context) if hidden else self._get(body)
        address = _address_of(body.get("organizer"))
        people = [_address_of(each) for each in body.get("attendees") or ()]
        organiser = body.get("isOrganizer") is not False
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record=record,
            item=item,
            stamp=stamp_of(self.entity, body),
            uid=body.get("iCalUId") or None,
            modified_at=zones.instant(body.get("lastModifiedDateTime")),
            private=private,
            attendees=sum(not each or each != address for each in people),
            organiser=organiser,
            organiser_address=(address or None) if people or not organiser else None,
            categories=tuple(body.get("categories") or ()),
            notes=() if hidden else self._notes(body, record),
        )

    def _get(self, body: Json) -> dict[str, Value]:
        all_day = body.get("isAllDay") is True
        own_zone = body.get("originalStartTimeZone") or "UTC"
        return forms.canonical(
            self.entity,
            {
                "title": body.get("subject"),
                "start": _graph_moment(body.get("start"), all_day),
                "end": _graph_moment(body.get("end"), all_day),
                "all_day": all_day,
                "recurrence": recurrence.from_graph(body.get("recurrence"), None if all_day else own_zone),
                "description": body_text(body.get("body")),
            },
        )

    def _notes(self, body: Json, record: Record) -> tuple[str, ...]:
        rule = cast("Json | None", record["recurrence"])
        online = ("the text of an online meeting is not written",) if _is_online(body) else ()
        return (
            *_series_notes(body.get("recurrence"), rule, recurrence.held_by_oro(rule), "OroCRM"),
            *online,
        )

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        body: Json = item.body if item is not None else {}
        before: Record = self._get(body) if item is not None else empty_record(self.entity)
        changes = _changes(values, before)
        held = self.representable({**before, **changes}, context)
        patch: Json = {}
        if "title" in changes and held["title"] != before["title"]:
            patch["subject"] = held["title"] or ""
        if any(name in changes and held[name] != before[name] for name in _TIME) and held["start"]:
            patch |= _graph_time(held, before, body, context)
        if "description" in changes and not _is_online(body):
            patch["body"] = text_body(held["description"])
        return patch

    def representable(self, record: Record, context: Context) -> Record:  # noqa: ARG002  # the shape of all lenses
        rule = cast("Json | None", record["recurrence"])
        return {
            **record,
            "title": cut(cast("str | None", record["title"])),
            "all_day": bool(record["all_day"]),
            "recurrence": recurrence.held_by_outlook(rule),
        }


def _shown(get: Callable[[Json], dict[str, Value]], body: Json, context: Context) -> dict[str, Value]:
    """What anybody gets to see of a private event: nothing, or when it is (`busy_only`)."""
    if context.private_items != "busy_only":
        return {**empty_record(Entity.EVENT)}
    return {**get(body), "title": BUSY_TITLE, "description": None}


def _address_of(person: Json | None) -> str:
    return str(((person or {}).get("emailAddress") or {}).get("address") or "").casefold()


def _is_online(body: Json) -> bool:
    """Without its block of text the meeting is no longer an online meeting (graph-api.md 3.1)."""
    return bool(body.get("isOnlineMeeting") or body.get("onlineMeeting"))


def _graph_moment(value: Json | None, all_day: bool) -> str | None:
    """The day of an all-day event is read as it stands there, in no zone at all."""
    text = str((value or {}).get("dateTime") or "")
    return forms.day(text) if all_day else zones.instant(text, (value or {}).get("timeZone"))


def _graph_time(held: Record, before: Record, body: Json, context: Context) -> Json:
    """Start, end and flag go together. Times are written in the event's own zone, so that the meeting stays where its
    owner put it; a new one gets the mailbox's; where clocks repeat an hour only UTC is clear."""
    start, end, rule = str(held["start"]), str(held["end"] or held["start"]), cast("Json | None", held["recurrence"])
    windows = zones.windows_of(body.get("originalStartTimeZone") or context.mailbox_zone) or "UTC"
    if held["all_day"]:
        day = start
        moments = [f"{each}T00:00:00" for each in (start, end)]
    else:
        if rule is not None and rule.get("zone"):
            same_zone = zones.canonical_zone(windows) == rule["zone"]
            windows = windows if same_zone else str(zones.windows_of(rule["zone"]))
        elif not all(zones.is_unambiguous(each, windows) for each in (start, end)):
            windows = "UTC"
        moments = [zones.local(each, windows).replace(tzinfo=None).isoformat() for each in (start, end)]
        day = moments[0][:10]
    first, last = ({"dateTime": each, "timeZone": windows} for each in moments)
    patch: Json = {"start": first, "end": last, "isAllDay": bool(held["all_day"])}
    if rule is not None:
        patch["recurrence"] = recurrence.to_graph(rule, day, windows, body.get("recurrence"))
    elif before["recurrence"] is not None:
        patch["recurrence"] = None
    return patch


# ------------------------------------------------------------------------------------------------ OroCRM


class OroEvent:
    """One event of OroCRM's own calendar, not an occurrence and not an exception of a series."""

    side: Side = Side.ORO
    entity: Entity = Entity.EVENT

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        body = item.body
        record = self._get(body, context)
        rule = cast("Json | None", record["recurrence"])
        address = str(body.get("organizerEmail") or "").casefold()
        rows = body.get("attendees") or ()
        others = [each for each in rows if not _is_organiser(each, address)]
        organiser = body.get("isOrganizer") is not False
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record=record,
            item=item,
            uid=body.get("uid") or None,
            modified_at=zones.instant(body.get("updatedAt")),
            read_only=body.get("parentEventId") is not None or body.get("editable") is False,
            attendees=len(others),
            organiser=organiser,
            organiser_address=(address or None) if rows or not organiser else None,
            notes=_series_notes(body.get("recurrence"), rule, recurrence.held_by_outlook(rule), "Outlook"),
        )

    def _get(self, body: Json, context: Context) -> dict[str, Value]:
        all_day = body.get("allDay") is True
        start, end = zones.instant(body.get("start")), zones.instant(body.get("end"))
        rule = recurrence.from_oro(body.get("recurrence"), start, all_day=all_day, oro_zone=context.oro_zone)
        if all_day:
            start, end = _oro_days(start, end, context.oro_zone)
        return forms.canonical(
            self.entity,
            {
                "title": body.get("title"),
                "start": start,
                "end": end,
                "all_day": all_day,
                "recurrence": rule,
                "description": html_text.text_of(body.get("description")),
            },
        )

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        body: Json = item.body if item is not None else {}
        before: Record = self._get(body, context) if item is not None else empty_record(self.entity)
        changes = _changes(values, before)
        held = self.representable({**before, **changes}, context)
        patch: Json = {} if item is not None else _own_calendar(context)
        if ("title" in changes or item is None) and held["title"] != before["title"]:
            patch["title"] = held["title"]
        if any(name in changes and held[name] != before[name] for name in _TIME) and held["start"]:
            patch |= _oro_time(held, before, body, context)
        if "description" in changes:
            patch["description"] = html_text.markup_of(str(held["description"])) if held["description"] else None
        return patch

    def representable(self, record: Record, context: Context) -> Record:  # noqa: ARG002  # the shape of all lenses
        """A title is required (calendarevents-error-no-title)."""
        rule = cast("Json | None", record["recurrence"])
        return {
            **record,
            "title": cut(cast("str | None", record["title"])) or NO_TITLE,
            "all_day": bool(record["all_day"]),
            "recurrence": recurrence.held_by_oro(rule),
        }


def _is_organiser(attendee: Json, address: str) -> bool:
    email = str(attendee.get("email") or "").casefold()
    return attendee.get("type") == "organizer" or bool(email and email == address)


def _own_calendar(context: Context) -> Json:
    """Without its calendar a new event would be an orphan nobody sees (orocrm-api.md 5)."""
    calendar = context.calendar_id
    return {"calendar": int(calendar) if calendar.isdecimal() else calendar}


def _oro_days(start: str | None, end: str | None, oro_zone: str) -> tuple[str | None, str | None]:
    """OroCRM keeps local midnight and 23:59 of the last day; an end at midnight is exclusive, as in Graph."""
    if start is None or end is None:
        return None, None
    first, last = zones.local_day(start, oro_zone), zones.local_day(end, oro_zone)
    return first, last if end == zones.at(last, zones.MIDNIGHT, oro_zone) else zones.day_after(last)


def _oro_time(held: Record, before: Record, body: Json, context: Context) -> Json:
    """UTC with seconds: OroCRM ignores offsets."""
    start, end, rule = str(held["start"]), str(held["end"] or held["start"]), cast("Json | None", held["recurrence"])
    if held["all_day"]:
        end = zones.at(zones.day_after(end, -1), _LAST_MINUTE, context.oro_zone)
        start = zones.at(start, zones.MIDNIGHT, context.oro_zone)
    patch: Json = {"start": start, "end": end, "allDay": bool(held["all_day"])}
    if rule is not None:
        patch["recurrence"] = recurrence.to_oro(rule, start, context.oro_zone, body.get("recurrence"))
    elif before["recurrence"] is not None:
        patch["recurrence"] = None
    return patch
