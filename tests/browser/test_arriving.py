"""A browser arrives with a login URI: once, without a trace of the token, and never by accident."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.portal import COOKIE
from tests.support.proxy import calls_of
from vestibule import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import PortalSite, Visitor
    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tools.local import Stack

REFUSED = "This sign-in link no longer works"
TEXT_BUT_STATUS = """main => {
  const copy = main.cloneNode(true);
  copy.querySelector("[role=status]").remove();
  return copy.textContent;
}"""
"""The status line comes and goes while the page looks once more."""
AT_ONCE_SECONDS = 1.0
"""How long a redemption is held up, so that two of them are under way together."""

REDEMPTIONS = calls_of(action="UpdateItem", function="RedeemFunction")


def query_of(address: str) -> dict[str, str]:
    """Give an address's query parameters."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.req("L06", "L13")
def test_a_login_uri_ends_on_the_dashboard_of_its_person(visitor: Visitor, clinic: Portal) -> None:
    """Greeted by name, the token nowhere to be seen, and a cookie that only this host's server reads."""
    user = clinic.create_user(full_name="Zoë Ångström")
    issued = clinic.issue(user["id"])

    visitor.page.goto(issued["login_uri"])

    assert visitor.heading() == "Hello, Zoë Ångström"
    assert visitor.page.url == f"{clinic.hub_url}/dashboard"
    assert issued["login_guid"] not in visitor.page.content()
    assert [status for status, _ in visitor.documents] == [303, 200]
    [cookie] = visitor.context.cookies()
    assert (cookie["name"], cookie["path"]) == (COOKIE, "/")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    assert cookie["domain"] == urlsplit(clinic.hub_url).hostname  # a leading dot would be every host's below
    assert cookie["expires"] > time.time()
    assert visitor.page.evaluate("document.cookie") == ""
    visitor.cookie()


@pytest.mark.req("L06")
def test_every_spelling_of_a_login_uri_opens(visitor: Visitor, clinic: Portal) -> None:
    """The vendors' paths match without regard to case."""
    user = clinic.create_user()["id"]

    for path in (
        "/login/{guid}",
        "/Login/{GUID}",
        "/Account/AutoLogin/{guid}",
        "/Account/AutoLogin/auto={guid}",
        "/account/autologin/AUTO={GUID}",
        "/ACCOUNT/AUTOLOGIN/{guid}/",
        "/Account/Login?auto={guid}",
        "/account/LOGIN?Auto={GUID}",
    ):
        guid = clinic.issue(user)["login_guid"]
        visitor.forget()
        visitor.page.goto(clinic.hub_url + path.format(guid=guid, GUID=guid.upper()))
        assert visitor.heading() == "Hello, Ada Lovelace", path
        assert visitor.page.url == f"{clinic.hub_url}/dashboard", path


@pytest.mark.req("L15")
def test_scroll_to_launch_and_passkey_arrive_with_the_person(visitor: Visitor, clinic: Portal) -> None:
    """Appended to any spelling, in any order and case; nothing else is taken along."""
    user = clinic.create_user()["id"]
    passkey = "4cfbab43-93bf-4af2-ad66-f539133d0d41"

    for path, appended, carried in (
        ("/login/{}", {"scrollTo": "22222222", "launch": "1"}, {"scrollTo": "22222222", "launch": "1"}),
        ("/Account/AutoLogin/{}", {"LAUNCH": "1", "scrollto": "2"}, {"scrollTo": "2", "launch": "1"}),
        (
            "/account/autologin/auto={}",
            {"passkey": passkey, "launch": "1", "ScrollTo": "7", "utm": "mail"},
            {"scrollTo": "7", "launch": "1", "passkey": passkey},
        ),
        ("/Account/Login?auto={}", {"launch": "1", "scrollTo": "a b&c"}, {"launch": "1", "scrollTo": "a b&c"}),
    ):
        address = clinic.hub_url + path.format(clinic.issue(user)["login_guid"])
        visitor.forget()
        visitor.page.goto(f"{address}{'&' if '?' in address else '?'}{urlencode(appended)}")
        assert visitor.heading() == "Hello, Ada Lovelace"
        assert query_of(visitor.page.url) == carried, path


