"""Names and secrets: how each is drawn, and how a secret is kept.

Object ids are names: they may be seen by anybody.  Login GUIDs, client secrets
and sign-in secrets let their holder in, so only their digests are ever stored;
they carry at least 128 bits of `secrets`, which is why a plain SHA-256 suffices.
"""

import hashlib
import hmac
from typing import Protocol

_FIRST_OBJECT_ID = 10_000_000
_OBJECT_ID_LIMIT = 2**31
_OBJECT_ID_LENGTHS = range(8, 11)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody confuses when reading them aloud."""

LOGIN_GUID_LENGTH = 32
_LOGIN_GUID_BYTES = 16
_SECRET_BYTES = 32


class Randomness(Protocol):
    """What the house draws from; the `secrets` module is one, a test brings its own."""

    def randbelow(self, exclusive_upper_bound: int, /) -> int:
        """Return an integer in [0, exclusive_upper_bound)."""

    def token_bytes(self, nbytes: int, /) -> bytes:
        """Return that many random bytes."""

    def token_hex(self, nbytes: int, /) -> str:
        """Return that many random bytes as lower-case hex."""

    def token_urlsafe(self, nbytes: int, /) -> str:
        """Return that many random bytes as URL-safe base64 without padding."""


def new_object_id(random: Randomness) -> str:
    """Draw an id of 8 to 10 decimal digits, below 2**31.

    Clients of the dialects read ids into signed 32-bit integers.  Uniqueness is
    the business of the conditional write that first uses the id.
    """
    return str(_FIRST_OBJECT_ID + random.randbelow(_OBJECT_ID_LIMIT - _FIRST_OBJECT_ID))


def object_id_of(mark: str) -> str:
    """Return the object id that follows from a keyed mark (hex): the same one for ever.

    Two marks may share an id; whoever uses it looks whose it is.
    """
    return str(_FIRST_OBJECT_ID + int(mark, 16) % (_OBJECT_ID_LIMIT - _FIRST_OBJECT_ID))


def is_object_id(text: str) -> bool:
    """Tell whether a text has the form of an object id; no other leads anywhere."""
    return text.isascii() and text.isdigit() and len(text) in _OBJECT_ID_LENGTHS


def account_id_in(client_id: str) -> str | None:
    """Return the account's id that a client_id begins with, None when it has not the form of one."""
    account_id, separator, _ = client_id.partition("-")
    return account_id if separator and account_id.isascii() and account_id.isdigit() else None


def new_label(random: Randomness, length: int) -> str:
    """Draw a short readable name of lower-case letters and digits."""
    return "".join(_ALPHABET[random.randbelow(len(_ALPHABET))] for _ in range(length))


def new_login_guid(random: Randomness) -> str:
    """Draw a login GUID: 128 bits as 32 lower-case hex characters."""
    return random.token_hex(_LOGIN_GUID_BYTES)


def is_login_guid(text: str) -> bool:
    """Tell whether a text has the form of a login GUID."""
    return len(text) == LOGIN_GUID_LENGTH and all(c in "0123456789abcdef" for c in text)


def new_secret(random: Randomness) -> str:
    """Draw a secret of 256 bits, in characters that survive URLs, headers and cookies."""
    return random.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 of a high-entropy secret as hex: what may be stored of it.

    Any text has one, also what only JSON can spell (half a surrogate pair).
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(secret: str, stored: str | None) -> bool:
    """Compare a presented secret with a stored digest, in constant time."""
    return stored is not None and hmac.compare_digest(digest(secret), stored)


def keyed_mark(key: str, *parts: str) -> str:
    """Return an HMAC-SHA256 over parts, as hex: recognises without revealing.

    Parameters
    ----------
    key
        A secret that is not stored beside the mark.
    parts
        The texts that are marked; joined by NUL, which none of them may contain.
    """
    return hmac.new(key.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()
