"""Invitations on the real template: stream, router, queue, mailer and carriers, with IAM enforced.

What goes to SES is read at the proxy before it, byte for byte; what arrived, at the emulator.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from icalendar import Calendar

from tests.support.letters import body
from tests.support.proxy import calls_of
from tools.local.sam import STACK_NAME
from vestibule.store.items import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from icalendar import Event

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tests.support.stack import Fresh
    from tests.support.tables import Tables
    from tools.local import Stack

TOMORROW = "2199-06-01T09:00:00Z"
PATIENCE = 40.0  # seconds; most of it is for two cores that start a process
SENDING = calls_of(service="ses", function="MailerFunction")


def until[T](look: Callable[[], T | None]) -> T:
    """Look until there is something, and give it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing came of it"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Mail:
    """A mail that the mailer handed to SES, as the proxy saw it."""

    to: str
    raw: bytes

    @property
    def calendar(self) -> Calendar:
        return Calendar.from_ical(body(self.raw, "calendar"))

    @property
    def appointment(self) -> Event:
        (event,) = self.calendar.events
        return event


class Post:
    """What the stack sent, and what waits to be."""

    def __init__(self, stack: Stack, aws: AwsProxy) -> None:
        self._stack = stack
        self._aws = aws
        self.sqs = stack.client("sqs")
        self.outbox = stack.outputs["OutboxQueue"]
        self.dead_letters = stack.outputs["DeadLetterQueue"]

    def handed_over(self, address: str) -> list[Mail]:
        """Give every mail to an address that was handed to SES, whatever SES said."""
        found = []
        for call in self._aws.calls:
            if SENDING(call):
                said = json.loads(call.body)
                (to,) = said["Destination"]["ToAddresses"]
                found += [Mail(to, b64decode(said["Content"]["Raw"]["Data"]))] if to == address else []
        return found

    def arrived(self, address: str) -> list[dict[str, Any]]:
        """Give the mails that SES took for an address."""
        boxes = self._ask("ses/messages")["messages"]
        return [mail for box in boxes.values() for mail in box if mail["To"] == [address]]

    def texts(self, number: str) -> list[dict[str, Any]]:
        """Give the text messages that SNS took for a telephone."""
        return list(self._ask("sns/sms-messages")["sms_messages"].get(number, []))

    def is_quiet(self) -> bool:
        """Tell whether no message waits for the mailer or is with it."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        values = self.sqs.get_queue_attributes(QueueUrl=self.outbox, AttributeNames=names)["Attributes"]
        return not any(int(values[name]) for name in names)

    def set_aside(self, holding: str) -> dict[str, Any] | None:
        """Take the dead letter that holds a text off its queue."""
        received = self.sqs.receive_message(QueueUrl=self.dead_letters, MaxNumberOfMessages=10, VisibilityTimeout=1)
        for message in received.get("Messages", []):
            if holding in message["Body"]:
                self.sqs.delete_message(QueueUrl=self.dead_letters, ReceiptHandle=message["ReceiptHandle"])
                return dict(message)
        return None

    def _ask(self, path: str) -> dict[str, Any]:
        return dict(httpx.get(f"{self._stack.emulator_url}/_ministack/{path}").json())


@pytest.fixture(scope="module")
def post(stack: Stack, aws: AwsProxy) -> Post:
    return Post(stack, aws)


@pytest.fixture
def host(portal: Portal) -> dict[str, Any]:
    return portal.create_user(full_name="Dr. Mia Lindqvist")


@pytest.fixture
def grace(portal: Portal) -> str:
    """An address of this test's own."""
    return f"grace@{portal.account.slug}.example"


def person(email: str, name: str = "Grace Hopper") -> dict[str, str]:
    return {"full_name": name, "email": email, "notify": "email"}


