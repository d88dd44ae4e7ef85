"""What requests on calendars and events do, mails included (graph-api.md 3, 5, 10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from orosync.sandbox.graph import events, meetings
from orosync.sandbox.graph.call import Call, Fields, delta_reply, item_row, list_reply, picked, refuse, removed
from orosync.sandbox.graph.changes import Round
from orosync.sandbox.graph.ids import change_key
from orosync.sandbox.graph.items import Container, Item, Mail, Occurrence
from orosync.sandbox.graph.odata import Expansion
from orosync.sandbox.graph.recurrence import occurrence
from orosync.sandbox.graph.wire import JSON, GraphFault, Reply, bad_request, parse_wall
from orosync.sandbox.graph.zones import zone_named

_EXPANDS = frozenset({"singleValueExtendedProperties"})
_ON_MASTER = frozenset({"exceptionOccurrences"})
_CALENDAR_KNOWN = frozenset(
    ["id", "name", "color", "hexColor", "isDefaultCalendar", "canEdit", "canShare", "owner", "changeKey"]
)
_MOST_DAYS = 1825


def _calendar(call: Call) -> Container:
    """`/calendars/{id}/...` names one; every other path means the default calendar."""
    if "/calendars/" in call.request.path:
        return call.store.container("event", call.ids[0])
    return call.store.default["event"]


def _find(call: Call) -> tuple[Item, Occurrence | None]:
    item, day = call.store.find("event", call.ids[-1])
    return item, call.mailbox.day_of(item, day)


def _check_zone(call: Call) -> None:
    if call.prefer.timezone is not None:
        zone_named(call.prefer.timezone)


def _full(call: Call, item: Item, day: Occurrence | None = None) -> JSON:
    row = item_row(call, item, None, Expansion(), day)
    return {"@odata.context": call.context("events/$entity"), **row}


# events


def list_events(call: Call) -> Reply:
    """Singles and series masters."""
    _check_zone(call)
    select = call.selection(events.KNOWN, "Event")
    expand = call.expansion(_EXPANDS)
    return list_reply(
        call,
        "events",
        _calendar(call).items.values(),
        Fields(events.KNOWN, events.value),
        lambda item: item_row(call, item, select, expand),
    )


def create_event(call: Call) -> Reply:
    """With attendees, invitations go out; a transactionId seen before is refused (graph-api.md 3.2, 3.3)."""
    _check_zone(call)
    body = call.request.json()
    known = call.store.transactions.get(body.get("transactionId") or "")
    if known is not None:
        raise GraphFault(
            call.settings.transaction_id_status,
            "ErrorDuplicateTransactionId",
            "Your request can't be completed because the transactionId was used before.",
            extra={"@event.existingEventId": call.store.id_of(known, call.prefer.immutable_ids)},
        )
    item = call.store.new_item("event", _calendar(call))
    call.mailbox.write(item, body, creating=True)
    call.store.add(item)
    reply = _full(call, item)
    call.mailbox.outbox += meetings.mails("invitation", item, reply["id"])
    return Reply(201, reply)


def read_event(call: Call) -> Reply:
    _check_zone(call)
    item, day = _find(call)
    expand = call.expansion(_EXPANDS | _ON_MASTER)
    row = item_row(call, item, None, expand, day)
    select = call.selection(events.KNOWN, "Event")
    if select is not None and "cancelledOccurrences" in select:
        ids = (call.store.id_of(item, call.prefer.immutable_ids, day) for day in sorted(item.when.cancelled))
        row["cancelledOccurrences"] = [f"OID.{master_day}" for master_day in ids]
    if "exceptionOccurrences" in expand.collections:
        days = (occurrence(item.when, day) for day in sorted(item.when.exceptions))
        row["exceptionOccurrences"] = [call.mailbox.render(item, call.prefer, day) for day in days if day]
        select = (*select, "exceptionOccurrences") if select else None
    if "singleValueExtendedProperties" in row and select is not None:
        select = (*select, "singleValueExtendedProperties")
    return Reply(200, {"@odata.context": call.context("events/$entity"), **picked(row, select)})


def change_event(call: Call) -> Reply:
    _check_zone(call)
    item, day = _find(call)
    body = call.request.json()
    call.check_version(item.etag)
    before: list[JSON] = item.data.get("attendees", [])
    exceptions = len(item.when.exceptions)
    if day is None:
        call.mailbox.write(item, body, creating=False)
    else:
        events.write_occurrence(item, day.day, body, trim=call.settings.trim_strings)
        exceptions = 0
    call.store.touch(item)
    reply = _full(call, item, call.mailbox.day_of(item, day.day) if day else None)
    every = call.settings.every_patch_mails
    call.mailbox.outbox += meetings.after_patch(item, reply["id"], before, body, every=every, exceptions=exceptions)
    return Reply(200, reply)


def delete_event(call: Call) -> Reply:
    """By the organiser: cancellations go out. By a guest: only the own copy goes, silently."""
    item, day = _find(call)
    call.check_version(item.etag)
    call.mailbox.outbox += meetings.mails("cancellation", item, call.ids[-1])
    if day is None:
        call.store.remove(item)
    else:
        call.mailbox.cancel_day(item, day.day)
    return Reply(204)


def purge_event(call: Call) -> Reply:
    item, _ = _find(call)
    call.mailbox.outbox += meetings.mails("cancellation", item, call.ids[-1])
    call.store.remove(item, purge=True)
    return Reply(204)


def cancel_event(call: Call) -> Reply:
    """Organiser only; into Deleted Items."""
    item, _ = _find(call)
    if not meetings.is_organizer(item):
        raise bad_request("You need to be an organizer to cancel a meeting.")
    call.mailbox.outbox += meetings.mails("cancellation", item, call.ids[-1])
    call.store.remove(item)
    return Reply(202)


def answer_event(call: Call) -> Reply:
    """accept, decline, tentativelyAccept: a guest's answer, mailed unless `sendResponse` is false."""
    item, _ = _find(call)
    if meetings.is_organizer(item):
        raise bad_request("You can't respond to this meeting because you're the meeting organizer.")
    word = call.request.path.rpartition("/")[2]
    response = {"accept": "accepted", "decline": "declined", "tentativelyAccept": "tentativelyAccepted"}[word]
    if call.request.json().get("sendResponse", True):
        to = str(item.data["organizer"]["emailAddress"]["address"])
        call.mailbox.outbox.append(Mail("response", to, str(item.data.get("subject", "")), call.ids[-1]))
    if response == "declined":
        call.store.remove(item)
    else:
        now = call.graph.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        item.data["responseStatus"] = {"response": response, "time": now}
        call.store.touch(item)
    return Reply(202)


