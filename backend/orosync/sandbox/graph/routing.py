"""Which function answers which method and path. Paths are those below `/me` or `/users/{id}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orosync.sandbox.graph import contact_routes as contact
from orosync.sandbox.graph import event_routes as event
from orosync.sandbox.graph import task_routes as task
from orosync.sandbox.graph import user_routes as user
from orosync.sandbox.graph.call import Call
from orosync.sandbox.graph.wire import GraphFault, Reply

Handler = Callable[[Call], Reply]

_FOLDER = "/contactFolders/*"
_LIST = "/todo/lists/*"
_TASK = _LIST + "/tasks/*"
_CALENDAR = "/calendars/*"

ROUTES: dict[str, dict[str, Handler]] = {
    "": {"GET": user.read_user},
    "/mailboxSettings": {"GET": user.read_settings},
    "/outlook/supportedTimeZones": {"GET": user.list_time_zones},
    "/translateExchangeIds": {"POST": user.translate_ids},
    "/contacts": {"GET": contact.list_contacts, "POST": contact.create_contact},
    "/contacts/delta": {"GET": contact.contacts_delta},
    "/contactFolders": {"GET": contact.list_folders, "POST": contact.create_folder},
    "/contactFolders/delta": {"GET": contact.folders_delta},
    _FOLDER: {"GET": contact.read_folder, "PATCH": contact.change_folder, "DELETE": contact.delete_folder},
    _FOLDER + "/childFolders": {"GET": contact.list_folders, "POST": contact.create_folder},
    _FOLDER + "/contacts": {"GET": contact.list_contacts, "POST": contact.create_contact},
    _FOLDER + "/contacts/delta": {"GET": contact.contacts_delta},
    **{
        path: {"GET": contact.read_contact, "PATCH": contact.change_contact, "DELETE": contact.delete_contact}
        for path in ("/contacts/*", _FOLDER + "/contacts/*")
    },
    "/contacts/*/permanentDelete": {"POST": contact.purge_contact},
    "/todo/lists": {"GET": task.list_lists, "POST": task.create_list},
    "/todo/lists/delta": {"GET": task.lists_delta},
    _LIST: {"GET": task.read_list, "PATCH": task.change_list, "DELETE": task.delete_list},
    _LIST + "/tasks": {"GET": task.list_tasks, "POST": task.create_task},
    _LIST + "/tasks/delta": {"GET": task.tasks_delta},
    _TASK: {"GET": task.read_task, "PATCH": task.change_task, "DELETE": task.delete_task},
    _TASK + "/linkedResources": {"GET": task.list_links, "POST": task.create_link},
    _TASK + "/linkedResources/*": {"GET": task.read_link, "PATCH": task.change_link, "DELETE": task.delete_link},
    "/calendars": {"GET": event.list_calendars, "POST": event.create_calendar},
    "/calendar": {"GET": event.read_calendar, "PATCH": event.change_calendar},
    _CALENDAR: {"GET": event.read_calendar, "PATCH": event.change_calendar, "DELETE": event.delete_calendar},
    **{
        path: {"GET": event.list_events, "POST": event.create_event}
        for path in ("/events", "/calendar/events", _CALENDAR + "/events")
    },
    **{
        path: {"GET": event.read_event, "PATCH": event.change_event, "DELETE": event.delete_event}
        for path in ("/events/*", "/calendar/events/*", _CALENDAR + "/events/*")
    },
    "/events/*/instances": {"GET": event.instances},
    "/events/*/cancel": {"POST": event.cancel_event},
    "/events/*/accept": {"POST": event.answer_event},
    "/events/*/decline": {"POST": event.answer_event},
    "/events/*/tentativelyAccept": {"POST": event.answer_event},
    "/events/*/permanentDelete": {"POST": event.purge_event},
    **{path: {"GET": event.calendar_view} for path in ("/calendarView", "/calendar/calendarView")},
    _CALENDAR + "/calendarView": {"GET": event.calendar_view},
    **{path: {"GET": event.calendar_delta} for path in ("/calendarView/delta", "/calendar/calendarView/delta")},
    _CALENDAR + "/calendarView/delta": {"GET": event.calendar_delta},
}
# The contract has these too; nothing of ours calls them yet.
_LATER = ("/extensions", "/checklistItems", "/messages")

_TREE: dict[str, Any] = {}


def _grow() -> None:
    for path, methods in ROUTES.items():
        node = _TREE
        for segment in path.split("/")[1:]:
            node = node.setdefault(segment, {})
        node["/"] = methods


_grow()


def route(method: str, segments: list[str]) -> tuple[Handler, tuple[str, ...]]:
    """The handler for the path's segments and the ids among them; a fixed word goes before an id.

    Raises GraphFault 400 for a path that does not exist, 405 for a method it does not have, 501 for what is in the
    contract but not simulated.
    """
    node = _TREE
    ids: list[str] = []
    for segment in segments:
        following = node.get(segment)
        if following is None and "*" in node:
            following = node["*"]
            ids.append(segment)
        if not isinstance(following, dict) or segment == "/":
            if f"/{segment}" in _LATER:
                raise GraphFault(501, "notImplemented", f"'{segment}' is not simulated.")
            raise GraphFault(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        node = following
    methods: dict[str, Handler] | None = node.get("/")
    if methods is None:
        raise GraphFault(400, "BadRequest", f"Resource not found for the segment '{segments[-1]}'.")
    if method not in methods:
        raise GraphFault(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    return methods[method], tuple(ids)
