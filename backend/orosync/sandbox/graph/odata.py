"""The OData options the simulated Graph understands: `$select`, `$expand`, `$filter`, `$orderby`, paging.

Accepts what graph-api.md 1.1, 2.1 and 4 call documented, and refuses the rest with 400 as Graph does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from orosync.sandbox.graph.properties import canonical_id
from orosync.sandbox.graph.wire import GraphFault, bad_request

Getter = Callable[[Any, str], Any]
Predicate = Callable[[Any, Getter], bool]
_UNCOUNTED = {"linkedResources", "extensions", "checklistItems", "attendees", "instances"}

_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<punct>[(),])|(?P<word>[^\s(),']+))", re.DOTALL)


def _bad_filter(message: str) -> GraphFault:
    return GraphFault(400, "ErrorInvalidUrlQueryFilter", message)


@dataclass(frozen=True, slots=True)
class Expansion:
    """`$expand`: extended property ids in canonical form, and names of collections shown whole."""

    properties: tuple[str, ...] = ()
    collections: frozenset[str] = frozenset()


@lru_cache(maxsize=512)
def parse_expand(text: str) -> Expansion:
    """Reads `singleValueExtendedProperties($filter=id eq 'A' or id eq 'B'),linkedResources`.

    An expand of extended properties without `$filter` shows none (graph-api.md 2.1). Raises GraphFault 400.
    """
    ids: list[str] = []
    collections: set[str] = set()
    for name, options in re.findall(r"([A-Za-z]+)\s*(\((?:[^()']|'(?:[^']|'')*')*\))?\s*(?:,|$)", text.strip()):
        if name != "singleValueExtendedProperties":
            collections.add(name)
            continue
        condition = re.fullmatch(r"\(\s*\$filter\s*=\s*(.*?)\s*\)", options or "", re.DOTALL)
        if condition is None:
            continue
        for clause in re.split(r"\s+or\s+(?=id\s)", condition[1]):
            match = re.fullmatch(r"\(?\s*id\s+eq\s+'((?:[^']|'')*)'\s*\)?", clause.strip())
            if match is None:
                raise bad_request(f"Invalid filter clause: '{clause}'.", "ErrorInvalidUrlQueryFilter")
            ids.append(canonical_id(match[1].replace("''", "'")))
    if not ids and not collections and "singleValueExtendedProperties" not in text:
        raise bad_request(f"Parsing OData Select and Expand failed: '{text}'.", "RequestBroker--ParseUri")
    return Expansion(tuple(ids), frozenset(collections))


@lru_cache(maxsize=512)
def parse_select(text: str, known: frozenset[str], type_name: str) -> tuple[str, ...] | None:
    """Property names of `$select`, or None for "all"; raises GraphFault 400 for one the type does not have."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in known and name != "*":
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type"
                f" 'Microsoft.OutlookServices.{type_name}'.",
                "RequestBroker--ParseUri",
            )
    return None if not names or "*" in names else names


def whole_number(query: Mapping[str, str], option: str, default: int, most: int | None = None) -> int:
    """`$top` or `$skip`; raises GraphFault 400 outside 0..most."""
    text = query.get(option)
    if text is None:
        return default
    number = int(text) if text.isdigit() else -1
    if number < 0 or (most is not None and number > most) or (option == "$top" and number == 0):
        raise bad_request(
            f"Invalid value '{text}' for {option} query option found."
            f" The {option} query option requires a non-negative integer value of at most {most}.",
            "ErrorInvalidUrlQuery",
        )
    return number


