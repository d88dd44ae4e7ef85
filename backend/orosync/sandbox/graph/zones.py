"""Which time zone names the simulated mailbox server knows (graph-api.md 3.1, docs: datetimetimezone.md).

All Windows names and a fixed list of IANA names; anything else is refused, as Graph does.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from orosync.sandbox.graph.wire import GraphFault

DOCUMENTED_IANA = frozenset(
    [
        "Etc/GMT+12",
        "Etc/GMT+11",
        "Pacific/Honolulu",
        "America/Anchorage",
        "America/Santa_Isabel",
        "America/Los_Angeles",
        "America/Phoenix",
        "America/Chihuahua",
        "America/Denver",
        "America/Guatemala",
        "America/Chicago",
        "America/Mexico_City",
        "America/Regina",
        "America/Bogota",
        "America/New_York",
        "America/Indiana/Indianapolis",
        "America/Caracas",
        "America/Asuncion",
        "America/Halifax",
        "America/Cuiaba",
        "America/La_Paz",
        "America/Santiago",
        "America/St_Johns",
        "America/Sao_Paulo",
        "America/Argentina/Buenos_Aires",
        "America/Cayenne",
        "America/Godthab",
        "America/Montevideo",
        "America/Bahia",
        "Etc/GMT+2",
        "Atlantic/Azores",
        "Atlantic/Cape_Verde",
        "Africa/Casablanca",
        "Etc/GMT",
        "Europe/London",
        "Atlantic/Reykjavik",
        "Europe/Berlin",
        "Europe/Budapest",
        "Europe/Paris",
        "Europe/Warsaw",
        "Africa/Lagos",
        "Africa/Windhoek",
        "Europe/Bucharest",
        "Asia/Beirut",
        "Africa/Cairo",
        "Asia/Damascus",
        "Africa/Johannesburg",
        "Europe/Kyiv",
        "Europe/Kiev",
        "Europe/Istanbul",
        "Asia/Jerusalem",
        "Asia/Amman",
        "Asia/Baghdad",
        "Europe/Kaliningrad",
        "Asia/Riyadh",
        "Africa/Nairobi",
        "Asia/Tehran",
        "Asia/Dubai",
        "Asia/Baku",
        "Europe/Moscow",
        "Indian/Mauritius",
        "Asia/Tbilisi",
        "Asia/Yerevan",
        "Asia/Kabul",
        "Asia/Karachi",
        "Asia/Tashkent",
        "Asia/Kolkata",
        "Asia/Colombo",
        "Asia/Kathmandu",
        "Asia/Almaty",
        "Asia/Dhaka",
        "Asia/Yekaterinburg",
        "Asia/Rangoon",
        "Asia/Bangkok",
        "Asia/Novosibirsk",
        "Asia/Shanghai",
        "Asia/Krasnoyarsk",
        "Asia/Singapore",
        "Australia/Perth",
        "Asia/Taipei",
        "Asia/Ulaanbaatar",
        "Asia/Irkutsk",
        "Asia/Tokyo",
        "Asia/Seoul",
        "Australia/Adelaide",
        "Australia/Darwin",
        "Australia/Brisbane",
        "Australia/Sydney",
        "Pacific/Port_Moresby",
        "Australia/Hobart",
        "Asia/Yakutsk",
        "Pacific/Guadalcanal",
        "Asia/Vladivostok",
        "Pacific/Auckland",
        "Etc/GMT-12",
        "Pacific/Fiji",
        "Asia/Magadan",
        "Pacific/Tongatapu",
        "Pacific/Apia",
        "Pacific/Kiritimati",
    ]
)
WINDOWS_NAMES: tuple[str, ...] = tuple(sorted(set(win_tz) | {"UTC"}))


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """The zone behind a name Graph accepts.

    Raises GraphFault 400 TimeZoneNotSupportedException for every other name, real IANA zones included.
    """
    if name.upper() in {"UTC", "ETC/UTC", "GMT"}:
        return UTC
    if name == "tzone://Microsoft/Custom":
        return UTC
    if name in win_tz:
        return ZoneInfo(win_tz[name])
    if name in DOCUMENTED_IANA:
        return ZoneInfo(name)
    raise GraphFault(
        400, "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified. '{name}' is not known."
    )


def windows_name(iana: str) -> str:
    """The name mailboxSettings shows for an IANA zone; raises ValueError when Windows has none."""
    if iana in tz_win:
        return tz_win[iana]
    raise ValueError(f"time zone {iana!r} has no Windows name: choose another")


def to_utc(wall: datetime, zone: str) -> datetime:
    """The instant of a wall time; one that carries an offset already is only converted."""
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    return wall.replace(tzinfo=zone_named(zone)).astimezone(UTC)


def supported_time_zones() -> list[dict[str, str]]:
    """What `/me/outlook/supportedTimeZones` lists."""
    return [{"alias": name, "displayName": f"({win_tz.get(name, 'UTC')}) {name}"} for name in WINDOWS_NAMES]
