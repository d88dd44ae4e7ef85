"""Everything the store has about one id, gathered for `core/explain.py`. Reads, and decides nothing."""

from __future__ import annotations

from orosync.core.explain import Known
from orosync.core.records import Entity, Link, Side
from orosync.sync.ports import AccountStore


def known_of(store: AccountStore, entity: Entity, id: str) -> Known | None:
    """None if nothing is known of this id, on whichever side. A pair's other half is gathered along."""
    links: dict[int, Link] = {}
    for side in Side:
        found = [*store.links_by_id(side, entity, [id]).values(), *store.tombstones(entity, side, [id]).values()]
        links |= {link.id: link for link in found}
    ids = {side: {id, *(native for link in links.values() if (native := link.id_on(side)))} for side in Side}
    if links:  # OroCRM's ids are small numbers: the same one may be another record's on the other side
        ids = {side: {native for link in links.values() if (native := link.id_on(side))} for side in Side}
    oplog = {entry.op_id: entry for side in Side for each in ids[side] for entry in store.oplog_of(entity, side, each)}
    known = Known(
        links=sorted(links.values(), key=lambda link: link.id),
        unlinked=[row for side in Side for row in store.unlinked_matching(side, entity, ids=ids[side])],
        quarantined=[row for row in store.quarantined() if row.entity is entity and row.id in ids[row.side]],
        conflicts=[
            row
            for row in reversed(store.conflicts(open_only=False))
            if row.entity is entity and (row.outlook_id in ids[Side.OUTLOOK] or row.oro_id in ids[Side.ORO])
        ],
        oplog=sorted(oplog.values(), key=lambda entry: entry.seq, reverse=True),
        pending=any(row.id in ids[row.side] for row in store.pending(entity)),
    )
    nothing = not (
        known.links or known.unlinked or known.quarantined or known.conflicts or known.oplog or known.pending
    )
    return None if nothing else known
