"""Undo of a run: read what each of its ops wrote, plan the compensation, and carry it out like any other op (R28)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orosync.core.exchange import Found, NotThere, Write, WriteResult, Written
from orosync.core.ledger import OplogEntry
from orosync.core.mapping import lens_of, snapshot_of, with_stamp
from orosync.core.ops import Op, Verb
from orosync.core.records import GONE, UNREADABLE, Entity, Half, Item, Json, Side
from orosync.core.undo import UndoStep, plan_undo
from orosync.errors import BadInput, OutcomeUnknown, RecordChanged, RecordRefused, RunCancelled
from orosync.sync.prepare import prepare
from orosync.sync.recover import found_entry, recover
from orosync.sync.session import Session
from orosync.sync.taken_back import remember_step, step_intent

_NOT_KNOWN = "what became of the last write to it is not known yet"


@dataclass
class UndoReport:
    """steps: what is (or would be) taken back, and what is not and why."""

    run: str
    of_run: str
    steps: list[UndoStep] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def taken_back(self) -> int:
        """So far, or in a preview what would be."""
        return sum(step.op is not None and step.entry.op_id not in self.failed for step in self.steps)

    @property
    def left(self) -> list[tuple[OplogEntry, str]]:
        refused = [(step.entry, step.why_not) for step in self.steps if step.op is None]
        return refused + [(s.entry, self.failed[s.entry.op_id]) for s in self.steps if s.entry.op_id in self.failed]

    def to_json(self) -> Json:
        """As the run's summary is kept."""
        left = [
            {"entity": e.entity.value, "side": e.side.value, "outlook_id": e.outlook_id, "oro_id": e.oro_id, "why": why}
            for e, why in self.left
        ]
        return {"undo_of": self.of_run, "taken_back": self.taken_back, "left": left}


def undo_run(session: Session, of_run: str, *, preview: bool) -> UndoReport:
    """Take back what run `of_run` did, newest op first. Raises BadInput if there is no such run."""
    if session.store.run(of_run) is None:
        raise BadInput(f"There is no run {of_run}.", field="run", remedy="See `orosync runs list`.")
    prepare(session)
    recover(session)
    report = UndoReport(session.run, of_run)
    entries = list(reversed(session.store.oplog(of_run)))
    for entity in Entity:
        for side in Side:
            mine = [each for each in entries if each.entity is entity and each.side is side]
            report.steps.extend(_plan(session, entity, side, mine))
    report.steps.extend(_unknown(session, of_run))
    session.store.start_run(session.run, "undo_preview" if preview else "undo", session.clock.now())
    ops = [step.op.to_json() for step in report.steps if step.op is not None]
    state = "failed"
    try:
        if preview:
            session.store.save_plan(session.run, "", ops, [])
        else:
            _carry_all_out(session, report)
        state = "done"
    except RunCancelled:
        state = "cancelled"
    finally:
        session.store.finish_run(session.run, state, session.clock.now(), report.to_json())
    return report


def _unknown(session: Session, of_run: str) -> Iterable[UndoStep]:
    """Ops of the run whose answers were lost: what became of them has to be found out first."""
    for intent in session.store.open_intents():
        if intent.run == of_run:
            yield UndoStep(found_entry(session, intent, Op.from_json(intent.op), None), None, _NOT_KNOWN)


def _carry_all_out(session: Session, report: UndoReport) -> None:
    steps = [(step, step.op) for step in report.steps if step.op is not None]
    for number, (step, op) in enumerate(steps):
        session.progress("taking back", number, len(steps))
        _carry_out(session, report, step, op)


def _plan(session: Session, entity: Entity, side: Side, entries: Sequence[OplogEntry]) -> Iterable[UndoStep]:
    if not entries:
        return
    ids = [native for each in entries if (native := _target(each)) is not None]
    halves = _halves(session, entity, side, ids)
    links = session.store.links_by_id(side, entity, ids)
    for entry in entries:
        native = _target(entry) or ""
        half = halves.get(native, GONE)
        meeting = half.snapshot.attendees if half.snapshot is not None and side is Side.OUTLOOK else 0
        link = links.get(native)
        yield plan_undo(entry, half, link.id if link else None, meeting)


