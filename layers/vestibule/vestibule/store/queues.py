"""A queue that messages are put on."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING

from vestibule.errors import UnavailableError
from vestibule.store.aws import dependency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient

_DEPENDENCY = "sqs"
_TOGETHER = 10
"""Messages in one call, SQS's limit."""


class Queue:
    """One SQS queue.

    Parameters
    ----------
    client
        SQS client.
    url
        The queue's.
    """

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[str]) -> None:
        """Put messages on the queue.

        Raises
        ------
        UnavailableError
            Not all of them are there; some may be, and sending them all again
            is what to do.
        """
        for some in batched(bodies, _TOGETHER, strict=False):
            entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(some)]
            with dependency(_DEPENDENCY):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
            if answer.get("Failed"):
                raise UnavailableError(_DEPENDENCY)

    def put_off(self, receipt_handle: str, seconds: int) -> None:
        """Hide a message that was received for a while longer, before it comes again.

        Raises
        ------
        UnavailableError
            SQS failed; the message comes again after the queue's own time.
        """
        with dependency(_DEPENDENCY):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
