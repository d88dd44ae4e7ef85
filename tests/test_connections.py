"""Connections are kept between runs, and the environment is asked for the way to a host once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from urllib3 import Retry

from orosync.connections import KeptAdapter, heed_environment

CALLERS: list[tuple[str, int]] = []


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        CALLERS.append(self.client_address[:2])
        self.send_response(204)
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


def test_a_connection_outlives_the_session_that_made_it(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    for _ in range(3):
        with requests.Session() as session:
            session.mount("http://", kept)
            assert session.get(server).status_code == 204
    kept.poolmanager.clear()
    assert len(CALLERS) == 3
    assert len(set(CALLERS)) == 1, "one connection for all"


def test_cookies_and_headers_stay_with_their_session(server: str) -> None:
    kept = KeptAdapter(Retry(0))
    with requests.Session() as one, requests.Session() as other:
        one.mount("http://", kept)
        one.headers["Authorization"] = "Bearer one"
        one.cookies.set("session", "one")
        other.mount("http://", kept)
        asked = other.get(server).request.headers
    kept.poolmanager.clear()
    assert "Authorization" not in asked
    assert "Cookie" not in asked


def test_what_the_environment_says_is_known_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "crm.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "authorities.pem")
    outside, inside = requests.Session(), requests.Session()
    heed_environment(outside, "https://graph.example/v1.0")
    heed_environment(inside, "https://crm.example/admin")
    assert outside.proxies["https"] == "http://proxy.example:3128"
    assert not inside.proxies
    assert outside.verify == "authorities.pem"
    assert not outside.trust_env


def test_without_any_word_of_the_environment_certificates_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    session = requests.Session()
    heed_environment(session, "https://graph.example/v1.0")
    assert session.verify is True
