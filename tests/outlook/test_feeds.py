"""Change feeds: rounds, removals, windows and positions that expire (graph-api.md 5)."""

import json

import pytest
from tests.outlook.driving import CONTACT, EVENT, TASK, Tenant, event, ids, link, page, weekly, whole_round

from orosync.core.exchange import FeedPage, FeedRequest, Found, NotThere
from orosync.core.records import Entity
from orosync.errors import CursorExpired, EntityForbidden, SideFailing, SignInNeeded, Throttled
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph.mailbox import Mailbox

MAKE = {CONTACT: {"givenName": "Bo"}, TASK: {"title": "Call"}, EVENT: event()}
ALL = [CONTACT, TASK, EVENT]


@pytest.mark.parametrize("entity", ALL)
def test_a_first_round_lists_everything_and_the_next_one_only_what_changed(
    outlook: OutlookMailbox, mailbox: Mailbox, entity: Entity
) -> None:
    made = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(3)]
    first = page(outlook, entity)
    assert (ids([first]), first.full, first.last) == (made, True, True)
    mailbox.user_update(entity.value, made[1], MAKE[entity])
    mailbox.user_delete(entity.value, made[2])
    second = page(outlook, entity, first.cursor)
    assert (ids([second]), ids([second], removed=True), second.full) == ([made[1]], [made[2]], False)
    assert page(outlook, entity, second.cursor).sightings == ()


@pytest.mark.parametrize("entity", ALL)
def test_the_version_sighted_is_the_version_read(outlook: OutlookMailbox, mailbox: Mailbox, entity: Entity) -> None:
    made = mailbox.user_create(entity.value, MAKE[entity])
    [sighting] = page(outlook, entity).sightings
    reading = outlook.read(entity, [made])[made]
    assert isinstance(reading, Found)
    assert sighting.version == reading.item.version != ""


def test_an_idle_cycle_of_three_entities_is_one_request(outlook: OutlookMailbox) -> None:
    cursors = {entity: page(outlook, entity).cursor for entity in ALL}
    before = outlook.requests_sent
    found = outlook.pages([FeedRequest(entity, cursor) for entity, cursor in cursors.items()])
    assert [each.entity for each in found if isinstance(each, FeedPage)] == ALL
    assert outlook.requests_sent - before == 1


@pytest.mark.parametrize("entity", ALL)
def test_pages_are_followed_to_the_end_even_through_empty_ones(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    tenant.graph.settings.max_page_size = 2
    tenant.graph.settings.empty_pages = 1
    made = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(5)]
    pages = whole_round(outlook, entity)
    assert ids(pages) == made
    assert pages[0].sightings == ()
    assert [each.full for each in pages] == [True] * 4
    tenant.graph.settings.empty_pages = 0
    assert page(outlook, entity, pages[-1].cursor).full is False


