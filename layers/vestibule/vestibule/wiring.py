"""The house put together: which store serves which rule, from one environment.

A function makes one `House` and asks it for what it needs.  Every part is made
when it is first asked for, and imported no sooner: a function pays at start-up
for its own rooms alone.  Tests hand in their own clock, randomness and clients.
"""

from __future__ import annotations

import os
import random as ordinary_random
import secrets
import time
from functools import cached_property
from typing import TYPE_CHECKING

from vestibule.clock import system_clock
from vestibule.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from vestibule.clock import Clock
    from vestibule.domain.access_tokens import AccessTokenIssuer, AccessTokenReader
    from vestibule.domain.accounts import Accounts
    from vestibule.domain.admission import Admission
    from vestibule.domain.agenda import Agendas
    from vestibule.domain.app_secrets import AppSecrets
    from vestibule.domain.attendance import Attendance
    from vestibule.domain.audit import AuditTrail
    from vestibule.domain.clients import Clients
    from vestibule.domain.credentials import Credentials
    from vestibule.domain.drafts import Drafts
    from vestibule.domain.embeds import EmbedIssuer, EmbedReader
    from vestibule.domain.entrances import Entrances
    from vestibule.domain.guesses import Guesses
    from vestibule.domain.idempotency import Idempotency
    from vestibule.domain.invitations import Invitations
    from vestibule.domain.leases import Leases
    from vestibule.domain.link_letters import LinkLetters
    from vestibule.domain.links import Links
    from vestibule.domain.login_uris import LoginUris
    from vestibule.domain.mail_reports import MailReports
    from vestibule.domain.mailed_links import MailedLinks
    from vestibule.domain.outbox import Router
    from vestibule.domain.participants import Participants
    from vestibule.domain.password_sign_ins import PasswordSignIns
    from vestibule.domain.presence import Presence
    from vestibule.domain.registrants import Registrants
    from vestibule.domain.registrations import Registrations
    from vestibule.domain.reminders import Reminders
    from vestibule.domain.rooms import Rooms
    from vestibule.domain.seats import Seats
    from vestibule.domain.sessions import Sessions
    from vestibule.domain.sign_ins import SignIns
    from vestibule.domain.signing_keys import KeyRotation, Signer, Verifier
    from vestibule.domain.sso_tokens import SsoTokens
    from vestibule.domain.stages import Stages
    from vestibule.domain.users import Users
    from vestibule.domain.waiting import WaitingRooms
    from vestibule.ids import Randomness
    from vestibule.sealing import Sealing
    from vestibule.store.carriers import MailCarrier
    from vestibule.store.directory.clients import ClientStore
    from vestibule.store.directory.deliveries import DeliveryStore
    from vestibule.store.directory.published import PublishedKeyStore
    from vestibule.store.directory.rooms import RoomStore
    from vestibule.store.directory.sessions import SessionStore
    from vestibule.store.directory.users import UserStore
    from vestibule.store.keyrings import KeyringStore
    from vestibule.store.passes import LoginStore
    from vestibule.store.queues import Queue
    from vestibule.store.table import Table
    from vestibule.store.visits import VisitStore
    from vestibule.store.waiting import WaitingStore


