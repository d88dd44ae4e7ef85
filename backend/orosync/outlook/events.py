"""Events of the default calendar or a chosen one: window, series, idempotent create (graph-api.md 3, 5).

Attendees are never written here or anywhere; `outlook.timezone` is not asked for, so that replies are in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orosync.core.exchange import Lookup, Sighting, Write
from orosync.core.mapping.lens import STAMP_PROPERTY
from orosync.core.mapping.stamps import stamp_of
from orosync.core.records import Entity, Item, Json
from orosync.outlook.batch import Part
from orosync.outlook.resource import (
    address,
    changed_since,
    expand_extended,
    plain,
    precondition,
    segment,
    stamped_with,
    version_of,
    with_extended,
)

PROPERTIES = (
    "id,changeKey,createdDateTime,lastModifiedDateTime,categories,transactionId,iCalUId,type,seriesMasterId,subject,"
    "body,start,end,originalStartTimeZone,originalEndTimeZone,isAllDay,recurrence,location,sensitivity,showAs,"
    "importance,isCancelled,isDraft,isOrganizer,organizer,attendees,responseStatus,isOnlineMeeting,onlineMeeting"
)
EXTENDED_IDS = (STAMP_PROPERTY,)


@dataclass(frozen=True, slots=True)
class Events:
    """user: "/me" or "/users/{...}". container: the calendar's id. chosen: it is a named one, with its own paths."""

    user: str
    container: str
    chosen: bool
    page_size: int = 100
    entity: Entity = Entity.EVENT

    @property
    def _calendar(self) -> str:
        return f"{self.user}/calendars/{segment(self.container)}" if self.chosen else self.user

    def first_page(self, window: tuple[str, str]) -> Part:
        """No option but the window is taken (graph-api.md 5)."""
        path = f"{self._calendar}/calendarView/delta"
        return Part("GET", address(path, _startDateTime=window[0], _endDateTime=window[1]))

    def sighting(self, row: Json) -> Sighting | None:
        """A day of a series speaks for its master: it comes nearly empty, and its master is what we hold."""
        item_id = str(row.get("id") or "")
        if not item_id:
            return None
        if "@removed" in row:
            return Sighting(item_id, removed=True)
        if row.get("seriesMasterId"):
            return Sighting(str(row["seriesMasterId"]))
        return Sighting(item_id, version_of(row) or None)

    def one(self, id: str) -> Part:
        """Not from calendarView, where extended properties fail (graph-api.md 2.1)."""
        return self._read(self._calendar, id)

    def anywhere(self, id: str) -> Part | None:
        return self._read(self.user, id) if self.chosen else None

    def _read(self, base: str, id: str) -> Part:
        path = f"{base}/events/{segment(id)}"
        return Part("GET", address(path, select=PROPERTIES, expand=expand_extended(EXTENDED_IDS)))

    def listing(self) -> str:
        path = f"{self._calendar}/events"
        return address(path, top=self.page_size, select=PROPERTIES, expand=expand_extended(EXTENDED_IDS))

    def find(self, lookup: Lookup) -> str:
        path = f"{self._calendar}/events"
        wanted = {"top": 50, "select": PROPERTIES, "expand": expand_extended(EXTENDED_IDS)}
        if lookup.stamp is not None:
            return address(path, filter=stamped_with(lookup.stamp), **wanted)
        if lookup.since is None:
            return ""
        return address(path, filter=changed_since(lookup.since), **wanted)

    def is_hit(self, row: Json, lookup: Lookup) -> bool:
        return lookup.stamp is None or (stamp_of(self.entity, row) or "").casefold() == lookup.stamp.casefold()

    def item(self, row: Json) -> Item:
        return Item(str(row["id"]), version_of(row), plain(row), self.container)

    def elsewhere(self, row: Json) -> bool:  # noqa: ARG002  # an event does not name its calendar
        return False

    def create(self, write: Write) -> Part:
        """The op's id makes the create idempotent (graph-api.md 3.2)."""
        return Part("POST", f"{self._calendar}/events", {**write.patch, "transactionId": write.op_id})

    def update(self, write: Write, item: Item) -> list[Part]:
        if not write.patch:
            return []
        return [Part("PATCH", f"{self.user}/events/{segment(item.id)}", write.patch, precondition(item))]

    def delete(self, item: Item) -> Part:
        return Part("DELETE", f"{self.user}/events/{segment(item.id)}", headers=precondition(item))

    def completed(self, write: Write, replies: Sequence[Json]) -> Item:
        before = write.item.body if write.item is not None else None
        return self.item(with_extended(replies[-1], before, write.patch))
