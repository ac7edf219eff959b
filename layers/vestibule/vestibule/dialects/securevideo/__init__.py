"""SecureVideo's API over users, login URIs and sessions.

The id in a path is a user's for GET and POST of sessions and the session's own
for PUT and DELETE; 0 stands for "named by the query" (vendor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.dialects.front_door import Route, front_door, not_offered
from vestibule.dialects.securevideo import logins, participants, sessions, users
from vestibule.dialects.securevideo.wire import refuse
from vestibule.domain import scopes

if TYPE_CHECKING:
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

BASE_PATH = "/securevideo"

_USER = r"/(?P<user_id>[^/]+)"
_SESSION = r"/(?P<session_id>[^/]+)"
_NOT_OFFERED = r"/(?:storedrecording|storedrecordingview|status|contacts|group|groupuser|usergroup)(?:/.*)?"

_ROUTES = (
    Route("POST", f"/login{_USER}", scopes.LOGIN_URIS_WRITE, logins.issue),
    Route("DELETE", r"/login/(?P<guid>[^/]+)", scopes.LOGIN_URIS_WRITE, logins.revoke),
    Route("GET", "/user", scopes.USERS_READ, users.index),
    Route("POST", "/user", scopes.USERS_WRITE, users.create),
    Route("GET", f"/user{_USER}", scopes.USERS_READ, users.find),
    Route("PUT", f"/user{_USER}", scopes.USERS_WRITE, users.change),
    Route("DELETE", f"/user{_USER}", scopes.USERS_WRITE, users.delete),
    Route("PUT", f"/password{_USER}", scopes.USERS_WRITE, users.set_password),
    Route("GET", f"/session(?:{_USER})?", scopes.SESSIONS_READ, sessions.index),
    Route("POST", f"/session{_USER}", scopes.SESSIONS_WRITE, sessions.create),
    Route("PUT", f"/session{_SESSION}", scopes.SESSIONS_WRITE, sessions.change),
    Route("DELETE", f"/session{_SESSION}", scopes.SESSIONS_WRITE, sessions.cancel),
    Route("PUT", f"/sessionhost{_SESSION}", scopes.SESSIONS_WRITE, sessions.change_host),
    Route("POST", f"/participant{_SESSION}", scopes.SESSIONS_WRITE, participants.add),
    Route("DELETE", r"/participant/(?P<participant_id>[^/]+)", scopes.SESSIONS_WRITE, participants.remove),
    Route("GET", f"/(?:history|usage)(?:{_USER})?", scopes.SESSIONS_READ, sessions.history),
    *(Route(method, _NOT_OFFERED, "", not_offered) for method in ("GET", "POST", "PUT", "DELETE")),
)


def securevideo(house: House) -> Handler:
    """Return the handler of the dialect."""
    return front_door(house, base_path=BASE_PATH, routes=_ROUTES, refuse=refuse)
