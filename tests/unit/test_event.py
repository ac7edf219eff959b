"""Requests as API Gateway and its emulator hand them over."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from vestibule.http.event import Event


@pytest.mark.parametrize("spelling", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_header_is_found_in_any_spelling(spelling: str) -> None:
    assert Event({"headers": {spelling: "Basic x", "X-Null": None}}).headers == {"authorization": "Basic x"}


@pytest.mark.parametrize("empty", [{}, {"headers": None, "queryStringParameters": None, "requestContext": None}])
def test_what_is_left_out_is_empty(empty: dict[str, Any]) -> None:
    event = Event(empty)
    assert (event.method, event.path, event.resource, event.host, event.address) == ("GET", "/", "", "", "")
    assert (event.headers, event.query, event.cookies, event.path_values, event.form()) == ({}, {}, {}, {}, {})
    assert (event.body, event.request_id, event.content_type, event.authorizer) == (b"", "", "", {})
    assert not event.is_speculative


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        ({"requestContext": {"domainName": "a.hub.example"}, "headers": {"Host": "b"}}, "a.hub.example"),
        ({"requestContext": {"domainName": None}, "headers": {"host": "b.hub.example:4566"}}, "b.hub.example:4566"),
        ({"requestContext": {}, "headers": {"HOST": "b.hub.example"}}, "b.hub.example"),
    ],
)
def test_the_host_is_the_gateways_word_or_the_header(raw: dict[str, Any], host: str) -> None:
    assert Event(raw).host == host


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("__Host-vestibule=a.b.c.d", {"__Host-vestibule": "a.b.c.d"}),
        ("a=1; __Host-vestibule=x;b=2", {"a": "1", "__Host-vestibule": "x", "b": "2"}),
        # One odd cookie of the portal's must not hide ours.
        ('a[0]={"x": 1, "y"}; __Host-vestibule=x', {"a[0]": '{"x": 1, "y"}', "__Host-vestibule": "x"}),
        ("ü=ü; flag; __Host-vestibule=x", {"ü": "ü", "__Host-vestibule": "x"}),
        ("__Host-vestibule=", {"__Host-vestibule": ""}),
        (";;; =;", {"": ""}),
        ("", {}),
    ],
)
@pytest.mark.req("L13")
def test_cookies_are_read_leniently(header: str, cookies: dict[str, str]) -> None:
    assert Event({"headers": {"Cookie": header}}).cookies == cookies


@pytest.mark.parametrize(
    ("method", "headers", "is_speculative"),
    [
        ("GET", {}, False),
        ("HEAD", {}, True),
        ("head", {}, True),
        ("GET", {"Sec-Purpose": "prefetch"}, True),
        ("GET", {"sec-purpose": "prefetch;prerender"}, True),
        ("GET", {"Sec-Purpose": "PREFETCH; anonymous-client-ip"}, True),
        ("GET", {"Purpose": "prefetch"}, True),
        ("GET", {"X-Moz": "prefetch"}, True),
        ("GET", {"X-moz": "Prefetch"}, True),
        ("GET", {"Sec-Purpose": "prerender"}, True),
        ("GET", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, False),
        ("GET", {"Purpose": "something else"}, False),
    ],
)
@pytest.mark.req("L05")
def test_who_only_looks_ahead(method: str, headers: dict[str, str], is_speculative: bool) -> None:  # noqa: FBT001
    assert Event({"httpMethod": method, "headers": headers}).is_speculative is is_speculative


def test_the_body_is_bytes_whatever_its_coat() -> None:
    assert Event({"body": "ü"}).body == "ü".encode()
    assert Event({"body": b64encode("ü".encode()).decode(), "isBase64Encoded": True}).body == "ü".encode()
    assert Event({"body": "not base64!", "isBase64Encoded": True}).body == b""
    assert Event({"body": None}).body == b""
    assert Event({"body": "\ud800"}).body  # half a surrogate pair is somebody else's problem, not a crash


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (" text/plain ;x", "text/plain"),
        ("", ""),
    ],
)
def test_the_media_type_stands_alone(header: str, media_type: str) -> None:
    assert Event({"headers": {"Content-Type": header}}).content_type == media_type


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("a=1&b=%20x+y&a=2", {"a": "2", "b": " x y"}),
        ("a=&b", {"a": "", "b": ""}),
        ("%FF=%FF", {"\ufffd": "\ufffd"}),
        ("", {}),
    ],
)
def test_the_fields_of_a_form(body: str, fields: dict[str, str]) -> None:
    assert Event({"body": body}).form() == fields


@pytest.mark.req("P04")
def test_a_form_with_more_fields_than_anybody_sends_is_none() -> None:
    assert Event({"body": "&".join(f"a{n}=1" for n in range(100))}).form()["a99"] == "1"
    assert Event({"body": "&".join(f"a{n}=1" for n in range(101))}).form() == {}


def test_path_values_are_decoded() -> None:
    assert Event({"pathParameters": {"id": "a%2Fb%20ü"}}).path_values == {"id": "a/b ü"}


def test_queries_keep_their_case_and_have_a_folded_form() -> None:
    event = Event({"queryStringParameters": {"ScrollTo": "1", "none": None}})
    assert event.query == {"ScrollTo": "1"}
    assert event.folded_query == {"scrollto": "1"}
