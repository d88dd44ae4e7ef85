"""How an account signs in on each side, with secrets out of the vault; tokens that are renewed go back into it.

Nothing is sent here: sign-ins ask for tokens when their side is first called.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from orosync.config import Config
from orosync.core.ledger import Account
from orosync.errors import ConfigurationError, SignInNeeded
from orosync.oro.auth import Grant, OAuth, SignIn, Tokens, Wsse
from orosync.outlook.auth import ClientCredentials, Delegated, StaticToken, TokenSource
from orosync.store.database import Database
from orosync.store.vault import Secrets
from orosync.sync.ports import Clock

ORO_AUTHS = ("wsse", "client-credentials", "password")
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


def oro_sign_in(account: Account, secrets: Secrets, clock: Clock) -> SignIn:
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


def graph_tokens(
    config: Config, account: Account, secrets: Secrets, adapters: Mapping[str, Any] | None = None
) -> TokenSource:
    """adapters: as in `build_sides`, for a sign-in service inside this process."""
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
            http_client=_http_client(adapters),
        )
    delegated = Delegated(
        client_id=config.client_id,
        authority=authority,
        scopes=tuple(f"{_origin(config.graph_url)}/{scope}" for scope in GRAPH_SCOPES),
        load=lambda: secrets.get(_GRAPH_CACHE),
        save=lambda cache: secrets.set(_GRAPH_CACHE, cache),
        credential=_credential(config, account) if config.client_secret or config.client_certificate else None,
        http_client=_http_client(adapters),
    )
    return _RedeemFirst(delegated, secrets)


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
