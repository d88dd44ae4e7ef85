"""The history of runs with their summaries, and the plans that previews showed or the guard holds.

An approval is not stored: it names the plan's hash and is given with the run that carries the plan out (R21).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orosync.core.records import Json
from orosync.store import tables
from orosync.store.transactions import AccountPart, Upsert

_ROW = tables.runs.c
_ACCOUNT = _ROW.account_id == sa.bindparam("account_id")
_START = sa.insert(tables.runs)
_FINISH = (
    sa.update(tables.runs)
    .where(_ROW.account_id == sa.bindparam("account_id_"), _ROW.run == sa.bindparam("run_"))
    .values(state=sa.bindparam("state"), finished_at=sa.bindparam("at"), summary=sa.bindparam("summary"))
)
_NEWEST = sa.select(tables.runs).where(_ACCOUNT).order_by(_ROW.id.desc()).limit(sa.bindparam("most"))
_ONE = sa.select(tables.runs).where(_ACCOUNT, _ROW.run == sa.bindparam("run"))
_SAVE_PLAN = Upsert(tables.plans)
_PLAN = sa.select(tables.plans).where(
    tables.plans.c.account_id == sa.bindparam("account_id"), tables.plans.c.run == sa.bindparam("run")
)


class Runs(AccountPart):
    def start_run(self, run: str, mode: str, at: datetime) -> None:
        """Its state is "running" until it is finished."""
        self._write(
            _START,
            {"account_id": self._account_id, "run": run, "mode": mode, "state": "running", "started_at": at},
        )

    def finish_run(self, run: str, state: str, at: datetime, summary: Json) -> None:
        values = {"account_id_": self._account_id, "run_": run, "state": state, "at": at, "summary": summary}
        self._write(_FINISH, values)

    def runs(self, limit: int = 50) -> list[Json]:
        """Newest first: {"run", "mode", "state", "started_at", "finished_at", "summary"}; times as
        "YYYY-MM-DDTHH:MM:SSZ", finished_at and summary None while it runs or if it was killed."""
        return [_to_json(row) for row in self._rows(_NEWEST, most=limit)]

    def run(self, run: str) -> Json | None:
        """As in `runs`."""
        rows = self._rows(_ONE, run=run)
        return _to_json(rows[0]) if rows else None

    def save_plan(self, run: str, plan_hash: str, ops: list[Json], limits: list[str]) -> None:
        values = {
            "account_id": self._account_id,
            "run": run,
            "plan_hash": plan_hash,
            "ops": ops,
            "limits": limits,
        }
        with self._writing() as connection:
            connection.execute(_SAVE_PLAN.into(connection), values)

    def plan(self, run: str) -> Json | None:
        """{"run", "plan_hash", "ops", "limits"} as saved."""
        rows = self._rows(_PLAN, run=run)
        if not rows:
            return None
        row = rows[0]
        return {"run": row.run, "plan_hash": row.plan_hash, "ops": row.ops, "limits": row.limits}


def _to_json(row: sa.Row[Any]) -> Json:
    return {
        "run": row.run,
        "mode": row.mode,
        "state": row.state,
        "started_at": _instant(row.started_at),
        "finished_at": _instant(row.finished_at),
        "summary": row.summary,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
