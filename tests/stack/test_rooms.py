"""Rooms over HTTP, on the real template with IAM enforced: their whole life, and races for their names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crowd import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal

AT_ONCE = 50
THREADS = 12


def open_room(portal: Portal, **fields: Any) -> dict[str, Any]:
    answer = portal.api.post("/v1/rooms", json={"name": "Walk-ins", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def assign(portal: Portal, room: dict[str, Any], user_id: str, method: str = "PUT") -> httpx.Response:
    return portal.api.request(method, f"/v1/rooms/{room['id']}/users/{user_id}")


def rooms_of(portal: Portal, user_id: str) -> list[str]:
    return [room["id"] for room in portal.api.get(f"/v1/users/{user_id}/rooms").json()["items"]]


@pytest.mark.req("R03")
def test_a_room_is_opened_found_changed_and_closed(portal: Portal) -> None:
    # given
    room = open_room(portal)
    address = f"/v1/rooms/{room['id']}"

    # then
    assert room["domain"] == f"{portal.account.slug}.hub.vestibule.localhost"
    assert room["slug"] == room["code"]
    assert portal.api.get(address).json() == room
    assert portal.api.get("/v1/rooms", params={"code": room["code"]}).json()["items"] == [room]

    # when
    changed = portal.api.patch(address, json={"name": "Front desk", "code": "front", "slug": "desk"})

    # then
    assert changed.status_code == 200, changed.text
    assert portal.api.get("/v1/rooms").json()["items"] == [changed.json()]
    assert portal.api.get("/v1/rooms", params={"code": room["code"]}).json()["items"] == []

    # when
    assert portal.api.delete(address).status_code == 204

    # then
    assert portal.api.get(address).status_code == 404
    assert open_room(portal, code="front", slug="desk")["id"] != room["id"]


@pytest.mark.req("R03")
def test_users_are_assigned_and_leave_with_themselves_or_with_the_room(portal: Portal) -> None:
    # given
    ada, grace = (portal.create_user(full_name=name, role="provider")["id"] for name in ("Ada", "Grace"))
    first, second = open_room(portal), open_room(portal)

    # when
    answers = [assign(portal, room, user) for room in (first, second) for user in (ada, grace, ada)]

    # then
    assert {answer.status_code for answer in answers} == {204}
    assert portal.api.get(f"/v1/rooms/{first['id']}").json()["users"] == sorted([ada, grace])
    assert rooms_of(portal, ada) == sorted([first["id"], second["id"]])

    # when
    assert [assign(portal, first, ada, "DELETE").status_code for _ in range(2)] == [204, 204]
    assert portal.api.delete(f"/v1/users/{grace}").status_code == 204

    # then
    assert portal.api.get(f"/v1/rooms/{first['id']}").json()["users"] == []
    assert portal.api.get(f"/v1/rooms/{second['id']}").json()["users"] == [ada]

    # when
    assert portal.api.delete(f"/v1/rooms/{second['id']}").status_code == 204

    # then
    assert rooms_of(portal, ada) == []
    assert portal.api.get(f"/v1/users/{grace}/rooms").status_code == 404


@pytest.mark.req("P05")
def test_another_accounts_room_or_user_is_none(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    # given
    other = open_portal()
    room, user_id = open_room(portal), portal.create_user()["id"]
    strangers_room, stranger = open_room(other), other.create_user()["id"]

    # then
    assert assign(portal, strangers_room, user_id).json()["code"] == "room_not_found"
    assert assign(portal, room, stranger).json()["code"] == "user_not_found"
    assert assign(portal, strangers_room, user_id, "DELETE").json()["code"] == "room_not_found"
    assert portal.api.get(f"/v1/rooms/{strangers_room['id']}").status_code == 404
    assert portal.api.delete(f"/v1/rooms/{strangers_room['id']}").status_code == 404
    assert portal.api.get(f"/v1/users/{stranger}/rooms").status_code == 404
    assert portal.api.get(f"/v1/rooms/{room['id']}").json()["users"] == []
    assert other.api.get(f"/v1/rooms/{strangers_room['id']}").json() == strangers_room


def test_of_50_parallel_creations_with_one_code_one_wins_and_49_are_told(portal: Portal) -> None:
    # when
    answers = at_once(
        lambda _: portal.api.post("/v1/rooms", json={"name": "Walk-ins", "code": "front"}),
        range(AT_ONCE),
        threads=THREADS,
    )

    # then
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"room_code_taken"}
    assert len(portal.api.get("/v1/rooms").json()["items"]) == 1


def test_of_50_parallel_creations_with_one_slug_in_a_domain_one_wins(portal: Portal) -> None:
    # when
    answers = at_once(
        lambda n: portal.api.post("/v1/rooms", json={"name": "x", "code": f"c{n}", "slug": "desk"}),
        range(AT_ONCE),
        threads=THREADS,
    )

    # then
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"room_slug_taken"}


def test_parallel_assignments_to_one_room_all_hold(portal: Portal) -> None:
    # given
    room = open_room(portal)
    users = [portal.create_user()["id"] for _ in range(12)]

    # when
    answers = at_once(lambda user: assign(portal, room, user), users, threads=THREADS)

    # then
    assert {answer.status_code for answer in answers} == {204}
    assert portal.api.get(f"/v1/rooms/{room['id']}").json()["users"] == sorted(users)
    assert all(rooms_of(portal, user_id) == [room["id"]] for user_id in users)