def plan(portal: Portal, host: dict[str, Any], *people: dict[str, str]) -> httpx.Response:
    body = {"title": "Consultation", "host": {"user_id": host["id"]}, "starts_at": TOMORROW}
    return portal.api.post("/v1/sessions", json={**body, "time_zone": "Europe/Berlin", "participants": list(people)})


def deliveries(portal: Portal, session_id: str) -> dict[str, str | None]:
    """Give what became of the letters to everybody, by name."""
    people = portal.api.get(f"/v1/sessions/{session_id}/participants").json()["items"]
    return {p["full_name"]: p["delivery"] and p["delivery"]["state"] for p in people}


@pytest.mark.req("S05", "R02")
def test_mail_and_text_message_arrive_once_and_the_portal_sees_it(
    portal: Portal, host: dict[str, Any], post: Post, grace: str
) -> None:
    # when
    number = "+4930" + portal.account_id[-7:].zfill(7)
    by_sms = {"full_name": "Alan Turing", "phone": number, "notify": "sms"}
    created = plan(portal, host, person(grace), by_sms)

    # then: the answer did not wait for it
    assert created.status_code == 201, created.text
    session = created.json()
    assert [p["delivery"] and p["delivery"]["state"] for p in session["participants"]] == [None, "queued", "queued"]
    expected = {"Dr. Mia Lindqvist": None, "Grace Hopper": "sent", "Alan Turing": "sent"}
    until(lambda: deliveries(portal, session["id"]) == expected)
    # and each has one letter, with their own way in
    until(post.is_quiet)
    (mail,) = post.arrived(grace)
    (text,) = post.texts(number)
    _, invited, alan = session["participants"]
    assert invited["personal_link"] in mail["BodyText"]
    assert invited["connect_code"] in mail["BodyText"]
    assert alan["personal_link"] in json.dumps(text)
    assert alan["personal_link"] not in mail["BodyText"]


@pytest.mark.req("S05")
def test_the_appointment_that_ses_is_handed_is_one_through_its_whole_life(
    portal: Portal, host: dict[str, Any], post: Post, grace: str
) -> None:
    # when: invited, moved, cancelled, each told before the next
    path = plan(portal, host, person(grace)).headers["location"]
    until(lambda: len(post.handed_over(grace)) == 1)
    assert portal.api.patch(path, json={"starts_at": "2199-06-02T09:00:00Z"}).status_code == 200
    until(lambda: len(post.handed_over(grace)) == 2)
    assert portal.api.delete(path).status_code == 204
    until(lambda: len(post.handed_over(grace)) == 3)

    # then
    mails = post.handed_over(grace)
    assert [str(mail.calendar["METHOD"]) for mail in mails] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [mail.appointment for mail in mails]
    assert [str(event["STATUS"]) for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert len({event["UID"] for event in events}) == 1
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert {str(event["ATTENDEE"]) for event in events} == {f"mailto:{grace}"}
    assert [event.start.isoformat() for event in events] == [
        "2199-06-01T11:00:00+02:00",
        "2199-06-02T11:00:00+02:00",
        "2199-06-02T11:00:00+02:00",
    ]
    for mail in mails:
        assert b"\n" not in mail.raw.replace(b"\r\n", b"")


@pytest.mark.req("E13")
def test_registrants_hear_of_a_change_and_a_cancellation_as_far_as_they_wanted_mail(
    portal: Portal, host: dict[str, Any], post: Post, grace: str
) -> None:
    # given: two who were sent a confirmation, one whom the portal registered without
    domain = grace.partition("@")[2]
    wanted, silent = [grace, f"alan@{domain}"], f"silent@{domain}"
    path = plan(portal, host).headers["location"]
    for email in (*wanted, silent):
        notify = {} if email == silent else {"notify": "email"}
        made = portal.api.post(f"{path}/registrants", json={"name": "Grace Hopper", "email": email, **notify})
        assert made.status_code == 201, made.text
        portal.handed_out.note("join_url", made.json()["join_url"].rpartition("/")[2])

    def told(letters: int) -> bool:
        return all(len(post.handed_over(email)) == letters for email in wanted)

    until(lambda: told(1))
    # when
    assert portal.api.patch(path, json={"starts_at": "2199-06-02T09:00:00Z"}).status_code == 200
    until(lambda: told(2))
    assert portal.api.delete(path).status_code == 204
    until(lambda: told(3))

    # then
    until(post.is_quiet)
    for email in wanted:
        mails = post.handed_over(email)
        assert [str(mail.calendar["METHOD"]) for mail in mails] == ["REQUEST", "REQUEST", "CANCEL"]
        sequences = [mail.appointment.sequence for mail in mails]
        assert sequences == sorted(set(sequences))
        assert len({mail.appointment["UID"] for mail in mails}) == 1
    assert post.handed_over(silent) == []


@pytest.mark.req("S06")
def test_a_function_that_dies_right_after_its_write_has_mailed_all_the_same(
    portal: Portal, host: dict[str, Any], post: Post, aws: AwsProxy, fresh: Fresh, grace: str
) -> None:
    # given
    writing = calls_of(function="SessionCreateFunction", action="TransactWriteItems")

    # when: the write acted, and the process that made it is no more
    with aws.kill_after(writing, lambda: fresh("SessionCreateFunction")) as killed, aws.recording() as calls:
        answer = plan(portal, host, person(grace))

    # then: the portal was told nothing, and there was no second attempt
    assert len(killed.hits) == 1
    assert answer.status_code >= 500
    assert len([call for call in calls if writing(call)]) == 1
    # and the mail arrives, once
    (session,) = portal.api.get("/v1/sessions").json()["items"]
    until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "sent")
    until(post.is_quiet)
    assert len(post.arrived(grace)) == len(post.handed_over(grace)) == 1


