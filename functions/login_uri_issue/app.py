"""``POST /v1/login-uris``: hand out a one-time login URI."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created
from vestibule.http.shapes.login_uris import LoginUriIssue, issued_out
from vestibule.wiring import House

house = House()
login_uris = house.login_uris
handler = api = Api(house.clock)


@api.route("POST", "/v1/login-uris", scope=scopes.LOGIN_URIS_WRITE)
def issue(request: Request) -> Answer:
    """Hand out a login URI: good once, for 15 seconds.

    Errors: user_not_found, user_disabled.
    """
    wanted = request.read(LoginUriIssue)
    account = house.accounts.get(request.account_id)
    issued = login_uris.issue(
        account,
        **wanted.who(),
        redirect_to_uri_on_expiry=wanted.redirect_to_uri_on_expiry,
        next_path=wanted.next_path,
    )
    body = issued_out(issued, house.settings.hub_url(account.slug))
    return created(body, f"/v1/login-uris/{issued.guid}")
