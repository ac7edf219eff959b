"""Races for a seat, on the stack's own tables: one page of a person sits there, whatever comes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.crowd import at_once
from vestibule.domain.people import Person
from vestibule.domain.seats import Reason, Seated, Unseated
from vestibule.model import Entrance

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal

AT_ONCE = 20
ROUNDS = 5
ADA = Person(name="Ada Lovelace", email="ada@example.org")


def join_at_once(portal: Portal) -> list[Seated | Unseated]:
    """Let one person join a new session of a portal by many pages at once."""
    host = portal.create_user(full_name="Dr. Mia Lindqvist")
    made = portal.api.post("/v1/sessions", json={"title": "Lecture", "host": {"user_id": host["id"]}})
    assert made.status_code == 201, made.text
    session = portal.house.sessions.get(portal.account_id, made.json()["id"])
    seats, entrances = portal.house.seats, list(Entrance)

    def join(number: int) -> Seated | Unseated:
        return seats.take(portal.account, session, ADA, entrances[number % len(entrances)])

    return at_once(join, range(AT_ONCE), threads=AT_ONCE)


@pytest.mark.req("E06")
def test_of_20_parallel_joins_exactly_one_sits_there_and_every_other_is_told(portal: Portal) -> None:
    for _ in range(ROUNDS):
        # when
        joined = join_at_once(portal)
        # then
        answers = [
            portal.house.seats.beat(portal.account, str(seated.token))
            for seated in joined
            if isinstance(seated, Seated)
        ]
        assert len(answers) == AT_ONCE
        assert sum(isinstance(answer, Seated) for answer in answers) == 1
        assert answers.count(Unseated(Reason.JOINED_ELSEWHERE)) == AT_ONCE - 1
        # and of all these visits one goes on
        (first, *_) = (seated for seated in joined if isinstance(seated, Seated))
        visits, _ = portal.house.attendance.page(portal.account_id, first.session.session_id, after=None, limit=100)
        assert len(visits) == AT_ONCE
        assert sum(attended.is_present for attended in visits) == 1


@pytest.mark.req("E06")
def test_with_reject_new_one_of_20_gets_the_seat_and_every_other_is_told(open_portal: Callable[..., Portal]) -> None:
    portal = open_portal(seat_policy="reject_new")
    for _ in range(ROUNDS):
        answers = join_at_once(portal)
        assert sum(isinstance(answer, Seated) for answer in answers) == 1
        assert answers.count(Unseated(Reason.ALREADY_JOINED)) == AT_ONCE - 1


@pytest.mark.req("E07", "R03")
def test_attendance_is_read_over_the_api(portal: Portal) -> None:
    # given
    (seated, *_) = (one for one in join_at_once(portal) if isinstance(one, Seated))
    address = f"/v1/sessions/{seated.session.session_id}/attendance"
    # when
    answer, sheet = portal.api.get(address), portal.api.get(f"{address}.csv")
    # then
    assert answer.status_code == 200, answer.text
    assert {item["name"] for item in answer.json()["items"]} == {"Ada Lovelace"}
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(sheet.text.splitlines()) == 1 + AT_ONCE
