"""What is forgotten in time: old runs with what they did, tombstones, finished conflicts, sign-in codes."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog

from orosync.bootstrap import Database
from orosync.errors import TryLater

_log = structlog.get_logger(__name__)

EVERY = timedelta(hours=6)
_AGAIN = timedelta(minutes=10)  # when the database could not take part


def keep_house(database: Database, now: datetime, history: timedelta) -> None:
    """Drop what is older than its time (`store/retention.py`), a little at once."""
    dropped = database.retention.drop_old(now, history)
    if any(dropped.values()):
        _log.info("old history was dropped", **dropped)


class Housekeeping:
    """Now and then, in a thread of its own: the first time on a large database takes minutes, and nobody who is due
    waits for that. Any number of processes may do it beside each other."""

    def __init__(self, database: Database, history: timedelta) -> None:
        self._database, self._history = database, history
        self._next: datetime | None = None
        self._thread: threading.Thread | None = None

    def look(self, now: datetime) -> None:
        """Begin if it is time; returns at once."""
        if (self._next is not None and now < self._next) or (self._thread is not None and self._thread.is_alive()):
            return
        self._next = now + EVERY
        self._thread = threading.Thread(target=self._keep, args=(now,), name="housekeeping", daemon=True)
        self._thread.start()

    def wait(self, most_s: float | None = None) -> None:
        """Until what was begun is done, or for that long: broken off anywhere it goes on the next time."""
        if self._thread is not None:
            self._thread.join(most_s)

    def _keep(self, now: datetime) -> None:
        try:
            keep_house(self._database, now, self._history)
        except TryLater:
            self._next = now + _AGAIN
        except Exception:  # noqa: BLE001  # the edge of a thread; what is old can wait, and the log says why it does
            _log.exception("old history could not be dropped")
