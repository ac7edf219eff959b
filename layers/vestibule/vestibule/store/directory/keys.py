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
APP_SECRET_PREFIX = "app_secret#"  # noqa: S105 - a key, not a password
"""What the sort keys of an account's application secrets begin with."""
ASSIGNMENT_PREFIX = "room#"
"""What the sort keys of a user's rooms begin with, beside the user."""
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


def origin(address: str, account_id: str) -> Item:
    """Return the key of an origin that an account has registered, in the origin's partition."""
    return _key(f"origin#{address}", f"account#{account_id}")


def client(account_id: str, client_id: str) -> Item:
    """Return the key of an API client."""
    return _key(f"account#{account_id}", f"{CLIENT_PREFIX}{client_id}")


def app_secret(account_id: str, secret_id: str) -> Item:
    """Return the key of an application secret, in the account's partition."""
    return _key(f"account#{account_id}", f"{APP_SECRET_PREFIX}{secret_id}")


def user(account_id: str, user_id: str) -> Item:
    """Return the key of a user."""
    return _key(f"account#{account_id}#user#{user_id}", "user")


def external_id(account_id: str, text: str) -> Item:
    """Return the key of the pointer from a portal's id to the user."""
    return _key(f"account#{account_id}#external_id#{text}", "pointer")


def username(account_id: str, name: str) -> Item:
    """Return the key of the pointer from a user name, whatever its case, to the user."""
    return _key(f"account#{account_id}#username#{name.casefold()}", "pointer")


def room(account_id: str, room_id: str) -> Item:
    """Return the key of a room."""
    return _key(f"account#{account_id}#room#{room_id}", "room")


def room_code(account_id: str, code: str) -> Item:
    """Return the key of the pointer from a code, whatever its case, to the room."""
    return _key(f"account#{account_id}#room_code#{code.casefold()}", "pointer")


def room_slug(account_id: str, domain: str, name: str) -> Item:
    """Return the key of the pointer from a domain and a slug in it, whatever their case, to the room.

    A domain holds no ``#``, so no other pair makes the same key.
    """
    return _key(f"account#{account_id}#room_slug#{domain.casefold()}#{name.casefold()}", "pointer")


def assignment(account_id: str, user_id: str, room_id: str) -> Item:
    """Return the key of a user's place in a room, in the user's partition."""
    return _key(f"account#{account_id}#user#{user_id}", f"{ASSIGNMENT_PREFIX}{room_id}")


def link_request(account_id: str, event_id: str) -> Item:
    """Return the key of what somebody asked for who wants a link by mail."""
    return _key(f"account#{account_id}#link_request#{event_id}", "request")


def published_keys() -> Item:
    """Return the key of the published signing keys."""
    return _key("signing-keys", "published")


PARTICIPANT_PREFIX = "participant#"
"""What the sort keys of a session's participants begin with."""


DELIVERY_PREFIX = "delivery#"
"""What the sort keys of the letters to a session's participants begin with."""


def session(account_id: str, session_id: str) -> Item:
    """Return the key of a session."""
    return _key(session_partition(account_id, session_id), "session")


def session_partition(account_id: str, session_id: str) -> str:
    """Return the partition that a session shares with its participants."""
    return f"account#{account_id}#session#{session_id}"


def session_external_id(account_id: str, text: str) -> Item:
    """Return the key of the pointer from a portal's id to the session."""
    return _key(f"account#{account_id}#session_external_id#{text}", "pointer")


def friendly_url(account_id: str, text: str) -> Item:
    """Return the key of the pointer from a friendly URL to the session."""
    return _key(f"account#{account_id}#friendly_url#{text}", "pointer")


def participant(account_id: str, session_id: str, identity: str) -> Item:
    """Return the key of a participant: one person, one key in the session."""
    return _key(session_partition(account_id, session_id), f"{PARTICIPANT_PREFIX}{identity}")


def delivery(account_id: str, session_id: str, object_id: str) -> Item:
    """Return the key of what became of the last letter to a participant, beside the session."""
    return _key(session_partition(account_id, session_id), f"{DELIVERY_PREFIX}{object_id}")


def reminder(account_id: str, session_id: str, object_id: str) -> Item:
    """Return the key of a participant's reminders, beside the session."""
    return _key(session_partition(account_id, session_id), f"reminder#{object_id}")


def participant_id(account_id: str, object_id: str) -> Item:
    """Return the key of the pointer from a participant's id to its session."""
    return _key(f"account#{account_id}#participant#{object_id}", "pointer")


def registrant(account_id: str, session_id: str, registrant_id: str) -> Item:
    """Return the key of a registrant: a partition of its own, so that a rush meets no busy one."""
    return _key(f"{session_partition(account_id, session_id)}#registrant#{registrant_id}", "registrant")


def head_count(account_id: str, session_id: str) -> Item:
    """Return the key of how many take part in a session, apart from what is read with the session."""
    return _key(f"{session_partition(account_id, session_id)}#people", "count")


def places(account_id: str, session_id: str, part: str) -> Item:
    """Return the key of one part of a session's limited places."""
    return _key(f"{session_partition(account_id, session_id)}#places#{part}", "places")


def registrants_list(account_id: str, session_id: str, shard: int) -> str:
    """Return the list key of one shard of a session's registrants."""
    return f"{session_partition(account_id, session_id)}#registrants#{shard}"


def accounts_list() -> str:
    """Return the list key of all accounts."""
    return "accounts"


def users_list(account_id: str, shard: int) -> str:
    """Return the list key of one shard of an account's users."""
    return f"account#{account_id}#users#{shard}"


def rooms_list(account_id: str, shard: int) -> str:
    """Return the list key of one shard of an account's rooms."""
    return f"account#{account_id}#rooms#{shard}"


def users_with_email(account_id: str, email: str) -> str:
    """Return the find key of the users with an e-mail address, case-folded."""
    return f"account#{account_id}#email#{email.casefold()}"


def sessions_list(account_id: str, shard: int) -> str:
    """Return the list key of one shard of an account's sessions."""
    return f"account#{account_id}#sessions#{shard}"


def sessions_hosted_by(account_id: str, user_id: str) -> str:
    """Return the list key of the sessions that a user hosts."""
    return f"account#{account_id}#hosted#{user_id}"


def guests_hosted_by(account_id: str, user_id: str) -> str:
    """Return the list key of everybody else in the sessions that a user hosts."""
    return f"account#{account_id}#guests_of#{user_id}"


def sessions_of_user(account_id: str, user_id: str) -> str:
    """Return the find key of the sessions that a registered user takes part in."""
    return f"account#{account_id}#with_user#{user_id}"


def sessions_of_email(account_id: str, email: str) -> str:
    """Return the find key of the sessions that a guest with an e-mail address takes part in."""
    return f"account#{account_id}#with_email#{email.casefold()}"


def shard_of(object_id: str) -> int:
    """Return the list shard of an object; the same for ever, whatever the process."""
    return crc32(object_id.encode()) % LIST_SHARDS


def _key(pk: str, sk: str) -> Item:
    return pack({"pk": pk, "sk": sk})
