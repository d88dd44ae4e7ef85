"""Signing in with OAuth 2.0: applications, the token endpoint, bearer tokens.

The page where a person consents is in `consent`. Source: oauth2-*, section 1 of the API reference.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from orosync.sandbox.oro.records import OAuthClient, OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import JSON, Answer, Asked

ACCESS = timedelta(seconds=3600)
CODE = timedelta(seconds=600)
REFRESH = timedelta(seconds=18_144_000)
GRANTS = ("client_credentials", "password", "authorization_code", "refresh_token")
INVALID_REQUEST = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more "
    "than once, or is otherwise malformed."
)
_INVALID_GRANT = (
    "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is "
    "invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued "
    "to another client."
)
_UNSUPPORTED = "The authorization grant type is not supported by the authorization server."


class OAuthRefused(Exception):
    """The token endpoint or the consent page refuses."""

    def __init__(self, status: int, error: str, description: str, hint: str | None = None) -> None:
        super().__init__(error)
        self.status, self.error, self.description, self.hint = status, error, description, hint

    def answer(self) -> Answer:
        """The JSON body of the refusal."""
        hint = {"hint": self.hint} if self.hint else {}
        body = {"error": self.error, "error_description": self.description, **hint, "message": self.description}
        return Answer(self.status, body, content_type=JSON)


def client_refused() -> OAuthRefused:
    """Wrong secret, unknown client, grant not allowed: all the same."""
    return OAuthRefused(401, "invalid_client", "Client authentication failed")


@dataclass
class _Issued:
    client: str
    user: int
    until: datetime
    alive: bool = True


@dataclass
class _Refresh(_Issued):
    access: str = ""


@dataclass
class Code(_Issued):
    """An authorization code that waits to be turned into a token."""

    redirect_uri: str = ""
    challenge: str | None = None
    method: str = "plain"


class OAuthServer:
    """All applications and tokens of the instance."""

    def __init__(self, state: OroState) -> None:
        self._state = state
        self.clients: dict[str, OAuthClient] = {}
        self._access: dict[str, _Issued] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._codes: dict[str, Code] = {}

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def add_client(
        self,
        grants: Iterable[str],
        owner: OroUser,
        *,
        client_id: str | None = None,
        redirect_uris: Iterable[str] = (),
        public: bool = False,
    ) -> OAuthClient:
        """Makes an application. ValueError: unknown grant."""
        wanted = frozenset(grants)
        unknown = wanted - set(GRANTS)
        if unknown:
            raise ValueError(f"grant {min(unknown)!r} is not known: one of {', '.join(GRANTS)}")
        if wanted & {"password", "authorization_code"}:
            wanted |= {"refresh_token"}
        identifier = client_id or self._state.hex(32)
        secret = None if public else self._state.hex(64)
        client = OAuthClient(identifier, secret, wanted, owner.id, tuple(redirect_uris))
        self.clients[identifier] = client
        return client

    def user(self, token: str) -> OroUser | None:
        """Who this access token acts for, or nobody."""
        issued = self._access.get(token)
        if issued is None or not issued.alive or issued.until <= self._state.clock().astimezone(UTC):
            return None
        client = self.clients.get(issued.client)
        user = self._state.users.get(issued.user)
        return user if client and client.active and user and user.enabled else None

    # the token endpoint

    def token(self, asked: Asked) -> Answer:
        """Answers `POST /oauth2-token`."""
        try:
            return self._granted(asked)
        except OAuthRefused as refused:
            return refused.answer()

    def _granted(self, asked: Asked) -> Answer:
        form = _form(asked)
        grant = form.get("grant_type")
        if not (self._state.settings.web_api_enabled and self._state.settings.oauth):
            raise client_refused()
        if grant not in GRANTS:
            hint = "Check that all required parameters have been provided"
            raise OAuthRefused(400, "unsupported_grant_type", _UNSUPPORTED, hint)
        client = self._client(asked, form, grant)
        if grant == "client_credentials":
            return self._issue(client, client.owner, refreshable=False)
        if grant == "password":
            return self._issue(client, self._by_password(form).id)
        if grant == "refresh_token":
            return self._issue(client, self._by_refresh(client, form).user)
        return self._issue(client, self._by_code(client, form).user)

    def _client(self, asked: Asked, form: Mapping[str, str], grant: str) -> OAuthClient:
        identifier, secret = form.get("client_id"), form.get("client_secret")
        kind, _, basic = asked.header("Authorization").partition(" ")
        if kind.lower() == "basic":
            try:
                identifier, _, secret = base64.b64decode(basic).decode().partition(":")
            except (ValueError, binascii.Error):
                raise client_refused() from None
        client = self.clients.get(identifier or "")
        if client is None or not client.active or grant not in client.grants:
            raise client_refused()
        if client.secret is not None and client.secret != secret:
            raise client_refused()
        return client

    def _by_password(self, form: Mapping[str, str]) -> OroUser:
        user = self._state.user_named(form.get("username", ""))
        if user is None or not user.password or user.password != form.get("password"):
            raise OAuthRefused(400, "invalid_grant", "The user credentials were incorrect.")
        if not user.enabled:
            raise OAuthRefused(400, "invalid_grant", _INVALID_GRANT, "Account is disabled.")
        return user

    def _by_refresh(self, client: OAuthClient, form: Mapping[str, str]) -> _Refresh:
        text = "The refresh token is invalid."
        issued = self._refresh.get(form.get("refresh_token", ""))
        if issued is None or issued.client != client.id:
            raise OAuthRefused(401, "invalid_request", text, "Cannot decrypt the refresh token")
        if not issued.alive:
            raise OAuthRefused(401, "invalid_request", text, "Token has been revoked")
        if issued.until <= self._state.clock().astimezone(UTC):
            raise OAuthRefused(401, "invalid_request", text, "Token has expired")
        # the token is rotated, and the access token that came with it dies now
        issued.alive = False
        self._access[issued.access].alive = False
        return issued

    def _by_code(self, client: OAuthClient, form: Mapping[str, str]) -> Code:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.client != client.id:
            raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, "Cannot decrypt the authorization code")
        if not code.alive:
            raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, "Authorization code has been revoked")
        if code.until <= self._state.clock().astimezone(UTC):
            raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, "Authorization code has expired")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, "Invalid redirect URI")
        if code.challenge is not None and not _proves(code, form.get("code_verifier", "")):
            raise OAuthRefused(400, "invalid_grant", _INVALID_GRANT, "Failed to verify `code_verifier`.")
        code.alive = False
        return code

    def new_code(
        self, client: OAuthClient, user: OroUser, redirect_uri: str, challenge: str | None, method: str
    ) -> str:
        """A code for a person who consented."""
        text = self._state.hex(80)
        until = self._state.clock().astimezone(UTC) + CODE
        code = Code(client.id, user.id, until, redirect_uri=redirect_uri, challenge=challenge, method=method)
        self._codes[text] = code
        return text

    def _issue(self, client: OAuthClient, user: int, *, refreshable: bool = True) -> Answer:
        now = self._state.clock().astimezone(UTC)
        claims = {
            "aud": client.id,
            "jti": self._state.hex(96),
            "iat": now.timestamp(),
            "nbf": now.timestamp(),
            "exp": (now + ACCESS).timestamp(),
            "sub": str(user) if refreshable else "",
            "scopes": [],
        }
        access = jwt.encode(claims, self._key, algorithm="RS256")
        self._access[access] = _Issued(client.id, user, now + ACCESS)
        body: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": int(ACCESS.total_seconds()),
            "access_token": access,
        }
        if refreshable:
            body["refresh_token"] = self._state.hex(730)
            self._refresh[body["refresh_token"]] = _Refresh(client.id, user, now + REFRESH, access=access)
        return Answer(200, body, content_type="application/json; charset=UTF-8")


def _proves(code: Code, verifier: str) -> bool:
    if code.method == "plain":
        return verifier == code.challenge
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode() == code.challenge


def _form(asked: Asked) -> dict[str, str]:
    if asked.header("Content-Type").partition(";")[0].strip() == JSON:
        try:
            body = json.loads(asked.body or b"{}")
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    return dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))
