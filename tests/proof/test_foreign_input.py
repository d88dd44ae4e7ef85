"""Every parser of what comes from outside, given whatever hypothesis can think of: out come values, or errors of our
own tree that say nothing of the content, within a span of time that no length and no depth can stretch."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from requests.adapters import BaseAdapter
from tests.proof.effort import minutes
from tests.proof.foreign import DEEP, HEADERS, NO_ANSWER, STATUSES
from tests.proof.tally import count, owe

from orosync.config import Config
from orosync.core import zones
from orosync.core.look import clean
from orosync.core.look_css import clean_css
from orosync.core.look_html import clean_html
from orosync.core.mapping import LENSES, snapshot_of
from orosync.core.mapping.lens import Context
from orosync.core.records import Entity, Item, Side
from orosync.core.recurrence import from_graph, from_oro
from orosync.core.settings import KEYS, Level, parse, validate
from orosync.core.webhooks import TOPICS, is_signed, read_notification
from orosync.errors import BadInput, CursorExpired, OrosyncError, RecordRefused, SideFailing
from orosync.oro.answers import entity_refusal, form_errors, one_of, rows_of, write_refusal
from orosync.oro.auth import Grant, ask_for_tokens, redeem_code, token_refused
from orosync.oro.client import Dialect, OroClient
from orosync.oro.jsonapi import included_by_id, moment
from orosync.oro.memory import Memory
from orosync.outlook.auth import StaticToken
from orosync.outlook.batch import Part, send_parts
from orosync.outlook.client import GraphClient, claims_of
from orosync.outlook.delta import Position
from orosync.outlook.replies import Reply, read_error
from orosync.web import json_body
from orosync.web.problems import Problem
from orosync.web.sign_in.tokens import EntraTokens

SECRET = "Lovelace"  # stands in every foreign text, and may stand in no message of ours
LONGEST_S = 20.0  # for one input, on the slowest machine: what takes seconds here takes minutes when it grows
TRIES = settings(max_examples=round(60 * (1 + (minutes() or 0))), suppress_health_check=list(HealthCheck))

TEXT = st.one_of(
    st.text(),
    st.sampled_from(["", "\0", "\ud800", "2026-02-30", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1e999"]),
    st.text(alphabet="<>&;:{}()[]\"'/\\*!-@ .\nab0", max_size=60),
    st.builds(str.__mul__, st.sampled_from(["<b>", "(", "{", "a{", "Region ", " ", "a,", "&#"]), st.integers(1, 2_500)),
).map(lambda text: f"{SECRET}{text}" if len(text) > 3 else text)  # fmt: skip
SCALAR = st.none() | st.booleans() | st.integers() | st.sampled_from([10**400, -1, 2**63]) | st.floats() | TEXT
NAMES = st.sampled_from([
    "id", "data", "attributes", "relationships", "included", "errors", "children", "source", "pointer", "detail",
    "title", "value", "error", "code", "innerError", "message", "responses", "status", "body", "headers", "type",
    "emails", "email",
    "recurrence", "pattern", "range", "start", "end", "dateTime", "timeZone", "singleValueExtendedProperties", "phones",
    "linkedResources", "emailAddresses", "address", "birthday", "attendees", "organizer", "isAllDay", "sensitivity",
    "updatedAt", "dueDateTime", "topic", "eventData", "timestamp", "messageId", "access_token", "expires_in",
    "addresses",
    "firstName", "givenName", "surname", "homeAddress", "categories", "daysOfWeek", "interval", "numberOfOccurrences",
    "endDate", "recurrenceTimeZone", "dayOfWeek", "reminders", "types", "country", "calendar", "owner", "tags",
    "content",
])  # fmt: skip
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)


PARSERS = {
    "test_answers_of_orocrm": "answers of OroCRM",
    "test_answers_of_graph": "answers of Graph",
    "test_items_of_both_sides": "items",
    "test_rules_of_series": "recurrence",
    "test_times_and_zones": "times and zones",
    "test_positions_of_feeds_that_somebody_changed": "cursors",
    "test_answers_of_a_token_endpoint": "token endpoint",
    "test_calls_of_orocrm": "webhooks",
    "test_bodies_of_requests": "bodies of requests",
    "test_values_of_settings": "settings",
    "test_html_of_the_look": "HTML of the look",
    "test_css_of_the_look": "CSS of the look",
    "test_a_whole_look": "look",
    "test_access_tokens": "access tokens",
}


@pytest.fixture(autouse=True)
def tried_often_enough(request: pytest.FixtureRequest) -> None:
    owe("fuzzed", PARSERS[request.node.originalname], 50)


@contextmanager
def in_our_words(parser: str, *allowed: type[Exception]) -> Iterator[None]:
    """Only these errors (else any of our tree), nothing of the content in them, and no unbounded work."""
    began, words = time.monotonic(), ""
    expected = allowed or (OrosyncError,)
    try:
        yield
    except expected as error:
        words = str(error)
    assert SECRET not in words, words[:300]
    assert len(words) < 2_000
    assert time.monotonic() - began < LONGEST_S
    count("fuzzed", parser)


class Canned(BaseAdapter):
    """Answers every request alike."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        super().__init__()
        self.status, self.content, self.headers = status, content, headers

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content, response.url = self.status, self.content, str(request.url)
        response.headers.update(self.headers)
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


