"""JSON that another system answers with: read once, and refused where nothing of ours could follow it.

A pure look at the form alone: nesting without end and numbers that are none. What it means is left to the lenses and to
the rooms that ask.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEEPEST = 64  # levels; the deepest answer of either system has fewer than twenty


def read_answer(content: bytes | str) -> Any:
    """As json.loads. Raises ValueError, without a word of the content, for whatever is no JSON or nested too deeply."""
    try:
        value = json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _opening(content) <= DEEPEST:
        return value
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST + 1):
        if not level:
            return value
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    raise ValueError("nested too deeply")


def _opening(content: bytes | str) -> int:
    """How many brackets open in it. Nothing is nested deeper: most answers are seen to be harmless by that alone."""
    if isinstance(content, str):
        return content.count("{") + content.count("[")
    return content.count(b"{") + content.count(b"[")


def _refuse(_constant: str) -> NoReturn:
    """NaN and Infinity are no JSON, although Python reads them."""
    raise ValueError("no JSON")
