"""What OroCRM checks and settles when a contact is written, through the JSON:API or in the back office.

Everything is tried on copies and committed at the end, so a refused request leaves nothing behind. Who may write
is left to the caller, except for the owner a user may set. Source: contacts-create-*, contacts-patch-*,
contacts-error-*, contacts-updatedAt-what-changes-it, over-long-values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro import address_rules, audit, contact_rows, crm_links, problems
from orosync.sandbox.oro.dictionaries import find
from orosync.sandbox.oro.permissions import SYSTEM
from orosync.sandbox.oro.problems import Problem
from orosync.sandbox.oro.records import Address, Contact, ListRow, OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.times import parse_birthday

# the longest value, and whether the form (400) or only the database (500) refuses a longer one
TEXTS: dict[str, tuple[int, bool]] = {
    "namePrefix": (255, False),
    "firstName": (100, True),
    "middleName": (255, False),
    "lastName": (100, True),
    "nameSuffix": (255, False),
    "jobTitle": (255, False),
    "fax": (255, False),
    "skype": (255, True),
    "twitter": (255, True),
    "facebook": (255, True),
    "googlePlus": (255, True),
    "linkedIn": (255, True),
    "description": (10**9, True),
    "externalId": (36, True),
}
READ_ONLY = (
    "createdAt",
    "updatedAt",
    "lastContactedDate",
    "lastContactedDateIn",
    "lastContactedDateOut",
    "timesContacted",
    "timesContactedIn",
    "timesContactedOut",
)
ONE = {
    "source": "contactsources",
    "method": "contactmethods",
    "owner": "users",
    "assignedTo": "users",
    "reportsTo": "contacts",
    "createdBy": "users",
    "updatedBy": "users",
    "organization": "organizations",
}
MANY = {
    "groups": "contactgroups",
    "accounts": "accounts",
    "defaultInAccounts": "accounts",
    "tags": "tags",
}
NUMBERED = frozenset({"users", "contacts", "organizations", "contactgroups", "accounts", "tags"})
NO_INFORMATION = Problem(
    400,
    "has contact information constraint",
    "At least one of the fields First name, Last name, Emails or Phones must be defined.",
)
LISTS = {"email": "emails", "phone": "phones"}


@dataclass
class Included:
    """An entity sent along: where it stands in the request and what it says."""

    data: Mapping[str, Any]
    at: str

    @property
    def key(self) -> str:
        """The id the sender gave it."""
        return str(self.data.get("id"))

    @property
    def updates(self) -> bool:
        """`meta: {"update": true}`: an existing one is to be changed."""
        return bool((self.data.get("meta") or {}).get("update"))


@dataclass
class Written:
    """A committed contact and the addresses that came along: (id, id the sender gave)."""

    contact: Contact
    included: list[tuple[int, str]] = field(default_factory=list)


class ContactForm:
    """One write of one contact. `back_office=True` lets lists and addresses move updatedAt, as people's edits do."""

    def __init__(
        self, state: OroState, user: OroUser, contact: Contact | None, *, back_office: bool = False, at: str = "/data"
    ) -> None:
        self._state, self._user, self._at = state, user, at
        self._before = contact
        self._back_office = back_office
        self._problems: list[Problem] = []
        self._addresses: list[Address] | None = None
        self._keys: dict[int, str] = {}
        self._too_long_for_database = False
        now = state.now()
        if contact is None:
            relations = {"owner": user.id, "createdBy": user.id, "updatedBy": user.id, "organization": 1}
            self._draft = Contact(0, {}, relations, now, now)
        else:
            self._draft = copy(contact)
            self._draft.attributes = dict(contact.attributes)
            self._draft.relations = dict(contact.relations)

    def write(self, data: Mapping[str, Any], included: Sequence[Included] = ()) -> Written:
        """Checks and commits. Raises `Refused` with everything that is wrong."""
        attributes = data.get("attributes") or {}
        relationships = data.get("relationships") or {}
        unknown = self._attributes(attributes)
        self._lists(attributes)
        unknown += self._relations(relationships)
        self._inline(relationships.get("addresses"), included)
        draft = self._draft
        names = (draft.attributes.get("firstName"), draft.attributes.get("lastName"))
        if not (any(names) or draft.emails or draft.phones):
            self._problems.append(NO_INFORMATION)
        if unknown:
            self._problems.append(problems.extra_fields(unknown))
        problems.raise_if(self._problems)
        if self._too_long_for_database:
            raise problems.driver_failure()
        return self._commit()

    # attributes

    def _attributes(self, attributes: Mapping[str, Any]) -> list[str]:
        unknown = []
        for name, value in attributes.items():
            if name in TEXTS and (name != "externalId" or self._state.settings.contact_external_id):
                self._text(name, value)
            elif name == "gender":
                self._gender(value)
            elif name == "birthday":
                self._birthday(value)
            elif name not in READ_ONLY and name not in ("emails", "phones", "primaryEmail", "primaryPhone"):
                unknown.append(name)
        return unknown

    def _text(self, name: str, value: Any) -> None:
        pointer = f"{self._at}/attributes/{name}"
        if value is not None and not isinstance(value, str):
            self._problems.append(Problem(400, "form constraint", "This value is not valid.", pointer))
            return
        text = value.strip() if value is not None and name != "description" else value
        limit, by_form = TEXTS[name]
        if text is not None and len(text) > limit:
            if by_form:
                self._problems.append(problems.too_long(limit, pointer))
            self._too_long_for_database = True
        if name == "externalId" and text is not None:
            taken = [number for number in self._state.contacts.with_key(name, text) if number != self._draft.id]
            if taken:
                detail = "This value is already used."
                self._problems.append(Problem(400, "unique entity constraint", detail, pointer))
        self._draft.attributes[name] = text

    def _gender(self, value: Any) -> None:
        if value not in (None, "", "male", "female"):
            detail = "The value you selected is not a valid choice."
            self._problems.append(Problem(400, "choice constraint", detail, f"{self._at}/attributes/gender"))
        self._draft.attributes["gender"] = value or None

    def _birthday(self, value: Any) -> None:
        day = parse_birthday(value) if isinstance(value, str) else None
        if value is not None and day is None:
            detail = f'The "{value}" is not valid date.'
            self._problems.append(Problem(400, "form constraint", detail, f"{self._at}/attributes/birthday"))
        self._draft.attributes["birthday"] = day

    def _lists(self, attributes: Mapping[str, Any]) -> None:
        draft = self._draft
        draft.emails, found = contact_rows.apply(self._state, contact_rows.EMAILS, draft.emails, attributes, self._at)
        self._problems += found
        draft.phones, found = contact_rows.apply(self._state, contact_rows.PHONES, draft.phones, attributes, self._at)
        self._problems += found
        longest = max((len(row.value) for row in (*draft.emails, *draft.phones)), default=0)
        self._too_long_for_database = self._too_long_for_database or longest > 255

    # relations

    def _relations(self, relationships: Mapping[str, Any]) -> list[str]:
        unknown = []
        for name, value in relationships.items():
            data = value.get("data")
            pointer = f"{self._at}/relationships/{name}/data"
            if name in ONE:
                self._relate_one(name, data, pointer)
            elif name in MANY:
                found = [entry["id"] for entry in data or () if find(self._state, MANY[name], entry["id"])]
                if len(found) < len(data or ()):
                    self._problems.append(problems.unknown_entity(pointer))
                self._draft.relations[name] = [int(number) for number in found]
            elif name != "addresses":
                unknown.append(name)
        return unknown

    def _relate_one(self, name: str, data: Any, pointer: str) -> None:
        identifier = None if data is None else data["id"]
        if identifier is not None and find(self._state, ONE[name], identifier) is None:
            self._problems.append(problems.unknown_entity(pointer))
            return
        value = int(identifier) if identifier is not None and ONE[name] in NUMBERED else identifier
        if name == "owner" and not self._may_own(value):
            self._problems += owner_refused(pointer)
        self._draft.relations[name] = value

    def _may_own(self, owner: int | None) -> bool:
        action = "create" if self._before is None else "edit"
        level = self._state.level(self._user, "contact", action)
        unchanged = self._before is not None and self._before.owner == owner
        return self._back_office or unchanged or level == SYSTEM or owner == self._user.id

    # addresses

    def _inline(self, relation: Mapping[str, Any] | None, included: Sequence[Included]) -> None:
        """Settles the addresses named in the relation, made and changed by what came along."""
        by_key = {entry.key: entry for entry in included}
        if relation is None:
            return
        mine = {str(number): number for number in self._draft.addresses}
        self._addresses = []
        for index, reference in enumerate(relation.get("data") or ()):
            key = str(reference["id"])
            entry = by_key.get(key)
            known = self._state.addresses.get(mine[key]) if key in mine else None
            if known is None and entry is None:
                self._problems.append(problems.unknown_entity(f"{self._at}/relationships/addresses/data/{index}"))
                continue
            address = (
                address_rules.draft_of(known)
                if known is not None
                else address_rules.blank_address(self._state, self._draft.id)
            )
            if entry is not None:
                self._write_inline(address, entry, index)
            self._addresses.append(address)
            if entry is not None:
                self._keys[len(self._addresses) - 1] = entry.key
        address_rules.settle_inline(self._addresses)

    def _write_inline(self, address: Address, entry: Included, index: int) -> None:
        wrong = address_rules.apply(address, entry.data, entry.at)
        at_fields, at_address = address_rules.check(address, entry.at)
        self._problems += at_fields + wrong
        for problem in at_address:
            self._problems.append(problem.at(f"{self._at}/relationships/addresses/data/{index}"))
            self._problems.append(problem.at(entry.at))

    # commit

    def _commit(self) -> Written:
        state, draft, before = self._state, self._draft, self._before
        if before is None:
            draft.id = state.contacts.new_id()
        draft.attributes = {name: value for name, value in draft.attributes.items() if value is not None}
        draft.relations = {name: value for name, value in draft.relations.items() if value not in (None, [])}
        included, addresses_changed = self._commit_addresses()
        lists_changed = before is not None and _values(before) != _values(draft)
        if before is not None:
            plain = (before.attributes, before.relations) != (draft.attributes, draft.relations)
            if plain or (self._back_office and (lists_changed or addresses_changed)):
                draft.updated_at = state.now()
                draft.relations["updatedBy"] = self._user.id
        _note(state, self._user, before, draft)
        contact = draft if before is None else before
        if before is not None:
            contact.attributes, contact.relations = draft.attributes, draft.relations
            contact.emails, contact.phones, contact.addresses = draft.emails, draft.phones, draft.addresses
            contact.updated_at = draft.updated_at
        state.contacts.save(contact)
        return Written(contact, included)

    def _commit_addresses(self) -> tuple[list[tuple[int, str]], bool]:
        if self._addresses is None:
            return [], False
        state, draft = self._state, self._draft
        changed = False
        for address in self._addresses:
            known = state.addresses.get(address.id)
            if known is None:
                address.id, address.contact = state.addresses.new_id(), draft.id
            elif address_rules.same(known, address):
                continue
            else:
                address.updated_at = state.now()
            changed = True
            state.addresses.save(address)
        kept = {address.id for address in self._addresses}
        for number in set(draft.addresses) - kept:
            state.addresses.remove(number)
            changed = True
        draft.addresses = sorted(kept)
        return [(self._addresses[index].id, key) for index, key in self._keys.items()], changed


