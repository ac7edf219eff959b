"""SecureVideo's Login API over login URIs.

Marked [ours] where the vendor's answer is unknown: the status of a successful
POST, the texts of refusals but ``User not found``, and what a login without
RedirectToUriOnExpiry shows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.dialects.front_door import Route, front_door
from vestibule.domain import scopes
from vestibule.errors import (
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    VestibuleError,
)
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

BASE_PATH = "/securevideo"

_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
}
_NO_USER_ID = "0"
"""Stands in a path where the query names the user by the portal's own id."""


def securevideo(house: House) -> Handler:
    """Return the handler of the dialect."""
    routes = (
        Route("POST", r"/login/(?P<user_id>[^/]+)", scopes.LOGIN_URIS_WRITE, _get_login_uri),
        Route("DELETE", r"/login/(?P<guid>[^/]+)", scopes.LOGIN_URIS_WRITE, _delete_login_uri),
    )
    return front_door(house, base_path=BASE_PATH, routes=routes, refuse=_refuse)


def _get_login_uri(call: Call) -> Answer:
    account = call.house.accounts.get(call.caller.account_id)
    on_expiry = _text(_body(call).get("redirecttourionexpiry"))
    user_id = call.values["user_id"]
    external_id = call.event.folded_query.get("externalid", "")
    who = {"external_id": external_id} if user_id == _NO_USER_ID else {"user_id": user_id}
    issued = call.house.login_uris.issue(account, **who, redirect_to_uri_on_expiry=on_expiry or None)
    hub_url = call.house.settings.hub_url(account.slug)
    return _answer(
        201,
        {
            "LoginGuid": issued.guid,
            "RedirectToUriOnExpiry": on_expiry,
            "LoginUri": f"{hub_url}/Account/AutoLogin/{issued.guid}",
        },
    )


def _delete_login_uri(call: Call) -> Answer:
    account = call.house.accounts.get(call.caller.account_id)
    call.house.login_uris.revoke(account, call.values["guid"].lower())
    return _answer(204, None)


def _body(call: Call) -> dict[str, Any]:
    """Return the JSON object's members by lower-case name; unknown ones do no harm."""
    text = call.event.body.strip()
    try:
        document = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        raise RequestError(400, "malformed_json", "The request is invalid.") from None
    if not isinstance(document, dict):
        raise RequestError(400, "malformed_json", "The request is invalid.")
    return {name.lower(): value for name, value in document.items()}


def _text(value: Any) -> str:
    """Return a member as text; what is not set is an empty one."""
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise RequestError(400, "wrong_type", "The request is invalid.")
    return str(value).strip()


def _refuse(_: Event, status: int, error: VestibuleError) -> Answer:
    match error:
        case NotFoundError(code="user_not_found"):
            message = "User not found"
        case NotFoundError(code="login_uri_not_found"):
            message = "Login not found"
        case UnauthenticatedError():
            message = "Authorization has been denied for this request."
        case InvalidError():
            detail = error.detail.replace("redirect_to_uri_on_expiry", "RedirectToUriOnExpiry")
            return _answer(400, {"Message": "The request is invalid.", "MessageDetail": detail})
        case UnavailableError():
            message = "The service is briefly unavailable. Please try again."
        case _:
            message = error.detail
    answer = _answer(status, {"Message": message})
    if isinstance(error, UnauthenticatedError):
        answer["headers"]["WWW-Authenticate"] = 'Basic realm="SecureVideo"'
    return answer


def _answer(status: int, body: dict[str, Any] | None) -> Answer:
    return {
        "statusCode": status,
        "headers": dict(_HEADERS),
        "body": "" if body is None else json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }
