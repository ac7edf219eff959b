"""``/v1/sessions/{id}/registrants``: who has signed up, each with a link."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, no_content
from vestibule.http.shapes.registrants import RegistrantView
from vestibule.wiring import House

_ALL = "/v1/sessions/<session_id>/registrants"
_ONE = f"{_ALL}/<registrant_id>"

house = House()
registrants = house.registrants
handler = api = Api(house.clock)


@api.route("GET", _ALL, scope=scopes.REGISTRANTS_READ, takes_query=True)
def index(request: Request, session_id: str) -> Answer:
    """List a session's registrants.

    Parameters: email, cursor, limit.
    Errors: session_not_found.
    """
    asked, view = request.query("email", "cursor", "limit"), _view(request)
    if "email" in asked:
        found = registrants.with_email(request.account_id, session_id, asked["email"])
        return Answer({"items": [view.one(found)] if found else [], "cursor": None})
    binding = ("registrants", session_id)
    page = request.page(*binding)
    items, end = registrants.page(request.account_id, session_id, after=page.after, limit=page.limit)
    return Answer({"items": [view.one(item) for item in items], "cursor": request.cursor(end, *binding)})


@api.route("GET", _ONE, scope=scopes.REGISTRANTS_READ)
def show(request: Request, session_id: str, registrant_id: str) -> Answer:
    """Show a registrant with the join_url.

    Errors: registrant_not_found.
    """
    return Answer(_view(request).one(registrants.get(request.account_id, session_id, registrant_id)))


@api.route("POST", f"{_ONE}/rotate", scope=scopes.REGISTRANTS_WRITE)
def rotate(request: Request, session_id: str, registrant_id: str) -> Answer:
    """Give a registrant a new join_url; the old one is dead at once.

    Errors: registrant_not_found, registrant_changed.
    """
    return Answer(_view(request).one(registrants.rotate(request.account_id, session_id, registrant_id)))


@api.route("DELETE", _ONE, scope=scopes.REGISTRANTS_WRITE)
def cancel(request: Request, session_id: str, registrant_id: str) -> Answer:
    """Cancel a registration; its place is free again.

    Errors: registrant_not_found, registrant_changed.
    """
    registrants.cancel(request.account_id, session_id, registrant_id)
    return no_content()


def _view(request: Request) -> RegistrantView:
    return RegistrantView(house.accounts.get(request.account_id), house.links)
