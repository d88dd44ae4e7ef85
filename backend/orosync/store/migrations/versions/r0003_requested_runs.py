"""Accounts have owners, who ask for runs: what was asked, how far it is, and whether it is to stop."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    with op.batch_alter_table("accounts", table_kwargs={"sqlite_autoincrement": True}) as accounts:
        accounts.add_column(sa.Column("owner", ID))
        accounts.create_unique_constraint("uq_accounts_owner", ["owner"])
    with op.batch_alter_table("runs", table_kwargs={"sqlite_autoincrement": True}) as runs:
        runs.alter_column("started_at", existing_type=sa.DateTime(timezone=True), nullable=True)
        runs.add_column(sa.Column("requested_at", sa.DateTime(timezone=True)))
        runs.add_column(sa.Column("request", sa.Text()))
        runs.add_column(sa.Column("idempotency_key", ID))
        runs.add_column(sa.Column("progress", sa.Text()))
        runs.add_column(sa.Column("cancel", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "uq_runs_idempotency_key",
        "runs",
        ["account_id", "idempotency_key"],
        unique=True,
        **_where("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "ix_runs_requested",
        "runs",
        ["account_id", "id"],
        **_where("request IS NOT NULL AND state IN ('waiting', 'running')"),
    )
