"""When an account is looked at next, and which of its sides then: intervals, calls, trouble, and what follows a run.

Pure: times and random numbers are arguments (`random_fraction` is from 0 up to 1). Rules R3, R24 and R29 of the
engine's specification; a call ("something changed", from either side) only ever brings a look forward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from orosync.core.records import Side
from orosync.core.schedule import SPREAD, next_due, retry_at

DEBOUNCE = timedelta(seconds=2)  # calls come in flocks: several for one change, and one for each of ours (R3)
SAFETY_POLL_S = 900.0  # how often a side is asked that says by itself when something changes
BLOCKED_S = 900.0  # until an administrator has acted: asked again now and then, so that nobody has to be told of it
SIGNED_OUT_S = 6 * 3600.0  # until the user has signed in: that itself calls at once
ANYBODYS_S = 0.2  # for each account that has to look because a new record may be anybody's: five of them a second
HELD_S = 300.0  # between two looks at an account whose plan waits for a person; a call comes through all the same

Trouble = Literal["", "throttled", "failing"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often each side is asked, in seconds. enabled: by itself at all, which an account is once its first sync
    began (before that a person decides), unless it was switched off."""

    interval_s: Mapping[Side, float]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class DueWork:
    """due_at: None while nothing is planned. read_at: when a side's feed was last read to its end. called_at: when a
    side last said that something changed, and no run has begun since; in the future: it
    need not look before then. since: how long the trouble lasts, attempts: failures in a row."""

    account_id: int
    due_at: datetime | None = None
    urgent: bool = False
    read_at: Mapping[Side, datetime] = field(default_factory=dict)
    called_at: Mapping[Side, datetime] = field(default_factory=dict)
    trouble: Trouble = ""
    reason: str = ""
    since: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. state as in a run's report; sides: whose feeds it was to read. unfinished: it stopped at its
    time budget or with the process, and the rest waits in the journal."""

    state: str
    sides: frozenset[Side] = frozenset(Side)
    reason: str = ""
    throttled: bool = False
    retry_after_s: float | None = None
    sign_in_needed: bool = False
    unfinished: bool = False


def sides_due(work: DueWork, pace: Pace, now: datetime) -> frozenset[Side]:
    """Whose feed is to be read now. A side that would be due in a moment goes along."""
    return frozenset(side for side in Side if _is_due(work, side, pace, now))


def _is_due(work: DueWork, side: Side, pace: Pace, now: datetime) -> bool:
    called, read = work.called_at.get(side), work.read_at.get(side)
    if read is None or (called is not None and called <= now):
        return True
    return now >= read + timedelta(seconds=pace.interval_s[side] * (1 - SPREAD))


def next_look(work: DueWork, pace: Pace, now: datetime, random_fraction: float) -> datetime:
    """When the first of its sides is due; not before now."""
    return max(now, min(_next_of(work, side, pace, now, random_fraction) for side in Side))


def _next_of(work: DueWork, side: Side, pace: Pace, now: datetime, random_fraction: float) -> datetime:
    polled = next_due(work.read_at.get(side), pace.interval_s[side], now, random_fraction)
    called = work.called_at.get(side)
    return polled if called is None else min(polled, called + DEBOUNCE)


def called(work: DueWork, sides: frozenset[Side], now: datetime) -> DueWork:
    """Something changed there. An account that is not kept in step by itself, or waits because of trouble, is not
    hurried: the call is remembered."""
    calls = {**work.called_at, **dict.fromkeys(sides, now)}  # the newest: a run that began before it has not heard it
    if work.due_at is None or work.trouble:
        return replace(work, called_at=calls)
    return replace(work, called_at=calls, due_at=min(work.due_at, now + DEBOUNCE), urgent=True)


def perhaps_called(work: DueWork, side: Side, among: int, now: datetime, random_fraction: float) -> DueWork:
    """Something is new there, and it may be anybody's `among` as many accounts. They look one after the other, and
    none for this reason again before all had the time for it: however much is new, it costs no more than that."""
    in_turn = timedelta(seconds=ANYBODYS_S * among)
    turn = max(now + DEBOUNCE + in_turn * random_fraction, work.read_at.get(side, now) + in_turn)
    before = work.called_at.get(side, turn)
    # who is about to look, or already looking, hears of this only by a look that begins after it
    at = min(before, turn) if before > now else now
    after = replace(work, called_at={**work.called_at, side: at})
    return after if work.due_at is None or work.trouble else replace(after, due_at=min(work.due_at, at))


def looked_at_soon(work: DueWork, pace: Pace, now: datetime) -> DueWork:
    """The account itself is another one now (its settings, its sign-in): both sides are read, trouble or not. Only who
    asked for a pause is left alone until it is over."""
    if not pace.enabled:
        return replace(work, due_at=None, urgent=False)
    calls = dict.fromkeys(Side, now)
    if work.trouble == "throttled" and work.due_at is not None:
        return replace(work, called_at=calls)
    soon = now + DEBOUNCE  # people change several settings in a row
    return replace(work, called_at=calls, due_at=min(work.due_at or soon, soon), urgent=True)


def asked_for(work: DueWork, now: datetime) -> DueWork:
    """A person wants something done. Who is due already keeps their place."""
    return replace(work, due_at=min(work.due_at or now, now), urgent=True)


def after_run(
    work: DueWork, outcome: Outcome, pace: Pace, began: datetime, now: datetime, random_fraction: float
) -> DueWork:
    """The account's row after a run that began at `began`. Calls that came since then stay."""
    late = {side: at for side, at in work.called_at.items() if at > began}
    if outcome.state == "held":
        pace = replace(pace, interval_s={side: max(each, HELD_S) for side, each in pace.interval_s.items()})
    if outcome.state in {"done", "held"} and not outcome.unfinished:
        read = {**work.read_at, **dict.fromkeys(outcome.sides, began)}
        well = replace(work, read_at=read, called_at=late, trouble="", reason="", since=None, attempts=0, urgent=False)
        return _planned(well, pace, now, random_fraction)
    if outcome.unfinished or outcome.state == "cancelled":
        again = replace(work, urgent=False, trouble="", reason="", since=None, attempts=0)
        planned = _planned(again, pace, now, random_fraction)
        return replace(planned, due_at=now) if outcome.unfinished and pace.enabled else planned
    if outcome.state == "suspended":
        wait_s = (SIGNED_OUT_S if outcome.sign_in_needed else BLOCKED_S) * (1 + SPREAD * random_fraction)
        wait = DEBOUNCE if any(at <= now for at in late.values()) else timedelta(seconds=wait_s)
        rest = replace(work, called_at=late, trouble="", reason="", since=None, attempts=0, urgent=False)
        return replace(rest, due_at=now + wait if pace.enabled else None)
    return _in_trouble(work, outcome, pace, now, random_fraction)


