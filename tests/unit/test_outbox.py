"""The outbox: what a write causes, and that each person hears of it once, whatever fails in between.

Stream, queue and carriers are the test's own (`tests.support.outbox`): nothing happens between two lines that the
lines do not say.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, json_of, native_event
from tests.support.house import START, add_user, open_account
from tests.support.outbox import LAMBDA, Crash, Post, refusal, timed_out
from vestibule.clock import DAY, HOUR, MINUTE, SECOND, to_rfc3339
from vestibule.domain.leases import LEASE
from vestibule.domain.outbox import Message
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.errors import ConflictError, TooManyError, UnavailableError
from vestibule.http import logs
from vestibule.model import Channel, DeliveryState, EventKind, OutboxEvent
from vestibule.store.items import pack
from vestibule.workers.router import router

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, Wire
    from vestibule.model import Account, Delivery, Participant, Session, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

TOMORROW = START + DAY
GRACE = "grace@example.org"
PHONE = "+49 (30) 123-4567"


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Maria Lindqvist", email="maria@clinic.example")


def by_mail(name: str = "Grace Hopper", email: str = GRACE) -> Invitee:
    return Invitee(full_name=name, email=email, notify=Channel.EMAIL)


BY_SMS = Invitee(full_name="Alan Turing", phone=PHONE, notify=Channel.SMS)
UNTOLD = Invitee(full_name="Ada Lovelace", email="ada@example.org")


def plan(
    house: House, host: User, *invitees: Invitee, notify: Channel = Channel.NONE, **fields: Any
) -> tuple[Session, list[Participant]]:
    """Create a session; give it with its people but the host."""
    given = {"title": "Consultation", "starts_at": TOMORROW, **fields}
    session, people = house.sessions.create(
        host.account_id, HostRef(user_id=host.user_id, notify=notify), given, invitees
    )
    return session, people[1:]


def invited(house: House, host: User, post: Post, who: Invitee | None = None) -> tuple[Session, Participant]:
    """Create a session with one person, who has heard of it."""
    session, (person,) = plan(house, host, who or by_mail())
    post.deliver()
    return session, person


def ids_of(person: Participant) -> tuple[str, str, str]:
    return person.account_id, person.session_id, person.participant_id


def delivery(house: House, person: Participant) -> Delivery:
    found = house.participants.delivery_to(person)
    assert found is not None
    return found


def stored_person(post: Post, person: Participant) -> dict[str, Any]:
    """Give what the table holds under a person's key, in wire form."""
    (item,) = [
        item
        for item in post.aws.stored(post.house.settings.directory_table)
        if item["sk"]["S"] == f"participant#{person.identity}" and person.session_id in item["pk"]["S"]
    ]
    return dict(item)


# --- which write causes what ------------------------------------------------------------------------------


@pytest.mark.req("S05")
def test_creating_invites_those_who_want_to_hear_of_it(house: House, host: User, post: Post) -> None:
    _, (grace, alan, _) = plan(house, host, by_mail(), BY_SMS, UNTOLD)

    assert sorted(post.caused()) == sorted([("invited", grace.participant_id), ("invited", alan.participant_id)])


def test_a_host_who_wants_to_hear_of_it_is_invited_too(house: House, host: User, post: Post) -> None:
    plan(house, host, notify=Channel.EMAIL)

    post.deliver()

    assert [(mail.to, mail.kind) for mail in post.mails] == [("maria@clinic.example", "Invitation")]


def test_adding_invites_those_who_are_added_alone(house: House, host: User, post: Post) -> None:
    session, _ = invited(house, host, post)

    (added,) = house.participants.add(session.account_id, session.session_id, [by_mail("Ben", "ben@example.org")])

    assert post.caused() == [("invited", added.participant_id)]


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"title": "Follow-up"}, ["changed"]),
        ({"starts_at": TOMORROW + HOUR}, ["changed"]),
        ({"duration_minutes": 30}, ["changed"]),
        ({"time_zone": "Europe/Berlin"}, ["changed"]),
        ({"title": "Consultation", "starts_at": TOMORROW}, []),
        ({"external_id": "x-1"}, []),
        ({"friendly_url": "x"}, []),
        ({"metadata": {"a": 1}}, []),
        ({"presenters": ["p@example.org"]}, []),
        ({"password": "open sesame"}, []),
    ],
)
@pytest.mark.req("S05")
def test_a_change_of_the_appointment_is_told_and_no_other(
    house: House, host: User, post: Post, *, fields: dict[str, Any], kinds: list[str]
) -> None:
    session, _ = invited(house, host, post)

    house.sessions.change(session.account_id, session.session_id, fields)

    assert post.caused() == [(kind, None) for kind in kinds]


def test_a_change_that_tells_nothing_does_not_repeat_the_last_one(house: House, host: User, post: Post) -> None:
    session, _ = invited(house, host, post)
    house.sessions.change(session.account_id, session.session_id, {"title": "Follow-up"})
    post.deliver()

    house.sessions.change(session.account_id, session.session_id, {"external_id": "x-1"})

    assert post.caused() == []


def test_cancelling_is_told_once(house: House, host: User, post: Post) -> None:
    session, _ = invited(house, host, post)

    house.sessions.cancel(session.account_id, session.session_id)
    house.sessions.cancel(session.account_id, session.session_id)

    assert post.caused() == [("cancelled", None)]


@pytest.mark.req("S05")
def test_of_a_removed_person_the_revision_alone_is_left_after_the_mail(house: House, host: User, post: Post) -> None:
    # given
    session, grace = invited(house, host, post)

    # when
    house.participants.remove(*ids_of(grace))

    # then: out at once, and told
    assert [p.full_name for p in house.participants.list_of(session.account_id, session.session_id)] == [host.full_name]
    post.deliver()
    assert [mail.kind for mail in post.mails_to(GRACE)] == ["Invitation", "Cancelled"]
    # and nothing personal is kept of somebody who is nobody here any more
    left = stored_person(post, grace)
    assert not {"email", "phone", "user_id", "external_id", "event", "find_key", "list_key"} & left.keys()
    assert (left["full_name"]["S"], left["sealed_code"]["S"]) == ("", "")
    assert GRACE not in json.dumps(post.aws.stored(house.settings.directory_table))
    assert post.caused() == []


