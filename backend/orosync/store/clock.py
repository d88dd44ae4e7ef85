"""The time that all processes of an installation go by: the database server's, where there is one.

Leases, due times and pauses are written by one machine and read by others; were each to go by its own clock, one that
is minutes off would take accounts from the others, or never find anything due.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

ASK_EVERY_S = 60.0
_SURE_S = 1.0  # an answer that took longer says too little, once there was a better one

_CLOCK = sa.select(sa.func.clock_timestamp())


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ServerClock:
    """Goes on by itself between two answers of the server, and while it is away. Asks in a thread of its own, so that
    telling the time never waits. Raises what the first question raises."""

    def __init__(self, ask: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._monotonic = ask, monotonic
        self._known, _ = self._asked()
        self._asked_at = self._known[1]
        self._asking = threading.Lock()

    def now(self) -> datetime:
        at, then = self._known
        moment = self._monotonic()
        if moment - self._asked_at >= ASK_EVERY_S and self._asking.acquire(blocking=False):
            self._asked_at = moment
            threading.Thread(target=self._ask_again, name="clock", daemon=True).start()
        return at + timedelta(seconds=moment - then)

    def _ask_again(self) -> None:
        try:
            found, took_s = self._asked()
            if took_s <= _SURE_S:
                self._known = found
        except sa.exc.SQLAlchemyError:
            return  # it is away, and is asked again in a minute
        finally:
            self._asking.release()

    def _asked(self) -> tuple[tuple[datetime, float], float]:
        """The server's time with our moment in the middle of question and answer, and how long that took."""
        before = self._monotonic()
        at = self._ask()
        took_s = self._monotonic() - before
        return (at, before + took_s / 2), took_s


def shared_clock(engine: sa.Engine) -> SystemClock | ServerClock:
    """SQLite has no clock but this machine's, and no other machine either."""
    if engine.dialect.name == "sqlite":
        return SystemClock()

    def ask() -> datetime:
        with engine.connect() as connection:
            at: datetime = connection.execute(_CLOCK).scalar_one()
            return at.astimezone(UTC)

    return ServerClock(ask)
