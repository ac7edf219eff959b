"""The key rotation's two callers, and what is published."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import pytest

from tests.support.events import CONTEXT, header, json_of, rest_event
from tests.support.template import resources
from vestibule.errors import UnavailableError
from vestibule.http import deployment

if TYPE_CHECKING:
    from urllib.request import Request

    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.wiring import House

RESPONSE_URL = "https://cloudformation-custom-resource-response.example/signed?X-Amz-Signature=s3cret"
REQUEST = {
    "ResponseURL": RESPONSE_URL,
    "StackId": "arn:aws:cloudformation:eu-central-1:1:stack/vestibule/1",
    "RequestId": "r-1",
    "LogicalResourceId": "SigningKeys",
    "ResourceType": "Custom::SigningKeys",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What CloudFormation was told."""
    sent: list[Request] = []

    def send(request: Request, *, timeout: float) -> Any:
        assert 0 < timeout < 10
        sent.append(request)
        return nullcontext()

    monkeypatch.setattr(deployment, "urlopen", send)
    return sent


def document(request: Request) -> dict[str, Any]:
    assert request.full_url == RESPONSE_URL
    assert request.get_method() == "PUT"
    assert isinstance(request.data, bytes)
    parsed: dict[str, Any] = json.loads(request.data)
    return parsed


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_deployment_has_keys_when_it_is_complete(
    function: LoadFunction, house: House, told: list[Request], kind: str
) -> None:
    function("key_rotation")({**REQUEST, "RequestType": kind}, CONTEXT)
    assert len(house.verifier.all()) == 1
    (request,) = told
    assert document(request) == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "signing-keys",
        "StackId": REQUEST["StackId"],
        "RequestId": "r-1",
        "LogicalResourceId": "SigningKeys",
    }


def test_an_update_leaves_the_keys_alone(function: LoadFunction, house: House, told: list[Request]) -> None:
    for kind in ("Create", "Update"):
        function("key_rotation")({**REQUEST, "RequestType": kind}, CONTEXT)
    assert len(house.key_rotation.run()) == 1
    # one name for ever: a changed one would have CloudFormation delete the former
    assert {document(request)["PhysicalResourceId"] for request in told} == {"signing-keys"}


def test_a_deletion_touches_nothing_and_is_answered(function: LoadFunction, wire: Wire, told: list[Request]) -> None:
    with wire.counting() as calls:
        function("key_rotation")({**REQUEST, "RequestType": "Delete"}, CONTEXT)
    assert calls == []
    assert document(told[0])["Status"] == "SUCCESS"


@pytest.mark.req("R01")
def test_a_failure_is_told_so_that_the_stack_does_not_hang(
    function: LoadFunction, wire: Wire, told: list[Request]
) -> None:
    wire.fail("PutItem", "InternalServerError")
    function("key_rotation")({**REQUEST, "RequestType": "Create"}, CONTEXT)
    said = document(told[0])
    assert said["Status"] == "FAILED"
    assert "dynamodb" in said["Reason"]


@pytest.mark.req("R01")
def test_a_defect_is_told_without_its_text(
    function: LoadFunction, house: House, monkeypatch: pytest.MonkeyPatch, told: list[Request]
) -> None:
    def break_down() -> None:
        raise KeyError("s3cret")

    monkeypatch.setattr(house.key_rotation, "run", break_down)
    function("key_rotation")({**REQUEST, "RequestType": "Create"}, CONTEXT)
    said = document(told[0])
    assert said["Status"] == "FAILED"
    assert "s3cret" not in said["Reason"]


def test_an_answer_that_does_not_arrive_fails_the_invocation(
    function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Lambda asks an asynchronous caller's function twice more.
    def refuse(*_: object, **__: object) -> None:
        raise URLError("unreachable")

    monkeypatch.setattr(deployment, "urlopen", refuse)
    with pytest.raises(URLError):
        function("key_rotation")({**REQUEST, "RequestType": "Create"}, CONTEXT)


def test_the_schedule_runs_the_rotation(function: LoadFunction, house: House, told: list[Request]) -> None:
    function("key_rotation")({"time": "2026-11-22T03:00:00Z"}, CONTEXT)
    assert len(house.verifier.all()) == 1
    assert told == []


@pytest.mark.req("R01")
def test_a_scheduled_run_that_fails_raises_an_alarm(function: LoadFunction, wire: Wire) -> None:
    wire.fail("PutItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        function("key_rotation")({}, CONTEXT)


def test_the_custom_resource_hands_over_what_the_function_expects() -> None:
    (resource,) = resources("Custom::SigningKeys").values()
    assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["KeyRotationFunction", "Arn"]}


# --- the published set ---


def test_the_key_set_is_published_for_everybody(function: LoadFunction, house: House) -> None:
    # given
    (key,) = house.key_rotation.run()
    # when
    answer = function("jwks")(rest_event("GET", "/.well-known/jwks.json"), CONTEXT)
    # then
    assert answer["statusCode"] == 200
    assert json_of(answer) == {"keys": [dict(key.public_key)]}
    assert "d" not in json_of(answer)["keys"][0]
    assert header(answer, "content-type") == "application/jwk-set+json"
    assert header(answer, "cache-control") == "public, max-age=300"
    assert header(answer, "access-control-allow-origin") == "*"


def test_the_next_key_is_in_the_set_before_it_signs(function: LoadFunction, house: House, clock: FakeClock) -> None:
    house.key_rotation.run()
    clock.advance(30 * 24 * 3_600_000)
    ring = house.key_rotation.run()
    keys = json_of(function("jwks")(rest_event("GET", "/.well-known/jwks.json"), CONTEXT))["keys"]
    assert [key["kid"] for key in keys] == [key.kid for key in ring]
    assert len(keys) == 2


@pytest.mark.req("R01", "P01")
def test_an_outage_of_the_key_set_is_a_503(function: LoadFunction, wire: Wire) -> None:
    wire.fail("GetItem", "InternalServerError")
    answer = function("jwks")(rest_event("GET", "/.well-known/jwks.json"), CONTEXT)
    assert answer["statusCode"] == 503
    assert json_of(answer)["code"] == "temporarily_unavailable"
    assert header(answer, "cache-control") == "no-store"
