"""Registrants: people who signed up for a session, one an e-mail address, each with a link.

A registrant's id follows from session and address, so registering is one conditional
write and two registrations of one address meet on one item, in whatever spelling.
The link opens its session alone, is derived, and is worth nothing after a rotation or
a cancellation.  Who comes back after cancelling has the same id and another link.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import SECOND
from vestibule.domain import emails, rules
from vestibule.domain.links import PersonalToken
from vestibule.domain.outbox import new_event
from vestibule.domain.places import Places
from vestibule.domain.rules import Checks
from vestibule.errors import ConflictError, NotFoundError, UnavailableError, VestibuleError, no_such_session
from vestibule.memory import Memory
from vestibule.model import EventKind, Registrant, SessionStatus
from vestibule.store.directory.registrants import registrant_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vestibule.clock import Clock
    from vestibule.domain.links import Links
    from vestibule.ids import Randomness
    from vestibule.model import Session
    from vestibule.sealing import Sealing
    from vestibule.store.directory.lists import Position
    from vestibule.store.directory.registrants import RegistrantStore
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.table import Action

AT_ONCE = 100
"""Registrants of one call."""
SESSION_REMEMBERED_FOR = 5 * SECOND
"""How old the session may be that a registration is judged by: a rush must not read one
item thousands of times a second."""
_TIME_FOR_ALL = 5 * SECOND
"""Of one call: half of what a function has, so that the last one may still take long."""
_MARK = "registrant"
_IDS_EACH = 8
"""Ids that an address may have; that two in a row are somebody else's never happens twice."""
_ATTEMPTS = 3
_DRAW_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRegistrant:
    """Somebody who is to be registered.

    Attributes
    ----------
    confirm
        Whether the write causes the link to be mailed.
    """

    name: str
    email: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    confirm: bool = False


