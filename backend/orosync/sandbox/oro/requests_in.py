"""Reads the documents clients send to the JSON:API, and refuses those of the wrong shape.

Source: contacts-error-empty*, contacts-error-wrong-type, contacts-patch-without-id, contacts-error-included-not-
related, upsert-*. The values inside are left to the rules of each entity.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orosync.sandbox.oro.contact_rules import Included
from orosync.sandbox.oro.problems import Problem, Refused, bad_data, raise_if
from orosync.sandbox.oro.wire import JSON, JSON_API, Asked


@dataclass
class Document:
    """A resource object and what came along with it."""

    data: dict[str, Any]
    included: list[Included] = field(default_factory=list)


def body_of(asked: Asked) -> Any:
    """The JSON value of the body. Raises `Refused` 415 and 400."""
    media, _, parameters = asked.header("Content-Type").partition(";")
    if media.strip() == JSON_API and parameters.strip():
        detail = 'The "Content-Type" request header should contain JSON:API media type without any parameters.'
        raise Refused(Problem(415, "unsupported media type http exception", detail))
    if not asked.body.strip() or media.strip() not in (JSON, JSON_API):
        raise Refused(bad_data("The request data should not be empty"))
    try:
        return json.loads(asked.body)
    except ValueError:
        raise Refused(Problem(400, "bad request http exception", "Invalid json message received.")) from None


def read(asked: Asked, kind: str, identifier: str | None) -> Document:
    """The document of a create (`identifier` None) or an update. Raises `Refused` 400, 409, 415."""
    body = body_of(asked)
    if not asked.json_api:
        return Document(_from_flat(body, kind, identifier))
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        raise Refused(bad_data("The primary data object should exist", "/data"))
    if data.get("type") is None:
        raise Refused(bad_data("The 'type' property is required", "/data/type"))
    if identifier is not None and data.get("id") is None:
        raise Refused(bad_data("The 'id' property is required", "/data/id"))
    if data["type"] != kind:
        detail = "The 'type' property of the primary data object should match the requested resource"
        raise Refused(Problem(409, "conflict constraint", detail, "/data/type"))
    if identifier is not None and str(data["id"]) != identifier:
        detail = "The 'id' property of the primary data object should match 'id' parameter of the query string"
        raise Refused(Problem(409, "conflict constraint", detail, "/data/id"))
    if "upsert" in (data.get("meta") or {}):
        detail = "The upsert operation is not allowed."
        if identifier is not None:
            detail = "The upsert operation is not supported for resources with auto-generated identifier value."
        raise Refused(Problem(400, "value constraint", detail, "/meta/upsert"))
    raise_if(shape_problems(data, "/data"))
    return Document(dict(data), included_of(body.get("included") or (), [data]))


def shape_problems(data: Mapping[str, Any], at: str) -> list[Problem]:
    """Empty `attributes` and `relationships`, and relations without a proper `data`."""
    found = []
    for name in ("attributes", "relationships"):
        if name in data and not data[name]:
            found.append(bad_data(f"The '{name}' property should not be empty", f"{at}/{name}"))
        elif not isinstance(data.get(name, {}), Mapping):
            found.append(bad_data(f"The '{name}' property should be an object", f"{at}/{name}"))
    relationships = data.get("relationships")
    for name, value in relationships.items() if isinstance(relationships, Mapping) else ():
        if not _is_linkage(value):
            detail = "The primary data object should exist"
            found.append(bad_data(detail, f"{at}/relationships/{name}/data"))
    return found


def _is_linkage(value: Any) -> bool:
    if not isinstance(value, Mapping) or "data" not in value:
        return False
    data = value["data"]
    entries = data if isinstance(data, list) else [data] if data is not None else []
    return all(isinstance(each, Mapping) and "id" in each and "type" in each for each in entries)


def included_of(included: Any, primary: list[Mapping[str, Any]]) -> list[Included]:
    """The entities sent along. Raises `Refused` for one that nothing refers to."""
    found = [Included(entry, f"/included/{index}") for index, entry in enumerate(included)]
    wrong: list[Problem] = []
    referred = {
        (each["type"], str(each["id"]))
        for data in primary
        for relation in (data.get("relationships") or {}).values()
        for each in (relation["data"] if isinstance(relation["data"], list) else [relation["data"]])
        if each
    }
    for entry in found:
        if (entry.data.get("type"), entry.key) not in referred:
            detail = (
                "The entity should have a relationship with the primary entity and this should be explicitly "
                "specified in the request"
            )
            wrong.append(bad_data(detail, entry.at))
        else:
            wrong += shape_problems(entry.data, entry.at)
    raise_if(wrong)
    return found


def linkage_of(asked: Asked) -> Any:
    """The `data` of a request to a relationship. Raises `Refused` 400."""
    body = body_of(asked)
    if not isinstance(body, Mapping) or "data" not in body or not _is_linkage(body):
        raise Refused(bad_data("The primary data object should exist", "/data"))
    return body["data"]


_RELATION_TYPES = {
    "owner": "users",
    "assignedTo": "users",
    "status": "taskstatuses",
    "taskPriority": "taskpriorities",
    "country": "countries",
    "region": "regions",
    "source": "contactsources",
    "method": "contactmethods",
}


def _from_flat(body: Any, kind: str, identifier: str | None) -> dict[str, Any]:
    """The plain dialect: fields side by side, relations as ids."""
    if not isinstance(body, Mapping):
        raise Refused(bad_data("The request data should not be empty"))
    attributes = {name: value for name, value in body.items() if name not in _RELATION_TYPES and name != "id"}
    relations = {
        name: {"data": None if body[name] is None else {"type": target, "id": str(body[name])}}
        for name, target in _RELATION_TYPES.items()
        if name in body and not (kind == "contactaddresses" and name == "owner")
    }
    return {"type": kind, "id": identifier, "attributes": attributes, "relationships": relations}
