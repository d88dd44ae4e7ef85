"""What OroCRM checks when an account, lead, opportunity, case, note or call is written through the JSON:API.

One form serves all six: a `Shape` says what each has. Everything is tried on a copy and committed at the end. Source:
accounts-create-*, leads-*, opportunities-*, cases-*, notes-create-for-contact, calls-create-for-contact and
resources-summary; rules that were not recorded are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro import contact_rows, crm_links, problems
from orosync.sandbox.oro.contact_rules import NUMBERED, READ_ONLY, owner_refused
from orosync.sandbox.oro.dictionaries import find
from orosync.sandbox.oro.permissions import SYSTEM
from orosync.sandbox.oro.problems import Problem
from orosync.sandbox.oro.records import CrmRecord, OroUser
from orosync.sandbox.oro.state import CRM_KINDS, OroState
from orosync.sandbox.oro.task_rules import NOT_ACCEPTABLE, TARGETS
from orosync.sandbox.oro.times import json_api_time, parse_attribute_time, parse_birthday

_NO_CUSTOMER = Problem(400, "form constraint", "Either an account or a customer should be set.")
_NUMBERED = NUMBERED | set(CRM_KINDS)


@dataclass(frozen=True)
class Shape:
    """One kind: attributes by their form (text, long, number, day, time), relations by what they lead to."""

    entity: str
    attributes: Mapping[str, str]
    ones: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    required_ones: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    lists: bool = False
    targets: bool = False


def _texts(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "text")


_PEOPLE = {"owner": "users", "organization": "organizations"}
SHAPES: dict[str, Shape] = {
    "accounts": Shape(
        "account",
        {"name": "text", "extend_description": "long"},
        {**_PEOPLE, "defaultContact": "contacts", "referredBy": "accounts"},
        required=("name",),
    ),
    "leads": Shape(
        "lead",
        {
            **_texts("name", "namePrefix", "firstName", "middleName", "lastName", "nameSuffix", "jobTitle"),
            **_texts("companyName", "website", "industry", "twitter", "linkedIn"),
            "numberOfEmployees": "number",
            "notes": "long",
        },
        {**_PEOPLE, "contact": "contacts", "account": "accounts", "source": "leadsources", "status": "leadstatuses"},
        required=("name",),
        defaults={"status": "new"},
        lists=True,
    ),
    "opportunities": Shape(
        "opportunity",
        {
            "name": "text",
            "closeDate": "day",
            **dict.fromkeys(("probability", "budgetAmountValue", "closeRevenueValue"), "number"),
            **_texts("budgetAmountCurrency", "closeRevenueCurrency"),
            **dict.fromkeys(("customerNeed", "proposedSolution", "notes"), "long"),
        },
        {
            **_PEOPLE,
            "account": "accounts",
            "contact": "contacts",
            "lead": "leads",
            "status": "opportunitystatuses",
            "closeReason": "opportunityclosereasons",
        },
        required=("name",),
        required_ones=("status",),
    ),
    "cases": Shape(
        "case",
        {"subject": "text", "description": "long", "resolution": "long", "reportedAt": "time", "closedAt": "time"},
        {
            **_PEOPLE,
            "source": "casesources",
            "status": "casestatuses",
            "priority": "casepriorities",
            "relatedContact": "contacts",
            "relatedAccount": "accounts",
            "assignedTo": "users",
        },
        required=("subject",),
        required_ones=("source", "status", "priority"),
    ),
    "notes": Shape("note", {"message": "long"}, {**_PEOPLE, "updatedBy": "users"}, required=("message",), targets=True),
    "calls": Shape(
        "call",
        {"subject": "text", "phoneNumber": "text", "notes": "long", "callDateTime": "time", "duration": "number"},
        {**_PEOPLE, "callStatus": "callstatuses", "direction": "calldirections"},
        required=("subject",),
        targets=True,
    ),
}


class CrmForm:
    """One write of one record."""

    def __init__(
        self, state: OroState, user: OroUser, kind: str, record: CrmRecord | None, *, at: str = "/data"
    ) -> None:
        self._state, self._user, self._at, self._shape = state, user, at, SHAPES[kind]
        self._before = record
        self._contacts: list[int] | None = None
        self._problems: list[Problem] = []
        now = state.now()
        if record is None:
            relations = {"owner": user.id, "organization": 1, **self._shape.defaults}
            self._draft = CrmRecord(0, kind, {}, relations, now, now)
        else:
            self._draft = copy(record)
            self._draft.attributes, self._draft.relations = dict(record.attributes), dict(record.relations)

    def write(self, data: Mapping[str, Any]) -> CrmRecord:
        """Checks and commits. Raises `Refused` with everything that is wrong."""
        attributes, relationships = data.get("attributes") or {}, data.get("relationships") or {}
        unknown = [name for name, value in attributes.items() if not self._attribute(name, value)]
        if self._shape.lists:
            self._lists(attributes)
        unknown += [name for name, value in relationships.items() if not self._relation(name, value.get("data"))]
        if unknown:
            self._problems.append(problems.extra_fields(unknown))
        self._required()
        problems.raise_if(self._problems)
        return self._commit()

    def _attribute(self, name: str, value: Any) -> bool:
        form = self._shape.attributes.get(name)
        if form is None:
            return name in READ_ONLY or (self._shape.lists and name in _LISTED)
        pointer = f"{self._at}/attributes/{name}"
        kept, wrong = _read(form, value)
        if wrong:
            self._problems.append(Problem(400, "form constraint", wrong, pointer))
        if form == "text" and kept is not None and len(kept) > 255:
            self._problems.append(problems.too_long(255, pointer))
        self._draft.attributes[name] = kept
        return True

    def _lists(self, attributes: Mapping[str, Any]) -> None:
        draft = self._draft
        draft.emails, found = contact_rows.apply(self._state, contact_rows.EMAILS, draft.emails, attributes, self._at)
        draft.phones, more = contact_rows.apply(self._state, contact_rows.PHONES, draft.phones, attributes, self._at)
        self._problems += found + more

    def _relation(self, name: str, data: Any) -> bool:
        pointer = f"{self._at}/relationships/{name}/data"
        if name in self._shape.ones:
            self._relate(name, data, pointer)
        elif name == "activityTargets" and self._shape.targets:
            self._draft.targets = self._targets(data or ())
        elif name == "contacts" and self._draft.kind == "accounts":
            found = [find(self._state, "contacts", each["id"]) for each in data or ()]
            if any(each is None for each in found):
                self._problems.append(problems.unknown_entity(pointer))
            self._contacts = [each.id for each in found if each is not None]
        elif name == "tags":
            known = [each["id"] for each in data or () if find(self._state, "tags", each["id"]) is not None]
            self._draft.relations["tags"] = [int(number) for number in known]
        else:
            return False
        return True

    def _relate(self, name: str, data: Any, pointer: str) -> None:
        kind = self._shape.ones[name]
        identifier = None if data is None else data["id"]
        if identifier is not None and find(self._state, kind, identifier) is None:
            self._problems.append(problems.unknown_entity(pointer))
            return
        value = int(identifier) if identifier is not None and kind in _NUMBERED else identifier
        if name == "owner" and not self._may_own(value):
            self._problems += owner_refused(pointer)
        self._draft.relations[name] = value

    def _may_own(self, owner: int | None) -> bool:
        level = self._state.level(self._user, self._shape.entity, "edit" if self._before else "create")
        return level == SYSTEM or owner == self._user.id or (self._before is not None and self._before.owner == owner)

    def _targets(self, data: Any) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for entry in data:
            if entry["type"] not in TARGETS or find(self._state, entry["type"], entry["id"]) is None:
                self._problems.append(NOT_ACCEPTABLE)
            elif (entry["type"], int(entry["id"])) not in found:
                found.append((entry["type"], int(entry["id"])))
        return found

    def _required(self) -> None:
        draft = self._draft
        if draft.kind == "opportunities" and draft.relations.get("account") is None:
            self._problems.append(_NO_CUSTOMER)
        for name in self._shape.required:
            if not draft.attributes.get(name):
                self._problems.append(problems.blank(f"{self._at}/attributes/{name}"))
        for name in self._shape.required_ones:
            if draft.relations.get(name) is None:
                self._problems.append(problems.blank(f"{self._at}/relationships/{name}/data"))

    def _commit(self) -> CrmRecord:
        state, draft, before = self._state, self._draft, self._before
        table = state.crm[draft.kind]
        draft.attributes = {name: value for name, value in draft.attributes.items() if value is not None}
        if before is None:
            draft.id = table.new_id()
            if draft.kind == "cases":
                draft.attributes.setdefault("reportedAt", draft.created_at)
            if draft.kind == "notes":
                draft.relations["updatedBy"] = self._user.id
            if draft.kind == "calls":  # the caller becomes part of what it is about
                draft.targets.append(("users", self._user.id))
        elif draft != before:
            draft.updated_at, draft.changed = state.now(), True
        table.save(draft)
        if self._contacts is not None:
            crm_links.set_contacts(state, draft, self._contacts)
        return draft


_LISTED = ("emails", "phones", "primaryEmail", "primaryPhone")


def _read(form: str, value: Any) -> tuple[Any, str]:
    """The value as it is kept, and what is wrong with it."""
    if value is None:
        return None, ""
    if form == "number":
        valid = isinstance(value, (int, float)) and not isinstance(value, bool)
        return (value, "") if valid else (None, "This value is not valid.")
    if not isinstance(value, str):
        return None, "This value is not valid."
    if form == "day":
        day = parse_birthday(value)
        return day, "" if day else f'The "{value}" is not valid date.'
    if form == "time":
        moment = parse_attribute_time(value)
        return moment, "" if moment else f'The "{value}" is not valid datetime.'
    return (value.strip() if form == "text" else value) or None, ""


def friendly(state: OroState, kind: str, record: CrmRecord | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """The document for values side by side: relations as ids, e-mails and phones as texts, `targets` as pairs."""
    shape = SHAPES[kind]
    names = {*shape.ones, "contacts", "targets"}
    attributes = {name: value for name, value in values.items() if name not in names}
    if shape.lists:
        contact_rows.from_texts(state, attributes, record.emails if record else [], record.phones if record else [])
    relations: dict[str, Any] = {
        name: {"data": None if values[name] is None else {"type": target, "id": str(values[name])}}
        for name, target in shape.ones.items()
        if name in values
    }
    if "contacts" in values:
        relations["contacts"] = {"data": [{"type": "contacts", "id": str(each)} for each in values["contacts"]]}
    if "targets" in values:
        relations["activityTargets"] = {"data": [{"type": each, "id": str(of)} for each, of in values["targets"]]}
    return {"attributes": attributes, "relationships": relations}


def delete(state: OroState, record: CrmRecord) -> None:
    """Takes a record away; what points at it lets go."""
    crm_links.forget(state, record.kind, record.id)
    state.crm[record.kind].remove(record.id)


def view(state: OroState, record: CrmRecord) -> dict[str, Any]:
    """The friendly full view."""
    shape = SHAPES[record.kind]
    values = {name: record.attributes.get(name) for name in shape.attributes}
    times = {name: json_api_time(values[name]) for name, form in shape.attributes.items() if form == "time"}
    lists = {"emails": [row.value for row in record.emails], "phones": [row.value for row in record.phones]}
    return {
        "id": record.id,
        **values,
        **times,
        **{name: record.relations.get(name) for name in shape.ones if name != "organization"},
        **(lists if shape.lists else {}),
        **({"contacts": state.contacts.with_key("account", record.id)} if record.kind == "accounts" else {}),
        **({"targets": [list(target) for target in record.targets]} if shape.targets else {}),
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
    }
