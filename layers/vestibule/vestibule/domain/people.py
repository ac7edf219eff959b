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
    from collections.abc import Sequence

    from vestibule.model import Participant, Registrant, Session, User

_GRAVATAR = "https://gravatar.com/avatar/"


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
        Ours, for those of whom the portal said neither id nor address, such as
        ``participant#12345678``.
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
    def picture(self) -> str:
        """Address of the person's picture; the blank one is Gravatar's (E03)."""
        if self.avatar:
            return self.avatar
        marked = sha256((self.email or self.key).strip().lower().encode()).hexdigest()
        return f"{_GRAVATAR}{marked}?d=mp"


def role_of(session: Session, person: Person) -> ParticipantRole:
    """Return what a person is in a session as it stands now.

    The host stays the host; the session's own lists come before an invitation.
    """
    if person.role is ParticipantRole.HOST:
        return ParticipantRole.HOST
    if _names(session.organizers, person):
        return ParticipantRole.ORGANIZER
    if _names(session.presenters, person):
        return ParticipantRole.PRESENTER
    return person.role or ParticipantRole.ATTENDEE


def of_participant(participant: Participant) -> Person:
    """Return whom a personal link or a connect code proves."""
    return Person(
        name=participant.full_name,
        email=participant.email,
        user_id=participant.external_id,
        own_id=f"user#{participant.user_id}" if participant.user_id else f"participant#{participant.participant_id}",
        role=participant.role,
    )


def of_user(user: User, session: Session, invited: Participant | None = None) -> Person:
    """Return whom a sign-in proves, in a session to which they may be invited."""
    is_host = user.user_id == session.host_user_id
    return Person(
        name=user.full_name,
        email=user.email,
        user_id=user.external_id,
        own_id=f"user#{user.user_id}",
        role=ParticipantRole.HOST if is_host else invited.role if invited else None,
    )


def of_registrant(registrant: Registrant) -> Person:
    """Return whom a registrant's link proves."""
    return Person(
        name=registrant.name,
        email=registrant.email,
        own_id=f"registrant#{registrant.registrant_id}",
        metadata=registrant.metadata,
    )


def _names(entries: Sequence[str], person: Person) -> bool:
    """Tell whether a list of addresses and portal's ids names a person; ids count to the letter."""
    if person.user_id is not None and person.user_id in entries:
        return True
    address = emails.key_of(person.email) if person.email else None
    return address is not None and any(emails.key_of(entry) == address for entry in entries if "@" in entry)
