"""`/context`: people beside a mail, what there is about them, quick create, over the whole application."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from tests.web.application import CRM, Application, Person

from orosync import telemetry
from orosync.bootstrap.beside_mail import KEPT, MOST, BesideMail
from orosync.core.records import Entity, Side
from orosync.store.settings import SYSTEM

ADA = "ada@lovelace.example"


class Clock:
    """Ours and OroCRM's, so that signatures stay young."""

    def __init__(self, world: Application) -> None:
        self.at = datetime.now(UTC)
        world.oro.state.clock = self.now
        made = BesideMail(world.config, world.database, self, world.adapters)
        world.flask.extensions["orosync.beside_mail"] = made

    def now(self) -> datetime:
        return self.at

    def forward(self, time: timedelta) -> None:
        self.at += time


def contact(world: Application, first: str = "Ada", address: str = ADA, **more: Any) -> int:
    values = {"firstName": first, "lastName": "Lovelace", "emails": [address]}
    return world.oro.back_office_as(world.boris).create("contact", values | more)


def matches(person: Person, address: str = ADA) -> list[dict[str, Any]]:
    answer = person.get("/context", query_string={"address": address})
    found: list[dict[str, Any]] = answer["people"][0]["matches"]
    return found


def asked(world: Application) -> list[str]:
    seen = [f"{each.method} {each.path.partition('?')[0]}" for each in world.oro.request_log]
    world.oro.forget_requests()
    return seen


# ------------------------------------------------------------------------------------------------ people


def test_the_people_of_a_mail_come_with_company_pages_and_state(world: Application, connected: Person) -> None:
    number = contact(world, jobTitle="Countess", phones=["+44 20 7946 0000"])
    firm = world.oro.back_office.create("account", {"name": "Engines Ltd", "contacts": [number]})
    answer = connected.get("/context", query_string={"address": [ADA, "nobody@else.example"]})
    assert [each["address"] for each in answer["people"]] == [ADA, "nobody@else.example"]
    assert answer["people"][0]["matches"] == [
        {
            "type": "contact",
            "id": str(number),
            "name": "Ada Lovelace",
            "job_title": "Countess",
            "company": "",
            "accounts": [{"id": str(firm), "name": "Engines Ltd", "url": f"{CRM}/account/view/{firm}"}],
            "phone": "+44 20 7946 0000",
            "emails": [ADA],
            "url": f"{CRM}/contact/view/{number}",
            "sync": {"state": "unknown", "reason": "No run has met it yet."},
        }
    ]
    assert answer["people"][1]["matches"] == []
    assert answer["forbidden"] == []
    assert datetime.now(UTC) - datetime.fromisoformat(answer["fetched_at"]) < timedelta(minutes=1)


def test_everybody_with_the_address_is_shown_and_a_lead_says_that_it_is_not_synchronised(
    world: Application, connected: Person
) -> None:
    contact(world)
    contact(world, "Byron")
    world.oro.back_office.create("lead", {"name": "Fair", "companyName": "Engines", "emails": [ADA]})
    found = matches(connected)
    assert [(each["type"], each["name"]) for each in found] == [
        ("contact", "Ada Lovelace"),
        ("contact", "Byron Lovelace"),
        ("lead", "Fair"),
    ]
    assert found[2]["company"] == "Engines"
    assert found[2]["sync"] == {"state": "out_of_scope", "reason": "Leads are not synchronised with Outlook."}


def test_an_address_asked_for_twice_in_other_letters_is_answered_as_it_was_asked(
    world: Application, connected: Person
) -> None:
    number = contact(world)
    answer = connected.get("/context", query_string={"address": [ADA, ADA.upper(), ADA]})
    assert [each["address"] for each in answer["people"]] == [ADA, ADA.upper()]
    assert [each["matches"][0]["id"] for each in answer["people"]] == [str(number)] * 2


def state(person: Person) -> str:
    found: str = matches(person)[0]["sync"]["state"]
    return found


def test_a_contact_is_linked_after_the_sync_and_out_of_scope_when_contacts_are_switched_off(
    world: Application, connected: Person
) -> None:
    contact(world)
    connected.first_sync()
    assert matches(connected)[0]["sync"] == {"state": "linked", "reason": "It is synchronised with Outlook."}
    tag = connected.ask("GET", "/settings").headers["ETag"]
    connected.ask("PATCH", "/settings", json={"sync_contacts": False}, headers={"If-Match": tag})
    off = matches(connected)[0]["sync"]
    assert off["state"] == "out_of_scope"
    assert "switched off" in off["reason"]


