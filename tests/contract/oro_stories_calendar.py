"""Calendars, events, invitations and series, in the order they were recorded."""

from collections.abc import Callable
from typing import Any

from tests.contract.oro_replay import World
from tests.contract.oro_steps import Step, edit, office

# calendar


def _event(number: int, **values: Any) -> Callable[[World], None]:
    times = {"title": "x", "start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
    return office("event", times | values, number)


_BOB = {"displayName": "Bob", "email": "bob@example.com", "type": "required"}
_CAROL = {"displayName": "Carol", "email": "carol@example.com", "type": "required"}
_PUT_ME = {
    "title": "Put me",
    "description": "desc",
    "backgroundColor": "#00FF00",
    "reminders": [{"method": "email", "interval": {"number": 15, "unit": "M"}}],
    "start": "2026-12-07T09:00:00Z",
    "end": "2026-12-07T10:00:00Z",
}

EVENTS: list[Step] = [
    office(
        "contact",
        {"firstName": "Gracie", "lastName": "Hopper", "namePrefix": "Dr.", "nameSuffix": "PhD"}
        | {"middleName": "Brewster"},
    ),
    "calendar-default",
    "calendar-default-bob",
    "calendar-default-carol",
    "calendar-default-nina",
    "calendar-connections",
    "calendar-connections-missing",
    "calendar-connections-of-other-user",
    "calendarevents-create-minimum",
    "calendarevents-get",
    "calendarevents-get-by-calendar",
    "calendarevents-create-full",
    "calendarevents-get-with-attendees",
    "calendarevents-create-zero-length",
    "calendarevents-create-unknown-calendar-orphan",
    "calendarevents-create-without-calendar-orphan",
    "calendarevents-error-bad-date",
    "calendarevents-error-end-before-start",
    "calendarevents-error-long-title",
    "calendarevents-error-malformed-json",
    "calendarevents-error-no-dates",
    "calendarevents-error-no-title",
    "calendarevents-error-unknown-field",
    "calendarevents-create-in-other-users-calendar-admin",
    "calendarevents-create-in-other-users-calendar",
    "calendarevents-list-bob",
    "calendarevents-list-by-page",
    office(
        "task",
        {"subject": "Call Grace", "dueDate": "2026-12-24T16:30:00Z"} | {"description": "<p>Bring <b>papers</b></p>"},
    ),
    lambda world: world.oro.state.tasks.skip_to(3),
    office("task", {"subject": "date only", "dueDate": "2026-12-24"}),
    "calendarevents-list-by-start-end",
    "calendarevents-list-no-calendar",
    "calendarevents-list-no-parameters",
    "calendarevents-list-no-permission",
    "calendarevents-list-other-users-calendar",
    "calendarevents-list-updatedAt",
    "calendarevents-list-updatedAt-none",
    "calendarevents-list-updatedAt-equals-operator",
    "calendarevents-list-bad-updatedAt",
    "acl-restricted-list-calendarevents-other",
    "acl-restricted-list-calendarevents-own",
    "calendarevents-create-with-uid",
    "calendarevents-error-duplicate-uid",
    "calendarevents-error-change-uid",
    "calendarevents-error-uid-too-long",
    "calendarevents-list-uid",
    "calendarevents-get-missing",
    _event(18, **_PUT_ME),
    "calendarevents-put-title-only",
    "calendarevents-patch-not-supported",
    edit("event", 18, attendees=[_BOB]),
    "calendarevents-child-put-title",
    "calendarevents-child-put-start",
    "calendarevents-child-put-same-attendees-status",
    "calendarevents-child-put-reminders-color",
    "calendarevents-put-invitationStatus",
    "calendarevent-ajax-accepted",
    "calendarevents-parent-add-attendee",
    "calendarevents-parent-move",
    "calendarevents-child-delete",
    "calendarevents-parent-put-attendee-status",
    "calendarevents-parent-remove-attendee",
    lambda world: world.oro.state.events.skip_to(21),
    "calendarevents-create-attendee-no-email",
    "calendarevents-create-attendee-email-only",
    "calendarevents-create-error-attendee-status",
    "calendarevents-create-with-contexts",
    "calendarevents-error-organizer-fields",
    _event(23),
    "calendarevents-delete",
    "calendarevents-delete-again",
    "calendarevents-get-deleted",
    _event(25),
    "calendarevents-delete-cancel-instead",
    _event(27, attendees=[_BOB]),
    "calendarevents-parent-put-by-attendee-user",
    "calendarevents-put-calendar-change",
    lambda world: world.oro.state.events.skip_to(29),
    "calendarevents-create-external-organizer-attendee",
    "calendarevents-create-all-day",
    "calendarevents-get-all-day",
    "calendarevents-list-window-all-day-boundary",
    lambda world: world.oro.state.events.skip_to(32),
    "calendarevents-create-all-day-with-time",
    _event(38, title="tz 2026-12-05T09:00:00", end="2026-12-05T23:00:00Z"),
    "calendarevents-get-timezone-new-york",
    "calendarevents-add-relation-contact",
    "calendarevents-relations",
    "calendarevents-relation-delete",
    lambda world: world.oro.state.counters.update(connection=6),
    "calendar-connections-add",
    "calendarevents-list-subordinate",
    lambda world: (
        [
            _event(99, start="2027-01-01T09:00:00Z", end="2027-01-01T10:00:00Z")(world)
            for _ in range(54 - len(world.oro.events(1)))
        ]
        and None
    ),
    "calendarevents-list-total-count",
    "audits-list-calendar-event-deletions",
]
SERIES: list[Step] = [
    _event(18, **_PUT_ME | {"title": "Renamed", "start": "2026-12-08T09:00:00Z", "end": "2026-12-08T10:00:00Z"}),
    lambda world: world.oro.state.events.skip_to(39),
    "calendarevents-recurring-create-weekly",
    "calendarevents-recurring-list-window",
    "calendarevents-recurring-create-daily",
    "calendarevents-recurring-create-monthly",
    "calendarevents-recurring-create-monthnth",
    "calendarevents-recurring-create-monthnth-last",
    "calendarevents-recurring-create-yearly",
    "calendarevents-recurring-create-yearnth",
    "calendarevents-recurring-error-bad-type",
    "calendarevents-recurring-error-interval-100",
    "calendarevents-recurring-error-no-days",
    "calendarevents-recurring-error-no-timezone",
    "calendarevents-recurring-error-no-type",
    "calendarevents-recurring-error-occurrences-1000",
    "calendarevents-recurring-error-windows-timezone",
    "calendarevents-recurring-error-yearly-interval-1",
    "calendarevents-recurring-get",
    "calendarevents-recurring-list-page",
    "calendarevents-exception-create",
    "calendarevents-exception-create-cancelled",
    "calendarevents-exception-create-not-an-occurrence-accepted",
    "calendarevents-exception-create-duplicate-accepted",
    "calendarevents-exception-get",
    "calendarevents-recurring-list-page-with-exceptions",
    "calendarevents-recurring-list-window-with-exceptions",
    "calendarevents-recurring-put-title",
    "calendarevents-recurring-put-recurrence",
    "calendarevents-recurring-remove-recurrence",
    _event(
        50,
        recurrence={"recurrenceType": "daily", "interval": 1, "startTime": "2026-12-05T09:00:00Z"}
        | {"timeZone": "UTC"},
    ),
    _event(51, recurringEventId=50, originalStart="2026-12-06T09:00:00Z"),
    "calendarevents-exception-delete",
    "calendarevents-recurring-delete",
    lambda world: world.oro.state.events.skip_to(52),
    "calendarevents-recurring-create-with-attendee",
    _event(
        68,
        title="u2",
        recurrence={"recurrenceType": "weekly", "interval": 2, "dayOfWeek": ["monday"]}
        | {"startTime": "2026-12-07T09:00:00Z", "occurrences": 6, "timeZone": "UTC"},
        reminders=[{"method": "email", "interval": {"number": 5, "unit": "M"}}],
    ),
    lambda world: setattr(world.oro.state.events.get(68), "uid", "bf39177e-7761-4ed0-907e-6a834f8081d3"),
    "calendarevents-error-round-trip",
    "calendarevents-recurring-error-round-trip",
]
