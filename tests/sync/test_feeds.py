"""Change feeds at their worst, through whole runs: nothing is lost, doubled or deleted, whatever a feed says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sync.actors import Hands
from tests.sync.pairs import from_oro, nothing_moves, written_requests
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side
from orosync.store.database import Database
from orosync.sync.run import run_account

NAMES = [f"Name{n}" for n in range(12)]


def fill(world: World, names: list[str] = NAMES) -> list[Hands]:
    """A dozen records of every entity, made by turns on both sides."""
    everybody = [Hands(world, entity) for entity in Entity]
    for hands in everybody:
        for place, name in enumerate(names):
            (hands.make_in_oro if place % 2 else hands.make_in_outlook)(name)
    return everybody


def all_there(everybody: list[Hands], names: list[str] = NAMES) -> None:
    """Every name once on each side, and no other."""
    for hands in everybody:
        assert sorted(row[0] for row in hands.oro().values()) == sorted(names)
        assert sorted(row[0] for row in hands.outlook().values()) == sorted(names)


def delta_reads(world: World) -> list[str]:
    return [each.path for each in world.graph.request_log if each.path.endswith("/delta")]


# ---------------------------------------------------------------- positions that are lost


def test_expired_positions_between_two_runs_read_everything_again_and_write_nothing(world: World) -> None:
    everybody = fill(world)
    world.settle()
    world.graph.expire_delta_tokens()
    nothing_moves(world)
    all_there(everybody)


def test_a_change_and_a_deletion_are_found_although_the_position_was_lost(world: World) -> None:
    everybody = fill(world)
    world.settle()
    for hands in everybody:
        natives = {row[0]: native for native, row in hands.outlook().items()}
        hands.edit_in_outlook(natives["Name3"], "first", 7)
        hands.delete_in_outlook(natives["Name4"])
    world.graph.expire_delta_tokens()
    world.settle()
    all_there(everybody)  # what was deleted in Outlook is created again
    for hands in everybody:
        assert sum(row == ("Name3", 7, 0) for row in hands.oro().values()) == 1
    nothing_moves(world)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_position_that_expires_in_the_middle_of_paging_starts_the_round_again(world: World, page: int) -> None:
    everybody = fill(world)
    world.graph.settings.max_page_size = 2
    seen = 0

    def expire(request: Any, reply: Any) -> None:
        nonlocal seen
        if request.path.endswith("/contacts/delta"):
            seen += 1
            if seen == page:
                world.graph.expire_delta_tokens()

    stop = world.graph.after_request(expire)
    world.settle()
    stop()
    all_there(everybody)
    nothing_moves(world)


def test_a_position_that_expires_again_and_again_leaves_the_rest_for_the_next_run(world: World) -> None:
    everybody = fill(world)
    world.graph.settings.max_page_size = 2
    stop = world.graph.after_request(lambda _request, _reply: world.graph.expire_delta_tokens())
    report = world.sync()
    assert report.state == "failed"
    assert report.problems
    stop()
    world.settle()
    all_there(everybody)
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
@pytest.mark.parametrize("status", [(410, "SyncStateNotFound"), (400, "resyncRequired"), (404, "ResourceNotFound")])
def test_one_entity_that_loses_its_position_does_not_stop_the_others(
    world: World, entity: Entity, status: tuple[int, str]
) -> None:
    everybody = fill(world, NAMES[:4])
    world.settle()
    path = {Entity.CONTACT: "contacts/delta", Entity.TASK: "tasks/delta", Entity.EVENT: "calendarView/delta"}[entity]
    world.graph.fail_next("GET", path, *status)
    world.graph.clear_log()
    nothing_moves(world)
    rounds = [sum(path.endswith(end) for path in delta_reads(world)) for end in ("contacts/delta", "tasks/delta")]
    assert rounds == [3 if entity is Entity.CONTACT else 2, 3 if entity is Entity.TASK else 2]
    all_there(everybody, NAMES[:4])


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize(
    "trouble",
    [
        {"max_page_size": 1},
        {"empty_pages": 2, "max_page_size": 3},
        {"replay_items": 3, "max_page_size": 2},
        {"batch_replies_shuffled": False, "max_page_size": 5, "empty_pages": 1, "replay_items": 2},
    ],
    ids=str,
)
def test_small_empty_and_repeated_pages_change_nothing_in_the_outcome(world: World, trouble: dict[str, Any]) -> None:
    for name, value in trouble.items():
        setattr(world.graph.settings, name, value)
    everybody = fill(world)
    world.settle()
    all_there(everybody)
    nothing_moves(world)
    for hands in everybody:
        natives = {row[0]: native for native, row in hands.outlook().items()}
        hands.edit_in_outlook(natives["Name5"], "second", 3)
    world.settle()
    for hands in everybody:
        assert sum(row == ("Name5", 0, 3) for row in hands.oro().values()) == (hands.entity is Entity.CONTACT)
    all_there(everybody)


def test_small_pages_of_oro_change_nothing_in_the_outcome(world: World) -> None:
    world.oro.settings.max_page_size = 3
    everybody = fill(world)
    world.settle()
    all_there(everybody)
    for hands in everybody:
        for number in list(hands.oro()):
            hands.world.clock.forward(seconds=1)
            hands.edit_in_oro(number, "first", 4)
    report = world.sync()
    while report.state == "held":  # more overwritten than a day's budget: a person agrees
        report = world.sync(approve=report.plan_hash)
    assert {row[1] for hands in everybody for row in hands.outlook().values()} == {4}
    nothing_moves(world)


# ---------------------------------------------------------------- clocks


@pytest.mark.parametrize("hours", [-30, -5, 5, 30])
@pytest.mark.parametrize("side", list(Side))
def test_a_clock_that_is_hours_wrong_on_one_side_changes_nothing(database: Database, side: Side, hours: int) -> None:
    world = World(database, skew={side: timedelta(hours=hours)})
    everybody = fill(world, NAMES[:4])
    world.settle()
    all_there(everybody, NAMES[:4])
    for hands in everybody:
        natives = {row[0]: native for native, row in hands.outlook().items()}
        numbers = {row[0]: number for number, row in hands.oro().items()}
        hands.edit_in_outlook(natives["Name1"], "first", 5)
        hands.edit_in_oro(numbers["Name1"], "first", 6)
        hands.edit_in_oro(numbers["Name2"], "first", 7)
        hands.delete_in_oro(numbers["Name3"])
    world.settle()
    for hands in everybody:
        outcome = {row[0]: row[1] for row in hands.oro().values()}
        assert outcome == {row[0]: row[1] for row in hands.outlook().values()}
        assert outcome == {"Name0": 0, "Name1": 6, "Name2": 7}
    nothing_moves(world)


def test_with_the_rule_newest_clocks_do_count(database: Database) -> None:
    world = World(database, system={"conflict_resolution": "newest"}, skew={Side.OUTLOOK: timedelta(hours=5)})
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace")
    pair.in_outlook(jobTitle="from Outlook")
    pair.in_oro(jobTitle="from OroCRM")
    world.sync()
    assert pair.oro["jobTitle"] == pair.outlook["jobTitle"] == "from Outlook"


@pytest.mark.parametrize("entity", list(Entity))
def test_changes_within_one_second_of_oro_are_all_found(world: World, entity: Entity) -> None:
    """OroCRM's times have whole seconds: what came later in the same second must not be skipped."""
    hands = Hands(world, entity)

    def run() -> None:
        assert run_account(world.session()).state == "done"  # without moving the clock

    first = hands.make_in_oro("Name0")
    run()
    hands.make_in_oro("Name1")
    run()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Name0", "Name1"]
    world.office.edit(KIND[entity], first, EDITS[entity])
    run()
    assert EDITED[entity] in [str(row) for row in hands.outlook().values()]
    run()
    assert len(hands.oro()) == len(hands.outlook()) == 2


