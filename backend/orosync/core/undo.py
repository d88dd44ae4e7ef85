"""How a run is taken back: one compensating op for each op of it that still stands as we left it (R28).

What was changed since is not touched but reported. Undoing a create removes the item only if it is untouched; undoing a
delete makes a new item from the image kept before.
"""

from __future__ import annotations

from dataclasses import dataclass

from orosync.core.ledger import OplogEntry
from orosync.core.ops import Op, Verb
from orosync.core.records import Half, Presence, Record


@dataclass(frozen=True, slots=True)
class UndoStep:
    """The op that takes `entry` back, or why it is not taken back."""

    entry: OplogEntry
    op: Op | None
    why_not: str = ""


def plan_undo(entry: OplogEntry, current: Half, link_id: int | None, attendees: int = 0) -> UndoStep:
    """current: the item that the entry wrote, as it is now. attendees: who would be mailed by a write to it."""
    if entry.undone_by is not None:
        return UndoStep(entry, None, "it was taken back before")
    if current.presence in {Presence.UNREADABLE, Presence.OUT_OF_SCOPE}:
        return UndoStep(entry, None, "it cannot be read at the moment")
    if attendees:
        return UndoStep(entry, None, "it is a meeting with attendees now, who would be mailed")
    if entry.verb == Verb.DELETE:
        return _undo_delete(entry, current)
    if current.snapshot is None:
        return UndoStep(entry, None, "it does not exist any more")
    after, now = entry.after or {}, current.snapshot.record
    if not _stands(after, now) or (entry.verb == Verb.CREATE and not _nothing_but(after, now)):
        return UndoStep(entry, None, "it was changed since")
    if entry.verb == Verb.CREATE:
        return UndoStep(entry, _op(entry, Verb.DELETE, now, {}, link_id))
    return UndoStep(entry, _op(entry, Verb.UPDATE, after, entry.before or {}, link_id))


def _undo_delete(entry: OplogEntry, current: Half) -> UndoStep:
    if current.snapshot is not None:
        return UndoStep(entry, None, "it exists again")
    return UndoStep(entry, _op(entry, Verb.CREATE, {}, entry.before or {}, None))


def _stands(after: Record, current: Record) -> bool:
    return all(current.get(name) == value for name, value in after.items())


def _nothing_but(after: Record, current: Record) -> bool:
    """Nobody has added to what we created, also not in a field that we left empty or do not sync."""
    return all(value is None or value is False for name, value in current.items() if name not in after)


def _op(entry: OplogEntry, verb: Verb, before: Record, values: Record, link_id: int | None) -> Op:
    return Op(
        verb,
        entry.entity,
        entry.side,
        "undo",
        f"takes back: {entry.reason}",
        outlook_id=entry.outlook_id,
        oro_id=entry.oro_id,
        link_id=link_id,
        values=values,
        before=before,
        overwrites=verb is Verb.UPDATE,
    )
