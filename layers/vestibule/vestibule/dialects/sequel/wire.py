"""Sequel's answers, refusals and names.

Everything of the dialect that is marked [ours], because the vendor's answer is unknown, is here:

- texts of refusals but those that its documentation quotes, and that a duplicate
  registrant is a 400;
- `CREATOR`, `EVENTS_FROM`, `EVENTS_AT_MOST`, `ENTRIES_AT_MOST`;
- a deleted event is answered as it was, and is an unknown one from then on;
- times without an offset are the event's own zone's, an event lasts whole minutes;
- an embed for somebody without any id is for somebody new;
- the members of an activity, and that its ``page`` and ``size`` are those asked for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY
from vestibule.dialects.front_door import too_much
from vestibule.domain.sessions import BothRolesError
from vestibule.errors import (
    ConflictError,
    InvalidError,
    UnauthenticatedError,
    UnavailableError,
    VestibuleError,
    no_such_session,
)
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.errors import FieldError
    from vestibule.http.event import Answer, Event
    from vestibule.model import Account, Session

CREATOR = "sequel:creator"
"""external_id of the user who hosts every event: a session has a host, and an event has none."""
EVENTS_FROM = 365 * DAY
"""How far back the list of a company's events goes."""
EVENTS_AT_MOST = 2_000
ENTRIES_AT_MOST = 10_000
"""Registrants, or visits, of one answer; the native API has more, in pages."""

_PAGE = 100
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_NAMES = {
    "title": "name",
    "starts_at": "startDate",
    "duration_minutes": "endDate",
    "time_zone": "timezone",
    "user_id": "userId",
    "user_name": "userDisplayName",
    "user_email": "userEmail",
    "user_avatar": "userAvatar",
}
_SAID: dict[str, str] = {
    "session_not_found": "Event not found",
    "session_cancelled": "Event not found",
    "account_not_found": "Company not found",
    "registrant_not_found": "Registrant not found",
    UnauthenticatedError().code: "Access token is missing or invalid",
    UnavailableError("").code: "The service is briefly unavailable. Please try again.",
}


class PlainError(RequestError):
    """A refusal that the vendor gives as plain text."""


def answer(status: int, body: Any = None) -> Answer:
    """Return an answer with the vendor's headers; without a body for 204."""
    text = "" if body is None else json.dumps(body, ensure_ascii=False)
    return {"statusCode": status, "headers": dict(_HEADERS), "body": text, "isBase64Encoded": False}


def refuse(_: Event, status: int, error: VestibuleError) -> Answer:
    """Return a refusal in the vendor's shape."""
    said = _SAID.get(error.code, error.detail)
    match error:
        case PlainError():
            plain = answer(status)
            return plain | {"headers": {**plain["headers"], "Content-Type": "text/plain"}, "body": error.detail}
        case BothRolesError(people=people):
            status, said = 400, f"Users cannot be hosts and presenters at the same time: {', '.join(people)}"
        case InvalidError(errors=errors):
            status, said = 400, " ".join(map(_in_their_names, errors))
        case ConflictError(code="session_cancelled"):  # deleted, as the vendor has it
            status = 404
        case ConflictError():
            status = 400
    return answer(status, {"hasError": True, "errorMessage": said})


def bad_request(message: str) -> RequestError:
    """Return the refusal of a body that lacks something or holds what it cannot."""
    return RequestError(400, "invalid_request", message)


def needed(sent: Members, name: str) -> str:
    """Return a text that has to be there.

    Raises
    ------
    RequestError
        It is not, in the vendor's words.
    """
    text = sent.text(name)
    if text is None:
        raise bad_request(f"Missing {name} field in request")
    return text


def account_of(call: Call) -> Account:
    """Return the caller's account."""
    return call.house.accounts.get(call.caller.account_id)


def event_of(call: Call) -> Session:
    """Return the event that the path names; a deleted one is none.

    Raises
    ------
    NotFoundError
        The account has no such event.
    """
    session = call.house.sessions.get(call.caller.account_id, call.values["event_id"])
    if session.cancelled_at is not None:
        raise no_such_session()
    return session


def all_of[T, P](page: Callable[[P | None, int], tuple[list[T], P | None]]) -> Iterator[T]:
    """Yield everything of a list that the house has in pages.

    Parameters
    ----------
    page
        Reads one page, from where the one before ended, with so many entries.

    Raises
    ------
    RequestError
        It is more than one answer holds.
    """
    after, seen = None, 0
    while True:
        entries, after = page(after, _PAGE)
        seen += len(entries)
        if seen > ENTRIES_AT_MOST:
            raise too_much()
        yield from entries
        if after is None:
            return


def _in_their_names(error: FieldError) -> str:
    name = error.field.removeprefix("extras.")
    return _NAMES.get(name, name) + error.detail.removeprefix(error.field)
