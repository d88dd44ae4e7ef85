"""How the text of a variable becomes a value, or is refused with a remedy. Reads no environment; see `config.py`.

Each function takes the text of one variable and raises `Wrong` for what cannot be used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "OROSYNC_"
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MAKE_A_KEY = "orosync keys new"

_BROKERS = ("redis", "rediss", "amqp", "amqps")
_HOST = re.compile(r"((\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d+)?")


class Wrong(ValueError):
    """A value that cannot be used. Never quotes it where it may hold a secret."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


def is_host(entry: str, parts: SplitResult) -> bool:
    wanted = urlsplit(f"//{entry}")
    host, allowed = parts.hostname or "", wanted.hostname or ""
    if wanted.port and wanted.port != (parts.port or (443 if parts.scheme == "https" else 80)):
        return False
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


def checked_url(url: str, insecure_loopback: bool) -> str:
    example = "Write it as in https://crm.example.com or https://crm.example.com/admin."
    if not url.isprintable() or re.search(r"[\s\\]", url):
        raise Wrong("the address has spaces or signs that no address has.", example)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Wrong("this is not an address.", example) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise Wrong("this is not a web address.", example)
    if "@" in parts.netloc:
        raise Wrong("the address holds a user name or password.", example)
    if parts.query or parts.fragment:
        raise Wrong(f"the address goes on after its path: {host}", "Leave out everything from ? or # on.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Wrong(f"http to {host} would send secrets in the open.", "Use https.")
    if parts.scheme == "http" and not insecure_loopback:
        raise Wrong("http is not allowed.", f"Use https, or for tests {PREFIX}ALLOW_INSECURE_LOOPBACK=yes.")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "***"


def folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise Wrong(f"{path} is not a folder.", "Name a folder; it is created when missing.")
    return path


def readable_file(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise Wrong(f"{path} is no file that can be read.", "Name a PEM file with private key and certificate.")
    return path


def database_url(text: str) -> str:
    remedy = "Write sqlite:////path/to/file or postgresql+psycopg://user:password@host/name."
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise Wrong("this is no database address.", remedy) from error
    backend, _, driver = url.drivername.partition("+")
    if backend == "sqlite" and not driver:
        return text
    if backend in {"postgres", "postgresql"} and driver in {"", "psycopg"}:
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    raise Wrong(f"{url.drivername} is not supported.", remedy)


def broker_url(text: str) -> str:
    if urlsplit(text).scheme not in _BROKERS:
        raise Wrong("this is no broker address.", f"Start it with {'://, '.join(_BROKERS)}://, or leave it unset.")
    return text


def fernet_keys(text: str) -> tuple[str, ...]:
    keys = listed(text)
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as error:
            raise Wrong(f"key {place} of {len(keys)} is no Fernet key.", f"Make one: {MAKE_A_KEY}") from error
    return keys


def listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def hosts(text: str) -> tuple[str, ...]:
    found = tuple(host.lower() for host in listed(text))
    for host in found:
        _, colon, port = host.rpartition(":")
        if not _HOST.fullmatch(host) or (colon and port.isdigit() and not 0 < int(port) < 65_536):
            raise Wrong(f"{host} is no host.", "Write crm.example.com, crm.example.com:8443 or *.example.com.")
    return found


def number_from(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or not lowest <= int(text) <= highest:
            raise Wrong(f"{text} is no number from {lowest} to {highest}.", "Give one.")
        return int(text)

    return read


def origins(text: str) -> tuple[str, ...]:
    found = tuple(origin.lower() for origin in listed(text))
    for origin in found:
        scheme, _, host = origin.partition("://")
        secure = scheme == "https" or (scheme == "http" and host.partition(":")[0] in LOOPBACK)
        if not secure or not _HOST.fullmatch(host):
            raise Wrong(f"{origin} is no origin.", "Write https://outlook.example.com, without a path.")
    return found


def tenant(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", text):
        raise Wrong("this is no tenant.", "Write the directory id, or a domain such as contoso.onmicrosoft.com.")
    return text.lower()  # tokens write ids in small letters


def guid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise Wrong("this is no id.", "Copy the application (client) id, 8-4-4-4-12 signs, from Entra ID.") from error


def is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def guids(text: str) -> tuple[str, ...]:
    ids = tuple(part.lower() for part in listed(text))
    for each in ids:
        if not is_guid(each):
            raise Wrong(f"{each} is no directory id.", "Copy it, 8-4-4-4-12 signs, from Entra ID; no domains.")
    return ids


def log_level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise Wrong(f"{text} is no level.", f"Write one of {', '.join(LOG_LEVELS)}.")
    return text.lower()
