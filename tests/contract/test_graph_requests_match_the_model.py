"""Every request our Graph client can send, parts of batches included, against the recorded model of Microsoft Graph."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode
from uuid import UUID

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from requests import PreparedRequest, Request
from tests.outlook.driving import (
    CONTACT,
    EVENT,
    GRAPH_URL,
    TASK,
    UPN,
    Tenant,
    create,
    delete,
    event,
    ids,
    link,
    op,
    page,
    stamp,
    the,
    update,
    weekly,
    whole_round,
    wrote,
)

from orosync.core.exchange import FeedRequest, Lookup
from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY
from orosync.core.records import Entity, Json
from orosync.outlook.auth import StaticToken
from orosync.outlook.mailbox import OutlookMailbox
from orosync.outlook.subscriptions import Subscriptions
from orosync.sandbox.graph import LoggedRequest
from orosync.sandbox.transport import WsgiAdapter

ALL = [CONTACT, TASK, EVENT]
NAMES = {CONTACT: "Oro people", TASK: "Oro tasks", EVENT: "Oro calendar"}
ADDRESS = {"street": "Weg 1", "city": "Köln", "state": "NRW", "postalCode": "50667", "countryOrRegion": "Germany"}
NEW: dict[Entity, Json] = {
    CONTACT: {
        "givenName": "Bo",
        "surname": "Ek",
        "birthday": "1974-07-22T11:59:00Z",
        "emailAddresses": [{"address": "bo@example.com", "name": "Bo"}],
        "businessAddress": ADDRESS,
        "singleValueExtendedProperties": [
            *stamp("42")["singleValueExtendedProperties"],
            {"id": GENDER_PROPERTY, "value": "2"},
            {"id": FAX_PROPERTY, "value": "+49 1"},
            {"id": PRIMARY_PHONE_PROPERTY, "value": "+49 2"},
        ],
    },
    TASK: {
        "title": "Call",
        "body": {"content": "now", "contentType": "text"},
        "dueDateTime": {"dateTime": "2026-11-23T00:00:00", "timeZone": "UTC"},
        "status": "inProgress",
        "importance": "high",
        "linkedResources": [link("42")],
    },
    EVENT: {**weekly("Weekly"), **stamp("42"), "body": {"contentType": "html", "content": "<p>x</p>"}},
}
CHANGE: dict[Entity, Json] = {CONTACT: {"jobTitle": "x"}, TASK: {"status": "completed"}, EVENT: {"subject": "Other"}}

# What the client is known to send, so that a method that is never driven here does not go unnoticed.
TEMPLATES = """
GET {user}  GET {user}/mailboxSettings  GET {user}/calendar  POST /$batch
GET {user}/contactFolders  POST {user}/contactFolders  GET {user}/contactFolders/{id}
GET {user}/todo/lists  POST {user}/todo/lists  GET {user}/todo/lists/{id}
GET {user}/calendars  POST {user}/calendars  GET {user}/calendars/{id}
GET {user}/contacts  POST {user}/contacts  GET {user}/contacts/delta
GET {user}/contacts/{id}  PATCH {user}/contacts/{id}  DELETE {user}/contacts/{id}
GET {user}/contactFolders/{id}/contacts  POST {user}/contactFolders/{id}/contacts
GET {user}/contactFolders/{id}/contacts/delta
GET {user}/todo/lists/{id}/tasks  POST {user}/todo/lists/{id}/tasks  GET {user}/todo/lists/{id}/tasks/delta
GET {user}/todo/lists/{id}/tasks/{id}  PATCH {user}/todo/lists/{id}/tasks/{id}  DELETE {user}/todo/lists/{id}/tasks/{id}
POST {user}/todo/lists/{id}/tasks/{id}/linkedResources  PATCH {user}/todo/lists/{id}/tasks/{id}/linkedResources/{id}
GET {user}/events  POST {user}/events  GET {user}/events/{id}  PATCH {user}/events/{id}  DELETE {user}/events/{id}
GET {user}/calendarView/delta
GET {user}/calendars/{id}/events  POST {user}/calendars/{id}/events  GET {user}/calendars/{id}/events/{id}
GET {user}/calendars/{id}/calendarView/delta
"""
_WORDS = re.compile(
    r"^(contactFolders|contacts|todo|lists|tasks|linkedResources|calendars?|calendarView|events|delta)$"
)


class Model:
    """The recorded model, and for each operation the query options and headers it knows."""

    def __init__(self, specification: Json) -> None:
        self._specification = specification
        self._openapi = OpenAPI.from_dict(specification)

    def check_call(self, request: PreparedRequest) -> None:
        """A call as it went over the wire."""
        self._openapi.validate_request(RequestsOpenAPIRequest(request))

    def check(self, seen: LoggedRequest) -> None:
        """A call or a part of a batch, as the server understood it."""
        if seen.part is not None:
            query = "?" + urlencode(seen.query, quote_via=quote) if seen.query else ""
            body = json.dumps(seen.body).encode() if seen.body is not None else None
            headers = {**seen.headers, "Authorization": "Bearer x"}
            url = GRAPH_URL + quote(seen.path, safe="/$=@'()") + query
            self.check_call(Request(seen.method, url, headers=headers, data=body).prepare())
        template, operation = self._operation(seen)
        known = {name for name, _ in self._parameters(template, operation)}
        unknown = {name for name in seen.query if name not in known}
        assert not unknown, f"{seen.method} {template} knows no {sorted(unknown)}"
        if isinstance(seen.body, dict):
            self._check_members(seen.body, operation)

    def _operation(self, seen: LoggedRequest) -> tuple[str, Json]:
        segments = seen.path.strip("/").split("/")
        fitting = []
        for template, item in self._specification["paths"].items():
            parts = template.strip("/").split("/")
            if len(parts) == len(segments) and all(
                part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
            ):
                fitting.append((template.count("{"), template, item))
        _, template, item = min(fitting, key=lambda each: each[0])
        return template, {**item[seen.method.lower()], "shared": item.get("parameters", [])}

    def _parameters(self, _template: str, operation: Json) -> list[tuple[str, str]]:
        references = [*operation.get("parameters", []), *operation["shared"]]
        found = [self._resolve(each) for each in references]
        return [(each["name"], each["in"]) for each in found]

    def _resolve(self, node: Json) -> Json:
        while "$ref" in node:
            target: Any = self._specification
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def _check_members(self, body: Mapping[str, Any], operation: Json) -> None:
        """The model lets unknown members pass; Graph does not."""
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        invented = set(body) - self._properties(schema)
        assert not invented, f"{operation['operationId']}: {invented}"

    def _properties(self, schema: Json) -> set[str]:
        schema = self._resolve(schema)
        names = set(schema.get("properties", ()))
        for part in schema.get("allOf", ()):
            names |= self._properties(part)
        return names


@pytest.fixture(scope="module")
def model(contracts: Path) -> Model:
    return Model(yaml.load((contracts / "graph" / "openapi-subset.yaml").read_text(), Loader=yaml.CSafeLoader))


def drive(tenant: Tenant, user: str, *, chosen: bool) -> None:
    """Every method of the adapter, in the default containers or in named ones."""
    outlook = OutlookMailbox(tenant_client(tenant, user), user, containers=NAMES if chosen else {}, now=tenant.clock)
    facts = outlook.discover()
    outlook.use(outlook.make_containers() if chosen else facts)
    assert outlook.canary()
    place = dict(NAMES) if chosen else {}
    cursors = {entity: page(outlook, entity).cursor for entity in ALL}
    for entity in ALL:
        item = wrote(outlook, create(entity, NEW[entity], 10 + chosen))
        item = wrote(outlook, update(entity, item, CHANGE[entity]))
        assert [each.id for each in outlook.find(Lookup(entity, op(9), stamp="42"))] == [item.id]
        assert outlook.find(Lookup(entity, op(9), since=tenant.clock()))
        bare = {name: value for name, value in NEW[entity].items() if name not in {*stamp("x"), "linkedResources"}}
        other = the(outlook, entity, tenant.mailbox.user_create(entity.value, bare, place.get(entity)))
        put = {"linkedResources": [link("43")]} if entity is TASK else stamp("43")
        other = wrote(outlook, update(entity, other, put))
        wrote(outlook, update(entity, other, {"linkedResources": [link("44")]} if entity is TASK else stamp("44")))
        tenant.graph.settings.max_page_size = 1
        assert set(ids(whole_round(outlook, entity, cursors[entity]))) == {item.id, other.id}
        tenant.graph.settings.max_page_size = 500
        outlook.read(entity, [item.id, other.id, *(f"{item.id}{n}" for n in range(100))])
        outlook.write([delete(entity, item)])
        outlook.read(entity, [item.id])
    wrote(outlook, create(EVENT, {**event(), **stamp("50")}, 20 + chosen))
    wrote(outlook, create(EVENT, {**event(), **stamp("50")}, 20 + chosen))
    outlook.pages([FeedRequest(entity, None, full=True) for entity in ALL])


def tenant_client(tenant: Tenant, user: str) -> Any:
    token = tenant.graph.issue_app_token() if user != "me" else tenant.graph.issue_token(UPN)
    return tenant.client(StaticToken(token))


def template_of(seen: LoggedRequest) -> str:
    path = re.sub(r"^/(me|users/[^/]+)", "{user}", seen.path)
    parts = [
        part if part in {"{user}", "mailboxSettings", "$batch", ""} or _WORDS.match(part) else "{id}"
        for part in path.split("/")
    ]
    return f"{seen.method} {'/'.join(parts)}"


@pytest.mark.parametrize("user", ["me", UPN])
def test_every_request_the_client_can_send_is_one_the_model_knows(model: Model, user: str) -> None:
    tenant = Tenant()
    drive(tenant, user, chosen=False)
    drive(tenant, user, chosen=True)
    log = list(tenant.graph.request_log)
    # reads that differ in nothing but an id of ours are checked once
    different = {(template_of(seen), repr((seen.query, seen.body, sorted(seen.headers)))): seen for seen in log}
    for seen in different.values():
        model.check(seen)
    for call in tenant.adapter.sent:
        model.check_call(call)
    assert len(tenant.adapter.sent) == len([seen for seen in log if seen.part is None])
    sent = {template_of(seen) for seen in log}
    expected = set(re.split(r"\s{2,}|\n", TEMPLATES.strip()))
    assert sent == expected
    print(f"\n{len(log)} requests, {len(different)} different ones, of {len(sent)} kinds match the recorded model")


def test_requests_about_subscriptions_are_ones_the_model_knows(model: Model) -> None:
    """They belong to no mailbox, so no method of the mailbox sends them."""
    tenant = Tenant()
    tenant.graph.notifications.adapters["https://sync.example.com"] = WsgiAdapter(echo)
    hook = "https://sync.example.com/hook"
    ours = Subscriptions(tenant_client(tenant, "me"), hook=hook, lifecycle=f"{hook}/lifecycle", now=tenant.clock)
    made = [ours.create(resource, entity) for resource, entity in (("me/contacts", CONTACT), ("me/events", EVENT))]
    again = ours.create("me/contacts", CONTACT)  # looks for the one before, and ends it
    ours.renew(made[1].id, EVENT)
    ours.delete(again.id)
    for seen, call in zip(tenant.graph.request_log, tenant.adapter.sent, strict=True):
        model.check(seen)
        model.check_call(call)
        assert 'IdType="ImmutableId"' in seen.headers["prefer"]
    ids_of_ours = {made[0].id, made[1].id, again.id}
    sent = {
        f"{seen.method} {'/'.join('' if part in ids_of_ours else part for part in seen.path.split('/'))}"
        for seen in tenant.graph.request_log
    }
    assert {"POST /subscriptions", "GET /subscriptions", "DELETE /subscriptions/", "PATCH /subscriptions/"} == sent


def echo(environ: Json, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [parse_qs(environ["QUERY_STRING"])["validationToken"][0].encode()]


def test_every_request_has_the_headers_the_documentation_asks_for() -> None:
    tenant = Tenant()
    drive(tenant, "me", chosen=True)
    for seen in tenant.graph.request_log:
        assert 'IdType="ImmutableId"' in seen.headers["prefer"], seen.path
        assert "outlook.timezone" not in seen.headers["prefer"]
        if seen.part is None:
            assert UUID(seen.headers["client-request-id"])
        changes = seen.method in {"PATCH", "DELETE"} and "linkedResources" not in seen.path
        assert ("if-match" in seen.headers) == changes, (seen.method, seen.path)
        assert "permanentDelete" not in seen.path
        assert not isinstance(seen.body, dict) or "attendees" not in seen.body
