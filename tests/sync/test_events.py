"""Calendar events through whole runs: nobody is mailed, private stays private, and a meeting is one record."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.sync.pairs import Pair, bytes_sent, forget_everything, from_oro, from_outlook, nothing_moves, partner_of
from tests.sync.world import UPN, World, writes

from orosync.core.records import Entity, LinkState, Side
from orosync.store.database import Database

EVENT = Entity.EVENT
BEN = {"emailAddress": {"name": "Ben", "address": "ben@customer.example"}, "type": "required"}
MEETING = [{"email": "ben@customer.example", "displayName": "Ben", "type": "required"}]
SECRET = "Zwiebelkuchen"


def timed(day: str = "2026-12-01", hour: int = 10, zone: str = "UTC", days: int = 0) -> dict[str, Any]:
    """One hour for Outlook; with `days`, that much longer."""
    last = f"{day[:8]}{int(day[8:]) + days:02d}"
    return {
        "start": {"dateTime": f"{day}T{hour:02d}:00:00", "timeZone": zone},
        "end": {"dateTime": f"{last}T{hour + 1:02d}:00:00", "timeZone": zone},
    }


def whole_day(first: str, beyond: str, zone: str = "UTC") -> dict[str, Any]:
    """All-day for Outlook; `beyond` is the first day that is free again."""
    return {
        "isAllDay": True,
        "start": {"dateTime": f"{first}T00:00:00", "timeZone": zone},
        "end": {"dateTime": f"{beyond}T00:00:00", "timeZone": zone},
    }


def in_crm(day: str = "2026-12-01", hour: int = 10) -> dict[str, str]:
    """One hour for OroCRM."""
    return {"start": f"{day}T{hour:02d}:00:00Z", "end": f"{day}T{hour + 1:02d}:00:00Z"}


def at(pair: Pair) -> tuple[str, str]:
    """Start and end in Outlook, to the minute and in UTC."""
    row = pair.outlook
    return row["start"]["dateTime"][:16], row["end"]["dateTime"][:16]


def crm_at(pair: Pair) -> tuple[str, str]:
    return pair.oro["start"][:16], pair.oro["end"][:16]


def weekly(day: str, weekday: str, count: int = 5) -> dict[str, Any]:
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [weekday], "firstDayOfWeek": "monday"},
        "range": {"type": "numbered", "startDate": day, "numberOfOccurrences": count},
    }


def left(report: Any) -> dict[str, int]:
    return dict(report.entities[EVENT]["left"])


# ---------------------------------------------------------------- meetings


def test_a_meeting_made_in_outlook_arrives_in_oro_and_is_not_touched_any_more(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Review", attendees=[BEN], **timed())
    version = pair.outlook["changeKey"]
    assert (pair.oro["title"], pair.oro["attendees"]) == ("Review", [])
    assert pair.outlook["extended"] == {}  # not stamped: whether that mails is not established
    pair.in_oro(title="Review moved", **in_crm(hour=15))
    report = world.sync()
    assert left(report) == {"meeting_not_changed": 1}
    assert (pair.outlook["subject"], pair.outlook["changeKey"]) == ("Review", version)
    nothing_moves(world)
    world.office.delete("event", pair.number)
    world.settle()
    assert pair.outlook["changeKey"] == version


def test_a_change_the_organiser_makes_in_outlook_reaches_oro(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Review", attendees=[BEN], **timed())
    pair.in_outlook(subject="Big review", **timed(hour=14))
    world.sync()
    assert (pair.oro["title"], crm_at(pair)) == ("Big review", ("2026-12-01T14:00", "2026-12-01T15:00"))
    nothing_moves(world)


def test_an_event_becomes_a_meeting_and_is_left_alone_from_then_on(world: World) -> None:
    pair = from_oro(world, EVENT, title="Review", **in_crm())
    pair.in_outlook(attendees=[BEN])
    pair.in_oro(title="Other title")
    report = world.sync()
    assert left(report) == {"meeting_not_changed": 1}
    assert pair.outlook["subject"] == "Review"
    nothing_moves(world)


def test_oros_attendees_are_never_invited_by_outlook(world: World) -> None:
    pair = from_oro(world, EVENT, title="Review", attendees=MEETING, **in_crm())
    assert pair.outlook["attendees"] == []
    pair.in_oro(title="Review moved", **in_crm(hour=15))
    world.sync()
    assert (pair.outlook["subject"], pair.outlook["attendees"]) == ("Review moved", [])
    nothing_moves(world)


def test_where_the_policy_says_so_the_organisers_meeting_is_updated_and_the_mails_are_counted(
    database: Database,
) -> None:
    world = World(database, system={"meeting_updates": "organiser"}, mails_wanted=True)
    pair = from_outlook(world, EVENT, subject="Review", attendees=[BEN], **timed())
    assert world.mailbox.outbox == []
    pair.in_oro(title="Review moved")
    preview = world.sync(mode="preview")
    assert [op.mails for op in preview.ops if op.side is Side.OUTLOOK and op.writes] == [1]
    assert world.mailbox.outbox == []
    world.sync()
    assert pair.outlook["subject"] == "Review moved"
    assert [(mail.kind, mail.to) for mail in world.mailbox.outbox] == [("update", "ben@customer.example")]
    assert world.store.tally(EVENT, world.clock.now().replace(hour=0)).mails == 1
    nothing_moves(world)


def test_more_mails_than_the_guard_allows_are_held_before_the_first_one_leaves(database: Database) -> None:
    world = World(database, system={"meeting_updates": "organiser", "guard.mails": 1}, mails_wanted=True)
    cem = {"emailAddress": {"name": "Cem", "address": "cem@customer.example"}}
    pair = from_outlook(world, EVENT, subject="Review", attendees=[BEN, cem], **timed())
    pair.in_oro(title="Review moved")
    report = world.sync()
    assert report.state == "held"
    assert world.mailbox.outbox == []
    assert pair.outlook["subject"] == "Review"
    world.sync(approve=report.plan_hash)
    assert len(world.mailbox.outbox) == 2


def test_an_invitation_received_from_outside_arrives_and_is_never_written_in_outlook(world: World) -> None:
    native = world.mailbox.receive_invitation("boss@elsewhere.example", {"subject": "All hands", **timed()})
    world.settle()
    (event,) = world.in_oro(EVENT)
    pair = partner_of(world, EVENT, event["id"])
    before = world.mailbox.item("event", native)
    pair.in_oro(title="Mine", **in_crm(hour=15))
    assert left(world.sync()) == {"meeting_not_changed": 1}
    assert world.mailbox.item("event", native) == before
    world.office.delete("event", pair.number)
    world.settle()
    assert world.mailbox.item("event", native) == before
    assert world.in_oro(EVENT) == []


# ---------------------------------------------------------------- OroCRM's own invitations


def invited(world: World, **values: Any) -> int:
    """Bob invites the account's user in OroCRM; the id of the copy in the user's calendar."""
    guest = [{"email": "admin@example.com", "displayName": "Ada", "type": "required"}]
    bob = world.oro.back_office_as("bob")
    parent = bob.create("event", {"title": "Bob's talk", **in_crm(), "attendees": guest, **values})
    (copy,) = (row for row in world.in_oro(EVENT) if row["parentEventId"] == parent)
    return int(copy["id"])


def parent_of(pair: Pair) -> int:
    return int(pair.oro["parentEventId"])


def test_oros_copy_of_an_invitation_arrives_as_an_ordinary_event(world: World) -> None:
    pair = partner_of(world, EVENT, invited(world))
    assert (pair.outlook["subject"], at(pair)) == ("Bob's talk", ("2026-12-01T10:00", "2026-12-01T11:00"))
    assert pair.outlook["attendees"] == []
    nothing_moves(world)


def test_an_edit_of_it_in_outlook_is_not_sent_and_gives_way_when_oro_changes(world: World) -> None:
    pair = partner_of(world, EVENT, invited(world))
    pair.in_outlook(subject="My talk", **timed(hour=16))
    report = world.sync()
    assert (report.state, report.quarantined, left(report)) == ("done", 0, {"stays_in_outlook": 1})
    assert pair.oro["title"] == "Bob's talk"
    assert pair.outlook["subject"] == "My talk"
    nothing_moves(world)
    world.oro.back_office_as("bob").edit("event", parent_of(pair), {"title": "Bob's great talk"})
    world.sync()
    assert (pair.outlook["subject"], at(pair)) == ("Bob's great talk", ("2026-12-01T10:00", "2026-12-01T11:00"))
    nothing_moves(world)


def test_it_deleted_in_outlook_is_created_again_and_the_invitation_stands(world: World) -> None:
    pair = partner_of(world, EVENT, invited(world))
    world.mailbox.user_delete("event", pair.native)
    report = world.settle()
    assert report.quarantined == 0
    assert [row["subject"] for row in world.outlook(EVENT)] == ["Bob's talk"]
    assert pair.oro["title"] == "Bob's talk"
    nothing_moves(world)


def test_the_direction_to_oro_never_tries_to_write_it(database: Database) -> None:
    world = World(database, system={"sync_direction": "outlook_to_oro"})
    world.settle()
    number = invited(world)
    native = world.mailbox.user_create("event", {"subject": "Bob's talk", **timed()})
    report = world.settle()
    assert (report.state, report.quarantined) == ("done", 0)
    assert world.oro.event(number)["title"] == "Bob's talk"
    world.mailbox.user_update("event", native, {"subject": "Bob's other talk"})
    assert world.settle().quarantined == 0


def test_bob_takes_the_invitation_back_and_it_leaves_outlook(world: World) -> None:
    pair = partner_of(world, EVENT, invited(world))
    world.oro.back_office_as("bob").delete("event", parent_of(pair))
    world.settle()
    assert world.outlook(EVENT) == []


# ---------------------------------------------------------------- one meeting, several calendars


def test_the_same_meeting_on_both_sides_by_its_uid_is_one_record(world: World) -> None:
    first = from_outlook(world, EVENT, subject="Review", attendees=[BEN], **timed())
    uid = first.oro["uid"]
    forget_everything(world)
    first.in_oro(title="Renamed in OroCRM")
    first.in_outlook(subject="Renamed in Outlook")
    world.settle()
    assert (len(world.in_oro(EVENT)), len(world.outlook(EVENT))) == (1, 1)
    assert first.oro["uid"] == uid


def two_accounts(database: Database) -> tuple[World, World]:
    """Ada with OroCRM's user admin, Bob with bob, in one company."""
    ada = World(database, colleagues=frozenset({"bob@example.com"}))
    bob = World(
        database, beside=ada, upn="bob@example.com", oro_user="bob", colleagues=frozenset({UPN, "admin@example.com"})
    )
    return ada, bob


