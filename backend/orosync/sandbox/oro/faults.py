"""What a test may do to the traffic: refuse, drop, garble or delay requests, and look at them afterwards.

Nothing of OroCRM is known here.
"""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro.wire import JSON, Answer, Asked
from orosync.sandbox.transport import ConnectionDropped

LOG_LENGTH = 20_000
_SEEN = ("accept", "content-type", "x-include", "x-mode", "if-match")


@dataclass(frozen=True)
class LoggedRequest:
    """One request: path with query below the prefix, chosen headers, body and the status it got (0: dropped)."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int


@dataclass
class _Fault:
    method: re.Pattern[str]
    path: re.Pattern[str]
    answer: Answer | None
    left: int
    applied: bool
    garble: str | None = None

    def meets(self, asked: Asked) -> bool:
        full = f"{asked.path}?{asked.query}" if asked.query else asked.path
        return self.left > 0 and bool(self.method.fullmatch(asked.method) and self.path.search(full))


@dataclass
class Faults:
    """Faults in waiting and the log; the first fault that meets a request is used up by it."""

    log: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    counts: Counter[str] = field(default_factory=Counter)
    before: list[Callable[[str, str], None]] = field(default_factory=list)
    waiting: list[_Fault] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def fail_next(
        self,
        method: str,
        path: str,
        status: int | None,
        body: Any = None,
        *,
        times: int = 1,
        applied: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The next `times` requests get this answer; status None drops the connection.

        `applied=True`: the request is carried out first and only its answer is lost.
        """
        answer = None if status is None else Answer(status, body, dict(headers or {}), JSON)
        self.waiting.append(_Fault(re.compile(method), re.compile(path), answer, times, applied))

    def malformed_next(self, path: str, form: str = "truncated") -> None:
        """The next answer is cut off (`truncated`) or is a login page (`html`). ValueError: another form."""
        if form not in ("truncated", "html"):
            raise ValueError(f"form {form!r} is not known: truncated or html")
        self.waiting.append(_Fault(re.compile(".*"), re.compile(path), None, 1, applied=True, garble=form))

    def around(self, asked: Asked, handle: Callable[[Asked], Answer]) -> Answer:
        """Lets a request through, or not, and logs it. Raises `ConnectionDropped`."""
        for watch in list(self.before):
            watch(asked.method, asked.path)
        fault = self._taken(asked)
        if fault is None:
            return self._logged(asked, handle(asked))
        answer = handle(asked) if fault.applied else None
        if fault.garble is not None and answer is not None:
            return self._logged(asked, _garbled(answer, fault.garble))
        if fault.answer is None:
            self._note(asked, 0)
            raise ConnectionDropped(f"{asked.method} {asked.path}")
        return self._logged(asked, fault.answer)

    def _taken(self, asked: Asked) -> _Fault | None:
        with self._guard:
            fault = next((each for each in self.waiting if each.meets(asked)), None)
            if fault is not None:
                fault.left -= 1
                if fault.left <= 0:
                    self.waiting.remove(fault)
            return fault

    def _logged(self, asked: Asked, answer: Answer) -> Answer:
        self._note(asked, answer.status)
        return answer

    def _note(self, asked: Asked, status: int) -> None:
        path = f"{asked.path}?{asked.query}" if asked.query else asked.path
        headers = {name: asked.headers[name] for name in _SEEN if name in asked.headers}
        with self._guard:
            self.log.append(LoggedRequest(asked.method, path, headers, asked.body, status))
            self.counts[asked.method] += 1
            self.counts["all"] += 1


def _garbled(answer: Answer, form: str) -> Answer:
    if form == "html":
        page = b"<!DOCTYPE html><html><head><title>Login</title></head><body><form></form></body></html>"
        return Answer(200, page, content_type="text/html; charset=UTF-8")
    payload = answer.payload()
    cut = payload[: max(1, len(payload) // 2)]
    return Answer(answer.status, cut, answer.headers, answer.content_type)
