"""Batches, throttling, faults and the log of the simulated Graph (graph-api.md 7, 11)."""

import threading
from typing import Any

import pytest
import requests
from tests.sandbox.graph_caller import BASE, IMMUTABLE, STAMP, UPN, Caller, new_caller

from orosync.sandbox.graph import create_graph_app
from orosync.sandbox.transport import ConnectionDropped, WsgiAdapter, serve


@pytest.fixture
def caller() -> Caller:
    return new_caller()


def create(name: str, **more: Any) -> dict[str, Any]:
    return {"method": "POST", "url": "/me/contacts", "body": {"givenName": name}, **more}


def test_each_part_has_its_own_status_headers_and_preference(caller: Caller) -> None:
    made = caller.post("/me/contacts", {"givenName": "A"}, headers=IMMUTABLE)["id"]
    url = f"me/contacts/{made}"
    replies = caller.batch(
        {"method": "GET", "url": url},
        {"method": "GET", "url": f"/users/{UPN}/contacts/{made}?$select=givenName", "headers": IMMUTABLE},
        {"method": "DELETE", "url": url},
        {"method": "GET", "url": url},
    )
    assert [replies[str(n)]["status"] for n in range(4)] == [200, 200, 204, 404]
    assert replies["0"]["body"]["id"] != made
    assert replies["1"]["body"]["id"] == made
    assert "body" not in replies["2"]
    assert replies["3"]["body"]["error"]["code"] == "ErrorItemNotFound"


