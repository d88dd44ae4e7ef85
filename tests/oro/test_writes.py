"""Writes of the OroCRM side: least requests, nothing unmapped lost, and every refusal named."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.oro.conftest import World

from orosync.core.exchange import Write, Written
from orosync.core.records import Entity, Item
from orosync.errors import (
    AccountBlocked,
    EntityForbidden,
    OutcomeUnknown,
    RecordChanged,
    RecordMissing,
    RecordRefused,
    SignInNeeded,
    Throttled,
)

TIMES = {"start": "2026-12-03T09:00:00Z", "end": "2026-12-03T10:00:00Z"}
HOME = {"street": "5 Home Rd", "city": "Troy", "postalCode": "2", "country": "US", "types": ["shipping"]}
WORK = {"street": "1 Main St", "city": "Albany", "postalCode": "1", "country": "US", "region": "US-NY",
        "types": ["billing"]}  # fmt: skip
NEW = {"attributes": {"street": "9 New", "city": "Nice", "postalCode": "06000"}, "country": "FR", "region": None,
       "types": []}  # fmt: skip


def read(side: Any, entity: Entity, number: Any) -> Item:
    return side.read(entity, [str(number)])[str(number)].item


def person(world: World, **values: Any) -> int:
    made: int = world.oro.back_office.create(
        "contact",
        {"firstName": "Grace", "emails": ["a@x.org", "b@x.org"], "phones": ["1", "2", "3"],
         "addresses": [WORK, HOME], **values},
    )  # fmt: skip
    return made


# contacts


def test_a_contact_is_created_with_its_addresses_in_one_request(world: World) -> None:
    side = world.side()
    patch = {
        "attributes": {"firstName": "Grace", "emails": [{"email": "g@x.org"}], "primaryEmail": "g@x.org"},
        "addresses": {"create": [NEW, {**NEW, "country": "US", "region": "US-NY", "types": ["billing"]}]},
    }
    item = world.write(side, "create", Entity.CONTACT, patch).item
    assert len(world.requests()) == 1
    assert [each["country"] for each in item.body["addresses"]] == ["FR", "US"]
    assert item.body["owner"] == "1"
    again = read(side, Entity.CONTACT, item.id)
    assert (again.body, again.version) == (item.body, item.version)


def test_one_attribute_is_one_request_and_the_reply_is_a_whole_item(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    world.oro.forget_requests()
    patch = {"attributes": {"description": "<p>New</p>"}}
    item = world.write(side, "update", Entity.CONTACT, patch, before).item
    assert len(world.requests()) == 1
    again = read(side, Entity.CONTACT, before.id)
    assert (again.body, again.version) == (item.body, item.version)
    assert len(again.body["attributes"]["phones"]) == 3


def test_one_address_is_written_by_itself(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    work, _ = before.body["addresses"]
    patch = {"addresses": {"update": {work["id"]: {"attributes": {"city": "Buffalo"}}}}}
    world.oro.forget_requests()
    item = world.write(side, "update", Entity.CONTACT, patch, before).item
    assert [path.split("?")[0] for path in world.requests()] == [
        f"PATCH /api/contactaddresses/{work['id']}", f"GET /api/contacts/{before.id}",
    ]  # fmt: skip
    assert [each["attributes"]["city"] for each in item.body["addresses"]] == ["Buffalo", "Troy"]
    assert item.body["addresses"][0]["types"] == ["billing"]


def test_an_address_somebody_added_meanwhile_survives_a_change_of_several(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    work, home = before.body["addresses"]
    world.oro.back_office.edit("contact", int(before.id), {
        "addresses": [{"id": work["id"]}, {"id": home["id"]}, {"street": "7 Side", "city": "Utica", "postalCode": "3",
                                                              "country": "US"}],
    })  # fmt: skip
    patch = {
        "attributes": {"jobTitle": "Admiral"},
        "addresses": {"create": [NEW], "update": {work["id"]: {"attributes": {"city": "Buffalo"}}},
                      "delete": [home["id"]]},
    }  # fmt: skip
    item = world.write(side, "update", Entity.CONTACT, patch, before).item
    assert [each["attributes"]["city"] for each in item.body["addresses"]] == ["Buffalo", "Utica", "Nice"]
    assert item.body["attributes"]["jobTitle"] == "Admiral"


def test_a_change_of_several_that_is_refused_leaves_nothing_half_written(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    wrong = {**NEW, "country": "DE", "region": "US-NY"}
    patch = {"attributes": {"jobTitle": "Admiral"}, "addresses": {"create": [wrong]}}
    refused = world.write(side, "update", Entity.CONTACT, patch, before)
    assert isinstance(refused, RecordRefused)
    assert "addresses" in refused.message
    assert "New York" not in refused.message
    assert read(side, Entity.CONTACT, before.id).version == before.version


def test_an_address_that_is_gone_asks_for_a_new_plan(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    work, home = before.body["addresses"]
    world.oro.back_office.edit("contact", int(before.id), {"addresses": [{"id": work["id"]}]})
    gone = {"addresses": {"update": {home["id"]: {"attributes": {"city": "X"}}}}}
    both = {**gone, "attributes": {"jobTitle": "X"}}
    assert isinstance(world.write(side, "update", Entity.CONTACT, both, before), RecordChanged)
    assert isinstance(world.write(side, "update", Entity.CONTACT, gone, before), RecordMissing)


def test_more_addresses_than_a_relation_shows_are_not_lost_by_a_change_of_several(world: World) -> None:
    side = world.side()
    many = [{"street": f"{n} St", "city": "C", "postalCode": "1", "country": "US"} for n in range(105)]
    before = read(side, Entity.CONTACT, person(world, addresses=many))
    last = before.body["addresses"][104]["id"]
    patch = {"attributes": {"jobTitle": "X"},
             "addresses": {"create": [NEW], "update": {last: {"attributes": {"city": "Z"}}},
                           "delete": [before.body["addresses"][0]["id"]]}}  # fmt: skip
    item = world.write(side, "update", Entity.CONTACT, patch, before).item
    assert len(item.body["addresses"]) == 105
    assert item.body["addresses"][103]["attributes"]["city"] == "Z"


@pytest.mark.parametrize(("patch", "field"), [
    ({"attributes": {"jobTitle": "x" * 256}}, "jobTitle"),
    ({"attributes": {"firstName": "x" * 101}}, "firstName"),
    ({"attributes": {"phones": [{"phone": "1" * 256}], "primaryPhone": "1"}}, "phones"),
    ({"addresses": {"create": [{**NEW, "attributes": {"street": "x" * 501}}]}}, "addresses.street"),
])  # fmt: skip
def test_an_over_long_value_is_refused_before_it_is_sent(world: World, patch: Any, field: str) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    world.oro.forget_requests()
    for refused in (world.write(side, "update", Entity.CONTACT, patch, before),
                    world.write(side, "create", Entity.CONTACT, patch)):  # fmt: skip
        assert isinstance(refused, RecordRefused)
        assert field in refused.message
        assert "xxx" not in refused.message
    assert world.requests() == []


def test_a_value_the_database_refuses_was_certainly_not_stored(world: World) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    body = {"errors": [{"status": "500", "title": "driver exception"}]}
    world.oro.fail_next("PATCH", "contacts", 500, body)
    refused = world.write(side, "update", Entity.CONTACT, {"attributes": {"jobTitle": "X"}}, before)
    assert isinstance(refused, RecordRefused)
    assert (refused.code, refused.status) == ("driver exception", 500)


@pytest.mark.parametrize(("patch", "field", "code"), [
    ({"attributes": {"birthday": "yesterday"}}, "birthday", "date constraint"),
    ({"attributes": {"emails": [{"email": "no address"}], "primaryEmail": "no address"}}, "emails", ""),
    ({"attributes": {"nickname": "Amazing"}}, "extra fields", "extra fields constraint"),
    ({"attributes": {"primaryEmail": None}}, "primary", ""),
    ({"addresses": {"create": [{**NEW, "country": None}]}}, "country", ""),
])  # fmt: skip
def test_a_refusal_names_the_field_and_not_the_value(world: World, patch: Any, field: str, code: str) -> None:
    side = world.side()
    before = read(side, Entity.CONTACT, person(world))
    refused = world.write(side, "update", Entity.CONTACT, patch, before)
    assert isinstance(refused, RecordRefused), refused
    assert field in refused.message
    assert not {"yesterday", "no address", "nickname", "Amazing"} & set(refused.message.split('"'))
    assert "no address" not in refused.message
    assert refused.status == 400
    if code:
        assert refused.code


# tasks


@pytest.mark.parametrize("present", ["open", "in_progress", "closed"])
@pytest.mark.parametrize("wish", ["open", "in_progress", "closed"])
@pytest.mark.parametrize("active", [True, False])
def test_a_status_arrives_with_and_without_workflow(world: World, present: str, wish: str, active: bool) -> None:
    world.oro.back_office.set_workflow_active(active=active)
    number = world.oro.back_office.create("task", {"subject": "Call", "status": present})
    side = world.side()
    before = read(side, Entity.TASK, number)
    patch = {"attributes": {"subject": "Call back"}, "relationships": {"taskPriority": "high"}, "status": wish}
    item = world.write(side, "update", Entity.TASK, patch, before).item
    assert (item.body["status"], item.body["taskPriority"]) == (wish, "high")
    assert item.body["attributes"]["subject"] == "Call back"
    assert read(side, Entity.TASK, number).version == item.version


@pytest.mark.parametrize("wish", ["open", "in_progress", "closed"])
@pytest.mark.parametrize("active", [True, False])
def test_a_task_is_born_with_its_status(world: World, wish: str, active: bool) -> None:
    world.oro.back_office.set_workflow_active(active=active)
    side = world.side()
    patch = {"attributes": {"subject": "Call"}, "relationships": {"taskPriority": "normal"}, "status": wish}
    item = world.write(side, "create", Entity.TASK, patch).item
    assert item.body["status"] == wish
    assert len(world.oro.tasks()) == 1


def test_the_workflow_is_learnt_once(world: World) -> None:
    ids = [world.oro.back_office.create("task", {"subject": "A"}) for _ in range(2)]
    side = world.side()
    side.use({**side.facts, "workflow_active": None})
    items = [read(side, Entity.TASK, number) for number in ids]
    asked = []
    for item in items:
        world.oro.forget_requests()
        world.write(side, "update", Entity.TASK, {"status": "closed"}, item)
        asked.append(len(world.requests()))
    assert asked == [4, 3], "the second time the PATCH that fails is not tried"
    assert side.facts["workflow_active"] is True


def test_a_task_older_than_the_workflow_is_written_freely(world: World) -> None:
    world.oro.back_office.set_workflow_active(active=False)
    number = world.oro.back_office.create("task", {"subject": "A", "status": "closed"})
    world.oro.back_office.set_workflow_active(active=True)
    side = world.side()
    side.use({**side.facts, "workflow_active": True})
    item = world.write(side, "update", Entity.TASK, {"status": "open"}, read(side, Entity.TASK, number)).item
    assert item.body["status"] == "open"


def test_a_transition_that_is_not_allowed_is_reported_and_the_next_reading_shows_the_rest(world: World) -> None:
    number = world.oro.back_office_as("rita").create("task", {"subject": "A"})
    side = world.side("rita")
    before = read(side, Entity.TASK, number)
    body = {"message": 'Transition "close" is not allowed.'}
    world.oro.fail_next("POST", "workflow/transit", 403, body)
    patch = {"attributes": {"subject": "B"}, "status": "closed"}
    refused = world.write(side, "update", Entity.TASK, patch, before)
    assert isinstance(refused, RecordRefused)
    assert (refused.code, "status" in refused.message) == ("forbidden", True)
    after = read(side, Entity.TASK, number)
    assert (after.body["attributes"]["subject"], after.body["status"]) == ("B", "open")
    assert world.write(side, "update", Entity.TASK, {"status": "closed"}, after).item.body["status"] == "closed"


def test_a_new_task_whose_status_is_refused_is_taken_back(world: World) -> None:
    side = world.side()
    world.oro.fail_next("POST", "workflow/transit", 403, {"message": "no"})
    patch = {"attributes": {"subject": "A"}, "relationships": {"taskPriority": "normal"}, "status": "closed"}
    assert isinstance(world.write(side, "create", Entity.TASK, patch), RecordRefused)
    assert world.oro.tasks() == []


def test_a_status_moved_meanwhile_asks_for_a_new_plan(world: World) -> None:
    number = world.oro.back_office.create("task", {"subject": "A"})
    side = world.side()
    side.use({**side.facts, "workflow_active": True})
    before = read(side, Entity.TASK, number)
    world.oro.back_office.transit(number, "close")
    assert isinstance(world.write(side, "update", Entity.TASK, {"status": "in_progress"}, before), RecordChanged)


def test_a_status_that_is_the_same_already_is_not_written(world: World) -> None:
    number = world.oro.back_office.create("task", {"subject": "A"})
    side = world.side()
    before = read(side, Entity.TASK, number)
    world.oro.forget_requests()
    world.write(side, "update", Entity.TASK, {"attributes": {"subject": "B"}, "status": "open"}, before)
    assert len(world.requests()) == 1


# events


def test_an_event_is_created_in_the_own_calendar_and_read_back_whole(world: World) -> None:
    side = world.side("bob")
    item = world.write(side, "create", Entity.EVENT, {"title": "A", **TIMES}).item
    assert item.container == str(world.oro.calendar_of("bob"))
    assert item.body["start"] == "2026-12-03T09:00:00+00:00"
    assert item.body["uid"] == "00000000-0000-4000-8000-000000000001", "the op's own number, to be found again"
    assert world.oro.orphan_events() == []
    assert read(side, Entity.EVENT, item.id).version == item.version


def test_a_calendar_in_the_patch_counts_for_nothing(world: World) -> None:
    side = world.side()
    item = world.write(side, "create", Entity.EVENT, {"title": "A", "calendar": 9999, **TIMES}).item
    assert item.container == side.facts["calendar_id"]
    moved = world.write(side, "update", Entity.EVENT, {"title": "B", "calendar": 9999}, item).item
    assert moved.container == side.facts["calendar_id"]


def test_no_orphan_is_left_when_the_calendar_is_gone(world: World) -> None:
    side = world.side()
    side.use({**side.facts, "calendar_id": "9999"})
    refused = world.write(side, "create", Entity.EVENT, {"title": "A", **TIMES})
    assert isinstance(refused, RecordRefused)
    assert "calendar" in refused.message
    assert world.oro.events() == []


@pytest.mark.parametrize("patch", [
    {"title": "A", "start": "2026-12-03T09:00:00+01:00", "end": "2026-12-03T10:00:00Z"},
    {"title": "A", "start": "2026-12-03T09:00:00", "end": "2026-12-03T10:00:00Z"},
    {"title": "A", **TIMES, "recurrence": {"startTime": "2026-12-03T09:00:00+01:00"}},
    {"title": "A", **TIMES, "attendees": []},
    {"title": "A", **TIMES, "uid": "x" * 37},
    {"title": "A" * 256, **TIMES},
])  # fmt: skip
def test_what_orocrm_would_take_wrongly_is_never_sent(world: World, patch: Any) -> None:
    side = world.side()
    assert isinstance(world.write(side, "create", Entity.EVENT, patch), RecordRefused)
    assert world.requests() == []


def test_a_received_invitation_is_not_written_and_not_deleted(world: World) -> None:
    world.oro.back_office.create("event", {
        "title": "A", **TIMES,
        "attendees": [{"displayName": "Bob", "email": "bob@example.com", "status": "none", "type": "required"}],
    })  # fmt: skip
    side = world.side("bob")
    (row,) = world.oro.events(world.oro.calendar_of("bob"))
    child = read(side, Entity.EVENT, row["id"])
    world.oro.forget_requests()
    for verb in ("update", "delete"):
        refused = world.write(side, verb, Entity.EVENT, {"title": "B"}, child)
        assert isinstance(refused, RecordRefused)
        assert refused.code == "read_only"
    assert world.requests() == []
    assert world.oro.mails == []


def test_an_update_keeps_what_it_does_not_name_and_mails_nobody(world: World) -> None:
    number = world.oro.back_office.create("event", {
        "title": "A", "description": "<p>Agenda</p>", "backgroundColor": "#FF0000", **TIMES,
        "attendees": [{"displayName": "Bob", "email": "bob@example.com", "status": "none", "type": "required"}],
    })  # fmt: skip
    side = world.side()
    item = world.write(side, "update", Entity.EVENT, {"title": "B"}, read(side, Entity.EVENT, number)).item
    assert (item.body["title"], item.body["description"]) == ("B", "<p>Agenda</p>")
    assert "bob@example.com" in [each["email"] for each in item.body["attendees"]]
    assert world.oro.mails == []


def test_a_uid_that_is_taken_asks_for_a_new_plan(world: World) -> None:
    side = world.side()
    uid = "0b7d6c52-5f3e-4c53-9d9e-3a1d4a7f0001"
    world.write(side, "create", Entity.EVENT, {"title": "A", "uid": uid, **TIMES})
    again = world.write(side, "create", Entity.EVENT, {"title": "A", "uid": uid, **TIMES})
    assert isinstance(again, RecordChanged)
    assert again.code == "uid_taken"
    assert len(world.oro.events()) == 1


def test_an_event_that_cannot_be_read_back_has_an_unknown_outcome(world: World) -> None:
    side = world.side()
    world.oro.fail_next("GET", "calendarevents/", 500, times=2)
    assert isinstance(world.write(side, "create", Entity.EVENT, {"title": "A", **TIMES}), OutcomeUnknown)
    assert len(world.oro.events()) == 1


# all of them

KINDS = pytest.mark.parametrize(("entity", "kind", "values", "patch"), [
    (Entity.CONTACT, "contact", {"firstName": "A"}, {"attributes": {"firstName": "B"}}),
    (Entity.TASK, "task", {"subject": "A"}, {"attributes": {"subject": "B"}}),
    (Entity.EVENT, "event", {"title": "A", **TIMES}, {"title": "B"}),
])  # fmt: skip
CREATE = {
    Entity.CONTACT: {"attributes": {"firstName": "N"}},
    Entity.TASK: {"attributes": {"subject": "N"}, "relationships": {"taskPriority": "normal"}, "status": "open"},
    Entity.EVENT: {"title": "N", **TIMES},
}


@KINDS
def test_deleting_what_is_gone_is_fine_and_updating_it_is_not(world: World, entity, kind, values, patch) -> None:
    side = world.side()
    item = read(side, entity, world.oro.back_office.create(kind, values))
    assert world.write(side, "delete", entity, item=item) == Written(None)
    assert world.write(side, "delete", entity, item=item) == Written(None)
    assert isinstance(world.write(side, "update", entity, patch, item), RecordMissing)


@KINDS
def test_while_the_api_is_off_a_delete_does_not_pass_for_done(world: World, entity, kind, values, patch) -> None:
    side = world.side()
    item = read(side, entity, world.oro.back_office.create(kind, values))
    world.oro.settings.web_api_enabled = False
    for verb in ("delete", "update"):
        assert isinstance(world.write(side, verb, entity, patch, item), AccountBlocked)


@KINDS
@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_an_unknown_outcome_and_nothing_is_sent_twice(
    world: World, entity, kind, values, patch, applied
) -> None:
    side = world.side()
    world.oro.fail_next("POST", "/api/", None, applied=applied)
    assert isinstance(world.write(side, "create", entity, CREATE[entity]), OutcomeUnknown)
    assert len(world.requests()) == 1


@KINDS
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_after_a_write_is_an_unknown_outcome(world: World, entity, kind, values, patch, status) -> None:
    side = world.side()
    world.oro.fail_next("POST", "/api/", status)
    assert isinstance(world.write(side, "create", entity, CREATE[entity]), OutcomeUnknown)
    assert len(world.requests()) == 1


@KINDS
def test_a_garbled_answer_to_a_write_is_an_unknown_outcome(world: World, entity, kind, values, patch) -> None:
    side = world.side()
    world.oro.malformed_next("/api/", "html")
    assert isinstance(world.write(side, "create", entity, CREATE[entity]), OutcomeUnknown)


@KINDS
def test_a_pause_asked_for_is_certainly_not_applied(world: World, entity, kind, values, patch) -> None:
    side = world.side()
    world.oro.fail_next("POST", "/api/", 429, headers={"Retry-After": "7"})
    paused = world.write(side, "create", entity, CREATE[entity])
    assert isinstance(paused, Throttled)
    assert paused.retry_after_s == 7
    assert world.pauses == []


@KINDS
def test_a_write_that_was_answered_with_unavailable_may_be_applied_and_the_side_rests(
    world: World, entity, kind, values, patch
) -> None:
    side = world.side()
    world.oro.fail_next("POST", "/api/", 503, headers={"Retry-After": "7"})
    unknown = world.write(side, "create", entity, CREATE[entity])
    assert isinstance(unknown, OutcomeUnknown)
    assert isinstance(unknown.pause, Throttled)
    assert unknown.pause.retry_after_s == 7
    assert world.pauses == []


@KINDS
def test_missing_permissions_are_told_apart(world: World, entity, kind, values, patch) -> None:
    side = world.side("bob")
    item = read(side, entity, world.oro.back_office_as("bob").create(kind, values))
    for action in ("create", "edit", "delete"):
        world.oro.set_permission("bob", kind, action, "none")
    for result in (world.write(side, "create", entity, CREATE[entity]),
                   world.write(side, "update", entity, patch, item),
                   world.write(side, "delete", entity, item=item)):  # fmt: skip
        assert isinstance(result, (RecordRefused, EntityForbidden)), result
        if isinstance(result, RecordRefused):
            assert result.code == "forbidden"


@KINDS
def test_a_key_withdrawn_under_way_suspends_and_nothing_is_raised(world: World, entity, kind, values, patch) -> None:
    side = world.side()
    world.oro.user("admin").api_key = "0" * 40
    assert isinstance(world.write(side, "create", entity, CREATE[entity]), SignInNeeded)


def test_several_writes_are_under_way_at_once_and_each_has_its_own_result(world: World) -> None:
    side = world.side(at_once=4)
    guard, four_met = threading.Condition(), threading.Event()
    under_way, most, handle = 0, 0, world.oro.handle

    def meeting(asked: Any) -> Any:
        nonlocal under_way, most
        if asked.method != "POST":
            return handle(asked)
        with guard:
            under_way += 1
            most = max(most, under_way)
            if under_way == 4:
                four_met.set()
        assert four_met.wait(20), "they came one after the other"
        answer = handle(asked)
        with guard:
            under_way -= 1
        return answer

    world.oro.handle = meeting  # type: ignore[method-assign]
    names = ["Ada", "x" * 300, "Cem", "Dan", "Eve"]  # the second is refused before it is sent
    patches = [{"attributes": {"firstName": name, "lastName": "Hopper"}} for name in names]
    results = side.write([Write(f"op-{n}", "create", Entity.CONTACT, patch) for n, patch in enumerate(patches)])
    assert most == 4
    assert isinstance(results.pop("op-1"), RecordRefused)
    made = {op: result.item.body["attributes"]["firstName"] for op, result in results.items()}
    assert made == {"op-0": "Ada", "op-2": "Cem", "op-3": "Dan", "op-4": "Eve"}


def test_a_task_that_was_made_and_can_be_moved_on_no_more_is_of_unknown_outcome(world: World) -> None:
    denied = {"errors": [{"status": "403", "title": "access denied", "detail": "No access to this type of entities."}]}
    world.oro.fail_next("GET", "/api/rest/latest/tasks/", 403, denied)
    side = world.side()
    patch = {"attributes": {"subject": "A"}, "relationships": {"taskPriority": "normal"}, "status": "closed"}
    write = Write("op-1", "create", Entity.TASK, patch)
    assert isinstance(side.write([write])["op-1"], OutcomeUnknown)
    assert len(world.oro.tasks()) == 1


def test_a_task_that_gets_neither_its_status_nor_is_taken_back_is_of_unknown_outcome(world: World) -> None:
    world.oro.fail_next("POST", "workflow/transit", 403, {"message": "no"})
    world.oro.fail_next("DELETE", "/api/tasks/", 403, {"errors": [{"status": "403", "title": "access denied"}]})
    patch = {"attributes": {"subject": "A"}, "relationships": {"taskPriority": "normal"}, "status": "closed"}
    result = world.side().write([Write("op-1", "create", Entity.TASK, patch)])["op-1"]
    assert isinstance(result, OutcomeUnknown)
    assert [task["status"] for task in world.oro.tasks()] == ["open"]