@lru_cache(maxsize=256)
def parse_filter(text: str, known: frozenset[str]) -> Predicate:
    """A `$filter` as a predicate over (item, getter); raises GraphFault 400 for what Graph does not offer."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text) and text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _bad_filter(f"Invalid filter clause: '{text}'.")
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        position = match.end()
    parser = _FilterParser(tokens, text, known)
    predicate = parser.either()
    if parser.left():
        raise _bad_filter(f"Invalid filter clause: '{text}'.")
    return predicate


class _FilterParser:
    """Recursive descent over and, or, not, comparisons, startswith, contains and any()."""

    def __init__(self, tokens: list[tuple[str, str]], text: str, known: frozenset[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._text = text
        self._known = known
        self._variable: str | None = None

    def left(self) -> bool:
        return self._at < len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self.left() else ""

    def _take(self, expected: str | None = None) -> str:
        token = self._peek()
        if not token or (expected is not None and token.lower() != expected):
            raise _bad_filter(f"Invalid filter clause: '{self._text}'.")
        self._at += 1
        return token

    def either(self) -> Predicate:
        options = [self._every()]
        while self._peek().lower() == "or":
            self._take()
            options.append(self._every())
        if len(options) == 1:
            return options[0]
        return lambda item, get: any(option(item, get) for option in options)

    def _every(self) -> Predicate:
        needs = [self._single()]
        while self._peek().lower() == "and":
            self._take()
            needs.append(self._single())
        if len(needs) == 1:
            return needs[0]
        return lambda item, get: all(need(item, get) for need in needs)

    def _single(self) -> Predicate:
        token = self._take()
        if token == "(":
            inner = self.either()
            self._take(")")
            return inner
        if token.lower() == "not":
            denied = self._single()
            return lambda item, get: not denied(item, get)
        if token.lower() in {"startswith", "contains"} and self._peek() == "(":
            return self._text_function(token.lower())
        if token.lower() == "cast" and self._peek() == "(":
            self._take("(")
            path = self._take()
            self._take(",")
            self._take()
            self._take(")")
            return self._comparison(path, numeric=True)
        if token.endswith("/any"):
            return self._any(token.removesuffix("/any"))
        return self._comparison(token)

    def _text_function(self, name: str) -> Predicate:
        self._take("(")
        read = self._reader(self._take())
        self._take(",")
        wanted = str(_literal(self._take())).casefold()
        self._take(")")

        def matches(item: Any, get: Getter) -> bool:
            value = str(read(item, get) or "").casefold()
            return value.startswith(wanted) if name == "startswith" else wanted in value

        return matches

    def _any(self, collection: str) -> Predicate:
        if collection not in {"emailAddresses", "singleValueExtendedProperties"} or collection in _UNCOUNTED:
            raise _bad_filter(f"The filter on '{collection}' is not supported.")
        if collection == "emailAddresses" and collection not in self._known:
            raise _bad_filter(f"Could not find a property named '{collection}'.")
        self._take("(")
        head = self._take()
        variable, colon, first = head.partition(":")
        if not colon:
            raise _bad_filter(f"Invalid filter clause: '{self._text}'.")
        if first:
            self._at -= 1
            self._tokens[self._at] = ("word", first)
        outer, self._variable = self._variable, variable
        inner = self.either()
        self._variable = outer
        self._take(")")

        def matches(item: Any, get: Getter) -> bool:
            rows: Iterable[Any] = get(item, collection) or ()
            return any(inner(row, get) for row in rows)

        return matches

    def _reader(self, path: str) -> Callable[[Any, Getter], Any]:
        parts = path.split("/")
        if self._variable is not None:
            if len(parts) != 2 or parts[0] != self._variable:
                raise _bad_filter(f"Invalid filter clause: '{self._text}'.")
            if parts[1] not in {"address", "id", "value"}:
                raise _bad_filter(f"The property '{parts[1]}' does not support filtering.")
            return lambda row, _: row.get(parts[1])
        if parts[0] not in self._known:
            raise _bad_filter(f"Could not find a property named '{parts[0]}'.")

        def read(item: Any, get: Getter) -> Any:
            value = get(item, parts[0])
            for part in parts[1:]:
                value = value.get(part) if isinstance(value, dict) else None
            return value

        return read

    def _comparison(self, path: str, numeric: bool = False) -> Predicate:
        read = self._reader(path)
        operator = self._take().lower()
        literal: Any = _literal(self._take())
        name = path.rpartition("/")[2]
        if operator not in {"eq", "ne", "gt", "ge", "lt", "le"}:
            raise _bad_filter(f"The operator '{operator}' is not supported.")
        if self._variable is not None and name == "address" and operator != "eq":
            raise _bad_filter("Only the operator 'eq' is supported on emailAddresses/address.")
        if self._variable is not None and name == "id":
            wanted_id = canonical_id(str(literal))
            return lambda row, get: bool(read(row, get) == wanted_id) == (operator == "eq")
        wanted = int(literal) if numeric else _comparable(literal)
        return lambda item, get: _compare(_sample(read(item, get), numeric), operator, wanted)


def _sample(value: Any, numeric: bool) -> Any:
    if numeric:
        return int(value) if value not in (None, "") else None
    return _comparable(value)


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    words = {"null": None, "true": True, "false": False}
    if token in words:
        return words[token]
    return int(token) if re.fullmatch(r"-?\d+", token) else token


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", value):
            try:
                moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            except ValueError:
                return value.casefold()
        return value.casefold()
    return value


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator == "eq":
        return bool(left == right)
    if operator == "ne":
        return bool(left != right)
    if left is None or right is None or type(left) is not type(right):
        return False
    if operator == "gt":
        return bool(left > right)
    if operator == "ge":
        return bool(left >= right)
    return bool(left < right) if operator == "lt" else bool(left <= right)


def sorted_by(items: Iterable[Any], text: str, known: frozenset[str], get: Getter) -> list[Any]:
    """`$orderby=a desc,b`; raises GraphFault 400 for unknown properties."""
    rows = list(items)
    for clause in reversed(text.split(",")):
        path, _, way = clause.strip().partition(" ")
        first, *rest = path.split("/")
        if first not in known or way.strip().lower() not in {"", "asc", "desc"}:
            raise bad_request(f"Could not find a property named '{path}'.", "ErrorInvalidUrlQuery")

        def key(item: Any, first: str = first, rest: list[str] = rest) -> tuple[bool, str]:
            value = get(item, first)
            for part in rest:
                value = value.get(part) if isinstance(value, dict) else None
            return value is not None, "" if value is None else str(value).casefold()

        rows.sort(key=key, reverse=way.strip().lower() == "desc")
    return rows
