"""Login URIs: accepted once, for 15 seconds, by one browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from vestibule import ids
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.login_uris import DOUBLE_CLICK_WITHIN, REDEEM_WITHIN, Arrived, Browser, Issued, State
from vestibule.domain.sign_ins import Over, Present
from vestibule.errors import ForbiddenError, InvalidError, NotFoundError, UnavailableError
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

HERS = Browser("203.0.113.7", "Firefox")
SOMEBODY_ELSES = Browser("198.51.100.9", "curl")
UNKNOWN_GUID = "0" * 32


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, external_id="X-17")


@pytest.fixture
def issued(house: House, account: Account, user: User) -> Issued:
    return house.login_uris.issue(account, user_id=user.user_id)


def redeem(house: House, issued: Issued, browser: Browser = HERS, **further: Any) -> Arrived | None:
    return house.login_uris.redeem(issued.guid, **{"slug": "clinic", "held": None, **further}, browser=browser)


def is_signed_in(house: House, arrived: Arrived) -> bool:
    return isinstance(house.sign_ins.check(arrived.credential, slug=arrived.login.slug), Present)


def journal(moto_aws: MotoAws, settings: Settings) -> list[dict[str, str]]:
    return [
        {name: next(iter(value.values())) for name, value in item.items() if name != "facts"}
        | {name: value["S"] for name, value in item["facts"]["M"].items()}
        for item in moto_aws.stored(settings.journal_table)
    ]


# --- in time ---


@pytest.mark.parametrize(
    ("age", "is_accepted"), [(0, True), (14_900, True), (14_999, True), (15_000, False), (15_001, False), (DAY, False)]
)
@pytest.mark.req("L02")
def test_accepted_before_15_seconds_and_refused_from_then_on(
    house: House,
    clock: FakeClock,
    moto_aws: MotoAws,
    settings: Settings,
    issued: Issued,
    age: int,
    is_accepted: bool,  # noqa: FBT001
) -> None:
    # given: the row still stands, as TTL comes days late
    assert REDEEM_WITHIN == 15_000
    clock.advance(age)
    assert len(moto_aws.stored(settings.passes_table)) == 1
    # when
    arrived = redeem(house, issued)
    # then
    assert (arrived is not None) is is_accepted
    assert house.login_uris.state_of(house.login_uris.find(issued.login.account_id, issued.guid)) is (
        State.REDEEMED if is_accepted else State.EXPIRED
    )


@pytest.mark.req("L04")
def test_the_table_holds_neither_the_guid_nor_the_sign_ins_secret(
    house: House, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    arrived = redeem(house, issued)
    assert arrived is not None
    for table in (settings.passes_table, settings.directory_table, settings.journal_table):
        held = json.dumps(moto_aws.stored(table))
        assert issued.guid not in held
        assert arrived.credential.secret not in held


def test_the_row_outlives_every_deadline_by_30_days(moto_aws: MotoAws, settings: Settings, issued: Issued) -> None:
    (row,) = moto_aws.stored(settings.passes_table)
    last_deadline = issued.login.redeem_before + issued.login.lifetime
    assert int(row["ttl"]["N"]) * 1_000 >= last_deadline + 30 * DAY


# --- once ---


@pytest.mark.req("L01", "L08")
def test_the_first_browser_gets_in_and_everybody_else_one_answer(house: House, issued: Issued) -> None:
    # given
    first = redeem(house, issued)
    assert first is not None
    assert first.is_new
    # when, then
    assert redeem(house, issued) is None
    assert redeem(house, issued, SOMEBODY_ELSES) is None
    assert house.login_uris.redeem(UNKNOWN_GUID, slug="clinic", browser=HERS, held=None) is None
    assert is_signed_in(house, first)


@pytest.mark.parametrize("guid", ["", "x", "0" * 31, "G" * 32, "0" * 33, "../" * 8, "\ud800" * 32, "0" * 5_000])
@pytest.mark.req("L08")
def test_what_is_no_guid_costs_no_call(house: House, wire: Wire, guid: str) -> None:
    with wire.counting() as calls:
        assert house.login_uris.redeem(guid, slug="clinic", browser=HERS, held=None) is None
    assert calls == []


@pytest.mark.req("L20")
def test_it_opens_on_its_own_accounts_host_alone(house: House, issued: Issued) -> None:
    assert redeem(house, issued, slug="other") is None
    assert redeem(house, issued, slug="") is None
    assert redeem(house, issued) is not None


@pytest.mark.req("L09")
def test_the_same_browser_again_goes_on_without_a_second_sign_in(
    house: House, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    # given
    first = redeem(house, issued)
    assert first is not None
    before = moto_aws.stored(settings.passes_table)
    # when: reload, back, double click
    again = redeem(house, issued, held=first.credential)
    # then
    assert again is not None
    assert not again.is_new
    assert again.credential == first.credential
    assert moto_aws.stored(settings.passes_table) == before
    assert moto_aws.stored(settings.journal_table) == []


@pytest.mark.req("L09", "L14")
def test_the_same_browser_does_not_come_back_by_a_used_link_once_it_is_signed_out(house: House, issued: Issued) -> None:
    first = redeem(house, issued)
    assert first is not None
    house.sign_ins.end(first.credential, slug="clinic")
    assert redeem(house, issued, held=first.credential) is None


@pytest.mark.req("L09")
def test_a_cookie_of_the_right_name_and_another_secret_is_somebody_else(house: House, issued: Issued) -> None:
    first = redeem(house, issued)
    assert first is not None
    forged = type(first.credential)(
        first.credential.key, first.credential.account_id, first.credential.user_id, "x" * 43
    )
    assert redeem(house, issued, held=forged) is None


# --- used again ---


@pytest.mark.req("L09", "L10")
def test_a_double_click_without_a_cookie_is_no_audit_event(
    house: House, clock: FakeClock, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    # given: both requests left the browser before the first answer's cookie came in
    assert redeem(house, issued) is not None
    clock.advance(DOUBLE_CLICK_WITHIN - 1)
    # when
    assert redeem(house, issued) is None
    # then
    assert journal(moto_aws, settings) == []
    # when: the same browser a moment later is no double click any more
    clock.advance(1)
    assert redeem(house, issued) is None
    assert len(journal(moto_aws, settings)) == 1


@pytest.mark.req("L10")
def test_a_second_redemption_by_somebody_else_is_an_audit_event(
    house: House, clock: FakeClock, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    # given
    first = redeem(house, issued)
    assert first is not None
    clock.advance(5_000)
    # when
    assert redeem(house, issued, SOMEBODY_ELSES) is None
    # then
    (event,) = journal(moto_aws, settings)
    assert event["kind"] == "login_uri.reused"
    assert event["account_id"] == issued.login.account_id
    assert event["subject"] == f"login#{issued.login.key}"
    assert event["user_id"] == issued.login.user_id
    assert event["address"] == SOMEBODY_ELSES.address
    assert event["at"] == str(START + 5_000)
    assert issued.guid not in json.dumps(event)
    assert is_signed_in(house, first)


@pytest.mark.req("L10")
def test_every_attempt_is_an_event_of_its_own(
    house: House, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    assert redeem(house, issued) is not None
    for _ in range(3):
        assert redeem(house, issued, SOMEBODY_ELSES) is None
    assert len({event["event_id"] for event in journal(moto_aws, settings)}) == 3


@pytest.mark.req("L10")
def test_with_revoke_on_reuse_the_first_sign_in_ends(house: House, moto_aws: MotoAws, settings: Settings) -> None:
    # given
    account = open_account(house, "strict", revoke_on_reuse=True)
    user = add_user(house, account)
    issued = house.login_uris.issue(account, user_id=user.user_id)
    first = redeem(house, issued, slug="strict")
    assert first is not None
    # when: a double click ends nothing
    assert redeem(house, issued, slug="strict") is None
    assert is_signed_in(house, first)
    # when: somebody else does
    assert redeem(house, issued, SOMEBODY_ELSES, slug="strict") is None
    # then
    assert not is_signed_in(house, first)
    assert len(journal(moto_aws, settings)) == 1


@pytest.mark.req("L10", "R01")
def test_a_reuse_that_cannot_be_recorded_is_an_outage_not_silence(house: House, wire: Wire, issued: Issued) -> None:
    assert redeem(house, issued) is not None
    wire.fail("PutItem", "ProvisionedThroughputExceededException")
    with pytest.raises(UnavailableError):
        redeem(house, issued, SOMEBODY_ELSES)


@pytest.mark.req("L10")
def test_an_expired_link_that_nobody_used_is_no_event(
    house: House, clock: FakeClock, moto_aws: MotoAws, settings: Settings, issued: Issued
) -> None:
    clock.advance(REDEEM_WITHIN)
    assert redeem(house, issued, SOMEBODY_ELSES) is None
    assert journal(moto_aws, settings) == []


# --- the SDK asks again ---


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.req("L11")
def test_the_sdks_retry_after_a_lost_answer_succeeds(
    house: House, wire: Wire, moto_aws: MotoAws, settings: Settings, issued: Issued, lost: int
) -> None:
    # given: the write takes effect, and its answer never arrives
    wire.lose_answer("UpdateItem", times=lost)
    wire.attempts = 0
    # when
    arrived = redeem(house, issued)
    # then: the SDK's own next attempt failed its condition, and was recognised
    assert wire.attempts == 1 + lost
    assert arrived is not None
    assert is_signed_in(house, arrived)
    assert journal(moto_aws, settings) == []


@pytest.mark.req("L11", "R01")
def test_when_every_answer_is_lost_the_person_is_told_to_try_again_and_can(
    house: House, wire: Wire, clock: FakeClock, issued: Issued
) -> None:
    # given
    wire.lose_answer("UpdateItem", times=3)
    # when
    with pytest.raises(UnavailableError):
        redeem(house, issued)
    # then: neither a yes nor a second sign-in; the page says so and the portal may issue another
    assert redeem(house, issued) is None


@pytest.mark.req("L11", "L03")
def test_a_revocation_between_the_lost_answer_and_the_retry_wins(
    house: House, make_house: MakeHouse, account: Account, wire: Wire, issued: Issued
) -> None:
    # given: the first attempt acts and its answer is lost; before the second the portal revokes
    portal = make_house(seed=2)
    wire.lose_answer("UpdateItem", then=lambda: portal.login_uris.revoke(account, issued.guid))
    # when
    arrived = redeem(house, issued)
    # then
    assert arrived is None
    assert house.login_uris.state_of(house.login_uris.find(account.account_id, issued.guid)) is State.REVOKED


@pytest.mark.req("L11")
def test_an_issue_whose_answer_is_lost_is_written_once(
    house: House, wire: Wire, moto_aws: MotoAws, settings: Settings, account: Account, user: User
) -> None:
    wire.lose_answer("PutItem")
    issued = house.login_uris.issue(account, user_id=user.user_id)
    assert len(moto_aws.stored(settings.passes_table)) == 1
    assert redeem(house, issued) is not None


# --- revoked ---


@pytest.mark.req("L03")
def test_revoked_before_it_is_refused(house: House, account: Account, issued: Issued) -> None:
    house.login_uris.revoke(account, issued.guid)
    assert redeem(house, issued) is None
    assert house.login_uris.state_of(house.login_uris.find(account.account_id, issued.guid)) is State.REVOKED


@pytest.mark.req("L03")
def test_revoked_after_the_sign_in_is_dead_on_the_next_request(house: House, account: Account, issued: Issued) -> None:
    # given
    arrived = redeem(house, issued)
    assert arrived is not None
    assert is_signed_in(house, arrived)
    # when
    house.login_uris.revoke(account, issued.guid)
    # then
    assert isinstance(house.sign_ins.check(arrived.credential, slug="clinic"), Over)
    assert redeem(house, issued, held=arrived.credential) is None


@pytest.mark.req("L03")
def test_revoking_again_keeps_the_first_moment(
    house: House, clock: FakeClock, account: Account, issued: Issued
) -> None:
    house.login_uris.revoke(account, issued.guid)
    clock.advance(HOUR)
    house.login_uris.revoke(account, issued.guid)
    assert house.login_uris.find(account.account_id, issued.guid).revoked_at == START


@pytest.mark.parametrize("who_is_first", ["revoke", "redeem"])
@pytest.mark.req("L03")
def test_in_a_race_one_of_the_two_outcomes_and_never_both(
    house: House, make_house: MakeHouse, account: Account, wire: Wire, issued: Issued, who_is_first: str
) -> None:
    # given: two workers; the second acts between the first one's decision and its write
    other = make_house(seed=2)
    arrived: Arrived | None
    if who_is_first == "revoke":
        wire.before("UpdateItem", lambda: other.login_uris.revoke(account, issued.guid))
        arrived = redeem(house, issued)
        assert arrived is None
    else:
        signed_in: list[Arrived | None] = []
        wire.before("UpdateItem", lambda: signed_in.append(redeem(other, issued)))
        house.login_uris.revoke(account, issued.guid)
        (arrived,) = signed_in
        assert arrived is not None
    # then
    assert arrived is None or not is_signed_in(house, arrived)


@pytest.mark.req("L03")
def test_an_account_may_spare_sign_ins_that_exist(house: House) -> None:
    # given
    account = open_account(house, "lenient", revoke_ends_sign_in=False)
    user = add_user(house, account)
    used = house.login_uris.issue(account, user_id=user.user_id)
    unused = house.login_uris.issue(account, user_id=user.user_id)
    arrived = redeem(house, used, slug="lenient")
    assert arrived is not None
    # when
    house.login_uris.revoke(account, used.guid)
    house.login_uris.revoke(account, unused.guid)
    # then
    assert is_signed_in(house, arrived)
    assert redeem(house, unused, slug="lenient") is None


@pytest.mark.parametrize("guid", [UNKNOWN_GUID, "x", "", "0" * 31])
@pytest.mark.req("P05")
def test_an_unknown_guid_is_not_found(house: House, account: Account, guid: str) -> None:
    with pytest.raises(NotFoundError):
        house.login_uris.revoke(account, guid)
    with pytest.raises(NotFoundError):
        house.login_uris.find(account.account_id, guid)


@pytest.mark.parametrize("revoke_ends_sign_in", [True, False])
@pytest.mark.req("P05")
def test_another_accounts_guid_is_not_found_and_stays_good(
    house: House,
    issued: Issued,
    revoke_ends_sign_in: bool,  # noqa: FBT001
) -> None:
    # given
    other = open_account(house, "other", revoke_ends_sign_in=revoke_ends_sign_in)
    # when
    with pytest.raises(NotFoundError):
        house.login_uris.revoke(other, issued.guid)
    with pytest.raises(NotFoundError):
        house.login_uris.find(other.account_id, issued.guid)
    # then
    assert redeem(house, issued) is not None
    # also once it is redeemed
    with pytest.raises(NotFoundError):
        house.login_uris.revoke(other, issued.guid)


# --- issued ---


def test_an_issued_login_knows_what_redeeming_needs(house: House, moto_aws: MotoAws, settings: Settings) -> None:
    # given
    account = open_account(house, "north", idle_timeout_minutes=30, sign_in_lifetime_minutes=600, revoke_on_reuse=True)
    user = add_user(house, account)
    # when
    issued = house.login_uris.issue(
        account,
        user_id=user.user_id,
        redirect_to_uri_on_expiry="https://portal.example/bye",
        next_path="/dashboard?scrollTo=5",
    )
    # then
    assert ids.is_login_guid(issued.guid)
    assert issued.login.key == ids.digest(issued.guid)
    assert issued.login.redeem_before == START + 15_000
    assert (issued.login.idle_timeout, issued.login.lifetime) == (30 * MINUTE, 600 * MINUTE)
    assert issued.login.end_on_reuse
    assert house.login_uris.find(account.account_id, issued.guid) == issued.login
    assert house.login_uris.state_of(issued.login) is State.ISSUED


@pytest.mark.req("L16")
def test_both_names_of_a_user_issue_for_the_same_person(house: House, account: Account, user: User) -> None:
    assert house.login_uris.issue(account, user_id=user.user_id).login.user_id == user.user_id
    assert house.login_uris.issue(account, external_id="X-17").login.user_id == user.user_id


@pytest.mark.req("L16")
def test_no_login_uri_for_an_unknown_user(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    for who in ({"user_id": "99999999"}, {"external_id": "nobody"}, {"user_id": ""}, {"external_id": "x-17"}):
        with pytest.raises(NotFoundError) as refused:
            house.login_uris.issue(account, **who)
        assert refused.value.code == "user_not_found"
    assert moto_aws.stored(settings.passes_table) == []


@pytest.mark.req("L16", "P04")
@pytest.mark.parametrize("text", ["x" * 3_000, "\u00fc" * 1_100, "\ud800", "a\x00b"])
def test_a_name_that_no_user_can_have_is_an_unknown_user(house: House, account: Account, text: str) -> None:
    for who in ({"user_id": text}, {"external_id": text}):
        with pytest.raises(NotFoundError):
            house.login_uris.issue(account, **who)


@pytest.mark.req("L16", "P05")
def test_no_login_uri_for_a_user_of_another_account(house: House, user: User) -> None:
    other = open_account(house, "other")
    for who in ({"user_id": user.user_id}, {"external_id": "X-17"}):
        with pytest.raises(NotFoundError):
            house.login_uris.issue(other, **who)


@pytest.mark.req("L16")
def test_no_login_uri_for_a_disabled_user(house: House, account: Account, user: User) -> None:
    # given
    house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    # when, then
    for who in ({"user_id": user.user_id}, {"external_id": "X-17"}):
        with pytest.raises(ForbiddenError) as refused:
            house.login_uris.issue(account, **who)
        assert refused.value.code == "user_disabled"
    # when: enabled again
    house.users.change(account.account_id, user.user_id, {"status": Status.ACTIVE})
    assert house.login_uris.issue(account, external_id="X-17").guid


@pytest.mark.req("L16")
def test_no_login_uri_for_a_deleted_user(house: House, account: Account, user: User) -> None:
    house.users.delete(account.account_id, user.user_id)
    for who in ({"user_id": user.user_id}, {"external_id": "X-17"}):
        with pytest.raises(NotFoundError):
            house.login_uris.issue(account, **who)


@pytest.mark.req("L16")
def test_no_login_uri_for_a_disabled_account(house: House, clock: FakeClock, account: Account, user: User) -> None:
    house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    with pytest.raises(ForbiddenError) as refused:
        house.login_uris.issue(house.accounts.current(account.account_id), user_id=user.user_id)
    assert refused.value.code == "account_disabled"


@pytest.mark.req("L07")
def test_a_redirect_outside_the_list_issues_nothing(
    house: House, account: Account, user: User, moto_aws: MotoAws, settings: Settings
) -> None:
    with pytest.raises(InvalidError) as refused:
        house.login_uris.issue(
            account, user_id=user.user_id, redirect_to_uri_on_expiry="https://evil.example", next_path="//evil.example"
        )
    assert [(e.field, e.code) for e in refused.value.errors] == [
        ("redirect_to_uri_on_expiry", "redirect_not_allowed"),
        ("next", "invalid_path"),
    ]
    assert moto_aws.stored(settings.passes_table) == []


# --- states ---


@pytest.mark.req("L12", "L14")
def test_the_states_of_a_life(house: House, clock: FakeClock, account: Account, user: User) -> None:
    def state(of: Issued) -> State:
        return house.login_uris.state_of(house.login_uris.find(account.account_id, of.guid))

    issued = house.login_uris.issue(account, user_id=user.user_id)
    forgotten = house.login_uris.issue(account, user_id=user.user_id)
    assert (state(issued), state(forgotten)) == (State.ISSUED, State.ISSUED)

    arrived = redeem(house, issued)
    assert arrived is not None
    clock.advance(REDEEM_WITHIN)
    assert (state(issued), state(forgotten)) == (State.REDEEMED, State.EXPIRED)

    house.sign_ins.end(arrived.credential, slug="clinic")
    assert state(issued) is State.ENDED

    house.login_uris.revoke(account, forgotten.guid)
    assert state(forgotten) is State.REVOKED


@pytest.mark.parametrize("minutes", [240, 30])
@pytest.mark.req("L12")
def test_a_sign_in_that_ran_out_is_an_ended_one(house: House, clock: FakeClock, minutes: int) -> None:
    account = open_account(house, "north", idle_timeout_minutes=minutes)
    user = add_user(house, account)
    issued = house.login_uris.issue(account, user_id=user.user_id)
    assert redeem(house, issued, slug="north") is not None
    clock.advance(minutes * MINUTE - 1)
    found = house.login_uris.find(account.account_id, issued.guid)
    assert house.login_uris.state_of(found) is State.REDEEMED
    clock.advance(1)
    assert house.login_uris.state_of(found) is State.ENDED


# --- another sign-in in the same browser ---


@pytest.mark.req("L13")
def test_an_arriving_login_ends_the_sign_in_that_the_browser_held(house: House, account: Account, user: User) -> None:
    # given
    first = redeem(house, house.login_uris.issue(account, user_id=user.user_id))
    assert first is not None
    # when: the same person arrives anew
    second = redeem(house, house.login_uris.issue(account, user_id=user.user_id), held=first.credential)
    # then
    assert second is not None
    assert second.is_new
    assert not second.took_over
    assert second.credential.secret != first.credential.secret
    assert not is_signed_in(house, first)
    assert is_signed_in(house, second)


@pytest.mark.req("L13")
def test_an_arriving_login_of_another_person_says_so(house: House, account: Account, user: User) -> None:
    other = add_user(house, account, full_name="Ben Okafor")
    first = redeem(house, house.login_uris.issue(account, user_id=user.user_id))
    assert first is not None
    second = redeem(house, house.login_uris.issue(account, user_id=other.user_id), held=first.credential)
    assert second is not None
    assert second.took_over
    assert not is_signed_in(house, first)


@pytest.mark.req("L13")
def test_a_cookie_that_proves_nothing_ends_nobodys_sign_in(house: House, account: Account, user: User) -> None:
    # given: somebody else's sign-in, of which the browser knows the key alone
    first = redeem(house, house.login_uris.issue(account, user_id=user.user_id))
    assert first is not None
    forged = type(first.credential)(first.credential.key, account.account_id, user.user_id, "x" * 43)
    # when
    second = redeem(house, house.login_uris.issue(account, user_id=user.user_id), held=forged)
    # then
    assert second is not None
    assert not second.took_over
    assert is_signed_in(house, first)


@pytest.mark.req("L13")
def test_a_refused_link_leaves_the_held_sign_in_alone(house: House, account: Account, user: User) -> None:
    first = redeem(house, house.login_uris.issue(account, user_id=user.user_id))
    assert first is not None
    assert house.login_uris.redeem(UNKNOWN_GUID, slug="clinic", browser=HERS, held=first.credential) is None
    assert is_signed_in(house, first)


@pytest.mark.req("L13", "R01")
def test_the_person_is_in_also_when_the_held_sign_in_cannot_be_ended(
    house: House, account: Account, user: User, wire: Wire
) -> None:
    # given
    first = redeem(house, house.login_uris.issue(account, user_id=user.user_id))
    assert first is not None
    issued = house.login_uris.issue(account, user_id=user.user_id)
    # when: the second of the two writes fails
    wire.fail("UpdateItem", "InternalServerError", skip=1)
    second = redeem(house, issued, held=first.credential)
    # then
    assert second is not None
    assert is_signed_in(house, second)


# --- out of order ---


@pytest.mark.req("R01")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_an_outage_while_issuing_is_an_outage(
    house: House, account: Account, user: User, wire: Wire, operation: str
) -> None:
    wire.fail(operation, "InternalServerError")
    with pytest.raises(UnavailableError):
        house.login_uris.issue(account, user_id=user.user_id)


@pytest.mark.req("R01")
def test_an_outage_while_redeeming_leaves_the_link_good(house: House, wire: Wire, issued: Issued) -> None:
    wire.fail("UpdateItem", "ThrottlingException")
    with pytest.raises(UnavailableError):
        redeem(house, issued)
    assert redeem(house, issued) is not None
