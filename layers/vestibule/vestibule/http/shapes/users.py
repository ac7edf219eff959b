"""Users on the wire."""

from collections.abc import Iterable
from typing import Any, Literal

from vestibule.clock import to_rfc3339
from vestibule.http.api import Body
from vestibule.model import User


class UserCreate(Body):
    """Body of ``POST /v1/users``."""

    full_name: str
    external_id: str | None = None
    email: str | None = None
    role: Literal["provider", "member", "guest"] = "member"
    time_zone: str | None = None
    locale: str | None = None
    username: str | None = None
    password: str | None = None


class UserChange(Body):
    """Body of ``PATCH /v1/users/{id}``: members left out stay, ``null`` clears."""

    full_name: str = ""
    external_id: str | None = None
    email: str | None = None
    role: Literal["provider", "member", "guest"] = "member"
    time_zone: str | None = None
    locale: str | None = None
    username: str | None = None
    password: str | None = None
    status: Literal["active", "disabled"] = "active"


def user_out(user: User) -> dict[str, Any]:
    """Return a user as the API shows it."""
    return {
        "id": user.user_id,
        "external_id": user.external_id,
        "full_name": user.full_name,
        "email": user.email,
        "role": user.role,
        "time_zone": user.time_zone,
        "locale": user.locale,
        "username": user.username,
        "status": user.status,
        "created_at": to_rfc3339(user.created_at),
        "updated_at": to_rfc3339(user.updated_at),
    }


def users_out(users: Iterable[User], cursor: str | None = None) -> dict[str, Any]:
    """Return a page of users, and where the next begins."""
    return {"items": [user_out(user) for user in users], "cursor": cursor}
