"""The demonstration's own endpoints: one origin for all, back to the beginning, and nothing for anybody elsewhere."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.web.application import Application
from werkzeug.test import Client, TestResponse

from orosync.bootstrap.demonstration import Demonstration, Size, opened
from orosync.bootstrap.parts import level_of
from orosync.bootstrap.product_files import product_file
from orosync.web.app import create_app

NEAR = {"REMOTE_ADDR": "127.0.0.1"}
HOST = "http://127.0.0.1:8080"


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    with opened(tmp_path, size=Size(10, 5, 5)) as made:
        yield made


class Visitor:
    """A browser on this machine, signed in as the demonstration's person."""

    def __init__(self, demonstration: Demonstration) -> None:
        self.client = Client(demonstration.wsgi)
        self.token = str(self.ask("POST", "/auth/local", json={"person": "anna"}).json["access_token"])  # type: ignore[index]
        self.facts: Any = self.ask("GET", "/demo/facts").json

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        given = {"base_url": HOST, "environ_overrides": NEAR} | more
        return self.client.open(path, method=method, buffered=True, **given)

    def api(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, **more)
        assert answer.status_code < 300, answer.text
        return answer.json

    def connect(self) -> None:
        oro = self.facts["orocrm"]
        body = {"orocrm_url": oro["url"], "orocrm_auth": "wsse", "orocrm_user": oro["user"], "secret": oro["key"]}
        self.api("PUT", "/connection", json=body)

    def first_sync(self) -> None:
        self.connect()
        assert self.sync() == "done"

    def sync(self) -> str:
        """The state in which it ended."""
        run = self.api("POST", "/syncs", json={})["run"]
        stream = self.ask("GET", f"/api/v1/syncs/{run}/events", headers={"Authorization": f"Bearer {self.token}"})
        assert "event: end" in stream.get_data(as_text=True)
        return str(self.api("GET", f"/syncs/{run}")["state"])

    def contacts(self) -> tuple[Any, Any]:
        """OroCRM's and Outlook's, as the page reads them."""
        oro = self.ask("GET", f"{self.facts['orocrm']['control']}/contacts").json
        outlook = self.ask("GET", f"{self.facts['mailbox']['control']}/contact").json
        assert oro is not None
        assert outlook is not None
        return oro, outlook["value"]


@pytest.fixture
def visitor(demonstration: Demonstration) -> Visitor:
    return Visitor(demonstration)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """For tests that are to change nothing."""
    with opened(tmp_path_factory.mktemp("untouched"), size=Size(10, 5, 5)) as made:
        yield Visitor(made)


# ------------------------------------------------------------------------------------------------ the page


