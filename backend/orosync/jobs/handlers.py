"""What is done for one message: the one code path, whichever engine carried it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.config import Config
from orosync.core.records import Entity
from orosync.errors import AccountBlocked, OrosyncError, RunCancelled, SignInNeeded, TryLater
from orosync.store.requested_runs import INTERRUPTED, RequestedRun
from orosync.sync.ports import Clock
from orosync.sync.session import Progress, RunRequest

_log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=5)  # for the run that has the account now
_PAUSE_S = 0.25  # between two looks at the lease
_TOUCH_EVERY_S = 15.0  # so that a run that waits for the account is not taken for one whose worker died
_TELL_EVERY_S = 0.2  # progress is one small write


class Requested:
    """Carries out runs that people asked for."""

    def __init__(
        self,
        config: Config,
        database: Database,
        *,
        clock: Clock | None = None,
        adapters: Mapping[str, Any] | None = None,
    ) -> None:
        self._config, self._database = config, database
        self._clock = clock or bootstrap.SystemClock()
        self._adapters = adapters
        self.stopping = threading.Event()

    def carry_out(self, account_id: int, run: str) -> None:
        """Once: whoever claims it. What went wrong is in the run; raised is only that the database could not take part,
        and then the same message is good again."""
        runs = self._database.requested_runs
        asked = runs.get(account_id, run)
        if asked is None or not runs.claim(account_id, run):
            return
        try:
            self._with_patience(asked)
        except RunCancelled:
            runs.end(account_id, run, "cancelled", {"problems": []})
        except (SignInNeeded, AccountBlocked) as error:  # before it began: a secret is missing, a host not allowed
            self._database.accounts.suspend(account_id, str(error), self._clock.now())
            runs.end(account_id, run, "suspended", {"problems": [str(error)]})
        except OrosyncError as error:
            runs.end(account_id, run, "failed", {"problems": [str(error)]})
        except Exception:  # noqa: BLE001  # the edge of a run: nothing may end the worker
            _log.exception("a requested run broke", run=run)
            runs.end(account_id, run, "failed", {"problems": ["Something is wrong with this installation."]})

    def _with_patience(self, asked: RequestedRun) -> None:
        """Another run may have the account; this one is next."""
        touched = time.monotonic()
        until = touched + PATIENCE.total_seconds()
        while True:
            try:
                self._once(asked)
            except TryLater:
                over = time.monotonic() > until or not self._still_to_begin(asked)
                if over or self.stopping.wait(_PAUSE_S):
                    raise
                if time.monotonic() - touched >= _TOUCH_EVERY_S:
                    self._database.requested_runs.touch(asked.account_id, asked.run)
                    touched = time.monotonic()
            else:
                return

    def _still_to_begin(self, asked: RequestedRun) -> bool:
        now = self._database.requested_runs.get(asked.account_id, asked.run)
        if now is not None and now.cancel:
            raise RunCancelled("A person stopped the run before it began.")
        return now is not None and now.state == "running"

    def _once(self, asked: RequestedRun) -> None:
        name = self._database.accounts.get(asked.account_id).name
        undo = asked.mode in {"undo", "undo_preview"}
        if undo:
            bootstrap.undo_once(
                self._config,
                self._database,
                name,
                asked.request["of"],
                preview=asked.mode == "undo_preview",
                adapters=self._adapters,
                clock=self._clock,
                progress=self._progress_of(asked),
                run=asked.run,
            )
            return
        bootstrap.run_once(
            self._config,
            self._database,
            name,
            as_run_request(asked),
            self._progress_of(asked),
            adapters=self._adapters,
            clock=self._clock,
            run=asked.run,
        )

    def _progress_of(self, asked: RequestedRun) -> Progress:
        last = 0.0

        def tell(what: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < _TELL_EVERY_S and done < total:
                return
            last = now
            told = {"what": what, "done": done, "total": total}
            stop = self._database.requested_runs.tell_progress(asked.account_id, asked.run, told)
            if stop:
                raise RunCancelled("A person stopped the run.")
            if self.stopping.is_set():
                raise RunCancelled(INTERRUPTED)

        return tell


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
