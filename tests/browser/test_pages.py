"""Every page of the hub as people meet it: readable, operable, safe, and never a dead end."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.looks import assert_looks_right, overflow
from tests.support.proxy import calls_of
from vestibule.clock import MINUTE
from vestibule.domain.guesses import PASSWORDS_OF_USER
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tools.local import Stack

NOBODYS_SLUG = "nobody-at-home"
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft Hauptverwaltung"


class Tour:
    """Leads a visitor to any page of the hub.

    Parameters
    ----------
    panel_clinic
        An account that shows single sessions only.
    until_left
        Holds what has to stay in place as long as the page is looked at.
    """

    def __init__(
        self,
        visitor: Visitor,
        clinic: Portal,
        *,
        site: PortalSite,
        stack: Stack,
        aws: AwsProxy,
        until_left: ExitStack,
        panel_clinic: Portal,
    ) -> None:
        self._panel_clinic = panel_clinic
        self._visitor = visitor
        self._page = visitor.page
        self._clinic = clinic
        self._site = site
        self._stack = stack
        self._aws = aws
        self._until_left = until_left

    def dashboard(self) -> None:
        """The dashboard of somebody who has just arrived."""
        self._visitor.arrive(self._clinic, self._clinic.create_user(full_name=LONG_NAME)["id"])

    def dashboard_with_notices(self) -> None:
        """The dashboard with everything that it may have to say."""
        self._visitor.arrive(self._clinic)
        self._open("/Dashboard/P/33445566?scrollTo=22222222&switched=1")

    def dashboard_with_sessions(self) -> None:
        """The dashboard of somebody with sessions in several states, one of them named by the link."""
        user, _ = self._with_sessions(self._clinic)
        self._visitor.arrive(self._clinic, user)
        named = self._page.locator(".session").nth(1).get_attribute("id") or ""
        self._open(f"/dashboard?scrollTo={named.removeprefix('session-')}")

    def launch_panel(self) -> None:
        """One session and nothing else."""
        user, session_id = self._with_sessions(self._panel_clinic)
        self._visitor.arrive(self._panel_clinic, user)
        self._page.goto(f"{self._panel_clinic.hub_url}/dashboard?scrollTo={session_id}")

    def panel_only(self) -> None:
        """The dashboard of an account that shows single sessions only."""
        self._visitor.arrive(self._panel_clinic)

    def sign_in_wrong(self) -> None:
        """A name and a password that do not belong together."""
        self._open("/dashboard")
        self._page.get_by_label("User name or e-mail address").fill("ada")
        self._page.get_by_label("Password").fill("not this one")
        self._page.get_by_role("button", name="Sign in").click()
        expect(self._page.get_by_role("alert")).to_be_visible()

    def sign_in_wait(self) -> None:
        """Too many of them."""
        with suppress(BlockedError):
            while True:
                self._clinic.house.guesses.count(PASSWORDS_OF_USER, self._clinic.account_id, "nobody|guessing")
        self._open("/sign-in")
        self._page.get_by_label("User name or e-mail address").fill("guessing")
        self._page.get_by_label("Password").fill("once more")
        self._page.get_by_role("button", name="Sign in").click()
        expect(self._page.get_by_role("heading", name="Please wait a little")).to_be_visible()

    def _with_sessions(self, portal: Portal) -> tuple[str, str]:
        """Give a host with sessions, and the id of the last one."""
        user, guest = portal.create_user()["id"], portal.create_user(full_name=LONG_NAME)["id"]
        now = time.time_ns() // 1_000_000
        planned = [
            portal.house.sessions.create(
                portal.account_id,
                HostRef(user_id=user),
                {"title": title, "starts_at": now + minutes * MINUTE, "time_zone": "America/Argentina/Buenos_Aires"},
                [Invitee(user_id=guest)],
            )[0]
            for minutes, title in ((0, "Running"), (10, LONG_NAME), (3_000, "Upcoming"))
        ]
        return user, planned[-1].session_id

    def link_refused(self) -> None:
        """A login URI that is no good."""
        self._open(f"/login/{'0' * 32}")
        expect(self._page.get_by_role("status")).to_be_empty()  # it has looked twice

    def sign_in(self) -> None:
        """Nobody is signed in."""
        self._open("/dashboard")

    def expired(self) -> None:
        """A sign-in has ended by time."""
        self._open("/sign-in?expired=1")

    def signed_out(self) -> None:
        """A sign-in was ended by its person."""
        self._open("/sign-in?signed_out=1")

    def signed_out_and_going_on(self) -> None:
        """The page between the button and the portal, which takes its time."""
        self._visitor.arrive(self._clinic, redirect_to_uri_on_expiry=f"{self._site.url}/slow")
        self._page.route("**/slow", lambda route: route.fulfill(status=204))
        self._until_left.callback(self._page.unroute_all)
        self._page.get_by_role("button", name="Sign out").click()
        expect(self._page.get_by_role("heading", name="You are signed out")).to_be_visible()

    def form_refused(self) -> None:
        """A form without its token."""
        self._visitor.arrive(self._clinic)
        self._page.locator("[name=form_token]").evaluate("field => { field.value = 'x' }")
        self._page.get_by_role("button", name="Sign out").click()
        expect(self._page.get_by_role("heading", name="Please do that once more")).to_be_visible()

    def not_found(self) -> None:
        """No page of the hub."""
        self._open("/no/such/page")

    def nobodys_host(self) -> None:
        """The host of an account that does not exist."""
        self._page.goto(self._stack.register_hub_host(NOBODYS_SLUG))

    def bare_host(self) -> None:
        """The hub's host without an account's name."""
        self._page.goto(self._stack.hub_origin.replace("{slug}.", "") + "/dashboard")

    def unavailable(self) -> None:
        """DynamoDB is away."""
        self._visitor.arrive(self._clinic)
        failing = calls_of(service="dynamodb", action="BatchGetItem", function="DashboardFunction")
        with self._aws.fail(failing, "InternalServerError", status=500, times=3):
            self._open("/dashboard")

    def _open(self, path: str) -> None:
        self._page.goto(self._clinic.hub_url + path)


# Page -> its h1, and what it offers next: a link in its main part, or a heading there.
PAGES = {
    "dashboard": (f"Hello, {LONG_NAME}", "Your privacy"),
    "dashboard_with_notices": ("Hello, Ada Lovelace", "Your privacy"),
    "dashboard_with_sessions": ("Hello, Ada Lovelace", "Your privacy"),
    "launch_panel": ("Upcoming", "Upcoming"),
    "panel_only": ("Please open your session", "What to do now"),
    "sign_in_wrong": ("Sign in", "Go to Lakeside Clinic"),
    "sign_in_wait": ("Please wait a little", "Try again"),
    "link_refused": ("This sign-in link no longer works", "Go to Lakeside Clinic"),
    "sign_in": ("Sign in", "Go to Lakeside Clinic"),
    "expired": ("You have been signed out", "Go to Lakeside Clinic"),
    "signed_out": ("You are signed out", "Go to Lakeside Clinic"),
    "signed_out_and_going_on": ("You are signed out", "Continue"),
    "form_refused": ("Please do that once more", "Back to the page"),
    "not_found": ("There is no page here", "Go to my dashboard"),
    "nobodys_host": ("Which organisation are you looking for?", "How to find it"),
    "bare_host": ("Which organisation are you looking for?", "How to find it"),
    "unavailable": ("Please try again in a moment", "Try again"),
}


@pytest.fixture(scope="module")
def panel_clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account that shows single sessions only."""
    return open_portal(name="Panel Clinic", launch_panel_only=True)


