"""The lenses: one module an entity, between each side's JSON and the record."""

from orosync.core.mapping.contacts import OroContact, OutlookContact
from orosync.core.mapping.events import OroEvent, OutlookEvent
from orosync.core.mapping.lens import Lens
from orosync.core.mapping.stamps import stamp_patch, with_stamp
from orosync.core.mapping.tasks import OroTask, OutlookTask
from orosync.core.records import Entity, Side

_ALL: tuple[Lens, ...] = (OutlookContact(), OroContact(), OutlookTask(), OroTask(), OutlookEvent(), OroEvent())
LENSES: dict[tuple[Side, Entity], Lens] = {(lens.side, lens.entity): lens for lens in _ALL}


def lens_of(side: Side, entity: Entity) -> Lens:
    return LENSES[side, entity]


__all__ = ["LENSES", "lens_of", "stamp_patch", "with_stamp"]
