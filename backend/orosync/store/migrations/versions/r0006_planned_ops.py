"""The ops of a plan in rows of their own: a plan of fifty thousand is neither written nor read in one piece."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "planned_ops",
        sa.Column("account_id", BIG, nullable=False, autoincrement=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("ops", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "run"], ["plans.account_id", "plans.run"], name="fk_planned_ops_plans", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "run", "number", name="pk_planned_ops"),
    )
    op.execute("INSERT INTO planned_ops (account_id, run, number, ops) SELECT account_id, run, 0, ops FROM plans")
    op.drop_column("plans", "ops")
