"""The short lists OroCRM comes with, and how any resource is found by type and id.

Source: tasks-statuses, tasks-priorities, addresstypes-list, contactsources-list, contactmethods-list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orosync.sandbox.oro import geography
from orosync.sandbox.oro.state import OroState


@dataclass(frozen=True)
class Entry:
    """One entry of a list, with its attributes as the API shows them."""

    id: str
    attributes: dict[str, Any]


def _labels(**labels: str) -> dict[str, Entry]:
    return {name: Entry(name, {"label": label}) for name, label in labels.items()}


def _statuses() -> dict[str, Entry]:
    rows = (("closed", "Closed", 3), ("in_progress", "In Progress", 2), ("open", "Open", 1))
    return {
        name: Entry(name, {"name": label, "priority": order, "default": name == "open"}) for name, label, order in rows
    }


def _priorities() -> dict[str, Entry]:
    rows = (("high", "High", 3), ("low", "Low", 1), ("normal", "Normal", 2))
    return {name: Entry(name, {"label": label, "order": order}) for name, label, order in rows}


DICTIONARIES: dict[str, dict[str, Entry]] = {
    "taskstatuses": _statuses(),
    "taskpriorities": _priorities(),
    "addresstypes": _labels(billing="Billing", shipping="Shipping"),
    "contactsources": _labels(call="Phone Call", other="Other Source", tv="TV", website="Website"),
    "contactmethods": _labels(email="Email", mail="Mail", phone="Phone"),
    "userauthstatuses": {"active": Entry("active", {"name": "Active"})},
}


def _named(names: dict[int, str], number: int, attribute: str) -> Entry | None:
    name = names.get(number)
    return None if name is None else Entry(str(number), {attribute: name})


def find(state: OroState, kind: str, identifier: Any) -> Any:
    """The record of this type and id, or None; ids may be text or numbers."""
    if kind in DICTIONARIES:
        return DICTIONARIES[kind].get(str(identifier))
    if kind == "countries":
        return geography.countries().get(str(identifier))
    if kind == "regions":
        return geography.regions().get(str(identifier))
    text = str(identifier)
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    tables = {
        "contacts": state.contacts,
        "contactaddresses": state.addresses,
        "tasks": state.tasks,
        "users": state.users,
    }
    if kind in tables:
        return tables[kind].get(number)  # type: ignore[attr-defined]
    if kind == "organizations":
        return Entry("1", {}) if number == 1 else None
    if kind == "asyncoperations":
        return state.operations.get(number)
    names = {
        "contactgroups": (state.groups, "label"),
        "tags": (state.tags, "name"),
        "accounts": (state.accounts, "name"),
    }
    return _named(names[kind][0], number, names[kind][1]) if kind in names else None