def test_a_contact_that_may_not_travel_is_alone_with_the_reason(world: Application, connected: Person) -> None:
    contact(world)
    world.database.settings.set(SYSTEM, "sync_direction", "outlook_to_oro", by="test")
    connected.first_sync()
    standing = matches(connected)[0]["sync"]
    assert standing["state"] == "alone"
    assert "direction" in standing["reason"]


def test_somebody_elses_contact_is_out_of_scope_when_only_ones_own_are_synchronised(
    world: Application, connected: Person
) -> None:
    contact(world, owner=world.users["bob"].id)
    tag = connected.ask("GET", "/settings").headers["ETag"]
    changed = {"oro_scope": "owned"}
    assert connected.ask("PATCH", "/settings", json=changed, headers={"If-Match": tag}).status_code == 200
    connected.first_sync()
    assert matches(connected)[0]["sync"] == {
        "state": "out_of_scope",
        "reason": "Its owner in OroCRM is somebody else.",
    }


def test_a_contact_whose_partner_was_deleted_is_alone(world: Application, connected: Person) -> None:
    number = contact(world)
    connected.first_sync()
    connected.sync()  # what came and went between two looks is told by no feed
    world.database.settings.set(SYSTEM, "on_delete_in_outlook", "ignore", by="test")
    store = world.database.account_store(world.account().id)
    (link,) = store.links_by_id(Side.ORO, Entity.CONTACT, [str(number)]).values()
    world.boxes["boris"].user_delete("contact", str(link.outlook_id))
    connected.sync()
    standing = matches(connected)[0]["sync"]
    assert (standing["state"], "deleted" in standing["reason"]) == ("alone", True), standing


def test_a_contact_with_an_open_conflict_says_so(world: Application, connected: Person) -> None:
    number = contact(world)
    connected.first_sync()
    world.database.settings.set(SYSTEM, "conflict_resolution", "ask", by="test")
    store = world.database.account_store(world.account().id)
    (link,) = store.links_by_id(Side.ORO, Entity.CONTACT, [str(number)]).values()
    world.boxes["boris"].user_update("contact", str(link.outlook_id), {"jobTitle": "Poet"})
    world.oro.back_office_as(world.boris).edit("contact", number, {"jobTitle": "Countess"})
    connected.sync()
    assert matches(connected)[0]["sync"] == {
        "state": "linked",
        "reason": "It is synchronised; a conflict waits for your choice.",
    }


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"address": "nobody"},
        {"address": "a@x.example,b@x.example"},
        {"address": "a b@x.example"},
        {"address": "a@x.example\n"},
        {"address": "x" * 250 + "@x.example"},
        {"address": [f"p{number}@x.example" for number in range(21)]},
        {"address": ADA, "adress": ADA},
    ],
)
def test_what_is_no_list_of_addresses_is_refused(connected: Person, query: dict[str, Any]) -> None:
    assert connected.refused("GET", "/context", 422, query_string=query)["errors"]


def test_without_a_connection_without_a_token_and_with_an_account_that_is_off_nothing_is_shown(
    world: Application, boris: Person
) -> None:
    assert boris.refused("GET", f"/context?address={ADA}", 404)["code"] == "not_connected"
    assert world.flask.test_client().get(f"/api/v1/context?address={ADA}").status_code == 401
    boris.connect()
    world.database.accounts.disable(world.account().id, "", datetime.now(UTC))
    for method, path, body in (
        ("GET", f"/context?address={ADA}", None),
        ("GET", "/context/records?type=contact&id=1", None),
        ("POST", "/context/records", {"type": "task", "subject": "x"}),
    ):
        assert boris.refused(method, path, 403, json=body)["code"] == "account_blocked"


