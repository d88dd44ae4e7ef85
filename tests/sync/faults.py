"""A wire that can be cut: wraps the way to both simulators and makes one chosen request go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import BaseAdapter


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


@dataclass
class Wire:
    """Counts the writing requests that pass and does `fault` to number `at` (1 is the first)."""

    at: int = 0
    fault: str = ""
    passed: int = 0
    log: list[str] = field(default_factory=list)

    def around(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        if not writes_something(request):
            return send()
        self.passed += 1
        self.log.append(f"{request.method} {request.path_url.split('?')[0]}")
        if self.passed != self.at:
            return send()
        return self._break(request, send)

    def _break(self, request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        if self.fault == "killed before":
            raise Killed
        if self.fault == "lost on the way":
            raise requests.exceptions.ReadTimeout(request=request)
        if self.fault in {"throttled", "unavailable"}:
            return _refusal(request, 429 if self.fault == "throttled" else 503)
        response = send()
        if self.fault == "killed after":
            raise Killed
        if self.fault == "answer lost":
            raise requests.exceptions.ReadTimeout(request=request)
        if self.fault == "answer spoilt":
            response._content = b'{"responses": [{"id'
            return response
        raise AssertionError(self.fault)


FAULTS = (
    "killed before",
    "killed after",
    "lost on the way",
    "answer lost",
    "answer spoilt",
    "throttled",
    "unavailable",
)


class CutAdapter(BaseAdapter):
    def __init__(self, inner: BaseAdapter, wire: Wire) -> None:
        super().__init__()
        self.inner, self.wire = inner, wire

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return self.wire.around(request, lambda: self.inner.send(request, *args, **kwargs))

    def close(self) -> None:
        self.inner.close()


def writes_something(request: requests.PreparedRequest) -> bool:
    if request.method == "GET":
        return False
    if str(request.url).endswith("/$batch"):
        parts = json.loads(request.body or b"{}")["requests"]
        return any(part["method"] != "GET" for part in parts)
    return True


def _refusal(request: requests.PreparedRequest, status: int) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers["Retry-After"] = "30"
    response.headers["Content-Type"] = "application/json"
    response._content = b'{"error": {"code": "TooManyRequests", "message": "wait"}}'
    response.request = request
    response.url = str(request.url)
    return response
