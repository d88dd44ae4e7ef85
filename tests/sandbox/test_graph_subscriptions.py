"""Subscriptions and change notifications of the simulated Graph (graph-api.md 6)."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.sandbox.graph_caller import IMMUTABLE, UPN, Caller, new_caller, timed
from werkzeug.wrappers import Request, Response

from orosync.sandbox.graph import create_graph_app
from orosync.sandbox.transport import WsgiAdapter, serve

HOOK, LIFECYCLE = "https://sync.example.com/hook", "https://sync.example.com/lifecycle"


class Endpoint:
    """Whoever subscribed."""

    def __init__(self) -> None:
        self.status, self.echoes = 202, True
        self.shaken: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.posts: list[tuple[str, bytes]] = []
        self.came = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        token = request.args.get("validationToken")
        if token is not None:
            self.shaken.append(request.path)
            answer = Response(token if self.echoes else "hello", mimetype="text/plain")
        else:
            self.posts.append((request.path, request.data))
            if self.status == 202:
                self.told += request.get_json()["value"]
            self.came.set()
            answer = Response(status=self.status)
        return answer(environ, start_response)


@pytest.fixture
def caller() -> Caller:
    return new_caller()


@pytest.fixture
def endpoint(caller: Caller) -> Endpoint:
    found = Endpoint()
    caller.graph.notifications.adapters["https://sync.example.com"] = WsgiAdapter(found)
    return found


def wanted(caller: Caller, resource: str = "me/contacts", minutes: float = 1000, **more: Any) -> dict[str, Any]:
    return {
        "changeType": "created,updated,deleted",
        "resource": resource,
        "notificationUrl": HOOK,
        "lifecycleNotificationUrl": LIFECYCLE,
        "clientState": "s3cret",
        "expirationDateTime": moment(caller, minutes),
        **more,
    }


def moment(caller: Caller, minutes: float) -> str:
    caller.clock.advance(minutes * 60)
    text = caller.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    caller.clock.advance(-minutes * 60)
    return text


def tasks_of(caller: Caller) -> str:
    return f"me/todo/lists/{caller.mailbox.store.default['task'].id}/tasks"


def test_both_addresses_are_asked_before_there_is_a_subscription(caller: Caller, endpoint: Endpoint) -> None:
    made = caller.post("/subscriptions", wanted(caller))
    assert endpoint.shaken == ["/hook", "/lifecycle"]
    assert caller.get(f"/subscriptions/{made['id']}")["clientState"] is None
    assert [each["id"] for each in caller.get("/subscriptions")["value"]] == [made["id"]]
    caller.delete(f"/subscriptions/{made['id']}")
    caller.delete(f"/subscriptions/{made['id']}", 404)


def test_without_a_handshake_there_is_none(caller: Caller, endpoint: Endpoint) -> None:
    endpoint.echoes = False
    caller.post("/subscriptions", wanted(caller), 400)
    caller.post("/subscriptions", wanted(caller, notificationUrl="https://127.0.0.1:9/"), 400)
    caller.post("/subscriptions", wanted(caller, notificationUrl="http://sync.example.com/"), 400)
    assert caller.get("/subscriptions")["value"] == []


def test_life_has_a_least_and_a_longest_for_each_kind(caller: Caller, endpoint: Endpoint) -> None:
    for resource, longest in (("me/contacts", 10_080), ("me/events", 10_080), (tasks_of(caller), 4_230)):
        caller.post("/subscriptions", wanted(caller, resource, longest + 1), 400)
        caller.post("/subscriptions", wanted(caller, resource, 0), 400)
        made = caller.post("/subscriptions", wanted(caller, resource, 1))
        assert made["expirationDateTime"] == "2026-11-21T09:45:00.0000000Z"
        renewed = caller.patch(f"/subscriptions/{made['id']}", {"expirationDateTime": moment(caller, longest)})
        assert renewed["expirationDateTime"].startswith(moment(caller, longest)[:16])
    caller.clock.advance(4_231 * 60)
    assert len(caller.get("/subscriptions", 401)) > 0  # the token ended first
    caller.session.headers["Authorization"] = f"Bearer {caller.graph.issue_token(UPN)}"
    assert {each["resource"] for each in caller.get("/subscriptions")["value"]} == {"me/contacts", "me/events"}


def test_a_second_one_for_the_same_is_a_duplicate(caller: Caller, endpoint: Endpoint) -> None:
    caller.post("/subscriptions", wanted(caller))
    caller.post("/subscriptions", wanted(caller), 409)
    caller.post("/subscriptions", wanted(caller, "me/events"))


def test_tasks_are_for_people_and_for_clouds_that_have_them(caller: Caller, endpoint: Endpoint) -> None:
    caller.graph.settings.todo_subscriptions = False
    caller.post("/subscriptions", wanted(caller, tasks_of(caller)), 400)
    caller.graph.settings.todo_subscriptions = True
    mine = caller.post("/subscriptions", wanted(caller, tasks_of(caller)))["id"]
    caller.session.headers["Authorization"] = f"Bearer {caller.graph.issue_app_token()}"
    caller.post("/subscriptions", wanted(caller, tasks_of(caller).replace("me", f"users/{UPN}")), 403)
    caller.post("/subscriptions", wanted(caller, f"users/{UPN}/contacts"))
    caller.post("/subscriptions", wanted(caller), 400)
    other = caller.graph.add_mailbox("bo@contoso.example", display_name="Bo")
    caller.session.headers["Authorization"] = f"Bearer {caller.graph.issue_token(other.upn)}"
    caller.get(f"/subscriptions/{mine}", 404)
    caller.post("/subscriptions", wanted(caller, f"users/{UPN}/contacts"), 403)


def test_every_change_is_told_several_times_ours_as_well(caller: Caller, endpoint: Endpoint) -> None:
    for resource in ("me/contacts", "me/events", tasks_of(caller)):
        caller.post("/subscriptions", wanted(caller, resource), headers=IMMUTABLE)
    by_hand = caller.mailbox.user_create("contact", {"givenName": "A"})
    caller.mailbox.user_update("contact", by_hand, {"givenName": "B"})
    caller.mailbox.user_delete("contact", by_hand)
    ours = caller.post("/me/events", timed("2026-11-23T09:00:00", "2026-11-23T10:00:00"))["id"]
    caller.post(f"/{tasks_of(caller)}", {"title": "Call"})
    folder = caller.mailbox.add_contact_folder("Others")
    caller.mailbox.user_create("contact", {"givenName": "C"}, folder)  # nobody subscribed to that folder
    assert caller.graph.notifications.deliver() == 1  # one POST for all of them
    assert {path for path, _ in endpoint.posts} == {"/hook"}
    changes = [(each["changeType"], each["resourceData"]["id"]) for each in endpoint.told]
    assert changes[:2] == [("created", by_hand), ("updated", by_hand)]
    assert [change for change, _ in changes] == ["created", "updated"] + ["updated"] * 2 + ["deleted"] * 2 + [
        "created",
        "updated",
    ] * 2
    assert ours not in {native for _, native in changes}  # it was made with the other form of ids
    assert {each["clientState"] for each in endpoint.told} == {"s3cret"}
    assert len({each["subscriptionId"] for each in endpoint.told}) == 3


def test_what_is_not_taken_in_time_comes_again_unchanged(caller: Caller, endpoint: Endpoint) -> None:
    caller.graph.settings.notifications_per_change = 1
    caller.post("/subscriptions", wanted(caller))
    endpoint.status = 503
    caller.mailbox.user_create("contact", {"givenName": "A"})
    assert (caller.graph.notifications.deliver(), len(endpoint.posts)) == (0, 1)
    assert caller.graph.notifications.deliver() == 0  # not yet
    endpoint.status = 202
    caller.graph.settings.deliveries_to_find_slow = 1
    caller.clock.advance(10)
    assert caller.graph.notifications.deliver() == 0  # taken, and too late
    caller.clock.advance(20)
    assert caller.graph.notifications.deliver() == 1
    assert len({data for _, data in endpoint.posts}) == 1
    assert (len(endpoint.posts), caller.graph.notifications.waiting) == (3, 0)
    endpoint.status = 500
    caller.mailbox.user_create("contact", {"givenName": "B"})
    for _ in range(16):
        caller.graph.notifications.deliver()
        caller.clock.advance(3600)
    assert caller.graph.notifications.waiting == 0  # given up after four hours
    assert len(endpoint.posts) < 3 + 12


def test_some_are_lost_when_asked_for(caller: Caller, endpoint: Endpoint) -> None:
    caller.post("/subscriptions", wanted(caller))
    caller.graph.settings.notifications_to_lose = 3
    caller.mailbox.user_create("contact", {"givenName": "A"})
    caller.mailbox.user_create("contact", {"givenName": "B"})
    caller.graph.notifications.deliver()
    assert len(endpoint.told) == 1
    caller.graph.settings.notifications_to_lose = -1
    caller.mailbox.user_create("contact", {"givenName": "C"})
    caller.mailbox.user_create("contact", {"givenName": "D"})
    assert caller.graph.notifications.deliver() == 0


def test_lifecycle_is_told_to_its_own_address(caller: Caller, endpoint: Endpoint) -> None:
    contacts = caller.post("/subscriptions", wanted(caller))["id"]
    caller.post("/subscriptions", wanted(caller, tasks_of(caller)))
    told = caller.graph.notifications
    assert told.lifecycle("reauthorizationRequired") == 2
    assert told.lifecycle("missed") == 1
    assert told.lifecycle("subscriptionRemoved", contacts) == 1
    told.deliver()
    assert {path for path, _ in endpoint.posts} == {"/lifecycle"}
    assert [each["lifecycleEvent"] for each in endpoint.told] == [
        "reauthorizationRequired",
        "reauthorizationRequired",
        "missed",
        "subscriptionRemoved",
    ]
    assert not any("resourceData" in each for each in endpoint.told)
    caller.get(f"/subscriptions/{contacts}", 404)


@pytest.fixture
def listening(endpoint: Endpoint) -> Iterator[str]:
    with serve(endpoint) as server:
        yield server.url


def test_over_real_http_they_come_by_themselves(caller: Caller, endpoint: Endpoint, listening: str) -> None:
    """Another process arranges it by the control surface."""
    urls = {"notificationUrl": f"{listening}/hook", "lifecycleNotificationUrl": f"{listening}/lifecycle"}
    made = caller.post("/subscriptions", wanted(caller, **urls))["id"]
    with create_graph_app(caller.graph).test_client() as control:
        shown = control.get("/sandbox/subscriptions").get_json()
        assert shown == {"value": [{"id": made, "resource": "me/contacts"}], "waiting": 0}
        caller.graph.notifications.start()
        try:
            control.post(f"/sandbox/mailboxes/{UPN}/contact", json={"givenName": "A"})
            assert endpoint.came.wait(10)
            endpoint.came.clear()
            told = control.post("/sandbox/subscriptions/lifecycle", json={"event": "missed"})
            assert told.get_json() == {"told": 1}
            assert endpoint.came.wait(10)
        finally:
            caller.graph.notifications.stop()
    assert {path for path, _ in endpoint.posts} == {"/hook", "/lifecycle"}
