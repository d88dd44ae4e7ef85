"""The sign-in window from its first page to the pane's token, with a real sign-in service in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from lxml import html
from tests.web.identity_provider import API, PARTNER, SECOND_FACTOR, TENANT, IdentityProvider, Served, anna, running
from tests.web.sign_in_world import SetClock, application, certificate_authority, config_for, first_key, parts_of
from werkzeug.test import TestResponse

from orosync import bootstrap
from orosync.bootstrap import Database
from orosync.web.parts import Parts
from orosync.web.routes.sign_in import dialog_blueprint, sign_in_blueprint
from orosync.web.sign_in.dialog import challenge_of
from orosync.web.sign_in.on_behalf_of import OnBehalfOf
from orosync.web.sign_in.tokens import EntraTokens

VERIFIER = "pane-secret-" + "v" * 40
CHALLENGE = challenge_of(VERIFIER)


@pytest.fixture
def service() -> Iterator[Served]:
    with running(IdentityProvider(first_key()), certificate_authority()) as served:
        yield served


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def parts(service: Served, clock: SetClock, tmp_path: Path) -> Iterator[Parts]:
    config = config_for(service.provider, tmp_path)
    database = bootstrap.open_database(config, clock)
    yield _parts(config, database, clock, service)
    database.close()


def _parts(config: Any, database: Database, clock: SetClock, service: Served) -> Parts:
    return parts_of(
        config,
        database=database,
        clock=clock,
        authenticator=EntraTokens(config, ssl_context=service.trust),
        adapters=service.adapters,
    )


@pytest.fixture
def ours(parts: Parts) -> FlaskClient:
    return application(parts, dialog_blueprint).test_client()


@pytest.fixture
def window(service: Served) -> requests.Session:
    """The browser window, as the sign-in service sees it."""
    session = requests.Session()
    for prefix, adapter in service.adapters.items():
        session.mount(prefix, adapter)
    return session


def opened(ours: FlaskClient, challenge: str = CHALLENGE, **more: str) -> str:
    """The address of the sign-in service that the window is sent to."""
    answer = ours.get("/auth/start", query_string={"challenge": challenge, **more})
    assert answer.status_code == 303
    return answer.headers["Location"]


def sent_back(window: requests.Session, address: str) -> dict[str, str]:
    """The person has signed in: the form that the window is sent back to us with."""
    page = window.get(address, allow_redirects=False)
    assert page.status_code == 200, page.text
    form = html.fromstring(page.text)
    assert (form.get("method"), form.get("action")) == ("post", "https://sync.example.com/auth/callback")
    return dict(form.form_values())


def returned(ours: FlaskClient, form: dict[str, str]) -> dict[str, str]:
    return fragment(ours.post("/auth/callback", data=form))


def fragment(answer: TestResponse) -> dict[str, str]:
    """What the window's last page is told."""
    assert answer.status_code == 303
    page, _, values = answer.headers["Location"].partition("#")
    assert page == "done", "a page beside the callback, whoever asks"
    return {name: value for name, [value] in parse_qs(values).items()}


def code_of(ours: FlaskClient, window: requests.Session, challenge: str = CHALLENGE) -> str:
    return returned(ours, sent_back(window, opened(ours, challenge)))["code"]


def redeem(ours: FlaskClient, code: str, verifier: str = VERIFIER) -> TestResponse:
    return ours.post("/auth/token", json={"code": code, "verifier": verifier})


def test_the_pane_gets_a_token_that_our_own_api_accepts(
    ours: FlaskClient, window: requests.Session, parts: Parts
) -> None:
    answer = redeem(ours, code_of(ours, window))
    assert answer.status_code == 200
    assert set(answer.json) == {"access_token", "expires_in"}
    assert 3500 < answer.json["expires_in"] <= 3600
    assert parts.authenticator.authenticate(answer.json["access_token"]).owner == f"{TENANT}:{anna().oid}"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_time_that_went_by_is_taken_off_the_tokens(
    ours: FlaskClient, window: requests.Session, clock: SetClock
) -> None:
    code = code_of(ours, window)
    clock.pass_by(timedelta(seconds=100))
    assert redeem(ours, code).json["expires_in"] <= 3500


def test_people_agree_to_the_mailbox_in_the_same_window_and_the_exchange_then_works(
    ours: FlaskClient, window: requests.Session, parts: Parts, service: Served
) -> None:
    access = OnBehalfOf(parts.config, adapters=service.adapters)
    token = redeem(ours, code_of(ours, window)).json["access_token"]
    assert access.grant(parts.authenticator.authenticate(token))


