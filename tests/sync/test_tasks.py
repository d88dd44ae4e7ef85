"""Tasks through whole runs: statuses through the workflow, days in every zone, stamps a user can see and remove."""

from __future__ import annotations

import pytest
from tests.sync.pairs import Pair, forget_everything, from_oro, from_outlook, nothing_moves, partner_of
from tests.sync.world import World, writes

from orosync.core.records import Entity
from orosync.store.database import Database

TASK = Entity.TASK
TO_ORO = {
    "notStarted": "open",
    "inProgress": "in_progress",
    "completed": "closed",
    "waitingOnOthers": "in_progress",
    "deferred": "in_progress",
}
TO_OUTLOOK = {"open": "notStarted", "in_progress": "inProgress", "closed": "completed"}


@pytest.fixture(params=[True, False], ids=["workflow", "no_workflow"])
def ruled(request: pytest.FixtureRequest, world: World) -> World:
    """With the task workflow active, as after installation, and switched off."""
    world.office.set_workflow_active(active=request.param)
    return world


def due(pair: Pair) -> str:
    return str((pair.outlook.get("dueDateTime") or {}).get("dateTime"))[:19]


# ---------------------------------------------------------------- status


def test_a_task_closed_in_outlook_closes_in_oro(ruled: World) -> None:
    pair = from_oro(ruled, TASK, subject="Call Ben")
    pair.in_outlook(status="completed")
    ruled.sync()
    assert pair.oro["status"] == "closed"
    nothing_moves(ruled)


@pytest.mark.parametrize("first", TO_ORO)
def test_every_status_of_outlook_reaches_oro_from_every_other(ruled: World, first: str) -> None:
    pair = from_outlook(ruled, TASK, title="Call Ben", status=first)
    assert (pair.oro["status"], pair.outlook["status"]) == (TO_ORO[first], first)
    for then, arrives in TO_ORO.items():
        ruled.clock.forward(hours=25)  # so much to and fro within a day would be taken for two programs at odds
        pair.in_outlook(status=then)
        ruled.sync()
        assert (pair.oro["status"], pair.outlook["status"]) == (arrives, then)
        pair.in_outlook(status=first)
        ruled.sync()
        assert (pair.oro["status"], pair.outlook["status"]) == (TO_ORO[first], first)
    nothing_moves(ruled)


@pytest.mark.parametrize("then", TO_OUTLOOK)
@pytest.mark.parametrize("first", TO_OUTLOOK)
def test_every_status_of_oro_reaches_outlook(ruled: World, first: str, then: str) -> None:
    pair = from_oro(ruled, TASK, subject="Call Ben", status=first)
    assert pair.outlook["status"] == TO_OUTLOOK[first]
    if then != first:
        pair.in_oro(status=then)
        ruled.sync()
    assert (pair.outlook["status"], pair.oro["status"]) == (TO_OUTLOOK[then], then)
    nothing_moves(ruled)


@pytest.mark.parametrize("status", ["waitingOnOthers", "deferred"])
@pytest.mark.parametrize("direction", ["bidirectional", "oro_to_outlook"])
def test_a_finer_status_in_outlook_is_not_touched_by_an_unrelated_edit_in_oro(
    database: Database, status: str, direction: str
) -> None:
    world = World(database, system={"sync_direction": direction})
    pair = from_oro(world, TASK, subject="Call Ben", status="in_progress")
    pair.in_outlook(status=status)
    world.sync()
    pair.in_oro(subject="Call Ben again", taskPriority="high")
    world.sync()
    assert (pair.outlook["title"], pair.outlook["importance"]) == ("Call Ben again", "high")
    assert pair.outlook["status"] == status
    nothing_moves(world)
    assert pair.oro["status"] == "in_progress"


@pytest.mark.parametrize("status", ["waitingOnOthers", "deferred"])
def test_a_finer_status_is_overwritten_when_oros_own_status_changes(world: World, status: str) -> None:
    pair = from_outlook(world, TASK, title="Call Ben", status=status)
    pair.in_oro(status="closed")
    world.sync()
    assert pair.outlook["status"] == "completed"
    nothing_moves(world)


@pytest.mark.parametrize("status", ["waitingOnOthers", "deferred"])
def test_a_finer_status_survives_the_loss_of_our_state(world: World, status: str) -> None:
    pair = from_outlook(world, TASK, title="Call Ben", status=status)
    forget_everything(world)
    assert writes(world.sync()) == 0
    assert pair.outlook["status"] == status
    nothing_moves(world)


