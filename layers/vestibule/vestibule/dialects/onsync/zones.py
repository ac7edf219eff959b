"""Time zones as OnSync's clients write them, and as they read them.

A code is a fixed distance from UTC, all year round; a session is kept with an
IANA zone that has this distance at its start, for the letters, else with UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from vestibule.domain import rules
from vestibule.domain.rules import RuleError

_HOURS = {
    **{f"UM{hours}": -hours for hours in range(1, 13)},
    "UM95": -9.5,
    "UM45": -4.5,
    "UM35": -3.5,
    "UTC": 0,
    **{f"UP{hours}": hours for hours in range(1, 15)},
    "UP35": 3.5,
    "UP45": 4.5,
    "UP55": 5.5,
    "UP575": 5.75,
    "UP65": 6.5,
    "UP875": 8.75,
    "UP95": 9.5,
    "UP105": 10.5,
    "UP115": 11.5,
    "UP1275": 12.75,
}
CODES = tuple(_HOURS)
_CODES = {timedelta(hours=hours): code for code, hours in _HOURS.items()}
_PLACES = {
    -9.5: "Pacific/Marquesas",
    -3.5: "America/St_Johns",
    3.5: "Asia/Tehran",
    4.5: "Asia/Kabul",
    5.5: "Asia/Kolkata",
    5.75: "Asia/Kathmandu",
    6.5: "Asia/Yangon",
    8.75: "Australia/Eucla",
    9.5: "Australia/Darwin",
    10.5: "Australia/Lord_Howe",
    12.75: "Pacific/Chatham",
}
"""Zones of broken hours; some have the distance for a part of the year alone."""
_DISTANCE = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-5][0-9]))?", re.IGNORECASE)
_SECONDS = re.compile(r"[+-]?[0-9]{1,6}")
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)


def zone_of(text: str) -> tzinfo:
    """Return the zone of a code, a distance from UTC (``UTC+2``, ``+0530``), seconds, or an IANA name.

    Raises
    ------
    RuleError
        It is none of these.
    """
    if text.upper() in _HOURS:
        return timezone(timedelta(hours=_HOURS[text.upper()]))
    distances = []
    if found := _DISTANCE.fullmatch(text):
        sign, hours, minutes = found.groups()
        distance = timedelta(hours=int(hours), minutes=int(minutes or 0))
        distances.append(-distance if sign == "-" else distance)
    if _SECONDS.fullmatch(text):  # -3600 is no distance of 36 hours
        distances.append(timedelta(seconds=int(text)))
    for distance in distances:
        if _WEST <= distance <= _EAST and not distance % timedelta(minutes=1):
            return timezone(distance)
    try:
        return ZoneInfo(rules.time_zone(text))
    except RuleError:
        detail = "must be a code such as UP1, a distance such as UTC+2 or +0530, or a number of seconds."
        raise RuleError("unknown_time_zone", detail) from None


def name_of(zone: tzinfo, moment: datetime) -> str:
    """Return the IANA name to keep for a zone, whose clocks show the same at a moment."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    distance = zone.utcoffset(moment) or timedelta()
    hours = distance / timedelta(hours=1)
    if not distance:
        return "UTC"
    # POSIX counts to the west.
    name = f"Etc/GMT{-int(hours):+}" if hours.is_integer() else _PLACES.get(hours, "UTC")
    return name if moment.astimezone(ZoneInfo(name)).utcoffset() == distance else "UTC"


def code_of(moment: datetime) -> str:
    """Return the code of a local time's distance from UTC, else the distance in words."""
    distance = moment.utcoffset() or timedelta()
    if distance in _CODES:
        return _CODES[distance]
    return f"{moment.replace(tzinfo=UTC).astimezone(moment.tzinfo or UTC):%z}"
