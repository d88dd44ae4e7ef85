"""Contacts of the simulated Graph (graph-api.md 1, 2.1, 8, 9)."""

from typing import Any

import pytest
from tests.sandbox.graph_caller import IMMUTABLE, STAMP, UPN, Caller, new_caller

OTHER_CASE = STAMP.replace("OroCRM", "orocrm")
BOTH = {"$expand": f"singleValueExtendedProperties($filter=id eq '{STAMP}' or id eq 'Short 0x3A4D')"}


@pytest.fixture
def caller() -> Caller:
    return new_caller()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"emailAddresses": [{"address": f"a{n}@x.example"} for n in range(4)]},
            "The multi value property EmailAddresses has 4 entries, that exceeds the max allowed value of 3",
        ),
        (
            {"businessPhones": ["1", "2", "3"]},
            "The multi value property BusinessPhones has 3 entries, that exceeds the max allowed value of 2",
        ),
        ({"homePhones": ["1", "2", "3"]}, "The multi value property HomePhones has 3 entries"),
        ({"gender": "female"}, "The property 'gender' does not exist on type 'microsoft.graph.contact'"),
        ({"businessPhones": "1"}, "businessPhones"),
        ({"birthday": "yesterday"}, "Edm.DateTimeOffset"),
        ({"birthday": "1974-07-22T00:00:00"}, "Edm.DateTimeOffset"),
        ({"singleValueExtendedProperties": [{"id": "Gender", "value": "1"}]}, "property id 'Gender' is invalid"),
        ({"singleValueExtendedProperties": [{"id": "Short 0x3A4D", "value": 1}]}, "Edm.String"),
        ({"singleValueExtendedProperties": [{"id": "Short 0x3A4D", "value": "f"}]}, "not valid"),
    ],
)
def test_values_graph_does_not_take_are_refused_and_nothing_is_written(
    caller: Caller, body: dict[str, Any], message: str
) -> None:
    reply = caller.session.post("https://graph.microsoft.com/v1.0/me/contacts", json={"givenName": "A", **body})
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]
    assert caller.mailbox.items("contact") == []


def test_a_body_that_is_no_json_is_refused(caller: Caller) -> None:
    assert caller.send("POST", "/me/contacts", 400, data="{") == "BadRequest"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("1974-07-22", "1974-07-22T11:59:00Z"),
        ("1974-07-22T11:59:00Z", "1974-07-22T11:59:00Z"),
        ("1974-07-22T00:00:00+02:00", "1974-07-21T22:00:00Z"),
    ],
)
def test_a_birthday_is_an_instant_and_a_bare_date_is_one_minute_before_noon(
    caller: Caller, sent: str, stored: str
) -> None:
    assert caller.post("/me/contacts", {"birthday": sent})["birthday"] == stored


def test_the_display_name_is_made_anew_when_names_change_without_it(caller: Caller) -> None:
    made = caller.post("/me/contacts", {"givenName": "Ada", "surname": "King", "displayName": "The Countess"})
    assert made["displayName"] == "The Countess"
    path = f"/me/contacts/{made['id']}"
    assert caller.patch(path, {"jobTitle": "x"})["displayName"] == "The Countess"
    assert caller.patch(path, {"surname": "Lovelace"})["displayName"] == "Ada Lovelace"
    kept = caller.patch(path, {"surname": "King", "displayName": "The Countess"})
    assert kept["displayName"] == "The Countess"


def test_lists_and_addresses_are_replaced_whole(caller: Caller) -> None:
    emails = [{"address": "a@x.example", "name": "A"}, {"address": "b@x.example"}]
    address = {"street": "Gade 1", "city": "Aarhus"}
    made = caller.post("/me/contacts", {"emailAddresses": emails, "homeAddress": address})
    assert made["emailAddresses"][1] == {"name": "b@x.example", "address": "b@x.example"}
    path = f"/me/contacts/{made['id']}"
    changed = caller.patch(path, {"emailAddresses": emails[:1], "homeAddress": {"city": "Odense"}})
    assert changed["emailAddresses"] == emails[:1]
    assert changed["homeAddress"] == {"city": "Odense"}
    assert caller.patch(path, {"homeAddress": {}, "emailAddresses": []})["homeAddress"] == {}


