"""Attendance: who was in a session, when, and for how long, read from the journal's visits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE, SECOND
from vestibule.domain.seats import LASTS
from vestibule.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection

    from vestibule.clock import Clock
    from vestibule.model import Visit
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.visits import Position, VisitStore


@dataclass(frozen=True, slots=True)
class Attended:
    """One visit.

    Attributes
    ----------
    seconds
        From joining to the last sign of the page.
    is_present
        Whether that sign is so young that the visitor is probably still there.
    """

    visit: Visit
    seconds: int
    is_present: bool


class Attendance:
    """The visits of all sessions."""

    def __init__(self, visits: VisitStore, sessions: SessionStore, clock: Clock) -> None:
        self._visits = visits
        self._sessions = sessions
        self._clock = clock

    def page(
        self, account_id: str, session_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Attended], Position | None]:
        """Return one page of a session's visits, see `vestibule.store.visits.VisitStore.page`.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        if self._sessions.get(account_id, session_id) is None:
            raise NotFoundError("session_not_found", "The account has no such session.")
        visits, end = self._visits.page(account_id, session_id, after=after, limit=limit)
        return [self._attended(visit) for visit in visits], end

    def _attended(self, visit: Visit) -> Attended:
        seconds = (visit.left_at - visit.joined_at) // SECOND
        return Attended(visit, seconds, not visit.has_left and self._clock() < visit.left_at + LASTS)


def per_minute(visits: Collection[Visit]) -> list[tuple[int, int]]:
    """Return how many visitors were there in each minute, counted from the first one's joining; no empty minutes."""
    begun = min((visit.joined_at for visit in visits), default=0)
    counts: Counter[int] = Counter()
    for visit in visits:
        counts.update(range((visit.joined_at - begun) // MINUTE, (visit.left_at - begun) // MINUTE + 1))
    return sorted(counts.items())
