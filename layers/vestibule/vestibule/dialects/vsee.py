"""VSee Clinic's API (v3) over users, SSO tokens and rooms.

Marked [ours] where the vendor's answer is unknown: every text of a refusal but
``In domain ... already exists``; how a name is parted into first and last; who
may assign a room; the refresh token, which no published call takes; the members
of a room that are the same for all of ours; the keys of a provider in public.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import DAY, SECOND, to_epoch_seconds
from vestibule.dialects import reading
from vestibule.dialects.front_door import Route, front_door, not_offered
from vestibule.domain import scopes
from vestibule.domain.clients import Caller
from vestibule.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    UnauthenticatedError,
    UnavailableError,
    VestibuleError,
    no_such_room,
)
from vestibule.http.hub import addresses
from vestibule.http.problems import RequestError
from vestibule.model import Role, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vestibule.dialects.front_door import Call
    from vestibule.domain.sso_tokens import IssuedToken
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.model import Account, Room, User
    from vestibule.wiring import House

BASE_PATH = "/vsee"
CODE_LENGTH = 128
"""Characters of a portal's own user id, at most."""
REFRESH_LIVES_FOR = 30 * DAY
"""As in the vendor's published example."""
ROOMS_SHOWN = 100
"""Rooms of one user, at most."""
ROOMS_OF_ONE_CALL = 20
"""Rooms that a user is assigned to at once, at most."""

_USERNAME_LENGTH = 24
"""Characters of a user name that nobody chose."""

_API = r"(?:/vc)?(?:/(?:next|stable))?/api_v3"
_END = r"(?:\.json)?"
_CURRENT_USER = "-"

_ROLES = {"200": Role.MEMBER, "400": Role.PROVIDER, "600": Role.GUEST}
_TYPES = {role: number for number, role in _ROLES.items()}
_STATUSES = {400, 401, 403, 404, 413, 429, 500, 501, 503}
_NATIVE_NAMES = {"full_name": "first_name, last_name", "external_id": "code", "time_zone": "timezone"}
_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class VseeCaller(Caller):
    """Who calls, and for whom.

    Attributes
    ----------
    user
        Whose token it is, when it is a user's.
    """

    user: User | None = None


def vsee(house: House) -> Handler:
    """Return the handler of the dialect."""
    routes = (
        Route("POST", rf"{_API}/users/sso{_END}", "", _sso),
        Route("POST", rf"{_API}/users/(?P<user_id>[^/]+?)/rooms{_END}", "", _assign_rooms),
        Route("POST", rf"{_API}/rooms{_END}", "", _create_room),
        Route("GET", rf"{_API}/rooms{_END}", "", _list_rooms),
        Route("GET", rf"{_API}/rooms/(?P<code>[^/]+?)/providers{_END}", "", _providers),
        Route("GET", rf"{_API}/rooms/(?P<code>[^/]+?){_END}", "", _show_room),
        *(
            Route(method, rf"{_API}/(?:users|rooms|visits|intakes|appointments|accounts)(?:[./].*)?", "", not_offered)
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        ),
    )
    return front_door(house, base_path=BASE_PATH, routes=routes, refuse=_refuse, identify=_identify)


# --- who calls ---


def _identify(house: House, event: Event) -> Caller:
    """Return who calls: an API client, the admin by an access token, a user, or anybody of an account."""
    account = house.accounts.at_slug(event.headers.get("x-accountcode", "").strip().lower() or None)
    if account is None:
        raise UnauthenticatedError
    key, secret = (event.headers.get(name, "").strip() for name in ("x-apikey", "x-apisecret"))
    token, user = _token_in(event), None
    if key or secret:
        caller = house.clients.authenticate(key, secret)
    elif _is_a_users(token):
        user = house.sso_tokens.user_of(account.account_id, token.lower())
        caller = Caller(account.account_id, "", ())
    elif token:
        caller = house.access_token_reader.read(token)  # [ours]: it is the admin's token
    else:
        caller = Caller(account.account_id, "", ())
    if caller.account_id != account.account_id:
        raise UnauthenticatedError
    return VseeCaller(caller.account_id, caller.client_id, caller.scopes, caller.expires_at, user=user)


def _token_in(event: Event) -> str:
    return event.headers.get("x-apitoken", "").strip()


