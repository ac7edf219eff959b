"""SSO tokens: who gets in by one, how often, for how long, and what it proves to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.events import ADDRESS
from tests.support.house import add_user, open_account
from vestibule import ids
from vestibule.clock import DAY, MINUTE
from vestibule.domain.login_uris import Browser
from vestibule.domain.sign_ins import Present
from vestibule.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from vestibule.model import Role, Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, Wire
    from vestibule.domain.login_uris import Arrived
    from vestibule.domain.sign_ins import Credential
    from vestibule.model import Account, User
    from vestibule.wiring import House

FIREFOX = Browser(ADDRESS, "Firefox")


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, role="provider")


def issue(house: House, account: Account, user: User) -> str:
    return house.sso_tokens.issue(account, user).secret


def arrive(
    house: House, account: Account, token: str, *, spend: bool = False, held: Credential | None = None
) -> Arrived | None:
    found = house.sso_tokens.redeem(account, token, spend=spend, browser=FIREFOX, held=held)
    return found[0] if found else None


def is_present(house: House, account: Account, arrived: Arrived) -> bool:
    return isinstance(house.sign_ins.check(arrived.credential, slug=account.slug), Present)


def arrived(found: Arrived | None) -> Arrived:
    assert found is not None
    return found


@pytest.mark.req("D02", "L02")
def test_it_lets_in_until_a_day_has_passed(house: House, clock: FakeClock, account: Account, user: User) -> None:
    # given
    token = issue(house, account, user)
    # when, then
    clock.advance(DAY - 1)
    assert arrived(arrive(house, account, token)).login.user_id == user.user_id
    assert house.sso_tokens.user_of(account.account_id, token) == user
    clock.advance(1)
    assert arrive(house, account, token) is None
    with pytest.raises(UnauthenticatedError):
        house.sso_tokens.user_of(account.account_id, token)


@pytest.mark.req("D02", "L04")
def test_nothing_of_it_is_stored_but_its_digest(house: House, account: Account, user: User, wire: Wire) -> None:
    # when
    with wire.counting() as calls:
        token = issue(house, account, user)
    # then: one write, of one item
    (call,) = calls
    assert call.operation == "PutItem"
    assert token not in str(call.request)
    assert ids.digest(token) in str(call.request)


@pytest.mark.req("D02", "L13")
def test_each_browser_has_a_sign_in_of_its_own(house: House, account: Account, user: User) -> None:
    # given
    token = issue(house, account, user)
    # when
    one, two = (arrived(arrive(house, account, token)) for _ in range(2))
    house.sign_ins.end(one.credential, slug=account.slug)
    # then: ending one ends it for good, and no other
    assert not is_present(house, account, one)
    assert is_present(house, account, two)
    assert is_present(house, account, arrived(arrive(house, account, token)))
    assert not is_present(house, account, one)


@pytest.mark.req("L09")
def test_the_same_browser_goes_on_while_its_sign_in_lives(
    house: House, clock: FakeClock, account: Account, user: User
) -> None:
    # given
    token = issue(house, account, user)
    first = arrived(arrive(house, account, token))
    # when
    again = arrived(arrive(house, account, token, held=first.credential))
    clock.advance(account.idle_timeout_minutes * MINUTE)
    later = arrived(arrive(house, account, token, held=first.credential))
    # then
    assert not again.is_new
    assert again.credential == first.credential
    assert later.is_new
    assert is_present(house, account, later)


@pytest.mark.req("L13")
def test_it_ends_the_sign_in_that_it_replaces(house: House, account: Account, user: User) -> None:
    # given
    other = add_user(house, account)
    before = arrived(arrive(house, account, issue(house, account, other)))
    # when
    now = arrived(arrive(house, account, issue(house, account, user), held=before.credential))
    # then
    assert now.took_over
    assert not is_present(house, account, before)


@pytest.mark.req("L01", "L10")
@pytest.mark.parametrize("by_account", [False, True])
def test_one_that_is_spent_lets_in_one_browser_and_stays_good_for_the_api(house: House, *, by_account: bool) -> None:
    # given
    account = open_account(house, sso_token_once=by_account)
    user = add_user(house, account, role="provider")
    token = issue(house, account, user)
    # when
    first = arrived(arrive(house, account, token, spend=not by_account))
    # then
    assert arrive(house, account, token, spend=not by_account) is None
    assert not arrived(arrive(house, account, token, held=first.credential)).is_new
    assert is_present(house, account, first)
    assert house.sso_tokens.user_of(account.account_id, token) == user


@pytest.mark.req("L10")
def test_bringing_a_spent_one_is_recorded(house: House, account: Account, user: User, wire: Wire) -> None:
    # given
    token = issue(house, account, user)
    arrive(house, account, token, spend=True)
    # when
    with wire.counting() as calls:
        arrive(house, account, token)
    # then
    record = str(calls[-1].request)
    assert "sso_token.reused" in record
    assert user.user_id in record
    assert token not in record


@pytest.mark.req("L01")
def test_of_two_that_spend_it_at_once_one_gets_in(house: House, account: Account, user: User, wire: Wire) -> None:
    # given: between the look at the token and its spending, another browser spends it
    token = issue(house, account, user)
    won: list[Arrived] = []
    wire.before("TransactWriteItems", lambda: won.append(arrived(arrive(house, account, token, spend=True))))
    # when
    lost = arrive(house, account, token, spend=True)
    # then
    assert lost is None
    assert is_present(house, account, won[0])


@pytest.mark.req("L11")
def test_a_lost_answer_is_asked_for_again(house: House, account: Account, user: User, wire: Wire) -> None:
    # given
    token = issue(house, account, user)
    wire.lose_answer("TransactWriteItems")
    # when
    found = arrive(house, account, token, spend=True)
    # then: the transaction's own token tells the second try from another browser's
    assert is_present(house, account, arrived(found))


@pytest.mark.req("L14", "L16")
def test_it_is_as_good_as_its_user(house: House, clock: FakeClock, account: Account, user: User) -> None:
    # given
    token = issue(house, account, user)
    clock.advance(1)
    # when
    house.users.sign_out_everywhere(account.account_id, user.user_id)
    # then
    assert arrive(house, account, token) is None
    clock.advance(1)
    fresh = issue(house, account, user)
    assert arrive(house, account, fresh) is not None
    # when
    disabled = house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    # then
    assert arrive(house, account, fresh) is None
    with pytest.raises(ForbiddenError):
        issue(house, account, disabled)
    house.users.delete(account.account_id, user.user_id)
    assert arrive(house, account, fresh) is None


@pytest.mark.req("L20", "P05")
def test_it_opens_its_own_accounts_host_alone(house: House, account: Account, user: User) -> None:
    # given
    other = open_account(house, "elsewhere")
    token = issue(house, account, user)
    # then
    assert arrive(house, other, token) is None
    with pytest.raises(UnauthenticatedError):
        house.sso_tokens.user_of(other.account_id, token)
    for nonsense in ("", "x", "0" * 32, token.upper(), f"{token}0"):
        assert arrive(house, account, nonsense) is None


@pytest.mark.req("R01")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_a_failing_table_lets_nobody_in(house: House, account: Account, user: User, wire: Wire, operation: str) -> None:
    # given
    token = issue(house, account, user)
    wire.fail(operation, "ProvisionedThroughputExceededException", times=3)
    # then
    with pytest.raises(UnavailableError):
        arrive(house, account, token)


# --- the same code is the same user ---


@pytest.mark.req("D02")
def test_a_user_is_kept_as_the_portal_describes_it(house: House, account: Account, wire: Wire) -> None:
    # given
    fields = {"full_name": "John Provider", "role": Role.PROVIDER}
    first = house.users.keep(account.account_id, "cd978112", fields, at_first={"username": "drawn"})
    # when
    with wire.counting() as calls:
        same = house.users.keep(account.account_id, "cd978112", fields, at_first={"username": "another"})
    changed = house.users.keep(account.account_id, "cd978112", {"full_name": "J. P."}, at_first={})
    # then: nothing is written when nothing is new
    assert same == first
    assert {call.operation for call in calls} == {"GetItem"}
    assert (changed.user_id, changed.full_name, changed.username) == (first.user_id, "J. P.", "drawn")


@pytest.mark.req("D02")
def test_two_first_calls_make_one_user(house: House, account: Account, wire: Wire) -> None:
    # given: between the look and the creation, another call creates the user
    fields = {"full_name": "John Provider"}
    wire.before(
        "TransactWriteItems",
        lambda: house.users.keep(account.account_id, "cd978112", fields, at_first={"username": "one"}),
    )
    # when
    user = house.users.keep(account.account_id, "cd978112", fields, at_first={"username": "two"})
    # then
    assert user.username == "one"
