"""What a lens is: the mapping of one entity on one side, and the facts about an account that mapping needs.

The laws (design.md 4, point 2), for every record r and item i of that side:
    get(put(r, i) applied to i) == representable(r, i)        what can be held arrives
    put(get(i), i) == {}                                       nothing to write for what is there already
A lens writes only the fields it is given, and never touches what is not mapped: fourth e-mail, other phones, HTML of a
note, unknown properties. Where a side has more than one of what the record has once (phones, untyped addresses), taking
the one away makes the next one visible: the first law then does not hold for None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orosync.core.mapping.places import Places
from orosync.core.records import Entity, Item, Json, Record, Side, Snapshot, Value

# The GUID is ours for the product's life: changing it would orphan every stamp ever written.
STAMP_PROPERTY = "String {6f0c3a52-8a8e-4d6f-9a57-2f4b1d9f7c31} Name OroCRM_id"
GENDER_PROPERTY = "Short 0x3A4D"
FAX_PROPERTY = "String 0x3A24"
PRIMARY_PHONE_PROPERTY = "String 0x3A1A"
LINKED_RESOURCE_APPLICATION = "OroCRM"


@dataclass(frozen=True, slots=True)
class Context:
    """What mapping must know about an account besides the item.

    mailbox_zone, oro_zone: IANA names. oro_url: base of links to records. oro_user_id: owner test.
    calendar_id: OroCRM's own calendar of the user.
    private_items: "skip", "busy_only" (times and a neutral title) or "include", for private events of Outlook.
    contact_external_id: the instance has `externalId` on contacts (7.0.2).
    """

    places: Places = field(default_factory=Places)
    mailbox_zone: str = "UTC"
    oro_zone: str = "UTC"
    oro_url: str = ""
    oro_user_id: str = ""
    calendar_id: str = ""
    private_items: str = "skip"
    contact_external_id: bool = False

    @property
    def include_private(self) -> bool:
        return self.private_items == "include"


class Lens(Protocol):
    """One entity on one side."""

    side: Side
    entity: Entity

    def snapshot(self, item: Item, context: Context) -> Snapshot:
        """The item as the core sees it; `snapshot.record` is get(item)."""

    def put(self, values: Mapping[str, Value], item: Item | None, context: Context) -> Json:
        """The smallest patch that gives `values` (some fields of a record) to `item` (None: a new one).

        Empty when there is nothing to write. The patch is in the side's own JSON, ready for its client:
        Outlook: the body of POST or PATCH (`singleValueExtendedProperties`, `linkedResources` included).
        OroCRM contact: {"attributes": {...}, "addresses": {"create": [body...], "update": {id: body}, "delete": [id]}};
        "addresses" only where one changes, a body is {"attributes", "country", "region", "types"}, an update has only
        what changes. To be sent in this order: updates, then creates (a type that is taken is silently lost), deletes.
        OroCRM task: {"attributes": {...}, "relationships": {"taskPriority": id}, "status": id}, the last two only
        where they change; how a status is reached (relation or workflow transition) is the adapter's business.
        OroCRM event: the body of POST or PUT of the old REST API.
        """

    def representable(self, record: Record, context: Context) -> Record:
        """What this side would hold of `record`: truncated, mapped to its own values, or None."""