def test_an_orocrm_that_fails_is_told_as_it_is(world: Application, connected: Person) -> None:
    world.oro.fail_next("GET", "/api/contacts", 500)
    assert connected.refused("GET", f"/context?address={ADA}", 502)["code"] == "side_failing"
    world.oro.fail_next("GET", "/api/contacts", 429, headers={"Retry-After": "7"})
    answer = connected.ask("GET", f"/context?address={ADA}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


# ------------------------------------------------------------------------------------------------ kept for a minute


def test_an_answer_is_kept_for_a_minute_and_says_how_old_it_is(world: Application, connected: Person) -> None:
    clock = Clock(world)
    contact(world)
    first = connected.get(f"/context?address={ADA}")
    asked(world)
    contact(world, "Byron")
    clock.forward(KEPT - timedelta(seconds=1))
    assert connected.get(f"/context?address={ADA}") == first
    assert asked(world) == []
    clock.forward(timedelta(seconds=1))
    again = connected.get(f"/context?address={ADA}")
    assert len(again["people"][0]["matches"]) == 2
    assert again["fetched_at"] > first["fetched_at"]


def test_only_addresses_that_are_not_kept_are_asked_for(world: Application, connected: Person) -> None:
    clock = Clock(world)
    contact(world)
    contact(world, "Byron", "b@x.example")
    first = connected.get(f"/context?address={ADA}")
    clock.forward(timedelta(seconds=20))
    world.oro.forget_requests()
    both = connected.get(f"/context?address={ADA}&address=b@x.example")
    paths = [each.path for each in world.oro.request_log]
    assert paths
    assert not any("lovelace" in path for path in paths)
    assert [len(each["matches"]) for each in both["people"]] == [1, 1]
    assert both["fetched_at"] == first["fetched_at"], "as old as its oldest part"


def test_the_sync_state_is_never_a_minute_old(world: Application, connected: Person) -> None:
    contact(world)
    assert state(connected) == "unknown"
    connected.first_sync()
    assert state(connected) == "linked"


def test_another_person_and_another_connection_do_not_meet_what_was_kept(world: Application, connected: Person) -> None:
    number = contact(world)
    assert len(matches(connected)) == 1
    clara = world.person("clara")
    body = {"orocrm_url": CRM, "orocrm_user": "rita", "secret": world.users["rita"].api_key}
    assert clara.ask("PUT", "/connection", json=body).status_code == 201
    assert matches(clara) == []
    clara.refused("GET", f"/context/records?type=contact&id={number}", 403)


def test_no_more_answers_are_kept_than_fit(world: Application, connected: Person) -> None:
    clock = Clock(world)
    beside = world.flask.extensions["orosync.beside_mail"]
    beside.people(world.account(), [ADA])
    kept = beside._kept
    for number in range(MOST + 10):
        kept.put(("other", number), clock.now(), ())
    assert len(kept._answers) == MOST
    asked(world)
    beside.people(world.account(), [ADA])
    assert asked(world), "the oldest went first"
    clock.forward(KEPT)
    kept.put(("other", "new"), clock.now(), ())
    assert len(kept._answers) == 1


# ------------------------------------------------------------------------------------------------ records around them


def test_records_come_in_groups_and_forbidden_ones_do_not_hide_the_others(
    world: Application, connected: Person
) -> None:
    number = contact(world)
    office = world.oro.back_office
    firm = office.create("account", {"name": "Engines"})
    deal = office.create(
        "opportunity",
        {
            "name": "Engine No. 2",
            "account": firm,
            "contact": number,
            "status": "in_progress",
            "closeDate": "2027-03-01",
            "budgetAmountValue": 17_000,
            "budgetAmountCurrency": "GBP",
        },
    )
    office.create("task", {"subject": "Write notes", "contacts": [number]})
    world.oro.set_permission("boris", "case", "view", "none")
    answer = connected.get(f"/context/records?type=contact&id={number}")
    groups = {each["type"]: each for each in answer["groups"]}
    assert groups["opportunity"]["items"] == [
        {
            "id": str(deal),
            "title": "Engine No. 2",
            "status": "Open",
            "url": f"{CRM}/opportunity/view/{deal}",
            "amount": {"value": 17_000.0, "currency": "GBP"},
            "due": "2027-03-01",
        }
    ]
    assert [each["title"] for each in groups["task"]["items"]] == ["Write notes"]
    assert groups["case"] == {"type": "case", "forbidden": True, "more": False, "items": []}
    assert [name for name, each in groups.items() if each["forbidden"]] == ["case"]
    assert answer["fetched_at"]


def test_records_are_kept_for_a_minute_too(world: Application, connected: Person) -> None:
    clock = Clock(world)
    number = contact(world)
    first = connected.get(f"/context/records?type=contact&id={number}")
    asked(world)
    assert connected.get(f"/context/records?type=contact&id={number}") == first
    assert asked(world) == []
    clock.forward(KEPT)
    assert connected.get(f"/context/records?type=contact&id={number}")["fetched_at"] > first["fetched_at"]


def test_who_is_not_there_is_not_found(connected: Person) -> None:
    assert connected.refused("GET", "/context/records?type=contact&id=4711", 404)["code"] == "not_found"
    for query in (
        "type=task&id=1",
        "type=contact",
        "type=contact&id=1/2",
        "id=1",
        "type=lead&id=%00",
        "type=lead&id=1%0A",
    ):
        connected.refused("GET", f"/context/records?{query}", 422)


# ------------------------------------------------------------------------------------------------ new records


def test_a_sender_becomes_a_contact_and_is_seen_at_once(world: Application, connected: Person) -> None:
    assert matches(connected) == []
    body = {"type": "contact", "first_name": "Ada", "last_name": "Lovelace", "email": ADA}
    made = connected.post("/context/records", body, 201)
    assert made == {"type": "contact", "id": made["id"], "url": f"{CRM}/contact/view/{made['id']}"}
    assert [each["id"] for each in matches(connected)] == [made["id"]]


def test_a_new_task_stands_among_the_records_at_once(world: Application, connected: Person) -> None:
    number = contact(world)
    connected.get(f"/context/records?type=contact&id={number}")
    about = {"type": "contact", "id": str(number)}
    body = {"type": "task", "subject": "Answer", "due_date": "2027-01-15", "about": about}
    made = connected.post("/context/records", body, 201)
    groups = {each["type"]: each for each in connected.get(f"/context/records?type=contact&id={number}")["groups"]}
    assert [(each["id"], each["title"]) for each in groups["task"]["items"]] == [(made["id"], "Answer")]
    assert groups["task"]["items"][0]["due"].startswith("2027-01-15T")


def test_the_same_request_twice_makes_one_record_and_says_that_it_was_there(
    world: Application, connected: Person
) -> None:
    body = {"type": "lead", "name": "Fair", "email": ADA}
    first = connected.post("/context/records", body, 201)
    assert connected.post("/context/records", body, 200) == first
    assert len(world.oro.crm_records("leads")) == 1


def test_two_clicks_at_once_make_one_record(world: Application, connected: Person) -> None:
    body = {"type": "task", "subject": "Answer"}
    statuses: list[int] = []

    def click() -> None:
        person = world.person("boris")
        statuses.append(person.ask("POST", "/context/records", json=body).status_code)

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert sorted(statuses) == [200, 200, 200, 201]
    assert len(world.oro.tasks()) == 1


def test_what_is_wrong_is_told_for_each_field(world: Application, connected: Person) -> None:
    def errors(**body: Any) -> set[str]:
        problem = connected.refused("POST", "/context/records", 422, json=body)
        assert problem["code"] == "invalid"
        assert all(each["message"] for each in problem["errors"])
        return {each["field"] for each in problem["errors"]}

    assert errors(type="contact") == {"last_name"}
    assert errors(type="task") == {"subject"}
    assert errors(type="contact", email="nobody@x") == {"email"}  # refused by OroCRM
    assert errors(type="contact", email="no body") == {"email"}
    assert errors(type="task", subject="x", due_date="soon") == {"due_date"}
    assert errors(type="task", subject="x", about={"type": "contact", "id": "4711"}) == {"about"}
    assert errors(type="task", subject="two\nlines") == {"subject"}
    assert errors(type="opportunity", name="x") == {"type"}
    assert errors(type="task", subject="x", status="closed") == {"status"}
    assert errors(type="contact", first_name="x" * 101, last_name="y" * 101) == {"first_name", "last_name"}
    assert world.oro.contacts() == world.oro.tasks() == []


def test_without_the_permission_in_orocrm_it_says_so(world: Application, connected: Person) -> None:
    world.oro.set_permission("boris", "lead", "create", "none")
    problem = connected.refused("POST", "/context/records", 403, json={"type": "lead", "name": "Fair"})
    assert problem["code"] == "entity_forbidden"
    assert "permission to create leads" in problem["remedy"]


def test_a_lost_request_is_no_success_and_may_be_sent_again(world: Application, connected: Person) -> None:
    world.oro.fail_next("POST", "/api/leads", 502)
    body = {"type": "lead", "name": "Fair"}
    assert connected.refused("POST", "/context/records", 502, json=body)["code"] == "side_failing"
    assert connected.post("/context/records", body, 201)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What an installation would write, tracebacks and all."""
    stream = io.StringIO()
    telemetry.configure("debug", json=True, stream=stream)
    yield stream
    structlog.reset_defaults()


def test_addresses_and_names_are_in_no_log(log: io.StringIO, world: Application, connected: Person) -> None:
    contact(world)
    matches(connected)
    world.oro.fail_next("GET", "/api/contacts", 500)
    connected.refused("GET", "/context?address=other@lovelace.example", 502)
    connected.refused("GET", "/context?address=lovelace", 422)
    body = {"type": "contact", "last_name": "Babbage", "email": "c@babbage.example"}
    connected.post("/context/records", body, 201)
    told = log.getvalue().lower()
    assert "/api/v1/context" in told
    assert "traceback" in told or "exception" in told
    assert "lovelace" not in told
    assert "babbage" not in told
