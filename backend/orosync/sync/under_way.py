"""Writes on their way to one side: while a group of them is with the other system, the next one is prepared and what
came of the last one is remembered. Never two groups at once, and each in its turn.

Who is killed in between leaves open intents of two groups, which the next run looks into (`recover.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from orosync.core.exchange import Write, WriteResult
from orosync.core.records import Side
from orosync.errors import (
    AccountBlocked,
    LeaseLost,
    OrosyncError,
    OutcomeUnknown,
    OutOfTime,
    RunCancelled,
    SignInNeeded,
    TryLater,
)
from orosync.sync.ports import SidePort

T = TypeVar("T")
Results = Mapping[str, WriteResult]
_ACCOUNT_WIDE = (TryLater, SignInNeeded, AccountBlocked)


class Launch(Protocol):
    """Begins what is to be done with a side, and returns what waits for its end and hands over what came of it."""

    def __call__(self, side: Side, work: Callable[[], T], /) -> Callable[[], T]: ...


def in_turn(_side: Side, work: Callable[[], T], /) -> Callable[[], T]:
    """Done before anything else goes on: the same order of steps every time."""
    results: list[T] = []
    trouble: BaseException | None = None
    try:
        results.append(work())
    except Exception as error:  # noqa: BLE001  # it is of whoever waits for it
        trouble = error

    def landed() -> T:
        if trouble is not None:
            raise trouble
        return results[0]

    return landed


def why_stopped(result: WriteResult) -> OrosyncError | None:
    """What ends the writing to a whole side."""
    if isinstance(result, OutcomeUnknown):
        return result.pause
    return result if isinstance(result, _ACCOUNT_WIDE) else None


def deliver(port: SidePort, writes: Sequence[Write]) -> Results:
    """As many at once as the side takes. After trouble with the whole side the rest is not sent."""
    results: dict[str, WriteResult] = {}
    for start in range(0, len(writes), port.writes_at_once):
        part = port.write(writes[start : start + port.writes_at_once])
        results.update(part)
        if any(why_stopped(result) for result in part.values()):
            not_sent = TryLater("Not sent, because writing to this side had to stop.")
            return {write.op_id: not_sent for write in writes} | results
    return results


class Stream(Generic[T]):
    """Groups of (what it is about, its write).

    remember: what came of a group, in our database. drop: a group that is not sent, because of what came of the one
    before it (`ends`). leaving: told of a group just before it is sent, which may be long after it was prepared. To be
    used as a context: at its end everything has landed and is remembered, whatever stopped the run, but where that is
    what cannot be done (the lease is lost, or remembering itself failed): then nothing is under way any more.
    """

    def __init__(
        self,
        port: SidePort,
        launch: Launch,
        *,
        remember: Callable[[Sequence[tuple[T, Write]], Results], None],
        drop: Callable[[Sequence[tuple[T, Write]]], None],
        ends: Callable[[WriteResult], bool],
        leaving: Callable[[Sequence[tuple[T, Write]]], None] = lambda _group: None,
    ) -> None:
        self._port, self._launch = port, launch
        self._remember, self._drop, self._ends, self._leaving = remember, drop, ends, leaving
        self._forgetful = False  # remembering failed, half-way perhaps
        self._group: Sequence[tuple[T, Write]] = ()  # under way
        self._landed: Callable[[], Results] | None = None
        self._told: tuple[Sequence[tuple[T, Write]], Results] = ((), {})  # landed, and not remembered yet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        if kind is None or issubclass(kind, OutOfTime | RunCancelled):
            self._end()
        elif issubclass(kind, OrosyncError) and not issubclass(kind, LeaseLost) and not self._forgetful:
            with suppress(OrosyncError):  # there is trouble already; the next run looks into what is open
                self._end()
        elif self._landed is not None:
            in_turn(self._port.side, self._landed)  # whatever came of it: nobody writes after the run

    def send(self, group: Sequence[tuple[T, Write]]) -> None:
        """Once the group before it has landed. An empty one only lets that land."""
        self._land()
        over = any(map(self._ends, self._told[1].values()))
        if group and not over:
            writes = [write for _, write in group]
            self._leaving(group)
            self._landed = self._launch(self._port.side, lambda: deliver(self._port, writes))
            self._group = group
        self._remember_told()
        if group and over:
            self._drop(group)

    def _end(self) -> None:
        self._remember_told()
        self._land()
        self._remember_told()

    def _land(self) -> None:
        landed, group = self._landed, self._group
        self._landed, self._group = None, ()
        if landed is not None:
            self._told = group, landed()

    def _remember_told(self) -> None:
        (group, results), self._told = self._told, ((), {})
        if group:
            self._forgetful = True
            self._remember(group, results)
            self._forgetful = False
