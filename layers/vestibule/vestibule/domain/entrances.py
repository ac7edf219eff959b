"""How somebody comes to a session without being anybody in the account: by code, link, or name.

Whoever is let in here is let into one session and is signed in nowhere.  What a
browser keeps of it is a pass: sealed, for that session alone, over with it, and
checked against the tables each time, so that removing a participant or rotating the
link ends it at once.
"""

from __future__ import annotations

import hmac
import json
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import HOUR
from vestibule.domain import guesses, passwords, people, rules
from vestibule.domain.guesses import network_of
from vestibule.domain.links import PersonalToken
from vestibule.domain.participants import identity_of_user
from vestibule.domain.people import Person
from vestibule.errors import NotFoundError, UnauthenticatedError
from vestibule.model import Entrance, Session, Status
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.embeds import EmbedReader
    from vestibule.domain.guesses import Guesses
    from vestibule.domain.links import Links
    from vestibule.domain.registrants import Registrants
    from vestibule.ids import Randomness
    from vestibule.model import Account, Participant, ParticipantRole, Registrant, User
    from vestibule.sealing import Sealing
    from vestibule.store.codes import CodeStore
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.directory.users import UserStore

CODE_LENGTH = 9
PASS_OUTLIVES_SESSION_BY = HOUR
"""So that who comes back late reads that the session is over, and is not asked for a name."""

NAMELESS = "Guest"
"""What others see of somebody whose portal says no name."""

_PASS = "session pass"  # noqa: S105 - what the seal is for
_LONGEST_PASS = 8_192
_LONGEST_CODE = 64
_SEPARATORS = frozenset({"Zs", "Pd", "Cf"})
"""Unicode's blanks, dashes, and the invisible marks that come with copying."""


