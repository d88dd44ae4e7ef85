"""A simulated OroCRM inside the process, and the OroCRM side of an account that talks to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orosync.core.exchange import FeedPage, FeedRequest, Sighting, Write
from orosync.core.records import Entity, Item
from orosync.oro.auth import SignIn, Wsse
from orosync.oro.client import OroClient
from orosync.oro.feed import PageSizes
from orosync.oro.instance import OroInstance
from orosync.sandbox.oro import LoggedRequest, OroSandbox, create_oro_app
from orosync.sandbox.transport import WsgiAdapter

URL = "https://crm.example"
OVERLAP = timedelta(minutes=5)


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass
class World:
    """The sandbox with the people of the recordings, and ways into it."""

    clock: Clock = field(default_factory=Clock)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.oro = OroSandbox(self.clock, seed=1)
        self.users = self.oro.seed_recorded_users()
        self.app = create_oro_app(self.oro)
        self.app.config["PROPAGATE_EXCEPTIONS"] = True  # a dropped connection reaches the adapter
        self.ops = 0

    def client(self, user: str = "admin", sign_in: SignIn | None = None, url: str = URL) -> OroClient:
        signed = sign_in or Wsse(user, self.oro.user(user).api_key, now=self.clock)
        return OroClient(url, signed, adapters={"https://": WsgiAdapter(self.app)}, pause=self.pauses.append)

    def side(
        self,
        user: str = "admin",
        scope: Any = "available",
        sizes: PageSizes | None = None,
        *,
        audit: bool = False,
        at_once: int = 1,
        **options: Any,
    ) -> OroInstance:
        """audit: it is looked at if the user may; else the feeds are seen by themselves."""
        client = self.client(user, **options)
        side = OroInstance(client, tuple(Entity), scope, OVERLAP, self.clock, sizes=sizes, at_once=at_once)
        facts = side.discover()
        side.use(facts | {"audit": audit and facts["audit"]})
        self.oro.forget_requests()
        return side

    def requests(self) -> list[str]:
        """Method and path of what was asked since the last look."""
        seen = [f"{each.method} {each.path}" for each in self.oro.request_log]
        self.oro.forget_requests()
        return seen

    def logged(self) -> list[LoggedRequest]:
        return list(self.oro.request_log)

    def write(self, side: OroInstance, verb: Any, entity: Entity, patch: Any = None, item: Item | None = None) -> Any:
        self.ops += 1
        op_id = f"00000000-0000-4000-8000-{self.ops:012d}"
        return side.write([Write(op_id, verb, entity, patch or {}, item)])[op_id]


@dataclass
class Reader:
    """Reads a change feed to its end as a run does."""

    side: OroInstance
    entity: Entity
    cursor: str | None = None
    total: int | None = None

    def poll(self, *, full: bool = False, between: Callable[[], None] = lambda: None) -> list[Sighting]:
        seen: list[Sighting] = []
        for _ in range(50):
            (page,) = self.side.pages([FeedRequest(self.entity, self.cursor, full=full)])
            assert isinstance(page, FeedPage), page
            seen += page.sightings
            self.cursor, self.total = page.cursor, page.total
            if page.last:
                return seen
            between()
        raise AssertionError("the feed does not end")

    def ids(self, **options: Any) -> list[str]:
        return [each.id for each in self.poll(**options)]


@pytest.fixture
def world() -> World:
    return World()
