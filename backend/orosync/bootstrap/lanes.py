"""One thread for each side, so that the run goes on while a request is under way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from orosync.core.records import Side
from orosync.sync.under_way import Launch

T = TypeVar("T")


@contextmanager
def lanes() -> Iterator[Launch]:
    """For one run. Threads are taken when they are first needed; at the end nothing is under way any more, and the next
    run has them."""
    threads: dict[Side, ThreadPoolExecutor] = {}
    last: dict[Side, Future[Any]] = {}

    def launch(side: Side, work: Callable[[], T], /) -> Callable[[], T]:
        if side not in threads:
            threads[side] = _thread()
        launched = last[side] = threads[side].submit(copy_context().run, work)
        return launched.result

    try:
        yield launch
    finally:
        wait(last.values())  # each side's one after the other
        _SPARE.extend(threads.values())


def _thread() -> ThreadPoolExecutor:
    try:
        return _SPARE.pop()
    except IndexError:
        return ThreadPoolExecutor(1, thread_name_prefix="lane")


# Of runs that are over: to start two for each look at an account would cost as much as what it asks.
_SPARE: list[ThreadPoolExecutor] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SPARE.clear)  # threads do not travel into a forked process
