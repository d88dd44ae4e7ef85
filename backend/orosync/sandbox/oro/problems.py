"""The refusals of both APIs as exceptions; how they look on the wire is left to the dialects.

Titles and details are those of the recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One error of the JSON:API: where it points is a JSON pointer or a query parameter."""

    status: int
    title: str
    detail: str | None = None
    pointer: str | None = None
    parameter: str | None = None

    def at(self, pointer: str) -> Problem:
        """The same error at another place."""
        return replace(self, pointer=pointer)


class Refused(Exception):
    """The JSON:API refuses a request; `problems` has at least one entry."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].detail or problems[0].title)
        self.problems: tuple[Problem, ...] = problems

    @property
    def status(self) -> int:
        """The status of the whole answer."""
        statuses = {problem.status for problem in self.problems}
        return statuses.pop() if len(statuses) == 1 else 400


class MethodRefused(Exception):
    """405 with an Allow header and no body."""

    def __init__(self, allow: str) -> None:
        super().__init__(allow)
        self.allow = allow


class LegacyRefused(Exception):
    """The older REST API refuses a request; `body` None is an empty body."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def legacy_code(status: int, message: str | None = None, **headers: str) -> LegacyRefused:
    """The short body `{"code": 404}` of the older REST API."""
    body: dict[str, Any] = {"code": status}
    if message is not None:
        body["message"] = message
    return LegacyRefused(status, body, {"Vary": "Accept", **headers})


def not_found() -> Refused:
    """No record with this id."""
    detail = "An entity with the requested identifier does not exist."
    return Refused(Problem(404, "not found http exception", detail))


def denied(detail: str = "No access to the entity.") -> Refused:
    """403 of the JSON:API."""
    return Refused(Problem(403, "access denied exception", detail))


def bad_data(detail: str, pointer: str | None = None) -> Problem:
    """The document has not the shape it should have."""
    return Problem(400, "request data constraint", detail, pointer)


def blank(pointer: str) -> Problem:
    """A value that must be there is not."""
    return Problem(400, "not blank constraint", "This value should not be blank.", pointer)


def unknown_entity(pointer: str | None) -> Problem:
    """A relation names a record that does not exist."""
    return Problem(400, "form constraint", "The entity does not exist.", pointer)


def too_long(limit: int, pointer: str) -> Problem:
    """A value over its length."""
    detail = f"This value is too long. It should have {limit} characters or less."
    return Problem(400, "length constraint", detail, pointer)


def extra_fields(names: Sequence[str]) -> Problem:
    """Fields nobody knows; without a pointer (contacts-error-unknown-attribute)."""
    listed = ", ".join(f'"{name}"' for name in names)
    return Problem(400, "extra fields constraint", f"This form should not contain extra fields: {listed}.")


def driver_failure() -> Refused:
    """The database refuses what the form let pass (over-long-values)."""
    return Refused(Problem(500, "driver exception"))


def raise_if(problems: Sequence[Problem]) -> None:
    """Raises `Refused` with the problems found, if any; those of the whole form come first."""
    if problems:
        raise Refused(*sorted(problems, key=lambda problem: problem.pointer is not None))