def test_notes_get_windows_line_ends_and_names_lose_outer_spaces(caller: Caller) -> None:
    made = caller.post("/me/contacts", {"personalNotes": "a\nb", "surname": "King "})
    assert (made["personalNotes"], made["surname"]) == ("a\r\nb", "King")


def test_extended_properties_come_back_only_when_expanded_by_id(caller: Caller) -> None:
    rows = [{"id": STAMP, "value": "42"}, {"id": "Short 0x3A4D", "value": "1"}]
    made = caller.post("/me/contacts", {"givenName": "A", "singleValueExtendedProperties": rows})
    path = f"/me/contacts/{made['id']}"
    assert "singleValueExtendedProperties" not in made
    assert "singleValueExtendedProperties" not in caller.patch(path, {"jobTitle": "x"})
    assert "singleValueExtendedProperties" not in caller.get(path, params={"$expand": "singleValueExtendedProperties"})
    shown = caller.get(path, params=BOTH)["singleValueExtendedProperties"]
    assert {row["id"].lower(): row["value"] for row in shown} == {STAMP.lower(): "42", "short 0x3a4d": "1"}
    assert caller.mailbox.item("contact", made["id"])["extended"]["gender"] == "1"
    caller.patch(path, {"singleValueExtendedProperties": [{"id": STAMP, "value": "43"}]})
    assert caller.mailbox.item("contact", made["id"])["extended"] == {STAMP: "43", "Short 0x3A4D": "1"}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (f"singleValueExtendedProperties/any(ep:ep/id eq '{STAMP}' and ep/value eq '42')", "A"),
        (f"singleValueExtendedProperties/any(ep:ep/id eq '{STAMP}' and ep/value ne null)", "A"),
        (f"singleValueExtendedProperties/any(ep: ep/id eq '{STAMP}' and ep/value eq '4')", ""),
        (
            f"singleValueExtendedProperties/any(ep:ep/id eq '{OTHER_CASE}' and ep/value ne null)",
            "",
        ),
        ("emailAddresses/any(a:a/address eq 'B@X.example')", "B"),
        ("surname eq 'O''Hara' or givenName eq 'A'", "AB"),
        ("startswith(surname,'O')", "B"),
    ],
)
def test_contacts_are_found_by_stamp_and_by_address(caller: Caller, condition: str, found: str) -> None:
    stamped = [{"id": STAMP, "value": "42"}]
    caller.post("/me/contacts", {"givenName": "A", "singleValueExtendedProperties": stamped})
    caller.post("/me/contacts", {"givenName": "B", "surname": "O'Hara", "emailAddresses": [{"address": "b@x.example"}]})
    rows = caller.get("/me/contacts", params={"$filter": condition})["value"]
    assert "".join(row["givenName"] for row in rows) == found


@pytest.mark.parametrize(
    "condition",
    ["emailAddresses/any(a:a/name eq 'x')", "emailAddresses/any(a:a/address ne 'x')", "nothing eq 'x'", "surname eq"],
)
def test_filters_graph_does_not_offer_are_refused(caller: Caller, condition: str) -> None:
    assert caller.get("/me/contacts", 400, params={"$filter": condition}) == "ErrorInvalidUrlQueryFilter"


def test_a_list_shows_ten_and_links_to_the_rest(caller: Caller) -> None:
    for n in range(12):
        caller.mailbox.user_create("contact", {"givenName": f"n{n}"})
    page = caller.get("/me/contacts", params={"$select": "givenName"})
    assert len(page["value"]) == 10
    assert set(page["value"][0]) == {"@odata.etag", "id", "givenName"}
    assert [row["givenName"] for row in caller.get(page["@odata.nextLink"])["value"]] == ["n10", "n11"]
    assert len(caller.get("/me/contacts", params={"$top": "1000"})["value"]) == 12
    assert caller.get("/me/contacts", 400, params={"$top": "1001"}) == "ErrorInvalidUrlQuery"
    assert caller.get("/me/contacts", 400, params={"$select": "gender"}) == "RequestBroker--ParseUri"


