"""Idempotency keys on the stack: many at once, and answers of AWS that never come."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.proxy import calls_of

if TYPE_CHECKING:
    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy, Call
    from tests.support.tables import Tables
    from tools.local import Stack

AT_ONCE = 50
THREADS = 12
ADA = {"full_name": "Ada Lovelace", "external_id": "mrn-1"}
ROUTES = {"/v1/users": ADA, "/v1/rooms": {"name": "Walk-ins", "code": "front"}}
SDK_ATTEMPTS = 3


def post(portal: Portal, key: str, path: str = "/v1/users", body: Any = ADA) -> httpx.Response:
    return portal.api.post(path, json=body, headers={"Idempotency-Key": key})


def listed(portal: Portal, path: str = "/v1/users") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = portal.api.get(path).json()["items"]
    return items


def is_mark(call: Call) -> bool:
    """Tell whether a call notes that a creation is done."""
    return call.action == "PutItem" and b"idempotency#" in call.body and b'"done"' in call.body


def end_lease(stack: Stack, tables: Tables, object_id: str) -> None:
    """Let an attempt's lease be over instead of waiting for it."""
    (claim,) = [item for item in tables.scan("PassesTable") if item.get("object_id") == object_id]
    stack.client("dynamodb").update_item(
        TableName=tables.names["PassesTable"],
        Key={"pk": {"S": claim["pk"]}},
        UpdateExpression="SET lease_until = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time() * 1_000))}},
    )


@pytest.mark.req("P02", "R03")
@pytest.mark.parametrize("path", ROUTES)
def test_a_repeat_is_answered_from_the_object_as_it_is(portal: Portal, path: str) -> None:
    # given
    first = post(portal, "k-1", path, ROUTES[path])
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers

    # when
    again = post(portal, '"k-1"', path, ROUTES[path])

    # then
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json() == first.json()
    assert listed(portal, path) == [first.json()]

    # when
    other = post(portal, "k-1", path, {**ROUTES[path], "code" if "rooms" in path else "email": "other@x.example"})

    # then
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.req("P02")
def test_of_50_parallel_calls_with_one_key_one_creates(portal: Portal) -> None:
    # when
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: post(portal, "k-1", body={"full_name": "Ada"}), range(AT_ONCE)))

    # then: whoever came too early is told to come again
    created = [answer for answer in answers if answer.status_code == 201]
    early = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, answer.json()["code"]) for answer in early} <= {(409, "idempotency_key_in_use")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in early)
    assert len({answer.json()["id"] for answer in created}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in created) == 1
    assert len(listed(portal)) == 1


@pytest.mark.req("P02", "R01")
@pytest.mark.parametrize("path", ROUTES)
def test_what_was_created_without_being_marked_is_found_by_the_repeat(
    portal: Portal, aws: AwsProxy, stack: Stack, tables: Tables, path: str
) -> None:
    # given: nothing is written after the creation, as if the process had ended
    with aws.fail(is_mark, "InternalServerError", status=500, times=SDK_ATTEMPTS) as lost:
        first = post(portal, "k-1", path, ROUTES[path])
    assert len(lost.hits) == SDK_ATTEMPTS
    assert first.status_code == 201
    assert post(portal, "k-1", path, ROUTES[path]).json()["code"] == "idempotency_key_in_use"
    end_lease(stack, tables, first.json()["id"])

    # when
    again = post(portal, "k-1", path, ROUTES[path])

    # then
    assert again.status_code == 201, again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert listed(portal, path) == [first.json()]


@pytest.mark.req("P02", "R01")
def test_a_creation_whose_answer_never_came_is_found_by_the_repeat_at_once(portal: Portal, aws: AwsProxy) -> None:
    # given: DynamoDB acts, and no answer arrives, however often the SDK asks
    creation = calls_of(function="UsersFunction", action="TransactWriteItems")
    with aws.drop_answer(creation, times=SDK_ATTEMPTS) as lost:
        first = post(portal, "k-1")
    assert len(lost.hits) == SDK_ATTEMPTS
    assert first.status_code == 503
    assert "retry-after" in first.headers

    # when
    again = post(portal, "k-1")

    # then
    assert again.status_code == 201, again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert listed(portal) == [again.json()]


@pytest.mark.req("P02", "R01")
def test_the_sdks_retries_after_lost_answers_create_once(portal: Portal, aws: AwsProxy) -> None:
    # given: the first answer of each of the three writes is lost
    with (
        aws.drop_answer(lambda call: b"idempotency#" in call.body and b'"running"' in call.body) as claim,
        aws.drop_answer(calls_of(function="UsersFunction", action="TransactWriteItems")) as creation,
        aws.drop_answer(is_mark) as mark,
    ):
        # when
        answer = post(portal, "k-1")

    # then
    assert [len(lost.hits) for lost in (claim, creation, mark)] == [1, 1, 1]
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert listed(portal) == [answer.json()]


@pytest.mark.req("P02", "R03")
@pytest.mark.parametrize(
    ("path", "code", "mended"),
    [("/v1/users", "external_id_taken", {"external_id": "mrn-2"}), ("/v1/rooms", "room_code_taken", {"code": "back"})],
)
def test_a_refusal_gives_the_key_back(portal: Portal, path: str, code: str, mended: dict[str, str]) -> None:
    # given
    body = ROUTES[path]
    portal.api.post(path, json=body)
    refused = post(portal, "k-1", path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, code)

    # then
    assert post(portal, "k-1", path, body | mended).status_code == 201


@pytest.mark.req("P02", "P07")
def test_what_answers_with_a_fresh_secret_takes_no_key(portal: Portal) -> None:
    # given
    user_id = portal.create_user()["id"]
    rotate = f"/v1/account/clients/{portal.client_id}/rotate"

    # then
    for path, body in (
        ("/v1/login-uris", {"user_id": user_id}),
        ("/v1/account/clients", {"name": "x", "scopes": ["users:read"]}),
        (rotate, {}),
    ):
        answer = post(portal, "k-1", path, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_not_supported")

    # and the token endpoint ignores what it does not know
    form = {"grant_type": "client_credentials"}
    assert portal.api.post("/v1/oauth/token", data=form, headers={"Idempotency-Key": "k-1"}).status_code == 200
