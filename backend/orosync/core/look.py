"""How the pane looks at one company: name, logo, accent colour, welcome, sections, and HTML and CSS of its own.

Decides what an administrator may give and cleans it. Whatever is stored is cleaned again when it is used, so that no
way into the database is a way into the pane. Who stores it, and where, is left to `web/`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from orosync.core.look_css import CONTAINER, clean_css
from orosync.core.look_html import clean_html

SECTIONS = ("status", "crm", "conflicts", "activity", "problems", "settings")
CLEANED = frozenset({"html", "css"})  # cleaned, with a report; every other field is right or wrong
LONGEST = {"name": 50, "welcome": 600, "html": 8_000, "css": 16_000}
MOST_LOGO_BYTES = 48 * 1024
LIGHT_TEXT, DARK_TEXT = "#ffffff", "#000000"

_DATA_URL = re.compile(r"data:image/(png|jpeg|webp);base64,([A-Za-z0-9+/=]*)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PICTURES = "Use a PNG, JPEG or WebP picture as a data URL."


@dataclass(frozen=True, slots=True)
class Look:
    """name, welcome: plain text. logo: a data URL. accent: "#rrggbb". sections: which are shown, in order.
    html, css: as `look_html.py` and `look_css.py` leave them. Empty: the product's own."""

    name: str = ""
    logo: str | None = None
    accent: str | None = None
    welcome: str = ""
    sections: tuple[str, ...] = SECTIONS
    html: str = ""
    css: str = ""

    def as_setting(self) -> dict[str, Any]:
        """Its JSON form; `clean` makes the same look of it again."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**values, "sections": list(self.sections)}


class Removal(NamedTuple):
    """Something that was given and is not in the look. words: what, and why or what to do, as a sentence.
    cleaned: the rest of the field is in the look; else all of it is wrong."""

    field: str
    words: str
    cleaned: bool = False


class _Unfit(ValueError):
    """A value that cannot be used; says why, as a sentence."""


def clean(value: Mapping[str, Any]) -> tuple[Look, list[Removal]]:
    """The look that may be shown, and what of the given value is not in it. Never raises; fields that cannot be used
    are as if not given. Cleaning `as_setting()` of the result gives the same look and removes nothing."""
    kept: dict[str, Any] = {}
    removed: list[Removal] = []
    for name, given in value.items():
        if name not in _CLEANERS:
            removed.append(Removal(str(name), "There is no such field."))
        elif given is not None:
            try:
                kept[name], sentences = _CLEANERS[name](given)
            except _Unfit as error:
                removed.append(Removal(name, str(error)))
            else:
                removed.extend(Removal(name, words, name in CLEANED) for words in sentences)
    return Look(**kept), removed


def stylesheet(look: Look) -> str:
    """What the pane loads: the accent as custom properties, the walls of the container, the look's own rules."""
    parts = []
    if look.accent:
        parts.append(f":root {{ --look-accent: {look.accent}; --look-on-accent: {text_on(look.accent)}; }}")
    if look.css:
        # nothing in the container is painted outside of it, whatever its rules say
        parts.append(f"{CONTAINER} {{ contain: content !important; overflow: auto !important; }}")
        parts.append(look.css)
    return "".join(f"{part}\n" for part in parts)


def contrast(one: str, other: str) -> float:
    """Of two colours "#rrggbb": 1 to 21 (WCAG 2.2, contrast ratio)."""
    lower, higher = sorted((_luminance(one), _luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def text_on(accent: str) -> str:
    """White or black, whichever is read better on the colour; with the better one any colour has 4.5 at least."""
    return max(LIGHT_TEXT, DARK_TEXT, key=lambda text: contrast(text, accent))


def _luminance(colour: str) -> float:
    def linear(share: float) -> float:
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- one cleaner for each field: value -> (what is kept, sentences about what is not); raises _Unfit ------------------


def _text(given: object, field: str) -> str:
    if not isinstance(given, str):
        raise _Unfit("This must be text.")
    text = given.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub("", text).strip()
    if len(text) > LONGEST[field]:
        raise _Unfit(f"This has more than {LONGEST[field]} characters.")
    return text


def _name(given: object) -> tuple[str, list[str]]:
    return " ".join(_text(given, "name").split()), []


def _welcome(given: object) -> tuple[str, list[str]]:
    return _text(given, "welcome"), []


def _logo(given: object) -> tuple[str | None, list[str]]:
    if given == "":
        return None, []
    match = _DATA_URL.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise _Unfit(f"This is no picture that can be shown. {_PICTURES}")
    try:
        data = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise _Unfit(f"The picture is broken. {_PICTURES}") from None
    if len(data) > MOST_LOGO_BYTES:
        raise _Unfit(f"The picture has more than {MOST_LOGO_BYTES // 1024} KB. Use a smaller one.")
    if _kind_of(data) != match[1]:
        raise _Unfit(f"The picture is not what its address says. {_PICTURES}")
    return f"data:image/{match[1]};base64,{base64.b64encode(data).decode()}", []


def _kind_of(picture: bytes) -> str:
    """By the first bytes: PNG (ISO 15948), JPEG (ITU T.81), WebP (RIFF container)."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else ""


def _accent(given: object) -> tuple[str | None, list[str]]:
    if given == "":
        return None, []
    if not isinstance(given, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", given):
        raise _Unfit("This is no colour. Write it as #rrggbb, for example #0b5f62.")
    return given.lower(), []


def _sections(given: object) -> tuple[tuple[str, ...], list[str]]:
    if not isinstance(given, list | tuple):
        raise _Unfit("This must be a list of sections.")
    known = tuple(dict.fromkeys(each for each in given if isinstance(each, str) and each in SECTIONS))
    if len(known) != len(given) or not known:
        sentence = f"Sections are some of {', '.join(SECTIONS)}, each at most once, and at least one."
        return known or SECTIONS, [sentence]
    return known, []


def _html(given: object) -> tuple[str, list[str]]:
    return _fitting(clean_html(_text(given, "html")), "html")


def _css(given: object) -> tuple[str, list[str]]:
    return _fitting(clean_css(_text(given, "css")), "css")


def _fitting(cleaned: tuple[str, list[str]], field: str) -> tuple[str, list[str]]:
    """Cleaning writes some things out (links get their `rel`, selectors their container)."""
    if len(cleaned[0]) > LONGEST[field]:
        raise _Unfit(f"This has more than {LONGEST[field]} characters when it is written out.")
    return cleaned


_CLEANERS: Mapping[str, Callable[[object], tuple[Any, list[str]]]] = {
    "name": _name,
    "logo": _logo,
    "accent": _accent,
    "welcome": _welcome,
    "sections": _sections,
    "html": _html,
    "css": _css,
}
