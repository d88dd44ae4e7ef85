"""The change feed of a JSON:API resource: one request for an idle poll, a walk where more changed, and the sweep.

Idle: the newest rows first, with the total count of all that is visible. If the last of them is still newer than what
was seen, the rest is walked oldest first, from time to time and not from page to page, so that rows moving under the
walk are met twice and never lost. The sweep walks by id, whole items. orocrm-api.md 2 and 3; design.md 4, point 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from orosync.core.exchange import FeedPage, FeedRequest, Sighting
from orosync.core.records import Entity, Item
from orosync.oro import jsonapi
from orosync.oro.answers import entity_refusal, rows_of
from orosync.oro.client import Answer, OroClient
from orosync.oro.memory import Memory, updated_at


@dataclass(frozen=True, slots=True)
class PageSizes:
    """head: newest rows of an idle poll. walk: rows of a walk or sweep. read: ids in one bulk read."""

    head: int = 20
    walk: int = 500
    read: int = 100


class Resource(Protocol):
    """What the feed must know of an entity."""

    @property
    def entity(self) -> Entity: ...

    @property
    def type(self) -> str: ...

    def shape(self) -> dict[str, str]:
        """Parameters that make lists thin and whole at once: `fields`, `include`."""

    def scope(self) -> dict[str, str]:
        """Parameters that narrow lists to the account's scope."""

    def items(self, answer: Answer) -> list[Item]:
        """The rows of a list as whole items."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Pages of one resource. overlap: how far before the newest time seen is looked again."""

    client: OroClient
    resource: Resource
    overlap: timedelta
    sizes: PageSizes

    def page(self, request: FeedRequest) -> FeedPage:
        """Raises CursorExpired, EntityForbidden, and what the client raises."""
        memory = Memory.from_cursor(request.cursor)
        walking = (memory.walk or {}).get("kind")
        if walking == "sweep" or request.full or request.cursor is None:
            return self._sweep(memory)
        if walking == "changes":
            return self._changes(memory)
        return self._head(memory)

    def rows(self, params: Mapping[str, str], *, total: bool = True) -> Answer:
        """One list request in this resource's shape. Raises EntityForbidden."""
        answer = self.client.get(self.resource.type, {**params, **self.resource.shape()}, total=total)
        if not answer.ok:
            raise entity_refusal(answer, self.resource.entity)
        return answer

    def _head(self, memory: Memory) -> FeedPage:
        """The newest rows: few, then a whole page, before a walk reads all of the overlap again."""
        answer, items = self._newest_rows(self.sizes.head)
        page = self._whole(memory, answer, items)
        if page is None and memory.total is not None:
            answer, items = self._newest_rows(self.sizes.walk)
            page = self._whole(memory, answer, items)
        if page is not None:
            return page
        # The head's rows stay unknown until the walk comes to them: if it is cut short, nothing was skipped.
        walk = {"kind": "changes", "from": memory.mark(self.overlap) or "", "after": "", "newest": _newest(items)}
        return self._page([], replace(memory, total=answer.total, walk=walk), last=False, full=False)

    def _newest_rows(self, most: int) -> tuple[Answer, list[Item]]:
        answer = self.rows({"sort": "-updatedAt,-id", **jsonapi.page(most), **self.resource.scope()})
        return answer, self.resource.items(answer)

    def _whole(self, memory: Memory, answer: Answer, items: list[Item]) -> FeedPage | None:
        """The last page of a poll, if these newest rows are certainly all that is new."""
        mark, total = memory.mark(self.overlap) or "", answer.total
        news = [item for item in items if updated_at(item) >= mark and not memory.knows(item)]
        all_shown = total is not None and total <= len(items)
        if all_shown or not items or updated_at(items[-1]) < mark or self._is_explained(memory, items, news, total):
            risen = memory.remember(news).risen(_newest(items), self.overlap).settling(answer.date, self.overlap)
            return self._page(news, replace(risen, total=total), last=True, full=False)
        return None

    def _is_explained(self, memory: Memory, items: list[Item], news: list[Item], total: int | None) -> bool:
        """True if nothing new can lie behind these rows, although they are all within the overlap: the last of them is
        known, and the count is that of before and of those created since."""
        if memory.total is None or not memory.knows(items[-1]):
            return False
        created = [each for each in news if str(each.body["attributes"].get("createdAt")) > (memory.high_water or "")]
        return total == memory.total + len(created)

    def _changes(self, memory: Memory) -> FeedPage:
        walk = dict(memory.walk or {})
        answer = self.rows({**self._stretch(walk), **jsonapi.page(self.sizes.walk), **self.resource.scope()})
        items = self.resource.items(answer)
        news = [item for item in items if not memory.knows(item)]
        walk["newest"] = max(filter(None, (walk["newest"], _newest(items))), default=None)
        memory = memory.remember(news)
        if _is_all(answer, items):
            if not walk["after"]:
                return self._page(news, memory.risen(walk["newest"], self.overlap), last=True, full=False)
            walk |= {"from": jsonapi.next_second(walk["from"]), "after": ""}
        elif updated_at(items[-1]) > walk["from"]:
            walk |= {"from": updated_at(items[-1]), "after": ""}
        else:  # more rows of one second than a page holds: these by id
            walk["after"] = items[-1].id
        memory = replace(memory, walk=walk).forgetting(walk["from"], walk["newest"], self.overlap)
        return self._page(news, memory, last=False, full=False)

    def _stretch(self, walk: Mapping[str, Any]) -> dict[str, str]:
        if walk["after"]:
            second = jsonapi.range_filter("updatedAt", walk["from"], walk["from"])
            return {**second, "filter[id][gt]": walk["after"], "sort": "id"}
        since = jsonapi.since_filter("updatedAt", walk["from"]) if walk["from"] else {}
        return {**since, "sort": "updatedAt,id"}

    def _sweep(self, memory: Memory) -> FeedPage:
        walk = dict(memory.walk or {})
        begins = walk.get("kind") != "sweep"
        if begins:
            walk, memory = {"kind": "sweep", "after": "", "newest": None, "counted": None}, Memory()
        answer = self._rows_beyond(walk["after"])
        items = self.resource.items(answer)
        if begins and _is_all(answer, items):
            walk["newest"] = _newest(items)
        elif begins:
            # What changes while we walk must be met by the next poll, so the high water is that of the beginning.
            walk["newest"] = self._newest_now(answer.date)
            if answer.date is None:  # nobody knows how long ago that was
                answer = self._rows_beyond("")
                items = self.resource.items(answer)
        counted = answer.total if walk["counted"] is None else walk["counted"]
        mark = replace(memory, high_water=walk["newest"]).mark(self.overlap)
        memory = memory.remember([item for item in items if mark and updated_at(item) >= mark])
        if _is_all(answer, items):
            done = replace(memory.risen(walk["newest"], self.overlap), total=counted)
            return self._page(items, done, last=True, full=True)
        walk |= {"after": items[-1].id, "counted": counted}
        return self._page(items, replace(memory, total=counted, walk=walk), last=False, full=True)

    def _rows_beyond(self, id: str) -> Answer:
        """By id, so that nothing slips through when rows before it come and go. One page tells where the next begins:
        that is why they are not asked for at the same time."""
        beyond = {"filter[id][gt]": id} if id else {}
        return self.rows({"sort": "id", **jsonapi.page(self.sizes.walk), **beyond, **self.resource.scope()})

    def _newest_now(self, at_most: datetime | None) -> str | None:
        """The newest change there is, or a moment of OroCRM's that lies before it."""
        params = {"sort": "-updatedAt,-id", **jsonapi.page(1), **jsonapi.thin(self.resource.type, ["updatedAt"])}
        answer = self.client.get(self.resource.type, {**params, **self.resource.scope()})
        if not answer.ok:
            raise entity_refusal(answer, self.resource.entity)
        rows: list[dict[str, Any]] = rows_of(answer)
        text = jsonapi.attributes_of(rows[0]).get("updatedAt") if rows else None
        if text is None:
            return None
        newest = jsonapi.moment(text)
        return newest if at_most is None else min(newest, jsonapi.instant(at_most))

    def _page(self, items: list[Item], memory: Memory, *, last: bool, full: bool) -> FeedPage:
        sightings = tuple(Sighting(item.id, version=item.version, item=item) for item in items)
        return FeedPage(self.resource.entity, sightings, memory.to_cursor(), last=last, full=full, total=memory.total)


def _is_all(answer: Answer, items: list[Item]) -> bool:
    """True if nothing follows. By the count, since an instance may hand out fewer rows than asked for."""
    return not items or (answer.total is not None and len(items) >= answer.total)


def _newest(items: list[Item]) -> str | None:
    return max((updated_at(item) for item in items), default=None) or None
