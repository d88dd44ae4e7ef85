"""Thousands of accounts that have nothing to do, put into the database in two statements."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from orosync.store import tables
from orosync.store.database import Database


def fill(database: Database, count: int, due_now: int, now: datetime) -> None:
    """Accounts of one instance, with their rows; all but `due_now` of them are due tomorrow."""
    common = {
        "orocrm_url": "https://crm.example.com",
        "orocrm_user": "u",
        "oro_auth": "wsse",
        "graph_auth": "token",
        "organisation": "",
        "state": "active",
        "state_reason": "",
        "facts": {},
    }
    accounts = [{**common, "name": f"n{n}", "mailbox": f"n{n}@example.com"} for n in range(count)]
    early, late = now - timedelta(minutes=1), now + timedelta(days=1)
    with database.engine.begin() as connection:
        connection.execute(sa.insert(tables.accounts), accounts)
        names = tables.accounts.c.name.like("n%")
        ids = connection.execute(sa.select(tables.accounts.c.id).where(names).order_by(tables.accounts.c.id)).scalars()
        rows = [
            {"account_id": each, "due_at": early if number < due_now else late}
            | {"urgent": False, "trouble": "", "reason": "", "attempts": 0}
            for number, each in enumerate(ids)
        ]
        connection.execute(sa.insert(tables.due_work), rows)
    with database.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
