"""Who calls: client credentials for a token, and the token for everything else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vestibule.dialects import reading
from vestibule.dialects.front_door import by_authorization, path_of
from vestibule.dialects.sequel.wire import PlainError, answer, bad_request
from vestibule.errors import UnauthenticatedError
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.domain.clients import Caller
    from vestibule.http.event import Answer, Event
    from vestibule.wiring import House

TOKEN = "/api/oauth/token"  # noqa: S105 - a path

_FOR_A_TOKEN = re.compile(rf".*{TOKEN}", re.IGNORECASE)
_FOR_ANALYTICS = re.compile(r".*/api/analytics/.*", re.IGNORECASE)


def identify(house: House, event: Event) -> Caller:
    """Return who calls, by the body's credentials where tokens are had, by token elsewhere.

    Raises
    ------
    UnauthenticatedError, RequestError
        Nobody who is known.
    """
    path = path_of(event)
    try:
        if _FOR_A_TOKEN.fullmatch(path):
            sent = reading.members(event.body)
            return house.clients.authenticate(sent.text("client_id") or "", sent.text("client_secret") or "")
        return by_authorization(house, event)
    except UnauthenticatedError:
        if _FOR_A_TOKEN.fullmatch(path):
            raise RequestError(401, "invalid_client", "client_id or client_secret is missing or invalid") from None
        if _FOR_ANALYTICS.fullmatch(path):
            raise PlainError(401, "invalid_token", "Token not found") from None
        raise


def token(call: Call) -> Answer:
    """Exchange client credentials for an access token; ``audience`` is read and not needed."""
    if reading.members(call.event.body).text("grant_type") != "client_credentials":
        raise bad_request("grant_type must be client_credentials")
    issued = call.house.access_token_issuer.issue(call.caller)
    seconds = issued.expires_in
    return answer(
        200, {"access_token": issued.token, "token_type": "Bearer", "expires": seconds, "expires_in": seconds}
    )