def test_the_page_is_there_under_a_strict_policy_and_may_frame_the_pane(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/demo")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-src 'self'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    text = answer.get_data(as_text=True)
    assert "<style" not in text
    assert " style=" not in text


def test_what_the_page_says_connects_the_pane(visitor: Visitor) -> None:
    assert visitor.api("GET", "/me")["connected"] is False
    visitor.connect()
    assert visitor.api("GET", "/connection")["mailbox"] == visitor.facts["mailbox"]["address"]


def test_conflicts_are_asked_about_in_a_demonstration(visitor: Visitor) -> None:
    found = visitor.api("GET", "/admin/settings?level=system")["items"]
    assert {each["key"]: each["value"] for each in found}["conflict_resolution"] == "ask"


@pytest.mark.parametrize("path", ["/demo", "/demo/facts", "/demo/reset", "/demo/automatic"])
def test_an_ordinary_installation_has_no_such_page(tmp_path: Path, path: str) -> None:
    world = Application(tmp_path)
    ordinary = create_app(replace(world.parts, demo=False), pane=product_file("addin"))
    assert ordinary.test_client().get(path).status_code == 404
    assert ordinary.test_client().post(path).status_code == 404
    world.database.close()


# ------------------------------------------------------------------------------------------------ back to the start


def test_reset_brings_everything_back(demonstration: Demonstration, visitor: Visitor) -> None:
    before = visitor.contacts()
    visitor.first_sync()
    demonstration.database.settings.set(level_of(None), "conflict_resolution", "newest", by="test")
    demonstration.database.settings.set(level_of(None, "local"), "sync_tasks", False, by="test")
    visitor.ask("DELETE", f"{visitor.facts['orocrm']['control']}/contacts/1")
    visitor.ask("POST", "/demo/automatic", json={"on": False})
    changed = visitor.contacts()
    assert len(changed[0]) != len(before[0])

    answer = visitor.ask("POST", "/demo/reset")
    assert answer.status_code == 200
    assert answer.json == visitor.facts
    after = visitor.contacts()
    assert [_without_times(each) for each in after[0]] == [_without_times(each) for each in before[0]]
    assert [each["displayName"] for each in after[1]] == [each["displayName"] for each in before[1]]
    assert [each["id"] for each in after[1]] == [each["id"] for each in before[1]]
    assert visitor.api("GET", "/me")["connected"] is False
    assert demonstration.database.settings.get(level_of(None)) == {"conflict_resolution": "ask"}
    assert demonstration.database.settings.get(level_of(None, "local")) == {}


def test_after_a_reset_a_first_sync_works_again(visitor: Visitor) -> None:
    visitor.first_sync()
    visitor.ask("POST", "/demo/reset")
    visitor.first_sync()
    assert visitor.api("GET", "/status")["first_sync_done"] is True


def test_reset_ends_a_run_that_waits(demonstration: Demonstration, visitor: Visitor) -> None:
    visitor.connect()
    account = demonstration.database.accounts.owned_by("local:anna")
    assert account is not None
    demonstration.database.requested_runs.add(account.id, "left-behind", "sync", {})
    assert visitor.ask("POST", "/demo/reset").status_code == 200
    assert demonstration.database.accounts.all() == []


def _without_times(contact: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in contact.items() if not name.endswith("At")}
    return plain | {"addresses": [{**each, "updatedAt": None} for each in contact["addresses"]]}


# ------------------------------------------------------------------------------------------------ changes travel


def test_nothing_is_synced_before_somebody_let_the_first_sync_happen(
    demonstration: Demonstration, visitor: Visitor
) -> None:
    assert demonstration.sync_by_itself() is None
    visitor.connect()
    assert demonstration.sync_by_itself() is None
    assert visitor.api("GET", "/syncs")["items"] == []


def test_afterwards_an_edit_on_either_side_travels(demonstration: Demonstration, visitor: Visitor) -> None:
    visitor.first_sync()
    oro, outlook = _pair(visitor)
    path = f"{visitor.facts['mailbox']['control']}/contact/{outlook['id']}"
    assert visitor.ask("PATCH", path, json={"jobTitle": "Head of Sales"}).status_code == 200
    assert demonstration.sync_by_itself() is not None
    assert next(each for each in visitor.contacts()[0] if each["id"] == oro["id"])["jobTitle"] == "Head of Sales"

    path = f"{visitor.facts['orocrm']['control']}/contacts/{oro['id']}?as=anna"
    assert visitor.ask("PATCH", path, json={"jobTitle": "Owner"}).status_code == 200
    assert demonstration.sync_by_itself() is not None
    assert next(each for each in visitor.contacts()[1] if each["id"] == outlook["id"])["jobTitle"] == "Owner"


def test_while_it_is_switched_off_nothing_travels_by_itself(demonstration: Demonstration, visitor: Visitor) -> None:
    visitor.first_sync()
    assert visitor.ask("POST", "/demo/automatic", json={"on": False}).json["automatic"] is False  # type: ignore[index]
    assert demonstration.sync_by_itself() is None
    assert visitor.ask("POST", "/demo/automatic", json={"on": True}).json["automatic"] is True  # type: ignore[index]
    assert demonstration.sync_by_itself() is not None


def test_a_held_plan_waits_for_a_person_and_is_not_looked_at_again(tmp_path: Path) -> None:
    with opened(tmp_path, size=Size(20, 5, 5)) as demonstration:
        visitor = Visitor(demonstration)
        visitor.first_sync()
        for each in visitor.contacts()[0][:15]:  # more than may go without being asked about
            visitor.ask("DELETE", f"{visitor.facts['orocrm']['control']}/contacts/{each['id']}")
        assert visitor.sync() == "held"
        assert visitor.api("GET", "/status")["held"] is not None
        assert demonstration.sync_by_itself() is None


def test_somebody_who_switched_syncing_off_is_left_alone(demonstration: Demonstration, visitor: Visitor) -> None:
    visitor.first_sync()
    account = demonstration.database.accounts.owned_by("local:anna")
    demonstration.database.settings.set(level_of(account), "enable_sync", False, by="test")
    assert demonstration.sync_by_itself() is None


@pytest.mark.slow
@pytest.mark.parametrize("where", ["through the page", "at the mailbox itself"])
def test_a_change_starts_a_run_soon(demonstration: Demonstration, visitor: Visitor, where: str) -> None:
    """A look happens every 15 seconds anyway, so the answer has to be there well before."""
    visitor.first_sync()
    _, outlook = _pair(visitor)
    told: queue.Queue[Any] = queue.Queue()
    loop = threading.Thread(target=demonstration.keep_in_step, args=(told.put,), daemon=True)
    loop.start()
    base = visitor.facts["mailbox"]["control"]
    if where == "through the page":
        address = f"{demonstration.url}{base}/contact/{outlook['id']}"
    else:
        own = demonstration.config.graph_url.removesuffix("/v1.0")
        address = f"{own}{base.removeprefix('/demo/mailbox')}/contact/{outlook['id']}"
    assert requests.patch(address, json={"jobTitle": "Treasurer"}, timeout=10).status_code == 200
    report = told.get(timeout=10)
    assert report.entities["contact"]["oro"]["updated"] == 1
    demonstration.close()
    loop.join(timeout=10)
    assert not loop.is_alive()


def _pair(visitor: Visitor) -> tuple[Any, Any]:
    """A contact that is linked, as both sides have it."""
    everybody, items = visitor.contacts()
    for item in items:
        stamp = next((value for key, value in item["extended"].items() if key.endswith("OroCRM_id")), None)
        if found := [each for each in everybody if str(each["id"]) == stamp]:
            return found[0], item
    raise AssertionError("nobody is linked")


# ------------------------------------------------------------------------------------------------ for this machine


ELSEWHERE = [
    {"headers": {"Origin": "https://evil.example"}},
    {"headers": {"Origin": "null"}},
    {"headers": {"Sec-Fetch-Site": "cross-site"}},
    {"headers": {"X-Forwarded-For": "203.0.113.7"}},
    {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}},
    {"base_url": "http://evil.example:8080"},
]


