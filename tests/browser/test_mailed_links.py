"""Links by mail in a real browser, and what scanners of mails do to them before a person comes: nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.looks import assert_looks_right
from tests.support.mailbox import mailed_links
from tools.local.loopback import loopback_client
from vestibule.domain.guesses import LINKS_FROM_NETWORK, network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Visitor
    from tests.support.portal import HandedOut, Portal
    from tools.local import Stack
    from vestibule.wiring import House

LOOPBACK = "127.0.0.1"
PASSWORD = "correct horse battery staple"
SIGN_IN, CHOOSE = "/sign-in/link", "/sign-in/password"
STAGE_PATH = re.compile(r".*/stage/\d+.*")
REFUSED = "This link no longer works"


@pytest.fixture(scope="module")
def clinic(staged_clinic: Portal) -> Portal:
    return staged_clinic


@pytest.fixture(autouse=True)
def _fresh_address(stack_house: House) -> Generator[None]:
    stack_house.guesses.lift(LINKS_FROM_NETWORK, network_of(LOOPBACK))
    yield
    stack_house.guesses.lift(LINKS_FROM_NETWORK, network_of(LOOPBACK))


class Person:
    """A user of the clinic with a mailbox."""

    def __init__(self, portal: Portal, stack: Stack, handed_out: HandedOut, number: int) -> None:
        self._stack = stack
        self._handed_out = handed_out
        self.portal = portal
        self.name = f"zoe{number}"
        self.email = f"{self.name}@{portal.account.slug}.example"
        self.id = portal.create_user(full_name="Zoë Ångström", username=self.name, email=self.email)["id"]
        self._came = 0

    def link(self) -> str:
        """Wait for the next mail; give its link."""
        links = mailed_links(self._stack, self._handed_out, self.email, count=self._came + 1)
        self._came = len(links)
        return links[-1]

    def ask(self, page: Page, path: str) -> str:
        """Ask for a link on its page; give the link."""
        page.goto(f"{self.portal.hub_url}{path}")
        page.get_by_label("User name or e-mail address").fill(self.email)
        page.get_by_role("button", name="Send me a link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")
        return self.link()


@pytest.fixture
def person(clinic: Portal, stack: Stack, handed_out: HandedOut) -> Person:
    """Somebody new."""
    _numbers.append(len(_numbers))
    return Person(clinic, stack, handed_out, len(_numbers))


_numbers: list[int] = []


def is_on_the_dashboard(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Zoë Ångström")


@pytest.mark.req("L15", "L13", "H02")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_link_instead_of_a_password(
    visitors: Callable[..., Visitor],
    person: Person,
    scripts: bool,  # noqa: FBT001
) -> None:
    """From a page that wanted a sign-in, through the mail, back to that page with all that was asked for."""
    visitor = visitors(java_script_enabled=scripts)
    page = visitor.page
    page.goto(f"{person.portal.hub_url}/dashboard?scrollTo=22222222")
    page.get_by_label("User name or e-mail address").fill(person.name)
    page.get_by_role("button", name="Send me a link instead").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please look into your mailbox")

    page.goto(person.link())
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Lakeside Clinic")
    page.get_by_role("button", name="Sign in").click()

    is_on_the_dashboard(page)
    assert visitor.cookie()
    assert urlsplit(page.url).query == "scrollTo=22222222"
    page.go_back()
    is_on_the_dashboard(page)


@pytest.mark.req("L17", "L14", "H02")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_forgotten_password(
    visitors: Callable[..., Visitor],
    person: Person,
    scripts: bool,  # noqa: FBT001
) -> None:
    visitor = visitors(java_script_enabled=scripts)
    page = visitor.page
    page.goto(f"{person.portal.hub_url}/sign-in?next=%2Fcheck")
    page.get_by_role("link", name="Forgotten or no password yet?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")
    page.get_by_label("User name or e-mail address").fill(person.email)
    page.get_by_role("button", name="Send me a link").click()

    page.goto(person.link())
    page.get_by_label("New password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{person.portal.hub_url}/check")
    visitor.forget()
    page.goto(f"{person.portal.hub_url}/sign-in")
    page.get_by_label("User name or e-mail address").fill(person.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    is_on_the_dashboard(page)


@pytest.mark.req("L09")
def test_a_double_click_signs_in(visitor: Visitor, person: Person) -> None:
    page = visitor.page
    page.goto(person.ask(page, SIGN_IN))
    page.get_by_role("button", name="Sign in").dblclick()
    is_on_the_dashboard(page)
    visitor.cookie()


@pytest.mark.req("L08", "H04")
def test_two_devices_and_one_link(visitors: Callable[..., Visitor], person: Person) -> None:
    """The second says what to do, and that works."""
    first, second = visitors(), visitors()
    link = person.ask(first.page, SIGN_IN)
    for visitor in (first, second):
        visitor.page.goto(link)
    first.page.get_by_role("button", name="Sign in").click()
    is_on_the_dashboard(first.page)
    second.page.get_by_role("button", name="Sign in").click()
    assert second.heading() == REFUSED
    second.page.get_by_role("link", name="Send me a new link").click()
    second.page.goto(person.ask(second.page, SIGN_IN))
    second.page.get_by_role("button", name="Sign in").click()
    is_on_the_dashboard(second.page)
    first.cookie()
    second.cookie()


# --- scanners ---

LOOKS: tuple[tuple[str, dict[str, str]], ...] = (
    ("HEAD", {}),
    ("GET", {}),
    ("GET", {"Sec-Purpose": "prefetch"}),
    ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ("GET", {"Purpose": "prefetch"}),
    ("GET", {"X-Moz": "prefetch"}),
    ("OPTIONS", {}),
)


def scan(browser: Browser, links: list[str]) -> None:
    """Do to links what scanners of mails do: fetch them in every way, run their scripts, follow what they link to.

    Each link has a browser of its own, as scanners come from nowhere; none sends a form.
    """
    with loopback_client() as web:
        for link in links:
            for method, headers in LOOKS:
                web.request(method, link, headers=headers)
    for link in links:
        context = browser.new_context(user_agent="SafeLinks/1.0 (HeadlessChrome)")
        page = context.new_page()
        page.goto(link)
        page.wait_for_load_state("networkidle")
        host = urlsplit(link).netloc
        found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        for address in [one for one in found if urlsplit(one).netloc == host and not urlsplit(one).fragment]:
            page.goto(address)
            page.wait_for_load_state("networkidle")
        page.goto(link)  # they come again
        context.close()


@pytest.mark.req("L05", "S02", "S01", "L19")
def test_after_scanners_every_link_of_a_mail_still_works(
    browser: Browser, visitors: Callable[..., Visitor], person: Person, handed_out: HandedOut
) -> None:
    """A participant's own link, a session's generic one, one that signs in, one to choose a password."""
    # given
    asking = visitors()
    sign_in, choose = person.ask(asking.page, SIGN_IN), person.ask(asking.page, CHOOSE)
    body = {
        "title": "Consultation",
        "host": {"user_id": person.id},
        "starts_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
        "participants": [{"full_name": "Ben Okafor"}],
    }
    session = person.portal.api.post("/v1/sessions", json=body).json()
    personal = session["participants"][1]["personal_link"]
    handed_out.note("personal link", *(p["personal_link"].rpartition("/")[2] for p in session["participants"]))

    # when
    scan(browser, [personal, session["session_link"], sign_in, choose])

    # then
    ben = visitors()
    ben.page.goto(personal)
    expect(ben.page.get_by_text("You come in as Ben Okafor.")).to_be_visible()
    ben.page.get_by_role("button", name="Join the session").click()
    expect(ben.page).to_have_url(STAGE_PATH)
    guest = visitors()
    guest.page.goto(session["session_link"])
    guest.page.get_by_label("Your name").fill("Nora Berg")
    guest.page.get_by_role("button", name="Continue").click()
    guest.page.get_by_role("button", name="Join the session").click()
    expect(guest.page).to_have_url(STAGE_PATH)

    zoe = visitors()
    zoe.page.goto(sign_in)
    zoe.page.get_by_role("button", name="Sign in").click()
    is_on_the_dashboard(zoe.page)
    zoe.forget()
    zoe.page.goto(choose)
    zoe.page.get_by_label("New password").fill(PASSWORD)
    zoe.page.get_by_role("button", name="Save and sign in").click()
    is_on_the_dashboard(zoe.page)
    zoe.cookie()


# --- every page ---

PAGES: dict[str, tuple[Callable[[Person, Page], str], str]] = {
    "sign_in": (lambda person, _: f"{person.portal.hub_url}/sign-in", "Sign in"),
    "ask": (lambda person, _: f"{person.portal.hub_url}{SIGN_IN}", "Sign in by e-mail"),
    "ask_password": (lambda person, _: f"{person.portal.hub_url}{CHOOSE}", "Choose a password"),
    "sent": (lambda person, _: f"{person.portal.hub_url}{SIGN_IN}?sent=1", "Please look into your mailbox"),
    "follow": (lambda person, page: person.ask(page, SIGN_IN), "Sign in to Lakeside Clinic"),
    "choose": (lambda person, page: person.ask(page, CHOOSE), "Choose a password"),
    "refused": (lambda person, _: f"{person.portal.hub_url}{SIGN_IN}/{'x' * 43}", REFUSED),
}


@pytest.mark.req("H01", "H02", "H03", "H04")
@pytest.mark.parametrize("name", PAGES)
def test_a_page(visitor: Visitor, person: Person, name: str) -> None:
    """In light and dark axe finds nothing; no width makes it scroll sideways; it says what to do next."""
    page = visitor.page
    address, heading = PAGES[name]

    page.goto(address(person, page))

    assert visitor.heading() == heading
    main = page.get_by_role("main")
    expect(main.get_by_role("button").or_(main.get_by_role("link")).first).to_be_visible()
    assert_looks_right(page)
