"""Idempotency keys: what is asked for twice under one key is created once.

draft-ietf-httpapi-idempotency-key-header.  The new object's id is drawn and
written down before the object is created, so every attempt under the key creates
the same object or finds it, wherever an earlier attempt may have died.  No body is
kept; a repeat is answered with the object as it is by then.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import SECOND
from vestibule.errors import (
    BusyError,
    NotFoundError,
    ReusedKeyError,
    UnavailableError,
    VestibuleError,
)
from vestibule.model import Claim, ClaimState
from vestibule.store.idempotency import claim_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.idempotency import ClaimStore

LEASE = 15 * SECOND
"""How long an attempt has the key for itself: longer than a function can run (10 s)."""

_REVISION_BYTES = 8


class IdTakenError(Exception):
    """The id that an object was to be created with is in use."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A creation that a caller asks for under an idempotency key.

    Attributes
    ----------
    route
        What is created, and where: method and path.
    body
        The body in a form that equal bodies share.
    """

    account_id: str
    client_id: str
    route: str
    key: str
    body: str


class Idempotency:
    """The idempotency keys of all callers."""

    def __init__(self, store: ClaimStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def once[T](
        self,
        ask: Ask,
        create: Callable[[str], T],
        find: Callable[[str], T],
        *,
        created_at: Callable[[T], int] = attrgetter("created_at"),
        resumes: bool = False,
    ) -> tuple[T, bool]:
        """Create an object, or return the one that was created under the same key.

        A refusal gives the key back: nothing was created, and the caller may
        mend the body.

        Parameters
        ----------
        create
            Creates the object with the given id; raises `IdTakenError` when an
            object has it.
        find
            Returns the object of an id, strongly consistently.
        created_at
            Returns when an object was created, in milliseconds since the epoch.
        resumes
            Whether ``create`` itself goes on where an earlier attempt with the same
            id has stopped, because it needs more than one write.

        Returns
        -------
        tuple
            The object, and whether an earlier attempt created it.

        Raises
        ------
        BusyError
            Another attempt under the key is running.
        ReusedKeyError
            The key came with another body before.
        NotFoundError
            The object has been deleted since.
        VestibuleError
            Whatever else ``create`` and ``find`` raise.
        """
        while True:
            claim, is_first = self._claim(ask)
            if claim.state is ClaimState.DONE:
                return find(claim.object_id), True
            try:
                made, is_repeat = _carry_out(claim, is_first or resumes, create, find, created_at)
            except IdTakenError:
                self._give_back(claim)
            except UnavailableError:
                self._end_lease(claim)
                raise
            except VestibuleError:
                self._give_back(claim)
                raise
            else:
                self._finish(claim)
                return made, is_repeat

    def _claim(self, ask: Ask) -> tuple[Claim, bool]:
        """Take the key, or take it over from an attempt that is over; True when it is new."""
        now = self._clock()
        claim = Claim(
            key=ids.digest(f"{ask.account_id}\0{ask.client_id}\0{ask.route}\0{ask.key}"),
            fingerprint=ids.keyed_mark(ask.key, ask.body),
            object_id=ids.new_object_id(self._random),
            state=ClaimState.RUNNING,
            lease_until=now + LEASE,
            revision=self._revision(),
            created_at=now,
        )
        try:
            self._store.create(claim)
        except ConditionFailedError as refused:
            if refused.found is None:
                raise _in_use() from refused
            found = claim_of(refused.found)
        else:
            return claim, True
        if found.fingerprint != claim.fingerprint:
            raise ReusedKeyError
        if found.state is ClaimState.DONE:
            return found, False
        if now < found.lease_until:
            raise _in_use()
        taken_over = replace(found, lease_until=claim.lease_until, revision=claim.revision)
        try:
            self._store.replace(taken_over, before=found)
        except ConditionFailedError as refused:
            raise _in_use() from refused
        return taken_over, False

    def _finish(self, claim: Claim) -> None:
        """Note that the object exists.

        If that fails, the object exists all the same, and the next attempt finds
        it by its id.
        """
        with suppress(ConditionFailedError, UnavailableError):
            self._store.replace(replace(claim, state=ClaimState.DONE, revision=self._revision()), before=claim)

    def _end_lease(self, claim: Claim) -> None:
        """Let the next attempt begin at once, with the same id: this one may have created the object.

        If that fails, the next attempt waits for the lease's own end.
        """
        with suppress(ConditionFailedError, UnavailableError):
            ended = replace(claim, lease_until=self._clock(), revision=self._revision())
            self._store.replace(ended, before=claim)

    def _give_back(self, claim: Claim) -> None:
        """Forget the key.

        If that fails, the caller is told to try again: the key would refuse the
        mended body for a day.
        """
        with suppress(ConditionFailedError):
            self._store.delete(claim)

    def _revision(self) -> str:
        return self._random.token_hex(_REVISION_BYTES)


def _carry_out[T](
    claim: Claim,
    is_first: bool,  # noqa: FBT001 - what `_claim` told
    create: Callable[[str], T],
    find: Callable[[str], T],
    created_at: Callable[[T], int],
) -> tuple[T, bool]:
    """Create the object, unless an earlier attempt did; True when one did."""
    earlier = None if is_first else _earlier(claim, find, created_at)
    if earlier is None:
        try:
            return create(claim.object_id), False
        except IdTakenError:
            # Somebody else's object, or an earlier attempt's whose write arrived late.
            earlier = _earlier(claim, find, created_at)
            if earlier is None:
                raise
    return earlier, True


def _earlier[T](claim: Claim, find: Callable[[str], T], created_at: Callable[[T], int]) -> T | None:
    """Return what an earlier attempt created, if one got that far.

    An older object is somebody else's, which happens to have the drawn id.
    """
    try:
        found = find(claim.object_id)
    except NotFoundError:
        return None
    return found if created_at(found) >= claim.created_at else None


def _in_use() -> BusyError:
    return BusyError("idempotency_key_in_use", "A request with this Idempotency-Key is being worked on.")
