"""Links by mail that sign a person in or let them set a password: asked for here, and used here, once.

Whether a name means anybody is not looked at where it is asked: the request is
sealed and written down, the same one write for every name, and the worker behind
the outbox finds out (`vestibule.domain.link_letters`).  So neither the answer nor
the time that it takes can tell.

Looking at a link changes nothing, so that what fetches links before people do uses
none up.  Using it is one transaction: the link is burnt, the sign-in is born, and
with a password the user changes, together or not at all.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.domain import passwords, rules, sign_ins
from vestibule.domain.guesses import LINKS_BY_NAME, LINKS_FROM_NETWORK, network_of
from vestibule.domain.login_uris import Arrived, held_already
from vestibule.domain.outbox import new_event
from vestibule.domain.sign_ins import Credential
from vestibule.errors import UnavailableError
from vestibule.model import EventKind, LinkPurpose, LinkRequest
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.audit import AuditTrail
    from vestibule.domain.guesses import Guesses
    from vestibule.domain.links import Links
    from vestibule.domain.login_uris import Browser
    from vestibule.ids import Randomness
    from vestibule.model import Account, Login, MailedLink, User
    from vestibule.store.directory.users import UserStore
    from vestibule.store.mailed_links import LinkRequestStore, MailedLinkStore
    from vestibule.store.passes import LoginStore
    from vestibule.store.table import Action

USABLE_FOR = 15 * MINUTE
"""From the moment of asking."""

_ATTEMPTS = 4
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_AUDIT_OF = {LinkPurpose.SIGN_IN: "mailed_link.signed_in", LinkPurpose.PASSWORD: "password.set_by_link"}


class MailedLinks:
    """What the hub does with links by mail.

    Parameters
    ----------
    requests, mailed
        What was asked for, and what was sent.
    logins
        Where a sign-in is written.
    users
        Whose links they are.
    audit
        Where it is recorded that a link was used, and that somebody else tried to use it again.
    guesses
        Counts who asks.
    links
        Seals a request, and knows the mark of an address.
    """

    def __init__(
        self,
        requests: LinkRequestStore,
        mailed: MailedLinkStore,
        logins: LoginStore,
        users: UserStore,
        audit: AuditTrail,
        *,
        guesses: Guesses,
        links: Links,
        clock: Clock,
        random: Randomness,
    ) -> None:
        self._requests = requests
        self._mailed = mailed
        self._logins = logins
        self._users = users
        self._audit = audit
        self._guesses = guesses
        self._links = links
        self._clock = clock
        self._random = random

    def ask(self, account: Account, purpose: LinkPurpose, name: str, going: str, *, address: str) -> None:
        """Ask for a link by mail, for whomever a name may mean.

        Parameters
        ----------
        name
            User name or e-mail address, as it was written.
        going
            Path of the hub where the person was going, with its query.
        address
            The browser's network address.

        Raises
        ------
        BlockedError
            Too many were asked for, by this name or from this network.
        UnavailableError
            DynamoDB or Secrets Manager failed; nothing was asked for.
        """
        self._guesses.count(LINKS_FROM_NETWORK, network_of(address))
        self._guesses.count(LINKS_BY_NAME, account.account_id, name.strip().casefold())
        self._requests.create(
            LinkRequest(
                account_id=account.account_id,
                purpose=purpose,
                sealed=self._links.sealed_request(account.account_id, name, going),
                event=new_event(EventKind.LINK_ASKED, self._random, self._clock),
            )
        )

    def is_usable(self, account: Account, purpose: LinkPurpose, token: str) -> bool:
        """Tell whether a link can still be used, as far as the link itself tells; nothing is changed."""
        link = self._find(account, purpose, token)
        return link is not None and link.used_at is None and self._clock() < link.usable_until

    def is_its_sign_in(self, token: str, credential: Credential) -> bool:
        """Tell whether a sign-in, proven elsewhere, is the one that a link became."""
        return credential.key == _login_key(token)

    def sign_in(
        self, account: Account, token: str, *, browser: Browser, browser_secret: str, held: Credential | None
    ) -> Arrived | None:
        """Sign in who clicked a mailed link.

        Parameters
        ----------
        browser_secret
            What this browser alone holds, of at least 128 random bits.  The sign-in's own secret follows from it:
            the click that a browser sends twice, or once more after a lost answer, meets the same sign-in.
        held
            The sign-in cookie that the browser brought along; that sign-in is ended.

        Returns
        -------
        Arrived or None
            None for unknown, expired, used and revoked alike, and for users who may not sign in.

        Raises
        ------
        UnavailableError
            A dependency failed; the link may still be good.
        """
        secret = ids.keyed_mark(browser_secret, "mailed link", token)
        return self._use(account, LinkPurpose.SIGN_IN, token, secret, browser=browser, held=held)

    def set_password(
        self,
        account: Account,
        token: str,
        password: str,
        *,
        browser: Browser,
        browser_secret: str,
        held: Credential | None,
    ) -> Arrived | None:
        """Set the password of who followed a mailed link, end their other sign-ins, and sign them in; see `sign_in`.

        Raises
        ------
        RuleError
            The password breaks the rules; the link is still good.
        UnavailableError
            A dependency failed; the link may still be good.
        """
        rules.password(password)
        secret = ids.keyed_mark(browser_secret, "mailed link", token)
        return self._use(account, LinkPurpose.PASSWORD, token, secret, browser=browser, held=held, password=password)

    def _use(
        self,
        account: Account,
        purpose: LinkPurpose,
        token: str,
        secret: str,
        *,
        browser: Browser,
        held: Credential | None,
        password: str | None = None,
    ) -> Arrived | None:
        password_hash: str | None = None
        for _ in range(_ATTEMPTS):
            link = self._find(account, purpose, token)
            if link is None:
                return None
            if link.used_at is not None:
                return self._follow_again(account, link, token, secret, browser)
            now = self._clock()
            user = self._users.get(account.account_id, link.user_id, consistent=True)
            if user is None or now >= link.usable_until or not self._is_still_for(user, link):
                return None
            # A password's sign-in begins just after the moment up to which the others are over.
            begins = now if password is None else now + 1
            login, _ = sign_ins.begun(account, user.user_id, now=begins, random=self._random)
            login = replace(login, key=_login_key(token), secret_digest=ids.digest(secret))
            actions = self._actions(link, login, user, browser, now)
            if password is not None:
                password_hash = password_hash or passwords.hashed(password)
                actions.append(self._with_password(user, password_hash, now))
            try:
                self._mailed.write(*actions)
            except ConditionFailedError:
                continue  # used, or too late, or the user has changed: look again
            took_over = sign_ins.end_replaced(self._logins, held, login, now)
            return Arrived(login, _credential(login, secret), took_over=took_over)
        raise UnavailableError("dynamodb")

    def _find(self, account: Account, purpose: LinkPurpose, token: str) -> MailedLink | None:
        link = self._mailed.get(ids.digest(token)) if _TOKEN.fullmatch(token) else None
        is_meant = link is not None and link.account_id == account.account_id and link.purpose is purpose
        return link if is_meant else None

    def _is_still_for(self, user: User, link: MailedLink) -> bool:
        """Tell whether a link's user may sign in, has the same address, and has not signed out everywhere since."""
        return (
            user.honours(link.created_at)
            and user.email is not None
            and self._links.address_mark(user.email) == link.email_mark
        )

    def _actions(self, link: MailedLink, login: Login, user: User, browser: Browser, now: int) -> list[Action]:
        return [
            self._mailed.using(link, now=now),
            self._logins.creating(login),
            self._audit.recording(
                link.account_id,
                f"user#{user.user_id}",
                _AUDIT_OF[link.purpose],
                user_id=user.user_id,
                address=browser.address,
            ),
        ]

    def _with_password(self, user: User, password_hash: str, now: int) -> Action:
        changed = replace(
            user, password_hash=password_hash, signed_out_at=now, updated_at=now, version=user.version + 1
        )
        return self._users.replacing(changed, before=user)

    def _follow_again(
        self, account: Account, link: MailedLink, token: str, secret: str, browser: Browser
    ) -> Arrived | None:
        """Judge who uses a link that was used: its own browser, or somebody else."""
        login = self._logins.get(_login_key(token))
        if login is not None and (credential := _credential(login, secret)).proves(login):
            return held_already(login, credential, self._clock())
        if account.revoke_on_reuse and login is not None and login.secret_digest is not None:
            self._logins.end(login.key, secret_digest=login.secret_digest, now=self._clock())
        # A failure is raised: better "try again" than a theft unrecorded.
        self._audit.record(
            link.account_id,
            f"user#{link.user_id}",
            "mailed_link.reused",
            user_id=link.user_id,
            address=browser.address,
        )
        return None


def _credential(login: Login, secret: str) -> Credential:
    return Credential(login.key, login.account_id, login.user_id, secret)


def _login_key(token: str) -> str:
    """Return the key of the sign-in that a link becomes: no address of a login URI leads there."""
    return ids.digest(f"sign-in by mailed link {token}")
