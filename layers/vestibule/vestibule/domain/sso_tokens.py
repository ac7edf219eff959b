"""SSO tokens: a login with its own lifetime and its own rule of reuse (VSee's way in).

Unlike a login URI a token lives for a day and lets its user in as often as it is
brought, unless the account or the link says once.  Each arrival begins a sign-in
of its own, with its own secret: signing out in one browser ends nothing in
another, and what has ended is never live again because the token came once more.
The same token proves its user to the API for as long as it lives, spent or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import DAY
from vestibule.domain import sign_ins
from vestibule.domain.login_uris import Arrived, held_already
from vestibule.domain.standing import require_active_account, require_active_user
from vestibule.errors import UnauthenticatedError
from vestibule.model import SsoToken
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.audit import AuditTrail
    from vestibule.domain.login_uris import Browser
    from vestibule.domain.sign_ins import Credential
    from vestibule.ids import Randomness
    from vestibule.model import Account, Login, User
    from vestibule.store.directory.users import UserStore
    from vestibule.store.passes import LoginStore
    from vestibule.store.sso_tokens import SsoTokenStore

LIVES_FOR = DAY
"""As in the vendor's published example: 86,400 s."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new SSO token; ``secret`` is the token itself and exists only here."""

    secret: str
    token: SsoToken


class SsoTokens:
    """Issues SSO tokens, and lets in who brings one.

    Parameters
    ----------
    tokens
        The tokens.
    logins
        The sign-ins that come of them.
    users
        Who they are for.
    audit
        Where the attempt to use a spent one is recorded.
    """

    def __init__(
        self,
        tokens: SsoTokenStore,
        logins: LoginStore,
        users: UserStore,
        audit: AuditTrail,
        *,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._tokens = tokens
        self._logins = logins
        self._users = users
        self._audit = audit
        self._clock = clock
        self._random = random

    def issue(self, account: Account, user: User, *, next_path: str | None = None) -> IssuedToken:
        """Hand out a token for one user: one write.

        Parameters
        ----------
        next_path
            Hub path to land on when the link names none.

        Raises
        ------
        ForbiddenError
            The user or the account is disabled.
        UnavailableError
            DynamoDB failed; nothing was issued.
        """
        require_active_account(account.status)
        require_active_user(user.status)
        secret, now = ids.new_login_guid(self._random), self._clock()
        token = SsoToken(
            key=ids.digest(secret),
            account_id=account.account_id,
            user_id=user.user_id,
            slug=account.slug,
            created_at=now,
            expires_at=now + LIVES_FOR,
            once=account.sso_token_once,
            next=next_path,
        )
        self._tokens.create(token)
        return IssuedToken(secret, token)

    def user_of(self, account_id: str, secret: str) -> User:
        """Return whom a token proves to the API; a browser that spent it changes nothing about that.

        Raises
        ------
        UnauthenticatedError
            The account has no such token, it has expired, or its user may not come in.
        """
        token = self._known(secret)
        user = self._user(token) if token is not None and token.account_id == account_id else None
        if user is None:
            raise UnauthenticatedError
        return user

    def redeem(
        self, account: Account, secret: str, *, spend: bool, browser: Browser, held: Credential | None
    ) -> tuple[Arrived, SsoToken] | None:
        """Let a browser in: two or three reads and one write.

        Parameters
        ----------
        account
            The account of the hub host that the browser came to.
        spend
            Whether the link says that this browser is the only one.
        held
            The sign-in cookie that the browser brought along.  When it arrives
            anew, that older sign-in is ended.

        Returns
        -------
        tuple or None
            None for unknown, expired, spent and another account's alike.

        Raises
        ------
        UnavailableError
            DynamoDB failed; the token may still be good.
        """
        token = self._known(secret)
        if token is None or token.slug != account.slug or self._user(token) is None:
            return None
        now = self._clock()
        again = self._held_by(token, held, now)
        if again is not None:
            return again, token
        login, credential = sign_ins.begun(account, token.user_id, now=now, random=self._random, sso_token=token.key)
        if not self._begin(token, login, spend=spend or token.once, now=now):
            self._report_reuse(token, browser)
            return None
        return Arrived(login, credential, took_over=sign_ins.end_replaced(self._logins, held, login, now)), token

    def _known(self, secret: str) -> SsoToken | None:
        """Return a token that has not expired."""
        token = self._tokens.get(ids.digest(secret)) if ids.is_login_guid(secret) else None
        return token if token is not None and self._clock() < token.expires_at else None

    def _user(self, token: SsoToken) -> User | None:
        """Return the token's user, unless disabled, gone, or signed out everywhere since."""
        user = self._users.get(token.account_id, token.user_id, consistent=True)
        return user if user is not None and user.honours(token.created_at) else None

    def _held_by(self, token: SsoToken, held: Credential | None, now: int) -> Arrived | None:
        """Return the live sign-in that this browser holds by this very token already."""
        login = self._logins.get(held.key) if held is not None else None
        if held is None or login is None or login.sso_token != token.key or not held.proves(login):
            return None
        return held_already(login, held, now)

    def _begin(self, token: SsoToken, login: Login, *, spend: bool, now: int) -> bool:
        """Write the sign-in; False when the token is spent."""
        if token.spent_at is not None:
            return False
        if not spend:
            self._logins.create(login)
            return True
        try:
            self._tokens.spend(token.key, now=now, also=self._logins.creating(login))
        except ConditionFailedError:
            return False
        return True

    def _report_reuse(self, token: SsoToken, browser: Browser) -> None:
        """Record that somebody brought a spent token.

        A failure is raised: better "try again" than a theft unrecorded.
        """
        self._audit.record(
            token.account_id,
            f"sso_token#{token.key}",
            "sso_token.reused",
            user_id=token.user_id,
            address=browser.address,
        )
