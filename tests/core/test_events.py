"""Events: the lens laws on both sides, days that float, instants that stay, and nobody is ever invited."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.core.lens_world import CONTEXT, EVENTS, ZONES, item, oro_applies_event, outlook_applies

from orosync.core import zones
from orosync.core.fields import empty_record, fields_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.events import BUSY_TITLE
from orosync.core.mapping.lens import STAMP_PROPERTY, Context
from orosync.core.mapping.tasks import NO_TITLE
from orosync.core.records import Entity, Side

OUTLOOK = lens_of(Side.OUTLOOK, Entity.EVENT)
ORO = lens_of(Side.ORO, Entity.EVENT)
NAMES = [each.name for each in fields_of(Entity.EVENT)]
TIME = ("start", "end", "all_day", "recurrence")
EMPTY = empty_record(Entity.EVENT)
NEVER_WRITTEN = {"attendees", "reminders", "reminderMinutesBeforeStart", "isReminderOn", "showAs", "organizer"}


def get(lens: Any, body: dict[str, Any], context: Context = CONTEXT) -> dict[str, Any]:
    return dict(lens.snapshot(item(body), context).record)


def graph(start: str, end: str, *, all_day: bool = False, **more: Any) -> dict[str, Any]:
    times = {"start": {"dateTime": start, "timeZone": "UTC"}, "end": {"dateTime": end, "timeZone": "UTC"}}
    return {"subject": "x", **times, "isAllDay": all_day, **more}


def oro(start: str, end: str, *, all_day: bool = False, **more: Any) -> dict[str, Any]:
    return {"id": 1, "title": "x", "start": start, "end": end, "allDay": all_day, **more}


@st.composite
def bodies(draw: st.DrawFn, side: Side) -> dict[str, Any]:
    lens = lens_of(side, Entity.EVENT)
    patch = lens.put(lens.representable(draw(EVENTS), CONTEXT), None, CONTEXT)
    if side is Side.ORO:
        body = oro_applies_event(patch, None)
        body["description"] = draw(st.sampled_from([body.get("description"), "<p>a &amp; <b>b</b></p>", "a &amp; b"]))
        return body
    body = outlook_applies(patch, {"attendees": [{"emailAddress": {"address": "x@x.com"}}], "showAs": "free"})
    body["body"] = draw(st.sampled_from([body.get("body"), {"contentType": "html", "content": "<p>a <b>b</b></p>"}]))
    return body


def applied(side: Side, patch: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    return outlook_applies(patch, body) if side is Side.OUTLOOK else oro_applies_event(patch, body)


def drifts(record: dict[str, Any]) -> bool:
    """A series that begins in the hour its zone's clocks repeat: its wall time names an hour earlier."""
    rule = record["recurrence"]
    moments = (record["start"], record["end"])
    return bool(rule and rule.get("zone")) and not all(zones.is_unambiguous(each, rule["zone"]) for each in moments)


@given(
    st.sampled_from(Side), EVENTS, st.booleans(), st.sets(st.sampled_from(["title", "time", "description"])), st.data()
)
def test_what_can_be_held_arrives_and_nobody_is_invited(
    side: Side, record: Any, new: bool, units: set[str], data: st.DataObject
) -> None:
    lens = lens_of(side, Entity.EVENT)
    body = None if new else data.draw(bodies(side))
    before = get(lens, body) if body else EMPTY
    chosen = NAMES if new else [name for name in NAMES if name in units or ("time" in units and name in TIME)]
    values = {name: record[name] for name in chosen}
    held = lens.representable({**before, **values}, CONTEXT)
    assume(not drifts(held))
    patch = lens.put(values, item(body) if body else None, CONTEXT)
    assert not NEVER_WRITTEN & patch.keys()
    after = applied(side, patch, body)
    assert get(lens, after) == held
    for name in NEVER_WRITTEN & (body or {}).keys():
        assert after[name] == (body or {})[name]


@given(st.sampled_from(Side), EVENTS, st.data())
def test_a_group_that_arrives_in_parts_is_completed(side: Side, record: Any, data: st.DataObject) -> None:
    """Only the fields that differ are given, as a plan does."""
    lens, body = lens_of(side, Entity.EVENT), data.draw(bodies(side))
    before = get(lens, body)
    held = lens.representable({**before, **{name: record[name] for name in TIME}}, CONTEXT)
    assume(not drifts(held))
    values = {name: held[name] for name in TIME if held[name] != before[name]}
    assert get(lens, applied(side, lens.put(values, item(body), CONTEXT), body)) == {
        **before,
        **{name: held[name] for name in TIME},
    }


