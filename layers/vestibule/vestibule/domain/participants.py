"""Participants: who is invited to a session, each once, each with a code and a link.

One person has one place in a session: a registered user by its id, a guest by the
e-mail address, one without by the name.  The key of the item is that identity, so
that two calls cannot both add somebody.  How many there are is counted in the very
transactions that add and remove them, so that many calls at once add no more than may be.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import DAY, HOUR
from vestibule.domain import rules
from vestibule.domain.outbox import new_event
from vestibule.domain.rules import Checks
from vestibule.errors import (
    ConflictError,
    FieldError,
    InvalidError,
    NotFoundError,
    VersionMismatchError,
    no_such_participant,
    no_such_session,
)
from vestibule.model import (
    Channel,
    Delivery,
    EventKind,
    OutboxEvent,
    Participant,
    ParticipantRole,
    Rsvp,
    Session,
    SessionStatus,
    Status,
    User,
)
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from vestibule.clock import Clock
    from vestibule.domain.links import Links
    from vestibule.ids import Randomness
    from vestibule.store.codes import CodeStore
    from vestibule.store.directory.deliveries import DeliveryStore
    from vestibule.store.directory.sessions import Gathering, SessionStore
    from vestibule.store.directory.users import UserStore
    from vestibule.store.table import Action

PARTICIPANTS_AT_MOST = 500
"""Of one session."""
ADDED_AT_ONCE = 100
"""Of one call."""
CODE_HELD_BEYOND = HOUR
"""How long after its session's end a connect code is given to nobody else."""

