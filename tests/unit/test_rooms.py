"""Rooms: their unique names, who is assigned to them, and what a deletion takes along, on moto."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, caller, header, json_of, native_event
from tests.support.house import add_user, open_account
from vestibule.domain.idempotency import IdTakenError
from vestibule.errors import InvalidError, VestibuleError
from vestibule.store.directory.rooms import USERS_AT_MOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, Handler, LoadFunction, MotoAws, Wire
    from vestibule.model import Account, Room, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

HUB = "clinic.hub.vestibule.example"
NOBODY = "99999999"
NO_ID = ["0", "1234567", "12345678901", "x" * 3_000, "٣٣٣٣٣٣٣٣", "12345678#pointer", " 12345678"]
"""What stands in a path and can be nobody's id."""


@pytest.fixture
def doctor(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Maria Lindqvist", role="provider")


def open_room(house: House, account: Account, **fields: Any) -> Room:
    return house.rooms.create(account.account_id, {"name": "Walk-ins", "domain": HUB, **fields})


def rooms_of(house: House, user: User) -> set[str]:
    return {room.room_id for room in house.rooms.of_user(user.account_id, user.user_id, after=None, limit=100)[0]}


def users_in(house: House, room: Room) -> frozenset[str]:
    return house.rooms.get(room.account_id, room.room_id).user_ids


def refusal_of(act: Callable[[], object]) -> str:
    with pytest.raises(VestibuleError) as refused:
        act()
    return refused.value.code


# --- names ----------------------------------------------------------------------------------------------


def test_a_room_is_found_as_it_was_created(house: House, account: Account) -> None:
    # When
    room = open_room(house, account, code="Front-1", slug="front_desk", domain="Clinic.Example")

    # Then
    assert house.rooms.get(account.account_id, room.room_id) == room
    assert (room.name, room.code, room.slug, room.domain) == ("Walk-ins", "Front-1", "front_desk", "clinic.example")
    assert room.user_ids == frozenset()
    assert house.rooms.with_code(account.account_id, "fRONT-1") == room


def test_a_code_that_nobody_chose_has_five_lower_case_letters_and_digits_and_is_the_slug_too(
    house: House, account: Account
) -> None:
    # When
    rooms = [open_room(house, account) for _ in range(20)]

    # Then
    assert all(re.fullmatch("[a-z0-9]{5}", room.code) for room in rooms)
    assert all(room.slug == room.code for room in rooms)
    assert len({room.code for room in rooms}) == len(rooms)


@pytest.mark.parametrize("chosen", [{"code": "abcde"}, {"code": "other", "slug": "abcde"}])
def test_a_drawn_code_that_is_taken_as_code_or_slug_is_drawn_anew(
    house: House, account: Account, chosen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    draws = iter(["abcde", "abcde", "fghij"])
    monkeypatch.setattr("vestibule.ids.new_label", lambda _random, _length: next(draws))
    open_room(house, account, **chosen)

    # When
    room = open_room(house, account)

    # Then
    assert (room.code, room.slug) == ("fghij", "fghij")


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({"code": "front"}, {"code": "front", "slug": "other"}, "room_code_taken"),
        ({"code": "front"}, {"code": "FRONT", "slug": "other"}, "room_code_taken"),
        ({"code": "front"}, {"code": "front", "domain": "other.example"}, "room_code_taken"),
        ({"slug": "front"}, {"slug": "front"}, "room_slug_taken"),
        ({"slug": "front"}, {"slug": "Front"}, "room_slug_taken"),
        ({"slug": "front"}, {"code": "front"}, "room_slug_taken"),
    ],
)
def test_codes_and_slugs_in_a_domain_are_unique_whatever_their_case(
    house: House, account: Account, first: dict[str, str], second: dict[str, str], code: str
) -> None:
    # Given
    open_room(house, account, **first)

    # Then
    assert refusal_of(lambda: open_room(house, account, **second)) == code


def test_a_slug_is_free_in_another_domain_and_every_name_in_another_account(house: House, account: Account) -> None:
    # Given
    open_room(house, account, code="front", slug="desk")

    # Then
    open_room(house, account, code="back", slug="desk", domain="other.example")
    open_room(house, open_account(house, "other"), code="front", slug="desk")


