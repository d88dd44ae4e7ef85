"""Runs over the API: asked for, previewed, approved, watched, cancelled, taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.web.application import Application, Person, body_of

from orosync.store import tables


def new_contact(world: Application, first: str, **more: Any) -> int:
    return world.oro.back_office_as(world.boris).create("contact", {"firstName": first, "lastName": "Lovelace", **more})


def in_outlook(world: Application) -> list[str]:
    return sorted(each["givenName"] for each in world.boxes["boris"].items("contact"))


def test_a_preview_shows_every_op_and_writes_nothing(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    run = connected.sync(preview=True)
    assert (run["state"], run["mode"], run["written"], run["can_undo"]) == ("done", "preview", 0, False)
    assert run["entities"]["contact"]["outlook"]["created"] >= 1
    ops = connected.get(f"/syncs/{run['run']}/ops?entity=contact&verb=create")["items"]
    ada = next(op for op in ops if op["title"] == "Ada Lovelace")
    assert (ada["verb"], ada["side"], ada["entity"]) == ("create", "outlook", "contact")
    assert ada["reason"]
    assert {"name": "first_name", "before": None, "after": "Ada"} in ada["fields"]
    assert in_outlook(world) == []


def test_an_approved_preview_is_carried_out_and_told(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    preview = connected.sync(preview=True)
    asked = connected.post(f"/syncs/{preview['run']}/approve", {"plan_hash": preview["plan_hash"]})
    done = connected.get(f"/syncs/{asked['run']}")
    assert (done["state"], done["mode"], done["can_undo"]) == ("done", "sync", True)
    assert in_outlook(world) == ["Ada"]
    titles = [op["title"] for op in connected.get(f"/syncs/{done['run']}/ops?verb=create&entity=contact")["items"]]
    assert titles == ["Ada Lovelace"]
    status = connected.get("/status")
    assert status["entities"]["contact"]["linked"] == 1
    assert status["first_sync_done"] is True
    assert status["last_run"]["run"] == done["run"]
    assert status["running"] is None


def test_an_approval_of_another_plan_is_refused(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    preview = connected.sync(preview=True)
    body = {"plan_hash": "0123456789abcdef"}
    problem = connected.refused("POST", f"/syncs/{preview['run']}/approve", 409, json=body)
    assert problem["field"] == "plan_hash"
    assert in_outlook(world) == []


def test_a_plan_that_changed_since_its_preview_is_held_again(world: Application, connected: Person) -> None:
    connected.first_sync()
    for number in range(3):
        new_contact(world, f"Ada {number}")
    body_of(
        world.person("anna").ask(
            "PATCH", "/admin/settings", json={"guard.creates": 2}, headers={"If-Match": tag_of(world.person("anna"))}
        ),
        200,
    )
    held = connected.sync()
    assert held["state"] == "held"
    assert held["limits"]
    new_contact(world, "Ben")
    again = connected.post(f"/syncs/{held['run']}/approve", {"plan_hash": held["plan_hash"]})
    other = connected.get(f"/syncs/{again['run']}")
    assert (other["state"], in_outlook(world)) == ("held", [])
    assert connected.get("/status")["held"]["run"] == other["run"]
    final = connected.post(f"/syncs/{other['run']}/approve", {"plan_hash": other["plan_hash"]})
    assert connected.get(f"/syncs/{final['run']}")["state"] == "done"
    assert len(in_outlook(world)) == 4
    assert connected.get("/status")["held"] is None


def tag_of(person: Person, path: str = "/admin/settings") -> str:
    return person.ask("GET", path).headers["ETag"]


def test_a_run_is_taken_back_after_its_preview(world: Application, connected: Person) -> None:
    connected.first_sync()
    number = new_contact(world, "Ada")
    run = connected.sync()
    shown = connected.post(f"/syncs/{run['run']}/undo", {"preview": True})
    preview = connected.get(f"/syncs/{shown['run']}")
    assert (preview["mode"], preview["undo"]["taken_back"], preview["written"]) == ("undo_preview", 1, 0)
    (op,) = connected.get(f"/syncs/{shown['run']}/ops")["items"]
    assert (op["verb"], op["title"]) == ("delete", "Ada Lovelace")
    assert in_outlook(world) == ["Ada"]
    undone = connected.run_of(f"/syncs/{run['run']}/undo")
    assert (undone["state"], undone["undo"]) == ("done", {"of": run["run"], "taken_back": 1, "left": []})
    assert in_outlook(world) == []
    assert connected.get(f"/syncs/{run['run']}/ops?verb=create")["items"][0]["undone"] is True
    assert world.oro.contact(number)["firstName"] == "Ada"


def test_what_an_undo_leaves_alone_is_named_with_its_reason(world: Application, connected: Person) -> None:
    connected.first_sync()
    new_contact(world, "Ada")
    run = connected.sync()
    (item,) = world.boxes["boris"].items("contact")
    world.boxes["boris"].user_update("contact", item["id"], {"jobTitle": "Queen"})
    undone = connected.run_of(f"/syncs/{run['run']}/undo")
    assert undone["undo"]["taken_back"] == 0
    assert undone["undo"]["left"] == [{"title": "Ada Lovelace", "entity": "contact", "why": "it was changed since"}]


def test_nothing_can_be_taken_back_of_a_preview(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    preview = connected.sync(preview=True)
    connected.refused("POST", f"/syncs/{preview['run']}/undo", 409, json={})


def test_a_second_request_meets_the_run_that_waits(world: Application, connected: Person) -> None:
    world.queue.waits = True
    first = connected.post("/syncs")
    assert (first["state"], first["started_at"]) == ("waiting", None)
    problem = connected.refused("POST", "/syncs", 409, json={})
    assert (problem["code"], problem["run"]) == ("already_running", first["run"])
    assert connected.get("/status")["running"]["run"] == first["run"]


def test_a_repeated_request_with_its_idempotency_key_starts_no_second_run(connected: Person) -> None:
    key = {"Idempotency-Key": "abc"}
    first = connected.post("/syncs", {}, headers=key)
    again = connected.post("/syncs", {}, headers=key)
    assert again["run"] == first["run"]
    assert len(connected.get("/syncs")["items"]) == 1
    connected.refused("POST", "/syncs", 422, json={}, headers={"Idempotency-Key": "x" * 201})


def test_a_run_that_waits_is_cancelled_and_never_begins(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    world.queue.waits = True
    asked = connected.post("/syncs")
    assert connected.post(f"/syncs/{asked['run']}/cancel")["state"] == "cancelled"
    world.queue.work()
    assert connected.get(f"/syncs/{asked['run']}")["state"] == "cancelled"
    assert in_outlook(world) == []
    connected.refused("POST", f"/syncs/{asked['run']}/cancel", 409)


def test_a_run_that_is_cancelled_in_its_middle_keeps_what_it_did_and_the_next_goes_on(
    world: Application, connected: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.first_sync()
    for number in range(45):
        new_contact(world, f"Ada {number:02}")
    runs = world.database.requested_runs
    tell = runs.tell_progress

    def cancel_while_writing(account_id: int, run: str, progress: dict[str, Any]) -> bool:
        if in_outlook(world):
            runs.cancel(account_id, run)
        return tell(account_id, run, progress)

    monkeypatch.setattr(runs, "tell_progress", cancel_while_writing)
    monkeypatch.setattr("orosync.jobs.account_work._TELL_EVERY_S", 0.0)
    stopped = connected.sync()
    monkeypatch.undo()
    assert stopped["state"] == "cancelled"
    assert 0 < len(in_outlook(world)) < 45
    assert connected.sync()["state"] == "done"
    assert len(in_outlook(world)) == len(set(in_outlook(world))) == 45


def test_progress_is_told_as_events_until_the_run_is_over(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    world.queue.waits = True
    asked = connected.post("/syncs", {"preview": True})
    response = connected.ask("GET", f"/syncs/{asked['run']}/events")
    stream = response.response  # the application's own generator: reading on makes it look again
    first = next(iter(stream))
    assert first.startswith(b"event: run\n")
    assert json.loads(first.split(b"data: ", 1)[1])["state"] == "waiting"
    world.queue.work()
    rest = b"".join(stream)
    events = [block for block in rest.decode().split("\n\n") if block]
    assert json.loads(events[-2].split("data: ", 1)[1])["state"] == "done"
    assert events[-1].startswith("event: end")
    assert response.mimetype == "text/event-stream"


def test_runs_come_in_pages_newest_first(connected: Person) -> None:
    runs = [connected.post("/syncs", {"preview": True})["run"] for _ in range(5)]
    first = connected.get("/syncs?limit=2")
    second = connected.get(f"/syncs?limit=2&cursor={first['next']}")
    third = connected.get(f"/syncs?limit=2&cursor={second['next']}")
    assert [each["run"] for page in (first, second, third) for each in page["items"]] == runs[::-1]
    assert third["next"] is None
    assert connected.refused("GET", "/syncs?cursor=nonsense", 422)["errors"][0]["field"] == "cursor"


def test_only_the_entities_asked_for_are_synced(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    run = connected.sync(preview=True, entities=["task"])
    assert list(run["entities"]) == ["task"]


def test_a_resync_is_previewed_and_carried_out(world: Application, connected: Person) -> None:
    new_contact(world, "Ada")
    connected.first_sync()
    preview = connected.run_of("/resyncs", {"preview": True, "mode": "replace"})
    assert (preview["mode"], preview["state"]) == ("resync_preview", "done")
    verbs = {op["verb"] for op in connected.get(f"/syncs/{preview['run']}/ops?entity=contact")["items"]}
    assert "delete" in verbs
    done = connected.run_of("/resyncs", {"mode": "relink"})
    assert (done["mode"], done["state"], done["written"]) == ("resync", "done", 0)


def test_a_run_of_a_killed_worker_does_not_stand_in_the_way(world: Application, connected: Person) -> None:
    world.queue.waits = True
    asked = connected.post("/syncs")
    account = world.account()
    assert world.database.requested_runs.claim(account.id, asked["run"])
    # its worker dies here, a while ago
    age(world, asked["run"])
    assert connected.get("/status")["running"] is None
    world.queue.waits, world.queue.messages = False, []
    assert connected.sync()["state"] == "done"
    interrupted = connected.get(f"/syncs/{asked['run']}")
    assert interrupted["state"] == "failed"
    assert "interrupted" in interrupted["problems"][0]


def age(world: Application, run: str) -> None:
    import sqlalchemy as sa

    from orosync.store import tables

    with world.database.engine.begin() as connection:
        connection.execute(
            sa.update(tables.runs)
            .where(tables.runs.c.run == run)
            .values(started_at=world.parts.clock.now().replace(year=2020))
        )


def test_an_orocrm_that_refuses_suspends_the_account_and_says_why(world: Application, connected: Person) -> None:
    world.boris.api_key = "changed"
    run = connected.sync()
    assert run["state"] == "suspended"
    assert run["problems"]
    status = connected.get("/status")
    assert status["account"]["state"] == "suspended"
    assert status["account"]["reason"] == run["problems"][0]
    body_of(connected.ask("PUT", "/connection", json=connected.connection(secret="changed")), 200)
    assert connected.get("/status")["account"]["state"] == "active"
    assert connected.sync()["state"] == "done"


def test_a_run_whose_worker_died_does_not_go_on_for_ever(world: Application, connected: Person) -> None:
    world.queue.waits = True
    run = connected.post("/syncs")["run"]
    assert world.database.requested_runs.claim(world.account().id, run)
    assert connected.get(f"/syncs/{run}")["state"] == "running"
    long_ago = world.parts.clock.now() - timedelta(hours=1)
    with world.database.engine.begin() as connection:
        connection.execute(sa.update(tables.runs).values(started_at=long_ago))
    told = connected.get(f"/syncs/{run}")
    assert (told["state"], "interrupted" in told["problems"][0]) == ("failed", True)
    assert connected.refused("POST", f"/syncs/{run}/cancel", 409)["detail"] == "This run is over."


def test_what_was_done_is_read_in_pages(world: Application, connected: Person) -> None:
    for first in ("Ada", "Grace", "Mary"):
        new_contact(world, first)
    run = connected.first_sync()
    path = f"/syncs/{run['run']}/ops?verb=create&limit=2"
    page = connected.get(path)
    rest = connected.get(f"{path}&cursor={page['next']}")
    titles = [op["title"] for op in (*page["items"], *rest["items"])]
    assert (sorted(titles), rest["next"]) == (["Ada Lovelace", "Grace Lovelace", "Mary Lovelace"], None)
    assert connected.refused("GET", f"/syncs/{run['run']}/ops?verb=invent", 422)["field"] == "verb"


def test_who_watches_many_runs_at_once_leaves_threads_to_others(world: Application, connected: Person) -> None:
    world.queue.waits = True
    run = connected.post("/syncs")["run"]
    watching = [connected.ask("GET", f"/syncs/{run}/events") for _ in range(3)]
    assert [each.status_code for each in watching] == [200] * 3
    refused = connected.refused("GET", f"/syncs/{run}/events", 503)
    assert refused["code"] == "try_later"
    watching.pop().close()
    again = connected.ask("GET", f"/syncs/{run}/events")
    assert again.status_code == 200
    for each in (*watching, again):
        each.close()
