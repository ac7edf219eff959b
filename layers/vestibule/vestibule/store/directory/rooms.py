"""Rooms, the pointers that make their names unique, and who is assigned to them.

A room's item holds its users' ids.  Beside each user lies an item for every room
of theirs, so that both ways are one strongly consistent read; the two are only
ever written together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Room
from vestibule.store.directory import keys, lists
from vestibule.store.items import pack, record_of, unpack, values_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vestibule.store.directory.lists import Position
    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

USERS_AT_MOST = 90
"""Users of one room; deleting it removes them, its names and itself in one transaction of 100."""

_FREE_OR_OURS = "attribute_not_exists(pk) OR room_id = :room"
"""True when the name is free, or already leads to this very room."""
_KNOWN = "attribute_exists(pk)"
"""True when there is such an object (an update would otherwise create one)."""
_HAS_PLACE = "(attribute_not_exists(user_ids) OR size(user_ids) < :most)"
"""True while the room has fewer users than it may have."""
_NOT_ASSIGNED = "NOT contains(user_ids, :user_id)"
"""True when the user is not among the room's."""
_ASSIGNED = "contains(user_ids, :user_id)"
"""True when the user is among the room's."""


class RoomStore:
    """Rooms in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, room_id: str, *, consistent: bool = False) -> Room | None:
        """Read a room."""
        values = self._table.get(keys.room(account_id, room_id), consistent=consistent)
        return room_of(values) if values else None

    def id_of_code(self, account_id: str, code: str) -> str | None:
        """Return the room that a code leads to."""
        values = self._table.get(keys.room_code(account_id, code), consistent=True)
        return values["room_id"] if values else None

    def id_of_slug(self, account_id: str, domain: str, slug: str) -> str | None:
        """Return the room that a slug leads to in a domain."""
        values = self._table.get(keys.room_slug(account_id, domain, slug), consistent=True)
        return values["room_id"] if values else None

    def create(self, room: Room) -> None:
        """Write a new room with its pointers.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: the id is taken; 1: the code is; 2: the slug is, in its domain.
        """
        own = self._table.put(_item(room), IS_NEW)
        self._table.write(own, *(self._pointer_put(key, room) for key in _pointers(room)))

    def replace(self, room: Room, *, before: Room) -> None:
        """Write a changed room and move its pointers.

        Parameters
        ----------
        before
            The room as it was read.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: somebody else changed it since; 1: the code is taken;
            2: the slug is, in its domain.
        """
        kept, left = _pointers(room), _pointers(before)
        own = self._table.put(_item(room), UNCHANGED, {":seen": before.version})
        if kept == left:
            self._table.write(own)
            return
        self._table.write(
            own,
            *(self._pointer_put(key, room) for key in kept),
            *(self._table.delete(key) for key in left if key not in kept),
        )

    def delete(self, room: Room) -> None:
        """Remove a room, its pointers and its assignments.

        Raises
        ------
        ConditionFailedError
            Somebody changed or deleted the room, or its users, since it was read.
        """
        key = keys.room(room.account_id, room.room_id)
        self._table.write(
            self._table.delete(key, UNCHANGED, {":seen": room.version}),
            *(self._table.delete(pointer) for pointer in _pointers(room)),
            *(
                self._table.delete(keys.assignment(room.account_id, user_id, room.room_id))
                for user_id in sorted(room.user_ids)
            ),
        )

    def assign(self, account_id: str, room_id: str, user_id: str, *, now: int) -> None:
        """Add a user to a room.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: there is no such room (nothing ``found``), the user is
            assigned already, or it has as many as it may have; 2: there is no
            such user.
        """
        assignment = keys.assignment(account_id, user_id, room_id)
        self._table.write(
            self._table.change(
                keys.room(account_id, room_id),
                "SET updated_at = :now, version = version + :one ADD user_ids :user",
                f"{_KNOWN} AND {_NOT_ASSIGNED} AND {_HAS_PLACE}",
                {":now": now, ":one": 1, ":user": {user_id}, ":user_id": user_id, ":most": USERS_AT_MOST},
            ),
            self._table.put(assignment | pack({"room_id": room_id})),
            self._table.check(keys.user(account_id, user_id), _KNOWN),
        )

    def unassign(self, account_id: str, room_id: str, user_id: str, *, now: int) -> None:
        """Take a user off a room.

        Raises
        ------
        ConditionFailedError
            There is no such room (nothing ``found``), or the user is not assigned.
        """
        self._table.write(
            self._table.change(
                keys.room(account_id, room_id),
                "SET updated_at = :now, version = version + :one DELETE user_ids :user",
                f"{_KNOWN} AND {_ASSIGNED}",
                {":now": now, ":one": 1, ":user": {user_id}, ":user_id": user_id},
            ),
            self._table.delete(keys.assignment(account_id, user_id, room_id)),
        )

    def page(self, account_id: str, *, after: Position | None, limit: int) -> tuple[list[Room], Position | None]:
        """Return one page of an account's rooms, see `lists.page`."""
        found, end = lists.page(self._table, lambda shard: keys.rooms_list(account_id, shard), after=after, limit=limit)
        return [room_of(values) for values in found], end

    def ids_of_user(
        self, account_id: str, user_id: str, *, after: str | None = None, limit: int | None = None
    ) -> list[str]:
        """Return the ids of a user's rooms in their order, strongly consistently.

        Parameters
        ----------
        after
            Id to go on after, None to begin.
        limit
            Ids at most, all of them unless given.
        """
        found = self._table.query(
            "pk = :user AND sk > :after",
            {
                ":user": unpack(keys.user(account_id, user_id))["pk"],
                ":after": f"{keys.ASSIGNMENT_PREFIX}{after or ''}",
            },
            limit=limit,
        )
        # What stands behind a user's rooms is the user.
        return [entry["room_id"] for entry in found if entry["sk"].startswith(keys.ASSIGNMENT_PREFIX)]

    def read_all(self, account_id: str, room_ids: list[str]) -> Iterator[Room]:
        """Read up to 100 rooms in one call, strongly consistently, without those that are gone."""
        wanted = [(self._table, keys.room(account_id, room_id), True) for room_id in room_ids]
        found = {values["room_id"]: values for values in self._table.read_together(wanted)}
        return (room_of(found[room_id]) for room_id in room_ids if room_id in found)

    def _pointer_put(self, key: Item, room: Room) -> Action:
        pointer = key | pack({"room_id": room.room_id})
        return self._table.put(pointer, _FREE_OR_OURS, {":room": room.room_id})


def room_of(values: Mapping[str, Any]) -> Room:
    """Return the room that an unpacked item holds."""
    return record_of(Room, {**values, "user_ids": frozenset(values.get("user_ids", ()))})


def _pointers(room: Room) -> list[Item]:
    return [
        keys.room_code(room.account_id, room.code),
        keys.room_slug(room.account_id, room.domain, room.slug),
    ]


def _item(room: Room) -> Item:
    index = lists.entry(keys.rooms_list(room.account_id, keys.shard_of(room.room_id)), room.created_at, room.room_id)
    # DynamoDB knows no empty set: a room without users has no such attribute.
    values = values_of(room) | {"user_ids": room.user_ids or None}
    return keys.room(room.account_id, room.room_id) | pack(values | index)
