"""Hosts plan and manage their sessions in a browser: by pointer or keyboard, on a phone, with and without scripts."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import LONG_NAME
from tests.support.looks import assert_looks_right
from vestibule.clock import HOUR, MINUTE
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import Filter, HostRef
from vestibule.model import Channel, ParticipantRole, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Visitor
    from tests.support.portal import Portal
    from vestibule.model import Participant, Session

LARGEST_PAGE = 60_000
PASSWORD = "a good pass phrase"
TO_PAGE = re.compile(r"/plan/\d+\?done=")


def plan(portal: Portal, host: str, *invitees: Invitee, **fields: Any) -> Session:
    """Plan a session that begins in a day."""
    starts_at = time.time_ns() // 1_000_000 + 24 * HOUR
    given = {"title": "Consultation", "starts_at": starts_at, "time_zone": "Europe/Berlin", **fields}
    return portal.house.sessions.create(portal.account_id, HostRef(user_id=host), given, invitees)[0]


def hosted_by(portal: Portal, host: str) -> list[Session]:
    """Give what somebody hosts."""
    return portal.house.sessions.page(portal.account_id, Filter(host_user_id=host), after=None, limit=100)[0]


def people_of(portal: Portal, session: Session) -> list[Participant]:
    """Give who takes part."""
    return portal.house.participants.list_of(portal.account_id, session.session_id)


def as_it_is(portal: Portal, session: Session) -> Session:
    """Give a session as it is by now."""
    return portal.house.sessions.get(portal.account_id, session.session_id)


@pytest.fixture
def host(clinic: Portal) -> str:
    """The id of a user who hosts."""
    return str(clinic.create_user(full_name="Dr. Grace Hopper", time_zone="Europe/Berlin")["id"])


@pytest.fixture
def at_home(visitor: Visitor, clinic: Portal, host: str) -> Page:
    """The host's browser, at the dashboard."""
    visitor.arrive(clinic, host)
    return visitor.page


def said(page: Page, text: str) -> Locator:
    """Give what the page says has just been done."""
    return page.get_by_role("status").filter(has_text=text)


