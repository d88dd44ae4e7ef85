"""Signing in with a key and with OAuth 2.0, in the order it was recorded."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.contract.oro_replay import HOST, Send, World, challenge, sent
from tests.contract.oro_steps import Step

REDIRECT = "http://127.0.0.1:9000/callback"
VERIFIER = "verifier-" + "x" * 50

# signing in


def _with(**headers: str) -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        request["headers"].pop("Authorization", None)
        return sent(world, request | {"headers": request["headers"] | headers})

    return send


def _wsse(username: str = "admin", *, age: int = 5, key: str | None = None) -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        # asking takes a second of the story's clock
        header = world.wsse(username, age=age - 1, key=key)
        return sent(world, request | {"headers": request["headers"] | {"X-WSSE": header}})

    return send


def _twice(world: World, request: dict[str, Any]) -> Any:
    request["headers"]["X-WSSE"] = world.wsse("admin")
    assert sent(world, request).status_code == 200
    return sent(world, request)


def _password_as_key(world: World, request: dict[str, Any]) -> Any:
    request["headers"]["X-WSSE"] = world.wsse("admin", key=world.users["admin"].password)
    return sent(world, request)


SIGN_IN: list[Step] = [
    "auth-none",
    ("auth-basic", _with(Authorization="Basic YWRtaW46YWRtaW4=")),
    "auth-wsse-ok",
    ("auth-wsse-created-50-minutes-ago", _wsse(age=3000)),
    "auth-wsse-disabled-user",
    ("auth-wsse-expired-created", _wsse(age=3700)),
    ("auth-wsse-future-created", _wsse(age=-20)),
    ("auth-wsse-malformed", _with(**{"X-WSSE": "nonsense"})),
    ("auth-wsse-nonce-reused", _twice),
    ("auth-wsse-password-instead-of-key", _password_as_key),
    ("auth-wsse-unknown-user", _wsse("nobody")),
    ("auth-wsse-wrong-key", _wsse(key="0" * 40)),
    "auth-unknown-resource-no-credentials",
]


def _clients(world: World) -> None:
    oro = world.oro
    oro.add_oauth_client(["client_credentials"], "admin", client_id="cc-admin-client")
    oro.add_oauth_client(["client_credentials"], "rita", client_id="cc-rita-client")
    oro.add_oauth_client(["password"], "admin", client_id="pw-client")
    oro.add_oauth_client(["authorization_code"], "admin", client_id="ac-client", redirect_uris=[REDIRECT])
    oro.add_oauth_client(
        ["authorization_code"], "admin", client_id="ac-public-client", redirect_uris=[REDIRECT], public=True
    )


def _switch_off(world: World) -> None:
    world.oro.settings.web_api_enabled = False


def _secret(world: World, identifier: str) -> str:
    return world.oro.oauth_client(identifier).secret or ""


def _token(world: World, request: dict[str, Any], **known: str) -> Any:
    """Puts the instance's secrets where the recording has `<secret>`."""
    body = dict(request["body"])
    if body.get("client_secret") == "<secret>":
        body["client_secret"] = _secret(world, body["client_id"])
    if body.get("password") == "<secret>":
        body["password"] = world.users[body["username"]].password
    for name, value in known.items():
        if body.get(name) == "<secret>":
            body[name] = value
    answer = sent(world, request | {"body": body})
    if answer.status_code == 200:
        world.notes["last"] = answer.json
    return answer


def _basic(world: World, request: dict[str, Any]) -> Any:
    pair = f"cc-admin-client:{_secret(world, 'cc-admin-client')}".encode()
    request["headers"]["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return sent(world, request)


def _bearer(note: str, key: str = "access_token") -> Send:
    def send(world: World, request: dict[str, Any]) -> Any:
        return sent(world, request | {"headers": request["headers"] | world.bearer(world.notes[note][key])})

    return send


def _remember(name: str) -> Callable[[World], None]:
    return lambda world: world.notes.__setitem__(name, world.notes["last"])


def _refresh(note: str) -> Send:
    return lambda world, request: _token(world, request, refresh_token=world.notes[note]["refresh_token"])


def _consent(decision: str = "allow", **changes: str) -> Callable[[World], None]:
    """A person signs in and decides; the code is remembered."""

    def step(world: World) -> None:
        query = {"response_type": "code", "client_id": "ac-client", "redirect_uri": REDIRECT, "state": "xyz"}
        query |= {"code_challenge": challenge(VERIFIER), "code_challenge_method": "S256"} | changes
        query = {name: value for name, value in query.items() if value}
        answer = _decide(world, query, decision)
        assert answer.status_code == 302, answer.text
        world.notes["code"] = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]

    return step