@given(st.datetimes(datetime(2013, 1, 1), datetime(2037, 12, 31)), st.sampled_from(ZONES))  # noqa: DTZ001  # bounds
def test_an_instant_survives_every_zone_and_every_change_of_clocks(moment: Any, mailbox: str) -> None:
    start = moment.replace(microsecond=0).isoformat() + "Z"
    record = {**EMPTY, "title": "x", "start": start, "end": start, "all_day": False}
    body = outlook_applies(OUTLOOK.put(record, None, replace(CONTEXT, mailbox_zone=mailbox)), None)
    assert get(OUTLOOK, body) == record
    assert get(ORO, oro_applies_event(ORO.put(record, None, CONTEXT), None)) == record


# ------------------------------------------------------------------------------------------------ all day


@pytest.mark.parametrize(
    ("start", "end", "zone", "days"),
    [
        # written by the back office in New York: 00:00 to 23:59
        ("2026-12-24T05:00:00+00:00", "2026-12-25T04:59:00+00:00", "America/New_York", ("2026-12-24", "2026-12-25")),
        ("2026-12-24T05:00:00Z", "2026-12-26T04:59:00Z", "America/New_York", ("2026-12-24", "2026-12-26")),
        # an end at midnight is exclusive
        ("2026-12-24T00:00:00Z", "2026-12-25T00:00:00Z", "UTC", ("2026-12-24", "2026-12-25")),
        ("2026-12-24T00:00:00Z", "2026-12-24T00:00:00Z", "UTC", ("2026-12-24", "2026-12-25")),
        # other times: that day is part of it
        ("2026-12-24T10:00:00Z", "2026-12-24T12:00:00Z", "UTC", ("2026-12-24", "2026-12-25")),
        # the day clocks change at midnight: 00:00 is 01:00
        ("2018-11-04T03:00:00Z", "2018-11-05T01:59:00Z", "America/Sao_Paulo", ("2018-11-04", "2018-11-05")),
        ("2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "America/Sao_Paulo", ("2018-11-03", "2018-11-04")),
        (None, None, "UTC", (None, None)),
    ],
)
def test_oros_days_end_at_one_minute_to_midnight(start: Any, end: Any, zone: str, days: tuple[Any, Any]) -> None:
    record = get(ORO, oro(start, end, all_day=True), replace(CONTEXT, oro_zone=zone))
    assert (record["start"], record["end"], record["all_day"]) == (*days, True)


def test_oro_gets_local_midnight_and_one_minute_to_midnight_as_utc() -> None:
    values = {"start": "2026-12-24", "end": "2026-12-25", "all_day": True}
    assert ORO.put(values, item(oro("2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z")), CONTEXT) == {
        "start": "2026-12-24T05:00:00Z",
        "end": "2026-12-25T04:59:00Z",
        "allDay": True,
    }


def test_outlooks_days_are_read_as_they_stand() -> None:
    body = graph("2026-12-24T00:00:00.0000000", "2026-12-25T00:00:00.0000000", all_day=True)
    body["start"]["timeZone"] = "Tokyo Standard Time"
    record = get(OUTLOOK, body)
    assert (record["start"], record["end"]) == ("2026-12-24", "2026-12-25")


def test_a_change_to_all_day_sends_start_and_end_along() -> None:
    body = graph("2026-12-24T09:00:00", "2026-12-24T10:00:00", originalStartTimeZone="Pacific Standard Time")
    patch = OUTLOOK.put({"all_day": True}, item(body), CONTEXT)
    assert patch == {
        "start": {"dateTime": "2026-12-24T00:00:00", "timeZone": "Pacific Standard Time"},
        "end": {"dateTime": "2026-12-25T00:00:00", "timeZone": "Pacific Standard Time"},
        "isAllDay": True,
    }


# ------------------------------------------------------------------------------------------------ zones


@pytest.mark.parametrize(
    ("original", "mailbox", "written"),
    [
        ("Pacific Standard Time", "Europe/Berlin", ("2026-12-24T01:00:00", "Pacific Standard Time")),
        ("tzone://Microsoft/Custom", "Europe/Berlin", ("2026-12-24T09:00:00", "UTC")),
        ("Europe/Paris", "UTC", ("2026-12-24T10:00:00", "Romance Standard Time")),
        (None, "Europe/Berlin", ("2026-12-24T10:00:00", "W. Europe Standard Time")),
        (None, "Antarctica/Troll", ("2026-12-24T09:00:00", "UTC")),
    ],
)
def test_a_meeting_stays_in_its_owners_zone(original: str | None, mailbox: str, written: tuple[str, str]) -> None:
    body = graph("2026-01-01T09:00:00", "2026-01-01T10:00:00", originalStartTimeZone=original)
    values = {"start": "2026-12-24T09:00:00Z", "end": "2026-12-24T10:00:00Z"}
    patch = OUTLOOK.put(values, item(body), replace(CONTEXT, mailbox_zone=mailbox))
    assert (patch["start"]["dateTime"], patch["start"]["timeZone"]) == written
    assert patch["end"]["timeZone"] == written[1]


def test_in_the_hour_clocks_repeat_only_utc_is_clear() -> None:
    values = {"start": "2026-10-25T01:30:00Z", "end": "2026-10-25T02:30:00Z", "all_day": False}
    assert OUTLOOK.put(values, None, CONTEXT)["start"] == {"dateTime": "2026-10-25T01:30:00", "timeZone": "UTC"}


def test_oro_gets_utc_with_seconds() -> None:
    body = oro("2026-12-02T09:00:00+00:00", "2026-12-02T10:30:00+00:00")
    assert ORO.put({"start": "2026-12-02T08:00:00Z"}, item(body), CONTEXT) == {
        "start": "2026-12-02T08:00:00Z",
        "end": "2026-12-02T10:30:00Z",
        "allDay": False,
    }


def test_a_time_without_end_ends_at_once() -> None:
    values = {"start": "2026-12-02T08:00:00Z", "all_day": False}
    assert ORO.put(values, None, CONTEXT)["end"] == "2026-12-02T08:00:00Z"
    assert OUTLOOK.put({"all_day": True}, None, CONTEXT) == {}


# ------------------------------------------------------------------------------------------------ series

WEEKLY = {"pattern": "weekly", "interval": 1, "days": ["monday"], "count": 6, "zone": "Europe/Berlin"}
GRAPH_WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
    "range": {
        "type": "numbered",
        "startDate": "2026-12-07",
        "numberOfOccurrences": 6,
        "recurrenceTimeZone": "W. Europe Standard Time",
    },
}
ORO_WEEKLY = {
    "id": 1,
    "recurrenceType": "weekly",
    "interval": 1,
    "dayOfWeek": ["monday"],
    "occurrences": 6,
    "timezone": "Europe/Rome",
}


