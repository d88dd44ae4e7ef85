"""What is told of a run when it is over: one line in the log, and the counters of this process.

Nothing of what an idle run did is worth a line: thousands of accounts are looked at every half minute.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from orosync.bootstrap.counting import counting
from orosync.core.records import Side
from orosync.errors import TryLater
from orosync.sync.run import Report, run_account
from orosync.sync.session import Session
from orosync.sync.take_back import UndoReport, undo_run

_log = structlog.get_logger(__name__)
_Kind = tuple[str, str, str]  # side, entity and verb of ops


def run_and_tell(session: Session) -> Report:
    """As `run_account`."""
    began, state, problems = time.monotonic(), "failed", []  # unless it comes to its own end
    try:
        report = run_account(session)
        state, problems = report.state, report.problems
        return report
    finally:
        _tell(session, session.request.mode, state, time.monotonic() - began, _ops(session), problems)


def undo_and_tell(session: Session, of_run: str, *, preview: bool) -> UndoReport:
    """As `undo_run`."""
    began = time.monotonic()
    try:
        return undo_run(session, of_run, preview=preview)
    finally:
        seconds, state, ops = time.monotonic() - began, "failed", Counter[_Kind]()
        with suppress(TryLater):  # the history knows of every step that was confirmed, however it ended
            row = session.store.run(session.run)
            state = str(row["state"]) if row is not None else state
            ops.update((each.side.value, each.entity.value, each.verb) for each in session.store.oplog(session.run))
        _tell(session, "undo_preview" if preview else "undo", state, seconds, ops)


def _tell(
    session: Session,
    mode: str,
    state: str,
    seconds: float,
    ops: Mapping[_Kind, int],
    problems: Sequence[str] = (),
) -> None:
    counts = {
        name: sum(getattr(each, name) for each in session.counts.values())
        for name in ("linked", "conflicts", "quarantined", "held")
    }
    wrote: Counter[str] = Counter()
    for (_side, _entity, verb), count in ops.items():
        wrote[f"{verb}d"] += count
    asked = {f"{side.value}_requests": port.requests_sent for side, port in session.sides.items()}
    why = {"problem": problems[0]} if problems else {}  # in the words of our own errors, which hold no contents
    idle = session.request.background and state == "done" and not (wrote.total() or any(counts.values()))
    log = _log.debug if idle else _log.info
    log("run finished", mode=mode, state=state, seconds=round(seconds, 3), **wrote, **counts, **asked, **why)
    if (metrics := counting()) is not None:
        arrivals = ((side.value, took_s) for side, took_s in session.arrivals)
        metrics.count_run(mode, state, seconds, {} if session.request.preview else ops, arrivals)


def _ops(session: Session) -> dict[_Kind, int]:
    return {
        (side.value, entity.value, verb): by_side[side]
        for entity, each in session.counts.items()
        for verb, by_side in (("create", each.created), ("update", each.updated), ("delete", each.deleted))
        for side in Side
    }
