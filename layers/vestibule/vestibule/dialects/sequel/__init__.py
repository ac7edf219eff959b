"""Sequel's API (Introvoke) over sessions, embeds, registrants and attendance: which call is served by what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vestibule.dialects.front_door import Route, front_door, not_offered, refusal
from vestibule.dialects.sequel import access, analytics, events, registrants
from vestibule.dialects.sequel.wire import refuse
from vestibule.domain import scopes
from vestibule.http import cors

if TYPE_CHECKING:
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

BASE_PATH = "/sequel"

_COMPANY = r"/api/v1/company/(?P<company_id>[^/]+)"
_ID = r"(?P<event_id>[^/]+)"
_EVENT = rf"/api/v1/event/{_ID}"
_LIST = r"(?P<kind>presenter|organizer)"
_ANALYTICS = r"/api/analytics"


def sequel(house: House) -> Handler:
    """Return the handler of the dialect."""
    calls = front_door(
        house, base_path=BASE_PATH, routes=_ROUTES, refuse=refuse, identify=access.identify, headers=cors.headers
    )
    preflights = cors.preflights(house, partial(refusal, refuse))
    return lambda raw, context: (preflights if raw.get("httpMethod") == "OPTIONS" else calls)(raw, context)


_ROUTES = (
    Route("POST", access.TOKEN, "", access.token),
    Route("GET", _COMPANY, scopes.SESSIONS_READ, events.show_company),
    Route("GET", rf"{_COMPANY}/events", scopes.SESSIONS_READ, events.index),
    Route("POST", "/api/v1/event/create", scopes.SESSIONS_WRITE, events.create),
    Route("GET", _EVENT, scopes.SESSIONS_READ, events.show),
    Route("POST", _EVENT, scopes.SESSIONS_WRITE, events.change),
    Route("DELETE", _EVENT, scopes.SESSIONS_WRITE, events.delete),
    Route("PUT", rf"{_EVENT}/{_LIST}", scopes.SESSIONS_WRITE, events.add_person),
    Route("DELETE", rf"{_EVENT}/{_LIST}/(?P<who>[^/]+)", scopes.SESSIONS_WRITE, events.remove_person),
    Route("GET", rf"{_EVENT}/availableReplays", scopes.SESSIONS_READ, events.replays),
    Route("POST", rf"{_EVENT}/embedCode", scopes.EMBEDS_WRITE, registrants.embed_code),
    Route("POST", rf"{_EVENT}/registrant", scopes.REGISTRANTS_WRITE, registrants.register),
    Route("GET", rf"{_EVENT}/registrants", scopes.REGISTRANTS_READ, registrants.index),
    Route("DELETE", rf"{_EVENT}/registrant", scopes.REGISTRANTS_WRITE, registrants.cancel),
    Route("POST", rf"{_ANALYTICS}/events/{_ID}/user-activity", scopes.ATTENDANCE_READ, analytics.activity),
    Route("GET", rf"{_ANALYTICS}/getVideoWatchOverTime/{_ID}", scopes.ATTENDANCE_READ, analytics.watched),
    *(
        Route(method, r"/api/(?:v1/(?:networking|event|company)|analytics)(?:/.*)?", "", not_offered)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
)
