"""The guard in whole runs: what is held, what goes on, and what an approval is bound to (R20, R21, I5, I6, I25)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.sync.actors import Hands
from tests.sync.world import World, writes

from orosync.core.records import Entity
from orosync.errors import OutOfTime
from orosync.sync.run import run_account
from orosync.sync.session import RunRequest


def filled(world: World, count: int, entity: Entity = Entity.CONTACT) -> Hands:
    """`count` records in step on both sides."""
    hands = Hands(world, entity)
    for number in range(count):
        hands.make_in_oro(f"N{number:03d}")
    world.settle()
    assert len(hands.outlook()) == count
    return hands


def test_a_small_first_sync_needs_no_approval(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(20):
        hands.make_in_oro(f"N{number}")
    assert world.sync().state == "done"
    assert len(hands.outlook()) == 20


def test_a_large_first_sync_is_held_until_exactly_its_preview_is_approved(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(201):
        hands.make_in_oro(f"N{number}")
    preview = world.sync(mode="preview")
    assert preview.entities[Entity.CONTACT]["outlook"]["created"] == 201
    held = world.sync()
    assert held.state == "held"
    assert "201 creates" in held.limits[0]
    assert hands.outlook() == {}
    done = world.sync(approve=preview.plan_hash)
    assert done.state == "done"
    assert len(hands.outlook()) == 201
    assert world.sync().state == "done"
    hands.make_in_oro("Later")
    assert world.sync().state == "done", "an approved first sync does not use up the budget of the day"
    assert len(hands.outlook()) == 202


def test_an_approved_plan_that_was_broken_off_goes_on_without_asking_again_and_anything_else_asks(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(450):
        hands.make_in_oro(f"N{number}")
    preview = world.sync(mode="preview")
    steps = 0

    def out_of_time(what: str, _done: int, _total: int) -> None:
        nonlocal steps
        steps += what.startswith("writing")
        if steps == 3:
            raise OutOfTime("The run had its time.")

    world.clock.forward(minutes=1)
    session = world.session(RunRequest(approve=preview.plan_hash))
    session.progress = out_of_time
    broken_off = run_account(session)
    assert broken_off.unfinished
    assert len(hands.outlook()) == 40
    for number in range(205):
        hands.make_in_oro(f"Later{number}")
    goes_on = world.sync(background=True)
    assert goes_on.state == "held"
    assert goes_on.entities[Entity.CONTACT]["held"] == 205
    assert len(hands.outlook()) == 450
    assert world.sync(approve=goes_on.plan_hash).state == "done"
    assert len(hands.outlook()) == 655


def test_an_approval_ends_with_the_plan_it_was_given_for(world: World) -> None:
    hands = filled(world, 30)
    for native in list(hands.outlook())[:25]:
        world.mailbox.user_delete("contact", native)
    report = world.sync()  # deleted in Outlook: made there again, by default
    assert report.state == "done"
    numbers = list(hands.oro())[:15]
    for number in numbers:
        hands.delete_in_oro(number)
    held = world.sync()
    assert held.state == "held"
    assert world.sync(approve=held.plan_hash).state == "done"
    store = world.database.account_store(world.account_id)
    assert list(store.approved_ops(world.clock.now() - timedelta(days=1))) == []


def test_an_approval_of_another_plan_does_not_count(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    for number in range(201):
        hands.make_in_oro(f"N{number}")
    preview = world.sync(mode="preview")
    hands.make_in_oro("Onemore")
    assert world.sync(approve=preview.plan_hash).state == "held"
    assert hands.outlook() == {}


def test_many_deletions_are_held_while_edits_go_on(world: World) -> None:
    hands = filled(world, 30)
    numbers = list(hands.oro())
    for number in numbers[:11]:
        hands.delete_in_oro(number)
    hands.edit_in_oro(numbers[20], "first", 9)
    report = world.sync()
    assert report.state == "held"
    assert report.entities[Entity.CONTACT]["held"] == 11
    assert len(hands.outlook()) == 30
    assert [row for row in hands.outlook().values() if row[1] == 9]
    approved = world.sync(approve=report.plan_hash)
    assert approved.state == "done"
    assert len(hands.outlook()) == 19


def test_deletions_that_trickle_in_are_counted_together_over_a_day(world: World) -> None:
    hands = filled(world, 30)
    numbers = list(hands.oro())
    for number in numbers[:10]:
        hands.delete_in_oro(number)
        assert world.sync(sweep=True).state == "done"
    hands.delete_in_oro(numbers[10])
    assert world.sync(sweep=True).state == "held"
    assert len(hands.outlook()) == 20
    world.clock.forward(hours=25)
    assert world.sync(sweep=True).state == "done"
    assert len(hands.outlook()) == 19


def test_overwriting_a_third_of_all_records_is_held(world: World) -> None:
    hands = filled(world, 40)
    for number in list(hands.oro())[:13]:
        hands.edit_in_oro(number, "first", 9)
    report = world.sync()
    assert report.state == "held"
    assert "13 overwrites" in report.limits[0]
    assert not [row for row in hands.outlook().values() if row[1] == 9]


@pytest.mark.parametrize("entity", list(Entity))
def test_an_emptied_oro_deletes_nothing_without_approval(world: World, entity: Entity) -> None:
    hands = filled(world, 12, entity)
    for number in hands.oro():
        hands.delete_in_oro(number)
    assert world.sync(sweep=True).state == "held"
    assert len(hands.outlook()) == 12


def test_a_preview_sends_nothing_but_reads_and_shows_exactly_what_the_run_then_does(world: World) -> None:
    for entity in Entity:
        hands = Hands(world, entity)
        hands.make_in_oro("Ada", 1, 1)
        hands.make_in_outlook("Ben", 2, 2)
        hands.make_in_oro("Cem", 0, 3)
        hands.make_in_outlook("Cem", 0, 4)
    world.graph.clear_log()
    world.oro.forget_requests()
    preview = world.sync(mode="preview")
    parts = [each for each in world.graph.request_log if not each.path.endswith("$batch")]
    assert {each.method for each in parts} == {"GET"}
    assert {each.method for each in world.oro.request_log} == {"GET"}
    done = world.sync()
    assert preview.plan_hash == done.plan_hash
    for entity in Entity:
        shown, did = preview.entities[entity], done.entities[entity]
        assert (shown["outlook"], shown["oro"], shown["linked"]) == (did["outlook"], did["oro"], did["linked"])


def test_a_changed_setting_that_would_move_many_records_makes_the_next_run_a_preview(world: World) -> None:
    world.system = {"field_direction.contact.job_title": "off"}
    hands = Hands(world, Entity.CONTACT)
    for number in range(15):
        hands.make_in_oro(f"N{number:02d}", 7)
    world.settle()
    world.system = {}
    report = world.sync()
    assert report.state == "held"
    assert "settings changed" in report.limits[0]
    assert {row[1] for row in hands.outlook().values()} == {None}
    world.sync(approve=report.plan_hash)
    assert {row[1] for row in hands.outlook().values()} == {7}
    assert writes(world.sync()) == 0
