"""The content of one mailbox: containers, items, their ids, what changed and when.

Plain state without rules: the kinds decide what a value may be, the routes what a request does. The caller holds
the sandbox's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orosync.sandbox.graph.changes import ChangeLog, DeltaFeeds
from orosync.sandbox.graph.ids import IMMUTABLE, MUTABLE, IdMint, item_id, split_id
from orosync.sandbox.graph.items import Container, Item, Kind
from orosync.sandbox.graph.notifications import Change
from orosync.sandbox.graph.wire import GraphFault, bad_request, not_found

_WELLKNOWN: dict[Kind, tuple[tuple[str, str], ...]] = {
    "contact": (("Contacts", "contacts"),),
    "task": (("Tasks", "defaultList"), ("Flagged Emails", "flaggedEmails")),
    "event": (("Calendar", "calendar"),),
}


class MailStore:
    """Containers and items of one mailbox, found by either form of their id."""

    def __init__(self, mint: IdMint, now: Callable[[], datetime], tell: Callable[[Item, Change], None]) -> None:
        self.mint = mint
        self.now = now
        self.tell = tell
        self.feeds = DeltaFeeds(mint.sync_token)
        self.containers: dict[str, Container] = {}
        self.container_by_serial: dict[int, Container] = {}
        self.container_log: dict[Kind, ChangeLog] = {kind: ChangeLog() for kind in _WELLKNOWN}
        self.default: dict[Kind, Container] = {}
        self.transactions: dict[str, Item] = {}
        self.bin: list[Item] = []
        self.seq = 0
        self._serial = 0
        self._by_token: dict[str, Item] = {}
        for kind, names in _WELLKNOWN.items():
            for name, wellknown in names:
                made = self.add_container(kind, name, wellknown)
                self.default.setdefault(kind, made)

    def _next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    # containers

    def add_container(self, kind: Kind, name: str, wellknown: str = "", parent: Container | None = None) -> Container:
        serial = self.next_serial()
        made = Container(kind, serial, self.mint.container_id(serial), name, wellknown, parent)
        self.containers[made.id] = made
        self.container_by_serial[serial] = made
        self.touch_container(made)
        return made

    def touch_container(self, container: Container) -> None:
        container.version = self._next_seq()
        self.container_log[container.kind].touched(container.serial, container.version)

    def remove_container(self, container: Container) -> None:
        for item in list(container.items.values()):
            self.remove(item)
        del self.containers[container.id]
        self.container_log[container.kind].left(container.serial, self._next_seq(), 0)

    def container(self, kind: Kind, container_id: str) -> Container:
        """Raises GraphFault 404, or 400 for an id of no known form."""
        found = self.containers.get(container_id)
        if found is not None and found.kind == kind:
            return found
        if kind == "task":
            raise GraphFault(404, "ResourceNotFound", "The list was not found.")
        raise not_found() if container_id.startswith("AAMk") else _malformed()

    def of_kind(self, kind: Kind) -> list[Container]:
        return [container for container in self.containers.values() if container.kind == kind]

    # items

    def new_item(self, kind: Kind, container: Container) -> Item:
        """An item that is not in the mailbox yet: `add` puts it there once its content was accepted."""
        return Item(self.next_serial(), kind, container, self.now())

    def add(self, item: Item) -> None:
        item.container.items[item.serial] = item
        self._index(item)
        if "transactionId" in item.data:
            self.transactions[item.data["transactionId"]] = item
        self.touch(item, "created")

    def touch(self, item: Item, change: Change = "updated") -> None:
        item.version = self._next_seq()
        item.modified = self.now()
        item.container.log.touched(item.serial, item.version)
        self.tell(item, change)

    def remove(self, item: Item, purge: bool = False) -> None:
        """Into Deleted Items; its ids are not found any more."""
        self.tell(item, "deleted")
        del item.container.items[item.serial]
        self._unindex(item)
        item.container.log.left(item.serial, self._next_seq(), item.moves)
        if not purge:
            self.bin.append(item)

    def move(self, item: Item, target: Container) -> None:
        """Out of one container's feed, into the other's; the id of the default form changes."""
        if target is item.container:
            return
        self.tell(item, "deleted")
        self._unindex(item)
        del item.container.items[item.serial]
        item.container.log.left(item.serial, self._next_seq(), item.moves)
        item.moves += 1
        item.container = target
        target.items[item.serial] = item
        self._index(item)
        self.touch(item, "created")

    def find(self, kind: Kind, wanted: str) -> tuple[Item, str | None]:
        """The item behind an id of either form, and the day when it names an occurrence.

        Raises GraphFault 404 ErrorItemNotFound, or 400 ErrorInvalidIdMalformed.
        """
        parts = split_id(wanted)
        if parts is None:
            raise _malformed()
        form, token, day = parts
        item = self._by_token.get(token)
        if item is None or item.kind != kind or self.id_of(item, form == IMMUTABLE, day) != wanted:
            raise not_found()
        return item, day

    def id_of(self, item: Item, immutable: bool, day: str | None = None) -> str:
        return self.id_at(item.kind, item.serial, item.moves, immutable, day)

    def id_at(self, kind: Kind, serial: int, moves: int, immutable: bool, day: str | None = None) -> str:
        """Tasks have one form only: immutable ids do not name todoTask (graph-api.md 8)."""
        if immutable and kind != "task":
            return item_id(IMMUTABLE, self.mint.immutable_token(serial), day)
        return item_id(MUTABLE, self.mint.mutable_token(serial, moves), day)

    def _index(self, item: Item) -> None:
        self._by_token[self.mint.mutable_token(item.serial, item.moves)] = item
        if item.kind != "task":
            self._by_token[self.mint.immutable_token(item.serial)] = item

    def _unindex(self, item: Item) -> None:
        del self._by_token[self.mint.mutable_token(item.serial, item.moves)]
        self._by_token.pop(self.mint.immutable_token(item.serial), None)


def _malformed() -> GraphFault:
    return bad_request("Id is malformed.", "ErrorInvalidIdMalformed")
