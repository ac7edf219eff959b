"""The account and its API clients on the wire."""

from typing import Any, Literal

from vestibule.clock import to_rfc3339
from vestibule.http.api import Body
from vestibule.model import Account, Client, Stage, StageKind


class NavigationLinkIn(Body):
    """One link of the navigation."""

    label: str
    url: str


class StageIn(Body):
    """Where the sessions' media happen; which members a kind has, `vestibule.domain.stages` says.

    Attributes
    ----------
    secret
        Key that the stage's grants are signed with; never shown again.
    """

    kind: Literal["url", "livekit", "jitsi"]
    url: str | None = None
    opens_application: bool | None = None
    server_url: str | None = None
    app_id: str | None = None
    key_id: str | None = None
    attendees_publish: bool | None = None
    in_place: bool | None = None
    secret: str | None = None


class AccountChange(Body):
    """Body of ``PATCH /v1/account``: members left out stay, ``null`` is the default."""

    name: str = ""
    slug: str = ""
    logo_url: str | None = None
    portal_url: str | None = None
    colors: dict[str, str] | None = None
    navigation: list[NavigationLinkIn] | None = None
    redirect_uris: list[str] | None = None
    idle_timeout_minutes: int | None = None
    sign_in_lifetime_minutes: int | None = None
    revoke_on_reuse: bool | None = None
    revoke_ends_sign_in: bool | None = None
    require_passkey: bool | None = None
    password_sign_in: bool | None = None
    launch_panel_only: bool | None = None
    allowed_origins: list[str] | None = None
    sso_token_once: bool | None = None
    locale: str | None = None
    stage: StageIn | None = None
    embed_token_minutes: int | None = None
    seat_policy: Literal["kick_old", "reject_new"] | None = None
    frame_ancestors: list[str] | None = None


class ClientCreate(Body):
    """Body of ``POST /v1/account/clients``."""

    name: str
    scopes: list[str]


def account_out(account: Account, hub_url: str) -> dict[str, Any]:
    """Return an account as the API shows it to itself."""
    return {
        "id": account.account_id,
        "slug": account.slug,
        "hub_url": hub_url,
        "name": account.name,
        "logo_url": account.logo_url,
        "portal_url": account.portal_url,
        "colors": dict(account.colors),
        "navigation": [{"label": link.label, "url": link.url} for link in account.navigation],
        "redirect_uris": list(account.redirect_uris),
        "idle_timeout_minutes": account.idle_timeout_minutes,
        "sign_in_lifetime_minutes": account.sign_in_lifetime_minutes,
        "revoke_on_reuse": account.revoke_on_reuse,
        "revoke_ends_sign_in": account.revoke_ends_sign_in,
        "require_passkey": account.require_passkey,
        "password_sign_in": account.password_sign_in,
        "launch_panel_only": account.launch_panel_only,
        "allowed_origins": list(account.allowed_origins),
        "sso_token_once": account.sso_token_once,
        "locale": account.locale,
        "stage": None if account.stage is None else _stage_out(account.stage),
        "embed_token_minutes": account.embed_token_minutes,
        "seat_policy": account.seat_policy,
        "frame_ancestors": list(account.frame_ancestors),
        "created_at": to_rfc3339(account.created_at),
        "updated_at": to_rfc3339(account.updated_at),
    }


def _stage_out(stage: Stage) -> dict[str, Any]:
    """Return a stage with the members of its kind, and whether its secret is set."""
    members: dict[str, Any] = {"kind": stage.kind, "url": stage.url, "opens_application": stage.opens_application}
    members |= {"in_place": stage.in_place}
    match stage.kind:
        case StageKind.LIVEKIT:
            members |= {"server_url": stage.server_url, "key_id": stage.key_id}
            members |= {"attendees_publish": stage.attendees_publish}
        case StageKind.JITSI:
            members |= {"app_id": stage.app_id, "key_id": stage.key_id}
    return {**members, "secret_set": stage.sealed_secret is not None}


def client_out(client: Client, secret: str | None = None) -> dict[str, Any]:
    """Return an API client; with its secret only when that is new."""
    shown = {} if secret is None else {"client_secret": secret}
    return {
        "client_id": client.client_id,
        **shown,
        "name": client.name,
        "scopes": list(client.scopes),
        "secrets": [
            {
                "created_at": to_rfc3339(known.created_at),
                "expires_at": None if known.expires_at is None else to_rfc3339(known.expires_at),
            }
            for known in client.secrets
        ],
        "created_at": to_rfc3339(client.created_at),
    }