def test_of_a_removed_person_nothing_personal_is_left_when_there_was_nothing_to_tell_any_more(
    house: House, host: User, post: Post, clock: FakeClock
) -> None:
    # given: the removal is acted on only when the session is over
    session, grace = invited(house, host, post)
    house.participants.remove(*ids_of(grace))
    post.route()
    clock.now = session.ends_at

    # when
    post.deliver()

    # then
    assert [mail.kind for mail in post.mails_to(GRACE)] == ["Invitation"]
    assert GRACE not in json.dumps(post.aws.stored(house.settings.directory_table))


def test_a_late_invitation_does_not_forget_whom_the_removal_is_still_to_be_told(
    house: House, host: User, post: Post
) -> None:
    # given: the invitation comes to the worker after the removal was written
    _, (grace,) = plan(house, host, by_mail())
    post.route()
    house.participants.remove(*ids_of(grace))

    # when
    assert post.work(post.take())

    # then
    assert post.mails == []
    assert stored_person(post, grace)["email"] == {"S": GRACE}
    post.deliver()
    assert [mail.kind for mail in post.mails] == ["Cancelled"]


@pytest.mark.req("S05")
def test_the_same_person_added_again_goes_on_with_a_higher_revision(house: House, host: User, post: Post) -> None:
    session, grace = invited(house, host, post)
    house.participants.remove(*ids_of(grace))
    post.deliver()

    (again,) = house.participants.add(session.account_id, session.session_id, [by_mail()])
    post.deliver()

    mails = post.mails_to(GRACE)
    assert again.participant_id != grace.participant_id
    assert [mail.kind for mail in mails] == ["Invitation", "Cancelled", "Invitation"]
    sequences = [mail.sequence for mail in mails]
    assert sequences == sorted(set(sequences))
    assert {mail.appointment["UID"] for mail in mails} == {mails[0].appointment["UID"]}


def test_an_address_that_goes_over_to_somebody_else_goes_on_with_a_higher_revision(
    house: House, host: User, post: Post
) -> None:
    # given: Grace was invited and removed, a few revisions on
    session, grace = invited(house, host, post)
    house.participants.rotate(*ids_of(grace))
    house.participants.remove(*ids_of(grace))
    post.deliver()
    (ben,) = house.participants.add(session.account_id, session.session_id, [by_mail("Ben", "ben@example.org")])
    post.deliver()

    # when
    house.participants.change(*ids_of(ben), {"email": GRACE})
    post.deliver()

    # then
    mails = post.mails_to(GRACE)
    sequences = [mail.sequence for mail in mails]
    assert mails[-1].kind == "Invitation"
    assert sequences == sorted(set(sequences))


def test_rotating_is_told_to_that_person(house: House, host: User, post: Post) -> None:
    _, grace = invited(house, host, post)

    house.participants.rotate(*ids_of(grace))

    assert post.caused() == [("changed", grace.participant_id)]


@pytest.mark.parametrize(
    ("who", "fields", "kinds"),
    [
        (by_mail(), {"email": "hopper@example.org"}, ["invited"]),
        (by_mail(), {"phone": PHONE, "notify": "sms"}, ["invited"]),
        (UNTOLD, {"notify": "email"}, ["invited"]),
        (by_mail(), {"notify": "none"}, []),
        (by_mail(), {"role": "presenter"}, []),
        (by_mail(), {"full_name": "Rear Admiral Hopper"}, []),
        (by_mail(), {"phone": PHONE}, []),
        (UNTOLD, {"email": "lovelace@example.org"}, []),
    ],
)
@pytest.mark.req("S05")
def test_a_new_address_or_channel_is_an_invitation_and_nothing_else_is(
    house: House, host: User, post: Post, *, who: Invitee, fields: dict[str, Any], kinds: list[str]
) -> None:
    _, person = invited(house, host, post, who)

    house.participants.change(*ids_of(person), fields)

    assert post.caused() == [(kind, person.participant_id) for kind in kinds]


@pytest.mark.req("S05")
def test_whoever_is_told_nothing_causes_nothing(house: House, host: User, post: Post) -> None:
    session, (ada,) = plan(house, host, UNTOLD)
    house.participants.rotate(*ids_of(ada))
    house.participants.change(*ids_of(ada), {"full_name": "Countess"})
    house.participants.remove(*ids_of(ada))
    assert post.caused() == []

    house.sessions.change(session.account_id, session.session_id, {"title": "Follow-up"})
    house.sessions.cancel(session.account_id, session.session_id)
    post.deliver()

    assert (post.mails, post.aws.sns.sent) == ([], [])


def test_a_session_that_is_over_causes_nothing(house: House, host: User, post: Post, clock: FakeClock) -> None:
    # given
    session, grace = invited(house, host, post)
    clock.now = session.ends_at

    # when: everything that is told otherwise
    house.sessions.change(session.account_id, session.session_id, {"title": "Minutes"})
    house.participants.rotate(*ids_of(grace))
    house.participants.change(*ids_of(grace), {"email": "hopper@example.org"})
    house.participants.add(session.account_id, session.session_id, [by_mail("Ben", "ben@example.org")])
    house.participants.remove(*ids_of(grace))
    house.sessions.cancel(session.account_id, session.session_id)

    # then
    assert post.caused() == []


@pytest.mark.req("R02")
def test_what_the_worker_writes_causes_nothing(house: House, host: User, post: Post) -> None:
    _, grace = invited(house, host, post)

    assert delivery(house, grace).state is DeliveryState.SENT
    assert post.stream.read() == []


# --- the router -------------------------------------------------------------------------------------------


