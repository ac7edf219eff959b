"""The dashboard as its person sees it: days, states, the session that a link names, and the panel alone."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from tests.support.visits import text_of
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.agenda import SHOWN_AT_ONCE
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef

if TYPE_CHECKING:
    from tests.support.house import FakeClock, Wire
    from tests.support.visits import SignIn
    from vestibule.model import Account, Session, User
    from vestibule.wiring import House


@pytest.fixture
def doctor(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", time_zone="Europe/Berlin")


@pytest.fixture
def patient(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Ada Lovelace", time_zone="Europe/Berlin")


def plan(house: House, host: User, *guests: User, starts_at: int = START + HOUR, **fields: Any) -> Session:
    given = {"title": "Consultation", "starts_at": starts_at, **fields}
    invitees = [Invitee(user_id=guest.user_id) for guest in guests]
    return house.sessions.create(host.account_id, HostRef(user_id=host.user_id), given, invitees)[0]


def rows(page: dict[str, Any]) -> dict[str, str]:
    """Return each session's row by its id."""
    found = re.findall(r'(?s)<li class="session" id="session-(\d+)"(.*?</li>)', page["body"])
    return dict(found)


def attribute(page: dict[str, Any], name: str) -> str | None:
    found = re.search(rf'\b{name}="([^"]*)"', page["body"])
    return unescape(found[1]) if found else None


# --- the list ---


def test_sessions_stand_under_their_days_with_time_people_and_state(
    house: House, sign_in: SignIn, doctor: User, patient: User
) -> None:
    # given
    plan(house, doctor, patient, title="Follow-up & <b>more</b>")
    plan(house, doctor, starts_at=START + DAY)
    # then: 04:49 in Berlin
    text = text_of(sign_in(doctor).ask("/dashboard"))
    assert re.search(r"Today Sunday, November 22 4:49 AM \W 5:49 AM", text)
    assert "Follow-up & <b>more</b> You host, with Ada Lovelace Upcoming" in text
    assert "Manage Follow-up & <b>more</b>, 4:49 AM" in text
    assert "Tomorrow Monday, November 23" in text
    assert "All times are those of Europe/Berlin." in text
    theirs = text_of(sign_in(patient).ask("/dashboard"))
    assert "Follow-up & <b>more</b> With Dr. Grace Hopper Upcoming" in theirs
    assert "Tomorrow" not in theirs


def test_the_state_and_the_way_in_follow_the_time(
    house: House, clock: FakeClock, sign_in: SignIn, doctor: User
) -> None:
    # given
    session = plan(house, doctor)
    browser = sign_in(doctor)
    join = f'href="/s/{session.session_id}?launch=1"'
    for moment, name, is_joinable in (
        (START, "Upcoming", True),
        (session.starts_at - MINUTE, "Open now", True),
        (session.starts_at, "Running", True),
        (session.ends_at, "Over", False),
    ):
        # when
        clock.now = moment
        page = browser.ask("/dashboard")
        # then
        assert name in text_of(page)
        assert (join in page["body"]) is is_joinable


def test_a_day_without_sessions_says_so(sign_in: SignIn, doctor: User) -> None:
    page = sign_in(doctor).ask("/dashboard")
    assert "No sessions planned" in text_of(page)
    assert attribute(page, "data-now") == str(START)


def test_pages_lead_to_one_another(house: House, sign_in: SignIn, doctor: User) -> None:
    # given
    for number in range(SHOWN_AT_ONCE + 1):
        plan(house, doctor, starts_at=START + HOUR + number)
    browser = sign_in(doctor)
    # when
    first = browser.ask("/dashboard")
    (following,) = re.findall(r'href="(/dashboard\?page=[^"]+)"', first["body"])
    second = browser.ask(following)
    # then
    assert (len(rows(first)), len(rows(second))) == (SHOWN_AT_ONCE, 1)
    assert not rows(first).keys() & rows(second).keys()
    assert "Back to today" in text_of(second)
    assert "Later sessions" not in text_of(second)
    assert len(first["body"].encode()) < 60_000


# --- the session that a link names ---


@pytest.mark.req("L15")
@pytest.mark.parametrize("query", ["scrollTo={}&launch=1", "LAUNCH=1&scrollto={}"])
def test_the_named_session_is_marked_and_started(
    house: House, sign_in: SignIn, doctor: User, patient: User, query: str
) -> None:
    # given
    other, named = plan(house, doctor, patient), plan(house, doctor, patient, starts_at=START + 2 * HOUR)
    for person in (doctor, patient):
        # when
        page = sign_in(person).ask(f"/dashboard?{query.format(named.session_id)}")
        # then
        marked = {one for one, row in rows(page).items() if "data-named" in row}
        assert marked == {named.session_id}
        assert rows(page).keys() == {other.session_id, named.session_id}
        assert "autofocus" in rows(page)[named.session_id]
        assert attribute(page, "data-launch") == f"/s/{named.session_id}?launch=1"
        assert "Notices" not in page["body"]


@pytest.mark.req("L15")
@pytest.mark.parametrize("launch", ["", "&launch=0", "&launch=", "&launch=true"])
def test_nothing_is_started_unasked(house: House, sign_in: SignIn, doctor: User, launch: str) -> None:
    session = plan(house, doctor)
    page = sign_in(doctor).ask(f"/dashboard?scrollTo={session.session_id}{launch}")
    assert "data-named" in rows(page)[session.session_id]
    assert attribute(page, "data-launch") is None


