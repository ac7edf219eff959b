"""The life of signing keys, over simulated years."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from tests.support.house import START, FakeClock
from vestibule import tokens
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.signing_keys import (
    LONGEST_TOKEN,
    PUBLISHED_BEFORE_USE,
    REFETCH_AFTER,
    REMEMBERED_FOR,
    SIGNS_FOR,
    KeyRotation,
    Signer,
    Verifier,
    advance,
    signer_of,
)
from vestibule.errors import UnavailableError
from vestibule.model import SigningKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.house import MakeHouse, MotoAws
    from vestibule.settings import Settings
    from vestibule.wiring import House

type Ring = tuple[SigningKey, ...]

YEAR = 365 * DAY


class KeyMaker:
    """Makes keys without cryptography, numbered; knows every one it ever made."""

    def __init__(self) -> None:
        self.made: list[SigningKey] = []

    def __call__(self, *, published_at: int, signs_from: int) -> SigningKey:
        key = SigningKey(
            kid=f"key-{len(self.made)}",
            published_at=published_at,
            signs_from=signs_from,
            public_key={},
            private_key="private",
        )
        self.made.append(key)
        return key


class Shelf:
    """A place for a ring that can be made to fail: the secret, or the published set."""

    def __init__(self) -> None:
        self.ring: Ring = ()
        self.reads = 0
        self.fails = False

    def read(self) -> Ring:
        self.reads += 1
        return self.ring

    def write(self, ring: Sequence[SigningKey]) -> None:
        if self.fails:
            raise UnavailableError("shelf")
        self.ring = tuple(ring)

    publish = write


class Deployment:
    """Rotation, a signer and a verifier of one deployment, on shelves instead of tables."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.secret, self.published = Shelf(), Shelf()
        self.maker = KeyMaker()
        secret: Any = self.secret
        published: Any = self.published
        self.rotation = KeyRotation(secret, published, self.clock, self.maker)
        self.signer = Signer(secret, self.clock)
        self.verifier = Verifier(published, self.clock)


def test_a_fresh_deployment_has_a_key_that_signs_at_once() -> None:
    ring = advance((), START, KeyMaker())
    assert [(key.published_at, key.signs_from) for key in ring] == [(START, START)]
    assert signer_of(ring, START) is ring[0]


def test_nothing_changes_before_its_time() -> None:
    maker = KeyMaker()
    ring = advance((), START, maker)
    assert advance(ring, START, maker) == ring
    assert advance(ring, START + SIGNS_FOR - PUBLISHED_BEFORE_USE - 1, maker) == ring


def test_the_next_key_is_published_an_hour_before_it_signs() -> None:
    # given
    maker = KeyMaker()
    ring = advance((), START, maker)
    due = START + SIGNS_FOR - PUBLISHED_BEFORE_USE

    # when
    ring = advance(ring, due, maker)

    # then
    former, following = ring
    assert following.published_at == due
    assert following.signs_from == due + PUBLISHED_BEFORE_USE
    assert signer_of(ring, following.signs_from - 1) is former
    assert signer_of(ring, following.signs_from) is following
    assert advance(ring, due + 1, maker) == ring


def test_a_relieved_key_stays_until_its_last_token_is_over() -> None:
    # given
    maker = KeyMaker()
    ring = advance(advance((), START, maker), START + SIGNS_FOR, maker)
    relieved_at = ring[1].signs_from
    last = relieved_at + REMEMBERED_FOR + LONGEST_TOKEN

    # when, then
    assert advance(ring, last - 1, maker) == ring
    assert advance(ring, last, maker) == ring[1:]


def test_a_ring_without_a_ready_signer_gets_one() -> None:
    # given: only a key of the future, as after a lost secret was half restored
    maker = KeyMaker()
    future = maker(published_at=START, signs_from=START + HOUR)
    # when
    ring = advance((future,), START, maker)
    # then
    assert signer_of(ring, START) is ring[1]


