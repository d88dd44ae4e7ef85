"""Who works on an account: one run at a time, by a lease that is renewed while the run lasts; and its turn at the
mailbox, which nobody else calls meanwhile."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import structlog

from orosync.bootstrap.watch import WATCH
from orosync.core.ledger import Account
from orosync.errors import LeaseLost, Throttled, TryLater
from orosync.outlook.allowance import Allowance
from orosync.store import mailboxes
from orosync.store.database import Database
from orosync.store.leases import Lease
from orosync.store.mailboxes import MailboxTurn
from orosync.sync.ports import Clock

# Short, so that what a killed worker left is taken up soon; renewed often, so that a busy machine does not lose it.
LEASE = timedelta(seconds=8)
_RENEW_EVERY_S = 2.0
_SPARE_S = 1.0  # a write that begins in the last second of a lease may arrive after it

_log = structlog.get_logger(__name__)


class InUse(TryLater):
    """Somebody else works on the account or its mailbox now."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An account and its mailbox, ours until they are given back. taken_at: no later, by `time.monotonic`."""

    lease: Lease
    turn: MailboxTurn
    allowance: Allowance
    taken_at: float


@dataclass(frozen=True, slots=True)
class Held:
    """allowance: what the mailbox may still be asked. term: how long the lease is certainly ours. at_end: to be written
    in the transaction that gives both back."""

    lease: Lease
    allowance: Allowance
    term: Term
    at_end: list[Callable[[], object]] = field(default_factory=list)


class Term:
    """Until when a lease is certainly ours, by this process's own steady clock, which goes on while it is frozen.

    renew: raises LeaseLost. taken_at: when the lease was asked for, by `monotonic`. Threads share it."""

    def __init__(
        self, renew: Callable[[], object], taken_at: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._renew, self._monotonic = renew, monotonic
        self._until = taken_at + LEASE.total_seconds() - _SPARE_S

    def renew(self) -> None:
        asked_at = self._monotonic()
        self._renew()
        self._until = asked_at + LEASE.total_seconds() - _SPARE_S

    def ensure(self) -> None:
        """Raises LeaseLost if somebody took the account over, TryLater if the database cannot be asked."""
        if self._monotonic() >= self._until:
            self.renew()


@contextmanager
def leased(database: Database, account: Account, run: str, clock: Clock) -> Iterator[Held]:
    """Taken, renewed and given back. Raises InUse while another run has the account or its mailbox;
    Throttled while the mailbox wants to be left alone."""
    with kept(database, take(database, account, run, clock), clock) as held:
        yield held


def take(database: Database, account: Account, run: str, clock: Clock) -> Taken:
    """The account and its mailbox, both or none. Raises as `leased`, and a transaction that it happened in must then be
    given up."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{run}"
    taken_at = time.monotonic()
    with database.transaction():
        lease = _take(database, account, owner, clock)
        turn, allowance = _take_turn(database, account.mailbox, owner, clock)
    return Taken(lease, turn, allowance, taken_at)


@contextmanager
def kept(database: Database, taken: Taken, clock: Clock) -> Iterator[Held]:
    """Renewed, and given back at the end: in the transaction in which `Held.at_end` is done, so that whoever comes next
    finds both or none. Nothing of that is done if the block ends with an error."""
    term = Term(lambda: database.leases.renew(taken.lease, clock.now(), LEASE), taken.taken_at)
    held = Held(taken.lease, taken.allowance, term)
    try:
        with WATCH.over(lambda over: _keep(database, term, taken, over)):
            yield held
        with database.transaction():
            for each in held.at_end:
                each()
            _give_back(database, taken, clock)
    except BaseException:
        with database.transaction():
            _give_back(database, taken, clock)
        raise


def _give_back(database: Database, taken: Taken, clock: Clock) -> None:
    _give_turn_back(database, taken.turn, taken.allowance, clock)
    database.leases.release(taken.lease)


@contextmanager
def mailbox_turn(database: Database, mailbox: str, owner: str, clock: Clock) -> Iterator[Allowance]:
    """Nobody else calls the mailbox meanwhile, in whatever process. Raises InUse if somebody does, Throttled while
    it wants to be left alone. Not renewed: whoever needs it longer than a lease does so."""
    with database.transaction():
        turn, allowance = _take_turn(database, mailbox, owner, clock)
    try:
        yield allowance
    finally:
        with database.transaction():
            _give_turn_back(database, turn, allowance, clock)


def _take_turn(database: Database, mailbox: str, owner: str, clock: Clock) -> tuple[MailboxTurn, Allowance]:
    turn = database.mailboxes.take(mailbox, owner, LEASE)
    if turn is None:
        before = database.mailboxes.owner(mailbox)
        if before is not None and _has_died(database, before):
            turn = database.mailboxes.take_over(mailbox, before, owner, LEASE)
    if turn is None:
        raise InUse("This mailbox is being synchronised just now.", remedy="Wait until it is done, then try again.")
    now = clock.now()
    if turn.paused_until is not None and turn.paused_until > now:
        wait_s = (turn.paused_until - now).total_seconds()
        raise Throttled("The mailbox asked for a pause.", retry_after_s=wait_s)
    since_s = max(0.0, (now - turn.counted_at).total_seconds())
    tokens = min(mailboxes.CAPACITY, turn.tokens + since_s * mailboxes.REFILL_PER_S)
    return turn, Allowance(tokens, capacity=mailboxes.CAPACITY, refill_per_s=mailboxes.REFILL_PER_S)


def _give_turn_back(database: Database, turn: MailboxTurn, allowance: Allowance, clock: Clock) -> None:
    database.mailboxes.release(turn, allowance.left)
    if allowance.pause_left_s:
        database.mailboxes.pause(turn.mailbox, clock.now() + timedelta(seconds=allowance.pause_left_s))


@contextmanager
def turn_soon(database: Database, mailbox: str, clock: Clock, patience_s: float = 5.0) -> Iterator[Allowance]:
    """For a question or two beside the runs. Raises InUse when a run keeps the mailbox for longer than that."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
    until = time.monotonic() + patience_s
    while True:
        with ExitStack() as stack:
            try:
                allowance = stack.enter_context(mailbox_turn(database, mailbox, owner, clock))
            except InUse:
                if time.monotonic() > until:
                    raise
            else:
                yield allowance
                return
        time.sleep(0.1)


def _take(database: Database, account: Account, owner: str, clock: Clock) -> Lease:
    lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        if holder is not None and _has_died(database, holder.owner):
            database.leases.release(holder)
            lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        who = f" ({holder.owner.rpartition(':')[0]})" if holder else ""
        raise InUse(
            f"Another run is working on account {account.name}{who}.", remedy="Wait until it is done, then try again."
        )
    return lease


def _has_died(database: Database, owner: str) -> bool:
    """A process of this machine that was killed. Others can't be asked, so what they hold has to expire."""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    one_machine = database.engine.dialect.name == "sqlite"
    if not one_machine or host != socket.gethostname() or not pid.isdigit() or sys.platform == "win32":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _keep(database: Database, term: Term, taken: Taken, over: threading.Event) -> None:
    while True:
        try:
            term.renew()
            database.mailboxes.keep(taken.turn, LEASE, taken.allowance.left)
        except LeaseLost:
            return  # the next write or commit says so to whoever works
        except TryLater:
            pass
        except Exception:  # noqa: BLE001  # the edge of a thread: without it the run would lose its lease in silence
            _log.exception("a lease could not be renewed")
        if over.wait(_RENEW_EVERY_S):
            return
