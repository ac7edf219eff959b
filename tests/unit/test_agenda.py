"""A person's own sessions: whose they are, on which day, in which state, and what reading them costs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain import agenda as agenda_rules
from vestibule.domain.agenda import NAMES_SHOWN, SHOWN_AT_ONCE
from vestibule.domain.participants import Invitee
from vestibule.domain.phases import Phase
from vestibule.domain.sessions import HostRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, Wire
    from vestibule.domain.agenda import Agenda, Day, Entry
    from vestibule.model import Account, Session, User
    from vestibule.wiring import House

FEW = 4
"""Sessions on a page, where the number does not matter."""
# The tests begin at 2026-11-22T02:49:32Z: still the 21st in New York, long the 22nd in Berlin.
BERLIN_DAY = date(2026, 11, 22)


@pytest.fixture
def doctor(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", time_zone="Europe/Berlin")


@pytest.fixture
def patient(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Ada Lovelace", email="ada@example.org")


def plan(house: House, host: User, *invitees: Invitee, starts_at: int = START + HOUR, **fields: Any) -> Session:
    given = {"title": "Consultation", "starts_at": starts_at, **fields}
    return house.sessions.create(host.account_id, HostRef(user_id=host.user_id), given, invitees)[0]


def with_user(user: User) -> Invitee:
    return Invitee(user_id=user.user_id)


def guest(number: int) -> Invitee:
    return Invitee(full_name=f"Guest {number}")


def entries(agenda: Agenda) -> list[Entry]:
    return [entry for day in agenda.days for entry in day.entries]


def ids_of(agenda: Agenda) -> list[str]:
    return [entry.session.session_id for entry in entries(agenda)]


# --- whose ---


@pytest.mark.req("L18")
def test_everybody_sees_what_they_host_or_take_part_in_and_nothing_else(
    house: House, account: Account, doctor: User, patient: User
) -> None:
    # given
    other = add_user(house, account, full_name="Charles Babbage")
    first = plan(house, doctor, with_user(patient))
    second = plan(house, doctor, with_user(other), starts_at=START + 2 * HOUR)
    # then
    assert ids_of(house.agendas.of(doctor)) == [first.session_id, second.session_id]
    assert ids_of(house.agendas.of(patient)) == [first.session_id]

    # and by name neither
    def named(session_id: str) -> list[Entry | Day | None]:
        page, alone = house.agendas.of(patient, named=session_id), house.agendas.one(patient, session_id)
        return [page.named, alone.named, alone.apart]

    assert all(named(first.session_id))
    for foreign in (second.session_id, "99999999", "", "x", "9" * 5_000):
        assert named(foreign) == [None, None, None]


@pytest.mark.req("L18", "L20")
def test_another_accounts_session_of_the_same_id_is_not_theirs(house: House, doctor: User) -> None:
    elsewhere = open_account(house, "elsewhere")
    foreign = plan(house, add_user(house, elsewhere))
    assert house.agendas.of(doctor, named=foreign.session_id).named is None


@pytest.mark.req("L18")
def test_an_address_that_is_shared_shows_nobody_anothers_sessions(house: House, doctor: User, patient: User) -> None:
    # given: a guest of the same address, who is known by it alone
    invited = plan(house, doctor, Invitee(full_name="Ada's mother", email="ada@example.org"))
    # then
    assert ids_of(house.agendas.of(patient)) == []
    assert house.agendas.of(patient, named=invited.session_id).named is None


def test_guests_are_named_to_the_host_and_the_host_to_everybody(house: House, doctor: User, patient: User) -> None:
    # given
    plan(house, doctor, with_user(patient), *map(guest, range(NAMES_SHOWN + 1)))
    # then
    (own,) = entries(house.agendas.of(doctor))
    assert (own.is_host, own.host_name) == (True, None)
    assert own.people == ("Ada Lovelace", "Guest 0", "Guest 1")
    assert own.more == 2
    (theirs,) = entries(house.agendas.of(patient))
    assert (theirs.is_host, theirs.host_name) == (False, "Dr. Grace Hopper")
    assert (theirs.people, theirs.more) == ((), 0)


def test_guests_are_told_apart_by_session_and_follow_it(house: House, account: Account, doctor: User) -> None:
    # given
    one = plan(house, doctor, guest(1))
    other = plan(house, doctor, guest(2))
    # when
    house.participants.add(account.account_id, one.session_id, [guest(3)])
    house.sessions.change(account.account_id, one.session_id, {"starts_at": START + DAY})
    gone = house.participants.list_of(account.account_id, other.session_id)[1]
    house.participants.remove(account.account_id, other.session_id, gone.participant_id)
    # then
    assert [entry.people for entry in entries(house.agendas.of(doctor))] == [(), ("Guest 1", "Guest 3")]


def test_guests_are_named_to_a_new_host_too(house: House, account: Account, doctor: User) -> None:
    # given
    session = plan(house, doctor, guest(1))
    other = add_user(house, account, full_name="Charles Babbage")
    # when
    house.sessions.hand_over(account.account_id, session.session_id, HostRef(user_id=other.user_id))
    # then
    (own,) = entries(house.agendas.of(other))
    assert (own.is_host, own.people) == (True, ("Guest 1",))
    assert entries(house.agendas.of(doctor)) == []


# --- when ---


@pytest.mark.req("S07")
def test_days_are_those_of_the_persons_zone(house: House, account: Account, doctor: User) -> None:
    # given: 23:30 and 00:30 in Berlin, which are one day in New York
    away = add_user(house, account, time_zone="America/New_York")
    late = START - 2 * HOUR - 49 * MINUTE - 32_123 + 22 * HOUR + 30 * MINUTE
    for starts_at in (late, late + HOUR):
        plan(house, doctor, with_user(away), starts_at=starts_at)
    # then
    in_berlin, in_new_york = house.agendas.of(doctor), house.agendas.of(away)
    assert [(day.date, day.distance, len(day.entries)) for day in in_berlin.days] == [
        (BERLIN_DAY, 0, 1),
        (date(2026, 11, 23), 1, 1),
    ]
    assert [(day.date, day.distance, len(day.entries)) for day in in_new_york.days] == [(date(2026, 11, 22), 1, 2)]
    assert (in_berlin.zone.key, in_new_york.zone.key) == ("Europe/Berlin", "America/New_York")


@pytest.mark.req("S07")
def test_without_a_zone_of_their_own_it_is_that_of_the_next_session(house: House, doctor: User, patient: User) -> None:
    assert house.agendas.of(patient).zone.key == "UTC"
    plan(house, doctor, with_user(patient), time_zone="Asia/Tokyo")
    assert house.agendas.of(patient).zone.key == "Asia/Tokyo"


def test_today_stays_until_midnight_and_what_lasts_beyond_it_until_its_end(
    house: House, clock: FakeClock, doctor: User
) -> None:
    # given: 04:49 to 05:49, and 23:49 to 00:49 in Berlin
    early, late = plan(house, doctor), plan(house, doctor, starts_at=START + 20 * HOUR)

    def states() -> list[tuple[str, Phase, int]]:
        return [
            (entry.session.session_id, entry.phase, day.distance)
            for day in house.agendas.of(doctor).days
            for entry in day.entries
        ]

    # when: 23:50
    clock.now = late.starts_at + MINUTE
    assert states() == [(early.session_id, Phase.OVER, 0), (late.session_id, Phase.RUNNING, 0)]
    # then: 00:10
    clock.advance(20 * MINUTE)
    assert states() == [(late.session_id, Phase.RUNNING, -1)]
    # and 00:50
    clock.now = late.ends_at
    assert states() == []


def test_what_is_cancelled_is_shown_as_such(house: House, account: Account, doctor: User) -> None:
    session = plan(house, doctor)
    house.sessions.cancel(account.account_id, session.session_id)
    (entry,) = entries(house.agendas.of(doctor))
    assert entry.phase is Phase.CANCELLED
    assert not entry.is_joinable


# --- how many ---


def test_pages_follow_one_another_without_gap_or_repetition(
    house: House, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: pages of a few, and several at the same moment
    monkeypatch.setattr(agenda_rules, "SHOWN_AT_ONCE", FEW)
    monkeypatch.setattr(agenda_rules, "_READ_AT_ONCE", 2 * FEW)
    planned = [plan(house, doctor, starts_at=START + HOUR + number // 4) for number in range(2 * FEW + 3)]
    # when
    seen: list[str] = []
    lengths, mark = [], None
    while True:
        agenda = house.agendas.of(doctor, page=mark)
        seen += ids_of(agenda)
        lengths.append(len(ids_of(agenda)))
        mark = agenda.following
        if mark is None:
            break
    # then
    assert lengths == [FEW, FEW, 3]
    assert sorted(seen) == sorted(session.session_id for session in planned)
    assert len(set(seen)) == len(seen)


def test_however_much_is_over_what_comes_is_found(
    house: House, clock: FakeClock, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a busy day, more than is read at once, and an appointment on the next one
    monkeypatch.setattr(agenda_rules, "_READ_AT_ONCE", FEW)
    for number in range(3 * FEW):
        plan(house, doctor, starts_at=START + HOUR + number * MINUTE, duration_minutes=1)
    coming = plan(house, doctor, starts_at=START + 26 * HOUR)
    # when
    clock.now = START + DAY + HOUR
    # then
    agenda = house.agendas.of(doctor)
    assert (ids_of(agenda), agenda.following) == ([coming.session_id], None)
    # and when there is nothing more to come
    clock.now = coming.ends_at + DAY
    assert ids_of(house.agendas.of(doctor)) == []


@pytest.mark.parametrize("mark", ["", "x", "1-2", "-", "0" * 15, f"{'9' * 15}-{'9' * 30}", f"{'0' * 15}#12345678"])
def test_a_made_up_page_is_the_first(house: House, doctor: User, mark: str) -> None:
    session = plan(house, doctor)
    assert ids_of(house.agendas.of(doctor, page=mark)) == [session.session_id]


@pytest.mark.req("L15", "L18")
def test_the_named_session_is_found_wherever_it_is(house: House, clock: FakeClock, doctor: User) -> None:
    # given: one long over, one far down, one on the page
    over = plan(house, doctor, guest(1))
    clock.advance(7 * DAY)
    near = plan(house, doctor, starts_at=clock.now + HOUR)
    for number in range(SHOWN_AT_ONCE):
        plan(house, doctor, starts_at=clock.now + DAY + number)
    far = plan(house, doctor, guest(2), starts_at=clock.now + 100 * DAY)
    # then
    agenda = house.agendas.of(doctor, named=near.session_id)
    assert (agenda.named, agenda.apart) == (entries(agenda)[0], None)
    for session, guests, state in ((over, "Guest 1", Phase.OVER), (far, "Guest 2", Phase.UPCOMING)):
        agenda = house.agendas.of(doctor, named=session.session_id)
        assert agenda.named is not None
        assert agenda.apart is not None
        assert agenda.apart.entries == (agenda.named,)
        assert (agenda.named.people, agenda.named.phase) == ((guests,), state)
        assert session.session_id not in ids_of(agenda)


# --- what it costs ---


def calls(wire: Wire, read: Callable[[], object]) -> list[str]:
    with wire.counting() as seen:
        read()
    return [call.operation for call in seen]


def test_reading_takes_two_queries_at_most(
    house: House, wire: Wire, doctor: User, patient: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a full page with people
    monkeypatch.setattr(agenda_rules, "SHOWN_AT_ONCE", FEW)
    for number in range(FEW + 1):
        plan(house, doctor, with_user(patient), *map(guest, range(4)), starts_at=START + number * HOUR)
    last = plan(house, doctor, guest(1), starts_at=START + 100 * DAY)
    # then
    assert calls(wire, lambda: house.agendas.of(doctor)) == ["Query", "BatchGetItem", "Query", "BatchGetItem"]
    assert calls(wire, lambda: house.agendas.of(patient)) == ["Query", "BatchGetItem", "BatchGetItem"]
    # and for a session on another page: whether it is theirs, and who is in it
    assert calls(wire, lambda: house.agendas.of(doctor, named=last.session_id)) == [
        "Query", "BatchGetItem", "BatchGetItem", "Query", "Query", "BatchGetItem",
    ]  # fmt: skip
    assert calls(wire, lambda: house.agendas.one(doctor, last.session_id)) == ["BatchGetItem", "Query", "BatchGetItem"]
    assert calls(wire, lambda: house.agendas.one(doctor, "no id")) == []


def test_an_empty_day_is_one_query(house: House, wire: Wire, doctor: User) -> None:
    assert calls(wire, lambda: house.agendas.of(doctor)) == ["Query"]
