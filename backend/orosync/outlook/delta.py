"""The change feeds: delta rounds of contacts, tasks and events, all asked for in one batch (graph-api.md 5).

Decides where a feed goes on, when a calendar's window is moved, and when a feed has to start again; what a row says
is left to the entity, what follows from it to `sync`. A cursor is our own JSON, so that it can be checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orosync.core.answers import read_answer
from orosync.core.exchange import FeedPage, FeedRequest, Sighting
from orosync.core.records import Entity
from orosync.errors import (
    AccountBlocked,
    CursorExpired,
    OrosyncError,
    SideFailing,
    SignInNeeded,
    Throttled,
    Unreachable,
)
from orosync.outlook.batch import Answer, Part, send_parts
from orosync.outlook.client import GraphClient
from orosync.outlook.replies import Reply, container_missing, read_error
from orosync.outlook.resource import Resource

REBASE_AFTER = timedelta(days=7)
_ACCOUNT_WIDE = (SignInNeeded, AccountBlocked, Unreachable, Throttled)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a feed stands. link: as Graph gave it, "" before the first page. full: it is in a round that lists
    everything. ended: `link` begins a new round. window: of events, frozen in the link. made_at: when the round that
    listed everything began."""

    link: str
    container: str
    full: bool
    ended: bool
    window: tuple[str, str]
    days: tuple[int, int]
    made_at: str

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Position:
        """Raises CursorExpired for anything that is not one of ours."""
        try:
            value = read_answer(text)
            window, days = value["window"], value["days"]
            position = cls(**{**value, "window": (window[0], window[1]), "days": (days[0], days[1])})
            datetime.fromisoformat(position.made_at)
        except (ValueError, TypeError, KeyError, IndexError):
            raise CursorExpired("The stored position of Outlook's change feed cannot be read.") from None
        return position


class Feeds:
    """window_days: how far back and ahead of today events are followed. now: aware."""

    def __init__(
        self,
        client: GraphClient,
        resources: Mapping[Entity, Resource],
        window_days: tuple[int, int],
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._resources = resources
        self._days = window_days
        self._now = now

    def pages(self, requests: Sequence[FeedRequest]) -> list[FeedPage | OrosyncError]:
        """See `SidePort.pages`. A page may be full although that was not asked for: when a calendar's window is
        moved (weekly, or after it was set anew) its round lists everything again."""
        starts = [self._start(request) for request in requests]
        asked = [start for start in starts if isinstance(start, Position)]
        parts = [self._part(r.entity, s) for r, s in zip(requests, starts, strict=True) if isinstance(s, Position)]
        answers = iter(send_parts(self._client, parts) if asked else [])
        found = [
            self._page(request, start, next(answers)) if isinstance(start, Position) else start
            for request, start in zip(requests, starts, strict=True)
        ]
        for each in found:
            if isinstance(each, _ACCOUNT_WIDE):
                raise each
        return found

    def _start(self, request: FeedRequest) -> Position | OrosyncError:
        resource = self._resources.get(request.entity)
        if resource is None:
            return container_missing(request.entity)
        if request.cursor is None:
            return self._from_the_start(resource)
        try:
            position = Position.read(request.cursor)
            self._client.relative(position.link)
        except (CursorExpired, SideFailing):
            return CursorExpired("The stored position of Outlook's change feed is not of this mailbox server.")
        if position.container != resource.container and "" not in (position.container, resource.container):
            return CursorExpired("The stored position of Outlook's change feed is of another folder, list or calendar.")
        # A full round goes on from page to page; it begins anew only from where another one ended.
        if request.full and (position.ended or not position.full):
            return self._from_the_start(resource)
        if request.entity is Entity.EVENT and position.ended and self._is_stale(position):
            return self._from_the_start(resource)
        return position

    def _is_stale(self, position: Position) -> bool:
        return position.days != self._days or self._now() - datetime.fromisoformat(position.made_at) >= REBASE_AFTER

    def _from_the_start(self, resource: Resource) -> Position:
        now = self._now().astimezone(UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        back, ahead = self._days
        start, end = today - timedelta(days=back), today + timedelta(days=ahead + 1)
        window = (f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}")
        return Position("", resource.container, True, False, window, self._days, now.isoformat())

    def _part(self, entity: Entity, position: Position) -> Part:
        resource = self._resources[entity]
        size = f"odata.maxpagesize={resource.page_size}"
        if not position.link:
            return replace(resource.first_page(position.window), prefer=(size,))
        return Part("GET", self._client.relative(position.link), prefer=(size,))

    def _page(self, request: FeedRequest, position: Position, answer: Answer) -> FeedPage | OrosyncError:
        if not isinstance(answer, Reply):
            return answer
        if not answer.ok:
            return self._failure(request.entity, position, answer)
        body = answer.body if isinstance(answer.body, dict) else {}
        rows, next_link, delta_link = body.get("value"), body.get("@odata.nextLink"), body.get("@odata.deltaLink")
        link = next_link or delta_link
        if not isinstance(rows, list) or not isinstance(link, str):
            return SideFailing(f"Microsoft Graph gave a page of {request.entity}s without rows or without a link.")
        try:
            self._client.relative(link)
        except SideFailing as error:
            return error
        full = position.full or not position.link
        ended = next_link is None
        follow = replace(position, link=link, full=full and not ended, ended=ended)
        return FeedPage(request.entity, self._sightings(request.entity, rows), follow.text(), ended, full)

    def _sightings(self, entity: Entity, rows: Sequence[Any]) -> tuple[Sighting, ...]:
        """One per id, the last word counts; a word without version adds nothing to one that has it."""
        found: dict[str, Sighting] = {}
        for row in rows:
            sighting = self._resources[entity].sighting(row) if isinstance(row, dict) else None
            if sighting is None:
                continue
            before = found.pop(sighting.id, None)
            if before is not None and not before.removed and not sighting.removed and sighting.version is None:
                sighting = before
            found[sighting.id] = sighting
        return tuple(found.values())

    def _failure(self, entity: Entity, position: Position, reply: Reply) -> OrosyncError:
        if position.link and reply.status in {400, 404}:
            # A token that is not understood any more must never stop a feed for good (graph-api.md 15, Wino-Mail#290).
            return CursorExpired(f"Outlook refuses this position of its change feed ({reply.status} {reply.code}).")
        if reply.status == 404:
            return container_missing(entity)
        return read_error(reply, entity)
