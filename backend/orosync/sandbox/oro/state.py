"""All the simulated OroCRM holds, its clock and its randomness.

Reads and writes go through the rule modules (`contact_rules`, `task_rules`, `event_rules`); here are only
tables, look-ups and what the signed-in user may see.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orosync.sandbox.oro import permissions
from orosync.sandbox.oro.records import (
    Address,
    AsyncOperation,
    Audit,
    Clock,
    Contact,
    CrmRecord,
    Event,
    Mail,
    OroSettings,
    OroUser,
    Task,
)
from orosync.sandbox.oro.tables import Key, Table

FLOW = "task_flow"


@dataclass
class CalendarConnection:
    """Calendar `calendar` is shown inside `target`."""

    id: int
    target: int
    calendar: int
    visible: bool = True


def _contact_keys(contact: Contact) -> Iterable[Key]:
    for name in ("firstName", "lastName", "externalId"):
        value = contact.attributes.get(name)
        if value is not None:
            yield name, value
    yield "owner", contact.owner
    for number in contact.relations.get("accounts", ()):
        yield "account", number
    for name, rows in (("email", contact.emails), ("phone", contact.phones)):
        for row in rows:
            yield name, row.value


def _task_keys(task: Task) -> Iterable[Key]:
    yield "owner", task.owner
    yield from task.targets


_POINTERS = ("contact", "relatedContact", "account", "relatedAccount", "defaultContact", "lead")
CRM_KINDS = ("accounts", "leads", "opportunities", "cases", "notes", "calls")


def _crm_keys(record: CrmRecord) -> Iterable[Key]:
    yield "owner", record.owner
    for name in _POINTERS:
        if record.relations.get(name) is not None:
            yield name, record.relations[name]
    for row in record.emails:
        yield "email", row.value
    yield from record.targets


def _crm_tables() -> dict[str, Table[CrmRecord]]:
    return {kind: Table(_crm_keys) for kind in CRM_KINDS}


def _event_keys(event: Event) -> Iterable[Key]:
    yield "calendar", event.calendar
    yield "uid", event.uid
    if event.series is not None:
        yield "series", event.series
    if event.parent is not None:
        yield "parent", event.parent


@dataclass
class OroState:
    """The instance. One lock around every request keeps it whole; the lock is held by `OroSandbox`."""

    clock: Clock
    random: random.Random
    settings: OroSettings = field(default_factory=OroSettings)
    users: Table[OroUser] = field(default_factory=Table)
    contacts: Table[Contact] = field(default_factory=lambda: Table(_contact_keys))
    addresses: Table[Address] = field(default_factory=Table)
    tasks: Table[Task] = field(default_factory=lambda: Table(_task_keys))
    events: Table[Event] = field(default_factory=lambda: Table(_event_keys))
    audits: Table[Audit] = field(default_factory=lambda: Table(lambda entry: [("action", entry.action)]))
    waiting_audits: list[Audit] = field(default_factory=list)
    operations: dict[int, AsyncOperation] = field(default_factory=dict)
    calendars: dict[int, int] = field(default_factory=dict)
    connections: dict[int, CalendarConnection] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=lambda: {1: "Sales Group", 2: "Marketing Group"})
    tags: dict[int, str] = field(default_factory=dict)
    crm: dict[str, Table[CrmRecord]] = field(default_factory=_crm_tables)
    workflow_items: dict[int, int] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    webhooks: dict[str, Any] = field(default_factory=dict)
    deliveries: list[Any] = field(default_factory=list)
    delivered: list[Any] = field(default_factory=list)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        """The present moment in whole seconds, UTC."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next(self, counter: str) -> int:
        """The next number of a series that is no table."""
        self.counters[counter] = self.counters.get(counter, 0) + 1
        return self.counters[counter]

    def new_uuid(self) -> str:
        """A random UUID from the seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        """Random hex digits from the seed."""
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    # people

    def user_named(self, name: str) -> OroUser | None:
        """By user name or e-mail address; case counts."""
        return next((user for user in self.users if name in (user.username, user.email)), None)

    def user_with_email(self, address: str | None) -> OroUser | None:
        """By e-mail address, whatever its case: how attendees are recognised."""
        wanted = (address or "").lower()
        return next((user for user in self.users if user.email.lower() == wanted), None) if wanted else None

    def calendar_of(self, user: OroUser) -> int:
        """The id of the user's own calendar."""
        return next(number for number, owner in self.calendars.items() if owner == user.id)

    def calendar_owner(self, calendar: int | None) -> OroUser | None:
        """Whose calendar it is; None for no calendar or an unknown one."""
        owner = self.calendars.get(calendar) if calendar is not None else None
        return None if owner is None else self.users.get(owner)

    # what a user may do

    def level(self, user: OroUser, entity: str, action: str = "view") -> str:
        """none, own or system."""
        return user.permissions.get(entity, {}).get(action, permissions.NONE)

    def may(self, user: OroUser, entity: str, action: str, owner: int | None) -> bool:
        """Whether this user may do this to a record of this owner."""
        level = self.level(user, entity, action)
        return level == permissions.SYSTEM or (level == permissions.OWN and owner == user.id)

    def may_event(self, user: OroUser, event: Event, action: str = "view") -> bool:
        """The same for an event: its owner is the owner of its calendar."""
        owner = self.calendar_owner(event.calendar)
        return self.may(user, "event", action, owner.id if owner else None)

    # tags

    def tag_id(self, name: str) -> int:
        """The id of a tag, made when there is none of that name."""
        for number, known in self.tags.items():
            if known == name:
                return number
        number = max(self.tags, default=0) + 1
        self.tags[number] = name
        return number

    def address_list(self, contact: Contact) -> list[Address]:
        """The addresses of a contact, oldest first."""
        found = (self.addresses.get(number) for number in contact.addresses)
        return [address for address in found if address is not None]

    def primary(self, rows: list[Any]) -> str | None:
        """The value of the primary row of e-mails or phones."""
        return next((row.value for row in rows if row.primary), None)
