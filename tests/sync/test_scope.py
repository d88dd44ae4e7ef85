"""What is for this account and what is not: permissions, owners, selections, folders. Out of sight is never deleted."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sync.actors import Hands
from tests.sync.pairs import alone_in_oro, from_oro, from_outlook, nothing_moves, partner_of, written_requests
from tests.sync.world import World, writes

from orosync.core.records import Entity, LinkState, Side
from orosync.store.database import Database

CONTACT, TASK, EVENT = Entity.CONTACT, Entity.TASK, Entity.EVENT
NAMES = [f"Name{n}" for n in range(6)]
KIND = {CONTACT: "contact", TASK: "task", EVENT: "event"}


def states(hands: Hands) -> dict[int, str]:
    return {int(str(link.oro_id)): link.state.value for link in hands.world.store.links(hands.entity)}


def restricted(database: Database, entity: Entity) -> tuple[Hands, list[int]]:
    """An account of Rita, who sees her own records only; six of them are in step."""
    hands = Hands(World(database, oro_user="rita"), entity)
    numbers = [hands.make_in_oro(name) for name in NAMES]
    hands.world.settle()
    assert len(hands.outlook()) == 6
    return hands, numbers


# ---------------------------------------------------------------- permissions come and go


@pytest.mark.parametrize("entity", list(Entity))
def test_records_that_are_taken_out_of_sight_and_given_back_are_as_if_nothing_had_been(
    database: Database, entity: Entity
) -> None:
    hands, numbers = restricted(database, entity)
    world, before = hands.world, hands.outlook()
    for number in numbers[:3]:
        world.oro.back_office.change_owner(KIND[entity], number, world.users["bob"])
    world.settle()
    report = world.sync(sweep=True)
    assert (report.state, report.quarantined, report.problems) == ("done", 0, [])
    assert [state for _, state in sorted(states(hands).items())] == ["suspended"] * 3 + ["active"] * 3
    assert hands.outlook() == before
    nothing_moves(world)
    for number in numbers[:3]:
        world.oro.back_office.change_owner(KIND[entity], number, world.users["rita"])
    world.settle()
    assert set(states(hands).values()) == {"active"}
    assert (hands.outlook(), len(hands.oro())) == (before, 6)
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_edits_made_meanwhile_on_both_sides_travel_when_the_record_is_back(database: Database, entity: Entity) -> None:
    hands, numbers = restricted(database, entity)
    world = hands.world
    natives = {row[0]: native for native, row in hands.outlook().items()}
    world.oro.back_office.change_owner(KIND[entity], numbers[0], world.users["bob"])
    world.settle()
    hands.edit_in_outlook(natives["Name0"], "first", 7)
    hands.edit_in_oro(numbers[1], "first", 8)
    world.settle()
    assert hands.oro()[numbers[0]][1] == 0
    assert hands.outlook()[natives["Name1"]][1] == 8  # the others go on
    world.oro.back_office.change_owner(KIND[entity], numbers[0], world.users["rita"])
    world.settle()
    assert hands.oro()[numbers[0]][1] == hands.outlook()[natives["Name0"]][1] == 7
    nothing_moves(world)


@pytest.mark.parametrize("entity", [CONTACT, TASK])
def test_a_role_that_shows_less_and_then_more_again_deletes_and_doubles_nothing(
    database: Database, entity: Entity
) -> None:
    world = World(database, oro_user="carol")
    hands = Hands(world, entity)
    world.office = world.oro.back_office_as("bob")
    for name in NAMES:
        hands.make_in_oro(name)
    world.settle()
    before = hands.outlook()
    world.oro.set_permission("carol", KIND[entity], "view", "own")
    world.settle()
    world.sync(sweep=True)
    assert set(states(hands).values()) == {"suspended"}
    assert hands.outlook() == before
    world.oro.set_permission("carol", KIND[entity], "view", "system")
    world.settle()
    world.sync(sweep=True)
    assert set(states(hands).values()) == {"active"}
    assert (hands.outlook(), len(hands.oro())) == (before, 6)
    nothing_moves(world)


def test_a_record_out_of_sight_and_deleted_in_outlook_is_restored_when_it_is_back(database: Database) -> None:
    hands, numbers = restricted(database, CONTACT)
    world = hands.world
    native = next(native for native, row in hands.outlook().items() if row[0] == "Name0")
    world.office.change_owner("contact", numbers[0], world.users["bob"])
    world.settle()
    hands.delete_in_outlook(native)
    world.settle()
    assert len(hands.oro()) == 6
    world.oro.back_office.change_owner("contact", numbers[0], world.users["rita"])
    world.settle()
    assert sorted(row[0] for row in hands.outlook().values()) == NAMES
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_an_entity_the_user_may_not_see_at_all_is_named_and_the_others_go_on(world: World, entity: Entity) -> None:
    everybody = {each: Hands(world, each) for each in Entity}
    for hands in everybody.values():
        hands.make_in_oro("Name0")
    world.settle()
    before = everybody[entity].outlook()
    world.oro.set_permission("admin", KIND[entity], "*", "none")
    for hands in everybody.values():
        hands.make_in_outlook("Name1")
    report = world.sync(sweep=True)
    (problem,) = report.problems
    assert KIND[entity] in problem
    assert "permission" in problem.lower() or "role" in problem.lower(), problem
    for each, hands in everybody.items():
        assert len(hands.oro()) == (1 if each is entity else 2)
    assert {native: everybody[entity].outlook()[native] for native in before} == before
    world.oro.set_permission("admin", KIND[entity], "*", "system")
    world.settle()
    world.sync(sweep=True)
    for hands in everybody.values():
        assert len(hands.oro()) == len(hands.outlook()) == 2
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_an_entity_the_user_may_only_read_is_brought_to_outlook_and_its_refusal_is_named(
    world: World, entity: Entity
) -> None:
    hands = Hands(world, entity)
    hands.make_in_oro("Name0")
    for action in ("create", "edit", "delete"):
        world.oro.set_permission("admin", KIND[entity], action, "none")
    hands.make_in_outlook("Name1")
    report = world.sync()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Name0", "Name1"]
    assert [row[0] for row in hands.oro().values()] == ["Name0"]
    assert report.problems or report.quarantined
    world.oro.set_permission("admin", KIND[entity], "*", "system")
    world.clock.forward(hours=25)
    world.settle()
    assert sorted(row[0] for row in hands.oro().values()) == ["Name0", "Name1"]
    nothing_moves(world)


def test_contacts_that_graph_refuses_are_named_and_tasks_go_on(world: World) -> None:
    contacts, tasks = Hands(world, CONTACT), Hands(world, TASK)
    contacts.make_in_oro("Name0")
    tasks.make_in_oro("Name0")
    world.settle()
    tasks.make_in_oro("Name1")
    contacts.make_in_oro("Name1")
    world.graph.fail_next("GET", "/me/contacts/delta", 403, "ErrorAccessDenied")
    report = world.sync()
    assert any("contact" in problem for problem in report.problems)
    assert (len(tasks.outlook()), len(contacts.outlook())) == (2, 1)
    world.settle()
    assert (len(tasks.outlook()), len(contacts.outlook())) == (2, 2)


# ---------------------------------------------------------------- owned, selected, switched off


@pytest.mark.parametrize("entity", [CONTACT, TASK])
def test_with_oro_scope_owned_only_the_users_own_records_are_synced(database: Database, entity: Entity) -> None:
    world = World(database, user={"oro_scope": "owned"})
    hands = Hands(world, entity)
    mine = hands.make_in_oro("Name0")
    world.office = world.oro.back_office_as("bob")
    theirs = hands.make_in_oro("Name1")
    world.settle()
    assert [row[0] for row in hands.outlook().values()] == ["Name0"]
    assert alone_in_oro(world, entity, theirs)
    world.office.change_owner(KIND[entity], theirs, world.users["admin"])
    world.settle()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Name0", "Name1"]
    world.office.change_owner(KIND[entity], mine, world.users["bob"])
    world.settle()
    world.sync(sweep=True)
    assert len(hands.outlook()) == len(hands.oro()) == 2
    assert states(hands)[mine] == "suspended"
    nothing_moves(world)


@pytest.mark.parametrize("entity", [CONTACT, TASK])
def test_changing_the_scope_to_owned_and_back_deletes_and_doubles_nothing(database: Database, entity: Entity) -> None:
    world = World(database)
    hands = Hands(world, entity)
    hands.make_in_oro("Name0")
    world.office = world.oro.back_office_as("bob")
    hands.make_in_oro("Name1")
    world.settle()
    before = hands.outlook()
    for scope in ("owned", "available"):
        world.user["oro_scope"] = scope
        world.settle()
        assert hands.outlook() == before
        assert len(hands.oro()) == 2
    assert set(states(hands).values()) == {"active"}
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_with_the_type_selected_only_outlooks_category_and_owned_or_tagged_records_are_synced(
    database: Database, entity: Entity
) -> None:
    world = World(database, user={"sync_type": "selected", "selected_category": "CRM"})
    hands = Hands(world, entity)
    chosen, other = hands.make_in_outlook("Name0"), hands.make_in_outlook("Name1")
    world.mailbox.user_update(KIND[entity], chosen, {"categories": ["Red", "CRM"]})  # type: ignore[arg-type]
    world.settle()
    assert [row[0] for row in hands.oro().values()] == ["Name0"]
    world.mailbox.user_update(KIND[entity], other, {"categories": ["CRM"]})  # type: ignore[arg-type]
    world.settle()
    assert sorted(row[0] for row in hands.oro().values()) == ["Name0", "Name1"]
    nothing_moves(world)


@pytest.mark.parametrize("entity", [CONTACT, TASK])
def test_with_the_type_selected_a_colleagues_record_needs_the_tag(database: Database, entity: Entity) -> None:
    world = World(database, user={"sync_type": "selected", "selected_category": "CRM"})
    hands = Hands(world, entity)
    hands.make_in_oro("Mine")
    world.office = world.oro.back_office_as("bob")
    theirs = hands.make_in_oro("Theirs")
    world.settle()
    assert [row[0] for row in hands.outlook().values()] == ["Mine"]
    world.office.tag(KIND[entity], theirs, ["CRM"])
    world.settle()
    world.sync(sweep=True)
    assert sorted(row[0] for row in hands.outlook().values()) == ["Mine", "Theirs"]
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_an_entity_that_is_switched_off_is_not_touched_and_goes_on_when_it_is_back(
    world: World, entity: Entity
) -> None:
    hands = Hands(world, entity)
    number = hands.make_in_oro("Name0")
    world.settle()
    before = hands.outlook()
    world.user[f"sync_{entity}s"] = False
    hands.edit_in_oro(number, "first", 5)
    hands.make_in_outlook("Name1")
    world.graph.clear_log()
    report = world.sync(sweep=True)
    assert entity not in report.entities
    assert {native: hands.outlook()[native] for native in before} == before
    assert len(hands.oro()) == 1
    assert not any(word in each.path for each in world.graph.request_log for word in (f"{WHERE[entity]}/delta",))
    del world.user[f"sync_{entity}s"]
    world.settle()
    for there in (hands.oro(), hands.outlook()):
        assert sorted(row[:2] for row in there.values()) == [("Name0", 5), ("Name1", 0)]


WHERE = {CONTACT: "contacts", TASK: "tasks", EVENT: "calendarView"}


def test_an_account_that_is_not_synced_by_itself_is_synced_on_demand(database: Database) -> None:
    world = World(database, user={"enable_sync": False})
    hands = Hands(world, CONTACT)
    hands.make_in_oro("Name0")
    report = world.sync()
    assert writes(report) == 1
    assert len(hands.outlook()) == 1


@pytest.mark.parametrize("field", ["to_outlook", "to_oro", "off"])
def test_a_field_travels_only_where_the_administrator_lets_it(database: Database, field: str) -> None:
    world = World(database, system={"field_direction.contact.job_title": field})
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="Analyst")
    assert pair.outlook["jobTitle"] == ("Analyst" if field == "to_outlook" else None)
    pair.in_outlook(jobTitle="Poet", middleName="Byron")
    world.settle()
    assert pair.oro["jobTitle"] == ("Poet" if field == "to_oro" else "Analyst")
    assert pair.oro["middleName"] == "Byron"
    nothing_moves(world)


# ---------------------------------------------------------------- named folders

NAMED = {CONTACT: "contacts_folder", TASK: "tasks_list", EVENT: "calendar"}


@pytest.mark.parametrize("entity", list(Entity))
def test_a_named_folder_is_created_when_it_is_missing_and_used(database: Database, entity: Entity) -> None:
    world = World(database, user={NAMED[entity]: "OroCRM"})
    hands = Hands(world, entity)
    hands.make_in_outlook("Private")  # in the default folder: nobody's business
    hands.make_in_oro("Name0")
    world.settle()
    found = {row["container"]: row[TITLE[entity]] for row in world.outlook(entity)}
    assert found["OroCRM"] == "Name0"
    assert len(found) == 2
    assert [row[0] for row in hands.oro().values()] == ["Name0"]
    assert list(world.mailbox.containers(KIND[entity]).values()).count("OroCRM") == 1  # type: ignore[arg-type]
    nothing_moves(world)
    assert list(world.mailbox.containers(KIND[entity]).values()).count("OroCRM") == 1  # type: ignore[arg-type]


TITLE = {CONTACT: "givenName", TASK: "title", EVENT: "subject"}


@pytest.mark.parametrize("entity", list(Entity))
def test_a_named_folder_that_is_there_is_found(database: Database, entity: Entity) -> None:
    world = World(database, user={NAMED[entity]: "OroCRM"})
    make = {
        CONTACT: world.mailbox.add_contact_folder,
        TASK: world.mailbox.add_todo_list,
        EVENT: world.mailbox.add_calendar,
    }[entity]
    make("OroCRM")
    values: dict[Entity, dict[str, Any]] = {
        CONTACT: {"givenName": "Ada", "surname": "Byron"},
        TASK: {"title": "Ada"},
        EVENT: {
            "subject": "Ada",
            "start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-12-01T11:00:00", "timeZone": "UTC"},
        },
    }
    pair = from_outlook(world, entity, "OroCRM", **values[entity])
    assert pair.link.state is LinkState.ACTIVE
    assert list(world.mailbox.containers(KIND[entity]).values()).count("OroCRM") == 1  # type: ignore[arg-type]
    nothing_moves(world)


def test_items_moved_into_and_out_of_the_named_folder_come_and_go_without_being_deleted(database: Database) -> None:
    world = World(database, user={"contacts_folder": "OroCRM"})
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace")
    default = next(iter(world.mailbox.containers("contact")))
    native = world.mailbox.user_create("contact", {"givenName": "Ben", "surname": "Byron"})
    world.mailbox.user_move("contact", native, "OroCRM")
    world.mailbox.user_move("contact", pair.native, default)
    world.settle()
    assert sorted(row["firstName"] for row in world.in_oro()) == ["Ada", "Ben"]
    assert pair.link.state is LinkState.SUSPENDED
    assert len(world.outlook()) == 2
    nothing_moves(world)
    world.mailbox.user_move("contact", pair.native, "OroCRM")
    world.settle()
    assert pair.link.state is LinkState.ACTIVE
    assert (len(world.in_oro()), len(world.outlook())) == (2, 2)


@pytest.mark.parametrize("entity", list(Entity))
def test_an_event_or_contact_of_a_folder_that_was_deleted_is_not_deleted_in_oro(
    database: Database, entity: Entity
) -> None:
    """The user throws the whole folder away. What follows is said aloud; OroCRM loses nothing."""
    world = World(database, user={NAMED[entity]: "OroCRM"})
    hands = Hands(world, entity)
    for name in NAMES[:3]:
        hands.make_in_oro(name)
    world.settle()
    (gone,) = (key for key, name in world.mailbox.containers(KIND[entity]).items() if name == "OroCRM")  # type: ignore[arg-type]
    with world.mailbox.lock:
        world.mailbox.store.remove_container(world.mailbox.store.containers[gone])
    for _ in range(4):
        world.clock.forward(hours=7)
        world.sync()
    assert len(hands.oro()) == 3


# ---------------------------------------------------------------- previews


def test_a_preview_sends_no_writing_request_and_changes_nothing(database: Database) -> None:
    world = World(database, user={"contacts_folder": "Not there yet"})
    everybody = [Hands(world, entity) for entity in Entity]
    for hands in everybody:
        hands.make_in_oro("Name0")
        hands.make_in_outlook("Name1")
    before = [(hands.oro(), hands.outlook(), hands.stamps()) for hands in everybody]
    report = world.sync(mode="preview")
    assert written_requests(world) == []
    assert [(hands.oro(), hands.outlook(), hands.stamps()) for hands in everybody] == before
    assert len([op for op in report.ops if op.writes]) == 4  # contacts have to wait for their folder
    assert "Not there yet" not in world.mailbox.containers("contact").values()
    world.settle()
    for hands in everybody[1:]:
        assert len(hands.oro()) == len(hands.outlook()) == 2
    assert "Not there yet" in world.mailbox.containers("contact").values()


def test_a_preview_shows_exactly_what_the_run_does_then(world: World) -> None:
    everybody = [Hands(world, entity) for entity in Entity]
    records = [(hands.make_in_oro("Name0"), hands.make_in_outlook("Name1")) for hands in everybody]
    partners = [
        partner_of(world, each.entity, number).native for each, (number, _) in zip(everybody, records, strict=True)
    ]
    for hands, (number, native), partner in zip(everybody, records, partners, strict=True):
        hands.edit_in_oro(number, "first", 3)
        hands.edit_in_outlook(native, "first", 4)
        hands.edit_in_outlook(partner, "first", 5)
        hands.make_in_oro("Name2")
    preview = world.sync(mode="preview", sweep=True)
    again = world.sync(mode="preview", sweep=True)
    assert preview.plan_hash == again.plan_hash
    done = world.sync()
    for entity in Entity:
        shown, made = preview.entities[entity], done.entities[entity]
        assert {side.value: shown[side] for side in Side} == {side.value: made[side] for side in Side}
        assert shown["conflicts"] == made["conflicts"] == 1


def test_the_preview_of_a_resync_sends_no_writing_request_either(world: World) -> None:
    hands = Hands(world, CONTACT)
    hands.make_in_oro("Name0")
    world.settle()
    world.graph.clear_log()
    world.oro.forget_requests()
    report = world.sync(mode="resync_preview", replace=True)
    assert written_requests(world) == []
    assert [op.verb.value for op in report.ops if op.writes] == ["delete", "create"]
    nothing_moves(world)
