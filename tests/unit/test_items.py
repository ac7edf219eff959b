"""Items: what is stored is DynamoDB's wire form to the letter, and comes back as it was."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from vestibule.store.items import pack, record_of, unpack, values_of

LARGEST = 10**37  # DynamoDB keeps 38 digits

SCALARS = st.text() | st.booleans() | st.integers(-LARGEST, LARGEST)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=6,
)


class Mood(StrEnum):
    CALM = "calm"


@dataclass(frozen=True, kw_only=True)
class Part:
    label: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    name: str
    count: int = 0
    is_open: bool = False
    parts: tuple[Part, ...] = ()
    closed_at: int | None = None


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_what_is_packed_is_what_boto3_would_write_and_read(values: dict[str, Any]) -> None:
    # given: boto3 knows lists and no tuples
    as_boto3_takes_it = {name: _lists(value) for name, value in values.items()}

    # when
    item = pack(values)

    # then
    assert item == TypeSerializer().serialize(as_boto3_takes_it)["M"]
    assert TypeDeserializer().deserialize({"M": item}) == as_boto3_takes_it


@given(st.dictionaries(st.text(min_size=1), VALUES))
def test_what_is_packed_is_unpacked_as_it_was(values: dict[str, Any]) -> None:
    # when
    again = unpack(pack(values))

    # then: also in type, for True equals 1
    assert again == values
    assert repr(again) == repr(values)


def test_what_is_not_set_is_not_stored() -> None:
    # given
    whole = Whole(name="a", parts=(Part(label="b"),))

    # when
    item = pack(values_of(whole) | {"gone": None, "map": {"kept": 1, "left_out": None}})

    # then
    assert item == {
        "name": {"S": "a"},
        "count": {"N": "0"},
        "is_open": {"BOOL": False},
        "parts": {"L": [{"M": {"label": {"S": "b"}}}]},
        "map": {"M": {"kept": {"N": "1"}}},
    }


def test_an_enumeration_is_stored_as_plain_text() -> None:
    # when
    text = pack({"mood": Mood.CALM})["mood"]["S"]

    # then
    assert type(text) is str
    assert text == "calm"


def test_a_record_is_read_past_keys_and_index_attributes() -> None:
    # given
    stored = pack({"pk": "whole#a", "sk": "whole", "ttl": 9, "name": "a", "count": 3})

    # when
    whole = record_of(Whole, unpack(stored))

    # then
    assert whole == Whole(name="a", count=3)


@pytest.mark.parametrize("value", [1.5, b"bytes", {1, 2}, object()])
def test_a_kind_that_no_record_has_is_refused(value: object) -> None:
    # when, then
    with pytest.raises(TypeError, match=type(value).__name__):
        pack({"value": value})


def test_an_attribute_that_no_record_wrote_is_refused() -> None:
    # when, then
    with pytest.raises(TypeError, match="NS"):
        unpack({"value": {"NS": ["1"]}})


def _lists(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_lists(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    return value
