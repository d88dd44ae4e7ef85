"""What another system might answer on its worst day: genuine answers with one thing in them spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import requests
from requests.adapters import BaseAdapter

DEEP = 30_000  # levels: far beyond what Python follows

JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 3.5, 10**400, float("nan"), float("inf"), "", " ", "\0", "\ud800", "x" * 70_000, "0",
    "-1", "1e999", "9" * 400, "２", "not a time", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999-14:00",
    "2026-02-30T25:61:61Z", "2026-11-23", "Mars/Olympus", "/", "//", "https://elsewhere.example/v1.0/me",
    "<b>" * 2_000, "&#x110000;", [], {}, [None], [[]], [{}], ["x"], {"id": None}, {"": ""}, {"data": []}, {"data": {}},
    {"data": [{"type": "x"}]}, [{"id": 1}, {"id": 1}],
)  # fmt: skip

# Whole bodies that are no answer at all.
NO_ANSWER: tuple[bytes, ...] = (
    b"", b"<html>503</html>", b"\xff\xfe\x00", b'{"value": [', b"[" * DEEP, b'{"a":' * DEEP, b"null", b"[]", b"{}",
    b"0", b'"text"', b"NaN", b"9" * 5_000, b'{"value": null}', b'{"data": null}', b'{"data": [1]}', b'{"errors": [7]}',
    b'{"errors": {"children": "x", "errors": 5}}', b'{"error": {"innerError": {"innerError": 3}}}',
)  # fmt: skip

STATUSES = (
    200, 201, 204, 206, 299, 301, 400, 403, 404, 409, 410, 412, 413, 418, 422, 423, 429, 500, 501, 503, 507, 509,
)  # fmt: skip

HEADERS: tuple[tuple[str, str], ...] = (
    ("Retry-After", "nan"), ("Retry-After", "inf"), ("Retry-After", "1e300"), ("Retry-After", "9" * 400),
    ("Retry-After", "-5"), ("Retry-After", "\u0665"), ("Retry-After", "Mon, 99 Foo 9999 99:99:99 GMT"),
    ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT"), ("Retry-After", "Wed, 21 Oct 2015 07:28:00"),
    ("X-Include-Total-Count", "9" * 400), ("X-Include-Total-Count", "\u00b2"), ("X-Include-Total-Count", "-1"),
    ("X-Include-Total-Count", "999999999"), ("WWW-Authenticate", 'Bearer claims="=%%%"'), ("Location", "http://[::1"),
    ("Content-Type", "text/html; charset=nonsense"),
)  # fmt: skip


@dataclass
class Spoiler:
    """Spoils answer number `at` (0 is the first) by `seed`, and no other one; `every`: all from there on."""

    seed: int
    at: int
    every: bool = False
    seen: int = 0
    spoilt: list[str] = field(default_factory=list)

    def around(self, response: requests.Response) -> requests.Response:
        number, self.seen = self.seen, self.seen + 1
        if number == self.at or (self.every and number > self.at):
            self.spoilt.append(spoil(response, Random(f"{self.seed}/{number}")))
        return response


class SpoilingAdapter(BaseAdapter):
    def __init__(self, inner: BaseAdapter, spoiler: Spoiler) -> None:
        super().__init__()
        self._inner, self._spoiler = inner, spoiler

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return self._spoiler.around(self._inner.send(request, *args, **kwargs))

    def close(self) -> None:
        self._inner.close()


def spoil(response: requests.Response, random: Random) -> str:
    """Returns what was done to it, in a word."""
    kind = random.choice(("value",) * 8 + ("body", "status", "header", "row twice"))
    if kind == "body":
        response._content = random.choice(NO_ANSWER)
    elif kind == "status":
        response.status_code = random.choice(STATUSES)
    elif kind == "header":
        response.status_code = random.choice((response.status_code, 429, 503))
        name, value = random.choice(HEADERS)
        response.headers[name] = value
    else:
        try:
            document = json.loads(response.content)
        except ValueError:
            return "nothing"
        change = _twice if kind == "row twice" else _instead
        response._content = json.dumps(change(document, random)).encode()
    return kind


def _instead(document: Any, random: Random) -> Any:
    """One value, or one name, anywhere in it: replaced by junk, or left out."""
    places = list(_places(document))
    if not places:
        return random.choice(JUNK)
    holder, key, put = random.choice(places)
    if isinstance(holder, dict) and random.random() < 0.2:
        del holder[key]
    else:
        put(random.choice(JUNK))
    return document


def _twice(document: Any, random: Random) -> Any:
    lists = [holder[key] for holder, key, _ in _places(document) if isinstance(holder[key], list) and holder[key]]
    if lists:
        chosen = random.choice(lists)
        chosen.insert(0, random.choice(chosen))
    return document


Place = tuple[Any, Any, Callable[[Any], None]]


def _places(document: Any) -> Iterator[Place]:
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in keys:
        yield document, key, lambda value, key=key: document.__setitem__(key, value)
        yield from _places(document[key])
