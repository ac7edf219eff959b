"""A session's limited places: exactly so many, however many people come at once.

The places lie in up to 32 parts, and a registrant takes one of one part in the very
transaction that registers them, so that counters and registrants always agree.  The
parts' quotas add up to the limit.  Each change of the limit begins a new generation
of counters, which starts from the number of registrants that it finds: those who came
before it, or by an earlier limit, are counted in one number, ``before``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from vestibule.clock import SECOND
from vestibule.errors import ConflictError, UnavailableError
from vestibule.memory import Memory
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.model import Registrant, Session
    from vestibule.store.directory.registrants import RegistrantStore
    from vestibule.store.table import Action

PARTS = 32
"""Items that a limit is counted in: each takes some 20 transactions a second without strain (docs/scaling.md)."""
REMEMBERED_FOR = 5 * SECOND
"""How old ``before`` may be; it only falls, so an old one lets too few in, never too many."""

_ROUNDS = 8


class Places:
    """Takes and gives back places."""

    def __init__(self, store: RegistrantStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._random = random
        self._before: Memory[tuple[str, str, int], int] = Memory(clock, keep=REMEMBERED_FOR)

    def take(self, session: Session, registrant_id: str, write: Callable[[str, Action], Registrant]) -> Registrant:
        """Write a registrant together with a place.

        Parameters
        ----------
        write
            Writes the registrant with a place's name and the action that takes it.

        Raises
        ------
        ConflictError
            The session is full.
        ConditionFailedError
            Something else stands under the registrant's id.
        """
        quotas = self._quotas(session)
        if not quotas:
            raise _full()
        part = list(quotas)[crc32(registrant_id.encode()) % len(quotas)]
        for _ in range(_ROUNDS):
            taking = self._store.taking(session.account_id, session.session_id, part, quota=quotas[part])
            try:
                return write(part, taking)
            except ConditionFailedError as refused:
                if refused.index == 0:
                    raise
            part = self._part_with_room(session, quotas)
        raise UnavailableError("dynamodb")

    def leaving(self, session: Session, registrant: Registrant) -> list[Action]:
        """Return what must be written with a cancellation, so that the place is free again."""
        generation = session.registration.generation
        if session.registration.capacity is None:
            return []
        if registrant.place is not None and registrant.place.startswith(f"{generation}."):
            return [self._store.freeing(session.account_id, session.session_id, registrant.place)]
        key = (session.account_id, session.session_id, generation)
        self._before.forget(key)
        if self._store.before(*key) is None:
            return []  # whoever counts, counts without this one
        return [self._store.forgetting_one(*key)]

    def _part_with_room(self, session: Session, quotas: dict[str, int]) -> str:
        taken = self._store.taken(session.account_id, session.session_id, list(quotas))
        with_room = [part for part, quota in quotas.items() if taken[part] < quota]
        if not with_room:
            raise _full()
        return with_room[self._random.randbelow(len(with_room))]

    def _quotas(self, session: Session) -> dict[str, int]:
        """Return how many places each part has: as even as may be, none of them none."""
        generation, capacity = session.registration.generation, session.registration.capacity or 0
        key = (session.account_id, session.session_id, generation)
        before = self._before.get(key, lambda: self._count_before(*key)) if generation else 0
        room = max(0, capacity - before)
        parts = min(PARTS, room)
        return {f"{generation}.{part}": room // parts + (part < room % parts) for part in range(parts)}

    def _count_before(self, account_id: str, session_id: str, generation: int) -> int:
        """Return how many had registered before this limit; whoever asks first, counts."""
        known = self._store.before(account_id, session_id, generation)
        if known is not None:
            return known
        counted = self._store.count(account_id, session_id)
        try:
            self._store.note_before(account_id, session_id, generation, counted)
        except ConditionFailedError as refused:
            return int(refused.found["earlier"]) if refused.found else counted
        return counted


def _full() -> ConflictError:
    return ConflictError("session_full", "The session has no place left.")
