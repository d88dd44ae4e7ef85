"""Links and records left alone, as one group of ops leaves them: collected, and then stored in a few statements.

One statement for each of them was a fifth of the engine's time in a first sync.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from orosync.core.ledger import Unlinked
from orosync.core.records import Entity, Link, Side
from orosync.sync.ports import AccountStore


class Linked(Protocol):
    """What a link belongs to; the link gets its number when it is stored. failed: nothing more is done for it."""

    link: Link | None
    failed: bool


class LinkChanges:
    """Of one entity. Whoever collects also saves, within the same transaction as what else belongs to it."""

    def __init__(self, store: AccountStore, entity: Entity) -> None:
        self._store, self._entity = store, entity
        self._new: dict[int, Linked] = {}
        self._changed: dict[int, Link] = {}
        self._alone: list[Unlinked] = []

    def keep(self, holder: Linked, link: Link) -> None:
        """It is the holder's from now on: a new one if it has no number, as it stands when it is saved."""
        holder.link = link
        if link.id:
            self._changed[link.id] = link
        else:
            self._new[id(holder)] = holder

    def end(self, holder: Linked, link: Link) -> None:
        """link: as it is to be stored; nobody holds it any more."""
        holder.link = None
        self._changed[link.id] = link

    def leave(self, row: Unlinked) -> None:
        self._alone.append(row)

    def save(self) -> list[Linked]:
        """Returns those whose new link was not stored, because one of its ids is linked already. Raises RecordMissing,
        RecordChanged as `AccountStore.update_links` does."""
        holders = [(holder, holder.link) for holder in self._new.values() if holder.link is not None]
        refused = []
        numbers = self._store.add_links([link for _, link in holders])
        for (holder, link), number in zip(holders, numbers, strict=True):
            if number is None:
                refused.append(holder)
                holder.link = None
            else:
                holder.link = replace(link, id=number)
        for side in Side:
            linked = [native for holder, _ in holders if holder.link and (native := holder.link.id_on(side))]
            self._store.drop_unlinked(side, self._entity, linked)
        self._store.update_links(list(self._changed.values()))
        self._store.save_unlinked(self._alone)
        self._new, self._changed, self._alone = {}, {}, []
        return refused
