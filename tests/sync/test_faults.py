"""A fault at every writing request: whatever happens there, the end is the same as without it (T4, I3, I4, I20)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.empty_database import put_empty_database, without_waiting_for_the_disk
from tests.sync.actors import Hands
from tests.sync.faults import FAULTS, CutAdapter, Killed, Wire
from tests.sync.world import World, writes

from orosync.core.records import Entity
from orosync.store.database import Database

NOTES = {"field_direction.task.description": "both", "field_direction.event.description": "both"}
State = dict[Entity, tuple[list[Any], list[Any]]]


def first_sync(world: World) -> None:
    """Everything is new: creates on both sides, stamps, one pair to be merged."""
    for entity in Entity:
        hands = Hands(world, entity)
        hands.make_in_oro("Ada", 1, 1)
        hands.make_in_outlook("Ben", 2, 2)
        hands.make_in_oro("Cem", 0, 3)
        hands.make_in_outlook("Cem", 0, 4)


def edits(world: World) -> None:
    """In step first; then edits on both sides, a deletion in OroCRM and one in Outlook."""
    for entity in Entity:
        hands = Hands(world, entity)
        for name in ("Ada", "Ben", "Cem", "Dan"):
            hands.make_in_oro(name, 0, 0)
    world.settle()
    for entity in Entity:
        hands = Hands(world, entity)
        ids = {row[0]: number for number, row in hands.oro().items()}
        natives = {row[0]: native for native, row in hands.outlook().items()}
        hands.edit_in_oro(ids["Ada"], "first", 3)
        hands.edit_in_outlook(natives["Ada"], "second", 4)
        hands.edit_in_outlook(natives["Ben"], "first", 5)
        hands.delete_in_oro(ids["Cem"])
        hands.delete_in_outlook(natives["Dan"])


STORIES = {"first sync": first_sync, "edits": edits}


def state_of(world: World) -> State:
    """Everything on both sides, but for ids."""
    return {
        entity: (sorted(Hands(world, entity).oro().values()), sorted(Hands(world, entity).outlook().values()))
        for entity in Entity
    }


def cut(world: World, wire: Wire) -> None:
    world.adapters = {prefix: CutAdapter(adapter, wire) for prefix, adapter in world.adapters.items()}  # type: ignore[misc]


def converge(world: World) -> None:
    """Runs until one writes nothing and leaves nothing open; each run an hour later, past all waits and back-offs."""
    for _ in range(8):
        world.clock.forward(hours=7)
        try:
            report = world.sync(sweep=True)
        except Killed:
            continue
        if report.state == "done" and not writes(report) and not world.session().store.open_intents():
            return
    raise AssertionError(f"no rest: {report.to_json()}")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[State, int]]:
    """The end of each story without any fault, and how many writing requests it takes."""
    known: dict[str, tuple[State, int]] = {}

    def look(story: str) -> tuple[State, int]:
        if story not in known:
            world = new_world(tmp_path_factory.mktemp("plain"))
            STORIES[story](world)
            wire = Wire()
            cut(world, wire)
            converge(world)
            known[story] = state_of(world), wire.passed
            world.database.close()
        return known[story]

    return look


def new_world(folder: Any) -> World:
    from tests.sync.world import new_vault

    from orosync.store.engine import open_engine

    path = put_empty_database(folder / "orosync.db")
    engine = without_waiting_for_the_disk(open_engine(f"sqlite:///{path}"))
    return World(Database(engine, new_vault()), system=dict(NOTES))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("story", STORIES)
def test_a_fault_at_any_writing_request_changes_nothing_in_the_end(
    story: str, fault: str, expected: Callable[[str], tuple[State, int]], tmp_path: Any
) -> None:
    plain, boundaries = expected(story)
    assert boundaries >= 6
    for at in range(1, boundaries + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = new_world(folder)
        STORIES[story](world)
        wire = Wire(at, fault)
        cut(world, wire)
        converge(world)
        assert wire.passed >= at, "the fault never happened"
        assert state_of(world) == plain, f"{fault} at {at}: {wire.log[at - 1]}"
        assert world.mailbox.outbox == []
        assert world.oro.orphan_events() == []
        world.database.close()
