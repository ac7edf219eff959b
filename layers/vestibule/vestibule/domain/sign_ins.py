"""A browser's sign-in: what the cookie proves, and when it is over.

The cookie names a login and its user and carries the sign-in's secret.  Every
hub request checks all of it against the tables, strongly consistently, so that a
revocation, a logout or a disabled user counts from the next request on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.errors import UnavailableError
from vestibule.model import Login
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.model import Account, User
    from vestibule.store.passes import LoginStore, SignInStore

EXTEND_EVERY = MINUTE
"""The idle deadline moves at most this often, so that a busy page costs few writes."""

_ATTEMPT_BYTES = 8
_COOKIE_PARTS = 4
_KEY_LENGTH = 64
_LONGEST_COOKIE = 256


@dataclass(frozen=True, slots=True)
class Credential:
    """What the sign-in cookie carries.

    Attributes
    ----------
    key
        Key of the login.
    secret
        The sign-in's secret; stored nowhere else.
    """

    key: str
    account_id: str
    user_id: str
    secret: str

    @classmethod
    def parse(cls, cookie: str | None) -> Self | None:
        """Read a cookie's value; None for anything that we did not write."""
        if not cookie or len(cookie) > _LONGEST_COOKIE:
            return None
        parts = cookie.split(".")
        if len(parts) != _COOKIE_PARTS or len(parts[0]) != _KEY_LENGTH or not all(parts):
            return None
        return cls(*parts)

    def __str__(self) -> str:
        """Return the cookie's value."""
        return f"{self.key}.{self.account_id}.{self.user_id}.{self.secret}"

    def proves(self, login: Login) -> bool:
        """Tell whether this is the login's own credential, live or not."""
        return self.key == login.key and ids.matches(self.secret, login.secret_digest)

    @property
    def digest(self) -> str:
        """Digest of the secret, as the table holds it."""
        return ids.digest(self.secret)

    @property
    def form_token(self) -> str:
        """Token that every form of this sign-in's pages carries (OWASP ASVS 5.0, 3.5)."""
        return ids.keyed_mark(self.secret, "form")


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody is signed in here."""

    login: Login
    user: User
    credential: Credential


@dataclass(frozen=True, slots=True)
class Over:
    """The browser was signed in, and that is over."""

    login: Login


class SignIns:
    """Checks and ends sign-ins.

    Parameters
    ----------
    store
        Reads a sign-in together with its user.
    logins
        Writes it.
    """

    def __init__(self, store: SignInStore, logins: LoginStore, clock: Clock) -> None:
        self._store = store
        self._logins = logins
        self._clock = clock

    def check(self, credential: Credential | None, *, slug: str, is_activity: bool = True) -> Present | Over | None:
        """Say who is signed in.

        Parameters
        ----------
        slug
            The hub host that was asked; a sign-in of another host is none here.
        is_activity
            Whether this request keeps the sign-in alive; polling does not.

        Returns
        -------
        Present, Over or None
            None when the cookie proves nothing.
        """
        if credential is None:
            return None
        login, user = self._store.read(credential.key, account_id=credential.account_id, user_id=credential.user_id)
        if login is None or not _is_here(credential, login, slug):
            return None
        now = self._clock()
        if user is None or not is_live(login, now) or not user.honours(login.redeemed_at or 0):
            return Over(login)
        if is_activity and not self._extend(credential, login, now):
            return Over(login)
        return Present(login, user, credential)

    def end(self, credential: Credential | None, *, slug: str) -> Login | None:
        """Sign a browser out.

        Returns
        -------
        Login or None
            The sign-in, live or long over; None when the cookie proves nothing.
        """
        if credential is None:
            return None
        try:
            login = self._logins.end(credential.key, secret_digest=credential.digest, now=self._clock())
        except ConditionFailedError:
            return None
        return login if login.slug == slug else None

    def _extend(self, credential: Credential, login: Login, now: int) -> bool:
        """Move the idle deadline when it is time; False when the sign-in just ended."""
        idle_until = now + login.idle_timeout
        if idle_until - (login.idle_until or 0) < EXTEND_EVERY:
            return True
        try:
            self._logins.extend(credential.key, secret_digest=credential.digest, now=now, idle_until=idle_until)
        except ConditionFailedError:
            return False
        except UnavailableError:
            # The sign-in is live by what was just read; the next page extends it.
            return True
        return True


def is_live(login: Login, now: int) -> bool:
    """Tell whether a redeemed login is a sign-in that still counts."""
    return (
        login.redeemed_at is not None
        and login.revoked_at is None
        and login.ended_at is None
        and now < (login.idle_until or 0)
        and now < (login.live_until or 0)
    )


def begun(
    account: Account, user_id: str, *, now: int, random: Randomness, sso_token: str | None = None
) -> tuple[Login, Credential]:
    """Return a login that is a sign-in from its first moment, and what its cookie carries; not stored yet.

    Parameters
    ----------
    now
        Milliseconds since the epoch.
    sso_token
        Key of the SSO token that it comes from.
    """
    secret = ids.new_secret(random)
    idle_timeout = account.idle_timeout_minutes * MINUTE
    lifetime = account.sign_in_lifetime_minutes * MINUTE
    login = Login(
        # Digest of a GUID that nobody is ever told: no link leads here.
        key=ids.digest(ids.new_login_guid(random)),
        account_id=account.account_id,
        user_id=user_id,
        slug=account.slug,
        created_at=now,
        redeem_before=now,
        idle_timeout=idle_timeout,
        lifetime=lifetime,
        redeemed_at=now,
        attempt=random.token_hex(_ATTEMPT_BYTES),
        secret_digest=ids.digest(secret),
        idle_until=now + idle_timeout,
        live_until=now + lifetime,
        sso_token=sso_token,
    )
    return login, Credential(login.key, login.account_id, login.user_id, secret)


def end_replaced(logins: LoginStore, held: Credential | None, login: Login, now: int) -> bool:
    """End the sign-in that a new one replaces in its browser; True when it was another person's.

    The new cookie replaces the old one in any case, so a failure here leaves
    a sign-in that nobody holds any more and that runs out by itself.
    """
    if held is None or held.key == login.key:
        return False
    try:
        ended = logins.end(held.key, secret_digest=held.digest, now=now)
    except (ConditionFailedError, UnavailableError):
        return False
    return ended.slug == login.slug and ended.user_id != login.user_id


def _is_here(credential: Credential, login: Login, slug: str) -> bool:
    """Tell whether the cookie is the one that this login's redemption set, on this host."""
    return (
        credential.proves(login)
        and login.account_id == credential.account_id
        and login.user_id == credential.user_id
        and login.slug == slug
    )
