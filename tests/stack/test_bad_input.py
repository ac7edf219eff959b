"""Bad input to the native API: a clear 4xx each time, and nothing written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.problems import assert_problem
from tests.support.proxy import is_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

JSON = {"Content-Type": "application/json"}
MEGABYTE = 1024 * 1024

# requirements.md, L07
EVIL = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "%2f%2fevil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "https:evil.example",
    "https:/evil.example",
    "https://portal.localhost:8000@evil.example/",
    "http://user@portal.localhost:8000/",
    "http://portal.localhost:8000\r\nSet-Cookie: x=1",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://portal。localhost:8000/",
    "http://portal.localhost:8000.evil.example/",
    "http://evilportal.localhost:8000/",
    "http://portal.localhost:80001/",
    "http://portal.localhost:8000/../../x",
    "http://portal.localhost:8000/%2e%2e/x",
    "https://portal.localhost:8000/",
    "http://2130706433:8000/",
    "",
]


@pytest.fixture
def user_id(portal: Portal) -> str:
    return str(portal.create_user(external_id="p-1")["id"])


@pytest.mark.parametrize("target", EVIL)
@pytest.mark.req("L07", "P01")
def test_a_browser_is_never_sent_to_an_address_that_is_not_on_the_list(
    portal: Portal, user_id: str, aws: AwsProxy, target: str
) -> None:
    with aws.recording() as calls:
        for member in ("redirect_to_uri_on_expiry", "next"):
            refused = portal.api.post("/v1/login-uris", json={"user_id": user_id, member: target})
            document = assert_problem(refused, 422, "invalid_request")
            assert [error["field"] for error in document["errors"]] == [member]
    assert [call.action for call in calls if is_write(call)] == []

    left = portal.follow("/logout?" + str(_query(redirectToUrl=target)))
    assert left.status_code == 303
    assert left.headers["location"] == "/sign-in"


def _query(**parameters: str) -> Any:
    import httpx  # noqa: PLC0415 - its encoding of a query

    return httpx.QueryParams(parameters)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "full_name", "required"),
        ({"full_name": 7}, "full_name", "wrong_type"),
        ({"full_name": None}, "full_name", "wrong_type"),
        ({"full_name": ["Ada"]}, "full_name", "wrong_type"),
        ({"full_name": "Ada", "rank": 1}, "rank", "unknown_member"),
        ({"full_name": "   "}, "full_name", "invalid_length"),
        ({"full_name": "A" * 201}, "full_name", "invalid_length"),
        ({"full_name": "A\u0000da"}, "full_name", "invalid_character"),
        ({"full_name": "A\u202eda"}, "full_name", "invalid_character"),
        ({"full_name": "A\r\nBcc: x"}, "full_name", "invalid_character"),
        ({"full_name": "Ada", "email": "ada"}, "email", "invalid_email"),
        ({"full_name": "Ada", "role": "king"}, "role", "wrong_type"),
        ({"full_name": "Ada", "time_zone": "Mars/Olympus"}, "time_zone", "unknown_time_zone"),
        ({"full_name": "Ada", "locale": "x"}, "locale", "invalid_locale"),
        ({"full_name": "Ada", "username": "a b"}, "username", "invalid_username"),
        ({"full_name": "Ada", "password": "short"}, "password", "invalid_length"),
        ({"full_name": "Ada", "external_id": "x" * 257}, "external_id", "invalid_length"),
    ],
)
@pytest.mark.req("P01", "P04")
def test_a_wrong_member_is_named_and_nothing_is_written(
    portal: Portal, aws: AwsProxy, body: dict[str, Any], field: str, code: str
) -> None:
    with aws.recording() as calls:
        document = assert_problem(portal.api.post("/v1/users", json=body), 422, "invalid_request")

    assert [(error["field"], error["code"]) for error in document["errors"]] == [(field, code)]
    assert [call.action for call in calls if is_write(call)] == []


@pytest.mark.req("P04")
def test_a_name_is_kept_in_its_composed_form(portal: Portal) -> None:
    assert portal.create_user(full_name="  Zoe\u0308  ")["full_name"] == "Zoë"


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"", JSON, 400, "malformed_json"),
        (b"{", JSON, 400, "malformed_json"),
        (b"[]", JSON, 400, "malformed_json"),
        (b'{"full_name": NaN}', JSON, 400, "malformed_json"),
        (b'{"full_name": "\\ud800"}', JSON, 400, "malformed_json"),
        (b"[" * 60_000, JSON, 400, "malformed_json"),
        (b'{"full_name": "Ada"}', {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"full_name=Ada", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (b'{"full_name": "' + b"A" * MEGABYTE + b'"}', JSON, 413, "body_too_large"),
    ],
    ids=["none", "half", "list", "nan", "surrogate", "deep", "text", "form", "megabyte"],
)
@pytest.mark.req("P01", "P04")
def test_a_body_that_cannot_be_read_is_refused_and_nothing_is_written(
    portal: Portal, aws: AwsProxy, *, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    with aws.recording() as calls:
        assert_problem(portal.api.post("/v1/users", content=content, headers=headers), status, code)

    assert [call.action for call in calls if is_write(call)] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("PUT", "/v1/users"), ("POST", "/v1/users/1"), ("GET", "/"), ("DELETE", "/v1/account")],
)
@pytest.mark.req("P01")
def test_an_unknown_route_is_a_problem_too(portal: Portal, method: str, path: str) -> None:
    assert_problem(portal.api.request(method, path), 404, "route_not_found")


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"cursor": "x"}, {"page": "2"}])
@pytest.mark.req("P01", "P04")
def test_a_parameter_that_cannot_be_used_is_named(portal: Portal, query: dict[str, str]) -> None:
    (name,) = query
    document = assert_problem(portal.api.get("/v1/users", params=query), 422, "invalid_request")

    assert [error["field"] for error in document["errors"]] == [name]


@pytest.mark.req("P06")
def test_a_cursor_is_good_for_its_own_client_alone(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    for _ in range(3):
        portal.create_user()
    cursor = portal.api.get("/v1/users", params={"limit": "1"}).json()["cursor"]
    other = portal.basic(*portal.create_client())

    for stranger in (other, open_portal().api):
        document = assert_problem(stranger.get("/v1/users", params={"cursor": cursor}), 422, "invalid_request")
        assert document["errors"][0]["code"] == "invalid_cursor"
    assert portal.api.get("/v1/users", params={"cursor": cursor}).status_code == 200


@pytest.mark.parametrize("user_id", ["1", "99999999", "x", "%00", "a" * 3_000])
@pytest.mark.req("P01", "P05")
def test_an_id_that_nobody_has_is_a_404(portal: Portal, user_id: str) -> None:
    for method in ("GET", "DELETE"):
        assert_problem(portal.api.request(method, f"/v1/users/{user_id}"), 404, "user_not_found")
