"""Codes that work once, for sign-ins that end in a dialog."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "one_time_codes",
        sa.Column("digest", ID, nullable=False),
        sa.Column("ciphertext", sa.Text(), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_codes"),
    )
    op.create_index("ix_one_time_codes_expires", "one_time_codes", ["expires"])


def downgrade() -> None:
    op.drop_table("one_time_codes")