def test_a_colleagues_meeting_is_not_doubled(database: Database) -> None:
    ada, bob = two_accounts(database)
    guests = [{"emailAddress": {"name": "Bob", "address": "bob@example.com"}, "type": "required"}]
    native = ada.mailbox.user_create("event", {"subject": "Review", "attendees": guests, **timed()})
    uid = ada.mailbox.item("event", native)["iCalUId"]
    bob.mailbox.receive_invitation(UPN, {"subject": "Review", **timed()}, ical_uid=uid)
    for world in (ada, bob, ada, bob):
        world.sync()
    assert len(ada.in_oro(EVENT)) == 1
    assert (len(ada.outlook(EVENT)), len(bob.outlook(EVENT))) == (1, 1)
    nothing_moves(ada)
    nothing_moves(bob)


def test_two_accounts_on_one_oro_keep_their_own_calendars_apart(database: Database) -> None:
    ada, bob = two_accounts(database)
    ada.mailbox.user_create("event", {"subject": "Ada's", **timed()})
    bob.mailbox.user_create("event", {"subject": "Bob's", **timed()})
    for world in (ada, bob, ada, bob):
        world.sync()
    owners = {row["title"]: row["calendar"] for row in ada.in_oro(EVENT)}
    assert owners == {"Ada's": ada.oro.calendar_of("admin"), "Bob's": ada.oro.calendar_of("bob")}
    assert [row["subject"] for row in bob.outlook(EVENT)] == ["Bob's"]


