"""The only place where concrete parts meet: configuration, database, both sides, clock and ids become a session.

Decides how an account signs in on each side and which worker may hold it; what a run does is left to `sync`. Secrets
come out of the vault here and go nowhere else.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from orosync import telemetry
from orosync.config import Config, secret_keys
from orosync.core.ledger import Account
from orosync.core.records import Entity, Side
from orosync.core.settings import Settings, effective
from orosync.errors import BadInput, ConfigurationError, LeaseLost, OrosyncError, SignInNeeded, TryLater
from orosync.oro import check as oro_check
from orosync.oro.auth import Grant, OAuth, SignIn, Tokens, Wsse
from orosync.oro.client import OroClient
from orosync.oro.instance import OroInstance
from orosync.outlook.auth import ClientCredentials, Delegated, StaticToken, TokenSource
from orosync.outlook.batch import MailboxGates
from orosync.outlook.client import GraphClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.store import migrations
from orosync.store.database import AccountStore, Database
from orosync.store.engine import open_engine
from orosync.store.leases import Lease
from orosync.store.settings import SYSTEM, Level, organisation, user
from orosync.store.vault import Secrets, Vault
from orosync.sync.ports import Clock, Ids, SidePort
from orosync.sync.run import Report, run_account
from orosync.sync.session import Progress, RunRequest, Session
from orosync.sync.take_back import UndoReport, undo_run

__all__ = [
    "GRAPH_AUTHS",
    "ORO_AUTHS",
    "AccountStore",
    "Connection",
    "Database",
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

ORO_AUTHS = ("wsse", "client-credentials", "password")
GRAPH_AUTHS = ("token", "app", "user")
GRAPH_SCOPES = (
    "Contacts.ReadWrite",
    "Tasks.ReadWrite",
    "Calendars.ReadWrite",
    "MailboxSettings.Read",
    "User.Read",
)
LEASE = timedelta(minutes=10)
# How far before the newest time seen OroCRM is asked again: commits become visible late (sync-engine.md R5).
OVERLAP = timedelta(minutes=5)

# names of secrets in the vault
_ORO_SECRET, _ORO_CLIENT, _ORO_CLIENT_SECRET, _ORO_TOKENS = "oro", "oro_client", "oro_client_secret", "oro_tokens"
_GRAPH_TOKEN, _GRAPH_REFRESH, _GRAPH_CACHE = "graph_token", "graph_refresh", "graph_cache"

_gates = MailboxGates()  # one per process: no two calls for a mailbox at a time, whichever account they are for


def _unwatched(_what: str, _done: int, _total: int) -> None:
    """Nobody watches the progress."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIds:
    def new(self) -> str:
        return str(uuid4())


# ------------------------------------------------------------------------------------------------ database


def vault(config: Config) -> Vault:
    return Vault(secret_keys(config))


def open_database(config: Config, clock: Clock | None = None) -> Database:
    """The database with its newest schema. An SQLite file is brought up to date by itself; PostgreSQL, which many
    processes share, is left to `orosync db upgrade`: ConfigurationError says so."""
    engine = open_engine(config.database_url)
    if engine.dialect.name != "sqlite":
        migrations.check(engine)
    elif migrations.current(engine) != migrations.head():
        migrations.upgrade(engine)
    return Database(engine, vault(config), (clock or SystemClock()).now)


def upgrade_database(config: Config) -> tuple[str | None, str]:
    """Brings the schema up to date; returns the revisions before (None: there was none) and after."""
    engine = open_engine(config.database_url)
    try:
        before = migrations.current(engine)
        migrations.upgrade(engine)
        return before, migrations.head()
    finally:
        engine.dispose()


def level_of(account: Account | None, organisation_name: str | None = None) -> Level:
    """Whose settings are meant: the account's own, an organisation's, or the system's."""
    if account is not None:
        return user(account.id)
    return organisation(organisation_name) if organisation_name else SYSTEM


def settings_of(database: Database, account: Account) -> Settings:
    """What is in force for the account. Raises SettingError for a stored value that is not valid any more."""
    return effective(*database.account_store(account.id).settings_levels())


# ------------------------------------------------------------------------------------------------ sign-ins


@dataclass(frozen=True, slots=True)
class Connection:
    """The secrets of an account as its user typed them; whatever is empty is left as it is stored.

    graph: an access token for `token`, a refresh token for `user`, nothing for `app`. oro: API key, client secret or
    password. oro_client, oro_client_secret: the OAuth application of the password grant.
    """

    oro: str = ""
    oro_client: str = ""
    oro_client_secret: str = ""
    graph: str = ""

    def __repr__(self) -> str:
        return "Connection(***)"


