"""Journal rows into cases: what was reported is read by id on both sides, mapped and paired (R6, R13).

Nothing is written to either system. Here all rows are in memory at once; `resolve_slices.py` makes the same cases of a
journal that is too large for that, by the same steps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orosync.core.canonical import content_digest, match_key
from orosync.core.ledger import JournalRow, Unlinked
from orosync.core.pairing import Candidate, Pair, Pairing, oro_uid, pair_records
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
from orosync.sync.halves import (
    FORBIDDEN,
    MALFORMED,
    AtHand,
    Canary,
    as_half,
    note_unread,
    nothing_at_hand,
    read_by_id,
    readings,
)
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


Key = tuple[Side, str]
Rows = Mapping[Key, Sequence[JournalRow]]


def resolve(session: Session, entity: Entity, pending: Iterable[JournalRow]) -> Resolved:
    """All pending rows of one entity, and the quarantined records whose time has come.

    Records with a write of unknown outcome (`session.busy`) wait, on both sides.
    """
    rows = rows_by_key(pending)
    for row in due_again(session, entity):
        rows.setdefault((row.side, row.id), [row])
    links = links_of(session, entity, rows)
    set_aside_busy(session, entity, rows, links)
    halves = read_halves(session, entity, rows, links.values())
    _follow_moved(session, entity, links, halves)
    resolved = Resolved()
    linked: set[Key] = set()
    for link in links.values():
        linked |= keys_of(link)
        take_linked(entity, link, halves, rows, resolved)
    unlinked = [key for key in rows if key not in linked]
    note_unread(session, entity, [key for key in unlinked if is_unread(halves[key])])
    waiting = [key for key in unlinked if halves[key] is FORBIDDEN and (key[0], entity) in session.unread]
    alone = {
        key: found for key in unlinked if key not in waiting and (found := take_alone(key, rows, halves, resolved))
    }
    for key in [key for key, found in alone.items() if is_made_by_busy(session, found)]:
        session.of(entity).waiting += 1
        del alone[key]
    _pair_alone(session, entity, alone, rows, resolved)
    return resolved


def rows_by_key(rows: Iterable[JournalRow]) -> dict[Key, list[JournalRow]]:
    found: dict[Key, list[JournalRow]] = defaultdict(list)
    for row in rows:
        found[row.side, row.id].append(row)
    return found


def due_again(session: Session, entity: Entity) -> Iterator[JournalRow]:
    """Quarantined records that are due, as rows of their own (seq 0)."""
    now = session.clock.now()
    for held in session.store.quarantined():
        if held.entity is entity and held.next_try <= now:
            yield JournalRow(0, held.side, entity, held.id, held.version, "seen")


def keys_of(link: Link) -> set[Key]:
    return {(side, native) for side in Side if (native := link.id_on(side)) is not None}


def set_aside_busy(session: Session, entity: Entity, rows: dict[Key, list[JournalRow]], links: dict[int, Link]) -> None:
    busy = {(side, native) for which, side, native in session.busy if which is entity}
    for link in list(links.values()):
        if keys_of(link) & busy:
            busy |= keys_of(link)
            del links[link.id]
    for key in [key for key in rows if key in busy]:
        session.of(entity).waiting += 1
        del rows[key]


def seqs_of(rows: Rows, keys: Iterable[Key]) -> tuple[int, ...]:
    return tuple(row.seq for key in keys for row in rows.get(key, ()) if row.seq)


def links_of(session: Session, entity: Entity, rows: Iterable[Key]) -> dict[int, Link]:
    links: dict[int, Link] = {}
    for side in Side:
        ids = [native for where, native in rows if where is side]
        links |= {link.id: link for link in session.store.links_by_id(side, entity, ids).values()}
    return links


def fresh_item(session: Session, row: JournalRow) -> Item | None:
    """What the feed showed of it in this very run."""
    return row.item if row.seq > session.journaled_before and row.kind == "seen" else None


def read_halves(
    session: Session, entity: Entity, rows: Rows, links: Iterable[Link], at_hand: AtHand = nothing_at_hand
) -> dict[Key, Half]:
    """Both halves of every one of these links, and every reported id."""
    wanted: dict[Side, dict[str, Item | None]] = {side: {} for side in Side}
    for (side, native), entries in rows.items():
        wanted[side][native] = fresh_item(session, entries[-1])
    for link in links:
        for side, native in keys_of(link):
            wanted[side].setdefault(native, None)
    halves: dict[Key, Half] = {}
    for side in Side:
        found = readings(session, entity, side, wanted[side], at_hand)
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
    free = [oro_id for oro_id in stamped if (entity, Side.ORO, oro_id) not in session.busy]
    for oro_id, link in session.store.links_by_id(Side.ORO, entity, free).items():
        for side in Side:
            native = link.id_on(side)
            if native is not None and (side, native) not in halves:
                reading = session.sides[side].read(entity, [native])[native]
                halves[side, native] = as_half(session, entity, side, reading, Canary(session, side))
        if _half(halves, Side.OUTLOOK, link) is GONE:
            links[link.id] = replace(link, outlook_id=stamped[oro_id])


def take_linked(entity: Entity, link: Link, halves: Mapping[Key, Half], rows: Rows, resolved: Resolved) -> None:
    outlook, oro = _half(halves, Side.OUTLOOK, link), _half(halves, Side.ORO, link)
    if MALFORMED is outlook or MALFORMED is oro:
        resolved.void.extend(seqs_of(rows, keys_of(link)))
    else:
        resolved.work.append(Work(Case(entity, outlook, oro, link), seqs_of(rows, keys_of(link))))


def _half(halves: Mapping[Key, Half], side: Side, link: Link) -> Half:
    native = link.id_on(side)
    return halves.get((side, native), UNREADABLE) if native is not None else GONE


def is_unread(half: Half) -> bool:
    return half is UNREADABLE or half is FORBIDDEN


def is_made_by_busy(session: Session, outlook: Snapshot) -> bool:
    """It is what a create of unknown outcome made."""
    return (outlook.entity, Side.ORO, outlook.stamp) in session.busy


def take_alone(key: Key, rows: Rows, halves: Mapping[Key, Half], resolved: Resolved) -> Snapshot | None:
    """The snapshot of an unlinked id that is there; others are forgotten, or wait if they could not be read."""
    half = halves[key]
    if half.snapshot is not None:
        return half.snapshot
    if half is MALFORMED:
        resolved.void.extend(seqs_of(rows, [key]))
    elif half is not UNREADABLE:
        resolved.void.extend(seqs_of(rows, [key]))
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
    session: Session, entity: Entity, alone: Mapping[Key, Snapshot], rows: Rows, resolved: Resolved
) -> None:
    fields = session.settings.match_keys[entity]
    candidates: dict[Side, dict[str, Candidate]] = {side: {} for side in Side}
    for (side, native), snapshot in alone.items():
        candidates[side][native] = candidate_of(snapshot, fields)
    for side in Side:
        for known in known_matches(session, entity, side, candidates[side.other].values()):
            candidates[side].setdefault(known.id, known)
    by_key = matches_by_key(session, entity)
    pairing = pair_records(candidates[Side.OUTLOOK].values(), candidates[Side.ORO].values(), by_key=by_key)
    paired = take_pairs(session, entity, pairing, alone, rows, resolved)
    left = {key: snapshot for key, snapshot in alone.items() if key not in paired}
    take_left(session, entity, left, spares_of(pairing), rows, resolved)


def take_pairs(
    session: Session, entity: Entity, pairing: Pairing, alone: Mapping[Key, Snapshot], rows: Rows, resolved: Resolved
) -> set[Key]:
    """A case for each pair; returns those that are not alone because of one."""
    partners = _partners(session, entity, alone, [key for pair in pairing.pairs for key in _keys_of_pair(pair)])
    paired: set[Key] = set()
    for pair in pairing.pairs:
        keys = _keys_of_pair(pair)
        outlook, oro = (partners[key] for key in keys)
        if Presence.UNREADABLE in (outlook.presence, oro.presence):
            session.of(entity).waiting += 1  # a match that cannot be read now: both stay as they are
            paired |= set(keys)
        elif outlook.snapshot is not None and oro.snapshot is not None:
            paired |= set(keys)
            case = Case(entity, outlook, oro, how=pair.how, candidates=pair.candidates)
            resolved.work.append(Work(case, seqs_of(rows, keys)))
    return paired


def _keys_of_pair(pair: Pair) -> tuple[Key, Key]:
    return (Side.OUTLOOK, pair.outlook_id), (Side.ORO, pair.oro_id)


def spares_of(pairing: Pairing) -> set[Key]:
    return {(Side.OUTLOOK, each) for each in pairing.spare_outlook} | {(Side.ORO, each) for each in pairing.spare_oro}


def matches_by_key(session: Session, entity: Entity) -> bool:
    """In the direction Outlook to OroCRM a new record is made instead, but for first sync, resync and the option."""
    if session.settings.sync_direction is not SyncDirection.OUTLOOK_TO_ORO or session.settings.match_before_create:
        return True
    return session.request.resync or not session.first_done(entity)


def known_matches(session: Session, entity: Entity, side: Side, news: Iterable[Candidate]) -> Iterator[Candidate]:
    """Records of `side` that were left alone in former runs and match one of those of the other side."""
    news = list(news)
    known = session.store.unlinked_matching(
        side,
        entity,
        ids=[each.stamp for each in news if each.stamp] if side is Side.ORO else (),
        keys=[each.match_key for each in news if each.match_key],
        uids=[uid for each in news if each.uid for uid in (each.uid, oro_uid(each.uid))],
        stamps=[each.id for each in news] if side is Side.OUTLOOK else (),
    )
    for row in known:
        yield Candidate(row.id, row.match_key, row.stamp, row.uid)


def _partners(
    session: Session, entity: Entity, alone: Mapping[Key, Snapshot], paired: Iterable[Key]
) -> dict[Key, Half]:
    """Both halves of each pair; partners known from former runs are read now."""
    halves = {key: Half.of(snapshot) for key, snapshot in alone.items()}
    for side in Side:
        unread = sorted(native for where, native in paired if where is side and (where, native) not in alone)
        canary = Canary(session, side)
        for native, reading in (read_by_id(session, entity, side, unread) if unread else {}).items():
            halves[side, native] = as_half(session, entity, side, reading, canary)
    return halves


def take_left(
    session: Session,
    entity: Entity,
    alone: Mapping[Key, Snapshot],
    spares: set[Key],
    rows: Rows,
    resolved: Resolved,
) -> None:
    """A case for each record that has no partner."""
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
        resolved.work.append(Work(case, seqs_of(rows, [key])))


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