# ---------------------------------------------------------------- private


def everything_kept(database: Database) -> bytes:
    """The database as one run of bytes, what was not checkpointed yet included."""
    path = str(database.engine.url.database)
    found = b""
    for name in (path, f"{path}-wal"):
        try:
            with open(name, "rb") as file:  # noqa: PTH123 - both may or may not be there
                found += file.read()
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
@pytest.mark.parametrize("choice", ["skip", "busy_only"])
def test_nothing_of_a_private_event_is_sent_logged_or_kept(
    database: Database, caplog: pytest.LogCaptureFixture, sensitivity: str, choice: str
) -> None:
    caplog.set_level(logging.DEBUG)
    world = World(database, system={"private_items": choice})
    text = {"content": f"with {SECRET}", "contentType": "text"}
    item = {"subject": f"Date with {SECRET}", "body": text, "sensitivity": sensitivity, **timed()}
    native = world.mailbox.user_create("event", item)
    from_oro(world, EVENT, title="Public", **in_crm(hour=15))
    world.mailbox.user_update("event", native, {"subject": f"{SECRET} again", "location": {"displayName": SECRET}})
    world.settle()
    world.sync(mode="preview")
    forget_everything(world)
    world.settle()
    assert not any(SECRET.encode() in body for body in bytes_sent(world))
    assert SECRET not in caplog.text
    assert SECRET.encode() not in everything_kept(database)
    assert world.mailbox.item("event", native)["subject"] == f"{SECRET} again"
    nothing_moves(world)


