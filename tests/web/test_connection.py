"""Connecting a mailbox with OroCRM: tried first, saved encrypted, one account each, never another person's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.web.application import CRM, Application, Person, body_of

from orosync.core.ledger import Account
from orosync.core.records import Entity
from orosync.web.routes import connection as connection_routes


def test_a_new_person_is_not_connected(boris: Person) -> None:
    me = boris.get("/me")
    assert (me["name"], me["connected"], me["is_admin"], me["demo"]) == ("Boris Ivanov", False, False, True)
    for path in ("/connection", "/status", "/settings", "/syncs", "/conflicts", "/quarantine"):
        assert boris.refused("GET", path, 404)["code"] == "not_connected"


def test_a_connection_that_works_is_saved_without_ever_showing_its_secret(world: Application, boris: Person) -> None:
    response = boris.ask("PUT", "/connection", json=boris.connection())
    told = body_of(response, 201)
    assert told["orocrm_url"] == CRM
    assert (told["orocrm_user"], told["mailbox"], told["state"]) == ("boris", "boris@contoso.example", "active")
    assert boris.get("/me")["connected"] is True
    account = world.account()
    assert (account.name, account.organisation, account.owner) == ("boris@contoso.example", "local", "local:boris")
    shown = response.text + boris.ask("GET", "/connection").text
    assert world.boris.api_key not in shown
    assert world.boris.api_key.encode() not in b"".join(each.read_bytes() for each in world.folder.iterdir())


@pytest.mark.parametrize(
    ("typed", "what", "words"),
    [
        ({"secret": "wrong"}, "sign_in", "refuses user name and API key"),
        ({"orocrm_user": "nobody"}, "sign_in", "refuses user name and API key"),
        ({"orocrm_url": f"{CRM}/elsewhere"}, "url", "sends requests on"),
    ],
)
def test_a_connection_that_does_not_work_is_not_saved_and_says_exactly_why(
    boris: Person, typed: dict[str, str], what: str, words: str
) -> None:
    problem = boris.refused("PUT", "/connection", 422, json=boris.connection(**typed))
    assert problem["code"] == "connection_refused"
    wrong = next(each for each in problem["findings"] if not each["ok"])
    assert wrong["what"] == what
    assert words in wrong["message"]
    assert wrong["remedy"]
    assert boris.get("/me")["connected"] is False


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"orocrm_url": "https://evil.example"}, "orocrm_url"),
        ({"orocrm_url": "http://crm.example.com"}, "orocrm_url"),
        ({"orocrm_url": "https://anna:pw@crm.example.com"}, "orocrm_url"),
        ({"orocrm_url": "file:///etc/passwd"}, "orocrm_url"),
        ({"orocrm_user": ""}, "orocrm_user"),
        ({"secret": ""}, "secret"),
        ({"orocrm_auth": "basic"}, "orocrm_auth"),
        ({"orocrm_auth": "password"}, "client_id"),
        ({"certificate": "abc"}, "certificate"),
        ({"certificate": "0" * 64}, "certificate"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_by_its_field(boris: Person, typed: dict[str, Any], field: str) -> None:
    problem = boris.refused("PUT", "/connection", 422, json=boris.connection(**typed))
    named = {problem.get("field"), *(each["field"] for each in problem.get("errors", ()))}
    assert field in named


def test_without_a_list_of_hosts_nobody_connects_from_a_browser(tmp_path: Path) -> None:
    world = Application(tmp_path, {"oro_hosts": ()})
    boris = world.person()
    problem = boris.refused("PUT", "/connection", 422, json=boris.connection())
    assert "OROSYNC_ORO_HOSTS" in problem["remedy"]
    world.database.close()


def test_a_check_says_what_is_wrong_and_saves_nothing(boris: Person) -> None:
    good = boris.post("/connection/check", boris.connection(), 200)
    assert good["ok"] is True
    assert {"url", "sign_in", "contact", "task", "event"} <= {each["what"] for each in good["findings"]}
    bad = boris.post("/connection/check", boris.connection(secret="x"), 200)
    assert bad["ok"] is False
    assert boris.get("/me")["connected"] is False


def test_the_stored_connection_is_checked_on_both_sides(connected: Person) -> None:
    found = connected.post("/connection/check", {}, 200)["findings"]
    assert {each["side"] for each in found if each["ok"]} == {"outlook", "oro"}


def test_a_missing_permission_warns_and_does_not_stand_in_the_way(world: Application, boris: Person) -> None:
    world.boris.permissions["task"] = {}
    told = boris.post("/connection/check", boris.connection(), 200)
    assert [each["what"] for each in told["findings"] if not each["ok"]] == ["task"]
    body_of(boris.ask("PUT", "/connection", json=boris.connection()), 201)


def test_a_new_key_is_saved_and_the_account_stays(world: Application, connected: Person) -> None:
    number = world.account().id
    world.boris.api_key = "new-key"
    connected.refused("PUT", "/connection", 422, json=connected.connection(secret="old"))
    body_of(connected.ask("PUT", "/connection", json=connected.connection(secret="new-key")), 200)
    assert world.account().id == number
    assert connected.sync()["state"] == "done"


def test_another_orocrm_needs_a_fresh_start(tmp_path: Path) -> None:
    world = Application(tmp_path, {"oro_hosts": ("crm.example.com", "other.example.com")})
    boris = world.person().connect()
    problem = boris.refused("PUT", "/connection", 409, json=boris.connection(orocrm_url="https://other.example.com"))
    assert (problem["code"], problem["field"]) == ("other_orocrm", "orocrm_url")
    assert boris.get("/connection")["orocrm_url"] == CRM
    world.database.close()


def test_a_mailbox_that_the_operator_connected_is_not_connected_twice(world: Application, boris: Person) -> None:
    world.database.accounts.add(Account("by hand", "Boris@Contoso.example", CRM, "boris", "wsse", "app"))
    assert boris.refused("PUT", "/connection", 409, json=boris.connection())["code"] == "mailbox_taken"


def test_disconnecting_forgets_everything_here_and_touches_nothing_there(world: Application, connected: Person) -> None:
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    connected.first_sync()
    before = (world.boxes["boris"].items("contact"), world.oro.contacts())
    number = world.account().id
    assert connected.ask("DELETE", "/connection").status_code == 204
    assert connected.refused("GET", "/connection", 404)["code"] == "not_connected"
    assert (world.boxes["boris"].items("contact"), world.oro.contacts()) == before
    assert world.database.secrets(number).get("oro") is None
    connected.connect()
    again = connected.first_sync()
    assert again["entities"]["contact"]["linked"] == 1  # by its stamp, and not a second time
    assert len(world.boxes["boris"].items("contact")) == 1


def test_the_options_tell_what_may_be_connected(boris: Person) -> None:
    options = boris.get("/connection/options")
    assert options["hosts"] == ["crm.example.com"]
    assert options["authorization_code"] is False
    assert options["self_signed_allowed"] is False


def test_everybody_meets_their_own_records_alone(world: Application, connected: Person) -> None:
    world.oro.back_office_as(world.boris).create("contact", {"firstName": "Ada", "lastName": "Lovelace"})
    run = connected.first_sync()
    clara = world.person("clara")
    clara_user = world.oro.add_user("clara", email="clara@example.com")
    body_of(clara.ask("PUT", "/connection", json=clara.connection(orocrm_user="clara", secret=clara_user.api_key)), 201)
    for method, path in (
        ("GET", f"/syncs/{run['run']}"),
        ("GET", f"/syncs/{run['run']}/ops"),
        ("GET", f"/syncs/{run['run']}/events"),
        ("POST", f"/syncs/{run['run']}/cancel"),
        ("POST", f"/syncs/{run['run']}/undo"),
        ("POST", f"/syncs/{run['run']}/approve"),
    ):
        body = {"plan_hash": run["plan_hash"]} if path.endswith("approve") else {}
        more = {} if method == "GET" else {"json": body}
        assert clara.refused(method, path, 404, **more)["code"] == "not_found"
    assert clara.get("/syncs")["items"] == []
    native = world.account().id and next(iter(world.database.account_store(world.account().id).links(Entity.CONTACT)))
    assert clara.get(f"/records/oro/{native.oro_id}/explanation?entity=contact")["found"] == {}
    assert connected.get(f"/records/oro/{native.oro_id}/explanation?entity=contact")["found"]["contact"]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Once, while a connection is tried and before it is saved."""
    tried = connection_routes._must_work
    left = [happens]

    def slow(*given: Any) -> None:
        tried(*given)
        if left:
            left.pop()()

    monkeypatch.setattr(connection_routes, "_must_work", slow)


