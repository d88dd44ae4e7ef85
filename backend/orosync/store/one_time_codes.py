"""Codes that work once: handed out by one request, redeemed by another, whichever process answers it.

A sign-in ends in a dialog, and the dialog may hand the pane no more than a code; what the code stands for waits here,
encrypted. Of the code itself only a digest is kept. What it stands for, and for how long, is the caller's to decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from orosync.errors import ConfigurationError
from orosync.store import tables
from orosync.store.transactions import Transactions
from orosync.store.vault import Vault

_ROW = tables.one_time_codes.c
_ADD = sa.insert(tables.one_time_codes)
_TAKE = (
    sa.delete(tables.one_time_codes)
    .where(_ROW.digest == sa.bindparam("digest_"))
    .returning(_ROW.ciphertext, _ROW.expires)
)
_DROP_EXPIRED = sa.delete(tables.one_time_codes).where(_ROW.expires <= sa.bindparam("now_"))


class OneTimeCodes:
    """Codes must be random and long (`secrets.token_urlsafe(32)`): their digest is not salted.

    kind: what a code was made for; it opens nothing under another kind.
    """

    def __init__(self, transactions: Transactions, vault: Callable[[], Vault], now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._vault = vault
        self._now = now

    def add(self, code: str, text: str, expires: datetime, *, kind: str = "") -> None:
        """`text` can be had for `code` once, before `expires`. Codes that expired are dropped on this occasion."""
        digest = _digest(kind, code)
        row = {"digest": digest, "ciphertext": self._vault().encrypt_json([digest, text]), "expires": expires}
        with self._transactions.writing() as connection:
            connection.execute(_DROP_EXPIRED, {"now_": self._now()})
            connection.execute(_ADD, row)

    def redeem(self, code: str, now: datetime, *, kind: str = "") -> str | None:
        """The text; None if there is no such code (any more), or it expired. Of two that ask at once one gets it.

        Call it outside a transaction: one that is rolled back would bring the code back to life.
        """
        digest = _digest(kind, code)
        with self._transactions.writing() as connection:
            row = connection.execute(_TAKE, {"digest_": digest}).one_or_none()
        if row is None or row.expires <= now:
            return None
        try:
            sealed_for, text = self._vault().decrypt_json(row.ciphertext)
        except ConfigurationError:  # sealed with a key that was taken away since: as good as expired
            return None
        return str(text) if sealed_for == digest else None


def _digest(kind: str, code: str) -> str:
    return hashlib.sha256(f"{kind}\0{code}".encode("utf-8", "replace")).hexdigest()