def test_busy_only_shows_when_and_nothing_else(database: Database) -> None:
    world = World(database, system={"private_items": "busy_only", "field_direction.event.description": "both"})
    text = {"content": SECRET, "contentType": "text"}
    pair = from_outlook(world, EVENT, subject=SECRET, body=text, sensitivity="private", **timed())
    assert (pair.oro["title"], pair.oro["description"]) == ("Private appointment", None)
    assert crm_at(pair) == ("2026-12-01T10:00", "2026-12-01T11:00")
    pair.in_outlook(**timed(hour=14))
    world.sync()
    assert crm_at(pair) == ("2026-12-01T14:00", "2026-12-01T15:00")
    pair.in_oro(title="What is it?", description="tell me", **in_crm(hour=16))
    world.settle()
    assert pair.outlook["subject"] == SECRET
    assert SECRET in pair.outlook["body"]["content"]
    assert at(pair) == ("2026-12-01T16:00", "2026-12-01T17:00")
    assert (pair.oro["title"], pair.oro["description"]) == ("Private appointment", None)
    nothing_moves(world)
    pair.in_outlook(sensitivity="normal")
    world.settle()
    assert pair.oro["title"] == SECRET


def test_busy_only_takes_the_title_back_from_oro_when_an_event_becomes_private(database: Database) -> None:
    world = World(database, system={"private_items": "busy_only"})
    pair = from_outlook(world, EVENT, subject="Doctor", **timed())
    assert pair.oro["title"] == "Doctor"
    pair.in_outlook(sensitivity="private")
    world.settle()
    assert pair.oro["title"] == "Private appointment"
    assert pair.outlook["subject"] == "Doctor"
    nothing_moves(world)


def test_private_events_are_synced_whole_where_the_administrator_chose_so(database: Database) -> None:
    world = World(database, system={"private_items": "include"})
    pair = from_outlook(world, EVENT, subject="Doctor", sensitivity="private", **timed())
    assert pair.oro["title"] == "Doctor"
    pair.in_oro(title="Dentist")
    world.sync()
    assert pair.outlook["subject"] == "Dentist"
    nothing_moves(world)


