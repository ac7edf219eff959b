"""A sign-in: how it lives, how it ends, and who can end it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.portal import PORTAL_URL, cookie_header, cookie_of
from tests.support.proxy import is_write
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tests.support.tables import Tables

OVER = f"{PORTAL_URL}/over?why=timeout"
BYE = f"{PORTAL_URL}/bye"


def now() -> int:
    return time.time_ns() // 1_000_000


# --- signing out ----------------------------------------------------------------------------------------------


@pytest.mark.req("L14")
def test_signing_out_ends_the_sign_in_in_the_table(portal: Portal, tables: Tables) -> None:
    # given
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    assert cookie is not None

    # when
    left = portal.follow("/logout", cookie=cookie)

    # then: the browser forgets its cookie, and whoever has a copy is refused
    assert left.status_code == 303
    assert left.headers["location"] == "/sign-in?signed_out=1"
    assert left.headers["cache-control"] == "no-store"
    (forgotten,) = left.headers.get_list("set-cookie")
    assert forgotten.startswith("__Host-vestibule=;")
    assert "Max-Age=0" in forgotten
    assert "ended_at" in tables.login(issued["login_guid"])
    assert not portal.is_signed_in(cookie)
    assert portal.follow("/sign-in/state", cookie=cookie).json() == {"state": "none"}


@pytest.mark.req("L07", "L14")
@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("/logout?redirectToUrl=http%3A%2F%2Fportal.localhost%3A8000%2Fbye%3Fa%3D1%26b%3D2", f"{BYE}?a=1&b=2"),
        ("/logout?redirectToUrl=http://portal.localhost:8000/bye?a=1&b=2", f"{BYE}?a=1&b=2"),
        ("/logout?REDIRECTTOURL=http://portal.localhost:8000/bye", BYE),
        ("/logout?redirectToUrl=https://evil.example/", OVER),
        ("/logout", OVER),
        ("/Account/LogOffAndRedirect?redirectToUrl=http://portal.localhost:8000/bye?a=1&b=2", f"{BYE}?a=1&b=2"),
        ("/account/LOGOFFANDREDIRECT?redirectToUrl=http://portal.localhost:8000/bye", BYE),
        ("/Logout", OVER),
    ],
)
def test_signing_out_leads_to_where_the_account_allows(portal: Portal, address: str, target: str) -> None:
    # given
    cookie = portal.sign_in(redirect_to_uri_on_expiry=OVER)

    # when
    left = portal.follow(address, cookie=cookie)
    if left.headers["location"].startswith("/logout"):  # another spelling leads to the canonical path
        left = portal.follow(left.headers["location"], cookie=cookie)

    # then
    assert left.headers["location"] == target
    assert not portal.is_signed_in(cookie)


@pytest.mark.req("L14")
def test_signing_out_works_with_an_ended_sign_in_and_with_none(portal: Portal) -> None:
    # given
    cookie = portal.sign_in(redirect_to_uri_on_expiry=OVER)
    assert portal.follow("/logout", cookie=cookie).headers["location"] == OVER

    # then
    assert portal.follow("/logout", cookie=cookie).headers["location"] == OVER
    assert portal.follow("/logout").headers["location"] == "/sign-in"
    assert portal.follow(f"/logout?redirectToUrl={PORTAL_URL}/x").headers["location"] == f"{PORTAL_URL}/x"


@pytest.mark.req("L05", "L14")
def test_what_is_no_persons_click_signs_nobody_out(portal: Portal) -> None:
    # given
    cookie = portal.sign_in()

    # when
    answers = [
        portal.follow("/logout", cookie=cookie, method="HEAD"),
        portal.follow("/logout", cookie=cookie, headers={"Sec-Purpose": "prefetch;prerender"}),
        portal.follow("/logout", cookie=cookie, headers={"Purpose": "prefetch"}),
        portal.follow("/logout", cookie=cookie, method="OPTIONS"),
        portal.follow("/logout", cookie=cookie, method="DELETE"),
    ]

    # then
    assert all(answer.status_code in {403, 405} for answer in answers)
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert portal.is_signed_in(cookie)


@pytest.mark.req("L19")
def test_a_post_without_our_own_forms_token_and_origin_signs_nobody_out(portal: Portal) -> None:
    # given
    cookie, others = portal.sign_in(), portal.sign_in()
    own, foreign = form_token(portal, cookie), form_token(portal, others)
    origin = portal.hub_url
    forged = {
        "no token": ({"Origin": origin}, {}),
        "an empty token": ({"Origin": origin}, {"form_token": ""}),
        "a wrong token": ({"Origin": origin}, {"form_token": "0" * 64}),
        "another sign-in's token": ({"Origin": origin}, {"form_token": foreign}),
        "a token that is no text": ({"Origin": origin}, {"form_token": "ü\x00"}),
        "no origin": ({}, {"form_token": own}),
        "another origin": ({"Origin": "https://evil.example"}, {"form_token": own}),
        "a look-alike origin": ({"Origin": f"{origin}.evil.example"}, {"form_token": own}),
        "an opaque origin": ({"Origin": "null"}, {"form_token": own}),
        "another site": ({"Origin": origin, "Sec-Fetch-Site": "cross-site"}, {"form_token": own}),
        "another host of the site": ({"Origin": origin, "Sec-Fetch-Site": "same-site"}, {"form_token": own}),
        "no page at all": ({"Origin": origin, "Sec-Fetch-Site": "none"}, {"form_token": own}),
    }

    # when
    answers = {
        what: portal.hub.post("/logout", headers={**headers, **cookie_header(cookie)}, data=form)
        for what, (headers, form) in forged.items()
    }

    # then
    assert {what: answer.status_code for what, answer in answers.items()} == dict.fromkeys(forged, 403)
    assert all("set-cookie" not in answer.headers for answer in answers.values())
    assert portal.is_signed_in(cookie)


@pytest.mark.req("L14", "L19")
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {}], ids=["modern browser", "older browser"])
def test_our_own_form_signs_out(portal: Portal, headers: dict[str, str]) -> None:
    # given
    cookie = portal.sign_in(redirect_to_uri_on_expiry=OVER)
    form = {"form_token": form_token(portal, cookie)}

    # when
    sent = {"Origin": portal.hub_url, **headers, **cookie_header(cookie)}
    left = portal.hub.post("/logout", headers=sent, data=form)

    # then: a page that goes on, because the answer to a form may not leave the origin
    assert left.status_code == 200
    assert OVER.replace("&", "&amp;") in left.text
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert not portal.is_signed_in(cookie)


# --- ended from outside ----------------------------------------------------------------------------------------


@pytest.mark.req("L14", "L16")
def test_a_disabled_users_sign_ins_are_dead_at_once(portal: Portal) -> None:
    # given
    user_id = portal.create_user()["id"]
    first, second = portal.sign_in(user_id), portal.sign_in(user_id)
    waiting = portal.issue_login_uri(user_id)

    # when
    portal.api.patch(f"/v1/users/{user_id}", json={"status": "disabled"})

    # then
    assert not portal.is_signed_in(first)
    assert not portal.is_signed_in(second)
    assert portal.api.post("/v1/login-uris", json={"user_id": user_id}).json()["code"] == "user_disabled"
    late = cookie_of(portal.follow(waiting))
    assert late is None or not portal.is_signed_in(late)


@pytest.mark.req("L14")
def test_a_deleted_users_sign_ins_are_dead_at_once(portal: Portal) -> None:
    # given
    user_id = portal.create_user()["id"]
    cookie = portal.sign_in(user_id)

    # when
    assert portal.api.delete(f"/v1/users/{user_id}").status_code == 204

    # then
    assert not portal.is_signed_in(cookie)


def test_signing_out_everywhere_ends_all_sign_ins_and_no_later_one(portal: Portal) -> None:
    # given
    user_id, other_id = portal.create_user()["id"], portal.create_user()["id"]
    first, second = portal.sign_in(user_id), portal.sign_in(user_id)
    others = portal.sign_in(other_id)

    # when
    assert portal.api.delete(f"/v1/users/{user_id}/sign-ins").status_code == 204

    # then
    assert not portal.is_signed_in(first)
    assert not portal.is_signed_in(second)
    assert portal.is_signed_in(others)
    assert portal.is_signed_in(portal.sign_in(user_id))


# --- deadlines -------------------------------------------------------------------------------------------------


@pytest.mark.req("L12")
@pytest.mark.parametrize("deadline", ["idle_until", "live_until"])
@pytest.mark.parametrize("ago", [0, 29 * DAY], ids=["just now", "29 days ago"])
def test_who_comes_after_the_deadline_is_sent_to_where_the_portal_said(
    portal: Portal, tables: Tables, deadline: str, ago: int
) -> None:
    # given
    cookie = portal.sign_in(redirect_to_uri_on_expiry=OVER)
    nameless = portal.sign_in()

    # when
    for one in (cookie, nameless):
        tables.change_cookies_login(one, **{deadline: now() - ago})

    # then
    late = portal.follow("/dashboard", cookie=cookie)
    assert late.status_code == 303
    assert late.headers["location"] == OVER
    assert portal.follow("/dashboard", cookie=nameless).headers["location"] == "/sign-in?expired=1"
    assert portal.follow("/sign-in/state", cookie=cookie).json() == {"state": "none"}


@pytest.mark.req("L12")
def test_a_sign_ins_row_outlives_its_last_deadline_by_30_days(portal: Portal, tables: Tables) -> None:
    # given
    issued = portal.issue()

    # when
    portal.follow(issued["login_uri"])

    # then
    row = tables.login(issued["login_guid"])
    assert row["ttl"] * 1000 >= row["live_until"] + 30 * DAY - 15_000
    assert row["idle_until"] - row["redeemed_at"] == 240 * MINUTE
    assert row["live_until"] - row["redeemed_at"] == 24 * HOUR


@pytest.mark.req("L12")
def test_an_account_has_its_own_limits(open_portal: Callable[..., Portal], tables: Tables) -> None:
    # given
    portal = open_portal(idle_timeout_minutes=5, sign_in_lifetime_minutes=30)
    issued = portal.issue()

    # when
    portal.follow(issued["login_uri"])

    # then
    row = tables.login(issued["login_guid"])
    assert row["idle_until"] - row["redeemed_at"] == 5 * MINUTE
    assert row["live_until"] - row["redeemed_at"] == 30 * MINUTE


@pytest.mark.req("L12")
def test_activity_moves_the_deadline_at_most_once_a_minute(portal: Portal, tables: Tables, aws: AwsProxy) -> None:
    # given
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    assert cookie is not None

    # when: at once, and after two minutes
    with aws.recording() as at_once:
        portal.follow("/dashboard", cookie=cookie)
    tables.change_login(issued["login_guid"], idle_until=now() + 238 * MINUTE)
    with aws.recording() as later:
        portal.follow("/dashboard", cookie=cookie)
        portal.follow("/dashboard", cookie=cookie)

    # then
    assert not any(map(is_write, at_once))
    assert sum(map(is_write, later)) == 1
    assert tables.login(issued["login_guid"])["idle_until"] >= now() + 239 * MINUTE


@pytest.mark.req("L12")
def test_the_sign_in_page_is_activity_and_a_polling_page_is_none(portal: Portal, tables: Tables, aws: AwsProxy) -> None:
    # given
    cookie = portal.sign_in()
    tables.change_cookies_login(cookie, idle_until=now() + 2 * MINUTE)

    # when
    with aws.recording() as polling:
        assert portal.follow("/sign-in/state", cookie=cookie).json() == {"state": "here"}
    with aws.recording() as coming:
        assert portal.follow("/sign-in", cookie=cookie).headers["location"] == "/dashboard"

    # then
    assert not any(map(is_write, polling))
    assert sum(map(is_write, coming)) == 1


# --- whose page, whose cookie -----------------------------------------------------------------------------------


def test_a_cookie_that_was_tampered_with_proves_nothing(portal: Portal) -> None:
    # given
    other = portal.create_user()["id"]
    cookie = portal.sign_in()
    key, account_id, user_id, secret = cookie.split(".")
    forged = [
        f"{key}.{account_id}.{user_id}.{secret[:-1]}",
        f"{key}.{account_id}.{user_id}.{secret[::-1]}",
        f"{key}.{account_id}.{user_id}.",
        f"{key}.{account_id}.{other}.{secret}",
        f"{key}.1{account_id}.{user_id}.{secret}",
        f"{key[::-1]}.{account_id}.{user_id}.{secret}",
        f"{cookie}.x",
        f"{cookie}{'x' * 300}",
    ]

    # then
    for one in forged:
        assert not portal.is_signed_in(one), one
        assert portal.follow("/sign-in/state", cookie=one).json() == {"state": "none"}
    assert portal.is_signed_in(cookie)


@pytest.mark.req("L18")
def test_another_persons_address_shows_ones_own_page_and_says_so(portal: Portal) -> None:
    # given
    grace = portal.create_user(full_name="Grace Hopper")["id"]
    cookie = portal.sign_in()

    # when
    page = portal.follow(f"/Dashboard/P/{grace}?scrollTo=1&launch=1", cookie=cookie)

    # then
    assert page.status_code == 200
    assert "Ada Lovelace" in page.text
    assert "Grace Hopper" not in page.text
    assert "This is yours." in page.text
    assert "is not among yours" in page.text


def test_who_is_not_signed_in_is_asked_to_and_comes_back(portal: Portal) -> None:
    # when
    asked = portal.follow("/dashboard?scrollTo=4711&launch=1")

    # then
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=%2Fdashboard%3FscrollTo%3D4711%26launch%3D1"
    page = portal.follow(asked.headers["location"])
    assert page.status_code == 200
    assert "Lakeside Clinic" in page.text


def test_an_account_that_is_disabled_has_no_hub_and_no_api(portal: Portal) -> None:
    # given: nobody has visited it in the last minute, for which it would be remembered
    portal.house.accounts.set_status(portal.account_id, Status.DISABLED, portal.house.client_store)

    # then
    assert portal.follow("/dashboard").status_code == 404
    assert portal.follow("/sign-in").status_code == 404
    assert portal.api.get("/v1/users").status_code == 401


def form_token(portal: Portal, cookie: str) -> str:
    """Give the token of the forms on a signed-in person's pages."""
    found = re.search(r'name="form_token" value="([^"]+)"', portal.follow("/dashboard", cookie=cookie).text)
    assert found is not None
    return found[1]