# windows


def _window(call: Call) -> tuple[datetime, datetime]:
    """Raises GraphFault 400 when an end is missing, wrong, or the window is too wide."""
    query = call.request.query
    if "startDateTime" not in query or "endDateTime" not in query:
        raise bad_request("This request requires a time window specified by startDateTime and endDateTime.")
    start, end = (parse_wall(query[name], name) for name in ("startDateTime", "endDateTime"))
    start, end = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (start, end))
    if end < start:
        raise bad_request("The endDateTime must be later than the startDateTime.")
    if (end - start).days > _MOST_DAYS:
        raise bad_request(
            "Your request can't be completed. The range between the start and end dates is greater than the allowed"
            f" range. Maximum number of days: {_MOST_DAYS}"
        )
    return start, end


def calendar_view(call: Call) -> Reply:
    """Singles and days of series that touch the window; extended properties fail here (docs-contrib#3281)."""
    _check_zone(call)
    refuse(call, ("$expand",), status=500)
    start, end = _window(call)
    select = call.selection(events.KNOWN, "Event")
    found = [(item, day) for item in _calendar(call).items.values() for day in events.within(item, start, end)]
    found.sort(key=lambda pair: events.span(*pair))
    return list_reply(
        call,
        "calendarView",
        found,
        Fields(events.KNOWN, lambda pair, name: events.value(pair[0], name)),
        lambda pair: item_row(call, pair[0], select, Expansion(), pair[1]),
    )


def instances(call: Call) -> Reply:
    """The days of a series in a window, without cancelled ones."""
    _check_zone(call)
    start, end = _window(call)
    item, _ = _find(call)
    select = call.selection(events.KNOWN, "Event")
    days = [day for day in events.within(item, start, end) if day is not None]
    return list_reply(
        call,
        "instances",
        sorted(days, key=lambda day: day.start),
        Fields(events.KNOWN, lambda _day, name: events.value(item, name)),
        lambda day: item_row(call, item, select, Expansion(), day),
    )


