"""What reading by id came to: items as halves of a case (R6).

An id that is not found counts as gone only while a canary is readable; 403 is out of scope; anything else is unreadable
and waits. An item that nobody understands fails by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from orosync.core.exchange import Found, NotReadable, NotThere, Reading
from orosync.core.ledger import Quarantined
from orosync.core.mapping import snapshot_of
from orosync.core.records import GONE, OUT_OF_SCOPE, UNREADABLE, Entity, Half, Item, Presence, Side
from orosync.core.schedule import rested
from orosync.errors import AccountBlocked, RecordRefused, SignInNeeded, Throttled, Unreachable
from orosync.sync.session import Session

MALFORMED = Half(Presence.UNREADABLE, None)
FORBIDDEN = Half(Presence.OUT_OF_SCOPE, None)  # out of our sight, as far as anybody can tell
_WHOLE_SIDE = (SignInNeeded, AccountBlocked, Throttled, Unreachable)
_UNREAD = "unread"
_PATIENCE = 2  # tries after which an item that cannot be read holds up nobody but itself


AtHand = Callable[[Side, Iterable[str]], Mapping[str, Reading]]


def nothing_at_hand(_side: Side, _ids: Iterable[str]) -> Mapping[str, Reading]:
    return {}


def readings(
    session: Session,
    entity: Entity,
    side: Side,
    wanted: Mapping[str, Item | None],
    at_hand: AtHand = nothing_at_hand,
) -> dict[str, Reading]:
    """at_hand: what was read in this run before."""
    readings: dict[str, Reading] = {native: Found(item) for native, item in wanted.items() if item is not None}
    readings |= at_hand(side, [native for native in wanted if native not in readings])
    unread = [native for native in wanted if native not in readings]
    if unread:
        session.progress(f"reading {entity}s in {side.value}", 0, len(unread))
        readings |= read_by_id(session, entity, side, unread)
    return readings


def read_by_id(session: Session, entity: Entity, side: Side, ids: Sequence[str]) -> dict[str, Reading]:
    """Trouble with the whole side ends the run: one item that cannot be read is something else."""
    readings = session.sides[side].read(entity, ids)
    for reading in readings.values():
        if isinstance(reading, NotReadable) and isinstance(reading.error, _WHOLE_SIDE):
            raise reading.error
    return readings


class Canary:
    """Asked at most once a side, and only when something is not there."""

    def __init__(self, session: Session, side: Side) -> None:
        self._port = session.sides[side]
        self._sings: bool | None = None

    def sings(self) -> bool:
        if self._sings is None:
            self._sings = self._port.canary()
        return self._sings


def as_half(session: Session, entity: Entity, side: Side, reading: Reading, canary: Canary) -> Half:
    if isinstance(reading, Found):
        if reading.elsewhere:
            return OUT_OF_SCOPE
        return _mapped(session, entity, side, reading.item)
    if isinstance(reading, NotThere):
        if reading.forbidden:
            return FORBIDDEN
        return GONE if canary.sings() else UNREADABLE
    return UNREADABLE


def _mapped(session: Session, entity: Entity, side: Side, item: Item) -> Half:
    """An item whose JSON is not what the interface promises fails by itself, like one that is refused."""
    try:
        return Half.of(snapshot_of(side, entity, item, session.context))
    except RecordRefused as error:
        now = session.clock.now()
        what, code = error.message, error.code
        failed = Quarantined(side, entity, item.id, item.version, code, what, 1, first_at=now, next_try=now)
        before = {(row.side, row.id): row for row in session.store.quarantined() if row.entity is entity}
        session.store.quarantine(rested(failed, before.get((side, item.id)), now))
        session.of(entity).quarantined += 1
        return MALFORMED


def note_unread(session: Session, entity: Entity, keys: Iterable[tuple[Side, str]]) -> None:
    """Items that nobody has read yet, and that cannot be read now, may be partners of what seems to be alone on the
    other side: nothing is created for those (`session.unread`) until each was tried again after a rest (I12)."""
    before = {(row.side, row.id): row for row in session.store.quarantined() if row.entity is entity}
    now = session.clock.now()
    for side, native in keys:
        row = before.get((side, native))
        if row is None or row.next_try <= now:
            what = f"{side.value} does not show it at the moment."
            row = rested(Quarantined(side, entity, native, "", _UNREAD, what, 1, first_at=now, next_try=now), row, now)
            session.store.quarantine(row)
            session.of(entity).quarantined += 1
        if row.attempts < _PATIENCE:
            session.unread.add((side, entity))
