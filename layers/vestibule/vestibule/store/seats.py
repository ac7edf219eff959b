"""Seats in the passes table: one item a person and session, so that whoever joins meets whoever is there.

Taking a seat is one conditional update.  It tells in the same breath whose it was;
each holder has a secret of its own, so the SDK's repetition of a write after a lost
answer is known by it and kicks nobody.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import Entrance, ParticipantRole, Seat
from vestibule.store.items import pack, record_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Table

REMEMBERED_FOR = DAY
"""How long after it was last held a seat still says who came in whose place."""

_NOT_YET_OURS = "(attribute_not_exists(holder) OR holder <> :holder)"
"""True unless this very write has been done."""
_IS_FREE = "(attribute_not_exists(holder) OR held_until <= :now)"
"""True when nobody sits there, or somebody whose browser has not been heard of for long."""
_HELD = "holder = :holder"
"""True while the browser's own secret is the seat's."""
_LIVE = "held_until > :now"
"""True until the holder has not been heard of for too long."""


class SeatStore:
    """Seats in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, key: str) -> Seat | None:
        """Read a seat, strongly consistently."""
        values = self._table.get(_key(key), consistent=True)
        return seat_of(values) if values else None

    def take(self, seat: Seat, *, only_free: bool) -> Seat:
        """Seat somebody, in place of whoever sits there.

        Parameters
        ----------
        only_free
            Whether to leave a live holder alone.

        Returns
        -------
        Seat
            As it is now; ``former_visit`` is the one that this ended.

        Raises
        ------
        ConditionFailedError
            ``found`` is the seat: another's, or this very call's work after a lost answer.
        """
        values = {name: value for name, value in values_of(seat).items() if name not in _OF_THE_FORMER}
        values["ttl"] = to_epoch_seconds(seat.held_until + REMEMBERED_FOR)
        cleared = [field.name for field in fields(seat) if getattr(seat, field.name) is None]
        # Whose it was stands first: what is read on the right is the item as it was.
        change = (
            "SET former_visit = if_not_exists(visit_id, :nobody), former_joined_at = if_not_exists(joined_at, :never),"
            " former_until = if_not_exists(held_until, :never), "
        )
        change += ", ".join(f"#{name} = :{name}" for name in values)
        change += (" REMOVE " + ", ".join(f"#{name}" for name in cleared)) if cleared else ""
        given = {f":{name}": value for name, value in values.items()} | {":nobody": "", ":never": 0}
        if only_free:
            given[":now"] = seat.joined_at
        condition = f"{_NOT_YET_OURS} AND {_IS_FREE}" if only_free else _NOT_YET_OURS
        names = {f"#{name}": name for name in (*values, *cleared)}
        return seat_of(self._table.update(_key(seat.key), change, condition, given, names=names))

    def keep(self, key: str, *, holder: str, role: ParticipantRole, now: int, held_until: int) -> Seat:
        """Note that the holder is still there.

        Raises
        ------
        ConditionFailedError
            The seat is somebody else's, or was left for too long; ``found`` is it.
        """
        return seat_of(
            self._table.update(
                _key(key),
                "SET seen_at = :now, held_until = :until, #role = :role, #ttl = :ttl",
                f"{_HELD} AND {_LIVE}",
                {
                    ":holder": holder,
                    ":now": now,
                    ":until": held_until,
                    ":role": role,
                    ":ttl": to_epoch_seconds(held_until + REMEMBERED_FOR),
                },
                names={"#role": "role", "#ttl": "ttl"},
            )
        )

    def leave(self, key: str, *, holder: str, now: int) -> Seat:
        """Free a seat; leaving it again changes nothing.

        Raises
        ------
        ConditionFailedError
            The seat is somebody else's.
        """
        return seat_of(
            self._table.update(
                _key(key), "SET seen_at = :now, held_until = :now", _HELD, {":holder": holder, ":now": now}
            )
        )


_OF_THE_FORMER = frozenset({"former_visit", "former_joined_at", "former_until"})


def seat_of(values: Mapping[str, Any]) -> Seat:
    """Return the seat that an unpacked item holds."""
    invited = values.get("invited_as")
    return record_of(
        Seat,
        {
            **values,
            "entrance": Entrance(values["entrance"]),
            "role": ParticipantRole(values["role"]),
            "invited_as": ParticipantRole(invited) if invited else None,
        },
    )


def _key(key: str) -> Item:
    return pack({"pk": f"seat#{key}"})
