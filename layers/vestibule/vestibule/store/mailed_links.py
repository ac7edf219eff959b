"""Links by mail: what people ask for, in the directory table, and what they were sent, in the passes table.

A request lies in the directory for as long as it takes the outbox to act on it.  A
link is found by the digest of its token and used once; its deadline is in the
condition as well, ``ttl`` only collects garbage.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import LinkPurpose, LinkRequest, MailedLink
from vestibule.store.directory import keys
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.outbox import event_of
from vestibule.store.table import IS_NEW, ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_USABLE = "attribute_exists(pk) AND attribute_not_exists(used_at) AND usable_until > :now"
"""True when there is such a link, nobody has used it, and its time is not over."""


class LinkRequestStore:
    """Requests in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, request: LinkRequest) -> None:
        """Write a request; the id of its event is drawn for it, so nothing is there."""
        key = keys.link_request(request.account_id, request.event.event_id)
        self._table.write(self._table.put(key | pack(values_of(request)), IS_NEW))

    def get(self, account_id: str, event_id: str) -> LinkRequest | None:
        """Read a request, None when it was acted on."""
        values = self._table.get(keys.link_request(account_id, event_id), consistent=True)
        return _request_of(values) if values else None

    def forget(self, account_id: str, event_id: str) -> None:
        """Remove a request; removing it again changes nothing."""
        self._table.write(self._table.delete(keys.link_request(account_id, event_id)))


class MailedLinkStore:
    """Links in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, link: MailedLink) -> None:
        """Write a link, unless it stands there already: another attempt at the same mail makes the same one."""
        try:
            self._table.write(self._table.put(item_of(link), IS_NEW))
        except ConditionFailedError:
            return

    def get(self, key: str) -> MailedLink | None:
        """Read a link, strongly consistently."""
        values = self._table.get(_key(key), consistent=True)
        return record_of(MailedLink, {**values, "purpose": LinkPurpose(values["purpose"])}) if values else None

    def using(self, link: MailedLink, *, now: int) -> Action:
        """Return the action that uses a link up, on condition that it may be used."""
        return self._table.change(_key(link.key), "SET used_at = :now", _USABLE, {":now": now})

    def write(self, *actions: Action) -> None:
        """Carry out actions together, see `vestibule.store.table.Table.write`."""
        self._table.write(*actions)


def item_of(link: MailedLink) -> Item:
    """Return the item that holds a link."""
    return _key(link.key) | pack(values_of(link) | {"ttl": to_epoch_seconds(link.usable_until + DAY)})


def _key(key: str) -> Item:
    return pack({"pk": f"mailed_link#{key}"})


def _request_of(values: Mapping[str, Any]) -> LinkRequest:
    found = record_of(LinkRequest, {**values, "purpose": LinkPurpose(values["purpose"])})
    event = event_of(values)
    if event is None:
        raise ValueError("a request without its event")
    return replace(found, event=event)
