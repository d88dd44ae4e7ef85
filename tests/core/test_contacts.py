"""Contacts: the lens laws on both sides, and every trap of the references."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.lens_world import CONTACTS, CONTEXT, PLACES, item, oro_applies_contact, outlook_applies

from orosync.core.canonical import same
from orosync.core.fields import empty_record, fields_of
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import FAX_PROPERTY, GENDER_PROPERTY, PRIMARY_PHONE_PROPERTY, STAMP_PROPERTY, Context
from orosync.core.records import Entity, Item, Side

OUTLOOK = lens_of(Side.OUTLOOK, Entity.CONTACT)
ORO = lens_of(Side.ORO, Entity.CONTACT)
NAMES = [each.name for each in fields_of(Entity.CONTACT)]
EMPTY = empty_record(Entity.CONTACT)


def get(lens: Any, body: dict[str, Any]) -> dict[str, Any]:
    return dict(lens.snapshot(item(body), CONTEXT).record)


def out_extended(**values: str) -> dict[str, Any]:
    ids = {"gender": GENDER_PROPERTY, "fax": FAX_PROPERTY, "phone": PRIMARY_PHONE_PROPERTY, "stamp": STAMP_PROPERTY}
    return {"singleValueExtendedProperties": [{"id": ids[name], "value": value} for name, value in values.items()]}


def oro(own: dict[str, Any] | None = None, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"id": "1", "attributes": own or {}, "addresses": list(rows)}


def row(id: str, *types: str, country: str | None = "DE", region: str | None = None, **own: Any) -> dict[str, Any]:
    return {"id": id, "attributes": own, "country": country, "region": region, "types": list(types)}


def emails(*addresses: str) -> dict[str, Any]:
    return {"emails": [{"email": each} for each in addresses], "primaryEmail": addresses[0]}


def phones(primary: str | None, *numbers: str) -> dict[str, Any]:
    return {"phones": [{"phone": each} for each in numbers], "primaryPhone": primary}


def put_oro(body: dict[str, Any] | None, **values: Any) -> dict[str, Any]:
    return ORO.put(values, None if body is None else item(body), CONTEXT)


def put_outlook(body: dict[str, Any] | None, **values: Any) -> dict[str, Any]:
    return OUTLOOK.put(values, None if body is None else item(body), CONTEXT)


# ------------------------------------------------------------------------------------------------ the laws


@st.composite
def outlook_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A contact somebody else wrote, with what we do not map."""
    held = OUTLOOK.representable(draw(CONTACTS), CONTEXT)
    body = outlook_applies(
        OUTLOOK.put(held, None, CONTEXT), {"companyName": "Analytical Engines", "categories": ["VIP"]}
    )
    if draw(st.booleans()):
        body["emailAddresses"] = [{"name": "Ada", "address": "ADA@X.com"}, {"name": None, "address": None}]
    if draw(st.booleans()):
        body["businessAddress"] = {"street": "1 Main\r\nFl 2", "state": "ny", "countryOrRegion": "usa", "city": ""}
    if draw(st.booleans()):
        body["birthday"] = draw(
            st.sampled_from(["1604-02-29T11:59:00Z", "1990-05-05T22:00:00Z", "0001-01-01T00:00:00Z"])
        )
    return body


@st.composite
def oro_bodies(draw: st.DrawFn) -> dict[str, Any]:
    held = ORO.representable(draw(CONTACTS), CONTEXT)
    body = oro_applies_contact(ORO.put(held, None, CONTEXT), None)
    own = body["attributes"]
    own["skype"] = "ada"
    if draw(st.booleans()):
        own |= {"description": draw(st.sampled_from(["<p>Met <b>once</b></p>", "a &amp; b", "<!-- -->", "one\r\ntwo"]))}
    if draw(st.booleans()):
        own |= phones("030 1", "+49 (0)30 99", "030 1", "+49 30 99")
    if draw(st.booleans()):
        own |= emails("MiXed@X.com", "mixed@x.com", "other@x.com")
    if draw(st.booleans()):
        body["addresses"] = [
            row("10", country="MC", customRegion="La Condamine", street2="only"),
            row("9", "billing", "shipping"),
        ]
    return body


