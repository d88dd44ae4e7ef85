"""When something is to be done next: retries, quarantine, the next poll.

Times and random numbers are arguments; `random_fraction` is from 0 up to 1. Who sleeps, and on what, is decided by
`jobs`. Rules: R24 and R26 of the engine's specification; the range of the back-off is our own choice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orosync.core.ledger import Quarantined

QUARANTINE_FIRST = timedelta(minutes=5)
QUARANTINE_LONGEST = timedelta(hours=24)
ATTENTION_AFTER = timedelta(days=7)
BACK_OFF_FIRST_S = 10.0  # halved by the jitter at most, so 5 s is the shortest wait
BACK_OFF_LONGEST_S = 900.0
LONGEST_RETRY_AFTER_S = 86_400.0
SPREAD = 0.1  # of an interval or of a wait that was asked for


def quarantine_delay(attempts: int) -> timedelta:
    """How long a record rests that has failed `attempts` times (1 or more): 5 min, 10 min, ... 24 h (R26)."""
    doublings = min(max(attempts, 1) - 1, 20)  # 20 are far beyond the longest, and keep the number small
    return min(QUARANTINE_FIRST * (1 << doublings), QUARANTINE_LONGEST)


def rested(failed: Quarantined, before: Quarantined | None, now: datetime) -> Quarantined:
    """`failed` with attempts and times as they follow from the row there was `before` it, if any (R26)."""
    attempts = before.attempts + 1 if before else 1
    first_at = before.first_at if before else now
    return replace(failed, attempts=attempts, first_at=first_at, next_try=now + quarantine_delay(attempts))


def needs_attention(first_at: datetime, now: datetime) -> bool:
    """True for a record that has been in quarantine for 7 days (R26)."""
    return now - first_at >= ATTENTION_AFTER


def retry_at(now: datetime, retry_after_s: float | None, attempt: int, random_fraction: float) -> datetime:
    """When to try again after trouble that passes by itself. attempt: 1 for the first failure in a row.

    Without a Retry-After: between half and the whole of 10 s, 20 s, 40 s, ... 15 min. With one: never earlier, and a
    little later by chance, so that not everybody is back at the same moment. Nobody is believed who asks for more
    than a day.
    """
    doublings = min(max(attempt, 1) - 1, 20)
    back_off_s = min(BACK_OFF_FIRST_S * (1 << doublings), BACK_OFF_LONGEST_S) * (1 + random_fraction) / 2
    asked_s = min(max(retry_after_s or 0.0, 0.0), LONGEST_RETRY_AFTER_S) * (1 + SPREAD * random_fraction)
    return now + timedelta(seconds=max(back_off_s, asked_s))


def next_due(last_at: datetime | None, interval_s: float, now: datetime, random_fraction: float) -> datetime:
    """When something is due that is done every `interval_s` seconds; now if it never was, or if it is late.

    The interval is stretched or shrunk by up to 5 % by chance, so that accounts made together drift apart.
    """
    if last_at is None:
        return now
    spread = 1 + SPREAD * (random_fraction - 0.5)
    return max(now, last_at + timedelta(seconds=interval_s * spread))
