"""Signing in at the hub with a name and a password.

What comes of it is a login like every other, born redeemed: the same item, the
same limits, the same ways to end it.  Whoever is refused learns nothing about
whether there is such a user: one answer, after one password's worth of work.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vestibule.domain import passwords, rules
from vestibule.domain.guesses import PASSWORDS_FROM_NETWORK, PASSWORDS_OF_USER, network_of
from vestibule.domain.login_uris import Arrived
from vestibule.domain.sign_ins import begun, end_replaced
from vestibule.errors import UnavailableError
from vestibule.model import Status, User
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.clock import Clock
    from vestibule.domain.audit import AuditTrail
    from vestibule.domain.guesses import Guess, Guesses
    from vestibule.domain.login_uris import Browser
    from vestibule.domain.sign_ins import Credential
    from vestibule.ids import Randomness
    from vestibule.model import Account
    from vestibule.store.directory.users import UserStore
    from vestibule.store.passes import LoginStore

SHARED_BY_AT_MOST = 3
"""Users of one e-mail address among whom the password decides; with more of them the address names nobody."""


class PasswordSignIns:
    """Signs people in who bring a name and a password.

    Parameters
    ----------
    users
        Whose passwords they are.
    logins
        Where the sign-in is written.
    guesses
        Counts who guesses.
    audit
        Where it is recorded that somebody has used up all tries.
    """

    def __init__(
        self,
        users: UserStore,
        logins: LoginStore,
        guesses: Guesses,
        audit: AuditTrail,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._users = users
        self._logins = logins
        self._guesses = guesses
        self._audit = audit
        self._clock = clock
        self._random = random

    def sign_in(
        self, account: Account, name: str, password: str, *, browser: Browser, held: Credential | None
    ) -> Arrived | None:
        """Sign a person in.

        Parameters
        ----------
        account
            The account of the hub host; it is active and lets people in by password.
        name
            User name or e-mail address, in any case.  When several users share the
            address, the password decides; when it fits more than one, nobody is guessed at.
        held
            The sign-in cookie that the browser brought along; that sign-in is ended.

        Returns
        -------
        Arrived or None
            None for an unknown name, a wrong password, a user without one and a disabled user alike.

        Raises
        ------
        BlockedError
            Too many wrong passwords, for this name or from this network; nothing was looked at.
        UnavailableError
            DynamoDB failed; nobody is signed in.
        """
        from_network = self._guesses.count(PASSWORDS_FROM_NETWORK, network_of(browser.address))
        candidates = self._candidates(account.account_id, name)
        counted = [user.user_id for user in candidates] or [f"nobody|{name.strip().casefold()}"]
        of_users = [self._guesses.count(PASSWORDS_OF_USER, account.account_id, one) for one in counted]
        user = _rightful(candidates, password)
        if user is None:
            self._record_last(account.account_id, candidates, of_users, browser)
            return None
        self._guesses.was_right(from_network, *of_users)
        arrived = self._begin(account, user, held)
        self._renew_hash(user, password)
        return arrived

    def _candidates(self, account_id: str, name: str) -> list[User]:
        """Return whom a name may mean: the one of that user name, and those of that address."""
        found: dict[str, User] = {}
        username = rules.sought(rules.username, name.strip())
        user_id = self._users.id_of_username(account_id, username) if username else None
        named = self._users.get(account_id, user_id, consistent=True) if user_id else None
        if named is not None:
            found[named.user_id] = named
        email = rules.sought(rules.email, name)
        if email is not None:
            sharing = self._users.with_email(account_id, email, limit=SHARED_BY_AT_MOST + 1)
            if len(sharing) <= SHARED_BY_AT_MOST:
                found |= {user.user_id: user for user in sharing}
        return list(found.values())

    def _begin(self, account: Account, user: User, held: Credential | None) -> Arrived:
        """Write a login that is a sign-in from its first moment."""
        now = self._clock()
        login, credential = begun(account, user.user_id, now=now, random=self._random)
        self._logins.create(login)
        return Arrived(login, credential, took_over=end_replaced(self._logins, held, login, now))

    def _renew_hash(self, user: User, password: str) -> None:
        """Hash the password anew when today's parameters are others; whoever changed it meanwhile wins."""
        if user.password_hash is None or not passwords.is_outdated(user.password_hash):
            return
        with suppress(ConditionFailedError, UnavailableError):
            self._users.rehash(user, passwords.hashed(password))

    def _record_last(
        self, account_id: str, candidates: Sequence[User], of_users: Sequence[Guess], browser: Browser
    ) -> None:
        """Record for whom a wrong password was the last for a while.

        A failure is raised: better "try again" than an attack unrecorded.
        """
        for user, guess in zip(candidates, of_users, strict=False):
            if guess.is_last:
                self._audit.record(
                    account_id,
                    f"user#{user.user_id}",
                    "password.tries_used_up",
                    user_id=user.user_id,
                    address=browser.address,
                )


def _rightful(candidates: Sequence[User], password: str) -> User | None:
    """Return the one active user whose password it is; a check is made even if there is nobody to check."""
    hashes: list[str | None] = [user.password_hash for user in candidates if user.password_hash is not None]
    right = {stored for stored in hashes or [None] if passwords.is_right(password, stored)}
    fitting = [user for user in candidates if user.password_hash in right and user.status is Status.ACTIVE]
    return fitting[0] if len(fitting) == 1 else None
