"""The native API's front door: callers, bodies, answers and problems."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import Field

from tests.support.events import CONTEXT, REQUEST_ID, caller, header, json_of, native_event
from tests.support.house import FakeClock
from vestibule import errors
from vestibule.domain import scopes
from vestibule.http import problems
from vestibule.http.api import BODY_LIMIT, Answer, Api, Body, Request, created, no_content
from vestibule.http.problems import RequestError, problem, status_of
from vestibule.http.shapes import sessions as wire  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Callable

CALLER = caller("10000001", client_id="10000001-abc")
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


class Thing(Body):
    name: str
    count: int = 0
    flag: bool | None = None


class Shapes(Body):
    at: wire.Moment | None = None
    inner: Thing | None = None
    extra: dict[str, Any] | None = None
    some: Annotated[list[int], Field(min_length=1, max_length=2)] | None = None


class Door:
    """An API of one route that does what the test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.serve: Callable[[Request], Answer] = lambda _: Answer({"ok": True})
        self.seen: list[Request] = []
        self.api = Api(self.clock)

        @self.api.route("POST", "/v1/things", scope=scopes.USERS_WRITE, takes_query=True)
        def make(request: Request) -> Answer:
            self.seen.append(request)
            return self.serve(request)

        @self.api.route("GET", "/v1/things/<thing_id>", scope=scopes.USERS_READ)
        def show(request: Request, thing_id: str) -> Answer:
            return Answer({"id": thing_id})

    def call(self, method: str = "POST", path: str = "/v1/things", **event: Any) -> dict[str, Any]:
        event.setdefault("authorizer", CALLER)
        return self.api(native_event(method, path, **event), CONTEXT)  # type: ignore[arg-type]

    def reads(self, body: Any, **event: Any) -> dict[str, Any]:
        self.serve = lambda request: Answer(request.read(Thing).model_dump(exclude_unset=True))
        return self.call(body=body, **event)


@pytest.fixture
def door() -> Door:
    return Door()


def assert_problem(answer: dict[str, Any], status: int, code: str) -> dict[str, Any]:
    document: dict[str, Any] = json_of(answer)
    assert answer["statusCode"] == status
    assert header(answer, "content-type") == "application/problem+json"
    assert header(answer, "cache-control") == "no-store"
    assert header(answer, "x-content-type-options") == "nosniff"
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:vestibule:problem:{code}"
    assert document["request_id"] == REQUEST_ID
    assert set(document) - {"errors"} == MEMBERS
    assert answer["body"].encode()
    return document


# --- answers ---


def test_an_answer_is_json_that_nobody_keeps(door: Door) -> None:
    door.serve = lambda _: Answer({"name": "Zoë"})
    answer = door.call()
    assert answer["statusCode"] == 200
    assert json_of(answer) == {"name": "Zoë"}
    assert header(answer, "content-type") == "application/json"
    assert header(answer, "cache-control") == "no-store"
    assert header(answer, "x-content-type-options") == "nosniff"


def test_created_says_where_and_no_content_says_nothing(door: Door) -> None:
    door.serve = lambda _: created({"id": "1"}, "/v1/things/1")
    answer = door.call()
    assert (answer["statusCode"], header(answer, "location")) == (201, "/v1/things/1")

    door.serve = lambda _: no_content()
    answer = door.call()
    assert (answer["statusCode"], answer["body"]) == (204, "")


def test_a_paths_variable_comes_decoded(door: Door) -> None:
    answer = door.call("GET", "/v1/things/17", path_values={"thing_id": "17"})
    assert json_of(answer) == {"id": "17"}


