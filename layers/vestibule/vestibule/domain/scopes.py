"""What an API client may do: scopes, as in RFC 6749 section 3.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vestibule.errors import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCOUNT_READ: Final = "account:read"
ACCOUNT_WRITE: Final = "account:write"
CLIENTS_WRITE: Final = "clients:write"
USERS_READ: Final = "users:read"
USERS_WRITE: Final = "users:write"
ROOMS_READ: Final = "rooms:read"
ROOMS_WRITE: Final = "rooms:write"
LOGIN_URIS_READ: Final = "login_uris:read"
LOGIN_URIS_WRITE: Final = "login_uris:write"
SESSIONS_READ: Final = "sessions:read"
SESSIONS_WRITE: Final = "sessions:write"
EMBEDS_WRITE: Final = "embeds:write"
APP_SECRETS_WRITE: Final = "app_secrets:write"
REGISTRANTS_READ: Final = "registrants:read"
REGISTRANTS_WRITE: Final = "registrants:write"
ATTENDANCE_READ: Final = "attendance:read"

ALL: Final = (
    ACCOUNT_READ,
    ACCOUNT_WRITE,
    CLIENTS_WRITE,
    USERS_READ,
    USERS_WRITE,
    ROOMS_READ,
    ROOMS_WRITE,
    LOGIN_URIS_READ,
    LOGIN_URIS_WRITE,
    SESSIONS_READ,
    SESSIONS_WRITE,
    EMBEDS_WRITE,
    APP_SECRETS_WRITE,
    REGISTRANTS_READ,
    REGISTRANTS_WRITE,
    ATTENDANCE_READ,
)
"""Every scope, in the order in which they are listed to people."""


def require(scope: str, granted: Iterable[str]) -> None:
    """Let a caller pass who was granted a scope.

    Raises
    ------
    ForbiddenError
        The caller was not.
    """
    if scope not in granted:
        raise ForbiddenError("insufficient_scope", f"This call needs the scope {scope}.")
