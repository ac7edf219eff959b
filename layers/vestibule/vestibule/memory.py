"""What a warm function remembers between requests, and for how long.

An entry is at most ``keep`` old when it is used; that age is the stated delay of
every change that passes through here (account settings, public keys).
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from vestibule.clock import Clock


class Memory[K: Hashable, V]:
    """A bounded map whose entries expire.

    Parameters
    ----------
    clock
        Milliseconds since the epoch.
    keep
        Milliseconds that an entry may be used.
    most
        Entries at most; the one unused longest goes first.
    """

    def __init__(self, clock: Clock, *, keep: int, most: int = 1_000) -> None:
        self._clock = clock
        self._keep = keep
        self._most = most
        self._entries: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def get(self, key: K, load: Callable[[], V]) -> V:
        """Return the remembered value, or load and remember it.

        An error of ``load`` is raised and nothing is remembered.
        """
        now = self._clock()
        entry = self._entries.get(key)
        if entry is not None and now - entry[0] < self._keep:
            self._entries.move_to_end(key)
            return entry[1]
        value = load()
        self._entries[key] = (now, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        return value

    def peek(self, key: K) -> V | None:
        """Return what is remembered, however old, and load nothing."""
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def age(self, key: K) -> int | None:
        """Return how long ago an entry was loaded, in milliseconds, or None."""
        entry = self._entries.get(key)
        return None if entry is None else self._clock() - entry[0]

    def forget(self, key: K) -> None:
        """Drop an entry, so that the next `get` loads it."""
        self._entries.pop(key, None)
