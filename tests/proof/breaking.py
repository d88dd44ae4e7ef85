"""Ends a run in the middle: before a request, when its answer is lost, before what it did is committed, and after.

One way for both systems and the database, so that a point can be chosen by a number. It also hears every request, for
the story's log, and may let a person act between our reading and our writing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import sqlalchemy as sa
from requests.adapters import BaseAdapter
from tests.sync.faults import Killed

POINTS = ("before it is sent", "applied, no answer", "answered, not committed", "committed")


@dataclass
class Breaking:
    """point: where the run ends, at writing request number `at` (1 is the next). interrupt: called instead of an end,
    just before that request is sent, or `late`, between its being carried out and its answer. met: it happened."""

    tell: Callable[[str, bytes], None]
    point: str = ""
    at: int = 0
    interrupt: Callable[[], None] | None = None
    late: bool = False
    met: bool = False
    writes: list[str] = field(default_factory=list)
    _stage: str = ""

    def arm(self, at: int, point: str = "", interrupt: Callable[[], None] | None = None, *, late: bool = False) -> None:
        self.point, self.at, self.interrupt, self.met, self._stage = point, at, interrupt, False, ""
        self.late = late

    def disarm(self) -> bool:
        """Whether it happened."""
        self.point, self.at, self.interrupt, self._stage = "", 0, None, ""
        return self.met

    # the wire

    def around(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        if self._stage == "committed":
            raise Killed
        body = _bytes(request.body)
        digest = hashlib.blake2b(body, digest_size=6).hexdigest()
        writing = writes_something(request)
        line = f"{request.method} {request.url} {digest}"
        self.tell(line, body)
        if writing:
            self.writes.append(line)
        if not writing or not self.at:
            return send()
        self.at -= 1
        if self.at:
            return send()
        self.met = True
        if self.interrupt is not None:
            interrupt, self.interrupt = self.interrupt, None
            response = send() if self.late else None
            interrupt()
            return send() if response is None else response
        return self._break(send)

    def _break(self, send: Callable[[], requests.Response]) -> requests.Response:
        if self.point == POINTS[0]:
            raise Killed
        response = send()
        if self.point == POINTS[1]:
            raise Killed
        self._stage = "answered"
        return response

    # the database

    def watch(self, engine: sa.Engine) -> None:
        sa.event.listen(engine, "commit", self._on_commit)
        sa.event.listen(engine, "before_cursor_execute", self._on_statement)

    def _on_commit(self, _connection: sa.Connection) -> None:
        if self._stage != "answered":
            return
        if self.point == POINTS[2]:
            self._stage = ""
            raise Killed
        self._stage = "committed"

    def _on_statement(self, *_told: Any) -> None:
        if self._stage == "committed":
            self._stage = ""
            raise Killed


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


class Wire(BaseAdapter):
    """The way to one simulated system."""

    def __init__(self, inner: BaseAdapter, breaking: Breaking) -> None:
        super().__init__()
        self._inner, self._breaking = inner, breaking

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return self._breaking.around(request, lambda: self._inner.send(request, *args, **kwargs))

    def close(self) -> None:
        self._inner.close()


def writes_something(request: requests.PreparedRequest) -> bool:
    """A batch does if one of its parts does."""
    if request.method == "POST" and str(request.url).endswith("/$batch"):
        return any(part["method"] != "GET" for part in json.loads(_bytes(request.body))["requests"])
    return request.method not in {"GET", "HEAD", "OPTIONS"}
