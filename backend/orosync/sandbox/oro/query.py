"""Query strings as OroCRM reads them: operators may stand in place of `=`, brackets name fields and operators.

Only text is taken apart here; which filters exist is left to the schema. Source: contacts-error-filter-*,
filters-two-operators-same-field, calendarevents-list-updatedAt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus

from orosync.sandbox.oro.problems import Problem, Refused

_PAIR = re.compile(r"([^<>=!%&]*(?:%(?!3[CEce]|21)[0-9A-Fa-f]{2}[^<>=!%&]*)*)((?:[<>!=]|%3[CEce]|%21)*)(.*)", re.DOTALL)
_FILTER = re.compile(r"filter\[([\w.]+)\](?:\[([\w.]+)\])?")
_SIGNS = {"=": "eq", "": "eq", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "<>": "neq", "!=": "neq"}
OPERATORS = (
    "contains",
    "eq",
    "exists",
    "gt",
    "gte",
    "lt",
    "lte",
    "neq",
    "neq_or_null",
    "not_contains",
)


@dataclass(frozen=True)
class Parameter:
    """One parameter: `sign` is the operator that stood between name and value, as a word."""

    name: str
    sign: str
    value: str


def parameters(query: str) -> list[Parameter]:
    """All parameters in order; both `updatedAt>=T` and its percent-encoded form are understood."""
    return list(_split(query))


def _split(query: str) -> Iterator[Parameter]:
    for part in query.split("&"):
        found = _PAIR.fullmatch(part)
        if part and found:
            sign = unquote_plus(found[2])
            # the sign of a filter value that begins with one belongs to the value
            known = sign if sign in _SIGNS else sign[:1]
            value = sign[len(known) :] + unquote_plus(found[3])
            yield Parameter(unquote_plus(found[1]), _SIGNS.get(known, "eq"), value)


@dataclass(frozen=True)
class Condition:
    """One filter: field, operator, text; `parameter` is how an error names it."""

    field: str
    operator: str
    value: str
    parameter: str
    target: str | None = None


@dataclass
class Listing:
    """What a request asks of a list or a record."""

    conditions: list[Condition] = field(default_factory=list)
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    page: int = 1
    size: int = 10
    others: list[Parameter] = field(default_factory=list)


def unsupported(parameter: str) -> Problem:
    """An unknown parameter or filter."""
    return Problem(400, "filter constraint", "The filter is not supported.", parameter=parameter)


def read(query: str, *, both_count: bool, signs: bool) -> Listing:
    """Reads a JSON:API query. Raises `Refused` for page values that are no numbers.

    `both_count=False` is 5.1: of two operators on one field only one is applied, [lt] whatever the order.
    `signs=False` (from 6.1): `filter[id]>1` is no longer understood.
    """
    listing = Listing()
    chosen: dict[str, list[Condition]] = {}
    for parameter in parameters(query):
        found = _FILTER.fullmatch(parameter.name)
        if parameter.sign != "eq" and not signs:
            listing.others.append(parameter)
        elif found:
            condition = _condition(found, parameter)
            chosen.setdefault(condition.field, []).append(condition)
        elif parameter.name.startswith("fields[") and parameter.name.endswith("]"):
            names = frozenset(name.strip() for name in parameter.value.split(",") if name.strip())
            listing.fields[parameter.name[7:-1]] = names
        elif parameter.name == "include":
            listing.include = tuple(name for name in parameter.value.split(",") if name)
        elif parameter.name == "sort":
            listing.sort = tuple(name for name in parameter.value.split(",") if name)
        elif parameter.name in ("page[number]", "page[size]"):
            _page(listing, parameter)
        elif parameter.name != "meta":
            listing.others.append(parameter)
    for conditions in chosen.values():
        # the query string is put in order by name before it is read, and the last one wins
        listing.conditions += conditions if both_count else [max(conditions, key=lambda each: each.operator)]
    return listing


def _condition(found: re.Match[str], parameter: Parameter) -> Condition:
    name, detail = found[1], found[2]
    if detail is None:
        return Condition(name, parameter.sign, parameter.value, f"filter[{name}]")
    if detail in OPERATORS:
        return Condition(name, detail, parameter.value, f"filter[{name}]")
    return Condition(name, "eq", parameter.value, parameter.name, target=detail)


def _page(listing: Listing, parameter: Parameter) -> None:
    try:
        value = int(parameter.value)
    except ValueError:
        detail = f'Expected integer value. Given "{parameter.value}".'
        raise Refused(Problem(400, "filter constraint", detail, parameter=parameter.name)) from None
    if parameter.name == "page[size]":
        listing.size = value
        return
    if value < 1:
        detail = "The value should be greater than or equals to 1."
        raise Refused(Problem(400, "filter constraint", detail, parameter=parameter.name))
    listing.page = value


def rebuilt(query: str, page: int | None, *, onward: bool = False) -> str:
    """The query of a link to another page: parameters in order of name, the page number among them."""
    known = [(each.name, each.value) for each in parameters(query)]
    pairs = [pair for pair in known if pair[0] != "page[number]"]
    onward = onward and len(pairs) == len(known)
    if page is not None:
        pairs.append(("page[number]", str(page)))
    if onward:
        # a number that was not there before comes behind the size, otherwise names are in order
        return _joined(sorted(pairs, key=lambda pair: "page[size]~" if pair[0] == "page[number]" else pair[0]))
    return _joined(sorted(pairs))


def _joined(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
