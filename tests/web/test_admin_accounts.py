"""What an administrator sees and may do with other people's accounts."""

from __future__ import annotations

from tests.web.application import Application, Person, body_of


def test_an_administrator_sees_the_health_of_all_accounts_and_none_of_their_records(
    world: Application, connected: Person
) -> None:
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    connected.first_sync()
    response = world.person("anna").ask("GET", "/admin/accounts")
    (row,) = body_of(response, 200)["items"]
    assert (row["name"], row["state"], row["linked"], row["open_conflicts"]) == (
        "boris@contoso.example",
        "waiting",
        1,
        0,
    )
    assert row["last_run"]["state"] == "done"
    assert "Lovelace" not in response.text


def test_an_account_that_is_switched_off_is_left_alone_and_its_person_is_told(
    world: Application, connected: Person
) -> None:
    anna, number = world.person("anna"), world.account().id
    body_of(anna.ask("PATCH", f"/admin/accounts/{number}", json={"state": "disabled", "reason": "on leave"}), 200)
    assert connected.get("/status")["account"] | {"since": None} == {
        "state": "disabled",
        "reason": "on leave",
        "since": None,
    }
    problem = connected.refused("POST", "/syncs", 409, json={})
    assert (problem["code"], "on leave" in problem["detail"]) == ("disabled", True)
    body_of(anna.ask("PATCH", f"/admin/accounts/{number}", json={"state": "active"}), 200)
    assert connected.sync()["state"] == "done"


def test_an_account_is_removed_by_an_administrator(world: Application, connected: Person) -> None:
    anna, number = world.person("anna"), world.account().id
    connected.refused("DELETE", f"/admin/accounts/{number}", 403)
    assert anna.ask("DELETE", f"/admin/accounts/{number}").status_code == 204
    assert connected.get("/me")["connected"] is False
    anna.refused("DELETE", f"/admin/accounts/{number}", 404)
    anna.refused("PATCH", f"/admin/accounts/{number}", 422, json={"state": "suspended"})
