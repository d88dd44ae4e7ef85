"""As much of Entra ID's sign-in as msal needs: discovery, authorisation, tokens (graph-api.md 13).

Answers in the form of the protocol, decides nothing about people: whoever asks to sign in is signed in at once.
Identity tokens are not signed; msal reads them without checking the signature, as they come from the source.
"""

from __future__ import annotations

import html
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from orosync.sandbox.graph.sandbox import GraphSandbox

_LIFETIME_S = 3600


def _b64(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode("ascii")


class SignInError(Exception):
    """An OAuth error answer: `error`, `error_description`, and the number Entra puts in front."""

    def __init__(self, error: str, description: str, number: int, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.number, self.status = error, description, number, status


class _SignIn:
    """The grants, for one request each."""

    def __init__(self, graph: GraphSandbox) -> None:
        self.graph = graph

    def check_client(self, form: dict[str, str]) -> str:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            client_id, secret = basic.username or "", basic.password or ""
        if client_id not in self.graph.clients:
            raise SignInError("unauthorized_client", f"Application '{client_id}' was not found.", 700016)
        if not secrets.compare_digest(self.graph.clients[client_id].encode(), secret.encode()):
            raise SignInError("invalid_client", "Invalid client secret provided.", 7000215, 401)
        return client_id

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Raises SignInError."""
        client_id = self.check_client(form)
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return self._answer(None, client_id, form)
        if grant == "refresh_token":
            # The old one dies with its use: whoever loses the new one has to sign in again.
            owner = self.graph.refresh_tokens.pop(form.get("refresh_token", ""), None)
            if owner is None:
                raise SignInError("invalid_grant", "The refresh token has expired or was revoked.", 70008)
            return self._answer(owner, client_id, form)
        if grant == "authorization_code":
            return self._redeem_code(client_id, form)
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return self._on_behalf_of(client_id, form)
        raise SignInError("unsupported_grant_type", f"The grant type '{grant}' is not supported.", 70003)

    def _redeem_code(self, client_id: str, form: dict[str, str]) -> dict[str, Any]:
        code = self.graph.codes.pop(form.get("code", ""), None)
        if code is None or code["client_id"] != client_id or code["redirect_uri"] != form.get("redirect_uri", ""):
            raise SignInError("invalid_grant", "The authorization code is invalid or was used.", 70000)
        if code["challenge"]:
            verifier = form.get("code_verifier", "").encode()
            expected = urlsafe_b64encode(sha256(verifier).digest()).rstrip(b"=").decode("ascii")
            if expected != code["challenge"]:
                raise SignInError("invalid_grant", "Proof Key for Code Exchange does not match.", 501481)
        return self._answer(code["upn"], client_id, form, code["nonce"])

    def _on_behalf_of(self, client_id: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            middle = form.get("assertion", "").split(".")[1]
            claims = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            upn = self.graph.mailbox(claims.get("preferred_username") or claims.get("oid")).upn
        except (IndexError, ValueError, KeyError, AttributeError):
            raise SignInError("invalid_grant", "The assertion is not valid.", 50013) from None
        return self._answer(upn, client_id, form)

    def _answer(self, upn: str | None, client_id: str, form: dict[str, str], nonce: str = "") -> dict[str, Any]:
        graph = self.graph
        answer: dict[str, Any] = {"token_type": "Bearer", "expires_in": _LIFETIME_S, "ext_expires_in": _LIFETIME_S}
        if upn is None:
            return answer | {"access_token": graph.issue_app_token(expires_in=_LIFETIME_S)}
        scopes = form.get("scope", "").split()
        answer |= {"access_token": graph.issue_token(upn, expires_in=_LIFETIME_S), "scope": " ".join(scopes)}
        if "offline_access" in scopes or form.get("grant_type") == "refresh_token":
            answer["refresh_token"] = graph.issue_refresh_token(upn)
        mailbox, now = graph.mailbox(upn), int(graph.clock().timestamp())
        claims = {
            "aud": client_id,
            "iss": f"{request.host_url}{graph.tenant_id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_S,
            "name": mailbox.display_name,
            "oid": mailbox.user_id,
            "sub": mailbox.user_id,
            "tid": graph.tenant_id,
            "preferred_username": upn,
            "ver": "2.0",
        } | ({"nonce": nonce} if nonce else {})
        answer["id_token"] = f"{_b64({'alg': 'none', 'typ': 'JWT'})}.{_b64(claims)}.c2FuZGJveA"
        answer["client_info"] = _b64({"uid": mailbox.user_id, "utid": graph.tenant_id})
        return answer


def sign_in_service(graph: GraphSandbox) -> Blueprint:
    """Discovery, `/authorize` (signs in `login_hint`, or the first mailbox) and `/token` for any tenant name."""
    service = Blueprint("sign_in", __name__)
    sign_in = _SignIn(graph)

    @service.get("/<tenant>/v2.0/.well-known/openid-configuration")
    def discovery(tenant: str) -> Response:
        base = f"{request.host_url}{tenant}"
        return jsonify(
            issuer=f"{base}/v2.0",
            authorization_endpoint=f"{base}/oauth2/v2.0/authorize",
            token_endpoint=f"{base}/oauth2/v2.0/token",
            device_authorization_endpoint=f"{base}/oauth2/v2.0/devicecode",
            jwks_uri=f"{base}/discovery/v2.0/keys",
            response_types_supported=["code"],
            subject_types_supported=["pairwise"],
            id_token_signing_alg_values_supported=["RS256"],
        )

    @service.get("/<tenant>/discovery/v2.0/keys")
    def keys(tenant: str) -> Response:
        return jsonify(keys=[], tenant=tenant)

    @service.get("/common/discovery/instance")
    def instance() -> Response:
        host = request.host
        return jsonify(
            {
                "tenant_discovery_endpoint": f"{request.host_url}common/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            }
        )

    @service.get("/<tenant>/oauth2/v2.0/authorize")
    def authorize(tenant: str) -> BaseResponse:
        asked = request.args
        with graph.lock:
            first = next(iter(graph.mailboxes.values()), None)
            upn = asked.get("login_hint") or (first.upn if first else "")
            code = secrets.token_urlsafe(24)
            graph.codes[code] = {
                "upn": upn,
                "client_id": asked.get("client_id", ""),
                "redirect_uri": asked.get("redirect_uri", ""),
                "challenge": asked.get("code_challenge", ""),
                "nonce": asked.get("nonce", ""),
                "tenant": tenant,
            }
        answer = {"code": code, "state": asked.get("state", "")}
        target = asked.get("redirect_uri", "")
        if asked.get("response_mode") != "form_post":
            return redirect(f"{target}?{urlencode(answer)}")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in answer.items()
        )
        return Response(f'<form method="post" action="{html.escape(target)}">{fields}<button>Go on</button></form>')

    @service.post("/<tenant>/oauth2/v2.0/token")
    def token(tenant: str) -> tuple[Response, int]:
        try:
            with graph.lock:
                return jsonify(sign_in.token(dict(request.form.items()))), 200
        except SignInError as error:
            return (
                jsonify(
                    error=error.error,
                    error_description=f"AADSTS{error.number}: {error.description} Tenant: {tenant}.",
                    error_codes=[error.number],
                ),
                error.status,
            )

    return service
