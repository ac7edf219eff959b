"""What each flow costs at DynamoDB: calls and request units, counted at the client (design.md, section 4)."""

from __future__ import annotations

import ast
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.support.events import cookie_of, hub_event
from tests.support.house import add_user, item_size
from tests.support.template import resources, scalars
from tools.local.paths import ROOT
from vestibule.clock import MINUTE
from vestibule.domain import scopes
from vestibule.domain.login_uris import Browser
from vestibule.http.authorizer import authorizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.house import FakeClock, LoadFunction, MotoAws, SdkCall, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

FIREFOX = Browser("203.0.113.7", "Firefox")


def cost(calls: Iterable[SdkCall]) -> list[tuple[str, float, int]]:
    """Return each call with its read and write units."""
    return [(call.operation, call.read_units, call.write_units) for call in calls]


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, external_id="X-17", email="maria@example.org", time_zone="Europe/Berlin")


@pytest.mark.parametrize("by", ["user_id", "external_id"])
def test_issuing_is_one_read_and_one_write(
    house: House, settings: Settings, wire: Wire, account: Account, user: User, by: str
) -> None:
    # given
    who = {by: getattr(user, by)}
    # when
    with wire.counting() as calls:
        house.login_uris.issue(
            account,
            **who,
            redirect_to_uri_on_expiry="https://portal.example/appointments/17?from=vestibule",
            next_path="/dashboard?scrollTo=36209&launch=1",
        )
    # then: an eventually consistent read is half a unit, a put of less than a kilobyte one
    assert cost(calls) == [("GetItem", 0.5, 0), ("PutItem", 0, 1)]
    assert [call.tables for call in calls] == [{settings.directory_table}, {settings.passes_table}]


@pytest.mark.parametrize("who", [{"user_id": "99999999"}, {"external_id": "nobody"}])
def test_a_miss_is_repeated_strongly_consistent_and_then_believed(
    house: House, wire: Wire, account: Account, who: dict[str, str]
) -> None:
    with wire.counting() as calls, pytest.raises(Exception, match="user_not_found"):
        house.login_uris.issue(account, **who)
    assert cost(calls) == [("GetItem", 0.5, 0), ("GetItem", 1, 0)]


def test_redeeming_is_one_write_and_nothing_else(
    house: House, settings: Settings, wire: Wire, account: Account, user: User
) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id, redirect_to_uri_on_expiry="https://portal.example/x")
    with wire.counting() as calls:
        assert house.login_uris.redeem(issued.guid, slug="clinic", browser=FIREFOX, held=None)
    assert cost(calls) == [("UpdateItem", 0, 1)]
    assert calls[0].tables == {settings.passes_table}


def test_the_whole_redeem_page_is_that_one_write(
    house: House, function: LoadFunction, wire: Wire, account: Account, user: User
) -> None:
    # given: a cold worker, which remembers no account
    issued = house.login_uris.issue(account, user_id=user.user_id)
    handler = function("redeem")
    event = hub_event("GET", f"/login/{issued.guid}", resource="/login/{guid}", path_values={"guid": issued.guid})
    # when
    with wire.counting() as calls:
        answer = handler(event, None)
    # then
    assert answer["statusCode"] == 303
    assert cost(calls) == [("UpdateItem", 0, 1)]


def test_a_speculative_look_at_a_link_costs_nothing(function: LoadFunction, wire: Wire) -> None:
    guid = "0" * 32
    with wire.counting() as calls:
        function("redeem")(hub_event("HEAD", f"/login/{guid}", path_values={"guid": guid}), None)
    assert calls == []


def test_checking_a_page_is_one_batch_read_of_two_items(
    house: House, settings: Settings, wire: Wire, account: Account, user: User
) -> None:
    # given
    issued = house.login_uris.issue(account, user_id=user.user_id)
    arrived = house.login_uris.redeem(issued.guid, slug="clinic", browser=FIREFOX, held=None)
    assert arrived is not None
    # when
    with wire.counting() as calls:
        assert house.sign_ins.check(arrived.credential, slug="clinic")
    # then: strongly consistent, one unit each
    assert cost(calls) == [("BatchGetItem", 2, 0)]
    assert calls[0].tables == {settings.passes_table, settings.directory_table}
    assert all(part["ConsistentRead"] for part in calls[0].request["RequestItems"].values())


def test_a_warm_dashboard_without_sessions_is_that_one_batch_read_and_a_query(
    house: House, function: LoadFunction, clock: FakeClock, wire: Wire, account: Account, user: User
) -> None:
    # given: somebody signed in, and a worker that has seen the account within the last minute
    issued = house.login_uris.issue(account, user_id=user.user_id)
    arrived = function("redeem")(hub_event("GET", f"/login/{issued.guid}", path_values={"guid": issued.guid}), None)
    cookie = cookie_of(arrived)
    page = function("dashboard")
    assert page(hub_event("GET", "/dashboard", cookie=cookie), None)["statusCode"] == 200
    clock.advance(MINUTE - 1)
    # when
    with wire.counting() as calls:
        assert page(hub_event("GET", "/dashboard", cookie=cookie), None)["statusCode"] == 200
    # then
    assert cost(calls) == [("BatchGetItem", 2, 0), ("Query", 0.5, 0)]
    # and once a minute the deadline moves
    clock.advance(1)
    with wire.counting() as calls:
        page(hub_event("GET", "/dashboard", cookie=cookie), None)
    assert ("UpdateItem", 0, 1) in cost(calls)


