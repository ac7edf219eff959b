"""Outbox events on items, and the leases that let each be acted on once.

An event lies on the item whose write caused it and leaves by the table's stream.
A lease is one item in the passes table for one event and one addressee: taken by
one worker at a time, and done for ever once the letter is out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import EventKind, OutboxEvent
from vestibule.store.items import pack, record_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

REMEMBERED_FOR = 30 * DAY
"""How long it is known that an event was acted on: longer than any queue keeps a message (14 days)."""

_FREE = "attribute_not_exists(pk) OR (attribute_not_exists(done_at) AND leased_until <= :now) OR attempt = :attempt"
"""True when nobody acted on the event, and nobody is at it; or this very attempt has taken it already,
whose answer was lost."""
_OURS = "attempt = :attempt AND attribute_not_exists(done_at)"
"""True when nobody has taken the lease over."""


class Taken(StrEnum):
    """What came of asking for a lease."""

    OURS = "ours"
    BUSY = "busy"
    DONE = "done"


def event_of(values: Mapping[str, Any]) -> OutboxEvent | None:
    """Return the event that an unpacked item carries.

    Raises
    ------
    KeyError, TypeError, ValueError
        What lies there is none that this house wrote.
    """
    found = values.get("event")
    if found is None:
        return None
    return record_of(OutboxEvent, {**found, "kind": EventKind(found["kind"])})


class LeaseStore:
    """Leases in the passes table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, name: str, attempt: str, *, now: int, until: int) -> Taken:
        """Take the lease of one event and addressee.

        Parameters
        ----------
        attempt
            Drawn for this attempt.
        now, until
            Milliseconds since the epoch: after ``until`` another attempt may take over.
        """
        item = _key(name) | pack(
            {"attempt": attempt, "leased_until": until, "ttl": to_epoch_seconds(now + REMEMBERED_FOR)}
        )
        try:
            self._table.write(self._table.put(item, _FREE, {":now": now, ":attempt": attempt}))
        except ConditionFailedError as refused:
            return Taken.DONE if refused.found and "done_at" in refused.found else Taken.BUSY
        return Taken.OURS

    def release(self, name: str, attempt: str, *, now: int) -> None:
        """Let the next attempt begin at once.

        Raises
        ------
        ConditionFailedError
            Another attempt has taken over.
        """
        self._table.update(_key(name), "SET leased_until = :now", _OURS, {":now": now, ":attempt": attempt})

    def finishing(self, name: str, attempt: str, *, now: int) -> Action:
        """Return the action that marks the event as acted on."""
        values = {"attempt": attempt, "done_at": now, "ttl": to_epoch_seconds(now + REMEMBERED_FOR)}
        return self._table.put(_key(name) | pack(values), _OURS, {":attempt": attempt})

    def write(self, *actions: Action) -> None:
        """Carry out actions together, see `vestibule.store.table.Table.write`."""
        self._table.write(*actions)


def _key(name: str) -> Item:
    return pack({"pk": f"outbox#{name}"})
