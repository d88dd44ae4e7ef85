"""Ops into requests: intent, request, result, and one transaction that remembers it (R22 to R24).

Order: our own steps; replacements; updates (OroCRM first, which can hold what a merge pushes out of Outlook); creates
and stamps; deletes last, and only if nothing of this entity was refused for want of permission. A record that fails
goes into quarantine by itself; trouble with a whole side ends the writing to it, and what was not done stays in the
journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid5

from orosync.core.exchange import Write, WriteResult, Written
from orosync.core.ledger import Intent
from orosync.core.mapping import lens_of, with_stamp
from orosync.core.ops import REPLACE, Op, Verb
from orosync.core.pairing import oro_uid
from orosync.core.records import Entity, Json, Side
from orosync.errors import (
    EntityForbidden,
    OrosyncError,
    OutcomeUnknown,
    RecordChanged,
    RecordMissing,
    RecordRefused,
)
from orosync.sync.confirm import Bookkeeper, Planned
from orosync.sync.recover import recover
from orosync.sync.session import Session
from orosync.sync.stamping import Stamping
from orosync.sync.under_way import Results, Stream, why_stopped

_OPS = UUID("5b0c2f7e-1f64-5d6b-9a0e-9f5f3c1d7a42")
_Planned = tuple[Planned, Op]
_SOON = timedelta(seconds=1)
_AT_ONCE = 20  # intents and results are committed in groups of this many


@dataclass
class Applied:
    """again: cases that changed while we worked, to be read and planned once more. refused: updates for that reason.
    stopped: per side, why writing to it ended early. done: writes so far, for who watches."""

    again: int = 0
    refused: set[str] = field(default_factory=set)
    stopped: dict[Side, OrosyncError] = field(default_factory=dict)
    done: int = 0


def apply(session: Session, entity: Entity, slices: Iterable[Sequence[Planned]], total: int) -> Applied:
    """Carry out what the guard let pass, of one entity. slices: of its plan, each carried out before the next one is
    asked for; what is deleted belongs into the last of them. total: how many writes there are in all."""
    applied = Applied()
    keeper = Bookkeeper(session, entity)
    with Stamping(session, keeper, applied.stopped) as stamping:
        for plan in slices:
            keeper.own_steps(plan)
            for phase in _phases():
                group = [(each, op) for each in plan if not each.failed for op in each.writes if phase(op)]
                if group and phase.deletes:
                    stamping.land()  # what they met counts, too
                _write(session, keeper, applied, stamping, group, total)
            stamping.rest(plan)
            keeper.finish(plan)
    if applied.refused and not applied.stopped:
        recover(session, applied.refused)
    return applied


def _phases() -> Iterator[_Phase]:
    yield _Phase(Verb.DELETE, Side.OUTLOOK, rule=REPLACE)
    for side in (Side.ORO, Side.OUTLOOK):
        yield _Phase(Verb.UPDATE, side)
    for side in (Side.OUTLOOK, Side.ORO):
        yield _Phase(Verb.CREATE, side)
    for side in (Side.OUTLOOK, Side.ORO):
        yield _Phase(Verb.DELETE, side)


@dataclass(frozen=True, slots=True)
class _Phase:
    verb: Verb
    side: Side
    rule: str = ""

    @property
    def deletes(self) -> bool:
        return self.verb is Verb.DELETE and self.rule != REPLACE

    def __call__(self, op: Op) -> bool:
        replacing = op.verb is Verb.DELETE and op.rule == REPLACE
        return op.verb is self.verb and op.side is self.side and replacing == (self.rule == REPLACE)


def _chunks(group: Sequence[_Planned]) -> Iterator[Sequence[_Planned]]:
    for start in range(0, len(group), _AT_ONCE):
        yield group[start : start + _AT_ONCE]


def _write(
    session: Session,
    keeper: Bookkeeper,
    applied: Applied,
    stamping: Stamping,
    group: Sequence[_Planned],
    total: int,
) -> None:
    """All of one phase: what has landed is remembered while the next ones are under way."""
    if not group:
        return
    side, deletes = group[0][1].side, group[0][1].verb is Verb.DELETE

    def remember(sent: Sequence[tuple[_Planned, Write]], results: Results) -> None:
        for (planned, op), write in sent:
            _take_result(session, keeper, applied, planned, op, write, results[write.op_id])
        keeper.commit()
        stamping.follow(planned for (planned, op), _ in sent if op.verb is Verb.CREATE and op.side is Side.ORO)

    def drop(unsent: Sequence[tuple[_Planned, Write]]) -> None:
        for (planned, _), write in unsent:
            planned.failed = True
            keeper.abandon(write.op_id)
        keeper.commit()

    def ends(result: WriteResult) -> bool:
        return why_stopped(result) is not None or (deletes and isinstance(result, EntityForbidden))

    def leaving(sent: Sequence[tuple[_Planned, Write]]) -> None:
        # How soon a create can be looked for counts from its sending; while the group before it took its time, this
        # one waited.
        now = session.clock.now()
        if now - prepared_at > _SOON:
            session.store.mark_sent([write.op_id for _, write in sent], now)

    port, prepared_at = session.sides[side], session.clock.now()
    with Stream(port, session.launch, remember=remember, drop=drop, ends=ends, leaving=leaving) as stream:
        for chunk in _chunks(group):
            session.progress(f"writing {keeper.entity}s", applied.done, total)
            applied.done += len(chunk)
            if side in applied.stopped or (deletes and keeper.forbidden):
                for planned, _ in chunk:
                    planned.failed = True
            else:
                prepared_at = session.clock.now()
                stream.send(_prepared(session, keeper, chunk))


def _prepared(session: Session, keeper: Bookkeeper, chunk: Sequence[_Planned]) -> list[tuple[_Planned, Write]]:
    """The requests, with their intents written down in one transaction."""
    made = _made_before(session, keeper.entity, [op for _, op in chunk if op.verb is Verb.CREATE])
    writes = [(planned, op, _as_write(session, planned, op, made)) for planned, op in chunk if not planned.failed]
    keeper.nothing_to_write([(planned, op) for planned, op, write in writes if write is None])
    sending = [((planned, op), write) for planned, op, write in writes if write is not None]
    if sending:
        session.store.prepare_intents([_intent(session, op, write) for (_, op), write in sending])
    else:
        keeper.commit()
    return sending


def _intent(session: Session, op: Op, write: Write) -> Intent:
    """The uid of an event travels with the op, so that recovery can look for it."""
    as_json = {**op.to_json(), "uid": write.patch.get("uid", write.op_id)}
    now = session.clock.now()
    return Intent(write.op_id, session.run, op.entity, op.side, op.verb.value, op.source_id, as_json, "sent", now)


def _made_before(session: Session, entity: Entity, creates: Sequence[Op]) -> Mapping[str, int]:
    """How often the source of each of these was created on the other side before; they are all of one side."""
    if not creates:
        return {}
    return session.store.creates_of(entity, creates[0].side.other, [str(op.source_id) for op in creates])


def _as_write(session: Session, planned: Planned, op: Op, made: Mapping[str, int]) -> Write | None:
    """The request for one op; None when the item already says what we would write. made: as of `_made_before`."""
    if op.verb is Verb.DELETE:
        return Write(session.ids.new(), "delete", op.entity, {}, planned.item_on(op.side))
    item = planned.item_on(op.side) if op.verb is Verb.UPDATE else None
    patch = lens_of(op.side, op.entity).put(op.values, item, session.context)
    if op.verb is Verb.UPDATE:
        return Write(session.ids.new(), "update", op.entity, patch, item) if patch else None
    op_id = create_id(session, op, made.get(str(op.source_id), 0))
    return Write(op_id, "create", op.entity, _identified(session, planned, op, op_id, patch))


def create_id(session: Session, op: Op, generation: int) -> str:
    """The same for every try of the same create, so that a second one cannot make a second record (R23); another one
    when what was made is gone and is made anew: Graph takes no transaction twice (graph-api.md 3.2), nor one of
    a database that was lost, of which nobody knows how many there were."""
    name = "/".join((session.endpoint + session.since, op.entity, op.side, str(op.source_id)))
    return str(uuid5(_OPS, f"{name}/{generation}"))


def _identified(session: Session, planned: Planned, op: Op, op_id: str, patch: Json) -> Json:
    """What lets a create be found again goes into the create itself (design.md 4, point 6)."""
    if op.side is Side.OUTLOOK:
        return with_stamp(patch, op.entity, str(op.oro_id), session.context, op.title)
    if op.entity is Entity.EVENT:
        source = planned.case.outlook.snapshot
        return {**patch, "uid": oro_uid(source.uid) if source is not None and source.uid else op_id}
    if op.entity is Entity.CONTACT and session.context.contact_external_id:
        return {**patch, "attributes": {**patch["attributes"], "externalId": op_id}}
    return patch


def _take_result(
    session: Session,
    keeper: Bookkeeper,
    applied: Applied,
    planned: Planned,
    op: Op,
    write: Write,
    result: WriteResult,
) -> None:
    """R24: by class of the outcome."""
    if isinstance(result, Written):
        try:
            keeper.confirm(planned, op, write, result.item)
        except RecordRefused as error:
            result = OutcomeUnknown(error.message, code=error.code)
        else:
            return
    planned.failed = True
    if (why := why_stopped(result)) is not None:
        applied.stopped.setdefault(op.side, why)
    if isinstance(result, OutcomeUnknown):
        session.busy |= {(op.entity, side, native) for side, native in planned.ids.items()}
        return  # the intent stays open, for the next run to find out
    if isinstance(result, RecordChanged) and op.verb is Verb.UPDATE:
        applied.refused.add(write.op_id)
        applied.again += 1
        return  # it stays open too: what changed the item may have been a first delivery of this very write
    keeper.abandon(write.op_id)
    if isinstance(result, (RecordChanged, RecordMissing)):
        applied.again += 1
    elif isinstance(result, EntityForbidden):
        keeper.forbidden = True
        session.failures[op.side, op.entity] = result
    elif isinstance(result, RecordRefused):
        keeper.quarantine(planned, op, result)
    elif why is None:
        raise result
