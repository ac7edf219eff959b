"""``/v1/rooms`` and ``/v1/users/{id}/rooms``: waiting rooms and who receives people in them."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, no_content
from vestibule.http.shapes.rooms import RoomChange, RoomCreate, room_out, rooms_out
from vestibule.wiring import House

house = House()
accounts, rooms = house.accounts, house.rooms
handler = api = Api(house.clock, house.idempotency)


@api.route("POST", "/v1/rooms", scope=scopes.ROOMS_WRITE, takes_key=True)
def create(request: Request) -> Answer:
    """Open a waiting room.

    Errors: room_code_taken, room_slug_taken.
    """
    account_id = request.account_id
    fields = request.read(RoomCreate).model_dump(exclude_none=True)
    fields.setdefault("domain", house.settings.hub_host(accounts.get(account_id).slug))
    room, replayed = request.once(
        lambda room_id: rooms.create(account_id, fields, room_id),
        lambda room_id: rooms.get(account_id, room_id),
    )
    return created(room_out(room), f"/v1/rooms/{room.room_id}", replayed=replayed)


@api.route("GET", "/v1/rooms", scope=scopes.ROOMS_READ, takes_query=True)
def index(request: Request) -> Answer:
    """List the account's rooms, or find one by its code.

    Parameters: code, cursor, limit.
    """
    asked = request.query("code", "cursor", "limit")
    page = request.page("rooms")
    if "code" in asked:
        found = rooms.with_code(request.account_id, asked["code"])
        return Answer(rooms_out([found] if found else []))
    found_page, end = rooms.page(request.account_id, after=page.after, limit=page.limit)
    return Answer(rooms_out(found_page, request.cursor(end, "rooms")))


@api.route("GET", "/v1/rooms/<room_id>", scope=scopes.ROOMS_READ)
def show(request: Request, room_id: str) -> Answer:
    """Show a room with the users who receive people in it.

    Errors: room_not_found.
    """
    return Answer(room_out(rooms.get(request.account_id, room_id)))


@api.route("PATCH", "/v1/rooms/<room_id>", scope=scopes.ROOMS_WRITE)
def change(request: Request, room_id: str) -> Answer:
    """Change a room.

    Errors: room_not_found, room_code_taken, room_slug_taken, room_changed.
    """
    changes = request.read(RoomChange).model_dump(exclude_unset=True)
    return Answer(room_out(rooms.change(request.account_id, room_id, changes)))


@api.route("DELETE", "/v1/rooms/<room_id>", scope=scopes.ROOMS_WRITE)
def delete(request: Request, room_id: str) -> Answer:
    """Remove a room and its assignments.

    Errors: room_not_found, room_changed.
    """
    rooms.delete(request.account_id, room_id)
    return no_content()


@api.route("PUT", "/v1/rooms/<room_id>/users/<user_id>", scope=scopes.ROOMS_WRITE)
def assign(request: Request, room_id: str, user_id: str) -> Answer:
    """Assign a user to a room; again changes nothing.

    Errors: room_not_found, user_not_found, too_many_room_users.
    """
    rooms.assign(request.account_id, room_id, user_id)
    return no_content()


@api.route("DELETE", "/v1/rooms/<room_id>/users/<user_id>", scope=scopes.ROOMS_WRITE)
def unassign(request: Request, room_id: str, user_id: str) -> Answer:
    """Take a user off a room; again changes nothing.

    Errors: room_not_found.
    """
    rooms.unassign(request.account_id, room_id, user_id)
    return no_content()


@api.route("GET", "/v1/users/<user_id>/rooms", scope=scopes.ROOMS_READ, takes_query=True)
def of_user(request: Request, user_id: str) -> Answer:
    """List a user's rooms.

    Parameters: cursor, limit.
    Errors: user_not_found.
    """
    request.query("cursor", "limit")
    page = request.page("rooms of", user_id)
    found, end = rooms.of_user(request.account_id, user_id, after=page.after, limit=page.limit)
    return Answer(rooms_out(found, request.cursor(end, "rooms of", user_id)))
