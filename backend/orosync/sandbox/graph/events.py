"""The rules of a calendar event: times and zones, all-day, series, exceptions, body (graph-api.md 3).

Decides what a body may say and how a reply looks; which mails follow is decided in `meetings`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from orosync.sandbox.graph import recurrence as series
from orosync.sandbox.graph.bodies import event_body, preview, stored_body
from orosync.sandbox.graph.items import Item, Occurrence, Timing
from orosync.sandbox.graph.properties import read_written
from orosync.sandbox.graph.wire import JSON, Preference, bad_request, not_found, parse_wall, utc_ticks, wall_ticks
from orosync.sandbox.graph.zones import to_utc, zone_named

_ENUMS: dict[str, frozenset[str]] = {
    "sensitivity": frozenset(["normal", "personal", "private", "confidential"]),
    "showAs": frozenset(["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"]),
    "importance": frozenset(["low", "normal", "high"]),
}
_FLAGS = frozenset(["allowNewTimeProposals", "hideAttendees", "isOnlineMeeting", "isReminderOn", "responseRequested"])
_TIMING = frozenset(["start", "end", "isAllDay", "recurrence"])
_PLAIN = frozenset(
    [
        "subject",
        "body",
        "location",
        "locations",
        "attendees",
        "categories",
        "reminderMinutesBeforeStart",
        "transactionId",
        "onlineMeetingProvider",
    ]
)
READ_ONLY = frozenset(
    [
        "id",
        "changeKey",
        "createdDateTime",
        "lastModifiedDateTime",
        "bodyPreview",
        "cancelledOccurrences",
        "hasAttachments",
        "iCalUId",
        "isCancelled",
        "isDraft",
        "isOrganizer",
        "onlineMeeting",
        "onlineMeetingUrl",
        "organizer",
        "originalEndTimeZone",
        "originalStart",
        "originalStartTimeZone",
        "responseStatus",
        "seriesMasterId",
        "type",
        "webLink",
        "@odata.etag",
        "@odata.type",
        "@odata.context",
    ]
)
WRITABLE = _PLAIN | _TIMING | _FLAGS | frozenset(_ENUMS)
KNOWN = WRITABLE | (READ_ONLY - {"@odata.context"}) | {"exceptionOccurrences"}
_NEVER = "0001-01-01T00:00:00Z"


def write(item: Item, body: JSON, *, creating: bool, trim: bool = True) -> None:
    """Applies a POST or PATCH body to a single event or a series; all or nothing. Raises GraphFault 400."""
    changes, extended = _checked(body, trim)
    if not creating:
        changes.pop("transactionId", None)  # set at creation only (3.2)
    timing = item.timing
    if creating or not _TIMING.isdisjoint(body):
        timing = _timing(item.timing, body, creating)
    for name, value in changes.items():
        if value in (None, "") or value == []:
            item.data.pop(name, None)
        else:
            item.data[name] = value
    item.timing = timing
    if extended:
        item.extended = {**(item.extended or {}), **extended}


def write_occurrence(item: Item, day: str, body: JSON, *, trim: bool = True) -> None:
    """A PATCH of one day makes it an exception.

    Raises GraphFault 400, ErrorOccurrenceCrossingBoundary when it would reach its neighbour's day.
    """
    timing = item.when
    now = series.occurrence(timing, day)
    if now is None:
        raise not_found()
    if "recurrence" in body:
        raise bad_request("An occurrence has no recurrence of its own.")
    changes, _ = _checked(body, trim)
    if not {"start", "end"}.isdisjoint(body):
        single = Timing(now.start, now.end, timing.start_zone, timing.end_zone, timing.all_day)
        moved = _timing(single, body, creating=False)
        zone = zone_named(timing.start_zone)
        start, end = (
            moment if timing.all_day else to_utc(moment, name).astimezone(zone).replace(tzinfo=None)
            for moment, name in ((moved.start, moved.start_zone), (moved.end, moved.end_zone))
        )
        before, after = series.neighbours(timing, day)
        if (before is not None and start.date() <= before) or (after is not None and start.date() >= after):
            raise bad_request(
                "Modified occurrence is crossing or overlapping adjacent occurrence.",
                "ErrorOccurrenceCrossingBoundary",
            )
        changes |= {"start": start, "end": end}
    timing.exceptions[day] = {**timing.exceptions.get(day, {}), **changes}


def _checked(body: JSON, trim: bool) -> tuple[JSON, dict[str, str]]:
    changes: JSON = {}
    extended: dict[str, str] = {}
    for name, value in body.items():
        if name in READ_ONLY or name in _TIMING:
            continue
        if name == "singleValueExtendedProperties":
            extended = read_written(value)
        else:
            changes[name] = _value(name, value, trim)
    return changes, extended


def _value(name: str, value: Any, trim: bool) -> Any:  # noqa: C901 - one branch for each type of property
    wrong = bad_request(f"Cannot convert the value of '{name}' to the expected type.", "RequestBodyRead")
    if name not in WRITABLE:
        raise bad_request(
            f"The property '{name}' does not exist on type 'microsoft.graph.event'. Make sure to only use property"
            " names that are defined by the type.",
            "RequestBodyRead",
        )
    if name == "body":
        return stored_body(value)
    if name == "attendees" and isinstance(value, list):
        return [_attendee(row) for row in value]
    if name in _ENUMS:
        if value not in _ENUMS[name]:
            raise bad_request(f"Requested value '{value}' was not found in '{name}'.", "RequestBodyRead")
    elif name in _FLAGS:
        if not isinstance(value, bool):
            raise wrong
    elif name in {"subject", "transactionId"}:
        if value is not None and not isinstance(value, str):
            raise wrong
        return value.strip() if value and trim and name == "subject" else value
    elif name in {"attendees", "locations", "categories"}:
        if not isinstance(value, list):
            raise wrong
    elif name == "location" and not isinstance(value, (dict, type(None))):
        raise wrong
    return value


def _attendee(row: Any) -> JSON:
    email = row.get("emailAddress") if isinstance(row, dict) else None
    if not isinstance(email, dict) or not email.get("address"):
        raise bad_request("At least one recipient is not valid.", "ErrorInvalidRecipients")
    return {
        "type": row.get("type") or "required",
        "status": row.get("status") or {"response": "none", "time": _NEVER},
        "emailAddress": {"name": email.get("name") or email["address"], "address": email["address"]},
    }


def _moment(value: Any, name: str) -> tuple[datetime, str]:
    if not isinstance(value, dict) or not value.get("dateTime"):
        raise bad_request(f"The property '{name}' needs dateTime and timeZone.", "ErrorPropertyValidationFailure")
    zone = value.get("timeZone") or "UTC"
    zone_named(zone)
    wall = parse_wall(value["dateTime"], name)
    if wall.tzinfo is not None:
        wall = wall.astimezone(zone_named(zone)).replace(tzinfo=None)
    return wall, zone


def _timing(current: Timing | None, body: JSON, creating: bool) -> Timing:
    if creating and not {"start", "end"} <= body.keys():
        raise bad_request("The properties 'start' and 'end' are required.", "ErrorPropertyValidationFailure")
    all_day = body.get("isAllDay", current.all_day if current else False)
    if not isinstance(all_day, bool):
        raise bad_request("Cannot convert the value of 'isAllDay' to 'Edm.Boolean'.", "RequestBodyRead")
    if "isAllDay" in body and current is not None and not {"start", "end"} <= body.keys():
        raise bad_request("A change of isAllDay needs start and end.", "ErrorPropertyValidationFailure")
    if "start" in body or current is None:
        start, start_zone = _moment(body.get("start"), "start")
    else:
        start, start_zone = current.start, current.start_zone
    if "end" in body or current is None:
        end, end_zone = _moment(body.get("end"), "end")
    else:
        end, end_zone = current.end, current.end_zone
    _check_span(start, start_zone, end, end_zone, all_day)
    rule = current.recurrence if current else None
    if "recurrence" in body:
        rule = series.checked(body["recurrence"], start, start_zone) if body["recurrence"] else None
    elif rule is not None and current is not None and start.date() != current.start.date():
        shifted = {**rule["range"], "startDate": start.date().isoformat()}
        rule = series.checked({**rule, "range": shifted}, start, start_zone)
    same_days = current is not None and rule == current.recurrence and start == current.start
    return Timing(
        start,
        end,
        start_zone,
        end_zone,
        all_day,
        rule,
        current.exceptions if current and same_days else {},
        current.cancelled if current and same_days else set(),
    )


def _check_span(start: datetime, start_zone: str, end: datetime, end_zone: str, all_day: bool) -> None:
    """All-day: both midnight, one zone, at least 24 hours, end exclusive; else only end >= start (3.1)."""
    if all_day:
        for moment, name in ((start, "Start"), (end, "End")):
            if moment.time() != time():
                raise bad_request(
                    f"The Event.{name} property for an all-day event needs to be set to midnight.",
                    "ErrorPropertyValidationFailure",
                )
        if start_zone != end_zone:
            raise bad_request(
                "The Event.Start and Event.End of an all-day event must be in the same time zone.",
                "ErrorPropertyValidationFailure",
            )
        if end - start < timedelta(days=1):
            raise bad_request(
                "The duration of an event marked as All day must be at least 24 hours.",
                "ErrorPropertyValidationFailure",
            )
    elif to_utc(end, end_zone) < to_utc(start, start_zone):
        raise bad_request(
            "End date must be equal to or later than the start date.", "ErrorCalendarEndDateIsEarlierThanStartDate"
        )


def span(item: Item, days: Occurrence | None = None) -> tuple[datetime, datetime]:
    """Start and end as instants; an all-day event floats and is taken as UTC."""
    timing = item.when
    start, end = (days.start, days.end) if days else (timing.start, timing.end)
    if timing.all_day:
        return start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    zone_of_end = timing.start_zone if days else timing.end_zone
    return to_utc(start, timing.start_zone), to_utc(end, zone_of_end)


def within(item: Item, after: datetime, before: datetime) -> list[Occurrence | None]:
    """What of an event touches a window: [None] for a single one, its days for a series, [] for nothing."""
    timing = item.when
    if timing.recurrence is None:
        start, end = span(item)
        return [None] if start < before and (end > after or start == end >= after) else []
    zone = UTC if timing.all_day else zone_named(timing.start_zone)
    lower, upper = (moment.astimezone(zone).replace(tzinfo=None) for moment in (after, before))
    return list(series.occurrences(timing, lower, upper))


def shown_time(moment: datetime, instant: datetime, all_day: bool, zone: str | None) -> JSON:
    """UTC unless a zone was asked for; an all-day date is shown as it is, in any zone."""
    if all_day:
        return {"dateTime": wall_ticks(moment), "timeZone": zone or "UTC"}
    if zone is None:
        return {"dateTime": wall_ticks(instant.replace(tzinfo=None)), "timeZone": "UTC"}
    return {"dateTime": wall_ticks(instant.astimezone(zone_named(zone)).replace(tzinfo=None)), "timeZone": zone}


def value(item: Item, name: str) -> Any:
    """One property, for `$filter` and `$orderby`."""
    if name == "singleValueExtendedProperties":
        return [{"id": key, "value": text} for key, text in (item.extended or {}).items()]
    if name in {"start", "end"}:
        moment = span(item)[0 if name == "start" else 1]
        return {"dateTime": wall_ticks(moment.replace(tzinfo=None)), "timeZone": "UTC"}
    computed: dict[str, Callable[[], Any]] = {
        "createdDateTime": lambda: utc_ticks(item.created),
        "lastModifiedDateTime": lambda: utc_ticks(item.modified),
        "isAllDay": lambda: item.when.all_day,
        "type": lambda: "seriesMaster" if item.when.recurrence else "singleInstance",
        "isOrganizer": lambda: item.data.get("isOrganizer", True),
        "sensitivity": lambda: item.data.get("sensitivity", "normal"),
        "showAs": lambda: item.data.get("showAs", "busy"),
    }
    return computed[name]() if name in computed else item.data.get(name)


def times(item: Item, prefer: Preference, days: Occurrence | None) -> JSON:
    """`start` and `end` as a reply has them."""
    start, end = (days.start, days.end) if days else (item.when.start, item.when.end)
    start_at, end_at = span(item, days)
    return {
        "start": shown_time(start, start_at, item.when.all_day, prefer.timezone),
        "end": shown_time(end, end_at, item.when.all_day, prefer.timezone),
    }


def render(
    item: Item, item_id: str, ical: str, owner: JSON, prefer: Preference, *, days: Occurrence | None = None
) -> JSON:
    """The whole event as a reply has it, or one of its days; never with extended properties."""
    timing = item.when
    data = item.data if days is None or not days.changes else {**item.data, **days.changes}
    key = item.change_key
    exception = days is not None and days.changes is not None
    kind = "exception" if exception else "occurrence" if days else "seriesMaster" if timing.recurrence else ""
    organizer = data.get("organizer") or {"emailAddress": owner}
    row: JSON = {
        "@odata.etag": f'W/"{key}"',
        "id": item_id,
        "createdDateTime": utc_ticks(item.created),
        "lastModifiedDateTime": utc_ticks(item.modified),
        "changeKey": key,
        "categories": data.get("categories", []),
        "originalStartTimeZone": timing.start_zone,
        "originalEndTimeZone": timing.end_zone,
        "iCalUId": ical,
        "reminderMinutesBeforeStart": data.get("reminderMinutesBeforeStart", 15),
        "isReminderOn": data.get("isReminderOn", True),
        "hasAttachments": False,
        "subject": data.get("subject", ""),
        "bodyPreview": preview(data.get("body")),
        "importance": data.get("importance", "normal"),
        "sensitivity": data.get("sensitivity", "normal"),
        "isAllDay": timing.all_day,
        "isCancelled": data.get("isCancelled", False),
        "isOrganizer": data.get("isOrganizer", True),
        "responseRequested": data.get("responseRequested", True),
        "seriesMasterId": None,
        "showAs": data.get("showAs", "busy"),
        "type": kind or "singleInstance",
        "webLink": f"https://outlook.office365.com/owa/?itemid={item_id}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": data.get("isOnlineMeeting", False),
        "onlineMeetingProvider": data.get("onlineMeetingProvider", "unknown"),
        "allowNewTimeProposals": data.get("allowNewTimeProposals", True),
        "isDraft": False,
        "hideAttendees": data.get("hideAttendees", False),
        "recurrence": None if days else timing.recurrence,
        "onlineMeeting": None,
        "responseStatus": data.get("responseStatus", {"response": "organizer", "time": _NEVER}),
        "body": event_body(data.get("body"), prefer.text_body),
        **times(item, prefer, days),
        "location": _location(data.get("location")),
        "locations": data.get("locations") or ([data["location"]] if data.get("location") else []),
        "attendees": data.get("attendees", []),
        "organizer": organizer,
    }
    if "transactionId" in data:
        row["transactionId"] = data["transactionId"]
    if days is not None:
        row["originalStart"] = utc_ticks(span(item, Occurrence(days.day, *_original(timing, days)))[0])
    return row


def _original(timing: Timing, days: Occurrence) -> tuple[datetime, datetime]:
    start = datetime.combine(days.date, timing.start.time())
    return start, start + (timing.end - timing.start)


def _location(location: JSON | None) -> JSON:
    if not location:
        return {
            "displayName": "",
            "locationType": "default",
            "uniqueIdType": "unknown",
            "address": {},
            "coordinates": {},
        }
    return {"locationType": "default", **location}
