"""What must be shown again without being stored: derived, or sealed.

Everything here comes from one master key in Secrets Manager.  A dump of the
tables holds sealed texts and keyed marks, and neither is of use without that key;
a derived link or passkey is in no table at all.  Each purpose has a key of its own,
so that no output of one is ever an input to another.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from vestibule.errors import VestibuleError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAC_BYTES = 16
"""128 bits: what a link's proof keeps of its HMAC-SHA256."""
_NONCE_BYTES = 12


class NotSealedError(VestibuleError):
    """A text is not one that was sealed for this purpose and account."""

    def __init__(self) -> None:
        super().__init__("cannot_unseal", "A stored value cannot be read.")


class Sealing:
    """Derives, marks and seals under the master key.

    Parameters
    ----------
    master_key
        Returns the key; asked once, at first use.
    random_bytes
        Returns that many random bytes, such as `secrets.token_bytes`.
    """

    def __init__(self, master_key: Callable[[], bytes], random_bytes: Callable[[int], bytes]) -> None:
        self._master_key = master_key
        self._random_bytes = random_bytes
        self._known: bytes | None = None

    def proof(self, kind: str, account_id: str, object_id: str, version: int) -> str:
        """Return what makes a link of an object its own proof: 22 URL-safe characters."""
        return _text(self._mac(kind, account_id, object_id, str(version))[:_MAC_BYTES])

    def proves(self, proof: str, kind: str, account_id: str, object_id: str, version: int) -> bool:
        """Compare a presented proof with the right one, in constant time."""
        right = self.proof(kind, account_id, object_id, version)
        return hmac.compare_digest(proof.encode(), right.encode())

    def secret_hex(self, kind: str, account_id: str, object_id: str, version: int) -> str:
        """Return a derived secret of 128 bits as 32 hex characters."""
        return self._mac(kind, account_id, object_id, str(version))[:_MAC_BYTES].hex()

    def secret(self, kind: str, account_id: str, object_id: str, version: int) -> str:
        """Return a derived secret of 256 bits as 43 URL-safe characters."""
        return _text(self._mac(kind, account_id, object_id, str(version)))

    def mark(self, kind: str, text: str) -> str:
        """Return a keyed mark by which a text is found again without being stored."""
        return self._mac(kind, text).hex()

    def seal(self, kind: str, account_id: str, text: str) -> str:
        """Encrypt a short text (AES-256-GCM, a fresh nonce each time)."""
        nonce = self._random_bytes(_NONCE_BYTES)
        return _text(nonce + _aes(self._mac("seal", kind)).encrypt(nonce, text.encode(), account_id.encode()))

    def unseal(self, kind: str, account_id: str, sealed: str) -> str:
        """Decrypt what `seal` made for the same account.

        Raises
        ------
        NotSealedError
            It was not, or the master key is another.
        """
        # Beside the cryptography that it belongs to, imported at first use.
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        nonce, box = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        try:
            return str(_aes(self._mac("seal", kind)).decrypt(nonce, box, account_id.encode()), "utf-8")
        except InvalidTag:
            raise NotSealedError from None

    def unseal_given(self, kind: str, account_id: str, text: str | None, *, most: int) -> dict[str, Any] | None:
        """Decrypt the JSON object that a browser hands back; None for anything that was not sealed here for it.

        Parameters
        ----------
        most
            Characters that are looked at.

        Raises
        ------
        UnavailableError
            The master key cannot be read: nothing is known about the text.
        """
        if not text or len(text) > most or not text.isascii():
            return None
        try:
            content: dict[str, Any] = json.loads(self.unseal(kind, account_id, text))
        except (NotSealedError, ValueError):
            return None
        return content

    def _mac(self, *parts: str) -> bytes:
        if self._known is None:
            self._known = self._master_key()
        return hmac.new(self._known, "|".join(parts).encode(), hashlib.sha256).digest()


def _aes(key: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202 - cryptography is imported below
    # Functions that never seal must not pay for it at start-up.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