@given(st.lists(st.integers(1 * MINUTE, 70 * MINUTE) | st.integers(1, 90 * DAY), min_size=1, max_size=60))
@profile(max_examples=150)
def test_over_years_of_any_schedule_no_live_token_is_ever_unverifiable(pauses: list[int]) -> None:
    # given: runs of the rotation at whatever moments, with outages of months between them
    maker = KeyMaker()
    now = START
    ring = advance((), now, maker)
    seen_at = {ring[0].kid: now}
    last_signed: dict[str, int] = {}

    for pause in pauses:
        # when: time passes, and the ring of the last run is what signers and verifiers see meanwhile
        before, now = now, now + pause
        moments = sorted({before, now - 1, *(key.signs_from for key in ring if before <= key.signs_from < now)})
        for moment in moments:
            # then: exactly one signs, and it was published long enough
            signer = signer_of(ring, moment)
            assert signer is not None
            assert sum(key.signs_from == signer.signs_from for key in ring) == 1
            assert moment - seen_at[signer.kid] >= PUBLISHED_BEFORE_USE or signer is maker.made[0]
            # what it signs now may be live for a day, and a signer's memory may use it five minutes longer
            following = [key.signs_from for key in ring if key.signs_from > moment]
            end = min([now, *following])
            last_signed[signer.kid] = max(last_signed.get(signer.kid, 0), end + REMEMBERED_FOR)
        ring = advance(ring, now, maker)
        for key in ring:
            seen_at.setdefault(key.kid, now)

        # then: whoever can have a live token out is still published
        published = {key.kid for key in ring}
        assert {kid for kid, moment in last_signed.items() if now < moment + LONGEST_TOKEN} <= published
        assert len(ring) <= 3


def test_ten_years_of_hourly_runs_keep_the_ring_small_and_the_keys_young() -> None:
    # given
    maker, now, largest = KeyMaker(), START, 0
    ring: Ring = ()
    # when
    while now < START + 10 * YEAR:
        ring = advance(ring, now, maker)
        signer = signer_of(ring, now)
        assert signer is not None
        assert now - signer.signs_from < SIGNS_FOR + 2 * HOUR
        largest = max(largest, len(ring))
        now += HOUR
    # then
    assert largest == 2
    assert len(maker.made) == pytest.approx(10 * YEAR / SIGNS_FOR, abs=2)


def test_running_the_rotation_again_changes_nothing() -> None:
    deployment = Deployment()
    first = deployment.rotation.run()
    assert deployment.rotation.run() == first
    assert deployment.secret.ring == deployment.published.ring == first


@pytest.mark.req("R01")
def test_a_crash_between_publishing_and_writing_loses_nothing() -> None:
    # given
    deployment = Deployment()
    deployment.rotation.run()
    deployment.clock.advance(SIGNS_FOR)
    # when: the new key is published and then lost
    deployment.secret.fails = True
    with pytest.raises(UnavailableError):
        deployment.rotation.run()
    lost = deployment.maker.made[-1]
    assert lost in deployment.published.ring
    # then: what signs is still what is published
    assert deployment.signer.key() in deployment.published.ring

    # when: the next run, ten minutes later
    deployment.clock.advance(10 * MINUTE)
    deployment.secret.fails = False
    ring = deployment.rotation.run()

    # then: nobody ever signed with the lost key, and its successor has its own full hour
    assert lost not in ring
    assert deployment.published.ring == deployment.secret.ring == ring
    assert ring[-1].signs_from == deployment.clock() + PUBLISHED_BEFORE_USE
    assert deployment.signer.key() is ring[0]


@pytest.mark.req("R01")
def test_a_failed_publication_stores_no_key() -> None:
    # given
    deployment = Deployment()
    deployment.rotation.run()
    deployment.clock.advance(SIGNS_FOR)
    before = deployment.secret.ring
    # when
    deployment.published.fails = True
    with pytest.raises(UnavailableError):
        deployment.rotation.run()
    # then
    assert deployment.secret.ring == before


