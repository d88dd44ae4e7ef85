"""Whatever is asked wrongly: problem details with the right status, and nothing half-done."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.web.application import Application, Person

from orosync import telemetry
from orosync.errors import (
    AccountBlocked,
    BadInput,
    ConfigurationError,
    EntityForbidden,
    LeaseLost,
    OrosyncError,
    PlanHeld,
    RecordRefused,
    SettingError,
    SideFailing,
    SignInNeeded,
    Throttled,
    TryLater,
    Unreachable,
)
from orosync.web.app import LARGEST_BODY
from orosync.web.problems import as_problem


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadInput("m", field="f", remedy="r"), 422, "invalid"),
        (SettingError("m", field="f"), 422, "invalid_setting"),
        (ConfigurationError(["SECRET=1 is wrong"]), 500, "misconfigured"),
        (Throttled("m", retry_after_s=7.2), 503, "throttled"),
        (Unreachable("m"), 502, "unreachable"),
        (SideFailing("m"), 502, "side_failing"),
        (TryLater("m"), 503, "try_later"),
        (SignInNeeded("m"), 403, "sign_in_needed"),
        (AccountBlocked("m"), 403, "account_blocked"),
        (EntityForbidden("m", entity="task"), 403, "entity_forbidden"),
        (PlanHeld("m", plan_hash="h", limits=[]), 409, "plan_held"),
        (RecordRefused("m"), 409, "record_error"),
        (LeaseLost("m"), 500, "failed"),
        (OrosyncError("m"), 500, "failed"),
    ],
)
def test_every_error_of_the_program_has_its_status(error: OrosyncError, status: int, code: str) -> None:
    problem = as_problem(error)
    assert (problem.status, problem.code) == (status, code)
    assert ("SECRET" in problem.message) is False
    if isinstance(error, Throttled):
        assert problem.headers["Retry-After"] == "7"


def test_an_unknown_address_is_a_problem_too(connected: Person) -> None:
    assert connected.refused("GET", "/nothing", 404)["code"] == "not_found"
    response = connected.client.get("/nothing-at-all")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_a_wrong_method_says_which_are_right(connected: Person) -> None:
    response = connected.ask("DELETE", "/syncs")
    assert response.status_code == 405
    assert {"GET", "POST"} <= {each.strip() for each in response.headers["Allow"].split(",")}
    assert response.get_json()["code"] == "method_not_allowed"


def test_a_body_that_is_no_json_is_refused_by_its_type(connected: Person) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        problem = connected.refused("POST", "/syncs", 415, data=b"preview=1", content_type=kind)
        assert problem["code"] == "unsupported_media_type"
    assert connected.refused("POST", "/syncs", 400, data=b"{", content_type="application/json")["code"] == "malformed"
    assert connected.get("/syncs")["items"] == []


def test_a_body_that_is_too_large_is_not_read(connected: Person) -> None:
    large = json.dumps({"entities": ["x" * LARGEST_BODY]})
    assert connected.refused("POST", "/syncs", 413, data=large, content_type="application/json")["code"] == "too_large"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"entities": []}, "entities"),
        ({"entities": ["opera"]}, "entities.0"),
        ({"entities": "contact"}, "entities"),
        ({"approve": "x"}, "approve"),
        ({"preview": True, "approve": "0123456789abcdef"}, "approve"),
        ({"preview": "perhaps"}, "preview"),
        ([], ""),
    ],
)
def test_what_is_wrong_in_a_body_is_named(connected: Person, body: Any, field: str) -> None:
    problem = connected.refused("POST", "/syncs", 422, json=body)
    assert field in {each["field"] for each in problem["errors"]}
    assert connected.get("/syncs")["items"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "colour=red", "cursor=%00"])
def test_what_is_wrong_in_a_query_is_named(connected: Person, query: str) -> None:
    assert connected.refused("GET", f"/syncs?{query}", 422)["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer not.a.token", "Bearer \u00e9"])
def test_without_a_good_token_nothing_is_told(world: Application, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1").decode("latin-1")}
    for path in ("/me", "/status", "/syncs", "/settings", "/admin/settings", "/context?address=a@b.example"):
        response = world.flask.test_client().get(f"/api/v1{path}", headers=headers)
        assert response.status_code == 401, path
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.get_json()["code"] == "not_signed_in"


def test_too_many_requests_are_told_how_long_to_wait(tmp_path: Path) -> None:
    from orosync.bootstrap.product_files import product_file
    from orosync.web.app import create_app

    world = Application(tmp_path)
    world.flask = create_app(world.parts, pane=product_file("addin"), rate_limit="3 per day")
    boris = world.person()
    for _ in range(3):
        boris.get("/me")
    response = boris.ask("GET", "/me")
    assert (response.status_code, response.get_json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(response.headers["Retry-After"]) <= 86_400
    assert world.person("clara").get("/me")["name"] == "Clara Meier"  # one person's limit is not another's
    assert boris.client.get("/healthz").status_code == 200
    world.database.close()


def test_a_request_that_breaks_tells_nothing_but_its_id(
    world: Application, connected: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "Ada Lovelace, secret 4711"  # not in the line that fails: a traceback shows our own lines

    def broken(*_: Any) -> None:
        raise RuntimeError(content)

    monkeypatch.setattr(type(world.parts), "account_of", broken)
    problem = connected.refused("GET", "/status", 500)
    assert "4711" not in json.dumps(problem)
    assert problem["remedy"]


def test_each_request_leaves_one_line_without_names_or_tokens(
    world: Application, connected: Person, logging_as_it_was: None, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as stream:
        telemetry.configure("info", json=True, stream=stream)
        world.flask.logger.handlers.clear()
        connected.get("/records/oro/4711/explanation")
        response = connected.ask("GET", "/context?address=ada@example.com")
        logging.shutdown([])
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["route"] for line in requests] == [
        "/api/v1/records/<string:side>/<path:native>/explanation",
        "/api/v1/context",
    ]
    assert requests[-1]["request_id"] == response.headers["X-Request-Id"]
    text = (tmp_path / "log").read_text()
    assert "ada@example.com" not in text
    assert connected.token not in text