@pytest.fixture
def impatient_queue(post: Post) -> Generator[None]:
    """The outbox, handing a message out again after seconds instead of a minute."""
    name = "VisibilityTimeout"
    kept = post.sqs.get_queue_attributes(QueueUrl=post.outbox, AttributeNames=[name])["Attributes"]
    post.sqs.set_queue_attributes(QueueUrl=post.outbox, Attributes={name: "3"})
    yield
    post.sqs.set_queue_attributes(QueueUrl=post.outbox, Attributes=kept)


@pytest.mark.req("S06", "R02")
@pytest.mark.usefixtures("impatient_queue")
def test_a_mailer_that_dies_before_it_sends_is_followed_by_one_that_does(
    portal: Portal, host: dict[str, Any], post: Post, aws: AwsProxy, fresh: Fresh, tables: Tables, grace: str
) -> None:
    # given: a mailer that is no more after it took its lease
    reading = calls_of(function="MailerFunction", action="BatchGetItem")
    with aws.kill_after(reading, lambda: fresh("MailerFunction")) as killed:
        session = plan(portal, host, person(grace)).json()
        until(lambda: killed.hits)
    assert post.handed_over(grace) == []

    # when: the lease runs out
    tables.end_leases(session["participants"][1]["id"])

    # then
    until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "sent")
    until(post.is_quiet)
    assert len(post.arrived(grace)) == len(post.handed_over(grace)) == 1


@pytest.mark.req("S06", "R01")
def test_while_ses_fails_the_mail_waits_and_goes_out_once(
    portal: Portal, host: dict[str, Any], post: Post, aws: AwsProxy, grace: str
) -> None:
    # when: for two attempts of the worker, which asks once in each
    with aws.fail(SENDING, "InternalServiceErrorException", status=500, times=2) as failed:
        session = plan(portal, host, person(grace)).json()
        until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "sent")

    # then
    assert len(failed.hits) == 2
    until(post.is_quiet)
    assert len(post.arrived(grace)) == 1


