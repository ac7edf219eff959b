"""Where a session is in its time: decided here alone, by the clock and the session's own item, at each look."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from vestibule.model import Session

OPENS_BEFORE = 10 * MINUTE
"""How long before its start people may go in."""


class Phase(StrEnum):
    """Where a session is in its time."""

    UPCOMING = "upcoming"
    OPEN = "open"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


ENTERED = frozenset({Phase.OPEN, Phase.RUNNING})
"""When people may go in."""
CLOSED = frozenset({Phase.OVER, Phase.CANCELLED})
"""When nobody will go in any more, unless the session is moved."""


def opens_at(session: Session) -> int:
    """Return the first moment at which people may go in, in milliseconds since the epoch."""
    return session.starts_at - OPENS_BEFORE


def phase_of(session: Session, now: int) -> Phase:
    """Return a session's phase at a moment in milliseconds since the epoch.

    By its times alone: that somebody is really there is not known here, so a
    session runs from its start to its end.
    """
    if session.status is SessionStatus.CANCELLED:
        return Phase.CANCELLED
    if now >= session.ends_at:
        return Phase.OVER
    if now >= session.starts_at:
        return Phase.RUNNING
    return Phase.OPEN if now >= opens_at(session) else Phase.UPCOMING
