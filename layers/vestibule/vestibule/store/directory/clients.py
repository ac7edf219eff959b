"""API clients, in the partition of their account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Client, ClientSecret, Status
from vestibule.store.directory import keys
from vestibule.store.items import pack, record_of, unpack, values_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table


class ClientStore:
    """API clients in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, client_id: str, *, consistent: bool = False) -> Client | None:
        """Read a client: the one read of a Basic authentication."""
        values = self._table.get(keys.client(account_id, client_id), consistent=consistent)
        return _client_of(values) if values else None

    def list_of(self, account_id: str) -> list[Client]:
        """Return an account's clients, oldest first."""
        partition = unpack(keys.account(account_id))["pk"]
        found = self._table.query(
            "pk = :account AND begins_with(sk, :client)",
            {":account": partition, ":client": keys.CLIENT_PREFIX},
        )
        return sorted(map(_client_of, found), key=lambda client: client.created_at)

    def account_status(self, account_id: str) -> Status | None:
        """Read whether the account may be used, as it stands now; None when there is none."""
        values = self._table.get(keys.account(account_id), consistent=True)
        return Status(values["status"]) if values else None

    def create(self, client: Client) -> None:
        """Write a new client.

        Raises
        ------
        ConditionFailedError
            The id is taken.
        """
        self._table.write(self._table.put(_item(client), IS_NEW))

    def replace(self, client: Client, *, before: Client) -> None:
        """Write a changed client.

        Raises
        ------
        ConditionFailedError
            Somebody else changed or deleted it since ``before`` was read.
        """
        self._table.write(self.replacing(client, before=before))

    def replacing(self, client: Client, *, before: Client) -> Action:
        """Return `replace` as an action, for a transaction with the account."""
        return self._table.put(_item(client), UNCHANGED, {":seen": before.version})

    def delete(self, client: Client) -> None:
        """Remove a client; removing one that is gone changes nothing."""
        self._table.write(self._table.delete(keys.client(client.account_id, client.client_id)))


def _item(client: Client) -> Item:
    return keys.client(client.account_id, client.client_id) | pack(values_of(client))


def _client_of(values: Mapping[str, Any]) -> Client:
    secrets = tuple(ClientSecret(**secret) for secret in values["secrets"])
    status = Status(values["account_status"])
    return record_of(Client, {**values, "account_status": status, "secrets": secrets})
