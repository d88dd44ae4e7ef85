"""Change feeds into the journal, and nothing else: no decision is made here and neither system is written (R2 to R5).

One transaction holds the journal rows of a page and the cursor. An expired cursor is a normal path: everything is read
again, and what a full enumeration did not show is noted as missing, to be verified by id later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from orosync.core.exchange import FeedPage, FeedRequest, Sighting
from orosync.core.ledger import Cursor
from orosync.core.records import Entity, Side
from orosync.core.scope import OUTSIDE
from orosync.core.settings import fingerprint
from orosync.errors import CursorExpired, OrosyncError, SideFailing
from orosync.sync.both_sides import Talk, talk_with
from orosync.sync.session import Session

_NIGHTLY = timedelta(hours=24)
_ROUNDS = 2  # a feed that expires again while it is read from the start is left for the next run


@dataclass
class _Feed:
    """One entity's feed while it is read."""

    request: FeedRequest
    cursor: Cursor
    seen: set[str] = field(default_factory=set)
    fresh: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)  # of ids we hold: the side says they were removed
    met: set[str] = field(default_factory=set)  # where pages led: none leads anywhere twice
    rounds: int = 0
    everything: bool = False  # a resync or changed settings: known versions are looked at again
    new_day: bool = False  # the window of events has moved on since everything was last read


def collect(session: Session) -> None:
    """The sides and entities of the run. Failures of one entity are kept in `session.failures`."""
    session.journaled_before = session.store.last_seq()
    talk_with(session, {side: _collect_side(session, side) for side in Side})


def _collect_side(session: Session, side: Side) -> Talk[list[FeedPage | OrosyncError], None]:
    feeds = {
        entity: _first_request(session, side, entity)
        for entity in session.entities
        if side in session.request.sides or _was_never_read(session, side, entity)
    }
    while feeds:
        pages = yield partial(session.sides[side].pages, [feed.request for feed in feeds.values()])
        with session.store.transaction():  # one for the pages of one answer
            over = [
                entity
                for (entity, feed), page in zip(feeds.items(), pages, strict=True)
                if not _take_answer(session, side, feed, entity, page)
            ]
        session.progress(f"reading {side.value}", sum(len(each.seen) for each in feeds.values()), 0)
        for entity in over:
            del feeds[entity]


def _take_answer(session: Session, side: Side, feed: _Feed, entity: Entity, page: FeedPage | OrosyncError) -> bool:
    """True if the feed goes on."""
    if isinstance(page, CursorExpired) and feed.rounds < _ROUNDS:
        _start_over(feed, entity)
        return True
    if isinstance(page, OrosyncError):
        session.failures[side, entity] = page
        return False
    return _take_page(session, side, feed, page)


def _was_never_read(session: Session, side: Side, entity: Entity) -> bool:
    """Or not with these settings: then both halves are needed, whoever was to be asked."""
    cursor = session.store.cursor(side, entity)
    return cursor.swept_at is None or cursor.fingerprint not in {"", fingerprint_of(session, entity)}


def fingerprint_of(session: Session, entity: Entity) -> str:
    return f"{session.endpoint}/{fingerprint(session.settings, entity)}"


def _first_request(session: Session, side: Side, entity: Entity) -> _Feed:
    cursor = session.store.cursor(side, entity)
    now = session.clock.now()
    interval = timedelta(seconds=session.settings.crm_sweep_interval) if side is Side.ORO else _NIGHTLY
    due = cursor.swept_at is None or now - cursor.swept_at >= interval
    changed = cursor.fingerprint not in {"", fingerprint_of(session, entity)}
    sweep = session.request.sweep and side is Side.ORO
    full = cursor.cursor is None or due or changed or sweep or session.request.resync
    everything = changed or session.request.resync
    new_day = cursor.swept_at is None or cursor.swept_at.date() != now.date()
    request = FeedRequest(entity, None if full else cursor.cursor, full)
    return _Feed(request, cursor, everything=everything, new_day=new_day)


def _start_over(feed: _Feed, entity: Entity) -> None:
    feed.rounds += 1
    feed.seen.clear()
    feed.met.clear()
    feed.cursor = replace(feed.cursor, cursor=None, generation=feed.cursor.generation + 1)
    feed.request = FeedRequest(entity, None, full=True)


