"""Presence: who is in a session now, and who waits for it, from what their pages last said.

In is whoever has a seat and was marked within the time for which a seat is held
(`vestibule.domain.seats`); waiting is whoever stands in the list of the session's room
(`vestibule.domain.waiting`).  Both are read as ranges of those who are there: what it
costs does not grow with those who have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.domain.hosting import is_host
from vestibule.domain.phases import ENTERED, phase_of
from vestibule.domain.seats import LASTS
from vestibule.domain.waiting import is_present
from vestibule.errors import no_such_session
from vestibule.ids import is_object_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vestibule.clock import Clock
    from vestibule.model import Session, User, Visit, Waiter
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.visits import Position, VisitStore
    from vestibule.store.waiting import WaitingStore

GLANCED_AT_ONCE = 8
"""Sessions that one call looks into for their host."""
NAMES_SHOWN = 3
"""People who are named with each of them."""
COUNTED_AT_MOST = 250
"""How far a glance counts each partition of a session's people."""

_WAITING = 0
"""The part of a list that those who wait come in; the parts of those who are in follow it."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many are in a session, and how many wait for it."""

    inside: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Page:
    """A part of those who are there.

    Attributes
    ----------
    end
        Where the next page begins, None when nothing follows.
    count
        How many are there in all; with the first page alone.
    """

    people: Sequence[Visit | Waiter]
    end: Position | None
    count: Count | None


@dataclass(frozen=True, slots=True)
class Glance:
    """What a host sees of a session at a glance.

    Attributes
    ----------
    names
        Of those who have been in for longest; None of somebody who gave none.
    inside
        How many are in.
    is_complete
        Whether all of them were counted.
    """

    session_id: str
    names: tuple[str | None, ...]
    inside: int
    is_complete: bool


class Presence:
    """Who is there, in all sessions."""

    def __init__(self, visits: VisitStore, sessions: SessionStore, waiting: WaitingStore, clock: Clock) -> None:
        self._visits = visits
        self._sessions = sessions
        self._waiting = waiting
        self._clock = clock

    def page(self, account_id: str, session_id: str, *, after: Position | None, limit: int) -> Page:
        """Return one page of who waits for a session, then of who is in.

        Parameters
        ----------
        after
            Position of the previous page's end, None for the first.
        limit
            People at most, 1 to 100.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        session = self._session(account_id, session_id)
        part, sort = after or (_WAITING, "")
        waiters = self._waiters(session) if part == _WAITING else []
        count = self._count(session, waiters) if after is None else None
        coming = [one for one in waiters if _sort(one) > sort]
        if len(coming) >= limit:
            return Page(coming[:limit], (_WAITING, _sort(coming[limit - 1])), count)
        inside, end = self._visits.present(
            account_id,
            session_id,
            since=self._since,
            after=(0, "") if part == _WAITING else (part - 1, sort),
            limit=limit - len(coming),
        )
        return Page([*coming, *inside], (end[0] + 1, end[1]) if end else None, count)

    def _count(self, session: Session, waiters: Sequence[Waiter]) -> Count:
        inside = self._visits.count_present(session.account_id, session.session_id, since=self._since)
        return Count(inside, len(waiters))

    def glances(self, user: User, session_ids: Iterable[str]) -> list[Glance]:
        """Look into some sessions, as far as the user hosts them and people may be in; others are left out."""
        wanted = list(dict.fromkeys(filter(is_object_id, session_ids)))[:GLANCED_AT_ONCE]
        if not wanted:
            return []
        now = self._clock()
        sessions = self._sessions.several(user.account_id, wanted)
        return [self._glance(one) for one in sessions if is_host(user, one) and phase_of(one, now) in ENTERED]

    def _glance(self, session: Session) -> Glance:
        visits, counts = self._visits.present_first(
            session.account_id, session.session_id, since=self._since, named=NAMES_SHOWN, counted=COUNTED_AT_MOST
        )
        return Glance(
            session.session_id,
            tuple(visit.name for visit in visits),
            inside=sum(counts),
            is_complete=max(counts) < COUNTED_AT_MOST,
        )

    @property
    def _since(self) -> int:
        return self._clock() - LASTS

    def _session(self, account_id: str, session_id: str) -> Session:
        session = self._sessions.known(account_id, session_id)
        if session is None:
            raise no_such_session()
        return session

    def _waiters(self, session: Session) -> list[Waiter]:
        """Return who waits for a session, the longest first; without a room nobody's page says that it does."""
        if session.room_id is None:
            return []
        now = self._clock()
        known = self._waiting.of_room(session.account_id, session.room_id).values()
        return sorted((w for w in known if w.session_id == session.session_id and is_present(w, now)), key=_sort)


def _sort(waiter: Waiter) -> str:
    return f"{waiter.since:015d}#{waiter.key}"
