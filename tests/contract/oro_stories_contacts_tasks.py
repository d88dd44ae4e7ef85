"""Contacts, addresses, tasks and their workflow, in the order they were recorded."""

from tests.contract.oro_replay import World
from tests.contract.oro_steps import Step, api, edit, office, two_contacts

# contacts

CONTACTS: list[Step] = [
    "contacts-create-full",
    "contacts-get",
    "contacts-get-include-addresses",
    "contacts-get-no-hateoas",
    "contacts-get-addresses-subresource",
    "contacts-create-minimum-firstname",
    "contacts-create-minimum-email",
    office("contact", {"lastName": "Solo"}),
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
    api(
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
    api(
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
    "notes-create-for-contact",
    "notes-list",
    "calls-create-for-contact",
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
    names = {10: 0, 14: 5, 17: 6, 26: 16, 27: 17, 28: 18, 29: 19, 101: 90, 130: 121, 131: 120, 132: 122}
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
    "search-contacts",
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


META: list[Step] = [
    two_contacts,
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
    two_contacts,
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
    office("task", {"subject": "no due"}),
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
    edit("task", 1, contacts=[]),
    edit("task", 4, status="open"),
    "rest-old-task-get",
    "rest-old-tasks-list",
    lambda world: [world.oro.back_office.create("task", {"subject": f"load {n}"}) for n in range(23)] and None,
    "rest-old-task-put",
    "rest-old-task-put-wrapped",
    "workflow-delete-item",
    "tasks-patch-status-after-workflow-item-deleted",
    lambda world: world.oro.state.tasks.skip_to(29),
    lambda world: world.oro.state.counters.update(workflow_item=29),
    office("task", {"subject": "thirty"}),
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
