"""Contacts in the default folder or a chosen one: paths, properties, what a reply leaves out (graph-api.md 1, 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orosync.core.exchange import Lookup, Sighting, Write
from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY, STAMP_PROPERTY
from orosync.core.mapping.stamps import stamp_of
from orosync.core.records import Entity, Item, Json
from orosync.outlook.batch import Part
from orosync.outlook.resource import (
    address,
    changed_since,
    expand_extended,
    plain,
    precondition,
    segment,
    stamped_with,
    version_of,
    with_extended,
)

PROPERTIES = (
    "id,parentFolderId,changeKey,createdDateTime,lastModifiedDateTime,categories,displayName,title,givenName,"
    "middleName,surname,generation,fileAs,emailAddresses,businessPhones,homePhones,mobilePhone,jobTitle,companyName,"
    "department,birthday,personalNotes,businessAddress,homeAddress,otherAddress"
)
EXTENDED_IDS = (STAMP_PROPERTY, GENDER_PROPERTY, FAX_PROPERTY, PRIMARY_PHONE_PROPERTY)


@dataclass(frozen=True, slots=True)
class Contacts:
    """user: "/me" or "/users/{...}". container: the folder's id, "" for the default one while that is unknown.
    chosen: the folder is a named one; the default folder has its own paths, as it is in no list of folders."""

    user: str
    container: str
    chosen: bool
    page_size: int = 500
    entity: Entity = Entity.CONTACT

    @property
    def _folder(self) -> str:
        return (
            f"{self.user}/contactFolders/{segment(self.container)}/contacts" if self.chosen else f"{self.user}/contacts"
        )

    def first_page(self, window: tuple[str, str]) -> Part:  # noqa: ARG002  # the shape of all three
        """Ids and versions only: contact delta takes `$select`, but no `$expand` (graph-api.md 5)."""
        return Part("GET", address(f"{self._folder}/delta", select="id,changeKey,parentFolderId"))

    def sighting(self, row: Json) -> Sighting | None:
        item_id = str(row.get("id") or "")
        if not item_id:
            return None
        if "@removed" in row:
            return Sighting(item_id, removed=True)
        return Sighting(item_id, version_of(row) or None)

    def one(self, id: str) -> Part:
        """Found in any folder (graph-api.md 1.1): `elsewhere` tells whether it is in ours."""
        path = f"{self.user}/contacts/{segment(id)}"
        return Part("GET", address(path, select=PROPERTIES, expand=expand_extended(EXTENDED_IDS)))

    def anywhere(self, id: str) -> Part | None:  # noqa: ARG002  # `one` looks everywhere
        return None

    def listing(self) -> str:
        return address(self._folder, top=self.page_size, select=PROPERTIES, expand=expand_extended(EXTENDED_IDS))

    def find(self, lookup: Lookup) -> str:
        """The filter leaves the property out of the result, so it is asked for again (graph-api.md 2.1)."""
        wanted = {"top": 50, "select": PROPERTIES, "expand": expand_extended(EXTENDED_IDS)}
        if lookup.stamp is not None:
            return address(self._folder, filter=stamped_with(lookup.stamp), **wanted)
        if lookup.since is None:
            return ""
        return address(self._folder, filter=changed_since(lookup.since), **wanted)

    def is_hit(self, row: Json, lookup: Lookup) -> bool:
        return lookup.stamp is None or (stamp_of(self.entity, row) or "").casefold() == lookup.stamp.casefold()

    def item(self, row: Json) -> Item:
        body = plain(row)
        return Item(str(row["id"]), version_of(row), body, str(row.get("parentFolderId") or self.container))

    def elsewhere(self, row: Json) -> bool:
        return bool(self.container) and str(row.get("parentFolderId") or self.container) != self.container

    def create(self, write: Write) -> Part:
        return Part("POST", self._folder, write.patch)

    def update(self, write: Write, item: Item) -> list[Part]:
        if not write.patch:
            return []
        return [Part("PATCH", f"{self.user}/contacts/{segment(item.id)}", write.patch, precondition(item))]

    def delete(self, item: Item) -> Part:
        return Part("DELETE", f"{self.user}/contacts/{segment(item.id)}", headers=precondition(item))

    def completed(self, write: Write, replies: Sequence[Json]) -> Item:
        before = write.item.body if write.item is not None else None
        return self.item(with_extended(replies[-1], before, write.patch))
