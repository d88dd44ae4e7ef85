"""The catalogue of fields: what each entity is made of, how a field merges, and which ones belong together.

Names, kinds and groups follow design.md 4.2 and rule R11 of the engine's specification. Values are described in
`records.py`; normal forms are made in `canonical.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from orosync.core.records import Entity


class Kind(StrEnum):
    SCALAR = "scalar"  # one value, replaced whole
    TEXT = "text"  # several lines: merged line by line where possible
    SET = "set"  # a list whose members merge one by one; the first is the primary
    ADDRESS = "address"  # a postal address, replaced whole


class Direction(StrEnum):
    """Where a field, or a whole entity, may travel."""

    BOTH = "both"
    TO_OUTLOOK = "to_outlook"
    TO_ORO = "to_oro"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. group: fields of one group merge as one. yields: an Outlook value is only overwritten when
    OroCRM's own value changed (a task's status). default: the direction unless an administrator chooses another."""

    name: str
    kind: Kind = Kind.SCALAR
    group: str = ""
    yields: bool = False
    default: Direction = Direction.BOTH

    @property
    def unit(self) -> str:
        """The name under which the field merges: its group, or itself."""
        return self.group or self.name


CATALOGUE: dict[Entity, tuple[Field, ...]] = {
    Entity.CONTACT: (
        Field("first_name", group="name"),
        Field("middle_name", group="name"),
        Field("last_name", group="name"),
        Field("name_suffix", group="name"),
        Field("description", Kind.TEXT),
        Field("emails", Kind.SET),
        Field("primary_phone"),
        Field("job_title"),
        Field("birthday"),
        Field("gender"),
        Field("fax"),
        Field("billing_address", Kind.ADDRESS),
        Field("shipping_address", Kind.ADDRESS),
        Field("other_address", Kind.ADDRESS),
    ),
    Entity.TASK: (
        Field("subject"),
        Field("priority"),
        Field("due_date"),
        Field("status", yields=True),
        Field("description", Kind.TEXT, default=Direction.OFF),
    ),
    Entity.EVENT: (
        Field("title"),
        Field("start", group="time"),
        Field("end", group="time"),
        Field("all_day", group="time"),
        Field("recurrence", group="time"),
        Field("description", Kind.TEXT, default=Direction.OFF),
    ),
}


def _units(fields: tuple[Field, ...]) -> Mapping[str, tuple[Field, ...]]:
    names = dict.fromkeys(each.unit for each in fields)
    return MappingProxyType({name: tuple(each for each in fields if each.unit == name) for name in names})


# worked out once: they are asked for every field of every record
_UNITS = {entity: _units(fields) for entity, fields in CATALOGUE.items()}

# Oro's own default match keys (design.md 4.1).
DEFAULT_MATCH_KEYS: dict[Entity, tuple[str, ...]] = {
    Entity.CONTACT: ("first_name", "last_name", "gender", "birthday"),
    Entity.TASK: ("subject", "priority"),
    Entity.EVENT: ("title", "start", "end", "all_day"),
}


def fields_of(entity: Entity) -> tuple[Field, ...]:
    return CATALOGUE[entity]


def units_of(entity: Entity) -> Mapping[str, tuple[Field, ...]]:
    """The units of merging in catalogue order: {"name": (first_name, ...), "emails": (emails,), ...}."""
    return _UNITS[entity]


def empty_record(entity: Entity) -> dict[str, None]:
    return {each.name: None for each in CATALOGUE[entity]}
