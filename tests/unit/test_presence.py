"""Presence: who waits for a session and who is in it now, for the API and for the host's dashboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, json_of, native_event
from tests.support.house import START, add_user, open_account
from tests.support.visits import Browser, text_of
from vestibule.clock import MINUTE, SECOND, to_rfc3339
from vestibule.domain import presence
from vestibule.domain.participants import Invitee
from vestibule.domain.people import Person
from vestibule.domain.seats import INTERVAL, LASTS, Seated
from vestibule.domain.sessions import HostRef
from vestibule.model import Entrance, Role
from vestibule.store.visits import PRESENT, PRESENT_PARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Session, User
    from vestibule.wiring import House


@pytest.fixture
def account(house: House) -> Account:
    return open_account(house)


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", role=Role.PROVIDER)


@pytest.fixture
def session(house: House, account: Account, host: User) -> Session:
    return plan(house, account, host)


def plan(house: House, account: Account, host: User, **fields: Any) -> Session:
    given = {"title": "Open lecture", "starts_at": START, **fields}
    return house.sessions.create(account.account_id, HostRef(user_id=host.user_id), given)[0]


def join(house: House, account: Account, session: Session, name: str) -> Seated:
    who = Person(name=name, email=f"{name.lower()}@example.org")
    seated = house.seats.take(account, session, who, Entrance.EMBED)
    assert isinstance(seated, Seated)
    return seated


def people_of(function: LoadFunction, account: Account, session: Session, **query: str) -> Any:
    path = f"/v1/sessions/{session.session_id}/presence"
    event = native_event("GET", path, account_id=account.account_id, query=query)
    return json_of(function("attendance")(event, CONTEXT))


def names(answer: Any) -> set[str]:
    return {item["name"] for item in answer["items"]}


# --- who is in ------------------------------------------------------------------------------------------


@pytest.mark.req("E12")
def test_who_is_in_is_known_until_they_leave_are_kicked_or_are_not_heard_of(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    ada, ben, cora = (join(house, account, session, name) for name in ("Ada", "Ben", "Cora"))
    assert names(people_of(function, account, session)) == {"Ada", "Ben", "Cora"}
    # when: one leaves, one is heard of no more, one goes on and sits by another page by now
    house.seats.leave(account, str(ada.token))
    for _ in range(LASTS // INTERVAL):
        clock.advance(INTERVAL)
        house.seats.beat(account, str(cora.token))
    again = join(house, account, session, "Cora")
    # then
    answer = people_of(function, account, session)
    assert answer == {
        "items": [
            {
                "state": "in",
                "name": "Cora",
                "email": "cora@example.org",
                "user_id": None,
                "own_id": None,
                "role": "attendee",
                "entrance": "embed",
                "visit_id": again.seat.visit_id,
                "waiting_since": None,
                "joined_at": to_rfc3339(clock()),
                "seen_at": to_rfc3339(clock()),
            }
        ],
        "cursor": None,
        "count": {"in": 1, "waiting": 0},
    }
    # and: who was missed and speaks again is no longer seated, so not in
    house.seats.beat(account, str(ben.token))
    assert names(people_of(function, account, session)) == {"Cora"}


@pytest.mark.req("E03")
def test_a_role_that_changes_inside_is_the_one_that_is_shown(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, session: Session
) -> None:
    ada = join(house, account, session, "Ada")
    house.sessions.change(account.account_id, session.session_id, {"presenters": ["ada@example.org"]})
    clock.advance(INTERVAL)
    house.seats.beat(account, str(ada.token))
    (item,) = people_of(function, account, session)["items"]
    assert (item["role"], item["seen_at"]) == ("presenter", to_rfc3339(clock()))
    assert item["joined_at"] == to_rfc3339(clock() - INTERVAL)


@pytest.mark.req("P06")
def test_a_large_session_is_read_page_by_page_and_nobody_is_left_out(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, session: Session
) -> None:
    # given
    seats = []
    for number in range(9):
        seats.append(join(house, account, session, f"Guest{number}"))
        clock.advance(1)

    def read(limit: str, *, between: Callable[[], None] | None = None) -> list[str]:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = people_of(function, account, session, limit=limit, **cursor)
            found += [item["name"] for item in answer["items"]]
            if answer["cursor"] is None:
                return found
            assert len(answer["items"]) == int(limit)
            cursor = {"cursor": answer["cursor"]}
            if between is not None:
                between()
                between = None

    def everybody_speaks() -> None:
        clock.advance(MINUTE)
        for seated in seats:
            house.seats.beat(account, str(seated.token))

    # then
    everybody = [f"Guest{number}" for number in range(9)]
    assert sorted(read("4")) == everybody
    assert set(read("4", between=everybody_speaks)) == set(everybody)
    assert people_of(function, account, session)["count"] == {"in": 9, "waiting": 0}


def test_what_it_costs_does_not_grow_with_those_who_have_left(
    house: House, function: LoadFunction, clock: FakeClock, wire: Wire, account: Account, session: Session
) -> None:
    # given: many were there
    join(house, account, session, "Ada")
    with wire.counting() as before:
        people_of(function, account, session)
    for number in range(9):
        house.seats.leave(account, str(join(house, account, session, f"Gone{number}").token))
        clock.advance(SECOND)
    # when
    with wire.counting() as after:
        assert names(people_of(function, account, session)) == {"Ada"}
    # then: the session, how many are in each partition of who is there, who is in it, and who they are
    reads = ["GetItem", *["Query"] * PRESENT_PARTS * 2, "BatchGetItem"]
    assert [call.operation for call in after] == reads
    assert [call.read_units for call in after] == [call.read_units for call in before]
    assert {call.request["IndexName"] for call in after if call.operation == "Query"} == {PRESENT}


def test_an_empty_session_has_nobody(function: LoadFunction, account: Account, session: Session) -> None:
    nobody: dict[str, Any] = {"items": [], "cursor": None, "count": {"in": 0, "waiting": 0}}
    assert people_of(function, account, session) == nobody


@pytest.mark.req("P05")
def test_a_session_of_somebody_else_is_none(
    house: House, function: LoadFunction, account: Account, session: Session
) -> None:
    other = open_account(house, "other")
    join(house, account, session, "Ada")
    assert people_of(function, other, session)["code"] == "session_not_found"


# --- who waits ------------------------------------------------------------------------------------------


@pytest.mark.req("E12")
def test_who_waits_for_a_session_comes_before_who_is_in(
    house: House, function: LoadFunction, clock: FakeClock, wire: Wire, account: Account, host: User
) -> None:
    # given: a session in a room, half an hour ahead, for two; and somebody at the room's own door
    room = house.rooms.create(account.account_id, {"name": "Front", "domain": "clinic.hub.vestibule.example"})
    fields = {"room_id": room.room_id, "starts_at": START + 30 * MINUTE, "title": "Visit"}
    session, invited = house.sessions.create(
        account.account_id,
        HostRef(user_id=host.user_id),
        fields,
        [Invitee(full_name="Mary Somerville"), Invitee(full_name="Emmy Noether")],
    )
    for participant in invited[1:]:
        link = house.links.personal_link(account.slug, participant)
        arrival = house.entrances.by_link(account, link.rpartition("/")[2])
        assert arrival is not None
        ticket = house.waiting.ticket(arrival)
        assert ticket is not None
        house.waiting.hear_ticket(session, ticket)
        clock.advance(SECOND)
    house.waiting.come_in(room, name="Walk In", user=None, address="203.0.113.9")
    # and: the host is in already
    join(house, account, session, "Grace")

    # when
    with wire.counting() as calls:
        first = people_of(function, account, session, limit="2")
    second = people_of(function, account, session, limit="2", cursor=first["cursor"])
    third = people_of(function, account, session, limit="1")
    fourth = people_of(function, account, session, limit="1", cursor=third["cursor"])

    # then
    waiting = [(item["state"], item["name"]) for item in first["items"]]
    assert waiting == [("waiting", "Mary Somerville"), ("waiting", "Emmy Noether")]
    assert first["items"][0]["own_id"] == f"participant:{invited[1].participant_id}"
    assert (first["items"][0]["waiting_since"], first["items"][0]["joined_at"]) == (to_rfc3339(START), None)
    assert [(item["state"], item["name"]) for item in second["items"]] == [("in", "Grace")]
    assert second["cursor"] is None
    assert [item["name"] for item in third["items"] + fourth["items"]] == ["Mary Somerville", "Emmy Noether"]
    assert first["count"] == {"in": 1, "waiting": 2}
    assert second["count"] is None
    # and: the first page reads the session once, and the room's list
    assert [call.operation for call in calls] == ["GetItem", "GetItem", *["Query"] * PRESENT_PARTS]
    # and: whose page is not heard of, waits no longer
    clock.advance(2 * MINUTE)
    assert people_of(function, account, session)["count"] == {"in": 0, "waiting": 0}


# --- the host's dashboard ---------------------------------------------------------------------------------


def sign_in(function: LoadFunction, house: House, account: Account, user: User) -> Browser:
    browser = Browser(function)
    issued = house.login_uris.issue(account, user_id=user.user_id)
    assert browser.ask(f"/login/{issued.guid}")["statusCode"] == 303
    return browser


def lines(answer: dict[str, Any]) -> dict[str, str]:
    """Return what a part of the dashboard says of each session."""
    found = re.findall(r'(?s)<p data-in="(\d+)">(.*?)</p>', answer["body"])
    return {session_id: text_of({"body": line}) for session_id, line in found}


def ask(browser: Browser, *sessions: Session | str) -> dict[str, Any]:
    ids = ".".join(one if isinstance(one, str) else one.session_id for one in sessions)
    return browser.ask(f"/dashboard/presence?sessions={ids}")


@pytest.mark.req("E12")
def test_a_host_sees_how_many_are_in_and_three_of_them(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, host: User, session: Session
) -> None:
    # given
    browser = sign_in(function, house, account, host)
    shown = browser.ask("/dashboard")
    assert f'data-in="{session.session_id}"' in shown["body"]
    assert 'data-presence="/dashboard/presence"' in shown["body"]
    assert lines(ask(browser, session)) == {session.session_id: "Nobody is in"}
    # when
    said = []
    for name in ("Ada", "Ben", "<b>Cora</b>", "Dora"):
        join(house, account, session, name)
        clock.advance(SECOND)
        said.append(lines(ask(browser, session))[session.session_id])
    # then
    assert said[0] == "One person is in: Ada"
    assert said[2] == "3 people are in: Ada , Ben , <b>Cora</b>"
    assert said[3] == "4 people are in: Ada , Ben , <b>Cora</b> …"


def test_the_dashboard_itself_reads_nothing_more_for_it(
    house: House, function: LoadFunction, wire: Wire, account: Account, host: User, session: Session
) -> None:
    browser = sign_in(function, house, account, host)
    browser.ask("/dashboard")
    with wire.counting() as page:
        browser.ask("/dashboard")
    with wire.counting() as part:
        ask(browser, session)
    assert not any(call.request.get("IndexName") == PRESENT for call in page)
    # the check, the sessions, each partition of who is there
    assert [call.operation for call in part] == ["BatchGetItem", "BatchGetItem", *["Query"] * PRESENT_PARTS]


def test_more_than_can_be_counted_at_a_glance_is_said_to_be_more(
    house: House, account: Account, host: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "COUNTED_AT_MOST", 2)
    for number in range(12):
        join(house, account, session, f"Guest{number}")
    (glance,) = house.presence.glances(host, [session.session_id])
    assert not glance.is_complete
    assert len(glance.names) == 3
    assert glance.inside <= 12


@pytest.mark.req("E12")
def test_nothing_is_said_of_sessions_that_are_not_ones_own_or_not_open(
    house: House, function: LoadFunction, account: Account, host: User, session: Session
) -> None:
    # given
    other = add_user(house, account, full_name="Somebody Else", role=Role.PROVIDER)
    theirs = plan(house, account, other)
    coming = plan(house, account, host, starts_at=START + 30 * MINUTE)
    cancelled = plan(house, account, host)
    house.sessions.cancel(account.account_id, cancelled.session_id)
    for one in (theirs, coming, session):
        join(house, account, one, "Ada")
    # when
    browser = sign_in(function, house, account, host)
    answer = ask(browser, theirs, coming, cancelled, session, "99999999", "x")
    # then
    assert lines(answer) == {session.session_id: "One person is in: Ada"}


@pytest.mark.req("E12", "L12")
def test_asking_keeps_nobody_signed_in_and_needs_a_sign_in(
    house: House, function: LoadFunction, clock: FakeClock, account: Account, host: User, session: Session
) -> None:
    # given
    assert ask(Browser(function), session)["statusCode"] == 403
    browser = sign_in(function, house, account, host)
    # when
    for _ in range(account.idle_timeout_minutes // 30):
        assert ask(browser, session)["statusCode"] == 200
        clock.advance(30 * MINUTE)
    # then
    assert ask(browser, session)["statusCode"] == 403


@pytest.mark.req("E12")
def test_where_the_launch_panel_is_all_there_is_presence_is_not_said(house: House, function: LoadFunction) -> None:
    account = open_account(house, launch_panel_only=True)
    host = add_user(house, account, role=Role.PROVIDER)
    session = plan(house, account, host)
    browser = sign_in(function, house, account, host)
    shown = browser.ask(f"/dashboard?scrollTo={session.session_id}")
    assert "data-presence" not in shown["body"]
    assert ask(browser, session)["statusCode"] == 403


def test_the_lines_are_in_the_persons_language(house: House, function: LoadFunction, account: Account) -> None:
    host = add_user(house, account, locale="de", role=Role.PROVIDER)
    session = plan(house, account, host)
    join(house, account, session, "Ada")
    browser = sign_in(function, house, account, host)
    assert lines(ask(browser, session)) == {session.session_id: "Eine Person ist drin: Ada"}
