"""Answers that do not end, over a real socket: given up by size and by time, and the outcome of a write left open."""

from __future__ import annotations

import gzip
import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from tests.oro.conftest import Clock

from orosync.errors import OutcomeUnknown, Unreachable
from orosync.oro import endings
from orosync.oro.auth import Wsse
from orosync.oro.client import OroClient
from orosync.sandbox.transport import serve

MIB = 1024 * 1024


class Endless:
    """Answers every request with `body`; an iterator may go on for ever."""

    def __init__(self) -> None:
        self.body: Iterable[bytes] = []
        self.headers: list[tuple[str, str]] = []
        self.sent = 0
        self.over = threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "application/vnd.api+json"), *self.headers])
        for part in self.body:
            if self.over.is_set():
                return
            self.sent += len(part)
            yield part


@pytest.fixture
def server() -> Endless:
    return Endless()


@pytest.fixture
def client(server: Endless) -> Iterator[OroClient]:
    with serve(server) as running:
        sign_in = Wsse("admin", "key", now=Clock())
        yield OroClient(running.url, sign_in, allow_loopback_http=True, pause=lambda _s: None)
        server.over.set()


def test_an_answer_without_end_is_given_up(client: OroClient, server: Endless, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "MOST_BYTES", MIB)
    server.body = itertools.repeat(b" " * 64 * 1024)
    with pytest.raises(Unreachable, match="the connection broke"):
        client.get("contacts")
    with pytest.raises(OutcomeUnknown):
        client.write("POST", "contacts", {})
    assert server.sent < 100 * MIB


def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up(
    client: OroClient, server: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "MOST_BYTES", MIB)
    server.headers = [("Content-Encoding", "gzip")]
    server.body = [gzip.compress(b" " * 20 * MIB)]
    with pytest.raises(Unreachable, match="the connection broke"):
        client.get("contacts")


def test_an_answer_that_comes_byte_by_byte_is_given_up_when_its_time_is_over(
    client: OroClient, server: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "LONGEST_S", 0.2)

    def drops() -> Iterator[bytes]:
        while not server.over.wait(0.02):
            yield b" "

    server.body = drops()
    with pytest.raises(Unreachable, match="the connection broke"):
        client.get("contacts")


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_as_large_as_is_allowed_is_read_whole(
    client: OroClient, server: Endless, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b'{"data": [' + b" " * (MIB - 12) + b"]}"
    monkeypatch.setattr(endings, "MOST_BYTES", len(whole))
    server.headers = [("Content-Encoding", "gzip")] if packed else []
    server.body = [gzip.compress(whole)] if packed else [whole[:1000], whole[1000:]]
    assert client.get("contacts").document == {"data": []}
