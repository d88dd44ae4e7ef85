"""JSON:API documents of OroCRM as plain values: parameters of lists, bodies of writes, what resources refer to.

Pure; nothing is sent here. Rules from orocrm-api.md 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Resource = dict[str, Any]


def instant(moment: datetime) -> str:
    """UTC, whole seconds, `Z`: the form both interfaces take."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_second(text: str) -> str:
    return instant(datetime.fromisoformat(text) + timedelta(seconds=1))


def range_filter(field: str, low: str, high: str) -> dict[str, str]:
    """Both ends included. Of two operators on one field only one counts (filters-two-operators-same-field)."""
    return {f"filter[{field}]": f"{low}..{high}"}


def since_filter(field: str, low: str) -> dict[str, str]:
    """`gte`, since `gt` loses what comes later in the same second."""
    return {f"filter[{field}][gte]": low}


def ids_filter(ids: Iterable[str]) -> dict[str, str]:
    """A list of ids; missing ones are left out of the answer without an error."""
    return {"filter[id]": ",".join(ids)}


def thin(type_: str, fields: Iterable[str]) -> dict[str, str]:
    """Only these attributes and relations; unknown names are ignored by OroCRM."""
    return {f"fields[{type_}]": ",".join(fields)}


def page(size: int, number: int = 1) -> dict[str, str]:
    return {"page[size]": str(size), "page[number]": str(number)}


def one(type_: str, id: str | None) -> dict[str, Any]:
    """A relation to one record, or to none."""
    return {"data": None if id is None else {"type": type_, "id": id}}


def many(type_: str, ids: Iterable[str]) -> dict[str, Any]:
    return {"data": [{"type": type_, "id": each} for each in ids]}


def document(
    type_: str,
    id: str | None,
    attributes: Mapping[str, Any],
    relationships: Mapping[str, Any],
    included: Iterable[Resource] = (),
) -> dict[str, Any]:
    """The body of a POST (id None) or PATCH. Parts without content are left out: `attributes: {}` is a 400."""
    data: Resource = {"type": type_}
    if id is not None:
        data["id"] = id
    if attributes:
        data["attributes"] = dict(attributes)
    if relationships:
        data["relationships"] = dict(relationships)
    whole: dict[str, Any] = {"data": data}
    if more := list(included):
        whole["included"] = more
    return whole


def related(resource: Resource, name: str) -> str | None:
    """The id behind a relation to one; None for none, and for one that may not be seen."""
    data = (resource.get("relationships") or {}).get(name, {}).get("data")
    return str(data["id"]) if isinstance(data, dict) else None


def related_ids(resource: Resource, name: str) -> list[str]:
    """The ids behind a relation to many; OroCRM cuts it at 100."""
    data = (resource.get("relationships") or {}).get(name, {}).get("data")
    return [str(each["id"]) for each in data] if isinstance(data, list) else []


def tag_names(resource: Resource, tags: Mapping[str, Resource]) -> list[str]:
    """The names of a record's tags, as people choose them; a tag that is not shown to the user goes by its id."""
    known = {each: (tags.get(each) or {}).get("attributes") or {} for each in related_ids(resource, "tags")}
    return sorted(str(own.get("name") or each) for each, own in known.items())


def included_by_id(answer: Any, type_: str) -> dict[str, Resource]:
    """The embedded resources of one type."""
    included = answer.get("included", []) if isinstance(answer, dict) else []
    return {str(each["id"]): each for each in included if each.get("type") == type_}
