"""What ties contacts, accounts and the records around them: who belongs to whom, and what a deletion leaves behind."""

from __future__ import annotations

from collections.abc import Iterable

from orosync.sandbox.oro.records import CrmRecord
from orosync.sandbox.oro.state import OroState

_NAMES = {
    "contacts": ("contact", "relatedContact", "defaultContact"),
    "accounts": ("account", "relatedAccount"),
    "leads": ("lead",),
}


def set_contacts(state: OroState, account: CrmRecord, contacts: Iterable[int]) -> None:
    """An account has these contacts and no others; their updatedAt stays."""
    wanted = set(contacts)
    for number in wanted | set(state.contacts.with_key("account", account.id)):
        contact = state.contacts.get(number)
        if contact is None:
            continue
        others = [each for each in contact.relations.get("accounts", ()) if each != account.id]
        contact.relations["accounts"] = [*others, account.id] if number in wanted else others
        state.contacts.save(contact)


def forget(state: OroState, kind: str, number: int) -> None:
    """Nothing points at this record any more; nothing is moved by that."""
    for table in state.crm.values():
        for name in _NAMES.get(kind, ()):
            for other in table.with_key(name, number):
                record = table.get(other)
                if record is not None:
                    record.relations[name] = None
                    table.save(record)
        for other in table.with_key(kind, number):
            record = table.get(other)
            if record is not None:
                record.targets = [target for target in record.targets if target != (kind, number)]
                table.save(record)
    for other in state.tasks.with_key(kind, number):
        task = state.tasks.get(other)
        if task is not None:
            task.targets = [target for target in task.targets if target != (kind, number)]
            state.tasks.save(task)
    if kind == "accounts":
        for other in state.contacts.with_key("account", number):
            contact = state.contacts.get(other)
            if contact is not None:
                contact.relations["accounts"] = [each for each in contact.relations["accounts"] if each != number]
                state.contacts.save(contact)
