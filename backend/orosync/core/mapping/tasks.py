"""Tasks: Graph's todoTask and OroCRM's task as one record (design.md 4.2, graph-api.md 4, orocrm-api.md 4).

A due date is a day on both sides of the record; which instant OroCRM keeps for it is decided here. How a status is
reached in OroCRM, by relation or by workflow, is its adapter's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any, cast

from orosync.core import canonical as forms
from orosync.core import zones
from orosync.core.fields import empty_record
from orosync.core.mapping import html_text
from orosync.core.mapping.addresses import cut
from orosync.core.mapping.contacts import PRIVATE, is_own, oro_description, tags_of
from orosync.core.mapping.lens import Context
from orosync.core.mapping.stamps import stamp_of
from orosync.core.records import Entity, Item, Json, Record, Side, Snapshot, Value

NO_TITLE = "(no title)"  # for a system that insists on a title; the other side's stays empty
_END_OF_DAY = time(23, 59)
_GRAPH_STATUS = {
    "not_started": "notStarted",
    "in_progress": "inProgress",
    "completed": "completed",
    "waiting_on_others": "waitingOnOthers",
    "deferred": "deferred",
}
_FROM_GRAPH_STATUS = {name: status for status, name in _GRAPH_STATUS.items()}
_ORO_STATUS = {"not_started": "open", "in_progress": "in_progress", "completed": "closed"}
_FROM_ORO_STATUS = {name: status for status, name in _ORO_STATUS.items()}
_HELD_STATUS = {"waiting_on_others": "in_progress", "deferred": "in_progress"}


def _changes(values: Mapping[str, Value], before: Record) -> dict[str, Value]:
    wanted = forms.canonical(Entity.TASK, values)
    return {name: value for name, value in wanted.items() if value != before[name]}


def body_text(body: Any) -> str | None:
    """The text of Graph's itemBody {content, contentType}."""
    own = body or {}
    markup = str(own.get("contentType")).casefold() == "html"
    return html_text.text_of(own.get("content")) if markup else forms.block(own.get("content"))


def text_body(text: Value) -> Json:
    """An itemBody of plain text: what was written by others never travels as markup."""
    return {"contentType": "text", "content": text or ""}


# ------------------------------------------------------------------------------------------------ Outlook


class OutlookTask:
    """Graph v1.0 `todoTask` with its linked resources."""

    side: Side = Side.OUTLOOK
    entity: Entity = Entity.TASK

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        body = item.body
        private = body.get("sensitivity") in PRIVATE
        hidden = private and not context.include_private
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record={**empty_record(self.entity)} if hidden else self._get(body, context),
            item=item,
            stamp=stamp_of(self.entity, body),
            modified_at=zones.instant(body.get("lastModifiedDateTime")),
            private=private,
            categories=tuple(body.get("categories") or ()),
        )

    def _get(self, body: Json, context: Context) -> dict[str, Value]:
        return {
            "subject": forms.line(body.get("title")),
            "priority": body.get("importance") if body.get("importance") in forms.PRIORITIES else None,
            "due_date": _due_day(body.get("dueDateTime"), context.mailbox_zone),
            "status": _FROM_GRAPH_STATUS.get(str(body.get("status"))),
            "description": body_text(body.get("body")),
        }

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        before: Record = self._get(item.body, context) if item is not None else empty_record(self.entity)
        changes = _changes(values, before)
        held = self.representable({**before, **changes}, context)
        names = {*changes} if item is not None else {*changes, "subject"}
        changes = {name: held[name] for name in names if held[name] != before[name]}
        patch: Json = {}
        if "subject" in changes:
            patch["title"] = changes["subject"]
        if "priority" in changes:
            patch["importance"] = changes["priority"]
        if "due_date" in changes:
            day = changes["due_date"]
            patch["dueDateTime"] = {"dateTime": f"{day}T00:00:00", "timeZone": "UTC"} if day else None
        if "status" in changes:
            patch["status"] = _GRAPH_STATUS[str(changes["status"])]
        if "description" in changes:
            patch["body"] = text_body(changes["description"])
        return patch

    def representable(self, record: Record, context: Context) -> Record:  # noqa: ARG002  # the shape of all lenses
        """Graph has no task without title, priority and status."""
        return {
            **record,
            "subject": cut(cast("str | None", record["subject"])) or NO_TITLE,
            "priority": record["priority"] or "normal",
            "status": record["status"] or "not_started",
        }


