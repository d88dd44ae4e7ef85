"""Answers that are kept back: a request is carried out, and whoever sent it hears nothing until it is let go.

Wrapped around a simulated system, for tests that kill a program between a write and its answer. Control:
`POST /sandbox/hold {"method", "path", "body"}` (regular expressions) arms it for one request; `GET /sandbox/hold` waits
until one is held and shows it, or answers 204 after `?wait=` seconds; `DELETE /sandbox/hold` lets all go. With
`"early": true` the request itself is kept back, and carried out when it is let go: one that was long on its way.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/sandbox/hold"


@dataclass(frozen=True)
class _Wish:
    method: re.Pattern[str]
    path: re.Pattern[str]
    body: re.Pattern[str]
    early: bool

    def meets(self, method: str, path: str, body: str) -> bool:
        return bool(self.method.fullmatch(method) and self.path.search(path) and self.body.search(body))


class HeldAnswers:
    """A WSGI program around another one."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._turn = threading.Condition()
        self._wish: _Wish | None = None
        self._held: dict[str, str] | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        body = _body(environ)
        if path == PATH:
            return self._control(environ, body, start_response)
        method = str(environ["REQUEST_METHOD"])
        wish = self._taken(method, path, body.decode("utf-8", "replace"))
        if wish is not None and wish.early:
            self._keep_back(method, path)
        answer = list(self._app(environ, start_response))
        if wish is not None and not wish.early:
            self._keep_back(method, path)
        return answer

    def _keep_back(self, method: str, path: str) -> None:
        with self._turn:
            self._held = {"method": method, "path": path}
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._held is None)

    def _taken(self, method: str, path: str, body: str) -> _Wish | None:
        with self._turn:
            wish = self._wish
            if wish is None or not wish.meets(method, path, body):
                return None
            self._wish = None
            return wish

    def _control(self, environ: WSGIEnvironment, body: bytes, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        held: dict[str, str] | None = None
        with self._turn:
            if method == "POST":
                wish: dict[str, Any] = json.loads(body or b"{}")
                path, text = re.compile(wish.get("path", "")), re.compile(wish.get("body", ""))
                self._wish = _Wish(re.compile(wish.get("method", ".*")), path, text, early=bool(wish.get("early")))
            elif method == "DELETE":
                self._wish = self._held = None
                self._turn.notify_all()
            else:
                wait = float(parse_qs(environ.get("QUERY_STRING", "")).get("wait", ["30"])[0])
                self._turn.wait_for(lambda: self._held is not None, wait)
                held = self._held
        payload = b"" if held is None else json.dumps(held).encode()
        start_response("200 OK" if payload else "204 No Content", [("Content-Type", "application/json")])
        return [payload]


def _body(environ: WSGIEnvironment) -> bytes:
    """Read once, and put back for the program inside."""
    length = str(environ.get("CONTENT_LENGTH") or "")
    if environ.get("wsgi.input_terminated"):
        body = bytes(environ["wsgi.input"].read())
    else:
        body = bytes(environ["wsgi.input"].read(int(length))) if length.isdigit() else b""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input_terminated"] = True
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body
