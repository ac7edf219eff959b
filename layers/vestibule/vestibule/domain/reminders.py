"""Reminders: letters that the portal or the host sends by hand, a few an hour to each person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import HOUR, SECOND
from vestibule.domain.outbox import new_event
from vestibule.errors import ConflictError, TooManyError
from vestibule.model import EventKind, SessionStatus

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.participants import Participants
    from vestibule.ids import Randomness
    from vestibule.model import Participant
    from vestibule.store.directory.deliveries import DeliveryStore

AN_HOUR = 3
"""Reminders to one person of one session within an hour."""


class Reminders:
    """Reminds participants."""

    def __init__(self, participants: Participants, store: DeliveryStore, clock: Clock, random: Randomness) -> None:
        self._participants = participants
        self._store = store
        self._clock = clock
        self._random = random

    def remind(self, account_id: str, session_id: str, participant_id: str) -> Participant:
        """Have a participant reminded, also one who is told nothing by itself.

        Raises
        ------
        NotFoundError
            There is no such participant.
        ConflictError
            The session is cancelled or over, or the person has no address.
        TooManyError
            The person was reminded often enough for now.
        """
        session, participant = self._participants.get(account_id, session_id, participant_id)
        if session.status is SessionStatus.CANCELLED:
            raise ConflictError("session_cancelled", "The session is cancelled.")
        now = self._clock()
        if session.ends_at <= now:
            raise ConflictError("session_over", "The session is over.")
        if participant.email is None and participant.phone is None:
            raise ConflictError("no_address", "The participant has neither an e-mail address nor a telephone number.")
        event = new_event(EventKind.REMINDED, self._random, self._clock)
        began = self._store.remind(participant, event, window=HOUR, most=AN_HOUR)
        if began is not None:
            wait = max(1, -(-(began + HOUR - now) // SECOND))
            raise TooManyError("too_many_reminders", f"The participant had {AN_HOUR} reminders within an hour.", wait)
        return participant
