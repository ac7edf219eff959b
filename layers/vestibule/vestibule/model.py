"""The records of the house: plain data, without a rule and without a table.

Times are milliseconds since the epoch.  ``None`` means "not set" and is never
stored.  Records are frozen; a change is a new record that the store wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """Whether an account or a user may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"


class Role(StrEnum):
    """What a user is to the portal."""

    PROVIDER = "provider"
    MEMBER = "member"
    GUEST = "guest"


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationLink:
    """One entry of the account's navigation on every hub page."""

    label: str
    url: str


class StageKind(StrEnum):
    """Which kind of place a session's media happen at."""

    URL = "url"
    LIVEKIT = "livekit"
    JITSI = "jitsi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the media of an account's sessions happen; see `vestibule.domain.stages`.

    Attributes
    ----------
    url
        Address of the stage's own page, with placeholders such as ``{grant}``.
    opens_application
        Whether that address leads out of the browser.
    server_url
        LiveKit's server.
    app_id
        The application's id at Jitsi.
    key_id
        Id of the key that grants are signed with: LiveKit's API key, JaaS's key id.
    attendees_publish
        Whether attendees may send picture and sound (LiveKit).
    in_place
        Whether the hub's page shows it in a frame and stays around it; else the browser goes there.
    sealed_secret
        The stage's secret key, sealed; only the house can read it.
    """

    kind: StageKind
    url: str
    opens_application: bool = False
    server_url: str | None = None
    app_id: str | None = None
    key_id: str | None = None
    attendees_publish: bool = True
    in_place: bool = True
    sealed_secret: str | None = field(default=None, repr=False)


class SeatPolicy(StrEnum):
    """What happens when somebody joins a session in which they sit already."""

    KICK_OLD = "kick_old"
    REJECT_NEW = "reject_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A tenant: one portal's company.

    Attributes
    ----------
    slug
        First label of the account's hub host.
    portal_url
        Where a visitor who is lost here goes back to.
    redirect_uris
        Addresses that a browser may be sent to; see `vestibule.domain.redirects`.
    idle_timeout_minutes
        Inactivity that ends a sign-in.
    sign_in_lifetime_minutes
        Age that ends a sign-in, however active.
    revoke_on_reuse
        Whether a second redemption by somebody else ends the first sign-in.
    revoke_ends_sign_in
        Whether revoking a redeemed login URI ends its sign-in.
    require_passkey
        Whether a connect code lets nobody in without the participant's passkey.
    password_sign_in
        Whether the sign-in page takes a name and a password.
    launch_panel_only
        Whether the dashboard is nothing but the panel of the one session that a link names.
    allowed_origins
        Origins whose pages may call the API from a browser.
    sso_token_once
        Whether an SSO token lets one browser in and no other, instead of any until it expires.
    locale
        Language of its pages and mails for those who have none of their own (BCP 47).
    stage
        Where its sessions' media happen; None until the account has set one.
    embed_token_minutes
        How long an embed token that the API makes is good for entering.
    seat_policy
        Which of two pages of one person gets the seat.
    frame_ancestors
        Origins whose pages may show the account's sessions in a frame.
    version
        Rises by one with every change.
    """

    account_id: str
    slug: str
    name: str
    created_at: int
    updated_at: int
    status: Status = Status.ACTIVE
    logo_url: str | None = None
    portal_url: str | None = None
    colors: Mapping[str, str] = field(default_factory=dict)
    navigation: tuple[NavigationLink, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    idle_timeout_minutes: int = 240
    sign_in_lifetime_minutes: int = 1_440
    revoke_on_reuse: bool = False
    revoke_ends_sign_in: bool = True
    require_passkey: bool = False
    password_sign_in: bool = True
    launch_panel_only: bool = False
    allowed_origins: tuple[str, ...] = ()
    sso_token_once: bool = False
    locale: str | None = None
    stage: Stage | None = None
    embed_token_minutes: int = 60
    seat_policy: SeatPolicy = SeatPolicy.KICK_OLD
    frame_ancestors: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """One live secret of an API client, as its digest.

    Attributes
    ----------
    expires_at
        Set when a rotation has given the client a newer one.
    """

    digest: str
    created_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An API client of an account: ``client_id`` plus one or two live secrets.

    Attributes
    ----------
    account_status
        The account's status, written here together with the account's own, so
        that authenticating a client reads one item.
    """

    client_id: str
    account_id: str
    name: str
    scopes: tuple[str, ...]
    secrets: tuple[ClientSecret, ...]
    created_at: int
    account_status: Status = Status.ACTIVE
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """One live key of an application secret; the key itself is derived and stored nowhere.

    Attributes
    ----------
    number
        Counts the secret's rotations from 1.
    expires_at
        Set when a rotation has given the secret a newer one.
    """

    number: int
    created_at: int
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSecret:
    """What a portal signs embed tokens with by itself: one or two live keys."""

    secret_id: str
    account_id: str
    name: str
    keys: tuple[AppKey, ...]
    created_at: int
    version: int = 1

    def kid(self, key: AppKey) -> str:
        """Return the name of a key, which a token carries in its header."""
        return f"{self.secret_id}.{key.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A registered person of an account.

    Attributes
    ----------
    external_id
        The portal's own id of the person, unique in the account.
    username
        Sign-in name, unique in the account without regard to case.
    password_hash
        argon2id, in its own encoded form.
    signed_out_at
        Sign-ins begun at or before this moment are over ("sign out everywhere").
    extras
        What a dialect's client keeps here and wants back; see `vestibule.dialects`.
    """

    user_id: str
    account_id: str
    full_name: str
    created_at: int
    updated_at: int
    role: Role = Role.MEMBER
    status: Status = Status.ACTIVE
    external_id: str | None = None
    email: str | None = None
    time_zone: str | None = None
    locale: str | None = None
    username: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    signed_out_at: int | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    def honours(self, moment: int) -> bool:
        """Tell whether what began at a moment (milliseconds since the epoch) still lets the user in."""
        return self.status is Status.ACTIVE and moment > (self.signed_out_at or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A waiting room, with the users (providers) who receive people in it.

    Attributes
    ----------
    code
        Short name that a portal hands out, unique in the account without regard to case.
    slug, domain
        Last segment of the room's door and the host that it is for; as a pair
        unique in the account without regard to case.
    user_ids
        Users who are assigned to the room.
    """

    room_id: str
    account_id: str
    name: str
    code: str
    slug: str
    domain: str
    created_at: int
    updated_at: int
    user_ids: frozenset[str] = frozenset()
    version: int = 1


class WaitingState(StrEnum):
    """What has become of somebody at a room's door."""

    WAITING = "waiting"
    ADMITTED = "admitted"
    TURNED_AWAY = "turned_away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Somebody at a room's door; one entry of the room's waiting list.

    Attributes
    ----------
    key
        Who it is: ``user:``, ``participant:`` or ``guest:`` and an id; once in a list.
    since
        When they came.
    seen_at
        The last sign of their page, to within a minute.
    proof
        Digest of what their page proves itself with.
    is_walk_in
        Whether they came to the room's own door, and not to a session in it.
    session_id
        The session that they wait for; for a walk-in, the one that they are admitted to.
    participant_id
        Of an admitted walk-in, as whom they take part in it: without one they are not quite in yet.
    decided_by, decided_at
        Which user admitted them or turned them away, and when.
    """

    key: str
    name: str
    since: int
    seen_at: int
    proof: str
    is_walk_in: bool = True
    state: WaitingState = WaitingState.WAITING
    session_id: str | None = None
    participant_id: str | None = None
    decided_by: str | None = None
    decided_at: int | None = None


class ClaimState(StrEnum):
    """Where a creation under an idempotency key is."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A creation that was asked for with an idempotency key, and what came of it.

    Attributes
    ----------
    key
        SHA-256 over account, client, route and the caller's key, hex.
    fingerprint
        Mark of the body, keyed with the caller's key, which is stored nowhere.
    object_id
        Id of the new object, the same in every attempt.
    lease_until
        First moment at which another attempt may take over.
    revision
        Drawn anew with every write, so that no two attempts write the same.
    """

    key: str
    fingerprint: str
    object_id: str
    state: ClaimState
    lease_until: int
    revision: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login URI and, once redeemed, the sign-in that it became: one item, one life.

    Attributes
    ----------
    key
        SHA-256 of the GUID, hex; the GUID itself is nowhere.
    slug
        The hub host on which alone it opens.
    redeem_before
        First moment at which it is no longer accepted.
    idle_timeout, lifetime
        Milliseconds; copied from the account so that redeeming reads nothing.
    end_on_reuse
        Whether a second redemption by somebody else ends the sign-in; copied too.
    next
        Hub path to land on instead of the dashboard.
    attempt
        Id of the request that redeemed it; recognises the SDK's own retry.
    browser_mark
        Keyed mark of the redeeming browser; recognises a double click.
    secret_digest
        Digest of the sign-in's secret, which only the cookie holds.
    idle_until, live_until
        First moments at which the sign-in is over by inactivity, by age.
    sso_token
        Key of the SSO token that it came from, if it did.
    """

    key: str
    account_id: str
    user_id: str
    slug: str
    created_at: int
    redeem_before: int
    idle_timeout: int
    lifetime: int
    end_on_reuse: bool = False
    redirect_to_uri_on_expiry: str | None = None
    next: str | None = None
    redeemed_at: int | None = None
    attempt: str | None = None
    browser_mark: str | None = None
    secret_digest: str | None = None
    idle_until: int | None = None
    live_until: int | None = None
    revoked_at: int | None = None
    ended_at: int | None = None
    sso_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoToken:
    """A token that signs its user in at the hub, by default as often as it is brought until it expires.

    Attributes
    ----------
    key
        SHA-256 of the token, hex; the token itself is nowhere.
    slug
        The hub host on which alone it opens.
    expires_at
        First moment at which it is no longer accepted.
    once
        Whether the first browser spends it.
    next
        Hub path to land on when the link names none.
    spent_at
        When it let in the one browser that it was for.
    """

    key: str
    account_id: str
    user_id: str
    slug: str
    created_at: int
    expires_at: int
    once: bool = False
    next: str | None = None
    spent_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Something that happened and that somebody may have to answer for.

    Attributes
    ----------
    subject
        What it happened to, such as ``login#<key>``; events of one subject are
        kept together, so that no key is written by many at once.
    kind
        Dotted name, such as ``login_uri.reused``.
    facts
        Ids and addresses; never a secret, a name or an e-mail address.
    """

    event_id: str
    account_id: str
    subject: str
    kind: str
    at: int
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One ES256 key, with the moments that decide its use.

    Attributes
    ----------
    signs_from
        First moment at which signers use it; it is published an hour earlier.
    private_key
        PKCS #8 PEM; None in the published set.
    public_key
        The JWK (RFC 7517) without private members.
    """

    kid: str
    published_at: int
    signs_from: int
    public_key: Mapping[str, str]
    private_key: str | None = None


class EventKind(StrEnum):
    """What was written that somebody has to hear of."""

    INVITED = "invited"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    REMOVED = "removed"
    REMINDED = "reminded"
    REGISTERED = "registered"
    LINK_ASKED = "link_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """What a write causes; it lies on the written item and leaves by the table's stream.

    Attributes
    ----------
    event_id
        Drawn with the write; another write of the item that keeps it causes nothing.
    at
        Milliseconds since the epoch.
    """

    event_id: str
    kind: EventKind
    at: int


class LinkPurpose(StrEnum):
    """What a mailed link is good for."""

    SIGN_IN = "sign_in"
    PASSWORD = "password"  # noqa: S105 - a purpose, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Somebody asked at the hub for a link by mail; it waits for the worker, which forgets it.

    Attributes
    ----------
    sealed
        What the person wrote and where they were going, sealed: whether it names anybody is
        found out by the worker, so that the hub's answer cannot tell.
    event
        Its id names the request.
    """

    account_id: str
    purpose: LinkPurpose
    sealed: str
    event: OutboxEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MailedLink:
    """A link that was mailed to a user: good for one use, within minutes.

    Attributes
    ----------
    key
        SHA-256 of the token, hex; the token itself is derived and stored nowhere.
    email_mark
        Keyed mark of the address that it went to.
    created_at
        When it was asked for.
    usable_until
        First moment at which it is no longer accepted.
    """

    key: str
    account_id: str
    user_id: str
    purpose: LinkPurpose
    email_mark: str
    created_at: int
    usable_until: int
    used_at: int | None = None


class Channel(StrEnum):
    """How a participant wants to hear of a session."""

    EMAIL = "email"
    SMS = "sms"
    NONE = "none"


class DeliveryState(StrEnum):
    """How far a letter got."""

    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"
    SKIPPED = "skipped"
    """There was no point in it any more when its turn came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the last letter to a participant.

    Attributes
    ----------
    caused_at
        When the event was written; the letter of an older one never replaces it.
    message_id
        The carrier's own id of the message, None when it took none.
    reason
        Stable word that says why it failed or was skipped, snake_case.
    """

    account_id: str
    session_id: str
    participant_id: str
    event_id: str
    caused_at: int
    channel: Channel
    state: DeliveryState
    at: int
    message_id: str | None = None
    reason: str | None = None


class Rsvp(StrEnum):
    """What an invited person answered."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class SessionStatus(StrEnum):
    """Whether a session takes place."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


class ParticipantRole(StrEnum):
    """What a person is in a session."""

    HOST = "host"
    PRESENTER = "presenter"
    ORGANIZER = "organizer"
    ATTENDEE = "attendee"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who may sign up for a session by themselves, and when.

    Attributes
    ----------
    public
        Whether the session has a public registration page.
    capacity
        Registrants at most, None for no limit.
    generation
        Rises with every change of the capacity: each limit has counters of its own.
    """

    public: bool = False
    capacity: int | None = None
    opens_at: int | None = None
    closes_at: int | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """What an invitation says of a session: the part whose change people must hear of."""

    title: str
    starts_at: int
    duration_minutes: int
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A video meeting, webinar or event; never a browser's state.

    Attributes
    ----------
    external_id, friendly_url
        Each unique in the account.
    password_hash
        argon2id; asked of those who come by the generic link.
    presenters, organizers
        E-mail addresses or the portal's user ids, matched when a person joins.
    metadata
        The portal's own JSON object, as text.
    former
        What the last change of the appointment replaced.
    event
        The last change or cancellation that everybody invited hears of.
    extras
        What a dialect's client keeps here and wants back.
    version
        Rises by one with every change; the entity tag.
    """

    session_id: str
    account_id: str
    title: str
    host_user_id: str
    starts_at: int
    duration_minutes: int
    time_zone: str
    created_at: int
    updated_at: int
    status: SessionStatus = SessionStatus.SCHEDULED
    room_id: str | None = None
    external_id: str | None = None
    friendly_url: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    presenters: tuple[str, ...] = ()
    organizers: tuple[str, ...] = ()
    registration: Registration = Registration()
    metadata: str = "{}"
    cancelled_at: int | None = None
    former: Appointment | None = None
    event: OutboxEvent | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def appointment(self) -> Appointment:
        """What an invitation says of it."""
        return Appointment(
            title=self.title,
            starts_at=self.starts_at,
            duration_minutes=self.duration_minutes,
            time_zone=self.time_zone,
        )

    @property
    def ends_at(self) -> int:
        """First moment at which the session is over."""
        return self.starts_at + self.duration_minutes * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person invited to a session: a registered user, or a guest.

    Attributes
    ----------
    identity
        Digest of who it is (user, else e-mail, else name); unique in the session.
    position
        Place in the call that added it; orders those of one moment.
    sealed_code
        The connect code, sealed; only the house can read it.
    link_version
        Rises when personal link and passkey are rotated.
    notify
        How this person hears of the session by itself.
    batch
        Id of the call that added the person, when it had an Idempotency-Key.
    removed_at
        Set on what is left of a person who was told of the session and then
        removed: nobody any more, until the same person is added again.
    event
        The last thing that this person alone hears of.
    extras
        What a dialect's client keeps here and wants back.
    """

    participant_id: str
    account_id: str
    session_id: str
    identity: str
    full_name: str
    role: ParticipantRole
    sealed_code: str
    created_at: int
    updated_at: int
    position: int = 0
    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    external_id: str | None = None
    notify: Channel = Channel.NONE
    rsvp: Rsvp = Rsvp.PENDING
    link_version: int = 1
    batch: str | None = None
    removed_at: int | None = None
    event: OutboxEvent | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrant:
    """Somebody who signed up for a session: one e-mail address, one link.

    Attributes
    ----------
    registrant_id
        Follows from session and address (`vestibule.domain.registrants`); unique in the session.
    email_mark
        Keyed mark of the address, in whatever spelling; all that stays after cancelling.
    metadata
        The portal's own JSON object, as text.
    asked_by
        Draw of the call that registered; recognises that call when it is repeated.
    place
        Which of the session's limited places is taken, None where there is no limit.
    link_version
        Rises when the link is rotated, and when somebody who cancelled comes back.
    event
        The confirmation that was asked for with the registration; None where none was, and then
        no other mail either.
    """

    registrant_id: str
    account_id: str
    session_id: str
    email_mark: str
    email: str
    name: str
    asked_by: str
    created_at: int
    updated_at: int
    metadata: str = "{}"
    place: str | None = None
    link_version: int = 1
    event: OutboxEvent | None = None
    version: int = 1


class Entrance(StrEnum):
    """By which way somebody came into a session."""

    DASHBOARD = "dashboard"
    LINK = "link"
    CODE = "code"
    PERSONAL = "personal"
    REGISTRANT = "registrant"
    EMBED = "embed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """The one active place of a person in a session.

    Attributes
    ----------
    key
        Digest of session and person.
    holder
        Digest of the secret that the page holds which sits there.
    visit_id
        The visit that this sitting is, in the journal.
    seen_at, held_until
        When the page was last written down, and the first moment at which it is missed.
    invited_as, email, user_id, own_id, aliases
        What the person's role follows from, see `vestibule.domain.people.Person`.
    former_visit, former_joined_at, former_until
        The sitting that this one took the place of: its visit, and the times of it.
    """

    key: str
    account_id: str
    session_id: str
    holder: str
    visit_id: str
    entrance: Entrance
    role: ParticipantRole
    joined_at: int
    seen_at: int
    held_until: int
    invited_as: ParticipantRole | None = None
    email: str | None = None
    user_id: str | None = None
    own_id: str | None = None
    aliases: tuple[str, ...] = ()
    former_visit: str = ""
    former_joined_at: int = 0
    former_until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """That somebody was in a session, from one moment to another: as much of a visit as adding up needs.

    Attributes
    ----------
    left_at
        The last moment at which the page was known to be there.
    has_left
        Whether it said goodbye or was kicked, so that nothing more is to come.
    """

    visit_id: str
    joined_at: int
    left_at: int
    has_left: bool = False
    email: str | None = None
    user_id: str | None = None
    own_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(Stay):
    """Somebody was in a session, and all that is known of it.

    Attributes
    ----------
    metadata
        The portal's own JSON object about the person, as text.
    """

    account_id: str
    session_id: str
    entrance: Entrance
    role: ParticipantRole
    name: str | None = None
    metadata: str = "{}"
