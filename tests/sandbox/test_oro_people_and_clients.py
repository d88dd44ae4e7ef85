"""What people do in the back office of the simulated OroCRM, what other API clients do, and who may see it."""

import pytest
from tests.sandbox.oro_caller import LEGACY, OroCaller, contact

from orosync.sandbox.oro import OroSandbox, RefusedEdit


@pytest.fixture
def oro() -> OroCaller:
    return OroCaller()


def test_a_persons_edit_of_an_email_moves_updated_at_and_another_clients_does_not(oro):
    number = oro.oro.back_office.create("contact", {"firstName": "A", "emails": ["a@example.com"]})
    before = oro.oro.contact(number)["updatedAt"]
    oro.wait()
    oro.oro.api_client_edit("contact", number, {"emails": ["b@example.com"]})
    assert oro.oro.contact(number)["emails"] == ["b@example.com"]
    assert oro.oro.contact(number)["updatedAt"] == before
    oro.oro.back_office.edit("contact", number, {"emails": ["c@example.com"]})
    assert oro.oro.contact(number)["updatedAt"] > before


def test_another_client_changes_one_address_and_the_contact_does_not_move(oro):
    values = {"firstName": "A", "addresses": [{"street": "Old", "country": "DE", "types": ["billing"]}]}
    number = oro.oro.back_office.create("contact", values)
    before = oro.oro.contact(number)
    oro.wait()
    oro.oro.api_client_edit_address(before["addresses"][0]["id"], {"street": "New"})
    after = oro.oro.contact(number)
    assert after["addresses"][0]["street"] == "New"
    assert after["addresses"][0]["types"] == ["billing"]
    assert after["addresses"][0]["updatedAt"] > before["addresses"][0]["updatedAt"]
    assert after["updatedAt"] == before["updatedAt"]


def test_an_edit_oro_would_refuse_changes_nothing_and_says_why(oro):
    number = oro.oro.back_office.create("contact", {"firstName": "A"})
    before = oro.oro.contact(number)
    with pytest.raises(RefusedEdit, match="100 characters"):
        oro.oro.back_office.edit("contact", number, {"lastName": "L", "firstName": "x" * 101})
    assert oro.oro.contact(number) == before


def test_a_person_closes_a_task_with_the_workflow_and_without_it(oro):
    office = oro.oro.back_office
    ruled = office.create("task", {"subject": "ruled"})
    office.transit(ruled, "close")
    with pytest.raises(RefusedEdit, match="start_progress"):
        office.transit(ruled, "start_progress")
    office.set_workflow_active(active=False)
    free = office.create("task", {"subject": "free", "status": "closed"})
    assert [task["status"] for task in oro.oro.tasks()] == ["closed", "closed"]
    assert oro.oro.task(free)["workflowItem"] is None


def test_a_record_that_changed_hands_is_403_and_a_deleted_one_404(oro):
    office = oro.oro.back_office
    mine = office.create("contact", {"firstName": "A", "owner": 4})
    assert oro("GET", f"/api/contacts/{mine}", user="rita").status_code == 200
    office.change_owner("contact", mine, oro.users["bob"])
    assert oro("GET", f"/api/contacts/{mine}", user="rita").status_code == 403
    assert oro.ids("/api/contacts", user="rita") == []
    office.delete("contact", mine)
    assert oro("GET", f"/api/contacts/{mine}", user="rita").status_code == 404


def test_permission_can_be_taken_per_entity_and_action(oro):
    oro.oro.set_permission("bob", "contact", "delete", "none")
    number = oro.oro.back_office.create("contact", {"firstName": "A"})
    assert oro("DELETE", f"/api/contacts/{number}", user="bob").status_code == 403
    oro.oro.set_permission("bob", "event", "*", "none")
    assert oro("GET", f"{LEGACY}/calendars/default", user="bob").status_code == 403
    with pytest.raises(ValueError, match="'invoice'"):
        oro.oro.set_permission("bob", "invoice", "view", "own")


