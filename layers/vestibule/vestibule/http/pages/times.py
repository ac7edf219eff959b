"""Times as a page shows them: in a named zone, and readable by the page's script.

The script turns them into the visitor's own zone; without it the zone that is
named beside them is the session's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vestibule.clock import to_rfc3339


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, to be shown.

    Attributes
    ----------
    starts, ends
        RFC 3339, for ``datetime`` attributes.
    day, clock, zone
        ``Saturday, 1 June 2199``, ``11:00`` to ``11:30`` with a dash, ``Europe/Berlin``.
    """

    starts: str
    ends: str
    day: str
    clock: str
    zone: str


def span(starts_at: int, ends_at: int, zone: str) -> Span:
    """Return a span in a zone; both moments are milliseconds since the epoch."""
    first, last = _local(starts_at, zone), _local(ends_at, zone)
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last.day} {last:%B, %H:%M}"
    return Span(
        starts=to_rfc3339(starts_at),
        ends=to_rfc3339(ends_at),
        day=f"{first:%A}, {first.day} {first:%B %Y}",
        clock=f"{first:%H:%M} \N{EN DASH} {end}",
        zone=zone,
    )


def clock_time(moment: int, zone: str) -> str:
    """Return the time of day of a moment in a zone, such as ``10:50``."""
    return f"{_local(moment, zone):%H:%M}"


def _local(moment: int, zone: str) -> datetime:
    # Imported with the first time that a page shows: redeem and others show none.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    # A session may be planned beyond what a platform's own clock can count.
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).astimezone(ZoneInfo(zone))
