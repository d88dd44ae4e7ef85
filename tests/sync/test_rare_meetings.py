"""Several rare things at once: each of these was found by a story of `tests/proof`."""

from __future__ import annotations

import pytest
from tests.sync.actors import Hands
from tests.sync.faults import Killed, at, delivered_twice, killed_after, writing
from tests.sync.pairs import forget_everything
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side
from orosync.store.database import Database

NOTES = {"field_direction.task.description": "both", "field_direction.event.description": "both"}


@pytest.fixture
def world(database: Database) -> World:
    return World(database, system=dict(NOTES))


@pytest.mark.parametrize("entity", Entity)
def test_a_record_planned_again_in_the_same_run_is_read_anew_on_both_sides(world: World, entity: Entity) -> None:
    """Both halves are written; OroCRM's write arrives, Outlook's is refused because its owner edits just then. What
    OroCRM's feed told before our write is out of date by now, and no change of OroCRM's."""
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "first", 1)
    hands.edit_in_oro(number, "second", 2)
    edits = iter([3])

    def edit_meanwhile(request: object) -> None:
        if getattr(request, "method", "") == "PATCH" and (value := next(edits, None)) is not None:
            hands.edit_in_outlook(native, "first", value)

    stop = world.graph.before_request(edit_meanwhile)
    world.sync()
    stop()
    world.settle()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 3, 2)


@pytest.mark.parametrize("entity", Entity)
def test_a_write_whose_answer_was_lost_is_no_edit_that_could_beat_a_later_one(world: World, entity: Entity) -> None:
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "first", 1)
    at(world, "crm", lambda request: request.method in {"PATCH", "PUT"}, killed_after)
    with pytest.raises(Killed):
        world.sync()
    hands.edit_in_outlook(native, "first", 3)
    world.clock.forward(hours=1)
    world.settle()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 3, 0)
    assert world.store.conflicts(open_only=False) == []


@pytest.mark.parametrize("entity", Entity)
def test_what_a_lost_write_replaced_is_remembered_also_when_a_part_of_it_was_edited_since(
    world: World, entity: Entity
) -> None:
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada", 8, 9)
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "first", 1)
    hands.edit_in_outlook(native, "second", 2)
    at(world, "crm", lambda request: request.method in {"PATCH", "PUT"}, killed_after)
    with pytest.raises(Killed):
        world.sync()
    hands.edit_in_oro(number, "second", 7)
    world.clock.forward(hours=1)
    world.settle()
    assert hands.oro()[number][:2] == ("Ada", 1)
    replaced = {
        name: value
        for entry in world.store.oplog_of(entity, Side.ORO, str(number))
        for name, value in (entry.before or {}).items()
    }
    first = {Entity.CONTACT: "job_title", Entity.TASK: "due_date", Entity.EVENT: "end"}[entity]
    told = {Entity.CONTACT: "job 8", Entity.TASK: "2026-12-18", Entity.EVENT: "2026-12-01T11:08:00Z"}[entity]
    assert replaced[first] == told


@pytest.mark.parametrize("entity", Entity)
def test_what_a_write_replaced_is_remembered_also_when_its_second_delivery_was_refused(
    world: World, entity: Entity
) -> None:
    """Outlook says that the item was changed since we read it: it was, by the first delivery of the same write."""
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada", 8, 9)
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_oro(number, "second", 2)
    twice = at(world, "graph", writing("PATCH"), delivered_twice)
    run = world.sync().run
    assert twice.met == 1
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 8, 2)
    (entry,) = world.store.oplog_of(entity, Side.OUTLOOK, native)[:1]
    assert "note 9" in str((entry.before or {}).values())
    assert world.session().store.open_intents() == []
    undone = at(world, "graph", writing("PATCH"), delivered_twice)
    report = world.undo(run)
    assert undone.met == 1
    assert (report.taken_back, report.left) == (1, [])
    assert hands.outlook()[native] == ("Ada", 8, 9)
    assert writes(world.sync(sweep=True)) == 0


@pytest.mark.parametrize("entity", Entity)
def test_a_question_about_a_record_that_both_deleted_is_not_asked_any_more(database: Database, entity: Entity) -> None:
    world = World(database, system={**NOTES, "conflict_resolution": "ask"})
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    hands.make_in_oro("Ben")
    world.settle()
    native = next(native for native, row in hands.outlook().items() if row[0] == "Ada")
    hands.edit_in_outlook(native, "first", 1)
    hands.edit_in_oro(number, "first", 2)
    world.sync()
    assert len(world.store.conflicts()) == 1
    hands.delete_in_oro(number)
    hands.delete_in_outlook(native)
    world.sync(sweep=True)
    assert world.store.conflicts() == []


def test_a_question_stays_while_another_field_of_its_record_is_settled(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    number, native = hands.make_in_oro("Ada", 1), hands.make_in_outlook("Ada", 1)
    world.settle()
    for _ in range(2):
        hands.edit_in_outlook(native, "first", 2)
        world.sync()
        hands.edit_in_oro(number, "first", 1)
        world.sync()
    hands.edit_in_outlook(native, "first", 2)
    world.sync()
    assert [row.rule for row in world.store.conflicts()] == ["frozen"]
    hands.edit_in_outlook(native, "second", 5)
    hands.edit_in_oro(number, "second", 6)
    world.sync()
    assert hands.outlook()[native] == ("Ada", 2, 6)
    assert [row.rule for row in world.store.conflicts()] == ["frozen"]


@pytest.mark.parametrize("answered", ["job_title", "description"])
def test_of_two_questions_about_a_record_the_other_one_stays_asked(database: Database, answered: str) -> None:
    world = World(database, system={**NOTES, "conflict_resolution": "ask"})
    hands = Hands(world, Entity.CONTACT)
    number, native = hands.make_in_oro("Ada"), hands.make_in_outlook("Ada")
    world.settle()
    for field in ("first", "second"):
        hands.edit_in_outlook(native, field, 1)
        hands.edit_in_oro(number, field, 2)
    world.sync()
    asked = {row.field: row.id for row in world.store.conflicts()}
    assert asked.keys() == {"job_title", "description"}
    world.database.settle_conflict(world.account_id, asked.pop(answered), Side.OUTLOOK)
    world.sync()
    assert [row.field for row in world.store.conflicts()] == list(asked)


def test_an_event_is_made_again_also_when_the_database_was_lost_since_it_was_made(world: World) -> None:
    """Graph takes no transaction twice, and nobody remembers how often this event was made."""
    hands = Hands(world, Entity.EVENT)
    hands.make_in_oro("Ada")
    hands.make_in_oro("Ben")
    world.settle()
    for _ in range(2):
        native = next(native for native, row in hands.outlook().items() if row[0] == "Ada")
        hands.delete_in_outlook(native)
        world.settle()
    forget_everything(world)
    world.settle()
    native = next(native for native, row in hands.outlook().items() if row[0] == "Ada")
    hands.delete_in_outlook(native)
    world.sync()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Ada", "Ben"]
    assert writes(world.sync(sweep=True)) == 0
