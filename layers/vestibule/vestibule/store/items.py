"""Records to DynamoDB items and back.

The attribute names are the records' field names.  ``None`` is left out rather
than stored as NULL, so that ``attribute_not_exists`` reads "not set" in every
condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

type Item = dict[str, Any]
"""An item in DynamoDB's wire form: ``{"name": {"S": "..."}}``."""

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def pack(values: Mapping[str, Any]) -> Item:
    """Return plain values in wire form, leaving out ``None``."""
    return {name: _serialize(_plain(value)) for name, value in values.items() if value is not None}


def unpack(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's values as plain Python: whole numbers are `int`, lists tuples."""
    return {name: _native(_deserialize(value)) for name, value in item.items()}


def values_of(record: DataclassInstance) -> dict[str, Any]:
    """Return a record's set fields by name."""
    pairs = ((f.name, getattr(record, f.name)) for f in fields(record))
    return {name: value for name, value in pairs if value is not None}


def record_of[R: DataclassInstance](kind: type[R], values: Mapping[str, Any]) -> R:
    """Return the record that an unpacked item holds, ignoring keys and index attributes."""
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})


def _plain(value: Any) -> Any:
    """Reduce records, enumerations and tuples to what the serializer takes."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "__dataclass_fields__"):
        return _plain(values_of(value))
    return value


def _native(value: Any) -> Any:
    """Undo what the deserializer makes of numbers and sequences."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _native(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_native(inner) for inner in value)
    return value
