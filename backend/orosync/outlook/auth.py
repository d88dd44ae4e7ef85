"""Access tokens for Graph: a given one, the application's own, or a user's with refresh (graph-api.md 13).

msal speaks with Entra ID; this module decides when a token is asked for again, where the user's cache is kept (handed
in as load and save, already encrypted there), and what a refusal means. No token is ever logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msal
import msal.exceptions
import requests

from orosync.errors import AccountBlocked, OrosyncError, SignInNeeded, Unreachable
from orosync.outlook.replies import SIGN_IN

# Entra's words for "the user must act" and for "the registration of the application is wrong".
USER_MUST_ACT = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
_SPARE_S = 300.0  # a token is not used in its last five minutes, as msal does it
CAPABILITIES = ("CP1",)  # Graph may revoke early and say with which claims to ask again


class TokenSource(Protocol):
    def token(self) -> str:
        """An access token for Graph. Raises SignInNeeded, AccountBlocked, Unreachable."""

    def renewed(self, refused: str, claims: str | None) -> str:
        """Another one after Graph refused `refused`, asking for `claims` (JSON text). Raises as `token`."""


class StaticToken:
    """A token somebody else looks after."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renewed(self, refused: str, claims: str | None) -> str:  # noqa: ARG002  # there is no other one
        raise SignInNeeded(
            "Microsoft Graph does not accept the given access token.", remedy="Give a fresh one (OROSYNC_GRAPH_TOKEN)."
        )


