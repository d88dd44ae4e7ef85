"""One run of one account, left to right:

    prepare   who is connected with whom, which entities, which settings
    recover   creates whose answer was lost: adopt, or send again
    collect   change feeds -> journal
    resolve   journal -> records of both sides, paired
    plan      cases -> ops, each with rule and reason
    judge     the guard: pass or hold; a preview ends here
    apply     intent, request, result; link, shadows, oplog
    finish    what a person is told

It decides nothing itself. Whatever happens, the journal holds what is not done yet, so stopping anywhere is safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from orosync.core.guard import Standing, Verdict, judge, with_approval
from orosync.core.ops import Decision, Op, Verb, plan_hash, said_by
from orosync.core.oscillation import freeze, oscillating_units
from orosync.core.plan import plan_case, plan_replacement
from orosync.core.records import Entity, Json, Side
from orosync.core.scope import Policy
from orosync.errors import (
    AccountBlocked,
    EntityForbidden,
    OrosyncError,
    OutOfTime,
    RunCancelled,
    SignInNeeded,
    Throttled,
    TryLater,
)
from orosync.sync.apply import apply
from orosync.sync.collect import collect, fingerprint_of
from orosync.sync.confirm import Planned
from orosync.sync.prepare import prepare
from orosync.sync.recover import recover
from orosync.sync.resolve import Resolved, resolve
from orosync.sync.session import Session

_PASSES = 3  # a record that is edited while we write it is read and planned again this often (R24)
_BUDGET = timedelta(hours=24)


@dataclass
class Report:
    """What a run did, or in a preview would do. state: "done", "held", "failed", "suspended", "cancelled".

    unfinished: its time was over; what is left follows by itself. retry_after_s: the longest pause that was asked for.
    """

    run: str
    account: str
    state: str = "done"
    plan_hash: str = ""
    limits: list[str] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    entities: dict[Entity, Json] = field(default_factory=dict)
    requests: dict[Side, int] = field(default_factory=dict)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    unfinished: bool = False
    throttled: bool = False
    retry_after_s: float | None = None
    sign_in_needed: bool = False  # suspended until the user acts; else until an administrator does

    def to_json(self) -> Json:
        return {
            "run": self.run,
            "account": self.account,
            "state": self.state,
            "plan_hash": self.plan_hash,
            "limits": self.limits,
            "entities": {entity.value: counts for entity, counts in self.entities.items()},
            "requests": {side.value: count for side, count in self.requests.items()},
            "seconds": round(self.seconds, 3),
            "problems": self.problems,
            "unfinished": self.unfinished,
        }

    @property
    def quarantined(self) -> int:
        return sum(counts["quarantined"] for counts in self.entities.values())


def run_account(session: Session) -> Report:
    """Carry out `session.request`. Trouble that ends the run is in the report; LeaseLost is raised."""
    store, session.started = session.store, session.clock.now()
    report = Report(session.run, store.account().name)
    sent = {side: port.requests_sent for side, port in session.sides.items()}
    if not session.request.background:
        _begin(session)
    try:
        _run(session, report)
    except (SignInNeeded, AccountBlocked) as error:
        _stop(report, "suspended", error)
    except OutOfTime as error:
        report.unfinished = True
        _stop(report, "cancelled", error)
    except RunCancelled as error:
        _stop(report, "cancelled", error)
    except OrosyncError as error:
        if not isinstance(error, TryLater | EntityForbidden):
            _begin(session)
            store.finish_run(session.run, "failed", session.clock.now(), {"problems": [str(error)]})
            raise
        _stop(report, "failed", error)
    report.entities = {entity: counts.to_json() for entity, counts in session.counts.items()}
    report.requests = {side: port.requests_sent - sent[side] for side, port in session.sides.items()}
    _finish(session, report)
    return report


def _run(session: Session, report: Report) -> None:
    prepare(session)
    recover(session)
    collect(session)
    if _is_idle(session):
        report.plan_hash = plan_hash([])
        _remember_first_sync(session, {entity: [] for entity in session.entities})
        return
    _begin(session)
    plans: dict[Entity, list[Planned]] = {}
    for attempt in range(_PASSES):
        plans = {entity: _plan(session, entity, first=attempt == 0) for entity in session.entities}
        verdicts = _judge(session, plans, report)
        if session.request.preview:
            _preview(session, plans, verdicts)
            return
        _hand_out(plans, verdicts)
        if not _apply(session, plans):
            break
        session.journaled_before = session.store.last_seq()  # what the feeds told is older than what we wrote since
    _remember_first_sync(session, plans)
    if (session.approved or session.agreed) and report.state == "done":
        session.store.end_approvals()


def _is_idle(session: Session) -> bool:
    """Nothing was found and nothing was left: most runs of most accounts. Previews and resyncs go on."""
    whole = session.request.preview or session.request.resync
    return not whole and not session.store.has_work(session.entities, session.clock.now())


def _begin(session: Session) -> None:
    """The run enters the history: at once if somebody asked for it, else when it has something to do or to say."""
    if not session.begun:
        session.begun = True
        session.store.start_run(session.run, session.request.mode, session.started)


# ------------------------------------------------------------------------------------------------ plan and judge


def _plan(session: Session, entity: Entity, *, first: bool) -> list[Planned]:
    counts = session.of(entity)
    counts.waiting = counts.held = counts.unchanged = 0
    if any((side, entity) in session.failures for side in Side):
        return []  # half of the truth is no ground for a decision; what was journaled stays
    resolved = resolve(session, entity)
    if resolved.void or any(resolved.forget.values()):
        _forget(session, entity, resolved)
    policy = session.policy(entity)
    replacing = session.request.replace and first
    planned = []
    for work in resolved.work:
        decide = plan_replacement if replacing else plan_case
        planned.append(Planned.of(work, _break_oscillation(session, decide(work.case, policy), policy)))
    return planned


def _forget(session: Session, entity: Entity, resolved: Resolved) -> None:
    """What turned out to be nothing, and what is not there any more."""
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


def _judge(session: Session, plans: Mapping[Entity, Sequence[Planned]], report: Report) -> dict[Entity, Verdict]:
    verdicts = _verdicts(session, plans)
    if any(verdict.held for verdict in verdicts):
        session.agreed = _agreed_before(session)
        verdicts = _verdicts(session, plans)
    decided = with_approval(verdicts, session.request.approve)
    held = [op for verdict in decided for op in verdict.held]
    everything = [op for verdict in decided for op in (*verdict.passed, *verdict.held)]
    was_held = any(verdict.held for verdict in verdicts)
    if was_held and not held:
        session.approved = True
        session.store.approve_plan(str(session.request.approve), session.clock.now())
    report.limits = [f"{entity}: {limit}" for entity, each in zip(plans, decided, strict=True) for limit in each.limits]
    report.state = "held" if held else "done"
    report.plan_hash = plan_hash(everything if session.request.preview or not held else held)
    report.ops = everything if session.request.preview or not held else held
    if held or session.request.preview:
        session.store.save_plan(
            session.run,
            report.plan_hash,
            [op.to_json() for op in report.ops if op.verb is not Verb.SETTLE],
            report.limits,
        )
    return dict(zip(plans, decided, strict=True))


def _verdicts(session: Session, plans: Mapping[Entity, Sequence[Planned]]) -> list[Verdict]:
    since = session.clock.now() - _BUDGET
    verdicts = []
    for entity, plan in plans.items():
        fingerprints = {session.store.cursor(side, entity).fingerprint for side in Side} - {""}
        standing = Standing(
            links=session.store.count_links(entity),
            done=session.store.tally(entity, since),
            first_sync=not session.first_done(entity),
            settings_changed=bool(fingerprints - {fingerprint_of(session, entity)}),
        )
        ops = [op for each in plan for op in each.decision.ops]
        verdicts.append(judge(ops, standing, session.settings.guard, session.agreed))
    return verdicts


def _agreed_before(session: Session) -> frozenset[str]:
    """A plan that a person approved and that was broken off is still approved, op by op, for a day."""
    ops = session.store.approved_ops(session.clock.now() - _BUDGET)
    return frozenset(said_by(Op.from_json(each)) for each in ops)


def _hand_out(plans: Mapping[Entity, Sequence[Planned]], verdicts: Mapping[Entity, Verdict]) -> None:
    """Give each decision the ops that may go on. Of a held link nothing is written by halves."""
    for entity, plan in plans.items():
        held = set(map(id, verdicts[entity].held))
        for planned in plan:
            written = planned.decision.written
            planned.held = tuple(op for op in written if id(op) in held)
            planned.writes = tuple(op for op in written if not planned.held and op.verb is not Verb.STAMP)


def _preview(session: Session, plans: Mapping[Entity, Sequence[Planned]], verdicts: Mapping[Entity, Verdict]) -> None:
    """Count what would be done. Nothing was sent that is not a read (I25)."""
    for entity, plan in plans.items():
        counts = session.of(entity)
        by_verb = {Verb.CREATE: counts.created, Verb.UPDATE: counts.updated, Verb.DELETE: counts.deleted}
        for op in (op for each in plan for op in each.decision.ops):
            if op.verb in by_verb:
                by_verb[op.verb][op.side] += 1
            counts.linked += op.verb is Verb.LINK
            if op.verb is Verb.LEAVE:
                counts.left[op.rule] = counts.left.get(op.rule, 0) + 1
        counts.conflicts = sum(len(each.decision.conflicts) for each in plan)
        counts.held = len(verdicts[entity].held)
        counts.unchanged = sum(_is_quiet(each.decision) for each in plan)


def _is_quiet(decision: Decision) -> bool:
    return decision.case.link is not None and not decision.written


# ------------------------------------------------------------------------------------------------ apply and finish


def _apply(session: Session, plans: Mapping[Entity, Sequence[Planned]]) -> int:
    """Returns how many records have to be read and planned again. Trouble with a side ends the run after this pass."""
    again = 0
    stopped: dict[Side, OrosyncError] = {}
    for entity, plan in plans.items():
        applied = apply(session, entity, [plan], sum(len(each.writes) for each in plan))
        again += applied.again
        stopped |= applied.stopped
        if stopped:
            break
    for error in stopped.values():
        raise error
    return again


def _remember_first_sync(session: Session, plans: Mapping[Entity, Sequence[Planned]]) -> None:
    """A first sync is over when everything that was reported has been dealt with."""
    for entity, plan in plans.items():
        whole = not any((side, entity) in {*session.failures, *session.unread} for side in Side)
        if whole and not any(each.held for each in plan):
            for side in Side:
                cursor = session.store.cursor(side, entity)
                wanted = replace(cursor, first_done=True, fingerprint=fingerprint_of(session, entity))
                if wanted != cursor:
                    session.store.save_cursor(side, entity, wanted)


def _stop(report: Report, state: str, error: OrosyncError) -> None:
    report.state = state
    report.problems.append(str(error))
    report.sign_in_needed = isinstance(error, SignInNeeded)
    _note_pause(report, error)


def _note_pause(report: Report, error: OrosyncError) -> None:
    if isinstance(error, TryLater) and error.retry_after_s is not None:
        report.retry_after_s = max(report.retry_after_s or 0.0, error.retry_after_s)
    report.throttled = report.throttled or isinstance(error, Throttled)


def _finish(session: Session, report: Report) -> None:
    now = session.clock.now()
    for (side, entity), error in session.failures.items():
        report.problems.append(f"{entity} ({side}): {error}")
        if report.state == "done":
            report.state = "failed"
        _note_pause(report, error)
    report.seconds = (now - session.started).total_seconds()
    if report.state == "suspended":
        session.store.set_state("suspended", report.problems[0], now)
    elif session.store.account().state == "suspended":
        session.store.set_state("active", "", now)
    recent = session.store.runs(5) if session.request.background else []
    if any(row["state"] == "running" and row["requested_at"] is None for row in recent):
        _begin(session)  # the history still says that a run goes on whose worker was killed: this ends it
    if session.request.background and _says_nothing_new(session, report, recent):
        if session.begun:
            session.store.forget_run(session.run)
    else:
        _begin(session)
        session.store.finish_run(session.run, report.state, now, report.to_json())


def _says_nothing_new(session: Session, report: Report, recent: Sequence[Json]) -> bool:
    """It found nothing to do, or nothing but what the run before it said already: the same plan that waits for a
    person, the same trouble. Every half minute a line of that would bury what happened."""
    if report.unfinished or any(counts.said_something for counts in session.counts.values()):
        return False
    rows = (row for row in recent if row["run"] != session.run and row["finished_at"])
    before = next((row for row in rows if row["mode"] in {"sync", "resync"}), None)
    if before is None or before["state"] != report.state:
        return before is None and report.state == "done"
    said = before["summary"] or {}
    return report.state == "done" or (
        said.get("plan_hash", "") == report.plan_hash and said.get("problems", []) == report.problems
    )
