"""Who takes part, and as what: accounts with their secrets, sign-in codes, and settings on every level."""

from __future__ import annotations

import sqlalchemy as sa

from orosync.store.engine import JsonText, UtcTime, Words
from orosync.store.tables.columns import BIG, ID, account, key, metadata

# Countries and regions of OroCRM instances: large, and the same for most accounts, so stored once by their digest.
places = sa.Table(
    "places",
    metadata,
    key("digest"),
    sa.Column("lists", JsonText, nullable=False),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mailbox", sa.Text, nullable=False),
    sa.Column("orocrm_url", sa.Text, nullable=False),
    sa.Column("orocrm_user", sa.Text, nullable=False),
    sa.Column("oro_auth", sa.Text, nullable=False),
    sa.Column("graph_auth", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("certificate", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("state_reason", Words, nullable=False),
    sa.Column("state_since", UtcTime),
    sa.Column("facts", JsonText, nullable=False),
    sa.Column("places", ID, sa.ForeignKey("places.digest")),
    sa.Column("owner", ID),
    sa.UniqueConstraint("name"),
    sa.UniqueConstraint("owner"),
    sa.Index(None, "orocrm_url"),
    sqlite_autoincrement=True,  # a message that names a removed account must not find another one
)

# Encrypted by the vault; key: which of its keys.
secrets = sa.Table(
    "secrets",
    metadata,
    account(primary_key=True),
    key("name", sa.Text()),
    sa.Column("ciphertext", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("saved_at", UtcTime, nullable=False),
)

# Of nobody's account: a code may come before there is one. digest: of kind and code; ciphertext by the vault.
one_time_codes = sa.Table(
    "one_time_codes",
    metadata,
    key("digest"),
    sa.Column("ciphertext", sa.Text, nullable=False),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Index(None, "expires"),
)

# scope: "" for the system, the organisation's name, or the account's id as text (then also in account_id).
settings = sa.Table(
    "settings",
    metadata,
    key("level"),
    key("scope"),
    key("key"),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id", ondelete="CASCADE")),
    sa.Column("value", JsonText, nullable=False),
    sa.Index(None, "account_id"),
)

# Who changed a setting, and when. NULL in before or after: not set.
setting_changes = sa.Table(
    "setting_changes",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    sa.Column("level", ID, nullable=False),
    sa.Column("scope", ID, nullable=False),
    sa.Column("key", ID, nullable=False),
    sa.Column("account_id", BIG, sa.ForeignKey("accounts.id", ondelete="CASCADE")),
    sa.Column("before", JsonText),
    sa.Column("after", JsonText),
    sa.Column("changed_by", Words, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Index(None, "level", "scope", "id"),
    sa.Index(None, "account_id"),
    sqlite_autoincrement=True,
)
