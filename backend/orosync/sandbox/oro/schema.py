"""The resources of the JSON:API: attributes, relations, filters and sort orders of each.

Tables of names with the small functions that read them; rendering and selecting are left to `documents` and
`listing`. Source: resources-summary and the parameters in openapi-trimmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from orosync.sandbox.oro.records import Address, AsyncOperation, OroUser, Ref, Task
from orosync.sandbox.oro.schema_contacts import ADDRESSES, address_owner, contacts_of, value_of
from orosync.sandbox.oro.schema_crm import CRM
from orosync.sandbox.oro.schema_parts import Filter, Read, Relation, Resource, many, named, none, nothing, one, stamp
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import json_api_time

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
        "subject": named("subject"),
        "description": named("description"),
        "dueDate": stamp("due_date"),
        "createdAt": stamp("created_at"),
        "updatedAt": stamp("updated_at"),
    },
    {
        "taskPriority": one("taskpriorities", named("priority")),
        "owner": one("users", named("owner"), "user"),
        "createdBy": one("users", named("created_by"), "user"),
        "organization": one("organizations", lambda _state, _task: 1, "organization"),
        "status": one("taskstatuses", named("status")),
        "activityTargets": Relation(lambda _state, task: list(_targets(task)), many=True),
        "activityEmails": many("emails", nothing),
        "tags": many("tags", named("tags")),
        "comments": many("comments", nothing, writable=False),
    },
    {
        "id": Filter("number", named("id")),
        "updatedAt": Filter("time", named("updated_at")),
        "dueDate": Filter("time", named("due_date")),
        "status": Filter("texts", named("status")),
        "taskPriority": Filter("text", named("priority")),
        "owner": Filter("number", named("owner"), key="owner"),
        "ownerUsername": Filter("text", _owner_name),
        "createdBy": Filter("number", named("created_by")),
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
    "username": named("username"),
    "email": named("email"),
    "namePrefix": none,
    "firstName": named("first_name"),
    "middleName": none,
    "lastName": named("last_name"),
    "nameSuffix": none,
    "birthday": none,
    "enabled": named("enabled"),
    "lastLogin": stamp("last_login"),
    "createdAt": stamp("created_at"),
    "updatedAt": stamp("updated_at"),
    "loginCount": named("logins"),
    "passwordRequestedAt": none,
    "passwordChangedAt": none,
    "phone": none,
    "title": none,
    "googleId": none,
    "emails": lambda _state, _user: [],
}
_USER_RELATIONS: dict[str, Relation] = {
    "groups": many("usergroups", nothing),
    "owner": one("businessunits", lambda _state, _user: 1, "organization"),
    "businessUnits": many("businessunits", lambda _state, _user: [1], "organization"),
    "organizations": many("organizations", lambda _state, _user: [1], "organization"),
    "userRoles": many("userroles", lambda _state, user: [user.role_id], "role"),
    "organization": one("organizations", lambda _state, _user: 1, "organization"),
    "avatar": one("files", none),
    "auth_status": one("userauthstatuses", lambda _state, _user: "active"),
    "activityEmails": many("emails", nothing),
    "activityCalls": many("calls", nothing),
    "tags": many("tags", nothing),
}
USERS = Resource(
    "users",
    "user",
    _USER_ATTRIBUTES,
    _USER_RELATIONS,
    {
        "id": Filter("number", named("id")),
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
    {"iso3Code": named("iso3"), "name": named("name")},
    {"regions": many("regions", named("regions"))},
    {
        "id": Filter("texts", named("id")),
        "name": Filter("text", named("name")),
        "regions": Filter("text", named("regions"), many=True),
    },
    numbered=False,
)
REGIONS = Resource(
    "regions",
    None,
    {"code": named("code"), "name": named("name")},
    {"country": one("countries", named("country"))},
    {
        "id": Filter("texts", named("id")),
        "name": Filter("text", named("name")),
        "country": Filter("texts", named("country")),
    },
    numbered=False,
)


def _entries(name: str, *attributes: str, numbered: bool = False) -> Resource:
    reads = {attribute: value_of(attribute) for attribute in attributes}
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
        "description": none,
        "createdAt": lambda state, _entry: json_api_time(state.started.replace(microsecond=0)),
        "updatedAt": lambda state, _entry: json_api_time(state.started.replace(microsecond=0)),
        "enabled": lambda _state, _entry: True,
    },
    {
        "businessUnits": many("businessunits", lambda _state, _entry: [1]),
        "users": many("users", _all_users, "user"),
    },
    {"id": Filter("number", named("id"))},
)


def _elapsed(_state: OroState, operation: AsyncOperation) -> int:
    return int((operation.updated_at - operation.created_at).total_seconds())


def _progress(_state: OroState, operation: AsyncOperation) -> int | None:
    return 1 if operation.status == "success" else None


OPERATIONS = Resource(
    "asyncoperations",
    "async_operation",
    {
        "status": named("status"),
        "progress": _progress,
        "createdAt": stamp("created_at"),
        "updatedAt": stamp("updated_at"),
        "elapsedTime": _elapsed,
        "entityType": named("entity_type"),
        "summary": named("summary"),
    },
    {
        "owner": replace(one("users", named("owner"), "user"), linked=False),
        "organization": replace(one("organizations", lambda _state, _entry: 1, "organization"), linked=False),
    },
    list_methods="OPTIONS",
)

_STATUSES = ("taskstatuses", "leadstatuses", "opportunitystatuses")
_LABELS = (
    "addresstypes",
    "contactsources",
    "contactmethods",
    "opportunityclosereasons",
    "casestatuses",
    "casepriorities",
    "casesources",
    "leadsources",
    "calldirections",
    "callstatuses",
)
_FIXED = CRM | {
    resource.name: resource
    for resource in (
        ADDRESSES,
        TASKS,
        USERS,
        COUNTRIES,
        REGIONS,
        ORGANIZATIONS,
        OPERATIONS,
        *(_entries(name, "name", "priority", "default") for name in _STATUSES),
        *(_entries(name, "label") for name in _LABELS),
        _entries("taskpriorities", "label", "order"),
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
