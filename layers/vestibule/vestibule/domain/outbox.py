"""The outbox: what a write causes leaves by the table's stream, and is acted on once.

A write that somebody has to hear of carries an event with an id of its own.  The
router sees every write of such an item and passes on the new ids alone, so that
nothing else that is written there later causes anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from vestibule.model import EventKind, OutboxEvent
from vestibule.store.items import unpack
from vestibule.store.outbox import event_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.queues import Queue

_EVENT_ID_BYTES = 16
_IDS = ("account_id", "session_id", "participant_id", "registrant_id", "identity", "registrants_after")
"""What a message says of the written item: ids, by which the worker reads the rest, and how far down a list it is."""
_READING = (KeyError, TypeError, ValueError, AttributeError)
"""What reading something raises that this house did not write."""


def new_event(kind: EventKind, random: Randomness, clock: Clock) -> OutboxEvent:
    """Draw the event of a write."""
    return OutboxEvent(event_id=random.token_hex(_EVENT_ID_BYTES), kind=kind, at=clock())


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way to the worker.

    Attributes
    ----------
    ids
        Of the written item: always the account's, then those that it has.
    """

    event: OutboxEvent
    ids: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a message.

        Raises
        ------
        ValueError
            It is none of ours.
        """
        try:
            found = json.loads(text)
            event = event_of({"event": found["event"]})
            ids = {name: found["ids"][name] for name in _IDS if name in found["ids"]}
        except _READING as error:
            raise ValueError("no message of the outbox") from error
        texts = [ids.get("account_id"), *ids.values(), event.event_id if event else None]
        if event is None or not all(isinstance(text, str) for text in texts):
            raise ValueError("no message of the outbox")
        return cls(event, ids)

    def __str__(self) -> str:
        """Return the message's text."""
        event = {"event_id": self.event.event_id, "kind": self.event.kind, "at": self.event.at}
        return json.dumps({"event": event, "ids": dict(self.ids)})


class Router:
    """Passes on what writes have caused.

    Parameters
    ----------
    outbox
        Where the worker reads.
    set_aside
        Where an operator looks: what nobody can read.
    """

    def __init__(self, outbox: Queue, set_aside: Queue) -> None:
        self._outbox = outbox
        self._set_aside = set_aside

    def route(self, changes: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
        """Pass on the new events among some changes of the directory.

        Parameters
        ----------
        changes
            ``dynamodb`` members of stream records: keys, new and old image.

        Returns
        -------
        tuple
            Numbers of messages passed on, and of changes set aside.

        Raises
        ------
        UnavailableError
            Not everything is on its queue; the same changes have to come again.
        """
        messages: list[str] = []
        unreadable: list[str] = []
        for change in changes:
            try:
                message = _caused(change)
            except _READING:
                unreadable.append(json.dumps({"keys": change.get("Keys"), "sequence": change.get("SequenceNumber")}))
                continue
            if message is not None:
                messages.append(str(message))
        self._outbox.send(messages)
        self._set_aside.send(unreadable)
        return len(messages), len(unreadable)


def _caused(change: Mapping[str, Any]) -> Message | None:
    """Return what a change has caused, None when its event is an old one."""
    written = unpack(change["NewImage"])
    event = event_of(written)
    if event is None:
        return None
    before = unpack(change.get("OldImage") or {}).get("event")
    if isinstance(before, dict) and before.get("event_id") == event.event_id:
        return None
    return Message(event, {name: written[name] for name in _IDS if name in written or name == "account_id"})
