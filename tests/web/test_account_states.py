"""How an account is doing, as its person and the administrators are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.web.application import Application, Person, body_of

from orosync import bootstrap
from orosync.core.due import DueWork


def state_of(person: Person) -> dict[str, Any]:
    state: dict[str, Any] = person.get("/status")["state"]
    return state


def change_settings(person: Person, path: str = "/settings", **chosen: Any) -> None:
    tag = person.ask("GET", path).headers["ETag"]
    body_of(person.ask("PATCH", path, json=chosen, headers={"If-Match": tag}), 200)


def seconds_until(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()


def work_of(world: Application) -> DueWork:
    return world.database.due_work.get(world.account().id)


def rest(world: Application) -> None:
    """As long after a run, with nothing that calls."""
    later = datetime.now(UTC) + timedelta(hours=1)
    world.database.due_work.change(
        world.account().id, lambda work: replace(work, due_at=later, called_at={}, urgent=False)
    )


def test_before_the_first_sync_nothing_runs_by_itself_and_status_says_so(world: Application, connected: Person) -> None:
    status = connected.get("/status")
    assert status["state"]["state"] == "not_started"
    assert status["state"]["remedy"]
    assert status["next_run_at"] is None
    assert status["read_at"] == {"outlook": None, "oro": None}


def test_after_the_first_sync_it_waits_and_tells_when_it_looks_again_and_when_it_looked_last(
    world: Application, connected: Person
) -> None:
    connected.first_sync()
    status = connected.get("/status")
    assert (status["state"]["state"], status["state"]["reason"]) == ("waiting", "")
    assert status["state"]["until"] == status["next_run_at"]
    assert -2 < seconds_until(status["next_run_at"]) < 40
    assert all(-60 < seconds_until(at) <= 0 for at in status["read_at"].values())


def test_what_is_switched_off_is_only_synced_on_demand_until_it_is_switched_on_again(
    world: Application, connected: Person
) -> None:
    connected.first_sync()
    change_settings(connected, enable_sync=False)
    status = connected.get("/status")
    assert (status["state"]["state"], status["next_run_at"]) == ("off", None)
    assert work_of(world).due_at is None
    assert connected.sync()["state"] == "done"
    assert connected.get("/status")["next_run_at"] is None
    change_settings(connected, enable_sync=True)
    status = connected.get("/status")
    assert status["state"]["state"] == "waiting"
    assert seconds_until(status["next_run_at"]) < 5


def test_a_held_plan_and_a_refused_sign_in_tell_since_when_and_what_to_do(
    world: Application, connected: Person
) -> None:
    connected.first_sync()
    change_settings(world.person("anna"), "/admin/settings", **{"guard.creates": 0})
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    assert connected.sync()["state"] == "held"
    held = state_of(connected)
    assert (held["state"], held["until"]) == ("held", None)
    assert -60 < seconds_until(held["since"]) <= 0
    assert held["remedy"]
    world.database.accounts.suspend(world.account().id, "The key is void.", datetime.now(UTC))
    suspended = state_of(connected)
    assert (suspended["state"], suspended["reason"]) == ("suspended", "The key is void.")


def test_trouble_tells_its_reason_since_when_and_until_when(world: Application, connected: Person) -> None:
    connected.first_sync()
    world.oro.fail_next("GET", "/api/contacts", 500)
    assert connected.sync()["state"] == "failed"
    failing = state_of(connected)
    assert failing["state"] == "failing"
    assert "500" in failing["reason"]
    assert -60 < seconds_until(failing["since"]) <= 0
    assert 0 < seconds_until(failing["until"]) < 30
    assert connected.sync()["state"] == "done"
    assert state_of(connected)["state"] == "waiting"


def test_a_mailbox_that_wants_to_be_left_alone_is_throttled_until_then(world: Application, connected: Person) -> None:
    connected.first_sync()
    world.database.mailboxes.pause(world.account().mailbox, datetime.now(UTC) + timedelta(minutes=3))
    status = connected.get("/status")
    assert status["state"]["state"] == "throttled"
    assert 170 < seconds_until(status["state"]["until"]) <= 180
    assert status["next_run_at"] == status["state"]["until"]


def test_while_somebody_works_on_it_it_runs(world: Application, connected: Person) -> None:
    with bootstrap.leased(world.database, world.account(), "r1", world.parts.clock):
        assert state_of(connected)["state"] == "running"
    assert state_of(connected)["state"] == "not_started"


def test_administrators_see_the_states_and_choose_by_them(world: Application, connected: Person) -> None:
    anna = world.person("anna").connect()
    connected.first_sync()
    assert [(row["name"].split("@")[0], row["state"]) for row in anna.get("/admin/accounts")["items"]] == [
        ("anna", "not_started"),
        ("boris", "waiting"),
    ]
    (row,) = anna.get("/admin/accounts?state=waiting")["items"]
    assert (row["state"], row["remedy"], seconds_until(row["until"]) < 40) == ("waiting", "", True)
    assert anna.get("/admin/accounts?state=failing") == {"items": [], "next": None}
    first = anna.get("/admin/accounts?limit=1")
    assert [row["state"] for row in anna.get(f"/admin/accounts?limit=1&cursor={first['next']}")["items"]] == ["waiting"]
    assert anna.refused("GET", "/admin/accounts?state=fine", 422)["field"] == "state"


# ------------------------------------------------------------------------------------- what makes it look soon


@pytest.mark.parametrize("change", ["own settings", "a new sign-in", "switched on again"])
def test_what_makes_an_account_another_one_has_it_looked_at_soon(
    world: Application, connected: Person, change: str
) -> None:
    connected.first_sync()
    rest(world)
    if change == "own settings":
        change_settings(connected, sync_birthdays=False)
    elif change == "a new sign-in":
        body_of(connected.ask("PUT", "/connection", json=connected.connection()), 200)
    else:
        path = f"/admin/accounts/{world.account().id}"
        body_of(world.person("anna").ask("PATCH", path, json={"state": "disabled"}), 200)
        assert connected.get("/status")["next_run_at"] is None
        body_of(world.person("anna").ask("PATCH", path, json={"state": "active"}), 200)
    work = work_of(world)
    assert work.due_at is not None
    assert (work.due_at - datetime.now(UTC)).total_seconds() < 5
    assert len(work.called_at) == 2


def test_settings_of_the_system_have_everybody_looked_at_within_a_minute(world: Application, connected: Person) -> None:
    connected.first_sync()
    rest(world)
    change_settings(world.person("anna"), "/admin/settings", sync_tasks=False)
    due_at = work_of(world).due_at
    assert due_at is not None
    assert (due_at - datetime.now(UTC)).total_seconds() <= 60