def _decide(world: World, query: dict[str, str], decision: str) -> Any:
    path = f"/oauth2-token/authorize?{urlencode(query)}"
    page = world.client.get(path, base_url=HOST)
    if page.status_code != 200:
        return page
    form = {"username": "bob", "password": world.users["bob"].password, "decision": decision}
    return world.client.post(path, base_url=HOST, data=form)


def _code(world: World, request: dict[str, Any]) -> Any:
    return _token(world, request, code=world.notes["code"], code_verifier=VERIFIER)


OAUTH: list[Step] = [
    _clients,
    ("oauth2-client-credentials-ok", _token),
    _remember("admin"),
    ("oauth2-token-basic-auth", _basic),
    ("oauth2-token-json-body", _token),
    ("oauth2-client-credentials-wrong-secret", _token),
    ("oauth2-grant-not-allowed-for-client", _token),
    ("oauth2-missing-grant", _token),
    ("oauth2-unknown-grant", _token),
    ("oauth2-unknown-client", _token),
    ("oauth2-password-ok", _token),
    _remember("first"),
    ("oauth2-password-disabled-user", _token),
    ("oauth2-password-wrong-password", _token),
    ("oauth2-refresh-ok", _refresh("first")),
    ("oauth2-refresh-token-reused", _refresh("first")),
    ("oauth2-refresh-garbage", _token),
    ("oauth2-old-access-token-after-refresh", _bearer("first")),
    ("oauth2-bearer-ok", _bearer("admin")),
    ("oauth2-bearer-on-old-rest", _bearer("admin")),
    ("oauth2-bearer-garbage", _with(Authorization="Bearer garbage")),
    (
        "oauth2-bearer-bad-signature",
        lambda world, request: sent(
            world,
            request
            | {"headers": request["headers"] | world.bearer(world.notes["admin"]["access_token"][:-4] + "AAAA")},
        ),
    ),
    lambda world: world.notes.__setitem__(
        "rita",
        world.token(
            grant_type="client_credentials", client_id="cc-rita-client", client_secret=_secret(world, "cc-rita-client")
        ),
    ),
    ("oauth2-bearer-restricted-owner", _bearer("rita")),
    lambda world: setattr(world.users["rita"], "enabled", False),
    ("oauth2-bearer-user-disabled", _bearer("rita")),
    lambda world: setattr(world.users["rita"], "enabled", True),
    lambda world: setattr(world.oro.oauth_client("cc-rita-client"), "active", False),
    ("oauth2-bearer-client-deactivated", _bearer("rita")),
    _consent(),
    ("oauth2-authorization-code-wrong-verifier", _code),
    _consent(),
    ("oauth2-authorization-code-pkce-ok", _code),
    _remember("code"),
    lambda world: world.notes.__setitem__("grant", world.notes["last"]),
    _consent(),
    ("oauth2-authorization-code-pkce-ok", _code),
    ("oauth2-authorization-code-reused", _code),
    ("oauth2-authorization-code-refresh", _refresh("grant")),
    _consent(code_challenge="", code_challenge_method=""),
    ("oauth2-authorization-code-without-pkce-confidential", _code),
    _consent(client_id="ac-public-client"),
    ("oauth2-authorization-code-public-client-pkce", _code),
    _remember("who"),
    ("oauth2-authorization-code-bearer-who", _bearer("who")),
    lambda world: world.wait(3601),
    ("oauth2-bearer-expired", _bearer("admin")),
]

OFF: list[Step] = [
    _clients,
    _switch_off,
    "auth-web-api-disabled",
    "auth-web-api-disabled-no-credentials",
    ("auth-oauth2-token-when-web-api-disabled", _token),
]


REDIRECTS = (
    "oauth2-authorization-code-plain-challenge",
    "oauth2-authorization-code-public-client-without-pkce",
    "oauth2-authorization-code-user-denied",
    "oauth2-authorization-code-wrong-redirect-uri",
)
"""Recorded as a walk from page to page: compared by a test of their own."""


def walk(world: World, recording: dict[str, Any]) -> Any:
    """GET the consent page and post the decision, as recorded in `REDIRECTS`."""
    _clients(world)
    query = dict(recording["request"]["query"])
    if "code_challenge" in query:
        query["code_challenge"] = challenge(VERIFIER)
    return _decide(world, query, "deny")
