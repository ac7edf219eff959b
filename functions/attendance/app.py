"""``GET /v1/sessions/{id}/attendance``: who was there, when, and for how long; ``presence``: who is there now."""

from vestibule.domain import scopes
from vestibule.domain.attendance import Attended
from vestibule.http.api import Answer, Api, Request
from vestibule.http.shapes.attendance import CSV_MEDIA_TYPE, as_csv, summary_out, visit_out
from vestibule.http.shapes.presence import presence_out
from vestibule.wiring import House

_ALL = "/v1/sessions/<session_id>/attendance"
_NOW = "/v1/sessions/<session_id>/presence"

house = House()
attendance = house.attendance
handler = api = Api(house.clock)


@api.route("GET", _ALL, scope=scopes.ATTENDANCE_READ, takes_query=True)
def index(request: Request, session_id: str) -> Answer:
    """List who was in a session, visit by visit.

    Errors: session_not_found.
    """
    visits, cursor = _page(request, session_id)
    return Answer({"items": [visit_out(visit) for visit in visits], "cursor": cursor})


@api.route("GET", f"{_ALL}.csv", scope=scopes.ATTENDANCE_READ, takes_query=True)
def index_csv(request: Request, session_id: str) -> Answer:
    """Give the same as CSV; the next page's cursor is in a header.

    Errors: session_not_found.
    """
    visits, cursor = _page(request, session_id)
    further = {"Vestibule-Cursor": cursor} if cursor else {}
    return Answer(as_csv(visits), headers={"Content-Type": CSV_MEDIA_TYPE, **further})


@api.route("GET", f"{_ALL}/summary", scope=scopes.ATTENDANCE_READ)
def summary(request: Request, session_id: str) -> Answer:
    """Sum up who was in a session: people, visits, seconds, and how many at a time.

    Errors: session_not_found.
    """
    return Answer(summary_out(attendance.summary(request.account_id, session_id)))


@api.route("GET", _NOW, scope=scopes.ATTENDANCE_READ, takes_query=True)
def index_present(request: Request, session_id: str) -> Answer:
    """List who waits for a session and who is in it now; the first page also counts them.

    Parameters: cursor, limit.
    Errors: session_not_found.
    """
    request.query("cursor", "limit")
    binding = ("presence", session_id)
    page = request.page(*binding)
    found = house.presence.page(request.account_id, session_id, after=page.after, limit=page.limit)
    return Answer(presence_out(found, request.cursor(found.end, *binding)))


def _page(request: Request, session_id: str) -> tuple[list[Attended], str | None]:
    request.query("cursor", "limit")
    binding = ("attendance", session_id)
    page = request.page(*binding)
    visits, end = attendance.page(request.account_id, session_id, after=page.after, limit=page.limit)
    return visits, request.cursor(end, *binding)