def replanned(work: DueWork, pace: Pace, now: datetime, random_fraction: float, *, suspended: bool = False) -> DueWork:
    """After something that says nothing about how the account is doing: a preview, other settings."""
    if not pace.enabled:
        return replace(work, due_at=None, urgent=False)
    if suspended:
        return replace(work, due_at=now + timedelta(seconds=BLOCKED_S * (1 + SPREAD * random_fraction)), urgent=False)
    if work.trouble:
        return replace(work, due_at=retry_at(now, None, work.attempts, random_fraction), urgent=False)
    return _planned(work, pace, now, random_fraction)


def _in_trouble(work: DueWork, outcome: Outcome, pace: Pace, now: datetime, random_fraction: float) -> DueWork:
    attempts = work.attempts + 1
    return replace(
        work,
        due_at=retry_at(now, outcome.retry_after_s, attempts, random_fraction) if pace.enabled else None,
        urgent=False,
        trouble="throttled" if outcome.throttled else "failing",
        reason=outcome.reason,
        since=work.since or now,
        attempts=attempts,
    )


def _planned(work: DueWork, pace: Pace, now: datetime, random_fraction: float) -> DueWork:
    due_at = _plan(work, pace, now, random_fraction)
    urgent = due_at is not None and any(at <= now for at in work.called_at.values())
    return replace(work, due_at=due_at, urgent=urgent)


def _plan(work: DueWork, pace: Pace, now: datetime, random_fraction: float) -> datetime | None:
    return next_look(work, pace, now, random_fraction) if pace.enabled else None