def record(new: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    keys = pack({"pk": new.get("pk", "a"), "sk": new.get("sk", "b")})
    change = {"Keys": keys, "SequenceNumber": "7", "NewImage": pack(new)}
    return {"eventName": "MODIFY", "dynamodb": change | ({"OldImage": pack(old)} if old else {})}


def event(event_id: str = "e-1", kind: str = "invited", at: int = START) -> dict[str, Any]:
    return {"event_id": event_id, "kind": kind, "at": at}


ITEM: dict[str, Any] = {
    "pk": "account#1#session#2",
    "sk": "participant#i",
    "account_id": "1",
    "session_id": "2",
    "participant_id": "3",
    "identity": "i",
    "full_name": "Grace Hopper",
    "email": GRACE,
}


def route(house: House, *records: dict[str, Any]) -> None:
    router(house)({"Records": list(records)}, LAMBDA)


@pytest.mark.req("R02")
def test_an_event_goes_on_when_it_is_new_on_its_item(house: House, post: Post) -> None:
    route(
        house,
        record(ITEM | {"event": event("new")}),
        record(ITEM | {"event": event("newer")}, ITEM | {"event": event("new")}),
        record(ITEM | {"event": event("first")}, ITEM),
        record(ITEM | {"event": event("new"), "version": 2}, ITEM | {"event": event("new"), "version": 1}),
        record(ITEM),
        record(ITEM, ITEM | {"event": event("old")}),
    )

    assert [message["event"]["event_id"] for message in post.messages()] == ["new", "newer", "first"]


@pytest.mark.req("L04")
def test_a_message_carries_ids_alone(house: House, post: Post) -> None:
    route(house, record(ITEM | {"event": event()}))

    assert list(post.messages()) == [
        {"event": event(), "ids": {"account_id": "1", "session_id": "2", "participant_id": "3", "identity": "i"}}
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"event": "none of ours"},
        {"event": {"event_id": "e", "kind": "exploded", "at": 1}},
        {"event": {"event_id": "e", "at": 1}},
        {"event": {"event_id": "e", "kind": "invited"}},
        {"event": event(), "account_id": None},
    ],
)
@pytest.mark.req("R02")
def test_what_cannot_be_read_is_set_aside_and_the_others_go_on(
    house: House, post: Post, *, broken: dict[str, Any]
) -> None:
    route(house, record(ITEM | broken), record(ITEM | {"event": event("good")}))

    assert [message["event"]["event_id"] for message in post.messages()] == ["good"]
    (aside,) = post.dead_letters
    assert json.loads(aside) == {"keys": pack({"pk": ITEM["pk"], "sk": ITEM["sk"]}), "sequence": "7"}
    assert GRACE not in aside


def test_an_attribute_of_a_kind_that_no_record_has_is_set_aside_too(house: House, post: Post) -> None:
    strange = record(ITEM | {"event": event()})
    strange["dynamodb"]["NewImage"]["blob"] = {"B": "AA=="}

    route(house, strange, record(ITEM | {"event": event("good")}))

    assert (len(post.queue), len(post.dead_letters)) == (1, 1)


@pytest.mark.req("R02")
def test_an_unreadable_event_that_was_overwritten_hides_none(house: House, post: Post) -> None:
    route(house, record(ITEM | {"event": event("good")}, ITEM | {"event": {"odd": 1}}))
    route(house, record(ITEM | {"event": event("good")}, ITEM | {"event": "odd"}))

    assert (len(post.queue), post.dead_letters) == (2, [])


@pytest.mark.req("R01", "R02")
@pytest.mark.parametrize("trouble", [refusal("ServiceUnavailable"), refusal("RequestThrottled"), timed_out()])
def test_while_the_queue_is_away_nothing_is_lost(house: House, post: Post, *, trouble: BaseException) -> None:
    # given
    records = [record(ITEM | {"event": event(f"e-{n}")}) for n in range(25)]
    post.aws.sqs.befall(trouble)

    # when: a raised error is how Lambda learns to come again
    with pytest.raises(UnavailableError):
        route(house, *records)
    route(house, *records)

    # then
    assert [message["event"]["event_id"] for message in post.messages()] == [f"e-{n}" for n in range(25)]


@pytest.mark.req("R01", "R02")
def test_a_batch_of_which_some_were_refused_comes_again(house: House, post: Post) -> None:
    records = [record(ITEM | {"event": event(f"e-{n}")}) for n in range(3)]
    post.aws.sqs.refuses_after = 2

    with pytest.raises(UnavailableError):
        route(house, *records)
    post.aws.sqs.refuses_after = None
    route(house, *records)

    assert {message["event"]["event_id"] for message in post.messages()} == {"e-0", "e-1", "e-2"}


@pytest.mark.req("R01", "R02")
def test_what_cannot_be_set_aside_is_not_forgotten(house: House, post: Post) -> None:
    post.aws.sqs.befall(refusal("ServiceUnavailable"))

    with pytest.raises(UnavailableError):
        route(house, record(ITEM | {"event": {"event_id": "e"}}))
    route(house, record(ITEM | {"event": {"event_id": "e"}}))

    assert len(post.dead_letters) == 1


@pytest.mark.req("R02", "S06")
def test_a_replayed_stream_makes_no_second_mail(house: House, host: User, post: Post) -> None:
    plan(house, host, by_mail())
    records = post.stream.read()

    for _ in range(2):
        route(house, *records)
        post.deliver()

    assert len(post.mails) == 1


@pytest.mark.req("R02")
def test_an_item_that_moves_to_another_key_makes_no_second_message(house: House, host: User, post: Post) -> None:
    # given: somebody who is told by telephone, under the e-mail address as identity
    who = Invitee(full_name="Alan", email="alan@example.org", phone=PHONE, notify=Channel.SMS)
    session, alan = invited(house, host, post, who)

    # when: the letters' address stays what it was
    house.participants.change(*ids_of(alan), {"email": "turing@example.org"})
    post.deliver()

    # then
    assert len(post.aws.sns.sent) == 1

    # and what comes later still finds them
    house.sessions.change(session.account_id, session.session_id, {"title": "Follow-up"})
    post.deliver()
    assert len(post.aws.sns.sent) == 2


@pytest.mark.req("R02")
def test_somebody_who_moves_to_another_key_before_the_worker_comes_is_told_once(
    house: House, host: User, post: Post
) -> None:
    # given: invited, and the session changed, and nobody has acted on either
    who = Invitee(full_name="Alan", email="alan@example.org", phone=PHONE, notify=Channel.SMS)
    session, (alan,) = plan(house, host, who)
    post.route()
    house.sessions.change(session.account_id, session.session_id, {"title": "Follow-up"})
    post.route()
    assert post.work(post.queue.pop(1))  # the change: now a message to each

    # when
    house.participants.change(*ids_of(alan), {"email": "turing@example.org"})
    post.deliver()

    # then: invitation and change, each once
    assert len(post.aws.sns.sent) == 2


# --- the worker: once ---------------------------------------------------------------------------------------


@pytest.mark.req("S05", "S06", "R02")
def test_a_message_that_comes_twice_is_one_mail(house: House, host: User, post: Post) -> None:
    _, (grace,) = plan(house, host, by_mail())
    post.route()
    message = post.take()

    assert post.work(message)
    assert post.work(message, received=2)

    assert [mail.to for mail in post.mails] == [GRACE]
    assert delivery(house, grace).message_id == post.mails[0].message_id


