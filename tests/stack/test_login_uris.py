"""A login URI from the portal's call to the browser's arrival: once, on its own host, on purpose."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.browsers import comparable
from tests.support.portal import PORTAL_URL, cookie_of
from vestibule import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy
    from tests.support.tables import Tables

OVER = f"{PORTAL_URL}/over"


@pytest.fixture(scope="module")
def patient(open_portal: Callable[..., Portal], tables: Tables) -> tuple[Portal, str]:
    """One login URI for all who must not redeem it, with all the time in the world."""
    portal = open_portal()
    guid = portal.issue()["login_guid"]
    tables.change_login(guid, redeem_before=int(time.time() * 1000) + 600_000)
    return portal, guid


@pytest.mark.req("L06", "L13")
def test_the_first_browser_is_signed_in_and_sent_on_without_the_token(portal: Portal) -> None:
    # given
    uri = portal.issue_login_uri()
    guid = uri.rpartition("/")[2]

    # when
    arrived = portal.follow(uri)

    # then
    assert arrived.status_code == 303
    assert arrived.headers["location"] == "/dashboard"
    assert arrived.headers["referrer-policy"] == "no-referrer"
    assert arrived.headers["cache-control"] == "no-store"
    assert guid not in arrived.text
    (set_cookie,) = arrived.headers.get_list("set-cookie")
    name, *rules = set_cookie.split("; ")
    assert name.startswith("__Host-vestibule=")
    assert guid not in name
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(rules)
    assert not any(rule.startswith("Domain") for rule in rules)
    cookie = cookie_of(arrived)
    assert cookie is not None
    dashboard = portal.follow("/dashboard", cookie=cookie)
    assert dashboard.status_code == 200
    assert "Ada Lovelace" in dashboard.text
    assert "Lakeside Clinic" in dashboard.text


@pytest.mark.req("L04")
def test_the_guid_is_32_hex_characters_and_answers_are_never_kept(portal: Portal) -> None:
    # when
    answer = portal.api.post("/v1/login-uris", json={"user_id": portal.create_user()["id"]})

    # then
    issued = answer.json()
    assert re.fullmatch("[0-9a-f]{32}", issued["login_guid"])
    assert issued["login_uri"] == f"{portal.hub_url}/login/{issued['login_guid']}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == f"/v1/login-uris/{issued['login_guid']}"


@pytest.mark.req("L01", "L03", "L08")
def test_unknown_used_expired_and_revoked_get_the_same_answer_to_the_byte(portal: Portal, tables: Tables) -> None:
    # given
    used, expired, revoked = (portal.issue() for _ in range(3))
    assert cookie_of(portal.follow(used["login_uri"]))
    tables.change_login(expired["login_guid"], redeem_before=int(time.time() * 1000))
    assert portal.api.delete(f"/v1/login-uris/{revoked['login_guid']}").status_code == 204
    links = {
        "unknown": f"{portal.hub_url}/login/{'0123456789abcdef' * 2}",
        "used": used["login_uri"],
        "expired": expired["login_uri"],
        "revoked": revoked["login_uri"],
    }

    # when: somebody else's browser follows each
    answers = {what: portal.follow(link, headers={"User-Agent": "somebody else's"}) for what, link in links.items()}

    # then
    assert {answer.status_code for answer in answers.values()} == {403}
    assert len({comparable(answer, links[what]) for what, answer in answers.items()}) == 1
    assert all(cookie_of(answer) is None for answer in answers.values())


@pytest.mark.req("L08")
@pytest.mark.parametrize("guid", ["", "x", "f" * 31, "f" * 33, "g" * 32, "%00" * 32, "%ED%A0%80", "..%2f..%2fetc"])
def test_what_is_no_guid_is_refused_without_touching_a_login(portal: Portal, aws: AwsProxy, guid: str) -> None:
    # when
    with aws.recording() as calls:
        answer = portal.follow(f"{portal.hub_url}/login/{guid}")

    # then
    assert answer.status_code in {303, 403, 404}
    assert cookie_of(answer) is None
    assert all(call.action == "GetItem" for call in calls)


@pytest.mark.req("L02")
def test_the_deadline_is_15_seconds_after_the_call_by_the_servers_clock(portal: Portal, tables: Tables) -> None:
    # given
    before = time.time_ns() // 1_000_000
    issued = portal.issue()
    after = time.time_ns() // 1_000_000

    # then
    row = tables.login(issued["login_guid"])
    assert row["redeem_before"] - row["created_at"] == 15_000
    assert before <= row["created_at"] <= after

    # when: a tenth of a second is over since the deadline, and the row still stands
    tables.change_login(issued["login_guid"], redeem_before=int(time.time() * 1000) - 100)

    # then
    assert portal.follow(issued["login_uri"]).status_code == 403
    assert "redeemed_at" not in tables.login(issued["login_guid"])
    assert state_of(portal, issued["login_guid"]) == "expired"


@pytest.mark.req("L05")
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("OPTIONS", {"Origin": PORTAL_URL, "Access-Control-Request-Method": "GET"}),
        ("POST", {}),
        ("PUT", {}),
        ("DELETE", {}),
        ("PATCH", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
        ("GET", {"Sec-Purpose": "prefetch;anonymous-client-ip"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"X-Moz": "prefetch"}),
        ("GET", {"x-moz": "Prefetch"}),
    ],
)
@pytest.mark.parametrize("path", ["/login/", "/Account/AutoLogin/", "/account/autologin/auto=", "/Account/Login?auto="])
def test_what_is_no_persons_click_never_redeems(
    patient: tuple[Portal, str], tables: Tables, method: str, headers: dict[str, str], path: str
) -> None:
    # given
    portal, guid = patient

    # when
    answer = portal.follow(f"{portal.hub_url}{path}{guid}", method=method, headers=headers)

    # then
    assert answer.status_code in {303, 403, 404, 405}
    assert cookie_of(answer) is None
    assert method != "HEAD" or answer.content == b""
    assert "redeemed_at" not in tables.login(guid)


@pytest.mark.req("L05")
def test_after_all_that_the_link_still_works_and_no_browser_keeps_the_refusal(patient: tuple[Portal, str]) -> None:
    # given
    portal, guid = patient
    refused = portal.follow(f"/login/{guid}", headers={"Sec-Purpose": "prefetch"})
    assert refused.status_code == 403
    assert refused.headers["cache-control"] == "no-store"

    # when
    arrived = portal.follow(f"/login/{guid}")

    # then
    assert cookie_of(arrived)


@pytest.mark.req("L06", "L15")
@pytest.mark.parametrize(
    "path",
    [
        "/login/{}",
        "/Account/AutoLogin/{}",
        "/Account/AutoLogin/auto={}",
        "/account/autologin/{}",
        "/ACCOUNT/AUTOLOGIN/AUTO={}",
        "/Account/Login?auto={}",
        "/account/login?Auto={}",
        "/Login/{}",
    ],
)
def test_every_spelling_of_the_link_arrives_and_keeps_scroll_to_and_launch(portal: Portal, path: str) -> None:
    # given
    guid = portal.issue()["login_guid"]
    address = f"{portal.hub_url}{path.format(guid)}"
    address += "&" if "?" in address else "?"

    # when: a browser follows, over the canonical address if it is sent there
    answer = portal.follow(f"{address}scrollTo=4711&launch=1")
    if answer.headers.get("location", "").startswith("/login/"):
        assert cookie_of(answer) is None
        answer = portal.follow(answer.headers["location"])

    # then
    assert answer.status_code == 303
    assert cookie_of(answer)
    assert answer.headers["location"] == "/dashboard?scrollTo=4711&launch=1"


@pytest.mark.req("L06", "L07")
def test_a_login_leads_to_its_next_path_or_to_the_dashboard(portal: Portal) -> None:
    # given
    user_id = portal.create_user()["id"]

    # when
    landings = {
        asked: portal.follow(portal.issue_login_uri(user_id, next=asked)).headers["location"]
        for asked in ("/dashboard?scrollTo=1", "/providers/dashboard", "/Dashboard/P/7", "/no/such/page")
    }

    # then
    assert landings == {
        "/dashboard?scrollTo=1": "/dashboard?scrollTo=1",
        "/providers/dashboard": "/dashboard",
        "/Dashboard/P/7": "/dashboard?user=7",
        "/no/such/page": "/dashboard",
    }


@pytest.mark.req("L09")
def test_the_same_browser_again_goes_on_without_a_second_sign_in(portal: Portal, tables: Tables) -> None:
    # given
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    row = tables.login(issued["login_guid"])

    # when
    again = portal.follow(f"{issued['login_uri']}?launch=1", cookie=cookie)

    # then
    assert again.status_code == 303
    assert again.headers["location"] == "/dashboard?launch=1"
    assert cookie_of(again) is None
    assert tables.login(issued["login_guid"]) == row
    assert tables.events_of(issued["login_guid"]) == []


@pytest.mark.req("L09")
def test_of_a_double_click_the_loser_is_told_how_to_find_out(portal: Portal, tables: Tables) -> None:
    # given: two requests left the browser before the first one's cookie came back
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    assert cookie is not None

    # when
    loser = portal.follow(issued["login_uri"])

    # then: its page asks whether this browser is signed in by this very login, by script or without
    key = ids.digest(issued["login_guid"])
    assert loser.status_code == 403
    assert f'data-login="{key}"' in loser.text
    state = portal.follow(f"/sign-in/state?login={key}", cookie=cookie)
    assert state.json() == {"state": "here"}
    again = re.search(r'http-equiv="refresh" content="1;url=([^"]+)"', loser.text)
    assert again is not None
    assert portal.follow(again[1].replace("&amp;", "&"), cookie=cookie).headers["location"] == "/dashboard"
    assert tables.events_of(issued["login_guid"]) == []


@pytest.mark.req("L10")
def test_somebody_elses_second_try_is_an_audit_event_and_ends_nothing(portal: Portal, tables: Tables) -> None:
    # given
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"], headers={"User-Agent": "hers"}))
    assert cookie is not None

    # when
    refused = portal.follow(issued["login_uri"], headers={"User-Agent": "somebody else's"})

    # then
    assert refused.status_code == 403
    (event,) = tables.events_of(issued["login_guid"])
    assert event["kind"] == "login_uri.reused"
    assert event["facts"]["user_id"] == issued["user_id"]
    assert portal.is_signed_in(cookie)


@pytest.mark.req("L10")
def test_with_revoke_on_reuse_the_second_try_ends_the_first_sign_in(
    open_portal: Callable[..., Portal], tables: Tables
) -> None:
    # given
    portal = open_portal(revoke_on_reuse=True)
    issued = portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"], headers={"User-Agent": "hers"}))
    assert cookie is not None
    assert portal.is_signed_in(cookie)

    # when
    refused = portal.follow(issued["login_uri"], headers={"User-Agent": "somebody else's"})

    # then
    assert refused.status_code == 403
    assert not portal.is_signed_in(cookie)
    assert len(tables.events_of(issued["login_guid"])) == 1


@pytest.mark.req("L13")
def test_an_arriving_login_replaces_the_old_sign_in_and_ends_it(portal: Portal) -> None:
    # given
    grace = portal.create_user(full_name="Grace Hopper")["id"]
    old = portal.sign_in()
    assert portal.is_signed_in(old)

    # when: another person's login arrives in the same browser
    arrived = portal.follow(portal.issue_login_uri(grace), cookie=old)

    # then
    new = cookie_of(arrived)
    assert new is not None
    assert not portal.is_signed_in(old)
    page = portal.follow(arrived.headers["location"], cookie=new)
    assert page.status_code == 200
    assert "now signed in as" in page.text
    assert "Grace Hopper" in page.text


@pytest.mark.req("L13")
def test_the_same_person_arriving_anew_is_not_called_another(portal: Portal) -> None:
    # given
    ada = portal.create_user()["id"]
    old = portal.sign_in(ada)

    # when
    arrived = portal.follow(portal.issue_login_uri(ada), cookie=old)

    # then
    assert arrived.headers["location"] == "/dashboard"
    assert not portal.is_signed_in(old)


@pytest.mark.req("L13")
@pytest.mark.parametrize("cookie", ["x", "a.b.c.d", "0" * 64 + ".1.2.3", '"; $Path=/', "." * 200])
def test_a_cookie_that_proves_nothing_does_not_stand_in_the_way(portal: Portal, cookie: str) -> None:
    # when
    arrived = portal.follow(portal.issue_login_uri(), headers={"Cookie": f"other=1; __Host-vestibule={cookie}; b"})

    # then
    assert arrived.status_code == 303
    assert cookie_of(arrived)


@pytest.mark.req("L03")
def test_revoking_before_refuses_and_revoking_after_kills(portal: Portal) -> None:
    # given
    before, after = portal.issue(), portal.issue()
    cookie = cookie_of(portal.follow(after["login_uri"]))
    assert cookie is not None
    assert portal.is_signed_in(cookie)

    # when
    for issued in (before, after, after):  # revoking again changes nothing
        assert portal.api.delete(f"/v1/login-uris/{issued['login_guid']}").status_code == 204

    # then
    assert portal.follow(before["login_uri"]).status_code == 403
    assert not portal.is_signed_in(cookie)
    assert state_of(portal, before["login_guid"]) == state_of(portal, after["login_guid"]) == "revoked"


@pytest.mark.req("L03")
def test_an_account_may_spare_sign_ins_when_it_revokes(open_portal: Callable[..., Portal]) -> None:
    # given
    portal = open_portal(revoke_ends_sign_in=False)
    issued, unused = portal.issue(), portal.issue()
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    assert cookie is not None

    # when
    for one in (issued, unused):
        assert portal.api.delete(f"/v1/login-uris/{one['login_guid']}").status_code == 204

    # then
    assert portal.is_signed_in(cookie)
    assert portal.follow(unused["login_uri"]).status_code == 403


def test_the_state_tells_a_logins_life(portal: Portal) -> None:
    # given
    issued = portal.issue()
    guid = issued["login_guid"]
    states = [state_of(portal, guid)]

    # when
    cookie = cookie_of(portal.follow(issued["login_uri"]))
    states.append(state_of(portal, guid))
    portal.follow("/logout", cookie=cookie)
    states.append(state_of(portal, guid))

    # then
    assert states == ["issued", "redeemed", "ended"]
    told = portal.api.get(f"/v1/login-uris/{guid}").json()
    assert told["user_id"] == issued["user_id"]
    assert told["created_at"] <= told["redeemed_at"] <= told["ended_at"]
    assert told["expires_at"] == issued["expires_at"]
    assert told["revoked_at"] is None


@pytest.mark.req("L16")
def test_who_may_not_come_in_gets_no_login_uri(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    # given
    foreign = open_portal().create_user(external_id="p-7")
    disabled = portal.create_user(external_id="p-8")
    assert portal.api.patch(f"/v1/users/{disabled['id']}", json={"status": "disabled"}).status_code == 200

    # when
    answers = {
        name: portal.api.post("/v1/login-uris", json=who)
        for name, who in {
            "another account's": {"user_id": foreign["id"]},
            "another account's external_id": {"external_id": "p-7"},
            "unknown": {"user_id": "12345678"},
            "unknown external_id": {"external_id": "nobody"},
            "disabled": {"user_id": disabled["id"]},
            "disabled external_id": {"external_id": "p-8"},
        }.items()
    }

    # then
    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in answers.items()} == {
        "another account's": (404, "user_not_found"),
        "another account's external_id": (404, "user_not_found"),
        "unknown": (404, "user_not_found"),
        "unknown external_id": (404, "user_not_found"),
        "disabled": (403, "user_disabled"),
        "disabled external_id": (403, "user_disabled"),
    }


@pytest.mark.req("L20")
def test_a_login_uri_opens_on_its_own_accounts_host_alone(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    # given
    other = open_portal()
    issued = portal.issue()

    # when
    elsewhere = other.follow(f"{other.hub_url}/login/{issued['login_guid']}")

    # then
    assert elsewhere.status_code == 403
    assert cookie_of(elsewhere) is None
    assert cookie_of(portal.follow(issued["login_uri"]))


@pytest.mark.req("L20")
def test_a_cookie_opens_nothing_on_another_accounts_host(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    # given
    other = open_portal()
    cookie = portal.sign_in()

    # when
    dashboard = other.follow("/dashboard", cookie=cookie)
    sign_in = other.follow("/sign-in", cookie=cookie)
    state = other.follow("/sign-in/state", cookie=cookie)

    # then
    assert dashboard.status_code == 303
    assert dashboard.headers["location"].startswith("/sign-in")
    assert sign_in.status_code == 200
    assert state.json() == {"state": "none"}
    assert "Ada Lovelace" not in dashboard.text + sign_in.text


@pytest.mark.req("L20")
def test_another_hosts_logout_does_not_tell_where_a_sign_in_would_have_led(
    portal: Portal, open_portal: Callable[..., Portal]
) -> None:
    # given
    cookie = portal.sign_in(redirect_to_uri_on_expiry=OVER)

    # when
    left = open_portal().follow("/logout", cookie=cookie)

    # then
    assert left.headers["location"] == "/sign-in"


def state_of(portal: Portal, guid: str) -> str:
    return str(portal.api.get(f"/v1/login-uris/{guid}").json()["state"])
