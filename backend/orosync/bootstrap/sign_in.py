"""How an account signs in on each side, with secrets out of the vault; tokens that are renewed go back into it.

Nothing is sent here: sign-ins ask for tokens when their side is first called.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from weakref import WeakValueDictionary

import requests

from orosync.config import Config
from orosync.core.ledger import Account
from orosync.errors import ConfigurationError, SignInNeeded
from orosync.oro.auth import Grant, OAuth, SignIn, Tokens, Wsse
from orosync.outlook.auth import (
    USER_MUST_ACT,
    ClientCredentials,
    Delegated,
    StaticToken,
    TokenSource,
    app_factory,
    asked,
    refusal,
)
from orosync.store.database import Database
from orosync.store.vault import Secrets
from orosync.sync.ports import Clock

ORO_AUTHS = ("wsse", "client-credentials", "password", "authorization-code")
TYPED_ORO_AUTHS = ORO_AUTHS[:3]  # whose secrets a person can type; the other one needs a browser
GRAPH_AUTHS = ("token", "app", "user")
GRAPH_SCOPES = (
    "Contacts.ReadWrite",
    "Tasks.ReadWrite",
    "Calendars.ReadWrite",
    "MailboxSettings.Read",
    "User.Read",
)

# names of secrets in the vault
_ORO_SECRET, _ORO_CLIENT, _ORO_CLIENT_SECRET, _ORO_TOKENS = "oro", "oro_client", "oro_client_secret", "oro_tokens"
_GRAPH_TOKEN, _GRAPH_REFRESH, _GRAPH_CACHE = "graph_token", "graph_refresh", "graph_cache"


@dataclass(frozen=True, slots=True)
class Connection:
    """The secrets of an account as its user typed them; whatever is empty is left as it is stored.

    graph: an access token for `token`, a refresh token for `user`, nothing for `app`. oro: API key, client secret or
    password. oro_client, oro_client_secret: the OAuth application of the password grant. oro_tokens: of a person who
    signed in on OroCRM's own page, got by the application oro_client.
    """

    oro: str = ""
    oro_client: str = ""
    oro_client_secret: str = ""
    graph: str = ""
    oro_tokens: Tokens | None = None

    def __repr__(self) -> str:
        return "Connection(***)"


class SecretsPlace(Protocol):
    """Secrets by name: those of an account in the vault, or of one that is not stored yet."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, text: str) -> None: ...

    def forget(self, name: str) -> None: ...


def save_connection(database: Database, account: Account, connection: Connection) -> None:
    """Secrets into the vault. Tokens got with the former ones are forgotten."""
    put_secrets(database.secrets(account.id), account, connection)


def put_secrets(secrets: SecretsPlace, account: Account, connection: Connection) -> None:
    """As `save_connection`, into any place for secrets."""
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
    if connection.oro_tokens is not None:
        secrets.forget(_ORO_SECRET)
        secrets.forget(_ORO_CLIENT_SECRET)
        _saver(secrets)(connection.oro_tokens)


def save_mailbox_access(database: Database, account: Account, secret: str) -> None:
    """What signing in from the pane brought: msal's cache of tokens for `user`, an access token for `token`.

    Whatever gave access to the mailbox before is forgotten.
    """
    secrets = database.secrets(account.id)
    kept = _GRAPH_CACHE if account.graph_auth == "user" else _GRAPH_TOKEN
    secrets.set(kept, secret)
    for other in {_GRAPH_CACHE, _GRAPH_TOKEN, _GRAPH_REFRESH} - {kept}:
        secrets.forget(other)


def oro_sign_in(config: Config, account: Account, secrets: SecretsPlace, clock: Clock) -> SignIn:
    if account.oro_auth == "authorization-code":
        return _consented(config, account, secrets, clock)
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
    return OAuth(grant, now=clock.now, tokens=stored_tokens(secrets), save=_saver(secrets))


def _consented(config: Config, account: Account, secrets: SecretsPlace, clock: Clock) -> SignIn:
    """A refresh token works for the application alone that it was given to, whose secret is in the configuration."""
    tokens, client = stored_tokens(secrets), secrets.get(_ORO_CLIENT)
    if tokens is None or not client:
        raise SignInNeeded(f"Nobody has signed in to OroCRM for account {account.name}.", remedy="Connect it again.")
    if client != config.oro_oauth_client_id:
        raise SignInNeeded(
            f"Account {account.name} signed in to OroCRM through another OAuth application than is configured now.",
            remedy="Connect OroCRM again, or set OROSYNC_ORO_OAUTH_CLIENT_ID to what it was.",
        )
    grant = Grant("refresh_token", client, config.oro_oauth_client_secret)
    return OAuth(grant, now=clock.now, tokens=tokens, save=_saver(secrets), load=lambda: stored_tokens(secrets))


