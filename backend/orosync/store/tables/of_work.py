"""Whose turn it is, who works, and who promised to call."""

from __future__ import annotations

import sqlalchemy as sa

from orosync.store.engine import UtcTime, Words
from orosync.store.tables.columns import BIG, CLAIMED, HELD_LEASE, ID, account, key, metadata, partial_index

# owner NULL: released. The row stays, so that its epoch only ever grows.
leases = sa.Table(
    "leases",
    metadata,
    account(primary_key=True),
    sa.Column("epoch", BIG, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("expires", UtcTime, nullable=False),
    partial_index("ix_leases_held", "expires", where=HELD_LEASE),
)

# When an account is to be looked at next, and why. due_at NULL: nothing is planned. claimed_until: it was handed out to
# a worker that has not begun. *_read_at: that side's feed was read to its end. *_called_at: the side said that
# something changed, and no run has begun since. trouble: "", "throttled" or "failing", with attempts in a row.
due_work = sa.Table(
    "due_work",
    metadata,
    account(primary_key=True),
    sa.Column("due_at", UtcTime),
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("claimed_until", UtcTime),
    sa.Column("outlook_read_at", UtcTime),
    sa.Column("oro_read_at", UtcTime),
    sa.Column("outlook_called_at", UtcTime),
    sa.Column("oro_called_at", UtcTime),
    sa.Column("trouble", sa.Text, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("since", UtcTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Index("ix_due_work_due", "due_at"),
    partial_index("ix_due_work_claimed", "claimed_until", where=CLAIMED),
)

# Processes that carry out work, by their sign of life. slots: how many accounts at once.
workers = sa.Table(
    "workers",
    metadata,
    key("name"),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
)

# Who talks to a mailbox now, and how many of its requests are left: `tokens` at `counted_at`, refilled steadily.
# mailbox: in lower case. paused_until: the mailbox asked for it.
mailboxes = sa.Table(
    "mailboxes",
    metadata,
    key("mailbox"),
    sa.Column("owner", sa.Text),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Column("tokens", sa.Float, nullable=False),
    sa.Column("counted_at", UtcTime, nullable=False),
    sa.Column("paused_until", UtcTime),
)

# Promises of a side to call when something changes: see core/push.py. digest: SHA-256 of the secret that such a call
# carries, so that reading the table does not let anybody forge one. A call names id and nothing else: hence an index
# that does not start with the account.
subscriptions = sa.Table(
    "subscriptions",
    metadata,
    account(primary_key=True),
    key("side"),
    key("resource"),
    sa.Column("entity", ID, nullable=False),
    sa.Column("id", ID),
    sa.Column("digest", ID, nullable=False),
    sa.Column("secret", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", UtcTime),
    sa.Column("expires", UtcTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", UtcTime),
    sa.Index(None, "side", "id"),
    sa.Index(None, "expires"),
)

# Of an OroCRM and nobody's account: it outlives the one that made it. digest: of the token in the address that OroCRM
# calls; secret by the vault. remote_id NULL: it is being made.
webhooks = sa.Table(
    "webhooks",
    metadata,
    key("digest"),
    sa.Column("orocrm_url", ID, nullable=False),
    sa.Column("topic", ID, nullable=False),
    sa.Column("remote_id", ID),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("verified_at", UtcTime, nullable=False),
    sa.Column("heard_at", UtcTime),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.UniqueConstraint("orocrm_url", "topic"),
)

# A notification that comes twice has no effect the second time.
heard_messages = sa.Table(
    "heard_messages",
    metadata,
    key("digest"),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Index(None, "expires"),
)

# Accounts whose OroCRM has no webhooks for them: not asked for again before then.
webhook_rests = sa.Table(
    "webhook_rests",
    metadata,
    account(primary_key=True),
    sa.Column("until", UtcTime, nullable=False),
)