def test_a_linked_event_that_becomes_private_is_suspended_and_nothing_is_deleted(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Doctor", **timed())
    pair.in_outlook(subject=SECRET, sensitivity="private")
    world.settle()
    assert pair.link.state is LinkState.SUSPENDED
    pair.in_oro(title="Surgery")
    world.settle()
    assert (pair.oro["title"], pair.outlook["subject"]) == ("Surgery", SECRET)
    assert SECRET.encode() not in everything_kept(world.database)
    nothing_moves(world)
    pair.in_outlook(subject="Doctor", sensitivity="normal")
    world.settle()
    assert pair.link.state is LinkState.ACTIVE
    assert pair.outlook["subject"] == pair.oro["title"] == "Surgery"


def test_an_event_private_in_outlook_and_deleted_in_oro_stays(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Doctor", **timed())
    pair.in_outlook(sensitivity="private")
    world.settle()
    world.office.delete("event", pair.number)
    world.settle()
    assert pair.outlook["subject"] == "Doctor"


# ---------------------------------------------------------------- all-day, zones, daylight saving

ALL_ZONES = ["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland"]


@pytest.mark.parametrize("oro_zone", ["America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland"])
@pytest.mark.parametrize("zone", ALL_ZONES)
def test_an_all_day_event_is_the_same_day_on_both_sides(database: Database, zone: str, oro_zone: str) -> None:
    world = World(database, zone=zone)
    world.oro.user("admin").time_zone = oro_zone
    ours = from_oro(world, EVENT, title="Fair", allDay=True, start="2026-12-24", end="2026-12-26")
    theirs = from_outlook(world, EVENT, subject="Leave", **whole_day("2027-03-27", "2027-03-30", zone))
    stored = theirs.oro["start"], theirs.oro["end"]
    assert ours.outlook["isAllDay"]
    assert at(ours) == ("2026-12-24T00:00", "2026-12-27T00:00")
    nothing_moves(world)
    theirs.in_outlook(subject="Long leave")
    ours.in_oro(title="Big fair")
    world.sync()
    assert (theirs.oro["start"], theirs.oro["end"]) == stored
    assert at(ours) == ("2026-12-24T00:00", "2026-12-27T00:00")
    assert at(theirs) == ("2027-03-27T00:00", "2027-03-30T00:00")
    nothing_moves(world)


def test_oro_keeps_an_all_day_event_as_its_back_office_would(world: World) -> None:
    world.oro.user("admin").time_zone = "America/New_York"
    pair = from_outlook(world, EVENT, subject="Leave", **whole_day("2026-12-24", "2026-12-25", "Europe/Berlin"))
    assert crm_at(pair) == ("2026-12-24T05:00", "2026-12-25T04:59")


@pytest.mark.parametrize("to_all_day", [True, False])
def test_an_event_turned_into_an_all_day_event_and_back_follows(world: World, to_all_day: bool) -> None:
    pair = from_outlook(world, EVENT, subject="Leave", **timed("2026-12-24"))
    pair.in_outlook(**whole_day("2026-12-24", "2026-12-25"))
    world.sync()
    assert (pair.oro["allDay"], crm_at(pair)) == (True, ("2026-12-24T00:00", "2026-12-24T23:59"))
    if to_all_day:
        pair.in_outlook(isAllDay=False, **timed("2026-12-24", 12))
    else:
        pair.in_oro(allDay=False, **in_crm("2026-12-24", 12))
    world.sync()
    assert crm_at(pair) == at(pair) == ("2026-12-24T12:00", "2026-12-24T13:00")
    nothing_moves(world)


def test_events_of_several_days_keep_both_ends(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Trip", **timed("2026-12-10", 22, days=3))
    assert crm_at(pair) == ("2026-12-10T22:00", "2026-12-13T23:00")
    nothing_moves(world)


@pytest.mark.parametrize(("zone", "wall", "utc"), [
    ("Europe/Berlin", "2027-03-27T09:00:00", "2027-03-27T08:00"),
    ("Europe/Berlin", "2027-03-29T09:00:00", "2027-03-29T07:00"),
    ("America/New_York", "2027-03-13T09:00:00", "2027-03-13T14:00"),
    ("America/New_York", "2027-03-15T09:00:00", "2027-03-15T13:00"),
    ("Pacific/Auckland", "2027-04-03T09:00:00", "2027-04-02T20:00"),
    ("Pacific/Auckland", "2027-04-05T09:00:00", "2027-04-04T21:00"),
])  # fmt: skip
def test_a_timed_event_keeps_its_instant_around_a_clock_change(
    database: Database, zone: str, wall: str, utc: str
) -> None:
    world = World(database, zone=zone)
    times = {name: {"dateTime": wall, "timeZone": zone} for name in ("start", "end")}
    pair = from_outlook(world, EVENT, subject="Call", **times)
    assert crm_at(pair) == (utc, utc)
    pair.in_oro(title="Long call", end=f"{utc[:11]}23:30:00Z")
    world.sync()
    assert at(pair) == (utc, f"{utc[:11]}23:30")
    nothing_moves(world)


@pytest.mark.parametrize("utc", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"])
def test_both_hours_of_the_night_clocks_go_back_are_told_apart(database: Database, utc: str) -> None:
    world = World(database)
    world.clock.time = world.clock.time.replace(month=10, day=1)
    pair = from_oro(world, EVENT, title="Night", start=utc, end=utc)
    assert at(pair)[0] == utc[:16]
    nothing_moves(world)


# ---------------------------------------------------------------- the window


def test_events_outside_the_window_stay_alone_on_their_side(world: World) -> None:
    outside = ("2026-09-01", "2028-03-01")
    for day in outside:
        world.mailbox.user_create("event", {"subject": "Far", **timed(day)})
        world.office.create("event", {"title": "Far too", **in_crm(day)})
    inside = from_oro(world, EVENT, title="Near", **in_crm("2026-10-30"))
    assert inside.outlook["subject"] == "Near"
    assert sorted(row["title"] for row in world.in_oro(EVENT)) == ["Far too", "Far too", "Near"]
    assert sorted(row["subject"] for row in world.outlook(EVENT)) == ["Far", "Far", "Near"]
    nothing_moves(world)


@pytest.mark.parametrize("day", ["2026-09-01", "2028-03-01"])
def test_an_event_moved_out_of_the_window_in_outlook_is_not_deleted(world: World, day: str) -> None:
    pair = from_outlook(world, EVENT, subject="Review", **timed())
    pair.in_outlook(**timed(day))
    world.settle()
    assert len(world.in_oro(EVENT)) == len(world.outlook(EVENT)) == 1
    nothing_moves(world)
    pair.in_outlook(**timed("2026-12-03"))
    world.settle()
    assert crm_at(pair)[0] == "2026-12-03T10:00"
    assert len(world.in_oro(EVENT)) == len(world.outlook(EVENT)) == 1


@pytest.mark.parametrize("day", ["2026-09-01", "2028-03-01"])
def test_an_event_moved_out_of_the_window_in_oro_is_not_deleted(world: World, day: str) -> None:
    pair = from_oro(world, EVENT, title="Review", **in_crm())
    pair.in_oro(**in_crm(day))
    world.settle()
    assert len(world.in_oro(EVENT)) == len(world.outlook(EVENT)) == 1
    nothing_moves(world)


def test_an_event_that_grows_old_falls_out_of_the_window_and_stays_on_both_sides(world: World) -> None:
    pair = from_oro(world, EVENT, title="Review", **in_crm("2026-11-24"))
    for _ in range(8):
        world.clock.forward(days=7)
        world.sync()
    assert pair.outlook["subject"] == pair.oro["title"] == "Review"
    assert len(world.in_oro(EVENT)) == len(world.outlook(EVENT)) == 1
    nothing_moves(world)


def test_an_event_beyond_the_window_arrives_when_the_window_has_come_to_it(world: World) -> None:
    world.mailbox.user_create("event", {"subject": "Next year", **timed("2027-12-01")})
    world.office.create("event", {"title": "Next year too", **in_crm("2027-12-02")})
    world.settle()
    assert (len(world.in_oro(EVENT)), len(world.outlook(EVENT))) == (1, 1)
    for _ in range(3):
        world.clock.forward(days=7)
        world.settle()
    assert (len(world.in_oro(EVENT)), len(world.outlook(EVENT))) == (2, 2)
    nothing_moves(world)


def test_moving_the_window_on_changes_nothing(world: World) -> None:
    for hour in range(8, 12):
        from_oro(world, EVENT, title=f"At {hour}", **in_crm(hour=hour))
    for _ in range(2):
        world.clock.forward(days=8)
        assert writes(world.sync()) == 0
    nothing_moves(world)


# ---------------------------------------------------------------- series


def test_a_series_of_outlook_is_one_record_in_oro(world: World) -> None:
    pair = from_outlook(
        world, EVENT, subject="Weekly", recurrence=weekly("2026-12-01", "tuesday"), **timed(zone="Europe/Berlin")
    )
    (event,) = world.in_oro(EVENT)
    rule = event["recurrence"]
    assert (rule["recurrenceType"], rule["dayOfWeek"], rule["occurrences"]) == ("weekly", ["tuesday"], 5)
    assert rule["timezone"] == "Europe/Berlin"
    pair.in_outlook(subject="Weekly review")
    world.sync()
    assert pair.oro["title"] == "Weekly review"
    assert pair.oro["recurrence"]["occurrences"] == 5
    nothing_moves(world)


def oro_rule(**rule: Any) -> dict[str, Any]:
    plain = {"recurrenceType": "weekly", "interval": 1, "dayOfWeek": ["tuesday"], "occurrences": 5}
    return {**plain, "startTime": "2026-12-01T10:00:00Z", "timeZone": "Europe/Berlin", **rule}


def test_a_series_of_oro_is_one_record_in_outlook(world: World) -> None:
    pair = from_oro(world, EVENT, title="Weekly", recurrence=oro_rule(), **in_crm())
    (event,) = world.outlook(EVENT)
    assert event["type"] == "seriesMaster"
    assert event["recurrence"]["pattern"]["daysOfWeek"] == ["tuesday"]
    assert event["recurrence"]["range"]["numberOfOccurrences"] == 5
    pair.in_oro(title="Weekly review")
    world.sync()
    assert pair.outlook["subject"] == "Weekly review"
    assert pair.outlook["recurrence"]["range"]["numberOfOccurrences"] == 5
    nothing_moves(world)


@pytest.mark.parametrize("master_in_delta", [True, False])
def test_one_occurrence_edited_or_cancelled_in_outlook_neither_loses_nor_doubles_the_series(
    world: World, master_in_delta: bool
) -> None:
    world.graph.settings.series_master_in_delta = master_in_delta
    pair = from_outlook(
        world, EVENT, subject="Weekly", recurrence=weekly("2026-12-01", "tuesday"), **timed(zone="Europe/Berlin")
    )
    days = occurrences(pair)
    world.mailbox.user_update("event", days[1], {"subject": "Special"})
    world.settle()
    world.mailbox.user_delete("event", days[2])
    world.settle()
    assert len(world.in_oro(EVENT)) == len(world.outlook(EVENT)) == 1
    pair.in_oro(title="Weekly review")
    world.sync()
    assert (pair.outlook["subject"], pair.oro["title"]) == ("Weekly review", "Weekly review")
    subjects = [world.mailbox.item("event", days[each])["subject"] for each in (0, 1, 3)]
    assert subjects == ["Weekly review", "Special", "Weekly review"]
    assert len(occurrences(pair)) == 4
    nothing_moves(world)


def occurrences(pair: Pair) -> list[str]:
    """Ids of the series' days, as Graph lists them."""
    store = pair.world.mailbox.store
    item, _ = store.find("event", pair.native)
    from orosync.sandbox.graph import events

    first, last = pair.world.clock.now(), pair.world.clock.now().replace(year=2027)
    return [store.id_of(item, True, day.day) for day in events.within(item, first, last) if day is not None]


def test_exceptions_in_oro_neither_lose_nor_double_the_series(world: World) -> None:
    pair = from_oro(world, EVENT, title="Weekly", recurrence=oro_rule(), **in_crm())
    one = {"title": "Special", "recurringEventId": pair.number, **in_crm("2026-12-08", 12)}
    world.office.create("event", {**one, "originalStart": "2026-12-08T10:00:00Z"})
    world.settle()
    off = {**one, "isCancelled": True, "originalStart": "2026-12-15T10:00:00Z", **in_crm("2026-12-15")}
    world.office.create("event", off)
    world.settle()
    assert len(world.outlook(EVENT)) == 1
    pair.in_outlook(subject="Weekly review")
    world.sync()
    assert pair.oro["title"] == "Weekly review"
    assert len(world.in_oro(EVENT)) == 3
    nothing_moves(world)


def test_a_cancelled_single_event_of_oro_is_not_brought_to_outlook(world: World) -> None:
    world.office.create("event", {"title": "Off", "isCancelled": True, **in_crm()})
    world.settle()
    assert world.outlook(EVENT) == []


def test_a_series_ended_earlier_or_made_single_follows(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Weekly", recurrence=weekly("2026-12-01", "tuesday"), **timed())
    pair.in_outlook(recurrence=weekly("2026-12-01", "tuesday", 3))
    world.sync()
    assert pair.oro["recurrence"]["occurrences"] == 3
    pair.in_outlook(recurrence=None)
    world.sync()
    assert "recurrence" not in pair.oro
    assert len(world.in_oro(EVENT)) == 1
    nothing_moves(world)


def test_a_series_deleted_in_oro_leaves_outlook_whole(world: World) -> None:
    pair = from_outlook(world, EVENT, subject="Weekly", recurrence=weekly("2026-12-01", "tuesday"), **timed())
    world.sync()
    world.office.delete("event", pair.number)
    world.settle()
    assert world.outlook(EVENT) == []


def test_an_endless_series_that_began_long_ago_is_in_scope(world: World) -> None:
    endless = {**weekly("2024-01-02", "tuesday"), "range": {"type": "noEnd", "startDate": "2024-01-02"}}
    pair = from_outlook(world, EVENT, subject="Weekly", recurrence=endless, **timed("2024-01-02"))
    assert pair.oro["recurrence"]["recurrenceType"] == "weekly"
    nothing_moves(world)


# ---------------------------------------------------------------- calendars


def test_no_event_is_ever_created_in_no_calendar(world: World) -> None:
    for hour in range(8, 12):
        world.mailbox.user_create("event", {"subject": f"At {hour}", **timed(hour=hour)})
    world.settle()
    assert world.oro.orphan_events() == []
    assert {row["calendar"] for row in world.in_oro(EVENT)} == {world.oro.calendar_of("admin")}


def test_events_of_other_calendars_are_nobodys_business(world: World) -> None:
    world.mailbox.add_calendar("Family")
    world.mailbox.user_create("event", {"subject": "Birthday", **timed()}, "Family")
    world.oro.back_office_as("bob").create("event", {"title": "Bob's", **in_crm()})
    world.settle()
    assert [row["title"] for row in world.in_oro(EVENT)] == ["Bob's"]
    assert [row["subject"] for row in world.outlook(EVENT)] == ["Birthday"]


def test_an_event_given_to_a_colleagues_calendar_in_oro_is_out_of_scope_and_comes_back(world: World) -> None:
    pair = from_oro(world, EVENT, title="Review", **in_crm())
    world.office.change_owner("event", pair.number, world.users["bob"])
    world.settle()
    assert pair.link.state is LinkState.SUSPENDED
    assert pair.outlook["subject"] == "Review"
    pair.in_outlook(subject="Mine")
    world.settle()
    assert pair.oro["title"] == "Review"
    world.office.change_owner("event", pair.number, world.users["admin"])
    world.settle()
    assert pair.oro["title"] == pair.outlook["subject"] == "Mine"
    nothing_moves(world)


def test_an_untitled_event_gets_a_title_in_oro_that_does_not_travel_back(world: World) -> None:
    pair = from_outlook(world, EVENT, **timed())
    assert pair.oro["title"] == "(no title)"
    nothing_moves(world)
    pair.in_oro(**in_crm(hour=15))
    world.sync()
    assert (pair.outlook["subject"], at(pair)[0]) == ("", "2026-12-01T15:00")
    nothing_moves(world)


def test_the_text_of_an_online_meeting_is_never_written(database: Database) -> None:
    world = World(database, system={"field_direction.event.description": "both"})
    block = {"content": "<p>Join here</p>", "contentType": "html"}
    pair = from_outlook(world, EVENT, subject="Call", body=block, isOnlineMeeting=True, **timed())
    body = pair.outlook["body"]
    pair.in_oro(description="<p>Agenda</p>", title="Call moved")
    world.settle()
    assert pair.outlook["body"] == body
    assert pair.outlook["subject"] == "Call moved"
    nothing_moves(world)
