"""Signing in as in a company: nested app authentication, or the window, against an identity provider of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.pane.conftest import MAIL
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld, Site
from tests.web.identity_provider import API, SECRET, TENANT, IdentityProvider, Served, running
from tests.web.loopback_certificate import loopback_certificate
from tests.web.sign_in_world import certificate_authority, first_key, second_key

from orosync.web.sign_in.on_behalf_of import OnBehalfOf
from orosync.web.sign_in.tokens import EntraTokens

NESTED = {"Mailbox": "1.15", "NestedAppAuth": "1.1"}


@pytest.fixture
def service() -> Iterator[Served]:
    with running(IdentityProvider(first_key()), certificate_authority(), loopback_certificate()) as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, service: Served) -> Iterator[PaneWorld]:
    """Anna Berg signs in with Entra ID; her mailbox is the simulated one."""
    site = Site()
    service.provider.redirect_uris.add(f"{site.url}/auth/callback")
    entra = {"tenant_id": TENANT, "client_id": API, "pane_client_id": API, "client_secret": SECRET}
    made = PaneWorld(tmp_path, {"public_url": site.url, "authority": service.provider.base, **entra})
    made.adapters.update(service.adapters)
    made.put_online(site, authenticator=EntraTokens(made.config, ssl_context=service.trust))
    yield made
    made.close()


@pytest.fixture
def outlook(chromium: Browser, world: PaneWorld) -> Iterator[Outlook]:
    """An older Outlook, without nested app authentication."""
    made = Outlook(chromium, world.site.url, {"item": MAIL, "address": "anna@contoso.example"})
    yield made
    made.close()


def in_the_window(outlook: Outlook, begin: Callable[[], None]) -> Page:
    """The window that `begin` opens, at the sign-in service's page."""
    with outlook.context.expect_page() as opened:
        begin()
    opened.value.wait_for_url("**/oauth2/v2.0/authorize?**")
    return opened.value


def sign_in(outlook: Outlook, action: str = "sign-in") -> None:
    window = in_the_window(outlook, lambda: outlook.click(action))
    with window.expect_event("close"):
        window.evaluate("document.forms[0].submit()")


def connect(world: PaneWorld, outlook: Outlook) -> None:
    outlook.click("connect")
    outlook.shows("connect", "connect")
    outlook.page.locator('[name="user"]').fill("boris")
    outlook.page.locator('[name="secret"]').fill(world.boris.api_key)
    outlook.click("save-connection")


def test_people_sign_in_in_a_window_of_outlook(outlook: Outlook) -> None:
    outlook.open(None)
    outlook.shows("not-signed-in")
    assert outlook.wrong_here("not-signed-in") == []
    sign_in(outlook)
    outlook.shows("not-connected")
    expect(outlook.page.locator("#content")).to_contain_text("Anna Berg")
    assert outlook.broken() == []
    (start,) = outlook.drive("dialogs")
    assert start.startswith(f"{outlook.url}/auth/start?challenge=")
    assert outlook.context.cookies() == []


def test_a_window_that_is_closed_or_where_somebody_says_no_leads_back(outlook: Outlook, service: Served) -> None:
    outlook.open(None)
    outlook.shows("not-signed-in")
    in_the_window(outlook, lambda: outlook.click("sign-in")).close()
    expect(outlook.page.locator('[data-action="sign-in"]')).not_to_have_attribute("aria-busy", "true")
    expect(outlook.page.locator("#notice")).to_be_hidden()
    service.provider.agrees = False
    sign_in(outlook)
    expect(outlook.page.locator('[data-action="sign-in"]')).not_to_have_attribute("aria-busy", "true")
    outlook.shows("not-signed-in")
    service.provider.agrees = True
    sign_in(outlook)
    outlook.shows("not-connected")


def test_a_window_that_cannot_be_opened_is_told(chromium: Browser, world: PaneWorld) -> None:
    blocked = Outlook(chromium, world.site.url, {"item": MAIL, "dialogFails": 12009})
    blocked.open(None)
    blocked.click("sign-in")
    expect(blocked.page.get_by_role("alert")).to_contain_text("pop-ups")
    assert blocked.wrong_here("window refused") == []
    blocked.close()


def test_the_last_page_of_the_window_is_readable(outlook: Outlook) -> None:
    outlook.page.goto(f"{outlook.url}/auth/done#error=not_allowed&message=Not+here")
    outlook.page.locator('body[data-state="failed"]').wait_for()
    assert outlook.page.evaluate("location.hash") == ""
    for scheme in ("light", "dark"):
        outlook.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert outlook.complaints_of_axe() == []


def test_whoever_has_not_allowed_the_mailbox_is_asked_to(world: PaneWorld, outlook: Outlook, service: Served) -> None:
    config = replace(world.config, graph_url="https://graph.microsoft.com/v1.0")
    world.put_online(
        world.site,
        config=config,
        authenticator=EntraTokens(config, ssl_context=service.trust),
        mailbox_access=OnBehalfOf(config, adapters=service.adapters),
    )
    outlook.open(None)
    sign_in(outlook)
    outlook.shows("not-connected")
    service.provider.consented.clear()
    connect(world, outlook)
    outlook.shows("consent-missing")
    assert outlook.wrong_here("consent-missing") == []
    assert not service.provider.consented
    sign_in(outlook, "give-consent")
    outlook.shows("not-connected")
    assert service.provider.consented


