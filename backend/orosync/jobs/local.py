"""The queue of one machine: huey on a file beside the database, worked off by threads of this process.

It carries account ids, nothing else. What is in it when the machine dies is due in the database all the same.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Protocol

import structlog
from huey import SqliteHuey
from huey.consumer import Consumer

from orosync.errors import TryLater

_log = structlog.get_logger(__name__)

URGENT, USUAL = 10, 0
_LOOK_EVERY_S = (0.02, 0.2)  # while busy, and after a while of nothing


class Work(Protocol):
    stopping: threading.Event

    def carry_out(self, account_id: int) -> None: ...


class _Quiet(Consumer):  # type: ignore[misc]
    """Inside another program, whose signals are its own."""

    def _set_signal_handlers(self) -> None:
        pass


class LocalQueue:
    """threads: how many accounts are worked on at once. They mostly wait for HTTP."""

    def __init__(self, work: Work, file: Path, threads: int) -> None:
        self._work = work
        self.slots = threads
        file.parent.mkdir(parents=True, exist_ok=True)
        self._huey = SqliteHuey("orosync", filename=str(file), results=False, utc=True, timeout=20)
        self._task = self._huey.task(name="account")(self._carry_out)
        self._consumer: _Quiet | None = None

    def start(self) -> None:
        first, longest = _LOOK_EVERY_S
        self._consumer = _Quiet(
            self._huey,
            workers=self.slots,
            periodic=False,
            initial_delay=first,
            backoff=1.3,
            max_delay=longest,
            check_worker_health=True,
        )
        self._consumer.start()

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        """Raises TryLater while its file cannot be written: a full disk, mostly."""
        try:
            self._task(account_id, priority=URGENT if urgent else USUAL)
        except sqlite3.Error as error:
            remedy = "Look at the disk of OROSYNC_DATA_DIR."
            raise TryLater(f"The queue could not be written ({type(error).__name__}).", remedy=remedy) from error

    def answers(self) -> bool:
        try:
            self._huey.pending_count()
        except sqlite3.Error:
            return False
        return True

    def stop(self) -> None:
        """Runs end at their next step, and are waited for."""
        self._work.stopping.set()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)

    def _carry_out(self, account_id: int) -> None:
        try:
            self._work.carry_out(account_id)
        except Exception:  # noqa: BLE001  # it stays due, and is handed out again
            _log.exception("an account could not be worked on now", account_id=account_id)
