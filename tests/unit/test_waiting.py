"""Waiting in rooms: who stands in a list, for how long, and what comes of a decision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.house import add_user, open_account
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.domain import guesses
from vestibule.domain.admission import NotWaitingError
from vestibule.domain.participants import Invitee
from vestibule.domain.rules import RuleError
from vestibule.domain.sessions import Filter, HostRef
from vestibule.domain.waiting import LASTS, PLACE_KEPT_FOR, TURNED_AWAY_FOR, RoomFullError, WaitingToken
from vestibule.errors import NotFoundError
from vestibule.model import ParticipantRole, Role, WaitingState
from vestibule.store.guesses import BlockedError
from vestibule.store.waiting import WAITING_AT_MOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.domain.entrances import Arrival
    from vestibule.model import Account, Room, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

HERE = "203.0.113.7"
# Each step goes over moto, so a case that fails is told as it is, not looked at again a thousand times.
SHORT = settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
POLL = 4 * SECOND


@pytest.fixture
def doctor(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", role=Role.PROVIDER)


@pytest.fixture
def colleague(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Alan Turing", role=Role.PROVIDER)


def open_room(house: House, account: Account, *users: User, name: str = "Walk-ins") -> Room:
    room = house.rooms.create(account.account_id, {"name": name, "domain": "clinic.hub.vestibule.example"})
    for user in users:
        house.rooms.assign(account.account_id, room.room_id, user.user_id)
    return house.rooms.get(account.account_id, room.room_id)


@pytest.fixture
def room(house: House, account: Account, doctor: User) -> Room:
    return open_room(house, account, doctor)


def walk_in(house: House, room: Room, name: str = "Ada Lovelace", user: User | None = None) -> WaitingToken:
    return house.waiting.come_in(room, name=name, user=user, address=HERE)


def names(house: House, user: User) -> dict[str, list[str]]:
    """Return who waits for a user, by room."""
    return {one.room.name: [waiter.name for waiter in one.waiters] for one in house.admission.of(user)}


# --- who stands in the list ---


def test_a_user_sees_who_waits_in_their_own_rooms_and_nobody_else(
    house: House, account: Account, doctor: User, colleague: User, clock: FakeClock
) -> None:
    # given
    hers = open_room(house, account, doctor, name="Cardiology")
    his = open_room(house, account, colleague, name="Surgery")
    both = open_room(house, account, doctor, colleague, name="Front desk")
    walk_in(house, hers, "Ada")
    clock.advance(SECOND)
    walk_in(house, hers, "Ben")
    walk_in(house, his, "Cleo")
    walk_in(house, both, "Dan")
    # then: the longest first
    assert names(house, doctor) == {"Cardiology": ["Ada", "Ben"], "Front desk": ["Dan"]}
    assert names(house, colleague) == {"Front desk": ["Dan"], "Surgery": ["Cleo"]}


def test_who_is_taken_off_a_room_sees_it_no_longer(house: House, doctor: User, room: Room) -> None:
    token = walk_in(house, room)
    house.rooms.unassign(room.account_id, room.room_id, doctor.user_id)
    assert names(house, doctor) == {}
    for decide in (house.admission.admit, house.admission.turn_away):
        with pytest.raises(NotFoundError):
            decide(doctor, room.room_id, token.key)


@pytest.mark.parametrize("room_id", ["99999999", "", "not an id", "1#room"])
def test_a_room_of_nobody_is_not_found(house: House, doctor: User, room_id: str) -> None:
    with pytest.raises(NotFoundError):
        house.admission.admit(doctor, room_id, "guest:1")


def test_a_user_waits_once_and_the_last_page_counts(
    house: House, account: Account, doctor: User, room: Room, clock: FakeClock
) -> None:
    # given
    ada = add_user(house, account, full_name="Ada Lovelace")
    first = walk_in(house, room, user=ada)
    clock.advance(MINUTE)
    # when
    second = walk_in(house, room, user=ada)
    # then: one entry, from the first moment on; the older page has lost it
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    assert house.waiting.hear(account.account_id, first) is None
    kept = house.waiting.hear(account.account_id, second)
    assert kept is not None
    assert kept.since == clock.now - MINUTE


def test_guests_of_one_name_are_two(house: House, doctor: User, room: Room) -> None:
    walk_in(house, room, "Ada")
    walk_in(house, room, "Ada")
    assert names(house, doctor) == {"Walk-ins": ["Ada", "Ada"]}


def test_a_name_that_cannot_be_shown_takes_no_place(house: House, doctor: User, room: Room, wire: Wire) -> None:
    with wire.counting() as calls, pytest.raises(RuleError):
        walk_in(house, room, "\u202eevil\n")
    assert calls == []


def test_a_room_has_so_many_places_and_the_next_free_one_is_given_again(
    house: House, doctor: User, room: Room, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: a full room
    monkeypatch.setattr(guesses, "WALK_INS", guesses.Limit("walk-in", most=1_000, within=HOUR))
    tokens = [walk_in(house, room, f"Guest {number}") for number in range(WAITING_AT_MOST)]
    with pytest.raises(RoomFullError):
        walk_in(house, room, "One too many")
    # when: one of them leaves
    house.waiting.leave(room.account_id, tokens[7])
    # then
    walk_in(house, room, "Next")
    with pytest.raises(RoomFullError):
        walk_in(house, room, "One too many")
    assert len(names(house, doctor)["Walk-ins"]) == WAITING_AT_MOST
    # and when nobody was heard of for long, their places are free, whoever was there
    clock.advance(LASTS)
    walk_in(house, room, "Much later")
    assert names(house, doctor) == {"Walk-ins": ["Much later"]}


def test_unknown_people_of_one_network_are_limited_and_users_are_not(
    house: House, account: Account, room: Room
) -> None:
    for number in range(guesses.WALK_INS.most):
        house.waiting.leave(account.account_id, walk_in(house, room, f"Guest {number}"))
    with pytest.raises(BlockedError):
        walk_in(house, room)
    walk_in(house, room, user=add_user(house, account))
    house.waiting.come_in(room, name="Ben", user=None, address="198.51.100.4")


def test_a_dump_of_the_table_lets_nobody_take_a_place(
    house: House, room: Room, moto_aws: MotoAws, settings: Settings
) -> None:
    token = walk_in(house, room)
    assert token.secret not in str(moto_aws.stored(settings.passes_table))


# --- for how long ---


def test_an_open_page_keeps_the_place_with_a_write_a_minute(
    house: House, doctor: User, room: Room, clock: FakeClock, wire: Wire
) -> None:
    # given
    token = walk_in(house, room)
    # when
    with wire.counting() as calls:
        for _ in range(75):  # five minutes
            clock.advance(POLL)
            assert house.waiting.hear(room.account_id, token)
    # then: a read each time; with each write, whether the room is still there
    operations = [call.operation for call in calls]
    assert operations.count("UpdateItem") == 5
    assert operations.count("GetItem") == 75 + 5
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}


def test_a_page_that_asks_once_a_minute_is_never_missed(
    house: House, doctor: User, room: Room, clock: FakeClock
) -> None:
    """What browsers let a page do that nobody looks at."""
    token = walk_in(house, room)
    for pause in (59_900, 60_100, 59_999, 60_000, 61_000):
        clock.advance(pause)
        assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
        assert house.waiting.hear(room.account_id, token)


def test_whoever_closed_the_page_disappears_and_may_come_back(
    house: House, doctor: User, room: Room, clock: FakeClock
) -> None:
    # given
    token = walk_in(house, room)
    came = clock.now
    # then
    clock.advance(LASTS - 1)
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    clock.advance(1)
    assert names(house, doctor) == {"Walk-ins": []}
    with pytest.raises(NotWaitingError):
        house.admission.admit(doctor, room.room_id, token.key)
    # when: the telephone is unlocked again
    clock.advance(3 * MINUTE)
    back = house.waiting.hear(room.account_id, token)
    # then
    assert back is not None
    assert back.since == came
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    # and after too long a time the place is lost
    clock.advance(PLACE_KEPT_FOR)
    assert house.waiting.hear(room.account_id, token) is None
    assert names(house, doctor) == {"Walk-ins": []}


def test_leaving_takes_effect_at_once_and_only_on_ones_own_place(house: House, doctor: User, room: Room) -> None:
    token = walk_in(house, room)
    house.waiting.leave(room.account_id, WaitingToken(token.room_id, token.key, "0" * 32))
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    for _ in range(2):
        house.waiting.leave(room.account_id, token)
        assert names(house, doctor) == {"Walk-ins": []}


@pytest.mark.parametrize("text", [None, "", "a.b.c", "12345678.guest:1", "12345678..x", "12345678.a.b.c"])
def test_what_is_no_token_of_ours_is_none(text: str | None) -> None:
    assert WaitingToken.parse(text) is None


@pytest.mark.req("L20")
def test_a_token_of_another_account_is_worth_nothing(house: House, room: Room) -> None:
    other = open_account(house, "elsewhere")
    assert house.waiting.hear(other.account_id, walk_in(house, room)) is None


def test_who_waits_in_a_removed_room_or_was_disabled_waits_no_longer(
    house: House, account: Account, room: Room, doctor: User, clock: FakeClock
) -> None:
    ada = add_user(house, account, full_name="Ada Lovelace")
    token, guest = walk_in(house, room, user=ada), walk_in(house, room, "Ben")
    house.users.change(account.account_id, ada.user_id, {"status": "disabled"})
    with pytest.raises(NotWaitingError):
        house.admission.admit(doctor, room.room_id, token.key)
    clock.advance(MINUTE)
    assert house.waiting.hear(account.account_id, token) is None
    assert house.waiting.hear(account.account_id, guest)
    house.rooms.delete(account.account_id, room.room_id)
    clock.advance(MINUTE)
    assert house.waiting.hear(account.account_id, guest) is None


# --- what is decided ---


def test_an_admitted_guest_takes_part_in_a_session_of_their_own(
    house: House, doctor: User, room: Room, clock: FakeClock
) -> None:
    # given
    ada, ben = walk_in(house, room, "Ada Lovelace"), walk_in(house, room, "Ben Okafor")
    # when
    sessions = [house.admission.admit(doctor, room.room_id, token.key) for token in (ada, ben)]
    # then: two people never meet in one
    assert len(set(sessions)) == 2
    session, people = house.sessions.whole(room.account_id, sessions[0])
    assert (session.title, session.room_id, session.host_user_id) == ("Walk-ins", room.room_id, doctor.user_id)
    assert session.starts_at == clock.now
    assert [one.full_name for one in people] == ["Dr. Grace Hopper", "Ada Lovelace"]
    heard = house.waiting.hear(room.account_id, ada)
    assert heard is not None
    assert (heard.state, heard.session_id) == (WaitingState.ADMITTED, sessions[0])
    assert heard.participant_id == people[1].participant_id
    assert names(house, doctor) == {"Walk-ins": []}


def test_an_admitted_user_finds_the_session_among_their_own(
    house: House, account: Account, doctor: User, room: Room
) -> None:
    ada = add_user(house, account, full_name="Ada Lovelace")
    session_id = house.admission.admit(doctor, room.room_id, walk_in(house, room, user=ada).key)
    agenda = house.agendas.of(ada, named=session_id)
    assert agenda.named is not None


def test_who_is_turned_away_hears_it_for_a_while_and_may_ask_again(
    house: House, account: Account, doctor: User, room: Room, clock: FakeClock
) -> None:
    # given
    ada = add_user(house, account, full_name="Ada Lovelace")
    token = walk_in(house, room, user=ada)
    # when
    house.admission.turn_away(doctor, room.room_id, token.key)
    # then
    heard = house.waiting.hear(account.account_id, token)
    assert heard is not None
    assert heard.state is WaitingState.TURNED_AWAY
    assert names(house, doctor) == {"Walk-ins": []}
    clock.advance(TURNED_AWAY_FOR)
    assert house.waiting.hear(account.account_id, token) is None
    walk_in(house, room, user=ada)
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}


@pytest.mark.parametrize("first", ["admit", "turn_away"])
@pytest.mark.parametrize("second", ["admit", "turn_away"])
def test_of_two_who_decide_at_once_the_first_one_counts(
    make_house: MakeHouse, account: Account, colleague: User, doctor: User, wire: Wire, first: str, second: str
) -> None:
    # given: the other one's decision falls between this one's read and write
    house, other = make_house(), make_house(2)
    shared = open_room(house, account, doctor, colleague)
    token = walk_in(house, shared)
    # the write before the decision is the sign of nobody: only the decision updates
    wire.before("UpdateItem", lambda: getattr(other.admission, first)(colleague, shared.room_id, token.key))
    # when
    with pytest.raises(NotWaitingError):
        getattr(house.admission, second)(doctor, shared.room_id, token.key)
    # then
    heard = house.waiting.hear(account.account_id, token)
    assert heard is not None
    wanted = WaitingState.ADMITTED if first == "admit" else WaitingState.TURNED_AWAY
    assert (heard.state, heard.decided_by) == (wanted, colleague.user_id)
    sessions, _ = house.sessions.page(account.account_id, Filter(), after=None, limit=10)
    assert [one.host_user_id for one in sessions] == ([colleague.user_id] if first == "admit" else [])


@pytest.mark.parametrize("decision", ["admit", "turn_away"])
def test_a_second_click_changes_nothing(
    house: House, account: Account, doctor: User, room: Room, clock: FakeClock, decision: str
) -> None:
    token = walk_in(house, room)
    first = getattr(house.admission, decision)(doctor, room.room_id, token.key)
    clock.advance(300)
    assert getattr(house.admission, decision)(doctor, room.room_id, token.key) == first
    sessions, _ = house.sessions.page(account.account_id, Filter(), after=None, limit=10)
    assert len(sessions) == (1 if decision == "admit" else 0)


def test_a_decision_whose_answer_was_lost_is_recognised(house: House, doctor: User, room: Room, wire: Wire) -> None:
    token = walk_in(house, room)
    wire.lose_answer("UpdateItem")
    session_id = house.admission.admit(doctor, room.room_id, token.key)
    heard = house.waiting.hear(room.account_id, token)
    assert heard is not None
    assert heard.session_id == session_id


def test_coming_in_survives_a_lost_answer(house: House, doctor: User, room: Room, wire: Wire) -> None:
    walk_in(house, room, "Ben")  # there is a list
    wire.lose_answer("UpdateItem", times=2)  # what is counted, and the entry
    walk_in(house, room)
    assert sorted(names(house, doctor)["Walk-ins"]) == ["Ada Lovelace", "Ben"]


def test_an_admission_that_broke_off_is_finished_by_the_next_try_with_the_same_session(
    house: House, doctor: User, room: Room, wire: Wire, account: Account
) -> None:
    # given: decided, and then the table failed
    token = walk_in(house, room)
    wire.fail("TransactWriteItems", "ThrottlingException", times=20)
    with pytest.raises(Exception, match="unavailable"):
        house.admission.admit(doctor, room.room_id, token.key)
    wire.reset()
    heard = house.waiting.hear(room.account_id, token)
    assert heard is not None
    assert (heard.state, heard.participant_id) == (WaitingState.ADMITTED, None)
    # then: the list still shows them
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    # when
    session_id = house.admission.admit(doctor, room.room_id, token.key)
    # then
    assert session_id == heard.session_id
    assert house.sessions.get(account.account_id, session_id).room_id == room.room_id
    assert names(house, doctor) == {"Walk-ins": []}


def test_a_drawn_session_id_that_is_taken_is_drawn_again(
    house: House, doctor: User, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    taken, _ = house.sessions.create(room.account_id, HostRef(user_id=doctor.user_id), {"title": "Other"})
    token = walk_in(house, room)
    draws = iter([taken.session_id, "87654321"])
    real = house.admission._random  # noqa: SLF001 - the house's own randomness, for everything but these

    class Drawn:
        def __getattr__(self, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN204
            return getattr(real, name)

        def randbelow(self, limit: int) -> int:
            drawn = next(draws, None)
            return int(drawn) - 10_000_000 if drawn else real.randbelow(limit)

    monkeypatch.setattr(house.admission, "_random", Drawn())
    # when
    session_id = house.admission.admit(doctor, room.room_id, token.key)
    # then
    assert session_id == "87654321"
    heard = house.waiting.hear(room.account_id, token)
    assert heard is not None
    assert (heard.session_id, bool(heard.participant_id)) == ("87654321", True)


# --- sessions in the room ---


@pytest.fixture
def arrive(house: House, account: Account, doctor: User, room: Room) -> Callable[..., Arrival]:
    """Plan a session in the room with a guest; give the guest's arrival at its page, or another's."""

    def make(who: str = "Ben Okafor", **fields: object) -> Arrival:
        given = {"title": "Consultation", "starts_at": house.clock() + HOUR, "room_id": room.room_id, **fields}
        _, people = house.sessions.create(
            account.account_id, HostRef(user_id=doctor.user_id), given, [Invitee(full_name="Ben Okafor")]
        )
        person = next(one for one in people if one.full_name == who)
        arrival = house.entrances.by_link(account, str(house.links.personal_token(person)))
        assert arrival is not None
        return arrival

    return make


def test_the_open_page_of_a_planned_session_counts_as_waiting(
    house: House, doctor: User, arrive: Callable[..., Arrival], clock: FakeClock
) -> None:
    # given
    arrival = arrive()
    ticket = house.waiting.ticket(arrival)
    assert ticket is not None
    assert names(house, doctor) == {"Walk-ins": []}
    # when
    for _ in range(30):
        assert house.waiting.hear_ticket(arrival.session, ticket)
        clock.advance(POLL)
    # then
    (reception,) = house.admission.of(doctor)
    (waiter,) = reception.waiters
    assert (waiter.name, waiter.is_walk_in, waiter.session_id) == ("Ben Okafor", False, arrival.session.session_id)
    assert waiter.since == clock.now - 30 * POLL
    # and who closes it disappears
    clock.advance(LASTS)
    assert names(house, doctor) == {"Walk-ins": []}


@pytest.mark.req("S02")
def test_a_page_that_was_only_fetched_shows_nobody(
    house: House, doctor: User, arrive: Callable[..., Arrival], wire: Wire
) -> None:
    arrival = arrive()
    with wire.counting() as calls:
        house.waiting.ticket(arrival)
    assert calls == []
    assert names(house, doctor) == {"Walk-ins": []}


def test_whoever_is_admitted_goes_in_before_the_doors_open_and_the_host_with_them(
    house: House, account: Account, doctor: User, room: Room, arrive: Callable[..., Arrival], clock: FakeClock
) -> None:
    # given
    arrival = arrive()
    ticket = house.waiting.ticket(arrival)
    assert ticket
    house.waiting.hear_ticket(arrival.session, ticket)
    other = house.entrances.by_name(arrival.session, "Somebody else")
    host = house.entrances.by_sign_in(arrival.session.session_id, doctor)
    assert host is not None
    assert host.role is ParticipantRole.HOST
    assert not any(map(house.waiting.is_admitted, (arrival, other, host)))
    # when
    session_id = house.admission.admit(doctor, room.room_id, arrival.person.subject)
    # then
    assert session_id == arrival.session.session_id
    assert [house.waiting.is_admitted(one) for one in (arrival, other, host)] == [True, False, True]
    heard = house.waiting.hear_ticket(arrival.session, ticket)
    assert heard is not None
    assert heard.state is WaitingState.ADMITTED


def test_who_was_turned_away_from_a_session_may_wait_again_by_coming_back(
    house: House, doctor: User, room: Room, arrive: Callable[..., Arrival], clock: FakeClock
) -> None:
    # given
    arrival = arrive()
    ticket = house.waiting.ticket(arrival)
    assert ticket
    house.waiting.hear_ticket(arrival.session, ticket)
    clock.advance(SECOND)
    house.admission.turn_away(doctor, room.room_id, arrival.person.subject)
    heard = house.waiting.hear_ticket(arrival.session, ticket)
    assert heard is not None
    assert heard.state is WaitingState.TURNED_AWAY
    # when: the page is opened anew
    clock.advance(SECOND)
    again = house.waiting.ticket(arrival)
    assert again
    # then
    heard = house.waiting.hear_ticket(arrival.session, again)
    assert heard is not None
    assert heard.state is WaitingState.WAITING


def test_tickets_are_for_people_who_wait_in_a_room(
    house: House, account: Account, arrive: Callable[..., Arrival], doctor: User
) -> None:
    assert house.waiting.ticket(arrive("Dr. Grace Hopper")) is None
    assert house.waiting.ticket(arrive(room_id=None)) is None
    stranger = house.entrances.by_sign_in(arrive().session.session_id, add_user(house, account))
    assert stranger is not None
    assert house.waiting.ticket(stranger) is None


def test_a_ticket_is_good_for_its_own_session_near_its_time(
    house: House, doctor: User, arrive: Callable[..., Arrival], clock: FakeClock
) -> None:
    early, other = arrive(starts_at=clock.now + 5 * HOUR), arrive()
    ticket = house.waiting.ticket(early)
    assert ticket
    made_up = ((other.session, "made up"), (other.session, "é"))
    for session, text in ((other.session, ticket), (early.session, ticket), *made_up):
        assert house.waiting.hear_ticket(session, text) is None
    clock.advance(4 * HOUR)
    assert house.waiting.hear_ticket(early.session, ticket)
    clock.advance(3 * HOUR)
    assert house.waiting.hear_ticket(early.session, ticket) is None
    assert names(house, doctor) == {"Walk-ins": []}


def test_a_user_at_the_door_and_at_a_sessions_page_waits_once(
    house: House, account: Account, doctor: User, room: Room
) -> None:
    # given
    ada = add_user(house, account, full_name="Ada Lovelace")
    given = {"title": "Consultation", "starts_at": house.clock() + HOUR, "room_id": room.room_id}
    session, _ = house.sessions.create(
        account.account_id, HostRef(user_id=doctor.user_id), given, [Invitee(user_id=ada.user_id)]
    )
    token = walk_in(house, room, user=ada)
    arrival = house.entrances.by_sign_in(session.session_id, ada)
    assert arrival is not None
    ticket = house.waiting.ticket(arrival)
    assert ticket
    # when
    house.waiting.hear_ticket(session, ticket)
    # then: the planned session counts, and no further one is made
    assert names(house, doctor) == {"Walk-ins": ["Ada Lovelace"]}
    assert house.waiting.hear(account.account_id, token) is None
    assert house.admission.admit(doctor, room.room_id, token.key) == session.session_id


# --- what it costs ---


def test_a_look_at_ones_rooms_is_a_query_and_one_call_for_everything_behind_it(
    house: House, account: Account, doctor: User, wire: Wire
) -> None:
    for number in range(3):
        walk_in(house, open_room(house, account, doctor, name=f"Room {number}"))
    with wire.counting() as calls:
        assert len(house.admission.of(doctor)) == 3
    assert [call.operation for call in calls] == ["Query", "BatchGetItem"]


def test_a_decision_is_two_reads_and_one_write(house: House, doctor: User, room: Room, wire: Wire) -> None:
    token = walk_in(house, room)
    with wire.counting() as calls:
        house.admission.turn_away(doctor, room.room_id, token.key)
    assert [call.operation for call in calls] == ["GetItem", "UpdateItem"]


# --- whatever happens in whatever order ---


@SHORT
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["come", "ask", "leave", "admit", "turn_away", "wait"]), st.integers(0, 3)),
        max_size=15,
    )
)
def test_the_list_is_right_whatever_happens(
    house: House, account: Account, clock: FakeClock, steps: list[tuple[str, int]]
) -> None:
    """A model beside it: who waits, and when they were last heard of."""
    # given
    doctor = add_user(house, account)
    room = open_room(house, account, doctor)
    users = [add_user(house, account, full_name=f"Guest {number}") for number in range(4)]
    tokens: dict[int, WaitingToken] = {}
    seen: dict[int, int] = {}
    decided: dict[int, str] = {}
    for step, who in steps:
        # when
        present = who in seen and clock.now - seen[who] < LASTS
        if step == "come":
            tokens[who] = walk_in(house, room, user=users[who])
            decided.pop(who, None)
            seen[who] = clock.now
        elif step == "ask" and who in tokens:
            found = house.waiting.hear(account.account_id, tokens[who])
            waits = found is not None and found.state is WaitingState.WAITING
            assert waits == (who in seen and clock.now - seen[who] < PLACE_KEPT_FOR)
            if found is not None and waits:
                seen[who] = found.seen_at
        elif step == "leave" and who in tokens:
            house.waiting.leave(account.account_id, tokens[who])
            seen.pop(who, None)
            decided.pop(who, None)
        elif step in {"admit", "turn_away"}:
            decide = getattr(house.admission, step)
            if present:
                decide(doctor, room.room_id, f"user:{users[who].user_id}")
                seen.pop(who)
                decided[who] = step
            elif decided.get(who) == step:
                decide(doctor, room.room_id, f"user:{users[who].user_id}")
            else:
                with pytest.raises(NotWaitingError):
                    decide(doctor, room.room_id, f"user:{users[who].user_id}")
        elif step == "wait":
            clock.advance((1 + who) * 40 * SECOND)
        # then
        (reception,) = house.admission.of(doctor)
        waiting = {int(re.sub(r"\D", "", one.name)) for one in reception.waiters}
        assert waiting == {one for one, at in seen.items() if clock.now - at < LASTS}
