"""The mail worker: one message of the outbox after the other, each acted on or to come again.

A message that failed is hidden for a while that doubles with every attempt, so
that an outage is waited for and a slow carrier is not pressed.  After the queue's
last attempt it lies in the dead-letter queue, as does at once what nobody can read.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vestibule.domain.leases import InWorkError
from vestibule.domain.outbox import Message
from vestibule.errors import UnavailableError
from vestibule.http import logs
from vestibule.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.domain.invitations import Invitations
    from vestibule.domain.link_letters import LinkLetters
    from vestibule.wiring import House

FIRST_WAIT = 2
"""Seconds."""
LONGEST_WAIT = 900
"""Seconds."""


def mailer(house: House) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """Return the handler of a batch of queue messages."""

    def handle(raw: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        logs.begin_work(context)
        failed = [record["messageId"] for record in raw["Records"] if not _is_done(house, record)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handle


def _is_done(house: House, record: Mapping[str, Any]) -> bool:
    """Act on one message; False when it has to come again."""
    try:
        message = Message.parse(record["body"])
    except ValueError:
        logs.log.error("unreadable message set aside", message_id=record["messageId"])
        return _set_aside(house, record)
    logs.about(**{name: one for name, one in message.ids.items() if name != "identity"})
    try:
        state = _worker_for(house, message.event.kind).act_on(message)
    except InWorkError:
        _put_off(house, record)
        return False
    except Exception as error:  # noqa: BLE001 - the others of the batch go on; this one ends in the dead-letter queue
        logs.note(error)
        _put_off(house, record)
        return False
    logs.log.info("event acted on", event_id=message.event.event_id, kind=message.event.kind, state=state)
    return True


def _worker_for(house: House, kind: EventKind) -> Invitations | LinkLetters:
    return house.link_letters if kind is EventKind.LINK_ASKED else house.invitations


def _set_aside(house: House, record: Mapping[str, Any]) -> bool:
    try:
        house.dead_letters.send([record["body"]])
    except UnavailableError as error:
        logs.note(error)
        return False
    return True


def _put_off(house: House, record: Mapping[str, Any]) -> None:
    attempts = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempts - 1))
    with suppress(UnavailableError):  # then it comes after the queue's own time
        house.outbox.put_off(record["receiptHandle"], wait)