class Registrants:
    """The registrants of all sessions."""

    def __init__(
        self,
        store: RegistrantStore,
        sessions: SessionStore,
        links: Links,
        sealing: Sealing,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._links = links
        self._sealing = sealing
        self._clock = clock
        self._random = random
        self._places = Places(store, clock, random)
        self._known: Memory[tuple[str, str], Session] = Memory(clock, keep=SESSION_REMEMBERED_FOR)

    def register(
        self, account_id: str, session_id: str, wanted: NewRegistrant, asked_by: str | None = None
    ) -> Registrant:
        """Register somebody: one write where the session has no limit.

        Parameters
        ----------
        asked_by
            Draw that recognises this call when it is repeated, see `asked_for`.

        Raises
        ------
        InvalidError
            A member breaks its rule.
        NotFoundError
            The account has no such session.
        ConflictError
            The address is registered (``registrant_id`` says as whom), the session is
            full, or it is cancelled.
        """
        session = self._session(account_id, session_id)
        draft = self._draft(session, wanted, asked_by)
        for registrant_id in self._ids_of(draft.email_mark):
            registrant = replace(draft, registrant_id=registrant_id)
            try:
                return self._write(session, registrant)
            except ConditionFailedError as refused:
                found = refused.found or {}
            if found.get("email_mark") != draft.email_mark:
                continue  # somebody else's id
            if "cancelled_at" not in found:
                raise _exists(registrant_id)
            return self._write_again(session, registrant, found)
        raise UnavailableError("dynamodb")

    def register_all(
        self, account_id: str, session_id: str, wanted: Sequence[NewRegistrant]
    ) -> list[Registrant | VestibuleError]:
        """Register up to `AT_ONCE` people, each by themselves: what came of everyone, in their order.

        Where tables are slow, those whose turn has not come in time are told to come again, as
        those are for whom a table failed: what came of the others is not lost with the call.

        Raises
        ------
        NotFoundError, ConflictError
            There is no such session, or it is cancelled: nobody is registered.
        """
        self._session(account_id, session_id)
        until = self._clock() + _TIME_FOR_ALL
        results: list[Registrant | VestibuleError] = []
        for one in wanted:
            try:
                if self._clock() >= until:
                    raise UnavailableError("dynamodb")
                results.append(self.register(account_id, session_id, one))
            except VestibuleError as refused:
                results.append(refused)
        return results

    def asked_for(self, account_id: str, session_id: str, email: str, asked_by: str) -> Registrant:
        """Return the registrant that an earlier attempt of the same call made.

        Raises
        ------
        NotFoundError
            None did, or it was cancelled since.
        """
        found = self.with_email(account_id, session_id, email)
        if found is None or found.asked_by != asked_by:
            raise _unknown()
        return found

    def get(self, account_id: str, session_id: str, registrant_id: str) -> Registrant:
        """Return a registrant.

        Raises
        ------
        NotFoundError
            The account has no such session, or the session no such registrant.
        """
        found = self._store.get(account_id, session_id, registrant_id)
        if found is None:
            raise _unknown()
        return found

    def with_email(self, account_id: str, session_id: str, email: str) -> Registrant | None:
        """Return the registrant of an address, however it is spelled."""
        key = emails.key_of(email)
        if key is None:
            return None
        session = self._session(account_id, session_id, any_status=True)
        mark = self._mark(session, key)
        for registrant_id in self._ids_of(mark):
            found = self._store.trace(account_id, session_id, registrant_id)
            if found is None:
                return None
            if found["email_mark"] == mark:
                return registrant_of(found)
        return None

    def page(
        self, account_id: str, session_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Registrant], Position | None]:
        """Return one page of a session's registrants.

        Raises
        ------
        NotFoundError
            The account has no such session.
        """
        self._session(account_id, session_id, any_status=True)
        return self._store.page(account_id, session_id, after=after, limit=limit)

    def cancel(self, account_id: str, session_id: str, registrant_id: str) -> None:
        """Take a registration back; the link is dead and the place free at once.

        Raises
        ------
        NotFoundError
            There is no such registrant.
        ConflictError
            Others keep changing it.
        """
        for _ in range(_ATTEMPTS):
            session, found = self._store.with_session(account_id, session_id, registrant_id)
            if session is None or found is None:
                raise _unknown()
            try:
                self._store.cancel(found, self._clock(), *self._places.leaving(session, found))
            except ConditionFailedError:
                continue
            return
        raise _changed_meanwhile()

    def rotate(self, account_id: str, session_id: str, registrant_id: str) -> Registrant:
        """Give a registrant a new link; the old one is dead.

        Raises
        ------
        NotFoundError
            There is no such registrant.
        ConflictError
            Somebody else changed it at the same moment.
        """
        before = self.get(account_id, session_id, registrant_id)
        registrant = replace(
            before,
            link_version=before.link_version + 1,
            updated_at=self._clock(),
            version=before.version + 1,
        )
        try:
            self._store.write(registrant, seen=before.version)
        except ConditionFailedError as refused:
            raise _changed_meanwhile() from refused
        return registrant

    def prove(self, account_id: str, text: str) -> tuple[Session, Registrant] | None:
        """Return whose link a token is, and the session that it opens: one call.

        None for whatever is not today's link of a registrant of this account.
        """
        token = PersonalToken.parse(text)
        if token is None or not (ids.is_object_id(token.session_id) and ids.is_object_id(token.participant_id)):
            return None
        session, found = self._store.with_session(account_id, token.session_id, token.participant_id)
        if session is None or found is None or not self._links.proves_registrant(token, found):
            return None
        return session, found

    # --- one registration -------------------------------------------------------------------

    def _draft(self, session: Session, wanted: NewRegistrant, asked_by: str | None) -> Registrant:
        checks = Checks()
        name = checks.apply("name", rules.name, wanted.name)
        address = checks.apply("email", emails.parse, wanted.email)
        metadata = checks.apply("metadata", rules.json_object, dict(wanted.metadata))
        checks.finish()
        now = self._clock()
        return Registrant(
            registrant_id="",
            account_id=session.account_id,
            session_id=session.session_id,
            email_mark=self._mark(session, address.key),
            email=address.shown,
            name=name,
            metadata=metadata,
            asked_by=asked_by or self._draw(),
            created_at=now,
            updated_at=now,
            event=new_event(EventKind.REGISTERED, self._random, self._clock) if wanted.confirm else None,
        )

    def _write(self, session: Session, registrant: Registrant, *, seen: int | None = None) -> Registrant:
        """Write a registrant, with a place where places are limited.

        Raises
        ------
        ConditionFailedError
            Something else stands under the id; ``found`` is it.
        ConflictError
            The session is full.
        """
        if session.registration.capacity is None:
            self._store.write(registrant, seen=seen)
            return registrant

        def write(place: str, taking: Action) -> Registrant:
            placed = replace(registrant, place=place)
            self._store.write(placed, taking, seen=seen)
            return placed

        return self._places.take(session, registrant.registrant_id, write)

    def _write_again(self, session: Session, registrant: Registrant, left: Mapping[str, Any]) -> Registrant:
        """Write somebody who had cancelled; their earlier links stay dead."""
        again = replace(registrant, link_version=left["link_version"] + 1, version=left["version"] + 1)
        try:
            return self._write(session, again, seen=left["version"])
        except ConditionFailedError as refused:
            raise _exists(registrant.registrant_id) from refused

    def _ids_of(self, mark: str) -> Iterator[str]:
        """Yield the ids that an address of a session may have, in the order in which they are tried."""
        for number in range(_IDS_EACH):
            yield ids.object_id_of(self._sealing.mark(_MARK, f"{mark}|{number}"))

    def _mark(self, session: Session, key: str) -> str:
        return self._sealing.mark(_MARK, f"{session.account_id}|{session.session_id}|{key}")

    def _session(self, account_id: str, session_id: str, *, any_status: bool = False) -> Session:
        session = self._known.get((account_id, session_id), lambda: self._read_session(account_id, session_id))
        if session.status is SessionStatus.CANCELLED and not any_status:
            raise ConflictError("session_cancelled", "The session is cancelled.")
        return session

    def _read_session(self, account_id: str, session_id: str) -> Session:
        session = self._sessions.get(account_id, session_id, consistent=True)
        if session is None:
            raise no_such_session()
        return session

    def _draw(self) -> str:
        return self._random.token_hex(_DRAW_BYTES)


def _exists(registrant_id: str) -> ConflictError:
    return ConflictError(
        "registrant_exists", "The address is registered for this session already.", registrant_id=registrant_id
    )


def _unknown() -> NotFoundError:
    return NotFoundError("registrant_not_found", "The session has no such registrant.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("registrant_changed", "The registrant was changed at the same moment.")
