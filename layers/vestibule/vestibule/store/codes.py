"""Connect codes in the passes table: found by a keyed mark, unique among the live.

The item says whose the code is and until when nobody else may get it.  Whether it
lets somebody in is the session's business, which is read at use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.store.items import pack

if TYPE_CHECKING:
    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_FREE = "attribute_not_exists(pk) OR held_until <= :now OR participant_id = :participant"
"""True when nobody has the code, or its holder's session is long over, or the holder asks."""
_HELD = "participant_id = :participant"
"""True when the code is still this participant's."""

_FORGOTTEN_AFTER = DAY
"""How long an expired code's item may lie around."""


class CodeStore:
    """Connect codes in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def claiming(
        self, mark: str, *, account_id: str, session_id: str, participant_id: str, now: int, held_until: int
    ) -> Action:
        """Return the action that gives a code to a participant, or holds it longer for its own."""
        item = _key(mark) | pack(
            {
                "account_id": account_id,
                "session_id": session_id,
                "participant_id": participant_id,
                "held_until": held_until,
                "ttl": to_epoch_seconds(held_until + _FORGOTTEN_AFTER),
            }
        )
        return self._table.put(item, _FREE, {":now": now, ":participant": participant_id})

    def releasing(self, mark: str, *, participant_id: str) -> Action:
        """Return the action that takes a code back."""
        condition = f"attribute_not_exists(pk) OR {_HELD}"
        return self._table.delete(_key(mark), condition, {":participant": participant_id})

    def holder(self, mark: str) -> tuple[str, str, str] | None:
        """Return account, session and participant that a code was given to."""
        values = self._table.get(_key(mark), consistent=True)
        return (values["account_id"], values["session_id"], values["participant_id"]) if values else None


def _key(mark: str) -> Item:
    return pack({"pk": f"code#{mark}"})