def _take_page(session: Session, side: Side, feed: _Feed, page: FeedPage) -> bool:
    """Journal one page; True if the feed goes on."""
    entity, store, before = page.entity, session.store, feed.cursor
    shown = {each.id for each in page.sightings if each.removed and each.id in feed.seen}
    feed.seen.update(each.id for each in page.sightings if not each.removed)
    with store.transaction():
        known = _known_versions(session, side, page, look_again=feed.new_day)
        news = [each for each in page.sightings if feed.everything or not _is_known(each, known, shown)]
        feed.fresh.update(each.id for each in news if each.id not in known and not each.removed)
        feed.gone.update(each.id for each in news if each.removed and each.id in known)
        store.journal(side, entity, news, feed.cursor.generation)
        if page.last and page.full:
            _note_missing(session, side, feed, entity)
        if page.last or not page.full:
            swept = session.clock.now() if page.full and page.last else feed.cursor.swept_at
            feed.cursor = replace(feed.cursor, cursor=page.cursor, swept_at=swept)
            if page.last:
                feed.cursor = _balanced(session, side, feed, page)
            if feed.cursor != before:
                store.save_cursor(side, entity, feed.cursor)
    if not page.last:
        if page.cursor in feed.met:
            session.failures[side, entity] = SideFailing(f"The {entity} feed of {side} leads back to itself.")
            return False
        feed.met.add(page.cursor)
        feed.request = FeedRequest(entity, page.cursor, page.full)
        return True
    if not page.full and feed.cursor.balance is None and page.total is not None and feed.rounds == 0:
        return _sweep_now(feed, page)
    return False


def _known_versions(session: Session, side: Side, page: FeedPage, *, look_again: bool) -> dict[str, str | None]:
    """Versions we hold of the ids of one page: linked, alone, or in quarantine. look_again: what lay outside the window
    may lie inside it by now, unchanged."""
    ids = [each.id for each in page.sightings]
    if not ids:
        return {}
    known: dict[str, str | None] = {
        row.id: None if look_again and row.why == OUTSIDE[1] else row.version
        for row in session.store.unlinked_matching(side, page.entity, ids=ids)
    }
    links = session.store.links_by_id(side, page.entity, ids)
    known |= {native: link.versions.get(side) for native, link in links.items()}
    held = {row.id: row.version for row in session.store.quarantined() if (row.side, row.entity) == (side, page.entity)}
    return known | {native: held[native] for native in ids if native in held}


def _is_known(sighting: Sighting, known: dict[str, str | None], shown: set[str]) -> bool:
    """The echo of our own write, or an overlap of the feed. Removals concern nobody, but for ids that we hold or that
    an earlier page of this round has `shown`."""
    if sighting.removed:
        return sighting.id not in known and sighting.id not in shown
    return sighting.version is not None and known.get(sighting.id) == sighting.version


def _note_missing(session: Session, side: Side, feed: _Feed, entity: Entity) -> None:
    """Linked or known, but not in a complete enumeration: to be asked for by id. It is not a deletion (R4)."""
    held = set(session.store.versions(side, entity)) | {row.id for row in session.store.unlinked(side, entity)}
    missing = sorted(held - feed.seen)
    session.store.journal(side, entity, [Sighting(each) for each in missing], feed.cursor.generation, kind="missing")


def _balanced(session: Session, side: Side, feed: _Feed, page: FeedPage) -> Cursor:
    """After a sweep the balance is unknown until the next quiet poll; a poll that differs from it clears it."""
    if page.full or page.total is None:
        return replace(feed.cursor, balance=None)
    balance = page.total - _known_count(session, side, feed, page.entity)
    if feed.cursor.balance is None or feed.cursor.balance == balance:
        return replace(feed.cursor, balance=balance)
    return replace(feed.cursor, balance=None)


def _known_count(session: Session, side: Side, feed: _Feed, entity: Entity) -> int:
    """What the side should hold by our books, its own news included."""
    held = session.store.count_links(entity) + session.store.count_unlinked(side, entity)
    return held + len(feed.fresh) - len(feed.gone)


def _sweep_now(feed: _Feed, page: FeedPage) -> bool:
    """The side's total betrays a deletion, or a record that became visible: read everything now."""
    feed.rounds = _ROUNDS
    feed.seen.clear()
    feed.met.clear()
    feed.request = FeedRequest(page.entity, None, full=True)
    return True
