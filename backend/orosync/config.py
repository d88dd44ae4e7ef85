"""The configuration: what the environment says, read once and frozen (design.md section 5).

The only module that reads environment variables. Every variable may also be given as a file: OROSYNC_X_FILE names
one that holds the value of OROSYNC_X. What people choose about syncing is no configuration; see `core/settings.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from environs import FileAwareEnv

from orosync import config_values as values
from orosync.config_values import MAKE_A_KEY, PREFIX
from orosync.errors import BadInput, ConfigurationError
from orosync.key_file import keys_in

AUTHORITY = "https://login.microsoftonline.com"
GRAPH_URL = "https://graph.microsoft.com/v1.0"
# hosts of Outlook on the web that may frame the pane (outlook-addin.md 4)
OUTLOOK_HOSTS = (
    "https://outlook.cloud.microsoft",
    "https://outlook.office.com",
    "https://outlook.office365.com",
    "https://outlook.live.com",
)

_SECRET = frozenset({"secret_keys", "client_secret", "oro_oauth_client_secret", "metrics_token"})
_WITH_PASSWORD = frozenset({"database_url", "broker_url"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """Everything the environment decides. Empty text, or an empty tuple, is "not given". repr masks secrets.

    secret_keys: Fernet keys, newest first; use the function `secret_keys`, which falls back to a file.
    client_certificate: a PEM file with private key and certificate. oro_hosts: "host", "host:port" or "*.domain".
    oro_oauth_client_id, oro_oauth_client_secret: the OAuth application in OroCRM with which people sign in on its own
    page; without a secret it is a public one. allow_private_addresses: an OroCRM that is connected in the pane may be
    in the own network.
    pane_client_id: the registration (single-page application) the pane signs in with. allowed_tenants: directory ids
    (GUIDs) of the organisations whose people may sign in. admins: object ids of people or groups, or names of app
    roles, all of TENANT_ID; "tenant:object id" for a person of another tenant. broker_url: empty for the embedded
    queue. frame_ancestors: origins that may frame the pane. proxies: how many of our own stand in front
    and say in X-Forwarded-* who asks. runs_at_once: accounts that this process works on at the same time, where there
    is no broker. history_days: how long runs and what they did can be looked at. metrics_token: what Prometheus sends
    from another machine. push: both sides are asked to call PUBLIC_URL when something changes.
    """

    data_dir: Path
    database_url: str
    secret_keys: tuple[str, ...] = ()
    public_url: str = ""
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_certificate: Path | None = None
    pane_client_id: str = ""
    allowed_tenants: tuple[str, ...] = ()
    authority: str = AUTHORITY
    graph_url: str = GRAPH_URL
    oro_hosts: tuple[str, ...] = ()
    oro_oauth_client_id: str = ""
    oro_oauth_client_secret: str = ""
    admins: tuple[str, ...] = ()
    broker_url: str = ""
    allow_insecure_loopback: bool = False
    allow_self_signed: bool = False
    allow_private_addresses: bool = False
    frame_ancestors: tuple[str, ...] = OUTLOOK_HOSTS
    proxies: int = 0
    runs_at_once: int = 4
    history_days: int = 90
    push: bool = True
    log_level: str = "info"
    metrics_token: str = ""

    def __repr__(self) -> str:
        return "Config(" + ", ".join(f"{each.name}={self._shown(each.name)}" for each in fields(self)) + ")"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        if value and name in _SECRET:
            return "***"
        if value and name in _WITH_PASSWORD:
            return repr(values.without_password(value))
        return repr(value)


def default_data_dir() -> Path:
    """`orosync` in the user's folder for program data: $XDG_DATA_HOME, else ~/.local/share."""
    base = os.environ.get("XDG_DATA_HOME", "")
    # the XDG base directory specification: a relative path is invalid and is to be ignored
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "orosync"


