"""What happens while the pane is open: runs go on, tokens end, others save settings, services pause."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld


@contextmanager
def held_in_its_middle(world: PaneWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The next run tells how far it is, and then waits until the function that is given is called."""
    go_on, runs = threading.Event(), world.database.requested_runs
    tell = runs.tell_progress

    def tell_and_wait(account: int, run: str, progress: dict[str, Any]) -> bool:
        wanted = tell(account, run, progress)
        if progress.get("total"):
            go_on.wait(30)
        return wanted

    monkeypatch.setattr(runs, "tell_progress", tell_and_wait)
    monkeypatch.setattr("orosync.jobs.account_work._TELL_EVERY_S", 0.0)
    world.queue.waits = True
    worker = threading.Thread(target=world.queue.work)

    def begin_or_go_on() -> None:
        if worker.ident is None:
            worker.start()
        else:
            go_on.set()

    yield begin_or_go_on
    go_on.set()
    if worker.ident is not None:
        worker.join(30)
    assert not worker.is_alive()


@pytest.mark.parametrize("stream", ["works", "is cut off", "is swallowed"])
def test_the_progress_of_a_run_is_shown_while_it_lasts(
    world: PaneWorld, outlook: Outlook, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    world.in_step()
    for number in range(12):
        world.contact(f"Byron {number}")
    if stream == "is cut off":
        outlook.page.route("**/events", lambda route: route.abort())
    elif stream == "is swallowed":
        outlook.page.route("**/events", lambda route: route.fulfill(body="", content_type="text/event-stream"))
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    with held_in_its_middle(world, monkeypatch) as next_step:
        outlook.click("sync-now")
        outlook.page.locator('.progress-block[data-state="waiting"]').wait_for()
        next_step()
        progress = outlook.page.locator('.progress-block[data-state="running"]')
        expect(progress.locator("progress[value]")).to_have_attribute("max", re.compile(r"^[1-9]"))
        expect(progress).to_contain_text(re.compile(r"\d"))
        next_step()
        outlook.shows("nothing-to-do", "status")
    expect(outlook.page.locator('[data-part="hero"]')).to_contain_text("12")
    expect(outlook.page.locator("#announcer")).to_contain_text("12")
    assert len(world.boxes["boris"].items("contact")) == 13
    assert outlook.broken() == []


def test_a_run_that_somebody_stops_says_so(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    world.queue.waits = True
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.click("sync-now")
    outlook.click("cancel-run")
    outlook.shows("status", "status")
    world.queue.work()
    assert world.person("boris").get("/syncs")["items"][0]["state"] == "cancelled"


def test_a_run_that_was_already_asked_for_is_shown_in_place_of_a_second(world: PaneWorld, outlook: Outlook) -> None:
    boris = world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    world.queue.waits = True
    boris.post("/syncs")
    outlook.click("sync-now")
    outlook.click("show-running")
    outlook.shows("running")
    world.queue.work()
    outlook.shows("nothing-to-do", "status")


def test_a_run_that_nobody_asked_for_may_be_forgotten_while_it_is_watched(world: PaneWorld, outlook: Outlook) -> None:
    """It found nothing to do, so it leaves no trace; that is no trouble to tell anybody of."""
    world.in_step()
    account, now = world.account().id, world.parts.clock.now()
    lease = world.database.leases.take(account, "a worker:idle", now, timedelta(minutes=5))
    assert lease is not None
    store = world.database.account_store(account, lease)
    store.start_run("idle", "sync", now)
    outlook.open()
    outlook.shows("running", "status")
    store.forget_run("idle")
    world.database.leases.release(lease)
    outlook.shows("nothing-to-do", "status")
    outlook.page.locator('[data-action="sync-now"]').wait_for()
    expect(outlook.page.locator("#notice")).to_be_hidden()
    assert outlook.broken() == []


def test_a_token_that_has_ended_is_renewed_without_a_word(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    world.sign_in._key = b"another key of thirty-two letters"
    outlook.tab("activity")
    assert [each for each in outlook.failed if not each.startswith("401 /api/v1/")] == []
    assert outlook.failed
    expect(outlook.page.locator("#notice")).to_be_hidden()


def test_settings_that_somebody_else_saved_meanwhile_are_shown_and_ones_own_kept(
    world: PaneWorld, outlook: Outlook
) -> None:
    boris = world.in_step()
    page = outlook.page
    outlook.open()
    outlook.tab("settings")
    page.locator('[data-setting="sync_tasks"] input').uncheck()
    tag = boris.ask("GET", "/settings").headers["ETag"]
    changed = boris.ask("PATCH", "/settings", json={"show_alerts": False}, headers={"If-Match": tag})
    assert changed.status_code == 200
    outlook.click("save-settings")
    page.locator('[data-stale="true"]').wait_for()
    assert "412 /api/v1/settings" in outlook.failed
    expect(page.locator("#announcer")).not_to_be_empty()
    expect(page.locator('[data-setting="sync_tasks"] input')).not_to_be_checked()
    expect(page.locator('[data-setting="show_alerts"] input')).not_to_be_checked()
    assert outlook.wrong_here("settings, saved meanwhile") == []
    outlook.click("save-settings")
    page.locator('[data-notice="success"]').wait_for()
    expect(page.locator('[data-stale="true"]')).to_have_count(0)
    found = {each["key"]: each["value"] for each in boris.get("/settings")["items"]}
    assert (found["sync_tasks"], found["show_alerts"]) == (False, False)


def test_a_setting_that_cannot_be_is_refused_at_its_field(world: PaneWorld, outlook: Outlook) -> None:
    world.person("anna").connect().first_sync()
    page = outlook.page
    outlook.open("anna")
    outlook.tab("settings")
    outlook.click("open-admin")
    outlook.click("open-admin-settings")
    outlook.shows("admin-settings", "admin-settings")
    row = page.locator('[data-setting="guard.creates"]')
    page.locator("details", has=row).locator("summary").click()
    row.locator("input").fill("-5")
    outlook.click("save-settings")
    row.locator(".field-error").wait_for()
    expect(row.locator("input")).to_be_focused()
    assert outlook.wrong_here("settings, refused") == []


def test_a_service_that_pauses_is_tried_again_by_the_person(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    problem = {"type": "about:blank", "title": "Busy", "status": 503, "code": "try_later", "detail": "Busy just now."}
    outlook.page.route(
        "**/api/v1/conflicts*",
        lambda route: route.fulfill(
            status=503,
            headers={"Retry-After": "7", "X-Request-Id": "4711"},
            content_type="application/problem+json",
            body=json.dumps(problem),
        ),
    )
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.page.locator("#tab-conflicts").click()
    outlook.shows("server-error")
    expect(outlook.page.locator("#panel")).to_contain_text("Busy just now.")
    expect(outlook.page.locator("#panel")).to_contain_text("7 sec")
    expect(outlook.page.locator("#panel")).to_contain_text("4711")
    assert outlook.wrong_here("server-error, later") == []
    outlook.click("retry")
    outlook.shows("server-error")
    outlook.page.unroute("**/api/v1/conflicts*")
    outlook.click("retry")
    outlook.shows("conflicts", "conflicts")
    assert outlook.page.evaluate("document.activeElement.tagName") == "H1"


def test_a_service_that_is_slow_shows_that_it_is_asked(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    held: list[Any] = []
    outlook.page.route("**/api/v1/syncs?*", lambda route: held.append(route), times=1)  # noqa: PLW0108  # wants a function
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.page.locator("#tab-activity").click()
    outlook.page.locator('.skeleton[role="status"]').wait_for()
    assert outlook.wrong_here("activity, waiting") == []
    outlook.page.locator("#tab-problems").click()  # nobody has to wait for it
    outlook.shows("problems", "problems")
    held[0].abort()
    outlook.tab("activity")
    assert outlook.broken() == []


# ------------------------------------------------------------------------------------- alerts in the open message


def test_something_that_waits_is_told_in_the_open_message_while_alerts_are_on(
    world: PaneWorld, outlook: Outlook
) -> None:
    boris = world.in_step(conflict_resolution="ask")
    page = outlook.page
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    assert outlook.drive("alerts") == []
    world.disagree()
    boris.sync()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # the pane is looked at again
    outlook.until("window.__outlook.alerts().length === 1")
    (alert,) = outlook.drive("alerts")
    assert "1 " in alert
    assert page.locator('[data-badge="conflicts"]').inner_text() == "1"
    outlook.tab("settings")
    page.locator('[data-setting="show_alerts"] input').uncheck()
    outlook.click("save-settings")
    outlook.until("window.__outlook.alerts().length === 0")
    outlook.tab("conflicts")
    assert outlook.drive("alerts") == []
    assert outlook.broken() == []