@pytest.mark.parametrize(
    "parts",
    [
        [create(str(n)) for n in range(21)],
        [create("a", id="x"), create("b", id="X")],
        [{"method": "POST", "url": "/me/contacts", "id": "1", "headers": {}, "body": {}}],
        [create("a", url="https://graph.microsoft.com/v1.0/me/contacts")],
        [create("a", dependsOn=["7"])],
        [],
    ],
    ids=["21 parts", "ids differ in case only", "no Content-Type", "absolute", "unknown dependency", "empty"],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(caller: Caller, parts: list[dict[str, Any]]) -> None:
    caller.batch(*parts, status=400)
    assert caller.mailbox.items("contact") == []


def test_what_depends_on_a_failed_part_is_not_done(caller: Caller) -> None:
    replies = caller.batch(
        {"method": "GET", "url": "/me/contacts/x"},
        create("a", dependsOn=["0"]),
        create("b", dependsOn=["1"]),
    )
    assert [replies[str(n)]["status"] for n in range(3)] == [400, 424, 424]
    assert caller.mailbox.max_concurrency_seen == 1


def test_throttling_starts_inside_a_batch_and_ends_with_the_clock(caller: Caller) -> None:
    caller.graph.throttle_after(2, retry_after=30)
    replies = caller.batch(*(create(name) for name in "ABC"))
    assert [replies[str(n)]["status"] for n in range(3)] == [201, 201, 429]
    assert replies["2"]["headers"]["Retry-After"] == "30"
    caller.clock.advance(20)
    assert caller.get("/me/contacts", 429) == "TooManyRequests"
    caller.clock.advance(10)
    assert len(caller.get("/me/contacts")["value"]) == 2


def test_more_than_four_at_once_for_a_mailbox_are_turned_away(caller: Caller) -> None:
    inside, go_on = threading.Barrier(2, timeout=10), threading.Event()
    statuses: list[dict[str, int]] = []

    def hold(request: Any) -> None:
        if request.path == "/me/contacts" and not go_on.is_set():
            inside.wait()
            go_on.wait(10)

    remove = caller.graph.before_request(hold)
    four = [create(str(n)) for n in range(4)]
    worker = threading.Thread(
        target=lambda: statuses.append({name: row["status"] for name, row in caller.batch(*four).items()})
    )
    worker.start()
    inside.wait()
    second = new_session(caller)
    reply = second.get(f"{BASE}/me/mailboxSettings")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
    assert "MailboxConcurrency" in reply.json()["error"]["message"]
    go_on.set()
    worker.join()
    remove()
    assert set(statuses[0].values()) == {201}
    assert caller.mailbox.max_concurrency_seen == 5
    assert second.get(f"{BASE}/me/mailboxSettings").status_code == 200


def new_session(caller: Caller) -> requests.Session:
    session = requests.Session()
    session.headers.update(caller.session.headers)
    session.mount("https://", caller.session.get_adapter("https://x"))
    return session


def test_a_fault_can_come_after_the_work_was_done_and_lose_the_stamp(caller: Caller) -> None:
    stamped = {"givenName": "A", "singleValueExtendedProperties": [{"id": STAMP, "value": "1"}]}
    caller.graph.fail_next("POST", "/contacts$", 503, "ConcurrentItemSave", applied=True)
    assert caller.post("/me/contacts", stamped, 503) == "ConcurrentItemSave"
    caller.graph.fail_next("POST", "/contacts$", 503, "ConcurrentItemSave", applied=True, lose_extended=True)
    assert caller.batch({**create("A"), "body": stamped})["0"]["status"] == 503
    assert [row["extended"] for row in caller.mailbox.items("contact")] == [{STAMP: "1"}, {}]


def test_a_connection_can_end_before_and_after_the_work(caller: Caller) -> None:
    def cut(request: Any) -> None:
        raise ConnectionDropped(request.path)

    remove = caller.graph.before_request(cut)
    with pytest.raises(requests.ConnectionError):
        caller.post("/me/contacts", {"givenName": "A"})
    remove()
    caller.graph.fail_next("POST", "/contacts$", 0, "", applied=True, drop=True)
    with pytest.raises(requests.ConnectionError):
        caller.post("/me/contacts", {"givenName": "B"})
    assert [row["givenName"] for row in caller.mailbox.items("contact")] == ["B"]


def test_requests_are_counted_and_remembered(caller: Caller) -> None:
    caller.batch(create("A"), {"method": "GET", "url": "/me/contacts?$top=1"})
    caller.get("/me/contacts", headers=IMMUTABLE)
    statistics = caller.graph.statistics
    assert (statistics.requests, statistics.parts, statistics.by_method["GET"]) == (2, 2, 2)
    log = [(entry.method, entry.path, entry.part, entry.status) for entry in caller.graph.request_log]
    assert log == [
        ("POST", "/$batch", None, 200),
        ("POST", "/me/contacts", "0", 201),
        ("GET", "/me/contacts", "1", 200),
        ("GET", "/me/contacts", None, 200),
    ]
    assert caller.graph.request_log[1].body == {"givenName": "A"}
    assert caller.graph.request_log[3].headers["prefer"] == IMMUTABLE["Prefer"]
    caller.graph.clear_log()
    assert not caller.graph.request_log
    assert caller.graph.statistics.requests == 0


def test_the_same_seed_and_calls_give_the_same_ids() -> None:
    first, second = (new_caller().mailbox.user_create("contact", {"givenName": "A"}) for _ in range(2))
    assert first == second


def test_another_process_edits_and_inspects_over_a_socket(caller: Caller) -> None:
    with serve(create_graph_app(caller.graph)) as server, requests.Session() as session:
        box = f"{server.url}/sandbox/mailboxes/{UPN}"
        made = session.post(f"{box}/contact", json={"givenName": "A", "extended": {"gender": "1"}}).json()["id"]
        assert session.patch(f"{box}/contact/{made}", json={"surname": "B"}).json()["displayName"] == "A B"
        token = session.post(f"{server.url}/sandbox/tokens", json={"upn": UPN}).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        page = session.get(f"{server.url}/v1.0/me/contacts/delta").json()
        assert page["value"][0]["surname"] == "B"
        assert page["@odata.deltaLink"].startswith(f"{server.url}/v1.0/me/contacts/delta?")
        folder = session.post(f"{box}/contact/containers", json={"name": "Oro"}).json()["id"]
        session.post(f"{box}/contact/{made}/move", json={"container": "Oro"})
        assert session.get(page["@odata.deltaLink"]).json()["value"][0]["@removed"]
        assert session.get(f"{box}/contact/{made}").json()["containerId"] == folder
        fault = {"method": "GET", "path": "/me$", "status": 0, "code": "", "drop": True}
        assert session.post(f"{server.url}/sandbox/faults", json=fault).status_code == 204
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/v1.0/me")
        assert session.patch(f"{server.url}/sandbox/settings", json={"max_top": 5}).json()["max_top"] == 5
        assert session.patch(f"{server.url}/sandbox/settings", json={"max_topp": 5}).status_code == 400
        assert session.get(f"{server.url}/sandbox/statistics").json()["requests"] == 3
        assert session.get(f"{box}/outbox").json() == {"value": []}
        assert session.post(f"{server.url}/sandbox/reset").status_code == 204
        assert session.get(f"{box}/contact").json() == {"value": []}


def test_only_loopback_is_served(caller: Caller) -> None:
    with pytest.raises(ValueError, match="loopback"):
        serve(create_graph_app(caller.graph), host="0.0.0.0")  # noqa: S104 - the point


def test_the_in_process_adapter_takes_streams_and_keeps_cookies() -> None:
    def program(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response(
            "200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Method", environ["REQUEST_METHOD"])]
        )
        return [body[:2], body[2:]]

    with requests.Session() as session:
        session.mount("http://", WsgiAdapter(program))
        reply = session.put("http://oro.example/x?y=1", data=iter([b"ab", b"cd"]))
        assert (reply.content, reply.headers["X-Method"]) == (b"abcd", "PUT")
        assert session.cookies.get_dict() == {"a": "1", "b": "2"}
