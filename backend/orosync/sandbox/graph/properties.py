"""Single-value extended properties: the spelling of ids, writing, reading (graph-api.md 1.3, 2.1)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from orosync.sandbox.graph.wire import JSON, bad_request

GENDER = "Short 0x3A4D"
FAX = "String 0x3A24"
PRIMARY_PHONE = "String 0x3A1A"
FRIENDLY = {"gender": GENDER, "fax": FAX, "primary_phone": PRIMARY_PHONE}

_TYPES = {
    name.lower(): name
    for name in [
        "String",
        "Integer",
        "Short",
        "Boolean",
        "Double",
        "Float",
        "Long",
        "SystemTime",
        "Binary",
        "CLSID",
        "Currency",
        "ApplicationTime",
    ]
}
_FORM = re.compile(
    r"(?P<type>\w+)\s+(?:\{?(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?\s+"
    r"(?:Name\s+(?P<name>.+)|Id\s+(?P<pid>0[xX][0-9A-Fa-f]+))|(?P<tag>0[xX][0-9A-Fa-f]{1,4}))"
)
_WHOLE_NUMBERS = {"Short": 16, "Integer": 32, "Long": 64}


@lru_cache(maxsize=4096)
def canonical_id(spelling: str) -> str:
    """One key for all spellings: hexadecimal parts and types in one case, the Name as sent (it is case-sensitive).

    Raises GraphFault 400 for an id of none of the three documented forms.
    """
    match = _FORM.fullmatch(spelling.strip())
    kind = _TYPES.get(match["type"].lower()) if match else None
    if match is None or kind is None:
        raise bad_request(f"The property id '{spelling}' is invalid.", "ErrorInvalidProperty")
    if match["tag"]:
        return sys.intern(f"{kind} 0x{int(match['tag'], 16):x}")
    guid = match["guid"].lower()
    if match["name"]:
        return sys.intern(f"{kind} {{{guid}}} Name {match['name'].strip()}")
    return sys.intern(f"{kind} {{{guid}}} Id 0x{int(match['pid'], 16):x}")


def checked_value(canonical: str, value: Any) -> str:
    """The value as kept.

    Raises GraphFault 400: values are JSON strings also for numbers, and a number must fit its MAPI type.
    """
    if not isinstance(value, str):
        raise bad_request(f"Cannot convert the value of '{canonical}' to type 'Edm.String'.", "RequestBodyRead")
    bits = _WHOLE_NUMBERS.get(canonical.split(" ", 1)[0])
    if bits is None:
        return value
    try:
        number = int(value)
    except ValueError:
        number = 1 << bits
    if not -(1 << bits - 1) <= number < (1 << bits - 1):
        raise bad_request(f"The value '{value}' is not valid for property '{canonical}'.", "ErrorInvalidProperty")
    return str(number)


def read_written(value: Any) -> dict[str, str]:
    """`singleValueExtendedProperties` of a request body as canonical id -> value; raises GraphFault 400."""
    if not isinstance(value, list) or not all(
        isinstance(row, dict) and isinstance(row.get("id"), str) for row in value
    ):
        raise bad_request("Cannot convert the value of 'singleValueExtendedProperties'.", "RequestBodyRead")
    written: dict[str, str] = {}
    for row in value:
        key = canonical_id(row["id"])
        written[key] = checked_value(key, row.get("value"))
    return written


def shown(extended: Mapping[str, str] | None, wanted: Iterable[str]) -> list[JSON]:
    """The expanded rows. Ids come back in our spelling, not in the caller's: compare without case (1.3)."""
    if not extended:
        return []
    return [{"id": key, "value": extended[key]} for key in dict.fromkeys(wanted) if key in extended]


class ExtendedValues(MutableMapping[str, str]):
    """Extended properties as a person inspecting the mailbox asks for them: any spelling of an id, or a
    friendly name (`gender`, `fax`, `primary_phone`); absent ones are missing keys."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {self.key(name): value for name, value in (values or {}).items()}

    @staticmethod
    def key(name: str) -> str:
        return canonical_id(FRIENDLY.get(name, name))

    def __getitem__(self, name: str) -> str:
        return self._values[self.key(name)]

    def __setitem__(self, name: str, value: str) -> None:
        self._values[self.key(name)] = value

    def __delitem__(self, name: str) -> None:
        del self._values[self.key(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    __hash__ = None  # type: ignore[assignment]  # changeable, as a dict is

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self._values == {self.key(str(name)): value for name, value in other.items()}

    def __repr__(self) -> str:
        return repr(self._values)
