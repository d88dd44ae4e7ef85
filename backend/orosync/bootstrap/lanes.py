"""One thread for each side, so that the run goes on while a request is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from typing import TypeVar

from orosync.core.records import Side
from orosync.sync.under_way import Launch

T = TypeVar("T")


@contextmanager
def lanes() -> Iterator[Launch]:
    """For one run. Threads are started when they are first needed; at the end nothing is under way any more."""
    with ExitStack() as stack:
        threads: dict[Side, ThreadPoolExecutor] = {}

        def launch(side: Side, work: Callable[[], T], /) -> Callable[[], T]:
            if side not in threads:
                threads[side] = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix=f"to-{side.value}"))
            return threads[side].submit(copy_context().run, work).result

        yield launch
