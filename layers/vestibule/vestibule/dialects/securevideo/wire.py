"""SecureVideo's answers, refusals and names.

Marked [ours] where the vendor's answer is unknown: the texts of refusals but
``User not found``, and every status that is not 200, 201, 204, 400, 404 or 409.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.dialects.reading import Members, json_object
from vestibule.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VestibuleError,
    no_such_session,
    no_such_user,
)
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.errors import FieldError
    from vestibule.http.event import Answer, Event
    from vestibule.model import User

_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
}
_NAMED_BY_THE_QUERY = "0"
"""Stands in a path where the query names somebody by the portal's own id."""

_NOT_FOUND = {
    "user_not_found": "User not found",
    "login_uri_not_found": "Login not found",
    "session_not_found": "Session not found",
    "participant_not_found": "Participant not found",
}
_NAMES = {
    "redirect_to_uri_on_expiry": "RedirectToUriOnExpiry",
    "full_name": "FullName",
    "email": "EmailAddress",
    "time_zone": "TimeZoneWindowsId",
    "external_id": "ExternalId",
    "password": "NewPassword",
    "starts_at": "ScheduleTs",
    "duration_minutes": "DurationMinutes",
    "title": "Topic",
}
_NAMES_OF_PARTICIPANTS = {
    "full_name": "ParticipantFullName",
    "email": "ParticipantEmailAddress",
    "phone": "ParticipantSmsNumber",
    "user_id": "SecureVideoUserId",
    "external_id": "ParticipantExternalId",
}
_KEPT_HERE = "extras"
"""Where the members lie that are kept for the client alone, by the vendor's own names."""
_CHANNELS = {"notify=email": "ShouldAutoDeliverCode E", "notify=sms": "ShouldAutoDeliverCode S"}
_TAKEN_BY_A_SESSION = "session of the account has this ExternalSessionId"
_INVALID = "The request is invalid."
_SAID: dict[type[VestibuleError], str] = {
    UnauthenticatedError: "Authorization has been denied for this request.",
    UnavailableError: "The service is briefly unavailable. Please try again.",
}


def answer(status: int, body: Any = None) -> Answer:
    """Return an answer with the vendor's headers; without a body for 204."""
    return {
        "statusCode": status,
        "headers": dict(_HEADERS),
        "body": "" if body is None else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }


def refuse(_: Event, status: int, error: VestibuleError) -> Answer:
    """Return a refusal in the vendor's shape: clients take any ``Message`` for one."""
    message, detail = _SAID.get(type(error), error.detail), None
    match error:
        case NotFoundError() if error.code in _NOT_FOUND:
            message = _NOT_FOUND[error.code]
        case InvalidError(errors=errors) if any(one.code == "user_not_found" for one in errors):
            status, message = 404, _NOT_FOUND["user_not_found"]
        case ConflictError(code="session_cancelled"):  # deleted, as the vendor has it
            status, message = 404, _NOT_FOUND["session_not_found"]
        case ConflictError(code="participant_exists" | "host_is_fixed" | "too_many_participants"):
            status, message, detail = 400, _INVALID, error.detail
        case ConflictError():
            message = message.replace("session of the account has this external_id", _TAKEN_BY_A_SESSION)
            message = message.replace("external_id", _NAMES["external_id"])
        case InvalidError(errors=errors):
            status, message, detail = 400, _INVALID, " ".join(map(_in_their_names, errors))
        case RequestError(status=400):
            message = _INVALID
    refused = answer(status, {"Message": message} if detail is None else {"Message": message, "MessageDetail": detail})
    if isinstance(error, UnauthenticatedError):
        refused["headers"]["WWW-Authenticate"] = 'Basic realm="SecureVideo"'
    return refused


def members_of(call: Call) -> Members:
    """Return what a call's body holds."""
    return Members(json_object(call.event.body))


def user_of(call: Call) -> User:
    """Return the user whom path or query name.

    Raises
    ------
    NotFoundError
        The account has no such user.
    """
    user_id = call.values["user_id"]
    if user_id != _NAMED_BY_THE_QUERY:
        return call.house.users.get(call.caller.account_id, user_id)
    return user_with_external_id(call, external_id_of(call) or "")


def user_with_external_id(call: Call, external_id: str) -> User:
    """Return the user of a portal's own id.

    Raises
    ------
    NotFoundError
        The account has no such user.
    """
    found = call.house.users.with_external_id(call.caller.account_id, external_id)
    if found is None:
        raise no_such_user()
    return found


def external_id_of(call: Call) -> str | None:
    """Return the portal's own id in the query."""
    return call.event.folded_query.get("externalid")


def session_id_of(call: Call) -> str:
    """Return the session's own id that path or query name.

    Raises
    ------
    NotFoundError
        It is the id of nothing.
    """
    session_id = call.values["session_id"]
    external_id = call.event.folded_query.get("externalsessionid", "")
    if is_named_by_query(session_id) and external_id:
        found = call.house.sessions.with_external_id(call.caller.account_id, external_id)
        session_id = found.session_id if found else ""
    if not ids.is_object_id(session_id):
        raise no_such_session()
    return session_id


def is_named_by_query(path_id: str) -> bool:
    """Tell whether a path leaves it to the query to name something."""
    return path_id in {"", _NAMED_BY_THE_QUERY}


def _in_their_names(error: FieldError) -> str:
    """Return what is wrong with a member under the vendor's name of it."""
    *outer, name = (part for part in error.field.split(".") if part != _KEPT_HERE)
    theirs = _NAMES.get(name, name)
    if outer:
        place = f"Participants[{outer[-1]}]." if outer[-1].isdigit() else ""
        theirs = place + _NAMES_OF_PARTICIPANTS.get(name, name)
    detail = error.detail.removeprefix(error.field)
    for ours, channel in _CHANNELS.items():
        detail = detail.replace(ours, channel)
    return theirs + detail
