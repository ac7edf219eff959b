"""Registering by oneself: when a session's public page takes people, and how often from one network.

What the page is told, its visitor is never shown: the link goes to the address by mail,
so that nobody becomes an organizer by typing an organizer's address, and nobody learns
who has registered (E11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.domain.phases import CLOSED, phase_of

if TYPE_CHECKING:
    from vestibule.model import Session


def is_open(session: Session, now: int) -> bool:
    """Tell whether a session's public page takes registrations at a moment."""
    registration = session.registration
    if not registration.public or phase_of(session, now) in CLOSED:
        return False
    has_begun = registration.opens_at is None or registration.opens_at <= now
    return has_begun and (registration.closes_at is None or now < registration.closes_at)
