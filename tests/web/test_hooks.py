"""What Microsoft Graph calls: the handshake, notifications that are genuine and those that are not, what becomes of
them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.web.application import Application, Person
from werkzeug.test import TestResponse

from orosync.bootstrap.product_files import product_file
from orosync.core.push import Subscription
from orosync.core.records import Entity, Side
from orosync.errors import TryLater
from orosync.outlook.subscriptions import digest_of
from orosync.web.app import create_app
from orosync.web.calls import Calls
from orosync.web.routes.hooks import LARGEST_BODY, LONGEST_TOKEN, MOST_ITEMS, REPLAYED_WITHIN_S, Seen, calls_of

HOOK, LIFECYCLE = "/api/v1/hooks/graph", "/api/v1/hooks/graph/lifecycle"
SECRET = "the secret of the first"


class Hand:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def graph(world: Application, connected: Person, hand: Hand) -> Iterator[Graph]:
    found = Graph(world, hand)
    yield found
    calls_of(world.flask).close()


class Graph:
    """Boris's mailbox has two subscriptions; it calls whenever a test says so."""

    def __init__(self, world: Application, hand: Hand) -> None:
        self.world, self.hand = world, hand
        self.client = world.flask.test_client()
        self.account_id = world.account().id
        world.flask.extensions["orosync.calls"] = Calls(world.database, monotonic=hand)
        world.flask.extensions["orosync.seen_notifications"] = Seen(hand)
        self.rows = world.database.subscriptions
        contacts = Subscription(self.account_id, Side.OUTLOOK, "me/contacts", Entity.CONTACT, "s1", digest_of(SECRET))
        self.rows.save(replace(contacts, state="active"))
        self.rows.save(replace(contacts, state="active", resource="me/events", entity=Entity.EVENT, id="s2"))
        self.count = 0

    def item(self, id: str = "s1", secret: str = SECRET, **more: Any) -> dict[str, Any]:
        self.count += 1
        data = {"@odata.etag": f'W/"{self.count}"', "id": "A"}
        told = {"changeType": "updated", "resource": "Users/1/Contacts/A", "resourceData": data, "tenantId": "t"}
        return {"subscriptionId": id, "clientState": secret, **told, **more}

    def post(self, *items: Any, path: str = HOOK) -> TestResponse:
        self.hand.at += 5  # so that each is called at once
        return self.client.post(path, json={"value": list(items)})

    def called(self) -> set[Side]:
        """Since this was last asked."""
        due = self.world.database.due_work
        called = set(due.get(self.account_id).called_at)
        due.change(self.account_id, lambda work: replace(work, called_at={}))
        return called

    def of(self, resource: str) -> Subscription:
        found = {each.resource: each for each in self.rows.of_account(self.account_id, Side.OUTLOOK)}
        return found[resource]


TOKENS = ("hello", "Validation: reachability+of <script>alert(1)</script>", "Grüße & 1%20 =", '{"a":1}')


def test_the_token_of_a_handshake_is_echoed_as_plain_text(graph: Graph) -> None:
    for path in (HOOK, LIFECYCLE):
        for token in TOKENS:
            response = graph.client.post(path, query_string={"validationToken": token}, content_type="text/plain")
            assert (response.status_code, response.get_data(as_text=True)) == (200, token)
            assert response.mimetype == "text/plain"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert response.headers["Cache-Control"] == "no-store"


def test_a_token_without_measure_is_not_echoed(graph: Graph) -> None:
    for token in ("", "x" * (LONGEST_TOKEN + 1)):
        response = graph.client.post(HOOK, query_string={"validationToken": token})
        assert (response.status_code, response.mimetype) == (400, "application/problem+json")


def test_a_notification_calls_its_account_and_is_answered_with_nothing(graph: Graph) -> None:
    response = graph.post(graph.item())
    assert (response.status_code, response.data) == (202, b"")
    assert graph.called() == {Side.OUTLOOK}


