"""What is forgotten in time, and when: everything that grows with use has an end.

Pending work is never touched, however old: the journal, intents, links that live, quarantine, conflicts that wait for
an answer, runs that a person asked for and that are not over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from orosync.store import tables
from orosync.store.accounts import Places
from orosync.store.transactions import Transactions

SHORTEST_HISTORY = timedelta(days=2)  # the guard counts the last day, and nobody undoes what nobody can look at
TOMBSTONES = timedelta(days=90)  # R16: at least as long as somebody may bring back a deleted record
SETTING_CHANGES = timedelta(days=730)
MAILBOXES = timedelta(days=1)  # by then a bucket is full again anyway
AT_ONCE = 2_000  # rows in one transaction, so that nobody waits long for the database


class Retention:
    """at_once: how many rows may go in one transaction."""

    def __init__(self, transactions: Transactions, places: Places, at_once: int = AT_ONCE) -> None:
        self._transactions = transactions
        self._places = places
        self._at_once = at_once

    def drop_old(self, now: datetime, history: timedelta) -> dict[str, int]:
        """How many rows of each table went; "emptied": creates whose values were forgotten. history: how long runs,
        what they did, plans and settled conflicts stay; less than SHORTEST_HISTORY counts as that."""
        old = now - max(history, SHORTEST_HISTORY)
        dropped = {name: self._drop(table, condition) for name, table, condition in _ended(now, old)}
        dropped["emptied"] = self._empty_creates(old)
        with self._transactions.writing() as connection:
            dropped["places"] = self._places.drop_unused(connection)
        return dropped

    def _drop(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> int:
        count = 0
        for some in self._chosen(table, condition):
            with self._transactions.writing() as connection:
                # the condition again: somebody may have begun to use a row since it was chosen
                count += connection.execute(sa.delete(table).where(some, condition)).rowcount
        return count

    def _empty_creates(self, old: datetime) -> int:
        """From the number of creates follows the id of the next create of the same record (sync/apply.py, create_id),
        so they stay; what they wrote need not."""
        oplog = tables.oplog
        values = {"before": None, "after": None, "body_before": None}
        told = sa.or_(*(oplog.c[name].is_not(None) for name in values))
        condition = sa.and_(_forgotten(old), oplog.c.verb == "create", told)
        count = 0
        for some in self._chosen(oplog, condition):
            with self._transactions.writing() as connection:
                count += connection.execute(sa.update(oplog).where(some).values(values)).rowcount
        return count

    def _chosen(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> Iterator[sa.ColumnElement[bool]]:
        """Rows by their key, some at once and in its order, so that a large table is walked through only once."""
        key = sa.tuple_(*table.primary_key.columns) if len(table.primary_key) > 1 else next(iter(table.primary_key))
        chosen = sa.select(*table.primary_key.columns).where(condition).order_by(*table.primary_key.columns)
        after: sa.ColumnElement[bool] = sa.true()
        while True:
            with self._transactions.reading() as connection:
                rows = connection.execute(chosen.where(after).limit(self._at_once)).all()
            if not rows:
                return
            values = [tuple(row) if len(row) > 1 else row[0] for row in rows]
            yield key.in_(values)
            after = key > values[-1]


def _ended(now: datetime, old: datetime) -> Iterator[tuple[str, sa.Table, sa.ColumnElement[bool]]]:
    """Name, table and which rows; runs first, since others follow them."""
    runs, oplog, plans, conflicts = tables.runs, tables.oplog, tables.plans, tables.conflicts
    newer = runs.alias("newer")
    # an account that had nothing to do for months still says when it was in step, and what it is held for
    not_the_last = sa.exists().where(newer.c.account_id == runs.c.account_id, newer.c.id > runs.c.id)
    yield "runs", runs, sa.and_(runs.c.finished_at < old, not_the_last)
    of_plan = sa.exists().where(runs.c.account_id == plans.c.account_id, runs.c.run == plans.c.run)
    yield "plans", plans, sa.not_(of_plan)
    yield "oplog", oplog, sa.and_(_forgotten(old), oplog.c.verb != "create")
    yield "conflicts", conflicts, sa.and_(~conflicts.c.open, conflicts.c.at < old)
    yield "tombstones", tables.links, sa.and_(tables.TOMBSTONE, tables.links.c.ended_at < now - TOMBSTONES)
    changes, codes, heard = tables.setting_changes, tables.one_time_codes, tables.heard_messages
    yield "setting_changes", changes, changes.c.at < now - SETTING_CHANGES
    yield "one_time_codes", codes, codes.c.expires < now
    yield "heard_messages", heard, heard.c.expires < now
    boxes = tables.mailboxes
    left_alone = sa.or_(boxes.c.paused_until.is_(None), boxes.c.paused_until < now)
    yield "mailboxes", boxes, sa.and_(boxes.c.counted_at < now - MAILBOXES, boxes.c.expires < now, left_alone)


def _forgotten(old: datetime) -> sa.ColumnElement[bool]:
    """What belongs to no run any more: a run is undone as a whole or not at all."""
    runs, oplog = tables.runs, tables.oplog
    of_run = sa.exists().where(runs.c.account_id == oplog.c.account_id, runs.c.run == oplog.c.run)
    return sa.and_(oplog.c.at < old, sa.not_(of_run))