def save_connection(database: Database, account: Account, connection: Connection) -> None:
    """Secrets into the vault. Tokens got with the former ones are forgotten."""
    secrets = database.secrets(account.id)
    graph = _GRAPH_REFRESH if account.graph_auth == "user" else _GRAPH_TOKEN
    named = {
        _ORO_SECRET: connection.oro,
        _ORO_CLIENT: connection.oro_client,
        _ORO_CLIENT_SECRET: connection.oro_client_secret,
        graph: connection.graph,
    }
    for name, text in named.items():
        if text:
            secrets.set(name, text)
    if connection.oro:
        secrets.forget(_ORO_TOKENS)
    if connection.graph:
        secrets.forget(_GRAPH_CACHE)


def _oro_sign_in(account: Account, secrets: Secrets, clock: Clock) -> SignIn:
    secret = secrets.get(_ORO_SECRET)
    if secret is None:
        raise SignInNeeded(
            f"No secret for OroCRM is stored for account {account.name}.",
            remedy=f"Set OROSYNC_ORO_SECRET and run `orosync accounts sign-in {account.name}`.",
        )
    if account.oro_auth == "wsse":
        return Wsse(account.orocrm_user, secret, now=clock.now)
    if account.oro_auth == "client-credentials":
        grant = Grant("client_credentials", client_id=account.orocrm_user, client_secret=secret)
    else:
        grant = Grant(
            "password",
            client_id=secrets.get(_ORO_CLIENT) or "",
            client_secret=secrets.get(_ORO_CLIENT_SECRET) or "",
            username=account.orocrm_user,
            password=secret,
        )
    return OAuth(grant, now=clock.now, tokens=_stored_tokens(secrets), save=_saver(secrets))


def _stored_tokens(secrets: Secrets) -> Tokens | None:
    text = secrets.get(_ORO_TOKENS)
    if text is None:
        return None
    data = json.loads(text)
    return Tokens(data["access_token"], datetime.fromisoformat(data["expires_at"]), data["refresh_token"])


def _saver(secrets: Secrets) -> Callable[[Tokens], None]:
    """OroCRM's former refresh token is void the moment a new one is given out, so it is stored before it is used."""

    def save(tokens: Tokens) -> None:
        data = {
            "access_token": tokens.access_token,
            "expires_at": tokens.expires_at.isoformat(),
            "refresh_token": tokens.refresh_token,
        }
        secrets.set(_ORO_TOKENS, json.dumps(data))

    return save


def _graph_tokens(config: Config, account: Account, secrets: Secrets) -> TokenSource:
    if account.graph_auth == "token":
        return StaticToken(secrets.get(_GRAPH_TOKEN) or _nobody_signed_in(account))
    _must_be_registered(config)
    authority = f"{config.authority}/{config.tenant_id}"
    if account.graph_auth == "app":
        return ClientCredentials(
            client_id=config.client_id,
            credential=_credential(config, account),
            authority=authority,
            scope=f"{_origin(config.graph_url)}/.default",
        )
    delegated = Delegated(
        client_id=config.client_id,
        authority=authority,
        scopes=tuple(f"{_origin(config.graph_url)}/{scope}" for scope in GRAPH_SCOPES),
        load=lambda: secrets.get(_GRAPH_CACHE),
        save=lambda cache: secrets.set(_GRAPH_CACHE, cache),
        credential=_credential(config, account) if config.client_secret or config.client_certificate else None,
    )
    return _RedeemFirst(delegated, secrets)


class _RedeemFirst:
    """A user's tokens: a refresh token that was typed in is exchanged once, at the first use."""

    def __init__(self, delegated: Delegated, secrets: Secrets) -> None:
        self._delegated, self._secrets = delegated, secrets

    def token(self) -> str:
        typed = self._secrets.get(_GRAPH_REFRESH)
        if typed is not None:
            self._delegated.redeem(typed)
            self._secrets.forget(_GRAPH_REFRESH)  # the cache has its successor now
        return self._delegated.token()

    def renewed(self, refused: str, claims: str | None) -> str:
        return self._delegated.renewed(refused, claims)


def _nobody_signed_in(account: Account) -> str:
    raise SignInNeeded(
        f"No access token for Microsoft Graph is stored for account {account.name}.",
        remedy=f"Set OROSYNC_GRAPH_TOKEN and run `orosync accounts sign-in {account.name}`.",
    )


def _must_be_registered(config: Config) -> None:
    missing = [name for name in ("TENANT_ID", "CLIENT_ID") if not getattr(config, name.lower())]
    if missing:
        raise ConfigurationError(
            [f"OROSYNC_{name}: missing. It is in the app registration in Entra ID (see README)." for name in missing]
        )


