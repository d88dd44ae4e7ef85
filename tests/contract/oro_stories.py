"""In which state each recorded exchange was made: stories, played in order on one simulated instance each.

A step is the name of a recording, `(name, send)` where the request needs secrets or tokens of the instance, or a
function that brings the instance into the next state (what was done in the back office, or in requests that were
not recorded).
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.contract.oro_replay import HOST, Send, World, challenge, sent

Step = str | tuple[str, Send] | Callable[[World], None]
REDIRECT = "http://127.0.0.1:9000/callback"
VERIFIER = "verifier-" + "x" * 50


def _office(kind: str, values: dict[str, Any], number: int | None = None) -> Callable[[World], None]:
    def step(world: World) -> None:
        world.wait()
        if number is not None:
            getattr(world.oro.state, f"{kind}s").skip_to(number)
        world.oro.back_office.create(kind, values)

    return step


def _edit(kind: str, number: int, **values: Any) -> Callable[[World], None]:
    def step(world: World) -> None:
        world.wait()
        world.oro.back_office.edit(kind, number, values)

    return step


def _api(method: str, path: str, data: Any, *, user: str = "admin", legacy: bool = False) -> Callable[[World], None]:
    def step(world: World) -> None:
        media = "application/json" if legacy else "application/vnd.api+json"
        headers = {"Accept": media, "Content-Type": media, "X-WSSE": world.wsse(user)}
        answer = world.ask(method, path, headers, json.dumps(data))
        assert answer.status_code < 300, answer.text

    return step


# contacts

CONTACTS: list[Step] = [
    "contacts-create-full",
    "contacts-get",
    "contacts-get-include-addresses",
    "contacts-get-no-hateoas",
    "contacts-get-addresses-subresource",
    "contacts-create-minimum-firstname",
    "contacts-create-minimum-email",
    _office("contact", {"lastName": "Solo"}),
    "contacts-create-client-id-ignored",
    "contacts-create-minimum-phone",
    "contacts-create-address-without-region",
    "contacts-create-two-billing-addresses",
    "contacts-create-two-primary-addresses",
    "contacts-create-content-type-json-accepted",
    "contacts-error-address-empty",
    "contacts-error-address-region-of-other-country",
    "contacts-error-address-without-country",
    "contacts-error-bad-birthday",
    "contacts-error-bad-email",
    "contacts-error-bad-gender",
    "contacts-error-bad-primary-email",
    "contacts-error-birthday-with-time",
    "contacts-error-content-type-and-accept-json",
    "contacts-error-content-type-params",
    "contacts-error-content-type-xml",
    "contacts-error-empty-body",
    "contacts-error-empty",
    "contacts-error-included-not-related",
    "contacts-error-long-name",
    "contacts-error-malformed-json",
    "contacts-error-primary-email-not-in-list",
    "contacts-error-unknown-attribute",
    "contacts-error-unknown-country",
    "contacts-error-unknown-owner",
    "contacts-error-wrong-type",
    "contacts-patch-one-attribute",
    "contacts-patch-no-change",
    "contacts-patch-emails-replaces-list",
    "contacts-patch-emails-with-primary",
    # the database gave the two rows in the other order when they were read next
    _api(
        "PATCH",
        "/api/contacts/1",
        {
            "data": {
                "type": "contacts",
                "id": "1",
                "attributes": {"emails": [{"email": "b@example.com"}, {"email": "new@example.com"}]}
                | {"primaryEmail": "b@example.com"},
            }
        },
    ),
    "contacts-patch-primary-email-in-list",
    "contacts-patch-primary-email-not-in-list",
    "contacts-patch-primary-email-null",
    "contacts-patch-emails-drop-primary",
    "contacts-patch-emails-empty",
    "contacts-patch-emails-empty-primary-null",
    "contacts-patch-phones",
    "contacts-patch-duplicate-emails",
    "contacts-patch-null-attribute",
    _api(
        "PATCH",
        "/api/contacts/1",
        {"data": {"type": "contacts", "id": "1", "attributes": {"description": "new text"}}},
    ),
    "contactaddresses-patch",
    "contactaddresses-create",
    "contactaddresses-create-custom-region",
    "contactaddresses-create-missing-fields",
    "contactaddresses-create-without-owner",
    "contactaddresses-delete",
    "contactaddresses-patch-types",
    "contactaddresses-filter-updatedAt",
    "contactaddresses-sort-updatedAt",
    "contacts-patch-included-address-update",
    "contacts-patch-addresses-replace",
    "contactaddresses-get-left-out",
    "contactaddresses-list-by-contact",
    "contacts-groups-add",
    "contacts-patch-owner",
    "contacts-get-after-call",
    "contacts-patch-readonly",
    "contacts-patch-to-empty",
    "contacts-patch-id-mismatch",
    "contacts-patch-missing",
    "contacts-patch-without-id",
    "contacts-get-bad-id",
    "contacts-get-missing",
    "contacts-head",
    "contacts-method-not-allowed",
    "contacts-options-item",
    "contacts-options-no-auth",
    "cors-preflight",
    "cors-preflight-oauth2-token",
    "addresstypes-list",
    "contactsources-list",
    "contactmethods-list",
]


def _crowd(world: World) -> None:
    """The 139 contacts that stood in the lists: 1 to 9, then bulk ones whose numbers are a little out of order."""
    office = world.oro.back_office
    grace = {"firstName": "Gracie", "lastName": "Hopper", "phones": ["+1 555 0199", "+1 555 0101"], "groups": [1]}
    grace |= {"namePrefix": "Dr.", "middleName": "Brewster", "nameSuffix": "PhD", "description": "new text"}
    grace |= {"fax": "+1 555 0109", "skype": "grace.h", "twitter": "@grace", "facebook": "grace.h"}
    grace |= {"googlePlus": "+grace", "linkedIn": "gracehopper", "source": "call", "method": "email"}
    grace["assignedTo"] = 2
    grace["addresses"] = [
        {
            "label": "HQ",
            "street": "2 Main St",
            "street2": "Floor 2",
            "city": "Albany",
            "postalCode": "10001",
            "organization": "US Navy",
            "namePrefix": "Dr.",
            "firstName": "Grace",
            "middleName": "B",
            "lastName": "Hopper",
            "nameSuffix": "PhD",
            "country": "US",
            "region": "US-NY",
        }
    ]
    office.create("contact", grace)
    world.oro.state.addresses.skip_to(4)
    for values in (
        {"firstName": "Mini"},
        {"emails": ["only@example.com"]},
        {"lastName": "Solo"},
        {"firstName": "A"},
        {"firstName": "A", "addresses": [{"street": "s", "city": "c", "postalCode": "1", "country": "US"}]},
        {"firstName": "A"},
        {"firstName": "A"},
        {"firstName": "Plain"},
    ):
        office.create("contact", values)
    world.wait()
    kept = world.oro.contact(1)["addresses"]
    kept[0].pop("updatedAt")
    world.oro.state.addresses.skip_to(10)
    french = {"street": "9 Added", "city": "Nice", "postalCode": "06000", "country": "FR"}
    office.edit("contact", 1, {"addresses": [*kept, french]})
    world.wait()
    names = {10: 0, 14: 5, 17: 6, 29: 19, 101: 90, 130: 121, 131: 120, 132: 122}
    for number in range(10, 140):
        label = f"{names.get(number, 200 + number):03}"
        if number == 130:
            world.wait(10)
        values = {"firstName": f"Bulk{label}", "lastName": "Load", "emails": [f"bulk{label}@example.com"]}
        office.create("contact", values)
    world.wait()
    # what changed last among the first ones is older than the crowd: only their owner moved
    for number, values in ((1, {"owner": 2}),):
        world.oro.state.contacts.get(number).relations.update(values)
        world.oro.state.contacts.save(world.oro.state.contacts.get(number))


LISTS: list[Step] = [
    _crowd,
    "contacts-list-default-page",
    "contacts-list-page-size-0",
    "contacts-list-page-size-100",
    "contacts-list-page-size-1000",
    "contacts-list-page-size-100000",
    "contacts-list-page-size-minus-1",
    "contacts-list-page-number-0",
    "contacts-list-page-past-end",
    "contacts-list-last-page",
    "contacts-list-total-count",
    "contacts-list-accept-json",
    "contacts-list-no-accept",
    "contacts-list-filter-emails-list",
    "contacts-list-filter-id-gt",
    "contacts-list-filter-id-list",
    "contacts-list-filter-id-list-with-missing",
    "contacts-list-filter-id-range",
    "contacts-list-filter-owner",
    "contacts-list-filter-primaryEmail",
    "contacts-list-filter-primaryEmail-case",
    "contacts-list-filter-searchText",
    "contacts-list-include-addresses",
    "contacts-list-sort-multi",
    "contacts-list-filter-updatedAt-gt",
    "contacts-filter-list-not-supported-silently-empty",
    "contacts-error-fields-unknown",
    "contacts-error-filter-bad-date",
    "contacts-error-filter-createdAt",
    "contacts-error-filter-unknown",
    "contacts-error-filter-unsupported-operator",
    "contacts-error-include-unknown",
    "contacts-error-query-unknown-parameter",
    "contacts-error-sort-unknown",
    "rest-old-contacts-list",
    "cors-get",
    "contacts-delete",
    "contacts-delete-again",
    "contacts-get-deleted",
    "contacts-delete-list-without-filter",
    "contacts-delete-list",
    lambda world: world.oro.back_office.delete("contact", 7),
    lambda world: world.oro.back_office.delete("contact", 8),
    "contacts-list-total-count-no-hateoas",
]


def _two_contacts(world: World) -> None:
    world.oro.back_office.create("contact", {"firstName": "Grace"})
    world.oro.back_office.create("contact", {"firstName": "Mini"})


META: list[Step] = [
    _two_contacts,
    "upsert-contacts-by-id",
    "upsert-contacts-by-field",
    "upsert-contacts-patch",
    "upsert-tasks",
    "validate-meta-ignored-error",
    lambda world: world.oro.state.contacts.skip_to(142),
    "validate-meta-ignored-record-created",
    lambda world: world.oro.state.contacts.skip_to(144),
    "idempotency-key-header",
    "if-match-header",
    "jsonapi-missing-audit",
    "jsonapi-missing-calendarevents",
    "jsonapi-missing-calendars",
    "jsonapi-missing-webhooks",
    "auth-unknown-resource",
    "auth-unknown-path-under-resource",
]

# tasks

TASKS: list[Step] = [
    _two_contacts,
    "tasks-create-full",
    "tasks-create-minimum",
    "tasks-create-due-date-only",
    "tasks-create-due-date-past",
    "tasks-get",
    "tasks-get-missing",
    "tasks-error-bad-due-date",
    "tasks-error-create-status-closed",
    "tasks-error-create-status-in-progress",
    "tasks-error-create-subject-only",
    "tasks-error-long-subject",
    "tasks-error-no-subject",
    "tasks-error-unknown-priority",
    "tasks-error-unknown-status",
    "tasks-patch-subject",
    "tasks-error-patch-status-closed-workflow-active",
    "tasks-error-patch-status-in_progress-workflow-active",
    "tasks-patch-status-same-value",
    "tasks-error-patch-status-null",
    "tasks-error-patch-status-relationship-workflow-active",
    "tasks-patch-due-date",
    "tasks-patch-due-date-null",
    "tasks-patch-owner",
    "tasks-add-activity-target-contact",
    "tasks-error-activity-target-user",
    "tasks-get-activity-targets",
    "contacts-activity-tasks",
    "tasks-relationship-comments",
    _office("task", {"subject": "no due"}),
    "tasks-list",
    "tasks-list-filter-contact",
    "tasks-list-filter-createdAt",
    "tasks-list-filter-dueDate",
    "tasks-list-filter-dueDate-exists",
    "tasks-list-filter-owner",
    "tasks-list-filter-ownerUsername",
    "tasks-list-filter-status",
    "tasks-list-filter-updatedAt",
    "contacts-list-include-activity-tasks",
    "tasks-batch-not-supported",
    "tasks-delete",
    "tasks-priorities",
    "tasks-statuses",
    lambda world: world.wait(600),
    "workflow-get-item",
    "workflow-transit-task-start-progress",
    "workflow-transit-task-close",
    "workflow-transit-not-allowed",
    "workflow-transit-unknown",
    "workflow-transit-reopen",
    "workflow-transit-missing-item",
    "tasks-get-in-progress-after-transition",
    "workflow-start-on-started",
    "workflow-transit-as-restricted",
    "workflow-transit-as-sales-rep",
    _edit("task", 1, contacts=[]),
    _edit("task", 4, status="open"),
    "rest-old-task-get",
    "rest-old-tasks-list",
    lambda world: [world.oro.back_office.create("task", {"subject": f"load {n}"}) for n in range(23)] and None,
    "rest-old-task-put",
    "rest-old-task-put-wrapped",
    "workflow-delete-item",
    "tasks-patch-status-after-workflow-item-deleted",
    lambda world: world.oro.state.tasks.skip_to(29),
    lambda world: world.oro.state.counters.update(workflow_item=29),
    _office("task", {"subject": "thirty"}),
    "workflow-transit-close-from-open",
    lambda world: world.oro.back_office.transit(29, "reopen"),
    lambda world: world.oro.back_office.transit(29, "start_progress"),
    "workflow-transit-stop-progress",
]
def _tasks_of_a_quarter_of_an_hour(world: World) -> None:
    """25 tasks were changed after 08:15 when the workflow had dropped its items."""
    world.wait(600)
    office = world.oro.back_office
    office.edit("task", 1, {"description": "<p>x</p>", "dueDate": "2026-12-24T16:30:00Z"})
    for number in range(24):
        office.create("task", {"subject": f"load {number}"})
    world.notes["load"] = [task["id"] for task in world.oro.tasks()][-24:]


def _without_load(world: World) -> None:
    for number in world.notes["load"]:
        world.oro.back_office.delete("task", number)
    world.oro.state.tasks._next_id = 6


NO_WORKFLOW: list[Step] = [
    lambda world: [world.oro.back_office.create("task", {"subject": f"task {n}"}) for n in (1, 2)] and None,
    "tasks-create-due-date-only",
    lambda world: [world.oro.back_office.create("task", {"subject": f"task {n}"}) for n in (4, 5)] and None,
    "workflow-deactivate",
    _tasks_of_a_quarter_of_an_hour,
    "rest-old-tasks-list-updatedAt",
    _without_load,
    "tasks-patch-status-closed-workflow-inactive",
    "tasks-patch-status-open-workflow-inactive",
    "tasks-patch-status-in_progress-workflow-inactive",
    "tasks-create-without-status-workflow-inactive",
    "tasks-create-closed-workflow-inactive",
    "workflow-activate",
    "rest-old-task-get-without-workflow-item",
    "tasks-patch-status-task-without-workflow-item",
    "workflow-start-task-without-item",
]

# calendar


def _event(number: int, **values: Any) -> Callable[[World], None]:
    times = {"title": "x", "start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
    return _office("event", times | values, number)


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
    _office("contact", {"firstName": "Gracie", "lastName": "Hopper", "namePrefix": "Dr.", "nameSuffix": "PhD"}
            | {"middleName": "Brewster"}),
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
    _office("task", {"subject": "Call Grace", "dueDate": "2026-12-24T16:30:00Z"}
            | {"description": "<p>Bring <b>papers</b></p>"}),
    lambda world: world.oro.state.tasks.skip_to(3),
    _office("task", {"subject": "date only", "dueDate": "2026-12-24"}),
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
    _edit("event", 18, attendees=[_BOB]),
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
    lambda world: [_event(99, start="2027-01-01T09:00:00Z", end="2027-01-01T10:00:00Z")(world)
                   for _ in range(54 - len(world.oro.events(1)))] and None,
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
    _event(50, recurrence={"recurrenceType": "daily", "interval": 1, "startTime": "2026-12-05T09:00:00Z"}
           | {"timeZone": "UTC"}),
    _event(51, recurringEventId=50, originalStart="2026-12-06T09:00:00Z"),
    "calendarevents-exception-delete",
    "calendarevents-recurring-delete",
    lambda world: world.oro.state.events.skip_to(52),
    "calendarevents-recurring-create-with-attendee",
    _event(68, title="u2", recurrence={"recurrenceType": "weekly", "interval": 2, "dayOfWeek": ["monday"]}
           | {"startTime": "2026-12-07T09:00:00Z", "occurrences": 6, "timeZone": "UTC"},
           reminders=[{"method": "email", "interval": {"number": 5, "unit": "M"}}]),
    lambda world: setattr(world.oro.state.events.get(68), "uid", "bf39177e-7761-4ed0-907e-6a834f8081d3"),
    "calendarevents-error-round-trip",
    "calendarevents-recurring-error-round-trip",
]

# permissions and people

PERMISSIONS: list[Step] = [
    _office(
        "contact",
        {"firstName": "Grace", "addresses": [{"street": "s", "city": "c", "country": "US", "region": "US-NY"}]},
    ),
    "auth-no-permission",
    "auth-no-permission-create",
    lambda world: world.oro.state.contacts.skip_to(140),
    "acl-restricted-create-own-contact",
    "acl-restricted-create-for-other-owner",
    "acl-restricted-contact-addresses-subresource",
    "acl-restricted-contactaddresses",
    "acl-restricted-delete-other",
    "acl-restricted-filter-id-other",
    "acl-restricted-get-missing",
    "acl-restricted-get-other",
    "acl-restricted-get-own-with-relations",
    "acl-restricted-list-contacts",
    "acl-restricted-list-tasks",
    "acl-restricted-patch-other",
    lambda world: world.oro.back_office.change_owner("contact", 140, world.users["admin"]),
    "acl-restricted-get-after-owner-change",
]
PEOPLE: list[Step] = [
    lambda world: setattr(world.users["admin"], "last_login", world.oro.state.now()),
    "userprofile-get",
    "userprofile-get-nina",
    "userprofile-include-organization",
    "users-filter-email",
    "users-filter-updatedAt",
    "users-list",
    "users-list-as-restricted",
    "users-list-as-sales-rep",
    "users-mine",
    "organizations-list",
    "organizations-list-restricted",
    "timezone-of-user",
    "timezone-of-user-nina",
    "countries-filter-name",
    "countries-get-US",
    "countries-list-all",
    "regions-filter-country",
    "regions-get-US-NY",
    "regions-list-all",
]

# audit


def _jane(world: World) -> None:
    """A contact that came before the audit began, and went."""
    world.oro.settings.audited = False
    world.oro.back_office.create("contact", {"firstName": "Jane"})
    world.oro.settings.audited = True
    world.oro.state.audits.skip_to(8)
    world.oro.back_office.delete("contact", 1)
    world.oro.state.contacts._next_id = 1


def _emails(primary: str | None, *addresses: str) -> Callable[[World], None]:
    attributes = {"emails": [{"email": each} for each in addresses], "primaryEmail": primary}
    document = {"data": {"type": "contacts", "id": "1", "attributes": attributes}}
    return _api("PATCH", "/api/contacts/1", document)


def _solos(world: World) -> None:
    office = world.oro.back_office
    world.oro.state.contacts.skip_to(4)
    office.create("contact", {"lastName": "Solo"})
    for _ in range(4):
        office.create("contact", {"firstName": "A"})
    for number in (4, 7, 8, 5, 6):
        office.delete("contact", number)
    world.oro.state.tasks.skip_to(2)
    office.delete("task", office.create("task", {"subject": "Renamed", "owner": 2}))


AUDITS: list[Step] = [
    _jane,
    "contacts-create-full",
    "contacts-create-minimum-firstname",
    _emails("grace@example.com", "new@example.com", "grace@example.com"),
    _emails("new@example.com", "new@example.com", "b@example.com"),
    _emails("b@example.com", "fresh@example.com", "b@example.com"),
    _emails(None),
    _solos,
    "audits-list",
    "audits-list-as-nothing",
    "audits-list-as-sales-rep",
    "audits-list-contacts",
    "audits-list-deletions",
    "audits-list-deletions-contacts-since",
    "audits-list-deletions-since",
    "audits-list-emails-of-contacts-updates",
    "audits-list-task-deletions",
]
ASYNC: list[Step] = [
    _two_contacts,
    "async-contacts-as-sales-rep",
    "async-contacts-create-and-update",
    "async-operation-get-at-once",
    lambda world: world.oro.run_consumer(),
    "async-operation-get-finished",
    "async-operation-errors",
    "async-operation-other-user",
    "async-operations-list",
    "async-contacts-with-included",
    "async-error-not-a-list",
    _api("PATCH", "/api/contacts", {"data": [{"type": "tasks", "attributes": {"subject": "x"}}]}),
    "async-error-malformed-json",
    "async-contacts-synchronous-header",
    lambda world: world.oro.run_consumer(),
    "async-operation-not-a-list",
    "async-operation-not-a-list-errors",
    "async-operation-wrong-type",
    "async-operation-wrong-type-errors",
    "async-operation-malformed-json",
    "async-operation-malformed-json-errors",
]

# signing in


def _with(**headers: str) -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        request["headers"].pop("Authorization", None)
        return sent(world, request | {"headers": request["headers"] | headers})

    return send


def _wsse(username: str = "admin", *, age: int = 5, key: str | None = None) -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        # asking takes a second of the story's clock
        header = world.wsse(username, age=age - 1, key=key)
        return sent(world, request | {"headers": request["headers"] | {"X-WSSE": header}})

    return send


def _twice(world: World, request: dict[str, Any]) -> Any:
    request["headers"]["X-WSSE"] = world.wsse("admin")
    assert sent(world, request).status_code == 200
    return sent(world, request)


def _password_as_key(world: World, request: dict[str, Any]) -> Any:
    request["headers"]["X-WSSE"] = world.wsse("admin", key=world.users["admin"].password)
    return sent(world, request)


SIGN_IN: list[Step] = [
    "auth-none",
    ("auth-basic", _with(Authorization="Basic YWRtaW46YWRtaW4=")),
    "auth-wsse-ok",
    ("auth-wsse-created-50-minutes-ago", _wsse(age=3000)),
    "auth-wsse-disabled-user",
    ("auth-wsse-expired-created", _wsse(age=3700)),
    ("auth-wsse-future-created", _wsse(age=-20)),
    ("auth-wsse-malformed", _with(**{"X-WSSE": "nonsense"})),
    ("auth-wsse-nonce-reused", _twice),
    ("auth-wsse-password-instead-of-key", _password_as_key),
    ("auth-wsse-unknown-user", _wsse("nobody")),
    ("auth-wsse-wrong-key", _wsse(key="0" * 40)),
    "auth-unknown-resource-no-credentials",
]


def _clients(world: World) -> None:
    oro = world.oro
    oro.add_oauth_client(["client_credentials"], "admin", client_id="cc-admin-client")
    oro.add_oauth_client(["client_credentials"], "rita", client_id="cc-rita-client")
    oro.add_oauth_client(["password"], "admin", client_id="pw-client")
    oro.add_oauth_client(["authorization_code"], "admin", client_id="ac-client", redirect_uris=[REDIRECT])
    oro.add_oauth_client(
        ["authorization_code"], "admin", client_id="ac-public-client", redirect_uris=[REDIRECT], public=True
    )


def _switch_off(world: World) -> None:
    world.oro.settings.web_api_enabled = False


OFF: list[Step] = [
    _clients,
    _switch_off,
    "auth-web-api-disabled",
    "auth-web-api-disabled-no-credentials",
    ("auth-oauth2-token-when-web-api-disabled", lambda world, request: _token(world, request)),
]


def _secret(world: World, identifier: str) -> str:
    return world.oro.oauth_client(identifier).secret or ""


def _token(world: World, request: dict[str, Any], **known: str) -> Any:
    """Puts the instance's secrets where the recording has `<secret>`."""
    body = dict(request["body"])
    if body.get("client_secret") == "<secret>":
        body["client_secret"] = _secret(world, body["client_id"])
    if body.get("password") == "<secret>":
        body["password"] = world.users[body["username"]].password
    for name, value in known.items():
        if body.get(name) == "<secret>":
            body[name] = value
    answer = sent(world, request | {"body": body})
    if answer.status_code == 200:
        world.notes["last"] = answer.json
    return answer


