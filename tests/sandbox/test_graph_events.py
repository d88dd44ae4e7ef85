"""Calendar events of the simulated Graph, and the mails they send (graph-api.md 3)."""

from typing import Any

import pytest
from tests.sandbox.graph_caller import IMMUTABLE, UPN, Caller, new_caller, timed, weekly

GUESTS = [{"emailAddress": {"address": "bo@example.com"}, "type": "required"}]
NINE = ("2026-11-23T09:00:00", "2026-11-23T10:00:00")


@pytest.fixture
def caller() -> Caller:
    return new_caller()


def mails(caller: Caller) -> list[tuple[str, str]]:
    sent = [(mail.kind, mail.to) for mail in caller.mailbox.outbox]
    caller.mailbox.outbox.clear()
    return sent


@pytest.mark.parametrize(
    ("zone", "prefer", "shown"),
    [
        ("UTC", None, ("2026-11-23T09:00:00.0000000", "UTC")),
        ("Europe/Berlin", None, ("2026-11-23T08:00:00.0000000", "UTC")),
        ("W. Europe Standard Time", "Tokyo Standard Time", ("2026-11-23T17:00:00.0000000", "Tokyo Standard Time")),
    ],
)
def test_times_come_in_utc_unless_a_zone_is_preferred(
    caller: Caller, zone: str, prefer: str | None, shown: tuple[str, str]
) -> None:
    headers = {"Prefer": f'outlook.timezone="{prefer}"'} if prefer else {}
    made = caller.post("/me/events", timed(*NINE, zone), headers=headers)
    assert (made["start"]["dateTime"], made["start"]["timeZone"]) == shown
    assert made["originalStartTimeZone"] == zone


@pytest.mark.parametrize("zone", ["Europe/Zurich", "CET", "Nowhere"])
def test_zones_outside_the_documented_list_are_refused(caller: Caller, zone: str) -> None:
    assert caller.post("/me/events", timed(*NINE, zone), 400) == "TimeZoneNotSupportedException"
    headers = {"Prefer": f'outlook.timezone="{zone}"'}
    assert caller.get("/me/events", 400, headers=headers) == "TimeZoneNotSupportedException"


@pytest.mark.parametrize(
    ("start", "end", "end_zone"),
    [
        ("2026-11-23T00:00:00", "2026-11-23T00:00:00", "UTC"),
        ("2026-11-23T00:00:00", "2026-11-23T23:59:00", "UTC"),
        ("2026-11-23T01:00:00", "2026-11-24T01:00:00", "UTC"),
        ("2026-11-23T00:00:00", "2026-11-24T00:00:00", "Tokyo Standard Time"),
    ],
)
def test_an_all_day_event_is_whole_days_in_one_zone(caller: Caller, start: str, end: str, end_zone: str) -> None:
    body = timed(start, end, isAllDay=True)
    body["end"]["timeZone"] = end_zone
    assert caller.post("/me/events", body, 400) == "ErrorPropertyValidationFailure"


def test_an_all_day_event_keeps_its_date_in_every_zone(caller: Caller) -> None:
    body = timed("2026-11-23T00:00:00", "2026-11-25T00:00:00", "Tokyo Standard Time", isAllDay=True)
    made = caller.post("/me/events", body)
    assert made["start"] == {"dateTime": "2026-11-23T00:00:00.0000000", "timeZone": "UTC"}
    path = f"/me/events/{made['id']}"
    assert caller.patch(path, {"isAllDay": False}, 400) == "ErrorPropertyValidationFailure"
    assert caller.patch(path, {**timed(*NINE), "isAllDay": False})["isAllDay"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "x"},
        timed(NINE[1], NINE[0]),
        timed(*NINE, sensitivity="secret"),
        timed(*NINE, title="x"),
        timed(*NINE, recurrence={"pattern": {"type": "sometimes", "interval": 1}, "range": {"type": "noEnd"}}),
        {**weekly("2026-11-23"), "start": {"dateTime": "2026-11-22T09:00:00", "timeZone": "UTC"}},
    ],
)
def test_events_graph_does_not_take_are_refused(caller: Caller, body: dict[str, Any]) -> None:
    caller.post("/me/events", body, 400)
    assert caller.mailbox.items("event") == []


def test_a_transaction_id_creates_once_and_the_refusal_names_the_event(caller: Caller) -> None:
    body = timed(*NINE, transactionId="oro-1")
    made = caller.post("/me/events", body, headers=IMMUTABLE)
    reply = caller.session.post("https://graph.microsoft.com/v1.0/me/events", json=body, headers=IMMUTABLE)
    assert reply.status_code == 409
    assert reply.json()["error"]["code"] == "ErrorDuplicateTransactionId"
    assert reply.json()["error"]["@event.existingEventId"] == made["id"]
    assert len(caller.mailbox.items("event")) == 1


