"""Two programs that disagree about a value do not make us write for ever (R27, I9)."""

from __future__ import annotations

import pytest
from tests.sync.actors import Hands
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side


@pytest.mark.parametrize(("choice", "kept"), [(Side.ORO, 1), (Side.OUTLOOK, 2)])
def test_a_value_that_goes_back_and_forth_is_frozen_until_a_person_chooses(
    world: World, choice: Side, kept: int
) -> None:
    hands = Hands(world, Entity.CONTACT)
    number, native = hands.make_in_oro("Ada", 1), hands.make_in_outlook("Ada", 1)
    world.settle()
    for _ in range(2):
        hands.edit_in_outlook(native, "first", 2)  # another program in Outlook insists on 2 ...
        world.sync()
        hands.edit_in_oro(number, "first", 1)  # ... and one in OroCRM on 1
        world.sync()
    hands.edit_in_outlook(native, "first", 2)
    report = world.sync()
    assert writes(report) == 0
    assert (hands.outlook()[native][1], hands.oro()[number][1]) == (2, 1)
    (conflict,) = world.store.conflicts()
    assert (conflict.field, conflict.rule) == ("job_title", "frozen")
    hands.edit_in_oro(number, "second", 7)
    world.sync()
    assert hands.outlook()[native] == ("Ada", 2, 7), "only the frozen field stays"
    world.database.settle_conflict(world.account_id, conflict.id, choice)
    world.sync()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", kept, 7)
    assert world.store.conflicts() == []
    hands.edit_in_oro(number, "first", 9)
    world.sync()
    assert hands.outlook()[native][1] == 9
    assert writes(world.sync()) == 0


def test_edits_by_turns_with_new_values_are_not_stopped(world: World) -> None:
    hands = Hands(world, Entity.TASK)
    number, native = hands.make_in_oro("Ada", 1), hands.make_in_outlook("Ada", 1)
    world.settle()
    for value in range(2, 8, 2):
        hands.edit_in_outlook(native, "first", value)
        world.sync()
        hands.edit_in_oro(number, "first", value + 1)
        world.sync()
    assert hands.outlook()[native][1] == hands.oro()[number][1] == 7
