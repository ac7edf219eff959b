"""The life of a login, whatever happens in whatever order: the house beside a model of a few lines.

The model knows nothing of tables, digests or conditions. Whoever reads it knows what the product promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.house import START, add_user, open_account
from vestibule.clock import MINUTE, SECOND
from vestibule.domain.login_uris import Browser, State
from vestibule.domain.sign_ins import Over, Present
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws
    from vestibule.domain.login_uris import Issued
    from vestibule.domain.sign_ins import Credential

SLUG = "clinic"
IDLE_MINUTES = 30
LIFETIME_MINUTES = 50
BROWSERS = {"A": Browser("203.0.113.7", "Firefox"), "B": Browser("198.51.100.9", "Safari")}


@dataclass
class ModelLogin:
    """What is true of one login URI."""

    issued: Issued
    person: int
    issued_at: int
    browser: str | None = None
    redeemed_at: int = 0
    idle_until: int = 0
    revoked: bool = False
    ended: bool = False


@dataclass
class Held:
    """What one browser's cookie jar holds."""

    credential: Credential
    login: ModelLogin


class LifeOfLogins(RuleBasedStateMachine):
    """Two people, two browsers, one portal, and a clock."""

    make_house: MakeHouse
    clock: FakeClock
    moto_aws: MotoAws

    logins: Bundle[ModelLogin] = Bundle("logins")

    @initialize(revoke_on_reuse=st.booleans())
    def open(self, revoke_on_reuse: bool) -> None:  # noqa: FBT001 - hypothesis hands it in by name
        # Every life begins alike, so that what failed once fails again.
        self.moto_aws.reset()
        self.clock.now = START
        # Two workers, whose memories know nothing of each other.
        self.houses = [self.make_house(1), self.make_house(2)]
        self.account = open_account(
            self.houses[0],
            SLUG,
            idle_timeout_minutes=IDLE_MINUTES,
            sign_in_lifetime_minutes=LIFETIME_MINUTES,
            revoke_on_reuse=revoke_on_reuse,
        )
        self.users = [add_user(self.houses[0], self.account).user_id for _ in range(2)]
        self.revoke_on_reuse = revoke_on_reuse
        self.disabled: set[int] = set()
        self.signed_out_at = [0, 0]
        self.jars: dict[str, Held] = {}
        self.dropped: list[Held] = []
        self.all: list[ModelLogin] = []

    # --- what is true ---

    def is_live(self, login: ModelLogin) -> bool:
        now = self.clock()
        return (
            login.browser is not None
            and not login.revoked
            and not login.ended
            and now < login.idle_until
            and now < login.redeemed_at + LIFETIME_MINUTES * MINUTE
        )

    def may_enter(self, login: ModelLogin) -> bool:
        return (
            self.is_live(login)
            and login.person not in self.disabled
            and login.redeemed_at > self.signed_out_at[login.person]
        )

    def state(self, login: ModelLogin) -> State:
        if login.revoked:
            return State.REVOKED
        if login.browser is not None:
            return State.REDEEMED if self.is_live(login) else State.ENDED
        return State.ISSUED if self.clock() < login.issued_at + 15 * SECOND else State.EXPIRED

    # --- what happens ---

    @rule(target=logins, person=st.integers(0, 1), worker=st.integers(0, 1))
    def issue(self, person: int, worker: int) -> ModelLogin:
        return self.make(person, worker)

    def make(self, person: int, worker: int) -> ModelLogin:
        """Issue a link for a person, for the other one when this one is disabled."""
        uris = self.houses[worker].login_uris
        if person in self.disabled:
            with pytest.raises(Exception, match="user_disabled"):
                uris.issue(self.account, user_id=self.users[person])
            person = 1 - person
            if person in self.disabled:
                self.enable(person)
        issued = uris.issue(self.account, user_id=self.users[person])
        login = ModelLogin(issued, person, self.clock())
        self.all.append(login)
        return login

    @rule(login=logins, name=st.sampled_from("AB"), worker=st.integers(0, 1))
    def follow_the_link(self, login: ModelLogin, name: str, worker: int) -> None:
        held = self.jars.get(name)
        arrived = self.houses[worker].login_uris.redeem(
            login.issued.guid,
            slug=SLUG,
            browser=BROWSERS[name],
            held=held.credential if held else None,
        )
        if self.state(login) is State.ISSUED:
            assert arrived is not None
            assert arrived.is_new
            assert arrived.took_over is (held is not None and held.login.person != login.person)
            if held is not None:
                held.login.ended = True
                self.dropped.append(held)
            login.browser, login.redeemed_at = name, self.clock()
            login.idle_until = self.clock() + IDLE_MINUTES * MINUTE
            self.jars[name] = Held(arrived.credential, login)
        elif held is not None and held.login is login:
            assert (arrived is not None) is self.is_live(login)
            assert arrived is None or not arrived.is_new
        else:
            assert arrived is None
            is_double_click = name == login.browser and self.clock() - login.redeemed_at < 10 * SECOND
            if login.browser is not None and self.revoke_on_reuse and not is_double_click:
                login.ended = True

    @rule(target=logins, person=st.integers(0, 1), name=st.sampled_from("AB"), worker=st.integers(0, 1))
    def arrive(self, person: int, name: str, worker: int) -> ModelLogin:
        """Come by a fresh link, as most people do."""
        login = self.make(person, worker)
        self.follow_the_link(login, name, 1 - worker)
        return login

    @rule(name=st.sampled_from("AB"), worker=st.integers(0, 1))
    def open_a_page(self, name: str, worker: int) -> None:
        self.look(name, worker, is_activity=True)
        held = self.jars.get(name)
        deadline = self.clock() + IDLE_MINUTES * MINUTE
        if held is not None and self.may_enter(held.login) and deadline - held.login.idle_until >= MINUTE:
            held.login.idle_until = deadline

    @rule(name=st.sampled_from("AB"), pages=st.integers(1, 3))
    def stay(self, name: str, pages: int) -> None:
        """Open a page now and then, so that only age can end it."""
        for _ in range(pages):
            self.clock.advance(20 * MINUTE)
            self.open_a_page(name, 0)

    def look(self, name: str, worker: int, *, is_activity: bool) -> None:
        """See who is signed in, and compare it with what is true."""
        held = self.jars.get(name)
        credential = held.credential if held else None
        found = self.houses[worker].sign_ins.check(credential, slug=SLUG, is_activity=is_activity)
        if held is None:
            assert found is None
        elif self.may_enter(held.login):
            assert isinstance(found, Present)
            assert found.user.user_id == self.users[held.login.person]
        else:
            assert isinstance(found, Over)

    @rule(login=logins, worker=st.integers(0, 1))
    def revoke(self, login: ModelLogin, worker: int) -> None:
        self.houses[worker].login_uris.revoke(self.account, login.issued.guid)
        login.revoked = True

    @rule(name=st.sampled_from("AB"), worker=st.integers(0, 1), forgets=st.booleans())
    def sign_out(self, name: str, worker: int, forgets: bool) -> None:  # noqa: FBT001
        held = self.jars.get(name)
        ended = self.houses[worker].sign_ins.end(held.credential if held else None, slug=SLUG)
        assert (ended is not None) is (held is not None)
        if held is not None:
            held.login.ended = True
            if forgets:  # else: an old cookie, replayed
                self.dropped.append(self.jars.pop(name))

    @rule(person=st.integers(0, 1))
    def disable(self, person: int) -> None:
        self.houses[0].users.change(self.account.account_id, self.users[person], {"status": Status.DISABLED})
        self.disabled.add(person)

    @rule(person=st.integers(0, 1))
    def enable(self, person: int) -> None:
        self.houses[0].users.change(self.account.account_id, self.users[person], {"status": Status.ACTIVE})
        self.disabled.discard(person)

    @rule(person=st.integers(0, 1))
    def sign_out_everywhere(self, person: int) -> None:
        self.houses[0].users.sign_out_everywhere(self.account.account_id, self.users[person])
        self.signed_out_at[person] = self.clock()

    @rule(
        milliseconds=st.sampled_from(
            [1, 9 * SECOND, 10 * SECOND - 1, 15 * SECOND - 1, 15 * SECOND, MINUTE, 30 * MINUTE]
        )
    )
    def wait(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)

    # --- what everybody sees, after each step ---

    @invariant()
    def the_browsers_see_who_is_signed_in(self) -> None:
        for name in getattr(self, "jars", {}):
            self.look(name, 0, is_activity=False)

    @invariant()
    def nobodys_former_cookie_lives(self) -> None:
        for held in getattr(self, "dropped", [])[-1:]:
            found = self.houses[1].sign_ins.check(held.credential, slug=SLUG, is_activity=False)
            assert isinstance(found, Over)

    @invariant()
    def the_portal_sees_the_state(self) -> None:
        for login in getattr(self, "all", [])[-1:]:
            uris = self.houses[0].login_uris
            assert uris.state_of(uris.find(self.account.account_id, login.issued.guid)) is self.state(login)


@pytest.mark.req("L01", "L02", "L03", "L09", "L10", "L12", "L13", "L14")
def test_the_house_agrees_with_the_model(make_house: MakeHouse, clock: FakeClock, moto_aws: MotoAws) -> None:
    class OfThisTest(LifeOfLogins):
        pass

    OfThisTest.make_house = staticmethod(make_house)
    OfThisTest.clock = clock
    OfThisTest.moto_aws = moto_aws
    run_state_machine_as_test(
        OfThisTest,
        settings=profile(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        ),
    )
