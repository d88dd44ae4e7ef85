"""A mailbox as the person who owns it sees it: edits by hand, and a look at what is in it.

Edits here follow the same rules for values as requests do, but send no mail and count as no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import date, datetime
from threading import RLock
from typing import Any

from orosync.sandbox.graph import contacts, events, tasks
from orosync.sandbox.graph.ids import IdMint
from orosync.sandbox.graph.items import Container, Item, Kind, Mail, Occurrence
from orosync.sandbox.graph.notifications import Change
from orosync.sandbox.graph.properties import ExtendedValues, canonical_id, checked_value
from orosync.sandbox.graph.recurrence import occurrence
from orosync.sandbox.graph.settings import GraphSettings
from orosync.sandbox.graph.store import MailStore
from orosync.sandbox.graph.wire import JSON, Preference, not_found
from orosync.sandbox.graph.zones import windows_name

_OURS = frozenset({"extended", "due_by_user", "linkedResources"})


class Mailbox:
    """One person's contacts, tasks and events. Made by `GraphSandbox.add_mailbox`; thread-safe."""

    def __init__(
        self,
        upn: str,
        *,
        display_name: str,
        time_zone: str,
        language: str,
        seed: int,
        lock: RLock,
        clock: Callable[[], datetime],
        settings: GraphSettings,
        tell: Callable[[Mailbox, Item, Change], None],
    ) -> None:
        self.upn = upn
        self.display_name = display_name
        self.time_zone = time_zone
        self.windows_zone = windows_name(time_zone)
        self.language = language
        self.settings = settings
        self._seed, self._clock, self._emptied = seed, clock, 0
        self.user_id = IdMint(seed, upn.casefold()).guid(1)
        self._tell = tell
        self.store = MailStore(IdMint(seed, upn.casefold()), clock, self._changed)
        self.outbox: list[Mail] = []
        self.in_flight = 0
        self.max_concurrency_seen = 0
        self.lock = lock

    def empty(self) -> None:
        """As a new mailbox; what was in it before has ids that are never used again."""
        self._emptied += 1
        mint = IdMint(self._seed, f"{self.upn.casefold()}|{self._emptied}")
        self.store = MailStore(mint, self._clock, self._changed)
        self.outbox.clear()

    def _changed(self, item: Item, change: Change) -> None:
        self._tell(self, item, change)

    @property
    def owner(self) -> JSON:
        return {"name": self.display_name, "address": self.upn}

    # rendering, shared with the routes

    def render(self, item: Item, prefer: Preference, day: Occurrence | None = None) -> JSON:
        """The item as a reply has it, in the id form the request asked for."""
        store = self.store
        item_id = store.id_of(item, prefer.immutable_ids, day.day if day else None)
        if item.kind == "contact":
            return contacts.render(item, item_id)
        if item.kind == "task":
            return tasks.render(item, item_id, prefer)
        ical = store.mint.ical_uid(item.serial, day.day) if day else self.ical_uid(item)
        row = events.render(item, item_id, ical, self.owner, prefer, days=day)
        if day is not None:
            row["seriesMasterId"] = store.id_of(item, prefer.immutable_ids)
        return row

    def ical_uid(self, item: Item) -> str:
        """The same in the organiser's and the guests' calendars; a guest's copy keeps the organiser's."""
        return str(item.data.get("iCalUId") or self.store.mint.ical_uid(item.serial))

    def day_of(self, item: Item, day: str | None) -> Occurrence | None:
        """The occurrence an id names; raises GraphFault 404 when there is none on that day."""
        if day is None:
            return None
        found = occurrence(item.timing, day) if item.timing else None
        if found is None:
            raise not_found()
        return found

    def write(self, item: Item, body: Mapping[str, Any], *, creating: bool) -> None:
        """Applies a body by the rules of the item's kind; raises GraphFault 400."""
        trim, values = self.settings.trim_strings, dict(body)
        if item.kind == "contact":
            contacts.write(item, values, creating=creating, trim=trim)
        elif item.kind == "task":
            tasks.write(item, values, creating=creating, now=self.store.now(), trim=trim)
        else:
            events.write(item, values, creating=creating, trim=trim)

    # a person's edits

    def add_contact_folder(self, name: str) -> str:
        return self._add_container("contact", name)

    def add_todo_list(self, name: str) -> str:
        return self._add_container("task", name)

    def add_calendar(self, name: str) -> str:
        return self._add_container("event", name)

    def containers(self, kind: Kind) -> dict[str, str]:
        """Names by id, the default one first."""
        with self.lock:
            return {container.id: container.name for container in self.store.of_kind(kind)}

    def user_create(self, kind: Kind, item: Mapping[str, Any], container: str | None = None) -> str:
        """A new item made by hand; returns its id (the immutable form where there is one).

        Besides Graph's own properties: `extended` (by id, or `gender`, `fax`, `primary_phone`) for contacts and
        events; `due_by_user` (a date as the To Do app stores it) and `linkedResources` for tasks. `container` is
        an id or a name. Raises GraphFault for values Graph would refuse.
        """
        with self.lock:
            made = self.store.new_item(kind, self._container(kind, container))
            self.write(made, _graph_part(item), creating=True)
            self._write_ours(made, item)
            self.store.add(made)
            return self.store.id_of(made, immutable=True)

    def user_update(self, kind: Kind, id: str, changes: Mapping[str, Any]) -> None:
        """A change made by hand, also of one day of a series; the keys of `user_create`, `extended` None removes."""
        with self.lock:
            item, day = self.store.find(kind, id)
            if day is not None:
                events.write_occurrence(item, day, _graph_part(changes), trim=self.settings.trim_strings)
            elif _graph_part(changes):
                self.write(item, _graph_part(changes), creating=False)
            self._write_ours(item, changes)
            self.store.touch(item)

    def user_delete(self, kind: Kind, id: str) -> None:
        """Into Deleted Items; of a series, the one day the id names."""
        with self.lock:
            item, day = self.store.find(kind, id)
            if day is None:
                self.store.remove(item)
            else:
                self.cancel_day(item, day)

    def cancel_day(self, item: Item, day: str) -> None:
        self.day_of(item, day)
        item.when.cancelled.add(day)
        item.when.exceptions.pop(day, None)
        self.store.touch(item)

    def user_move(self, kind: Kind, id: str, container: str) -> str:
        """Into another container; returns the id it has there (a task's changes)."""
        with self.lock:
            item, _ = self.store.find(kind, id)
            self.store.move(item, self._container(kind, container))
            return self.store.id_of(item, immutable=True)

    def user_copy(self, kind: Kind, id: str) -> str:
        """A copy beside the original, extended properties and linked resources copied along: the stamp too."""
        with self.lock:
            item, _ = self.store.find(kind, id)
            copy = self.store.new_item(kind, item.container)
            copy.data = deepcopy(item.data)
            copy.data.pop("transactionId", None)
            copy.extended = dict(item.extended) if item.extended else None
            copy.links = [{**link, "id": self.store.mint.guid(2, copy.serial, n)} for n, link in enumerate(item.links)]
            copy.timing = deepcopy(item.timing)
            self.store.add(copy)
            return self.store.id_of(copy, immutable=True)

    def receive_invitation(
        self,
        organizer: str,
        item: Mapping[str, Any],
        *,
        organizer_name: str | None = None,
        response: str = "notResponded",
        ical_uid: str | None = None,
    ) -> str:
        """A meeting somebody else organises arrives in the default calendar; returns its id."""
        with self.lock:
            made = self.store.new_item("event", self.store.default["event"])
            guests = item.get("attendees") or [{"emailAddress": {**self.owner}, "type": "required"}]
            self.write(made, {**_graph_part(item), "attendees": guests}, creating=True)
            made.data |= {
                "isOrganizer": False,
                "organizer": {"emailAddress": {"name": organizer_name or organizer, "address": organizer}},
                "responseStatus": {"response": response, "time": "0001-01-01T00:00:00Z"},
            }
            if ical_uid is not None:
                made.data["iCalUId"] = ical_uid
            self._write_ours(made, item)
            self.store.add(made)
            return self.store.id_of(made, immutable=True)

    # a look inside

    def items(self, kind: Kind, container: str | None = None) -> list[JSON]:
        """Everything of a kind as stored (events: series masters and singles, times in UTC)."""
        with self.lock:
            wanted: Iterable[Container] = (
                self.store.of_kind(kind) if container is None else [self._container(kind, container)]
            )
            return [self.view(item) for place in wanted for item in place.items.values()]

    def item(self, kind: Kind, id: str) -> JSON:
        """One item as stored; raises GraphFault 404."""
        with self.lock:
            found, day = self.store.find(kind, id)
            return self.view(found, self.day_of(found, day))

    @property
    def deleted_items(self) -> list[JSON]:
        """What lies in Deleted Items, oldest first."""
        with self.lock:
            return [self.view(item) for item in self.store.bin]

    def view(self, item: Item, day: Occurrence | None = None) -> JSON:
        """The reply's members, plus `extended`, `linkedResources` of a task, `container` and `kind`."""
        row = deepcopy(self.render(item, Preference(immutable_ids=True), day))
        row |= {"kind": item.kind, "container": item.container.name, "containerId": item.container.id}
        row["extended"] = ExtendedValues(item.extended)
        if item.kind == "task":
            row["linkedResources"] = deepcopy(item.links)
        return row

    def _add_container(self, kind: Kind, name: str) -> str:
        with self.lock:
            parent = self.store.default["contact"] if kind == "contact" else None
            return self.store.add_container(kind, name, parent=parent).id

    def _container(self, kind: Kind, wanted: str | None) -> Container:
        if wanted is None:
            return self.store.default[kind]
        for container in self.store.of_kind(kind):
            if wanted in {container.id, container.name}:
                return container
        raise not_found()

    def _write_ours(self, item: Item, values: Mapping[str, Any]) -> None:
        for name, value in (values.get("extended") or {}).items():
            extended = ExtendedValues(item.extended)
            if value is None:
                extended.pop(name, None)
            else:
                extended[name] = checked_value(canonical_id(extended.key(name)), value)
            item.extended = dict(extended) or None
        due = values.get("due_by_user")
        if due is not None:
            day = date.fromisoformat(due) if isinstance(due, str) else due
            item.data["dueDateTime"] = tasks.due_as_the_app_sets_it(day, self.time_zone)
        if "linkedResources" in values:
            item.links = [
                tasks.new_link(link, self.store.mint.guid(2, item.serial, n))
                for n, link in enumerate(values["linkedResources"])
            ]


def _graph_part(values: Mapping[str, Any]) -> JSON:
    return {name: value for name, value in values.items() if name not in _OURS}
