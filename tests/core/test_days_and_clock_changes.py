"""Days and instants around every change of clocks: in all zones there are, in every pair of them, and leap days (I24).

When clocks change is asked of the zones themselves, to the second.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.lens_world import (
    CONTEXT,
    item,
    oro_applies_contact,
    oro_applies_event,
    oro_applies_task,
    outlook_applies,
)
from tests.proof.effort import examples, minutes
from tests.proof.tally import count, owe

from orosync.core import zones
from orosync.core.fields import empty_record
from orosync.core.mapping import lens_of
from orosync.core.mapping.lens import Context
from orosync.core.records import Entity, Side

ALL_ZONES = sorted(available_timezones() - {"localtime", "Factory"})
FIRST, LAST = datetime(2013, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC)
WHOLE = (minutes() or 0) >= 10  # every change of clocks there was and will be takes three minutes
LEAP_DAYS = [f"{year}-02-29" for year in (2000, 2016, 2024, 2028, 2036)]
EVENT, TASK = empty_record(Entity.EVENT), empty_record(Entity.TASK)


@cache
def changes_of_clocks(name: str) -> tuple[datetime, ...]:
    """The first second of each new offset, by halving the weeks in which it differs."""
    zone, found, moment = ZoneInfo(name), [], FIRST
    while moment < LAST:
        before, moment = moment, moment + timedelta(days=7)
        after = moment
        if before.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset():
            continue
        while after - before > timedelta(seconds=1):
            middle = (before + (after - before) / 2).replace(microsecond=0)
            stays = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
            before, after = (middle, after) if stays else (before, middle)
        found.append(after)
    return tuple(found)


def get(side: Side, entity: Entity, body: dict[str, Any], context: Context) -> dict[str, Any]:
    return dict(lens_of(side, entity).snapshot(item(body), context).record)


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def rounds_of_an_event(record: dict[str, Any], context: Context, rounds: int = 3) -> None:
    outlook, oro = (lens_of(side, Entity.EVENT) for side in Side)
    in_oro: dict[str, Any] | None = None
    in_outlook: dict[str, Any] | None = None
    for _ in range(rounds):
        in_oro = oro_applies_event(oro.put(record, in_oro and item(in_oro), context), in_oro)
        assert get(Side.ORO, Entity.EVENT, in_oro, context) == record
        again = get(Side.ORO, Entity.EVENT, in_oro, context)
        in_outlook = outlook_applies(outlook.put(again, in_outlook and item(in_outlook), context), in_outlook)
        record = get(Side.OUTLOOK, Entity.EVENT, in_outlook, context)
        assert record == again
    count("lens", "rounds of an event", rounds)


def rounds_of_a_day(day: str, context: Context, rounds: int = 3) -> None:
    """A due date, and one day of an all-day event: the same day after every round."""
    whole_day = {**EVENT, "title": "x", "start": day, "end": zones.day_after(day), "all_day": True}
    rounds_of_an_event(whole_day, context, rounds)
    outlook, oro = (lens_of(side, Entity.TASK) for side in Side)
    crm = oro_applies_task(oro.put({**TASK, "due_date": day}, None, context), None)
    for _ in range(rounds):
        due = get(Side.ORO, Entity.TASK, crm, context)["due_date"]
        here = outlook_applies(outlook.put({"due_date": due}, None, context), None)
        assert get(Side.OUTLOOK, Entity.TASK, here, context)["due_date"] == due == day
        crm = oro_applies_task(oro.put({"due_date": due}, item(crm), context), crm)
    count("lens", "rounds of a due date", rounds)


def days_around(name: str) -> list[str]:
    """The local days on which clocks change, and their neighbours; in the short form of the last changes only."""
    changes = changes_of_clocks(name)
    changes = changes if WHOLE else changes[-2:]
    days = {(each.astimezone(ZoneInfo(name)) + timedelta(days=off)).date() for each in changes for off in (-1, 0, 1)}
    return [each.isoformat() for each in sorted(days)] + LEAP_DAYS[:1]


PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_days_stay_days_in_every_zone_and_on_every_day_clocks_change(part: int) -> None:
    """Each zone as OroCRM's and as the mailbox's, with another one opposite."""
    owe("lens", "zones tried", len(ALL_ZONES[part::PARTS]))
    for here in ALL_ZONES[part::PARTS]:
        opposite = ALL_ZONES[(ALL_ZONES.index(here) * 211 + 97) % len(ALL_ZONES)]
        for day in days_around(here):
            rounds_of_a_day(day, replace(CONTEXT, mailbox_zone=opposite, oro_zone=here), rounds=1)
        rounds_of_a_day(LEAP_DAYS[2], replace(CONTEXT, mailbox_zone=here, oro_zone=opposite), rounds=2)
        count("lens", "zones tried")


@settings(max_examples=examples(40, 40))
@given(
    st.one_of(st.sampled_from(LEAP_DAYS), st.dates(date(2013, 1, 1), date(2037, 12, 30)).map(str)),
    st.sampled_from(ALL_ZONES),
    st.sampled_from(ALL_ZONES),
    st.integers(2, 6),
)
def test_days_are_the_same_after_any_number_of_rounds_in_any_pair_of_zones(
    day: str, mailbox: str, crm: str, rounds: int
) -> None:
    rounds_of_a_day(day, replace(CONTEXT, mailbox_zone=mailbox, oro_zone=crm), rounds)


@pytest.mark.parametrize("part", range(PARTS))
def test_an_instant_stays_where_it_is_in_the_hours_in_which_clocks_change(part: int) -> None:
    """The last change of every zone by minutes and hours, in the mailbox's zone and in the event's own; wherever the
    wall time alone says which instant is meant, the event stays in the zone its owner put it."""
    owe("lens", "instants at a change of clocks", 1)
    for name in ALL_ZONES[part::PARTS]:
        changes = changes_of_clocks(name)
        for change in changes if WHOLE else changes[-2:]:
            for off in (-3600, -1800, -1, 0, 1, 1800, 3600, 5400):
                start = change + timedelta(seconds=off)
                times = {"start": shown(start), "end": shown(start + timedelta(minutes=30)), "all_day": False}
                _moved_into(name, {**EVENT, "title": "x", **times})
                count("lens", "instants at a change of clocks")


def _moved_into(name: str, record: dict[str, Any]) -> None:
    context = replace(CONTEXT, mailbox_zone=name, oro_zone=name)
    rounds_of_an_event(record, context, rounds=1)
    lens = lens_of(Side.OUTLOOK, Entity.EVENT)
    windows = zones.windows_of(name)
    elsewhere = {
        "subject": "x",
        "start": {"dateTime": "2026-01-01T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-01-01T10:00:00.0000000", "timeZone": "UTC"},
        "isAllDay": False,
        "originalStartTimeZone": windows or "UTC",
    }
    patch = lens.put(record, item(elsewhere), replace(CONTEXT, mailbox_zone="Asia/Tokyo"))
    assert get(Side.OUTLOOK, Entity.EVENT, outlook_applies(patch, elsewhere), context) == record
    if windows:
        clear = all(_is_clear(record[each], zones.zone(windows)) for each in ("start", "end"))
        assert patch["start"]["timeZone"] == patch["end"]["timeZone"] == (windows if clear else "UTC")


def _is_clear(instant: str, zone: ZoneInfo) -> bool:
    """By the zone: the wall time of this instant has no second meaning that comes before it."""
    moment = datetime.fromisoformat(instant)
    wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    return wall.replace(tzinfo=zone).astimezone(UTC) == moment


# ------------------------------------------------------------------------------------------------ birthdays


@settings(max_examples=examples(60, 60))
@given(
    st.one_of(st.sampled_from(LEAP_DAYS), st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(str)),
    st.sampled_from(ALL_ZONES),
    st.integers(1, 5),
)
def test_a_birthday_is_the_same_day_after_any_number_of_rounds(day: str, zone: str, rounds: int) -> None:
    context = replace(CONTEXT, mailbox_zone=zone, oro_zone=zone)
    outlook, oro = (lens_of(side, Entity.CONTACT) for side in Side)
    here: dict[str, Any] | None = None
    there: dict[str, Any] | None = None
    for _ in range(rounds):
        there = oro_applies_contact(oro.put({"birthday": day}, there and item(there), context), there)
        found = get(Side.ORO, Entity.CONTACT, there, context)["birthday"]
        here = outlook_applies(outlook.put({"birthday": found}, here and item(here), context), here)
        assert get(Side.OUTLOOK, Entity.CONTACT, here, context)["birthday"] == found == day
    count("lens", "rounds of a birthday", rounds)


@pytest.mark.parametrize("offset", range(-12, 12))
@pytest.mark.parametrize("day", ["1815-12-10", "2000-02-29", "1999-12-31", "2001-01-01"])
def test_a_birthday_written_at_local_midnight_is_that_day_from_twelve_hours_west_to_eleven_east(
    offset: int, day: str
) -> None:
    """Old clients wrote local midnight (graph-api.md 1.2). Further east it cannot be told from the day before."""
    stored = shown(datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=offset))
    body = {"birthday": stored}
    assert get(Side.OUTLOOK, Entity.CONTACT, body, CONTEXT)["birthday"] == day
    assert lens_of(Side.OUTLOOK, Entity.CONTACT).put({"birthday": day}, item(body), CONTEXT) == {}


@pytest.mark.parametrize("day", ["1604-01-01", "1604-02-29", "1604-12-31"])
@pytest.mark.parametrize("clock", ["00:00:00", "11:59:00", "12:00:00"])
def test_a_birthday_without_year_is_nothing_to_orocrm_and_is_never_taken_from_outlook(day: str, clock: str) -> None:
    lens, body = lens_of(Side.OUTLOOK, Entity.CONTACT), {"birthday": f"{day}T{clock}Z", "givenName": "Ada"}
    record = get(Side.OUTLOOK, Entity.CONTACT, body, CONTEXT)
    assert record["birthday"] is None
    assert lens.put(record, item(body), CONTEXT) == {}
    changed = lens.put({**record, "first_name": "Augusta"}, item(body), CONTEXT)
    assert "birthday" not in changed
