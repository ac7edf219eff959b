"""OnSync's check of credentials, and its users (version 2); the answers are [ours]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.dialects.onsync.wire import required

if TYPE_CHECKING:
    from vestibule.dialects.onsync.wire import Ask


def verify(_: Ask) -> dict[str, Any]:
    """``GET /authverify``: whoever comes here was let in."""
    return {"status": True}


def create(ask: Ask) -> dict[str, Any]:
    """``PUT /user``."""
    members = ask.members
    email = members.text("email")
    if email is None:
        raise required("email")
    name = " ".join(filter(None, (members.text("first_name"), members.text("last_name"))))
    fields = {"full_name": name or email.partition("@")[0], "email": email}
    if password := members.verbatim("password"):
        fields["password"] = password
    user = ask.house.users.create(ask.account_id, fields)
    return {"id": int(user.user_id), "message": "User added"}
