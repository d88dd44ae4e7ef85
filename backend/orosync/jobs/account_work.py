"""What is done for one message: the one code path, whichever queue carried it.

A message names an account and nothing else. What people asked for comes first, then what is due; when both are done, or
somebody else works on the account, there is nothing left to do.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog

from orosync import bootstrap
from orosync.bootstrap import Database, Held, Known, Taken
from orosync.config import Config
from orosync.core.due import DueWork, Outcome, sides_due
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.errors import (
    AccountBlocked,
    BadInput,
    LeaseLost,
    OrosyncError,
    OutOfTime,
    RunCancelled,
    SignInNeeded,
    Throttled,
)
from orosync.store.requested_runs import RequestedRun
from orosync.store.runs import INTERRUPTED
from orosync.sync.ports import Clock
from orosync.sync.run import Report
from orosync.sync.session import Progress, RunRequest

_log = structlog.get_logger(__name__)

RUN_BUDGET = timedelta(minutes=2)  # then others have their turn, and it goes on later (R29)
REQUESTED_BUDGET = timedelta(minutes=25)  # RabbitMQ takes a message back after 30
WRITING_AT_LEAST = timedelta(minutes=1)  # after much reading
_TELL_EVERY_S = 0.2  # progress is one small write


@dataclass(frozen=True, slots=True)
class _Begun:
    """at: no later than anything of it was read. taken: None if a person asked for something, which comes first."""

    account: Account
    work: DueWork
    at: datetime
    run: str = ""
    taken: Taken | None = None


class AccountWork:
    """Thread-safe: one for each process."""

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        clock: Clock | None = None,
        adapters: Mapping[str, Any] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._config, self._database = config, database
        self._clock = clock or database.clock
        self._adapters = adapters
        self._chance = chance
        self.stopping = threading.Event()

    def carry_out(self, account_id: int) -> None:
        """Until nothing is left to do for it now. What went wrong is in its runs and its state; raised is only that the
        database could not take part, and then the same message is good again."""
        begun = self._begin(account_id)
        if begun is not None and begun.taken is None:
            if not self._carry_out_all_asked(begun.account):
                return  # somebody has the account, and looks here again when done
            begun = self._begin(account_id, asked_is_done=True)
        if begun is not None and begun.taken is not None and self._work_off(begun, begun.taken):
            self._again_if_asked(account_id)

    def _begin(self, account_id: int, *, asked_is_done: bool = False) -> _Begun | None:
        """What there is to do for it now, and if nobody asked for anything and it is due, the account itself: found and
        taken in one transaction, so that of two that meet here one finds nothing to do. None if there is nothing, or
        somebody else works on it."""
        database, at, account, run = self._database, self._clock.now(), None, str(uuid4())
        try:
            with database.transaction():
                work = database.due_work.begin(account_id)
                found = database.accounts.at_hand(account_id, at)
                account = found.account
                if found.wished and not asked_is_done:
                    return _Begun(account, work, at)
                if self.stopping.is_set() or not self._is_due(account, work):
                    return None
                if not found.leased:
                    return _Begun(account, work, at, run, bootstrap.take(database, account, run, self._clock))
            # Its holder may have died, or be in the middle of a transaction, which no call from outside may wait for:
            # so not while the account's row is locked.
            taken = bootstrap.take(database, account, run, self._clock)
            account = database.accounts.get(account_id)  # as that holder left it
            return _Begun(account, database.due_work.get(account_id), at, run, taken)
        except bootstrap.InUse:
            database.due_work.let_rest(account_id, asked=False)
        except BadInput:
            pass  # removed meanwhile
        except Throttled as error:
            if account is None:
                raise
            database.due_work.begin(account_id)
            self._plan_next(account, _trouble(error), at)
            self._again_if_asked(account_id)
        return None

    def _again_if_asked(self, account_id: int) -> None:
        """Whoever asked while we had the account was turned away."""
        if self._database.requested_runs.next_waiting(account_id) is not None:
            self.carry_out(account_id)

    # ------------------------------------------------------------------------------------------------ asked for

    def _carry_out_all_asked(self, account: Account) -> bool:
        """False if another run has the account now."""
        self._database.requested_runs.end_dead(account.id)
        while not self.stopping.is_set():
            asked = self._database.requested_runs.next_waiting(account.id)
            if asked is None:
                break
            if not self._carry_out_asked(account, asked):
                return False
        return True

    def _carry_out_asked(self, account: Account, asked: RequestedRun) -> bool:
        """False if another run has the account now."""
        runs, time_ = self._database.requested_runs, self._clock
        if not runs.claim(account.id, asked.run):
            return True
        try:
            with bootstrap.leased(self._database, account, asked.run, time_) as held:
                self._asked_once(account, asked, held)
        except bootstrap.InUse:
            runs.give_back(account.id, asked.run)
            # whoever has it may have looked for wishes a moment before
            self._database.due_work.let_rest(account.id, asked=True)
            return False
        except RunCancelled:
            runs.end(account.id, asked.run, "cancelled", {"problems": []})
        except (SignInNeeded, AccountBlocked) as error:  # before it began: a secret is missing, a host not allowed
            self._database.accounts.suspend(account.id, str(error), time_.now())
            runs.end(account.id, asked.run, "suspended", {"problems": [str(error)]})
        except OrosyncError as error:
            runs.end(account.id, asked.run, "failed", {"problems": [str(error)]})
        except Exception:  # noqa: BLE001  # the edge of a run: nothing may end the worker
            _log.exception("a requested run broke", account=account.name, run=asked.run)
            runs.end(account.id, asked.run, "failed", {"problems": ["Something is wrong with this installation."]})
        else:
            return True
        self._plan_next(account, None, time_.now())
        return True

    def _asked_once(self, account: Account, asked: RequestedRun, held: Held) -> None:
        progress = self._progress(REQUESTED_BUDGET, lambda told: self._tell(asked, told))
        if asked.mode in {"undo", "undo_preview"}:
            bootstrap.undo_once(
                self._config,
                self._database,
                account.name,
                asked.request["of"],
                preview=asked.mode == "undo_preview",
                adapters=self._adapters,
                clock=self._clock,
                progress=progress,
                run=asked.run,
                held=held,
                chance=self._chance,
            )
        else:
            self._run(account, as_run_request(asked), progress, asked.run, held)

    def _tell(self, asked: RequestedRun, told: dict[str, Any]) -> None:
        if self._database.requested_runs.tell_progress(asked.account_id, asked.run, told):
            raise RunCancelled("A person stopped the run.")

    # ------------------------------------------------------------------------------------------------ due

    def _work_off(self, begun: _Begun, taken: Taken) -> bool:
        """What is due. False if somebody else goes on with it."""
        account, began, run = begun.account, begun.at, begun.run
        try:
            with bootstrap.kept(self._database, taken, self._clock) as held:
                self._due_once(begun, held)
        except LeaseLost:
            return False
        except (SignInNeeded, AccountBlocked) as error:
            self._database.accounts.suspend(account.id, str(error), self._clock.now())
            signed_out = isinstance(error, SignInNeeded)
            self._plan_next(account, Outcome("suspended", reason=str(error), sign_in_needed=signed_out), began)
        except OrosyncError as error:
            self._plan_next(account, _trouble(error), began)
        except Exception:  # noqa: BLE001  # the edge of a run: nothing may end the worker
            _log.exception("a run broke", account=account.name, run=run)
            reason = "Something is wrong with this installation; its logs say what."
            self._plan_next(account, Outcome("failed", reason=reason), began)
        return True

    def _is_due(self, account: Account, work: DueWork) -> bool:
        return work.due_at is not None and work.due_at <= self._clock.now() and account.state != "disabled"

    def _due_once(self, begun: _Begun, held: Held) -> None:
        account, work, now = begun.account, begun.work, self._clock.now()
        if not self._is_due(account, work):
            return  # whoever had it before us has done it
        known = bootstrap.known_of(self._database, account, begun.at)
        sides = frozenset(Side) if work.trouble or account.state == "suspended" else sides_due(work, known.pace, now)
        if not known.pace.enabled or not sides:
            self._plan_next(account, None, now)
            self._keep_push(account, held, known)  # one that is not kept in step any more wants no calls
            return
        request = RunRequest(sides=sides, background=True)
        report = self._run(account, request, self._progress(RUN_BUDGET, None), begun.run, held, known)
        if report.state in {"done", "held"}:
            self._keep_push(account, held, known)

    def _keep_push(self, account: Account, held: Held, known: Known) -> None:
        """Under the run's lease, because the mailbox has to be its. Without push everything only takes longer, so no
        trouble with it may become the account's."""
        config, database = self._config, self._database
        adapters, clock, chance = self._adapters, self._clock, self._chance

        def of_graph() -> None:
            bootstrap.keep_graph_push(
                config,
                database,
                account,
                adapters=adapters,
                clock=clock,
                allowance=held.allowance,
                chance=chance,
                subscribed=known.subscribed,
            )

        def of_oro() -> None:
            bootstrap.keep_oro_push(config, database, account, adapters=adapters, clock=clock)

        for keep in (of_graph, of_oro):
            try:
                keep()
            except OrosyncError as error:
                _log.info("push could not be looked after", account=account.name, why=str(error))
            except Exception:  # noqa: BLE001  # see above
                _log.exception("looking after push broke", account=account.name)

    def _run(
        self,
        account: Account,
        request: RunRequest,
        progress: Progress,
        run: str,
        held: Held,
        known: Known | None = None,
    ) -> Report:
        return bootstrap.run_once(
            self._config,
            self._database,
            account.name,
            request,
            progress,
            adapters=self._adapters,
            clock=self._clock,
            run=run,
            held=held,
            known=known,
            chance=self._chance,
        )

    def _plan_next(self, account: Account, outcome: Outcome | None, began: datetime) -> None:
        bootstrap.plan_next(self._database, account, outcome, began, self._clock.now(), self._chance())

    def _progress(self, budget: timedelta, tell: Callable[[dict[str, Any]], None] | None) -> Progress:
        """budget: from now on. A run that had to read for longer than that may go on, and has some time to write, too:
        else it would begin anew, and read as long, for ever."""
        began, last = time.monotonic(), 0.0
        until, reads_until = began + budget.total_seconds(), began + REQUESTED_BUDGET.total_seconds()
        writes = False

        def step(what: str, done: int, total: int) -> None:
            nonlocal last, until, writes
            now = time.monotonic()
            if self.stopping.is_set():
                raise OutOfTime(INTERRUPTED)
            if not writes and not what.startswith("reading"):
                writes, until = True, max(until, now + WRITING_AT_LEAST.total_seconds())
            if now > (until if writes else reads_until):
                raise OutOfTime("The run had its time; the rest follows by itself.")
            if tell is not None and (now - last >= _TELL_EVERY_S or done >= total > 0):
                last = now
                tell({"what": what, "done": done, "total": total})

        return step


def _trouble(error: OrosyncError) -> Outcome:
    retry_after_s = getattr(error, "retry_after_s", None)
    return Outcome("failed", reason=str(error), throttled=isinstance(error, Throttled), retry_after_s=retry_after_s)


def as_run_request(asked: RequestedRun) -> RunRequest:
    """request: {"entities": [..] | None, "approve": hash | None, "replace": bool}."""
    entities = asked.request.get("entities")
    return RunRequest(
        mode=asked.mode,  # type: ignore[arg-type]
        entities=frozenset(Entity(each) for each in entities) if entities else None,
        approve=asked.request.get("approve"),
        replace=bool(asked.request.get("replace")),
        sweep=True,
    )
