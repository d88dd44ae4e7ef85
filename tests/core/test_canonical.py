"""Normal forms: what is the same, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.lens_world import CONTACTS, EVENTS, PHONES, TASKS

from orosync.core import canonical as forms
from orosync.core.fields import CATALOGUE, DEFAULT_MATCH_KEYS, empty_record
from orosync.core.records import Entity

ANYTHING = st.one_of(st.none(), st.text(), st.text(st.characters(categories=["Zs", "Cc", "Cf", "Mn", "Lo", "Sk"])))


@given(ANYTHING)
def test_text_forms_applied_twice_change_nothing(text: str | None) -> None:
    for form in (forms.line, forms.block, forms.email, forms.phone):
        once = form(text)
        assert form(once) == once
        assert once is None or (once == once.strip() and once)


@given(
    st.text(st.sampled_from("äÄßİıſａＡ@.-xn bü。"), max_size=20).map(lambda text: f"a@{text}.xn--bcher-kva.example")
)
def test_addresses_of_any_script_applied_twice_change_nothing(text: str) -> None:
    once = forms.email(text)
    assert forms.email(once) == once


@given(st.text("+0123456789 ()-/.xet;#*٣３", max_size=24))
def test_numbers_applied_twice_change_nothing(text: str) -> None:
    for number in (forms.phone(text), forms.phone(f"+{text}")):
        assert forms.phone(number) == number
        assert number is None or forms.phone(forms.phone_for_people(number)) == number


@given(CONTACTS, TASKS, EVENTS)
def test_records_applied_twice_change_nothing(contact: Any, task: Any, event: Any) -> None:
    for entity, record in ((Entity.CONTACT, contact), (Entity.TASK, task), (Entity.EVENT, event)):
        assert forms.canonical(entity, record) == record


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  padded ", "padded"),
        ("one\r\ntwo\tthree", "one two three"),
        ("e\u0301", "é"),
        ("a\x00b\ufffe\ud800", "ab"),
        ("\u3000", None),
        ("", None),
        (None, None),
        (12, "12"),
    ],
)
def test_a_line(written: Any, expected: str | None) -> None:
    assert forms.line(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a  \r\n\r\nb\rc\n", "a\n\nb\nc"),
        ("a\xa0b\tc", "a b c"),
        ("  indented\n    more  ", "indented\n    more"),
        ("\n \n", None),
        (None, None),
    ],
)
def test_a_block_of_text(written: str | None, expected: str | None) -> None:
    assert forms.block(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (" MiXed.Case@Example.COM ", "mixed.case@example.com"),
        ("x@XN--BCHER-KVA.example", "x@bücher.example"),
        ("x@Bücher.example", "x@bücher.example"),
        ("/o=ExchangeLabs/cn=X", "/o=exchangelabs/cn=x"),
        ("Ünfug ohne Klammeraffe", "ünfug ohne klammeraffe"),
        ("", None),
    ],
)
def test_an_email_address(written: str, expected: str | None) -> None:
    assert forms.email(written) == expected


def test_addresses_keep_their_order_and_come_once() -> None:
    assert forms.emails(["b@x.com", "A@x.com", "B@X.COM", None, " "]) == ["b@x.com", "a@x.com"]
    assert forms.emails([]) is forms.emails(None) is None


@pytest.mark.parametrize(
    ("written", "expected", "sent"),
    [
        ("+49 (0)30 123", "+4930123", "+49 30 123"),
        ("+1 (212) 555-0100 x12", "+12125550100 ext. 12", "+1 212-555-0100 ext. 12"),
        ("＋４９ ３０ １２３", "+4930123", "+49 30 123"),
        ("030/123-45  67", "030/123-45 67", "030/123-45 67"),
        ("+999 1", "+999 1", "+999 1"),
        ("+", "+", "+"),
    ],
)
def test_a_phone_number_and_how_it_is_sent(written: str, expected: str, sent: str) -> None:
    assert forms.phone(written) == expected
    assert forms.phone_for_people(expected) == sent
    assert forms.phone(None) is None


@given(PHONES.filter(bool))
def test_what_is_sent_reads_back_as_the_same_number(written: str) -> None:
    number = forms.phone(written)
    assert number is not None
    assert forms.phone(forms.phone_for_people(number)) == number


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-12-24", "2026-12-24"),
        ("2026-12-24T10:00:00+01:00", "2026-12-24T09:00:00Z"),
        ("2026-13-24", None),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_is_a_day_or_an_instant(written: str | None, expected: str | None) -> None:
    assert forms.moment(written) == expected


def test_an_address_has_all_five_parts_or_is_none() -> None:
    parts = {"street": " a \r\n\r\n b ", "city": " Berlin ", "country": ""}
    whole = {"street": "a\nb", "city": "Berlin", "region": None, "postal_code": None, "country": None}
    assert forms.address(parts) == whole
    assert forms.address(dict.fromkeys(whole, "")) is None
    assert forms.address(None) is None


def test_an_all_day_event_has_days_and_no_zone_and_ends_after_its_start() -> None:
    rule = {"pattern": "daily", "interval": 1, "zone": "Europe/Berlin"}
    event = {"start": "2026-12-24T05:00:00Z", "end": "2026-12-24", "all_day": True, "recurrence": rule}
    assert forms.canonical(Entity.EVENT, event) == {
        "start": "2026-12-24",
        "end": "2026-12-25",
        "all_day": True,
        "recurrence": {"pattern": "daily", "interval": 1},
    }


def test_a_timed_event_has_instants_and_its_rule_a_zone() -> None:
    event = {"start": "2026-12-24", "end": None, "all_day": False, "recurrence": {"pattern": "daily"}}
    assert forms.canonical(Entity.EVENT, event) == {
        "start": "2026-12-24T00:00:00Z",
        "end": None,
        "all_day": False,
        "recurrence": {"pattern": "daily", "interval": 1, "zone": "UTC"},
    }


def test_what_is_no_flag_is_nothing() -> None:
    assert forms.canonical(Entity.EVENT, {"all_day": "yes", "title": " x "}) == {"all_day": None, "title": "x"}


def test_every_field_of_the_catalogue_has_a_form_and_no_other() -> None:
    for entity in Entity:
        assert forms.canonical(entity, empty_record(entity)) == empty_record(entity)
        assert set(forms._FORMS[entity]) == {each.name for each in CATALOGUE[entity]}
        with pytest.raises(KeyError):
            forms.canonical(entity, {"nickname": "x"})


@pytest.mark.parametrize(
    ("field", "first", "second", "same"),
    [
        ("first_name", "Ada", "Ada", True),
        ("first_name", "Ada ", "Ada", True),
        ("first_name", "Ada", None, False),
        ("emails", ["a@x.com", "b@x.com", "c@x.com"], ["A@x.com", "c@x.com", "b@x.com"], True),
        ("emails", ["a@x.com", "b@x.com"], ["b@x.com", "a@x.com"], False),
        ("emails", ["a@x.com"], ["a@x.com", "b@x.com"], False),
        ("emails", ["a@x.com"], None, False),
        ("primary_phone", "+49 30 123", "+49 (0)30 123", True),
    ],
)
def test_two_values_are_the_same(field: str, first: Any, second: Any, *, same: bool) -> None:
    assert forms.same(Entity.CONTACT, field, first, second) is same


CONTACT_KEY = DEFAULT_MATCH_KEYS[Entity.CONTACT]


def contact_key(fields: tuple[str, ...] = CONTACT_KEY, **values: Any) -> str | None:
    return forms.match_key(Entity.CONTACT, {**empty_record(Entity.CONTACT), **values}, fields)


def test_a_match_key_forgives_case_width_and_blanks() -> None:
    key = contact_key(first_name="Jörg", last_name="van  STRAẞE")
    assert key is not None
    assert len(key) == 64
    assert key == contact_key(first_name="JÖRG", last_name="Van\u00a0strasse")
    assert key != contact_key(first_name="Jorg", last_name="van Straße")
    assert key != contact_key(first_name="Jörg", last_name="van Straße", birthday="1990-01-01")


def test_one_name_counts_as_both_in_a_match_key() -> None:
    assert contact_key(first_name="Prince") == contact_key(first_name="Prince", last_name="Prince")
    assert contact_key(last_name="Prince") == contact_key(first_name="Prince", last_name="Prince")


def test_a_contact_without_names_has_no_default_key() -> None:
    assert contact_key(gender="female", birthday="1990-01-01") is None
    assert contact_key() is None
    assert contact_key(("emails",)) is None
    assert contact_key(("emails",), emails=["a@x.com"]) == contact_key(("emails",), emails=["A@X.com"])
    assert contact_key(("birthday",), birthday="1990-01-01") is not None
    assert contact_key(("billing_address",), billing_address={"city": "Köln"}) == contact_key(
        ("billing_address",), billing_address={"city": "KÖLN"}
    )


def test_tasks_and_events_without_title_match_nothing() -> None:
    task = {**empty_record(Entity.TASK), "priority": "normal"}
    assert forms.match_key(Entity.TASK, task, ("subject", "priority")) is None
    assert forms.match_key(Entity.TASK, task, ("priority",)) is not None
    event = {**empty_record(Entity.EVENT), "title": "Lunch", "start": "2026-12-24", "all_day": True}
    assert forms.match_key(Entity.EVENT, event, DEFAULT_MATCH_KEYS[Entity.EVENT]) is not None
    assert forms.match_key(Entity.EVENT, {**event, "title": None}, DEFAULT_MATCH_KEYS[Entity.EVENT]) is None


def test_a_digest_does_not_depend_on_the_order_of_members() -> None:
    assert forms.content_digest({"a": 1, "b": [None, "ü"]}) == forms.content_digest({"b": [None, "ü"], "a": 1})
    assert forms.content_digest({"a": 1}) != forms.content_digest({"a": "1"})
    assert len(forms.content_digest("\ud800")) == 32
