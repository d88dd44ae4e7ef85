"""Time zones and moments: names of Windows and IANA, instants, local days.

Instants are canonical text "YYYY-MM-DDTHH:MM:SSZ", days "YYYY-MM-DD". What a moment means for a field is the lenses'
business. No clock: nothing here knows what time it is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

_UTC_NAMES = frozenset({"", "utc", "gmt", "etc/utc", "etc/gmt", "z", "coordinated universal time"})
_WINDOWS = {name.casefold(): iana for name, iana in win_tz.items()}
# Old names tzlocal's table leaves out.
_SAME_AS = {
    "CST6CDT": "America/Chicago",
    "EST5EDT": "America/New_York",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
    "US/East-Indiana": "America/Indiana/Indianapolis",
    "Europe/Uzhgorod": "Europe/Kiev",
    "Europe/Zaporozhye": "Europe/Kiev",
}
ONE_DAY = timedelta(days=1)
MIDNIGHT = time()


@lru_cache(maxsize=1024)
def iana_of(name: str | None) -> str | None:
    """The IANA name behind a Windows or IANA name; None if nobody knows it ("tzone://Microsoft/Custom")."""
    text = (name or "").strip()
    if text.casefold() in _UTC_NAMES:
        return "UTC"
    text = _WINDOWS.get(text.casefold(), text)
    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):  # no such zone; a folder of zones; no name at all
        return None
    return text


@lru_cache(maxsize=1024)
def windows_of(name: str | None) -> str | None:
    """The Windows name Graph takes for a zone (graph-api.md 3.1), None if Windows has none for it."""
    iana = iana_of(name)
    if iana is None:
        return None
    return "UTC" if iana == "UTC" else tz_win.get(_SAME_AS.get(iana, iana))


@lru_cache(maxsize=1024)
def canonical_zone(name: str | None) -> str:
    """One IANA name for all zones Windows does not tell apart (Rome, Berlin: "Europe/Berlin"); unknown ones are UTC.

    A rule read from Outlook carries a Windows name, one from OroCRM an IANA name: so they can be compared.
    """
    iana = iana_of(name) or "UTC"
    return iana_of(windows_of(iana) or iana) or "UTC"


@lru_cache(maxsize=1024)
def zone(name: str | None) -> ZoneInfo:
    """The zone by either name; unknown ones are UTC."""
    return ZoneInfo(iana_of(name) or "UTC")


def shown(moment: datetime) -> str:
    """Canonical text of an aware moment; raises OverflowError at the ends of the calendar."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def day(value: object) -> str | None:
    """The date part "YYYY-MM-DD" of ISO text, None for anything else."""
    text = str(value or "")[:10]
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else None
    except ValueError:
        return None


def instant(text: str | None, zone_name: str | None = "UTC") -> str | None:
    """Canonical instant of ISO text; without offset it is wall time in `zone_name`. None for what is none."""
    try:
        moment = datetime.fromisoformat(text or "")
        return shown(moment if moment.tzinfo else moment.replace(tzinfo=zone(zone_name)))
    except (ValueError, OverflowError):
        return None


def local(instant_text: str, zone_name: str | None) -> datetime:
    """Wall time (aware) of a canonical instant; the first and last day of the calendar stay in UTC."""
    moment = datetime.fromisoformat(instant_text)
    try:
        return moment.astimezone(zone(zone_name))
    except OverflowError:
        return moment


def local_day(instant_text: str, zone_name: str | None) -> str:
    """The day a canonical instant falls on in a zone."""
    return local(instant_text, zone_name).date().isoformat()


def at(day_text: str, wall: time, zone_name: str | None) -> str:
    """The instant of a wall time on a day. A time that a clock change leaves out is moved within the same day."""
    own_day = date.fromisoformat(day_text)
    for fold in (0, 1):
        moment = datetime.combine(own_day, wall.replace(fold=fold, tzinfo=None), zone(zone_name))
        try:
            text = shown(moment)
        except OverflowError:
            break
        if local_day(text, zone_name) == day_text:
            return text
    return f"{day_text}T{wall.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def day_after(day_text: str, days: int = 1) -> str:
    """`days` later (or earlier); the calendar's last day stays where it is."""
    try:
        return (date.fromisoformat(day_text) + days * ONE_DAY).isoformat()
    except OverflowError:
        return day_text


def is_unambiguous(instant_text: str, zone_name: str | None) -> bool:
    """Whether the wall time alone, without its offset, names this instant (not so in the hour clocks repeat)."""
    wall = local(instant_text, zone_name).replace(tzinfo=None, fold=0)
    return instant(wall.isoformat(), zone_name) == instant_text
