"""The sign-in page: a name and a password, and the way that goes on where it was interrupted."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.support.events import header, json_of
from tests.support.house import add_user, open_account
from tests.support.visits import Browser, form_token, text_of
from vestibule.clock import MINUTE
from vestibule.domain.guesses import PASSWORDS_OF_USER
from vestibule.http.hub.visit import FORM_COOKIE
from vestibule.model import Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, User
    from vestibule.wiring import House

RIGHT = "correct horse battery"
WRONG = "incorrect horse battery"
REFUSAL = "The name or the password is not right."
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "https://clinic.hub.vestibule.example"}
pytestmark = pytest.mark.usefixtures("light_hashes")


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, username="maria", email="maria@example.org", password=RIGHT)


@pytest.fixture
def browser(function: LoadFunction, account: Account, user: User) -> Browser:
    assert user.account_id == account.account_id
    return Browser(function)


def sign_in(browser: Browser, address: str = "/sign-in", *, name: str = "maria", password: str = RIGHT) -> Any:
    return browser.post(address, browser.ask(address), name=name, password=password)


def form_action(page: dict[str, Any]) -> str:
    """Return the address that a page's form is sent to."""
    return unescape(page["body"].partition('<form class="fields" method="post" action="')[2].partition('"')[0])


def query_of(address: str | None) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address or "").query))


# --- in ---


@pytest.mark.req("L17", "L06", "L13")
def test_name_and_password_sign_in(browser: Browser, user: User) -> None:
    # when
    answer = sign_in(browser)
    # then
    assert (answer["statusCode"], header(answer, "location")) == (303, "/dashboard")
    assert header(answer, "cache-control") == "no-store"
    (cookie,) = answer["multiValueHeaders"]["Set-Cookie"]
    assert cookie.startswith("__Host-vestibule=")
    for rule in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age="):
        assert rule in cookie
    assert user.full_name in text_of(browser.ask("/dashboard"))


@pytest.mark.req("L15")
@pytest.mark.parametrize(
    "asked",
    [
        "/dashboard?scrollTo=22222222&launch=1",
        "/Dashboard/P/33445566?launch=1&scrollTo=22222222",
        "/providers/dashboard?SCROLLTO=22222222&Launch=1&passkey=4cfbab43",
        "/Account/Login?scrollTo=22222222&launch=1",
        "/sign-in?launch=1&next=%2Fdashboard%3FscrollTo%3D22222222",
        "/sign-in?passkey=x%26y&next=%2FDashboard%2FP%2F3%3FscrollTo%3D22222222%26launch%3D1",
    ],
)
def test_wrong_passwords_on_the_way_lose_nothing(browser: Browser, asked: str) -> None:
    # given: what the person follows leads to the sign-in page
    answer = browser.ask(asked)
    for _ in range(3):
        if answer["statusCode"] != 303:
            break
        address = header(answer, "location") or ""
        answer = browser.ask(address)
    assert answer["statusCode"] == 200
    # when: wrong, wrong by another name, right
    for name, password in (("maria", WRONG), ("nobody", RIGHT), ("maria", RIGHT)):
        answer = browser.post(form_action(answer), answer, name=name, password=password)
    # then
    target = header(answer, "location") or ""
    assert target.partition("?")[0] == "/dashboard"
    assert query_of(target)["scrollTo" if "SCROLLTO" not in asked else "SCROLLTO"] == "22222222"
    assert {name.lower() for name in query_of(target)} >= {"scrollto", "launch"}
    assert ("passkey" in asked) is ("passkey" in query_of(target))


