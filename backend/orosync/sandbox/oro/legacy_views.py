"""How tasks, contacts, calendar connections and audit entries look in the older REST API.

Source: rest-old-tasks-list, rest-old-contacts-list, calendar-connections*, audits-list*.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orosync.sandbox.oro import address_rules, geography
from orosync.sandbox.oro.audit import CLASSES
from orosync.sandbox.oro.dictionaries import DICTIONARIES
from orosync.sandbox.oro.event_views import MY_TASKS
from orosync.sandbox.oro.records import Address, Audit, Contact, Task
from orosync.sandbox.oro.schema_contacts import CONTACTS
from orosync.sandbox.oro.state import CalendarConnection, OroState
from orosync.sandbox.oro.task_rules import STEPS
from orosync.sandbox.oro.times import legacy_time

TASK_FORM = (
    "owner",
    "contexts",
    "subject",
    "description",
    "dueDate",
    "status",
    "taskPriority",
    "reminders",
    "createdAt",
)
_ASSOCIATIONS = (
    "contact_a6d273bd",
    "account_638472a8",
    "opportunity_6b9fac9c",
    "email_bc65e759",
    "lead_23c40e3e",
    "b2b_customer_88d7394f",
    "case_entity_eafc92f2",
)
_LATER = ("createdAt", "updatedAt", "primaryPhone", "primaryEmail", "emails", "phones")


def task(state: OroState, shown: Task) -> dict[str, Any]:
    """A task; `workflowItem` and `workflowStep` only while it has an item."""
    owner = state.users.get(shown.owner or 0)
    creator = state.users.get(shown.created_by or 0)
    view: dict[str, Any] = {
        "id": shown.id,
        "subject": shown.subject,
        "description": shown.description,
        "dueDate": legacy_time(shown.due_date),
        "createdAt": legacy_time(shown.created_at),
        "updatedAt": legacy_time(shown.updated_at),
        "serialized_data": None,
        "owner_id": shown.owner,
        "taskPriority": shown.priority,
        "owner": owner.username if owner else None,
        "createdBy": creator.username if creator else None,
        "organization": state.settings.organization,
        "status": DICTIONARIES["taskstatuses"][shown.status].attributes["name"],
        **{name: {} for name in _ASSOCIATIONS},
    }
    if shown.workflow_item is not None:
        view |= {"workflowItem": shown.workflow_item, "workflowStep": STEPS[shown.status]}
    return view


def contact(state: OroState, shown: Contact) -> dict[str, Any]:
    """A contact with its lists and addresses inside."""
    relations = shown.relations
    plain = {name: shown.attributes.get(name) for name in CONTACTS.attributes if name not in _LATER}
    groups = [
        {"id": number, "label": state.groups[number], "owner": None, "organization": state.settings.organization}
        for number in relations.get("groups", ())
    ]
    return {
        "id": shown.id,
        **{name: value for name, value in plain.items() if not name.startswith(("lastContacted", "timesContacted"))},
        "createdAt": legacy_time(shown.created_at),
        "updatedAt": legacy_time(shown.updated_at),
        **{
            name: relations.get(name)
            for name in ("source", "method", "owner", "assignedTo", "reportsTo", "createdBy", "updatedBy")
        },
        "organization": state.settings.organization,
        "picture": None,
        "emails": [{"email": row.value, "primary": row.primary} for row in shown.emails],
        "phones": [{"phone": row.value, "primary": row.primary} for row in shown.phones],
        "addresses": [_address(each) for each in state.address_list(shown)],
        "groups": groups,
        "accounts": relations.get("accounts", []),
        "email": state.primary(shown.emails),
    }


def activities(state: OroState, contact: int) -> Iterator[tuple[str, Any]]:
    """Notes, calls, tasks and calendar events about a contact, each with the entity it is of."""
    target = ("contacts", contact)
    for entity in ("note", "call"):
        table = state.crm[f"{entity}s"]
        yield from ((entity, table.get(number)) for number in table.with_key(*target))
    yield from (("task", state.tasks.get(number)) for number in state.tasks.with_key(*target))
    yield from (("event", event) for event in state.events if contact in event.contacts)


def _address(shown: Address) -> dict[str, Any]:
    country = geography.countries().get(shown.country or "")
    region = geography.regions().get(shown.region or "")
    names = [name for name in address_rules.TEXTS if name != "customRegion"]
    return {
        "primary": shown.primary,
        "id": shown.id,
        **{name: shown.attributes.get(name) for name in names},
        "created": legacy_time(shown.created_at),
        "updated": legacy_time(shown.updated_at),
        "country": country.name if country else None,
        "region": region.name if region else shown.attributes.get("customRegion"),
        "types": [{"name": kind, "label": kind.capitalize()} for kind in shown.types],
    }


def tasks_calendar(target: int) -> dict[str, Any]:
    """The entry every calendar has."""
    options = {
        "widgetRoute": "oro_task_widget_info",
        "widgetOptions": {"title": "Task Information", "dialogOptions": {"width": 600}},
    }
    return {
        "calendarName": "My Tasks",
        "removable": False,
        "position": -100,
        "backgroundColor": "#F83A22",
        "options": options,
        "targetCalendar": target,
        "calendarAlias": "tasks",
        "calendar": MY_TASKS,
        "id": None,
        "visible": True,
    }


def connection(state: OroState, shown: CalendarConnection) -> dict[str, Any]:
    """A calendar shown inside another, with its owner."""
    owner = state.calendar_owner(shown.calendar)
    return {
        "id": shown.id,
        "calendarAlias": "user",
        "calendar": shown.calendar,
        "position": 0,
        "visible": shown.visible,
        "backgroundColor": None,
        "targetCalendar": shown.target,
        "calendarName": owner.name if owner else None,
        "userId": owner.id if owner else None,
        "removable": shown.calendar != shown.target,
        "canAddEvent": True,
        "canEditEvent": True,
        "canDeleteEvent": True,
    }


def contact_target(shown: Contact) -> dict[str, Any]:
    """A contact an event is linked to."""
    return {"ownerId": shown.owner, "id": shown.id, "entity": CLASSES["contact"], "title": shown.title}


def audit_entry(state: OroState, entry: Audit) -> dict[str, Any]:
    """One audit entry."""
    user = state.users.get(entry.user or 0)
    return {
        "id": entry.id,
        "action": entry.action,
        "loggedAt": legacy_time(entry.logged_at),
        "objectId": entry.object_id,
        "objectClass": entry.object_class,
        "objectName": entry.object_name,
        "version": entry.version,
        "transactionId": entry.transaction,
        "ownerDescription": f"{user.name} - {user.email}" if user else None,
        "additionalFields": entry.additional,
        "organization": state.settings.organization,
        "impersonation": None,
        "user": entry.user,
        "data": entry.data,
    }
