"""Who works on an account now: a lease with an owner, an expiry and an epoch that grows with every taking.

The epoch is the fence (R1, I22): a worker whose lease was taken over can commit nothing any more, however late it
wakes up. When leases are taken, and for how long, is decided by who starts runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from orosync.errors import BadInput, LeaseLost
from orosync.store import tables

if TYPE_CHECKING:
    from orosync.store.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Lease:
    account_id: int
    owner: str
    epoch: int
    expires: datetime


_ROW = tables.leases.c
_MINE = (
    _ROW.account_id == sa.bindparam("account_id_"),
    _ROW.owner == sa.bindparam("owner_"),
    _ROW.epoch == sa.bindparam("epoch_"),
)
# FOR SHARE: whoever wants to take the lease over waits until this transaction has ended; SQLite has one writer anyway.
_HOLD = sa.select(_ROW.epoch).where(*_MINE).with_for_update(read=True)
_RENEW = sa.update(tables.leases).where(*_MINE).values(expires=sa.bindparam("new_expires"))
_RELEASE = sa.update(tables.leases).where(*_MINE).values(owner=None)
_HOLDER = sa.select(tables.leases).where(_ROW.account_id == sa.bindparam("account_id"), _ROW.owner.is_not(None))


def _take(insert: sqlite.Insert | postgresql.Insert) -> sa.Executable:
    new = insert.excluded
    free = sa.or_(_ROW.owner.is_(None), _ROW.expires <= sa.bindparam("now"), _ROW.owner == new.owner)
    statement = insert.values(
        account_id=sa.bindparam("account_id"), owner=sa.bindparam("owner"), epoch=1, expires=sa.bindparam("expires")
    )
    changes = {"epoch": _ROW.epoch + 1, "owner": new.owner, "expires": new.expires}
    return statement.on_conflict_do_update(index_elements=["account_id"], set_=changes, where=free).returning(
        _ROW.epoch
    )


_TAKE = {"sqlite": _take(sqlite.insert(tables.leases)), "postgresql": _take(postgresql.insert(tables.leases))}


def hold(connection: sa.Connection, lease: Lease) -> None:
    """Raises LeaseLost unless `lease` is the account's current one; until the transaction ends it stays so."""
    if connection.execute(_HOLD, _values(lease)).first() is None:
        raise LeaseLost(f"Another worker took account {lease.account_id} over after epoch {lease.epoch}.")


def _values(lease: Lease) -> dict[str, object]:
    return {"account_id_": lease.account_id, "owner_": lease.owner, "epoch_": lease.epoch}


class Leases:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def take(self, account_id: int, owner: str, now: datetime, ttl: timedelta) -> Lease | None:
        """The account's lease until now + ttl, or None while somebody else's is live.

        An owner may take its own again (the same task, delivered again after a crash): the epoch grows, so the former
        taking is void. Hence an owner's name must be unique to one piece of work. Raises BadInput if there is no such
        account; the transaction it happened in must then be given up.
        """
        expires = now + ttl
        values = {"account_id": account_id, "owner": owner, "expires": expires, "now": now}
        with self._transactions.writing() as connection:
            try:
                epoch = connection.execute(_TAKE[connection.dialect.name], values).scalar_one_or_none()
            except sa.exc.IntegrityError:
                raise BadInput(f"There is no account {account_id} (any more).", field="account") from None
        return None if epoch is None else Lease(account_id, owner, epoch, expires)

    def renew(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease:
        """The same lease until now + ttl, also if it had expired without being taken. Raises LeaseLost."""
        renewed = replace(lease, expires=now + ttl)
        with self._transactions.writing() as connection:
            met = connection.execute(_RENEW, {**_values(lease), "new_expires": renewed.expires}).rowcount
        if not met:
            raise LeaseLost(f"Another worker took account {lease.account_id} over after epoch {lease.epoch}.")
        return renewed

    def release(self, lease: Lease) -> None:
        """Give it back; nothing happens if it was lost already."""
        with self._transactions.writing() as connection:
            connection.execute(_RELEASE, _values(lease))

    def holder(self, account_id: int) -> Lease | None:
        """The last taking that was not given back, live or expired."""
        with self._transactions.reading() as connection:
            row = connection.execute(_HOLDER, {"account_id": account_id}).first()
        return None if row is None else Lease(row.account_id, row.owner, row.epoch, row.expires)
