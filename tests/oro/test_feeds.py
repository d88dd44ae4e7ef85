"""Change feeds of the OroCRM side against the simulated OroCRM: few requests, nothing lost, nothing made up."""

from __future__ import annotations

import json

import pytest
from flask import request
from tests.oro.conftest import Reader, World

from orosync.core.exchange import FeedRequest
from orosync.core.records import Entity
from orosync.errors import CursorExpired, EntityForbidden, SideFailing
from orosync.oro.feed import PageSizes

SMALL = PageSizes(head=3, walk=4, read=3)
BOTH = pytest.mark.parametrize(("entity", "kind", "name"), [
    (Entity.CONTACT, "contact", "firstName"), (Entity.TASK, "task", "subject"),
])  # fmt: skip


def make(world: World, kind: str, count: int, name: str) -> list[str]:
    made = []
    for number in range(count):
        made.append(str(world.oro.back_office.create(kind, {name: f"Record {number}"})))
        world.clock.forward(seconds=1)
    return made


@BOTH
def test_the_first_reading_brings_everything_whole_with_the_count(world, entity, kind, name):
    ids = make(world, kind, 10, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    seen = reader.poll()
    assert [each.id for each in seen] == ids
    assert reader.total == 10
    assert all(each.item and each.item.version == each.version for each in seen)


@BOTH
def test_an_idle_poll_is_one_request_and_brings_nothing(world, entity, kind, name):
    make(world, kind, 10, name)
    side = world.side(sizes=SMALL)
    reader = Reader(side, entity)
    reader.poll()
    world.oro.forget_requests()
    for _ in range(3):
        assert reader.poll() == []
        assert len(world.requests()) == 1
    assert reader.total == 10


@BOTH
def test_a_change_arrives_in_the_same_single_request_with_its_content(world, entity, kind, name):
    ids = make(world, kind, 10, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    world.clock.forward(hours=1)
    world.oro.back_office.edit(kind, int(ids[0]), {name: "Changed"})
    world.oro.forget_requests()
    (seen,) = reader.poll()
    assert (seen.id, seen.item.body["attributes"][name]) == (ids[0], "Changed")
    assert len(world.requests()) == 1
    assert reader.poll() == []


@BOTH
def test_more_changes_than_the_newest_rows_show_are_walked_to_the_end(world, entity, kind, name):
    reader = Reader(world.side(sizes=SMALL), entity)
    make(world, kind, 2, name)
    reader.poll()
    world.clock.forward(hours=1)
    ids = make(world, kind, 11, name)
    assert sorted(reader.ids(), key=int) == ids
    assert reader.poll() == []


@BOTH
def test_more_changes_in_one_second_than_a_page_holds_are_all_met(world, entity, kind, name):
    make(world, kind, 1, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    world.clock.forward(hours=1)
    ids = [str(world.oro.back_office.create(kind, {name: f"At once {n}"})) for n in range(13)]
    world.clock.forward(seconds=2)
    ids += make(world, kind, 2, name)
    assert sorted(set(reader.ids()), key=int) == ids


@BOTH
def test_rows_that_move_under_the_walk_are_not_lost(world, entity, kind, name):
    make(world, kind, 1, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    world.clock.forward(hours=1)
    ids = make(world, kind, 12, name)
    turn = iter(ids)

    def somebody_edits() -> None:
        world.clock.forward(seconds=1)
        world.oro.back_office.edit(kind, int(next(turn)), {name: "Edited under way"})

    seen = reader.poll(between=somebody_edits)
    seen += reader.poll()
    assert {each.id for each in seen} == set(ids)
    last = {each.id: each.item.body["attributes"][name] for each in seen}
    assert [last[number] for number in ids].count("Edited under way") == len(ids) - len(list(turn))


@BOTH
def test_a_second_edit_within_the_same_second_is_seen(world, entity, kind, name):
    (number,) = make(world, kind, 1, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    world.clock.forward(hours=1)
    world.oro.back_office.edit(kind, int(number), {name: "First"})
    assert reader.ids() == [number]
    world.oro.back_office.edit(kind, int(number), {name: "Second, same second"})
    assert reader.ids() == [number]
    assert reader.ids() == []


@BOTH
def test_a_commit_that_comes_late_with_an_earlier_time_is_seen(world, entity, kind, name):
    ids = make(world, kind, 6, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    newest = world.clock.time
    world.clock.time = newest.replace(minute=newest.minute) - (newest - newest.replace(second=2))
    late = str(world.oro.back_office.create(kind, {name: "Late"}))
    world.clock.time = newest
    assert late in reader.ids()
    assert late not in ids


def carried(reader) -> int:
    """How many records the position in the feed names."""
    return len(json.loads(reader.cursor)["seen"])


@BOTH
def test_an_import_is_carried_along_only_while_an_earlier_change_may_yet_appear(world, entity, kind, name):
    reader = Reader(world.side(sizes=SMALL), entity)
    make(world, kind, 30, name)
    assert len(reader.ids()) == 30
    assert carried(reader) == 30
    world.clock.forward(minutes=9)
    assert reader.ids() == []
    assert carried(reader) == 30
    world.clock.forward(minutes=2)
    assert reader.ids() == []
    assert carried(reader) == 1, "the newest alone: another may come in its second"
    world.clock.forward(hours=5)
    assert reader.ids() == []
    changed = make(world, kind, 3, name)
    assert sorted(reader.ids()) == changed
    assert carried(reader) <= 4


@BOTH
def test_without_the_time_in_oros_answers_everything_within_the_overlap_stays_known(world, entity, kind, name):
    world.app.after_request(without_date)
    reader = Reader(world.side(sizes=SMALL), entity)
    make(world, kind, 30, name)
    assert len(reader.ids()) == 30
    world.clock.forward(hours=1)
    assert reader.ids() == []
    assert carried(reader) == 30


def without_date(response):
    del response.headers["Date"]
    return response


@BOTH
def test_a_few_changes_soon_after_an_import_are_met_without_reading_it_all_again(world, entity, kind, name):
    reader = Reader(world.side(sizes=PageSizes(head=3, walk=10, read=3)), entity)
    ids = make(world, kind, 60, name)
    assert len(reader.ids()) == 60
    world.oro.forget_requests()
    for number in (ids[7], ids[30], ids[41], ids[59], ids[2]):
        world.clock.forward(seconds=1)
        world.oro.back_office.edit(kind, int(number), {name: "Edited"})
    assert sorted(reader.ids(), key=int) == [ids[2], ids[7], ids[30], ids[41], ids[59]]
    assert len(world.requests()) == 2
    assert reader.ids() == []


@BOTH
def test_a_second_edit_within_the_newest_second_is_seen_after_any_time(world, entity, kind, name):
    (number,) = make(world, kind, 1, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    assert reader.ids() == [number]
    world.clock.forward(hours=1)
    assert reader.ids() == []
    world.clock.forward(hours=-1)  # a node that is behind: its edit gets the second of the newest one
    world.oro.back_office.edit(kind, int(number), {name: "Second, same second"})
    world.clock.forward(hours=1)
    assert reader.ids() == [number]
    assert reader.ids() == []


@BOTH
def test_a_deletion_shows_in_the_count_alone(world, entity, kind, name):
    ids = make(world, kind, 5, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    world.oro.back_office.delete(kind, int(ids[2]))
    assert reader.ids() == []
    assert reader.total == 4


@BOTH
def test_a_sweep_walks_by_id_and_survives_deletions_under_way(world, entity, kind, name):
    ids = make(world, kind, 12, name)
    reader = Reader(world.side(sizes=SMALL), entity)
    reader.poll()
    gone: list[str] = []

    def somebody_deletes() -> None:
        gone.append(ids[len(gone)])
        world.oro.back_office.delete(kind, int(gone[-1]))

    seen = reader.ids(full=True, between=somebody_deletes)
    assert set(seen) >= set(ids) - set(gone), "a row slipped through when others went away before it"


@BOTH
def test_what_changes_behind_a_sweep_is_in_the_next_poll(world, entity, kind, name):
    ids = make(world, kind, 9, name)
    reader = Reader(world.side(sizes=SMALL), entity)

    def first_is_edited() -> None:
        world.clock.forward(minutes=10)
        world.oro.back_office.edit(kind, int(ids[0]), {name: f"Edited at {world.clock.time}"})
        world.oro.back_office.edit(kind, int(ids[8]), {name: f"Edited at {world.clock.time}"})

    reader.poll(full=True, between=first_is_edited)
    assert ids[0] in reader.ids()


@pytest.mark.parametrize("dated", [True, False])
@BOTH
def test_what_changes_behind_the_first_page_before_the_newest_change_is_known_is_in_the_next_poll(
    world, entity, kind, name, dated
):
    if not dated:
        world.app.after_request(without_date)
    ids = make(world, kind, 9, name)
    edited: list[str] = []

    def first_is_edited(response):
        if request.args.get("sort") == "id" and not edited:
            for number in (ids[0], ids[8]):
                world.clock.forward(minutes=10)
                world.oro.back_office.edit(kind, int(number), {name: "Edited"})
                edited.append(number)
        return response

    world.app.after_request(first_is_edited)
    reader = Reader(world.side(sizes=SMALL), entity)
    seen = {each.id: each for each in reader.poll(full=True)}
    seen |= {each.id: each for each in reader.poll()}
    assert list(seen) == ids
    assert edited
    assert seen[ids[0]].item.body["attributes"][name] == "Edited"


@BOTH
def test_an_instance_that_hands_out_small_pages_is_read_to_the_end(world, entity, kind, name):
    ids = make(world, kind, 9, name)
    world.oro.settings.max_page_size = 2
    side = world.side(sizes=SMALL)
    reader = Reader(side, entity)
    assert reader.ids() == ids
    found = side.read(entity, ids)
    assert list(found) == ids
    world.clock.forward(hours=1)
    for number in ids:
        world.oro.back_office.edit(kind, int(number), {name: "Changed"})
    assert set(reader.ids()) == set(ids)


def test_the_total_header_is_asked_for_with_a_semicolon_and_times_with_one_operator(world):
    make(world, "contact", 9, "firstName")
    reader = Reader(world.side(sizes=SMALL), Entity.CONTACT)
    reader.poll()
    world.clock.forward(hours=1)
    make(world, "contact", 9, "firstName")
    world.oro.forget_requests()
    reader.poll()
    assert world.oro.request_log
    for each in world.logged():
        assert each.headers["x-include"] == "totalCount;noHateoas"
        assert each.path.count("updatedAt%5D") <= 1


@pytest.mark.parametrize("values", [
    {"emails": ["new@example.com"]}, {"phones": ["+1 555 0100"]},
])  # fmt: skip
def test_lists_written_by_another_api_client_move_no_time_and_are_found_by_the_sweep(world, values):
    (number,) = make(world, "contact", 1, "firstName")
    world.clock.forward(hours=1)
    make(world, "contact", 1, "firstName")
    reader = Reader(world.side(), Entity.CONTACT)
    before, _ = reader.poll()
    world.oro.api_client_edit("contact", int(number), values)
    assert reader.ids() == [], "the trap of the recordings: updatedAt stays"
    after, _ = reader.poll(full=True)
    assert after.version != before.version


def test_an_address_written_by_another_api_client_is_found_by_the_sweep(world):
    number = world.oro.back_office.create(
        "contact", {"firstName": "A", "addresses": [{"street": "1 Main St", "city": "Albany", "country": "US",
                                                     "postalCode": "1"}]},
    )  # fmt: skip
    world.clock.forward(hours=1)
    make(world, "contact", 1, "firstName")
    reader = Reader(world.side(), Entity.CONTACT)
    before, _ = reader.poll()
    world.oro.api_client_edit_address(world.oro.contact(number)["addresses"][0]["id"], {"city": "Troy"})
    assert reader.ids() == []
    after, _ = reader.poll(full=True)
    assert (before.version != after.version, after.item.body["addresses"][0]["attributes"]["city"]) == (True, "Troy")


def test_updated_at_alone_makes_no_new_version(world):
    (number,) = make(world, "contact", 1, "firstName")
    reader = Reader(world.side(), Entity.CONTACT)
    (before,) = reader.poll()
    world.clock.forward(hours=1)
    world.oro.back_office.edit("contact", int(number), {"firstName": "Other"})
    world.clock.forward(hours=1)
    world.oro.back_office.edit("contact", int(number), {"firstName": "Record 0"})
    (after,) = reader.poll()
    assert after.version == before.version, "the run sees by it that nothing is different"
    (after,) = reader.poll(full=True)
    assert after.version == before.version
    assert after.item.body["attributes"]["updatedAt"] != before.item.body["attributes"]["updatedAt"]


def test_own_scope_lists_and_counts_the_users_own_records_only(world):
    mine = str(world.oro.back_office_as("bob").create("contact", {"firstName": "Mine"}))
    theirs = str(world.oro.back_office.create("contact", {"firstName": "Theirs"}))
    reader = Reader(world.side("bob", "owned"), Entity.CONTACT)
    assert (reader.ids(), reader.total) == ([mine], 1)
    assert Reader(world.side("bob"), Entity.CONTACT).ids() == [mine, theirs]


# events


def event(world: World, title: str = "Meeting", **more: object) -> int:
    values = {"title": title, "start": "2026-12-03T09:00:00Z", "end": "2026-12-03T10:00:00Z", **more}
    made: int = world.oro.back_office.create("event", values)
    return made


def test_an_idle_poll_of_events_is_two_requests(world):
    ids = [str(event(world)) for _ in range(30)]
    reader = Reader(world.side(), Entity.EVENT)
    assert sorted(reader.ids(), key=int) == ids
    world.clock.forward(hours=1)
    world.oro.forget_requests()
    assert reader.poll() == []
    asked = world.requests()
    assert len(asked) == 2
    assert reader.total == 30
    assert "updatedAt" in asked[0]


def test_all_events_come_in_one_page_however_many_since_pages_repeat_and_lose_some(world):
    ids = {str(event(world, f"Event {n}")) for n in range(260)}
    world.oro.settings.unstable_paging = True
    side = world.side()
    seen = Reader(side, Entity.EVENT).ids()
    assert len(seen) == 260
    assert set(seen) == ids
    assert all("page=1&" in path for path in world.requests())


def test_a_list_of_events_that_contradicts_its_count_is_not_believed(world):
    event(world)
    side = world.side()
    row = '[{"id": 1}, {"id": 1}]'
    world.oro.fail_next(
        "GET", "calendarevents", 200, body=row, times=9,
        headers={"X-Include-Total-Count": "2", "Content-Type": "application/json"},
    )  # fmt: skip
    (page,) = side.pages([FeedRequest(Entity.EVENT, None, full=True)])
    assert isinstance(page, SideFailing)


def test_a_changed_event_arrives_and_is_known_afterwards(world):
    ids = [event(world) for _ in range(3)]
    reader = Reader(world.side(), Entity.EVENT)
    reader.poll()
    world.clock.forward(hours=1)
    world.oro.back_office.edit("event", ids[1], {"title": "Moved"})
    (seen,) = reader.poll()
    assert (seen.id, seen.item.body["title"]) == (str(ids[1]), "Moved")
    assert reader.poll() == []


RULE = {"recurrenceType": "weekly", "interval": 1, "dayOfWeek": ["thursday"], "timeZone": "UTC",
        "startTime": "2026-12-03T09:00:00Z", "occurrences": 5}  # fmt: skip


def test_an_exception_is_a_sighting_of_its_series_and_no_record_of_its_own(world):
    series = event(world, recurrence=RULE)
    reader = Reader(world.side(), Entity.EVENT)
    assert reader.ids() == [str(series)]
    world.clock.forward(hours=1)
    event(world, "Later once", recurringEventId=series, originalStart="2026-12-10T09:00:00Z",
          start="2026-12-10T15:00:00Z", end="2026-12-10T16:00:00Z")  # fmt: skip
    assert reader.ids() == [str(series)]
    assert (reader.total, reader.ids()) == (1, [])
    assert (reader.ids(full=True), reader.total) == ([str(series)], 1)


def test_orphan_and_cancelled_events_and_other_peoples_calendars_are_not_listed(world):
    mine = event(world)
    series = event(world, recurrence=RULE)
    event(world, recurringEventId=series, originalStart="2026-12-10T09:00:00Z", isCancelled=True)
    event(world, calendar=world.oro.calendar_of("bob"))
    event(world, calendar=9999)
    reader = Reader(world.side(), Entity.EVENT)
    assert set(reader.ids()) == {str(mine), str(series)}
    assert reader.total == 2


def test_a_list_and_a_reading_of_an_event_give_the_same_version(world):
    event(world, recurrence=RULE, attendees=[{"displayName": "Bob", "email": "bob@example.com", "status": "none",
                                              "type": "required"}])  # fmt: skip
    side = world.side()
    (seen,) = Reader(side, Entity.EVENT).poll()
    found = side.read(Entity.EVENT, [seen.id])[seen.id]
    assert found.item.body == seen.item.body
    assert found.item.version == seen.version


# errors


def test_a_cursor_of_another_make_expires_and_the_other_entities_go_on(world):
    side = world.side()
    first, second = side.pages([FeedRequest(Entity.CONTACT, "{}"), FeedRequest(Entity.TASK, None)])
    assert isinstance(first, CursorExpired)
    assert second.last


def test_an_entity_without_permission_fails_alone(world):
    side = world.side("bob")
    world.oro.set_permission("bob", "task", "*", "none")
    contact, task = side.pages([FeedRequest(Entity.CONTACT, None), FeedRequest(Entity.TASK, None)])
    assert contact.last
    assert isinstance(task, EntityForbidden)
    assert task.entity == "task"
    assert "administrator" in task.remedy
