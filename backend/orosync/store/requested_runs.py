"""Runs that people ask for: they wait here until somebody carries them out, tell how far they are, and can be stopped.

Written without the account's lease, so that asking never waits for a run; who may work on the account is decided by
the lease alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from orosync.core.records import Json
from orosync.errors import BadInput
from orosync.store import tables
from orosync.store.runs import INTERRUPTED
from orosync.store.transactions import Transactions

_ROW = tables.runs.c
_ONE = (_ROW.account_id == sa.bindparam("account_id_"), _ROW.run == sa.bindparam("run_"))
_ADD = sa.insert(tables.runs)
_FIND = sa.select(tables.runs).where(*_ONE)
_BY_KEY = sa.select(_ROW.run).where(
    _ROW.account_id == sa.bindparam("account_id_"), _ROW.idempotency_key == sa.bindparam("key_")
)
_ACTIVE = (
    sa.select(_ROW.run, _ROW.state)
    .where(_ROW.account_id == sa.bindparam("account_id_"), tables.REQUESTED_RUN)
    .order_by(_ROW.id)
)
_WAITING = sa.select(_ROW.account_id, _ROW.run).where(tables.REQUESTED_RUN, _ROW.state == "waiting").order_by(_ROW.id)
_CLAIM = (
    sa.update(tables.runs).where(*_ONE, _ROW.state == "waiting").values(state="running", started_at=sa.bindparam("at"))
)
_FIRST = (
    sa.select(tables.runs)
    .where(_ROW.account_id == sa.bindparam("account_id_"), tables.REQUESTED_RUN, _ROW.state == "waiting")
    .order_by(_ROW.id)
    .limit(1)
)
_GIVE_BACK = (
    sa.update(tables.runs)
    .where(*_ONE, _ROW.state == "running", sa.not_(_ROW.cancel))
    .values(state="waiting", started_at=None)
)
_PROGRESS = sa.update(tables.runs).where(*_ONE).values(progress=sa.bindparam("new_progress")).returning(_ROW.cancel)
# each of the two finds its state while it changes it: a worker may claim the run at the same moment
_CANCEL_WAITING = (
    sa.update(tables.runs)
    .where(*_ONE, _ROW.request.is_not(None), _ROW.state == "waiting")
    .values(state="cancelled", finished_at=sa.bindparam("at"), summary=sa.bindparam("new_summary"))
)
_CANCEL_RUNNING = (
    sa.update(tables.runs).where(*_ONE, _ROW.request.is_not(None), _ROW.state == "running").values(cancel=sa.true())
)
_END = (
    sa.update(tables.runs)
    .where(*_ONE, _ROW.state.in_(("waiting", "running")))
    .values(state=sa.bindparam("new_state"), finished_at=sa.bindparam("at"), summary=sa.bindparam("new_summary"))
)
_HOLDER = sa.select(tables.leases.c.owner, tables.leases.c.expires).where(
    tables.leases.c.account_id == sa.bindparam("account_id_")
)
_STARTING = timedelta(minutes=1)  # between being claimed and taking the lease


@dataclass(frozen=True, slots=True)
class RequestedRun:
    """request: as it was asked for, in the caller's own JSON."""

    account_id: int
    run: str
    mode: str
    state: str
    request: Json
    cancel: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """run: the new one, the one that the same idempotency key made before, or the one that is in the way."""

    run: str
    outcome: Literal["new", "same", "busy"]