def test_the_second_law_holds_where_only_one_name_is_stored() -> None:
    body = oro({"firstName": "Prince"})
    assert put_oro(body, **get(ORO, body)) == {}


@given(CONTACTS, st.one_of(st.none(), outlook_bodies()), st.sets(st.sampled_from(NAMES)))
def test_outlook_what_can_be_held_arrives_and_the_rest_stays(record: Any, body: Any, chosen: set[str]) -> None:
    before = get(OUTLOOK, body or {})
    values = {name: record[name] for name in chosen}
    after = outlook_applies(put_outlook(body, **values), body)
    held = OUTLOOK.representable({**before, **values}, CONTEXT)
    found = get(OUTLOOK, after)
    assert {name: found[name] for name in NAMES if not same(Entity.CONTACT, name, found[name], held[name])} == {}
    assert {name: value for name, value in after.items() if name in ("companyName", "categories")} == {
        name: value for name, value in (body or {}).items() if name in ("companyName", "categories")
    }


@given(CONTACTS, st.one_of(st.none(), oro_bodies()), st.sets(st.sampled_from(NAMES)))
def test_oro_what_can_be_held_arrives_and_the_rest_stays(record: Any, body: Any, chosen: set[str]) -> None:
    before = get(ORO, body or oro())
    values = {name: record[name] for name in chosen}
    after = oro_applies_contact(put_oro(body, **values), body)
    # Names belong together; the other fields stay as they were unless they were given.
    given = chosen | ({"first_name", "last_name"} if chosen & {"first_name", "last_name"} else set())
    held = {**before, **{name: ORO.representable({**before, **values}, CONTEXT)[name] for name in given}}
    found = get(ORO, after)
    assert {
        name: (found[name], held[name])
        for name in NAMES
        if not same(Entity.CONTACT, name, found[name], held[name]) and not _next_one_shows(name, held, chosen, before)
    } == {}


def _next_one_shows(name: str, held: dict[str, Any], chosen: set[str], before: dict[str, Any]) -> bool:
    """The one exception of the first law: taking one away of several makes the next one visible. And names that were
    equal before are not made to differ from what OroCRM holds."""
    if name in ("first_name", "last_name"):
        return all(before[each] == held[each] or each not in chosen for each in ("first_name", "last_name"))
    return held[name] is None and name in chosen and name in ("primary_phone", "other_address")


@given(CONTACTS)
def test_ten_rounds_change_nothing_after_the_first(record: Any) -> None:
    out, crm = outlook_applies(put_outlook(None, **record), None), None
    for _ in range(10):
        crm = oro_applies_contact(put_oro(crm, **get(OUTLOOK, out)), crm)
        out = outlook_applies(put_outlook(out, **OUTLOOK.representable(get(ORO, crm), CONTEXT)), out)
    settled = get(ORO, crm or {})
    assert put_oro(crm, **ORO.representable(get(OUTLOOK, out), CONTEXT)) == {}
    assert put_outlook(out, **OUTLOOK.representable(settled, CONTEXT)) == {}


# ------------------------------------------------------------------------------------------------ names


def test_one_name_in_outlook_is_both_in_oro_and_that_copy_is_known_as_such() -> None:
    alone = {**EMPTY, "first_name": "Prince"}
    assert ORO.representable(alone, CONTEXT) == {**EMPTY, "first_name": "Prince", "last_name": "Prince"}
    assert ORO.representable({**EMPTY, "last_name": "X"}, CONTEXT)["first_name"] == "X"
    assert put_oro(None, first_name="Prince") == {"attributes": {"firstName": "Prince", "lastName": "Prince"}}


def test_another_single_name_replaces_both_in_oro() -> None:
    body = oro({"firstName": "Prince", "lastName": "Prince"})
    assert put_oro(body, first_name="Rogers", last_name=None) == {
        "attributes": {"firstName": "Rogers", "lastName": "Rogers"}
    }


