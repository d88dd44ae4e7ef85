"""To Do tasks of one list: paths, and the linked resource that is their stamp (graph-api.md 2.3, 4).

`outlook.timezone` is never asked for: it shifts the days of tasks (section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orosync.core.exchange import Lookup, Sighting, Write
from orosync.core.mapping.lens import LINKED_RESOURCE_APPLICATION
from orosync.core.mapping.stamps import LINKS
from orosync.core.records import Entity, Item, Json
from orosync.outlook.batch import Part
from orosync.outlook.resource import address, plain, precondition, segment, version_of


@dataclass(frozen=True, slots=True)
class Tasks:
    """user: "/me" or "/users/{...}". container: the list's id; it is part of every path, so a task that was moved
    to another list is not found any more (its id changes as well)."""

    user: str
    container: str
    page_size: int = 200
    entity: Entity = Entity.TASK

    @property
    def _list(self) -> str:
        return f"{self.user}/todo/lists/{segment(self.container)}/tasks"

    def first_page(self, window: tuple[str, str]) -> Part:  # noqa: ARG002  # the shape of all three
        return Part("GET", address(f"{self._list}/delta", expand=LINKS))

    def sighting(self, row: Json) -> Sighting | None:
        """A row with a title is the whole task, linked resources included."""
        item_id = str(row.get("id") or "")
        if not item_id:
            return None
        if "@removed" in row:
            return Sighting(item_id, removed=True)
        return Sighting(item_id, version_of(row) or None, item=self.item(row) if "title" in row else None)

    def one(self, id: str) -> Part:
        return Part("GET", address(f"{self._list}/{segment(id)}", expand=LINKS))

    def anywhere(self, id: str) -> Part | None:  # noqa: ARG002  # no item spans lists
        return None

    def listing(self) -> str:
        return address(self._list, top=self.page_size, expand=LINKS)

    def find(self, lookup: Lookup) -> str:  # noqa: ARG002  # there is no filter on linked resources (section 2.4)
        return self.listing()

    def is_hit(self, row: Json, lookup: Lookup) -> bool:
        return lookup.stamp is None or any(str(link.get("externalId")) == lookup.stamp for link in _ours(row))

    def item(self, row: Json) -> Item:
        return Item(str(row["id"]), version_of(row), {LINKS: [], **plain(row)}, self.container)

    def elsewhere(self, row: Json) -> bool:  # noqa: ARG002  # the list is in the path
        return False

    def create(self, write: Write) -> Part:
        return Part("POST", self._list, write.patch)

    def update(self, write: Write, item: Item) -> list[Part]:
        """PATCH of a task cannot carry linked resources: they have requests of their own."""
        path = f"{self._list}/{segment(item.id)}"
        fields = {name: value for name, value in write.patch.items() if name != LINKS}
        parts = [Part("PATCH", path, fields, precondition(item))] if fields else []
        present = _ours(item.body)
        for link in write.patch.get(LINKS) or []:
            ours = link.get("applicationName") == LINKED_RESOURCE_APPLICATION
            if ours and present and present[0].get("id"):
                changed = {name: value for name, value in link.items() if present[0].get(name) != value}
                if changed:
                    parts.append(Part("PATCH", f"{path}/{LINKS}/{segment(str(present[0]['id']))}", changed))
            else:
                parts.append(Part("POST", f"{path}/{LINKS}", link))
        return parts

    def delete(self, item: Item) -> Part:
        return Part("DELETE", f"{self._list}/{segment(item.id)}", headers=precondition(item))

    def completed(self, write: Write, replies: Sequence[Json]) -> Item:
        """A reply to PATCH has no linked resources, one to a linked resource is only that."""
        if write.item is None:
            body = plain(replies[-1])
            return self.item({**body, LINKS: body.get(LINKS) or write.patch.get(LINKS) or []})
        links: list[Json] = [dict(link) for link in write.item.body.get(LINKS) or []]
        body = dict(write.item.body)
        for reply in replies:
            if "applicationName" in reply or "externalId" in reply:
                links = [link for link in links if link.get("id") != reply.get("id")] + [plain(reply)]
            else:
                body = {**reply}
        row = {**body, LINKS: links}
        item = self.item(row)
        return item if version_of(row) else Item(item.id, write.item.version, item.body, item.container)


def _ours(row: Json) -> list[Json]:
    return [link for link in row.get(LINKS) or [] if link.get("applicationName") == LINKED_RESOURCE_APPLICATION]
