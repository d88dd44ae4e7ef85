"""The canonical rule of a series, and how it reads and is written on each side.

A rule is a dict: `pattern` (daily, weekly, monthly, monthly_nth, yearly, yearly_nth), `interval` (of days, weeks,
months, years), where the pattern has them `days`, `week` (1 to 4, 5 = last), `day`, `month`, then `until` (last day,
"YYYY-MM-DD") or `count`, and `zone` (canonical IANA name; left out for all-day series, which float). Exceptions and
cancelled days are not part of it. Shapes: graph-api.md 3.1, orocrm-api.md 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from orosync.core import zones
from orosync.core.records import Json

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEX = ("first", "second", "third", "fourth", "last")
# Which details a pattern has besides its interval.
DETAILS: dict[str, tuple[str, ...]] = {
    "daily": (),
    "weekly": ("days",),
    "monthly": ("day",),
    "monthly_nth": ("days", "week"),
    "yearly": ("day", "month"),
    "yearly_nth": ("days", "week", "month"),
}
_GRAPH = {
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "absoluteMonthly",
    "monthly_nth": "relativeMonthly",
    "yearly": "absoluteYearly",
    "yearly_nth": "relativeYearly",
}
_ORO = {
    "daily": "daily",
    "weekly": "weekly",
    "monthly": "monthly",
    "monthly_nth": "monthnth",
    "yearly": "yearly",
    "yearly_nth": "yearnth",
}
_FROM_GRAPH = {name.casefold(): pattern for pattern, name in _GRAPH.items()}
_FROM_ORO = {name: pattern for pattern, name in _ORO.items()}
_ORO_MOST_INTERVAL = 99
_MOST_OCCURRENCES = 999
_MONTHS = 12
_LAST_SECOND = time(23, 59, 59)


def normal(rule: Mapping[str, Any] | None) -> Json | None:
    """The canonical form of a rule, None for what is none: unknown pattern, a detail missing or out of range."""
    if not rule or rule.get("pattern") not in DETAILS:
        return None
    pattern = str(rule["pattern"])
    out: Json = {"pattern": pattern, "interval": _number(rule.get("interval") or 1, 1, 10_000)}
    for name in DETAILS[pattern]:
        out[name] = _detail(name, rule.get(name))
    if any(value is None for value in out.values()):
        return None
    count = _number(rule.get("count"), 1, 1_000_000)
    if count is not None:
        out["count"] = count
    elif zones.day(rule.get("until")):
        out["until"] = zones.day(rule["until"])
    if rule.get("zone"):
        out["zone"] = zones.canonical_zone(str(rule["zone"]))
    return out


def _detail(name: str, value: Any) -> Any:
    if name == "days":
        named = {str(each).casefold() for each in value or ()}
        return [each for each in DAYS if each in named] or None
    most = {"day": 31, "month": 12, "week": 5}[name]
    return _number(value, 1, most)


def _number(value: Any, least: int, most: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None


# ------------------------------------------------------------------------------------------------ Outlook


def from_graph(recurrence: Json | None, zone_name: str | None) -> Json | None:
    """The rule of a Graph patternedRecurrence; `zone_name` is the event's own zone, None for an all-day series."""
    if not recurrence:
        return None
    shape, span = recurrence.get("pattern") or {}, recurrence.get("range") or {}
    index = str(shape.get("index") or "first").casefold()
    ends = str(span.get("type") or "noEnd").casefold()
    return normal(
        {
            "pattern": _FROM_GRAPH.get(str(shape.get("type") or "").casefold()),
            "interval": shape.get("interval"),
            "days": shape.get("daysOfWeek"),
            "week": _INDEX.index(index) + 1 if index in _INDEX else None,
            "day": shape.get("dayOfMonth"),
            "month": shape.get("month"),
            "until": span.get("endDate") if ends == "enddate" else None,
            "count": span.get("numberOfOccurrences") if ends == "numbered" else None,
            "zone": zone_name and (span.get("recurrenceTimeZone") or zone_name),
        }
    )


