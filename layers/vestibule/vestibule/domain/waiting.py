"""Waiting in a room: whoever is at its door stands in its list, once, for as long as their page is open.

People come to the door itself (walk-ins, and whoever a portal sends there), or to the page
of a session that is planned in the room.  Either page says every few seconds that it is
there; that is written down about once a minute, and whoever has not been heard of for a
minute and a half is shown to nobody.  What the room's users decide (`vestibule.domain.admission`)
the page hears with its next question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from vestibule import ids
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.domain import guesses, rules
from vestibule.domain.guesses import network_of
from vestibule.domain.phases import CLOSED, opens_at, phase_of
from vestibule.errors import UnavailableError
from vestibule.model import ParticipantRole, Status, Waiter, WaitingState
from vestibule.store.table import ConditionFailedError
from vestibule.store.waiting import WAITING_AT_MOST, waiters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vestibule.clock import Clock
    from vestibule.domain.entrances import Arrival
    from vestibule.domain.guesses import Guesses
    from vestibule.ids import Randomness
    from vestibule.model import Room, Session, User
    from vestibule.sealing import Sealing
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.users import UserStore
    from vestibule.store.waiting import WaitingStore

ASK_AGAIN = 4 * SECOND
"""How often an open page asks what has become of its person."""
WRITE_EVERY = 55 * SECOND
"""How old the written sign of a page may get.  A browser lets a page in the background ask once a minute, give or
take a little, and each of those questions has to count."""
LASTS = 90 * SECOND
"""How long after its last written sign a page is taken for open."""
PLACE_KEPT_FOR = 10 * MINUTE
"""How long somebody whose page is gone may come back to the same place: a telephone that was locked."""
TURNED_AWAY_FOR = 10 * MINUTE
"""How long a page is told that its person was turned away."""
ADMITTED_FOR = HOUR
"""How long an admission opens the door."""
COUNTS_BEFORE = HOUR
"""How long before its doors open the open page of a planned session counts as waiting."""

_SEAL = "waiting ticket"
_USER = "user"
_SECRET_BYTES = 16
_GUEST_BYTES = 8
_ROUNDS = 4
_RECEIVERS_NAMED = 3
_LONGEST_TICKET = 4_096
_TOKEN_PARTS = 3
_JUST_NOW = 2 * MINUTE
_DECIDED_FOR = {WaitingState.TURNED_AWAY: TURNED_AWAY_FOR, WaitingState.ADMITTED: ADMITTED_FOR}


class RoomFullError(Exception):
    """As many people wait in the room as may."""


@dataclass(frozen=True, slots=True)
class WaitingToken:
    """What the browser of somebody who waits at a room's door keeps.

    Attributes
    ----------
    key
        Who it is in the list.
    """

    room_id: str
    key: str
    secret: str

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a token; None for anything that we did not write."""
        parts = (text or "").split(".")
        if len(parts) != _TOKEN_PARTS or not all(parts) or not ids.is_object_id(parts[0]):
            return None
        return cls(*parts)

    def __str__(self) -> str:
        """Return the token's text."""
        return f"{self.room_id}.{self.key}.{self.secret}"

    @property
    def user_id(self) -> str | None:
        """The registered user who it is, None for a guest."""
        return user_id_in(self.key)


