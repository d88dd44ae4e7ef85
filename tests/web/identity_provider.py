"""As much of Entra ID as signing in uses, over HTTPS on a thread: keys, discovery, consent, codes with PKCE, tokens on
behalf of, refresh tokens that die with their use, second factors asked for by claims challenge.

It checks what Entra ID checks (client, redirect address, PKCE, the assertion's signature, audience and end, consent),
so that a sign-in that is wrong fails here as it would there. Sources: learn.microsoft.com/entra/identity-platform,
pages v2-oauth2-auth-code-flow, v2-oauth2-on-behalf-of-flow, certificate-credentials, claims-challenge.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

import jwt
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, Response, jsonify, redirect, request
from requests.adapters import HTTPAdapter
from werkzeug.wrappers import Response as BaseResponse

from orosync.sandbox.transport import RunningServer, serve

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
PARTNER = "bbbbbbbb-0000-4000-8000-000000000002"
API = "11111111-2222-4333-8444-555555555555"
SECRET = "application-secret"
GRAPH = "https://graph.microsoft.com"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SECOND_FACTOR = '{"access_token":{"capolids":{"essential":true,"values":["c1"]}}}'


@dataclass
class Person:
    oid: str
    name: str
    address: str
    tenant: str = TENANT
    roles: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    second_factor: bool = False  # has shown one


def anna() -> Person:
    return Person("0a0a0a0a-1111-4111-8111-111111111111", "Anna Berg", "anna@contoso.example")


@dataclass
class SigningKey:
    kid: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, form)

    def published(self) -> dict[str, Any]:
        jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return jwk | {"kid": self.kid, "use": "sig"}


class Refusal(Exception):
    """An OAuth error. more: members such as suberror, claims, error_codes."""

    def __init__(self, error: str, number: int, **more: Any) -> None:
        super().__init__(error)
        self.body = {
            "error": error,
            "error_description": f"AADSTS{number}: something about anna@contoso.example.",
            "error_codes": [number],
            **more,
        }


class IdentityProvider:
    """base: "https://127.0.0.1:port", known once it is served. Whoever comes to /authorize is `person`."""

    def __init__(self, key: SigningKey | None = None) -> None:
        self.base = ""
        self.keys = [key or SigningKey("key-1")]
        self.person = anna()
        self.people = {self.person.oid: self.person}
        self.redirect_uris = {"https://sync.example.com/auth/callback"}
        self.consented: set[str] = set()  # object ids
        self.agrees = True  # what people do on the page of consent
        self.demands_second_factor = False
        self.certificate: x509.Certificate | None = None  # then no secret is accepted
        self.fetched_keys = 0
        self.down = ""  # "keys": those do not come; "html", "empty": a page or none instead; "all": nothing comes
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.requests: list[dict[str, str]] = []  # forms of /token
        self.tenants: list[str] = []  # whose /token that was

    # what a test hands out itself

    def claims(self, person: Person, **other: Any) -> dict[str, Any]:
        """Of an access token for our API; None takes a claim out."""
        now = int(time.time())
        usual = {
            "aud": API,
            "iss": f"{self.base}/{person.tenant}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "azp": API,
            "name": person.name,
            "oid": person.oid,
            "preferred_username": person.address,
            "scp": "access_as_user",
            "sub": secrets.token_urlsafe(16),
            "tid": person.tenant,
            "uti": secrets.token_urlsafe(8),
            "ver": "2.0",
            "roles": person.roles or None,
            "groups": person.groups or None,
            "acrs": ["c1"] if person.second_factor else None,
        }
        return {name: value for name, value in (usual | other).items() if value is not None}

    def sign(self, claims: dict[str, Any], key: SigningKey | None = None) -> str:
        key = key or self.keys[0]
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})

    def access_token(self, person: Person | None = None, **other: Any) -> str:
        return self.sign(self.claims(person or self.person, **other))

    # what it answers

    def client(self, form: dict[str, str]) -> None:
        if form.get("client_id") != API:
            raise Refusal("unauthorized_client", 700016)
        if self.certificate is None:
            if form.get("client_secret") != SECRET:
                raise Refusal("invalid_client", 7000215)
            return
        assertion = form.get("client_assertion", "")
        header = jwt.get_unverified_header(assertion) if assertion else {}
        digest = urlsafe_b64encode(self.certificate.fingerprint(hashes.SHA256())).decode()
        if header.get("x5t#S256", "").rstrip("=") != digest.rstrip("="):  # msal leaves the padding on
            raise Refusal("invalid_client", 700027)
        audience = f"{self.base}/{TENANT}/oauth2/v2.0/token"
        jwt.decode(assertion, self.certificate.public_key(), ["PS256"], audience=audience)  # type: ignore[arg-type]

    def token(self, tenant: str, form: dict[str, str]) -> dict[str, Any]:
        self.client(form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._redeem(form)
        if grant == ON_BEHALF_OF and form.get("requested_token_use") == "on_behalf_of":
            return self._on_behalf_of(tenant, form)
        if grant == "refresh_token":
            oid = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
            if oid is None:
                raise Refusal("invalid_grant", 70008)
            return self._answer(self.people[oid], form)
        raise Refusal("unsupported_grant_type", 70003)

    def _redeem(self, form: dict[str, str]) -> dict[str, Any]:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or code["redirect_uri"] != form.get("redirect_uri"):
            raise Refusal("invalid_grant", 70000)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if urlsafe_b64encode(digest).rstrip(b"=").decode() != code["code_challenge"]:
            raise Refusal("invalid_grant", 501481)
        return self._answer(self.people[code["oid"]], form, code["nonce"])

    def _on_behalf_of(self, tenant: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            key = self.keys[0].private.public_key()
            claims = jwt.decode(form.get("assertion", ""), key, ["RS256"], audience=API)
        except jwt.PyJWTError:
            raise Refusal("invalid_grant", 500133, suberror="bad_token") from None
        person = self.people[claims["oid"]]
        if claims["tid"] != tenant or "access_as_user" not in claims.get("scp", ""):
            raise Refusal("invalid_grant", 50013)
        if self.demands_second_factor and "c1" not in claims.get("acrs", []):
            raise Refusal("interaction_required", 53003, suberror="message_only", claims=SECOND_FACTOR)
        if person.oid not in self.consented:
            raise Refusal("invalid_grant", 65001, suberror="consent_required")
        return self._answer(person, form)

    def _answer(self, person: Person, form: dict[str, str], nonce: str = "") -> dict[str, Any]:
        scopes = form.get("scope", "").split()
        wanted = [scope for scope in scopes if "/" in scope]
        ours = [scope.startswith(API) for scope in wanted]
        if not wanted or len(set(ours)) != 1:
            raise Refusal("invalid_grant", 28000)  # one token is for one resource
        token = self.access_token(person) if ours[0] else f"graph.{person.oid}.{secrets.token_urlsafe(8)}"
        answer = {"token_type": "Bearer", "expires_in": 3600, "scope": " ".join(wanted), "access_token": token}
        if "offline_access" in scopes:
            refresh = secrets.token_urlsafe(24)
            self.refresh_tokens[refresh] = person.oid
            answer["refresh_token"] = refresh
        identity = self.claims(person, scp=None, nonce=nonce or None)
        uid = json.dumps({"uid": person.oid, "utid": person.tenant}).encode()
        return answer | {"id_token": self.sign(identity), "client_info": urlsafe_b64encode(uid).rstrip(b"=").decode()}

    def authorize(self, asked: dict[str, str]) -> BaseResponse:
        if asked.get("client_id") != API or asked.get("redirect_uri") not in self.redirect_uris:
            return Response("AADSTS50011: the redirect address is not registered.", 400)  # never sent anywhere
        back = {"state": asked.get("state", "")}
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            back |= {"error": "invalid_request"}
        elif not self.agrees:
            back |= {"error": "access_denied", "error_subcode": "cancel", "error_description": "AADSTS65004: no."}
        else:
            if GRAPH in asked.get("scope", ""):
                self.consented.add(self.person.oid)
            if "claims" in asked and "c1" in asked["claims"]:
                self.person.second_factor = True
            code = secrets.token_urlsafe(16)
            self.codes[code] = {
                "oid": self.person.oid,
                "redirect_uri": asked["redirect_uri"],
                "code_challenge": asked["code_challenge"],
                "nonce": asked.get("nonce", ""),
            }
            back |= {"code": code, "session_state": "s"}
        if asked.get("response_mode") != "form_post":
            return redirect(f"{asked['redirect_uri']}?{urlencode(back)}")
        fields = "".join(f'<input type="hidden" name="{name}" value="{escape(back[name])}">' for name in back)
        return Response(f'<form method="post" action="{escape(asked["redirect_uri"])}">{fields}</form>')


def create_app(provider: IdentityProvider) -> Flask:
    app = Flask(__name__)

    @app.before_request
    def away() -> Response | None:
        return Response("", 503) if provider.down == "all" else None

    @app.get("/<tenant>/v2.0/.well-known/openid-configuration")
    def discovery(tenant: str) -> Response:
        base = f"{provider.base}/{tenant}"
        return jsonify(
            issuer=f"{base}/v2.0",
            authorization_endpoint=f"{base}/oauth2/v2.0/authorize",
            token_endpoint=f"{base}/oauth2/v2.0/token",
            jwks_uri=f"{base}/discovery/v2.0/keys",
        )

    @app.get("/<tenant>/discovery/v2.0/keys")
    def keys(tenant: str) -> Response:
        provider.fetched_keys += 1
        if provider.down == "empty":
            return jsonify(keys=[])
        if provider.down:
            return Response("<h1>Out of order</h1>", 500 if provider.down == "keys" else 200)
        return jsonify(keys=[key.published() for key in provider.keys])

    @app.get("/<tenant>/oauth2/v2.0/authorize")
    def authorize(tenant: str) -> BaseResponse:
        return provider.authorize(dict(request.args.items()))

    @app.post("/<tenant>/oauth2/v2.0/token")
    def token(tenant: str) -> tuple[Response, int]:
        form = dict(request.form.items())
        provider.requests.append(form)
        provider.tenants.append(tenant)
        try:
            return jsonify(provider.token(tenant, form)), 200
        except Refusal as refusal:
            return jsonify(refusal.body), 400

    return app


class TrustingAdapter(HTTPAdapter):
    """For `requests`: trusts one certificate authority more."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> Any:
        return super().init_poolmanager(*args, **options, ssl_context=self._context)


@dataclass
class Served:
    provider: IdentityProvider
    server: RunningServer
    trust: ssl.SSLContext

    @property
    def adapters(self) -> dict[str, Any]:
        return {self.provider.base: TrustingAdapter(self.trust)}


@contextmanager
def running(
    provider: IdentityProvider, authority: trustme.CA, certificate: trustme.LeafCert | None = None
) -> Iterator[Served]:
    """certificate: one of the authority's, where a browser has to know it; else a new one."""
    certificate = certificate or authority.issue_cert("127.0.0.1")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server_side)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with serve(create_app(provider), ssl_context=server_side) as server:
        provider.base = server.url
        yield Served(provider, server, trust)


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature, unchecked: for making tokens that are wrong."""

    def read(part: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(b64decode(part + "=" * (-len(part) % 4), altchars=b"-_"))
        return value

    header, claims, signature = token.split(".")
    return read(header), read(claims), signature


def put_together(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    def write(value: dict[str, Any]) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{write(header)}.{write(claims)}.{signature}"
