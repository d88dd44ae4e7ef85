"""Tasks of OroCRM as items: lists, bulk reads and writes, with the detour a task's status may need.

An item's body is {"id", "attributes", "taskPriority", "status", "owner", "tags"}. While the workflow of tasks is active
its status can only be moved by the transitions of the old REST API (orocrm-api.md 4); whether it is, is learnt here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from orosync.core.exchange import Write, Written
from orosync.core.records import Entity, Item, Json
from orosync.errors import OrosyncError, OutcomeUnknown, RecordChanged, RecordError, RecordMissing, RecordRefused
from orosync.oro import jsonapi, legacy_rest
from orosync.oro.answers import is_workflow_refusal, one_of, rows_of, write_refusal
from orosync.oro.client import Answer, Dialect, Method, OroClient
from orosync.oro.versions import version_of

TYPE, TAG = "tasks", "tags"
ATTRIBUTES = ("subject", "description", "dueDate", "createdAt", "updatedAt")
RELATIONS: Mapping[str, str] = {"taskPriority": "taskpriorities", "status": "taskstatuses"}
FIRST_STATUS = "open"


class StatusRuled(Exception):
    """OroCRM says that the workflow rules the status of this task."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """owner: only this user's tasks are in scope; None for all. workflow_active: what is known of it (None: not
    yet). learn: is told what a write found out."""

    client: OroClient
    owner: str | None
    workflow_active: Callable[[], bool | None]
    learn: Callable[[bool], None]
    entity: Entity = Entity.TASK
    type: str = TYPE

    def shape(self) -> dict[str, str]:
        own = jsonapi.thin(TYPE, [*ATTRIBUTES, *RELATIONS, "owner", "tags"])
        return {"include": TAG, **own, **jsonapi.thin(TAG, ["name"])}

    def scope(self) -> dict[str, str]:
        return {} if self.owner is None else {"filter[owner]": self.owner}

    def items(self, answer: Answer) -> list[Item]:
        tags = jsonapi.included_by_id(answer.document, TAG)
        return [_item_of(row, jsonapi.tag_names(row, tags)) for row in rows_of(answer)]

    def item(self, answer: Answer, id: str | None = None) -> Item:
        row = one_of(answer, id)
        return _item_of(row, jsonapi.tag_names(row, jsonapi.included_by_id(answer.document, TAG)))

    def is_elsewhere(self, item: Item) -> bool:
        return self.owner is not None and item.body["owner"] != self.owner

    def found_by(self, since: datetime, user: str) -> dict[str, str]:
        """Parameters of the list in which a create of unknown outcome is looked for."""
        return {**jsonapi.since_filter("updatedAt", jsonapi.instant(since)), "filter[createdBy]": user}

    def create(self, write: Write) -> Written:
        """A task born with another status than open takes three requests under a workflow (create, read its workflow
        item, transit). If the last is refused the new task is taken back, so that nothing is half made."""
        attributes, relations, status = _parts(write.patch)
        wish = status or FIRST_STATUS
        if wish != FIRST_STATUS and self.workflow_active() is not True:
            try:
                return Written(self._send("POST", TYPE, None, attributes, {**relations, "status": wish}))
            except StatusRuled:
                self.learn(True)
        item = self._send("POST", TYPE, None, attributes, {**relations, "status": FIRST_STATUS})
        if wish == FIRST_STATUS:
            return Written(item)
        try:
            return Written(self._move(item.id, FIRST_STATUS, wish))
        except (RecordRefused, RecordChanged) as refused:
            self._taken_back(item, refused)

    def update(self, write: Write, item: Item) -> Written:
        """One PATCH; under a workflow the status follows by transitions. If those are refused the rest stays applied
        and the refusal is reported: the next reading shows what is there."""
        attributes, relations, status = _parts(write.patch)
        if status == item.body["status"]:
            status = None
        path = f"{TYPE}/{item.id}"
        if status is not None and self.workflow_active() is not True:
            try:
                return Written(self._send("PATCH", path, item.id, attributes, {**relations, "status": status}))
            except StatusRuled:
                self.learn(True)
        written = item
        if attributes or relations:
            written = self._send("PATCH", path, item.id, attributes, relations)
        if status is None or written.body["status"] == status:
            return Written(written)
        return Written(self._move(item.id, written.body["status"], status))

    def delete(self, item: Item) -> Written:
        answer = self.client.write("DELETE", f"{TYPE}/{item.id}")
        if not answer.ok and answer.status != 404:
            raise write_refusal(answer, self.entity)
        return Written(None)

    def _send(
        self, method: Method, path: str, id: str | None, attributes: Mapping[str, Any], relations: Mapping[str, str]
    ) -> Item:
        links = {name: jsonapi.one(RELATIONS[name], value) for name, value in relations.items()}
        answer = self.client.write(method, path, jsonapi.document(TYPE, id, attributes, links))
        if is_workflow_refusal(answer):
            raise StatusRuled
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        item = self.item(answer, id)
        return self._read_back(item.id) if item.body["tags"] else item  # a reply to a write names tags by id only

    def _read_back(self, id: str) -> Item:
        answer = self.client.get(f"{TYPE}/{id}", self.shape())
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        return self.item(answer, id)

    def _move(self, id: str, present: str, wish: str) -> Item:
        workflow_item = self._workflow_item(id)
        if workflow_item is None:  # made while the workflow was off: its status stays freely writable
            return self._free(id, wish)
        steps = legacy_rest.TRANSITIONS.get((present, wish))
        if steps is None:
            raise RecordRefused("status: OroCRM's task workflow has no way to this status.", code="no_transition")
        for step in steps:
            answer = self.client.write("POST", legacy_rest.transition_path(workflow_item, step), dialect=Dialect.LEGACY)
            if not answer.ok and step is steps[0]:
                raise _step_refused(answer, step)
            if not answer.ok:  # the status stands half way, where nobody wants it
                raise OutcomeUnknown("The task's status came half way.", code="half_made", status=answer.status)
        return self._read_back(id)

    def _workflow_item(self, id: str) -> str | None:
        answer = self.client.get(legacy_rest.task_path(id), dialect=Dialect.LEGACY)
        if not answer.ok:
            raise write_refusal(answer, self.entity)
        number = one_of(answer, id).get("workflowItem")
        return None if number is None else str(number)

    def _free(self, id: str, wish: str) -> Item:
        try:
            return self._send("PATCH", f"{TYPE}/{id}", id, {}, {"status": wish})
        except StatusRuled:
            raise RecordRefused(
                "status: OroCRM's workflow rules the status, and the task has no workflow item.", code="no_transition"
            ) from None

    def _taken_back(self, item: Item, refused: RecordError) -> NoReturn:
        try:
            self.delete(item)
        except OrosyncError:  # it is there, and has not got its status: whoever finds it plans that as a change
            raise OutcomeUnknown("The task was made, but its status could not be set.", code="half_made") from refused
        raise refused


def _item_of(row: jsonapi.Resource, tags: list[str]) -> Item:
    given = jsonapi.attributes_of(row)
    body: Json = {
        "id": jsonapi.number_of(row),
        "attributes": {name: given.get(name) for name in ATTRIBUTES},
        **{name: jsonapi.related(row, name) for name in RELATIONS},
        "owner": jsonapi.related(row, "owner"),
        "tags": tags,
    }
    return Item(body["id"], version_of(body), body)


def _parts(patch: Json) -> tuple[Json, dict[str, str], str | None]:
    """(attributes, relations without status, status). Raises RecordRefused for a subject that is too long."""
    attributes = dict(patch.get("attributes", {}))
    if len(attributes.get("subject") or "") > 255:
        raise RecordRefused("OroCRM holds at most 255 characters in subject.", code="too_long")
    relations = dict(patch.get("relationships", {}))
    status = patch.get("status", relations.pop("status", None))
    return attributes, relations, status


def _step_refused(answer: Answer, step: str) -> OrosyncError:
    """400: it stands at another step by now (workflow-transit-not-allowed). 403: not for this user."""
    if answer.status == 403:
        return RecordRefused(
            f"status: OroCRM does not allow this user the transition {step}.", code="forbidden", status=403
        )
    if answer.status == 404:
        return RecordMissing("The task's workflow item is no longer there.", code="workflow_item", status=404)
    return RecordChanged(
        f"status: OroCRM refuses the transition {step} from the task's present step.", code="transition",
        status=answer.status,
    )  # fmt: skip
