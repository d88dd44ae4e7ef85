"""What was observed of OroCRM 5.1 over many requests, tried on the simulated one case by case."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.contract.oro_replay import World

JSON_API = "application/vnd.api+json"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def recorded(contracts: Path) -> Any:
    def read(name: str) -> dict[str, Any]:
        return json.loads((contracts / "orocrm-5.1" / f"{name}.json").read_text(encoding="utf-8"))

    return read


def call(world: World, method: str, path: str, body: Any = None, user: str = "admin", **headers: str) -> Any:
    media = "application/json" if "/rest/" in path else JSON_API
    sent = {"Accept": media, "Content-Type": media, "X-WSSE": world.wsse(user)} | headers
    return world.ask(method, path, sent, "" if body is None else json.dumps(body))


def document(kind: str, attributes: dict[str, Any], relations: dict[str, Any] | None = None) -> dict[str, Any]:
    data: dict[str, Any] = {"type": kind, "attributes": attributes}
    if relations:
        data["relationships"] = relations
    return {"data": data}


def task(**attributes: Any) -> dict[str, Any]:
    relations = {
        "taskPriority": {"data": {"type": "taskpriorities", "id": "normal"}},
        "status": {"data": {"type": "taskstatuses", "id": "open"}},
    }
    return document("tasks", attributes, relations)


def said(answer: Any) -> str:
    if answer.status_code < 300:
        return str(answer.status_code)
    body = answer.json
    first = body["errors"][0] if isinstance(body, dict) and "errors" in body and "code" not in body else {}
    return f"{answer.status_code} {first.get('detail') or first.get('title', '')}".strip()


def address(**attributes: Any) -> dict[str, Any]:
    relations = {
        "owner": {"data": {"type": "contacts", "id": "1"}},
        "country": {"data": {"type": "countries", "id": "MC"}},
    }
    return document("contactaddresses", attributes, relations)


def value_of(field: str, length: int) -> str:
    return "a@" + "b" * (length - 6) + ".com" if field == "primaryEmail" else "x" * length


def test_over_long_values_are_stored_or_refused_as_observed(world, recorded):
    world.oro.back_office.create("contact", {"firstName": "A"})
    found = {}
    for case, expected in recorded("over-long-values")["results"].items():
        kind, rest = case.split(".", 1)
        field, *_, length = re.fullmatch(r"(\w+)( displayName)? (\d+) characters", rest).groups()
        text = value_of(field, int(length))
        if kind == "contacts":
            answer = call(world, "POST", "/api/contacts", document(kind, {"lastName": "L", field: text}))
        elif kind == "contactaddresses":
            answer = call(world, "POST", "/api/contactaddresses", address(**{field: text}))
        elif kind == "tasks":
            answer = call(world, "POST", "/api/tasks", task(subject="x", **{field: text}))
        else:
            times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
            extra = {"attendees": [{"displayName": text}]} if field == "attendee" else {field: text}
            body = {"calendar": 1, "title": "x", **times, **extra}
            answer = call(world, "POST", "/api/rest/latest/calendarevents", body)
        if said(answer) != expected.replace("201 stored", "201"):
            found[case] = (said(answer), expected)
    assert found == {}


def test_time_filters_take_the_forms_that_were_observed(world, recorded):
    """129 contacts before the newest second and ten in it, the first of them a day's hours earlier."""
    office = world.oro.back_office
    world.wait(3)  # 08:07:06
    for _ in range(9):
        office.create("contact", {"firstName": "A"})
    world.wait(4 * 60 + 24)  # 08:11:30
    for number in range(120):
        if number % 15 == 0:
            world.wait()
        office.create("contact", {"firstName": "B"})
    world.wait()  # 08:11:39
    for _ in range(10):
        office.create("contact", {"firstName": "C"})
    found = {}
    for case, expected in recorded("contacts-filter-updatedAt-forms")["results"].items():
        if not case.startswith("filter"):
            continue  # two bounds: see the test of two operators
        query = unquote(case.partition(" (")[0]).replace("+", "%2B")
        answer = call(world, "GET", f"/api/contacts?{query}&page[size]=1", **{"X-Include": "totalCount"})
        got = answer.headers.get("X-Include-Total-Count") or answer.text
        if answer.status_code != expected["status"] or json.loads(got) != json.loads(expected["totalCountOrError"]):
            found[case] = (answer.status_code, got)
    assert found == {}


