"""The resources `accounts`, `leads`, `opportunities`, `cases`, `notes` and `calls` of the JSON:API.

Attributes and relations are as recorded when each was created, filters as in resources-summary.
"""

from __future__ import annotations

from typing import Any

from orosync.sandbox.oro.contact_rules import READ_ONLY
from orosync.sandbox.oro.crm_rules import SHAPES
from orosync.sandbox.oro.records import CrmRecord, Ref
from orosync.sandbox.oro.schema_parts import Filter, Read, Relation, Resource, many, named, none, nothing, one, stamp
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import json_api_time

_CONTACTED = {name: none for name in READ_ONLY if name not in ("createdAt", "updatedAt")}
_ENTITIES = {"users": "user", "organizations": "organization", "contacts": "contact"}
_ENTITIES |= {kind: shape.entity for kind, shape in SHAPES.items()}


def _value(name: str, form: str) -> Read:
    if form == "time":
        return lambda _state, record: json_api_time(record.attributes.get(name))
    return lambda _state, record: record.attributes.get(name)


def _related(name: str) -> Read:
    return lambda _state, record: record.relations.get(name)


def _pointing(kind: str, key: str) -> Read:
    """Records of another kind that point at this one."""
    return lambda state, record: state.crm[kind].with_key(key, record.id)


def activities(kind: str) -> dict[str, Relation]:
    """Notes, mails, calls and tasks about records of a kind."""

    def about(activity: str) -> Read:
        return lambda state, record: state.crm[activity].with_key(kind, record.id)

    return {
        "activityNotes": many("notes", about("notes"), "note"),
        "activityEmails": many("emails", nothing),
        "activityCalls": many("calls", about("calls"), "call"),
        "activityTasks": many("tasks", lambda state, record: state.tasks.with_key(kind, record.id), "task"),
    }


def _case_updated(_state: OroState, record: CrmRecord) -> str | None:
    """A case that was never changed has no updatedAt (cases-create-related)."""
    return json_api_time(record.updated_at) if record.changed else None


def _attributes(kind: str) -> dict[str, Read]:
    shape = SHAPES[kind]
    found = {name: _value(name, form) for name, form in shape.attributes.items()}
    found |= {"createdAt": stamp("created_at"), "updatedAt": _case_updated if kind == "cases" else stamp("updated_at")}
    if shape.lists:
        found |= {
            "primaryPhone": lambda state, record: state.primary(record.phones),
            "primaryEmail": lambda state, record: state.primary(record.emails),
            "phones": lambda _state, record: [{"phone": row.value} for row in record.phones],
            "emails": lambda _state, record: [{"email": row.value} for row in record.emails],
        }
    return found if shape.targets else found | _CONTACTED


def _ones(kind: str) -> dict[str, Relation]:
    return {name: one(target, _related(name), _ENTITIES.get(target)) for name, target in SHAPES[kind].ones.items()}


def _tags() -> Relation:
    return many("tags", lambda _state, record: record.relations.get("tags", ()))


def _rows(name: str) -> Read:
    return lambda _state, record: [row.value for row in getattr(record, name)]


def _searched(_state: OroState, record: CrmRecord) -> str:
    texts = [str(value) for value in record.attributes.values()]
    return " ".join([*texts, *(row.value for row in (*record.emails, *record.phones))]).lower()


def _filters(kind: str, *ordered: str, **more: Filter) -> dict[str, Filter]:
    found = {"id": Filter("number", named("id"))}
    found |= {name: Filter("time", named(_STORED[name])) for name in ordered}
    for name, target in SHAPES[kind].ones.items():
        numbered = target in _ENTITIES
        key = name if name in ("contact", "relatedContact", "lead", "owner", "relatedAccount") else None
        found[name] = Filter("number" if numbered else "texts", _related(name), key=key)
    return found | {"searchText": Filter("search", _searched)} | more


_STORED = {"createdAt": "created_at", "updatedAt": "updated_at"}
_LIST_FILTERS = {
    "primaryEmail": Filter("text", lambda state, record: state.primary(record.emails)),
    "primaryPhone": Filter("text", lambda state, record: state.primary(record.phones)),
    "emails": Filter("texts", _rows("emails"), many=True, key="email"),
    "phones": Filter("texts", _rows("phones"), many=True),
}


def _resource(
    kind: str, relations: dict[str, Relation], filters: dict[str, Filter], *, sorts: tuple[str, ...] = (), lists: bool
) -> Resource:
    """lists: it can be written by asynchronous list operations (options-allow-of-collections)."""
    list_methods = "OPTIONS, GET, PATCH, POST, DELETE" if lists else "OPTIONS, GET, POST, DELETE"
    relations = {**_ones(kind), **relations}
    return Resource(
        kind,
        SHAPES[kind].entity,
        _attributes(kind),
        relations,
        filters,
        frozenset({"id", *sorts}),
        list_methods=list_methods,
        item_methods="OPTIONS, GET, PATCH, DELETE",
    )


def _account_contacts(state: OroState, account: CrmRecord) -> list[int]:
    return state.contacts.with_key("account", account.id)


def _targets(_state: OroState, record: CrmRecord) -> list[Ref]:
    return list(record.targets)


_ABOUT: dict[str, Any] = {"activityTargets": Filter("target", lambda _state, record: record.targets, many=True)}

ACCOUNTS = _resource(
    "accounts",
    {
        "contacts": many("contacts", _account_contacts, "contact"),
        "attachments": many("attachments", nothing),
        "b2bCustomers": many("b2bcustomers", nothing, writable=False),
        **activities("accounts"),
        "tags": _tags(),
    },
    _filters(
        "accounts",
        name=Filter("text", _value("name", "text")),
        contacts=Filter("number", _account_contacts, many=True),
    ),
    lists=True,
)
LEADS = _resource(
    "leads",
    {
        "addresses": many("leadaddresses", nothing),
        "opportunities": many("opportunities", _pointing("opportunities", "lead"), "opportunity"),
        "campaign": one("campaigns", none),
        "customer": one("b2bcustomers", none),
        **activities("leads"),
        "tags": _tags(),
    },
    {**_filters("leads", "createdAt", "updatedAt"), **_LIST_FILTERS},
    sorts=("createdAt", "updatedAt"),
    lists=True,
)
OPPORTUNITIES = _resource(
    "opportunities",
    {
        "attachments": many("attachments", nothing),
        "customer": one("b2bcustomers", none),
        **activities("opportunities"),
        "tags": _tags(),
    },
    {name: each for name, each in _filters("opportunities", "createdAt").items() if name != "account"},
    sorts=("createdAt",),
    lists=True,
)
CASES = _resource(
    "cases",
    {"comments": many("casecomments", nothing), **activities("cases"), "tags": _tags()},
    _filters(
        "cases",
        reportedAt=Filter("time", lambda _state, record: record.attributes.get("reportedAt")),
        comments=Filter("number", nothing, many=True),
    ),
    lists=False,
)
_ACTIVITY = {"comments": many("comments", nothing, writable=False), "activityTargets": Relation(_targets, many=True)}
NOTES = _resource(
    "notes",
    {**_ACTIVITY, "attachment": one("files", none)},
    {**_filters("notes"), **_ABOUT},
    lists=False,
)
CALLS = _resource("calls", _ACTIVITY, {**_filters("calls", "updatedAt"), **_ABOUT}, sorts=("updatedAt",), lists=False)
CRM = {resource.name: resource for resource in (ACCOUNTS, LEADS, OPPORTUNITIES, CASES, NOTES, CALLS)}
