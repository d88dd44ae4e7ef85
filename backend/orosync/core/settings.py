"""Settings as values: what can be chosen, on which level, and what is in force for one account (design.md 4.3).

A level's values are plain JSON by dotted key ("guard.creates"); `effective` lays the levels over each other and
returns the typed `Settings` that the rest of the core decides by. Where levels are stored is left to the store.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from orosync.core.fields import CATALOGUE, DEFAULT_MATCH_KEYS, Direction, Field, units_of
from orosync.core.records import NOTHING, Entity, Json
from orosync.core.setting_values import Names, Object, OneOf, Pair, Shape, Text, Whole, YesNo
from orosync.errors import SettingError

DEFAULT = "default"  # the mailbox's own contacts folder, To Do list or calendar


class Level(StrEnum):
    """Where a value was set; a later one overrides the earlier ones."""

    SYSTEM = "system"
    ORGANISATION = "organisation"
    USER = "user"


class SyncDirection(StrEnum):
    BIDIRECTIONAL = "bidirectional"
    ORO_TO_OUTLOOK = "oro_to_outlook"
    OUTLOOK_TO_ORO = "outlook_to_oro"


class ConflictRule(StrEnum):
    """Who wins where the same field changed differently on both sides."""

    ORO_WINS = "oro_wins"
    OUTLOOK_WINS = "outlook_wins"
    NEWEST = "newest"
    ASK = "ask"


class OnDeleteInOutlook(StrEnum):
    RESTORE = "restore"
    PROPAGATE = "propagate"
    IGNORE = "ignore"


class OnDeleteInOro(StrEnum):
    PROPAGATE = "propagate"
    IGNORE = "ignore"


class ResyncMode(StrEnum):
    RELINK = "relink"
    REPLACE = "replace"


class PrivateItems(StrEnum):
    SKIP = "skip"
    BUSY_ONLY = "busy_only"
    INCLUDE = "include"


class OroScope(StrEnum):
    AVAILABLE = "available"
    OWNED = "owned"


class SyncType(StrEnum):
    ALL = "all"
    SELECTED = "selected"


class MeetingUpdates(StrEnum):
    """Whether a meeting of the mailbox's owner may be changed or deleted in Outlook, which mails its attendees."""

    NEVER = "never"
    ORGANISER = "organiser"


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What may be done without asking in rolling 24 hours (rule R20); *_percent are of the scope's live links.

    Deletes are held above both limits, so that a handful of deletions in a small scope passes.
    """

    deletes_at_least: int = 10
    deletes_percent: int = 5
    overwrites_percent: int = 30
    creates: int = 200  # outside an approved first sync
    mails_first_sync: int = 0
    mails: int = 20


class EventWindow(NamedTuple):
    """Days counted from today; events outside are out of scope."""

    days_back: int = 30
    days_ahead: int = 365


def _default_match_keys() -> Mapping[Entity, tuple[str, ...]]:
    return MappingProxyType(dict(DEFAULT_MATCH_KEYS))


def _default_directions() -> Mapping[Entity, Mapping[str, Direction]]:
    return MappingProxyType({e: MappingProxyType({f.name: f.default for f in CATALOGUE[e]}) for e in Entity})


@dataclass(frozen=True)
class Settings:
    """What is in force for one account; `Settings()` is all defaults. Intervals are in seconds.

    `field_direction` and `match_keys` are complete: every entity, and every field of the catalogue.
    """

    sync_direction: SyncDirection = SyncDirection.BIDIRECTIONAL
    conflict_resolution: ConflictRule = ConflictRule.ORO_WINS
    crm_sync_interval: int = 120
    outlook_sync_interval: int = 30
    crm_sweep_interval: int = 3600
    sync_contacts: bool = True
    sync_tasks: bool = True
    sync_events: bool = True
    match_keys: Mapping[Entity, tuple[str, ...]] = field(default_factory=_default_match_keys)
    match_before_create: bool = False
    on_delete_in_outlook: OnDeleteInOutlook = OnDeleteInOutlook.RESTORE
    on_delete_in_oro: OnDeleteInOro = OnDeleteInOro.PROPAGATE
    resync_mode: ResyncMode = ResyncMode.RELINK
    guard: GuardLimits = field(default_factory=GuardLimits)
    event_window: EventWindow = field(default_factory=EventWindow)
    private_items: PrivateItems = PrivateItems.SKIP
    meeting_updates: MeetingUpdates = MeetingUpdates.NEVER
    oro_scope: OroScope = OroScope.AVAILABLE
    field_direction: Mapping[Entity, Mapping[str, Direction]] = field(default_factory=_default_directions)
    contacts_folder: str = DEFAULT
    tasks_list: str = DEFAULT
    calendar: str = DEFAULT
    addin_look: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    enable_sync: bool = True
    show_alerts: bool = True
    sync_type: SyncType = SyncType.ALL
    selected_category: str = "OroCRM"
    sync_birthdays: bool = True

    def wants(self, entity: Entity) -> bool:
        """True if records of this entity are synced: by themselves while `enable_sync` is on, and on demand."""
        chosen = {
            Entity.CONTACT: self.sync_contacts,
            Entity.TASK: self.sync_tasks,
            Entity.EVENT: self.sync_events,
        }
        return chosen[entity]

    def container_name(self, entity: Entity) -> str:
        """The Outlook folder, list or calendar by name; `DEFAULT` is the mailbox's own."""
        names = {
            Entity.CONTACT: self.contacts_folder,
            Entity.TASK: self.tasks_list,
            Entity.EVENT: self.calendar,
        }
        return names[entity]

    def direction_of(self, entity: Entity, name: str) -> Direction:
        """Where this field may travel: its own direction within the account's. KeyError for an unknown field.

        Fields that merge as one (a name, an event's time) travel as one: only where each of them may.
        """
        return self._directions[entity][name]

    @cached_property
    def _directions(self) -> Mapping[Entity, Mapping[str, Direction]]:
        """Worked out once: each field of each record asks."""
        return {entity: {each.name: self._direction(entity, each) for each in CATALOGUE[entity]} for entity in Entity}

    @cached_property
    def fingerprints(self) -> Mapping[Entity, str]:
        """Worked out once: a run asks a dozen times. See `fingerprint`."""
        return {entity: _fingerprint(self, entity) for entity in Entity}

    def _direction(self, entity: Entity, which: Field) -> Direction:
        ways = _WAYS[_AS_DIRECTION[self.sync_direction]]
        for each in units_of(entity)[which.unit]:
            ways = ways & _WAYS[self.field_direction[entity][each.name]]
        if (entity, which.name) == (Entity.CONTACT, "birthday") and not self.sync_birthdays:
            return Direction.OFF
        return _DIRECTION_OF[ways]


