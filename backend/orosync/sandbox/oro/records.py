"""The records of the simulated OroCRM as plain values.

They know nothing of requests or rules; attribute names are those of the API, ids are numbers. Times are aware,
UTC and whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Ref = tuple[str, Any]
"""Type and id of a resource, for example `("contacts", 1)`."""


@dataclass
class OroSettings:
    """How the instance is set up; may be changed while it runs.

    `audited=False` switches the data audit off (an entity setting in OroCRM), `async_polls` is how often an
    asynchronous operation shows as new before a poll finds it done, `unstable_paging` lets the pages of calendar
    events repeat and lose rows (calendarevents-list-paging-unstable), `webhook_accessible` names the entities
    (contact, task, event) that webhooks tell of; none is after installation, and before 7.0.2 there are no webhooks.
    """

    web_api_enabled: bool = True
    wsse: bool = True
    oauth: bool = True
    version: str = "5.1"
    workflow_active: bool = True
    contact_external_id: bool = False
    two_operators_count: bool = False
    path_prefix: str = ""
    max_page_size: int | None = None
    audit_consumer_running: bool = True
    audited: bool = True
    async_polls: int = 1
    unstable_paging: bool = True
    webhook_accessible: tuple[str, ...] = ()
    organization: str = "Acme"
    system_time_zone: str = "UTC"

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers."""
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())


@dataclass
class OroUser:
    """A user; `permissions` is entity -> action -> none, own or system."""

    id: int
    username: str
    email: str
    first_name: str
    last_name: str
    permissions: dict[str, dict[str, str]]
    created_at: datetime
    updated_at: datetime
    api_key: str
    password: str
    role_id: int = 1
    enabled: bool = True
    time_zone: str = "UTC"
    language: str = "en"
    logins: int = 0
    last_login: datetime | None = None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(slots=True)
class ListRow:
    """One e-mail address or phone number of a contact."""

    id: int
    value: str
    primary: bool = False


@dataclass(slots=True)
class Contact:
    """`attributes` holds the plain ones that are set, `relations` ids of single ones and lists of ids."""

    id: int
    attributes: dict[str, Any]
    relations: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    emails: list[ListRow] = field(default_factory=list)
    phones: list[ListRow] = field(default_factory=list)
    addresses: list[int] = field(default_factory=list)

    @property
    def owner(self) -> int | None:
        """Id of the owning user."""
        owner: int | None = self.relations.get("owner")
        return owner

    @property
    def title(self) -> str:
        """The name as OroCRM prints it, or the first address or number."""
        names = ("namePrefix", "firstName", "middleName", "lastName", "nameSuffix")
        text = " ".join(str(self.attributes[name]) for name in names if self.attributes.get(name))
        if text:
            return text
        rows = self.emails or self.phones
        return rows[0].value if rows else ""


@dataclass(slots=True)
class Address:
    """An address of a contact."""

    id: int
    contact: int
    attributes: dict[str, Any]
    primary: bool
    types: list[str]
    country: str | None
    region: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Task:
    """`ruled`: the workflow restricts the status (true for tasks made while it was active)."""

    id: int
    subject: str
    description: str | None
    due_date: datetime | None
    status: str
    priority: str
    owner: int | None
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    targets: list[Ref] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    workflow_item: int | None = None
    ruled: bool = False

    @property
    def title(self) -> str:
        """What OroCRM calls it."""
        return self.subject


@dataclass(slots=True)
class CrmRecord:
    """An account, lead, opportunity, case, note or call; `kind` is the name of its resource.

    `attributes` holds what is set, `relations` ids of single ones and lists of ids. `changed`: it was edited since it
    was made. `targets` is what a note or call is about.
    """

    id: int
    kind: str
    attributes: dict[str, Any]
    relations: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    emails: list[ListRow] = field(default_factory=list)
    phones: list[ListRow] = field(default_factory=list)
    targets: list[Ref] = field(default_factory=list)
    changed: bool = False

    @property
    def owner(self) -> int | None:
        """Id of the owning user."""
        owner: int | None = self.relations.get("owner")
        return owner

    @property
    def title(self) -> str:
        """What OroCRM calls it."""
        return str(self.attributes.get("name") or self.attributes.get("subject") or f"Item #{self.id}")


@dataclass(slots=True)
class Attendee:
    """An attendee of an event; `user` is the OroCRM user with that address, if there is one."""

    display_name: str | None
    email: str | None
    status: str
    type: str | None
    user: int | None
    created_at: datetime
    updated_at: datetime

    @property
    def who(self) -> str:
        """What tells attendees apart."""
        return (self.email or self.display_name or "").lower()


@dataclass(slots=True)
class Recurrence:
    """A rule as the API shows it; `rule` has the API's keys except id and time zone."""

    id: int
    rule: dict[str, Any]
    time_zone: str


@dataclass(slots=True)
class Event:
    """A calendar event; `calendar` None is an orphan, `parent` set is an invited user's copy."""

    id: int
    uid: str
    calendar: int | None
    title: str
    description: str | None
    start: datetime
    end: datetime
    all_day: bool
    color: str | None
    created_at: datetime
    updated_at: datetime
    reminders: list[dict[str, Any]] = field(default_factory=list)
    attendees: list[Attendee] = field(default_factory=list)
    recurrence: Recurrence | None = None
    series: int | None = None
    original_start: datetime | None = None
    cancelled: bool = False
    parent: int | None = None
    organizer: int | None = None
    organizer_email: str = ""
    organizer_name: str = ""
    contacts: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Audit:
    """One entry of the data audit."""

    id: int
    action: str
    updated_at: datetime
    object_class: str
    object_id: str
    object_name: str
    version: int
    transaction: str
    user: int | None
    data: dict[str, Any]
    additional: dict[str, Any] | list[Any]

    @property
    def logged_at(self) -> datetime:
        """When it was logged."""
        return self.updated_at


@dataclass
class OAuthClient:
    """An OAuth application; a public one has no secret."""

    id: str
    secret: str | None
    grants: frozenset[str]
    owner: int
    redirect_uris: tuple[str, ...] = ()
    plain_challenge: bool = False
    active: bool = True


@dataclass
class AsyncOperation:
    """An asynchronous list operation on contacts."""

    id: int
    owner: int
    body: bytes
    created_at: datetime
    updated_at: datetime
    entity_type: str = "contacts"
    status: str = "new"
    summary: dict[str, int] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    polls_left: int = 1


@dataclass(frozen=True)
class Mail:
    """A mail OroCRM would have sent to an attendee, because `notifyAttendees` asked for it."""

    to: str
    subject: str
    kind: str
    event: int


Clock = Callable[[], datetime]