def stored_tokens(secrets: SecretsPlace) -> Tokens | None:
    text = secrets.get(_ORO_TOKENS)
    return None if text is None else tokens_of(json.loads(text))


def tokens_of(data: Mapping[str, Any]) -> Tokens:
    return Tokens(data["access_token"], datetime.fromisoformat(data["expires_at"]), data["refresh_token"])


def tokens_json(tokens: Tokens) -> dict[str, Any]:
    """Secret, as they are themselves."""
    expires_at = tokens.expires_at.isoformat()
    return {"access_token": tokens.access_token, "expires_at": expires_at, "refresh_token": tokens.refresh_token}


def _saver(secrets: SecretsPlace) -> Callable[[Tokens], None]:
    """OroCRM's former refresh token is void the moment a new one is given out, so it is stored before it is used."""
    return lambda tokens: secrets.set(_ORO_TOKENS, json.dumps(tokens_json(tokens)))


def graph_tokens(
    config: Config, account: Account, secrets: Secrets, adapters: Mapping[str, Any] | None = None
) -> TokenSource:
    """adapters: as in `build_sides`, for a sign-in service inside this process."""
    if account.graph_auth == "token":
        return StaticToken(secrets.get(_GRAPH_TOKEN) or _nobody_signed_in(account))
    _must_be_registered(config)
    if account.graph_auth == "app":
        return ClientCredentials(
            client_id=config.client_id,
            credential=_credential(config),
            authority=_authority(config, config.tenant_id),
            scope=f"{_origin(config.graph_url)}/.default",
            http_client=_http_client(adapters),
        )
    delegated = Delegated(
        client_id=config.client_id,
        authority=_authority(config, _tenant_of(account, config)),
        scopes=graph_scopes(config),
        load=lambda: secrets.get(_GRAPH_CACHE),
        save=lambda cache: secrets.set(_GRAPH_CACHE, cache),
        lock=_locks.of(account.id),
        credential=_credential(config) if config.client_secret or config.client_certificate else None,
        http_client=_http_client(adapters),
    )
    return _RedeemFirst(delegated, secrets)


def graph_scopes(config: Config) -> tuple[str, ...]:
    """What the program asks of a mailbox, as Entra ID wants it written: with the host of the cloud's own Graph."""
    return tuple(f"{_origin(config.graph_url)}/{scope}" for scope in GRAPH_SCOPES)


def ask_entra(
    config: Config,
    tenant: str,
    ask: Callable[[Any], Any],
    *,
    cache: Any = None,
    adapters: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """What Entra ID answers our own application (`msal.ConfidentialClientApplication`, given to `ask`) about a person:
    what was asked for, or an error that the person can do something about.

    tenant: directory id, or "organizations" for whichever the person belongs to. cache: `msal.SerializableTokenCache`.
    Raises Unreachable, AccountBlocked (the registration is wrong), ConfigurationError.
    """
    _must_be_registered(config)
    new = app_factory(config.client_id, _credential(config), _authority(config, tenant), _http_client(adapters))
    answer = asked(lambda: ask(new(cache)))
    if "error" in answer and answer["error"] not in USER_MUST_ACT:
        raise refusal(answer, by_user=False)
    return answer


def _authority(config: Config, tenant: str) -> str:
    return f"{config.authority}/{tenant}"


def _tenant_of(account: Account, config: Config) -> str:
    """People of a partner's tenant renew their tokens there."""
    return account.owner.partition(":")[0] if account.owner else config.tenant_id


class _Locks:
    """One lock per account, shared by the threads of this process: whoever loads an account's tokens to renew them
    saves the new ones before the next one loads them."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._guard = threading.Lock()

    def of(self, account_id: int) -> Callable[[], AbstractContextManager[Any]]:
        with self._guard:
            lock = self._locks.setdefault(account_id, threading.RLock())
        return lambda: lock  # which also keeps it alive


_locks = _Locks()


def _http_client(adapters: Mapping[str, Any] | None) -> requests.Session | None:
    """None: msal makes its own, with the network's."""
    if not adapters:
        return None
    session = requests.Session()
    for prefix, adapter in adapters.items():
        session.mount(prefix, adapter)
    return session


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


def _credential(config: Config) -> str | Mapping[str, Any]:
    if config.client_secret:
        return config.client_secret
    if config.client_certificate is None:
        raise ConfigurationError(
            ["OROSYNC_CLIENT_SECRET or OROSYNC_CLIENT_CERTIFICATE: missing. The application signs in with one of them."]
        )
    pem = config.client_certificate.read_text("ascii")
    # msal takes the key out of the one and the certificate, with its SHA-256, out of the other
    return {"private_key": pem, "public_certificate": pem}


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
