"""Bodies of vendors' clients: JSON, forms and multipart forms, whatever they are labelled as."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from vestibule.dialects import reading
from vestibule.dialects.reading import Members
from vestibule.http.problems import RequestError

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nZo\xc3\xab\r\n'
    b"--b\r\ncontent-disposition: form-data; name=bare\r\nContent-Type: text/plain\r\n\r\ntwo\r\nlines\r\n"
    b'--b\r\nContent-Disposition: form-data; name="ids[]"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="ids[]"\r\n\r\n2\r\n'
    b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n\x89PNG\r\n'
    b"--b--\r\n"
)

pytestmark = pytest.mark.req("D02", "P04")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {}),
        (b" \r\n", {}),
        (b"a=1&b=&a+b=%C3%AB", {"a": "1", "a b": "ë"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": "1"}),
        (b"\xef\xbb\xbf\r\n a=1\r\n", {"a": "1"}),
        (b"x=1&x=2", {"x": "2"}),
        (b'{"a": 1, "b": null, "C": " x "}', {"a": "1", "c": "x"}),
        (b'\r\n {"a": "\\u00eb", "b": 7.0, "c": true}', {"a": "ë", "b": "7", "c": "True"}),
        (MULTIPART, {"name": "Zoë", "bare": "two\r\nlines"}),
    ],
)
def test_a_body_is_what_its_first_character_says(body: bytes, expected: dict[str, str]) -> None:
    found = reading.members(body)
    assert {name: found.text(name) for name in expected} == expected
    assert found.text("b" if "b" not in expected else "nothing") is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"ids=", []),
        (b"ids=1,+2,", ["1", "2"]),
        (b"ids[]=1&ids[]=2", ["1", "2"]),
        (b"ids[0]=1&ids[5]=2", ["1", "2"]),
        (b'{"ids": 5}', ["5"]),
        (b'{"ids": [1, "2", null, ""]}', ["1", "2"]),
        (MULTIPART, ["1", "2"]),
    ],
)
def test_a_list_comes_in_many_spellings(body: bytes, expected: list[str]) -> None:
    assert reading.members(body).texts("ids") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'[{"a": 1}]',
        b"[" * 100_000,
        b'{"a": ' * 50_000,
        b'{"a": "\\udc00"}',
        b'{"a": %s}' % (b"9" * 5_000),
        b'{"a": NaN}',
        b'{"a": {"b": [-Infinity]}}',
        b'{"a": 1e999}',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c=d">]><a>&b;&b;</a>',
        b"\xef\xbb\xbf <a/>",
        b"a=\xff",
        b"a=%ff",
        b"a=1&a[]=2",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--',
        b"&".join(b"%d=1" % number for number in range(10_001)),
        b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n' % n for n in range(10_001)),
    ],
)
def test_what_is_none_of_them_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        reading.members(body)
    assert refused.value.status == 400


@hypothesis.given(strategies.binary(max_size=200))
def test_any_bytes_are_members_or_refused(body: bytes) -> None:
    try:
        found = reading.members(body)
    except RequestError:
        return
    assert isinstance(found, Members)


@pytest.mark.parametrize("value", [["a"], {"b": 1}, 1.5])
def test_what_is_no_text_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(RequestError, match=r"a must be a text\."):
        Members({"A": value}).text("a")


def test_an_object_is_handed_on_as_it_is() -> None:
    assert Members({"metadata": {"A": [1]}}).mapping("metadata") == {"A": [1]}
    assert Members({"metadata": None}).mapping("metadata") == {}
    with pytest.raises(RequestError, match=r"metadata must be an object\."):
        Members({"metadata": "x"}).mapping("metadata")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("1", True), (1, True), (0, False), ("off", False), ("", True)],
)
def test_a_truth_value_in_any_spelling(value: Any, expected: bool) -> None:  # noqa: FBT001 - a parameter
    assert Members({"flag": value}).flag("flag", default=True) is expected
