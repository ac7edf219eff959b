"""Access tokens: 15 minutes of an API client's rights, without a database read.

RFC 6749 client credentials, in the shape of RFC 9068.  A token outlives the
removal of its client by its own 15 minutes at most; that is its price.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule import tokens
from vestibule.clock import MINUTE, SECOND
from vestibule.domain.clients import Caller
from vestibule.errors import UnauthenticatedError, VestibuleError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.signing_keys import Signer, Verifier
    from vestibule.ids import Randomness

LIFETIME = 15 * MINUTE

_TOKEN_ID_BYTES = 12


class InvalidScopeError(VestibuleError):
    """The client asks for a scope that it was not granted (RFC 6749, 5.2)."""

    def __init__(self) -> None:
        super().__init__("invalid_scope", "The client may not have one of these scopes.")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A new access token."""

    token: str
    scopes: tuple[str, ...]
    expires_in: int
    """Seconds."""


class AccessTokenIssuer:
    """Makes access tokens for proven clients."""

    def __init__(self, kind: tokens.Kind, signer: Signer, clock: Clock, random: Randomness) -> None:
        self._kind = kind
        self._signer = signer
        self._clock = clock
        self._random = random

    def issue(self, caller: Caller, wanted: tuple[str, ...] = ()) -> AccessToken:
        """Make a token.

        Parameters
        ----------
        wanted
            Scopes asked for; none means all that the client has.

        Raises
        ------
        InvalidScopeError
            A wanted scope was not granted to the client.
        UnavailableError
            The signing keys cannot be read.
        """
        if not set(wanted) <= set(caller.scopes):
            raise InvalidScopeError
        now = self._clock()
        left = LIFETIME if caller.expires_at is None else caller.expires_at - now
        lifetime = min(LIFETIME, left)
        granted = wanted or caller.scopes
        token = tokens.sign(
            self._kind,
            self._signer.key(),
            subject=caller.client_id,
            token_id=self._random.token_hex(_TOKEN_ID_BYTES),
            now=now,
            lifetime=lifetime,
            claims={
                "client_id": caller.client_id,
                "account_id": caller.account_id,
                "scope": " ".join(granted),
            },
        )
        return AccessToken(token, granted, lifetime // SECOND)


class AccessTokenReader:
    """Reads access tokens back."""

    def __init__(self, kind: tokens.Kind, verifier: Verifier, clock: Clock) -> None:
        self._kind = kind
        self._verifier = verifier
        self._clock = clock

    def read(self, token: str) -> Caller:
        """Return whom a token proves.

        Raises
        ------
        UnauthenticatedError
            It is not one of ours, or over.
        UnavailableError
            The published keys cannot be read.
        """
        claims = tokens.verify(self._kind, token, self._verifier.find, now=self._clock())
        account_id, scope = claims.get("account_id"), claims.get("scope")
        if not isinstance(account_id, str) or not isinstance(scope, str):
            raise UnauthenticatedError
        return Caller(account_id, str(claims["sub"]), tuple(scope.split()), claims["exp"] * SECOND)


def kind_of(api_origin: str) -> tokens.Kind:
    """Return what the access tokens of one deployment have in common."""
    return tokens.Kind(typ=tokens.ACCESS_TOKEN, issuer=api_origin, audience=api_origin)
