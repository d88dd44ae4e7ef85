"""Access tokens that Entra ID issued for our own API: which are accepted, and whom they speak for.

Signature, issuer, audience, times, tenant, scope and person are checked, in that order of trust: nothing a token says
counts before its signature does (outlook-addin.md 2.3). Keys are fetched from the configured authority alone and kept;
tokens with unknown keys cannot make us ask for them again and again. No token, and nothing out of one, is logged.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import jwt
from jwt.exceptions import PyJWTError

from orosync.config import Config, sign_in_problems
from orosync.errors import ConfigurationError
from orosync.web.principal import Principal
from orosync.web.problems import NotAllowed, NotSignedIn, Problem

SCOPE = "access_as_user"  # the one scope of our registration
LEEWAY_S = 60  # clocks differ

_ALGORITHM = "RS256"
_REQUIRED = ("exp", "nbf", "iat", "iss", "aud")
_LONGEST = 32_768  # signs; a token with 200 groups has about 10,000
_KEYS_KEPT_S = 86_400.0  # Microsoft's advice for its keys: look once a day, and when a token names a new one
_KEYS_AGAIN_S = 30.0
_KEYS_TIMEOUT_S = 5.0
_PAUSE_S = 5.0  # after keys could not be fetched: whoever comes meanwhile is told at once

# What is wrong, by the kind of PyJWT's error; the first that fits. Its own messages may quote the token.
_WRONG: tuple[tuple[type[PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "The access token has expired."),
    (jwt.ImmatureSignatureError, "The access token is not valid yet."),
    (jwt.InvalidAudienceError, "The access token was made for another application."),
    (jwt.InvalidSignatureError, "The access token is not signed by Entra ID."),
    (jwt.MissingRequiredClaimError, "The access token lacks something every token of Entra ID has."),
)
_VERSION_2 = (
    "Sign in again. If it stays: in the app registration set requestedAccessTokenVersion to 2 (administrator guide)."
)


def api_scope(config: Config) -> str:
    """What to ask Entra ID for, to get a token that is accepted here.

    Written with the bare application id, not as api://...: an application that asks for a token for itself gets one in
    this form alone (AADSTS90009), and pane and API may share a registration.
    """
    return f"{config.client_id}/{SCOPE}"


def sign_in_tenant(config: Config) -> str:
    """Where people sign in: at our own directory, or, where those of several may, at whichever is theirs."""
    tenants = config.allowed_tenants or (config.tenant_id,)
    return tenants[0] if len(tenants) == 1 else "organizations"


class EntraTokens:
    """The `Authenticator` of every installation but a demonstration.

    ssl_context: for an authority with a certificate of one's own. new_keys_after_s: how soon keys are looked up again
    because a token names one that is unknown. Raises ConfigurationError if the configuration is not enough.
    """

    def __init__(
        self, config: Config, *, ssl_context: ssl.SSLContext | None = None, new_keys_after_s: float = _KEYS_AGAIN_S
    ) -> None:
        problems = sign_in_problems(config)
        if problems:
            raise ConfigurationError(problems)
        self._config = config
        self._tenants = frozenset(config.allowed_tenants or (config.tenant_id,))
        self._admins = frozenset(config.admins)
        self._admin_ids = frozenset(entry.lower() for entry in config.admins)
        address = f"{config.authority}/{config.tenant_id}/discovery/v2.0/keys"
        self._keys = _Keys(address, ssl_context, new_keys_after_s)

    def authenticate(self, token: str) -> Principal:
        """Raises NotSignedIn for a token that proves nothing, NotAllowed for one that is valid but not for here, and a
        503 when the keys cannot be had."""
        claims = self._verified(token)
        tenant = _id(claims, "tid")
        # The issuer names the tenant: a token can't claim to be of another one than signed it (v2.0 endpoint).
        if claims["iss"] != f"{self._config.authority}/{tenant}/v2.0":
            raise NotSignedIn("The access token comes from another issuer.", remedy=_VERSION_2)
        if tenant not in self._tenants:
            raise NotAllowed(
                "People of your organisation may not sign in here.",
                remedy="Ask the administrator of this installation to add your tenant to OROSYNC_ALLOWED_TENANTS.",
            )
        if SCOPE not in str(claims.get("scp", "")).split() or claims.get("idtyp") == "app":
            raise NotAllowed(
                f"The access token lacks the permission {SCOPE} of a person.",
                remedy=f"Ask for a token with the scope {api_scope(self._config)}.",
                headers={"WWW-Authenticate": f'Bearer realm="orosync", error="insufficient_scope", scope="{SCOPE}"'},
            )
        return self._principal(tenant, claims, token)

    def _verified(self, token: str) -> Mapping[str, Any]:
        """What the token says, once signature, times and audience are proved."""
        if len(token) > _LONGEST:
            raise NotSignedIn("This is no access token.")
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") != _ALGORITHM or not isinstance(kid, str):
                raise NotSignedIn("The access token is not signed as Entra ID signs.")
            key = self._keys.get(kid)
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._config.client_id,
                leeway=LEEWAY_S,
                options={"require": list(_REQUIRED), "strict_aud": True},
            )
        except (PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise _refused(error) from None

    def _principal(self, tenant: str, claims: Mapping[str, Any], token: str) -> Principal:
        object_id = _id(claims, "oid")
        home = tenant == self._config.tenant_id
        return Principal(
            tenant=tenant,
            object_id=object_id,
            name=_words(claims, "name"),
            address=_words(claims, "preferred_username"),
            is_admin=self._is_admin(tenant, object_id, claims),
            is_home=home,
            assertion=token,
        )

    def _is_admin(self, tenant: str, object_id: str, claims: Mapping[str, Any]) -> bool:
        """Roles and groups count in our own tenant alone: a partner's administrator gives them out as he likes."""
        if f"{tenant}:{object_id}" in self._admin_ids:
            return True
        if tenant != self._config.tenant_id:
            return False
        groups = {group.lower() for group in _listed(claims, "groups")}
        return bool(object_id in self._admin_ids or self._admin_ids & groups or self._admins & _listed(claims, "roles"))


