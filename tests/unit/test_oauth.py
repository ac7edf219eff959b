"""The token endpoint, in RFC 6749's words."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
import pytest

from tests.support.events import CONTEXT, header, json_of, rest_event
from tests.support.house import API_ORIGIN, open_account
from vestibule.clock import MINUTE
from vestibule.domain import scopes
from vestibule.http.oauth import BODY_LIMIT
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Client
    from vestibule.wiring import House

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def account(house: House) -> Account:
    house.key_rotation.run()
    return open_account(house)


@pytest.fixture
def made(house: House, account: Account) -> tuple[Client, str]:
    return house.clients.create(account.account_id, "portal", [scopes.USERS_READ, scopes.USERS_WRITE])


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


class Endpoint:
    """The token endpoint, and the two ways of asking it."""

    def __init__(self, function: LoadFunction) -> None:
        self._handler = function("access_token")

    def ask(self, body: str | None, headers: dict[str, str] | None = None, content_type: str = FORM) -> dict[str, Any]:
        event = rest_event(
            "POST", "/v1/oauth/token", body=body, headers={"Content-Type": content_type, **(headers or {})}
        )
        answer: dict[str, Any] = self._handler(event, CONTEXT)
        assert header(answer, "content-type") == "application/json"
        assert header(answer, "cache-control") == "no-store"
        assert header(answer, "pragma") == "no-cache"
        return answer

    def form(self, parameters: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Any]:
        return self.ask(urlencode(parameters), headers)

    def json(self, document: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
        return self.ask(json.dumps(document), headers, "application/json")


@pytest.fixture
def endpoint(function: LoadFunction) -> Endpoint:
    return Endpoint(function)


def assert_error(answer: dict[str, Any], status: int, error: str) -> None:
    said = json_of(answer)
    assert (answer["statusCode"], said["error"]) == (status, error)
    assert set(said) == {"error", "error_description"}
    assert said["error_description"]
    # RFC 6749, 5.2: printable ASCII without quotes
    assert all(" " <= c <= "~" and c not in '"\\' for c in said["error_description"])
    assert (header(answer, "www-authenticate") is not None) is (status == 401)


def test_every_way_of_asking_gives_a_token(
    endpoint: Endpoint, house: House, made: tuple[Client, str], account: Account
) -> None:
    client_id, secret = made[0].client_id, made[1]
    in_body = {**GRANT, "client_id": client_id, "client_secret": secret}
    for answer in (
        endpoint.form(GRANT, basic(client_id, secret)),
        endpoint.form(in_body),
        endpoint.json(GRANT, basic(client_id, secret)),
        endpoint.json(in_body),
        endpoint.form({**GRANT, "resource": "x", "unknown": "ignored"}, basic(client_id, secret)),
        endpoint.json({**in_body, "unknown": {"a": [1]}, "scope": ""}),
        endpoint.ask(urlencode(in_body), content_type=f"{FORM}; charset=utf-8"),
    ):
        assert answer["statusCode"] == 200
        said = json_of(answer)
        assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 900, "users:read users:write")
        caller = house.credentials.caller(f"Bearer {said['access_token']}")
        assert (caller.account_id, caller.client_id) == (account.account_id, client_id)


def test_the_token_is_an_access_token_of_rfc_9068(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    token = json_of(endpoint.form(GRANT, basic(made[0].client_id, made[1])))["access_token"]
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"]) == (API_ORIGIN, API_ORIGIN)
    assert claims["sub"] == claims["client_id"] == made[0].client_id
    assert {"iat", "exp", "jti", "scope"} <= set(claims)


def test_two_tokens_are_never_the_same(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    tokens = {json_of(endpoint.form(GRANT, basic(made[0].client_id, made[1])))["access_token"] for _ in range(3)}
    assert len(tokens) == 3


def test_fewer_scopes_may_be_asked_for(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    answer = endpoint.form({**GRANT, "scope": "users:read"}, basic(made[0].client_id, made[1]))
    assert json_of(answer)["scope"] == "users:read"
    for scope in ("users:admin", "users:read clients:write", "USERS:READ"):
        assert_error(endpoint.form({**GRANT, "scope": scope}, basic(made[0].client_id, made[1])), 400, "invalid_scope")


def test_what_is_no_grant_of_ours(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    headers = basic(made[0].client_id, made[1])
    assert_error(endpoint.form({}, headers), 400, "invalid_request")
    assert_error(endpoint.form({"grant_type": ""}, headers), 400, "invalid_request")
    for grant in ("password", "authorization_code", "CLIENT_CREDENTIALS", "refresh_token"):
        assert_error(endpoint.form({"grant_type": grant}, headers), 400, "unsupported_grant_type")


@pytest.mark.req("P04")
def test_what_cannot_be_read_is_an_invalid_request(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    headers = basic(made[0].client_id, made[1])
    for body in ("{", "[]", '"x"', "null", "5", "[" * 5_000):
        assert_error(endpoint.ask(body, headers, "application/json"), 400, "invalid_request")
    assert_error(endpoint.json({"grant_type": 5}, headers), 400, "invalid_request")
    assert_error(endpoint.json({"grant_type": ["client_credentials"]}, headers), 400, "invalid_request")
    assert_error(endpoint.ask(None, headers), 400, "invalid_request")
    assert_error(endpoint.ask("&".join(f"a{n}=1" for n in range(500)), headers), 400, "invalid_request")
    assert_error(endpoint.ask(urlencode(GRANT) + "&x=" + "x" * BODY_LIMIT, headers), 413, "invalid_request")
    # both ways at once (RFC 6749, 2.3)
    both = {**GRANT, "client_id": made[0].client_id, "client_secret": made[1]}
    assert_error(endpoint.form(both, headers), 400, "invalid_request")


@pytest.mark.req("P04")
def test_every_wrong_client_is_one_answer(endpoint: Endpoint, made: tuple[Client, str]) -> None:
    client_id, secret = made[0].client_id, made[1]
    for answer in (
        endpoint.form(GRANT, basic(client_id, "wrong")),
        endpoint.form(GRANT, basic("99999999-x", secret)),
        endpoint.form(GRANT, basic("", "")),
        endpoint.form(GRANT, {"Authorization": "Bearer x"}),
        endpoint.form(GRANT, {"Authorization": "Basic !"}),
        endpoint.form(GRANT),
        endpoint.form({**GRANT, "client_id": client_id}),
        endpoint.form({**GRANT, "client_secret": secret}),
        endpoint.form({**GRANT, "client_id": client_id, "client_secret": ""}),
        endpoint.json({**GRANT, "client_id": 5, "client_secret": secret}),
        endpoint.json({**GRANT, "client_id": client_id, "client_secret": "\ud800"}),
        endpoint.json({**GRANT, "client_id": "1-\ud800", "client_secret": "x"}),
        endpoint.json({**GRANT, "client_id": "1-" + "x" * 8_000, "client_secret": "x"}),
    ):
        assert_error(answer, 401, "invalid_client")
        assert secret not in answer["body"]


def test_a_disabled_accounts_client_gets_no_token(
    endpoint: Endpoint, house: House, account: Account, made: tuple[Client, str]
) -> None:
    house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    assert_error(endpoint.form(GRANT, basic(made[0].client_id, made[1])), 401, "invalid_client")


@pytest.mark.req("P07")
def test_a_token_for_a_secret_that_ends_soon_ends_with_it(
    endpoint: Endpoint, house: House, account: Account, made: tuple[Client, str], clock: FakeClock
) -> None:
    house.clients.rotate(account.account_id, made[0].client_id, overlap=2 * MINUTE)
    assert json_of(endpoint.form(GRANT, basic(made[0].client_id, made[1])))["expires_in"] == 120
    clock.advance(2 * MINUTE)
    assert_error(endpoint.form(GRANT, basic(made[0].client_id, made[1])), 401, "invalid_client")


@pytest.mark.req("R01")
def test_an_outage_is_a_503_in_the_endpoints_shape(endpoint: Endpoint, wire: Wire, made: tuple[Client, str]) -> None:
    wire.fail("GetItem", "InternalServerError")
    answer = endpoint.form(GRANT, basic(made[0].client_id, made[1]))
    assert_error(answer, 503, "temporarily_unavailable")
    assert header(answer, "retry-after") == "1"


@pytest.mark.req("R01", "P01")
def test_a_defect_is_a_server_error_without_its_text(
    endpoint: Endpoint, house: House, made: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("s3cret")

    monkeypatch.setattr(house.clients, "authenticate", break_down)
    answer = endpoint.form(GRANT, basic(made[0].client_id, made[1]))
    assert_error(answer, 500, "server_error")
    assert "s3cret" not in answer["body"]
