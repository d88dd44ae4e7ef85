"""What a change feed of OroCRM remembers between two polls: the newest time seen and what was seen around it.

It is the cursor, as JSON of our own. Times are OroCRM's, taken from the records; our clock never enters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from orosync.core.answers import read_answer
from orosync.core.records import Item
from orosync.errors import CursorExpired
from orosync.oro.audit import AuditMark
from orosync.oro.jsonapi import instant, moment


@dataclass(frozen=True, slots=True)
class Memory:
    """high_water: the newest `updatedAt` seen. seen: id -> (updatedAt, version) of what lies within the overlap.

    settled: the newest change is so long ago that no earlier one can appear any more. total: how many records there
    were at the last poll. walk: where a walk over several pages stands, else None.
    no_records: ids of rows that are counted by OroCRM and are no records to us (exceptions of series). audit: how far
    the audit log was read for this entity, None before it was.
    """

    high_water: str | None = None
    seen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    total: int | None = None
    walk: Mapping[str, Any] | None = None
    settled: bool = False
    no_records: frozenset[str] = frozenset()
    audit: AuditMark | None = None

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Memory:
        """Raises CursorExpired for what this version of the program did not write: the feed starts anew."""
        if cursor is None:
            return cls()
        try:
            text = read_answer(cursor)
            return cls(
                high_water=text["high_water"],
                seen={each: (at, version) for each, (at, version) in text["seen"].items()},
                total=text["total"],
                walk=text["walk"],
                settled=bool(text.get("settled")),
                no_records=frozenset(text["no_records"]),
                audit=AuditMark.from_json(text.get("audit")),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            raise CursorExpired("The stored position in OroCRM's changes is not readable.") from wrong

    def to_cursor(self) -> str:
        text = {
            "high_water": self.high_water, "seen": {each: list(at) for each, at in self.seen.items()},
            "total": self.total, "walk": self.walk, "settled": self.settled, "no_records": sorted(self.no_records),
            "audit": None if self.audit is None else self.audit.to_json(),
        }  # fmt: skip
        return json.dumps(text, separators=(",", ":"))

    def mark(self, overlap: timedelta) -> str | None:
        """From where to look again: a request under way may yet commit an earlier second than the newest seen."""
        if self.high_water is None or self.settled:
            return self.high_water
        return instant(datetime.fromisoformat(self.high_water) - overlap)

    def knows(self, item: Item) -> bool:
        """Seen at this very time with this content. Content alone is not enough: a value may come back after another
        one that only we wrote and that no poll has seen."""
        return self.seen.get(item.id) == (updated_at(item), item.version)

    def remember(self, items: list[Item]) -> Memory:
        """With these items seen; the high water is left where it is."""
        return replace(self, seen={**self.seen, **{each.id: (updated_at(each), each.version) for each in items}})

    def risen(self, to: str | None, overlap: timedelta) -> Memory:
        """With the high water at `to`, if that is newer, and without what lies before the overlap."""
        newest = max(filter(None, (self.high_water, to)), default=None)
        raised = replace(self, high_water=newest, walk=None, settled=self.settled and newest == self.high_water)
        return raised.since(raised.mark(overlap) or "")

    def settling(self, asked_at: datetime | None, overlap: timedelta) -> Memory:
        """After a poll that met everything. asked_at: by OroCRM's clock, where it told. Once its newest change is twice
        the overlap ago, what was seen before that need not be kept: an import of thousands of records would make every
        poll carry them for as long as nothing else changes."""
        if self.high_water is None or asked_at is None:
            return self
        if asked_at - datetime.fromisoformat(self.high_water) < 2 * overlap:
            return self
        return replace(self, settled=True).since(self.high_water)

    def forgetting(self, walked_to: str, newest: str | None, overlap: timedelta) -> Memory:
        """Half way through a walk: without what neither the walk nor the overlap at its end will meet again."""
        at_end = replace(self, high_water=newest).mark(overlap) or ""
        return self.since(min(walked_to, at_end))

    def since(self, mark: str) -> Memory:
        """Without what was seen before `mark`."""
        return replace(self, seen={each: at for each, at in self.seen.items() if at[0] >= mark})


def updated_at(item: Item) -> str:
    """`updatedAt` of an item of any entity, `...Z`; "" if it has none, which is older than everything. Raises
    SideFailing for what is no time."""
    attributes = item.body.get("attributes")
    text = attributes.get("updatedAt") if isinstance(attributes, dict) else item.body.get("updatedAt")
    return moment(text) if text else ""
