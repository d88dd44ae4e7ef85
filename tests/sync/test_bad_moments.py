"""Stories of bad moments: people edit while we write, answers get lost, records vanish while they wait."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
import requests
from tests.sync.actors import Hands
from tests.sync.faults import Killed, Story, answer_lost, at, first, killed_after, names, writing
from tests.sync.pairs import from_oro, from_outlook
from tests.sync.world import World, writes

from orosync.core.records import Entity, Side
from orosync.store.database import Database

# ---------------------------------------------------------------- creates of unknown outcome


def test_a_create_whose_answer_was_lost_is_not_sent_again_while_another_record_is_planned_anew(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="job 0")
    pair.in_oro(jobTitle="job 1")
    hands.make_in_oro("Ben")
    # the update meets an item that its user has just edited (412), the create's answer does not arrive
    at(world, "graph", writing("PATCH"), first(lambda: pair.in_outlook(personalNotes="mine")))
    at(world, "graph", writing("POST", "/contacts"), answer_lost)
    world.sync()
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == (["Ada", "Ben"], ["Ada", "Ben"])


@pytest.mark.parametrize("restored", [False, True])
def test_a_create_that_nobody_can_see_yet_waits_although_the_feed_shows_its_item(world: World, restored: bool) -> None:
    hands = Hands(world, Entity.CONTACT)
    hands.make_in_oro("Ada")
    if restored:
        world.settle()
        hands.delete_in_outlook(next(iter(hands.outlook())))
    at(world, "graph", writing("POST", "/contacts"), answer_lost)
    world.sync()

    def unseen(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        response = send()
        response._content = b'{"value": []}'
        return response

    at(world, "graph", lambda r: r.method == "GET" and "OroCRM_id" in str(r.url) and "filter" in str(r.url), unseen)
    world.clock.time -= timedelta(seconds=55)  # the next run comes at once
    world.sync()
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == (["Ada"], ["Ada"])


@pytest.mark.parametrize("entity", Entity)
def test_a_write_that_orocrm_carried_out_and_called_unavailable_is_not_sent_again(world: World, entity: Entity) -> None:
    hands = Hands(world, entity)
    for name in ("Ada", "Ben", "Cem"):
        hands.make_in_outlook(name)

    def unavailable(request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        send()
        response = requests.Response()
        response.status_code, response._content, response.url = 503, b"", str(request.url)
        response.headers["Retry-After"] = "30"
        return response

    at(world, "crm", writing("POST"), unavailable)
    report = world.sync()
    assert (report.state, report.retry_after_s) == ("failed", 30)
    assert len(names(world, entity)[0]) == 1, "nothing more is sent to an OroCRM that asks to be left alone"
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, entity) == (["Ada", "Ben", "Cem"], ["Ada", "Ben", "Cem"])


def test_an_event_deleted_in_outlook_twice_is_created_again_twice(world: World) -> None:
    hands = Hands(world, Entity.EVENT)
    hands.make_in_oro("Ada")
    world.settle()
    for _ in range(3):
        (native,) = hands.outlook()
        hands.delete_in_outlook(native)
        report = world.settle()
        assert report.state == "done"
        assert names(world, Entity.EVENT) == (["Ada"], ["Ada"])


# ---------------------------------------------------------------- deletes and updates of unknown outcome


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_replacing_items_that_is_cut_off_after_their_deletion_never_deletes_oros_records(
    database: Database, fault: Story
) -> None:
    world = World(database, system={"on_delete_in_outlook": "propagate"})
    hands = Hands(world, Entity.CONTACT)
    for name in ("Ada", "Ben", "Cem"):
        hands.make_in_oro(name)
    world.settle()
    at(world, "graph", writing("DELETE"), fault)
    with suppress(Killed):
        world.sync(mode="resync", replace=True)
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == (["Ada", "Ben", "Cem"], ["Ada", "Ben", "Cem"])


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_what_a_write_replaced_is_remembered_although_its_answer_was_lost(world: World, fault: Story) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="job 0")
    pair.in_oro(jobTitle="oro's")
    pair.in_outlook(jobTitle="outlook's")
    at(world, "graph", writing("PATCH"), fault)
    with suppress(Killed):
        world.sync()
    world.clock.forward(hours=1)
    world.settle()
    assert pair.outlook["jobTitle"] == "oro's"
    log = world.store.oplog_of(Entity.CONTACT, Side.OUTLOOK, pair.native)
    assert "outlook's" in [(entry.before or {}).get("job_title") for entry in log]


@pytest.mark.parametrize("fault", [answer_lost, killed_after])
def test_a_deletion_whose_answer_was_lost_can_be_taken_back_and_counts(world: World, fault: Story) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="job 0")
    world.office.delete("contact", pair.number)
    at(world, "graph", writing("DELETE"), fault)
    with suppress(Killed):
        world.sync(sweep=True)
    run = str(world.store.runs(1)[0]["run"])
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == ([], [])
    assert world.store.tally(Entity.CONTACT, world.clock.now() - timedelta(hours=24)).deletes == 1
    assert world.undo(run).taken_back == 1
    assert names(world, Entity.CONTACT)[1] == ["Ada"]


def test_what_became_of_a_deletion_is_not_guessed_while_its_item_is_out_of_sight(world: World) -> None:
    pair = from_oro(world, Entity.CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="job 0")
    world.office.delete("contact", pair.number)
    at(world, "graph", writing("DELETE"), answer_lost)
    world.sync(sweep=True)
    world.graph.fail_next("GET", pair.native, 403, "ErrorAccessDenied")
    for _ in range(2):
        world.clock.forward(hours=1)
        world.sync()
    assert world.store.tally(Entity.CONTACT, world.clock.now() - timedelta(hours=24)).deletes == 1


# ---------------------------------------------------------------- people edit while we write


@pytest.mark.parametrize("entity", list(Entity))
def test_another_field_edited_in_oro_just_before_our_write_still_travels(database: Database, entity: Entity) -> None:
    notes = {"field_direction.task.description": "both", "field_direction.event.description": "both"}
    world = World(database, system=notes)
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_outlook(native, "second", 4)
    method = "PUT" if entity is Entity.EVENT else "PATCH"
    cut = at(world, "crm", writing(method), first(lambda: hands.edit_in_oro(number, "first", 7)))
    world.sync()
    assert cut.met
    world.settle()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 7, 4)


@pytest.mark.parametrize("entity", list(Entity))
def test_another_field_edited_in_outlook_just_before_our_write_still_travels(
    database: Database, entity: Entity
) -> None:
    notes = {"field_direction.task.description": "both", "field_direction.event.description": "both"}
    world = World(database, system=notes)
    hands = Hands(world, entity)
    number = hands.make_in_oro("Ada")
    world.settle()
    (native,) = hands.outlook()
    hands.edit_in_oro(number, "second", 4)
    cut = at(world, "graph", writing("PATCH"), first(lambda: hands.edit_in_outlook(native, "first", 7)))
    world.sync()
    assert cut.met
    world.settle()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 7, 4)


@pytest.mark.parametrize("entity", list(Entity))
def test_an_item_edited_while_it_is_stamped_is_not_overlooked(database: Database, entity: Entity) -> None:
    notes = {"field_direction.task.description": "both", "field_direction.event.description": "both"}
    world = World(database, system=notes)
    hands = Hands(world, entity)
    native = hands.make_in_outlook("Ada")
    path = "linkedResources" if entity is Entity.TASK else ""
    method = "POST" if entity is Entity.TASK else "PATCH"
    cut = at(world, "graph", writing(method, path), first(lambda: hands.edit_in_outlook(native, "first", 7)))
    world.sync()
    assert cut.met
    world.settle()
    (number,) = hands.oro()
    assert hands.outlook()[native] == hands.oro()[number] == ("Ada", 7, 0)


# ---------------------------------------------------------------- partners that cannot be read


def part_fails(status: int) -> Story:
    """All that a batch asks for by id comes back with this status."""

    def failing(_request: requests.PreparedRequest, send: Callable[[], requests.Response]) -> requests.Response:
        response = send()
        body = response.json()
        for part in body["responses"]:
            code = "ErrorAccessDenied" if status == 403 else "x"
            part |= {"status": status, "body": {"error": {"code": code, "message": "y"}}}
        response._content = json.dumps(body).encode()
        return response

    return failing


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_match_that_cannot_be_read_just_now_is_waited_for_and_not_doubled(database: Database, status: int) -> None:
    world = World(database, system={"sync_direction": "oro_to_outlook"})
    hands = Hands(world, Entity.CONTACT)
    native = hands.make_in_outlook("Ada")
    world.settle()
    hands.make_in_oro("Ada")

    cut = at(world, "graph", writing("GET", native), part_fails(status))
    world.sync()
    assert cut.met
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == (["Ada"], ["Ada"])


@pytest.mark.parametrize("status", [403, 412, 500])
@pytest.mark.parametrize("direction", ["bidirectional", "oro_to_outlook", "outlook_to_oro"])
def test_a_new_item_that_cannot_be_read_just_now_is_not_doubled_by_its_partner(
    database: Database, direction: str, status: int
) -> None:
    world = World(database, system={"sync_direction": direction})
    hands = Hands(world, Entity.CONTACT)
    native = hands.make_in_outlook("Ada")
    hands.make_in_oro("Ada")
    cut = at(world, "graph", writing("GET", native), part_fails(status))
    world.sync()
    assert cut.met
    world.clock.forward(hours=1)
    world.settle()
    assert names(world, Entity.CONTACT) == (["Ada"], ["Ada"])
    assert world.store.quarantined() == []


def test_a_new_item_that_can_never_be_read_holds_up_the_others_for_two_tries_only(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    native = hands.make_in_outlook("Ada")
    hands.make_in_oro("Ben")
    world.graph.fail_next("GET", native, 500, "internalServerError", times=100)
    world.sync()
    assert names(world, Entity.CONTACT) == (["Ben"], ["Ada"])
    assert [row.code for row in world.store.quarantined()] == ["unread"]
    world.clock.forward(hours=1)
    world.sync()
    assert names(world, Entity.CONTACT) == (["Ben"], ["Ada", "Ben"])


# ---------------------------------------------------------------- quarantine


def test_a_quarantined_record_that_is_deleted_leaves_the_quarantine(world: World) -> None:
    hands = Hands(world, Entity.CONTACT)
    native = hands.make_in_outlook("Ada")
    refuse(world)
    assert world.sync().quarantined == 1
    hands.delete_in_outlook(native)
    world.clock.forward(hours=1)
    world.sync()
    assert world.store.quarantined() == []


def test_a_quarantined_pair_that_comes_to_agree_by_itself_leaves_the_quarantine(world: World) -> None:
    pair = from_outlook(world, Entity.CONTACT, givenName="Ada", surname="Lovelace", jobTitle="a")
    pair.in_outlook(jobTitle="b")
    refuse(world, "PATCH")
    assert world.sync().quarantined == 1
    pair.in_outlook(jobTitle="a")
    world.clock.forward(hours=1)
    world.sync()
    assert world.store.quarantined() == []


def refuse(world: World, method: str = "POST") -> None:
    def no(request: requests.PreparedRequest, _send: Callable[[], requests.Response]) -> requests.Response:
        response = requests.Response()
        response.status_code = 400
        response.headers["Content-Type"] = "application/vnd.api+json"
        response._content = b'{"errors": [{"status": "400", "title": "not blank constraint", "detail": "no"}]}'
        response.request, response.url = request, str(request.url)
        return response

    at(world, "crm", writing(method, "contacts"), no)


def test_twins_without_any_memory_are_paired_and_nothing_is_written(database: Database) -> None:
    world = World(database)
    for entity in Entity:
        hands = Hands(world, entity)
        for _ in range(30):
            hands.make_in_oro("Ada")
            hands.make_in_outlook("Ada")
    report = world.sync()
    assert writes(report) == 0
    report = world.sync()
    assert writes(report) == 0
    for entity in Entity:
        hands = Hands(world, entity)
        assert len(set(hands.stamps().values())) == 30
