"""The CSS an administrator puts into the pane, cleaned so that it reaches its own container alone and fetches nothing.

Every selector is put under `.look`; properties, functions and at-rules are a list of what is allowed. Parsed and
written anew with tinycss2, never cut out of the given text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tinycss2
from tinycss2.ast import WhitespaceToken

CONTAINER = ".look"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIDES = ("", "-top", "-right", "-bottom", "-left", "-block", "-inline")
_BORDERS = ("", "-top", "-right", "-bottom", "-left")
PROPERTIES = _words(
    "align-content align-items align-self background background-color border-collapse border-radius border-spacing"
    " box-shadow box-sizing color column-gap display flex flex-basis flex-direction flex-flow flex-grow flex-shrink"
    " flex-wrap font font-family font-size font-style font-variant font-weight gap grid-template-columns height"
    " hyphens justify-content justify-items justify-self letter-spacing line-height list-style list-style-position"
    " list-style-type max-height max-width min-height min-width opacity order overflow-wrap place-items row-gap"
    " tab-size text-align text-decoration text-decoration-color text-decoration-line text-decoration-style"
    " text-indent text-overflow text-shadow text-transform vertical-align white-space width word-break"
    " word-spacing"
) | {
    *(f"margin{side}" for side in _SIDES),
    *(f"padding{side}" for side in _SIDES),
    *(f"border{side}{what}" for side in _BORDERS for what in ("", "-color", "-style", "-width")),
}
FUNCTIONS = _words("calc clamp color-mix hsl hsla linear-gradient max min minmax radial-gradient repeat rgb rgba var")
STATES = "hover|focus|focus-visible|focus-within|active|link|visited|first-child|last-child|only-child|empty"

_PLAIN_TOKENS = frozenset({"whitespace", "ident", "number", "percentage", "dimension", "hash"})
_NUMBERS = frozenset({"number", "percentage", "dimension"})
_VALUE_SIGNS = frozenset(",/+-*")
_MEDIA_SIGNS = frozenset(":,<>=/")
_NAME = r"-?[a-zA-Z_][a-zA-Z0-9_-]*"
_COMPOUND = rf"(?:(?:\*|{_NAME})(?:\.{_NAME}|:(?:{STATES})\b)*|(?:\.{_NAME}|:(?:{STATES})\b)+)"
_SELECTOR = re.compile(rf"{_COMPOUND}(?:[ >+~]{_COMPOUND})*", re.IGNORECASE)
_FIRST = re.compile(_COMPOUND, re.IGNORECASE)
_IS_CONTAINER = re.compile(r"\.look(?![\w-])")


def clean_css(text: str) -> tuple[str, list[str]]:
    """(rules that may be served, what was taken away as sentences). Cleaning the result again changes nothing."""
    removed: dict[str, None] = {}
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)  # at every depth
    lines = list(_rules(rules, removed, media_allowed=True))
    return "\n".join(lines), list(removed)


def _rules(rules: Iterable[Any], removed: dict[str, None], *, media_allowed: bool) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            yield from _style_rule(rule, removed)
        elif rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None and media_allowed:
            yield from _media_rule(rule, removed)
        elif rule.type == "at-rule":
            removed[f"@{_short(rule.lower_at_keyword)} (line {rule.source_line}) is not allowed here."] = None
        else:
            removed[f"Line {rule.source_line} is no CSS."] = None


def _media_rule(rule: Any, removed: dict[str, None]) -> Iterator[str]:
    if not _all_allowed(rule.prelude, _MEDIA_SIGNS, functions=frozenset()):
        removed[f"The condition of @media (line {rule.source_line}) is not understood."] = None
        return
    inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
    lines = list(_rules(inner, removed, media_allowed=False))
    if lines:
        yield "\n".join([f"@media {_written(rule.prelude)} {{", *lines, "}"])


def _style_rule(rule: Any, removed: dict[str, None]) -> Iterator[str]:
    selectors = list(_selectors(rule, removed))
    declarations = list(_declarations(rule.content, removed))
    if selectors and declarations:
        yield f"{', '.join(selectors)} {{ {' '.join(declarations)} }}"


def _selectors(rule: Any, removed: dict[str, None]) -> Iterator[str]:
    for part in _written(rule.prelude).split(","):
        text = re.sub(r" ?([>+~]) ?", r"\1", part.strip())
        under = _under_container(text)
        if under is None:
            removed[f'The selector "{_short(part.strip())}" (line {rule.source_line}) is not allowed.'] = None
        else:
            yield under


def _under_container(selector: str) -> str | None:
    """The selector as it matches inside the container alone, or the container itself; None if it cannot be written
    so: `+` and `~` right after the container would reach what stands beside it."""
    first = _FIRST.match(selector)
    if first is None or not _SELECTOR.fullmatch(selector):
        return None
    if not _IS_CONTAINER.match(selector):
        return f"{CONTAINER} {selector}"
    return None if selector[first.end() : first.end() + 1] in {"+", "~"} else selector


def _declarations(content: Sequence[Any], removed: dict[str, None]) -> Iterator[str]:
    for each in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if each.type != "declaration":
            removed[f"Line {each.source_line} is no declaration."] = None
        elif each.lower_name not in PROPERTIES:
            removed[f"The property {_short(each.lower_name)} is not allowed."] = None
        elif not _value_allowed(each.lower_name, each.value):
            removed[f"A value of {each.lower_name} (line {each.source_line}) is not allowed."] = None
        else:
            yield f"{each.lower_name}: {_written(each.value)}{' !important' if each.important else ''};"


def _value_allowed(name: str, value: Sequence[Any]) -> bool:
    if name.startswith("margin"):  # would pull the container over its neighbours
        return all(
            token.type == "whitespace"
            or (token.type == "ident" and token.lower_value == "auto")
            or (token.type in _NUMBERS and token.value >= 0)
            for token in value
        )
    texts = name in {"font", "font-family"}
    return _all_allowed(value, _VALUE_SIGNS, functions=FUNCTIONS, texts=texts)


def _all_allowed(
    tokens: Iterable[Any], signs: frozenset[str], *, functions: frozenset[str], texts: bool = False
) -> bool:
    def allowed(token: Any) -> bool:
        if token.type == "literal":
            return token.value in signs
        if token.type == "function":
            return token.lower_name in functions and _all_allowed(token.arguments, signs, functions=functions)
        if token.type == "() block":
            return _all_allowed(token.content, signs, functions=functions)
        return token.type in _PLAIN_TOKENS or (texts and token.type == "string")

    return all(map(allowed, tokens))


def _written(tokens: Iterable[Any]) -> str:
    """As CSS again, with single spaces. Token by token: a space may be part of an escape."""
    kept: list[Any] = []
    for token in tokens:
        if token.type == "whitespace":
            if kept and kept[-1].type != "whitespace":
                kept.append(WhitespaceToken(token.source_line, token.source_column, " "))
        else:
            kept.append(token)
    if kept and kept[-1].type == "whitespace":
        kept.pop()
    return str(tinycss2.serialize(kept))


def _short(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