def test_a_bearer_costs_no_read(house: House, clock: FakeClock, wire: Wire, account: Account) -> None:
    # given: a worker that has the public keys
    house.key_rotation.run()
    client, secret = house.clients.create(account.account_id, "portal", scopes.ALL)
    token = house.access_token_issuer.issue(house.clients.authenticate(client.client_id, secret)).token
    house.credentials.caller(f"Bearer {token}")
    # when
    with wire.counting() as calls:
        for _ in range(20):
            house.credentials.caller(f"Bearer {token}")
            clock.advance(10_000)
    # then
    assert cost(calls) == []


def test_the_public_keys_cost_one_read_in_five_minutes(
    house: House, clock: FakeClock, wire: Wire, account: Account
) -> None:
    house.key_rotation.run()
    client, secret = house.clients.create(account.account_id, "portal", scopes.ALL)
    token = house.access_token_issuer.issue(house.clients.authenticate(client.client_id, secret)).token
    with wire.counting() as calls:
        for _ in range(12):
            house.credentials.caller(f"Bearer {token}")
            clock.advance(MINUTE)
    assert cost(calls) == [("GetItem", 0.5, 0)] * 3


def test_basic_is_one_read(house: House, wire: Wire, account: Account) -> None:
    client, secret = house.clients.create(account.account_id, "portal", scopes.ALL)
    header = "Basic " + b64encode(f"{client.client_id}:{secret}".encode()).decode()
    with wire.counting() as calls:
        house.credentials.caller(header)
    assert cost(calls) == [("GetItem", 0.5, 0)]


def test_basic_is_that_one_read_through_the_authorizer_too(house: House, wire: Wire, account: Account) -> None:
    # given: API Gateway asks once in 60 seconds, which the template says (tests/template)
    client, secret = house.clients.create(account.account_id, "portal", scopes.ALL)
    header = "Basic " + b64encode(f"{client.client_id}:{secret}".encode()).decode()
    with wire.counting() as calls:
        authorizer(house)({"headers": {"authorization": header}, "methodArn": "arn:a/live/GET/v1/users"}, None)  # type: ignore[arg-type]
    assert cost(calls) == [("GetItem", 0.5, 0)]


def test_a_logout_is_one_write(house: House, wire: Wire, account: Account, user: User) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id)
    arrived = house.login_uris.redeem(issued.guid, slug="clinic", browser=FIREFOX, held=None)
    assert arrived is not None
    with wire.counting() as calls:
        house.sign_ins.end(arrived.credential, slug="clinic")
    assert cost(calls) == [("UpdateItem", 0, 1)]


def test_revoking_is_one_write(house: House, wire: Wire, account: Account, user: User) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id)
    with wire.counting() as calls:
        house.login_uris.revoke(account, issued.guid)
    assert cost(calls) == [("UpdateItem", 0, 1)]


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({}, [("PutItem", 0, 1)]),  # one item where one will do
        ({"external_id": "X-18"}, [("TransactWriteItems", 0, 4)]),  # two that must agree
        ({"external_id": "X-18", "username": "ben"}, [("TransactWriteItems", 0, 6)]),
    ],
)
def test_a_user_costs_a_transaction_only_with_a_name_of_its_own(
    house: House, wire: Wire, account: Account, fields: dict[str, str], calls: list[tuple[str, float, int]]
) -> None:
    with wire.counting() as made:
        add_user(house, account, **fields)
    assert cost(made) == calls


def test_a_page_of_users_is_read_together(house: House, clock: FakeClock, wire: Wire, account: Account) -> None:
    for _ in range(9):
        add_user(house, account)
        clock.advance(1)
    with wire.counting() as calls:
        page, _ = house.users.page(account.account_id, after=None, limit=100)
    assert len(page) == 9
    # four shards of keys, and one call for all that is behind them
    assert [call.operation for call in calls] == ["Query"] * 4 + ["BatchGetItem"]


def test_a_login_leaves_room_for_its_addresses_in_one_write_unit(
    house: House, moto_aws: MotoAws, settings: Settings, account: Account, user: User
) -> None:
    # given: everything that a life puts into it, but for the two addresses
    issued = house.login_uris.issue(account, user_id=user.user_id)
    arrived = house.login_uris.redeem(issued.guid, slug="clinic", browser=FIREFOX, held=None)
    assert arrived is not None
    house.sign_ins.end(arrived.credential, slug="clinic")
    house.login_uris.revoke(account, issued.guid)
    # then
    (row,) = moto_aws.stored(settings.passes_table)
    assert item_size(row) < 1_024 - 200


# --- no Scan ---


def _names_scan(tree: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "scan")
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() == "scan")
        for node in ast.walk(tree)
    )


def test_no_line_of_the_product_scans() -> None:
    sources = [*(ROOT / "layers" / "vestibule").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    assert len(sources) > 50
    assert [path for path in sources if _names_scan(ast.parse(path.read_text()))] == []
    assert _names_scan(ast.parse("table.client.scan(TableName=name)"))
    assert _names_scan(ast.parse("client.get_paginator('scan')"))


def test_no_function_may_scan() -> None:
    actions = {
        action
        for function in resources("AWS::Serverless::Function").values()
        for action in scalars(function["Properties"].get("Policies", []))
        if str(action).startswith("dynamodb:")
    }
    assert actions
    assert not {action for action in actions if "scan" in action.lower() or "*" in action or "PartiQL" in action}


def test_the_wire_itself_refuses_a_scan(house: House, settings: Settings, wire: Wire) -> None:
    # So every test on moto that passes shows that its flow has none.
    scan: Callable[..., object] = house.dynamodb.scan
    with pytest.raises(AssertionError, match="Scan"):
        scan(TableName=settings.passes_table)
