"""Tasks: the lens laws on both sides, days that stay days, statuses that are told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.lens_world import CONTEXT, TASKS, item, oro_applies_task, outlook_applies

from orosync.core.fields import empty_record, fields_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.tasks import NO_TITLE
from orosync.core.records import Entity, Side

OUTLOOK = lens_of(Side.OUTLOOK, Entity.TASK)
ORO = lens_of(Side.ORO, Entity.TASK)
NAMES = [each.name for each in fields_of(Entity.TASK)]
EMPTY = empty_record(Entity.TASK)


def get(lens: Any, body: dict[str, Any], context: Any = CONTEXT) -> dict[str, Any]:
    return dict(lens.snapshot(item(body), context).record)


def oro(due: str | None = None, status: str = "open", **own: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "attributes": {"subject": "x", "dueDate": due, **own},
        "taskPriority": "normal",
        "status": status,
    }


@st.composite
def bodies(draw: st.DrawFn, side: Side) -> dict[str, Any]:
    lens = lens_of(side, Entity.TASK)
    patch = lens.put(lens.representable(draw(TASKS), CONTEXT), None, CONTEXT)
    body = outlook_applies(patch, {"categories": ["x"]}) if side is Side.OUTLOOK else oro_applies_task(patch, None)
    if draw(st.booleans()):
        if side is Side.OUTLOOK:
            body["body"] = {"contentType": "html", "content": "<html><body>\r\n<p>a&nbsp; <b>b</b></p></body></html>"}
        else:
            body["attributes"]["description"] = "<p>a <b>b</b></p>"
    return body


@given(st.sampled_from(Side), TASKS, st.booleans(), st.sets(st.sampled_from(NAMES)), st.data())
def test_what_can_be_held_arrives(side: Side, record: Any, new: bool, chosen: set[str], data: st.DataObject) -> None:
    lens = lens_of(side, Entity.TASK)
    body = None if new else data.draw(bodies(side))
    values = {name: record[name] for name in chosen}
    patch = lens.put(values, item(body) if body else None, CONTEXT)
    after = outlook_applies(patch, body) if side is Side.OUTLOOK else oro_applies_task(patch, body)
    if new and side is Side.OUTLOOK:
        assert patch["title"]
        after = {"importance": "normal", "status": "notStarted", **after}
    before = get(lens, body) if body else EMPTY
    assert get(lens, after) == lens.representable({**before, **values}, CONTEXT)


@pytest.mark.parametrize(
    ("due", "zone", "day"),
    [
        ({"dateTime": "2024-10-24T00:00:00.0000000", "timeZone": "UTC"}, "Pacific/Honolulu", "2024-10-24"),
        ({"dateTime": "2024-10-24T10:00:00.0000000", "timeZone": "UTC"}, "Pacific/Honolulu", "2024-10-24"),
        ({"dateTime": "2024-10-23T10:00:00.0000000", "timeZone": "UTC"}, "Pacific/Kiritimati", "2024-10-24"),
        ({"dateTime": "2024-10-23T22:00:00.0000000", "timeZone": "UTC"}, "W. Europe Standard Time", "2024-10-24"),
        ({"dateTime": "2024-10-24", "timeZone": "UTC"}, "Europe/Berlin", "2024-10-24"),
        ({"dateTime": "soon", "timeZone": "UTC"}, "Europe/Berlin", None),
        (None, "Europe/Berlin", None),
    ],
)
def test_outlooks_due_date_is_a_day_whatever_set_it(due: Any, zone: str, day: str | None) -> None:
    assert get(OUTLOOK, {"dueDateTime": due}, replace(CONTEXT, mailbox_zone=zone))["due_date"] == day


def test_outlook_gets_the_day_at_midnight_utc() -> None:
    assert OUTLOOK.put({"due_date": "2024-10-24"}, item({}), CONTEXT) == {
        "dueDateTime": {"dateTime": "2024-10-24T00:00:00", "timeZone": "UTC"}
    }
    local = {"dueDateTime": {"dateTime": "2024-10-23T22:00:00", "timeZone": "UTC"}}
    assert OUTLOOK.put({"due_date": "2024-10-24"}, item(local), CONTEXT) == {}
    assert OUTLOOK.put({"due_date": None}, item(local), CONTEXT) == {"dueDateTime": None}


@pytest.mark.parametrize(
    ("present", "day", "written"),
    [
        ("2026-12-24T15:30:00Z", "2026-12-24", None),  # half past ten in New York
        ("2026-12-24T15:30:00Z", "2026-06-24", "2026-06-24T14:30:00Z"),  # and still, in summer
        ("2026-12-25T03:00:00Z", "2026-12-24", None),
        (None, "2026-12-24", "2026-12-25T04:59:00Z"),
    ],
)
def test_oro_keeps_its_time_of_day(present: str | None, day: str, written: str | None) -> None:
    assert ORO.put({"due_date": day}, item(oro(present)), CONTEXT) == (
        {"attributes": {"dueDate": written}} if written else {}
    )


def test_a_due_date_can_be_taken_away() -> None:
    assert ORO.put({"due_date": None}, item(oro("2026-12-24T15:30:00Z")), CONTEXT) == {"attributes": {"dueDate": None}}


@pytest.mark.parametrize(
    ("status", "graph", "held", "stored"),
    [
        ("not_started", "notStarted", "not_started", "open"),
        ("in_progress", "inProgress", "in_progress", "in_progress"),
        ("completed", "completed", "completed", "closed"),
        ("waiting_on_others", "waitingOnOthers", "in_progress", "in_progress"),
        ("deferred", "deferred", "in_progress", "in_progress"),
        (None, "notStarted", "not_started", "open"),
    ],
)
def test_five_statuses_on_three(status: str | None, graph: str, held: str, stored: str) -> None:
    assert OUTLOOK.put({"status": status}, item({"status": "x"}), CONTEXT).get("status", graph) == graph
    assert ORO.representable({**EMPTY, "status": status}, CONTEXT)["status"] == held
    assert ORO.put({"status": status, "subject": "x"}, None, CONTEXT)["status"] == stored
    assert get(ORO, oro(status=stored))["status"] == held


def test_oro_gets_what_it_requires_and_nothing_twice() -> None:
    assert ORO.put({}, None, CONTEXT) == {
        "attributes": {"subject": NO_TITLE},
        "relationships": {"taskPriority": "normal"},
        "status": "open",
    }
    assert ORO.put({"priority": "high", "subject": "s" * 256}, item(oro()), CONTEXT) == {
        "attributes": {"subject": "s" * 255},
        "relationships": {"taskPriority": "high"},
    }
    assert ORO.put({"status": "completed"}, item(oro()), CONTEXT) == {"attributes": {}, "status": "closed"}


def test_outlook_has_no_task_without_title() -> None:
    assert OUTLOOK.put({}, None, CONTEXT) == {"title": NO_TITLE}
    assert OUTLOOK.put({"subject": None}, item({"title": "x"}), CONTEXT) == {"title": NO_TITLE}
    assert OUTLOOK.put({"priority": "high"}, item({"title": "x"}), CONTEXT) == {"importance": "high"}


def test_the_html_of_a_body_survives_while_its_text_is_the_same() -> None:
    body = {"body": {"contentType": "html", "content": "<html><body><p>a <b>b</b></p></body></html>"}}
    assert OUTLOOK.put({"description": "a b"}, item(body), CONTEXT) == {}
    assert OUTLOOK.put({"description": "a <c>"}, item(body), CONTEXT) == {
        "body": {"contentType": "text", "content": "a <c>"}
    }
    assert OUTLOOK.put({"description": None}, item(body), CONTEXT) == {"body": {"contentType": "text", "content": ""}}
    crm = oro(description="<p>a <b>b</b></p>")
    assert ORO.put({"description": "a b"}, item(crm), CONTEXT) == {}
    assert ORO.put({"description": "c"}, item(crm), CONTEXT) == {"attributes": {"description": "<p>c</p>"}}


def test_facts_of_a_task() -> None:
    body = {
        "title": "x",
        "lastModifiedDateTime": "2026-11-21T08:16:57.1234567Z",
        "categories": ["VIP"],
        "linkedResources": [{"applicationName": "OroCRM", "externalId": "42"}],
    }
    seen = OUTLOOK.snapshot(item(body), CONTEXT)
    assert (seen.stamp, seen.modified_at, seen.categories) == ("42", "2026-11-21T08:16:57Z", ("VIP",))
    hidden = OUTLOOK.snapshot(item({**body, "sensitivity": "private"}), CONTEXT)
    assert (hidden.private, hidden.record) == (True, EMPTY)


def test_facts_of_an_oro_task() -> None:
    body = {**oro(status="blocked", updatedAt="2026-11-21T08:16:57Z"), "taskPriority": "urgent", "owner": "8"}
    seen = ORO.snapshot(item(body), CONTEXT)
    assert (seen.owned, seen.modified_at) == (False, "2026-11-21T08:16:57Z")
    assert (seen.record["status"], seen.record["priority"]) == (None, None)
    assert seen.notes == (
        "OroCRM's status has no counterpart in Outlook",
        "OroCRM's priority has no counterpart in Outlook",
    )
    assert ORO.snapshot(item({**oro(), "owner": "7"}), CONTEXT).owned


def test_the_recorded_task_reads(contracts: Path) -> None:
    recorded = json.loads((contracts / "orocrm-5.1" / "tasks-get.json").read_text("utf-8"))["response"]["body"]["data"]
    body = {
        "id": recorded["id"],
        "attributes": recorded["attributes"],
        "taskPriority": recorded["relationships"]["taskPriority"]["data"]["id"],
        "status": recorded["relationships"]["status"]["data"]["id"],
    }
    record = get(ORO, body)
    assert record["subject"] == recorded["attributes"]["subject"]
    assert record["status"] in {"not_started", "in_progress", "completed"}
    assert ORO.put(record, item(body), CONTEXT) == {}
