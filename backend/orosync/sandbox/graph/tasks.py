"""The rules of a To Do task: dates that are only dates, completion, linked resources (graph-api.md 2.3, 4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from orosync.sandbox.graph.bodies import stored_body
from orosync.sandbox.graph.items import Item
from orosync.sandbox.graph.wire import JSON, Preference, bad_request, parse_wall, utc_ticks, wall_ticks
from orosync.sandbox.graph.zones import to_utc, zone_named

STATUSES = frozenset(["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"])
IMPORTANCES = frozenset(["low", "normal", "high"])
DATES = ("dueDateTime", "startDateTime", "completedDateTime")
READ_ONLY = frozenset(
    [
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "bodyLastModifiedDateTime",
        "hasAttachments",
        "@odata.etag",
        "@odata.type",
        "@odata.context",
    ]
)
WRITABLE = frozenset(
    ["title", "body", "importance", "status", "isReminderOn", "reminderDateTime", "recurrence", "categories"]
) | frozenset(DATES)
KNOWN = WRITABLE | (READ_ONLY - {"@odata.context"})
LINK_FIELDS = ("webUrl", "applicationName", "displayName", "externalId")


def write(item: Item, body: JSON, *, creating: bool, now: datetime, trim: bool = True) -> None:
    """Applies a POST or PATCH body; all or nothing. `linkedResources` are the caller's. Raises GraphFault 400."""
    changes: JSON = {}
    for name, value in body.items():
        if name not in READ_ONLY and name != "linkedResources":
            changes[name] = _checked(name, value, trim)
    title = changes.get("title", item.data.get("title"))
    if not title:
        raise bad_request("The property 'title' is required on type 'microsoft.graph.todoTask'.", "invalidRequest")
    if "status" in changes:
        # The day of completion is kept as midnight UTC; leaving `completed` forgets it.
        done = changes["status"] == "completed"
        already = item.data.get("completedDateTime") if item.data.get("status") == "completed" else None
        today = wall_ticks(datetime.combine(now.astimezone(UTC).date(), time()))
        changes["completedDateTime"] = (changes.get("completedDateTime") or already or today) if done else None
    elif item.data.get("status") != "completed":
        changes.pop("completedDateTime", None)
    if "body" in changes:
        item.data["bodyLastModifiedDateTime"] = utc_ticks(now)
    for name, value in changes.items():
        if value in (None, "") or value == []:
            item.data.pop(name, None)
        else:
            item.data[name] = value
    if creating:
        item.data.setdefault("bodyLastModifiedDateTime", utc_ticks(now))


def _checked(name: str, value: Any, trim: bool) -> Any:
    if name not in WRITABLE:
        raise bad_request(
            f"The property '{name}' does not exist on type 'microsoft.graph.todoTask'. Make sure to only use"
            " property names that are defined by the type.",
            "RequestBodyRead",
        )
    if name == "title":
        if value is not None and not isinstance(value, str):
            raise bad_request("Cannot convert the value of 'title' to 'Edm.String'.", "RequestBodyRead")
        return value.strip() if value and trim else value
    if name == "body":
        return stored_body(value)
    if name in {"status", "importance"}:
        allowed = STATUSES if name == "status" else IMPORTANCES
        if value not in allowed:
            raise bad_request(f"Requested value '{value}' was not found in '{name}'.", "RequestBodyRead")
        return value
    if name in DATES:
        return None if value is None else _midnight(name, value)
    if name == "reminderDateTime":
        return None if value is None else wall_ticks(_instant(name, value).replace(tzinfo=None))
    if name == "isReminderOn":
        if not isinstance(value, bool):
            raise bad_request("Cannot convert the value of 'isReminderOn' to 'Edm.Boolean'.", "RequestBodyRead")
        return value
    if name == "categories" and not (isinstance(value, list) and all(isinstance(row, str) for row in value)):
        raise bad_request("Cannot convert the value of 'categories'.", "RequestBodyRead")
    return value


def _wall(name: str, value: Any) -> tuple[datetime, str]:
    if not isinstance(value, dict):
        raise bad_request(f"Cannot convert the value of '{name}' to dateTimeTimeZone.", "RequestBodyRead")
    zone = value.get("timeZone") or "UTC"
    zone_named(zone)
    return parse_wall(value.get("dateTime"), name), zone


def _midnight(name: str, value: Any) -> str:
    """A sent time is dropped: only the date stays (docs-contrib#2136)."""
    wall, _ = _wall(name, value)
    return wall_ticks(datetime.combine(wall.date(), time()))


def _instant(name: str, value: Any) -> datetime:
    return to_utc(*_wall(name, value))


def due_as_the_app_sets_it(day: date, mailbox_zone: str) -> str:
    """The user's local midnight in UTC: what the To Do app stores for a due date (MS365-ToDo#29)."""
    local = datetime.combine(day, time(), ZoneInfo(mailbox_zone))
    return wall_ticks(local.astimezone(UTC).replace(tzinfo=None))


def new_link(body: JSON, link_id: str) -> JSON:
    """A linkedResource; raises GraphFault 400 for members it does not have."""
    unknown = body.keys() - set(LINK_FIELDS) - {"id", "@odata.type"}
    if unknown or not all(isinstance(body.get(name), (str, type(None))) for name in LINK_FIELDS):
        raise bad_request(f"The linkedResource is invalid: {sorted(unknown)}.", "RequestBodyRead")
    return {**{name: body.get(name) for name in LINK_FIELDS}, "id": link_id}


def value(item: Item, name: str) -> Any:
    """One property, for `$filter` and `$orderby`."""
    if name == "createdDateTime":
        return utc_ticks(item.created)
    if name == "lastModifiedDateTime":
        return utc_ticks(item.modified)
    if name in DATES and name in item.data:
        return {"dateTime": item.data[name], "timeZone": "UTC"}
    return item.data.get(name, {"status": "notStarted", "importance": "normal"}.get(name))


def _shown_date(stored: str, zone: str | None) -> JSON:
    if zone is None:
        return {"dateTime": stored, "timeZone": "UTC"}
    # docs-contrib#8664: under outlook.timezone the instant is converted, and the day shifts
    utc = datetime.fromisoformat(stored[:-1]).replace(tzinfo=UTC)
    return {"dateTime": wall_ticks(utc.astimezone(zone_named(zone)).replace(tzinfo=None)), "timeZone": zone}


def render(item: Item, item_id: str, prefer: Preference) -> JSON:
    """The task as a reply has it: unset dates are absent, linked resources only when expanded."""
    data = item.data
    row: JSON = {
        "@odata.etag": item.etag,
        "importance": data.get("importance", "normal"),
        "isReminderOn": data.get("isReminderOn", False),
        "status": data.get("status", "notStarted"),
        "title": data.get("title", ""),
        "createdDateTime": utc_ticks(item.created),
        "lastModifiedDateTime": utc_ticks(item.modified),
        "hasAttachments": False,
        "categories": data.get("categories", []),
        "id": item_id,
        "body": data.get("body", {"content": "", "contentType": "text"}),
        "bodyLastModifiedDateTime": data["bodyLastModifiedDateTime"],
    }
    for name in (*DATES, "reminderDateTime"):
        if name in data:
            row[name] = _shown_date(data[name], prefer.timezone)
    if "recurrence" in data:
        row["recurrence"] = data["recurrence"]
    return row
