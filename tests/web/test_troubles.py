"""Conflicts and quarantine over the API, and why a record is where it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.web.application import Application, Person, body_of
from tests.web.test_settings import patch

from orosync.core.ledger import Conflict, Quarantined
from orosync.core.records import Entity, Side


@pytest.fixture
def ada(world: Application, connected: Person) -> dict[str, Any]:
    """A contact that is in step, where conflicts are asked."""
    body_of(patch(world.person("anna"), {"conflict_resolution": "ask"}, "/admin/settings"), 200)
    number = world.oro.back_office_as(world.boris).create(
        "contact", {"firstName": "Ada", "lastName": "Lovelace", "jobTitle": "Countess"}
    )
    connected.first_sync()
    (item,) = world.boxes["boris"].items("contact")
    return {"number": number, "native": item["id"]}


def disagree(world: Application, ada: dict[str, Any]) -> None:
    world.oro.back_office_as(world.boris).edit("contact", ada["number"], {"jobTitle": "Queen"})
    world.boxes["boris"].user_update("contact", ada["native"], {"jobTitle": "Author"})


def job_titles(world: Application, ada: dict[str, Any]) -> tuple[str, str]:
    item = world.boxes["boris"].item("contact", ada["native"])
    return world.oro.contact(ada["number"])["jobTitle"], item["jobTitle"]


@pytest.mark.parametrize(("take", "result"), [("oro", "Queen"), ("outlook", "Author")])
def test_a_conflict_waits_for_a_choice_and_the_next_run_acts_on_it(
    world: Application, connected: Person, ada: dict[str, Any], take: str, result: str
) -> None:
    disagree(world, ada)
    assert connected.sync()["entities"]["contact"]["conflicts"] == 1
    (conflict,) = connected.get("/conflicts")["items"]
    assert (conflict["title"], conflict["field"]) == ("Ada Lovelace", "job_title")
    assert conflict["oro"] == {"job_title": "Queen"}
    assert conflict["outlook"] == {"job_title": "Author"}
    assert conflict["base"] == {"job_title": "Countess"}
    assert connected.get("/status")["open_conflicts"] == 1
    assert job_titles(world, ada) == ("Queen", "Author")
    settled = connected.post(f"/conflicts/{conflict['id']}/resolve", {"take": take}, 200)
    assert (settled["choice"], settled["waiting_for_run"]) == (take, True)
    assert connected.get("/status")["open_conflicts"] == 0
    assert connected.sync()["state"] == "done"
    assert job_titles(world, ada) == (result, result)
    assert connected.get("/conflicts")["items"] == []
    (logged,) = [each for each in connected.get("/conflicts?state=all")["items"] if each["choice"]]
    assert logged["waiting_for_run"] is False


def test_all_conflicts_are_settled_at_once(world: Application, connected: Person, ada: dict[str, Any]) -> None:
    disagree(world, ada)
    connected.sync()
    assert connected.post("/conflicts/resolve", {"take": "outlook"}, 200) == {"resolved": 1}
    connected.sync()
    assert job_titles(world, ada) == ("Author", "Author")
    assert connected.post("/conflicts/resolve", {"take": "outlook"}, 200) == {"resolved": 0}


def test_a_conflict_that_is_settled_or_somebody_elses_is_no_more_to_settle(
    world: Application, connected: Person, ada: dict[str, Any]
) -> None:
    disagree(world, ada)
    connected.sync()
    (conflict,) = connected.get("/conflicts")["items"]
    path = f"/conflicts/{conflict['id']}/resolve"
    connected.refused("POST", path, 422, json={"take": "both"})
    connected.refused("POST", "/conflicts/999999/resolve", 404, json={"take": "oro"})
    clara = world.person("clara")
    user = world.oro.add_user("clara", email="clara@example.com")
    body_of(clara.ask("PUT", "/connection", json=clara.connection(orocrm_user="clara", secret=user.api_key)), 201)
    assert clara.refused("POST", path, 404, json={"take": "oro"})["code"] == "not_found"
    connected.post(path, {"take": "oro"}, 200)
    connected.sync()
    connected.refused("POST", path, 404, json={"take": "oro"})
    (logged,) = connected.get("/conflicts?state=all")["items"]
    connected.refused("POST", f"/conflicts/{logged['id']}/resolve", 409, json={"take": "oro"})


def test_a_record_that_fails_is_shown_with_its_reason_and_tried_again_on_request(
    world: Application, connected: Person
) -> None:
    connected.first_sync()
    world.boxes["boris"].user_create("contact", {"givenName": "Ada", "surname": "Lovelace"})
    refusal = {"errors": [{"status": "400", "title": "not blank constraint", "detail": "no"}]}
    world.oro.fail_next("POST", "/api/contacts", 400, refusal)
    run = connected.sync()
    assert run["entities"]["contact"]["quarantined"] == 1
    (row,) = connected.get("/quarantine")["items"]
    assert (row["side"], row["entity"], row["attempts"]) == ("outlook", "contact", 1)
    assert row["message"]
    assert connected.get("/status")["quarantined"] == 1
    found = connected.get(f"/records/outlook/{row['record_id']}/explanation")["found"]
    assert any("could not be written" in sentence for sentence in found["contact"])
    assert connected.post(f"/quarantine/{row['id']}/retry") == {"retried": 1}
    assert connected.post("/quarantine/retry") == {"retried": 1}
    connected.sync()
    assert connected.get("/quarantine")["items"] == []
    assert "Ada" in [each["firstName"] for each in world.oro.contacts()]
    connected.refused("POST", f"/quarantine/{row['id']}/retry", 404)
    connected.refused("POST", "/quarantine/%20nonsense/retry", 404)


def test_an_explanation_of_nothing_is_empty_and_an_unknown_side_is_not_there(connected: Person) -> None:
    assert connected.get("/records/oro/4711/explanation")["found"] == {}
    connected.refused("GET", "/records/elsewhere/1/explanation", 404)
    connected.refused("GET", "/records/oro/1/explanation?entity=opera", 422)


def test_conflicts_are_read_in_pages_that_an_answer_does_not_move(world: Application, connected: Person) -> None:
    account = world.account().id
    lease = world.database.leases.take(account, "a test", world.parts.clock.now(), timedelta(minutes=1))
    conflict = Conflict(
        entity=Entity.CONTACT,
        outlook_id=None,
        oro_id="1",
        field="job_title",
        base={},
        outlook={},
        oro={},
        rule="ask",
        choice=None,
        at=world.parts.clock.now(),
        run="r",
    )
    store = world.database.account_store(account, lease)
    store.add_conflicts([replace(conflict, oro_id=str(number)) for number in range(5)])
    first = connected.get("/conflicts?limit=2")
    assert [each["oro_id"] for each in first["items"]] == ["0", "1"]
    store.drop_open_conflicts(Entity.CONTACT, None, "0")  # a run has acted on it
    second = connected.get(f"/conflicts?limit=2&cursor={first['next']}")
    assert [each["oro_id"] for each in second["items"]] == ["2", "3"]
    assert second["next"]
    newest = connected.get("/conflicts?state=all&limit=3")
    assert [each["oro_id"] for each in newest["items"]] == ["4", "3", "2"]
    oldest = connected.get(f"/conflicts?state=all&limit=3&cursor={newest['next']}")
    assert ([each["oro_id"] for each in oldest["items"]], oldest["next"]) == (["1"], None)
    assert connected.get("/status")["open_conflicts"] == 4


def test_quarantine_is_read_in_pages(world: Application, connected: Person) -> None:
    account, now = world.account().id, world.parts.clock.now()
    store = world.database.account_store(
        account, world.database.leases.take(account, "a test", now, timedelta(minutes=1))
    )
    for number in range(3):
        store.quarantine(
            Quarantined(Side.ORO, Entity.TASK, str(number), None, "refused", "words", 1, now, next_try=now)
        )
    first = connected.get("/quarantine?limit=2")
    assert [each["record_id"] for each in first["items"]] == ["0", "1"]
    rest = connected.get(f"/quarantine?limit=2&cursor={first['next']}")
    assert ([each["record_id"] for each in rest["items"]], rest["next"]) == (["2"], None)
    assert connected.get("/status")["quarantined"] == 3