def test_a_deleted_contact_vanishes_from_its_tasks_without_moving_them(oro):
    office = oro.oro.back_office
    person = office.create("contact", {"firstName": "A"})
    task = office.create("task", {"subject": "x", "contacts": [person]})
    before = oro.oro.task(task)["updatedAt"]
    oro.wait()
    office.delete("contact", person)
    assert oro.oro.task(task)["contacts"] == []
    assert oro.oro.task(task)["updatedAt"] == before


def test_an_invited_user_gets_a_copy_that_follows_and_goes_with_its_parent(oro):
    times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
    guests = [{"email": "bob@example.com", "type": "required"}, {"email": "out@example.net", "type": "required"}]
    number = oro.oro.back_office.create("event", {"title": "Plan", **times, "attendees": guests})
    calendar = oro.oro.calendar_of("bob")
    (copy,) = oro.oro.events(calendar)
    assert (copy["parentEventId"], copy["isOrganizer"], copy["editable"]) == (number, False, False)
    assert copy["uid"] == oro.oro.event(number)["uid"]
    oro.oro.back_office.edit("event", number, {"title": "Plan B"})
    assert oro.oro.events(calendar)[0]["title"] == "Plan B"
    with pytest.raises(RefusedEdit, match="Attendees list cannot be changed"):
        oro.oro.back_office.edit("event", copy["id"], {"title": "Bob renames"})
    oro.oro.back_office.delete("event", number)
    assert oro.oro.events() == []


def test_no_mail_goes_out_unless_notify_attendees_asks_for_it(oro):
    times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
    guests = [{"email": "bob@example.com"}, {"email": "out@example.net"}]
    number = oro.oro.back_office.create("event", {"title": "Plan", **times, "attendees": guests})
    assert oro.oro.mails == []
    oro.oro.back_office.edit("event", number, {"attendees": guests[:1], "notifyAttendees": "added_or_deleted"})
    assert [(mail.to, mail.kind) for mail in oro.oro.mails] == [("out@example.net", "cancellation")]
    oro.oro.back_office.edit("event", number, {"title": "Other", "notifyAttendees": "all"})
    assert [mail.to for mail in oro.oro.mails] == ["out@example.net", "bob@example.com"]


def test_the_audit_lags_while_its_consumer_stands_still(oro):
    oro.oro.settings.audit_consumer_running = False
    number = oro.oro.back_office.create("contact", {"firstName": "A"})
    oro.oro.back_office.delete("contact", number)
    assert oro("GET", f"{LEGACY}/audits?action=remove&page=1&limit=10").json == []
    oro.oro.run_consumer()
    (entry,) = oro("GET", f"{LEGACY}/audits?action=remove&page=1&limit=10").json
    assert (entry["objectId"], entry["data"]["firstName"]) == ("1", {"old": "A", "new": None})


def test_tags_are_seen_through_the_api_and_move_nothing(oro):
    number = oro.oro.back_office.create("contact", {"firstName": "A"})
    before = oro.oro.contact(number)["updatedAt"]
    oro.wait()
    oro.oro.back_office.tag("contact", number, ["Outlook"])
    shown = oro("GET", f"/api/contacts/{number}?include=tags&fields[contacts]=tags").json
    assert [tag["attributes"]["name"] for tag in shown["included"]] == ["Outlook"]
    assert oro.oro.contact(number)["updatedAt"] == before


def test_a_refused_request_leaves_nothing_behind(oro):
    wrong = contact({"firstName": "A"}, addresses=[{"type": "contactaddresses", "id": "n1"}])
    wrong["included"] = [{"type": "contactaddresses", "id": "n1", "attributes": {"street": "s"}}]
    assert oro("POST", "/api/contacts", wrong).status_code == 400
    assert oro.oro.contacts() == []
    assert oro("GET", "/api/contactaddresses").json["data"] == []


def test_the_same_seed_gives_the_same_keys_and_another_seed_other_ones():
    keys = [OroSandbox(seed=seed).add_user("a", email="a@example.com").api_key for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) == 40
