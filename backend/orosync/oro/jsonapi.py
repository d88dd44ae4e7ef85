"""JSON:API documents of OroCRM as plain values: parameters of lists, bodies of writes, what resources refer to.

Pure; nothing is sent here. Rules from orocrm-api.md 2. What comes from outside is checked in shape once, by `sound`:
whoever looks into a resource afterwards finds what the interface promises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from orosync.errors import SideFailing

Resource = dict[str, Any]

_ID = re.compile(r"[0-9A-Za-z_.\-]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def sound(row: Any) -> Resource:
    """A resource, or a row of the old interface, in the shape that is promised; what its values are is left to the
    lenses, so that one odd record fails by itself. Raises SideFailing for any other."""
    if not isinstance(row, dict) or not _is_id(row.get("id")):
        raise SideFailing("OroCRM answered with a record without an id.")
    attributes, relations = row.get("attributes", {}), row.get("relationships", {})
    # an empty map is an empty list where PHP wrote it
    if not isinstance(attributes, dict) and attributes != []:
        raise SideFailing("OroCRM answered with a record whose attributes are none.")
    if not isinstance(relations, dict) and relations != []:
        raise SideFailing("OroCRM answered with a record whose relations are none.")
    for relation in relations.values() if isinstance(relations, dict) else ():
        if not isinstance(relation, dict) or not _is_linkage(relation.get("data")):
            raise SideFailing("OroCRM answered with a relation that leads nowhere.")
    return row


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and _ID.fullmatch(str(value)) is not None


def _is_linkage(data: Any) -> bool:
    each_of = data if isinstance(data, list) else [] if data is None else [data]
    return all(isinstance(each, dict) and _is_id(each.get("id")) for each in each_of)


def is_number(id: str) -> bool:
    return _NUMBER.fullmatch(id) is not None


def number_of(row: Resource) -> str:
    """The id of a record, which is a number in OroCRM. Raises SideFailing."""
    if not is_number(str(row["id"])):
        raise SideFailing("OroCRM answered with a record whose id is no number.")
    return str(row["id"])


def attributes_of(row: Resource) -> dict[str, Any]:
    return row.get("attributes") or {}


def parts_of(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Rows within a record: its e-mails, its attendees."""
    given = values.get(name)
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def moment(text: Any) -> str:
    """A time of a record as `...Z`, whole seconds, whichever interface told it. Raises SideFailing for what is no time,
    and for one that nothing can be added to or taken from: it would be remembered, and stop every later look."""
    whole = text.replace("+00:00", "Z") if isinstance(text, str) else ""
    try:
        year = datetime.fromisoformat(whole).year if _INSTANT.fullmatch(whole) else 0
    except ValueError:
        year = 0
    if not 1970 <= year < 9999:
        raise SideFailing("OroCRM answered with a time that is none.")
    return whole


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
    data = _data_of(resource, name)
    return str(data["id"]) if isinstance(data, dict) else None


def target_of(resource: Resource, name: str) -> tuple[str, str]:
    """Type and id behind a relation to one; empty texts for none."""
    data = _data_of(resource, name)
    return (str(data.get("type")), str(data["id"])) if isinstance(data, dict) else ("", "")


def targets_of(resource: Resource, name: str, type_: str) -> set[str]:
    """The ids of one type behind a relation to many of several types."""
    data = _data_of(resource, name)
    return {str(each["id"]) for each in data if each.get("type") == type_} if isinstance(data, list) else set()


def related_ids(resource: Resource, name: str) -> list[str]:
    """The ids behind a relation to many; OroCRM cuts it at 100."""
    data = _data_of(resource, name)
    return [str(each["id"]) for each in data] if isinstance(data, list) else []


def _data_of(resource: Resource, name: str) -> Any:
    relation: dict[str, Any] = (resource.get("relationships") or {}).get(name) or {}
    return relation.get("data")


def tag_names(resource: Resource, tags: Mapping[str, Resource]) -> list[str]:
    """The names of a record's tags, as people choose them; a tag that is not shown to the user goes by its id."""
    known = {each: attributes_of(tags.get(each) or {}) for each in related_ids(resource, "tags")}
    return sorted(str(own.get("name") or each) for each, own in known.items())


def included_by_id(answer: Any, type_: str) -> dict[str, Resource]:
    """The embedded resources of one type. Raises SideFailing for what are no resources."""
    included = answer.get("included") if isinstance(answer, dict) else None
    if included is not None and not isinstance(included, list):
        raise SideFailing("OroCRM answered with embedded records that are none.")
    return {str(each["id"]): each for each in map(sound, included or []) if each.get("type") == type_}