@pytest.mark.parametrize("spelling", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_headers_count_in_either_spelling(door: Door, spelling: str) -> None:
    event = native_event("POST", "/v1/things", authorizer=CALLER, body={"name": "x"})
    event["headers"] = {spelling: "application/json; charset=utf-8"}
    event["multiValueHeaders"] = {spelling: ["application/json; charset=utf-8"]}
    door.serve = lambda request: Answer(request.read(Thing).model_dump())
    assert door.api(event, CONTEXT)["statusCode"] == 200  # type: ignore[arg-type]


# --- callers ---


def test_the_caller_is_the_authorizers_word(door: Door) -> None:
    door.call()
    (request,) = door.seen
    assert request.account_id == "10000001"
    assert request.caller.client_id == "10000001-abc"
    assert request.caller.scopes == scopes.ALL


@pytest.mark.parametrize("said", [None, {}, {"account_id": ""}, {"principalId": "x"}])
def test_without_the_authorizers_word_nobody_calls(door: Door, said: dict[str, str] | None) -> None:
    answer = door.call(authorizer=said)
    assert_problem(answer, 401, "invalid_credentials")
    assert "Basic" in (header(answer, "www-authenticate") or "")
    assert door.seen == []


@pytest.mark.parametrize(
    ("exp", "status"), [(None, 200), (1, 401), (-1, 401), (0, 401)], ids=["none", "past", "long past", "now"]
)
def test_a_cached_yes_ends_with_the_credentials(door: Door, exp: int | None, status: int) -> None:
    # given: milliseconds; the authorizer's yes is kept for 60 seconds
    at = None if exp is None else door.clock() - (exp if exp > 0 else -1000 * exp)
    answer = door.call(authorizer=caller("10000001", exp=at))
    assert answer["statusCode"] == status


def test_credentials_count_until_the_last_millisecond(door: Door) -> None:
    assert door.call(authorizer=caller("10000001", exp=door.clock() + 1))["statusCode"] == 200
    door.clock.advance(1)
    assert_problem(door.call(authorizer=caller("10000001", exp=door.clock())), 401, "invalid_credentials")


@pytest.mark.parametrize("granted", [(), (scopes.USERS_READ,), ("users",), ("users:writer",)])
def test_a_scope_that_was_not_granted_is_forbidden(door: Door, granted: tuple[str, ...]) -> None:
    answer = door.call(authorizer=caller("10000001", granted=granted))
    assert_problem(answer, 403, "insufficient_scope")
    assert door.seen == []


# --- bodies ---


def test_a_body_is_read_as_what_it_is(door: Door) -> None:
    assert json_of(door.reads({"name": "x", "flag": None})) == {"name": "x", "flag": None}
    event = native_event("POST", "/v1/things", authorizer=CALLER, body=b64encode(b'{"name": "x"}').decode())
    event["isBase64Encoded"] = True
    assert json_of(door.api(event, CONTEXT)) == {"name": "x"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [None, "", " ", "{", "[]", '"x"', "5", "null", "true", '{"name": "x"', '{"name": NaN}', '{"name": Infinity}',
     '{"name": -Infinity}', "{'name': 'x'}", "name=x", "\x00", "[" * 30_000, '{"a":' * 10_000, "\ud800",
     '{"name": "\\ud800"}', '{"name": "x", "\\uDFFF": 1}', '{"name": "\ud800"}'],
    ids=lambda body: repr(body)[:30],
)  # fmt: skip
@pytest.mark.req("P04", "P01")
def test_what_is_no_json_object_is_malformed(door: Door, body: str | None) -> None:
    assert_problem(door.reads(body), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "required"),
        ({"name": "x", "extra": 1}, "extra", "unknown_member"),
        ({"name": "x", "Name": "x"}, "Name", "unknown_member"),
        ({"name": "x", "__proto__": {}}, "__proto__", "unknown_member"),
        ({"name": 5}, "name", "wrong_type"),
        ({"name": None}, "name", "wrong_type"),
        ({"name": ["x"]}, "name", "wrong_type"),
        ({"name": "x", "count": "5"}, "count", "wrong_type"),
        ({"name": "x", "count": 1.5}, "count", "wrong_type"),
        ({"name": "x", "count": True}, "count", "wrong_type"),
        ({"name": "x", "flag": 1}, "flag", "wrong_type"),
        ({"name": "x", "flag": "true"}, "flag", "wrong_type"),
    ],
)
@pytest.mark.req("P04", "P01")
def test_a_member_that_cannot_be_used_is_named(door: Door, body: dict[str, Any], field: str, code: str) -> None:
    document = assert_problem(door.reads(body), 422, "invalid_request")
    assert [(error["field"], error["code"]) for error in document["errors"]] == [(field, code)]
    assert document["errors"][0]["detail"].startswith(f"{field}: ")


