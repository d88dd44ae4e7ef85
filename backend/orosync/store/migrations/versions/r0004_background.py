"""Accounts are looked at by themselves: due work, workers, mailboxes, subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def _account(table: str, *, primary_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("accounts.id", ondelete="CASCADE", name=f"fk_{table}_account_id")
    return sa.Column("account_id", BIG, key, primary_key=primary_key, nullable=False, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "due_work",
        _account("due_work", primary_key=True),
        sa.Column("due_at", TIME),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("claimed_until", TIME),
        sa.Column("outlook_read_at", TIME),
        sa.Column("oro_read_at", TIME),
        sa.Column("outlook_called_at", TIME),
        sa.Column("oro_called_at", TIME),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_index("ix_due_work_due", "due_work", ["due_at"])
    claimed, held = sa.text("claimed_until IS NOT NULL"), sa.text("owner IS NOT NULL")
    op.create_index(
        "ix_due_work_claimed", "due_work", ["claimed_until"], sqlite_where=claimed, postgresql_where=claimed
    )
    op.create_index("ix_leases_held", "leases", ["expires"], sqlite_where=held, postgresql_where=held)
    op.create_index("ix_accounts_orocrm_url", "accounts", ["orocrm_url"])
    op.create_table(
        "workers",
        sa.Column("name", ID, primary_key=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
    )
    op.create_table(
        "mailboxes",
        sa.Column("mailbox", ID, primary_key=True),
        sa.Column("owner", sa.Text()),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("counted_at", TIME, nullable=False),
        sa.Column("paused_until", TIME),
    )
    op.create_table(
        "subscriptions",
        _account("subscriptions", primary_key=True),
        sa.Column("side", ID, primary_key=True),
        sa.Column("resource", ID, primary_key=True),
        sa.Column("entity", ID, nullable=False),
        sa.Column("id", ID),
        sa.Column("digest", ID, nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", TIME),
        sa.Column("expires", TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", TIME),
    )
    op.create_index("ix_subscriptions_side_id", "subscriptions", ["side", "id"])
    op.create_index("ix_subscriptions_expires", "subscriptions", ["expires"])
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("approved_at", TIME))
    # Accounts that had a first sync are kept in step from now on.
    op.execute(
        "INSERT INTO due_work (account_id, due_at, urgent, trouble, reason, attempts) "
        "SELECT id, CURRENT_TIMESTAMP, false, '', '', 0 FROM accounts "
        "WHERE id IN (SELECT account_id FROM cursors WHERE first_done)"
    )
