"""template.yaml as data: CloudFormation's short tags in their long form, nothing resolved."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tools.local.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    type Json = Any
    """What YAML holds: mappings, lists and scalars."""

TEMPLATE = ROOT / "template.yaml"
NO_VALUE = {"Ref": "AWS::NoValue"}


class _Loader(yaml.SafeLoader):
    """A safe loader that knows `!Ref` and its like."""


def _long_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Json]:
    value: Json
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


@cache
def template() -> dict[str, Json]:
    """Return the template; everybody gets the same object, so nobody may change it."""
    parsed: dict[str, Json] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
    return parsed


def resources(kind: str) -> dict[str, dict[str, Json]]:
    """Return the resources of one type by logical id."""
    return {name: one for name, one in template()["Resources"].items() if one["Type"] == kind}


def scalars(value: Json) -> Iterator[Json]:
    """Yield every scalar below a value, keys left out."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    else:
        yield value


DONE_BY_LAMBDA: Mapping[str, frozenset[str]] = {
    "RouterFunction": frozenset(
        {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}
    ),
    "MailerFunction": frozenset({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}),
    "MailReportsFunction": frozenset({"sqs:SendMessage"}),
}
"""What Lambda does in a function's name (reading its event source, setting aside what failed): never by its code."""


def references(value: Json) -> set[str]:
    """Return the logical ids that a value refers to by Ref, GetAtt or Sub."""
    found: set[str] = set()
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "Ref":
                found.add(inner)
            elif name == "Fn::GetAtt":
                found.add(inner[0])
            elif name == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                found |= {part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:]}
            else:
                found |= references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= references(inner)
    return found
