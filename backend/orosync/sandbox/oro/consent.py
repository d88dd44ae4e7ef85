"""The page on which a person lets an application in: `/oauth2-token/authorize`.

OroCRM shows a login page and then a consent page; here both are one form with user name, password and a decision,
which a test can post as well. Source: oauth2-authorization-code-*.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode

from orosync.sandbox.oro.oauth2 import INVALID_REQUEST, OAuthRefused, OAuthServer, client_refused
from orosync.sandbox.oro.records import OAuthClient
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.wire import Answer, Asked

HTML = "text/html; charset=UTF-8"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Authorize application</title></head>
<body><main><h1>Authorize application</h1>
<p>The application <strong>{client}</strong> asks for access to OroCRM on your behalf.</p>{note}
<form method="post">
<p><label>User name <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button name="decision" value="allow">Grant</button>
<button name="decision" value="deny" formnovalidate>Cancel</button></p>
</form></main></body></html>
"""
_DENIED = "The resource owner or authorization server denied the request."


def authorize(state: OroState, server: OAuthServer, asked: Asked) -> Answer:
    """GET shows the page; POST with `username`, `password` and `decision` (allow, deny) redirects."""
    wanted = dict(parse_qsl(asked.query, keep_blank_values=True))
    try:
        client = _client(server, wanted)
        _check_challenge(client, wanted)
    except OAuthRefused as refused:
        return refused.answer()
    if asked.method != "POST":
        return _page(client)
    form = dict(parse_qsl(asked.body.decode("utf-8", "replace")))
    if form.get("decision") == "deny":
        return _back(
            wanted,
            error="access_denied",
            error_description=_DENIED,
            hint="The user denied the request",
            message=_DENIED,
        )
    user = state.user_named(form.get("username", ""))
    if user is None or not user.enabled or not user.password or user.password != form.get("password"):
        return _page(client, "<p role='alert'>Invalid user name or password.</p>")
    method = wanted.get("code_challenge_method", "plain")
    code = server.new_code(client, user, wanted["redirect_uri"], wanted.get("code_challenge"), method)
    user.logins += 1
    user.last_login = state.now()
    return _back(wanted, code=code)


def _client(server: OAuthServer, wanted: dict[str, str]) -> OAuthClient:
    client = server.clients.get(wanted.get("client_id", ""))
    if client is None or not client.active or "authorization_code" not in client.grants:
        raise client_refused()
    if wanted.get("redirect_uri") not in client.redirect_uris:
        raise client_refused()
    if wanted.get("response_type") != "code":
        hint = "Check that all required parameters have been provided"
        raise OAuthRefused(400, "unsupported_grant_type", INVALID_REQUEST, hint)
    return client


def _check_challenge(client: OAuthClient, wanted: dict[str, str]) -> None:
    challenge = wanted.get("code_challenge")
    if challenge is None:
        if client.secret is None:
            hint = "Code challenge must be provided for public clients"
            raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, hint)
        return
    if wanted.get("code_challenge_method", "plain") == "plain" and not client.plain_challenge:
        hint = "Plain code challenge method is not allowed for this client"
        raise OAuthRefused(400, "invalid_request", INVALID_REQUEST, hint)


def _page(client: OAuthClient, note: str = "") -> Answer:
    text = _PAGE.format(client=escape(client.id), note=note)
    return Answer(200, text.encode(), content_type=HTML)


def _back(wanted: dict[str, str], **values: str) -> Answer:
    state = {"state": wanted["state"]} if "state" in wanted else {}
    joiner = "&" if "?" in wanted["redirect_uri"] else "?"
    address = wanted["redirect_uri"] + joiner + urlencode({**state, **values})
    return Answer(302, None, {"Location": address}, content_type=HTML)
