"""Letters with a link that signs in or sets a password: what the worker does with a request.

Only here it is found out whom a name means; nobody waits for the answer.  The link
follows from request and user, so that a second attempt after a crash sends the very
same one, and no table or queue ever holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.domain.guesses import LINKS_TO_USER
from vestibule.domain.letters import LinkLetter
from vestibule.domain.mailed_links import USABLE_FOR
from vestibule.domain.users import meant_by
from vestibule.errors import UndeliverableError
from vestibule.model import DeliveryState, MailedLink, Status
from vestibule.store.carriers import RefusedError
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.domain.accounts import Accounts
    from vestibule.domain.guesses import Guesses
    from vestibule.domain.leases import Leases
    from vestibule.domain.links import Links
    from vestibule.domain.outbox import Message
    from vestibule.model import Account, LinkRequest, User
    from vestibule.settings import Settings
    from vestibule.store.carriers import MailCarrier
    from vestibule.store.directory.users import UserStore
    from vestibule.store.mailed_links import LinkRequestStore, MailedLinkStore


class LinkWriter(Protocol):
    """Turns letters into what is sent; `vestibule.mail` is the one."""

    def compose_link(self, letter: LinkLetter) -> bytes:
        """Return a mail (RFC 5322)."""


class LinkLetters:
    """The mail worker's rules for links that were asked for."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        users: UserStore,
        requests: LinkRequestStore,
        mailed: MailedLinkStore,
        leases: Leases,
        guesses: Guesses,
        links: Links,
        writer: LinkWriter,
        mails: MailCarrier,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._users = users
        self._requests = requests
        self._mailed = mailed
        self._leases = leases
        self._guesses = guesses
        self._links = links
        self._writer = writer
        self._mails = mails
        self._settings = settings
        self._clock = clock

    def act_on(self, message: Message) -> DeliveryState | None:
        """Send a link to everybody whom a request means, and forget the request.

        Returns
        -------
        DeliveryState or None
            What became of the last letter, None when there was none to send.

        Raises
        ------
        InWorkError
            Another worker is at it; the message has to come again, in case that one dies.
        UnavailableError
            A dependency failed; nothing is lost, and the message has to come again.
        """
        account_id, event_id = message.ids["account_id"], message.event.event_id
        request = self._requests.get(account_id, event_id)
        if request is None:
            return None
        state: DeliveryState | None = None
        account = self._accounts.get(account_id)
        if self._is_worth_it(account, request):
            name, going = self._links.unsealed_request(account_id, request.sealed)
            for user in meant_by(self._users, account_id, name):
                if user.status is Status.ACTIVE and user.email is not None:
                    state = self._once(account, request, user, going) or state
        self._requests.forget(account_id, event_id)
        return state

    def _is_worth_it(self, account: Account, request: LinkRequest) -> bool:
        """Tell whether the link could still be used when it arrives."""
        is_late = self._clock() >= request.event.at + USABLE_FOR
        return account.status is Status.ACTIVE and account.password_sign_in and not is_late

    def _once(self, account: Account, request: LinkRequest, user: User, going: str) -> DeliveryState | None:
        name = f"{request.event.event_id}#{user.user_id}"
        return self._leases.once(name, lambda: self._send(account, request, user, going))

    def _send(self, account: Account, request: LinkRequest, user: User, going: str) -> DeliveryState | None:
        email = user.email
        if email is None:
            return None
        token = self._links.mailed_token(account.account_id, user.user_id, request.event.event_id)
        key = ids.digest(token)
        if self._mailed.get(key) is None:
            try:
                self._guesses.count(LINKS_TO_USER, account.account_id, user.user_id)
            except BlockedError:
                return None
            self._mailed.create(
                MailedLink(
                    key=key,
                    account_id=account.account_id,
                    user_id=user.user_id,
                    purpose=request.purpose,
                    email_mark=self._links.address_mark(email),
                    created_at=request.event.at,
                    usable_until=request.event.at + USABLE_FOR,
                )
            )
        letter = LinkLetter(
            purpose=request.purpose,
            account=account,
            user=user,
            link=self._links.mailed_link(account.slug, request.purpose, token, going),
            usable_minutes=USABLE_FOR // MINUTE,
            at=request.event.at,
            message_id=f"{request.event.event_id}.{user.user_id}@{self._settings.hub_host(account.slug)}",
            sender=self._settings.mail_sender,
        )
        try:
            mail = self._writer.compose_link(letter)
            self._mails.send(mail, email, {"account_id": account.account_id, "user_id": user.user_id})
        except (UndeliverableError, RefusedError):
            return DeliveryState.FAILED
        return DeliveryState.SENT
