"""What the lens laws are tried with: records of every kind, items on both sides, and what a side makes of a patch.

The two systems' own behaviour is written here once more, from the references and not from the lenses.
"""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from tzlocal.windows_tz import win_tz

from orosync.core.canonical import canonical
from orosync.core.mapping.lens import Context
from orosync.core.mapping.places import Places
from orosync.core.records import Entity, Item

PLACES = Places(
    countries={"US": "United States", "DE": "Germany", "MC": "Monaco", "GB": "United Kingdom", "TR": "Turkey"},
    regions={
        "US-NY": ("US", "NY", "New York"),
        "US-CA": ("US", "CA", "California"),
        "DE-BE": ("DE", "BE", "Berlin"),
        "GB-LND": ("GB", "LND", "London"),
        "GB-OLD": ("GB", "OLD", "London"),  # two regions of one name
    },
)
CONTEXT = Context(
    places=PLACES,
    mailbox_zone="Europe/Berlin",
    oro_zone="America/New_York",
    oro_url="https://crm.example.com",
    oro_user_id="7",
    calendar_id="3",
)
# A few that are known for trouble: changes at midnight, half hours, far east and far west.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/Scoresbysund",
    "Africa/Cairo",
)
_TROUBLE = st.sampled_from(
    ["", "\x00", "a\r\nb", "  padded  ", "Zoë 😀 李", "e\u0301", "<b>x</b> & y", "&amp;", "\ud800", "\ufdd0"]
)
TEXTS = st.one_of(st.none(), _TROUBLE, st.text(max_size=40), st.integers(95, 300).map(lambda size: "x" * size))
_LINES = st.lists(
    st.sampled_from(["a", " b  c", "\xa0d", "", "<p>e</p>", "f & g", "\th", "&lt;i", "<3", "li\u2028ne"]), max_size=6
)
BLOCKS = st.one_of(TEXTS, _LINES.map("\n".join), st.text("<>/pbr &;nbsp\n \xa0", max_size=30))
EMAILS = st.lists(
    st.sampled_from(["a@x.com", "B@x.com", "c@y.org", "d@z.net", "e@z.net", "not an address", "ü@bücher.example", "@"]),
    max_size=6,
)
PHONES = st.sampled_from(
    [
        None,
        "",
        "+49 (0)30 123",
        "+4930123",
        "+1 212 555 0100 x12",
        "030/123-45",
        "+999 1",
        "+",
        "０３０ 1",
        "+39 06 6982",
    ]
)
DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(date.isoformat)
RECENT_DAYS = st.dates(date(2013, 1, 1), date(2037, 12, 31)).map(date.isoformat)
ADDRESSES = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "street": st.sampled_from(
                [None, "1 Main St", "1 Main St\nFloor 2", "a\nb\nc", "x" * 501, "y\n" + "z" * 300]
            ),
            "city": st.sampled_from([None, "Berlin", "New York", "c" * 256]),
            "region": st.sampled_from(
                [None, "NY", "new york", "US-NY", "DE-BE", "Berlin", "London", "GB-OLD", "old", "r" * 300]
            ),
            "postal_code": st.sampled_from([None, "10115", " 10001 "]),
            "country": st.sampled_from(
                [None, "US", "usa", "Deutschland", "DEU", "Monaco", "UK", "Turkey", "Narnia", "XK"]
            ),
        }
    ),
)
CONTACTS = st.fixed_dictionaries(
    {
        "first_name": TEXTS,
        "middle_name": TEXTS,
        "last_name": TEXTS,
        "name_suffix": TEXTS,
        "description": BLOCKS,
        "emails": EMAILS,
        "primary_phone": PHONES,
        "job_title": TEXTS,
        "birthday": st.one_of(st.none(), DAYS, st.just("1604-02-29"), st.just("4501-01-01")),
        "gender": st.sampled_from([None, "female", "male", "x"]),
        "fax": TEXTS,
        "billing_address": ADDRESSES,
        "shipping_address": ADDRESSES,
        "other_address": ADDRESSES,
    }
).map(lambda values: canonical(Entity.CONTACT, values))
TASKS = st.fixed_dictionaries(
    {
        "subject": TEXTS,
        "priority": st.sampled_from([None, "low", "normal", "high", "urgent"]),
        "due_date": st.one_of(st.none(), RECENT_DAYS),
        "status": st.sampled_from([None, "not_started", "in_progress", "completed", "waiting_on_others", "deferred"]),
        "description": BLOCKS,
    }
).map(lambda values: canonical(Entity.TASK, values))
_DETAILS = st.fixed_dictionaries(
    {
        "pattern": st.sampled_from(["daily", "weekly", "monthly", "monthly_nth", "yearly", "yearly_nth", "hourly"]),
        "interval": st.sampled_from([1, 2, 8, 9, 99, 100]),
        "days": st.lists(st.sampled_from(["monday", "friday", "sunday"]), max_size=3),
        "week": st.integers(1, 5),
        "day": st.integers(1, 31),
        "month": st.integers(1, 12),
        "zone": st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Antarctica/Troll"]),
    }
)
RULES = st.one_of(
    st.none(),
    st.tuples(
        _DETAILS,
        st.one_of(
            st.just({}),
            st.builds(lambda count: {"count": count}, st.sampled_from([1, 10, 999, 1000])),
            st.builds(lambda until: {"until": until}, RECENT_DAYS),
        ),
    ).map(lambda pair: pair[0] | pair[1]),
)
# Noon to four in the afternoon in winter: no clock is changed then in any zone used for a rule.
_SPANS = st.one_of(
    st.tuples(RECENT_DAYS, st.integers(1, 40)).map(
        lambda pair: {
            "start": pair[0],
            "end": (date.fromisoformat(pair[0]) + timedelta(days=pair[1])).isoformat(),
            "all_day": True,
        }
    ),
    st.tuples(
        st.datetimes(datetime(2013, 1, 1), datetime(2037, 12, 1)),  # noqa: DTZ001  # UTC is added below
        st.integers(0, 5_000),
    ).map(
        lambda pair: {
            "start": _z(pair[0].replace(tzinfo=UTC)),
            "end": _z(pair[0].replace(tzinfo=UTC) + timedelta(minutes=pair[1])),
            "all_day": False,
        }
    ),
)


