"""The lenses: one module an entity, between each side's JSON and the record."""

from __future__ import annotations

from orosync.core.mapping.contacts import OroContact, OutlookContact
from orosync.core.mapping.events import OroEvent, OutlookEvent
from orosync.core.mapping.lens import Context, Lens
from orosync.core.mapping.stamps import stamp_patch, with_stamp
from orosync.core.mapping.tasks import OroTask, OutlookTask
from orosync.core.records import Entity, Item, Side, Snapshot
from orosync.errors import RecordRefused

_ALL: tuple[Lens, ...] = (OutlookContact(), OroContact(), OutlookTask(), OroTask(), OutlookEvent(), OroEvent())
LENSES: dict[tuple[Side, Entity], Lens] = {(lens.side, lens.entity): lens for lens in _ALL}


def lens_of(side: Side, entity: Entity) -> Lens:
    return LENSES[side, entity]


def snapshot_of(side: Side, entity: Entity, item: Item, context: Context) -> Snapshot:
    """An item as the core sees it. Raises RecordRefused for JSON that is not what the interface promises: that record
    fails by itself, and nothing of it is said."""
    try:
        return lens_of(side, entity).snapshot(item, context)
    except (TypeError, AttributeError, LookupError, ValueError, ArithmeticError) as error:
        what = f"{side.value} describes it in a form that is not understood ({type(error).__name__})."
        raise RecordRefused(what, code="malformed") from None


__all__ = ["LENSES", "lens_of", "snapshot_of", "stamp_patch", "with_stamp"]
