"""What the tests of planning live in: records of both sides at hand, and one pair of items that takes what is planned.

`Pair` keeps the books of one record as a run does (rule R23), once more and in few words, so that convergence can be
tried without a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.core.lens_world import (
    CONTEXT,
    oro_applies_contact,
    oro_applies_event,
    oro_applies_task,
    outlook_applies,
)

from orosync.core.fields import CATALOGUE, Direction, empty_record, units_of
from orosync.core.mapping import lens_of, stamp_patch, with_stamp
from orosync.core.ops import Decision, Op, Verb
from orosync.core.plan import plan_case
from orosync.core.records import (
    ABSENT,
    GONE,
    Case,
    Entity,
    Half,
    Item,
    Link,
    LinkState,
    Record,
    Side,
    Snapshot,
    Value,
)
from orosync.core.scope import Policy
from orosync.core.settings import Settings

OUTLOOK, ORO = Side.OUTLOOK, Side.ORO
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_ORO_APPLIES = {
    Entity.CONTACT: oro_applies_contact,
    Entity.TASK: oro_applies_task,
    Entity.EVENT: oro_applies_event,
}

# A whole record of each entity that both sides hold alike.
TYPICAL: dict[Entity, dict[str, Value]] = {
    Entity.CONTACT: {"first_name": "Ada", "last_name": "King", "job_title": "Countess", "emails": ["ada@x.com"]},
    Entity.TASK: {"subject": "Call", "priority": "normal", "due_date": "2026-11-24", "status": "not_started"},
    Entity.EVENT: {
        "title": "Lunch",
        "start": "2026-11-24T11:00:00Z",
        "end": "2026-11-24T12:00:00Z",
        "all_day": False,
    },
}


def record(entity: Entity, **values: Value) -> Record:
    return {**empty_record(entity), **TYPICAL[entity], **values}


def snapshot(side: Side, entity: Entity, values: Mapping[str, Value] | None = None, **facts: Any) -> Snapshot:
    """A typical record, with some values of its own and some facts besides."""
    known = {"id": "o-1" if side is OUTLOOK else "7", "version": "v1", **facts}
    return Snapshot(side=side, entity=entity, record=record(entity, **(values or {})), **known)


def linked(
    entity: Entity,
    outlook: Half | Snapshot,
    oro: Half | Snapshot,
    base: Mapping[str, Value] | None = None,
    **link: Any,
) -> Case:
    """A case whose shadows are the typical record, with `base` in it."""
    shadow = record(entity, **(base or {}))
    known = {
        "id": 1,
        "entity": entity,
        "outlook_id": "o-1",
        "oro_id": "7",
        "shadows": {OUTLOOK: shadow, ORO: shadow},
        "versions": {OUTLOOK: "v1", ORO: "v1"},
        "stamped": True,
        **link,
    }
    return Case(entity, as_half(outlook), as_half(oro), Link(**known))


def as_half(value: Half | Snapshot) -> Half:
    return Half.of(value) if isinstance(value, Snapshot) else value


def alone(half: Snapshot, **facts: Any) -> Case:
    here = {half.side: Half.of(half)}
    return Case(half.entity, here.get(OUTLOOK, ABSENT), here.get(ORO, ABSENT), **facts)


def policy(settings: Settings | None = None, **facts: Any) -> Policy:
    return Policy(settings or Settings(), CONTEXT, **facts)


def with_directions(entity: Entity, **directions: Direction) -> Mapping[Entity, Mapping[str, Direction]]:
    plain = Settings().field_direction
    return {**plain, entity: {**plain[entity], **directions}}


def all_fields(entity: Entity) -> Mapping[Entity, Mapping[str, Direction]]:
    return with_directions(entity, **{each.name: Direction.BOTH for each in CATALOGUE[entity]})


def only(decision: Decision, *verbs: Verb) -> list[Op]:
    return [op for op in decision.ops if op.verb in verbs]


def writes(decision: Decision) -> list[tuple[Verb, Side]]:
    """What would be sent, but for stamps."""
    return [(op.verb, op.side) for op in decision.written if op.verb is not Verb.STAMP]


@dataclass
class Pair:
    """One record's items on both sides, and the link between them."""

    entity: Entity
    items: dict[Side, Item]
    link: Link | None = None
    edits: int = 0

    @classmethod
    def made_of(cls, entity: Entity, outlook: Record | None, oro: Record | None) -> Pair:
        pair = cls(entity, {})
        for side, values in ((OUTLOOK, outlook), (ORO, oro)):
            if values is not None:
                pair.write(side, values, "o-1" if side is OUTLOOK else "7")
        return pair

    def write(self, side: Side, values: Mapping[str, Value], native: str = "", stamp: str = "") -> bool:
        """Through the lens, onto the item as its system would; False if there was nothing to write."""
        before = self.items.get(side)
        lens = lens_of(side, self.entity)
        patch = lens.put(values, before, CONTEXT)
        if before is not None and not patch:
            return False
        if stamp:
            patch = with_stamp(patch, self.entity, stamp, CONTEXT)
        self._apply(side, patch, before, native)
        return True

    def _apply(self, side: Side, patch: dict[str, Any], before: Item | None, native: str = "") -> None:
        self.edits += 1
        apply = outlook_applies if side is OUTLOOK else _ORO_APPLIES[self.entity]
        body = apply(patch, before.body if before else None)
        self.items[side] = Item(before.id if before else native, f"v{self.edits}", body)

    def snapshot(self, side: Side) -> Snapshot:
        return lens_of(side, self.entity).snapshot(self.items[side], CONTEXT)

    def case(self) -> Case:
        absent = GONE if self.link else ABSENT
        halves = {side: Half.of(self.snapshot(side)) if side in self.items else absent for side in Side}
        how = "match_key" if self.link is None else ""
        return Case(self.entity, halves[OUTLOOK], halves[ORO], self.link, how=how)

    def plan(self, rules: Policy) -> Decision:
        return plan_case(self.case(), rules)

    def carry_out(self, decision: Decision, *, at_most: int = 1000) -> None:
        """Our own steps, then the writes in their order; stops after `at_most` of them, as a run that breaks off."""
        for op in decision.ops:
            if not op.writes:
                self._own_step(op)
        sent = [op for verb in (Verb.UPDATE, Verb.CREATE, Verb.DELETE, Verb.STAMP) for op in only(decision, verb)]
        for op in sent[:at_most]:
            self._send(op)

    def _own_step(self, op: Op) -> None:
        if op.verb is Verb.LINK:
            ids = {side: item.id for side, item in self.items.items()}
            self.link = Link(1, self.entity, ids[OUTLOOK], ids[ORO])
        if op.verb is Verb.BURY:
            self.link = None
        if self.link is None:
            return
        if op.verb in {Verb.SUSPEND, Verb.RESUME}:
            state = LinkState.SUSPENDED if op.verb is Verb.SUSPEND else LinkState.ACTIVE
            self.link = replace(self.link, state=state)
        self._settle(op.settles)

    def _send(self, op: Op) -> None:
        if op.verb is Verb.UPDATE:
            self.write(op.side, op.values)
        elif op.verb is Verb.CREATE:
            self.items.pop(op.side, None)
            self.write(op.side, op.values, "o-2" if op.side is OUTLOOK else "8", str(op.oro_id or ""))
            ids = {side: item.id for side, item in self.items.items()}
            self.link = Link(1, self.entity, ids[OUTLOOK], ids[ORO], stamped=op.side is OUTLOOK)
            if op.side is ORO:
                self._apply(OUTLOOK, stamp_patch(self.entity, ids[ORO], CONTEXT), self.items[OUTLOOK])
        elif op.verb is Verb.STAMP:
            patch = stamp_patch(self.entity, str(op.oro_id), CONTEXT)
            self._apply(OUTLOOK, patch, self.items[OUTLOOK])
        else:
            del self.items[op.side]
            self.link = None
        self._settle(op.settles)

    def _settle(self, units: tuple[str, ...]) -> None:
        if self.link is None:
            return
        names = [each.name for unit in units for each in units_of(self.entity)[unit]]
        shadows: dict[Side, Record] = {}
        versions: dict[Side, str] = {}
        for side in self.items:
            now = self.snapshot(side)
            shadows[side] = {**self.link.shadows.get(side, {}), **{name: now.record[name] for name in names}}
            versions[side] = now.version
        self.link = replace(self.link, shadows=shadows, versions=versions)
