"""The short lists OroCRM comes with, and how any resource is found by type and id.

Source: tasks-statuses, leadstatuses-list, opportunitystatuses-list, tasks-priorities, addresstypes-list,
contactsources-list, contactmethods-list. The short lists of cases and calls are those of an installation; of them
only the entries that were used were recorded.
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


def _statuses(default: str, *rows: tuple[str, str]) -> dict[str, Entry]:
    """Rows in the order people see them; the API lists them by id."""
    entries = {
        name: Entry(name, {"name": label, "priority": order, "default": name == default})
        for order, (name, label) in enumerate(rows, 1)
    }
    return dict(sorted(entries.items()))


def _priorities() -> dict[str, Entry]:
    rows = (("high", "High", 3), ("low", "Low", 1), ("normal", "Normal", 2))
    return {name: Entry(name, {"label": label, "order": order}) for name, label, order in rows}


DICTIONARIES: dict[str, dict[str, Entry]] = {
    "taskstatuses": _statuses("open", ("open", "Open"), ("in_progress", "In Progress"), ("closed", "Closed")),
    "leadstatuses": _statuses("new", ("new", "New"), ("qualified", "Qualified"), ("canceled", "Disqualified")),
    "opportunitystatuses": _statuses(
        "in_progress",
        ("in_progress", "Open"),
        ("identification_alignment", "Identification & Alignment"),
        ("needs_analysis", "Needs Analysis"),
        ("solution_development", "Solution Development"),
        ("negotiation", "Negotiation"),
        ("won", "Closed Won"),
        ("lost", "Closed Lost"),
    ),
    "opportunityclosereasons": _labels(cancelled="Cancelled", outsold="Outsold", won="Won"),
    "casestatuses": _labels(open="Open", in_progress="In Progress", resolved="Resolved", closed="Closed"),
    "casepriorities": _labels(low="Low", normal="Normal", high="High"),
    "casesources": _labels(email="Email", other="Other", phone="Phone", web="Web"),
    "leadsources": {},
    "calldirections": _labels(incoming="Incoming", outgoing="Outgoing"),
    "callstatuses": _labels(completed="Completed", in_progress="In progress"),
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
        **state.crm,
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
    }
    return _named(names[kind][0], number, names[kind][1]) if kind in names else None
