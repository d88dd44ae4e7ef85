"""A side that is written to only while the account's lease is certainly ours.

The epoch keeps a run that was overtaken from committing; this keeps it from writing on: a process that was frozen for
longer than its lease, in the middle of twenty creates, would else send the rest of them beside the one that took the
account over (I22).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orosync.core.exchange import FeedPage, FeedRequest, Lookup, Reading, Write, WriteResult
from orosync.core.records import Entity, Item, Json
from orosync.errors import OrosyncError
from orosync.sync.ports import SidePort


class FencedSide:
    """still_ours: raises LeaseLost if the account was taken over, TryLater if nobody can tell."""

    def __init__(self, port: SidePort, still_ours: Callable[[], None]) -> None:
        self.port, self.still_ours = port, still_ours
        self.side, self.writes_at_once = port.side, port.writes_at_once

    @property
    def requests_sent(self) -> int:
        return self.port.requests_sent

    def discover(self) -> Json:
        return self.port.discover()

    def use(self, facts: Json) -> None:
        self.port.use(facts)

    def make_containers(self) -> Json:
        self.still_ours()
        return self.port.make_containers()

    def canary(self) -> bool:
        return self.port.canary()

    def pages(self, requests: Sequence[FeedRequest]) -> list[FeedPage | OrosyncError]:
        return self.port.pages(requests)

    def read(self, entity: Entity, ids: Sequence[str]) -> dict[str, Reading]:
        return self.port.read(entity, ids)

    def write(self, writes: Sequence[Write]) -> dict[str, WriteResult]:
        self.still_ours()
        return self.port.write(writes)

    def find(self, lookup: Lookup) -> list[Item]:
        return self.port.find(lookup)