_WAYS = {
    Direction.BOTH: frozenset({Direction.TO_OUTLOOK, Direction.TO_ORO}),
    Direction.TO_OUTLOOK: frozenset({Direction.TO_OUTLOOK}),
    Direction.TO_ORO: frozenset({Direction.TO_ORO}),
    Direction.OFF: frozenset[Direction](),
}
_DIRECTION_OF = {ways: direction for direction, ways in _WAYS.items()}
_AS_DIRECTION = {
    SyncDirection.BIDIRECTIONAL: Direction.BOTH,
    SyncDirection.ORO_TO_OUTLOOK: Direction.TO_OUTLOOK,
    SyncDirection.OUTLOOK_TO_ORO: Direction.TO_ORO,
}


@dataclass(frozen=True, slots=True)
class SettingKey:
    """One entry of the catalogue: what `--help`, the documentation and the pane say about a setting."""

    key: str
    levels: tuple[Level, ...]
    shape: Shape
    default: Any  # in JSON form
    description: str

    @property
    def allowed(self) -> str:
        return self.shape.allowed


_ADMIN = (Level.SYSTEM, Level.ORGANISATION)
_ANY = (Level.SYSTEM, Level.ORGANISATION, Level.USER)
_USER = (Level.USER,)
_DAY = 86_399  # OroCRM's own upper limit of an interval
_MANY = 1_000_000
_PERCENT = Whole(0, 100, "per cent")
_COUNT = Whole(0, _MANY)
_WINDOW = Whole(0, 900, "days")  # Graph's calendarView accepts 1825 days (graph-api.md 3); the sum stays below
_CONTAINER = Text(255, DEFAULT)

_Row = tuple[str, tuple[Level, ...], Shape, str]

