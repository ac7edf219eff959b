"""The ground: clock, ids, memory, sealing, settings, errors."""

from __future__ import annotations

import secrets
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.house import API_ORIGIN, HUB_ORIGIN, FakeClock, SeededRandomness
from vestibule import clock as clocks
from vestibule import errors, ids, model
from vestibule.memory import Memory
from vestibule.sealing import Sealing
from vestibule.settings import Settings

ENVIRONMENT = {
    "API_ORIGIN": API_ORIGIN,
    "HUB_ORIGIN": HUB_ORIGIN,
    "DIRECTORY_TABLE": "d",
    "PASSES_TABLE": "p",
    "JOURNAL_TABLE": "j",
    "SIGNING_KEYS_SECRET": "s",
    "MASTER_KEY_SECRET": "m",
}


# --- clock ---


@given(st.integers(0, 253_402_300_799_999))
def test_a_moment_is_written_as_rfc_3339_and_read_back(moment: int) -> None:
    written = clocks.to_rfc3339(moment)
    read = datetime.fromisoformat(written)
    assert written.endswith("Z")
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == moment


@given(st.integers(0, 2**53))
def test_epoch_seconds_never_come_before_the_moment(moment: int) -> None:
    assert 0 <= clocks.to_epoch_seconds(moment) * 1_000 - moment < 1_000


def test_the_machines_clock_counts_milliseconds() -> None:
    before = datetime.now(UTC).timestamp() * 1_000
    assert before - 1 <= clocks.system_clock() <= datetime.now(UTC).timestamp() * 1_000 + 1


# --- ids ---


class Edge:
    """Draws always the smallest or always the largest."""

    def __init__(self, *, largest: bool) -> None:
        self._largest = largest

    def randbelow(self, exclusive_upper_bound: int, /) -> int:
        return exclusive_upper_bound - 1 if self._largest else 0

    token_bytes = staticmethod(secrets.token_bytes)
    token_hex = staticmethod(secrets.token_hex)
    token_urlsafe = staticmethod(secrets.token_urlsafe)


def test_object_ids_are_8_to_10_digits_that_fit_into_32_bits() -> None:
    assert ids.new_object_id(Edge(largest=False)) == "10000000"
    assert ids.new_object_id(Edge(largest=True)) == str(2**31 - 1)
    drawn = {ids.new_object_id(SeededRandomness(seed)) for seed in range(300)}
    assert all(8 <= len(one) <= 10 and one.isdigit() and int(one) < 2**31 for one in drawn)
    assert len(drawn) == 300


@pytest.mark.req("L04")
def test_a_login_guid_is_32_hex_characters_of_the_secrets_module() -> None:
    assert ids.is_login_guid(ids.new_login_guid(secrets))
    assert len({ids.new_login_guid(secrets) for _ in range(1_000)}) == 1_000


@pytest.mark.req("L04")
def test_a_secret_is_256_bits_that_survive_urls_headers_and_cookies() -> None:
    secret = ids.new_secret(secrets)
    assert len(secret) == 43
    assert not set(secret) & set('.;,= "\\%+/')


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, "\u0660" * 32, "0" * 31 + "\n", "0" * 31 + " ", "-" + "0" * 31]
)
def test_what_is_no_login_guid(text: str) -> None:
    assert not ids.is_login_guid(text)


def test_labels_hold_no_character_that_is_mistaken_for_another() -> None:
    label = ids.new_label(SeededRandomness(), 200)
    assert len(label) == 200
    assert not set(label) & set("ilo01")


def test_a_digest_is_matched_by_its_secret_alone() -> None:
    stored = ids.digest("s3cret")
    assert len(stored) == 64
    assert ids.matches("s3cret", stored)
    assert not ids.matches("S3cret", stored)
    assert not ids.matches("", stored)
    assert not ids.matches(stored, stored)
    assert not ids.matches("s3cret", None)


@pytest.mark.req("P04")
def test_half_a_surrogate_pair_matches_nothing_and_breaks_nothing() -> None:
    assert not ids.matches("\ud800", ids.digest("s3cret"))


def test_a_mark_depends_on_the_key_and_on_every_part() -> None:
    marks = {
        ids.keyed_mark("k", "a", "b"),
        ids.keyed_mark("l", "a", "b"),
        ids.keyed_mark("k", "b", "a"),
        ids.keyed_mark("k", "ab"),
        ids.keyed_mark("k", "", "ab"),
    }
    assert len(marks) == 5
    assert ids.keyed_mark("k", "a", "b") in marks


# --- memory ---


def test_memory_keeps_a_value_until_its_age_and_not_a_moment_longer() -> None:
    # given
    clock, loads = FakeClock(), iter(range(10))
    memory: Memory[str, int] = Memory(clock, keep=60_000)
    assert memory.get("a", lambda: next(loads)) == 0

    # when, then
    clock.advance(59_999)
    assert memory.get("a", lambda: next(loads)) == 0
    assert memory.age("a") == 59_999
    clock.advance(1)
    assert memory.get("a", lambda: next(loads)) == 1
    assert memory.age("a") == 0


def test_using_a_value_does_not_make_it_younger() -> None:
    clock, loads = FakeClock(), iter(range(10))
    memory: Memory[str, int] = Memory(clock, keep=60_000)
    seen = []
    for _ in range(5):
        seen.append(memory.get("a", lambda: next(loads)))
        clock.advance(25_000)
    assert seen == [0, 0, 0, 1, 1]


