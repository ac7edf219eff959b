"""Users: the registered persons of an account, found by our id or the portal's.

external_id and user name are unique in the account by a conditional write.  A
disabled user keeps both; a deleted one gives them back.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.domain import passwords, rules
from vestibule.domain.idempotency import IdTakenError
from vestibule.domain.rules import Checks
from vestibule.errors import ConflictError, no_such_user
from vestibule.model import Role, Status, User
from vestibule.store.directory.users import unique_names
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.directory.lists import Position
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.users import UserStore

SHARED_BY_AT_MOST = 3
"""Users of one e-mail address who can sign in by it; with more of them the address names nobody."""

_ATTEMPTS = 3


class Users:
    """The users of all accounts."""

    def __init__(self, store: UserStore, rooms: RoomStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._rooms = rooms
        self._clock = clock
        self._random = random

    def create(self, account_id: str, fields: Mapping[str, Any], user_id: str | None = None) -> User:
        """Create a user.

        Parameters
        ----------
        fields
            Fields of `User` by name, ``password`` instead of its hash.
        user_id
            The new user's id, drawn when left out.

        Raises
        ------
        InvalidError
            A field breaks its rule.
        ConflictError
            external_id or username is taken.
        IdTakenError
            The given id is in use.
        """
        clean = _clean(fields)
        while True:
            now = self._clock()
            user = User(
                user_id=user_id or ids.new_object_id(self._random),
                account_id=account_id,
                created_at=now,
                updated_at=now,
                **clean,
            )
            try:
                self._store.create(user)
            except ConditionFailedError as refused:
                if refused.index == 0 and user_id is not None:
                    raise IdTakenError from refused
                if refused.index == 0:
                    continue
                raise _name_taken(user, refused) from refused
            return user

    def get(self, account_id: str, user_id: str) -> User:
        """Return a user; one just created is found too.

        Raises
        ------
        NotFoundError
            The account has no such user.
        """
        user = self._store.get(account_id, user_id, consistent=True)
        if user is None:
            raise no_such_user()
        return user

    def several(self, account_id: str, user_ids: Iterable[str]) -> list[User]:
        """Return up to 100 users in the order of their ids, without those that are gone."""
        return sorted(self._store.several(account_id, user_ids), key=attrgetter("user_id"))

    def with_external_id(self, account_id: str, external_id: str) -> User | None:
        """Return the user of a portal's id."""
        clean = rules.sought(rules.external_id, external_id)
        if clean is None:
            return None
        standing = self._store.standing(account_id, clean, consistent=True)
        return self._store.get(account_id, standing[0], consistent=True) if standing else None

    def with_email(self, account_id: str, email: str, *, limit: int) -> list[User]:
        """Return the users with an e-mail address; it need not be unique."""
        clean = rules.sought(rules.email, email)
        return [] if clean is None else self._store.with_email(account_id, clean, limit=limit)

    def page(self, account_id: str, *, after: Position | None, limit: int) -> tuple[list[User], Position | None]:
        """Return one page of an account's users; see the store."""
        return self._store.page(account_id, after=after, limit=limit)

    def change(self, account_id: str, user_id: str, fields: Mapping[str, Any]) -> User:
        """Change some fields of a user; None clears one.

        Raises
        ------
        InvalidError
            A field breaks its rule; nothing is changed.
        NotFoundError
            The account has no such user.
        ConflictError
            external_id or username is taken, or others keep changing the user.
        """
        return self._replace(account_id, user_id, _clean(fields))

    def keep(
        self, account_id: str, external_id: str, fields: Mapping[str, Any], *, at_first: Mapping[str, Any]
    ) -> User:
        """Return the user of a portal's id as the portal describes it: created, or brought up to date.

        Parameters
        ----------
        fields
            What the portal says of the user, see `create`.
        at_first
            Further fields of a user that is created.

        Raises
        ------
        InvalidError
            A field breaks its rule.
        ConflictError
            The username is another user's, or others keep changing the user.
        """
        for _ in range(_ATTEMPTS):
            known = self.with_external_id(account_id, external_id)
            if known is not None:
                clean = _clean(fields)
                is_current = all(getattr(known, field) == value for field, value in clean.items())
                return known if is_current else self._replace(account_id, known.user_id, clean)
            try:
                return self.create(account_id, {**at_first, **fields, "external_id": external_id})
            except ConflictError as refused:
                if refused.code != "external_id_taken":
                    raise
                # Somebody else has just created the same user.
        raise _changed_meanwhile()

    def sign_out_everywhere(self, account_id: str, user_id: str) -> None:
        """End every sign-in that the user has now.

        Raises
        ------
        NotFoundError
            The account has no such user.
        """
        self._replace(account_id, user_id, {"signed_out_at": self._clock()})

    def delete(self, account_id: str, user_id: str) -> None:
        """Remove a user; sign-ins and login URIs of theirs are dead at once.

        Raises
        ------
        NotFoundError
            The account has no such user.
        """
        for _ in range(_ATTEMPTS):
            user = self.get(account_id, user_id)
            self._leave_rooms(user)
            try:
                self._store.delete(user)
            except ConditionFailedError:
                continue
            self._leave_rooms(user)  # assigned while this was going on
            return
        raise _changed_meanwhile()

    def _leave_rooms(self, user: User) -> None:
        for room_id in self._rooms.ids_of_user(user.account_id, user.user_id):
            with suppress(ConditionFailedError):  # the room is gone, or the user was just taken off it
                self._rooms.unassign(user.account_id, room_id, user.user_id, now=self._clock())

    def _replace(self, account_id: str, user_id: str, changes: Mapping[str, Any]) -> User:
        for _ in range(_ATTEMPTS):
            before = self.get(account_id, user_id)
            user = replace(before, **changes, updated_at=self._clock(), version=before.version + 1)
            try:
                self._store.replace(user, before=before)
            except ConditionFailedError as refused:
                if refused.index > 0:
                    raise _name_taken(user, refused) from refused
                continue
            return user
        raise _changed_meanwhile()


