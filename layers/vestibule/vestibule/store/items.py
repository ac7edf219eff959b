"""Records to DynamoDB items and back.

The attribute names are the records' field names.  ``None`` is left out rather
than stored as NULL, so that ``attribute_not_exists`` reads "not set" in every
condition.  boto3's own serializer would bring all of boto3 into every cold start
and numbers as `Decimal`, which no record holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

type Item = dict[str, Any]
"""An item in DynamoDB's wire form: ``{"name": {"S": "..."}}``."""


def pack(values: Mapping[str, Any]) -> Item:
    """Return plain values in wire form, leaving out ``None``.

    Raises
    ------
    TypeError
        A value is of a kind that no record has.
    """
    return {name: _encode(value) for name, value in values.items() if value is not None}


def unpack(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's values as plain Python: whole numbers are `int`, lists tuples."""
    return {name: _decode(attribute) for name, attribute in item.items()}


def values_of(record: DataclassInstance) -> dict[str, Any]:
    """Return a record's set fields by name."""
    pairs = ((f.name, getattr(record, f.name)) for f in fields(record))
    return {name: value for name, value in pairs if value is not None}


def record_of[R: DataclassInstance](kind: type[R], values: Mapping[str, Any]) -> R:
    """Return the record that an unpacked item holds, ignoring keys and index attributes."""
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})


def _encode(value: Any) -> Item:
    """Return one value as an attribute; enumerations are texts, records maps."""
    match value:
        case str():
            attribute: Item = {"S": str(value)}
        case bool():  # before the numbers, of which Python takes it for one
            attribute = {"BOOL": value}
        case int():
            attribute = {"N": str(value)}
        case Mapping():
            attribute = {"M": pack(value)}
        case set() | frozenset() if value and all(isinstance(one, str) for one in value):
            attribute = {"SS": sorted(value)}
        case list() | tuple():
            attribute = {"L": [_encode(inner) for inner in value]}
        case _ if hasattr(value, "__dataclass_fields__"):
            attribute = {"M": pack(values_of(value))}
        case _:
            raise TypeError(f"no attribute of an item holds a {type(value).__name__}")
    return attribute


def _decode(attribute: Mapping[str, Any]) -> Any:
    ((kind, content),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return content
        case "N":
            return int(content)
        case "M":
            return unpack(content)
        case "SS":
            return frozenset(content)
        case "L":
            return tuple(map(_decode, content))
    raise TypeError(f"no record holds an attribute of type {kind}")
