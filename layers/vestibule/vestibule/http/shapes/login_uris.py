"""Login URIs on the wire."""

from typing import Any

from pydantic import Field

from vestibule.clock import to_rfc3339
from vestibule.domain.login_uris import Issued, State
from vestibule.errors import FieldError, InvalidError
from vestibule.http.api import Body
from vestibule.model import Login


class LoginUriIssue(Body):
    """Body of ``POST /v1/login-uris``: one of ``user_id`` and ``external_id``."""

    user_id: str | None = None
    external_id: str | None = None
    redirect_to_uri_on_expiry: str | None = None
    next_path: str | None = Field(default=None, alias="next")

    def who(self) -> dict[str, str]:
        """Return which user is meant, as keyword of `LoginUris.issue`.

        Raises
        ------
        InvalidError
            Neither or both are named.
        """
        named = {"user_id": self.user_id, "external_id": self.external_id}
        given = {name: value for name, value in named.items() if value}
        if len(given) != 1:
            detail = "user_id: name the user by either user_id or external_id."
            raise InvalidError(FieldError("user_id", "one_of", detail))
        return given


def issued_out(issued: Issued, hub_url: str) -> dict[str, Any]:
    """Return a new login URI; the only answer that ever holds it."""
    return {
        "login_guid": issued.guid,
        "login_uri": f"{hub_url}/login/{issued.guid}",
        "redirect_to_uri_on_expiry": issued.login.redirect_to_uri_on_expiry,
        "user_id": issued.login.user_id,
        "expires_at": to_rfc3339(issued.login.redeem_before),
    }


def state_out(guid: str, login: Login, state: State) -> dict[str, Any]:
    """Return where a login is in its life, with the moments that led there."""
    moments = {
        "created_at": login.created_at,
        "expires_at": login.redeem_before,
        "redeemed_at": login.redeemed_at,
        "idle_until": login.idle_until,
        "live_until": login.live_until,
        "revoked_at": login.revoked_at,
        "ended_at": login.ended_at,
    }
    return {
        "login_guid": guid,
        "user_id": login.user_id,
        "state": state,
        **{name: None if at is None else to_rfc3339(at) for name, at in moments.items()},
    }