def test_a_series_is_one_rule_on_both_sides() -> None:
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", recurrence=GRAPH_WEEKLY)
    crm = oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", recurrence=ORO_WEEKLY)
    assert get(OUTLOOK, body)["recurrence"] == get(ORO, crm)["recurrence"] == WEEKLY


def test_a_series_is_written_in_its_own_zone_or_it_drifts() -> None:
    values = {"start": "2026-12-07T08:00:00Z", "end": "2026-12-07T09:00:00Z", "all_day": False, "recurrence": WEEKLY}
    patch = OUTLOOK.put(values, None, replace(CONTEXT, mailbox_zone="America/New_York"))
    assert patch["start"] == {"dateTime": "2026-12-07T09:00:00", "timeZone": "W. Europe Standard Time"}
    assert patch["recurrence"]["range"] == GRAPH_WEEKLY["range"]


def test_a_moved_series_takes_its_rule_along() -> None:
    body = graph(
        "2026-12-07T08:00:00",
        "2026-12-07T09:00:00",
        recurrence=GRAPH_WEEKLY,
        originalStartTimeZone="W. Europe Standard Time",
    )
    patch = OUTLOOK.put({"start": "2026-12-14T08:00:00Z", "end": "2026-12-14T09:00:00Z"}, item(body), CONTEXT)
    assert patch["recurrence"]["range"]["startDate"] == "2026-12-14"
    assert patch["recurrence"]["pattern"] == GRAPH_WEEKLY["pattern"]
    crm = oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", recurrence=ORO_WEEKLY)
    rule = ORO.put({"start": "2026-12-14T08:00:00Z", "end": "2026-12-14T09:00:00Z"}, item(crm), CONTEXT)["recurrence"]
    assert (rule["startTime"], rule["timeZone"]) == ("2026-12-14T08:00:00Z", "Europe/Rome")


