"""The breaker for values that go back and forth: a unit that was written as a, b, a, b within a day is frozen (R27).

Every side is compared with itself, so our own writes cannot cause this; two programs that disagree about a value can. A
frozen unit is not written any more until a person chooses one of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orosync.core.fields import units_of
from orosync.core.ledger import OplogEntry
from orosync.core.ops import Op, Verb
from orosync.core.records import Record


def oscillating_units(op: Op, history: Iterable[OplogEntry]) -> tuple[str, ...]:
    """Units of `op` that it would write for the fourth time with two values by turns.

    history: what was done to this record in the last 24 hours, newest first.
    """
    if op.verb is not Verb.UPDATE:
        return ()
    written = [entry for entry in history if entry.verb == Verb.UPDATE and entry.rule != "undo"]
    units = {name: [field.name for field in fields] for name, fields in units_of(op.entity).items()}
    return tuple(unit for unit, names in units.items() if _goes_back_and_forth(names, op, written))


def _goes_back_and_forth(names: Sequence[str], op: Op, written: Sequence[OplogEntry]) -> bool:
    if not _part(op.values, names):
        return False
    values = [part for values in (op.values, *(e.after or {} for e in written)) if (part := _part(values, names))]
    return len(values) >= 4 and values[0] == values[2] and values[1] == values[3] and values[0] != values[1]


def _part(values: Record, names: Sequence[str]) -> dict[str, object]:
    return {name: values[name] for name in names if name in values}