def _is_a_users(token: str) -> bool:
    return ids.is_login_guid(token.lower())


def _require(call: Call, *needed: str) -> None:
    """Let an API client or the admin's token pass that was granted some scopes.

    Raises
    ------
    UnauthenticatedError
        Nobody's credentials came with the call.
    ForbiddenError
        They are a user's, or of a client without a scope.
    """
    if not call.caller.client_id and _own(call) is None:
        raise UnauthenticatedError
    for scope in needed:
        scopes.require(scope, call.caller.scopes)


def _own(call: Call) -> User | None:
    """Return the user whose token came with the call."""
    return call.caller.user if isinstance(call.caller, VseeCaller) else None


def _account(call: Call) -> Account:
    return call.house.accounts.get(call.caller.account_id)


# --- users ---


def _sso(call: Call) -> Answer:
    """Create the user or find it by ``code``, and hand out a token."""
    _require(call, scopes.USERS_WRITE, scopes.LOGIN_URIS_WRITE)
    account, house, sent = _account(call), call.house, reading.members(call.event.body)
    given = {name: sent.text(name) or "" for name in _SSO_FIELDS}
    role, names = _judge(given)
    room = _room_to_wait_in(call, given["room_code"])
    fields: dict[str, Any] = {"full_name": " ".join(names)} | {
        ours: given[theirs] for theirs, ours in _OPTIONAL.items() if given[theirs]
    }
    if role is not None:
        fields["role"] = role
    at_first = {"username": ids.new_label(house.random, _USERNAME_LENGTH), "role": Role.MEMBER}
    if given["code"]:
        user = house.users.keep(account.account_id, given["code"], fields, at_first=at_first)
    else:
        user = house.users.create(account.account_id, at_first | fields)
    if room is not None and user.role is Role.PROVIDER:
        house.rooms.assign(account.account_id, room.room_id, user.user_id)
    # [ours]: whoever is sent with a room waits there, unless the link says where to go.
    door = None
    if room is not None and user.role is not Role.PROVIDER:
        door = addresses.room_door(room, house.settings.hub_host(account.slug), launch="1")
    issued = house.sso_tokens.issue(account, user, next_path=door)
    data = _user(user, account, _rooms_of(house, user), names) | {"token": _token(house, issued, user)}
    if "vsee" in call.event.folded_query.get("fields", "").lower().split(","):
        data["vsee"] = {"id": data["vseeid"], "token": issued.secret}
    return _data(data)


_SSO_FIELDS = ("first_name", "last_name", "type", "code", "email", "username", "timezone", "room_code")
_OPTIONAL = {"email": "email", "username": "username", "timezone": "time_zone"}


def _judge(given: Mapping[str, str]) -> tuple[Role | None, tuple[str, str]]:
    """Return role and name, as what the vendor requires of the fields.

    [ours]: without a type a new user is a member, and a known one stays what it is.
    """
    missing = [name for name in ("first_name", "last_name") if not given[name]]
    role = _ROLES.get(given["type"])
    if role is None and given["type"]:
        raise _bad_request("type: must be 200, 400 or 600.")
    if role is not Role.GUEST and not given["code"]:
        missing.append("code")
    if missing:
        raise _bad_request(f"{', '.join(missing)}: required.")
    if len(given["code"]) > CODE_LENGTH:
        raise _bad_request(f"code: must have at most {CODE_LENGTH} characters.")
    return role, (given["first_name"], given["last_name"])


def _room_to_wait_in(call: Call, code: str) -> Room | None:
    room = call.house.rooms.with_code(call.caller.account_id, code) if code else None
    if code and room is None:
        raise _bad_request("room_code: there is no such room.")
    return room


def _assign_rooms(call: Call) -> Answer:
    """Assign a user to rooms, besides those that it has."""
    account, house = _account(call), call.house
    user_id = _whom(call)
    user = house.users.get(account.account_id, user_id)
    for room_id in _room_ids(call):
        house.rooms.assign(account.account_id, room_id, user_id)
    return _data(_user(user, account, _rooms_of(house, user)))


