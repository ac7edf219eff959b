"""The Authorization header: who is calling, by Basic or by Bearer.

RFC 7617 and RFC 6750.  The one judge for the authorizer, the token endpoint and
every dialect that authenticates inside its function.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING

from vestibule.errors import UnauthenticatedError

if TYPE_CHECKING:
    from vestibule.domain.access_tokens import AccessTokenReader
    from vestibule.domain.clients import Caller, Clients

_LONGEST = 8_192


class Credentials:
    """Judges Authorization headers.

    Parameters
    ----------
    clients
        Proves Basic credentials.
    access_tokens
        Proves bearers.
    """

    def __init__(self, clients: Clients, access_tokens: AccessTokenReader) -> None:
        self._clients = clients
        self._access_tokens = access_tokens

    def caller(self, header: str | None) -> Caller:
        """Return who calls.

        Raises
        ------
        UnauthenticatedError
            The header is missing, malformed or proves nobody.
        UnavailableError
            A dependency failed: neither a yes nor a no.
        """
        scheme, _, rest = (header or "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return self._access_tokens.read(rest.strip())
        return self._clients.authenticate(*basic(header))


def basic(header: str | None) -> tuple[str, str]:
    """Return user name and password of a Basic header.

    Raises
    ------
    UnauthenticatedError
        It is not a Basic header.
    """
    scheme, _, rest = (header or "").strip().partition(" ")
    if scheme.lower() != "basic" or len(rest) > _LONGEST:
        raise UnauthenticatedError
    try:
        user, separator, password = b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise UnauthenticatedError from None
    if not separator:
        raise UnauthenticatedError
    return user, password
