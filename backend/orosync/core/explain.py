"""Why a record is, or is not, synchronised: the facts of the store in plain words, most telling first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orosync.core.ledger import Conflict, OplogEntry, Quarantined, Unlinked
from orosync.core.records import Link, LinkState, Side

_NAMES = {Side.OUTLOOK: "Outlook", Side.ORO: "OroCRM"}
_VERBS = {"create": "created", "update": "changed", "delete": "deleted", "stamp": "stamped"}


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the store has about one id."""

    links: Sequence[Link] = ()
    unlinked: Sequence[Unlinked] = ()
    quarantined: Sequence[Quarantined] = ()
    conflicts: Sequence[Conflict] = ()
    oplog: Sequence[OplogEntry] = field(default_factory=tuple)  # newest first
    pending: bool = False


def explain(known: Known) -> list[str]:
    """Sentences, without content of the record."""
    lines = [_of_link(link) for link in known.links]
    lines += [_of_unlinked(row) for row in known.unlinked]
    lines += [_of_quarantine(row) for row in known.quarantined]
    lines += [_of_conflict(row) for row in known.conflicts]
    if known.pending:
        lines.append("A change of it is noted and waits for the next run.")
    lines += [_of_op(entry) for entry in known.oplog]
    return lines or ["Nothing is known of this id: no feed has reported it yet."]


def _of_link(link: Link) -> str:
    pair = f"OroCRM's {link.entity} {link.oro_id} and Outlook's item {link.outlook_id}"
    if link.state is LinkState.TOMBSTONE:
        return f"It was one pair ({pair}) until it was deleted; it is remembered so that it does not come back."
    if link.state is LinkState.SUSPENDED:
        return f"It is one pair ({pair}), but out of scope now: nothing is written or deleted until it is back."
    frozen = f" Frozen because it kept changing back and forth: {', '.join(link.frozen_fields)}." * bool(
        link.frozen_fields
    )
    return f"It is synchronised: {pair} are one record.{frozen}"


def _of_unlinked(row: Unlinked) -> str:
    return f"It stands alone in {_NAMES[row.side]}: {row.why or 'no partner was found yet'}."


def _of_quarantine(row: Quarantined) -> str:
    return (
        f"It could not be written {row.attempts} time(s) since {_when(row.first_at)}: {row.message} "
        f"The next try is at {_when(row.next_try)}, or at once when it is changed."
    )


def _of_conflict(row: Conflict) -> str:
    if row.choice is None:
        return f"{row.field} was changed differently on both sides and waits for a choice (conflict {row.id})."
    taken = f"{_NAMES[Side(row.choice)]}'s value was taken ({row.rule})"
    return f"{row.field} was changed on both sides at {_when(row.at)}: {taken}."


def _of_op(entry: OplogEntry) -> str:
    fields = ", ".join(sorted(entry.after or {})) if entry.verb == "update" else ""
    taken_back = f" Taken back by run {entry.undone_by}." if entry.undone_by else ""
    what = f"{_VERBS.get(entry.verb, entry.verb)} in {_NAMES[entry.side]}" + (f" ({fields})" if fields else "")
    return f"{_when(entry.at)}: {what} because {entry.reason} [rule {entry.rule}, run {entry.run}].{taken_back}"


def _when(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
