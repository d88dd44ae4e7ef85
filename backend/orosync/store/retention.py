"""What is forgotten in time, and when: everything that grows with use has an end."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from orosync.store import tables
from orosync.store.accounts import Places
from orosync.store.transactions import Transactions

TOMBSTONES = timedelta(days=90)  # R16: at least as long as somebody may bring back a deleted record
SETTING_CHANGES = timedelta(days=730)
AT_ONCE = 2_000  # rows in one transaction, so that nobody waits long for the database


class Retention:
    def __init__(self, transactions: Transactions, places: Places) -> None:
        self._transactions = transactions
        self._places = places

    def drop_old(self, now: datetime, history: timedelta) -> dict[str, int]:
        """How many rows of each table went. history: how long runs, what they did, plans and settled conflicts stay; at
        least two days, because the guard counts the last one."""
        old = now - max(history, timedelta(days=2))
        runs, plans, oplog, conflicts = tables.runs, tables.plans, tables.oplog, tables.conflicts
        gone_runs = sa.select(runs.c.id).where(runs.c.finished_at < old)
        orphans = sa.select(plans.c.run).where(
            ~sa.exists().where(runs.c.account_id == plans.c.account_id, runs.c.run == plans.c.run)
        )
        dropped = {
            # creates stay: from them follows the id of the next create of the same record (sync/apply.py, create_id)
            "oplog": self._drop(oplog, oplog.c.seq, sa.and_(oplog.c.at < old, oplog.c.verb != "create")),
            "conflicts": self._drop(conflicts, conflicts.c.id, sa.and_(~conflicts.c.open, conflicts.c.at < old)),
            "runs": self._drop(runs, runs.c.id, runs.c.id.in_(gone_runs)),
            "plans": self._drop(plans, plans.c.run, plans.c.run.in_(orphans)),
            "tombstones": self._drop(
                tables.links,
                tables.links.c.id,
                sa.and_(tables.TOMBSTONE, tables.links.c.ended_at < now - TOMBSTONES),
            ),
            "setting_changes": self._drop(
                tables.setting_changes, tables.setting_changes.c.id, tables.setting_changes.c.at < now - SETTING_CHANGES
            ),
            "one_time_codes": self._drop(
                tables.one_time_codes, tables.one_time_codes.c.digest, tables.one_time_codes.c.expires < now
            ),
            "mailboxes": self._drop(
                tables.mailboxes, tables.mailboxes.c.mailbox, tables.mailboxes.c.counted_at < now - timedelta(days=1)
            ),
        }
        with self._transactions.writing() as connection:
            dropped["places"] = self._places.drop_unused(connection)
        return dropped

    def _drop(self, table: sa.Table, key: sa.Column[object], condition: sa.ColumnElement[bool]) -> int:
        some = sa.select(key).where(condition).limit(AT_ONCE)
        count = 0
        while True:
            with self._transactions.writing() as connection:
                met = connection.execute(sa.delete(table).where(key.in_(some))).rowcount
            count += met
            if met < AT_ONCE:
                return count
