"""A row of `planner_table.py` as the planner's input, and the planner's answer compared with the tables' one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tests.core.engine_world import ORO, OUTLOOK, linked, policy, record, snapshot
from tests.core.planner_table import Deed, Situation, conflict_of, deed_of, rules_of
from tests.proof.tally import count, owe

from orosync.core.fields import Direction, units_of
from orosync.core.ops import Decision, Verb
from orosync.core.plan import plan_case
from orosync.core.records import (
    ABSENT,
    GONE,
    OUT_OF_SCOPE,
    UNREADABLE,
    Case,
    Entity,
    Half,
    Link,
    Side,
    Value,
)
from orosync.core.scope import Policy
from orosync.core.settings import ConflictRule, OnDeleteInOro, OnDeleteInOutlook, Settings, SyncDirection

X, Y, Z, EMPTY = "x", "y", "z", ""
HALVES = {"absent": ABSENT, "gone": GONE, "hidden": OUT_OF_SCOPE, "unreadable": UNREADABLE}
WAYS = [each.value for each in SyncDirection]
FIELD_WAYS = [each.value for each in Direction]
CLOCKS = {
    "outlook by 121 s": ("2026-11-23T09:02:01Z", "2026-11-23T09:00:00Z"),
    "outlook by 120 s": ("2026-11-23T09:02:00Z", "2026-11-23T09:00:00Z"),
    "oro by 121 s": ("2026-11-23T09:00:00Z", "2026-11-23T09:02:01Z"),
    "nobody knows": (None, "2026-11-23T09:00:00Z"),
}
_BERLIN = {"street": "1 Main St", "city": "Berlin", "region": "DE-BE", "postal_code": "10115", "country": "DE"}

# What x, y and z stand for in each unit that is replaced whole.
Values = Mapping[str, Value]
VALUES: dict[tuple[Entity, str], dict[str, Values]] = {
    (Entity.CONTACT, "name"): {
        X: {"first_name": "Ada", "last_name": "King"},
        Y: {"first_name": "Augusta", "last_name": "King"},
        Z: {"first_name": "Ada", "last_name": "Byron"},
    },
    (Entity.CONTACT, "description"): {each: {"description": f"note {each}"} for each in (X, Y, Z)},
    (Entity.CONTACT, "primary_phone"): {each: {"primary_phone": f"030 {ord(each)}"} for each in (X, Y, Z)},
    (Entity.CONTACT, "job_title"): {each: {"job_title": each} for each in (X, Y, Z)},
    (Entity.CONTACT, "birthday"): {
        X: {"birthday": "1815-12-10"},
        Y: {"birthday": "1816-02-29"},
        Z: {"birthday": "1852-11-27"},
    },
    (Entity.CONTACT, "gender"): {X: {"gender": "female"}, Y: {"gender": "male"}},
    (Entity.CONTACT, "fax"): {each: {"fax": each} for each in (X, Y, Z)},
    **{
        (Entity.CONTACT, kind): {each: {kind: {**_BERLIN, "street": f"1 {each}"}} for each in (X, Y, Z)}
        for kind in ("billing_address", "shipping_address", "other_address")
    },
    (Entity.TASK, "subject"): {each: {"subject": each} for each in (X, Y, Z)},
    (Entity.TASK, "priority"): {X: {"priority": "low"}, Y: {"priority": "normal"}, Z: {"priority": "high"}},
    (Entity.TASK, "due_date"): {
        X: {"due_date": "2028-02-28"},
        Y: {"due_date": "2028-02-29"},
        Z: {"due_date": "2028-03-01"},
    },
    (Entity.TASK, "status"): {
        X: {"status": "not_started"},
        Y: {"status": "in_progress"},
        Z: {"status": "completed"},
    },
    (Entity.TASK, "description"): {each: {"description": f"note {each}"} for each in (X, Y, Z)},
    (Entity.EVENT, "title"): {each: {"title": each} for each in (X, Y, Z)},
    (Entity.EVENT, "time"): {
        X: {"start": "2026-11-24T11:00:00Z", "end": "2026-11-24T12:00:00Z", "all_day": False},
        Y: {"start": "2026-11-25T11:00:00Z", "end": "2026-11-25T12:00:00Z", "all_day": False},
        Z: {"start": "2026-11-24", "end": "2026-11-25", "all_day": True},
    },
    (Entity.EVENT, "description"): {each: {"description": f"note {each}"} for each in (X, Y, Z)},
}
# Units that both sides may have empty.
MAY_BE_EMPTY = {"description", "primary_phone", "job_title", "birthday", "gender", "fax", "due_date"} | {
    name for _, name in VALUES if name.endswith("address")
}
# The one in which every presence, delete policy and direction is tried, of each entity; and what a side that insists
# on a value says where the field does not travel to it.
TRIED_WHOLE = {Entity.CONTACT: "job_title", Entity.TASK: "subject", Entity.EVENT: "title"}
INSISTS = {(Entity.TASK, OUTLOOK): "(no title)", (Entity.TASK, ORO): "(no title)", (Entity.EVENT, ORO): "(no title)"}


# ------------------------------------------------------------------------------------------------ from row to case


@dataclass(frozen=True)
class Asked:
    """The planner's input for a unit of an entity, made once for each part of a situation."""

    entity: Entity
    unit: str

    def values(self, word: str) -> Values:
        known = VALUES[self.entity, self.unit]
        return dict.fromkeys(known[X]) if word == EMPTY else known[word]

    def case(self, row: Situation) -> Case:
        outlook, oro = CLOCKS.get(row.later, (None, None))
        halves = _half(self, OUTLOOK, row.outlook, outlook), _half(self, ORO, row.oro, oro)
        return Case(self.entity, *halves, _link(self, row.base, row.base if row.apart is None else row.apart))

    def policy(self, row: Situation) -> Policy:
        return _policy(self, row.direction, row.conflict, row.in_outlook, row.in_oro, row.field, row.resync)


