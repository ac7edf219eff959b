"""A sign-in ends: by the person, by the portal, by time; and the browser is sent to where the portal said."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from vestibule.clock import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal
    from tools.local import Stack

NOT_SIGNED_IN = "Sign in"
A_MINUTE_LATER = "01:01"
"""The open page looks once a minute."""


@pytest.fixture
def expired_page(portal_site: PortalSite) -> str:
    """The portal's page for people whose sign-in is over: redirect_to_uri_on_expiry."""
    return portal_site.show("/expired", "<h1>Please sign in again</h1>") + "?from=hub"


@pytest.fixture
def bye_page(portal_site: PortalSite) -> str:
    """Another page of the portal."""
    return portal_site.show("/bye", "<h1>See you soon</h1>")


class Deadlines:
    """Moves the deadlines of a sign-in, as time would."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.client("dynamodb")
        self._table = stack.outputs["PassesTable"]

    def set(self, cookie: str, name: str, in_milliseconds: int) -> int:
        """Let `idle_until` or `live_until` be that far from now; return the moment."""
        moment = int(time.time() * 1_000) + in_milliseconds
        self._client.update_item(
            TableName=self._table,
            Key=self._key(cookie),
            UpdateExpression="SET #name = :moment",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":moment": {"N": str(moment)}},
        )
        return moment

    def get(self, cookie: str, name: str) -> int:
        """Read a deadline."""
        item = self._client.get_item(TableName=self._table, Key=self._key(cookie), ConsistentRead=True)["Item"]
        return int(item[name]["N"])

    def _key(self, cookie: str) -> dict[str, dict[str, str]]:
        return {"pk": {"S": f"login#{cookie.partition('.')[0]}"}}


@pytest.fixture(scope="module")
def deadlines(stack: Stack) -> Deadlines:
    """The sign-ins' deadlines in the table."""
    return Deadlines(stack)


def look_again(tab: Page) -> None:
    """Do what a browser does when its person comes back to a tab."""
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def sign_out(tab: Page) -> None:
    """Press the dashboard's button."""
    tab.get_by_role("button", name="Sign out").click()


# --- by the person ----------------------------------------------------------------------------------------


@pytest.mark.req("L14", "L19")
def test_the_button_signs_out_and_goes_back_to_the_portal(
    visitor: Visitor, clinic: Portal, portal_site: PortalSite, expired_page: str
) -> None:
    """By a POST; the portal is not told which page the person came from; an old cookie opens nothing."""
    cookie = visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page)
    with visitor.page.expect_request("**/logout") as logout:
        sign_out(visitor.page)

    expect(visitor.page).to_have_url(expired_page)
    assert logout.value.method == "POST"
    assert visitor.heading() == "Please sign in again"
    assert "referer" not in portal_site.visit_of("/expired?from=hub")
    assert visitor.cookie() == ""
    assert not clinic.is_signed_in(cookie)


@pytest.mark.req("L14")
def test_back_shows_nothing_after_a_sign_out(visitor: Visitor, clinic: Portal, expired_page: str) -> None:
    """The next person at this computer sees no name."""
    visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page)
    sign_out(visitor.page)
    expect(visitor.page).to_have_url(expired_page)

    visitor.page.go_back()

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(NOT_SIGNED_IN)
    assert "Ada Lovelace" not in visitor.page.content()


@pytest.mark.req("L14")
def test_the_button_stays_here_when_the_portal_named_no_page(visitor: Visitor, clinic: Portal) -> None:
    """With a word that it worked, and a way on."""
    visitor.arrive(clinic)

    sign_out(visitor.page)

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(visitor.page.get_by_role("main").get_by_role("link", name="Go to Lakeside Clinic")).to_be_visible()


@pytest.mark.req("L14")
def test_without_scripts_the_button_works_as_well(
    visitors: Callable[..., Visitor], clinic: Portal, expired_page: str
) -> None:
    """The page after the form goes on by itself."""
    visitor = visitors(java_script_enabled=False)
    visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page)

    sign_out(visitor.page)

    expect(visitor.page).to_have_url(expired_page)


@pytest.mark.req("L14")
def test_a_second_tabs_button_works_after_the_first_one_did(visitor: Visitor, clinic: Portal) -> None:
    """Signed out is signed out, and no reason for a refusal."""
    visitor.arrive(clinic)
    other = visitor.new_tab()
    other.goto(f"{clinic.hub_url}/dashboard")
    sign_out(visitor.page)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("You are signed out")

    sign_out(other)

    expect(other).to_have_url(f"{clinic.hub_url}/sign-in")


