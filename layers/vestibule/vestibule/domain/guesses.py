"""How often somebody may guess: counted first, judged afterwards, given back when right.

A guess that is counted only once it has proved wrong lets a burst of parallel ones
through before the first of them is written down.  Here no guess is looked at that
was not counted, so whoever guesses has as many tries as the limit says.  The wrong
one that uses them up is the last for a while, a whole one from then on; nobody is
kept out for good, and an operator can let people in earlier.

What is counted stands in the table as a keyed mark, because it is an address, a
name, or a password typed into the wrong field: a dump tells none of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.clock import HOUR, MINUTE
from vestibule.errors import UnavailableError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.sealing import Sealing
    from vestibule.store.guesses import GuessStore

_MARK = "guesses"
_STRETCH_BYTES = 8
_UNREADABLE = "unknown"
_HOSTS_OF_ONE_NETWORK = 64
"""Bits: a household or a phone has a whole /64 of IPv6 addresses to itself."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be guessed wrong.

    Attributes
    ----------
    kind
        What is guessed; counted apart from every other kind.
    most
        The wrong guess with this number is the last one.
    within
        Milliseconds from the first guess in which they are counted together, and from the
        last one until there may be more.
    """

    kind: str
    most: int
    within: int


CODES = Limit("connect code", most=20, within=HOUR)
"""By network, for all accounts together: codes are unique in the whole service."""
CODES_WITH_PASSKEY = Limit("connect code with passkey", most=20, within=HOUR)
"""By network, where codes alone are blocked: how long an answer takes could otherwise tell
a code from none, as often as somebody asks with a made-up passkey."""
SESSION_PASSWORDS = Limit("session password", most=10, within=HOUR)
"""By session and network."""
PASSWORDS_OF_USER = Limit("password of user", most=10, within=15 * MINUTE)
"""By account and user, or name that is nobody's."""
PASSWORDS_FROM_NETWORK = Limit("password from network", most=50, within=15 * MINUTE)
"""By network, for all accounts together; higher, because a whole clinic may stand behind it."""
LINKS_BY_NAME = Limit("mailed link by name", most=5, within=15 * MINUTE)
"""By account and what was written, whether or not it names anybody: who asks is told to wait."""
LINKS_TO_USER = Limit("mailed link to user", most=5, within=15 * MINUTE)
"""By account and user, however they were named; beyond it no mail goes out, which nobody is told."""
LINKS_FROM_NETWORK = Limit("mailed link from network", most=30, within=15 * MINUTE)
"""By network, for all accounts together; for a clinic as above, and so that nobody floods mailboxes."""
REGISTRATIONS = Limit("registration", most=30, within=HOUR)
"""By session and network: every one of them is a mail to an address that somebody typed."""

OF_NETWORK = (CODES, CODES_WITH_PASSKEY, PASSWORDS_FROM_NETWORK, LINKS_FROM_NETWORK)
"""What is counted by a network alone."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that was counted.

    Attributes
    ----------
    mark, stretch
        Where it was counted, and since which first guess.
    is_last
        Whether there may be none after it, should it be wrong.
    """

    mark: str
    stretch: str
    is_last: bool


class Guesses:
    """Counts guesses."""

    def __init__(self, store: GuessStore, sealing: Sealing, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._random = random

    def count(self, limit: Limit, *about: str) -> Guess:
        """Count a guess that is about to be judged.

        Parameters
        ----------
        about
            Whose guesses of what are counted together; an address as `network_of` has it.

        Raises
        ------
        BlockedError
            It must not be judged; says until when.
        UnavailableError
            DynamoDB failed, so it must not be judged either.
        """
        mark = self._mark(limit, about)
        number, stretch = self._store.count(
            mark,
            most=limit.most,
            within=limit.within,
            now=self._clock(),
            stretch=self._random.token_hex(_STRETCH_BYTES),
        )
        return Guess(mark, stretch, is_last=number >= limit.most)

    def was_right(self, *guesses: Guess) -> None:
        """Give guesses back; one that cannot be given back now is over by itself in a while."""
        for guess in guesses:
            try:
                self._store.give_back(guess.mark, stretch=guess.stretch)
            except UnavailableError:
                continue

    def lift(self, limit: Limit, *about: str) -> bool:
        """Forget all guesses, a block included; False when none were known."""
        return self._store.forget(self._mark(limit, about))

    def _mark(self, limit: Limit, about: tuple[str, ...]) -> str:
        return self._sealing.mark(_MARK, "|".join((limit.kind, *about)))


def network_of(address: str) -> str:
    """Return the network that an address stands for: itself for IPv4, its /64 for IPv6.

    Addresses that cannot be read share one name, so that spelling them oddly is no way
    to be counted anew.

    Examples
    --------
    >>> network_of("203.0.113.7"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8:1:2::/64', '203.0.113.7')
    """
    # Imported with the first guess: most calls of most functions count none.
    from ipaddress import IPv4Address, IPv6Address, ip_address  # noqa: PLC0415

    try:
        found = ip_address(address)
    except ValueError:
        return _UNREADABLE
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    # Of the number alone: a zone names an interface of the visitor's own machine.
    network = int(found) >> _HOSTS_OF_ONE_NETWORK << _HOSTS_OF_ONE_NETWORK
    return f"{IPv6Address(network)}/{_HOSTS_OF_ONE_NETWORK}"
