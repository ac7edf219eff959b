"""Who waits for a user, and letting them in: the room's users alone see its list and decide.

Every call begins with the user's own rooms, strongly consistently; a room of somebody else's is
answered like one that does not exist.  A decision is one conditional write, so of two users of
one room who decide about the same person one is first, and the other hears that.

A walk-in who is admitted gets a session of their own, hosted by whoever admitted them, in the
room, from now on: two people who came to the same door never meet.  The session's id is drawn
before the decision and stands in it, so that an admission that broke off half way is finished by
the same user's next try, with that very session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain.idempotency import IdTakenError
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.domain.waiting import LASTS, PLACE_KEPT_FOR, is_present, user_id_in
from vestibule.errors import UnavailableError, no_such_room
from vestibule.model import ParticipantRole, Status, WaitingState
from vestibule.store.table import ConditionFailedError
from vestibule.store.waiting import waiters_of

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.sessions import Sessions
    from vestibule.ids import Randomness
    from vestibule.model import Participant, Room, User, Waiter
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.users import UserStore
    from vestibule.store.waiting import WaitingStore

ROOMS_SHOWN = 50
"""Rooms of one user that are read at once: they and their lists are one call."""

_ROUNDS = 3


class NotWaitingError(Exception):
    """Whoever was meant is not there any more, or somebody else has decided."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One of a user's rooms, with the people who wait in it, the longest first."""

    room: Room
    waiters: tuple[Waiter, ...]


class Admission:
    """The rooms of the users who receive people in them."""

    def __init__(
        self,
        store: WaitingStore,
        rooms: RoomStore,
        users: UserStore,
        sessions: Sessions,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._store = store
        self._rooms = rooms
        self._users = users
        self._sessions = sessions
        self._clock = clock
        self._random = random

    def of(self, user: User) -> list[Reception]:
        """Return a user's rooms by name, with who waits there: one query, and one call for all that is behind it."""
        room_ids = self._rooms.ids_of_user(user.account_id, user.user_id, limit=ROOMS_SHOWN)
        found = self._store.with_rooms(user.account_id, room_ids) if room_ids else []
        now = self._clock()
        receptions = [
            Reception(
                room,
                tuple(
                    sorted(
                        (one for one in known.values() if is_present(one, now) or _is_unfinished(one, user, now)),
                        key=lambda one: one.since,
                    )
                ),
            )
            for room, known in found
            if user.user_id in room.user_ids
        ]
        return sorted(receptions, key=lambda one: (one.room.name.casefold(), one.room.room_id))

    def admit(self, user: User, room_id: str, who: str) -> str:
        """Let somebody in; return the session that both go to.  Doing so again leads to the same one.

        Raises
        ------
        NotFoundError
            The user has no such room.
        NotWaitingError
            The person is not there any more, or somebody else has decided.
        """
        room = self._room(user, room_id)
        known = self._store.of_room(user.account_id, room_id).get(who)
        if known is None or not self._may_come(user, known):
            raise NotWaitingError
        drawn = ids.new_object_id(self._random) if known.is_walk_in else None
        admitted = self._decide(user, room_id, who, WaitingState.ADMITTED, drawn)
        is_led_in = not admitted.is_walk_in or admitted.participant_id is not None
        return str(admitted.session_id) if is_led_in else self._open(user, room, admitted)

    def turn_away(self, user: User, room_id: str, who: str) -> None:
        """Tell somebody that they are not let in now; doing so again changes nothing.

        Raises
        ------
        NotFoundError
            The user has no such room.
        NotWaitingError
            The person is not there any more, or somebody else has decided.
        """
        self._room(user, room_id)
        self._decide(user, room_id, who, WaitingState.TURNED_AWAY, None)

    def _room(self, user: User, room_id: str) -> Room:
        room = self._rooms.get(user.account_id, room_id, consistent=True) if ids.is_object_id(room_id) else None
        if room is None or user.user_id not in room.user_ids:
            raise no_such_room()
        return room

    def _may_come(self, user: User, waiter: Waiter) -> bool:
        """Tell whether a registered person may still be here; one who was disabled is not let in."""
        user_id = user_id_in(waiter.key)
        if user_id is None or not waiter.is_walk_in:
            return True  # a session's page looks by itself
        found = self._users.get(user.account_id, user_id, consistent=True)
        return found is not None and found.status is Status.ACTIVE

    def _decide(self, user: User, room_id: str, who: str, state: WaitingState, session_id: str | None) -> Waiter:
        now = self._clock()
        try:
            return self._store.decide(
                user.account_id,
                room_id,
                who,
                state,
                by=user.user_id,
                now=now,
                alive=now - LASTS,
                session_id=session_id,
            )
        except ConditionFailedError as refused:
            found = waiters_of(refused.found).get(who)
            if found is not None and (found.state, found.decided_by) == (state, user.user_id):
                return found  # a second click, or the SDK's second try after a lost answer
            raise NotWaitingError from refused

    def _open(self, user: User, room: Room, waiter: Waiter) -> str:
        """Open an admitted walk-in's session, once, and lead them into it."""
        session_id = str(waiter.session_id)
        for _ in range(_ROUNDS):
            participant = self._plan(user, room, waiter, session_id)
            into = session_id if participant else ids.new_object_id(self._random)
            try:
                self._store.lead_in(
                    user.account_id,
                    room.room_id,
                    waiter.key,
                    session_id=session_id,
                    into=into,
                    participant_id=participant.participant_id if participant else None,
                )
            except ConditionFailedError as refused:
                raise NotWaitingError from refused
            if participant:
                return into
            session_id = into
        raise UnavailableError("dynamodb")

    def _plan(self, user: User, room: Room, waiter: Waiter, session_id: str) -> Participant | None:
        """Return the walk-in as participant of the session; None when the drawn id is another session's."""
        user_id = user_id_in(waiter.key)
        invitee = Invitee(user_id=user_id) if user_id else Invitee(full_name=waiter.name)
        fields = {"title": room.name, "room_id": room.room_id}
        try:
            _, people = self._sessions.create(
                user.account_id, HostRef(user_id=user.user_id), fields, [invitee], session_id
            )
        except IdTakenError:
            session, people = self._sessions.whole(user.account_id, session_id)
            if (session.host_user_id, session.room_id) != (user.user_id, room.room_id):
                return None
        return next((one for one in people if one.role is not ParticipantRole.HOST), None)


def _is_unfinished(waiter: Waiter, user: User, now: int) -> bool:
    """Tell whether this user has just admitted a walk-in whose session is not open yet."""
    return (
        waiter.state is WaitingState.ADMITTED
        and waiter.is_walk_in
        and waiter.participant_id is None
        and waiter.decided_by == user.user_id
        and now - (waiter.decided_at or 0) < PLACE_KEPT_FOR
    )
