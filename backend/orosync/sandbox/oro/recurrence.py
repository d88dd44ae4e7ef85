"""Rules of recurring calendar events: what a form accepts, which occurrences a rule has, how it reads in words.

Source: calendarevents-recurring-*, section 5 of the API reference. Times in, times out; where they come from is
left to the event rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from dateutil import rrule

from orosync.sandbox.oro.times import parse_event_time

TYPES = ("daily", "weekly", "monthly", "monthnth", "yearly", "yearnth")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIELDS = (
    "recurrenceType",
    "interval",
    "instance",
    "dayOfWeek",
    "dayOfMonth",
    "monthOfYear",
    "startTime",
    "endTime",
    "occurrences",
    "timeZone",
)
_NEEDED = {
    "weekly": ("dayOfWeek",),
    "monthly": ("dayOfMonth",),
    "monthnth": ("dayOfWeek", "instance"),
    "yearly": ("dayOfMonth", "monthOfYear"),
    "yearnth": ("dayOfWeek", "instance", "monthOfYear"),
}
_BLANK = "This value should not be blank."
_CHOICE = "The selected choice is invalid."
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "last"}


def _whole(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        return None


def read_rule(sent: Mapping[str, Any]) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The rule as stored, its time zone and what is wrong with it, by field."""
    errors: dict[str, str] = {}
    rule: dict[str, Any] = {name: sent.get(name) for name in FIELDS if name != "timeZone"}
    kind = rule["recurrenceType"]
    if kind is None:
        errors["recurrenceType"] = _BLANK
    elif kind not in TYPES:
        errors["recurrenceType"] = _CHOICE
    for name in ("interval", "instance", "dayOfMonth", "monthOfYear", "occurrences"):
        rule[name] = _whole(rule[name])
    rule["dayOfWeek"] = list(rule["dayOfWeek"] or [])
    if any(day not in DAYS for day in rule["dayOfWeek"]):
        errors["dayOfWeek"] = _CHOICE
    for name in ("startTime", "endTime"):
        if rule[name] is not None:
            rule[name] = parse_event_time(str(rule[name]))
            if rule[name] is None:
                errors[name] = "This value is not valid."
    zone = sent.get("timeZone")
    if not zone:
        errors["timeZone"] = _BLANK
    elif zone not in available_timezones():
        errors["timeZone"] = "Please select a valid timezone."
    _limits(rule, errors)
    return rule, str(zone or ""), errors


def _limits(rule: Mapping[str, Any], errors: dict[str, str]) -> None:
    kind = rule["recurrenceType"]
    if rule["interval"] is None:
        errors.setdefault("interval", _BLANK)
    elif str(kind).startswith("year"):
        if rule["interval"] % 12:
            errors["interval"] = "This value should be a multiple of 12."
    elif rule["interval"] > 99:
        errors["interval"] = "This value should be 99 or less."
    elif rule["interval"] < 1:
        errors["interval"] = "This value should be 1 or more."
    if rule["startTime"] is None:
        errors.setdefault("startTime", _BLANK)
    if rule["occurrences"] is not None and not 1 <= rule["occurrences"] <= 999:
        errors["occurrences"] = "This value should be between 1 and 999."
    for name in _NEEDED.get(str(kind), ()):
        if not rule[name]:
            errors.setdefault(name, _BLANK)


def _pattern(rule: Mapping[str, Any]) -> dict[str, Any]:
    kind, interval = rule["recurrenceType"], rule["interval"]
    days = [DAYS.index(day) for day in rule["dayOfWeek"]]
    if kind == "daily":
        return {"freq": rrule.DAILY, "interval": interval}
    if kind == "weekly":
        return {"freq": rrule.WEEKLY, "interval": interval, "byweekday": days, "wkst": rrule.SU}
    monthly = kind in ("monthly", "monthnth")
    result: dict[str, Any] = {"freq": rrule.MONTHLY if monthly else rrule.YEARLY}
    result["interval"] = interval if monthly else max(1, interval // 12)
    if not monthly:
        result["bymonth"] = rule["monthOfYear"]
    if kind in ("monthnth", "yearnth"):
        return result | {"byweekday": days, "bysetpos": -1 if rule["instance"] == 5 else rule["instance"]}
    last = rule["dayOfMonth"]
    if last <= 28:
        return result | {"bymonthday": last}
    # a day the month does not have becomes its last one
    return result | {"bymonthday": list(range(28, last + 1)), "bysetpos": -1}


def occurrences(
    rule: Mapping[str, Any], zone: str, low: datetime, high: datetime, length: timedelta
) -> Iterator[datetime]:
    """Starts (UTC) of the occurrences that touch low..high; the local time of day stays the same all year."""
    local = ZoneInfo(zone)
    first: datetime = rule["startTime"].astimezone(local).replace(tzinfo=None)
    until = rule["endTime"]
    pattern = _pattern(rule)
    for index, naive in enumerate(rrule.rrule(dtstart=first, **pattern)):
        start = naive.replace(tzinfo=local).astimezone(UTC)
        over = rule["occurrences"] is not None and index >= rule["occurrences"]
        if over or start > high or (until is not None and start > until):
            return
        if start + length >= low:
            yield start


def in_words(rule: Mapping[str, Any]) -> str:
    """`Weekly every 1 week on Monday, Wednesday, end after 6 occurrences`."""
    kind = rule["recurrenceType"]
    days = ", ".join(day.capitalize() for day in rule["dayOfWeek"])
    nth = f"the {_ORDINALS.get(rule['instance'], '')} {days}"
    month = datetime(2000, rule["monthOfYear"] or 1, 1, tzinfo=UTC).strftime("%b")
    if kind == "monthnth":
        return _ended(f"Monthly {nth} of every {rule['interval']} month{'' if rule['interval'] == 1 else 's'}", rule)
    every = rule["interval"] // 12 if kind.startswith("year") else rule["interval"]
    unit, where = {
        "daily": ("day", ""),
        "weekly": ("week", f" on {days}"),
        "monthly": ("month", f" on day {rule['dayOfMonth']}"),
        "yearly": ("year", f" on {month} {rule['dayOfMonth']}"),
        "yearnth": ("year", f" on {nth} of {month}"),
    }[kind]
    name = {"day": "Daily", "week": "Weekly", "month": "Monthly", "year": "Yearly"}[unit]
    return _ended(f"{name} every {every} {unit}{'' if every == 1 else 's'}{where}", rule)


def _ended(text: str, rule: Mapping[str, Any]) -> str:
    if rule["occurrences"]:
        return f"{text}, end after {rule['occurrences']} occurrences"
    return f"{text}, end by {rule['endTime']:%b %-d, %Y}" if rule["endTime"] else text
