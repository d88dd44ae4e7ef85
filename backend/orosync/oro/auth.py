"""The two ways to sign in to OroCRM: WSSE with the user's API key (to 6.0), and OAuth 2.0 (every version).

A person who signs in on OroCRM's own page brings a code (authorization_code with PKCE), and the tokens got for it are
renewed by refresh tokens that work once. A sign-in lends its headers to one request at a time (`use`), so that a token
is never renewed while another request still travels with it: OroCRM kills the former access token at that moment
(orocrm-api.md 1). How a token request is sent is left to the client.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from orosync.errors import OrosyncError, SideFailing, SignInNeeded

Post = Callable[[Mapping[str, str]], tuple[int, Any]]
"""Sends a form to the token endpoint and returns status and JSON (None if the answer was none)."""

TOKEN_PATH = "/oauth2-token"  # noqa: S105 - a path
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")  # what a header takes
_WORD = re.compile(r"[a-z_]{1,64}")  # of RFC 6749; anything else is not repeated to people
WSSE_LAG = timedelta(seconds=20)  # `Created` in the future is refused at once; it lives for an hour
EARLY = timedelta(seconds=60)  # a token is renewed this long before it ends
LOOKS, LOOK_PAUSE_S = 3, 0.5  # for tokens that another process has got but may not have stored yet


class SignIn(Protocol):
    """Headers for requests, one request each."""

    def use(self, post: Post) -> AbstractContextManager[dict[str, str]]: ...

    def refused(self, headers: Mapping[str, str]) -> bool:
        """These headers were answered with 401. True: fresh ones may work, so one more try makes sense."""


class Wsse:
    """`X-WSSE` of the user's API key (auth-wsse-ok); user name or e-mail address, case counts."""

    def __init__(
        self, username: str, api_key: str, *, now: Callable[[], datetime], nonce: Callable[[], bytes] | None = None
    ) -> None:
        self._username = username
        self._api_key = api_key
        self._now = now
        self._nonce = nonce or (lambda: secrets.token_bytes(16))

    @contextmanager
    def use(self, post: Post) -> Iterator[dict[str, str]]:  # noqa: ARG002 - needs no token
        created = (self._now().astimezone(UTC) - WSSE_LAG).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {"X-WSSE": wsse_header(self._username, self._api_key, self._nonce(), created)}

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - a wrong key stays wrong
        return False


