"""Creating, changing and deleting: one result per write, and what each answer means (graph-api.md 2, 3.2, 9 to 11)."""

import pytest
from tests.outlook.driving import (
    CONTACT,
    EVENT,
    TASK,
    Tenant,
    create,
    delete,
    event,
    link,
    op,
    refused,
    stamp,
    the,
    update,
    wrote,
)

from orosync.core.exchange import Written
from orosync.core.mapping.lens import GENDER_PROPERTY, STAMP_PROPERTY
from orosync.core.records import Entity
from orosync.errors import (
    AccountBlocked,
    EntityForbidden,
    OutcomeUnknown,
    RecordChanged,
    RecordMissing,
    RecordRefused,
    SignInNeeded,
    Throttled,
    Unreachable,
)
from orosync.outlook.auth import StaticToken
from orosync.outlook.client import GraphClient
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph.mailbox import Mailbox

PATCH = {CONTACT: {"givenName": "Bo"}, TASK: {"title": "Call"}, EVENT: event()}
CHANGE = {CONTACT: {"givenName": "Bea"}, TASK: {"title": "Write"}, EVENT: {"subject": "Talk"}}
ALL = [CONTACT, TASK, EVENT]


def marked(entity: Entity, value: str = "42") -> dict:
    return {**PATCH[entity], **({"linkedResources": [link(value)]} if entity is TASK else stamp(value))}


@pytest.mark.parametrize("entity", ALL)
def test_a_create_returns_what_reading_the_item_would(outlook: OutlookMailbox, entity: Entity) -> None:
    item = wrote(outlook, create(entity, marked(entity)))
    read = the(outlook, entity, item.id)
    assert (item.id, item.version, item.container) == (read.id, read.version, read.container or item.container)
    assert {name: item.body.get(name) for name in PATCH[entity]} == {name: read.body[name] for name in PATCH[entity]}
    assert _stamp(item.body) == _stamp(read.body) == "42"


def _stamp(body: dict) -> str | None:
    rows = body.get("singleValueExtendedProperties") or []
    values = [row["value"] for row in rows if row["id"].casefold() == STAMP_PROPERTY.casefold()]
    values += [row["externalId"] for row in body.get("linkedResources") or []]
    return values[0] if values else None


@pytest.mark.parametrize("entity", ALL)
def test_an_update_returns_the_item_with_what_the_reply_leaves_out(outlook: OutlookMailbox, entity: Entity) -> None:
    item = wrote(outlook, create(entity, marked(entity)))
    changed = wrote(outlook, update(entity, item, CHANGE[entity]))
    assert changed.version != item.version
    assert changed.version == the(outlook, entity, item.id).version
    assert {name: changed.body[name] for name in CHANGE[entity]} == CHANGE[entity]
    assert _stamp(changed.body) == "42"


def test_an_extended_property_that_is_changed_replaces_the_former_value(outlook: OutlookMailbox) -> None:
    item = wrote(outlook, create(CONTACT, marked(CONTACT)))
    gender = {"id": GENDER_PROPERTY.replace("0x", "0X").lower(), "value": "2"}
    item = wrote(outlook, update(CONTACT, item, {"singleValueExtendedProperties": [{**gender, "value": "1"}]}))
    item = wrote(outlook, update(CONTACT, item, {"singleValueExtendedProperties": [gender]}))
    values = {row["id"].casefold(): row["value"] for row in item.body["singleValueExtendedProperties"]}
    assert values == {GENDER_PROPERTY.casefold(): "2", STAMP_PROPERTY.casefold(): "42"}


@pytest.mark.parametrize("entity", ALL)
def test_a_stamp_is_put_on_an_item_that_is_there(outlook: OutlookMailbox, mailbox: Mailbox, entity: Entity) -> None:
    item = the(outlook, entity, mailbox.user_create(entity.value, PATCH[entity]))
    patch = {"linkedResources": [link("42")]} if entity is TASK else stamp("42")
    stamped = wrote(outlook, update(entity, item, patch))
    assert _stamp(stamped.body) == _stamp(the(outlook, entity, item.id).body) == "42"
    assert stamped.id == item.id
    assert stamped.version


