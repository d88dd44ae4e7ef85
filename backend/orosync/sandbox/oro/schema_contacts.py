"""The resources `contacts` and `contactaddresses` of the JSON:API.

Tables of names with the small functions that read them. Source: resources-summary and the parameters in
openapi-trimmed.
"""

from __future__ import annotations

from typing import Any

from orosync.sandbox.oro import address_rules, contact_rules
from orosync.sandbox.oro.records import Address, Contact
from orosync.sandbox.oro.schema_crm import activities
from orosync.sandbox.oro.schema_parts import Filter, Read, Relation, Resource, many, named, none, one, stamp
from orosync.sandbox.oro.state import OroState

# contacts


def value_of(name: str) -> Read:
    """Reads one of the plain attributes."""
    return lambda _state, contact: contact.attributes.get(name)


def _contact_one(name: str, entity: str | None = None) -> Relation:
    return one(contact_rules.ONE[name], lambda _state, contact: contact.relations.get(name), entity)


def _contact_many(name: str) -> Relation:
    return many(contact_rules.MANY[name], lambda _state, contact: contact.relations.get(name, ()))


def _default_in(state: OroState, contact: Contact) -> list[int]:
    own = contact.relations.get("defaultInAccounts", ())
    return sorted({*own, *state.crm["accounts"].with_key("defaultContact", contact.id)})


_CONTACT_ORDER = (
    "namePrefix",
    "firstName",
    "middleName",
    "lastName",
    "nameSuffix",
    "gender",
    "birthday",
    "description",
    "jobTitle",
    "fax",
    "skype",
    "twitter",
    "facebook",
    "googlePlus",
    "linkedIn",
)

_CONTACT_ATTRIBUTES: dict[str, Read] = {
    **{name: value_of(name) for name in _CONTACT_ORDER},
    "createdAt": stamp("created_at"),
    "updatedAt": stamp("updated_at"),
    **{name: value_of(name) for name in contact_rules.READ_ONLY if name not in ("createdAt", "updatedAt")},
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
    "addresses": many("contactaddresses", named("addresses"), writable=False),
    "groups": _contact_many("groups"),
    "accounts": many("accounts", lambda _state, contact: contact.relations.get("accounts", ()), "account"),
    "createdBy": _contact_one("createdBy", "user"),
    "updatedBy": _contact_one("updatedBy", "user"),
    "organization": _contact_one("organization", "organization"),
    "defaultInAccounts": many("accounts", _default_in, "account"),
    "picture": one("files", none),
    **activities("contacts"),
    "tags": _contact_many("tags"),
}


def _searched(_state: OroState, contact: Contact) -> str:
    rows = (*contact.emails, *contact.phones)
    return " ".join([contact.title, *(row.value for row in rows)]).lower()


def _contact_relation(name: str, default: Any = None) -> Read:
    return lambda _state, contact: contact.relations.get(name, default)


def _rows(name: str) -> Read:
    return lambda _state, contact: [row.value for row in getattr(contact, name)]


_CONTACT_FILTERS: dict[str, Filter] = {
    "id": Filter("number", named("id")),
    "updatedAt": Filter("time", named("updated_at")),
    "firstName": Filter("text", value_of("firstName"), key="firstName"),
    "lastName": Filter("text", value_of("lastName"), key="lastName"),
    "primaryEmail": Filter("text", _CONTACT_ATTRIBUTES["primaryEmail"], key="email"),
    "primaryPhone": Filter("text", _CONTACT_ATTRIBUTES["primaryPhone"], key="phone"),
    "emails": Filter("texts", _rows("emails"), many=True, key="email"),
    "phones": Filter("texts", _rows("phones"), many=True, key="phone"),
    "searchText": Filter("search", _searched),
    "owner": Filter("number", lambda _state, contact: contact.owner, key="owner"),
    "addresses": Filter("number", named("addresses"), many=True),
    **{
        name: Filter("number", _contact_relation(name))
        for name in ("assignedTo", "createdBy", "updatedBy", "organization", "reportsTo", "picture")
    },
    **{name: Filter("text", _contact_relation(name)) for name in ("source", "method")},
    **{
        name: Filter("number", _contact_relation(name, ()), many=True)
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
    {"externalId": value_of("externalId"), **_CONTACT_ATTRIBUTES},
    _CONTACT_RELATIONS,
    _CONTACT_FILTERS | {"externalId": Filter("texts", value_of("externalId"), key="externalId")},
    CONTACTS.sorts,
    list_methods=CONTACTS.list_methods,
    item_methods=CONTACTS.item_methods,
)

# addresses


def _address_value(name: str) -> Read:
    return lambda _state, address: address.attributes.get(name)


def address_owner(state: OroState, address: Address) -> int | None:
    """The owner of the contact the address belongs to."""
    contact = state.contacts.get(address.contact)
    return contact.owner if contact else None


ADDRESSES = Resource(
    "contactaddresses",
    "contact",
    {
        "primary": named("primary"),
        **{name: _address_value(name) for name in address_rules.TEXTS},
        "createdAt": stamp("created_at"),
        "updatedAt": stamp("updated_at"),
    },
    {
        "owner": one("contacts", named("contact"), writable=False),
        "types": many("addresstypes", named("types")),
        "country": one("countries", named("country")),
        "region": one("regions", named("region")),
    },
    {
        "id": Filter("number", named("id")),
        "owner": Filter("number", named("contact")),
        "country": Filter("texts", named("country")),
        "region": Filter("texts", named("region")),
        "types": Filter("texts", named("types"), many=True),
    },
    list_methods="OPTIONS, GET, PATCH, POST, DELETE",
    item_methods="OPTIONS, GET, PATCH, DELETE",
)
