"""Registering by oneself: when a session's public page takes people, and how often from one network.

What comes of it, nobody learns from the page: the link goes to the address by mail, so
that nobody becomes an organizer by typing an organizer's address, and whether an address
had registered before is said to nobody (E11).
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule.clock import DAY
from vestibule.domain import guesses
from vestibule.domain.guesses import network_of
from vestibule.domain.phases import CLOSED, phase_of
from vestibule.domain.registrants import NewRegistrant
from vestibule.errors import ConflictError
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.guesses import Guesses
    from vestibule.domain.registrants import Registrants
    from vestibule.model import Session
    from vestibule.sealing import Sealing

FORM_LASTS = DAY
"""How long a form may lie open."""

_FORM = "registration form"
_LONGEST_FORM = 512


class Outcome(StrEnum):
    """What the page says of a registration."""

    TAKEN = "taken"
    """The address gets a mail, or had one: which, is not said."""
    CLOSED = "closed"
    FULL = "full"
    BLOCKED = "blocked"
    """Too many came from this network."""


class Registrations:
    """What the public pages of sessions do.

    Parameters
    ----------
    can_mail
        Whether mails are sent here at all: without one nobody would ever get their link.
    """

    def __init__(
        self, registrants: Registrants, guesses: Guesses, sealing: Sealing, clock: Clock, *, can_mail: bool
    ) -> None:
        self._registrants = registrants
        self._guesses = guesses
        self._sealing = sealing
        self._clock = clock
        self._can_mail = can_mail

    def is_open(self, session: Session) -> bool:
        """Tell whether a session takes registrations by its public page now."""
        now, registration = self._clock(), session.registration
        if not (registration.public and self._can_mail) or phase_of(session, now) in CLOSED:
            return False
        has_begun = registration.opens_at is None or registration.opens_at <= now
        return has_begun and (registration.closes_at is None or now < registration.closes_at)

    def register(self, session: Session, name: str, email: str, *, address: str) -> Outcome:
        """Register somebody by what they typed; the link goes to the address.

        Parameters
        ----------
        address
            The visitor's network address.

        Raises
        ------
        InvalidError
            Name or e-mail address cannot be used.
        UnavailableError
            A table failed; sending the form again is right.
        """
        if not self.is_open(session):
            return Outcome.CLOSED
        try:
            self._guesses.count(guesses.REGISTRATIONS, session.account_id, session.session_id, network_of(address))
        except BlockedError:
            return Outcome.BLOCKED
        wanted = NewRegistrant(name=name, email=email, confirm=True)
        try:
            self._registrants.register(session.account_id, session.session_id, wanted)
        except ConflictError as refused:
            return _OF_CONFLICT[refused.code]
        return Outcome.TAKEN

    def form_token(self, session: Session) -> str:
        """Return what a form of a session's page carries: it rests on no cookie, which a frame would not have."""
        content = {"session": session.session_id, "until": self._clock() + FORM_LASTS}
        return self._sealing.seal(_FORM, session.account_id, json.dumps(content))

    def is_form(self, session: Session, token: str) -> bool:
        """Tell whether a form is one that this session's page showed not long ago."""
        content = self._sealing.unseal_given(_FORM, session.account_id, token, most=_LONGEST_FORM)
        return bool(content and content["session"] == session.session_id and content["until"] > self._clock())


_OF_CONFLICT = {
    "registrant_exists": Outcome.TAKEN,
    "session_full": Outcome.FULL,
    "session_cancelled": Outcome.CLOSED,
}
