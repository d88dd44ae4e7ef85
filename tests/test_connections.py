"""Connections are kept between runs, and requests go out as `requests` would send them."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3 import Retry

from orosync.connections import KeptAdapter, Line, way_to

WITHIN = (5.0, 5.0)  # seconds
CALLERS: list[tuple[str, int]] = []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        CALLERS.append(self.client_address[:2])
        self.send_response(302 if self.path == "/elsewhere" else 204)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/")
        self.send_header("Set-Cookie", "session=one; Path=/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[str]:
    CALLERS.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_connection_outlives_the_client_that_made_it(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    for _ in range(3):
        assert Line(server, kept).request("GET", f"{server}/", headers={}, timeout=WITHIN).status_code == 204
    kept.poolmanager.clear()
    assert len(CALLERS) == 3
    assert len(set(CALLERS)) == 1, "one connection for all"


def test_a_line_keeps_no_cookie(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    line = Line(server, kept)
    for _ in range(2):
        asked = line.request("GET", f"{server}/", headers={}, timeout=WITHIN).request.headers
        assert "Cookie" not in asked
    kept.poolmanager.clear()


def test_a_line_follows_no_redirect(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    answer = Line(server, kept).request("GET", f"{server}/elsewhere", headers={}, timeout=WITHIN)
    kept.poolmanager.clear()
    assert answer.status_code == 302
    assert len(CALLERS) == 1


def test_what_two_clients_say_of_themselves_does_not_mix(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    one, other = Line(server, kept, headers={"Authorization": "Bearer one"}), Line(server, kept)
    first = one.request("GET", f"{server}/", headers={}, timeout=WITHIN).request.headers
    second = other.request("GET", f"{server}/", headers={}, timeout=WITHIN).request.headers
    kept.poolmanager.clear()
    assert first["Authorization"] == "Bearer one"
    assert "Authorization" not in second


class Seen(BaseAdapter):
    """Answers nothing, and remembers what it was to send."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[requests.PreparedRequest] = []
        self.ways: list[dict[str, Any]] = []

    def send(self, request: requests.PreparedRequest, *_how: Any, **way: Any) -> requests.Response:
        self.asked.append(request)
        self.ways.append(way)
        answer = requests.Response()
        answer.status_code, answer.raw = 204, io.BytesIO()
        return answer

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize("base", ["https://crm.example.com", "https://Shop.example.com:8443/admin"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/contacts",
        "/v1.0/$batch",
        "/api/rest/latest/tasks/1.json",
        "/users/anna@contoso.example/contacts/AAMk%2Bx=",
        "/a/../b",
        "/näh",
        "/todo/lists?$skip=1",
    ],
)
@pytest.mark.parametrize("params", [None, {}, {"filter[id][gt]": "7", "sort": "-updatedAt,-id", "q": "ä & =~"}])
def test_an_address_is_written_as_requests_writes_it(base: str, path: str, params: dict[str, str] | None) -> None:
    seen = Seen()
    Line(base, seen).request("GET", base + path, params=params, headers={}, timeout=WITHIN)
    theirs = requests.Request("GET", base + path, params=params).prepare()
    assert seen.asked[0].url == theirs.url


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", None), ("DELETE", None), ("PATCH", b'{"a":1}')])
def test_a_request_says_how_long_its_body_is(method: str, body: bytes | None) -> None:
    seen = Seen()
    Line("https://crm.example.com", seen).request(
        method, "https://crm.example.com/api", body=body, headers={"accept": "text/plain"}, timeout=WITHIN
    )
    theirs = requests.Request(method, "https://crm.example.com/api", data=body).prepare()
    assert seen.asked[0].headers.get("Content-Length") == theirs.headers.get("Content-Length")
    assert seen.asked[0].headers["Accept"] == "text/plain"


def test_the_longest_prefix_chooses_the_adapter() -> None:
    usual, host, folder = Seen(), Seen(), Seen()
    line = Line("https://a.example/x", usual, adapters={"https://a.example": host, "https://a.example/x": folder})
    for path in ("/1", "/2"):
        line.request("GET", f"https://a.example/x{path}", headers={}, timeout=WITHIN)
    assert [len(each.asked) for each in (usual, host, folder)] == [0, 0, 2]


@pytest.fixture
def ask_anew() -> Iterator[None]:
    """The environment is about to change, as it does not within a process."""
    way_to.cache_clear()
    yield
    way_to.cache_clear()


@pytest.mark.usefixtures("ask_anew")
def test_what_the_environment_says_is_known_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "crm.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "authorities.pem")
    seen = Seen()
    for url in ("https://graph.example/v1.0", "https://crm.example/admin"):
        Line(url, seen).request("GET", f"{url}/x", headers={}, timeout=WITHIN)
    outside, inside = seen.ways
    assert outside["proxies"]["https"] == "http://proxy.example:3128"
    assert not inside["proxies"]
    assert outside["verify"] == "authorities.pem"


@pytest.mark.usefixtures("ask_anew")
def test_without_any_word_of_the_environment_certificates_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    seen = Seen()
    Line("https://graph.example/v1.0", seen).request("GET", "https://graph.example/v1.0/x", headers={}, timeout=WITHIN)
    assert seen.ways[0]["verify"] is True
