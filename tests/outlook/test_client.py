"""One conversation with Graph: headers, repeated attempts, broken connections, hosts, tokens, one call at a time."""

import base64
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from tests.outlook.driving import CONTACT, Tenant, create, op
from werkzeug.wrappers import Request, Response

from orosync.errors import SideFailing, SignInNeeded, Throttled, Unreachable
from orosync.outlook.allowance import Allowance
from orosync.outlook.auth import StaticToken
from orosync.outlook.batch import MailboxGates, Part, send_parts
from orosync.outlook.client import GraphClient, claims_of
from orosync.outlook.replies import ConnectionLost, Reply, read_error
from orosync.outlook.resource import segment
from orosync.sandbox.graph.wire import GraphRequest
from orosync.sandbox.transport import ConnectionDropped, WsgiAdapter, serve

Answer = Callable[[Request], Response]


class Server:
    """A server on a real socket that answers from a list, then 200."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.answers: list[Answer | Response] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        request.get_data()
        self.seen.append(request)
        answer = self.answers.pop(0) if self.answers else Response("{}", content_type="application/json")
        if not isinstance(answer, Response):
            answer = answer(request)
        return answer(environ, start_response)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server) -> Iterator[GraphClient]:
    with (
        serve(server) as running,
        GraphClient(f"{running.url}/v1.0", StaticToken("secret-token"), user_agent="orosync/1") as client,
    ):
        yield client


def drop(request: Request) -> Response:
    raise ConnectionDropped(request.path)


def test_every_request_says_who_asks_and_in_which_form_ids_are_wanted(client: GraphClient, server: Server) -> None:
    client.get("/me", prefer=("odata.maxpagesize=5",))
    headers = server.seen[0].headers
    assert headers["Authorization"] == "Bearer secret-token"
    assert headers["Prefer"] == 'IdType="ImmutableId", odata.maxpagesize=5'
    assert headers["User-Agent"] == "orosync/1"
    assert UUID(headers["client-request-id"])


def test_a_password_of_the_machine_does_not_take_the_tokens_place(
    client: GraphClient, server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client.get("/me")
    assert server.seen[0].headers["Authorization"] == "Bearer secret-token"


@pytest.mark.parametrize("status", [502, 504])
def test_a_read_that_a_gateway_lost_is_tried_once_more(client: GraphClient, server: Server, status: int) -> None:
    server.answers = [Response(status=status)]
    assert client.get("/me").status == 200
    server.answers = [Response(status=status)] * 3
    assert client.get("/me").status == status
    assert len(server.seen) == 4


def test_a_read_whose_connection_broke_is_tried_once_more(client: GraphClient, server: Server) -> None:
    server.answers = [drop]
    assert client.get("/me").status == 200
    server.answers = [drop, drop]
    with pytest.raises(Unreachable):
        client.get("/me")


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("answer", [Response(status=502), Response(status=504), Response(status=503), drop])
def test_a_write_is_never_repeated(client: GraphClient, server: Server, method: str, answer: Any) -> None:
    server.answers = [answer]
    try:
        assert client.send(method, "/me", body={}).status in {502, 503, 504}
    except ConnectionLost:
        assert answer is drop
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_answer_to_somebody_elses_request_is_not_used(client: GraphClient, server: Server, method: str) -> None:
    server.answers = [Response('{"id": "theirs"}', headers={"client-request-id": "another"})]
    with pytest.raises(SideFailing, match="another request"):
        client.send(method, "/me", body=None if method == "GET" else {})
    server.answers = [lambda asked: Response("{}", headers={"client-request-id": asked.headers["client-request-id"]})]
    assert client.get("/me").ok


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_handed_on_and_not_slept_through(
    client: GraphClient, server: Server, status: int
) -> None:
    server.answers = [Response(status=status, headers={"Retry-After": "2"})]
    error = read_error(client.get("/me"))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == 2
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:30 GMT", "date": "Sat, 21 Nov 2026 09:00:00 GMT"}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 08:00:00 GMT", "date": "Sat, 21 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 1998 08:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, 0.0),
        ({}, None),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert Reply(429, None, headers).retry_after_s == seconds


def test_a_server_that_is_not_there_was_certainly_not_asked() -> None:
    with GraphClient("http://127.0.0.1:9/v1.0", StaticToken("t")) as client, pytest.raises(Unreachable) as raised:
        client.send("POST", "/me", body={})
    assert type(raised.value) is Unreachable
    assert "OROSYNC_GRAPH_URL" in str(raised.value)


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open(server: Server) -> None:
    gave_up = threading.Event()

    def late(_: Request) -> Response:
        gave_up.wait(10)
        return Response("{}")

    server.answers = [late]
    with serve(server) as running:
        client = GraphClient(f"{running.url}/v1.0", StaticToken("t"), timeouts=(1.0, 0.05))
        with client, pytest.raises(ConnectionLost):
            client.send("POST", "/me", body={})
        gave_up.set()


@pytest.mark.parametrize("body", ["not json", "<html>", '{"a":'])
def test_an_answer_that_is_not_json_makes_no_sense(client: GraphClient, server: Server, body: str) -> None:
    server.answers = [Response(body)]
    with pytest.raises(SideFailing):
        client.get("/me")


def test_an_error_page_of_a_gateway_is_an_answer_with_a_status(client: GraphClient, server: Server) -> None:
    server.answers = [Response("<html>", status=500)]
    assert client.get("/me").status == 500


@pytest.mark.parametrize("target", ["http://[::1", "//]", "http://\xff"])
def test_a_redirect_to_what_is_no_address_makes_no_sense(target: str) -> None:
    def moved(_: Any, start_response: Any) -> list[bytes]:
        start_response("301 Moved Permanently", [("Location", target)])
        return [b""]

    odd = GraphClient("https://graph.example", StaticToken("t"), adapters={"https://": WsgiAdapter(moved)})
    with odd, pytest.raises(SideFailing, match="redirects"):
        odd.get("/me")


def test_half_a_sign_out_of_a_former_answer_is_sent_nowhere(client: GraphClient, server: Server) -> None:
    with pytest.raises(SideFailing, match="no request can hold"):
        segment("\ud800")
    with pytest.raises(SideFailing, match="no request can hold"):
        client.send("DELETE", "/me/contacts/1", headers={"If-Match": 'W/"\ud800"'})
    assert server.seen == []


def test_a_redirect_is_not_followed_with_a_token(client: GraphClient, server: Server) -> None:
    server.answers = [Response(status=302, headers={"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(SideFailing):
        client.get("/me")


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.microsoft.com/v1.0/me",
        "http://127.0.0.1:9/v1.0/me",
        "//evil.example/v1.0/me",
        "http://127.0.0.1@evil.example/v1.0/me",
        "http://[bad/v1.0/me",
        "me",
        "",
    ],
)
def test_a_token_goes_to_no_other_host(client: GraphClient, server: Server, link: str) -> None:
    with pytest.raises(SideFailing):
        client.get(link)
    assert server.seen == []


def test_a_link_graph_gave_is_called_as_it_is(client: GraphClient, server: Server) -> None:
    client.get(f"{client.base_url}/users('a@b')/x/delta()?$skiptoken=a%2Bb_-~%3D&$x=1")
    assert server.seen[0].environ["REQUEST_URI"] == "/v1.0/users('a@b')/x/delta()?$skiptoken=a%2Bb_-~%3D&$x=1"


def test_nothing_secret_and_no_content_is_logged(
    client: GraphClient, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = '{"error": {"code": "ErrorX", "message": "the value Mary"}}'
    server.answers = [
        Response('{"givenName": "Mary"}'),
        Response(error, status=400, headers={"request-id": "rid-1"}),
        drop,
    ]
    client.get("/me/contacts?$deltatoken=tttt")
    client.send("PATCH", "/me", body={"givenName": "Mary"})
    with pytest.raises(ConnectionLost) as raised:
        client.send("POST", "/me?$skiptoken=tttt", body={"givenName": "Mary"})
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("orosync"))
    assert "ErrorX" in ours
    assert "rid-1" in ours
    for word in ("Mary", "secret-token", "tttt"):
        assert word not in ours + str(raised.value)
    assert raised.value.__suppress_context__


# tokens


class Renewing:
    """A source whose tokens are t0, t1, ..."""

    def __init__(self) -> None:
        self.number = 0
        self.claims: list[str | None] = []

    def token(self) -> str:
        return f"t{self.number}"

    def renewed(self, refused: str, claims: str | None) -> str:
        assert refused == self.token()
        self.number += 1
        self.claims.append(claims)
        return self.token()


def unauthorised(claims: str = "") -> Response:
    challenge = 'Bearer realm="", authorization_uri="https://login.example/x"'
    if claims:
        challenge += f', error="insufficient_claims", claims="{claims}"'
    return Response('{"error": {"code": "x"}}', status=401, headers={"WWW-Authenticate": challenge})


def test_a_refused_token_is_renewed_once(server: Server) -> None:
    tokens = Renewing()
    server.answers = [unauthorised()]
    with serve(server) as running, GraphClient(f"{running.url}/v1.0", tokens) as client:
        assert client.send("POST", "/me", body={}).status == 200
        assert [each.headers["Authorization"] for each in server.seen] == ["Bearer t0", "Bearer t1"]
        assert client.requests_sent == 2
        server.answers = [unauthorised(), unauthorised()]
        with pytest.raises(SignInNeeded):
            client.get("/me")


def test_the_claims_graph_asks_for_reach_the_source_of_tokens(server: Server) -> None:
    tokens = Renewing()
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    server.answers = [unauthorised(base64.b64encode(claims.encode()).decode().rstrip("="))]
    with serve(server) as running, GraphClient(f"{running.url}/v1.0", tokens) as client:
        client.get("/me")
    assert tokens.claims == [claims]


@pytest.mark.parametrize("text", ["{}x", "abc", "YWJj"])
def test_claims_that_are_not_encoded_are_taken_as_they_are(text: str) -> None:
    assert claims_of(Reply(401, None, {"www-authenticate": f'Bearer claims="{text}"'})) == text


def test_parts_that_are_refused_for_their_token_are_sent_again_and_no_others(tenant: Tenant) -> None:
    tokens = Renewing()
    tokens.token = lambda: tenant.graph.issue_token("anna@contoso.example")  # type: ignore[method-assign]
    tokens.renewed = lambda _refused, _claims: tokens.token()  # type: ignore[method-assign]
    client = tenant.client(tokens)
    tenant.graph.fail_next("POST", "/contacts", 401, "InvalidAuthenticationToken")
    outlook = tenant.outlook(client=client)
    results = outlook.write([create(CONTACT, {"surname": f"{n}"}, n) for n in range(3)])
    assert [type(each).__name__ for each in results.values()] == ["Written"] * 3
    assert len(tenant.mailbox.items("contact")) == 3


def test_a_part_that_stays_refused_leaves_the_results_of_the_others(tenant: Tenant) -> None:
    outlook = tenant.outlook()
    tenant.graph.fail_next("POST", "/contacts", 401, "InvalidAuthenticationToken")
    results = outlook.write([create(CONTACT, {"surname": f"{n}"}, n) for n in range(3)])
    assert isinstance(results.pop(op(0)), SignInNeeded)
    assert [type(each).__name__ for each in results.values()] == ["Written"] * 2


# one call at a time


def test_no_call_runs_beside_a_batch_of_the_same_mailbox(tenant: Tenant) -> None:
    gates = MailboxGates()
    clients = [tenant.client(gate=gates.of(name)) for name in ("anna@contoso.example", "ANNA@contoso.example")]
    in_flight, most = 0, 0
    counting = threading.Lock()
    met = threading.Barrier(2)

    def enter(request: GraphRequest) -> None:
        nonlocal in_flight, most
        if request.part_id is None:
            with counting:
                in_flight += 1
                most = max(most, in_flight)

    def leave(request: GraphRequest, _: Any) -> None:
        nonlocal in_flight
        if request.part_id is None:
            with counting:
                in_flight -= 1

    tenant.graph.before_request(enter)
    tenant.graph.after_request(leave)
    answers: list[Any] = []

    def work(client: GraphClient) -> None:
        met.wait()
        for _ in range(10):
            answers.extend(send_parts(client, [Part("GET", "/me/contacts")] * 20))

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 400
    assert {answer.status for answer in answers} == {200}
    assert most == 1
    assert tenant.graph.max_concurrency_seen["anna@contoso.example"] == 4


def test_mailboxes_do_not_wait_for_each_other() -> None:
    gates = MailboxGates()
    one = gates.of("one@example.com")
    with one, gates.of("other@example.com"):
        assert gates.of("ONE@example.com") is one


def test_whoever_may_forbid_a_write_is_asked_after_all_waiting(server: Server) -> None:
    """A lease may end while a mailbox is spared."""
    order: list[str] = []
    waiting = Allowance(0, capacity=10, refill_per_s=1, sleep=lambda _seconds: order.append("waited"))
    with serve(server) as running:
        client = GraphClient(f"{running.url}/v1.0", StaticToken("t"), allowance=waiting)
        client.before_writing = lambda: order.append("asked")
        client.send("POST", "/me/contacts", body={})
        client.get("/me/contacts")
    assert order == ["waited", "asked", "waited"]
