"""What people did, told by nobody but their own hands: the reference against which both systems are compared.

It knows every edit (record, field, value, side, time) and every deletion, never a plan or a shadow. What the program
links is told to it at quiet points, when it can be seen on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.proof.values import FIRST, field_of, traces

from orosync.core.records import Entity, Side

Key = tuple[Side, Entity, str]  # one item or record: side, entity, id


@dataclass(frozen=True)
class Edit:
    """runs: how many runs had begun before it, of this story."""

    at: datetime
    key: Key
    field: str
    value: Any
    runs: int


@dataclass
class Pair:
    """Both halves as they were linked and seen at the last quiet point: field -> value, by side."""

    entity: Entity
    ids: Mapping[Side, str]
    seen: Mapping[Side, Mapping[str, Any]]

    def key(self, side: Side) -> Key:
        return (side, self.entity, self.ids[side])


@dataclass
class Model:
    """edits, made, removed: since the last quiet point. owed: per item and field the traces of what was last typed in
    there; they have to be somewhere, always. vague: records whose halves must agree, but nobody can say on what. loose:
    nor even that (copies, what was undone), until a resync. ever: every item that was ever seen. removed_ever: those
    that a person deleted."""

    edits: list[Edit] = field(default_factory=list)
    made: set[Key] = field(default_factory=set)
    removed: set[Key] = field(default_factory=set)
    owed: dict[tuple[Key, str], set[str]] = field(default_factory=dict)
    loose: set[Key] = field(default_factory=set)
    ever: set[Key] = field(default_factory=set)
    removed_ever: set[Key] = field(default_factory=set)
    vague: set[Key] = field(default_factory=set)
    pairs: list[Pair] = field(default_factory=list)
    numbers: int = FIRST

    def next_number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ------------------------------------------------------------------------------------------ what people do

    def edited(self, at: datetime, key: Key, values: Mapping[str, Any], before: Mapping[str, Any], runs: int) -> None:
        """before: what stood there, of which a person removes what is not in the new value."""
        self.ever.add(key)
        for name, value in values.items():
            self.edits.append(Edit(at, key, name, value, runs))
            if field_of(key[1], name).unique:
                kept, gone = traces(str(value)), traces(str(before.get(name)))
                new = kept - gone
                known = self.owed.get((key, name), set())
                self.owed[key, name] = (known & kept) | new

    def created(self, at: datetime, key: Key, values: Mapping[str, Any], runs: int) -> None:
        self.made.add(key)
        self.edited(at, key, values, {}, runs)

    def deleted(self, key: Key) -> None:
        """What a person threw away nobody has to keep."""
        self.removed.add(key)
        self.removed_ever.add(key)
        self.forget(key)

    def moved(self, old: Key, new: Key) -> None:
        """The same item under another id."""
        for owner, name in [each for each in self.owed if each[0] == old]:
            self.owed[new, name] = self.owed.pop((owner, name))
        self.removed_ever.add(old)
        self.ever.add(new)

    def forget(self, key: Key) -> None:
        for owed in [each for each in self.owed if each[0] == key]:
            del self.owed[owed]

    # ------------------------------------------------------------------------------------------ what follows from it

    def last_values(self, key: Key) -> dict[str, Edit]:
        """By field, what was last typed in there since the last quiet point."""
        return {each.field: each for each in self.edits if each.key == key}

    def edited_keys(self) -> set[Key]:
        return {each.key for each in self.edits}

    def keep_owed(self, found: set[str]) -> None:
        """The archive is lost: what stands on no side is lost with it."""
        self.owed = {where: wanted & found for where, wanted in self.owed.items()}

    def begin_anew(self, pairs: Iterable[Pair]) -> None:
        """A quiet point is over: from here on it counts."""
        self.pairs = list(pairs)
        self.edits.clear()
        self.made.clear()
        self.removed.clear()
        self.vague.clear()
