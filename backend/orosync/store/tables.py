"""Every table there is, in one place. What the rows mean is in `core/ledger.py` and `core/records.py`.

All rows of an account go with it (ON DELETE CASCADE); every index of theirs starts with the account. Ids of other
systems are compared byte by byte (I16). A change here needs a revision in `migrations/versions/`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from orosync.store.engine import JsonText, UtcTime, Words

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


def _account(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "account_id",
        BIG,
        sa.ForeignKey("accounts.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


def _where(name: str, *columns: str, where: sa.TextClause, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _key(name: str, kind: sa.types.TypeEngine[Any] = ID) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


# Countries and regions of OroCRM instances: large, and the same for most accounts, so stored once by their digest.
places = sa.Table(
    "places",
    metadata,
    _key("digest"),
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
    _account(primary_key=True),
    _key("name", sa.Text()),
    sa.Column("ciphertext", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("saved_at", UtcTime, nullable=False),
)

# Of nobody's account: a code may come before there is one. digest: of kind and code; ciphertext by the vault.
one_time_codes = sa.Table(
    "one_time_codes",
    metadata,
    _key("digest"),
    sa.Column("ciphertext", sa.Text, nullable=False),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Index(None, "expires"),
)

# owner NULL: released. The row stays, so that its epoch only ever grows.
leases = sa.Table(
    "leases",
    metadata,
    _account(primary_key=True),
    sa.Column("epoch", BIG, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("expires", UtcTime, nullable=False),
    _where("ix_leases_held", "expires", where=HELD_LEASE),
)

# When an account is to be looked at next, and why. due_at NULL: nothing is planned. claimed_until: it was handed out to
# a worker that has not begun. *_read_at: that side's feed was read to its end. *_called_at: the side said that
# something changed, and no run has begun since. trouble: "", "throttled" or "failing", with attempts in a row.
due_work = sa.Table(
    "due_work",
    metadata,
    _account(primary_key=True),
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
    _where("ix_due_work_claimed", "claimed_until", where=CLAIMED),
)

# Processes that carry out work, by their sign of life. slots: how many accounts at once.
workers = sa.Table(
    "workers",
    metadata,
    _key("name"),
    sa.Column("slots", sa.Integer, nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
)

# Who talks to a mailbox now, and how many of its requests are left: `tokens` at `counted_at`, refilled steadily.
# mailbox: in lower case. paused_until: the mailbox asked for it.
mailboxes = sa.Table(
    "mailboxes",
    metadata,
    _key("mailbox"),
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
    _account(primary_key=True),
    _key("side"),
    _key("resource"),
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
    _key("digest"),
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
    _key("digest"),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Index(None, "expires"),
)

# Accounts whose OroCRM has no webhooks for them: not asked for again before then.
webhook_rests = sa.Table(
    "webhook_rests",
    metadata,
    _account(primary_key=True),
    sa.Column("until", UtcTime, nullable=False),
)

cursors = sa.Table(
    "cursors",
    metadata,
    _account(primary_key=True),
    _key("side"),
    _key("entity"),
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
    _account(),
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
    _account(),
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
    _where("uq_links_live_outlook", "account_id", "entity", "outlook_id", where=LIVE_LINK, unique=True),
    _where("uq_links_live_oro", "account_id", "entity", "oro_id", where=LIVE_LINK, unique=True),
    _where("ix_links_tombstone_outlook", "account_id", "entity", "outlook_id", where=TOMBSTONE),
    _where("ix_links_tombstone_oro", "account_id", "entity", "oro_id", where=TOMBSTONE),
    _where("ix_links_to_stamp", "account_id", "entity", "id", where=TO_STAMP),
    sa.Index(None, "account_id", "entity", "id"),
    sqlite_autoincrement=True,
)

unlinked = sa.Table(
    "unlinked",
    metadata,
    _account(primary_key=True),
    _key("side"),
    _key("entity"),
    _key("record_id"),
    sa.Column("version", ID, nullable=False),
    sa.Column("match_key", ID),
    sa.Column("stamp", ID),
    sa.Column("uid", ID),
    sa.Column("why", Words, nullable=False),
    *(
        _where(f"ix_unlinked_{name}", "account_id", "side", "entity", name, where=sa.text(f"{name} IS NOT NULL"))
        for name in ("match_key", "stamp", "uid")
    ),
)

# Only open ones: a confirmed or abandoned intent is deleted, the oplog tells what was done.
intents = sa.Table(
    "intents",
    metadata,
    _account(primary_key=True),
    _key("op_id"),
    sa.Column("run", ID, nullable=False),
    sa.Column("entity", ID, nullable=False),
    sa.Column("side", ID, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("source_id", ID),
    sa.Column("op", JsonText, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sent_at", UtcTime),
    sa.Column("attempt", sa.Integer, nullable=False),
    _where("uq_intents_open_create", "account_id", "entity", "side", "source_id", where=OPEN_CREATE, unique=True),
)

oplog = sa.Table(
    "oplog",
    metadata,
    sa.Column("seq", BIG, primary_key=True),
    _account(),
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
    _account(),
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
    _where("ix_conflicts_open", "account_id", "id", where=OPEN_CONFLICT),
    _where("ix_conflicts_open_outlook", "account_id", "entity", "outlook_id", where=OPEN_CONFLICT),
    _where("ix_conflicts_open_oro", "account_id", "entity", "oro_id", where=OPEN_CONFLICT),
    sqlite_autoincrement=True,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    _account(primary_key=True),
    _key("side"),
    _key("entity"),
    _key("record_id"),
    sa.Column("version", ID),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", Words, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("next_try", UtcTime, nullable=False),
)

# request, requested_at, idempotency_key: of runs that a person asked for. started_at NULL: it waits its turn.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", BIG, primary_key=True),
    _account(),
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
    _where(
        "uq_runs_idempotency_key",
        "account_id",
        "idempotency_key",
        where=sa.text("idempotency_key IS NOT NULL"),
        unique=True,
    ),
    _where("ix_runs_requested", "account_id", "id", where=REQUESTED_RUN),
    sqlite_autoincrement=True,
)

plans = sa.Table(
    "plans",
    metadata,
    _account(primary_key=True),
    _key("run"),
    sa.Column("plan_hash", sa.Text, nullable=False),
    sa.Column("ops", JsonText, nullable=False),
    sa.Column("limits", JsonText, nullable=False),
    sa.Column("approved_at", UtcTime),
)

# scope: "" for the system, the organisation's name, or the account's id as text (then also in account_id).
settings = sa.Table(
    "settings",
    metadata,
    _key("level"),
    _key("scope"),
    _key("key"),
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
