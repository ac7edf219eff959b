"""Letters about a session, whatever happens in whatever order: the outbox beside a model of a few lines.

The model knows nothing of streams, leases or versions. It knows who takes part in what, and counts crashes.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.support.house import START, add_user, open_account
from tests.support.letters import read
from tests.support.outbox import Crash, Post
from vestibule.clock import DAY, HOUR
from vestibule.domain.leases import LEASE
from vestibule.domain.outbox import Message
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.model import Channel

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws
    from tests.support.outbox import Mail

ADDRESSES = ("ada@example.org", "ben@example.org", "cleo@example.org")
PEOPLE = st.integers(0, len(ADDRESSES) - 1)
ANY = st.integers(0, 1_000)


class LifeOfLetters(RuleBasedStateMachine):
    """Three people, one session, two workers, and a clock."""

    make_house: MakeHouse
    clock: FakeClock
    moto_aws: MotoAws

    @initialize()
    def open(self) -> None:
        # Every life begins alike, so that what failed once fails again.
        self.moto_aws.reset()
        self.clock.now = START
        self.houses = [self.make_house(1), self.make_house(2)]
        self.post = Post(self.houses[0], self.moto_aws, self.clock)
        account = open_account(self.houses[0])
        host = add_user(self.houses[0], account)
        session, _ = self.houses[0].sessions.create(
            account.account_id, HostRef(user_id=host.user_id), {"title": "0", "starts_at": START + DAY}
        )
        self.key = account.account_id, session.session_id
        # What is true.
        self.title = 0
        self.cancelled = False
        self.ids: dict[int, str] = {}  # of those who take part
        self.ever: set[int] = set()
        self.seen: list[str] = []  # messages that some worker had
        self.crashes: Counter[str] = Counter()  # by Message-ID

    # --- what the portal does ---

    @precondition(lambda self: not self.cancelled)
    @rule(person=PEOPLE)
    def invite_or_remove(self, person: int) -> None:
        participants = self.houses[1].participants
        if person in self.ids:
            participants.remove(*self.key, self.ids.pop(person))
        else:
            invitee = Invitee(full_name=f"Guest {person}", email=ADDRESSES[person], notify=Channel.EMAIL)
            (added,) = participants.add(*self.key, [invitee])
            self.ids[person] = added.participant_id
            self.ever.add(person)
        self.post.route()

    @precondition(lambda self: not self.cancelled)
    @rule(is_moved=st.booleans())
    def change(self, *, is_moved: bool) -> None:
        self.title += 1
        moved = {"starts_at": START + DAY + self.title * HOUR} if is_moved else {}
        self.houses[0].sessions.change(*self.key, {"title": str(self.title), **moved})
        self.post.route()

    @precondition(lambda self: self.ids and not self.cancelled)
    @rule(which=ANY)
    def rotate(self, which: int) -> None:
        person = sorted(self.ids)[which % len(self.ids)]
        self.houses[0].participants.rotate(*self.key, self.ids[person])
        self.post.route()

    @precondition(lambda self: not self.cancelled and self.title > 1)
    @rule()
    def cancel(self) -> None:
        self.houses[0].sessions.cancel(*self.key)
        self.cancelled = True
        self.post.route()

    # --- what the queue does ---

    @precondition(lambda self: self.post.queue)
    @rule(which=ANY, worker=st.integers(0, 1))
    def deliver(self, which: int, worker: int) -> None:
        """Queues keep no order."""
        self.work(self.post.queue.pop(which % len(self.post.queue)), worker)

    @precondition(lambda self: self.post.queue)
    @rule(which=ANY, worker=st.integers(0, 1))
    def crash_before_the_mark(self, which: int, worker: int) -> None:
        def die() -> None:
            raise Crash

        text = self.post.queue.pop(which % len(self.post.queue))
        before = len(self.post.mails)
        self.moto_aws.wire.before("TransactWriteItems", die)
        try:
            self.work(text, worker)
        except Crash:
            self.post.queue.append(text)
            self.crashes.update(map(message_id, self.post.mails[before:]))
        finally:
            self.moto_aws.wire.reset()

    @precondition(lambda self: self.seen)
    @rule(which=ANY, worker=st.integers(0, 1))
    def deliver_once_more(self, which: int, worker: int) -> None:
        """Queues hand out a message twice now and then."""
        self.work(self.seen[which % len(self.seen)], worker, again=False)

    @rule()
    def let_leases_run_out(self) -> None:
        self.clock.advance(LEASE)

    def work(self, text: str, worker: int, *, again: bool = True) -> None:
        self.seen.append(text)
        if not self.post.work(text, house=self.houses[worker]) and again:
            self.post.queue.append(text)

    # --- what must be true in the end ---

    def teardown(self) -> None:
        if not hasattr(self, "post"):
            return
        self.clock.advance(LEASE)
        self.post.deliver()
        assert self.post.dead_letters == []
        for person, address in enumerate(ADDRESSES):
            self.judge(person, self.post.mails_to(address))

        # and nobody got two letters for one event, but for a crash in between
        counts = Counter(map(message_id, self.post.mails))
        assert {name: n for name, n in counts.items() if n > 1 + self.crashes[name]} == {}
        # and all that the stream ever said was acted on
        assert {Message.parse(text).event.event_id for text in self.post.queue} == set()

    def judge(self, person: int, mails: list[Mail]) -> None:
        """Whoever should have heard of the last state has."""
        if person not in self.ever:
            assert mails == []
            return
        last = mails[-1]
        assert last.sequence == max(mail.sequence for mail in mails)
        if person in self.ids and not self.cancelled:
            assert last.calendar["METHOD"] == "REQUEST"
            assert last.appointment["SUMMARY"] == str(self.title)
        else:
            assert last.kind == "Cancelled"


def message_id(mail: Mail) -> str:
    """Give the mail's own id: made from the event's and the participant's, the same in every attempt."""
    return str(read(mail.raw)["Message-ID"])


@pytest.mark.req("S05", "S06", "R02")
def test_everybody_hears_of_the_last_state_and_nobody_twice(
    make_house: MakeHouse, clock: FakeClock, moto_aws: MotoAws
) -> None:
    class OfThisTest(LifeOfLetters):
        pass

    OfThisTest.make_house = staticmethod(make_house)
    OfThisTest.clock = clock
    OfThisTest.moto_aws = moto_aws
    run_state_machine_as_test(
        OfThisTest,
        settings=profile(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        ),
    )