def test_a_given_id_that_is_in_use_is_told_apart_from_a_name_that_is(house: House, account: Account) -> None:
    # Given
    room = open_room(house, account, code="front")

    # Then
    with pytest.raises(IdTakenError):
        house.rooms.create(account.account_id, {"name": "Again", "code": "front", "domain": HUB}, room.room_id)


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"name": ""}, "name", "invalid_length"),
        ({"name": "a\u202eb"}, "name", "invalid_character"),
        ({"code": "-front"}, "code", "invalid_label"),
        ({"code": "fr#nt"}, "code", "invalid_label"),
        ({"code": "frönt"}, "code", "invalid_label"),
        ({"code": "x" * 65}, "code", "invalid_label"),
        ({"slug": ""}, "slug", "invalid_label"),
        ({"slug": "a/b"}, "slug", "invalid_label"),
        ({"domain": "clinic.example/u"}, "domain", "invalid_domain"),
        ({"domain": "clinic.example#x"}, "domain", "invalid_domain"),
        ({"domain": "-clinic.example"}, "domain", "invalid_domain"),
        ({"domain": "clinic..example"}, "domain", "invalid_domain"),
        ({"domain": ".".join(["x" * 60] * 5)}, "domain", "invalid_domain"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(
    house: House, account: Account, fields: dict[str, str], field: str, code: str
) -> None:
    # When
    with pytest.raises(InvalidError) as refused:
        open_room(house, account, **fields)

    # Then
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


# --- changing -------------------------------------------------------------------------------------------


def test_a_changed_room_leaves_its_old_names_to_others_and_keeps_its_users(
    house: House, account: Account, doctor: User, clock: FakeClock
) -> None:
    # Given
    room = open_room(house, account, code="front", slug="desk")
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)
    clock.advance(1_000)

    # When
    changed = house.rooms.change(account.account_id, room.room_id, {"name": "Back", "code": "back", "slug": "yard"})

    # Then
    assert house.rooms.get(account.account_id, room.room_id) == changed
    assert (changed.name, changed.code, changed.slug, changed.domain) == ("Back", "back", "yard", HUB)
    assert changed.user_ids == {doctor.user_id}
    assert (changed.created_at, changed.updated_at) == (room.created_at, clock.now)
    assert house.rooms.with_code(account.account_id, "front") is None
    open_room(house, account, code="front", slug="desk")


def test_a_change_to_taken_names_is_refused_and_changes_nothing(house: House, account: Account) -> None:
    # Given
    open_room(house, account, code="front", slug="desk")
    room = open_room(house, account, code="back", slug="yard")

    # Then
    change = house.rooms.change
    assert refusal_of(lambda: change(account.account_id, room.room_id, {"code": "front"})) == "room_code_taken"
    assert refusal_of(lambda: change(account.account_id, room.room_id, {"slug": "desk"})) == "room_slug_taken"
    assert house.rooms.get(account.account_id, room.room_id) == room


def test_only_the_case_of_a_name_may_change(house: House, account: Account) -> None:
    # Given
    room = open_room(house, account, code="front", slug="desk")

    # When
    changed = house.rooms.change(account.account_id, room.room_id, {"code": "Front", "slug": "Desk"})

    # Then
    assert house.rooms.with_code(account.account_id, "front") == changed
    assert changed.code == "Front"