_PLAIN: tuple[_Row, ...] = (
    ("sync_direction", _ADMIN, OneOf(SyncDirection), "where changes travel"),
    ("conflict_resolution", _ADMIN, OneOf(ConflictRule), "who wins where one field was changed on both sides"),
    ("crm_sync_interval", _ADMIN, Whole(1, _DAY, "seconds"), "how often OroCRM is asked for changes"),
    ("outlook_sync_interval", _ADMIN, Whole(1, _DAY, "seconds"), "how often Outlook is asked for changes"),
    ("crm_sweep_interval", _ADMIN, Whole(60, _DAY, "seconds"), "how often all of OroCRM's records are compared"),
    ("sync_contacts", _ANY, YesNo(), "sync contacts"),
    ("sync_tasks", _ANY, YesNo(), "sync tasks"),
    ("sync_events", _ANY, YesNo(), "sync calendar events"),
    ("match_before_create", _ADMIN, YesNo(), "Outlook to OroCRM: link a matching record instead of creating one"),
    ("on_delete_in_outlook", _ADMIN, OneOf(OnDeleteInOutlook), "what a deletion in Outlook does to OroCRM"),
    ("on_delete_in_oro", _ADMIN, OneOf(OnDeleteInOro), "what a deletion in OroCRM does to Outlook"),
    ("resync_mode", _ADMIN, OneOf(ResyncMode), "whether a resync compares, or replaces what it made in Outlook"),
    ("guard.deletes_at_least", _ADMIN, _COUNT, "deletions a day that never need an approval"),
    ("guard.deletes_percent", _ADMIN, _PERCENT, "deletions a day without approval, in per cent of linked records"),
    ("guard.overwrites_percent", _ADMIN, _PERCENT, "overwritten records a day without approval, in per cent"),
    ("guard.creates", _ADMIN, _COUNT, "new records a day without approval, outside a first sync"),
    ("guard.mails_first_sync", _ADMIN, _COUNT, "meeting mails a first sync may cause without approval"),
    ("guard.mails", _ADMIN, _COUNT, "meeting mails a day that sync may cause without approval"),
    ("event_window", _ADMIN, Pair(_WINDOW, "back and ahead"), "which events are in scope"),
    ("private_items", _ADMIN, OneOf(PrivateItems), "what OroCRM gets to see of Outlook's private items"),
    ("meeting_updates", _ADMIN, OneOf(MeetingUpdates), "whose meetings may be changed in Outlook, mailing attendees"),
    ("oro_scope", (Level.ORGANISATION, Level.USER), OneOf(OroScope), "OroCRM records: all one may see, or one's own"),
    ("contacts_folder", _USER, _CONTAINER, "Outlook's contacts folder, created when missing"),
    ("tasks_list", _USER, _CONTAINER, "Outlook's To Do list, created when missing"),
    ("calendar", _USER, _CONTAINER, "Outlook's calendar, created when missing"),
    ("addin_look", _ADMIN, Object(400_000), "name, logo, colour, sections and texts of the pane"),
    ("enable_sync", _USER, YesNo(), "sync this account by itself; off: only on demand"),
    ("show_alerts", _USER, YesNo(), "show what needs attention in the pane"),
    ("sync_type", _USER, OneOf(SyncType), "all records, or those of one category, owned or tagged"),
    ("selected_category", _USER, Text(255), "the Outlook category and OroCRM tag meant by sync_type=selected"),
    ("sync_birthdays", _USER, YesNo(), "sync the birthdays of contacts"),
)


def _rows() -> Iterator[_Row]:
    yield from _PLAIN
    for entity, catalogue in CATALOGUE.items():
        names = tuple(each.name for each in catalogue)
        yield f"match_keys.{entity}", _ADMIN, Names(names), f"fields that tell that two {entity}s are the same"
        for name in names:
            yield f"field_direction.{entity}.{name}", _ADMIN, OneOf(Direction), f"where {name} of a {entity} travels"


def _value_of(settings: Settings, key: str) -> Any:
    """The JSON form of one setting."""
    first, *rest = key.split(".")
    value: Any = getattr(settings, first)
    for part in rest:
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


KEYS: Mapping[str, SettingKey] = MappingProxyType(
    {key: SettingKey(key, levels, shape, _value_of(Settings(), key), text) for key, levels, shape, text in _rows()}
)

# Asked for under the names of design.md 4.3, but kept with the account's connection.
_OF_THE_CONNECTION = ("orocrm_url", "trust_certificate")