def test_who_has_to_sign_in_again_keeps_the_view_and_what_was_typed(
    world: PaneWorld, outlook: Outlook, service: Served
) -> None:
    outlook.open(None)
    sign_in(outlook)
    connect(world, outlook)
    outlook.click("later")
    outlook.tab("settings")
    outlook.page.locator('[data-setting="sync_tasks"] input').uncheck()
    service.provider.keys = [second_key()]  # no token of before is good any more
    world.put_online(world.site, authenticator=EntraTokens(world.config, ssl_context=service.trust))
    outlook.click("save-settings")
    outlook.page.locator('#notice [data-action="sign-in"]').wait_for()
    assert outlook.wrong_here("signed out in between") == []
    sign_in(outlook)
    outlook.shows("settings", "settings")
    expect(outlook.page.locator('[data-setting="sync_tasks"] input')).not_to_be_checked()
    expect(outlook.page.locator('[data-action="save-settings"]')).to_be_focused()
    outlook.click("save-settings")
    outlook.page.locator('[data-notice="success"]').wait_for()
    service.provider.keys = [first_key()]
    world.put_online(world.site, authenticator=EntraTokens(world.config, ssl_context=service.trust))
    outlook.page.locator("#tab-problems").click()
    outlook.shows("not-signed-in")
    sign_in(outlook)
    outlook.shows("problems", "problems")


# ------------------------------------------------------------------------------------- nested app authentication


class Bridge:
    """Outlook's side of nested app authentication: it answers with tokens of whom it signed in."""

    def __init__(self, outlook: Outlook, service: Served) -> None:
        self.provider, self.asked = service.provider, list[dict[str, Any]]()
        self.silent = True
        outlook.context.expose_function("__answerBridge", self.answer)
        outlook.context.add_init_script(_BRIDGE)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        method = request["method"]
        answer = {"messageType": "NestedAppAuthResponse", "requestId": request["requestId"]}
        if method == "GetInitContext":
            capabilities = {"queryAccount": False}
            context = {
                "capabilities": capabilities,
                "sdkName": "test",
                "sdkVersion": "1",
                "accountContext": self.account,
            }
            return answer | {"success": True, "initContext": context}
        self.asked.append(request)
        if method == "GetToken" and not self.silent:
            error = {
                "status": "USER_INTERACTION_REQUIRED",
                "code": "interaction_required",
                "subError": "login_required",
            }
            return answer | {"success": False, "error": error}
        person = self.provider.person
        claims = self.provider.claims(person, scp=None)
        token = {
            "access_token": self.provider.access_token(person),
            "id_token": self.provider.sign(claims),
            "expires_in": 3600,
            "scope": request["tokenParams"]["scope"],
            "token_type": "Bearer",
            "client_info": "",
        }
        return answer | {"success": True, "token": token, "account": self.account}

    @property
    def account(self) -> dict[str, Any]:
        person = self.provider.person
        return {
            "homeAccountId": f"{person.oid}.{person.tenant}",
            "environment": "login.microsoftonline.com",
            "tenantId": person.tenant,
            "username": person.address,
            "localAccountId": person.oid,
            "name": person.name,
            "idTokenClaims": {},
        }


_BRIDGE = """
(() => {
  const listeners = [];
  window.nestedAppAuthBridge = {
    addEventListener: (type, listener) => listeners.push(listener),
    removeEventListener: (type, listener) => listeners.splice(listeners.indexOf(listener), 1),
    postMessage: async (text) => {
      const answer = await window.__answerBridge(JSON.parse(text));
      for (const listener of [...listeners]) listener(JSON.stringify(answer));
    },
  };
})();
"""


@pytest.fixture
def newest(chromium: Browser, world: PaneWorld) -> Iterator[Outlook]:
    made = Outlook(chromium, world.site.url, {"item": MAIL, "sets": NESTED, "address": "anna@contoso.example"})
    yield made
    made.close()


def test_outlook_vouches_for_its_person_without_a_click(newest: Outlook, service: Served) -> None:
    bridge = Bridge(newest, service)
    newest.open(None)
    newest.shows("not-connected")
    expect(newest.page.locator("#content")).to_contain_text("Anna Berg")
    assert [each["method"] for each in bridge.asked] == ["GetToken"]
    assert f"{API}/access_as_user" in bridge.asked[0]["tokenParams"]["scope"]
    assert newest.drive("dialogs") == []
    assert newest.broken() == []


def test_outlook_asks_its_person_where_it_has_to(newest: Outlook, service: Served) -> None:
    bridge = Bridge(newest, service)
    bridge.silent = False
    newest.open(None)
    newest.shows("not-signed-in")
    newest.click("sign-in")
    newest.shows("not-connected")
    assert [each["method"] for each in bridge.asked] == ["GetToken", "GetTokenPopup"]
    assert newest.drive("dialogs") == []


def test_an_outlook_that_promises_the_bridge_and_has_none_leads_to_the_window(newest: Outlook) -> None:
    newest.open(None)
    newest.shows("not-signed-in")
    sign_in(newest)
    newest.shows("not-connected")
