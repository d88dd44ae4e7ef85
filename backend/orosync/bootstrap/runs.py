"""A session under the account's lease, and what is done in one: a run, or taking one back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

from orosync import telemetry
from orosync.bootstrap.lanes import lanes
from orosync.bootstrap.lease import Held, leased
from orosync.bootstrap.parts import RandomIds, build_sides, settings_of
from orosync.bootstrap.planning import Known, outcome_of, plan_next
from orosync.bootstrap.telling import run_and_tell, undo_and_tell
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.errors import BadInput
from orosync.store.database import Database
from orosync.sync.ports import Clock, Ids
from orosync.sync.run import Report
from orosync.sync.session import Progress, RunRequest, Session
from orosync.sync.take_back import UndoReport


def _unwatched(_what: str, _done: int, _total: int) -> None:
    """Nobody watches the progress."""


@contextmanager
def open_session(
    config: Config,
    database: Database,
    account_name: str,
    request: RunRequest | None = None,
    progress: Progress = _unwatched,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    run: str | None = None,
    held: Held | None = None,
    known: Known | None = None,
) -> Iterator[Session]:
    """A session under the account's lease, which is renewed while it lasts and given back at its end.

    held: a lease that the caller keeps. known: what the caller read under it a moment ago. Raises BadInput for an
    unknown or disabled account, InUse while another run has it, Throttled while its mailbox wants to be left alone.
    """
    account = known.account if known is not None else database.accounts.named(account_name)
    if account.state == "disabled":
        raise BadInput(
            f"Account {account.name} is disabled.",
            field="account",
            remedy=f"Run `orosync accounts enable {account.name}` first.",
        )
    time, source = clock or database.clock, ids or RandomIds()
    run = run or source.new()
    settings = known.settings if known is not None else settings_of(database, account)
    with nullcontext(held) if held else leased(database, account, run, time) as own, lanes() as launch:
        sides = build_sides(
            config,
            database,
            account,
            settings,
            adapters=adapters,
            clock=time,
            allowance=own.allowance,
            still_ours=own.term.ensure,
        )
        store = database.account_store(account.id, own.lease)
        if known is not None:
            store.begin_with(account)
            if not known.intends:
                store.begin_without_intents()
        yield Session(
            run=run,
            request=request or RunRequest(),
            store=store,
            sides=sides,
            clock=time,
            ids=source,
            settings=settings,
            colleagues=Colleagues(database, account),
            progress=progress,
            launch=launch,
            side_by_side=True,
        )


def run_once(
    config: Config,
    database: Database,
    account_name: str,
    request: RunRequest,
    progress: Progress = _unwatched,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    run: str | None = None,
    held: Held | None = None,
    known: Known | None = None,
    chance: Callable[[], float] = random.random,
) -> Report:
    """One run of one account; and when it is looked at next, which is written as its lease is given back. Raises as
    `open_session`, and LeaseLost."""
    time = clock or database.clock
    began = known.at if known is not None else time.now()
    source = ids or RandomIds()
    run = run or source.new()
    opened = open_session(
        config,
        database,
        account_name,
        request,
        progress,
        adapters=adapters,
        clock=clock,
        ids=source,
        run=run,
        held=held,
        known=known,
    )
    with telemetry.bound(account=account_name, run=run), opened as session:
        report = run_and_tell(session)
        outcome = None if request.preview else outcome_of(report, request)

        def plan() -> None:
            account = known.account if known is not None else database.accounts.named(account_name)
            pace = known.pace if known is not None else None
            plan_next(database, account, outcome, began, time.now(), chance(), pace=pace)

        if held is not None:
            held.at_end.append(plan)
        else:
            plan()
        return report


def undo_once(
    config: Config,
    database: Database,
    account_name: str,
    of_run: str,
    *,
    preview: bool,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    progress: Progress = _unwatched,
    run: str | None = None,
    held: Held | None = None,
    chance: Callable[[], float] = random.random,
) -> UndoReport:
    """Take a run back, or show what would be taken back. Raises as `open_session`; BadInput for an unknown run."""
    request = RunRequest(mode="preview" if preview else "sync")
    run = run or RandomIds().new()
    opened = open_session(
        config, database, account_name, request, progress, adapters=adapters, clock=clock, run=run, held=held
    )
    with telemetry.bound(account=account_name, run=run), opened as session:
        report = undo_and_tell(session, of_run, preview=preview)
        now = (clock or database.clock).now()
        plan_next(database, database.accounts.named(account_name), None, now, now, chance())
        return report


class Colleagues(AbstractSet[str]):
    """Addresses of the other mailboxes that are connected to the same OroCRM, in lower case. Looked up when somebody
    asks for the first one: hardly any run does, and an installation may have thousands."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database, self._account = database, account

    @cached_property
    def _known(self) -> frozenset[str]:
        found = self._database.accounts.addresses_at(self._account.orocrm_url, besides=self._account.id)
        return frozenset(address.casefold() for address in found)

    def __contains__(self, address: object) -> bool:
        return address in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