BODIES = st.sampled_from(NO_ANSWER) | st.binary(max_size=50) | JSON.map(encoded)
HEADER = st.sampled_from([*HEADERS, ("Retry-After", "12"), ("Date", "Sat, 99 Nov 9999")]).map(lambda pair: dict([pair]))
CLOCK = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Signed:
    """A sign-in that always is."""

    @contextmanager
    def use(self, _post: Any) -> Iterator[dict[str, str]]:
        yield {}

    def refused(self, _headers: Any) -> bool:
        return False


@TRIES
@given(st.sampled_from(STATUSES), BODIES, HEADER, st.sampled_from(["GET", "POST"]), st.sampled_from(Dialect))
@example(301, b"", {"Location": "http://[::1"}, "POST", Dialect.JSONAPI)
def test_answers_of_orocrm(status: int, body: bytes, headers: dict[str, str], method: Any, dialect: Dialect) -> None:
    adapters = {"https://": Canned(status, body, headers)}
    client = OroClient("https://crm.example", Signed(), adapters=adapters, pause=lambda _s: None)
    with in_our_words("answers of OroCRM"):
        answer = client.get("x", dialect=dialect) if method == "GET" else client.write("POST", "x", {}, dialect=dialect)
        form_errors(answer.document)
        if answer.ok:
            included_by_id(answer.document, "tags")
            (rows_of if method == "GET" else one_of)(answer)
        else:
            raise (entity_refusal if method == "GET" else write_refusal)(answer, Entity.CONTACT)


@TRIES
@given(st.sampled_from(STATUSES), BODIES, HEADER, st.booleans())
@example(301, b"", {"Location": "http://[::1"}, False)
def test_answers_of_graph(status: int, body: bytes, headers: dict[str, str], whole: bool) -> None:
    adapters = {"https://": Canned(status, body, headers)}
    client = GraphClient("https://graph.example/v1.0", StaticToken("t"), adapters=adapters)
    with in_our_words("answers of Graph"):
        if whole:
            reply = client.get("/me")
            claims_of(reply)
            if not reply.ok:
                raise read_error(reply, Entity.EVENT)
        else:
            for answer in send_parts(client, [Part("GET", "/me"), Part("PATCH", "/me", {})]):
                if not isinstance(answer, Reply):
                    raise answer
                assert answer.retry_after_s is None or 0 <= answer.retry_after_s < float("inf")


@TRIES
@given(st.sampled_from(sorted(LENSES)), st.dictionaries(NAMES, JSON, max_size=8))
def test_items_of_both_sides(which: tuple[Side, Entity], body: dict[str, Any]) -> None:
    side, entity = which
    with in_our_words("items", RecordRefused):
        snapshot = snapshot_of(side, entity, Item("1", "v", {"attributes": {}, "addresses": [], **body}), Context())
        assert snapshot.entity is entity


