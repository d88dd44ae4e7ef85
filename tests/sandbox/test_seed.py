"""Seed data is the same for one seed, different for another, and has what real data has."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from orosync.sandbox import seed as seeding
from orosync.sandbox.graph import GraphSandbox
from orosync.sandbox.oro import OroSandbox

NOW = datetime(2025, 3, 5, 9, 30, tzinfo=UTC)


def filled(seed: int = 7, **counts: int) -> tuple[GraphSandbox, OroSandbox, seeding.SeededPeople]:
    graph, oro = GraphSandbox(lambda: NOW, seed=seed), OroSandbox(lambda: NOW, seed=seed)
    return graph, oro, seeding.seed(graph, oro, seed=seed, **counts)


def books(graph: GraphSandbox, oro: OroSandbox) -> list[Any]:
    mailbox = graph.mailbox(seeding.MAILBOX)
    return [oro.contacts(), oro.tasks(), oro.events(), *(mailbox.items(kind) for kind in ("contact", "task", "event"))]


def test_one_seed_makes_the_same_records_every_time_and_another_makes_others() -> None:
    first, again, other = filled(), filled(), filled(8)
    assert books(first[0], first[1]) == books(again[0], again[1])
    assert first[2].api_key == again[2].api_key != other[2].api_key
    assert books(first[0], first[1]) != books(other[0], other[1])


def test_a_process_that_simulates_one_system_alone_has_the_same_half() -> None:
    graph, oro, _ = filled(contacts=10, tasks=5, events=5)
    alone, made = GraphSandbox(lambda: NOW, seed=7), seeding.SeededPeople("", "", "", "")
    halves = seeding.Halves(seeding.add_mailbox(alone), None, NOW.date())
    seeding.fill(halves, made, contacts=10, tasks=5, events=5, seed=7)
    for kind in ("contact", "task", "event"):
        assert alone.mailbox(seeding.MAILBOX).items(kind) == graph.mailbox(seeding.MAILBOX).items(kind)  # type: ignore[arg-type]
    other = OroSandbox(lambda: NOW, seed=7)
    halves = seeding.Halves(None, seeding.add_user(other, 7), NOW.date())
    seeding.fill(halves, seeding.SeededPeople("", "", "", ""), contacts=10, tasks=5, events=5, seed=7)
    assert [each["lastName"] for each in other.contacts()] == [each["lastName"] for each in oro.contacts()]
    assert other.tasks() == oro.tasks()


def test_the_traps_of_real_data_are_among_the_records() -> None:
    graph, oro, made = filled()
    contacts, mailbox = oro.contacts(), graph.mailbox(made.upn)
    assert max(len(each["emails"]) for each in contacts) == 5
    assert max(len(each["phones"]) for each in contacts) == 3
    assert any("<strong>" in str(each["description"]) for each in contacts)
    assert any(not address["types"] for each in contacts for address in each["addresses"])
    assert any(str(each["birthday"]) in {"1984-02-29", str(date(1984, 2, 29))} for each in contacts)
    names = [f"{each['givenName']} {each['surname']}" for each in mailbox.items("contact")]
    assert len(names) - len(set(names)) == made.expected["contact"].spare == 1
    assert {each["status"] for each in oro.tasks()} == {"open", "in_progress", "closed"}
    assert "waitingOnOthers" in {each["status"] for each in mailbox.items("task")}
    events = mailbox.items("event")
    assert {each["sensitivity"] for each in events} >= {"normal", "private", "confidential"}
    assert {each["isOrganizer"] for each in events} == {True, False}
    assert any(each["attendees"] and each["isOrganizer"] for each in events)
    assert any(each["isAllDay"] for each in events)
    assert any(each["parentEventId"] for each in oro.events()), "an invitation's copy"
    assert mailbox.outbox == [], "making them mailed nobody"
    scripts = {name for text in names for letter in text if (name := _script(letter))}
    assert scripts >= {"latin", "cyrillic", "arabic"}


def _script(letter: str) -> str:
    ranges = {"latin": (0x41, 0x24F), "cyrillic": (0x400, 0x4FF), "arabic": (0x600, 0x6FF), "cjk": (0x3040, 0x9FFF)}
    return next((name for name, (first, last) in ranges.items() if first <= ord(letter) <= last), "")


def test_more_people_than_the_table_has_are_still_different_people() -> None:
    _, oro, made = filled(contacts=200, tasks=0, events=0)
    names = [(each["firstName"], each["lastName"]) for each in oro.contacts()]
    assert len(names) == len(set(names)) == made.expected["contact"].only_in_oro + made.expected["contact"].pairs


def test_around_the_contacts_there_are_accounts_opportunities_cases_and_leads() -> None:
    _, oro, _ = filled()
    accounts, deals = oro.crm_records("accounts"), oro.crm_records("opportunities")
    assert sorted(number for each in accounts for number in each["contacts"]) == [each["id"] for each in oro.contacts()]
    assert len({each["name"] for each in accounts}) == len(accounts) > 3
    assert {each["status"] for each in deals} >= {"won", "lost", "negotiation"}
    assert all(each["budgetAmountValue"] > 0 and each["account"] and each["contact"] for each in deals)
    assert {each["status"] for each in oro.crm_records("cases")} >= {"open", "resolved"}
    known = {address for each in oro.contacts() for address in each["emails"]}
    leads = [address for each in oro.crm_records("leads") for address in each["emails"]]
    assert sum(address in known for address in leads) == 1, "one address belongs to a contact and to a lead"
    assert any(each["contacts"] for each in oro.tasks())
    again = filled()[1]
    assert [again.crm_records(kind) for kind in ("accounts", "opportunities", "cases", "leads")] == [
        oro.crm_records(kind) for kind in ("accounts", "opportunities", "cases", "leads")
    ]
