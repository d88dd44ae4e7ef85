"""People behind addresses, what there is about them, and new records, against the simulated OroCRM."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.oro.conftest import URL, World

from orosync.core.beside_mail import Amount, Firm, Group, Made, NewRecord, NotMade
from orosync.errors import EntityForbidden, RecordMissing, RecordRefused, SideFailing, SignInNeeded
from orosync.oro.beside_mail import SHOWN, people, related, spellings
from orosync.oro.quick_create import create


def found(world: World, *addresses: str, user: str = "admin") -> dict[str, list[tuple[str, str]]]:
    answer = people(world.client(user), addresses)
    return {each: [(person.type, person.id) for person in some] for each, some in answer.by_address.items()}


def groups(world: World, type_: str, number: int, user: str = "admin") -> dict[str, Group]:
    calendar = str(world.oro.calendar_of(user))
    answer = related(world.client(user), type_, str(number), calendar, world.clock())
    return {group.type: group for group in answer}


def titles(group: Group) -> list[str]:
    return [item.title for item in group.items]


def make(world: World, new: NewRecord, user: str = "admin", zone: str = "UTC") -> Made | NotMade:
    number = str(world.oro.user(user).id)
    return create(world.client(user), new, user=number, zone=zone, now=world.clock())


def made(world: World, new: NewRecord, **other: Any) -> Made:
    answer = make(world, new, **other)
    assert isinstance(answer, Made), answer
    return answer


def refused(world: World, new: NewRecord, **other: Any) -> dict[str, str]:
    answer = make(world, new, **other)
    assert isinstance(answer, NotMade), answer
    return dict(answer.errors)


# ------------------------------------------------------------------------------------------------ people


def test_everybody_with_an_address_is_found_with_company_and_page(world: World) -> None:
    office = world.oro.back_office
    anna = office.create(
        "contact",
        {
            "firstName": "Anna",
            "lastName": "Becker",
            "jobTitle": "Buyer",
            "emails": ["info@acme.example", "anna@acme.example"],
            "phones": ["+1 555 0100"],
        },
    )
    acme = office.create("account", {"name": "Acme", "contacts": [anna]})
    lead = office.create(
        "lead", {"name": "Web form", "firstName": "A.", "companyName": "Acme?", "emails": ["anna@acme.example"]}
    )
    answer = people(world.client(), ["anna@acme.example", "nobody@else.example"])
    contact, asked = answer.by_address["anna@acme.example"]
    assert (contact.type, contact.id, contact.name) == ("contact", str(anna), "Anna Becker")
    assert (contact.job_title, contact.phone) == ("Buyer", "+1 555 0100")
    assert contact.emails == ("info@acme.example", "anna@acme.example")
    assert contact.accounts == (Firm(str(acme), "Acme", f"{URL}/account/view/{acme}"),)
    assert contact.url == f"{URL}/contact/view/{anna}"
    assert (asked.type, asked.id, asked.name, asked.company) == ("lead", str(lead), "A.", "Acme?")
    assert asked.url == f"{URL}/lead/view/{lead}"
    assert answer.by_address["nobody@else.example"] == ()


def test_an_address_of_several_people_gives_all_of_them(world: World) -> None:
    office = world.oro.back_office
    numbers = [office.create("contact", {"firstName": name, "emails": ["office@x.example"]}) for name in ("A", "B")]
    assert found(world, "office@x.example") == {"office@x.example": [("contact", str(each)) for each in numbers]}


@pytest.mark.parametrize("stored", ["Anna.Becker@x.example", "ANNA.BECKER@X.EXAMPLE", "anna.becker@X.example"])
@pytest.mark.parametrize("asked", ["anna.becker@x.example", "Anna.Becker@X.Example"])
def test_letters_of_either_case_find_the_same_person(world: World, stored: str, asked: str) -> None:
    number = world.oro.back_office.create("contact", {"firstName": "Anna", "emails": [stored]})
    assert found(world, asked) == {asked: [("contact", str(number))]}


def test_usual_spellings_are_asked_for_at_once() -> None:
    assert spellings("ANNA.becker-groß@X.example") == [
        "ANNA.becker-groß@X.example",
        "anna.becker-groß@x.example",
        "Anna.Becker-Groß@x.example",
    ]
    assert spellings("7@x.example") == ["7@x.example"]


def test_twenty_addresses_cost_two_requests_when_all_are_known(world: World) -> None:
    addresses = [f"person{number}@x.example" for number in range(20)]
    for address in addresses:
        world.oro.back_office.create("contact", {"firstName": "P", "emails": [address]})
    world.requests()
    assert all(found(world, *addresses).values())
    assert len(world.requests()) == 2


def test_strangers_are_searched_for_a_few_times_only(world: World) -> None:
    world.requests()
    assert not any(found(world, *(f"stranger{number}@x.example" for number in range(20))).values())
    seen = world.requests()
    assert sum("/api/search" in each for each in seen) == 5
    assert len(seen) == 7


def test_long_lists_of_addresses_are_split_so_that_no_request_grows_too_long(world: World) -> None:
    addresses = [f"{'ö' * 200}{number}@x.example" for number in range(20)]
    number = world.oro.back_office.create("contact", {"firstName": "P", "emails": [addresses[-1]]})
    assert found(world, *addresses)[addresses[-1]] == [("contact", str(number))]
    assert max(len(each.path) for each in world.logged()) < 6_000


def test_a_word_that_the_search_finds_elsewhere_is_no_match(world: World) -> None:
    world.oro.back_office.create("contact", {"firstName": "anna@x.example", "emails": ["other@x.example"]})
    assert found(world, "anna@x.example") == {"anna@x.example": []}


def test_a_search_that_is_refused_hides_nobody_who_was_found_without_it(world: World) -> None:
    number = world.oro.back_office.create("contact", {"firstName": "A", "emails": ["a@x.example"]})
    world.oro.fail_next("GET", "/api/search", 403)
    assert found(world, "a@x.example", "b@x.example")["a@x.example"] == [("contact", str(number))]


def test_without_permission_for_leads_contacts_are_found_and_leads_told_as_forbidden(world: World) -> None:
    number = world.oro.back_office.create("contact", {"firstName": "A", "owner": 4, "emails": ["a@x.example"]})
    world.oro.back_office.create("lead", {"name": "L", "emails": ["a@x.example"]})
    answer = people(world.client("rita"), ["a@x.example"])
    assert [person.id for person in answer.by_address["a@x.example"]] == [str(number)]
    assert answer.forbidden == ("lead",)
    nothing = people(world.client("nina"), ["a@x.example"])
    assert (nothing.by_address, nothing.forbidden) == ({"a@x.example": ()}, ("contact", "lead"))


def test_an_account_that_may_not_be_seen_is_left_out(world: World) -> None:
    number = world.oro.back_office.create("contact", {"firstName": "A", "owner": 4, "emails": ["a@x.example"]})
    world.oro.back_office.create("account", {"name": "Hidden", "contacts": [number]})
    (person,) = people(world.client("rita"), ["a@x.example"]).by_address["a@x.example"]
    assert person.accounts == ()


def test_a_refused_sign_in_and_an_answer_that_makes_no_sense_are_errors(world: World) -> None:
    world.oro.user("admin").api_key, key = "0" * 40, world.oro.user("admin").api_key
    client = world.client()
    world.oro.user("admin").api_key = key
    with pytest.raises(SignInNeeded):
        people(client, ["a@x.example"])
    world.oro.fail_next("GET", "/api/contacts", 400, {"errors": [{"status": "400", "title": "odd"}]})
    with pytest.raises(SideFailing):
        people(world.client(), ["a@x.example"])


# ------------------------------------------------------------------------------------------------ records around them


@pytest.fixture
def person(world: World) -> int:
    return world.oro.back_office.create("contact", {"firstName": "Anna", "emails": ["Anna@x.example"]})


def test_records_of_a_contact_come_in_groups_with_status_amount_and_page(world: World, person: int) -> None:
    office = world.oro.back_office
    firm = office.create("account", {"name": "Firm", "contacts": [person]})
    money = {"budgetAmountValue": 12_500, "budgetAmountCurrency": "EUR", "closeDate": "2027-01-31"}
    deal = office.create(
        "opportunity", {"name": "Deal", "account": firm, "contact": person, "status": "negotiation", **money}
    )
    office.create("opportunity", {"name": "Other's", "account": firm, "status": "negotiation"})
    lead = office.create("lead", {"name": "Again", "contact": person})
    case = office.create(
        "case",
        {"subject": "Broken", "source": "web", "status": "in_progress", "priority": "low", "relatedContact": person},
    )
    task = office.create("task", {"subject": "Call", "contacts": [person], "dueDate": "2026-12-24T16:00:00Z"})
    office.create("task", {"subject": "Somebody else's"})
    answer = groups(world, "contact", person)
    assert list(answer) == ["opportunity", "lead", "case", "task", "event"]
    (one,) = answer["opportunity"].items
    assert (one.id, one.title, one.status, one.due) == (str(deal), "Deal", "Negotiation", "2027-01-31")
    assert (one.amount, one.url) == (Amount(12_500.0, "EUR"), f"{URL}/opportunity/view/{deal}")
    (again,) = answer["lead"].items
    assert (again.title, again.status, again.url) == ("Again", "New", f"{URL}/lead/view/{lead}")
    (broken,) = answer["case"].items
    assert (broken.title, broken.status, broken.url) == ("Broken", "In Progress", f"{URL}/case/view/{case}")
    (call,) = answer["task"].items
    assert (call.title, call.status, call.due) == ("Call", "Open", "2026-12-24T16:00:00Z")
    assert call.url == f"{URL}/task/view/{task}"
    assert answer["event"].items == ()


def test_records_of_a_lead_are_its_opportunities_tasks_and_events(world: World) -> None:
    office = world.oro.back_office
    lead = office.create("lead", {"name": "L", "emails": ["l@x.example"]})
    firm = office.create("account", {"name": "Firm"})
    office.create("opportunity", {"name": "From it", "account": firm, "lead": lead, "status": "won"})
    office.create("task", {"subject": "Call", "targets": [("leads", lead)]})
    answer = groups(world, "lead", lead)
    assert {name: titles(group) for name, group in answer.items()} == {
        "opportunity": ["From it"],
        "task": ["Call"],
        "event": [],
    }


def test_what_came_in_counts_more_than_what_was_hoped_for(world: World, person: int) -> None:
    office = world.oro.back_office
    firm = office.create("account", {"name": "Firm"})
    values = {"account": firm, "contact": person, "budgetAmountValue": 100, "budgetAmountCurrency": "EUR"}
    revenue = {"closeRevenueValue": 90.5, "closeRevenueCurrency": "USD"}
    office.create("opportunity", {"name": "Won", "status": "won", **values, **revenue})
    (won,) = groups(world, "contact", person)["opportunity"].items
    assert won.amount == Amount(90.5, "USD")


def test_what_is_done_stands_last_and_a_long_list_is_cut_and_says_so(world: World, person: int) -> None:
    for number in range(SHOWN + 3):
        status = "closed" if number % 2 else "open"
        world.oro.back_office.create("task", {"subject": f"T{number}", "contacts": [person], "status": status})
    group = groups(world, "contact", person)["task"]
    assert group.more
    assert len(group.items) == SHOWN
    statuses = [item.status for item in group.items]
    assert statuses == sorted(statuses, key=lambda status: status == "Closed")
    assert titles(group)[0] == f"T{SHOWN + 2}", "the newest first"


def test_coming_events_that_the_person_attends_or_is_linked_with_are_shown_once_each(world: World, person: int) -> None:
    office = world.oro.back_office

    def event(title: str, days: float, **more: Any) -> int:
        start = world.clock() + timedelta(days=days)
        times = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{start + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
        return office.create("event", {"title": title, **times, **more})

    guest = [{"displayName": "Anna", "email": "anna@X.example", "type": "required", "status": "none"}]
    attended = event("Demo", 3, attendees=guest)
    event("Linked", 1, contacts=[person])
    event("Over", -2, attendees=guest)
    event("Far", 90, attendees=guest)
    event("Without", 2)
    rule = {"recurrenceType": "daily", "interval": 1, "occurrences": 4, "timeZone": "UTC"}
    start = (world.clock() + timedelta(days=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
    event("Daily", 4, attendees=guest, recurrence={**rule, "startTime": start})
    office.create("task", {"subject": "Due soon", "dueDate": "2026-12-02T09:00:00Z", "contacts": [person]})
    group = groups(world, "contact", person)["event"]
    assert titles(group) == ["Linked", "Demo", "Daily"]
    assert group.items[1].url == f"{URL}/calendar/event/view/{attended}"
    assert group.items[1].due == (world.clock() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_group_without_permission_is_forbidden_and_the_others_are_there(world: World) -> None:
    person = world.oro.back_office.create("contact", {"firstName": "A", "owner": 4})
    world.oro.back_office.create("task", {"subject": "Call", "owner": 4, "contacts": [person]})
    answer = groups(world, "contact", person, user="rita")
    assert [name for name, group in answer.items() if group.forbidden] == ["opportunity", "lead", "case"]
    assert titles(answer["task"]) == ["Call"]


def test_a_package_that_is_not_installed_and_a_calendar_that_is_not_there_are_forbidden_groups(
    world: World, person: int
) -> None:
    missing = {
        "errors": [{"status": "404", "title": "entity type constraint", "detail": "Unknown entity type: cases."}]
    }
    world.oro.fail_next("GET", "/api/cases", 404, missing)
    answer = related(world.client(), "contact", str(person), None, world.clock())
    assert [group.type for group in answer if group.forbidden] == ["case", "event"]


def test_somebody_who_is_gone_and_somebody_who_is_hidden_are_told_apart(world: World, person: int) -> None:
    with pytest.raises(RecordMissing):
        groups(world, "contact", 999)
    with pytest.raises(RecordRefused):
        groups(world, "contact", person, user="rita")


def test_all_groups_of_a_contact_cost_at_most_seven_requests(world: World, person: int) -> None:
    world.requests()
    groups(world, "contact", person)
    assert len(world.requests()) <= 7


# ------------------------------------------------------------------------------------------------ new records


def test_a_contact_is_made_from_a_mails_sender(world: World) -> None:
    firm = world.oro.back_office.create("account", {"name": "Firm"})
    new = NewRecord("contact", first_name="Anna", last_name="Becker", email="a@x.example", about=("account", str(firm)))
    answer = made(world, new)
    contact = world.oro.contact(int(answer.id))
    assert (contact["firstName"], contact["lastName"], contact["emails"]) == ("Anna", "Becker", ["a@x.example"])
    assert world.oro.crm_record("accounts", firm)["contacts"] == [int(answer.id)]
    assert (answer.url, answer.existed) == (f"{URL}/contact/view/{answer.id}", False)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Anna Maria Becker", ("Anna Maria", "Becker")),
        ("Becker, Anna", ("Anna", "Becker")),
        ("Acme", (None, "Acme")),
    ],
)
def test_a_name_in_one_piece_is_taken_apart(world: World, name: str, parts: tuple[str | None, str]) -> None:
    contact = world.oro.contact(int(made(world, NewRecord("contact", name=name)).id))
    assert (contact["firstName"], contact["lastName"]) == parts


def test_a_lead_goes_by_its_title_or_by_the_person(world: World) -> None:
    titled = made(world, NewRecord("lead", name="Offer", last_name="B", email="b@x.example"))
    untitled = made(world, NewRecord("lead", first_name="A", last_name="B", email="a@x.example"))
    bare = made(world, NewRecord("lead", email="c@x.example"))
    names = [world.oro.crm_record("leads", int(each.id))["name"] for each in (titled, untitled, bare)]
    assert names == ["Offer", "A B", "c@x.example"]


def test_a_task_is_due_at_the_end_of_the_day_in_the_users_zone_and_about_a_record(world: World) -> None:
    case = world.oro.back_office.create("case", {"subject": "C", "source": "web", "status": "open", "priority": "low"})
    new = NewRecord("task", subject="Call back", due_date="2026-12-24", about=("case", str(case)))
    answer = made(world, new, zone="Europe/Berlin")
    task = world.oro.task(int(answer.id))
    assert f"{task['dueDate']:%Y-%m-%dT%H:%MZ}" == "2026-12-24T22:59Z"
    assert (task["status"], task["taskPriority"], task["owner"]) == ("open", "normal", 1)
    assert world.oro.state.tasks.with_key("cases", case) == [int(answer.id)]


@pytest.mark.parametrize(
    "new",
    [
        NewRecord("contact", first_name="Anna", last_name="Becker", email="a@x.example"),
        NewRecord("contact", first_name="Anna", last_name="Becker"),
        NewRecord("contact", email="a@x.example"),
        NewRecord("lead", name="Offer", email="a@x.example"),
        NewRecord("lead", name="Offer"),
        NewRecord("task", subject="Call", due_date="2026-12-24"),
        NewRecord("task", subject="Call"),
    ],
)
def test_the_same_twice_is_made_once(world: World, new: NewRecord) -> None:
    first = made(world, new)
    world.clock.forward(minutes=2)
    again = made(world, new)
    assert (again.id, again.url, first.existed, again.existed) == (first.id, first.url, False, True)
    assert len(world.oro.contacts()) + len(world.oro.crm_records("leads")) + len(world.oro.tasks()) == 1


def test_what_differs_is_made_and_what_was_made_long_ago_too(world: World) -> None:
    anna = made(world, NewRecord("contact", first_name="Anna", email="office@x.example"))
    bert = made(world, NewRecord("contact", first_name="Bert", email="office@x.example"))
    person = ("contact", anna.id)
    tasks = [
        made(world, NewRecord("task", subject="Call")),
        made(world, NewRecord("task", subject="Call", due_date="2026-12-24")),
        made(world, NewRecord("task", subject="Call", about=person)),
        made(world, NewRecord("task", subject="Call", about=("contact", bert.id))),
    ]
    world.clock.forward(hours=1)
    tasks.append(made(world, NewRecord("task", subject="Call", about=person)))
    assert bert.id != anna.id
    assert len({each.id for each in tasks}) == 5


def test_an_old_task_that_was_changed_just_now_is_no_new_one(world: World) -> None:
    old = world.oro.back_office.create("task", {"subject": "Call"})
    world.clock.forward(hours=1)
    world.oro.back_office.edit("task", old, {"description": "x"})
    assert made(world, NewRecord("task", subject="Call")).id != str(old)


def test_an_address_in_other_letters_is_the_same_address(world: World) -> None:
    first = made(world, NewRecord("contact", last_name="B", email="Anna@x.example"))
    assert made(world, NewRecord("contact", last_name="b", email="anna@X.example")).id == first.id


def test_a_lost_answer_leads_to_the_record_that_was_made(world: World) -> None:
    world.oro.fail_next("POST", "/api/tasks", 502, applied=True)
    answer = made(world, NewRecord("task", subject="Call"))
    assert [each["id"] for each in world.oro.tasks()] == [int(answer.id)]


def test_a_lost_request_is_said_to_be_so_and_may_be_sent_again(world: World) -> None:
    new = NewRecord("task", subject="Call")
    world.oro.fail_next("POST", "/api/tasks", 502)
    with pytest.raises(SideFailing, match="Try again"):
        make(world, new)
    assert world.oro.tasks() == []
    assert not made(world, new).existed


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (NewRecord("contact"), {"last_name"}),
        (NewRecord("lead"), {"name"}),
        (NewRecord("task"), {"subject"}),
        (NewRecord("contact", last_name="B", about=("case", "1")), {"about"}),
    ],
)
def test_what_is_missing_is_told_without_asking_orocrm(world: World, new: NewRecord, fields: set[str]) -> None:
    world.requests()
    assert set(refused(world, new)) == fields
    assert world.requests() == []


@pytest.mark.parametrize(
    ("new", "fields"),
    [
        (NewRecord("contact", first_name="x" * 101, last_name="y" * 101), {"first_name", "last_name"}),
        (NewRecord("contact", last_name="B", email="b@x"), {"email"}),
        (NewRecord("contact", last_name="B", about=("account", "99")), {"about"}),
        (NewRecord("lead", name="n" * 256), {"name"}),
        (NewRecord("lead", name="N", about=("contact", "99")), {"about"}),
        (NewRecord("task", subject="s" * 256), {"subject"}),
        (NewRecord("task", subject="s", about=("lead", "99")), {"about"}),
    ],
)
def test_what_orocrm_refuses_is_told_by_field(world: World, new: NewRecord, fields: set[str]) -> None:
    assert set(refused(world, new)) == fields


def test_a_field_that_the_pane_does_not_ask_for_is_named(world: World) -> None:
    error = {"status": "400", "title": "not blank constraint", "detail": "This value should not be blank."}
    error |= {"source": {"pointer": "/data/attributes/vat_number"}}  # type: ignore[dict-item]
    world.oro.fail_next("POST", "/api/leads", 400, {"errors": [error]})
    assert refused(world, NewRecord("lead", name="N")) == {"": "vat_number: This value should not be blank."}


def test_without_the_permission_to_make_one_it_says_so(world: World) -> None:
    with pytest.raises(EntityForbidden, match="permission to create leads"):
        make(world, NewRecord("lead", name="N"), user="rita")


def test_who_may_make_contacts_but_not_see_them_gets_one(world: World) -> None:
    world.oro.set_permission("nina", "contact", "create", "system")
    assert not made(world, NewRecord("contact", last_name="B", email="b@x.example"), user="nina").existed
