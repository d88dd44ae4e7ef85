"""Secrets at rest: API keys, passwords, tokens, encrypted with the newest of the operator's Fernet keys.

A secret is sealed together with the account and the name it belongs to, so that a row copied to another place opens
nothing. Neither keys nor secrets appear in a repr, a message or a log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from orosync.errors import ConfigurationError
from orosync.store import tables
from orosync.store.transactions import Transactions, Upsert

_ROW = tables.secrets.c
_SAVE = Upsert(tables.secrets)
_ONE = (_ROW.account_id == sa.bindparam("account_id_"), _ROW.name == sa.bindparam("name_"))
_READ = sa.select(_ROW.ciphertext).where(*_ONE)
_READ_ALL = sa.select(_ROW.name, _ROW.ciphertext).where(_ROW.account_id == sa.bindparam("account_id_"))
_FORGET = sa.delete(tables.secrets).where(*_ONE)
_NAMES = sa.select(_ROW.name).where(_ROW.account_id == sa.bindparam("account_id_")).order_by(_ROW.name)


class Vault:
    """`keys`: Fernet keys, newest first. The newest encrypts, each of them decrypts.

    reread: the keys as they are by now; asked when none of ours fits, because somebody may have rotated them while
    this process runs.
    """

    def __init__(self, keys: Sequence[str], reread: Callable[[], Sequence[str]] | None = None) -> None:
        self._reread = reread
        self._keys: tuple[str, ...] = ()
        self._use(keys)

    def _use(self, keys: Sequence[str]) -> None:
        problems = [] if keys else ["OROSYNC_SECRET_KEYS is not set; make a key with `orosync keys new`"]
        fernets = []
        for place, key in enumerate(keys, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                problems.append(f"OROSYNC_SECRET_KEYS: key {place} is no Fernet key (32 bytes in URL-safe base64)")
        if problems:
            raise ConfigurationError(problems)
        self._fernets = MultiFernet(fernets)
        self._newest = fernets[0]
        self._keys = tuple(keys)
        self.newest_key = name_of_key(keys[0])

    def __repr__(self) -> str:
        return f"Vault(newest_key={self.newest_key!r})"

    @property
    def key_names(self) -> tuple[str, ...]:
        """Newest first."""
        return tuple(name_of_key(key) for key in self._keys)

    def encrypt(self, text: str) -> str:
        return self._fernets.encrypt(text.encode()).decode()

    def decrypt(self, ciphertext: str) -> str:
        """Raises ConfigurationError if none of the keys fits."""
        try:
            return self._fernets.decrypt(ciphertext.encode()).decode()
        except InvalidToken:
            if self._has_newer_keys():
                return self.decrypt(ciphertext)
            problem = (
                "OROSYNC_SECRET_KEYS: none of the keys opens a stored secret; add the key used before after the newest "
                "one, or enter the account's secrets again"
            )
            raise ConfigurationError([problem]) from None

    def _has_newer_keys(self) -> bool:
        keys = tuple(self._reread()) if self._reread is not None else ()
        if not keys or keys == self._keys:
            return False
        self._use(keys)
        return True

    def is_newest(self, ciphertext: str) -> bool:
        """Whether it was encrypted with the newest key."""
        try:
            self._newest.decrypt(ciphertext.encode())
        except InvalidToken:
            return False
        return True

    def encrypt_json(self, value: Any) -> str:
        return self.encrypt(json.dumps(value))

    def decrypt_json(self, ciphertext: str) -> Any:
        return json.loads(self.decrypt(ciphertext))


def name_of_key(key: str) -> str:
    """Names it, tells nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class Secrets:
    """One account's secrets by name. They are saved without its lease: a refresh that voids the former token must be
    kept, whoever made it. Inside a transaction they share its fate, so save them outside."""

    def __init__(self, transactions: Transactions, account_id: int, vault: Vault, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._account_id = account_id
        self._vault = vault
        self._now = now
        self._together: dict[str, str] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within the block all are read at once; for who needs several, and writes none."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_READ_ALL, {"account_id_": self._account_id})
            self._together = {row.name: row.ciphertext for row in rows}
        try:
            yield
        finally:
            self._together = None

    def get(self, name: str) -> str | None:
        """None if there is none. Raises ConfigurationError if it does not open with the keys there are."""
        ciphertext = self._sealed(name) if self._together is None else self._together.get(name)
        if ciphertext is None:
            return None
        account_id, sealed_name, text = self._vault.decrypt_json(ciphertext)
        if (account_id, sealed_name) != (self._account_id, name):
            raise ConfigurationError(
                [f"secret {name!r} of account {self._account_id} was sealed for another place; enter it again"]
            )
        return str(text)

    def _sealed(self, name: str) -> str | None:
        with self._transactions.reading() as connection:
            ciphertext: str | None = connection.execute(_READ, self._key(name)).scalar_one_or_none()
        return ciphertext

    def set(self, name: str, text: str) -> None:
        values = {
            "account_id": self._account_id,
            "name": name,
            "ciphertext": self._vault.encrypt_json([self._account_id, name, text]),
            "key": self._vault.newest_key,
            "saved_at": self._now(),
        }
        with self._transactions.writing() as connection:
            connection.execute(_SAVE.into(connection), values)

    def forget(self, name: str) -> None:
        with self._transactions.writing() as connection:
            connection.execute(_FORGET, self._key(name))

    def names(self) -> list[str]:
        with self._transactions.reading() as connection:
            return list(connection.execute(_NAMES, {"account_id_": self._account_id}).scalars())

    def _key(self, name: str) -> dict[str, Any]:
        return {"account_id_": self._account_id, "name_": name}
