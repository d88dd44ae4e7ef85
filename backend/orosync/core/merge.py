"""What becomes of one unit of a record: where it travels, with which value, and who loses.

The decision for scalars, groups, addresses and long texts, and the three-way merges of sets and lines (R9 to R11,
design.md 4.1). It knows no ids and no presence: that is the planner's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from typing import cast

from orosync.core.changes import Comparison
from orosync.core.fields import Direction, Field, Kind
from orosync.core.records import Side, Value
from orosync.core.settings import ConflictRule


@dataclass(frozen=True, slots=True)
class Times:
    """Both sides' own modification times ("...Z") and the band of seconds in which clocks cannot be told apart."""

    outlook: str | None = None
    oro: str | None = None
    band_s: int = 120


@dataclass(frozen=True, slots=True)
class UnitRule:
    """How one unit may move. oro_record_changed: some unit of OroCRM's record changed, which in a one-way direction
    to Outlook overwrites what was edited there. reconcile: a resync, where standing differences are settled too.
    chosen: the user's answer to a conflict that was asked."""

    direction: Direction
    conflict: ConflictRule = ConflictRule.ORO_WINS
    oro_record_changed: bool = False
    reconcile: bool = False
    chosen: Side | None = None
    times: Times = field(default_factory=Times)


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """writes: per target side the values to write. settled: the shadows move to what both sides then hold.
    loser: the side whose own change is overwritten, with the rule that says so. asked: a person must choose."""

    writes: Mapping[Side, Mapping[str, Value]] = field(default_factory=dict)
    settled: bool = True
    loser: Side | None = None
    rule: str = "unchanged"
    asked: bool = False


NOTHING_TO_DO = UnitOutcome()
_MASTER = {Direction.TO_OUTLOOK: Side.ORO, Direction.TO_ORO: Side.OUTLOOK, Direction.BOTH: Side.ORO}


def merge_unit(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule) -> UnitOutcome:
    """The table of design.md 4.1 for one unit of a pair that exists on both sides."""
    if rule.direction is Direction.OFF:
        return UnitOutcome(settled=False, rule="field_is_off")
    if not sides.has_base(unit):
        return _without_base(unit, sides, rule)
    oro, outlook = sides.changed(Side.ORO, unit), sides.changed(Side.OUTLOOK, unit)
    if unit[0].kind is Kind.SET and (oro or outlook):
        return _merge_set_unit(unit, sides, rule)
    if sides.agrees(unit):
        return UnitOutcome(rule="both_agree") if oro or outlook else NOTHING_TO_DO
    if not oro and not outlook:
        return _reconciled(unit, sides, rule) if rule.reconcile else NOTHING_TO_DO
    if rule.direction is Direction.BOTH:
        return _both_ways(unit, sides, rule, oro=oro, outlook=outlook)
    return _one_way(unit, sides, rule, oro=oro, outlook=outlook)


def _both_ways(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule, *, oro: bool, outlook: bool) -> UnitOutcome:
    if rule.chosen is not None:
        return _take(rule.chosen, unit, sides, "chosen", loser=rule.chosen.other)
    if oro and not outlook:
        return _take(Side.ORO, unit, sides, "changed_in_oro")
    if outlook and not oro:
        return _take(Side.OUTLOOK, unit, sides, "changed_in_outlook")
    if unit[0].kind is Kind.TEXT:
        merged = _merge_text_unit(unit[0].name, sides)
        if merged is not None:
            return merged
    if rule.conflict is ConflictRule.ASK:
        return UnitOutcome(settled=False, rule="ask", asked=True)
    winner = _winner(rule.conflict, rule.times)
    return _take(winner, unit, sides, rule.conflict.value, loser=winner.other)


def _one_way(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule, *, oro: bool, outlook: bool) -> UnitOutcome:
    master = _MASTER[rule.direction]
    loser = master.other if (outlook if master is Side.ORO else oro) else None
    if master is Side.OUTLOOK:
        return _take(master, unit, sides, "outlook_is_master", loser=loser)
    if oro:
        return _take(master, unit, sides, "oro_is_master", loser=loser)
    if (rule.oro_record_changed and not unit[0].yields) or rule.reconcile:
        return _take(master, unit, sides, "oro_record_changed", loser=loser)
    return UnitOutcome(settled=False, rule="stays_in_outlook")


def _reconciled(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule) -> UnitOutcome:
    """A resync settles standing differences as a first sync would (R18), but for OroCRM's members of a set that Outlook
    never held: Outlook says nothing about them."""
    if unit[0].kind is Kind.SET and rule.direction is Direction.TO_ORO:
        return NOTHING_TO_DO
    return _without_base(unit, sides, rule)


