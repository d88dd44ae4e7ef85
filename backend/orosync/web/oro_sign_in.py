"""Signing in on OroCRM's own page, in a window of its own that the pane opens.

The pane asks for the window's address; the window goes to OroCRM and comes back with OroCRM's code, which waits here,
encrypted, under a one-time code of ours; the window hands that to the pane and closes; the pane connects with it, and
only then is OroCRM's code exchanged for tokens. No cookie takes part, and any process may answer any of the requests.

What keeps strangers out: each of the codes is random, works once and for minutes; ours is bound to the person who asked
for the window, so that it gets nobody else anything; PKCE binds OroCRM's to us. Whoever opens somebody else's window
gets a code that only that person could use, and cannot put one into that person's pane.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from orosync import bootstrap
from orosync.bootstrap import Connection
from orosync.config import Config, check_listed_oro_url
from orosync.web.parts import Parts
from orosync.web.principal import Principal
from orosync.web.problems import Invalid, Problem

TO_OPEN = timedelta(minutes=5)
TO_SIGN_IN = timedelta(minutes=15)  # somebody looks for a password first
TO_CONNECT = timedelta(minutes=5)  # OroCRM's own code lives for ten minutes

_BEGUN, _SENT, _BACK, _GOT = "oro-begun", "oro-sent", "oro-back", "oro-got"
_ERROR = re.compile(r"[a-z_]{1,40}")  # the words of RFC 6749 4.1.2.1; others are not shown


@dataclass(frozen=True, slots=True)
class Consented:
    """A sign-in that is ready to be connected. user: its name in OroCRM, "" where the role hides it. expires: until
    then it can be put back under its code."""

    orocrm_url: str
    certificate: str | None
    user: str
    connection: Connection
    expires: datetime


def offered(config: Config) -> bool:
    """Whether people can sign in on OroCRM's page here: it takes an OAuth application, and an address of our own."""
    return bool(config.oro_oauth_client_id and config.public_url and config.oro_hosts)


def begin(parts: Parts, principal: Principal, orocrm_url: str, certificate: str | None = None) -> str:
    """The address of the window, for this person and a few minutes.

    Raises BadInput for a host or certificate that is not allowed here, and Problem `connection_refused` with findings
    if that OroCRM cannot be reached or has no OAuth: better told in the pane than by a browser's error page.
    """
    config = parts.config
    if not offered(config):
        raise Problem(
            "Signing in on OroCRM's own page is not set up here.",
            remedy="Use an API key, or ask the administrator of this installation to set OROSYNC_ORO_OAUTH_CLIENT_ID.",
            status=422,
            code="invalid",
            field="orocrm_auth",
        )
    url = check_listed_oro_url(orocrm_url, "orocrm_url", config)
    pinned = bootstrap.checked_certificate(config, certificate)
    findings = bootstrap.check_oro_page(config, url, pinned, adapters=parts.adapters, clock=parts.clock)
    if wrong := [each for each in findings if each.blocks]:
        shown = [each.to_json() for each in findings]
        raise Invalid(wrong[0].message, code="connection_refused", remedy=wrong[0].remedy, findings=shown)
    state = _keep(parts, _BEGUN, {"owner": principal.owner, "url": url, "certificate": pinned}, TO_OPEN)
    return f"{config.public_url}/auth/oro/start?{urlencode({'state': state})}"


def page_of_orocrm(parts: Parts, state: str) -> str:
    """Where the window goes from its first address, which works once. Raises Problem."""
    begun = _take(parts, _BEGUN, state)
    begun["verifier"] = secrets.token_urlsafe(48)  # RFC 7636 4.1: 43 to 128 signs
    ours = _keep(parts, _SENT, begun, TO_SIGN_IN)
    return bootstrap.consent_page(parts.config, begun["url"], ours, begun["verifier"])


def came_back(parts: Parts, answer: Mapping[str, str]) -> str:
    """The one-time code for the pane. answer: the query that OroCRM sent the window back with. Raises Problem."""
    sent = _take(parts, _SENT, answer.get("state", ""))
    error, code = answer.get("error", ""), answer.get("code", "")
    if error == "access_denied":  # oauth2-authorization-code-user-denied
        raise _not_signed_in("You did not let this program into OroCRM.", "Sign in again and agree.")
    if error or not code:
        word = f" ({error})" if _ERROR.fullmatch(error) else ""
        raise _not_signed_in(
            f"OroCRM did not complete the sign-in{word}.",
            "Try again; if it stays, ask the administrator to look at the OAuth application in OroCRM.",
        )
    return _keep(parts, _BACK, {**sent, "code": code}, TO_CONNECT)


def redeem_oro_code(parts: Parts, principal: Principal, code: str, orocrm_url: str | None = None) -> Consented:
    """Exchanges OroCRM's code for tokens, once. orocrm_url: what the person connects, if it is known already.

    Raises Problem if the code is not (any more) this person's, or is another OroCRM's; as `bootstrap.exchange_code`.
    """
    now = parts.clock.now()
    again = _take_or_none(parts, _GOT, code)
    back = again if again is not None else _take(parts, _BACK, code)
    if back["owner"] != principal.owner:
        raise _not_signed_in("This sign-in was begun by somebody else.", "Sign in to OroCRM again.")
    if orocrm_url is not None and back["url"] != orocrm_url:
        raise _not_signed_in("This sign-in was for another OroCRM.", "Sign in to the one that is to be connected.")
    if again is not None:
        return Consented(
            back["url"],
            back["certificate"],
            back["user"],
            bootstrap.connection_of(back["connection"]),
            datetime.fromisoformat(back["expires"]),
        )
    got = bootstrap.exchange_code(
        parts.config,
        back["url"],
        back["certificate"],
        back["code"],
        back["verifier"],
        clock=parts.clock,
        adapters=parts.adapters,
    )
    return Consented(back["url"], back["certificate"], got.user, got.connection, now + TO_CONNECT)


def put_back(
    parts: Parts, principal: Principal, code: str, consented: Consented, renewed: Connection | None = None
) -> None:
    """The code is good once more, for nothing was connected with it: after a mere check, or one that was not passed.

    renewed: in place of the tokens in `consented`, if the check had to renew them.
    """
    kept = consented if renewed is None else replace(consented, connection=renewed)
    values = {
        "owner": principal.owner,
        "url": kept.orocrm_url,
        "certificate": kept.certificate,
        "user": kept.user,
        "connection": bootstrap.connection_json(kept.connection),
        "expires": kept.expires.isoformat(),
    }
    parts.database.one_time_codes.add(code, json.dumps(values), kept.expires, kind=_GOT)


def _keep(parts: Parts, kind: str, values: Mapping[str, Any], span: timedelta) -> str:
    code = secrets.token_urlsafe(32)
    parts.database.one_time_codes.add(code, json.dumps(values), parts.clock.now() + span, kind=kind)
    return code


def _take(parts: Parts, kind: str, code: str) -> dict[str, Any]:
    found = _take_or_none(parts, kind, code)
    if found is None:
        raise _not_signed_in("The sign-in to OroCRM took too long, or was used already.", "Sign in to OroCRM again.")
    return found


def _take_or_none(parts: Parts, kind: str, code: str) -> dict[str, Any] | None:
    text = parts.database.one_time_codes.redeem(code, parts.clock.now(), kind=kind)
    if text is None:
        return None
    values: dict[str, Any] = json.loads(text)
    return values


def _not_signed_in(message: str, remedy: str) -> Problem:
    """422 and not 401: who asks is known to us, it is OroCRM that is not signed in to."""
    return Problem(message, remedy=remedy, status=422, code="oro_not_signed_in", field="code")
