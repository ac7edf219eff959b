"""Application secrets, in the partition of their account: what they are, never the secret itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import AppKey, AppSecret
from vestibule.store.directory import keys
from vestibule.store.items import pack, record_of, unpack, values_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Table


class AppSecretStore:
    """Application secrets in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, secret_id: str, *, consistent: bool = False) -> AppSecret | None:
        """Read a secret's record."""
        values = self._table.get(keys.app_secret(account_id, secret_id), consistent=consistent)
        return _secret_of(values) if values else None

    def list_of(self, account_id: str) -> list[AppSecret]:
        """Return an account's secrets, oldest first."""
        partition = unpack(keys.account(account_id))["pk"]
        found = self._table.query(
            "pk = :account AND begins_with(sk, :secret)",
            {":account": partition, ":secret": keys.APP_SECRET_PREFIX},
        )
        return sorted(map(_secret_of, found), key=lambda secret: secret.created_at)

    def create(self, secret: AppSecret) -> None:
        """Write a new secret's record.

        Raises
        ------
        ConditionFailedError
            The id is taken.
        """
        self._table.write(self._table.put(_item(secret), IS_NEW))

    def replace(self, secret: AppSecret, *, before: AppSecret) -> None:
        """Write a changed record.

        Raises
        ------
        ConditionFailedError
            Somebody else changed or deleted it since ``before`` was read.
        """
        self._table.write(self._table.put(_item(secret), UNCHANGED, {":seen": before.version}))

    def delete(self, secret: AppSecret) -> None:
        """Remove a record, and with it the secret; removing one that is gone changes nothing."""
        self._table.write(self._table.delete(keys.app_secret(secret.account_id, secret.secret_id)))


def _item(secret: AppSecret) -> Item:
    return keys.app_secret(secret.account_id, secret.secret_id) | pack(values_of(secret))


def _secret_of(values: Mapping[str, Any]) -> AppSecret:
    return record_of(AppSecret, {**values, "keys": tuple(AppKey(**key) for key in values["keys"])})