def _target(entry: OplogEntry) -> str | None:
    return entry.outlook_id if entry.side is Side.OUTLOOK else entry.oro_id


def _halves(session: Session, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, Half]:
    halves: dict[str, Half] = {}
    for native, reading in session.sides[side].read(entity, sorted(set(ids))).items():
        if isinstance(reading, Found):
            halves[native] = _half(session, entity, side, reading.item)
        else:
            halves[native] = GONE if isinstance(reading, NotThere) and not reading.forbidden else UNREADABLE
    return halves


def _half(session: Session, entity: Entity, side: Side, item: Item) -> Half:
    try:
        return Half.of(snapshot_of(side, entity, item, session.context))
    except RecordRefused:
        return UNREADABLE


def _carry_out(session: Session, report: UndoReport, step: UndoStep, op: Op) -> None:
    """One op by itself: what fails is reported, and the rest goes on."""
    if any((op.entity, side, native) in session.busy for side, native in _ids(op)):
        report.failed[step.entry.op_id] = _NOT_KNOWN
        return
    lens = lens_of(op.side, op.entity)
    native = op.target_id
    item = _item(session, op, native) if op.verb is not Verb.CREATE and native else None
    if op.verb is not Verb.CREATE and (item is None or not _stands(session, op, item)):
        report.failed[step.entry.op_id] = "it was changed since"
        return
    patch = {} if op.verb is Verb.DELETE else lens.put(op.values, item, session.context)
    if op.verb is Verb.UPDATE and not patch:
        return
    if op.verb is Verb.CREATE and op.side is Side.OUTLOOK and op.oro_id is not None:
        patch = with_stamp(patch, op.entity, op.oro_id, session.context, op.title)  # by which it is found again
    verb = {Verb.CREATE: "create", Verb.UPDATE: "update", Verb.DELETE: "delete"}[op.verb]
    write = Write(session.ids.new(), verb, op.entity, patch, item)  # type: ignore[arg-type]
    result = _send(session, step, op, write)
    if not isinstance(result, Written):
        report.failed[step.entry.op_id] = str(result)


def _send(session: Session, step: UndoStep, op: Op, write: Write) -> WriteResult:
    """Intent, request, result, like any other op (R23): cut off anywhere, the next run finds out what became of it."""
    store, intent = session.store, step_intent(session, op, write.op_id, step.entry.op_id)
    store.prepare_intents([intent])
    result = session.sides[op.side].write([write])[write.op_id]
    if isinstance(result, Written):
        half = _half(session, op.entity, op.side, result.item) if result.item is not None else GONE
        remember_step(session, intent, op, half.snapshot)
    elif isinstance(result, RecordChanged) and op.verb is Verb.UPDATE:  # by a first delivery of this step, it may be
        recover(session, {write.op_id})
        if any(entry.op_id == write.op_id for entry in store.oplog(session.run)):
            return Written(None)
    elif not isinstance(result, OutcomeUnknown):
        store.close_intent(write.op_id, "abandoned")
    return result


def _ids(op: Op) -> list[tuple[Side, str | None]]:
    return [(Side.OUTLOOK, op.outlook_id), (Side.ORO, op.oro_id)]


def _stands(session: Session, op: Op, item: Item) -> bool:
    """Whether the item, read just now, is still what the step was planned for."""
    half = _half(session, op.entity, op.side, item)
    return half.snapshot is not None and all(half.snapshot.record[name] == value for name, value in op.before.items())


def _item(session: Session, op: Op, native: str) -> Item | None:
    reading = session.sides[op.side].read(op.entity, [native])[native]
    return reading.item if isinstance(reading, Found) else None
