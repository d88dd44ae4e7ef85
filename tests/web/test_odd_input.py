"""What is well-formed, and yet nothing that could be kept: refused as the sender's mistake, on either database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from tests.web.application import CRM, Application, Person, body_of

from orosync.bootstrap.product_files import product_file
from orosync.web.app import create_app

TOO_BIG = "99999999999999999999"  # more than 64 bits


@pytest.fixture
def anna(world: Application) -> Person:
    """An administrator."""
    return world.person("anna")


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Application]:
    """Three requests in a day."""
    world = Application(tmp_path)
    world.flask = create_app(world.parts, pane=product_file("addin"), rate_limit="3 per day")
    yield world
    world.database.close()


@pytest.mark.parametrize("number", [TOO_BIG, "9" * 5000])
def test_a_number_that_no_row_can_have_is_not_found(connected: Person, anna: Person, number: str) -> None:
    connected.refused("POST", f"/conflicts/{number}/resolve", 404, json={"take": "oro"})
    anna.refused("PATCH", f"/admin/accounts/{number}", 404, json={"state": "active"})
    anna.refused("DELETE", f"/admin/accounts/{number}", 404)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        "[" * 200 + "]" * 200,
        '{"entities":' + "1" * 5000 + "}",
        '{"entities":["\\ud800"]}',
        '{"entities":["\\u0000"]}',
        '{"\\udfff":1}',
    ],
)
def test_json_that_nothing_can_hold_is_malformed(connected: Person, body: str) -> None:
    problem = connected.refused("POST", "/syncs", 400, data=body, content_type="application/json")
    assert problem["code"] == "malformed"


@pytest.mark.parametrize("member", ["orocrm_user", "secret", "client_id", "client_secret"])
@pytest.mark.parametrize("auth", ["wsse", "client-credentials", "password"])
def test_half_a_sign_in_what_signs_in_is_malformed(boris: Person, member: str, auth: str) -> None:
    body = boris.connection(orocrm_url=CRM, orocrm_auth=auth, client_id="x") | {member: "\ud800"}
    for method, path in (("POST", "/connection/check"), ("PUT", "/connection")):
        boris.refused(method, path, 400, data=json.dumps(body), content_type="application/json")


def test_a_sign_in_of_the_demonstration_reads_json_as_strictly(boris: Person) -> None:
    for body in ("[" * 100_000, "1" * 5000):
        response = boris.client.post("/auth/local", data=body, content_type="application/json")
        assert response.status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/syncs/%00", 404), ("/addin/look.css?organisation=%00", 422), ("/api/v1/syncs?cursor=%00", 422)],
)
def test_a_nul_reaches_no_database(connected: Person, path: str, status: int) -> None:
    response = connected.client.get(path, headers={"Authorization": f"Bearer {connected.token}"})
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


def test_a_body_without_length_must_be_json_too(connected: Person) -> None:
    problem = connected.refused(
        "POST",
        "/syncs",
        415,
        input_stream=BytesIO(b"preview=1"),
        headers={"Transfer-Encoding": "chunked"},
        content_type="text/plain",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert problem["code"] == "unsupported_media_type"


def test_wrong_tokens_are_counted_by_address(narrow: Application) -> None:
    client = narrow.flask.test_client()
    answers = [
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {number}"}).status_code for number in range(5)
    ]
    assert answers == [401, 401, 401, 429, 429]
    assert narrow.person().get("/me")["name"]  # whoever signs in is counted as a person


def test_a_person_s_requests_are_counted_together_whatever_they_ask_for(narrow: Application) -> None:
    boris = narrow.person()
    for path in ("/me", "/look", "/connection/options"):
        boris.get(path)
    assert boris.refused("GET", "/me", 429)["code"] == "too_many_requests"
    assert body_of(boris.ask("GET", "/look"), 429)["code"] == "too_many_requests"
