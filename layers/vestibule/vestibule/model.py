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
    version: int = 1


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
