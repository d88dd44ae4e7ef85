"""Contacts through whole runs: what one side cannot hold stays where it is, and nothing travels in circles."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sync.pairs import (
    Pair,
    alone_in_oro,
    forget_everything,
    from_oro,
    from_outlook,
    nothing_moves,
    partner_of,
)
from tests.sync.world import World, made, writes

from orosync.core.records import Entity, Side
from orosync.store.database import Database

CONTACT = Entity.CONTACT
FIVE = [f"ada{n}@example.com" for n in range(1, 6)]
HTML = '<p>Likes <b>tea</b>.</p><ul><li>calls on Mondays</li><li>see <a href="https://example.com">site</a></li></ul>'


def rich(world: World) -> Pair:
    """Five e-mails, three phones, HTML notes and everything Outlook has no place for."""
    return from_oro(
        world,
        CONTACT,
        firstName="Ada",
        lastName="Lovelace",
        namePrefix="Countess",
        emails=FIVE,
        phones=["+49 30 1111111", "+49 30 2222222", "+49 30 3333333"],
        description=HTML,
        twitter="@ada",
        skype="ada.l",
        tags=["vip"],
        addresses=[home("billing"), home("shipping", "Side Street 2"), home(None, "Third 3"), home(None, "Fourth 4")],
    )


def home(kind: str | None, street: str = "Main Street 1", **parts: Any) -> dict[str, Any]:
    """An OroCRM address."""
    types = [kind] if kind else []
    return {"street": street, "city": "Berlin", "postalCode": "10115", "country": "DE", "types": types, **parts}


def place(street: str = "Main Street 1", **parts: Any) -> dict[str, Any]:
    """An Outlook address."""
    return {"street": street, "city": "Berlin", "postalCode": "10115", "countryOrRegion": "Germany", **parts}


def addresses(pair: Pair) -> list[tuple[str, tuple[str, ...]]]:
    return sorted((each["street"], tuple(sorted(each["types"]))) for each in pair.oro["addresses"])


def unmapped(pair: Pair) -> dict[str, Any]:
    kept = ("namePrefix", "phones", "primaryPhone", "twitter", "skype", "tags", "addresses", "owner", "groups")
    return {name: pair.oro[name] for name in kept}


def mails(pair: Pair) -> list[str]:
    return [each["address"] for each in pair.outlook["emailAddresses"]]


def extended(pair: Pair, **values: str | None) -> None:
    pair.in_outlook(extended=values)


# ---------------------------------------------------------------- what Outlook cannot hold


def test_editing_one_email_and_the_notes_in_outlook_keeps_everything_else_in_oro(world: World) -> None:
    pair = rich(world)
    before = unmapped(pair)
    assert mails(pair) == FIVE[:3]
    edited = [{"name": a, "address": a} for a in (FIVE[0], "countess@example.com", FIVE[2])]
    pair.in_outlook(emailAddresses=edited, personalNotes="Likes coffee.\r\n\r\ncalls on Fridays")
    world.sync()
    assert sorted(pair.oro["emails"]) == sorted([FIVE[0], "countess@example.com", *FIVE[2:]])
    assert pair.oro["primaryEmail"] == FIVE[0]
    assert "coffee" in pair.oro["description"]
    assert "Fridays" in pair.oro["description"]
    assert "tea" not in pair.oro["description"]
    assert unmapped(pair) == before
    nothing_moves(world)


def test_a_fourth_email_stays_in_oro_when_the_job_title_is_edited_in_outlook(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:4])
    assert mails(pair) == FIVE[:3]
    pair.in_outlook(jobTitle="Analyst")
    world.sync()
    assert (pair.oro["emails"], pair.oro["jobTitle"]) == (FIVE[:4], "Analyst")
    nothing_moves(world)


def test_an_email_added_in_outlook_joins_the_others_in_oro(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:2])
    pair.in_outlook(emailAddresses=[*pair.outlook["emailAddresses"], {"name": "new", "address": "New@example.com"}])
    world.sync()
    assert [each.lower() for each in pair.oro["emails"]] == [*FIVE[:2], "new@example.com"]
    nothing_moves(world)


def test_an_email_removed_in_outlook_leaves_oro_and_the_fourth_does_not_come_back_as_a_change(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE)
    pair.in_outlook(emailAddresses=pair.outlook["emailAddresses"][:2])
    world.sync()
    assert pair.oro["emails"] == [FIVE[0], FIVE[1], FIVE[3], FIVE[4]]
    nothing_moves(world)


def test_an_email_added_in_oro_beyond_the_third_writes_nothing_to_outlook(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:3])
    pair.in_oro(emails=FIVE[:4])
    assert writes(world.sync()) == 0
    assert mails(pair) == FIVE[:3]
    nothing_moves(world)


def test_only_formatting_changed_in_oro_is_not_rewritten_anywhere(world: World) -> None:
    pair = rich(world)
    bolder = HTML.replace("<p>Likes <b>tea</b>.</p>", "<p><i>Likes</i> tea.</p>")
    pair.in_oro(description=bolder)
    assert writes(world.sync()) == 0
    assert pair.oro["description"] == bolder
    nothing_moves(world)


def test_markup_survives_an_unrelated_edit_on_either_side(world: World) -> None:
    pair = rich(world)
    pair.in_outlook(jobTitle="Analyst")
    pair.in_oro(middleName="Byron")
    world.sync()
    assert pair.oro["description"] == HTML
    assert (pair.oro["jobTitle"], pair.outlook["middleName"]) == ("Analyst", "Byron")
    nothing_moves(world)


def test_notes_that_look_like_markup_are_text_in_oro(world: World) -> None:
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", personalNotes="5 < 6 <b>not bold</b> & co")
    assert "<b>not" not in pair.oro["description"]
    assert pair.outlook["personalNotes"] == "5 < 6 <b>not bold</b> & co"
    nothing_moves(world)


def test_further_phones_in_outlook_are_nobodys_business(world: World) -> None:
    phones = {"businessPhones": ["+49 1", "+49 2"], "homePhones": ["+49 3"], "mobilePhone": "+49 4"}
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", **phones)
    pair.in_oro(phones=["+49 30 7777777"])
    world.sync()
    assert {name: pair.outlook[name] for name in phones} == phones
    assert pair.outlook["extended"]["primary_phone"].replace(" ", "") == "+49307777777"
    nothing_moves(world)


# ---------------------------------------------------------------- addresses


def test_addresses_stand_in_the_slot_of_their_type(world: World) -> None:
    pair = rich(world)
    streets = [pair.outlook[name]["street"] for name in ("businessAddress", "homeAddress", "otherAddress")]
    assert streets == ["Main Street 1", "Side Street 2", "Third 3"]
    assert pair.outlook["businessAddress"]["countryOrRegion"] == "Germany"
    nothing_moves(world)


def test_an_address_edited_in_outlook_never_deletes_one_that_outlook_does_not_show(world: World) -> None:
    pair = rich(world)
    pair.in_outlook(businessAddress=place("New Street 9"), jobTitle="Analyst")
    world.sync()
    assert addresses(pair) == [
        ("Fourth 4", ()),
        ("New Street 9", ("billing",)),
        ("Side Street 2", ("shipping",)),
        ("Third 3", ()),
    ]
    nothing_moves(world)


def test_an_address_with_both_types_is_split_when_one_of_them_is_edited_in_outlook(world: World) -> None:
    both = {**home("billing"), "types": ["billing", "shipping"]}
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", addresses=[both])
    assert pair.outlook["businessAddress"]["street"] == pair.outlook["homeAddress"]["street"] == "Main Street 1"
    pair.in_outlook(homeAddress=place("Side Street 2"))
    world.sync()
    assert addresses(pair) == [("Main Street 1", ("billing",)), ("Side Street 2", ("shipping",))]
    nothing_moves(world)


def test_three_addresses_of_outlook_arrive_with_their_types(world: World) -> None:
    slots = {"businessAddress": place("One 1"), "homeAddress": place("Two 2"), "otherAddress": place("Three 3")}
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", **slots)
    assert addresses(pair) == [("One 1", ("billing",)), ("Three 3", ()), ("Two 2", ("shipping",))]
    nothing_moves(world)


@pytest.mark.parametrize(
    ("country", "region"), [("USA", "NY"), ("United States", "New York"), ("Vereinigte Staaten", "ny"), ("us", "NY")]
)
def test_the_users_spelling_of_country_and_region_is_understood_and_never_rewritten(
    world: World, country: str, region: str
) -> None:
    own = {**place("5th Avenue"), "countryOrRegion": country, "state": region}
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", businessAddress=own)
    (arrived,) = pair.oro["addresses"]
    assert (arrived["country"], arrived["region"]) == ("US", "US-NY")
    pair.in_oro(jobTitle="Analyst")
    world.sync()
    pair.in_oro(addresses=[{"id": arrived["id"], "street": "6th Avenue"}])
    world.sync()
    kept = pair.outlook["businessAddress"]
    assert (kept["street"], kept["countryOrRegion"], kept["state"]) == ("6th Avenue", country, region)
    nothing_moves(world)


def test_an_address_in_a_country_oro_does_not_know_stays_in_outlook(world: World) -> None:
    own = {**place("Castle 1"), "countryOrRegion": "Ruritania"}
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", businessAddress=own, homeAddress=place())
    assert addresses(pair) == [("Main Street 1", ("shipping",))]
    pair.in_oro(jobTitle="Analyst")
    world.sync()
    assert pair.outlook["businessAddress"] == own
    nothing_moves(world)


def test_a_region_oro_does_not_list_stays_in_outlook_and_the_address_travels(world: World) -> None:
    own = {**place(), "state": "Preussen"}
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", businessAddress=own)
    assert addresses(pair) == [("Main Street 1", ("billing",))]
    assert pair.outlook["businessAddress"]["state"] == "Preussen"
    nothing_moves(world)


def test_an_address_deleted_in_oro_leaves_outlook(world: World) -> None:
    pair = rich(world)
    kept = [{"id": each["id"]} for each in pair.oro["addresses"] if "billing" not in each["types"]]
    pair.in_oro(addresses=kept)
    world.sync()
    assert pair.outlook["businessAddress"] == {}
    assert pair.outlook["homeAddress"]["street"] == "Side Street 2"
    nothing_moves(world)


def test_an_address_cleared_in_outlook_is_deleted_in_oro_and_no_other_one_is(world: World) -> None:
    pair = rich(world)
    pair.in_outlook(homeAddress={})
    world.sync()
    assert addresses(pair) == [("Fourth 4", ()), ("Main Street 1", ("billing",)), ("Third 3", ())]
    nothing_moves(world)


# ---------------------------------------------------------------- birthday, gender, fax, primary phone


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Tokyo", "Pacific/Auckland"])
def test_a_birthday_is_the_same_day_on_both_sides_in_every_zone(database: Database, zone: str) -> None:
    world = World(database, zone=zone)
    for day in ("1984-02-29", "2000-01-01", "1815-12-10"):
        pair = from_oro(world, CONTACT, firstName="Ada", lastName=f"Lovelace {day}", birthday=day)
        theirs = from_outlook(world, CONTACT, givenName="Ben", surname=f"Byron {day}", birthday=day)
        for each in (pair, theirs):
            assert (each.oro["birthday"], each.outlook["birthday"]) == (day, f"{day}T11:59:00Z")
    nothing_moves(world)


@pytest.mark.parametrize("stored", ["1984-02-28T23:00:00Z", "1984-02-29T00:00:00Z", "1984-02-29T05:00:00Z"])
def test_a_birthday_stored_as_local_midnight_is_read_as_its_day_and_left_as_it_is(world: World, stored: str) -> None:
    pair = from_outlook(world, CONTACT, givenName="Ben", surname="Byron", birthday=stored)
    assert pair.oro["birthday"] == "1984-02-29"
    pair.in_oro(jobTitle="Analyst")
    world.sync()
    assert pair.outlook["birthday"] == stored
    nothing_moves(world)


def test_a_birthday_without_year_stays_in_outlook(world: World) -> None:
    pair = from_outlook(world, CONTACT, givenName="Ben", surname="Byron", birthday="1604-05-06T11:59:00Z")
    assert pair.oro["birthday"] is None
    pair.in_oro(jobTitle="Analyst")
    world.sync()
    assert pair.outlook["birthday"] == "1604-05-06T11:59:00Z"
    nothing_moves(world)


def test_birthdays_stay_apart_when_the_user_does_not_sync_them(database: Database) -> None:
    world = World(database, user={"sync_birthdays": False})
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", birthday="1815-12-10")
    assert pair.outlook["birthday"] is None
    pair.in_outlook(birthday="1900-01-01T11:59:00Z")
    assert writes(world.sync()) == 0
    assert pair.oro["birthday"] == "1815-12-10"


def test_gender_fax_and_primary_phone_travel_in_extended_properties(world: World) -> None:
    pair = from_oro(
        world, CONTACT, firstName="Ada", lastName="Lovelace", gender="female", fax="+49 30 999", phones=["+4930111111"]
    )
    own = pair.outlook["extended"]
    assert (own["gender"], own["fax"], own["primary_phone"].replace(" ", "")) == ("1", "+49 30 999", "+4930111111")
    nothing_moves(world)


def test_a_change_in_an_extended_property_alone_arrives_in_oro(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", phones=["+4930111111", "+4930222222"])
    extended(pair, gender="2", fax="+49 30 4711", primary_phone="+49 30 333333")
    world.sync()
    assert (pair.oro["gender"], pair.oro["fax"]) == ("male", "+49 30 4711")
    assert pair.oro["primaryPhone"].replace(" ", "") == "+4930333333"
    assert "+4930222222" in pair.oro["phones"]
    nothing_moves(world)


def test_gender_and_fax_emptied_in_oro_are_emptied_in_outlook(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", gender="female", fax="+49 30 999")
    pair.in_oro(gender=None, fax=None)
    world.sync()
    own = pair.outlook["extended"]
    assert (own["gender"], own["fax"]) == ("0", "")
    nothing_moves(world)


# ---------------------------------------------------------------- one-sided names


@pytest.mark.parametrize("one", ["givenName", "surname"])
def test_a_single_name_stands_twice_in_oro_and_once_in_outlook(world: World, one: str) -> None:
    pair = from_outlook(world, CONTACT, **{one: "Cher"})
    assert (pair.oro["firstName"], pair.oro["lastName"]) == ("Cher", "Cher")
    nothing_moves(world)
    other = "surname" if one == "givenName" else "givenName"
    assert not pair.outlook[other]


@pytest.mark.parametrize("one", ["givenName", "surname"])
def test_the_doubled_name_does_not_travel_back_with_a_later_edit_of_another_part(world: World, one: str) -> None:
    pair = from_outlook(world, CONTACT, **{one: "Cher"})
    pair.in_oro(middleName="Bono", nameSuffix="Jr.")
    world.sync()
    other = "surname" if one == "givenName" else "givenName"
    assert not pair.outlook[other]
    assert (pair.outlook["middleName"], pair.outlook["generation"], pair.outlook[one]) == ("Bono", "Jr.", "Cher")
    pair.in_outlook(jobTitle="Singer")
    nothing_after(pair)
    assert not pair.outlook[other]


def nothing_after(pair: Pair) -> None:
    pair.world.sync()
    nothing_moves(pair.world)


@pytest.mark.parametrize("one", ["givenName", "surname"])
def test_the_doubled_name_does_not_travel_back_after_our_state_was_lost(world: World, one: str) -> None:
    pair = from_outlook(world, CONTACT, **{one: "Cher"})
    forget_everything(world)
    assert writes(world.sync()) == 0
    nothing_moves(world)
    other = "surname" if one == "givenName" else "givenName"
    assert not pair.outlook[other]
    assert (pair.oro["firstName"], pair.oro["lastName"]) == ("Cher", "Cher")


def test_a_single_name_changed_in_outlook_changes_both_in_oro(world: World) -> None:
    pair = from_outlook(world, CONTACT, givenName="Cher")
    pair.in_outlook(givenName="Madonna")
    world.sync()
    assert (pair.oro["firstName"], pair.oro["lastName"]) == ("Madonna", "Madonna")
    nothing_moves(world)
    assert not pair.outlook["surname"]


def test_a_real_last_name_given_in_oro_arrives_in_outlook(world: World) -> None:
    pair = from_outlook(world, CONTACT, givenName="Cher")
    pair.in_oro(lastName="Sarkisian")
    world.sync()
    assert (pair.outlook["givenName"], pair.outlook["surname"]) == ("Cher", "Sarkisian")
    nothing_moves(world)


# ---------------------------------------------------------------- edits that OroCRM's updatedAt does not tell


def time_passes(world: World) -> None:
    """Another contact is made, so that what was synced before lies behind the feed's overlap."""
    world.clock.forward(minutes=10)
    from_oro(world, CONTACT, firstName="Zoe", lastName="Later")


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"emails": ["other@example.com"]}, lambda item: item["emailAddresses"][0]["address"] == "other@example.com"),
        ({"phones": ["+4930777777"]}, lambda item: "777777" in item["extended"]["primary_phone"].replace(" ", "")),
        ({"addresses": [home("billing", "Elsewhere 7")]}, lambda item: "Else" in item["businessAddress"]["street"]),
    ],
    ids=["emails", "phones", "addresses"],
)
def test_lists_written_by_another_api_client_are_found_by_the_sweep_and_not_before(
    world: World, values: dict[str, Any], seen: Any
) -> None:
    world.oro.settings.audited = False
    pair = from_oro(
        world,
        CONTACT,
        firstName="Ada",
        lastName="Lovelace",
        emails=FIVE[:1],
        phones=["+4930111111"],
        addresses=[home("billing")],
    )
    time_passes(world)
    world.oro.api_client_edit("contact", pair.number, values)
    assert writes(world.sync()) == 0
    assert not seen(pair.outlook)
    world.sync(sweep=True)
    assert seen(pair.outlook)
    nothing_moves(world)


