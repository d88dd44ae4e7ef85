"""The values that pass between a run and a side: pages of a change feed, readings, writes and their results.

Both adapters (`outlook`, `oro`) speak in these; what they mean is decided in `sync` and the rest of `core`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orosync.core.records import Entity, Item, Json
from orosync.errors import OrosyncError


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """One page of one entity's change feed. cursor None or full: everything, from the start."""

    entity: Entity
    cursor: str | None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A change feed's word about one id. version None: the feed did not tell. item: only if the page had it whole."""

    id: str
    version: str | None = None
    removed: bool = False
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """cursor: where the feed goes on (the next page, or the next poll if `last`). total: how many records the side
    holds in this scope, where it says so."""

    entity: Entity
    sightings: tuple[Sighting, ...]
    cursor: str
    last: bool
    full: bool
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    item: Item
    elsewhere: bool = False  # readable, but in another folder, list or calendar than the scope's


@dataclass(frozen=True, slots=True)
class NotThere:
    """404 by id. forbidden: 403 instead, it exists but not for us."""

    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class NotReadable:
    error: OrosyncError


@dataclass(frozen=True, slots=True)
class Write:
    """One request to one side. op_id: a UUID (36 characters), also the idempotency key where the side has one.

    item: the current item for update, stamp and delete (its version is the precondition), None for create.
    patch: what the lens made. A stamp is an update that carries nothing else.
    """

    op_id: str
    verb: Literal["create", "update", "delete"]
    entity: Entity
    patch: Json
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """item: the representation the side returned, completed with what it never echoes; None after a delete."""

    item: Item | None


WriteResult = Written | OrosyncError


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a create left behind that can be looked for. Whatever is None is not used."""

    entity: Entity
    op_id: str
    stamp: str | None = None  # OroCRM's id on an Outlook item
    uid: str | None = None  # uid of an OroCRM event
    external_id: str | None = None  # externalId of an OroCRM contact
    since: datetime | None = None  # else: everything changed since then, for the caller to compare


Reading = Found | NotThere | NotReadable
