"""How contacts of OroCRM stand with the sync, in one word and one sentence each. Reads, and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orosync.core.records import Entity, Link, LinkState, Side
from orosync.core.settings import OroScope, Settings
from orosync.sync.ports import AccountStore


@dataclass(frozen=True, slots=True)
class Standing:
    """state: "linked", "alone", "out_of_scope" or "unknown"."""

    state: str
    reason: str


LEAD = Standing("out_of_scope", "Leads are not synchronised with Outlook.")


def contact_standings(
    store: AccountStore, settings: Settings, owners: Mapping[str, str | None], user: str
) -> dict[str, Standing]:
    """Every id has one. owners: contact id -> id of its owner; user: id of the account's own user in OroCRM."""
    if not settings.wants(Entity.CONTACT):
        off = Standing("out_of_scope", "Contacts are not synchronised: they are switched off in the settings.")
        return dict.fromkeys(owners, off)
    ids = list(owners)
    links = store.links_by_id(Side.ORO, Entity.CONTACT, ids)
    buried = store.tombstones(Entity.CONTACT, Side.ORO, ids)
    alone = {row.id: row.why for row in store.unlinked_matching(Side.ORO, Entity.CONTACT, ids=ids)}
    failing = _failing(store, links)
    waiting = {row.oro_id for row in store.conflicts() if row.entity is Entity.CONTACT}
    found = {}
    for contact, owner in owners.items():
        if contact in links:
            found[contact] = _linked(links[contact], failing.get(contact, ""), conflict=contact in waiting)
        elif settings.oro_scope is OroScope.OWNED and user and owner != user:
            found[contact] = Standing("out_of_scope", "Its owner in OroCRM is somebody else.")
        elif contact in alone:
            why = failing.get(contact) or alone[contact] or "no partner was found yet"
            found[contact] = Standing("alone", f"It is in OroCRM alone: {why.removesuffix('.')}.")
        elif contact in buried:
            found[contact] = Standing("alone", "Its partner was deleted once; it is not created again.")
        else:
            found[contact] = Standing("unknown", "No run has met it yet.")
    return found


def _linked(link: Link, failing: str, *, conflict: bool) -> Standing:
    if link.state is LinkState.SUSPENDED:
        return Standing("out_of_scope", "It is out of scope now: nothing is written or deleted until it is back.")
    if failing:
        return Standing("linked", f"It is synchronised, but the last change could not be written: {failing}")
    if conflict:
        return Standing("linked", "It is synchronised; a conflict waits for your choice.")
    return Standing("linked", "It is synchronised with Outlook.")


def _failing(store: AccountStore, links: Mapping[str, Link]) -> dict[str, str]:
    """Contact id -> why it is in quarantine, whichever half of it is."""
    halves = {(Side.OUTLOOK, link.outlook_id): contact for contact, link in links.items()}
    found = {}
    for row in store.quarantined():
        if row.entity is Entity.CONTACT:
            contact = halves.get((row.side, row.id)) or (row.id if row.side is Side.ORO else None)
            if contact is not None:
                found[contact] = row.message
    return found
