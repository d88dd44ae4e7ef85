"""Paths, parameters and bodies of OroCRM's old REST API: calendar events, calendars, workflow transitions.

Pure; nothing is sent here. Rules from orocrm-api.md 0, 4 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

EVENTS = "calendarevents"
OWN_CALENDAR = "calendars/default"
AUDITS = "audits"

# From one status to another; the steps of the workflow `task_flow` (orocrm-api.md 4).
TRANSITIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("open", "in_progress"): ("start_progress",),
    ("open", "closed"): ("close",),
    ("in_progress", "open"): ("stop_progress",),
    ("in_progress", "closed"): ("close",),
    ("closed", "open"): ("reopen",),
    ("closed", "in_progress"): ("reopen", "start_progress"),
}

_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_EVENT_TIMES = ("start", "end", "originalStart")
_RULE_TIMES = ("startTime", "endTime")


def event_path(id: str) -> str:
    return f"{EVENTS}/{id}"


def event_page(calendar: str, limit: int, *, updated_from: str | None = None, uid: str | None = None) -> dict[str, str]:
    """All in one page: walking pages repeats and loses events (calendarevents-list-paging-unstable).

    The operator stands in the parameter's name: `updatedAt>=T` (calendarevents-list-updatedAt).
    """
    params = {"calendar": calendar, "page": "1", "limit": str(limit)}
    if updated_from is not None:
        params["updatedAt>"] = updated_from
    if uid is not None:
        params["uid"] = uid
    return params


def audit_page(limit: int, number: int, *, since: str | None = None) -> dict[str, str]:
    """Oldest first. Only one class can be asked for at a time, so it is all or one (audits-list-deletions-since)."""
    params = {"limit": str(limit), "page": str(number)}
    return params if since is None else params | {"loggedAt>": since}


def task_path(id: str) -> str:
    return f"tasks/{id}"


def transition_path(workflow_item: str, transition: str) -> str:
    return f"workflow/transit/{workflow_item}/{transition}"


def zulu(text: Any) -> Any:
    """`2026-11-21T08:07:03+00:00` -> `2026-11-21T08:07:03Z`; the old API always answers in UTC."""
    return text.replace("+00:00", "Z") if isinstance(text, str) else text


def times_not_in_utc(body: Mapping[str, Any]) -> list[str]:
    """Names of the times that are not `...Z`: offsets are ignored without an error (calendarevents-start-forms)."""
    rule = body.get("recurrence") or {}
    times = [(name, body.get(name)) for name in _EVENT_TIMES]
    times += [(f"recurrence.{name}", rule.get(name)) for name in _RULE_TIMES]
    return [name for name, value in times if value is not None and not _UTC.fullmatch(str(value))]


def event_body(row: Mapping[str, Any]) -> dict[str, Any]:
    """An event in one shape, whether it came from a list or by id.

    Lists spell the rule's zone `timeZone` and add `fullName` to attendees, GET by id spells it `timezone`
    (calendarevents-recurring-list-page, -recurring-get). Here: `timezone`, no `fullName`; `recurrence` and `reminders`
    are always there.
    """
    body = dict(row)
    body["reminders"] = row.get("reminders") or []
    attendees = row.get("attendees") or []
    body["attendees"] = [_attendee(each) for each in attendees] if isinstance(attendees, list) else attendees
    rule = row.get("recurrence")
    if isinstance(rule, dict) and rule:
        rule = dict(rule)
        rule["timezone"] = rule.pop("timeZone", rule.get("timezone"))
    body["recurrence"] = rule or None
    return body


def _attendee(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: value for name, value in row.items() if name not in {"fullName", "createdAt", "updatedAt"}}
