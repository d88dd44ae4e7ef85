"""Who promised to call: subscriptions of accounts at either side, found by the id that a call names.

Written without the account's lease: a call from outside must never wait for a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.push import Subscription, lost
from orosync.core.records import Entity, Side
from orosync.store import tables
from orosync.store.transactions import Transactions, Upsert, chunks

_ROW = tables.subscriptions.c
_SAVE = Upsert(tables.subscriptions)
_OF_SIDE = (_ROW.account_id == sa.bindparam("account_id_"), _ROW.side == sa.bindparam("side_"))
_ONE = (*_OF_SIDE, _ROW.resource == sa.bindparam("resource_"))
_OF_ACCOUNT = sa.select(tables.subscriptions).where(*_OF_SIDE).order_by(_ROW.resource)
_WITH_IDS = sa.select(tables.subscriptions).where(
    _ROW.side == sa.bindparam("side_"), _ROW.id.in_(sa.bindparam("ids", expanding=True))
)
_DROP = sa.delete(tables.subscriptions).where(*_ONE)
_RENEW = (
    sa.update(tables.subscriptions)
    .where(_ROW.side == sa.bindparam("side_"), _ROW.id == sa.bindparam("id_"))
    .values(state="renew", next_try=None)
)


class Subscriptions:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self.now = now

    def of_account(self, account_id: int, side: Side) -> list[Subscription]:
        """By resource; those that failed or were refused as well."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_OF_ACCOUNT, {"account_id_": account_id, "side_": side.value})
            return [_to_subscription(row) for row in rows]

    def with_ids(self, side: Side, ids: Sequence[str]) -> dict[str, Subscription]:
        """Those that are known here, by id. One select for a few hundred ids."""
        found: dict[str, Subscription] = {}
        with self._transactions.reading() as connection:
            for some in chunks(ids):
                for row in connection.execute(_WITH_IDS, {"side_": side.value, "ids": some}):
                    found[row.id] = _to_subscription(row)
        return found

    def save(self, subscription: Subscription) -> None:
        """New, or in place of the one for the same resource."""
        with self._transactions.writing() as connection:
            connection.execute(_SAVE.into(connection), _values(subscription))

    def drop(self, subscription: Subscription) -> None:
        key = {
            "account_id_": subscription.account_id,
            "side_": subscription.side.value,
            "resource_": subscription.resource,
        }
        with self._transactions.writing() as connection:
            connection.execute(_DROP, key)

    def renew_soon(self, side: Side, id: str) -> None:
        """The other system asked for it."""
        with self._transactions.writing() as connection:
            connection.execute(_RENEW, {"side_": side.value, "id_": id})

    def note_loss(self, side: Side, id: str) -> None:
        """The other system dropped it."""
        with self._transactions.writing() as connection:
            for row in connection.execute(_WITH_IDS, {"side_": side.value, "ids": [id]}).all():
                connection.execute(_SAVE.into(connection), _values(lost(_to_subscription(row))))


def _values(subscription: Subscription) -> dict[str, Any]:
    return asdict(subscription) | {"side": subscription.side.value, "entity": subscription.entity.value}


def _to_subscription(row: sa.Row[Any]) -> Subscription:
    values = row._asdict()
    return Subscription(**{**values, "side": Side(row.side), "entity": Entity(row.entity)})
