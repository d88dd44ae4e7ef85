"""Which units of a record differ from what was last agreed, and whether two sides already say the same.

Every side is compared with its own shadow (design.md 4, point 1); the two sides are compared with each other only
through what each can represent, so that a lossy mapping never looks like a difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orosync.core.canonical import same
from orosync.core.fields import Field, units_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.records import Entity, Record, Side, Value


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both current records, each also as the other side would hold it, and both shadows (possibly partial).

    `projected[side]` is the *other* side's record as `side` would hold it.
    """

    entity: Entity
    current: Mapping[Side, Record]
    projected: Mapping[Side, Record]
    shadows: Mapping[Side, Record]
    context: Context

    def has_base(self, unit: tuple[Field, ...]) -> bool:
        return all(field.name in self.shadows.get(side, {}) for side in Side for field in unit)

    def changed(self, side: Side, unit: tuple[Field, ...]) -> bool:
        """R7: canon(current) != shadow, on one side. A unit without base has not changed: nobody can tell."""
        shadow = self.shadows.get(side, {})
        return any(_differs(self.entity, field.name, shadow, self.current[side]) for field in unit)

    def agrees(self, unit: tuple[Field, ...]) -> bool:
        return not self.differing(unit)

    def differing(self, unit: tuple[Field, ...]) -> tuple[Field, ...]:
        """The fields of the unit on which the sides do not already say the same, as far as either can say it."""
        return tuple(field for field in unit if not self._same(field.name))

    def _same(self, name: str) -> bool:
        outlook, oro = (self.current[side][name] for side in Side)
        # equal as they are, also where a side would make something of nothing (a task's priority)
        return outlook == oro or any(
            same(self.entity, name, self.projected[side][name], self.current[side][name]) for side in Side
        )

    def enough(self, target: Side, unit: tuple[Field, ...], values: Mapping[str, Value]) -> bool:
        """Whether the sides agree on the unit once these values are written; else a part of it lives on another (an
        only name that OroCRM has as first and last)."""
        after = {**self.current[target], **values}
        back = lens_of(target.other, self.entity).representable(after, self.context)
        there, source = self.projected[target], self.current[target.other]
        return all(there[each.name] == after[each.name] or back[each.name] == source[each.name] for each in unit)

    def values(self, side: Side, unit: tuple[Field, ...]) -> dict[str, Value]:
        return {field.name: self.current[side][field.name] for field in unit}

    def base(self, side: Side, unit: tuple[Field, ...]) -> dict[str, Value]:
        shadow = self.shadows.get(side, {})
        return {field.name: shadow[field.name] for field in unit if field.name in shadow}


def compare(
    entity: Entity, outlook: Record, oro: Record, shadows: Mapping[Side, Record], context: Context
) -> Comparison:
    """Both records side by side; pure, as lenses are."""
    return Comparison(
        entity=entity,
        current={Side.OUTLOOK: outlook, Side.ORO: oro},
        projected={
            Side.OUTLOOK: lens_of(Side.OUTLOOK, entity).representable(oro, context),
            Side.ORO: lens_of(Side.ORO, entity).representable(outlook, context),
        },
        shadows=shadows,
        context=context,
    )


def changed_units(entity: Entity, current: Record, shadow: Record) -> tuple[str, ...]:
    """Names of the units in which one side's record differs from its shadow."""
    return tuple(
        name
        for name, unit in units_of(entity).items()
        if any(_differs(entity, field.name, shadow, current) for field in unit)
    )


def _differs(entity: Entity, name: str, shadow: Record, current: Record) -> bool:
    return name in shadow and not same(entity, name, shadow[name], current[name])