def _z(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


EVENTS = st.tuples(TEXTS, _SPANS, RULES, BLOCKS).map(
    lambda parts: canonical(
        Entity.EVENT, {"title": parts[0], **parts[1], "recurrence": parts[2], "description": parts[3]}
    )
)


def item(body: dict[str, Any], id: str = "1") -> Item:
    return Item(id, "v1", body)


# ------------------------------------------------------------------------------------------------ the sides


def outlook_applies(patch: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Graph's PATCH or POST: members are replaced, extended properties one by one; times come back in UTC."""
    body = {**copy.deepcopy(before or {}), **copy.deepcopy(patch)}
    rows = {row["id"].casefold(): row for row in (before or {}).get("singleValueExtendedProperties", [])}
    for row in patch.get("singleValueExtendedProperties", []):
        assert isinstance(row["value"], str)
        rows[row["id"].casefold()] = {**row, "id": row["id"].lower()}
    body["singleValueExtendedProperties"] = list(rows.values())
    assert len(patch.get("emailAddresses", [])) <= 3
    if "start" in patch:
        assert {"start", "end", "isAllDay"} <= patch.keys()
        body["originalStartTimeZone"] = patch["start"]["timeZone"]
        for name in ("start", "end"):
            body[name] = _in_utc(patch[name], all_day=patch["isAllDay"])
    return body


def _in_utc(moment: dict[str, str], *, all_day: bool) -> dict[str, str]:
    wall = datetime.fromisoformat(moment["dateTime"])
    if all_day:
        assert wall.time().isoformat() == "00:00:00"
        return {"dateTime": wall.isoformat() + ".0000000", "timeZone": "UTC"}
    zone = ZoneInfo(win_tz.get(moment["timeZone"], moment["timeZone"]))
    utc = wall.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    return {"dateTime": utc.isoformat() + ".0000000", "timeZone": "UTC"}


def oro_applies_contact(patch: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """OroCRM's PATCH or POST with its rules of lists and types (orocrm-api.md 3); asserts what it would refuse."""
    body = copy.deepcopy(before or {"id": "1", "attributes": {}, "addresses": []})
    _lists_and_texts(body["attributes"], patch.get("attributes", {}))
    parts = patch.get("addresses", {"create": [], "update": {}, "delete": []})
    rows = {row["id"]: row for row in body["addresses"]}
    for row_id, change in parts["update"].items():
        rows[row_id]["attributes"] |= change.get("attributes", {})
        rows[row_id] |= {name: value for name, value in change.items() if name != "attributes"}
    for new in parts["create"]:
        taken = {kind for row in rows.values() for kind in row["types"]}
        assert not taken & set(new["types"]), "a type that is taken is silently lost"
        rows[str(max([0, *map(int, rows)]) + 1)] = copy.deepcopy(new)
    for row_id in parts["delete"]:
        del rows[row_id]
    for row in rows.values():
        assert row["country"] in PLACES.countries
        if row["region"]:
            assert PLACES.regions[row["region"]][0] == row["country"]
        if any(region[0] == row["country"] for region in PLACES.regions.values()):
            assert not row["attributes"].get("customRegion")
        for name, most in (
            ("street", 500),
            ("street2", 255),
            ("city", 255),
            ("postalCode", 255),
            ("customRegion", 255),
        ):
            assert len(row["attributes"].get(name) or "") <= most
    body["addresses"] = [{**row, "id": row_id} for row_id, row in rows.items()]
    return body


def _lists_and_texts(own: dict[str, Any], sent: dict[str, Any]) -> None:
    own |= sent
    for many, one, primary in (("emails", "email", "primaryEmail"), ("phones", "phone", "primaryPhone")):
        if many in sent:
            listed = [row[one] for row in sent[many]]
            assert len(listed) == len(set(listed)), "a duplicate is refused"
            assert not listed or sent[primary] in listed, "the primary one must be in the list"
            if not listed:
                own[primary] = None
        elif primary in sent:
            assert sent[primary] in [row[one] for row in own[many]], "it would overwrite the present primary"
    for name, most in (("firstName", 100), ("lastName", 100), ("middleName", 255), ("jobTitle", 255), ("fax", 255)):
        assert len(own.get(name) or "") <= most


def oro_applies_task(patch: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    body = copy.deepcopy(before or {"id": "1", "attributes": {}})
    body["attributes"] |= patch.get("attributes", {})
    assert 0 < len(body["attributes"]["subject"]) <= 255
    body |= patch.get("relationships", {})
    body["status"] = patch.get("status", body.get("status"))
    assert body["status"] in {"open", "in_progress", "closed"}
    assert body["taskPriority"] in {"low", "normal", "high"}
    return body


def oro_applies_event(patch: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """The old REST API: offsets are ignored, a recurrence is read with another name for its zone."""
    body = {**copy.deepcopy(before or {"id": 1}), **copy.deepcopy(patch)}
    for name in ("start", "end"):
        if name in patch:
            assert patch[name].endswith("Z")
            body[name] = patch[name][:-1] + "+00:00"
    rule = patch.get("recurrence")
    if rule:
        assert 1 <= rule["interval"] <= 99
        assert (rule["occurrences"] or 1) <= 999
        body["recurrence"] = {**rule, "id": 5, "timezone": rule["timeZone"]}
        del body["recurrence"]["timeZone"]
    assert 0 < len(body["title"]) <= 255
    return body
