"""What to do about a create whose outcome nobody knows: adopt what it made, wait, send it again, or ask (R25).

Deletes need no recovery: their journal rows are still there, and planning again from what is read is safe. So do
updates, but for what stands only because an update takes several steps: nobody wrote that, and it must not look so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.ops import Op
from orosync.core.records import Entity, Record, Side, Snapshot

# How long a new item may stay invisible to a search by property. OroCRM answers from its database at once.
VISIBILITY = {Side.OUTLOOK: timedelta(seconds=20), Side.ORO: timedelta(0)}
# From where to where: what a task's status is on the way. OroCRM's workflow has no single step (orocrm-api.md 4).
_BY_WAY_OF = {("completed", "in_progress"): "not_started"}


@dataclass(frozen=True, slots=True)
class Adopt:
    """It was created. spares: further hits, which are left alone and reported."""

    snapshot: Snapshot
    spares: int = 0


@dataclass(frozen=True, slots=True)
class SendAgain:
    """It was not created."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Too early to tell."""


def recover_create(
    op: Op, candidates: Sequence[Snapshot], sent_at: datetime, now: datetime, context: Context, *, exact: bool
) -> Adopt | SendAgain | Wait:
    """candidates: oldest first, unlinked. exact: they were found by an id that only our create can have left; else each
    must hold exactly the payload."""
    hits = list(candidates) if exact else [each for each in candidates if _is_payload(op, each, context)]
    if hits:
        return Adopt(hits[0], spares=len(hits) - 1)
    return SendAgain() if now - sent_at >= VISIBILITY[op.side] else Wait()


def _is_payload(op: Op, snapshot: Snapshot, context: Context) -> bool:
    """The record holds what we sent, and nothing of ours is missing or different."""
    sent = {name: op.values.get(name) for name in snapshot.record}
    held = lens_of(op.side, op.entity).representable(sent, context)
    # Filled in by OroCRM when we did not send them; and a status other than open is a second step after the create.
    defaults = {"priority", "status", "all_day"}
    return all(
        snapshot.record[name] == value
        for name, value in held.items()
        if name not in defaults or (name in op.values and name != "status")
    )


def half_way(op: Op, record: Record) -> Record:
    """Of what an update has left, the values that are neither those before it nor its own, but a step between them."""
    if (op.side, op.entity) != (Side.ORO, Entity.TASK):
        return {}
    step = _BY_WAY_OF.get((str(op.before.get("status")), str(op.values.get("status"))))
    return {"status": step} if step is not None and record["status"] == step else {}
