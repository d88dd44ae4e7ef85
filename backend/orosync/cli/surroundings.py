"""What most commands begin with: the configuration, logging, and the database, opened and closed."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from orosync import bootstrap, telemetry
from orosync.bootstrap import AccountStore, Database
from orosync.config import Config, load_config
from orosync.core.ledger import Account


def configuration() -> Config:
    """Read once a command; from then on logs go to stderr. Raises ConfigurationError."""
    config = load_config()
    # a person at a terminal is told by the command itself; what runs in the background speaks at "info"
    telemetry.configure("warning" if config.log_level == "info" else config.log_level)
    return config


@contextmanager
def opened(config: Config | None = None) -> Iterator[tuple[Config, Database]]:
    """Configuration and database; closed at the end."""
    config = config or configuration()
    database = bootstrap.open_database(config)
    try:
        yield config, database
    finally:
        database.close()


def reading(database: Database, name: str) -> tuple[Account, AccountStore]:
    """An account and what is remembered of it, to look at. Raises BadInput if there is none of that name."""
    account = database.accounts.named(name)
    return account, database.account_store(account.id)


def this_user() -> str:
    """Who changes something, for the history."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        return "command line"
