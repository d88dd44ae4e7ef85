"""Requested runs on threads of this process: what `orosync serve` has when no other queue is configured."""

from __future__ import annotations

import queue
import threading
from typing import Protocol

import structlog

from orosync.bootstrap import Database

_log = structlog.get_logger(__name__)
_PAUSE_S = 1.0  # after the database could not take part


class Handler(Protocol):
    stopping: threading.Event

    def carry_out(self, account_id: int, run: str) -> None: ...


class ThreadQueue:
    """A few threads, mostly waiting for HTTP. Runs that waited when the last process ended are taken up at the start;
    several processes may take up the same one, and one of them gets it."""

    def __init__(self, handler: Handler, database: Database, threads: int = 4) -> None:
        self._handler = handler
        self._messages: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        for account_id, run in database.requested_runs.waiting():
            self._messages.put((account_id, run))
        self._threads = [
            threading.Thread(target=self._work, name=f"requested-runs-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, account_id: int, run: str) -> None:
        self._messages.put((account_id, run))

    def stop(self) -> None:
        """Lets runs end at their next step, and waits for that."""
        self._handler.stopping.set()
        for _ in self._threads:
            self._messages.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        """To the end of the process, whatever a message brings. What nobody has begun when the process ends waits for
        the next one."""
        while (message := self._messages.get()) is not None:
            if self._handler.stopping.is_set():
                continue
            try:
                self._handler.carry_out(*message)
            except Exception:  # noqa: BLE001  # the edge of a thread: nobody would put another in its place
                _log.exception("a message was not carried out and comes again", run=message[1])
                if not self._handler.stopping.wait(_PAUSE_S):
                    self._messages.put(message)
