"""To Do tasks of the simulated Graph (graph-api.md 2.3, 4)."""

from datetime import date

import pytest
from tests.sandbox.graph_caller import IMMUTABLE, Caller, new_caller


@pytest.fixture
def caller() -> Caller:
    return new_caller()


@pytest.fixture
def tasks(caller: Caller) -> str:
    row = next(row for row in caller.get("/me/todo/lists")["value"] if row["wellknownListName"] == "defaultList")
    return f"/me/todo/lists/{row['id']}/tasks"


def due(day: str) -> dict[str, str]:
    return {"dateTime": day, "timeZone": "UTC"}


def test_the_time_of_a_due_date_is_dropped(caller: Caller, tasks: str) -> None:
    made = caller.post(tasks, {"title": "t", "dueDateTime": due("2026-11-24T17:30:00")})
    assert made["dueDateTime"] == due("2026-11-24T00:00:00.0000000")
    assert "dueDateTime" not in caller.patch(f"{tasks}/{made['id']}", {"dueDateTime": None})


@pytest.mark.parametrize(
    ("zone", "stored"),
    [
        ("Europe/Berlin", "2026-11-23T23:00:00.0000000"),
        ("Pacific/Honolulu", "2026-11-24T10:00:00.0000000"),
        ("Pacific/Kiritimati", "2026-11-23T10:00:00.0000000"),
    ],
)
def test_a_date_set_in_the_app_is_the_local_midnight_in_utc(caller: Caller, zone: str, stored: str) -> None:
    mailbox = caller.graph.add_mailbox("kim@contoso.example", display_name="Kim", time_zone=zone)
    known = mailbox.user_create("task", {"title": "t", "due_by_user": date(2026, 11, 24)})
    assert mailbox.item("task", known)["dueDateTime"] == due(stored)


def test_completion_has_a_day_only_while_the_task_is_completed(caller: Caller, tasks: str) -> None:
    made = caller.post(tasks, {"title": "t", "status": "completed"})
    assert made["completedDateTime"] == due("2026-11-21T00:00:00.0000000")
    again = caller.patch(f"{tasks}/{made['id']}", {"status": "waitingOnOthers"})
    assert "completedDateTime" not in again
    tokyo = {"Prefer": 'outlook.timezone="Tokyo Standard Time"'}
    shifted = caller.patch(f"{tasks}/{made['id']}", {"status": "completed"}, headers=tokyo)
    assert shifted["completedDateTime"]["dateTime"] == "2026-11-21T09:00:00.0000000"


def test_links_come_inside_a_new_task_and_are_shown_only_when_expanded(caller: Caller, tasks: str) -> None:
    made = caller.post(tasks, {"title": "t", "linkedResources": [{"applicationName": "OroCRM", "externalId": "7"}]})
    path = f"{tasks}/{made['id']}"
    assert made["linkedResources"][0]["externalId"] == "7"
    assert "linkedResources" not in caller.get(path)
    expand = {"$expand": "linkedResources"}
    assert caller.get(path, params=expand)["linkedResources"] == made["linkedResources"]
    assert caller.get(tasks, params=expand)["value"][0]["linkedResources"] == made["linkedResources"]
    rows, link = caller.walk(f"{tasks}/delta", params=expand)
    assert rows[0]["linkedResources"] == made["linkedResources"]
    filtered = {"$filter": "linkedResources/any(l:l/externalId eq '7')"}
    assert caller.get(tasks, 400, params=filtered) == "ErrorInvalidUrlQueryFilter"
    caller.patch(path, {"linkedResources": []}, 400)
    caller.delete(f"{path}/linkedResources/{made['linkedResources'][0]['id']}")
    assert caller.walk(link)[0] == []


def test_a_task_moved_to_another_list_has_a_new_id_whatever_the_header_says(caller: Caller, tasks: str) -> None:
    made = caller.post(tasks, {"title": "t"}, headers=IMMUTABLE)
    _, link = caller.walk(f"{tasks}/delta")
    other = caller.mailbox.add_todo_list("Oro")
    moved = caller.mailbox.user_move("task", made["id"], other)
    assert moved != made["id"]
    assert caller.get(f"{tasks}/{made['id']}", 404) == "ErrorItemNotFound"
    assert caller.get(f"{tasks}/{moved}", 404) == "ErrorItemNotFound"
    assert caller.get(f"/me/todo/lists/{other}/tasks/{moved}", headers=IMMUTABLE)["id"] == moved
    assert caller.walk(link)[0] == [{"id": made["id"], "@removed": {"reason": "deleted"}}]


def test_a_list_that_went_is_named_by_the_delta_of_lists(caller: Caller) -> None:
    other = caller.mailbox.add_todo_list("Oro")
    rows, link = caller.walk("/me/todo/lists/delta")
    assert {row["wellknownListName"] for row in rows} == {"defaultList", "flaggedEmails", "none"}
    caller.delete(f"/me/todo/lists/{other}")
    assert caller.walk(link)[0] == [{"id": other, "@removed": {"reason": "deleted"}}]
    assert caller.get(f"/me/todo/lists/{other}/tasks/delta", 404) == "ResourceNotFound"


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": "t", "status": "done"}, {"title": "t", "subject": "x"}])
def test_tasks_graph_does_not_take_are_refused(caller: Caller, tasks: str, body: dict[str, str]) -> None:
    caller.post(tasks, body, 400)
    assert caller.mailbox.items("task") == []