def _basic(world: World, request: dict[str, Any]) -> Any:
    import base64

    pair = f"cc-admin-client:{_secret(world, 'cc-admin-client')}".encode()
    request["headers"]["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return sent(world, request)


def _bearer(note: str, key: str = "access_token") -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        return sent(world, request | {"headers": request["headers"] | world.bearer(world.notes[note][key])})

    return send


def _remember(name: str) -> Callable[[World], None]:
    return lambda world: world.notes.__setitem__(name, world.notes["last"])


def _refresh(note: str) -> Send:
    return lambda world, request: _token(world, request, refresh_token=world.notes[note]["refresh_token"])


def _consent(decision: str = "allow", **changes: str) -> Callable[[World], None]:
    """A person signs in and decides; the code is remembered."""

    def step(world: World) -> None:
        query = {"response_type": "code", "client_id": "ac-client", "redirect_uri": REDIRECT, "state": "xyz"}
        query |= {"code_challenge": challenge(VERIFIER), "code_challenge_method": "S256"} | changes
        query = {name: value for name, value in query.items() if value}
        answer = _decide(world, query, decision)
        assert answer.status_code == 302, answer.text
        world.notes["code"] = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]

    return step


def _decide(world: World, query: dict[str, str], decision: str) -> Any:
    path = f"/oauth2-token/authorize?{urlencode(query)}"
    page = world.client.get(path, base_url=HOST)
    if page.status_code != 200:
        return page
    form = {"username": "bob", "password": world.users["bob"].password, "decision": decision}
    return world.client.post(path, base_url=HOST, data=form)