def fill_in(page: Page, *, title: str = "Follow-up", person: str = "Ben Okafor") -> None:
    """Fill in the form of a session in two days."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Day", exact=True).fill(time.strftime("%Y-%m-%d", time.gmtime(time.time() + 48 * 3_600)))
    page.get_by_label("Start", exact=True).fill("09:30")
    page.get_by_label("Duration in minutes").fill("45")
    first = page.get_by_role("group", name="Person 1")
    first.get_by_label("Name").fill(person)
    first.get_by_label("E-mail address").fill("ben@example.org")
    first.get_by_label("Role").select_option("Presenter")


# --- the way from the first click to the last ----------------------------------------------------------------


@pytest.mark.req("H02")
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["with scripts", "without"])
def test_a_host_plans_invites_changes_reminds_removes_and_cancels(
    visitors: Callable[..., Visitor], clinic: Portal, host: str, options: dict[str, Any]
) -> None:
    """All of it by what the pages offer."""
    visitor = visitors(**options)
    visitor.arrive(clinic, host)
    page = visitor.page

    page.get_by_role("link", name="Schedule a session").click()
    fill_in(page)
    page.get_by_role("button", name="More rows").click()
    expect(page.get_by_label("Title")).to_have_value("Follow-up")
    page.get_by_role("group", name="Person 4").get_by_label("Name").fill("Observing Olga")
    page.get_by_role("button", name="Schedule the session").click()
    expect(said(page, "The session is planned.")).to_be_focused()
    (session,) = hosted_by(clinic, host)
    assert (session.title, session.duration_minutes, session.time_zone) == ("Follow-up", 45, "Europe/Berlin")
    assert [(one.full_name, one.role.value) for one in people_of(clinic, session)[1:]] == [
        ("Ben Okafor", "presenter"),
        ("Observing Olga", "attendee"),
    ]

    page.get_by_role("link", name="Add participants").click()
    page.get_by_role("group", name="Person 1").get_by_label("Name").fill("Carla Neumann")
    page.get_by_role("button", name="Add them").click()
    expect(page.get_by_role("heading", name="Carla Neumann")).to_be_visible()

    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Title").fill("Second follow-up")
    page.get_by_label("Password (optional)").fill("open sesame")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second follow-up")
    expect(page.get_by_text("it asks for a name, and for the password.")).to_be_visible()

    page.get_by_role("button", name="Remind Ben Okafor").click()
    expect(said(page, "The reminder is on its way.")).to_be_focused()
    page.get_by_role("link", name="Remove Carla Neumann").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The person does not take part any more.")).to_be_visible()
    expect(page.get_by_role("heading", name="Carla Neumann")).to_have_count(0)

    page.get_by_role("link", name="Back to my dashboard").click()
    page.get_by_role("link", name="Manage Second follow-up").click()
    page.get_by_role("link", name="Cancel the session").click()
    page.get_by_role("button", name="Cancel the session").click()
    expect(said(page, "The session is cancelled.")).to_be_focused()
    assert as_it_is(clinic, session).status is SessionStatus.CANCELLED
    expect(page.get_by_role("link", name="Change", exact=True)).to_have_count(0)


@pytest.mark.req("H02", "S02", "S03")
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["with scripts", "without"])
def test_a_host_changes_somebody_and_gives_a_new_link_and_code(
    visitors: Callable[..., Visitor], clinic: Portal, host: str, options: dict[str, Any]
) -> None:
    """What the person had before opens nothing any more."""
    visitor = visitors(**options)
    session = plan(clinic, host, Invitee(full_name="Ben Okafor"))
    before = people_of(clinic, session)[1]
    visitor.arrive(clinic, host, next=f"/plan/{session.session_id}")
    page = visitor.page

    page.get_by_role("link", name="Edit Ben Okafor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change a participant")
    page.get_by_label("Name").fill("Benjamin Okafor")
    page.get_by_label("E-mail address").fill("ben@example.org")
    page.get_by_label("Telephone number").fill("+49 30 1234567")
    page.get_by_label("Role").select_option("Observer")
    page.get_by_label("Messages about the session").select_option("By e-mail")
    page.get_by_role("button", name="Save").click()
    expect(said(page, "The participant is saved.")).to_be_focused()
    expect(page.get_by_text("Observer · ben@example.org")).to_be_visible()
    changed = people_of(clinic, session)[1]
    assert (changed.full_name, changed.phone, changed.notify) == ("Benjamin Okafor", "+49 30 1234567", Channel.EMAIL)

    person = page.get_by_role("listitem").filter(has_text="Benjamin Okafor")
    person.get_by_text("Code and link").click()
    person.get_by_role("link", name="New link and code").click()
    page.get_by_role("button", name="New link and code").click()
    expect(said(page, "The link and the code are new.")).to_be_focused()
    after = people_of(clinic, session)[1]
    person.get_by_text("Code and link").click()
    links, slug = clinic.house.links, clinic.account.slug
    expect(person.get_by_label("Connect code", exact=True)).to_have_value(links.connect_code(after))
    expect(person.get_by_label("Personal link", exact=True)).to_have_value(links.personal_link(slug, after))
    page.goto(links.personal_link(slug, before))
    expect(page.get_by_role("link", name="I have a code")).to_be_visible()
    page.goto(links.personal_link(slug, after))
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultation")


@pytest.mark.req("P02")
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["with scripts", "without"])
def test_a_double_click_plans_one_session(
    visitors: Callable[..., Visitor], clinic: Portal, host: str, options: dict[str, Any]
) -> None:
    """And so do "back" and the button once more."""
    visitor = visitors(**options)
    visitor.arrive(clinic, host)
    page = visitor.page
    page.goto(f"{clinic.hub_url}/plan")
    fill_in(page)

    page.get_by_role("button", name="Schedule the session").dblclick(no_wait_after=True)
    expect(page).to_have_url(TO_PAGE)  # by whichever of the two navigations the browser has kept
    assert len(hosted_by(clinic, host)) == 1
    planned = page.url

    page.go_back()
    expect(page.get_by_label("Title")).to_be_visible()
    if page.get_by_label("Title").input_value():  # what the browser kept of the form, its key included
        page.get_by_role("button", name="Schedule the session").click()
        page.wait_for_url(TO_PAGE)
        assert page.url == planned
    assert len(hosted_by(clinic, host)) == 1


@pytest.mark.req("H02")
def test_what_is_wrong_is_read_first_and_leads_to_its_field(at_home: Page, clinic: Portal, host: str) -> None:
    """Whatever the browser itself would have said before."""
    at_home.goto(f"{clinic.hub_url}/plan")
    fill_in(at_home, title="")
    at_home.get_by_label("Day", exact=True).fill("2020-01-31")
    at_home.locator("form.sheet").evaluate("form => { form.noValidate = true }")
    at_home.get_by_role("button", name="Schedule the session").click()

    summary = at_home.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("One thing has to be put right:")
    summary.get_by_role("link", name="Give the session a title").click()
    title = at_home.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    assert title.get_attribute("aria-invalid") == "true"
    expect(title).to_have_accessible_description(re.compile("Give the session a title"))
    expect(at_home.get_by_role("group", name="Person 1").get_by_label("E-mail address")).to_have_value(
        "ben@example.org"
    )

    at_home.keyboard.type("Found")
    at_home.keyboard.press("Enter")
    expect(at_home.get_by_role("alert")).to_contain_text("The start must not lie in the past.")
    fill_in(at_home, title="Found")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url(TO_PAGE)
    assert [one.title for one in hosted_by(clinic, host)] == ["Found"]


def test_two_windows_lose_no_change(at_home: Page, visitor: Visitor, clinic: Portal, host: str) -> None:
    """The later one sees what the first one made of it, keeps what it typed, and decides."""
    session = plan(clinic, host)
    address = f"{clinic.hub_url}/plan/{session.session_id}/change"
    at_home.goto(address)
    other = visitor.new_tab()
    other.goto(address)
    other.get_by_label("Title").fill("From the other window")
    other.get_by_role("button", name="Save").click()
    other.wait_for_url(TO_PAGE)

    at_home.get_by_label("Title").fill("From this window")
    at_home.get_by_role("button", name="Save").click()

    expect(at_home.get_by_role("alert")).to_be_focused()
    expect(at_home.get_by_role("alert")).to_contain_text("Somebody changed this session meanwhile.")
    expect(at_home.get_by_text("From the other window")).to_be_visible()
    expect(at_home.get_by_label("Title")).to_have_value("From this window")
    assert as_it_is(clinic, session).title == "From the other window"
    at_home.get_by_role("button", name="Save").click()
    at_home.wait_for_url(TO_PAGE)
    assert as_it_is(clinic, session).title == "From this window"


# --- what is typed is not lost with the sign-in ---------------------------------------------------------------


@pytest.mark.req("L12", "L19")
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["with scripts", "without"])
def test_what_was_typed_is_in_the_form_again_after_signing_in(
    visitors: Callable[..., Visitor], clinic: Portal, options: dict[str, Any]
) -> None:
    """The sign-in was over when the form was sent; nothing was planned before its person looked at it again."""
    name = f"host-{time.time_ns()}"
    host = str(clinic.create_user(full_name="Dr. Grace Hopper", username=name, password=PASSWORD)["id"])
    visitor = visitors(**options)
    issued = clinic.issue(host, next="/plan")
    page = visitor.page
    page.goto(issued["login_uri"])
    fill_in(page)
    clinic.api.delete(f"/v1/login-uris/{issued['login_guid']}")

    page.get_by_role("button", name="Schedule the session").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("You have been signed out")
    expect(page.get_by_text("What you typed is kept for an hour")).to_be_visible()
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("You were signed out before this was sent")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("Follow-up")
    expect(page.get_by_role("group", name="Person 1").get_by_label("Name")).to_have_value("Ben Okafor")
    expect(page.get_by_role("group", name="Person 1").get_by_label("Role")).to_have_value("presenter")
    assert hosted_by(clinic, host) == []
    page.get_by_role("button", name="Schedule the session").click()
    expect(said(page, "The session is planned.")).to_be_focused()
    assert [one.title for one in hosted_by(clinic, host)] == ["Follow-up"]


@pytest.mark.req("L12", "L13")
def test_an_open_form_keeps_what_was_typed_for_its_person_alone(visitor: Visitor, clinic: Portal, host: str) -> None:
    """The page notices by itself that the sign-in is over; the next person in that browser sees nothing of it."""
    visitor.stop_the_clock()
    issued = clinic.issue(host, next="/plan")
    page = visitor.page
    page.goto(issued["login_uri"])
    fill_in(page)
    clinic.api.delete(f"/v1/login-uris/{issued['login_guid']}")

    page.clock.fast_forward("01:01")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have been signed out")
    assert hosted_by(clinic, host) == []

    visitor.arrive(clinic, str(clinic.create_user(full_name="Charles Babbage")["id"]), next="/plan")
    expect(page.get_by_role("heading", level=1)).to_have_text("Schedule a session")
    expect(page.get_by_label("Title")).to_have_value("")
    assert "Follow-up" not in page.content()

    visitor.arrive(clinic, host, next="/plan")
    expect(page.get_by_label("Title")).to_have_value("Follow-up")
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("")


def test_a_form_from_before_another_sign_in_is_shown_again(visitor: Visitor, clinic: Portal, host: str) -> None:
    """The same person signed in anew in another tab; what the first one held is looked at, then sent."""
    visitor.arrive(clinic, host, next="/plan")
    page = visitor.page
    fill_in(page)
    visitor.new_tab().goto(clinic.issue_login_uri(host))

    page.get_by_role("button", name="Schedule the session").click()

    expect(page.get_by_role("alert")).to_contain_text("You were signed out before this was sent")
    expect(page.get_by_label("Title")).to_have_value("Follow-up")
    assert hosted_by(clinic, host) == []
    assert_looks_right(page)
    page.get_by_role("button", name="Schedule the session").click()
    page.wait_for_url(TO_PAGE)


def test_links_and_codes_are_copied(visitors: Callable[..., Visitor], clinic: Portal, host: str) -> None:
    """Those that let the right person in."""
    visitor = visitors(permissions=["clipboard-read", "clipboard-write"])
    session = plan(clinic, host, Invitee(full_name="Ben Okafor"))
    guest = people_of(clinic, session)[1]
    visitor.arrive(clinic, host)
    page = visitor.page
    page.goto(f"{clinic.hub_url}/plan/{session.session_id}")
    person = page.get_by_role("listitem").filter(has_text="Ben Okafor")
    person.get_by_text("Code and link").click()

    for label, wanted in (
        ("Personal link", clinic.house.links.personal_link(clinic.account.slug, guest)),
        ("Connect code", clinic.house.links.connect_code(guest)),
    ):
        button = person.get_by_role("button", name=f"Copy {label}")
        button.click()
        expect(person.get_by_role("button", name=f"Copied {label}")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == wanted


# --- who may -------------------------------------------------------------------------------------------------


def test_somebody_elses_session_is_theirs(at_home: Page, clinic: Portal, host: str) -> None:
    """The page says whose it is, and leads on."""
    owner = clinic.create_user(full_name="Charles Babbage")["id"]
    session = plan(clinic, owner, Invitee(user_id=host))

    at_home.goto(f"{clinic.hub_url}/plan/{session.session_id}/cancel")

    expect(at_home.get_by_role("heading", level=1)).to_have_text("Only the host can do this")
    at_home.get_by_role("link", name="Go to my dashboard").click()
    expect(at_home.get_by_role("listitem").filter(has_text="Charles Babbage")).to_be_visible()
    expect(at_home.get_by_role("link", name="Manage")).to_have_count(0)


def test_a_way_there_leads_through_sign_in(visitor: Visitor, clinic: Portal, host: str) -> None:
    """And an account with the launch panel alone has none."""
    session = plan(clinic, host)
    visitor.page.goto(f"{clinic.hub_url}/plan/{session.session_id}/change")
    assert visitor.heading() == "Sign in"
    visitor.page.goto(clinic.issue_login_uri(host, next=f"/plan/{session.session_id}/change"))
    assert visitor.heading() == "Change the session"


# --- every page ----------------------------------------------------------------------------------------------


def _wrong(page: Page) -> None:
    page.locator("form.sheet").evaluate("form => { form.noValidate = true }")
    page.get_by_role("group", name="Person 1").get_by_label("E-mail address").fill(LONG_NAME.replace(" ", ""))
    page.get_by_role("button", name=re.compile("^(Schedule the session|Add them)$")).click()
    expect(page.get_by_role("alert")).to_be_visible()


def _opened(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")


def _reminded_too_often(page: Page) -> None:
    for _ in range(4):
        page.get_by_role("button", name=re.compile("^Remind")).first.click()
        page.wait_for_load_state()
    expect(page.get_by_role("alert")).to_contain_text("had enough reminders")


def _told_by_text_message(page: Page) -> None:
    page.get_by_label("Messages about the session").select_option("By text message")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the number that text messages go to")


PAGES: dict[str, tuple[str, str, Callable[[Page], None] | None]] = {
    "schedule": ("/plan", "Schedule a session", None),
    "schedule wrong": ("/plan", "Schedule a session", _wrong),
    "manage": ("/plan/{session}", LONG_NAME, _opened),
    "manage refused": ("/plan/{session}", LONG_NAME, _reminded_too_often),
    "manage done": ("/plan/{session}?done=planned", LONG_NAME, None),
    "change": ("/plan/{session}/change", "Change the session", None),
    "cancel": ("/plan/{session}/cancel", "Cancel this session?", None),
    "add": ("/plan/{session}/add", "Add participants", None),
    "add wrong": ("/plan/{session}/add", "Add participants", _wrong),
    "person": ("/plan/{session}/participants/{guest}/change", "Change a participant", None),
    "person wrong": ("/plan/{session}/participants/{guest}/change", "Change a participant", _told_by_text_message),
    "rotate": ("/plan/{session}/participants/{guest}/rotate", "Give this person a new link and code?", None),
    "remove": ("/plan/{session}/participants/{guest}/remove", "Remove this person?", None),
    "remind": ("/plan/{session}/participants/{guest}/remind", "Remind this person?", None),
    "somebody else's": ("/plan/{foreign}", "Only the host can do this", None),
}


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize("name", PAGES)
def test_a_page(at_home: Page, clinic: Portal, host: str, name: str) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; it is no dead end."""
    page, (path, heading, then) = at_home, PAGES[name]
    long = Invitee(full_name=LONG_NAME, email=f"{'x' * 60}@{'y' * 60}.example.org", role=ParticipantRole.PRESENTER)
    session = plan(clinic, host, long, title=LONG_NAME)
    foreign = plan(clinic, clinic.create_user()["id"])
    guest = people_of(clinic, session)[1].participant_id

    answer = page.goto(
        clinic.hub_url + path.format(session=session.session_id, guest=guest, foreign=foreign.session_id)
    )

    assert answer is not None
    assert len(answer.body()) < LARGEST_PAGE
    if then is not None:
        then(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_role("main").get_by_role("link").first).to_be_visible()
    assert_looks_right(page)


@pytest.mark.req("H02")
def test_the_form_is_filled_in_by_keyboard_alone(at_home: Page, clinic: Portal, host: str) -> None:
    """Enter in a field means the form's own button, never "More rows"."""
    at_home.goto(f"{clinic.hub_url}/plan")
    at_home.get_by_label("Title").focus()
    at_home.keyboard.type("By keyboard")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url(TO_PAGE)
    (session,) = hosted_by(clinic, host)
    assert session.title == "By keyboard"
    assert 0 < session.starts_at - time.time_ns() // 1_000_000 + 5 * MINUTE <= HOUR + 5 * MINUTE