def _without_base(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule) -> UnitOutcome:
    """First sync: equal is linked, empty is filled (both ways), else the master's values win (design.md 4.1).

    An empty field erases nothing, unless its group holds different values on both sides: then the group goes whole.
    """
    differing = sides.differing(unit)
    if not differing:
        return UnitOutcome(rule="both_agree")
    if rule.direction is Direction.BOTH and any(_cannot_hold(side, each, sides) for side in Side for each in differing):
        return UnitOutcome(rule="cannot_be_held")
    master = _MASTER[rule.direction]
    lacking = {side: [each for each in differing if sides.current[side][each.name] is None] for side in Side}
    if sum(map(len, lacking.values())) < len(differing):
        return _take(master, unit, sides, "first_values", loser=master.other)
    targets = [side for side in Side if lacking[side] and (side is not master or rule.direction is Direction.BOTH)]
    if not targets:
        return UnitOutcome(rule="master_is_empty")
    writes = {side: {each.name: _value_for(side, each, sides) for each in lacking[side]} for side in targets}
    return UnitOutcome(writes=writes, rule="filled")


def _take(
    source: Side, unit: tuple[Field, ...], sides: Comparison, rule: str, *, loser: Side | None = None
) -> UnitOutcome:
    """Write the source's values to the other side, only those on which the sides differ.

    A value that the target cannot hold at all is no reason to erase what it has.
    """
    target, differing = source.other, sides.differing(unit)
    if any(_cannot_hold(target, each, sides) for each in differing):
        return UnitOutcome(rule="cannot_be_held")
    values = {each.name: _value_for(target, each, sides) for each in differing}
    if len(unit) > 1 and not sides.enough(target, unit, values):
        values = {each.name: sides.projected[target][each.name] for each in unit}
    return UnitOutcome(writes={target: values} if values else {}, loser=loser if values else None, rule=rule)


def _cannot_hold(side: Side, field: Field, sides: Comparison) -> bool:
    """Whether the other side has a value of which nothing would be left here; sets are told member by member."""
    there, here = sides.current[side.other][field.name], sides.projected[side][field.name]
    return field.kind is not Kind.SET and there is not None and here is None


def _value_for(target: Side, field: Field, sides: Comparison) -> Value:
    """The other side's value as the target will hold it; of a set, what the other side cannot hold stays."""
    value = sides.projected[target][field.name]
    if field.kind is not Kind.SET:
        return value
    if target is Side.OUTLOOK:
        return _with_own_members(_members(value), field.name, sides) or None
    now_out, known = (
        _members(each[field.name]) for each in (sides.current[Side.OUTLOOK], sides.projected[Side.OUTLOOK])
    )
    return merge_members(_members(sides.current[Side.ORO][field.name]), known, now_out, outlook_leads=True) or None


def _winner(rule: ConflictRule, times: Times) -> Side:
    """Clocks decide only under `newest`, and only outside the band of doubt (I14); then OroCRM's value stays."""
    if rule is ConflictRule.OUTLOOK_WINS:
        return Side.OUTLOOK
    if rule is ConflictRule.NEWEST and times.outlook and times.oro:
        return Side.OUTLOOK if _later_by(times.outlook, times.oro) > times.band_s else Side.ORO
    return Side.ORO


def _later_by(first: str, second: str) -> float:
    return (datetime.fromisoformat(first) - datetime.fromisoformat(second)).total_seconds()


# ------------------------------------------------------------------------------------------------ sets


