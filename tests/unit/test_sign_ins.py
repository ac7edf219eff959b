"""Sign-ins: what a cookie proves, for how long, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.house import add_user, open_account
from vestibule.clock import DAY, HOUR, MINUTE, SECOND
from vestibule.domain.login_uris import Arrived, Browser
from vestibule.domain.sign_ins import EXTEND_EVERY, Credential, Over, Present
from vestibule.errors import NotFoundError, UnavailableError
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, Wire
    from vestibule.model import Account, User
    from vestibule.wiring import House

FIREFOX = Browser("203.0.113.7", "Firefox")
ON_EXPIRY = "https://portal.example/bye"


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account)


@pytest.fixture
def arrived(house: House, account: Account, user: User) -> Arrived:
    return sign_in(house, account, user)


def sign_in(house: House, account: Account, user: User) -> Arrived:
    issued = house.login_uris.issue(account, user_id=user.user_id, redirect_to_uri_on_expiry=ON_EXPIRY)
    arrived = house.login_uris.redeem(issued.guid, slug=account.slug, browser=FIREFOX, held=None)
    assert arrived is not None
    return arrived


def check(house: House, arrived: Arrived, *, is_activity: bool = True) -> Present | Over | None:
    return house.sign_ins.check(arrived.credential, slug=arrived.login.slug, is_activity=is_activity)


# --- what the cookie carries ---


@pytest.mark.req("L13")
def test_a_cookie_comes_back_as_it_was_written(arrived: Arrived) -> None:
    written = str(arrived.credential)
    assert Credential.parse(written) == arrived.credential
    assert len(written) < 256
    assert not set(written) & set(' ";,\\=')


@pytest.mark.parametrize(
    "cookie",
    [None, "", "x", "a.b.c.d", "." * 3, ("0" * 64) + ".1.2.", ("0" * 64) + "..2.s", ("0" * 64) + ".1.2.s.x",
     ("0" * 63) + ".1.2.s", ("0" * 64) + ".1.2." + "s" * 300, ("0" * 64)],
)  # fmt: skip
def test_what_is_no_cookie_of_ours(cookie: str | None) -> None:
    assert Credential.parse(cookie) is None


def test_the_form_token_does_not_reveal_the_secret_and_differs_by_sign_in(
    house: House, account: Account, user: User
) -> None:
    one, other = sign_in(house, account, user).credential, sign_in(house, account, user).credential
    assert one.form_token != other.form_token
    assert one.secret not in one.form_token
    assert one.form_token != one.digest


# --- who is signed in ---


def test_the_person_is_known(house: House, arrived: Arrived, user: User) -> None:
    found = check(house, arrived)
    assert isinstance(found, Present)
    assert found.user == user
    assert found.login.key == arrived.login.key


def test_nobody_is_signed_in_without_a_cookie(house: House, wire: Wire) -> None:
    with wire.counting() as calls:
        assert house.sign_ins.check(None, slug="clinic") is None
    assert calls == []


@pytest.mark.parametrize("member", ["key", "account_id", "user_id", "secret"])
@pytest.mark.req("L20", "L14")
def test_a_cookie_with_any_part_changed_is_nobodys(
    house: House, account: Account, arrived: Arrived, member: str
) -> None:
    # given: parts of another, real sign-in
    other_account = open_account(house, "other")
    other = sign_in(house, other_account, add_user(house, other_account)).credential
    # when
    mixed = replace(arrived.credential, **{member: getattr(other, member)})
    # then
    assert house.sign_ins.check(mixed, slug="clinic") is None
    assert house.sign_ins.check(mixed, slug="other") is None
    assert house.sign_ins.end(mixed, slug="clinic") is None or member in {"account_id", "user_id"}


@pytest.mark.req("L20")
def test_a_cookie_of_one_host_opens_nothing_on_another(house: House, arrived: Arrived) -> None:
    open_account(house, "other")
    for slug in ("other", "", "clinic2"):
        assert house.sign_ins.check(arrived.credential, slug=slug) is None


@pytest.mark.req("L14")
def test_an_issued_but_unused_login_proves_nobody(house: House, account: Account, user: User) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id)
    for secret in ("", issued.guid, "None"):
        credential = Credential(issued.login.key, account.account_id, user.user_id, secret)
        assert house.sign_ins.check(credential, slug="clinic") is None
        assert house.sign_ins.end(credential, slug="clinic") is None


# --- inactivity ---


@pytest.mark.req("L12")
def test_240_minutes_without_a_page_end_it(house: House, clock: FakeClock, arrived: Arrived) -> None:
    clock.advance(240 * MINUTE - 1)
    assert isinstance(check(house, arrived, is_activity=False), Present)
    clock.advance(1)
    over = check(house, arrived)
    assert isinstance(over, Over)
    assert over.login.redirect_to_uri_on_expiry == ON_EXPIRY


@pytest.mark.parametrize("minutes", [1, 30, 600])
@pytest.mark.req("L12")
def test_the_account_sets_the_time(house: House, clock: FakeClock, minutes: int) -> None:
    account = open_account(house, "north", idle_timeout_minutes=minutes)
    arrived = sign_in(house, account, add_user(house, account))
    clock.advance(minutes * MINUTE - 1)
    assert isinstance(check(house, arrived, is_activity=False), Present)
    clock.advance(1)
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("L12")
def test_a_page_moves_the_deadline(house: House, clock: FakeClock, arrived: Arrived) -> None:
    for _ in range(5):
        clock.advance(239 * MINUTE)
        assert isinstance(check(house, arrived), Present)
    clock.advance(240 * MINUTE)
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("L12")
def test_the_deadline_moves_at_most_once_a_minute(house: House, clock: FakeClock, wire: Wire, arrived: Arrived) -> None:
    # given: ten minutes of a busy page, a request every five seconds
    assert EXTEND_EVERY == MINUTE
    with wire.counting() as calls:
        for _ in range(10 * 12):
            clock.advance(5 * SECOND)
            assert isinstance(check(house, arrived), Present)
    # then
    assert sum(call.operation == "UpdateItem" for call in calls) == 10
    # and never further behind than that minute
    clock.advance(240 * MINUTE - EXTEND_EVERY)
    assert isinstance(check(house, arrived, is_activity=False), Present)


@pytest.mark.req("L12")
def test_polling_by_an_open_page_is_no_activity(house: House, clock: FakeClock, wire: Wire, arrived: Arrived) -> None:
    with wire.counting() as calls:
        for _ in range(23):
            clock.advance(10 * MINUTE)
            assert isinstance(check(house, arrived, is_activity=False), Present)
    assert {call.operation for call in calls} == {"BatchGetItem"}
    clock.advance(10 * MINUTE)
    assert isinstance(check(house, arrived, is_activity=False), Over)


@pytest.mark.req("L12")
def test_nothing_brings_an_idle_sign_in_back(house: House, clock: FakeClock, arrived: Arrived) -> None:
    clock.advance(240 * MINUTE)
    for _ in range(3):
        assert isinstance(check(house, arrived), Over)
        clock.advance(MINUTE)


@pytest.mark.req("L12")
def test_an_absolute_limit_ends_it_however_active(house: House, clock: FakeClock) -> None:
    # given
    account = open_account(house, "north", idle_timeout_minutes=60, sign_in_lifetime_minutes=600)
    arrived = sign_in(house, account, add_user(house, account))
    # when
    for _ in range(19):
        clock.advance(30 * MINUTE)
        assert isinstance(check(house, arrived), Present)
    clock.advance(30 * MINUTE - 1)
    assert isinstance(check(house, arrived), Present)
    clock.advance(1)
    # then
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("L12")
def test_for_30_days_it_is_known_where_a_late_visitor_goes(house: House, clock: FakeClock, arrived: Arrived) -> None:
    clock.advance(DAY + 29 * DAY)
    over = check(house, arrived)
    assert isinstance(over, Over)
    assert over.login.redirect_to_uri_on_expiry == ON_EXPIRY


@pytest.mark.req("L03", "L12")
def test_a_revocation_between_reading_and_extending_counts(
    house: House, make_house: MakeHouse, clock: FakeClock, wire: Wire, arrived: Arrived
) -> None:
    # given
    clock.advance(HOUR)
    portal = make_house(2)
    # when: it was still good when it was read
    wire.before("UpdateItem", lambda: portal.sign_ins.end(arrived.credential, slug="clinic"))
    # then
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("R01")
def test_a_deadline_that_cannot_be_moved_just_now_signs_nobody_out(
    house: House, clock: FakeClock, wire: Wire, arrived: Arrived
) -> None:
    clock.advance(HOUR)
    wire.fail("UpdateItem", "ThrottlingException")
    assert isinstance(check(house, arrived), Present)
    # the next page moves it
    assert isinstance(check(house, arrived), Present)
    clock.advance(240 * MINUTE - 1)
    assert isinstance(check(house, arrived, is_activity=False), Present)


@pytest.mark.req("R01")
def test_an_outage_while_reading_is_neither_yes_nor_no(house: House, wire: Wire, arrived: Arrived) -> None:
    wire.fail("BatchGetItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        check(house, arrived)


# --- ended ---


@pytest.mark.req("L14")
def test_logout_ends_it_in_the_table_and_a_replayed_cookie_is_refused(
    house: House, make_house: MakeHouse, arrived: Arrived
) -> None:
    # when
    ended = house.sign_ins.end(arrived.credential, slug="clinic")
    # then
    assert ended is not None
    assert ended.redirect_to_uri_on_expiry == ON_EXPIRY
    assert isinstance(check(make_house(2), arrived), Over)


@pytest.mark.req("L14")
def test_signing_out_again_keeps_the_first_moment_and_still_knows_the_way(
    house: House, clock: FakeClock, arrived: Arrived
) -> None:
    first = house.sign_ins.end(arrived.credential, slug="clinic")
    clock.advance(HOUR)
    again = house.sign_ins.end(arrived.credential, slug="clinic")
    assert again == first


def test_signing_out_without_a_sign_in_is_nothing(house: House, account: Account, wire: Wire) -> None:
    with wire.counting() as calls:
        assert house.sign_ins.end(None, slug="clinic") is None
    assert calls == []
    unknown = Credential("0" * 64, account.account_id, "1", "s")
    assert house.sign_ins.end(unknown, slug="clinic") is None


@pytest.mark.req("L14")
def test_a_disabled_users_sign_ins_are_dead_at_once(
    house: House, account: Account, user: User, arrived: Arrived
) -> None:
    house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    assert isinstance(check(house, arrived), Over)
    # and live again when it was a mistake: nothing was lost
    house.users.change(account.account_id, user.user_id, {"status": Status.ACTIVE})
    assert isinstance(check(house, arrived), Present)


@pytest.mark.req("L14")
def test_a_deleted_users_sign_ins_are_dead_at_once(
    house: House, account: Account, user: User, arrived: Arrived
) -> None:
    house.users.delete(account.account_id, user.user_id)
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("L14")
def test_a_user_disabled_between_link_and_click_comes_no_further_than_the_door(
    house: House, account: Account, user: User
) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id)
    house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    arrived = house.login_uris.redeem(issued.guid, slug="clinic", browser=FIREFOX, held=None)
    assert arrived is None or isinstance(check(house, arrived), Over)


@pytest.mark.req("L14")
def test_sign_out_everywhere_ends_what_is_and_not_what_comes(
    house: House, clock: FakeClock, account: Account, user: User, arrived: Arrived
) -> None:
    # given
    other = sign_in(house, account, add_user(house, account))
    second = sign_in(house, account, user)
    clock.advance(SECOND)
    # when
    house.users.sign_out_everywhere(account.account_id, user.user_id)
    # then
    assert isinstance(check(house, arrived), Over)
    assert isinstance(check(house, second), Over)
    assert isinstance(check(house, other), Present)
    # when: a moment later they come in anew
    clock.advance(1)
    assert isinstance(check(house, sign_in(house, account, user)), Present)


@pytest.mark.req("L14")
def test_sign_out_everywhere_counts_in_the_very_millisecond(
    house: House, account: Account, user: User, arrived: Arrived
) -> None:
    house.users.sign_out_everywhere(account.account_id, user.user_id)
    assert isinstance(check(house, arrived), Over)


@pytest.mark.req("P05")
def test_sign_out_everywhere_of_an_unknown_user(house: House, account: Account, user: User) -> None:
    other = open_account(house, "other")
    with pytest.raises(NotFoundError):
        house.users.sign_out_everywhere(other.account_id, user.user_id)
