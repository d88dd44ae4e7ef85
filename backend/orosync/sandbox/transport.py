"""How a program reaches a simulated service: inside the process, or over a loopback socket.

`WsgiAdapter` hands a `requests` call straight to a WSGI program, `serve` runs one on a thread of its own.
What the program answers is left to the program; nothing here knows Graph or OroCRM.
"""

from __future__ import annotations

import io
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class ConnectionDropped(ConnectionError):
    """The service ends the connection without an answer.

    Raised inside a simulated service; in process it reaches the caller as `requests.ConnectionError`, over a
    socket the connection is closed before a status line was sent.
    """


class WsgiAdapter(BaseAdapter):
    """Sends prepared requests into a WSGI program in the calling thread.

    Mount it under any prefix: `session.mount("https://graph.microsoft.com", WsgiAdapter(app))`. Thread-safe as
    far as the program is. Time-outs, proxies and certificates have no meaning here and are ignored.
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: requests.PreparedRequest,
        *_how: Any,
        **_with: Any,
    ) -> requests.Response:
        """Answers as `HTTPAdapter.send` does.

        Raises `requests.ConnectionError` when the program drops the connection.
        """
        started: dict[str, Any] = {}
        early: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if exc_info is not None and exc_info[1] is not None:
                raise exc_info[1]
            started["status"], started["headers"] = status, headers
            return early.append

        try:
            chunks: Iterable[bytes] = self._app(_environ(request), start_response)
            try:
                body = b"".join(early) + b"".join(chunks)
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()
        except ConnectionDropped as dropped:
            raise requests.exceptions.ConnectionError(dropped, request=request) from dropped
        return self._response(request, started["status"], started["headers"], body)

    def close(self) -> None:
        """Nothing is held open."""

    def _response(
        self, request: requests.PreparedRequest, status: str, headers: list[tuple[str, str]], body: bytes
    ) -> requests.Response:
        code, _, reason = status.partition(" ")
        raw_headers = HTTPHeaderDict(headers)
        response = requests.Response()
        response.status_code = int(code)
        response.reason = reason or HTTPStatus(response.status_code).phrase
        response.headers = CaseInsensitiveDict(raw_headers)
        encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.encoding = encoding
        # requests reads cookies from the object http.client made: give it one of that shape
        cookies: Any = _CookieSource(raw_headers) if "Set-Cookie" in raw_headers else None
        response.raw = HTTPResponse(
            body=io.BytesIO(body),
            headers=raw_headers,
            status=response.status_code,
            reason=response.reason,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
            original_response=cookies,
        )
        response.url = request.url or ""
        response.request = request
        response.connection = self  # type: ignore[assignment]
        if cookies is not None:
            extract_cookies_to_jar(response.cookies, request, response.raw)  # type: ignore[no-untyped-call]
        return response


class _CookieSource:
    """What requests wants to read cookies from: http.client's response, in shape."""

    def __init__(self, headers: HTTPHeaderDict) -> None:
        self.msg = _CookieMessage(headers)

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held open."""


class _CookieMessage:
    def __init__(self, headers: HTTPHeaderDict) -> None:
        self._headers = headers

    def get_all(self, name: str, default: Any = None) -> Any:
        return self._headers.getlist(name) or default


def _body(request: requests.PreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    read = getattr(body, "read", None)
    if read is not None:
        return bytes(read())
    return b"".join(part if isinstance(part, bytes) else str(part).encode("utf-8") for part in body)


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    data = _body(request)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": (request.method or "GET").upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc.rpartition("@")[2],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(data),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers: Mapping[str, str | bytes] = request.headers
    for name, value in headers.items():
        key = _UNPREFIXED.get(name.lower()) or "HTTP_" + name.upper().replace("-", "_")
        environ[key] = value.decode("latin-1") if isinstance(value, bytes) else value
    environ["CONTENT_LENGTH"] = str(len(data))
    return environ


class _QuietHandler(WSGIRequestHandler):
    """No log lines, and no 40 ms pause between head and body (Nagle against delayed ACK). In HTTP/1.1, so that answers
    may come in chunks; werkzeug closes each connection after its answer all the same."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log(self, *_line: Any) -> None:
        return None

    def connection_dropped(self, *_error: Any) -> None:
        self.close_connection = True  # nothing was answered, so nothing said that it closes: the caller would wait

    def log_request(self, *_line: Any) -> None:
        return None


class _Server(ThreadedWSGIServer):
    """Knows its open connections, so that stopping also ends those that wait for a request or an answer."""

    daemon_threads = True
    block_on_close = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError, OSError)):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        with self._guard:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other end was faster


class RunningServer:
    """A WSGI program on `url` (no trailing slash), until `stop()`; also a context manager."""

    def __init__(self, server: _Server, url: str) -> None:
        self.url = url
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox-server", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def stop(self) -> None:
        """Ends the listener and every open connection; may be called twice."""
        self._server.shutdown()
        self._server.end_connections()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(
    app: WSGIApplication | Callable[..., Any],
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    ssl_context: ssl.SSLContext | None = None,
) -> RunningServer:
    """Starts `app` on a thread; port 0 takes a free one.

    Raises ValueError for a host that is not loopback: the simulated services have no protection of their own.
    """
    if host not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError(f"host {host!r} is not loopback: use 127.0.0.1")
    server = _Server(host, port, app, handler=_QuietHandler, ssl_context=ssl_context)
    scheme = "https" if ssl_context is not None else "http"
    return RunningServer(server, f"{scheme}://{host}:{server.server_port}")
