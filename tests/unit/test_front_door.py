"""What every dialect's front door does alike, and SecureVideo's bytes where the contract tests cannot reach."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, header, json_of, rest_event
from tests.support.house import add_user
from vestibule.dialects.front_door import ANSWER_LIMIT, BODY_LIMIT, Call, Route, front_door
from vestibule.dialects.securevideo import securevideo
from vestibule.domain import scopes
from vestibule.errors import ConflictError, InternalError, TooManyError, UnavailableError, VestibuleError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import MotoAws, Wire
    from vestibule.http.event import Event
    from vestibule.model import Account, Client
    from vestibule.settings import Settings
    from vestibule.wiring import House


@pytest.fixture
def made(house: House, account: Account) -> tuple[Client, str]:
    return house.clients.create(account.account_id, "portal", scopes.ALL)


class Door:
    """A dialect of two routes, in a shape of its own."""

    def __init__(self, house: House, client: Client, secret: str) -> None:
        self.serve: Callable[[Call], dict[str, Any]] = lambda call: self.answer(200, dict(call.values))
        self.served: list[Call] = []
        self.authorization = "Basic " + b64encode(f"{client.client_id}:{secret}".encode()).decode()
        routes = (
            Route("POST", r"/things/(?P<thing_id>[^/]+)", scopes.USERS_WRITE, self._serve),
            Route("GET", r"/", scopes.USERS_READ, self._serve),
        )
        self.asked: list[str | None] = []
        self.origin: Callable[[], str] = lambda: "told"
        self._handler = front_door(house, base_path="/toy", routes=routes, refuse=self._refuse, headers=self._headers)

    def _serve(self, call: Call) -> dict[str, Any]:
        self.served.append(call)
        return self.serve(call)

    def _refuse(self, _: Event, status: int, error: VestibuleError) -> dict[str, Any]:
        return self.answer(status, {"oops": error.code})

    def _headers(self, _: House, __: Event, account_id: str | None) -> dict[str, str]:
        self.asked.append(account_id)
        return {"X-Further": self.origin()}

    @staticmethod
    def answer(status: int, body: Any) -> dict[str, Any]:
        return {"statusCode": status, "headers": {"X-Door": "toy"}, "body": json.dumps(body)}

    def call(self, method: str = "POST", path: str = "/things/17", **event: Any) -> tuple[int, Any]:
        headers = {"Authorization": self.authorization, **event.pop("headers", {})}
        raw = rest_event(method, path, resource="/{proxy+}", headers=headers, **event)
        answer = self._handler(raw, CONTEXT)  # type: ignore[arg-type]
        assert header(answer, "x-door") == "toy", "every answer is the door's own"
        assert (header(answer, "retry-after") is not None) is (answer["statusCode"] in {429, 503})
        self.answered = answer
        return answer["statusCode"], json_of(answer)


@pytest.fixture
def door(house: House, made: tuple[Client, str]) -> Door:
    return Door(house, *made)


@pytest.mark.parametrize(
    "path",
    ["/things/17", "/Things/17", "/THINGS/17", "/things/17/", "/toy/things/17", "/TOY/Things/17/"],
)
def test_paths_match_in_any_case_with_and_without_the_base_path(door: Door, path: str) -> None:
    # AWS leaves the base path in the path, the emulator does not.
    assert door.call(path=path) == (200, {"thing_id": "17"})


@pytest.mark.parametrize(
    "path", ["//things/17", "///things//17//", "/toy//things/17", "//toy/things/17", "/TOY///things/17/"]
)
def test_a_run_of_slashes_is_as_good_as_one(door: Door, path: str) -> None:
    # A client whose base address ends in a slash writes two.
    assert door.call(path=path) == (200, {"thing_id": "17"})


def test_values_keep_their_case_and_come_decoded(door: Door) -> None:
    assert door.call(path="/things/aB%2Fc%20d") == (200, {"thing_id": "aB/c d"})


@pytest.mark.parametrize("path", ["/", "", "/toy/", "/toy", "//"])
def test_the_root_of_a_dialect(door: Door, path: str) -> None:
    assert door.call("GET", path) == (200, {})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/things/17"), ("POST", "/"), ("POST", "/things"), ("POST", "/things/1/2"), ("DELETE", "/things/17"),
     ("POST", "/toys/things/17"), ("POST", "/things//"), ("POST", "/things/%2F/17")],
)  # fmt: skip
def test_other_routes_are_none(door: Door, method: str, path: str) -> None:
    assert door.call(method, path) == (404, {"oops": "route_not_found"})


@pytest.mark.parametrize("header_value", ["", "Basic x", "Bearer x", "Basic " + b64encode(b"1-x:y").decode()])
def test_nobody_learns_of_a_route_without_credentials(door: Door, header_value: str) -> None:
    for path in ("/things/17", "/nothing"):
        status, answer = door.call(path=path, headers={"Authorization": header_value})
        assert (status, answer) == (401, {"oops": "invalid_credentials"})
    assert door.served == []


def test_the_callers_account_is_the_credentials(door: Door, account: Account) -> None:
    door.call()
    (call,) = door.served
    assert call.caller.account_id == account.account_id


def test_a_bearer_proves_a_caller_too(door: Door, house: House, made: tuple[Client, str]) -> None:
    house.key_rotation.run()
    caller = house.clients.authenticate(made[0].client_id, made[1])
    token = house.access_token_issuer.issue(caller, (scopes.USERS_WRITE,)).token
    assert door.call(headers={"Authorization": f"Bearer {token}"})[0] == 200
    assert door.call("GET", "/", headers={"Authorization": f"Bearer {token}"}) == (403, {"oops": "insufficient_scope"})


@pytest.mark.req("P04")
def test_a_body_over_a_megabyte_is_too_large(door: Door) -> None:
    assert door.call(body="x" * BODY_LIMIT)[0] == 200
    # Before anybody reads it: there are doors where the credentials are in the body.
    for headers in ({}, {"Authorization": ""}):
        assert door.call(body="x" * (BODY_LIMIT + 1), headers=headers) == (413, {"oops": "body_too_large"})
    assert len(door.served) == 1


def test_an_answer_that_lambda_would_not_hand_on_is_refused(door: Door) -> None:
    """Counted in bytes: a list of names in some scripts has three times as many as characters."""
    names = "\N{HIRAGANA LETTER A}" * (ANSWER_LIMIT // 3 - 1)
    door.serve = lambda _: door.answer(200, None) | {"body": f'"{names}ABC"'}
    assert door.call() == (200, f"{names}ABC")
    door.serve = lambda _: door.answer(200, None) | {"body": f'"{names}ABCD"'}
    assert door.call() == (501, {"oops": "not_offered"})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConflictError("taken", "Taken."), 409, "taken"),
        (UnavailableError("dynamodb"), 503, "temporarily_unavailable"),
        (InternalError(), 500, "internal_error"),
        (KeyError("s3cret"), 500, "internal_error"),
    ],
)
@pytest.mark.req("R01")
def test_every_failure_is_answered_in_the_doors_shape(door: Door, error: Exception, status: int, code: str) -> None:
    def fail(_: Call) -> dict[str, Any]:
        raise error

    door.serve = fail
    assert door.call() == (status, {"oops": code})


@pytest.mark.req("R01")
def test_an_outage_while_judging_the_caller_is_an_outage(door: Door, wire: Wire) -> None:
    wire.fail("GetItem", "InternalServerError")
    assert door.call()[0] == 503


@pytest.mark.req("P03")
def test_whoever_is_too_fast_is_told_when_to_come_back(door: Door) -> None:
    def refuse(_: Call) -> dict[str, Any]:
        raise TooManyError("too_many", "Later.", 17)

    door.serve = refuse
    assert door.call() == (429, {"oops": "too_many"})
    assert header(door.answered, "retry-after") == "17"


@pytest.mark.req("P09")
def test_every_answer_has_the_further_headers_of_its_caller(door: Door, account: Account) -> None:
    for path, status in (("/things/17", 200), ("/nothing", 404)):
        assert door.call(path=path)[0] == status
        assert header(door.answered, "x-further") == "told"
    assert door.call(headers={"Authorization": ""})[0] == 401
    assert header(door.answered, "x-further") == "told"
    assert door.asked == [account.account_id, account.account_id, None]


@pytest.mark.req("P09", "R01")
def test_nothing_is_done_whose_answer_nobody_may_read(door: Door) -> None:
    def fail() -> str:
        raise UnavailableError("dynamodb")

    door.origin = fail
    assert door.call() == (503, {"oops": "temporarily_unavailable"})
    assert door.served == []
    # and a refusal is said without them
    assert door.call(headers={"Authorization": ""}) == (401, {"oops": "invalid_credentials"})
    assert header(door.answered, "x-further") is None


# --- SecureVideo over the same house ---


class SecureVideo:
    """A portal that speaks SecureVideo."""

    def __init__(self, house: House, client: Client, secret: str) -> None:
        self._handler = securevideo(house)
        self._authorization = "Basic " + b64encode(f"{client.client_id}:{secret}".encode()).decode()

    def call(self, method: str, path: str, body: str | None = None, **event: Any) -> dict[str, Any]:
        headers = {"Authorization": self._authorization, **event.pop("headers", {})}
        raw = rest_event(method, path, resource="/{proxy+}", headers=headers, body=body, **event)
        return self._handler(raw, CONTEXT)  # type: ignore[arg-type]


@pytest.fixture
def portal(house: House, made: tuple[Client, str]) -> SecureVideo:
    return SecureVideo(house, *made)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, ""),
        ("", ""),
        ("{}", ""),
        ('{"RedirectToUriOnExpiry": ""}', ""),
        ('{"RedirectToUriOnExpiry": null}', ""),
        ('{"redirecttouriONexpiry": "https://portal.example/x"}', "https://portal.example/x"),
        ('{"RedirectToUriOnExpiry": " https://portal.example/x ", "Unknown": [1]}', "https://portal.example/x"),
    ],
)
@pytest.mark.req("D01")
def test_a_login_is_handed_out_in_their_words(
    portal: SecureVideo, house: House, account: Account, body: str | None, said: str
) -> None:
    user = add_user(house, account, external_id="X-17")
    for path, query in ((f"/login/{user.user_id}", None), ("/LOGIN/0", {"EXTERNALID": "X-17"})):
        answer = portal.call("POST", path, body, query=query)
        assert answer["statusCode"] == 201
        made = json_of(answer)
        assert list(made) == ["LoginGuid", "RedirectToUriOnExpiry", "LoginUri"]
        assert made["RedirectToUriOnExpiry"] == said
        assert made["LoginUri"] == f"https://clinic.hub.vestibule.example/Account/AutoLogin/{made['LoginGuid']}"
        login = house.login_uris.find(account.account_id, made["LoginGuid"])
        assert (login.user_id, login.redirect_to_uri_on_expiry) == (user.user_id, said or None)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/login/99999999", None),
        ("/login/0", None),
        ("/login/0", {"externalId": ""}),
        ("/login/0", {"externalId": "nobody"}),
        ("/login/" + "x" * 5_000, None),
        ("/login/0", {"externalId": "x" * 5_000}),
        ("/login/%00", None),
    ],
)
@pytest.mark.req("D01", "L16", "P04")
def test_an_unknown_user_is_theirs_too(portal: SecureVideo, path: str, query: dict[str, str] | None) -> None:
    answer = portal.call("POST", path, "{}", query=query)
    assert (answer["statusCode"], json_of(answer)) == (404, {"Message": "User not found"})
    assert header(answer, "content-type") == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '"x"', "5", "[" * 50_000, '{"RedirectToUriOnExpiry": {}}', '{"RedirectToUriOnExpiry": []}',
     '{"RedirectToUriOnExpiry": "https://evil.example"}', '{"RedirectToUriOnExpiry": "//evil.example"}',
     '{"RedirectToUriOnExpiry": true}', '{"RedirectToUriOnExpiry": 5}', '{"RedirectToUriOnExpiry": "\\ud800"}'],
    ids=lambda body: body[:45],
)  # fmt: skip
@pytest.mark.req("D01", "L07", "P04")
def test_a_body_that_cannot_be_used_writes_nothing(
    portal: SecureVideo, house: House, account: Account, moto_aws: MotoAws, settings: Settings, body: str
) -> None:
    user = add_user(house, account)
    answer = portal.call("POST", f"/login/{user.user_id}", body)
    assert answer["statusCode"] == 400
    assert json_of(answer)["Message"] == "The request is invalid."
    assert answer["body"].encode()
    assert moto_aws.stored(settings.passes_table) == []


@pytest.mark.req("D01", "L03")
def test_a_login_is_withdrawn_in_their_words(portal: SecureVideo, house: House, account: Account) -> None:
    # given
    issued = house.login_uris.issue(account, user_id=add_user(house, account).user_id)
    # when
    answer = portal.call("DELETE", f"/Login/{issued.guid.upper()}", "{}")
    # then
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert house.login_uris.find(account.account_id, issued.guid).revoked_at
    assert portal.call("DELETE", f"/login/{issued.guid}")["statusCode"] == 204
    for unknown in ("0" * 32, "x", "x" * 5_000):
        assert portal.call("DELETE", f"/login/{unknown}")["statusCode"] == 404
