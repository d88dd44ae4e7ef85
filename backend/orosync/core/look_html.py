"""The HTML an administrator puts into the pane, cleaned down to a short list of harmless elements.

nh3 does the cleaning; the list is decided here, and what was taken away is told in plain words. How the result is
styled is decided in `look_css.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _words("a b blockquote br code dd div dl dt em h3 h4 hr i li ol p pre small span strong sub sup u ul")
# what they hold is no text for readers, or would be parsed by other rules
WITH_CONTENT = _words(
    "applet audio button canvas embed frameset head iframe math noembed noframes noscript object option script select"
    " style svg template textarea title video xmp"
)
EVERYWHERE = frozenset({"class", "dir", "lang", "title"})
SCHEMES = frozenset({"https", "mailto", "tel"})
CLASS_PREFIX = "look-"  # so that the pane's own rules never dress up what an administrator wrote

_ROUNDS = 6
_LINK = re.compile(rf"\s*(?:{'|'.join(sorted(SCHEMES))}):", re.IGNORECASE)
_ALLOWED = {"*": set(EVERYWHERE), "a": {"href"}}
_SET_BY_US = {"rel", "target"}


def clean_html(markup: str) -> tuple[str, list[str]]:
    """(what may be shown, what was taken away as sentences). Cleaning the result again changes nothing."""
    markup = markup.encode("utf-8", "replace").decode()  # half a sign is none that could be shown
    report = _Report()
    report.feed(markup)
    report.close()
    return settled(_cleaned, markup), list(report.found)


def settled(clean: Callable[[str], str], markup: str, rounds: int = _ROUNDS) -> str:
    """The text that `clean` leaves as it is. Parsers mend broken nesting, and what they mended may be mended again;
    markup that never comes to rest is shown as text."""
    before = markup
    for _ in range(rounds):
        after = clean(before)
        if after == before:
            return after
        before = after
    return nh3.clean_text(markup)


def _cleaned(markup: str) -> str:
    cleaned = nh3.clean(
        markup,
        tags=set(ELEMENTS),
        clean_content_tags=set(WITH_CONTENT),
        attributes=_ALLOWED,
        attribute_filter=_attribute,
        url_schemes=set(SCHEMES),
        strip_comments=True,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return cleaned.strip()


def _attribute(_element: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(_kept_classes(value)) or None
    if name == "href":
        return value.strip() if _LINK.match(value) else None
    return value


def _kept_classes(value: str) -> list[str]:
    return [each for each in value.split() if each.startswith(CLASS_PREFIX)]


class _Report(HTMLParser):
    """Names what the cleaning takes away. It decides nothing: a fragment that this parser reads in another way than
    nh3 is cleaned all the same."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def _note(self, sentence: str) -> None:
        self.found[sentence] = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in WITH_CONTENT:
            self._note(f"<{_short(tag)}> is not allowed; it was removed with all that is in it.")
            return
        if tag not in ELEMENTS:
            self._note(f"<{_short(tag)}> is not allowed; what is in it was kept.")
            return
        for name, value in attrs:
            self._judge(tag, name, value or "")

    def _judge(self, tag: str, name: str, value: str) -> None:
        if name == "class":
            for each in value.split():
                if not each.startswith(CLASS_PREFIX):
                    self._note(f'The class "{_short(each)}" was removed: classes begin with "{CLASS_PREFIX}".')
        elif name == "href" and tag == "a":
            if not _LINK.match(value):
                self._note(f'The link to "{_short(value)}" was removed: links begin with https:, mailto: or tel:.')
        elif name not in EVERYWHERE | (_SET_BY_US if tag == "a" else set()):
            self._note(f'The attribute "{_short(name)}" of <{tag}> was removed.')

    def handle_comment(self, data: str) -> None:  # noqa: ARG002 - HTMLParser's signature
        self._note("Comments were removed.")

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)


def _short(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