def load_config() -> Config:
    """The configuration of this process. Raises ConfigurationError that names every problem, each with its remedy.

    Creates nothing, neither the data folder nor a key.
    """
    reader = _Reader()
    insecure = reader.flag("ALLOW_INSECURE_LOOPBACK")

    def url(text: str) -> str:
        return values.checked_url(text, insecure)

    data_dir = reader.value("DATA_DIR", values.folder, default_data_dir())
    tenant_id = reader.value("TENANT_ID", values.tenant, "")
    client_id = reader.value("CLIENT_ID", values.guid, "")
    config = Config(
        data_dir=data_dir,
        database_url=reader.value("DATABASE_URL", values.database_url, f"sqlite:///{data_dir / 'orosync.sqlite3'}"),
        secret_keys=reader.value("SECRET_KEYS", values.fernet_keys, ()),
        public_url=reader.value("PUBLIC_URL", url, ""),
        tenant_id=tenant_id,
        client_id=client_id,
        client_secret=reader.value("CLIENT_SECRET", str, ""),
        client_certificate=reader.value("CLIENT_CERTIFICATE", values.readable_file, None),
        pane_client_id=reader.value("PANE_CLIENT_ID", values.guid, client_id),
        allowed_tenants=reader.value(
            "ALLOWED_TENANTS", values.guids, (tenant_id,) if values.is_guid(tenant_id) else ()
        ),
        authority=reader.value("AUTHORITY", url, AUTHORITY),
        graph_url=reader.value("GRAPH_URL", url, GRAPH_URL),
        oro_hosts=reader.value("ORO_HOSTS", values.hosts, ()),
        oro_oauth_client_id=reader.value("ORO_OAUTH_CLIENT_ID", str, ""),
        oro_oauth_client_secret=reader.value("ORO_OAUTH_CLIENT_SECRET", str, ""),
        admins=reader.value("ADMINS", values.listed, ()),
        broker_url=reader.value("BROKER_URL", values.broker_url, ""),
        allow_insecure_loopback=insecure,
        allow_self_signed=reader.flag("ALLOW_SELF_SIGNED"),
        allow_private_addresses=reader.flag("ALLOW_PRIVATE_ADDRESSES"),
        proxies=reader.value("PROXIES", values.number_from(0, 5), 0),
        frame_ancestors=reader.value("FRAME_ANCESTORS", values.origins, OUTLOOK_HOSTS),
        runs_at_once=reader.value("RUNS_AT_ONCE", values.number_from(1, 64), 4),
        history_days=reader.value("HISTORY_DAYS", values.number_from(2, 3650), 90),
        push=reader.flag("PUSH", default=True),
        log_level=reader.value("LOG_LEVEL", values.log_level, "info"),
        metrics_token=reader.value("METRICS_TOKEN", str, ""),
    )
    problems = reader.problems + _contradictions(config, reader.refused)
    if problems:
        raise ConfigurationError(problems)
    return config


def sign_in_problems(config: Config) -> list[str]:
    """What people's sign-in with Entra ID needs and `config` does not say; each with its remedy.

    The web application needs all of it, the command line does not: there an operator signs accounts in.
    """
    problems = []
    if not config.tenant_id:
        problems.append(f"{PREFIX}TENANT_ID: missing. Set it to the directory id of your organisation in Entra ID.")
    elif not values.is_guid(config.tenant_id):
        problems.append(
            f"{PREFIX}TENANT_ID: {config.tenant_id} is a name, and the web application needs the directory id: tokens "
            "name the organisation by it. Copy it, 8-4-4-4-12 signs, from Entra ID."
        )
    if not config.client_id:
        problems.append(f"{PREFIX}CLIENT_ID: missing. Set it to the application id of the registration in Entra ID.")
    if not config.client_secret and config.client_certificate is None:
        problems.append(
            f"{PREFIX}CLIENT_SECRET, {PREFIX}CLIENT_CERTIFICATE: one of them is missing. The application needs it to "
            "act for the people who sign in. Make it in the registration in Entra ID."
        )
    if not config.public_url:
        problems.append(
            f"{PREFIX}PUBLIC_URL: missing. Set it to the address at which Outlook reaches this application, as in "
            "https://sync.example.com."
        )
    elif urlsplit(config.public_url).path:
        problems.append(
            f"{PREFIX}PUBLIC_URL: it has a path, and the pane has to be at the root of its host. Give the application "
            "a host name of its own, as in https://sync.example.com."
        )
    return problems


def oro_secret() -> str | None:
    """OROSYNC_ORO_SECRET: API key, client secret or password of the OroCRM account that is being added."""
    return _secret("ORO_SECRET")


def oro_client_secret() -> str | None:
    """OROSYNC_ORO_CLIENT_SECRET: the OAuth application's secret of an account with `--orocrm-auth password`."""
    return _secret("ORO_CLIENT_SECRET")


def graph_token() -> str | None:
    """OROSYNC_GRAPH_TOKEN: an access token for Graph, for accounts with `--graph-auth token`."""
    return _secret("GRAPH_TOKEN")


def _secret(name: str) -> str | None:
    reader = _Reader()
    value = reader.value(name, str, "")
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return value or None


# --- secret keys ---------------------------------------------------------------------------------------------------


def secret_keys(config: Config) -> tuple[str, ...]:
    """The Fernet keys that secrets in the database are encrypted with, newest first; never empty.

    Without OROSYNC_SECRET_KEYS they are in the key file (`key_file.py`), which this call creates when it is missing.
    Raises ConfigurationError if it cannot be used.
    """
    return config.secret_keys or keys_in(config.data_dir)


