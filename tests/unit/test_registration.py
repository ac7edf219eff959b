"""A session's public registration page, and the mail that a registration causes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.events import CONTEXT, header, json_of, native_event
from tests.support.house import START, open_account, plan_lecture
from tests.support.outbox import refusal
from tests.unit.test_embed_page import policy
from tests.unit.test_session_pages import Browser, data, field, text_of
from vestibule.clock import DAY, HOUR
from vestibule.domain.guesses import REGISTRATIONS
from vestibule.domain.registrants import NewRegistrant
from vestibule.domain.registrations import FORM_LASTS
from vestibule.model import EventKind, Registration

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, Wire
    from tests.support.outbox import Post
    from vestibule.model import Account, Registrant, Session
    from vestibule.wiring import House

PORTAL = "https://portal.example"
PUBLIC = Registration(public=True)
GRACE = "Grace@example.org"


@pytest.fixture
def account(house: House) -> Account:
    return open_account(house, frame_ancestors=[PORTAL], portal_url=f"{PORTAL}/")


@pytest.fixture
def session(house: House, account: Account) -> Session:
    return plan(house, account)


@pytest.fixture
def browser(function: LoadFunction, account: Account) -> Browser:
    return Browser(function)


def plan(house: House, account: Account, registration: Registration = PUBLIC, **fields: Any) -> Session:
    return plan_lecture(house, account, registration=registration, **fields)


def path_of(session: Session) -> str:
    return f"/s/{session.session_id}/register"


def sign_up(browser: Browser, session: Session, *, email: str = GRACE, name: str = "Grace Hopper") -> dict[str, Any]:
    """Fill in the form as a visitor does."""
    page = browser.ask(path_of(session))
    return browser.send(path_of(session), form_token=field(page, "form_token"), name=name, email=email)


def registrants(house: House, session: Session) -> list[Registrant]:
    return house.registrants.page(session.account_id, session.session_id, after=None, limit=100)[0]


# --- the page ---------------------------------------------------------------------------------------------


@pytest.mark.req("E11", "H04")
def test_a_registration_is_taken_and_its_link_is_mailed_and_never_shown(
    browser: Browser, house: House, session: Session, post: Post
) -> None:
    # when
    answer = sign_up(browser, session)
    post.deliver()
    # then
    assert (answer["statusCode"], "look into your mail" in text_of(answer)) == (200, True)
    (registrant,) = registrants(house, session)
    assert (registrant.name, registrant.email) == ("Grace Hopper", GRACE)
    link = house.links.join_url("clinic", registrant)
    assert urlsplit(link).path.rpartition("/")[2] not in answer["body"]
    (mail,) = post.mails_to(GRACE)
    assert link in mail.text
    assert browser.ask(urlsplit(link).path)["statusCode"] == 200


@pytest.mark.req("E11", "E04")
def test_whoever_types_an_address_learns_nothing_of_it(
    browser: Browser, house: House, account: Account, session: Session, post: Post
) -> None:
    """Neither that it has registered, nor that it is an organizer's; and its owner gets no second mail."""
    house.sessions.change(account.account_id, session.session_id, {"organizers": [GRACE]})
    first = sign_up(browser, session)
    again = sign_up(browser, session, email=f" {GRACE.upper()} ", name="Somebody else")
    other = sign_up(browser, session, email="alan@example.org")
    assert first["body"] == again["body"] == other["body"]
    assert {first["statusCode"], again["statusCode"], other["statusCode"]} == {200}
    assert browser.jar == {}
    post.deliver()
    assert len(post.mails_to(GRACE)) == 1
    assert {one.name for one in registrants(house, session)} == {"Grace Hopper"}


@pytest.mark.req("E08", "H01")
def test_the_page_works_in_a_frame_without_cookies(browser: Browser, session: Session) -> None:
    page = browser.ask(path_of(session))
    assert policy(page, "frame-ancestors") == [PORTAL]
    assert "What is stored" in text_of(page)
    assert sign_up(browser, session)["statusCode"] == 200
    assert browser.jar == {}
    # and the embed page leads there whoever comes without a token
    assert data(browser.ask(f"/embed/{session.session_id}"), "register-url") == path_of(session)