def test_of_two_connections_at_once_one_is_saved(
    world: Application, boris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: world.person("boris").connect())
    problem = boris.refused("PUT", "/connection", 409, json=boris.connection())
    assert problem["code"] == "conflict"
    assert [each.owner for each in world.database.accounts.all()] == ["local:boris"]


def test_a_mailbox_that_was_taken_meanwhile_is_not_connected_twice(
    world: Application, boris: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Account(
        name="theirs",
        mailbox="Boris@contoso.example",
        orocrm_url=CRM,
        orocrm_user="x",
        oro_auth="wsse",
        graph_auth="application",
    )
    meanwhile(monkeypatch, lambda: world.database.accounts.add(taken))
    assert boris.refused("PUT", "/connection", 409, json=boris.connection())["code"] == "mailbox_taken"
    assert [each.name for each in world.database.accounts.all()] == ["theirs"]


def test_a_connection_that_was_removed_meanwhile_is_not_renewed(
    world: Application, connected: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: connected.ask("DELETE", "/connection"))
    assert connected.refused("PUT", "/connection", 409, json=connected.connection())["code"] == "conflict"
    assert connected.get("/me")["connected"] is False


def test_whoever_is_switched_off_does_not_get_on_by_connecting_anew(world: Application, connected: Person) -> None:
    world.database.accounts.disable(world.account().id, "on leave", world.parts.clock.now())
    assert connected.refused("DELETE", "/connection", 409)["code"] == "disabled"
    body_of(connected.ask("PUT", "/connection", json=connected.connection()), 200)
    assert world.account().state == "disabled"
