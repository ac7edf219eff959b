"""JWTs: one place that makes them and one that judges them.

The house signs with ES256; a portal may sign for its own account with HS256 and an
application secret; a stage gets what its own software reads.

Every token has ``typ``, ``kid``, ``iss``, ``aud``, ``sub``, ``iat``, ``exp`` and
``jti``, and all are checked (RFC 7519, RFC 8725): a token of one kind is never
taken for another, and the key fixes the algorithm, never the token.  PyJWT and
the cryptography behind it are imported at first use: a caller with Basic
credentials never pays for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule.clock import SECOND, to_epoch_seconds
from vestibule.errors import UnauthenticatedError
from vestibule.model import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALGORITHM = "ES256"
"""What the house's own keys sign with."""
SHARED_ALGORITHM = "HS256"
"""What application secrets sign with."""

ACCESS_TOKEN = "at+jwt"  # noqa: S105 - a media type (RFC 9068), not a password
"""``typ`` of access tokens."""
EMBED_TOKEN = "embed+jwt"  # noqa: S105 - a media type
"""``typ`` of embed tokens."""

STAGE_GRANT = "stage-grant+jwt"
"""``typ`` of the grants that open a portal's own stage."""

LEEWAY = 5 * SECOND
"""How far into the future ``iat`` and ``nbf`` may lie: hosts' clocks differ."""

_REQUIRED = ("iss", "aud", "sub", "iat", "exp", "jti")
_LONGEST_TOKEN = 4_096
"""Characters, unless the kind says otherwise."""
_SMALLEST_RSA_KEY = 2_048
"""Bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tokens of one kind have in common.

    Attributes
    ----------
    typ
        Media type in the header.
    issuer, audience
        ``iss`` and ``aud``.
    leeway
        Milliseconds that ``iat`` and ``nbf`` may lie in the future.
    longest
        Characters of a token at most.
    """

    typ: str
    issuer: str
    audience: str
    leeway: int = LEEWAY
    longest: int = _LONGEST_TOKEN


def sign(
    kind: Kind,
    key: SigningKey,
    *,
    subject: str,
    token_id: str,
    now: int,
    lifetime: int,
    claims: Mapping[str, Any],
) -> str:
    """Make a token.

    Parameters
    ----------
    key
        A key with its private part.
    now
        Milliseconds since the epoch.
    lifetime
        Milliseconds, whole seconds of them.
    claims
        Further claims.
    """
    import jwt  # noqa: PLC0415 - see the module's docstring

    issued_at = now // SECOND
    payload = {
        **claims,
        "iss": kind.issuer,
        "aud": kind.audience,
        "sub": subject,
        "iat": issued_at,
        "exp": issued_at + lifetime // SECOND,
        "jti": token_id,
    }
    headers = {"typ": kind.typ, "kid": key.kid}
    return jwt.encode(payload, key.private_key or "", algorithm=ALGORITHM, headers=headers)


def verify(kind: Kind, token: str, find_key: Callable[[str], SigningKey | None], *, now: int) -> dict[str, Any]:
    """Judge a token of the house and return its claims.

    Parameters
    ----------
    find_key
        Returns the published key of a ``kid``, None when there is none.
    now
        Milliseconds since the epoch.

    Raises
    ------
    UnauthenticatedError
        Anything about it is not as it must be.
    UnavailableError
        The keys could not be read (raised by ``find_key``).
    """

    def public_key(kid: str) -> Any:
        import jwt  # noqa: PLC0415 - see the module's docstring

        key = find_key(kid)
        return None if key is None else jwt.PyJWK.from_dict(dict(key.public_key), ALGORITHM)

    return _judge(kind, token, ALGORITHM, public_key, now)


def verify_shared(kind: Kind, token: str, find_secret: Callable[[str], str | None], *, now: int) -> dict[str, Any]:
    """Judge a token that somebody signed with a secret that is theirs and the house's.

    Parameters
    ----------
    find_secret
        Returns the live secret of a ``kid``, None when there is none.

    Raises
    ------
    UnauthenticatedError, UnavailableError
        As `verify`.
    """
    return _judge(kind, token, SHARED_ALGORITHM, find_secret, now)


def kid_of(token: str, *, longest: int = _LONGEST_TOKEN) -> str:
    """Return which key a token says it was signed with; nothing is proven by that.

    Raises
    ------
    UnauthenticatedError
        It is no token, or names none.
    """
    import jwt  # noqa: PLC0415 - see the module's docstring

    if len(token) > longest or not token.isascii():
        raise UnauthenticatedError
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError) as error:
        raise UnauthenticatedError from error
    if not isinstance(kid, str) or not kid:
        raise UnauthenticatedError
    return kid


def _judge(kind: Kind, token: str, algorithm: str, find_key: Callable[[str], Any], now: int) -> dict[str, Any]:
    import jwt  # noqa: PLC0415 - see the module's docstring

    kid = kid_of(token, longest=kind.longest)
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != algorithm or header.get("typ") != kind.typ:
            raise UnauthenticatedError
        key = find_key(kid)
        if key is None:
            raise UnauthenticatedError
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=kind.issuer,
            audience=kind.audience,
            options={
                "require": list(_REQUIRED),
                # The house's own clock judges these, below.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise UnauthenticatedError from error
    if not _is_timely(claims, now, kind.leeway):
        raise UnauthenticatedError
    return claims


def sign_for_stage(claims: Mapping[str, Any], key: str, *, algorithm: str, kid: str | None = None) -> str:
    """Make a token that somebody else checks with the key that they gave us.

    Parameters
    ----------
    claims
        All of them, in the form that the other side documents.
    key
        A shared secret for ``HS256``, a private key in PEM for ``RS256``.
    """
    import jwt  # noqa: PLC0415 - see the module's docstring

    return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def is_rsa_key(text: str) -> bool:
    """Tell whether a text is a private RSA key in PEM, of 2048 bits or more."""
    # Imported here: only who sets such a stage needs it.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, RSAPrivateKey) and key.key_size >= _SMALLEST_RSA_KEY


def new_key(*, published_at: int, signs_from: int) -> SigningKey:
    """Make an ES256 key whose ``kid`` is its thumbprint (RFC 7638)."""
    # Imported here: only the rotation makes keys.
    from base64 import urlsafe_b64encode  # noqa: PLC0415
    from hashlib import sha256  # noqa: PLC0415

    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from jwt.algorithms import ECAlgorithm  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256R1())
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    members = {name: public[name] for name in ("crv", "kty", "x", "y")}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    kid = urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()
    return SigningKey(
        kid=kid,
        published_at=published_at,
        signs_from=signs_from,
        public_key={**members, "kid": kid, "alg": ALGORITHM, "use": "sig"},
        private_key=private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def _is_timely(claims: Mapping[str, Any], now: int, leeway: int) -> bool:
    issued_at, expires_at = claims["iat"], claims["exp"]
    not_before = claims.get("nbf", issued_at)  # ours have none, a portal's may
    if type(issued_at) is not int or type(expires_at) is not int or type(not_before) is not int:
        return False
    return max(issued_at, not_before) <= to_epoch_seconds(now + leeway) and now < expires_at * SECOND