def secret_keys_now(config: Config) -> tuple[str, ...]:
    """As `secret_keys`, read anew: a file may have newer keys than when this process began. Empty if there are none."""
    if not config.secret_keys:
        return keys_in(config.data_dir, make=False)
    return _Reader().value("SECRET_KEYS", values.fernet_keys, config.secret_keys)


def share_metrics(folder: Path) -> None:
    """For this process and those it makes: counters are kept in files of this folder. The library of metrics reads no
    other setting."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


# --- addresses of other systems ------------------------------------------------------------------------------------


def check_url(url: str, what: str, config: Config) -> str:
    """The address without trailing slash, if it may be used: https, or plain http to this machine where allowed.

    what: the field or option that gave it, named in BadInput, which is raised otherwise.
    """
    try:
        return values.checked_url(url, config.allow_insecure_loopback)
    except values.Wrong as error:
        raise BadInput(f"{what}: {error.problem}", field=what, remedy=error.remedy) from error


def check_oro_url(url: str, what: str, config: Config) -> str:
    """As `check_url`, for an OroCRM: its host must be in OROSYNC_ORO_HOSTS as well.

    An empty list allows every host. That is right for the command line, whose user can reach any host anyway; for
    addresses that come from a browser see `check_listed_oro_url`.
    """
    checked = check_url(url, what, config)
    parts = urlsplit(checked)
    if config.oro_hosts and not any(values.is_host(entry, parts) for entry in config.oro_hosts):
        raise BadInput(
            f"{what}: {parts.netloc} is not among the OroCRM hosts that are allowed here.",
            field=what,
            remedy=f"Use {' or '.join(config.oro_hosts)}, or have it added to {PREFIX}ORO_HOSTS.",
        )
    return checked


def check_listed_oro_url(url: str, what: str, config: Config) -> str:
    """As `check_oro_url`, for an address that a person typed in the pane: without a list no host is allowed."""
    if not config.oro_hosts:
        raise BadInput(
            f"{what}: no OroCRM may be connected here yet.",
            field=what,
            remedy=f"Ask the administrator of this installation to name its host in {PREFIX}ORO_HOSTS.",
        )
    return check_oro_url(url, what, config)


# --- reading variables ---------------------------------------------------------------------------------------------


class _Reader:
    """Reads variables one by one and collects what is wrong with them. An empty variable counts as not set."""

    def __init__(self) -> None:
        self._env = FileAwareEnv(prefix=PREFIX, strip_whitespace=True)
        self.problems: list[str] = []
        self.refused: set[str] = set()

    def value(self, name: str, convert: Callable[[str], T], default: T) -> T:
        try:
            text = self._env.str(name, default="").strip()
            return convert(text) if text else default
        except ValueError as error:
            self._refuse(name, str(error))
            return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        try:
            return bool(self._env.bool(name)) if self._env.str(name, default="").strip() else default
        except ValueError:
            self._refuse(name, "this is neither yes nor no. Write yes or no.")
            return False

    def _refuse(self, name: str, problem: str) -> None:
        self.refused.add(name)
        self.problems.append(f"{PREFIX}{name}: {problem}")


def _contradictions(config: Config, refused: set[str]) -> list[str]:
    """What is wrong between variables. One that was refused already counts as given."""

    def given(name: str) -> bool:
        return name in refused or bool(getattr(config, name.lower()))

    problems = []
    if given("CLIENT_SECRET") and given("CLIENT_CERTIFICATE"):
        problems.append(f"{PREFIX}CLIENT_SECRET, {PREFIX}CLIENT_CERTIFICATE: both are set. Leave one of them out.")
    with_client = ("CLIENT_SECRET", "CLIENT_CERTIFICATE", "PANE_CLIENT_ID")
    if any(given(name) for name in with_client) and not given("CLIENT_ID"):
        problems.append(f"{PREFIX}CLIENT_ID: missing. Set it to the application id of the registration in Entra ID.")
    if given("ORO_OAUTH_CLIENT_SECRET") and not given("ORO_OAUTH_CLIENT_ID"):
        problems.append(f"{PREFIX}ORO_OAUTH_CLIENT_ID: missing. Set it to the client id of the application in OroCRM.")
    if given("CLIENT_ID") and not given("TENANT_ID"):
        problems.append(f"{PREFIX}TENANT_ID: missing. Set it to the directory id of your organisation in Entra ID.")
    shared = ["BROKER_URL"] if given("BROKER_URL") else []
    if "DATABASE_URL" not in refused and not config.database_url.startswith("sqlite"):
        shared.append("DATABASE_URL")
    if shared and not given("SECRET_KEYS"):
        # a key file on each machine would be a different key on each machine
        problems.append(
            f"{PREFIX}SECRET_KEYS: missing. With {PREFIX}{shared[0]} several machines share secrets and need the same "
            f"keys. Make one: {MAKE_A_KEY}"
        )
    return problems
