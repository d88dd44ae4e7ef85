"""Reading by id, in batches or from a listing, and finding what a create left behind (graph-api.md 1, 2, 7, 11)."""

from datetime import timedelta

import pytest
from tests.outlook.driving import CONTACT, EVENT, TASK, Tenant, event, link, op, the

from orosync.core.exchange import Found, Lookup, NotReadable, NotThere
from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY, STAMP_PROPERTY
from orosync.core.records import Entity
from orosync.errors import (
    AccountBlocked,
    EntityForbidden,
    OrosyncError,
    SideFailing,
    SignInNeeded,
    Throttled,
    Unreachable,
)
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph.mailbox import Mailbox

MAKE = {CONTACT: {"givenName": "Bo"}, TASK: {"title": "Call"}, EVENT: event()}
ALL = [CONTACT, TASK, EVENT]


def extended(item_body: dict) -> dict[str, str]:
    return {row["id"].casefold(): row["value"] for row in item_body["singleValueExtendedProperties"]}


def test_a_contact_is_read_with_its_extended_properties(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    values = {"gender": "1", "fax": "+49 1", "primary_phone": "+49 2", STAMP_PROPERTY: "42"}
    made = mailbox.user_create("contact", {"givenName": "Bo", "personalNotes": "n", "extended": values})
    body = the(outlook, CONTACT, made).body
    assert (body["givenName"], body["personalNotes"]) == ("Bo", "n")
    assert extended(body) == {
        GENDER_PROPERTY.casefold(): "1",
        FAX_PROPERTY.casefold(): "+49 1",
        PRIMARY_PHONE_PROPERTY.casefold(): "+49 2",
        STAMP_PROPERTY.casefold(): "42",
    }


def test_an_event_is_read_with_its_stamp_and_in_utc(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    made = mailbox.user_create("event", {**event(), "extended": {STAMP_PROPERTY: "9"}})
    body = the(outlook, EVENT, made).body
    assert extended(body) == {STAMP_PROPERTY.casefold(): "9"}
    assert body["start"] == {"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC"}
    assert {"iCalUId", "sensitivity", "isOrganizer", "attendees", "type", "originalStartTimeZone"} <= body.keys()


def test_a_due_date_set_in_the_app_is_not_shifted_by_a_zone_we_ask_for(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    made = mailbox.user_create("task", {"title": "Call", "due_by_user": "2026-11-24", "linkedResources": [link("7")]})
    with tenant.requests() as seen:
        body = the(outlook, TASK, made).body
    assert body["dueDateTime"] == {"dateTime": "2026-11-23T23:00:00.0000000", "timeZone": "UTC"}
    assert body["linkedResources"][0]["externalId"] == "7"
    assert not [each for each in seen if "timezone" in each.headers.get("prefer", "")]


@pytest.mark.parametrize("entity", ALL)
def test_ids_outlive_a_move_because_every_part_asks_for_immutable_ones(
    tenant: Tenant, mailbox: Mailbox, outlook: OutlookMailbox, entity: Entity
) -> None:
    made = mailbox.user_create(entity.value, MAKE[entity])
    with tenant.requests() as seen:
        assert the(outlook, entity, made).id == made
    assert seen
    assert all('IdType="ImmutableId"' in each.headers["prefer"] for each in seen)


@pytest.mark.parametrize("entity", ALL)
def test_twenty_ids_are_one_request(outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity) -> None:
    made = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(41)]
    with tenant.requests() as seen:
        readings = outlook.read(entity, made)
    assert [each.item.id for each in readings.values() if isinstance(each, Found)] == made
    assert len([each for each in seen if each.part is None]) == 3


@pytest.mark.parametrize(("entity", "count"), [(CONTACT, 620), (TASK, 260), (EVENT, 150)])
def test_many_ids_are_taken_from_a_listing_and_the_rest_by_id(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity, count: int
) -> None:
    made = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(count)]
    gone = made.pop(70)
    mailbox.user_delete(entity.value, gone)
    with tenant.requests() as seen:
        readings = outlook.read(entity, [*made, gone])
    assert all(isinstance(readings[each], Found) for each in made)
    assert readings[gone] == NotThere()
    calls = [each for each in seen if each.part is None]
    assert [each.method for each in calls] == ["GET", "GET", "POST"]


def test_a_listing_shows_an_item_as_reading_it_by_id_does(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    filler = {CONTACT: {"givenName": "A"}, TASK: {"title": "A"}, EVENT: event("A")}
    for entity in ALL:
        extra = {"linkedResources": [link("7")]} if entity is TASK else {"extended": {STAMP_PROPERTY: "7"}}
        made = mailbox.user_create(entity.value, {**MAKE[entity], **extra})
        others = [mailbox.user_create(entity.value, filler[entity]) for _ in range(110)]
        assert outlook.read(entity, [made, *others])[made] == outlook.read(entity, [made])[made]


def test_a_listing_that_shows_nothing_of_ours_is_given_up(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    for _ in range(700):
        mailbox.user_create("event", event())
    mine = [mailbox.user_create("event", event()) for _ in range(101)]
    with tenant.requests() as seen:
        readings = outlook.read(EVENT, mine)
    assert all(isinstance(each, Found) for each in readings.values())
    assert [each.method for each in seen if each.part is None] == ["GET"] * 6 + ["POST"] * 6


def test_a_listing_that_fails_is_no_sign_of_absence(outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant) -> None:
    made = [mailbox.user_create("contact", {"givenName": "A"}) for _ in range(101)]
    tenant.graph.fail_next("GET", "/contacts$", 500, "x", times=3)
    assert all(isinstance(each, Found) for each in outlook.read(CONTACT, made).values())


# what "not there" is


@pytest.mark.parametrize("entity", ALL)
def test_a_deleted_item_is_not_there(outlook: OutlookMailbox, mailbox: Mailbox, entity: Entity) -> None:
    made = mailbox.user_create(entity.value, MAKE[entity])
    mailbox.user_delete(entity.value, made)
    assert outlook.read(entity, [made]) == {made: NotThere()}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "MailboxNotEnabledForRESTAPI", OrosyncError),
        (404, "ErrorInvalidUser", OrosyncError),
        (404, "", OrosyncError),
        (400, "ErrorInvalidIdMalformed", SideFailing),
        (401, "InvalidAuthenticationToken", SignInNeeded),
        (403, "Authorization_RequestDenied", EntityForbidden),
        (429, "TooManyRequests", Throttled),
        (500, "ErrorInternalServerError", SideFailing),
        (503, "ServiceUnavailable", Throttled),
        (504, "Timeout", SideFailing),
    ],
)
def test_whatever_else_is_answered_is_no_absence(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, status: int, code: str, error: type
) -> None:
    made = mailbox.user_create("contact", {"givenName": "A"})
    tenant.graph.fail_next("GET", f"/contacts/{made}", status, code, times=2)
    reading = outlook.read(CONTACT, [made])[made]
    assert isinstance(reading, NotReadable)
    assert isinstance(reading.error, error)


