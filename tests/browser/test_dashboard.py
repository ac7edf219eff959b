"""The dashboard in a browser: the session that a link names comes into view and starts, once, and without a click."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.support.looks import assert_looks_right
from tests.support.portal import cookie_header
from vestibule.clock import HOUR, MINUTE
from vestibule.domain.guesses import PASSWORDS_FROM_NETWORK, network_of
from vestibule.domain.participants import Invitee
from vestibule.domain.people import Person
from vestibule.domain.sessions import HostRef
from vestibule.model import Entrance

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.support.portal import Portal
    from vestibule.model import Session

PASSWORD = "correct horse battery staple"
HERE = "127.0.0.1"
RENEWED_MS = 10_500
IN_VIEW = """id => {
  const { top, bottom } = document.getElementById(`session-${id}`).getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture
def session_pages(visitor: Visitor) -> Generator[list[str]]:
    """Answer for the pages of sessions, which are not what is tested here; give what was asked of them."""
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(body="in the session", content_type="text/plain")

    visitor.page.route(re.compile(r"/s/\d+"), answer)
    yield asked
    visitor.page.unroute_all()


@pytest.fixture
def _fresh_address(clinic: Portal) -> Generator[None]:
    """Give this machine's address all of its tries, before and afterwards."""
    clinic.house.guesses.lift(PASSWORDS_FROM_NETWORK, network_of(HERE))
    yield
    clinic.house.guesses.lift(PASSWORDS_FROM_NETWORK, network_of(HERE))


def plan(portal: Portal, host: str, *guests: str, minutes: int = 5, **fields: Any) -> Session:
    """Plan a session that begins in some minutes."""
    starts_at = time.time_ns() // 1_000_000 + minutes * MINUTE
    given = {"title": f"Session in {minutes}", "starts_at": starts_at, **fields}
    invitees = [Invitee(user_id=guest) for guest in guests]
    return portal.house.sessions.create(portal.account_id, HostRef(user_id=host), given, invitees)[0]


def marked(page: Page) -> Any:
    """Give the row of the session that the link names."""
    return page.get_by_role("listitem").filter(has_text="You came for this session")


# --- started -----------------------------------------------------------------------------------------------


@pytest.mark.req("E12")
def test_a_host_sees_who_comes_in_while_the_dashboard_is_open(visitors: Callable[..., Visitor], clinic: Portal) -> None:
    """The host of an open session; a guest of it is told nothing."""
    people = {"host": clinic.create_user()["id"], "guest": clinic.create_user(full_name="Charles Babbage")["id"]}
    session = plan(clinic, people["host"], people["guest"])
    host, guest = visitors(), visitors()
    host.stop_the_clock()
    for visitor, who in ((host, "host"), (guest, "guest")):
        visitor.arrive(clinic, people[who])
    line = host.page.locator(f"[data-in='{session.session_id}']")
    expect(line).to_have_text("Nobody is in")

    for name, said in (("Ada", "One person is in: Ada"), ("Ben", "2 people are in: Ada, Ben")):
        clinic.house.seats.take(clinic.account, session, Person(name=name, own_id=f"guest:{name}"), Entrance.LINK)
        host.page.clock.fast_forward(RENEWED_MS)
        expect(line).to_have_text(said)

    expect(guest.page.get_by_role("listitem").filter(has_text=session.title)).to_be_visible()
    expect(guest.page.locator("[data-in]")).to_have_count(0)
    assert_looks_right(host.page)


@pytest.mark.req("L15")
@pytest.mark.parametrize("role", ["host", "guest"])
def test_a_login_uri_leads_into_the_session_without_a_click_and_only_once(
    visitor: Visitor, clinic: Portal, session_pages: list[str], role: str
) -> None:
    """Host and participant alike; neither "back" nor a reload starts it again."""
    people = {"host": clinic.create_user()["id"], "guest": clinic.create_user(full_name="Charles Babbage")["id"]}
    session = plan(clinic, people["host"], people["guest"])
    target = f"{clinic.hub_url}/s/{session.session_id}?launch=1"

    visitor.page.goto(f"{clinic.issue_login_uri(people[role])}?scrollTo={session.session_id}&launch=1")
    visitor.page.wait_for_url(target)
    visitor.page.go_back()

    expect(visitor.page).to_have_url(f"{clinic.hub_url}/dashboard?scrollTo={session.session_id}")
    expect(marked(visitor.page)).to_be_visible()
    assert visitor.page.evaluate(IN_VIEW, session.session_id)
    visitor.page.reload()
    expect(marked(visitor.page)).to_be_visible()
    visitor.page.wait_for_timeout(500)
    assert session_pages == [target]


@pytest.mark.req("L15", "L17")
@pytest.mark.usefixtures("_fresh_address")
def test_a_wrong_password_on_the_way_loses_nothing(visitor: Visitor, clinic: Portal, session_pages: list[str]) -> None:
    """The vendor's own link, a typing error, the right password, and the session starts."""
    user = clinic.create_user(username="ada.lovelace", password=PASSWORD)["id"]
    session = plan(clinic, user)
    page = visitor.page
    page.goto(f"{clinic.hub_url}/Dashboard/P/{user}?scrollTo={session.session_id}&launch=1")
    assert visitor.heading() == "Sign in"

    page.get_by_label("User name or e-mail address").fill("Ada.Lovelace")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is not right.")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{clinic.hub_url}/s/{session.session_id}?launch=1")
    assert len(session_pages) == 1
    assert clinic.is_signed_in(visitor.cookie())


