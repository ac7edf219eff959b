"""OnSync's API, versions 1 and 2, over sessions and their participants.

The last words of a path are names and values in turn, ``/session/id/123``, and
may stand in the query or the body just so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.dialects.front_door import Route, front_door, not_offered
from vestibule.dialects.onsync import invitees, sessions, users
from vestibule.dialects.onsync.wire import refuse, serving
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vestibule.dialects.onsync.wire import Ask
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

BASE_PATH = "/onsync"


def onsync(house: House) -> Handler:
    """Return the handler of the dialect."""
    return front_door(house, base_path=BASE_PATH, routes=_ROUTES, refuse=refuse)


def _route(call: str, versions: str, scope: str, work: Callable[[Ask], dict[str, Any]], status: int = 200) -> Route:
    method, name = call.split()
    path = rf"/api/[{versions}]/(?P<account>[^/]+)/{name}(?P<pairs>(?:/[^/]+)*)"
    return Route(method, path, scope, serving(work, status))


_ROUTES = (
    _route("GET authverify", "12", scopes.SESSIONS_READ, users.verify),
    _route("PUT session", "12", scopes.SESSIONS_WRITE, sessions.create, 201),
    _route("POST session", "12", scopes.SESSIONS_WRITE, sessions.change),
    _route("DELETE session", "12", scopes.SESSIONS_WRITE, sessions.delete),
    _route("GET session", "12", scopes.SESSIONS_READ, sessions.show),
    _route("GET invitees", "12", scopes.SESSIONS_READ, invitees.grouped),
    _route("PUT invitee", "12", scopes.SESSIONS_WRITE, invitees.add),
    _route("POST invitee", "12", scopes.SESSIONS_WRITE, invitees.change),
    _route("DELETE invitee", "12", scopes.SESSIONS_WRITE, invitees.remove),
    _route("PUT user_session", "2", scopes.SESSIONS_WRITE, sessions.create, 201),
    _route("POST user_session", "2", scopes.SESSIONS_WRITE, sessions.change),
    _route("GET user_session", "2", scopes.SESSIONS_READ, sessions.show),
    _route("PUT user_invitee", "2", scopes.SESSIONS_WRITE, invitees.put_by_email),
    _route("POST user_invitee", "2", scopes.SESSIONS_WRITE, invitees.change_by_email),
    _route("DELETE user_invitee", "2", scopes.SESSIONS_WRITE, invitees.remove_by_email),
    _route("PUT user", "2", scopes.USERS_WRITE, users.create, 201),
    *(Route(method, "/api/2/[^/]+/users?(?:/.*)?", "", not_offered) for method in ("GET", "POST", "DELETE")),
)
