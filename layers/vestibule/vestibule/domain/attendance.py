"""Attendance: who was in a session, when, and for how long, read from the journal's visits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE, SECOND
from vestibule.domain.seats import LASTS
from vestibule.errors import no_such_session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vestibule.clock import Clock
    from vestibule.model import Stay, Visit
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.visits import Position, VisitStore

SUMMED_AT_MOST = 50_000
"""Visits that one summary counts."""
SUMMED_FOR = 6 * SECOND
"""How long one summary goes on reading, of a function's ten seconds."""

_READ_AT_ONCE = 1_000
_STEPS_AT_MOST = 24 * 60


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


@dataclass(frozen=True, slots=True)
class Summary:
    """What all visits to a session come to.

    Attributes
    ----------
    people
        How many different people came, by whatever entrances.
    present
        Visits that are probably still going on.
    seconds
        Of all visits together.
    begun, ended
        When the first one joined and the last one left; None when nobody came.
    step
        Length of a step of ``concurrency`` in milliseconds: a minute, and more only
        for what lasted longer than a day.
    concurrency
        How many were there in each step from ``begun`` on, the empty ones included.
    is_complete
        Whether all visits were counted: there are limits to what one call can read.
    """

    visits: int
    people: int
    present: int
    seconds: int
    begun: int | None
    ended: int | None
    step: int
    concurrency: tuple[int, ...]
    is_complete: bool


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
        self._require(account_id, session_id)
        visits, end = self._visits.page(account_id, session_id, after=after, limit=limit)
        return [self._attended(visit) for visit in visits], end

    def summary(self, account_id: str, session_id: str) -> Summary:
        """Return what a session's visits come to, of as many as `SUMMED_AT_MOST` and `SUMMED_FOR` allow.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        self._require(account_id, session_id)
        until = self._clock() + SUMMED_FOR
        stays, after = self._visits.stays(account_id, session_id, after=None, limit=_READ_AT_ONCE)
        while after is not None and len(stays) < SUMMED_AT_MOST and self._clock() < until:
            found, after = self._visits.stays(account_id, session_id, after=after, limit=_READ_AT_ONCE)
            stays += found
        return summed(stays, now=self._clock(), is_complete=after is None)

    def _require(self, account_id: str, session_id: str) -> None:
        if self._sessions.known(account_id, session_id) is None:
            raise no_such_session()

    def _attended(self, visit: Visit) -> Attended:
        return Attended(visit, _seconds(visit), _is_present(visit, self._clock()))


def summed(stays: Collection[Stay], *, now: int, is_complete: bool) -> Summary:
    """Return what visits come to.

    Parameters
    ----------
    now
        Milliseconds since the epoch.
    is_complete
        Whether there are no others.
    """
    step, concurrency = _concurrency(stays)
    return Summary(
        visits=len(stays),
        people=len({_person(stay) for stay in stays}),
        present=sum(_is_present(stay, now) for stay in stays),
        seconds=sum(map(_seconds, stays)),
        begun=min((stay.joined_at for stay in stays), default=None),
        ended=max((stay.left_at for stay in stays), default=None),
        step=step,
        concurrency=concurrency,
        is_complete=is_complete,
    )


def per_minute(visits: Collection[Stay]) -> list[tuple[int, int]]:
    """Return how many visitors were there in each minute, counted from the first one's joining; no empty minutes."""
    return [(minute, count) for minute, count in enumerate(_in_each(MINUTE, visits)) if count]


def _seconds(stay: Stay) -> int:
    return (stay.left_at - stay.joined_at) // SECOND


def _is_present(stay: Stay, now: int) -> bool:
    """Tell whether somebody's last sign is so young that they are probably still there."""
    return not stay.has_left and now < stay.left_at + LASTS


def _person(stay: Stay) -> tuple[str, str]:
    """Return who came, by what a seat knows them by: address, else the portal's id, else ours.

    Spellings of an address that differ in more than case are two people here: to read each as
    `vestibule.domain.emails` does would take longer than everything else.
    """
    if stay.email:
        return "email", stay.email.casefold()
    if stay.user_id:
        return "user", stay.user_id
    return ("own", stay.own_id) if stay.own_id else ("visit", stay.visit_id)


def _concurrency(visits: Collection[Stay]) -> tuple[int, tuple[int, ...]]:
    """Return the length of a step (milliseconds), and how many were there in each from the first joining on."""
    if not visits:
        return MINUTE, ()
    lasted = max(visit.left_at for visit in visits) - min(visit.joined_at for visit in visits)
    step = -(-(lasted // MINUTE + 1) // _STEPS_AT_MOST) * MINUTE
    return step, tuple(_in_each(step, visits))


def _in_each(step: int, visits: Collection[Stay]) -> Iterable[int]:
    """Return how many were there in each step (of so many milliseconds) from the first joining to the last leaving."""
    begun = min((visit.joined_at for visit in visits), default=0)
    # Who comes counts from their step on, who goes no longer after theirs.
    moves: Counter[int] = Counter()
    for visit in visits:
        moves[(visit.joined_at - begun) // step] += 1
        moves[(visit.left_at - begun) // step + 1] -= 1
    return accumulate(moves[number] for number in range(max(moves, default=0)))
