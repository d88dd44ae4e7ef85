"""One record on both sides, with a person's hands on each: short words for the stories of single entities."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from tests.sync.world import KINDS, World, writes

from orosync.core.records import Entity, Link, Side

Kind = Literal["contact", "task", "event"]
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Pair:
    """number: OroCRM's id. native: Outlook's."""

    world: World
    entity: Entity
    number: int
    native: str

    @property
    def kind(self) -> Kind:
        return cast("Kind", KINDS[self.entity])

    @property
    def oro(self) -> dict[str, Any]:
        sandbox = self.world.oro
        return {"contact": sandbox.contact, "task": sandbox.task, "event": sandbox.event}[self.kind](self.number)

    @property
    def outlook(self) -> dict[str, Any]:
        return self.world.mailbox.item(self.kind, self.native)

    @property
    def link(self) -> Link:
        return self.world.store.links_by_id(Side.ORO, self.entity, [str(self.number)])[str(self.number)]

    def in_oro(self, **values: Any) -> None:
        """A person edits in the back office."""
        self.world.clock.forward(seconds=5)
        self.world.office.edit(self.kind, self.number, values)

    def in_outlook(self, **values: Any) -> None:
        """The mailbox's owner edits in Outlook."""
        self.world.clock.forward(seconds=5)
        self.world.mailbox.user_update(self.kind, self.native, values)


def from_oro(world: World, entity: Entity, /, **values: Any) -> Pair:
    """Made by a person in OroCRM, and synced."""
    return partner_of(world, entity, world.office.create(KINDS[entity], values))


def from_outlook(world: World, entity: Entity, /, container: str | None = None, **values: Any) -> Pair:
    """Made by a person in Outlook, and synced."""
    native = world.mailbox.user_create(cast("Kind", KINDS[entity]), values, container)
    world.settle()
    link = world.store.links_by_id(Side.OUTLOOK, entity, [native])[native]
    return Pair(world, entity, int(str(link.oro_id)), native)


def partner_of(world: World, entity: Entity, number: int) -> Pair:
    """The pair of an OroCRM record, after the runs it takes."""
    world.settle()
    link = world.store.links_by_id(Side.ORO, entity, [str(number)])[str(number)]
    return Pair(world, entity, number, str(link.outlook_id))


def alone_in_oro(world: World, entity: Entity, number: int) -> bool:
    return str(number) not in world.store.links_by_id(Side.ORO, entity, [str(number)])


def nothing_moves(world: World) -> None:
    """Neither the next run nor one with a sweep writes anything, by the report and by the requests."""
    world.graph.clear_log()
    world.oro.forget_requests()
    for sweep in (False, True):
        report = world.sync(sweep=sweep)
        assert report.state == "done", report.to_json()
        assert writes(report) == 0, report.to_json()
    assert written_requests(world) == []


def written_requests(world: World) -> list[str]:
    """Every request of both logs that writes, a batch by its parts."""
    graph = [
        f"{each.method} {each.path}"
        for each in world.graph.request_log
        if each.method not in READING and each.path != "/$batch"
    ]
    return graph + [f"{each.method} {each.path}" for each in world.oro.request_log if each.method not in READING]


def bytes_sent(world: World) -> Iterable[bytes]:
    """The body of every request to either side."""
    for to_graph in world.graph.request_log:
        yield json.dumps(to_graph.body, ensure_ascii=False).encode()
    for to_oro in world.oro.request_log:
        yield to_oro.body + to_oro.path.encode()


def forget_everything(world: World) -> None:
    """The database is lost, both systems stay: the account is made again."""
    account = replace(world.store.account(), facts={})
    world.database.accounts.remove(world.account_id)
    world.account_id = world.database.accounts.add(account)


def number_of(count: int, verb: str, side: Side, report: Any, entity: Entity) -> bool:
    return bool(report.entities[entity][side.value][verb] == count)