@pytest.mark.req("L15", "L09")
def test_they_arrive_with_somebody_who_is_signed_in_already(visitor: Visitor, clinic: Portal) -> None:
    """By the same link once more, by a portal's link to the dashboard, by a link to the sign-in page."""
    user = clinic.create_user()["id"]
    issued = clinic.issue(user)
    visitor.page.goto(issued["login_uri"])
    wanted = {"scrollTo": "22222222", "launch": "1"}
    query = urlencode(wanted)
    hub = clinic.hub_url

    for address in (
        f"{issued['login_uri']}?{query}",
        f"{hub}/DASHBOARD/?{query}",
        f"{hub}/providers/dashboard?{query}",
        f"{hub}/sign-in?{query}",
        f"{hub}/sign-in?{urlencode({'next': f'/dashboard?{query}'})}",
        f"{hub}/Account/Login?{query}",
    ):
        visitor.page.goto(address)
        assert visitor.heading() == "Hello, Ada Lovelace"
        assert query_of(visitor.page.url) == wanted, address
    visitor.page.goto(f"{hub}/Dashboard/P/{user}?{query}")
    assert query_of(visitor.page.url).items() >= wanted.items()


@pytest.mark.req("L15")
def test_the_sign_in_page_knows_where_somebody_was_going(visitor: Visitor, clinic: Portal) -> None:
    """Nothing is lost on the way to the page that asks who it is."""
    visitor.page.goto(f"{clinic.hub_url}/Dashboard/P/33445566?scrollTo=22222222&launch=1")

    assert visitor.heading() == "Sign in"
    assert query_of(query_of(visitor.page.url)["next"]) == {"scrollTo": "22222222", "launch": "1", "user": "33445566"}


@pytest.mark.req("L15")
def test_the_portals_own_next_page_is_kept_and_completed(visitor: Visitor, clinic: Portal) -> None:
    """What is appended later wins; a page that does not exist is the dashboard."""
    visitor.page.goto(clinic.issue_login_uri(next="/dashboard?scrollTo=1&launch=1") + "?scrollTo=2")
    assert query_of(visitor.page.url) == {"scrollTo": "2", "launch": "1"}

    visitor.page.goto(clinic.issue_login_uri(next="/no/such/page"))
    assert visitor.page.url == f"{clinic.hub_url}/dashboard"