@pytest.fixture
def tour_of(
    clinic: Portal, panel_clinic: Portal, portal_site: PortalSite, stack: Stack, aws: AwsProxy
) -> Generator[Callable[[Visitor], Tour]]:
    """A function that makes a visitor's tour."""
    with ExitStack() as until_left:
        yield lambda visitor: Tour(
            visitor,
            clinic,
            site=portal_site,
            stack=stack,
            aws=aws,
            until_left=until_left,
            panel_clinic=panel_clinic,
        )


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize("name", PAGES)
def test_a_page(visitors: Callable[..., Visitor], tour_of: Callable[[Visitor], Tour], name: str) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; it says what to do next.

    That it keeps its own Content-Security-Policy and has its headers, `visitors` checks.
    """
    visitor = visitors()
    page = visitor.page
    heading, offer = PAGES[name]

    getattr(tour_of(visitor), name)()

    assert visitor.heading() == heading
    main = page.get_by_role("main")
    offered = main.get_by_role("link", name=offer, exact=True).or_(main.get_by_role("heading", name=offer, exact=True))
    expect(offered).to_be_visible()
    assert_looks_right(page)


@pytest.mark.req("H03")
def test_a_page_shows_whose_it_is(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """Name, logo, colours and navigation of the account, on the dashboard as on a refusal."""
    visitor.arrive(clinic)
    page = visitor.page
    band = page.get_by_role("banner")

    for path in ("/dashboard", f"/login/{'0' * 32}"):
        page.goto(clinic.hub_url + path)
        logo = band.locator("img")
        assert page.title().endswith(" – Lakeside Clinic")  # noqa: RUF001 - the dash is meant
        expect(logo).to_have_js_property("naturalWidth", 120)
        assert band.evaluate("band => getComputedStyle(band).backgroundColor") == "rgb(20, 33, 61)"
        links = band.get_by_role("navigation", name="Lakeside Clinic").get_by_role("link")
        assert links.all_inner_texts() == ["Appointments", "Help"]
        assert [link.get_attribute("href") for link in links.all()] == [
            f"{portal_site.url}/appointments",
            f"{portal_site.url}/help",
        ]
    button = page.get_by_role("link", name="Go to Lakeside Clinic")
    assert button.evaluate("button => getComputedStyle(button).backgroundColor") == "rgb(122, 31, 75)"
    band.get_by_role("link", name="Help").click()
    expect(page).to_have_url(f"{portal_site.url}/help")


@pytest.mark.req("H03")
def test_a_logo_that_does_not_come_leaves_the_name(
    visitor: Visitor, open_portal: Callable[..., Portal], portal_site: PortalSite
) -> None:
    """The page does not wait for it."""
    visitor.expected.append("net::ERR_FAILED")
    lost = open_portal(name="Seaside Studio", logo_url=f"{portal_site.url}/gone.svg")
    visitor.page.route("**/gone.svg", lambda route: route.abort())

    visitor.page.goto(f"{lost.hub_url}/sign-in")

    expect(visitor.page.get_by_role("banner").get_by_text("Seaside Studio")).to_be_visible()
    visitor.page.unroute_all()


@pytest.mark.req("H04")
def test_an_account_without_a_portal_address_still_says_what_to_do(visitor: Visitor, plain_clinic: Portal) -> None:
    """In words, where there is no link to offer."""
    page = visitor.page
    page.goto(f"{plain_clinic.hub_url}/login/{'0' * 32}")
    expect(page.get_by_role("main")).to_contain_text("Go back to the website or app that you came from")

    page.goto(f"{plain_clinic.hub_url}/sign-in")
    expect(page.get_by_role("main")).to_contain_text("Open your session on the website or app of Hillside School.")


@pytest.mark.req("H02")
def test_the_dashboard_works_by_keyboard(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """In the order in which it is read, with a focus that can be seen, to the very sign-out."""
    visitor.arrive(clinic, redirect_to_uri_on_expiry=f"{portal_site.url}/bye")
    page = visitor.page
    focus = page.locator(":focus")

    page.keyboard.press("Tab")
    expect(focus).to_have_text("Skip to the content")
    expect(focus).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.goto(f"{clinic.hub_url}/dashboard")  # from its beginning: a reload would go on at #main
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(focus.inner_text())
        assert focus.evaluate("one => getComputedStyle(one).outlineStyle") != "none", reached
    page.keyboard.press("Enter")

    assert reached == ["Skip to the content", "Lakeside Clinic", "Appointments", "Help", "Sign out"]
    expect(page).to_have_url(f"{portal_site.url}/bye")


@pytest.mark.req("H02")
def test_the_refusal_works_by_keyboard(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """To the portal and back."""
    visitor.page.goto(f"{clinic.hub_url}/login/{'0' * 32}")
    visitor.page.get_by_role("link", name="Help").focus()

    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("main").get_by_role("link", name="Go to Lakeside Clinic")).to_be_focused()
    visitor.page.keyboard.press("Enter")

    expect(visitor.page).to_have_url(f"{portal_site.url}/")


@pytest.mark.req("H02")
def test_the_main_job_works_without_scripts(
    visitors: Callable[..., Visitor], clinic: Portal, portal_site: PortalSite
) -> None:
    """Arrive, look, be refused, go on."""
    visitor = visitors(java_script_enabled=False)
    page = visitor.page
    uri = clinic.issue_login_uri()

    page.goto(uri)
    assert visitor.heading() == "Hello, Ada Lovelace"
    page.goto(f"{clinic.hub_url}/login/{'0' * 32}?scrollTo=5")
    expect(page).to_have_url(f"{clinic.hub_url}/login/{'0' * 32}?scrollTo=5&again=1")  # looked twice, not for ever
    assert visitor.heading() == "This sign-in link no longer works"
    page.get_by_role("link", name="I am signed in already").click()
    expect(page).to_have_url(f"{clinic.hub_url}/dashboard?scrollTo=5")
    page.get_by_role("contentinfo").get_by_role("link", name="Back to Lakeside Clinic").click()
    expect(page).to_have_url(f"{portal_site.url}/")


@pytest.mark.req("H01")
def test_no_page_is_framed(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """Not by a site of the account's own list, and not with somebody signed in."""
    visitor.expected += ["frame-ancestors", "X-Frame-Options", "chrome-error://"]
    visitor.arrive(clinic)

    visitor.page.goto(portal_site.show("/frame", f'<iframe src="{clinic.hub_url}/dashboard"></iframe>'))

    # Chromium's own error page, which may not be looked into.
    visitor.page.frames[1].wait_for_url("chrome-error://**", wait_until="commit")


