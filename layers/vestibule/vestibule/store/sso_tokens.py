"""SSO tokens in the passes table: each is one item under the SHA-256 of the token.

Letting a browser in leaves the item alone, unless that browser is to be the only
one: then spending the token and beginning the sign-in are one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.clock import to_epoch_seconds
from vestibule.model import SsoToken
from vestibule.store.items import pack, record_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_KNOWN = "attribute_exists(pk)"
"""True when there is such a token (an update would otherwise create one)."""
_NOT_SPENT = "attribute_not_exists(spent_at)"
"""True when it has not let in the one browser that it was for."""
_IN_TIME = "expires_at > :now"
"""True before the token expires, not at that moment."""


class SsoTokenStore:
    """SSO tokens in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, token: SsoToken) -> None:
        """Write a new token; its key is a digest of 128 random bits, so nothing is there."""
        garbage = {"ttl": to_epoch_seconds(token.expires_at)}
        self._table.write(self._table.put(_key(token.key) | pack(values_of(token) | garbage)))

    def get(self, key: str) -> SsoToken | None:
        """Read a token, strongly consistently."""
        values = self._table.get(_key(key), consistent=True)
        return _token_of(values) if values else None

    def spend(self, key: str, *, now: int, also: Action) -> None:
        """Mark a token as spent together with what it was spent for.

        Raises
        ------
        ConditionFailedError
            It is spent or has expired.
        """
        spending = self._table.change(
            _key(key),
            "SET spent_at = :now",
            f"{_KNOWN} AND {_NOT_SPENT} AND {_IN_TIME}",
            {":now": now},
        )
        self._table.write(spending, also)


def _token_of(values: Mapping[str, Any]) -> SsoToken:
    return record_of(SsoToken, values)


def _key(key: str) -> Item:
    return pack({"pk": f"sso_token#{key}"})
