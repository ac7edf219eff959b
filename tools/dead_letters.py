"""Dead letters: what the outbox gave up on, shown by its ids, sent on or thrown away.

A message is received to be looked at and comes back by itself after a few seconds, so that
looking loses nothing; it goes only when it has been sent on, or by its id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.clock import to_rfc3339
from vestibule.domain.outbox import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_HIDDEN_FOR = 30
"""Seconds in which a message that was looked at is nobody else's."""
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message in the dead-letter queue.

    Attributes
    ----------
    message
        What it says, None when it is no message of the outbox.
    """

    message_id: str
    receipt_handle: str
    sent_at: str
    message: Message | None
    body: str

    def __str__(self) -> str:
        """Return what an operator may see: ids, never a body."""
        if self.message is None:
            return f"{self.message_id}  {self.sent_at}  {_kind_of(self.body)}"
        event = self.message.event
        ids = "  ".join(f"{name}={one}" for name, one in self.message.ids.items() if name != "identity")
        return f"{self.message_id}  {self.sent_at}  {event.kind}  event={event.event_id}  {ids}"


class DeadLetters:
    """The dead-letter queue.

    Parameters
    ----------
    client
        SQS client with the operator's rights.
    queue, outbox
        URLs.
    """

    def __init__(self, client: SQSClient, queue: str, outbox: str) -> None:
        self._client = client
        self._queue = queue
        self._outbox = outbox

    def all(self) -> Iterator[DeadLetter]:
        """Give every message that is there, each once."""
        seen: set[str] = set()
        while True:
            answer = self._client.receive_message(
                QueueUrl=self._queue,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HIDDEN_FOR,
                WaitTimeSeconds=1,
                AttributeNames=["SentTimestamp"],
            )
            fresh = [one for one in answer.get("Messages", []) if one["MessageId"] not in seen]
            if not fresh:
                return
            for one in fresh:
                seen.add(one["MessageId"])
                yield _dead_letter(one)

    def redrive(self) -> int:
        """Put every message of the outbox back on its queue; return how many."""
        count = 0
        for letter in self.all():
            if letter.message is not None:
                # In this order: a break in between sends it twice, and its event is acted on once.
                self._client.send_message(QueueUrl=self._outbox, MessageBody=letter.body)
                self._remove(letter)
                count += 1
        return count

    def drop(self, message_id: str) -> bool:
        """Throw a message away; False when there is no such."""
        for letter in self.all():
            if letter.message_id == message_id:
                self._remove(letter)
                return True
        return False

    def _remove(self, letter: DeadLetter) -> None:
        self._client.delete_message(QueueUrl=self._queue, ReceiptHandle=letter.receipt_handle)


def _dead_letter(found: MessageTypeDef) -> DeadLetter:
    try:
        message = Message.parse(found["Body"])
    except ValueError:
        message = None
    sent_at = to_rfc3339(int(found["Attributes"]["SentTimestamp"]))
    return DeadLetter(found["MessageId"], found["ReceiptHandle"], sent_at, message, found["Body"])


def _kind_of(body: str) -> str:
    """Say what a message is that is none of the outbox, by names that Lambda and the router give."""
    try:
        document = json.loads(body)
    except ValueError:
        return "unreadable"
    names = document.keys() if isinstance(document, dict) else ()
    if "DDBStreamBatchInfo" in names:
        return "stream records that the router could not pass on"
    if "sequence" in names and "keys" in names:
        return f"an item whose event nobody can read, sequence {document['sequence']}"
    return "a report about a mail" if "requestPayload" in names else "unreadable"
