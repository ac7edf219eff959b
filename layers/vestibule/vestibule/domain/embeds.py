"""Embed tokens: who somebody is, for the page that a portal puts into an iframe.

A token says who, never what: the role is decided when the person joins
(`vestibule.domain.people`).  The house signs tokens with its own keys, a portal with
an application secret of its own; which of the two a token is, its ``kid`` says, and
the key that it names fixes algorithm and issuer.  A token is good for one account,
whose name is its audience, and, unless it says otherwise, for one session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule import tokens
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import rules
from vestibule.domain.app_secrets import is_app_kid
from vestibule.domain.people import Person
from vestibule.domain.rules import Checks, RuleError
from vestibule.domain.signing_keys import LONGEST_TOKEN
from vestibule.errors import ConflictError, UnauthenticatedError, no_such_session
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vestibule.clock import Clock
    from vestibule.domain.app_secrets import AppSecrets
    from vestibule.domain.signing_keys import Signer, Verifier
    from vestibule.ids import Randomness
    from vestibule.model import Account, Session
    from vestibule.settings import Settings
    from vestibule.store.directory.sessions import SessionStore

LONGEST_TEXT = 16 * 1_024
"""Characters: the longest of all members, escaped, still fits."""
PORTALS_LEEWAY = MINUTE
"""How far ahead a portal's clock may be."""

_TOKEN_ID_BYTES = 12


@dataclass(frozen=True, slots=True)
class Embed:
    """A new embed token.

    Attributes
    ----------
    url
        For an iframe; the token is in the fragment, which no server ever sees.
    expires_at
        First moment at which it lets nobody enter any more.
    """

    url: str
    token: str
    expires_at: int


class EmbedIssuer:
    """Makes embed tokens.

    Parameters
    ----------
    settings
        Where the API and the hubs are.
    """

    def __init__(
        self, settings: Settings, sessions: SessionStore, signer: Signer, clock: Clock, random: Randomness
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._signer = signer
        self._clock = clock
        self._random = random

    def create(self, account: Account, session_id: str, who: Mapping[str, Any], *, session_only: bool = True) -> Embed:
        """Make a token for a person: one read, no write, as often as anybody likes.

        Parameters
        ----------
        who
            ``user_id``, and if known ``user_name``, ``user_email`` and ``user_avatar``.
        session_only
            Whether the token opens this session alone, or any of the account's.

        Raises
        ------
        InvalidError
            A member breaks its rule.
        NotFoundError
            The account has no such session.
        ConflictError
            The session is cancelled.
        UnavailableError
            The signing keys cannot be read.
        """
        checks = Checks()
        clean = {
            field: checks.apply(field, _RULES[field], value)
            for field, value in who.items()
            if value or field == "user_id"
        }
        checks.finish()
        self._check_session(account.account_id, session_id)
        now, lifetime = self._clock(), account.embed_token_minutes * MINUTE
        token = tokens.sign(
            _kind_of_house(self._settings, account.account_id),
            self._signer.key(),
            subject=clean.pop("user_id"),
            token_id=self._random.token_hex(_TOKEN_ID_BYTES),
            now=now,
            lifetime=lifetime,
            claims={
                "session_id": session_id,
                "session_only": session_only,
                **{_CLAIM_OF[field]: value for field, value in clean.items()},
            },
        )
        return Embed(embed_url(self._settings, account, session_id, token), token, (now + lifetime) // SECOND * SECOND)

    def _check_session(self, account_id: str, session_id: str) -> None:
        session = self._sessions.known(account_id, session_id)
        if session is None:
            raise no_such_session()
        if session.status is SessionStatus.CANCELLED:
            raise ConflictError("session_cancelled", "The session is cancelled.")


class EmbedReader:
    """Reads embed tokens back, the house's and the portals'."""

    def __init__(self, settings: Settings, verifier: Verifier, app_secrets: AppSecrets, clock: Clock) -> None:
        self._settings = settings
        self._verifier = verifier
        self._app_secrets = app_secrets
        self._clock = clock

    def read(self, account: Account, session: Session, token: str) -> Person:
        """Return whom a token proves to a session of an account.

        Parameters
        ----------
        account
            The account on whose host the browser is.

        Raises
        ------
        UnauthenticatedError
            The token is not good here: one answer for every reason.
        UnavailableError
            Keys or secrets could not be read.
        """
        claims = self._claims(account.account_id, token)
        if session.account_id != account.account_id or not _opens(claims, session):
            raise UnauthenticatedError
        return _person_of(claims)

    def _claims(self, account_id: str, token: str) -> dict[str, Any]:
        now = self._clock()
        if is_app_kid(tokens.kid_of(token, longest=LONGEST_TEXT)):
            return tokens.verify_shared(
                _kind_of_portal(account_id), token, lambda kid: self._app_secrets.find(account_id, kid), now=now
            )
        return tokens.verify(_kind_of_house(self._settings, account_id), token, self._verifier.find, now=now)


def audience_of(account_id: str) -> str:
    """Return the ``aud`` of an account's embed tokens, and the ``iss`` of those that its portal signs."""
    return f"urn:vestibule:account:{account_id}"


def embed_url(settings: Settings, account: Account, session_id: str, token: str) -> str:
    """Return the address for an iframe."""
    return f"{settings.hub_url(account.slug)}/embed/{session_id}#token={token}"


def _kind_of_house(settings: Settings, account_id: str) -> tokens.Kind:
    return tokens.Kind(
        typ=tokens.EMBED_TOKEN,
        issuer=settings.api_origin,
        audience=audience_of(account_id),
        longest=LONGEST_TEXT,
    )


def _kind_of_portal(account_id: str) -> tokens.Kind:
    return tokens.Kind(
        typ=tokens.EMBED_TOKEN,
        issuer=audience_of(account_id),
        audience=audience_of(account_id),
        leeway=PORTALS_LEEWAY,
        longest=LONGEST_TEXT,
    )


def _opens(claims: Mapping[str, Any], session: Session) -> bool:
    """Tell whether a token is for a session, and short-lived enough to be believed."""
    session_only = claims.get("session_only", True)
    lifetime = (claims["exp"] - claims["iat"]) * SECOND
    if type(session_only) is not bool or lifetime > LONGEST_TOKEN:
        return False
    return not session_only or claims.get("session_id") == session.session_id


def _person_of(claims: Mapping[str, Any]) -> Person:
    """Return the person of proven claims; a portal's own are held to the rules of the API's."""
    try:
        clean = {
            field: _RULES[field](claims[claim])
            for field, claim in _CLAIM_OF.items()
            if claims.get(claim) or field == "user_id"
        }
    except (RuleError, TypeError, AttributeError):
        raise UnauthenticatedError from None
    return Person(
        user_id=clean["user_id"],
        name=clean.get("user_name"),
        email=clean.get("user_email"),
        avatar=clean.get("user_avatar"),
    )


_CLAIM_OF = {"user_id": "sub", "user_name": "name", "user_email": "email", "user_avatar": "picture"}
"""Members of the API and the claims that carry them (OpenID Connect Core 1.0, 5.1)."""
_RULES: dict[str, Callable[[str], str]] = {
    "user_id": rules.external_id,
    "user_name": rules.name,
    "user_email": rules.email,
    "user_avatar": rules.web_address,
}
