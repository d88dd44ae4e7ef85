"""The values that the store keeps for an account: cursors, journal, intents, oplog, conflicts, quarantine.

One row each, frozen; tables are in `store/tables/`. Times are aware and UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from orosync.core.records import Entity, Item, Json, Record, Side


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where one side's feed of one entity stands. first_done: a first sync was carried out to its end.
    fingerprint: of the settings and endpoint it was made for. swept_at: last full enumeration. balance: the side's own
    total minus what we knew, when both were last right; another value betrays what the feed did not tell."""

    cursor: str | None = None
    generation: int = 0
    swept_at: datetime | None = None
    first_done: bool = False
    fingerprint: str = ""
    balance: int | None = None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """kind "seen": created or changed. "removed": the feed said so. "missing": a full enumeration did not show it."""

    seq: int
    side: Side
    entity: Entity
    id: str
    version: str | None
    kind: Literal["seen", "removed", "missing"]
    item: Item | None = None  # only if the feed's page had it whole, and only until the row is done


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A record known on one side alone: left alone by the direction, out of scope, or waiting for its partner.

    match_key: digest of the canonical match key, None if the key is empty.
    """

    side: Side
    entity: Entity
    id: str
    version: str
    match_key: str | None = None
    stamp: str | None = None
    uid: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """An op written down before it is sent. `op` is the op as JSON (see core.plan.Op.to_json)."""

    op_id: str
    run: str
    entity: Entity
    side: Side
    verb: str
    source_id: str | None
    op: Json
    state: Literal["prepared", "sent", "confirmed", "abandoned"] = "prepared"
    sent_at: datetime | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class OplogEntry:
    """What was done. before and after: the fields written, as records of the target side; None where it did not exist.
    body_before: the whole item for a delete, so that it can be made again."""

    op_id: str
    run: str
    at: datetime
    entity: Entity
    side: Side
    verb: str
    outlook_id: str | None
    oro_id: str | None
    rule: str
    reason: str
    before: Record | None
    after: Record | None
    mails: int = 0
    overwrites: bool = False
    approved: bool = False  # a person agreed to it: it is not in the guard's tally
    undone_by: str | None = None
    body_before: Json | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field changed differently on both sides. choice: the side whose value was taken, None while it is asked for."""

    entity: Entity
    outlook_id: str | None
    oro_id: str | None
    field: str
    base: Any
    outlook: Any
    oro: Any
    rule: str
    choice: str | None
    at: datetime
    run: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that fails by itself; next_try with back-off (R26)."""

    side: Side
    entity: Entity
    id: str
    version: str | None
    code: str
    message: str
    attempts: int
    first_at: datetime
    next_try: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """What was written in the last 24 hours, for the guard."""

    deletes: int = 0
    overwrites: int = 0
    creates: int = 0
    mails: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox connected to one OroCRM user. state: "active", "suspended" (its user must act), "disabled".
    facts: what `discover` returned, with "discovered_at". oro_auth, graph_auth: as the command line has them."""

    name: str
    mailbox: str
    orocrm_url: str
    orocrm_user: str
    oro_auth: str
    graph_auth: str
    state: str = "active"
    state_reason: str = ""
    state_since: datetime | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)
    certificate: str | None = None  # pinned SHA-256 fingerprint
    organisation: str = "default"
    owner: str | None = None  # "tenant:object id" of the person who connected it in the pane; only one account each
    id: int = 0
