"""One request from arrival to answer: switched on or off, sign-in, which API, which dialect.

Source: sections 0 and 1 of the API reference, auth-*, cors-*, contacts-options-*, contacts-head.
"""

from __future__ import annotations

from orosync.sandbox.oro.consent import authorize
from orosync.sandbox.oro.jsonapi import JsonApi, allowed_methods
from orosync.sandbox.oro.legacy import LegacyApi
from orosync.sandbox.oro.oauth2 import OAuthServer
from orosync.sandbox.oro.problems import LegacyRefused, MethodRefused, Problem, Refused, legacy_code
from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import JSON, JSON_API, PRIVATE, Answer, Asked, errors
from orosync.sandbox.oro.wsse import WsseGate

LEGACY = "/api/rest/latest/"
_HTML = "text/html; charset=UTF-8"
_CHALLENGE = 'WSSE realm="Secured API", profile="UsernameToken"'
_EXPOSED = "Location,X-Include-Total-Count,X-Include-Deleted-Count"
_CACHED = "max-age=600, public"
_NOT_FOUND = Problem(404, "not found http exception")


class Service:
    """Answers requests below the path prefix; the caller holds the lock."""

    def __init__(self, state: OroState) -> None:
        self._state = state
        self.oauth = OAuthServer(state)
        self._wsse = WsseGate(state)

    def handle(self, asked: Asked) -> Answer:
        """Every path OroCRM answers to an API client."""
        if asked.path in ("/oauth2-token", "/oauth2-token/authorize"):
            return self._oauth(asked)
        if not asked.path.startswith("/api/"):
            return _to_login(asked, self._state)
        legacy = asked.path.startswith(LEGACY)
        if not self._state.settings.web_api_enabled:
            return _legacy_answer(legacy_code(404)) if legacy else errors(asked, (_NOT_FOUND,), 404)
        if asked.method == "OPTIONS":
            return self._options(asked)
        user = self._who(asked)
        if user is None:
            return self._unauthorized(asked)
        answer = self._legacy(asked, user) if legacy else self._json_api(asked, user)
        if asked.header("Origin"):
            answer.headers["Access-Control-Expose-Headers"] = _EXPOSED
        return answer

    def _who(self, asked: Asked) -> OroUser | None:
        settings = self._state.settings
        kind, _, token = asked.header("Authorization").partition(" ")
        if kind.lower() == "bearer":
            return self.oauth.user(token.strip()) if settings.oauth else None
        if settings.wsse and settings.release < (6, 1) and asked.header("X-WSSE"):
            return self._wsse.user(asked.header("X-WSSE"))
        return None

    def _unauthorized(self, asked: Asked) -> Answer:
        knows_wsse = self._state.settings.wsse and self._state.settings.release < (6, 1)
        headers = {"WWW-Authenticate": _CHALLENGE if knows_wsse else "Bearer"}
        content_type = JSON_API if asked.json_api else JSON
        return Answer(401, None, headers, content_type, cache="no-cache, private")

    def _json_api(self, asked: Asked, user: OroUser) -> Answer:
        parts = [part for part in asked.path.removeprefix("/api/").split("/") if part]
        base = f"{asked.host}{self._state.settings.path_prefix}/api"
        if not parts:
            return errors(asked, (_NOT_FOUND,), 404)
        try:
            return JsonApi(self._state, user, asked, base).answer(parts)
        except Refused as refused:
            return errors(asked, refused.problems, refused.status)
        except MethodRefused as refused:
            return Answer(405, None, {"Allow": refused.allow})

    def _legacy(self, asked: Asked, user: OroUser) -> Answer:
        try:
            return LegacyApi(self._state, user, asked).answer(asked.path.removeprefix(LEGACY))
        except LegacyRefused as refused:
            return _legacy_answer(refused)
        except Refused as refused:
            return _legacy_answer(legacy_code(refused.status))

    def _options(self, asked: Asked) -> Answer:
        parts = [part for part in asked.path.removeprefix("/api/").split("/") if part]
        allow = allowed_methods(self._state, parts)
        if not asked.header("Access-Control-Request-Method"):
            return Answer(200, None, {"Vary": "Origin", "Allow": allow}, cache=_CACHED)
        headers = {
            "Access-Control-Allow-Headers": "Authorization,Content-Type,X-Include",
            "Access-Control-Expose-Headers": _EXPOSED,
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
            "Access-Control-Allow-Methods": allow,
        }
        return Answer(200, None, headers, cache=_CACHED)

    def _oauth(self, asked: Asked) -> Answer:
        if asked.path.endswith("/authorize"):
            return authorize(self._state, self.oauth, asked)
        if asked.method == "OPTIONS":
            headers = {
                "Access-Control-Allow-Methods": "OPTIONS, POST",
                "Access-Control-Allow-Headers": "Authorization,Content-Type",
                "Access-Control-Max-Age": "600",
                "Vary": "Origin",
            }
            return Answer(200, None, headers, _HTML, cache=_CACHED)
        if asked.method != "POST":
            return Answer(405, None, {"Allow": "OPTIONS, POST"}, _HTML)
        return self.oauth.token(asked)


def _legacy_answer(refused: LegacyRefused) -> Answer:
    return Answer(refused.status, refused.body, refused.headers, JSON)


def _to_login(asked: Asked, state: OroState) -> Answer:
    """The back office sends everybody without its cookie to the login page (calendarevent-ajax-accepted)."""
    address = f"{asked.host}{state.settings.path_prefix}/user/login"
    if asked.path == "/user/login":
        page = "<!DOCTYPE html><html><head><title>Login</title></head><body><h1>Login</h1></body></html>"
        return Answer(200, page.encode(), content_type=_HTML)
    page = (
        '<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset="UTF-8" />\n'
        f'        <meta http-equiv="refresh" content="0;url=\'{address}\'" />\n\n'
        f"        <title>Redirecting to {address}</title>\n    </head>\n    <body>\n"
        f'        Redirecting to <a href="{address}">{address}</a>.\n    </body>\n</html>'
    )
    cache = f"max-age=0, {PRIVATE}"
    return Answer(302, page.encode(), {"Location": address}, "text/html; charset=utf-8", cache)