@pytest.mark.req("L15", "H02")
@pytest.mark.usefixtures("_fresh_address")
def test_without_scripts_a_button_does_it(visitors: Callable[..., Visitor], clinic: Portal) -> None:
    """Sign-in, marking and bringing into view need none either."""
    visitor = visitors(java_script_enabled=False)
    user = clinic.create_user(username="no.scripts", password=PASSWORD)["id"]
    sessions = [plan(clinic, user, minutes=5 + number) for number in range(12)]
    named = sessions[-1].session_id
    page = visitor.page
    page.goto(f"{clinic.hub_url}/dashboard?{urlencode({'scrollTo': named, 'launch': '1'})}")
    page.get_by_label("User name or e-mail address").fill("no.scripts")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    join = marked(page).get_by_role("link", name="Join")
    expect(join).to_be_in_viewport()
    assert join.get_attribute("href") == f"/s/{named}?launch=1"


@pytest.mark.req("L18")
def test_a_session_of_somebody_else_is_not_started(visitor: Visitor, clinic: Portal, session_pages: list[str]) -> None:
    """A word, and one's own dashboard."""
    foreign = plan(clinic, clinic.create_user(full_name="Charles Babbage")["id"], title="Not for Ada")

    visitor.page.goto(f"{clinic.issue_login_uri()}?scrollTo={foreign.session_id}&launch=1")

    expect(visitor.page.get_by_role("list", name="Notices")).to_contain_text("not among yours")
    assert visitor.heading() == "Hello, Ada Lovelace"
    assert "Not for Ada" not in visitor.page.content()
    visitor.page.wait_for_timeout(500)
    assert session_pages == []


# --- in view -----------------------------------------------------------------------------------------------


@pytest.mark.req("L15", "H02")
def test_a_session_far_down_comes_into_view_and_is_next_by_keyboard(visitor: Visitor, clinic: Portal) -> None:
    """Whoever uses the keyboard is at its button with one key."""
    user = clinic.create_user()["id"]
    sessions = [plan(clinic, user, minutes=5 + number) for number in range(20)]
    named = sessions[-1].session_id

    visitor.page.goto(f"{clinic.issue_login_uri(user)}?scrollTo={named}")

    expect(marked(visitor.page)).to_be_in_viewport()
    assert visitor.page.evaluate("scrollY") > 0
    visitor.page.keyboard.press("Tab")
    expect(marked(visitor.page).get_by_role("link", name="Join")).to_be_focused()


def test_states_follow_the_time_while_the_page_is_open(visitors: Callable[..., Visitor], clinic: Portal) -> None:
    """By the server's clock, without asking anybody."""
    visitor = visitors(locale="en-GB")
    visitor.stop_the_clock()
    user = clinic.create_user()["id"]
    plan(clinic, user, minutes=20, duration_minutes=10)
    visitor.arrive(clinic, user)
    row = visitor.page.get_by_role("listitem").filter(has_text="Session in 20")

    for minutes, name in ((9, "Upcoming"), (2, "Open now"), (10, "Running"), (10, "Over")):
        visitor.page.clock.fast_forward(minutes * MINUTE)
        expect(row).to_contain_text(name)
    expect(row.get_by_role("link", name="Join")).to_have_count(0)


def test_later_sessions_are_a_page_away(visitor: Visitor, clinic: Portal) -> None:
    """And back."""
    user = clinic.create_user()["id"]
    for number in range(31):
        plan(clinic, user, minutes=5 + number)
    visitor.arrive(clinic, user)
    expect(visitor.page.get_by_role("link", name="Join")).to_have_count(30)

    visitor.page.get_by_role("link", name="Later sessions").click()
    expect(visitor.page.get_by_role("link", name="Join")).to_have_count(1)
    visitor.page.get_by_role("link", name="Back to today").click()
    expect(visitor.page.get_by_role("link", name="Join")).to_have_count(30)


# --- the panel alone ---------------------------------------------------------------------------------------


@pytest.mark.req("L15", "L18")
def test_the_launch_panel_alone(visitor: Visitor, open_portal: Callable[..., Portal], session_pages: list[str]) -> None:
    """It starts, and the server refuses everything else."""
    portal = open_portal(name="Panel Clinic", launch_panel_only=True)
    user = portal.create_user()["id"]
    session, other = plan(portal, user, title="This one"), plan(portal, user, title="Another one")

    visitor.page.goto(f"{portal.issue_login_uri(user)}?scrollTo={session.session_id}&launch=1")
    visitor.page.wait_for_url(f"{portal.hub_url}/s/{session.session_id}?launch=1")
    visitor.page.go_back()

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("This one")
    assert other.title not in visitor.page.content()
    assert len(session_pages) == 1
    answer = portal.hub.get("/dashboard", headers=cookie_header(visitor.cookie()))
    assert answer.status_code == 403
    assert "This one" not in answer.text
    assert session.ends_at - session.starts_at == HOUR