def _whom(call: Call) -> str:
    """Return the id of the user that is meant, if the caller may speak for it.

    [ours]: an API client and the admin's token speak for everybody, a provider's
    token for the provider alone, any other for nobody.
    """
    user_id, own = call.values["user_id"], _own(call)
    if own is None:
        _require(call, scopes.ROOMS_WRITE)
        return _current_user_id(call) if user_id == _CURRENT_USER else user_id
    if own.role is not Role.PROVIDER or user_id not in {_CURRENT_USER, own.user_id}:
        raise ForbiddenError("not_yours", "A user's token speaks for that user alone, who must be a provider.")
    return own.user_id


def _current_user_id(call: Call) -> str:
    """Return the id of the user whose token came beside the credentials of a client."""
    token = _token_in(call.event)
    if not _is_a_users(token):
        raise _bad_request("The current user is the one of a user's X-ApiToken; name the user by its id.")
    return call.house.sso_tokens.user_of(call.caller.account_id, token.lower()).user_id


def _room_ids(call: Call) -> list[str]:
    """Return the ids of the rooms that the body names, all of them known. [ours]: the names of its fields."""
    sent, account_id = reading.members(call.event.body), call.caller.account_id
    room_ids = [text for name in ("room_id", "room_ids") for text in sent.texts(name)]
    codes = [text for name in ("room_code", "room_codes") for text in sent.texts(name)]
    if not 1 <= len(room_ids) + len(codes) <= ROOMS_OF_ONE_CALL:
        raise _bad_request(f"room_id, room_ids, room_code or room_codes: must name 1 to {ROOMS_OF_ONE_CALL} rooms.")
    rooms = [call.house.rooms.get(account_id, room_id) for room_id in room_ids]
    rooms += [_room_with_code(call, code) for code in codes]
    return [room.room_id for room in rooms]


def _rooms_of(house: House, user: User) -> list[Room]:
    rooms, _ = house.rooms.of_user(user.account_id, user.user_id, after=None, limit=ROOMS_SHOWN)
    return rooms


# --- rooms ---


def _create_room(call: Call) -> Answer:
    _require(call, scopes.ROOMS_WRITE)
    account, sent = _account(call), reading.members(call.event.body)
    fields = {name: text for name in ("name", "code", "slug", "domain") if (text := sent.text(name))}
    if "name" not in fields:
        raise _bad_request("name: required.")
    fields.setdefault("domain", call.house.settings.hub_host(account.slug))
    try:
        room = call.house.rooms.create(account.account_id, fields)
    except ConflictError as taken:
        if taken.code == "room_slug_taken":
            slug = fields.get("slug") or fields.get("code")
            raise _bad_request(f"In domain '{fields['domain']}' slug '{slug}' already exists.") from None
        raise _bad_request(f"Code '{fields.get('code')}' already exists.") from None
    return _data(_whole_room(room, account))


def _list_rooms(call: Call) -> Answer:
    """Show a page of all rooms; ``page`` counts from 1. [ours]: 25 a page unless asked for, 100 at most."""
    query = call.event.folded_query
    page, asked = (_number(query, name, default) for name, default in (("page", 1), ("limit", 25)))
    rooms, limit = list(_all_rooms(call)), min(asked, 100)
    first = (max(page, 1) - 1) * limit
    return _list([_public_room(room) for room in rooms[first : first + limit]], len(rooms))


def _all_rooms(call: Call) -> Iterator[Room]:
    after = None
    while True:
        rooms, after = call.house.rooms.page(call.caller.account_id, after=after, limit=100)
        yield from rooms
        if after is None:
            return


def _show_room(call: Call) -> Answer:
    return _data(_public_room(_room_with_code(call, call.values["code"])))


def _providers(call: Call) -> Answer:
    """Show who receives people in a room, by name and nothing more."""
    room = _room_with_code(call, call.values["code"])
    providers = [
        _public_provider(user)
        for user in call.house.users.several(room.account_id, room.user_ids)
        if user.role is Role.PROVIDER and user.status is Status.ACTIVE
    ]
    return _list(providers, len(providers))


def _room_with_code(call: Call, code: str) -> Room:
    room = call.house.rooms.with_code(call.caller.account_id, code)
    if room is None:
        raise no_such_room()
    return room


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 6):  # noqa: PLR2004 - more pages than there are rooms
        raise _bad_request(f"{name}: must be a number.")
    return int(text)


# --- what they look like ---