def test_a_series_can_become_a_single_event() -> None:
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", recurrence=GRAPH_WEEKLY)
    assert OUTLOOK.put({"recurrence": None}, item(body), CONTEXT)["recurrence"] is None
    crm = oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", recurrence=ORO_WEEKLY)
    assert ORO.put({"recurrence": None}, item(crm), CONTEXT)["recurrence"] is None


def test_a_rule_nobody_knows_is_left_as_it_is() -> None:
    strange = {"pattern": {"type": "lunar"}, "range": {}}
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", recurrence=strange)
    assert OUTLOOK.snapshot(item(body), CONTEXT).notes == (
        "the rule of this series is not one we know: it is left as it is",
    )
    assert "recurrence" not in OUTLOOK.put({"start": "2026-12-14T08:00:00Z"}, item(body), CONTEXT)
    odd_years = {**ORO_WEEKLY, "recurrenceType": "yearly", "interval": 18}
    crm = oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", recurrence=odd_years)
    assert ORO.snapshot(item(crm), CONTEXT).notes == (
        "the rule of this series is not one we know: it is left as it is",
    )
    assert "recurrence" not in ORO.put({"start": "2026-12-14T08:00:00Z"}, item(crm), CONTEXT)


def test_a_rule_the_other_side_cannot_hold_is_noted() -> None:
    often = {"pattern": {"type": "daily", "interval": 100}, "range": {"type": "noEnd"}}
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", recurrence=often)
    assert OUTLOOK.snapshot(item(body), CONTEXT).notes == ("OroCRM cannot hold the rule of this series",)
    assert ORO.representable(get(OUTLOOK, body), CONTEXT)["recurrence"] is None
    far = {**ORO_WEEKLY, "timezone": "Antarctica/Troll"}
    crm = oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", recurrence=far)
    assert ORO.snapshot(item(crm), CONTEXT).notes == (
        "Outlook does not know the time zone of this series: it is an hour off for a part of the year",
    )
    assert OUTLOOK.representable(get(ORO, crm), CONTEXT)["recurrence"] == {**WEEKLY, "zone": "UTC"}


# ------------------------------------------------------------------------------------------------ text


def test_a_title_oro_requires_and_outlook_does_not() -> None:
    assert get(OUTLOOK, {"subject": ""})["title"] is None
    assert ORO.representable({**EMPTY, "title": None}, CONTEXT)["title"] == NO_TITLE
    assert ORO.put({"title": None}, None, CONTEXT) == {"calendar": 3, "title": NO_TITLE}
    assert OUTLOOK.put({"title": None}, item({"subject": "x"}), CONTEXT) == {"subject": ""}
    assert ORO.put({"title": "t" * 256}, item({"title": "x"}), CONTEXT) == {"title": "t" * 255}


def test_a_new_event_stands_in_the_users_calendar() -> None:
    assert ORO.put({"title": "x"}, None, replace(CONTEXT, calendar_id="abc"))["calendar"] == "abc"
    assert "calendar" not in ORO.put({"title": "y"}, item({"title": "x"}), CONTEXT)


def test_oros_description_is_html_whatever_was_sent() -> None:
    body = {"title": "x", "description": "plain &amp; text\nsecond &lt; line"}
    assert get(ORO, body)["description"] == "plain & text\nsecond < line"
    assert ORO.put({"description": "plain & text\nsecond < line"}, item(body), CONTEXT) == {}
    assert ORO.put({"description": "a & b"}, item(body), CONTEXT) == {"description": "<p>a &amp; b</p>"}
    assert ORO.put({"description": None}, item(body), CONTEXT) == {"description": None}


@pytest.mark.parametrize("mark", [{"isOnlineMeeting": True}, {"onlineMeeting": {"joinUrl": "https://x"}}])
def test_the_text_of_an_online_meeting_is_never_written(mark: dict[str, Any]) -> None:
    body = {"subject": "x", "body": {"contentType": "html", "content": "<p>Join</p>"}, **mark}
    assert get(OUTLOOK, body)["description"] == "Join"
    assert OUTLOOK.put({"description": "Join us", "title": "y"}, item(body), CONTEXT) == {"subject": "y"}
    assert OUTLOOK.snapshot(item(body), CONTEXT).notes == ("the text of an online meeting is not written",)


# ------------------------------------------------------------------------------------------------ facts


def person(address: str | None) -> dict[str, Any]:
    return {"emailAddress": {"name": "x", "address": address}}


