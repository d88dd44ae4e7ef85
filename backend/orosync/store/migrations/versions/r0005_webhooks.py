"""OroCRM's webhooks: registrations of an instance, messages that came already, accounts that need not ask."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("digest", ID, primary_key=True),
        sa.Column("orocrm_url", ID, nullable=False),
        sa.Column("topic", ID, nullable=False),
        sa.Column("remote_id", ID),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("verified_at", TIME, nullable=False),
        sa.Column("heard_at", TIME),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("orocrm_url", "topic", name="uq_webhooks_orocrm_url_topic"),
    )
    op.create_table(
        "heard_messages",
        sa.Column("digest", ID, primary_key=True),
        sa.Column("expires", TIME, nullable=False),
    )
    op.create_index("ix_heard_messages_expires", "heard_messages", ["expires"])
    key = sa.ForeignKey("accounts.id", ondelete="CASCADE", name="fk_webhook_rests_account_id")
    op.create_table(
        "webhook_rests",
        sa.Column("account_id", BIG, key, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("until", TIME, nullable=False),
    )
