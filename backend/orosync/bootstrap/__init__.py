"""The only place where concrete parts meet: configuration, database, both sides, clock and ids become a session.

What a run does is left to `sync`. `web`, `cli` and `jobs` take everything concrete from here.
"""

from orosync.bootstrap.backup import backup_database
from orosync.bootstrap.checking import Finding, check_account, check_connection, check_oro_page
from orosync.bootstrap.graph_push import end_graph_push, keep_graph_push
from orosync.bootstrap.lease import Held, InUse, Taken, kept, leased, take
from orosync.bootstrap.oro_access import checked_certificate
from orosync.bootstrap.oro_consent import (
    ConsentedOro,
    callback_url,
    connection_json,
    connection_of,
    consent_page,
    exchange_code,
)
from orosync.bootstrap.oro_push import keep_oro_push, leave_oro_push
from orosync.bootstrap.parts import (
    RandomIds,
    build_sides,
    level_of,
    open_database,
    settings_of,
    upgrade_database,
    vault,
)
from orosync.bootstrap.planning import Known, known_of, look_soon, pace_of, plan_next, settings_changed
from orosync.bootstrap.runs import open_session, run_once, undo_once
from orosync.bootstrap.sign_in import (
    GRAPH_AUTHS,
    ORO_AUTHS,
    TYPED_ORO_AUTHS,
    Connection,
    save_connection,
    save_mailbox_access,
)
from orosync.store.clock import SystemClock
from orosync.store.database import AccountStore, Database

__all__ = [
    "GRAPH_AUTHS",
    "ORO_AUTHS",
    "TYPED_ORO_AUTHS",
    "AccountStore",
    "Connection",
    "ConsentedOro",
    "Database",
    "Finding",
    "Held",
    "InUse",
    "Known",
    "RandomIds",
    "SystemClock",
    "Taken",
    "backup_database",
    "build_sides",
    "callback_url",
    "check_account",
    "check_connection",
    "check_oro_page",
    "checked_certificate",
    "connection_json",
    "connection_of",
    "consent_page",
    "end_graph_push",
    "exchange_code",
    "keep_graph_push",
    "keep_oro_push",
    "kept",
    "known_of",
    "leased",
    "leave_oro_push",
    "level_of",
    "look_soon",
    "open_database",
    "open_session",
    "pace_of",
    "plan_next",
    "run_once",
    "save_connection",
    "save_mailbox_access",
    "settings_changed",
    "settings_of",
    "take",
    "undo_once",
    "upgrade_database",
    "vault",
]
