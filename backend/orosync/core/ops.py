"""The words of a plan: ops, conflicts and decisions, and the hash that an approval is bound to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orosync.core.records import Case, Entity, Json, Side, Value


class Verb(StrEnum):
    CREATE = "create"  # these three, and stamp, are requests
    UPDATE = "update"
    DELETE = "delete"
    STAMP = "stamp"
    LINK = "link"  # these are ours alone
    SETTLE = "settle"  # shadows move, nothing is written
    SUSPEND = "suspend"
    RESUME = "resume"
    BURY = "bury"  # the link becomes a tombstone
    LEAVE = "leave"  # nothing is done, and this is why


REPLACE = "replace"  # the rule of a deletion that makes room for the same record's new item
WRITES = frozenset({Verb.CREATE, Verb.UPDATE, Verb.DELETE, Verb.STAMP})


@dataclass(frozen=True, slots=True)
class Op:
    """One step. side: whose item is written (for ours alone: the side it is about).

    values: fields to write; before: the same fields as the target holds them now. settles: the units whose shadows move
    once the op is done. mails: people who would be mailed. overwrites: a value that was there is replaced or cleared.
    title: the record's name for people; it is content and stays out of logs.
    """

    verb: Verb
    entity: Entity
    side: Side
    rule: str
    reason: str
    outlook_id: str | None = None
    oro_id: str | None = None
    link_id: int | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Value] = field(default_factory=dict)
    settles: tuple[str, ...] = ()
    mails: int = 0
    overwrites: bool = False
    title: str = ""

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @property
    def target_id(self) -> str | None:
        return self.outlook_id if self.side is Side.OUTLOOK else self.oro_id

    @property
    def source_id(self) -> str | None:
        return self.oro_id if self.side is Side.OUTLOOK else self.outlook_id

    def to_json(self) -> Json:
        return {
            "verb": self.verb.value,
            "entity": self.entity.value,
            "side": self.side.value,
            "rule": self.rule,
            "reason": self.reason,
            "outlook_id": self.outlook_id,
            "oro_id": self.oro_id,
            "link_id": self.link_id,
            "values": dict(self.values),
            "before": dict(self.before),
            "settles": list(self.settles),
            "mails": self.mails,
            "overwrites": self.overwrites,
            "title": self.title,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Op:
        typed = {"verb": Verb(data["verb"]), "entity": Entity(data["entity"]), "side": Side(data["side"])}
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        return cls(**{**known, **typed, "settles": tuple(data["settles"])})


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One unit changed differently on both sides. choice: the side whose value is taken; None: a person must say."""

    unit: str
    base: Mapping[str, Value]
    outlook: Mapping[str, Value]
    oro: Mapping[str, Value]
    rule: str
    choice: Side | None


@dataclass(frozen=True, slots=True)
class Decision:
    """All that is planned for one case. retry: nothing could be decided now; its journal rows stay."""

    case: Case
    ops: tuple[Op, ...] = ()
    conflicts: tuple[FieldConflict, ...] = ()
    retry: bool = False

    @property
    def written(self) -> tuple[Op, ...]:
        return tuple(op for op in self.ops if op.writes)


def plan_hash(ops: Iterable[Op]) -> str:
    """A digest of what would be written, whatever order it was found in; an approval is bound to it (R21)."""
    return hash_of(said_by(op) for op in ops if is_approved_by_hash(op))


def is_approved_by_hash(op: Op) -> bool:
    """Whether it is one of those that a plan's hash stands for."""
    return op.writes and op.verb is not Verb.STAMP


def hash_of(said: Iterable[str]) -> str:
    """As `plan_hash`, of what its ops say (`said_by`)."""
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()[:16]


_IN_ORDER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def said_by(op: Op) -> str:
    """What it would write, and where, as a digest of 32 characters: the same for the same op. Of a plan of thousands of
    ops these are all that has to be held in memory."""
    text = _IN_ORDER.encode([op.entity, op.verb, op.side, op.outlook_id, op.oro_id, dict(op.values)])
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