class _Keys:
    """The authority's signing keys. PyJWT's client fetches and keeps them; this decides when it may."""

    def __init__(self, address: str, ssl_context: ssl.SSLContext | None, again_s: float) -> None:
        self._client = _Client(
            address,
            lifespan=_KEYS_KEPT_S,
            timeout=_KEYS_TIMEOUT_S,
            ssl_context=ssl_context,
            cooldown_duration=again_s,
        )

    def get(self, kid: str) -> jwt.PyJWK:
        """Raises NotSignedIn for an unknown key, a 503 when the keys cannot be fetched."""
        try:
            key = self._client.known(kid) or self._client.get_signing_key(kid)
        except _NoKeys:
            raise Problem(
                "The sign-in service of Microsoft 365 cannot be asked for its keys, so nobody can be signed in.",
                remedy="Try again in a moment. If it stays: check this server's network and OROSYNC_AUTHORITY.",
                status=503,
                code="try_later",
                headers={"Retry-After": str(round(_PAUSE_S))},
            ) from None
        except PyJWTError:
            raise NotSignedIn("The access token is signed with a key that Entra ID does not have.") from None
        return key


class _NoKeys(Exception):
    """They could not be fetched, now or a moment ago."""


class _Client(jwt.PyJWKClient):
    """Asks an authority that does not answer once, not once for every request that waits.

    PyJWT's client holds its lock while it asks. Keys that are known are therefore looked up without it: requests with
    made-up keys must not hold up the others.
    """

    def __init__(self, address: str, **options: Any) -> None:
        super().__init__(address, **options)
        self._pause = threading.Lock()
        self._not_before = 0.0

    def known(self, kid: str) -> jwt.PyJWK | None:
        if self.jwk_set_cache is None or self.jwk_set_cache.get() is None:
            return None
        return self.match_kid(self.get_signing_keys(), kid)

    def fetch_data(self) -> Any:
        with self._pause:
            if time.monotonic() < self._not_before:
                raise _NoKeys
        try:
            found = super().fetch_data()
        except (PyJWTError, ValueError, OSError):  # no answer; no JSON; no keys in it; the connection broke half-way
            with self._pause:
                self._not_before = time.monotonic() + _PAUSE_S
            raise _NoKeys from None
        return found


def _refused(error: Exception) -> NotSignedIn:
    message = next((text for kind, text in _WRONG if isinstance(error, kind)), "This is no access token.")
    if isinstance(error, jwt.InvalidAudienceError):
        return NotSignedIn(message, remedy=_VERSION_2)
    return NotSignedIn(message)


def _id(claims: Mapping[str, Any], name: str) -> str:
    try:
        return str(UUID(claims[name]))
    except (KeyError, ValueError, AttributeError, TypeError):
        raise NotSignedIn(f"The access token does not say who asks ({name}).") from None


def _words(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value[:256] if isinstance(value, str) else ""


def _listed(claims: Mapping[str, Any], name: str) -> set[str]:
    value = claims.get(name)
    return {entry for entry in value if isinstance(entry, str)} if isinstance(value, list) else set()