@pytest.mark.req("L19")
@pytest.mark.parametrize("site", ["portal.localhost", "next-door.hub.vestibule.localhost"])
def test_another_sites_form_signs_nobody_out(
    visitor: Visitor, clinic: Portal, portal_site: PortalSite, site: str
) -> None:
    """From far away, where the cookie stays at home, and from next door, where it comes along."""
    cookie = visitor.arrive(clinic)
    portal_site.show("/form", f'<form method="post" action="{clinic.hub_url}/logout"><button>Win</button></form>')
    visitor.page.goto(f"http://{site}:{portal_site.port}/form")

    visitor.page.get_by_role("button", name="Win").click()

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Please do that once more")
    assert visitor.documents[-1] == (403, f"{clinic.hub_url}/logout")
    assert visitor.cookie() == cookie
    assert clinic.is_signed_in(cookie)


@pytest.mark.req("L19", "H04")
def test_a_form_that_has_become_too_old_is_explained(visitor: Visitor, clinic: Portal) -> None:
    """Somebody else signed in meanwhile, in another tab: the button of the page before is not theirs."""
    visitor.arrive(clinic)
    other = visitor.new_tab()
    other.goto(clinic.issue_login_uri(clinic.create_user(full_name="Grace Hopper")["id"]))
    cookie = visitor.cookie()

    sign_out(visitor.page)

    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Please do that once more")
    assert visitor.cookie() == cookie
    visitor.page.get_by_role("link", name="Back to the page").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Hello, Grace Hopper")


# --- by the portal ----------------------------------------------------------------------------------------


@pytest.mark.req("L14")
def test_a_plain_link_signs_out(visitor: Visitor, clinic: Portal, expired_page: str) -> None:
    """The vendor's Manual Logout without a target: on to redirect_to_uri_on_expiry."""
    user = clinic.create_user()["id"]

    for path in ("/logout", "/Logout/", "/Account/LogOffAndRedirect", "/account/logoffandredirect"):
        cookie = visitor.arrive(clinic, user, redirect_to_uri_on_expiry=expired_page)
        visitor.page.goto(clinic.hub_url + path)
        assert visitor.page.url == expired_page, path
        assert visitor.cookie() == ""
        assert not clinic.is_signed_in(cookie)


@pytest.mark.req("L14")
@pytest.mark.parametrize(
    ("path", "encoded", "signed_in"),
    [
        ("/Account/LogOffAndRedirect?redirectToUrl=", True, True),
        ("/Account/LogOffAndRedirect?redirectToUrl=", False, True),
        ("/account/logoffandredirect?REDIRECTTOURL=", False, False),
        ("/logout?redirectToUrl=", True, True),
        ("/logout?redirectToUrl=", False, False),
    ],
)
def test_a_manual_logout_ends_where_the_portal_says(
    visitor: Visitor, clinic: Portal, bye_page: str, expired_page: str, *, path: str, encoded: bool, signed_in: bool
) -> None:
    """redirectToUrl, encoded or not, with a query of its own; also when nobody is signed in (any more)."""
    target = f"{bye_page}?reason=logout&lang=de"
    cookie = visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page) if signed_in else ""

    visitor.page.goto(clinic.hub_url + path + (quote(target, safe="") if encoded else target))

    assert visitor.page.url == target
    assert visitor.cookie() == ""
    assert not (signed_in and clinic.is_signed_in(cookie))


@pytest.mark.req("L07")
def test_a_target_that_is_not_on_the_list_is_passed_over(visitor: Visitor, clinic: Portal, expired_page: str) -> None:
    """The person is signed out, and goes where their own portal said."""
    user = clinic.create_user()["id"]

    for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        visitor.arrive(clinic, user, redirect_to_uri_on_expiry=expired_page)
        visitor.page.goto(f"{clinic.hub_url}/Account/LogOffAndRedirect?redirectToUrl={quote(target, safe='')}")
        assert visitor.page.url == expired_page, target
        assert visitor.cookie() == ""


@pytest.mark.req("L14", "H04")
def test_nobody_signs_out_to_the_sign_in_page(visitor: Visitor, clinic: Portal) -> None:
    """Without a target and without a sign-in (vendor article)."""
    visitor.page.goto(f"{clinic.hub_url}/Account/LogOffAndRedirect")

    assert visitor.page.url == f"{clinic.hub_url}/sign-in"
    assert visitor.heading() == NOT_SIGNED_IN


@pytest.mark.req("L03", "L14")
def test_a_revoked_login_ends_on_the_portals_page(visitor: Visitor, clinic: Portal, expired_page: str) -> None:
    """The portal withdraws it while the dashboard is open."""
    issued = clinic.issue(redirect_to_uri_on_expiry=expired_page)
    visitor.page.goto(issued["login_uri"])

    clinic.api.delete(f"/v1/login-uris/{issued['login_guid']}")
    look_again(visitor.page)

    expect(visitor.page).to_have_url(expired_page)


@pytest.mark.req("L14")
def test_a_disabled_user_is_out_at_once(visitor: Visitor, clinic: Portal, expired_page: str) -> None:
    """On the next request."""
    user = clinic.create_user()["id"]
    visitor.arrive(clinic, user, redirect_to_uri_on_expiry=expired_page)

    clinic.api.patch(f"/v1/users/{user}", json={"status": "disabled"})
    visitor.page.reload()

    assert visitor.page.url == expired_page


