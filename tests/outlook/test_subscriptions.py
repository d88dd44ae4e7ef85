"""Making, renewing and ending subscriptions, against the simulated Graph."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.outlook.driving import CONTACT, EVENT, TASK, UPN, Tenant
from werkzeug.wrappers import Request, Response

from orosync.errors import OrosyncError, SideFailing, Throttled
from orosync.outlook.auth import StaticToken
from orosync.outlook.client import GraphClient
from orosync.outlook.subscriptions import LIFE, Refused, Subscriptions, digest_of, resources
from orosync.sandbox.transport import WsgiAdapter

HOOK, LIFECYCLE = "https://sync.example.com/hooks/graph", "https://sync.example.com/hooks/graph/lifecycle"
ALL = (CONTACT, TASK, EVENT)


class Endpoint:
    def __init__(self) -> None:
        self.reachable = True
        self.told: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = Request(environ)
        token = request.args.get("validationToken")
        if token is None:
            self.told += request.get_json()["value"]
        answer = Response(token or "", 200 if self.reachable else 503, mimetype="text/plain")
        return answer(environ, start_response)


@pytest.fixture
def endpoint(tenant: Tenant) -> Endpoint:
    found = Endpoint()
    tenant.graph.notifications.adapters["https://sync.example.com"] = WsgiAdapter(found)
    return found


def subscriptions(tenant: Tenant, client: GraphClient | None = None, **more: Any) -> Subscriptions:
    return Subscriptions(client or tenant.client(), hook=HOOK, lifecycle=LIFECYCLE, now=tenant.clock, **more)


def answering(status: int, body: Any) -> dict[str, WsgiAdapter]:
    """A Graph that answers every write with this status and every request with this body."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        own = 200 if environ["REQUEST_METHOD"] == "GET" else status
        return Response(json.dumps(body), own, mimetype="application/json")(environ, start_response)

    return {"https://graph.example": WsgiAdapter(answer)}


def tasks_of(tenant: Tenant) -> str:
    return f"me/todo/lists/{tenant.mailbox.store.default['task'].id}/tasks"


def test_resources_are_those_of_the_folders_in_use() -> None:
    found = {"contact": "F", "task": "L=", "event": "C"}
    assert resources("me", found, (), ALL) == {
        "me/contacts": CONTACT,
        "me/todo/lists/L=/tasks": TASK,
        "me/events": EVENT,
    }
    named = resources("a'b@x.example", found, ALL, ALL)
    assert list(named) == [
        "users/a'b@x.example/contactFolders/F/contacts",
        "users/a'b@x.example/todo/lists/L=/tasks",
        "users/a'b@x.example/events",
    ]
    empty = {"contact": None, "task": None, "event": None}
    assert resources("me", empty, (), ALL) == {"me/contacts": CONTACT, "me/events": EVENT}
    assert resources("me", empty, ALL, [CONTACT]) == {}


@pytest.mark.parametrize("entity", ALL)
def test_one_is_made_for_nearly_the_longest_life_there_is(tenant: Tenant, endpoint: Endpoint, entity: Any) -> None:
    resource = {CONTACT: "me/contacts", TASK: tasks_of(tenant), EVENT: "me/events"}[entity]
    with tenant.requests() as seen:
        granted = subscriptions(tenant).create(resource, entity)
    assert granted.expires == tenant.clock() + LIFE[entity]
    body = seen[0].body
    assert digest_of(body["clientState"]) == granted.digest
    assert len(body["clientState"]) >= 43  # 32 bytes at least
    assert seen[0].headers["prefer"] == 'IdType="ImmutableId"'
    made = tenant.graph.notifications.subscriptions[granted.id]
    assert (made.url, made.lifecycle_url, made.immutable) == (HOOK, LIFECYCLE, True)


def test_each_has_a_secret_of_its_own(tenant: Tenant, endpoint: Endpoint) -> None:
    ours = subscriptions(tenant)
    assert ours.create("me/contacts", CONTACT).digest != ours.create("me/events", EVENT).digest


def test_notifications_name_items_as_the_engine_knows_them(tenant: Tenant, endpoint: Endpoint) -> None:
    subscriptions(tenant).create("me/contacts", CONTACT)
    native = tenant.mailbox.user_create("contact", {"givenName": "Ada"})
    tenant.graph.notifications.deliver()
    assert {each["resourceData"]["id"] for each in endpoint.told} == {native}


def test_a_renewal_begins_a_new_life_and_finds_out_that_one_is_gone(tenant: Tenant, endpoint: Endpoint) -> None:
    ours = subscriptions(tenant)
    made = ours.create("me/contacts", CONTACT)
    tenant.clock.pass_by(days=5)
    renewed = ours.renew(made.id, CONTACT)
    assert renewed is not None
    assert (renewed.id, renewed.expires, renewed.digest) == (made.id, tenant.clock() + LIFE[CONTACT], "")
    tenant.clock.pass_by(days=8)
    assert ours.renew(made.id, CONTACT) is None


def test_the_expiry_that_graph_gives_is_the_one_that_counts(tenant: Tenant, endpoint: Endpoint) -> None:
    body = b'{"id": "s", "expirationDateTime": "2026-11-22T10:00:00.1234567Z"}'
    tenant.graph.fail_next("POST", "/subscriptions", 201, "-", body=body)
    granted = subscriptions(tenant).create("me/contacts", CONTACT)
    assert (granted.expires - tenant.clock()).total_seconds() == pytest.approx(25 * 3600, abs=1)
    for nonsense in (b"{}", b'{"id": "s", "expirationDateTime": "soon"}', b"[]"):
        tenant.graph.fail_next("POST", "/subscriptions", 201, "-", body=nonsense)
        with pytest.raises(SideFailing):
            subscriptions(tenant).create("me/events", EVENT)


