"""Links into sessions: derived, never stored, readable again at any time.

A personal link's last segment is a token that names session and participant and
proves itself by a keyed MAC over the participant's id and link version: raising
the version makes every earlier link and passkey of that participant worthless.
No link holds anything personal.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode
from uuid import UUID

from vestibule.model import LinkPurpose

if TYPE_CHECKING:
    from vestibule.model import Participant, Registrant, Session
    from vestibule.sealing import Sealing
    from vestibule.settings import Settings

_PERSONAL = "personal link"
_REGISTRANT = "registrant's link"
_PASSKEY = "passkey"
_CODE = "connect code"
_MAILED = "mailed link"
_MAILED_TO = "address of a mailed link"
_REQUEST = "request of a mailed link"
_SEPARATOR = "-"
_MAILED_PATHS = {LinkPurpose.SIGN_IN: "/sign-in/link", LinkPurpose.PASSWORD: "/sign-in/password"}


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """What the last segment of a personal link or a registrant's says; unproven until checked.

    Attributes
    ----------
    participant_id
        Of a registrant's link, the registrant's id.
    """

    session_id: str
    participant_id: str
    proof: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a token; None for anything that cannot be one."""
        session_id, first, rest = text.partition(_SEPARATOR)
        participant_id, second, proof = rest.partition(_SEPARATOR)
        is_one = first and second and proof and session_id.isascii() and session_id.isdigit()
        if not (is_one and participant_id.isascii() and participant_id.isdigit()):
            return None
        return cls(session_id, participant_id, proof)

    def __str__(self) -> str:
        """Return the token's text."""
        return _SEPARATOR.join((self.session_id, self.participant_id, self.proof))


class Links:
    """Makes and proves links.

    Parameters
    ----------
    settings
        Where the hubs are.
    sealing
        Derives, marks and seals.
    """

    def __init__(self, settings: Settings, sealing: Sealing) -> None:
        self._settings = settings
        self._sealing = sealing

    def session_link(self, slug: str, session: Session) -> str:
        """Return the generic link: it carries nothing and asks who comes."""
        return f"{self._settings.hub_url(slug)}/s/{session.session_id}"

    def friendly_link(self, slug: str, session: Session) -> str | None:
        """Return the generic link in its readable form, None without a friendly URL."""
        if session.friendly_url is None:
            return None
        return f"{self._settings.hub_url(slug)}/go/{slug}/{quote(session.friendly_url, safe='')}"

    def personal_link(self, slug: str, participant: Participant) -> str:
        """Return the participant's own link: straight in, without a question."""
        return f"{self._settings.hub_url(slug)}/p/{self.personal_token(participant)}"

    def personal_token(self, participant: Participant) -> PersonalToken:
        """Return the last segment of the participant's own link."""
        proof = self._sealing.proof(
            _PERSONAL, participant.account_id, participant.participant_id, participant.link_version
        )
        return PersonalToken(participant.session_id, participant.participant_id, proof)

    def proves(self, token: PersonalToken, participant: Participant) -> bool:
        """Tell whether a token is the participant's link of today."""
        return token.session_id == participant.session_id and self._sealing.proves(
            token.proof, _PERSONAL, participant.account_id, participant.participant_id, participant.link_version
        )

    def join_url(self, slug: str, registrant: Registrant) -> str:
        """Return the registrant's own link: straight into the one session."""
        token = PersonalToken(registrant.session_id, registrant.registrant_id, self._registrant_proof(registrant))
        return f"{self._settings.hub_url(slug)}/r/{token}"

    def proves_registrant(self, token: PersonalToken, registrant: Registrant) -> bool:
        """Tell whether a token is the registrant's link of today."""
        return token.session_id == registrant.session_id and hmac.compare_digest(
            token.proof.encode(), self._registrant_proof(registrant).encode()
        )

    def _registrant_proof(self, registrant: Registrant) -> str:
        # Registrants' ids are unique in their session alone.
        name = f"{registrant.session_id}/{registrant.registrant_id}"
        return self._sealing.proof(_REGISTRANT, registrant.account_id, name, registrant.link_version)

    def join_link(self, slug: str, participant: Participant) -> str:
        """Return the link that asks for nothing but holds the connect code."""
        return f"{self._settings.hub_url(slug)}/join/{self.connect_code(participant)}"

    def passkey(self, participant: Participant) -> str:
        """Return the participant's passkey, in the form of a GUID (vendor article)."""
        secret = self._sealing.secret_hex(
            _PASSKEY, participant.account_id, participant.participant_id, participant.link_version
        )
        return str(UUID(secret))

    def connect_code(self, participant: Participant) -> str:
        """Return the participant's connect code in clear."""
        return self._sealing.unseal(_CODE, participant.account_id, participant.sealed_code)

    def sealed_code(self, account_id: str, code: str) -> str:
        """Return a connect code as a participant's item keeps it."""
        return self._sealing.seal(_CODE, account_id, code)

    def mailed_token(self, account_id: str, user_id: str, event_id: str) -> str:
        """Return what proves a link that a user is mailed for one request: 256 bits, 43 URL-safe characters."""
        return self._sealing.secret(_MAILED, account_id, f"{user_id}/{event_id}", 1)

    def mailed_link(self, slug: str, purpose: LinkPurpose, token: str, going: str) -> str:
        """Return a mailed link; it carries where the person was going, a path of the hub or nothing."""
        query = f"?{urlencode({'next': going})}" if going else ""
        return f"{self._settings.hub_url(slug)}{_MAILED_PATHS[purpose]}/{token}{query}"

    def address_mark(self, email: str) -> str:
        """Return the mark by which it is known again whether a user's address is still the same."""
        return self._sealing.mark(_MAILED_TO, email.casefold())

    def sealed_request(self, account_id: str, name: str, going: str) -> str:
        """Return what somebody asked for who wants a link, as it waits for the worker."""
        return self._sealing.seal(_REQUEST, account_id, json.dumps([name, going]))

    def unsealed_request(self, account_id: str, sealed: str) -> tuple[str, str]:
        """Return name and way of a request; see `sealed_request`."""
        name, going = json.loads(self._sealing.unseal(_REQUEST, account_id, sealed))
        return name, going

    def code_mark(self, code: str) -> str:
        """Return the mark under which a connect code is found."""
        return self._sealing.mark(_CODE, code)
