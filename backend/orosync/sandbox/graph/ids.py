"""Ids, change keys and tokens: long, opaque, case-sensitive, and the same for the same seed.

An item has two ids: one that survives moves (given only for `Prefer: IdType="ImmutableId"`) and one that
changes with every move (graph-api.md 8). An occurrence of a series carries its date inside its master's id.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from itertools import count
from struct import pack
from uuid import UUID

IMMUTABLE = "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A"
MUTABLE = "AAMkAGI1MTYzZTk2LWYxYjAtNDY4ZC1iYjQwLWQ1ZDk2ZTQxYjA3MgBGAAAAAAA"
CONTAINER = "AAMkAGI1MTYzZTk2LWYxYjAtNDY4ZC1iYjQwLWQ1ZDk2ZTQxYjA3MgAuAAAAAAC"
_NO_DATE = "AAAAAAAA"
_TAIL = "AAA="


class IdMint:
    """Makes ids for one mailbox; everything follows from `seed` and `owner`."""

    def __init__(self, seed: int, owner: str) -> None:
        self._key = blake2b(f"{seed}|{owner}".encode(), digest_size=16).digest()
        self._tokens = count(1)

    def _digest(self, *parts: int) -> str:
        digest = blake2b(pack(f">{len(parts)}q", *parts), key=self._key, digest_size=15)
        return urlsafe_b64encode(digest.digest()).decode("ascii")

    def immutable_token(self, serial: int) -> str:
        return self._digest(1, serial)

    def mutable_token(self, serial: int, moves: int) -> str:
        return self._digest(2, serial, moves)

    def container_id(self, serial: int) -> str:
        return f"{CONTAINER}{self._digest(3, serial)}{_TAIL}"

    def sync_token(self) -> str:
        return f"sandbox_{self._digest(4, next(self._tokens))}{self._digest(5, next(self._tokens))}"

    def guid(self, *parts: int) -> str:
        return str(UUID(bytes=blake2b(pack(f">{len(parts)}q", *parts), key=self._key, digest_size=16).digest()))

    def ical_uid(self, serial: int, date: str = "00000000") -> str:
        tail = blake2b(pack(">q", serial), key=self._key, digest_size=16).hexdigest().upper()
        year, month, day = int(date[:4]), int(date[4:6]), int(date[6:])
        return f"040000008200E00074C5B7101A82E008{year:04X}{month:02X}{day:02X}{'0' * 32}10000000{tail}"


def item_id(form: str, token: str, date: str | None = None) -> str:
    """The id on the wire: `form` is IMMUTABLE or MUTABLE, `date` (yyyymmdd) marks an occurrence."""
    return f"{form}{token}{date or _NO_DATE}{_TAIL}"


def split_id(text: str) -> tuple[str, str, str | None] | None:
    """(form, token, date) of an item id, or None when it has no known form."""
    for form in (IMMUTABLE, MUTABLE):
        if text.startswith(form) and len(text) == len(form) + 32 and text.endswith(_TAIL):
            token, date = text[len(form) : len(form) + 20], text[len(form) + 20 : -4]
            if date == _NO_DATE:
                return form, token, None
            return (form, token, date) if date.isdigit() else None
    return None


def change_key(serial: int, version: int) -> str:
    return "EQAAABYAAACa" + urlsafe_b64encode(pack(">IQ", serial & 0xFFFFFFFF, version)).decode("ascii")
