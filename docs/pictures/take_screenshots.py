"""Takes the pictures of the guides: the demonstration's page and the pane's main screens, light and dark.

Run it again after a change of what they show: `.venv/bin/python docs/pictures/take_screenshots.py`. Needs Chromium
(/usr/bin/chromium, or CHROMIUM=path) and no network; PNGs are written beside this file.
"""  # noqa: INP001

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from orosync import telemetry
from orosync.bootstrap.demonstration import Demonstration, Size, opened
from orosync.core.records import Entity, Side

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")  # noqa: TID251 - see above
SCHEMES = ("light", "dark")
PANE = {"width": 320, "height": 570}  # Outlook on the web at 1366 x 768, the narrowest of all
PAGE = {"width": 1240, "height": 750}
MOST_BYTES = 150_000
TIMEOUT_MS = 20_000


class Api:
    """The demonstration's own API, as the person of the demonstration."""

    def __init__(self, demonstration: Demonstration) -> None:
        self.root = f"{demonstration.url}/api/v1"
        token = requests.post(f"{demonstration.url}/auth/local", json={"person": "anna"}, timeout=10).json()
        self.headers = {"Authorization": f"Bearer {token['access_token']}"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, self.root + path, json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def run(self, path: str, body: Any) -> Any:
        """Asks for a run and waits until it is over."""
        run = self.ask("POST", path, body)
        while run["state"] in {"waiting", "running"}:
            time.sleep(0.2)
            run = self.ask("GET", f"/syncs/{run['run']}")
        return run


def connect(demonstration: Demonstration, api: Api) -> None:
    orocrm = demonstration.facts()["orocrm"]
    body = {"orocrm_url": orocrm["url"], "orocrm_user": orocrm["user"], "secret": orocrm["key"]}
    api.ask("PUT", "/connection", body)


def partner_of(demonstration: Demonstration, oro_id: int) -> str:
    store = demonstration.database.account_store(demonstration.database.accounts.all()[0].id)
    return store.links_by_id(Side.ORO, Entity.CONTACT, [str(oro_id)])[str(oro_id)].outlook_id


def on_both_sides(demonstration: Demonstration) -> list[int]:
    """Contacts of both sides; those first whose names most readers can read."""
    known = demonstration.people.ids["contact"]["oro_both"]
    return sorted(known, key=lambda each: not demonstration.oro.contact(each)["lastName"].isascii())


def edit_both_sides(demonstration: Demonstration) -> None:
    """Two contacts whose job title is changed differently on both sides, and one that only Outlook changes."""
    people = demonstration.people
    mailbox = demonstration.graph.mailbox(people.upn)
    office = demonstration.oro.back_office_as(people.oro_user)
    both = on_both_sides(demonstration)
    for oro_id, theirs, ours in ((both[0], "Managing Partner", "Owner"), (both[1], "Plant Manager", "Chief Engineer")):
        office.edit("contact", oro_id, {"jobTitle": theirs})
        mailbox.user_update("contact", partner_of(demonstration, oro_id), {"jobTitle": ours})
    alone = people.ids["contact"]["oro_oro"][0]
    mailbox.user_update("contact", partner_of(demonstration, alone), {"jobTitle": "Head of Sales"})


# ------------------------------------------------------------------------------------------------ the browser


@contextmanager
def tab(browser: Browser, scheme: str, size: dict[str, int], scale: int) -> Iterator[Page]:
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        device_scale_factor=scale,
        color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    context.route("https://**", lambda route: route.abort())  # no network: the demonstration needs no Outlook
    try:
        yield context.new_page()
    finally:
        context.close()


def shoot(page: Page, name: str, scheme: str) -> None:
    page.wait_for_timeout(300)  # fonts and pictures are there; transitions are over
    file = HERE / f"{name}-{scheme}.png"
    page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{file.name}: {size // 1024} KB")  # noqa: T201 - it is run by hand
    if size > MOST_BYTES:
        sys.exit(f"{file.name} is too large for the repository.")


def pane(browser: Browser, demonstration: Demonstration, name: str, section: str, ready: str, **item: Any) -> None:
    """section: whose tab is opened, "" for what the pane shows first. ready: what has to be visible then."""
    for scheme in SCHEMES:
        with tab(browser, scheme, PANE, 2) as page:
            address = f"{demonstration.url}/addin/taskpane.html?person=anna&theme={scheme}&language=en"
            page.goto(address)
            if section:
                page.locator(f'[role="tab"][data-tab="{section}"]').click()
            if item:
                message = {"kind": "orosync-demo-item", "item": item}
                page.evaluate("message => window.postMessage(message, window.location.origin)", message)
            page.locator(ready).first.wait_for()
            page.evaluate("document.activeElement?.blur()")
            shoot(page, name, scheme)


def demo_page(browser: Browser, demonstration: Demonstration) -> None:
    for scheme in SCHEMES:
        with tab(browser, scheme, PAGE, 1) as page:
            page.goto(f"{demonstration.url}/demo")
            page.frame_locator("#frame").locator('[data-part="hero"]').wait_for()
            page.locator("#oro [data-id], #oro li").first.wait_for()
            page.wait_for_timeout(1_000)
            shoot(page, "demo-page", scheme)


def take(browser: Browser, demonstration: Demonstration) -> None:
    api = Api(demonstration)
    demonstration.set_automatic(on=False)
    pane(browser, demonstration, "pane-welcome", "", '[data-action="connect"]')
    connect(demonstration, api)
    preview = api.run("/syncs", {"preview": True})
    pane(browser, demonstration, "pane-preview", "", ".counts")
    api.run(f"/syncs/{preview['run']}/approve", {"plan_hash": preview["plan_hash"]})
    pane(browser, demonstration, "pane-status", "status", '[data-part="entities"] li')
    demonstration.set_automatic(on=True)  # nobody keeps it in step here, so nothing moves meanwhile
    demo_page(browser, demonstration)
    demonstration.set_automatic(on=False)
    contact = demonstration.oro.contact(on_both_sides(demonstration)[0])
    sender = {"name": f"{contact['firstName']} {contact['lastName']}", "address": contact["emails"][0]}
    pane(browser, demonstration, "pane-crm", "crm", '[data-sync="linked"]', **{"from": sender, "subject": "Your offer"})
    edit_both_sides(demonstration)
    api.run("/syncs", {})
    pane(browser, demonstration, "pane-conflicts", "conflicts", '[data-action^="take"]')
    pane(browser, demonstration, "pane-activity", "activity", '[data-action="open-run"]')


def main() -> None:
    telemetry.configure("warning")
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder), size=Size(30, 15, 15)) as demonstration,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        take(browser, demonstration)
        browser.close()


if __name__ == "__main__":
    main()
