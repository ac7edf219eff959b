"""Bodies of vendors' clients: JSON, forms and multipart forms, whatever they are labelled as."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from vestibule.dialects import bodies
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
        (b"a=1&b=&a+b=%C3%AB", {"a": "1", "b": "", "a b": "ë"}),
        (b"ids[]=1&ids[]=2&x=1&x=2&one[0]=a", {"ids": ["1", "2"], "x": ["1", "2"], "one": ["a"]}),
        (b'{"a": 1, "b": null, "c": ["x"]}', {"a": 1, "b": None, "c": ["x"]}),
        (b'\r\n {"a": "\\u00eb"}', {"a": "ë"}),
        (MULTIPART, {"name": "Zoë", "bare": "two\r\nlines", "ids": ["1", "2"]}),
    ],
)
def test_a_body_is_what_its_first_character_says(body: bytes, expected: dict[str, Any]) -> None:
    assert bodies.fields(body) == expected


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
        b"a=\xff",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--',
        b"&".join(b"%d=1" % number for number in range(1_001)),
        b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n' % n for n in range(1_001)),
    ],
)
def test_what_is_none_of_them_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        bodies.fields(body)
    assert refused.value.status == 400


@hypothesis.given(strategies.binary(max_size=200))
def test_any_bytes_are_fields_or_refused(body: bytes) -> None:
    try:
        found = bodies.fields(body)
    except RequestError:
        return
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ""), (" a ", "a"), (7, "7"), (1.5, "1.5"), (True, "true"), (False, "false")]
)
def test_a_field_as_text(value: Any, expected: str) -> None:
    assert bodies.as_text(value) == expected


@pytest.mark.parametrize("value", [[], {}, ["a"]])
def test_a_list_is_no_text(value: Any) -> None:
    with pytest.raises(RequestError):
        bodies.as_text(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, []), ("", []), ("1, 2,", ["1", "2"]), ([1, "2", None], ["1", "2"]), (5, ["5"])],
)
def test_a_field_as_texts(value: Any, expected: list[str]) -> None:
    assert bodies.as_texts(value) == expected
