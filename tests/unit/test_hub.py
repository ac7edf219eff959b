"""The hub's functions as a browser meets them: arriving, staying, leaving."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tests.support.events import CONTEXT, cookie_of, header, hub_event, json_of
from tests.support.house import add_user, open_account
from tests.support.template import resources
from tests.support.visits import PAGES, Browser, text_of
from vestibule.clock import DAY, MINUTE, SECOND
from vestibule.domain.login_uris import State
from vestibule.http.pages.assets import asset_url

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, MotoAws, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

ON_EXPIRY = "https://portal.example/bye?from=hub"
UNKNOWN_GUID = "0" * 32


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account)


@pytest.fixture
def browser(function: LoadFunction, account: Account) -> Browser:
    return Browser(function)


def link(house: House, account: Account, user: User, **further: Any) -> str:
    issued = house.login_uris.issue(account, user_id=user.user_id, **further)
    return f"/login/{issued.guid}"


def state(house: House, account: Account, path: str) -> State:
    return house.login_uris.state_of(house.login_uris.find(account.account_id, path.rpartition("/")[2]))


def test_the_pages_here_are_the_templates() -> None:
    routes = {
        (function["Properties"]["CodeUri"].removeprefix("functions/"), event["Properties"]["Path"])
        for function in resources("AWS::Serverless::Function").values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Properties"].get("RestApiId") == {"Ref": "HubApi"}
    }
    assert {(folder, resource) for folder, resource, _ in PAGES.values()} <= routes


# --- arriving ---


@pytest.mark.req("L06", "L13")
def test_a_login_uri_signs_in_and_goes_on(browser: Browser, house: House, account: Account, user: User) -> None:
    # when
    path = link(house, account, user)
    answer = browser.ask(path)
    # then
    assert answer["statusCode"] == 303
    assert header(answer, "location") == "/dashboard"
    assert header(answer, "referrer-policy") == "no-referrer"
    assert header(answer, "cache-control") == "no-store"
    assert path.rpartition("/")[2] not in str(header(answer, "location"))
    (cookie,) = answer["multiValueHeaders"]["Set-Cookie"]
    attributes = {part.strip().partition("=")[0].lower(): part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-vestibule=")
    assert set(attributes) == {"path", "secure", "httponly", "samesite", "max-age"}
    assert (attributes["path"], attributes["samesite"]) == ("Path=/", "SameSite=Lax")
    # the late visitor is still recognised
    assert int(attributes["max-age"].partition("=")[2]) >= 30 * DAY // SECOND
    # then: greeted by name
    page = browser.ask("/dashboard")
    assert page["statusCode"] == 200
    assert user.full_name in text_of(page)
    assert account.name in text_of(page)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"sec-purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"X-Moz": "prefetch"}),
    ],
)
@pytest.mark.req("L05")
def test_whoever_only_looks_ahead_redeems_nothing(
    browser: Browser, house: House, account: Account, user: User, method: str, headers: dict[str, str]
) -> None:
    path = link(house, account, user)
    answer = browser.ask(path, method, headers=headers)
    assert state(house, account, path) is State.ISSUED
    assert answer["statusCode"] == 403
    assert answer["body"] == ""
    assert header(answer, "cache-control") == "no-store"
    assert browser.cookie is None
    # and the person's own click still works
    assert browser.ask(path)["statusCode"] == 303


@pytest.mark.req("L08", "L02", "L03")
def test_unknown_expired_used_and_revoked_are_one_page(
    function: LoadFunction, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    # given
    used, revoked, expired = (link(house, account, user) for _ in range(3))
    other = open_account(house, "other")
    foreign = link(house, other, add_user(house, other))
    Browser(function, agent="the first").ask(used)
    house.login_uris.revoke(account, revoked.rpartition("/")[2])
    clock.advance(15_000)
    # when
    answers = {
        path: Browser(function, agent="another").ask(path)
        for path in (f"/login/{UNKNOWN_GUID}", used, revoked, expired, foreign)
    }
    # then: the same but for the GUID that the browser brought itself, and its digest
    assert {answer["statusCode"] for answer in answers.values()} == {403}
    shown = {
        re.sub(r"[0-9a-f]{64}", "DIGEST", answer["body"].replace(path.rpartition("/")[2], "GUID"))
        for path, answer in answers.items()
    }
    assert len(shown) == 1
    assert len({str(sorted(answer["headers"].items())) for answer in answers.values()}) == 1
    assert all(cookie_of(answer) is None for answer in answers.values())


@pytest.mark.parametrize("guid", ["x", "0" * 31, "0" * 5_000, "%00", "..", "auto=", "<script>", "ü", "'\"><b>"])
@pytest.mark.req("L08", "P04")
def test_what_is_no_guid_is_that_page_too(browser: Browser, guid: str) -> None:
    answer = browser.ask(f"/login/{guid}")
    assert answer["statusCode"] == 403
    assert "<script>" not in answer["body"].lower().replace("<script src", "")
    assert "<b>" not in answer["body"]


@pytest.mark.parametrize(
    "spelling", ["/Account/AutoLogin/{}", "/Account/AutoLogin/auto={}", "/account/autologin/{}", "/LOGIN/{}",
                 "/Account/AUTOLOGIN/auto={}", "/Account/Login?auto={}", "/account/LOGIN?AUTO={}"],
)  # fmt: skip
@pytest.mark.req("D01", "L15")
def test_every_spelling_of_a_link_arrives_with_what_it_carries(
    function: LoadFunction, house: House, account: Account, user: User, spelling: str
) -> None:
    # given
    browser = Browser(function)
    guid = link(house, account, user).rpartition("/")[2]
    address = spelling.format(guid.upper())
    address += ("&" if "?" in address else "?") + "launch=1&ScrollTo=36209"
    # when: over the doorway, when the gateway knows the spelling under no route of its own
    steps = 0
    while browser.cookie is None and steps < 3:
        answer = browser.ask(address)
        assert answer["statusCode"] == 303
        address, steps = header(answer, "location") or "", steps + 1
    # then
    assert browser.cookie
    target = urlsplit(address)
    assert target.path == "/dashboard"
    assert dict(parse_qsl(target.query)) == {"scrollTo": "36209", "launch": "1"}


@pytest.mark.parametrize("query", ["", "?a=1", "?scrollTo=5&launch=1&passkey=x", "?passkey=x&scrollTo=5"])
@pytest.mark.req("L15")
def test_what_is_carried_reaches_the_portals_own_next(
    browser: Browser, house: House, account: Account, user: User, query: str
) -> None:
    answer = browser.ask(link(house, account, user, next_path="/dashboard?tab=2") + query)
    target = dict(parse_qsl(urlsplit(header(answer, "location") or "").query))
    sent = dict(parse_qsl(query.removeprefix("?")))
    sent.pop("a", None)
    assert target == {"tab": "2", **sent}


@pytest.mark.req("L09")
def test_the_same_browser_again_goes_on_to_the_dashboard(
    browser: Browser, house: House, account: Account, user: User, moto_aws: MotoAws, settings: Settings
) -> None:
    # given
    path = link(house, account, user)
    browser.ask(path)
    cookie = browser.cookie
    # when: reload, back
    for _ in range(3):
        answer = browser.ask(path + "?launch=1")
        assert (answer["statusCode"], header(answer, "location")) == (303, "/dashboard?launch=1")
        assert cookie_of(answer) is None
    # then
    assert browser.cookie == cookie
    assert moto_aws.stored(settings.journal_table) == []


@pytest.mark.req("L09")
def test_two_cookieless_requests_at_once_both_end_on_the_dashboard(
    function: LoadFunction, house: House, account: Account, user: User
) -> None:
    # given: both left before the first answer's cookie came in
    path = link(house, account, user)
    first, second = Browser(function), Browser(function)
    assert first.ask(path)["statusCode"] == 303
    refused = second.ask(path)
    assert refused["statusCode"] == 403
    # when: the browser shows the later answer; by now its jar holds the cookie, and the page looks once more
    again = re.search(r'content="1;url=(/login/[^"]*again=1[^"]*)"', refused["body"])
    assert again is not None
    second.cookie = first.cookie
    answer = second.ask(unescape(again[1]))
    # then
    assert (answer["statusCode"], header(answer, "location")) == (303, "/dashboard")
    # and for its script there is the other way to ask
    login = re.search(r'data-login="([^"]+)"', refused["body"])
    assert login is not None
    assert json_of(second.ask(f"/sign-in/state?login={login[1]}")) == {"state": "here"}


@pytest.mark.req("L09")
def test_the_second_look_is_the_last(browser: Browser) -> None:
    refused = browser.ask(f"/login/{UNKNOWN_GUID}?again=1")
    assert refused["statusCode"] == 403
    assert "again=1" not in refused["body"]


@pytest.mark.req("L13")
def test_when_another_person_was_signed_in_the_page_says_who_is_now(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    # given
    browser.ask(link(house, account, user))
    former = browser.cookie
    # when
    page = browser.follow(link(house, account, add_user(house, account, full_name="Ben Okafor")))
    # then
    assert "Ben Okafor" in text_of(page)
    assert "signed in as Ben Okafor" in text_of(page)
    # and the former sign-in is over
    browser.cookie = former
    assert browser.ask("/dashboard")["statusCode"] == 303


@pytest.mark.req("L13")
def test_the_same_person_arriving_anew_is_told_nothing(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    assert "signed in as" not in text_of(browser.follow(link(house, account, user)))


# --- staying ---


@pytest.mark.req("L20")
def test_a_cookie_of_one_accounts_host_opens_nothing_on_anothers(
    browser: Browser, function: LoadFunction, house: House, account: Account, user: User
) -> None:
    # given
    open_account(house, "other")
    browser.ask(link(house, account, user))
    elsewhere = Browser(function, "other")
    elsewhere.cookie = browser.cookie
    # when, then
    answer = elsewhere.ask("/dashboard")
    assert (answer["statusCode"], header(answer, "location")) == (303, "/sign-in?next=%2Fdashboard")
    assert json_of(elsewhere.ask("/sign-in/state")) == {"state": "none"}
    assert elsewhere.ask("/sign-in")["statusCode"] == 200


@pytest.mark.req("L20")
def test_a_login_uri_opens_on_its_own_accounts_host_alone(
    function: LoadFunction, house: House, account: Account, user: User
) -> None:
    open_account(house, "other")
    path = link(house, account, user)
    assert Browser(function, "other").ask(path)["statusCode"] == 403
    assert Browser(function, "nobody").ask(path)["statusCode"] == 404
    assert state(house, account, path) is State.ISSUED
    assert Browser(function).ask(path)["statusCode"] == 303


@pytest.mark.parametrize("path", ["/", "/dashboard", "/sign-in", "/logout", f"/login/{UNKNOWN_GUID}", "/nothing"])
def test_on_nobodys_host_people_are_helped_to_theirs(function: LoadFunction, house: House, path: str) -> None:
    answer = Browser(function, "nobody").ask(path)
    assert answer["statusCode"] == 404
    assert ".hub.vestibule.example" in answer["body"].replace("<wbr>", "")


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard?scrollTo=5&launch=1", "/Dashboard/P/17?launch=1"])
@pytest.mark.req("L15")
def test_without_a_sign_in_the_way_leads_to_one_and_back(browser: Browser, path: str) -> None:
    answer = browser.ask(path)
    target = urlsplit(header(answer, "location") or "")
    assert (answer["statusCode"], target.path) == (303, "/sign-in")
    back = urlsplit(dict(parse_qsl(target.query))["next"])
    assert back.path == "/dashboard"
    assert dict(parse_qsl(urlsplit(path).query)).items() <= dict(parse_qsl(back.query)).items()


@pytest.mark.req("L15")
def test_somebody_signed_in_already_is_sent_on_from_the_sign_in_page(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    answer = browser.ask("/sign-in?next=%2Fdashboard%3FscrollTo%3D5&launch=1")
    target = urlsplit(header(answer, "location") or "")
    assert target.path == "/dashboard"
    assert dict(parse_qsl(target.query)) == {"scrollTo": "5", "launch": "1"}


@pytest.mark.parametrize(
    "next_path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/x"]
)
@pytest.mark.req("L07")
def test_next_never_leaves_the_hub(
    browser: Browser, house: House, account: Account, user: User, next_path: str
) -> None:
    browser.ask(link(house, account, user))
    answer = browser.ask(f"/sign-in?next={next_path}")
    assert (header(answer, "location") or "").partition("?")[0] == "/dashboard"


@pytest.mark.req("L18")
def test_somebody_elses_dashboard_is_the_persons_own(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    other = add_user(house, account, full_name="Ben Okafor")
    browser.ask(link(house, account, user))
    page = browser.ask(f"/Dashboard/P/{other.user_id}")
    assert page["statusCode"] == 200
    assert user.full_name in text_of(page)
    assert "Ben Okafor" not in text_of(page)
    assert "another person" in text_of(page)
    assert "another person" not in text_of(browser.ask(f"/Dashboard/P/{user.user_id}"))


@pytest.mark.req("L18")
def test_a_session_that_is_not_theirs_is_ignored_with_a_word(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    page = browser.ask("/dashboard?scrollTo=99&launch=1")
    assert page["statusCode"] == 200
    assert "session" in text_of(page)
    assert text_of(page) != text_of(browser.ask("/dashboard"))


@pytest.mark.req("L12")
def test_an_idle_sign_in_goes_where_the_portal_said(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    browser.ask(link(house, account, user, redirect_to_uri_on_expiry=ON_EXPIRY))
    for age in (240 * MINUTE, 29 * DAY):
        clock.advance(age)
        answer = browser.ask("/dashboard")
        assert (answer["statusCode"], header(answer, "location")) == (303, ON_EXPIRY)
        assert json_of(browser.ask("/sign-in/state")) == {"state": "none"}


@pytest.mark.req("L12", "L15")
@pytest.mark.parametrize("address", ["/dashboard?scrollTo=40718806&launch=1", "/dashboard/rooms", "/plan/40718806"])
def test_after_an_idle_sign_in_the_way_goes_on_where_it_led(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock, address: str
) -> None:
    browser.ask(link(house, account, user))
    clock.advance(240 * MINUTE)
    answer = browser.ask(address)
    query = parse_qs(urlsplit(header(answer, "location") or "").query)
    assert (answer["statusCode"], query) == (303, {"expired": ["1"], "next": [address]})


@pytest.mark.req("L12", "L07")
def test_an_address_that_left_the_list_meanwhile_is_not_gone_to(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    browser.ask(link(house, account, user, redirect_to_uri_on_expiry=ON_EXPIRY))
    house.accounts.change(account.account_id, {"redirect_uris": []})
    clock.advance(240 * MINUTE)
    assert header(browser.ask("/dashboard"), "location") == "/sign-in?expired=1"
    assert header(browser.ask("/logout"), "location") == "/sign-in?signed_out=1"


@pytest.mark.req("L12")
def test_asking_who_is_signed_in_keeps_nobody_signed_in(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    browser.ask(link(house, account, user))
    for _ in range(24):
        assert json_of(browser.ask("/sign-in/state")) == {"state": "here"}
        clock.advance(10 * MINUTE)
    assert json_of(browser.ask("/sign-in/state")) == {"state": "none"}


@pytest.mark.req("L12")
def test_who_sits_in_a_session_stays_signed_in(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    # given
    browser.ask(link(house, account, user))
    assert browser.cookie is not None
    own = browser.cookie.partition(".")[0]
    # when: their page says so
    for _ in range(24):
        assert json_of(browser.ask(f"/sign-in/state?login={own}&seated=1")) == {"state": "here"}
        clock.advance(10 * MINUTE)
    assert json_of(browser.ask("/sign-in/state")) == {"state": "here"}
    # but not: somebody else's, which is still open
    for _ in range(24):
        assert json_of(browser.ask(f"/sign-in/state?login={'0' * 64}&seated=1"))["state"] != "here"
        clock.advance(10 * MINUTE)
    assert json_of(browser.ask("/sign-in/state")) == {"state": "none"}


def test_the_state_tells_here_from_elsewhere(browser: Browser, house: House, account: Account, user: User) -> None:
    assert json_of(browser.ask("/sign-in/state")) == {"state": "none"}
    browser.ask(link(house, account, user))
    answer = browser.ask(f"/sign-in/state?login={'0' * 64}")
    assert json_of(answer) == {"state": "elsewhere"}
    assert header(answer, "cache-control") == "no-store"


# --- leaving ---


@pytest.mark.req("L14")
def test_signing_out_ends_it_in_the_table_and_in_the_browser(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    # given
    path = link(house, account, user)
    browser.ask(path)
    replayed = browser.cookie
    # when
    answer = browser.ask("/logout")
    # then
    assert (answer["statusCode"], header(answer, "location")) == (303, "/sign-in?signed_out=1")
    assert browser.cookie is None
    assert state(house, account, path) is State.ENDED
    browser.cookie = replayed
    assert browser.ask("/dashboard")["statusCode"] == 303
    assert browser.ask(path)["statusCode"] == 403


@pytest.mark.req("L14")
def test_signing_out_takes_the_passes_to_sessions_with_it(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    # given: what came by a code or a link before, and what is none of ours
    browser.ask(link(house, account, user))
    browser.further = {"__Host-vestibule-pass-12345678": "sealed", "__Host-vestibule-pass-x": "y", "portal": "z"}
    # when
    answer = browser.ask("/logout")
    # then
    gone = [line.partition("=")[0] for line in answer["multiValueHeaders"]["Set-Cookie"] if "; Max-Age=0" in line]
    assert gone == ["__Host-vestibule", "__Host-vestibule-pass-12345678"]


@pytest.mark.parametrize(
    ("asked", "on_expiry", "target"),
    [
        ("https://portal.example/a", ON_EXPIRY, "https://portal.example/a"),
        ("", ON_EXPIRY, ON_EXPIRY),
        ("", None, "/sign-in?signed_out=1"),
        ("https://evil.example", ON_EXPIRY, ON_EXPIRY),
        ("https://evil.example", None, "/sign-in?signed_out=1"),
        ("//evil.example", None, "/sign-in?signed_out=1"),
        ("https://portal.example@evil.example", None, "/sign-in?signed_out=1"),
        ("https:evil.example", None, "/sign-in?signed_out=1"),
        ("javascript:alert(1)", None, "/sign-in?signed_out=1"),
        ("https://portal.example/\r\nSet-Cookie: a=b", None, "/sign-in?signed_out=1"),
        ("/dashboard", None, "/sign-in?signed_out=1"),
    ],
)
@pytest.mark.parametrize("path", ["/logout", "/Account/LogOffAndRedirect", "/account/LOGOFFANDREDIRECT"])
@pytest.mark.req("L07", "L14", "D01")
def test_signing_out_goes_where_it_may(
    function: LoadFunction, house: House, account: Account, user: User,
    path: str, asked: str, on_expiry: str | None, target: str,
) -> None:  # fmt: skip
    # given
    browser = Browser(function)
    browser.ask(link(house, account, user, redirect_to_uri_on_expiry=on_expiry))
    assert browser.cookie
    # when
    event: dict[str, Any] = {"query": {"redirectToUrl": asked}} if asked else {}
    folder, resource, _ = browser._page(path)  # noqa: SLF001
    answer = function(folder)(hub_event("GET", path, cookie=browser.cookie, resource=resource, **event), CONTEXT)
    if folder == "doorway":
        answer = browser.ask(header(answer, "location") or "")
    # then
    assert (answer["statusCode"], header(answer, "location")) == (303, target)


@pytest.mark.req("L14", "D01")
def test_an_address_that_a_portal_did_not_encode_is_put_together_again(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    answer = browser.ask("/logout?redirectToUrl=https://portal.example/x?a=1&b=2")
    assert header(answer, "location") == "https://portal.example/x?a=1&b=2"


@pytest.mark.req("L14")
def test_logout_works_with_an_ended_and_without_a_sign_in(
    browser: Browser, house: House, account: Account, user: User, clock: FakeClock
) -> None:
    # without
    assert header(browser.ask("/logout"), "location") == "/sign-in"
    assert header(browser.ask("/logout?redirectToUrl=https://portal.example/"), "location") == "https://portal.example/"
    # with one that ended long ago
    browser.ask(link(house, account, user, redirect_to_uri_on_expiry=ON_EXPIRY))
    clock.advance(20 * DAY)
    assert header(browser.ask("/logout"), "location") == ON_EXPIRY


@pytest.mark.req("L05")
def test_a_logout_link_that_is_only_prefetched_signs_nobody_out(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    for method, headers in (("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch"})):
        assert browser.ask("/logout", method, headers=headers)["statusCode"] == 403
    assert browser.ask("/dashboard")["statusCode"] == 200


def _form_token(page: dict[str, Any]) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page["body"])
    assert found is not None
    return found[1]


OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "https://clinic.hub.vestibule.example"}


@pytest.mark.parametrize(
    ("headers", "token", "is_own"),
    [
        (OWN, "own", True),
        ({"Sec-Fetch-Site": "same-origin"}, "own", True),
        ({"Origin": "https://clinic.hub.vestibule.example"}, "own", True),
        (OWN, "", False),
        (OWN, "wrong", False),
        (OWN, "\u00fc", False),
        ({}, "own", False),
        ({"Sec-Fetch-Site": "same-site"}, "own", False),
        ({"Sec-Fetch-Site": "cross-site"}, "own", False),
        ({"Sec-Fetch-Site": "none"}, "own", False),
        ({**OWN, "Sec-Fetch-Site": "cross-site"}, "own", False),
        ({"Origin": "null"}, "own", False),
        ({"Origin": "https://other.hub.vestibule.example"}, "own", False),
        ({"Origin": "https://clinic.hub.vestibule.example.evil.example"}, "own", False),
        ({"Origin": "https://evil.example/clinic.hub.vestibule.example"}, "own", False),
    ],
)
@pytest.mark.req("L19")
def test_a_post_is_of_the_same_origin_and_with_a_token_or_refused(
    browser: Browser,
    house: House,
    account: Account,
    user: User,
    headers: dict[str, str],
    token: str,
    is_own: bool,  # noqa: FBT001
) -> None:
    # given
    browser.ask(link(house, account, user))
    sent = _form_token(browser.ask("/dashboard")) if token == "own" else token
    # when
    answer = browser.ask("/logout", "POST", headers=headers, body=f"form_token={sent}&x=1")
    # then
    assert (browser.ask("/dashboard")["statusCode"] == 303) is is_own
    assert answer["statusCode"] == (303 if is_own else 403)


@pytest.mark.req("L19")
def test_another_sign_ins_token_is_none(
    browser: Browser, function: LoadFunction, house: House, account: Account, user: User
) -> None:
    # given: the attacker's own page and token, of the same account
    attacker = Browser(function)
    attacker.ask(link(house, account, add_user(house, account)))
    token = _form_token(attacker.ask("/dashboard"))
    browser.ask(link(house, account, user))
    # when
    answer = browser.ask("/logout", "POST", headers=OWN, body=f"form_token={token}")
    # then
    assert answer["statusCode"] == 403
    assert browser.ask("/dashboard")["statusCode"] == 200


@pytest.mark.req("L19", "P04")
def test_a_form_with_thousands_of_fields_is_refused(
    browser: Browser, house: House, account: Account, user: User
) -> None:
    browser.ask(link(house, account, user))
    token = _form_token(browser.ask("/dashboard"))
    body = "&".join(f"a{n}=1" for n in range(5_000)) + f"&form_token={token}"
    assert browser.ask("/logout", "POST", headers=OWN, body=body)["statusCode"] == 403


# --- other paths ---


@pytest.mark.req("L15")
def test_the_front_step_leads_to_the_dashboard(browser: Browser) -> None:
    assert header(browser.ask("/"), "location") == "/dashboard"
    assert header(browser.ask("/?ScrollTo=5&utm=x&launch=1"), "location") == "/dashboard?scrollTo=5&launch=1"


@pytest.mark.parametrize("path", ["/nothing", "/wp-login.php", "/login/a/b", "/.env", "//evil.example", "/%2f%2fevil"])
def test_no_page_says_so(browser: Browser, path: str) -> None:
    answer = browser.ask(path.replace("//", "/%2f"))
    assert answer["statusCode"] == 404
    assert header(answer, "location") is None


def test_scripts_come_under_their_hash_and_stay(function: LoadFunction) -> None:
    url = asset_url("arrive.js")
    name = url.rpartition("/")[2]
    values = {"file": name}
    got = function("static")(hub_event("GET", url, resource="/static/{file}", path_values=values), CONTEXT)
    assert got["statusCode"] == 200
    assert "immutable" in (header(got, "cache-control") or "")
    headed = function("static")(hub_event("HEAD", url, resource="/static/{file}", path_values=values), CONTEXT)
    assert (headed["statusCode"], headed["body"], headed["headers"]) == (200, "", got["headers"])
    for unknown in ("x.js", "..", "%2e%2e%2fstyle.py", "arrive.js", ""):
        event = hub_event("GET", f"/static/{unknown}", resource="/static/{file}", path_values={"file": unknown})
        assert function("static")(event, CONTEXT)["statusCode"] == 404


def test_a_head_is_answered_like_its_get_without_a_body(browser: Browser) -> None:
    for path in ("/sign-in", "/nothing"):
        got, headed = browser.ask(path), browser.ask(path, "HEAD")
        assert headed["statusCode"] == got["statusCode"]
        assert headed["body"] == ""
        assert headed["headers"] == got["headers"]


@pytest.mark.req("H01")
def test_every_page_has_its_guards(browser: Browser, house: House, account: Account, user: User) -> None:
    browser.ask(link(house, account, user))
    for path in ("/dashboard", f"/login/{UNKNOWN_GUID}", "/nothing"):
        answer = browser.ask(path)
        policy = header(answer, "content-security-policy") or ""
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy
        assert header(answer, "strict-transport-security")
        assert header(answer, "x-content-type-options") == "nosniff"
        assert header(answer, "cross-origin-opener-policy") == "same-origin"


# --- when something breaks ---


@pytest.mark.parametrize("path", ["/dashboard", "/sign-in", "/logout", f"/login/{UNKNOWN_GUID}", "/nothing"])
@pytest.mark.req("R01", "H04")
def test_an_outage_is_a_page_with_503(
    browser: Browser, house: House, account: Account, user: User, wire: Wire, path: str
) -> None:
    # given
    browser.ask(link(house, account, user))
    for operation in ("GetItem", "UpdateItem", "BatchGetItem"):
        wire.fail(operation, "InternalServerError", times=9)
    known = house.accounts
    known.__init__(known._store, house.clock, house.random, known._seal)  # type: ignore[misc]  # noqa: SLF001
    # when
    answer = browser.ask(path)
    # then
    assert answer["statusCode"] == 503
    assert header(answer, "retry-after") == "1"
    assert header(answer, "cache-control") == "no-store"
    assert "Error" not in text_of(answer)
    assert browser.cookie


@pytest.mark.req("R01")
def test_a_link_met_by_an_outage_is_good_for_another_try(
    browser: Browser, house: House, account: Account, user: User, wire: Wire
) -> None:
    path = link(house, account, user)
    wire.fail("UpdateItem", "ThrottlingException")
    answer = browser.ask(path)
    assert answer["statusCode"] == 503
    # the page's own button asks once more
    assert f'"{path}"' in answer["body"]
    assert browser.ask(path)["statusCode"] == 303


@pytest.mark.req("R01")
def test_a_defect_is_a_page_with_500_without_its_text(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("s3cret")

    monkeypatch.setattr(house.sign_ins, "check", break_down)
    answer = browser.ask("/dashboard")
    assert answer["statusCode"] == 500
    assert "s3cret" not in answer["body"]
    assert header(answer, "content-type") == "text/html; charset=utf-8"
