"""What became of letters to participants, and who was reminded how often.

Both lie beside the session and never on the participant's own item: what the
mail worker writes meets no change by the portal, and causes no event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Channel, Delivery, DeliveryState, OutboxEvent, Participant
from vestibule.store.directory import keys
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_NOT_OLDER = "attribute_not_exists(pk) OR caused_at <= :caused_at"
"""True when no letter of a newer event is known."""
_SAME_MESSAGE = "message_id = :message"
"""True when the last letter is the one that the carrier speaks of."""
_ONCE_MORE = "window_started_at > :window AND reminders < :most AND event.event_id <> :event_id"
"""True when the current span of time has a reminder left, and this one is not written already by an
attempt whose answer was lost."""
_NEW_WINDOW = "attribute_not_exists(pk) OR window_started_at <= :window"
"""True when the last span of time is over, or there was none."""


class DeliveryStore:
    """Deliveries and reminders in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, session_id: str, participant_id: str) -> Delivery | None:
        """Read what became of the last letter to a participant."""
        values = self._table.get(keys.delivery(account_id, session_id, participant_id), consistent=True)
        return delivery_of(values) if values else None

    def marking(self, delivery: Delivery) -> Action:
        """Return the action that writes what became of a letter, unless a newer one is known."""
        key = keys.delivery(delivery.account_id, delivery.session_id, delivery.participant_id)
        return self._table.put(key | pack(values_of(delivery)), _NOT_OLDER, {":caused_at": delivery.caused_at})

    def progress(self, found: Delivery, state: DeliveryState, reason: str | None, *, now: int) -> bool:
        """Write what the carrier reports later; False when another letter was sent meanwhile."""
        key = keys.delivery(found.account_id, found.session_id, found.participant_id)
        values = {":message": found.message_id, ":state": state, ":at": now}
        change = "SET #state = :state, #at = :at"
        if reason is not None:
            change, values = f"{change}, reason = :reason", values | {":reason": reason}
        try:
            self._table.update(key, change, _SAME_MESSAGE, values, names={"#state": "state", "#at": "at"})
        except ConditionFailedError:
            return False
        return True

    def remind(self, participant: Participant, event: OutboxEvent, *, window: int, most: int) -> int | None:
        """Write a reminder's event if the limit allows it.

        Parameters
        ----------
        window
            Milliseconds in which ``most`` reminders are allowed.

        Returns
        -------
        int or None
            None when it is written, else when the current span of time began.
        """
        key = keys.reminder(participant.account_id, participant.session_id, participant.participant_id)
        values = {
            ":event": values_of(event),
            ":event_id": event.event_id,
            ":window": event.at - window,
            ":most": most,
            ":one": 1,
        }
        while True:
            try:
                self._table.update(key, "SET event = :event, reminders = reminders + :one", _ONCE_MORE, values)
            except ConditionFailedError as refused:
                found = refused.found
            else:
                return None
            if found is not None and found["event"]["event_id"] == event.event_id:
                return None  # the SDK's second try after a lost answer
            if found is not None and found["window_started_at"] > event.at - window:
                return int(found["window_started_at"])
            try:
                self._table.write(self._first_of_window(key, participant, event, window))
            except ConditionFailedError:
                continue  # somebody else has just begun the same span of time
            return None

    def _first_of_window(self, key: Item, participant: Participant, event: OutboxEvent, window: int) -> Action:
        values = {
            "account_id": participant.account_id,
            "session_id": participant.session_id,
            "participant_id": participant.participant_id,
            "identity": participant.identity,
            "event": event,
            "window_started_at": event.at,
            "reminders": 1,
        }
        return self._table.put(key | pack(values), _NEW_WINDOW, {":window": event.at - window})


def delivery_of(values: Mapping[str, Any]) -> Delivery:
    """Return the delivery that an unpacked item holds."""
    return record_of(
        Delivery, {**values, "channel": Channel(values["channel"]), "state": DeliveryState(values["state"])}
    )
