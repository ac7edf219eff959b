"""Users over the API: made, found, listed, changed, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.problems import assert_problem

if TYPE_CHECKING:
    from tests.support.portal import Portal

PERSON = {
    "full_name": "Ada Lovelace",
    "external_id": "p-1",
    "email": "Ada@Example.org",
    "role": "provider",
    "time_zone": "Europe/London",
    "locale": "en-GB",
    "username": "ada.lovelace",
}


def test_a_users_life(portal: Portal) -> None:
    # when
    made = portal.api.post("/v1/users", json={**PERSON, "password": "correct horse battery staple"})

    # then
    user = made.json()
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/users/{user['id']}"
    assert user == {
        **PERSON,
        "id": user["id"],
        "status": "active",
        "created_at": user["created_at"],
        "updated_at": user["created_at"],
    }
    assert user["id"].isdigit()
    assert 8 <= len(user["id"]) <= 10
    assert int(user["id"]) < 2**31
    address = f"/v1/users/{user['id']}"
    assert portal.api.get(address).json() == user

    # when
    changed = portal.api.patch(address, json={"full_name": "Ada King", "email": None, "status": "disabled"}).json()

    # then
    assert changed == {
        **user,
        "full_name": "Ada King",
        "email": None,
        "status": "disabled",
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > user["updated_at"]

    # when
    gone = portal.api.delete(address)

    # then
    assert gone.status_code == 204
    assert gone.content == b""
    assert_problem(portal.api.get(address), 404, "user_not_found")
    assert_problem(portal.api.delete(address), 404, "user_not_found")


def test_names_are_unique_in_the_account_and_free_again_after_a_deletion(portal: Portal) -> None:
    # given
    first = portal.create_user(external_id="p-1", username="Ada")
    second = portal.create_user(external_id="p-2")

    # then
    for fields, code in [
        ({"external_id": "p-1"}, "external_id_taken"),
        ({"username": "aDa"}, "username_taken"),
    ]:
        assert_problem(portal.api.post("/v1/users", json={"full_name": "x", **fields}), 409, code)
        assert_problem(portal.api.patch(f"/v1/users/{second['id']}", json=fields), 409, code)
    assert portal.api.get(f"/v1/users/{second['id']}").json() == second

    # when: one name is changed, and the other's owner deleted
    portal.api.patch(f"/v1/users/{first['id']}", json={"external_id": "p-9"})
    assert portal.api.patch(f"/v1/users/{second['id']}", json={"external_id": "p-1"}).status_code == 200
    portal.api.delete(f"/v1/users/{first['id']}")

    # then
    assert portal.api.post("/v1/users", json={"full_name": "x", "external_id": "p-9", "username": "ADA"}).is_success
    assert [u["id"] for u in find(portal, external_id="p-1")] == [second["id"]]


def test_the_same_name_means_the_same_however_its_characters_are_composed(portal: Portal) -> None:
    # given: "é" as one character and as two
    portal.create_user(external_id="caf\u00e9")

    # then
    assert find(portal, external_id="cafe\u0301")
    refused = portal.api.post("/v1/users", json={"full_name": "x", "external_id": "cafe\u0301"})
    assert_problem(refused, 409, "external_id_taken")


def test_users_are_found_by_what_the_portal_knows(portal: Portal) -> None:
    # given
    ada = portal.create_user(external_id="p/1 ä&?", email="Ada@Example.org")
    twin = portal.create_user(email="ada@example.ORG")

    # then
    assert find(portal, external_id="p/1 ä&?") == [ada]
    assert find(portal, external_id="P/1 ä&?") == []
    assert {user["id"] for user in find(portal, email="ADA@example.org")} == {ada["id"], twin["id"]}
    assert find(portal, email="ada@example.net") == []
    # and: by both at once would be by neither
    refused = portal.api.get("/v1/users", params={"external_id": "p/1 ä&?", "email": "ada@example.net"})
    assert_problem(refused, 422, "invalid_request")
    assert [error["code"] for error in refused.json()["errors"]] == ["one_of"]


@pytest.mark.req("P06")
def test_a_list_is_read_page_by_page(portal: Portal) -> None:
    # given
    made = {portal.create_user(full_name=f"Person {number}")["id"] for number in range(7)}

    # when
    pages = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = portal.api.get("/v1/users", params=query).json()
        pages.append([user["id"] for user in page["items"]])
        cursor = page["cursor"]

    # then
    assert sorted(user_id for page in pages for user_id in page) == sorted(made)
    assert all(len(page) == 3 for page in pages[:2])
    assert len(portal.api.get("/v1/users").json()["items"]) == 7


@pytest.mark.req("P06")
def test_a_cursor_is_its_clients_own(portal: Portal) -> None:
    # given
    for _ in range(2):
        portal.create_user()
    cursor = portal.api.get("/v1/users", params={"limit": "1"}).json()["cursor"]
    another = portal.basic(*portal.create_client())

    # then
    assert portal.api.get("/v1/users", params={"cursor": cursor}).status_code == 200
    for wrong in (cursor[:-2], cursor[::-1], f"{cursor}x", "x", "!", "é", "x" * 5_000):
        answer = portal.api.get("/v1/users", params={"cursor": wrong})
        assert_problem(answer, 422, "invalid_request")
        assert answer.json()["errors"][0]["code"] == "invalid_cursor"
    refused = assert_problem(another.get("/v1/users", params={"cursor": cursor}), 422, "invalid_request")
    assert refused["errors"][0]["field"] == "cursor"


def find(portal: Portal, **by: str) -> list[dict[str, Any]]:
    answer = portal.api.get("/v1/users", params=by)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])
