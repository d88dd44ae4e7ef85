"""An Outlook for the pane: a browser context with a stubbed Office.js, a page, and what went wrong on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import axe_playwright_python
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request, Response, Route, expect

WIDTH, HEIGHT = 320, 570
OFFICE = "https://appsforoffice.microsoft.com/**"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that a theme can break

# what pages tell nobody else
_WATCH = """
window.__broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__broken.push(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""
# keys of texts that no language has are shown as they are: "status.calm"
_KEYS_SHOWN = """() => {
  const key = /^[a-z]+(_[a-z]+)*(\\.[a-z_]+)+$/;
  const host = /\\.(com|example)$/;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode.textContent.trim());
  for (const node of document.querySelectorAll("[aria-label], [title]"))
    found.push(node.getAttribute("aria-label") ?? "", node.title);
  return found.filter((text) => key.test(text) && !host.test(text));
}"""


@cache
def office_stub() -> str:
    return (Path(__file__).parent / "office_stub.js").read_text(encoding="utf-8")


@cache
def axe() -> str:
    return next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")


@dataclass
class Outlook:
    """One window of Outlook at 320 x 570, the narrowest there is. seed: of the stub, see office_stub.js."""

    browser: Browser
    url: str
    seed: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)  # of the browser context

    def __post_init__(self) -> None:
        usual: dict[str, Any] = {
            "viewport": {"width": WIDTH, "height": HEIGHT},
            "reduced_motion": "reduce",  # colours that are on their way from one to another say nothing about contrast
            "locale": "en-GB",
        }
        self.context: BrowserContext = self.browser.new_context(**(usual | dict(self.more)))
        self.context.set_default_timeout(15_000)
        self.context.add_init_script(_WATCH)
        self.context.add_init_script(f"window.__seed = {json.dumps(dict(self.seed))};")
        self.context.route(OFFICE, _give_stub)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        # "404 /api/v1/status", "net::ERR_FAILED /addin/config.json": what the browser writes into its console by itself
        self.failed: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("response", self._note)
        self.page.on("requestfailed", self._miss)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(message.text)

    def _note(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url.removeprefix(self.url)}")

    def _miss(self, request: Request) -> None:
        """Nothing that is judged by its looks may lack a style sheet; other requests fail in many tests on purpose."""
        reason = request.failure or ""
        if "ERR_ABORTED" in reason:  # given up by the page itself
            return
        self.failed.append(f"{reason} {request.url.removeprefix(self.url)}")
        if request.resource_type == "stylesheet":
            self.faults.append(f"no style sheet: {self.failed[-1]}")

    def close(self) -> None:
        self.context.close()

    # -------------------------------------------------------------------------------------------------- moving about

    def open(self, person: str | None = "boris", **query: str) -> None:
        """The pane, as Outlook opens it. person: who is signed in; None: nobody yet."""
        known = {"person": person} if person else {}
        asked = urlencode({"_host_Info": "Outlook$Web$16.01", "et": "", **known, **query})
        self.page.goto(f"{self.url}/addin/taskpane.html?{asked}")

    def shows(self, screen: str, view: str | None = None) -> None:
        """Waits for it."""
        self.page.locator(f'body[data-screen="{screen}"]').wait_for()
        if view is not None:
            self.page.locator(f'#panel[data-view="{view}"]:is([data-state="ready"], [data-state="empty"])').wait_for()

    def click(self, action: str, nth: int = 0) -> None:
        """action: the `data-action` of a control."""
        self.page.locator(f'[data-action="{action}"]:visible').nth(nth).click()

    def tab(self, name: str, screen: str | None = None) -> None:
        """Opens a section by its tab, and waits until it is there."""
        self.page.locator(f"#tab-{name}").click()
        self.shows(screen or name, name)

    def drive(self, call: str, *arguments: Any) -> Any:
        """A method of the stub's `__outlook`."""
        return self.page.evaluate("([name, args]) => window.__outlook[name](...args)", [call, list(arguments)])

    def until(self, condition: str) -> None:
        """condition: an expression. Not `wait_for_function`, which evaluates text and is refused by the policy."""
        looks = f"(done, fail) => {{ const look = () => ({condition}) ? done() : requestAnimationFrame(look); look();"
        self.page.evaluate(f"() => new Promise({looks} setTimeout(() => fail('never: {condition}'), 15000); }})")

    # -------------------------------------------------------------------------------------------------- judging

    def wrong_here(self, name: str) -> list[str]:
        """What is wrong with what is shown now, in light and in dark. Empty is good."""
        found: list[str] = []
        for dark in (False, True):
            theme = "dark" if dark else "light"
            self.make(dark=dark)
            rules = COLOURS if dark else RULES  # the same elements in other colours
            found += [f"{name}, {theme}: {each}" for each in violations(self.page, rules)]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > WIDTH:
            found.append(f"{name}: {width} px wide, so it scrolls sideways")
        found += [f"{name}: no text for {key}" for key in self.page.evaluate(_KEYS_SHOWN)]
        found += [f"{name}: {each}" for each in self.broken()]
        return found

    def complaints_of_axe(self) -> list[str]:
        return violations(self.page)

    def make(self, *, dark: bool) -> None:
        """Outlook changes its theme."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        self.page.evaluate("dark => window.__outlook?.setDark(dark)", dark)
        expect(self.page.locator("html")).to_have_attribute("data-theme", "dark" if dark else "light")

    def broken(self) -> list[str]:
        """What the browser complained about until now; told once."""
        policy: list[str] = self.page.evaluate("window.__broken.splice(0)")
        told, self.faults[:] = [*self.faults, *policy], []
        return told


def _give_stub(route: Route) -> None:
    if route.request.url.endswith("/office.js"):
        route.fulfill(body=office_stub(), content_type="text/javascript")
    else:
        route.abort()


def violations(page: Page | Frame, rules: Sequence[str] = RULES) -> list[str]:
    """What axe finds, with the elements it is about. rules: tags or names of rules."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe())
    asked = {"runOnly": list(rules), "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [f"{each['id']} at {', '.join(_shortened(each['nodes']))}" for each in found["violations"]]


def _shortened(nodes: list[dict[str, Any]]) -> list[str]:
    return [f"{node['html'][:160]} {node['failureSummary'][:400]}" for node in nodes]
