"""Users, the pointers that make their names unique, and the pages of their list.

The pointer of an external_id carries what issuing a login URI needs (whose it
is and whether it may be used), so that issuing costs one read by either name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Role, Status, User
from vestibule.store.directory import keys, lists
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vestibule.store.directory.lists import Position
    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_FREE_OR_OURS = "attribute_not_exists(pk) OR user_id = :user"
"""True when the name is free, or already leads to this very user."""

_HASH_AS_READ = "password_hash = :seen"
"""True when the password is still the one whose hash was read."""


class UserStore:
    """Users in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, user_id: str, *, consistent: bool = False) -> User | None:
        """Read a user."""
        values = self._table.get(keys.user(account_id, user_id), consistent=consistent)
        return user_of(values) if values else None

    def standing(self, account_id: str, external_id: str, *, consistent: bool = False) -> tuple[str, Status] | None:
        """Return the id and status of the user that an external_id leads to."""
        key = keys.external_id(account_id, external_id)
        values = self._table.get(key, consistent=consistent)
        return (values["user_id"], Status(values["status"])) if values else None

    def id_of_username(self, account_id: str, name: str) -> str | None:
        """Return the user that a user name, in any case, leads to."""
        values = self._table.get(keys.username(account_id, name), consistent=True)
        return values["user_id"] if values else None

    def create(self, user: User) -> None:
        """Write a new user with its pointers.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: the id is taken; beyond, one for each of `unique_names`:
            that name is.
        """
        own = self._table.put(_item(user), IS_NEW)
        self._table.write(own, *(self._pointer_put(key, user) for key in _pointers(user)))

    def replace(self, user: User, *, before: User) -> None:
        """Write a changed user and move its pointers.

        Parameters
        ----------
        before
            The user as it was read.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: somebody else changed it since; beyond, one for each of
            `unique_names`: that name is taken.
        """
        kept, left = _pointers(user), _pointers(before)
        own = self._table.put(_item(user), UNCHANGED, {":seen": before.version})
        if kept == left and user.status is before.status:
            self._table.write(own)
            return
        self._table.write(
            own,
            *(self._pointer_put(key, user) for key in kept),
            *(self._table.delete(key) for key in left if key not in kept),
        )

    def rehash(self, user: User, password_hash: str) -> None:
        """Store the same password's newer hash.

        Raises
        ------
        ConditionFailedError
            The user's password was changed since it was read, or the user is gone.
        """
        key = keys.user(user.account_id, user.user_id)
        values = {":new": password_hash, ":seen": user.password_hash}
        self._table.update(key, "SET password_hash = :new", _HASH_AS_READ, values)

    def delete(self, user: User) -> None:
        """Remove a user and its pointers.

        Raises
        ------
        ConditionFailedError
            Somebody changed or deleted the user since it was read.
        """
        key = keys.user(user.account_id, user.user_id)
        self._table.write(
            self._table.delete(key, UNCHANGED, {":seen": user.version}),
            *(self._table.delete(pointer) for pointer in _pointers(user)),
        )

    def with_email(self, account_id: str, email: str, *, limit: int) -> list[User]:
        """Return users with an e-mail address, at most ``limit`` (1 to 100)."""
        values = {":key": keys.users_with_email(account_id, email)}
        entries = self._table.query("find_key = :key", values, index=keys.FOUND, limit=limit)
        return [user_of(values) for values in lists.behind(self._table, entries)]

    def several(self, account_id: str, user_ids: Iterable[str]) -> list[User]:
        """Read up to 100 users in one call, strongly consistently, without those that are gone."""
        wanted = [(self._table, keys.user(account_id, user_id), True) for user_id in user_ids]
        return [user_of(values) for values in self._table.read_together(wanted)]

    def page(self, account_id: str, *, after: Position | None, limit: int) -> tuple[list[User], Position | None]:
        """Return one page of an account's users, see `lists.page`."""
        found, end = lists.page(self._table, lambda shard: keys.users_list(account_id, shard), after=after, limit=limit)
        return [user_of(values) for values in found], end

    def _pointer_put(self, key: Item, user: User) -> Action:
        pointer = key | pack({"user_id": user.user_id, "status": user.status})
        return self._table.put(pointer, _FREE_OR_OURS, {":user": user.user_id})


def user_of(values: Mapping[str, Any]) -> User:
    """Return the user that an unpacked item holds."""
    return record_of(User, {**values, "status": Status(values["status"]), "role": Role(values["role"])})


def unique_names(user: User) -> list[str]:
    """Return which of a user's fields are unique names and set, in writing order."""
    return [name for name in ("external_id", "username") if getattr(user, name) is not None]


def _pointers(user: User) -> list[Item]:
    key_of = {"external_id": keys.external_id, "username": keys.username}
    return [key_of[name](user.account_id, getattr(user, name)) for name in unique_names(user)]


def _item(user: User) -> Item:
    index = lists.entry(keys.users_list(user.account_id, keys.shard_of(user.user_id)), user.created_at, user.user_id)
    if user.email is not None:
        index["find_key"] = keys.users_with_email(user.account_id, user.email)
        index["find_sort"] = user.user_id
    return keys.user(user.account_id, user.user_id) | pack(values_of(user) | index)
