"""The only place where concrete parts meet: configuration, database, both sides, clock and ids become a session.

What a run does is left to `sync`. `web`, `cli` and `jobs` take everything concrete from here.
"""

from orosync.bootstrap.checking import Finding, check_account
from orosync.bootstrap.parts import (
    RandomIds,
    SystemClock,
    build_sides,
    level_of,
    open_database,
    settings_of,
    upgrade_database,
    vault,
)
from orosync.bootstrap.runs import open_session, run_once, undo_once
from orosync.bootstrap.sign_in import GRAPH_AUTHS, ORO_AUTHS, Connection, save_connection
from orosync.store.database import AccountStore, Database

__all__ = [
    "GRAPH_AUTHS",
    "ORO_AUTHS",
    "AccountStore",
    "Connection",
    "Database",
    "Finding",
    "RandomIds",
    "SystemClock",
    "build_sides",
    "check_account",
    "level_of",
    "open_database",
    "open_session",
    "run_once",
    "save_connection",
    "settings_of",
    "undo_once",
    "upgrade_database",
    "vault",
]