def meant_by(users: UserStore, account_id: str, name: str) -> list[User]:
    """Return whom a name may mean: the one of that user name, and those of that address.

    Parameters
    ----------
    name
        As somebody wrote it who wants to sign in.
    """
    found: dict[str, User] = {}
    username = rules.sought(rules.username, name.strip())
    user_id = users.id_of_username(account_id, username) if username else None
    named = users.get(account_id, user_id, consistent=True) if user_id else None
    if named is not None:
        found[named.user_id] = named
    email = rules.sought(rules.email, name)
    if email is not None:
        sharing = users.with_email(account_id, email, limit=SHARED_BY_AT_MOST + 1)
        if len(sharing) <= SHARED_BY_AT_MOST:
            found |= {user.user_id: user for user in sharing}
    return list(found.values())


def _clean(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in their stored form.

    Raises
    ------
    InvalidError
        For every field that breaks its rule.
    """
    checks = Checks()
    clean: dict[str, Any] = {}
    for field, value in fields.items():
        clean[field] = None if value is None and field in _MAY_BE_EMPTY else checks.apply(field, _RULES[field], value)
    checks.finish()
    if "password" in clean:
        password = clean.pop("password")
        clean["password_hash"] = None if password is None else passwords.hashed(password)
    return clean


_RULES: dict[str, Callable[[Any], Any]] = {
    "full_name": rules.name,
    "external_id": rules.external_id,
    "email": rules.email,
    "role": Role,
    "status": Status,
    "time_zone": rules.time_zone,
    "locale": rules.locale,
    "username": rules.username,
    "password": rules.password,
    "extras": rules.extras,
}
_MAY_BE_EMPTY = frozenset({"external_id", "email", "time_zone", "locale", "username", "password"})


def _name_taken(user: User, refused: ConditionFailedError) -> ConflictError:
    field = unique_names(user)[refused.index - 1]
    return ConflictError(f"{field}_taken", f"Another user of the account has this {field}.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("user_changed", "The user was changed at the same moment.")
