"""`/api/v1/docs`: the API for people to read, made from the same document that programs get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, current_app, render_template

blueprint = Blueprint("api_docs", __name__)

_METHODS = ("get", "post", "put", "patch", "delete")


@blueprint.get("/api/v1/docs")
def docs() -> str:
    document: dict[str, Any] = current_app.extensions["orosync.openapi"]
    groups = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    operations = list(_operations(document))
    return render_template("api_docs.html", info=document["info"], groups=groups, operations=operations)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method not in methods:
                continue
            operation = methods[method]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            parameters = [*methods.get("parameters", ()), *operation.get("parameters", ())]
            yield {
                "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
                "group": (operation.get("tags") or [""])[0],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "more": operation.get("description", ""),
                "parameters": [each for each in parameters if "name" in each],
                "body": list(_members(body, schemas)) if body else [],
                "answers": [
                    {
                        "status": status,
                        "description": answer.get("description", ""),
                        "members": list(_members(_schema_of(answer), schemas)),
                    }
                    for status, answer in operation.get("responses", {}).items()
                    if status.startswith("2")
                ],
            }


def _schema_of(answer: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = answer.get("content", {}).get("application/json", {}).get("schema")
    return found


def _members(schema: dict[str, Any] | None, schemas: dict[str, Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    """The members of an object, those of its objects indented below."""
    found = _resolved(schema, schemas)
    required = set(found.get("required", ()))
    for name, member in found.get("properties", {}).items():
        inner = _resolved(member, schemas)
        yield {
            "name": name,
            "depth": depth,
            "type": _type(inner),
            "required": name in required,
            "description": inner.get("description", ""),
            "choices": inner.get("enum") or (inner.get("items") or {}).get("enum") or [],
        }
        if depth < 2:
            yield from _members(inner.get("items") or inner, schemas, depth + 1)


def _resolved(schema: dict[str, Any] | None, schemas: dict[str, Any]) -> dict[str, Any]:
    found = schema or {}
    for several in ("anyOf", "allOf", "oneOf"):
        if several in found:
            found = next((each for each in found[several] if each.get("type") != "null"), {})
    if "$ref" in found:
        return dict(schemas[found["$ref"].rpartition("/")[2]])
    return found


def _type(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
