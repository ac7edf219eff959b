"""Idempotency keys on the stack: many at once, and answers of AWS that never come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crowd import at_once
from tests.support.proxy import calls_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy, Call
    from tests.support.tables import Tables
    from tools.local import Stack

AT_ONCE = 50
THREADS = 12
ADA = {"full_name": "Ada Lovelace", "external_id": "mrn-1"}
SDK_ATTEMPTS = 3


@dataclass(frozen=True)
class Creation:
    """A call that creates something and takes a key.

    Attributes
    ----------
    twice
        How a second call with another key is refused.
    is_resumed
        Whether a repeat goes on with a call that did not end, instead of finding what it made.
    other
        A body for the same route that creates something else.
    """

    path: str
    body: dict[str, Any]
    other: dict[str, Any]
    twice: str
    is_resumed: bool = False


def a_user(_: Portal) -> Creation:
    return Creation("/v1/users", ADA, ADA | {"external_id": "mrn-2"}, "external_id_taken")


def a_room(_: Portal) -> Creation:
    body = {"name": "Walk-ins", "code": "front"}
    return Creation("/v1/rooms", body, body | {"code": "back"}, "room_code_taken")


def a_session(portal: Portal) -> Creation:
    host = portal.create_user(full_name="Mia Lindqvist")["id"]
    body = {"title": "Check-up", "host": {"user_id": host}, "starts_at": "2199-06-01T09:00:00Z", "external_id": "a-1"}
    return Creation("/v1/sessions", body, body | {"external_id": "a-2"}, "external_id_taken")


def a_participant(portal: Portal) -> Creation:
    ada, ben = ({"full_name": name, "email": f"{name}@x.example", "notify": "none"} for name in ("ada", "ben"))
    path = f"{planned(portal)}/participants"
    return Creation(path, {"participants": [ada]}, {"participants": [ben]}, "participant_exists", is_resumed=True)


def a_registrant(portal: Portal) -> Creation:
    ada, ben = ({"name": name, "email": f"{name}@x.example"} for name in ("ada", "ben"))
    return Creation(f"{planned(portal)}/registrants", ada, ben, "registrant_exists")


CREATIONS = [a_user, a_room, a_session, a_participant, a_registrant]
creations = pytest.mark.parametrize("of", CREATIONS, ids=lambda of: of.__name__)


def planned(portal: Portal) -> str:
    """Plan a session that takes registrations, and return its path."""
    session = a_session(portal)
    made = portal.api.post(session.path, json=session.body | {"registration": {}})
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def post(portal: Portal, key: str, path: str = "/v1/users", body: Any = ADA) -> httpx.Response:
    return portal.api.post(path, json=body, headers={"Idempotency-Key": key})


def made_by(answer: httpx.Response) -> set[str]:
    """Return the ids of what an answer shows."""
    shown = answer.json()
    return {item["id"] for item in shown.get("items", [shown])}


def listed(portal: Portal, path: str = "/v1/users") -> set[str]:
    return made_by(portal.api.get(path))


def is_mark(call: Call) -> bool:
    """Tell whether a call notes that a creation is done."""
    return call.action == "PutItem" and b"idempotency#" in call.body and b'"done"' in call.body


def end_lease(stack: Stack, tables: Tables) -> None:
    """Let the one attempt's lease be over instead of waiting for it."""
    (claim,) = [item for item in tables.scan("PassesTable") if item.get("state") == "running"]
    stack.client("dynamodb").update_item(
        TableName=tables.names["PassesTable"],
        Key={"pk": {"S": claim["pk"]}},
        UpdateExpression="SET lease_until = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time() * 1_000))}},
    )


@pytest.mark.req("P02", "R03")
@creations
def test_a_repeat_is_answered_from_the_object_as_it_is(portal: Portal, of: Callable[[Portal], Creation]) -> None:
    # given
    ask = of(portal)
    before = listed(portal, ask.path)
    first = post(portal, "k-1", ask.path, ask.body)
    assert first.status_code == 201, first.text
    assert "idempotent-replayed" not in first.headers

    # when
    again = post(portal, '"k-1"', ask.path, ask.body)

    # then
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json() == first.json()
    assert listed(portal, ask.path) - before == made_by(first)

    # when
    other = post(portal, "k-1", ask.path, ask.other)

    # then
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.req("P02")
def test_of_50_parallel_calls_with_one_key_one_creates(portal: Portal) -> None:
    # when
    answers = at_once(lambda _: post(portal, "k-1", body={"full_name": "Ada"}), range(AT_ONCE), threads=THREADS)

    # then: whoever came too early is told to come again
    created = [answer for answer in answers if answer.status_code == 201]
    early = [answer for answer in answers if answer.status_code != 201]
    assert {(answer.status_code, answer.json()["code"]) for answer in early} <= {(409, "idempotency_key_in_use")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in early)
    assert len({answer.json()["id"] for answer in created}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in created) == 1
    assert len(listed(portal)) == 1


@pytest.mark.req("P02", "R01")
@creations
def test_what_was_created_without_being_marked_is_found_by_the_repeat(
    portal: Portal, aws: AwsProxy, stack: Stack, tables: Tables, of: Callable[[Portal], Creation]
) -> None:
    # given: nothing is written after the creation, as if the process had ended
    ask = of(portal)
    before = listed(portal, ask.path)
    with aws.fail(is_mark, "InternalServerError", status=500, times=SDK_ATTEMPTS) as lost:
        first = post(portal, "k-1", ask.path, ask.body)
    assert len(lost.hits) == SDK_ATTEMPTS
    assert first.status_code == 201
    assert post(portal, "k-1", ask.path, ask.body).json()["code"] == "idempotency_key_in_use"
    end_lease(stack, tables)

    # when
    again = post(portal, "k-1", ask.path, ask.body)

    # then
    assert again.status_code == 201, again.text
    assert ("idempotent-replayed" in again.headers) is not ask.is_resumed
    assert again.json() == first.json()
    assert listed(portal, ask.path) - before == made_by(first)


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
    assert listed(portal) == made_by(again)


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
    assert listed(portal) == made_by(answer)


@pytest.mark.req("P02", "R03")
@creations
def test_a_refusal_gives_the_key_back(portal: Portal, of: Callable[[Portal], Creation]) -> None:
    # given
    ask = of(portal)
    assert portal.api.post(ask.path, json=ask.body).status_code == 201
    refused = post(portal, "k-1", ask.path, ask.body)
    assert (refused.status_code, refused.json()["code"]) == (409, ask.twice)

    # then
    assert post(portal, "k-1", ask.path, ask.other).status_code == 201


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