@pytest.mark.req("S06", "R02")
def test_two_workers_at_once_send_one_mail(
    house: House, make_house: MakeHouse, host: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: while the first one sends, another one has the same message
    plan(house, host, by_mail())
    post.route()
    message, other = post.take(), make_house(2)
    outcomes = []
    real = post.aws.ses.send_email

    def while_sending(**request: Any) -> dict[str, str]:
        monkeypatch.setattr(post.aws.ses, "send_email", real)
        outcomes.append(post.work(message, house=other))
        return real(**request)

    monkeypatch.setattr(post.aws.ses, "send_email", while_sending)

    # when
    assert post.work(message)

    # then: the other one is to come again, and finds it done
    assert outcomes == [False]
    assert post.work(message, received=2, house=other)
    assert len(post.mails) == 1


@pytest.mark.req("S06", "R02")
def test_after_a_crash_before_the_mark_it_goes_out_once_more_and_only_after_the_lease(
    house: House, make_house: MakeHouse, host: User, post: Post, wire: Wire, clock: FakeClock
) -> None:
    # given
    def die() -> None:
        raise Crash

    _, (grace,) = plan(house, host, by_mail())
    post.route()
    message = post.take()
    wire.before("TransactWriteItems", die)

    # when
    with pytest.raises(Crash):
        post.work(message)

    # then: within the lease nobody can know whether it still runs
    assert len(post.mails) == 1
    clock.advance(LEASE - 1)
    other = make_house(2)
    assert not post.work(message, received=2, house=other)
    assert len(post.mails) == 1
    # and after it, it goes out: the same mail, to the byte
    clock.advance(1)
    assert post.work(message, received=3, house=other)
    assert len(post.mails) == 2
    assert post.mails[0].raw == post.mails[1].raw
    assert delivery(house, grace).message_id == "mail-2"
    # and never again
    clock.advance(LEASE)
    assert post.work(message, received=4)
    assert len(post.mails) == 2


@pytest.mark.req("S06", "R01")
def test_a_worker_that_was_overtaken_marks_nothing(
    house: House, make_house: MakeHouse, host: User, post: Post, wire: Wire, clock: FakeClock
) -> None:
    # given: a worker so slow that its lease ran out and another one sent and marked meanwhile
    _, (grace,) = plan(house, host, by_mail())
    post.route()
    message, other = post.take(), make_house(2)

    def overtake() -> None:
        clock.advance(LEASE)
        assert post.work(message, house=other)

    wire.before("TransactWriteItems", overtake)

    # when
    assert post.work(message)

    # then
    assert delivery(house, grace).message_id == "mail-2"


@pytest.mark.req("L11", "R01")
def test_lost_answers_of_the_lease_and_of_the_mark_change_nothing(
    house: House, host: User, post: Post, wire: Wire
) -> None:
    _, (grace,) = plan(house, host, by_mail())
    post.route()
    wire.lose_answer("PutItem")
    wire.lose_answer("TransactWriteItems")

    assert post.work(post.take())

    assert len(post.mails) == 1
    assert delivery(house, grace).state is DeliveryState.SENT


@pytest.mark.req("R01")
@pytest.mark.parametrize("operation", ["PutItem", "BatchGetItem", "GetItem"])
def test_while_the_tables_are_away_nothing_is_sent_and_nothing_lost(
    house: House, make_house: MakeHouse, host: User, post: Post, wire: Wire, *, operation: str
) -> None:
    plan(house, host, by_mail())
    post.route()
    message = post.take()
    worker = make_house(2)  # whose memory holds nothing yet
    wire.fail(operation, "InternalServerError")

    assert not post.work(message, house=worker)
    assert post.mails == []
    assert post.work(message, received=2, house=worker)
    assert len(post.mails) == 1


# --- the worker: carriers that fail --------------------------------------------------------------------------


@pytest.mark.req("S06", "R01")
def test_a_carrier_that_fails_three_times_sends_one_mail_after_doubling_waits(
    house: House, host: User, post: Post
) -> None:
    _, (grace,) = plan(house, host, by_mail())
    post.aws.ses.befall(refusal("InternalServiceErrorException"), timed_out(), refusal("ServiceUnavailable"))

    post.deliver()

    assert post.aws.ses.attempts == 4
    assert [mail.to for mail in post.mails] == [GRACE]
    assert post.aws.sqs.hidden == [2, 4, 8]
    assert delivery(house, grace).state is DeliveryState.SENT
    assert post.dead_letters == []


@pytest.mark.parametrize(("received", "seconds"), [(1, 2), (2, 4), (9, 512), (10, 900), (14, 900)])
@pytest.mark.req("R01")
def test_a_wait_doubles_up_to_a_quarter_of_an_hour(
    house: House, host: User, post: Post, *, received: int, seconds: int
) -> None:
    plan(house, host, by_mail())
    post.route()
    post.aws.ses.befall(refusal("TooManyRequestsException"))

    assert not post.work(post.take(), received=received)

    assert post.aws.sqs.hidden == [seconds]


@pytest.mark.req("R01")
@pytest.mark.parametrize("code", ["TooManyRequestsException", "LimitExceededException", "SendingPausedException"])
def test_a_carrier_that_sends_no_faster_is_asked_later(house: House, host: User, post: Post, *, code: str) -> None:
    _, (grace,) = plan(house, host, by_mail())
    post.aws.ses.befall(refusal(code))
    post.route()
    message = post.take()

    assert not post.work(message)
    assert house.participants.delivery_to(grace) is None
    assert post.work(message, received=2)  # at once: a failed attempt keeps no lease
    assert len(post.mails) == 1


@pytest.mark.req("R01")
def test_a_message_that_cannot_be_put_off_comes_again_all_the_same(house: House, host: User, post: Post) -> None:
    plan(house, host, by_mail())
    post.route()
    post.aws.ses.befall(timed_out())
    post.aws.sqs.befall(timed_out())

    assert not post.work(post.take())


@pytest.mark.req("S05")
@pytest.mark.parametrize("code", ["MessageRejected", "BadRequestException", "MailFromDomainNotVerifiedException"])
def test_a_mail_that_is_refused_has_failed_for_good_and_blocks_nobody(
    house: House, host: User, post: Post, *, code: str
) -> None:
    # given
    _, people = plan(house, host, by_mail(), by_mail("Ben", "ben@example.org"))
    post.aws.ses.befall(refusal(code))

    # when
    post.deliver()

    # then
    states = {p.email: (delivery(house, p).state, delivery(house, p).reason) for p in people}
    assert sorted(states.values(), key=str) == [("failed", "rejected"), ("sent", None)]
    assert post.aws.ses.attempts == 2
    assert (post.aws.sqs.hidden, post.dead_letters) == ([], [])


@pytest.mark.req("R02")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"event": {}}',
        '{"event": null, "ids": {"account_id": "1"}}',
        '{"event": {"event_id": "e", "kind": "exploded", "at": 1}, "ids": {"account_id": "1"}}',
        '{"event": {"event_id": "e", "kind": "invited", "at": 1}, "ids": {"session_id": "2"}}',
        '{"event": {"event_id": 5, "kind": "invited", "at": 1}, "ids": {"account_id": "1"}}',
    ],
)
def test_what_nobody_can_read_goes_to_the_dead_letters_at_once(house: House, post: Post, *, text: str) -> None:
    assert post.work(text)
    assert post.dead_letters == [text]

    # and waits when it cannot
    post.aws.sqs.befall(timed_out())
    assert not post.work(text)


