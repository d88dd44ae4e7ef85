"""The set-up check and what is found out about an OroCRM: every usual mistake has its own words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.oro.conftest import World

from orosync.core.records import Entity
from orosync.errors import AccountBlocked, SideFailing, SignInNeeded
from orosync.oro import capabilities
from orosync.oro.auth import Grant, OAuth, Wsse
from orosync.oro.check import Finding, check
from orosync.oro.client import OroClient
from orosync.sandbox.transport import serve


def wrong(findings: list[Finding]) -> Finding:
    (only,) = [each for each in findings if not each.ok]
    assert only.remedy
    return only


def test_nothing_is_wrong(world: World) -> None:
    findings = check(world.client(), now=world.clock)
    assert [(each.ok, each.what) for each in findings] == [
        (True, "url"), (True, "sign_in"), (True, "contact"), (True, "task"), (True, "event"),
    ]  # fmt: skip


@pytest.mark.parametrize("calendar", ["\ud800", "", None, [], "1 or 2"])
def test_a_calendar_whose_id_is_no_number_is_an_answer_without_sense(world: World, calendar: Any) -> None:
    world.oro.fail_next("GET", "calendars/default", 200, {"calendar": calendar})
    with pytest.raises(SideFailing, match="no number"):
        capabilities.probe(world.client(), Entity.EVENT)


@pytest.mark.parametrize("sign_in", ["wsse", "oauth"])
def test_a_switched_off_api_is_named_with_its_setting(world: World, sign_in: str) -> None:
    number, secret = world.oro.add_oauth_client(["client_credentials"], "admin")
    world.oro.settings.web_api_enabled = False
    grant = Grant("client_credentials", number, secret)
    client = world.client(sign_in=OAuth(grant, now=world.clock) if sign_in == "oauth" else None)
    finding = wrong(check(client, wsse=sign_in == "wsse", now=world.clock))
    assert finding.what == "api"
    assert "Enable API" in finding.remedy
    with pytest.raises((AccountBlocked, SignInNeeded), match="Enable API"):
        client.get("contacts")


@pytest.mark.parametrize(("user", "key"), [("admin", "0" * 40), ("Admin", None), ("nobody", "0" * 40)])
def test_a_refused_key_names_all_three_causes(world: World, user: str, key: str | None) -> None:
    secret = key or world.oro.user("admin").api_key
    finding = wrong(check(world.client(sign_in=Wsse(user, secret, now=world.clock)), now=world.clock))
    assert finding.what == "sign_in"
    assert all(word in finding.remedy for word in ("key", "case", "clock"))
    assert secret not in finding.message + finding.remedy


def test_an_orocrm_without_api_keys_points_to_oauth(world: World) -> None:
    world.oro.settings.version, world.oro.settings.wsse = "6.1", False
    finding = wrong(check(world.client(), now=world.clock))
    assert (finding.what, "OAuth" in finding.remedy) == ("sign_in", True)
    assert not capabilities.offers_wsse(world.client())
    assert capabilities.offers_oauth(world.client())


def test_a_clock_that_is_ahead_is_named_with_its_seconds(world: World) -> None:
    ours = world.clock.time + timedelta(seconds=90)
    client = world.client(sign_in=Wsse("admin", world.oro.user("admin").api_key, now=lambda: ours))
    findings = check(client, now=lambda: ours)
    clock = next(each for each in findings if each.what == "clock")
    assert (clock.ok, "90 seconds ahead" in clock.message) == (False, True)
    assert all(each.ok for each in check(world.client(), now=world.clock))


@pytest.mark.parametrize("said", ["", "yesterday", "Tue, 01 Dec 2026 09:00:00 GMT, Tue, 01 Dec 2026 09:00:00 GMT"])
def test_a_date_that_is_none_says_nothing_about_clocks(world: World, said: str) -> None:
    @world.app.after_request
    def dated(response: Any) -> Any:
        response.headers["Date"] = said
        return response

    ours = world.clock.time + timedelta(seconds=90)
    assert "clock" not in {each.what for each in check(world.client(), now=lambda: ours)}


def test_a_clock_that_is_off_matters_to_api_keys_alone(world: World) -> None:
    number, secret = world.oro.add_oauth_client(["client_credentials"], "admin")
    oauth = OAuth(Grant("client_credentials", number, secret), now=world.clock)
    ours = world.clock.time + timedelta(seconds=90)
    findings = check(world.client(sign_in=oauth), wsse=False, now=lambda: ours)
    assert all(each.ok for each in findings)


def test_an_orocrm_without_oauth_points_to_the_api_key(world: World) -> None:
    real = world.app

    def without(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"].startswith("/oauth2-token"):
            start("404 Not Found", [("Content-Type", "text/html")])
            return [b"<html>Not here</html>"]
        return real(environ, start)

    world.app = without
    oauth = OAuth(Grant("client_credentials", "c", "s"), now=world.clock)
    finding = wrong(check(world.client(sign_in=oauth), wsse=False, now=world.clock))
    assert (finding.what, finding.blocks) == ("sign_in", True)
    assert "API key" in finding.remedy


def test_findings_that_make_syncing_impossible_are_told_from_those_to_be_known() -> None:
    every = ["url", "connection", "certificate", "clock", "sign_in", "api", "profile", "contact", "task", "event"]
    blocking = [what for what in every if Finding(False, what, "wrong").blocks]
    assert blocking == ["url", "connection", "certificate", "sign_in", "api", "profile"]
    assert not any(Finding(True, what, "fine").blocks for what in every)


@pytest.mark.parametrize(("status", "kind", "body", "word"), [
    ("200 OK", "text/html", b"<html>Welcome</html>", "web page"),
    ("404 Not Found", "text/html", b"<html>Not here</html>", "web page"),
    ("404 Not Found", "text/plain", b"no", "404"),
    ("200 OK", "application/json", b"{}", "200"),
    ("302 Found", "text/html", b"", "another page"),
    ("500 Internal Server Error", "text/html", b"", "500"),
])  # fmt: skip
def test_an_address_that_is_no_orocrm(world: World, status: str, kind: str, body: bytes, word: str) -> None:
    def other(environ: Any, start: Any) -> Any:
        start(status, [("Content-Type", kind), ("Location", "/login")])
        return [body]

    world.app = other
    finding = wrong(check(world.client(), now=world.clock))
    assert finding.what == "url"
    assert word in finding.message


def test_an_unreachable_host_is_named(world: World) -> None:
    server = serve(world.app)
    url = server.url
    server.stop()
    client = OroClient(url, Wsse("u", "k", now=world.clock), allow_loopback_http=True)
    finding = wrong(check(client, now=world.clock))
    assert finding.what == "connection"
    assert "127.0.0.1" in finding.message


@pytest.mark.parametrize("entity", list(Entity))
def test_a_missing_permission_is_named_per_entity(world: World, entity: Entity) -> None:
    world.oro.set_permission("bob", entity.value, "*", "none")
    finding = wrong(check(world.client("bob"), now=world.clock))
    assert finding.what == entity.value
    assert "administrator" in finding.remedy
    assert world.side("bob").facts["forbidden"] == [entity.value]


def test_a_user_with_no_role_at_all(world: World) -> None:
    finding = wrong(check(world.client("nina"), now=world.clock))
    assert finding.what == "profile"
    with pytest.raises(SignInNeeded, match="profile"):
        world.side("nina")


def test_a_user_who_may_not_see_the_own_profile_is_known_by_the_own_calendar(world: World) -> None:
    side = world.side("rita")
    assert side.facts["user_id"] == str(world.users["rita"].id)


# what discover finds out


def test_the_facts_of_an_account(world: World) -> None:
    world.users["bob"].time_zone = "America/New_York"
    facts = world.side("bob").facts
    assert facts["user_id"] == "2"
    assert facts["address"] == "bob@example.com"
    assert facts["zone"] == "America/New_York"
    assert facts["calendar_id"] == str(world.oro.calendar_of("bob"))
    assert facts["countries"]["US"] == "United States"
    assert facts["regions"]["US-NY"] == ["US", "NY", "New York"]
    assert (facts["contact_external_id"], facts["forbidden"]) == (False, [])


@pytest.mark.parametrize("limit", [None, 7])
def test_countries_and_regions_are_whole_even_where_pages_are_limited(world: World, limit: int | None) -> None:
    whole = capabilities.places(world.client())
    world.oro.settings.max_page_size = limit
    assert capabilities.places(world.client()) == whole


@pytest.mark.parametrize(("active", "tasks", "found"), [(True, 1, True), (False, 1, None), (True, 0, None)])
def test_whether_the_workflow_is_active(world: World, active: bool, tasks: int, found: bool | None) -> None:
    world.oro.back_office.set_workflow_active(active=active)
    for _ in range(tasks):
        world.oro.back_office.create("task", {"subject": "A"})
    assert world.side().facts["workflow_active"] is found


# ---------------------------------------------------------------- webhooks


def of_webhooks(world: World) -> list[Finding]:
    client, secret = world.oro.add_oauth_client(["client_credentials"], "admin")
    grant = Grant("client_credentials", client, secret)
    found = check(world.client(sign_in=OAuth(grant, now=world.clock)), wsse=False, now=world.clock)
    assert not any(each.blocks for each in found)
    return [each for each in found if each.what == "webhooks"]


def test_before_7_0_2_nothing_is_said_of_webhooks(world: World) -> None:
    assert of_webhooks(world) == []


def test_that_no_webhook_is_switched_on_after_installation_is_a_harmless_note_with_what_to_do(world: World) -> None:
    world.oro.settings.version = "7.0.2"
    (found,) = of_webhooks(world)
    assert found.ok
    assert "off for contacts, tasks and calendar events" in found.message
    assert "Entity Management" in found.remedy
    world.oro.settings.webhook_accessible = ("contact", "task")
    (found,) = of_webhooks(world)
    assert "off for calendar events" in found.message
    world.oro.settings.webhook_accessible = ("contact", "task", "event")
    (found,) = of_webhooks(world)
    assert found.remedy == ""


def test_a_user_who_may_not_see_webhooks_is_not_bothered_with_them(world: World) -> None:
    world.oro.settings.version = "7.0.2"
    world.oro.fail_next("GET", "webhooktopics", 403, {"errors": [{"status": "403", "title": "access denied"}]})
    assert of_webhooks(world) == []
