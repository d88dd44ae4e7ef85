"""Answers that nobody can understand: nothing is made twice because of one, and nothing of one is remembered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from tests.sync.actors import Hands
from tests.sync.faults import at
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side

Spoil = Callable[[Any], Any]
MADE_IN_ORO = {Entity.CONTACT: "/api/contacts", Entity.TASK: "/api/tasks", Entity.EVENT: "calendarevents"}


def spoilt(spoil: Spoil) -> Callable[[requests.PreparedRequest, Callable[[], requests.Response]], requests.Response]:
    """The request is carried out, and its answer changed on the way back."""

    def story(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        response = send()
        response._content = json.dumps(spoil(response.json())).encode()
        return response

    return story


def names(world: World, entity: Entity) -> tuple[list[str], list[str]]:
    hands = Hands(world, entity)
    return sorted(row[0] for row in hands.oro().values()), sorted(row[0] for row in hands.outlook().values())


def converged(world: World) -> None:
    for _ in range(4):
        world.clock.forward(hours=7)
        report = world.sync(sweep=True)
    assert (report.state, writes(report), world.session().store.open_intents()) == ("done", 0, [])


@pytest.mark.parametrize("entity", Entity)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: {}, id="nothing in it"),
        pytest.param(lambda _: {"data": {"id": None}}, id="no id"),
        pytest.param(lambda _: {"data": {"id": "7", "attributes": 3}, "id": "x"}, id="no record"),
        pytest.param(lambda body: {**body, "included": [None]}, id="spoilt parts"),
    ],
)
def test_a_create_that_orocrm_took_is_not_made_twice_because_its_answer_makes_no_sense(
    world: World, entity: Entity, spoil: Spoil
) -> None:
    Hands(world, entity).make_in_outlook("Ada", 1, 1)
    posted = at(world, "crm.", lambda r: r.method == "POST" and MADE_IN_ORO[entity] in str(r.url), spoilt(spoil))
    world.sync()
    assert posted.met
    converged(world)
    assert names(world, entity) == (["Ada"], ["Ada"])


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("entity", Entity)
def test_nor_because_it_could_not_be_read_back(world: World, entity: Entity, status: int) -> None:
    """What was made is read again where the answer to the create does not tell all of it."""
    Hands(world, entity).make_in_outlook("Ada", 1, 1)
    made: list[str] = []

    def refused(request: requests.PreparedRequest, _send: Callable[[], requests.Response]) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content, response.url = status, b"{}", str(request.url)
        return response

    def note(request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        response = send()
        body = response.json()
        if "data" in body:  # an instance that leaves out what it embeds, so that it has to be asked for
            body["included"] = []
            body["data"].setdefault("relationships", {})["tags"] = {"data": [{"type": "tags", "id": "1"}]}
            response._content = json.dumps(body).encode()
        made.append(str(request.url))
        return response

    at(world, "crm.", lambda r: bool(made) and r.method == "GET", refused)
    at(world, "crm.", lambda r: r.method == "POST" and MADE_IN_ORO[entity] in str(r.url), note)
    world.sync()
    assert made
    converged(world)
    assert names(world, entity) == (["Ada"], ["Ada"])


@pytest.mark.parametrize("entity", Entity)
def test_a_create_that_outlook_took_is_not_made_twice_because_its_answer_makes_no_sense(
    world: World, entity: Entity
) -> None:
    Hands(world, entity).make_in_oro("Ada", 1, 1)

    def without_sense(body: Any) -> Any:
        for part in body["responses"]:
            part["body"] = {"id": part["body"]["id"], "emailAddresses": 3, "linkedResources": 3, "organizer": "x"}
        return body

    def creates(request: requests.PreparedRequest) -> bool:
        return bool(re.search(rb'"method": ?"POST"', bytes(request.body or b"")))

    posted = at(world, "graph.", creates, spoilt(without_sense))
    world.sync()
    assert posted.met
    converged(world)
    assert names(world, entity) == (["Ada"], ["Ada"])


@pytest.mark.parametrize("when", [None, "", "soon", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 7, ["2026"]])
def test_a_time_that_is_none_does_not_stop_the_looks_that_follow(world: World, when: Any) -> None:
    """It would be remembered as how far the changes, or the audit log, were read."""
    hands = Hands(world, Entity.CONTACT)
    hands.make_in_oro("Ada")
    world.settle()

    def with_odd_times(body: Any) -> Any:
        for row in body.get("data", []) if isinstance(body, dict) else body:
            row.get("attributes", row).update({"updatedAt": when, "loggedAt": when})
        return body

    for path in ("/api/contacts", "audits", "/api/contacts"):
        hands.edit_in_oro(min(hands.oro()), "first", len(path))
        at(world, "crm.", lambda r, path=path: path in str(r.url), spoilt(with_odd_times))  # type: ignore[misc]
        world.sync()
        world.sync(sweep=True)
    hands.make_in_oro("Ben")
    assert world.settle().state == "done"
    assert names(world, Entity.CONTACT) == (["Ada", "Ben"], ["Ada", "Ben"])


def test_pages_that_lead_back_to_themselves_end(world: World) -> None:
    for number in range(3):
        Hands(world, Entity.CONTACT).make_in_outlook(f"Ada{number}")
    links = [
        "https://graph.example/v1.0/me/contacts/delta?$skiptoken=a",
        "https://graph.example/v1.0/me/contacts/delta",
    ]
    asked: list[str] = []

    def back(body: Any) -> Any:
        for part in body["responses"]:
            if "@odata.deltaLink" in (part.get("body") or {}):
                part["body"].pop("@odata.deltaLink")
                part["body"]["@odata.nextLink"] = links[len(asked) % 2]
                asked.append("again")
        return body

    class Always(requests.adapters.BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            assert len(asked) < 50, "it goes on for ever"
            response = inner.send(request, *args, **kwargs)
            response._content = json.dumps(back(response.json())).encode()
            return response

        def close(self) -> None:
            inner.close()

    inner = world.adapters["https://graph.example"]
    world.adapters["https://graph.example"] = Always()  # type: ignore[assignment]
    report = world.sync()
    assert report.state == "failed"
    assert any("back to itself" in problem for problem in report.problems)
    world.adapters["https://graph.example"] = inner
    assert world.settle().state == "done"
    assert world.store.count_links(Entity.CONTACT) == 3
    assert len(world.in_oro()) == 3
    assert world.store.cursor(Side.OUTLOOK, Entity.CONTACT).cursor