@pytest.mark.req("R02")
def test_a_message_about_something_that_is_not_there_is_done(house: House, account: Account, post: Post) -> None:
    happened = OutboxEvent(event_id="e", kind=EventKind.CANCELLED, at=START)
    gone = {"account_id": account.account_id, "session_id": "12345678"}

    assert post.work(str(Message(happened, gone)))
    assert post.work(str(Message(happened, gone | {"participant_id": "1", "identity": "i"})))

    assert (post.mails, post.dead_letters) == ([], [])


@pytest.mark.req("R02")
def test_a_message_that_breaks_the_worker_ends_among_the_dead_letters_and_the_rest_flows(
    house: House, host: User, post: Post
) -> None:
    _, (_, ben) = plan(house, host, by_mail(), by_mail("Ben", "ben@example.org"))
    post.route()
    poison = json.dumps({"event": event(), "ids": {"account_id": host.account_id, "participant_id": "1"}})
    post.queue.insert(0, poison)

    post.deliver()

    assert post.dead_letters == [poison]
    assert {mail.to for mail in post.mails} == {GRACE, ben.email}


@pytest.mark.req("R02")
def test_of_a_batch_what_failed_alone_comes_again(house: House, host: User, post: Post, function: LoadFunction) -> None:
    # given: as the queue hands it to functions/mailer, after functions/router has passed it on
    plan(house, host, by_mail(), by_mail("Ben", "ben@example.org"))
    function("router")({"Records": post.stream.read()}, CONTEXT)
    batch = [{"messageId": f"m{n}", "receiptHandle": "r", "body": text} for n, text in enumerate(post.queue)]
    post.aws.ses.befall(timed_out())

    # when
    answer = function("mailer")({"Records": batch}, CONTEXT)

    # then
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(post.mails) == 1


# --- the worker: what is still worth telling -----------------------------------------------------------------


def change(house: House, session: Session, **fields: Any) -> None:
    house.sessions.change(session.account_id, session.session_id, fields or {"title": "Follow-up"})


def cancel(house: House, session: Session) -> None:
    house.sessions.cancel(session.account_id, session.session_id)


def kinds_to(post: Post, address: str = GRACE) -> list[str]:
    return [mail.kind for mail in post.mails_to(address)]


@pytest.mark.req("S05", "R02")
def test_a_change_that_a_cancellation_overtook_is_not_told(house: House, host: User, post: Post) -> None:
    session, _ = invited(house, host, post)
    change(house, session)
    post.route()
    assert post.work(post.take())  # a message to each is on the queue
    cancel(house, session)

    post.deliver()

    assert kinds_to(post) == ["Invitation", "Cancelled"]


@pytest.mark.req("S05", "R02")
def test_a_change_before_its_messages_were_made_is_not_told_after_a_newer_one(
    house: House, host: User, post: Post
) -> None:
    session, _ = invited(house, host, post)
    change(house, session, title="First")
    post.route()
    change(house, session, title="Second")

    post.deliver()

    assert [mail.appointment["SUMMARY"] for mail in post.mails_to(GRACE)] == ["Consultation", "Second"]


@pytest.mark.req("S05", "R02")
def test_a_change_after_its_messages_were_made_is_not_told_after_a_newer_one(
    house: House, host: User, post: Post
) -> None:
    session, _ = invited(house, host, post)
    change(house, session, title="First")
    post.route()
    assert post.work(post.take())
    change(house, session, title="Second")

    post.deliver()

    assert [mail.appointment["SUMMARY"] for mail in post.mails_to(GRACE)] == ["Consultation", "Second"]


@pytest.mark.req("S05", "R02")
def test_an_invitation_that_a_cancellation_overtook_is_one_letter(house: House, host: User, post: Post) -> None:
    session, _ = plan(house, host, by_mail())
    post.route()
    cancel(house, session)

    post.deliver()

    assert kinds_to(post) == ["Cancelled"]


@pytest.mark.req("S05", "R02")
def test_a_removal_that_was_taken_back_is_no_cancellation(house: House, host: User, post: Post) -> None:
    # given
    session, grace = invited(house, host, post)
    house.participants.remove(*ids_of(grace))
    post.route()

    # when: she is back before the worker came
    (again,) = house.participants.add(session.account_id, session.session_id, [by_mail()])
    post.deliver()

    # then
    assert kinds_to(post) == ["Invitation", "Invitation"]
    first, second = post.mails
    assert second.sequence > first.sequence
    assert house.participants.get(*ids_of(again))[1].email == GRACE


@pytest.mark.req("R02")
def test_somebody_who_comes_back_while_the_farewell_is_sent_is_not_forgotten(
    house: House, host: User, post: Post, wire: Wire
) -> None:
    session, grace = invited(house, host, post)
    house.participants.remove(*ids_of(grace))
    post.route()
    wire.before(
        "TransactWriteItems", lambda: house.participants.add(session.account_id, session.session_id, [by_mail()])
    )

    post.deliver()

    people = house.participants.list_of(session.account_id, session.session_id)
    assert [p.email for p in people] == ["maria@clinic.example", GRACE]
    assert kinds_to(post) == ["Invitation", "Cancelled", "Invitation"]


