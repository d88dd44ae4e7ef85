"""The forms of time OroCRM reads and writes: JSON:API, older REST API, filters.

Only text and `datetime`; which field takes which form is left to the rules of the entities. All datetimes here
are aware, UTC and whole seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_FULL = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?", re.ASCII)
_YEAR = re.compile(r"(\d\d)(\d\d)", re.ASCII)
_EVENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)


def json_api_time(moment: datetime | None) -> str | None:
    """`2026-11-21T08:07:03Z`."""
    return None if moment is None else moment.isoformat()[:19] + "Z"


def legacy_time(moment: datetime | None) -> str | None:
    """`2026-11-21T08:07:03+00:00`, the form of the older REST API."""
    return None if moment is None else moment.isoformat()


def _shift(zone: str) -> timedelta:
    digits = zone[1:].replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -shift if zone[0] == "-" else shift


def parse_filter_time(text: str, now: datetime) -> datetime | None:
    """A value of a date filter, or None where OroCRM answers 400 (contacts-filter-updatedAt-forms).

    A year alone is read as a time of day of today, as PHP reads it: `2026` is 20:26.
    """
    try:
        if found := _FULL.fullmatch(text):
            year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
            moment = datetime(year, month, day, hour, minute, int(found[6] or 0), tzinfo=UTC)
            return moment - _shift(found[7]) if found[7] and found[7] != "Z" else moment
        if found := _DAY.fullmatch(text):
            return datetime(int(found[1]), int(found[2]), int(found[3] or 1), tzinfo=UTC)
        if found := _YEAR.fullmatch(text):
            return now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    except ValueError:
        return None
    return None


def parse_attribute_time(text: str) -> datetime | None:
    """A datetime attribute of the JSON:API; a time without a zone is refused, a date alone is midnight UTC.

    Source: timezone-setting-effect, tasks-create-due-date-only, tasks-patch-due-date.
    """
    try:
        if found := _DAY.fullmatch(text):
            if found[3] is None:
                return None
            return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
        found = _FULL.fullmatch(text)
        if found is None or found[7] is None:
            return None
        year, month, day, hour, minute = (int(part) for part in found.groups()[:5])
        moment = datetime(year, month, day, hour, minute, int(found[6] or 0), tzinfo=UTC)
    except ValueError:
        return None
    return moment if found[7] == "Z" else moment - _shift(found[7])


def parse_event_time(text: str) -> datetime | None:
    """A time of a calendar event: whatever offset is sent, the digits count as UTC (calendarevents-start-forms)."""
    found = _EVENT.fullmatch(text)
    if found is None:
        return None
    try:
        return datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def parse_loose_time(text: str) -> datetime | None:
    """A time in a query of the older REST API; no zone means UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_birthday(text: str) -> str | None:
    """`YYYY-MM-DD` and nothing else."""
    if len(text) != 10:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None
