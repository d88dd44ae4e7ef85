"""Accounts, leads, opportunities and cases of the simulated OroCRM beyond the recorded exchanges."""

import pytest
from tests.sandbox.oro_caller import LEGACY, OroCaller

from orosync.sandbox.oro import RefusedEdit


@pytest.fixture
def oro():
    return OroCaller()


def record(kind, attributes, number=None, **relations):
    data = {"type": kind, "attributes": attributes}
    if number is not None:
        data["id"] = str(number)
    if relations:
        data["relationships"] = {name: {"data": value} for name, value in relations.items()}
    return {"data": data}


def test_an_account_and_its_contacts_know_each_other_from_either_side(oro):
    office = oro.oro.back_office
    grace, mini = (office.create("contact", {"firstName": name}) for name in ("Grace", "Mini"))
    acme = office.create("account", {"name": "Acme", "contacts": [grace], "defaultContact": grace})
    office.edit("contact", mini, {"accounts": [acme]})
    shown = oro("GET", f"/api/accounts/{acme}?fields[accounts]=contacts").json["data"]["relationships"]
    assert [each["id"] for each in shown["contacts"]["data"]] == [str(grace), str(mini)]
    answer = oro("GET", f"/api/contacts/{grace}?include=accounts&fields[accounts]=name").json
    assert answer["included"][0]["attributes"] == {"name": "Acme"}
    assert answer["data"]["relationships"]["defaultInAccounts"]["data"] == [{"type": "accounts", "id": str(acme)}]
    assert oro.ids(f"/api/contacts?filter[accounts]={acme}") == [str(grace), str(mini)]
    office.delete("account", acme)
    assert oro.ids(f"/api/contacts?filter[accounts]={acme}") == []


def test_a_deleted_contact_leaves_its_opportunities_cases_and_notes_behind_without_it(oro):
    office = oro.oro.back_office
    person = office.create("contact", {"firstName": "A"})
    firm = office.create("account", {"name": "Firm"})
    deal = office.create("opportunity", {"name": "Deal", "account": firm, "contact": person, "status": "won"})
    case = office.create(
        "case", {"subject": "C", "source": "web", "status": "open", "priority": "low", "relatedContact": person}
    )
    office.create("note", {"message": "called", "targets": [("contacts", person)]})
    office.delete("contact", person)
    assert oro.ids("/api/opportunities") == [str(deal)]
    assert oro.ids("/api/cases") == [str(case)]
    assert oro.ids(f"/api/opportunities?filter[contact]={person}") == []
    assert oro.ids(f"/api/notes?filter[activityTargets][contacts]={person}") == []
    assert oro.oro.crm_records("cases")[0]["relatedContact"] is None


def test_leads_are_found_by_any_of_their_addresses_and_case_counts(oro):
    office = oro.oro.back_office
    lead = office.create("lead", {"name": "L", "emails": ["one@example.com", "Two@example.com"]})
    assert oro.ids("/api/leads?filter[emails]=nobody@example.com,Two@example.com") == [str(lead)]
    assert oro.ids("/api/leads?filter[emails]=two@example.com") == []
    assert oro.ids("/api/leads?filter[primaryEmail]=one@example.com") == [str(lead)]


def test_searching_takes_beginnings_of_words_in_any_case_and_keeps_to_what_the_user_may_see(oro):
    office = oro.oro.back_office
    person = office.create("contact", {"firstName": "Anna", "emails": ["Anna.Becker@Example.com"]})
    lead = office.create("lead", {"name": "New", "emails": ["anna.becker@example.com"]})
    found = oro.ids("/api/search?filter[searchText]=anna.becker@example.com&filter[entities]=contacts,leads")
    assert set(found) == {f"contacts-{person}", f"leads-{lead}"}
    oro.oro.set_permission("bob", "lead", "view", "none")
    assert oro.ids("/api/search?filter[searchText]=anna.becker@example.com", user="bob") == [f"contacts-{person}"]
    assert oro.ids("/api/search?filter[searchText]=nobody@example.com") == []
    assert oro("GET", "/api/search?filter[name]=x").status_code == 400


def test_a_user_sees_and_changes_only_what_the_role_lets_through(oro):
    office = oro.oro.back_office
    firm = office.create("account", {"name": "Firm"})
    assert oro("GET", f"/api/accounts/{firm}", user="rita").status_code == 403
    own = oro("POST", "/api/accounts", record("accounts", {"name": "Own"}), user="rita").json["data"]["id"]
    assert oro.ids("/api/accounts", user="rita") == [own]
    assert oro("GET", "/api/opportunities", user="rita").status_code == 403
    assert oro("POST", "/api/leads", record("leads", {"name": "x"}), user="rita").status_code == 403


def test_changing_a_record_moves_its_time_and_a_change_of_nothing_does_not(oro):
    lead = oro.oro.back_office.create("lead", {"name": "L"})
    first = oro.oro.crm_record("leads", lead)["updatedAt"]
    oro.wait(60)
    assert oro("PATCH", f"/api/leads/{lead}", record("leads", {"name": "L"}, lead)).status_code == 200
    assert oro.oro.crm_record("leads", lead)["updatedAt"] == first
    oro("PATCH", f"/api/leads/{lead}", record("leads", {"name": "M"}, lead))
    assert oro.oro.crm_record("leads", lead)["updatedAt"] > first


def test_wrong_values_are_refused_at_their_fields(oro):
    answer = oro("POST", "/api/leads", record("leads", {"name": "x" * 256, "primaryEmail": "nobody", "colour": "red"}))
    assert answer.status_code == 400
    pointers = {each.get("source", {}).get("pointer") for each in answer.json["errors"]}
    assert pointers == {None, "/data/attributes/name", "/data/attributes/primaryEmail"}
    with pytest.raises(RefusedEdit, match="closeDate"):
        oro.oro.back_office.create("opportunity", {"name": "x", "closeDate": "soon"})


def test_the_older_api_lists_what_is_about_a_contact(oro):
    office = oro.oro.back_office
    person = office.create("contact", {"firstName": "A"})
    office.create("note", {"message": "n", "targets": [("contacts", person)]})
    office.create("task", {"subject": "Call A", "contacts": [person]})
    times = {"start": "2026-12-05T09:00:00Z", "end": "2026-12-05T10:00:00Z"}
    office.create("event", {"title": "Lunch", **times, "contacts": [person]})
    rows = oro("GET", f"{LEGACY}/activities/targets/contacts/{person}").json
    assert [(row["entity"].rsplit("\\", 1)[1], row["title"]) for row in rows] == [
        ("Note", "Item #1"),
        ("Task", "Call A"),
        ("CalendarEvent", "Lunch"),
    ]
    assert oro("GET", f"{LEGACY}/activities/targets/contacts/99").status_code == 404
