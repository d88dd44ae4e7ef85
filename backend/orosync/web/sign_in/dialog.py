"""Sign-in in a window of its own, for an Outlook in which the pane cannot get a token by itself.

The authorisation code flow with our own application (outlook-addin.md 2.4): Entra ID shows its pages in the window and
sends it back to us; the window gets a one-time code, hands it to the pane and closes; the pane redeems it for the
access token. No cookie takes part.

What keeps strangers out: the pane makes up a secret, and only its SHA-256 (the challenge) goes through the window. The
code is worth nothing without the secret, so neither a window that somebody else had opened, nor a code that was seen on
its way, nor a sign-in slipped in from elsewhere gets anybody anything. Between us and Entra ID, state, PKCE and nonce
do the same. What waits (a sign-in that was begun, a token to be fetched) is in the database, encrypted, for minutes,
and is taken out once: any process may answer any of the requests.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from orosync.bootstrap.sign_in import ask_entra, graph_scopes
from orosync.errors import ConfigurationError
from orosync.web.parts import Parts
from orosync.web.problems import Invalid, NotSignedIn
from orosync.web.sign_in.tokens import api_scope, sign_in_tenant

TO_SIGN_IN = timedelta(minutes=15)  # with a second factor and a page of consent
TO_REDEEM = timedelta(minutes=2)

_BEGUN, _DONE = "entra-begun", "entra-done"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in URL-safe base64, RFC 7636 4.2
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 4.1
_LONGEST_CLAIMS = 4_096
_OF_THE_ANSWER = ("code", "state", "error", "error_subcode", "error_description", "client_info")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token for our own API, and for how many more seconds it is good."""

    access_token: str
    expires_in: int

    def __repr__(self) -> str:
        return f"IssuedToken(***, expires_in={self.expires_in})"


class DialogSignIn:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._config = parts.config

    def start(self, challenge: str, claims: str = "") -> str:
        """The address of Entra ID's page. claims: what an earlier answer of ours asked the next token to have (JSON).

        Raises Invalid, ConfigurationError, Unreachable, AccountBlocked, TryLater.
        """
        if not _CHALLENGE.fullmatch(challenge):
            raise Invalid(
                "The sign-in window was opened without a challenge.", _wrong("challenge", "43 signs, RFC 7636.")
            )
        if claims and not _is_object(claims):
            raise Invalid("The claims are no JSON object.", _wrong("claims", "Give them as they were told."))
        state = secrets.token_urlsafe(32)
        flow = self._ask(
            lambda application: application.initiate_auth_code_flow(
                # asking for the mailbox here lets people agree to it now: later, behind their back, they could not
                [api_scope(self._config), *graph_scopes(self._config)],
                redirect_uri=self._redirect_uri(),
                state=state,
                claims_challenge=claims or None,
                response_mode="form_post",  # codes in addresses end up in logs (RFC 9700 4.3.1)
            )
        )
        expires = self._parts.clock.now() + TO_SIGN_IN
        begun = json.dumps({"flow": dict(flow), "challenge": challenge})
        self._parts.database.one_time_codes.add(state, begun, expires, kind=_BEGUN)
        return str(flow["auth_uri"])

    def finish(self, answer: Mapping[str, str]) -> str:
        """The one-time code for the pane. answer: the form Entra ID sent the window back with.

        Raises NotSignedIn (codes `cancelled`, `consent_needed`, `not_signed_in`), NotAllowed, and as `start`.
        """
        begun = self._begun(answer.get("state", ""))
        if answer.get("error"):
            raise _not_done(answer)
        given = {name: answer[name] for name in _OF_THE_ANSWER if name in answer}
        tokens = self._ask(
            lambda application: application.acquire_token_by_auth_code_flow(
                begun["flow"], given, scopes=[api_scope(self._config)]
            )
        )
        if "access_token" not in tokens:
            raise _not_done(tokens)
        token = str(tokens["access_token"])
        self._parts.authenticator.authenticate(token)  # better refused in the window, with a reason, than in the pane
        now = self._parts.clock.now()
        code = secrets.token_urlsafe(32)
        done = json.dumps(
            {
                "access_token": token,
                "ends": now.timestamp() + float(tokens.get("expires_in", 0)),
                "challenge": begun["challenge"],
            }
        )
        self._parts.database.one_time_codes.add(code, done, now + TO_REDEEM, kind=_DONE)
        return code

    def redeem(self, code: str, verifier: str) -> IssuedToken:
        """Works once, with the secret whose challenge the window was opened with. Raises NotSignedIn, Invalid."""
        if not _VERIFIER.fullmatch(verifier):
            raise Invalid("This is no verifier.", _wrong("verifier", "43 to 128 signs, RFC 7636."))
        now = self._parts.clock.now()
        text = self._parts.database.one_time_codes.redeem(code, now, kind=_DONE)
        done = json.loads(text) if text is not None else {}
        if not secrets.compare_digest(challenge_of(verifier), str(done.get("challenge", ""))):
            raise NotSignedIn("The sign-in took too long, or was finished elsewhere.")
        return IssuedToken(done["access_token"], max(0, int(done["ends"] - now.timestamp())))

    def _begun(self, state: str) -> dict[str, Any]:
        text = self._parts.database.one_time_codes.redeem(state, self._parts.clock.now(), kind=_BEGUN)
        if text is None:
            raise NotSignedIn("The sign-in took too long, or was not begun here.")
        begun: dict[str, Any] = json.loads(text)
        return begun

    def _ask(self, ask: Any) -> Mapping[str, Any]:
        return ask_entra(self._config, sign_in_tenant(self._config), ask, adapters=self._parts.adapters)

    def _redirect_uri(self) -> str:
        """Never out of the request: whoever can send us a name would get the answer."""
        if not self._config.public_url:
            raise ConfigurationError(
                ["OROSYNC_PUBLIC_URL: missing. Entra ID sends the sign-in window back to this address."]
            )
        return f"{self._config.public_url}/auth/callback"


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")


def _not_done(answer: Mapping[str, Any]) -> NotSignedIn:
    error, subcode = answer.get("error"), answer.get("error_subcode")
    if error == "access_denied" and subcode == "cancel":
        return NotSignedIn("The sign-in was cancelled.", code="cancelled")
    if error in {"access_denied", "consent_required", "interaction_required"}:
        return NotSignedIn(
            "The permission to read and write your mailbox was not given.",
            remedy="Sign in again and agree, or ask your administrator to agree for everybody.",
            code="consent_needed",
        )
    return NotSignedIn("Entra ID did not complete the sign-in.")


def _is_object(text: str) -> bool:
    try:
        return len(text) <= _LONGEST_CLAIMS and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _wrong(field: str, message: str) -> list[dict[str, str]]:
    return [{"field": field, "message": message}]
