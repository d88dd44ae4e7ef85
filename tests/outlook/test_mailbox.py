"""Finding out what there is: owner, zone, folders, lists, calendars; the canary; the shape of the port."""

from pathlib import Path

import mypy.api
import pytest
from tests.outlook.driving import CONTACT, EVENT, TASK, UPN, Tenant, create, event, page, wrote

from orosync.core.records import Side
from orosync.errors import AccountBlocked, EntityForbidden, SideFailing, Throttled
from orosync.outlook.mailbox import OutlookMailbox
from orosync.sandbox.graph.mailbox import Mailbox
from orosync.sandbox.graph.wire import GraphRequest
from orosync.sync.ports import SidePort

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_mailbox_is_a_side_of_a_run(outlook: OutlookMailbox) -> None:
    side: SidePort = outlook
    assert (side.side, side.writes_at_once) == (Side.OUTLOOK, 20)


@pytest.mark.slow
def test_the_mailbox_has_the_shape_of_a_side_to_the_letter(tmp_path: Path) -> None:
    program = tmp_path / "shape.py"
    program.write_text(
        "from orosync.outlook.mailbox import OutlookMailbox\n"
        "from orosync.sync.ports import SidePort\n"
        "def side(mailbox: OutlookMailbox) -> SidePort:\n    return mailbox\n"
    )
    said, trouble, status = mypy.api.run(["--config-file", str(REPOSITORY / "pyproject.toml"), str(program)])
    assert (status, trouble) == (0, ""), said


@pytest.mark.parametrize("user", ["me", UPN])
def test_a_mailbox_tells_its_owner_zone_and_default_containers(tenant: Tenant, mailbox: Mailbox, user: str) -> None:
    mailbox.user_create("contact", {"givenName": "A"})
    facts = tenant.outlook(user).discover()
    assert (facts["mailbox_id"], facts["address"], facts["zone"]) == (mailbox.user_id, UPN, "Europe/Berlin")
    assert facts["containers"] == {kind: next(iter(mailbox.containers(kind))) for kind in ("contact", "task", "event")}
    assert facts["forbidden"] == []


def test_finding_out_is_one_request(tenant: Tenant, outlook: OutlookMailbox) -> None:
    with tenant.requests() as seen:
        outlook.discover()
    assert len([each for each in seen if each.part is None]) == 1


def test_a_zone_without_daylight_saving_is_found_too(tenant: Tenant) -> None:
    tenant.graph.add_mailbox("kolya@contoso.example", display_name="Kolya", time_zone="Asia/Kolkata")
    assert tenant.outlook("kolya@contoso.example").discover()["zone"] == "Asia/Calcutta"


@pytest.mark.parametrize(
    ("sent", "zone"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("Europe/Paris", "Europe/Paris"),
        ("tzone://Microsoft/Custom", "UTC"),
        ("", "UTC"),
    ],
)
def test_a_zone_gets_its_iana_name(outlook: OutlookMailbox, tenant: Tenant, sent: str, zone: str) -> None:
    body = f'{{"timeZone": "{sent}"}}'.encode()
    tenant.graph.fail_next("GET", "/mailboxSettings", 200, "", body=body)
    assert outlook.discover()["zone"] == zone


def test_the_default_contact_folder_is_not_in_the_list_and_not_mistaken_for_another(
    tenant: Tenant, mailbox: Mailbox
) -> None:
    folder = mailbox.add_contact_folder("Private")
    outlook = tenant.outlook()
    body = f'{{"value": [{{"id": "x", "parentFolderId": "{folder}"}}]}}'.encode()
    tenant.graph.fail_next("GET", "/contacts$", 200, "", body=body)
    assert outlook.discover()["containers"]["contact"] == ""


def test_named_containers_are_made_once_and_then_found(tenant: Tenant, mailbox: Mailbox) -> None:
    names = {CONTACT: "Oro people", TASK: "Oro tasks", EVENT: "Oro calendar"}
    client = tenant.client()
    outlook = OutlookMailbox(client, "me", containers=names, now=tenant.clock)
    assert outlook.discover()["containers"] == {"contact": None, "task": None, "event": None}
    made = outlook.make_containers()
    assert outlook.make_containers() == made == outlook.discover()
    for entity, name in names.items():
        assert list(mailbox.containers(entity.value).values()).count(name) == 1
        assert mailbox.containers(entity.value)[made["containers"][entity.value]] == name


def test_three_missing_containers_are_three_round_trips_and_known_ones_none(tenant: Tenant) -> None:
    names = {CONTACT: "Oro people", TASK: "Oro tasks", EVENT: "Oro calendar"}
    outlook = OutlookMailbox(tenant.client(), "me", containers=names, now=tenant.clock)
    outlook.discover()
    outlook.make_containers()
    assert outlook.requests_sent == 3  # what there is, all that is missing, and what there is now
    outlook.make_containers()
    assert outlook.requests_sent == 3


def test_a_container_that_may_not_be_made_ends_the_run_whatever_became_of_the_others(tenant: Tenant) -> None:
    names = {CONTACT: "Oro people", TASK: "Oro tasks"}
    outlook = OutlookMailbox(tenant.client(), "me", containers=names, now=tenant.clock)
    tenant.graph.fail_next("POST", "/contactFolders", 403, "ErrorAccessDenied")
    with pytest.raises(EntityForbidden):
        outlook.make_containers()