@pytest.mark.req("L19")
def test_only_our_own_recent_form_registers_anybody(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    token = field(browser.ask(path_of(session)), "form_token")
    other = field(browser.ask(path_of(plan(house, account))), "form_token")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site"}
    body = urlencode({"form_token": token, "name": "Ada", "email": "ada@example.org"})
    assert browser.ask(path_of(session), "POST", headers=form, body=body)["statusCode"] == 403
    for wrong in ("", "x", other, "\N{PILE OF POO}", "a" * 1_000):
        answer = browser.send(path_of(session), form_token=wrong, name="Ada", email="ada@example.org")
        assert answer["statusCode"] == 403, wrong
    clock.advance(FORM_LASTS)
    late = plan(house, account, starts_at=clock.now + DAY)
    token = field(browser.ask(path_of(late)), "form_token")
    clock.advance(FORM_LASTS)
    house.sessions.change(account.account_id, late.session_id, {"starts_at": clock.now + DAY})
    assert browser.send(path_of(late), form_token=token, name="A", email="a@example.org")["statusCode"] == 403
    assert registrants(house, session) == registrants(house, late) == []


@pytest.mark.req("H04", "P04")
@pytest.mark.parametrize(
    ("name", "email", "said"),
    [
        ("Ada", "ada", "not an e-mail address"),
        ("Ada", "", "not an e-mail address"),
        ("Ada", "ada@example.org\r\nBcc: all@example.org", "not an e-mail address"),
        ("", "ada@example.org", "tell us your name"),
        ("A\nB", "ada@example.org", "tell us your name"),
        ("A\u202eB", "ada@example.org", "tell us your name"),
    ],
)
def test_what_cannot_be_used_is_asked_once_more(
    browser: Browser, house: House, session: Session, name: str, email: str, said: str
) -> None:
    answer = sign_up(browser, session, name=name, email=email)
    assert (answer["statusCode"], said in text_of(answer)) == (422, True)
    assert 'aria-invalid="true"' in answer["body"]
    assert registrants(house, session) == []


@pytest.mark.parametrize(
    ("registration", "is_open"),
    [
        (Registration(), False),
        (PUBLIC, True),
        (Registration(public=True, opens_at=START + 1), False),
        (Registration(public=True, opens_at=START), True),
        (Registration(public=True, closes_at=START), False),
        (Registration(public=True, closes_at=START + 1), True),
    ],
)
@pytest.mark.req("H04")
def test_the_page_is_open_when_the_session_says_so(
    browser: Browser, house: House, account: Account, registration: Registration, *, is_open: bool
) -> None:
    session = plan(house, account, registration)
    page = browser.ask(path_of(session))
    assert page["statusCode"] == (200 if is_open else 403)
    assert ("<form" in page["body"]) is is_open
    assert (data(browser.ask(f"/embed/{session.session_id}"), "register-url") is not None) is is_open
    answer = browser.send(path_of(session), form_token="", name="Ada", email="ada@example.org")
    assert answer["statusCode"] == 403


def test_what_is_over_or_unknown_says_so(browser: Browser, house: House, account: Account, session: Session) -> None:
    assert browser.ask("/s/123456789/register")["statusCode"] == 404
    house.sessions.cancel(account.account_id, session.session_id)
    assert browser.ask(path_of(session))["statusCode"] == 410


@pytest.mark.req("E09", "H04")
def test_a_full_session_says_so(browser: Browser, house: House, account: Account) -> None:
    session = plan(house, account, Registration(public=True, capacity=1))
    assert sign_up(browser, session)["statusCode"] == 200
    full = sign_up(browser, session, email="ada@example.org")
    assert (full["statusCode"], "no place left" in text_of(full)) == (409, True)


@pytest.mark.req("E11")
def test_a_network_registers_so_many_in_an_hour(
    browser: Browser, house: House, account: Account, session: Session, clock: FakeClock
) -> None:
    for number in range(REGISTRATIONS.most):
        assert sign_up(browser, session, email=f"a{number}@example.org")["statusCode"] == 200
    blocked = sign_up(browser, session, email="late@example.org")
    assert (blocked["statusCode"], header(blocked, "retry-after")) == (429, "3600")
    assert len(registrants(house, session)) == REGISTRATIONS.most
    # elsewhere they go on
    assert sign_up(browser, plan(house, account))["statusCode"] == 200
    clock.advance(HOUR)
    assert sign_up(browser, session, email="late@example.org")["statusCode"] == 200


@pytest.mark.req("R01")
def test_a_failing_table_loses_no_registration_that_was_confirmed(
    browser: Browser, house: House, session: Session, wire: Wire
) -> None:
    wire.fail("PutItem", "InternalServerError", skip=1)  # after the counter's
    assert sign_up(browser, session)["statusCode"] == 503
    assert registrants(house, session) == []
    assert sign_up(browser, session)["statusCode"] == 200


def test_where_no_mail_is_sent_nobody_is_asked_to_wait_for_one(
    make_house: MakeHouse, account: Account, session: Session
) -> None:
    silent = make_house(2)
    silent.settings = replace(silent.settings, mail_sender="")
    assert not silent.registrations.is_open(session)


# --- the mail -----------------------------------------------------------------------------------------------


def confirm(house: House, session: Session, email: str = GRACE) -> Registrant:
    wanted = NewRegistrant(name="Grace Hopper", email=email, confirm=True)
    return house.registrants.register(session.account_id, session.session_id, wanted)


@pytest.mark.req("S05", "E11")
def test_the_confirmation_holds_the_link_and_the_appointment(house: House, session: Session, post: Post) -> None:
    registrant = confirm(house, session)
    post.deliver()
    (mail,) = post.mails
    assert (mail.to, mail.kind) == (GRACE, "Your registration")
    assert mail.text.count(house.links.join_url("clinic", registrant)) == 1
    assert "because the address was registered" in mail.text
    assert "Connect code" not in mail.text
    assert str(mail.calendar["method"]) == "REQUEST"
    assert str(mail.appointment["uid"]).startswith(session.session_id)
    assert str(mail.appointment["url"]) == house.links.join_url("clinic", registrant)
    assert mail.tags == {
        "account_id": session.account_id,
        "session_id": session.session_id,
        "registrant_id": registrant.registrant_id,
    }


@pytest.mark.req("S06", "R02")
def test_a_confirmation_goes_out_once_however_often_the_message_comes(
    house: House, session: Session, post: Post
) -> None:
    confirm(house, session)
    (message,) = post.route()
    assert message.event.kind is EventKind.REGISTERED
    assert set(message.ids) == {"account_id", "session_id", "registrant_id"}
    for _ in range(3):
        assert post.work(str(message))
    assert len(post.mails) == 1
    # a rotation causes nothing more
    house.registrants.rotate(session.account_id, session.session_id, message.ids["registrant_id"])
    assert post.route() == []


@pytest.mark.req("S06")
def test_a_confirmation_that_a_failing_carrier_delayed_goes_out_later(
    house: House, session: Session, post: Post
) -> None:
    confirm(house, session)
    post.aws.ses.befall(refusal("ThrottlingException"))
    post.deliver()
    assert len(post.mails) == 1


@pytest.mark.parametrize("what", ["cancelled", "session_cancelled", "over", "again"])
@pytest.mark.req("R02")
def test_what_is_past_interest_is_not_sent(
    house: House, session: Session, post: Post, clock: FakeClock, what: str
) -> None:
    registrant = confirm(house, session)
    (message,) = post.route()
    post.queue.clear()
    acts: dict[str, Callable[[], object]] = {
        "cancelled": lambda: house.registrants.cancel(session.account_id, session.session_id, registrant.registrant_id),
        "session_cancelled": lambda: house.sessions.cancel(session.account_id, session.session_id),
        "over": lambda: clock.advance(3 * DAY),
        "again": lambda: _come_back(house, session, registrant),
    }
    acts[what]()
    assert post.work(str(message))
    assert post.mails == []


def _come_back(house: House, session: Session, registrant: Registrant) -> None:
    """Cancel and register again: the newer event's mail holds the link that is right."""
    house.registrants.cancel(session.account_id, session.session_id, registrant.registrant_id)
    confirm(house, session)


@pytest.mark.req("E11", "S05")
@pytest.mark.parametrize(("notify", "mails"), [({"notify": "email"}, 1), ({"notify": "none"}, 0), ({}, 0)])
def test_the_api_has_the_link_mailed_when_asked(
    function: LoadFunction, account: Account, session: Session, post: Post, notify: dict[str, str], mails: int
) -> None:
    event = native_event(
        "POST",
        f"/v1/sessions/{session.session_id}/registrants",
        account_id=account.account_id,
        body={"name": "Grace Hopper", "email": GRACE, **notify},
    )
    answer = function("registrant_create")(event, CONTEXT)
    assert answer["statusCode"] == 201
    post.deliver()
    assert len(post.mails_to(GRACE)) == mails
    assert all(json_of(answer)["join_url"] in mail.text for mail in post.mails)


def test_a_form_page_is_honest_about_its_time(browser: Browser, session: Session) -> None:
    page = browser.ask(path_of(session))
    assert re.search(r"<time datetime=\"2026-11-23T02:49:32", page["body"])
