"""Names of zones, instants and days."""

from __future__ import annotations

from datetime import time
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.lens_world import RECENT_DAYS, ZONES
from tzlocal.windows_tz import win_tz

from orosync.core import zones

REAL_ZONES = sorted(available_timezones() - {"localtime", "Factory"})


@pytest.mark.parametrize(
    ("name", "iana", "windows", "canonical"),
    [
        ("W. Europe Standard Time", "Europe/Berlin", "W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin", "W. Europe Standard Time", "Europe/Berlin"),
        ("Europe/Rome", "Europe/Rome", "W. Europe Standard Time", "Europe/Berlin"),
        ("UTC", "UTC", "UTC", "UTC"),
        ("Etc/GMT", "UTC", "UTC", "UTC"),
        ("", "UTC", "UTC", "UTC"),
        (None, "UTC", "UTC", "UTC"),
        ("tzone://Microsoft/Custom", None, None, "UTC"),
        ("Customized Time Zone", None, None, "UTC"),
        ("../etc/passwd", None, None, "UTC"),
        ("America", None, None, "UTC"),
        ("EST5EDT", "EST5EDT", "Eastern Standard Time", "America/New_York"),
        ("Antarctica/Troll", "Antarctica/Troll", None, "Antarctica/Troll"),
    ],
)
def test_a_zone_is_known_by_both_names(name: str | None, iana: str | None, windows: str | None, canonical: str) -> None:
    assert zones.iana_of(name) == iana
    assert zones.windows_of(name) == windows
    assert zones.canonical_zone(name) == canonical
    assert zones.zone(name).key == (iana or "UTC")


@pytest.mark.parametrize("name", sorted(win_tz))
def test_every_windows_name_comes_back_through_its_canonical_zone(name: str) -> None:
    canonical = zones.canonical_zone(name)
    assert zones.canonical_zone(canonical) == canonical
    assert zones.canonical_zone(zones.windows_of(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-12-02T09:00:00Z", "Europe/Berlin", "2026-12-02T09:00:00Z"),
        ("2026-12-02T09:00:00.0000000", "UTC", "2026-12-02T09:00:00Z"),
        ("2026-12-02T09:00:00.9999999", "Europe/Berlin", "2026-12-02T08:00:00Z"),
        ("2026-12-02T09:00:00", "W. Europe Standard Time", "2026-12-02T08:00:00Z"),
        ("2026-12-02T09:00:00+01:00", None, "2026-12-02T08:00:00Z"),
        ("2026-12-02T09:00:00", "tzone://Microsoft/Custom", "2026-12-02T09:00:00Z"),
        ("", "UTC", None),
        (None, "UTC", None),
        ("yesterday", "UTC", None),
        ("0001-01-01T00:00:00+14:00", "UTC", None),
    ],
)
def test_moments_become_whole_seconds_of_utc(text: str | None, zone: str | None, expected: str | None) -> None:
    assert zones.instant(text, zone) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-02-29", "2024-02-29"),
        ("2024-02-29T10:00:00Z", "2024-02-29"),
        ("2023-02-29", None),
        ("2024", None),
        (None, None),
    ],
)
def test_a_day_is_the_date_part_if_there_is_one(value: str | None, expected: str | None) -> None:
    assert zones.day(value) == expected


@pytest.mark.parametrize(
    ("day", "wall", "zone", "expected"),
    [
        ("2026-12-24", time(0, 0), "America/New_York", "2026-12-24T05:00:00Z"),
        ("2026-12-24", time(23, 59), "America/New_York", "2026-12-25T04:59:00Z"),
        ("2018-11-04", time(0, 0), "America/Sao_Paulo", "2018-11-04T03:00:00Z"),  # no midnight that day: 01:00
        ("2024-03-30", time(23, 59), "America/Scoresbysund", "2024-03-31T00:59:00Z"),  # no 23:59: 22:59
        ("2026-10-25", time(2, 30), "Europe/Berlin", "2026-10-25T00:30:00Z"),  # twice: the first one
        ("2011-12-30", time(12, 0), "Pacific/Apia", "2011-12-30T12:00:00Z"),  # no such day there
        ("0001-01-01", time(0, 0), "Asia/Tokyo", "0001-01-01T00:00:00Z"),  # before the calendar
    ],
)
def test_a_wall_time_that_clocks_leave_out_stays_on_its_day(day: str, wall: time, zone: str, expected: str) -> None:
    assert zones.at(day, wall, zone) == expected


@given(RECENT_DAYS, st.sampled_from([time(0, 0), time(23, 59), time(2, 30), time(12, 0)]), st.sampled_from(REAL_ZONES))
def test_a_day_survives_every_zone(day: str, wall: time, zone: str) -> None:
    assert zones.local_day(zones.at(day, wall, zone), zone) == day


def test_the_ends_of_the_calendar_stay_where_they_are() -> None:
    assert zones.day_after("9999-12-31") == "9999-12-31"
    assert zones.day_after("2024-02-28", 2) == "2024-03-01"
    assert zones.local_day("0001-01-01T00:00:00Z", "America/New_York") == "0001-01-01"


@pytest.mark.parametrize("zone", ZONES)
def test_noon_is_clear_everywhere(zone: str) -> None:
    assert zones.is_unambiguous(zones.at("2026-06-15", time(12, 0), zone), zone)


def test_the_repeated_hour_is_clear_only_the_first_time() -> None:
    assert zones.is_unambiguous("2026-10-25T00:30:00Z", "Europe/Berlin")
    assert not zones.is_unambiguous("2026-10-25T01:30:00Z", "Europe/Berlin")
