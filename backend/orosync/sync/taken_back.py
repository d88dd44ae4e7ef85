"""What is remembered of one step of an undo, whether its answer came at once or the step was found done later.

Every step is written down as an intent before it is sent, like any other op; the entry that it takes back is named in
it, so that the next run, or the next undo, finds out what became of it.
"""

from __future__ import annotations

from dataclasses import replace

from orosync.core.canonical import same
from orosync.core.ledger import Intent, OplogEntry, Unlinked
from orosync.core.ops import Op, Verb
from orosync.core.records import Link, LinkState, Side, Snapshot
from orosync.sync.session import Session

_UNDOES = "undoes"
_DONE_BACK = "a run that was undone; it is left alone"


def step_intent(session: Session, op: Op, op_id: str, undoes: str) -> Intent:
    """undoes: id of the op that is taken back."""
    as_json = {**op.to_json(), "uid": op_id, _UNDOES: undoes}
    now = session.clock.now()
    return Intent(op_id, session.run, op.entity, op.side, op.verb.value, op.source_id, as_json, "sent", now)


def is_step(intent: Intent) -> bool:
    """The intent is a step of an undo."""
    return _UNDOES in intent.op


def remember_step(session: Session, intent: Intent, op: Op, snapshot: Snapshot | None) -> None:
    """The shadow follows what was put back, so that nothing travels because of it; a removed item's pair is buried.
    snapshot: what the step left, None after a deletion."""
    store = session.store
    with store.transaction():
        link = _link(session, op)
        if link is not None and op.verb is Verb.DELETE:
            store.update_link(replace(link, state=LinkState.TOMBSTONE))
            _leave_alone(session, op, link)
        elif link is not None and snapshot is not None:
            _follow(session, op, link, snapshot)
        elif snapshot is not None:
            row = Unlinked(op.side, op.entity, snapshot.id, snapshot.version, why=_DONE_BACK)
            store.save_unlinked([row])
        store.mark_undone(str(intent.op[_UNDOES]), intent.run)
        store.add_oplog([_entry(session, intent, op, snapshot.id if snapshot else None)])
        store.close_intent(intent.op_id, "confirmed")


def _follow(session: Session, op: Op, link: Link, snapshot: Snapshot) -> None:
    """Fields that a person changed meanwhile are no part of what was put back: the feed would take them for our own
    echo, so they are noted to be looked at."""
    shadow = dict(link.shadows.get(op.side, {}))
    news = [
        name
        for name, value in shadow.items()
        if name not in op.values and not same(op.entity, name, value, snapshot.record[name])
    ]
    shadow |= {name: snapshot.record[name] for name in op.values if name in shadow}
    versions = {**link.versions, op.side: snapshot.version}
    session.store.update_link(replace(link, shadows={**link.shadows, op.side: shadow}, versions=versions))
    if news:
        session.store.note_seen(op.side, op.entity, [snapshot.id])


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


def _entry(session: Session, intent: Intent, op: Op, made: str | None) -> OplogEntry:
    return OplogEntry(
        op_id=intent.op_id,
        run=intent.run,
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
