"""Thousands of records on both sides, hundreds of doubles of every kind, and the database is lost.

The first sync brings both sides in step. Then nothing is left of what we knew, and the next first sync has to find it
all again: it creates nothing, deletes nothing and changes no content (I18, I19); what it may do is stamp anew.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.proof.effort import minutes
from tests.proof.forked import engine_in_memory
from tests.proof.tally import count
from tests.sync.actors import NOTES, Hands
from tests.sync.pairs import forget_everything
from tests.sync.world import World, new_vault

from orosync.core.records import Entity, Side
from orosync.store.database import Database
from orosync.sync.run import Report

AT_FULL_SIZE = {Entity.CONTACT: (5_000, 200), Entity.TASK: (1_000, 40), Entity.EVENT: (1_000, 40)}
IN_SHORT = {Entity.CONTACT: (300, 12), Entity.TASK: (60, 3), Entity.EVENT: (60, 3)}


@dataclass
class Crowd:
    """`size` records on each side, a third of which are on both; `doubles` of each kind among them."""

    world: World
    entity: Entity
    size: int
    doubles: int
    made: Counter[str] = field(default_factory=Counter)

    def gather(self) -> None:
        hands = Hands(self.world, self.entity)
        kinds = self.size // 3 - 2 * self.doubles
        for number in range(kinds):
            hands.make_in_oro(f"Both{number}", number % 20, number % 50)
            hands.make_in_outlook(f"Both{number}", number % 20, number % 50)
        for number in range(self.doubles):
            # exact doubles within one side; the same key several times on both sides, with different contents
            for copy in range(2):
                hands.make_in_outlook(f"TwinOutlook{number}", 1, 1)
                hands.make_in_oro(f"TwinOro{number}", 1, 1)
                hands.make_in_outlook(f"Crowd{number}", copy, 3)
                hands.make_in_oro(f"Crowd{number}", copy, 4)
        self._fill_up(hands)

    def _fill_up(self, hands: Hands) -> None:
        for number in range(self.size - len(hands.oro())):
            hands.make_in_oro(f"Oro{number}", number % 20, number % 50)
        for number in range(self.size - len(hands.outlook())):
            hands.make_in_outlook(f"Outlook{number}", number % 20, number % 50)

    def copy_some(self) -> None:
        """People copy items in Outlook; their stamps come along."""
        natives = sorted(native for native, stamp in Hands(self.world, self.entity).stamps().items() if stamp)
        for native in natives[:: max(1, len(natives) // self.doubles)][: self.doubles]:
            self.world.mailbox.user_copy(self.kind, native)
            self.made["copied with its stamp"] += 1

    @property
    def kind(self) -> Any:
        return self.entity.value


def test_a_lost_database_of_a_crowd_with_doubles_is_found_again_without_a_write(tmp_path: Path) -> None:
    sizes = AT_FULL_SIZE if minutes() else IN_SHORT
    world = World(Database(engine_in_memory(tmp_path), new_vault()), system=dict(NOTES))
    crowds = [Crowd(world, entity, *size) for entity, size in sizes.items()]
    for crowd in crowds:
        crowd.gather()
    first = approved(world)
    for crowd in crowds:
        crowd.copy_some()
    quiet(world)
    before = contents(world)
    forget_everything(world)
    world.graph.clear_log()
    world.oro.forget_requests()
    began = time.process_time()
    again = world.sync(sweep=True)
    took = time.process_time() - began
    told = {entity: counted(again, entity) for entity in Entity}
    print(f"\nfirst sync: { {e.value: counted(first, e) for e in Entity} }\nafter the loss: {told}, {took:.1f} s")
    assert again.state == "done", again.limits
    for entity in Entity:
        assert sum(told[entity].values()) == 0, told
    assert contents(world) == before
    assert sum(counted(world.sync(sweep=True), entity).total() for entity in Entity) == 0
    for entity, (size, _) in sizes.items():
        count("found again after the loss of the database", entity.value, size)


def approved(world: World) -> Report:
    """A first sync of this size is looked at and approved by a person."""
    held = world.sync(mode="preview")
    report = world.sync(approve=held.plan_hash)
    assert report.state == "done", report.to_json()
    return report


def quiet(world: World) -> None:
    for _ in range(3):
        report = world.sync(sweep=True)
        if not sum(counted(report, entity).total() for entity in Entity):
            return
    pytest.fail(f"it does not come to rest: {report.to_json()}")


def counted(report: Report, entity: Entity) -> Counter[str]:
    return Counter(
        {
            f"{verb} in {side.value}": report.entities[entity][side.value][verb]
            for side in Side
            for verb in ("created", "updated", "deleted")
        }
    )


def contents(world: World) -> dict[str, list[Any]]:
    return {entity.value: list(rows(world, entity)) for entity in Entity}


def rows(world: World, entity: Entity) -> Iterator[Any]:
    """Everything a person sees on either side, by id."""
    hands = Hands(world, entity)
    yield sorted(hands.oro().items())
    yield sorted(hands.outlook().items())