def test_memory_remembers_that_there_is_nothing() -> None:
    memory: Memory[str, None] = Memory(FakeClock(), keep=1)
    loads = []
    for _ in range(2):
        assert memory.get("a", lambda: loads.append(1)) is None
    assert loads == [1]


def test_an_error_is_not_remembered() -> None:
    memory: Memory[str, int] = Memory(FakeClock(), keep=1)

    def fail() -> int:
        raise errors.UnavailableError("dynamodb")

    with pytest.raises(errors.UnavailableError):
        memory.get("a", fail)
    assert memory.age("a") is None
    assert memory.get("a", lambda: 5) == 5


def test_the_entry_unused_longest_goes_first() -> None:
    # given
    memory: Memory[str, str] = Memory(FakeClock(), keep=1, most=2)
    memory.get("a", lambda: "a")
    memory.get("b", lambda: "b")
    memory.get("a", lambda: "other")

    # when
    memory.get("c", lambda: "c")

    # then
    assert [memory.age(key) for key in "abc"] == [0, None, 0]


def test_a_forgotten_entry_is_loaded_anew() -> None:
    memory: Memory[str, int] = Memory(FakeClock(), keep=1)
    memory.get("a", lambda: 1)
    memory.forget("a")
    memory.forget("a")
    assert memory.get("a", lambda: 2) == 2


# --- settings ---


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert settings == Settings(API_ORIGIN, HUB_ORIGIN, "d", "p", "j", "s", "m")
    assert settings.hub_url("clinic") == "https://clinic.hub.vestibule.example"
    assert Settings.from_environment({}) == Settings("", "", "", "", "", "", "")


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("clinic.hub.vestibule.example", "clinic"),
        ("clinic.hub.vestibule.example:443", "clinic"),
        ("CLINIC.Hub.Vestibule.Example", "clinic"),
        ("north-side-9.hub.vestibule.example", "north-side-9"),
        ("hub.vestibule.example", None),
        ("", None),
        (".hub.vestibule.example", None),
        ("a.b.hub.vestibule.example", None),
        ("clinic.hub.vestibule.example.evil.example", None),
        ("clinic.hub.vestibule.exampleevil", None),
        ("clinicXhub.vestibule.example", None),
        ("clinic.hubXvestibule.example", None),
        ("evil.example/clinic.hub.vestibule.example", None),
        ("clinic.hub.vestibule.example:port", None),
        ("clinic.hub.vestibule.example:443\n", None),
        ("clinic.hub.vestibule.example\n", None),
        ("api.vestibule.example", None),
    ],
)
@pytest.mark.req("L20")
def test_the_slug_of_a_host(host: str, slug: str | None) -> None:
    assert Settings.from_environment(ENVIRONMENT).slug_of_host(host) == slug


def test_the_slug_of_a_local_host() -> None:
    local = Settings.from_environment({"HUB_ORIGIN": "http://{slug}.hub.vestibule.localhost:4566"})
    assert local.slug_of_host("clinic.hub.vestibule.localhost:4566") == "clinic"
    assert local.slug_of_host("clinic.hub.vestibule.localhost") == "clinic"


# --- errors and records ---


def test_no_credential_error_says_which_part_was_wrong() -> None:
    assert str(errors.UnauthenticatedError()) == "invalid_credentials: The credentials are missing or not valid."


def test_records_cannot_be_changed_and_show_no_password() -> None:
    user = model.User(
        user_id="1", account_id="2", full_name="Ada", created_at=1, updated_at=1, password_hash="$argon2id$secret"
    )
    with pytest.raises(FrozenInstanceError):
        user.full_name = "Eve"  # type: ignore[misc]
    assert "argon2id" not in repr(user)


# --- sealing ---


def master_key() -> bytes:
    return b"k" * 64


def no_master_key() -> bytes:
    raise errors.UnavailableError("secrets_manager")


def no_chance(count: int) -> bytes:
    return b"n" * count


def sealed(content: str = '{"who": "Ada"}') -> str:
    return Sealing(master_key, no_chance).seal("pass", "20000001", content)


def test_what_was_sealed_here_is_read_back() -> None:
    house = Sealing(master_key, no_chance)
    assert house.unseal_given("pass", "20000001", sealed(), most=200) == {"who": "Ada"}


@pytest.mark.parametrize(
    ("kind", "account_id", "text"),
    [
        ("pass", "20000001", None),
        ("pass", "20000001", ""),
        ("pass", "20000001", "é"),
        ("pass", "20000001", "!"),
        ("pass", "20000001", "AAAA"),
        ("pass", "20000001", sealed()[:-4] + "AAAA"),
        ("pass", "20000001", sealed("x")),
        ("pass", "20000001", sealed() + "A" * 200),
        ("pass", "20000002", sealed()),
        ("ticket", "20000001", sealed()),
    ],
)
def test_whatever_else_a_browser_hands_in_is_nothing(kind: str, account_id: str, text: str | None) -> None:
    house = Sealing(master_key, no_chance)
    assert house.unseal_given(kind, account_id, text, most=200) is None


@pytest.mark.req("R01")
def test_without_the_master_key_nothing_is_taken_for_forged() -> None:
    house = Sealing(no_master_key, no_chance)
    with pytest.raises(errors.UnavailableError):
        house.unseal_given("pass", "20000001", sealed(), most=200)
