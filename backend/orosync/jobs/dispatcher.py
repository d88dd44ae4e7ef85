"""Hands out what is due: one round claims accounts in the database and puts them into the queue.

Any number of dispatchers may run beside each other, because claiming is atomic; one is enough.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from orosync.bootstrap import Database
from orosync.errors import TryLater
from orosync.jobs.housekeeping import Housekeeping
from orosync.jobs.signs_of_life import name_of_this_process
from orosync.store.workers import SIGN_EVERY
from orosync.sync.ports import AccountQueue, Clock

_log = structlog.get_logger(__name__)

ROUND_EVERY_S = 1.0
_LOOK_EVERY_S = 0.1  # whether there is room again, while more may be waiting
_AHEAD = 2  # times the slots are handed out, so that no worker waits for the next round


@dataclass
class Dispatcher:
    """Rounds until it is told to stop."""

    database: Database
    queue: AccountQueue
    clock: Clock
    history: timedelta
    _well: bool = True
    _enough: int | None = None  # in hand: then the next round need not wait for its second
    _house: Housekeeping = field(init=False)

    def __post_init__(self) -> None:
        self._house = Housekeeping(self.database, self.history)

    def keep_going(self, over: threading.Event, every_s: float = ROUND_EVERY_S) -> None:
        """A round each second, whatever happens to database and queue meanwhile; and sooner while workers would wait
        for the next one."""
        name, signed_at = name_of_this_process(), -math.inf
        while not over.is_set():
            try:
                if time.monotonic() - signed_at >= SIGN_EVERY.total_seconds():
                    self.database.workers.sign(name, 0)
                    signed_at = time.monotonic()
                self.round()
                self._wait(over, every_s)
            except TryLater as error:
                self._note(well=False, why=str(error))
                over.wait(every_s)
            except Exception:  # noqa: BLE001  # the edge of the loop: without it nothing would ever be due
                _log.exception("a round of the dispatcher broke")
                over.wait(every_s)
        self._house.wait(most_s=5)
        with suppress(TryLater):  # the others notice
            self.database.workers.leave(name)

    def round(self) -> int:
        """Returns how many accounts were handed out. Raises TryLater when database or queue cannot take part; what was
        not handed out then is due as before."""
        lost = self.database.workers.bury()
        if lost:
            _log.warning("workers gave no sign of life and are given up", workers=len(lost))
            self.database.due_work.unclaim_all()
        slots = sum(worker.slots for worker in self.database.workers.all())
        in_hand = self.database.due_work.in_hand() if slots else 0
        room = slots * _AHEAD - in_hand
        claimed = self.database.due_work.claim(room, slots) if room > 0 else []
        self._enough = _enough(in_hand, len(claimed), room, slots)
        for number, each in enumerate(claimed):
            try:
                self.queue.put(each.account_id, urgent=each.urgent)
            except BaseException:
                self.database.due_work.unclaim([rest.account_id for rest in claimed[number:]])
                raise
        self._note(well=True)
        self._house.look(self.clock.now())
        return len(claimed)

    def _wait(self, over: threading.Event, every_s: float) -> None:
        """Until the next round: a look now and then costs less than a round, and far less than idle workers."""
        if self._enough is None:
            over.wait(every_s)
            return
        for _ in range(round(every_s / _LOOK_EVERY_S)):
            if over.wait(_LOOK_EVERY_S) or self.database.due_work.in_hand() <= self._enough:
                return

    def _note(self, *, well: bool, why: str = "") -> None:
        """Once for each change, not each second."""
        if well != self._well:
            self._well = well
            if well:
                _log.warning("the dispatcher goes on")
            else:
                _log.warning("the dispatcher waits", why=why)


def _enough(in_hand: int, handed_out: int, room: int, slots: int) -> int | None:
    """How many may still be in hand when it is time to hand out more: half of what was handed out just now is done by
    then. None where nothing more was due."""
    if handed_out:
        return in_hand + handed_out - max(handed_out // 2, 1)
    return slots if slots and room <= 0 else None
