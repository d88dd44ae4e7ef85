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

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from orosync.core.ops import Decision, Op, Verb, plan_hash
from orosync.core.records import Entity, Json, Side
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
from orosync.sync import plans
from orosync.sync.apply import apply
from orosync.sync.collect import collect, fingerprint_of
from orosync.sync.plans import EntityPlan, SavedOps, hash_of_all, hash_of_held, judge_plans, plan_entity
from orosync.sync.prepare import prepare
from orosync.sync.recover import recover
from orosync.sync.session import Session

_PASSES = 3  # a record that is edited while we write it is read and planned again this often (R24)


@dataclass
class Report:
    """What a run did, or in a preview would do. state: "done", "held", "failed", "suspended", "cancelled".

    ops: of what it shows or has done; none of a large plan that was carried out. unfinished: its time was over; what is
    left follows by itself. retry_after_s: the longest pause that was asked for.
    """

    run: str
    account: str
    state: str = "done"
    plan_hash: str = ""
    limits: list[str] = field(default_factory=list)
    ops: Iterable[Op] = ()
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
        _remember_first_sync(session, session.entities)
        return
    _begin(session)
    planned: dict[Entity, EntityPlan] = {}
    for attempt in range(_PASSES):
        with ExitStack() as stack:
            planned = _plan_all(session, stack, first=attempt == 0)
            _judge(session, planned, report)
            if session.request.preview:
                _preview(session, planned)
                return
            again = _apply(session, planned)
        if not again:
            break
        session.journaled_before = session.store.last_seq()  # what the feeds told is older than what we wrote since
    _remember_first_sync(session, [entity for entity, plan in planned.items() if not plan.held_said])
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


def _plan_all(session: Session, stack: ExitStack, *, first: bool) -> dict[Entity, EntityPlan]:
    """What a large one sets aside is gone with the stack."""
    large = session.store.pending_count() > plans.LARGE
    planned = {}
    for entity in session.entities:
        counts = session.of(entity)
        counts.waiting = counts.held = counts.unchanged = 0
        if any((side, entity) in session.failures for side in Side):
            planned[entity] = EntityPlan(entity)  # half of the truth decides nothing; what was journaled stays
            continue
        scratch = stack.enter_context(session.store.scratch()) if large else None
        planned[entity] = plan_entity(session, entity, scratch, replacing=session.request.replace and first)
    return planned


def _judge(session: Session, planned: Mapping[Entity, EntityPlan], report: Report) -> None:
    report.limits = list(judge_plans(session, planned))
    held = any(plan.held_said for plan in planned.values())
    waits = held and not session.request.preview  # else all of it is told
    report.state = "held" if held else "done"
    report.plan_hash = hash_of_held(planned) if waits else hash_of_all(planned)
    if held or session.request.preview:
        ops = (op for plan in planned.values() for op in plan.all_ops() if not waits or plan.holds(op))
        shown = (op.to_json() for op in ops if op.verb is not Verb.SETTLE)
        session.store.save_plan(session.run, report.plan_hash, shown, report.limits)
    if all(plan.ops is not None for plan in planned.values()):
        report.ops = [op for plan in planned.values() for op in plan.ops or () if not waits or plan.holds(op)]
    else:
        report.ops = SavedOps(session.store, session.run)


def _preview(session: Session, planned: Mapping[Entity, EntityPlan]) -> None:
    """Count what would be done. Nothing was sent that is not a read (I25)."""
    for entity, plan in planned.items():
        counts = session.of(entity)
        by_verb = {Verb.CREATE: counts.created, Verb.UPDATE: counts.updated, Verb.DELETE: counts.deleted}
        for each in (each for some in plan.planned() for each in some):
            for op in each.decision.ops:
                if op.verb in by_verb:
                    by_verb[op.verb][op.side] += 1
                counts.linked += op.verb is Verb.LINK
                if op.verb is Verb.LEAVE:
                    counts.left[op.rule] = counts.left.get(op.rule, 0) + 1
            counts.conflicts += len(each.decision.conflicts)
            counts.unchanged += _is_quiet(each.decision)
        counts.held = len(plan.held_said)


def _is_quiet(decision: Decision) -> bool:
    return decision.case.link is not None and not decision.written


# ------------------------------------------------------------------------------------------------ apply and finish


def _apply(session: Session, planned: Mapping[Entity, EntityPlan]) -> int:
    """Returns how many records have to be read and planned again. Trouble with a side ends the run after this pass."""
    again = 0
    stopped: dict[Side, OrosyncError] = {}
    for entity, plan in planned.items():
        applied = apply(session, entity, plan.slices(), plan.writes)
        again += applied.again
        stopped |= applied.stopped
        if stopped:
            break
    for error in stopped.values():
        raise error
    return again


def _remember_first_sync(session: Session, entities: Iterable[Entity]) -> None:
    """A first sync is over when everything that was reported has been dealt with. entities: nothing of them is held."""
    for entity in entities:
        if any((side, entity) in {*session.failures, *session.unread} for side in Side):
            continue
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
