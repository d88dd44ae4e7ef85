"""What tables are made of: names, kinds of columns, conditions of partial indexes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up INTEGER alone
ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # SQLite's own order is by bytes

# Partial indexes serve only queries that say the same words, with no parameters in them.
LIVE_LINK = sa.text("state <> 'tombstone'")
TOMBSTONE = sa.text("state = 'tombstone'")
TO_STAMP = sa.text("state = 'active' AND NOT stamped")
OPEN_CREATE = sa.text("verb = 'create'")  # closed intents are deleted, so every row is open
OPEN_CONFLICT = sa.text("open")
HELD_LEASE = sa.text("owner IS NOT NULL")
CLAIMED = sa.text("claimed_until IS NOT NULL")
REQUESTED_RUN = sa.text("request IS NOT NULL AND state IN ('waiting', 'running')")


def account(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "account_id",
        BIG,
        sa.ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


def partial_index(name: str, *columns: str, where: sa.TextClause, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def key(name: str, kind: sa.types.TypeEngine[Any] = ID) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)