@pytest.mark.req("L15")
def test_the_named_session_comes_first_when_it_is_on_another_page(
    house: House, clock: FakeClock, sign_in: SignIn, doctor: User
) -> None:
    # given: last week's, and one in half a year
    old = plan(house, doctor)
    clock.advance(7 * DAY)
    far = plan(house, doctor, starts_at=clock.now + 180 * DAY)
    for number in range(SHOWN_AT_ONCE):
        plan(house, doctor, starts_at=clock.now + HOUR + number)
    browser = sign_in(doctor)
    for session, is_joinable in ((old, False), (far, True)):
        # when
        page = browser.ask(f"/dashboard?scrollTo={session.session_id}&launch=1")
        # then
        assert next(iter(rows(page))) == session.session_id
        assert "data-named" in rows(page)[session.session_id]
        assert (attribute(page, "data-launch") is not None) is is_joinable
        assert ("is over, so it was not started" in text_of(page)) is not is_joinable


@pytest.mark.req("L18")
def test_a_session_of_others_is_neither_shown_nor_started(
    house: House, sign_in: SignIn, account: Account, doctor: User, patient: User
) -> None:
    # given
    foreign = plan(house, doctor, title="Not for Ada")
    elsewhere = plan(house, add_user(house, open_account(house, "other")))
    browser = sign_in(patient)
    for named in (foreign.session_id, elsewhere.session_id, "99999999", "x", ""):
        # when
        page = browser.ask(f"/dashboard?scrollTo={named}&launch=1")
        # then
        assert page["statusCode"] == 200
        assert "The session that the link names is not among yours." in text_of(page)
        assert "Not for Ada" not in page["body"]
        assert attribute(page, "data-launch") is None
    assert account.slug == "clinic"


@pytest.mark.req("L18")
def test_a_cancelled_session_is_not_started(house: House, sign_in: SignIn, account: Account, doctor: User) -> None:
    session = plan(house, doctor)
    house.sessions.cancel(account.account_id, session.session_id)
    page = sign_in(doctor).ask(f"/dashboard?scrollTo={session.session_id}&launch=1")
    assert "has been cancelled" in text_of(page)
    assert "Cancelled" in text_of(page)
    assert attribute(page, "data-launch") is None
    assert "/s/" not in page["body"]


# --- the panel alone ---


@pytest.mark.req("L15", "L18")
def test_an_account_may_show_the_launch_panel_and_nothing_else(
    house: House, sign_in: SignIn, account: Account, doctor: User, patient: User
) -> None:
    # given
    house.accounts.change(account.account_id, {"launch_panel_only": True, "portal_url": "https://portal.example/"})
    session = plan(house, doctor, patient, title="This one")
    plan(house, doctor, patient, title="Another one")
    browser = sign_in(patient)
    # when
    panel = browser.ask(f"/dashboard?scrollTo={session.session_id}&launch=1")
    # then
    assert panel["statusCode"] == 200
    assert "This one" in text_of(panel)
    assert "Another one" not in panel["body"]
    assert attribute(panel, "data-launch") == f"/s/{session.session_id}?launch=1"
    assert attribute(panel, "data-watch")
    # and the rest is refused
    for path in ("/dashboard", "/providers/dashboard", f"/Dashboard/P/{patient.user_id}", "/dashboard?page=x",
                 "/dashboard?scrollTo=99999999&launch=1"):  # fmt: skip
        refused = browser.follow(path)
        assert refused["statusCode"] == 403
        assert "open your session from there" in text_of(refused)
        assert "This one" not in refused["body"]
        assert attribute(refused, "data-launch") is None


@pytest.mark.req("L15", "S01")
@pytest.mark.parametrize("is_panel_only", [False, True])
def test_a_dashboard_that_would_refuse_is_not_offered_and_sessions_own_pages_stay_open(
    house: House, sign_in: SignIn, account: Account, doctor: User, patient: User, *, is_panel_only: bool
) -> None:
    # given
    house.accounts.change(account.account_id, {"launch_panel_only": is_panel_only})
    session = plan(house, doctor, patient, title="This one")
    browser = sign_in(patient)
    # then
    for path, status in (("/s/99999999", 404), ("/p/none", 403), ("/u/none", 404), ("/nowhere", 404)):
        lost = browser.ask(path)
        assert lost["statusCode"] == status, path
        assert ('href="/dashboard"' in lost["body"]) is not is_panel_only, path
    # and what has an address of its own is there all the same
    page = browser.ask(f"/s/{session.session_id}")
    assert page["statusCode"] == 200
    assert "This one" in text_of(page)
    assert browser.follow("/")["statusCode"] == (403 if is_panel_only else 200)


# --- what it costs ---


def test_a_page_costs_its_check_and_two_queries(
    house: House, wire: Wire, sign_in: SignIn, doctor: User, patient: User
) -> None:
    # given: a worker that has seen the account
    session = plan(house, doctor, patient)
    browser = sign_in(doctor)
    browser.ask("/dashboard")
    # when
    with wire.counting() as calls:
        browser.ask(f"/dashboard?scrollTo={session.session_id}&launch=1")
    # then
    assert [call.operation for call in calls] == ["BatchGetItem", "Query", "BatchGetItem", "Query", "BatchGetItem"]
    assert [call.operation for call in calls].count("Query") <= 2
