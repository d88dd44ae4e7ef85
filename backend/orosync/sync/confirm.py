"""What a run remembers of what it did: links with the shadows that each side returned, oplog, conflicts, quarantine.

Everything that belongs to one group of requests is committed in one transaction: intent closed, link and shadows, oplog
(R23 e). Rows of the journal are done when all ops of their case are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from orosync.core.canonical import same
from orosync.core.exchange import Write, WriteResult, Written
from orosync.core.fields import units_of
from orosync.core.ledger import Conflict, OplogEntry, Quarantined
from orosync.core.mapping import snapshot_of, stamp_patch
from orosync.core.ops import REPLACE, Decision, Op, Verb, said_by
from orosync.core.records import Case, Entity, Item, Link, LinkState, Record, Side, Snapshot
from orosync.core.schedule import rested
from orosync.core.scope import stamp_state, title_of
from orosync.errors import RecordChanged, RecordError, RecordRefused
from orosync.sync.arrivals import arrival_s
from orosync.sync.link_changes import LinkChanges
from orosync.sync.resolve import Work, unlinked_row
from orosync.sync.session import Session


@dataclass
class Planned:
    """A decision on its way: what the guard let pass, what waits, and the link and snapshots as they stand now."""

    work: Work
    decision: Decision
    writes: tuple[Op, ...] = ()
    held: tuple[Op, ...] = ()
    failed: bool = False
    quarantined: bool = False
    logged: bool = False
    link: Link | None = None
    latest: dict[Side, Snapshot] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Work, decision: Decision) -> Planned:
        found = {side: work.case.half(side).snapshot for side in Side}
        latest = {side: snapshot for side, snapshot in found.items() if snapshot is not None}
        return cls(work, decision, link=decision.case.link, latest=latest)

    @property
    def case(self) -> Case:
        return self.work.case

    @property
    def ids(self) -> dict[Side, str]:
        """By side, of what is there and of what was linked."""
        ids = {side: snapshot.id for side, snapshot in self.latest.items()}
        for side in Side:
            native = self.case.link.id_on(side) if self.case.link else None
            if native is not None:
                ids.setdefault(side, native)
        return ids

    def item_on(self, side: Side) -> Item | None:
        snapshot = self.latest.get(side)
        return snapshot.item if snapshot else None


@dataclass(frozen=True, slots=True)
class _Done:
    planned: Planned
    op: Op
    write: Write | None
    snapshot: Snapshot | None


class Bookkeeper:
    """Collects the results of one group and commits them together."""

    def __init__(self, session: Session, entity: Entity) -> None:
        self.session, self.entity = session, entity
        self.forbidden = False
        self._links = LinkChanges(session.store, entity)
        self._done: list[_Done] = []
        self._abandoned: list[str] = []
        self._quarantined: list[Quarantined] = []
        self._asked = {row.outlook_id for row in session.store.conflicts() if row.entity is entity}
        self._in_quarantine = {(row.side, row.id): row for row in session.store.quarantined() if row.entity is entity}

    # -------------------------------------------------------------------------------------------- our own steps

    def own_steps(self, plan: Sequence[Planned]) -> None:
        """Links, settled shadows, suspensions: nothing leaves the house."""
        with self.session.store.transaction():
            linked = 0
            for planned in plan:
                for op in planned.decision.ops:
                    linked += op.verb is Verb.LINK
                    if not op.writes or op.verb is Verb.STAMP:
                        self._own_step(planned, op)
                self._freeze(planned)
                self._close_conflicts(planned)
                asked = [each for each in planned.decision.conflicts if each.choice is None]
                if asked:
                    self._log_conflicts(planned, asked_only=True)
            refused = self._links.save()
        for each in refused:
            each.failed = True
        self.session.of(self.entity).linked += linked - len(refused)

    def _own_step(self, planned: Planned, op: Op) -> None:
        link = planned.link
        if op.verb is Verb.LINK:
            self._link(planned, op)
        elif op.verb is Verb.LEAVE:
            self._leave(planned, op)
        elif link is None:
            return
        elif op.verb is Verb.SETTLE:
            self._links.keep(planned, self._settled(planned, link, op.settles))
        elif op.verb is Verb.STAMP:
            self._links.keep(planned, replace(link, stamped=False))
        elif op.verb is Verb.BURY:
            self._bury(planned, op, link)
        elif op.verb is Verb.SUSPEND:
            # what is out of sight has no known version: when it is back, unchanged or not, that is news
            versions = {side: version for side, version in link.versions.items() if side in planned.latest}
            self._links.keep(planned, replace(link, state=LinkState.SUSPENDED, versions=versions))
        else:
            self._links.keep(planned, replace(link, state=LinkState.ACTIVE))

    def _close_conflicts(self, planned: Planned) -> None:
        """A question whose sides have come to agree, or to be gone, by themselves is not a question any more."""
        link = planned.link or planned.case.link
        if link is None or link.outlook_id not in self._asked:
            return
        still = planned.decision.conflicts or (planned.link is not None and link.frozen_fields)
        if not still and not planned.decision.retry:
            self.session.store.drop_open_conflicts(self.entity, link.outlook_id, link.oro_id)

    def _freeze(self, planned: Planned) -> None:
        frozen = tuple(each.unit for each in planned.decision.conflicts if each.rule == "frozen")
        if frozen and planned.link is not None:
            names = tuple(sorted({*planned.link.frozen_fields, *frozen}))
            self._links.keep(planned, replace(planned.link, frozen_fields=names))

    def _link(self, planned: Planned, op: Op) -> None:
        outlook, oro = planned.latest[Side.OUTLOOK], planned.latest[Side.ORO]
        stamped = stamp_state(outlook, oro)
        link = Link(0, self.entity, outlook.id, oro.id, uid=outlook.uid or oro.uid, stamped=stamped)
        self._links.keep(planned, self._settled(planned, link, op.settles))

    def _leave(self, planned: Planned, op: Op) -> None:
        left = self.session.of(self.entity).left
        left[op.rule] = left.get(op.rule, 0) + 1
        snapshot = planned.latest.get(op.side)
        if planned.link is None and snapshot is not None:
            self._links.leave(unlinked_row(self.session, snapshot, op.reason))

    def _bury(self, planned: Planned, op: Op, link: Link) -> None:
        self._links.end(planned, replace(link, state=LinkState.TOMBSTONE))
        for snapshot in planned.latest.values():
            self._links.leave(unlinked_row(self.session, snapshot, op.reason))

    def _settled(self, planned: Planned, link: Link, units: Iterable[str]) -> Link:
        """The shadows of `units` become what each side holds now."""
        units = tuple(units)
        names = [each.name for unit in units for each in units_of(self.entity)[unit]]
        shadows: dict[Side, Record] = {}
        for side in Side:
            snapshot = planned.latest.get(side)
            agreed = {name: snapshot.record[name] for name in names} if snapshot else {}
            shadows[side] = {**link.shadows.get(side, {}), **agreed}
        versions = {**link.versions, **{side: snapshot.version for side, snapshot in planned.latest.items()}}
        frozen = tuple(name for name in link.frozen_fields if name not in set(units))
        return replace(link, shadows=shadows, versions=versions, frozen_fields=frozen)

    # -------------------------------------------------------------------------------------------- results

    def confirm(self, planned: Planned, op: Op, write: Write, item: Item | None) -> None:
        """Raises RecordRefused for an answer that cannot be understood: what became of the write is not known then."""
        snapshot = None if item is None else snapshot_of(op.side, self.entity, item, self.session.context)
        self._done.append(_Done(planned, op, write, snapshot))

    def nothing_to_write(self, ops: Iterable[tuple[Planned, Op]]) -> None:
        """The item says already what we would write: the shadows move as if we had written it."""
        self._done.extend(_Done(planned, op, None, planned.latest.get(op.side)) for planned, op in ops)

    def abandon(self, op_id: str) -> None:
        self._abandoned.append(op_id)

    def quarantine(self, planned: Planned, op: Op, error: RecordError) -> None:
        """R26: by the id whose change could not be carried over, with back-off."""
        planned.quarantined = True
        side = op.side.other if op.side.other in planned.latest else op.side
        snapshot = planned.latest[side]
        now = self.session.clock.now()
        failed = Quarantined(
            side, self.entity, snapshot.id, snapshot.version, error.code, error.message, 1, first_at=now, next_try=now
        )
        row = rested(failed, self._in_quarantine.get((side, snapshot.id)), now)
        self._quarantined.append(row)
        self._in_quarantine[side, snapshot.id] = row

    def commit(self) -> None:
        """One transaction for the whole group."""
        store = self.session.store
        with store.transaction():
            entries = [self._remember(each) for each in self._done]
            if self._links.save():
                raise RecordChanged(
                    f"One half of the {self.entity} is linked to another record already.", code="linked"
                )
            store.add_oplog([entry for entry in entries if entry is not None])
            confirmed = [each.write.op_id for each in self._done if each.write is not None]
            store.close_intents([*confirmed, *self._abandoned])
            for row in self._quarantined:
                store.quarantine(row)
        self._done, self._abandoned, self._quarantined = [], [], []

    def _remember(self, done: _Done) -> OplogEntry | None:
        planned, op, snapshot = done.planned, done.op, done.snapshot
        if op.verb is Verb.DELETE:
            self._remember_delete(planned, op)
        elif snapshot is not None:
            before = planned.latest.get(op.side)
            planned.latest[op.side] = self._as_planned(op, before, snapshot) if before is not None else snapshot
            self._remember_write(planned, op)
        if not planned.logged:
            self._log_conflicts(planned, asked_only=False)
            planned.logged = True
        if done.write is None:
            return None
        self._count(planned, op)
        return self._entry(planned, op, done.write)

    def _as_planned(self, op: Op, before: Snapshot, after: Snapshot) -> Snapshot:
        """What came back, with those fields as they were that somebody changed between our reading and our write: they
        are no part of what was agreed. The feed would take them for our own echo, so they are noted to be looked at."""
        others = {
            name: value
            for name, value in before.record.items()
            if name not in op.values and not same(self.entity, name, value, after.record[name])
        }
        if not others:
            return after
        self.session.store.note_seen(op.side, self.entity, [after.id])
        return replace(after, record={**after.record, **others})

    def _remember_write(self, planned: Planned, op: Op) -> None:
        link = planned.link
        if op.verb is Verb.CREATE:
            ids = {side: snapshot.id for side, snapshot in planned.latest.items()}
            source = planned.latest.get(op.side.other)
            stamped = True if op.side is Side.OUTLOOK else self._to_be_stamped(source)
            uid = next((each.uid for each in planned.latest.values() if each.uid), None)
            fresh = Link(0, self.entity, ids[Side.OUTLOOK], ids[Side.ORO], uid=uid, stamped=stamped)
            if link is not None:
                fresh = replace(fresh, id=link.id)
            self._links.keep(planned, self._settled(planned, fresh, op.settles))
        elif link is not None:
            self._links.keep(planned, self._settled(planned, link, op.settles))

    @staticmethod
    def _to_be_stamped(outlook: Snapshot | None) -> bool | None:
        return None if outlook is None or outlook.attendees or not outlook.organiser else False

    def _remember_delete(self, planned: Planned, op: Op) -> None:
        store, link = self.session.store, planned.link
        if link is None:
            return
        if op.rule == REPLACE:
            store.drop_link(link.id)
            planned.link = None
            planned.latest.pop(Side.OUTLOOK, None)
            store.note_seen(Side.ORO, self.entity, [str(link.oro_id)])
        else:
            self._links.end(planned, replace(link, state=LinkState.TOMBSTONE))

    def _release(self, planned: Planned) -> None:
        """It is dealt with: written, in step by itself, left alone or gone."""
        for side, native in planned.ids.items():
            if self._in_quarantine.pop((side, native), None) is not None:
                self.session.store.release(side, self.entity, native)

    def _count(self, planned: Planned, op: Op) -> None:
        counts = self.session.of(self.entity)
        by_verb = {Verb.CREATE: counts.created, Verb.UPDATE: counts.updated, Verb.DELETE: counts.deleted}
        by_verb[op.verb][op.side] += 1
        took_s = arrival_s(planned.case, op.side, self.session.clock.now()) if self._measured else None
        if took_s is not None and op.verb is not Verb.DELETE:
            self.session.arrivals.append((op.side, took_s))

    @cached_property
    def _measured(self) -> bool:
        """What a first sync brings over may have changed years ago."""
        return self.session.first_done(self.entity) and not self.session.request.resync

    def _entry(self, planned: Planned, op: Op, write: Write) -> OplogEntry:
        ids = planned.ids
        snapshot = planned.latest.get(op.side)
        after = None if snapshot is None else {name: snapshot.record[name] for name in op.values}
        deleted = op.verb is Verb.DELETE
        return OplogEntry(
            op_id=write.op_id,
            run=self.session.run,
            at=self.session.clock.now(),
            entity=self.entity,
            side=op.side,
            verb=op.verb.value,
            outlook_id=ids.get(Side.OUTLOOK) or op.outlook_id,
            oro_id=ids.get(Side.ORO) or op.oro_id,
            rule=op.rule,
            reason=op.reason,
            before=dict(op.before) if op.verb is not Verb.CREATE else None,
            after=None if deleted else after,
            mails=op.mails,
            overwrites=op.overwrites,
            approved=self.session.approved or (bool(self.session.agreed) and said_by(op) in self.session.agreed),
            body_before=write.item.body if deleted and write.item is not None else None,
        )

    def _log_conflicts(self, planned: Planned, *, asked_only: bool) -> None:
        store, ids = self.session.store, planned.ids
        chosen = [each for each in planned.decision.conflicts if (each.choice is None) == asked_only]
        if not chosen:
            return
        units = [each.unit for each in chosen]  # what is asked of other units stays asked
        store.drop_open_conflicts(self.entity, ids.get(Side.OUTLOOK), ids.get(Side.ORO), units)
        store.add_conflicts(
            Conflict(
                entity=self.entity,
                outlook_id=ids.get(Side.OUTLOOK),
                oro_id=ids.get(Side.ORO),
                field=each.unit,
                base=dict(each.base),
                outlook=dict(each.outlook),
                oro=dict(each.oro),
                rule=each.rule,
                choice=each.choice.value if each.choice else None,
                at=self.session.clock.now(),
                run=self.session.run,
            )
            for each in chosen
        )
        self.session.of(self.entity).conflicts += len(chosen)

    # -------------------------------------------------------------------------------------------- stamps

    def items_of(self, plan: Sequence[Planned]) -> dict[str, Item]:
        """Outlook items that this run has at hand, by id, as they are after its writes."""
        snapshots = (planned.latest.get(Side.OUTLOOK) for planned in plan)
        return {each.id: each.item for each in snapshots if each is not None and each.item is not None}

    def stamp_write(self, link: Link, item: Item) -> Write:
        snapshot = snapshot_of(Side.OUTLOOK, self.entity, item, self.session.context)
        patch = stamp_patch(self.entity, str(link.oro_id), self.session.context, title_of(snapshot))
        return Write(self.session.ids.new(), "update", self.entity, patch, item)

    def stamped(self, results: Sequence[tuple[Link, WriteResult]]) -> None:
        """A stamp that is refused is not tried again: it is a hint, never the identity."""
        stamped: list[Link] = []
        with self.session.store.transaction():
            for link, result in results:
                if isinstance(result, Written) and result.item is not None:
                    versions: Mapping[Side, str] = {**link.versions, Side.OUTLOOK: result.item.version}
                    stamped.append(replace(link, stamped=True, versions=versions))
                elif isinstance(result, RecordRefused):
                    stamped.append(replace(link, stamped=None))
            self.session.store.stamp_links(stamped)

    # -------------------------------------------------------------------------------------------- the end

    def finish(self, plan: Sequence[Planned]) -> None:
        """Journal rows of cases that are dealt with; the others stay for the next pass or run."""
        counts = self.session.of(self.entity)
        done: list[int] = []
        for planned in plan:
            waits = planned.decision.retry or planned.held or (planned.failed and not planned.quarantined)
            if not waits:
                done.extend(planned.work.rows)
                if not planned.quarantined:
                    self._release(planned)
            counts.waiting += bool(planned.decision.retry)
            quiet = not planned.writes and not planned.held and not planned.decision.retry
            counts.unchanged += quiet and planned.case.link is not None
            counts.held += len(planned.held)
            counts.quarantined += planned.quarantined
        self.session.store.journal_done(done)
