"""Links by mail on the real stack: from the form through stream, queue and carrier to one sign-in, whoever clicks."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.crowd import at_once
from tests.support.mailbox import mailed_links, mails_to
from tests.support.portal import COOKIE, cookie_of
from vestibule import ids
from vestibule.domain.guesses import LINKS_FROM_NETWORK, network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

    from tests.support.portal import HandedOut, Portal
    from tools.local import Stack

PASSWORD = "correct horse battery staple"
CLICKS = 50
AT_ONCE = 6
PASSWORDS = 8
PASSWORDS_AT_ONCE = 4
"""Each is a password's worth of work, on two cores."""
HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def _fresh_address(portal: Portal) -> Generator[None]:
    """Give the tests that share this machine's address all of its requests, before and afterwards."""
    portal.house.guesses.lift(LINKS_FROM_NETWORK, network_of(HERE))
    yield
    portal.house.guesses.lift(LINKS_FROM_NETWORK, network_of(HERE))


class Browser:
    """A browser that has seen a page with a form, and may have a sign-in."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._secret = secrets.token_hex(16)
        self.cookie: str | None = None

    def get(self, address: str) -> httpx.Response:
        """Open a page."""
        return self._portal.hub.get(address, headers=self._headers())

    def post(self, address: str, **fields: str) -> httpx.Response:
        """Send its form."""
        token = ids.keyed_mark(self._secret, "visitor form")
        headers = self._headers() | {"Sec-Fetch-Site": "same-origin"}
        answer = self._portal.hub.post(address, data={"form_token": token, **fields}, headers=headers)
        self.cookie = cookie_of(answer) or self.cookie
        return answer

    def _headers(self) -> dict[str, str]:
        held = f"; {COOKIE}={self.cookie}" if self.cookie else ""
        return {"Cookie": f"{COOKIE}-form={self._secret}{held}"}


@pytest.fixture
def address(portal: Portal) -> str:
    """An address of this test's own."""
    return f"ada@{portal.account.slug}.example"


@pytest.fixture
def inbox(stack: Stack, handed_out: HandedOut, address: str) -> Callable[..., list[str]]:
    """A function that waits for links and gives their paths."""

    def look(count: int = 1) -> list[str]:
        links = (urlsplit(link) for link in mailed_links(stack, handed_out, address, count=count))
        return [link.path + (f"?{link.query}" if link.query else "") for link in links]

    return look


@pytest.mark.req("L15", "L19", "L05", "L04", "S06")
def test_from_the_form_to_the_dashboard(portal: Portal, address: str, inbox: Callable[..., list[str]]) -> None:
    # given
    portal.create_user(username="ada", email=address)
    browser = Browser(portal)
    asked = "/sign-in/link?next=%2Fdashboard&scrollTo=22222222&launch=1"
    assert "Send me a link" in browser.get(asked).text
    # when
    sent = browser.post(asked, name="ADA")
    # then
    assert sent.status_code == 303
    assert "on its way" in browser.get(sent.headers["location"]).text
    (link,) = inbox()
    for method in ("GET", "HEAD"):
        looked = portal.hub.request(method, link, headers={"Sec-Purpose": "prefetch"})
        assert looked.status_code == 200
        assert cookie_of(looked) is None
    answer = browser.post(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard?scrollTo=22222222&launch=1")
    assert browser.cookie is not None
    assert portal.is_signed_in(browser.cookie)
    # and the same browser goes on, another does not
    assert browser.get(link).status_code == 303
    assert Browser(portal).get(link).status_code == 403
    assert Browser(portal).post(link).status_code == 403
    # and who is signed in is not asked
    assert browser.get("/sign-in/link").headers["location"] == "/dashboard"


@pytest.mark.req("L01")
def test_of_50_clicks_by_as_many_browsers_one_signs_in(
    portal: Portal, address: str, inbox: Callable[..., list[str]]
) -> None:
    # given
    portal.create_user(username="ada", email=address)
    Browser(portal).post("/sign-in/link", name=address)
    (link,) = inbox()
    crowd = [Browser(portal) for _ in range(CLICKS)]
    # when
    answers = at_once(lambda browser: browser.post(link), crowd, threads=AT_ONCE)
    # then
    assert Counter(answer.status_code for answer in answers) == {303: 1, 403: CLICKS - 1}
    (winner,) = [browser for browser in crowd if browser.cookie]
    assert winner.cookie is not None
    assert portal.is_signed_in(winner.cookie)


@pytest.mark.req("L17", "L14")
def test_a_password_is_chosen_by_mail_once(portal: Portal, address: str, inbox: Callable[..., list[str]]) -> None:
    # given: somebody signed in, and a forgotten password
    user = portal.create_user(username="ada", email=address, password="forgotten since long ago")
    elsewhere = portal.sign_in(user["id"])
    Browser(portal).post("/sign-in/password", name="ada")
    (link,) = inbox()
    crowd = [Browser(portal) for _ in range(PASSWORDS)]
    assert crowd[0].post(link, password="short").status_code == 422
    # when: all try to choose theirs
    answers = at_once(
        lambda number: crowd[number].post(link, password=f"{PASSWORD} {number}"),
        range(PASSWORDS),
        threads=PASSWORDS_AT_ONCE,
    )
    # then
    assert Counter(answer.status_code for answer in answers) == {303: 1, 403: PASSWORDS - 1}
    ((number, winner),) = [(n, browser) for n, browser in enumerate(crowd) if browser.cookie]
    assert winner.cookie is not None
    assert portal.is_signed_in(winner.cookie)
    assert not portal.is_signed_in(elsewhere)
    assert Browser(portal).post("/sign-in", name="ada", password=f"{PASSWORD} {number}").status_code == 303


@pytest.mark.req("L17")
def test_a_name_that_is_nobodys_gets_the_same_answer_and_no_mail(
    stack: Stack, portal: Portal, address: str, inbox: Callable[..., list[str]]
) -> None:
    portal.create_user(username="ada", email=address)
    browser = Browser(portal)
    answers = [browser.post("/sign-in/link", name=name) for name in ("nobody", f"no-{address}", "ada")]
    assert {(one.status_code, one.headers["location"], one.text) for one in answers} == {
        (303, "/sign-in/link?sent=1", "")
    }
    inbox()
    assert mails_to(stack, f"no-{address}") == []


@pytest.mark.req("L17")
def test_known_and_unknown_names_take_the_same_time(portal: Portal, address: str) -> None:
    """Nothing is looked up while somebody waits, so the two can only differ by chance."""
    portal.create_user(username="ada", email=address)
    browser = Browser(portal)
    spent: dict[str, list[float]] = {"ada": [], "eve": []}
    browser.post("/sign-in/link", name="somebody")
    for _ in range(5):
        for name, times in spent.items():
            began = time.perf_counter()
            assert browser.post("/sign-in/link", name=name).status_code == 303
            times.append(time.perf_counter() - began)
    fastest = {name: min(times) for name, times in spent.items()}
    assert fastest["ada"] < 3 * fastest["eve"]
    assert fastest["eve"] < 3 * fastest["ada"]
