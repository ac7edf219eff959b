"""Keys of the directory table, in one place.

Texts that come from outside stand last in a key, so that no value can imitate
another kind of key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

from vestibule.store.items import pack

if TYPE_CHECKING:
    from vestibule.store.items import Item

LISTED = "listed"
"""Keys-only index over ``list_key`` and ``list_sort``: the pages of a list."""
FOUND = "found"
"""Keys-only index over ``find_key`` and ``find_sort``: equal by something not unique."""

CLIENT_PREFIX = "client#"
"""What the sort keys of an account's API clients begin with."""
BEFORE_ALL = "0"
"""A sort key of a list that stands before every entry's."""

LIST_SHARDS = 4
"""Partitions of one account's list, so that a bulk import does not heat a single one."""


def account(account_id: str) -> Item:
    """Return the key of an account."""
    return _key(f"account#{account_id}", "account")


def slug(name: str) -> Item:
    """Return the key of the pointer from a slug to its account."""
    return _key(f"slug#{name}", "pointer")


def client(account_id: str, client_id: str) -> Item:
    """Return the key of an API client."""
    return _key(f"account#{account_id}", f"{CLIENT_PREFIX}{client_id}")


def user(account_id: str, user_id: str) -> Item:
    """Return the key of a user."""
    return _key(f"account#{account_id}#user#{user_id}", "user")


def external_id(account_id: str, text: str) -> Item:
    """Return the key of the pointer from a portal's id to the user."""
    return _key(f"account#{account_id}#external_id#{text}", "pointer")


def username(account_id: str, name: str) -> Item:
    """Return the key of the pointer from a user name, whatever its case, to the user."""
    return _key(f"account#{account_id}#username#{name.casefold()}", "pointer")


def published_keys() -> Item:
    """Return the key of the published signing keys."""
    return _key("signing-keys", "published")


def accounts_list() -> str:
    """Return the list key of all accounts."""
    return "accounts"


def users_list(account_id: str, shard: int) -> str:
    """Return the list key of one shard of an account's users."""
    return f"account#{account_id}#users#{shard}"


def users_with_email(account_id: str, email: str) -> str:
    """Return the find key of the users with an e-mail address, case-folded."""
    return f"account#{account_id}#email#{email.casefold()}"


def shard_of(object_id: str) -> int:
    """Return the list shard of an object; the same for ever, whatever the process."""
    return crc32(object_id.encode()) % LIST_SHARDS


def _key(pk: str, sk: str) -> Item:
    return pack({"pk": pk, "sk": sk})
