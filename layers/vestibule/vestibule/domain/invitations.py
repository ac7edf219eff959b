"""Invitations: letters about sessions, each event acted on once for each person.

The worker leases the event for its addressee (`vestibule.domain.leases`), sends, and
marks, the mark and what became of the letter in one write.

A session's change or cancellation concerns its participants, and those of its registrants
who were sent a confirmation.  Registrants may be many: the worker takes a page of them,
puts a message on the queue for each and one for the next page, and so on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from vestibule.domain import rules
from vestibule.domain.letters import Letter, LetterKind
from vestibule.domain.outbox import Message
from vestibule.domain.participants import identity_of_user
from vestibule.errors import UndeliverableError
from vestibule.model import (
    Channel,
    Delivery,
    DeliveryState,
    EventKind,
    Participant,
    ParticipantRole,
    SessionStatus,
)
from vestibule.store.carriers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.clock import Clock
    from vestibule.domain.accounts import Accounts
    from vestibule.domain.leases import Leases
    from vestibule.domain.links import Links
    from vestibule.model import Account, Appointment, Registrant, Session, User
    from vestibule.settings import Settings
    from vestibule.store.carriers import MailCarrier, TextCarrier
    from vestibule.store.directory.deliveries import DeliveryStore
    from vestibule.store.directory.lists import Position
    from vestibule.store.directory.registrants import RegistrantStore
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.directory.users import UserStore
    from vestibule.store.queues import Queue
    from vestibule.store.table import Action

REGISTRANTS_AT_ONCE = 100
"""Registrants of one page: their messages are ten calls of the queue."""

_PARTICIPANT, _REGISTRANT, _IDENTITY = "participant_id", "registrant_id", "identity"
_AFTER = "registrants_after"
_LETTER_OF = {
    EventKind.INVITED: LetterKind.INVITATION,
    EventKind.CHANGED: LetterKind.CHANGE,
    EventKind.CANCELLED: LetterKind.CANCELLATION,
    EventKind.REMOVED: LetterKind.CANCELLATION,
    EventKind.REMINDED: LetterKind.REMINDER,
    EventKind.REGISTERED: LetterKind.REGISTRATION,
}


class Writer(Protocol):
    """Turns letters into what is sent; `vestibule.mail` is the one."""

    def compose(self, letter: Letter) -> bytes:
        """Return a mail (RFC 5322)."""

    def text_message(self, letter: Letter) -> str:
        """Return a text message."""


class Invitations:
    """The mail worker's rules."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        sessions: SessionStore,
        registrants: RegistrantStore,
        users: UserStore,
        deliveries: DeliveryStore,
        leases: Leases,
        outbox: Queue,
        links: Links,
        writer: Writer,
        mails: MailCarrier,
        texts: TextCarrier,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._registrants = registrants
        self._users = users
        self._deliveries = deliveries
        self._leases = leases
        self._outbox = outbox
        self._links = links
        self._writer = writer
        self._mails = mails
        self._texts = texts
        self._settings = settings
        self._clock = clock

    def act_on(self, message: Message) -> DeliveryState | None:
        """Do what an event asks for.

        Returns
        -------
        DeliveryState or None
            What became of the letter, None when there was none to send.

        Raises
        ------
        InWorkError
            Another worker is at it; the message has to come again, in case that one dies.
        UnavailableError
            A dependency failed; nothing is lost, and the message has to come again.
        """
        if _PARTICIPANT in message.ids or _REGISTRANT in message.ids:
            return self._once(message)
        if _AFTER not in message.ids:
            self._fan_out(message)
        self._fan_out_page(message)
        return None

    def _fan_out(self, message: Message) -> None:
        """Put one message on the queue for everybody whom a session's change concerns."""
        account_id, session_id = message.ids["account_id"], message.ids["session_id"]
        found = self._sessions.whole(account_id, session_id)
        if found is None or found[0].event != message.event:
            return  # a newer change is on its way, and will say it all
        each = [
            Message(message.event, {**message.ids, _PARTICIPANT: p.participant_id, _IDENTITY: p.identity})
            for p in found[1]
            if p.notify is not Channel.NONE and p.created_at <= message.event.at
        ]
        self._outbox.send([str(one) for one in each])

    def _fan_out_page(self, message: Message) -> None:
        """Do the same for one page of the registrants, and put a message there for the next page.

        Once, though the message may come twice: two chains of messages from here on would be two for good.
        """
        name = f"{message.event.event_id}#registrants#{message.ids.get(_AFTER, '')}"
        self._leases.once(name, lambda: self._tell_page(message))

    def _tell_page(self, message: Message) -> None:
        ids = {name: message.ids[name] for name in ("account_id", "session_id")}
        session = self._sessions.get(*ids.values(), consistent=True)
        if session is None or session.event != message.event:
            return  # a newer change begins with the first page, and will say it all
        found, end = self._registrants.page(
            *ids.values(), after=_position(message.ids.get(_AFTER)), limit=REGISTRANTS_AT_ONCE
        )
        each = [
            Message(message.event, {**ids, _REGISTRANT: one.registrant_id})
            for one in found
            if one.event is not None and one.created_at <= message.event.at
        ]
        if end is not None:
            each.append(Message(message.event, {**ids, _AFTER: f"{end[0]}#{end[1]}"}))
        self._outbox.send([str(one) for one in each])

    def _once(self, message: Message) -> DeliveryState | None:
        event_id, ids = message.event.event_id, message.ids
        if _REGISTRANT in ids:
            # Of a registrant's mail nothing is kept: nobody is shown what became of it.
            told = self._leases.once(f"{event_id}#{ids[_REGISTRANT]}", lambda: self._tell_registrant(message))
            return told.state if told else None
        done = self._leases.once(
            f"{event_id}#{ids[_PARTICIPANT]}", lambda: self._deliver(message), lambda result: self._follows(*result)
        )
        delivery = done[0] if done else None
        return delivery.state if delivery else None

    def _follows(self, delivery: Delivery | None, removed: Participant | None) -> Sequence[Action]:
        """Return what is written together with the mark that the event was acted on."""
        if removed is not None:
            return [self._sessions.forgetting(removed, _stripped(removed))]
        return [] if delivery is None else [self._deliveries.marking(delivery)]

    def _deliver(self, message: Message) -> tuple[Delivery | None, Participant | None]:
        """Send the letter that an event asks for, if it is still worth sending.

        Returns
        -------
        tuple
            What became of it, and the addressee if that is nobody's participant any more.
        """
        kind = message.event.kind
        account_id, session_id = message.ids["account_id"], message.ids["session_id"]
        identity = message.ids[_IDENTITY]
        session, people = self._sessions.people(account_id, session_id, [identity])
        participant = self._addressee(message, people.get(identity))
        is_farewell = kind is EventKind.REMOVED
        if session is None or participant is None or (participant.removed_at is not None) is not is_farewell:
            return None, None
        removed = participant if is_farewell else None
        channel = _channel(participant, kind)
        pointless = self._pointless(session, channel)
        if pointless is not None:
            delivery = self._delivery(message, session, participant, channel)
            return replace(delivery, state=DeliveryState.SKIPPED, reason=pointless), removed
        if _is_overtaken(message, session, participant):
            return None, removed
        return self._sent(message, session, participant, channel), removed

    def _tell_registrant(self, message: Message) -> Delivery | None:
        """Send a registrant their link, or what has become of the session, if that is still so."""
        account_id, session_id = message.ids["account_id"], message.ids["session_id"]
        session, registrant = self._registrants.with_session(account_id, session_id, message.ids[_REGISTRANT])
        if session is None or registrant is None or registrant.event is None:
            return None
        caused_by = registrant.event if message.event.kind is EventKind.REGISTERED else session.event
        is_cancelled = session.status is SessionStatus.CANCELLED
        is_so = caused_by == message.event and is_cancelled == (message.event.kind is EventKind.CANCELLED)
        if session.ends_at <= self._clock() or not is_so:
            return None
        person = _as_participant(registrant)
        return self._sent(message, session, person, Channel.EMAIL, registrant)

    def _sent(
        self,
        message: Message,
        session: Session,
        participant: Participant,
        channel: Channel,
        registrant: Registrant | None = None,
    ) -> Delivery:
        """Send a letter and return what became of it."""
        delivery = self._delivery(message, session, participant, channel)
        try:
            return replace(delivery, message_id=self._send(message, session, participant, channel, registrant))
        except RefusedError as refused:
            return replace(delivery, state=DeliveryState.FAILED, reason=refused.reason)

    def _delivery(self, message: Message, session: Session, participant: Participant, channel: Channel) -> Delivery:
        """Return what is written of a letter that goes well."""
        return Delivery(
            account_id=session.account_id,
            session_id=session.session_id,
            participant_id=participant.participant_id,
            event_id=message.event.event_id,
            caused_at=message.event.at,
            channel=channel,
            state=DeliveryState.SENT,
            at=self._clock(),
        )

    def _addressee(self, message: Message, found: Participant | None) -> Participant | None:
        """Return whom a message is for, also when another address has moved them to another key since."""
        participant_id = message.ids[_PARTICIPANT]
        if found is not None and found.participant_id == participant_id:
            return found
        whole = self._sessions.whole(message.ids["account_id"], message.ids["session_id"])
        return next((p for p in whole[1] if p.participant_id == participant_id), None) if whole else None

    def _pointless(self, session: Session, channel: Channel) -> str | None:
        """Return why there is nothing to write to somebody any more, None while there is."""
        if session.ends_at <= self._clock():
            return "session_over"
        return "not_wanted" if channel is Channel.NONE else None

    def _send(
        self,
        message: Message,
        session: Session,
        participant: Participant,
        channel: Channel,
        registrant: Registrant | None,
    ) -> str:
        """Hand the letter to its carrier and return the carrier's id of it.

        Raises
        ------
        RefusedError
            It can never be sent.
        """
        account = self._accounts.get(session.account_id)
        letter = self._letter(message, account, session, participant, registrant)
        if channel is Channel.SMS:
            if participant.phone is None:
                raise RefusedError("no_phone")
            number = rules.sought(rules.e164, participant.phone)
            if number is None:
                raise RefusedError("invalid_phone")
            return self._texts.send(self._writer.text_message(letter), number)
        if participant.email is None:
            raise RefusedError("no_email")
        if not self._settings.mail_sender:
            raise RefusedError("mail_is_off")
        try:
            mail = self._writer.compose(letter)
        except UndeliverableError as error:
            raise RefusedError(error.code) from error
        tags = {name: one for name, one in message.ids.items() if name != _IDENTITY}
        return self._mails.send(mail, participant.email, tags)

    def _letter(
        self,
        message: Message,
        account: Account,
        session: Session,
        participant: Participant,
        registrant: Registrant | None,
    ) -> Letter:
        host_identity = identity_of_user(session.host_user_id)
        _, people = self._sessions.people(account.account_id, session.session_id, [host_identity])
        host = people.get(host_identity)
        user = self._user(participant)
        hub = self._settings.hub_url(account.slug)
        is_change = message.event.kind is EventKind.CHANGED
        return Letter(
            kind=_LETTER_OF[message.event.kind],
            account=account,
            session=session,
            participant=participant,
            host_name=host.full_name if host else account.name,
            hub_url=hub,
            **self._ways_in(account, participant, registrant),
            sequence=session.version + participant.version - 2,
            at=message.event.at,
            message_id=f"{message.event.event_id}.{participant.participant_id}@{self._settings.hub_host(account.slug)}",
            sender=self._settings.mail_sender,
            is_registrants=registrant is not None,
            previous=_as_it_was(session, session.former) if is_change and session.former else None,
            recipient_locale=user.locale if user else None,
            recipient_time_zone=user.time_zone if user else None,
        )

    def _ways_in(self, account: Account, participant: Participant, registrant: Registrant | None) -> dict[str, Any]:
        """Return the links and codes of a letter: a registrant has a link and nothing else."""
        if registrant is not None:
            return {"personal_link": self._links.join_url(account.slug, registrant)}
        return {
            "personal_link": self._links.personal_link(account.slug, participant),
            "join_link": self._links.join_link(account.slug, participant),
            "connect_code": self._links.connect_code(participant),
            "passkey": self._links.passkey(participant) if account.require_passkey else None,
        }

    def _user(self, participant: Participant) -> User | None:
        if participant.user_id is None:
            return None
        return self._users.get(participant.account_id, participant.user_id)


