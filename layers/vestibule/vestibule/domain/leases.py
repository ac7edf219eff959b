"""Acting on an event of the outbox: by one worker at a time, and once.

A worker leases what it is about to do, does it, and marks it, the mark and what
follows from it in one write.  A worker that dies in between leaves a lease that runs
out: then it is done again, which is the only way to be sure that it was done at all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vestibule.clock import SECOND
from vestibule.errors import UnavailableError
from vestibule.store.outbox import Taken
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.outbox import LeaseStore
    from vestibule.store.table import Action

LEASE = 30 * SECOND
"""How long an attempt has an event for itself: longer than a worker can run (10 s)."""

_ATTEMPT_BYTES = 8


class InWorkError(Exception):
    """Another worker is at the event of a message."""


class Leases:
    """Lets things be done once.

    Parameters
    ----------
    store
        What is leased, and what is done.
    """

    def __init__(self, store: LeaseStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def once[T](
        self, name: str, act: Callable[[], T], follows: Callable[[T], Sequence[Action]] = lambda _: ()
    ) -> T | None:
        """Act, unless that was done already.

        Parameters
        ----------
        name
            What is done: the event, and for whom.
        act
            Does it.
        follows
            Gives what is written together with the mark, from what ``act`` returned.  When
            its conditions do not hold, something newer was faster, and the mark is written alone.

        Returns
        -------
        T or None
            What ``act`` returned, None when it was done already.

        Raises
        ------
        InWorkError
            Another worker is at it; the message has to come again, in case that one dies.
        UnavailableError
            A dependency failed; nothing is lost, and the message has to come again.
        """
        attempt, now = self._random.token_hex(_ATTEMPT_BYTES), self._clock()
        taken = self._store.take(name, attempt, now=now, until=now + LEASE)
        if taken is Taken.DONE:
            return None
        if taken is Taken.BUSY:
            raise InWorkError
        try:
            result = act()
        except UnavailableError:
            with suppress(ConditionFailedError, UnavailableError):
                self._store.release(name, attempt, now=self._clock())
            raise
        self._mark(name, attempt, follows(result))
        return result

    def _mark(self, name: str, attempt: str, follows: Sequence[Action]) -> None:
        done = self._store.finishing(name, attempt, now=self._clock())
        try:
            self._store.write(done, *follows)
        except ConditionFailedError as refused:
            if refused.index > 0:
                with suppress(ConditionFailedError):
                    self._store.write(done)
