"""The plan of a run, and whether it may be carried out: cases are planned one slice after the other, counted for the
guard, and come back slice by slice to be carried out.

A small plan is one slice, in memory. Of a large one memory holds what its ops come to, and a digest of each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from orosync.core.guard import Standing, Sums, Verdict, is_approved, judge, sums_of
from orosync.core.ops import REPLACE, Decision, Op, Verb, hash_of, is_approved_by_hash, said_by
from orosync.core.oscillation import freeze, oscillating_units
from orosync.core.plan import plan_case, plan_replacement
from orosync.core.records import Entity, Half, Side
from orosync.core.scope import Policy
from orosync.sync.collect import fingerprint_of
from orosync.sync.confirm import Planned
from orosync.sync.ports import AccountStore, Scratch
from orosync.sync.resolve import Resolved, Work, resolve
from orosync.sync.resolve_slices import SLICE, Slices
from orosync.sync.session import Session

LARGE = 2_000  # pending rows of an account above which they are not all held in memory
_TOLD = 2_000  # ops of a large plan that are held for who wants to show them
_BUDGET = timedelta(hours=24)
_QUIET, _WRITING, _DELETING = "quiet", "writing", "deleting"  # shelves, in the order in which they are carried out


class EntityPlan:
    """What is planned for one entity. sums, said: of its ops. writes: how many requests it asks for. held_said: what
    those ops say that have to wait, once it was judged. ops: all of them, None if they are too many."""

    def __init__(self, entity: Entity, scratch: Scratch | None = None) -> None:
        self.entity = entity
        self.sums = Sums()
        self.said: list[str] = []
        self.held_said: list[str] = []
        self.writes = 0
        self.ops: list[Op] | None = []
        self._verdict = Verdict()
        self._scratch = scratch
        self._waiting: dict[str, list[Planned]] = {_QUIET: [], _WRITING: [], _DELETING: []}

    # -------------------------------------------------------------------------------------------- being made

    def add(self, planned: Iterable[Planned]) -> None:
        for each in planned:
            self._count(each.decision)
            if self._scratch is None:
                self._waiting[_WRITING].append(each)
            else:
                self._waiting[_shelf_of(each.decision)].append(_light(each))
        if self._scratch is not None:
            self._set_aside(self._scratch, SLICE)

    def _count(self, decision: Decision) -> None:
        for op in decision.ops:
            self.sums.add(op)
            if is_approved_by_hash(op):
                self.said.append(said_by(op))
                self.writes += 1
        if self.ops is not None:
            self.ops.extend(decision.ops)
            if self._scratch is not None and len(self.ops) > _TOLD:
                self.ops = None

    def _set_aside(self, scratch: Scratch, full: int) -> None:
        """In whole slices, so that their requests are full as well; what asks for none need not wait for more."""
        for shelf, waiting in self._waiting.items():
            size = 1 if shelf == _QUIET else full
            while len(waiting) >= size and waiting:
                scratch.keep(shelf, [("", waiting[:SLICE])])
                del waiting[:SLICE]

    def end(self) -> None:
        """Nothing more is added."""
        if self._scratch is not None:
            self._set_aside(self._scratch, 1)

    # -------------------------------------------------------------------------------------------- being looked at

    def planned(self) -> Iterator[Sequence[Planned]]:
        """All of it, in slices. Deletions are in the last ones: they come last, and not at all if something was
        forbidden."""
        if self._scratch is None:
            yield self._waiting[_WRITING]
            return
        for shelf in self._waiting:
            for kept in self._scratch.slices(shelf, 1):
                yield from (some for _, some in kept)

    def all_ops(self) -> Iterator[Op]:
        for some in self.planned():
            for each in some:
                yield from each.decision.ops

    def put_under(self, verdict: Verdict) -> None:
        self._verdict, self.held_said = verdict, []
        if not verdict.kinds:
            return
        for some in self.planned():
            for each in some:
                held = [op for op in each.decision.ops if verdict.holds(op)]
                self.held_said.extend(map(said_by, held))
                self.writes -= sum(map(is_approved_by_hash, each.decision.ops)) if held else 0

    def holds(self, op: Op) -> bool:
        return self._verdict.holds(op)

    def slices(self) -> Iterator[Sequence[Planned]]:
        """To be carried out: each with the ops that may go on. Of a held link nothing is written by halves."""
        for some in self.planned():
            for each in some:
                written = each.decision.written
                each.held = tuple(op for op in written if self._verdict.holds(op))
                each.writes = tuple(op for op in written if not each.held and op.verb is not Verb.STAMP)
            yield some


class SavedOps:
    """Of a plan that was shown or is held, from the store: they may be too many for memory."""

    def __init__(self, store: AccountStore, run: str) -> None:
        self._store, self._run = store, run

    def __iter__(self) -> Iterator[Op]:
        return map(Op.from_json, self._store.planned_ops(self._run))


def _shelf_of(decision: Decision) -> str:
    if any(op.verb is Verb.DELETE and op.rule != REPLACE for op in decision.ops):
        return _DELETING
    return _WRITING if decision.written else _QUIET


def _light(planned: Planned) -> Planned:
    """Without the items' own JSON where nobody will ask for it: what is changed or deleted is sent with its item, and
    an Outlook item that is created in OroCRM is stamped afterwards."""
    case, decision = planned.case, planned.decision
    written = {op.side for op in decision.written if op.verb is not Verb.CREATE}
    if any(op.verb is Verb.CREATE and op.side is Side.ORO for op in decision.written):
        written.add(Side.OUTLOOK)
    if len(written) == len(Side):
        return planned
    halves = {side: case.half(side) if side in written else _without_item(case.half(side)) for side in Side}
    light = replace(case, outlook=halves[Side.OUTLOOK], oro=halves[Side.ORO])
    return Planned.of(Work(light, planned.work.rows), replace(decision, case=light))


def _without_item(half: Half) -> Half:
    return half if half.snapshot is None else replace(half, snapshot=replace(half.snapshot, item=None))


# ------------------------------------------------------------------------------------------------ planning


def plan_entity(session: Session, entity: Entity, scratch: Scratch | None, *, replacing: bool) -> EntityPlan:
    """scratch: None if all of it fits into memory. replacing: a resync that makes Outlook's items anew."""
    plan = EntityPlan(entity, scratch)
    policy = session.policy(entity)
    if scratch is None:
        resolved = resolve(session, entity, session.store.pending(entity))
        _forget(session, entity, resolved)
        plan.add(_planned(session, resolved.work, policy, replacing=replacing))
        return plan
    slices = Slices(session, entity, scratch)
    for work in slices.work():
        plan.add(_planned(session, work, policy, replacing=replacing))
    plan.end()
    _forget(session, entity, slices.resolved)
    return plan


