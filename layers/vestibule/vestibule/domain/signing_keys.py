"""The life of signing keys: published, then signing, then only verifying, then gone.

The moments in the keys decide, not a flag that somebody must flip: a signer
takes the key with the latest ``signs_from`` that has come.  A new key is in the
published set an hour before it signs, so that every verifier's memory (5 min)
has it in time; a former one stays until the last token that it can have signed
is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.errors import UnavailableError
from vestibule.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vestibule.clock import Clock
    from vestibule.model import SigningKey
    from vestibule.store.directory.published import PublishedKeyStore
    from vestibule.store.keyrings import KeyringStore

SIGNS_FOR = 30 * DAY
"""Age at which a key is relieved."""
PUBLISHED_BEFORE_USE = HOUR
LONGEST_TOKEN = DAY
"""No token of the house may live longer."""
REMEMBERED_FOR = 5 * MINUTE
REFETCH_AFTER = MINUTE
"""An unknown kid reads the published set again at most this often."""

_THE_RING = "ring"

type Ring = tuple[SigningKey, ...]
type NewKey = Callable[..., SigningKey]
"""Makes a key from ``published_at`` and ``signs_from``."""


def signer_of(ring: Sequence[SigningKey], now: int) -> SigningKey | None:
    """Return the key that signs now."""
    ready = [key for key in ring if key.signs_from <= now]
    return max(ready, key=lambda key: key.signs_from, default=None)


def advance(ring: Ring, now: int, new_key: NewKey) -> Ring:
    """Return the ring as it should be now; the same ring when nothing is due.

    Parameters
    ----------
    new_key
        Makes a key when one is due.
    """
    signer = signer_of(ring, now)
    if signer is None:
        return (*ring, new_key(published_at=now, signs_from=now))
    kept = tuple(key for key in ring if not _is_spent(key, signer, now))
    is_due = now - signer.signs_from >= SIGNS_FOR - PUBLISHED_BEFORE_USE
    if is_due and all(key.signs_from <= now for key in kept):
        kept = (*kept, new_key(published_at=now, signs_from=now + PUBLISHED_BEFORE_USE))
    return kept


def _is_spent(key: SigningKey, signer: SigningKey, now: int) -> bool:
    """Tell whether no token that this key signed can still be live."""
    was_relieved = key.signs_from < signer.signs_from
    # A signer's own memory may have used the key a little longer.
    last_token = signer.signs_from + REMEMBERED_FOR + LONGEST_TOKEN
    return was_relieved and now >= last_token


class KeyRotation:
    """Keeps the ring in order; run at deployment and on a schedule."""

    def __init__(self, keyring: KeyringStore, published: PublishedKeyStore, clock: Clock, new_key: NewKey) -> None:
        self._keyring = keyring
        self._published = published
        self._clock = clock
        self._new_key = new_key

    def run(self) -> Ring:
        """Bring ring and published set up to date; running it again changes nothing.

        A new key is published before it is stored: if this stops in between, the
        next run publishes anew what the secret holds, and nothing was signed
        with the lost key.

        Raises
        ------
        UnavailableError
            A store failed; the next run repairs what is missing.
        """
        before = self._keyring.read()
        ring = advance(before, self._clock(), self._new_key)
        self._published.publish(ring)
        if ring != before:
            self._keyring.write(ring)
        return ring


class Signer:
    """Gives signers the key of the moment."""

    def __init__(self, keyring: KeyringStore, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._memory: Memory[str, Ring] = Memory(clock, keep=REMEMBERED_FOR)

    def key(self) -> SigningKey:
        """Return the key that signs now.

        Raises
        ------
        UnavailableError
            The secret cannot be read, or no deployment has filled it yet.
        """
        key = signer_of(self._memory.get(_THE_RING, self._keyring.read), self._clock())
        if key is None:
            self._memory.forget(_THE_RING)
            raise UnavailableError("signing keys")
        return key


class Verifier:
    """Finds published keys by their kid."""

    def __init__(self, published: PublishedKeyStore, clock: Clock) -> None:
        self._published = published
        self._memory: Memory[str, Ring] = Memory(clock, keep=REMEMBERED_FOR)

    def all(self) -> Ring:
        """Return the published keys, at most 5 minutes old."""
        return self._memory.get(_THE_RING, self._published.read)

    def find(self, kid: str) -> SigningKey | None:
        """Return a key, reading the set again for an unknown kid once a minute."""
        key = _with_kid(self.all(), kid)
        if key is None and (self._memory.age(_THE_RING) or 0) >= REFETCH_AFTER:
            self._memory.forget(_THE_RING)
            key = _with_kid(self.all(), kid)
        return key


def _with_kid(ring: Ring, kid: str) -> SigningKey | None:
    return next((key for key in ring if key.kid == kid), None)