def test_one_item_that_is_forbidden_exists_but_not_for_us(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    made = [mailbox.user_create("contact", {"givenName": "A"}) for _ in range(2)]
    tenant.graph.fail_next("GET", f"/contacts/{made[0]}", 403, "ErrorAccessDenied")
    readings = outlook.read(CONTACT, made)
    assert readings[made[0]] == NotThere(forbidden=True)
    assert isinstance(readings[made[1]], Found)


def test_a_policy_that_shuts_the_mailbox_is_the_administrators_matter(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    made = mailbox.user_create("contact", {"givenName": "A"})
    message = "Access to OData is disabled: [Sid]."
    tenant.graph.fail_next("GET", "/contacts/", 403, "ErrorAccessDenied", message=message)
    reading = outlook.read(CONTACT, [made])[made]
    assert isinstance(reading, NotReadable)
    assert isinstance(reading.error, AccountBlocked)


def test_throttling_in_a_batch_stops_the_batches_after_it(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    made = [mailbox.user_create("task", {"title": "A"}) for _ in range(50)]
    tenant.graph.throttle_after(5, retry_after=30)
    with tenant.requests() as seen:
        readings = outlook.read(TASK, made)
    assert len([each for each in seen if each.part is None]) == 1
    assert [isinstance(each, Found) for each in readings.values()] == [True] * 5 + [False] * 45
    errors = [each.error for each in readings.values() if isinstance(each, NotReadable)]
    assert {(type(each), each.retry_after_s) for each in errors if isinstance(each, Throttled)} == {(Throttled, 30.0)}
    assert len(errors) == 45


@pytest.mark.parametrize("body", [b"not json", b"{}", b'{"responses": 5}', b'{"responses": [{"id": "0"}, 7]}'])
def test_a_batch_without_the_answer_of_a_part_says_nothing_about_it(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, body: bytes
) -> None:
    made = mailbox.user_create("task", {"title": "A"})
    tenant.graph.fail_next("POST", "batch", 200, "", body=body)
    reading = outlook.read(TASK, [made])[made]
    assert isinstance(reading, NotReadable)
    assert isinstance(reading.error, SideFailing)


def test_a_broken_connection_says_nothing_about_any_item(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("POST", "batch", 0, "", drop=True)
    reading = outlook.read(TASK, ["x"])["x"]
    assert isinstance(reading, NotReadable)
    assert isinstance(reading.error, Unreachable)


def test_a_part_whose_body_is_no_item_says_nothing(outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant) -> None:
    made = mailbox.user_create("task", {"title": "A"})
    tenant.graph.fail_next("GET", made, 200, "", body=b'{"title": "no id"}')
    assert isinstance(outlook.read(TASK, [made])[made], NotReadable)


# containers


def test_a_contact_of_another_folder_is_elsewhere(tenant: Tenant, mailbox: Mailbox) -> None:
    mailbox.user_create("contact", {"givenName": "A"})
    outlook = tenant.outlook(containers={CONTACT: "Oro"})
    mine = mailbox.user_create("contact", {"givenName": "B"}, "Oro")
    other = mailbox.user_create("contact", {"givenName": "C"})
    readings = outlook.read(CONTACT, [mine, other])
    assert [each.elsewhere for each in readings.values() if isinstance(each, Found)] == [False, True]


def test_an_empty_default_folder_is_no_reason_to_call_its_first_contact_elsewhere(
    outlook: OutlookMailbox, mailbox: Mailbox
) -> None:
    assert outlook.discover()["containers"]["contact"] == ""
    made = mailbox.user_create("contact", {"givenName": "A"})
    assert outlook.read(CONTACT, [made])[made] == Found(the(outlook, CONTACT, made), elsewhere=False)


def test_an_event_of_a_chosen_calendar_is_read_through_it(tenant: Tenant, mailbox: Mailbox) -> None:
    outlook = tenant.outlook(containers={EVENT: "Oro"})
    made = mailbox.user_create("event", event(), "Oro")
    with tenant.requests() as seen:
        assert the(outlook, EVENT, made).id == made
    assert "/me/calendars/" in seen[1].path


def test_an_event_that_is_not_in_the_chosen_calendar_is_looked_for_in_the_whole_mailbox(
    tenant: Tenant, mailbox: Mailbox
) -> None:
    outlook = tenant.outlook(containers={EVENT: "Oro"})
    moved, gone = (mailbox.user_create("event", event(), "Oro") for _ in range(2))
    mailbox.user_delete("event", gone)
    tenant.graph.fail_next("GET", f"/calendars/.*{moved}", 404, "ErrorItemNotFound")
    readings = outlook.read(EVENT, [moved, gone])
    assert isinstance(readings[moved], Found)
    assert readings[moved].elsewhere
    assert readings[gone] == NotThere()


# find


@pytest.mark.parametrize("entity", ALL)
def test_what_carries_a_stamp_is_found_oldest_first_with_all_its_properties(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    def marked(value: str) -> dict:
        extra = {"linkedResources": [link(value)]} if entity is TASK else {"extended": {STAMP_PROPERTY: value}}
        return {**MAKE[entity], **extra}

    mailbox.user_create(entity.value, MAKE[entity])
    mailbox.user_create(entity.value, marked("421"))
    old = mailbox.user_create(entity.value, marked("42"))
    tenant.clock.pass_by(minutes=1)
    young = mailbox.user_create(entity.value, marked("42"))
    found = outlook.find(Lookup(entity, op(1), stamp="42"))
    assert [each.id for each in found] == [old, young]
    assert found[0] == the(outlook, entity, old)


def test_another_programs_link_is_no_stamp(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    mailbox.user_create("task", {"title": "A", "linkedResources": [{**link("42"), "applicationName": "Other"}]})
    assert outlook.find(Lookup(TASK, op(1), stamp="42")) == []


@pytest.mark.parametrize("entity", ALL)
def test_without_a_stamp_what_was_made_since_then_is_found(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    old = mailbox.user_create(entity.value, MAKE[entity])
    tenant.clock.pass_by(hours=1)
    since = tenant.clock() + timedelta(seconds=30)  # the servers' clocks differ
    young = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(12)]
    mailbox.user_update(entity.value, old, MAKE[entity])  # changed since then, but not made
    assert [each.id for each in outlook.find(Lookup(entity, op(1), since=since))] == young
    assert outlook.find(Lookup(entity, op(1))) == []


def test_an_event_that_carries_the_ops_transaction_is_the_one(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    mailbox.user_create("event", event())
    mine = mailbox.user_create("event", {**event(), "transactionId": op(1)})
    assert [each.id for each in outlook.find(Lookup(EVENT, op(1), since=tenant.clock()))] == [mine]


def test_a_search_that_fails_is_not_an_empty_one(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("GET", "/events", 500, "x", times=2)
    with pytest.raises(SideFailing):
        outlook.find(Lookup(EVENT, op(1), stamp="1"))
    tenant.graph.fail_next("GET", "/events", 200, "", body=b'{"value": 1}')
    with pytest.raises(SideFailing):
        outlook.find(Lookup(EVENT, op(1), stamp="1"))
