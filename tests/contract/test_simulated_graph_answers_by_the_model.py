"""Every request of a broad scenario, and every reply to it, against the recorded model of Microsoft Graph."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_schema_validator import OAS30Validator

from orosync.sandbox.graph import GraphSandbox, create_graph_app
from orosync.sandbox.graph.routing import ROUTES
from orosync.sandbox.transport import WsgiAdapter

BASE = "https://graph.microsoft.com/v1.0"
STAMP = "String {1f6c1f8e-7f0a-4f0e-9a55-0a3a1c1d2b3c} Name OroCRM_id"
EXPAND = {"$expand": f"singleValueExtendedProperties($filter=id eq '{STAMP}' or id eq 'Short 0x3A4D')"}
WINDOW = {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}
JSON_HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def specification(contracts: Path) -> dict[str, Any]:
    return yaml.load((contracts / "graph" / "openapi-subset.yaml").read_text(), Loader=yaml.CSafeLoader)


class Model:
    """Validates each exchange as it happens, and its members by name."""

    def __init__(self, specification: dict[str, Any]) -> None:
        self._specification = specification
        self._openapi = OpenAPI.from_dict(specification)

    def check(self, response: requests.Response, *_: Any, **__: Any) -> None:
        request = RequestsOpenAPIRequest(response.request)
        self._openapi.validate_request(request)
        self._openapi.validate_response(request, RequestsOpenAPIResponse(response))
        path = response.request.path_url.removeprefix("/v1.0").partition("?")[0]
        if response.content and response.ok and "/$batch" not in path:
            self._check_members(path, response.json())

    def _check_members(self, path: str, body: dict[str, Any]) -> None:
        """The model lets unknown members pass; the simulation has no excuse to invent any."""
        for row in body.get("value", [body]) if "/translate" not in path else []:
            kind = self._type_of(path)
            if kind is not None:
                invented = set(row) - self._properties(kind) - {"@odata.context", "@removed", "@odata.etag"}
                assert not invented, f"{path}: {invented}"

    @staticmethod
    def _type_of(path: str) -> str | None:
        for word, kind in (
            ("/linkedResources", "linkedResource"),
            ("/tasks", "todoTask"),
            ("/lists", "todoTaskList"),
            ("/contacts", "contact"),
            ("/contactFolders", "contactFolder"),
            ("/calendarView", "event"),
            ("/events", "event"),
            ("/calendar", "calendar"),
            ("/mailboxSettings", "mailboxSettings"),
            ("/subscriptions", "subscription"),
            ("/supportedTimeZones", "timeZoneInformation"),
        ):
            if word in path:
                return f"microsoft.graph.{kind}"
        return None

    @lru_cache(maxsize=32)  # noqa: B019 - one model for the module
    def _properties(self, kind: str) -> frozenset[str]:
        schema = self._specification["components"]["schemas"][kind]
        names: set[str] = set()
        for part in (schema, *schema.get("allOf", ())):
            names |= set(part.get("properties", ()))
            if "$ref" in part:
                names |= self._properties(part["$ref"].rpartition("/")[2])
        return frozenset(names)


@pytest.fixture(scope="module")
def model(specification: dict[str, Any]) -> Model:
    return Model(specification)


@pytest.fixture
def graph() -> GraphSandbox:
    sandbox = GraphSandbox(clock=lambda: datetime(2026, 11, 21, 9, 0, tzinfo=UTC), seed=7)
    sandbox.add_mailbox("anna@contoso.example", display_name="Anna Berg")
    return sandbox


@pytest.fixture(params=["/me", "/users/anna@contoso.example"])
def session(graph: GraphSandbox, model: Model, request: pytest.FixtureRequest) -> requests.Session:
    session = requests.Session()
    session.mount("https://graph.microsoft.com", WsgiAdapter(create_graph_app(graph)))
    token = graph.issue_app_token() if "users" in request.param else graph.issue_token("anna@contoso.example")
    session.headers["Authorization"] = f"Bearer {token}"
    session.headers["Prefer"] = 'IdType="ImmutableId"'
    session.headers["client-request-id"] = "11111111-2222-4333-8444-555555555555"
    session.hooks["response"].append(model.check)
    session.base = BASE + request.param
    return session


def walk(session: requests.Session, url: str, **options: Any) -> list[dict[str, Any]]:
    """All rows of a delta round; the deltaLink is left on the session."""
    rows: list[dict[str, Any]] = []
    page = session.get(url, **options).json()
    while True:
        rows += page["value"]
        if "@odata.deltaLink" in page:
            session.delta_link = page["@odata.deltaLink"]
            return rows
        page = session.get(page["@odata.nextLink"], headers=options.get("headers")).json()


def test_contacts_and_their_folders_answer_by_the_model(session: requests.Session, graph: GraphSandbox) -> None:
    base = session.base
    contact = {
        "givenName": "Søren",
        "surname": "Ångström",
        "birthday": "1974-07-22T11:59:00Z",
        "emailAddresses": [{"address": "soren@example.com", "name": "Søren"}],
        "businessPhones": ["+45 1"],
        "businessAddress": {"street": "Gade 1", "city": "København"},
        "singleValueExtendedProperties": [{"id": STAMP, "value": "42"}, {"id": "Short 0x3A4D", "value": "2"}],
    }
    made = session.post(f"{base}/contacts", json=contact)
    assert made.status_code == 201
    url = f"{base}/contacts/{made.json()['id']}"
    assert session.get(url, params=EXPAND).json()["singleValueExtendedProperties"]
    etag = made.json()["@odata.etag"]
    assert session.patch(url, json={"jobTitle": "x"}, headers={"If-Match": etag}).status_code == 200
    assert session.patch(url, json={"jobTitle": "y"}, headers={"If-Match": etag}).status_code == 412
    folder = session.post(f"{base}/contactFolders", json={"displayName": "Oro"}).json()["id"]
    session.post(f"{base}/contactFolders/{folder}/contacts", json={"givenName": "B"})
    session.get(f"{base}/contactFolders", params={"$top": 5})
    session.get(f"{base}/contactFolders/{folder}")
    session.get(f"{base}/contactFolders/{folder}/contacts", params={"$select": "givenName,id", "$count": "true"})
    assert len(walk(session, f"{base}/contactFolders/delta")) == 1
    assert len(walk(session, f"{base}/contacts/delta", headers={"Prefer": "odata.maxpagesize=1"})) == 1
    assert session.delete(url).status_code == 204
    assert walk(session, session.delta_link)[0]["@removed"] == {"reason": "deleted"}
    assert session.get(url).status_code == 404
    graph.expire_delta_tokens()
    assert session.get(session.delta_link).status_code == 410
    find = {"$filter": f"singleValueExtendedProperties/any(ep:ep/id eq '{STAMP}' and ep/value ne null)"}
    assert session.get(f"{base}/contacts", params={**find, **EXPAND}).json()["value"] == []


def test_tasks_their_lists_and_links_answer_by_the_model(session: requests.Session) -> None:
    base = f"{session.base}/todo/lists"
    lists = session.get(base).json()["value"]
    mine = session.post(base, json={"displayName": "Oro"}).json()["id"]
    session.get(f"{base}/{mine}")
    session.patch(f"{base}/{mine}", json={"displayName": "OroCRM"})
    assert {row["wellknownListName"] for row in lists} == {"defaultList", "flaggedEmails"}
    url = f"{base}/{lists[0]['id']}/tasks"
    task = {
        "title": "Call back",
        "body": {"content": "now\nor never", "contentType": "text"},
        "dueDateTime": {"dateTime": "2026-11-23T09:00:00", "timeZone": "UTC"},
        "status": "completed",
        "importance": "high",
        "linkedResources": [{"applicationName": "OroCRM", "externalId": "7", "webUrl": "https://oro.example/7"}],
    }
    made = session.post(url, json=task).json()
    assert made["linkedResources"][0]["externalId"] == "7"
    one = f"{url}/{made['id']}"
    session.patch(one, json={"status": "waitingOnOthers"})
    session.get(one, params={"$expand": "linkedResources"})
    session.get(url, params={"$expand": "linkedResources", "$top": 50})
    links = f"{one}/linkedResources"
    link = session.post(links, json={"applicationName": "OroCRM", "externalId": "8"}).json()["id"]
    session.get(links)
    session.patch(f"{links}/{link}", json={"externalId": "9"})
    assert session.get(f"{links}/{link}").json()["externalId"] == "9"
    assert session.delete(f"{links}/{link}").status_code == 204
    assert len(walk(session, f"{url}/delta", params={"$expand": "linkedResources"})) == 1
    assert session.delete(one).status_code == 204
    assert "@removed" in walk(session, session.delta_link)[0]
    assert len(walk(session, f"{base}/delta")) == 3
    assert session.delete(f"{base}/{mine}").status_code == 204


def test_events_and_calendars_answer_by_the_model(session: requests.Session, graph: GraphSandbox) -> None:
    base = session.base
    single = {
        "subject": "Visit",
        "body": {"contentType": "html", "content": "<p>Hello</p>"},
        "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-11-23T10:00:00", "timeZone": "W. Europe Standard Time"},
        "location": {"displayName": "Room 1"},
        "transactionId": "oro-1-1",
        "singleValueExtendedProperties": [{"id": STAMP, "value": "9"}],
    }
    made = session.post(f"{base}/events", json=single)
    assert made.status_code == 201
    again = session.post(f"{base}/events", json=single)
    assert again.status_code == 409
    assert again.json()["error"]["@event.existingEventId"] == made.json()["id"]
    series = {
        **{name: single[name] for name in ("subject", "start", "end")},
        "attendees": [{"emailAddress": {"address": "bo@example.com"}, "type": "required"}],
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "noEnd", "startDate": "2026-11-23"},
        },
    }
    master = session.post(f"{base}/events", json=series).json()["id"]
    day = session.get(f"{base}/events/{master}/instances", params=WINDOW).json()["value"][1]
    session.patch(f"{base}/events/{day['id']}", json={"subject": "Moved"})
    with_exceptions = {"$select": "subject,cancelledOccurrences", "$expand": "exceptionOccurrences"}
    assert session.get(f"{base}/events/{master}", params=with_exceptions).json()["exceptionOccurrences"]
    zone = {"Prefer": 'outlook.timezone="Tokyo Standard Time", outlook.body-content-type="text"'}
    session.get(f"{base}/events/{made.json()['id']}", headers=zone, params=EXPAND)
    session.get(f"{base}/calendarView", params={**WINDOW, "$top": 3})
    rows = walk(session, f"{base}/calendarView/delta", params=WINDOW, headers={"Prefer": "odata.maxpagesize=1"})
    assert {row["type"] for row in rows} == {"singleInstance", "seriesMaster", "occurrence", "exception"}
    session.delete(f"{base}/events/{made.json()['id']}")
    assert "@removed" in walk(session, session.delta_link)[0]
    calendar = session.post(f"{base}/calendars", json={"name": "Oro"}).json()["id"]
    session.get(f"{base}/calendars")
    session.get(f"{base}/calendar")
    session.get(f"{base}/calendars/{calendar}")
    session.post(f"{base}/calendars/{calendar}/events", json={name: single[name] for name in ("start", "end")})
    walk(session, f"{base}/calendars/{calendar}/calendarView/delta", params=WINDOW)
    assert session.get(f"{base}/calendarView/delta", params={**WINDOW, "$select": "subject"}).status_code == 400
    invited = graph.mailbox("anna@contoso.example").receive_invitation("boss@example.com", {**series})
    assert session.post(f"{base}/events/{invited}/cancel", json={"comment": "no"}).status_code == 400
    assert session.post(f"{base}/events/{invited}/accept", json={"sendResponse": False}).status_code == 202


def test_the_mailbox_itself_and_batches_answer_by_the_model(session: requests.Session, graph: GraphSandbox) -> None:
    base, mine = session.base, session.base.removeprefix(BASE)
    session.get(f"{base}/mailboxSettings")
    session.get(f"{base}/outlook/supportedTimeZones")
    contact = session.post(f"{base}/contacts", json={"givenName": "A"}).json()["id"]
    ids = {"inputIds": [contact], "sourceIdType": "restImmutableEntryId", "targetIdType": "restId"}
    assert session.post(f"{base}/translateExchangeIds", json=ids).json()["value"][0]["targetId"] != contact
    parts = [
        {"id": "a", "method": "GET", "url": f"{mine}/contacts?$top=1"},
        {"id": "b", "method": "POST", "url": f"{mine}/contacts", "headers": JSON_HEADERS, "body": {"surname": "B"}},
        {"id": "c", "method": "DELETE", "url": f"{mine}/contacts/{contact}", "headers": session.headers},
        {"id": "d", "method": "GET", "url": f"{mine}/contacts/nonsense"},
    ]
    for part in parts:
        part["headers"] = dict(part.get("headers", {}))
    reply = session.post(f"{BASE}/$batch", json={"requests": parts}).json()
    assert {row["id"]: row["status"] for row in reply["responses"]} == {"a": 200, "b": 201, "c": 204, "d": 400}


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    token = parse_qs(environ["QUERY_STRING"]).get("validationToken", [""])[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [token.encode()]


def test_subscriptions_and_what_they_bring_answer_by_the_model(
    session: requests.Session, graph: GraphSandbox, specification: dict[str, Any]
) -> None:
    """There is no path for notifications in the model, but there is their shape."""
    mine, url = session.base.removeprefix(f"{BASE}/"), f"{BASE}/subscriptions"
    graph.notifications.adapters["https://sync.example.com"] = WsgiAdapter(echo)
    wanted = {
        "changeType": "created,updated,deleted",
        "resource": f"{mine}/contacts",
        "notificationUrl": "https://sync.example.com/hook",
        "lifecycleNotificationUrl": "https://sync.example.com/lifecycle",
        "clientState": "s3cret",
        "expirationDateTime": "2026-11-25T09:00:00Z",
    }
    made = session.post(url, json=wanted)
    assert made.status_code == 201
    one = f"{url}/{made.json()['id']}"
    assert session.post(url, json=wanted).status_code == 409
    assert session.get(url).json()["value"]
    assert session.get(one).status_code == 200
    assert session.patch(one, json={"expirationDateTime": "2026-11-26T09:00:00Z"}).status_code == 200
    assert session.post(f"{one}/reauthorize").status_code == 204
    session.post(f"{session.base}/contacts", json={"givenName": "A"})
    graph.notifications.lifecycle("missed")
    graph.notifications.deliver()
    shape = "microsoft.graph.changeNotificationCollection"
    schema = {"$ref": f"#/components/schemas/{shape}", "components": specification["components"]}
    told = [each.body for each in graph.notifications.deliveries]
    assert len(told) == 2
    known = set(specification["components"]["schemas"]["microsoft.graph.changeNotification"]["properties"])
    for body in told:
        OAS30Validator(schema).validate(body)
        assert all(set(row) <= known for row in body["value"])
    assert session.delete(one).status_code == 204
    assert session.get(one).status_code == 404


@pytest.mark.parametrize("status", [429, 503, 507])
def test_errors_answer_by_the_model(session: requests.Session, graph: GraphSandbox, status: int) -> None:
    graph.fail_next("GET", "/contacts$", status, "Trouble", retry_after=3)
    reply = session.get(f"{session.base}/contacts")
    assert (reply.status_code, reply.headers["Retry-After"]) == (status, "3")
    assert reply.json()["error"]["innerError"]["client-request-id"] == session.headers["client-request-id"]
    graph.fail_next("GET", "/contacts$", 200, "-", body=b'{"value": "no list"}')
    with pytest.raises(Exception, match="not valid for schema"):
        session.get(f"{session.base}/contacts")


def test_every_simulated_path_and_method_is_in_the_model(specification: dict[str, Any]) -> None:
    known = {
        re.sub(r"\{[^}]*\}", "*", path): {method.upper() for method in operations}
        for path, operations in specification["paths"].items()
    }
    simulated = {f"{form}{path}": set(methods) for form in ("/me", "/users/*") for path, methods in ROUTES.items()}
    invented = {path: methods - known.get(path, set()) for path, methods in simulated.items()}
    assert not {path: methods for path, methods in invented.items() if methods}
    print(f"{len(simulated)} of {len(known)} paths of the model are simulated")