@pytest.mark.req("L05")
def test_a_prefetch_uses_nothing_up(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """A portal's page that lets the browser prefetch the link; then the person clicks it."""
    uri = clinic.issue_login_uri()
    page = portal_site.show(
        "/prefetch", f'<link rel="prefetch" href="{uri}" as="document"><a href="{uri}">To my session</a>'
    )
    with visitor.page.expect_request(uri) as prefetch:
        visitor.page.goto(page)
    answer = prefetch.value.response()
    assert answer is not None
    assert prefetch.value.all_headers()["sec-purpose"].startswith("prefetch")
    assert (answer.status, answer.body()) == (403, b"")

    visitor.page.get_by_role("link", name="To my session").click()

    expect(visitor.page).to_have_url(f"{clinic.hub_url}/dashboard")


@pytest.mark.req("L05")
def test_no_browsers_way_to_look_ahead_redeems(visitor: Visitor, clinic: Portal) -> None:
    """Each marks it in its own words; through a vendor's spelling, too."""
    issued = clinic.issue()

    for mark in ({"Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}):
        for path in (f"/login/{issued['login_guid']}", f"/Account/AutoLogin/auto={issued['login_guid']}"):
            answer = clinic.follow(path, headers=mark)
            assert (answer.status_code, answer.content) == (403, b""), mark
            assert "set-cookie" not in answer.headers
    visitor.page.goto(issued["login_uri"])

    assert visitor.heading() == "Hello, Ada Lovelace"


@pytest.mark.req("L09")
def test_back_forward_and_reload_are_harmless(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """The login URI is not in the history, so nothing leads to it again."""
    portal_page = portal_site.show("/back", f'<a href="{clinic.issue_login_uri()}">To my session</a>')
    dashboard = f"{clinic.hub_url}/dashboard"
    visitor.page.goto(portal_page)
    visitor.page.get_by_role("link", name="To my session").click()
    expect(visitor.page).to_have_url(dashboard)
    cookie = visitor.cookie()

    visitor.page.reload()
    assert visitor.heading() == "Hello, Ada Lovelace"
    visitor.page.go_back()
    assert visitor.page.url == portal_page
    visitor.page.go_forward()
    assert visitor.page.url == dashboard

    assert visitor.heading() == "Hello, Ada Lovelace"
    assert visitor.cookie() == cookie


@pytest.mark.req("L09")
def test_the_same_browser_may_follow_its_link_again(visitor: Visitor, clinic: Portal) -> None:
    """On to the dashboard, by any spelling, without a second sign-in."""
    issued = clinic.issue()
    visitor.page.goto(issued["login_uri"])
    cookie = visitor.cookie()

    for path in (issued["login_uri"], f"{clinic.hub_url}/Account/Login?auto={issued['login_guid']}"):
        visitor.page.goto(path)
        assert visitor.page.url == f"{clinic.hub_url}/dashboard"

    assert visitor.cookie() == cookie


@pytest.mark.req("L09", "L01")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_two_requests_that_left_at_once_both_end_on_the_dashboard(
    visitors: Callable[..., Visitor], clinic: Portal, aws: AwsProxy, *, scripts: bool
) -> None:
    """Both go out without a cookie, one redeems, and the other's refusal finds the sign-in a moment later."""
    visitor = visitors(java_script_enabled=scripts)
    tabs = [visitor.page, visitor.new_tab()]
    uri = clinic.issue_login_uri()

    with aws.delay(REDEMPTIONS, AT_ONCE_SECONDS, times=2) as held_up:
        for tab in tabs:
            tab.evaluate("uri => { location.href = uri }", uri)
        for tab in tabs:
            expect(tab).to_have_url(f"{clinic.hub_url}/dashboard")

    assert len(held_up.hits) == 2
    assert [visitor.heading(tab) for tab in tabs] == ["Hello, Ada Lovelace"] * 2
    assert [status for status, address in visitor.documents if address == uri] == [303, 403]


@pytest.mark.req("L09")
def test_a_double_click_in_one_tab_arrives(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """As impatient people do it."""
    uri = clinic.issue_login_uri()
    visitor.page.goto(portal_site.show("/impatient", f'<a href="{uri}">To my session</a>'))

    visitor.page.get_by_role("link", name="To my session").dblclick()

    expect(visitor.page).to_have_url(f"{clinic.hub_url}/dashboard")


@pytest.mark.req("L08", "L01")
def test_a_second_browser_is_refused_and_the_first_stays_in(visitors: Callable[..., Visitor], clinic: Portal) -> None:
    """And the dead link leaves the second one's address bar."""
    first, second = visitors(), visitors()
    uri = clinic.issue_login_uri()
    first.page.goto(uri)

    answer = second.page.goto(uri)

    assert answer is not None
    assert answer.status == 403
    assert second.heading() == REFUSED
    expect(second.page).to_have_url(f"{clinic.hub_url}/login")
    assert second.cookie() == ""
    first.page.reload()
    assert first.heading() == "Hello, Ada Lovelace"


@pytest.mark.req("L08", "L02", "L03")
def test_unknown_used_revoked_and_expired_look_the_same(visitor: Visitor, clinic: Portal, stack: Stack) -> None:
    """The same status and the same page, so that nobody learns which."""
    used, revoked, expired = (clinic.issue() for _ in range(3))
    clinic.follow(used["login_uri"])
    clinic.api.delete(f"/v1/login-uris/{revoked['login_guid']}")
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["PassesTable"],
        Key={"pk": {"S": f"login#{ids.digest(expired['login_guid'])}"}},
        UpdateExpression="SET redeem_before = :now",
        ExpressionAttributeValues={":now": {"N": str(int(time.time() * 1_000))}},
    )
    seen = set()

    for guid in (used["login_guid"], revoked["login_guid"], expired["login_guid"], "0" * 32):
        answer = visitor.page.goto(f"{clinic.hub_url}/login/{guid}")
        assert answer is not None
        seen.add((answer.status, visitor.heading(), visitor.page.get_by_role("main").evaluate(TEXT_BUT_STATUS)))

    [(status, heading, text)] = seen
    assert (status, heading) == (403, REFUSED)
    assert "For your safety, a sign-in link works only once" in text


@pytest.mark.req("L08", "H04")
def test_the_refusal_leads_on(visitor: Visitor, clinic: Portal, portal_site: PortalSite) -> None:
    """Back to the portal for a fresh link, or to the dashboard for who is signed in after all."""
    visitor.page.goto(f"{clinic.hub_url}/login/{'0' * 32}?scrollTo=5&launch=1")

    own = visitor.page.get_by_role("link", name="I am signed in already")
    assert query_of(f"{clinic.hub_url}{own.get_attribute('href')}") == {"scrollTo": "5", "launch": "1"}
    visitor.page.get_by_role("link", name="Go to Lakeside Clinic").click()
    expect(visitor.page).to_have_url(f"{portal_site.url}/")
    assert "referer" not in portal_site.visit_of("/")


@pytest.mark.req("L13")
def test_another_persons_login_takes_over_and_the_page_says_so(visitor: Visitor, clinic: Portal) -> None:
    """Who shares a computer must not act as the one before."""
    before = visitor.arrive(clinic, clinic.create_user(full_name="Ada Lovelace")["id"])

    now = visitor.arrive(clinic, clinic.create_user(full_name="Grace <b>Hopper</b>")["id"])

    assert visitor.heading() == "Hello, Grace <b>Hopper</b>"
    notice = visitor.page.get_by_role("list", name="Notices")
    expect(notice).to_contain_text("This browser is now signed in as Grace <b>Hopper</b>.")
    assert now != before
    assert not clinic.is_signed_in(before)
    visitor.page.reload()
    assert visitor.heading() == "Hello, Grace <b>Hopper</b>"
    expect(notice).to_have_count(0)  # news once


@pytest.mark.req("L13")
def test_the_same_persons_new_login_says_nothing(visitor: Visitor, clinic: Portal) -> None:
    """It replaces the older sign-in all the same."""
    user = clinic.create_user()["id"]
    before = visitor.arrive(clinic, user)

    visitor.arrive(clinic, user)

    expect(visitor.page.get_by_role("list", name="Notices")).to_have_count(0)
    assert not clinic.is_signed_in(before)


@pytest.mark.req("L20")
def test_a_login_uri_opens_on_its_own_accounts_host_alone(
    visitor: Visitor, clinic: Portal, plain_clinic: Portal
) -> None:
    """And a sign-in there is none here."""
    issued = clinic.issue()

    visitor.page.goto(f"{plain_clinic.hub_url}/login/{issued['login_guid']}")
    assert visitor.heading() == REFUSED
    visitor.page.goto(issued["login_uri"])
    assert visitor.heading() == "Hello, Ada Lovelace"

    visitor.page.goto(f"{plain_clinic.hub_url}/dashboard")
    assert visitor.heading() == "Sign in"


@pytest.mark.req("L18")
def test_another_persons_dashboard_is_ones_own(visitor: Visitor, clinic: Portal) -> None:
    """With a word about it, and nothing of the other's."""
    other = clinic.create_user(full_name="Grace Hopper")
    visitor.arrive(clinic)

    visitor.page.goto(f"{clinic.hub_url}/Dashboard/P/{other['id']}")

    assert visitor.heading() == "Hello, Ada Lovelace"
    expect(visitor.page.get_by_role("list", name="Notices")).to_contain_text("This is yours.")
    assert "Grace Hopper" not in visitor.page.content()


@pytest.mark.req("L18")
def test_ones_own_dashboard_says_nothing_of_the_kind(visitor: Visitor, clinic: Portal) -> None:
    """Under any spelling."""
    user = clinic.create_user()["id"]
    visitor.arrive(clinic, user)

    for path in ("/Dashboard/P/{}", "/DASHBOARD/p/{}", "/dashboard/P/{}/"):
        visitor.page.goto(clinic.hub_url + path.format(user))
        assert visitor.heading() == "Hello, Ada Lovelace", path
        expect(visitor.page.get_by_role("list", name="Notices")).to_have_count(0)


@pytest.mark.req("L18")
def test_a_session_that_is_not_ones_own_is_ignored_with_a_word(visitor: Visitor, clinic: Portal) -> None:
    """scrollTo of somebody else's session."""
    visitor.page.goto(clinic.issue_login_uri() + "?scrollTo=22222222&launch=1")

    expect(visitor.page.get_by_role("list", name="Notices")).to_contain_text("not among yours")
