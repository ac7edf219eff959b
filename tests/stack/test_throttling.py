"""A stage that lets nothing more through: every door says so in its own shape, and when to come back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.problems import assert_problem

if TYPE_CHECKING:
    from collections.abc import Generator

    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

    from tests.support.portal import Portal
    from tools.local import Stack

JSON, XML, HTML = "application/json; charset=utf-8", "application/xml; charset=utf-8", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Door:
    """A REST API by the name of its output, a route of it, and what is said there by the gateway itself."""

    api: str
    resource: str
    path: str
    content_type: str
    says: str


NATIVE = Door("NativeApiId", "/v1/users", "/v1/users", "application/problem+json", "Please slow down and try again.")
HUB = Door("HubApiId", "/sign-in", "/sign-in", HTML, "<h1>Please try again in a moment</h1>")
SECUREVIDEO = Door(
    "SecureVideoApiId", "/{proxy+}", "/securevideo/user", JSON, '{"Message": "Please slow down and try again."}'
)
VSEE = Door(
    "VseeApiId",
    "/{proxy+}",
    "/vsee/api_v3/rooms",
    "application/json",
    '{"code": 429, "message": "Please slow down and try again."}',
)
ONSYNC = Door(
    "OnSyncApiId",
    "/{proxy+}",
    "/onsync/api/1/x/authverify",
    XML,
    "<xml><status>0</status><error>Please slow down and try again.</error></xml>",
)
SEQUEL = Door(
    "SequelApiId",
    "/{proxy+}",
    "/sequel/api/v1/event/12345678",
    JSON,
    '{"hasError": true, "errorMessage": "Please slow down and try again."}',
)


@contextmanager
def closed(stack: Stack, door: Door) -> Generator[None]:
    """Let none of a route's GETs through for a while."""
    gateway, method = stack.client("apigateway"), f"/{door.resource.replace('/', '~1')}/GET"
    limits = ("throttling/rateLimit", "throttling/burstLimit")
    nothing: list[PatchOperationTypeDef] = [
        {"op": "replace", "path": f"{method}/{limit}", "value": "0"} for limit in limits
    ]
    api = {"restApiId": stack.outputs[door.api], "stageName": "live"}
    gateway.update_stage(**api, patchOperations=nothing)
    try:
        yield
    finally:
        gateway.update_stage(**api, patchOperations=[{"op": "remove", "path": method}])


@pytest.mark.req("P03")
@pytest.mark.parametrize(
    "door",
    [
        pytest.param(SECUREVIDEO, marks=pytest.mark.req("D01"), id="SecureVideo"),
        pytest.param(VSEE, marks=pytest.mark.req("D02"), id="VSee"),
        pytest.param(ONSYNC, marks=pytest.mark.req("D03"), id="OnSync"),
        pytest.param(SEQUEL, marks=pytest.mark.req("D04"), id="Sequel"),
    ],
)
def test_a_vendors_client_is_told_to_slow_down_in_the_vendors_shape(portal: Portal, stack: Stack, door: Door) -> None:
    """To the byte; and afterwards the door is open again."""
    with closed(stack, door):
        answer = portal.api.get(door.path)

    assert (answer.status_code, answer.headers["content-type"], answer.text) == (429, door.content_type, door.says)
    assert answer.headers["retry-after"] == "5"
    assert portal.api.get(door.path).status_code != 429


@pytest.mark.req("P01", "P03")
def test_the_native_api_says_so_as_a_problem(portal: Portal, stack: Stack) -> None:
    with closed(stack, NATIVE):
        answer = portal.api.get(NATIVE.path)

    assert_problem(answer, 429, "too_many_requests")
    assert answer.headers["retry-after"] == "5"
    assert portal.api.get(NATIVE.path).status_code == 200


@pytest.mark.req("P03", "H04")
def test_the_hub_says_so_on_a_page(portal: Portal, stack: Stack) -> None:
    with closed(stack, HUB):
        answer = portal.follow(HUB.path)

    assert (answer.status_code, answer.headers["content-type"]) == (429, HTML)
    assert HUB.says in answer.text
    assert answer.headers["retry-after"] == "5"
    assert portal.follow(HUB.path).status_code == 200
