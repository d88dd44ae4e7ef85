"""JSON that comes in: what a program can read but nobody can keep is refused before anything looks at it."""

from __future__ import annotations

import json
import re
from typing import Any

from flask.json.provider import DefaultJSONProvider

DEEPEST = 64  # levels; nothing the API takes has more than a few


_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


class Unreadable(ValueError):
    """Says what is wrong, without a word of the content."""


def loads(text: str | bytes, **more: Any) -> Any:
    """As json.loads. Raises Unreadable for whatever is no JSON, and for what no database or other system takes: NUL,
    halves of surrogate pairs, numbers without end, nesting without end."""
    try:
        value = json.loads(text, **more)
    except RecursionError:
        raise Unreadable("The JSON is nested too deeply.") from None
    except ValueError:
        raise Unreadable("This is no JSON.") from None
    level = [value]
    for _ in range(DEEPEST):
        if not level:
            return value
        level = [inner for each in level for inner in _parts(each)]
    raise Unreadable("The JSON is nested too deeply.")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, str) and _UNKEEPABLE.search(value):
        raise Unreadable("A text holds a NUL or half a sign.")
    return value if isinstance(value, list) else []


class StrictJson(DefaultJSONProvider):
    """Of an application: `request.get_json` answers 400 for all of this."""

    sort_keys = False

    def loads(self, s: str | bytes, **more: Any) -> Any:
        return loads(s, **more)