class RequestedRuns:
    def __init__(self, transactions: Transactions, now: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._now = now

    def add(self, account_id: int, run: str, mode: str, request: Json, *, key: str | None = None) -> Asked:
        """Unless another one of the account waits or runs. One whose worker died is ended on this occasion. Raises
        BadInput if there is no such account (any more)."""
        with self._transactions.writing() as connection:
            # The row is locked where many may ask at once, so that two requests cannot both find nothing in the way;
            # not against those who merely add rows of the account, as a run does all the time.
            mine = sa.select(tables.accounts.c.id).where(tables.accounts.c.id == account_id)
            if connection.execute(mine.with_for_update(key_share=True)).first() is None:
                raise BadInput(f"There is no account {account_id} (any more).", field="account")
            if key is not None:
                same = connection.execute(_BY_KEY, {"account_id_": account_id, "key_": key}).scalar_one_or_none()
                if same is not None:
                    return Asked(same, "same")
            for row in connection.execute(_ACTIVE, {"account_id_": account_id}).all():
                if row.state == "waiting" or self._is_alive(connection, account_id, row.run):
                    return Asked(row.run, "busy")
                self._end(connection, account_id, row.run, "failed", {"problems": [INTERRUPTED]})
            values = {
                "account_id": account_id,
                "run": run,
                "mode": mode,
                "state": "waiting",
                "requested_at": self._now(),
                "request": request,
                "idempotency_key": key,
            }
            connection.execute(_ADD, values)
            return Asked(run, "new")

    def get(self, account_id: int, run: str) -> RequestedRun | None:
        with self._transactions.reading() as connection:
            row = connection.execute(_FIND, {"account_id_": account_id, "run_": run}).first()
        return None if row is None or row.request is None else _to_run(row)

    def active(self, account_id: int) -> str | None:
        """The run that waits or is carried out."""
        with self._transactions.reading() as connection:
            rows = connection.execute(_ACTIVE, {"account_id_": account_id}).all()
            alive = (r.run for r in rows if r.state == "waiting" or self._is_alive(connection, account_id, r.run))
            return next(alive, None)

    def waiting(self) -> list[tuple[int, str]]:
        """(account, run) of every one that nobody has begun, oldest first."""
        with self._transactions.reading() as connection:
            return [(row.account_id, row.run) for row in connection.execute(_WAITING)]

    def claim(self, account_id: int, run: str) -> bool:
        """True for the one worker that may carry it out."""
        values = {"account_id_": account_id, "run_": run, "at": self._now()}
        with self._transactions.writing() as connection:
            return bool(connection.execute(_CLAIM, values).rowcount)

    def next_waiting(self, account_id: int) -> RequestedRun | None:
        """The one that was asked for first, of those that nobody has begun."""
        with self._transactions.reading() as connection:
            row = connection.execute(_FIRST, {"account_id_": account_id}).first()
        return None if row is None else _to_run(row)

    def give_back(self, account_id: int, run: str) -> None:
        """It could not begin: it waits again, or is over if a person stopped it meanwhile."""
        values: dict[str, Any] = {"account_id_": account_id, "run_": run}
        with self._transactions.writing() as connection:
            if not connection.execute(_GIVE_BACK, values).rowcount:
                self._end(connection, account_id, run, "cancelled", {"problems": []})

    def end_dead(self, account_id: int) -> None:
        """What a worker began that died, is over: nobody else would ever say so."""
        with self._transactions.reading() as connection:
            if not self._dead(connection, account_id):
                return
        with self._transactions.writing() as connection:
            for run in self._dead(connection, account_id):
                self._end(connection, account_id, run, "failed", {"problems": [INTERRUPTED]})

    def _dead(self, connection: sa.Connection, account_id: int) -> list[str]:
        rows = connection.execute(_ACTIVE, {"account_id_": account_id}).all()
        return [r.run for r in rows if r.state == "running" and not self._is_alive(connection, account_id, r.run)]

    def tell_progress(self, account_id: int, run: str, progress: Json) -> bool:
        """True if it is to stop."""
        values = {"account_id_": account_id, "run_": run, "new_progress": progress}
        with self._transactions.writing() as connection:
            return bool(connection.execute(_PROGRESS, values).scalar_one_or_none())

    def cancel(self, account_id: int, run: str) -> bool:
        """One that waits is over at once, one that runs stops at its next step. False if it is over already."""
        values: dict[str, Any] = {"account_id_": account_id, "run_": run}
        with self._transactions.writing() as connection:
            ended = {**values, "at": self._now(), "new_summary": {"problems": []}}
            if connection.execute(_CANCEL_WAITING, ended).rowcount:
                return True
            return bool(connection.execute(_CANCEL_RUNNING, values).rowcount)

    def end(self, account_id: int, run: str, state: str, summary: Json) -> bool:
        """Of a run that never came to its own end. False if it has."""
        with self._transactions.writing() as connection:
            return self._end(connection, account_id, run, state, summary)

    def _end(self, connection: sa.Connection, account_id: int, run: str, state: str, summary: Json) -> bool:
        values: dict[str, Any] = {"account_id_": account_id, "run_": run, "new_state": state, "new_summary": summary}
        return bool(connection.execute(_END, {**values, "at": self._now()}).rowcount)

    def _is_alive(self, connection: sa.Connection, account_id: int, run: str) -> bool:
        """Its worker holds the account's lease, or has just claimed it and is about to."""
        row = connection.execute(_FIND, {"account_id_": account_id, "run_": run}).one()
        if row.started_at is not None and row.started_at > self._now() - _STARTING:
            return True
        holder = connection.execute(_HOLDER, {"account_id_": account_id}).first()
        if holder is None or holder.owner is None or holder.expires <= self._now():
            return False
        return str(holder.owner).endswith(f":{run}")


def _to_run(row: sa.Row[Any]) -> RequestedRun:
    return RequestedRun(row.account_id, row.run, row.mode, row.state, row.request, row.cancel)
