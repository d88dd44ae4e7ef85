"""Signing in to OroCRM by API key and by OAuth, against the simulated OroCRM."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from tests.oro.conftest import URL, World

from orosync.errors import SideFailing, SignInNeeded
from orosync.oro.auth import Grant, OAuth, Tokens, Wsse, ask_for_tokens, authorization_url, redeem_code, wsse_header
from orosync.oro.client import OroClient
from orosync.sandbox.transport import WsgiAdapter


def test_the_digest_is_over_the_decoded_nonce() -> None:
    header = wsse_header("admin", "key", b"\x00\x01nonce", "2026-11-21T08:00:00Z")
    assert header == (
        'UsernameToken Username="admin", PasswordDigest="8zUe7efaKkQMQzIpxIJNi2uZV5M=", Nonce="AAFub25jZQ==", '
        'Created="2026-11-21T08:00:00Z"'
    )


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (15, True), (-3000, True), (60, False)])
def test_a_clock_a_little_ahead_does_not_put_created_into_the_future(
    world: World, seconds: int, accepted: bool
) -> None:
    ours = world.clock.time + timedelta(seconds=seconds)
    client = world.client(sign_in=Wsse("admin", world.oro.user("admin").api_key, now=lambda: ours))
    if accepted:
        assert client.get("contacts").ok
    else:
        with pytest.raises(SignInNeeded):
            client.get("contacts")


def test_every_request_has_its_own_nonce(world: World) -> None:
    client = world.client()
    assert all(client.get("contacts").ok for _ in range(3))


def test_client_credentials_last_until_they_expire(world: World) -> None:
    client = world.client(sign_in=oauth(world, "client_credentials"))
    assert client.get("contacts").ok
    assert client.get("contacts").ok
    assert tokens_asked(world) == 1
    world.clock.forward(seconds=3590)
    assert client.get("contacts").ok
    assert tokens_asked(world) == 2


def test_expires_in_is_obeyed_whatever_it_says(world: World) -> None:
    class Short:
        def __call__(self, form: Any) -> tuple[int, Any]:
            return 200, {"access_token": "t", "expires_in": 90}

    tokens = ask_for_tokens(Grant("client_credentials", "c", "s"), None, Short(), world.clock.time)
    assert tokens.expires_at == world.clock.time + timedelta(seconds=45)


def test_the_password_grant_signs_in(world: World) -> None:
    assert world.client(sign_in=oauth(world, "password")).get("userprofile").document["data"]["id"] == "2"


def test_a_token_that_ended_early_is_replaced_once_even_for_a_write(world: World) -> None:
    sign_in = oauth(world, "client_credentials")
    client = world.client(sign_in=sign_in)
    assert client.get("contacts").ok
    world.oro.fail_next("POST", "api/contacts", 401)
    body = {"data": {"type": "contacts", "attributes": {"firstName": "A"}}}
    assert client.write("POST", "contacts", body).status == 201
    assert tokens_asked(world) == 2
    world.oro.fail_next("GET", "api/contacts", 401, times=5)
    with pytest.raises(SignInNeeded):
        client.get("contacts")


def test_a_withdrawn_application_needs_its_user(world: World) -> None:
    sign_in = oauth(world, "client_credentials")
    client = world.client(sign_in=sign_in)
    assert client.get("contacts").ok
    for each in [sign_in._grant.client_id]:
        world.oro.oauth_client(each).active = False
    with pytest.raises(SignInNeeded, match="invalid_client") as refused:
        client.get("contacts")
    assert "Enable API" in refused.value.remedy


# refresh


def test_a_rotated_refresh_token_is_saved_before_it_is_used(world: World) -> None:
    first = user_tokens(world)
    saved: list[Tokens] = []
    story: list[str] = []
    world.oro.before_request(lambda method, path: story.append(path))

    def save(tokens: Tokens) -> None:
        saved.append(tokens)
        story.append("saved")

    client = world.client(sign_in=refreshing(world, first, save))
    world.clock.forward(hours=2)
    assert client.get("contacts").ok
    assert story == ["/oauth2-token", "saved", "/api/contacts"]
    assert saved[0].refresh_token != first.refresh_token
    world.clock.forward(hours=2)
    assert client.get("contacts").ok, "the first refresh token would not work twice"
    assert len(saved) == 2


def test_tokens_that_could_not_be_saved_are_not_used_and_not_lost(world: World) -> None:
    saved: list[Tokens] = []
    broken = [True]

    def save(tokens: Tokens) -> None:
        if broken:
            broken.pop()
            raise OSError("disk full")
        saved.append(tokens)

    client = world.client(sign_in=refreshing(world, user_tokens(world), save))
    world.clock.forward(hours=2)
    with pytest.raises(OSError, match="disk full"):
        client.get("contacts")
    assert client.get("contacts").ok
    assert len(saved) == 1
    assert tokens_asked(world) == 2, "one for the first sign-in, one refresh"


def test_a_refresh_waits_for_requests_that_still_use_the_old_token(world: World) -> None:
    """The former access token dies at the moment of refresh (oauth2-old-access-token-after-refresh)."""
    sign_in = refreshing(world, user_tokens(world), lambda tokens: None)
    client = world.client(sign_in=sign_in)
    arrived, go_on = threading.Event(), threading.Event()
    outcomes: list[Any] = []

    def hold(method: str, path: str) -> None:
        if path == "/api/tasks":
            arrived.set()
            assert go_on.wait(10)

    world.oro.before_request(hold)
    slow = run(outcomes, lambda: client.get("tasks").status)
    assert arrived.wait(10)
    world.clock.forward(hours=0.9, seconds=320)  # past our early renewal, before OroCRM's own end
    quick = run(outcomes, lambda: client.get("contacts").status)
    waiting_for(lambda: sign_in._renewing)
    quick.join(0.2)
    assert quick.is_alive()
    assert tokens_asked(world) == 1, "no refresh while the slow request travels"
    go_on.set()
    slow.join(10)
    quick.join(10)
    assert outcomes == [200, 200]
    assert [each.status for each in world.logged() if each.path == "/api/tasks"] == [200]
    assert tokens_asked(world) == 2


def test_many_threads_ask_for_one_token(world: World) -> None:
    client = world.client(sign_in=oauth(world, "client_credentials"))
    outcomes: list[Any] = []
    threads = [run(outcomes, lambda: client.get("contacts").status) for _ in range(8)]
    for thread in threads:
        thread.join(10)
    assert outcomes == [200] * 8
    assert tokens_asked(world) == 1


class Shelf:
    """Where two processes keep the tokens of one account."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def save(self, tokens: Tokens) -> None:
        self.tokens = tokens

    def load(self) -> Tokens | None:
        return self.tokens


