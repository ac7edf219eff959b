"""Registrants and embeds over HTTP, on the real template with IAM enforced: their life, and races for an address."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.support.crowd import at_once
from vestibule.domain.embeds import audience_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.stack import Fresh

TOMORROW = "2199-06-01T09:00:00Z"
THREADS = 10
SPELLINGS = ["ada@bücher.example", " Ada@Bücher.example", "ADA@BÜCHER.EXAMPLE ", "ada@xn--bcher-kva.example"]


def plan(portal: Portal, **fields: Any) -> str:
    host = portal.create_user(full_name="Dr. Mia Lindqvist")
    body = {"title": "Open lecture", "host": {"user_id": host["id"]}, "starts_at": TOMORROW, **fields}
    answer = portal.api.post("/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def register(portal: Portal, session_id: str, email: str, **fields: Any) -> httpx.Response:
    body = {"name": "Ada Lovelace", "email": email, **fields}
    return portal.api.post(f"/v1/sessions/{session_id}/registrants", json=body)


@pytest.mark.req("E04", "E05", "R03")
def test_a_registrant_is_made_found_rotated_and_cancelled(portal: Portal) -> None:
    # given
    session_id = plan(portal)
    everybody = f"/v1/sessions/{session_id}/registrants"

    # when
    made = register(portal, session_id, "ada@example.org", metadata={"company": "Babbage"})

    # then
    assert made.status_code == 201, made.text
    one = made.json()
    address = made.headers["location"]
    assert one["join_url"].startswith(f"{portal.hub_url}/r/{session_id}-{one['id']}-")
    assert portal.api.get(address).json() == one
    assert portal.api.get(everybody).json()["items"] == [one]
    assert portal.api.get(everybody, params={"email": "ADA@example.org"}).json()["items"] == [one]

    # when
    batch = portal.api.post(
        f"{everybody}/batch",
        json={"registrants": [{"name": f"Guest {n}", "email": f"guest{n}@example.org"} for n in range(100)]},
    )

    # then
    assert batch.status_code == 200, batch.text
    assert {result["status"] for result in batch.json()["results"]} == {201}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = portal.api.get(everybody, params={"limit": "40", **cursor}).json()
        seen += [item["id"] for item in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert len(seen) == len(set(seen)) == 101

    # when
    rotated = portal.api.post(f"{address}/rotate")

    # then
    assert rotated.status_code == 200, rotated.text
    assert rotated.json()["join_url"] != one["join_url"]
    assert portal.api.delete(address).status_code == 204
    assert portal.api.get(address).json()["code"] == "registrant_not_found"
    again = register(portal, session_id, "ada@example.org").json()
    assert again["id"] == one["id"]
    assert again["join_url"] not in {one["join_url"], rotated.json()["join_url"]}


@pytest.mark.req("E04")
def test_of_50_parallel_registrations_of_one_address_one_wins_and_49_are_told_its_id(portal: Portal) -> None:
    # given
    session_id = plan(portal)

    # when
    answers = at_once(lambda n: register(portal, session_id, SPELLINGS[n % len(SPELLINGS)]), range(50), threads=THREADS)

    # then
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
    (winner,) = (answer.json() for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["code"], answer.json()["registrant_id"]) == ("registrant_exists", winner["id"])
            assert "join_url" not in answer.text
            assert "/r/" not in answer.text
    assert len(portal.api.get(f"/v1/sessions/{session_id}/registrants").json()["items"]) == 1


@pytest.mark.parametrize("capacity", [5, 20])
@pytest.mark.req("E09")
def test_of_three_times_as_many_at_once_exactly_the_limit_gets_in(portal: Portal, capacity: int) -> None:
    # given
    session_id = plan(portal, registration={"capacity": capacity})

    def arrive(number: int) -> httpx.Response:
        while True:  # a 503 says that nothing happened, and to come again
            answer = register(portal, session_id, f"guest{number}@example.org")
            if answer.status_code != 503:
                return answer

    # when
    answers = at_once(arrive, range(3 * capacity), threads=THREADS)

    # then
    assert Counter(answer.status_code for answer in answers) == {201: capacity, 409: 2 * capacity}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"session_full"}
    made = [answer.headers["location"] for answer in answers if answer.status_code == 201]

    # when
    assert portal.api.delete(made[0]).status_code == 204

    # then
    assert register(portal, session_id, "late@example.org").status_code == 201
    assert register(portal, session_id, "later@example.org").json()["code"] == "session_full"


@pytest.mark.req("P05")
def test_another_accounts_registrants_and_sessions_are_none(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    other, session_id = open_portal(), plan(portal)
    address = register(portal, session_id, "ada@example.org").headers["location"]
    assert register(other, session_id, "eve@example.org").json()["code"] == "session_not_found"
    assert other.api.get(f"/v1/sessions/{session_id}/registrants").status_code == 404
    assert other.api.get(address).status_code == 404
    assert other.api.delete(address).status_code == 404
    assert other.api.post(f"/v1/sessions/{session_id}/embeds", json={"user_id": "eve"}).status_code == 404
    assert portal.api.get(address).status_code == 200


@pytest.mark.req("E01", "R03")
def test_an_embed_token_is_good_with_the_published_keys(portal: Portal) -> None:
    # given
    session_id = plan(portal)

    # when
    made = portal.api.post(f"/v1/sessions/{session_id}/embeds", json={"user_id": "mrn-7", "user_name": "Ada"})

    # then
    assert made.status_code == 201, made.text
    embed = made.json()
    assert embed["url"] == f"{portal.hub_url}/embed/{session_id}#token={embed['token']}"
    published = portal.anonymous().get("/.well-known/jwks.json").json()
    key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(embed["token"])["kid"]]
    claims = jwt.decode(embed["token"], key, algorithms=["ES256"], audience=audience_of(portal.account_id))
    assert (claims["sub"], claims["name"], claims["session_id"]) == ("mrn-7", "Ada", session_id)
    session = portal.house.sessions.get(portal.account_id, session_id)
    assert portal.house.embed_reader.read(portal.account, session, embed["token"]).user_id == "mrn-7"


@pytest.mark.req("E02", "R03")
def test_an_application_secret_is_made_rotated_and_removed(portal: Portal) -> None:
    # when
    made = portal.api.post("/v1/account/app-secrets", json={"name": "course site"})

    # then
    assert made.status_code == 201, made.text
    address = made.headers["location"]
    rotated = portal.api.post(f"{address}/rotate", json={"overlap_minutes": 60}).json()
    assert rotated["app_secret"] != made.json()["app_secret"]
    (listed,) = portal.api.get("/v1/account/app-secrets").json()["items"]
    assert [key["kid"] for key in listed["keys"]] == [made.json()["kid"], rotated["kid"]]
    assert "app_secret" not in listed
    assert portal.api.delete(address).status_code == 204
    assert portal.api.get("/v1/account/app-secrets").json() == {"items": []}


@pytest.mark.req("E09", "R03")
def test_a_limit_that_is_set_later_counts_who_is_there_already(portal: Portal, fresh: Fresh) -> None:
    # given: two people before there was a limit
    session_id = plan(portal)
    for email in ("ada@example.org", "grace@example.org"):
        assert register(portal, session_id, email).status_code == 201

    # when
    limited = portal.api.patch(f"/v1/sessions/{session_id}", json={"registration": {"capacity": 3}})

    fresh("RegistrantCreateFunction")  # which remembers a session's settings for some seconds

    # then: one more
    assert limited.status_code == 200, limited.text
    assert register(portal, session_id, "mary@example.org").status_code == 201
    refused = register(portal, session_id, "katherine@example.org")
    assert (refused.status_code, refused.json()["code"]) == (409, "session_full")
