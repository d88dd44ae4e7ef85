"""Requests, replies and faults in the form the simulated Graph hands around inside.

Decides the shape of an error body (graph-api.md 11) and what a `Prefer` header asks for; knows no resource.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

JSON = dict[str, Any]


class GraphFault(Exception):
    """An answer that is an error: `status`, Graph's `code`, a message for people, extra headers and members."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: JSON | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra or {}


def bad_request(message: str, code: str = "ErrorInvalidRequest") -> GraphFault:
    return GraphFault(400, code, message)


def not_found(code: str = "ErrorItemNotFound") -> GraphFault:
    return GraphFault(404, code, "The specified object was not found in the store.")


@dataclass(slots=True)
class GraphRequest:
    """One call, or one part of a batch. `path` starts after `/v1.0`; header names are lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    raw_body: bytes = b""
    parsed_body: Any = None
    base_url: str = "https://graph.microsoft.com/v1.0"
    part_id: str | None = None

    def json(self) -> JSON:
        """The body as an object.

        Raises GraphFault 400 as Graph does for a body that is not JSON (graph-api.md 11).
        """
        if self.parsed_body is None and self.raw_body:
            try:
                self.parsed_body = json.loads(self.raw_body)
            except (ValueError, UnicodeDecodeError):
                self.parsed_body = None
        if not isinstance(self.parsed_body, dict):
            raise bad_request(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is"
                " of valid JSON format.",
                "BadRequest",
            )
        return self.parsed_body

    def seen_body(self) -> Any:
        """The body for the request log: parsed where possible, never raises."""
        if self.parsed_body is None and self.raw_body:
            try:
                return json.loads(self.raw_body)
            except (ValueError, UnicodeDecodeError):
                return self.raw_body
        return self.parsed_body


@dataclass(slots=True)
class Reply:
    """`body` is a JSON value, or bytes that go out as they are, or None for no body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


@dataclass(frozen=True, slots=True)
class Preference:
    """What the `Prefer` header of one request asks for (graph-api.md 3.1, 5, 8)."""

    immutable_ids: bool = False
    text_body: bool = False
    timezone: str | None = None
    page_size: int | None = None


@lru_cache(maxsize=256)
def parse_prefer(header: str) -> Preference:
    """Reads `IdType="ImmutableId", outlook.body-content-type="text", ...`; unknown preferences are ignored."""
    found = {
        name.lower(): value.strip().strip('"')
        for name, value in re.findall(r'([A-Za-z][\w.\-]*)\s*=\s*("[^"]*"|[^\s,;]+)', header)
    }
    size = found.get("odata.maxpagesize", "")
    return Preference(
        immutable_ids=found.get("idtype", "").lower() == "immutableid",
        text_body=found.get("outlook.body-content-type", "").lower() == "text",
        timezone=found.get("outlook.timezone"),
        page_size=int(size) if size.isdigit() and int(size) > 0 else None,
    )


def error_reply(fault: GraphFault, request_id: str, client_request_id: str | None, now: datetime) -> Reply:
    """The error object of graph-api.md section 11; `date` carries no zone designator, as in the samples."""
    inner = {
        "date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": client_request_id or request_id,
    }
    error: JSON = {"code": fault.code, "message": fault.message, **fault.extra, "innerError": inner}
    return Reply(fault.status, {"error": error}, dict(fault.headers))


def utc_seconds(moment: datetime) -> str:
    """`2026-11-21T09:00:00Z`, as contacts and error bodies have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_ticks(moment: datetime) -> str:
    """`2026-11-21T09:00:00.1234560Z`: seven digits, as events and tasks have it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def wall_ticks(moment: datetime) -> str:
    """`2026-11-21T09:00:00.0000000`, the dateTime of a dateTimeTimeZone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def parse_wall(text: Any, what: str) -> datetime:
    """A dateTime member: one to seven fractional digits allowed; an offset, if sent, is kept.

    Raises GraphFault 400 naming `what`.
    """
    if isinstance(text, str):
        try:
            return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip()))
        except ValueError:
            pass
    raise bad_request(f"Cannot convert the literal '{text}' of '{what}' to a date and time.", "RequestBodyRead")
