"""How many requests a mailbox still takes: a bucket of tokens, refilled steadily, and the pauses Graph asks for.

One object for each turn at a mailbox (`store/mailboxes.py` carries what is left from turn to turn). Threads may share
it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from orosync.core.schedule import LONGEST_RETRY_AFTER_S
from orosync.errors import Throttled

LONGEST_WAIT_S = 20.0  # a request may wait as long; a run that would have to wait longer ends, and comes again
DEFAULT_PAUSE_S = 10.0  # for a 429 that does not say how long


class Allowance:
    """tokens: how many requests may be sent now; capacity: at most as many gather; refill_per_s: as they come back."""

    def __init__(
        self,
        tokens: float,
        *,
        capacity: float,
        refill_per_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tokens = min(tokens, capacity)
        self._capacity, self._refill = capacity, refill_per_s
        self._monotonic, self._sleep = monotonic, sleep
        self._counted = monotonic()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def spend(self, count: int) -> None:
        """Before `count` requests (the parts of a batch count singly). Waits a little if that is enough; else raises
        Throttled, and nothing was taken."""
        with self._lock:
            now = self._gather()
            if self._paused_until > now:
                raise Throttled("The mailbox asked for a pause.", retry_after_s=self._paused_until - now)
            wait_s = max(0.0, (count - self._tokens) / self._refill)
            if wait_s > LONGEST_WAIT_S:
                raise Throttled("The mailbox has used up its requests for now.", retry_after_s=wait_s)
            self._tokens -= count  # below zero while somebody waits, so that the next one waits longer
        if wait_s:
            self._sleep(wait_s)

    def pause(self, seconds: float | None) -> None:
        """Graph said so: nothing more is sent for as long; a day at most, whatever it said."""
        with self._lock:
            until = self._monotonic() + (DEFAULT_PAUSE_S if seconds is None else min(seconds, LONGEST_RETRY_AFTER_S))
            self._paused_until = max(self._paused_until, until)

    @property
    def left(self) -> float:
        with self._lock:
            self._gather()
            return self._tokens

    @property
    def pause_left_s(self) -> float:
        with self._lock:
            return max(0.0, self._paused_until - self._monotonic())

    def _gather(self) -> float:
        now = self._monotonic()
        self._tokens = min(self._capacity, self._tokens + (now - self._counted) * self._refill)
        self._counted = now
        return now