class Refusal(StrEnum):
    """Why a code lets nobody in."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    PASSKEY_WANTED = "passkey_wanted"
    PASSKEY_WRONG = "passkey_wrong"


class PasswordCheck(StrEnum):
    """What came of a session's password."""

    RIGHT = "right"
    WRONG = "wrong"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody has come to a session and may see it.

    Attributes
    ----------
    keepsake
        What a pass says of them.
    is_expected
        Whether the session may start by itself for them: they take part in it, or were let in
        under a name just now.  A user who is not among its participants confirms first.
    entrance
        By which way they came.
    """

    session: Session
    person: Person
    keepsake: tuple[str, ...] = ()
    is_expected: bool = True
    entrance: Entrance = Entrance.LINK

    @property
    def name(self) -> str:
        """What others see."""
        return self.person.name or NAMELESS

    @property
    def role(self) -> ParticipantRole:
        """What the person is in the session."""
        return people.role_of(self.session, self.person)

    @property
    def picture(self) -> str | None:
        """Address of the person's picture, where the portal speaks of one; the blank one is Gravatar's (E03)."""
        return self.person.picture if self.entrance is Entrance.EMBED else None


def code_in(text: str) -> str | None:
    """Return the nine digits of a connect code as somebody wrote it, None when it is none.

    Digits of any script count, blanks and dashes do not, and zeros in front are
    dropped: no code begins with one.

    Examples
    --------
    >>> code_in(" 111-222 333 "), code_in("٠١١١٢٢٢٣٣٣"), code_in("11122233O")
    ('111222333', '111222333', None)
    """
    if len(text) > _LONGEST_CODE:
        return None
    digits = ""
    for character in unicodedata.normalize("NFKC", text):
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            digits += str(digit)
        elif unicodedata.category(character) not in _SEPARATORS:
            return None
    code = digits.lstrip("0")
    return code if len(code) == CODE_LENGTH else None


class Entrances:
    """The ways into a session.

    Parameters
    ----------
    sessions, users, codes
        Where sessions, registered people and connect codes are kept.
    links
        Proves personal links and passkeys.
    registrants, embeds
        Prove registrants' links and embed tokens.
    guesses
        Counts who guesses.
    sealing
        Seals passes.
    """

    def __init__(
        self,
        sessions: SessionStore,
        users: UserStore,
        codes: CodeStore,
        *,
        links: Links,
        registrants: Registrants,
        embeds: EmbedReader,
        guesses: Guesses,
        sealing: Sealing,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._sessions = sessions
        self._users = users
        self._codes = codes
        self._links = links
        self._registrants = registrants
        self._embeds = embeds
        self._guesses = guesses
        self._sealing = sealing
        self._clock = clock
        self._random = random

    def session(self, account_id: str, session_id: str, *, consistent: bool = True) -> Session | None:
        """Return a session, None for an id that is none."""
        if not ids.is_object_id(session_id):
            return None
        return self._sessions.get(account_id, session_id, consistent=consistent)

    def friendly(self, account_id: str, text: str) -> str | None:
        """Return the id of the session that a friendly URL leads to."""
        known = rules.sought(rules.friendly_url, text)
        return self._sessions.id_of_friendly_url(account_id, known) if known else None

    def by_code(self, account: Account, text: str, *, passkey: str | None, address: str) -> Arrival | Refusal:
        """Let somebody in by connect code.

        Parameters
        ----------
        text
            The code as it was written.
        passkey
            Asked for when the account requires it; the right one opens also where guessing
            has blocked codes.
        address
            The visitor's network address.
        """
        code = code_in(text)
        if code is None:
            return Refusal.MALFORMED
        network = network_of(address)
        try:
            guess = self._guesses.count(guesses.CODES, network)
        except BlockedError:
            return self._past_the_block(account, code, passkey, network)
        found = self._holder(account, code)
        if found is None:
            return Refusal.UNKNOWN
        self._guesses.was_right(guess)
        arrival, participant = found
        arrival = replace(arrival, entrance=Entrance.CODE)
        if account.require_passkey and not self._is_passkey(passkey, participant):
            return Refusal.PASSKEY_WRONG if passkey else Refusal.PASSKEY_WANTED
        return arrival

    def by_link(self, account: Account, text: str) -> Arrival | None:
        """Let somebody in by personal link; None for whatever is wrong with it."""
        token = PersonalToken.parse(text)
        if token is None or not ids.is_object_id(token.participant_id):
            return None
        found = self._sessions.with_participant(account.account_id, token.participant_id)
        if found is None or not self._links.proves(token, found[1]):
            return None
        arrival = self._invited(*found)
        return replace(arrival, entrance=Entrance.PERSONAL) if arrival else None

    def by_registrant(self, account: Account, text: str) -> Arrival | None:
        """Let a registrant in by their own link; None for whatever is wrong with it."""
        found = self._registrants.prove(account.account_id, text)
        return _signed_up(*found) if found else None

    def by_embed(self, account: Account, session: Session, token: str) -> Arrival | None:
        """Let somebody in by embed token; None for whatever is wrong with it.

        Raises
        ------
        UnavailableError
            Keys or secrets could not be read.
        """
        try:
            person = self._embeds.read(account, session, token)
        except UnauthenticatedError:
            return None
        return _embedded(session, person)

    def by_embed_pass(self, account: Account, session: Session, text: str) -> Arrival | None:
        """Let somebody in again by the pass that an embed token was changed for; nothing is read."""
        match self._opened(account, session.session_id, text):
            case ("embed", user_id, name, email, avatar):
                person = Person(user_id=user_id, name=name or None, email=email or None, avatar=avatar or None)
                return _embedded(session, person)
        return None

    def by_name(self, session: Session, name: str) -> Arrival:
        """Let a guest in under a name of their own choice.

        Raises
        ------
        RuleError
            The name cannot be shown.
        """
        guest_id = ids.new_object_id(self._random)
        return _guest(session, guest_id, rules.name(name))

    def by_sign_in(self, session_id: str, user: User) -> Arrival | None:
        """Let a signed-in user in, invited or not; None when there is no such session."""
        if not ids.is_object_id(session_id):
            return None
        identity = identity_of_user(user.user_id)
        session, participant = self._sessions.with_identity(user.account_id, session_id, identity)
        return replace(_registered(session, user, participant), entrance=Entrance.DASHBOARD) if session else None

    def by_pass(self, account: Account, session_id: str, text: str | None) -> Arrival | None:
        """Let somebody in again by the pass that `pass_of` gave."""
        keepsake = self._opened(account, session_id, text)
        match keepsake:
            case ("participant", participant_id, version):
                found = self._sessions.with_participant(account.account_id, participant_id)
                if found is None or found[0].session_id != session_id or str(found[1].link_version) != version:
                    return None
                return self._invited(*found)
            case ("guest", guest_id, name):
                session = self.session(account.account_id, session_id)
                return _guest(session, guest_id, name) if session else None
            case ("registrant", registrant_id, version):
                return self._registered_as(account, session_id, registrant_id, version)
        return None

    def is_pass_of(self, arrival: Arrival, text: str | None, account: Account) -> bool:
        """Tell whether a pass is the one that `pass_of` gave to this very person."""
        return self._opened(account, arrival.session.session_id, text) == arrival.keepsake

    def pass_of(self, arrival: Arrival) -> str:
        """Return what a browser may keep, to come back to this session without being asked again."""
        session = arrival.session
        content = {
            "session": session.session_id,
            "until": session.ends_at + PASS_OUTLIVES_SESSION_BY,
            "who": arrival.keepsake,
        }
        return self._sealing.seal(_PASS, session.account_id, json.dumps(content, ensure_ascii=False))

    def check_password(self, session: Session, password: str, *, address: str) -> PasswordCheck:
        """Compare a session's password, which a session without one does not ask for."""
        if session.password_hash is None:
            return PasswordCheck.RIGHT
        about = (session.account_id, session.session_id, network_of(address))
        try:
            guess = self._guesses.count(guesses.SESSION_PASSWORDS, *about)
        except BlockedError:
            return PasswordCheck.BLOCKED
        if not passwords.is_right(password, session.password_hash):
            return PasswordCheck.WRONG
        self._guesses.was_right(guess)
        return PasswordCheck.RIGHT

    def _past_the_block(self, account: Account, code: str, passkey: str | None, network: str) -> Arrival | Refusal:
        """Let in whoever has the passkey; nothing else may show whether a code is one."""
        if not passkey:
            return Refusal.BLOCKED
        try:
            guess = self._guesses.count(guesses.CODES_WITH_PASSKEY, network)
        except BlockedError:
            return Refusal.BLOCKED
        found = self._holder(account, code)
        if found is None or not self._is_passkey(passkey, found[1]):
            return Refusal.BLOCKED
        self._guesses.was_right(guess)
        return replace(found[0], entrance=Entrance.CODE)

    def _holder(self, account: Account, code: str) -> tuple[Arrival, Participant] | None:
        """Return who comes with a code, and as which participant."""
        holder = self._codes.holder(self._links.code_mark(code))
        if holder is None or holder[0] != account.account_id:
            return None
        found = self._sessions.with_participant(account.account_id, holder[2])
        arrival = self._invited(*found) if found else None
        return (arrival, found[1]) if found and arrival else None

    def _invited(self, session: Session, participant: Participant) -> Arrival | None:
        """Return a participant's arrival; None when it is a user who may not be here any more."""
        if participant.user_id is None:
            return Arrival(session, people.of_participant(participant), _keepsake(participant))
        user = self._users.get(participant.account_id, participant.user_id, consistent=True)
        if user is None or user.status is not Status.ACTIVE:
            return None
        return _registered(session, user, participant)

    def _registered_as(self, account: Account, session_id: str, registrant_id: str, version: str) -> Arrival | None:
        try:
            found = self._registrants.get(account.account_id, session_id, registrant_id)
        except NotFoundError:
            return None
        session = self.session(account.account_id, session_id)
        return _signed_up(session, found) if session and str(found.link_version) == version else None

    def _is_passkey(self, given: str | None, participant: Participant) -> bool:
        right = self._links.passkey(participant)
        return hmac.compare_digest((given or "").strip().lower().encode("utf-8", "replace"), right.encode())

    def _opened(self, account: Account, session_id: str, text: str | None) -> tuple[str, ...]:
        """Return what a pass says of its holder; nothing for one that is not good here and now."""
        content = self._sealing.unseal_given(_PASS, account.account_id, text, most=_LONGEST_PASS)
        if content is None or content["session"] != session_id or content["until"] <= self._clock():
            return ()
        return tuple(content["who"])


def _registered(session: Session, user: User, participant: Participant | None) -> Arrival:
    keepsake = _keepsake(participant) if participant else ("user", user.user_id)
    return Arrival(session, people.of_user(user, participant), keepsake, is_expected=participant is not None)


def _keepsake(participant: Participant) -> tuple[str, ...]:
    return "participant", participant.participant_id, str(participant.link_version)


def _signed_up(session: Session, registrant: Registrant) -> Arrival:
    keepsake = ("registrant", registrant.registrant_id, str(registrant.link_version))
    return Arrival(session, people.of_registrant(registrant), keepsake, entrance=Entrance.REGISTRANT)


def _embedded(session: Session, person: Person) -> Arrival:
    keepsake = ("embed", person.user_id or "", person.name or "", person.email or "", person.avatar or "")
    return Arrival(session, person, keepsake, entrance=Entrance.EMBED)


def _guest(session: Session, guest_id: str, name: str) -> Arrival:
    return Arrival(session, people.of_guest(guest_id, name), ("guest", guest_id, name))
