"""Signing in by name and password: who gets in, who does not, and that nobody learns why."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import typer
from argon2 import PasswordHasher

from tests.support.events import ADDRESS
from tests.support.house import add_user, open_account
from tools import operate
from vestibule.clock import MINUTE, to_epoch_seconds
from vestibule.domain import password_sign_ins, passwords
from vestibule.domain.guesses import PASSWORDS_FROM_NETWORK, PASSWORDS_OF_USER, Limit
from vestibule.domain.login_uris import Arrived, Browser
from vestibule.domain.sign_ins import Present
from vestibule.domain.users import SHARED_BY_AT_MOST
from vestibule.errors import UnavailableError
from vestibule.model import Status
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

RIGHT = "correct horse battery"
WRONG = "incorrect horse battery"
FIREFOX = Browser(ADDRESS, "Firefox")
FEW = Limit("few", most=3, within=MINUTE)
FORGOTTEN = "wrong guesses are forgotten"


@pytest.fixture(autouse=True)
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make hashing as light as can be, and list which hashes are checked."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    checked: list[str] = []

    class Watched:
        hash = hasher.hash
        check_needs_rehash = hasher.check_needs_rehash

        def verify(self, stored: str, password: bytes) -> bool:
            checked.append(stored)
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Watched)
    return checked


@pytest.fixture
def user(house: House, account: Account, light_hashes: list[str]) -> User:
    assert light_hashes == []
    return add_user(house, account, username="Maria.L", email="Maria@example.org", password=RIGHT)


def sign_in(
    house: House, account: Account, name: str, password: str = RIGHT, *, browser: Browser = FIREFOX, **further: Any
) -> Arrived | None:
    return house.password_sign_ins.sign_in(account, name, password, browser=browser, held=further.get("held"))


def use_up(house: House, account: Account, name: str) -> None:
    """Give a wrong password from ever new addresses, as often as there are tries."""
    for number in range(PASSWORDS_OF_USER.most):
        assert sign_in(house, account, name, WRONG, browser=Browser(f"198.51.100.{number}", "")) is None


# --- who gets in ---


@pytest.mark.req("L17")
@pytest.mark.parametrize("name", ["Maria.L", "maria.l", " MARIA.L ", "Maria@example.org", "maria@EXAMPLE.org"])
def test_a_name_or_an_address_in_any_case_signs_in(house: House, account: Account, user: User, name: str) -> None:
    # when
    arrived = sign_in(house, account, name)
    # then: a sign-in like every other
    assert arrived is not None
    found = house.sign_ins.check(arrived.credential, slug=account.slug)
    assert isinstance(found, Present)
    assert found.user.user_id == user.user_id
    assert arrived.login.idle_timeout == account.idle_timeout_minutes * MINUTE
    assert arrived.login.lifetime == account.sign_in_lifetime_minutes * MINUTE


@pytest.mark.req("L12", "L14")
def test_such_a_sign_in_ends_in_every_way(house: House, clock: FakeClock, account: Account, user: User) -> None:
    def present(arrived: Arrived | None) -> bool:
        assert arrived is not None
        return isinstance(house.sign_ins.check(arrived.credential, slug=account.slug), Present)

    idle = sign_in(house, account, "maria.l")
    clock.advance(account.idle_timeout_minutes * MINUTE)
    assert not present(idle)
    left = sign_in(house, account, "maria.l")
    assert left is not None
    house.sign_ins.end(left.credential, slug=account.slug)
    assert not present(left)
    everywhere = sign_in(house, account, "maria.l")
    house.users.sign_out_everywhere(account.account_id, user.user_id)
    assert not present(everywhere)
    clock.advance(1)
    disabled = sign_in(house, account, "maria.l")
    assert present(disabled)
    house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    assert not present(disabled)


@pytest.mark.req("L13")
def test_it_replaces_the_sign_in_that_was_there(house: House, account: Account, user: User) -> None:
    # given
    other = add_user(house, account, full_name="Grace Hopper", username="grace", password=RIGHT)
    first = sign_in(house, account, "grace")
    assert first is not None
    # when
    second = sign_in(house, account, "maria.l", held=first.credential)
    # then
    assert second is not None
    assert second.took_over
    assert other.user_id != user.user_id == second.login.user_id
    assert not isinstance(house.sign_ins.check(first.credential, slug=account.slug), Present)
    again = sign_in(house, account, "maria.l", held=second.credential)
    assert again is not None
    assert not again.took_over


@pytest.mark.req("L17")
def test_of_people_who_share_an_address_the_password_tells_who_it_is(house: House, account: Account) -> None:
    # given
    people = [
        add_user(house, account, email="family@example.org", password=f"{number} correct horses")
        for number in range(SHARED_BY_AT_MOST)
    ]
    # then
    for number, person in enumerate(people):
        arrived = sign_in(house, account, "family@example.org", f"{number} correct horses")
        assert arrived is not None
        assert arrived.login.user_id == person.user_id
    # and of more of them nobody is guessed at, but for a user name that looks like an address
    last = add_user(house, account, email="family@example.org", password=RIGHT)
    assert sign_in(house, account, "family@example.org", RIGHT) is None
    house.users.change(account.account_id, last.user_id, {"username": "family@example.org"})
    assert sign_in(house, account, "family@example.org", RIGHT) is not None


@pytest.mark.req("L17")
def test_a_password_that_fits_two_of_them_is_nobodys(house: House, account: Account) -> None:
    for _ in range(2):
        add_user(house, account, email="family@example.org", password=RIGHT)
    assert sign_in(house, account, "family@example.org") is None


# --- who does not ---


@pytest.mark.req("L17", "L16")
@pytest.mark.parametrize("who", ["wrong", "unknown", "disabled", "without", "another's", "empty", "long"])
def test_everybody_else_is_refused_alike_after_one_passwords_work(
    house: House, account: Account, user: User, light_hashes: list[str], who: str
) -> None:
    # given
    name, password = "maria.l", RIGHT
    match who:
        case "wrong":
            password = WRONG
        case "unknown":
            name = "nobody"
        case "disabled":
            house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
        case "without":
            house.users.change(account.account_id, user.user_id, {"password": None})
        case "another's":
            account = open_account(house, "another")
        case "empty":
            name = ""
        case "long":
            name = "x" * 5_000
    light_hashes.clear()
    # when
    arrived = sign_in(house, account, name, password)
    # then
    assert arrived is None
    assert len(light_hashes) == 1


@pytest.mark.req("L17")
def test_a_password_that_was_changed_counts_at_once(house: House, account: Account, user: User) -> None:
    house.users.change(account.account_id, user.user_id, {"password": "another horse altogether"})
    assert sign_in(house, account, "maria.l") is None
    assert sign_in(house, account, "maria.l", "another horse altogether") is not None


# --- hashes ---


def test_hashing_follows_the_stated_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    # given: the real thing
    monkeypatch.undo()
    stored = passwords.hashed(RIGHT)
    # then
    assert stored.startswith(f"$argon2id$v=19$m={passwords.MEMORY_KIB},t={passwords.PASSES},p={passwords.LANES}$")
    assert passwords.is_right(RIGHT, stored)
    assert not passwords.is_right(WRONG, stored)
    assert not passwords.is_right(RIGHT, None)
    # nobody's hash costs what everybody's does
    assert not passwords.is_outdated(passwords._NOBODYS)  # noqa: SLF001
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(RIGHT))


@pytest.mark.req("L17")
def test_a_hash_of_former_parameters_is_renewed_by_its_owner(
    house: House, account: Account, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    stronger = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    # when
    assert sign_in(house, account, "maria.l", WRONG) is None
    assert house.users.get(account.account_id, user.user_id).password_hash == user.password_hash
    assert sign_in(house, account, "maria.l") is not None
    # then
    renewed = house.users.get(account.account_id, user.user_id)
    assert renewed.password_hash is not None
    assert "t=2" in renewed.password_hash
    assert renewed.version == user.version
    assert sign_in(house, account, "maria.l") is not None


def test_a_password_that_is_set_at_that_moment_is_not_undone(
    house: House, account: Account, user: User, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the portal sets a new password between the check and the renewal
    stronger = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: stronger)
    wire.before("PutItem", lambda: None, times=2)  # the two counters of the sign-in are puts as well
    wire.before("PutItem", lambda: house.users.change(account.account_id, user.user_id, {"password": "a new horse"}))
    # when
    assert sign_in(house, account, "maria.l") is not None
    # then
    assert sign_in(house, account, "maria.l") is None
    assert sign_in(house, account, "maria.l", "a new horse") is not None


# --- how often ---


@pytest.mark.req("L17")
@pytest.mark.parametrize("name", ["maria.l", "nobody", "nobody@example.org"])
def test_after_too_many_wrong_passwords_none_is_looked_at_for_a_while(
    house: House, clock: FakeClock, account: Account, user: User, light_hashes: list[str], name: str
) -> None:
    # given
    start = clock.now
    use_up(house, account, name)
    light_hashes.clear()
    # then: known or not, the same
    for password in (RIGHT, WRONG):
        with pytest.raises(BlockedError) as refused:
            sign_in(house, account, name, password)
        assert refused.value.until == start + PASSWORDS_OF_USER.within
    assert light_hashes == []
    # and until the last millisecond, however late the last wrong one was
    clock.advance(PASSWORDS_OF_USER.within - 1)
    with pytest.raises(BlockedError):
        sign_in(house, account, name)
    clock.advance(1)
    assert (sign_in(house, account, name) is not None) is (name == "maria.l")
    assert user.username == "Maria.L"


@pytest.mark.req("L17")
def test_a_users_names_share_their_tries(house: House, account: Account, user: User) -> None:
    use_up(house, account, user.email or "")
    with pytest.raises(BlockedError):
        sign_in(house, account, user.username or "")


@pytest.mark.req("L17")
def test_an_address_has_so_many_tries_whatever_the_names(
    house: House, account: Account, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: an attacker who spreads guesses over names, and moves inside one network
    monkeypatch.setattr(password_sign_ins, "PASSWORDS_FROM_NETWORK", replace(PASSWORDS_FROM_NETWORK, most=FEW.most))
    for number in range(FEW.most):
        assert sign_in(house, account, f"name{number}", browser=Browser(f"2001:db8::{number:x}", "")) is None
    # then
    with pytest.raises(BlockedError):
        sign_in(house, account, user.username or "", browser=Browser("2001:db8::ffff:1", ""))
    assert sign_in(house, account, user.username or "", browser=Browser("2001:db8:0:1::1", "")) is not None


@pytest.mark.req("L17")
def test_right_passwords_use_nothing_up(
    house: House, account: Account, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password_sign_ins, "PASSWORDS_FROM_NETWORK", FEW)
    for _ in range(max(FEW.most, PASSWORDS_OF_USER.most) + 1):
        assert sign_in(house, account, user.username or "") is not None


@pytest.mark.req("L17")
def test_an_operator_can_lift_it(house: House, account: Account, user: User) -> None:
    use_up(house, account, "maria.l")
    assert house.guesses.lift(PASSWORDS_OF_USER, account.account_id, user.user_id)
    assert not house.guesses.lift(PASSWORDS_OF_USER, account.account_id, user.user_id)
    assert sign_in(house, account, "maria.l") is not None


@pytest.mark.req("L17")
def test_by_the_operators_command_too(
    house: House,
    account: Account,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # given
    context: Any = SimpleNamespace(obj=SimpleNamespace(house=house))
    use_up(house, account, "maria.l")
    monkeypatch.setattr(password_sign_ins, "PASSWORDS_FROM_NETWORK", replace(PASSWORDS_FROM_NETWORK, most=FEW.most))
    for number in range(FEW.most):
        sign_in(house, account, f"nobody{number}", browser=Browser("2001:db8::1", ""))
    # when
    operate.unblock(context, account_id=account.account_id, user_id=user.user_id, address="2001:db8::2")
    # then
    assert sign_in(house, account, "maria.l", browser=Browser("2001:db8::3", "")) is not None
    assert capsys.readouterr().out == f"2001:db8::/64: {FORGOTTEN}\nuser {user.user_id}: {FORGOTTEN}\n"
    for incomplete in ({}, {"account_id": "1"}, {"user_id": "1"}, {"user_id": "1", "address": "::1"}):
        with pytest.raises(typer.BadParameter):
            operate.unblock(context, **incomplete)
    # and where there is nothing to forget it says so
    operate.unblock(context, address="192.0.2.9")
    assert capsys.readouterr().out == "192.0.2.9: no wrong guesses are known\n"


@pytest.mark.req("L17")
def test_the_last_wrong_password_is_on_record(
    house: House, account: Account, user: User, moto_aws: MotoAws, settings: Settings
) -> None:
    # when
    use_up(house, account, "nobody")
    use_up(house, account, "maria.l")
    # then: once, and for a user alone
    (event,) = moto_aws.stored(settings.journal_table)
    assert event["kind"] == {"S": "password.tries_used_up"}
    assert event["facts"]["M"]["user_id"] == {"S": user.user_id}


@pytest.mark.req("L04")
def test_the_counters_show_neither_names_nor_addresses_and_go_by_themselves(
    house: House, clock: FakeClock, account: Account, user: User, moto_aws: MotoAws, settings: Settings
) -> None:
    # given: among them a password in the wrong field
    for name in ("maria.l", RIGHT):
        assert sign_in(house, account, name, WRONG) is None
    # then
    stored = [item for item in moto_aws.stored(settings.passes_table) if item["pk"]["S"].startswith("guesses#")]
    assert len(stored) == 3
    for item in stored:
        assert not any(text in str(item) for text in (RIGHT, ADDRESS, user.user_id, account.account_id, "maria"))
        assert int(item["ttl"]["N"]) > to_epoch_seconds(clock.now + PASSWORDS_OF_USER.within)


@pytest.mark.req("R01")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "UpdateItem"])
def test_an_outage_is_neither_yes_nor_no(
    house: House, account: Account, user: User, wire: Wire, operation: str
) -> None:
    wire.fail(operation, "InternalServerError", times=9)
    with pytest.raises(UnavailableError):
        sign_in(house, account, user.username or "")


@pytest.mark.parametrize("answers", [1, 2])
def test_guesses_that_begin_at_the_same_moment_are_all_counted(
    make_house: MakeHouse, house: House, wire: Wire, answers: int
) -> None:
    # given: somebody else's first try comes in just before the writes of this one
    other = make_house(seed=2)
    wire.before("PutItem", lambda: other.guesses.count(FEW, "x"))
    # when
    for _ in range(answers):
        house.guesses.count(FEW, "x")
    # then
    for _ in range(FEW.most - 1 - answers):
        house.guesses.count(FEW, "x")
    with pytest.raises(BlockedError):
        house.guesses.count(FEW, "x")


def test_a_guess_goes_back_only_to_the_counter_that_counted_it(house: House, clock: FakeClock) -> None:
    # given
    old = house.guesses.count(FEW, "x")
    clock.advance(FEW.within)
    *_, last = [house.guesses.count(FEW, "x") for _ in range(FEW.most)]
    assert last.is_last
    # when
    house.guesses.was_right(old)
    # then
    with pytest.raises(BlockedError):
        house.guesses.count(FEW, "x")
    house.guesses.was_right(last)
    house.guesses.count(FEW, "x")


@pytest.mark.req("R01")
def test_a_guess_that_cannot_be_given_back_signs_in_all_the_same(
    house: House, account: Account, user: User, wire: Wire
) -> None:
    # given: both counters are there, and the third update, the first give-back, fails with all after it
    for _ in range(2):
        sign_in(house, account, "maria.l", WRONG)
    wire.fail("UpdateItem", "InternalServerError", times=9, skip=2)
    # when, then: the person is in, and two guesses poorer for a while
    assert sign_in(house, account, user.username or "") is not None


@pytest.mark.req("L17")
def test_the_wait_is_a_whole_one_from_the_last_wrong_password(house: House, clock: FakeClock) -> None:
    # given: the first one long ago
    house.guesses.count(FEW, "x")
    clock.advance(FEW.within - 1)
    assert [house.guesses.count(FEW, "x").is_last for _ in range(FEW.most - 1)] == [False, True]
    # then
    with pytest.raises(BlockedError) as refused:
        house.guesses.count(FEW, "x")
    assert refused.value.until == clock.now + FEW.within
    clock.advance(FEW.within - 1)
    with pytest.raises(BlockedError):
        house.guesses.count(FEW, "x")
    clock.advance(1)
    assert not house.guesses.count(FEW, "x").is_last