def calendar_delta(call: Call) -> Reply:
    """Delta over a window that is frozen in the token; takes no query options (graph-api.md 5, event traps 1 to 3)."""
    _check_zone(call)
    refuse(call, ("$expand",), status=500)
    refuse(call, ("$select", "$filter", "$orderby", "$search"))
    calendar = _calendar(call)

    def first() -> tuple[Any, Iterable[int]]:
        return _window(call), calendar.items

    def show(serial: int, walk: Round) -> list[JSON]:
        item = calendar.items.get(serial)
        if item is not None:
            return _delta_rows(call, item, walk)
        entry = calendar.log.entries.get(serial)
        if entry is None or entry.gone is None or entry.first > walk.since:
            return []
        return [removed(call.store.id_at("event", serial, entry.gone, call.prefer.immutable_ids))]

    key = ("event", calendar.serial)
    return delta_reply(call, "calendarView", key, calendar.log, first=first, show=show)


def _delta_rows(call: Call, item: Item, walk: Round) -> list[JSON]:
    days = events.within(item, *walk.options)
    if not days:
        # Outside the window: after the first round reported as removed, although it exists (docs#6599).
        return [removed(call.store.id_of(item, call.prefer.immutable_ids))] if walk.since else []
    rows: list[JSON] = []
    for day in days:
        if day is None:
            rows.append(call.mailbox.render(item, call.prefer))
        elif day.changes is None:
            rows.append(_bare_occurrence(call, item, day))
        else:
            rows.append(call.mailbox.render(item, call.prefer, day))
    if days[0] is not None and call.settings.series_master_in_delta:
        rows.insert(0, call.mailbox.render(item, call.prefer))
    return rows


def _bare_occurrence(call: Call, item: Item, day: Occurrence) -> JSON:
    """All that comes of a series' day (docs-contrib#5602)."""
    store, immutable = call.store, call.prefer.immutable_ids
    return {
        "@odata.etag": item.etag,
        "id": store.id_of(item, immutable, day.day),
        "seriesMasterId": store.id_of(item, immutable),
        "type": "occurrence",
        **events.times(item, call.prefer, day),
    }


# calendars


def calendar_row(call: Call, calendar: Container) -> JSON:
    default = bool(calendar.wellknown)
    return {
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": default,
        "changeKey": change_key(calendar.serial, calendar.version),
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": default,
        "isRemovable": not default,
        "owner": call.mailbox.owner,
    }


def list_calendars(call: Call) -> Reply:
    select = call.selection(_CALENDAR_KNOWN, "Calendar")
    return list_reply(
        call,
        "calendars",
        call.store.of_kind("event"),
        Fields(_CALENDAR_KNOWN, lambda calendar, name: calendar_row(call, calendar).get(name)),
        lambda calendar: picked(calendar_row(call, calendar), select),
    )


def create_calendar(call: Call) -> Reply:
    name = call.request.json().get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request("The property 'name' is required.")
    if any(calendar.name == name for calendar in call.store.of_kind("event")):
        raise GraphFault(409, "ErrorFolderExists", "A folder with the specified name already exists.")
    made = call.store.add_container("event", name.strip())
    return Reply(201, {"@odata.context": call.context("calendars/$entity"), **calendar_row(call, made)})


def _named_calendar(call: Call) -> Container:
    return call.store.container("event", call.ids[0]) if call.ids else call.store.default["event"]


def read_calendar(call: Call) -> Reply:
    row = calendar_row(call, _named_calendar(call))
    return Reply(200, {"@odata.context": call.context("calendars/$entity"), **row})


def change_calendar(call: Call) -> Reply:
    calendar = _named_calendar(call)
    name = call.request.json().get("name")
    if isinstance(name, str) and name.strip():
        calendar.name = name.strip()
        call.store.touch_container(calendar)
    return read_calendar(call)


def delete_calendar(call: Call) -> Reply:
    calendar = _named_calendar(call)
    if calendar.wellknown:
        raise bad_request("The default calendar cannot be deleted.", "ErrorDeleteDistinguishedFolder")
    call.store.remove_container(calendar)
    return Reply(204)
