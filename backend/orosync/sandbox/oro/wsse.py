"""Signing in with an API key: the `X-WSSE` header.

Every failure looks the same from outside, so this only says who it is or nobody. Source: auth-wsse-*, section 1 of
the API reference.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.state import OroState

LIFETIME = timedelta(seconds=3600)
_HEADER = re.compile(
    r'UsernameToken\s+Username="([^"]*)",\s*PasswordDigest="([^"]*)",\s*Nonce="([^"]*)",\s*Created="([^"]*)"'
)


def digest(nonce: bytes, created: str, api_key: str) -> str:
    """`base64(sha1(nonce + created + key))` over raw bytes."""
    made = hashlib.sha1(nonce + created.encode() + api_key.encode(), usedforsecurity=False)  # WSSE's own choice
    return base64.b64encode(made.digest()).decode()


def header(username: str, api_key: str, nonce: bytes, created: datetime) -> str:
    """The header a client sends; `nonce` must be new within an hour."""
    moment = created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    token = digest(nonce, moment, api_key)
    encoded = base64.b64encode(nonce).decode()
    return f'UsernameToken Username="{username}", PasswordDigest="{token}", Nonce="{encoded}", Created="{moment}"'


_ROOM = 10_000


class WsseGate:
    """Remembers the nonces of the last hour."""

    def __init__(self, state: OroState) -> None:
        self._state = state
        self._used: dict[str, datetime] = {}
        self._room = _ROOM

    def user(self, text: str) -> OroUser | None:
        """Who signs in with this header; a disabled user still may (auth-wsse-disabled-user)."""
        found = _HEADER.fullmatch(text.strip())
        if found is None:
            return None
        username, token, nonce, created = found.groups()
        user = self._state.user_named(username)
        moment = _created(created)
        if user is None or moment is None or not user.api_key:
            return None
        now = self._state.clock().astimezone(UTC)
        if moment > now or now - moment > LIFETIME or self._known(nonce, now):
            return None
        try:
            raw = base64.b64decode(nonce, validate=True)
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(digest(raw, created, user.api_key), token):
            return None
        self._used[nonce] = now
        return user

    def _known(self, nonce: str, now: datetime) -> bool:
        if len(self._used) > self._room:
            self._used = {known: when for known, when in self._used.items() if now - when <= LIFETIME}
            self._room = max(_ROOM, 2 * len(self._used))  # else a busy hour would sort them out with every request
        when = self._used.get(nonce)
        return when is not None and now - when <= LIFETIME


def _created(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
