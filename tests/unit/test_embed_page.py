"""The page in a portal's frame, registrants' links, and the heartbeats of whoever sits in a session."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.events import header
from tests.support.house import START, open_account, plan_lecture
from tests.unit.test_session_pages import HUB, Browser, data, field, text_of
from vestibule.clock import HOUR, MINUTE
from vestibule.domain.entrances import PASS_OUTLIVES_SESSION_BY
from vestibule.domain.participants import Invitee
from vestibule.domain.registrants import NewRegistrant
from vestibule.domain.seats import INTERVAL, LARGE_INTERVAL, LASTS, WRITE_EVERY
from vestibule.domain.stages import Stages
from vestibule.errors import InvalidError, UnavailableError
from vestibule.model import Registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, Wire
    from vestibule.model import Account, Registrant, Session
    from vestibule.wiring import House

PORTAL = "https://portal.example"
SECOND_SITE = "https://courses.example:8443"
STAGE = {"kind": "url", "url": "https://stage.example/{session_id}#{grant}"}
ADA = {"user_id": "mrn-7", "user_name": "Ada Lovelace", "user_email": "ada@example.org"}


@pytest.fixture
def account(house: House) -> Account:
    house.key_rotation.run()
    return open_account(house, stage=STAGE, frame_ancestors=[PORTAL, SECOND_SITE], portal_url=f"{PORTAL}/")


@pytest.fixture
def session(house: House, account: Account) -> Session:
    return plan(house, account)


@pytest.fixture
def browser(function: LoadFunction, account: Account) -> Browser:
    return Browser(function)


def plan(house: House, account: Account, **fields: Any) -> Session:
    return plan_lecture(house, account, **({"title": "Open lecture <1>", "starts_at": START + HOUR} | fields))


def register(house: House, session: Session, email: str = "grace@example.org") -> Registrant:
    wanted = NewRegistrant(name="Grace Hopper", email=email)
    return house.registrants.register(session.account_id, session.session_id, wanted)


def link_of(house: House, registrant: Registrant) -> str:
    return urlsplit(house.links.join_url("clinic", registrant)).path


def token_for(house: House, account: Account, session: Session, **who: Any) -> str:
    further = {"session_only": who.pop("session_only", True)}
    return house.embed_issuer.create(account, session.session_id, {**ADA, **who}, **further).token


def exchange(browser: Browser, session: Session, **fields: Any) -> dict[str, Any]:
    """Post what the frame's script posts."""
    return browser.send(f"/embed/{session.session_id}", **fields)


def enter(browser: Browser, house: House, account: Account, session: Session, **who: Any) -> dict[str, Any]:
    """Change a new token for the session and go in; give what the script is told."""
    page = exchange(browser, session, token=token_for(house, account, session, **who))
    fields = {"pass": field(page, "pass"), "join": field(page, "join")}
    answer = browser.send(f"/embed/{session.session_id}", script=True, **fields)
    assert answer["statusCode"] == 200, answer["body"]
    return dict(json.loads(answer["body"]))


def beat(browser: Browser, seat: str) -> dict[str, Any]:
    answer = browser.send("/seat", script=True, seat=seat)
    assert answer["statusCode"] == 200
    return dict(json.loads(answer["body"]))


