"""A simulated tenant with one mailbox, and the adapter under test in front of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from orosync.core.exchange import FeedPage, FeedRequest, Write
from orosync.core.mapping.lens import LINKED_RESOURCE_APPLICATION, STAMP_PROPERTY
from orosync.core.records import Entity, Item, Json
from orosync.errors import OrosyncError
from orosync.outlook.auth import StaticToken, TokenSource
from orosync.outlook.client import GraphClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph import GraphSandbox, LoggedRequest, create_graph_app
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.transport import WsgiAdapter

UPN = "anna@contoso.example"
GRAPH_URL = "https://graph.microsoft.com/v1.0"
SIGN_IN_URL = "https://login.microsoftonline.com"
YEARS = 10**8  # seconds
CONTACT, TASK, EVENT = Entity.CONTACT, Entity.TASK, Entity.EVENT


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **length: float) -> None:
        self.moment += timedelta(**length)


class Wire(BaseAdapter):
    """What the client is plugged into: a program that may be exchanged while it runs. `sent`: what went over it."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app
        self.sent: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        self.sent.append(request)
        return WsgiAdapter(self.app).send(request, *args, **options)

    def close(self) -> None:
        pass


@dataclass
class Tenant:
    clock: Clock = field(default_factory=Clock)
    graph: GraphSandbox = field(init=False)
    mailbox: Mailbox = field(init=False)
    adapter: Wire = field(init=False)

    def __post_init__(self) -> None:
        self.graph = GraphSandbox(clock=self.clock, seed=11)
        self.mailbox = self.graph.add_mailbox(UPN, display_name="Anna Berg", time_zone="Europe/Berlin")
        self.adapter = Wire(create_graph_app(self.graph))

    def client(self, tokens: TokenSource | None = None, **options: Any) -> GraphClient:
        tokens = tokens or StaticToken(self.graph.issue_token(UPN, expires_in=YEARS))
        return GraphClient(GRAPH_URL, tokens, adapters={"https://": self.adapter}, **options)

    def outlook(self, user: str = "me", client: GraphClient | None = None, **options: Any) -> OutlookMailbox:
        """Discovered and ready for use."""
        if client is None:
            client = (
                self.client(StaticToken(self.graph.issue_app_token(expires_in=YEARS)))
                if user != "me"
                else self.client()
            )
        outlook = OutlookMailbox(client, user, now=self.clock, **options)
        outlook.use(outlook.make_containers())
        return outlook

    @contextmanager
    def gateway(self, largest_body: int) -> Iterator[list[int]]:
        """In front of Graph stands a gateway that refuses larger bodies, as the real one does; the sizes it saw."""
        app = self.adapter.app
        sizes: list[int] = []

        def gateway(environ: Json, start_response: Any) -> Any:
            sizes.append(int(environ.get("CONTENT_LENGTH") or 0))
            if sizes[-1] > largest_body:
                start_response("413 Payload Too Large", [("Content-Type", "text/html")])
                return [b"<html>413</html>"]
            return app(environ, start_response)

        self.adapter.app = gateway
        yield sizes
        self.adapter.app = app

    @contextmanager
    def requests(self) -> Iterator[list[LoggedRequest]]:
        """What is asked inside the block: parts as well as calls."""
        self.graph.clear_log()
        seen: list[LoggedRequest] = []
        yield seen
        seen += self.graph.request_log


def op(number: int) -> str:
    return str(uuid5(UUID(int=7), str(number)))


def stamp(value: str) -> Json:
    return {"singleValueExtendedProperties": [{"id": STAMP_PROPERTY, "value": value}]}


def link(value: str) -> Json:
    return {
        "applicationName": LINKED_RESOURCE_APPLICATION,
        "externalId": value,
        "displayName": "Task",
        "webUrl": f"https://oro.example/task/view/{value}",
    }


def event(subject: str = "Visit", day: str = "2026-11-23", **more: Any) -> Json:
    return {
        "subject": subject,
        "start": {"dateTime": f"{day}T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": f"{day}T10:00:00", "timeZone": "UTC"},
        **more,
    }


def weekly(subject: str = "Weekly", **more: Any) -> Json:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}
    return event(
        subject, recurrence={"pattern": pattern, "range": {"type": "noEnd", "startDate": "2026-11-23"}}, **more
    )


def create(entity: Entity, patch: Json, number: int = 1) -> Write:
    return Write(op(number), "create", entity, patch)


def update(entity: Entity, item: Item, patch: Json, number: int = 2) -> Write:
    return Write(op(number), "update", entity, patch, item)


def delete(entity: Entity, item: Item, number: int = 3) -> Write:
    return Write(op(number), "delete", entity, {}, item)


def wrote(outlook: OutlookMailbox, write: Write) -> Any:
    """The item written; fails with the error where there is one."""
    result = outlook.write([write])[write.op_id]
    if isinstance(result, OrosyncError):
        raise result
    return result.item


def refused(outlook: OutlookMailbox, write: Write) -> OrosyncError:
    result = outlook.write([write])[write.op_id]
    assert isinstance(result, OrosyncError), result
    return result


def page(outlook: OutlookMailbox, entity: Entity, cursor: str | None = None, *, full: bool = False) -> FeedPage:
    """One page; raises the error that stands in its place."""
    [found] = outlook.pages([FeedRequest(entity, cursor, full=full)])
    if isinstance(found, OrosyncError):
        raise found
    return found


def whole_round(outlook: OutlookMailbox, entity: Entity, cursor: str | None = None) -> list[FeedPage]:
    pages = [page(outlook, entity, cursor)]
    while not pages[-1].last:
        pages.append(page(outlook, entity, pages[-1].cursor))
        assert len(pages) < 50, "the feed leads nowhere"
    return pages


def ids(pages: list[FeedPage], *, removed: bool = False) -> list[str]:
    return [each.id for one in pages for each in one.sightings if each.removed == removed]


def the(outlook: OutlookMailbox, entity: Entity, item_id: str) -> Item:
    return outlook.read(entity, [item_id])[item_id].item  # type: ignore[union-attr]