def test_nothing_is_asked_of_anybody(graph: Graph) -> None:
    graph.world.graph.clear_log()
    graph.world.oro.forget_requests()
    graph.post(graph.item())
    graph.post(graph.item(lifecycleEvent="missed"), path=LIFECYCLE)
    assert graph.world.graph.statistics.requests == 0
    assert not graph.world.oro.counts


def test_a_forged_one_is_refused_and_has_no_effect(graph: Graph) -> None:
    for name, secret in (("s1", "another"), ("s3", SECRET), ("s1", SECRET.upper()), ("s1", "ü")):
        for path in (HOOK, LIFECYCLE):
            forged = graph.item(name, secret, lifecycleEvent="subscriptionRemoved")
            response = graph.post(forged, path=path)
            assert (response.status_code, response.get_json()["code"]) == (403, "forged")
    assert graph.called() == set()
    assert graph.of("me/contacts").id == "s1"


def test_the_secret_of_one_subscription_opens_no_other(graph: Graph) -> None:
    graph.rows.save(replace(graph.of("me/events"), digest=digest_of("of the second")))
    assert graph.post(graph.item("s2")).status_code == 403
    assert graph.post(graph.item("s2", "of the second")).status_code == 202


def test_of_a_mixed_post_the_genuine_ones_count(graph: Graph) -> None:
    assert graph.post(graph.item("s9"), graph.item(), graph.item("s1", "wrong")).status_code == 202
    assert graph.called() == {Side.OUTLOOK}


MALFORMED = [
    "",
    "no JSON",
    "[]",
    "{}",
    '{"value": []}',
    '{"value": {}}',
    '{"value": [7]}',
    '{"value": [{"subscriptionId": "s1"}]}',
    '{"value": [{"subscriptionId": 7, "clientState": "x"}]}',
    '{"value": [{"subscriptionId": "", "clientState": "x"}]}',
    '{"value": [{"subscriptionId": "s1", "clientState": null}]}',
    '{"value": [{"subscriptionId": "s1\\u0000", "clientState": "x"}]}',
    '{"value": [{"subscriptionId": "s1", "clientState": "\\ud800"}]}',
    json.dumps({"value": [{"subscriptionId": "s" * 600, "clientState": "x"}]}),
    "[" * 100_000,
]


def test_what_are_no_notifications_is_malformed(graph: Graph) -> None:
    for body in MALFORMED:
        for path in (HOOK, LIFECYCLE):
            response = graph.client.post(path, data=body, content_type="application/json")
            assert (response.status_code, response.get_json()["code"]) == (400, "malformed"), body[:80]
    assert graph.called() == set()


def test_what_is_no_json_by_its_own_word_is_not_read(graph: Graph) -> None:
    response = graph.client.post(HOOK, data=json.dumps({"value": [graph.item()]}), content_type="text/plain")
    assert response.status_code == 415


def test_too_much_is_refused(graph: Graph) -> None:
    large = graph.client.post(HOOK, data=b" " * (LARGEST_BODY + 1), content_type="application/json")
    many = graph.post(*[{"subscriptionId": "s1", "clientState": SECRET}] * (MOST_ITEMS + 1))
    assert [each.status_code for each in (large, many)] == [413, 413]
    assert graph.called() == set()
    assert graph.post(*[graph.item() for _ in range(MOST_ITEMS)]).status_code == 202


def test_what_is_sent_again_is_taken_and_has_no_effect_for_ten_minutes(graph: Graph) -> None:
    same = graph.item()
    assert graph.post(same).status_code == 202
    assert graph.called() == {Side.OUTLOOK}
    assert graph.post(same).status_code == 202
    assert graph.called() == set()
    graph.hand.at += REPLAYED_WITHIN_S
    assert graph.post(same).status_code == 202
    assert graph.called() == {Side.OUTLOOK}


def test_a_change_that_does_not_tell_its_version_is_heard_each_time(graph: Graph) -> None:
    """Two changes of a task may be told in the same words."""
    same = graph.item(resourceData={"id": "A"})
    for _ in range(2):
        assert graph.post(same).status_code == 202
        assert graph.called() == {Side.OUTLOOK}


