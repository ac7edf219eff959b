"""A session's pages as browsers meet them: waiting rooms, every kind of link, and the way to the stage."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from tests.support.events import CONTEXT, header, hub_event
from tests.support.house import START, add_user, open_account
from tests.support.template import resources
from vestibule.clock import HOUR, MINUTE, SECOND
from vestibule.domain.participants import Invitee
from vestibule.domain.phases import opens_at
from vestibule.domain.sessions import HostRef
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Participant, Session, User
    from vestibule.wiring import House

HUB = "https://clinic.hub.vestibule.example"
STAGE = {"kind": "url", "url": "https://stage.example/{session_id}?r={role}&back={return_url}#{grant}"}
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
ROUTES = {
    r"/join": ("join", "/join"),
    r"/join/(?P<code>[^/]+)": ("join", "/join/{code}"),
    r"/Pass/Join/(?P<code>[^/]+)": ("join", "/Pass/Join/{code}"),
    r"/p/(?P<token>[^/]+)": ("personal", "/p/{token}"),
    r"/r/(?P<token>[^/]+)": ("personal", "/r/{token}"),
    r"/embed/(?P<session_id>[^/]+)": ("embed_page", "/embed/{session_id}"),
    r"/seat": ("seat", "/seat"),
    r"/seat/leave": ("seat", "/seat/leave"),
    r"/s/(?P<session_id>[^/]+)": ("session_page", "/s/{session_id}"),
    r"/s/(?P<session_id>[^/]+)/register": ("registration", "/s/{session_id}/register"),
    r"/s/(?P<session_id>[^/]+)/left": ("session_page", "/s/{session_id}/left"),
    r"/s/(?P<session_id>[^/]+)/state": ("session_page", "/s/{session_id}/state"),
    r"/go/(?P<account>[^/]+)/(?P<friendly_url>[^/]+)": ("session_page", "/go/{account}/{friendly_url}"),
    r"/check": ("check", "/check"),
    r"/login/(?P<guid>[^/]+)": ("redeem", "/login/{guid}"),
    r"/sign-in": ("sign_in", "/sign-in"),
}


class Browser:
    """A browser with a jar for every cookie, which asks the function that the template would ask."""

    def __init__(self, function: LoadFunction, slug: str = "clinic") -> None:
        self._function = function
        self.slug = slug
        self.jar: dict[str, str] = {}

    def ask(self, address: str, method: str = "GET", **event: Any) -> dict[str, Any]:
        parts = urlsplit(address)
        folder, resource, values = self._route(parts.path)
        headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.jar.items()), **event.pop("headers", {})}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer: dict[str, Any] = self._function(folder)(
            hub_event(
                method,
                parts.path,
                slug=self.slug,
                resource=resource,
                path_values=values,
                query=query,
                headers=headers,
                **event,
            ),
            CONTEXT,
        )
        for line in (answer.get("multiValueHeaders") or {}).get("Set-Cookie", ()):
            name, _, rest = line.partition("=")
            self.jar[name] = rest.partition(";")[0]
        return answer

    def send(self, address: str, *, script: bool = False, **fields: str) -> dict[str, Any]:
        """Post a form of ours, as the page's script or without it."""
        headers = {**SAME_SITE, "Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"Accept": "application/json"} if script else {"Accept": "text/html"}
        return self.ask(address, "POST", headers=headers, body=urlencode(fields))

    @staticmethod
    def _route(path: str) -> tuple[str, str, dict[str, str]]:
        for pattern, (folder, resource) in ROUTES.items():
            found = re.fullmatch(pattern, path)
            if found:
                return folder, resource, found.groupdict()
        raise AssertionError(f"no page at {path}")


@pytest.fixture
def account(house: House) -> Account:
    return open_account(house, stage=STAGE, portal_url="https://portal.example/")


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Mia Lindqvist", email="mia@clinic.example")


@pytest.fixture
def plan(house: House, account: Account, host: User) -> Callable[..., tuple[Session, list[Participant]]]:
    """Plan a session of an hour that starts in an hour."""
    house.key_rotation.run()

    def make(**fields: Any) -> tuple[Session, list[Participant]]:
        given = {"title": "Consultation <1>", "starts_at": START + HOUR, "time_zone": "Europe/Berlin", **fields}
        guest = Invitee(full_name="Ben Okafor", email="ben@example.org")
        return house.sessions.create(account.account_id, HostRef(host.user_id), given, [guest])

    return make


@pytest.fixture
def planned(plan: Callable[..., Any]) -> tuple[Session, list[Participant]]:
    found: tuple[Session, list[Participant]] = plan()
    return found


@pytest.fixture
def browser(function: LoadFunction, account: Account) -> Browser:
    return Browser(function)


def sign_in(house: House, account: Account, user: User, browser: Browser) -> None:
    issued = house.login_uris.issue(account, user_id=user.user_id)
    assert browser.ask(f"/login/{issued.guid}")["statusCode"] == 303


def text_of(answer: dict[str, Any]) -> str:
    body = re.sub(r"(?s)<(style|script|title)\b.*?</\1>", " ", answer["body"])
    body = re.sub(r"</?(?:bdi|code|span|time)\b[^>]*>", "", body)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def data(answer: dict[str, Any], name: str) -> str | None:
    found = re.search(rf'data-{name}="([^"]*)"', answer["body"])
    return unescape(found[1]) if found else None


def field(answer: dict[str, Any], name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', answer["body"])
    assert found, f"the page has no field {name}"
    return unescape(found[1])


def action_of(answer: dict[str, Any]) -> str:
    found = re.search(r'<form[^>]* action="([^"]*)"', answer["body"])
    assert found, "the page has no form"
    return unescape(found[1])


def code_path(house: House, participant: Participant) -> str:
    return f"/join/{house.links.connect_code(participant)}"


def personal_path(house: House, participant: Participant) -> str:
    return f"/p/{house.links.personal_token(participant)}"


def test_the_routes_here_are_the_templates() -> None:
    routes = {
        (function["Properties"]["CodeUri"].removeprefix("functions/"), event["Properties"]["Path"])
        for function in resources("AWS::Serverless::Function").values()
        for event in function["Properties"].get("Events", {}).values()
        if event["Properties"].get("RestApiId") == {"Ref": "HubApi"}
    }
    assert set(ROUTES.values()) <= routes


# --- the waiting room of a code ---


@pytest.mark.req("S03", "H04")
def test_who_is_early_waits_and_is_told_until_when(
    browser: Browser, house: House, planned: tuple[Session, list[Participant]]
) -> None:
    _, (_, guest) = planned
    # when
    page = browser.ask(f"{code_path(house, guest)}?launch=1")
    # then
    assert page["statusCode"] == 200
    text = text_of(page)
    assert "Consultation <1>" in text
    assert "You come in as Ben Okafor." in text
    assert "Sunday, November 22, 2026, 4:49 AM \u2013 5:49 AM (Europe/Berlin)" in text
    assert "The doors open at 4:39 AM" in text
    assert data(page, "opens-in") == str(50 * MINUTE)
    assert data(page, "launch") == "no"
    assert "<form" not in page["body"]
    # without a script it looks again by itself, with everything kept
    assert f'content="60;url={code_path(house, guest)}?launch=1"' in page["body"]
    assert 'href="/check"' in page["body"]


@pytest.mark.req("S03", "L15")
def test_an_open_session_starts_by_itself_when_asked_to(
    browser: Browser, house: House, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = opens_at(session)
    path = code_path(house, guest)
    # when
    plain, launching = browser.ask(path), browser.ask(f"{path}?LAUNCH=1")
    # then
    assert (data(plain, "launch"), data(launching, "launch")) == ("no", "start")
    assert action_of(plain) == action_of(launching) == path
    assert data(browser.ask(f"{path}?launch=0"), "launch") == "no"


@pytest.mark.req("L05", "S02")
def test_what_a_browser_makes_ahead_of_the_click_starts_nothing(
    browser: Browser, house: House, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    for path in (code_path(house, guest), personal_path(house, guest)):
        ahead = {"Sec-Purpose": "prefetch;prerender"}
        assert browser.ask(f"{path}?launch=1", headers=ahead)["statusCode"] == 403
        assert browser.ask(path, headers=ahead)["statusCode"] == 200


@pytest.mark.req("S03")
def test_the_vendors_path_is_the_same_page(
    browser: Browser, house: House, planned: tuple[Session, list[Participant]]
) -> None:
    code = house.links.connect_code(planned[1][1])
    assert browser.ask(f"/Pass/Join/{code}?launch=1")["body"] == browser.ask(f"/join/{code}?launch=1")["body"]


@pytest.mark.req("S03", "L15")
def test_a_passkey_is_asked_for_and_launch_survives_a_wrong_one(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    # given
    session, (_, guest) = planned
    house.accounts.change(account.account_id, {"require_passkey": True})
    clock.now = session.starts_at
    path = code_path(house, guest)
    # when: none, then a wrong one
    for query, heading in (("launch=1", "Your passkey, please"), ("passkey=nope&launch=1", "This is not the passkey")):
        page = browser.ask(f"{path}?{query}")
        assert page["statusCode"] == 403
        assert heading in text_of(page)
        assert action_of(page) == path
        assert field(page, "launch") == "1"
        assert "nope" not in page["body"]
    # when: the right one, as the form sends it
    right = urlencode({"passkey": house.links.passkey(guest), "launch": "1"})
    page = browser.ask(f"{path}?{right}")
    # then
    assert data(page, "launch") == "start"
    assert action_of(page) == f"{path}?passkey={house.links.passkey(guest)}"
    assert browser.send(action_of(page), script=True)["statusCode"] == 200


@pytest.mark.parametrize("launch", ["", "?launch=1"])
@pytest.mark.req("S03", "H04")
def test_a_session_that_is_over_or_cancelled_says_so(
    browser: Browser, house: House, account: Account, clock: FakeClock, plan: Callable[..., Any], launch: str
) -> None:
    over, (_, guest) = plan()
    off, (_, other) = plan()
    house.sessions.cancel(account.account_id, off.session_id)
    for path in (code_path(house, other), personal_path(house, other), f"/s/{off.session_id}"):
        page = browser.ask(path + launch)
        assert (page["statusCode"], "This session was cancelled" in text_of(page)) == (410, True)
    clock.now = over.ends_at
    for path in (code_path(house, guest), personal_path(house, guest), f"/s/{over.session_id}"):
        page = browser.ask(path + launch)
        assert (page["statusCode"], "This session is over" in text_of(page)) == (410, True)
        assert "https://portal.example/" in page["body"]


@pytest.mark.req("S04", "H04")
def test_a_wrong_code_can_be_typed_once_more(browser: Browser, house: House, account: Account) -> None:
    for code, heading in (("123456789", "No session has this code"), ("12345", "A code has nine digits")):
        page = browser.ask(f"/join/{code}?launch=1")
        assert page["statusCode"] == 404
        assert heading in text_of(page)
        assert (action_of(page), field(page, "launch")) == ("/join", "1")
    sent = browser.ask("/join?" + urlencode({"code": "111 222-333", "launch": "1"}))
    assert (sent["statusCode"], header(sent, "location")) == (303, "/join/111222333?launch=1")
    assert header(browser.ask("/join?" + urlencode({"code": "abc/..?"})), "location") == "/join/abc%2F..%3F"
    assert "Join with your code" in text_of(browser.ask("/join"))


@pytest.mark.req("S04", "H04")
def test_a_blocked_network_is_told_what_still_works(
    browser: Browser, house: House, planned: tuple[Session, list[Participant]]
) -> None:
    for number in range(20):
        assert browser.ask(f"/join/{500_000_000 + number}")["statusCode"] == 404
    for method in ("GET", "HEAD", "POST"):
        page = browser.ask(code_path(house, planned[1][1]), method, headers=SAME_SITE)
        assert (page["statusCode"], header(page, "retry-after")) == (429, "3600")
    page = browser.ask(code_path(house, planned[1][1]))
    assert "Your own link still works" in text_of(page)
    # who says to come from elsewhere does not
    forged = browser.ask(code_path(house, planned[1][1]), headers={"X-Forwarded-For": "198.51.100.1"})
    assert forged["statusCode"] == 429
    assert browser.ask(personal_path(house, planned[1][1]))["statusCode"] == 200


@pytest.mark.req("S04")
def test_the_alarm_counts_wrong_codes_by_the_line_that_the_page_logs(
    browser: Browser, house: House, planned: tuple[Session, list[Participant]], caplog: pytest.LogCaptureFixture
) -> None:
    # given
    metric = resources("AWS::Logs::MetricFilter")["WrongCodesFilter"]
    pattern = metric["Properties"]["FilterPattern"]
    assert metric["Properties"]["LogGroupName"] == {"Ref": "JoinLogGroup"}
    (transformation,) = metric["Properties"]["MetricTransformations"]
    (part,) = [
        one
        for one in resources("AWS::CloudWatch::Alarm")["WrongCodesAlarm"]["Properties"]["Metrics"]
        if "MetricStat" in one
    ]
    watched = part["MetricStat"]["Metric"]
    assert watched["Namespace"] == transformation["MetricNamespace"]
    assert watched["MetricName"] == transformation["MetricName"]
    # when: a right one, one that is none, a wrong one
    for path in (code_path(house, planned[1][1]), "/join/12", "/join/500000001"):
        browser.ask(path)
    # then
    assert [line for line in caplog.messages if f'"{line}"' in pattern] == ["wrong connect code"]


# --- personal links ---


@pytest.mark.req("S02")
def test_a_personal_link_asks_nothing_and_changes_nothing(
    browser: Browser, house: House, clock: FakeClock, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    path = personal_path(house, guest)
    # when
    with wire.counting() as calls:
        pages = [browser.ask(path), browser.ask(path, "HEAD"), browser.ask(f"{path}?launch=1"), browser.ask(path)]
    # then
    assert [page["statusCode"] for page in pages] == [200] * 4
    assert {call.operation for call in calls} == {"GetItem", "BatchGetItem"}
    assert browser.jar == {}
    assert data(pages[0], "login") is None
    assert pages[0]["body"] == pages[3]["body"]


@pytest.mark.req("S02", "H04")
def test_every_personal_link_that_is_no_good_is_refused_alike(
    browser: Browser, house: House, account: Account, plan: Callable[..., Any]
) -> None:
    session, (_, guest) = plan()
    removed = personal_path(house, guest)
    house.participants.remove(account.account_id, session.session_id, guest.participant_id)
    session, (_, guest) = plan()
    rotated = personal_path(house, guest)
    house.participants.rotate(account.account_id, session.session_id, guest.participant_id)
    pages = [browser.ask(path) for path in (removed, rotated, "/p/x", f"{removed}x", "/p/1-2-3")]
    assert {(page["statusCode"], page["body"]) for page in pages} == {(403, pages[0]["body"])}
    assert "This link no longer works" in text_of(pages[0])


# --- the way to the stage ---


@pytest.mark.req("S02")
def test_going_in_leads_to_the_stage_with_a_grant_and_back(
    browser: Browser, house: House, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    path = personal_path(house, guest)
    # when
    answer = browser.send(path, script=True)
    # then
    parts = urlsplit(json.loads(answer["body"])["url"])
    assert (parts.netloc, parts.path) == ("stage.example", f"/{session.session_id}")
    assert parse_qs(parts.query) == {"r": ["attendee"], "back": [f"{HUB}/s/{session.session_id}/left"]}
    assert len(parts.fragment.split(".")) == 3
    # and what lets anybody in went to nobody
    assert path.rpartition("/")[2] not in answer["body"]
    # when: coming back
    page = browser.ask(f"/s/{session.session_id}")
    # then: known by the pass, nothing starts
    assert "You come in as Ben Okafor." in text_of(page)
    assert data(page, "launch") == "no"


@pytest.mark.req("H02")
def test_without_a_script_a_page_leads_on(
    browser: Browser, house: House, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    page = browser.send(code_path(house, guest))
    assert page["statusCode"] == 200
    assert '<meta http-equiv="refresh" content="0;url=https://stage.example/' in page["body"]
    assert f'href="/s/{session.session_id}"' in page["body"]


@pytest.mark.req("L19")
def test_another_sites_form_lets_nobody_in(
    browser: Browser,
    house: House,
    account: Account,
    host: User,
    clock: FakeClock,
    planned: tuple[Session, list[Participant]],
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    paths = (code_path(house, guest), personal_path(house, guest), f"/s/{session.session_id}")
    for path in paths:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            page = browser.ask(path, "POST", headers=headers, body="name=x")
            assert (page["statusCode"], "Please do that once more" in text_of(page)) == (403, True)
    # with a sign-in, the page's own token as well
    sign_in(house, account, host, browser)
    for path in paths:
        assert browser.send(path, script=True)["statusCode"] == 403
        token = field(browser.ask(path), "form_token")
        assert browser.send(path, script=True, form_token=token)["statusCode"] == 200


@pytest.mark.req("S03")
def test_nobody_goes_in_before_the_doors_open_or_after_the_end(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    path = personal_path(house, guest)
    for moment in (START, opens_at(session) - 1, session.ends_at):
        clock.now = moment
        assert json.loads(browser.send(path, script=True)["body"]) == {"reload": True}
        assert header(browser.send(f"{path}?launch=1"), "location") == path
    clock.now = session.starts_at
    assert "url" in json.loads(browser.send(path, script=True)["body"])
    house.sessions.cancel(account.account_id, session.session_id)
    assert json.loads(browser.send(path, script=True)["body"]) == {"reload": True}


@pytest.mark.req("H04")
def test_without_a_stage_the_host_is_told_which_setting_is_missing(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (host, guest) = planned
    clock.now = session.starts_at
    house.accounts.change(account.account_id, {"stage": None})
    as_host = browser.ask(f"{personal_path(house, host)}?launch=1")
    as_guest = browser.ask(f"{personal_path(house, guest)}?launch=1")
    assert "<code>stage</code>" in as_host["body"]
    assert "The host has not set up the room yet" in text_of(as_guest)
    assert "stage" not in text_of(as_guest)
    for page in (as_host, as_guest):
        assert data(page, "launch") == "no"
        assert "<form" not in page["body"]
    assert json.loads(browser.send(personal_path(house, guest), script=True)["body"]) == {"reload": True}


@pytest.mark.req("L15")
def test_an_application_is_never_opened_without_a_click(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    clock.now = session.starts_at
    house.accounts.change(account.account_id, {"stage": {"kind": "url", "url": "zoommtg://zoom.example/?g={grant}"}})
    path = personal_path(house, guest)
    page = browser.ask(f"{path}?launch=1")
    assert data(page, "launch") == "application"
    assert "your browser lets only you start one" in text_of(page)
    assert 'class="button marked"' in page["body"]
    sent = browser.send(path)
    assert "http-equiv" not in sent["body"]
    assert 'href="zoommtg://zoom.example/?g=' in sent["body"]


# --- generic and friendly links ---


@pytest.mark.req("S01", "L15")
def test_a_stranger_may_sign_in_and_come_back_or_give_a_name(
    browser: Browser, planned: tuple[Session, list[Participant]]
) -> None:
    session, _ = planned
    page = browser.ask(f"/s/{session.session_id}?launch=1")
    assert page["statusCode"] == 200
    back = urlencode({"next": f"/s/{session.session_id}?launch=1"})
    assert f'href="/sign-in?{back}"' in page["body"]
    assert "Consultation" not in page["body"], "a title may be nobody's business"
    assert 'type="password"' not in page["body"]


@pytest.mark.req("S01", "L15")
def test_whoever_signed_in_on_the_way_is_where_they_were_going(
    browser: Browser,
    house: House,
    account: Account,
    host: User,
    clock: FakeClock,
    planned: tuple[Session, list[Participant]],
) -> None:
    session, _ = planned
    clock.now = session.starts_at
    sign_in(house, account, host, browser)
    there = f"/s/{session.session_id}?launch=1"
    answer = browser.ask("/sign-in?" + urlencode({"next": there}))
    assert header(answer, "location") == there
    page = browser.ask(there)
    assert data(page, "launch") == "start"
    assert data(page, "login") == browser.jar["__Host-vestibule"].partition(".")[0]
    assert "You come in as Dr. Mia Lindqvist, the host." in text_of(page)
    started = json.loads(
        browser.send(f"/s/{session.session_id}", script=True, form_token=field(page, "form_token"))["body"]
    )
    # the stage leads back to the page around it, and that to the dashboard, at that session
    assert parse_qs(urlsplit(started["url"]).query)["back"] == [f"{HUB}/s/{session.session_id}/left"]
    assert f'href="/dashboard?scrollTo={session.session_id}"' in page["body"]


@pytest.mark.req("S01")
def test_a_stage_that_cannot_be_framed_is_gone_to_and_leads_back(
    browser: Browser,
    house: House,
    account: Account,
    host: User,
    clock: FakeClock,
    planned: tuple[Session, list[Participant]],
) -> None:
    house.accounts.change(account.account_id, {"stage": {**STAGE, "in_place": False}})
    session, _ = planned
    clock.now = session.starts_at
    sign_in(house, account, host, browser)
    page = browser.ask(f"/s/{session.session_id}")
    assert "frame-src" not in (header(page, "content-security-policy") or "")
    started = json.loads(
        browser.send(f"/s/{session.session_id}", script=True, form_token=field(page, "form_token"))["body"]
    )
    assert (started["in_place"], started["stays"]) == (False, False)
    assert parse_qs(urlsplit(started["url"]).query)["back"] == [f"{HUB}/dashboard?scrollTo={session.session_id}"]


@pytest.mark.req("L03", "L14")
def test_who_came_in_by_a_sign_in_does_not_come_back_without_it(
    browser: Browser,
    house: House,
    account: Account,
    host: User,
    clock: FakeClock,
    planned: tuple[Session, list[Participant]],
) -> None:
    # given: a host who is in the session
    session, _ = planned
    clock.now = session.starts_at
    issued = house.login_uris.issue(account, user_id=host.user_id)
    browser.ask(f"/login/{issued.guid}")
    path = f"/s/{session.session_id}"
    page = browser.ask(path)
    assert "url" in json.loads(browser.send(path, script=True, form_token=field(page, "form_token"))["body"])
    # when
    house.login_uris.revoke(account, issued.guid)
    # then: whoever is at this browser is nobody
    page = browser.ask(path)
    assert "Tell the others who you are." in text_of(page)
    assert host.full_name not in page["body"]


@pytest.mark.req("S01", "L18")
def test_a_user_who_is_not_on_the_list_confirms_with_a_click(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, _ = planned
    clock.now = session.starts_at
    sign_in(house, account, add_user(house, account, full_name="Nora Berg"), browser)
    page = browser.ask(f"/s/{session.session_id}?launch=1")
    assert data(page, "launch") == "confirm"
    assert "You are not on the list of this session" in text_of(page)
    sent = browser.send(action_of(page), script=True, form_token=field(page, "form_token"))
    assert "url" in json.loads(sent["body"])


@pytest.mark.req("S01")
def test_a_guest_gives_a_name_and_the_password(
    browser: Browser, house: House, clock: FakeClock, plan: Callable[..., Any]
) -> None:
    session, _ = plan(password="open sesame")
    clock.now = session.starts_at
    path = f"/s/{session.session_id}?launch=1"
    # when: nothing, a wrong one
    assert browser.send(path, name=" ", password="open sesame")["statusCode"] == 422
    wrong = browser.send(path, name="Ada", password="nope")
    assert wrong["statusCode"] == 403
    assert field(wrong, "name") == "Ada"
    assert "nope" not in wrong["body"]
    assert browser.jar == {}
    # when: the right one
    sent = browser.send(path, name="Ada <b>", password="open sesame")
    assert (sent["statusCode"], header(sent, "location")) == (303, path)
    cookie = sent["multiValueHeaders"]["Set-Cookie"][0]
    assert cookie.startswith(f"__Host-vestibule-pass-{session.session_id}=")
    assert "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=7200" in cookie
    assert "Ada" not in cookie
    # then
    page = browser.ask(path)
    assert "You come in as Ada <b>." in text_of(page)
    assert data(page, "launch") == "start"


@pytest.mark.req("S01")
def test_a_password_is_asked_of_users_who_are_not_on_the_list_and_of_no_participant(
    browser: Browser,
    function: LoadFunction,
    house: House,
    account: Account,
    host: User,
    clock: FakeClock,
    plan: Callable[..., Any],
) -> None:
    session, (_, guest) = plan(password="open sesame")
    clock.now = session.starts_at
    path = f"/s/{session.session_id}"
    sign_in(house, account, add_user(house, account, full_name="Nora Berg"), browser)
    page = browser.ask(path)
    assert "This session has a password" in text_of(page)
    assert 'name="name"' not in page["body"]
    token = field(page, "form_token")
    assert browser.send(path, password="nope", form_token=token)["statusCode"] == 403
    assert browser.send(path, password="open sesame", form_token=token)["statusCode"] == 303
    assert "You come in as Nora Berg." in text_of(browser.ask(path))
    # somebody else in the same browser is asked again
    sign_in(house, account, add_user(house, account, full_name="Tom Weiss"), browser)
    assert "This session has a password" in text_of(browser.ask(path))
    # who takes part is not asked
    other = Browser(function)
    sign_in(house, account, host, other)
    assert "the host" in text_of(other.ask(path))
    assert 'type="password"' not in other.ask(personal_path(house, guest))["body"]


@pytest.mark.req("S01")
def test_wrong_passwords_are_limited(browser: Browser, plan: Callable[..., Any]) -> None:
    session, _ = plan(password="open sesame")
    path = f"/s/{session.session_id}"
    for _ in range(10):
        assert browser.send(path, name="Ada", password="nope")["statusCode"] == 403
    page = browser.send(path, name="Ada", password="open sesame")
    assert (page["statusCode"], "Please wait an hour" in text_of(page)) == (429, True)


@pytest.mark.req("S01")
def test_a_friendly_link_leads_to_the_session_on_its_own_accounts_host(
    browser: Browser, house: House, account: Account, plan: Callable[..., Any], clock: FakeClock
) -> None:
    session, _ = plan(friendly_url="Annual-Review")
    sent = browser.ask("/go/clinic/Annual-Review?launch=1")
    assert (sent["statusCode"], header(sent, "location")) == (303, f"/s/{session.session_id}?launch=1")
    open_account(house, "school")
    for path in (
        "/go/clinic/annual-review",
        "/go/clinic/other",
        "/go/school/Annual-Review",
        "/go/no-one/x",
        "/go/clinic/a b",
    ):
        page = browser.ask(path)
        assert (page["statusCode"], "There is no such session" in text_of(page)) == (404, True)
    # a portal that knows its account by the client_id alone writes that one
    theirs = f"{account.account_id}-portal"
    assert header(browser.ask(f"/go/{theirs}/Annual-Review"), "location") == f"/s/{session.session_id}"
    for name in (account.account_id, f"1{theirs}", f"{theirs[1:]}", "-portal"):
        assert browser.ask(f"/go/{name}/Annual-Review")["statusCode"] == 404
    # a slug that the account has left still leads here
    house.accounts.change(account.account_id, {"slug": "clinic-north"})
    clock.advance(MINUTE)
    assert browser.ask("/go/clinic/Annual-Review")["statusCode"] == 303


@pytest.mark.parametrize("session_id", ["99999999", "0", "x", "9" * 300, "123456789\u0660"])
@pytest.mark.req("H04")
def test_no_session_is_a_page_of_its_own(browser: Browser, account: Account, session_id: str) -> None:
    page = browser.ask(f"/s/{session_id}")
    assert (page["statusCode"], "There is no such session" in text_of(page)) == (404, True)


@pytest.mark.req("L20")
def test_another_accounts_host_knows_nothing_of_a_session(
    function: LoadFunction, house: House, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    open_account(house, "school")
    elsewhere = Browser(function, "school")
    assert elsewhere.ask(f"/s/{session.session_id}")["statusCode"] == 404
    assert elsewhere.ask(personal_path(house, guest))["statusCode"] == 403
    assert elsewhere.ask(code_path(house, guest))["statusCode"] == 404
    assert json.loads(elsewhere.ask(f"/s/{session.session_id}/state")["body"])["phase"] == "gone"
    nowhere = Browser(function, "nobody")
    for path in (f"/s/{session.session_id}", personal_path(house, guest), code_path(house, guest), "/check", "/join"):
        assert "Which organisation are you looking for?" in text_of(nowhere.ask(path))


# --- what an open page learns ---


@pytest.mark.req("S03")
def test_an_open_page_learns_of_every_change(
    browser: Browser, house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    page = browser.ask(code_path(house, guest))

    def state() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(browser.ask(data(page, "state-url") or "")["body"])
        return found

    # given
    assert (str(state()["version"]), state()["phase"]) == (data(page, "version"), data(page, "phase"))
    assert state()["opens_in"] == 50 * MINUTE
    assert state()["again_in"] == 30 * SECOND
    # when
    house.sessions.change(account.account_id, session.session_id, {"starts_at": START + 2 * HOUR + 11 * MINUTE})
    # then
    assert (state()["version"], state()["opens_in"], state()["again_in"]) == (2, 2 * HOUR + MINUTE, 5 * MINUTE)
    clock.advance(2 * HOUR)
    assert state()["again_in"] == 10 * SECOND
    clock.advance(MINUTE)
    assert (state()["phase"], state()["opens_in"]) == ("open", 0)
    house.sessions.cancel(account.account_id, session.session_id)
    assert state()["phase"] == SessionStatus.CANCELLED
    assert set(state()) == {"phase", "version", "opens_in", "again_in"}, "it says nothing of anybody"


@pytest.mark.req("H01")
def test_the_device_test_and_the_stage_alone_may_ask_for_devices(
    browser: Browser, house: House, planned: tuple[Session, list[Participant]]
) -> None:
    check, waiting, left = (
        header(browser.ask(path), "permissions-policy") or ""
        for path in ("/check", personal_path(house, planned[1][1]), f"/s/{planned[0].session_id}/left")
    )
    assert "camera=(self)" in check
    assert 'camera=(self "https://stage.example")' in waiting
    assert "geolocation=()" in waiting
    assert "camera=()" in left
    assert "microphone=()" in left


@pytest.mark.req("R01", "L15")
def test_a_failing_table_is_a_503_on_every_way_in(
    browser: Browser, house: House, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    for path, operation in (
        (code_path(house, guest), "UpdateItem"),
        (personal_path(house, guest), "BatchGetItem"),
        (f"/s/{session.session_id}/state", "GetItem"),
    ):
        browser.ask(path)  # the account is remembered
        wire.fail(operation, "InternalServerError", times=3)
        page = browser.ask(f"{path}?passkey=x&launch=1")
        assert page["statusCode"] == 503
        assert f'href="{path}?passkey=x&amp;launch=1"' in page["body"], "trying again loses nothing"
        wire.reset()