@pytest.mark.req("S01", "L07")
@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("/sign-in?next=%2Fs%2F22222222", "/s/22222222"),
        ("/sign-in?next=%2Fs%2F22222222%3Flaunch%3D1%26scrollTo%3D7", "/s/22222222?launch=1&scrollTo=7"),
        ("/sign-in?next=%2FS%2F22222222%2F%3Flaunch%3D1", "/s/22222222?launch=1"),
        ("/sign-in?next=%2Fs%2F22222222&launch=1&utm=x", "/s/22222222?launch=1"),
        ("/sign-in?next=%2Fs%2F22222222%3Fkept%3Da%2526b%2520c", "/s/22222222?kept=a%26b+c"),
        ("/Account/Login?next=%2Fs%2F22222222%3Flaunch%3D1", "/s/22222222?launch=1"),
        ("/sign-in?next=%2Fgo%2Fclinic%2FMonday%3Flaunch%3D1", "/go/clinic/Monday?launch=1"),
        ("/sign-in?next=%2Fcheck", "/check"),
        # no page of its own, so no place to go to
        ("/sign-in?next=%2Fs%2F22222222%2Fstate", "/dashboard"),
        ("/sign-in?next=%2Fs%2F", "/dashboard"),
    ],
)
def test_a_sessions_page_is_where_a_sign_in_leads(browser: Browser, asked: str, target: str) -> None:
    # given
    page = browser.follow(asked)
    # when: wrong first, so that the way survives that too
    page = browser.post(form_action(page), page, name="maria", password=WRONG)
    answer = browser.post(form_action(page), page, name="maria", password=RIGHT)
    # then: and the same for who is signed in already
    assert (answer["statusCode"], header(answer, "location")) == (303, target)
    assert header(browser.ask(form_action(page)), "location") == target


@pytest.mark.req("L07")
@pytest.mark.parametrize(
    "next_path",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "%2f%2fevil.example", "/%2f%2fevil.example",
        "https:evil.example", "https://evil.example", "https://clinic.hub.vestibule.example@evil.example",
        "/dashboard\r\nSet-Cookie: a=b", "javascript:alert(1)", "/\uff0e\uff0e/evil", "", "x", "/dashboard/../../evil",
        "https://clinic.hub.vestibule.example.evil.example/dashboard", "/sign-in",
    ],
)  # fmt: skip
def test_next_never_leaves_the_hub(browser: Browser, next_path: str) -> None:
    # when
    answer = sign_in(browser, f"/sign-in?next={quote(next_path, safe='')}")
    # then
    target = header(answer, "location") or ""
    assert target.partition("?")[0] in {"/dashboard", "/sign-in"}
    assert "evil" not in target
    assert "\n" not in target


@pytest.mark.req("L13")
def test_who_was_signed_in_before_is_signed_out_and_the_page_says_who_is_now(
    browser: Browser, function: LoadFunction, house: House, account: Account
) -> None:
    # given: a page that was open before somebody else signed in, in another tab
    add_user(house, account, full_name="Ben Okafor", username="ben", password=RIGHT)
    page = browser.ask("/sign-in")
    sign_in(browser)
    former = Browser(function)
    former.cookie = browser.cookie
    # when
    answer = browser.post("/sign-in", page, name="ben", password=RIGHT)
    # then
    assert header(answer, "location") == "/dashboard?switched=1"
    assert "signed in as Ben Okafor" in text_of(browser.ask("/dashboard?switched=1"))
    assert json_of(former.ask("/sign-in/state")) == {"state": "none"}


# --- not in ---


