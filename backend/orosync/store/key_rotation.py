"""Everything that is encrypted, encrypted again with the newest key, while the service goes on.

Some rows in one transaction, each locked before it is read: a token that is renewed meanwhile is not overwritten with
the one before. Stopped half-way it goes on where it was; until it is through, all keys are needed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa

from orosync.errors import ConfigurationError
from orosync.store import tables, webhooks
from orosync.store.transactions import Transactions
from orosync.store.vault import Vault

AT_ONCE = 500  # rows in one transaction: a few hundredths of a second

_SECRET = tables.secrets.c
_OLD = (
    sa.select(tables.secrets)
    .where(_SECRET.key != sa.bindparam("newest"))
    .order_by(_SECRET.account_id, _SECRET.name)
    .limit(sa.bindparam("most"))
    .with_for_update()
)
_RESEAL = (
    sa.update(tables.secrets)
    .where(_SECRET.account_id == sa.bindparam("account_id_"), _SECRET.name == sa.bindparam("name_"))
    .values(ciphertext=sa.bindparam("new_ciphertext"), key=sa.bindparam("new_key"))
)
_BY_KEY = sa.select(_SECRET.key, sa.func.count().label("secrets")).group_by(_SECRET.key)
_CODES = sa.select(tables.one_time_codes).with_for_update()
_CODE = tables.one_time_codes.c.digest == sa.bindparam("digest_")
_RESEAL_CODE = sa.update(tables.one_time_codes).where(_CODE).values(ciphertext=sa.bindparam("new_ciphertext"))
_DROP_CODE = sa.delete(tables.one_time_codes).where(_CODE)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key by its name, and how many secrets of accounts are encrypted with it. ours: the configuration has it."""

    name: str
    newest: bool
    ours: bool
    secrets: int


class KeyRotation:
    """at_once: how many rows in one transaction."""

    def __init__(self, transactions: Transactions, vault: Vault, at_once: int = AT_ONCE) -> None:
        self._transactions = transactions
        self._vault = vault
        self._at_once = at_once

    def rotate(self) -> int:
        """Afterwards nothing needs the older keys any more; returns how many secrets had one of them. Raises
        ConfigurationError if a secret does not open with the keys there are; what came before it is done."""
        count = 0
        while met := self._reseal_some():
            count += met
        return count + self._reseal_codes() + self._reseal_webhooks()

    def uses(self) -> list[KeyUse]:
        """The configured keys, newest first, then those that secrets have and the configuration has not."""
        with self._transactions.reading() as connection:
            used = Counter({row.key: int(row.secrets) for row in connection.execute(_BY_KEY)})
        names = self._vault.key_names
        ours = [KeyUse(name, name == names[0], ours=True, secrets=used[name]) for name in names]
        lost = [KeyUse(name, newest=False, ours=False, secrets=used[name]) for name in sorted(set(used) - set(names))]
        return ours + lost

    def _reseal_some(self) -> int:
        with self._transactions.writing() as connection:
            old = connection.execute(_OLD, {"newest": self._vault.newest_key, "most": self._at_once}).all()
            rows = [
                {
                    "account_id_": row.account_id,
                    "name_": row.name,
                    "new_ciphertext": self._vault.encrypt(self._vault.decrypt(row.ciphertext)),
                    "new_key": self._vault.newest_key,
                }
                for row in old
            ]
            if rows:
                connection.execute(_RESEAL, rows)
        return len(rows)

    def _reseal_codes(self) -> int:
        """Few, and of minutes: one that does not open any more is as good as expired."""
        count = 0
        with self._transactions.writing() as connection:
            for row in connection.execute(_CODES).all():
                if self._vault.is_newest(row.ciphertext):
                    continue
                try:
                    sealed = self._vault.encrypt(self._vault.decrypt(row.ciphertext))
                except ConfigurationError:
                    connection.execute(_DROP_CODE, {"digest_": row.digest})
                else:
                    connection.execute(_RESEAL_CODE, {"digest_": row.digest, "new_ciphertext": sealed})
                    count += 1
        return count

    def _reseal_webhooks(self) -> int:
        with self._transactions.writing() as connection:
            return webhooks.reseal(connection, self._vault)
