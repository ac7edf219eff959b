"""Counted tries in the passes table: how often something was tried in a stretch of time.

A try is taken by a conditional write before it is carried out, so that many at
once get no more of them than one after the other would.  A stretch begins with
its first try and ends by itself; what counts is in the conditions, and ``ttl``
only collects garbage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.errors import UnavailableError
from vestibule.store.items import pack
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.store.items import Item
    from vestibule.store.table import Table

_LEFT = "ends_at > :now AND tries < :most"
"""True while a stretch goes on in which there are tries left."""
_OVER = "attribute_not_exists(pk) OR ends_at <= :now"
"""True when no stretch goes on."""
_SAME = "ends_at = :ends_at AND tries > :none"
"""True while the stretch goes on in which the try was taken."""

_FORGOTTEN_AFTER = DAY
"""How long the item of a stretch that is over may lie around."""
_ROUNDS = 4
"""Attempts to begin a stretch, when others begin it at the same moment."""


class NoneLeftError(Exception):
    """There are no tries left.

    Attributes
    ----------
    ends_at
        First moment at which there are again, in milliseconds since the epoch.
    """

    def __init__(self, ends_at: int) -> None:
        super().__init__("no tries left")
        self.ends_at = ends_at


class TryStore:
    """Counters of tries."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, mark: str, *, most: int, now: int, ends_at: int, taker: str) -> tuple[int, int]:
        """Take one try.

        Parameters
        ----------
        mark
            Mark of what the tries are counted for.
        most
            Tries in one stretch.
        ends_at
            When a stretch ends that begins with this try.
        taker
            Drawn for this call: tells its own beginning of a stretch from another's at the same moment.

        Returns
        -------
        tuple
            How many are taken now, and when the stretch ends.

        Raises
        ------
        NoneLeftError
            All tries of the stretch are taken.
        UnavailableError
            DynamoDB failed; the try may be counted all the same.
        """
        for _ in range(_ROUNDS):
            try:
                values = self._table.update(
                    _key(mark), "SET tries = tries + :one", _LEFT, {":now": now, ":most": most, ":one": 1}
                )
            except ConditionFailedError as refused:
                if refused.found is not None and refused.found["ends_at"] > now:
                    raise NoneLeftError(refused.found["ends_at"]) from None
            else:
                return values["tries"], values["ends_at"]
            first = {"tries": 1, "ends_at": ends_at, "taker": taker}
            first["ttl"] = to_epoch_seconds(ends_at + _FORGOTTEN_AFTER)
            try:
                self._table.write(self._table.put(_key(mark) | pack(first), _OVER, {":now": now}))
            except ConditionFailedError:
                continue
            return 1, ends_at
        raise UnavailableError("dynamodb")

    def give_back(self, mark: str, *, ends_at: int) -> None:
        """Give one try back, unless its stretch is over."""
        try:
            self._table.update(
                _key(mark), "SET tries = tries - :one", _SAME, {":ends_at": ends_at, ":one": 1, ":none": 0}
            )
        except ConditionFailedError:
            return

    def forget(self, mark: str) -> None:
        """Let the next try be the first again."""
        self._table.write(self._table.delete(_key(mark)))


def _key(mark: str) -> Item:
    return pack({"pk": f"tries#{mark}"})
