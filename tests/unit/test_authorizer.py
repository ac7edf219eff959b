"""The authorizer's contract with API Gateway."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT
from vestibule.clock import HOUR, MINUTE
from vestibule.domain import scopes
from vestibule.errors import UnavailableError
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Client
    from vestibule.wiring import House

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/live/GET/v1/users/17"
STAGE = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/live/*"


@pytest.fixture
def made(house: House, account: Account) -> tuple[Client, str]:
    return house.clients.create(account.account_id, "portal", [scopes.USERS_READ, scopes.USERS_WRITE])


def basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def ask(function: LoadFunction, authorization: str | None, *, spelling: str = "Authorization", arn: str = ARN) -> Any:
    headers = {} if authorization is None else {spelling: authorization}
    event = {"type": "REQUEST", "methodArn": arn, "headers": headers, "requestContext": {"requestId": "r"}}
    return function("authorizer")(event, CONTEXT)


@pytest.mark.parametrize("spelling", ["Authorization", "authorization"])
def test_yes_spans_the_stage_and_carries_the_caller(
    function: LoadFunction, account: Account, made: tuple[Client, str], spelling: str
) -> None:
    # when
    answer = ask(function, basic(made[0].client_id, made[1]), spelling=spelling)
    # then
    assert answer == {
        "principalId": made[0].client_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": STAGE}],
        },
        "context": {
            "account_id": account.account_id,
            "client_id": made[0].client_id,
            "scopes": "users:read users:write",
            "exp": "",
        },
    }


def test_the_context_holds_texts_alone(function: LoadFunction, made: tuple[Client, str]) -> None:
    # API Gateway takes no lists and no objects there.
    context = ask(function, basic(made[0].client_id, made[1]))["context"]
    assert all(type(value) is str for value in context.values())


@pytest.mark.parametrize(
    "arn", [ARN, ARN.replace("GET/v1/users/17", "POST/v1/login-uris"), ARN.replace("/v1/users/17", "/")]
)
def test_the_policy_is_the_same_for_every_route(function: LoadFunction, made: tuple[Client, str], arn: str) -> None:
    # The cached answer of one route is used for all others.
    answer = ask(function, basic(made[0].client_id, made[1]), arn=arn)
    assert answer["policyDocument"]["Statement"][0]["Resource"] == STAGE


def test_a_bearers_scopes_and_end_are_in_the_context(
    function: LoadFunction, house: House, clock: FakeClock, made: tuple[Client, str]
) -> None:
    # given
    house.key_rotation.run()
    caller = house.clients.authenticate(made[0].client_id, made[1])
    token = house.access_token_issuer.issue(caller, (scopes.USERS_READ,)).token
    # when
    context = ask(function, f"Bearer {token}")["context"]
    # then
    assert context["scopes"] == "users:read"
    assert int(context["exp"]) == clock() // 1_000 * 1_000 + 15 * MINUTE


@pytest.mark.req("P07")
def test_the_end_of_a_rotated_secret_is_in_the_context(
    function: LoadFunction, house: House, clock: FakeClock, account: Account, made: tuple[Client, str]
) -> None:
    house.clients.rotate(account.account_id, made[0].client_id, overlap=HOUR)
    assert ask(function, basic(made[0].client_id, made[1]))["context"]["exp"] == str(clock() + HOUR)


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic x", basic("1-x", "y"), basic("x", "y"), "Bearer", "Bearer x.y.z", "Digest x",
     basic("1-" + "x" * 3_000, "y")],
    ids=lambda header: str(header)[:20],
)  # fmt: skip
@pytest.mark.req("P04")
def test_bad_credentials_raise_the_one_text_that_means_401(function: LoadFunction, header: str | None) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$") as refused:
        ask(function, header)
    assert refused.value.args == ("Unauthorized",)


@pytest.mark.req("L14")
def test_a_disabled_accounts_credentials_are_bad_ones(
    function: LoadFunction, house: House, account: Account, made: tuple[Client, str]
) -> None:
    house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        ask(function, basic(made[0].client_id, made[1]))


@pytest.mark.req("R01")
def test_a_failing_dependency_is_an_error_and_never_a_no(
    function: LoadFunction, wire: Wire, made: tuple[Client, str]
) -> None:
    wire.fail("GetItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        ask(function, basic(made[0].client_id, made[1]))
