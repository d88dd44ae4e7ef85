"""Before anything else, a run finds out what became of writes whose answer never came (R25).

A create that is found is adopted, with link and shadows as if the answer had come; one that is not there is sent again
by ordinary planning, with the same op id. An update or deletion that was carried out gets its place in the oplog, so
that what it replaced is not forgotten; else it is planned again. Too early to tell: the record waits. Nothing is ever
sent blindly a second time.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from orosync.core.canonical import same
from orosync.core.exchange import Found, Lookup, NotReadable, NotThere
from orosync.core.fields import units_of
from orosync.core.ledger import Intent, OplogEntry
from orosync.core.mapping import lens_of, snapshot_of
from orosync.core.ops import REPLACE, Op, Verb
from orosync.core.records import Entity, Link, LinkState, Record, Side, Snapshot
from orosync.core.recovery import Adopt, Wait, half_way, recover_create
from orosync.errors import EntityForbidden, RecordChanged, RecordMissing, RecordRefused
from orosync.sync.session import Session
from orosync.sync.taken_back import is_step, remember_step

_MARGIN = timedelta(minutes=2)  # clocks of two machines
_OUT_OF_SIGHT = timedelta(days=1)  # after that nobody waits any more to see what became of a write


def recover(session: Session, refused: Container[str] | None = None) -> None:
    """Records that have to wait are put into `session.busy`. refused: only these ops; their side told that the item was
    changed since it was read, which may have been done by the same write, when the network delivered it twice."""
    for intent in session.store.open_intents():
        if refused is not None and intent.op_id not in refused:
            continue
        op = Op.from_json(intent.op)
        find_out = _recover_create if op.verb is Verb.CREATE else _recover_change
        try:
            known = find_out(session, intent, op)
        except EntityForbidden as error:
            session.failures[op.side, op.entity] = error
            known = False
        except RecordRefused:  # it is described in a form that nobody understands: what became of it cannot be told
            known = False
        if not known:
            ids = {Side.OUTLOOK: op.outlook_id, Side.ORO: op.oro_id}
            session.busy |= {(op.entity, side, native) for side, native in ids.items() if native is not None}


def _recover_change(session: Session, intent: Intent, op: Op) -> bool:
    """True if the outcome is known now. What was not carried out, or was changed again since, is planned again."""
    native = str(op.target_id)
    port = session.sides[op.side]
    reading = port.read(op.entity, [native])[native]
    left: Snapshot | None = None
    if isinstance(reading, NotReadable):
        return False
    if isinstance(reading, NotThere):
        if reading.forbidden and session.clock.now() - (intent.sent_at or session.clock.now()) < _OUT_OF_SIGHT:
            return False
        done = op.verb is Verb.DELETE and not reading.forbidden
        if done and not port.canary():
            return False
    else:
        left = snapshot_of(op.side, op.entity, reading.item, session.context)
        now = left.record
        done = op.verb is Verb.UPDATE and all(same(op.entity, *each, now[each[0]]) for each in op.values.items())
    with session.store.transaction():
        if done and is_step(intent):
            remember_step(session, intent, op, left)
        elif done:
            session.store.add_oplog([found_entry(session, intent, op, op.values if op.verb is Verb.UPDATE else None)])
            if op.verb is Verb.DELETE:
                _bury(session, op)
            elif left is not None:
                _settle(session, op, left)
        elif left is not None and op.verb is Verb.UPDATE and not is_step(intent):
            _keep_part(session, intent, op, left)
        session.store.close_intent(intent.op_id, "confirmed" if done else "abandoned")
    return True


def _bury(session: Session, op: Op) -> None:
    """As if the answer had come: an item that was to be replaced is no deletion by anybody, and is created anew."""
    link = session.store.links_by_id(op.side, op.entity, [str(op.target_id)]).get(str(op.target_id))
    if link is None:
        return
    if op.rule == REPLACE:
        session.store.drop_link(link.id)
        session.store.note_seen(op.side.other, op.entity, [str(link.id_on(op.side.other))])
    else:
        session.store.update_link(replace(link, state=LinkState.TOMBSTONE))


def _keep_part(session: Session, intent: Intent, op: Op, left: Snapshot) -> None:
    """Of an update only some fields stand: it was carried out, and the others were edited since, or were to follow with
    a second request. What the ones that stand have replaced must not be forgotten. A status that stands half way is
    ours too, and the ground on which the rest of its way is planned."""
    stands = {**op.values, **half_way(op, left.record)}
    ours = {name for name, value in stands.items() if same(op.entity, name, value, left.record[name])}
    ours -= {name for name in ours if same(op.entity, name, op.before.get(name), left.record[name])}
    if ours:
        values, before = ({name: each[name] for name in ours if name in each} for each in (stands, op.before))
        part = replace(op, values=values, before=before)
        session.store.add_oplog([found_entry(session, intent, part, values)])
        _settle(session, part, left)


def _settle(session: Session, op: Op, left: Snapshot) -> None:
    """As if the answer had come: what we wrote is no edit by anybody. The source's half is what was sent, or where it
    still stands, what the source has of it."""
    link = session.store.links_by_id(op.side, op.entity, [str(op.target_id)]).get(str(op.target_id))
    names = [each.name for unit in op.settles for each in units_of(op.entity)[unit] if each.name in op.values]
    if link is None or not names:
        return
    source = _source(session, op)
    told = {name: op.values[name] for name in names}
    if source is not None:
        held = lens_of(op.side, op.entity).representable(source.record, session.context)
        told |= {name: source.record[name] for name in names if same(op.entity, name, held[name], told[name])}
    written = {name: left.record[name] for name in names}
    agreed = {op.side: written, op.side.other: told}
    shadows = {side: {**link.shadows.get(side, {}), **agreed[side]} for side in Side}
    session.store.update_link(replace(link, shadows=shadows))


def _recover_create(session: Session, intent: Intent, op: Op) -> bool:
    """True if the outcome is known now."""
    sent_at = intent.sent_at or session.clock.now()
    candidates, exact = _candidates(session, intent, op, sent_at)
    found = recover_create(op, candidates, sent_at, session.clock.now(), session.context, exact=exact)
    if isinstance(found, Wait):
        return False
    if isinstance(found, Adopt):
        with suppress(RecordChanged, RecordMissing), session.store.transaction():  # it was linked otherwise since
            if is_step(intent):
                remember_step(session, intent, op, found.snapshot)
                return True
            _adopt(session, intent, op, found.snapshot)
            session.store.close_intent(intent.op_id, "confirmed")
            return True
    session.store.close_intent(intent.op_id, "abandoned")
    return True


def _candidates(session: Session, intent: Intent, op: Op, sent_at: datetime) -> tuple[list[Snapshot], bool]:
    """Unlinked items that the create may have made, oldest first; exact if found by an id only we can have set."""
    lookup = _lookup(session, intent, op, sent_at)
    items = session.sides[op.side].find(lookup)
    linked = session.store.links_by_id(op.side, op.entity, [item.id for item in items])
    snapshots = [snapshot_of(op.side, op.entity, each, session.context) for each in items if each.id not in linked]
    return snapshots, lookup.since is None


def _lookup(session: Session, intent: Intent, op: Op, sent_at: datetime) -> Lookup:
    if op.side is Side.OUTLOOK:
        return Lookup(op.entity, intent.op_id, stamp=op.oro_id)
    if op.entity is Entity.EVENT:
        return Lookup(op.entity, intent.op_id, uid=str(intent.op["uid"]))
    if op.entity is Entity.CONTACT and session.context.contact_external_id:
        return Lookup(op.entity, intent.op_id, external_id=intent.op_id)
    return Lookup(op.entity, intent.op_id, since=sent_at - _MARGIN)


def _adopt(session: Session, intent: Intent, op: Op, made: Snapshot) -> None:
    """Link what was made with its source as it is now; a difference since then is an ordinary change to be planned."""
    store = session.store
    ids = {op.side: made.id, op.side.other: str(op.source_id)}
    source = _source(session, op)
    sent = {name: op.values.get(name) for name in made.record}
    names = [each.name for unit in op.settles for each in units_of(op.entity)[unit]]
    shadows = {
        op.side: {name: made.record[name] for name in names},
        op.side.other: {name: (source.record if source else sent)[name] for name in names},
    }
    if source is not None and _moved_on(session, op, source):
        shadows[op.side.other] = {name: sent[name] for name in names}
    held = lens_of(op.side, op.entity).representable({**made.record, **sent}, session.context)
    for name in names:
        if made.record[name] != held[name]:  # a second step of the create is missing: to be planned as a change
            shadows[op.side.other][name] = made.record[name]
    stamped = True if op.side is Side.OUTLOOK else None if source is None or source.attendees else False
    link = Link(op.link_id or 0, op.entity, ids[Side.OUTLOOK], ids[Side.ORO], shadows=shadows, stamped=stamped)
    link = replace(link, uid=made.uid or (source.uid if source else None))
    if op.link_id:
        store.update_link(link)
    else:
        store.add_link(link)
    for side, native in ids.items():
        store.drop_unlinked(side, op.entity, [native])
    after = {name: made.record[name] for name in op.values}
    made_op = replace(op, outlook_id=link.outlook_id, oro_id=link.oro_id, rule="adopted")
    store.add_oplog([found_entry(session, intent, made_op, after)])


def _source(session: Session, op: Op) -> Snapshot | None:
    side, native = op.side.other, str(op.source_id)
    reading = session.sides[side].read(op.entity, [native])[native]
    if not isinstance(reading, Found):
        return None
    return snapshot_of(side, op.entity, reading.item, session.context)


def _moved_on(session: Session, op: Op, source: Snapshot) -> bool:
    """The source was edited after we read it for this create: what was sent is then the base, not what it says now."""
    held = lens_of(op.side, op.entity).representable(source.record, session.context)
    return any(held[name] != value for name, value in op.values.items())


def found_entry(session: Session, intent: Intent, op: Op, after: Record | None) -> OplogEntry:
    """What the oplog has of an op whose answer was lost."""
    return OplogEntry(
        op_id=intent.op_id,
        run=intent.run,
        at=session.clock.now(),
        entity=op.entity,
        side=op.side,
        verb=op.verb.value,
        outlook_id=op.outlook_id,
        oro_id=op.oro_id,
        rule=op.rule,
        reason=f"{op.reason}; found again after its answer was lost",
        before=None if op.verb is Verb.CREATE else dict(op.before),
        after=None if after is None else dict(after),
        mails=op.mails,
        overwrites=op.overwrites,
    )
