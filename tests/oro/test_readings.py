"""Readings and look-ups of the OroCRM side: deleted, out of sight and elsewhere are three different things."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.oro.conftest import World

from orosync.core.exchange import Found, Lookup, NotReadable, NotThere
from orosync.core.records import Entity
from orosync.errors import AccountBlocked, EntityForbidden
from orosync.oro.auth import Grant, OAuth
from orosync.oro.feed import PageSizes

TIMES = {"start": "2026-12-03T09:00:00Z", "end": "2026-12-03T10:00:00Z"}


def test_many_contacts_are_read_in_hundreds(world: World) -> None:
    ids = [str(world.oro.back_office.create("contact", {"firstName": f"N{n}"})) for n in range(250)]
    side = world.side()
    found = side.read(Entity.CONTACT, ids)
    assert [found[number].item.body["attributes"]["firstName"] for number in ids[:3]] == ["N0", "N1", "N2"]
    assert len(world.requests()) == 3


def test_an_item_has_addresses_with_country_region_and_types(world: World) -> None:
    number = world.oro.back_office.create("contact", {
        "firstName": "A", "emails": ["a@example.com", "b@example.com"],
        "addresses": [{"street": "1 Main St", "city": "Albany", "postalCode": "1", "country": "US", "region": "US-NY",
                       "types": ["billing"]}],
    })  # fmt: skip
    item = world.side().read(Entity.CONTACT, [str(number)])[str(number)].item
    assert item.body["owner"] == "1"
    assert item.body["attributes"]["emails"] == [{"email": "a@example.com"}, {"email": "b@example.com"}]
    (address,) = item.body["addresses"]
    assert (address["country"], address["region"], address["types"]) == ("US", "US-NY", ["billing"])


def test_a_contact_with_more_addresses_than_a_relation_shows_is_read_whole(world: World) -> None:
    given = [{"street": f"{n} Main St", "city": "C", "postalCode": "1", "country": "US"} for n in range(105)]
    number = str(world.oro.back_office.create("contact", {"firstName": "A", "addresses": given}))
    item = world.side().read(Entity.CONTACT, [number])[number].item
    assert len(item.body["addresses"]) == 105


def test_another_events_answer_is_not_taken_for_the_one_that_was_asked_for(world: World) -> None:
    mine, other = (str(world.oro.back_office.create("event", {"title": name, **TIMES})) for name in "AB")
    side = world.side()
    world.oro.fail_next("GET", f"calendarevents/{mine}$", 200, {"id": int(other), "title": "B", "calendar": 1})
    assert isinstance(side.read(Entity.EVENT, [mine])[mine], NotReadable)
    found = side.read(Entity.EVENT, [mine])[mine]
    assert isinstance(found, Found)
    assert found.item.id == mine


@pytest.mark.parametrize(("entity", "kind", "values"), [
    (Entity.CONTACT, "contact", {"firstName": "A"}),
    (Entity.TASK, "task", {"subject": "A"}),
    (Entity.EVENT, "event", {"title": "A", **TIMES}),
])  # fmt: skip
@pytest.mark.parametrize("count", [1, 12])
def test_a_deleted_record_is_not_there_and_the_others_are(world: World, entity, kind, values, count) -> None:
    ids = [str(world.oro.back_office.create(kind, values)) for _ in range(count + 1)]
    side = world.side(sizes=PageSizes(read=5))
    world.oro.back_office.delete(kind, int(ids[0]))
    found = side.read(entity, ids)
    assert found[ids[0]] == NotThere()
    assert all(isinstance(found[number], Found) and not found[number].elsewhere for number in ids[1:])


@pytest.mark.parametrize(("entity", "kind", "values"), [
    (Entity.CONTACT, "contact", {"firstName": "A"}), (Entity.TASK, "task", {"subject": "A"}),
])  # fmt: skip
def test_a_record_that_changed_hands_is_out_of_sight_and_not_deleted(world: World, entity, kind, values) -> None:
    number = world.oro.back_office_as("rita").create(kind, values)
    side = world.side("rita")
    assert isinstance(side.read(entity, [str(number)])[str(number)], Found)
    world.oro.back_office.change_owner(kind, number, world.users["bob"])
    assert side.read(entity, [str(number)])[str(number)] == NotThere(forbidden=True)


def test_in_own_scope_a_visible_record_of_another_is_elsewhere(world: World) -> None:
    number = str(world.oro.back_office.create("contact", {"firstName": "A"}))
    assert world.side("bob", "owned").read(Entity.CONTACT, [number])[number].elsewhere
    assert not world.side("bob").read(Entity.CONTACT, [number])[number].elsewhere


@pytest.mark.parametrize("more", [0, 10])
def test_an_event_moved_to_another_calendar_is_elsewhere(world: World, more: int) -> None:
    ids = [world.oro.back_office.create("event", {"title": "A", **TIMES}) for _ in range(more + 1)]
    side = world.side()
    world.oro.back_office.change_owner("event", ids[0], world.users["bob"])
    found = side.read(Entity.EVENT, [str(number) for number in ids])
    assert found[str(ids[0])].elsewhere


def test_while_the_api_is_off_nothing_counts_as_deleted(world: World) -> None:
    contact = str(world.oro.back_office.create("contact", {"firstName": "A"}))
    event = str(world.oro.back_office.create("event", {"title": "A", **TIMES}))
    side = world.side()
    world.oro.settings.web_api_enabled = False
    for entity, number in ((Entity.CONTACT, contact), (Entity.EVENT, event)):
        with pytest.raises(AccountBlocked, match="Enable API"):
            side.read(entity, [number])
    assert not side.canary()


def test_an_entity_that_may_not_be_read_is_not_readable(world: World) -> None:
    number = str(world.oro.back_office.create("contact", {"firstName": "A"}))
    side = world.side("bob")
    world.oro.set_permission("bob", "contact", "*", "none")
    reading = side.read(Entity.CONTACT, [number])[number]
    assert isinstance(reading, NotReadable)
    assert isinstance(reading.error, EntityForbidden)
    assert side.canary()


def test_a_lost_create_is_looked_for_among_what_this_user_made_since(world: World) -> None:
    for kind, entity, values in (("contact", Entity.CONTACT, {"firstName": "A"}),
                                 ("task", Entity.TASK, {"subject": "A"})):  # fmt: skip
        world.oro.back_office_as("bob").create(kind, values)
        world.clock.forward(hours=1)
        since = world.clock.time
        other = world.oro.back_office_as("carol").create(kind, values)
        mine = [str(world.oro.back_office_as("bob").create(kind, values)) for _ in range(5)]
        found = world.side("bob", sizes=PageSizes(walk=2)).find(Lookup(entity, "op", since=since))
        assert [item.id for item in found] == mine
        assert str(other) not in mine


def test_clocks_that_are_apart_hide_no_lost_create(world: World) -> None:
    made = world.oro.back_office.create("task", {"subject": "A"})
    our_clock = world.clock.time + timedelta(minutes=5)
    assert [item.id for item in world.side().find(Lookup(Entity.TASK, "op", since=our_clock))] == [str(made)]


def test_a_lost_event_is_found_by_its_uid_without_the_exceptions_that_share_it(world: World) -> None:
    uid = "0b7d6c52-5f3e-4c53-9d9e-3a1d4a7f0001"
    rule = {"recurrenceType": "daily", "interval": 1, "timeZone": "UTC", "startTime": TIMES["start"],
            "occurrences": 3}  # fmt: skip
    series = world.oro.back_office.create("event", {"title": "A", "uid": uid, "recurrence": rule, **TIMES})
    world.oro.back_office.create("event", {"title": "B", "recurringEventId": series, "uid": uid,
                                           "originalStart": TIMES["start"], **TIMES})  # fmt: skip
    side = world.side()
    assert [item.id for item in side.find(Lookup(Entity.EVENT, "op", uid=uid))] == [str(series)]
    assert side.find(Lookup(Entity.EVENT, "00000000-0000-4000-8000-000000000000")) == []


def test_a_lost_contact_is_found_by_its_external_id_where_the_instance_has_it(world: World) -> None:
    world.oro.settings.version, world.oro.settings.contact_external_id = "7.0.2", True
    number, secret = world.oro.add_oauth_client(["client_credentials"], "admin")
    side = world.side(sign_in=OAuth(Grant("client_credentials", number, secret), now=world.clock))
    assert side.facts["contact_external_id"]
    written = world.write(side, "create", Entity.CONTACT, {"attributes": {"firstName": "A"}})
    op_id = written.item.body["attributes"]["externalId"]
    found = side.find(Lookup(Entity.CONTACT, op_id, external_id=op_id))
    assert [item.id for item in found] == [written.item.id]
