"""What requests on contacts and contact folders do (graph-api.md 1, 2.1, 5, 10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orosync.sandbox.graph import contacts
from orosync.sandbox.graph.call import Call, Fields, container_delta, item_delta, item_row, list_reply, picked, refuse
from orosync.sandbox.graph.items import Container, Item
from orosync.sandbox.graph.odata import Expansion
from orosync.sandbox.graph.wire import JSON, Reply, bad_request

_EXPANDS = frozenset({"singleValueExtendedProperties"})
_FOLDER_KNOWN = frozenset({"id", "displayName", "parentFolderId"})
_NOTHING = Expansion()


def _folder(call: Call) -> Container:
    return call.store.container("contact", call.ids[0]) if call.ids else call.store.default["contact"]


def list_contacts(call: Call) -> Reply:
    """Of the default folder, or of the folder in the path."""
    select = call.selection(contacts.KNOWN, "Contact")
    expand = call.expansion(_EXPANDS)
    return list_reply(
        call,
        "contacts",
        _folder(call).items.values(),
        Fields(contacts.KNOWN, contacts.value),
        lambda item: item_row(call, item, select, expand),
    )


def create_contact(call: Call) -> Reply:
    item = call.store.new_item("contact", _folder(call))
    call.mailbox.write(item, call.request.json(), creating=True)
    call.store.add(item)
    return Reply(201, _full(call, item))


def _full(call: Call, item: Item) -> JSON:
    return {"@odata.context": call.context("contacts/$entity"), **item_row(call, item, None, _NOTHING)}


def _find(call: Call) -> Item:
    """In any folder, also through the path of another (docs#12673)."""
    return call.store.find("contact", call.ids[-1])[0]


def read_contact(call: Call) -> Reply:
    select = call.selection(contacts.KNOWN, "Contact")
    row = item_row(call, _find(call), select, call.expansion(_EXPANDS))
    return Reply(200, {"@odata.context": call.context("contacts/$entity"), **row})


def change_contact(call: Call) -> Reply:
    item = _find(call)
    call.check_version(item.etag)
    call.mailbox.write(item, call.request.json(), creating=False)
    call.store.touch(item)
    return Reply(200, _full(call, item))


def delete_contact(call: Call) -> Reply:
    item = _find(call)
    call.check_version(item.etag)
    call.store.remove(item)
    return Reply(204)


def purge_contact(call: Call) -> Reply:
    call.store.remove(_find(call), purge=True)
    return Reply(204)


def contacts_delta(call: Call) -> Reply:
    """`$select` is the one option; it lives in the token (graph-api.md 5)."""
    refuse(call, ("$expand", "$filter", "$orderby", "$search"))
    folder = _folder(call)

    def first() -> tuple[Any, Iterable[int]]:
        return call.selection(contacts.KNOWN, "Contact"), folder.items

    def row(item: Item, select: Any) -> JSON:
        return picked(call.mailbox.render(item, call.prefer), select)

    return item_delta(call, folder, "contacts", first, row)


# folders


def folder_row(folder: Container) -> JSON:
    return {
        "id": folder.id,
        "parentFolderId": folder.parent.id if folder.parent else "AAMkRoot",
        "displayName": folder.name,
    }


def _folder_value(folder: Container, name: str) -> Any:
    return folder_row(folder).get(name)


def list_folders(call: Call) -> Reply:
    """The children of the default folder, which itself is not in the list (docs#6273); or of the given one."""
    parent = call.store.default["contact"] if not call.ids else call.store.container("contact", call.ids[0])
    children = [folder for folder in call.store.of_kind("contact") if folder.parent is parent]
    select = call.selection(_FOLDER_KNOWN, "ContactFolder")
    return list_reply(
        call,
        "contactFolders",
        children,
        Fields(_FOLDER_KNOWN, _folder_value),
        lambda row: picked(folder_row(row), select),
    )


def create_folder(call: Call) -> Reply:
    parent = call.store.default["contact"] if not call.ids else call.store.container("contact", call.ids[0])
    name = call.request.json().get("displayName")
    if not isinstance(name, str) or not name.strip():
        raise bad_request("The property 'displayName' is required.")
    if any(folder.name == name for folder in call.store.of_kind("contact")):
        raise bad_request("A folder with the specified name already exists.", "ErrorFolderExists")
    folder = call.store.add_container("contact", name.strip(), parent=parent)
    return Reply(201, {"@odata.context": call.context("contactFolders/$entity"), **folder_row(folder)})


def read_folder(call: Call) -> Reply:
    return Reply(200, {"@odata.context": call.context("contactFolders/$entity"), **folder_row(_folder(call))})


def change_folder(call: Call) -> Reply:
    folder = _folder(call)
    name = call.request.json().get("displayName")
    if isinstance(name, str) and name.strip():
        folder.name = name.strip()
        call.store.touch_container(folder)
    return Reply(200, {"@odata.context": call.context("contactFolders/$entity"), **folder_row(folder)})


def delete_folder(call: Call) -> Reply:
    folder = _folder(call)
    if folder.wellknown:
        raise bad_request("A default folder cannot be deleted.", "ErrorDeleteDistinguishedFolder")
    call.store.remove_container(folder)
    return Reply(204)


def folders_delta(call: Call) -> Reply:
    return container_delta(call, "contact", "contactFolders", folder_row)
