"""Edits as people make them in the back office, and edits as another API client makes them.

Records are given and returned in one friendly shape: attributes as the API names them side by side, relations as
ids, e-mails and phones as texts, addresses as dicts with `types`, `country`, `region`, what tasks, notes and calls are
about as `targets`, pairs like ("leads", 3). People's edits move updatedAt of a contact also for e-mails, phones and
addresses; those of another API client do not (contacts-updatedAt-what-changes-it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from orosync.sandbox.oro import address_rules, contact_rows, contact_rules, crm_rules, event_rules, task_rules
from orosync.sandbox.oro.contact_rules import ContactForm, Included
from orosync.sandbox.oro.crm_rules import CrmForm
from orosync.sandbox.oro.problems import LegacyRefused, Refused
from orosync.sandbox.oro.records import Contact, Event, OroUser, Task
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.task_rules import TaskForm

_CRM = {shape.entity: kind for kind, shape in crm_rules.SHAPES.items()}
KINDS = ("contact", "task", "event", *_CRM)


class RefusedEdit(ValueError):
    """OroCRM would not take this edit."""


class Editor:
    """Writes records as one user; `as_person=False` is another API client."""

    def __init__(self, state: OroState, user: OroUser, *, as_person: bool) -> None:
        self._state, self._user, self._as_person = state, user, as_person

    def create(self, kind: str, values: Mapping[str, Any]) -> int:
        """Makes a record and returns its id. Raises `RefusedEdit`; ValueError for another kind."""
        return self._write(kind, None, values)

    def edit(self, kind: str, number: int, values: Mapping[str, Any]) -> None:
        """Changes the values given and leaves the others. Raises `RefusedEdit`, KeyError."""
        self._write(kind, self.record(kind, number), values)

    def record(self, kind: str, number: int) -> Any:
        """The stored record. Raises KeyError."""
        tables: dict[str, Any] = {
            "contact": self._state.contacts,
            "task": self._state.tasks,
            "event": self._state.events,
            **{entity: self._state.crm[name] for entity, name in _CRM.items()},
        }
        if kind not in tables:
            raise ValueError(f"kind {kind!r} is not known: one of {', '.join(KINDS)}")
        found = tables[kind].get(number)
        if found is None:
            raise KeyError(f"{kind} {number}")
        return found

    def _write(self, kind: str, record: Any, values: Mapping[str, Any]) -> int:
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is not known: one of {', '.join(KINDS)}")
        try:
            if kind == "contact":
                return self._contact(record, values)
            if kind == "task":
                return self._task(record, values)
            if kind in _CRM:
                document = crm_rules.friendly(self._state, _CRM[kind], record, values)
                return CrmForm(self._state, self._user, _CRM[kind], record).write(document).id
            return self._event(record, values)
        except Refused as refused:
            details = "; ".join(f"{each.pointer or ''} {each.detail or each.title}" for each in refused.problems)
            raise RefusedEdit(details.strip()) from refused
        except LegacyRefused as refused:
            raise RefusedEdit(str(refused.body)) from refused

    # contacts

    def _contact(self, contact: Contact | None, values: Mapping[str, Any]) -> int:
        names = {*contact_rules.ONE, *contact_rules.MANY, "addresses"}
        attributes = {name: value for name, value in values.items() if name not in names}
        emails, phones = (contact.emails, contact.phones) if contact else ([], [])
        contact_rows.from_texts(self._state, attributes, emails, phones)
        relationships: dict[str, Any] = {}
        for name, kind in {**contact_rules.ONE, **contact_rules.MANY}.items():
            if name in values and name != "tags":
                relationships[name] = {"data": _references(kind, values[name])}
        if "tags" in values:
            ids = [self._state.tag_id(name) for name in values["tags"]]
            relationships["tags"] = {"data": _references("tags", ids)}
        included: list[Included] = []
        if "addresses" in values:
            relationships["addresses"] = {"data": _addresses(values["addresses"], included)}
        form = ContactForm(self._state, self._user, contact, back_office=self._as_person)
        data = {"attributes": attributes, "relationships": relationships}
        return form.write(data, included).contact.id

    def edit_address(self, number: int, values: Mapping[str, Any]) -> None:
        """Another API client changes one address by itself: the contact's updatedAt stays."""
        address = self._state.addresses.get(number)
        if address is None:
            raise KeyError(f"address {number}")
        draft = address_rules.draft_of(address)
        address_rules.apply(draft, _address_document(values), "")
        draft.updated_at = self._state.now()
        self._state.addresses.save(draft)

    # tasks

    def _task(self, task: Task | None, values: Mapping[str, Any]) -> int:
        attributes = {name: values[name] for name in ("subject", "description", "dueDate") if name in values}
        if task is None:
            values = {"taskPriority": "normal", "status": "open"} | dict(values)
        status = values.get("status")
        relations: dict[str, Any] = {}
        if "taskPriority" in values:
            relations["taskPriority"] = {"data": _references("taskpriorities", values["taskPriority"])}
        if "owner" in values:
            relations["owner"] = {"data": _references("users", values["owner"])}
        if "contacts" in values or "targets" in values:
            about = [*(("contacts", each) for each in values.get("contacts", ())), *values.get("targets", ())]
            relations["activityTargets"] = {"data": [{"type": each, "id": str(of)} for each, of in about]}
        if "tags" in values:
            ids = [self._state.tag_id(name) for name in values["tags"]]
            relations["tags"] = {"data": _references("tags", ids)}
        if task is None:
            free = not self._state.settings.workflow_active
            relations["status"] = {"data": _references("taskstatuses", status if free else "open")}
        saved = TaskForm(self._state, self._user, task).write({"attributes": attributes, "relationships": relations})
        if status is not None and status != saved.status:
            # a person presses the buttons of the workflow, or fills in the field where there is none
            task_rules.set_status(self._state, self._user, saved, status)
        return saved.id

    # events

    def _event(self, event: Event | None, values: Mapping[str, Any]) -> int:
        body = dict(values)
        if event is None:
            body.setdefault("calendar", self._state.calendar_of(self._user))
        if body.get("allDay") and len(str(body.get("start", ""))) == 10:
            body["start"], body["end"] = self._whole_days(body["start"], body.get("end") or body["start"])
        contacts = body.pop("contacts", None)
        if event is None:
            event = event_rules.create(self._state, self._user, body)
        elif body:
            event_rules.update(self._state, self._user, event, body)
        if contacts is not None:
            event.contacts = list(contacts)
            event.updated_at = self._state.now()
            self._state.events.save(event)
        return event.id

    def _whole_days(self, first: str, last: str) -> tuple[str, str]:
        """Local 00:00 of the first day to 23:59 of the last, turned into UTC."""
        zone = ZoneInfo(self._user.time_zone)
        start = datetime.combine(datetime.fromisoformat(first).date(), time(0, 0), zone)
        end = datetime.combine(datetime.fromisoformat(last).date(), time(23, 59), zone)
        utc = ZoneInfo("UTC")
        return start.astimezone(utc).isoformat(), end.astimezone(utc).isoformat()


