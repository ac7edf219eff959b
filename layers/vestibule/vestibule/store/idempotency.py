"""Idempotency keys in the passes table: one item a key, written by one attempt at a time.

The item holds ids and marks, never a body.  Every write names the revision that
it follows, so an attempt that was overtaken writes nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import Claim, ClaimState
from vestibule.store.items import pack, record_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Table

REMEMBERED_FOR = DAY
"""How long after its first use a key stands for what was created under it."""

_FREE_OR_FORGOTTEN = "attribute_not_exists(pk) OR created_at <= :forgotten"
"""True when the key was never used, or so long ago that it is a new one."""
_FOLLOWS = "revision = :seen"
"""True when nobody has written the item since revision ``:seen``."""


class ClaimStore:
    """Claims of idempotency keys in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, claim: Claim) -> None:
        """Write the first claim of a key.

        Raises
        ------
        ConditionFailedError
            ``found`` is the claim that stands there.
        """
        values = {":forgotten": claim.created_at - REMEMBERED_FOR}
        self._table.write(self._table.put(_item(claim), _FREE_OR_FORGOTTEN, values))

    def replace(self, claim: Claim, *, before: Claim) -> None:
        """Write a claim that goes on from another.

        Raises
        ------
        ConditionFailedError
            Somebody else went on from it.
        """
        self._table.write(self._table.put(_item(claim), _FOLLOWS, {":seen": before.revision}))

    def delete(self, claim: Claim) -> None:
        """Give a key back, as if it had never been used.

        Raises
        ------
        ConditionFailedError
            Somebody else went on from the claim.
        """
        self._table.write(self._table.delete(_key(claim), _FOLLOWS, {":seen": claim.revision}))


def claim_of(values: Mapping[str, Any]) -> Claim:
    """Return the claim that an unpacked item holds."""
    return record_of(Claim, {**values, "state": ClaimState(values["state"])})


def _item(claim: Claim) -> Item:
    garbage = {"ttl": to_epoch_seconds(claim.created_at + REMEMBERED_FOR)}
    return _key(claim) | pack(values_of(claim) | garbage)


def _key(claim: Claim) -> Item:
    return pack({"pk": f"idempotency#{claim.key}"})