def test_a_tasks_stamp_is_changed_where_there_is_one_and_other_links_stay(
    outlook: OutlookMailbox, mailbox: Mailbox
) -> None:
    other = {**link("x"), "applicationName": "Other"}
    made = mailbox.user_create("task", {"title": "A", "linkedResources": [other, link("41")]})
    item = the(outlook, TASK, made)
    stamped = wrote(outlook, update(TASK, item, {"linkedResources": [link("42")]}))
    assert sorted(each["externalId"] for each in stamped.body["linkedResources"]) == ["42", "x"]
    assert the(outlook, TASK, made).body["linkedResources"] == stamped.body["linkedResources"]


def test_fields_and_stamp_of_a_task_travel_one_after_the_other(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    item = the(outlook, TASK, mailbox.user_create("task", {"title": "A"}))
    changed = wrote(outlook, update(TASK, item, {"title": "B", "linkedResources": [link("42")]}))
    read = the(outlook, TASK, item.id)
    assert (changed.body["title"], _stamp(changed.body), changed.version) == ("B", "42", read.version)


def test_a_stamp_that_fails_after_the_fields_arrived_leaves_the_outcome_open(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    item = the(outlook, TASK, mailbox.user_create("task", {"title": "A"}))
    tenant.graph.fail_next("POST", "/linkedResources", 429, "x")
    assert isinstance(
        refused(outlook, update(TASK, item, {"title": "B", "linkedResources": [link("1")]})), OutcomeUnknown
    )


def test_a_stamp_that_is_there_already_costs_no_request(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    item = the(outlook, TASK, mailbox.user_create("task", {"title": "A", "linkedResources": [link("42")]}))
    with tenant.requests() as seen:
        assert wrote(outlook, update(TASK, item, {"linkedResources": [link("42")]})) == item
        for entity in ALL:
            assert wrote(outlook, update(entity, item, {})) == item
    assert seen == []


@pytest.mark.parametrize("entity", ALL)
def test_an_item_somebody_changed_meanwhile_is_not_overwritten(
    outlook: OutlookMailbox, mailbox: Mailbox, entity: Entity
) -> None:
    item = the(outlook, entity, mailbox.user_create(entity.value, PATCH[entity]))
    mailbox.user_update(entity.value, item.id, CHANGE[entity])
    assert isinstance(refused(outlook, update(entity, item, PATCH[entity])), RecordChanged)
    assert isinstance(refused(outlook, delete(entity, item)), RecordChanged)
    assert {name: mailbox.item(entity.value, item.id)[name] for name in CHANGE[entity]} == CHANGE[entity]


@pytest.mark.parametrize("entity", ALL)
def test_a_delete_goes_into_deleted_items_and_once_more_is_done_already(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, entity: Entity
) -> None:
    item = the(outlook, entity, mailbox.user_create(entity.value, PATCH[entity]))
    with tenant.requests() as seen:
        assert outlook.write([delete(entity, item)]) == {op(3): Written(None)}
    assert [each["id"] for each in mailbox.deleted_items] == [item.id]
    assert not [each for each in seen if "permanentDelete" in each.path]
    assert outlook.write([delete(entity, item)]) == {op(3): Written(None)}
    assert isinstance(refused(outlook, update(entity, item, CHANGE[entity])), RecordMissing)


def test_twenty_writes_are_one_request_and_each_has_its_own_result(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    too_many = [{"address": f"{n}@example.com"} for n in range(4)]
    writes = [create(CONTACT, {"givenName": f"{n}"}, n) for n in range(1, 20)]
    writes.insert(7, create(CONTACT, {"emailAddresses": too_many}, 99))
    with tenant.requests() as seen:
        results = outlook.write(writes)
    assert len([each for each in seen if each.part is None]) == 1
    bad = results.pop(op(99))
    assert all(isinstance(each, Written) for each in results.values())
    assert len(mailbox.items("contact")) == 19
    assert isinstance(bad, RecordRefused)
    assert bad.status == 400
    assert "emailAddresses" in str(bad)
    assert "example.com" not in str(bad)


# the same create twice


@pytest.mark.parametrize("status", [400, 409])
def test_an_event_that_was_made_already_is_adopted(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, status: int
) -> None:
    tenant.graph.settings.transaction_id_status = status
    first = wrote(outlook, create(EVENT, marked(EVENT)))
    again = wrote(outlook, create(EVENT, marked(EVENT)))
    assert (again.id, again.version, _stamp(again.body)) == (first.id, first.version, "42")
    assert len(mailbox.items("event")) == 1


def test_an_event_that_was_made_already_is_found_by_its_stamp_when_graph_does_not_name_it(
    outlook: OutlookMailbox, tenant: Tenant
) -> None:
    first = wrote(outlook, create(EVENT, marked(EVENT)))
    tenant.graph.fail_next("POST", "/events$", 409, "ErrorDuplicateTransactionId")
    assert wrote(outlook, create(EVENT, marked(EVENT))).id == first.id


def test_an_event_of_another_transaction_is_not_adopted(outlook: OutlookMailbox, tenant: Tenant) -> None:
    wrote(outlook, create(EVENT, marked(EVENT), 1))
    tenant.graph.fail_next("POST", "/events$", 409, "ErrorDuplicateTransactionId")
    assert isinstance(refused(outlook, create(EVENT, marked(EVENT), 2)), RecordChanged)


def test_an_event_that_was_made_already_and_deleted_since_is_missing(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    first = wrote(outlook, create(EVENT, marked(EVENT)))
    mailbox.user_delete("event", first.id)
    result = outlook.write([create(EVENT, marked(EVENT))])[op(1)]
    # Whether Graph remembers the transaction of a deleted event is not established: either way nothing is adopted.
    assert isinstance(result, RecordMissing) or (isinstance(result, Written) and result.item.id != first.id)


def test_a_create_whose_answer_was_lost_is_repeated_without_a_second_event(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    tenant.graph.fail_next("POST", "/events$", 503, "ServiceUnavailable", applied=True)
    assert isinstance(refused(outlook, create(EVENT, marked(EVENT))), OutcomeUnknown)
    assert wrote(outlook, create(EVENT, marked(EVENT))).id == mailbox.items("event")[0]["id"]
    assert len(mailbox.items("event")) == 1


# what each answer means


@pytest.mark.parametrize(
    ("verb", "status", "code", "error"),
    [
        ("create", 400, "ErrorInvalidRequest", RecordRefused),
        ("create", 422, "x", RecordRefused),
        ("create", 413, "x", RecordRefused),
        ("create", 401, "InvalidAuthenticationToken", SignInNeeded),
        ("create", 403, "ErrorAccessDenied", EntityForbidden),
        ("update", 403, "ErrorAccessDenied", RecordRefused),
        ("update", 403, "Authorization_RequestDenied", EntityForbidden),
        ("create", 404, "ErrorFolderNotFound", EntityForbidden),
        ("update", 404, "ErrorItemNotFound", RecordMissing),
        ("update", 410, "x", RecordMissing),
        ("delete", 410, "resyncRequired", RecordMissing),
        ("delete", 404, "x", RecordMissing),
        ("update", 409, "ErrorIrresolvableConflict", RecordChanged),
        ("update", 412, "ErrorIrresolvableConflict", RecordChanged),
        ("create", 423, "Locked", Throttled),
        ("create", 429, "TooManyRequests", Throttled),
        ("create", 509, "x", Throttled),
        ("create", 507, "quotaLimitReached", AccountBlocked),
        ("create", 400, "ErrorQuotaExceeded", AccountBlocked),
        ("create", 408, "x", OutcomeUnknown),
        ("create", 500, "x", OutcomeUnknown),
        ("create", 502, "x", OutcomeUnknown),
        ("create", 503, "x", OutcomeUnknown),
        ("delete", 504, "x", OutcomeUnknown),
    ],
)
def test_what_a_status_says_of_one_write(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, verb: str, status: int, code: str, error: type
) -> None:
    item = the(outlook, CONTACT, mailbox.user_create("contact", {"givenName": "A"}))
    write = {
        "create": create(CONTACT, {"surname": "B"}),
        "update": update(CONTACT, item, {"surname": "B"}),
        "delete": delete(CONTACT, item),
    }[verb]
    method = {"create": "POST", "update": "PATCH", "delete": "DELETE"}[verb]
    tenant.graph.fail_next(method, "/contacts", status, code, times=2, retry_after=9)
    assert type(refused(outlook, write)) is error


def test_a_policy_that_shuts_the_mailbox_blocks_the_account(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("POST", "/contacts", 403, "ErrorAccessDenied", message="Access to OData is disabled: x")
    assert isinstance(refused(outlook, create(CONTACT, {"surname": "B"})), AccountBlocked)


def test_the_deepest_known_code_decides(outlook: OutlookMailbox, tenant: Tenant) -> None:
    body = (
        b'{"error": {"code": "badRequest", "innerError": {"code": "x", "innerError": {"code": "QuotaLimitReached"}}}}'
    )
    tenant.graph.fail_next("POST", "/contacts", 400, "", body=body)
    assert isinstance(refused(outlook, create(CONTACT, {"surname": "B"})), AccountBlocked)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SignInNeeded),
        (403, EntityForbidden),
        (429, Throttled),
        (500, OutcomeUnknown),
        (503, OutcomeUnknown),
        (504, OutcomeUnknown),
    ],
)
def test_a_whole_batch_that_fails_is_the_result_of_each_of_its_writes(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, status: int, error: type
) -> None:
    tenant.graph.fail_next("POST", "batch", status, "x", times=2, retry_after=9)
    results = outlook.write([create(CONTACT, {"surname": "B"}, n) for n in range(3)])
    assert [type(each) for each in results.values()] == [error] * 3
    assert mailbox.items("contact") == []


@pytest.mark.parametrize("body", [b"{", b"{}", b"[]", b'{"responses": []}', b""])
def test_a_batch_whose_answer_cannot_be_read_leaves_the_outcome_open(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant, body: bytes
) -> None:
    tenant.graph.fail_next("POST", "batch", 200, "", applied=True, body=body)
    assert isinstance(refused(outlook, create(CONTACT, {"surname": "B"})), OutcomeUnknown)
    assert len(mailbox.items("contact")) == 1


def test_a_connection_that_breaks_leaves_the_outcome_open(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("POST", "batch", 0, "", drop=True)
    assert isinstance(refused(outlook, create(CONTACT, {"surname": "B"})), OutcomeUnknown)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"text"'])
def test_a_confirmation_without_the_item_leaves_the_outcome_open(
    outlook: OutlookMailbox, tenant: Tenant, body: bytes
) -> None:
    tenant.graph.fail_next("POST", "/contacts", 201, "", applied=True, body=body)
    assert isinstance(refused(outlook, create(CONTACT, {"surname": "B"})), OutcomeUnknown)


def test_after_a_failed_batch_the_rest_is_certainly_not_sent(
    outlook: OutlookMailbox, mailbox: Mailbox, tenant: Tenant
) -> None:
    tenant.graph.fail_next("POST", "batch", 0, "", drop=True)
    results = outlook.write([create(CONTACT, {"surname": "B"}, n) for n in range(25)])
    assert [type(each) for each in results.values()] == [OutcomeUnknown] * 20 + [Throttled] * 5
    assert mailbox.items("contact") == []


def test_one_part_that_spoils_a_batch_does_not_stop_the_others(tenant: Tenant, mailbox: Mailbox) -> None:
    outlook = tenant.outlook()
    with tenant.gateway(largest_body=4000) as sizes:
        writes = [create(CONTACT, {"personalNotes": "x" * (4000 if n == 3 else 1)}, n) for n in range(8)]
        results = outlook.write(writes)
    assert isinstance(results.pop(op(3)), RecordRefused)
    assert all(isinstance(each, Written) for each in results.values())
    assert [size > 4000 for size in sizes] == [True, True, False, True, False, True, False]
    assert len(mailbox.items("contact")) == 7


def test_the_answers_of_a_batch_may_come_in_any_order(outlook: OutlookMailbox, tenant: Tenant) -> None:
    assert tenant.graph.settings.batch_replies_shuffled
    results = outlook.write([create(TASK, {"title": f"{n}"}, n) for n in range(20)])
    titles = [each.item.body["title"] for each in results.values() if isinstance(each, Written) and each.item]
    assert titles == [f"{n}" for n in range(20)]


def test_no_mail_leaves_the_mailbox(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    item = wrote(outlook, create(EVENT, marked(EVENT)))
    item = wrote(outlook, update(EVENT, item, {"subject": "Other"}))
    outlook.write([delete(EVENT, item)])
    assert mailbox.outbox == []


def test_a_write_to_a_container_that_is_not_there_is_refused_for_its_entity(tenant: Tenant) -> None:
    outlook = tenant.outlook()
    outlook.use({"containers": {"contact": "", "task": None, "event": "x"}})
    assert isinstance(refused(outlook, create(TASK, {"title": "A"})), EntityForbidden)


def test_an_unreachable_server_got_nothing(tenant: Tenant) -> None:
    with GraphClient("http://127.0.0.1:9/v1.0", StaticToken("t")) as client:
        outlook = OutlookMailbox(client, "me", now=tenant.clock)
        outlook.use({"containers": {"contact": ""}})
        assert type(refused(outlook, create(CONTACT, {"surname": "B"}))) is Unreachable