def _credential(config: Config, account: Account) -> str | Mapping[str, Any]:
    if config.client_secret:
        return config.client_secret
    if config.client_certificate is None:
        raise ConfigurationError(
            [f"OROSYNC_CLIENT_SECRET or OROSYNC_CLIENT_CERTIFICATE: missing. Account {account.name} signs in as app."]
        )
    pem = config.client_certificate.read_text("ascii")
    return {"private_key": pem, "thumbprint": _thumbprint(pem)}


def _thumbprint(pem: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    # Entra ID names certificates by their SHA-1
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex()  # noqa: S303


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


# ------------------------------------------------------------------------------------------------ sides


def build_sides(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> dict[Side, SidePort]:
    """Both sides of an account, signed in with its stored secrets. Nothing is sent yet.

    adapters: URL prefix -> `requests` adapter, for systems inside this process. Raises SignInNeeded without secrets.
    """
    time = clock or SystemClock()
    return {
        Side.OUTLOOK: _outlook(config, database, account, adapters, time),
        Side.ORO: _oro(config, database, account, adapters, time),
    }


def _outlook(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None, clock: Clock
) -> OutlookMailbox:
    settings = settings_of(database, account)
    back, ahead = settings.event_window
    return OutlookMailbox(
        _graph_client(config, database, account, adapters),
        "me" if account.graph_auth == "user" else account.mailbox,
        containers={entity: settings.container_name(entity) for entity in Entity},
        entities=[entity for entity in Entity if settings.wants(entity)],
        window_days=(back, ahead),
        now=clock.now,
    )


def _oro(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None, clock: Clock
) -> OroInstance:
    settings = settings_of(database, account)
    client = _oro_client(config, database, account, adapters, clock)
    entities = [entity for entity in Entity if settings.wants(entity)]
    return OroInstance(client, entities, settings.oro_scope.value, OVERLAP, clock.now)


def _graph_client(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None
) -> GraphClient:
    tokens = _graph_tokens(config, account, database.secrets(account.id))
    return GraphClient(config.graph_url, tokens, gate=_gates.of(account.mailbox), adapters=adapters)


def _oro_client(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None, clock: Clock
) -> OroClient:
    return OroClient(
        account.orocrm_url,
        _oro_sign_in(account, database.secrets(account.id), clock),
        adapters=adapters,
        pinned_fingerprint=account.certificate if config.allow_self_signed else None,
        allow_loopback_http=config.allow_insecure_loopback,
    )


# ------------------------------------------------------------------------------------------------ checking


@dataclass(frozen=True, slots=True)
class Finding:
    """side: who was asked. message and remedy: for people."""

    side: Side
    ok: bool
    what: str
    message: str
    remedy: str = ""
    sign_in: bool = False  # the account's user must act


def check_account(
    config: Config,
    database: Database,
    account: Account,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> list[Finding]:
    """What is wrong with either side, each with its remedy. Only reads. Raises nothing but SettingError."""
    time, settings = clock or SystemClock(), settings_of(database, account)
    entities = [entity for entity in Entity if settings.wants(entity)]
    return [
        *_check_outlook(config, database, account, adapters, time),
        *_check_oro(config, database, account, entities, adapters, time),
    ]


def _check_outlook(
    config: Config, database: Database, account: Account, adapters: Mapping[str, Any] | None, clock: Clock
) -> list[Finding]:
    try:
        facts = _outlook(config, database, account, adapters, clock).discover()
    except OrosyncError as error:
        what = "sign_in" if isinstance(error, SignInNeeded) else "mailbox"
        return [Finding(Side.OUTLOOK, False, what, error.message, error.remedy, sign_in=what == "sign_in")]
    findings = [Finding(Side.OUTLOOK, True, "mailbox", f"The mailbox of {facts['address']} answers ({facts['zone']}).")]
    for name in facts.get("forbidden", []):
        remedy = f"Ask the administrator to consent to {_PERMISSION[Entity(name)]}, or switch {name}s off."
        findings.append(Finding(Side.OUTLOOK, False, name, f"Microsoft 365 does not let us read {name}s.", remedy))
    for name, container in facts["containers"].items():
        if name not in facts.get("forbidden", []):
            text = f"{name.capitalize()}s can be read." if container is not None else "The folder will be created."
            findings.append(Finding(Side.OUTLOOK, True, name, text))
    return findings


_PERMISSION = {
    Entity.CONTACT: "Contacts.ReadWrite",
    Entity.TASK: "Tasks.ReadWrite",
    Entity.EVENT: "Calendars.ReadWrite",
}


def _check_oro(
    config: Config,
    database: Database,
    account: Account,
    entities: Collection[Entity],
    adapters: Mapping[str, Any] | None,
    clock: Clock,
) -> list[Finding]:
    try:
        client = _oro_client(config, database, account, adapters, clock)
    except OrosyncError as error:
        signed_out = isinstance(error, SignInNeeded)
        return [Finding(Side.ORO, False, "sign_in", error.message, error.remedy, sign_in=signed_out)]
    found = oro_check.check(client, entities, wsse=account.oro_auth == "wsse", now=clock.now)
    return [
        Finding(Side.ORO, each.ok, each.what, each.message, each.remedy, not each.ok and each.what == "sign_in")
        for each in found
    ]


# ------------------------------------------------------------------------------------------------ runs


@contextmanager
def open_session(
    config: Config,
    database: Database,
    account_name: str,
    request: RunRequest | None = None,
    progress: Progress = _unwatched,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Iterator[Session]:
    """A session under the account's lease, which is renewed while it lasts and given back at its end.

    Raises BadInput for an unknown or disabled account, TryLater while another run has it.
    """
    account = database.accounts.named(account_name)
    if account.state == "disabled":
        raise BadInput(
            f"Account {account.name} is disabled.",
            field="account",
            remedy=f"Run `orosync accounts enable {account.name}` first.",
        )
    time, source = clock or SystemClock(), ids or RandomIds()
    sides = build_sides(config, database, account, adapters=adapters, clock=time)
    run = source.new()
    with _leased(database, account, run, time) as lease:
        yield Session(
            run=run,
            request=request or RunRequest(),
            store=database.account_store(account.id, lease),
            sides=sides,
            clock=time,
            ids=source,
            settings=settings_of(database, account),
            colleagues=_colleagues(database, account),
            progress=progress,
        )


def run_once(
    config: Config,
    database: Database,
    account_name: str,
    request: RunRequest,
    progress: Progress = _unwatched,
    *,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
) -> Report:
    """One run of one account. Raises as `open_session`, and LeaseLost."""
    opened = open_session(config, database, account_name, request, progress, adapters=adapters, clock=clock, ids=ids)
    with opened as session, telemetry.bound(account=account_name, run=session.run):
        return run_account(session)


def undo_once(
    config: Config,
    database: Database,
    account_name: str,
    of_run: str,
    *,
    preview: bool,
    adapters: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
) -> UndoReport:
    """Take a run back, or show what would be taken back. Raises as `open_session`; BadInput for an unknown run."""
    request = RunRequest(mode="preview" if preview else "sync")
    with (
        open_session(config, database, account_name, request, adapters=adapters, clock=clock) as session,
        telemetry.bound(account=account_name, run=session.run),
    ):
        return undo_run(session, of_run, preview=preview)


def _colleagues(database: Database, account: Account) -> frozenset[str]:
    """Addresses of the other mailboxes that are connected to the same OroCRM, in lower case."""
    others = [
        each for each in database.accounts.all() if each.id != account.id and each.orocrm_url == account.orocrm_url
    ]
    known = {each.mailbox for each in others}
    known |= {str(each.facts.get(Side.OUTLOOK.value, {}).get("address") or "") for each in others}
    return frozenset(address.casefold() for address in known if address)


# ------------------------------------------------------------------------------------------------ the lease


@contextmanager
def _leased(database: Database, account: Account, run: str, clock: Clock) -> Iterator[Lease]:
    lease = _take(database, account, f"{socket.gethostname()}:{os.getpid()}:{run}", clock)
    over = threading.Event()
    renewal = threading.Thread(target=_keep, args=(database, lease, over, clock), name="lease", daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        over.set()
        renewal.join()
        database.leases.release(lease)


def _take(database: Database, account: Account, owner: str, clock: Clock) -> Lease:
    lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        if holder is not None and _has_died(database, holder):
            database.leases.release(holder)
            lease = database.leases.take(account.id, owner, clock.now(), LEASE)
    if lease is None:
        holder = database.leases.holder(account.id)
        who = f" ({holder.owner.rpartition(':')[0]})" if holder else ""
        raise TryLater(
            f"Another run is working on account {account.name}{who}.", remedy="Wait until it is done, then try again."
        )
    return lease


def _has_died(database: Database, holder: Lease) -> bool:
    """A process of this machine that was killed. Others can't be asked, so their lease has to expire."""
    host, _, rest = holder.owner.partition(":")
    pid = rest.partition(":")[0]
    one_machine = database.engine.dialect.name == "sqlite"
    if not one_machine or host != socket.gethostname() or not pid.isdigit() or sys.platform == "win32":
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _keep(database: Database, lease: Lease, over: threading.Event, clock: Clock) -> None:
    while not over.wait(LEASE.total_seconds() / 3):
        try:
            database.leases.renew(lease, clock.now(), LEASE)
        except LeaseLost:
            return  # the next commit says so to whoever works
        except TryLater:
            continue
