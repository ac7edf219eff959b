"""Sessions: planned by the portal, hosted by one of its users, changed without lost updates.

The host takes part by itself, first.  Everything that hangs on a session's time
and host (index entries, how long connect codes are held) follows a change of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.domain import passwords, rules
from vestibule.domain.idempotency import IdTakenError
from vestibule.domain.outbox import new_event
from vestibule.domain.participants import PARTICIPANTS_AT_MOST, Invitee, too_many
from vestibule.domain.people import named_alike
from vestibule.domain.rules import Checks, RuleError
from vestibule.errors import (
    ConflictError,
    FieldError,
    InvalidError,
    VersionMismatchError,
    no_such_session,
)
from vestibule.model import (
    Channel,
    EventKind,
    Participant,
    ParticipantRole,
    Registration,
    Session,
    SessionStatus,
    Status,
    User,
)
from vestibule.store.directory.sessions import unique_names
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vestibule.clock import Clock
    from vestibule.domain.participants import Participants
    from vestibule.ids import Randomness
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.sessions import Gathering, SessionStore
    from vestibule.store.directory.users import UserStore

DEFAULT_MINUTES = 60
LONGEST_MINUTES = 525_600
"""A year (vendor's bound)."""
LATE_BY = 5 * MINUTE
"""How far in the past a new start time may lie: clocks differ, and calls take time."""
INVITED_AT_FIRST = 30
"""People, besides the host, who are written together with the session in one transaction."""
PEOPLE_AT_MOST = 200
"""Entries of presenters, and of organizers."""
TITLE_LENGTH = 300
FOREVER = range(10**15 - 1)
"""Every start time."""
PASSWORD_LENGTHS = range(4, 129)
"""Characters of a session's password."""

_ATTEMPTS = 3
_USERS_OF_ONE_ADDRESS = 20


@dataclass(frozen=True, slots=True)
class HostRef:
    """Who hosts, by our id or the portal's own."""

    user_id: str | None = None
    external_id: str | None = None
    notify: Channel = Channel.NONE


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions a list is of; at most one of host and participant.

    Attributes
    ----------
    starting
        Milliseconds since the epoch: the first start, and the one before which to stop.
    """

    host_user_id: str | None = None
    participant_email: str | None = None
    starting: range = FOREVER


class BothRolesError(InvalidError):
    """Somebody would be presenter and organizer at once.

    Attributes
    ----------
    people
        Who, as the organizers' list names them.
    """

    def __init__(self, people: Sequence[str]) -> None:
        super().__init__(
            FieldError("organizers", "both_roles", "organizers: nobody can be presenter and organizer at once.")
        )
        self.people = tuple(people)


class Sessions:
    """The sessions of all accounts."""

    def __init__(
        self,
        store: SessionStore,
        users: UserStore,
        rooms: RoomStore,
        participants: Participants,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._store = store
        self._users = users
        self._rooms = rooms
        self._participants = participants
        self._clock = clock
        self._random = random

    def create(
        self,
        account_id: str,
        host: HostRef,
        fields: Mapping[str, Any],
        invitees: Sequence[Invitee] = (),
        session_id: str | None = None,
    ) -> tuple[Session, list[Participant]]:
        """Create a session with its host and others: up to 30 of them in one transaction, the rest after it.

        Parameters
        ----------
        fields
            Fields of `Session` by name, ``password`` instead of its hash.
        session_id
            The new session's id, drawn when left out.

        Raises
        ------
        InvalidError
            A field or an invitee breaks a rule; nothing is written.
        ConflictError
            A unique name is taken, or somebody would take part twice.
        IdTakenError
            The given id is in use.
        """
        if len(invitees) >= PARTICIPANTS_AT_MOST:
            raise too_many()
        user = self._host(account_id, host)
        checks = Checks()
        clean = _clean(fields, checks)
        starts_at = clean.pop("starts_at", self._clock())
        self._check_start(starts_at, checks)
        self._check_room(account_id, clean.get("room_id"), checks)
        checks.finish()
        now = self._clock()
        defaults: dict[str, Any] = {"duration_minutes": DEFAULT_MINUTES, "time_zone": user.time_zone or "UTC"}
        while True:
            session = Session(
                session_id=session_id or ids.new_object_id(self._random),
                account_id=account_id,
                host_user_id=user.user_id,
                starts_at=starts_at,
                created_at=now,
                updated_at=now,
                **(defaults | clean),
            )
            _refuse_double_roles(session)
            as_host = Invitee(user_id=user.user_id, role=ParticipantRole.HOST, notify=host.notify)
            drafts = self._participants.drafts(session, invitees, host=as_host)
            try:
                return session, self._write_new(session, drafts, is_id_given=session_id is not None)
            except _IdDrawnTwiceError:
                continue

    def get(self, account_id: str, session_id: str) -> Session:
        """Return a session alone.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        session = self._store.get(account_id, session_id, consistent=True)
        if session is None:
            raise no_such_session()
        return session

    def whole(self, account_id: str, session_id: str) -> tuple[Session, list[Participant]]:
        """Return a session with its participants, the host first.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        found = self._store.whole(account_id, session_id)
        if found is None:
            raise no_such_session()
        return found

    def with_external_id(self, account_id: str, external_id: str) -> Session | None:
        """Return the session of a portal's own id."""
        session_id = self._store.id_of_external_id(account_id, external_id)
        return self._store.get(account_id, session_id, consistent=True) if session_id else None

    def page(
        self, account_id: str, wanted: Filter, *, after: str | None, limit: int
    ) -> tuple[list[Session], str | None]:
        """Return one page of sessions in the order of their start; see the store."""
        if wanted.host_user_id is not None:
            return self._store.page_hosted_by(
                account_id, wanted.host_user_id, starting=wanted.starting, after=after, limit=limit
            )
        if wanted.participant_email is not None:
            email = wanted.participant_email
            users = self._users.with_email(account_id, email, limit=_USERS_OF_ONE_ADDRESS)
            return self._store.page_with(
                account_id,
                user_ids=[user.user_id for user in users],
                email=email,
                starting=wanted.starting,
                after=after,
                limit=limit,
            )
        return self._store.page(account_id, starting=wanted.starting, after=after, limit=limit)

    def change(
        self, account_id: str, session_id: str, fields: Mapping[str, Any], *, seen: int | None = None
    ) -> tuple[Session, Gathering]:
        """Change some fields of a session; None clears one.

        Parameters
        ----------
        seen
            The version that the caller saw, None to change whatever there is.

        Raises
        ------
        InvalidError
            A field breaks its rule; nothing is changed.
        NotFoundError
            The account has no such session.
        VersionMismatchError
            The session is not the one that the caller saw.
        ConflictError
            A unique name is taken, the session is cancelled, or others keep changing it.
        """
        checks = Checks()
        clean = _clean(fields, checks)
        checks.finish()
        for _ in range(_ATTEMPTS):
            before, known = self.whole(account_id, session_id)
            if seen is not None and before.version != seen:
                raise VersionMismatchError
            if before.status is SessionStatus.CANCELLED:
                raise ConflictError("session_cancelled", "The session is cancelled.")
            session = self._changed(before, clean)
            if self._replace(session, before):
                if session.ends_at != before.ends_at or session.starts_at != before.starts_at:
                    self._participants.follow(session, known)
                return session, self._participants.gathering(account_id, session_id)
        raise _changed_meanwhile()

    def cancel(self, account_id: str, session_id: str) -> Session:
        """Cancel a session; its links say so from now on.  Cancelling again changes nothing.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        for _ in range(_ATTEMPTS):
            before = self.get(account_id, session_id)
            if before.status is SessionStatus.CANCELLED:
                return before
            now = self._clock()
            is_to_come = before.ends_at > now
            event = new_event(EventKind.CANCELLED, self._random, self._clock) if is_to_come else before.event
            session = replace(
                before,
                event=event,
                status=SessionStatus.CANCELLED,
                cancelled_at=now,
                updated_at=now,
                version=before.version + 1,
            )
            if self._replace(session, before):
                return session
        raise _changed_meanwhile()

    def hand_over(self, account_id: str, session_id: str, host: HostRef) -> tuple[Session, list[Participant]]:
        """Give a session another host; the one before no longer takes part.

        Raises
        ------
        InvalidError
            The new host is no active user of the account.
        NotFoundError
            The account has no such session.
        ConflictError
            The session is cancelled, or was changed at the same moment.
        """
        user = self._host(account_id, host)
        gathering = self._participants.gathering(account_id, session_id)
        before = gathering.session
        if before.status is SessionStatus.CANCELLED:
            raise ConflictError("session_cancelled", "The session is cancelled.")
        if before.host_user_id == user.user_id:
            return before, gathering.participants
        session = replace(before, host_user_id=user.user_id, updated_at=self._clock(), version=before.version + 1)
        invitee = Invitee(user_id=user.user_id, role=ParticipantRole.HOST, notify=host.notify)
        self._participants.follow_host(session, self._store.replacing(session, before=before), gathering, invitee)
        session, people = self.whole(account_id, session_id)
        # The others stand in a list of their host's: in the new one's from now on.
        self._participants.follow(session, [one for one in people if one.role is not ParticipantRole.HOST])
        return self.whole(account_id, session_id)

    def _changed(self, before: Session, clean: Mapping[str, Any]) -> Session:
        """Return a session with changed fields, and with the event that tells its people if it concerns them.

        Raises
        ------
        InvalidError
            The new start is past, there is no such room, or somebody would have two roles.
        """
        session = replace(before, **clean, updated_at=self._clock(), version=before.version + 1)
        session = replace(session, registration=_next_registration(session.registration, before.registration))
        checks = Checks()
        if session.starts_at != before.starts_at:
            # An unchanged start that has come in the meantime is nobody's mistake.
            self._check_start(session.starts_at, checks)
        if session.room_id != before.room_id:
            self._check_room(session.account_id, session.room_id, checks)
        checks.finish()
        _refuse_double_roles(session)
        if session.appointment == before.appointment or session.ends_at <= self._clock():
            return session
        event = new_event(EventKind.CHANGED, self._random, self._clock)
        return replace(session, former=before.appointment, event=event)

    def _write_new(self, session: Session, drafts: Sequence[Participant], *, is_id_given: bool) -> list[Participant]:
        """Write a session and its first people in one transaction, all of it or nothing; then whoever is left."""

        def refused(error: ConditionFailedError) -> Exception:
            if error.index == 0:
                return IdTakenError() if is_id_given else _IdDrawnTwiceError()
            return _name_taken(session, error.index)

        first, others = drafts[: INVITED_AT_FIRST + 1], drafts[INVITED_AT_FIRST + 1 :]
        whole = [*self._store.creating(session), self._store.beginning_count(session, len(first))]
        written = self._participants.write_with(session, whole, first, refused)
        return written + self._participants.write_more(session, others)

    def _replace(self, session: Session, before: Session) -> bool:
        """Write a changed session; False when somebody else was faster."""
        try:
            self._store.write(self._store.replacing(session, before=before))
        except ConditionFailedError as refused:
            if refused.index == 0:
                return False
            raise _name_taken(session, refused.index) from refused
        return True

    def _host(self, account_id: str, host: HostRef) -> User:
        user_id = host.user_id
        if user_id is None and host.external_id is not None:
            standing = self._users.standing(account_id, host.external_id, consistent=True)
            user_id = standing[0] if standing else None
        user = self._users.get(account_id, user_id, consistent=True) if user_id else None
        if user is None or user.status is not Status.ACTIVE:
            raise InvalidError(FieldError("host", "user_not_found", "host: names no active user of the account."))
        return user

    def _check_room(self, account_id: str, room_id: str | None, checks: Checks) -> None:
        if room_id is not None and self._rooms.get(account_id, room_id, consistent=True) is None:
            checks.refuse("room_id", "room_not_found", "names no room of the account.")

    def _check_start(self, starts_at: int, checks: Checks) -> None:
        if starts_at < self._clock() - LATE_BY:
            checks.refuse("starts_at", "in_the_past", "must not lie in the past.")


class _IdDrawnTwiceError(Exception):
    """The drawn session id is in use; another one is drawn."""


def _clean(fields: Mapping[str, Any], checks: Checks) -> dict[str, Any]:
    """Return fields in their stored form; what is wrong is in ``checks``."""
    clean: dict[str, Any] = {}
    for field, value in fields.items():
        if value is None and field in _CLEARED:
            clean[field] = _CLEARED[field]
        else:
            clean[field] = checks.apply(field, _RULES[field], value)
    if "password" in clean:
        password = clean.pop("password")
        clean["password_hash"] = None if password is None else passwords.hashed(password)
    return clean


def _duration(value: int) -> int:
    if not 1 <= value <= LONGEST_MINUTES:
        raise RuleError("out_of_range", f"must be 1 to {LONGEST_MINUTES} minutes.")
    return value


def _people(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > PEOPLE_AT_MOST:
        raise RuleError("too_many", f"must be at most {PEOPLE_AT_MOST} entries.")
    return tuple(dict.fromkeys(rules.text(value, most=rules.EXTERNAL_ID_LENGTH) for value in values))


def _password(value: str) -> str:
    if len(value) not in PASSWORD_LENGTHS:
        raise RuleError("invalid_length", "must have 4 to 128 characters.")
    return value


def _registration(value: Registration) -> Registration:
    for moment in (value.opens_at, value.closes_at):
        rules.moment(moment or 0)
    if value.capacity is not None and not 1 <= value.capacity <= 10**7:
        raise RuleError("out_of_range", "must have a capacity of 1 to 10000000.")
    if value.opens_at is not None and value.closes_at is not None and value.closes_at <= value.opens_at:
        raise RuleError("closes_before_it_opens", "must close after it opens.")
    return value


def _next_registration(after: Registration, before: Registration) -> Registration:
    """Return changed registration settings; another capacity is counted anew."""
    generation = before.generation + (after.capacity != before.capacity)
    return replace(after, generation=generation)


def _as_it_is[V](value: V) -> V:
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "title": lambda value: rules.text(value, most=TITLE_LENGTH),
    "starts_at": rules.moment,
    "duration_minutes": _duration,
    "time_zone": rules.time_zone,
    "room_id": _as_it_is,
    "external_id": rules.external_id,
    "friendly_url": rules.friendly_url,
    "password": _password,
    "presenters": _people,
    "organizers": _people,
    "registration": _registration,
    "metadata": rules.json_object,
    "extras": rules.extras,
}
_CLEARED: dict[str, Any] = {
    "room_id": None,
    "external_id": None,
    "friendly_url": None,
    "password": None,
    "presenters": (),
    "organizers": (),
    "registration": Registration(),
    "metadata": json.dumps({}),
}


def _refuse_double_roles(session: Session) -> None:
    """Refuse a person who would be presenter and organizer at once.

    Raises
    ------
    BothRolesError
        Somebody stands in both lists.
    """
    if not session.presenters or not session.organizers:
        return
    presenters = set(map(named_alike, session.presenters))
    both = [organizer for organizer in session.organizers if named_alike(organizer) in presenters]
    if both:
        raise BothRolesError(both)


def _name_taken(session: Session, index: int) -> ConflictError:
    field = unique_names(session)[index - 1]
    return ConflictError(f"{field}_taken", f"Another session of the account has this {field}.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("session_changed", "The session was changed at the same moment.")
