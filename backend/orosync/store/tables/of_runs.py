"""What runs plan, do and did."""

from __future__ import annotations

import sqlalchemy as sa

from orosync.store.engine import JsonText, UtcTime, Words
from orosync.store.tables.columns import (
    BIG,
    ID,
    OPEN_CONFLICT,
    OPEN_CREATE,
    REQUESTED_RUN,
    account,
    key,
    metadata,
    partial_index,
)

# Only open ones: a confirmed or abandoned intent is deleted, the oplog tells what was done.
intents = sa.Table(
    "intents",
    metadata,
    account(primary_key=True),
    key("op_id"),
    sa.Column("run", ID, nullable=False),
    sa.Column("entity", ID, nullable=False),
    sa.Column("side", ID, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("source_id", ID),
    sa.Column("op", JsonText, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sent_at", UtcTime),
    sa.Column("attempt", sa.Integer, nullable=False),
    partial_index(
        "uq_intents_open_create", "account_id", "entity", "side", "source_id", where=OPEN_CREATE, unique=True
    ),
)

oplog = sa.Table(
    "oplog",
    metadata,
    sa.Column("seq", BIG, primary_key=True),
    account(),
    sa.Column("op_id", ID, nullable=False),
    sa.Column("run", ID, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("entity", ID, nullable=False),
    sa.Column("side", ID, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("outlook_id", ID),
    sa.Column("oro_id", ID),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("before", JsonText),
    sa.Column("after", JsonText),
    sa.Column("mails", sa.Integer, nullable=False),
    sa.Column("overwrites", sa.Boolean, nullable=False),
    sa.Column("approved", sa.Boolean, nullable=False),
    sa.Column("undone_by", ID),
    sa.Column("body_before", JsonText),
    sa.Index(None, "account_id", "op_id"),
    sa.Index(None, "account_id", "run", "seq"),
    sa.Index(None, "account_id", "entity", "outlook_id", "seq"),
    sa.Index(None, "account_id", "entity", "oro_id", "seq"),
    sa.Index(None, "account_id", "entity", "at"),
    sqlite_autoincrement=True,
)

# open: somebody is asked, or has answered and no run has acted on it yet.
conflicts = sa.Table(
    "conflicts",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    account(),
    sa.Column("entity", ID, nullable=False),
    sa.Column("outlook_id", ID),
    sa.Column("oro_id", ID),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("base", JsonText),
    sa.Column("outlook", JsonText),
    sa.Column("oro", JsonText),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("choice", sa.Text),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("run", ID, nullable=False),
    sa.Index(None, "account_id", "id"),
    partial_index("ix_conflicts_open", "account_id", "id", where=OPEN_CONFLICT),
    partial_index("ix_conflicts_open_outlook", "account_id", "entity", "outlook_id", where=OPEN_CONFLICT),
    partial_index("ix_conflicts_open_oro", "account_id", "entity", "oro_id", where=OPEN_CONFLICT),
    sqlite_autoincrement=True,
)

# request, requested_at, idempotency_key: of runs that a person asked for. started_at NULL: it waits its turn.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    account(),
    sa.Column("run", ID, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("summary", JsonText),
    sa.Column("requested_at", UtcTime),
    sa.Column("request", JsonText),
    sa.Column("idempotency_key", ID),
    sa.Column("progress", JsonText),
    sa.Column("cancel", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("account_id", "run"),
    sa.Index(None, "account_id", "id"),
    partial_index(
        "uq_runs_idempotency_key",
        "account_id",
        "idempotency_key",
        where=sa.text("idempotency_key IS NOT NULL"),
        unique=True,
    ),
    partial_index("ix_runs_requested", "account_id", "id", where=REQUESTED_RUN),
    sqlite_autoincrement=True,
)

plans = sa.Table(
    "plans",
    metadata,
    account(primary_key=True),
    key("run"),
    sa.Column("plan_hash", sa.Text, nullable=False),
    sa.Column("limits", JsonText, nullable=False),
    sa.Column("approved_at", UtcTime),
)

# ops: some of a plan's, as a list; number: of that list, in their order.
planned_ops = sa.Table(
    "planned_ops",
    metadata,
    sa.Column("account_id", BIG, primary_key=True, nullable=False, autoincrement=False),
    key("run"),
    sa.Column("number", sa.Integer, primary_key=True, nullable=False, autoincrement=False),
    sa.Column("ops", JsonText, nullable=False),
    sa.ForeignKeyConstraint(
        ["account_id", "run"], ["plans.account_id", "plans.run"], name="fk_planned_ops_plans", ondelete="CASCADE"
    ),
)
