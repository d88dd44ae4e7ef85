"""A worker's sign of life in the database: how much can be handed to it, and that it has not died."""

from __future__ import annotations

import os
import socket
import threading
from uuid import uuid4

import structlog

from orosync.bootstrap import Database
from orosync.errors import TryLater
from orosync.store.workers import SIGN_EVERY

_log = structlog.get_logger(__name__)


def name_of_this_process() -> str:
    """Another one at each call."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


class SignsOfLife:
    """From `start` to `stop`, from a thread of its own."""

    def __init__(self, database: Database, slots: int) -> None:
        self.name = name_of_this_process()
        self._database, self._slots = database, slots
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_signing, name="signs-of-life", daemon=True)

    def start(self) -> None:
        self._database.workers.sign(self.name, self._slots)
        self._thread.start()

    def stop(self) -> None:
        """It takes no more work, and holds nothing."""
        self._over.set()
        self._thread.join()
        try:
            self._database.workers.leave(self.name)
        except TryLater:
            _log.warning("the worker could not say that it ends; the dispatcher will notice")

    def _keep_signing(self) -> None:
        while not self._over.wait(SIGN_EVERY.total_seconds()):
            try:
                self._database.workers.sign(self.name, self._slots)
            except TryLater:
                continue  # the database is away; so is everybody's work
            except Exception:  # noqa: BLE001  # the edge of a thread: without it the worker would pass for dead
                _log.exception("a sign of life could not be given")
