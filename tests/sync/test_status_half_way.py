"""A task's status that OroCRM's workflow reaches by two steps: what stands there between them is nobody's edit."""

from __future__ import annotations

import io

import pytest
import requests
from tests.sync.faults import Killed, Story, at, writing
from tests.sync.world import World

from orosync.core.records import Entity, Side


def _killed_before(*_told: object) -> requests.Response:
    raise Killed


def _answered(status: int) -> Story:
    def story(request: requests.PreparedRequest, _send: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, str(request.url)
        response.raw = io.BytesIO(b"{}")
        response.headers["Content-Type"] = "application/json"
        return response

    return story


def _reopened_half_way(world: World) -> str:
    """A closed task is in progress again in Outlook. OroCRM's workflow takes two steps to that, and the run ends
    between them: OroCRM has it open, which nobody wrote."""
    world.office.create("task", {"subject": "Call Ada", "status": "closed"})
    world.settle()
    (item,) = world.outlook(Entity.TASK)
    world.mailbox.user_update("task", item["id"], {"status": "inProgress"})
    at(world, "crm", writing("POST", "start_progress"), _killed_before)
    with pytest.raises(Killed):
        world.sync()
    assert _statuses(world) == ("inProgress", "open")
    world.clock.forward(hours=1)
    return str(item["id"])


def _statuses(world: World) -> tuple[str, str]:
    (item,), (row,) = world.outlook(Entity.TASK), world.in_oro(Entity.TASK)
    return item["status"], row["status"]


def test_a_status_that_oro_has_only_on_the_way_to_ours_is_no_edit_that_could_beat_it(world: World) -> None:
    _reopened_half_way(world)
    world.settle()
    assert _statuses(world) == ("inProgress", "in_progress")
    assert world.store.conflicts(open_only=False) == []


@pytest.mark.parametrize(("then", "arrives"), [("completed", "closed"), ("notStarted", "open")])
def test_a_status_that_was_changed_while_ours_was_on_its_way_arrives(world: World, then: str, arrives: str) -> None:
    native = _reopened_half_way(world)
    world.mailbox.user_update("task", native, {"status": then})
    world.settle()
    assert _statuses(world) == (then, arrives)
    assert world.store.conflicts(open_only=False) == []


def test_what_a_status_on_its_way_has_replaced_is_remembered(world: World) -> None:
    _reopened_half_way(world)
    world.settle()
    (row,) = world.in_oro(Entity.TASK)
    entries = [each for each in world.store.oplog_of(Entity.TASK, Side.ORO, str(row["id"])) if each.verb == "update"]
    steps = [((each.before or {}).get("status"), (each.after or {}).get("status")) for each in reversed(entries)]
    assert steps == [("completed", "not_started"), ("not_started", "in_progress")]


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_a_step_that_is_not_taken_for_now_is_taken_later(world: World, status: int) -> None:
    world.office.create("task", {"subject": "Call Ada", "status": "closed"})
    world.settle()
    (item,) = world.outlook(Entity.TASK)
    world.mailbox.user_update("task", item["id"], {"status": "inProgress"})
    step = at(world, "crm", writing("POST", "start_progress"), _answered(status))
    world.sync()
    assert (step.met, _statuses(world)[1]) == (1, "open")
    world.clock.forward(hours=1)
    world.settle()
    assert _statuses(world) == ("inProgress", "in_progress")
    assert world.store.conflicts(open_only=False) == []
