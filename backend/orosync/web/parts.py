"""What a request may use: the parts that were put together for this application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask import current_app

from orosync.bootstrap import Database
from orosync.bootstrap.readiness import Readiness
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.sync.ports import AccountQueue, Clock
from orosync.web.principal import Principal

_NAME = "orosync"


class Authenticator(Protocol):
    """Bearer token -> who asks. Raises web.problems.NotSignedIn."""

    def authenticate(self, token: str) -> Principal: ...


class MailboxAccess(Protocol):
    """How a new account gets at its mailbox: secrets and facts that the connection is saved with."""

    graph_auth: str  # as accounts have it: "user", or "token" in the demonstration

    def grant(self, principal: Principal) -> str:
        """The secret to store: msal's cache as text for "user", an access token for "token". Raises NotSignedIn with a
        claims challenge when the user has to sign in again or consent first."""
        ...


@dataclass(frozen=True)
class Parts:
    """adapters: URL prefix -> `requests` adapter, for systems inside this process (tests). known_readiness: None where
    nothing but this process matters. metrics: what /metrics tells; None if there is no such page. Raises TryLater."""

    config: Config
    database: Database
    clock: Clock
    queue: AccountQueue
    authenticator: Authenticator
    mailbox_access: MailboxAccess
    adapters: Mapping[str, Any] | None = None
    demo: bool = False
    known_readiness: Readiness | None = None
    metrics: Callable[[], bytes] | None = None

    @property
    def readiness(self) -> Readiness:
        return self.known_readiness or Readiness(self.database)

    def account_of(self, principal: Principal) -> Account | None:
        return self.database.accounts.owned_by(principal.owner)


def attach(app: Any, parts: Parts) -> None:
    app.extensions[_NAME] = parts


def parts() -> Parts:
    """Of the application that answers the current request."""
    return attached(current_app)


def attached(app: Any) -> Parts:
    """Of this application."""
    found: Parts = app.extensions[_NAME]
    return found
