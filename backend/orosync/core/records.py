"""The values the core thinks with: records, items, snapshots, links and their states.

Everything here is frozen and printable, and a record is made of plain JSON values, so that shadows, plans and
conflicts can be stored and compared as they are. What a field is and how fields belong together is in `fields.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]

# A canonical value: None is "empty", and there is no other empty (no "", no []).
# str       text, e-mail, phone; dates "YYYY-MM-DD"; instants "YYYY-MM-DDTHH:MM:SSZ"
# bool      all_day
# list[str] emails, first one is the primary
# dict      an address {street, city, region, postal_code, country}; a recurrence
Value = str | bool | list[str] | dict[str, Any] | None
Record = Mapping[str, Value]  # every field of the entity's catalogue is present

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Side(StrEnum):
    OUTLOOK = "outlook"
    ORO = "oro"

    @property
    def other(self) -> Side:
        return Side.ORO if self is Side.OUTLOOK else Side.OUTLOOK


class Entity(StrEnum):
    CONTACT = "contact"
    TASK = "task"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Item:
    """One side's own JSON of a record.

    id: the side's id, compared byte-exact. version: Outlook's etag, or for OroCRM a digest of the mapped content
    (its `updatedAt` does not move for e-mails, phones and addresses); two equal versions of one id mean equal
    content, unequal versions mean nothing. container: folder, list or calendar it was found in.
    """

    id: str
    version: str
    body: Json
    container: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An item as the core sees it: its record and the facts that decide how it may be treated.

    stamp: the other system's id found on the item (Outlook only). uid: iCalUId (Outlook) or uid (OroCRM) of an event.
    modified_at: the side's own clock, "YYYY-MM-DDTHH:MM:SSZ", used by the rule `newest` alone.
    private: sensitivity private or confidential; its record is then never read by anyone.
    read_only: this side refuses every write to it (OroCRM's copy of an invitation).
    attendees: how many people a write or delete would mail if we organise it; organiser: whether it is ours.
    organiser_address: lower case, of a meeting. categories: of Outlook, or tags of OroCRM.
    owned: the record's owner is the account's own OroCRM user (True where that is not known).
    notes: what the lens could not carry, in plain words without content, for the report.
    """

    side: Side
    entity: Entity
    id: str
    version: str
    record: Record
    item: Item | None = None
    stamp: str | None = None
    uid: str | None = None
    modified_at: str | None = None
    private: bool = False
    read_only: bool = False
    attendees: int = 0
    organiser: bool = True
    organiser_address: str | None = None
    categories: tuple[str, ...] = ()
    owned: bool = True
    notes: tuple[str, ...] = ()


class Presence(StrEnum):
    """What is known about one side's half of a link."""

    PRESENT = "present"  # read just now; there is a snapshot
    GONE = "gone"  # not found by id while a canary was readable
    OUT_OF_SCOPE = "out_of_scope"  # exists, but not for us now
    UNREADABLE = "unreadable"  # nobody can tell at the moment
    ABSENT = "absent"  # there never was one (an unlinked record's other half)


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a case: its presence, and the snapshot if it is present."""

    presence: Presence
    snapshot: Snapshot | None = None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Half:
        return cls(Presence.PRESENT, snapshot)


ABSENT = Half(Presence.ABSENT)
GONE = Half(Presence.GONE)
OUT_OF_SCOPE = Half(Presence.OUT_OF_SCOPE)
UNREADABLE = Half(Presence.UNREADABLE)


class LinkState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"  # one half is out of scope: nothing is written until it is back
    TOMBSTONE = "tombstone"  # the pair was deleted, and is remembered


@dataclass(frozen=True, slots=True)
class Link:
    """A pair: the identity of a record. `outlook_id` or `oro_id` is None only on a tombstone's lost half.

    shadows: per side the record that side returned when both last agreed. versions: per side, to save reads.
    stamped: True when the Outlook item carries the stamp, False when it has yet to get it, None when it must not
    (a meeting with attendees). uid: iCalUId of an event. frozen_fields: taken out by the oscillation breaker.
    """

    id: int
    entity: Entity
    outlook_id: str | None
    oro_id: str | None
    state: LinkState = LinkState.ACTIVE
    shadows: Mapping[Side, Record] = field(default_factory=dict)
    versions: Mapping[Side, str] = field(default_factory=dict)
    uid: str | None = None
    stamped: bool | None = False
    frozen_fields: tuple[str, ...] = ()

    def id_on(self, side: Side) -> str | None:
        return self.outlook_id if side is Side.OUTLOOK else self.oro_id


@dataclass(frozen=True, slots=True)
class Case:
    """All the planner needs to know of one record: a link with both halves, or an unlinked half or pair.

    how: for a pair without link yet, the rule that paired them (see pairing.py), else "". candidates: how many had the
    same match key. spare: it matched too, but another one was chosen. tombstone: its pair was deleted once.
    """

    entity: Entity
    outlook: Half
    oro: Half
    link: Link | None = None
    how: str = ""
    candidates: int = 1
    spare: bool = False
    tombstone: bool = False

    def half(self, side: Side) -> Half:
        return self.outlook if side is Side.OUTLOOK else self.oro