KIND = {Entity.CONTACT: "contact", Entity.TASK: "task", Entity.EVENT: "event"}
EDITS: dict[Entity, dict[str, Any]] = {
    Entity.CONTACT: {"jobTitle": "job 9"},
    Entity.TASK: {"dueDate": "2026-12-19T12:00:00Z"},
    Entity.EVENT: {"end": "2026-12-01T11:09:00Z"},
}
EDITED = {
    Entity.CONTACT: "('Name0', 9, 0)",
    Entity.TASK: "('Name0', 9, None)",
    Entity.EVENT: "('Name0', 9, None)",
}


# ---------------------------------------------------------------- throttling


@pytest.mark.parametrize("after", [3, 10, 25, 40])
def test_throttled_by_graph_in_the_middle_the_run_stops_and_the_next_one_completes(world: World, after: int) -> None:
    everybody = fill(world)
    world.graph.throttle_after(after, retry_after=40)
    report = world.sync()
    assert report.state == "failed"
    assert report.retry_after_s == pytest.approx(40, abs=1)
    assert any("429" in problem or "pause" in problem.lower() for problem in report.problems), report.problems
    world.clock.forward(seconds=41)
    world.settle()
    all_there(everybody)
    nothing_moves(world)


@pytest.mark.parametrize("passed", [0, 1, 4])
def test_throttled_by_oro_in_the_middle_the_run_stops_and_the_next_one_completes(world: World, passed: int) -> None:
    everybody = fill(world)
    sent = 0

    def throttle(method: str, path: str) -> None:
        nonlocal sent
        if method == "POST":
            sent += 1
            if sent == passed + 1:
                world.oro.fail_next("POST", ".*", 429, {"code": 429}, headers={"Retry-After": "40"})

    stop = world.oro.before_request(throttle)
    report = world.sync()
    stop()
    assert report.state == "failed"
    assert report.retry_after_s == 40
    world.settle()
    all_there(everybody)
    nothing_moves(world)


