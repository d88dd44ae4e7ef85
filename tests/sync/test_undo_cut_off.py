"""An undo in bad moments: people edit while it works, and answers get lost (R23, R25, R28, I4, I21)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import requests
from tests.sync.actors import Hands
from tests.sync.faults import Killed, Story, answer_lost, at, killed_after, names, writing
from tests.sync.pairs import Pair, from_oro
from tests.sync.world import World

from orosync.core.records import Entity


def test_an_edit_that_lands_while_a_run_is_taken_back_survives(world: World) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="a")
    other = from_oro(world, Entity.CONTACT, firstName="Ben", lastName="Lovelace", jobTitle="a")
    for each in (pair, other):
        each.in_oro(jobTitle="b")
    run = world.sync().run
    touched: list[Pair] = []

    def edit() -> None:
        late = next(p for p in (pair, other) if p.outlook["jobTitle"] == "b")
        late.in_outlook(jobTitle="mine")
        touched.append(late)

    def rest(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        response = send()
        edit()
        return response

    at(world, "graph", writing("PATCH"), rest)
    report = world.undo(run)
    assert touched[0].outlook["jobTitle"] == "mine"
    assert len(report.left) == 1


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_an_undo_of_an_update_that_was_cut_off_does_not_pass_for_an_edit_of_its_user(
    world: World, fault: Story
) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="a")
    pair.in_oro(jobTitle="b")
    run = world.sync().run
    at(world, "graph", writing("PATCH"), fault)
    with suppress(Killed):
        world.undo(run)
    world.clock.forward(hours=1)
    world.settle()
    assert (pair.outlook["jobTitle"], pair.oro["jobTitle"]) == ("a", "b")
    assert [why for _, why in world.undo(run).left] == ["it was taken back before"]


@pytest.mark.parametrize("entity", list(Entity))
@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_an_undo_of_a_deletion_that_was_cut_off_makes_one_item(world: World, entity: Entity, fault: Story) -> None:
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    hands.delete_in_oro(number)
    run = world.sync(sweep=True).run
    at(world, "graph", writing("POST"), fault)
    with suppress(Killed):
        world.undo(run)
    world.clock.forward(hours=1)
    world.undo(run)
    world.settle()
    assert names(world, entity) == ([], ["Ada"])


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_an_undo_of_a_create_that_was_cut_off_does_not_delete_what_it_was_made_from(world: World, fault: Story) -> None:
    hands = Hands(world, Entity.CONTACT)
    hands.make_in_outlook("Ada")
    run = world.sync().run
    at(world, "crm", writing("DELETE"), fault)
    with suppress(Killed):
        world.undo(run)
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == ([], ["Ada"])


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_a_deletion_whose_answer_was_lost_is_undone_at_once(world: World, fault: Story) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace")
    world.office.delete("contact", pair.number)
    at(world, "graph", writing("DELETE"), fault)
    with suppress(Killed):
        world.sync(sweep=True)
    assert world.undo(str(world.store.runs(1)[0]["run"])).taken_back == 1
    assert names(world, Entity.CONTACT)[1] == ["Ada"]


def test_another_field_edited_before_an_undo_still_travels(world: World) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="a")
    pair.in_oro(jobTitle="b")
    run = world.sync().run
    pair.in_outlook(personalNotes="mine")
    assert world.undo(run).taken_back == 1
    world.settle()
    assert (pair.outlook["jobTitle"], pair.oro["jobTitle"]) == ("a", "b")
    assert pair.oro["description"] == "mine"


def test_an_op_of_unknown_outcome_is_left_and_reported_until_it_is_known(world: World) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace")
    world.office.delete("contact", pair.number)
    at(world, "graph", writing("DELETE"), answer_lost)
    world.sync(sweep=True)
    run = str(world.store.runs(1)[0]["run"])
    world.graph.fail_next("GET", pair.native, 500, "internalServerError")
    report = world.undo(run)
    assert (report.taken_back, [why for _, why in report.left]) == (
        0,
        ["what became of the last write to it is not known yet"],
    )
    assert world.undo(run).taken_back == 1
    assert names(world, Entity.CONTACT)[1] == ["Ada"]
