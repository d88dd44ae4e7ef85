"""The demonstration in a browser: its tour, by its own buttons and by hand, and everybody can use it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, Route, expect
from tests.pane.conftest import Watch

from orosync.bootstrap.demonstration import Demonstration, Size, opened

pytestmark = pytest.mark.slow

STEPS = ("preview", "sync", "travel", "conflict", "undo")
# what is marked as arrived, which lasts for seconds: on a busy machine it may be over before anybody looks
_NOTE_ARRIVALS = """() => {
  window.__arrived = [];
  const marks = "#oro .record.arrived, #oro .arrival-line:not([hidden])";
  const note = () => document.querySelectorAll(marks).forEach((each) => window.__arrived.push(each.textContent));
  const everything = { subtree: true, childList: true, attributes: true };
  new MutationObserver(note).observe(document.getElementById("oro"), everything);
}"""


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    with opened(tmp_path, size=Size(15, 5, 5)) as made:
        loop = threading.Thread(target=made.keep_in_step, daemon=True)
        loop.start()
        yield made
    loop.join(timeout=20)
    assert not loop.is_alive()


class Visit:
    """The page, with words for what a person does on it."""

    def __init__(self, page: Page, watch: Watch, demonstration: Demonstration) -> None:
        self.page, self.watch = page, watch
        self.page.goto(f"{demonstration.url}/demo")
        expect(self.do("sign-in", self.pane)).to_be_visible()
        self.page.evaluate(_NOTE_ARRIVALS)

    @property
    def pane(self) -> FrameLocator:
        return self.page.frame_locator("#frame")

    def do(self, action: str, where: Any = None) -> Locator:
        return (where or self.page).locator(f'[data-action="{action}"]').first

    def forgive(self, sign: str) -> None:
        """What the test itself did wrong: there has to be something, and nothing else."""
        assert self.watch.problems
        assert [each for each in self.watch.problems if sign not in each] == []
        self.watch.problems.clear()

    def done(self, step: str) -> None:
        expect(self.page.locator(f'[data-step="{step}"]')).to_have_attribute("data-done", "true")

    def arrived(self) -> str:
        """What OroCRM's column has marked as new since the page was opened."""
        return "\n".join(self.page.evaluate("window.__arrived"))

    def side(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def field(self, side: str, name: str) -> Locator:
        return self.side(side).locator(f'.card [data-field="{name}"] .input')

    def open_linked(self) -> str:
        """A contact that is linked, in both columns. Returns its name."""
        row = self.side("outlook").locator(".record", has=self.page.locator(".linked")).first
        name = row.locator(".record-title").inner_text()
        row.click()
        for side in ("outlook", "oro"):
            expect(self.side(side).locator(".card-name")).to_have_text(name)
        return name

    def edit(self, side: str, name: str, value: str) -> None:
        control = self.field(side, name)
        control.fill(value)
        control.press("Enter")


@pytest.fixture
def visit(demonstration: Demonstration, new_page: Callable[..., Any]) -> Iterator[Callable[..., Visit]]:
    """At its end nothing may have gone wrong that the test has not forgiven."""
    watches: list[Any] = []

    def start(**options: Any) -> Visit:
        page, watch = new_page(**({"viewport": {"width": 1440, "height": 900}} | options))
        watches.append(watch)
        return Visit(page, watch, demonstration)

    yield start
    assert [problem for watch in watches for problem in watch.problems] == []


@pytest.mark.parametrize("scheme", ["dark"])
def test_the_tour_goes_from_preview_to_undo_by_its_own_buttons(
    visit: Callable[..., Visit], accessible: Callable[..., None], demonstration: Demonstration, scheme: str
) -> None:
    it = visit(color_scheme=scheme)
    for step in STEPS:
        expect(it.page.locator(f'[data-step="{step}"]')).to_have_attribute("data-done", "false")
    accessible(it.page)
    before = len(demonstration.oro.contacts())

    it.do("do-connect").click()
    it.do("do-preview").click()
    it.done("preview")
    expect(it.do("start-first-sync", it.pane)).to_be_visible()
    assert len(demonstration.oro.contacts()) == before, "a preview writes nothing"
    accessible(it.page)

    it.do("do-first-sync").click()
    it.done("sync")
    expect(it.do("sync-now", it.pane)).to_be_visible()
    assert len(demonstration.oro.contacts()) > before
    assert "came from Outlook" in it.arrived()
    accessible(it.page)

    it.do("do-edit").click()
    it.done("travel")
    expect(it.field("oro", "job")).to_have_value(it.field("outlook", "job").input_value())
    assert "arrived from Outlook" in it.arrived()

    it.do("do-conflict").click()
    expect(it.do("do-choose-outlook")).to_be_visible()
    expect(it.page.locator('[data-part="pulse"]')).to_have_text("1 conflict to decide")
    accessible(it.page)
    it.do("do-choose-outlook").click()
    it.done("conflict")
    expect(it.field("oro", "job")).to_have_value("Head of Procurement")

    it.do("do-undo").click()
    it.done("undo")
    expect(it.field("oro", "job")).to_have_value("Chief Buyer")
    expect(it.do("tour-reset")).to_be_visible()
    accessible(it.page)


def test_the_tour_goes_by_hand_in_pane_and_columns(visit: Callable[..., Visit], demonstration: Demonstration) -> None:
    it = visit()
    it.do("sign-in", it.pane).click()
    it.do("connect", it.pane).click()
    it.side("oro").locator(".access summary").click()
    address, user, key = it.side("oro").locator(".access code").all_inner_texts()
    it.pane.locator('input[name="url"]').fill(address)
    it.pane.locator('input[name="user"]').fill(user)
    it.pane.locator('input[name="secret"]').fill(key)
    it.do("save-connection", it.pane).click()
    it.do("start-preview", it.pane).click()
    it.done("preview")
    it.do("start-first-sync", it.pane).click()
    it.done("sync")

    name = it.open_linked()
    it.edit("outlook", "job", "Head of Sales")
    it.done("travel")
    expect(it.field("oro", "job")).to_have_value("Head of Sales")
    assert "Head of Sales" in {contact["jobTitle"] for contact in demonstration.oro.contacts()}

    it.page.get_by_label("Sync by itself").uncheck()
    it.edit("outlook", "job", "Said in Outlook")
    it.edit("oro", "job", "Said in OroCRM")
    it.page.get_by_label("Sync by itself").check()
    expect(it.page.locator('[data-part="pulse"]')).to_have_text("1 conflict to decide")
    it.do("open-conflicts", it.pane).click()
    expect(it.pane.locator('[data-list="conflicts"]')).to_contain_text(name)
    it.do("take-oro", it.pane).click()
    it.done("conflict")
    expect(it.field("outlook", "job")).to_have_value("Said in OroCRM")

    it.do("open-activity", it.pane).click()
    it.do("open-run", it.pane).click()
    it.do("undo", it.pane).click()
    it.do("confirm-undo", it.pane).click()
    it.done("undo")
    expect(it.field("outlook", "job")).to_have_value("Said in Outlook")


def test_reset_begins_anew_in_every_column(visit: Callable[..., Visit], demonstration: Demonstration) -> None:
    it = visit()
    it.do("do-connect").click()
    it.do("do-preview").click()
    it.do("do-first-sync").click()
    it.done("sync")
    count = it.side("outlook").locator('[data-kind="contact"] .count')
    synced = count.inner_text()
    it.do("reset").click()
    expect(it.do("sign-in", it.pane)).to_be_visible()
    expect(it.page.locator('[data-part="pulse"]')).to_have_text("Not connected")
    expect(count).not_to_have_text(synced)
    for step in STEPS:
        expect(it.page.locator(f'[data-step="{step}"]')).to_have_attribute("data-done", "false")
    assert demonstration.database.accounts.all() == []


def test_records_are_made_edited_searched_and_deleted_on_both_sides(visit: Callable[..., Visit]) -> None:
    it = visit()
    for side, kind, name in (("oro", "contact", "last"), ("outlook", "task", "title"), ("oro", "event", "title")):
        column = it.side(side)
        column.locator(f'[data-kind="{kind}"]').click()
        it.do("new-record", column).click()
        column.locator(f'.card [data-field="{name}"] .input').fill("Zebrafink")
        it.do("create-record", column).click()
        expect(column.locator(".card-name")).to_have_text("Zebrafink")
        it.edit(side, name, "Zebra Finch")
        expect(column.locator(".card-name")).to_have_text("Zebra Finch")
        column.get_by_role("searchbox").fill("finch")
        expect(column.locator(".record")).to_have_count(1)
        it.do("delete-record", column).click()
        expect(column.locator(".records")).to_contain_text("Nothing fits")
        column.get_by_role("searchbox").fill("")


def test_what_a_system_refuses_is_said_beside_the_field(visit: Callable[..., Visit]) -> None:
    it = visit()

    def refuse(route: Route) -> None:
        if route.request.method != "PATCH":
            route.fallback()
            return
        route.fulfill(status=400, json={"error": {"code": "Refused", "message": "Not in this mailbox."}})

    it.page.route("**/demo/mailbox/**", refuse)
    before = it.field("outlook", "job").input_value()
    it.edit("outlook", "job", "Whatever")
    expect(it.side("outlook").get_by_role("alert")).to_have_text("Job title was not saved. Not in this mailbox.")
    expect(it.field("outlook", "job")).to_have_attribute("aria-invalid", "true")
    it.field("outlook", "job").press("Escape")
    expect(it.field("outlook", "job")).to_have_value(before)
    it.forgive("400")


def test_an_open_mail_shows_its_sender_in_the_pane(visit: Callable[..., Visit]) -> None:
    it = visit()
    it.do("do-connect").click()
    it.do("do-preview").click()
    it.do("do-first-sync").click()
    it.done("sync")
    it.side("outlook").locator('[data-kind="mail"]').click()
    row = it.side("outlook").locator('.record[data-action="open-mail"]').first
    name, address = row.locator(".record-title").inner_text(), row.get_attribute("data-address")
    row.click()
    it.do("open-crm", it.pane).click()
    expect(it.pane.locator(f'[data-address="{address}"]')).to_contain_text(name)


def test_without_an_answer_it_says_so_and_goes_on_when_it_can(visit: Callable[..., Visit]) -> None:
    it = visit()
    it.page.route("**/demo/**", lambda route: route.abort())
    expect(it.page.locator("#offline")).to_contain_text("does not answer")
    it.page.unroute_all()
    expect(it.page.locator("#offline")).to_be_hidden()
    it.forgive("net::ERR_FAILED")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 800])