@pytest.mark.parametrize("entity", ALL)
def test_a_full_round_that_is_asked_for_goes_on_from_page_to_page_and_begins_anew_from_its_end(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    tenant.graph.settings.max_page_size = 1
    made = [mailbox.user_create(entity.value, MAKE[entity]) for _ in range(3)]
    pages = [page(outlook, entity, full=True)]
    pages += [page(outlook, entity, pages[0].cursor, full=True)]
    pages += [page(outlook, entity, pages[1].cursor, full=True)]
    assert pages[-1].last
    assert ids(pages) == made
    again = page(outlook, entity, pages[-1].cursor, full=True)
    assert (ids([again]), again.full) == (made[:1], True)
    for one in made:
        mailbox.user_update(entity.value, one, MAKE[entity])
    changed = page(outlook, entity, pages[-1].cursor)
    assert not changed.last
    assert page(outlook, entity, changed.cursor, full=True).full


def test_replayed_rows_are_sighted_again_and_once_per_page(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    tenant.graph.settings.replay_items = 2
    made = mailbox.user_create("contact", {"givenName": "A"})
    first = page(outlook, CONTACT)
    assert ids([page(outlook, CONTACT, first.cursor)]) == [made]


def test_a_page_of_tasks_holds_the_whole_tasks_with_their_links(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    mailbox.user_create("task", {"title": "Call", "linkedResources": [link("7")]})
    [sighting] = page(outlook, TASK).sightings
    assert sighting.item is not None
    assert sighting.item.body["linkedResources"][0]["externalId"] == "7"
    assert sighting.item.version == sighting.version


def test_contact_and_event_feeds_never_ask_for_what_makes_them_fail(outlook: OutlookMailbox, tenant: Tenant) -> None:
    with tenant.requests() as seen:
        outlook.pages([FeedRequest(CONTACT, None), FeedRequest(EVENT, None)])
    by_path = {each.path: set(each.query) for each in seen if each.part}
    assert by_path == {"/me/contacts/delta": {"$select"}, "/me/calendarView/delta": {"startDateTime", "endDateTime"}}


@pytest.mark.parametrize("entity", ALL)
def test_an_expired_position_is_an_answer_about_that_entity_alone(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    cursors = {each: page(outlook, each).cursor for each in ALL}
    tenant.graph.expire_delta_tokens()
    fresh = {each: page(outlook, each).cursor for each in ALL if each is not entity}
    found = outlook.pages([FeedRequest(each, {**cursors, **fresh}[each]) for each in ALL])
    assert [type(each) for each in found] == [CursorExpired if each is entity else FeedPage for each in ALL]
    made = mailbox.user_create(entity.value, MAKE[entity])
    assert ids([page(outlook, entity, full=True)]) == [made]


def test_a_position_may_expire_in_the_middle_of_paging(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    tenant.graph.settings.max_page_size = 1
    for _ in range(3):
        mailbox.user_create("contact", {"givenName": "A"})
    first = page(outlook, CONTACT)
    tenant.graph.expire_delta_tokens()
    with pytest.raises(CursorExpired):
        page(outlook, CONTACT, first.cursor)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (410, "SyncStateNotFound"),
        (410, ""),
        (400, "syncStateNotFound"),
        (404, "SYNCSTATENOTFOUND"),
        (403, "resyncRequired"),
        (400, "ErrorInvalidUrlQuery"),
        (404, "ResourceNotFound"),
    ],
)
def test_every_way_of_refusing_a_position_means_start_again(
    outlook: OutlookMailbox, tenant: Tenant, status: int, code: str
) -> None:
    cursor = page(outlook, TASK).cursor
    tenant.graph.fail_next("GET", "/delta", status, code)
    with pytest.raises(CursorExpired):
        page(outlook, TASK, cursor)


@pytest.mark.parametrize("cursor", ["", "{", "[]", "{}", '{"link": 1}', "https://graph.microsoft.com/v1.0/me/x"])
def test_a_cursor_that_is_not_ours_means_start_again(outlook: OutlookMailbox, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        page(outlook, CONTACT, cursor)


def test_a_cursor_of_another_folder_means_start_again(tenant: Tenant) -> None:
    named = tenant.outlook(containers={CONTACT: "Oro"})
    other = tenant.outlook(containers={CONTACT: "Other"})
    cursor = page(named, CONTACT).cursor
    with pytest.raises(CursorExpired):
        page(other, CONTACT, cursor)


def test_a_stored_link_to_another_host_gets_no_token(outlook: OutlookMailbox, tenant: Tenant) -> None:
    stored = json.loads(page(outlook, CONTACT).cursor)
    stored["link"] = stored["link"].replace("graph.microsoft.com", "graph.example.com")
    with tenant.requests() as seen, pytest.raises(CursorExpired):
        page(outlook, CONTACT, json.dumps(stored))
    assert seen == []


@pytest.mark.parametrize("link_name", ["@odata.nextLink", "@odata.deltaLink"])
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/v1.0/me/contacts/delta?$skiptoken=x",
        "http://graph.microsoft.com/v1.0/me/contacts/delta?$skiptoken=x",
        "https://graph.microsoft.com.evil.example/v1.0/me/contacts/delta",
        "https://graph.microsoft.com:8443/v1.0/me/contacts/delta",
        "https://graph.microsoft.com@evil.example/v1.0/me/contacts/delta",
        "https://graph.microsoft.com/beta/me/contacts/delta",
    ],
)
def test_a_link_to_another_place_is_not_followed(
    outlook: OutlookMailbox, tenant: Tenant, link_name: str, target: str
) -> None:
    body = json.dumps({"value": [], link_name: target}).encode()
    tenant.graph.fail_next("GET", "/contacts/delta", 200, "", body=body)
    with pytest.raises(SideFailing):
        page(outlook, CONTACT)


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b"{}", b'{"value": 3}', b'{"value": []}', b'{"value": [], "@odata.nextLink": 1}', b""]
)
def test_a_malformed_page_is_trouble_of_that_side_and_moves_nothing(
    outlook: OutlookMailbox, tenant: Tenant, body: bytes
) -> None:
    tenant.graph.fail_next("GET", "/contacts/delta", 200, "", body=body)
    found = outlook.pages([FeedRequest(CONTACT, None), FeedRequest(TASK, None)])
    assert isinstance(found[0], SideFailing)
    assert isinstance(found[1], FeedPage)


def test_rows_that_are_nothing_are_passed_over(outlook: OutlookMailbox, tenant: Tenant) -> None:
    rows = [None, {}, {"id": ""}, {"id": "A", "@odata.etag": 'W/"1"'}]
    link_back = "https://graph.microsoft.com/v1.0/me/contacts/delta?$deltatoken=x"
    body = json.dumps({"value": rows, "@odata.deltaLink": link_back}).encode()
    tenant.graph.fail_next("GET", "/contacts/delta", 200, "", body=body)
    assert ids([page(outlook, CONTACT)]) == ["A"]


def test_the_last_word_about_an_id_counts(outlook: OutlookMailbox, tenant: Tenant) -> None:
    gone = {"@removed": {"reason": "deleted"}}
    rows = [{"id": "A"}, {"id": "B", **gone}, {"id": "A", **gone}, {"id": "B", "@odata.etag": 'W/"2"'}]
    link_back = "https://graph.microsoft.com/v1.0/me/contacts/delta?$deltatoken=x"
    body = json.dumps({"value": rows, "@odata.deltaLink": link_back}).encode()
    tenant.graph.fail_next("GET", "/contacts/delta", 200, "", body=body)
    assert [(each.id, each.removed) for each in page(outlook, CONTACT).sightings] == [("A", True), ("B", False)]


