"""``/v1/account/app-secrets``: what the portal signs embed tokens with by itself."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, no_content
from vestibule.http.shapes.embeds import AppSecretCreate, app_secret_out, new_secret_out
from vestibule.http.shapes.rotation import overlap_of
from vestibule.wiring import House

house = House()
secrets = house.app_secrets
handler = api = Api(house.clock)


@api.route("GET", "/v1/account/app-secrets", scope=scopes.ACCOUNT_READ)
def index(request: Request) -> Answer:
    """List the account's application secrets, never in clear."""
    return Answer({"items": [app_secret_out(found) for found in secrets.list_of(request.account_id)]})


@api.route("POST", "/v1/account/app-secrets", scope=scopes.APP_SECRETS_WRITE)
def create(request: Request) -> Answer:
    """Make an application secret; it is in this answer alone.

    Errors: too_many_app_secrets.
    """
    made = secrets.create(request.account_id, request.read(AppSecretCreate).name)
    return created(new_secret_out(made), f"/v1/account/app-secrets/{made.record.secret_id}")


@api.route("POST", "/v1/account/app-secrets/<secret_id>/rotate", scope=scopes.APP_SECRETS_WRITE)
def rotate(request: Request, secret_id: str) -> Answer:
    """Give an application secret a successor; the former one is good for a while.

    Errors: app_secret_not_found, app_secret_changed.
    """
    return Answer(new_secret_out(secrets.rotate(request.account_id, secret_id, overlap=overlap_of(request))))


@api.route("DELETE", "/v1/account/app-secrets/<secret_id>", scope=scopes.APP_SECRETS_WRITE)
def delete(request: Request, secret_id: str) -> Answer:
    """Remove an application secret; tokens made with it are refused within 60 seconds.

    Errors: app_secret_not_found.
    """
    secrets.delete(request.account_id, secret_id)
    return no_content()