def test_narrow_windows_show_one_column_at_a_time(
    visit: Callable[..., Visit], accessible: Callable[..., None], scheme: str, width: int
) -> None:
    it = visit(color_scheme=scheme, viewport={"width": width, "height": 800})
    expect(it.side("pane")).to_be_visible()
    for key, side in (("ArrowLeft", "oro"), ("End", "outlook"), ("ArrowRight", "oro")):
        it.page.get_by_role("tab", selected=True).press(key)
        expect(it.side(side)).to_be_visible()
        expect(it.page.locator("main > section:visible")).to_have_count(1)
        overflow = it.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow == 0
        accessible(it.page)


def test_an_answer_that_comes_late_leaves_the_focus_where_the_person_went(visit: Callable[..., Visit]) -> None:
    it = visit()
    held: list[Route] = []
    it.page.route("**/connection/options", lambda route: held.append(route))  # noqa: PLW0108  # no builtin will do
    it.do("sign-in", it.pane).click()
    with it.page.expect_request("**/connection/options"):
        it.do("connect", it.pane).click()
    summary = it.side("oro").locator(".access summary")
    summary.click()
    held[0].continue_()
    expect(it.pane.locator('input[name="url"]')).to_be_visible()
    expect(summary).to_be_focused()
    expect(it.side("oro").locator(".access code").first).to_be_visible()


def test_the_keyboard_alone_is_enough_to_edit_a_record(visit: Callable[..., Visit]) -> None:
    it = visit()
    it.page.keyboard.press("Tab")
    expect(it.page.get_by_role("link", name=re.compile("Skip"))).to_be_focused()
    it.page.keyboard.press("Enter")
    target = it.side("outlook").locator(".record").nth(1)
    for _ in range(200):
        it.page.keyboard.press("Tab")
        if target.evaluate("node => node === document.activeElement"):
            break
    name = target.locator(".record-title").inner_text()
    it.page.keyboard.press("Enter")
    expect(it.side("outlook").locator(".card-name")).to_have_text(name)
    expect(target).to_be_focused()
