"""How many requests each person made in the window that runs, in this process: the memory of the rate limit.

The library's own memory clears up in threads that it starts on the way, and two requests at once can start the same one
(limits 5: "threads can only be started once"); under a server with threads that was an answer of 500.
"""

from __future__ import annotations

import threading
import time

from limits.storage import Storage

SCHEME = "orosync-counts"
_TIDY_EVERY_S = 60.0


class RequestCounts(Storage):
    """Fixed windows: key -> how many, and when that window ends (seconds since 1970)."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  # the library's way of finding it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: str) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._windows: dict[str, tuple[int, float]] = {}
        self._turn = threading.Lock()
        self._tidied = time.time()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        with self._turn:
            self._tidy(now)
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
            self._windows[key] = (count + amount, ends)
            return count + amount

    def get(self, key: str) -> int:
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        _, ends = self._windows.get(key, (0, 0.0))
        return max(ends, time.time())

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        with self._turn:
            count = len(self._windows)
            self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        with self._turn:
            self._windows.pop(key, None)

    def _tidy(self, now: float) -> None:
        if now - self._tidied < _TIDY_EVERY_S:
            return
        self._tidied = now
        self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
