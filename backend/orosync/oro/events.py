"""Calendar events of the user's own calendar as items, through the old REST API: feed, readings and writes.

An item's body is the event's own JSON in one shape (`legacy_rest.event_body`), its container the calendar. Exceptions
of series, cancelled events and orphans without a calendar are no records; invitations received are read-only
(orocrm-api.md 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from orosync.core.exchange import FeedPage, FeedRequest, Found, NotThere, Reading, Sighting, Write, Written
from orosync.core.records import Entity, Item, Json
from orosync.errors import OutcomeUnknown, RecordChanged, RecordRefused, SideFailing, TryLater
from orosync.oro import jsonapi, legacy_rest
from orosync.oro.answers import entity_refusal, is_taken_uid, one_of, rows_of, write_refusal
from orosync.oro.at_once import AtOnce
from orosync.oro.capabilities import readable
from orosync.oro.client import Answer, Dialect, OroClient
from orosync.oro.memory import Memory
from orosync.oro.versions import version_of

MARGIN = 50  # rows that may appear between counting and listing
LIST_TRIES = 3
READ_ONE_BY_ONE = 5  # above, one list of the whole calendar is cheaper than single readings
MAILED = ("attendees", "notifyAttendees")


@dataclass(frozen=True, slots=True)
class Events:
    """calendar: id of the user's own calendar. limit: rows asked for at once before the number is known."""

    client: OroClient
    calendar: str
    overlap: timedelta
    limit: int = 200
    at_once: AtOnce = field(default_factory=AtOnce)
    entity: Entity = Entity.EVENT

    # change feed

    def page(self, request: FeedRequest) -> FeedPage:
        """The whole poll in one page. Raises CursorExpired, EntityForbidden, and what the client raises."""
        memory = Memory.from_cursor(request.cursor)
        mark = memory.mark(self.overlap)
        if request.full or mark is None:
            return self._sweep()
        with self.at_once.questions() as ask:
            changed = ask(lambda: self._rows(updated_from=mark))
            counted = ask(lambda: self._get_list(legacy_rest.event_page(self.calendar, 1)))
        rows, last = changed(), counted()
        no_records = memory.no_records | {str(row["id"]) for row in rows if not _is_record(row)}
        items = [self._item(row) for row in rows if _is_record(row)]
        news = [item for item in items if not memory.knows(item)]
        sightings = [Sighting(item.id, version=item.version, item=item) for item in news]
        sightings += [Sighting(each) for each in self._touched_series(rows, memory)]
        total = None if last.total is None else last.total - len(no_records)
        memory = replace(memory.remember([*news, *self._exceptions(rows)]), total=total, no_records=no_records)
        memory = memory.risen(_newest(rows), self.overlap).settling(last.date, self.overlap)
        return FeedPage(self.entity, tuple(sightings), memory.to_cursor(), last=True, full=False, total=total)

    def _sweep(self) -> FeedPage:
        rows = self._rows()
        items = [self._item(row) for row in rows if _is_record(row)]
        no_records = frozenset(str(row["id"]) for row in rows if not _is_record(row))
        memory = Memory(total=len(items), no_records=no_records).remember([*items, *self._exceptions(rows)])
        memory = memory.risen(_newest(rows), self.overlap)
        sightings = tuple(Sighting(item.id, version=item.version, item=item) for item in items)
        return FeedPage(self.entity, sightings, memory.to_cursor(), last=True, full=True, total=len(items))

    def _touched_series(self, rows: list[Json], memory: Memory) -> list[str]:
        """An exception that is new or changed is a sighting of its series, whose own `updatedAt` stays."""
        fresh = [each for each in self._exceptions(rows) if not memory.knows(each)]
        return list(dict.fromkeys(str(each.body["recurringEventId"]) for each in fresh))

    def _exceptions(self, rows: list[Json]) -> list[Item]:
        return [self._item(row) for row in rows if row.get("recurringEventId") and not row.get("isCancelled")]

    def _rows(self, *, updated_from: str | None = None) -> list[Json]:
        """All rows in one page, counted: pages repeat and lose rows (calendarevents-list-paging-unstable)."""
        limit = self.limit
        for _ in range(LIST_TRIES):
            answer = self._get_list(legacy_rest.event_page(self.calendar, limit, updated_from=updated_from))
            rows = rows_of(answer)
            total = len(rows) if answer.total is None else answer.total
            if len({row["id"] for row in rows}) == len(rows) == total:
                return rows
            limit = max(limit, total + MARGIN)
        raise SideFailing("OroCRM's list of calendar events does not agree with its own count.")

    def _get_list(self, params: dict[str, str]) -> Answer:
        answer = self.client.get(legacy_rest.EVENTS, params, dialect=Dialect.LEGACY, total=True)
        if not answer.ok:
            raise entity_refusal(answer, self.entity)
        return answer

    # readings

    def read(self, ids: Sequence[str]) -> dict[str, Reading]:
        """Few ids one by one, many by one list of the calendar and the rest one by one."""
        found: dict[str, Reading] = {}
        if len(ids) > READ_ONE_BY_ONE:
            wanted = set(ids)
            found = {native: reading for native, reading in self.listed().items() if native in wanted}
        return found | {each: self._read_one(each) for each in ids if each not in found}

    def listed(self) -> dict[str, Reading]:
        """All of the calendar."""
        return {str(row["id"]): Found(self._item(row)) for row in self._rows() if _is_record(row)}

    def _read_one(self, id: str) -> Reading:
        answer = self.client.get(legacy_rest.event_path(id), dialect=Dialect.LEGACY)
        if answer.status == 404:
            return NotThere()
        if answer.status == 403:
            return NotThere(forbidden=True)
        if not answer.ok:
            raise entity_refusal(answer, self.entity)
        row = one_of(answer, id)
        item = self._item(row)
        return Found(item, elsewhere=item.container != self.calendar or not _is_record(row))

    def find(self, uid: str) -> list[Item]:
        """Events of this uid in the calendar; a series shares its uid with its exceptions, which are left out."""
        params = legacy_rest.event_page(self.calendar, self.limit, uid=uid)
        return [self._item(row) for row in rows_of(self._get_list(params)) if _is_record(row)]

    # writes

    def create(self, write: Write) -> Written:
        """`uid` is the patch's, or else the op's own id, so that a lost answer can be looked for. The calendar is set
        here and verified: OroCRM takes a wrong one without a word and makes an orphan that no list shows
        (calendarevents-create-unknown-calendar-orphan)."""
        _look_at(write.patch)
        body = {"uid": write.op_id, **write.patch, "calendar": int(self.calendar)}
        answer = self.client.write("POST", legacy_rest.EVENTS, body, dialect=Dialect.LEGACY)
        if is_taken_uid(answer):
            raise RecordChanged("The calendar has an event of this uid already.", code="uid_taken", status=400)
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        item = self._read_back(str(one_of(answer)["id"]))
        if item.container != self.calendar:
            self.client.write("DELETE", legacy_rest.event_path(item.id), dialect=Dialect.LEGACY)
            raise RecordRefused("calendar: the user's calendar is no longer in OroCRM.", code="calendar")
        return Written(item)

    def update(self, write: Write, item: Item) -> Written:
        """PUT keeps what is left out, the calendar too: sending it would move an event back that a person moved."""
        self._look_at_target(item)
        _look_at(write.patch)
        body = {name: value for name, value in write.patch.items() if name != "calendar"}
        answer = self.client.write("PUT", legacy_rest.event_path(item.id), body, dialect=Dialect.LEGACY)
        if not answer.ok:
            self._raise_if_switched_off(answer)
            raise write_refusal(answer, self.entity)
        return Written(self._read_back(item.id))

    def delete(self, item: Item) -> Written:
        self._look_at_target(item)
        answer = self.client.write("DELETE", legacy_rest.event_path(item.id), dialect=Dialect.LEGACY)
        self._raise_if_switched_off(answer)
        if not answer.ok and answer.status != 404:
            raise write_refusal(answer, self.entity)
        return Written(None)

    def _raise_if_switched_off(self, answer: Answer) -> None:
        """This dialect answers 404 alike for a missing event and for a switched-off API; the other tells them apart."""
        if answer.status == 404 and not readable(self.client):
            raise SideFailing("OroCRM finds nothing at all at the moment.")

    def _look_at_target(self, item: Item) -> None:
        if item.body.get("parentEventId"):
            raise RecordRefused("OroCRM's copy of an invitation cannot be written.", code="read_only")
        if item.container != self.calendar:
            raise RecordRefused("calendar: the event is in another calendar.", code="calendar")

    def _read_back(self, id: str) -> Item:
        """The answers to writes have a few fields only. The write was applied: trouble here leaves that unknown."""
        try:
            answer = self.client.get(legacy_rest.event_path(id), dialect=Dialect.LEGACY)
            if answer.ok:
                return self._item(one_of(answer, id))
        except TryLater as trouble:
            raise OutcomeUnknown(f"Applied, but not to be read back: {trouble.message}", code="read_back") from trouble
        raise OutcomeUnknown("Applied, but not to be read back.", code="read_back", status=answer.status)

    def _item(self, row: Json) -> Item:
        body = legacy_rest.event_body(row)
        container = "" if row.get("calendar") is None else str(row["calendar"])
        return Item(jsonapi.number_of(row), version_of(body), body, container)


def _is_record(row: Json) -> bool:
    return not row.get("recurringEventId") and not row.get("isCancelled")


def _newest(rows: list[Json]) -> str | None:
    times = [jsonapi.moment(row["updatedAt"]) for row in rows if row.get("updatedAt")]
    return max(times, default=None)


def _look_at(patch: dict[str, Any]) -> None:
    """Raises RecordRefused before anything is sent."""
    if times := legacy_rest.times_not_in_utc(patch):
        raise RecordRefused(f"{', '.join(times)}: only UTC may be sent to OroCRM.", code="not_utc")
    if sent := [name for name in MAILED if name in patch]:
        raise RecordRefused(f"{', '.join(sent)}: attendees are never written.", code="attendees")
    if len(patch.get("title") or "") > 255:
        raise RecordRefused("OroCRM holds at most 255 characters in title.", code="too_long")
    if len(patch.get("uid") or "") > 36:
        raise RecordRefused("OroCRM holds at most 36 characters in uid.", code="too_long")
