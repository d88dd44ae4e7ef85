"""One mailbox as a run sees it: `OutlookMailbox` satisfies the run's port for a side (by shape).

Finds out what mailbox and containers there are; the change feeds, reading and writing are in `delta`, `reading`
and `writing`. Calls Graph through the client it is given.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from orosync.core.exchange import FeedPage, FeedRequest, Lookup, NotReadable, Reading, Write, WriteResult
from orosync.core.records import Entity, Item, Json, Side
from orosync.core.zones import iana_of
from orosync.errors import AccountBlocked, EntityForbidden, OrosyncError, SideFailing
from orosync.outlook import reading, writing
from orosync.outlook.batch import MOST_PARTS, Answer, Part, send_parts
from orosync.outlook.client import GraphClient
from orosync.outlook.contacts import Contacts
from orosync.outlook.delta import Feeds
from orosync.outlook.events import Events
from orosync.outlook.replies import Reply, container_missing, read_error
from orosync.outlook.resource import Resource, address, segment
from orosync.outlook.tasks import Tasks

log = logging.getLogger(__name__)

DEFAULT = "default"
_ALL = (Entity.CONTACT, Entity.TASK, Entity.EVENT)
# where containers are listed and made, and what their name is called there
_CONTAINERS = {
    Entity.CONTACT: ("/contactFolders", "displayName"),
    Entity.TASK: ("/todo/lists", "displayName"),
    Entity.EVENT: ("/calendars", "name"),
}


class OutlookMailbox:
    """user: "me" with a delegated token, or a principal name or id with an application's. containers: per entity
    "default" or the name of a folder, list or calendar. entities: those that are synchronised. window_days: back and
    ahead, for events. now: aware."""

    side = Side.OUTLOOK
    writes_at_once = MOST_PARTS

    def __init__(
        self,
        client: GraphClient,
        user: str,
        *,
        containers: Mapping[Entity, str] | None = None,
        entities: Collection[Entity] = _ALL,
        window_days: tuple[int, int] = (30, 365),
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._named_user = user
        self._user = "/me" if user == "me" else f"/users/{quote(user, safe='@')}"
        self._names = {entity: (containers or {}).get(entity) or DEFAULT for entity in _ALL}
        self._entities = tuple(entity for entity in _ALL if entity in entities)
        self._resources: dict[Entity, Resource] = {}
        self._found: Json | None = None  # by `discover`, in this run
        self._feeds = Feeds(client, self._resources, window_days, now)

    @property
    def requests_sent(self) -> int:
        return self._client.requests_sent

    # what there is

    def discover(self) -> Json:
        """{"mailbox_id", "address", "zone" (IANA), "containers": {entity: id or None}, "forbidden": [entities]}.

        A container is None if it has to be created, "" for a default contact folder that is empty (its id is told by
        its contacts alone, graph-api.md 1.1). Raises SignInNeeded, AccountBlocked, TryLater.
        """
        parts = [
            Part("GET", address(self._user, select="id,mail,userPrincipalName")),
            Part("GET", f"{self._user}/mailboxSettings"),
            Part("GET", address(f"{self._user}/calendar", select="id,owner")),
            *(self._container_part(entity) for entity in self._entities),
        ]
        if Entity.CONTACT in self._entities:
            parts.append(Part("GET", address(f"{self._user}/contacts", top=1, select="parentFolderId")))
        answers = send_parts(self._client, parts)
        who, settings, calendar, *rest = answers
        containers: dict[str, str | None] = {}
        forbidden: list[str] = []
        for entity, answer in zip(self._entities, rest, strict=False):
            try:
                containers[entity] = self._container_id(entity, answer, calendar, rest[-1])
            except EntityForbidden:
                containers[entity] = None
                forbidden.append(str(entity))
        mailbox_id, mail = self._owner(who, calendar)
        zone = _zone(_value(settings, "MailboxSettings.Read").get("timeZone"))
        self._found = {
            "mailbox_id": mailbox_id,
            "address": mail,
            "zone": zone,
            "containers": {str(entity): found for entity, found in containers.items()},
            "forbidden": forbidden,
        }
        return self._found

    def use(self, facts: Json) -> None:
        """Takes what `discover` or `make_containers` returned."""
        found = facts["containers"]
        self._resources.clear()
        for entity in self._entities:
            container = found.get(str(entity))
            if container is not None:
                self._resources[entity] = self._resource(entity, str(container))

    def make_containers(self) -> Json:
        """Creates the named ones that are missing, all at once, and looks again. Raises as `discover`."""
        facts = self._found or self.discover()
        missing = [
            entity
            for entity in self._entities
            if facts["containers"][str(entity)] is None and str(entity) not in facts["forbidden"]
        ]
        if missing:
            self._make(missing)
            facts = self.discover()
        self.use(facts)
        return facts

    def canary(self) -> bool:
        """The mailbox and every container in use can be read."""
        parts = [Part("GET", f"{self._user}/mailboxSettings")]
        parts += [self._canary_part(entity, resource) for entity, resource in self._resources.items()]
        return all(isinstance(answer, Reply) and answer.ok for answer in send_parts(self._client, parts))

    # feeds, reads, writes

    def pages(self, requests: Sequence[FeedRequest]) -> list[FeedPage | OrosyncError]:
        return self._feeds.pages(requests)

    def read(self, entity: Entity, ids: Sequence[str]) -> dict[str, Reading]:
        resource = self._resources.get(entity)
        if resource is None:
            return dict.fromkeys(ids, NotReadable(container_missing(entity)))
        return reading.read(self._client, resource, ids)

    def listed(self, entity: Entity, wanted: int) -> Iterator[dict[str, Reading]]:
        resource = self._resources.get(entity)
        return iter(()) if resource is None else reading.listed(self._client, resource, wanted)

    def fence(self, still_ours: Callable[[], None]) -> None:
        """Before each request that writes: raises LeaseLost, and nothing is sent."""
        self._client.before_writing = still_ours

    def write(self, writes: Sequence[Write]) -> dict[str, WriteResult]:
        return writing.write(self._client, self._resources, writes)

    def find(self, lookup: Lookup) -> list[Item]:
        """Raises what a failing read means: TryLater, SignInNeeded, AccountBlocked, EntityForbidden."""
        resource = self._resources.get(lookup.entity)
        if resource is None:
            raise container_missing(lookup.entity)
        return reading.find(self._client, resource, lookup)

    # containers

    def _is_chosen(self, entity: Entity) -> bool:
        return self._names[entity] != DEFAULT

    def _resource(self, entity: Entity, id: str) -> Resource:
        if entity is Entity.CONTACT:
            return Contacts(self._user, id, self._is_chosen(entity))
        if entity is Entity.TASK:
            return Tasks(self._user, id)
        return Events(self._user, id, self._is_chosen(entity))

    def _container_part(self, entity: Entity) -> Part:
        path, name = _CONTAINERS[entity]
        extra = ",wellknownListName" if entity is Entity.TASK else ""
        return Part("GET", address(self._user + path, top=100, select=f"id,{name}{extra}"))

    def _canary_part(self, entity: Entity, resource: Resource) -> Part:
        if entity is Entity.CONTACT and not self._is_chosen(entity):
            return Part("GET", address(f"{self._user}/contacts", top=1, select="id"))
        path, _ = _CONTAINERS[entity]
        return Part("GET", f"{self._user}{path}/{segment(resource.container)}")

    def _container_id(self, entity: Entity, listed: Answer, calendar: Answer, a_contact: Answer) -> str | None:
        rows = self._rows(entity, listed)
        _, name = _CONTAINERS[entity]
        if self._is_chosen(entity):
            return next((str(row["id"]) for row in rows if row.get(name) == self._names[entity]), None)
        if entity is Entity.TASK:
            default = (str(row["id"]) for row in rows if row.get("wellknownListName") == "defaultList")
            return next(default, None)
        if entity is Entity.EVENT:
            return str(_value(calendar, "Calendars.ReadWrite", entity)["id"])
        folder = next((row.get("parentFolderId") for row in self._first(a_contact, entity)), None)
        # Where the list should show contacts of all folders, one of a chosen folder says nothing of the default one.
        return str(folder) if folder and folder not in {row.get("id") for row in rows} else ""

    def _first(self, answer: Answer, entity: Entity) -> list[Json]:
        rows = _value(answer, "Contacts.ReadWrite", entity).get("value")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def _rows(self, entity: Entity, answer: Answer) -> list[Json]:
        """All pages of a list of containers, the first of which is `answer`."""
        rows: list[Json] = []
        met: set[str] = set()
        while True:
            body = _value(answer, "", entity)
            if not isinstance(body.get("value"), list):
                raise SideFailing("Microsoft Graph gave a list of folders without rows.")
            rows += [row for row in body["value"] if isinstance(row, dict) and row.get("id")]
            link = str(body.get("@odata.nextLink") or "")
            if not link:
                return rows
            if link in met:
                raise SideFailing("Microsoft Graph's list of folders leads back to itself.")
            met.add(link)
            answer = self._client.get(link)

    def _make(self, entities: Sequence[Entity]) -> None:
        parts = []
        for entity in entities:
            if not self._is_chosen(entity):
                raise container_missing(entity)
            path, name = _CONTAINERS[entity]
            parts.append(Part("POST", self._user + path, body={name: self._names[entity]}))
        for entity, answer in zip(entities, send_parts(self._client, parts), strict=True):
            if not isinstance(answer, Reply):
                raise answer
            if not answer.ok and answer.status != 409:  # 409: somebody was faster, the next look finds it
                raise read_error(answer, entity)

    def _owner(self, who: Answer, calendar: Answer) -> tuple[str, str]:
        """Id and address. An application may have no right to read the user itself; then the calendar's owner and
        the name we were given serve for both."""
        if isinstance(who, Reply) and who.status == 403:
            owner = _value(calendar, "Calendars.ReadWrite").get("owner")
            mail = str(owner.get("address") or "") if isinstance(owner, dict) else ""
            mail = mail or self._named_user
            return mail.casefold(), mail
        body = _value(who, "User.Read")
        return str(body["id"]), str(body.get("mail") or body.get("userPrincipalName") or self._named_user)


def _value(answer: Answer, permission: str, entity: Entity | None = None) -> dict[str, Any]:
    """The object an answer holds. Raises what an answer other than that means."""
    if not isinstance(answer, Reply):
        raise answer
    if not answer.ok:
        if answer.status == 404:
            raise AccountBlocked(
                f"There is no such mailbox for Microsoft Graph ({answer.code or 404}).",
                remedy="Check the mailbox's address and that it is in Exchange Online.",
            )
        error = read_error(answer, entity)
        if isinstance(error, AccountBlocked) and entity is None and answer.status == 403:
            error.remedy = error.remedy if not permission else f"Ask the administrator to consent to {permission}."
        raise error
    if not isinstance(answer.body, dict):
        raise SideFailing("Microsoft Graph gave an answer without content.")
    return answer.body


def _zone(name: Any) -> str:
    """The IANA name of what mailboxSettings calls a zone: a Windows name as a rule (graph-api.md 3.1)."""
    found = iana_of(name) if isinstance(name, str) else None
    if found is not None:
        return found
    log.warning("the mailbox's time zone is a custom one; UTC is taken in its place")
    return "UTC"
