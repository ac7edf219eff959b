"""``GET`` and ``PATCH /v1/account``: the caller's own account."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request
from vestibule.http.shapes.account import AccountChange, account_out
from vestibule.wiring import House

house = House()
accounts = house.accounts
handler = api = Api(house.clock)


@api.route("GET", "/v1/account", scope=scopes.ACCOUNT_READ)
def show(request: Request) -> Answer:
    """Show the caller's account."""
    account = accounts.current(request.account_id)
    return Answer(account_out(account, house.settings.hub_url(account.slug)))


@api.route("PATCH", "/v1/account", scope=scopes.ACCOUNT_WRITE)
def change(request: Request) -> Answer:
    """Change settings of the caller's account; a member left out stays.

    Errors: slug_taken, account_changed.
    """
    changes = request.read(AccountChange).model_dump(exclude_unset=True)
    account = accounts.change(request.account_id, changes)
    return Answer(account_out(account, house.settings.hub_url(account.slug)))