def test_names_longer_than_oro_holds_are_cut() -> None:
    patch = put_oro(None, first_name="f" * 101, middle_name="m" * 256, job_title="j" * 300, fax="1" * 256)
    assert {name: len(value) for name, value in patch["attributes"].items()} == {
        "firstName": 100,
        "lastName": 100,
        "middleName": 255,
        "jobTitle": 255,
        "fax": 255,
    }


def test_a_changed_name_takes_the_display_name_along() -> None:
    body = {"givenName": "Ada", "surname": "Byron", "generation": "Jr."}
    assert put_outlook(body, last_name="Lovelace") == {"surname": "Lovelace", "displayName": "Ada Lovelace Jr."}
    assert put_outlook(body, job_title="Analyst") == {"jobTitle": "Analyst"}
    assert put_outlook(body, first_name=None, last_name=None, name_suffix=None) == {
        "givenName": None,
        "surname": None,
        "generation": None,
    }


def test_a_new_contact_without_name_is_shown_under_its_address() -> None:
    assert put_outlook(None, emails=["a@x.com"])["displayName"] == "a@x.com"
    assert put_outlook(None, job_title="Analyst") == {"jobTitle": "Analyst"}


# ------------------------------------------------------------------------------------------------ description


def test_html_survives_while_its_text_is_the_same() -> None:
    body = oro({"description": "<p>Met at <b>conference</b></p>"})
    assert get(ORO, body)["description"] == "Met at conference"
    assert put_oro(body, description="Met at conference") == {}
    assert put_oro(body, description="Met <twice>\nthen left") == {
        "attributes": {"description": "<p>Met &lt;twice&gt;<br>then left</p>"}
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [("a < b & c", "a < b & c"), ("use <b> here", "<p>use &lt;b&gt; here</p>"), (None, None)],
)
def test_a_plain_description_stays_plain_unless_it_would_pass_for_html(text: str | None, written: str | None) -> None:
    body = oro({"description": "before"})
    assert put_oro(body, description=text) == {"attributes": {"description": written}}


def test_notes_in_outlook_are_plain_text() -> None:
    assert put_outlook({"personalNotes": "a\r\nb "}, description="a\nb") == {}
    assert put_outlook({}, description="<b>x</b>") == {"personalNotes": "<b>x</b>"}
    assert put_outlook({"personalNotes": "x"}, description=None) == {"personalNotes": None}


# ------------------------------------------------------------------------------------------------ e-mails


def test_a_fourth_address_does_not_go_to_outlook() -> None:
    five = ["a@x.com", "b@x.com", "c@x.com", "d@x.com", "e@x.com"]
    patch = put_outlook({"emailAddresses": [{"name": "Ada at work", "address": "B@x.com"}]}, emails=five)
    assert patch == {
        "emailAddresses": [
            {"name": "a@x.com", "address": "a@x.com"},
            {"name": "Ada at work", "address": "B@x.com"},
            {"name": "c@x.com", "address": "c@x.com"},
        ]
    }
    assert put_outlook({"emailAddresses": [{"name": "", "address": "a@x.com"}]}, emails=None) == {"emailAddresses": []}


def test_the_primary_address_comes_first_and_stored_spelling_stays() -> None:
    body = oro(emails("MiXed.Case@Example.COM", "b@x.com") | {"primaryEmail": "b@x.com"})
    assert get(ORO, body)["emails"] == ["b@x.com", "mixed.case@example.com"]
    assert put_oro(body, emails=["b@x.com", "mixed.case@example.com", "new@x.com"]) == {
        "attributes": {
            "emails": [{"email": "b@x.com"}, {"email": "MiXed.Case@Example.COM"}, {"email": "new@x.com"}],
            "primaryEmail": "b@x.com",
        }
    }
    assert put_oro(body, emails=["mixed.case@example.com", "b@x.com"])["attributes"]["primaryEmail"] == (
        "MiXed.Case@Example.COM"
    )