_FIRST_CODE = 100_000_000
_CODES = 900_000_000
_ACTIONS_EACH = 3
"""Writes of a new participant: itself, its id's pointer, its connect code."""
_ACTIONS_TOGETHER = 100
"""Writes of one transaction."""
TOGETHER = _ACTIONS_TOGETHER // _ACTIONS_EACH
"""New participants in one transaction."""
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Somebody to be added: a registered user by id, or a guest by name.

    Attributes
    ----------
    user_id
        Ours; name and e-mail address are then the user's unless given.
    """

    full_name: str | None = None
    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    external_id: str | None = None
    role: ParticipantRole = ParticipantRole.ATTENDEE
    notify: Channel = Channel.NONE
    extras: Mapping[str, str] = field(default_factory=dict)


class Participants:
    """Adds, changes and removes the participants of sessions."""

    def __init__(
        self,
        sessions: SessionStore,
        users: UserStore,
        codes: CodeStore,
        deliveries: DeliveryStore,
        links: Links,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._sessions = sessions
        self._users = users
        self._codes = codes
        self._deliveries = deliveries
        self._links = links
        self._clock = clock
        self._random = random

    def list_of(self, account_id: str, session_id: str) -> list[Participant]:
        """Return a session's participants, the host first.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        return self._whole(account_id, session_id)[1]

    def gathering(self, account_id: str, session_id: str) -> Gathering:
        """Return a session with its participants and what became of the letters to them.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        found = self._sessions.gathering(account_id, session_id)
        if found is None:
            raise no_such_session()
        return found

    def delivery_to(self, participant: Participant) -> Delivery | None:
        """Return what became of the last letter to a participant, None when none went out."""
        return self._deliveries.get(participant.account_id, participant.session_id, participant.participant_id)

    def get(self, account_id: str, session_id: str, participant_id: str) -> tuple[Session, Participant]:
        """Return a participant with its session.

        Raises
        ------
        NotFoundError
            The account has no such session, or the session no such participant.
        """
        session, known = self._whole(account_id, session_id)
        return session, _one_of(known, participant_id)

    def add(
        self, account_id: str, session_id: str, invitees: Sequence[Invitee], batch: str | None = None
    ) -> list[Participant]:
        """Add people to a session, all or, when one is refused, none.

        Parameters
        ----------
        batch
            Id of the call, drawn before it began: whom an earlier attempt at the
            same call has added is not added again.

        Raises
        ------
        InvalidError
            An invitee breaks a rule; the field names which.
        NotFoundError
            The account has no such session or user.
        ConflictError
            Somebody takes part already, the session is full, or cancelled.
        """
        gathering = self.gathering(account_id, session_id)
        session = gathering.session
        if session.status is SessionStatus.CANCELLED:
            raise ConflictError("session_cancelled", "The session is cancelled.")
        earlier = [p for p in gathering.participants if batch is not None and p.batch == batch]
        known = [p for p in gathering.participants if p not in earlier]
        if len(known) + len(invitees) > PARTICIPANTS_AT_MOST:
            raise too_many()
        drafts = [replace(draft, batch=batch) for draft in self.drafts(session, invitees, known=known)]
        drafts = _going_on(drafts, earlier, gathering.removed)
        written: list[Participant] = []
        try:
            for part in batched(drafts, TOGETHER, strict=False):
                written += self._write_counted(session, part, known=len(gathering.participants))
        except ConflictError:
            # Somebody else added one of them, or took their place, at the same moment: leave nothing half done.
            for participant in [*earlier, *written]:
                self._take_back(session, participant)
            raise
        return sorted([*earlier, *written], key=lambda participant: participant.position)

    def added_by(self, account_id: str, session_id: str, batch: str) -> list[Participant]:
        """Return whom a call has added, without those who were removed since.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        found = self.gathering(account_id, session_id).participants
        return sorted((p for p in found if p.batch == batch), key=lambda participant: participant.position)

    def change(
        self,
        account_id: str,
        session_id: str,
        participant_id: str,
        fields: Mapping[str, Any],
        *,
        seen: int | None = None,
    ) -> tuple[Session, Participant]:
        """Change some fields of a participant; None clears one.

        Parameters
        ----------
        seen
            The version that the caller saw, None to change whatever there is.

        Raises
        ------
        InvalidError
            A field breaks its rule, or the host would lose its role.
        NotFoundError
            There is no such participant.
        VersionMismatchError
            The participant is not the one that the caller saw.
        ConflictError
            Somebody else takes part under that name or address, or changed this one.
        """
        gathering = self.gathering(account_id, session_id)
        session, known = gathering.session, gathering.participants
        before = _one_of(known, participant_id)
        if seen is not None and before.version != seen:
            raise VersionMismatchError
        checks = Checks()
        clean = {name: _RULES[name](checks, name, value) for name, value in fields.items()}
        if "role" in clean and (before.role is ParticipantRole.HOST) is not (clean["role"] is ParticipantRole.HOST):
            checks.refuse("role", "host_is_fixed", "the host is the session's; change it there.")
        after = replace(before, **clean, updated_at=self._clock(), version=before.version + 1)
        _check_channel(after, "", checks)
        checks.finish()
        identity = _identity(after.user_id, after.email, after.full_name)
        left = gathering.removed.get(identity)
        after = replace(
            after,
            identity=identity,
            event=self._event_of_change(session, before, after),
            # Under the address of somebody who was removed, the appointment's revision still rises.
            version=max(after.version, left.version + 1 if left else 0),
        )
        others = [p for p in known if p.participant_id != participant_id]
        _refuse_duplicates([after], others)
        self._write_change(session, after, before)
        return session, after

    def rotate(self, account_id: str, session_id: str, participant_id: str) -> tuple[Session, Participant]:
        """Give a participant a new personal link, passkey and connect code; the old ones are dead.

        Raises
        ------
        NotFoundError
            There is no such participant.
        ConflictError
            Somebody else changed it at the same moment.
        """
        session, before = self.get(account_id, session_id, participant_id)
        old_mark = self._links.code_mark(self._links.connect_code(before))
        for _ in range(_ATTEMPTS):
            code = self._draw_code()
            after = replace(
                before,
                sealed_code=self._links.sealed_code(account_id, code),
                link_version=before.link_version + 1,
                updated_at=self._clock(),
                version=before.version + 1,
                event=self._event(session, before, EventKind.CHANGED) or before.event,
            )
            actions = [
                *self._sessions.rewriting(session, after, before=before),
                self._claim(session, after, code),
                self._codes.releasing(old_mark, participant_id=participant_id),
            ]
            try:
                self._sessions.write(actions)
            except ConditionFailedError as refused:
                if refused.index == 0:
                    raise _changed_meanwhile() from refused
                continue
            return session, after
        raise _no_code()

    def remove(self, account_id: str, session_id: str, participant_id: str) -> None:
        """Remove a participant; link and code are dead at once.

        Raises
        ------
        NotFoundError
            There is no such participant.
        ConflictError
            It is the host, or somebody else changed it at the same moment.
        """
        session, known = self._whole(account_id, session_id)
        participant = _one_of(known, participant_id)
        if participant.role is ParticipantRole.HOST:
            raise ConflictError("host_is_fixed", "The host takes part as long as the session is theirs.")
        counting = self._counting_out(session, 1, known=len(known))
        try:
            self._sessions.write([*self._leaving(session, participant), counting])
        except ConditionFailedError as refused:
            raise _changed_meanwhile() from refused

    def session_id_of(self, account_id: str, participant_id: str) -> str:
        """Return the session that a participant takes part in.

        Raises
        ------
        NotFoundError
            The account has no such participant.
        """
        session_id = self._sessions.id_of_participant(account_id, participant_id)
        if session_id is None:
            raise NotFoundError("participant_not_found", "The account has no such participant.")
        return session_id

    # --- for the sessions -------------------------------------------------------------------

    def drafts(
        self,
        session: Session,
        invitees: Sequence[Invitee],
        *,
        host: Invitee | None = None,
        known: Sequence[Participant] = (),
    ) -> list[Participant]:
        """Return new participants, checked and not stored; their codes are drawn when they are written.

        Parameters
        ----------
        host
            Of a new session: stands before the others, whose places in the call stay what they are.
        known
            Who takes part already.

        Raises
        ------
        InvalidError, NotFoundError, ConflictError
            See `add`.
        """
        checks = Checks()
        people = [*([(-1, host)] if host else []), *enumerate(invitees)]
        drafts = [self._draft(session, position, invitee, checks) for position, invitee in people]
        checks.finish()
        _refuse_duplicates(drafts, known)
        return drafts

    def write_with(
        self,
        session: Session,
        first: Sequence[Action],
        drafts: Sequence[Participant],
        on_first_refused: Callable[[ConditionFailedError], Exception],
    ) -> list[Participant]:
        """Write up to `TOGETHER` new participants, together with what must stand before them.

        Parameters
        ----------
        first
            Actions that come before the participants' own.
        on_first_refused
            Makes the error when one of ``first`` was refused.

        Returns
        -------
        list
            The participants as written, with their ids and codes.
        """
        for _ in range(_ATTEMPTS):
            written, actions = [], list(first)
            for draft in drafts:
                code = self._draw_code()
                participant = replace(
                    draft,
                    participant_id=ids.new_object_id(self._random),
                    sealed_code=self._links.sealed_code(draft.account_id, code),
                )
                actions += self._sessions.adding(session, participant)
                actions.append(self._claim(session, participant, code))
                written.append(participant)
            try:
                self._sessions.write(actions)
            except ConditionFailedError as refused:
                place = refused.index - len(first)
                if place < 0:
                    raise on_first_refused(refused) from refused
                if place % _ACTIONS_EACH == 0:
                    raise _takes_part(written[place // _ACTIONS_EACH]) from refused
                continue  # an id or a code was taken: draw anew
            return written
        raise _no_code()

    def write_more(self, session: Session, drafts: Sequence[Participant]) -> list[Participant]:
        """Write new participants of a session that was just created, see `write_with`."""
        parts = (self._write_counted(session, part, known=0) for part in batched(drafts, TOGETHER, strict=False))
        return [participant for part in parts for participant in part]

    def follow_host(self, session: Session, first: Sequence[Action], gathering: Gathering, host: Invitee) -> None:
        """Put a session's new host in the place of the one before, who is removed.

        Parameters
        ----------
        session
            As ``first`` writes it, in the same transaction.
        gathering
            Who takes part so far.

        Raises
        ------
        ConflictError
            Somebody changed the session or its people at the same moment, or takes
            part as a guest under the new host's address.
        """
        former = [p for p in gathering.participants if p.role is ParticipantRole.HOST]
        actions = [*first, *(action for one in former for action in self._leaving(session, one))]
        others = [p for p in gathering.participants if p not in former]
        guest = next((p for p in others if p.user_id == host.user_id), None)
        if guest is None:
            drafts = _going_on(self.drafts(session, (), host=host, known=others), (), gathering.removed)
            self.write_with(session, actions, drafts, lambda _: _changed_meanwhile())
            return
        actions += [self._counting_out(session, len(former), known=len(gathering.participants))] if former else []
        raised = replace(guest, role=ParticipantRole.HOST, updated_at=self._clock(), version=guest.version + 1)
        try:
            self._sessions.write([*actions, *self._sessions.rewriting(session, raised, before=guest)])
        except ConditionFailedError as refused:
            raise _changed_meanwhile() from refused

    def follow(self, session: Session, known: Sequence[Participant]) -> None:
        """Move what hangs on a session's time and host after it was changed: index entries and codes.

        The session is written by then, so that who is changed at the same moment is read anew, and moved all the same.

        Raises
        ------
        ConflictError
            Others keep changing its people.
        """
        for _ in range(_ATTEMPTS):
            try:
                self._move(session, known)
            except ConditionFailedError:
                session, known = self._whole(session.account_id, session.session_id)
                continue
            return
        raise _changed_meanwhile()

    def _move(self, session: Session, known: Sequence[Participant]) -> None:
        actions: list[Action] = []
        for participant in known:
            actions += self._sessions.rewriting(
                session, replace(participant, version=participant.version + 1), before=participant
            )
            actions.append(self._claim(session, participant, self._links.connect_code(participant)))
        for part in batched(actions, _ACTIONS_TOGETHER, strict=False):
            self._sessions.write(part)

    def _write_counted(self, session: Session, part: Sequence[Participant], *, known: int) -> list[Participant]:
        """Write some new participants as far as the session has room for them.

        Raises
        ------
        ConflictError
            Others have taken the room, or somebody takes part already.
        """
        counting = self._sessions.counting(session, len(part), known=known, most=PARTICIPANTS_AT_MOST)
        return self.write_with(session, [counting], part, lambda _: too_many())

    def _counting_out(self, session: Session, people: int, *, known: int = 0) -> Action:
        return self._sessions.counting(session, -people, known=known, most=PARTICIPANTS_AT_MOST)

    def _draft(self, session: Session, position: int, invitee: Invitee, checks: Checks) -> Participant:
        path = f"participants.{position}"
        user = self._user(session.account_id, invitee.user_id, f"{path}.user_id", checks)
        name = invitee.full_name or (user.full_name if user else None)
        if name is None:
            checks.refuse(f"{path}.full_name", "required", "is required for a guest.")
        clean_name = checks.apply(f"{path}.full_name", rules.name, name or "-")
        email = invitee.email or (user.email if user else None)
        clean_email = checks.apply(f"{path}.email", rules.email, email) if email else None
        phone = checks.apply(f"{path}.phone", rules.phone, invitee.phone) if invitee.phone else None
        external = invitee.external_id
        now = self._clock()
        draft = Participant(
            participant_id="",
            account_id=session.account_id,
            session_id=session.session_id,
            identity=_identity(invitee.user_id, clean_email, clean_name),
            full_name=clean_name,
            role=invitee.role,
            sealed_code="",
            created_at=now,
            updated_at=now,
            position=position,
            user_id=invitee.user_id,
            email=clean_email,
            phone=phone,
            external_id=checks.apply(f"{path}.external_id", rules.external_id, external) if external else None,
            notify=invitee.notify,
            extras=checks.apply(f"{path}.extras", rules.extras, invitee.extras),
        )
        _check_channel(draft, f"{path}.", checks)
        return replace(draft, event=self._event(session, draft, EventKind.INVITED))

    def _event(self, session: Session, participant: Participant, kind: EventKind) -> OutboxEvent | None:
        """Return the event of a write that a participant has to hear of, None when they have not."""
        is_to_come = session.status is SessionStatus.SCHEDULED and session.ends_at > self._clock()
        if participant.notify is Channel.NONE or not is_to_come:
            return None
        return new_event(kind, self._random, self._clock)

    def _event_of_change(self, session: Session, before: Participant, after: Participant) -> OutboxEvent | None:
        """Return the event that a changed participant carries: an invitation to an address that had none."""
        if (after.notify, _address(after)) != (before.notify, _address(before)):
            return self._event(session, after, EventKind.INVITED)
        if before.event is not None and before.event.at < self._clock() - DAY:
            return None  # acted on long ago; under another key it would look like a new one
        return before.event

    def _user(self, account_id: str, user_id: str | None, path: str, checks: Checks) -> User | None:
        if user_id is None:
            return None
        user = self._users.get(account_id, user_id, consistent=True)
        if user is None or user.status is not Status.ACTIVE:
            checks.refuse(path, "user_not_found", "names no active user of the account.")
        return user

    def _claim(self, session: Session, participant: Participant, code: str) -> Action:
        return self._codes.claiming(
            self._links.code_mark(code),
            account_id=participant.account_id,
            session_id=participant.session_id,
            participant_id=participant.participant_id,
            now=self._clock(),
            held_until=session.ends_at + CODE_HELD_BEYOND,
        )

    def _leaving(self, session: Session, participant: Participant) -> list[Action]:
        """Return the actions that remove a participant, and let them hear of it."""
        event = self._event(session, participant, EventKind.REMOVED)
        if event is None:
            return self._removal(participant)
        left = replace(participant, removed_at=self._clock(), event=event, version=participant.version + 1)
        return self._removal(participant, left)

    def _removal(self, participant: Participant, left: Participant | None = None) -> list[Action]:
        mark = self._links.code_mark(self._links.connect_code(participant))
        release = self._codes.releasing(mark, participant_id=participant.participant_id)
        return [*self._sessions.removing(participant, left), release]

    def _take_back(self, session: Session, participant: Participant) -> None:
        """Remove somebody again whose call failed after all; who was changed meanwhile is read anew."""
        found: Participant | None = participant
        for _ in range(_ATTEMPTS):
            if found is None:
                return
            with suppress(ConditionFailedError):
                self._sessions.write([*self._removal(found), self._counting_out(session, 1)])
                return
            known = self._whole(session.account_id, session.session_id)[1]
            found = next((p for p in known if p.participant_id == participant.participant_id), None)

    def _write_change(self, session: Session, after: Participant, before: Participant) -> None:
        try:
            self._sessions.write(self._sessions.rewriting(session, after, before=before))
        except ConditionFailedError as refused:
            if after.identity != before.identity and refused.index == 0:
                raise _takes_part(after) from refused
            raise _changed_meanwhile() from refused

    def _draw_code(self) -> str:
        """Return nine digits, the first not 0, every code equally likely."""
        return str(_FIRST_CODE + self._random.randbelow(_CODES))

    def _whole(self, account_id: str, session_id: str) -> tuple[Session, list[Participant]]:
        found = self.gathering(account_id, session_id)
        return found.session, found.participants


def identity_of_user(user_id: str) -> str:
    """Return the key that a registered user has in every session."""
    return ids.digest(f"user|{user_id}")


def _identity(user_id: str | None, email: str | None, full_name: str) -> str:
    """Return the digest of who somebody is, which is the key in the session."""
    if user_id is not None:
        return identity_of_user(user_id)
    if email is not None:
        return ids.digest(f"email|{email.casefold()}")
    return ids.digest(f"name|{full_name.casefold()}")


def _refuse_duplicates(new: Sequence[Participant], known: Sequence[Participant]) -> None:
    """Refuse people who are there already, under their identity or the same address.

    Raises
    ------
    ConflictError
        Somebody would take part twice.
    """
    identities = {p.identity for p in known}
    addresses = {p.email.casefold() for p in known if p.email}
    for participant in new:
        address = participant.email.casefold() if participant.email else None
        if participant.identity in identities or (address and address in addresses):
            raise _takes_part(participant)
        identities.add(participant.identity)
        addresses |= {address} if address else set()


def _going_on(
    drafts: Sequence[Participant], earlier: Sequence[Participant], removed: Mapping[str, Participant]
) -> list[Participant]:
    """Return the drafts that are still to be written; one who was removed goes on with the next revision."""
    done = {p.identity for p in earlier}
    return [
        replace(draft, version=removed[draft.identity].version + 1) if draft.identity in removed else draft
        for draft in drafts
        if draft.identity not in done
    ]


def _address(participant: Participant) -> str | None:
    """Return where a participant's letters go."""
    return {Channel.EMAIL: participant.email, Channel.SMS: participant.phone}.get(participant.notify)


def _check_channel(participant: Participant, path: str, checks: Checks) -> None:
    """Refuse a channel without an address for it."""
    if participant.notify is Channel.EMAIL and participant.email is None:
        checks.refuse(f"{path}email", "required", "is required for notify=email.")
    if participant.notify is Channel.SMS:
        if participant.phone is None:
            checks.refuse(f"{path}phone", "required", "is required for notify=sms.")
        else:
            checks.apply(f"{path}phone", rules.e164, participant.phone)


def _optional[V](rule: Callable[[V], V]) -> Callable[[Checks, str, V | None], V | None]:
    return lambda checks, field, value: None if value is None else checks.apply(field, rule, value)


_RULES: dict[str, Callable[[Checks, str, Any], Any]] = {
    "full_name": lambda checks, field, value: checks.apply(field, rules.name, value),
    "email": _optional(rules.email),
    "phone": _optional(rules.phone),
    "external_id": _optional(rules.external_id),
    "role": lambda _checks, _field, value: ParticipantRole(value),
    "notify": lambda _checks, _field, value: Channel(value),
    "rsvp": lambda _checks, _field, value: Rsvp(value),
    "extras": lambda checks, field, value: checks.apply(field, rules.extras, value),
}


def _one_of(known: Sequence[Participant], participant_id: str) -> Participant:
    found = next((p for p in known if p.participant_id == participant_id), None)
    if found is None:
        raise no_such_participant()
    return found


def too_many() -> ConflictError:
    """Return what is said when a session would have too many participants."""
    return ConflictError("too_many_participants", f"A session has at most {PARTICIPANTS_AT_MOST} participants.")


def _takes_part(participant: Participant) -> ConflictError:
    return ConflictError("participant_exists", f"{participant.full_name} takes part in the session already.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("participant_changed", "The participant was changed at the same moment.")


def _no_code() -> InvalidError:
    return InvalidError(FieldError("", "no_free_code", "No free connect code was found; please try again."))