def test_reads_that_are_throttled_end_the_run_before_anything_is_written(world: World) -> None:
    everybody = fill(world)
    world.oro.fail_next("GET", "contacts", 503, None, times=5, headers={"Retry-After": "20"})
    report = world.sync()
    assert report.state == "failed"
    assert written_requests(world) == []
    while report.state == "failed":
        report = world.sync()
    world.settle()
    all_there(everybody)


# ---------------------------------------------------------------- what OroCRM's feed does not say


@pytest.mark.parametrize("entity", list(Entity))
def test_oros_count_betrays_a_deletion_at_the_next_poll(world: World, entity: Entity) -> None:
    hands = Hands(world, entity)
    numbers = [hands.make_in_oro(name) for name in NAMES[:4]]
    world.settle()
    world.sync()
    hands.delete_in_oro(numbers[1])
    world.sync()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Name0", "Name2", "Name3"]
    nothing_moves(world)


@pytest.mark.parametrize("entity", list(Entity))
def test_a_deletion_and_a_creation_that_cancel_out_are_found_by_the_sweep(world: World, entity: Entity) -> None:
    hands = Hands(world, entity)
    numbers = [hands.make_in_oro(name) for name in NAMES[:4]]
    world.settle()
    world.sync()
    hands.delete_in_oro(numbers[1])
    hands.make_in_oro("Name9")
    world.sync(sweep=True)
    world.settle()
    assert sorted(row[0] for row in hands.outlook().values()) == ["Name0", "Name2", "Name3", "Name9"]
    nothing_moves(world)


@pytest.mark.parametrize("kind", ["contact", "task"])
def test_an_old_record_that_becomes_visible_arrives(database: Database, kind: str) -> None:
    world = World(database, oro_user="rita")
    entity = Entity(kind)
    values = {"firstName": "Old", "lastName": "One"} if kind == "contact" else {"subject": "Old one"}
    world.oro.back_office_as("bob").create(kind, values)
    world.clock.forward(days=3)
    from_oro(world, entity, **({"firstName": "New", "lastName": "One"} if kind == "contact" else {"subject": "New"}))
    world.sync()
    assert len(world.outlook(entity)) == 1
    world.oro.set_permission("rita", kind, "view", "system")
    world.sync()
    assert len(world.outlook(entity)) == 2
    nothing_moves(world)


# ---------------------------------------------------------------- Outlook's feed says removed and means something else


def test_removed_is_no_deletion_while_the_item_can_be_read(world: World) -> None:
    pair = from_oro(world, Entity.EVENT, title="Review", start="2026-12-01T10:00:00Z", end="2026-12-01T11:00:00Z")
    pair.in_outlook(
        start={"dateTime": "2028-03-01T10:00:00", "timeZone": "UTC"},
        end={"dateTime": "2028-03-01T11:00:00", "timeZone": "UTC"},
    )
    world.sync()
    assert pair.outlook["subject"] == pair.oro["title"] == "Review"
    assert len(world.in_oro(Entity.EVENT)) == 1


@pytest.mark.parametrize("entity", list(Entity))
def test_nothing_is_taken_for_deleted_while_a_side_finds_nothing_at_all(world: World, entity: Entity) -> None:
    """A switched-off API answers 404 to everything."""
    hands = Hands(world, entity)
    for name in NAMES[:3]:
        hands.make_in_oro(name)
    world.settle()
    world.oro.settings.web_api_enabled = False
    for native in list(hands.outlook()):
        hands.edit_in_outlook(native, "first", 3)
    report = world.sync(sweep=True)
    assert report.state in {"failed", "suspended"}
    assert report.problems
    world.oro.settings.web_api_enabled = True
    world.settle()
    assert len(hands.oro()) == len(hands.outlook()) == 3
    assert {row[1] for row in hands.oro().values()} == {3}


@pytest.mark.parametrize("reply", [b'{"value": []}', b'{"value": "none"}', b"not json at all", b"[]"])
def test_a_page_that_makes_no_sense_stops_its_entity_only(world: World, reply: bytes) -> None:
    everybody = fill(world, NAMES[:4])
    world.settle()
    contacts, tasks, _ = everybody
    native = next(iter(tasks.outlook()))
    tasks.edit_in_outlook(native, "first", 8)
    world.graph.fail_next("GET", "contacts/delta", 200, "", body=reply)
    report = world.sync()
    assert report.state == "failed"
    assert any("contact" in problem for problem in report.problems)
    assert 8 in {row[1] for row in tasks.oro().values()}
    world.settle()
    all_there(everybody, NAMES[:4])
    assert len(contacts.outlook()) == 4


def test_an_empty_reply_for_all_records_of_oro_deletes_nothing_in_outlook(world: World) -> None:
    everybody = fill(world, NAMES[:4])
    world.settle()
    empty = {"data": []}
    world.oro.fail_next("GET", "/api/contacts", 200, empty, headers={"X-Include-Total-Count": "0"})
    assert writes(world.sync(sweep=True)) == 0
    all_there(everybody, NAMES[:4])
