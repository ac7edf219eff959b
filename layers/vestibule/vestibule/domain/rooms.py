"""Rooms: where people wait for the users who are assigned to them.

Code, and slug within its domain, are unique in the account by a conditional
write.  Room and user know each other from both sides; neither side is written
without the other.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.domain import rules
from vestibule.domain.idempotency import IdTakenError
from vestibule.domain.rules import Checks, RuleError
from vestibule.errors import ConflictError, no_such_room, no_such_user
from vestibule.model import Room
from vestibule.store.directory.rooms import USERS_AT_MOST
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.directory.lists import Position
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.users import UserStore

CODE_LENGTH = 5
"""Characters of a code that nobody chose (vendor documentation)."""
LABEL_LENGTH = 64
"""Characters of a chosen code or slug, at most."""

_ATTEMPTS = 3
_ONLY_SHARD = 0
"""A user's rooms are few enough to lie together."""
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_LONGEST_HOST = 253


class Rooms:
    """The rooms of all accounts."""

    def __init__(self, store: RoomStore, users: UserStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._users = users
        self._clock = clock
        self._random = random

    def create(self, account_id: str, fields: Mapping[str, Any], room_id: str | None = None) -> Room:
        """Create a room.

        Parameters
        ----------
        fields
            Fields of `Room` by name.  A code that is left out is drawn, and a slug
            that is left out is the code.
        room_id
            The new room's id, drawn when left out.

        Raises
        ------
        InvalidError
            A field breaks its rule.
        ConflictError
            The code, or the slug in its domain, is taken.
        IdTakenError
            The given id is in use.
        """
        clean = _clean(fields)
        while True:
            now = self._clock()
            code = clean.get("code") or ids.new_label(self._random, CODE_LENGTH)
            names: dict[str, Any] = {"code": code, "slug": code} | clean
            room = Room(
                room_id=room_id or ids.new_object_id(self._random),
                account_id=account_id,
                created_at=now,
                updated_at=now,
                **names,
            )
            try:
                self._store.create(room)
            except ConditionFailedError as refused:
                if refused.index == 0 and room_id is not None:
                    raise IdTakenError from refused
                if refused.index == 0 or ("code" not in clean and getattr(room, _NAMES[refused.index - 1]) == code):
                    continue
                raise _name_taken(refused) from refused
            return room

    def get(self, account_id: str, room_id: str) -> Room:
        """Return a room; one just created is found too.

        Raises
        ------
        NotFoundError
            The account has no such room.
        """
        room = self._store.get(account_id, room_id, consistent=True) if ids.is_object_id(room_id) else None
        if room is None:
            raise no_such_room()
        return room

    def with_code(self, account_id: str, code: str) -> Room | None:
        """Return the room of a code, whatever the code's case."""
        room_id = self._store.id_of_code(account_id, code) if _LABEL.fullmatch(code) else None
        return self._store.get(account_id, room_id, consistent=True) if room_id else None

    def page(self, account_id: str, *, after: Position | None, limit: int) -> tuple[list[Room], Position | None]:
        """Return one page of an account's rooms; see the store."""
        return self._store.page(account_id, after=after, limit=limit)

    def change(self, account_id: str, room_id: str, fields: Mapping[str, Any]) -> Room:
        """Change some fields of a room.

        Raises
        ------
        InvalidError
            A field breaks its rule; nothing is changed.
        NotFoundError
            The account has no such room.
        ConflictError
            The code, or the slug in its domain, is taken, or others keep changing
            the room.
        """
        clean = _clean(fields)
        for _ in range(_ATTEMPTS):
            before = self.get(account_id, room_id)
            room = replace(before, **clean, updated_at=self._clock(), version=before.version + 1)
            try:
                self._store.replace(room, before=before)
            except ConditionFailedError as refused:
                if refused.index > 0:
                    raise _name_taken(refused) from refused
                continue
            return room
        raise _changed_meanwhile()

    def delete(self, account_id: str, room_id: str) -> None:
        """Remove a room; its users are assigned to it no longer.

        Raises
        ------
        NotFoundError
            The account has no such room.
        ConflictError
            Others keep changing the room.
        """
        for _ in range(_ATTEMPTS):
            room = self.get(account_id, room_id)
            try:
                self._store.delete(room)
            except ConditionFailedError:
                continue
            return
        raise _changed_meanwhile()

    def assign(self, account_id: str, room_id: str, user_id: str) -> None:
        """Assign a user to a room; doing so again changes nothing.

        Raises
        ------
        NotFoundError
            The account has no such room or no such user.
        ConflictError
            The room has as many users as it may have.
        """
        _check_ids(room_id, user_id)
        try:
            self._store.assign(account_id, room_id, user_id, now=self._clock())
        except ConditionFailedError as refused:
            if refused.index > 0:
                raise no_such_user() from refused
            if refused.found is None:
                raise no_such_room() from refused
            if user_id not in refused.found.get("user_ids", ()):
                raise ConflictError("too_many_room_users", f"A room has at most {USERS_AT_MOST} users.") from refused

    def unassign(self, account_id: str, room_id: str, user_id: str) -> None:
        """Take a user off a room; doing so again changes nothing.

        Raises
        ------
        NotFoundError
            The account has no such room or no such user.
        """
        _check_ids(room_id, user_id)
        try:
            self._store.unassign(account_id, room_id, user_id, now=self._clock())
        except ConditionFailedError as refused:
            if refused.found is None:
                raise no_such_room() from refused
            self._check_user(account_id, user_id)

    def of_user(
        self, account_id: str, user_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Room], Position | None]:
        """Return one page of the rooms that a user is assigned to, in the order of their ids.

        Parameters
        ----------
        after
            Position of the previous page's end, None for the first.
        limit
            Rooms at most, 1 to 100.

        Returns
        -------
        tuple
            The rooms, and this page's end, None when nothing follows.

        Raises
        ------
        NotFoundError
            The account has no such user.
        """
        self._check_user(account_id, user_id)
        found = self._store.ids_of_user(account_id, user_id, after=after[1] if after else None, limit=limit)
        rooms = list(self._store.read_all(account_id, found))
        return rooms, (_ONLY_SHARD, found[-1]) if len(found) == limit else None

    def _check_user(self, account_id: str, user_id: str) -> None:
        user = self._users.get(account_id, user_id, consistent=True) if ids.is_object_id(user_id) else None
        if user is None:
            raise no_such_user()


