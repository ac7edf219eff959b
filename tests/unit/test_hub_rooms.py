"""Rooms as browsers meet them: the door, the waiting page, and the list of those who receive people."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.support.events import header
from tests.support.house import add_user, open_account
from tests.support.visits import Browser, SignIn, form_token, text_of
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.domain import guesses
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.domain.waiting import LASTS
from vestibule.http.hub import addresses
from vestibule.model import Role
from vestibule.store import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Room, User
    from vestibule.wiring import House

STAGE = {"kind": "url", "url": "https://stage.example/{session_id}#{grant}"}
FROM_A_SCRIPT = {
    "Sec-Fetch-Site": "same-origin",
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
}


@pytest.fixture
def account(house: House) -> Account:
    house.key_rotation.run()
    return open_account(house, stage=STAGE)


@pytest.fixture
def doctor(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", role=Role.PROVIDER)


@pytest.fixture
def room(house: House, account: Account, doctor: User) -> Room:
    return open_room(house, account, doctor)


@pytest.fixture
def guest(function: LoadFunction, account: Account) -> Browser:
    return Browser(function)


def open_room(house: House, account: Account, *users: User, name: str = "Walk-ins", **fields: Any) -> Room:
    given = {"name": name, "domain": "clinic.hub.vestibule.example", **fields}
    room = house.rooms.create(account.account_id, given)
    for user in users:
        house.rooms.assign(account.account_id, room.room_id, user.user_id)
    return house.rooms.get(account.account_id, room.room_id)


def door(room: Room) -> str:
    return f"/u/{room.slug}"


def wait(browser: Browser, room: Room, name: str = "Ada Lovelace") -> dict[str, Any]:
    """Come to a room's door, fill in the form, and see the page that waits."""
    sent = browser.post(door(room), browser.ask(door(room)), name=name, action="wait")
    assert (sent["statusCode"], header(sent, "location")) == (303, door(room))
    return browser.ask(door(room))


def ask(browser: Browser, page: dict[str, Any]) -> dict[str, Any]:
    """Ask as the waiting page's script does."""
    url = data(page, "waiting")
    body = urlencode({"form_token": form_token(page)})
    found: dict[str, Any] = json.loads(browser.ask(url, "POST", headers=FROM_A_SCRIPT, body=body)["body"])
    return found


def data(page: dict[str, Any], name: str) -> str:
    found = re.search(rf'data-{name}="([^"]*)"', page["body"])
    assert found, f"nothing called {name}"
    return unescape(found[1])


def waiters(page: dict[str, Any]) -> dict[str, str]:
    """Return who is in a list, and the key of each."""
    found = re.findall(r'data-who="([^"]*)" data-room="\d+" data-name="([^"]*)"', page["body"])
    return {unescape(name): unescape(key) for key, name in found}


def decide(browser: Browser, room: Room, name: str, decision: str, **event: Any) -> dict[str, Any]:
    """Press one of the two buttons beside a name."""
    page = browser.ask("/dashboard/rooms")
    fields = {"room": room.room_id, "who": waiters(page)[name], "decision": decision}
    return browser.post("/dashboard/rooms", page, **fields, **event)


# --- the door ---


@pytest.mark.req("H04")
def test_the_door_says_whose_it_is_and_asks_for_a_name(guest: Browser, room: Room) -> None:
    page = guest.ask(door(room))
    assert page["statusCode"] == 200
    text = text_of(page)
    assert "Walk-ins" in text
    assert "You will be received by Dr. Grace Hopper ." in text
    assert "Your name" in text
    assert 'href="/sign-in?next=' in page["body"]
    assert "<script" not in page["body"]


def test_a_door_opens_in_whatever_case_it_is_written(guest: Browser, house: House, account: Account) -> None:
    room = open_room(house, account, slug="Front-Desk")
    assert guest.ask("/u/front-desk")["statusCode"] == 200
    assert guest.ask("/u/FRONT-DESK")["statusCode"] == 200
    assert addresses.canonical("/U/Front-Desk", {}) == door(room)