def _merge_set_unit(unit: tuple[Field, ...], sides: Comparison, rule: UnitRule) -> UnitOutcome:
    """Members merge one by one; nothing conflicts but the question which one is the primary."""
    name = unit[0].name
    shadow_oro, now_oro = _members(sides.shadows[Side.ORO][name]), _members(sides.current[Side.ORO][name])
    shadow_out, now_out = _members(sides.shadows[Side.OUTLOOK][name]), _members(sides.current[Side.OUTLOOK][name])
    oro, outlook = sides.changed(Side.ORO, unit), sides.changed(Side.OUTLOOK, unit)
    if rule.direction is Direction.TO_OUTLOOK:
        if sides.agrees(unit):
            return UnitOutcome(rule="both_agree")
        if oro or rule.oro_record_changed or rule.reconcile:
            loser = Side.OUTLOOK if outlook else None
            return _take(Side.ORO, unit, sides, "oro_is_master" if oro else "oro_record_changed", loser=loser)
        return UnitOutcome(settled=False, rule="stays_in_outlook")
    ground = shadow_oro if rule.direction is Direction.TO_ORO else now_oro
    prefer_outlook = rule.direction is Direction.TO_ORO or not oro or rule.conflict is ConflictRule.OUTLOOK_WINS
    merged = merge_members(ground, shadow_out, now_out, outlook_leads=prefer_outlook)
    writes: dict[Side, dict[str, Value]] = {}
    if merged != now_oro:
        writes[Side.ORO] = {name: merged or None}
    if oro and rule.direction is Direction.BOTH:
        # the planner cuts it to what Outlook can hold
        writes[Side.OUTLOOK] = {name: _with_own_members(merged, name, sides) or None}
    if rule.direction is Direction.TO_ORO:
        return UnitOutcome(writes=writes, loser=Side.ORO if oro and writes else None, rule="outlook_is_master")
    label = "members_merged" if oro and outlook else "changed_in_oro" if oro else "changed_in_outlook"
    return UnitOutcome(writes=writes, rule=label)


def _with_own_members(members: list[str], name: str, sides: Comparison) -> list[str]:
    """`members` and those of Outlook that OroCRM cannot hold, in their places: nobody removed them, and what is pushed
    out of Outlook by others would be nowhere any more."""
    held, now = _members(sides.projected[Side.ORO][name]), _members(sides.current[Side.OUTLOOK][name])
    whole = [each for each in members if each in held or each not in now]
    for place, each in enumerate(now):
        if each not in held:
            whole.insert(place, each)
    return whole


def merge_members(
    ground: Sequence[str], base: Sequence[str], edited: Sequence[str], *, outlook_leads: bool
) -> list[str]:
    """Apply to `ground` what was added to, taken from and put first in `edited` compared with `base`.

    A member exchanged for another keeps its place, so that what Outlook cannot hold stays behind what it can.
    """
    removed = [each for each in base if each not in edited]
    added = [each for each in edited if each not in base and each not in ground]
    exchanged = dict(zip(removed, added, strict=False))
    merged = [exchanged.get(each, each) for each in ground if each not in removed or each in exchanged]
    rest = [each for each in added if each not in merged]
    place = 1 + max(
        (merged.index(each) for each in edited if each in merged), default=-1 if outlook_leads else len(merged)
    )
    merged[place:place] = rest
    if outlook_leads and edited and list(edited[:1]) != list(base[:1]) and edited[0] in merged:
        merged.remove(edited[0])
        merged.insert(0, edited[0])
    return merged


def _members(value: Value) -> list[str]:
    return list(cast("list[str]", value)) if value else []


# ------------------------------------------------------------------------------------------------ long texts


def _merge_text_unit(name: str, sides: Comparison) -> UnitOutcome | None:
    base = sides.shadows[Side.ORO][name]
    if base is None or base != sides.shadows[Side.OUTLOOK][name]:
        return None  # without a common ground lines cannot be told apart
    now_oro, now_out = sides.current[Side.ORO][name], sides.current[Side.OUTLOOK][name]
    if now_oro is None or now_out is None:
        return None  # one side emptied what the other edited: a person's or a rule's choice
    merged = merge_lines(str(base), str(now_oro), str(now_out))
    if merged is None:
        return None
    writes = {side: {name: merged} for side, now in ((Side.OUTLOOK, now_out), (Side.ORO, now_oro)) if merged != now}
    return UnitOutcome(writes=writes, rule="lines_merged")


def merge_lines(base: str, first: str, second: str) -> str | None:
    """Three-way merge of lines; None where both changed the same or touching lines differently."""
    ground, one, two = base.split("\n"), first.split("\n"), second.split("\n")
    hunks = _hunks(ground, one) + _hunks(ground, two)
    merged = list(ground)
    taken: list[tuple[int, int, list[str]]] = []
    for start, end, lines in sorted(hunks, key=lambda hunk: (hunk[0], hunk[1]), reverse=True):
        if (start, end, lines) in taken:
            continue  # both made the very same change
        if any(start <= other_end and other_start <= end for other_start, other_end, _ in taken):
            return None
        taken.append((start, end, lines))
        merged[start:end] = lines
    return "\n".join(merged)


def _hunks(ground: list[str], edited: list[str]) -> list[tuple[int, int, list[str]]]:
    """The edits as (start, end, new lines) on `ground`."""
    matcher = SequenceMatcher(a=ground, b=edited, autojunk=False)
    return [(a, b, edited[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
