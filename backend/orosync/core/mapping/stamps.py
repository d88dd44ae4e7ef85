"""What we put on Outlook items besides their fields: extended properties and the stamp (graph-api.md 1.3, 2.1, 2.3).

The stamp is a hint for recovery, never the identity.
"""

from __future__ import annotations

from collections.abc import Mapping

from orosync.core.mapping.lens import LINKED_RESOURCE_APPLICATION, STAMP_PROPERTY, Context
from orosync.core.records import Entity, Json

EXTENDED = "singleValueExtendedProperties"
LINKS = "linkedResources"
# Where the back office shows one record; the same paths in OroCRM and OroCommerce, behind the address people open.
_VIEWS = {Entity.CONTACT: "contact/view", Entity.TASK: "task/view", Entity.EVENT: "calendar/event/view"}


def extended_values(body: Json) -> dict[str, str]:
    """Extended properties by lower-case id: how ids come back spelt is not established. Empty ones are left out."""
    rows = body.get(EXTENDED) or ()
    return {str(row["id"]).casefold(): str(row["value"]) for row in rows if row.get("value")}


def extended_patch(values: Mapping[str, str | None]) -> Json:
    """Property id -> value as part of a patch; an empty value clears (there is no removing)."""
    return {EXTENDED: [{"id": name, "value": value or ""} for name, value in values.items()]} if values else {}


def stamp_of(entity: Entity, body: Json) -> str | None:
    """OroCRM's id found on an Outlook item."""
    if entity is not Entity.TASK:
        return extended_values(body).get(STAMP_PROPERTY.casefold())
    for link in body.get(LINKS) or ():
        if link.get("applicationName") == LINKED_RESOURCE_APPLICATION and link.get("externalId"):
            return str(link["externalId"])
    return None


def stamp_patch(entity: Entity, oro_id: str, context: Context, title: str = "") -> Json:
    """The patch that stamps an item. A task's stamp is visible to its user: a titled link to OroCRM's record."""
    if entity is not Entity.TASK:
        return extended_patch({STAMP_PROPERTY: oro_id})
    link = {"applicationName": LINKED_RESOURCE_APPLICATION, "externalId": oro_id, "displayName": title or "OroCRM"}
    if context.oro_url:
        link["webUrl"] = f"{context.oro_url.rstrip('/')}/{_VIEWS[entity]}/{oro_id}"
    return {LINKS: [link]}


def with_stamp(patch: Json, entity: Entity, oro_id: str, context: Context, title: str = "") -> Json:
    """`patch` of a create, stamped: the id is in the item from its first moment on."""
    stamp = stamp_patch(entity, oro_id, context, title)
    return {**patch, **{name: [*patch.get(name, ()), *rows] for name, rows in stamp.items()}}
