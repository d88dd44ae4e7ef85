"""The history of runs with their summaries, and the plans that previews showed or the guard holds.

An approval is not stored: it names the plan's hash and is given with the run that carries the plan out (R21).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.records import Json
from orosync.store import tables
from orosync.store.transactions import AccountPart, Upsert, chunks

_ROW = tables.runs.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_START = sa.insert(tables.runs)
_BEGIN = (
    sa.update(tables.runs)
    .where(_ROW.account_id == sa.bindparam("account_id_"), _ROW.run == sa.bindparam("run_"))
    .values(state="running", started_at=sa.bindparam("at"))
)
_END_KILLED = (
    sa.update(tables.runs)
    .where(
        _ROW.account_id == sa.bindparam("account_id_"),
        _ROW.run != sa.bindparam("run_"),
        _ROW.state == "running",
        _ROW.request.is_(None),
    )
    .values(state="failed", finished_at=sa.bindparam("at"), summary=sa.bindparam("new_summary"))
)
_FINISH = (
    sa.update(tables.runs)
    .where(_ROW.account_id == sa.bindparam("account_id_"), _ROW.run == sa.bindparam("run_"))
    .values(state=sa.bindparam("state"), finished_at=sa.bindparam("at"), summary=sa.bindparam("summary"))
)
_FORGET = sa.delete(tables.runs).where(
    _ROW.account_id == sa.bindparam("account_id_"), _ROW.run == sa.bindparam("run_"), _ROW.request.is_(None)
)
_FORGET_PLAN = sa.delete(tables.plans).where(
    tables.plans.c.account_id == sa.bindparam("account_id_"), tables.plans.c.run == sa.bindparam("run_")
)
_NEWEST = sa.select(tables.runs).where(_ACCOUNT).order_by(_ROW.id.desc()).limit(sa.bindparam("most"))
_ONE = sa.select(tables.runs).where(_ACCOUNT, _ROW.run == sa.bindparam("run"))
_OLDER = (
    sa.select(tables.runs)
    .where(_ACCOUNT, _ROW.id < sa.bindparam("before"), _ROW.mode.in_(sa.bindparam("modes", expanding=True)))
    .order_by(_ROW.id.desc())
    .limit(sa.bindparam("most"))
)
_SAVE_PLAN = Upsert(tables.plans)
_APPROVE = (
    sa.update(tables.plans)
    .where(
        tables.plans.c.account_id == sa.bindparam("account_id_"), tables.plans.c.plan_hash == sa.bindparam("plan_hash_")
    )
    .values(approved_at=sa.bindparam("at"))
)
_END_APPROVALS = (
    sa.update(tables.plans)
    .where(tables.plans.c.account_id == sa.bindparam("account_id_"), tables.plans.c.approved_at.is_not(None))
    .values(approved_at=None)
)
_APPROVED = sa.select(tables.plans.c.run).where(
    tables.plans.c.account_id == sa.bindparam("account_id"), tables.plans.c.approved_at >= sa.bindparam("since")
)
_OPS = tables.planned_ops.c
_ADD_OPS = sa.insert(tables.planned_ops)
_FORGET_OPS = sa.delete(tables.planned_ops).where(
    _OPS.account_id == sa.bindparam("account_id_"), _OPS.run == sa.bindparam("run_")
)
_SOME_OPS = (
    sa.select(_OPS.number, _OPS.ops)
    .where(
        _OPS.account_id == sa.bindparam("account_id"),
        _OPS.run == sa.bindparam("run"),
        _OPS.number > sa.bindparam("after"),
    )
    .order_by(_OPS.number)
    .limit(sa.bindparam("most"))
)
_PLAN = sa.select(tables.plans).where(
    tables.plans.c.account_id == sa.bindparam("account_id"), tables.plans.c.run == sa.bindparam("run")
)


INTERRUPTED = "The run was interrupted; what it had done is kept, and the next run goes on from there."
_IN_A_ROW, _ROWS_AT_ONCE = 100, 10  # ops of a plan; so that nobody waits long for the database, nor for memory
_NO_NUMBER = 2**62  # above every number


class Runs(AccountPart):
    def start_run(self, run: str, mode: str, at: datetime) -> None:
        """Its state is "running" until it is finished. One that a person asked for is there already. Whoever has the
        lease knows that a run that began by itself before, and never ended, is over."""
        summary = {"problems": [INTERRUPTED]}
        self._write(_END_KILLED, {"account_id_": self._account_id, "run_": run, "at": at, "new_summary": summary})
        if self._write(_BEGIN, {"account_id_": self._account_id, "run_": run, "at": at}):
            return
        self._write(
            _START,
            {"account_id": self._account_id, "run": run, "mode": mode, "state": "running", "started_at": at},
        )

    def finish_run(self, run: str, state: str, at: datetime, summary: Json) -> None:
        values = {"account_id_": self._account_id, "run_": run, "state": state, "at": at, "summary": summary}
        self._write(_FINISH, values)

    def forget_run(self, run: str) -> None:
        """As if it had not been, with its plan; one that a person asked for stays."""
        values = {"account_id_": self._account_id, "run_": run}
        with self._writing() as connection:
            if connection.execute(_FORGET, values).rowcount:
                connection.execute(_FORGET_PLAN, values)

    def runs(self, limit: int = 50) -> list[Json]:
        """Newest first: {"run", "mode", "state", "requested_at", "started_at", "finished_at", "progress", "summary"};
        times as "YYYY-MM-DDTHH:MM:SSZ". finished_at and summary are None while it runs or if it was killed, started_at
        while it waits; requested_at and progress are only of runs that a person asked for."""
        return [_to_json(row) for row in self._rows(_NEWEST, most=limit)]

    def older_runs(self, before: int | None, modes: Sequence[str], limit: int) -> list[tuple[int, Json]]:
        """Newest first, with their numbers: those of these modes whose number is below `before`."""
        rows = self._rows(_OLDER, before=before if before is not None else _NO_NUMBER, modes=list(modes), most=limit)
        return [(row.id, _to_json(row)) for row in rows]

    def run(self, run: str) -> Json | None:
        """As in `runs`."""
        rows = self._rows(_ONE, run=run)
        return _to_json(rows[0]) if rows else None

    def save_plan(self, run: str, plan_hash: str, ops: Iterable[Json], limits: list[str]) -> None:
        """A large one goes in several transactions; it has its hash, and can be approved, when it is whole."""
        batches = chunks(enumerate(chunks(ops, _IN_A_ROW)), _ROWS_AT_ONCE)
        some, more = next(batches, []), next(batches, [])
        mine = {"account_id": self._account_id, "run": run}
        plan = {**mine, "limits": limits, "approved_at": None}
        with self._writing() as connection:
            connection.execute(_SAVE_PLAN.into(connection), {**plan, "plan_hash": "" if more else plan_hash})
            connection.execute(_FORGET_OPS, {"account_id_": self._account_id, "run_": run})
            self._write(_ADD_OPS, [{**mine, "number": number, "ops": each} for number, each in some])
        if not more:
            return
        while more:
            self._write(_ADD_OPS, [{**mine, "number": number, "ops": each} for number, each in more])
            more = next(batches, [])
        with self._writing() as connection:
            connection.execute(_SAVE_PLAN.into(connection), {**plan, "plan_hash": plan_hash})

    def approve_plan(self, plan_hash: str, at: datetime) -> None:
        """A person agreed to what has this hash, and it is being carried out."""
        self._write(_APPROVE, {"account_id_": self._account_id, "plan_hash_": plan_hash, "at": at})

    def end_approvals(self) -> None:
        """What was approved was carried out to its end."""
        self._write(_END_APPROVALS, {"account_id_": self._account_id})

    def approved_ops(self, since: datetime) -> Iterator[Json]:
        """Of all plans that were approved since then, as saved."""
        for row in self._rows(_APPROVED, since=since):
            yield from self.planned_ops(row.run)

    def plan(self, run: str) -> Json | None:
        """{"run", "plan_hash", "limits"} as saved."""
        rows = self._rows(_PLAN, run=run)
        if not rows:
            return None
        row = rows[0]
        return {"run": row.run, "plan_hash": row.plan_hash, "limits": row.limits}

    def planned_ops(self, run: str) -> Iterator[Json]:
        """As saved, in their order; read some at a time."""
        after = -1
        while rows := self._rows(_SOME_OPS, run=run, after=after, most=_ROWS_AT_ONCE):
            for row in rows:
                yield from row.ops
            after = rows[-1].number


def _to_json(row: sa.Row[Any]) -> Json:
    return {
        "run": row.run,
        "mode": row.mode,
        "state": row.state,
        "requested_at": _instant(row.requested_at),
        "progress": row.progress,
        "started_at": _instant(row.started_at),
        "finished_at": _instant(row.finished_at),
        "summary": row.summary,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