@cache
def _half(asked: Asked, side: Side, word: str, modified_at: str | None) -> Half:
    known = HALVES.get(word)
    facts = {"stamp": "7"} if side is OUTLOOK else {}
    return known or Half.of(snapshot(side, asked.entity, asked.values(word), modified_at=modified_at, **facts))


@cache
def _link(asked: Asked, outlook: str | None, oro: str | None) -> Link:
    """Of a unit that was never in step there is no shadow; all others were."""
    shadows = {}
    for side, word in ((OUTLOOK, outlook), (ORO, oro)):
        whole = record(asked.entity, **asked.values(X if word is None else word))
        unknown = {each.name for each in units_of(asked.entity)[asked.unit]} if word is None else set()
        shadows[side] = {name: value for name, value in whole.items() if name not in unknown}
    link = linked(asked.entity, ABSENT, ABSENT, shadows=shadows).link
    assert link is not None
    return link


@cache
def _policy(
    asked: Asked, direction: str, conflict: str, in_outlook: str, in_oro: str, field: str, resync: bool
) -> Policy:
    ways = {entity: dict.fromkeys(each, Direction.BOTH) for entity, each in Settings().field_direction.items()}
    ways[asked.entity] |= {each.name: Direction(field) for each in units_of(asked.entity)[asked.unit]}
    chosen = Settings(
        sync_direction=SyncDirection(direction),
        conflict_resolution=ConflictRule(conflict),
        on_delete_in_outlook=OnDeleteInOutlook(in_outlook),
        on_delete_in_oro=OnDeleteInOro(in_oro),
        field_direction=ways,
    )
    return policy(chosen, reconcile=resync)


# ------------------------------------------------------------------------------------------------ comparing


def told(decision: Decision) -> set[Deed]:
    """The decision in the words of the tables. Which side an op of our own is about is said nowhere but in `leave`."""
    if decision.retry:
        return {Deed("wait")}
    deeds = set()
    for op in decision.ops:
        if op.verb is not Verb.SETTLE:
            deeds.add(Deed(op.verb.value, op.side.value if op.writes or op.verb is Verb.LEAVE else "-", op.rule))
    return deeds


SILENT = {"nothing", "agree", "ask"}


def check(asked: Asked, row: Situation) -> None:
    """One row: the deed, its values, what is settled, the conflict, and the same once more for the same question."""
    case, rules = asked.case(row), asked.policy(row)
    decision, deed = plan_case(case, rules), deed_of(row)
    assert told(decision) == ({deed} if deed.verb not in SILENT else set()), row
    assert decision == plan_case(case, rules), row  # I2
    settles = {unit for op in decision.ops for unit in op.settles}
    if deed.verb in {"update", "agree", "nothing", "ask", "leave"}:
        moves = deed.verb == "update" or (deed.verb == "agree" and (row.base is None or row.edited("oro") == "alike"))
        assert (asked.unit in settles) is moves, row
    for op in decision.ops:
        assert op.reason, row
        if op.verb is Verb.UPDATE:
            assert op.values == _differing(asked, row, op.side), row
        elif op.verb is Verb.CREATE:
            assert {**dict.fromkeys(asked.values(X)), **op.values}.items() >= _created(asked, row, op.side).items(), row
        elif op.verb is Verb.DELETE:
            assert case.half(op.side.other) is GONE, row  # I5
            assert op.before == case.half(op.side).snapshot.record, row  # type: ignore[union-attr]
    conflicts = [(each.unit, each.rule, each.choice and each.choice.value) for each in decision.conflicts]
    expected = conflict_of(row, deed)
    assert conflicts == ([(asked.unit, *expected)] if expected else []), row
    for name in {part for op in decision.ops for part in op.rule.split("+")}:
        count("rule", name)
    if deed.verb == "ask":
        count("rule", "ask")


def _differing(asked: Asked, row: Situation, target: Side) -> Values:
    theirs, ours = (asked.values(getattr(row, side.value)) for side in (target.other, target))
    return {name: value for name, value in theirs.items() if value != ours[name]}


def _created(asked: Asked, row: Situation, target: Side) -> Values:
    if row.open_to in {"both", f"only {target.value}"}:
        return asked.values(getattr(row, target.other.value))
    return dict.fromkeys(asked.values(X), INSISTS.get((asked.entity, target)))


def owe_rules(*tables: str, but: frozenset[str] = frozenset()) -> None:
    for name in rules_of(*tables) - but:
        owe("rule", name, 1)


def planned(case: Case, rules: Policy, plan: Callable[[Case, Policy], Decision] = plan_case) -> Decision:
    """The decision, counted; the same for the same question (I2)."""
    decision = plan(case, rules)
    assert decision == plan(case, rules)
    for rule in {part for op in decision.ops for part in op.rule.split("+")}:
        count("rule", rule)
    return decision


def tried(what: str, rows: int) -> None:
    count("planner row", what, rows)
    owe("planner row", what, rows)