@pytest.mark.req("L17", "L16", "H04")
def test_a_wrong_password_an_unknown_name_and_a_disabled_user_are_one_answer(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    # when
    wrong = sign_in(browser, password=WRONG)
    house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    disabled = sign_in(browser)
    unknown = sign_in(browser, name="nobody")
    # then
    assert wrong["statusCode"] == 403
    assert REFUSAL in text_of(wrong)
    assert wrong == disabled
    assert unknown["body"].replace("nobody", "maria") == wrong["body"]
    assert unknown["headers"] == wrong["headers"]
    assert browser.cookie is None
    # what was typed is still there, but the password
    assert 'value="maria"' in wrong["body"]
    assert WRONG not in wrong["body"]


@pytest.mark.req("L17", "H04")
@pytest.mark.parametrize("name", ["maria", "nobody"])
def test_too_many_wrong_passwords_are_told_how_long_to_wait(browser: Browser, clock: FakeClock, name: str) -> None:
    # given
    for _ in range(PASSWORDS_OF_USER.most):
        assert sign_in(browser, name=name, password=WRONG)["statusCode"] == 403
    clock.advance(3 * MINUTE)
    # when
    answer = sign_in(browser, "/sign-in?next=%2Fdashboard&launch=1", name=name)
    # then
    assert answer["statusCode"] == 429
    assert header(answer, "retry-after") == str(12 * 60)
    assert "none is accepted for 12 minutes" in text_of(answer)
    assert '<a class="button" href="/sign-in?next=%2Fdashboard&amp;launch=1">Try again</a>' in answer["body"]
    assert browser.cookie is None


@pytest.mark.req("L17")
def test_an_account_may_do_without_passwords(browser: Browser, house: House, account: Account) -> None:
    # given
    page = browser.ask("/sign-in")
    house.accounts.change(account.account_id, {"password_sign_in": False})
    # when
    answer = browser.post("/sign-in", page, name="maria", password=RIGHT)
    # then
    assert answer["statusCode"] == 403
    assert browser.cookie is None
    assert "<form" not in answer["body"]
    assert "How to get in" in text_of(browser.ask("/sign-in"))


@pytest.mark.req("L20")
def test_a_user_of_another_account_is_nobody_here(browser: Browser, function: LoadFunction, house: House) -> None:
    other = open_account(house, "other")
    add_user(house, other, username="olga", password=RIGHT)
    assert sign_in(browser, name="olga")["statusCode"] == 403
    assert sign_in(Browser(function, "other"), name="olga")["statusCode"] == 303


# --- whose form ---


@pytest.mark.req("L19")
@pytest.mark.parametrize(
    ("headers", "token", "is_own"),
    [
        (OWN, "own", True),
        ({"Origin": "https://clinic.hub.vestibule.example"}, "own", True),
        (OWN, "", False),
        (OWN, "wrong", False),
        (OWN, "\u00fc", False),
        ({}, "own", False),
        ({"Sec-Fetch-Site": "cross-site"}, "own", False),
        ({"Sec-Fetch-Site": "none"}, "own", False),
        ({**OWN, "Sec-Fetch-Site": "same-site"}, "own", False),
        ({"Origin": "null"}, "own", False),
        ({"Origin": "https://evil.example"}, "own", False),
    ],
)
def test_nobody_is_signed_in_by_another_sites_form(
    browser: Browser,
    headers: dict[str, str],
    token: str,
    is_own: bool,  # noqa: FBT001
) -> None:
    # given
    page = browser.ask("/sign-in?next=%2Fdashboard&launch=1")
    sent = form_token(page) if token == "own" else token
    # when
    body = urlencode({"form_token": sent, "name": "maria", "password": RIGHT})
    answer = browser.ask("/sign-in?next=%2Fdashboard&launch=1", "POST", headers=headers, body=body)
    # then
    assert answer["statusCode"] == (303 if is_own else 403)
    assert bool(browser.cookie) is is_own
    if not is_own:
        assert 'href="/sign-in?next=%2Fdashboard&amp;launch=1"' in answer["body"]


@pytest.mark.req("L19")
def test_another_browsers_token_is_none(browser: Browser, function: LoadFunction) -> None:
    # given: the attacker's own page
    attackers = Browser(function).ask("/sign-in")
    browser.ask("/sign-in")
    # then: neither in a browser that was here before, nor in one that was not
    for victim in (browser, Browser(function)):
        assert victim.post("/sign-in", attackers, name="maria", password=RIGHT)["statusCode"] == 403
        assert victim.cookie is None


@pytest.mark.req("L19")
def test_tabs_share_their_forms_secret_and_nothing_made_up_is_one(browser: Browser) -> None:
    # given
    first = browser.ask("/sign-in")
    second = browser.ask("/sign-in")
    assert "Set-Cookie" not in second["multiValueHeaders"]
    assert form_token(first) == form_token(second)
    secret = browser.further[FORM_COOKIE]
    assert secret not in first["body"]
    # then
    for made_up in ("", "x" * 32, secret[:-1], secret + "0"):
        browser.further[FORM_COOKIE] = made_up
        assert form_token(browser.ask("/sign-in")) != form_token(first)


def test_a_post_without_a_body_is_refused(browser: Browser) -> None:
    browser.ask("/sign-in")
    assert browser.ask("/sign-in", "POST", headers=OWN)["statusCode"] == 403


@pytest.mark.req("R01", "H04")
def test_an_outage_signs_nobody_in_and_says_to_try_again(browser: Browser, wire: Wire) -> None:
    page = browser.ask("/sign-in")
    wire.fail("UpdateItem", "InternalServerError", times=9)
    answer = browser.post("/sign-in", page, name="maria", password=RIGHT)
    assert answer["statusCode"] == 503
    assert browser.cookie is None


def test_the_page_itself_reads_nothing_but_the_account(browser: Browser, wire: Wire) -> None:
    browser.ask("/sign-in")
    with wire.counting() as calls:
        assert browser.ask("/sign-in")["statusCode"] == 200
    assert calls == []