def _position(text: str | None) -> Position | None:
    """Return where a page of registrants begins, from what a message says."""
    if text is None:
        return None
    shard, _, sort = text.partition("#")
    return int(shard), sort


def _is_overtaken(message: Message, session: Session, participant: Participant) -> bool:
    """Tell whether a newer event is on its way, and tells all of it."""
    kind = message.event.kind
    if kind is EventKind.CHANGED and message.event not in {session.event, participant.event}:
        return True
    is_cancelled = session.status is SessionStatus.CANCELLED
    return kind is not EventKind.REMOVED and is_cancelled is not (kind is EventKind.CANCELLED)


def _channel(participant: Participant, kind: EventKind) -> Channel:
    """Return how a letter goes: a reminder also reaches people who are told nothing else."""
    if participant.notify is not Channel.NONE or kind is not EventKind.REMINDED:
        return participant.notify
    if participant.email is not None:
        return Channel.EMAIL
    return Channel.SMS if participant.phone is not None else Channel.NONE


def _as_it_was(session: Session, former: Appointment) -> Session:
    """Return a session with what people knew of it before the change."""
    return replace(
        session,
        title=former.title,
        starts_at=former.starts_at,
        duration_minutes=former.duration_minutes,
        time_zone=former.time_zone,
    )


def _as_participant(registrant: Registrant) -> Participant:
    """Return a registrant as letters speak of people."""
    return Participant(
        participant_id=registrant.registrant_id,
        account_id=registrant.account_id,
        session_id=registrant.session_id,
        identity="",
        full_name=registrant.name,
        role=ParticipantRole.ATTENDEE,
        sealed_code="",
        created_at=registrant.created_at,
        updated_at=registrant.updated_at,
        email=registrant.email,
        version=registrant.version,
    )


def _stripped(removed: Participant) -> Participant:
    """Return what is kept of somebody who was removed and has heard of it: the appointment's revision."""
    return replace(
        removed,
        full_name="",
        email=None,
        phone=None,
        external_id=None,
        user_id=None,
        sealed_code="",
        event=None,
        version=removed.version + 1,
    )
