"""How often somebody may guess: counted first, judged afterwards, given back when right.

A guess that is counted only once it has proved wrong lets a burst of parallel ones
through before the first of them is written down.  Here no guess is looked at that
was not counted, so whoever guesses has as many tries as the limit says, in an hour.
Networks stand in the table as a keyed mark: a dump names no address.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.sealing import Sealing
    from vestibule.store.guesses import GuessStore

_MARK = "guesses"
_ATTEMPT_BYTES = 8
_NOBODYS = "unknown"
_HOSTS_OF_ONE_NETWORK = 64
"""Bits: a household or a phone has a whole /64 of IPv6 addresses to itself."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many wrong guesses of a kind there may be in an hour.

    Attributes
    ----------
    most
        The wrong guess with this number is the last for an hour.
    """

    kind: str
    most: int


CODES = Limit("connect code", 20)
"""By network, for all accounts together: codes are unique in the whole service."""
CODES_WITH_PASSKEY = Limit("connect code with passkey", 20)
"""By network, where codes alone are blocked: how long an answer takes could otherwise tell
a code from none, as often as somebody asks with a made-up passkey."""
SESSION_PASSWORDS = Limit("session password", 10)
"""By session and network."""


class Guesses:
    """Counts guesses."""

    def __init__(self, store: GuessStore, sealing: Sealing, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._random = random

    def count(self, limit: Limit, *about: str) -> bool:
        """Count a guess that is about to be judged; False when it must not be.

        Parameters
        ----------
        about
            Whose guesses of what are counted together.
        """
        attempt = self._random.token_hex(_ATTEMPT_BYTES)
        return self._store.count(self._mark(limit, about), most=limit.most, now=self._clock(), attempt=attempt)

    def was_right(self, limit: Limit, *about: str) -> None:
        """Give a guess back that `count` has counted."""
        self._store.give_back(self._mark(limit, about))

    def lift(self, limit: Limit, *about: str) -> bool:
        """Forget all guesses, a block included; False when none were known."""
        return self._store.clear(self._mark(limit, about))

    def _mark(self, limit: Limit, about: tuple[str, ...]) -> str:
        return self._sealing.mark(_MARK, "|".join((limit.kind, *about)))


def network_of(address: str) -> str:
    """Return the network that an address stands for: itself for IPv4, its /64 for IPv6.

    Examples
    --------
    >>> network_of("203.0.113.7"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8:1:2::/64', '203.0.113.7')
    """
    try:
        return str(IPv4Address(address))
    except AddressValueError:
        pass
    try:
        # Without a zone: it names an interface of the visitor's own machine.
        found = IPv6Address(address.partition("%")[0])
    except AddressValueError:
        return _NOBODYS
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    network = int(found) >> _HOSTS_OF_ONE_NETWORK << _HOSTS_OF_ONE_NETWORK
    return f"{IPv6Address(network)}/{_HOSTS_OF_ONE_NETWORK}"