def total(world: World, query: str) -> int:
    answer = call(world, "GET", f"/api/contacts?{query}", **{"X-Include": "totalCount"})
    return int(answer.headers["X-Include-Total-Count"])


def test_of_two_operators_on_one_field_only_lt_counts_in_either_order(world):
    for _ in range(20):
        world.oro.back_office.create("contact", {"firstName": "A"})
    assert total(world, "filter[id][gt]=10&filter[id][lt]=15") == 14
    assert total(world, "filter[id][lt]=15&filter[id][gt]=10") == 14
    assert total(world, "filter[id]=11..14") == 4
    assert total(world, "filter[id]>10") == 10
    assert total(world, "filter[id]>=10") == 11
    world.oro.settings.two_operators_count = True
    assert total(world, "filter[id][gt]=10&filter[id][lt]=15") == 4


def test_event_times_are_read_as_observed_whatever_their_offset(world, recorded):
    found = {}
    for sent, expected in recorded("calendarevents-start-forms")["results"].items():
        body = {"calendar": 1, "title": "x", "start": sent, "end": "2026-12-05T23:00:00Z"}
        answer = call(world, "POST", "/api/rest/latest/calendarevents", body)
        got = world.oro.event(answer.json["id"])["start"] if answer.status_code == 201 else answer.status_code
        if got != (expected["status"] if isinstance(expected, dict) else expected):
            found[sent] = got
    assert found == {}


def test_text_comes_back_as_observed(world, recorded):
    page = recorded("text-round-trip")
    results, html = page["results"], page["sentHtml"]
    plain = "plain & text\nsecond < line"
    office = world.oro.back_office

    def event(**values: Any) -> dict[str, Any]:
        times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
        return world.oro.event(office.create("event", {"title": "x", **times, **values}))

    def contact(**values: Any) -> dict[str, Any]:
        return world.oro.contact(office.create("contact", {"firstName": "x", **values}))

    got = {
        "contacts.description": contact(description=html)["description"],
        "tasks.description": world.oro.task(office.create("task", {"subject": "x", "description": html}))[
            "description"
        ],
        "calendarevents.description": event(description=html)["description"],
        "contacts.firstName": contact(firstName="<b>x</b> & y")["firstName"],
        "contacts.description plain": contact(description=plain)["description"],
        "tasks.description plain": world.oro.task(office.create("task", {"subject": "x", "description": plain}))[
            "description"
        ],
        "calendarevents.description plain": event(description=plain)["description"],
        "calendarevents.title padded": event(title="  padded ")["title"],
        "contacts.firstName padded": contact(firstName="  padded ")["firstName"],
        "contacts.lastName empty string": contact(lastName="")["lastName"],
        "contacts unicode firstName": contact(firstName="Zoë 😀 李")["firstName"],
        "contacts.primaryEmail case": contact(primaryEmail="MiXed.Case@Example.COM")["primaryEmail"],
        "contacts.primaryPhone spaces": contact(primaryPhone="+49 (0)30 123")["primaryPhone"],
    }
    assert got == results


def test_due_dates_and_event_times_ignore_the_time_zone_setting(world, recorded):
    world.users["admin"].time_zone = "America/New_York"
    for case, expected in recorded("timezone-setting-effect")["results"].items():
        if case.startswith("JSON:API"):
            sent = case.rpartition(" ")[2]
            answer = call(world, "POST", "/api/tasks", task(subject="x", dueDate=sent))
            got = answer.json["data"]["attributes"]["dueDate"] if answer.status_code == 201 else said(answer)
        elif case.startswith("POST"):
            sent = case.rpartition(" ")[2]
            body = {"calendar": 1, "title": "x", "start": sent, "end": "2026-12-05T23:00:00Z"}
            number = call(world, "POST", "/api/rest/latest/calendarevents", body).json["id"]
            got = f"GET start {world.oro.event(number)['start']}"
        else:
            continue
        assert got == expected, case


def test_collections_allow_the_methods_that_were_observed(world, recorded):
    allowed = recorded("options-allow-of-collections")["allow"]
    for name in ("contacts", "contactaddresses", "tasks", "users"):
        assert call(world, "OPTIONS", f"/api/{name}").headers["Allow"] == allowed[name]