def test_a_room_of_another_domain_is_found_by_both_names(guest: Browser, house: House, account: Account) -> None:
    # given: two rooms of one slug
    open_room(house, account, name="Ours", slug="front", code="aaaaa")
    open_room(house, account, name="Theirs", slug="front", code="bbbbb", domain="vclinic.example")
    # then
    assert "Ours" in text_of(guest.ask("/u/front"))
    theirs = guest.ask("/u/front?domain=vclinic.example")
    assert "Theirs" in text_of(theirs)
    assert 'action="/u/front?domain=vclinic.example"' in theirs["body"]
    assert guest.ask("/u/front?domain=elsewhere.example")["statusCode"] == 404


@pytest.mark.parametrize("slug", ["nobody", "%23", "a%2Fb", "x" * 2_000, "\u00e9"])
@pytest.mark.req("H04")
def test_an_unknown_door_says_what_to_do(guest: Browser, slug: str) -> None:
    page = guest.ask(f"/u/{slug}")
    assert page["statusCode"] == 404
    assert "There is no" in text_of(page)


@pytest.mark.req("L20")
def test_a_door_is_its_own_accounts(function: LoadFunction, house: House, room: Room) -> None:
    open_account(house, "elsewhere")
    assert Browser(function, "elsewhere").ask(door(room))["statusCode"] == 404
    assert Browser(function, "nobody").ask(door(room))["statusCode"] == 404


def test_whoever_waits_sees_that_it_is_known(guest: Browser, room: Room, clock: FakeClock) -> None:
    page = wait(guest, room, "Ada <b>Lovelace")
    assert page["statusCode"] == 200
    assert "You are waiting as Ada <b>Lovelace ." in text_of(page)
    # without a script it looks again by itself
    assert f'<noscript><meta http-equiv="refresh" content="8;url={door(room)}"></noscript>' in page["body"]
    clock.advance(3 * MINUTE)
    assert "You have been waiting for 3 min." in text_of(guest.ask(door(room)))


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "x" * 201])
def test_a_name_that_cannot_be_shown_is_asked_for_again(guest: Browser, room: Room, name: str) -> None:
    answer = guest.post(door(room), guest.ask(door(room)), name=name, action="wait")
    assert answer["statusCode"] == 422
    assert "Please tell us your name" in text_of(answer)


@pytest.mark.req("L19")
def test_a_form_that_is_not_this_browsers_changes_nothing(guest: Browser, room: Room, wire: Wire) -> None:
    page = guest.ask(door(room))
    sites = [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}]
    for headers in sites:
        body = urlencode({"form_token": form_token(page), "name": "Ada", "action": "wait"})
        assert guest.ask(door(room), "POST", headers=headers, body=body)["statusCode"] == 403
    forged = guest.ask(door(room), "POST", headers=FROM_A_SCRIPT, body=urlencode({"form_token": "0", "name": "Ada"}))
    assert forged["statusCode"] == 403
    assert not [call for call in wire.calls if call.operation == "UpdateItem" and "waiters" in str(call.request)]


def test_too_many_unknown_people_of_a_network_are_told_what_to_do(guest: Browser, room: Room) -> None:
    page = guest.ask(door(room))
    for number in range(guesses.WALK_INS.most):
        guest.post(door(room), page, name=f"Guest {number}", action="wait")
    refused = guest.post(door(room), page, name="One more", action="wait")
    assert (refused["statusCode"], header(refused, "retry-after")) == (429, "3600")
    assert "Please wait an hour" in text_of(refused)


def test_a_browser_waits_in_one_place_alone(
    guest: Browser, house: House, account: Account, doctor: User, room: Room, sign_in: SignIn
) -> None:
    other = open_room(house, account, doctor, name="Surgery")
    wait(guest, room)
    wait(guest, other)
    listed = sign_in(doctor).ask("/dashboard/rooms")
    assert text_of(listed).count("Ada Lovelace Admit") == 0
    assert list(waiters(listed)) == ["Ada Lovelace"]
    assert "Surgery one person waits" in text_of(listed)


