"""Refusals as RFC 9457 problem documents: the one table from error to status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotFoundError,
    ReusedKeyError,
    TooManyError,
    UnauthenticatedError,
    UnavailableError,
    VersionMismatchError,
    VestibuleError,
)

if TYPE_CHECKING:
    from vestibule.http.event import Answer

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"
"""Seconds; a throttled table, a failed call or another's work is usually over by then."""


class RequestError(VestibuleError):
    """A request that cannot be read at all.

    Attributes
    ----------
    status
        The HTTP status that says so.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status = status


_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    412: "Precondition failed",
    413: "Body too large",
    415: "Unsupported media type",
    422: "Invalid request",
    429: "Too many requests",
    500: "Internal error",
    503: "Temporarily unavailable",
}
_STATUS = {
    InvalidError: 422,
    ReusedKeyError: 422,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    VersionMismatchError: 412,
    TooManyError: 429,
    InternalError: 500,
    UnavailableError: 503,
}


def status_of(error: VestibuleError) -> int:
    """Return the HTTP status of a refusal, on every front door alike."""
    if isinstance(error, RequestError):
        return error.status
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)


def problem(error: VestibuleError, request_id: str) -> Answer:
    """Return a refusal as an answer of the native API."""
    status = status_of(error)
    document = _document(status, error.code, error.detail, request_id)
    document |= further_members(error)
    return _answer(status, document, _retry_after(error))


def _retry_after(error: VestibuleError) -> str | None:
    if isinstance(error, TooManyError):
        return str(error.retry_after)
    return RETRY_AFTER if isinstance(error, BusyError | UnavailableError) else None


def further_members(error: VestibuleError) -> dict[str, Any]:
    """Return what a refusal tells beyond code and detail: fields, or ids of what stands in the way."""
    if isinstance(error, ConflictError):
        return dict(error.facts)
    if isinstance(error, InvalidError):
        return {"errors": [{"field": e.field, "code": e.code, "detail": e.detail} for e in error.errors]}
    return {}


def _document(status: int, code: str, detail: str, request_id: str) -> dict[str, Any]:
    return {
        "type": f"urn:vestibule:problem:{code}",
        "title": _TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }


def _answer(status: int, document: dict[str, Any], retry_after: str | None) -> Answer:
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    if status == 401:  # noqa: PLR2004 - the status is its own name
        headers["WWW-Authenticate"] = 'Basic realm="vestibule", Bearer realm="vestibule"'
    return {
        "statusCode": status,
        "headers": headers,
        "body": json.dumps(document, ensure_ascii=False),
        "isBase64Encoded": False,
    }
