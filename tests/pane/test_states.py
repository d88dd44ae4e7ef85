"""How the account is doing, as a person and an administrator see it: what holds things up, since when, until when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld
from tests.web.application import Person


def own_setting(person: Person, **chosen: Any) -> None:
    tag = person.ask("GET", "/settings").headers["ETag"]
    assert person.ask("PATCH", "/settings", json=chosen, headers={"If-Match": tag}).status_code == 200


def put_into(world: PaneWorld, boris: Person, state: str) -> None:
    if state == "off":
        own_setting(boris, enable_sync=False)
    elif state == "throttled":
        world.database.mailboxes.pause(world.account().mailbox, datetime.now(UTC) + timedelta(minutes=10, seconds=30))
    elif state == "failing":
        world.oro.fail_next("GET", "/api/contacts", 500)
        assert boris.sync()["state"] == "failed"
    elif state == "disabled":
        world.database.accounts.disable(world.account().id, "on leave", datetime.now(UTC))


@pytest.mark.parametrize(
    ("state", "heading", "lines"),
    [
        ("waiting", "Everything is in step", ["Next run (now|in )", "Looked at: Outlook (now|.+ ago), OroCRM"]),
        ("off", "Only on demand", ["Nothing is synced by itself", "Looked at: Outlook"]),
        ("throttled", "asked for a pause", ["Goes on by itself in 10 minutes"]),
        ("failing", "Syncing does not succeed", [r"Since \d+:\d\d", "tried again by itself", "Next try (now|in )"]),
        ("disabled", "Switched off by your administrator", []),
    ],
)
def test_the_first_section_says_in_which_state_the_account_is(
    world: PaneWorld, outlook: Outlook, state: str, heading: str, lines: list[str]
) -> None:
    put_into(world, world.in_step(), state)
    outlook.open()
    outlook.shows("nothing-to-do" if state == "waiting" else "status", "status")
    hero = outlook.page.locator('[data-part="hero"]')
    expect(hero.locator(f'[data-condition="{state}"]')).to_be_visible()
    expect(hero.locator("h2")).to_contain_text(heading)
    for line in lines:
        expect(hero).to_contain_text(re.compile(line))
    if state in {"off", "disabled"}:
        expect(hero).not_to_contain_text("Next run")
    assert outlook.wrong_here(f"status, {state}") == []


@pytest.mark.parametrize("state", ["throttled", "failing"])
def test_trouble_with_a_side_is_among_the_problems_with_its_reason(
    world: PaneWorld, outlook: Outlook, state: str
) -> None:
    put_into(world, world.in_step(), state)
    outlook.open()
    outlook.tab("problems")
    problem = outlook.page.locator(f'[data-problem="{state}"]')
    expect(problem).to_contain_text({"failing": "500", "throttled": "asked for a pause"}[state])
    assert outlook.wrong_here(f"problems, {state}") == []
    if state == "failing":
        outlook.click("open-account")
        outlook.shows("account", "account")


def test_an_administrator_chooses_accounts_by_their_state(world: PaneWorld, outlook: Outlook) -> None:
    put_into(world, world.in_step(), "failing")
    world.person("anna").connect().first_sync()
    page = outlook.page
    outlook.open("anna")
    outlook.tab("settings")
    outlook.click("open-admin")
    outlook.click("open-admin-accounts")
    outlook.shows("admin-accounts", "admin-accounts")
    rows = page.locator('[data-list="accounts"] > li')
    expect(rows).to_have_count(2)
    expect(page.locator('li[data-state="failing"]')).to_contain_text("500")
    assert outlook.wrong_here("admin-accounts, states") == []
    chosen = page.get_by_label("Show")
    chosen.select_option("failing")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(["boris"])
    chosen.select_option("held")
    expect(rows).to_have_count(0)
    expect(page.locator('[data-part="none"]')).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("No account")
    assert outlook.wrong_here("admin-accounts, none in this state") == []
    chosen.select_option("")
    expect(rows).to_have_count(2)
