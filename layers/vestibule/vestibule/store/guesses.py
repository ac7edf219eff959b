"""Counters of guesses in the passes table: exact however many guess at once, and short-lived.

An item counts for a while from its first guess.  Once it is full it stands for the
same while from its last one, and that is the block.  What counts is in the
conditions; ``ttl`` only collects garbage.
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

_ROOM = "counted_until > :now AND guesses < :most"
"""True when the counter still counts and is not full."""
_SPENT = "(guesses < :most AND counted_until <= :now) OR (guesses >= :most AND full_until <= :now)"
"""True when the counter's time is over, and its block as well if it was full."""
_NEW_OR_SPENT = f"attribute_not_exists(pk) OR {_SPENT}"
"""True when counting begins anew."""
_SAME_STRETCH = "stretch = :stretch AND guesses > :none"
"""True while the counter is the one that the guess was counted by."""
_KNOWN = "attribute_exists(pk)"
"""True when there is a counter to forget."""

_ATTEMPTS = 4


class BlockedError(Exception):
    """There have been too many guesses.

    Attributes
    ----------
    until
        First moment at which there may be more, in milliseconds since the epoch.
    """

    def __init__(self, until: int) -> None:
        super().__init__("too many guesses")
        self.until = until


class GuessStore:
    """Counters of guesses in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count(self, mark: str, *, most: int, within: int, now: int, stretch: str) -> tuple[int, str]:
        """Count one guess before it is judged.

        A lost answer's retry counts twice, which errs on the safe side.

        Parameters
        ----------
        within
            How long from the first guess further ones are added to it, and from the last
            one a full counter stays full; milliseconds.
        stretch
            Names the counter if this guess begins it.  Drawn anew for each guess: two that
            begin in the same millisecond must not write the same item, or one would take
            the other's for its own.

        Returns
        -------
        tuple
            How many there are now, and the name of the counter that they are counted by.

        Raises
        ------
        BlockedError
            There is no room for it.
        UnavailableError
            DynamoDB failed, or others kept beginning anew at the same moment.
        """
        for _ in range(_ATTEMPTS):
            values = {":now": now, ":most": most, ":full_until": now + within, ":one": 1}
            try:
                counted = self._table.update(_key(mark), "SET full_until = :full_until ADD guesses :one", _ROOM, values)
            except ConditionFailedError as refused:
                found = refused.found
            else:
                return counted["guesses"], counted["stretch"]
            if found is not None and found["guesses"] >= most and found["full_until"] > now:
                raise BlockedError(found["full_until"])
            try:
                self._begin(mark, most=most, within=within, now=now, stretch=stretch)
            except ConditionFailedError:
                continue  # somebody else has just begun: add to theirs
            return 1, stretch
        raise UnavailableError("dynamodb")

    def give_back(self, mark: str, *, stretch: str) -> None:
        """Take one guess back that was right, unless its counter is gone."""
        values = {":stretch": stretch, ":minus": -1, ":none": 0}
        try:
            self._table.update(_key(mark), "ADD guesses :minus", _SAME_STRETCH, values)
        except ConditionFailedError:
            return  # forgotten in the meantime, or begun anew

    def forget(self, mark: str) -> bool:
        """Forget a counter; False when there was none."""
        try:
            self._table.write(self._table.delete(_key(mark), _KNOWN))
        except ConditionFailedError:
            return False
        return True

    def _begin(self, mark: str, *, most: int, within: int, now: int, stretch: str) -> None:
        item = _key(mark) | pack(
            {
                "guesses": 1,
                "stretch": stretch,
                "counted_until": now + within,
                "full_until": now + within,
                # Beyond the longest block: it may begin at the end of the counting time.
                "ttl": to_epoch_seconds(now + 2 * within + HOUR),
            }
        )
        self._table.write(self._table.put(item, _NEW_OR_SPENT, {":now": now, ":most": most}))


def _key(mark: str) -> Item:
    return pack({"pk": f"guesses#{mark}"})