def test_a_full_room_asks_to_come_back(guest: Browser, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WAITING_AT_MOST", 0)
    monkeypatch.setattr("vestibule.domain.waiting.WAITING_AT_MOST", 0)
    answer = guest.post(door(room), guest.ask(door(room)), name="Ada", action="wait")
    assert answer["statusCode"] == 409
    assert header(answer, "retry-after") == "300"
    assert "Please try again in a few minutes" in text_of(answer)


def test_leaving_is_a_button(guest: Browser, room: Room, doctor: User, sign_in: SignIn) -> None:
    page = wait(guest, room)
    left = guest.post(door(room), page, action="leave")
    assert left["statusCode"] == 303
    assert "Wait here" in text_of(guest.ask(door(room)))
    assert waiters(sign_in(doctor).ask("/dashboard/rooms")) == {}


# --- somebody who is known ---


@pytest.mark.req("L15")
def test_a_login_uri_leads_to_a_room_where_nobody_asks_for_a_name(
    house: House, account: Account, function: LoadFunction, room: Room, doctor: User, sign_in: SignIn
) -> None:
    # given: how a portal sends somebody with a room
    ada = add_user(house, account, full_name="Ada Lovelace")
    issued = house.login_uris.issue(account, user_id=ada.user_id, next_path=f"{door(room)}?launch=1")
    browser = Browser(function)
    # when
    page = browser.follow(f"/login/{issued.guid}")
    # then
    assert "You come in as Ada Lovelace ." in text_of(page)
    assert "Your name" not in text_of(page)
    assert "data-starts" in page["body"]
    # when: as its script does
    browser.post(door(room), page, action="wait")
    # then
    assert "You are waiting as Ada Lovelace ." in text_of(browser.ask(door(room)))
    assert list(waiters(sign_in(doctor).ask("/dashboard/rooms"))) == ["Ada Lovelace"]


def test_whoever_signs_out_leaves_the_place_to_nobody_else_at_this_screen(
    house: House, account: Account, room: Room, doctor: User, sign_in: SignIn
) -> None:
    # given
    browser = sign_in(add_user(house, account, full_name="Ada Lovelace"))
    page = wait(browser, room, "")
    decide(sign_in(doctor), room, "Ada Lovelace", "admit")
    # when
    browser.cookie = None
    # then
    assert ask(browser, page) == {"state": "gone", "again_in": 4 * SECOND}
    shown = browser.ask(door(room))
    assert (shown["statusCode"], "Ada" in shown["body"]) == (200, False)


def test_ones_own_room_leads_to_the_list(doctor: User, room: Room, sign_in: SignIn) -> None:
    browser = sign_in(doctor)
    page = browser.ask(door(room))
    assert "This is your own room" in text_of(page)
    assert 'href="/dashboard/rooms"' in page["body"]
    assert "<form" not in page["body"].partition("<main")[2]


# --- admitted, turned away ---


def test_an_admitted_guest_goes_in_and_the_provider_too(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn, house: House, clock: FakeClock
) -> None:
    # given
    page = wait(guest, room)
    assert ask(guest, page) == {"state": "waiting", "again_in": 4 * SECOND}
    browser = sign_in(doctor)
    # when
    admitted = decide(browser, room, "Ada Lovelace", "admit")
    # then: the provider is led to the session
    path = header(admitted, "location") or ""
    assert re.fullmatch(r"/s/\d+\?launch=1", path)
    hers = browser.ask(path)
    assert "You come in as Dr. Grace Hopper , the host." in text_of(hers)
    assert data(hers, "launch") == "start"
    # and the guest with the next question, by script and without
    heard = ask(guest, page)
    assert heard["state"] == "admitted"
    assert heard["url"].startswith("/p/")
    without = guest.ask(door(room))
    assert (without["statusCode"], header(without, "location")) == (303, heard["url"])
    theirs = guest.ask(heard["url"])
    assert "You come in as Ada Lovelace ." in text_of(theirs)
    assert data(theirs, "launch") == "start"


def test_who_was_removed_on_the_way_in_finds_the_sessions_page(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn, house: House
) -> None:
    wait(guest, room)
    admitted = header(decide(sign_in(doctor), room, "Ada Lovelace", "admit"), "location") or ""
    session_id = admitted.partition("?")[0].removeprefix("/s/")
    _, (_, ada) = house.sessions.whole(room.account_id, session_id)
    house.participants.remove(room.account_id, session_id, ada.participant_id)
    assert header(guest.ask(door(room)), "location") == f"/s/{session_id}"


@pytest.mark.req("L12")
def test_waiting_without_scripts_keeps_nobody_signed_in(
    function: LoadFunction, house: House, account: Account, room: Room, clock: FakeClock
) -> None:
    changed = house.accounts.change(account.account_id, {"idle_timeout_minutes": 5})
    browser = SignIn(function, house, changed)(add_user(house, account, full_name="Ada Lovelace"))
    wait(browser, room, "")
    for _ in range(5 + 1):
        clock.advance(MINUTE)
        browser.ask(door(room))
    assert "Your name" in text_of(browser.ask(door(room)))


def test_a_guest_who_is_turned_away_is_told_so_kindly(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn
) -> None:
    # given
    page = wait(guest, room)
    browser = sign_in(doctor)
    # when
    decided = decide(browser, room, "Ada Lovelace", "turn_away")
    # then
    assert (decided["statusCode"], header(decided, "location")) == (303, "/dashboard/rooms")
    assert ask(guest, page)["state"] == "turned_away"
    shown = guest.ask(door(room))
    assert "You cannot be received just now" in text_of(shown)
    assert "What to do now" in text_of(shown)
    # and may come to the door again
    guest.post(door(room), shown, action="leave")
    assert "Wait here" in text_of(guest.ask(door(room)))


@pytest.mark.req("H04")
def test_whose_session_was_cancelled_may_come_to_the_door_again(
    guest: Browser, house: House, account: Account, room: Room, doctor: User, sign_in: SignIn
) -> None:
    # given
    wait(guest, room)
    admitted = header(decide(sign_in(doctor), room, "Ada Lovelace", "admit"), "location") or ""
    assert guest.ask(door(room))["statusCode"] == 303
    # when
    house.sessions.cancel(account.account_id, admitted.partition("?")[0].removeprefix("/s/"))
    # then
    shown = guest.ask(door(room))
    assert "Wait here" in text_of(shown)
    assert "You are waiting as Ada Lovelace" in text_of(wait(guest, room))


@pytest.mark.parametrize("fields", [{}, {"decision": ""}, {"decision": "Admit"}], ids=str)
def test_what_is_no_decision_changes_nothing(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn, fields: dict[str, str]
) -> None:
    """Such as a form that lost the name of its button on the way."""
    # given
    page = wait(guest, room)
    browser = sign_in(doctor)
    listed = browser.ask("/dashboard/rooms")
    who = waiters(listed)["Ada Lovelace"]
    # when
    answer = browser.post("/dashboard/rooms", listed, room=room.room_id, who=who, **fields)
    # then
    assert (answer["statusCode"], "Please do that once more" in text_of(answer)) == (422, True)
    assert ask(guest, page)["state"] == "waiting"


@pytest.mark.parametrize("decision", ["admit", "turn_away"])
def test_a_decision_that_comes_too_late_says_so(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn, clock: FakeClock, decision: str
) -> None:
    # given
    wait(guest, room)
    browser = sign_in(doctor)
    page = browser.ask("/dashboard/rooms")
    fields = {"room": room.room_id, "who": waiters(page)["Ada Lovelace"], "decision": decision}
    clock.advance(LASTS)
    # when
    answer = browser.post("/dashboard/rooms", page, **fields)
    # then
    assert header(answer, "location") == "/dashboard/rooms?gone=1"
    assert "Somebody else was faster, or the person has left." in text_of(browser.ask("/dashboard/rooms?gone=1"))
    body = urlencode({"form_token": form_token(page), **fields})
    told = browser.ask("/dashboard/rooms", "POST", headers=FROM_A_SCRIPT, body=body)
    assert json.loads(told["body"]) == {"gone": True}


def test_a_script_is_told_where_to_go(guest: Browser, room: Room, doctor: User, sign_in: SignIn) -> None:
    wait(guest, room)
    browser = sign_in(doctor)
    page = browser.ask("/dashboard/rooms")
    fields = {"room": room.room_id, "who": waiters(page)["Ada Lovelace"], "decision": "admit"}
    body = urlencode({"form_token": form_token(page), **fields})
    answer = browser.ask("/dashboard/rooms", "POST", headers=FROM_A_SCRIPT, body=body)
    assert re.fullmatch(r"/s/\d+\?launch=1", json.loads(answer["body"])["url"])


# --- the list ---


def test_two_providers_see_their_own_people_alone(
    function: LoadFunction, house: House, account: Account, doctor: User, room: Room, sign_in: SignIn
) -> None:
    # given
    colleague = add_user(house, account, full_name="Dr. Alan Turing", role=Role.PROVIDER)
    surgery = open_room(house, account, colleague, name="Surgery")
    wait(Browser(function), room, "Ada")
    wait(Browser(function), surgery, "Ben")
    # then
    hers, his = sign_in(doctor), sign_in(colleague)
    assert list(waiters(hers.ask("/dashboard/rooms"))) == ["Ada"]
    assert list(waiters(his.ask("/dashboard/rooms"))) == ["Ben"]
    assert "Surgery" not in text_of(hers.ask("/dashboard/rooms"))
    # when: one names the other's room
    page = his.ask("/dashboard/rooms")
    key = waiters(hers.ask("/dashboard/rooms"))["Ada"]
    for decision in ("admit", "turn_away"):
        answer = his.post("/dashboard/rooms", page, room=room.room_id, who=key, decision=decision)
        assert answer["statusCode"] == 404
        assert "There is no such room" in text_of(answer)
    assert list(waiters(hers.ask("/dashboard/rooms"))) == ["Ada"]


def test_the_list_says_where_each_door_is(
    house: House, account: Account, doctor: User, room: Room, sign_in: SignIn
) -> None:
    open_room(house, account, doctor, name="Elsewhere", slug="front", domain="vclinic.example")
    body = unescape(sign_in(doctor).ask("/dashboard/rooms")["body"])
    assert f'href="https://clinic.hub.vestibule.example/u/{room.slug}"' in body
    assert 'href="https://clinic.hub.vestibule.example/u/front?domain=vclinic.example"' in body


def test_who_has_no_room_is_told_who_gives_them(house: House, account: Account, sign_in: SignIn) -> None:
    page = sign_in(add_user(house, account)).ask("/dashboard/rooms")
    assert "You are assigned to no room. Northside Clinic does that." in text_of(page)


def test_the_dashboard_shows_providers_where_their_rooms_are(
    house: House, account: Account, doctor: User, sign_in: SignIn
) -> None:
    assert 'data-rooms="/dashboard/rooms?part=1"' in sign_in(doctor).ask("/dashboard")["body"]
    assert "/dashboard/rooms" not in sign_in(add_user(house, account)).ask("/dashboard")["body"]


def test_a_part_is_the_list_and_nothing_else(doctor: User, room: Room, sign_in: SignIn) -> None:
    part = sign_in(doctor).ask("/dashboard/rooms?part=1")
    assert part["statusCode"] == 200
    assert "<html" not in part["body"]
    assert "Walk-ins nobody waits" in text_of(part)


@pytest.mark.req("L12")
def test_asking_for_the_list_keeps_nobody_signed_in(
    doctor: User, room: Room, account: Account, sign_in: SignIn, clock: FakeClock
) -> None:
    browser = sign_in(doctor)
    for _ in range(9):
        clock.advance(account.idle_timeout_minutes * MINUTE // 10)
        for address in ("/dashboard/rooms?part=1", "/dashboard/rooms?again=1"):
            assert browser.ask(address)["statusCode"] == 200
    clock.advance(account.idle_timeout_minutes * MINUTE // 10)
    assert browser.ask("/dashboard/rooms?part=1")["statusCode"] == 403
    assert header(browser.ask("/dashboard/rooms"), "location") == "/sign-in?expired=1&next=%2Fdashboard%2Frooms"


def test_nobody_who_is_not_signed_in_sees_a_list(guest: Browser, room: Room) -> None:
    away = guest.ask("/dashboard/rooms")
    assert (away["statusCode"], header(away, "location")) == (303, "/sign-in?next=%2Fdashboard%2Frooms")
    assert guest.ask("/dashboard/rooms?part=1")["statusCode"] == 403
    assert guest.ask("/dashboard/rooms", "POST", headers=FROM_A_SCRIPT)["statusCode"] == 303


@pytest.mark.parametrize(
    ("place", "words"),
    [(door, "Hier warten"), (lambda _room: "/dashboard/rooms", "Meine Wartezimmer")],
    ids=["door", "list"],
)
def test_whoever_is_signed_in_reads_in_their_own_language(
    house: House,
    account: Account,
    room: Room,
    sign_in: SignIn,
    place: Callable[[Room], str],
    words: str,
) -> None:
    # given
    browser = sign_in(add_user(house, account, locale="de"))
    # when
    page = browser.ask(place(room), headers={"Accept-Language": "fr"})
    # then
    assert header(page, "content-language") == "de"
    assert words in text_of(page)


def test_an_account_with_panels_only_has_no_list(
    house: House, account: Account, doctor: User, room: Room, sign_in: SignIn
) -> None:
    browser = sign_in(doctor)
    page = browser.ask("/dashboard/rooms")
    house.accounts.change(account.account_id, {"launch_panel_only": True})
    for answer in (
        browser.ask("/dashboard/rooms"),
        browser.ask("/dashboard/rooms?part=1"),
        browser.post("/dashboard/rooms", page, room=room.room_id, who="guest:1", decision="admit"),
    ):
        assert answer["statusCode"] == 403


@pytest.mark.req("L19")
def test_a_decision_from_another_site_or_without_its_token_changes_nothing(
    guest: Browser, room: Room, doctor: User, sign_in: SignIn
) -> None:
    # given
    wait(guest, room)
    browser = sign_in(doctor)
    page = browser.ask("/dashboard/rooms")
    fields = {"room": room.room_id, "who": waiters(page)["Ada Lovelace"], "decision": "turn_away"}
    # when
    for headers, token in (
        ({"Sec-Fetch-Site": "cross-site"}, form_token(page)),
        ({"Origin": "https://evil.example"}, form_token(page)),
        (FROM_A_SCRIPT, ""),
        (FROM_A_SCRIPT, form_token(guest.ask(door(room)))),
    ):
        body = urlencode({"form_token": token, **fields})
        assert browser.ask("/dashboard/rooms", "POST", headers=headers, body=body)["statusCode"] == 403
    # then
    assert list(waiters(browser.ask("/dashboard/rooms"))) == ["Ada Lovelace"]


def test_a_look_costs_three_calls_and_the_dashboard_not_one_more(
    doctor: User, room: Room, guest: Browser, sign_in: SignIn, wire: Wire
) -> None:
    # given: workers that know the account
    wait(guest, room)
    browser = sign_in(doctor)
    for address in ("/dashboard", "/dashboard/rooms?part=1"):
        browser.ask(address)
    # then
    for address, calls in (
        ("/dashboard", ["BatchGetItem", "Query"]),
        ("/dashboard/rooms?part=1", ["BatchGetItem", "Query", "BatchGetItem"]),
    ):
        with wire.counting() as made:
            browser.ask(address)
        assert [call.operation for call in made] == calls


def test_a_question_of_the_waiting_page_costs_one_read(guest: Browser, room: Room, wire: Wire) -> None:
    page = wait(guest, room)
    ask(guest, page)
    with wire.counting() as made:
        ask(guest, page)
    assert [(call.operation, call.read_units) for call in made] == [("GetItem", 1)]


# --- sessions in the room ---


def test_the_page_of_a_planned_session_waits_too_and_is_let_in_early(
    house: House,
    account: Account,
    guest: Browser,
    doctor: User,
    room: Room,
    sign_in: SignIn,
    clock: FakeClock,
) -> None:
    # given: half an hour too early
    given = {"title": "Consultation", "starts_at": clock.now + HOUR // 2, "room_id": room.room_id}
    session, (_, ben) = house.sessions.create(
        account.account_id, HostRef(user_id=doctor.user_id), given, [Invitee(full_name="Ben Okafor")]
    )
    path = f"/p/{house.links.personal_token(ben)}"
    page = guest.ask(path)
    browser = sign_in(doctor)
    assert "The doors open at" in text_of(page)
    assert waiters(browser.ask("/dashboard/rooms")) == {}
    body = urlencode({"ticket": data(page, "ticket"), "form_token": data(page, "form-token")})
    said = {"headers": FROM_A_SCRIPT, "body": body}
    # when: its script says that it is there
    heard = guest.ask(data(page, "waiting"), "POST", **said)
    # then
    assert json.loads(heard["body"]) == {"state": "waiting", "again_in": 4 * SECOND}
    assert "Ben Okafor just come, for a planned session" in text_of(browser.ask("/dashboard/rooms"))
    # when
    admitted = decide(browser, room, "Ben Okafor", "admit")
    # then: both go into that very session, before its time
    assert header(admitted, "location") == f"/s/{session.session_id}?launch=1"
    assert json.loads(guest.ask(data(page, "waiting"), "POST", **said)["body"])["state"] == "admitted"
    for who, address in ((guest, f"{path}?launch=1"), (browser, f"/s/{session.session_id}?launch=1")):
        shown = who.ask(address)
        assert data(shown, "launch") == "start"
        assert "data-ticket" not in shown["body"]
    started = guest.post(path, guest.ask(path))
    assert started["statusCode"] == 200
    assert "https://stage.example/" in started["body"]


def test_somebody_else_of_the_session_stays_outside(
    house: House, account: Account, guest: Browser, doctor: User, room: Room, clock: FakeClock
) -> None:
    given = {"title": "Consultation", "starts_at": clock.now + HOUR // 2, "room_id": room.room_id}
    _, (_, ben, cleo) = house.sessions.create(
        account.account_id,
        HostRef(user_id=doctor.user_id),
        given,
        [Invitee(full_name="Ben Okafor"), Invitee(full_name="Cleo")],
    )
    page = guest.ask(f"/p/{house.links.personal_token(ben)}")
    body = urlencode({"ticket": data(page, "ticket"), "form_token": ""})
    guest.ask(data(page, "waiting"), "POST", headers=FROM_A_SCRIPT, body=body)
    house.admission.admit(doctor, room.room_id, f"participant:{ben.participant_id}")
    other = f"/p/{house.links.personal_token(cleo)}"
    assert "The doors open at" in text_of(guest.ask(other))
    sent = guest.ask(other, "POST", headers=FROM_A_SCRIPT, body="form_token=")
    assert json.loads(sent["body"]) == {"reload": True}


def test_who_is_turned_away_from_a_session_reads_it_and_finds_the_way_back(
    house: House, account: Account, guest: Browser, doctor: User, room: Room, clock: FakeClock
) -> None:
    given = {"title": "Consultation", "starts_at": clock.now + HOUR // 2, "room_id": room.room_id}
    _, (_, ben) = house.sessions.create(
        account.account_id, HostRef(user_id=doctor.user_id), given, [Invitee(full_name="Ben Okafor")]
    )
    path = f"/p/{house.links.personal_token(ben)}"
    page = guest.ask(f"{path}?turned_away=1")
    assert "You cannot be received just now" in text_of(page)
    assert f'href="{path}"' in page["body"]


def test_a_ticket_from_another_site_is_not_heard(
    house: House, account: Account, guest: Browser, doctor: User, room: Room, clock: FakeClock
) -> None:
    given = {"title": "Consultation", "starts_at": clock.now + HOUR // 2, "room_id": room.room_id}
    session, (_, ben) = house.sessions.create(
        account.account_id, HostRef(user_id=doctor.user_id), given, [Invitee(full_name="Ben Okafor")]
    )
    page = guest.ask(f"/p/{house.links.personal_token(ben)}")
    body = urlencode({"ticket": data(page, "ticket")})
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        guest.ask(data(page, "waiting"), "POST", headers=headers, body=body)
    assert house.admission.of(doctor)[0].waiters == ()
    unknown = guest.ask("/s/99999999/waiting", "POST", headers=FROM_A_SCRIPT, body=body)
    assert json.loads(unknown["body"])["state"] == "gone"
    assert session.room_id == room.room_id
