"""Undo of a run: read what each of its ops wrote, plan the compensation, and carry it out like any other op (R28)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from orosync.core.exchange import Found, NotThere, Write, Written
from orosync.core.ledger import OplogEntry, Unlinked
from orosync.core.mapping import lens_of
from orosync.core.ops import Op, Verb
from orosync.core.records import GONE, UNREADABLE, Entity, Half, Item, Json, Link, LinkState, Side
from orosync.core.undo import UndoStep, plan_undo
from orosync.errors import BadInput, RunCancelled
from orosync.sync.prepare import prepare
from orosync.sync.session import Session

_DONE_BACK = "a run that was undone; it is left alone"


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
    report = UndoReport(session.run, of_run)
    entries = list(reversed(session.store.oplog(of_run)))
    for entity in Entity:
        for side in Side:
            mine = [each for each in entries if each.entity is entity and each.side is side]
            report.steps.extend(_plan(session, entity, side, mine))
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
    lens = lens_of(side, entity)
    halves: dict[str, Half] = {}
    for native, reading in session.sides[side].read(entity, sorted(set(ids))).items():
        if isinstance(reading, Found):
            halves[native] = Half.of(lens.snapshot(reading.item, session.context))
        else:
            halves[native] = GONE if isinstance(reading, NotThere) and not reading.forbidden else UNREADABLE
    return halves


def _carry_out(session: Session, report: UndoReport, step: UndoStep, op: Op) -> None:
    """One op by itself: what fails is reported, and the rest goes on."""
    lens = lens_of(op.side, op.entity)
    native = op.target_id
    item = _item(session, op, native) if op.verb is not Verb.CREATE and native else None
    if op.verb is not Verb.CREATE and (item is None or not _stands(session, op, item)):
        report.failed[step.entry.op_id] = "it was changed since"
        return
    patch = {} if op.verb is Verb.DELETE else lens.put(op.values, item, session.context)
    if op.verb is Verb.UPDATE and not patch:
        return
    verb = {Verb.CREATE: "create", Verb.UPDATE: "update", Verb.DELETE: "delete"}[op.verb]
    write = Write(session.ids.new(), verb, op.entity, patch, item)  # type: ignore[arg-type]
    result = session.sides[op.side].write([write])[write.op_id]
    if isinstance(result, Written):
        _remember(session, step, op, write, result)
    else:
        report.failed[step.entry.op_id] = str(result)


def _stands(session: Session, op: Op, item: Item) -> bool:
    """Whether the item, read just now, is still what the step was planned for."""
    record = lens_of(op.side, op.entity).snapshot(item, session.context).record
    return all(record[name] == value for name, value in op.before.items())


def _item(session: Session, op: Op, native: str) -> Item | None:
    reading = session.sides[op.side].read(op.entity, [native])[native]
    return reading.item if isinstance(reading, Found) else None


def _remember(session: Session, step: UndoStep, op: Op, write: Write, result: Written) -> None:
    """The shadow follows what was put back, so that nothing travels because of it; a removed item's pair is buried."""
    store = session.store
    snapshot = lens_of(op.side, op.entity).snapshot(result.item, session.context) if result.item is not None else None
    with store.transaction():
        link = _link(session, op)
        if link is not None and op.verb is Verb.DELETE:
            store.update_link(replace(link, state=LinkState.TOMBSTONE))
            _leave_alone(session, op, link)
        elif link is not None and snapshot is not None:
            names = link.shadows.get(op.side, {})
            shadow = {name: snapshot.record[name] for name in names}
            versions = {**link.versions, op.side: snapshot.version}
            store.update_link(replace(link, shadows={**link.shadows, op.side: shadow}, versions=versions))
        elif snapshot is not None:
            row = Unlinked(op.side, op.entity, snapshot.id, snapshot.version, why=_DONE_BACK)
            store.save_unlinked([row])
        store.mark_undone(step.entry.op_id, session.run)
        store.add_oplog([_entry(session, op, write, snapshot.id if snapshot else None)])


def _link(session: Session, op: Op) -> Link | None:
    if op.link_id is None or op.target_id is None:
        return None
    return session.store.links_by_id(op.side, op.entity, [op.target_id]).get(op.target_id)


def _leave_alone(session: Session, op: Op, link: Link) -> None:
    side = op.side.other
    native = link.id_on(side)
    if native is not None:
        version = link.versions.get(side, "")
        session.store.save_unlinked([Unlinked(side, op.entity, native, version, why=_DONE_BACK)])


def _entry(session: Session, op: Op, write: Write, made: str | None) -> OplogEntry:
    return OplogEntry(
        op_id=write.op_id,
        run=session.run,
        at=session.clock.now(),
        entity=op.entity,
        side=op.side,
        verb=op.verb.value,
        outlook_id=made if made and op.side is Side.OUTLOOK else op.outlook_id,
        oro_id=made if made and op.side is Side.ORO else op.oro_id,
        rule=op.rule,
        reason=op.reason,
        before=dict(op.before),
        after=dict(op.values) if op.verb is not Verb.DELETE else None,
        overwrites=op.overwrites,
        approved=True,
    )
