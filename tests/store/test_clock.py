"""One time for all processes of an installation, whatever the clocks of their machines say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.store.conftest import NOON

from orosync.store.clock import ASK_EVERY_S, ServerClock, SystemClock, shared_clock


class Server:
    """Its clock, ours, and how long a question takes: half of that on each way. No time passes by itself."""

    def __init__(self) -> None:
        self.at, self.ours, self.takes_s = NOON, 1000.0, 0.0
        self.away = False
        self.asked = threading.Semaphore(0)

    def __call__(self) -> datetime:
        try:
            if self.away:
                raise sa.exc.OperationalError("SELECT clock_timestamp()", {}, Exception("away"))
            self.forward(self.takes_s / 2)
            told = self.at
            self.forward(self.takes_s / 2)
            return told
        finally:
            self.asked.release()

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ours += seconds

    def monotonic(self) -> float:
        return self.ours


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock(server: Server) -> ServerClock:
    made = ServerClock(server, server.monotonic)
    assert server.asked.acquire(timeout=10)
    return made


def settled(server: Server, clock: ServerClock) -> Callable[[], datetime]:
    """After the question that telling the time now gives rise to."""
    clock.now()
    assert server.asked.acquire(timeout=10)
    with clock._asking:  # until the answer was taken in
        return clock.now


def test_it_tells_the_server_s_time_and_asks_it_once_a_minute(server: Server, clock: ServerClock) -> None:
    server.forward(ASK_EVERY_S - 1)
    assert clock.now() == server.at
    assert not server.asked.acquire(blocking=False)
    server.forward(1)
    assert settled(server, clock)() == server.at
    assert not server.asked.acquire(blocking=False)


def test_a_server_that_was_set_right_is_followed(server: Server, clock: ServerClock) -> None:
    server.at -= timedelta(minutes=5)
    assert clock.now() == NOON
    server.forward(ASK_EVERY_S)
    assert settled(server, clock)() == server.at


def test_the_way_there_and_back_counts_half(server: Server) -> None:
    server.takes_s = 0.8
    assert ServerClock(server, server.monotonic).now() == server.at


def test_what_took_long_says_less_than_what_is_known(server: Server, clock: ServerClock) -> None:
    server.takes_s = 30.0
    server.forward(ASK_EVERY_S)
    server.at += timedelta(seconds=9)  # of which nobody knows whether it is not the way
    assert settled(server, clock)() == server.at - timedelta(seconds=9)


def test_while_the_server_is_away_time_goes_on_and_it_is_asked_again(server: Server, clock: ServerClock) -> None:
    server.away = True
    server.forward(ASK_EVERY_S)
    assert settled(server, clock)() == server.at
    server.away = False
    server.at += timedelta(seconds=7)
    server.forward(ASK_EVERY_S)
    assert settled(server, clock)() == server.at


def test_postgresql_s_clock_is_everybody_s_and_sqlite_has_none(engine: sa.Engine) -> None:
    clock = shared_clock(engine)
    assert isinstance(clock, SystemClock if engine.dialect.name == "sqlite" else ServerClock)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=30)  # both are this machine's here