def test_two_processes_of_one_account_do_not_end_each_others_sign_in(world: World) -> None:
    shelf = Shelf(user_tokens(world))
    web, worker = (world.client(sign_in=sharing(world, shelf)) for _ in range(2))
    for _ in range(3):
        world.clock.forward(hours=2)
        assert web.get("contacts").ok
        assert worker.get("contacts").ok, "its own refresh token is void"
    assert tokens_asked(world) == 4, "one sign-in, and one renewal each time"


def test_a_token_that_another_process_ended_is_replaced_by_that_processes_own(world: World) -> None:
    shelf = Shelf(user_tokens(world))
    slow = world.client(sign_in=sharing(world, shelf))
    assert slow.get("contacts").ok
    world.clock.forward(seconds=3590)
    assert world.client(sign_in=sharing(world, shelf)).get("contacts").ok
    world.clock.forward(seconds=-3590)  # the slow one would go on with its token, which OroCRM refuses now
    assert slow.get("contacts").ok
    assert tokens_asked(world) == 2


def test_tokens_that_another_process_is_about_to_store_are_waited_for(world: World) -> None:
    first = user_tokens(world)
    shelf = Shelf(first)
    world.clock.forward(hours=2)
    newer = ask_for_tokens(
        refreshing(world, first, shelf.save)._grant, first, world.client().post_token_form, world.clock.time
    )
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        shelf.save(newer)

    assert world.client(sign_in=sharing(world, shelf, wait)).get("contacts").ok
    assert len(waits) == 1


def test_tokens_that_stay_void_are_not_waited_for_for_ever(world: World) -> None:
    first = user_tokens(world)
    world.clock.forward(hours=2)
    assert world.client(sign_in=refreshing(world, first, lambda tokens: None)).get("contacts").ok
    waits: list[float] = []
    with pytest.raises(SignInNeeded, match="ended the sign-in"):
        world.client(sign_in=sharing(world, Shelf(first), waits.append)).get("contacts")
    assert 0 < sum(waits) <= 3


def test_a_used_refresh_token_needs_its_user(world: World) -> None:
    first = user_tokens(world)
    world.clock.forward(hours=2)
    assert world.client(sign_in=refreshing(world, first, lambda tokens: None)).get("contacts").ok
    with pytest.raises(SignInNeeded, match="ended the sign-in"):
        world.client(sign_in=refreshing(world, first, lambda tokens: None)).get("contacts")


def test_without_any_sign_in_nothing_is_asked(world: World) -> None:
    sign_in = OAuth(Grant("refresh_token", "c", "s"), now=world.clock)
    with pytest.raises(SignInNeeded, match="Nobody has signed in"):
        world.client(sign_in=sign_in).get("contacts")
    assert world.logged() == []


