"""Who comes to a session, by whichever entrance: one person, one key, one role.

The role is decided here and now, from the session as it stands, never from what a
token or a link said when it was made; so a portal makes somebody a presenter by
adding an address to the session, and nothing has to be handed out anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain import emails
from vestibule.model import ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vestibule.model import Participant, Registrant, Session, User

_GRAVATAR = "https://gravatar.com/avatar/"
_USER = "user:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whose identity an entrance has proven.

    Attributes
    ----------
    name
        What others see, None when nobody said.
    user_id
        The portal's own id of the person.
    own_id
        Ours: ``user:``, ``participant:``, ``registrant:`` or ``guest:`` and an id; None when
        the portal alone knows the person.
    aliases
        Further addresses and portal's ids that a session's lists may hold: those that a
        user was invited under.
    avatar
        Address of a picture, None for Gravatar's.
    role
        What an invitation made of them; None for those who were not invited.
    metadata
        The portal's own JSON object about the person, as text.
    """

    name: str | None = None
    email: str | None = None
    user_id: str | None = None
    own_id: str | None = None
    aliases: tuple[str, ...] = ()
    avatar: str | None = None
    role: ParticipantRole | None = None
    metadata: str = "{}"

    @property
    def key(self) -> str:
        """Digest that is the same for one person at every entrance: by e-mail address, else by id."""
        address = emails.key_of(self.email) if self.email else None
        if address:
            return ids.digest(f"email|{address}")
        if self.user_id:
            return ids.digest(f"user|{self.user_id}")
        return ids.digest(f"own|{self.own_id}")

    @property
    def subject(self) -> str:
        """Who it is for others, such as a stage: our id, or the key where there is none."""
        return self.own_id or self.key

    @property
    def picture(self) -> str:
        """Address of the person's picture; the blank one is Gravatar's (E03)."""
        if self.avatar:
            return self.avatar
        marked = sha256((self.email or self.key).strip().lower().encode()).hexdigest()
        return f"{_GRAVATAR}{marked}?d=mp"


def role_of(session: Session, person: Person) -> ParticipantRole:
    """Return what a person is in a session as it stands now.

    The host stays the host; the session's own lists come before an invitation.  E-mail
    addresses are compared in their common spelling, ids to the letter.
    """
    if person.role is ParticipantRole.HOST or person.own_id == _own_id_of_user(session.host_user_id):
        return ParticipantRole.HOST
    if _names(session.organizers, person):
        return ParticipantRole.ORGANIZER
    if _names(session.presenters, person):
        return ParticipantRole.PRESENTER
    return person.role or ParticipantRole.ATTENDEE


def of_participant(participant: Participant) -> Person:
    """Return whom a personal link or a connect code of somebody who is no user proves."""
    return Person(
        name=participant.full_name,
        email=participant.email,
        user_id=participant.external_id,
        own_id=f"participant:{participant.participant_id}",
        role=participant.role,
    )


def of_user(user: User, invited: Participant | None = None) -> Person:
    """Return whom a sign-in proves, or an invitation of a registered user."""
    return Person(
        name=invited.full_name if invited else user.full_name,
        email=user.email,
        user_id=user.external_id,
        own_id=_own_id_of_user(user.user_id),
        aliases=tuple(filter(None, (invited.email, invited.external_id))) if invited else (),
        role=invited.role if invited else None,
    )


def of_registrant(registrant: Registrant) -> Person:
    """Return whom a registrant's link proves."""
    return Person(
        name=registrant.name,
        email=registrant.email,
        own_id=f"registrant:{registrant.registrant_id}",
        metadata=registrant.metadata,
    )


def of_guest(guest_id: str, name: str) -> Person:
    """Return somebody of whom nothing is known but the name that they typed, which proves nothing."""
    return Person(name=name, own_id=f"guest:{guest_id}")


def named_alike(entry: str) -> str:
    """Return what entries of a session's lists share that name the same person."""
    return (emails.key_of(entry) if "@" in entry else None) or entry


def _names(entries: Sequence[str], person: Person) -> bool:
    """Tell whether a list of addresses and ids, the portal's and ours, names a person."""
    if not entries:
        return False
    own = person.own_id.removeprefix(_USER) if person.own_id and person.own_id.startswith(_USER) else None
    known = _alike((person.email, person.user_id, own, *person.aliases))
    return not known.isdisjoint(_alike(entries))


def _alike(names: Iterable[str | None]) -> set[str]:
    return {named_alike(name) for name in names if name}


def _own_id_of_user(user_id: str) -> str:
    return f"{_USER}{user_id}"
