"""What the run needs of the outside, as protocols: two sides, a store, a clock, a source of ids.

`outlook`, `oro` and `store` satisfy these by shape. Values that cross are in `core/exchange.py` and `core/ledger.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol

from orosync.core.exchange import FeedPage, FeedRequest, Lookup, Reading, Sighting, Write, WriteResult
from orosync.core.ledger import (
    Account,
    Conflict,
    Cursor,
    Intent,
    JournalRow,
    OplogEntry,
    Quarantined,
    Tally,
    Unlinked,
)
from orosync.core.records import Entity, Item, Json, Link, LinkState, Side
from orosync.errors import OrosyncError


class SidePort(Protocol):
    """One side of one account."""

    side: Side
    writes_at_once: int  # how many writes one call of `write` may carry (Graph: 20, OroCRM: 4)

    def discover(self) -> Json:
        """What mapping and the feeds must know of the account on this side, as plain JSON to be stored.

        Outlook: {"mailbox_id", "address", "zone", "containers": {entity: id or null if it has to be created}}.
        OroCRM: {"user_id", "address", "zone", "calendar_id", "version", "workflow_active", "contact_external_id",
        "audit": the user may read the audit log, "countries": {id: name}, "regions": {id: [country, code, name]},
        "forbidden": [entities]}.
        """

    def use(self, facts: Json) -> None:
        """Take what `discover` once returned; must be called before the methods below."""

    def make_containers(self) -> Json:
        """Create named containers that are missing and return the facts with their ids (Outlook only)."""

    def canary(self) -> bool:
        """True if these credentials can read something that certainly exists."""

    def pages(self, requests: Sequence[FeedRequest]) -> list[FeedPage | OrosyncError]:
        """One page for each request, in that order, with as few round trips as the side allows.

        An error in a place concerns that entity only (CursorExpired, EntityForbidden, TryLater). Account-wide trouble
        is raised: SignInNeeded, AccountBlocked, Unreachable, Throttled.
        """

    def read(self, entity: Entity, ids: Sequence[str]) -> dict[str, Reading]:
        """Every id has an entry. NotThere is certain: the id itself was asked for."""

    def listed(self, entity: Entity, wanted: int) -> Iterator[Mapping[str, Reading]]:
        """All there are, page by page, as `read` would tell it, where that takes fewer requests than `wanted` of them
        by id; else nothing. Who is not shown has to be read: trouble ends it early."""

    def write(self, writes: Sequence[Write]) -> dict[str, WriteResult]:
        """Send; one result per op_id. Nothing is ever retried here. A result that is an error is of this write:
        RecordRefused, RecordChanged, RecordMissing, OutcomeUnknown, Throttled (certainly not applied), SignInNeeded,
        EntityForbidden, AccountBlocked. Raises nothing but programming errors."""

    def find(self, lookup: Lookup) -> list[Item]:
        """Candidates for what a create of unknown outcome made; oldest first."""

    @property
    def requests_sent(self) -> int:
        """Round trips so far (a batch is one)."""


class Scratch(Protocol):
    """Values of a run that are too many for memory: on shelves, each with a label. They are gone with the run."""

    def keep(self, shelf: str, values: Iterable[tuple[str, Any]]) -> None:
        """(label, value): several may have the same label."""

    def find(self, shelf: str, labels: Iterable[str]) -> dict[str, list[Any]]:
        """Values by label, as they were kept; labels without any are missing from the answer."""

    def slices(self, shelf: str, size: int) -> Iterator[list[tuple[str, Any]]]:
        """All of a shelf, at most `size` at a time: by label, then as they were kept. Other shelves may be
        filled meanwhile."""

    def clear(self, shelf: str, to: str | None = None) -> None:
        """All of it, or what has this label or one before it."""


class AccountStore(Protocol):
    """Everything the program remembers about one account. Bound to one lease: every commit checks its epoch and raises
    LeaseLost. All methods may be called inside or outside `transaction()`; outside, each is its own transaction."""

    def transaction(self) -> AbstractContextManager[None]: ...

    # account
    def account(self) -> Account: ...
    def save_facts(self, facts: Mapping[str, Json]) -> None: ...
    def set_state(self, state: str, reason: str, at: datetime) -> None: ...

    # cursors and journal
    def cursor(self, side: Side, entity: Entity) -> Cursor: ...
    def save_cursor(self, side: Side, entity: Entity, cursor: Cursor) -> None: ...
    def journal(
        self,
        side: Side,
        entity: Entity,
        sightings: Iterable[Sighting],
        generation: int,
        kind: str | None = None,
    ) -> int:
        """Note them: "removed" or "seen" by the sighting unless `kind` is given. A row with the same (side, entity,
        id) that is still pending is superseded by the new one. Returns how many rows were written."""

    def note_seen(self, side: Side, entity: Entity, ids: Iterable[str]) -> None:
        """Pending "seen" rows without version: these ids shall be looked at by the next pass or run."""

    def pending(self, entity: Entity) -> list[JournalRow]: ...
    def pending_after(self, entity: Entity, seq: int, limit: int) -> list[JournalRow]:
        """At most so many of those with a greater number, in their order."""

    def pending_by_side(self, entity: Entity, until: int) -> Mapping[Side, tuple[int, int]]:
        """How many rows, and how many of them without an item, or with an old one: of a number up to `until`."""

    def journal_done(self, seqs: Iterable[int]) -> None: ...
    def pending_count(self) -> int: ...
    def last_seq(self) -> int:
        """The greatest number among pending rows; 0 without any."""

    def has_work(self, entities: Iterable[Entity], now: datetime) -> bool:
        """Anything of these entities is pending, due for another try, or waits for its stamp."""

    # links
    def links_by_id(self, side: Side, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
        """Live links (active or suspended) by the id on `side`."""

    def versions(self, side: Side, entity: Entity) -> dict[str, str]:
        """Id -> version on `side` of all live links; for full enumerations."""

    def links(self, entity: Entity, state: LinkState | None = None) -> Iterator[Link]: ...
    def links_to_stamp(self, entity: Entity) -> list[Link]: ...
    def count_links(self, entity: Entity) -> int:
        """Live ones."""

    def add_link(self, link: Link) -> int:
        """`link.id` is ignored; returns the new id. RecordChanged if one of the ids is linked already."""

    def add_links(self, links: Sequence[Link]) -> list[int | None]:
        """Many at once; None where one of a link's ids is linked already."""

    def update_link(self, link: Link) -> None: ...
    def update_links(self, links: Sequence[Link]) -> None:
        """Many at once. RecordMissing if one was dropped; RecordChanged if another live link has one of its ids."""

    def stamp_links(self, links: Sequence[Link]) -> None:
        """What became of their stamps, and the version that Outlook gave the item; nothing else of them."""

    def drop_link(self, link_id: int) -> None: ...
    def tombstones(self, entity: Entity, side: Side, ids: Iterable[str]) -> dict[str, Link]:
        """Tombstones that name one of the ids on `side`."""

    # unlinked
    def save_unlinked(self, rows: Iterable[Unlinked]) -> None: ...
    def drop_unlinked(self, side: Side, entity: Entity, ids: Iterable[str]) -> None: ...
    def unlinked(self, side: Side, entity: Entity) -> list[Unlinked]: ...
    def unlinked_matching(
        self,
        side: Side,
        entity: Entity,
        *,
        ids: Iterable[str] = (),
        keys: Iterable[str] = (),
        uids: Iterable[str] = (),
        stamps: Iterable[str] = (),
    ) -> list[Unlinked]: ...
    def count_unlinked(self, side: Side, entity: Entity) -> int: ...

    # intents and oplog
    def prepare_intents(self, intents: Iterable[Intent]) -> None: ...
    def mark_sent(self, op_ids: Iterable[str], at: datetime) -> None: ...
    def close_intent(self, op_id: str, state: Literal["confirmed", "abandoned"]) -> None: ...
    def close_intents(self, op_ids: Iterable[str]) -> None: ...
    def open_intents(self) -> list[Intent]:
        """Those sent but neither confirmed nor abandoned; merely prepared ones are abandoned by this call."""

    def add_oplog(self, entries: Iterable[OplogEntry]) -> None: ...
    def oplog(self, run: str) -> list[OplogEntry]: ...
    def oplog_of(self, entity: Entity, side: Side, id: str) -> list[OplogEntry]:
        """Newest first."""

    def creates_of(self, entity: Entity, source: Side, ids: Iterable[str]) -> dict[str, int]:
        """How often each of these records of `source` was created on the other side; none without one."""

    def mark_undone(self, op_id: str, by_run: str) -> None: ...
    def tally(self, entity: Entity, since: datetime) -> Tally: ...

    # conflicts, quarantine
    def add_conflicts(self, conflicts: Iterable[Conflict]) -> None: ...
    def conflicts(self, open_only: bool = True) -> list[Conflict]: ...
    def conflict(self, conflict_id: int) -> Conflict | None: ...
    def settle_conflict(self, conflict_id: int, choice: str) -> None: ...
    def drop_open_conflicts(
        self, entity: Entity, outlook_id: str | None, oro_id: str | None, fields: Iterable[str] | None = None
    ) -> None:
        """Of the record with either id: all, or of these fields alone."""

    def quarantine(self, row: Quarantined) -> None:
        """Insert, or replace the row of the same (side, entity, id)."""

    def quarantined(self) -> list[Quarantined]: ...
    def release(self, side: Side, entity: Entity, id: str) -> None: ...

    # runs and held plans
    def start_run(self, run: str, mode: str, at: datetime) -> None: ...
    def finish_run(self, run: str, state: str, at: datetime, summary: Json) -> None: ...
    def forget_run(self, run: str) -> None: ...
    def runs(self, limit: int = 50) -> list[Json]:
        """Newest first: {"run", "mode", "state", "started_at", "finished_at", "summary"}."""

    def run(self, run: str) -> Json | None: ...
    def save_plan(self, run: str, plan_hash: str, ops: Iterable[Json], limits: list[str]) -> None: ...
    def approve_plan(self, plan_hash: str, at: datetime) -> None: ...
    def end_approvals(self) -> None: ...
    def approved_ops(self, since: datetime) -> Iterator[Json]: ...
    def plan(self, run: str) -> Json | None: ...
    def planned_ops(self, run: str) -> Iterator[Json]:
        """Of the plan that was saved for a run; they are read some at a time."""

    def scratch(self) -> AbstractContextManager[Scratch]:
        """For the length of a block. Its methods raise TryLater when there is no room."""

    # settings: values as JSON by level
    def settings_levels(self) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
        """(system, organisation, user) as they were set; missing keys are "use the level above"."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""


class Ids(Protocol):
    def new(self) -> str:
        """A fresh unique text id (a UUID of 36 characters)."""


class AccountQueue(Protocol):
    """Carries accounts to whoever works on them. A message that is lost, doubled or late does no harm: what is due, and
    what people asked for, is in the store."""

    def put(self, account_id: int, *, urgent: bool = False) -> None:
        """urgent: before those that are merely due. Raises TryLater when the queue cannot be reached."""
