"""Where a session is in its time: the one place that decides it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from vestibule.model import Session

OPENS_BEFORE = 15 * MINUTE
"""How long before its start a session opens its doors."""


class SessionState(StrEnum):
    """What a session is at a moment."""

    UPCOMING = "upcoming"
    OPEN = "open"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


JOINABLE = frozenset({SessionState.UPCOMING, SessionState.OPEN, SessionState.RUNNING})
"""States in which the session's page has something to wait for or to join."""


def opens_at(session: Session) -> int:
    """Return the first moment at which people may come in, in milliseconds since the epoch."""
    return session.starts_at - OPENS_BEFORE


def state_of(session: Session, now: int) -> SessionState:
    """Return what a session is now.

    By its times alone: that somebody is really there is not known here, so a
    session runs from its start to its end.
    """
    if session.status is SessionStatus.CANCELLED:
        return SessionState.CANCELLED
    if now >= session.ends_at:
        return SessionState.OVER
    if now >= session.starts_at:
        return SessionState.RUNNING
    return SessionState.OPEN if now >= opens_at(session) else SessionState.UPCOMING