@pytest.mark.req("L14")
def test_a_logout_is_of_one_device(visitors: Callable[..., Visitor], clinic: Portal) -> None:
    """The vendor's Manual Logout is on a per device basis."""
    user = clinic.create_user()["id"]
    phone, desk = visitors(), visitors()
    phone.arrive(clinic, user)
    desk.arrive(clinic, user)

    sign_out(phone.page)
    expect(phone.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    desk.page.reload()

    assert desk.heading() == "Hello, Ada Lovelace"


# --- by time ----------------------------------------------------------------------------------------------


@pytest.mark.req("L12")
@pytest.mark.parametrize("deadline", ["idle_until", "live_until"])
def test_an_open_page_notices_the_end_by_itself(
    visitor: Visitor, clinic: Portal, deadlines: Deadlines, expired_page: str, deadline: str
) -> None:
    """By inactivity or by age; within a minute, without anybody touching it."""
    visitor.stop_the_clock()
    cookie = visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page)
    deadlines.set(cookie, deadline, 0)

    visitor.page.clock.fast_forward(A_MINUTE_LATER)

    expect(visitor.page).to_have_url(expired_page)


@pytest.mark.req("L12")
def test_an_open_page_keeps_nobody_signed_in(visitor: Visitor, clinic: Portal, deadlines: Deadlines) -> None:
    """Asking is no activity; loading a page is."""
    visitor.stop_the_clock()
    cookie = visitor.arrive(clinic)
    soon = deadlines.set(cookie, "idle_until", 3 * MINUTE)

    with visitor.page.expect_response("**/sign-in/state?*") as asked:
        visitor.page.clock.fast_forward(A_MINUTE_LATER)
    assert asked.value.json() == {"state": "here"}
    assert deadlines.get(cookie, "idle_until") == soon

    visitor.page.reload()
    assert deadlines.get(cookie, "idle_until") > soon


@pytest.mark.req("L12")
def test_who_comes_back_weeks_later_is_sent_to_the_portal(
    visitor: Visitor, clinic: Portal, deadlines: Deadlines, expired_page: str
) -> None:
    """Also by a bookmark of a vendor's address, and by the logout."""
    cookie = visitor.arrive(clinic, redirect_to_uri_on_expiry=expired_page)
    for name in ("idle_until", "live_until"):
        deadlines.set(cookie, name, -29 * DAY)

    for path in ("/dashboard", "/Dashboard/P/33445566?scrollTo=1&launch=1", "/logout"):
        visitor.page.goto(clinic.hub_url + path)
        assert visitor.page.url == expired_page, path


@pytest.mark.req("L12", "H04")
def test_without_a_page_of_the_portals_the_end_is_explained_here(
    visitor: Visitor, clinic: Portal, deadlines: Deadlines
) -> None:
    """And how to get in again."""
    cookie = visitor.arrive(clinic)
    deadlines.set(cookie, "idle_until", 0)

    visitor.page.reload()

    assert visitor.heading() == "You have been signed out"
    expect(visitor.page.get_by_role("heading", name="Without a password")).to_be_visible()


# --- several tabs -----------------------------------------------------------------------------------------


@pytest.mark.req("L13", "L14")
def test_other_tabs_follow(visitor: Visitor, clinic: Portal) -> None:
    """When another person arrives in one tab, or signs out there, the others notice as soon as they are looked at."""
    visitor.arrive(clinic)
    other = visitor.new_tab()

    other.goto(clinic.issue_login_uri(clinic.create_user(full_name="Grace Hopper")["id"]))
    look_again(visitor.page)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Hello, Grace Hopper")

    sign_out(other)
    expect(other.get_by_role("heading", level=1)).to_have_text("You are signed out")
    look_again(visitor.page)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(NOT_SIGNED_IN)
    visitor.cookie()


@pytest.mark.req("L12", "R01")
def test_offline_is_not_signed_out(visitor: Visitor, clinic: Portal) -> None:
    """An open page stays as it is while the network is away, and asks again later."""
    visitor.expected.append("net::ERR_INTERNET_DISCONNECTED")
    visitor.stop_the_clock()
    visitor.arrive(clinic)

    visitor.context.set_offline(True)
    with visitor.page.expect_event("requestfailed"):
        visitor.page.clock.fast_forward(A_MINUTE_LATER)
    assert visitor.heading() == "Hello, Ada Lovelace"

    visitor.context.set_offline(False)
    with visitor.page.expect_response("**/sign-in/state?*") as asked:
        visitor.page.clock.fast_forward(A_MINUTE_LATER)
    assert asked.value.json() == {"state": "here"}
    assert visitor.heading() == "Hello, Ada Lovelace"
