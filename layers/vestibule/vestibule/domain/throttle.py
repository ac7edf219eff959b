"""Limits on guessing: so many wrong tries in a while, and no more until it is over.

A try is taken before the guess is looked at and given back when it was right, so
that only wrong ones count, and guesses that come all at once get no more than the
limit.  Nobody is locked out for good: the tries come back by themselves, and an
operator can bring them back earlier.  What is counted is stored under a keyed
mark, because it is an address, a name, or a password typed into the wrong field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.clock import MINUTE
from vestibule.errors import UnavailableError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.sealing import Sealing
    from vestibule.store.tries import TryStore

_TAKER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried.

    Attributes
    ----------
    kind
        What is counted; part of the mark.
    most
        Wrong tries in one stretch.
    within
        Length of a stretch in milliseconds, counted from its first try.
    """

    kind: str
    most: int
    within: int


PASSWORD_OF_USER = Limit("password of user", most=10, within=15 * MINUTE)
"""Wrong passwords of one user, or of one name that is nobody's."""
PASSWORD_FROM_ADDRESS = Limit("password from address", most=50, within=15 * MINUTE)
"""Wrong passwords from one address; higher, because a whole clinic may stand behind it."""


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was taken.

    Attributes
    ----------
    is_last
        Whether there are none left after it.
    """

    mark: str
    ends_at: int
    is_last: bool


class Throttle:
    """Takes tries and gives them back."""

    def __init__(self, store: TryStore, sealing: Sealing, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._random = random

    def take(self, limit: Limit, *who: str) -> Try:
        """Take a try.

        Parameters
        ----------
        who
            Whom it is counted for, such as account and user; an address as `address_group` has it.

        Raises
        ------
        NoneLeftError
            All tries are taken; says when there are some again.
        UnavailableError
            DynamoDB failed, so nothing may be tried.
        """
        now, mark = self._clock(), self._mark(limit, who)
        tries, ends_at = self._store.take(
            mark,
            most=limit.most,
            now=now,
            ends_at=now + limit.within,
            taker=self._random.token_hex(_TAKER_BYTES),
        )
        return Try(mark, ends_at, is_last=tries >= limit.most)

    def give_back(self, *tries: Try) -> None:
        """Give tries back that turned out right; one that cannot be given back comes back by itself."""
        for one in tries:
            try:
                self._store.give_back(one.mark, ends_at=one.ends_at)
            except UnavailableError:
                continue

    def lift(self, limit: Limit, *who: str) -> None:
        """Let all tries be there again at once; for operators."""
        self._store.forget(self._mark(limit, who))

    def _mark(self, limit: Limit, who: tuple[str, ...]) -> str:
        return self._sealing.mark(limit.kind, "|".join(who))


def address_group(address: str) -> str:
    """Return what stands for everybody behind a network address.

    An IPv6 visitor has a whole /64 to call from, so that is what is counted.

    Examples
    --------
    >>> address_group("203.0.113.7"), address_group("2001:db8::1:2"), address_group("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8::/64', '203.0.113.7')
    """
    # Imported with the first guess: most calls of most functions count none.
    from ipaddress import IPv6Address, IPv6Network, ip_address  # noqa: PLC0415

    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(IPv6Network((known.packed[:8] + bytes(8), 64)))