def test_the_service_is_asked_as_oauth_wants_it(ours: FlaskClient, parts: Parts) -> None:
    address = urlsplit(opened(ours))
    asked = {name: value for name, [value] in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == parts.config.authority
    assert address.path == f"/{TENANT}/oauth2/v2.0/authorize"
    assert (asked["response_type"], asked["response_mode"]) == ("code", "form_post")
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://sync.example.com/auth/callback"
    assert asked["nonce"]
    assert asked["code_challenge"] != CHALLENGE, "our own secret, not the pane's"
    assert f"{API}/access_as_user" in asked["scope"].split()
    assert "https://graph.microsoft.com/Contacts.ReadWrite" in asked["scope"].split()
    assert SECRET_WORDS.isdisjoint(asked.values())


SECRET_WORDS = {VERIFIER, CHALLENGE, "application-secret"}


def test_people_of_several_tenants_choose_theirs_at_the_service(parts: Parts, service: Served) -> None:
    both = replace(parts.config, allowed_tenants=(TENANT, PARTNER))
    ours = application(replace(parts, config=both), dialog_blueprint).test_client()
    assert urlsplit(opened(ours)).path.startswith("/organizations/")


def test_a_claims_challenge_is_handed_on_and_met(
    ours: FlaskClient, window: requests.Session, parts: Parts, service: Served
) -> None:
    service.provider.demands_second_factor = True
    code = returned(ours, sent_back(window, opened(ours, claims=SECOND_FACTOR)))["code"]
    principal = parts.authenticator.authenticate(redeem(ours, code).json["access_token"])
    assert OnBehalfOf(parts.config, adapters=service.adapters).grant(principal)


# the one-time code


def test_a_code_works_once(ours: FlaskClient, window: requests.Session) -> None:
    code = code_of(ours, window)
    assert redeem(ours, code).status_code == 200
    again = redeem(ours, code)
    assert (again.status_code, again.json["code"]) == (401, "not_signed_in")


def test_a_code_is_worth_nothing_without_the_panes_secret_and_is_spent_by_trying(
    ours: FlaskClient, window: requests.Session
) -> None:
    code = code_of(ours, window)
    assert redeem(ours, code, "somebody-else" + "x" * 40).status_code == 401
    assert redeem(ours, code, CHALLENGE).status_code == 401
    assert redeem(ours, code).status_code == 401


def test_a_code_of_a_window_that_somebody_else_had_opened_does_not_sign_the_pane_in(
    ours: FlaskClient, window: requests.Session
) -> None:
    slipped_in = code_of(ours, window, challenge_of("stranger" + "s" * 40))
    assert redeem(ours, slipped_in).status_code == 401


def test_a_code_ends_after_two_minutes(ours: FlaskClient, window: requests.Session, clock: SetClock) -> None:
    code = code_of(ours, window)
    clock.pass_by(timedelta(minutes=2, seconds=1))
    assert redeem(ours, code).status_code == 401


def test_any_process_may_answer_and_of_two_that_redeem_at_once_one_gets_the_token(
    parts: Parts, service: Served, clock: SetClock, window: requests.Session
) -> None:
    databases = [bootstrap.open_database(parts.config, clock) for _ in range(3)]
    first, second, third = (
        application(_parts(parts.config, database, clock, service), dialog_blueprint) for database in databases
    )
    back = sent_back(window, opened(first.test_client()))
    code = returned(second.test_client(), back)["code"]
    ready, found = threading.Barrier(2), []

    def ask(app: Any) -> None:
        client = app.test_client()
        ready.wait(10)
        found.append(redeem(client, code).status_code)

    threads = [threading.Thread(target=ask, args=(app,)) for app in (third, first)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for database in databases:
        database.close()
    assert sorted(found) == [200, 401]


def test_what_waits_is_stored_encrypted(ours: FlaskClient, window: requests.Session, parts: Parts) -> None:
    code = code_of(ours, window)
    stored = b"".join(file.read_bytes() for file in parts.config.data_dir.iterdir())
    token = redeem(ours, code).json["access_token"]
    assert code.encode() not in stored
    assert token.encode() not in stored
    assert token.split(".")[1].encode() not in stored


# what goes wrong in the window is told to the pane


@pytest.mark.parametrize("challenge", ["", "short", "x" * 44, "a" * 42 + "=", "a" * 42 + "\n", "ü" * 43])
def test_a_window_without_a_proper_challenge_goes_nowhere(ours: FlaskClient, challenge: str) -> None:
    told = fragment(ours.get("/auth/start", query_string={"challenge": challenge}))
    assert told["error"] == "invalid"


@pytest.mark.parametrize("claims", ["no json", "[]", "1", '{"a":' * 3000, '{"a":"' + "x" * 5000 + '"}'])
def test_claims_that_are_none_are_not_handed_on(ours: FlaskClient, claims: str) -> None:
    told = fragment(ours.get("/auth/start", query_string={"challenge": CHALLENGE, "claims": claims}))
    assert told["error"] == "invalid"


def test_an_answer_to_nothing_that_was_begun_is_refused(ours: FlaskClient) -> None:
    for form in ({}, {"code": "x"}, {"state": "x", "code": "x"}, {"error": "access_denied"}, {"state": "", "code": ""}):
        told = returned(ours, form)
        assert told["error"] == "not_signed_in"
        assert "code" not in told


def test_an_answer_works_once(ours: FlaskClient, window: requests.Session) -> None:
    back = sent_back(window, opened(ours))
    assert "code" in returned(ours, back)
    assert returned(ours, back)["error"] == "not_signed_in"


def test_an_answer_with_another_sign_ins_code_is_refused_by_pkce(ours: FlaskClient, window: requests.Session) -> None:
    stranger = sent_back(window, opened(ours))["code"]
    mine = parse_qs(urlsplit(opened(ours)).query)["state"][0]
    told = returned(ours, {"code": stranger, "state": mine})
    assert told["error"] == "not_signed_in"


def test_who_thinks_for_long_begins_anew(ours: FlaskClient, window: requests.Session, clock: SetClock) -> None:
    back = sent_back(window, opened(ours))
    clock.pass_by(timedelta(minutes=16))
    assert "too long" in returned(ours, back)["message"]


def test_who_does_not_agree_is_told_so(ours: FlaskClient, window: requests.Session, service: Served) -> None:
    service.provider.agrees = False
    assert returned(ours, sent_back(window, opened(ours)))["error"] == "cancelled"


@pytest.mark.parametrize("error", ["access_denied", "consent_required", "interaction_required"])
def test_an_organisation_that_has_not_agreed_is_named(ours: FlaskClient, error: str) -> None:
    state = parse_qs(urlsplit(opened(ours)).query)["state"][0]
    told = returned(ours, {"state": state, "error": error})
    assert told["error"] == "consent_needed"
    assert "administrator" in told["message"]


def test_somebody_of_another_tenant_is_turned_away_in_the_window(
    ours: FlaskClient, window: requests.Session, service: Served
) -> None:
    service.provider.person.tenant = PARTNER
    told = returned(ours, sent_back(window, opened(ours)))
    assert told["error"] == "not_allowed"
    assert "OROSYNC_ALLOWED_TENANTS" in told["message"]


def test_a_service_that_is_away_is_told(ours: FlaskClient, window: requests.Session, service: Served) -> None:
    back = sent_back(window, opened(ours))
    service.server.stop()
    assert returned(ours, back)["error"] == "unreachable"
    assert fragment(ours.get("/auth/start", query_string={"challenge": CHALLENGE}))["error"] == "unreachable"


def test_without_a_public_address_nobody_is_sent_anywhere(parts: Parts) -> None:
    ours = application(replace(parts, config=replace(parts.config, public_url="")), dialog_blueprint).test_client()
    told = fragment(ours.get("/auth/start", query_string={"challenge": CHALLENGE}, headers={"Host": "evil.example"}))
    assert told["error"] == "misconfigured"


def test_no_request_decides_where_the_window_goes(ours: FlaskClient, window: requests.Session) -> None:
    evil = {"redirect_uri": "https://evil.example", "next": "//evil.example", "return_to": "https://evil.example"}
    answer = ours.get("/auth/start", query_string={"challenge": CHALLENGE, **evil}, headers={"Host": "evil.example"})
    address = answer.headers["Location"]
    assert "evil" not in address
    back = sent_back(window, address)
    strange = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    answer = ours.post("/auth/callback?next=//evil.example", data=back | evil, headers=strange)
    assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"code": "x"}, "verifier"),
        ({"verifier": VERIFIER}, "code"),
        ({"code": "x", "verifier": "short"}, "verifier"),
        ({"code": "x", "verifier": "ü" * 43}, "verifier"),
        ({"code": ["x"], "verifier": VERIFIER}, "code"),
        ({"code": "x", "verifier": VERIFIER, "more": 1}, "more"),
        ([], "_schema"),
    ],
)
def test_a_body_that_is_not_right_is_named(ours: FlaskClient, body: Any, field: str) -> None:
    answer = ours.post("/auth/token", json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_no_cookie_takes_part(ours: FlaskClient, window: requests.Session) -> None:
    start = ours.get("/auth/start", query_string={"challenge": CHALLENGE})
    end = ours.post("/auth/callback", data=sent_back(window, start.headers["Location"]))
    for answer in (start, end, redeem(ours, fragment(end)["code"])):
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_last_page_is_ours_and_holds_nothing(ours: FlaskClient) -> None:
    with ours.get("/auth/done") as answer:
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert "dialog-done.js" in answer.text


def test_a_demonstrations_sign_in_is_not_there(ours: FlaskClient, parts: Parts) -> None:
    assert sign_in_blueprint(parts) is dialog_blueprint
    assert ours.get("/auth/local").status_code == 404
    assert ours.post("/auth/local", json={"person": "anna"}).status_code == 404


def test_nothing_of_a_sign_in_is_logged(
    ours: FlaskClient, window: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "orosync")
    caplog.set_level(logging.INFO)
    back = sent_back(window, opened(ours))
    code = returned(ours, back)["code"]
    token = redeem(ours, code).json["access_token"]
    for secret in (code, back["code"], back["state"], VERIFIER, *token.split(".")):
        assert secret not in caplog.text
