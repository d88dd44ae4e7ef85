"""The pairs: which OroCRM id belongs to which Outlook id, what both sides last agreed on, and deleted pairs.

Live means active or suspended; the database itself allows one live link for an id and account (I16). Tombstones keep
their ids until `retention.py` drops them (R16: 90 days at least).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.core.records import Entity, Link, LinkState, Side
from orosync.errors import RecordChanged, RecordMissing
from orosync.store import tables
from orosync.store.books import CountedPart
from orosync.store.transactions import CHUNK

_ROW = tables.links.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_ENTITY = _ROW.entity == sa.bindparam("entity")
_ID = {Side.OUTLOOK: _ROW.outlook_id, Side.ORO: _ROW.oro_id}
_VERSION = {Side.OUTLOOK: _ROW.outlook_version, Side.ORO: _ROW.oro_version}
_IDS: sa.BindParameter[list[str]] = sa.bindparam("ids", expanding=True)

_ALL = sa.select(tables.links).where(_ACCOUNT, _ENTITY)
_LIVE_BY_ID = {side: _ALL.where(tables.LIVE_LINK, _ID[side].in_(_IDS)) for side in Side}
_DEAD_BY_ID = {side: _ALL.where(tables.TOMBSTONE, _ID[side].in_(_IDS)).order_by(_ROW.id) for side in Side}
_VERSIONS = {
    side: sa.select(_ID[side].label("record_id"), _VERSION[side].label("version")).where(
        _ACCOUNT, _ENTITY, tables.LIVE_LINK
    )
    for side in Side
}
_PAGE = _ALL.where(_ROW.id > sa.bindparam("after")).order_by(_ROW.id).limit(CHUNK)
_PAGE_OF_STATE = _PAGE.where(_ROW.state == sa.bindparam("state"))
_TO_STAMP = _ALL.where(tables.TO_STAMP).order_by(_ROW.id)
_COUNT = sa.select(sa.func.count()).select_from(tables.links).where(_ACCOUNT, _ENTITY, tables.LIVE_LINK)

_ADD = {
    "sqlite": sqlite.insert(tables.links).on_conflict_do_nothing().returning(_ROW.id),
    "postgresql": postgresql.insert(tables.links).on_conflict_do_nothing().returning(_ROW.id),
}
_ADD_MANY = {name: add.returning(_ROW.outlook_id, _ROW.oro_id) for name, add in _ADD.items()}
_MINE = (_ROW.account_id == sa.bindparam("account_id_"), _ROW.id == sa.bindparam("link_id"))
_DROP = sa.delete(tables.links).where(*_MINE)


def _update() -> sa.Update:
    """Sets every column but the key. A tombstone keeps the time at which it became one."""
    values: dict[str, Any] = {
        column.name: sa.bindparam(f"new_{column.name}")
        for column in tables.links.columns
        if column.name not in {"id", "account_id", "ended_at"}
    }
    values["ended_at"] = sa.case(
        (sa.bindparam("new_ended_at", type_=_ROW.ended_at.type).is_(None), None),
        else_=sa.func.coalesce(_ROW.ended_at, sa.bindparam("new_ended_at", type_=_ROW.ended_at.type)),
    )
    return sa.update(tables.links).where(*_MINE).values(values)


_UPDATE = _update()
_STAMP = (
    sa.update(tables.links)
    .where(*_MINE)
    .values(stamped=sa.bindparam("new_stamped"), outlook_version=sa.bindparam("new_version"))
)


class Links(CountedPart):
    def links_by_id(self, side: Side, entity: Entity, ids: Iterable[str]) -> dict[str, Link]:
        """Live links by the id on `side`; ids without one are missing from the answer."""
        return _by_id(side, self._rows_chunked(_LIVE_BY_ID[side], ids, entity=entity))

    def tombstones(self, entity: Entity, side: Side, ids: Iterable[str]) -> dict[str, Link]:
        """The newest tombstone of each id on `side` that has one."""
        return _by_id(side, self._rows_chunked(_DEAD_BY_ID[side], ids, entity=entity))

    def versions(self, side: Side, entity: Entity) -> dict[str, str]:
        """Id -> version on `side` of all live links; "" where none is known."""
        return {row.record_id: row.version or "" for row in self._rows(_VERSIONS[side], entity=entity)}

    def links(self, entity: Entity, state: LinkState | None = None) -> Iterator[Link]:
        """All of them, in pages; links may be changed meanwhile."""
        after = 0
        while True:
            if state is None:
                rows = self._rows(_PAGE, entity=entity, after=after)
            else:
                rows = self._rows(_PAGE_OF_STATE, entity=entity, after=after, state=state)
            yield from map(_to_link, rows)
            if len(rows) < CHUNK:
                return
            after = rows[-1].id

    def links_to_stamp(self, entity: Entity) -> list[Link]:
        """Active ones whose Outlook item has yet to get its stamp."""
        return [_to_link(row) for row in self._rows(_TO_STAMP, entity=entity)]

    def count_links(self, entity: Entity) -> int:
        """Live ones."""
        return self._counted(("linked", entity), lambda: int(self._rows(_COUNT, entity=entity)[0][0]))

    def add_link(self, link: Link) -> int:
        """`link.id` is ignored; returns the new id. RecordChanged if one of the ids is linked already."""
        with self._writing() as connection:
            self._count_anew()
            statement = _ADD[connection.dialect.name]
            new = connection.execute(statement, self._values(link)).scalar_one_or_none()
        if new is None:
            raise _linked_already(link.entity)
        return int(new)

    def add_links(self, links: Sequence[Link]) -> list[int | None]:
        """Many at once; ids in the same order, None where one of a link's ids is linked already."""
        if not links:
            return []
        with self._writing() as connection:
            self._count_anew()
            statement = _ADD_MANY[connection.dialect.name]
            rows = connection.execute(statement, [self._values(link) for link in links]).all()
        added = {(row.outlook_id, row.oro_id): int(row.id) for row in rows}
        return [added.pop((link.outlook_id, link.oro_id), None) for link in links]

    def update_link(self, link: Link) -> None:
        """RecordMissing if it was dropped; RecordChanged if another live link has one of its ids, and the transaction
        it happened in must then be given up."""
        self.update_links([link])

    def update_links(self, links: Sequence[Link]) -> None:
        """Many at once; see `update_link`."""
        if not links:
            return
        rows = [
            {f"new_{name}": value for name, value in self._values(link).items()}
            | {"account_id_": self._account_id, "link_id": link.id}
            for link in links
        ]
        with self._writing() as connection:
            self._count_anew()
            try:
                met = connection.execute(_UPDATE, rows).rowcount
            except sa.exc.IntegrityError:
                raise _linked_already(links[0].entity) from None
        if met != len(rows):
            raise RecordMissing(f"A {links[0].entity}'s link is not there any more.", code="link")

    def stamp_links(self, links: Sequence[Link]) -> None:
        """What became of their stamps, and the version that Outlook gave the item; nothing else of them."""
        rows = [
            {
                "account_id_": self._account_id,
                "link_id": link.id,
                "new_stamped": link.stamped,
                "new_version": link.versions.get(Side.OUTLOOK),
            }
            for link in links
        ]
        self._write(_STAMP, rows)

    def drop_link(self, link_id: int) -> None:
        with self._writing() as connection:
            self._count_anew()
            connection.execute(_DROP, {"account_id_": self._account_id, "link_id": link_id})

    def _values(self, link: Link) -> dict[str, Any]:
        return {
            "account_id": self._account_id,
            "entity": link.entity,
            "outlook_id": link.outlook_id,
            "oro_id": link.oro_id,
            "state": link.state,
            "outlook_shadow": link.shadows.get(Side.OUTLOOK),
            "oro_shadow": link.shadows.get(Side.ORO),
            "outlook_version": link.versions.get(Side.OUTLOOK),
            "oro_version": link.versions.get(Side.ORO),
            "uid": link.uid,
            "stamped": link.stamped,
            "frozen_fields": list(link.frozen_fields),
            "ended_at": self._now() if link.state is LinkState.TOMBSTONE else None,
        }


def _linked_already(entity: Entity) -> RecordChanged:
    return RecordChanged(f"One half of the {entity} is linked to another record already.", code="linked")


def _by_id(side: Side, rows: Iterable[sa.Row[Any]]) -> dict[str, Link]:
    links = map(_to_link, rows)
    return {link.id_on(side) or "": link for link in links}


def _to_link(row: sa.Row[Any]) -> Link:
    shadows = {Side.OUTLOOK: row.outlook_shadow, Side.ORO: row.oro_shadow}
    versions = {Side.OUTLOOK: row.outlook_version, Side.ORO: row.oro_version}
    return Link(
        id=row.id,
        entity=Entity(row.entity),
        outlook_id=row.outlook_id,
        oro_id=row.oro_id,
        state=LinkState(row.state),
        shadows={side: shadow for side, shadow in shadows.items() if shadow is not None},
        versions={side: version for side, version in versions.items() if version is not None},
        uid=row.uid,
        stamped=row.stamped,
        frozen_fields=tuple(row.frozen_fields),
    )
