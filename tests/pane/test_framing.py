"""Inside Outlook on the web: who may frame the pane, and what third parties may not store there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playwright.sync_api import Frame, Route, expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld

from orosync.config import OUTLOOK_HOSTS

# Browsers that forbid third parties to store anything let every look at storage fail.
_NO_STORAGE = """
if (window.top !== window) {
  for (const name of ["localStorage", "sessionStorage", "indexedDB"])
    Object.defineProperty(window, name, { get: () => { throw new DOMException("denied", "SecurityError"); } });
  Object.defineProperty(document, "cookie", { get: () => "", set: () => {} });
}
"""


def framed(outlook: Outlook, origin: str, path: str = "/addin/taskpane.html?person=boris") -> Frame | None:
    """The pane in a page of that origin; None when the browser refuses to show it there."""
    page = f'<!doctype html><title>Mail</title><iframe src="{outlook.url}{path}" width="320" height="540"></iframe>'

    def host(route: Route) -> None:
        route.fulfill(body=page, content_type="text/html")

    outlook.context.grant_permissions(["local-network-access"])  # pages of the internet may not see loopback unasked
    outlook.page.route(f"{origin}/**", host)
    outlook.page.goto(f"{origin}/mail/")
    frame = outlook.page.frames[1]
    return frame if frame.url.startswith(outlook.url) else None


def test_outlooks_hosts_may_frame_the_pane(outlook: Outlook) -> None:
    assert len(OUTLOOK_HOSTS) >= 4
    for origin in OUTLOOK_HOSTS:
        frame = framed(outlook, origin)
        assert frame is not None, origin
        frame.locator('body[data-screen="not-connected"]').wait_for()
    assert outlook.broken() == []


def test_nobody_else_may_frame_the_pane_or_any_other_page(outlook: Outlook) -> None:
    for origin in ("https://evil.example", "https://outlook.office.com.evil.example"):
        for path in ("/addin/taskpane.html", "/", "/auth/done", "/api/v1/docs"):
            assert framed(outlook, origin, path) is None, f"{path} in {origin}"
            assert any("frame-ancestors" in each for each in outlook.broken())


def test_hosts_of_an_outlook_of_ones_own_are_a_matter_of_configuration(
    world: PaneWorld, window: Callable[..., Outlook]
) -> None:
    world.put_online(world.site, config=replace(world.config, frame_ancestors=("https://mail.contoso.example",)))
    own = framed(window(), "https://mail.contoso.example")
    assert own is not None
    own.locator('body[data-screen="not-connected"]').wait_for()
    assert framed(window(), "https://outlook.office.com") is None


def test_the_pane_needs_no_storage_where_third_parties_may_have_none(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    outlook.context.add_init_script(_NO_STORAGE)
    frame = framed(outlook, "https://outlook.office.com", "/addin/taskpane.html")
    assert frame is not None
    assert frame.evaluate("() => { try { return typeof localStorage; } catch (error) { return error.name; } }") == (
        "SecurityError"
    )
    frame.locator('[data-person="boris"]').click()
    frame.locator('body[data-screen="nothing-to-do"]').wait_for()
    frame.locator("#tab-settings").click()
    frame.locator('[data-setting="sync_tasks"] input').uncheck()
    frame.locator('[data-action="save-settings"]').click()
    frame.locator('[data-notice="success"]').wait_for()
    assert outlook.context.cookies() == []
    assert outlook.broken() == []


def test_the_pane_stores_nothing_where_it_could(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.tab("settings")
    stored: dict[str, Any] = outlook.page.evaluate(
        "async () => ({local: localStorage.length, session: sessionStorage.length, cookie: document.cookie, "
        "databases: (await indexedDB.databases()).length})"
    )
    assert stored == {"local": 0, "session": 0, "cookie": "", "databases": 0}
    assert outlook.context.cookies() == []


def test_the_pane_asks_nobody_but_its_service_and_microsoft(world: PaneWorld, outlook: Outlook) -> None:
    asked: set[str] = set()
    outlook.page.on("request", lambda request: asked.add("/".join(request.url.split("/")[:3])))
    world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    for name in ("crm", "conflicts", "activity", "problems", "settings"):
        outlook.tab(name)
    assert asked == {outlook.url, "https://appsforoffice.microsoft.com"}
    expect(outlook.page.locator("h1")).to_be_visible()