def test_facts_of_an_outlook_event() -> None:
    body = graph(
        "2026-12-07T08:00:00",
        "2026-12-07T09:00:00",
        iCalUId="040000008200E0",
        isOrganizer=False,
        organizer=person("Boss@x.com"),
        attendees=[person("boss@X.com"), person("me@x.com"), person(None)],
        lastModifiedDateTime="2026-11-21T08:16:57.1234567Z",
        categories=["VIP"],
        singleValueExtendedProperties=[{"id": STAMP_PROPERTY.lower(), "value": "42"}],
    )
    seen = OUTLOOK.snapshot(item(body), CONTEXT)
    assert (seen.uid, seen.stamp, seen.modified_at) == ("040000008200E0", "42", "2026-11-21T08:16:57Z")
    assert (seen.attendees, seen.organiser, seen.organiser_address) == (2, False, "boss@x.com")
    assert (seen.categories, seen.read_only, seen.private) == (("VIP",), False, False)


def test_an_event_without_people_has_no_organiser_to_name() -> None:
    seen = OUTLOOK.snapshot(
        item(graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", organizer=person("me@x.com"))), CONTEXT
    )
    assert (seen.attendees, seen.organiser, seen.organiser_address) == (0, True, None)
    assert OUTLOOK.snapshot(item({"isOrganizer": False}), CONTEXT).organiser_address is None


def test_of_a_private_event_colleagues_may_be_shown_that_one_is_busy_and_nothing_else() -> None:
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", sensitivity="private", subject="Doctor")
    seen = OUTLOOK.snapshot(item(body), replace(CONTEXT, private_items="busy_only")).record
    assert (seen["title"], seen["description"]) == (BUSY_TITLE, None)
    assert (seen["start"], seen["end"]) == ("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z")


@pytest.mark.parametrize(
    ("sensitivity", "private"), [("private", True), ("confidential", True), ("personal", False), ("normal", False)]
)
def test_nothing_is_read_of_a_private_event(sensitivity: str, *, private: bool) -> None:
    body = graph("2026-12-07T08:00:00", "2026-12-07T09:00:00", sensitivity=sensitivity, isOnlineMeeting=True)
    seen = OUTLOOK.snapshot(item(body), CONTEXT)
    assert seen.private is private
    assert (seen.record == EMPTY) is private
    assert (seen.notes == ()) is private
    assert OUTLOOK.snapshot(item(body), replace(CONTEXT, private_items="include")).record["title"] == "x"


def recorded(contracts: Path, name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((contracts / "orocrm-5.1" / f"{name}.json").read_text("utf-8"))["response"][
        "body"
    ]
    return body


def test_the_recorded_meeting_reads(contracts: Path) -> None:
    body = recorded(contracts, "calendarevents-get-with-attendees")
    seen = ORO.snapshot(item(body), CONTEXT)
    assert seen.record == {
        "title": "Planning",
        "start": "2026-12-02T09:00:00Z",
        "end": "2026-12-02T10:30:00Z",
        "all_day": False,
        "recurrence": None,
        "description": "Agenda & notes",
    }
    assert (seen.attendees, seen.organiser, seen.organiser_address) == (3, True, "admin@example.com")
    assert (seen.uid, seen.read_only) == ("795fae14-8a69-4e0c-b5a7-02f8dac2a2ef", False)
    assert seen.modified_at == "2026-11-21T08:16:57Z"


@pytest.mark.parametrize("change", [{"parentEventId": 2}, {"editable": False}])
def test_an_invitations_copy_in_oro_is_read_only(contracts: Path, change: dict[str, Any]) -> None:
    body = {**recorded(contracts, "calendarevents-get-with-attendees"), **change, "isOrganizer": False, "attendees": []}
    seen = ORO.snapshot(item(body), CONTEXT)
    assert (seen.read_only, seen.organiser, seen.organiser_address) == (True, False, "admin@example.com")


def test_an_oro_event_without_people_has_no_organiser_to_name() -> None:
    seen = ORO.snapshot(item(oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", organizerEmail="me@x.com")), CONTEXT)
    assert (seen.attendees, seen.organiser, seen.organiser_address, seen.owned) == (0, True, None, True)
    by_address = {"organizerEmail": "me@x.com", "attendees": [{"email": "ME@x.com"}, {"email": None}]}
    assert ORO.snapshot(item(oro("2026-12-07T08:00:00Z", "2026-12-07T09:00:00Z", **by_address)), CONTEXT).attendees == 1
