"""Permissions, people, places, the audit and asynchronous operations, in the order they were recorded."""

from collections.abc import Callable

from tests.contract.oro_replay import World
from tests.contract.oro_steps import Step, api, office, two_contacts

# permissions and people

PERMISSIONS: list[Step] = [
    office(
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
    "acl-restricted-list-leads",
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
    return api("PATCH", "/api/contacts/1", document)


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
    two_contacts,
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
    api("PATCH", "/api/contacts", {"data": [{"type": "tasks", "attributes": {"subject": "x"}}]}),
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