class House:
    """All rooms of one deployment, made on demand.

    Parameters
    ----------
    settings
        Names and addresses; read from the environment when left out.
    clock, random, pause
        Replaced in tests.
    dynamodb, secrets_manager, sqs, ses, sns
        Clients of AWS; made when first needed unless given.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        random: Randomness = secrets,
        pause: Callable[[float], None] = time.sleep,
        dynamodb: DynamoDBClient | None = None,
        secrets_manager: SecretsManagerClient | None = None,
        sqs: SQSClient | None = None,
        ses: SESV2Client | None = None,
        sns: SNSClient | None = None,
    ) -> None:
        self.settings = settings or Settings.from_environment(os.environ)
        self.clock = clock
        self.random = random
        self.pause = pause
        self._given_dynamodb = dynamodb
        self._given_secrets_manager = secrets_manager
        self._given_sqs = sqs
        self._given_ses = ses
        self._given_sns = sns

    # --- what the functions ask for ---------------------------------------------------------

    @cached_property
    def accounts(self) -> Accounts:
        """Accounts and their settings."""
        from vestibule.domain.accounts import Accounts
        from vestibule.store.directory.accounts import AccountStore

        def seal(kind: str, account_id: str, text: str) -> str:
            # Made when a stage's secret is set: every other call of every function does without.
            return self._sealing.seal(kind, account_id, text)

        return Accounts(AccountStore(self._directory), self.clock, self.random, seal)

    @cached_property
    def clients(self) -> Clients:
        """API clients."""
        from vestibule.domain.clients import Clients

        return Clients(self.client_store, self.clock, self.random)

    @cached_property
    def users(self) -> Users:
        """Users."""
        from vestibule.domain.users import Users

        return Users(self._user_store, self._room_store, self.clock, self.random)

    @cached_property
    def rooms(self) -> Rooms:
        """Rooms."""
        from vestibule.domain.rooms import Rooms

        return Rooms(self._room_store, self._user_store, self.clock, self.random)

    @cached_property
    def waiting(self) -> WaitingRooms:
        """Rooms, for those who wait there."""
        from vestibule.domain.waiting import WaitingRooms

        return WaitingRooms(
            self._waiting_store,
            self._room_store,
            self._user_store,
            sealing=self._sealing,
            guesses=self.guesses,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def admission(self) -> Admission:
        """Rooms, for those who receive people there."""
        from vestibule.domain.admission import Admission

        return Admission(
            self._waiting_store,
            self._room_store,
            self._user_store,
            self.sessions,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def idempotency(self) -> Idempotency:
        """Idempotency keys."""
        from vestibule.domain.idempotency import Idempotency
        from vestibule.store.idempotency import ClaimStore

        return Idempotency(ClaimStore(self._passes), self.clock, self.random)

    @cached_property
    def login_uris(self) -> LoginUris:
        """Login URIs."""
        from vestibule.domain.login_uris import LoginUris

        return LoginUris(self._login_store, self._user_store, self.audit, self.clock, self.random)

    @cached_property
    def sign_ins(self) -> SignIns:
        """Sign-ins of browsers."""
        from vestibule.domain.sign_ins import SignIns
        from vestibule.store.passes import SignInStore

        return SignIns(SignInStore(self._passes, self._directory), self._login_store, self.clock)

    @cached_property
    def password_sign_ins(self) -> PasswordSignIns:
        """Sign-ins by name and password."""
        from vestibule.domain.password_sign_ins import PasswordSignIns

        return PasswordSignIns(
            self._user_store, self._login_store, self.guesses, self.audit, clock=self.clock, random=self.random
        )

    @cached_property
    def mailed_links(self) -> MailedLinks:
        """Links by mail that sign in or set a password."""
        from vestibule.domain.mailed_links import MailedLinks
        from vestibule.store.mailed_links import LinkRequestStore, MailedLinkStore

        return MailedLinks(
            LinkRequestStore(self._directory),
            MailedLinkStore(self._passes),
            self._login_store,
            self._user_store,
            self.audit,
            guesses=self.guesses,
            links=self.links,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def sso_tokens(self) -> SsoTokens:
        """SSO tokens."""
        from vestibule.domain.sso_tokens import SsoTokens
        from vestibule.store.sso_tokens import SsoTokenStore

        return SsoTokens(
            SsoTokenStore(self._passes),
            self._login_store,
            self._user_store,
            self.audit,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions."""
        from vestibule.domain.sessions import Sessions

        return Sessions(
            self._session_store,
            self._user_store,
            self._room_store,
            self.participants,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def agendas(self) -> Agendas:
        """People's own sessions."""
        from vestibule.domain.agenda import Agendas

        return Agendas(self._session_store, self.clock)

    @cached_property
    def participants(self) -> Participants:
        """Participants of sessions."""
        from vestibule.domain.participants import Participants
        from vestibule.store.codes import CodeStore

        codes = CodeStore(self._passes)
        return Participants(
            self._session_store,
            self._user_store,
            codes,
            self._delivery_store,
            self.links,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def entrances(self) -> Entrances:
        """Ways into a session by code, link or name."""
        from vestibule.domain.entrances import Entrances
        from vestibule.store.codes import CodeStore

        return Entrances(
            self._session_store,
            self._user_store,
            CodeStore(self._passes),
            links=self.links,
            registrants=self.registrants,
            embeds=self.embed_reader,
            guesses=self.guesses,
            sealing=self._sealing,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def guesses(self) -> Guesses:
        """Counters of who guesses codes and passwords."""
        from vestibule.domain.guesses import Guesses
        from vestibule.store.guesses import GuessStore

        return Guesses(GuessStore(self._passes), self._sealing, self.clock, self.random)

    @cached_property
    def stages(self) -> Stages:
        """Where the media of sessions happen."""
        from vestibule.domain.stages import Stages

        return Stages(self.settings.api_origin, self._signer, self._sealing, self.clock, self.random)

    @cached_property
    def reminders(self) -> Reminders:
        """Reminders by hand."""
        from vestibule.domain.reminders import Reminders

        return Reminders(self.participants, self._delivery_store, self.clock, self.random)

    @cached_property
    def router(self) -> Router:
        """From the directory's stream to the outbox."""
        from vestibule.domain.outbox import Router

        return Router(self.outbox, self.dead_letters)

    @cached_property
    def invitations(self) -> Invitations:
        """The mail worker's rules."""
        from vestibule.domain.invitations import Invitations
        from vestibule.mail import letters
        from vestibule.store.aws import sns_client
        from vestibule.store.carriers import TextCarrier
        from vestibule.store.directory.registrants import RegistrantStore

        return Invitations(
            accounts=self.accounts,
            sessions=self._session_store,
            registrants=RegistrantStore(self._directory),
            users=self._user_store,
            deliveries=self._delivery_store,
            leases=self._leases,
            outbox=self.outbox,
            links=self.links,
            writer=letters,
            mails=self._mail_carrier,
            texts=TextCarrier(lambda: self._given_sns or sns_client(self._session)),
            settings=self.settings,
            clock=self.clock,
        )

    @cached_property
    def link_letters(self) -> LinkLetters:
        """The mail worker's rules for links that were asked for."""
        from vestibule.domain.link_letters import LinkLetters
        from vestibule.mail import letters
        from vestibule.store.mailed_links import LinkRequestStore, MailedLinkStore

        return LinkLetters(
            accounts=self.accounts,
            users=self._user_store,
            requests=LinkRequestStore(self._directory),
            mailed=MailedLinkStore(self._passes),
            leases=self._leases,
            guesses=self.guesses,
            links=self.links,
            writer=letters,
            mails=self._mail_carrier,
            settings=self.settings,
            clock=self.clock,
        )

    @cached_property
    def mail_reports(self) -> MailReports:
        """What the carrier reports about mails."""
        from vestibule.domain.mail_reports import MailReports

        return MailReports(self._delivery_store, self.clock)

    @cached_property
    def outbox(self) -> Queue:
        """The mail worker's queue."""
        from vestibule.store.queues import Queue

        return Queue(self._sqs, self.settings.outbox_queue)

    @cached_property
    def dead_letters(self) -> Queue:
        """What an operator has to look at."""
        from vestibule.store.queues import Queue

        return Queue(self._sqs, self.settings.dead_letter_queue)

    @cached_property
    def links(self) -> Links:
        """Links into sessions, passkeys and connect codes."""
        from vestibule.domain.links import Links

        return Links(self.settings, self._sealing)

    @cached_property
    def drafts(self) -> Drafts:
        """What people typed and could not send."""
        from vestibule.domain.drafts import Drafts

        return Drafts(self._sealing, self.clock)

    @cached_property
    def app_secrets(self) -> AppSecrets:
        """What portals sign embed tokens with."""
        from vestibule.domain.app_secrets import AppSecrets
        from vestibule.store.directory.app_secrets import AppSecretStore

        return AppSecrets(AppSecretStore(self._directory), self._sealing, self.clock, self.random)

    @cached_property
    def embed_issuer(self) -> EmbedIssuer:
        """Makes embed tokens."""
        from vestibule.domain.embeds import EmbedIssuer

        return EmbedIssuer(self.settings, self._session_store, self._signer, self.clock, self.random)

    @cached_property
    def embed_reader(self) -> EmbedReader:
        """Reads embed tokens."""
        from vestibule.domain.embeds import EmbedReader

        return EmbedReader(self.settings, self.verifier, self.app_secrets, self.clock)

    @cached_property
    def registrants(self) -> Registrants:
        """Registrants of sessions."""
        from vestibule.domain.registrants import Registrants
        from vestibule.store.directory.registrants import RegistrantStore

        return Registrants(
            RegistrantStore(self._directory),
            self._session_store,
            self.links,
            self._sealing,
            clock=self.clock,
            random=self.random,
        )

    @cached_property
    def registrations(self) -> Registrations:
        """Public registration pages of sessions."""
        from vestibule.domain.registrations import Registrations

        return Registrations(
            self.registrants, self.guesses, self._sealing, self.clock, can_mail=bool(self.settings.mail_sender)
        )

    @cached_property
    def seats(self) -> Seats:
        """Seats in sessions."""
        from vestibule.domain.seats import Seats
        from vestibule.store.seats import SeatStore

        return Seats(
            SeatStore(self._passes), self._visit_store, self._session_store, clock=self.clock, random=self.random
        )

    @cached_property
    def attendance(self) -> Attendance:
        """Who was in a session."""
        from vestibule.domain.attendance import Attendance

        return Attendance(self._visit_store, self._session_store, self.clock)

    @cached_property
    def presence(self) -> Presence:
        """Who is in a session now."""
        from vestibule.domain.presence import Presence

        return Presence(self._visit_store, self._session_store, self._waiting_store, self.clock)

    @cached_property
    def audit(self) -> AuditTrail:
        """The audit trail."""
        from vestibule.domain.audit import AuditTrail
        from vestibule.store.journal import AuditStore

        return AuditTrail(AuditStore(self._table(self.settings.journal_table)), self.clock, self.random)

    @cached_property
    def credentials(self) -> Credentials:
        """Judge of Authorization headers."""
        from vestibule.domain.credentials import Credentials

        return Credentials(self.clients, self.access_token_reader)

    @cached_property
    def access_token_reader(self) -> AccessTokenReader:
        """Reads access tokens."""
        from vestibule.domain.access_tokens import AccessTokenReader, kind_of

        return AccessTokenReader(kind_of(self.settings.api_origin), self.verifier, self.clock)

    @cached_property
    def access_token_issuer(self) -> AccessTokenIssuer:
        """Makes access tokens."""
        from vestibule.domain.access_tokens import AccessTokenIssuer, kind_of

        return AccessTokenIssuer(kind_of(self.settings.api_origin), self._signer, self.clock, self.random)

    @cached_property
    def verifier(self) -> Verifier:
        """The published keys."""
        from vestibule.domain.signing_keys import Verifier

        return Verifier(self._published_keys, self.clock)

    @cached_property
    def key_rotation(self) -> KeyRotation:
        """Keeps the signing keys in order."""
        from vestibule.domain.signing_keys import KeyRotation
        from vestibule.tokens import new_key

        return KeyRotation(self._keyring, self._published_keys, self.clock, new_key)

    @cached_property
    def client_store(self) -> ClientStore:
        """API clients as stored, for the operator's own transaction over them."""
        from vestibule.store.directory.clients import ClientStore

        return ClientStore(self._directory)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The one DynamoDB client."""
        from vestibule.store.aws import dynamodb_client

        return self._given_dynamodb or dynamodb_client(self._session)

    # --- what only the rooms need -----------------------------------------------------------

    @cached_property
    def _session(self) -> Session:
        from botocore.session import get_session

        return get_session()

    @cached_property
    def _signer(self) -> Signer:
        from vestibule.domain.signing_keys import Signer

        return Signer(self._keyring, self.clock)

    @cached_property
    def _keyring(self) -> KeyringStore:
        from vestibule.store.keyrings import KeyringStore

        return KeyringStore(self._secrets_manager, self.settings.signing_keys_secret)

    @cached_property
    def _published_keys(self) -> PublishedKeyStore:
        from vestibule.store.directory.published import PublishedKeyStore

        return PublishedKeyStore(self._directory)

    @cached_property
    def _user_store(self) -> UserStore:
        from vestibule.store.directory.users import UserStore

        return UserStore(self._directory)

    @cached_property
    def _session_store(self) -> SessionStore:
        from vestibule.store.directory.sessions import SessionStore

        return SessionStore(self._directory)

    @cached_property
    def _delivery_store(self) -> DeliveryStore:
        from vestibule.store.directory.deliveries import DeliveryStore

        return DeliveryStore(self._directory)

    @cached_property
    def _leases(self) -> Leases:
        from vestibule.domain.leases import Leases
        from vestibule.store.outbox import LeaseStore

        return Leases(LeaseStore(self._passes), self.clock, self.random)

    @cached_property
    def _mail_carrier(self) -> MailCarrier:
        from vestibule.store.aws import ses_client
        from vestibule.store.carriers import MailCarrier

        ses = self._given_ses or ses_client(self._session)
        return MailCarrier(ses, self.settings.mail_sender, self.settings.mail_configuration_set)

    @cached_property
    def _sqs(self) -> SQSClient:
        from vestibule.store.aws import sqs_client

        return self._given_sqs or sqs_client(self._session)

    @cached_property
    def _sealing(self) -> Sealing:
        from vestibule.sealing import Sealing
        from vestibule.store.master_key import MasterKeyStore

        def read() -> bytes:
            # Made when the first link is: many calls of a function show none.
            return MasterKeyStore(self._secrets_manager, self.settings.master_key_secret).read()

        return Sealing(read, self.random.token_bytes)

    @cached_property
    def _secrets_manager(self) -> SecretsManagerClient:
        from vestibule.store.aws import secrets_manager_client

        return self._given_secrets_manager or secrets_manager_client(self._session)

    @cached_property
    def _room_store(self) -> RoomStore:
        from vestibule.store.directory.rooms import RoomStore

        return RoomStore(self._directory)

    @cached_property
    def _waiting_store(self) -> WaitingStore:
        from vestibule.store.waiting import WaitingStore

        return WaitingStore(self._passes, self._directory)

    @cached_property
    def _login_store(self) -> LoginStore:
        from vestibule.store.passes import LoginStore

        return LoginStore(self._passes)

    @cached_property
    def _visit_store(self) -> VisitStore:
        from vestibule.store.visits import VisitStore

        return VisitStore(self._table(self.settings.journal_table))

    @cached_property
    def _directory(self) -> Table:
        return self._table(self.settings.directory_table)

    @cached_property
    def _passes(self) -> Table:
        return self._table(self.settings.passes_table)

    def _table(self, name: str) -> Table:
        from vestibule.store.table import Table

        # Jitter between retries needs no cryptographic randomness.
        return Table(self.dynamodb, name, draw=ordinary_random.random, pause=self.pause)