def test_the_workflow_switched_on_and_off_between_runs_is_followed(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben")
    world.office.set_workflow_active(active=False)
    pair.in_outlook(status="completed")
    world.sync()
    assert pair.oro["status"] == "closed"
    world.office.set_workflow_active(active=True)
    other = from_oro(world, TASK, subject="Call Cem")
    other.in_outlook(status="inProgress")
    pair.in_outlook(status="notStarted")
    world.sync()
    assert (pair.oro["status"], other.oro["status"]) == ("open", "in_progress")
    nothing_moves(world)


def test_a_task_created_closed_arrives_closed_on_either_side(ruled: World) -> None:
    ours = from_oro(ruled, TASK, subject="Call Ben", status="closed")
    theirs = from_outlook(ruled, TASK, title="Call Cem", status="completed")
    assert (ours.outlook["status"], theirs.oro["status"]) == ("completed", "closed")
    nothing_moves(ruled)


def test_closed_and_renamed_at_once_arrives_whole(ruled: World) -> None:
    pair = from_oro(ruled, TASK, subject="Call Ben", dueDate="2026-12-11T12:00:00Z")
    pair.in_outlook(status="completed", title="Called Ben", importance="high", dueDateTime=None)
    ruled.sync()
    row = pair.oro
    assert (row["status"], row["subject"], row["taskPriority"], row["dueDate"]) == (
        "closed",
        "Called Ben",
        "high",
        None,
    )
    nothing_moves(ruled)


# ---------------------------------------------------------------- priority and due date


@pytest.mark.parametrize("priority", ["low", "normal", "high"])
def test_the_priority_travels_both_ways(world: World, priority: str) -> None:
    ours = from_oro(world, TASK, subject="Call Ben", taskPriority=priority)
    theirs = from_outlook(world, TASK, title="Call Cem", importance=priority)
    assert (ours.outlook["importance"], theirs.oro["taskPriority"]) == (priority, priority)
    for after in ("low", "high", "normal"):
        ours.in_outlook(importance=after)
        theirs.in_oro(taskPriority=after)
        world.sync()
        assert (ours.oro["taskPriority"], theirs.outlook["importance"]) == (after, after)
    nothing_moves(world)


ZONES = ["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati"]


@pytest.mark.parametrize("zone", ZONES)
def test_a_due_date_set_in_the_to_do_app_is_that_day_in_oro(database: Database, zone: str) -> None:
    world, day = World(database, zone=zone), "2026-10-24"
    native = world.mailbox.user_create("task", {"title": "Call Ben", "due_by_user": day})
    stored = world.mailbox.item("task", native)["dueDateTime"]
    world.settle()
    (task,) = world.in_oro(TASK)
    assert str(task["dueDate"].date()) == day
    pair = partner_of(world, TASK, task["id"])
    nothing_moves(world)
    assert pair.outlook["dueDateTime"] == stored
    world.mailbox.user_update("task", native, {"due_by_user": "2027-02-28"})
    world.sync()
    assert str(pair.oro["dueDate"].date()) == "2027-02-28"
    nothing_moves(world)


@pytest.mark.parametrize("oro_zone", ["America/Los_Angeles", "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Pacific/Auckland"])
def test_a_due_date_set_in_oro_is_its_users_day_in_outlook(database: Database, zone: str, oro_zone: str) -> None:
    world = World(database, zone=zone)
    world.oro.user("admin").time_zone = oro_zone
    late = {"America/Los_Angeles": "2026-12-25T06:30:00Z", "UTC": "2026-12-24T22:30:00Z"}
    pair = from_oro(world, TASK, subject="Call Ben", dueDate=late.get(oro_zone, "2026-12-24T13:30:00Z"))
    assert due(pair) == "2026-12-24T00:00:00"
    nothing_moves(world)


def test_oros_time_of_day_is_kept_when_the_day_changes_in_outlook(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben", dueDate="2026-12-11T15:45:00Z")
    pair.in_outlook(due_by_user="2026-12-24")
    world.sync()
    assert pair.oro["dueDate"].isoformat() == "2026-12-24T15:45:00+00:00"
    nothing_moves(world)


def test_another_time_on_the_same_day_in_oro_moves_nothing(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben", dueDate="2026-12-11T15:45:00Z")
    pair.in_oro(dueDate="2026-12-11T09:00:00Z")
    assert writes(world.sync()) == 0
    pair.in_outlook(title="Call Ben now")
    world.sync()
    assert pair.oro["dueDate"].isoformat() == "2026-12-11T09:00:00+00:00"
    nothing_moves(world)


def test_a_task_without_due_date_stays_without_and_can_get_and_lose_one(world: World) -> None:
    ours, theirs = from_oro(world, TASK, subject="Call Ben"), from_outlook(world, TASK, title="Call Cem")
    assert "dueDateTime" not in ours.outlook
    assert theirs.oro["dueDate"] is None
    ours.in_outlook(due_by_user="2026-12-24")
    theirs.in_oro(dueDate="2026-12-24T12:00:00Z")
    world.sync()
    assert str(ours.oro["dueDate"].date()) == "2026-12-24"
    assert due(theirs) == "2026-12-24T00:00:00"
    ours.in_outlook(dueDateTime=None)
    theirs.in_oro(dueDate=None)
    world.sync()
    assert ours.oro["dueDate"] is None
    assert "dueDateTime" not in theirs.outlook
    nothing_moves(world)


# ---------------------------------------------------------------- description is off by default


def test_notes_of_a_task_do_not_travel_unless_that_is_switched_on(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben", description="<p>in OroCRM</p>")
    pair.in_outlook(body={"content": "in Outlook", "contentType": "text"})
    world.settle()
    assert pair.oro["description"] == "<p>in OroCRM</p>"
    assert "in Outlook" in pair.outlook["body"]["content"]
    nothing_moves(world)


# ---------------------------------------------------------------- stamps, lists, copies


def test_a_task_moved_to_another_list_and_back_does_not_double(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben")
    from_oro(world, TASK, subject="Call Cem")
    home = str(pair.outlook["containerId"])
    world.mailbox.add_todo_list("Someday")
    away = world.mailbox.user_move("task", pair.native, "Someday")
    assert away != pair.native
    back = world.mailbox.user_move("task", away, home)
    world.settle()
    assert (len(world.in_oro(TASK)), len(world.outlook(TASK))) == (2, 2)
    assert pair.link.outlook_id == back
    nothing_moves(world)


def test_a_task_that_waits_in_another_list_over_a_run_does_not_double_when_it_comes_back(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben")
    from_oro(world, TASK, subject="Call Cem")
    home = str(pair.outlook["containerId"])
    world.mailbox.add_todo_list("Someday")
    away = world.mailbox.user_move("task", pair.native, "Someday")
    world.settle()
    world.mailbox.user_move("task", away, home)
    world.settle()
    subjects = sorted(row["subject"] for row in world.in_oro(TASK))
    assert subjects == ["Call Ben", "Call Cem"]
    nothing_moves(world)


def test_a_stamp_the_user_removed_does_not_lose_the_link(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben")
    assert [link["externalId"] for link in pair.outlook["linkedResources"]] == [str(pair.number)]
    pair.in_outlook(linkedResources=[])
    pair.in_oro(subject="Call Ben today")
    world.settle()
    assert pair.outlook["title"] == "Call Ben today"
    assert (len(world.in_oro(TASK)), len(world.outlook(TASK))) == (1, 1)
    nothing_moves(world)


def test_links_of_other_programs_on_a_task_stay(world: World) -> None:
    other = {"applicationName": "Tracker", "displayName": "T-1", "externalId": "T-1", "webUrl": "https://t.example/1"}
    pair = from_outlook(world, TASK, title="Call Ben", linkedResources=[other])
    names = sorted(link["applicationName"] for link in pair.outlook["linkedResources"])
    assert names == ["OroCRM", "Tracker"]
    pair.in_oro(subject="Call Ben today")
    world.sync()
    assert sorted(link["applicationName"] for link in pair.outlook["linkedResources"]) == names
    nothing_moves(world)


def test_the_stamp_leads_to_oros_record(world: World) -> None:
    pair = from_oro(world, TASK, subject="Call Ben")
    (link,) = pair.outlook["linkedResources"]
    assert link["webUrl"].endswith(f"/task/view/{pair.number}")


def test_a_task_with_an_over_long_title_arrives_cut_and_stays_whole_in_outlook(world: World) -> None:
    pair = from_outlook(world, TASK, title="T" * 300)
    assert pair.oro["subject"] == "T" * 255
    pair.in_oro(taskPriority="high")
    world.sync()
    assert pair.outlook["title"] == "T" * 300
    nothing_moves(world)


def test_two_tasks_of_the_same_name_stay_two(world: World) -> None:
    for _ in range(2):
        world.mailbox.user_create("task", {"title": "Call Ben"})
        world.office.create("task", {"subject": "Call Ben"})
    world.settle()
    assert (len(world.in_oro(TASK)), len(world.outlook(TASK))) == (2, 2)
    nothing_moves(world)
