"""Creating, changing and deleting through the JSON:API: permissions first, then the rules of the entity.

Used for single requests and for the asynchronous list operation. How answers look is left to `jsonapi`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro import address_rules, contact_rules, crm_rules, permissions, problems, schema, task_rules
from orosync.sandbox.oro.contact_rules import ContactForm, Included
from orosync.sandbox.oro.crm_rules import CrmForm
from orosync.sandbox.oro.listing import find_record
from orosync.sandbox.oro.problems import Problem, denied, not_found
from orosync.sandbox.oro.records import Address, Contact, CrmRecord, OroUser, Task
from orosync.sandbox.oro.schema_parts import Resource
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.task_rules import TaskForm

TYPE_DENIED = "No access to this type of entities."
WRITABLE = ("contacts", "contactaddresses", "tasks", *crm_rules.SHAPES)


@dataclass
class Saved:
    """The record written, and included ones with the ids the sender gave them."""

    record: Any
    included: list[tuple[int, str]] = field(default_factory=list)


def create(
    state: OroState,
    user: OroUser,
    resource: Resource,
    data: Mapping[str, Any],
    included: Sequence[Included] = (),
    at: str = "/data",
) -> Saved:
    """Makes a record. Raises `Refused`."""
    if resource.name not in WRITABLE or state.level(user, str(resource.entity), "create") == permissions.NONE:
        raise denied(TYPE_DENIED)
    if resource.name == "contacts":
        written = ContactForm(state, user, None, at=at).write(data, included)
        return Saved(written.contact, written.included)
    if resource.name == "tasks":
        return Saved(TaskForm(state, user, None, at=at).write(data))
    if resource.name in crm_rules.SHAPES:
        return Saved(CrmForm(state, user, resource.name, None, at=at).write(data))
    return Saved(_create_address(state, user, data, at))


def update(
    state: OroState,
    user: OroUser,
    record: Any,
    data: Mapping[str, Any],
    included: Sequence[Included] = (),
    at: str = "/data",
) -> Saved:
    """Changes a record. Raises `Refused`."""
    if isinstance(record, Contact):
        written = ContactForm(state, user, record, at=at).write(data, included)
        return Saved(written.contact, written.included)
    if isinstance(record, Task):
        return Saved(TaskForm(state, user, record, at=at).write(data))
    if isinstance(record, CrmRecord):
        return Saved(CrmForm(state, user, record.kind, record, at=at).write(data))
    if isinstance(record, Address):
        return Saved(_update_address(state, record, data, at))
    raise denied()


def delete(state: OroState, user: OroUser, record: Any) -> None:
    """Takes a record away. Raises `Refused` for a resource that is not deleted here."""
    if isinstance(record, Contact):
        contact_rules.delete(state, user, record)
    elif isinstance(record, Task):
        task_rules.delete(state, user, record)
    elif isinstance(record, CrmRecord):
        crm_rules.delete(state, record)
    elif isinstance(record, Address):
        contact = state.contacts.get(record.contact)
        if contact is not None:
            contact.addresses.remove(record.id)
        state.addresses.remove(record.id)
    else:
        raise denied()


def record_for(state: OroState, user: OroUser, resource: Resource, identifier: str, action: str) -> Any:
    """The record of this id if the user may do this to it. Raises `Refused` 400, 403, 404."""
    entity = resource.entity
    if entity and state.level(user, entity, action) == permissions.NONE:
        raise denied(TYPE_DENIED)
    if resource.numbered and not (identifier.isascii() and identifier.isdigit()):
        detail = f'Expected integer value. Given "{identifier}".'
        raise problems.Refused(Problem(400, "entity identifier constraint", detail))
    record = find_record(state, resource, None, identifier)
    if record is None:
        raise not_found()
    if entity and not state.may(user, entity, action, schema.owner_of(state, resource, record)):
        raise denied()
    return record


def _create_address(state: OroState, user: OroUser, data: Mapping[str, Any], at: str) -> Address:
    reference = ((data.get("relationships") or {}).get("owner") or {}).get("data")
    contact = None
    pointer = f"{at}/relationships/owner/data"
    found = []
    if reference is None:
        found.append(problems.blank(pointer))
    else:
        contact = state.contacts.get(int(reference["id"])) if str(reference["id"]).isdigit() else None
        if contact is None:
            found.append(problems.unknown_entity(pointer))
    if contact is not None and not state.may(user, "contact", "edit", contact.owner):
        raise denied()
    address = address_rules.blank_address(state, contact.id if contact else 0)
    wrong = address_rules.apply(address, data, at)
    at_fields, at_address = address_rules.check(address, at)
    problems.raise_if(found + at_fields + wrong + at_address)
    assert contact is not None  # noqa: S101 - refused above
    address.id = state.addresses.new_id()
    state.addresses.save(address)
    address_rules.settle_by_itself(state, contact, address)
    contact.addresses.append(address.id)
    return address


def _update_address(state: OroState, address: Address, data: Mapping[str, Any], at: str) -> Address:
    draft = address_rules.draft_of(address)
    wrong = address_rules.apply(draft, data, at)
    at_fields, at_address = address_rules.check(draft, at)
    problems.raise_if(at_fields + wrong + at_address)
    if not address_rules.same(address, draft):
        draft.updated_at = state.now()
        state.addresses.save(draft)
        contact = state.contacts.get(draft.contact)
        if contact is not None:
            address_rules.settle_by_itself(state, contact, draft)
    return draft
