"""How long a change took from the other side to this one: a measure of the whole way, not of the run alone."""

from __future__ import annotations

from datetime import datetime

from orosync.core.records import Case, Side


def arrival_s(case: Case, target: Side, now: datetime) -> float | None:
    """Seconds since the record changed on the side that `target` was written for, by that side's own clock, which may
    be ahead of ours. None where the write has another cause than a change there, or nobody knows when it was."""
    source = case.half(target.other).snapshot
    if source is None or source.modified_at is None:
        return None
    if case.link is not None and case.link.versions.get(source.side) == source.version:
        return None  # it is as it was: something of the target's own was put right
    try:
        changed_at = datetime.fromisoformat(source.modified_at)
    except ValueError:
        return None
    return max(0.0, (now - changed_at).total_seconds())