@pytest.mark.parametrize(("status", "answer", "error", "word"), [
    (401, {"error": "invalid_client"}, SignInNeeded, "invalid_client"),
    (400, {"error": "invalid_grant"}, SignInNeeded, "password"),
    (400, {"error": "unsupported_grant_type"}, SignInNeeded, "grant"),
    (404, None, SideFailing, "404"),
    (200, {"access_token": "x"}, SideFailing, "usable"),
    (200, None, SideFailing, "usable"),
])  # fmt: skip
def test_refusals_of_the_token_endpoint(world: World, status: int, answer: Any, error: Any, word: str) -> None:
    grant = Grant("password", "c", "hush", "u", "secret")
    with pytest.raises(error, match=word) as refused:
        ask_for_tokens(grant, None, lambda form: (status, answer), world.clock.time)
    assert "hush" not in str(refused.value)
    assert "secret" not in repr(grant)


def test_the_consent_page_is_asked_with_a_hashed_verifier() -> None:
    url = authorization_url(URL, "c", "https://app.example/back", "state", "verifier")
    query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["code_challenge"] == "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ"
    assert "verifier" not in query.values()


def test_a_person_signs_in_on_the_consent_page(world: World) -> None:
    back = "https://app.example/back"
    _, secret = world.oro.add_oauth_client(
        ["authorization_code", "refresh_token"], "admin", client_id=APPLICATION, redirect_uris=[back]
    )
    client = world.client()
    session = requests.Session()
    session.mount(URL, WsgiAdapter(world.app))
    form = {"username": "bob", "password": world.oro.user("bob").password, "decision": "allow"}
    url = authorization_url(URL, APPLICATION, back, "state", "v" * 43)
    sent_back = urlsplit(session.post(url, data=form, allow_redirects=False).headers["Location"])
    code = parse_qs(sent_back.query)["code"][0]
    grant = Grant("refresh_token", APPLICATION, secret)
    now = world.clock.time
    tokens = redeem_code(grant, code, redirect_uri=back, verifier="v" * 43, post=client.post_token_form, now=now)
    assert tokens.refresh_token
    bob = world.client(sign_in=OAuth(grant, now=world.clock, tokens=tokens))
    assert bob.get("userprofile").document["data"]["id"] == "2"
    with pytest.raises(SignInNeeded, match="code of its own sign-in page"):
        redeem_code(grant, code, redirect_uri=back, verifier="v" * 43, post=client.post_token_form, now=now)


# parts


def oauth(world: World, kind: Any, owner: str = "bob") -> OAuth:
    number, secret = world.oro.add_oauth_client([kind], owner)
    grant = Grant(kind, number, secret)
    if kind == "password":
        grant = Grant(kind, number, secret, owner, world.oro.user(owner).password)
    return OAuth(grant, now=world.clock)


APPLICATION = "sync-application"


def user_tokens(world: World) -> Tokens:
    """A pair with a refresh token, as the consent page gives it; here by the password grant."""
    _, secret = world.oro.add_oauth_client(["password", "refresh_token"], "bob", client_id=APPLICATION)
    grant = Grant("password", APPLICATION, secret, "bob", world.oro.user("bob").password)
    client = OroClient(URL, OAuth(grant, now=world.clock), adapters={"https://": WsgiAdapter(world.app)})
    return ask_for_tokens(grant, None, client.post_token_form, world.clock.time)


def refreshing(world: World, tokens: Tokens, save: Callable[[Tokens], None]) -> OAuth:
    secret = world.oro.oauth_client(APPLICATION).secret or ""
    return OAuth(Grant("refresh_token", APPLICATION, secret), now=world.clock, tokens=tokens, save=save)


def sharing(world: World, shelf: Shelf, pause: Callable[[float], None] = lambda seconds: None) -> OAuth:
    grant = Grant("refresh_token", APPLICATION, world.oro.oauth_client(APPLICATION).secret or "")
    return OAuth(grant, now=world.clock, tokens=shelf.load(), save=shelf.save, load=shelf.load, pause=pause)


def tokens_asked(world: World) -> int:
    return sum(each.path == "/oauth2-token" for each in world.logged())


def run(outcomes: list[Any], ask: Callable[[], Any]) -> threading.Thread:
    def work() -> None:
        try:
            outcomes.append(ask())
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            outcomes.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def waiting_for(true: Callable[[], bool]) -> None:
    """Gives other threads their turn until it is so."""
    turn = threading.Event()
    for _ in range(2000):
        if true():
            return
        turn.wait(0.005)
    raise AssertionError("it did not happen")
