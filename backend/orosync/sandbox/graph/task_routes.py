"""What requests on To Do lists, tasks and linked resources do (graph-api.md 2.3, 4, 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orosync.sandbox.graph import tasks
from orosync.sandbox.graph.call import Call, Fields, container_delta, item_delta, item_row, list_reply, picked, refuse
from orosync.sandbox.graph.ids import change_key
from orosync.sandbox.graph.items import Container, Item
from orosync.sandbox.graph.odata import Expansion
from orosync.sandbox.graph.wire import JSON, Reply, bad_request, not_found

_EXPANDS = frozenset({"linkedResources"})
_LINKS = Expansion(collections=_EXPANDS)
_LIST_KNOWN = frozenset({"id", "displayName", "isOwner", "isShared", "wellknownListName"})
_LINK_KNOWN = frozenset({"id", *tasks.LINK_FIELDS})


def _list(call: Call) -> Container:
    return call.store.container("task", call.ids[0])


def _find(call: Call) -> Item:
    """A task by the list it is in; raises GraphFault 404."""
    container = _list(call)
    item, _ = call.store.find("task", call.ids[1])
    if item.container is not container:
        raise not_found()
    return item


def list_tasks(call: Call) -> Reply:
    select = call.selection(tasks.KNOWN, "TodoTask")
    expand = call.expansion(_EXPANDS)
    items = _list(call).items.values()
    return list_reply(
        call, "todo/tasks", items, Fields(tasks.KNOWN, tasks.value), lambda item: item_row(call, item, select, expand)
    )


def create_task(call: Call) -> Reply:
    """Linked resources may come inside, and come back in the reply."""
    body = call.request.json()
    item = call.store.new_item("task", _list(call))
    links = body.get("linkedResources", [])
    if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
        raise bad_request("Cannot convert the value of 'linkedResources'.", "RequestBodyRead")
    item.links = [_new_link(call, item, link, n) for n, link in enumerate(links)]
    call.mailbox.write(item, body, creating=True)
    call.store.add(item)
    return Reply(201, _full(call, item, _LINKS if links else Expansion()))


def _new_link(call: Call, item: Item, body: JSON, number: int) -> JSON:
    return tasks.new_link(body, call.store.mint.guid(2, item.serial, number, call.store.seq))


def _full(call: Call, item: Item, expand: Expansion) -> JSON:
    return {"@odata.context": call.context("todo/tasks/$entity"), **item_row(call, item, None, expand)}


def read_task(call: Call) -> Reply:
    select = call.selection(tasks.KNOWN, "TodoTask")
    row = item_row(call, _find(call), select, call.expansion(_EXPANDS))
    return Reply(200, {"@odata.context": call.context("todo/tasks/$entity"), **row})


def change_task(call: Call) -> Reply:
    item, body = _find(call), call.request.json()
    call.check_version(item.etag)
    if "linkedResources" in body:
        raise bad_request("Deep updates are not supported: use the linkedResources of the task.", "invalidRequest")
    call.mailbox.write(item, body, creating=False)
    call.store.touch(item)
    return Reply(200, _full(call, item, Expansion()))


def delete_task(call: Call) -> Reply:
    item = _find(call)
    call.check_version(item.etag)
    call.store.remove(item)
    return Reply(204)


def tasks_delta(call: Call) -> Reply:
    """`$select`, `$top` and `$expand` are offered, filters and orders are not (graph-api.md 4)."""
    refuse(call, ("$filter", "$orderby", "$search"))

    def first() -> tuple[Any, Iterable[int]]:
        return (call.selection(tasks.KNOWN, "TodoTask"), call.expansion(_EXPANDS)), container.items

    def row(item: Item, options: Any) -> JSON:
        return item_row(call, item, options[0], options[1])

    container = _list(call)
    return item_delta(call, container, "todo/tasks", first, row)


# linked resources


def _link(call: Call, item: Item) -> JSON:
    for link in item.links:
        if link["id"] == call.ids[2]:
            return link
    raise not_found()


def _link_changed(call: Call, item: Item) -> None:
    """Whether such a change shows in the task's delta is not established: a knob."""
    if call.settings.linked_resource_touches_task:
        call.store.touch(item)


def list_links(call: Call) -> Reply:
    links = _find(call).links
    return list_reply(call, "linkedResources", links, Fields(_LINK_KNOWN, lambda link, name: link.get(name)), dict)


def create_link(call: Call) -> Reply:
    item = _find(call)
    link = _new_link(call, item, call.request.json(), len(item.links) + 1)
    call.store.seq += 1
    item.links.append(link)
    _link_changed(call, item)
    return Reply(201, {"@odata.context": call.context("linkedResources/$entity"), **link})


def read_link(call: Call) -> Reply:
    return Reply(200, {"@odata.context": call.context("linkedResources/$entity"), **_link(call, _find(call))})


def change_link(call: Call) -> Reply:
    item = _find(call)
    link = _link(call, item)
    link |= tasks.new_link({**link, **call.request.json()}, link["id"])
    _link_changed(call, item)
    return Reply(200, {"@odata.context": call.context("linkedResources/$entity"), **link})


def delete_link(call: Call) -> Reply:
    item = _find(call)
    item.links.remove(_link(call, item))
    _link_changed(call, item)
    return Reply(204)


# lists


def list_row(container: Container) -> JSON:
    return {
        "@odata.etag": f'W/"{change_key(container.serial, container.version)}"',
        "displayName": container.name,
        "isOwner": True,
        "isShared": False,
        "wellknownListName": container.wellknown or "none",
        "id": container.id,
    }


def list_lists(call: Call) -> Reply:
    select = call.selection(_LIST_KNOWN, "TodoTaskList")
    return list_reply(
        call,
        "todo/lists",
        call.store.of_kind("task"),
        Fields(_LIST_KNOWN, lambda row, name: list_row(row).get(name)),
        lambda row: picked(list_row(row), select),
    )


def create_list(call: Call) -> Reply:
    name = call.request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise bad_request("The property 'displayName' is required.", "invalidRequest")
    made = call.store.add_container("task", name.strip())
    return Reply(201, {"@odata.context": call.context("todo/lists/$entity"), **list_row(made)})


def read_list(call: Call) -> Reply:
    return Reply(200, {"@odata.context": call.context("todo/lists/$entity"), **list_row(_list(call))})


def change_list(call: Call) -> Reply:
    container = _list(call)
    name = call.request.json().get("displayName")
    if isinstance(name, str) and name.strip():
        container.name = name.strip()
        call.store.touch_container(container)
    return Reply(200, {"@odata.context": call.context("todo/lists/$entity"), **list_row(container)})


def delete_list(call: Call) -> Reply:
    container = _list(call)
    if container.wellknown:
        raise bad_request("A default list cannot be deleted.", "invalidRequest")
    call.store.remove_container(container)
    return Reply(204)


def lists_delta(call: Call) -> Reply:
    return container_delta(call, "task", "todo/lists", list_row)