def test_a_change_that_meets_an_assignment_loses_neither(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given
    room = open_room(house, account)
    wire.before("PutItem", lambda: house.rooms.assign(account.account_id, room.room_id, doctor.user_id))

    # When
    house.rooms.change(account.account_id, room.room_id, {"name": "Back"})

    # Then
    found = house.rooms.get(account.account_id, room.room_id)
    assert found.name == "Back"
    assert found.user_ids == {doctor.user_id}


@pytest.mark.req("R01")
def test_a_change_whose_answer_is_lost_is_made(house: House, account: Account, doctor: User, wire: Wire) -> None:
    # Given: users in the room, whose order in the answer is DynamoDB's business
    room = open_room(house, account)
    for user_id in (doctor.user_id, add_user(house, account).user_id, add_user(house, account).user_id):
        house.rooms.assign(account.account_id, room.room_id, user_id)
    users = users_in(house, room)
    wire.lose_answer("PutItem")

    # When
    house.rooms.change(account.account_id, room.room_id, {"name": "Back"})

    # Then
    found = house.rooms.get(account.account_id, room.room_id)
    assert (found.name, found.user_ids) == ("Back", users)


# --- assigning ------------------------------------------------------------------------------------------


def test_room_and_user_know_each_other(house: House, account: Account, doctor: User) -> None:
    # Given
    first, second = open_room(house, account), open_room(house, account)

    # When
    for room in (first, second):
        house.rooms.assign(account.account_id, room.room_id, doctor.user_id)

    # Then
    assert users_in(house, first) == {doctor.user_id}
    assert rooms_of(house, doctor) == {first.room_id, second.room_id}

    # When
    house.rooms.unassign(account.account_id, first.room_id, doctor.user_id)

    # Then
    assert users_in(house, first) == frozenset()
    assert rooms_of(house, doctor) == {second.room_id}


def test_assigning_and_unassigning_again_change_nothing(house: House, account: Account, doctor: User) -> None:
    # Given
    room = open_room(house, account)

    # Then
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)
    once = house.rooms.get(account.account_id, room.room_id)
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)
    assert house.rooms.get(account.account_id, room.room_id) == once

    house.rooms.unassign(account.account_id, room.room_id, doctor.user_id)
    once = house.rooms.get(account.account_id, room.room_id)
    house.rooms.unassign(account.account_id, room.room_id, doctor.user_id)
    assert house.rooms.get(account.account_id, room.room_id) == once


@pytest.mark.req("P05")
def test_a_room_or_user_of_nobody_or_of_another_account_is_unknown(
    house: House, account: Account, doctor: User
) -> None:
    # Given
    room = open_room(house, account)
    other = open_account(house, "other")
    stranger, elsewhere = add_user(house, other), open_room(house, other)
    rooms, mine = house.rooms, account.account_id

    # Then
    for act in (rooms.assign, rooms.unassign):
        for room_id in (NOBODY, elsewhere.room_id, *NO_ID):
            assert refusal_of(lambda: act(mine, room_id, doctor.user_id)) == "room_not_found"  # noqa: B023
        for user_id in (NOBODY, stranger.user_id, *NO_ID):
            assert refusal_of(lambda: act(mine, room.room_id, user_id)) == "user_not_found"  # noqa: B023
    for room_id in (NOBODY, elsewhere.room_id, *NO_ID):
        assert refusal_of(lambda: rooms.get(mine, room_id)) == "room_not_found"  # noqa: B023
        assert refusal_of(lambda: rooms.change(mine, room_id, {"name": "x"})) == "room_not_found"  # noqa: B023
        assert refusal_of(lambda: rooms.delete(mine, room_id)) == "room_not_found"  # noqa: B023
    for user_id in (NOBODY, stranger.user_id, *NO_ID):
        assert refusal_of(lambda: rooms.of_user(mine, user_id, after=None, limit=1)) == "user_not_found"  # noqa: B023
    assert rooms.with_code(mine, elsewhere.code) is None
    assert rooms.with_code(mine, "x" * 3_000) is None
    assert users_in(house, room) == frozenset()
    assert users_in(house, elsewhere) == frozenset()


def test_a_room_has_at_most_90_users_and_with_them_all_it_can_be_deleted(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given: a room with one place left
    room = open_room(house, account)
    others = frozenset(str(20_000_000 + number) for number in range(USERS_AT_MOST - 1))
    house.rooms._store.replace(replace(room, user_ids=others, version=2), before=room)  # noqa: SLF001 - 89 users at once
    late = add_user(house, account)

    # When
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)

    # Then: one more is refused, one of them again is not
    assign = house.rooms.assign
    assert refusal_of(lambda: assign(account.account_id, room.room_id, late.user_id)) == "too_many_room_users"
    assign(account.account_id, room.room_id, doctor.user_id)
    assert users_in(house, room) == others | {doctor.user_id}
    assert rooms_of(house, late) == set()

    # When
    with wire.counting() as calls:
        house.rooms.delete(account.account_id, room.room_id)

    # Then
    assert [call.operation for call in calls] == ["GetItem", "TransactWriteItems"]
    assert rooms_of(house, doctor) == set()


