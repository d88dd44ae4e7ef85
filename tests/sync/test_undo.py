"""Undo of a run across both systems (R28, I21)."""

from __future__ import annotations

import pytest
from tests.sync.actors import Hands
from tests.sync.world import World, writes

from orosync.core.records import Entity
from orosync.errors import BadInput

pytestmark = pytest.mark.parametrize("entity", list(Entity))


def in_step(world: World, entity: Entity) -> tuple[Hands, int, str]:
    hands = Hands(world, entity)
    number, native = hands.make_in_oro("Ada"), hands.make_in_outlook("Ada")
    world.settle()
    return hands, number, native


def test_undoing_an_update_puts_the_former_values_back_and_nothing_travels_after(world: World, entity: Entity) -> None:
    hands, number, native = in_step(world, entity)
    hands.edit_in_oro(number, "first", 5)
    run = world.sync().run
    report = world.undo(run)
    assert (report.taken_back, report.left) == (1, [])
    assert hands.outlook()[native] == ("Ada", 0, 0)
    assert hands.oro()[number][1] == 5
    assert writes(world.sync(sweep=True)) == 0


def test_undoing_a_first_sync_removes_what_it_created_and_it_does_not_come_back(world: World, entity: Entity) -> None:
    hands = Hands(world, entity)
    number, native = hands.make_in_oro("Ada", 1), hands.make_in_outlook("Ben", 2)
    run = world.sync().run
    report = world.undo(run)
    assert report.taken_back == 2
    assert set(hands.oro()) == {number}
    assert set(hands.outlook()) == {native}
    assert writes(world.sync(sweep=True)) == 0
    assert (len(hands.oro()), len(hands.outlook())) == (1, 1)


def test_undoing_a_deletion_makes_the_item_again(world: World, entity: Entity) -> None:
    hands, number, _native = in_step(world, entity)
    hands.delete_in_oro(number)
    run = world.sync(sweep=True).run
    assert hands.outlook() == {}
    assert world.undo(run).taken_back == 1
    assert list(hands.outlook().values()) == [("Ada", 0, 0)]
    assert writes(world.sync(sweep=True)) == 0
    assert len(hands.outlook()) == 1


def test_what_was_changed_since_is_left_and_reported(world: World, entity: Entity) -> None:
    hands, number, native = in_step(world, entity)
    hands.edit_in_oro(number, "first", 5)
    run = world.sync().run
    hands.edit_in_outlook(native, "first", 8)
    report = world.undo(run)
    assert report.taken_back == 0
    assert [why for _, why in report.left] == ["it was changed since"]
    assert hands.outlook()[native][1] == 8


def test_a_preview_of_an_undo_changes_nothing_and_an_undo_is_not_done_twice(world: World, entity: Entity) -> None:
    hands, number, native = in_step(world, entity)
    hands.edit_in_oro(number, "first", 5)
    run = world.sync().run
    assert world.undo(run, preview=True).taken_back == 1
    assert hands.outlook()[native][1] == 5
    world.undo(run)
    again = world.undo(run)
    assert [why for _, why in again.left] == ["it was taken back before"]


def test_an_unknown_run_is_named(world: World, entity: Entity) -> None:
    with pytest.raises(BadInput, match="no run nothing"):
        world.undo("nothing")
