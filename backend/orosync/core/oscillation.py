"""The breaker for values that go back and forth: a unit that was written as a, b, a, b within a day is frozen (R27).

Every side is compared with itself, so our own writes cannot cause this; two programs that disagree about a value can. A
frozen unit is not written any more until a person chooses one of its values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from orosync.core.changes import compare
from orosync.core.fields import units_of
from orosync.core.ledger import OplogEntry
from orosync.core.ops import Decision, FieldConflict, Op, Verb
from orosync.core.plan import plan_case
from orosync.core.records import Record, Side
from orosync.core.scope import Policy


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


def freeze(decision: Decision, units: tuple[str, ...], policy: Policy) -> Decision:
    """The case planned again with `units` frozen, and both their values shown as a conflict to choose from (R27)."""
    link, outlook, oro = decision.case.link, decision.case.outlook.snapshot, decision.case.oro.snapshot
    if link is None or outlook is None or oro is None:
        return decision
    frozen = replace(link, frozen_fields=tuple(sorted({*link.frozen_fields, *units})))
    again = plan_case(replace(decision.case, link=frozen), policy)
    sides = compare(link.entity, outlook.record, oro.record, link.shadows, policy.context)
    shown = tuple(
        FieldConflict(
            unit=name,
            base=sides.base(Side.ORO, units_of(link.entity)[name]),
            outlook=sides.values(Side.OUTLOOK, units_of(link.entity)[name]),
            oro=sides.values(Side.ORO, units_of(link.entity)[name]),
            rule="frozen",
            choice=None,
        )
        for name in units
    )
    return replace(again, conflicts=(*again.conflicts, *shown))