@pytest.mark.req("H01")
def test_a_page_is_no_tool_of_who_opened_it(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """Its opener loses hold of it."""
    visitor.arrive(clinic)
    visitor.page.goto(portal_site.show("/opener", "<h1>Portal</h1>"))

    with visitor.page.expect_popup() as popup:
        visitor.page.evaluate("address => { window.opened = window.open(address) }", f"{clinic.hub_url}/dashboard")

    expect(popup.value.get_by_role("heading", level=1)).to_have_text("Hello, Ada Lovelace")
    assert visitor.page.evaluate("window.opened.closed") is True
    assert popup.value.evaluate("window.opener") is None


@pytest.mark.req("H01", "H02", "H04")
def test_what_the_gateway_refuses_is_a_page_too(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """A wrong method never reaches a function; the page holds to the same rules, its policy too."""
    form = f'<form method="post" action="{clinic.hub_url}/dashboard"><button>Send</button></form>'
    visitor.page.goto(portal_site.show("/wrong-method", form))

    visitor.page.get_by_role("button", name="Send").click()

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("This did not work")
    expect(visitor.page.get_by_text("Please go back and try once more.")).to_be_visible()
    assert visitor.documents == [(405, f"{clinic.hub_url}/dashboard")]
    assert overflow(visitor.page) == 0


@pytest.mark.req("H01")
def test_a_script_is_kept_and_is_nothing_else(clinic: Portal) -> None:
    """Under its hash for a year; under another one not at all; and no other file is there."""
    page = clinic.hub.get(f"/login/{'0' * 32}").text
    path = page.partition('src="')[2].partition('"')[0]

    kept = clinic.hub.get(path)
    older = clinic.hub.get(path.replace(path.split(".")[1], "000000000000"))
    none = clinic.hub.get("/static/render.000000000000.py")

    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/javascript; charset=utf-8"
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert (older.status_code, older.text, older.headers["cache-control"]) == (200, kept.text, "no-cache")
    assert none.status_code == 404
