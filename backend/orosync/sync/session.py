"""What one run carries from step to step: sides, store, clock and ids, settings and context, and its counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from orosync.core.mapping.lens import Context
from orosync.core.mapping.places import Places
from orosync.core.records import Entity, Json, Side
from orosync.core.scope import Policy
from orosync.core.settings import Settings
from orosync.errors import OrosyncError
from orosync.sync.ports import AccountStore, Clock, Ids, SidePort
from orosync.sync.under_way import Launch, in_turn

Mode = Literal["sync", "preview", "resync", "resync_preview"]
Progress = Callable[[str, int, int], None]  # (what is being done, done, in all)


_NOT_YET = datetime.min.replace(tzinfo=UTC)


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked of one run. entities: None means all that the settings want. approve: hash of a plan a person
    agreed to. sweep: read OroCRM's lists whole, as *Sync now* does; else when their interval is over. sides: whose
    change feeds are read. background: nobody asked; a run that found nothing to do leaves no trace in the history."""

    mode: Mode = "sync"
    entities: frozenset[Entity] | None = None
    approve: str | None = None
    replace: bool = False
    sweep: bool = False
    sides: frozenset[Side] = frozenset(Side)
    background: bool = False

    @property
    def preview(self) -> bool:
        return self.mode in {"preview", "resync_preview"}

    @property
    def resync(self) -> bool:
        return self.mode in {"resync", "resync_preview"}


@dataclass
class EntityCounts:
    """What a run did (or, in a preview, would do) with one entity."""

    created: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    updated: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    deleted: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    linked: int = 0
    conflicts: int = 0
    quarantined: int = 0
    held: int = 0
    unchanged: int = 0
    waiting: int = 0
    left: dict[str, int] = field(default_factory=dict)  # rule -> how many were left alone

    def to_json(self) -> Json:
        verbs = {"created": self.created, "updated": self.updated, "deleted": self.deleted}
        sides = {side.value: {verb: counts[side] for verb, counts in verbs.items()} for side in Side}
        rest = {
            name: getattr(self, name) for name in ("linked", "conflicts", "quarantined", "held", "unchanged", "waiting")
        }
        return {**sides, **rest, "left": dict(sorted(self.left.items()))}

    @property
    def said_something(self) -> bool:
        """Anything that a person would look for in the history."""
        return bool(self.writes or self.linked or self.conflicts or self.quarantined)

    @property
    def writes(self) -> int:
        return sum(sum(each.values()) for each in (self.created, self.updated, self.deleted))


@dataclass
class Session:
    """One run of one account."""

    run: str
    request: RunRequest
    store: AccountStore
    sides: Mapping[Side, SidePort]
    clock: Clock
    ids: Ids
    settings: Settings
    entities: tuple[Entity, ...] = ()
    context: Context = field(default_factory=Context)
    endpoint: str = ""  # who is connected with whom: part of every fingerprint and op id
    since: str = ""  # when this database met the mailbox: part of every op id
    colleagues: AbstractSet[str] = frozenset()
    progress: Progress = _silent
    launch: Launch = in_turn
    side_by_side: bool = False  # both sides are asked at the same time, with `launch`
    counts: dict[Entity, EntityCounts] = field(default_factory=dict)
    failures: dict[tuple[Side, Entity], OrosyncError] = field(default_factory=dict)
    # halves of records of which nobody knows what became of a write to them: nothing is planned for them in this run
    busy: set[tuple[Entity, Side, str]] = field(default_factory=set)
    # where something new could not be read: what seems to be alone on the other side may have its partner there
    unread: set[tuple[Side, Entity]] = field(default_factory=set)
    approved: bool = False  # a person agreed to this plan: its ops do not count towards the guard's budgets
    agreed: frozenset[str] = frozenset()  # what ops say that a person agreed to in a plan that was broken off
    started: datetime = _NOT_YET
    begun: bool = False  # the run stands in the history
    arrivals: list[tuple[Side, float]] = field(default_factory=list)  # changes carried over: whereto, after seconds
    journaled_before: int = 0  # items of journal rows up to this number were read by former runs: they may be old

    def of(self, entity: Entity) -> EntityCounts:
        return self.counts.setdefault(entity, EntityCounts())

    def policy(self, entity: Entity) -> Policy:
        """Settings and facts as the planner wants them, for one entity."""
        today: date = self.clock.now().date()
        back, ahead = self.settings.event_window
        return Policy(
            settings=self.settings,
            context=self.context,
            first_sync=not self.first_done(entity),
            reconcile=self.request.resync,
            window=((today - timedelta(days=back)).isoformat(), (today + timedelta(days=ahead)).isoformat()),
            colleagues=self.colleagues,
            choices=self._choices(entity),
        )

    def _choices(self, entity: Entity) -> dict[tuple[str, str], Side]:
        """Answers to conflicts that were asked; no run has acted on them yet."""
        return {
            (row.outlook_id or "", row.field): Side(row.choice)
            for row in self.store.conflicts()
            if row.entity is entity and row.choice is not None
        }

    def first_done(self, entity: Entity) -> bool:
        return all(self.store.cursor(side, entity).first_done for side in Side)


def context_of(facts: Mapping[str, Json], orocrm_url: str, settings: Settings) -> Context:
    """The stored facts of both sides as the lenses want them."""
    outlook, oro = facts["outlook"], facts["oro"]
    places = Places(
        countries=oro.get("countries", {}),
        regions={key: (value[0], value[1], value[2]) for key, value in oro.get("regions", {}).items()},
    )
    return Context(
        places=places,
        mailbox_zone=outlook.get("zone") or "UTC",
        oro_zone=oro.get("zone") or "UTC",
        oro_url=orocrm_url,
        oro_user_id=str(oro.get("user_id") or ""),
        calendar_id=str(oro.get("calendar_id") or ""),
        contact_external_id=bool(oro.get("contact_external_id")),
        private_items=settings.private_items.value,
    )
