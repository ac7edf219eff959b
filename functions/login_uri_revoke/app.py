"""``DELETE /v1/login-uris/{guid}``: withdraw a login and the sign-in it became."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, no_content
from vestibule.wiring import House

house = House()
login_uris = house.login_uris
handler = api = Api(house.clock)


@api.route("DELETE", "/v1/login-uris/<guid>", scope=scopes.LOGIN_URIS_WRITE)
def revoke(request: Request, guid: str) -> Answer:
    """Withdraw a login URI and the sign-in that it became.

    Errors: login_uri_not_found.
    """
    login_uris.revoke(house.accounts.get(request.account_id), guid)
    return no_content()
