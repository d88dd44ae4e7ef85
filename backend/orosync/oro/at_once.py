"""Several questions to one OroCRM at the same time: as many as is polite, and no more however they are nested.

Which of them may be asked together is the caller's to know; here is only who asks them, and whose error counts.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class Ask(Protocol):
    """Notes a question and returns what hands over its answer, once all have been asked."""

    def __call__(self, question: Callable[[], T], /) -> Callable[[], T]: ...


class AtOnce:
    """most: how many are under way at a time, that of the asking thread among them. 1: one after the other, in order,
    without other threads."""

    def __init__(self, most: int = 1) -> None:
        self.most = most

    @contextmanager
    def questions(self) -> Iterator[Ask]:
        """Asked at the end of the block, which raises as `all`."""
        noted: list[Callable[[], Any]] = []
        answers: list[Any] = []

        def ask(question: Callable[[], T], /) -> Callable[[], T]:
            number = len(noted)
            noted.append(question)
            return lambda: cast("T", answers[number])

        yield ask
        answers += self.all(noted)

    def all(self, works: Sequence[Callable[[], T]]) -> list[T]:
        """What each returns, in their order. Raises the first error in that order, as if they came one after the other;
        those that have not begun by then do not begin, and nothing is under way any more."""
        if self.most < 2 or len(works) < 2:
            return [work() for work in works]
        waiting: Iterator[tuple[int, Callable[[], T]]] = iter(enumerate(works))
        taking = threading.Lock()
        results: dict[int, T] = {}
        troubles: dict[int, Exception] = {}

        def work_off() -> None:
            while not troubles:
                with taking:
                    taken = next(waiting, None)
                if taken is None:
                    return
                number, work = taken
                try:
                    results[number] = work()
                except Exception as error:  # noqa: BLE001  # it is of whoever wanted them all
                    troubles[number] = error

        helpers = [self._threads.submit(copy_context().run, work_off) for _ in range(min(self.most, len(works)) - 1)]
        try:
            work_off()
        finally:  # a helper that is not needed any more does not begin: so works may themselves ask several at once
            waiting = iter(())  # not empty yet only if this thread is being ended
            begun = [each for each in helpers if not each.cancel()]
            for each in begun:
                each.result()
        if troubles:
            raise troubles[min(troubles)]
        return [results[number] for number in range(len(works))]

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        """Its own while it lives, so that the number holds however questions are nested."""
        spare = _SPARE[self.most]
        try:
            threads = spare.pop()
        except IndexError:
            threads = ThreadPoolExecutor(self.most - 1, thread_name_prefix="orocrm")
        weakref.finalize(self, spare.append, threads)
        return threads


# Threads of runs that are over wait here for the next one: to start them for each look at an account would cost half a
# millisecond of CPU.
_SPARE: defaultdict[int, list[ThreadPoolExecutor]] = defaultdict(list)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SPARE.clear)  # threads do not travel into a forked process
