"""Seats and attendance: one page of a person sits in a session, every other is told why it does not."""

from __future__ import annotations

import csv
import io
import tracemalloc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.events import CONTEXT, header, json_of, native_event
from tests.support.house import START, open_account, plan_lecture
from vestibule.clock import DAY, MINUTE, SECOND, to_rfc3339
from vestibule.domain import attendance, people
from vestibule.domain.people import Person
from vestibule.domain.registrants import NewRegistrant
from vestibule.domain.seats import INTERVAL, LARGE_INTERVAL, LASTS, Reason, Seated, SeatToken, Unseated
from vestibule.errors import UnavailableError
from vestibule.model import Entrance, ParticipantRole, Registration, SeatPolicy, Stay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, MotoAws, Wire
    from vestibule.domain.attendance import Attended
    from vestibule.model import Account, Session
    from vestibule.settings import Settings
    from vestibule.wiring import House

ADA = Person(name="Ada Lovelace", email="ada@example.org", user_id="mrn-7")


@pytest.fixture
def session(house: House, account: Account) -> Session:
    return plan_lecture(house, account)


def join(house: House, account: Account, session: Session, who: Person = ADA, **further: Any) -> Seated:
    seated = house.seats.take(account, session, who, further.pop("entrance", Entrance.EMBED), **further)
    assert isinstance(seated, Seated)
    return seated


def beat(house: House, account: Account, seated: Seated) -> Seated | Unseated:
    return house.seats.beat(account, str(seated.token))


def visits(house: House, session: Session) -> list[Attended]:
    return house.attendance.page(session.account_id, session.session_id, after=None, limit=100)[0]


# --- one seat a person ----------------------------------------------------------------------------------


@pytest.mark.req("E06")
def test_who_sits_there_is_told_when_to_speak_again(house: House, account: Account, session: Session) -> None:
    seated = join(house, account, session)
    again = beat(house, account, seated)
    assert isinstance(again, Seated)
    assert (again.interval, again.seat.role) == (INTERVAL, ParticipantRole.ATTENDEE)


@pytest.mark.parametrize("entrance", list(Entrance))
@pytest.mark.req("E06")
def test_joining_again_by_any_entrance_ends_the_older_sitting_with_the_reason(
    house: House, make_house: MakeHouse, account: Account, session: Session, entrance: Entrance
) -> None:
    # given
    older = join(house, account, session)
    # when: another worker, another spelling
    newer = join(make_house(2), account, session, Person(email="ADA@example.org", own_id="registrant:1"),
                 entrance=entrance)  # fmt: skip
    # then
    assert beat(house, account, older) == Unseated(Reason.JOINED_ELSEWHERE)
    assert isinstance(beat(house, account, newer), Seated)


@pytest.mark.req("E06")
def test_other_people_and_other_sessions_are_left_alone(house: House, account: Account, session: Session) -> None:
    ada = join(house, account, session)
    others = [
        join(house, account, session, Person(email="bob@example.org")),
        join(house, account, plan_lecture(house, account)),
        join(house, open_account(house, "other"), session),
    ]
    assert isinstance(beat(house, account, ada), Seated)
    assert all(isinstance(beat(house, account, other), Seated) for other in others[:2])


@pytest.mark.req("E06")
def test_a_reload_by_the_holder_is_no_kick(house: House, account: Account, session: Session) -> None:
    first = join(house, account, session)
    reloaded = join(house, account, session, held=str(first.token))
    assert reloaded.token == first.token
    assert isinstance(beat(house, account, first), Seated)
    assert len(visits(house, session)) == 1


@pytest.mark.req("E06")
def test_a_kicked_page_takes_the_seat_back_only_when_its_person_says_so(
    house: House, account: Account, session: Session
) -> None:
    # given
    kicked = join(house, account, session)
    newer = join(house, account, session)
    # when: a reload, which nobody asked for
    reloaded = house.seats.take(account, session, ADA, Entrance.EMBED, held=str(kicked.token))
    # then
    assert reloaded == Unseated(Reason.JOINED_ELSEWHERE)
    assert isinstance(beat(house, account, newer), Seated)
    # when: its person presses the button
    back = join(house, account, session)
    # then
    assert beat(house, account, newer) == Unseated(Reason.JOINED_ELSEWHERE)
    assert isinstance(beat(house, account, back), Seated)