def _check_ids(room_id: str, user_id: str) -> None:
    """Refuse ids that cannot be anybody's, before they become part of a key.

    Raises
    ------
    NotFoundError
        One of them has not the form of an id.
    """
    if not ids.is_object_id(room_id):
        raise no_such_room()
    if not ids.is_object_id(user_id):
        raise no_such_user()


def _clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in their stored form.

    Raises
    ------
    InvalidError
        For every field that breaks its rule.
    """
    checks = Checks()
    clean = {field: checks.apply(field, _RULES[field], value) for field, value in fields.items()}
    checks.finish()
    return clean


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise RuleError(
            "invalid_label", f"must have 1 to {LABEL_LENGTH} letters, digits, and inner hyphens or underscores."
        )
    return value


def _host(value: str) -> str:
    host = value.lower()
    if len(host) > _LONGEST_HOST or not _HOST.fullmatch(host):
        raise RuleError("invalid_domain", "must be a host name, such as clinic.example.")
    return host


_RULES: dict[str, Callable[[Any], Any]] = {
    "name": rules.name,
    "code": _label,
    "slug": _label,
    "domain": _host,
}
_NAMES = ("code", "slug")
"""A room's unique names, in writing order."""


def _name_taken(refused: ConditionFailedError) -> ConflictError:
    if _NAMES[refused.index - 1] == "code":
        return ConflictError("room_code_taken", "Another room of the account has this code.")
    return ConflictError("room_slug_taken", "Another room of the account has this slug in the same domain.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("room_changed", "The room was changed at the same moment.")
