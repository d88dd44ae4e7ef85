"""The resources of the JSON:API: attributes, relations, filters and sort orders of each.

Tables of names with the small functions that read them; rendering and selecting are left to `documents` and
`listing`. Source: resources-summary and the parameters in openapi-trimmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orosync.sandbox.oro import contact_rules, geography
from orosync.sandbox.oro.records import Address, AsyncOperation, Contact, OroUser, Ref, Task
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import json_api_time

Read = Callable[[OroState, Any], Any]


@dataclass(frozen=True)
class Relation:
    """`read` gives a reference or None, or a list of them when `many`; `entity` is whose view permission counts."""

    read: Read
    many: bool = False
    entity: str | None = None
    writable: bool = True
    linked: bool = True


@dataclass(frozen=True)
class Filter:
    """`kind`: number, text, texts (comma-separated), time, search or target; `many`: the field is a list."""

    kind: str
    read: Read
    many: bool = False
    key: str | None = None


@dataclass(frozen=True)
class Resource:
    """One resource; `entity` None needs no permission to read."""

    name: str
    entity: str | None
    attributes: Mapping[str, Read]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    sorts: frozenset[str] = frozenset({"id"})
    numbered: bool = True
    list_methods: str = "OPTIONS, GET"
    item_methods: str = "OPTIONS, GET"


def _one(kind: str, read: Read, entity: str | None = None, *, writable: bool = True) -> Relation:
    def reference(state: OroState, record: Any) -> Ref | None:
        identifier = read(state, record)
        return None if identifier is None else (kind, identifier)

    return Relation(reference, entity=entity, writable=writable)


def _many(kind: str, read: Read, entity: str | None = None, *, writable: bool = True) -> Relation:
    def references(state: OroState, record: Any) -> list[Ref]:
        return [(kind, identifier) for identifier in read(state, record)]

    return Relation(references, many=True, entity=entity, writable=writable)


def _named(name: str) -> Read:
    return lambda _state, record: getattr(record, name)


def _stamp(name: str) -> Read:
    return lambda _state, record: json_api_time(getattr(record, name))


def _nothing(_state: OroState, _record: Any) -> tuple[()]:
    return ()


def _none(_state: OroState, _record: Any) -> None:
    return None


# contacts


def _contact_value(name: str) -> Read:
    return lambda _state, contact: contact.attributes.get(name)


def _contact_one(name: str, entity: str | None = None) -> Relation:
    return _one(contact_rules.ONE[name], lambda _state, contact: contact.relations.get(name), entity)


def _contact_many(name: str) -> Relation:
    return _many(contact_rules.MANY[name], lambda _state, contact: contact.relations.get(name, ()))


def _tasks_of(state: OroState, contact: Contact) -> list[int]:
    return state.tasks.with_key("contacts", contact.id)


_CONTACT_ORDER = (
    "namePrefix firstName middleName lastName nameSuffix gender birthday description jobTitle fax skype twitter "
    "facebook googlePlus linkedIn"
).split()

_CONTACT_ATTRIBUTES: dict[str, Read] = {
    **{name: _contact_value(name) for name in _CONTACT_ORDER},
    "createdAt": _stamp("created_at"),
    "updatedAt": _stamp("updated_at"),
    **{name: _contact_value(name) for name in contact_rules.READ_ONLY if name not in ("createdAt", "updatedAt")},
    "primaryPhone": lambda state, contact: state.primary(contact.phones),
    "primaryEmail": lambda state, contact: state.primary(contact.emails),
    "emails": lambda _state, contact: [{"email": row.value} for row in contact.emails],
    "phones": lambda _state, contact: [{"phone": row.value} for row in contact.phones],
}

_CONTACT_RELATIONS: dict[str, Relation] = {
    "source": _contact_one("source"),
    "method": _contact_one("method"),
    "owner": _contact_one("owner", "user"),
    "assignedTo": _contact_one("assignedTo", "user"),
    "reportsTo": _contact_one("reportsTo", "contact"),
    "addresses": _many("contactaddresses", _named("addresses"), writable=False),
    "groups": _contact_many("groups"),
    "accounts": _contact_many("accounts"),
    "createdBy": _contact_one("createdBy", "user"),
    "updatedBy": _contact_one("updatedBy", "user"),
    "organization": _contact_one("organization", "organization"),
    "defaultInAccounts": _contact_many("defaultInAccounts"),
    "picture": _one("files", _none),
    "activityEmails": _many("emails", _nothing),
    "activityNotes": _many("notes", _nothing),
    "activityCalls": _many("calls", _nothing),
    "activityTasks": _many("tasks", _tasks_of, "task"),
    "tags": _contact_many("tags"),
}


def _searched(_state: OroState, contact: Contact) -> str:
    rows = (*contact.emails, *contact.phones)
    return " ".join([contact.title, *(row.value for row in rows)]).lower()


def _rows(name: str) -> Read:
    return lambda _state, contact: [row.value for row in getattr(contact, name)]


_CONTACT_FILTERS: dict[str, Filter] = {
    "id": Filter("number", _named("id")),
    "updatedAt": Filter("time", _named("updated_at")),
    "firstName": Filter("text", _contact_value("firstName"), key="firstName"),
    "lastName": Filter("text", _contact_value("lastName"), key="lastName"),
    "primaryEmail": Filter("text", _CONTACT_ATTRIBUTES["primaryEmail"], key="email"),
    "primaryPhone": Filter("text", _CONTACT_ATTRIBUTES["primaryPhone"], key="phone"),
    "emails": Filter("texts", _rows("emails"), many=True, key="email"),
    "phones": Filter("texts", _rows("phones"), many=True, key="phone"),
    "searchText": Filter("search", _searched),
    "owner": Filter("number", lambda _state, contact: contact.owner, key="owner"),
    "addresses": Filter("number", _named("addresses"), many=True),
    **{
        name: Filter("number", lambda _state, contact, name=name: contact.relations.get(name))
        for name in ("assignedTo", "createdBy", "updatedBy", "organization", "reportsTo", "picture")
    },
    **{
        name: Filter("text", lambda _state, contact, name=name: contact.relations.get(name))
        for name in ("source", "method")
    },
    **{
        name: Filter("number", lambda _state, contact, name=name: contact.relations.get(name, ()), many=True)
        for name in ("groups", "accounts", "defaultInAccounts")
    },
}

CONTACTS = Resource(
    "contacts",
    "contact",
    _CONTACT_ATTRIBUTES,
    _CONTACT_RELATIONS,
    _CONTACT_FILTERS,
    frozenset({"id", "updatedAt", "firstName", "lastName", "primaryEmail", "primaryPhone", "owner"}),
    list_methods="OPTIONS, GET, PATCH, POST, DELETE",
    item_methods="OPTIONS, GET, PATCH, DELETE",
)


def contacts_of(state: OroState) -> Resource:
    """The resource as this version has it: `externalId` came with 7.0.2."""
    return _WITH_EXTERNAL_ID if state.settings.contact_external_id else CONTACTS


_WITH_EXTERNAL_ID = Resource(
    "contacts",
    "contact",
    {"externalId": _contact_value("externalId"), **_CONTACT_ATTRIBUTES},
    _CONTACT_RELATIONS,
    _CONTACT_FILTERS | {"externalId": Filter("texts", _contact_value("externalId"), key="externalId")},
    CONTACTS.sorts,
    list_methods=CONTACTS.list_methods,
    item_methods=CONTACTS.item_methods,
)

# addresses


def _address_value(name: str) -> Read:
    return lambda _state, address: address.attributes.get(name)


_ADDRESS_TEXTS = (
    "label street street2 city postalCode organization customRegion namePrefix firstName middleName lastName "
    "nameSuffix"
).split()


def address_owner(state: OroState, address: Address) -> int | None:
    """The owner of the contact the address belongs to."""
    contact = state.contacts.get(address.contact)
    return contact.owner if contact else None


ADDRESSES = Resource(
    "contactaddresses",
    "contact",
    {
        "primary": _named("primary"),
        **{name: _address_value(name) for name in _ADDRESS_TEXTS},
        "createdAt": _stamp("created_at"),
        "updatedAt": _stamp("updated_at"),
    },
    {
        "owner": _one("contacts", _named("contact"), writable=False),
        "types": _many("addresstypes", _named("types")),
        "country": _one("countries", _named("country")),
        "region": _one("regions", _named("region")),
    },
    {
        "id": Filter("number", _named("id")),
        "owner": Filter("number", _named("contact")),
        "country": Filter("texts", _named("country")),
        "region": Filter("texts", _named("region")),
        "types": Filter("texts", _named("types"), many=True),
    },
    list_methods="OPTIONS, GET, PATCH, POST, DELETE",
    item_methods="OPTIONS, GET, PATCH, DELETE",
)

# tasks


def _targets(task: Task) -> Iterable[Ref]:
    return task.targets


def _owner_name(state: OroState, task: Task) -> str | None:
    owner = state.users.get(task.owner or 0)
    return owner.username if owner else None


TASKS = Resource(
    "tasks",
    "task",
    {
        "subject": _named("subject"),
        "description": _named("description"),
        "dueDate": _stamp("due_date"),
        "createdAt": _stamp("created_at"),
        "updatedAt": _stamp("updated_at"),
    },
    {
        "taskPriority": _one("taskpriorities", _named("priority")),
        "owner": _one("users", _named("owner"), "user"),
        "createdBy": _one("users", _named("created_by"), "user"),
        "organization": _one("organizations", lambda _state, _task: 1, "organization"),
        "status": _one("taskstatuses", _named("status")),
        "activityTargets": Relation(lambda _state, task: list(_targets(task)), many=True),
        "activityEmails": _many("emails", _nothing),
        "tags": _many("tags", _named("tags")),
        "comments": _many("comments", _nothing, writable=False),
    },
    {
        "id": Filter("number", _named("id")),
        "updatedAt": Filter("time", _named("updated_at")),
        "dueDate": Filter("time", _named("due_date")),
        "status": Filter("texts", _named("status")),
        "taskPriority": Filter("text", _named("priority")),
        "owner": Filter("number", _named("owner"), key="owner"),
        "ownerUsername": Filter("text", _owner_name),
        "createdBy": Filter("number", _named("created_by")),
        "organization": Filter("number", lambda _state, _task: 1),
        "searchText": Filter("search", lambda _state, task: f"{task.subject} {task.description or ''}".lower()),
        "activityTargets": Filter("target", lambda _state, task: task.targets, many=True),
    },
    frozenset({"id", "updatedAt", "dueDate", "status", "taskPriority", "owner"}),
    list_methods="OPTIONS, GET, POST, DELETE",
    item_methods="OPTIONS, GET, PATCH, DELETE",
)

# people and the rest

_USER_ATTRIBUTES: dict[str, Read] = {
    "username": _named("username"),
    "email": _named("email"),
    "namePrefix": _none,
    "firstName": _named("first_name"),
    "middleName": _none,
    "lastName": _named("last_name"),
    "nameSuffix": _none,
    "birthday": _none,
    "enabled": _named("enabled"),
    "lastLogin": _stamp("last_login"),
    "createdAt": _stamp("created_at"),
    "updatedAt": _stamp("updated_at"),
    "loginCount": _named("logins"),
    "passwordRequestedAt": _none,
    "passwordChangedAt": _none,
    "phone": _none,
    "title": _none,
    "googleId": _none,
    "emails": lambda _state, _user: [],
}
_USER_RELATIONS: dict[str, Relation] = {
    "groups": _many("usergroups", _nothing),
    "owner": _one("businessunits", lambda _state, _user: 1, "organization"),
    "businessUnits": _many("businessunits", lambda _state, _user: [1], "organization"),
    "organizations": _many("organizations", lambda _state, _user: [1], "organization"),
    "userRoles": _many("userroles", lambda _state, user: [user.role_id], "role"),
    "organization": _one("organizations", lambda _state, _user: 1, "organization"),
    "avatar": _one("files", _none),
    "auth_status": _one("userauthstatuses", lambda _state, _user: "active"),
    "activityEmails": _many("emails", _nothing),
    "activityCalls": _many("calls", _nothing),
    "tags": _many("tags", _nothing),
}
USERS = Resource(
    "users",
    "user",
    _USER_ATTRIBUTES,
    _USER_RELATIONS,
    {
        "id": Filter("number", _named("id")),
        **{
            name: Filter("text", _USER_ATTRIBUTES[name])
            for name in ("email", "username", "firstName", "googleId", "phone")
        },
        "searchText": Filter("search", lambda _state, user: f"{user.username} {user.email} {user.name}".lower()),
        "organization": Filter("number", lambda _state, _user: 1),
    },
    frozenset({"id", "email", "username"}),
    list_methods="OPTIONS, GET, POST, DELETE",
    item_methods="OPTIONS, GET, PATCH, DELETE",
)
PROFILE = Resource("userprofile", "user", _USER_ATTRIBUTES, _USER_RELATIONS)

COUNTRIES = Resource(
    "countries",
    None,
    {"iso3Code": _named("iso3"), "name": _named("name")},
    {"regions": _many("regions", _named("regions"))},
    {
        "id": Filter("texts", _named("id")),
        "name": Filter("text", _named("name")),
        "regions": Filter("text", _named("regions"), many=True),
    },
    numbered=False,
)
REGIONS = Resource(
    "regions",
    None,
    {"code": _named("code"), "name": _named("name")},
    {"country": _one("countries", _named("country"))},
    {
        "id": Filter("texts", _named("id")),
        "name": Filter("text", _named("name")),
        "country": Filter("texts", _named("country")),
    },
    numbered=False,
)


def _entries(name: str, *attributes: str, numbered: bool = False) -> Resource:
    reads: dict[str, Read] = {
        attribute: lambda _state, entry, attribute=attribute: entry.attributes.get(attribute)
        for attribute in attributes
    }
    filters = {"id": Filter("number" if numbered else "texts", lambda _state, entry: entry.id)}
    label = {"label": Filter("text", reads["label"])} if "label" in reads else {}
    return Resource(name, None, reads, filters=filters | label, numbered=numbered)


def _all_users(state: OroState, _organization: Any) -> list[int]:
    return state.users.ids


ORGANIZATIONS = Resource(
    "organizations",
    "organization",
    {
        "name": lambda state, _entry: state.settings.organization,
        "description": _none,
        "createdAt": lambda state, _entry: json_api_time(state.started.replace(microsecond=0)),
        "updatedAt": lambda state, _entry: json_api_time(state.started.replace(microsecond=0)),
        "enabled": lambda _state, _entry: True,
    },
    {
        "businessUnits": _many("businessunits", lambda _state, _entry: [1]),
        "users": _many("users", _all_users, "user"),
    },
    {"id": Filter("number", _named("id"))},
)


def _elapsed(_state: OroState, operation: AsyncOperation) -> int:
    return int((operation.updated_at - operation.created_at).total_seconds())


def _progress(_state: OroState, operation: AsyncOperation) -> int | None:
    return 1 if operation.status == "success" else None


OPERATIONS = Resource(
    "asyncoperations",
    "async_operation",
    {
        "status": _named("status"),
        "progress": _progress,
        "createdAt": _stamp("created_at"),
        "updatedAt": _stamp("updated_at"),
        "elapsedTime": _elapsed,
        "entityType": _named("entity_type"),
        "summary": _named("summary"),
    },
    {
        "owner": replace(_one("users", _named("owner"), "user"), linked=False),
        "organization": replace(_one("organizations", lambda _state, _entry: 1, "organization"), linked=False),
    },
    list_methods="OPTIONS",
)

_FIXED = {
    resource.name: resource
    for resource in (
        ADDRESSES,
        TASKS,
        USERS,
        COUNTRIES,
        REGIONS,
        ORGANIZATIONS,
        OPERATIONS,
        _entries("taskstatuses", "name", "priority", "default"),
        _entries("taskpriorities", "label", "order"),
        _entries("addresstypes", "label"),
        _entries("contactsources", "label"),
        _entries("contactmethods", "label"),
        _entries("userauthstatuses", "name"),
        _entries("contactgroups", "label", numbered=True),
        _entries("tags", "name", numbered=True),
    )
}
NOT_ACCESSIBLE = ("calendarevents", "calendars")
"""Entities the JSON:API knows but does not serve."""


def resource_named(state: OroState, name: str) -> Resource | None:
    """The resource of this name, or None."""
    return contacts_of(state) if name == "contacts" else _FIXED.get(name)


def owner_of(state: OroState, resource: Resource, record: Any) -> int | None:
    """Who owns a record: decides what a user with own-level permission sees."""
    if isinstance(record, Address):
        return address_owner(state, record)
    if isinstance(record, OroUser):
        return record.id
    owner: int | None = getattr(record, "owner", None)
    return owner if resource.entity else None


def all_countries() -> Iterable[Any]:
    """For lists."""
    return geography.countries().values()