@pytest.mark.parametrize("how", ELSEWHERE, ids=lambda how: str(next(iter(how.values()))))
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/demo/reset"),
        ("POST", "/demo/automatic"),
        ("GET", "/demo/facts"),
        ("POST", "/demo/orocrm/sandbox/reset"),
        ("GET", "/demo/mailbox/sandbox/mailboxes"),
    ],
)
def test_nobody_elsewhere_reaches_it(untouched: Visitor, how: dict[str, Any], method: str, path: str) -> None:
    assert untouched.ask(method, path, **how).status_code == 403
    assert len(untouched.contacts()[0]) > 0


def test_a_page_of_its_own_may(untouched: Visitor) -> None:
    headers = {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}
    assert untouched.ask("POST", "/demo/automatic", json={"on": True}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/demo/mailbox/v1.0/me", "/demo/orocrm/api/contacts", "/demo/orocrm/"])
def test_only_what_people_do_by_hand_is_below_our_origin(untouched: Visitor, path: str) -> None:
    assert untouched.ask("GET", path).status_code == 404


def test_answers_of_the_simulated_systems_cannot_become_pages(untouched: Visitor) -> None:
    headers = untouched.ask("GET", "/demo/orocrm/sandbox/contacts").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{}, {"on": "yes"}, {"on": None}, [], "on"])
def test_whether_it_is_automatic_is_yes_or_no(untouched: Visitor, body: Any) -> None:
    answer = untouched.ask("POST", "/demo/automatic", json=body)
    assert answer.status_code == 422
    assert answer.json["field"] == "on"  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/contact/view/1", "{page}/demo#contact-1"),
        ("/task/view/1", "{page}/demo#task-1"),
        ("/calendar/event/view/1", "{page}/demo#event-1"),
        ("/account/view/1", "/sandbox/accounts/1"),
    ],
)
def test_links_into_the_back_office_lead_to_the_record(demonstration: Demonstration, path: str, leads_to: str) -> None:
    answer = requests.get(demonstration.oro_url + path, timeout=10, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == leads_to.format(page=demonstration.url)
    assert requests.get(demonstration.oro_url + path, timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/contact/view/one", "/user/view/1", "/contact/view/1/more", "/api/contacts/1"])
def test_other_addresses_of_orocrm_lead_nowhere_else(demonstration: Demonstration, path: str) -> None:
    answer = requests.get(demonstration.oro_url + path, timeout=10, allow_redirects=False)
    assert "/demo" not in answer.headers.get("Location", "")
