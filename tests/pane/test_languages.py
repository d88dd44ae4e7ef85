"""The pane in each of its languages, as Outlook says which one that is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.pane.outlook import Outlook
from tests.pane.site import PaneWorld

LOCALES = Path(__file__).resolve().parents[2] / "addin" / "locales"
Window = Callable[..., Outlook]


def texts(language: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("outlooks", "language"), [("en-US", "en"), ("de-CH", "de"), ("fr-FR", "fr"), ("uk-UA", "uk"), ("ja-JP", "en")]
)
def test_the_pane_speaks_outlooks_language_from_its_first_screen(
    world: PaneWorld, window: Window, outlooks: str, language: str
) -> None:
    """A language there is no file for is followed by the browser's, here English."""
    world.in_step()
    outlook = window(language=outlooks)
    outlook.open(None)
    outlook.shows("not-signed-in")
    page, own = outlook.page, texts(language)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("h1")).to_have_text(own["screen.not_signed_in.title"])
    wrong = outlook.wrong_here("not-signed-in")
    page.locator('[data-person="boris"]').click()
    outlook.shows("nothing-to-do", "status")
    expect(page.locator(".hero-title")).to_have_text(own["status.calm"])
    expect(page.locator("#tab-settings .tab-label")).to_have_text(own["tab.settings"])
    for name in ("status", "settings"):
        outlook.tab(name, "nothing-to-do" if name == "status" else name)
        wrong += outlook.wrong_here(name)
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {0: "other", 1: "one", 2: "other", 5: "other", 21: "other"}),
        ("de", {0: "other", 1: "one", 2: "other", 5: "other", 21: "other"}),
        ("fr", {0: "one", 1: "one", 2: "other", 5: "other", 21: "other"}),
        ("uk", {0: "many", 1: "one", 2: "few", 5: "many", 11: "many", 21: "one", 24: "few"}),
    ],
)
def test_numbers_choose_the_form_of_their_words(window: Window, language: str, forms: dict[int, str]) -> None:
    """Which form belongs to which number is CLDR's; the browser knows it."""
    outlook = window(language=language)
    outlook.open(None)
    outlook.shows("not-signed-in")
    expect(outlook.page.locator("html")).to_have_attribute("lang", language)
    own = texts(language)
    plural = {key: entry for key, entry in own.items() if isinstance(entry, dict)}
    assert "status.conflicts" in plural
    said = outlook.page.evaluate(
        """async ([keys, numbers]) => {
            const { t } = await import("/addin/js/i18n.js");
            return Object.fromEntries(keys.map((key) => [key, numbers.map((n) => t(key, { n }))]));
        }""",
        [list(plural), list(forms)],
    )
    for key, entry in plural.items():
        expected = [entry.get(form, entry["other"]) for form in forms.values()]
        # what else stands in the text is filled with nothing here
        assert [_without_values(each) for each in said[key]] == [_without_values(each) for each in expected], key


def _without_values(text: str) -> str:
    """Without numbers and places for values, and the blanks around them."""
    return re.sub(r"\s+", "", re.sub(r"\{\w+\}|\d+", "", text))


def test_a_language_asked_for_by_the_browser_counts_where_outlook_says_nothing(window: Window) -> None:
    outside = window({"locale": "fr-CH"}, host=False)
    outside.open(None)
    outside.shows("no-office")
    expect(outside.page.locator("html")).to_have_attribute("lang", "fr")
    expect(outside.page.locator("h1")).to_have_text(texts("fr")["screen.no_office.title"])


def test_a_file_of_texts_that_does_not_come_leaves_english(window: Window) -> None:
    outlook = window(language="uk-UA")
    outlook.page.route("**/locales/uk.json", lambda route: route.fulfill(status=404))
    outlook.open(None)
    outlook.shows("not-signed-in")
    expect(outlook.page.locator("html")).to_have_attribute("lang", "en")
    assert outlook.wrong_here("not-signed-in") == []