class _Remembered:
    """The token in hand, until shortly before it ends."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._token = ""
        self._good_until = 0.0

    def get(self) -> str | None:
        return self._token if self._token and self._monotonic() < self._good_until else None

    def put(self, answer: Mapping[str, Any]) -> str:
        self._token = str(answer["access_token"])
        self._good_until = self._monotonic() + float(answer.get("expires_in", 0)) - _SPARE_S
        return self._token


class ClientCredentials:
    """The application's own token, for every mailbox it may reach.

    authority: tenant-specific, "https://login.microsoftonline.com/{tenant}". credential: as msal takes it, a secret
    or a certificate. scope: the cloud's own Graph host with "/.default" (graph-api.md 14). http_client: a
    `requests.Session`, or what looks like one.
    """

    def __init__(
        self,
        *,
        client_id: str,
        credential: str | Mapping[str, Any],
        authority: str,
        scope: str = "https://graph.microsoft.com/.default",
        http_client: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scope = scope
        self._lock = threading.Lock()
        self._remembered = _Remembered(monotonic)
        self._new_app = app_factory(client_id, credential, authority, http_client)
        self._app: Any = None

    def token(self) -> str:
        with self._lock:
            return self._remembered.get() or self._ask(None)

    def renewed(self, refused: str, claims: str | None) -> str:
        with self._lock:
            current = self._remembered.get()
            if current is not None and current != refused:
                return current
            self._app = None  # msal would give the refused token again out of its cache
            return self._ask(claims)

    def _ask(self, claims: str | None) -> str:
        def ask() -> Any:
            if self._app is None:
                self._app = self._new_app(None)
            return self._app.acquire_token_for_client([self._scope], claims_challenge=claims)

        answer = asked(ask)
        if "access_token" not in answer:
            raise refusal(answer, by_user=False)
        return self._remembered.put(answer)


class Delegated:
    """A user's token, kept alive by the refresh token in the user's own msal cache.

    load and save: the cache as text, None where there is none yet; the caller encrypts it, as it holds the refresh
    token. lock: held from load to save, so that two workers do not lose a rotated refresh token; one per user.
    scopes: without offline_access, which msal adds itself.
    """

    def __init__(
        self,
        *,
        client_id: str,
        authority: str,
        scopes: tuple[str, ...],
        load: Callable[[], str | None],
        save: Callable[[str], None],
        credential: str | Mapping[str, Any] | None = None,
        lock: Callable[[], AbstractContextManager[Any]] | None = None,
        http_client: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scopes = list(scopes)
        self._load, self._save = load, save
        own = threading.RLock()
        self._lock = lock if lock is not None else lambda: own
        self._remembered = _Remembered(monotonic)
        self._new_app = app_factory(client_id, credential, authority, http_client)

    def token(self) -> str:
        return self._remembered.get() or self._silent(None, force=False)

    def renewed(self, refused: str, claims: str | None) -> str:
        current = self._remembered.get()
        if current is not None and current != refused:
            return current
        return self._silent(claims, force=True)

    def redeem(self, refresh_token: str) -> None:
        """Fills the cache from a refresh token got elsewhere. Raises as `token`."""

        def ask(app: Any) -> Any:
            return app.acquire_token_by_refresh_token(refresh_token, self._scopes)

        self._with_cache(ask)

    def _silent(self, claims: str | None, *, force: bool) -> str:
        def ask(app: Any) -> Any:
            accounts = app.get_accounts()
            if not accounts:
                return None
            return app.acquire_token_silent_with_error(
                self._scopes, accounts[0], force_refresh=force, claims_challenge=claims
            )

        return self._with_cache(ask)

    def _with_cache(self, ask: Callable[[Any], Any]) -> str:
        with self._lock():
            cache = msal.SerializableTokenCache()
            cache.deserialize(self._load() or "{}")

            def with_app() -> Any:
                return ask(self._new_app(cache))

            try:
                answer = asked(with_app)
            finally:
                if cache.has_state_changed:
                    self._save(cache.serialize())
        if "access_token" not in answer:
            raise refusal(answer, by_user=True)
        return self._remembered.put(answer)


def app_factory(
    client_id: str, credential: str | Mapping[str, Any] | None, authority: str, http_client: Any
) -> Callable[[Any], Any]:
    """Makes msal's applications, each for a token cache (None: one of its own, in memory).

    Applications are built when they are needed: building one asks the network about the authority.
    """
    kind = msal.PublicClientApplication if credential is None else msal.ConfidentialClientApplication

    def new(cache: Any) -> Any:
        return kind(
            client_id,
            client_credential=credential,
            authority=authority,
            token_cache=cache,
            http_client=http_client,
            timeout=None if http_client is not None else 20,
            client_capabilities=list(CAPABILITIES),
            instance_discovery=False,  # the administrator named the authority; no third host is asked about it
        )

    return new


def asked(ask: Callable[[], Any]) -> Mapping[str, Any]:
    """What msal answers, an error of OAuth among them. Raises Unreachable, AccountBlocked."""
    try:
        answer = ask()
    except (requests.RequestException, msal.exceptions.MsalServiceError):
        raise Unreachable(
            "The sign-in service of Microsoft 365 does not answer.", remedy="Check the network and OROSYNC_AUTHORITY."
        ) from None
    except (ValueError, KeyError, RuntimeError):
        raise AccountBlocked(
            "The sign-in service of Microsoft 365 does not know this tenant or authority.",
            remedy="Check OROSYNC_TENANT_ID and OROSYNC_AUTHORITY.",
        ) from None
    return answer if isinstance(answer, Mapping) else {}


def refusal(answer: Mapping[str, Any], *, by_user: bool) -> OrosyncError:
    """By `error` and `suberror` alone; a description may name the user."""
    error, suberror = str(answer.get("error", "")), str(answer.get("suberror", ""))
    said = " ".join(word for word in (error, suberror) if word) or "no sign-in is stored"
    if by_user and (not error or error in USER_MUST_ACT):
        return SignInNeeded(f"The user's sign-in to Microsoft 365 has ended ({said}).", remedy=SIGN_IN)
    if error in {"temporarily_unavailable", "server_error", "too_many_requests"}:
        return Unreachable(f"The sign-in service of Microsoft 365 is busy ({said}).")
    return AccountBlocked(
        f"Entra ID refuses this application ({said}).",
        remedy="Check OROSYNC_CLIENT_ID, its secret or certificate, and the consent of the organisation.",
    )
