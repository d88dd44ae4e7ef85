"""Journal rows into cases: what was reported is read by id on both sides, mapped and paired (R6, R13).

Nothing is written to either system.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orosync.core.canonical import content_digest, match_key
from orosync.core.ledger import JournalRow, Unlinked
from orosync.core.pairing import Candidate, oro_uid, pair_records
from orosync.core.records import (
    ABSENT,
    GONE,
    UNREADABLE,
    Case,
    Entity,
    Half,
    Item,
    Link,
    Presence,
    Side,
    Snapshot,
)
from orosync.core.scope import SPARE
from orosync.core.settings import SyncDirection
from orosync.sync.halves import FORBIDDEN, MALFORMED, Canary, as_half, note_unread, read_by_id, readings
from orosync.sync.session import Session


@dataclass(frozen=True, slots=True)
class Work:
    """A case and the journal rows that it will have dealt with."""

    case: Case
    rows: tuple[int, ...] = ()


@dataclass
class Resolved:
    """cases: to be planned. void: rows that concern nobody. forget: alone records that are gone."""

    work: list[Work] = field(default_factory=list)
    void: list[int] = field(default_factory=list)
    forget: dict[Side, list[str]] = field(default_factory=lambda: {side: [] for side in Side})


def resolve(session: Session, entity: Entity) -> Resolved:
    """All pending rows of one entity, and the quarantined records whose time has come.

    Records with a write of unknown outcome (`session.busy`) wait, on both sides.
    """
    rows = _rows_by_id(session, entity)
    links = _links_of(session, entity, rows)
    _set_aside_busy(session, entity, rows, links)
    halves = _read(session, entity, rows, links)
    _follow_moved(session, entity, links, halves)
    resolved = Resolved()
    linked: set[tuple[Side, str]] = set()
    for link in links.values():
        ids = {(side, native) for side in Side if (native := link.id_on(side)) is not None}
        linked |= ids
        outlook, oro = _half(halves, Side.OUTLOOK, link), _half(halves, Side.ORO, link)
        if MALFORMED is outlook or MALFORMED is oro:
            resolved.void.extend(_seqs(rows, ids))
        else:
            resolved.work.append(Work(Case(entity, outlook, oro, link), _seqs(rows, ids)))
    unlinked = [key for key in rows if key not in linked]
    note_unread(session, entity, [key for key in unlinked if halves[key] is UNREADABLE or halves[key] is FORBIDDEN])
    waiting = [key for key in unlinked if halves[key] is FORBIDDEN and (key[0], entity) in session.unread]
    alone = {key: found for key in unlinked if key not in waiting and (found := _alone(key, rows, halves, resolved))}
    for key in [key for key, found in alone.items() if (entity, Side.ORO, found.stamp) in session.busy]:
        session.of(entity).waiting += 1  # it is what a create of unknown outcome made
        del alone[key]
    _pair_alone(session, entity, alone, rows, resolved)
    return resolved


Key = tuple[Side, str]


def _rows_by_id(session: Session, entity: Entity) -> dict[Key, list[JournalRow]]:
    """Pending rows by id; quarantined records that are due join with a row of their own (seq 0)."""
    rows: dict[Key, list[JournalRow]] = defaultdict(list)
    for row in session.store.pending(entity):
        rows[row.side, row.id].append(row)
    now = session.clock.now()
    for held in session.store.quarantined():
        if held.entity is entity and held.next_try <= now and (held.side, held.id) not in rows:
            rows[held.side, held.id].append(JournalRow(0, held.side, entity, held.id, held.version, "seen"))
    return rows


def _set_aside_busy(
    session: Session, entity: Entity, rows: dict[Key, list[JournalRow]], links: dict[int, Link]
) -> None:
    busy = {(side, native) for which, side, native in session.busy if which is entity}
    for link in list(links.values()):
        halves = {(side, native) for side in Side if (native := link.id_on(side)) is not None}
        if halves & busy:
            busy |= halves
            del links[link.id]
    for key in [key for key in rows if key in busy]:
        session.of(entity).waiting += 1
        del rows[key]


def _seqs(rows: Mapping[Key, Sequence[JournalRow]], keys: Iterable[Key]) -> tuple[int, ...]:
    return tuple(row.seq for key in keys for row in rows.get(key, ()) if row.seq)


def _links_of(session: Session, entity: Entity, rows: Mapping[Key, Sequence[JournalRow]]) -> dict[int, Link]:
    links: dict[int, Link] = {}
    for side in Side:
        ids = [native for where, native in rows if where is side]
        links |= {link.id: link for link in session.store.links_by_id(side, entity, ids).values()}
    return links


def _read(
    session: Session, entity: Entity, rows: Mapping[Key, Sequence[JournalRow]], links: Mapping[int, Link]
) -> dict[Key, Half]:
    """Both halves of every link that was reported, and every reported id without link."""
    wanted: dict[Side, dict[str, Item | None]] = {side: {} for side in Side}
    for (side, native), entries in rows.items():
        newest = entries[-1]
        fresh = newest.item if newest.seq > session.journaled_before and newest.kind == "seen" else None
        wanted[side][native] = fresh
    for link in links.values():
        for side in Side:
            other = link.id_on(side)
            if other is not None:
                wanted[side].setdefault(other, None)
    halves: dict[Key, Half] = {}
    for side in Side:
        found = readings(session, entity, side, wanted[side])
        canary = Canary(session, side)
        for native, reading in found.items():
            halves[side, native] = as_half(session, entity, side, reading, canary)
    return halves


def _follow_moved(session: Session, entity: Entity, links: dict[int, Link], halves: dict[Key, Half]) -> None:
    """An unlinked Outlook item whose stamp names a linked record, the former item of which is gone: the same record
    under a new id (a task moved between lists, an item exported and imported; graph-api.md section 8)."""
    linked = {link.outlook_id for link in links.values()}
    stamped = {
        half.snapshot.stamp: native
        for (side, native), half in sorted(halves.items())
        if side is Side.OUTLOOK and native not in linked and half.snapshot is not None and half.snapshot.stamp
    }
    for oro_id, link in session.store.links_by_id(Side.ORO, entity, stamped).items():
        for side in Side:
            native = link.id_on(side)
            if native is not None and (side, native) not in halves:
                reading = session.sides[side].read(entity, [native])[native]
                halves[side, native] = as_half(session, entity, side, reading, Canary(session, side))
        if _half(halves, Side.OUTLOOK, link) is GONE:
            links[link.id] = replace(link, outlook_id=stamped[oro_id])


def _half(halves: Mapping[Key, Half], side: Side, link: Link) -> Half:
    native = link.id_on(side)
    return halves.get((side, native), UNREADABLE) if native is not None else GONE


def _alone(
    key: Key, rows: Mapping[Key, Sequence[JournalRow]], halves: Mapping[Key, Half], resolved: Resolved
) -> Snapshot | None:
    """The snapshot of an unlinked id that is there; others are forgotten, or wait if they could not be read."""
    half = halves[key]
    if half.snapshot is not None:
        return half.snapshot
    if half is MALFORMED:
        resolved.void.extend(_seqs(rows, [key]))
    elif half is not UNREADABLE:
        resolved.void.extend(_seqs(rows, [key]))
        resolved.forget[key[0]].append(key[1])
    return None


# ------------------------------------------------------------------------------------------------ pairing


def candidate_of(snapshot: Snapshot, fields: tuple[str, ...]) -> Candidate:
    """A private record that nobody has read is empty, and matches nothing."""
    return Candidate(
        id=snapshot.id,
        match_key=match_key(snapshot.entity, snapshot.record, fields),
        stamp=snapshot.stamp,
        uid=snapshot.uid,
        digest=content_digest(dict(snapshot.record)),
    )


def _pair_alone(
    session: Session,
    entity: Entity,
    alone: Mapping[Key, Snapshot],
    rows: Mapping[Key, Sequence[JournalRow]],
    resolved: Resolved,
) -> None:
    fields = session.settings.match_keys[entity]
    candidates: dict[Side, dict[str, Candidate]] = {side: {} for side in Side}
    for (side, native), snapshot in alone.items():
        candidates[side][native] = candidate_of(snapshot, fields)
    _add_known(session, entity, candidates)
    pairing = pair_records(
        candidates[Side.OUTLOOK].values(), candidates[Side.ORO].values(), by_key=_matches_by_key(session, entity)
    )
    partners = _partners(
        session,
        entity,
        alone,
        {(Side.OUTLOOK, p.outlook_id) for p in pairing.pairs} | {(Side.ORO, p.oro_id) for p in pairing.pairs},
    )
    paired: set[Key] = set()
    for pair in pairing.pairs:
        keys = ((Side.OUTLOOK, pair.outlook_id), (Side.ORO, pair.oro_id))
        outlook, oro = (partners[key] for key in keys)
        if Presence.UNREADABLE in (outlook.presence, oro.presence):
            session.of(entity).waiting += 1  # a match that cannot be read now: both stay as they are
            paired |= set(keys)
        elif outlook.snapshot is not None and oro.snapshot is not None:
            paired |= set(keys)
            case = Case(entity, outlook, oro, how=pair.how, candidates=pair.candidates)
            resolved.work.append(Work(case, _seqs(rows, keys)))
    spares = {(Side.OUTLOOK, each) for each in pairing.spare_outlook} | {(Side.ORO, each) for each in pairing.spare_oro}
    _add_alone(session, entity, {k: v for k, v in alone.items() if k not in paired}, spares, rows, resolved)


def _matches_by_key(session: Session, entity: Entity) -> bool:
    """In the direction Outlook to OroCRM a new record is made instead, but for first sync, resync and the option."""
    if session.settings.sync_direction is not SyncDirection.OUTLOOK_TO_ORO or session.settings.match_before_create:
        return True
    return session.request.resync or not session.first_done(entity)


def _add_known(session: Session, entity: Entity, candidates: dict[Side, dict[str, Candidate]]) -> None:
    """Records that were left alone in former runs and match one of those just read."""
    for side in Side:
        news = list(candidates[side.other].values())
        known = session.store.unlinked_matching(
            side,
            entity,
            ids=[each.stamp for each in news if each.stamp] if side is Side.ORO else (),
            keys=[each.match_key for each in news if each.match_key],
            uids=[uid for each in news if each.uid for uid in (each.uid, oro_uid(each.uid))],
            stamps=[each.id for each in news] if side is Side.OUTLOOK else (),
        )
        for row in known:
            candidates[side].setdefault(row.id, Candidate(row.id, row.match_key, row.stamp, row.uid))


def _partners(session: Session, entity: Entity, alone: Mapping[Key, Snapshot], paired: set[Key]) -> dict[Key, Half]:
    """Both halves of each pair; partners known from former runs are read now."""
    halves = {key: Half.of(snapshot) for key, snapshot in alone.items()}
    for side in Side:
        unread = sorted(native for where, native in paired if where is side and (where, native) not in alone)
        canary = Canary(session, side)
        for native, reading in (read_by_id(session, entity, side, unread) if unread else {}).items():
            halves[side, native] = as_half(session, entity, side, reading, canary)
    return halves


def _add_alone(
    session: Session,
    entity: Entity,
    alone: Mapping[Key, Snapshot],
    spares: set[Key],
    rows: Mapping[Key, Sequence[JournalRow]],
    resolved: Resolved,
) -> None:
    buried: dict[Side, Mapping[str, Link]] = {
        side: session.store.tombstones(entity, side, [native for where, native in alone if where is side])
        for side in Side
    }
    before = _spares_before(session, entity, alone)
    spares = spares | _copies_of_linked(session, entity, alone)
    fields = session.settings.match_keys[entity]
    for key, snapshot in alone.items():
        side, native = key
        if (side.other, entity) in session.unread and key not in spares:
            session.of(entity).waiting += 1  # its partner may be one that nobody could read
            continue
        spare = key in spares or before.get(key, "") == candidate_of(snapshot, fields).match_key
        case = Case(
            entity,
            Half.of(snapshot) if side is Side.OUTLOOK else ABSENT,
            Half.of(snapshot) if side is Side.ORO else ABSENT,
            spare=spare,
            tombstone=native in buried[side],
        )
        resolved.work.append(Work(case, _seqs(rows, [key])))


def _spares_before(session: Session, entity: Entity, alone: Mapping[Key, Snapshot]) -> dict[Key, str | None]:
    """Match keys of those that were spares in a former run: they stay so while their key stays."""
    return {
        (side, row.id): row.match_key
        for side in Side
        for row in session.store.unlinked_matching(
            side, entity, ids=[native for where, native in alone if where is side]
        )
        if row.why == SPARE[1] and row.match_key is not None
    }


def _copies_of_linked(session: Session, entity: Entity, alone: Mapping[Key, Snapshot]) -> set[Key]:
    """Outlook items that a user copied from a linked one: the stamp came along. While they say the same by their match
    key, or in all, they are left alone; a copy that was made into another record is one."""
    stamped = {
        key: snapshot for key, snapshot in alone.items() if key[0] is Side.OUTLOOK and snapshot.stamp is not None
    }
    originals = session.store.links_by_id(Side.ORO, entity, {str(each.stamp) for each in stamped.values()})
    fields, copies = session.settings.match_keys[entity], set()
    for key, snapshot in stamped.items():
        link = originals.get(str(snapshot.stamp))
        shadow = link.shadows.get(Side.OUTLOOK) if link is not None else None
        if shadow and (
            match_key(entity, shadow, fields) == (candidate_of(snapshot, fields).match_key or "none")
            or all(snapshot.record[name] == value for name, value in shadow.items())
        ):
            copies.add(key)
    return copies


def unlinked_row(session: Session, snapshot: Snapshot, why: str) -> Unlinked:
    candidate = candidate_of(snapshot, session.settings.match_keys[snapshot.entity])
    return Unlinked(
        side=snapshot.side,
        entity=snapshot.entity,
        id=snapshot.id,
        version=snapshot.version,
        match_key=candidate.match_key,
        stamp=snapshot.stamp,
        uid=snapshot.uid,
        why=why,
    )
