"""What a mailbox holds: items in containers. Values only; the rules of each kind are in contacts, tasks, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from orosync.sandbox.graph.changes import ChangeLog
from orosync.sandbox.graph.ids import change_key
from orosync.sandbox.graph.wire import JSON

Kind = Literal["contact", "task", "event"]
KINDS: tuple[Kind, ...] = ("contact", "task", "event")


@dataclass(slots=True)
class Container:
    """A contact folder, To Do list or calendar. `wellknown` is empty for those a person made."""

    kind: Kind
    serial: int
    id: str
    name: str
    wellknown: str = ""
    parent: Container | None = None
    version: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    log: ChangeLog = field(default_factory=ChangeLog)


class Item:
    """One contact, task or event. `data` holds only what differs from Graph's defaults, to keep it small."""

    __slots__ = (
        "container",
        "created",
        "data",
        "extended",
        "kind",
        "links",
        "modified",
        "moves",
        "serial",
        "timing",
        "version",
    )

    def __init__(self, serial: int, kind: Kind, container: Container, now: datetime) -> None:
        self.serial = serial
        self.kind: Kind = kind
        self.container = container
        self.data: JSON = {}
        self.extended: dict[str, str] | None = None
        self.version = 0
        self.created = now
        self.modified = now
        self.moves = 0
        self.links: list[JSON] = []  # linkedResources of a task
        self.timing: Timing | None = None  # of an event

    @property
    def when(self) -> Timing:
        """The timing of an event; raises TypeError for another kind."""
        if self.timing is None:
            message = f"a {self.kind} has no timing"
            raise TypeError(message)
        return self.timing

    @property
    def change_key(self) -> str:
        return change_key(self.serial, self.version)

    @property
    def etag(self) -> str:
        return f'W/"{self.change_key}"'


@dataclass(slots=True)
class Timing:
    """When an event is. Wall times without offset; `all_day` ones float (graph-api.md 3.1)."""

    start: datetime
    end: datetime
    start_zone: str
    end_zone: str
    all_day: bool = False
    recurrence: JSON | None = None
    # by original date yyyymmdd: what differs on that day, and the days taken out
    exceptions: dict[str, JSON] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One day of a series: its original date names it, its times may have been moved."""

    day: str
    start: datetime
    end: datetime
    changes: JSON | None = None

    @property
    def date(self) -> date:
        return date.fromisoformat(f"{self.day[:4]}-{self.day[4:6]}-{self.day[6:]}")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail the mailbox sent because of a request: who got it and why (graph-api.md 3.3)."""

    kind: Literal["invitation", "update", "cancellation", "response"]
    to: str
    subject: str
    event_id: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "to": self.to, "subject": self.subject, "eventId": self.event_id}
