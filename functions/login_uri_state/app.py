"""``GET /v1/login-uris/{guid}``: where a login is in its life."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request
from vestibule.http.shapes.login_uris import state_out
from vestibule.wiring import House

house = House()
login_uris = house.login_uris
handler = api = Api(house.clock)


@api.route("GET", "/v1/login-uris/<guid>", scope=scopes.LOGIN_URIS_READ)
def show(request: Request, guid: str) -> Answer:
    """Say what became of a login URI.

    Errors: login_uri_not_found.
    """
    login = login_uris.find(request.account_id, guid)
    return Answer(state_out(guid, login, login_uris.state_of(login)))
