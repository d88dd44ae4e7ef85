"""What the browser tests share. For the pane: a world behind it and windows of Outlook, see site.py and outlook.py; for
the demonstration's page: pages that note what goes wrong in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld, pane_world

OFFICE = "https://appsforoffice.microsoft.com/**"
# what Office.js does outside Outlook: it is there, and says that it has no host
OFFICE_WITHOUT_HOST = """
window.Office = {
  onReady: async (call) => { const info = { host: null, platform: null }; call?.(info); return info; },
  context: {}, EventType: {},
};
"""
TIMEOUT_MS = 20_000  # cores are shared
expect.set_options(timeout=TIMEOUT_MS)
# a run that nobody asked for and that found nothing to do is forgotten, perhaps just when the pane asks how far it is
_FORGOTTEN = re.compile(r"/api/v1/syncs/[0-9a-f-]{36}(/events)?$")
MAIL = {
    "from": {"displayName": "Ada Lovelace", "emailAddress": "ada@lovelace.example"},
    "to": [{"displayName": "Boris Ivanov", "emailAddress": "boris@contoso.example"}],
    "cc": [],
    "subject": "Engines",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PaneWorld]:
    """Boris has a user in OroCRM and is not connected; Anna is an administrator."""
    made = pane_world(tmp_path)
    yield made
    made.close()


@pytest.fixture
def window(chromium: Browser, world: PaneWorld) -> Iterator[Callable[..., Outlook]]:
    """Makes windows of Outlook onto that world; what the stub is seeded with is given by name."""
    with ExitStack() as stack:

        def make(more: dict[str, Any] | None = None, **seed: Any) -> Outlook:
            made = Outlook(chromium, world.site.url, {"item": MAIL, **seed}, more or {})
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def outlook(window: Callable[..., Outlook]) -> Outlook:
    """One with a mail of Ada's open."""
    return window()


# ---------------------------------------------------------------------------------- for the demonstration's page


class Watch:
    """What went wrong in a page: it has to be empty at the end of a test that did not ask for trouble."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda each: self._note(True, f"error: {each.error}"))
        context.on("requestfailed", lambda each: self._failed(each.url, each.failure or ""))
        context.on("response", lambda each: self._answered(each.status, each.url))

    def _hear(self, message: ConsoleMessage) -> None:
        gone = "status of 404" in message.text and _FORGOTTEN.search(message.location["url"])
        self._note(message.type in {"error", "warning"} and not gone, f"console: {message.text}")

    def _answered(self, status: int, url: str) -> None:
        gone = status == 404 and _FORGOTTEN.search(url)
        self._note(status >= 400 and not gone, f"{status}: {url}")

    def _failed(self, url: str, failure: str) -> None:
        # a frame that goes on elsewhere gives up what it had asked for, and Chromium calls a stream that was read to
        # its end the same
        self._note("ERR_ABORTED" not in failure, f"failed: {url} {failure}")

    def _note(self, wrong: bool, what: str) -> None:
        if wrong:
            self.problems.append(what)


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    """new_page(color_scheme=.., viewport=.., office=..) -> the page, and what goes wrong in it. office: the script that
    is given out as Office.js."""
    contexts: list[BrowserContext] = []

    def make(*, office: str = OFFICE_WITHOUT_HOST, **options: Any) -> tuple[Page, Watch]:
        context = chromium.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)

        def answer(route: Route) -> None:
            route.fulfill(body=office, content_type="text/javascript")

        context.route(OFFICE, answer)
        watch = Watch(context)
        return context.new_page(), watch

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The program that looks for what keeps people out (WCAG 2.2 A and AA)."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def accessible(axe: str) -> Callable[..., None]:
    """accessible(page or frame): raises with every finding of axe in that document."""
    script = """async () => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];
      const options = { runOnly: tags, iframes: false, resultTypes: ["violations"] };
      const { violations } = await window.axe.run(document, options);
      const words = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`);
      return violations.flatMap(words);
    }"""

    def check(document: Any) -> None:
        if document.evaluate("() => typeof window.axe") == "undefined":
            document.evaluate(axe)
        found = document.evaluate(script)
        assert found == [], "\n".join(found)

    return check
