"""Counters of guesses in the passes table: exact however many guess at once, and short-lived.

An item counts for an hour from its first guess.  Once it is full it stands for an
hour from its last one, and that is the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import HOUR, to_epoch_seconds
from vestibule.errors import UnavailableError
from vestibule.store.items import pack
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.store.items import Item
    from vestibule.store.table import Table

COUNTED_FOR = HOUR
"""How long after the first guess further ones are added to it."""
BLOCKED_FOR = HOUR
"""How long after the guess that filled the counter it stays full."""

_ROOM = "counted_until > :now AND guesses < :most"
"""True when the counter still counts and is not full."""
_SPENT = "counted_until <= :now AND (guesses < :most OR last_at <= :block_began)"
"""True when the counter's hour is over, and its block as well if it was full."""
_NEW_OR_SPENT = f"attribute_not_exists(pk) OR ({_SPENT})"
"""True when counting begins anew."""
_SOME = "guesses > :none"
"""True when there is a guess that can be given back."""

_FORGOTTEN_AFTER = COUNTED_FOR + BLOCKED_FOR + HOUR
"""Beyond the longest block: it may begin at the end of the counting hour."""
_ATTEMPTS = 4


class GuessStore:
    """Counters of guesses in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count(self, mark: str, *, most: int, now: int, attempt: str) -> bool:
        """Count one guess before it is judged; False when there is no room for it.

        A lost answer's retry counts twice, which errs on the safe side.

        Parameters
        ----------
        attempt
            Drawn anew for each guess: two that begin a counter in the same millisecond must
            not write the same item, or one would take the other's for its own.

        Raises
        ------
        UnavailableError
            DynamoDB failed, or others kept beginning anew at the same moment.
        """
        for _ in range(_ATTEMPTS):
            values = {":now": now, ":most": most, ":one": 1}
            try:
                self._table.update(_key(mark), "SET last_at = :now ADD guesses :one", _ROOM, values)
            except ConditionFailedError as refused:
                found = refused.found
            else:
                return True
            if found is not None and found["guesses"] >= most and found["last_at"] > now - BLOCKED_FOR:
                return False
            try:
                self._begin(mark, most=most, now=now, attempt=attempt)
            except ConditionFailedError:
                continue  # somebody else has just begun: add to theirs
            return True
        raise UnavailableError("dynamodb")

    def give_back(self, mark: str) -> None:
        """Take one guess back that was right."""
        try:
            self._table.update(_key(mark), "ADD guesses :minus", _SOME, {":minus": -1, ":none": 0})
        except ConditionFailedError:
            return  # lifted in the meantime

    def clear(self, mark: str) -> bool:
        """Forget a counter; False when there was none."""
        known = self._table.get(_key(mark), consistent=True) is not None
        if known:
            self._table.write(self._table.delete(_key(mark)))
        return known

    def _begin(self, mark: str, *, most: int, now: int, attempt: str) -> None:
        item = _key(mark) | pack(
            {
                "guesses": 1,
                "last_at": now,
                "begun_by": attempt,
                "counted_until": now + COUNTED_FOR,
                "ttl": to_epoch_seconds(now + _FORGOTTEN_AFTER),
            }
        )
        values = {":now": now, ":most": most, ":block_began": now - BLOCKED_FOR}
        self._table.write(self._table.put(item, _NEW_OR_SPENT, values))


def _key(mark: str) -> Item:
    return pack({"pk": f"guesses#{mark}"})
