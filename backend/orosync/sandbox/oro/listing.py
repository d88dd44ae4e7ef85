"""Which records a list shows, in which order, and how many there are.

Uses the indexes of the tables where a condition has one, so that the cost follows the answer and not the table.
What a record looks like is left to `documents`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orosync.sandbox.oro import geography, permissions
from orosync.sandbox.oro.dictionaries import DICTIONARIES, Entry, find
from orosync.sandbox.oro.problems import Problem, Refused, denied
from orosync.sandbox.oro.query import Condition, Listing, unsupported
from orosync.sandbox.oro.records import OroUser
from orosync.sandbox.oro.schema import owner_of
from orosync.sandbox.oro.schema_parts import Filter, Resource
from orosync.sandbox.oro.state import OroState
from orosync.sandbox.oro.tables import Table
from orosync.sandbox.oro.times import parse_filter_time

Test = Callable[[Any], bool]
_ORDERED = ("gt", "gte", "lt", "lte")
_RANGED = ("number", "time")


@dataclass(frozen=True)
class Selected:
    """One page of a list; `total` counts all that match and are visible."""

    records: list[Any]
    total: int
    more: bool


def select(
    state: OroState, user: OroUser, resource: Resource, listing: Listing, within: Sequence[Any] | None
) -> Selected:
    """The page asked for. `within` limits to given ids (a subresource). Raises `Refused` 400, 403."""
    _refuse_unknown(resource, listing)
    level = state.level(user, resource.entity) if resource.entity else permissions.SYSTEM
    if level == permissions.NONE:
        raise denied("No access to this type of entities.")
    conditions = [_bound(state, resource.filters[each.field], each) for each in listing.conditions]
    table = _table(state, resource.name)
    size = listing.size
    if state.settings.max_page_size is not None and not 0 <= size <= state.settings.max_page_size:
        size = state.settings.max_page_size
    first = (listing.page - 1) * max(size, 0)
    last = None if size < 0 else first + size
    plain = not conditions and level == permissions.SYSTEM and within is None
    if plain and table is not None and listing.sort and last is not None and _newest_first(listing.sort):
        ascending = listing.sort[-1] in ("id", "-updatedAt")
        ids = table.newest(last, ids_ascending=ascending)[first:]
        return Selected([table.get(number) for number in ids], len(table), last < len(table))
    ids = _candidates(state, resource, table, conditions, within)
    tests = [each.test for each in conditions if each.ids is None]
    if level == permissions.OWN:
        tests.append(lambda record: owner_of(state, resource, record) == user.id)
    records: Iterable[Any] | None = None
    if tests:
        found = (find_record(state, resource, table, number) for number in ids)
        records = [record for record in found if record is not None and all(test(record) for test in tests)]
        ids = [record.id for record in records]
    if listing.sort and not _in_order(listing.sort, conditions, table):
        ids = _sorted(state, resource, table, ids, listing.sort)
    page = ids[first:last]
    shown = [find_record(state, resource, table, number) for number in page]
    return Selected([each for each in shown if each is not None], len(ids), last is not None and last < len(ids))


def find_record(state: OroState, resource: Resource, table: Table[Any] | None, number: Any) -> Any:
    """The record of this id, or None."""
    return table.get(number) if table is not None else find(state, resource.name, number)


def _table(state: OroState, name: str) -> Table[Any] | None:
    tables: dict[str, Table[Any]] = {
        "contacts": state.contacts,
        "contactaddresses": state.addresses,
        "tasks": state.tasks,
        "users": state.users,
        **state.crm,
    }
    return tables.get(name)


def _all_ids(state: OroState, resource: Resource, table: Table[Any] | None) -> list[Any]:
    if table is not None:
        return table.ids
    listed: dict[str, Iterable[Any]] = {
        "countries": geography.countries(),
        "regions": geography.regions(),
        "organizations": ["1"],
        "contactgroups": sorted(state.groups),
        "tags": sorted(state.tags),
    }
    return list(listed.get(resource.name, DICTIONARIES.get(resource.name, {})))


def _newest_first(sort: Sequence[str]) -> bool:
    return tuple(sort) in (("-updatedAt",), ("-updatedAt", "id"), ("-updatedAt", "-id"))


def _in_order(sort: Sequence[str], conditions: Sequence[_Bound], table: Table[Any] | None) -> bool:
    by_time = any(each.by_time for each in conditions)
    if tuple(sort) == ("id",):
        return not by_time
    return table is not None and by_time and tuple(sort) in (("updatedAt",), ("updatedAt", "id"))


def _sorted(
    state: OroState, resource: Resource, table: Table[Any] | None, ids: list[Any], sort: Sequence[str]
) -> list[Any]:
    for name in reversed(sort):
        field = name.removeprefix("-")
        read = resource.filters[field].read if field in resource.filters else resource.attributes[field]

        def key(number: Any, read: Any = read) -> tuple[bool, Any]:
            value = read(state, find_record(state, resource, table, number))
            # PostgreSQL puts empty values last
            return (value is None, 0 if value is None else value)

        ids = sorted(ids, key=key, reverse=name.startswith("-"))
    return ids


# conditions


@dataclass
class _Bound:
    """A condition with its value read: ids from an index, or a test for each record."""

    test: Test
    ids: Callable[[Table[Any]], list[Any]] | None = None
    by_time: bool = False


def _refuse_unknown(resource: Resource, listing: Listing) -> None:
    found = []
    for condition in listing.conditions:
        known = resource.filters.get(condition.field)
        if known is None or (condition.target is not None) != (known.kind == "target"):
            found.append(unsupported(condition.parameter))
        elif condition.operator not in _operators(known, condition.field):
            detail = f'The operator "{condition.operator}" is not supported.'
            found.append(Problem(400, "filter constraint", detail, parameter=condition.parameter))
    found += [unsupported(parameter.name) for parameter in listing.others]
    for name in listing.sort:
        if name.removeprefix("-") not in resource.sorts:
            detail = f'Sorting by "{name.removeprefix("-")}" field is not supported.'
            found.append(Problem(400, "sort constraint", detail, parameter="sort"))
    if found:
        raise Refused(*found)


def _operators(known: Filter, name: str) -> tuple[str, ...]:
    if known.kind in ("search", "target"):
        return ("eq",)
    if name == "id":
        return ("eq", "neq", *_ORDERED) if known.kind == "number" else ("eq", "neq")
    plain = ("eq", "neq", "exists", "neq_or_null")
    if known.kind == "time":
        return (*plain, *_ORDERED)
    return (*plain, "contains", "not_contains") if known.many and known.kind == "number" else plain


def _candidates(
    state: OroState,
    resource: Resource,
    table: Table[Any] | None,
    conditions: list[_Bound],
    within: Sequence[Any] | None,
) -> list[Any]:
    if within is not None:
        for bound in conditions:
            bound.ids, bound.by_time = None, False
        return list(within)
    if table is None:
        for bound in conditions:
            bound.ids = None
        return _all_ids(state, resource, table)
    chosen: list[Any] | None = None
    for bound in conditions:
        if bound.ids is None:
            continue
        found = bound.ids(table)
        if chosen is None:
            chosen = found
        elif bound.by_time:
            members = set(chosen)
            chosen = [number for number in found if number in members]
        else:
            members = set(found)
            chosen = [number for number in chosen if number in members]
    if chosen is None:
        return table.ids
    return chosen


def _bound(state: OroState, known: Filter, condition: Condition) -> _Bound:
    operator, text = condition.operator, condition.value
    if operator == "exists":
        wanted = text.lower() in ("yes", "true", "1")
        return _Bound(lambda record: (known.read(state, record) not in (None, [], ())) == wanted)
    if known.kind == "search":
        return _Bound(lambda record: text.lower() in known.read(state, record))
    if known.kind == "target":
        numbers = [(condition.target, int(part)) for part in text.split(",") if part.isdigit()]
        return _Bound(lambda record: any(each in known.read(state, record) for each in numbers))
    if known.kind in _RANGED and ".." in text:
        return _range(state, known, condition)
    values = _values(state, known, condition)
    if known.kind == "time" and operator in ("eq", *_ORDERED):
        return _by_time(state, known, operator, values[0], condition.field)
    test = _test(state, known, operator, values)
    if condition.field == "id" and operator in _ORDERED:
        low = {"gt": values[0] + 1, "gte": values[0]}.get(operator)
        high = {"lt": values[0] - 1, "lte": values[0]}.get(operator)
        return _Bound(test, ids=lambda table: table.id_between(low, high))
    if operator != "eq":
        return _Bound(test)
    if condition.field == "id" and known.kind == "number":
        return _Bound(test, ids=lambda table: sorted({number for number in values if number in table}))
    key = known.key
    if key is not None and (known.kind != "text" or key not in ("email", "phone")):
        return _Bound(test, ids=lambda table: sorted({n for value in values for n in table.with_key(key, value)}))
    if key is not None:
        # the primary one is among all: look those up, then test
        return _Bound(test, ids=lambda table: [n for n in table.with_key(key, values[0]) if test(table.get(n))])
    return _Bound(test)


def _values(state: OroState, known: Filter, condition: Condition) -> list[Any]:
    text = condition.value
    if known.kind == "text":
        return [text]
    if known.kind == "texts":
        return text.split(",")
    if known.kind == "time":
        moment = parse_filter_time(text, state.now())
        if moment is None:
            raise _bad_value(condition, "datetime")
        return [moment]
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise _bad_value(condition, "integer") from None


def _bad_value(condition: Condition, kind: str) -> Refused:
    detail = f'Expected {kind} value. Given "{condition.value}".'
    if kind == "datetime" and ".." in condition.value:
        detail = f'Expected a pair of datetimes (datetime..datetime). Given "{condition.value}".'
    return Refused(Problem(400, "filter constraint", detail, parameter=condition.parameter))


def _range(state: OroState, known: Filter, condition: Condition) -> _Bound:
    low_text, _, high_text = condition.value.partition("..")
    low: Any
    high: Any
    if known.kind == "time":
        low, high = parse_filter_time(low_text, state.now()), parse_filter_time(high_text, state.now())
    else:
        low = int(low_text) if low_text.isdigit() else None
        high = int(high_text) if high_text.isdigit() else None
    if low is None or high is None:
        raise _bad_value(condition, "datetime" if known.kind == "time" else "integer")
    negated = condition.operator.startswith("neq")

    def test(record: Any) -> bool:
        value = known.read(state, record)
        return value is not None and (low <= value <= high) != negated

    if condition.field == "updatedAt" and not negated:
        return _Bound(test, ids=lambda table: table.between(low, high), by_time=True)
    if condition.field == "id" and known.kind == "number" and not negated:
        return _Bound(test, ids=lambda table: table.id_between(low, high))
    return _Bound(test)


def _by_time(state: OroState, known: Filter, operator: str, moment: datetime, name: str) -> _Bound:
    compare: dict[str, Callable[[datetime], bool]] = {
        "eq": lambda value: value == moment,
        "gt": lambda value: value > moment,
        "gte": lambda value: value >= moment,
        "lt": lambda value: value < moment,
        "lte": lambda value: value <= moment,
    }

    def test(record: Any) -> bool:
        value = known.read(state, record)
        return value is not None and compare[operator](value)

    def ids(table: Table[Any]) -> list[Any]:
        low = moment if operator in ("eq", "gt", "gte") else None
        high = moment if operator in ("eq", "lt", "lte") else None
        return table.between(low, high, with_low=operator != "gt", with_high=operator != "lt")

    return _Bound(test, ids=ids, by_time=True) if name == "updatedAt" else _Bound(test)


def _test(state: OroState, known: Filter, operator: str, values: list[Any]) -> Test:
    def matches(record: Any) -> bool:
        value = known.read(state, record)
        if known.many:
            return any(each in values for each in value)
        return (str(value) if isinstance(record, Entry) else value) in (
            [str(each) for each in values] if isinstance(record, Entry) else values
        )

    def compares(record: Any) -> bool:
        value, wanted = known.read(state, record), values[0]
        if value is None:
            return False
        return bool(
            {
                "gt": value > wanted,
                "gte": value >= wanted,
                "lt": value < wanted,
                "lte": value <= wanted,
            }[operator]
        )

    if operator in _ORDERED:
        return compares
    if operator in ("eq", "contains"):
        return matches
    if operator in ("not_contains", "neq_or_null"):
        return lambda record: not matches(record)
    return lambda record: known.read(state, record) not in (None, [], ()) and not matches(record)
