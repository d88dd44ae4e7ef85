"""One OroCRM as a side of an account: puts the entities together and sorts errors by whom they concern.

Satisfies `sync.ports.SidePort` by shape. Contacts and tasks are JSON:API resources, events speak the old REST API;
what each needs is in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, ParamSpec

from orosync.core.exchange import (
    FeedPage,
    FeedRequest,
    Found,
    Lookup,
    NotReadable,
    NotThere,
    Reading,
    Sighting,
    Write,
    WriteResult,
    Written,
)
from orosync.core.records import Entity, Item, Json, Side
from orosync.errors import (
    AccountBlocked,
    CursorExpired,
    EntityForbidden,
    OrosyncError,
    OutcomeUnknown,
    RecordMissing,
    SideFailing,
    SignInNeeded,
    Throttled,
    TryLater,
    Unreachable,
)
from orosync.oro import capabilities, jsonapi
from orosync.oro.answers import entity_refusal
from orosync.oro.at_once import AtOnce
from orosync.oro.audit import AuditEntry, AuditMark, read_audit
from orosync.oro.client import OroClient
from orosync.oro.contacts import Contacts
from orosync.oro.events import READ_ONE_BY_ONE, Events
from orosync.oro.feed import Feed, PageSizes
from orosync.oro.memory import Memory, updated_at
from orosync.oro.tasks import Tasks

P = ParamSpec("P")
Scope = Literal["available", "owned"]
ACCOUNT_WIDE = (SignInNeeded, AccountBlocked, Unreachable, Throttled)
AT_ONCE = 50  # values in one question; with all of them the address stays below 4 kB
CLOCKS_APART = timedelta(minutes=10)  # how far OroCRM's clock may be from ours when a lost create is looked for


class OroInstance:
    """scope: all the user may see, or only the own contacts and tasks (events are always the own calendar's).
    overlap: how far before the newest time seen a poll looks again. at_once: how many requests are under way at a time,
    where they have nothing to do with each other."""

    side = Side.ORO

    def __init__(
        self,
        client: OroClient,
        entities: Collection[Entity],
        scope: Scope,
        overlap: timedelta,
        now: Callable[[], datetime],
        *,
        sizes: PageSizes | None = None,
        at_once: int = 1,
    ) -> None:
        self._client = client
        self.writes_at_once = at_once
        self._at_once = AtOnce(at_once)
        self._entities = tuple(entities)
        self._owned = scope == "owned"
        self._overlap = overlap
        self._now = now
        self._sizes = sizes or PageSizes()
        self._facts: Json = {}

    @property
    def requests_sent(self) -> int:
        return self._client.requests_sent

    @property
    def facts(self) -> Json:
        """What is known of the account, with what writes found out since `use` (`workflow_active`)."""
        return self._facts

    def discover(self) -> Json:
        return capabilities.discover(self._client, self._entities, self._at_once)

    def use(self, facts: Json) -> None:
        self._facts = dict(facts)

    def make_containers(self) -> Json:
        """OroCRM has no containers to make."""
        return self._facts

    def canary(self) -> bool:
        try:
            return capabilities.readable(self._client)
        except OrosyncError:
            return False

    def pages(self, requests: Sequence[FeedRequest]) -> list[FeedPage | OrosyncError]:
        with self._at_once.questions() as ask:
            told = ask(lambda: self._told(requests))
            pages = [ask(partial(_in_its_place, self._page, request)) for request in requests]
        answers = [page() for page in pages]
        return [
            _in_its_place(self._with_hints, request, page, told()) if isinstance(page, FeedPage) else page
            for request, page in zip(requests, answers, strict=True)
        ]

    def read(self, entity: Entity, ids: Sequence[str]) -> dict[str, Reading]:
        """Raises what concerns the whole account; an entity that may not be read is NotReadable for every id."""
        wanted = list(dict.fromkeys(ids))
        try:
            found = self._events().read(wanted) if entity is Entity.EVENT else self._read_resource(entity, wanted)
        except (EntityForbidden, SideFailing) as error:
            return dict.fromkeys(wanted, NotReadable(error))
        if NotThere() in found.values() and not capabilities.readable(self._client):
            nothing = NotReadable(SideFailing("OroCRM finds nothing at all at the moment."))
            return {each: nothing if reading == NotThere() else reading for each, reading in found.items()}
        return found

    def listed(self, entity: Entity, wanted: int) -> Iterator[dict[str, Reading]]:
        """Contacts and tasks are read by id, a hundred at a time."""
        if entity is Entity.EVENT and wanted > READ_ONE_BY_ONE:
            with suppress(EntityForbidden, SideFailing):  # whoever was not shown is asked for, and tells their own
                yield self._events().listed()

    def fence(self, still_ours: Callable[[], None]) -> None:
        """Before each request that writes, whichever thread sends it: raises LeaseLost, and nothing is sent."""
        self._client.before_writing = still_ours

    def write(self, writes: Sequence[Write]) -> dict[str, WriteResult]:
        results = self._at_once.all([partial(self._result, write) for write in writes])
        return {write.op_id: result for write, result in zip(writes, results, strict=True)}

    def _result(self, write: Write) -> WriteResult:
        before = self._client.writes_taken
        try:
            return self._write(write)
        except (TryLater, SignInNeeded, AccountBlocked, EntityForbidden, RecordMissing) as error:
            return _not_read_back(error) if self._client.writes_taken > before else error
        except OrosyncError as error:
            return error

    def find(self, lookup: Lookup) -> list[Item]:
        """By uid or externalId where the lookup has one; else what this user created since then, oldest first."""
        if lookup.entity is Entity.EVENT:
            return self._events().find(lookup.uid or lookup.op_id)
        resource = self._resource(lookup.entity)
        if isinstance(resource, Contacts) and resource.external_id and lookup.external_id:
            return resource.items(self._feed(resource).rows({"filter[externalId]": lookup.external_id}))
        since = (lookup.since or self._now() - timedelta(days=1)) - CLOCKS_APART
        mine = resource.found_by(since, str(self._facts["user_id"]))
        found: list[Item] = []
        while True:
            beyond = {"filter[id][gt]": found[-1].id} if found else {}
            answer = self._feed(resource).rows({"sort": "id", **jsonapi.page(self._sizes.walk), **mine, **beyond})
            items = resource.items(answer)
            if found and items and int(items[-1].id) <= int(found[-1].id):
                raise SideFailing(f"OroCRM's list of {resource.type} leads back to itself.")
            found += items
            if not items or (answer.total is not None and len(items) >= answer.total):
                return sorted(found, key=lambda item: (updated_at(item), int(item.id)))

    def _told(self, requests: Sequence[FeedRequest]) -> list[AuditEntry] | None:
        """One reading of the audit log for all feeds that begin a poll now; None if there is nothing to be had."""
        marks = [each for request in requests if (each := mark_of(request)) is not None and not each.refused]
        if not marks or not self._facts.get("audit"):
            return None
        try:
            entries = read_audit(self._client, min(each.start(self._overlap) for each in marks))
        except SideFailing:
            return None  # it is a hint, and asked for again with the next poll
        if entries is None:
            self._facts["audit"] = False
        return entries

    def _page(self, request: FeedRequest) -> FeedPage:
        if request.entity is Entity.EVENT:
            return self._events().page(request)
        return self._feed(self._resource(request.entity)).page(request)

    def _with_hints(self, request: FeedRequest, page: FeedPage, told: list[AuditEntry] | None) -> FeedPage:
        memory = Memory.from_cursor(page.cursor)
        if memory.audit is None:  # everything is read now, so it is told from now on; by our clock, for want of theirs
            if self._facts.get("audit"):
                memory = replace(memory, audit=AuditMark(jsonapi.instant(self._now() - CLOCKS_APART)))
                return replace(page, cursor=memory.to_cursor())
            return page
        mark = mark_of(request)
        if mark is None or mark.refused or (told is None and self._facts.get("audit")):
            return page
        if told is None:
            return replace(page, cursor=replace(memory, audit=replace(mark, refused=True)).to_cursor())
        # What is shown was removed while the audit log was read beside the page: that is heard the next time.
        shown = {(request.entity, each.id) for each in page.sightings}
        heard = [each for each in told if each.removed not in shown]
        memory = replace(memory, audit=mark.after(heard, self._overlap))
        sightings = self._hints(request.entity, mark.fresh(heard, self._overlap), page.sightings)
        return replace(page, sightings=sightings, cursor=memory.to_cursor())

    def _hints(self, entity: Entity, entries: Sequence[AuditEntry], shown: Sequence[Sighting]) -> tuple[Sighting, ...]:
        """What the page showed and what the entries add to it; an item that is read for them is the newer one."""
        seen = {each.id: each for each in shown}
        gone = dict.fromkeys(each.removed[1] for each in entries if each.removed and each.removed[0] is entity)
        seen |= {each: Sighting(each, removed=True) for each in gone}
        if entity is Entity.CONTACT:
            for item in self._holding([each.row for each in entries if each.row is not None]):
                if item.id not in gone:
                    seen[item.id] = Sighting(item.id, version=item.version, item=item)
        return tuple(seen.values())

    def _holding(self, rows: Sequence[tuple[str, str]]) -> list[Item]:
        """Contacts in scope that have these values now; of a value with a comma nobody can ask (it parts a list)."""
        resource = self._resource(Entity.CONTACT)
        found: dict[str, Item] = {}
        for name in ("emails", "phones"):
            values = list(dict.fromkeys(value for kind, value in rows if kind == name and "," not in value))
            for start in range(0, len(values), AT_ONCE):
                wanted = {f"filter[{name}]": ",".join(values[start : start + AT_ONCE])}
                params = {**wanted, **jsonapi.page(self._sizes.walk), **resource.scope()}
                found |= {each.id: each for each in resource.items(self._feed(resource).rows(params))}
        return list(found.values())

    def _read_resource(self, entity: Entity, ids: list[str]) -> dict[str, Reading]:
        resource = self._resource(entity)
        feed = self._feed(resource)
        found: dict[str, Reading] = {}
        for start in range(0, len(ids), self._sizes.read):
            waiting = ids[start : start + self._sizes.read]
            while waiting:
                answer = feed.rows({**jsonapi.ids_filter(waiting), **jsonapi.page(len(waiting))})
                items = resource.items(answer)
                found |= {each.id: Found(each, elsewhere=resource.is_elsewhere(each)) for each in items}
                waiting = [each for each in waiting if each not in found]
                if not items or answer.total is None or len(items) >= answer.total:
                    break  # else the instance hands out fewer rows than asked for
        return found | {each: self._read_one(resource, each) for each in ids if each not in found}

    def _read_one(self, resource: Contacts | Tasks, id: str) -> Reading:
        """The id itself: 404 is gone, 403 is out of sight (acl-restricted-get-after-owner-change)."""
        answer = self._client.get(f"{resource.type}/{id}", resource.shape())
        if answer.status == 404:
            return NotThere()
        if answer.status == 403:
            return NotThere(forbidden=True)
        if not answer.ok:
            raise entity_refusal(answer, resource.entity)
        item = resource.item(answer, id)
        return Found(item, elsewhere=resource.is_elsewhere(item))

    def _write(self, write: Write) -> Written:
        target = self._events() if write.entity is Entity.EVENT else self._resource(write.entity)
        if write.verb == "create":
            return target.create(write)
        if write.item is None:
            raise ValueError(f"a write with verb {write.verb} needs its item")
        if write.verb == "update":
            return target.update(write, write.item)
        return target.delete(write.item)

    def _resource(self, entity: Entity) -> Contacts | Tasks:
        owner = str(self._facts["user_id"]) if self._owned else None
        if entity is Entity.CONTACT:
            return Contacts(self._client, owner, external_id=bool(self._facts.get("contact_external_id")))
        return Tasks(self._client, owner, workflow_active=self._workflow_active, learn=self._learn_workflow)

    def _feed(self, resource: Contacts | Tasks) -> Feed:
        return Feed(self._client, resource, self._overlap, self._sizes)

    def _events(self) -> Events:
        calendar = str(self._facts.get("calendar_id") or "")
        if not calendar:
            raise EntityForbidden(
                "OroCRM does not show this user a calendar of their own.",
                entity=Entity.EVENT.value,
                remedy="Ask its administrator for the permission to view calendars and events.",
            )
        return Events(self._client, calendar, self._overlap, at_once=self._at_once)

    def _workflow_active(self) -> bool | None:
        known = self._facts.get("workflow_active")
        return None if known is None else bool(known)

    def _learn_workflow(self, active: bool) -> None:
        self._facts["workflow_active"] = active


def _in_its_place(page: Callable[P, FeedPage], *asked: P.args, **how: P.kwargs) -> FeedPage | OrosyncError:
    """The page, or the trouble of this entity alone. Raises what concerns the whole account."""
    try:
        return page(*asked, **how)
    except ACCOUNT_WIDE:
        raise
    except (CursorExpired, EntityForbidden, SideFailing) as error:
        return error


def _not_read_back(error: OrosyncError) -> OutcomeUnknown:
    """OroCRM took the write, or a part of it; what went wrong afterwards leaves open what it made of it."""
    return OutcomeUnknown(f"Applied, but not to be read back: {error.message}", code="read_back")


def mark_of(request: FeedRequest) -> AuditMark | None:
    """Where the audit log goes on, if this request begins a poll; None in the middle of a walk, and for everything."""
    if request.full or request.cursor is None:
        return None
    try:
        memory = Memory.from_cursor(request.cursor)
    except CursorExpired:  # said again, and dealt with, where the page is read
        return None
    return memory.audit if memory.walk is None else None