def _user(user: User, account: Account, rooms: Iterable[Room], names: tuple[str, str] | None = None) -> dict[str, Any]:
    first, _, last = user.full_name.rpartition(" ")
    username = user.username or ""
    return {
        "id": user.user_id,
        "code": user.external_id or "",
        "first_name": names[0] if names else first or last,
        "last_name": names[1] if names else last if first else "",
        "full_name": user.full_name,
        "username": username,
        "vseeid": f"vestibule+{username or user.user_id}",
        "email": user.email or "",
        "active": user.status is Status.ACTIVE,
        "tos": False,
        "status": 20,
        "subtype": "",
        "timezone": user.time_zone or "",
        "email_verified": False,
        "account_code": account.slug,
        "clinics": [account.slug],
        "rooms": [_users_room(room, account) for room in rooms],
    }


def _token(house: House, issued: IssuedToken, user: User) -> dict[str, Any]:
    created = issued.token.created_at
    return {
        "user_id": user.user_id,
        "token": issued.secret,
        "expiry": to_epoch_seconds(issued.token.expires_at),
        "created": created // SECOND,
        "user_type": _TYPES[user.role],
        # [ours]: stored nowhere and good for nothing; a portal that wants a new token calls users/sso again.
        "refresh_token": {
            "user_id": user.user_id,
            "token": ids.new_login_guid(house.random),
            "expiry": to_epoch_seconds(created + REFRESH_LIVES_FOR),
            "created": created // SECOND,
        },
    }


def _users_room(room: Room, account: Account) -> dict[str, Any]:
    return {
        "code": room.code,
        "slug": room.slug,
        "name": room.name,
        "domain": room.domain,
        "account_code": account.slug,
        "id": room.room_id,
        "logo_url": account.logo_url or "",
    }


def _public_room(room: Room) -> dict[str, Any]:
    return {
        "slug": room.slug,
        "name": room.name,
        "domain": room.domain,
        "code": room.code,
        "created": room.created_at // SECOND,
        "modified": room.updated_at // SECOND,
    }


def _whole_room(room: Room, account: Account) -> dict[str, Any]:
    user_ids = sorted(room.user_ids)
    return {
        "id": room.room_id,
        "code": room.code,
        "slug": room.slug,
        "name": room.name,
        "domain": room.domain,
        "subtitle": "",
        "active": True,
        "users": user_ids,
        "account_code": account.slug,
        "provider_ids": user_ids,
        "public_access_room": True,
        "modified": room.updated_at // SECOND,
        "created": room.created_at // SECOND,
        "visits": {"walkin": {"enabled": True}, "appointment": {"enabled": True}},
        "auth": {"guest": {"type": _TYPES[Role.GUEST], "log_in": {"enabled": True}}},
    }


def _public_provider(user: User) -> dict[str, Any]:
    first, _, last = user.full_name.rpartition(" ")
    return {
        "id": user.user_id,
        "first_name": first or last,
        "last_name": last if first else "",
        "full_name": user.full_name,
    }


# --- answers ---


def _bad_request(message: str) -> RequestError:
    return RequestError(400, "invalid_request", message)


def _refuse(_: Event, status: int, error: VestibuleError) -> Answer:
    code = status if status in _STATUSES else 400
    match error:
        case UnauthenticatedError():
            message = "The credentials in X-AccountCode, X-ApiKey and X-ApiSecret, or X-ApiToken are not valid."
        case InvalidError():
            code, message = 400, "; ".join(_in_their_words(one.field, one.detail) for one in error.errors)
        case UnavailableError():
            message = "The service is briefly unavailable. Please try again."
        case _:
            message = error.detail
    return _answer(code, {"code": code, "message": message})


def _in_their_words(field: str, detail: str) -> str:
    return detail.replace(f"{field}:", f"{_NATIVE_NAMES.get(field, field)}:", 1)


def _data(data: Any) -> Answer:
    return _answer(200, {"data": data})


def _list(data: list[dict[str, Any]], total: int) -> Answer:
    return _answer(200, {"data": data, "total_count": total})


def _answer(status: int, body: dict[str, Any]) -> Answer:
    return {
        "statusCode": status,
        "headers": dict(_HEADERS),
        "body": json.dumps(body, ensure_ascii=False),
        "isBase64Encoded": False,
    }
