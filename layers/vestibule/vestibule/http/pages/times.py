"""Times as a page shows them: in the reader's language and a named zone, and readable by the page's script.

The script turns them into the visitor's own zone; without it the zone that is
named beside them is the session's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.clock import to_rfc3339

if TYPE_CHECKING:
    from vestibule.languages import Translation
    from vestibule.model import Session


@dataclass(frozen=True, slots=True)
class Span:
    """When a session takes place, to be shown.

    Attributes
    ----------
    starts, ends
        RFC 3339, for ``datetime`` attributes.
    day, clock, zone
        ``Saturday, June 1, 2199``, ``11:00 AM`` to ``11:30 AM`` with a dash, ``Europe/Berlin``.
    """

    starts: str
    ends: str
    day: str
    clock: str
    zone: str


def span(texts: Translation, session: Session) -> Span:
    """Return when a session takes place, in its own zone."""
    # Imported with the first time that a page shows: redeem and others show none.
    from vestibule.domain import moments  # noqa: PLC0415

    written = moments.span(texts, session, moments.zone(session.time_zone))
    return Span(
        starts=to_rfc3339(session.starts_at),
        ends=to_rfc3339(session.ends_at),
        day=written.date,
        clock=written.hours,
        zone=session.time_zone,
    )


def clock_time(texts: Translation, moment: int, zone: str) -> str:
    """Return the time of day of a moment (milliseconds since the epoch) in a zone, such as ``10:50 AM``."""
    from vestibule.domain import moments  # noqa: PLC0415

    return moments.time_text(texts, moments.local(moment, moments.zone(zone)))