@pytest.mark.req("S05")
def test_whoever_wants_to_hear_nothing_any_more_hears_nothing(house: House, host: User, post: Post) -> None:
    session, (grace,) = plan(house, host, by_mail())
    post.route()
    house.participants.change(*ids_of(grace), {"notify": "none"})
    change(house, session)

    post.deliver()

    assert post.mails == []
    found = delivery(house, grace)
    assert (found.state, found.reason) == (DeliveryState.SKIPPED, "not_wanted")


def test_a_letter_about_a_session_that_is_over_is_not_sent_and_no_longer_queued(
    house: House, function: LoadFunction, host: User, post: Post, clock: FakeClock
) -> None:
    # given
    session, (grace,) = plan(house, host, by_mail())
    post.route()
    path = f"/v1/sessions/{session.session_id}/participants/{grace.participant_id}"

    def shown() -> dict[str, Any]:
        answer = json_of(function("participants")(native_event("GET", path, account_id=host.account_id), CONTEXT))
        return dict(answer["delivery"])

    assert shown()["state"] == "queued"
    clock.now = session.ends_at
    # when
    post.deliver()
    # then
    assert post.mails == []
    assert shown() == {
        "state": "skipped",
        "channel": "email",
        "at": to_rfc3339(session.ends_at),
        "reason": "session_over",
    }


def test_a_skipped_letter_takes_the_place_of_no_newer_one(
    house: House, host: User, post: Post, clock: FakeClock
) -> None:
    # given: an invitation that is late, to an address that has another since
    session, (grace,) = plan(house, host, by_mail())
    (late,) = post.route()
    post.queue.clear()
    clock.advance(1)
    house.participants.change(*ids_of(grace), {"email": "hopper@example.org"})
    post.deliver()
    clock.now = session.ends_at
    # when
    assert post.work(str(late))
    # then
    assert delivery(house, grace).state is DeliveryState.SENT


@pytest.mark.req("S05")
def test_whoever_came_after_a_change_is_invited_and_not_told_of_it(
    house: House, host: User, post: Post, clock: FakeClock
) -> None:
    session, _ = invited(house, host, post)
    change(house, session)
    clock.advance(1)
    house.participants.add(session.account_id, session.session_id, [by_mail("Ben", "ben@example.org")])

    post.deliver()

    assert kinds_to(post) == ["Invitation", "Changed"]
    assert kinds_to(post, "ben@example.org") == ["Invitation"]


@pytest.mark.req("S05")
def test_a_change_reaches_everybody_of_a_large_session(house: House, host: User, post: Post) -> None:
    session, _ = plan(house, host, *(by_mail(f"Guest {n}", f"guest{n}@example.org") for n in range(11)))
    post.deliver()
    change(house, session, starts_at=TOMORROW + HOUR)

    post.deliver()

    assert [kinds_to(post, f"guest{n}@example.org") for n in range(11)] == [["Invitation", "Changed"]] * 11


# --- what the letters say -----------------------------------------------------------------------------------


@pytest.mark.req("S05")
def test_the_revision_rises_from_letter_to_letter(house: House, host: User, post: Post) -> None:
    # given
    session, grace = invited(house, host, post)
    steps: list[Callable[[], object]] = [
        lambda: change(house, session, title="Follow-up"),
        lambda: change(house, session, starts_at=TOMORROW + HOUR),
        lambda: house.participants.rotate(*ids_of(grace)),
        lambda: house.participants.remove(*ids_of(grace)),
        lambda: house.participants.add(session.account_id, session.session_id, [by_mail()]),
        lambda: change(house, session, duration_minutes=30),
        lambda: cancel(house, session),
    ]

    # when
    for step in steps:
        step()
        post.deliver()

    # then
    mails = post.mails_to(GRACE)
    kinds = ["Invitation", "Changed", "Changed", "Changed", "Cancelled", "Invitation", "Changed", "Cancelled"]
    assert [mail.kind for mail in mails] == kinds
    sequences = [mail.sequence for mail in mails]
    assert sequences == sorted(set(sequences))
    assert len({mail.appointment["UID"] for mail in mails}) == 1
    methods = {"Invitation": "REQUEST", "Changed": "REQUEST", "Cancelled": "CANCEL"}
    assert [mail.calendar["METHOD"] for mail in mails] == [methods[kind] for kind in kinds]
    assert {str(mail.appointment["ATTENDEE"]) for mail in mails} == {f"mailto:{GRACE}"}


@pytest.mark.req("S05")
def test_a_mail_carries_the_addressees_own_way_in(house: House, account: Account, host: User, post: Post) -> None:
    _, people = plan(house, host, by_mail(), by_mail("Ben", "ben@example.org"))

    post.deliver()

    for person in people:
        (mail,) = post.mails_to(person.email or "")
        (other,) = [p for p in people if p is not person]
        assert house.links.personal_link(account.slug, person) in mail.text
        assert house.links.connect_code(person) in mail.text
        assert house.links.passkey(person) not in mail.text
        for foreign in (house.links.personal_link(account.slug, other), house.links.connect_code(other), other.email):
            assert str(foreign).encode() not in mail.raw
        assert mail.tags == dict(zip(("account_id", "session_id", "participant_id"), ids_of(person), strict=True))
        assert mail.request["ConfigurationSetName"] == "reports"


@pytest.mark.req("S03", "S05")
def test_the_passkey_is_in_the_mail_when_the_account_requires_it(house: House, post: Post) -> None:
    account = open_account(house, "strict", require_passkey=True)
    _, (grace,) = plan(house, add_user(house, account), by_mail())

    post.deliver()

    assert house.links.passkey(grace) in post.mails[0].text


@pytest.mark.req("S05")
def test_after_a_rotation_the_mail_holds_the_new_way_in(house: House, account: Account, host: User, post: Post) -> None:
    _, grace = invited(house, host, post)

    _, rotated = house.participants.rotate(*ids_of(grace))
    post.deliver()

    last = post.mails[-1]
    assert house.links.personal_link(account.slug, rotated) in last.text
    assert house.links.connect_code(rotated) in last.text
    assert house.links.connect_code(grace) not in last.text


@pytest.mark.req("S05")
def test_a_text_message_goes_to_the_number_as_carriers_take_it(
    house: House, account: Account, host: User, post: Post
) -> None:
    _, (alan,) = plan(house, host, BY_SMS)

    post.deliver()

    ((number, text),) = post.aws.sns.sent
    assert number == "+49301234567"
    assert house.links.personal_link(account.slug, alan) in text
    assert (delivery(house, alan).channel, delivery(house, alan).state) == ("sms", "sent")
    assert post.mails == []