def test_a_body_comes_as_a_whole_html_page_unless_text_is_preferred(caller: Caller) -> None:
    text = {"Prefer": 'outlook.body-content-type="text"'}
    made = caller.post("/me/events", timed(*NINE, body={"contentType": "text", "content": "a < b\nc"}))
    assert made["body"]["contentType"] == "html"
    assert "a &lt; b<br>" in made["body"]["content"]
    assert caller.get(f"/me/events/{made['id']}", headers=text)["body"]["content"] == "a < b\r\nc"
    page = caller.patch(
        f"/me/events/{made['id']}", {"body": {"contentType": "html", "content": "<p>Hi <b>you</b></p>"}}
    )
    assert page["body"]["content"].startswith("<html>")
    assert caller.get(f"/me/events/{made['id']}", headers=text)["body"]["content"] == "Hi you"
    assert page["bodyPreview"] == "Hi you"


def test_a_series_follows_the_local_clock_and_each_day_has_its_own_uid(caller: Caller) -> None:
    made = caller.post("/me/events", weekly("2027-03-22"))
    window = {"startDateTime": "2027-03-01T00:00:00Z", "endDateTime": "2027-04-10T00:00:00Z"}
    days = caller.get(f"/me/events/{made['id']}/instances", params=window)["value"]
    assert [day["start"]["dateTime"][:16] for day in days] == [
        "2027-03-22T08:00",
        "2027-03-29T07:00",
        "2027-04-05T07:00",
    ]
    assert len({made["iCalUId"], *(day["iCalUId"] for day in days)}) == 4
    assert {day["type"] for day in days} == {"occurrence"}
    one = f"/me/events/{days[1]['id']}"
    assert caller.patch(one, {"subject": "Other"})["type"] == "exception"
    over = timed("2027-04-05T07:00:00", "2027-04-05T08:00:00")
    assert caller.patch(one, over, 400) == "ErrorOccurrenceCrossingBoundary"
    moved = caller.patch(one, timed("2027-03-30T07:00:00", "2027-03-30T08:00:00", subject="Other"))
    assert moved["start"]["dateTime"] == "2027-03-30T07:00:00.0000000"
    caller.delete(one)
    assert len(caller.get(f"/me/events/{made['id']}/instances", params=window)["value"]) == 2
    assert [row["type"] for row in caller.get("/me/events")["value"]] == ["seriesMaster"]


def test_calls_of_the_organiser_mail_the_guests(caller: Caller) -> None:
    made = caller.post("/me/events", timed(*NINE, attendees=GUESTS))
    path = f"/me/events/{made['id']}"
    assert mails(caller) == [("invitation", "bo@example.com")]
    caller.patch(path, {"categories": ["x"]})
    caller.patch(path, {"reminderMinutesBeforeStart": 5})
    assert mails(caller) == []
    caller.patch(path, {"subject": "New"})
    assert mails(caller) == [("update", "bo@example.com")]
    caller.patch(path, {"attendees": [*GUESTS, {"emailAddress": {"address": "cy@example.com"}}]})
    assert mails(caller) == [("invitation", "cy@example.com")]
    caller.delete(path)
    assert mails(caller) == [("cancellation", "bo@example.com"), ("cancellation", "cy@example.com")]


def test_events_without_guests_and_edits_by_hand_mail_nobody(caller: Caller) -> None:
    made = caller.post("/me/events", timed(*NINE))
    caller.patch(f"/me/events/{made['id']}", {"subject": "x"})
    caller.delete(f"/me/events/{made['id']}")
    by_hand = caller.mailbox.user_create("event", timed(*NINE, attendees=GUESTS))
    caller.mailbox.user_delete("event", by_hand)
    assert mails(caller) == []


def test_a_meeting_somebody_else_organises_goes_without_a_mail_and_cannot_be_cancelled(caller: Caller) -> None:
    known = caller.mailbox.receive_invitation("boss@example.com", timed(*NINE), ical_uid="UID-1")
    row = caller.get(f"/me/events/{known}")
    assert (row["isOrganizer"], row["iCalUId"]) == (False, "UID-1")
    assert row["organizer"]["emailAddress"]["address"] == "boss@example.com"
    assert row["attendees"][0]["emailAddress"]["address"] == UPN
    caller.post(f"/me/events/{known}/cancel", {}, 400)
    caller.patch(f"/me/events/{known}", {"subject": "mine"})
    caller.delete(f"/me/events/{known}")
    assert mails(caller) == []
    other = caller.mailbox.receive_invitation("boss@example.com", timed(*NINE))
    caller.post(f"/me/events/{other}/decline", {"sendResponse": True}, 202)
    assert mails(caller) == [("response", "boss@example.com")]


def test_other_calendars_hold_their_own_events(caller: Caller) -> None:
    other = caller.post("/me/calendars", {"name": "Oro"})["id"]
    caller.post(f"/me/calendars/{other}/events", timed(*NINE))
    assert caller.get("/me/events")["value"] == []
    assert len(caller.get(f"/me/calendars/{other}/events")["value"]) == 1
    assert [row["isDefaultCalendar"] for row in caller.get("/me/calendars")["value"]] == [True, False]


def test_the_mailbox_names_its_zone_as_windows_does(caller: Caller) -> None:
    assert caller.get("/me/mailboxSettings")["timeZone"] == "W. Europe Standard Time"
    assert caller.get("/me")["userPrincipalName"] == UPN
