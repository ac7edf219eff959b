"""``POST /v1/oauth/token``: client credentials for an access token (RFC 6749, 4.4).

Errors are RFC 6749's own (5.2), unknown parameters are ignored, and the body may
be a form or JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.domain.access_tokens import InvalidScopeError
from vestibule.domain.credentials import basic
from vestibule.errors import InternalError, UnauthenticatedError, VestibuleError
from vestibule.http import logs
from vestibule.http.handler import handler
from vestibule.http.problems import RETRY_AFTER, RequestError, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

BODY_LIMIT = 16 * 1_024
"""Bytes."""

_GRANT = "client_credentials"


class OAuthError(RequestError):
    """A refusal in RFC 6749's words (5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(status, error, description)


def token_endpoint(house: House) -> Handler:
    """Return the handler of the token endpoint."""

    def serve(event: Event) -> Answer:
        return _answer(200, _grant(house, event))

    return handler(serve, _refuse)


def _grant(house: House, event: Event) -> dict[str, Any]:
    parameters = _parameters(event)
    grant = parameters.get("grant_type", "")
    if not grant:
        raise OAuthError("invalid_request", "grant_type is required.")
    client_id, secret = _client_credentials(event, parameters)
    try:
        caller = house.clients.authenticate(client_id, secret)
    except UnauthenticatedError:
        raise OAuthError("invalid_client", "The client is unknown or its secret wrong.", 401) from None
    logs.about(account_id=caller.account_id, client_id=caller.client_id)
    if grant != _GRANT:
        raise OAuthError("unsupported_grant_type", f"grant_type must be {_GRANT}.")
    try:
        token = house.access_token_issuer.issue(caller, tuple(parameters.get("scope", "").split()))
    except InvalidScopeError as refused:
        raise OAuthError("invalid_scope", refused.detail) from None
    return {
        "access_token": token.token,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
        "scope": " ".join(token.scopes),
    }


def _parameters(event: Event) -> Mapping[str, str]:
    if len(event.body) > BODY_LIMIT:
        raise OAuthError("invalid_request", "The body is too large.", 413)
    if event.content_type != "application/json":
        return event.form()
    try:
        document = json.loads(event.body)
    except (ValueError, RecursionError):
        raise OAuthError("invalid_request", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise OAuthError("invalid_request", "The body must be a JSON object.")
    return {name: value for name, value in document.items() if isinstance(value, str)}


def _client_credentials(event: Event, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Return the client's credentials from the header or the body, not both (RFC 6749, 2.3)."""
    header = event.headers.get("authorization")
    in_body = "client_secret" in parameters
    if header and in_body:
        raise OAuthError("invalid_request", "Send the credentials once: header or body.")
    if header:
        try:
            return basic(header)
        except UnauthenticatedError:
            raise OAuthError("invalid_client", "The header is not Basic.", 401) from None
    if not in_body or "client_id" not in parameters:
        raise OAuthError("invalid_client", "The client's credentials are missing.", 401)
    return parameters["client_id"], parameters["client_secret"]


def _refuse(_: Event, error: VestibuleError) -> Answer:
    status = status_of(error)
    code = "server_error" if isinstance(error, InternalError) else error.code
    answer = _answer(status, {"error": code, "error_description": error.detail})
    if status == 401:  # noqa: PLR2004 - the status is its own name
        answer["headers"]["WWW-Authenticate"] = 'Basic realm="vestibule"'
    if status == 503:  # noqa: PLR2004
        answer["headers"]["Retry-After"] = RETRY_AFTER
    return answer


def _answer(status: int, body: dict[str, Any]) -> Answer:
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "Pragma": "no-cache",
            "X-Content-Type-Options": "nosniff",
        },
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }
