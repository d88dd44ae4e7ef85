"""The page at the root: what it links, what it says about health, and how it behaves in a browser."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page
from tests.web.pages_world import PagesWorld, signed_in
from werkzeug.serving import make_server

WHAT_AXE_RUNS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PagesWorld]:
    made = PagesWorld(tmp_path)
    yield made
    made.database.close()


def test_it_links_the_manifest_health_and_the_api_and_everything_it_loads_is_there(world: PagesWorld) -> None:
    client = world.client()
    page = client.get("/")
    assert page.status_code == 200
    assert page.content_type == "text/html; charset=utf-8"
    links = set(re.findall(r'(?:href|src)="(?!https:|#)([^"]+)"', page.text))
    assert {"manifest.xml?download", "readyz", "api/v1/docs", "addin/landing/landing.css"} <= links
    for link in links:
        with client.get(f"/{link}") as answer:
            assert answer.status_code == 200, link


def test_every_outlook_and_the_administrator_have_their_steps(world: PagesWorld) -> None:
    text = world.client().get("/").text
    for name in ("on the web", "New Outlook on Windows", "Classic Outlook on Windows", "on Mac", "iOS and Android"):
        assert re.search(rf"<summary>[^<]*{name}</summary>", text)
    assert "Microsoft 365 admin center" in text
    assert "https://aka.ms/olksideload" in text


def test_its_policy_allows_nothing_but_its_own_files(world: PagesWorld) -> None:
    page = world.client().get("/")
    policy = dict(each.strip().split(" ", 1) for each in page.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", page.text)


def test_the_demonstration_is_linked_in_a_demonstration_alone(world: PagesWorld) -> None:
    assert 'href="demo"' not in world.client().get("/").text
    assert 'href="demo"' in world.client(demo=True).get("/").text


def test_without_https_it_says_why_there_is_no_manifest(world: PagesWorld) -> None:
    text = world.client(at="http://127.0.0.1:8080").get("/").text
    assert "manifest.xml?download" not in text
    assert "OROSYNC_PUBLIC_URL" in text


def test_names_of_others_are_text_and_no_markup(world: PagesWorld) -> None:
    client = world.client()
    client.put("/api/v1/admin/look", json={"name": "<b>A & B</b>"}, headers=signed_in("boss"))
    text = client.get("/").text
    assert "<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>" in text
    client = world.client(at="https://evil<script>.example")
    assert "<script>.example" not in client.get("/").text


@pytest.mark.parametrize("path", ["page.html.jinja", "../taskpane.html", "..%2f..%2fmanifest.xml", "nothing.css"])
def test_only_the_page_s_own_files_are_served_beside_it(world: PagesWorld, path: str) -> None:
    assert "{{" not in world.client().get(f"/addin/landing/{path}").text
    if "taskpane" not in path:  # that address is the pane's own, and leads there
        assert world.client().get(f"/addin/landing/{path}").status_code == 404


# --- in a browser --------------------------------------------------------------------------------------------------


@pytest.fixture
def address(world: PagesWorld) -> Iterator[str]:
    app = world.app(demo=True, public_url="https://sync.example.com")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 320, "height": 640})
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()


def violations(page: Page) -> list[Any]:
    """Rules of axe that the page breaks."""
    source = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
    page.evaluate(source)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", WHAT_AXE_RUNS)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_fits_a_narrow_screen_and_breaks_no_policy(
    page: Page, address: str, complaints: list[str], scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address)
    page.get_by_text("It works.").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    assert complaints == []
    page.evaluate("document.querySelector('.quiet').style.color = getComputedStyle(document.body).backgroundColor")
    assert [rule for rule, _ in violations(page)] == ["color-contrast"]


def test_health_is_told_as_it_changes(page: Page, address: str, world: PagesWorld) -> None:
    page.clock.install()
    page.goto(address)
    health = page.get_by_role("status")
    page.get_by_text("It works.").wait_for()
    with world.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'r9999'"))
    page.clock.run_for(16_000)
    page.get_by_text("It runs, but its database").wait_for()
    page.route("**/readyz", lambda route: route.abort())
    page.clock.run_for(16_000)
    page.get_by_text("It does not answer.").wait_for()
    assert "It does not answer." in health.inner_text()


def test_everything_is_reached_by_keyboard_and_the_content_is_one_step_away(page: Page, address: str) -> None:
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    wanted = page.locator("main a:visible, main summary:visible").count()
    reached = set()
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Download manifest.xml", "Open the demonstration", "Outlook on Mac"} <= reached
    assert len(reached) == wanted


def test_without_scripts_it_still_shows_the_steps(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.get_by_role("link", name="readyz").is_visible()
    page.locator("summary", has_text="Outlook on Mac").click()
    assert page.get_by_text("Quit Outlook and start it again.").is_visible()
    context.close()
