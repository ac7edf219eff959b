"""OnSync's requests, answers and refusals.

[ours]: refusals (in the format that was asked for), the headers, and that the
account of a path may be the account's slug or the client's own id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.dialects.reading import Members, form_object, json_object, leading_json_object, plain_text
from vestibule.dialects.xml import xml
from vestibule.errors import (
    ConflictError,
    FieldError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VestibuleError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.dialects.front_door import Call
    from vestibule.http.event import Answer, Event
    from vestibule.model import Account
    from vestibule.wiring import House

REALM = "OnSync"

_REST_DATA = "rest_data="
_SAID: dict[str, str] = {
    "route_not_found": "Unknown method.",
    "session_not_found": "Session not found.",
    "participant_not_found": "Invitee not found.",
    UnauthenticatedError().code: "Not authorized",
    UnavailableError("").code: "The service is briefly unavailable. Please try again.",
}
_NAMES = {
    "title": "topic",
    "starts_at": "start_time",
    "duration_minutes": "duration",
    "time_zone": "timezone",
    "full_name": "first_name",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One call: who asks, and every parameter, wherever it stood."""

    house: House
    account: Account
    members: Members

    @property
    def account_id(self) -> str:
        """The caller's account."""
        return self.account.account_id

    def id_of(self, name: str, code: str) -> str:
        """Return the id that a parameter names.

        Raises
        ------
        InvalidError
            The parameter is missing.
        NotFoundError
            It is the id of nothing.
        """
        text = self.members.text(name)
        if text is None:
            raise required(name)
        if not ids.is_object_id(text):
            raise NotFoundError(code, "There is no such object.")
        return text


def serving(work: Callable[[Ask], dict[str, Any]], status: int) -> Callable[[Call], Answer]:
    """Return what serves a route: the parameters read, the answer in the format that was asked for."""

    def serve(call: Call) -> Answer:
        account = call.house.accounts.get(call.caller.account_id)
        if call.values["account"].casefold() not in {account.slug, call.caller.client_id.casefold()}:
            raise UnauthenticatedError
        given = {**call.event.query, **_pairs(call.values["pairs"]), **_document(call.event)}
        return _answer(call.event, status, work(Ask(call.house, account, Members(given))))

    return serve


def refuse(event: Event, status: int, error: VestibuleError) -> Answer:
    """Return a refusal in the vendor's shape."""
    said = _SAID.get(error.code, error.detail)
    match error:
        case ConflictError(code="session_cancelled"):  # deleted, as the vendor has it
            status, said = 404, _SAID["session_not_found"]
        case InvalidError(errors=errors):
            status, said = 400, " ".join(map(_in_their_names, errors))
    refused = _answer(event, status, {"status": False, "error": said})
    if isinstance(error, UnauthenticatedError):
        refused["headers"]["WWW-Authenticate"] = f'Basic realm="{REALM}"'
    return refused


def required(name: str) -> InvalidError:
    """Return the refusal of a call that lacks a parameter."""
    return InvalidError(FieldError(name, "required", f"{name}: is required."))


def _answer(event: Event, status: int, body: dict[str, Any]) -> Answer:
    is_json = _wants_json(event)
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": f"application/{'json' if is_json else 'xml'}; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
        "body": json.dumps(body, ensure_ascii=False) if is_json else xml(body),
        "isBase64Encoded": False,
    }


def _wants_json(event: Event) -> bool:
    """Tell whether JSON was asked for: at the path's end, in the query, or by the Accept header."""
    named = _pairs(event.path).get("format") or event.folded_query.get("format")
    if named:
        return named.lower() == "json"
    return "application/json" in event.headers.get("accept", "").lower()


def _pairs(path: str) -> dict[str, str]:
    """Return names and values of a path's end; an even number of words, counted from the end."""
    words = [word for word in path.split("/") if word]
    return dict(zip(map(str.lower, words[-2::-2]), words[::-2], strict=False))


def _document(event: Event) -> dict[str, Any]:
    """Return the body's parameters, whatever its Content-Type says.

    Clients send ``input_type=json&rest_data={...}`` with the JSON as it is, not
    percent-encoded, or the fields of a form, or bare JSON.

    Raises
    ------
    RequestError
        It is none of these.
    """
    text = plain_text(event.body)
    if text.startswith("{"):
        return json_object(text)
    before, found, data = text.partition(_REST_DATA)
    if not found or before[-1:] not in {"", "&"}:
        return form_object(text)
    if not data.lstrip().startswith("{"):
        return json_object(form_object(text).get("rest_data", ""))
    return leading_json_object(data)


def _in_their_names(error: FieldError) -> str:
    *outer, name = (part for part in error.field.split(".") if part != "extras")
    theirs = _NAMES.get(name, name)
    if outer and outer[-1].isdigit():
        theirs = f"invited_participants[{outer[-1]}].{theirs}"
    return theirs + error.detail.removeprefix(error.field)