def _planned(session: Session, work: Iterable[Work], policy: Policy, *, replacing: bool) -> Iterator[Planned]:
    decide = plan_replacement if replacing else plan_case
    for each in work:
        yield Planned.of(each, _break_oscillation(session, decide(each.case, policy), policy))


def _forget(session: Session, entity: Entity, resolved: Resolved) -> None:
    """What turned out to be nothing, and what is not there any more."""
    if not resolved.void and not any(resolved.forget.values()):
        return
    with session.store.transaction():
        session.store.journal_done(resolved.void)
        for side, ids in resolved.forget.items():
            session.store.drop_unlinked(side, entity, ids)
            for native in ids:
                session.store.release(side, entity, native)


def _break_oscillation(session: Session, decision: Decision, policy: Policy) -> Decision:
    """A value that was written by turns all day is frozen, and shown as a conflict (R27)."""
    link = decision.case.link
    updates = [op for op in decision.written if op.verb is Verb.UPDATE]
    if link is None or not updates or link.oro_id is None:
        return decision
    since = session.clock.now() - _BUDGET
    history = [entry for entry in session.store.oplog_of(link.entity, Side.ORO, link.oro_id) if entry.at >= since]
    found = {unit for op in updates for unit in oscillating_units(op, history)}
    units = tuple(sorted(unit for unit in found if (link.outlook_id or "", unit) not in policy.choices))
    return freeze(decision, units, policy) if units else decision


# ------------------------------------------------------------------------------------------------ judging


def judge_plans(session: Session, plans: Mapping[Entity, EntityPlan]) -> tuple[str, ...]:
    """Puts each under its verdict; returns the limits that hold something, in words."""
    standings = {entity: _standing(session, entity) for entity in plans}
    guard = session.settings.guard
    verdicts = {entity: judge(plan.sums, standings[entity], guard) for entity, plan in plans.items()}
    if any(verdict.kinds for verdict in verdicts.values()):
        session.agreed = agreed = _agreed_before(session)
        if agreed:
            verdicts = {
                entity: judge(sums_of(plan.all_ops(), agreed), standings[entity], guard, agreed)
                for entity, plan in plans.items()
            }
    for entity, plan in plans.items():
        plan.put_under(verdicts[entity])
    if any(plan.held_said for plan in plans.values()) and _is_approved(session, plans):
        session.approved = True
        session.store.approve_plan(str(session.request.approve), session.clock.now())
        for plan in plans.values():
            plan.writes = len(plan.said)
            plan.put_under(Verdict())
        return ()
    return tuple(f"{entity}: {limit}" for entity, verdict in verdicts.items() for limit in verdict.limits)


def _is_approved(session: Session, plans: Mapping[Entity, EntityPlan]) -> bool:
    return is_approved(session.request.approve, whole=hash_of_all(plans), held=hash_of_held(plans))


def hash_of_all(plans: Mapping[Entity, EntityPlan]) -> str:
    return hash_of(said for plan in plans.values() for said in plan.said)


def hash_of_held(plans: Mapping[Entity, EntityPlan]) -> str:
    return hash_of(said for plan in plans.values() for said in plan.held_said)


def _standing(session: Session, entity: Entity) -> Standing:
    since = session.clock.now() - _BUDGET
    fingerprints = {session.store.cursor(side, entity).fingerprint for side in Side} - {""}
    return Standing(
        links=session.store.count_links(entity),
        done=session.store.tally(entity, since),
        first_sync=not session.first_done(entity),
        settings_changed=bool(fingerprints - {fingerprint_of(session, entity)}),
    )


def _agreed_before(session: Session) -> frozenset[str]:
    """A plan that a person approved and that was broken off is still approved, op by op, for a day."""
    ops = session.store.approved_ops(session.clock.now() - _BUDGET)
    return frozenset(said_by(Op.from_json(each)) for each in ops)
