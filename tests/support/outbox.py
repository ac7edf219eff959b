"""The outbox without AWS: a stream, queues and carriers in this process, moved one step at a time.

The invariant: nothing happens here by itself.  What was written waits in the stream until a test lets the router
see it, and what the router passed on waits until a test lets a worker act.  Every call of a carrier is kept.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, ReadTimeoutError
from icalendar import Calendar

from tests.support.events import CONTEXT
from tests.support.letters import body, read
from vestibule.clock import SECOND
from vestibule.domain.outbox import Message
from vestibule.workers.mailer import mailer
from vestibule.workers.router import router

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext
    from icalendar import Event

    from tests.support.house import FakeClock, MotoAws
    from vestibule.wiring import House

OUTBOX = "https://sqs.example/outbox"
DEAD_LETTERS = "https://sqs.example/dead-letters"
SENDER = "sessions@vestibule.example"
MOST_RECEIVES = 14
"""Attempts at a message, as the queue's redrive policy has them."""


LAMBDA = cast("LambdaContext", CONTEXT)
"""What Lambda says about a worker's invocation."""


class Crash(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up."""


def refusal(code: str) -> ClientError:
    """Give an error of AWS by its code; its text holds what no log may."""
    return ClientError({"Error": {"Code": code, "Message": "grace@lakeside.example is not wanted"}}, "Send")


class Troubles:
    """What befalls the next calls of a service, in this order; then they succeed."""

    def __init__(self) -> None:
        self._next: deque[BaseException] = deque()

    def befall(self, *errors: BaseException) -> None:
        """Let the next calls raise."""
        self._next.extend(errors)

    def strike(self) -> None:
        """Raise what is next, if anything is."""
        if self._next:
            raise self._next.popleft()


class FakeSqs(Troubles):
    """Queues that keep what is put on them.

    Attributes
    ----------
    hidden
        Seconds for which messages were put off.
    refuses_after
        Messages of a batch that are taken, the others are refused one by one; None takes all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, list[str]] = {OUTBOX: [], DEAD_LETTERS: []}
        self.hidden: list[int] = []
        self.refuses_after: int | None = None

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Put messages on a queue."""
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.strike()
        kept = Entries[: self.refuses_after]
        self.queues[QueueUrl] += [entry["MessageBody"] for entry in kept]
        return {"Failed": [{"Id": entry["Id"]} for entry in Entries[len(kept) :]]}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803 - AWS's names
        """Note for how long a message is hidden."""
        assert QueueUrl == OUTBOX
        assert 0 <= VisibilityTimeout <= 43_200
        self.strike()
        assert ReceiptHandle
        self.hidden.append(VisibilityTimeout)


@dataclass(frozen=True)
class Mail:
    """A mail as SES was handed it."""

    request: Mapping[str, Any] = field(repr=False)
    message_id: str

    @property
    def to(self) -> str:
        """The one address that it goes to."""
        (address,) = self.request["Destination"]["ToAddresses"]
        return str(address)

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return bytes(self.request["Content"]["Raw"]["Data"])

    @property
    def tags(self) -> dict[str, str]:
        """What comes back with reports about it."""
        return {tag["Name"]: tag["Value"] for tag in self.request["EmailTags"]}

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(read(self.raw)["Subject"])

    @property
    def kind(self) -> str:
        """The subject's first word: Invitation, Changed, Cancelled or Reminder."""
        return self.subject.partition(":")[0]

    @property
    def text(self) -> str:
        """Its plain text."""
        return body(self.raw, "plain")

    @property
    def calendar(self) -> Calendar:
        """Its appointment."""
        return Calendar.from_ical(body(self.raw, "calendar"))

    @property
    def appointment(self) -> Event:
        """The one event in its calendar."""
        (event,) = self.calendar.events
        return event

    @property
    def sequence(self) -> int:
        """Its appointment's revision."""
        return int(self.appointment.sequence)


