"""``/v1/sessions``: list, read, change and cancel."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, no_content, tagged
from vestibule.http.shapes.sessions import SessionChange, SessionView, filter_of
from vestibule.wiring import House

house = House()
sessions = house.sessions
handler = api = Api(house.clock)


@api.route("GET", "/v1/sessions", scope=scopes.SESSIONS_READ, takes_query=True)
def index(request: Request) -> Answer:
    """List sessions by start, of a host or a participant, or find one by its external_id.

    Parameters: external_id, host_user_id, participant_email, starts_from, starts_before, cursor, limit.
    """
    if "external_id" in request.event.query:
        external_id = request.query("external_id")["external_id"]
        found = sessions.with_external_id(request.account_id, external_id)
        return Answer({"items": [_view(request).session(found)] if found else [], "cursor": None})
    wanted, binding = filter_of(request)
    page = request.page(*binding)
    after = page.after[1] if page.after else None
    items, end = sessions.page(request.account_id, wanted, after=after, limit=page.limit)
    view = _view(request)
    cursor = request.cursor((0, end) if end else None, *binding)
    return Answer({"items": [view.session(item) for item in items], "cursor": cursor})


@api.route("GET", "/v1/sessions/<session_id>", scope=scopes.SESSIONS_READ)
def show(request: Request, session_id: str) -> Answer:
    """Show a session with its participants.

    Errors: session_not_found.
    """
    found = house.participants.gathering(request.account_id, session_id)
    shown = _view(request).session(found.session, found.participants, found.deliveries)
    return tagged(Answer(shown), found.session.version)


@api.route("PATCH", "/v1/sessions/<session_id>", scope=scopes.SESSIONS_WRITE)
def change(request: Request, session_id: str) -> Answer:
    """Change a session; If-Match keeps another's change from being lost.

    Errors: session_not_found, session_cancelled, session_changed, version_mismatch, external_id_taken,
      friendly_url_taken.
    """
    fields, seen = request.read(SessionChange).fields(), request.seen_version()
    session, found = sessions.change(request.account_id, session_id, fields, seen=seen)
    return tagged(Answer(_view(request).session(session, found.participants, found.deliveries)), session.version)


@api.route("DELETE", "/v1/sessions/<session_id>", scope=scopes.SESSIONS_WRITE)
def cancel(request: Request, session_id: str) -> Answer:
    """Cancel a session; again changes nothing.

    Errors: session_not_found, session_changed.
    """
    sessions.cancel(request.account_id, session_id)
    return no_content()


def _view(request: Request) -> SessionView:
    return SessionView(house.accounts.get(request.account_id), house.links)
