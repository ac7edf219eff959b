"""Seats: one person sits in a session once, by whatever entrances they come.

A seat's key is the person's (`vestibule.domain.people`), so an iframe, a mailed link
and a dashboard meet on one item.  The page that sits there holds the seat's secret and
says every few seconds that it still does; it learns from the answer when somebody has
come in its place, and what its person may do by now.  A browser that dies is missed
within two minutes.

Each sitting is a visit in the journal (`vestibule.store.visits`): begun here, marked
once a minute, ended by leaving, by being kicked, or by the last mark.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from vestibule import ids
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import people
from vestibule.domain.people import Person
from vestibule.errors import UnavailableError, no_such_session
from vestibule.memory import Memory
from vestibule.model import Seat, SeatPolicy, Visit
from vestibule.store.seats import seat_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.model import Account, Entrance, ParticipantRole, Session
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.seats import SeatStore
    from vestibule.store.visits import VisitStore

INTERVAL = 15 * SECOND
"""How often a page says that it is there."""
LARGE_INTERVAL = 30 * SECOND
LARGE = 5_000
"""Registrants that a session may have, beyond which its pages speak less often."""
WRITE_EVERY = MINUTE
"""A seat is written at most this often while nothing changes."""
LASTS = 2 * MINUTE
"""How long a seat is held for a page that is not heard of: two writes, and then some."""
SESSION_REMEMBERED_FOR = 5 * SECOND
"""How old the session may be that a beat is judged by: a change of its lists reaches everybody
with the next beat after that."""

_TOKEN_PARTS = 2
_KEY_LENGTH = 64
_LONGEST_TOKEN = 160
_VISIT_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class SeatToken:
    """What a page holds of its seat: the seat's key and the holder's secret."""

    key: str
    secret: str

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a token; None for anything that we did not write."""
        if not text or len(text) > _LONGEST_TOKEN or not text.isascii():
            return None
        parts = text.split(".")
        if len(parts) != _TOKEN_PARTS or len(parts[0]) != _KEY_LENGTH or not parts[1]:
            return None
        return cls(*parts)

    def __str__(self) -> str:
        """Return the token's text."""
        return f"{self.key}.{self.secret}"

    @property
    def holder(self) -> str:
        """Digest of the secret, as the table holds it."""
        return ids.digest(self.secret)


@dataclass(frozen=True, slots=True)
class Seated:
    """The page holds the seat.

    Attributes
    ----------
    interval
        Milliseconds until it shall say so again.
    """

    token: SeatToken
    seat: Seat
    session: Session
    interval: int


class Reason(StrEnum):
    """Why a page does not hold the seat."""

    JOINED_ELSEWHERE = "joined_elsewhere"
    """The same person has come in by another page since; this one may take the seat back."""
    ALREADY_JOINED = "already_joined"
    """The person sits there by another page, and the account lets nobody come in its place."""
    LEFT = "left"
    """The page has left, or was not heard of for too long; it may take a seat again."""


@dataclass(frozen=True, slots=True)
class Unseated:
    """The page does not hold the seat."""

    reason: Reason