@pytest.mark.req("P04")
def test_every_broken_member_is_named(door: Door) -> None:
    document = assert_problem(door.reads({"count": "x", "other": 1}), 422, "invalid_request")
    assert {error["field"] for error in document["errors"]} == {"name", "count", "other"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"at": "soon"}, ("at", "wrong_type", "at: must be a time with an offset, such as 2027-01-31T09:00:00Z.")),
        ({"at": 5}, ("at", "wrong_type", "at: must be a time with an offset, such as 2027-01-31T09:00:00Z.")),
        (
            {"at": "2030-01-31T09:00:00"},
            ("at", "wrong_type", "at: must be a time with an offset, such as 2027-01-31T09:00:00Z."),
        ),
        ({"inner": []}, ("inner", "wrong_type", "inner: must be a JSON object.")),
        ({"extra": "x"}, ("extra", "wrong_type", "extra: must be a JSON object.")),
        ({"some": []}, ("some", "required", "some: must have at least 1 entry.")),
        ({"some": [1, 2, 3]}, ("some", "too_many", "some: must have at most 2 entries.")),
    ],
)
@pytest.mark.req("P04", "L04")
def test_a_refusal_speaks_of_json_and_not_of_python(door: Door, body: dict[str, Any], said: tuple[str, ...]) -> None:
    door.serve = lambda request: Answer(request.read(Shapes).model_dump())
    (entry,) = assert_problem(door.call(body=body), 422, "invalid_request")["errors"]
    assert (entry["field"], entry["code"], entry["detail"]) == said


@pytest.mark.req("P04", "L04")
def test_a_refusal_repeats_nothing_of_what_was_sent(door: Door) -> None:
    answer = door.reads({"name": ["s3cret-value"], "count": "s3cret-value"})
    assert "s3cret" not in answer["body"]


@pytest.mark.parametrize("body", ['{"name": "a", "name": "b"}', '{"name": "a", "count": {"x": 1, "x": 1}}'])
@pytest.mark.req("P04")
def test_a_member_that_comes_twice_is_refused(door: Door, body: str) -> None:
    document = assert_problem(door.reads(body), 400, "malformed_json")
    assert document["detail"] == "A member of the body comes twice."


def test_escapes_that_are_unicode_are_read(door: Door) -> None:
    assert json_of(door.reads('{"name": "\\ud83d\\ude00 \\u00e9"}')) == {"name": "\U0001f600 \u00e9"}


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json-patch+json",
     "application/jsonx", "text/json"],
)  # fmt: skip
@pytest.mark.req("P04")
def test_another_content_type_is_refused(door: Door, content_type: str) -> None:
    assert_problem(door.reads({"name": "x"}, content_type=content_type), 415, "unsupported_media_type")