def test_what_is_made_in_a_named_container_lands_there_and_its_feed_shows_it(tenant: Tenant, mailbox: Mailbox) -> None:
    outlook = tenant.outlook(containers={CONTACT: "Oro", TASK: "Oro", EVENT: "Oro"})
    for entity, patch in ((CONTACT, {"givenName": "A"}), (TASK, {"title": "A"}), (EVENT, event())):
        cursor = page(outlook, entity).cursor
        mailbox.user_create(entity.value, patch)
        made = wrote(outlook, create(entity, patch))
        assert mailbox.item(entity.value, made.id)["container"] == "Oro"
        assert [each.id for each in page(outlook, entity, cursor).sightings] == [made.id]


def test_a_named_container_on_a_later_page_of_the_list_is_found(tenant: Tenant, mailbox: Mailbox) -> None:
    for number in range(120):
        mailbox.add_todo_list(f"list {number}")
    wanted = mailbox.add_todo_list("Oro")
    assert tenant.outlook(containers={TASK: "Oro"}).discover()["containers"]["task"] == wanted


def test_a_container_somebody_made_meanwhile_is_used(tenant: Tenant, mailbox: Mailbox) -> None:
    outlook = OutlookMailbox(tenant.client(), "me", containers={EVENT: "Oro"}, now=tenant.clock)

    def make(request: GraphRequest, _: object) -> None:
        if (request.method, request.path) == ("GET", "/me/calendars") and "Oro" not in mailbox.containers(
            "event"
        ).values():
            mailbox.add_calendar("Oro")

    tenant.graph.after_request(make)
    made = outlook.make_containers()
    assert list(mailbox.containers("event").values()).count("Oro") == 1
    assert mailbox.containers("event")[made["containers"]["event"]] == "Oro"


def test_mail_flags_are_no_task_list_of_ours(outlook: OutlookMailbox, mailbox: Mailbox) -> None:
    lists = mailbox.containers("task")
    assert len(lists) == 2
    assert outlook.discover()["containers"]["task"] == next(iter(lists))


def test_entities_that_are_switched_off_are_not_asked_about(tenant: Tenant) -> None:
    outlook = tenant.outlook(entities=[EVENT])
    with tenant.requests() as seen:
        assert outlook.discover()["containers"].keys() == {"event"}
        assert outlook.canary()
    assert not [each for each in seen if "/todo" in each.path or "/contact" in each.path]


def test_an_entity_without_permission_is_told_apart(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("GET", "/todo/lists", 403, "ErrorAccessDenied")
    facts = outlook.discover()
    assert (facts["forbidden"], facts["containers"]["task"]) == (["task"], None)
    outlook.use(facts)
    with pytest.raises(EntityForbidden):
        page(outlook, TASK)


def test_without_the_right_to_read_the_user_the_calendar_tells_whose_it_is(
    outlook: OutlookMailbox, tenant: Tenant
) -> None:
    tenant.graph.fail_next("GET", "^/me$", 403, "Authorization_RequestDenied")
    facts = outlook.discover()
    assert (facts["mailbox_id"], facts["address"]) == (UPN, UPN)


def test_without_the_right_to_read_the_zone_nothing_is_guessed(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("GET", "/mailboxSettings", 403, "ErrorAccessDenied")
    with pytest.raises(AccountBlocked) as raised:
        outlook.discover()
    assert "MailboxSettings.Read" in str(raised.value)


def test_a_mailbox_that_does_not_exist_is_named_as_the_trouble(tenant: Tenant) -> None:
    with pytest.raises(AccountBlocked) as raised:
        tenant.outlook("nobody@contoso.example")
    assert "mailbox" in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "error"), [(429, None, Throttled), (200, b'{"value": 3}', SideFailing), (200, b"7", SideFailing)]
)
def test_trouble_while_finding_out_is_raised(
    outlook: OutlookMailbox, tenant: Tenant, status: int, body: bytes | None, error: type
) -> None:
    tenant.graph.fail_next("GET", "/todo/lists", status, "x", body=body)
    with pytest.raises(error):
        outlook.discover()


def test_the_canary_sings_while_everything_in_use_can_be_read(outlook: OutlookMailbox) -> None:
    assert outlook.canary()


@pytest.mark.parametrize("path", ["/mailboxSettings", "/contacts", "/todo/lists", "/calendars"])
@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_the_canary_is_silent_when_something_in_use_cannot_be_read(
    outlook: OutlookMailbox, tenant: Tenant, path: str, status: int
) -> None:
    tenant.graph.fail_next("GET", path, status, "x")
    assert outlook.canary() is False


def test_the_canary_is_silent_when_the_sign_in_ended_or_nobody_answers(outlook: OutlookMailbox, tenant: Tenant) -> None:
    tenant.graph.fail_next("POST", "batch", 0, "", drop=True)
    assert outlook.canary() is False
    tenant.graph.tokens.clear()
    assert outlook.canary() is False


def test_the_canary_is_silent_when_the_chosen_list_was_deleted(tenant: Tenant) -> None:
    outlook = tenant.outlook(containers={TASK: "Oro"})
    assert outlook.canary()
    service = tenant.client()
    listed = outlook.discover()["containers"]["task"]
    service.send("DELETE", f"/me/todo/lists/{listed}")
    assert outlook.canary() is False