class Seats:
    """The seats of all sessions."""

    def __init__(
        self, store: SeatStore, visits: VisitStore, sessions: SessionStore, *, clock: Clock, random: Randomness
    ) -> None:
        self._store = store
        self._visits = visits
        self._sessions = sessions
        self._clock = clock
        self._random = random
        self._known: Memory[tuple[str, str], Session] = Memory(clock, keep=SESSION_REMEMBERED_FOR)

    def take(
        self, account: Account, session: Session, person: Person, entrance: Entrance, *, held: str | None = None
    ) -> Seated | Unseated:
        """Seat somebody.

        Parameters
        ----------
        held
            Token of the seat that this very page held before, if it did: a reload goes on
            sitting there, and one that was kicked meanwhile does not kick back by itself.

        Raises
        ------
        UnavailableError
            A table failed; calling again is right.
        """
        key = _key(account.account_id, session.session_id, person)
        before = SeatToken.parse(held)
        if before is not None and before.key == key:
            found = self._go_on(session, before, person)
            if found is not None:
                return found
        return self._sit_down(account, session, person, entrance, key)

    def beat(self, account: Account, text: str) -> Seated | Unseated:
        """Hear that a page is still there: one read, and a write at most once a minute or on a change.

        Parameters
        ----------
        text
            The token that `take` gave.
        """
        token = SeatToken.parse(text)
        seat = self._store.get(token.key) if token else None
        if token is None or seat is None or seat.account_id != account.account_id:
            return Unseated(Reason.LEFT)
        now = self._clock()
        if seat.holder != token.holder or now >= seat.held_until:
            return _not_held(seat, token)
        session = self._session(seat.account_id, seat.session_id)
        role = people.role_of(session, _person_in(seat))
        if role is seat.role and now - seat.seen_at < WRITE_EVERY:
            return Seated(token, seat, session, interval_of(session))
        return self._keep(session, token, seat, role)

    def leave(self, account: Account, text: str) -> None:
        """Free the seat that a page holds; for any other page this does nothing."""
        token = SeatToken.parse(text)
        seat = self._store.get(token.key) if token else None
        if token is None or seat is None or seat.account_id != account.account_id or seat.holder != token.holder:
            return
        now = self._clock()
        if now < seat.held_until:
            self._visits.mark(replace(_visit(seat, Person(), now), has_left=True))
        try:
            self._store.leave(token.key, holder=token.holder, now=min(now, seat.held_until))
        except ConditionFailedError:
            return  # somebody has come in its place just now

    def _go_on(self, session: Session, token: SeatToken, person: Person) -> Seated | Unseated | None:
        """Go on sitting after a reload; None when the seat is free again."""
        seat = self._store.get(token.key)
        if seat is None or self._clock() >= seat.held_until:
            return None
        if seat.holder != token.holder:
            return _not_held(seat, token)
        return self._keep(session, token, seat, people.role_of(session, person))

    def _sit_down(
        self, account: Account, session: Session, person: Person, entrance: Entrance, key: str
    ) -> Seated | Unseated:
        now, token = self._clock(), SeatToken(key, ids.new_secret(self._random))
        wanted = Seat(
            key=key,
            account_id=account.account_id,
            session_id=session.session_id,
            holder=token.holder,
            visit_id=self._random.token_hex(_VISIT_ID_BYTES),
            entrance=entrance,
            role=people.role_of(session, person),
            joined_at=now,
            seen_at=now,
            held_until=now + LASTS,
            invited_as=person.role,
            email=person.email,
            user_id=person.user_id,
            own_id=person.own_id,
            aliases=person.aliases,
        )
        try:
            seat = self._store.take(wanted, only_free=account.seat_policy is SeatPolicy.REJECT_NEW)
        except ConditionFailedError as refused:
            seat = seat_of(refused.found) if refused.found else wanted
            if seat.holder != token.holder:
                return Unseated(Reason.ALREADY_JOINED)
        visit = _visit(seat, person, now)
        try:
            self._visits.begin(visit)
            self._visits.mark(visit)
        except UnavailableError:
            self._free(token, now)
            raise
        if seat.former_visit and seat.former_until > now:
            self._visits.mark(_former(seat, now))
        return Seated(token, seat, session, interval_of(session))

    def _free(self, token: SeatToken, now: int) -> None:
        """Free a seat whose token no page gets: with `SeatPolicy.REJECT_NEW` it would turn its own person away."""
        with suppress(ConditionFailedError, UnavailableError):
            self._store.leave(token.key, holder=token.holder, now=now)

    def _keep(self, session: Session, token: SeatToken, seat: Seat, role: ParticipantRole) -> Seated | Unseated:
        now = self._clock()
        # The journal first: should it fail, the next beat tries again.
        self._visits.mark(replace(_visit(seat, Person(), now), role=role))
        try:
            kept = self._store.keep(token.key, holder=token.holder, role=role, now=now, held_until=now + LASTS)
        except ConditionFailedError as refused:
            return _not_held(seat_of(refused.found) if refused.found else seat, token)
        return Seated(token, kept, session, interval_of(session))

    def _session(self, account_id: str, session_id: str) -> Session:
        def read() -> Session:
            session = self._sessions.get(account_id, session_id, consistent=True)
            if session is None:
                raise no_such_session()
            return session

        return self._known.get((account_id, session_id), read)


def interval_of(session: Session) -> int:
    """Return how often the pages of a session shall say that they are there, in milliseconds."""
    registration = session.registration
    may_be_large = registration.public if registration.capacity is None else registration.capacity > LARGE
    return LARGE_INTERVAL if may_be_large else INTERVAL


def _key(account_id: str, session_id: str, person: Person) -> str:
    return ids.digest(f"{account_id}|{session_id}|{person.key}")


def _not_held(seat: Seat, token: SeatToken) -> Unseated:
    return Unseated(Reason.LEFT if seat.holder == token.holder else Reason.JOINED_ELSEWHERE)


def _person_in(seat: Seat) -> Person:
    return Person(
        email=seat.email, user_id=seat.user_id, own_id=seat.own_id, aliases=seat.aliases, role=seat.invited_as
    )


def _visit(seat: Seat, person: Person, left_at: int) -> Visit:
    return Visit(
        visit_id=seat.visit_id,
        account_id=seat.account_id,
        session_id=seat.session_id,
        entrance=seat.entrance,
        role=seat.role,
        joined_at=seat.joined_at,
        left_at=max(left_at, seat.joined_at),  # this worker's clock may be behind the one that seated them
        name=person.name,
        email=person.email,
        user_id=person.user_id,
        own_id=person.own_id,
        metadata=person.metadata,
    )


def _former(seat: Seat, now: int) -> Visit:
    """Return the visit that this sitting ended, as far as marking its end needs it."""
    former = replace(_visit(seat, Person(), max(now, seat.former_joined_at)), has_left=True)
    return replace(former, visit_id=seat.former_visit, joined_at=seat.former_joined_at)