class BackOffice(Editor):
    """A person with every permission who works in the back office."""

    def __init__(self, state: OroState, user: OroUser) -> None:
        super().__init__(state, user, as_person=True)

    def acting_as(self, user: OroUser) -> BackOffice:
        """The same for another person."""
        return BackOffice(self._state, user)

    def delete(self, kind: str, number: int) -> None:
        """Deletes a record. Raises KeyError."""
        record = self.record(kind, number)
        if kind in _CRM:
            crm_rules.delete(self._state, record)
            return
        rules: dict[str, Any] = {
            "contact": contact_rules.delete,
            "task": task_rules.delete,
            "event": event_rules.delete,
        }
        rules[kind](self._state, self._user, record)

    def change_owner(self, kind: str, number: int, user: OroUser) -> None:
        """Gives a contact or task to somebody else, or moves an event into that user's calendar."""
        if kind == "event":
            self.edit(kind, number, {"calendar": self._state.calendar_of(user)})
        else:
            self.edit(kind, number, {"owner": user.id})

    def transit(self, task: int, transition: str) -> None:
        """Presses a button of the workflow. Raises `RefusedEdit` where it is not offered."""
        item = self.record("task", task).workflow_item
        try:
            task_rules.transit(self._state, self._user, item or 0, transition)
        except LegacyRefused as refused:
            raise RefusedEdit(str(refused.body)) from refused

    def set_workflow_active(self, *, active: bool) -> None:
        """Switches the task workflow on or off."""
        task_rules.set_active(self._state, active=active)

    def answer_invitation(self, event: int, status: str) -> None:
        """An invited user answers on the own copy, or the calendar's owner on the event."""
        event_rules.answer(self._state, self.record("event", event), status)

    def tag(self, kind: str, number: int, names: Iterable[str]) -> None:
        """Sets the tags of a contact or task; moves nothing."""
        record = self.record(kind, number)
        ids = [self._state.tag_id(name) for name in names]
        if isinstance(record, Contact):
            record.relations["tags"] = ids
        else:
            record.tags = ids


def _references(kind: str, value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [{"type": kind, "id": str(each)} for each in value]
    return None if value is None else {"type": kind, "id": str(value)}


def _address_document(values: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: value for name, value in values.items() if name not in ("id", "types", "country", "region")}
    relations = {
        name: {"data": _references(kind, values[name])}
        for name, kind in (("types", "addresstypes"), ("country", "countries"), ("region", "regions"))
        if name in values
    }
    return {"type": "contactaddresses", "attributes": attributes, "relationships": relations}


def _addresses(given: Iterable[Mapping[str, Any]], included: list[Included]) -> list[dict[str, str]]:
    references = []
    for index, values in enumerate(given):
        key = str(values.get("id") or f"new{index}")
        included.append(Included({**_address_document(values), "id": key}, f"/included/{index}"))
        references.append({"type": "contactaddresses", "id": key})
    return references


def view_contact(state: OroState, contact: Contact) -> dict[str, Any]:
    """The friendly full view of a contact."""
    addresses = [
        {
            "id": each.id,
            **each.attributes,
            "primary": each.primary,
            "types": list(each.types),
            "country": each.country,
            "region": each.region,
            "updatedAt": each.updated_at,
        }
        for each in state.address_list(contact)
    ]
    attributes = {name: contact.attributes.get(name) for name in (*contact_rules.TEXTS, "gender", "birthday")}
    return {
        "id": contact.id,
        **attributes,
        "emails": [row.value for row in contact.emails],
        "phones": [row.value for row in contact.phones],
        "primaryEmail": state.primary(contact.emails),
        "primaryPhone": state.primary(contact.phones),
        "owner": contact.owner,
        "addresses": addresses,
        "groups": list(contact.relations.get("groups", ())),
        "tags": [state.tags[number] for number in contact.relations.get("tags", ())],
        "createdAt": contact.created_at,
        "updatedAt": contact.updated_at,
    }


def view_task(state: OroState, task: Task) -> dict[str, Any]:
    """The friendly full view of a task."""
    return {
        "id": task.id,
        "subject": task.subject,
        "description": task.description,
        "dueDate": task.due_date,
        "status": task.status,
        "taskPriority": task.priority,
        "owner": task.owner,
        "contacts": [number for kind, number in task.targets if kind == "contacts"],
        "tags": [state.tags[number] for number in task.tags],
        "workflowItem": task.workflow_item,
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
    }
