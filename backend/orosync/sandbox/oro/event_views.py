"""How calendar events look in the older REST API, and which of them a list shows.

Source: calendarevents-get*, calendarevents-list-*, calendarevents-recurring-list-*. The same event looks a little
different in a list (`timeZone`, `fullName`) and by itself (`timezone`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from orosync.sandbox.oro import recurrence
from orosync.sandbox.oro.event_rules import parent_of
from orosync.sandbox.oro.records import Attendee, Event, OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import legacy_time

MY_TASKS = 1
"""The number of the calendar of tasks, whoever asks."""
TASK_LENGTH = timedelta(minutes=30)


def invitation_status(state: OroState, event: Event) -> str:
    """The answer of the calendar's owner."""
    owner = state.calendar_owner(event.calendar)
    attendees = parent_of(state, event).attendees
    return next((each.status for each in attendees if owner is not None and each.user == owner.id), "none")


def may_answer(state: OroState, user: OroUser, event: Event) -> bool:
    """Whether the asking user is invited here."""
    owner = state.calendar_owner(event.calendar)
    invited = any(each.user == user.id for each in parent_of(state, event).attendees)
    return owner is not None and owner.id == user.id and invited


def written(state: OroState, user: OroUser, event: Event) -> dict[str, Any]:
    """The few fields POST and PUT answer; the organizer's id is a text here."""
    return {
        "uid": event.uid,
        "organizerEmail": event.organizer_email,
        "organizerDisplayName": event.organizer_name,
        "organizerUserId": str(event.organizer or ""),
        "invitationStatus": invitation_status(state, event),
        "editableInvitationStatus": may_answer(state, user, event),
    }


def _attendee(state: OroState, attendee: Attendee, *, in_list: bool) -> dict[str, Any]:
    user = state.users.get(attendee.user) if attendee.user is not None else None
    shown = {
        "displayName": attendee.display_name,
        "email": attendee.email,
        "userId": attendee.user,
        "createdAt": legacy_time(attendee.created_at),
        "updatedAt": legacy_time(attendee.updated_at),
        "status": attendee.status,
        "type": attendee.type,
    }
    return shown | {"fullName": user.name if user else ""} if in_list else shown


def _rule(event: Event, *, in_list: bool) -> dict[str, Any]:
    if event.recurrence is None:
        return {}
    rule = dict(event.recurrence.rule)
    rule["startTime"], rule["endTime"] = legacy_time(rule["startTime"]), legacy_time(rule["endTime"])
    rule["id"] = event.recurrence.id
    rule["timeZone" if in_list else "timezone"] = event.recurrence.time_zone
    return {"recurrence": rule}


def view(state: OroState, user: OroUser, event: Event, *, in_list: bool = False) -> dict[str, Any]:
    """The whole event; reminders and recurrence only when there are any."""
    attendees = parent_of(state, event).attendees
    reminders = {"reminders": event.reminders} if event.reminders else {}
    return {
        "id": event.id,
        "uid": event.uid,
        "title": event.title,
        "description": event.description,
        "start": legacy_time(event.start),
        "end": legacy_time(event.end),
        "allDay": event.all_day,
        "backgroundColor": event.color,
        "createdAt": legacy_time(event.created_at),
        "updatedAt": legacy_time(event.updated_at),
        "invitationStatus": invitation_status(state, event),
        "parentEventId": event.parent,
        "calendar": event.calendar,
        "recurringEventId": event.series,
        "originalStart": legacy_time(event.original_start),
        "isCancelled": event.cancelled,
        "isOrganizer": event.parent is None,
        "organizerEmail": event.organizer_email,
        "organizerDisplayName": event.organizer_name,
        "organizerUserId": event.organizer,
        **_rule(event, in_list=in_list),
        "attendees": [_attendee(state, attendee, in_list=in_list) for attendee in attendees],
        "editable": event.parent is None and state.may_event(user, event, "edit"),
        "removable": state.may_event(user, event, "delete"),
        "editableInvitationStatus": may_answer(state, user, event),
        **reminders,
    }


def window(state: OroState, user: OroUser, calendars: list[int], low: datetime, high: datetime) -> list[dict[str, Any]]:
    """What a start/end list shows: single events and exceptions first by start, then series, expanded."""
    single: list[dict[str, Any]] = []
    expanded: list[dict[str, Any]] = []
    for calendar in calendars:
        for number in state.events.with_key("calendar", calendar):
            event = state.events.get(number)
            if event is None or not state.may_event(user, event):
                continue
            if event.recurrence is not None and event.series is None:
                expanded += _expand(state, user, event, low, high)
            elif not event.cancelled and event.start <= high and event.end >= low:
                single.append(_exception(state, event, view(state, user, event, in_list=True)))
    single.sort(key=lambda shown: (shown["start"], shown["id"]))
    return single + expanded + _tasks(state, user, low, high)


def _tasks(state: OroState, user: OroUser, low: datetime, high: datetime) -> list[dict[str, Any]]:
    """The asking user's tasks with a due date in the window: they stand in every start/end list.

    Their ids are ids of tasks; only `calendarAlias` tells them from events (calendarevents-list-by-start-end).
    """
    if state.level(user, "task") == "none":
        return []
    mine = (state.tasks.get(number) for number in state.tasks.with_key("owner", user.id))
    return [
        {
            "calendar": MY_TASKS,
            "id": task.id,
            "title": task.subject,
            "description": task.description,
            "start": legacy_time(task.due_date),
            "end": legacy_time(task.due_date + TASK_LENGTH),
            "allDay": False,
            "createdAt": legacy_time(task.created_at),
            "updatedAt": legacy_time(task.updated_at),
            "editable": False,
            "removable": False,
            "calendarAlias": "tasks",
        }
        for task in mine
        if task is not None and task.due_date is not None and low <= task.due_date <= high
    ]


def _exception(state: OroState, event: Event, shown: dict[str, Any]) -> dict[str, Any]:
    series = state.events.get(event.series) if event.series is not None else None
    if series is not None and series.recurrence is not None and _is_occurrence(series, event.original_start):
        shown["recurrencePattern"] = recurrence.in_words(series.recurrence.rule)
    return shown | {"calendarAlias": "user"}


def _is_occurrence(series: Event, moment: datetime | None) -> bool:
    if series.recurrence is None or moment is None:
        return False
    rule, zone = series.recurrence.rule, series.recurrence.time_zone
    return moment in recurrence.occurrences(rule, zone, moment, moment, series.end - series.start)


def _expand(state: OroState, user: OroUser, event: Event, low: datetime, high: datetime) -> Iterator[dict[str, Any]]:
    if event.recurrence is None:
        return
    exceptions = (state.events.get(number) for number in state.events.with_key("series", event.id))
    taken = {each.original_start for each in exceptions if each is not None}
    length = event.end - event.start
    rule, zone = event.recurrence.rule, event.recurrence.time_zone
    shown = view(state, user, event, in_list=True)
    words = recurrence.in_words(rule)
    for start in recurrence.occurrences(rule, zone, low, high, length):
        if start not in taken:
            yield shown | {
                "start": legacy_time(start),
                "end": legacy_time(start + length),
                "recurrencePattern": words,
                "startEditable": False,
                "durationEditable": False,
                "calendarAlias": "user",
            }


def unstable(rows: list[Event], page: int, limit: int) -> list[Event]:
    """One page as the database happens to give it: there is no order, so pages repeat rows and lose others."""
    rows = sorted(rows, key=lambda event: (event.updated_at, event.id), reverse=page % 2 == 0)
    return rows[(page - 1) * limit : page * limit]