def _due_day(due: Json | None, mailbox_zone: str) -> str | None:
    """Midnight UTC is that day; anything else is the mailbox's local midnight (graph-api.md 4)."""
    if not due:
        return None
    moment = zones.instant(due.get("dateTime"), due.get("timeZone"))
    if moment is None:
        return None
    if str(due.get("dateTime"))[11:19] in ("", "00:00:00"):
        return forms.day(due.get("dateTime"))
    return zones.local_day(moment, mailbox_zone)


# ------------------------------------------------------------------------------------------------ OroCRM


class OroTask:
    """OroCRM's task: {"id", "attributes", "taskPriority": id, "status": id, "owner": id}."""

    side: Side = Side.ORO
    entity: Entity = Entity.TASK

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        body, own = item.body, item.body.get("attributes") or {}
        record = self._get(body, context)
        named = (("status", "status"), ("priority", "taskPriority"))
        missing = [name for name, key in named if body.get(key) and not record[name]]
        return Snapshot(
            side=self.side,
            entity=self.entity,
            id=item.id,
            version=item.version,
            record=record,
            item=item,
            modified_at=zones.instant(own.get("updatedAt")),
            categories=tags_of(body),
            owned=is_own(body.get("owner"), context),
            notes=tuple(f"OroCRM's {name} has no counterpart in Outlook" for name in missing),
        )

    def _get(self, body: Json, context: Context) -> dict[str, Value]:
        own = body.get("attributes") or {}
        due = zones.instant(own.get("dueDate"))
        return {
            "subject": forms.line(own.get("subject")),
            "priority": body.get("taskPriority") if body.get("taskPriority") in forms.PRIORITIES else None,
            "due_date": zones.local_day(due, context.oro_zone) if due else None,
            "status": _FROM_ORO_STATUS.get(str(body.get("status"))),
            "description": html_text.either_text(own.get("description")),
        }

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        body: Json = item.body if item is not None else {}
        own = body.get("attributes") or {}
        before: Record = self._get(body, context)
        changes = _changes(values, before)
        held = self.representable({**before, **changes}, context)
        required = () if item is not None else ("subject", "priority", "status")
        changes = {name: held[name] for name in (*changes, *required) if held[name] != before[name]}
        attributes: Json = {}
        if "subject" in changes:
            attributes["subject"] = changes["subject"]
        if "due_date" in changes:
            day = cast("str | None", changes["due_date"])
            attributes["dueDate"] = _oro_due(day, own.get("dueDate"), context.oro_zone)
        if "description" in changes:
            attributes["description"] = oro_description(changes["description"], own.get("description"))
        patch: Json = {}
        if "priority" in changes:
            patch["relationships"] = {"taskPriority": changes["priority"]}
        if "status" in changes:
            patch["status"] = _ORO_STATUS[str(changes["status"])]
        return {"attributes": attributes, **patch} if attributes or patch else {}

    def representable(self, record: Record, context: Context) -> Record:  # noqa: ARG002  # the shape of all lenses
        """Three statuses; subject, priority and status are required (orocrm-api.md 4)."""
        status = str(record["status"] or "not_started")
        return {
            **record,
            "subject": cut(cast("str | None", record["subject"])) or NO_TITLE,
            "priority": record["priority"] or "normal",
            "status": _HELD_STATUS.get(status, status),
        }


def _oro_due(day: str | None, present: str | None, oro_zone: str) -> str | None:
    """The day at the time it was due before, else at its end, in the user's zone."""
    if day is None:
        return None
    due = zones.instant(present)
    return zones.at(day, zones.local(due, oro_zone).time() if due else _END_OF_DAY, oro_zone)
