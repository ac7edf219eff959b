"""Accounts and the slugs that lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Account, NavigationLink, SeatPolicy, Stage, StageKind, Status
from vestibule.store.directory import keys
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_FREE_OR_OURS = "attribute_not_exists(pk) OR account_id = :account"
"""True when the slug was never used, or is or was this account's own.

A slug that an account has left stays its own for ever, so that links already
sent keep leading to it and nobody else can catch them.
"""


class AccountStore:
    """Accounts in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, *, consistent: bool = False) -> Account | None:
        """Read an account."""
        values = self._table.get(keys.account(account_id), consistent=consistent)
        return _account_of(values) if values else None

    def id_of_slug(self, slug: str) -> str | None:
        """Return the account that a slug leads to."""
        values = self._table.get(keys.slug(slug))
        return values["account_id"] if values else None

    def knows_origin(self, address: str) -> bool:
        """Tell whether some account has registered an origin."""
        partition = keys.origin(address, "")["pk"]["S"]
        return bool(self._table.query("pk = :origin", {":origin": partition}, limit=1))

    def list_ids(self) -> list[str]:
        """Return the ids of all accounts, oldest first; for operators."""
        found = self._table.query("list_key = :list", {":list": keys.accounts_list()}, index=keys.LISTED)
        return [entry["list_sort"].partition("#")[2] for entry in found]

    def create(self, account: Account) -> None:
        """Write a new account together with its slug.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: the id is taken; 1: the slug is.
        """
        own = self._table.put(_item(account), IS_NEW)
        self._table.write(own, self._slug_put(account), *self._origins_moved(account, ()))

    def replace(self, account: Account, *, before: Account, also: Sequence[Action] = ()) -> None:
        """Write a changed account.

        Parameters
        ----------
        before
            The account as it was read.
        also
            What must change together with it.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: somebody else changed it; 1: the new slug is taken.
        """
        own = self._table.put(_item(account), UNCHANGED, {":seen": before.version})
        moved = [self._slug_put(account)] if account.slug != before.slug else []
        self._table.write(own, *moved, *self._origins_moved(account, before.allowed_origins), *also)

    def _origins_moved(self, account: Account, before: Iterable[str]) -> Iterator[Action]:
        """Yield the actions that make an account's origins found, and those found no more that it has left."""
        now, then = set(account.allowed_origins), set(before)
        for address in sorted(now - then):
            yield self._table.put(keys.origin(address, account.account_id))
        for address in sorted(then - now):
            yield self._table.delete(keys.origin(address, account.account_id))

    def _slug_put(self, account: Account) -> Action:
        pointer = keys.slug(account.slug) | pack({"account_id": account.account_id})
        return self._table.put(pointer, _FREE_OR_OURS, {":account": account.account_id})


def _item(account: Account) -> Item:
    listed = {
        "list_key": keys.accounts_list(),
        "list_sort": f"{account.created_at:015d}#{account.account_id}",
    }
    return keys.account(account.account_id) | pack(values_of(account) | listed)


def _account_of(values: Mapping[str, Any]) -> Account:
    navigation = tuple(NavigationLink(**link) for link in values.get("navigation", ()))
    kinds = {
        "status": Status(values["status"]),
        "seat_policy": SeatPolicy(values.get("seat_policy", SeatPolicy.KICK_OLD)),
        "stage": _stage_of(values["stage"]) if "stage" in values else None,
    }
    return record_of(Account, {**values, **kinds, "navigation": navigation})


def _stage_of(values: Mapping[str, Any]) -> Stage:
    return record_of(Stage, {**values, "kind": StageKind(values["kind"])})