@pytest.mark.req("P04")
def test_a_body_over_64_kb_is_too_large(door: Door) -> None:
    frame = len(json.dumps({"name": ""}))
    assert door.reads({"name": "x" * (BODY_LIMIT - frame)})["statusCode"] == 200
    for size in (BODY_LIMIT - frame + 1, 1_024 * 1_024):
        assert_problem(door.reads({"name": "x" * size}), 413, "body_too_large")
    # bytes count, not characters
    assert_problem(door.reads('{"name": "' + "ü" * (BODY_LIMIT // 2) + '"}'), 413, "body_too_large")


# --- queries ---


@pytest.mark.parametrize(
    ("query", "limit"), [(None, 25), ({"limit": "1"}, 1), ({"limit": "100"}, 100), ({"limit": "007"}, 7)]
)
def test_a_lists_limit(door: Door, query: dict[str, str] | None, limit: int) -> None:
    door.serve = lambda request: Answer(request.page("things").limit)
    assert json_of(door.call(query=query)) == limit


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "", " 5", "5.0", "five", "1e2", "\u0665", "99999999999999999999", "0x10", "+5"]
)
@pytest.mark.req("P04")
def test_a_limit_out_of_range(door: Door, limit: str) -> None:
    door.serve = lambda request: Answer(request.page("things").limit)
    document = assert_problem(door.call(query={"limit": limit}), 422, "invalid_request")
    assert document["errors"][0]["field"] == "limit"


@pytest.mark.req("P06")
def test_a_cursor_is_bound_to_the_client_and_the_list(door: Door) -> None:
    # given
    door.serve = lambda request: Answer(request.cursor((2, "x"), "things"))
    cursor = json_of(door.call())
    door.serve = lambda request: Answer(request.page("things").after)
    # when, then
    assert json_of(door.call(query={"cursor": cursor})) == [2, "x"]
    other = caller("10000001", client_id="10000001-other")
    assert_problem(door.call(query={"cursor": cursor}, authorizer=other), 422, "invalid_request")
    door.serve = lambda request: Answer(request.page("others").after)
    assert_problem(door.call(query={"cursor": cursor}), 422, "invalid_request")


def test_no_cursor_where_nothing_follows(door: Door) -> None:
    door.serve = lambda request: Answer(request.cursor(None, "things"))
    assert json_of(door.call()) is None


@pytest.mark.req("P04")
def test_a_route_without_parameters_knows_none(door: Door) -> None:
    document = assert_problem(door.call("GET", "/v1/things/1", query={"limit": "1"}), 422, "invalid_request")
    assert document["errors"] == [
        {"field": "limit", "code": "unknown_parameter", "detail": "limit: is not known here."}
    ]


@pytest.mark.req("P04")
def test_unknown_parameters_are_refused(door: Door) -> None:
    door.serve = lambda request: Answer(dict(request.query("email", "limit")))
    assert json_of(door.call(query={"email": "x"})) == {"email": "x"}
    document = assert_problem(door.call(query={"email": "x", "Email": "x", "z": ""}), 422, "invalid_request")
    assert [(error["field"], error["code"]) for error in document["errors"]] == [
        ("Email", "unknown_parameter"),
        ("z", "unknown_parameter"),
    ]


# --- refusals ---


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFoundError("x_not_found", "There is none."), 404),
        (errors.ConflictError("x_taken", "It is taken."), 409),
        (errors.ForbiddenError("no", "You may not."), 403),
        (errors.UnauthenticatedError(), 401),
        (errors.UnavailableError("dynamodb"), 503),
        (errors.InternalError(), 500),
        (errors.InvalidError(errors.FieldError("a", "b", "a: c.")), 422),
        (RequestError(415, "unsupported_media_type", "Send JSON."), 415),
        (errors.VestibuleError("odd", "Odd."), 400),
    ],
)
@pytest.mark.req("P01")
def test_every_refusal_is_a_problem_document(door: Door, error: errors.VestibuleError, status: int) -> None:
    def refuse(_: Request) -> Answer:
        raise error

    door.serve = refuse
    answer = door.call()
    document = assert_problem(answer, status, error.code)
    assert document["detail"] == error.detail
    assert document["title"]
    assert status_of(error) == status
    assert (header(answer, "retry-after") is not None) is (status == 503)
    assert (header(answer, "www-authenticate") is not None) is (status == 401)


@pytest.mark.parametrize("defect", [KeyError("s3cret"), ValueError("s3cret"), RuntimeError("s3cret"), TypeError("x")])
@pytest.mark.req("P01", "R01")
def test_an_unknown_exception_is_a_500_without_its_text(door: Door, defect: Exception) -> None:
    def fail(_: Request) -> Answer:
        raise defect

    door.serve = fail
    answer = door.call()
    assert_problem(answer, 500, "internal_error")
    assert "s3cret" not in answer["body"]
    assert "Traceback" not in answer["body"]
    assert type(defect).__name__ not in answer["body"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/things"), ("POST", "/"),
                                              ("GET", "/v1/things/1/2")])  # fmt: skip
@pytest.mark.req("P01")
def test_an_unknown_route_is_a_problem_too(door: Door, method: str, path: str) -> None:
    assert_problem(door.call(method, path), 404, "route_not_found")


def test_each_status_has_its_title() -> None:
    for status in {*problems._STATUS.values(), 400, 413, 415}:  # noqa: SLF001 - the table is what is tested
        answer = problem(RequestError(status, "c", "d"), "r")
        assert json_of(answer)["title"]


def test_field_errors_are_listed(door: Door) -> None:
    def refuse(_: Request) -> Answer:
        raise errors.InvalidError(
            errors.FieldError("a.b", "wrong", "a.b: is wrong."), errors.FieldError("", "whole", "all wrong.")
        )

    door.serve = refuse
    document = assert_problem(door.call(), 422, "invalid_request")
    assert document["errors"] == [
        {"field": "a.b", "code": "wrong", "detail": "a.b: is wrong."},
        {"field": "", "code": "whole", "detail": "all wrong."},
    ]
    assert document["detail"] == "a.b: is wrong.; all wrong."