class WaitingRooms:
    """The doors of all rooms, as those see them who wait there.

    Parameters
    ----------
    store
        The lists.
    sealing
        Seals what a session's page says who it is with.
    guesses
        Counts who comes without being known: a list has few places.
    """

    def __init__(
        self,
        store: WaitingStore,
        rooms: RoomStore,
        users: UserStore,
        *,
        sealing: Sealing,
        guesses: Guesses,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._users = users
        self._sealing = sealing
        self._guesses = guesses
        self._clock = clock
        self._random = random

    # --- at the door ------------------------------------------------------------------------

    def room_at(self, account_id: str, domain: str, slug: str) -> Room | None:
        """Return the room whose door this is, None when there is none."""
        room_id = self._rooms.id_of_slug(account_id, domain, slug)
        return self._rooms.get(account_id, room_id, consistent=True) if room_id else None

    def receivers(self, room: Room) -> list[str]:
        """Return the names of up to three of the users who receive people in a room."""
        found = self._users.several(room.account_id, sorted(room.user_ids)[:_RECEIVERS_NAMED])
        return sorted(user.full_name for user in found if user.status is Status.ACTIVE)

    def come_in(self, room: Room, *, name: str, user: User | None, address: str) -> WaitingToken:
        """Let somebody wait.

        Parameters
        ----------
        name
            As they gave it; a user's own counts instead.
        address
            The visitor's network address.

        Raises
        ------
        RuleError
            The name cannot be shown.
        BlockedError
            Too many unknown people have come from that network.
        RoomFullError
            There is no place left.
        """
        shown = user.full_name if user else rules.name(name)
        if user is None:
            self._guesses.count(guesses.WALK_INS, room.account_id, room.room_id, network_of(address))
        key = f"{_USER}:{user.user_id}" if user else f"guest:{self._random.token_hex(_GUEST_BYTES)}"
        token = WaitingToken(room.room_id, key, self._random.token_hex(_SECRET_BYTES))
        now = self._clock()
        waiter = Waiter(key=key, name=shown, since=now, seen_at=now, proof=ids.digest(token.secret))
        self._enter(room.account_id, room.room_id, waiter)
        return token

    def hear(self, account_id: str, token: WaitingToken) -> Waiter | None:
        """Hear that a page is still at the door; say what has become of its person, None when the place is lost.

        One read, and about once a minute a write.
        """
        found = self._own(self._store.of_room(account_id, token.room_id), token)
        now = self._clock()
        if found is None or found.state is not WaitingState.WAITING or now - found.seen_at < WRITE_EVERY:
            return found
        if not self._may_go_on(account_id, token):
            return None
        missed = now - PLACE_KEPT_FOR
        try:
            self._store.keep(
                account_id, token.room_id, token.key, proof=ids.digest(token.secret), now=now, missed=missed
            )
        except ConditionFailedError as refused:
            return self._own(waiters_of(refused.found), token)
        return replace(found, seen_at=now)

    def leave(self, account_id: str, token: WaitingToken) -> None:
        """Give a place up; once it is lost, this does nothing."""
        try:
            self._store.leave(account_id, token.room_id, token.key, proof=ids.digest(token.secret))
        except ConditionFailedError:
            return

    # --- at the page of a planned session -----------------------------------------------------

    def ticket(self, arrival: Arrival) -> str | None:
        """Return what the open page of a session says who it is with; None where nobody waits.

        It lets nobody in anywhere: it makes the holder's name appear to those who receive people in the room.
        """
        session = arrival.session
        is_expected = arrival.is_expected and arrival.role is not ParticipantRole.HOST
        if session.room_id is None or session.registration.public or not is_expected:
            return None
        key = arrival.person.subject
        content = {"session": session.session_id, "key": key, "name": arrival.name, "at": self._clock()}
        return self._sealing.seal(_SEAL, session.account_id, json.dumps(content, ensure_ascii=False))

    def hear_ticket(self, session: Session, text: str) -> Waiter | None:
        """Hear that a session's page is open; say what has become of its person, None for somebody who does not wait.

        One read, and about once a minute a write.
        """
        ticket = self._opened(session, text)
        if ticket is None or session.room_id is None or not self.counts(session):
            return None
        now, key = self._clock(), ticket["key"]
        before = self._store.of_room(session.account_id, session.room_id).get(key)
        if before is not None and before.session_id == session.session_id:
            if before.state is WaitingState.ADMITTED and not _is_past(before, now):
                return before
            if before.state is WaitingState.TURNED_AWAY and (before.decided_at or 0) >= ticket["at"]:
                return before
            if before.state is WaitingState.WAITING and now - before.seen_at < WRITE_EVERY:
                return before
        waiter = Waiter(
            key=key,
            name=ticket["name"],
            since=now,
            seen_at=now,
            proof=ids.digest(text),
            is_walk_in=False,
            session_id=session.session_id,
        )
        try:
            return self._enter(session.account_id, session.room_id, waiter)
        except RoomFullError:
            return None  # they come in when the doors open, as everybody does

    def counts(self, session: Session) -> bool:
        """Tell whether the open page of a session counts as waiting now."""
        now = self._clock()
        return phase_of(session, now) not in CLOSED and now >= opens_at(session) - COUNTS_BEFORE

    def is_admitted(self, arrival: Arrival) -> bool:
        """Tell whether somebody may go into a session before its doors open.

        Those may who were admitted, and the host as soon as somebody was.
        """
        session, key = arrival.session, arrival.person.subject
        if session.room_id is None or not self.counts(session):
            return False
        now = self._clock()
        return any(
            one.session_id == session.session_id
            and one.state is WaitingState.ADMITTED
            and not _is_past(one, now)
            and (one.key == key or arrival.role is ParticipantRole.HOST)
            for one in self._store.of_room(session.account_id, session.room_id).values()
        )

    # --- both -----------------------------------------------------------------------------------

    def _enter(self, account_id: str, room_id: str, waiter: Waiter) -> Waiter:
        """Write somebody into the list, in place of whatever it said of them.

        Raises
        ------
        RoomFullError
            There is no place left.
        UnavailableError
            Others kept changing the list at the same moment.
        """
        now = waiter.seen_at
        known = self._store.of_room(account_id, room_id)
        for _ in range(_ROUNDS):
            before = known.get(waiter.key)
            if before is not None and before.state is WaitingState.WAITING and now - before.seen_at < PLACE_KEPT_FOR:
                waiter = replace(waiter, since=before.since)
            gone = _leaving(known.values(), waiter.key, now)
            if before is None and len(known) - len(gone) >= WAITING_AT_MOST:
                raise RoomFullError
            try:
                self._store.put(account_id, room_id, waiter, before=before, gone=gone)
            except ConditionFailedError as refused:
                known = waiters_of(refused.found)
                if known.get(waiter.key) != waiter:
                    continue
                # else it is the SDK's second try after a lost answer
            return waiter
        raise UnavailableError("dynamodb")

    def _own(self, known: Mapping[str, Waiter], token: WaitingToken) -> Waiter | None:
        """Return the entry that a token is for, None when it is lost or past."""
        found = known.get(token.key)
        if found is None or not ids.matches(token.secret, found.proof):
            return None
        return None if _is_past(found, self._clock()) else found

    def _may_go_on(self, account_id: str, token: WaitingToken) -> bool:
        """Tell whether room and user are still there; asked about once a minute."""
        if self._rooms.get(account_id, token.room_id) is None:
            return False
        if token.user_id is None:
            return True
        user = self._users.get(account_id, token.user_id, consistent=True)
        return user is not None and user.status is Status.ACTIVE

    def _opened(self, session: Session, text: str) -> Mapping[str, Any] | None:
        """Return what a ticket says, None for one that is not good for this session."""
        content = self._sealing.unseal_given(_SEAL, session.account_id, text, most=_LONGEST_TICKET)
        return content if content and content["session"] == session.session_id else None


def user_id_in(key: str) -> str | None:
    """Return the registered user whom an entry is about, None for anybody else."""
    kind, _, user_id = key.partition(":")
    return user_id if kind == _USER else None


def is_present(waiter: Waiter, now: int) -> bool:
    """Tell whether somebody waits whose page was heard of not long ago."""
    return waiter.state is WaitingState.WAITING and now - waiter.seen_at < LASTS


def _is_past(waiter: Waiter, now: int) -> bool:
    """Tell whether an entry says nothing any more."""
    if waiter.state is WaitingState.WAITING:
        return now - waiter.seen_at >= PLACE_KEPT_FOR
    return now - (waiter.decided_at or 0) >= _DECIDED_FOR[waiter.state]


def _leaving(known: Iterable[Waiter], who: str, now: int) -> Sequence[Waiter]:
    """Return the entries that somebody's coming takes out: those that are past, and in a full list all that may go."""
    others = [one for one in known if one.key != who]
    past = [one for one in others if _is_past(one, now)]
    if len(others) - len(past) < WAITING_AT_MOST:
        return past
    return [one for one in others if not is_present(one, now) and now - (one.decided_at or 0) >= _JUST_NOW]
