"""Blueprints of the API: what comes in is checked strictly, and every error is documented as a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow as ma
from webargs import missing
from webargs.flaskparser import FlaskParser

from orosync.web import json_body
from orosync.web.problems import Problem

View = TypeVar("View", bound=Callable[..., Any])


class _StrictParser(FlaskParser):
    """Refuses unknown members of bodies and unknown query parameters alike."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012  # a class attribute of webargs
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "json": ma.RAISE,
        "query": ma.RAISE,
    }

    def _raw_load_json(self, req: Any) -> Any:
        if not req.is_json:
            return missing
        try:
            return json_body.loads(req.get_data(cache=True))
        except json_body.Unreadable as error:
            raise Problem(str(error), remedy="Send JSON, in UTF-8.", status=400, code="malformed") from None


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """As flask-smorest's, with types that leave a view's own alone."""

    ARGUMENTS_PARSER = _StrictParser()

    def route(self, *args: Any, **kwargs: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().route(*args, **kwargs))

    def arguments(self, *args: Any, **kwargs: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().arguments(*args, **kwargs))

    def response(self, *args: Any, **kwargs: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().response(*args, **kwargs))

    def alt_response(self, *args: Any, **kwargs: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().alt_response(*args, **kwargs))

    def doc(self, **kwargs: Any) -> Callable[[View], View]:
        return cast("Callable[[View], View]", super().doc(**kwargs))


class ProblemSchema(ma.Schema):
    """Problem details (RFC 9457)."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True, metadata={"description": "The status in words."})
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True, metadata={"description": "What is wrong, for people."})
    code = ma.fields.String(required=True, metadata={"description": "What is wrong, for programs; does not change."})
    remedy = ma.fields.String(metadata={"description": "What to do about it, for people."})
    field = ma.fields.String(metadata={"description": "The member or parameter it is about."})
    errors = ma.fields.List(
        ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()),
        metadata={"description": "Of several members: one {field, message} each."},
    )
    claims = ma.fields.String(metadata={"description": "Ask the next token with this claims challenge."})
    run = ma.fields.String(metadata={"description": "Of already_running: the run that is in the way."})
    findings = ma.fields.List(
        ma.fields.Dict(), metadata={"description": "Of connection_refused: what was found, as of /connection/check."}
    )
    request_id = ma.fields.String(required=True, metadata={"description": "Also in the logs."})


def tidied(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with errors under their own media type, and with the sign-in."""
    for response in document.get("components", {}).get("responses", {}).values():
        if "application/json" in response.get("content", {}):
            response["content"] = {"application/problem+json": response["content"]["application/json"]}
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    document["security"] = [{"bearer": []}]
    return document
