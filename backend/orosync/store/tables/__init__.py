"""Every table there is. What the rows mean is in `core/ledger.py` and `core/records.py`.

All rows of an account go with it (ON DELETE CASCADE); every index of theirs starts with the account. Ids of other
systems are compared byte by byte (I16). A change here needs a revision in `migrations/versions/`.
"""

from orosync.store.tables.columns import LIVE_LINK, OPEN_CONFLICT, REQUESTED_RUN, TO_STAMP, TOMBSTONE, metadata
from orosync.store.tables.of_accounts import accounts, one_time_codes, places, secrets, setting_changes, settings
from orosync.store.tables.of_records import cursors, journal, links, quarantine, unlinked
from orosync.store.tables.of_runs import conflicts, intents, oplog, planned_ops, plans, runs
from orosync.store.tables.of_work import (
    due_work,
    heard_messages,
    leases,
    mailboxes,
    subscriptions,
    webhook_rests,
    webhooks,
    workers,
)

__all__ = [
    "LIVE_LINK",
    "OPEN_CONFLICT",
    "REQUESTED_RUN",
    "TOMBSTONE",
    "TO_STAMP",
    "accounts",
    "conflicts",
    "cursors",
    "due_work",
    "heard_messages",
    "intents",
    "journal",
    "leases",
    "links",
    "mailboxes",
    "metadata",
    "one_time_codes",
    "oplog",
    "places",
    "planned_ops",
    "plans",
    "quarantine",
    "runs",
    "secrets",
    "setting_changes",
    "settings",
    "subscriptions",
    "unlinked",
    "webhook_rests",
    "webhooks",
    "workers",
]
