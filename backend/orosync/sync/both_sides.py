"""Both sides asked at the same time, where neither needs to know what the other says.

Only requests travel to other threads. What is done with an answer, all that touches the store above all, is done by the
run's own thread, one thing after the other: a transaction and a lease's epoch belong to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import TypeAlias, TypeVar

from orosync.core.records import Side
from orosync.errors import OrosyncError
from orosync.sync.session import Session

A = TypeVar("A")
R = TypeVar("R")

# With one side: yields what is to be asked, is sent the answer, returns what came of it.
Talk: TypeAlias = Generator[Callable[[], A], A, R]


def talk_with(session: Session, talks: Mapping[Side, Talk[A, R]]) -> dict[Side, R]:
    """Side by side if the session says so, else one after the other. Either way the error of the first of them counts:
    that of another one is raised when those before it have come to their ends, and those after it are left."""
    if session.side_by_side:
        return _side_by_side(session, talks)
    return {side: _to_its_end(talk) for side, talk in talks.items()}


def _to_its_end(talk: Talk[A, R]) -> R:
    asked: Callable[[], A] | None = None
    while True:
        try:
            asked = _go_on(talk, asked)
        except StopIteration as end:
            came_of_it: R = end.value
            return came_of_it


def _go_on(talk: Talk[A, R], asked: Callable[[], A] | None) -> Callable[[], A]:
    """What is to be asked next. Raises StopIteration at the end, and what went wrong with what was asked."""
    return next(talk) if asked is None else talk.send(asked())


def _side_by_side(session: Session, talks: Mapping[Side, Talk[A, R]]) -> dict[Side, R]:
    going_on, ended = list(talks), dict[Side, R]()
    under_way: dict[Side, Callable[[], A]] = {}
    trouble: OrosyncError | None = None
    try:
        while going_on:
            for side in tuple(going_on):
                try:
                    under_way[side] = session.launch(side, _go_on(talks[side], under_way.pop(side, None)))
                except StopIteration as end:
                    ended[side] = end.value
                    going_on.remove(side)
                except OrosyncError as error:
                    trouble = error
                    del going_on[going_on.index(side) :]
                    break
    finally:
        for landed in under_way.values():
            with suppress(Exception):  # nobody wants to know any more, but nothing is asked after the run
                landed()
    if trouble is not None:
        raise trouble
    return ended
