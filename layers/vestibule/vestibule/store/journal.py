"""The journal table: what happened; append-only by its functions' policies.

Events of one subject share a partition, so no key is written by many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.store.items import pack, values_of
from vestibule.store.table import IS_NEW

if TYPE_CHECKING:
    from vestibule.model import AuditEvent
    from vestibule.store.table import Action, Table


class AuditStore:
    """Audit events in the journal table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def append(self, event: AuditEvent) -> None:
        """Write an event, never over another."""
        self._table.write(self.appending(event))

    def appending(self, event: AuditEvent) -> Action:
        """Return `append` as an action, for a transaction with what it tells of."""
        key = {
            "pk": f"account#{event.account_id}#{event.subject}",
            "sk": f"{event.at:015d}#{event.event_id}",
        }
        return self._table.put(pack(values_of(event) | key), IS_NEW)
