"""Who works on an account: one run at a time, by a lease that is renewed while the run lasts."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from orosync.core.ledger import Account
from orosync.errors import LeaseLost, TryLater
from orosync.store.database import Database
from orosync.store.leases import Lease
from orosync.sync.ports import Clock

LEASE = timedelta(minutes=10)


@contextmanager
def leased(database: Database, account: Account, run: str, clock: Clock) -> Iterator[Lease]:
    """Taken, renewed and given back. Raises TryLater while another run has it."""
    lease = _take(database, account, f"{socket.gethostname()}:{os.getpid()}:{run}", clock)
    over = threading.Event()
    renewal = threading.Thread(target=_keep, args=(database, lease, over, clock), name="lease", daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        over.set()
        renewal.join()
        database.leases.release(lease)


def _take(database: Database, account: Account, owner: str, clock: Clock) -> Lease:
    lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        if holder is not None and _has_died(database, holder):
            database.leases.release(holder)
            lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        who = f" ({holder.owner.rpartition(':')[0]})" if holder else ""
        raise TryLater(
            f"Another run is working on account {account.name}{who}.", remedy="Wait until it is done, then try again."
        )
    return lease


def _has_died(database: Database, holder: Lease) -> bool:
    """A process of this machine that was killed. Others can't be asked, so their lease has to expire."""
    host, _, rest = holder.owner.partition(":")
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


def _keep(database: Database, lease: Lease, over: threading.Event, clock: Clock) -> None:
    while not over.wait(LEASE.total_seconds() / 3):
        try:
            database.leases.renew(lease, clock.now(), LEASE)
        except LeaseLost:
            return  # the next commit says so to whoever works
        except TryLater:
            continue
