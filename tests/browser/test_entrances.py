"""The ways into a session in a real browser: waiting, opening by itself, going to the stage, and coming back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.support.looks import assert_looks_right
from vestibule.domain.guesses import CODES, network_of
from vestibule.domain.phases import OPENS_BEFORE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page, Playwright

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import HandedOut, Portal
    from tests.support.stack import ChromiumLaunch
    from vestibule.wiring import House

LOOPBACK = "127.0.0.1"
AHEAD_SECONDS = 240
"""How early the early ones are, whose pages' clocks are put forward."""
EARLY_SECONDS = 6
"""The same where none can be: long enough for a page to come and be read, once one like it has come."""
LONG_WORD = "Donaudampfschifffahrt"
UNKNOWN_CODE = "100000001"
PASSWORD = re.compile("The session.s password")
STAGE_PATH = re.compile(r".*/stage/\d+.*")


@pytest.fixture(scope="module")
def clinic(staged_clinic: Portal) -> Portal:
    return staged_clinic


@pytest.fixture(autouse=True)
def _unblocked(stack_house: House) -> Generator[None]:
    """Let the wrong codes of one test block no other."""
    yield
    stack_house.guesses.lift(CODES, network_of(LOOPBACK))


class Plan:
    """A session of the clinic's, with its host and one guest."""

    def __init__(self, portal: Portal, handed_out: HandedOut, *, opens_in: float = -60, **fields: Any) -> None:
        self.portal = portal
        self.host = portal.create_user(full_name="Dr. Mia Lindqvist")
        starts_at = datetime.now(UTC) + timedelta(seconds=opens_in, milliseconds=OPENS_BEFORE)
        body = {
            "title": "Consultation",
            "host": {"user_id": self.host["id"]},
            "starts_at": starts_at.isoformat(),
            "participants": [{"full_name": "Ben Okafor"}],
            **fields,
        }
        answer = portal.api.post("/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        self.session = answer.json()
        self.id = self.session["id"]
        self.as_host, self.guest = self.session["participants"]
        handed_out.note("personal link", *(p["personal_link"].rpartition("/")[2] for p in (self.as_host, self.guest)))
        handed_out.note("passkey", self.guest["passkey"] or "")

    def open_now(self) -> None:
        """Move the session: its doors have been open for a minute."""
        starts_at = datetime.now(UTC) + timedelta(milliseconds=OPENS_BEFORE) - timedelta(minutes=1)
        answer = self.portal.api.patch(f"/v1/sessions/{self.id}", json={"starts_at": starts_at.isoformat()})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def plan(clinic: Portal, handed_out: HandedOut) -> Callable[..., Plan]:
    """A function that plans a session, open since a minute unless told otherwise."""
    return lambda portal=clinic, **fields: Plan(portal, handed_out, **fields)


def join(page: Page) -> None:
    page.get_by_role("button", name="Join the session").click()


@pytest.mark.req("S03", "L15")
def test_who_is_early_sees_the_time_run_down_and_is_taken_in(
    visitor: Visitor, plan: Callable[..., Plan], portal_site: PortalSite
) -> None:
    """By itself, with the launch that the link asked for, and by the vendor's address."""
    visitor.stop_the_clock()
    page = visitor.page
    early = plan(opens_in=AHEAD_SECONDS)

    page.goto(f"{early.portal.hub_url}/Pass/Join/{early.guest['connect_code']}?launch=1")

    expect(page.get_by_role("timer")).to_be_visible()
    expect(page.get_by_role("timer")).to_contain_text("s")
    expect(page.get_by_text("The session then starts without a click.")).to_be_visible()
    early.open_now()
    page.clock.fast_forward(AHEAD_SECONDS * 1_000)
    expect(page).to_have_url(STAGE_PATH)
    assert page.url.startswith(f"{portal_site.url}/stage/{early.id}?role=attendee#grant=ey")
    assert "referer" not in portal_site.visit_of(f"/stage/{early.id}?role=attendee")


@pytest.mark.req("S03", "R01")
def test_who_is_offline_when_the_doors_open_goes_in_later(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    """As a telephone that has just woken up: the page stays, and tries until it gets through."""
    visitor.expected.append("net::ERR_INTERNET_DISCONNECTED")
    visitor.stop_the_clock()
    page = visitor.page
    later = plan(opens_in=1_200)
    page.goto(f"{later.guest['personal_link']}?launch=1")
    expect(page.get_by_role("timer")).to_contain_text("min")

    visitor.context.set_offline(True)
    for passed in ("21:00", "00:05"):
        with page.expect_event("requestfailed"):
            page.clock.fast_forward(passed)
    assert visitor.heading() == "Consultation"
    later.open_now()
    visitor.context.set_offline(False)
    page.clock.fast_forward("00:10")

    expect(page).to_have_url(STAGE_PATH)


@pytest.mark.req("L15")
def test_a_logo_that_never_comes_keeps_nobody_out(
    visitor: Visitor, plan: Callable[..., Plan], open_portal: Callable[..., Portal], portal_site: PortalSite
) -> None:
    """What starts once the page is there does not wait for it."""
    slow = open_portal(
        redirect_uris=[],
        logo_url=f"{portal_site.url}/slow.svg",
        stage={"kind": "url", "url": f"{portal_site.url}/stage/{{session_id}}#grant={{grant}}", "in_place": False},
    )
    planned = plan(slow)
    visitor.page.route("**/slow.svg", lambda _: None)  # neither answered nor refused

    visitor.page.goto(f"{planned.guest['join_link']}?launch=1", wait_until="commit")

    expect(visitor.page).to_have_url(STAGE_PATH)
    visitor.page.unroute_all()


@pytest.mark.req("L15")
def test_an_older_browser_goes_in_as_well(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    visitor.grow_old()
    visitor.page.goto(f"{plan().guest['join_link']}?launch=1")
    expect(visitor.page).to_have_url(STAGE_PATH)


@pytest.mark.req("S03")
def test_without_launch_the_doors_open_and_wait_for_a_click(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    visitor.stop_the_clock()
    page = visitor.page
    early = plan(opens_in=AHEAD_SECONDS)
    page.goto(early.guest["join_link"])
    assert visitor.heading() == "Consultation"
    expect(page.get_by_role("timer")).to_be_visible()
    early.open_now()
    page.clock.fast_forward(AHEAD_SECONDS * 1_000)

    expect(page.get_by_role("heading", name="The doors are open")).to_be_visible()
    join(page)

    expect(page).to_have_url(STAGE_PATH)


@pytest.mark.req("S03")
def test_whoever_waits_hears_that_the_session_is_cancelled(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    """At the next look, which the page takes by itself."""
    visitor.stop_the_clock()
    page = visitor.page
    later = plan(opens_in=1_200)
    page.goto(later.guest["personal_link"])
    expect(page.get_by_role("timer")).to_contain_text("min")

    later.portal.api.delete(f"/v1/sessions/{later.id}")
    page.clock.fast_forward(31_000)

    expect(page.get_by_role("heading", level=1)).to_have_text("This session was cancelled")


@pytest.mark.req("S03", "L15")
def test_a_wrong_passkey_can_be_mended_and_launch_survives(
    visitor: Visitor, plan: Callable[..., Plan], open_portal: Callable[..., Portal], portal_site: PortalSite
) -> None:
    page = visitor.page
    strict = open_portal(
        require_passkey=True,
        redirect_uris=[],
        stage={
            "kind": "url",
            "url": f"{portal_site.url}/stage/{{session_id}}#grant={{grant}}",
            "in_place": False,
        },
    )
    planned = plan(strict)

    page.goto(f"{planned.guest['join_link']}?passkey=4cfbab43-93bf-4af2-ad66-f539133d0d41&launch=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("This is not the passkey")
    page.get_by_label("Passkey").fill(f" {planned.guest['passkey']} ")
    page.get_by_role("button", name="Continue").click()

    expect(page).to_have_url(STAGE_PATH)


@pytest.mark.req("S04", "H04")
def test_a_mistyped_code_is_typed_once_more(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    page = visitor.page
    planned = plan()
    page.goto(f"{planned.portal.hub_url}/join/{UNKNOWN_CODE}")
    expect(page.get_by_role("heading", level=1)).to_have_text("This code opens nothing")

    code = planned.guest["connect_code"]
    page.get_by_label("Your code").fill(f"{code[:3]} {code[3:6]}-{code[6:]}")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Consultation")
    expect(page).to_have_url(planned.guest["join_link"])


@pytest.mark.req("S02", "L15")
def test_a_personal_link_opens_as_often_as_one_likes_and_back_starts_nothing(
    visitor: Visitor, plan: Callable[..., Plan]
) -> None:
    """Launch, back, reload, and in again by a click."""
    page = visitor.page
    planned = plan()
    link = planned.guest["personal_link"]

    page.goto(f"{link}?launch=1")
    expect(page).to_have_url(STAGE_PATH)
    page.go_back()
    expect(page).to_have_url(link)
    expect(page.get_by_role("button", name="Join the session")).to_be_visible()
    page.reload()
    expect(page).to_have_url(link)
    page.wait_for_load_state("networkidle")
    expect(page).to_have_url(link)
    join(page)
    expect(page).to_have_url(STAGE_PATH)

    # and the same link once more, in another tab
    other = visitor.new_tab()
    other.goto(link)
    assert visitor.heading(other) == "Consultation"


@pytest.mark.req("S02")
def test_a_stage_sends_its_visitor_back_to_the_session(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    page = visitor.page
    planned = plan()
    page.goto(planned.guest["personal_link"])
    join(page)
    expect(page).to_have_url(STAGE_PATH)

    page.goto(planned.session["session_link"])

    expect(page.get_by_text("You come in as Ben Okafor.")).to_be_visible()


@pytest.mark.req("S01")
def test_a_guest_gives_a_name_and_the_sessions_password(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    page = visitor.page
    planned = plan(password="open sesame", friendly_url="annual-review")

    page.goto(f"{planned.portal.hub_url}/go/{planned.portal.account.slug}/annual-review?launch=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Join the session")
    page.get_by_label("Your name").fill("Zoë Grün")
    page.get_by_label(PASSWORD).fill("open says me")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the session")
    expect(page.get_by_label("Your name")).to_have_value("Zoë Grün")
    page.get_by_label(PASSWORD).fill("open sesame")
    page.get_by_role("button", name="Continue").click()

    expect(page).to_have_url(STAGE_PATH)
    page.go_back()
    expect(page.get_by_text("You come in as Zoë Grün.")).to_be_visible()


@pytest.mark.req("S01", "L18")
def test_somebody_who_is_signed_in_confirms_with_one_click(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    """A participant not even that, when launch is asked for."""
    page = visitor.page
    planned = plan()
    visitor.arrive(planned.portal, planned.portal.create_user(full_name="Nora Berg")["id"])
    page.goto(f"{planned.session['session_link']}?launch=1")
    expect(page.get_by_text("You are not on the list of this session")).to_be_visible()
    join(page)
    expect(page).to_have_url(STAGE_PATH)

    visitor.arrive(planned.portal, planned.host["id"])
    page.goto(planned.session["session_link"])
    expect(page.get_by_text("You come in as Dr. Mia Lindqvist, the host.")).to_be_visible()
    page.goto(f"{planned.session['session_link']}?launch=1")
    expect(page).to_have_url(re.compile(r".*/stage/\d+\?role=host#grant=.*"))


@pytest.mark.req("L15")
def test_an_application_is_never_opened_without_a_click(
    visitor: Visitor, plan: Callable[..., Plan], open_portal: Callable[..., Portal]
) -> None:
    visitor.expected.append("Failed to launch 'vestibule-test:")
    page = visitor.page
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    outside = open_portal(redirect_uris=[], stage={"kind": "url", "url": "vestibule-test://join?grant={grant}"})
    planned = plan(outside)

    page.goto(f"{planned.guest['personal_link']}?launch=1")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("your browser lets only you start one")).to_be_visible()
    assert posted == []
    with page.expect_response(lambda response: response.request.method == "POST") as answered:
        join(page)

    assert answered.value.json()["url"].startswith("vestibule-test://join?grant=ey")
    expect(page.get_by_role("heading", level=1)).to_have_text("Consultation")


@pytest.mark.req("H02", "S02")
def test_without_scripts_a_button_leads_to_the_stage(
    visitors: Callable[..., Visitor], plan: Callable[..., Plan]
) -> None:
    page = visitors(java_script_enabled=False).page
    planned = plan()

    page.goto(f"{planned.guest['join_link']}?launch=1")
    join(page)

    expect(page).to_have_url(STAGE_PATH)


@pytest.mark.req("H02")
def test_without_scripts_the_waiting_room_opens_by_itself(
    visitors: Callable[..., Visitor], plan: Callable[..., Plan]
) -> None:
    page = visitors(java_script_enabled=False).page
    page.goto(plan(opens_in=7_200).guest["personal_link"])  # the first page of a function takes longest
    early = plan(opens_in=EARLY_SECONDS)

    page.goto(early.guest["personal_link"])
    expect(page.get_by_role("link", name="Look again")).to_be_visible()

    expect(page.get_by_role("button", name="Join the session")).to_be_visible()


@pytest.mark.req("H02")
def test_joining_works_by_keyboard(visitor: Visitor, plan: Callable[..., Plan]) -> None:
    page = visitor.page
    page.goto(plan().guest["personal_link"])
    focus = page.locator(":focus")
    for _ in range(8):
        page.keyboard.press("Tab")
        assert focus.evaluate("one => getComputedStyle(one).outlineStyle") != "none"
        if focus.inner_text() == "Join the session":
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(STAGE_PATH)


@pytest.mark.req("S07")
def test_times_are_shown_in_the_visitors_own_zone(visitors: Callable[..., Visitor], plan: Callable[..., Plan]) -> None:
    page = visitors(timezone_id="Asia/Tokyo", locale="en-GB").page
    planned = plan(opens_in=3_600, time_zone="Europe/Berlin")
    page.goto(planned.guest["personal_link"])
    expect(page.locator(".when")).to_contain_text("(Asia/Tokyo)")
    starts_at = datetime.fromisoformat(planned.session["starts_at"])
    opens_at = (starts_at - timedelta(milliseconds=OPENS_BEFORE)).astimezone(ZoneInfo("Asia/Tokyo"))
    expect(page.get_by_role("heading", name=f"The doors open at {opens_at:%H:%M}")).to_be_visible()


# --- the device test ---


@pytest.fixture(scope="module")
def with_devices(playwright: Playwright, whole_chromium: ChromiumLaunch) -> Generator[Browser]:
    """A Chromium whose camera and microphone are made up; it asks its user, as any other does."""
    launched = playwright.chromium.launch(
        executable_path=whole_chromium["executable_path"],
        args=[*whole_chromium["args"], "--use-fake-device-for-media-stream"],
    )
    yield launched
    launched.close()


@pytest.mark.req("H04")
def test_camera_and_microphone_are_tested_before_the_time(with_devices: Browser, clinic: Portal) -> None:
    context = with_devices.new_context(permissions=["camera", "microphone"])
    page = context.new_page()
    page.goto(f"{clinic.hub_url}/check")
    expect(page.get_by_text("Your browser can do everything that a session needs.")).to_be_visible()

    page.get_by_role("button", name="Start the test").click()

    expect(page.get_by_text("Your camera works:")).to_be_visible()
    expect(page.get_by_text("Your microphone works:")).to_be_visible()
    expect(page.locator("video")).not_to_have_js_property("videoWidth", 0)
    expect(page.locator("meter")).not_to_have_js_property("value", 0)  # Chromium's made-up one beeps
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("video")).to_be_hidden()
    expect(page.get_by_role("button", name="Start the test")).to_be_focused()
    context.close()


@pytest.mark.req("H04")
def test_who_refused_the_camera_is_told_how_to_allow_it(with_devices: Browser, clinic: Portal) -> None:
    context = with_devices.new_context()
    page = context.new_page()
    page.goto(f"{clinic.hub_url}/check")

    page.get_by_role("button", name="Start the test").click()

    expect(page.get_by_text("Choose the sign beside the address")).to_be_visible()
    context.close()


def test_a_missing_camera_does_not_hide_a_microphone(with_devices: Browser, clinic: Portal) -> None:
    context = with_devices.new_context(permissions=["microphone", "camera"])
    page = context.new_page()
    page.add_init_script(
        """const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (asked) =>
          asked.video ? Promise.reject(new DOMException("none", "NotFoundError")) : real(asked);"""
    )
    page.goto(f"{clinic.hub_url}/check")
    page.get_by_role("button", name="Start the test").click()
    expect(page.get_by_text("No camera was found.")).to_be_visible()
    expect(page.get_by_text("Your microphone works:")).to_be_visible()
    context.close()


# --- every page ---


PAGES: dict[str, tuple[Callable[[Callable[..., Plan]], str], str, str]] = {
    "waiting": (lambda plan: plan(opens_in=7_200).guest["personal_link"], "Consultation", "Test camera and microphone"),
    "open": (lambda plan: plan().guest["join_link"], "Consultation", "Test camera and microphone"),
    "long": (
        lambda plan: plan(title=LONG_WORD * 8).guest["join_link"],
        "Donaudampfschifffahrt",
        "The doors are open",
    ),
    "host": (lambda plan: plan().as_host["personal_link"], "Consultation", "The doors are open"),
    "code": (lambda plan: f"{plan().portal.hub_url}/join", "Join with your code", ""),
    "unknown_code": (
        lambda plan: f"{plan().portal.hub_url}/join/{UNKNOWN_CODE}",
        "This code opens nothing",
        "",
    ),
    "malformed_code": (lambda plan: f"{plan().portal.hub_url}/join/12", "This code opens nothing", ""),
    "come_in": (lambda plan: plan(password="open sesame").session["session_link"], "Join the session", "Sign in"),
    "unknown_session": (
        lambda plan: f"{plan().portal.hub_url}/s/99999999",
        "There is no such session",
        "I have a code",
    ),
    "personal_refused": (lambda plan: f"{plan().portal.hub_url}/p/x", "This link no longer works", "I have a code"),
    "cancelled": (lambda plan: _cancelled(plan()), "This session was cancelled", "Go to Lakeside Clinic"),
    "check": (lambda plan: f"{plan().portal.hub_url}/check", "Test camera and microphone", ""),
}


def _cancelled(planned: Plan) -> str:
    planned.portal.api.delete(f"/v1/sessions/{planned.id}")
    return str(planned.session["session_link"])


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize("name", PAGES)
def test_a_page(visitor: Visitor, plan: Callable[..., Plan], name: str) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; it says what to do next."""
    page = visitor.page
    address, heading, offer = PAGES[name]

    page.goto(address(plan))

    assert visitor.heading().startswith(heading)
    main = page.get_by_role("main")
    if offer:
        link, title = main.get_by_role("link", name=offer, exact=True), main.get_by_role("heading", name=offer)
        expect(link.or_(title)).to_be_visible()
    else:
        expect(main.get_by_role("button")).to_be_visible()
    assert_looks_right(page)