@pytest.mark.req("E06")
def test_with_reject_new_who_sits_there_stays(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    account = house.accounts.change(account.account_id, {"seat_policy": "reject_new"})
    assert account.seat_policy is SeatPolicy.REJECT_NEW
    older = join(house, account, session)
    # when
    newer = house.seats.take(account, session, ADA, Entrance.REGISTRANT)
    # then
    assert newer == Unseated(Reason.ALREADY_JOINED)
    assert isinstance(beat(house, account, older), Seated)
    assert join(house, account, session, held=str(older.token)).token == older.token
    # when: the page dies
    clock.advance(LASTS - 1)
    assert house.seats.take(account, session, ADA, Entrance.EMBED) == Unseated(Reason.ALREADY_JOINED)
    clock.advance(1)
    # then
    assert join(house, account, session).token != older.token


@pytest.mark.req("E06")
def test_leaving_frees_the_seat_at_once(house: House, account: Account, session: Session) -> None:
    account = house.accounts.change(account.account_id, {"seat_policy": "reject_new"})
    seated = join(house, account, session)
    house.seats.leave(account, str(seated.token))
    assert beat(house, account, seated) == Unseated(Reason.LEFT)
    newer = join(house, account, session)
    # and leaving again frees nobody else's
    house.seats.leave(account, str(seated.token))
    assert isinstance(beat(house, account, newer), Seated)


@pytest.mark.req("E06")
def test_a_page_that_is_not_heard_of_has_left(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    seated = join(house, account, session)
    clock.advance(LASTS - 1)
    assert isinstance(beat(house, account, seated), Seated)
    clock.advance(LASTS)
    assert beat(house, account, seated) == Unseated(Reason.LEFT)
    again = join(house, account, session, held=str(seated.token))
    assert again.token != seated.token


@pytest.mark.parametrize("text", ["", "x", ".", "a.b", "0" * 64, f"{'0' * 64}.", f"{'0' * 64}.x", "ä" * 70, "x" * 999])
@pytest.mark.req("E06", "P05")
def test_no_other_text_is_a_seat(house: House, account: Account, session: Session, text: str) -> None:
    seated = join(house, account, session)
    assert house.seats.beat(account, text) == Unseated(Reason.LEFT)
    house.seats.leave(account, text)
    forged = SeatToken(seated.token.key, "guessed")
    assert house.seats.beat(account, str(forged)) == Unseated(Reason.JOINED_ELSEWHERE)
    house.seats.leave(account, str(forged))
    other = open_account(house, "other")
    assert house.seats.beat(other, str(seated.token)) == Unseated(Reason.LEFT)
    house.seats.leave(other, str(seated.token))
    assert isinstance(beat(house, account, seated), Seated)


@pytest.mark.req("E03")
def test_a_change_of_the_sessions_lists_reaches_the_person_with_the_next_beats(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    seated = join(house, account, session)
    # when
    house.sessions.change(account.account_id, session.session_id, {"presenters": ["ADA@example.org"]})
    clock.advance(INTERVAL)
    answer = beat(house, account, seated)
    # then
    assert isinstance(answer, Seated)
    assert answer.seat.role is ParticipantRole.PRESENTER
    assert visits(house, session)[0].visit.role is ParticipantRole.PRESENTER


@pytest.mark.parametrize(
    ("registration", "interval"),
    [
        (Registration(), INTERVAL),
        (Registration(capacity=5_000, public=True), INTERVAL),
        (Registration(capacity=5_001), LARGE_INTERVAL),
        (Registration(public=True), LARGE_INTERVAL),
    ],
)
def test_a_session_that_may_be_large_is_spoken_to_less_often(
    house: House, account: Account, registration: Registration, interval: int
) -> None:
    assert join(house, account, plan_lecture(house, account, registration=registration)).interval == interval


# --- what it costs, and what happens when things break --------------------------------------------------


def test_a_beat_is_one_read_and_two_small_writes_a_minute(
    house: House, wire: Wire, clock: FakeClock, account: Account, session: Session, settings: Settings
) -> None:
    # given
    seated = join(house, account, session, replace(ADA, metadata='{"x": "' + "y" * 8_000 + '"}'))
    beat(house, account, seated)  # the session is remembered from here on, 5 seconds at a time
    # when: five minutes of beats
    reads: list[float] = []
    writes: dict[str, int] = {}
    for _ in range(5 * MINUTE // INTERVAL):
        clock.advance(INTERVAL)
        with wire.counting() as calls:
            assert isinstance(beat(house, account, seated), Seated)
        (seat_read, *_) = calls
        assert seat_read.operation == "GetItem"
        assert seat_read.tables == {settings.passes_table}
        reads.append(seat_read.read_units)
        for call in calls:
            for table in call.tables:
                writes[table] = writes.get(table, 0) + call.write_units
    # then
    assert set(reads) == {1}
    assert writes[settings.passes_table] == 5
    assert writes[settings.journal_table] == 5
    assert writes[settings.directory_table] == 0


def test_joining_is_three_writes(house: House, wire: Wire, account: Account, session: Session) -> None:
    with wire.counting() as calls:
        join(house, account, session)
    assert [(call.operation, call.write_units) for call in calls] == [("UpdateItem", 1), ("PutItem", 1), ("PutItem", 1)]


@pytest.mark.req("R01", "E06")
def test_a_lost_answer_kicks_nobody(house: House, wire: Wire, account: Account, session: Session) -> None:
    wire.lose_answer("UpdateItem")
    seated = join(house, account, session)
    assert isinstance(beat(house, account, seated), Seated)
    assert [attended.is_present for attended in visits(house, session)] == [True]


@pytest.mark.req("R01")
def test_an_outage_is_an_outage_and_never_a_kick(
    house: House, wire: Wire, clock: FakeClock, account: Account, session: Session
) -> None:
    seated = join(house, account, session)
    clock.advance(MINUTE)
    for operation in ("GetItem", "PutItem", "UpdateItem"):
        wire.fail(operation, "InternalServerError")
        with pytest.raises(UnavailableError):
            beat(house, account, seated)
    assert isinstance(beat(house, account, seated), Seated)


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.req("R01", "E06")
def test_a_seat_that_no_page_got_does_not_turn_its_own_person_away(
    house: House, wire: Wire, account: Account, session: Session, skip: int
) -> None:
    # given: the journal fails when the seat is taken already
    account = house.accounts.change(account.account_id, {"seat_policy": "reject_new"})
    wire.fail("PutItem", "InternalServerError", skip=skip)
    with pytest.raises(UnavailableError):
        join(house, account, session)
    # when: the page tries again, and knows of no seat
    seated = join(house, account, session)
    # then
    assert isinstance(beat(house, account, seated), Seated)


@pytest.mark.req("L04")
def test_a_dump_lets_nobody_take_a_seat(
    house: House, account: Account, session: Session, moto_aws: MotoAws, settings: Settings
) -> None:
    seated = join(house, account, session)
    assert seated.token.secret not in str(moto_aws.stored(settings.passes_table))


# --- attendance -----------------------------------------------------------------------------------------


@pytest.mark.req("E06", "E07")
def test_every_visit_says_who_was_there_when_and_for_how_long(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    # given: a registrant with metadata, 90 seconds in one page
    metadata = {"company": "Babbage & Söhne", "seat": [1, None]}
    wanted = NewRegistrant(name="Ada Lovelace", email="ada@example.org", metadata=metadata)
    made = house.registrants.register(account.account_id, session.session_id, wanted)
    person = people.of_registrant(made)
    first = join(house, account, session, person, entrance=Entrance.REGISTRANT)
    for _ in range(6):
        clock.advance(INTERVAL)
        beat(house, account, first)
    # when: kicked by another page, which dies after 70 seconds
    second = join(house, account, session, ADA, entrance=Entrance.EMBED)
    clock.advance(70 * SECOND)
    beat(house, account, second)
    clock.advance(LASTS)
    # and a third, which leaves
    third = join(house, account, session, person)
    clock.advance(20 * SECOND)
    house.seats.leave(account, str(third.token))

    # then
    one, two, three = sorted(visits(house, session), key=lambda found: found.visit.joined_at)
    assert [found.seconds for found in (one, two, three)] == [90, 70, 20]
    assert not any(found.is_present for found in (one, two, three))
    assert (one.visit.name, one.visit.own_id) == ("Ada Lovelace", f"registrant:{made.registrant_id}")
    assert (one.visit.entrance, two.visit.entrance) == (Entrance.REGISTRANT, Entrance.EMBED)
    assert one.visit.metadata == made.metadata


@pytest.mark.req("E07", "P05")
def test_attendance_is_read_as_json_and_csv_page_by_page(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    for number in range(25):
        who = Person(name=f"=Guest {number}", email=f"g{number}@example.org", metadata='{"a": "b,c"}')
        join(house, account, session, who)
        clock.advance(1)

    def call(kind: str, **query: str) -> Any:
        path = f"/v1/sessions/{session.session_id}/attendance{kind}"
        return function("attendance")(native_event("GET", path, account_id=account.account_id, query=query), CONTEXT)

    # when
    items: list[dict[str, Any]] = []
    lines: list[dict[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page, sheet = json_of(call("", limit="4", **cursor)), call(".csv", limit="4", **cursor)
        assert header(sheet, "content-type") == "text/csv; charset=utf-8"
        items += page["items"]
        lines += csv.DictReader(io.StringIO(sheet["body"]))
        assert header(sheet, "vestibule-cursor") == page["cursor"]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}

    # then
    assert sorted(item["email"] for item in items) == sorted(f"g{number}@example.org" for number in range(25))
    assert [line["visit_id"] for line in lines] == [item["visit_id"] for item in items]
    assert {line["name"][:2] for line in lines} == {"'="}, "no spreadsheet takes it for a formula"
    assert {line["metadata"] for line in lines} == {'{"a": "b,c"}'}
    assert all(item["metadata"] == {"a": "b,c"} and item["is_present"] for item in items)
    first = min(items, key=lambda item: str(item["joined_at"]))
    assert (first["joined_at"], first["seconds"]) == (to_rfc3339(START), 0)

    # when
    other = open_account(house, "other")
    path = f"/v1/sessions/{session.session_id}/attendance"
    answer = function("attendance")(native_event("GET", path, account_id=other.account_id), CONTEXT)

    # then
    assert (answer["statusCode"], json_of(answer)["code"]) == (404, "session_not_found")


@pytest.mark.req("E07")
def test_attendance_adds_up(
    house: House,
    function: LoadFunction,
    clock: FakeClock,
    account: Account,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def summary() -> dict[str, Any]:
        path = f"/v1/sessions/{session.session_id}/attendance/summary"
        event = native_event("GET", path, account_id=account.account_id)
        return dict(json_of(function("attendance")(event, CONTEXT)))

    # given: nobody has come
    assert summary() == {
        "visits": 0,
        "people": 0,
        "present": 0,
        "seconds": 0,
        "first_joined_at": None,
        "last_left_at": None,
        "peak": 0,
        "step_seconds": 60,
        "concurrency": [],
        "is_complete": True,
    }

    # when: Ada for 30 seconds, twice; Grace in the fourth minute, until now
    for _ in range(2):
        ada = join(house, account, session)
        clock.advance(30 * SECOND)
        house.seats.leave(account, str(ada.token))
        clock.advance(60 * SECOND)
    join(house, account, session, Person(name="Grace Hopper", email="grace@example.org"))

    # then
    found = summary()
    assert (found["visits"], found["people"], found["present"], found["seconds"]) == (3, 2, 1, 60)
    assert (found["concurrency"], found["peak"]) == ([1, 1, 1, 1], 1)
    assert found["first_joined_at"] == to_rfc3339(START)

    # when: somebody comes two days later
    clock.advance(2 * DAY)
    join(house, account, session)

    # then: no more steps than a day has minutes, and nobody is lost between them
    late = summary()
    assert late["step_seconds"] == 180
    assert len(late["concurrency"]) <= 1_440
    assert (late["concurrency"][0], late["concurrency"][-1], sum(late["concurrency"])) == (2, 1, 4)

    # when: there are more visits than one call reads
    monkeypatch.setattr(attendance, "SUMMED_AT_MOST", 2)
    monkeypatch.setattr(attendance, "_READ_AT_ONCE", 2)

    # then
    assert (summary()["visits"], summary()["is_complete"]) == (2, False)


def a_stay(number: int) -> Stay:
    """Give the visit of one of a crowd: every fourth person comes twice, and a new one joins each 100 milliseconds."""
    joined_at = START + 100 * number
    who = f"registrant:{number % 40_000}"
    return Stay(visit_id=f"{number:016x}", joined_at=joined_at, left_at=joined_at + 10 * MINUTE, own_id=who)


class Crowd:
    """A journal without an end, which answers as quickly as a test likes."""

    def __init__(self, pause: Callable[[], object]) -> None:
        self._pause = pause
        self.pages = 0

    def stays(self, *_: str, after: object, limit: int) -> tuple[list[Stay], tuple[int, str]]:
        self._pause()
        assert (after is None) is (self.pages == 0)
        self.pages += 1
        return [a_stay(number) for number in range((self.pages - 1) * limit, self.pages * limit)], (0, "x")


@pytest.mark.req("E07")
def test_50_000_visits_are_summed_up_in_one_call_and_more_are_said_to_be_more(
    house: House, account: Account, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    crowd = Crowd(pause=lambda: None)
    monkeypatch.setattr(house, "_visit_store", crowd)
    # when
    found = house.attendance.summary(account.account_id, session.session_id)
    # then
    assert (found.visits, found.people, found.is_complete) == (50_000, 40_000, False)
    assert found.seconds == 50_000 * 600
    # ten minutes of them are there at a time, the minutes of joining and leaving counted whole
    assert (max(found.concurrency), len(found.concurrency)) == (6_600, 94)
    assert crowd.pages == 50


@pytest.mark.req("E07")
def test_50_000_visits_fit_into_a_function_many_times() -> None:
    tracemalloc.start()
    stays = [a_stay(number) for number in range(1_000)]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held * attendance.SUMMED_AT_MOST // len(stays) < 64 * 1_024 * 1_024


@pytest.mark.req("E07", "R01")
def test_a_journal_that_is_slow_is_summed_up_as_far_as_there_is_time(
    house: House, account: Account, session: Session, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "_visit_store", Crowd(pause=lambda: clock.advance(SECOND)))
    found = house.attendance.summary(account.account_id, session.session_id)
    assert (found.visits, found.is_complete) == (6_000, False)


@pytest.mark.req("E07", "E06")
def test_somebody_who_comes_by_two_entrances_is_one_person(house: House, account: Account, session: Session) -> None:
    join(house, account, session)
    join(house, account, session, Person(email="Ada@Example.org", own_id="registrant:1"), entrance=Entrance.REGISTRANT)
    join(house, account, session, Person(user_id="mrn-7"))
    join(house, account, session, Person(user_id="mrn-7", own_id="user:1"), entrance=Entrance.DASHBOARD)
    found = house.attendance.summary(account.account_id, session.session_id)
    assert (found.visits, found.people) == (4, 2)


@pytest.mark.req("E07")
def test_adding_up_carries_no_metadata(house: House, wire: Wire, account: Account, session: Session) -> None:
    join(house, account, session, replace(ADA, metadata='{"x": "' + "y" * 8_000 + '"}'))
    with wire.counting() as calls:
        found = house.attendance.summary(account.account_id, session.session_id)
    assert (found.visits, found.people) == (1, 1)
    queries = [call.request for call in calls if call.operation == "Query"]
    carried = {name for query in queries for name in query["ExpressionAttributeNames"].values()}
    assert carried == {"sk", "left_at", "has_left", "email", "user_id", "own_id"}


def test_a_mark_without_its_visitor_is_passed_over(
    house: House, account: Account, session: Session, wire: Wire
) -> None:
    # given: somebody sat down, the journal failed before it knew who, and the seat could not be freed
    wire.fail("PutItem", "InternalServerError")
    wire.fail("UpdateItem", "InternalServerError", skip=1)
    with pytest.raises(UnavailableError):
        join(house, account, session)
    # when
    join(house, account, session)
    # then: the mark that ended the first sitting stands alone
    page, end = house.attendance.page(account.account_id, session.session_id, after=None, limit=1)
    assert len(page) == 1
    further, _ = house.attendance.page(account.account_id, session.session_id, after=end, limit=1)
    assert further == []


@pytest.mark.req("E06")
def test_a_kick_ends_the_older_visit_though_the_newer_pages_worker_is_behind_in_time(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    clock.advance(10)
    join(house, account, session)
    # when
    clock.now -= 10
    join(house, account, session)
    # then
    newer, older = sorted(visits(house, session), key=lambda found: found.visit.joined_at)
    assert (older.is_present, older.seconds, newer.is_present) == (False, 0, True)


@pytest.mark.req("E07")
def test_who_leaves_by_a_worker_that_is_behind_in_time_was_not_there_for_less_than_nothing(
    house: House, clock: FakeClock, account: Account, session: Session
) -> None:
    seated = join(house, account, session)
    clock.now -= 3 * SECOND
    house.seats.leave(account, str(seated.token))
    (attended,) = visits(house, session)
    assert (attended.seconds, attended.is_present) == (0, False)


# --- whatever happens in whatever order -----------------------------------------------------------------


@dataclass
class Page:
    """One page of a person, and what is true of it."""

    token: str | None = None
    heard: int = 0
    written: int = 0
    was_kicked: bool = False
    has_left: bool = False


class LifeOfASeat(RuleBasedStateMachine):
    """Three pages of one person, two workers, one session."""

    make_house: MakeHouse
    clock: FakeClock
    moto_aws: MotoAws

    pages = st.integers(0, 2)
    workers = st.integers(0, 1)

    @initialize(policy=st.sampled_from(["kick_old", "reject_new"]))
    def open(self, policy: str) -> None:
        self.moto_aws.reset()
        self.clock.now = START
        self.houses = [self.make_house(1), self.make_house(2)]
        self.account = open_account(self.houses[0], seat_policy=policy)
        self.session = plan_lecture(self.houses[0], self.account)
        self.policy = policy
        self.all = [Page() for _ in range(3)]
        self.sitting: Page | None = None
        self.sat_down = 0

    def holder(self) -> Page | None:
        """Give the page that holds the seat and was heard of in time."""
        page = self.sitting
        return page if page and not page.has_left and self.clock() < page.written + LASTS else None

    @rule(page=pages, worker=workers, reload=st.booleans())
    def join(self, page: int, worker: int, reload: bool) -> None:  # noqa: FBT001 - hypothesis hands it in by name
        one, holder = self.all[page], self.holder()
        held = one.token if reload else None
        answer = self.houses[worker].seats.take(self.account, self.session, ADA, Entrance.EMBED, held=held)
        if held is not None and holder is one:
            assert isinstance(answer, Seated)
            assert str(answer.token) == one.token
            one.written = self.clock()
        elif held is not None and holder is not None:
            assert answer == Unseated(Reason.JOINED_ELSEWHERE)
        elif holder is not None and self.policy == "reject_new":
            assert answer == Unseated(Reason.ALREADY_JOINED)
        else:
            assert isinstance(answer, Seated)
            new = Page(token=str(answer.token), written=self.clock())
            if self.sitting is not None and self.sitting is not one:
                self.sitting.was_kicked = True
            self.all[page] = self.sitting = new
            self.sat_down += 1

    @rule(page=pages, worker=workers)
    def beat(self, page: int, worker: int) -> None:
        one = self.all[page]
        if one.token is None:
            return
        is_holder = self.holder() is one
        answer = self.houses[worker].seats.beat(self.account, one.token)
        if is_holder:
            assert isinstance(answer, Seated)
            if self.clock() - one.written >= MINUTE:
                one.written = self.clock()
        else:
            assert answer == Unseated(Reason.JOINED_ELSEWHERE if one.was_kicked else Reason.LEFT)

    @rule(page=pages, worker=workers)
    def leave(self, page: int, worker: int) -> None:
        one = self.all[page]
        if one.token is None:
            return
        self.houses[worker].seats.leave(self.account, one.token)
        if self.sitting is one:
            one.has_left = True

    @rule(seconds=st.sampled_from([1, 15, 30, 59, 60, 61, 119, 120, 200]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds * SECOND)

    def teardown(self) -> None:
        if not hasattr(self, "all"):
            return
        # every sitting was a visit, and the one that goes on is the one that is present
        found = visits(self.houses[0], self.session)
        assert len(found) == self.sat_down
        assert sum(attended.is_present for attended in found) == (self.holder() is not None)


@pytest.mark.req("E06")
def test_seats_agree_with_the_model(make_house: MakeHouse, clock: FakeClock, moto_aws: MotoAws) -> None:
    class OfThisTest(LifeOfASeat):
        pass

    OfThisTest.make_house = staticmethod(make_house)
    OfThisTest.clock = clock
    OfThisTest.moto_aws = moto_aws
    run_state_machine_as_test(
        OfThisTest,
        settings=profile(
            max_examples=10, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