def test_the_sweep_comes_by_itself_when_its_interval_is_over(world: World) -> None:
    world.oro.settings.audited = False
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:1])
    time_passes(world)
    world.oro.api_client_edit("contact", pair.number, {"emails": FIVE[:2]})
    assert writes(world.sync()) == 0
    world.clock.forward(hours=1)
    world.sync()
    assert mails(pair) == FIVE[:2]


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"emails": ["other@example.com"]}, lambda item: item["emailAddresses"][0]["address"] == "other@example.com"),
        ({"phones": ["+4930777777"]}, lambda item: "777777" in item["extended"]["primary_phone"].replace(" ", "")),
    ],
    ids=["emails", "phones"],
)
def test_the_audit_log_betrays_lists_written_by_another_api_client_before_the_sweep(
    world: World, values: dict[str, Any], seen: Any
) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:1], phones=["+4930111111"])
    time_passes(world)
    world.sync()
    idle = world.sync().requests[Side.ORO]
    world.oro.api_client_edit("contact", pair.number, values)
    report = world.sync()
    assert seen(pair.outlook)
    assert report.requests[Side.ORO] == idle + 1
    nothing_moves(world)


def test_the_audit_log_betrays_a_removal_that_a_creation_hides_in_the_count(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", emails=FIVE[:1])
    time_passes(world)
    world.sync()
    world.office.delete("contact", pair.number)
    world.office.create("contact", {"firstName": "Bea", "lastName": "Newer"})
    world.oro.forget_requests()
    report = world.sync()
    assert not any("filter%5Bid%5D%5Bgt%5D" in each.path or "sort=id" in each.path for each in world.oro.request_log)
    assert made(report, CONTACT, Side.OUTLOOK) == {"created": 1, "updated": 0, "deleted": 1}
    assert world.store.count_links(CONTACT) == 2
    nothing_moves(world)


# ---------------------------------------------------------------- values


def test_over_long_values_are_cut_for_oro_and_stay_whole_in_outlook(world: World) -> None:
    long = {"givenName": "G" * 150, "surname": "S" * 150, "middleName": "M" * 300, "jobTitle": "J" * 300}
    pair = from_outlook(world, CONTACT, **long)
    lengths = {name: len(pair.oro[name]) for name in ("firstName", "lastName", "middleName", "jobTitle")}
    assert lengths == {"firstName": 100, "lastName": 100, "middleName": 255, "jobTitle": 255}
    pair.in_oro(description="a note")
    world.sync()
    assert {name: pair.outlook[name] for name in long} == long
    nothing_moves(world)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Zoë 👩‍🚀", "O'Brien-Ångström"),
        ("אדה", "לאבלייס"),
        ("محمد", "القاسم"),
        ("Jose\u0301", "Nu\u0301n\u0303ez"),
        ("\u200eAda", "李小龍"),
    ],
    ids=["emoji", "hebrew", "arabic", "combining", "marks"],
)
def test_names_of_all_scripts_arrive_and_rest(world: World, first: str, last: str) -> None:
    ours = from_oro(world, CONTACT, firstName=first, lastName=last, description=f"{last} 🙂\n\n{first}")
    theirs = from_outlook(world, CONTACT, givenName=last, surname=first, personalNotes=f"{last} 🙂\r\n{first}")
    assert len(world.outlook()) == len(world.in_oro()) == 2
    nothing_moves(world)
    assert (ours.oro["firstName"], theirs.outlook["givenName"]) == (first, last)
    forget_everything(world)
    assert writes(world.sync()) == 0


