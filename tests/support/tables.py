"""The stack's tables as a test may look into them, and move a deadline in them instead of waiting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vestibule import ids
from vestibule.store.items import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from tools.local import Stack

TABLES = ("DirectoryTable", "PassesTable", "JournalTable")


class Tables:
    """The three tables.

    Parameters
    ----------
    client
        Goes straight to the emulator, past the proxy.
    names
        Each table's name by its logical id.
    """

    def __init__(self, client: DynamoDBClient, names: Mapping[str, str]) -> None:
        self._client = client
        self.names = names

    def login(self, guid: str) -> dict[str, Any]:
        """Give a login's row."""
        answer = self._client.get_item(TableName=self.names["PassesTable"], Key=_login_key(guid), ConsistentRead=True)
        return unpack(answer["Item"])

    def change_login(self, guid: str, **values: int) -> None:
        """Overwrite numbers of a login's row, such as `idle_until`."""
        self._change("PassesTable", _login_key(guid), values)

    def change_cookies_login(self, cookie: str, **values: int) -> None:
        """Overwrite numbers in the row of the login that a sign-in cookie names."""
        self._change("PassesTable", pack({"pk": f"login#{cookie.partition('.')[0]}"}), values)

    def end_leases(self, participant_id: str) -> None:
        """Let the leases of letters to a participant run out."""
        for item in self.scan("PassesTable"):
            if item["pk"].startswith("outbox#") and item["pk"].endswith(f"#{participant_id}"):
                self._change("PassesTable", pack({"pk": item["pk"]}), {"leased_until": 0})

    def events_of(self, guid: str) -> list[dict[str, Any]]:
        """Give a login's audit events."""
        subject = f"#login#{ids.digest(guid)}"
        return [item for item in self.scan("JournalTable") if item["pk"].endswith(subject)]

    def scan(self, table: str) -> list[dict[str, Any]]:
        """Give all of a table."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.names[table], ConsistentRead=True)
        return [unpack(item) for page in pages for item in page["Items"]]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Give all of all tables, for a comparison before and after."""
        return {name: sorted(self.scan(name), key=lambda item: (item["pk"], item.get("sk", ""))) for name in TABLES}

    def _change(self, table: str, key: dict[str, Any], values: Mapping[str, int]) -> None:
        self._client.update_item(
            TableName=self.names[table],
            Key=key,
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues=pack({f":{name}": value for name, value in values.items()}),
        )


@pytest.fixture(scope="session")
def tables(stack: Stack) -> Tables:
    """The stack's tables."""
    return Tables(stack.client("dynamodb"), {name: stack.outputs[name] for name in TABLES})


def _login_key(guid: str) -> dict[str, Any]:
    return pack({"pk": f"login#{ids.digest(guid)}"})
