"""What a resource of the JSON:API is made of: attributes, relations, filters and sort orders.

The resources themselves are in `schema_contacts` and `schema`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro.records import Ref
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import json_api_time

Read = Callable[[OroState, Any], Any]


@dataclass(frozen=True)
class Relation:
    """`read` gives a reference or None, or a list of them when `many`; `entity` is whose view permission counts."""

    read: Read
    many: bool = False
    entity: str | None = None
    writable: bool = True
    linked: bool = True


@dataclass(frozen=True)
class Filter:
    """`kind`: number, text, texts (comma-separated), time, search or target; `many`: the field is a list."""

    kind: str
    read: Read
    many: bool = False
    key: str | None = None


@dataclass(frozen=True)
class Resource:
    """One resource; `entity` None needs no permission to read."""

    name: str
    entity: str | None
    attributes: Mapping[str, Read]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: frozenset[str] = frozenset({"id"})
    numbered: bool = True
    list_methods: str = "OPTIONS, GET"
    item_methods: str = "OPTIONS, GET"


def one(kind: str, read: Read, entity: str | None = None, *, writable: bool = True) -> Relation:
    """A relation to one record."""

    def reference(state: OroState, record: Any) -> Ref | None:
        identifier = read(state, record)
        return None if identifier is None else (kind, identifier)

    return Relation(reference, entity=entity, writable=writable)


def many(kind: str, read: Read, entity: str | None = None, *, writable: bool = True) -> Relation:
    """A relation to several records."""

    def references(state: OroState, record: Any) -> list[Ref]:
        return [(kind, identifier) for identifier in read(state, record)]

    return Relation(references, many=True, entity=entity, writable=writable)


def named(name: str) -> Read:
    """Reads an attribute of the stored record."""
    return lambda _state, record: getattr(record, name)


def stamp(name: str) -> Read:
    """Reads a time as the JSON:API prints it."""
    return lambda _state, record: json_api_time(getattr(record, name))


def nothing(_state: OroState, _record: Any) -> tuple[()]:
    """An empty list of relations."""
    return ()


def none(_state: OroState, _record: Any) -> None:
    """A value that is never set here."""
    return