def test_an_email_oro_would_refuse_stays_in_outlook_and_the_contact_travels(world: World) -> None:
    bad = [{"name": "x", "address": "not an address"}, {"name": "y", "address": "ada@example.com"}]
    pair = from_outlook(world, CONTACT, givenName="Ada", surname="Byron", emailAddresses=bad)
    assert pair.oro["emails"] == ["ada@example.com"]
    assert mails(pair) == ["not an address", "ada@example.com"]
    nothing_moves(world)


def test_an_empty_contact_of_outlook_is_left_alone_without_an_error(world: World) -> None:
    world.mailbox.user_create("contact", {"companyName": "Acme"})
    report = world.settle()
    assert report.quarantined == 0
    assert world.in_oro() == []


# ---------------------------------------------------------------- duplicates and folders


def test_duplicates_in_the_mailbox_stay_as_they_are_and_are_never_multiplied(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace")
    copies = [world.mailbox.user_copy("contact", pair.native) for _ in range(3)]
    world.settle()
    assert len(world.in_oro()) == 1
    assert len(world.outlook()) == 4
    pair.in_oro(jobTitle="Analyst")
    world.sync()
    assert [each["jobTitle"] for each in world.outlook() if each["id"] in copies] == [None] * 3
    assert pair.outlook["jobTitle"] == "Analyst"
    nothing_moves(world)
    forget_everything(world)
    world.settle()
    assert (len(world.in_oro()), len(world.outlook())) == (1, 4)


def test_a_copy_that_the_user_makes_into_somebody_else_is_somebody_else(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace", jobTitle="Analyst")
    copy = world.mailbox.user_copy("contact", pair.native)
    world.settle()
    assert len(world.in_oro()) == 1
    world.mailbox.user_update("contact", copy, {"givenName": "Anne"})
    world.settle()
    assert sorted(each["firstName"] for each in world.in_oro()) == ["Ada", "Anne"]
    assert pair.oro["firstName"] == pair.outlook["givenName"] == "Ada"
    nothing_moves(world)


def test_a_contact_moved_to_another_folder_is_out_of_scope_and_comes_back(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace")
    keep = from_oro(world, CONTACT, firstName="Ben", lastName="Byron")
    world.mailbox.add_contact_folder("Private")
    home_folder = str(pair.outlook["containerId"])
    assert world.mailbox.user_move("contact", pair.native, "Private") == pair.native
    world.settle()
    assert pair.oro["firstName"] == "Ada"
    assert pair.link.state == "suspended"
    assert len(world.outlook()) == 2
    pair.in_oro(jobTitle="Analyst")
    assert writes(world.sync()) == 0
    nothing_moves(world)
    world.mailbox.user_move("contact", pair.native, home_folder)
    world.settle()
    assert pair.link.state == "active"
    assert pair.outlook["jobTitle"] == "Analyst"
    assert (len(world.outlook()), len(world.in_oro())) == (2, 2)
    assert keep.link.state == "active"


def test_a_contact_moved_away_and_deleted_in_oro_stays_in_its_folder(world: World) -> None:
    pair = from_oro(world, CONTACT, firstName="Ada", lastName="Lovelace")
    from_oro(world, CONTACT, firstName="Ben", lastName="Byron")
    world.mailbox.add_contact_folder("Private")
    world.mailbox.user_move("contact", pair.native, "Private")
    world.office.delete("contact", pair.number)
    world.settle()
    assert pair.outlook["givenName"] == "Ada"
    assert len(world.outlook()) == 2


def test_a_contact_made_and_deleted_between_two_runs_leaves_no_trace(world: World) -> None:
    world.settle()
    native = world.mailbox.user_create("contact", {"givenName": "Eve", "surname": "Gone"})
    world.mailbox.user_delete("contact", native)
    number = world.office.create("contact", {"firstName": "Eve", "lastName": "Gone"})
    world.office.delete("contact", number)
    assert writes(world.sync()) == 0
    assert alone_in_oro(world, CONTACT, number)


# ---------------------------------------------------------------- the same person made on both sides


def test_a_contact_made_on_both_sides_is_one_and_each_side_fills_the_others_gaps(world: World) -> None:
    world.settle()
    number = world.office.create("contact", {"firstName": "Ada", "lastName": "Lovelace", "jobTitle": "Analyst"})
    world.mailbox.user_create("contact", {"givenName": "ADA", "surname": "lovelace ", "personalNotes": "poet's child"})
    pair = partner_of(world, CONTACT, number)
    assert (len(world.in_oro()), len(world.outlook())) == (1, 1)
    assert (pair.oro["description"], pair.outlook["jobTitle"]) == ("poet's child", "Analyst")
    nothing_moves(world)
