"""Requests and answers as plain values, and the two ways JSON:API errors are written.

Nothing of Flask and nothing of the entities is known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro.problems import Problem

JSON_API = "application/vnd.api+json"
JSON = "application/json"
PRIVATE = "must-revalidate, no-cache, no-store, private"


@dataclass(frozen=True)
class Asked:
    """One request: the path below the prefix, the raw query, lower-case header names, the address of the host."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    host: str

    def header(self, name: str) -> str:
        """A header, or an empty text."""
        return self.headers.get(name.lower(), "")

    @property
    def json_api(self) -> bool:
        """Whether the answer is to be a JSON:API document; anything else gets the plain dialect."""
        return any(part.strip() == JSON_API for part in self.header("Accept").split(","))

    @property
    def wishes(self) -> frozenset[str]:
        """`X-Include`: values joined by semicolons; a comma makes them one unknown word."""
        return frozenset(part.strip() for part in self.header("X-Include").split(";"))


@dataclass
class Answer:
    """One answer; `body` None is an empty one, anything else is written as JSON unless it is bytes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = JSON_API
    cache: str = PRIVATE

    def payload(self) -> bytes:
        """The bytes to send."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, separators=(",", ":")).encode("ascii")


def errors(asked: Asked, problems: tuple[Problem, ...], status: int) -> Answer:
    """A refusal in the dialect of the request; 415 always comes in the plain one."""
    if asked.json_api and status != 415:
        return Answer(status, {"errors": [_structured(problem) for problem in problems]})
    return Answer(status, [_plain(problem) for problem in problems], content_type=JSON)


def _structured(problem: Problem) -> dict[str, Any]:
    shown: dict[str, Any] = {"status": str(problem.status), "title": problem.title}
    if problem.detail is not None:
        shown["detail"] = problem.detail
    if problem.pointer is not None:
        shown["source"] = {"pointer": problem.pointer}
    elif problem.parameter is not None:
        shown["source"] = {"parameter": problem.parameter}
    return shown


def _plain(problem: Problem) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": problem.title}
    if problem.detail is not None:
        shown["detail"] = problem.detail
    if problem.parameter is not None:
        shown["source"] = problem.parameter
    elif problem.pointer is not None:
        shown["source"] = problem.pointer.removeprefix("/data/attributes/").removeprefix("/data/relationships/")
    return shown
