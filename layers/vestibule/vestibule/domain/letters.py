"""Letters: what is said to one person about one session, before it is a mail or an SMS.

Everything that the text depends on is in here, the moment included, so that the
same letter is the same bytes whenever it is written: a second attempt after a
crash cannot tell anything else than the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vestibule.model import Account, LinkPurpose, Participant, Session, User


class LetterKind(StrEnum):
    """Why somebody is written to."""

    INVITATION = "invitation"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    REMINDER = "reminder"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter to one participant, or to a registrant, who is one under another id.

    It knows nobody's address but the addressee's and the sender's: what is not in
    here cannot be given away.

    Attributes
    ----------
    session
        As it is now.  A cancellation of a session that still takes place tells
        the participant that it does so without them.
    is_registrants
        Whether the addressee signed up, and was not invited.
    previous
        The session as the participant last heard of it; lets a change say what is new.
    recipient_locale, recipient_time_zone
        The participant's own (BCP 47, IANA) where the house knows the person.
    host_name
        Who invites.
    hub_url
        Origin of the account's hub.
    personal_link, join_link
        The participant's way in, and the page that takes the connect code.
    connect_code, passkey
        In clear; the passkey is shown when the account requires one.
    sequence
        Revision of the appointment (RFC 5545, 3.8.7.4): rises with every change.
    at
        When the letter was caused, in milliseconds since the epoch.
    message_id
        ``local@domain``, the local part made from the event's id.
    sender
        The deployment's own address; its display name is the account's.
    reply_to
        Where an answer is read, None for nowhere else than at the sender's.
    unsubscribe_url
        Takes a POST that ends such letters (RFC 8058).  An appointment of one's
        own is no mailing list, so that there is usually none.
    """

    kind: LetterKind
    account: Account
    session: Session
    participant: Participant
    host_name: str
    hub_url: str
    personal_link: str
    sequence: int
    at: int
    message_id: str
    sender: str
    is_registrants: bool = False
    previous: Session | None = None
    recipient_locale: str | None = None
    recipient_time_zone: str | None = None
    join_link: str | None = None
    connect_code: str | None = None
    passkey: str | None = None
    reply_to: str | None = None
    unsubscribe_url: str | None = None

    @property
    def addressee(self) -> tuple[str, str | None]:
        """Name and e-mail address of whom it is for."""
        return self.participant.full_name, self.participant.email


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLetter:
    """A letter to one user, with a link that they, or somebody in their name, asked for.

    Attributes
    ----------
    link
        Good for one use.
    usable_minutes
        How long it is, from ``at`` on.
    at, message_id, sender, reply_to, unsubscribe_url
        See `Letter`.
    """

    purpose: LinkPurpose
    account: Account
    user: User
    link: str
    usable_minutes: int
    at: int
    message_id: str
    sender: str
    reply_to: str | None = None
    unsubscribe_url: str | None = None

    @property
    def addressee(self) -> tuple[str, str | None]:
        """Name and e-mail address of whom it is for."""
        return self.user.full_name, self.user.email
