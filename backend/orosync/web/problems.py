"""Errors as the API tells them: problem details (RFC 9457), each with a code that does not change, the field it is
about and what to do. How errors of the rest of the program map to statuses is here, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from orosync.errors import (
    AccountBlocked,
    BadInput,
    ConfigurationError,
    EntityForbidden,
    OrosyncError,
    PlanHeld,
    RecordError,
    SettingError,
    SideFailing,
    SignInNeeded,
    Throttled,
    TryLater,
    Unreachable,
)

MEDIA_TYPE = "application/problem+json"


class Problem(OrosyncError):
    """An answer that is not what was asked for. `code` is for programs, message and remedy are for people."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        field: str = "",
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field
        self.headers = dict(headers or {})
        self.more = more
        if status is not None:
            self.status = HTTPStatus(status)
        if code is not None:
            self.code = code


class NotSignedIn(Problem):
    """401. claims: what the pane has to ask its next token with (a claims challenge of Entra ID)."""

    status = HTTPStatus.UNAUTHORIZED
    code = "not_signed_in"

    def __init__(self, message: str, *, remedy: str = "Sign in again.", claims: str = "", code: str = "") -> None:
        headers = {"WWW-Authenticate": 'Bearer realm="orosync", error="invalid_token"'}
        super().__init__(message, remedy=remedy, code=code or None, headers=headers)
        if claims:
            self.more["claims"] = claims


class NotAllowed(Problem):
    status = HTTPStatus.FORBIDDEN
    code = "not_allowed"


class NotFound(Problem):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class NotConnected(Problem):
    """The person has no account here yet."""

    status = HTTPStatus.NOT_FOUND
    code = "not_connected"

    def __init__(self) -> None:
        super().__init__("Your mailbox is not connected with OroCRM yet.", remedy="Connect it first.")


class Clash(Problem):
    """409: it does not go together with what is there."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class Invalid(Problem):
    """422. errors: one of {"field", "message"} for each field."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid"

    def __init__(self, message: str, errors: Sequence[Mapping[str, str]] = (), **more: Any) -> None:
        super().__init__(message, errors=list(errors), **more)


_STATUS: tuple[tuple[type[OrosyncError], int, str], ...] = (
    (SettingError, 422, "invalid_setting"),
    (ConfigurationError, 500, "misconfigured"),
    (BadInput, 422, "invalid"),
    (Throttled, 503, "throttled"),
    (Unreachable, 502, "unreachable"),
    (SideFailing, 502, "side_failing"),
    (TryLater, 503, "try_later"),
    (SignInNeeded, 403, "sign_in_needed"),
    (AccountBlocked, 403, "account_blocked"),
    (EntityForbidden, 403, "entity_forbidden"),
    (PlanHeld, 409, "plan_held"),
    (RecordError, 409, "record_error"),
    (OrosyncError, 500, "failed"),
)


def as_problem(error: OrosyncError) -> Problem:
    """The same error in the API's words. 401 is left to our own sign-in: a system behind us that refuses is 403."""
    if isinstance(error, Problem):
        return error
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    if status == 500:
        return Problem("Something is wrong with this installation.", remedy="See its logs.", status=500, code=code)
    wait = error.retry_after_s if isinstance(error, TryLater) else None
    headers = {} if wait is None else {"Retry-After": str(max(1, round(wait)))}
    field = error.field if isinstance(error, BadInput) else ""
    return Problem(error.message, remedy=error.remedy, field=field, status=status, code=code, headers=headers)


def body_of(problem: Problem, request_id: str) -> dict[str, Any]:
    """The JSON of an answer."""
    body = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": int(problem.status),
        "detail": problem.message,
        "code": problem.code,
        "remedy": problem.remedy,
        "field": problem.field,
        "request_id": request_id,
        **problem.more,
    }
    return {name: value for name, value in body.items() if value != ""}
