"""The configuration: what the environment says, read once and frozen (design.md section 5).

The only module that reads environment variables. Every variable may also be given as a file: OROSYNC_X_FILE names
one that holds the value of OROSYNC_X. What people choose about syncing is no configuration; see `core/settings.py`.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from cryptography.fernet import Fernet
from environs import FileAwareEnv
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from orosync.errors import BadInput, ConfigurationError

PREFIX = "OROSYNC_"
AUTHORITY = "https://login.microsoftonline.com"
GRAPH_URL = "https://graph.microsoft.com/v1.0"
KEY_FILE = "secret.key"
# hosts of Outlook on the web that may frame the pane (outlook-addin.md 4)
OUTLOOK_HOSTS = (
    "https://outlook.cloud.microsoft",
    "https://outlook.office.com",
    "https://outlook.office365.com",
    "https://outlook.live.com",
)
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MAKE_A_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'

_BROKERS = ("redis", "rediss", "amqp", "amqps")
_SECRET = frozenset({"secret_keys", "client_secret", "oro_oauth_client_secret"})
_WITH_PASSWORD = frozenset({"database_url", "broker_url"})
_HOST = re.compile(r"((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d+)?")

T = TypeVar("T")


class _Wrong(ValueError):
    """A value that cannot be used. Never quotes it where it may hold a secret."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


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
    is no broker. history_days: how long runs and what they did can be looked at.
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
    log_level: str = "info"

    def __repr__(self) -> str:
        return "Config(" + ", ".join(f"{each.name}={self._shown(each.name)}" for each in fields(self)) + ")"

    def _shown(self, name: str) -> str:
        value = getattr(self, name)
        if value and name in _SECRET:
            return "***"
        if value and name in _WITH_PASSWORD:
            return repr(_without_password(value))
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
        return _checked_url(text, insecure)

    data_dir = reader.value("DATA_DIR", _folder, default_data_dir())
    tenant_id = reader.value("TENANT_ID", _tenant, "")
    client_id = reader.value("CLIENT_ID", _guid, "")
    config = Config(
        data_dir=data_dir,
        database_url=reader.value("DATABASE_URL", _database_url, f"sqlite:///{data_dir / 'orosync.sqlite3'}"),
        secret_keys=reader.value("SECRET_KEYS", _fernet_keys, ()),
        public_url=reader.value("PUBLIC_URL", url, ""),
        tenant_id=tenant_id,
        client_id=client_id,
        client_secret=reader.value("CLIENT_SECRET", str, ""),
        client_certificate=reader.value("CLIENT_CERTIFICATE", _readable_file, None),
        pane_client_id=reader.value("PANE_CLIENT_ID", _guid, client_id),
        allowed_tenants=reader.value("ALLOWED_TENANTS", _guids, (tenant_id,) if _is_guid(tenant_id) else ()),
        authority=reader.value("AUTHORITY", url, AUTHORITY),
        graph_url=reader.value("GRAPH_URL", url, GRAPH_URL),
        oro_hosts=reader.value("ORO_HOSTS", _hosts, ()),
        oro_oauth_client_id=reader.value("ORO_OAUTH_CLIENT_ID", str, ""),
        oro_oauth_client_secret=reader.value("ORO_OAUTH_CLIENT_SECRET", str, ""),
        admins=reader.value("ADMINS", _listed, ()),
        broker_url=reader.value("BROKER_URL", _broker_url, ""),
        allow_insecure_loopback=insecure,
        allow_self_signed=reader.flag("ALLOW_SELF_SIGNED"),
        allow_private_addresses=reader.flag("ALLOW_PRIVATE_ADDRESSES"),
        proxies=reader.value("PROXIES", _number(0, 5), 0),
        frame_ancestors=reader.value("FRAME_ANCESTORS", _origins, OUTLOOK_HOSTS),
        runs_at_once=reader.value("RUNS_AT_ONCE", _number(1, 64), 4),
        history_days=reader.value("HISTORY_DAYS", _number(2, 3650), 90),
        log_level=reader.value("LOG_LEVEL", _log_level, "info"),
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
    elif not _is_guid(config.tenant_id):
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

    Without OROSYNC_SECRET_KEYS they are in `secret.key` in the data folder (one a line, readable by its owner only),
    which this call creates when it is missing. Whoever loses that file has to sign in to every account again. Raises
    ConfigurationError if it cannot be written or read, is open to others, or holds no keys.
    """
    if config.secret_keys:
        return config.secret_keys
    path = config.data_dir / KEY_FILE
    try:
        if not path.exists():
            _create_key_file(path)
        open_to_others = sys.platform != "win32" and path.stat().st_mode & 0o077
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(
            [f"{PREFIX}SECRET_KEYS is not set and {path} cannot be used: {reason}. Set it, or {PREFIX}DATA_DIR."]
        ) from error
    if open_to_others:
        raise ConfigurationError([f"{path} is open to other users. Run: chmod 600 {path}"])
    try:
        keys = _fernet_keys(",".join(text.split()))
    except ValueError as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
    if not keys:
        raise ConfigurationError([f"{path} is empty. Restore it, or write a new key into it: {MAKE_A_KEY}"])
    return keys


def _create_key_file(path: Path) -> None:
    # Written aside and then linked: of two processes that start together one wins, and nobody reads half a key.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=KEY_FILE, dir=path.parent)  # mode 0600
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()


# --- addresses of other systems ------------------------------------------------------------------------------------


def check_url(url: str, what: str, config: Config) -> str:
    """The address without trailing slash, if it may be used: https, or plain http to this machine where allowed.

    what: the field or option that gave it, named in BadInput, which is raised otherwise.
    """
    try:
        return _checked_url(url, config.allow_insecure_loopback)
    except _Wrong as error:
        raise BadInput(f"{what}: {error.problem}", field=what, remedy=error.remedy) from error


def check_oro_url(url: str, what: str, config: Config) -> str:
    """As `check_url`, for an OroCRM: its host must be in OROSYNC_ORO_HOSTS as well.

    An empty list allows every host. That is right for the command line, whose user can reach any host anyway; for
    addresses that come from a browser see `check_listed_oro_url`.
    """
    checked = check_url(url, what, config)
    parts = urlsplit(checked)
    if config.oro_hosts and not any(_is_host(entry, parts) for entry in config.oro_hosts):
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


def _is_host(entry: str, parts: SplitResult) -> bool:
    wanted = urlsplit(f"//{entry}")
    host, allowed = parts.hostname or "", wanted.hostname or ""
    if wanted.port and wanted.port != (parts.port or (443 if parts.scheme == "https" else 80)):
        return False
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


def _checked_url(url: str, insecure_loopback: bool) -> str:
    example = "Write it as in https://crm.example.com or https://crm.example.com/admin."
    if not url.isprintable() or re.search(r"[\s\\]", url):
        raise _Wrong("the address has spaces or signs that no address has.", example)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _Wrong("this is not an address.", example) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise _Wrong("this is not a web address.", example)
    if "@" in parts.netloc:
        raise _Wrong("the address holds a user name or password.", example)
    if parts.query or parts.fragment:
        raise _Wrong(f"the address goes on after its path: {host}", "Leave out everything from ? or # on.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise _Wrong(f"http to {host} would send secrets in the open.", "Use https.")
    if parts.scheme == "http" and not insecure_loopback:
        raise _Wrong("http is not allowed.", f"Use https, or for tests {PREFIX}ALLOW_INSECURE_LOOPBACK=yes.")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "***"


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

    def flag(self, name: str) -> bool:
        try:
            return bool(self._env.str(name, default="").strip()) and self._env.bool(name)
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


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise _Wrong(f"{path} is not a folder.", "Name a folder; it is created when missing.")
    return path


def _readable_file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise _Wrong(f"{path} is no file that can be read.", "Name a PEM file with private key and certificate.")
    return path


def _database_url(text: str) -> str:
    remedy = "Write sqlite:////path/to/file or postgresql+psycopg://user:password@host/name."
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _Wrong("this is no database address.", remedy) from error
    backend, _, driver = url.drivername.partition("+")
    if backend == "sqlite" and not driver:
        return text
    if backend in {"postgres", "postgresql"} and driver in {"", "psycopg"}:
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    raise _Wrong(f"{url.drivername} is not supported.", remedy)


def _broker_url(text: str) -> str:
    if urlsplit(text).scheme not in _BROKERS:
        raise _Wrong("this is no broker address.", f"Start it with {'://, '.join(_BROKERS)}://, or leave it unset.")
    return text


def _fernet_keys(text: str) -> tuple[str, ...]:
    keys = _listed(text)
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise _Wrong(f"key {place} of {len(keys)} is no Fernet key.", f"Make one: {MAKE_A_KEY}") from error
    return keys


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in _listed(text))
    for host in hosts:
        _, colon, port = host.rpartition(":")
        if not _HOST.fullmatch(host) or (colon and port.isdigit() and not 0 < int(port) < 65_536):
            raise _Wrong(f"{host} is no host.", "Write crm.example.com, crm.example.com:8443 or *.example.com.")
    return hosts


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or not lowest <= int(text) <= highest:
            raise _Wrong(f"{text} is no number from {lowest} to {highest}.", "Give one.")
        return int(text)

    return read


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(origin.lower() for origin in _listed(text))
    for origin in origins:
        scheme, _, host = origin.partition("://")
        secure = scheme == "https" or (scheme == "http" and host.partition(":")[0] in LOOPBACK)
        if not secure or not _HOST.fullmatch(host):
            raise _Wrong(f"{origin} is no origin.", "Write https://outlook.example.com, without a path.")
    return origins


def _tenant(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text):
        raise _Wrong("this is no tenant.", "Write the directory id, or a domain such as contoso.onmicrosoft.com.")
    return text.lower()  # tokens write ids in small letters


def _guid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise _Wrong("this is no id.", "Copy the application (client) id, 8-4-4-4-12 signs, from Entra ID.") from error


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _guids(text: str) -> tuple[str, ...]:
    ids = tuple(part.lower() for part in _listed(text))
    for each in ids:
        if not _is_guid(each):
            raise _Wrong(f"{each} is no directory id.", "Copy it, 8-4-4-4-12 signs, from Entra ID; no domains.")
    return ids


def _log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise _Wrong(f"{text} is no level.", f"Write one of {', '.join(LOG_LEVELS)}.")
    return text.lower()