def to_graph(rule: Mapping[str, Any], first_day: str, windows_zone: str, present: Json | None = None) -> Json:
    """A Graph patternedRecurrence. `present`: the one there now, which lends what the rule does not say."""
    pattern = str(rule["pattern"])
    shape: Json = {"type": _GRAPH[pattern], "interval": rule["interval"]}
    if "days" in rule:
        shape["daysOfWeek"] = rule["days"]
    if pattern == "weekly":
        shape["firstDayOfWeek"] = ((present or {}).get("pattern") or {}).get("firstDayOfWeek") or "sunday"
    if "week" in rule:
        shape["index"] = _INDEX[rule["week"] - 1]
    if "day" in rule:
        shape["dayOfMonth"] = rule["day"]
    if "month" in rule:
        shape["month"] = rule["month"]
    span: Json = {"type": "noEnd", "startDate": first_day, "recurrenceTimeZone": windows_zone}
    if "count" in rule:
        span |= {"type": "numbered", "numberOfOccurrences": rule["count"]}
    elif "until" in rule:
        span |= {"type": "endDate", "endDate": rule["until"]}
    return {"pattern": shape, "range": span}


def held_by_outlook(rule: Mapping[str, Any] | None) -> Json | None:
    """What Graph can hold of a rule: it counts to 999, and a zone it has no name for becomes UTC, as a series that is
    an hour off for half of the year is better than none."""
    if rule is None or (rule.get("count") or 0) > _MOST_OCCURRENCES:
        return None
    return {**rule, **({"zone": "UTC"} if drifts_in_outlook(rule) else {})}


def drifts_in_outlook(rule: Mapping[str, Any]) -> bool:
    return bool(rule.get("zone")) and zones.windows_of(rule["zone"]) is None


# ------------------------------------------------------------------------------------------------ OroCRM


def from_oro(recurrence: Json | None, start: str | None, *, all_day: bool, oro_zone: str) -> Json | None:
    """The rule of OroCRM's recurrence; `start` is the event's start (instant). Its zone is read as `timezone` (one
    event) or `timeZone` (lists). Yearly intervals are counted in months."""
    if not recurrence:
        return None
    pattern = _FROM_ORO.get(str(recurrence.get("recurrenceType")))
    interval = recurrence.get("interval") or 1
    if pattern in ("yearly", "yearly_nth"):
        interval = interval // _MONTHS if interval % _MONTHS == 0 else None
        if interval is None:
            return None
    own_zone = recurrence.get("timezone") or recurrence.get("timeZone") or "UTC"
    return normal(
        {
            "pattern": pattern,
            "interval": interval,
            "days": recurrence.get("dayOfWeek"),
            "week": recurrence.get("instance"),
            "day": recurrence.get("dayOfMonth"),
            "month": recurrence.get("monthOfYear"),
            "until": _last_day(recurrence.get("endTime"), start, oro_zone if all_day else own_zone),
            "count": recurrence.get("occurrences"),
            "zone": None if all_day else own_zone,
        }
    )


def _last_day(end: str | None, start: str | None, zone_name: str) -> str | None:
    """OroCRM ends a series at an instant: a day whose occurrence would begin later is not part of it."""
    last, first = zones.instant(end), zones.instant(start)
    if last is None:
        return None
    moment = zones.local(last, zone_name)
    day = moment.date().isoformat()
    if first is not None and moment.time() < zones.local(first, zone_name).time():
        return zones.day_after(day, -1)
    return day


def to_oro(rule: Mapping[str, Any], start: str, oro_zone: str, present: Json | None = None) -> Json:
    """OroCRM's recurrence as it is written: `timeZone`, no `id`. `start`: the event's start (instant).

    `present`: the one there now; its zone's name is kept where it means the same.
    """
    pattern = str(rule["pattern"])
    own = (present or {}).get("timezone") or (present or {}).get("timeZone")
    zone_name = rule.get("zone") or oro_zone
    if own and zones.canonical_zone(own) == zones.canonical_zone(zone_name):
        zone_name = own
    until = rule.get("until")
    return {
        "recurrenceType": _ORO[pattern],
        "interval": rule["interval"] * (_MONTHS if pattern.startswith("yearly") else 1),
        "dayOfWeek": rule.get("days") or [],
        "instance": rule.get("week"),
        "dayOfMonth": rule.get("day"),
        "monthOfYear": rule.get("month"),
        "startTime": start,
        "endTime": zones.at(until, _LAST_SECOND, zone_name) if until else None,
        "occurrences": rule.get("count"),
        "timeZone": zone_name,
    }


def held_by_oro(rule: Mapping[str, Any] | None) -> Json | None:
    """Intervals to 99 (yearly ones in months), at most 999 occurrences (orocrm-api.md 5)."""
    if rule is None or (rule.get("count") or 0) > _MOST_OCCURRENCES:
        return None
    months = _MONTHS if str(rule["pattern"]).startswith("yearly") else 1
    return {**rule} if rule["interval"] * months <= _ORO_MOST_INTERVAL else None
