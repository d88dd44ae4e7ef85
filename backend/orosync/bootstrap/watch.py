"""Threads for what goes on beside a run, for those runs alone that last long enough to need one.

Most runs find nothing to do and are over in a moment; a thread for each of them would cost as much as a request.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LOOK_EVERY_S = 1.0
LONG_S = 1.0  # what is older at a look gets its thread: within two seconds


class _Watched:
    def __init__(self, beside: Callable[[threading.Event], None]) -> None:
        self.beside = beside
        self.since = time.monotonic()
        self.over: threading.Event | None = None
        self.thread: threading.Thread | None = None

    def begin(self) -> None:
        over = threading.Event()
        thread = threading.Thread(target=self.beside, args=(over,), name="lease", daemon=True)
        thread.start()
        self.over, self.thread = over, thread

    def end(self) -> None:
        if self.thread is not None and self.over is not None:
            self.over.set()
            self.thread.join()


class Watch:
    """One for each process. Its own thread looks around as long as there is anything to look at."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._young: set[_Watched] = set()
        self._looking = False

    @contextmanager
    def over(self, beside: Callable[[threading.Event], None]) -> Iterator[None]:
        """`beside` goes on in a thread from the second second on, until the event that it is given is set: at the end
        of the block, which waits for it."""
        watched = _Watched(beside)
        with self._guard:
            self._young.add(watched)
            if not self._looking:
                threading.Thread(target=self._look_around, name="watch", daemon=True).start()
                self._looking = True
        try:
            yield
        finally:
            with self._guard:
                self._young.discard(watched)
            watched.end()

    def _look_around(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            with self._guard:
                old_since = time.monotonic() - LONG_S
                for each in [each for each in self._young if each.since <= old_since]:
                    with suppress(RuntimeError):  # no thread to be had now: at the next look
                        each.begin()
                        self._young.discard(each)
                if not self._young:
                    self._looking = False
                    return


WATCH = Watch()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCH.__init__)  # type: ignore[misc]  # threads do not come along