def test_one_that_nobody_remembers_is_ended_and_made_anew(tenant: Tenant, endpoint: Endpoint) -> None:
    """The process died between Graph's answer and the row."""
    ours = subscriptions(tenant)
    before, events = ours.create("me/contacts", CONTACT), ours.create("me/events", EVENT)
    after = ours.create("me/contacts", CONTACT)
    assert set(tenant.graph.notifications.subscriptions) == {after.id, events.id}
    assert after.digest != before.digest


def test_that_of_another_account_here_is_left_alone(tenant: Tenant, endpoint: Endpoint) -> None:
    made = subscriptions(tenant).create("me/contacts", CONTACT)
    with pytest.raises(Refused):
        subscriptions(tenant, is_ours=lambda name: name == made.id).create("me/contacts", CONTACT)
    assert set(tenant.graph.notifications.subscriptions) == {made.id}


def test_a_duplicate_that_is_not_shown_is_a_failure_and_no_refusal(tenant: Tenant, endpoint: Endpoint) -> None:
    tenant.graph.fail_next("POST", "/subscriptions", 409, "ExtensionError", times=2)
    with pytest.raises(SideFailing):
        subscriptions(tenant).create("me/contacts", CONTACT)


@pytest.mark.parametrize("listed", [
    {"value": True}, {"value": [], "@odata.nextLink": {"x": 1}}, {"value": [], "@odata.nextLink": "//[::1"},
    {"value": [{"id": "\ud800", "notificationUrl": HOOK, "resource": "me/contacts"}]}, [], None,
])  # fmt: skip
def test_a_list_of_subscriptions_without_sense_is_a_failure(tenant: Tenant, endpoint: Endpoint, listed: Any) -> None:
    client = GraphClient("https://graph.example/v1.0", StaticToken("t"), adapters=answering(409, listed))
    with client, pytest.raises(SideFailing):
        subscriptions(tenant, client).create("me/contacts", CONTACT)


@pytest.mark.parametrize(
    "expiry", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999-14:00", "not a time", None, {}, "\ud800"]
)
def test_a_subscription_whose_end_is_no_time_is_a_failure(tenant: Tenant, expiry: Any) -> None:
    granted = answering(201, {"id": "1", "expirationDateTime": expiry})
    client = GraphClient("https://graph.example/v1.0", StaticToken("t"), adapters=granted)
    with client, pytest.raises(SideFailing):
        subscriptions(tenant, client).create("me/contacts", CONTACT)


def test_what_a_cloud_or_an_application_may_not_have_is_a_refusal(tenant: Tenant, endpoint: Endpoint) -> None:
    tenant.graph.settings.todo_subscriptions = False
    with pytest.raises(Refused):
        subscriptions(tenant).create(tasks_of(tenant), TASK)
    tenant.graph.settings.todo_subscriptions = True
    app = tenant.client(StaticToken(tenant.graph.issue_app_token()))
    with pytest.raises(Refused):
        subscriptions(tenant, app).create(tasks_of(tenant).replace("me", f"users/{UPN}"), TASK)
    assert subscriptions(tenant, app).create(f"users/{UPN}/contacts", CONTACT).id


def test_national_clouds_are_not_asked_for_tasks(tenant: Tenant) -> None:
    for url in ("https://graph.microsoft.us/v1.0", "https://microsoftgraph.chinacloudapi.cn/v1.0"):
        with GraphClient(url, StaticToken("t"), adapters={"https://": tenant.adapter}) as client:
            with pytest.raises(Refused):
                subscriptions(tenant, client).create(tasks_of(tenant), TASK)
            assert client.requests_sent == 0


def test_an_address_that_graph_cannot_reach_is_trouble_with_a_remedy(tenant: Tenant, endpoint: Endpoint) -> None:
    endpoint.reachable = False
    with pytest.raises(SideFailing) as caught:
        subscriptions(tenant).create("me/contacts", CONTACT)
    assert "OROSYNC_PUBLIC_URL" in caught.value.remedy


@pytest.mark.parametrize("what", ["create", "renew", "delete"])
def test_a_pause_that_graph_asks_for_is_told(tenant: Tenant, endpoint: Endpoint, what: str) -> None:
    ours = subscriptions(tenant)
    made = ours.create("me/contacts", CONTACT)
    tenant.graph.fail_next(".*", "/subscriptions", 429, "TooManyRequests", retry_after=7)
    with pytest.raises(Throttled) as caught:
        _ = {
            "create": lambda: ours.create("me/events", EVENT),
            "renew": lambda: ours.renew(made.id, CONTACT),
            "delete": lambda: ours.delete(made.id),
        }[what]()
    assert caught.value.retry_after_s == 7


def test_a_renewal_is_never_a_refusal(tenant: Tenant, endpoint: Endpoint) -> None:
    made = subscriptions(tenant).create("me/contacts", CONTACT)
    tenant.graph.fail_next("PATCH", "/subscriptions", 403, "Forbidden")
    with pytest.raises(OrosyncError) as caught:
        subscriptions(tenant).renew(made.id, CONTACT)
    assert not isinstance(caught.value, Refused)


def test_ending_one_that_is_gone_already_is_as_good(tenant: Tenant, endpoint: Endpoint) -> None:
    ours = subscriptions(tenant)
    made = ours.create("me/contacts", CONTACT)
    ours.delete(made.id)
    ours.delete(made.id)
    assert tenant.graph.notifications.subscriptions == {}