class FakeSes(Troubles):
    """Takes mails.

    Attributes
    ----------
    attempts
        Calls, those that failed included.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Mail] = []
        self.attempts = 0

    def send_email(self, **request: Any) -> dict[str, str]:
        """Take a mail."""
        self.attempts += 1
        self.strike()
        mail = Mail(request, f"mail-{len(self.sent) + 1}")
        self.sent.append(mail)
        return {"MessageId": mail.message_id}


class FakeSns(Troubles):
    """Takes text messages: telephone number and text of each."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []

    def publish(self, *, PhoneNumber: str, Message: str, MessageAttributes: Mapping[str, Any]) -> dict[str, str]:  # noqa: N803 - AWS's names
        """Take a text message."""
        assert MessageAttributes["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"
        self.strike()
        self.sent.append((PhoneNumber, Message))
        return {"MessageId": f"text-{len(self.sent)}"}


def timed_out() -> ReadTimeoutError:
    """Give what the SDK raises when no answer came."""
    return ReadTimeoutError(endpoint_url="https://aws.example")


class Stream:
    """The directory's stream: what is different from when it was last looked at, one record an item."""

    def __init__(self, aws: MotoAws, table: str) -> None:
        self._aws = aws
        self._table = table
        self._seen = self._now()

    def read(self) -> list[dict[str, Any]]:
        """Give the records since the last reading that the event source's filter lets through."""
        before, self._seen = self._seen, self._now()
        records = []
        for number, (key, item) in enumerate(self._seen.items()):
            if item != before.get(key):
                old = {"OldImage": before[key]} if key in before else {}
                name = "MODIFY" if old else "INSERT"
                keys = {"pk": item["pk"], "sk": item["sk"]}
                change = {"Keys": keys, "SequenceNumber": str(number), "NewImage": item, **old}
                records.append({"eventName": name, "dynamodb": change})
        return [record for record in records if _passes_filter(record)]

    def _now(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in self._aws.stored(self._table)}


def _passes_filter(record: Mapping[str, Any]) -> bool:
    """Do what template.yaml's pattern says."""
    return "S" in record["dynamodb"]["NewImage"].get("event", {}).get("M", {}).get("event_id", {})


class Post:
    """What happens behind the portal's back: stream, router, queue, worker.

    Parameters
    ----------
    house
        Its router and its worker; further workers are handed to `work`.
    """

    def __init__(self, house: House, aws: MotoAws, clock: FakeClock) -> None:
        self.house = house
        self.aws = aws
        self.clock = clock
        self.stream = Stream(aws, house.settings.directory_table)

    @property
    def queue(self) -> list[str]:
        """What waits for a worker."""
        return self.aws.sqs.queues[OUTBOX]

    @property
    def dead_letters(self) -> list[str]:
        """What waits for an operator."""
        return self.aws.sqs.queues[DEAD_LETTERS]

    @property
    def mails(self) -> list[Mail]:
        """Every mail that SES took."""
        return self.aws.ses.sent

    def mails_to(self, address: str) -> list[Mail]:
        """Give the mails to one address."""
        return [mail for mail in self.mails if mail.to == address]

    def route(self) -> list[Message]:
        """Let the router see what was written since the last time; give what it passed on."""
        before = len(self.queue)
        if records := self.stream.read():
            router(self.house)({"Records": records}, LAMBDA)
        return [Message.parse(text) for text in self.queue[before:]]

    def work(self, text: str, *, received: int = 1, house: House | None = None) -> bool:
        """Let a worker act on one message; tell whether it is done with it."""
        record = {
            "messageId": "m-1",
            "receiptHandle": "r-1",
            "body": text,
            "attributes": {"ApproximateReceiveCount": str(received)},
        }
        answer = mailer(house or self.house)({"Records": [record]}, LAMBDA)
        assert answer in ({"batchItemFailures": []}, {"batchItemFailures": [{"itemIdentifier": "m-1"}]})
        return not answer["batchItemFailures"]

    def take(self) -> str:
        """Take the oldest message off the queue."""
        return self.queue.pop(0)

    def deliver(self) -> None:
        """Let everything happen until nothing is left to do; time passes where a message is put off."""
        received: Counter[str] = Counter()
        while self.queue or self.route():
            text = self.take()
            received[text] += 1
            if received[text] > MOST_RECEIVES:
                self.dead_letters.append(text)
            elif not self.work(text, received=received[text]):
                self.clock.advance(self.aws.sqs.hidden[-1] * SECOND)
                self.queue.append(text)

    def caused(self) -> list[tuple[str, str | None]]:
        """Give kind and participant of every event that was written since the last time, and forget them."""
        found = [(str(message.event.kind), message.ids.get("participant_id")) for message in self.route()]
        self.queue.clear()
        return found

    def messages(self) -> Iterator[dict[str, Any]]:
        """Give what waits for a worker, as plain JSON."""
        return map(json.loads, self.queue)