def _code(world: World, request: dict[str, Any]) -> Any:
    return _token(world, request, code=world.notes["code"], code_verifier=VERIFIER)


OAUTH: list[Step] = [
    _clients,
    ("oauth2-client-credentials-ok", _token),
    _remember("admin"),
    ("oauth2-token-basic-auth", _basic),
    ("oauth2-token-json-body", _token),
    ("oauth2-client-credentials-wrong-secret", _token),
    ("oauth2-grant-not-allowed-for-client", _token),
    ("oauth2-missing-grant", _token),
    ("oauth2-unknown-grant", _token),
    ("oauth2-unknown-client", _token),
    ("oauth2-password-ok", _token),
    _remember("first"),
    ("oauth2-password-disabled-user", _token),
    ("oauth2-password-wrong-password", _token),
    ("oauth2-refresh-ok", _refresh("first")),
    ("oauth2-refresh-token-reused", _refresh("first")),
    ("oauth2-refresh-garbage", _token),
    ("oauth2-old-access-token-after-refresh", _bearer("first")),
    ("oauth2-bearer-ok", _bearer("admin")),
    ("oauth2-bearer-on-old-rest", _bearer("admin")),
    ("oauth2-bearer-garbage", _with(Authorization="Bearer garbage")),
    (
        "oauth2-bearer-bad-signature",
        lambda world, request: sent(
            world,
            request
            | {"headers": request["headers"] | world.bearer(world.notes["admin"]["access_token"][:-4] + "AAAA")},
        ),
    ),
    lambda world: world.notes.__setitem__(
        "rita",
        world.token(
            grant_type="client_credentials", client_id="cc-rita-client", client_secret=_secret(world, "cc-rita-client")
        ),
    ),
    ("oauth2-bearer-restricted-owner", _bearer("rita")),
    lambda world: setattr(world.users["rita"], "enabled", False),
    ("oauth2-bearer-user-disabled", _bearer("rita")),
    lambda world: setattr(world.users["rita"], "enabled", True),
    lambda world: setattr(world.oro.oauth_client("cc-rita-client"), "active", False),
    ("oauth2-bearer-client-deactivated", _bearer("rita")),
    _consent(),
    ("oauth2-authorization-code-wrong-verifier", _code),
    _consent(),
    ("oauth2-authorization-code-pkce-ok", _code),
    _remember("code"),
    lambda world: world.notes.__setitem__("grant", world.notes["last"]),
    _consent(),
    ("oauth2-authorization-code-pkce-ok", _code),
    ("oauth2-authorization-code-reused", _code),
    ("oauth2-authorization-code-refresh", _refresh("grant")),
    _consent(code_challenge="", code_challenge_method=""),
    ("oauth2-authorization-code-without-pkce-confidential", _code),
    _consent(client_id="ac-public-client"),
    ("oauth2-authorization-code-public-client-pkce", _code),
    _remember("who"),
    ("oauth2-authorization-code-bearer-who", _bearer("who")),
    lambda world: world.wait(3601),
    ("oauth2-bearer-expired", _bearer("admin")),
]

REDIRECTS = (
    "oauth2-authorization-code-plain-challenge",
    "oauth2-authorization-code-public-client-without-pkce",
    "oauth2-authorization-code-user-denied",
    "oauth2-authorization-code-wrong-redirect-uri",
)
"""Recorded as a walk from page to page: compared by a test of their own."""


def walk(world: World, recording: dict[str, Any]) -> Any:
    """GET the consent page and post the decision, as recorded in `REDIRECTS`."""
    _clients(world)
    query = dict(recording["request"]["query"])
    if "code_challenge" in query:
        query["code_challenge"] = challenge(VERIFIER)
    return _decide(world, query, "deny")


STORIES: dict[str, list[Step]] = {
    "contacts": CONTACTS,
    "lists of contacts": LISTS,
    "meta and missing resources": META,
    "tasks and their workflow": TASKS,
    "tasks without the workflow": NO_WORKFLOW,
    "calendar events": EVENTS,
    "series": SERIES,
    "permissions": PERMISSIONS,
    "people and places": PEOPLE,
    "audit": AUDITS,
    "asynchronous operations": ASYNC,
    "signing in with a key": SIGN_IN,
    "switched off": OFF,
    "OAuth 2.0": OAUTH,
}
