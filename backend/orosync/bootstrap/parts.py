"""Database, settings, clock, ids, and both sides of an account, put together from the configuration."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from orosync.bootstrap.counting import request_counter
from orosync.bootstrap.oro_access import client_for_account
from orosync.bootstrap.sign_in import graph_tokens, oro_sign_in
from orosync.config import Config, secret_keys, secret_keys_now
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.core.settings import Settings, effective
from orosync.errors import ConfigurationError
from orosync.oro.client import OroClient
from orosync.oro.instance import OroInstance
from orosync.outlook.allowance import Allowance
from orosync.outlook.batch import MailboxGates
from orosync.outlook.client import TIMEOUTS, GraphClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.store import migrations
from orosync.store.clock import shared_clock
from orosync.store.database import Database
from orosync.store.engine import open_engine, to_json
from orosync.store.settings import SYSTEM, Level, Levels, organisation, user
from orosync.store.vault import Secrets, Vault
from orosync.sync.ports import Clock, SidePort

# How far before the newest time seen OroCRM is asked again: commits become visible late (sync-engine.md R5).
OVERLAP = timedelta(minutes=5)
ORO_AT_ONCE = 4  # requests of one account: what a browser with a few tabs asks of OroCRM, too

_gates = MailboxGates()  # one per process: no two calls for a mailbox at a time, whichever account they are for


class RandomIds:
    def new(self) -> str:
        return str(uuid4())


def vault(config: Config) -> Vault:
    return Vault(secret_keys(config), reread=lambda: secret_keys_now(config))


def open_database(config: Config, clock: Clock | None = None) -> Database:
    """The database with its newest schema. An SQLite file is brought up to date by itself; PostgreSQL, which many
    processes share, is left to `orosync db upgrade`: ConfigurationError says so. clock: else the one that all who share
    the database go by."""
    engine = open_engine(config.database_url)
    try:
        if engine.dialect.name != "sqlite":
            migrations.check(engine)
        elif migrations.current(engine) != migrations.head():
            migrations.upgrade(engine)
        return Database(engine, vault(config), (clock or shared_clock(engine)).now)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise _not_opened(error) from error
    except BaseException:
        engine.dispose()
        raise


def _not_opened(error: sa.exc.DBAPIError) -> ConfigurationError:
    """Without the driver's words: they quote the address, and with it the password."""
    remedy = "Check address, user, password and rights, that the server runs or the file is ours, and the disk's room."
    return ConfigurationError(
        [f"OROSYNC_DATABASE_URL: the database cannot be opened ({type(error).__name__}). {remedy}"]
    )


def upgrade_database(config: Config) -> tuple[str | None, str]:
    """Brings the schema up to date; returns the revisions before (None: there was none) and after."""
    engine = open_engine(config.database_url)
    try:
        before = migrations.current(engine)
        migrations.upgrade(engine)
        return before, migrations.head()
    except sa.exc.DBAPIError as error:
        raise _not_opened(error) from error
    finally:
        engine.dispose()


def level_of(account: Account | None, organisation_name: str | None = None) -> Level:
    """Whose settings are meant: the account's own, an organisation's, or the system's."""
    if account is not None:
        return user(account.id)
    return organisation(organisation_name) if organisation_name else SYSTEM


def settings_of(database: Database, account: Account) -> Settings:
    """What is in force for the account. Raises SettingError for a stored value that is not valid any more."""
    return in_force(database.account_store(account.id).settings_levels())


def in_force(levels: Levels) -> Settings:
    """What the levels come to: the same object for the same levels, since most accounts of an installation have the
    same, and what it works out once is worked out for all of them. Raises SettingError."""
    return _in_force(to_json(levels))


@lru_cache(maxsize=256)
def _in_force(levels: str) -> Settings:
    return effective(*json.loads(levels))


def build_sides(
    config: Config,
    database: Database,
    account: Account,
    settings: Settings,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    allowance: Allowance | None = None,
    still_ours: Callable[[], None] | None = None,
) -> dict[Side, SidePort]:
    """Both sides of an account, signed in with its stored secrets. Nothing is sent yet.

    settings: those in force for the account. adapters: URL prefix -> `requests` adapter, for systems inside this
    process. allowance: what the mailbox may still be asked. still_ours: raises LeaseLost if the account was taken over.
    The epoch keeps a run that was overtaken from committing; this keeps it from writing on: a process that was frozen
    for longer than its lease, in the middle of twenty creates, would else send the rest of them beside the one that
    took the account over (I22). Raises SignInNeeded without secrets.
    """
    time = clock or database.clock
    secrets = database.secrets(account.id)
    with secrets.together():
        outlook = outlook_side(config, database, account, settings, adapters, time, allowance, secrets)
        oro = oro_side(config, database, account, settings, adapters, time, secrets)
    if still_ours is not None:
        outlook.fence(still_ours)
        oro.fence(still_ours)
    return {Side.OUTLOOK: outlook, Side.ORO: oro}


def outlook_side(
    config: Config,
    database: Database,
    account: Account,
    settings: Settings,
    adapters: Mapping[str, Any] | None,
    clock: Clock,
    allowance: Allowance | None = None,
    secrets: Secrets | None = None,
) -> OutlookMailbox:
    back, ahead = settings.event_window
    return OutlookMailbox(
        graph_client(config, database, account, adapters, allowance, secrets=secrets),
        "me" if account.graph_auth == "user" else account.mailbox,
        containers={entity: settings.container_name(entity) for entity in Entity},
        entities=[entity for entity in Entity if settings.wants(entity)],
        window_days=(back, ahead),
        now=clock.now,
    )


def oro_side(
    config: Config,
    database: Database,
    account: Account,
    settings: Settings,
    adapters: Mapping[str, Any] | None,
    clock: Clock,
    secrets: Secrets | None = None,
) -> OroInstance:
    client = oro_client(config, database, account, adapters, clock, secrets)
    entities = [entity for entity in Entity if settings.wants(entity)]
    return OroInstance(client, entities, settings.oro_scope.value, OVERLAP, clock.now, at_once=ORO_AT_ONCE)


def graph_client(
    config: Config,
    database: Database,
    account: Account,
    adapters: Mapping[str, Any] | None,
    allowance: Allowance | None = None,
    timeouts: tuple[float, float] = TIMEOUTS,
    secrets: Secrets | None = None,
) -> GraphClient:
    tokens = graph_tokens(config, account, secrets or database.secrets(account.id), adapters)
    gate = _gates.of(account.mailbox)
    return GraphClient(
        config.graph_url,
        tokens,
        gate=gate,
        allowance=allowance,
        adapters=adapters,
        timeouts=timeouts,
        count=request_counter(Side.OUTLOOK),
    )


def oro_client(
    config: Config,
    database: Database,
    account: Account,
    adapters: Mapping[str, Any] | None,
    clock: Clock,
    secrets: Secrets | None = None,
) -> OroClient:
    sign_in = oro_sign_in(config, account, secrets or database.secrets(account.id), clock)
    return client_for_account(config, account, sign_in, adapters)
