"""What registrants hear of a session that is changed or cancelled: page by page, once, and only who wanted mail."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from tests.support.outbox import Crash, refusal
from vestibule.clock import DAY, HOUR, MINUTE, from_datetime
from vestibule.domain import invitations
from vestibule.domain.invitations import REGISTRANTS_AT_ONCE
from vestibule.domain.leases import LEASE
from vestibule.domain.participants import Invitee
from vestibule.domain.registrants import NewRegistrant
from vestibule.domain.sessions import HostRef
from vestibule.model import Channel

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, Wire
    from tests.support.outbox import Mail, Post
    from vestibule.model import Account, Registrant, Session
    from vestibule.wiring import House

pytestmark = pytest.mark.req("E13")

GRACE, ALAN, SILENT = "grace@example.org", "alan@example.org", "silent@example.org"
MOVED = {"starts_at": START + 2 * DAY}


@pytest.fixture
def account(house: House) -> Account:
    return open_account(house)


@pytest.fixture
def session(house: House, account: Account) -> Session:
    host = add_user(house, account, full_name="Dr. Mia Lindqvist")
    given = {"title": "Open lecture", "starts_at": START + DAY}
    invited = Invitee(full_name="Ben Okafor", email="ben@example.org", notify=Channel.EMAIL)
    return house.sessions.create(account.account_id, HostRef(user_id=host.user_id), given, [invited])[0]


def register(house: House, session: Session, email: str, *, confirm: bool = True) -> Registrant:
    wanted = NewRegistrant(name=email.partition("@")[0].title(), email=email, confirm=confirm)
    return house.registrants.register(session.account_id, session.session_id, wanted)


def change(house: House, session: Session, **fields: Any) -> None:
    house.sessions.change(session.account_id, session.session_id, fields)


def kinds(mails: list[Mail]) -> list[str]:
    return [mail.kind for mail in mails]


def test_who_was_sent_a_confirmation_hears_of_the_change_and_the_cancellation(
    house: House, clock: FakeClock, session: Session, post: Post
) -> None:
    # given: two who are mailed, one whom the portal registered without a mail
    grace = register(house, session, GRACE)
    register(house, session, ALAN)
    register(house, session, SILENT, confirm=False)
    house.registrants.rotate(session.account_id, session.session_id, grace.registrant_id)
    post.deliver()
    clock.advance(HOUR)
    # when
    change(house, session, **MOVED)
    post.deliver()
    house.sessions.cancel(session.account_id, session.session_id)
    post.deliver()
    # then
    for address in (GRACE, ALAN):
        mails = post.mails_to(address)
        assert kinds(mails) == ["Your registration", "Changed", "Cancelled"]
        assert [str(mail.calendar["METHOD"]) for mail in mails] == ["REQUEST", "REQUEST", "CANCEL"]
        assert len({str(mail.appointment["UID"]) for mail in mails}) == 1
        assert [mail.sequence for mail in mails] == sorted({mail.sequence for mail in mails})
        assert mails[1].appointment.start > mails[0].appointment.start
        assert all("because the address was registered" in " ".join(mail.text.split()) for mail in mails)
    assert post.mails_to(SILENT) == []
    assert kinds(post.mails_to("ben@example.org")) == ["Changed", "Cancelled"]
    # and: the link that they are sent is the one that works
    (_, changed, cancelled) = post.mails_to(GRACE)
    rotated = house.registrants.get(session.account_id, session.session_id, grace.registrant_id)
    assert house.links.join_url("clinic", rotated) in changed.text
    assert "/r/" not in cancelled.text


def test_many_are_told_page_by_page_and_each_once(
    house: House, clock: FakeClock, session: Session, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setattr(invitations, "REGISTRANTS_AT_ONCE", 4)
    everybody = [f"g{number}@example.org" for number in range(11)]
    for email in everybody:
        register(house, session, email)
        clock.advance(1)
    post.deliver()
    before = len(post.mails)
    # when: every message comes twice, as SQS may have it
    change(house, session, **MOVED)
    most = 0
    while post.queue or post.route():
        most = max(most, len(post.queue))
        text = post.take()
        assert post.work(text)
        assert post.work(text, received=2)
    # then
    told = [mail.to for mail in post.mails[before:]]
    assert sorted(told) == sorted([*everybody, "ben@example.org"])
    assert most <= 4 + 1 + 2, "a page, its follower, and the participant, whom each delivery puts there"


def test_a_page_is_one_read_of_the_list(
    house: House, session: Session, post: Post, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "REGISTRANTS_AT_ONCE", 4)
    for number in range(9):
        register(house, session, f"g{number}@example.org")
    post.deliver()
    change(house, session, **MOVED)
    post.route()
    post.work(post.take())
    (page,) = [text for text in post.queue if "registrants_after" in text]
    post.queue.clear()
    with wire.counting() as calls:
        post.work(page)
    operations = [call.operation for call in calls]
    # the lease, the session, as many shards as it takes, who they are, and the mark
    assert operations[:2] == ["PutItem", "GetItem"]
    assert operations[-2:] == ["BatchGetItem", "PutItem"]
    assert set(operations[2:-2]) == {"Query"}
    assert REGISTRANTS_AT_ONCE == 100


def test_of_two_changes_at_once_the_later_one_is_told(house: House, session: Session, post: Post) -> None:
    register(house, session, GRACE)
    post.deliver()
    change(house, session, **MOVED)
    post.route()
    change(house, session, starts_at=START + 3 * DAY)
    post.deliver()
    _, changed = post.mails_to(GRACE)
    begins = changed.appointment.start
    assert isinstance(begins, datetime)
    assert from_datetime(begins) // MINUTE == (START + 3 * DAY) // MINUTE


def test_who_registers_after_the_change_was_told_it_with_the_confirmation(
    house: House, clock: FakeClock, session: Session, post: Post
) -> None:
    change(house, session, **MOVED)
    clock.advance(1)
    register(house, session, GRACE)
    post.deliver()
    assert kinds(post.mails_to(GRACE)) == ["Your registration"]


def test_who_has_cancelled_hears_nothing_more(house: House, session: Session, post: Post) -> None:
    grace = register(house, session, GRACE)
    post.deliver()
    change(house, session, **MOVED)
    post.route()
    house.registrants.cancel(session.account_id, session.session_id, grace.registrant_id)
    post.deliver()
    assert kinds(post.mails_to(GRACE)) == ["Your registration"]


def test_a_page_that_breaks_off_is_done_again_and_nobody_hears_twice(
    house: House, make_house: MakeHouse, clock: FakeClock, session: Session, post: Post
) -> None:
    # given
    everybody = [f"g{number}@example.org" for number in range(12)]
    for email in everybody:
        register(house, session, email)
    post.deliver()
    before = len(post.mails)
    change(house, session, **MOVED)
    post.route()
    text = post.take()
    # when: the queue fails after the first ten, and then the process dies
    post.aws.sqs.refuses_after = 0
    assert not post.work(text)
    post.aws.sqs.refuses_after = None
    post.aws.sqs.befall(Crash())
    with pytest.raises(Crash):
        post.work(text, received=2)
    clock.advance(LEASE)
    assert post.work(text, received=3, house=make_house(2))
    post.aws.ses.befall(refusal("TooManyRequestsException"))
    post.deliver()
    # then
    assert sorted(mail.to for mail in post.mails[before:]) == sorted([*everybody, "ben@example.org"])


def test_a_session_that_is_over_is_nobodys_news(house: House, clock: FakeClock, session: Session, post: Post) -> None:
    register(house, session, GRACE)
    post.deliver()
    change(house, session, **MOVED)
    clock.advance(3 * DAY)
    post.deliver()
    assert kinds(post.mails_to(GRACE)) == ["Your registration"]
