"""The rule of a series between Graph's patterns and OroCRM's recurrence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.core.lens_world import RULES

from orosync.core import recurrence

START = "2026-12-07T09:00:00Z"


def graph(pattern: dict[str, Any], span: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "pattern": {"interval": 1, **pattern},
        "range": {"type": "noEnd", "startDate": "2026-12-07", **(span or {})},
    }


# Each row: the rule, Graph's pattern, OroCRM's recurrence.
SAME_RULES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"pattern": "daily", "interval": 2}, {"type": "daily", "interval": 2}, {"recurrenceType": "daily", "interval": 2}),
    (
        {"pattern": "weekly", "interval": 1, "days": ["monday", "wednesday"]},
        {"type": "weekly", "daysOfWeek": ["wednesday", "Monday"]},
        {"recurrenceType": "weekly", "interval": 1, "dayOfWeek": ["monday", "wednesday"]},
    ),
    (
        {"pattern": "monthly", "interval": 1, "day": 31},
        {"type": "absoluteMonthly", "dayOfMonth": 31},
        {"recurrenceType": "monthly", "interval": 1, "dayOfMonth": 31},
    ),
    (
        {"pattern": "monthly_nth", "interval": 1, "days": ["friday"], "week": 5},
        {"type": "relativeMonthly", "daysOfWeek": ["friday"], "index": "last"},
        {"recurrenceType": "monthnth", "interval": 1, "instance": 5, "dayOfWeek": ["friday"]},
    ),
    (
        {"pattern": "yearly", "interval": 1, "day": 7, "month": 12},
        {"type": "absoluteYearly", "dayOfMonth": 7, "month": 12},
        {"recurrenceType": "yearly", "interval": 12, "dayOfMonth": 7, "monthOfYear": 12},
    ),
    (
        {"pattern": "yearly_nth", "interval": 2, "days": ["tuesday"], "week": 2, "month": 12},
        {"type": "relativeYearly", "interval": 2, "daysOfWeek": ["tuesday"], "index": "second", "month": 12},
        {"recurrenceType": "yearnth", "interval": 24, "instance": 2, "dayOfWeek": ["tuesday"], "monthOfYear": 12},
    ),
]


@pytest.mark.parametrize(("rule", "pattern", "oro"), SAME_RULES, ids=[row[0]["pattern"] for row in SAME_RULES])
def test_a_rule_reads_alike_on_both_sides(rule: dict[str, Any], pattern: dict[str, Any], oro: dict[str, Any]) -> None:
    timed = {**rule, "zone": "Europe/Berlin"}
    assert recurrence.from_graph(graph(pattern), "W. Europe Standard Time") == timed
    assert recurrence.from_graph(graph(pattern), None) == rule
    own = {**oro, "timezone": "Europe/Rome"}
    assert recurrence.from_oro(own, START, all_day=False, oro_zone="UTC") == timed
    assert recurrence.from_oro(own, START, all_day=True, oro_zone="UTC") == rule


@given(RULES)
def test_a_rule_survives_both_sides(raw: dict[str, Any] | None) -> None:
    rule = recurrence.normal(raw)
    assert recurrence.normal(rule) == rule
    if rule is None:
        return
    if recurrence.held_by_outlook(rule):
        assert recurrence.from_graph(recurrence.to_graph(rule, "2026-12-07", "UTC"), "UTC") == {**rule, "zone": "UTC"}
    if recurrence.held_by_oro(rule):
        written = recurrence.to_oro(rule, START, "UTC")
        assert recurrence.from_oro(written, START, all_day=False, oro_zone="UTC") == rule


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"pattern": "hourly"},
        {"pattern": "weekly", "days": []},
        {"pattern": "weekly", "days": ["someday"]},
        {"pattern": "monthly", "day": 32},
        {"pattern": "monthly", "day": True},
        {"pattern": "monthly_nth", "days": ["monday"], "week": 6},
        {"pattern": "yearly", "day": 1},
        {"pattern": "daily", "interval": 0.5},
    ],
)
def test_what_is_no_rule_we_know_is_none(broken: dict[str, Any] | None) -> None:
    assert recurrence.normal(broken) is None


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"type": "numbered", "numberOfOccurrences": 6, "endDate": "0001-01-01"}, {"count": 6}),
        ({"type": "endDate", "endDate": "2027-01-31", "numberOfOccurrences": 0}, {"until": "2027-01-31"}),
        ({"type": "noEnd", "endDate": "0001-01-01"}, {}),
        ({"type": "noEnd", "recurrenceTimeZone": "Tokyo Standard Time"}, {"zone": "Asia/Tokyo"}),
    ],
)
def test_graph_names_one_of_three_ends(span: dict[str, Any], expected: dict[str, Any]) -> None:
    rule = recurrence.from_graph(graph({"type": "daily"}, span), "UTC")
    assert rule == {"pattern": "daily", "interval": 1, "zone": "UTC", **expected}


def test_a_pattern_graph_does_not_have_is_no_rule() -> None:
    assert recurrence.from_graph(graph({"type": "hourly"}), "UTC") is None
    assert (
        recurrence.from_graph(graph({"type": "relativeMonthly", "index": "fifth", "daysOfWeek": ["monday"]}), "UTC")
        is None
    )
    assert recurrence.from_graph(None, "UTC") is None


def test_the_first_day_of_the_week_stays_what_it_is_in_outlook() -> None:
    rule = {"pattern": "weekly", "interval": 2, "days": ["monday"], "zone": "UTC"}
    assert recurrence.to_graph(rule, "2026-12-07", "UTC")["pattern"]["firstDayOfWeek"] == "sunday"
    present = {"pattern": {"type": "weekly", "firstDayOfWeek": "monday"}}
    assert recurrence.to_graph(rule, "2026-12-07", "UTC", present)["pattern"]["firstDayOfWeek"] == "monday"


@pytest.mark.parametrize(
    ("end", "zone", "expected"),
    [
        (None, "UTC", None),
        ("2026-12-31T23:59:59Z", "UTC", "2026-12-31"),
        ("2026-12-31T09:00:00+00:00", "UTC", "2026-12-31"),
        ("2026-12-31T00:00:00Z", "UTC", "2026-12-30"),  # at nine it is over
        ("2027-01-01T04:59:59Z", "America/New_York", "2026-12-31"),
    ],
)
def test_oro_ends_a_series_at_an_instant(end: str | None, zone: str, expected: str | None) -> None:
    own = {"recurrenceType": "daily", "interval": 1, "endTime": end, "timeZone": zone}
    rule = recurrence.from_oro(own, START, all_day=False, oro_zone="UTC")
    assert rule is not None
    assert rule.get("until") == expected


def test_oro_without_a_start_ends_on_the_day_named() -> None:
    own = {"recurrenceType": "daily", "endTime": "2026-12-31T00:00:00Z"}
    rule = recurrence.from_oro(own, None, all_day=False, oro_zone="UTC")
    assert rule == {"pattern": "daily", "interval": 1, "until": "2026-12-31", "zone": "UTC"}


def test_a_year_and_a_half_is_no_rule_of_years() -> None:
    own = {"recurrenceType": "yearly", "interval": 18, "dayOfMonth": 1, "monthOfYear": 1}
    assert recurrence.from_oro(own, START, all_day=False, oro_zone="UTC") is None
    assert recurrence.from_oro(None, START, all_day=False, oro_zone="UTC") is None


def test_oro_is_written_its_own_names_and_keeps_its_own_zone() -> None:
    rule = {"pattern": "yearly", "interval": 1, "day": 7, "month": 12, "until": "2030-12-31", "zone": "Europe/Berlin"}
    written = recurrence.to_oro(rule, START, "UTC", {"id": 9, "timezone": "Europe/Rome"})
    assert written == {
        "recurrenceType": "yearly",
        "interval": 12,
        "dayOfWeek": [],
        "instance": None,
        "dayOfMonth": 7,
        "monthOfYear": 12,
        "startTime": START,
        "endTime": "2030-12-31T22:59:59Z",
        "occurrences": None,
        "timeZone": "Europe/Rome",
    }
    assert recurrence.to_oro(rule, START, "UTC", {"timezone": "Asia/Tokyo"})["timeZone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("changes", "oro", "outlook"),
    [
        ({}, True, True),
        ({"interval": 99}, True, True),
        ({"interval": 100}, False, True),
        ({"pattern": "yearly", "interval": 8}, True, True),
        ({"pattern": "yearly", "interval": 9}, False, True),
        ({"count": 999}, True, True),
        ({"count": 1000}, False, False),
    ],
)
def test_each_side_has_its_limits(changes: dict[str, Any], *, oro: bool, outlook: bool) -> None:
    rule = {"pattern": "daily", "interval": 1, "zone": "UTC", **changes}
    assert (recurrence.held_by_oro(rule) == rule, recurrence.held_by_outlook(rule) == rule) == (oro, outlook)
    assert (recurrence.held_by_oro(rule) is None, recurrence.held_by_outlook(rule) is None) == (not oro, not outlook)


def test_a_zone_outlook_has_no_name_for_becomes_utc() -> None:
    rule = {"pattern": "daily", "interval": 1, "zone": "Antarctica/Troll"}
    assert recurrence.drifts_in_outlook(rule)
    assert recurrence.held_by_outlook(rule) == {**rule, "zone": "UTC"}
    assert recurrence.held_by_oro(rule) == rule
    assert not recurrence.drifts_in_outlook({"pattern": "daily", "interval": 1})


def test_the_recorded_series_reads_and_is_written_as_it_was(contracts: Path) -> None:
    recorded = json.loads((contracts / "orocrm-5.1" / "calendarevents-recurring-get.json").read_text("utf-8"))
    own = recorded["response"]["body"]["recurrence"]
    rule = recurrence.from_oro(own, START, all_day=False, oro_zone="Europe/Berlin")
    assert rule == {"pattern": "weekly", "interval": 1, "days": ["monday", "wednesday"], "count": 6, "zone": "UTC"}
    created = json.loads((contracts / "orocrm-5.1" / "calendarevents-recurring-create-weekly.json").read_text("utf-8"))
    sent = created["request"]["body"]["recurrence"]
    written = recurrence.to_oro(rule, START, "UTC", own)
    assert {name: written[name] for name in sent} == sent
    assert "id" not in written
