"""Users: names that are unique, pointers that follow, lists that miss nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.house import START, add_user, open_account
from vestibule.clock import HOUR
from vestibule.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from vestibule.model import Role, Status
from vestibule.store.directory import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House


def pointers(moto_aws: MotoAws, settings: Settings) -> dict[str, Mapping[str, str]]:
    """Return the names that lead to users, with whom they lead to."""
    return {
        item["pk"]["S"].split("#", 2)[2]: {"user_id": item["user_id"]["S"], "status": item["status"]["S"]}
        for item in moto_aws.stored(settings.directory_table)
        if item["sk"]["S"] == "pointer" and not item["pk"]["S"].startswith("slug#")
    }


def all_of(house: House, account: Account, limit: int) -> list[User]:
    users: list[User] = []
    after = None
    while True:
        page, after = house.users.page(account.account_id, after=after, limit=limit)
        assert len(page) <= limit
        users += page
        if after is None:
            return users


def test_a_user_is_stored_clean_and_found_by_each_name(house: House, account: Account) -> None:
    # when
    user = house.users.create(
        account.account_id,
        {
            "full_name": " Zoe\u0308 ",
            "external_id": "X-17",
            "email": "Zoe@Example.org",
            "role": "provider",
            "time_zone": "Europe/Berlin",
            "locale": "de",
            "username": "Zoe",
        },
    )
    # then
    assert user.full_name == "Zo\u00eb"
    assert user.role is Role.PROVIDER
    assert user.status is Status.ACTIVE
    assert (user.created_at, user.updated_at, user.version) == (START, START, 1)
    assert house.users.get(account.account_id, user.user_id) == user
    assert house.users.with_external_id(account.account_id, "X-17") == user
    assert house.users.with_email(account.account_id, "zoe@example.ORG", limit=10) == [user]


def test_a_password_is_kept_as_argon2id_alone(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    user = add_user(house, account, password="correct horse battery")
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    assert "correct horse" not in str(moto_aws.stored(settings.directory_table))
    # and goes when it is cleared
    cleared = house.users.change(account.account_id, user.user_id, {"password": None})
    assert cleared.password_hash is None


@pytest.mark.parametrize(
    "fields",
    [{"full_name": ""}, {"email": "x"}, {"time_zone": "Mars"}, {"locale": "_"}, {"username": "a"}, {"password": "x"},
     {"external_id": "x" * 257}],
)  # fmt: skip
@pytest.mark.req("P04")
def test_a_broken_field_writes_nothing(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings, fields: dict[str, str]
) -> None:
    before = moto_aws.stored(settings.directory_table)
    with pytest.raises(InvalidError) as refused:
        add_user(house, account, **fields)
    assert [error.field for error in refused.value.errors] == list(fields)
    assert moto_aws.stored(settings.directory_table) == before


# --- unique names ---


@pytest.mark.parametrize(
    ("field", "taken", "wanted"), [("external_id", "X-17", "X-17"), ("username", "Maria", "mARIA")]
)
def test_a_taken_name_is_refused_and_nothing_is_left_behind(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings, field: str, taken: str, wanted: str
) -> None:
    # given
    add_user(house, account, **{field: taken})
    other = add_user(house, account, full_name="Ben")
    before = moto_aws.stored(settings.directory_table)
    # when, then
    with pytest.raises(ConflictError) as refused:
        add_user(house, account, **{field: wanted})
    assert refused.value.code == f"{field}_taken"
    with pytest.raises(ConflictError) as refused:
        house.users.change(account.account_id, other.user_id, {field: wanted})
    assert refused.value.code == f"{field}_taken"
    assert moto_aws.stored(settings.directory_table) == before


def test_the_conflict_names_the_name_that_is_taken(house: House, account: Account) -> None:
    add_user(house, account, username="maria")
    with pytest.raises(ConflictError) as refused:
        add_user(house, account, external_id="X-17", username="maria")
    assert refused.value.code == "username_taken"


def test_an_external_id_is_compared_to_the_letter(house: House, account: Account) -> None:
    one, other = add_user(house, account, external_id="x-17"), add_user(house, account, external_id="X-17")
    assert house.users.with_external_id(account.account_id, "x-17") == one
    assert house.users.with_external_id(account.account_id, "X-17") == other


def test_names_are_unique_in_the_account_not_beyond(house: House, account: Account) -> None:
    other = open_account(house, "other")
    add_user(house, account, external_id="X-17", username="maria")
    add_user(house, other, external_id="X-17", username="maria")


def test_one_name_cannot_pass_for_another_kind(house: House, account: Account) -> None:
    # given: an external_id that spells the end of other keys
    first = add_user(house, account, external_id="1#username#maria", username="maria")
    second = add_user(house, account, external_id="maria")
    # then
    assert house.users.with_external_id(account.account_id, "maria") == second
    assert house.users.with_external_id(account.account_id, "1#username#maria") == first


@pytest.mark.parametrize("racing", range(3))
def test_of_two_at_once_one_gets_the_name(
    house: House, make_house: MakeHouse, account: Account, wire: Wire, racing: int
) -> None:
    # given: the other worker's write comes between our decision and our write
    other = make_house(seed=7 + racing)
    wire.before("TransactWriteItems", lambda: add_user(other, account, external_id="X-17", full_name="First"))
    # when
    with pytest.raises(ConflictError):
        add_user(house, account, external_id="X-17", full_name="Second")
    # then
    found = house.users.with_external_id(account.account_id, "X-17")
    assert found is not None
    assert found.full_name == "First"


def test_an_id_that_is_taken_is_drawn_anew(house: House, make_house: MakeHouse, account: Account) -> None:
    # given: two workers with the same draws
    first = add_user(make_house(seed=9), account, full_name="First")
    # when
    second = add_user(make_house(seed=9), account, full_name="Second")
    named = add_user(make_house(seed=9), account, external_id="X-17")
    # then
    assert len({first.user_id, second.user_id, named.user_id}) == 3
    assert house.users.get(account.account_id, first.user_id).full_name == "First"


# --- changes ---


def test_a_change_touches_what_it_names(house: House, clock: FakeClock, account: Account) -> None:
    user = add_user(house, account, external_id="X-17", email="maria@example.org")
    clock.advance(HOUR)
    changed = house.users.change(account.account_id, user.user_id, {"email": None, "role": "guest"})
    assert (changed.email, changed.role, changed.external_id) == (None, Role.GUEST, "X-17")
    assert (changed.created_at, changed.updated_at, changed.version) == (START, START + HOUR, 2)
    assert house.users.get(account.account_id, user.user_id) == changed
    assert house.users.with_email(account.account_id, "maria@example.org", limit=10) == []


def test_a_changed_name_leads_to_the_user_and_the_former_is_free(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    # given
    user = add_user(house, account, external_id="old", username="maria")
    # when
    house.users.change(account.account_id, user.user_id, {"external_id": "new"})
    # then
    assert set(pointers(moto_aws, settings)) == {"external_id#new", "username#maria"}
    assert house.users.with_external_id(account.account_id, "old") is None
    found = house.users.with_external_id(account.account_id, "new")
    assert found is not None
    assert found.user_id == user.user_id
    add_user(house, account, external_id="old")


def test_a_cleared_name_is_free(house: House, account: Account, moto_aws: MotoAws, settings: Settings) -> None:
    user = add_user(house, account, external_id="X-17", username="maria")
    house.users.change(account.account_id, user.user_id, {"external_id": None, "username": None})
    assert pointers(moto_aws, settings) == {}


def test_only_the_case_of_a_username_may_change(house: House, account: Account) -> None:
    user = add_user(house, account, username="maria")
    assert house.users.change(account.account_id, user.user_id, {"username": "Maria"}).username == "Maria"
    with pytest.raises(ConflictError):
        add_user(house, account, username="MARIA")


@pytest.mark.req("L16")
def test_the_status_is_mirrored_into_the_pointers(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    user = add_user(house, account, external_id="X-17", username="maria")
    for status in (Status.DISABLED, Status.ACTIVE):
        house.users.change(account.account_id, user.user_id, {"status": status})
        assert pointers(moto_aws, settings) == {
            "external_id#X-17": {"user_id": user.user_id, "status": status},
            "username#maria": {"user_id": user.user_id, "status": status},
        }


@pytest.mark.req("L16")
def test_status_and_name_change_together(house: House, account: Account, moto_aws: MotoAws, settings: Settings) -> None:
    user = add_user(house, account, external_id="old")
    house.users.change(account.account_id, user.user_id, {"external_id": "new", "status": "disabled"})
    assert pointers(moto_aws, settings) == {"external_id#new": {"user_id": user.user_id, "status": "disabled"}}


def test_two_changes_at_once_are_both_there(house: House, make_house: MakeHouse, account: Account, wire: Wire) -> None:
    # given
    user, other = add_user(house, account), make_house(2)
    wire.before("PutItem", lambda: other.users.change(account.account_id, user.user_id, {"locale": "de"}))
    # when
    changed = house.users.change(account.account_id, user.user_id, {"role": "guest"})
    # then
    assert (changed.locale, changed.role, changed.version) == ("de", Role.GUEST, 3)


def test_a_user_whom_others_keep_changing_is_a_conflict(
    house: House, make_house: MakeHouse, account: Account, wire: Wire
) -> None:
    # given: a busy other worker, whose own writes nobody disturbs
    user, other = add_user(house, account), make_house(2)

    def meddle() -> None:
        other.users.change(account.account_id, user.user_id, {"locale": "de"})

    # when: before each of our three attempts; a meddling's own write takes the next place in line
    for _ in range(3):
        wire.before("PutItem", meddle)
        wire.before("PutItem", lambda: None)
    # then
    with pytest.raises(ConflictError) as refused:
        house.users.change(account.account_id, user.user_id, {"role": "guest"})
    assert refused.value.code == "user_changed"
    assert house.users.get(account.account_id, user.user_id).role is Role.MEMBER


@pytest.mark.req("R01")
def test_a_change_whose_answer_is_lost_is_made_once(house: House, account: Account, wire: Wire) -> None:
    user = add_user(house, account)
    wire.lose_answer("PutItem")
    assert house.users.change(account.account_id, user.user_id, {"role": "guest"}).version == 2


@pytest.mark.req("R01")
def test_a_creation_whose_answer_is_lost_is_made_once(house: House, account: Account, wire: Wire) -> None:
    # given: with a name of its own a creation is a transaction, which carries a request token
    for fields, operation in (({}, "PutItem"), ({"external_id": "X-17"}, "TransactWriteItems")):
        wire.lose_answer(operation)
        user = add_user(house, account, **fields)
        assert house.users.get(account.account_id, user.user_id) == user
    assert len(all_of(house, account, 10)) == 2


# --- deleted ---


def test_a_deleted_user_gives_every_name_back(
    house: House, account: Account, moto_aws: MotoAws, settings: Settings
) -> None:
    # given
    user = add_user(house, account, external_id="X-17", username="maria", email="m@example.org")
    # when
    house.users.delete(account.account_id, user.user_id)
    # then
    assert not any(user.user_id in str(item) for item in moto_aws.stored(settings.directory_table))
    with pytest.raises(NotFoundError):
        house.users.get(account.account_id, user.user_id)
    assert house.users.with_external_id(account.account_id, "X-17") is None
    assert house.users.with_email(account.account_id, "m@example.org", limit=10) == []
    add_user(house, account, external_id="X-17", username="maria")


def test_deleting_beside_a_change_deletes_what_was_changed(
    house: House, make_house: MakeHouse, account: Account, moto_aws: MotoAws, settings: Settings, wire: Wire
) -> None:
    # given: the name moves just before the deletion
    user, other = add_user(house, account, external_id="old"), make_house(2)
    wire.before(
        "TransactWriteItems",
        lambda: other.users.change(account.account_id, user.user_id, {"external_id": "new"}),
    )
    # when
    house.users.delete(account.account_id, user.user_id)
    # then
    assert pointers(moto_aws, settings) == {}


# --- whose users ---


@pytest.mark.req("P05")
def test_another_accounts_user_is_none(house: House, account: Account) -> None:
    # given
    other = open_account(house, "other")
    user = add_user(house, account, external_id="X-17", email="m@example.org")
    users = house.users
    # when, then
    for act in (
        lambda: users.get(other.account_id, user.user_id),
        lambda: users.change(other.account_id, user.user_id, {"role": "guest"}),
        lambda: users.delete(other.account_id, user.user_id),
    ):
        with pytest.raises(NotFoundError) as refused:
            act()
        assert refused.value.code == "user_not_found"
    assert users.with_external_id(other.account_id, "X-17") is None
    assert users.with_email(other.account_id, "m@example.org", limit=10) == []
    assert users.page(other.account_id, after=None, limit=10) == ([], None)


@pytest.mark.parametrize("text", ["", "0", "x" * 3_000, "\u00fc" * 1_100, "\ud800", "a\x00b", "../..", "99999999"])
@pytest.mark.req("P04", "P05")
def test_a_text_that_is_no_id_is_not_found(house: House, account: Account, text: str) -> None:
    with pytest.raises(NotFoundError):
        house.users.get(account.account_id, text)
    assert house.users.with_external_id(account.account_id, text) is None
    assert house.users.with_email(account.account_id, text, limit=10) == []


# --- lists ---


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_a_list_misses_nobody_and_names_nobody_twice(
    house: House, clock: FakeClock, account: Account, limit: int
) -> None:
    # given: people in every shard, and of another account too
    made = []
    for number in range(14):
        made.append(add_user(house, account, full_name=f"Person {number}"))
        clock.advance(number % 3)
    add_user(house, open_account(house, "other"))
    assert {keys.shard_of(user.user_id) for user in made} == set(range(keys.LIST_SHARDS))
    # when
    listed = all_of(house, account, limit)
    # then
    assert sorted(user.user_id for user in listed) == sorted(user.user_id for user in made)
    for shard in range(keys.LIST_SHARDS):
        of_shard = [user.created_at for user in listed if keys.shard_of(user.user_id) == shard]
        assert of_shard == sorted(of_shard)


def test_a_user_deleted_meanwhile_is_left_out(house: House, account: Account, wire: Wire) -> None:
    # given
    one, other = add_user(house, account), add_user(house, account)
    # when: it goes between the index and the items behind it
    wire.before("BatchGetItem", lambda: house.users.delete(account.account_id, one.user_id))
    # then
    assert [user.user_id for user in all_of(house, account, 10)] == [other.user_id]


def test_an_email_may_belong_to_several(house: House, account: Account) -> None:
    users = [add_user(house, account, email=text) for text in ("m@example.org", "M@Example.org", "m@example.org")]
    add_user(house, account, email="n@example.org")
    found = house.users.with_email(account.account_id, "m@EXAMPLE.org", limit=10)
    assert {user.user_id for user in found} == {user.user_id for user in users}
    assert len(house.users.with_email(account.account_id, "m@example.org", limit=2)) == 2


def test_a_shard_is_the_same_for_ever() -> None:
    # Stored with each user: another hash would lose everybody from the lists.
    ids = ("10000000", "10000001", "10000002", "2147483647")
    assert [keys.shard_of(object_id) for object_id in ids] == [1, 3, 1, 0]


@pytest.mark.parametrize("sent", [" X\u00e9-17 ", "Xe\u0301-17", "X\u00e9-17"])
def test_a_name_is_looked_for_in_the_form_in_which_it_is_kept(house: House, account: Account, sent: str) -> None:
    # given: a portal that always sends its own spelling
    user = add_user(house, account, external_id=sent, email=f"m@{sent.strip()}.example")
    # when, then
    assert house.users.with_external_id(account.account_id, sent) == user
    assert house.users.with_email(account.account_id, f" m@{sent.strip()}.example", limit=1) == [user]
    assert house.login_uris.issue(account, external_id=sent).login.user_id == user.user_id


@pytest.mark.req("R01")
@pytest.mark.parametrize("operation", ["Query", "BatchGetItem"])
def test_an_outage_of_a_list_is_an_outage(house: House, account: Account, wire: Wire, operation: str) -> None:
    add_user(house, account)
    wire.fail(operation, "InternalServerError")
    with pytest.raises(UnavailableError):
        house.users.page(account.account_id, after=None, limit=10)
