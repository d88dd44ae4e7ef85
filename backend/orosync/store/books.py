"""How many records an account holds, counted once and remembered: counting walks through all of them, and each look at
OroCRM asks.

Links and records alone are written under the account's lease only. So what was counted under one lease goes under the
next one as well, if that is the very next taking, by its epoch: then nobody had the account in between. Remembered is
only what was counted in a transaction that holds the lease in place: else a worker that has lost it, and does not know
yet, might remember what its successor is just changing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from orosync.store.leases import Lease
from orosync.store.transactions import AccountPart, Fate

Key = tuple[str, ...]


class Books:
    """Of all accounts that this process works on. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: dict[int, tuple[int, dict[Key, int]]] = {}  # by account: the epoch, and what was counted

    def of(self, lease: Lease) -> dict[Key, int]:
        """What still goes under this lease, to be added to. Nothing that is kept, for one that is over."""
        with self._guard:
            epoch, counts = self._counts.get(lease.account_id, (0, {}))
            if epoch > lease.epoch:
                return {}
            if epoch < lease.epoch - 1:
                counts = {}
            self._counts[lease.account_id] = lease.epoch, counts
            return counts

    def forget(self, account_id: int) -> None:
        with self._guard:
            self._counts.pop(account_id, None)


class CountedPart(AccountPart):
    """`_books` is set by `AccountStore`."""

    _books: Books
    _written_in: Fate | None = None  # what is counted in that transaction too may be rolled back with it

    def _counted(self, key: Key, count: Callable[[], int]) -> int:
        if self._lease is None:
            return count()
        known = self._books.of(self._lease)
        if key in known:
            return known[key]
        found = count()
        if self._transactions.holds(self._lease) and self._written_in is not self._transactions.fate:
            known[key] = found
        return found

    def _count_anew(self) -> None:
        """To be called within the transaction that writes, before it does."""
        self._books.forget(self._account_id)
        self._written_in = self._transactions.fate