def owner_refused(pointer: str) -> list[Problem]:
    """The two errors about an owner the user may not set (acl-restricted-create-for-other-owner)."""
    denied = 'The "VIEW" permission is denied for the related resource.'
    return [
        Problem(400, "owner constraint", "You have no access to set this value as owner.", pointer),
        Problem(403, "access granted constraint", denied, pointer),
    ]


def _values(contact: Contact) -> list[tuple[str, bool]]:
    return [(row.value, row.primary) for row in (*contact.emails, *contact.phones)]


def _note(state: OroState, user: OroUser, before: Contact | None, after: Contact) -> None:
    """Writes the audit entries of a change."""
    old = before.attributes if before else {}
    data: dict[str, Any] = {} if before else _new_relations(state, after)
    data |= {
        name: audit.of_attribute(name, old.get(name), after.attributes.get(name))
        for name in {**old, **after.attributes}
        if old.get(name) != after.attributes.get(name)
    }
    if before is not None and before.owner != after.owner:
        data["owner"] = audit.difference(before.owner, after.owner)
    for kind, items in LISTS.items():
        old_rows: list[ListRow] = getattr(before, items) if before else []
        _note_rows(state, user, kind, old_rows, getattr(after, items))
    action = "create" if before is None else "update"
    audit.write(state, user, action, "contact", after.id, after.title, data)