@TRIES
@given(JSON)
def test_rules_of_series(rule: Any) -> None:
    body = {"recurrence": rule, "start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "UTC"}}
    for side in Side:
        with in_our_words("recurrence", RecordRefused):
            snapshot_of(side, Entity.EVENT, Item("1", "v", body), Context())
    with in_our_words("recurrence", TypeError, ValueError, AttributeError, KeyError, ArithmeticError):
        from_graph(rule, "UTC")  # what a lens catches, and nothing else
        from_oro(rule, "2026-11-23T09:00:00Z", all_day=False, oro_zone="UTC")


@TRIES
@given(TEXT | JSON)
def test_times_and_zones(value: Any) -> None:
    with in_our_words("times and zones", SideFailing):
        assert datetime.fromisoformat(moment(value)) - timedelta(days=2) < datetime(9999, 12, 31, tzinfo=UTC)
    if isinstance(value, str):
        with in_our_words("times and zones", ValueError, ArithmeticError):
            zones.iana_of(value)
            zones.windows_of(value)
            zones.day(value)
            zones.instant(value, value)


@TRIES
@given(TEXT | JSON.map(json.dumps))
@example("[" * DEEP)
def test_positions_of_feeds_that_somebody_changed(text: str) -> None:
    with in_our_words("cursors", CursorExpired):
        Memory.from_cursor(text)
    with in_our_words("cursors", CursorExpired):
        Position.read(text)


@TRIES
@given(st.integers(100, 599), JSON, st.booleans())
def test_answers_of_a_token_endpoint(status: int, answer: Any, ok: bool) -> None:
    grant = Grant("client_credentials", "id", "hush")
    for ask in (
        lambda: ask_for_tokens(grant, None, lambda _form: (200 if ok else status, answer), CLOCK),
        lambda: redeem_code(grant, "c", redirect_uri="u", verifier="v", post=lambda _f: (200, answer), now=CLOCK),
        lambda: token_refused("password", status, answer),
    ):
        with in_our_words("token endpoint"):
            ask()


@TRIES
@given(st.binary(max_size=60) | JSON.map(encoded), st.sampled_from(sorted(TOPICS)), TEXT, TEXT)
@example(b"[" * DEEP, "contact.created", "", "")
def test_calls_of_orocrm(body: bytes, topic: str, signature: str, algorithm: str) -> None:
    assert not is_signed(body, "secret", signature, algorithm)
    with in_our_words("webhooks", BadInput):
        read_notification(body, topic)


@TRIES
@given(st.binary(max_size=60) | JSON.map(encoded))
@example(b"[" * DEEP)
def test_bodies_of_requests(body: bytes) -> None:
    with in_our_words("bodies of requests", json_body.Unreadable):
        json_body.loads(body)


@TRIES
@given(st.sampled_from(sorted(KEYS)), JSON, TEXT, st.sampled_from(Level))
def test_values_of_settings(key: str, value: Any, text: str, level: Level) -> None:
    for read in (lambda: validate(key, value, level), lambda: parse(key, text), lambda: validate(text, value, level)):
        with in_our_words("settings"), suppress(BadInput):  # which shows what was given to whoever gave it
            read()


FORBIDDEN = ("<script", "javascript:", "onerror", "url(", "@import", "expression(", "<iframe", "</style")


@TRIES
@given(TEXT)
@example("<b>" * 2_600)
@example("<" * 8_000)
@example("<!--" * 2_000)
@example('<a href="java\nscript:alert(1)">x</a><img src=x onerror=alert(1)>')
def test_html_of_the_look(markup: str) -> None:
    with in_our_words("HTML of the look"):
        cleaned, _ = clean_html(markup)
        assert "<script" not in cleaned.casefold()
        assert "<img" not in cleaned
        assert clean_html(cleaned)[0] == cleaned


@TRIES
@given(TEXT)
@example("(" * 16_000)
@example("a{b:" + "(" * 8_000)
@example("@media " + "(" * 8_000 + "{}")
@example("a{" * 8_000)
@example(".a" * 8_000 + "{color:red}")
@example("a>" * 8_000 + "a{color:red}")
def test_css_of_the_look(text: str) -> None:
    with in_our_words("CSS of the look"):
        cleaned, _ = clean_css(text)
        assert not [each for each in FORBIDDEN if each in cleaned.casefold()]
        assert clean_css(cleaned)[0] == cleaned


@TRIES
@given(st.dictionaries(st.sampled_from(["name", "logo", "accent", "welcome", "sections", "html", "css"]), JSON))
def test_a_whole_look(value: dict[str, Any]) -> None:
    with in_our_words("look"):
        look, _ = clean(value)
        assert clean(look.as_setting()) == (look, [])


def part_of_token(value: Any) -> str:
    return base64.urlsafe_b64encode(encoded(value)).rstrip(b"=").decode()


CONFIG = Config(
    data_dir=Path(),
    database_url="sqlite://",
    tenant_id="11111111-1111-4111-8111-111111111111",
    client_id="22222222-2222-4222-8222-222222222222",
    client_secret="s",
    public_url="https://sync.example.com",
)
TOKENS = EntraTokens(CONFIG)


@TRIES
@given(
    TEXT
    | st.builds(lambda *parts: ".".join(map(part_of_token, parts)), JSON, JSON, JSON)
    | st.builds(
        lambda header, claims, sign: f"{part_of_token({'alg': header, 'typ': 'JWT'})}.{part_of_token(claims)}.{sign}",
        st.sampled_from(["none", "HS256", "RS512", "", None, 5]),
        JSON,
        st.text(max_size=5),
    )
)
@example("a" * 40_000)
@example("." * 30_000)
@example(".".join([base64.urlsafe_b64encode(b'{"a":' * 3_000).decode(), "e30", "e30"]))
def test_access_tokens(token: str) -> None:
    with in_our_words("access tokens", Problem):
        TOKENS.authenticate(token)
        pytest.fail("let in")
