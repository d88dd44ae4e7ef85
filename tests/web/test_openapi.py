"""The API's own description: complete, readable, and what the API really does (it is fuzzed from it)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.web.application import Application, Person

LEFT_OUT = {
    ("get", "/api/v1/syncs/{run}/events"),  # a stream that waits for its run; tests/web/test_runs.py reads it
    ("delete", "/api/v1/connection"),  # it would leave nothing to ask about
    ("delete", "/api/v1/admin/accounts/{account_id}"),
}


def test_the_document_lists_every_route_with_words(world: Application, boris: Person) -> None:
    document = boris.client.get("/api/v1/openapi.json").get_json()
    served = {
        rule.rule.replace("<string:", "{").replace("<int:", "{").replace("<path:", "{").replace(">", "}")
        for rule in world.flask.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith(("openapi.json", "/docs"))
    }
    assert set(document["paths"]) == served
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                assert operation.get("summary"), f"{method} {path}"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert document["components"]["responses"]["DEFAULT_ERROR"]["content"].keys() == {"application/problem+json"}


def test_the_readable_page_has_every_operation(boris: Person) -> None:
    text = boris.client.get("/api/v1/docs").get_data(as_text=True)
    for path in boris.client.get("/api/v1/openapi.json").get_json()["paths"]:
        assert path in text


QUICK = settings(
    max_examples=12,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
WHAT_MUST_HOLD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def from_here(app: Flask) -> Any:
    """Requests made in this process come from this machine, which the local sign-in insists on."""

    def called(environ: dict[str, Any], start_response: Any) -> Any:
        return app({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

    return called


@pytest.mark.slow
def test_the_api_does_what_its_description_says(world: Application, connected: Person) -> None:
    """Requests made up from the document: none breaks the program, and each answer is one that was described."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", from_here(world.flask))
    anna = world.person("anna")
    world.queue.waits = True
    broken: list[str] = []
    asked: Counter[str] = Counter()
    answered: set[str] = set()

    def check(case: Any) -> None:
        asked[f"{case.method} {case.path}"] += 1
        token = anna.token if "/admin/" in case.path else connected.token
        response = case.call(headers={"Authorization": f"Bearer {token}"})
        if response.status_code < 300:
            answered.add(f"{case.method} {case.path}")
        try:
            case.validate_response(response, checks=WHAT_MUST_HOLD)
        except FailureGroup as failures:
            broken.extend(f"{case.method} {case.path} {case.body!r:.80}: {each}" for each in failures.exceptions)

    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method, operation.path) not in LEFT_OUT:

            def of_this_one(case: Any) -> None:  # hypothesis wants a new function each time
                check(case)

            given(case=operation.as_strategy())(QUICK(of_this_one))()
    assert sum(asked.values()) > 300
    assert len(asked) >= 30
    assert len(answered) >= 20, sorted(set(asked) - answered)
    assert not broken, "\n\n".join(sorted(set(broken))[:8])
