"""What is known about records on both sides, and what waits to be looked at."""

from __future__ import annotations

import sqlalchemy as sa

from orosync.store.engine import JsonText, UtcTime, Words
from orosync.store.tables.columns import BIG, ID, LIVE_LINK, TO_STAMP, TOMBSTONE, account, key, metadata, partial_index

cursors = sa.Table(
    "cursors",
    metadata,
    account(primary_key=True),
    key("side"),
    key("entity"),
    sa.Column("cursor", sa.Text),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("swept_at", UtcTime),
    sa.Column("first_done", sa.Boolean, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("balance", sa.Integer),
)

# Only what is pending: a row that is done is deleted. A newer sighting gets a new seq, never the old one's.
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", BIG, primary_key=True),
    account(),
    sa.Column("side", ID, nullable=False),
    sa.Column("entity", ID, nullable=False),
    sa.Column("record_id", ID, nullable=False),
    sa.Column("version", ID),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("item", JsonText),
    sa.UniqueConstraint("account_id", "side", "entity", "record_id"),
    sa.Index(None, "account_id", "entity", "seq"),
    sqlite_autoincrement=True,
)

# ended_at: since when it is a tombstone.
links = sa.Table(
    "links",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    account(),
    sa.Column("entity", ID, nullable=False),
    sa.Column("outlook_id", ID),
    sa.Column("oro_id", ID),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outlook_shadow", JsonText),
    sa.Column("oro_shadow", JsonText),
    sa.Column("outlook_version", ID),
    sa.Column("oro_version", ID),
    sa.Column("uid", ID),
    sa.Column("stamped", sa.Boolean),
    sa.Column("frozen_fields", JsonText, nullable=False),
    sa.Column("ended_at", UtcTime),
    partial_index("uq_links_live_outlook", "account_id", "entity", "outlook_id", where=LIVE_LINK, unique=True),
    partial_index("uq_links_live_oro", "account_id", "entity", "oro_id", where=LIVE_LINK, unique=True),
    partial_index("ix_links_tombstone_outlook", "account_id", "entity", "outlook_id", where=TOMBSTONE),
    partial_index("ix_links_tombstone_oro", "account_id", "entity", "oro_id", where=TOMBSTONE),
    partial_index("ix_links_to_stamp", "account_id", "entity", "id", where=TO_STAMP),
    sa.Index(None, "account_id", "entity", "id"),
    sqlite_autoincrement=True,
)

unlinked = sa.Table(
    "unlinked",
    metadata,
    account(primary_key=True),
    key("side"),
    key("entity"),
    key("record_id"),
    sa.Column("version", ID, nullable=False),
    sa.Column("match_key", ID),
    sa.Column("stamp", ID),
    sa.Column("uid", ID),
    sa.Column("why", Words, nullable=False),
    *(
        partial_index(f"ix_unlinked_{name}", "account_id", "side", "entity", name, where=sa.text(f"{name} IS NOT NULL"))
        for name in ("match_key", "stamp", "uid")
    ),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    account(primary_key=True),
    key("side"),
    key("entity"),
    key("record_id"),
    sa.Column("version", ID),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", Words, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("next_try", UtcTime, nullable=False),
)