def test_the_order_of_the_others_is_no_difference() -> None:
    body = oro(emails("a@x.com", "b@x.com", "c@x.com"))
    assert put_oro(body, emails=["a@x.com", "c@x.com", "b@x.com"]) == {}


def test_two_spellings_of_one_address_are_both_kept() -> None:
    body = oro(emails("a@x.com", "A@X.com"))
    assert [each["email"] for each in put_oro(body, emails=["a@x.com", "b@x.com"])["attributes"]["emails"]] == [
        "a@x.com",
        "A@X.com",
        "b@x.com",
    ]


def test_all_addresses_can_be_taken_away() -> None:
    assert put_oro(oro(emails("a@x.com")), emails=None) == {"attributes": {"emails": []}}


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("a@x.com", True),
        ("ü@bücher.example", True),
        ("o'neil+crm@x.co.uk", True),
        ("not an address", False),
        ("a@localhost", False),
        ("a..b@x.com", False),
        (".a@x.com", False),
        ("a.@x.com", False),
        ("a@x.com" + "m" * 250, False),
    ],
)
def test_oro_gets_only_addresses_it_accepts(address: str, *, taken: bool) -> None:
    assert (ORO.representable({**EMPTY, "emails": [address]}, CONTEXT)["emails"] == [address]) is taken


# ------------------------------------------------------------------------------------------------ phones


@pytest.mark.parametrize(
    ("own", "wanted", "attributes"),
    [
        (phones("+49 (0)30 123", "+49 (0)30 123", "040 1"), "+4930123", {}),
        (phones("040 1", "+49 (0)30 123", "040 1"), "+4930123", {"primaryPhone": "+49 (0)30 123"}),
        (phones("040 1", "030 1", "040 1"), "050 1", phones("050 1", "030 1", "050 1")),
        (phones("040 1", "040 1", "030 1"), None, phones("030 1", "030 1")),
        (phones("040 1", "040 1"), None, {"phones": []}),
        ({}, "+4930123", phones("+49 30 123", "+49 30 123")),
        ({"primaryPhone": None, "phones": [{"phone": "030 1"}]}, "030 1", {}),
    ],
)
def test_other_phones_are_never_lost(own: dict[str, Any], wanted: str | None, attributes: dict[str, Any]) -> None:
    patch = put_oro(oro(own), primary_phone=wanted)
    assert patch == ({"attributes": attributes} if attributes else {})


def test_a_primary_phone_that_is_in_no_list_is_replaced_all_the_same() -> None:
    assert put_oro(oro({"primaryPhone": "040 1"}), primary_phone="050 1") == {
        "attributes": {"primaryPhone": "050 1", "phones": [{"phone": "050 1"}]}
    }


def test_outlooks_properties_are_written_and_cleared() -> None:
    body = out_extended(phone="+49 (0)30 123", gender="1", fax="99", stamp="42")
    assert get(OUTLOOK, body) == {**EMPTY, "primary_phone": "+4930123", "gender": "female", "fax": "99"}
    assert put_outlook(body, primary_phone="+4930123", gender="female") == {}
    cleared = put_outlook(body, primary_phone=None, gender=None, fax=None)
    assert cleared == out_extended(phone="", gender="0", fax="")
    assert put_outlook({}, primary_phone="+4930123", gender="male") == out_extended(phone="+49 30 123", gender="2")
    assert OUTLOOK.snapshot(item(body), CONTEXT).stamp == "42"


# ------------------------------------------------------------------------------------------------ birthday