def test_the_default_folder_is_not_listed_but_every_contact_names_it(caller: Caller) -> None:
    folder = caller.post("/me/contactFolders", {"displayName": "Oro"})["id"]
    inside = caller.post(f"/me/contactFolders/{folder}/contacts", {"givenName": "In"})
    outside = caller.post("/me/contacts", {"givenName": "Out"})
    assert [row["id"] for row in caller.get("/me/contactFolders")["value"]] == [folder]
    assert [row["givenName"] for row in caller.get("/me/contacts")["value"]] == ["Out"]
    assert outside["parentFolderId"] not in {folder, None}
    assert caller.get(f"/me/contacts/{inside['id']}")["parentFolderId"] == folder
    default = f"/me/contactFolders/{outside['parentFolderId']}/contacts"
    assert [row["givenName"] for row in caller.get(default)["value"]] == ["Out"]


def test_only_the_immutable_id_survives_a_move(caller: Caller) -> None:
    folder = caller.mailbox.add_contact_folder("Oro")
    made = caller.post("/me/contacts", {"givenName": "A"})
    immutable = caller.get(f"/me/contacts/{made['id']}", headers=IMMUTABLE)["id"]
    assert immutable != made["id"]
    caller.mailbox.user_move("contact", immutable, folder)
    assert caller.get(f"/me/contacts/{made['id']}", 404) == "ErrorItemNotFound"
    assert caller.get(f"/me/contacts/{immutable}")["id"] not in {made["id"], immutable}
    assert caller.get(f"/me/contacts/{immutable}", headers=IMMUTABLE)["id"] == immutable
    assert caller.get(f"/me/contacts/{immutable.swapcase()}", 400) == "ErrorInvalidIdMalformed"


def test_the_etag_changes_with_every_write_and_an_old_one_is_refused(caller: Caller) -> None:
    made = caller.post("/me/contacts", {"givenName": "A"})
    path, old = f"/me/contacts/{made['id']}", {"If-Match": made["@odata.etag"]}
    assert caller.patch(path, {"givenName": "B"}, headers=old)["@odata.etag"] != made["@odata.etag"]
    assert caller.patch(path, {"givenName": "C"}, 412, headers=old) == "ErrorIrresolvableConflict"
    assert caller.delete(path, 412, headers=old) == "ErrorIrresolvableConflict"
    caller.graph.settings.if_match_honoured = False
    assert caller.delete(path, headers=old) is None
    assert caller.get(path, 404) == "ErrorItemNotFound"
    assert [row["givenName"] for row in caller.mailbox.deleted_items] == ["B"]


def test_a_copy_made_by_hand_carries_the_stamp_along(caller: Caller) -> None:
    known = caller.mailbox.user_create("contact", {"givenName": "A", "extended": {STAMP: "42", "fax": "1"}})
    copy = caller.mailbox.user_copy("contact", known)
    assert copy != known
    assert caller.mailbox.item("contact", copy)["extended"] == {STAMP: "42", "String 0x3A24": "1"}


@pytest.mark.parametrize(
    ("token", "path", "status", "code"),
    [
        ("", "/me/contacts", 401, "InvalidAuthenticationToken"),
        ("wrong", "/me/contacts", 401, "InvalidAuthenticationToken"),
        ("user", "/users/bo@contoso.example/contacts", 403, "ErrorAccessDenied"),
        ("app", "/me/contacts", 400, "BadRequest"),
        ("app", "/users/nobody@contoso.example/contacts", 404, "ErrorInvalidUser"),
        ("app", "/users/bo@contoso.example/contacts", 200, None),
        ("user", f"/users/{UPN}/contacts", 200, None),
        ("user", "/me/nothing", 400, "BadRequest"),
    ],
)
def test_a_token_opens_what_it_was_given_for(
    caller: Caller, token: str, path: str, status: int, code: str | None
) -> None:
    caller.graph.add_mailbox("bo@contoso.example", display_name="Bo")
    tokens = {"user": caller.graph.issue_token(UPN), "app": caller.graph.issue_app_token()}
    reply = caller.send("GET", path, status, headers={"Authorization": f"Bearer {tokens.get(token, token)}"})
    assert code is None or reply == code


def test_a_token_ends_with_its_hour_and_when_it_is_revoked(caller: Caller) -> None:
    caller.get("/me")
    caller.clock.advance(3601)
    assert caller.get("/me", 401) == "InvalidAuthenticationToken"
    token = caller.graph.issue_token(UPN)
    caller.session.headers["Authorization"] = f"Bearer {token}"
    caller.get("/me")
    caller.graph.revoke_token(token)
    assert caller.get("/me", 401) == "InvalidAuthenticationToken"