@pytest.mark.req("R01")
def test_an_assignment_whose_answer_is_lost_is_made_once(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given
    room = open_room(house, account)
    wire.lose_answer("TransactWriteItems")

    # When
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)

    # Then
    found = house.rooms.get(account.account_id, room.room_id)
    assert found.user_ids == {doctor.user_id}
    assert found.version == room.version + 1


def test_assigning_is_one_transaction_and_reads_nothing(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given
    room = open_room(house, account)

    # When
    with wire.counting() as calls:
        house.rooms.assign(account.account_id, room.room_id, doctor.user_id)

    # Then
    assert [call.operation for call in calls] == ["TransactWriteItems"]


# --- deleting -------------------------------------------------------------------------------------------


def test_a_deleted_room_leaves_nothing_behind(
    house: House, account: Account, doctor: User, moto_aws: MotoAws, settings: Settings
) -> None:
    # Given
    before = moto_aws.stored(settings.directory_table)
    room = open_room(house, account, code="front")
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)

    # When
    house.rooms.delete(account.account_id, room.room_id)

    # Then
    assert moto_aws.stored(settings.directory_table) == before
    assert refusal_of(lambda: house.rooms.delete(account.account_id, room.room_id)) == "room_not_found"


def test_a_room_that_gets_a_user_while_it_is_deleted_takes_that_assignment_along(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given
    room = open_room(house, account)
    wire.before("TransactWriteItems", lambda: house.rooms.assign(account.account_id, room.room_id, doctor.user_id))

    # When
    house.rooms.delete(account.account_id, room.room_id)

    # Then
    assert rooms_of(house, doctor) == set()


def test_a_deleted_user_leaves_their_rooms(house: House, account: Account, doctor: User) -> None:
    # Given
    stays = add_user(house, account)
    rooms = [open_room(house, account) for _ in range(3)]
    for room in rooms:
        house.rooms.assign(account.account_id, room.room_id, doctor.user_id)
        house.rooms.assign(account.account_id, room.room_id, stays.user_id)

    # When
    house.users.delete(account.account_id, doctor.user_id)

    # Then
    assert [users_in(house, room) for room in rooms] == [{stays.user_id}] * 3
    assert refusal_of(lambda: house.users.get(account.account_id, doctor.user_id)) == "user_not_found"


def test_a_user_who_gets_a_room_while_being_deleted_does_not_stay_in_it(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given: the assignment comes after the user's rooms were left, just before the user goes
    room = open_room(house, account)
    wire.before("TransactWriteItems", lambda: house.rooms.assign(account.account_id, room.room_id, doctor.user_id))

    # When
    house.users.delete(account.account_id, doctor.user_id)

    # Then
    assert users_in(house, room) == frozenset()
    assert house.rooms._store.ids_of_user(account.account_id, doctor.user_id) == []  # noqa: SLF001 - nobody else sees it


def test_nobody_is_assigned_who_is_already_gone(house: House, account: Account, doctor: User, wire: Wire) -> None:
    # Given
    room = open_room(house, account)
    wire.before("TransactWriteItems", lambda: house.users.delete(account.account_id, doctor.user_id))

    # Then
    assert refusal_of(lambda: house.rooms.assign(account.account_id, room.room_id, doctor.user_id)) == "user_not_found"
    assert users_in(house, room) == frozenset()


# --- lists ----------------------------------------------------------------------------------------------


def test_pages_of_rooms_and_of_a_users_rooms_hold_every_room_once(
    house: House, account: Account, doctor: User, clock: FakeClock
) -> None:
    # Given
    rooms = []
    for _ in range(11):
        clock.advance(1)
        rooms.append(open_room(house, account))
        house.rooms.assign(account.account_id, rooms[-1].room_id, doctor.user_id)
    open_room(house, open_account(house, "other"))

    # When
    listed, mine = [], []
    after: Any = None
    while True:
        page, after = house.rooms.page(account.account_id, after=after, limit=3)
        listed += page
        if after is None:
            break
    while True:
        page, after = house.rooms.of_user(account.account_id, doctor.user_id, after=after, limit=3)
        mine += page
        if after is None:
            break

    # Then
    ids = sorted(room.room_id for room in rooms)
    assert sorted(room.room_id for room in listed) == ids
    assert [room.room_id for room in mine] == ids


@pytest.mark.req("P06")
@pytest.mark.parametrize("made_up", ["", "~", "\x00", "x" * 900])
def test_a_position_that_somebody_made_up_leads_to_that_users_rooms_or_to_none(
    house: House, account: Account, doctor: User, made_up: str
) -> None:
    # Given
    room, other = open_room(house, account), add_user(house, account)
    house.rooms.assign(account.account_id, room.room_id, doctor.user_id)
    house.rooms.assign(account.account_id, open_room(house, account).room_id, other.user_id)

    # When
    found, _ = house.rooms.of_user(account.account_id, doctor.user_id, after=(7, made_up), limit=100)

    # Then
    assert {one.room_id for one in found} <= {room.room_id}


def test_a_page_of_a_users_rooms_costs_three_reads(house: House, account: Account, doctor: User, wire: Wire) -> None:
    # Given
    for _ in range(5):
        house.rooms.assign(account.account_id, open_room(house, account).room_id, doctor.user_id)

    # When
    with wire.counting() as calls:
        house.rooms.of_user(account.account_id, doctor.user_id, after=None, limit=100)

    # Then
    assert [call.operation for call in calls] == ["GetItem", "Query", "BatchGetItem"]


# --- the function ---------------------------------------------------------------------------------------


class Front:
    """The rooms function as a client of an account calls it."""

    def __init__(self, handler: Handler, account: Account) -> None:
        self._handler = handler
        self._account = account

    def __call__(self, method: str, resource: str, body: Any = None, **further: Any) -> Any:
        values = further.pop("path_values", {})
        path = resource.format(**values)
        event = native_event(
            method,
            path,
            resource=resource,
            path_values=values,
            body=body,
            authorizer=further.pop("authorizer", caller(self._account.account_id)),
            **further,
        )
        return self._handler(event, CONTEXT)


@pytest.fixture
def front(function: LoadFunction, account: Account) -> Front:
    return Front(function("rooms"), account)


@pytest.mark.req("P01")
def test_a_room_over_http_from_its_creation_to_its_end(front: Front, doctor: User) -> None:
    # When
    answer = front("POST", "/v1/rooms", {"name": "Walk-ins"})

    # Then
    room = json_of(answer)
    assert answer["statusCode"] == 201
    assert header(answer, "Location") == f"/v1/rooms/{room['id']}"
    assert room["slug"] == room["code"]
    assert room["domain"] == HUB
    assert room["users"] == []
    one = {"path_values": {"room_id": room["id"]}}
    assert json_of(front("GET", "/v1/rooms/{room_id}", **one)) == room
    assert json_of(front("GET", "/v1/rooms", query={"code": room["code"]}))["items"] == [room]
    assert json_of(front("GET", "/v1/rooms", query={"code": "nobodys"})) == {"items": [], "cursor": None}
    assert json_of(front("GET", "/v1/rooms")) == {"items": [room], "cursor": None}

    # When
    changed = json_of(front("PATCH", "/v1/rooms/{room_id}", {"name": "Front desk"}, **one))
    pair = {"path_values": {"room_id": room["id"], "user_id": doctor.user_id}}
    assigned = front("PUT", "/v1/rooms/{room_id}/users/{user_id}", **pair)

    # Then
    assert changed["name"] == "Front desk"
    assert (assigned["statusCode"], assigned["body"]) == (204, "")
    of_user = {"path_values": {"user_id": doctor.user_id}}
    (mine,) = json_of(front("GET", "/v1/users/{user_id}/rooms", **of_user))["items"]
    assert mine["users"] == [doctor.user_id]

    # When
    unassigned = front("DELETE", "/v1/rooms/{room_id}/users/{user_id}", **pair)
    deleted = front("DELETE", "/v1/rooms/{room_id}", **one)

    # Then
    assert (unassigned["statusCode"], deleted["statusCode"]) == (204, 204)
    assert front("GET", "/v1/rooms/{room_id}", **one)["statusCode"] == 404


@pytest.mark.req("P01")
def test_what_is_taken_is_a_409_that_says_what(front: Front) -> None:
    # Given
    front("POST", "/v1/rooms", {"name": "Walk-ins", "code": "front", "slug": "desk"})

    # Then
    for body, code in (
        ({"name": "x", "code": "front"}, "room_code_taken"),
        ({"name": "x", "slug": "desk"}, "room_slug_taken"),
    ):
        answer = front("POST", "/v1/rooms", body)
        assert (answer["statusCode"], json_of(answer)["code"]) == (409, code)


@pytest.mark.req("P06")
def test_a_users_rooms_are_paged_with_a_cursor_of_that_user(
    front: Front, house: House, account: Account, doctor: User
) -> None:
    # Given
    other = add_user(house, account)
    for user in (doctor, other):
        for _ in range(3):
            house.rooms.assign(account.account_id, open_room(house, account).room_id, user.user_id)

    # When
    def page(user: User, **query: str) -> Any:
        return front(
            "GET", "/v1/users/{user_id}/rooms", path_values={"user_id": user.user_id}, query={"limit": "2", **query}
        )

    first = json_of(page(doctor))
    second = json_of(page(doctor, cursor=first["cursor"]))

    # Then
    assert [len(first["items"]), len(second["items"]), second["cursor"]] == [2, 1, None]
    assert json_of(page(other, cursor=first["cursor"]))["errors"][0]["code"] == "invalid_cursor"


def test_null_is_as_good_as_left_out_when_a_room_is_created(front: Front) -> None:
    # When
    answer = front("POST", "/v1/rooms", {"name": "x", "code": None, "slug": None, "domain": None})

    # Then
    assert answer["statusCode"] == 201
    assert json_of(answer)["domain"] == HUB


@pytest.mark.req("P04")
@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": "x", "users": []}, {"name": "x", "code": 12345}])
def test_a_body_of_another_shape_is_refused(front: Front, body: dict[str, Any]) -> None:
    assert front("POST", "/v1/rooms", body)["statusCode"] == 422


@pytest.mark.parametrize("member", ["name", "code", "slug", "domain"])
def test_no_name_of_a_room_can_be_cleared(front: Front, house: House, account: Account, member: str) -> None:
    room = open_room(house, account)
    answer = front("PATCH", "/v1/rooms/{room_id}", {member: None}, path_values={"room_id": room.room_id})
    assert answer["statusCode"] == 422
    assert house.rooms.get(account.account_id, room.room_id) == room


def test_reading_needs_one_scope_and_writing_the_other(front: Front, account: Account) -> None:
    reader = caller(account.account_id, granted=["rooms:read"])
    writer = caller(account.account_id, granted=["rooms:write"])
    assert front("GET", "/v1/rooms", authorizer=reader)["statusCode"] == 200
    assert front("POST", "/v1/rooms", {"name": "x"}, authorizer=reader)["statusCode"] == 403
    assert front("POST", "/v1/rooms", {"name": "x"}, authorizer=writer)["statusCode"] == 201
    assert front("GET", "/v1/rooms", authorizer=writer)["statusCode"] == 403


@pytest.mark.req("R01")
def test_a_failing_table_is_a_503_and_assigns_nobody(
    front: Front, house: House, account: Account, doctor: User, wire: Wire
) -> None:
    # Given
    room = open_room(house, account)
    wire.fail("TransactWriteItems", "InternalServerError")

    # When
    values = {"room_id": room.room_id, "user_id": doctor.user_id}
    answer = front("PUT", "/v1/rooms/{room_id}/users/{user_id}", path_values=values)

    # Then
    assert answer["statusCode"] == 503
    assert header(answer, "Retry-After")
    assert users_in(house, room) == frozenset()