@pytest.mark.parametrize(
    ("stored", "day"),
    [
        ("1974-07-22T11:59:00Z", "1974-07-22"),
        ("1974-07-22T00:00:00Z", "1974-07-22"),
        ("1974-07-21T22:00:00Z", "1974-07-22"),  # local midnight in Berlin
        ("1974-07-22T12:00:00Z", "1974-07-22"),  # local midnight at UTC-12
        ("1974-07-21T13:00:00Z", "1974-07-22"),  # local midnight at UTC+11
        ("1974-12-31T23:00:00Z", "1975-01-01"),
        ("1604-02-29T11:59:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("4501-01-01T00:00:00Z", None),
        (None, None),
    ],
)
def test_a_birthday_is_the_day_whoever_wrote_it(stored: str | None, day: str | None) -> None:
    assert get(OUTLOOK, {"birthday": stored})["birthday"] == day


def test_a_birthday_is_written_at_one_minute_to_noon() -> None:
    assert put_outlook({"birthday": "1974-07-21T22:00:00Z"}, birthday="1974-07-22") == {}
    assert put_outlook({}, birthday="1974-07-22") == {"birthday": "1974-07-22T11:59:00Z"}
    assert put_outlook({"birthday": "1974-07-22T11:59:00Z"}, birthday=None) == {"birthday": None}
    assert put_oro(None, birthday="1974-07-22") == {"attributes": {"birthday": "1974-07-22"}}


def test_a_birthday_without_year_stays_in_outlook() -> None:
    body = {"birthday": "1604-02-29T11:59:00Z"}
    assert put_outlook(body, birthday=None) == {}
    assert OUTLOOK.snapshot(item(body), CONTEXT).notes == ("the birthday has no year and stays in Outlook",)


# ------------------------------------------------------------------------------------------------ facts


def test_facts_of_an_outlook_contact() -> None:
    body = {
        "givenName": "Ada",
        "lastModifiedDateTime": "2026-11-21T08:16:57.1234567Z",
        "categories": ["VIP"],
        "emailAddresses": [{"address": "no address"}],
        "homeAddress": {"city": "Somewhere"},
        **out_extended(stamp="42"),
    }
    seen = OUTLOOK.snapshot(Item("AAMk", 'W/"1"', body, "folder"), CONTEXT)
    assert (seen.side, seen.entity, seen.id, seen.version) == (Side.OUTLOOK, Entity.CONTACT, "AAMk", 'W/"1"')
    assert seen.modified_at == "2026-11-21T08:16:57Z"
    assert seen.categories == ("VIP",)
    assert seen.stamp == "42"
    assert seen.notes == (
        "the shipping address has no country OroCRM knows and stays in Outlook",
        "1 e-mail address(es) OroCRM would refuse stay in Outlook",
    )


@pytest.mark.parametrize("sensitivity", ["private", "confidential"])
def test_nothing_is_read_of_a_private_contact(sensitivity: str) -> None:
    body = {"givenName": "Ada", "sensitivity": sensitivity, "birthday": "1604-02-29T11:59:00Z"}
    seen = OUTLOOK.snapshot(item(body), CONTEXT)
    assert (seen.private, seen.record, seen.notes) == (True, EMPTY, ())
    let = Context(places=PLACES, private_items="include")
    assert OUTLOOK.snapshot(item(body), let).record["first_name"] == "Ada"
    assert OUTLOOK.snapshot(item(body), let).private


def test_facts_of_an_oro_contact() -> None:
    own = {"updatedAt": "2026-11-21T08:07:03Z", **emails("a@x.com", "b@x.com", "c@x.com", "d@x.com")}
    body = {**oro(own | phones("030 1", "030 1", "040 1"), row("1"), row("2"), row("3", "billing")), "tags": ["VIP"]}
    seen = ORO.snapshot(item(body), CONTEXT)
    assert seen.modified_at == "2026-11-21T08:07:03Z"
    assert seen.categories == ("VIP",)
    assert not seen.read_only
    assert seen.notes == (
        "1 e-mail address(es) beyond the third stay in OroCRM",
        "1 further phone number(s) stay in OroCRM",
        "1 further address(es) without type stay in OroCRM",
    )


@pytest.mark.parametrize(
    ("owner", "own_user", "owned"),
    [("7", "7", True), (7, "7", True), ("8", "7", False), (None, "7", False), (None, "", True)],
)
def test_a_record_is_owned_by_its_owner(owner: Any, own_user: str, *, owned: bool) -> None:
    body = {**oro(), "owner": owner}
    assert ORO.snapshot(item(body), Context(oro_user_id=own_user)).owned is owned
