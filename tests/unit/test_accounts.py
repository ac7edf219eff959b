"""Accounts: a slug for ever, settings with defaults, and a switch that reaches every client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from vestibule.clock import MINUTE
from vestibule.domain import scopes
from vestibule.errors import ConflictError, InvalidError, NotFoundError, UnauthenticatedError, UnavailableError
from vestibule.model import Account, NavigationLink, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.settings import Settings
    from vestibule.wiring import House

SETTINGS: dict[str, Any] = {
    "logo_url": "https://cdn.example/logo.svg",
    "portal_url": "https://portal.example/",
    "colors": {"accent": "#B3261E", "header": "#14213d"},
    "navigation": [{"label": " Help ", "url": "https://portal.example/help"}],
    "redirect_uris": ["https://portal.example", "https://portal.example", "http://localhost:3000/a"],
    "allowed_origins": ["https://portal.example", "http://localhost:3000", "https://Portal.example:443/"],
    "idle_timeout_minutes": 30,
    "sign_in_lifetime_minutes": 600,
    "revoke_on_reuse": True,
    "revoke_ends_sign_in": False,
}
DEFAULTS = Account(account_id="", slug="", name="", created_at=0, updated_at=0)


def test_an_account_is_stored_clean_and_found_by_its_slug(house: House) -> None:
    # when
    account = house.accounts.create(" Northside  Clinic ", "north", SETTINGS)
    # then
    assert account.name == "Northside  Clinic"
    assert account.colors == {"accent": "#b3261e", "header": "#14213d"}
    assert account.navigation == (NavigationLink(label="Help", url="https://portal.example/help"),)
    assert account.redirect_uris == ("https://portal.example", "http://localhost:3000/a")
    assert (account.status, account.version, account.created_at) == (Status.ACTIVE, 1, START)
    assert house.accounts.current(account.account_id) == account
    assert house.accounts.at_slug("north") == account


def test_the_defaults_are_the_designs() -> None:
    assert DEFAULTS.idle_timeout_minutes == 240
    assert not DEFAULTS.revoke_on_reuse
    assert DEFAULTS.revoke_ends_sign_in


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("name", "", "invalid_length"),
        ("slug", "A", "invalid_slug"),
        ("logo_url", "http://cdn.example/x", "invalid_url"),
        ("portal_url", "javascript:alert(1)", "invalid_url"),
        ("colors", {"accent": "red"}, "invalid_color"),
        ("colors", {"background": "#ffffff"}, "unknown_color"),
        ("navigation", [{"label": "x" * 41, "url": "https://a.example"}], "invalid_length"),
        ("navigation", [{"label": "x", "url": "/relative"}], "invalid_url"),
        ("navigation", [{"label": "x", "url": "https://a.example"}] * 9, "too_many"),
        ("redirect_uris", ["https://portal.example?x=1"], "invalid_url"),
        ("redirect_uris", ["https://portal.example#x"], "invalid_url"),
        ("redirect_uris", ["https://*.portal.example"], "invalid_url"),
        ("redirect_uris", ["//portal.example"], "invalid_url"),
        ("redirect_uris", [f"https://p{n}.example" for n in range(51)], "too_many"),
        ("allowed_origins", ["https://portal.example/path"], "invalid_origin"),
        ("allowed_origins", ["https://portal.example:x"], "invalid_url"),
        ("allowed_origins", ["https://*.portal.example"], "invalid_url"),
        ("allowed_origins", ["http://portal.example"], "invalid_url"),
        ("allowed_origins", ["null"], "invalid_url"),
        ("allowed_origins", ["*"], "invalid_url"),
        ("allowed_origins", [f"https://p{n}.example" for n in range(41)], "too_many"),
        ("idle_timeout_minutes", 0, "out_of_range"),
        ("idle_timeout_minutes", -1, "out_of_range"),
        ("idle_timeout_minutes", 43_201, "out_of_range"),
        ("sign_in_lifetime_minutes", 10**40, "out_of_range"),
    ],
)
@pytest.mark.req("P04", "L07")
def test_a_broken_setting_changes_nothing(house: House, setting: str, value: Any, code: str) -> None:
    account = open_account(house)
    with pytest.raises(InvalidError) as refused:
        house.accounts.change(account.account_id, {"idle_timeout_minutes": 60, setting: value})
    assert [(error.field, error.code) for error in refused.value.errors] == [(setting, code)]
    assert house.accounts.current(account.account_id) == account


def test_a_change_touches_what_it_names(house: House, clock: FakeClock) -> None:
    account = house.accounts.create("Clinic", "clinic", SETTINGS)
    clock.advance(MINUTE)
    changed = house.accounts.change(account.account_id, {"name": "Practice"})
    assert changed.name == "Practice"
    assert (changed.created_at, changed.updated_at, changed.version) == (START, START + MINUTE, 2)
    for setting in SETTINGS:
        assert getattr(changed, setting) == getattr(account, setting)


@pytest.mark.parametrize("setting", SETTINGS)
def test_null_puts_a_setting_back_to_its_default(house: House, setting: str) -> None:
    account = house.accounts.create("Clinic", "clinic", SETTINGS)
    changed = house.accounts.change(account.account_id, {setting: None})
    assert getattr(changed, setting) == getattr(DEFAULTS, setting)
    assert house.accounts.current(account.account_id) == changed


# --- origins ---


@pytest.mark.req("P09")
def test_an_origin_is_known_as_long_as_some_account_has_it(house: House, clock: FakeClock) -> None:
    # given
    one = house.accounts.create("One", "one", {"allowed_origins": ["https://a.example", "https://b.example"]})
    two = house.accounts.create("Two", "two", {"allowed_origins": ["https://b.example"]})

    def known(*addresses: str) -> list[bool]:
        clock.advance(MINUTE)  # what is remembered is forgotten
        return [house.accounts.allows_origin(address, None) for address in addresses]

    assert known("https://a.example", "https://b.example", "https://c.example") == [True, True, False]
    # when
    house.accounts.change(one.account_id, {"allowed_origins": ["https://c.example"], "name": "First"})
    # then
    assert known("https://a.example", "https://b.example", "https://c.example") == [False, True, True]
    house.accounts.change(two.account_id, {"allowed_origins": None})
    assert known("https://b.example") == [False]


@pytest.mark.req("P09")
def test_an_account_allows_its_own_origins_and_no_others(house: House) -> None:
    one = house.accounts.create("One", "one", {"allowed_origins": ["https://a.example"]})
    two = house.accounts.create("Two", "two", {"allowed_origins": ["https://b.example"]})
    assert house.accounts.allows_origin("https://a.example", one.account_id)
    assert not house.accounts.allows_origin("https://a.example", two.account_id)
    assert not house.accounts.allows_origin("https://A.example", one.account_id)


@pytest.mark.req("P09")
def test_an_origin_is_looked_up_once_a_minute_and_nonsense_never(house: House, wire: Wire) -> None:
    with wire.counting() as calls:
        for _ in range(3):
            assert not house.accounts.allows_origin("https://a.example", None)
        for nonsense in ("", "null", "*", "https://a.example/path", "javascript:1", "https://a.example\n", "x" * 9_000):
            assert not house.accounts.allows_origin(nonsense, None)
    assert [call.operation for call in calls] == ["Query"]


@pytest.mark.req("P09")
def test_all_origins_may_be_replaced_in_one_change(house: House) -> None:
    account = house.accounts.create("One", "one", {"allowed_origins": [f"https://a{n}.example" for n in range(40)]})
    after = [f"https://b{n}.example" for n in range(40)]
    assert house.accounts.change(account.account_id, {"allowed_origins": after, "slug": "two"}).allowed_origins == (
        *after,
    )


# --- slugs ---


def test_a_taken_slug_is_refused_and_nothing_is_left_behind(
    house: House, moto_aws: MotoAws, settings: Settings
) -> None:
    open_account(house, "north")
    other = open_account(house, "south")
    before = moto_aws.stored(settings.directory_table)
    acts: list[Callable[[], Account]] = [
        lambda: house.accounts.create("Eve", "north", {}),
        lambda: house.accounts.change(other.account_id, {"slug": "north", "name": "Eve"}),
    ]
    for act in acts:
        with pytest.raises(ConflictError) as refused:
            act()
        assert refused.value.code == "slug_taken"
    assert moto_aws.stored(settings.directory_table) == before


@pytest.mark.req("L20")
def test_a_slug_that_was_left_stays_the_accounts_own_for_ever(house: House, clock: FakeClock) -> None:
    # given
    account = open_account(house, "old")
    # when
    house.accounts.change(account.account_id, {"slug": "new"})
    clock.advance(MINUTE)
    # then: links that were sent keep working, and nobody else can catch them
    for slug in ("old", "new"):
        found = house.accounts.at_slug(slug)
        assert found is not None
        assert found.account_id == account.account_id
        assert found.slug == "new"
    with pytest.raises(ConflictError):
        open_account(house, "old")
    # and the account may come back to it
    assert house.accounts.change(account.account_id, {"slug": "old"}).slug == "old"


def test_an_id_that_is_taken_is_drawn_anew(make_house: MakeHouse) -> None:
    one, other = open_account(make_house(seed=9), "one"), open_account(make_house(seed=9), "two")
    assert one.account_id != other.account_id


def test_nobodys_slug_is_nobody(house: House, wire: Wire) -> None:
    with wire.counting() as calls:
        assert house.accounts.at_slug(None) is None
    assert calls == []
    assert house.accounts.at_slug("nobody") is None
    assert house.accounts.at_slug("x" * 4_000) is None


# --- memory ---


def test_settings_are_at_most_60_seconds_old(house: House, make_house: MakeHouse, clock: FakeClock) -> None:
    # given: a worker that has seen the account
    account, reader = open_account(house), make_house(2)
    assert reader.accounts.get(account.account_id).name == account.name
    assert reader.accounts.at_slug("clinic") is not None
    # when
    house.accounts.change(account.account_id, {"name": "New"})
    # then
    clock.advance(59_999)
    assert reader.accounts.get(account.account_id).name == account.name
    assert reader.accounts.current(account.account_id).name == "New"
    clock.advance(1)
    assert reader.accounts.get(account.account_id).name == "New"


def test_the_worker_that_changed_it_sees_the_change_at_once(house: House) -> None:
    account = open_account(house)
    house.accounts.get(account.account_id)
    house.accounts.change(account.account_id, {"name": "New"})
    assert house.accounts.get(account.account_id).name == "New"


@pytest.mark.req("P05")
def test_an_unknown_account_is_not_found(house: House) -> None:
    for read in (house.accounts.get, house.accounts.current):
        with pytest.raises(NotFoundError):
            read("99999999")
    with pytest.raises(NotFoundError):
        house.accounts.change("99999999", {"name": "x"})


# --- at the same moment ---


def test_two_changes_at_once_are_both_there(house: House, make_house: MakeHouse, wire: Wire) -> None:
    account, other = open_account(house), make_house(2)
    wire.before("PutItem", lambda: other.accounts.change(account.account_id, {"name": "Other"}))
    changed = house.accounts.change(account.account_id, {"idle_timeout_minutes": 60})
    assert (changed.name, changed.idle_timeout_minutes) == ("Other", 60)


def test_an_account_that_others_keep_changing_is_a_conflict(house: House, make_house: MakeHouse, wire: Wire) -> None:
    account, other = open_account(house), make_house(2)
    for _ in range(3):
        wire.before("TransactWriteItems", lambda: other.accounts.change(account.account_id, {"name": "Other"}))
    with pytest.raises(ConflictError) as refused:
        house.accounts.change(account.account_id, {"slug": "new"})
    assert refused.value.code == "account_changed"


# --- disabled ---


@pytest.mark.req("L14")
def test_disabling_an_account_shuts_its_hub_and_every_client(
    house: House, clock: FakeClock, moto_aws: MotoAws, settings: Settings
) -> None:
    # given
    account = open_account(house)
    made = [house.clients.create(account.account_id, f"client {n}", scopes.ALL) for n in range(3)]
    other = open_account(house, "other")
    elsewhere, elsewhere_secret = house.clients.create(other.account_id, "portal", scopes.ALL)
    # when
    house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    # then
    for client, secret in made:
        with pytest.raises(UnauthenticatedError):
            house.clients.authenticate(client.client_id, secret)
    assert house.clients.authenticate(elsewhere.client_id, elsewhere_secret).client_id
    clock.advance(MINUTE)
    assert house.accounts.at_slug("clinic") is None
    # when
    house.accounts.set_status(account.account_id, Status.ACTIVE, house.client_store)
    # then
    for client, secret in made:
        assert house.clients.authenticate(client.client_id, secret).client_id


def test_account_and_clients_change_in_one_transaction(house: House, wire: Wire) -> None:
    account = open_account(house)
    for number in range(5):
        house.clients.create(account.account_id, f"client {number}", scopes.ALL)
    with wire.counting() as calls:
        house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    (write,) = (call for call in calls if call.write_units)
    assert write.operation == "TransactWriteItems"
    assert len(write.request["TransactItems"]) == 1 + 5


@pytest.mark.req("R01")
def test_half_an_account_is_never_disabled(house: House, make_house: MakeHouse, wire: Wire) -> None:
    # given: a client is rotated just before the transaction
    account, other = open_account(house), make_house(2)
    client, _ = house.clients.create(account.account_id, "portal", scopes.ALL)
    secrets: list[str] = []
    wire.before(
        "TransactWriteItems",
        lambda: secrets.append(other.clients.rotate(account.account_id, client.client_id)[1]),
    )
    # when
    with pytest.raises(ConflictError):
        house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    # then
    assert house.accounts.current(account.account_id).status is Status.ACTIVE
    assert house.clients.authenticate(client.client_id, secrets[0]).client_id


def test_operators_see_every_account(house: House, clock: FakeClock) -> None:
    opened = []
    for slug in ("one", "two", "three"):
        opened.append(open_account(house, slug))
        clock.advance(1)
    house.accounts.set_status(opened[1].account_id, Status.DISABLED, house.client_store)
    add_user(house, opened[0])
    assert [account.slug for account in house.accounts.all()] == ["one", "two", "three"]


@pytest.mark.req("R01")
def test_an_outage_is_not_remembered(house: House, wire: Wire) -> None:
    account = open_account(house)
    wire.fail("GetItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        house.accounts.at_slug("clinic")
    found = house.accounts.at_slug("clinic")
    assert found is not None
    assert found.account_id == account.account_id