@pytest.mark.parametrize(
    ("code", "state", "reason"), [("OptedOut", "failed", "rejected"), ("Throttling", "sent", None)]
)
def test_a_text_message_is_refused_for_good_or_asked_for_later(
    house: House, host: User, post: Post, *, code: str, state: str, reason: str | None
) -> None:
    _, (alan,) = plan(house, host, BY_SMS)
    post.aws.sns.befall(refusal(code))

    post.deliver()

    assert (delivery(house, alan).state, delivery(house, alan).reason) == (state, reason)


def test_without_a_sender_a_mail_has_failed_and_says_so(
    settings: Settings, make_house: MakeHouse, host: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (grace,) = plan(post.house, host, by_mail())
    other = make_house(2)
    object.__setattr__(other.settings, "mail_sender", "")

    post.route()
    assert post.work(post.take(), house=other)

    assert (delivery(other, grace).state, delivery(other, grace).reason) == ("failed", "mail_is_off")


# --- the log ------------------------------------------------------------------------------------------------


@pytest.mark.req("L04")
def test_the_log_holds_nobodys_address_link_code_or_name(
    house: House, account: Account, host: User, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    stream = io.StringIO()
    monkeypatch.setattr(logs.log.registered_handler, "stream", stream)
    logs.log.setLevel("INFO")
    session, people = plan(house, host, by_mail(), BY_SMS)

    # when: all that can happen to letters
    post.aws.ses.befall(refusal("TooManyRequestsException"), timed_out(), refusal("MessageRejected"))
    post.aws.sns.befall(refusal("Throttling"))
    post.deliver()
    change(house, session)
    post.deliver()
    house.participants.remove(*ids_of(people[0]))
    post.deliver()
    post.queue.append("{")
    route(house, record(ITEM | {"event": {"event_id": "e"}}))
    post.deliver()

    # then
    said = stream.getvalue()
    assert '"event acted on"' in said
    assert '"dependency failed"' in said
    assert '"unreadable message set aside"' in said
    assert '"unreadable events set aside"' in said
    for person in people:
        secrets = [
            house.links.personal_link(account.slug, person),
            house.links.personal_token(person).proof,
            house.links.connect_code(person),
            house.links.passkey(person),
            person.full_name,
            "Hopper",
        ]
        assert not [secret for secret in secrets if secret in said]
        assert person.session_id in said
    assert not [word for word in (GRACE, "lakeside.example", "+4930", "123-4567", "Consultation") if word in said]


# --- reminders ----------------------------------------------------------------------------------------------


def remind_event(person: Participant, account: Account) -> dict[str, Any]:
    resource = "/v1/sessions/{session_id}/participants/{participant_id}/reminders"
    path = f"/v1/sessions/{person.session_id}/participants/{person.participant_id}/reminders"
    values = {"session_id": person.session_id, "participant_id": person.participant_id}
    return native_event("POST", path, resource=resource, path_values=values, account_id=account.account_id)


@pytest.mark.req("S05")
def test_a_reminder_reaches_somebody_who_is_told_nothing_else(house: House, host: User, post: Post) -> None:
    _, ada = invited(house, host, post, UNTOLD)
    assert post.mails == []

    house.reminders.remind(*ids_of(ada))
    post.deliver()

    assert [(mail.to, mail.kind) for mail in post.mails] == [("ada@example.org", "Reminder")]
    assert delivery(house, ada).state is DeliveryState.SENT


def test_a_reminder_goes_by_telephone_where_there_is_no_other_address(house: House, host: User, post: Post) -> None:
    _, alan = invited(house, host, post, Invitee(full_name="Alan", phone=PHONE))

    house.reminders.remind(*ids_of(alan))
    post.deliver()

    assert [number for number, _ in post.aws.sns.sent] == ["+49301234567"]


def test_a_reminder_to_a_number_without_its_country_has_failed_and_says_why(
    house: House, host: User, post: Post
) -> None:
    _, alan = invited(house, host, post, Invitee(full_name="Alan", phone="030 1234567"))

    house.reminders.remind(*ids_of(alan))
    post.deliver()

    assert (delivery(house, alan).state, delivery(house, alan).reason) == ("failed", "invalid_phone")
    assert post.dead_letters == []


@pytest.mark.req("S05", "P03")
def test_three_reminders_an_hour_and_then_when_to_come_again(
    house: House, account: Account, host: User, post: Post, clock: FakeClock, function: LoadFunction
) -> None:
    # given
    _, grace = invited(house, host, post)
    asked = remind_event(grace, account)

    # when: a fourth within the hour of the first
    answers = []
    for minutes in (0, 10, 10, 10):
        clock.advance(minutes * MINUTE)
        answers.append(function("participants")(asked, CONTEXT))
    post.deliver()

    # then
    assert [answer["statusCode"] for answer in answers] == [202, 202, 202, 429]
    assert json_of(answers[-1])["code"] == "too_many_reminders"
    assert answers[-1]["headers"]["Retry-After"] == str(30 * 60)
    assert kinds_to(post)[1:].count("Reminder") == 1  # the stream was looked at once: the last one stands there

    # and a moment before the hour is over nothing has changed
    clock.advance(30 * MINUTE - 1)
    with pytest.raises(TooManyError) as refused:
        house.reminders.remind(*ids_of(grace))
    assert refused.value.retry_after == 1
    clock.advance(1)
    house.reminders.remind(*ids_of(grace))


def test_each_reminder_is_a_letter(house: House, host: User, post: Post) -> None:
    _, grace = invited(house, host, post)

    for _ in range(3):
        house.reminders.remind(*ids_of(grace))
        post.route()
    post.deliver()

    assert kinds_to(post) == ["Invitation", "Reminder", "Reminder", "Reminder"]


def test_a_reminder_whose_answer_was_lost_counts_once(house: House, host: User, post: Post, wire: Wire) -> None:
    _, grace = invited(house, host, post)
    house.reminders.remind(*ids_of(grace))

    for _ in range(2):
        wire.lose_answer("UpdateItem")
        house.reminders.remind(*ids_of(grace))
    with pytest.raises(TooManyError):
        house.reminders.remind(*ids_of(grace))


def test_two_first_reminders_at_once_both_count(
    house: House, make_house: MakeHouse, host: User, post: Post, wire: Wire
) -> None:
    _, grace = invited(house, host, post)
    wire.before("PutItem", lambda: make_house(2).reminders.remind(*ids_of(grace)))

    house.reminders.remind(*ids_of(grace))
    house.reminders.remind(*ids_of(grace))

    with pytest.raises(TooManyError):
        house.reminders.remind(*ids_of(grace))


def test_who_cannot_be_reminded_is_said(house: House, host: User, post: Post, clock: FakeClock) -> None:
    session, (nobody, grace) = plan(house, host, Invitee(full_name="Nobody"), by_mail())

    with pytest.raises(ConflictError, match="no_address"):
        house.reminders.remind(*ids_of(nobody))
    clock.now = session.ends_at
    with pytest.raises(ConflictError, match="session_over"):
        house.reminders.remind(*ids_of(grace))
    clock.now = START
    cancel(house, session)
    with pytest.raises(ConflictError, match="session_cancelled"):
        house.reminders.remind(*ids_of(grace))


@pytest.mark.req("R02")
def test_a_reminder_that_a_cancellation_overtook_is_not_sent(house: House, host: User, post: Post) -> None:
    session, grace = invited(house, host, post)
    house.reminders.remind(*ids_of(grace))
    post.route()
    cancel(house, session)

    post.deliver()

    assert kinds_to(post) == ["Invitation", "Cancelled"]


# --- what the carrier reports ---------------------------------------------------------------------------------


def report(kind: str, mail: Any, **more: Any) -> dict[str, Any]:
    """Give a notification of SNS as SES publishes it, with the addresses that are in it."""
    said = {
        "eventType": kind,
        "mail": {
            "messageId": mail.message_id,
            "destination": [mail.to],
            "tags": {name: [value] for name, value in mail.tags.items()} | {"ses:caller-identity": ["role"]},
        },
        **more,
    }
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(said)}}]}


