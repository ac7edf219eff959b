"""Login URIs: issued for 15 seconds, redeemed once, revocable for as long as they matter.

``issued -> redeemed (it is now the sign-in) -> ended``, or ``expired``, or
``revoked``.  The burning comes first and the judging after: redeeming is one
conditional write, and only what that write answers decides who gets in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import redirects, rules, sign_ins
from vestibule.domain.rules import Checks
from vestibule.domain.sign_ins import Credential
from vestibule.domain.standing import require_active_account, require_active_user
from vestibule.errors import NotFoundError, no_such_user
from vestibule.model import Account, Login, Status
from vestibule.store.passes import login_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.audit import AuditTrail
    from vestibule.ids import Randomness
    from vestibule.store.directory.users import UserStore
    from vestibule.store.passes import LoginStore

REDEEM_WITHIN = 15 * SECOND
"""Accepted before this age, refused from it on (vendor article)."""
DOUBLE_CLICK_WITHIN = 10 * SECOND
"""The same browser coming back this soon is impatient, not somebody else."""

_ATTEMPT_BYTES = 8


class State(StrEnum):
    """Where a login is in its life."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new login URI; ``guid`` is its secret and exists only here."""

    guid: str
    login: Login


@dataclass(frozen=True, slots=True)
class Browser:
    """Who follows a link, as far as one can see from outside."""

    address: str
    user_agent: str

    def mark(self, guid: str) -> str:
        """Return a mark of this browser that the table's reader cannot undo."""
        return ids.keyed_mark(guid, self.address, self.user_agent)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The login is this browser's sign-in.

    Attributes
    ----------
    credential
        What its cookie carries from now on.
    is_new
        False when the browser held this very sign-in already.
    took_over
        True when another person was signed in here until now.
    """

    login: Login
    credential: Credential
    is_new: bool = True
    took_over: bool = False


def held_already(login: Login, held: Credential, now: int) -> Arrived | None:
    """Return the sign-in that a browser has proven to hold, as long as it still counts."""
    return Arrived(login, held, is_new=False) if sign_ins.is_live(login, now) else None


class LoginUris:
    """Issues, redeems, revokes and describes login URIs.

    Parameters
    ----------
    logins
        The logins.
    users
        Who they are for.
    audit
        Where the attempt to use one twice is recorded.
    """

    def __init__(
        self,
        logins: LoginStore,
        users: UserStore,
        audit: AuditTrail,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._logins = logins
        self._users = users
        self._audit = audit
        self._clock = clock
        self._random = random

    def issue(
        self,
        account: Account,
        *,
        user_id: str | None = None,
        external_id: str | None = None,
        redirect_to_uri_on_expiry: str | None = None,
        next_path: str | None = None,
    ) -> Issued:
        """Hand out a login URI for one user: one read and one write.

        Parameters
        ----------
        user_id, external_id
            One of the two.
        redirect_to_uri_on_expiry
            Where the browser goes once the sign-in is over.
        next_path
            Hub path to land on instead of the dashboard.

        Raises
        ------
        InvalidError
            An address is not one that a browser may be sent to.
        NotFoundError
            The account has no such user.
        ForbiddenError
            The user or the account is disabled.
        UnavailableError
            DynamoDB failed; nothing was issued.
        """
        _check_targets(account, redirect_to_uri_on_expiry, next_path)
        require_active_account(account.status)
        user = self._active_user(account, user_id, external_id)
        guid = ids.new_login_guid(self._random)
        now = self._clock()
        login = Login(
            key=ids.digest(guid),
            account_id=account.account_id,
            user_id=user,
            slug=account.slug,
            created_at=now,
            redeem_before=now + REDEEM_WITHIN,
            idle_timeout=account.idle_timeout_minutes * MINUTE,
            lifetime=account.sign_in_lifetime_minutes * MINUTE,
            end_on_reuse=account.revoke_on_reuse,
            redirect_to_uri_on_expiry=redirect_to_uri_on_expiry,
            next=next_path,
        )
        self._logins.create(login)
        return Issued(guid, login)

    def find(self, account_id: str, guid: str) -> Login:
        """Return an account's login.

        Raises
        ------
        NotFoundError
            The account has issued no such GUID, or so long ago that it is forgotten.
        """
        login = self._logins.get(ids.digest(guid)) if ids.is_login_guid(guid) else None
        if login is None or login.account_id != account_id:
            raise _unknown()
        return login

    def state_of(self, login: Login) -> State:
        """Return where a login is now."""
        if login.revoked_at is not None:
            return State.REVOKED
        now = self._clock()
        if login.redeemed_at is not None:
            return State.REDEEMED if sign_ins.is_live(login, now) else State.ENDED
        return State.EXPIRED if now >= login.redeem_before else State.ISSUED

    def revoke(self, account: Account, guid: str) -> None:
        """Withdraw a login URI; a sign-in that it became ends, if the account says so.

        Revoking again changes nothing.

        Raises
        ------
        NotFoundError
            The account has issued no such GUID.
        """
        if not ids.is_login_guid(guid):
            raise _unknown()
        try:
            self._logins.revoke(
                ids.digest(guid),
                account_id=account.account_id,
                now=self._clock(),
                only_unused=not account.revoke_ends_sign_in,
            )
        except ConditionFailedError as refused:
            found = login_of(refused.found) if refused.found else None
            if found is None or found.account_id != account.account_id:
                raise _unknown() from refused
            # What is left: redeemed already, and the account spares sign-ins.

    def redeem(self, guid: str, *, slug: str, browser: Browser, held: Credential | None) -> Arrived | None:
        """Let the first browser in: one write, nothing else.

        Parameters
        ----------
        slug
            The hub host that the browser came to.
        held
            The sign-in cookie that the browser brought along.  When it arrives
            anew, that older sign-in is ended.

        Returns
        -------
        Arrived or None
            None for unknown, expired, used, revoked and another account's alike.

        Raises
        ------
        UnavailableError
            DynamoDB failed; the link may still be good.
        """
        if not ids.is_login_guid(guid):
            return None
        key, secret = ids.digest(guid), ids.new_secret(self._random)
        attempt, mark = self._random.token_hex(_ATTEMPT_BYTES), browser.mark(guid)
        try:
            login = self._logins.redeem(
                key,
                slug=slug,
                now=self._clock(),
                attempt=attempt,
                secret_digest=ids.digest(secret),
                browser_mark=mark,
            )
        except ConditionFailedError as refused:
            found = login_of(refused.found) if refused.found else None
            if found is None or found.slug != slug or found.redeemed_at is None:
                return None
            if found.attempt != attempt:
                return self._follow_again(found, held, mark, browser)
            if found.revoked_at is not None:
                return None
            login = found
        credential = Credential(key, login.account_id, login.user_id, secret)
        return Arrived(login, credential, took_over=sign_ins.end_replaced(self._logins, held, login, self._clock()))

    def _active_user(self, account: Account, user_id: str | None, external_id: str | None) -> str:
        """Return the id of the user, read once; a miss is repeated strongly consistently.

        Raises
        ------
        NotFoundError
            There is no such user.
        ForbiddenError
            The user is disabled.
        """
        standing: tuple[str, Status] | None = None
        portals_id = rules.sought(rules.external_id, external_id or "")
        for consistent in (False, True):
            if user_id is not None:
                user = self._users.get(account.account_id, user_id, consistent=consistent)
                standing = (user.user_id, user.status) if user else None
            elif portals_id is not None:
                standing = self._users.standing(account.account_id, portals_id, consistent=consistent)
            if standing is not None and standing[1] is Status.ACTIVE:
                break
        if standing is None:
            raise no_such_user()
        found_id, status = standing
        require_active_user(status)
        return found_id

    def _follow_again(self, found: Login, held: Credential | None, mark: str, browser: Browser) -> Arrived | None:
        """Judge who follows a link that was used: its own browser, or somebody else."""
        now = self._clock()
        if held and held.proves(found):
            return held_already(found, held, now)
        is_double_click = mark == found.browser_mark and now - (found.redeemed_at or 0) < DOUBLE_CLICK_WITHIN
        if not is_double_click:
            self._report_reuse(found, browser)
        return None

    def _report_reuse(self, found: Login, browser: Browser) -> None:
        """End the sign-in if the account asks for that, and record what was tried.

        A failure of either is raised: better "try again" than a theft unrecorded.
        """
        if found.end_on_reuse and found.secret_digest is not None:
            self._logins.end(found.key, secret_digest=found.secret_digest, now=self._clock())
        self._audit.record(
            found.account_id,
            f"login#{found.key}",
            "login_uri.reused",
            user_id=found.user_id,
            address=browser.address,
        )


def _check_targets(account: Account, on_expiry: str | None, next_path: str | None) -> None:
    checks = Checks()
    if on_expiry is not None:
        checks.apply(
            "redirect_to_uri_on_expiry",
            lambda target: redirects.allowed_target(target, account.redirect_uris),
            on_expiry,
        )
    if next_path is not None:
        checks.apply("next", redirects.hub_path, next_path)
    checks.finish()


def _unknown() -> NotFoundError:
    return NotFoundError("login_uri_not_found", "The account has no such login URI.")
