"""Cursors: opaque, bound to client and list."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.errors import InvalidError
from vestibule.http.cursors import decode, encode

POSITION = (3, "001795315772123#12345678")
_SORT_KEYS = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


@given(st.tuples(st.integers(0, 1_000), _SORT_KEYS), st.lists(st.text(max_size=10), max_size=3))
@pytest.mark.req("P06")
def test_a_cursor_brings_back_its_position(position: tuple[int, str], binding: list[str]) -> None:
    cursor = encode(position, *binding)
    assert decode(cursor, *binding) == position
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?# ")


@pytest.mark.parametrize(
    "binding", [("client-2", "users"), ("client-1", "rooms"), ("client-1",), ("client-1users",), ()]
)
@pytest.mark.req("P06")
def test_a_cursor_of_another_client_or_list_is_refused(binding: tuple[str, ...]) -> None:
    cursor = encode(POSITION, "client-1", "users")
    with pytest.raises(InvalidError) as refused:
        decode(cursor, *binding)
    assert [(e.field, e.code) for e in refused.value.errors] == [("cursor", "invalid_cursor")]


def _of(document: Any) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "====", "\x00", "ü", "a b", "%%%", "12", _of(5), _of([]), _of([1, 2, 3]), _of("ab"), _of(None),
     _of({"a": 1, "b": 2}), _of([None, POSITION]), _of(["0123456789abcdef", POSITION]), "W1tb" * 200, "A" * 100_000,
     encode(POSITION, "client-1", "users") + "A", encode(POSITION, "client-1", "users")[:-1], encode(POSITION)],
)  # fmt: skip
@pytest.mark.req("P06", "P04")
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError):
        decode(cursor, "client-1", "users")


@pytest.mark.parametrize(
    "position",
    [None, 5, "x", [], [1], [1, 2], ["1", "x"], [1, "x", 2], [-1, "x"], [-(10**9), "x"], [0, ""], [0, None], [1.5, "x"],
     [0, "\u00fc"], [0, "\ud800"], {"0": 1, "1": "x"}],
)  # fmt: skip
@pytest.mark.req("P06", "P04")
def test_a_made_up_position_is_refused_though_the_binding_is_right(position: Any) -> None:
    # given: whoever has one cursor can make others
    bound, _ = json.loads(urlsafe_b64decode(encode(POSITION, "client-1", "users") + "=="))
    # when, then
    with pytest.raises(InvalidError):
        decode(_of([bound, position]), "client-1", "users")