def test_within_a_second_an_account_is_called_once_and_again_when_it_is_over(graph: Graph) -> None:
    calls: list[set[int]] = []
    due = graph.world.database.due_work
    original = due.call

    def counted(account_ids: Any, sides: frozenset[Side]) -> None:
        calls.append(set(account_ids))
        original(account_ids, sides)

    due.call = counted  # type: ignore[method-assign]
    for _ in range(20):
        response = graph.client.post(HOOK, json={"value": [graph.item()]})
        assert response.status_code == 202
    assert calls == [{graph.account_id}]
    calls_of(graph.world.flask).close()  # as if the second were over
    assert calls == [{graph.account_id}] * 2
    due.call = original  # type: ignore[method-assign]


def test_while_the_database_is_away_graph_is_asked_to_come_again(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    same = graph.item()

    def away(*_: Any) -> None:
        raise TryLater("The database could not take part just now.")

    for place, name in ((graph.rows, "with_ids"), (graph.world.database.due_work, "call")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, away)
            response = graph.post(same)
            assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert graph.post(same).status_code == 202  # it was not taken for a repetition
    assert graph.called() == {Side.OUTLOOK}


def test_what_becomes_of_subscriptions_is_marked_and_the_account_called(graph: Graph) -> None:
    def told(id: str, event: str) -> set[Side]:
        assert graph.post(graph.item(id, lifecycleEvent=event), path=LIFECYCLE).status_code == 202
        return graph.called()

    assert told("s1", "reauthorizationRequired") == {Side.OUTLOOK}
    assert (graph.of("me/contacts").state, graph.of("me/contacts").id) == ("renew", "s1")
    assert told("s2", "subscriptionRemoved") == {Side.OUTLOOK}
    assert (graph.of("me/events").state, graph.of("me/events").id) == ("missing", None)
    assert told("s1", "missed") == set(Side)
    assert told("s1", "something new") == {Side.OUTLOOK}
    assert graph.of("me/contacts").state == "renew"


def test_whoever_calls_is_counted_apart_from_people(tmp_path: Path) -> None:
    world = Application(tmp_path)
    world.flask = create_app(world.parts, pane=product_file("addin"), rate_limit="1 per day", call_limit="3 per minute")
    client = world.flask.test_client()
    answers = [client.post(HOOK, json={"value": []}) for _ in range(5)]
    assert [each.status_code for each in answers] == [400, 400, 400, 429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert client.get("/api/v1/me").status_code == 401  # the first of its day
    world.database.close()


def test_nobody_reads_anything_there(graph: Graph) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert graph.client.open(HOOK, method=method).status_code == 405


def deletions(graph: Graph) -> list[str]:
    return [seen.path for seen in graph.world.graph.request_log if seen.method == "DELETE"]


def test_whoever_disconnects_is_called_no_more(graph: Graph) -> None:
    boris = graph.world.person("boris")
    assert boris.ask("DELETE", "/connection").status_code == 204
    assert deletions(graph) == ["/subscriptions/s1", "/subscriptions/s2"]
    assert graph.post(graph.item()).status_code == 403


def test_an_account_that_an_administrator_switches_off_is_called_no_more(graph: Graph) -> None:
    anna, path = graph.world.person("anna"), f"/admin/accounts/{graph.account_id}"
    assert anna.ask("PATCH", path, json={"state": "disabled"}).status_code == 200
    assert deletions(graph) == ["/subscriptions/s1", "/subscriptions/s2"]
    assert graph.rows.of_account(graph.account_id, Side.OUTLOOK) == []
    assert anna.ask("DELETE", path).status_code == 204
    assert len(deletions(graph)) == 2  # there was nothing left to end


def test_an_account_goes_also_where_graph_does_not_answer(graph: Graph) -> None:
    graph.world.graph.fail_next("DELETE", "/subscriptions", 503, "x", drop=True, times=5)
    assert graph.world.person("anna").ask("DELETE", f"/admin/accounts/{graph.account_id}").status_code == 204
    assert graph.rows.with_ids(Side.OUTLOOK, ["s1", "s2"]) == {}
