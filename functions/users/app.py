"""``/v1/users``: the registered persons of the caller's account."""

from vestibule.domain import scopes
from vestibule.errors import FieldError, InvalidError
from vestibule.http.api import Answer, Api, Request, created, no_content
from vestibule.http.shapes.users import UserChange, UserCreate, user_out, users_out
from vestibule.wiring import House

house = House()
users = house.users
handler = api = Api(house.clock, house.idempotency)


@api.route("POST", "/v1/users", scope=scopes.USERS_WRITE, takes_key=True)
def create(request: Request) -> Answer:
    """Register a person.

    Errors: external_id_taken, username_taken.
    """
    account_id = request.account_id
    fields = request.read(UserCreate).model_dump(exclude_unset=True)
    user, replayed = request.once(
        lambda user_id: users.create(account_id, fields, user_id),
        lambda user_id: users.get(account_id, user_id),
    )
    return created(user_out(user), f"/v1/users/{user.user_id}", replayed=replayed)


@api.route("GET", "/v1/users", scope=scopes.USERS_READ, takes_query=True)
def index(request: Request) -> Answer:
    """List the account's users, or find them by external_id or e-mail address.

    Parameters: external_id, email, cursor, limit.
    """
    asked = request.query("external_id", "email", "cursor", "limit")
    if "external_id" in asked and "email" in asked:
        raise InvalidError(FieldError("external_id", "one_of", "external_id: cannot be combined with email."))
    page = request.page("users")
    if "external_id" in asked:
        found = users.with_external_id(request.account_id, asked["external_id"])
        return Answer(users_out([found] if found else []))
    if "email" in asked:
        return Answer(users_out(users.with_email(request.account_id, asked["email"], limit=page.limit)))
    found_page, end = users.page(request.account_id, after=page.after, limit=page.limit)
    return Answer(users_out(found_page, request.cursor(end, "users")))


@api.route("GET", "/v1/users/<user_id>", scope=scopes.USERS_READ)
def show(request: Request, user_id: str) -> Answer:
    """Show a user.

    Errors: user_not_found.
    """
    return Answer(user_out(users.get(request.account_id, user_id)))


@api.route("PATCH", "/v1/users/<user_id>", scope=scopes.USERS_WRITE)
def change(request: Request, user_id: str) -> Answer:
    """Change a user.

    Errors: user_not_found, external_id_taken, username_taken, user_changed.
    """
    changes = request.read(UserChange).model_dump(exclude_unset=True)
    return Answer(user_out(users.change(request.account_id, user_id, changes)))


@api.route("DELETE", "/v1/users/<user_id>", scope=scopes.USERS_WRITE)
def delete(request: Request, user_id: str) -> Answer:
    """Remove a user; their sign-ins end with the next request.

    Errors: user_not_found, user_changed.
    """
    users.delete(request.account_id, user_id)
    return no_content()


@api.route("DELETE", "/v1/users/<user_id>/sign-ins", scope=scopes.USERS_WRITE)
def sign_out_everywhere(request: Request, user_id: str) -> Answer:
    """End every sign-in that a user has now.

    Errors: user_not_found, user_changed.
    """
    users.sign_out_everywhere(request.account_id, user_id)
    return no_content()