BOUNCE = {"bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "bouncedRecipients": [{}]}}
TRANSIENT = {"bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull"}}


@pytest.mark.parametrize(
    ("reports", "state", "reason"),
    [
        ([("Delivery", {})], "delivered", None),
        ([("Bounce", BOUNCE)], "bounced", "noemail"),
        ([("Bounce", TRANSIENT)], "sent", None),
        ([("Complaint", {})], "complained", None),
        ([("Reject", {})], "failed", "rejected"),
        ([("Open", {})], "sent", None),
        ([("Delivery", {}), ("Delivery", {})], "delivered", None),
        ([("Delivery", {}), ("Complaint", {})], "complained", None),
        ([("Complaint", {}), ("Delivery", {})], "complained", None),
        ([("Delivery", {}), ("Bounce", BOUNCE)], "bounced", "noemail"),
        ([("Bounce", BOUNCE), ("Delivery", {})], "bounced", "noemail"),
        ([("Bounce", TRANSIENT), ("Delivery", {})], "delivered", None),
    ],
    ids=lambda value: "+".join(kind for kind, _ in value) if isinstance(value, list) else str(value),
)
@pytest.mark.req("S05")
def test_reports_tell_what_became_of_a_mail(
    house: House,
    host: User,
    post: Post,
    function: LoadFunction,
    *,
    reports: list[tuple[str, dict[str, Any]]],
    state: str,
    reason: str | None,
) -> None:
    _, grace = invited(house, host, post)

    for kind, more in reports:
        function("mail_reports")(report(kind, post.mails[0], **more), CONTEXT)

    assert (delivery(house, grace).state, delivery(house, grace).reason) == (state, reason)
    assert post.caused() == []


def test_a_report_about_an_older_mail_says_nothing_of_the_last(
    house: House, host: User, post: Post, function: LoadFunction
) -> None:
    session, grace = invited(house, host, post)
    change(house, session)
    post.deliver()
    first, last = post.mails

    function("mail_reports")(report("Bounce", first, **BOUNCE), CONTEXT)
    assert delivery(house, grace).state is DeliveryState.SENT
    function("mail_reports")(report("Delivery", last), CONTEXT)
    assert delivery(house, grace).state is DeliveryState.DELIVERED


def test_a_report_meets_a_newer_mail_that_is_just_being_marked(
    house: House, host: User, post: Post, function: LoadFunction, wire: Wire
) -> None:
    session, grace = invited(house, host, post)

    def send_another() -> None:
        change(house, session)
        post.deliver()

    wire.before("UpdateItem", send_another)

    function("mail_reports")(report("Bounce", post.mails[0], **BOUNCE), CONTEXT)

    assert (delivery(house, grace).state, delivery(house, grace).message_id) == ("sent", "mail-2")


def test_the_letter_of_an_older_event_does_not_replace_what_became_of_a_newer_one(
    house: House, host: User, post: Post, clock: FakeClock
) -> None:
    # given: the invitation waits while the change is told
    session, (grace,) = plan(house, host, by_mail())
    post.route()
    invitation = post.take()
    clock.advance(SECOND)
    change(house, session)
    post.deliver()

    # when
    assert post.work(invitation)

    # then
    assert kinds_to(post) == ["Changed", "Invitation"]
    assert delivery(house, grace).message_id == "mail-1"


def test_reports_without_our_ids_or_about_somebody_who_is_gone_are_let_pass(
    house: House, host: User, post: Post, function: LoadFunction
) -> None:
    _, grace = invited(house, host, post)
    mail = post.mails[0]
    house.participants.remove(*ids_of(grace))
    foreign = report("Delivery", mail)
    said = json.loads(foreign["Records"][0]["Sns"]["Message"])
    said["mail"]["tags"] = {}
    foreign["Records"][0]["Sns"]["Message"] = json.dumps(said)

    for notification in (foreign, report("Delivery", mail), report("Bounce", mail, **BOUNCE)):
        function("mail_reports")(notification, CONTEXT)

    assert house.participants.delivery_to(grace) is None


@pytest.mark.req("R01")
def test_a_report_that_cannot_be_written_comes_again(
    house: House, host: User, post: Post, function: LoadFunction, wire: Wire
) -> None:
    _, grace = invited(house, host, post)
    wire.fail("UpdateItem", "InternalServerError")

    with pytest.raises(UnavailableError):
        function("mail_reports")(report("Delivery", post.mails[0]), CONTEXT)
    function("mail_reports")(report("Delivery", post.mails[0]), CONTEXT)

    assert delivery(house, grace).state is DeliveryState.DELIVERED
