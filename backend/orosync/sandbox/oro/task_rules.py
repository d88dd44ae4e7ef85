"""What OroCRM checks about a task, and the workflow that rules its status.

While `task_flow` is active a new task is open and its status changes only through transitions; tasks made while it
was not active keep a free status. Source: tasks-*, workflow-*, section 4 of the API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from orosync.sandbox.oro import audit, problems
from orosync.sandbox.oro.contact_rules import owner_refused
from orosync.sandbox.oro.dictionaries import DICTIONARIES, find
from orosync.sandbox.oro.permissions import SYSTEM
from orosync.sandbox.oro.problems import LegacyRefused, Problem, legacy_code
from orosync.sandbox.oro.records import OroUser, Task
from orosync.sandbox.oro.state import FLOW, OroState
from orosync.sandbox.oro.times import parse_attribute_time

TRANSITIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "start_progress": (("open",), "in_progress"),
    "stop_progress": (("in_progress",), "open"),
    "close": (("open", "in_progress"), "closed"),
    "reopen": (("closed",), "open"),
}
STEPS = {"open": 1, "in_progress": 2, "closed": 3}
TARGETS = ("contacts", "accounts", "leads", "opportunities", "cases", "emails", "b2bcustomers")
NOT_ACCEPTABLE = Problem(400, "form constraint", "The entity is not acceptable.")
_CREATE = "Could not create entity with this value because of workflow restrictions."
_EDIT = "Field could not be edited because of workflow restrictions."


class TaskForm:
    """One write of one task; `back_office=True` is a person, whom the workflow does not let pass either."""

    def __init__(self, state: OroState, user: OroUser, task: Task | None, *, at: str = "/data") -> None:
        self._state, self._user, self._before, self._at = state, user, task, at
        self._problems: list[Problem] = []
        now = state.now()
        if task is None:
            self._draft = Task(0, "", None, None, "", "", user.id, user.id, now, now)
        else:
            self._draft = copy(task)

    def write(self, data: Mapping[str, Any]) -> Task:
        """Checks and commits. Raises `Refused`."""
        unknown = self._attributes(data.get("attributes") or {})
        relationships = data.get("relationships") or {}
        unknown += [name for name in relationships if not self._relation(name, relationships[name].get("data"))]
        self._required()
        if unknown:
            self._problems.append(problems.extra_fields(unknown))
        problems.raise_if(self._problems)
        return self._commit()

    def _attributes(self, attributes: Mapping[str, Any]) -> list[str]:
        unknown = []
        for name, value in attributes.items():
            pointer = f"{self._at}/attributes/{name}"
            if name == "subject":
                self._draft.subject = str(value).strip() if value is not None else ""
                if len(self._draft.subject) > 255:
                    self._problems.append(problems.too_long(255, pointer))
            elif name == "description":
                self._draft.description = value
            elif name == "dueDate":
                moment = parse_attribute_time(value) if isinstance(value, str) else None
                if value is not None and moment is None:
                    detail = f'The "{value}" is not valid datetime.'
                    self._problems.append(Problem(400, "form constraint", detail, pointer))
                self._draft.due_date = moment
            elif name not in ("createdAt", "updatedAt"):
                unknown.append(name)
        return unknown

    def _relation(self, name: str, data: Any) -> bool:
        pointer = f"{self._at}/relationships/{name}/data"
        if name in ("status", "taskPriority"):
            kind = "taskstatuses" if name == "status" else "taskpriorities"
            value = "" if data is None else str(data["id"])
            if value and value not in DICTIONARIES[kind]:
                self._problems.append(problems.unknown_entity(pointer))
                value = "?"
            if name == "status":
                self._status(value, pointer)
            else:
                self._draft.priority = value
        elif name in ("owner", "createdBy"):
            self._person(name, data, pointer)
        elif name == "activityTargets":
            self._draft.targets = self._targets(data or ())
        elif name == "tags":
            self._draft.tags = [int(entry["id"]) for entry in data or () if find(self._state, "tags", entry["id"])]
        else:
            return name == "organization"
        return True

    def _targets(self, data: Any) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for entry in data:
            if entry["type"] not in TARGETS or find(self._state, entry["type"], entry["id"]) is None:
                self._problems.append(NOT_ACCEPTABLE)
            elif (entry["type"], int(entry["id"])) not in found:
                found.append((entry["type"], int(entry["id"])))
        return found

    def _person(self, name: str, data: Any, pointer: str) -> None:
        if data is not None and find(self._state, "users", data["id"]) is None:
            self._problems.append(problems.unknown_entity(pointer))
            return
        number = None if data is None else int(data["id"])
        if name == "createdBy":
            self._draft.created_by = number
            return
        action = "create" if self._before is None else "edit"
        free = self._state.level(self._user, "task", action) == SYSTEM
        if not (free or number == self._user.id or (self._before and self._before.owner == number)):
            self._problems += owner_refused(pointer)
        self._draft.owner = number

    def _status(self, value: str, pointer: str) -> None:
        before = self._before
        if value == "?":
            self._draft.status = value
            return
        if before is None and self._state.settings.workflow_active and value not in ("", "open"):
            self._problems.append(Problem(400, "workflow entity constraint", _CREATE, pointer))
        if before is not None and before.ruled and value != before.status:
            self._problems.append(Problem(400, "workflow entity constraint", _EDIT, pointer))
        self._draft.status = value

    def _required(self) -> None:
        if not self._draft.subject:
            self._problems.append(problems.blank(f"{self._at}/attributes/subject"))
        if not self._draft.priority:
            self._problems.append(problems.blank(f"{self._at}/relationships/taskPriority/data"))
        if not self._draft.status:
            self._problems.append(problems.blank(f"{self._at}/relationships/status/data"))

    def _commit(self) -> Task:
        state, draft, before = self._state, self._draft, self._before
        data = _differences(before, draft)
        if before is None:
            draft.id = state.tasks.new_id()
            if state.settings.workflow_active:
                draft.ruled = True
                draft.workflow_item = _new_item(state, draft.id)
        elif draft != before:
            draft.updated_at = state.now()
        state.tasks.save(draft)
        audit.write(state, self._user, "create" if before is None else "update", "task", draft.id, draft.subject, data)
        return draft


def _new_item(state: OroState, task: int) -> int:
    number = state.next("workflow_item")
    state.workflow_items[number] = task
    return number


def _differences(before: Task | None, after: Task) -> dict[str, Any]:
    names = ("subject", "description", "status", "priority", "owner")
    return {
        name: audit.difference(getattr(before, name, None), getattr(after, name))
        for name in names
        if getattr(before, name, None) != getattr(after, name)
    }


def delete(state: OroState, user: OroUser | None, task: Task) -> None:
    """Takes a task away, with its workflow item."""
    label = DICTIONARIES["taskpriorities"][task.priority].attributes["label"]
    data = {
        "subject": audit.difference(task.subject, None),
        "taskPriority": audit.removed_relation("priority", task.priority, label),
    }
    owner = state.users.get(task.owner or 0)
    if owner is not None:
        data["owner"] = audit.removed_relation("user", owner.id, owner.name)
    audit.write(state, user, "remove", "task", task.id, task.subject, data)
    if task.workflow_item is not None:
        state.workflow_items.pop(task.workflow_item, None)
    state.tasks.remove(task.id)


# the workflow


def item_view(item: int, task: int) -> dict[str, Any]:
    """A workflow item as the older REST API shows it."""
    shown = {
        "id": item,
        "workflow_name": FLOW,
        "entity_id": str(task),
        "entity_class": audit.CLASSES["task"],
        "result": None,
    }
    return {"workflowItem": shown}


def task_of_item(state: OroState, item: int) -> Task:
    """The task a workflow item belongs to. Raises `LegacyRefused` 404."""
    task = state.tasks.get(state.workflow_items.get(item, 0))
    if task is None:
        raise legacy_code(404)
    return task


def transit(state: OroState, user: OroUser, item: int, transition: str) -> dict[str, Any]:
    """Takes a transition (workflow-transit-*). Raises `LegacyRefused` 400, 403, 404."""
    task = task_of_item(state, item)
    if transition not in TRANSITIONS:
        raise LegacyRefused(400, {"message": f'Transition "{transition}" is not exist in workflow.'})
    if not state.may(user, "task", "edit", task.owner):
        raise LegacyRefused(403, {"message": f'Transition "{transition}" is not allowed.'})
    origins, target = TRANSITIONS[transition]
    if task.status not in origins:
        raise LegacyRefused(400, {"message": _no_transition(task.status, transition)})
    set_status(state, user, task, target)
    return item_view(item, task.id)


def set_status(state: OroState, user: OroUser | None, task: Task, status: str) -> None:
    """Writes the status past the workflow, as a transition does; moves updatedAt."""
    data = {"status": audit.difference(task.status, status)}
    task.status = status
    task.updated_at = state.now()
    state.tasks.save(task)
    audit.write(state, user, "update", "task", task.id, task.subject, data)


def _no_transition(step: str, transition: str) -> str:
    return f'Step "{step}" of workflow "{FLOW}" doesn\'t have allowed transition "{transition}".'


def start(state: OroState, user: OroUser, number: int) -> dict[str, Any]:
    """Gives a task without a workflow item one and sets it to open (workflow-start-task-without-item)."""
    task = state.tasks.get(number)
    if task is None:
        raise legacy_code(404)
    if not state.may(user, "task", "edit", task.owner):
        raise legacy_code(403)
    if task.workflow_item is not None or not state.settings.workflow_active:
        raise LegacyRefused(400, {"message": _no_transition(task.status, "__start__")})
    task.workflow_item = _new_item(state, number)
    task.ruled = True
    set_status(state, user, task, "open")
    return item_view(task.workflow_item, number)


def delete_item(state: OroState, item: int) -> None:
    """Removes a workflow item; the status of its task stays ruled (tasks-patch-status-after-workflow-item-deleted)."""
    task = task_of_item(state, item)
    del state.workflow_items[item]
    task.workflow_item = None


def set_active(state: OroState, *, active: bool) -> None:
    """An administrator switches the workflow; switching it off drops all items for good."""
    state.settings.workflow_active = active
    if active:
        return
    state.workflow_items.clear()
    for task in state.tasks:
        task.workflow_item = None
        task.ruled = False
