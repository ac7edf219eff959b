"""``/v1/account/clients``: the account's API clients, their creation, rotation and end."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, no_content
from vestibule.http.shapes.account import ClientCreate, client_out
from vestibule.http.shapes.rotation import overlap_of
from vestibule.wiring import House

house = House()
clients = house.clients
handler = api = Api(house.clock)


@api.route("GET", "/v1/account/clients", scope=scopes.ACCOUNT_READ)
def index(request: Request) -> Answer:
    """List the account's API clients, never their secrets."""
    return Answer({"items": [client_out(c) for c in clients.list_of(request.account_id)]})


@api.route("POST", "/v1/account/clients", scope=scopes.CLIENTS_WRITE)
def create(request: Request) -> Answer:
    """Make an API client; its secret is in this answer alone.

    Errors: too_many_clients.
    """
    wanted = request.read(ClientCreate)
    client, secret = clients.create(request.account_id, wanted.name, wanted.scopes)
    return created(client_out(client, secret), f"/v1/account/clients/{client.client_id}")


@api.route("POST", "/v1/account/clients/<client_id>/rotate", scope=scopes.CLIENTS_WRITE)
def rotate(request: Request, client_id: str) -> Answer:
    """Give an API client a second secret; the former one works on for a while.

    Errors: client_not_found, client_changed.
    """
    client, secret = clients.rotate(request.account_id, client_id, overlap=overlap_of(request))
    return Answer(client_out(client, secret))


@api.route("DELETE", "/v1/account/clients/<client_id>", scope=scopes.CLIENTS_WRITE)
def delete(request: Request, client_id: str) -> Answer:
    """Remove an API client.

    Errors: client_not_found.
    """
    clients.delete(request.account_id, client_id)
    return no_content()
