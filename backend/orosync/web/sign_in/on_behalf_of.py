"""A person's access to their own mailbox: the token they came with is exchanged for tokens of Microsoft Graph.

On behalf of, by msal (outlook-addin.md 2.3). What comes back holds a refresh token, on which syncing lives when the
person is away; it is given to whoever connects the account, to be stored encrypted, and never to the pane.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msal

from orosync.bootstrap.sign_in import ask_entra, graph_scopes
from orosync.config import Config
from orosync.web.principal import Principal
from orosync.web.problems import NotSignedIn

_CONSENT_MISSING = 65001  # AADSTS65001: neither the person nor an administrator has agreed yet


class OnBehalfOf:
    """The `MailboxAccess` of every installation but a demonstration.

    adapters: URL prefix -> `requests` adapter, for a sign-in service of one's own.
    """

    graph_auth = "user"

    def __init__(self, config: Config, *, adapters: Mapping[str, Any] | None = None) -> None:
        self._config = config
        self._adapters = adapters

    def grant(self, principal: Principal) -> str:
        """The cache of tokens as msal writes it, for `bootstrap.sign_in.save_mailbox_access`.

        Raises NotSignedIn: with `claims` when Entra ID wants more of the person (a second factor, say), with the code
        `consent_needed` when they have to agree in a window first, else when their token is not good any more.
        Unreachable, AccountBlocked, ConfigurationError: nothing the person can do.
        """
        cache = msal.SerializableTokenCache()

        def exchange(application: Any) -> Any:
            return application.acquire_token_on_behalf_of(principal.assertion, list(graph_scopes(self._config)))

        answer = ask_entra(self._config, principal.tenant, exchange, cache=cache, adapters=self._adapters)
        if "access_token" not in answer:
            raise _refused(answer)
        return str(cache.serialize())


def _refused(answer: Mapping[str, Any]) -> NotSignedIn:
    """By error, suberror and numbers; the description may name the person."""
    claims = answer.get("claims")
    if isinstance(claims, str) and claims:
        return NotSignedIn("Your organisation asks for more to let us at your mailbox.", claims=claims)
    consent = answer.get("suberror") == "consent_required" or _CONSENT_MISSING in (answer.get("error_codes") or ())
    if consent or answer.get("error") in {"interaction_required", "consent_required"}:
        return NotSignedIn(
            "You have not allowed this application to read and write your mailbox yet.",
            remedy="Agree in the sign-in window, or ask your administrator to agree for everybody.",
            code="consent_needed",
        )
    return NotSignedIn("Your sign-in is not good for your mailbox any more.")