def setting_named(key: str) -> SettingKey:
    """The catalogue's entry. Raises SettingError that suggests the nearest key."""
    if key in KEYS:
        return KEYS[key]
    if key in _OF_THE_CONNECTION:
        remedy = "It belongs to the account's connection: see `orosync accounts add --help`."
    elif near := difflib.get_close_matches(key, KEYS, n=1):
        remedy = f"Did you mean {near[0]}?"
    else:
        remedy = "`orosync settings show` lists all settings."
    raise SettingError(f"There is no setting {_shown(key)}.", field=key, remedy=remedy)


def validate(key: str, value: object, level: Level) -> Any:
    """The value in its normal JSON form. Raises SettingError: unknown key, not for this level, value not allowed."""
    entry = setting_named(key)
    if level not in entry.levels:
        where = " or ".join(entry.levels)
        raise SettingError(
            f"{key} cannot be set for the {level}.", field=key, remedy=f"Set it for the {where} instead."
        )
    try:
        return entry.shape.check(value)
    except ValueError as error:
        raise _refused(entry, value) from error


def parse(key: str, text: str) -> Any:
    """The JSON form of what was typed after `KEY=`; `validate` judges it. Raises SettingError if it cannot be read."""
    entry = setting_named(key)
    try:
        return entry.shape.read(text.strip())
    except ValueError as error:
        raise _refused(entry, text) from error


def _refused(entry: SettingKey, value: object) -> SettingError:
    return SettingError(f"{entry.key} cannot be {_shown(value)}.", field=entry.key, remedy=f"Give {entry.allowed}.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def effective(system: Mapping[str, Any], organisation: Mapping[str, Any], user: Mapping[str, Any]) -> Settings:
    """What is in force: the user's value, else the organisation's, else the system's, else the default.

    A key that is missing on a level means "use the level above". Raises SettingError for a stored value that is not
    valid (any more), or is stored on a level where it must not be: guessing could widen what is synced.
    """
    values = {key: entry.default for key, entry in KEYS.items()}
    for level, chosen in ((Level.SYSTEM, system), (Level.ORGANISATION, organisation), (Level.USER, user)):
        values.update({key: validate(key, value, level) for key, value in chosen.items()})
    return _typed(values)


def _typed(values: Mapping[str, Any]) -> Settings:
    plain: Json = {}
    for key, value in values.items():
        shape = KEYS[key].shape
        if "." not in key:
            plain[key] = shape.words(value) if isinstance(shape, OneOf) else value
    plain["event_window"] = EventWindow(*values["event_window"])
    plain["addin_look"] = MappingProxyType(values["addin_look"])
    guard = GuardLimits(**{limit.name: values[f"guard.{limit.name}"] for limit in fields(GuardLimits)})
    match_keys = {entity: tuple(values[f"match_keys.{entity}"]) for entity in Entity}
    directions = {
        entity: MappingProxyType(
            {each.name: Direction(values[f"field_direction.{entity}.{each.name}"]) for each in CATALOGUE[entity]}
        )
        for entity in Entity
    }
    return Settings(
        **plain,
        guard=guard,
        match_keys=MappingProxyType(match_keys),
        field_direction=MappingProxyType(directions),
    )


def as_json(settings: Settings) -> Json:
    """Every setting by its dotted key, in the catalogue's order."""
    return {key: _value_of(settings, key) for key in KEYS}


def fingerprint(settings: Settings, entity: Entity) -> str:
    """A digest (32 hex digits) of the settings whose change would move many records of this entity at once.

    Conflict rule, intervals, limits and what follows a deletion are not among them: they act on one change at a time.
    """
    return settings.fingerprints[entity]


def _fingerprint(settings: Settings, entity: Entity) -> str:
    moving: Json = {
        "sync_direction": settings.sync_direction,
        "match_keys": settings.match_keys[entity],
        "match_before_create": settings.match_before_create,
        "private_items": settings.private_items,
        "oro_scope": settings.oro_scope,
        "container": settings.container_name(entity),
        "fields": {each.name: settings.direction_of(entity, each.name) for each in CATALOGUE[entity]},
        "selected": settings.selected_category if settings.sync_type is SyncType.SELECTED else None,
    }
    if entity is Entity.EVENT:
        moving["event_window"] = settings.event_window
        moving["meeting_updates"] = settings.meeting_updates
    text = json.dumps(moving, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).hexdigest()