@pytest.mark.req("S05", "R02")
def test_a_refused_address_has_failed_and_does_not_block_the_others(
    portal: Portal, host: dict[str, Any], post: Post, aws: AwsProxy, grace: str
) -> None:
    # given
    wrong = f"wrong@{portal.account.slug}.example"

    # when
    refusing = lambda call: SENDING(call) and wrong.encode() in call.body  # noqa: E731
    with aws.fail(refusing, "MessageRejected", times=5) as refused:
        session = plan(portal, host, person(wrong, "Wrong"), person(grace)).json()
        expected = {"Dr. Mia Lindqvist": None, "Wrong": "failed", "Grace Hopper": "sent"}
        until(lambda: deliveries(portal, session["id"]) == expected)
        until(post.is_quiet)

    # then: nobody insisted
    assert len(refused.hits) == 1


@pytest.fixture
def poison(tables: Tables, stack: Stack) -> Generator[str]:
    """An item whose event nobody can read, written past the product."""
    dynamodb, table = stack.client("dynamodb"), tables.names["DirectoryTable"]
    key = {"pk": f"poison#{time.time_ns()}", "sk": "poison"}
    dynamodb.put_item(TableName=table, Item=pack({**key, "event": {"event_id": "p", "kind": "exploded", "at": 1}}))
    yield key["pk"]
    dynamodb.delete_item(TableName=table, Key=pack(key))


@pytest.mark.req("R02")
def test_poison_ends_among_the_dead_letters_and_the_rest_flows_on(
    portal: Portal, host: dict[str, Any], post: Post, poison: str, grace: str
) -> None:
    # given: in the stream, and in the queue
    nonsense = f"nonsense about {portal.account_id}"
    post.sqs.send_message(QueueUrl=post.outbox, MessageBody=nonsense)

    # when
    session = plan(portal, host, person(grace)).json()

    # then
    until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "sent")
    until(lambda: post.set_aside(nonsense))
    aside = until(lambda: post.set_aside(poison))
    assert json.loads(aside["Body"])["keys"] == pack({"pk": poison, "sk": "poison"})
    until(post.is_quiet)


@pytest.mark.req("S05", "R03")
def test_what_ses_reports_later_is_seen_by_the_portal(
    portal: Portal, host: dict[str, Any], post: Post, aws: AwsProxy, stack: Stack, grace: str
) -> None:
    # given
    session = plan(portal, host, person(grace)).json()
    until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "sent")
    (sent,) = post.arrived(grace)
    ids = {"account_id": portal.account_id, "session_id": session["id"]}
    ids["participant_id"] = session["participants"][1]["id"]
    said = {
        "eventType": "Bounce",
        "mail": {"messageId": sent["MessageId"], "tags": {name: [value] for name, value in ids.items()}},
        "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail"},
    }

    # when: the configuration set publishes it, which the emulator does not by itself
    topic = stack.client("cloudformation").describe_stack_resource(
        StackName=STACK_NAME, LogicalResourceId="MailReportsTopic"
    )["StackResourceDetail"]["PhysicalResourceId"]
    stack.client("sns").publish(TopicArn=topic, Message=json.dumps(said))

    # then
    until(lambda: deliveries(portal, session["id"])["Grace Hopper"] == "bounced")


@pytest.mark.req("S05", "P03")
def test_reminders_by_hand_are_sent_and_limited(portal: Portal, host: dict[str, Any], post: Post, grace: str) -> None:
    # given: somebody who is told nothing by itself
    session = plan(portal, host, {"full_name": "Grace Hopper", "email": grace}).json()
    path = f"/v1/sessions/{session['id']}/participants/{session['participants'][1]['id']}/reminders"

    # when
    answers = [portal.api.post(path) for _ in range(4)]

    # then
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[-1].json()["code"] == "too_many_reminders"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    until(lambda: len(post.arrived(grace)) == 3)
    assert {mail["Subject"].partition(":")[0] for mail in post.arrived(grace)} == {"Reminder"}
