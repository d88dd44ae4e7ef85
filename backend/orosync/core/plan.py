"""From cases to ops: what is done with each record, by which rule and for which reason. The plan is the preview.

Decides by presence (created, deleted, out of scope) and, for pairs, hands each unit to `merge.py`; `scope.py` says what
is for us at all. No I/O: the same case and policy always give the same ops (I2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orosync.core.canonical import same
from orosync.core.changes import Comparison, changed_units, compare
from orosync.core.fields import Direction, units_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.merge import Times, UnitOutcome, UnitRule, merge_unit
from orosync.core.ops import Decision, FieldConflict, Op, Verb
from orosync.core.records import Case, Entity, Link, LinkState, Presence, Side, Snapshot, Value
from orosync.core.scope import (
    NAMES,
    WRITABLE,
    Policy,
    as_new,
    protected_meeting,
    shows_time_only,
    stamp_state,
    title_of,
    unit_direction,
    why_hidden,
    why_left_alone,
    why_not_paired,
)
from orosync.core.settings import OnDeleteInOro, OnDeleteInOutlook, SyncDirection
from orosync.core.wording import reason_of


def plan_case(case: Case, policy: Policy) -> Decision:
    """The one entry: a linked case, a pair just found, or a record alone."""
    if case.link is not None:
        return _plan_linked(case, case.link, policy)
    if case.outlook.snapshot is not None and case.oro.snapshot is not None:
        return _plan_new_pair(case, case.outlook.snapshot, case.oro.snapshot, policy)
    if Presence.UNREADABLE in (case.outlook.presence, case.oro.presence):
        return Decision(case, retry=True)
    alone = case.outlook.snapshot or case.oro.snapshot
    return _plan_alone(case, alone, policy) if alone is not None else Decision(case)


# ------------------------------------------------------------------------------------------------ linked


def _plan_linked(case: Case, link: Link, policy: Policy) -> Decision:
    out, oro = case.outlook, case.oro
    if {out.presence, oro.presence} & {Presence.UNREADABLE, Presence.ABSENT}:
        return Decision(case, retry=True)  # a half that nobody saw is not a deleted one (I5)
    hidden = why_hidden(case, policy)
    if hidden:
        return _suspend(case, link, hidden)
    if out.snapshot is not None and oro.snapshot is not None:
        return _plan_pair(case, link, out.snapshot, oro.snapshot, policy)
    if out.snapshot is None and oro.snapshot is None:
        return Decision(case, (_local(case, Verb.BURY, Side.ORO, "gone_on_both", "deleted on both sides"),))
    if oro.snapshot is not None:
        return _gone_in_outlook(case, link, oro.snapshot, policy)
    assert out.snapshot is not None  # noqa: S101 - the cases above leave nothing else
    return _gone_in_oro(case, link, out.snapshot, policy)


def _suspend(case: Case, link: Link, why: str) -> Decision:
    if link.state is LinkState.SUSPENDED:
        return Decision(case, (_local(case, Verb.LEAVE, Side.ORO, "still_out_of_scope", why),))
    return Decision(case, (_local(case, Verb.SUSPEND, Side.ORO, "out_of_scope", why),))


def _gone_in_outlook(case: Case, link: Link, oro: Snapshot, policy: Policy) -> Decision:
    settings = policy.settings
    if settings.sync_direction is SyncDirection.OUTLOOK_TO_ORO:
        return _bury(case, "stays_in_oro", "deleted in Outlook; this direction leaves OroCRM's record alone")
    wish = settings.on_delete_in_outlook
    if wish is OnDeleteInOutlook.IGNORE:
        return _bury(case, "delete_ignored", "deleted in Outlook; the setting leaves OroCRM's record alone")
    if wish is OnDeleteInOutlook.PROPAGATE and settings.sync_direction is SyncDirection.BIDIRECTIONAL:
        edited = changed_units(case.entity, oro.record, link.shadows.get(Side.ORO, {}))
        if not edited and not oro.read_only:
            reason = "deleted in Outlook"
            return Decision(case, (_delete(case, Side.ORO, oro, "deleted_in_outlook", reason),))
        reason = "deleted in Outlook but edited in OroCRM since: the edit is kept" if edited else _ONE_WAY
        return _restore(case, link, oro, "edit_beats_delete" if edited else "restored", reason, policy)
    return _restore(case, link, oro, "restored", "deleted in Outlook; OroCRM's record is created again", policy)


def _gone_in_oro(case: Case, link: Link, outlook: Snapshot, policy: Policy) -> Decision:
    settings = policy.settings
    if settings.sync_direction is SyncDirection.ORO_TO_OUTLOOK:
        return _bury(case, "stays_in_outlook", "deleted in OroCRM; this direction leaves Outlook's item as it is")
    if settings.on_delete_in_oro is OnDeleteInOro.IGNORE:
        return _bury(case, "delete_ignored", "deleted in OroCRM; the setting leaves Outlook's item as it is")
    if changed_units(case.entity, outlook.record, link.shadows.get(Side.OUTLOOK, {})):
        reason = "deleted in OroCRM but edited in Outlook since: the edit is kept"
        return _restore(case, link, outlook, "edit_beats_delete", reason, policy)
    if protected_meeting(outlook, policy):
        return _bury(
            case, "meeting_not_deleted", "deleted in OroCRM; a meeting with attendees is never deleted by sync"
        )
    return Decision(case, (_delete(case, Side.OUTLOOK, outlook, "deleted_in_oro", "deleted in OroCRM"),))


def _bury(case: Case, rule: str, reason: str) -> Decision:
    return Decision(case, (_local(case, Verb.BURY, Side.ORO, rule, reason),))


def _restore(case: Case, link: Link, source: Snapshot, rule: str, reason: str, policy: Policy) -> Decision:
    return Decision(case, (replace(_create(source, rule, reason, policy), link_id=link.id),))


_ONE_WAY = "OroCRM's copy of an invitation is read-only"

# ------------------------------------------------------------------------------------------------ pairs


def _plan_new_pair(case: Case, outlook: Snapshot, oro: Snapshot, policy: Policy) -> Decision:
    why = why_not_paired(outlook, oro, policy)
    if why is not None:
        return Decision(case, (_leave(case, outlook, *why), _leave(case, oro, *why)))
    fresh = Link(id=0, entity=case.entity, outlook_id=outlook.id, oro_id=oro.id, stamped=stamp_state(outlook, oro))
    reason = f"the same record on both sides ({case.how.replace('_', ' ')})"
    if case.candidates > 1:
        reason += f"; {case.candidates} matched, the others are left alone"
    merged = _plan_pair(replace(case, link=fresh), fresh, outlook, oro, policy)
    link = Op(
        Verb.LINK,
        case.entity,
        Side.OUTLOOK,
        case.how,
        reason,
        outlook_id=outlook.id,
        oro_id=oro.id,
        title=title_of(oro),
    )
    settled = tuple(unit for op in merged.ops if op.verb is Verb.SETTLE for unit in op.settles)
    rest = tuple(replace(op, link_id=None) for op in merged.ops if op.verb is not Verb.SETTLE)
    return Decision(case, (replace(link, settles=settled), *rest), merged.conflicts)


def _plan_pair(case: Case, link: Link, outlook: Snapshot, oro: Snapshot, policy: Policy) -> Decision:
    """Both are there: merge unit by unit, then one write for each side."""
    sides = compare(case.entity, outlook.record, oro.record, link.shadows, policy.context)
    outcomes = _merge_units(sides, link, outlook, oro, policy)
    writes, blocked = _writes(case, link, sides, outcomes, policy)
    settled = tuple(
        name
        for name, each in outcomes.items()
        if each.settled and name not in blocked and not any(name in op.settles for op in writes)
    )
    ops: list[Op] = []
    if link.state is LinkState.SUSPENDED:
        ops.append(_local(case, Verb.RESUME, Side.ORO, "visible_again", "it is visible again"))
    if _needs_settling(settled, sides, link, outlook, oro):
        ops.append(replace(_local(case, Verb.SETTLE, Side.ORO, "unchanged", "both sides agree"), settles=settled))
    ops.extend(writes)
    ops.extend(_left(case, outcomes, blocked, outlook))
    if stamp_state(outlook, oro) is False and link.stamped is not None:
        ops.append(_local(case, Verb.STAMP, Side.OUTLOOK, "stamp", "the item shall carry OroCRM's id"))
    shown = {name: each for name, each in outcomes.items() if name not in blocked}
    return Decision(case, tuple(ops), _conflicts(sides, shown))


def _merge_units(
    sides: Comparison, link: Link, outlook: Snapshot, oro: Snapshot, policy: Policy
) -> dict[str, UnitOutcome]:
    units = units_of(sides.entity)
    directions = {name: _direction(name, link, outlook, oro, policy) for name in units}
    moved = any(
        sides.changed(Side.ORO, unit) for name, unit in units.items() if Side.OUTLOOK in WRITABLE[directions[name]]
    )
    times = Times(outlook.modified_at, oro.modified_at, policy.skew_band_s)
    return {
        name: merge_unit(
            unit,
            sides,
            UnitRule(
                direction=directions[name],
                conflict=policy.settings.conflict_resolution,
                oro_record_changed=moved,
                reconcile=policy.reconcile,
                chosen=policy.choices.get((outlook.id, name)),
                times=times,
            ),
        )
        for name, unit in units.items()
    }


def _direction(name: str, link: Link, outlook: Snapshot, oro: Snapshot, policy: Policy) -> Direction:
    """Where one unit of this pair may travel: by the settings, and less where the pair itself forbids it."""
    direction = unit_direction(outlook.entity, name, policy)
    if name in link.frozen_fields and (outlook.id, name) not in policy.choices:
        return Direction.OFF
    if shows_time_only(outlook, policy) and name in {"title", "description"}:
        direction = Direction.TO_ORO if Side.ORO in WRITABLE[direction] else Direction.OFF
    if oro.read_only:
        direction = Direction.TO_OUTLOOK if Side.OUTLOOK in WRITABLE[direction] else Direction.OFF
    return direction


def _writes(
    case: Case, link: Link, sides: Comparison, outcomes: Mapping[str, UnitOutcome], policy: Policy
) -> tuple[list[Op], set[str]]:
    """One update for each side that gets values, and the units that may not be written.

    OroCRM first: it can hold what a merge pushes out of Outlook. A unit that is written on both sides settles with the
    second write: else a failure in between would look agreed.
    """
    values = {side: _as_held(side, sides, _wanted(side, outcomes), policy.context) for side in Side}
    touched = {side: _units_among(values[side], outcomes, case.entity) for side in Side}
    outlook, oro = case.outlook.snapshot, case.oro.snapshot
    assert outlook is not None and oro is not None  # noqa: S101, PT018 - pairs have both
    blocked = set(touched[Side.OUTLOOK]) if protected_meeting(outlook, policy) else set()
    ops: list[Op] = []
    if touched[Side.ORO]:
        settles = [name for name in touched[Side.ORO] if name not in touched[Side.OUTLOOK]]
        rules = {name: outcomes[name].rule for name in touched[Side.ORO]}
        ops.append(_update(case, link, oro, values[Side.ORO], rules, settles))
    if touched[Side.OUTLOOK] and not blocked:
        rules = {name: outcomes[name].rule for name in touched[Side.OUTLOOK]}
        ops.append(_update(case, link, outlook, values[Side.OUTLOOK], rules, touched[Side.OUTLOOK]))
    return ops, blocked


def _wanted(side: Side, outcomes: Mapping[str, UnitOutcome]) -> dict[str, Value]:
    return {name: value for each in outcomes.values() for name, value in each.writes.get(side, {}).items()}


def _units_among(values: Mapping[str, Value], outcomes: Mapping[str, UnitOutcome], entity: Entity) -> list[str]:
    units = units_of(entity)
    return [name for name in outcomes if any(each.name in values for each in units[name])]


def _as_held(side: Side, sides: Comparison, values: Mapping[str, Value], context: Context) -> dict[str, Value]:
    """`values` as the side will hold them, without those it holds already."""
    if not values:
        return {}
    held = lens_of(side, sides.entity).representable({**sides.current[side], **values}, context)
    now = sides.current[side]
    return {name: held[name] for name in values if not same(sides.entity, name, held[name], now[name])}


def _update(
    case: Case,
    link: Link,
    snapshot: Snapshot,
    values: Mapping[str, Value],
    rule_of: Mapping[str, str],
    settles: Sequence[str],
) -> Op:
    before = {name: snapshot.record[name] for name in values}
    rules = sorted(set(rule_of.values()))
    return Op(
        Verb.UPDATE,
        case.entity,
        snapshot.side,
        "+".join(rules),
        reason_of(rule_of),
        outlook_id=link.outlook_id,
        oro_id=link.oro_id,
        link_id=link.id or None,
        values=dict(values),
        before=before,
        settles=tuple(settles),
        mails=snapshot.attendees if snapshot.side is Side.OUTLOOK and snapshot.organiser else 0,
        overwrites=any(value is not None for value in before.values()),
        title=title_of(snapshot),
    )


def _needs_settling(settled: tuple[str, ...], sides: Comparison, link: Link, outlook: Snapshot, oro: Snapshot) -> bool:
    """A SETTLE op is planned only where it moves something: a shadow, or a stored version."""
    if not link.id:
        return True
    if link.versions.get(Side.OUTLOOK) != outlook.version or link.versions.get(Side.ORO) != oro.version:
        return True
    units = units_of(sides.entity)
    return any(
        not sides.has_base(units[name]) or any(sides.changed(side, units[name]) for side in Side) for name in settled
    )


_STAYING = {
    "stays_in_outlook": "changed in Outlook; it stays there and is not sent",
    "cannot_be_held": "has a value that the other side cannot hold; both stay as they are",
}


def _left(case: Case, outcomes: Mapping[str, UnitOutcome], blocked: set[str], outlook: Snapshot) -> list[Op]:
    """Differences that stay, said aloud: one-way edits in Outlook, and meetings that sync does not touch."""
    ops = []
    if blocked:
        reason = f"{', '.join(sorted(blocked))} changed in OroCRM; a meeting with attendees is not changed by sync"
        ops.append(_local(case, Verb.LEAVE, Side.OUTLOOK, "meeting_not_changed", reason))
    for rule, why in _STAYING.items():
        staying = sorted(name for name, each in outcomes.items() if each.rule == rule)
        if staying:
            ops.append(_local(case, Verb.LEAVE, Side.OUTLOOK, rule, f"{', '.join(staying)} {why}"))
    return [replace(op, title=title_of(outlook)) for op in ops]


def _conflicts(sides: Comparison, outcomes: Mapping[str, UnitOutcome]) -> tuple[FieldConflict, ...]:
    units = units_of(sides.entity)
    return tuple(
        FieldConflict(
            unit=name,
            base=sides.base(Side.ORO, units[name]),
            outlook=sides.values(Side.OUTLOOK, units[name]),
            oro=sides.values(Side.ORO, units[name]),
            rule=each.rule,
            choice=None if each.asked else each.loser.other if each.loser else None,
        )
        for name, each in outcomes.items()
        if each.asked or each.loser is not None
    )


# ------------------------------------------------------------------------------------------------ alone


def _plan_alone(case: Case, alone: Snapshot, policy: Policy) -> Decision:
    why = why_left_alone(case, alone, policy)
    if why is not None:
        return Decision(case, (_leave(case, alone, *why),))
    reason = f"exists in {NAMES[alone.side]} only"
    return Decision(case, (_create(alone, f"only_in_{alone.side.value}", reason, policy),))


def _create(source: Snapshot, rule: str, reason: str, policy: Policy) -> Op:
    return Op(
        Verb.CREATE,
        source.entity,
        source.side.other,
        rule,
        reason,
        outlook_id=source.id if source.side is Side.OUTLOOK else None,
        oro_id=source.id if source.side is Side.ORO else None,
        values={name: value for name, value in as_new(source, policy).items() if value is not None},
        settles=tuple(
            name for name in units_of(source.entity) if unit_direction(source.entity, name, policy) is not Direction.OFF
        ),
        title=title_of(source),
    )


def _delete(case: Case, side: Side, target: Snapshot, rule: str, reason: str) -> Op:
    op = _local(case, Verb.DELETE, side, rule, reason)
    mails = target.attendees if side is Side.OUTLOOK and target.organiser else 0
    return replace(op, before=dict(target.record), mails=mails, title=title_of(target))


def plan_replacement(case: Case, policy: Policy) -> Decision:
    """Resync in the mode `replace`: the linked Outlook item goes to Deleted Items, to be created anew (design.md 4.1).

    Meetings and what is not present on both sides are planned as ever.
    """
    outlook, link = case.outlook.snapshot, case.link
    if outlook is None or case.oro.snapshot is None or link is None or not policy.may_create(Side.OUTLOOK):
        return plan_case(case, policy)
    if outlook.attendees or not outlook.organiser or why_hidden(case, policy):
        return plan_case(case, policy)
    delete = _delete(case, Side.OUTLOOK, outlook, "replace", "replaced by a new item")
    again = _create(case.oro.snapshot, "replace", "created anew", policy)
    return Decision(case, (delete, again))


# ------------------------------------------------------------------------------------------------ shared by all


def _leave(case: Case, snapshot: Snapshot, rule: str, reason: str) -> Op:
    op = _local(case, Verb.LEAVE, snapshot.side, rule, reason)
    return replace(op, title="" if snapshot.private else title_of(snapshot))


def _local(case: Case, verb: Verb, side: Side, rule: str, reason: str) -> Op:
    return Op(
        verb,
        case.entity,
        side,
        rule,
        reason,
        outlook_id=_id_of(case, Side.OUTLOOK),
        oro_id=_id_of(case, Side.ORO),
        link_id=(case.link.id or None) if case.link else None,
    )


def _id_of(case: Case, side: Side) -> str | None:
    snapshot = case.half(side).snapshot
    return snapshot.id if snapshot else case.link.id_on(side) if case.link else None
