"""Calls from outside on their way to the database: many in one transaction, and one a second for an account; what may
be anybody's at an OroCRM once in as long as its accounts are many.

Systems tell of the same change several times, and of many changes at once. Whoever calls is answered when its call is
in the database; what comes for an account that was called within the last second is answered at once and follows when
that second is over.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from orosync.bootstrap import Database
from orosync.core.records import Side
from orosync.errors import OrosyncError, TryLater

EVERY_S = 1.0
EACH_S = 0.002  # of an instance's accounts: planning one costs about 0.04 ms
_PATIENCE_S = 2.0  # for the database; Graph counts what took longer than 3 s as not delivered
_IDLE_S = 5.0
_MANY = 10_000  # accounts; then those of seconds ago are forgotten

_log = structlog.get_logger(__name__)
Sides = frozenset[Side]
Whom = int | str  # an account, or all of an OroCRM by its address


@dataclass(slots=True)
class _Batch:
    called: dict[Whom, Sides] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    error: OrosyncError | None = None


class Calls:
    """Thread-safe: one for each application. Its thread ends when nobody called for some seconds."""

    def __init__(
        self, database: Database, *, every_s: float = EVERY_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.every_s = every_s
        self._database = database
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._batch = _Batch()
        self._last: dict[Whom, float] = {}
        self._later: dict[Whom, tuple[float, Sides]] = {}
        self._pauses: dict[str, float] = {}
        self._thread: threading.Thread | None = None
        self._closing = False

    def call(self, accounts: Mapping[int, Sides]) -> None:
        """Something changed at these sides of these accounts. Raises TryLater if the database does not have it: then
        nothing is remembered here either."""
        self._call(dict(accounts.items()))

    def call_all_of(self, orocrm_url: str) -> None:
        """Something is new at this OroCRM, and may be anybody's. Raises as `call`."""
        self._call({orocrm_url: frozenset({Side.ORO})})

    def _call(self, called: dict[Whom, Sides]) -> None:
        with self._changed:
            fresh = {each: sides for each, sides in called.items() if self._is_fresh(each, sides)}
            batch = self._batch
            for each, sides in fresh.items():
                batch.called[each] = batch.called.get(each, frozenset()) | sides
            if fresh or self._later:
                self._go_on()
        if not fresh:
            return
        if not batch.done.wait(_PATIENCE_S):
            raise TryLater("The database takes too long just now.", remedy="Try again in a moment.")
        if batch.error is not None:
            raise batch.error

    def close(self) -> None:
        """What waits for its second is written now."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_PATIENCE_S)

    def _is_fresh(self, whom: Whom, sides: Sides) -> bool:
        now, last, pause_s = self._monotonic(), self._last.get(whom), self._pause_s(whom)
        if last is not None and now - last < pause_s:
            due, before = self._later.get(whom, (last + pause_s, frozenset()))
            self._later[whom] = due, before | sides
            return False
        if len(self._last) >= _MANY:
            self._last = {each: at for each, at in self._last.items() if now - at < self._pause_s(each)}
        self._last[whom] = now
        return True

    def _pause_s(self, whom: Whom) -> float:
        return self._pauses.get(whom, self.every_s) if isinstance(whom, str) else self.every_s

    def _go_on(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="calls", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _write_all(self) -> None:
        while True:
            with self._changed:
                idle_until = self._monotonic() + _IDLE_S
                while not self._batch.called and not self._closing and (wait_s := self._wait_s(idle_until)) > 0:
                    self._changed.wait(wait_s)
                batch, self._batch = self._batch, _Batch()
                called = self._with_due_ones(batch.called)
                if not called:
                    self._thread = None
                    return
            self._write(batch, called)

    def _wait_s(self, idle_until: float) -> float:
        return min((due for due, _ in self._later.values()), default=idle_until) - self._monotonic()

    def _with_due_ones(self, called: dict[Whom, Sides]) -> dict[Whom, Sides]:
        now = self._monotonic()
        found = dict(called)
        for each, (due, sides) in list(self._later.items()):
            if due <= now or self._closing:
                del self._later[each]
                self._last[each] = now
                found[each] = found.get(each, frozenset()) | sides
        return found

    def _write(self, batch: _Batch, called: dict[Whom, Sides]) -> None:
        accounts = {each: sides for each, sides in called.items() if isinstance(each, int)}
        try:
            if accounts:
                with self._database.transaction():
                    for sides in set(accounts.values()):
                        self._database.due_work.call([each for each in accounts if accounts[each] == sides], sides)
            for each in called:
                if isinstance(each, str):
                    self._write_all_of(each)
        except Exception as error:  # noqa: BLE001  # the edge of a thread: whoever waits has to hear of it
            self._forget(batch, called, error)
        batch.done.set()

    def _write_all_of(self, orocrm_url: str) -> None:
        ids = self._database.webhooks.accounts(orocrm_url)
        self._database.due_work.call_in_turn(ids, Side.ORO, random.random)
        with self._changed:
            self._pauses[orocrm_url] = max(self.every_s, len(ids) * EACH_S)

    def _forget(self, batch: _Batch, called: dict[Whom, Sides], error: Exception) -> None:
        """It was not written: whoever waits is told, and what nobody waits for is tried again in a second."""
        batch.error = error if isinstance(error, OrosyncError) else TryLater("Something is wrong with the database.")
        if not isinstance(error, OrosyncError):
            _log.error("calls could not be written", exc_info=error)
        with self._changed:
            due = self._monotonic() + EVERY_S
            for each, sides in called.items():
                self._last.pop(each, None)
                if each not in batch.called and not self._closing:
                    self._later[each] = due, sides