def _new_relations(state: OroState, contact: Contact) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for kind, items in LISTS.items():
        rows: list[ListRow] = getattr(contact, items)
        if rows:
            data[items] = audit.added(kind, [(row.id, row.value) for row in rows], kind)
    names = [(each.id, _addressee(each)) for each in state.address_list(contact)]
    if any(name for _, name in names):
        data["addresses"] = audit.added("address", [row for row in names if row[1]])
    for name in ("source", "method"):
        entry = find(state, ONE[name], contact.relations.get(name))
        if entry is not None:
            data[name] = audit.added(name, [(entry.id, entry.attributes["label"])])
    for name in ("owner", "assignedTo"):
        person = state.users.get(contact.relations.get(name) or 0)
        if person is not None:
            data[name] = audit.added("user", [(person.id, person.name)])
    return data


def _addressee(address: Address) -> str:
    names = ("namePrefix", "firstName", "middleName", "lastName", "nameSuffix")
    return " ".join(str(address.attributes[name]) for name in names if address.attributes.get(name))


def _note_rows(state: OroState, user: OroUser, kind: str, old: list[ListRow], new: list[ListRow]) -> None:
    before = {row.id: row.value for row in old}
    after = {row.id: row.value for row in new}
    for number, value in after.items():
        if before.get(number) != value:
            action = "update" if number in before else "create"
            data = {kind: audit.difference(before.get(number), value)}
            audit.write(state, user, action, kind, number, value, data)
    for number, value in before.items():
        if number not in after:
            audit.write(state, user, "remove", kind, number, value, {kind: audit.difference(value, None)})


def delete(state: OroState, user: OroUser | None, contact: Contact) -> None:
    """Takes a contact away with its addresses; links from tasks and events go without moving those."""
    data = {name: audit.of_attribute(name, value, None) for name, value in contact.attributes.items()}
    owner = state.users.get(contact.owner or 0)
    if owner is not None:
        data["owner"] = audit.removed_relation("user", owner.id, owner.name)
    for kind, items in LISTS.items():
        rows: list[ListRow] = getattr(contact, items)
        for row in rows:
            audit.write(state, user, "remove", kind, row.id, row.value, {kind: audit.difference(row.value, None)})
    audit.write(state, user, "remove", "contact", contact.id, contact.title, data)
    for number in contact.addresses:
        state.addresses.remove(number)
    crm_links.forget(state, "contacts", contact.id)
    state.contacts.remove(contact.id)