# account-wide trouble


def test_throttling_stops_the_whole_account_and_says_for_how_long(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("GET", "/tasks/delta", 429, "TooManyRequests", retry_after=17)
    with pytest.raises(Throttled) as raised:
        outlook.pages([FeedRequest(entity, None) for entity in ALL])
    assert raised.value.retry_after_s == 17


def test_a_permission_that_is_missing_stops_one_entity(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("GET", "/tasks/delta", 403, "ErrorAccessDenied")
    found = outlook.pages([FeedRequest(entity, None) for entity in ALL])
    assert [type(each) for each in found] == [FeedPage, EntityForbidden, FeedPage]
    assert "Tasks.ReadWrite" in str(found[1])


def test_a_token_that_is_refused_suspends_the_account(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.tokens.clear()
    with pytest.raises(SignInNeeded):
        page(outlook, CONTACT)


# contacts and folders


def test_a_contact_moved_to_another_folder_is_removed_here_and_elsewhere_there(tenant: Tenant) -> None:
    here = tenant.mailbox.user_create("contact", {"givenName": "A"})
    outlook = tenant.outlook()
    cursor = page(outlook, CONTACT).cursor
    tenant.mailbox.add_contact_folder("Private")
    tenant.mailbox.user_move("contact", here, "Private")
    assert ids([page(outlook, CONTACT, cursor)], removed=True) == [here]
    reading = outlook.read(CONTACT, [here])[here]
    assert isinstance(reading, Found)
    assert reading.elsewhere


def test_a_task_moved_to_another_list_is_gone_under_its_id(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    task = mailbox.user_create("task", {"title": "Call"})
    mailbox.add_todo_list("Other")
    mailbox.user_move("task", task, "Other")
    assert outlook.read(TASK, [task]) == {task: NotThere()}


# events


def test_an_event_that_left_the_window_comes_as_removed_and_is_still_there(
    outlook: OutlookMailbox, mailbox: Mailbox
) -> None:
    made = mailbox.user_create("event", event())
    cursor = page(outlook, EVENT).cursor
    mailbox.user_update("event", made, {k: v for k, v in event(day="2029-01-01").items() if k != "subject"})
    assert ids([page(outlook, EVENT, cursor)], removed=True) == [made]
    assert isinstance(outlook.read(EVENT, [made])[made], Found)


def test_days_of_a_series_are_journaled_as_their_master_once(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    master = mailbox.user_create("event", weekly())
    [sighting] = page(outlook, EVENT).sightings
    reading = outlook.read(EVENT, [master])[master]
    assert isinstance(reading, Found)
    assert (sighting.id, sighting.version) == (master, reading.item.version)
    tenant.graph.settings.series_master_in_delta = False
    [sighting] = page(outlook, EVENT, full=True).sightings
    assert (sighting.id, sighting.version) == (master, None)


def test_the_window_reaches_as_far_as_was_asked(outlook: OutlookMailbox, tenant: Tenant) -> None:
    with tenant.requests() as seen:
        page(outlook, EVENT)
    query = next(each.query for each in seen if each.part)
    assert query == {"startDateTime": "2026-10-22T00:00:00Z", "endDateTime": "2027-11-22T00:00:00Z"}


def test_the_window_is_moved_after_a_week_by_a_round_that_lists_everything(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    far = mailbox.user_create("event", event("Far", "2027-11-25"))
    near = mailbox.user_create("event", event("Near", "2026-12-25"))
    first = page(outlook, EVENT)
    assert ids([first]) == [near]
    tenant.clock.pass_by(days=6, hours=23)
    still = page(outlook, EVENT, first.cursor)
    assert (still.full, ids([still])) == (False, [])
    tenant.clock.pass_by(hours=2)
    moved = page(outlook, EVENT, still.cursor)
    assert moved.full
    assert set(ids([moved])) == {far, near}
    assert page(outlook, EVENT, moved.cursor).full is False


def test_a_round_in_the_middle_of_paging_is_finished_before_the_window_moves(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    tenant.graph.settings.max_page_size = 1
    made = [mailbox.user_create("event", event(f"{n}")) for n in range(2)]
    first = page(outlook, EVENT)
    tenant.clock.pass_by(days=30)
    assert ids([first, page(outlook, EVENT, first.cursor)]) == made


def test_another_window_setting_moves_the_window_at_once(tenant: Tenant) -> None:
    cursor = page(tenant.outlook(), EVENT).cursor
    assert page(tenant.outlook(window_days=(30, 90)), EVENT, cursor).full


def test_contacts_and_tasks_know_no_window(outlook: OutlookMailbox, tenant: Tenant) -> None:
    cursors = {entity: page(outlook, entity).cursor for entity in (CONTACT, TASK)}
    tenant.clock.pass_by(days=90)
    assert [page(outlook, entity, cursor).full for entity, cursor in cursors.items()] == [False, False]
