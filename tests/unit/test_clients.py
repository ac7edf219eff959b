"""API clients and the credentials that prove them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.support.house import START, open_account
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain import scopes
from vestibule.domain.access_tokens import InvalidScopeError
from vestibule.domain.clients import CLIENTS_AT_MOST, Caller
from vestibule.domain.rotation import LONGEST_OVERLAP, OVERLAP
from vestibule.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, Client
    from vestibule.settings import Settings
    from vestibule.wiring import House

GRANTED = (scopes.USERS_READ, scopes.LOGIN_URIS_WRITE)


@pytest.fixture
def made(house: House, account: Account) -> tuple[Client, str]:
    return house.clients.create(account.account_id, "portal", GRANTED)


def works(house: House, client: Client, secret: str) -> bool:
    try:
        return house.clients.authenticate(client.client_id, secret).client_id == client.client_id
    except UnauthenticatedError:
        return False


def basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


# --- creation ---


@pytest.mark.req("P07", "L04")
def test_a_secret_is_shown_once_and_kept_as_a_digest(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    client, secret = house.clients.create(account.account_id, " portal ", GRANTED)
    assert client.name == "portal"
    assert client.client_id.startswith(f"{account.account_id}-")
    assert house.clients.list_of(account.account_id) == [client]
    assert secret not in str(moto_aws.stored(settings.directory_table))
    assert house.clients.authenticate(client.client_id, secret) == Caller(
        account.account_id, client.client_id, GRANTED, None
    )


@pytest.mark.parametrize(
    ("name", "granted", "code"),
    [
        ("", GRANTED, "invalid_length"),
        ("x", (), "required"),
        ("x", ("users:read", "users:admin"), "unknown_scope"),
        ("x", ("USERS:READ",), "unknown_scope"),
        ("x", ("",), "unknown_scope"),
    ],
)
@pytest.mark.req("P04")
def test_a_client_without_a_name_or_a_known_scope_is_none(
    house: House, account: Account, name: str, granted: tuple[str, ...], code: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        house.clients.create(account.account_id, name, granted)
    assert [error.code for error in refused.value.errors] == [code]
    assert house.clients.list_of(account.account_id) == []


def test_scopes_are_kept_once_and_in_order(house: House, account: Account) -> None:
    client, _ = house.clients.create(account.account_id, "x", [*reversed(scopes.ALL), *scopes.ALL])
    assert client.scopes == scopes.ALL


def test_an_account_has_so_many_clients_and_no_more(
    house: House, account: Account, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: with the account itself all of them fit into one transaction
    assert CLIENTS_AT_MOST < 100
    monkeypatch.setattr("vestibule.domain.clients.CLIENTS_AT_MOST", 4)
    for number in range(4):
        house.clients.create(account.account_id, f"client {number}", GRANTED)
        clock.advance(1)
    with pytest.raises(ConflictError) as refused:
        house.clients.create(account.account_id, "one more", GRANTED)
    assert refused.value.code == "too_many_clients"
    names = [client.name for client in house.clients.list_of(account.account_id)]
    assert names == [f"client {number}" for number in range(4)]


@pytest.mark.req("L14")
def test_a_disabled_account_gets_no_new_way_in(house: House, account: Account, made: tuple[Client, str]) -> None:
    # given: an access token of a quarter of an hour outlives the switch
    house.accounts.set_status(account.account_id, Status.DISABLED, house.client_store)
    # when, then
    with pytest.raises(ForbiddenError) as refused:
        house.clients.create(account.account_id, "back door", GRANTED)
    assert refused.value.code == "account_disabled"
    # and a rotation gives no live secret
    client, secret = house.clients.rotate(account.account_id, made[0].client_id)
    assert not works(house, client, secret)


# --- rotation ---


@pytest.mark.req("P07")
def test_two_secrets_are_live_during_a_rotation(
    house: House, clock: FakeClock, account: Account, made: tuple[Client, str]
) -> None:
    # when
    client, first = made
    rotated, second = house.clients.rotate(account.account_id, client.client_id)
    # then
    assert first != second
    assert OVERLAP == 7 * DAY
    assert [known.expires_at for known in rotated.secrets] == [START + OVERLAP, None]
    clock.advance(OVERLAP - 1)
    assert works(house, client, first)
    assert works(house, client, second)
    clock.advance(1)
    assert not works(house, client, first)
    assert works(house, client, second)


@pytest.mark.req("P07")
def test_the_former_secrets_end_shows_in_the_caller(house: House, account: Account, made: tuple[Client, str]) -> None:
    client, first = made
    _, second = house.clients.rotate(account.account_id, client.client_id, overlap=HOUR)
    assert house.clients.authenticate(client.client_id, first).expires_at == START + HOUR
    assert house.clients.authenticate(client.client_id, second).expires_at is None


@pytest.mark.req("P07")
def test_of_three_secrets_the_oldest_ends_at_once(
    house: House, clock: FakeClock, account: Account, made: tuple[Client, str]
) -> None:
    client, first = made
    clock.advance(1)
    _, second = house.clients.rotate(account.account_id, client.client_id)
    clock.advance(1)
    rotated, third = house.clients.rotate(account.account_id, client.client_id)
    assert [works(house, client, secret) for secret in (first, second, third)] == [False, True, True]
    assert len(rotated.secrets) == 2


@pytest.mark.req("P07")
def test_without_overlap_the_former_ends_at_once(house: House, account: Account, made: tuple[Client, str]) -> None:
    client, first = made
    _, second = house.clients.rotate(account.account_id, client.client_id, overlap=0)
    assert [works(house, client, secret) for secret in (first, second)] == [False, True]


@pytest.mark.parametrize("overlap", [-1, LONGEST_OVERLAP + 1, 10**40])
@pytest.mark.req("P04")
def test_an_overlap_of_no_sense_changes_nothing(
    house: House, account: Account, made: tuple[Client, str], overlap: int
) -> None:
    client, first = made
    with pytest.raises(InvalidError) as refused:
        house.clients.rotate(account.account_id, client.client_id, overlap=overlap)
    assert [(error.field, error.code) for error in refused.value.errors] == [("overlap_minutes", "out_of_range")]
    assert house.clients.list_of(account.account_id) == [client]
    assert works(house, client, first)


def test_of_two_rotations_at_once_one_is_told(
    house: House, make_house: MakeHouse, account: Account, wire: Wire, made: tuple[Client, str]
) -> None:
    # given
    client, _ = made
    secrets: list[str] = []
    other = make_house(2)
    wire.before("PutItem", lambda: secrets.append(other.clients.rotate(account.account_id, client.client_id)[1]))
    # when
    with pytest.raises(ConflictError) as refused:
        house.clients.rotate(account.account_id, client.client_id)
    # then: nobody was given a secret that does not work
    assert refused.value.code == "client_changed"
    assert works(house, client, secrets[0])


@pytest.mark.req("R01")
def test_a_rotation_whose_answer_is_lost_gives_the_secret_that_works(
    house: House, account: Account, wire: Wire, made: tuple[Client, str]
) -> None:
    wire.lose_answer("PutItem")
    client, secret = house.clients.rotate(account.account_id, made[0].client_id)
    assert works(house, client, secret)


# --- removal ---


def test_a_removed_client_is_unknown(house: House, account: Account, made: tuple[Client, str]) -> None:
    client, secret = made
    house.clients.delete(account.account_id, client.client_id)
    assert not works(house, client, secret)
    assert house.clients.list_of(account.account_id) == []
    with pytest.raises(NotFoundError):
        house.clients.delete(account.account_id, client.client_id)


@pytest.mark.req("P05")
def test_another_accounts_client_is_none(house: House, made: tuple[Client, str]) -> None:
    other = open_account(house, "other")
    client, secret = made
    for act in (house.clients.rotate, house.clients.delete):
        with pytest.raises(NotFoundError) as refused:
            act(other.account_id, client.client_id)
        assert refused.value.code == "client_not_found"
    assert house.clients.list_of(other.account_id) == []
    assert works(house, client, secret)


# --- proof ---


def test_every_wrong_pair_is_one_answer(house: House, made: tuple[Client, str]) -> None:
    client, secret = made
    pairs = [
        (client.client_id, ""),
        (client.client_id, secret[:-1]),
        (client.client_id, secret + "x"),
        (client.client_id, client.secrets[0].digest),
        (client.client_id, "\ud800"),
        (client.client_id.upper(), secret),
        (client.client_id + "x", secret),
        ("99999999-abc", secret),
    ]
    said = set()
    for client_id, wrong in pairs:
        with pytest.raises(UnauthenticatedError) as refused:
            house.clients.authenticate(client_id, wrong)
        said.add(str(refused.value))
    assert len(said) == 1


@pytest.mark.parametrize("client_id", ["", "-", "-x", "abc-x", "1", "\u0661-x", "account#1-x", "x" * 5_000])
def test_what_is_no_client_id_costs_no_read(house: House, wire: Wire, client_id: str) -> None:
    with wire.counting() as calls, pytest.raises(UnauthenticatedError):
        house.clients.authenticate(client_id, "secret")
    assert calls == []


@pytest.mark.parametrize("client_id", ["1-" + "x" * 2_000, "1" * 3_000 + "-x", "1-\ud800", "1-"])
@pytest.mark.req("P04", "R01")
def test_a_client_id_that_no_client_can_have_is_a_refusal_not_an_outage(house: House, client_id: str) -> None:
    with pytest.raises(UnauthenticatedError):
        house.clients.authenticate(client_id, "secret")


@pytest.mark.req("R01")
def test_an_outage_is_never_a_no(house: House, wire: Wire, made: tuple[Client, str]) -> None:
    wire.fail("GetItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        house.clients.authenticate(made[0].client_id, made[1])


# --- the Authorization header ---


def test_both_schemes_prove_the_same_caller(house: House, clock: FakeClock, made: tuple[Client, str]) -> None:
    # given
    house.key_rotation.run()
    client, secret = made
    caller = house.clients.authenticate(client.client_id, secret)
    token = house.access_token_issuer.issue(caller).token
    # when, then
    for scheme in ("Basic", "basic", "BASIC"):
        header = basic(client.client_id, secret).replace("Basic", scheme)
        assert house.credentials.caller(header) == caller
    for scheme in ("Bearer", "bearer", "BEARER", "Bearer "):
        found = house.credentials.caller(f"{scheme} {token}")
        assert (found.account_id, found.client_id, found.scopes) == (
            caller.account_id, caller.client_id, caller.scopes,
        )  # fmt: skip
        assert found.expires_at == (clock() // 1_000) * 1_000 + 15 * MINUTE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff\xfe:x").decode(),
        "Basic \u00fc",
        "Basic " + "A" * 9_000,
        "Basic a:b",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Bearer " + "x" * 100_000,
        "Digest username=x",
        "Token x",
        "\x00",
    ],
)
@pytest.mark.req("P04")
def test_what_proves_nobody(house: House, header: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        house.credentials.caller(header)


# --- access tokens ---


def test_a_token_has_the_scopes_that_were_asked_for(house: House, made: tuple[Client, str]) -> None:
    house.key_rotation.run()
    caller = house.clients.authenticate(made[0].client_id, made[1])
    token = house.access_token_issuer.issue(caller, (scopes.USERS_READ,))
    assert (token.scopes, token.expires_in) == ((scopes.USERS_READ,), 900)
    assert house.credentials.caller(f"Bearer {token.token}").scopes == (scopes.USERS_READ,)
    with pytest.raises(InvalidScopeError):
        house.access_token_issuer.issue(caller, (scopes.USERS_READ, scopes.USERS_WRITE))


def test_a_token_lasts_15_minutes(house: House, clock: FakeClock, made: tuple[Client, str]) -> None:
    house.key_rotation.run()
    token = house.access_token_issuer.issue(house.clients.authenticate(made[0].client_id, made[1])).token
    clock.advance(15 * MINUTE - 1_000)
    assert house.credentials.caller(f"Bearer {token}").client_id
    clock.advance(1_000)
    with pytest.raises(UnauthenticatedError):
        house.credentials.caller(f"Bearer {token}")


@pytest.mark.req("P07")
def test_a_token_does_not_outlive_the_secret_that_it_was_bought_with(
    house: House, clock: FakeClock, account: Account, made: tuple[Client, str]
) -> None:
    # given: the former secret ends in five minutes
    house.key_rotation.run()
    client, first = made
    house.clients.rotate(account.account_id, client.client_id, overlap=5 * MINUTE)
    # when
    token = house.access_token_issuer.issue(house.clients.authenticate(client.client_id, first))
    # then
    assert token.expires_in == 300
    clock.advance(5 * MINUTE)
    with pytest.raises(UnauthenticatedError):
        house.credentials.caller(f"Bearer {token.token}")


@pytest.mark.req("P05")
def test_a_token_of_another_deployment_proves_nobody(house: House, made: tuple[Client, str]) -> None:
    # given: the same keys, another origin
    house.key_rotation.run()
    issuer = house.access_token_issuer
    token = issuer.issue(house.clients.authenticate(made[0].client_id, made[1])).token
    kind = issuer._kind  # noqa: SLF001 - the deployment is in it
    issuer._kind = type(kind)(typ=kind.typ, issuer="https://api.other.example", audience=kind.audience)  # noqa: SLF001
    forged = issuer.issue(house.clients.authenticate(made[0].client_id, made[1])).token
    # then
    assert house.credentials.caller(f"Bearer {token}").client_id
    with pytest.raises(UnauthenticatedError):
        house.credentials.caller(f"Bearer {forged}")


@pytest.mark.req("R01")
def test_without_readable_keys_a_bearer_is_an_outage(house: House, wire: Wire, made: tuple[Client, str]) -> None:
    house.key_rotation.run()
    token = house.access_token_issuer.issue(house.clients.authenticate(made[0].client_id, made[1])).token
    wire.fail("GetItem", "InternalServerError")
    with pytest.raises(UnavailableError):
        house.credentials.caller(f"Bearer {token}")


def test_scopes_let_through_or_say_what_is_missing() -> None:
    scopes.require(scopes.USERS_READ, GRANTED)
    with pytest.raises(ForbiddenError, match=scopes.USERS_WRITE):
        scopes.require(scopes.USERS_WRITE, GRANTED)
    with pytest.raises(ForbiddenError):
        scopes.require("users", GRANTED)
