"""The command line end to end: two simulated systems as processes of their own, and `orosync` as a third."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cli.houses import House

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def written(report: dict[str, Any]) -> int:
    return sum(sum(counts[side].values()) for counts in report["entities"].values() for side in ("outlook", "oro"))


def test_a_person_adds_an_account_looks_syncs_and_takes_it_back(house: House) -> None:
    assert house.add().code == 0
    assert house.run("accounts", "check", "anna").code == 0

    preview = house.run("sync", "anna", "--preview", "--json")
    assert preview.code == 0, preview.err
    planned = preview.json
    assert planned["state"] == "done"
    assert written(planned) > 0
    assert all(op["rule"] and op["reason"] for op in planned["ops"])
    contacts_before, oro_before = len(house.mailbox("contact")), len(house.oro.get("contacts"))

    first = house.run("sync", "anna", "--json", "--approve", planned["plan_hash"])
    assert first.code == 0, first.err
    done = first.json
    assert written(done) == written(planned)
    assert done["entities"]["contact"]["outlook"]["created"] == len(house.mailbox("contact")) - contacts_before == 4
    assert done["entities"]["contact"]["oro"]["created"] == len(house.oro.get("contacts")) - oro_before == 4
    assert set(done) >= {"run", "account", "state", "plan_hash", "entities", "requests", "seconds"}

    second = house.run("sync", "anna", "--json")
    assert second.code == 0
    assert written(second.json) == 0

    explained = house.run("explain", "anna", "1", "--entity", "contact", "--json").json
    assert "one record" in explained["found"]["contact"][0]
    assert any("only_in_oro" in line for line in explained["found"]["contact"])

    shown = house.run("runs", "show", done["run"][:8], "--json").json
    assert len(shown["ops"]) == written(done)

    seen = house.run("undo", done["run"], "--preview", "--json").json
    assert len(seen["taken_back"]) == written(done)
    taken = house.run("undo", done["run"], "--json")
    assert taken.code == 0, taken.err
    assert len(house.mailbox("contact")) == contacts_before
    assert len(house.oro.get("contacts")) == oro_before
    assert written(house.run("sync", "anna", "--json").json) == 0, "what was taken back stays taken back"


def test_a_resync_pairs_again_and_writes_nothing_where_both_sides_agree(house: House) -> None:
    house.add()
    house.run("sync", "anna")
    assert written(house.run("resync", "anna", "--preview", "--json").json) == 0
    again = house.run("resync", "anna", "--json")
    assert (again.code, written(again.json)) == (0, 0)


def test_replacing_asks_first_and_then_makes_the_outlook_items_anew(house: House) -> None:
    house.add()
    house.run("settings", "set", "guard.deletes_at_least=2")
    house.run("sync", "anna")
    before = {item["id"] for item in house.mailbox("contact")}

    held = house.run("resync", "anna", "--mode", "replace", "--json")
    assert held.code == 3
    assert held.json["limits"]
    assert {item["id"] for item in house.mailbox("contact")} == before

    approved = house.run("resync", "anna", "--mode", "replace", "--json", "--approve", held.json["plan_hash"])
    assert approved.code == 0, approved.err + approved.out
    after = {item["id"] for item in house.mailbox("contact")}
    assert len(after) == len(before)
    # only the spare copy of a pair, which is nobody's partner, is still the same item
    assert len(after & before) == 1


def test_a_conflict_is_asked_about_and_the_answer_travels_with_the_next_run(house: House) -> None:
    house.add()
    house.run("settings", "set", "conflict_resolution=ask")
    house.run("sync", "anna")
    linked = json.loads(house.run("accounts", "show", "anna", "--json").out)["linked"]
    assert linked["contact"] > 0
    house.oro.send("PATCH", "contacts/1", {"jobTitle": "As OroCRM has it"})
    first = str(house.oro.get("contacts/1")["lastName"])
    item = next(each for each in house.mailbox("contact") if each["surname"] == first)
    where = f"mailboxes/{house.graph.told['upn']}/contact/{item['id']}"
    house.graph.send("PATCH", where, {"jobTitle": "As Outlook has it"})

    asked = house.run("sync", "anna", "--json").json
    assert asked["entities"]["contact"]["conflicts"] == 1
    assert house.oro.get("contacts/1")["jobTitle"] == "As OroCRM has it"
    [conflict] = house.run("conflicts", "list", "--json").json
    assert conflict["choice"] is None

    assert house.run("conflicts", "resolve", str(conflict["id"]), "--take", "outlook").code == 0
    assert house.run("sync", "anna").code == 0
    assert house.oro.get("contacts/1")["jobTitle"] == "As Outlook has it"
    assert house.run("conflicts", "list", "--json").json == []

    house.oro.send("PATCH", "contacts/1", {"jobTitle": "Another day"})
    house.graph.send("PATCH", where, {"jobTitle": "Another night"})
    assert house.run("sync", "anna", "--json").json["entities"]["contact"]["conflicts"] == 1, "asked anew"
    assert house.oro.get("contacts/1")["jobTitle"] == "Another day"


def test_a_record_that_is_refused_rests_in_quarantine_and_the_others_are_synced(house: House) -> None:
    house.add()
    refusal = {"errors": [{"status": "400", "title": "not blank constraint", "detail": "Refused by a validator."}]}
    house.oro.send("POST", "faults", {"method": "POST", "path": "/api/contacts", "status": 400, "body": refusal})
    first = house.run("sync", "anna", "--json")
    assert first.code == 5
    assert first.json["entities"]["contact"]["quarantined"] == 1
    assert first.json["entities"]["contact"]["oro"]["created"] == 3
    [row] = house.run("quarantine", "list", "--json").json
    assert row["entity"] == "contact"

    assert house.run("sync", "anna").code == 5, "it rests there still"
    assert house.run("quarantine", "retry", "anna").code == 0
    again = house.run("sync", "anna", "--json")
    assert (again.code, again.json["entities"]["contact"]["oro"]["created"]) == (0, 1)