def wsse_header(username: str, api_key: str, nonce: bytes, created: str) -> str:
    """Digest over the raw nonce, `Created` and the key (orocrm-api.md 1)."""
    digest = hashlib.sha1(nonce + created.encode() + api_key.encode(), usedforsecurity=False).digest()
    name = username.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'UsernameToken Username="{name}", PasswordDigest="{base64.b64encode(digest).decode()}", '
        f'Nonce="{base64.b64encode(nonce).decode()}", Created="{created}"'
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave. Secrets: to be stored encrypted, and never printed."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """How tokens are asked for. `refresh_token` is the grant of a user who signed in on the consent page, and whose
    code was exchanged by `redeem_code`. An application without secret is a public one."""

    kind: Literal["client_credentials", "password", "refresh_token"]
    client_id: str
    client_secret: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)


class OAuth:
    """Bearer tokens. `save` gets every renewed pair before it is used: the former refresh token is void by then.

    load: the pair stored last. Another process may work for the same account, and whoever renews first leaves the
    other one with tokens that are void, so what is stored is looked at before and after a renewal that is refused.
    now: our clock; only the span `expires_in` is taken from OroCRM. pause: waits seconds. Thread-safe.
    """

    def __init__(
        self,
        grant: Grant,
        *,
        now: Callable[[], datetime],
        tokens: Tokens | None = None,
        save: Callable[[Tokens], None] | None = None,
        load: Callable[[], Tokens | None] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._grant = grant
        self._now = now
        self._tokens = tokens
        self._save = save
        self._load = load
        self._pause = pause
        self._unsaved = False
        self._turn = threading.Condition()
        self._under_way = 0
        self._renewing = False
        self._void: str | None = None

    @contextmanager
    def use(self, post: Post) -> Iterator[dict[str, str]]:
        token = self._borrow(post)
        try:
            yield {"Authorization": f"Bearer {token}"}
        finally:
            with self._turn:
                self._under_way -= 1
                self._turn.notify_all()

    def refused(self, headers: Mapping[str, str]) -> bool:
        """A token may end early (client deactivated, refreshed elsewhere); asking for a new one tells."""
        with self._turn:
            self._void = headers.get("Authorization", "").removeprefix("Bearer ")
        return True

    def _borrow(self, post: Post) -> str:
        with self._turn:
            while True:
                self._turn.wait_for(lambda: not self._renewing)
                if self._usable():
                    break
                self._renewing = True
                try:
                    # the new token ends the old one: let those finish that travel with it
                    self._turn.wait_for(lambda: self._under_way == 0)
                    self._renew(post)
                finally:
                    self._renewing = False
                    self._turn.notify_all()
            self._under_way += 1
            assert self._tokens is not None  # noqa: S101 - _usable says so
            return self._tokens.access_token

    def _usable(self) -> bool:
        tokens = self._tokens
        if tokens is None or self._unsaved or tokens.access_token == self._void:
            return False
        return self._now() < tokens.expires_at

    def _renew(self, post: Post) -> None:
        if not self._unsaved:
            if self._renewed_elsewhere():
                return
            try:
                self._tokens = ask_for_tokens(self._grant, self._tokens, post, self._now())
            except SignInNeeded:
                if not self._soon_renewed_elsewhere():
                    raise
                return
            self._unsaved = True
        if self._save is not None and self._tokens is not None:
            self._save(self._tokens)
        self._unsaved = False

    def _soon_renewed_elsewhere(self) -> bool:
        for look in range(LOOKS if self._load is not None else 0):
            if look:
                self._pause(LOOK_PAUSE_S)
            if self._renewed_elsewhere():
                return True
        return False

    def _renewed_elsewhere(self) -> bool:
        """Takes over what another process stored since; True if it can be used as it is."""
        stored = self._load() if self._load is not None else None
        if stored is None or (self._tokens is not None and stored.access_token == self._tokens.access_token):
            return False
        self._tokens = stored
        return self._usable()


def ask_for_tokens(grant: Grant, known: Tokens | None, post: Post, now: datetime) -> Tokens:
    """One request to the token endpoint. Raises SignInNeeded when it refuses, SideFailing when it makes no sense."""
    form = {"grant_type": grant.kind, "client_id": grant.client_id, "client_secret": grant.client_secret}
    if grant.kind == "password":
        form |= {"username": grant.username, "password": grant.password}
    if grant.kind == "refresh_token":
        if known is None or not known.refresh_token:
            raise SignInNeeded("Nobody has signed in to OroCRM yet.", remedy="Connect OroCRM again.")
        form["refresh_token"] = known.refresh_token
    return _tokens_of(form, post, now, kept=known.refresh_token if known else None)


def redeem_code(grant: Grant, code: str, *, redirect_uri: str, verifier: str, post: Post, now: datetime) -> Tokens:
    """Tokens for the code the consent page sent back (oauth2-authorization-code-pkce-ok)."""
    form = {"grant_type": "authorization_code", "client_id": grant.client_id, "client_secret": grant.client_secret}
    form |= {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    return _tokens_of(form, post, now, kept=None)


def authorization_url(base_url: str, client_id: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Where to send the user's browser; PKCE with S256 (`plain` is refused)."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
    query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{base_url}{TOKEN_PATH}/authorize?{urlencode(query)}"


def _tokens_of(form: dict[str, str], post: Post, now: datetime, *, kept: str | None) -> Tokens:
    status, answer = post({name: value for name, value in form.items() if value})
    if status != 200:
        raise token_refused(form["grant_type"], status, answer)
    try:
        lifetime = timedelta(seconds=float(answer["expires_in"]))
        given = answer.get("refresh_token") or kept
        tokens = Tokens(
            access_token=str(answer["access_token"]),
            expires_at=now + max(lifetime - EARLY, lifetime / 2),
            refresh_token=None if given is None else str(given),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise SideFailing("OroCRM's token endpoint answered without a usable token.") from None
    if not all(_TOKEN.fullmatch(each) for each in (tokens.access_token, tokens.refresh_token or "none")):
        raise SideFailing("OroCRM's token endpoint answered without a usable token.")
    return tokens


def token_refused(grant: str, status: int, answer: Any) -> OrosyncError:
    """What a refusal of the token endpoint means. invalid_client is also its answer while the API is switched off."""
    said = answer.get("error", "") if isinstance(answer, dict) else ""
    code = said if isinstance(said, str) and _WORD.fullmatch(said) else ""
    if code == "invalid_client":
        return SignInNeeded(
            "OroCRM refuses the OAuth application (invalid_client).",
            remedy="Check client id and secret, that the application is active and allows this grant, and that "
            '"Enable API" is on (System > Configuration > Integrations > Web API).',
        )
    if grant == "authorization_code" and code in {"invalid_grant", "invalid_request"}:
        return SignInNeeded(
            f"OroCRM does not take the code of its own sign-in page ({code}).",
            remedy="Sign in to OroCRM again: a code works once, and for ten minutes.",
        )
    if code == "invalid_grant":
        return SignInNeeded(
            "OroCRM refuses user name or password (invalid_grant).",
            remedy="Check both, and that the user is enabled.",
        )
    if code == "unsupported_grant_type":
        return SignInNeeded(
            f"OroCRM does not offer the grant {grant}.", remedy="Choose another way to sign in for this OroCRM."
        )
    if code and status in {400, 401}:
        return SignInNeeded(f"OroCRM ended the sign-in ({code}).", remedy="Sign in to OroCRM again.")
    return SideFailing(f"OroCRM's token endpoint answered with status {status}.", remedy="Check orocrm_url.")
