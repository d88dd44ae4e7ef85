"""The sign-in of a demonstration on this machine: whoever sits at it picks a person, without password.

It exists only where a program created the application with it; no variable of the environment leads here. It answers
requests from this machine alone: not those that a proxy hands on, and not those of pages from elsewhere that made
their name point at this machine.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import jwt
from flask import Request, request

from orosync.config_values import LOOPBACK
from orosync.web.principal import Principal
from orosync.web.problems import Invalid, NotAllowed, NotSignedIn

TENANT = "local"
LIFETIME_S = 8 * 3600

_ALGORITHM, _AUDIENCE = "HS256", "orosync-local"
_HANDED_ON = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")


@dataclass(frozen=True, slots=True)
class LocalPerson:
    id: str
    name: str
    address: str
    is_admin: bool = False


class LocalSignIn:
    """The `Authenticator` of a demonstration. Its tokens end with the process: the key is made here, kept nowhere."""

    def __init__(self, people: Sequence[LocalPerson]) -> None:
        self._people = {person.id: person for person in people}
        self._key = secrets.token_bytes(32)

    @property
    def people(self) -> list[LocalPerson]:
        return list(self._people.values())

    def token_for(self, person: str) -> str:
        """An access token, good for LIFETIME_S seconds. Raises Invalid for an unknown id, NotAllowed from elsewhere."""
        from_this_machine(request)
        if person not in self._people:
            raise Invalid("There is no such person.", [{"field": "person", "message": "Unknown id."}])
        now = int(time.time())
        claims = {"sub": person, "aud": _AUDIENCE, "iat": now, "exp": now + LIFETIME_S}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def authenticate(self, token: str) -> Principal:
        """Raises NotSignedIn, and NotAllowed from elsewhere."""
        from_this_machine(request)
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": ["sub", "exp"]}
            )
            person = self._people[claims["sub"]]
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError):
            raise NotSignedIn("This is no token of this demonstration, or it has ended.") from None
        return Principal(
            tenant=TENANT,
            object_id=person.id,
            name=person.name,
            address=person.address,
            is_admin=person.is_admin,
        )


def from_this_machine(asked: Request) -> None:
    """Raises NotAllowed unless the request was made here, to this machine's own name, by nobody else's page."""
    try:
        near = ip_address(asked.remote_addr or "").is_loopback and urlsplit(f"//{asked.host}").hostname in LOOPBACK
    except ValueError:
        near = False
    if not near or any(name in asked.headers for name in _HANDED_ON):
        raise NotAllowed(
            "The demonstration answers this machine alone.",
            remedy="Open it at http://127.0.0.1, on the machine it runs on and without a proxy.",
        )