def test_a_published_set_that_was_lost_comes_back_with_the_next_run() -> None:
    deployment = Deployment()
    ring = deployment.rotation.run()
    deployment.published.ring = ()
    deployment.rotation.run()
    assert deployment.published.ring == ring


def test_a_signer_reads_the_secret_once_in_five_minutes() -> None:
    deployment = Deployment()
    deployment.rotation.run()
    deployment.secret.reads = 0
    for _ in range(10):
        deployment.signer.key()
        deployment.clock.advance(MINUTE)
    assert deployment.secret.reads == 2


def test_a_signer_before_the_first_deployment_is_an_outage_and_looks_again() -> None:
    # given
    deployment = Deployment()
    with pytest.raises(UnavailableError):
        deployment.signer.key()
    # when
    ring = deployment.rotation.run()
    # then: at once, not after five minutes of memory
    assert deployment.signer.key() is ring[0]


def test_an_unknown_kid_reads_the_published_set_at_most_once_a_minute() -> None:
    # given
    deployment = Deployment()
    deployment.rotation.run()
    assert deployment.verifier.find("key-0")

    # when: an hour of forged tokens, one a second
    for _ in range(3_600):
        assert deployment.verifier.find("forged") is None
        deployment.clock.advance(1_000)

    # then
    assert deployment.published.reads <= 1 + 60


def test_a_key_that_was_just_published_is_found_within_a_minute() -> None:
    # given: a verifier that looked just before
    deployment = Deployment()
    assert deployment.verifier.find("key-0") is None
    deployment.rotation.run()
    # when, then
    deployment.clock.advance(REFETCH_AFTER - 1)
    assert deployment.verifier.find("key-0") is None
    deployment.clock.advance(1)
    assert deployment.verifier.find("key-0") is not None


@given(st.lists(st.integers(1, 40 * DAY), min_size=1, max_size=15))
@profile(max_examples=60, deadline=None)
def test_whatever_a_signer_signs_a_verifier_knows(pauses: list[int]) -> None:
    # given: hourly runs, and a signer and a verifier with memories of their own
    deployment = Deployment()
    deployment.rotation.run()
    for pause in pauses:
        # when
        end = deployment.clock() + pause
        while deployment.clock() + HOUR < end:
            deployment.clock.advance(HOUR)
            deployment.rotation.run()
        deployment.clock.advance(max(0, end - deployment.clock()))
        # then
        key = deployment.signer.key()
        assert deployment.verifier.find(key.kid) == key


# --- in the tables ---


def test_the_private_part_stays_in_the_secret(house: House, moto_aws: MotoAws, settings: Settings) -> None:
    # when
    (key,) = house.key_rotation.run()

    # then
    secret = moto_aws.secrets_manager.get_secret_value(SecretId=settings.signing_keys_secret)["SecretString"]
    assert json.loads(secret)["keys"][0]["private_key"] == key.private_key
    directory = json.dumps(moto_aws.stored(settings.directory_table))
    assert key.kid in directory
    assert "PRIVATE" not in directory
    assert "private_key" not in directory
    (published,) = house.verifier.all()
    assert published.private_key is None
    assert published.public_key == key.public_key


def test_what_one_worker_signs_another_verifies(make_house: MakeHouse, clock: FakeClock) -> None:
    # given
    signing, verifying = make_house(1), make_house(2)
    signing.key_rotation.run()
    account = signing.accounts.create("Clinic", "clinic", {})
    client, secret = signing.clients.create(account.account_id, "portal", ["users:read"])
    caller = signing.clients.authenticate(client.client_id, secret)
    # when
    token = signing.access_token_issuer.issue(caller).token
    # then
    read = verifying.access_token_reader.read(token)
    assert (read.account_id, read.client_id, read.scopes) == (account.account_id, client.client_id, ("users:read",))
    assert read.expires_at == clock() // 1_000 * 1_000 + 15 * MINUTE
    assert len(token) < tokens._LONGEST_TOKEN / 4  # noqa: SLF001 - far from the limit
