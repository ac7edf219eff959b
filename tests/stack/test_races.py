"""What must hold when many processes do the same thing at the same moment.

The proxy holds the processes' writes back until all of them are there and lets them go together, so that what is
tested is the table's condition, not who happened to be first.
"""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.browsers import comparable
from tests.support.crowd import growing
from tests.support.portal import cookie_of
from tests.support.proxy import calls_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy, Matcher
    from tests.support.tables import Tables

# As many worker processes as requests at once: the emulator starts one for each.
AT_ONCE = 24
MOST_STARTS = 40
REDEMPTIONS = 200
ROUNDS = 50
CREATIONS = 50
CREATIONS_AT_ONCE = 12
PATIENCE = 1.5  # seconds; the SDK waits for two
UNKNOWN = "0123456789abcdef" * 2

REDEEMING = calls_of(function="RedeemFunction", action="UpdateItem")


@pytest.fixture(scope="module")
def crowd() -> Generator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool


@pytest.fixture(scope="module")
def redeemers(open_portal: Callable[..., Portal], crowd: ThreadPoolExecutor, aws: AwsProxy) -> Portal:
    """An account, and AT_ONCE redeeming processes that have started."""
    portal = open_portal()
    start_processes(aws, crowd, REDEEMING, AT_ONCE, lambda _: portal.follow(f"/login/{UNKNOWN}"))
    return portal


@pytest.mark.req("L01", "L08")
def test_of_200_redemptions_by_many_processes_one_signs_in(
    redeemers: Portal, crowd: ThreadPoolExecutor, aws: AwsProxy, tables: Tables
) -> None:
    # given
    portal = redeemers
    issued = portal.issue()
    link = issued["login_uri"]
    tables.change_login(issued["login_guid"], redeem_before=int(time.time() * 1000) + 120_000)

    def follow(number: int) -> httpx.Response:
        return portal.follow(link, headers={"User-Agent": f"browser {number}"})

    # when
    with aws.gather(REDEEMING, AT_ONCE, patience=PATIENCE) as held:
        answers = list(crowd.map(follow, range(REDEMPTIONS)))

    # then: that many processes had their write on the way at the same time
    assert held.gathered > AT_ONCE // 2
    (winner,) = [answer for answer in answers if cookie_of(answer)]
    cookie = cookie_of(winner)
    assert cookie is not None
    assert winner.status_code == 303
    assert portal.is_signed_in(cookie)
    unknown = comparable(portal.follow(f"/login/{UNKNOWN}"), UNKNOWN)
    assert {comparable(answer, link) for answer in answers if answer is not winner} == {unknown}
    assert unknown[0] == 403
    # and each of the others was somebody else, which is on record
    assert len(tables.events_of(issued["login_guid"])) == REDEMPTIONS - 1


@pytest.mark.req("L03")
def test_revoking_and_redeeming_at_once_never_leaves_a_live_sign_in(
    redeemers: Portal, crowd: ThreadPoolExecutor, aws: AwsProxy
) -> None:
    # given
    portal = redeemers
    user_id = portal.create_user()["id"]
    outcomes = []
    for _ in range(ROUNDS):
        issued = portal.issue(user_id)
        guid, link = issued["login_guid"], issued["login_uri"]

        # when
        with aws.gather(calls_of(action="UpdateItem"), 2, patience=PATIENCE):
            redeemed, revoked = (
                crowd.submit(portal.follow, link),
                crowd.submit(portal.api.delete, f"/v1/login-uris/{guid}"),
            )
            arrived, answer = redeemed.result(), revoked.result()

        # then
        assert answer.status_code == 204
        cookie = cookie_of(arrived)
        if cookie is None:
            assert arrived.status_code == 403
            outcomes.append("refused")
        else:
            assert not portal.is_signed_in(cookie)
            outcomes.append("ended")
    assert set(outcomes) == {"refused", "ended"}  # neither was always first


@pytest.mark.req("L09")
def test_two_cookieless_requests_of_one_browser_make_one_sign_in(
    redeemers: Portal, crowd: ThreadPoolExecutor, aws: AwsProxy, tables: Tables
) -> None:
    # given
    issued = redeemers.issue()

    # when: a true double click
    with aws.gather(REDEEMING, 2, patience=PATIENCE) as held:
        answers = list(crowd.map(redeemers.follow, [issued["login_uri"]] * 2))

    # then: the impatient person is not a thief
    assert held.gathered == 2
    assert sorted(answer.status_code for answer in answers) == [303, 403]
    assert tables.events_of(issued["login_guid"]) == []


def test_of_50_creations_of_one_external_id_one_succeeds(
    portal: Portal, crowd: ThreadPoolExecutor, aws: AwsProxy
) -> None:
    # given
    numbers = itertools.count()

    def create(_: int) -> httpx.Response:
        return portal.api.post("/v1/users", json={"full_name": f"Ada the {next(numbers)}.", "external_id": "p-1"})

    creating = calls_of(function="UsersFunction", action="PutItem")
    start_processes(aws, crowd, creating, CREATIONS_AT_ONCE, lambda _: portal.create_user())

    # when
    creating = calls_of(function="UsersFunction", action="TransactWriteItems")
    with (
        aws.gather(creating, CREATIONS_AT_ONCE, patience=PATIENCE) as held,
        ThreadPoolExecutor(CREATIONS_AT_ONCE) as pool,
    ):
        answers = list(pool.map(create, range(CREATIONS)))

    # then
    assert held.gathered > CREATIONS_AT_ONCE // 2
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert statuses.count(409) == CREATIONS - 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"external_id_taken"}
    (user,) = portal.api.get("/v1/users", params={"external_id": "p-1"}).json()["items"]
    assert user["id"] == next(answer.json()["id"] for answer in answers if answer.status_code == 201)


def test_of_parallel_changes_none_is_lost_without_a_word(portal: Portal, crowd: ThreadPoolExecutor) -> None:
    # given
    user_id = portal.create_user()["id"]
    fields = ("email", "username", "locale", "time_zone")
    values = ("ada@example.org", "ada.l", "en-GB", "Europe/London")

    # when: four processes change one member each
    answers = list(crowd.map(lambda n: portal.api.patch(f"/v1/users/{user_id}", json={fields[n]: values[n]}), range(4)))

    # then: what was said to be done is done
    user = portal.api.get(f"/v1/users/{user_id}").json()
    for answer, name, value in zip(answers, fields, values, strict=True):
        assert answer.status_code in {200, 409}
        if answer.status_code == 200:
            assert user[name] == value
        else:
            assert answer.json()["code"] == "user_changed"
    assert any(answer.status_code == 200 for answer in answers)


def start_processes(
    aws: AwsProxy, crowd: ThreadPoolExecutor, call: Matcher, count: int, ask: Callable[[int], object]
) -> None:
    """Start that many processes of a function, a few at once.

    Parameters
    ----------
    call
        What the function asks of AWS: those that run already wait with theirs for the new ones.
    ask
        Makes a request that leads there.
    """
    sizes = iter(growing(count))
    size = next(sizes)
    for _ in range(MOST_STARTS):
        with aws.gather(call, size, patience=PATIENCE) as held:
            list(crowd.map(ask, range(size)))
        if held.gathered == size == count:
            return
        if held.gathered == size:
            size = next(sizes)
    pytest.fail(f"this machine does not start {count} processes of a function")
