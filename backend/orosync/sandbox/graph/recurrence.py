"""The days of a series: Graph's patterned recurrence expanded by dateutil (graph-api.md 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil import rrule

from orosync.sandbox.graph.items import Occurrence, Timing
from orosync.sandbox.graph.wire import JSON, bad_request

_DAYS = dict(
    zip(
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU),
        strict=True,
    )
)
_INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_TYPES = frozenset(["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"])


def checked(value: Any, start: datetime, zone: str) -> JSON:
    """A recurrence as it is kept, with the members Graph fills in.

    Raises GraphFault 400 for an unknown pattern, and when range.startDate is not the day the event starts.
    """
    wrong = bad_request("The recurrence is not valid.", "ErrorPropertyValidationFailure")
    try:
        pattern, span = dict(value["pattern"]), dict(value["range"])
        kind, limit = pattern["type"], span["type"]
        if kind not in _TYPES or limit not in {"endDate", "noEnd", "numbered"} or int(pattern["interval"]) < 1:
            raise wrong
    except (TypeError, KeyError, ValueError):
        raise wrong from None
    if span.get("startDate") != start.date().isoformat():
        raise bad_request(
            "The recurrence's range.startDate must be the day of the event's start.", "ErrorPropertyValidationFailure"
        )
    kept_pattern = {
        "type": kind,
        "interval": int(pattern["interval"]),
        "month": int(pattern.get("month") or (start.month if kind.endswith("Yearly") else 0)),
        "dayOfMonth": int(pattern.get("dayOfMonth") or (start.day if kind.startswith("absolute") else 0)),
        "daysOfWeek": list(pattern.get("daysOfWeek") or ()),
        "firstDayOfWeek": pattern.get("firstDayOfWeek") or "sunday",
        "index": pattern.get("index") or "first",
    }
    kept_range = {
        "type": limit,
        "startDate": span["startDate"],
        "endDate": span.get("endDate") or "0001-01-01",
        "recurrenceTimeZone": span.get("recurrenceTimeZone") or zone,
        "numberOfOccurrences": int(span.get("numberOfOccurrences") or 0),
    }
    recurrence = {"pattern": kept_pattern, "range": kept_range}
    try:
        if next(iter(_rule(recurrence, start)), None) is None:
            raise wrong
    except (ValueError, KeyError):
        raise wrong from None
    return recurrence


def _rule(recurrence: JSON, start: datetime) -> rrule.rrule:
    pattern, span = recurrence["pattern"], recurrence["range"]
    days = [_DAYS[name] for name in pattern["daysOfWeek"]]
    options: dict[str, Any] = {"interval": pattern["interval"]}
    kind = pattern["type"]
    if kind == "weekly":
        options["byweekday"] = days or None
        options["wkst"] = _DAYS[pattern["firstDayOfWeek"]]
    elif kind.startswith("absolute"):
        # The 31st of a month that has none is its last day.
        day = pattern["dayOfMonth"]
        options["bymonthday"] = day if day <= 28 else list(range(28, day + 1))
        options["bysetpos"] = None if day <= 28 else -1
    elif kind.startswith("relative"):
        options["byweekday"] = days
        options["bysetpos"] = _INDEX[pattern["index"]]
    if kind.endswith("Yearly"):
        options["bymonth"] = pattern["month"]
    if span["type"] == "endDate":
        options["until"] = datetime.combine(date.fromisoformat(span["endDate"]), time(23, 59, 59))
    elif span["type"] == "numbered":
        options["count"] = span["numberOfOccurrences"]
    if kind == "daily":
        return rrule.rrule(rrule.DAILY, dtstart=start, **options)
    if kind == "weekly":
        return rrule.rrule(rrule.WEEKLY, dtstart=start, **options)
    if kind.endswith("Monthly"):
        return rrule.rrule(rrule.MONTHLY, dtstart=start, **options)
    return rrule.rrule(rrule.YEARLY, dtstart=start, **options)


def occurrences(timing: Timing, after: datetime, before: datetime) -> Iterator[Occurrence]:
    """The days of a series that touch after..before (wall times of the series), cancelled ones left out."""
    if timing.recurrence is None:
        return
    length = timing.end - timing.start
    moved = {day for day, changes in timing.exceptions.items() if "start" in changes}
    for day in sorted(moved - timing.cancelled):
        found = occurrence(timing, day)
        if found is not None and found.start < before and found.end > after:
            yield found
    rule = _rule(timing.recurrence, timing.start)
    for start in rule.xafter(after - length - timedelta(seconds=1), inc=True):
        if start >= before:
            return
        day = f"{start:%Y%m%d}"
        if day in timing.cancelled or day in moved or (start + length <= after and length):
            continue
        yield Occurrence(day, start, start + length, timing.exceptions.get(day))


def occurrence(timing: Timing, day: str) -> Occurrence | None:
    """The one whose original date is `day` (yyyymmdd), or None."""
    if timing.recurrence is None or day in timing.cancelled:
        return None
    original = datetime.combine(date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}"), timing.start.time())
    if next(iter(_rule(timing.recurrence, timing.start).between(original, original, inc=True)), None) is None:
        return None
    changes = timing.exceptions.get(day)
    start = changes["start"] if changes and "start" in changes else original
    end = changes["end"] if changes and "end" in changes else start + (timing.end - timing.start)
    return Occurrence(day, start, end, changes)


def neighbours(timing: Timing, day: str) -> tuple[date | None, date | None]:
    """The days of the occurrences before and after `day`."""
    if timing.recurrence is None:
        return None, None
    rule = _rule(timing.recurrence, timing.start)
    original = datetime.combine(date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}"), timing.start.time())
    before, after = rule.before(original), rule.after(original)
    return (before.date() if before else None), (after.date() if after else None)
