"""The passes table: what is born to die (login URIs and the sign-ins they become).

One item is one login's whole life, under the SHA-256 of its GUID.  Each move of
that life is one conditional update; the item's ``ttl`` only collects garbage,
every deadline is in the conditions as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import Login
from vestibule.store.directory import keys as directory_keys
from vestibule.store.directory.users import user_of
from vestibule.store.items import pack, record_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.model import User
    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

REMEMBERED_FOR = 30 * DAY
"""How long after its last deadline a login is kept, so that a late visitor is
still sent to redirect_to_uri_on_expiry."""

_PREFIX = "login#"

_KNOWN = "attribute_exists(pk)"
"""True when there is such a login (an update would otherwise create one)."""
_ON_ITS_HOST = "slug = :slug"
"""True when the browser came to the hub of the account that issued it."""
_UNUSED = "attribute_not_exists(redeemed_at)"
"""True when nobody has redeemed it."""
_NOT_REVOKED = "attribute_not_exists(revoked_at)"
"""True when the portal has not withdrawn it."""
_IN_TIME = "redeem_before > :now"
"""True before the deadline, not at it."""
_OF_ACCOUNT = "account_id = :account"
"""True when the caller's account issued it."""
_HELD = "secret_digest = :secret_digest"
"""True when the browser holds this sign-in's secret."""
_NOT_ENDED = "attribute_not_exists(ended_at)"
"""True when nobody has signed out."""
_NOT_IDLE = "idle_until > :now"
"""True while the sign-in has not run out by inactivity."""


class LoginStore:
    """Login URIs and sign-ins in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, login: Login) -> None:
        """Write a new login; its key is a digest of 128 random bits, so nothing is there."""
        self._table.write(self.creating(login))

    def creating(self, login: Login) -> Action:
        """Return `create` as an action, for a transaction with others."""
        last_deadline = login.redeem_before + login.lifetime
        garbage = {"ttl": to_epoch_seconds(last_deadline + REMEMBERED_FOR)}
        return self._table.put(_key(login.key) | pack(values_of(login) | garbage))

    def get(self, key: str) -> Login | None:
        """Read a login, strongly consistently."""
        values = self._table.get(_key(key), consistent=True)
        return login_of(values) if values else None

    def redeem(
        self,
        key: str,
        *,
        slug: str,
        now: int,
        attempt: str,
        secret_digest: str,
        browser_mark: str,
    ) -> Login:
        """Turn an issued login into a sign-in, once.

        Returns
        -------
        Login
            The sign-in.

        Raises
        ------
        ConditionFailedError
            ``found`` is the login as it stands, which may be this very attempt's
            own work when the SDK repeated the call after a lost answer.
        """
        return login_of(
            self._table.update(
                _key(key),
                "SET redeemed_at = :now, attempt = :attempt, browser_mark = :browser_mark,"
                " secret_digest = :secret_digest,"
                " idle_until = idle_timeout + :now, live_until = lifetime + :now",
                _all(_KNOWN, _ON_ITS_HOST, _UNUSED, _NOT_REVOKED, _IN_TIME),
                {
                    ":slug": slug,
                    ":now": now,
                    ":attempt": attempt,
                    ":secret_digest": secret_digest,
                    ":browser_mark": browser_mark,
                },
            )
        )

    def revoke(self, key: str, *, account_id: str, now: int, only_unused: bool) -> Login:
        """Withdraw a login, and with it the sign-in that it may have become.

        Parameters
        ----------
        only_unused
            Leave a login alone that was redeemed already.

        Raises
        ------
        ConditionFailedError
            No such login in the account, or it was redeemed and ``only_unused``.
        """
        conditions = [_KNOWN, _OF_ACCOUNT, *([_UNUSED] if only_unused else [])]
        return login_of(
            self._table.update(
                _key(key),
                "SET revoked_at = if_not_exists(revoked_at, :now)",
                _all(*conditions),
                {":account": account_id, ":now": now},
            )
        )

    def end(self, key: str, *, secret_digest: str, now: int) -> Login:
        """End a sign-in; ending it again changes nothing.

        Raises
        ------
        ConditionFailedError
            No sign-in has this key and secret.
        """
        return login_of(
            self._table.update(
                _key(key),
                "SET ended_at = if_not_exists(ended_at, :now)",
                _all(_KNOWN, _HELD),
                {":secret_digest": secret_digest, ":now": now},
            )
        )

    def extend(self, key: str, *, secret_digest: str, now: int, idle_until: int) -> None:
        """Move a live sign-in's idle deadline.

        Raises
        ------
        ConditionFailedError
            The sign-in is over, or its secret is another.
        """
        self._table.update(
            _key(key),
            "SET idle_until = :idle_until",
            _all(_KNOWN, _HELD, _NOT_ENDED, _NOT_REVOKED, _NOT_IDLE),
            {":secret_digest": secret_digest, ":now": now, ":idle_until": idle_until},
        )


class SignInStore:
    """A sign-in together with its user, read at once from both tables."""

    def __init__(self, passes: Table, directory: Table) -> None:
        self._passes = passes
        self._directory = directory

    def read(self, key: str, *, account_id: str, user_id: str) -> tuple[Login | None, User | None]:
        """Read both, strongly consistently, in one BatchGetItem."""
        login: Login | None = None
        user: User | None = None
        wanted = [
            (self._passes, _key(key), True),
            (self._directory, directory_keys.user(account_id, user_id), True),
        ]
        for values in self._passes.read_together(wanted):
            if values["pk"].startswith(_PREFIX):
                login = login_of(values)
            else:
                user = user_of(values)
        return login, user


def login_of(values: Mapping[str, Any]) -> Login:
    """Return the login that an unpacked item holds."""
    return record_of(Login, values)


def _key(key: str) -> Item:
    return pack({"pk": f"{_PREFIX}{key}"})


def _all(*conditions: str) -> str:
    return " AND ".join(conditions)
