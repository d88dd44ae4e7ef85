"""Every screen the pane has, in light and in dark: readable by everybody, within 320 px, without a complaint of the
browser.

Screens are reached through the real application; only what networks do is played by the browser.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Route, expect
from tests.pane.outlook import OFFICE, Outlook, violations
from tests.pane.site import PaneWorld

from orosync.sandbox.oro import create_oro_app
from orosync.sandbox.transport import serve

ADDIN = Path(__file__).resolve().parents[2] / "addin"
Window = Callable[..., Outlook]

TWINS = {"displayName": "Office", "emailAddress": "office@lovelace.example"}
STRANGER = {"displayName": "Grace Hopper", "emailAddress": "grace@hopper.example"}


def test_no_screen_of_the_pane_is_forgotten_here() -> None:
    """Names of screens are the first argument of `named` and `show`, or either of two of them."""
    sources = "\n".join(path.read_text("utf-8") for path in (ADDIN / "js").rglob("*.js"))
    calls = re.findall(r"\b(?:named|show|showFailed)\(((?:[^()]|\([^()]*\))*)\)", sources)
    screens = {name for call in calls for name in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', call)}
    views = set(re.findall(r'^\s+\["([a-z-]+)", "', (ADDIN / "js" / "main.js").read_text("utf-8"), re.MULTILINE))
    assert {"no-office", "offline", "crm", "undone", "several-selected"} <= screens
    assert {"status", "admin-look", "first-sync"} <= views
    own = "\n".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert {name for name in screens | views if f'"{name}"' not in own} == set()


def test_the_check_itself_finds_what_is_planted(outlook: Outlook) -> None:
    outlook.open(None)
    outlook.shows("not-signed-in")
    assert outlook.wrong_here("sign-in") == []
    outlook.page.evaluate("""() => {
        const content = document.getElementById("content");
        content.insertAdjacentHTML("beforeend", '<img src="/addin/assets/icon-16.png"><p id="wide">no.such_text</p>');
        document.getElementById("wide").className = "wrap";
        document.getElementById("wide").append(document.createElement("pre"));
        document.querySelector("pre").textContent = "wide ".repeat(60);
        document.getElementById("wide").style.color = "#777";
        const script = document.createElement("script");
        script.src = "https://evil.example/script.js";
        document.head.append(script);
    }""")
    outlook.until("window.__broken.length > 0")
    told = "\n".join(outlook.wrong_here("sign-in"))
    assert "light: image-alt" in told
    assert "dark: color-contrast" in told
    assert "sideways" in told
    assert "CSP: script-src-elem https://evil.example/script.js" in told


def test_the_check_itself_finds_a_style_sheet_that_did_not_come(outlook: Outlook) -> None:
    outlook.page.route("**/css/taskpane.css", lambda route: route.abort())
    outlook.open(None)
    outlook.shows("not-signed-in")
    assert "sign-in: no style sheet: net::ERR_FAILED /addin/css/taskpane.css" in outlook.wrong_here("sign-in")


# ------------------------------------------------------------------------------------- before anything is connected


def test_until_somebody_is_signed_in(outlook: Outlook) -> None:
    page, wrong = outlook.page, list[str]()
    held: list[Route] = []
    page.route("**/addin/config.json", lambda route: held.append(route), times=1)  # noqa: PLW0108  # wants a function
    outlook.open(None)
    outlook.shows("loading")
    outlook.until("document.styleSheets.length === 2")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        wrong += [f"first paint, {scheme}: {each}" for each in violations(page)]
    held[0].continue_()
    outlook.shows("not-signed-in")
    expect(page.locator("[data-person]")).to_have_count(3)
    wrong += outlook.wrong_here("not-signed-in")
    page.route("**/api/v1/me", lambda route: held.append(route), times=1)  # noqa: PLW0108  # as above
    page.locator('[data-person="boris"]').click()
    outlook.shows("loading")
    wrong += outlook.wrong_here("loading")
    held[1].continue_()
    outlook.shows("not-connected")
    wrong += outlook.wrong_here("not-connected")
    outlook.click("sign-out")
    outlook.shows("not-signed-in")
    wrong += outlook.wrong_here("signed-out")
    assert wrong == []


def test_while_an_orocrm_is_connected(world: PaneWorld, outlook: Outlook) -> None:
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("not-connected")
    outlook.click("connect")
    outlook.shows("connect", "connect")
    wrong += outlook.wrong_here("connect")
    outlook.click("save-connection")
    expect(page.locator("[aria-invalid]")).to_have_count(2)
    wrong += outlook.wrong_here("connect, nothing typed")
    page.locator('[name="user"]').fill("boris")
    page.locator('[name="secret"]').fill("wrong")
    outlook.click("check-connection")
    page.locator('[data-part="findings"][data-ok="false"]').wait_for()
    wrong += outlook.wrong_here("connect, findings")
    for way in ("client-credentials", "wsse"):
        page.locator(f'input[name="way"][value="{way}"]').check()
        wrong += outlook.wrong_here(f"connect, {way}")
    page.locator('[name="secret"]').fill(world.boris.api_key)
    outlook.click("save-connection")
    outlook.shows("preview", "first-sync")
    assert wrong == []
    assert outlook.failed == []


def test_an_orocrm_whose_certificate_nobody_vouches_for(world: PaneWorld, outlook: Outlook) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serve(create_oro_app(world.oro), ssl_context=context) as crm:
        host = crm.url.removeprefix("https://")
        config = replace(world.config, oro_hosts=(host,), allow_self_signed=True, allow_insecure_loopback=True)
        world.put_online(world.site, config=config)
        outlook.open()
        outlook.click("connect")
        outlook.shows("connect", "connect")
        outlook.page.locator('[name="user"]').fill("boris")
        outlook.page.locator('[name="secret"]').fill(world.boris.api_key)
        outlook.click("check-connection")
        trust = outlook.page.locator('[data-action="trust-certificate"]')
        trust.wait_for()
        wrong = outlook.wrong_here("connect, unknown certificate")
        trust.click()
        outlook.page.locator('[data-part="findings"][data-ok="true"]').wait_for()
        outlook.page.locator('[data-action="forget-certificate"]').wait_for()
        wrong += outlook.wrong_here("connect, pinned certificate")
        outlook.click("save-connection")
        outlook.shows("preview", "first-sync")
        assert world.account().certificate is not None
    assert wrong == []


# ------------------------------------------------------------------------------------- Outlook or network are not there


def test_without_an_outlook_around_it(window: Window) -> None:
    outside = window(host=False)
    outside.open()
    outside.shows("no-office")
    assert outside.wrong_here("no-office") == []
    without = window()
    without.page.route(OFFICE, lambda route: route.abort())
    without.open()
    without.shows("office-unreachable")
    assert without.wrong_here("office-unreachable") == []
    without.page.unroute(OFFICE)
    without.click("retry")
    without.shows("not-connected")


def test_when_the_service_does_not_answer(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.context.set_offline(True)
    page.locator("#tab-conflicts").click()
    outlook.shows("offline")
    wrong += outlook.wrong_here("offline")
    outlook.context.set_offline(False)  # it tries again by itself
    outlook.shows("conflicts", "conflicts")
    page.route("**/api/v1/syncs?*", lambda route: route.fulfill(status=500, body="<h1>Internal Server Error</h1>"))
    page.locator("#tab-activity").click()
    outlook.shows("server-error")
    wrong += outlook.wrong_here("server-error")
    page.unroute("**/api/v1/syncs?*")
    outlook.click("retry")
    outlook.shows("activity", "activity")
    assert wrong == []


def test_when_the_service_is_not_there_from_the_beginning(outlook: Outlook) -> None:
    outlook.page.route("**/addin/config.json", lambda route: route.abort())
    outlook.open()
    outlook.shows("offline")
    assert outlook.wrong_here("offline") == []
    outlook.page.unroute("**/addin/config.json")
    outlook.click("retry")
    outlook.shows("not-connected")


# ------------------------------------------------------------------------------------- the first sync


def test_the_first_sync(world: PaneWorld, outlook: Outlook) -> None:
    world.connected()
    world.contact(jobTitle="Countess", emails=["ada@lovelace.example"], phones=["+44 20 7946 0000"])
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("preview", "first-sync")
    wrong += outlook.wrong_here("first-sync")
    world.queue.waits = True
    outlook.click("start-preview")
    page.locator('.progress-block[data-state="waiting"]').wait_for()
    wrong += outlook.wrong_here("preview under way")
    world.queue.work()
    page.locator('[data-part="plan"]').wait_for()
    page.locator('[data-verb="create"] summary').click()
    page.locator(".changes").wait_for()
    wrong += outlook.wrong_here("preview")
    outlook.click("start-first-sync")
    outlook.shows("running")
    wrong += outlook.wrong_here("running")
    world.queue.work()
    outlook.shows("first-sync-done")
    wrong += outlook.wrong_here("first-sync-done")
    assert [each["givenName"] for each in world.boxes["boris"].items("contact")] == ["Ada"]
    assert wrong == []


def test_a_first_sync_that_has_nothing_to_do(world: PaneWorld, outlook: Outlook) -> None:
    world.connected()
    outlook.open()
    outlook.click("start-preview")
    outlook.shows("nothing-to-do")
    outlook.page.locator('[data-part="plan"]').wait_for()
    assert outlook.wrong_here("nothing-to-do") == []


# ------------------------------------------------------------------------------------- in step


def test_everything_is_in_step(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    wrong += outlook.wrong_here("status")
    for name in ("conflicts", "activity", "problems", "settings"):
        outlook.tab(name)
        wrong += outlook.wrong_here(name)
    outlook.tab("activity")
    outlook.click("open-run")
    outlook.shows("run", "run")
    page.locator('[data-verb="create"] summary').first.click()
    wrong += outlook.wrong_here("run")
    outlook.click("undo")
    outlook.shows("undo")
    page.locator('[data-action="confirm-undo"]').wait_for()
    wrong += outlook.wrong_here("undo")
    outlook.click("confirm-undo")
    outlook.shows("undone")
    wrong += outlook.wrong_here("undone")
    assert world.boxes["boris"].items("contact") == []
    assert wrong == []


def test_the_account_and_what_can_be_done_with_it(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.tab("settings")
    outlook.click("open-account")
    outlook.shows("account", "account")
    outlook.click("check-connection")
    page.locator('[data-list="findings"]').wait_for()
    wrong += outlook.wrong_here("account")
    outlook.click("change-connection")
    outlook.shows("connect", "connect")
    wrong += outlook.wrong_here("connect again")
    outlook.click("back")
    outlook.shows("account", "account")
    outlook.click("disconnect")
    page.locator("dialog[open]").wait_for()
    wrong += outlook.wrong_here("disconnect")
    outlook.click("confirm-dialog")
    outlook.shows("not-connected")
    assert world.database.accounts.owned_by("local:boris") is None
    assert wrong == []


# ------------------------------------------------------------------------------------- something waits for the person


def test_something_waits_for_the_person(world: PaneWorld, outlook: Outlook) -> None:
    boris = world.in_step(conflict_resolution="ask")
    world.disagree()
    world.fail_once()
    boris.sync()
    world.decide(guard__creates=2)
    for name in ("Byron", "Mary", "Percy"):
        world.contact(name)
    assert boris.sync()["state"] == "held"
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("status", "status")
    expect(page.locator("[data-attention]")).to_have_count(3)
    wrong += outlook.wrong_here("status")
    outlook.tab("conflicts")
    expect(page.locator(".conflict")).to_have_count(1)
    wrong += outlook.wrong_here("conflicts")
    outlook.click("take-all-oro")
    page.locator("dialog[open]").wait_for()
    wrong += outlook.wrong_here("take all")
    outlook.click("cancel-dialog")
    outlook.click("take-oro")
    page.locator('.conflict[data-choice="oro"]').wait_for()
    wrong += outlook.wrong_here("conflict, settled")
    outlook.tab("problems")
    outlook.click("see-plan")
    page.locator('[data-problem="held"] [data-list="ops"]').wait_for()
    outlook.click("explain")
    page.locator("[data-quarantined] .limits").wait_for()
    wrong += outlook.wrong_here("problems")
    outlook.click("approve")
    outlook.shows("status", "status")
    assert {"Byron", "Mary", "Percy"} <= {each["givenName"] for each in world.boxes["boris"].items("contact")}
    assert wrong == []


def test_an_account_that_orocrm_refuses(world: PaneWorld, outlook: Outlook) -> None:
    boris = world.in_step()
    world.boris.api_key = "changed"
    assert boris.sync()["state"] == "suspended"
    wrong = list[str]()
    outlook.open()
    outlook.shows("status", "status")
    wrong += outlook.wrong_here("status, suspended")
    outlook.tab("problems")
    wrong += outlook.wrong_here("problems, suspended")
    outlook.click("open-account")
    outlook.shows("account", "account")
    wrong += outlook.wrong_here("account, suspended")
    assert wrong == []


# ------------------------------------------------------------------------------------- beside the open mail


def test_beside_the_open_mail(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    for name in ("Mary", "Byron"):
        world.contact(name, emails=[TWINS["emailAddress"]])
    page, wrong = outlook.page, list[str]()
    outlook.open()
    outlook.shows("nothing-to-do", "status")
    outlook.tab("crm")
    page.locator('[data-sync="linked"]').wait_for()
    wrong += outlook.wrong_here("crm")
    outlook.click("show-related")
    page.locator('[data-action="new-task"]').click()
    page.locator('[data-create="task"]').wait_for()
    wrong += outlook.wrong_here("crm, related")
    outlook.drive("select", {"from": STRANGER, "to": [], "cc": [], "subject": "Compilers"})
    page.locator('[data-address="grace@hopper.example"][data-matches="0"]').wait_for()
    outlook.click("new-contact")
    page.locator('[data-create="contact"]').wait_for()
    wrong += outlook.wrong_here("crm, nobody known")
    outlook.click("create-record")
    page.locator('[data-matches="1"]').wait_for()
    wrong += outlook.wrong_here("crm, created")
    outlook.drive("select", {"from": TWINS, "to": [], "cc": [], "subject": "Engines"})
    page.locator('[data-matches="2"]').wait_for()
    wrong += outlook.wrong_here("crm, several matches")
    page.locator('[data-matches="2"] input[type="radio"]').first.check()
    page.locator('[data-action="show-related"]').wait_for()
    wrong += outlook.wrong_here("crm, one of several")
    outlook.drive("select", None)
    outlook.shows("no-item", "crm")
    wrong += outlook.wrong_here("no-item")
    outlook.drive("selectSeveral", 3)
    outlook.shows("several-selected", "crm")
    wrong += outlook.wrong_here("several-selected")
    outlook.drive("select", {"compose": True, "to": [], "cc": [], "subject": ""})
    page.get_by_text("Nobody here yet").wait_for()
    wrong += outlook.wrong_here("crm, a draft to nobody")
    assert wrong == []


# ------------------------------------------------------------------------------------- for administrators


def test_what_administrators_see(world: PaneWorld, outlook: Outlook) -> None:
    world.in_step()
    world.person("anna").connect()
    page, wrong = outlook.page, list[str]()
    outlook.open("anna")
    outlook.click("later")
    outlook.tab("settings")
    outlook.click("open-admin")
    outlook.shows("admin", "admin")
    wrong += outlook.wrong_here("admin")
    outlook.click("open-admin-settings")
    for level in ("organisation", "system"):
        outlook.click(f"level-{level}")
        page.locator(f'form[data-level="{level}"]').wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        outlook.shows("admin-settings", "admin-settings")
        wrong += outlook.wrong_here(f"admin-settings, {level}")
    outlook.click("back")
    outlook.shows("admin", "admin")
    outlook.click("open-admin-accounts")
    outlook.shows("admin-accounts", "admin-accounts")
    expect(page.locator("[data-account]")).to_have_count(2)
    wrong += outlook.wrong_here("admin-accounts")
    outlook.click("back")
    outlook.click("open-admin-look")
    outlook.shows("admin-look", "admin-look")
    wrong += outlook.wrong_here("admin-look")
    page.locator("details.group > summary").click()
    page.locator('[name="html"]').fill("<h3>Hello</h3><script>alert(1)</script>")
    page.locator('[name="css"]').fill("h3 { color: #060; background: #fff; } body { display: none; }")
    page.locator(".bar-warning").wait_for()
    page.locator('[data-part="look-preview"] h3').wait_for()
    wrong += outlook.wrong_here("admin-look, own HTML")
    assert wrong == []


@pytest.mark.parametrize("accent", ["#ffe600", "#7a0019"])
def test_a_companys_own_look_stays_readable(world: PaneWorld, outlook: Outlook, accent: str) -> None:
    world.in_step(conflict_resolution="ask")
    world.disagree()
    world.person("boris").sync()
    look = {
        "name": "Contoso with a rather long name of its own",
        "accent": accent,
        "welcome": "Ask the sales desk: 4711.",
        "sections": ["conflicts", "status", "settings"],
        "html": "<p>Price list of this week</p>",
    }
    answer = world.person("anna").ask("PUT", "/admin/look", json=look)
    assert answer.status_code == 200, answer.text
    outlook.open()
    outlook.shows("conflicts", "conflicts")
    wrong = outlook.wrong_here("conflicts")
    outlook.tab("status")
    outlook.page.get_by_text("Price list of this week").wait_for()
    wrong += outlook.wrong_here("status")
    assert wrong == []
