"""The demonstration's sign-in: easy on this machine, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.web.sign_in_world import application, parts_of

from orosync.config import Config, fields
from orosync.web.problems import NotAllowed, NotSignedIn
from orosync.web.routes.sign_in import local_blueprint, sign_in_blueprint
from orosync.web.sign_in.local import LocalPerson, LocalSignIn

PEOPLE = [
    LocalPerson("anna", "Anna Berg", "anna@contoso.example"),
    LocalPerson("otto", "Otto Admin", "otto@contoso.example", is_admin=True),
]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path, database_url="sqlite://")


@pytest.fixture
def sign_in() -> LocalSignIn:
    return LocalSignIn(PEOPLE)


@pytest.fixture
def app(config: Config, sign_in: LocalSignIn) -> Flask:
    return application(parts_of(config, authenticator=sign_in, demo=True), local_blueprint)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token_of(client: FlaskClient, person: str = "anna") -> str:
    return str(client.post("/auth/local", json={"person": person}).json["access_token"])


def test_the_people_of_the_demonstration_are_listed_without_anything_else(client: FlaskClient) -> None:
    assert client.get("/auth/local").json == {
        "people": [
            {"id": "anna", "name": "Anna Berg", "address": "anna@contoso.example"},
            {"id": "otto", "name": "Otto Admin", "address": "otto@contoso.example"},
        ]
    }


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_whoever_is_picked_is_signed_in(app: Flask, client: FlaskClient, sign_in: LocalSignIn, person: Any) -> None:
    answer = client.post("/auth/local", json={"person": person.id})
    assert answer.status_code == 200
    assert answer.json["expires_in"] > 3600
    assert answer.headers["Cache-Control"] == "no-store"
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        principal = sign_in.authenticate(answer.json["access_token"])
    assert (principal.owner, principal.name, principal.address, principal.is_admin) == (
        f"local:{person.id}",
        person.name,
        person.address,
        person.is_admin,
    )


@pytest.mark.parametrize(
    "body", [{}, {"person": "eve"}, {"person": ""}, {"person": ["anna"]}, {"person": "anna", "x": 1}]
)
def test_nobody_else_can_be_picked(client: FlaskClient, body: Any) -> None:
    answer = client.post("/auth/local", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"]


ELSEWHERE: dict[str, dict[str, Any]] = {
    "another machine": {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
    "the neighbour": {"environ_base": {"REMOTE_ADDR": "10.0.0.2"}},
    "no address": {"environ_base": {"REMOTE_ADDR": ""}},
    "a proxy here": {"headers": {"X-Forwarded-For": "192.0.2.7"}},
    "a proxy that speaks RFC 7239": {"headers": {"Forwarded": "for=192.0.2.7"}},
    "a proxy that says this machine": {"headers": {"X-Real-Ip": "127.0.0.1"}},
    "a name that was made to point here": {"headers": {"Host": "evil.example"}},
    "a name that begins like this machine's": {"headers": {"Host": "127.0.0.1.evil.example"}},
    "a name that is none": {"headers": {"Host": "[::1"}},
}


@pytest.mark.parametrize("how", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_it_answers_this_machine_alone(app: Flask, client: FlaskClient, sign_in: LocalSignIn, how: Any) -> None:
    token = token_of(client)
    assert client.get("/auth/local", **how).status_code == 403
    assert client.post("/auth/local", json={"person": "anna"}, **how).status_code == 403
    with app.test_request_context(**how), pytest.raises(NotAllowed):
        sign_in.authenticate(token)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_this_machine_has_three_names(client: FlaskClient, host: str) -> None:
    assert client.get("/auth/local", headers={"Host": host}).status_code == 200


def test_a_page_from_elsewhere_cannot_post_as_forms_do(client: FlaskClient) -> None:
    assert client.post("/auth/local", data={"person": "anna"}).status_code == 415
    assert client.post("/auth/local", data='{"person":"anna"}', content_type="text/plain").status_code == 415


def test_tokens_end_with_the_process_that_made_them(app: Flask, client: FlaskClient) -> None:
    token = token_of(client)
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}), pytest.raises(NotSignedIn):
        LocalSignIn(PEOPLE).authenticate(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        "\0",
        jwt.encode({"sub": "anna", "aud": "orosync-local", "exp": 9_999_999_999}, "k" * 32, algorithm="HS256"),
        jwt.encode({"sub": "anna", "aud": "orosync-local", "exp": 9_999_999_999}, None, algorithm="none"),
    ],
    ids=["nothing", "no token", "zero", "another key", "no signature"],
)
def test_a_token_from_elsewhere_is_refused(app: Flask, sign_in: LocalSignIn, token: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}), pytest.raises(NotSignedIn):
        sign_in.authenticate(token)


def test_it_is_there_only_where_the_application_was_made_with_it(config: Config, sign_in: LocalSignIn) -> None:
    with_it, without = parts_of(config, authenticator=sign_in), parts_of(config, demo=True)
    assert sign_in_blueprint(with_it) is local_blueprint
    assert sign_in_blueprint(without) is not local_blueprint
    # even where the routes were put in by mistake
    client = application(without, local_blueprint).test_client()
    assert client.get("/auth/local").status_code == 404
    assert client.post("/auth/local", json={"person": "anna"}).status_code == 404


def test_no_variable_of_the_environment_leads_to_it() -> None:
    assert not [each.name for each in fields(Config) if "local" in each.name or "demo" in each.name]