def claims_of(url: str) -> dict[str, Any]:
    """Return what the grant in a stage's address says."""
    part = url.partition("#")[2].split(".")[1]
    return dict(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def policy(answer: dict[str, Any], directive: str) -> list[str]:
    found = re.search(rf"(?:^|; ){directive} ([^;]*)", header(answer, "content-security-policy") or "")
    return found[1].split() if found else []


# --- who may frame what ---------------------------------------------------------------------------------


@pytest.mark.req("E08", "E10", "H01")
def test_the_accounts_origins_may_frame_the_pages_made_for_it_and_no_others(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    (guest,) = house.participants.add(
        account.account_id, session.session_id, [Invitee(full_name="Ben Okafor", email="ben@example.org")]
    )
    framed = [
        f"/embed/{session.session_id}",
        "/embed/1234",
        link_of(house, register(house, session)),
        "/r/1-2-3",
        f"/p/{house.links.personal_token(guest)}",
    ]
    for path in framed:
        answer = browser.ask(path)
        assert policy(answer, "frame-ancestors") == [PORTAL, SECOND_SITE], path
        assert header(answer, "cross-origin-resource-policy") == "cross-origin"
    left = browser.ask(f"/s/{session.session_id}/left")
    assert policy(left, "frame-ancestors") == ["'self'", PORTAL, SECOND_SITE]
    for path in (f"/s/{session.session_id}", "/join", "/check", "/sign-in"):
        answer = browser.ask(path)
        assert policy(answer, "frame-ancestors") == ["'none'"], path
        assert header(answer, "cross-origin-resource-policy") == "same-origin"


@pytest.mark.req("E06", "R01")
def test_who_cannot_be_sent_to_the_stage_sits_nowhere(
    browser: Browser,
    house: House,
    account: Account,
    session: Session,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With reject_new, a seat that nobody got would turn the next try away."""
    # given
    clock.now = session.starts_at
    house.accounts.change(account.account_id, {"seat_policy": "reject_new"})
    page = exchange(browser, session, token=token_for(house, account, session))
    fields = {"pass": field(page, "pass"), "join": field(page, "join")}

    def go_in() -> dict[str, Any]:
        return browser.send(f"/embed/{session.session_id}", script=True, **fields)

    def fail(*_: Any, **__: Any) -> None:
        raise UnavailableError("secretsmanager")

    with monkeypatch.context() as patch:
        patch.setattr(Stages, "launch", fail)
        assert go_in()["statusCode"] == 503
    # when
    answer = go_in()
    # then
    assert beat(browser, json.loads(answer["body"])["seat"])["state"] == "seated"


@pytest.mark.req("E08", "H04")
def test_a_page_in_a_frame_that_lets_nobody_in_says_why_in_its_head_and_no_other_page_does(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    def error(path: str) -> str | None:
        found = re.search(r'<meta name="vestibule-error" content="(\w+)">', browser.ask(path)["body"])
        return found[1] if found else None

    assert error(f"/embed/{session.session_id}") is None
    assert error("/embed/99999999") == "closed"
    assert error("/r/1-2-3") == "refused"
    house.sessions.cancel(account.account_id, session.session_id)
    assert error(f"/embed/{session.session_id}") == "closed"
    assert error(f"/s/{session.session_id}/register") == "closed"
    assert error(f"/s/{session.session_id}") is None, "no page of another site is around it"


@pytest.mark.req("H01", "R01")
def test_a_failing_table_shows_in_the_frame_as_well(
    browser: Browser, house: House, session: Session, wire: Wire
) -> None:
    browser.ask(f"/embed/{session.session_id}")  # the account is remembered
    wire.fail("GetItem", "InternalServerError")
    answer = browser.ask(f"/embed/{session.session_id}")
    assert answer["statusCode"] == 503
    assert '<meta name="vestibule-error" content="unavailable">' in answer["body"]
    assert policy(answer, "frame-ancestors") == [PORTAL, SECOND_SITE]


@pytest.mark.req("E08")
def test_without_a_list_nobody_frames_anything(
    house: House, session: Session, account: Account, browser: Browser
) -> None:
    house.accounts.change(account.account_id, {"frame_ancestors": None})
    assert policy(browser.ask(f"/embed/{session.session_id}"), "frame-ancestors") == ["'none'"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://Portal.Example", "https://portal.example"),
        ("https://portal.example/", "https://portal.example"),
        ("https://portal.example:443", "https://portal.example"),
        ("https://portal.example:8443", "https://portal.example:8443"),
        ("http://portal.localhost:8000", "http://portal.localhost:8000"),
    ],
)
def test_an_origin_is_kept_as_a_browser_writes_it(house: House, given: str, stored: str) -> None:
    assert open_account(house, frame_ancestors=[given, given]).frame_ancestors == (stored,)


@pytest.mark.parametrize(
    "given",
    [
        "*",
        "https://*.example",
        "https:",
        "http://portal.example",
        "https://portal.example/path",
        "https://portal.example?a=1",
        "https://portal.example#a",
        "https://user@portal.example",
        "https://portal.example; script-src *",
        "'self'",
        "null",
        "https://portal.example\\x",
    ],
)
@pytest.mark.req("E08", "H01")
def test_what_is_no_origin_is_refused(house: House, given: str) -> None:
    with pytest.raises(InvalidError) as refused:
        open_account(house, frame_ancestors=[given])
    assert refused.value.errors[0].field == "frame_ancestors"


def test_a_list_has_an_end(house: House) -> None:
    with pytest.raises(InvalidError, match="frame_ancestors"):
        open_account(house, frame_ancestors=[f"https://p{number}.example" for number in range(41)])


# --- the embed page ---------------------------------------------------------------------------------------


@pytest.mark.req("E08", "H04")
def test_the_empty_page_asks_for_nothing_and_sets_no_cookie(browser: Browser, session: Session) -> None:
    answer = browser.ask(f"/embed/{session.session_id}")
    assert answer["statusCode"] == 200
    assert browser.jar == {}
    assert "cannot let you in" in text_of(answer)
    assert data(answer, "register-url") is None
    # what comes later obeys this page's policy: the stage, and pictures from anywhere
    assert policy(answer, "frame-src") == ["https://stage.example", "'self'"]
    assert "https:" in policy(answer, "img-src")
    assert header(answer, "referrer-policy") == "no-referrer"


@pytest.mark.req("E03", "E08")
def test_a_token_is_changed_for_the_session_and_a_pass(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    answer = exchange(browser, session, token=token_for(house, account, session))
    assert answer["statusCode"] == 200
    assert "You come in as Ada Lovelace." in text_of(answer)
    assert "Open lecture <1>" in text_of(answer)
    assert int(data(answer, "opens-in") or 0) == HOUR - 10 * MINUTE
    assert data(answer, "launch") == "no"  # nothing to start yet
    assert data(answer, "pass")
    assert browser.jar == {}
    # Gravatar's picture of the address
    mark = sha256(b"ada@example.org").hexdigest()
    assert f'src="https://gravatar.com/avatar/{mark}?d=mp"' in answer["body"]


@pytest.mark.req("E03")
def test_the_tokens_own_picture_comes_first_and_goes_on_to_the_stage(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    picture = "https://pictures.example/ada.png"
    page = exchange(browser, session, token=token_for(house, account, session, user_avatar=picture))
    assert f'src="{picture}"' in page["body"]
    found = enter(browser, house, account, session, user_avatar=picture)
    assert claims_of(found["url"]) | {"name": "Ada Lovelace", "picture": picture} == claims_of(found["url"])
    assert claims_of(found["url"])["return_url"] == f"{HUB}/s/{session.session_id}/left"
    # and the blank one is Gravatar's, there as well
    assert claims_of(enter(browser, house, account, session)["url"])["picture"].startswith("https://gravatar.com/")


@pytest.mark.req("E01", "E08")
def test_whatever_is_wrong_with_a_token_is_one_refusal(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    other = plan(house, account)
    elsewhere = open_account(house, "school")
    foreign = plan(house, elsewhere)
    tokens = [
        "",
        "x",
        "a.b.c",
        token_for(house, account, other),
        token_for(house, elsewhere, foreign, session_only=False),
        token_for(house, account, session)[:-2],
    ]
    late = token_for(house, account, session)
    answers = [exchange(browser, session, token=token) for token in tokens]
    clock.advance(HOUR)
    answers.append(exchange(browser, session, token=late))
    answers.append(exchange(browser, session, **{"pass": "x"}))
    assert {(answer["statusCode"], answer["body"]) for answer in answers} == {(403, answers[0]["body"])}
    assert "can no longer let you in" in text_of(answers[0])


@pytest.mark.req("E01")
def test_a_token_of_the_whole_account_opens_every_session_of_it(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    token = token_for(house, account, session, session_only=False)
    assert exchange(browser, plan(house, account), token=token)["statusCode"] == 200


@pytest.mark.req("L19", "E08")
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}])
def test_another_site_changes_no_token_and_holds_no_seat(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock, headers: dict[str, str]
) -> None:
    clock.now = session.starts_at
    token, seat = token_for(house, account, session), enter(browser, house, account, session)["seat"]
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    for path, fields in (
        (f"/embed/{session.session_id}", {"token": token}),
        ("/seat", {"seat": seat}),
        ("/seat/leave", {"seat": seat}),
    ):
        answer = browser.ask(path, "POST", headers=form, body=urlencode(fields))
        assert answer["statusCode"] == 403, path
    assert beat(browser, seat)["state"] == "seated"


@pytest.mark.req("E08")
def test_the_pass_outlives_the_token_and_opens_its_session_alone(
    browser: Browser, house: House, account: Account, clock: FakeClock
) -> None:
    session, other = plan(house, account, starts_at=START + 5 * HOUR), plan(house, account)
    kept = data(exchange(browser, session, token=token_for(house, account, session)), "pass") or ""
    clock.advance(4 * HOUR)  # the token is long over
    answer = exchange(browser, session, **{"pass": kept})
    assert "You come in as Ada Lovelace." in text_of(answer)
    assert exchange(browser, other, **{"pass": kept})["statusCode"] == 403
    # it is no cookie for the other pages, and no other page's pass is one here
    browser.jar[f"__Host-vestibule-pass-{session.session_id}"] = kept
    assert "Tell the others who you are." in text_of(browser.ask(f"/s/{session.session_id}"))
    guest = house.entrances.by_name(session, "Somebody")
    assert exchange(browser, session, **{"pass": house.entrances.pass_of(guest)})["statusCode"] == 403
    clock.now = session.ends_at + PASS_OUTLIVES_SESSION_BY
    assert exchange(browser, session, **{"pass": kept})["statusCode"] == 403


@pytest.mark.req("E03")
def test_who_is_put_on_the_list_comes_in_as_that_without_a_new_token(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    kept = data(exchange(browser, session, token=token_for(house, account, session)), "pass") or ""
    for entry, role in (("Ada@Example.org", "presenter"), ("mrn-7", "presenter")):
        house.sessions.change(account.account_id, session.session_id, {"presenters": [entry]})
        answer = browser.send(f"/embed/{session.session_id}", script=True, **{"pass": kept, "join": "1"})
        found = json.loads(answer["body"])
        assert (found["role"], claims_of(found["url"])["role"]) == (role, role)
        house.sessions.change(account.account_id, session.session_id, {"presenters": []})


@pytest.mark.req("E08", "H04")
def test_a_session_that_is_over_says_so_in_the_frame(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    token = token_for(house, account, session)
    house.sessions.cancel(account.account_id, session.session_id)
    assert browser.ask(f"/embed/{session.session_id}")["statusCode"] == 410
    answer = exchange(browser, session, token=token)
    assert (answer["statusCode"], "was cancelled" in text_of(answer)) == (410, True)


@pytest.mark.req("E08", "L06")
def test_whatever_the_frame_is_shown_first_takes_the_token_out_of_the_address(
    browser: Browser, house: House, account: Account, session: Session, wire: Wire
) -> None:
    def first_script(answer: dict[str, Any]) -> str:
        found = re.search(r'<script[^>]* src="/static/(\w+)', answer["body"])
        return found[1] if found else ""

    gone = plan(house, account)
    house.sessions.cancel(account.account_id, gone.session_id)
    browser.ask(f"/embed/{session.session_id}")  # the account is remembered
    assert first_script(browser.ask(f"/embed/{gone.session_id}")) == "forget"
    assert first_script(browser.ask("/embed/99999999")) == "forget"
    wire.fail("GetItem", "InternalServerError")
    failed = browser.ask(f"/embed/{session.session_id}")
    assert (failed["statusCode"], first_script(failed)) == (503, "forget")
    # and what is tried again goes on with it
    assert f'<a class="button" href="/embed/{session.session_id}" data-retry>' in failed["body"]


@pytest.mark.req("E08")
def test_what_starts_by_itself_is_a_frame_or_somebody_who_was_there(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.advance(HOUR)
    token = token_for(house, account, session)
    in_a_frame, in_a_tab = (exchange(browser, session, token=token, **where) for where in ({"framed": "1"}, {}))
    again = exchange(browser, session, **{"pass": field(in_a_tab, "pass")})
    assert [data(one, "launch") for one in (in_a_frame, in_a_tab, again)] == ["start", "no", "start"]


def test_who_comes_too_early_is_shown_what_is(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    kept = data(exchange(browser, session, token=token_for(house, account, session)), "pass") or ""
    answer = browser.send(f"/embed/{session.session_id}", script=True, **{"pass": kept, "join": "1"})
    assert json.loads(answer["body"]) == {"reload": True}


# --- a registrant's link --------------------------------------------------------------------------------


@pytest.mark.req("E05", "E10")
def test_a_registrants_link_leads_straight_into_its_one_session(
    browser: Browser, house: House, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    path = link_of(house, register(house, session))
    page = browser.ask(path)
    assert "You come in as Grace Hopper." in text_of(page)
    # by itself in a frame; a scanner of mails, which opens a plain tab, changes nothing
    assert data(page, "launch") == "framed"
    found = json.loads(browser.send(path, script=True)["body"])
    assert (found["role"], found["in_place"], found["stays"]) == ("attendee", True, True)
    assert claims_of(found["url"])["name"] == "Grace Hopper"
    assert "picture" not in claims_of(found["url"])
    assert path.rpartition("/")[2] not in json.dumps(found)
    # and back by the pass
    assert "You come in as Grace Hopper." in text_of(browser.ask(f"/s/{session.session_id}"))


@pytest.mark.req("E05", "H04")
def test_whatever_is_wrong_with_a_registrants_link_is_one_refusal(
    browser: Browser, house: House, account: Account, session: Session
) -> None:
    rotated, gone = register(house, session), register(house, session, "b@example.org")
    paths = [link_of(house, rotated), link_of(house, gone), "/r/1-2-3", "/r/x"]
    paths.append(paths[0].replace("/r/", "/p/"))
    kept = house.entrances.pass_of(_arrival(house, account, paths[0]))
    house.registrants.rotate(account.account_id, session.session_id, rotated.registrant_id)
    house.registrants.cancel(account.account_id, session.session_id, gone.registrant_id)
    answers = [browser.ask(path) for path in paths]
    assert {answer["statusCode"] for answer in answers} == {403}
    assert len({answer["body"] for answer in answers[:-1]}) == 1
    assert house.entrances.by_pass(account, session.session_id, kept) is None


def _arrival(house: House, account: Account, path: str) -> Any:
    return house.entrances.by_registrant(account, path.rpartition("/")[2])


@pytest.mark.req("E03", "E05")
def test_a_registrant_on_the_list_is_what_the_list_says(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    path = link_of(house, register(house, session))
    house.sessions.change(account.account_id, session.session_id, {"organizers": ["GRACE@example.org"]})
    assert json.loads(browser.send(path, script=True)["body"])["role"] == "organizer"


@pytest.mark.req("L05", "E05")
def test_a_page_made_ahead_starts_nothing(browser: Browser, house: House, session: Session) -> None:
    path = link_of(house, register(house, session))
    assert browser.ask(path, headers={"Sec-Purpose": "prefetch;prerender"})["statusCode"] == 403
    assert browser.ask(path, "HEAD")["statusCode"] == 200


# --- seats over HTTP --------------------------------------------------------------------------------------


@pytest.mark.req("E06")
def test_joining_elsewhere_ends_the_older_sitting_at_its_next_beat(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    registrant = register(house, session, "ada@example.org")
    old = enter(browser, house, account, session)
    new = json.loads(browser.send(link_of(house, registrant), script=True)["body"])
    assert beat(browser, old["seat"]) == {"state": "unseated", "reason": "joined_elsewhere"}
    assert beat(browser, new["seat"])["state"] == "seated"
    # and the seat is taken back by the same way
    again = enter(browser, house, account, session)
    assert beat(browser, again["seat"])["state"] == "seated"
    assert beat(browser, new["seat"])["reason"] == "joined_elsewhere"


@pytest.mark.req("E06")
def test_a_reload_by_the_holder_is_no_kick_and_one_that_was_kicked_does_not_kick_back(
    browser: Browser, house: House, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    path = link_of(house, register(house, session))
    first = json.loads(browser.send(path, script=True)["body"])
    reloaded = json.loads(browser.send(path, script=True, held=first["seat"])["body"])
    assert reloaded["seat"] == first["seat"]
    second = json.loads(browser.send(path, script=True)["body"])
    answer = json.loads(browser.send(path, script=True, held=first["seat"])["body"])
    assert answer == {"unseated": "joined_elsewhere"}
    assert beat(browser, second["seat"])["state"] == "seated"


@pytest.mark.req("E06", "H02")
def test_with_reject_new_the_newer_page_is_told_why(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    house.accounts.change(account.account_id, {"seat_policy": "reject_new"})
    clock.now = session.starts_at
    path = link_of(house, register(house, session))
    first = json.loads(browser.send(path, script=True)["body"])
    assert json.loads(browser.send(path, script=True)["body"]) == {"unseated": "already_joined"}
    plain = browser.send(path)
    assert (plain["statusCode"], "in this session already" in text_of(plain)) == (409, True)
    assert beat(browser, first["seat"])["state"] == "seated"
    # who leaves makes room at once
    assert json.loads(browser.send("/seat/leave", script=True, seat=first["seat"])["body"]) == {"state": "left"}
    assert "seat" in json.loads(browser.send(path, script=True)["body"])


@pytest.mark.req("E03", "E06")
def test_a_change_of_role_reaches_the_person_at_the_next_beat_and_the_stage_with_it(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    path = link_of(house, register(house, session))
    seat = json.loads(browser.send(path, script=True)["body"])["seat"]
    house.sessions.change(account.account_id, session.session_id, {"presenters": ["grace@example.org"]})
    clock.advance(INTERVAL)
    assert beat(browser, seat)["role"] == "presenter"
    # the page opens the stage anew, in the seat that it has
    again = json.loads(browser.send(path, script=True, held=seat)["body"])
    assert (again["seat"], claims_of(again["url"])["role"]) == (seat, "presenter")


@pytest.mark.req("E06")
@pytest.mark.parametrize(
    ("registration", "interval"),
    [
        (Registration(), INTERVAL),
        (Registration(public=True), LARGE_INTERVAL),
        (Registration(public=True, capacity=10), INTERVAL),
    ],
)
def test_the_server_says_how_often_a_page_speaks(
    browser: Browser,
    house: House,
    account: Account,
    clock: FakeClock,
    registration: Registration,
    interval: int,
) -> None:
    session = plan(house, account, registration=registration)
    clock.now = session.starts_at
    found = enter(browser, house, account, session)
    assert found["interval"] == beat(browser, found["seat"])["interval"] == interval


@pytest.mark.req("E06")
def test_a_page_that_is_not_heard_of_is_told_that_it_may_come_again(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    seat = enter(browser, house, account, session)["seat"]
    clock.advance(LASTS)
    assert beat(browser, seat) == {"state": "unseated", "reason": "left"}
    for made_up in ("", "x", f"{'a' * 64}.x", "\N{PILE OF POO}"):
        assert beat(browser, made_up)["state"] == "unseated"


@pytest.mark.req("E06", "P05")
def test_another_accounts_host_knows_nothing_of_a_seat(
    browser: Browser, function: LoadFunction, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    clock.now = session.starts_at
    open_account(house, "school")
    seat = enter(browser, house, account, session)["seat"]
    assert beat(Browser(function, "school"), seat) == {"state": "unseated", "reason": "left"}
    Browser(function, "school").send("/seat/leave", script=True, seat=seat)
    assert beat(browser, seat)["state"] == "seated"


@pytest.mark.req("E06", "R01")
def test_a_beat_that_cannot_be_judged_is_a_503_and_ends_nothing(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock, wire: Wire
) -> None:
    clock.now = session.starts_at
    seat = enter(browser, house, account, session)["seat"]
    wire.fail("GetItem", "InternalServerError")
    answer = browser.send("/seat", script=True, seat=seat)
    assert (answer["statusCode"], header(answer, "retry-after")) == (503, "1")
    assert beat(browser, seat)["state"] == "seated"


@pytest.mark.req("E06", "E07")
def test_what_a_page_costs_that_sits_for_ten_minutes(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock, wire: Wire
) -> None:
    """One strong read a beat, the session once in five seconds, and two writes a minute: seat and visit."""
    clock.now = session.starts_at
    seat = enter(browser, house, account, session)["seat"]
    beat(browser, seat)
    with wire.counting() as calls:
        beat(browser, seat)  # in the same five seconds
    assert [call.operation for call in calls] == ["GetItem"]
    assert (calls[0].read_units, calls[0].request["ConsistentRead"]) == (1, True)
    beats = 10 * MINUTE // INTERVAL
    with wire.counting() as calls:
        for _ in range(beats):
            clock.advance(INTERVAL)
            assert beat(browser, seat)["state"] == "seated"
    by_operation = {name: [c for c in calls if c.operation == name] for name in {c.operation for c in calls}}
    writes = 10 * MINUTE // WRITE_EVERY
    assert {name: len(found) for name, found in by_operation.items() if name != "GetItem"} == {
        "UpdateItem": writes,
        "PutItem": writes,
    }
    assert sum(call.write_units for call in calls) == 2 * writes
    # each beat reads the seat; the rest is the session, and once a minute the account's settings and slug
    assert sum("PassesTable" in call.tables for call in by_operation["GetItem"]) == beats
    assert len(by_operation["GetItem"]) <= 2 * beats + 2 * (10 + 1)


# --- what the script needs to find ------------------------------------------------------------------------


@pytest.mark.req("E06", "H04")
def test_every_reason_has_its_words(browser: Browser, house: House, session: Session) -> None:
    page = browser.ask(link_of(house, register(house, session)))
    for reason in ("joined_elsewhere", "already_joined", "left"):
        words = re.search(rf'<template data-reason="{reason}">(.*?)</template>', page["body"], re.DOTALL)
        assert words, reason
        assert "data-return" in words[1]
    assert data(page, "beat-url") == "/seat"
    assert data(page, "leave-url") == "/seat/leave"
    origins = re.search(r'name="vestibule-parents" content="([^"]*)"', page["body"])
    assert origins is not None
    assert unescape(origins[1]).split() == [PORTAL, SECOND_SITE]


@pytest.mark.parametrize("path", ["/event/{}", "/Event/{}/", "/EMBED/{}"])
def test_the_vendors_address_leads_to_the_same_page(
    function: LoadFunction, session: Session, path: str, call_doorway: Callable[[str], dict[str, Any]]
) -> None:
    answer = call_doorway(path.format(session.session_id))
    assert header(answer, "location") == f"/embed/{session.session_id}"


@pytest.fixture
def call_doorway(function: LoadFunction, account: Account) -> Callable[[str], dict[str, Any]]:
    from tests.support.events import CONTEXT, hub_event  # noqa: PLC0415 - the browser above asks no such path

    def ask(path: str) -> dict[str, Any]:
        event = hub_event("GET", path, slug=account.slug, resource="/{proxy+}", path_values={"proxy": path[1:]})
        answer: dict[str, Any] = function("doorway")(event, CONTEXT)
        return answer

    return ask
