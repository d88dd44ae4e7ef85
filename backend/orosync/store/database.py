"""The whole store: accounts, settings, leases and secrets for everybody, and an `AccountStore` for whoever works on
one account. Built once per process; safe to use from many threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

from orosync.core.records import Entity, Side
from orosync.errors import ConfigurationError
from orosync.store import conflicts, journal, quarantine
from orosync.store.account_states import AccountStates
from orosync.store.accounts import AccountRow, Accounts, Places
from orosync.store.books import Books
from orosync.store.conflicts import Conflicts
from orosync.store.cursors import Cursors
from orosync.store.due_work import DueWorks
from orosync.store.intents import Intents
from orosync.store.journal import Journal
from orosync.store.key_rotation import KeyRotation
from orosync.store.leases import Lease, Leases
from orosync.store.links import Links
from orosync.store.mailboxes import Mailboxes
from orosync.store.one_time_codes import OneTimeCodes
from orosync.store.oplog import Oplog
from orosync.store.overview import Overview
from orosync.store.quarantine import Quarantine
from orosync.store.requested_runs import RequestedRuns
from orosync.store.retention import Retention
from orosync.store.runs import Runs
from orosync.store.scratch import ScratchSpace
from orosync.store.settings import Settings, SettingsLevels
from orosync.store.standing import AccountStanding
from orosync.store.subscriptions import Subscriptions
from orosync.store.transactions import Transactions
from orosync.store.unlinked import UnlinkedRecords
from orosync.store.vault import Secrets, Vault
from orosync.store.waiting_work import WaitingWork
from orosync.store.webhooks import Webhooks
from orosync.store.workers import Workers


class AccountStore(
    AccountRow,
    Cursors,
    Journal,
    Links,
    UnlinkedRecords,
    Intents,
    Oplog,
    Conflicts,
    Quarantine,
    Runs,
    SettingsLevels,
    AccountStanding,
    WaitingWork,
    ScratchSpace,
):
    """Everything the program remembers about one account (the protocol of the same name in `sync/ports.py`).

    Without a lease it is for reading; writing then raises LeaseLost. All methods may be called inside or outside
    `transaction()`; outside, each is its own transaction.
    """

    def __init__(
        self,
        transactions: Transactions,
        account_id: int,
        lease: Lease | None,
        now: Callable[[], datetime],
        places: Places,
        books: Books,
    ) -> None:
        super().__init__(transactions, account_id, lease, now)
        self._places = places
        self._books = books


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Told:
    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now


class Database:
    """`vault` is needed for secrets alone. `now` tells the time for whatever is dated here; `clock` is the same for
    those who want a clock."""

    def __init__(self, engine: sa.Engine, vault: Vault | None = None, now: Callable[[], datetime] = _utc_now) -> None:
        self._transactions = Transactions(engine)
        self._vault = vault
        self._now = now
        self.clock = _Told(now)
        self._places = Places()
        self._books = Books()
        self.accounts = Accounts(self._transactions, self._places)
        self.settings = Settings(self._transactions, now)
        self.leases = Leases(self._transactions)
        self.requested_runs = RequestedRuns(self._transactions, now)
        self.retention = Retention(self._transactions, self._places)
        self.due_work = DueWorks(self._transactions, now)
        self.overview = Overview(self._transactions, now)
        self.account_states = AccountStates(self._transactions, now)
        self.workers = Workers(self._transactions, now)
        self.mailboxes = Mailboxes(self._transactions, now)
        self.subscriptions = Subscriptions(self._transactions, now)
        self.webhooks = Webhooks(self._transactions, self._needed_vault, now)
        self.one_time_codes = OneTimeCodes(self._transactions, self._needed_vault, now)

    @property
    def engine(self) -> sa.Engine:
        return self._transactions.engine

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, across accounts, settings and secrets. Nested ones join the outermost."""
        with self._transactions.writing():
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several things are read one after the other, by one connection: taking one costs as much as a question. Not
        for longer than that; other threads want it too."""
        with self._transactions.reading():
            yield

    def account_store(self, account_id: int, lease: Lease | None = None) -> AccountStore:
        """For reading, or for working on the account under its lease."""
        if lease is not None and lease.account_id != account_id:
            raise ValueError("the lease is another account's")
        return AccountStore(self._transactions, account_id, lease, self._now, self._places, self._books)

    def secrets(self, account_id: int) -> Secrets:
        return Secrets(self._transactions, account_id, self._needed_vault(), self._now)

    @property
    def keys(self) -> KeyRotation:
        return KeyRotation(self._transactions, self._needed_vault())

    def settle_conflict(self, account_id: int, conflict_id: int, choice: Side) -> None:
        """A person chose: remember it and put the record into the journal, so that the next run acts on it. BadInput
        if the conflict is not open (any more)."""
        with self._transactions.writing() as connection:
            conflicts.settle(connection, account_id, conflict_id, choice)
            conflict = conflicts.find(connection, account_id, conflict_id)
            if conflict is not None:
                for side, half in ((Side.OUTLOOK, conflict.outlook_id), (Side.ORO, conflict.oro_id)):
                    journal.look_again(connection, account_id, side, conflict.entity, [half] if half else [])

    def retry_quarantined(self, account_id: int, record: tuple[Side, Entity, str] | None = None) -> int:
        """Let the next run try one record again, or all of the account; returns how many."""
        with self._transactions.writing() as connection:
            return quarantine.retry(connection, account_id, self._now(), record)

    def release_quarantined(self, account_id: int, side: Side, entity: Entity, id: str) -> bool:
        """Forget that a record failed; it is tried when it changes. False if it was not in quarantine."""
        with self._transactions.writing() as connection:
            return quarantine.release(connection, account_id, side, entity, id) > 0

    def _needed_vault(self) -> Vault:
        if self._vault is None:
            raise ConfigurationError(["OROSYNC_SECRET_KEYS is not set, and secrets cannot be kept without"])
        return self._vault
