"""Signing in on OroCRM's own page: from the pane's question to a run, with a real OroCRM page in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask, Response, g, jsonify, request
from flask.testing import FlaskClient
from flask_smorest import Api
from tests.web.sign_in_world import SetClock, parts_of
from werkzeug.test import TestResponse

from orosync import bootstrap
from orosync.bootstrap import Connection
from orosync.bootstrap.parts import oro_client
from orosync.config import Config
from orosync.core.ledger import Account
from orosync.errors import ConfigurationError, OrosyncError, SignInNeeded
from orosync.sandbox.oro import OroSandbox, create_oro_app
from orosync.sandbox.transport import RunningServer, serve
from orosync.web.oro_sign_in import Consented, offered, put_back, redeem_oro_code
from orosync.web.parts import Parts, attach
from orosync.web.principal import Principal
from orosync.web.problems import Problem, as_problem, body_of
from orosync.web.routes.oro_sign_in import blueprint, pages_blueprint

PUBLIC = "https://sync.example.com"
CALLBACK = f"{PUBLIC}/auth/oro/callback"
APPLICATION = "sync-application"
ANNA = Principal("tenant", "anna", "Anna", "anna@example.com")
BERT = Principal("tenant", "bert", "Bert", "bert@example.com")


@dataclass
class World:
    oro: OroSandbox
    server: RunningServer
    clock: SetClock
    parts: Parts
    pane: FlaskClient

    @property
    def url(self) -> str:
        return self.server.url

    def change(self, **config: Any) -> None:
        """Another configuration, in another process with the same database."""
        self.parts = replace(self.parts, config=replace(self.parts.config, **config))
        self.pane = application(self.parts).test_client()

    def authorize(self, who: Principal = ANNA, **body: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {who.object_id}"}
        return self.pane.post("/api/v1/connection/authorize", json={"orocrm_url": self.url} | body, headers=headers)

    def window(self, who: Principal = ANNA) -> str:
        """Path and query of the window's first address."""
        address = self.authorize(who).json["start_url"]
        assert address.startswith(f"{PUBLIC}/auth/oro/start?")
        return str(address.removeprefix(PUBLIC))

    def page(self, window: str) -> str:
        """OroCRM's page that the window is sent on to."""
        answer = self.pane.get(window)
        assert answer.status_code == 303
        return str(answer.headers["Location"])

    def consent(self, page: str, decision: str = "allow", user: str = "bob") -> str:
        """A person signs in there; path and query of where the window is sent back to."""
        form = {"username": user, "password": self.oro.user(user).password, "decision": decision}
        answer = requests.post(page, data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(CALLBACK)
        return answer.headers["Location"].removeprefix(PUBLIC)

    def end(self, back: str) -> dict[str, str]:
        """What the window's last page is told."""
        answer = self.pane.get(back)
        assert answer.status_code == 303
        page, _, fragment = answer.headers["Location"].partition("#")
        assert page == "/addin/auth-done.html"
        return {name: value for name, [value] in parse_qs(fragment).items()}

    def code(self, who: Principal = ANNA, user: str = "bob") -> str:
        ended = self.end(self.consent(self.page(self.window(who)), user=user))
        assert ended["kind"] == "oro"
        return ended["code"]

    def redeem(self, code: str, who: Principal = ANNA, url: str | None = None) -> Consented:
        return redeem_oro_code(self.parts, who, code, url)

    def connect(self, consented: Consented) -> Account:
        account = candidate(self, consented)
        made = self.parts.database.accounts.get(self.parts.database.accounts.add(account))
        bootstrap.save_connection(self.parts.database, made, consented.connection)
        return made

    def client_of(self, account: Account) -> Any:
        return oro_client(self.parts.config, self.parts.database, account, None, self.clock)


def candidate(world: World, consented: Consented) -> Account:
    user = consented.user
    return Account(
        "anna", "anna@example.com", consented.orocrm_url, user, "authorization-code", "user", owner=ANNA.owner
    )


def application(parts: Parts) -> Flask:
    """The routes alone; a bearer token is the name of who asks."""
    app = Flask("oro_sign_in")
    app.config.update(API_TITLE="t", API_VERSION="1", OPENAPI_VERSION="3.1.0", TESTING=True)
    people = {each.object_id: each for each in (ANNA, BERT)}

    @app.before_request
    def who() -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in people:
            g.principal = people[token]

    Api(app).register_blueprint(blueprint, url_prefix="/api/v1")
    app.register_blueprint(pages_blueprint)
    attach(app, parts)

    @app.errorhandler(OrosyncError)
    def tell(error: OrosyncError) -> tuple[Response, int]:
        problem = as_problem(error)
        return jsonify(body_of(problem, "request")), int(problem.status)

    return app


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = SetClock(datetime.now(UTC))
    oro = OroSandbox(clock.now, seed=1)
    oro.seed_recorded_users()
    _, secret = oro.add_oauth_client(["authorization_code"], "admin", client_id=APPLICATION, redirect_uris=[CALLBACK])
    with serve(create_oro_app(oro)) as server:
        config = Config(
            data_dir=tmp_path,
            database_url=f"sqlite:///{tmp_path / 'test.sqlite3'}",
            secret_keys=(Fernet.generate_key().decode(),),
            public_url=PUBLIC,
            oro_hosts=(urlsplit(server.url).netloc,),
            oro_oauth_client_id=APPLICATION,
            oro_oauth_client_secret=secret,
            allow_insecure_loopback=True,
        )
        database = bootstrap.open_database(config, clock)
        parts = parts_of(config, database=database, clock=clock)
        yield World(oro, server, clock, parts, application(parts).test_client())
        database.close()


# the story


def test_a_person_signs_in_on_orocrms_page_and_runs_go_on_for_months(world: World) -> None:
    consented = world.redeem(world.code())
    assert (consented.orocrm_url, consented.user, consented.certificate) == (world.url, "bob", None)
    findings = bootstrap.check_connection(
        world.parts.config, world.parts.database, candidate(world, consented), consented.connection, clock=world.clock
    )
    assert [(each.ok, each.what) for each in findings] == [
        (True, "url"), (True, "sign_in"), (True, "contact"), (True, "task"), (True, "event"),
    ]  # fmt: skip
    account = world.connect(consented)
    for _ in range(6):
        assert world.client_of(account).get("userprofile").document["data"]["attributes"]["username"] == "bob"
        world.clock.pass_by(timedelta(days=30))


def test_nothing_of_it_can_be_read_on_the_way(world: World) -> None:
    window = world.window()
    page = world.page(window)
    asked = {name: value for name, [value] in parse_qs(urlsplit(page).query).items()}
    assert (asked["redirect_uri"], asked["code_challenge_method"]) == (CALLBACK, "S256")
    assert asked["state"] not in window, "who saw the window's address cannot finish it"
    back = world.consent(page)
    code = world.end(back)["code"]
    theirs = parse_qs(urlsplit(back).query)["code"][0]
    assert theirs not in code
    stored = b"".join(file.read_bytes() for file in world.parts.config.data_dir.glob("test.sqlite3*"))
    assert not any(secret.encode() in stored for secret in (theirs, code, asked["state"]))


@pytest.mark.parametrize("path", ["/auth/oro/start?state=x", "/auth/oro/callback?state=x&code=y"])
def test_the_windows_addresses_are_kept_nowhere(world: World, path: str) -> None:
    answer = world.pane.get(path)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_any_process_may_answer_any_of_the_requests(world: World) -> None:
    window = world.window()
    world.change()
    page = world.page(window)
    world.change()
    ended = world.end(world.consent(page))
    world.change()
    assert world.redeem(ended["code"]).user == "bob"


def test_a_public_application_needs_no_secret(world: World) -> None:
    world.oro.add_oauth_client(
        ["authorization_code"], "admin", client_id="public", redirect_uris=[CALLBACK], public=True
    )
    world.change(oro_oauth_client_id="public", oro_oauth_client_secret="")
    account = world.connect(world.redeem(world.code()))
    world.clock.pass_by(timedelta(hours=2))
    assert world.client_of(account).get("contacts").ok


def test_a_person_who_says_no_is_told_so_in_the_pane(world: World) -> None:
    ended = world.end(world.consent(world.page(world.window()), "deny"))
    assert ended["kind"] == "error"
    assert "did not let" in ended["message"]


def test_what_orocrm_says_is_not_repeated_unless_it_is_a_word_of_the_protocol(world: World) -> None:
    for error, shown in (("server_error", True), ("<script>alert(1)</script>", False), ("", False)):
        state = parse_qs(urlsplit(world.page(world.window())).query)["state"][0]
        ended = world.end(f"/auth/oro/callback?state={state}&error={error}&error_description=Click+here")
        assert ended["kind"] == "error"
        assert "code" not in ended
        assert ("server_error" in ended["message"]) is shown
        assert "<" not in ended["message"]
        assert "Click" not in ended["message"]


# once, for a while, and for one person


def test_each_step_works_once(world: World) -> None:
    window = world.window()
    page = world.page(window)
    assert "used already" in world.end(window)["message"]
    back = world.consent(page)
    code = world.end(back)["code"]
    assert "used already" in world.end(back)["message"]
    world.redeem(code)
    with pytest.raises(Problem, match="used already"):
        world.redeem(code)


@pytest.mark.parametrize(("step", "minutes"), [("window", 5), ("page", 15), ("code", 5)])
def test_each_step_ends_after_a_while(world: World, step: str, minutes: int) -> None:
    window = world.window()
    page = "" if step == "window" else world.page(window)
    back = "" if step == "window" else world.consent(page)
    code = world.end(back)["code"] if step == "code" else ""
    world.clock.pass_by(timedelta(minutes=minutes))
    if step == "code":
        with pytest.raises(Problem, match="too long"):
            world.redeem(code)
    else:
        assert "too long" in world.end(window if step == "window" else back)["message"]


@pytest.mark.parametrize("state", ["", "guess", "\x00", "ü" * 1000])
def test_a_window_that_nobody_asked_for_gets_nothing(world: World, state: str) -> None:
    for path in ("start", "callback"):
        answer = world.pane.get(f"/auth/oro/{path}", query_string={"state": state, "code": "c"})
        assert answer.status_code == 303
        assert "#kind=error" in answer.headers["Location"]


def test_somebody_elses_code_gets_nothing_and_is_spent(world: World) -> None:
    code = world.code(ANNA)
    world.oro.forget_requests()
    with pytest.raises(Problem, match="somebody else"):
        world.redeem(code, BERT)
    with pytest.raises(Problem, match="used already"):
        world.redeem(code, ANNA)
    assert not world.oro.request_log, "OroCRM was asked for no token"


def test_a_code_connects_no_other_orocrm_than_the_one_that_was_signed_in_to(world: World) -> None:
    with pytest.raises(Problem, match="another OroCRM"):
        world.redeem(world.code(), url="https://crm.example.com")


def test_the_code_of_one_step_is_none_of_another_step(world: World) -> None:
    state = parse_qs(urlsplit(world.page(world.window())).query)["state"][0]
    for code in (state, world.window().partition("=")[2]):
        with pytest.raises(Problem):
            world.redeem(code)


# a code that was only tried with


def test_a_code_can_be_put_back_after_a_mere_check(world: World) -> None:
    code = world.code()
    first = world.redeem(code)
    put_back(world.parts, ANNA, code, first)
    second = world.redeem(code)
    assert second == first, "OroCRM's own code would not have worked twice"
    assert world.client_of(world.connect(second)).get("contacts").ok


def test_tokens_that_the_check_renewed_are_put_back_in_place_of_the_void_ones(world: World) -> None:
    code = world.code()
    consented = world.redeem(code)
    world.oro.fail_next("GET", "api/configurationoptions", 401)
    renewed: list[Connection] = []
    bootstrap.check_connection(
        world.parts.config, world.parts.database, candidate(world, consented), consented.connection,
        clock=world.clock, renewed=renewed.append,
    )  # fmt: skip
    (newest,) = renewed
    assert newest != consented.connection
    put_back(world.parts, ANNA, code, consented, newest)
    assert world.client_of(world.connect(world.redeem(code))).get("contacts").ok


def test_a_code_that_was_put_back_lives_no_longer_and_is_still_one_persons(world: World) -> None:
    code = world.code()
    put_back(world.parts, ANNA, code, world.redeem(code))
    with pytest.raises(Problem, match="somebody else"):
        world.redeem(code, BERT)
    code = world.code()
    consented = world.redeem(code)
    world.clock.pass_by(timedelta(minutes=4))
    put_back(world.parts, ANNA, code, consented)
    world.clock.pass_by(timedelta(minutes=1))
    with pytest.raises(Problem, match="too long"):
        world.redeem(code)


# what can be wrong before


def test_only_who_is_signed_in_may_begin(world: World) -> None:
    answer = world.pane.post("/api/v1/connection/authorize", json={"orocrm_url": world.url})
    assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("hosts", [(), ("crm.example.com",)])
def test_a_host_that_is_not_listed_is_not_asked_anything(world: World, hosts: tuple[str, ...]) -> None:
    world.change(oro_hosts=hosts)
    answer = world.authorize()
    assert answer.status_code == 422
    assert not world.oro.request_log


def test_an_address_of_this_machine_is_not_asked_anything(world: World) -> None:
    world.change(allow_insecure_loopback=False)
    answer = world.authorize(orocrm_url=world.url.replace("http:", "https:"))
    assert (answer.status_code, answer.json["code"]) == (422, "connection_refused")
    (finding,) = answer.json["findings"]
    assert finding["what"] == "connection"
    assert "OROSYNC_ALLOW_PRIVATE_ADDRESSES" in finding["remedy"]
    assert not world.oro.request_log


def test_an_orocrm_that_cannot_be_used_is_told_in_the_pane_and_not_in_the_window(world: World) -> None:
    world.oro.settings.web_api_enabled = False
    answer = world.authorize()
    assert (answer.status_code, answer.json["code"]) == (422, "connection_refused")
    assert [each["what"] for each in answer.json["findings"] if not each["ok"]] == ["api"]


@pytest.mark.parametrize("given", [{"certificate": "a" * 64}, {"unknown": 1}, {"orocrm_url": ""}, {"orocrm_url": None}])
def test_a_body_that_cannot_be_used_is_refused(world: World, given: dict[str, Any]) -> None:
    assert world.authorize(**given).status_code == 422


def test_without_an_application_or_an_address_of_our_own_it_is_not_offered(world: World) -> None:
    assert offered(world.parts.config)
    for missing in ({"oro_oauth_client_id": ""}, {"public_url": ""}, {"oro_hosts": ()}):
        world.change(**missing)
        assert not offered(world.parts.config)
        answer = world.authorize()
        assert answer.status_code == 422
        assert answer.json["remedy"]
    with pytest.raises(ConfigurationError, match="PUBLIC_URL"):
        bootstrap.callback_url(replace(world.parts.config, public_url=""))


def test_a_host_header_does_not_decide_where_orocrm_sends_the_code(world: World) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Authorization": "Bearer anna"}
    answer = world.pane.post("/api/v1/connection/authorize", json={"orocrm_url": world.url}, headers=headers)
    window = answer.json["start_url"]
    assert window.startswith(PUBLIC)
    page = world.pane.get(window.removeprefix(PUBLIC), headers=headers).headers["Location"]
    assert parse_qs(urlsplit(page).query)["redirect_uri"] == [CALLBACK]


# and after


def test_the_web_and_a_worker_share_one_sign_in(world: World) -> None:
    account = world.connect(world.redeem(world.code()))
    web, worker = world.client_of(account), world.client_of(account)
    for _ in range(3):
        world.clock.pass_by(timedelta(hours=2))
        assert web.get("contacts").ok
        assert worker.get("contacts").ok, "the other one's renewal made its refresh token void"


def test_an_api_key_in_its_place_leaves_no_tokens_behind_and_the_other_way_round(world: World) -> None:
    consented = world.redeem(world.code())
    account, database = world.connect(consented), world.parts.database
    names = database.secrets(account.id).names
    assert names() == ["oro_client", "oro_tokens"]
    bootstrap.save_connection(database, account, Connection(oro=world.oro.user("bob").api_key))
    assert "oro_tokens" not in names()
    bootstrap.save_connection(database, account, consented.connection)
    assert names() == ["oro_client", "oro_tokens"]


def test_an_application_that_was_changed_needs_the_person_again(world: World) -> None:
    account = world.connect(world.redeem(world.code()))
    world.change(oro_oauth_client_id="another")
    with pytest.raises(SignInNeeded, match="another OAuth application"):
        world.client_of(account)


def test_a_secret_that_was_changed_in_orocrm_and_here_needs_nobody(world: World) -> None:
    account = world.connect(world.redeem(world.code()))
    world.oro.oauth_client(APPLICATION).secret = "renewed"
    world.change(oro_oauth_client_secret="renewed")
    world.clock.pass_by(timedelta(hours=2))
    assert world.client_of(account).get("contacts").ok


def test_a_secret_that_is_wrong_leaves_the_code_unconnected_with_a_remedy(world: World) -> None:
    code = world.code()
    world.change(oro_oauth_client_secret="wrong")
    with pytest.raises(SignInNeeded, match="invalid_client") as refused:
        world.redeem(code)
    assert "client id and secret" in refused.value.remedy


def test_a_person_whose_profile_is_hidden_can_connect_as_well(world: World) -> None:
    assert world.redeem(world.code(user="rita")).user == ""
