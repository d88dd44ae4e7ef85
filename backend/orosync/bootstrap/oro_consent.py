"""Signing in on OroCRM's own page: authorisation code with PKCE, by the OAuth application of the configuration.

Where a person's browser is sent, and how the code it comes back with becomes a connection. What waits in between, and
whose it is, is the web application's to remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orosync.bootstrap.oro_access import client_for_person
from orosync.bootstrap.sign_in import Connection, tokens_json, tokens_of
from orosync.config import Config
from orosync.errors import ConfigurationError, OrosyncError
from orosync.oro import capabilities
from orosync.oro.auth import Grant, OAuth, Tokens, authorization_url, redeem_code
from orosync.sync.ports import Clock

CALLBACK = "/auth/oro/callback"


@dataclass(frozen=True, slots=True)
class ConsentedOro:
    """user: the name of who signed in, "" where the role hides it. connection: to be saved with the account."""

    user: str
    connection: Connection


def connection_json(connection: Connection) -> dict[str, Any]:
    """Of a `ConsentedOro`, as plain JSON. Secret: to be stored encrypted. Raises ValueError for one without tokens."""
    if connection.oro_tokens is None:
        raise ValueError("only a connection got on OroCRM's own page has tokens")
    return {"client": connection.oro_client, "tokens": tokens_json(connection.oro_tokens)}


def connection_of(data: Mapping[str, Any]) -> Connection:
    """The way back from `connection_json`."""
    return Connection(oro_client=data["client"], oro_tokens=tokens_of(data["tokens"]))


def callback_url(config: Config) -> str:
    """To be registered with the OAuth application in OroCRM, letter for letter. Never made of a request: whoever can
    send us a host's name would get the code. Raises ConfigurationError without OROSYNC_PUBLIC_URL."""
    if not config.public_url:
        raise ConfigurationError(["OROSYNC_PUBLIC_URL: missing. OroCRM sends the sign-in window back to this address."])
    return config.public_url + CALLBACK


def consent_page(config: Config, orocrm_url: str, state: str, verifier: str) -> str:
    """The address in OroCRM that the person's browser is sent to."""
    return authorization_url(orocrm_url, config.oro_oauth_client_id, callback_url(config), state, verifier)


def exchange_code(
    config: Config,
    orocrm_url: str,
    certificate: str | None,
    code: str,
    verifier: str,
    *,
    clock: Clock,
    adapters: Mapping[str, Any] | None = None,
) -> ConsentedOro:
    """Tokens for the code the browser came back with. Nothing is stored.

    Raises BadInput for a host that is not listed, SignInNeeded if OroCRM refuses, Unreachable, Throttled, SideFailing.
    """
    grant = Grant("refresh_token", config.oro_oauth_client_id, config.oro_oauth_client_secret)
    stranger = client_for_person(config, orocrm_url, certificate, OAuth(grant, now=clock.now), adapters)
    tokens = redeem_code(
        grant,
        code,
        redirect_uri=callback_url(config),
        verifier=verifier,
        post=stranger.post_token_form,
        now=clock.now(),
    )
    got: list[Tokens] = [tokens]
    signed = OAuth(grant, now=clock.now, tokens=tokens, save=got.append)
    try:
        user = capabilities.user_name(client_for_person(config, orocrm_url, certificate, signed, adapters))
    except (
        OrosyncError
    ):  # the tokens are worth more than the name; what is wrong is found by the check of the connection
        user = ""
    return ConsentedOro(user, Connection(oro_client=grant.client_id, oro_tokens=got[-1]))