def test_walking_pages_of_events_repeats_some_and_loses_others(world):
    for number in range(54):
        times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
        world.oro.back_office.create("event", {"title": f"event {number}", **times})

    def ids(limit: int) -> Iterator[int]:
        for page in range(1, 54 // limit + 2):
            path = f"/api/rest/latest/calendarevents?calendar=1&page={page}&limit={limit}"
            yield from (row["id"] for row in call(world, "GET", path).json)

    assert sorted(ids(100)) == list(range(1, 55))
    walked = list(ids(10))
    assert len(walked) == 54
    assert len(set(walked)) < 54


def test_an_all_day_event_of_a_new_yorker_ends_at_2359_local_time(world, recorded):
    page = recorded("calendarevents-all-day-from-back-office")
    world.users["bob"].time_zone = "America/New_York"
    office = world.oro.back_office_as("bob")
    number = office.create("event", {"title": "x", "allDay": True, "start": "2026-12-24", "end": "2026-12-24"})
    event = world.oro.event(number)
    assert {name: event[name] for name in page["readFromApi"]} == page["readFromApi"]


# what moves updatedAt

MAIL = {"emails": [{"email": "a@example.com"}, {"email": "b@example.com"}]}
CONTACT_CHANGES = {
    "firstName through PATCH contact": {"attributes": {"firstName": "New"}},
    "PATCH contact with the same value": {"attributes": {"firstName": "Grace"}},
    "emails list replaced through PATCH contact": {"attributes": {"emails": [{"email": "a@example.com"}]}},
    "emails list with new primary": {"attributes": MAIL | {"primaryEmail": "b@example.com"}},
    "only primaryEmail changed to one in the list": {"attributes": {"primaryEmail": "c@example.com"}},
    "only primaryEmail changed to one not in the list": {"attributes": {"primaryEmail": "new@example.com"}},
    "emails emptied": {"attributes": {"emails": []}},
    "emails emptied and primaryEmail null": {"attributes": {"emails": [], "primaryEmail": None}},
    "phones list replaced": {"attributes": {"phones": [{"phone": "1"}], "primaryPhone": "1"}},
    "unset attribute with null": {"attributes": {"jobTitle": None}},
    "description only": {"attributes": {"description": "other"}},
    "contact group relation changed": {"relationships": {"groups": {"data": [{"type": "contactgroups", "id": "1"}]}}},
    "owner changed": {"relationships": {"owner": {"data": {"type": "users", "id": "2"}}}},
}
FORM_CHANGES = {
    "back-office form saved without any change": {"firstName": "Grace"},
    "back-office form: only an e-mail address changed": {"emails": ["a@example.com", "changed@example.com"]},
    "back-office form: only a phone number changed": {"phones": ["99"]},
    "back-office form: a phone number added": {"phones": ["12", "13"]},
    "back-office form: an address added": {"addresses": [{"street": "s", "country": "MC"}]},
    "back-office form: job title changed": {"jobTitle": "Other"},
}
ADDRESS_CHANGES = (
    "address changed through PATCH contactaddresses",
    "address created through POST contactaddresses",
    "address deleted through DELETE contactaddresses",
    "address types changed through relationships",
)


@pytest.fixture
def grace(world) -> int:
    values = {"firstName": "Grace", "jobTitle": "x", "emails": ["a@example.com", "c@example.com"], "phones": ["12"]}
    return world.oro.back_office.create("contact", values | {"addresses": [{"street": "s", "country": "MC"}]})


def test_the_same_changes_move_updated_at_of_a_contact_as_observed(world, grace, recorded):
    observed = {
        row["change"]: row["contactUpdatedAtChanged"]
        for row in recorded("contacts-updatedAt-what-changes-it")["observations"]
    }
    path = f"/api/contacts/{grace}"
    fresh = world.oro.state.contacts.get(grace)
    found = {}
    for change, data in CONTACT_CHANGES.items():
        values = {"firstName": "Grace", "jobTitle": "x", "emails": ["a@example.com", "c@example.com"]}
        world.oro.back_office.edit("contact", grace, values | {"phones": ["12"], "groups": [], "owner": 1})
        before = fresh.updated_at
        answer = call(world, "PATCH", path, {"data": {"type": "contacts", "id": str(grace), **data}})
        assert answer.status_code == 200, (change, answer.text)
        found[change] = fresh.updated_at > before
    for change, values in FORM_CHANGES.items():
        world.oro.back_office.edit("contact", grace, {"firstName": "Grace"})
        before = fresh.updated_at
        world.wait(2)
        world.oro.back_office.edit("contact", grace, values)
        found[change] = fresh.updated_at > before
    assert found == {change: observed[change] for change in found}


def test_addresses_written_by_themselves_never_move_updated_at_of_the_contact(world, grace, recorded):
    before = world.oro.contact(grace)["updatedAt"]
    patch = {"data": {"type": "contactaddresses", "id": "1", "attributes": {"street": "2"}}}
    assert call(world, "PATCH", "/api/contactaddresses/1", patch).status_code == 200
    assert call(world, "POST", "/api/contactaddresses", address(street="t")).status_code == 201
    types = {"data": [{"type": "addresstypes", "id": "billing"}]}
    assert call(world, "PATCH", "/api/contactaddresses/2/relationships/types", types).status_code == 204
    assert call(world, "DELETE", "/api/contactaddresses/2").status_code == 204
    assert world.oro.contact(grace)["updatedAt"] == before
    observed = {
        row["change"]: row["contactUpdatedAtChanged"]
        for row in recorded("contacts-updatedAt-what-changes-it")["observations"]
    }
    assert not any(observed[change] for change in ADDRESS_CHANGES)


WEEKLY = {"recurrenceType": "weekly", "interval": 1, "dayOfWeek": ["monday"], "occurrences": 6, "timeZone": "UTC"}
WEEKLY["startTime"] = "2026-12-07T09:00:00Z"
BOB = {"displayName": "Bob", "email": "bob@example.com", "type": "required"}
EVENT_CHANGES = {
    "title": {"title": "t"},
    "same title again": {"title": "t"},
    "reminders only": {"reminders": [{"method": "email", "interval": {"number": 5, "unit": "M"}}]},
    "recurrence only (interval)": {"recurrence": WEEKLY | {"interval": 2}},
    "attendee added": {"attendees": [BOB]},
    "attendee status only": {"attendees": [BOB | {"status": "accepted"}]},
    "attendee removed": {"attendees": []},
    "backgroundColor": {"backgroundColor": "#AABBCC"},
}


def test_the_same_changes_move_updated_at_of_an_event_as_observed(world, recorded):
    observed = {
        row["change"]: row["eventUpdatedAtChanged"]
        for row in recorded("calendarevents-updatedAt-what-changes-it")["observations"]
    }
    times = {"start": "2026-12-07T09:00:00Z", "end": "2026-12-07T10:00:00Z"}
    number = world.oro.back_office.create("event", {"title": "x", **times, "recurrence": WEEKLY})
    event = world.oro.state.events.get(number)
    found = {}
    for change, body in EVENT_CHANGES.items():
        before = event.updated_at
        assert call(world, "PUT", f"/api/rest/latest/calendarevents/{number}", body).status_code == 200
        found[change] = event.updated_at > before
    before = event.updated_at
    exception = {"calendar": 1, "title": "x", **times, "recurringEventId": number}
    exception["originalStart"] = "2026-12-21T09:00:00Z"
    assert call(world, "POST", "/api/rest/latest/calendarevents", exception).status_code == 201
    found["exception created for the series"] = event.updated_at > before
    world.oro.back_office.create("contact", {"firstName": "A"})
    targets = {"targets": [{"entity": "contact", "id": 1}]}
    call(world, "POST", f"/api/rest/latest/activities/calendarevents/{number}/relations", targets)
    found["linked to a contact"] = event.updated_at > before
    meeting = world.oro.back_office.create("event", {"title": "x", **times, "attendees": [BOB]})
    copy = world.oro.events(world.oro.calendar_of("bob"))[0]
    before = world.oro.event(meeting)["updatedAt"]
    world.wait()
    world.oro.back_office.answer_invitation(copy["id"], "accepted")
    moved = (world.oro.event(number)["updatedAt"] > before for number in (meeting, copy["id"]))
    found["invited user answers in the back office (organizer event)"] = next(moved)
    found["invited user answers in the back office (own copy of the invited user)"] = next(moved)
    assert found == observed
