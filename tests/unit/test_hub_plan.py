"""What a host does in the hub, with sessions and with the people in them, by the API's own calls."""

from __future__ import annotations

import random
import re
import string
from datetime import date, time
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest

from tests.support.events import header
from tests.support.house import START, add_user, open_account
from tests.support.visits import Browser, text_of
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.hosting import MAY_SCHEDULE, moment_at
from vestibule.domain.participants import Invitee
from vestibule.domain.reminders import AN_HOUR
from vestibule.domain.sessions import Filter, HostRef
from vestibule.errors import BusyError, UnavailableError
from vestibule.http.hub import drafts
from vestibule.http.hub.manage import PEOPLE_SHOWN
from vestibule.http.hub.plan_form import ROWS_AT_FIRST, ROWS_AT_MOST, ROWS_MORE, PeopleForm, SessionForm, zones
from vestibule.model import Channel, EventKind, ParticipantRole, Role, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.house import FakeClock, LoadFunction, Wire
    from tests.support.outbox import Post
    from tests.support.visits import SignIn
    from vestibule.model import Account, Participant, Session, User
    from vestibule.wiring import House

    type Show = dict[str, Any]

BERLIN = ZoneInfo("Europe/Berlin")
LARGEST_PAGE = 60_000
PASSWORD = "open sesame"
SENT = {
    "title": "Follow-up",
    "day": "2026-11-23",
    "clock": "09:30",
    "minutes": "45",
    "zone": "Europe/Berlin",
    "password": "",
    "rows": "3",
    "mails": "on",
    "name-1": "Ben Okafor",
    "email-1": "ben@example.org",
    "role-1": "attendee",
    "name-2": "",
    "email-2": "",
    "role-2": "attendee",
    "name-3": "Observing Olga",
    "email-3": "",
    "role-3": "observer",
}


@pytest.fixture
def account(house: House) -> Account:
    return open_account(house, portal_url="https://portal.example/")


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Grace Hopper", email="grace@example.org", time_zone="Europe/Berlin")


@pytest.fixture
def other(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Ada Lovelace")


@pytest.fixture
def browser(sign_in: SignIn, host: User) -> Browser:
    """The host's."""
    return sign_in(host)


@pytest.fixture
def planned(house: House, host: User) -> Session:
    """A session of the host's tomorrow, with one guest."""
    return plan(house, host, Invitee(full_name="Ben Okafor", email="ben@example.org"))


def plan(house: House, user: User, *invitees: Invitee, **fields: Any) -> Session:
    given = {"title": "Consultation", "starts_at": START + DAY, "time_zone": "Europe/Berlin", **fields}
    return house.sessions.create(user.account_id, HostRef(user_id=user.user_id), given, invitees)[0]


def hosted_by(house: House, user: User) -> list[Session]:
    return house.sessions.page(user.account_id, Filter(host_user_id=user.user_id), after=None, limit=100)[0]


def people_of(house: House, session: Session) -> list[Participant]:
    return house.participants.list_of(session.account_id, session.session_id)


def guest_of(house: House, session: Session) -> Participant:
    (guest,) = [one for one in people_of(house, session) if one.role is not ParticipantRole.HOST]
    return guest


def as_it_is(house: House, session: Session) -> Session:
    return house.sessions.get(session.account_id, session.session_id)


def value(page: Show, name: str) -> str:
    """Return what a field of a page's form holds."""
    found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page["body"])
    assert found is not None, f"there is no field {name}"
    return unescape(found[1])


def send(browser: Browser, shown: Show, address: str, **fields: str) -> Show:
    """Send a page's form, with its key and what else it holds hidden."""
    names = ("form_key", "form_user", "version")
    hidden = {name: value(shown, name) for name in names if f'name="{name}"' in shown["body"]}
    return browser.post(address, shown, **(hidden | fields))


def wrong(page: Show) -> dict[str, str]:
    """Return what stands beside the fields that are wrong."""
    found = re.findall(r'(?s)<p class="wrong small" id="([\w-]+)-wrong">.*?<span>(.*?)</span></p>', page["body"])
    return {field: unescape(text).strip() for field, text in found}


# --- who ------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_sign_in_and_comes_back(function: LoadFunction, account: Account) -> None:
    browser = Browser(function, account.slug)
    for address, target in (
        ("/plan", "/sign-in?next=%2Fplan"),
        ("/plan/12345678/change", "/sign-in?next=%2Fplan%2F12345678%2Fchange"),
    ):
        assert header(browser.ask(address), "location") == target


@pytest.mark.parametrize("role", list(Role))
def test_everybody_but_a_guest_may_schedule(house: House, account: Account, sign_in: SignIn, role: Role) -> None:
    # given
    browser = sign_in(add_user(house, account, role=role))
    # when
    page, dashboard = browser.ask("/plan"), browser.ask("/dashboard")
    # then
    may = role in MAY_SCHEDULE
    assert may is (role is not Role.GUEST)
    assert page["statusCode"] == (200 if may else 403)
    assert ('href="/plan"' in dashboard["body"]) is may
    assert may or "You came as a guest of Northside Clinic" in text_of(page)


def test_a_guest_plans_nothing_by_sending_the_form(house: House, account: Account, sign_in: SignIn) -> None:
    guest = add_user(house, account, role=Role.GUEST)
    browser = sign_in(guest)
    assert browser.post("/plan", browser.ask("/dashboard"), **SENT)["statusCode"] == 403
    assert hosted_by(house, guest) == []


def test_an_account_with_the_launch_panel_alone_lets_nobody_do_anything(
    house: House, account: Account, browser: Browser, planned: Session
) -> None:
    # given
    page = browser.ask("/plan")
    house.accounts.change(account.account_id, {"launch_panel_only": True})
    house.accounts.remembered_at_slug(account.slug)
    # then
    for address in ("/plan", f"/plan/{planned.session_id}", f"/plan/{planned.session_id}/cancel"):
        assert browser.ask(address)["statusCode"] == 403
    assert send(browser, page, f"/plan/{planned.session_id}/cancel")["statusCode"] == 403
    assert as_it_is(house, planned).status is SessionStatus.SCHEDULED


@pytest.mark.parametrize(
    "step",
    ["", "/change", "/cancel", "/add"]
    + [f"/participants/{{}}/{step}" for step in ("change", "remove", "remind", "rotate")],
)
def test_somebody_elses_session_is_told_from_none(
    house: House, sign_in: SignIn, other: User, planned: Session, step: str
) -> None:
    """Also for somebody who takes part, and for one who presents."""
    # given
    participant = guest_of(house, planned)
    house.participants.add(planned.account_id, planned.session_id, [Invitee(user_id=other.user_id)])
    house.sessions.change(planned.account_id, planned.session_id, {"organizers": [other.user_id]})
    browser = sign_in(other)
    address = f"/plan/{planned.session_id}{step}".format(participant.participant_id)
    dashboard = browser.ask("/dashboard")
    # then
    assert f'href="/plan/{planned.session_id}"' not in dashboard["body"]
    assert browser.ask(address)["statusCode"] == 403
    assert browser.post(address, dashboard, **SENT)["statusCode"] == 403
    assert browser.ask(address.replace(planned.session_id, "99999999"))["statusCode"] == 404
    now = as_it_is(house, planned)
    assert (now.title, now.status, len(people_of(house, now))) == ("Consultation", SessionStatus.SCHEDULED, 3)


def test_another_accounts_session_is_none(house: House, sign_in: SignIn, host: User) -> None:
    # given
    elsewhere = open_account(house, "elsewhere")
    foreign = plan(house, add_user(house, elsewhere))
    # then
    assert sign_in(host).ask(f"/plan/{foreign.session_id}")["statusCode"] == 404


@pytest.mark.req("L19")
@pytest.mark.parametrize("step", ["", "/{}/change", "/{}/cancel", "/{}/add", "/{}/participants/{}/remove"])
def test_a_form_from_elsewhere_changes_nothing(
    house: House, browser: Browser, host: User, planned: Session, step: str
) -> None:
    # given
    address = "/plan" + step.format(planned.session_id, guest_of(house, planned).participant_id)
    page = browser.ask("/plan")
    forged = {
        "body": page["body"].replace("form_token", "was_token").replace("<h1", '<i name="form_token" value="x"><h1')
    }
    # then: another token, and another site
    assert browser.post(address, forged, **SENT)["statusCode"] == 403
    headers = {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.ask(address, "POST", headers=headers, body="")["statusCode"] == 403
    now = as_it_is(house, planned)
    assert (now.version, len(people_of(house, now)), len(hosted_by(house, host))) == (1, 2, 1)


# --- scheduling -----------------------------------------------------------------------------------------


def test_the_form_begins_at_the_next_hour_of_the_persons_zone(browser: Browser) -> None:
    page = browser.ask("/plan")
    assert (value(page, "day"), value(page, "clock"), value(page, "minutes")) == ("2026-11-22", "04:00", "60")
    assert "<option selected>Europe/Berlin</option>" in page["body"]
    assert len(page["body"].encode()) < LARGEST_PAGE


@pytest.mark.req("S05")
def test_a_session_is_planned_as_it_was_typed(house: House, post: Post, browser: Browser, host: User) -> None:
    # when
    answer = send(browser, browser.ask("/plan"), "/plan", **(SENT | {"password": PASSWORD}))
    # then
    (session,) = hosted_by(house, host)
    assert answer["statusCode"] == 303
    assert header(answer, "location") == f"/plan/{session.session_id}?done=planned"
    assert (session.title, session.duration_minutes, session.time_zone) == ("Follow-up", 45, "Europe/Berlin")
    assert session.starts_at == moment_at(date(2026, 11, 23), time(9, 30), BERLIN)
    assert session.password_hash is not None
    grace, ben, olga = people_of(house, session)
    assert (grace.user_id, grace.role) == (host.user_id, ParticipantRole.HOST)
    assert (ben.email, ben.role, ben.notify) == ("ben@example.org", ParticipantRole.ATTENDEE, Channel.EMAIL)
    assert (olga.email, olga.role, olga.notify) == (None, ParticipantRole.OBSERVER, Channel.NONE)
    page = browser.ask(str(header(answer, "location")))
    assert "The session is planned." in text_of(page)


def test_without_the_mark_nobody_is_mailed(house: House, browser: Browser, host: User) -> None:
    send(browser, browser.ask("/plan"), "/plan", **{name: text for name, text in SENT.items() if name != "mails"})
    (session,) = hosted_by(house, host)
    assert {one.notify for one in people_of(house, session)} == {Channel.NONE}


@pytest.mark.req("P02")
def test_a_form_that_is_sent_twice_plans_one_session(house: House, browser: Browser, host: User) -> None:
    # given
    page = browser.ask("/plan")
    # when
    first, second = (send(browser, page, "/plan", **SENT) for _ in range(2))
    # then
    assert len(hosted_by(house, host)) == 1
    assert header(first, "location") == header(second, "location")


def test_a_form_that_was_sent_and_changed_asks_before_it_plans_another(
    house: House, browser: Browser, host: User
) -> None:
    # given
    page = browser.ask("/plan")
    send(browser, page, "/plan", **SENT)
    # when: the way back, another title, and the button
    again = send(browser, page, "/plan", **(SENT | {"title": "Another"}))
    # then
    assert again["statusCode"] == 422
    assert "You have sent this form before" in text_of(again)
    assert value(again, "title") == "Another"
    assert value(again, "form_key") != value(page, "form_key")
    assert len(hosted_by(house, host)) == 1
    # when: on purpose
    assert send(browser, again, "/plan", **(SENT | {"title": "Another"}))["statusCode"] == 303
    assert len(hosted_by(house, host)) == 2


def test_the_second_of_two_clicks_waits_for_the_first(
    house: House, browser: Browser, host: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the first one is at work until we have looked twice
    page, waited, real = browser.ask("/plan"), list[float](), house.idempotency.once

    def once(*arguments: Any, **named: Any) -> Any:
        if len(waited) < 2:
            raise BusyError("idempotency_key_in_use", "")
        return real(*arguments, **named)

    monkeypatch.setattr(house.idempotency, "once", once)
    monkeypatch.setattr(house, "pause", waited.append)
    # then
    assert send(browser, page, "/plan", **SENT)["statusCode"] == 303
    assert len(waited) == 2
    assert len(hosted_by(house, host)) == 1


@pytest.mark.req("S07")
@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"title": "  "}, "title", "Give the session a title"),
        ({"title": "x" * 301}, "title", "up to 300 characters"),
        ({"day": ""}, "day", "Give the day"),
        ({"day": "23.11.2026"}, "day", "such as 2027-01-31"),
        ({"day": "2026-11-21"}, "day", "must not lie in the past"),
        ({"clock": "half past nine"}, "clock", "such as 09:30"),
        ({"clock": "09:30+01:00"}, "clock", "such as 09:30"),
        ({"day": "2027-03-28", "clock": "02:30"}, "clock", "There is no such time on this day"),
        ({"minutes": "0"}, "minutes", "from 1 to 525600"),
        ({"minutes": "an hour"}, "minutes", "from 1 to 525600"),
        ({"zone": "Europe/Atlantis"}, "zone", "Choose a time zone"),
        ({"password": "abc"}, "password", "4 to 128 characters"),
        ({"email-1": "ben"}, "email-1", "such as ada@example.org"),
        ({"name-1": ""}, "name-1", "name, in one line of up to 200"),
        ({"role-1": "host"}, "role-1", "Choose a role"),
        ({"name-2": "Ben again", "email-2": "BEN@example.org"}, "email-2", "takes part already, or stands here twice"),
        ({"email-1": "Grace@example.org"}, "email-1", "takes part already"),
        ({"name-2": "observing olga"}, "name-3", "stands here twice"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(
    house: House, browser: Browser, host: User, typed: dict[str, str], field: str, said: str
) -> None:
    # when
    sent = SENT | typed
    page = send(browser, browser.ask("/plan"), "/plan", **sent)
    # then
    assert page["statusCode"] == 422
    assert said in wrong(page)[field]
    assert len(wrong(page)) == 1
    assert "One thing has to be put right:" in text_of(page)
    assert f'<a href="#{field}">' in page["body"]
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page["body"])
    assert re.search(r'role="alert" tabindex="-1" autofocus', page["body"])
    assert "<title>Please check: Schedule a session" in page["body"]
    for name in ("title", "day", "clock", "minutes", "password", "name-1", "email-1", "name-3"):
        assert value(page, name) == sent[name]
    assert hosted_by(house, host) == []
    # and put right, under the same key
    assert send(browser, page, "/plan", **SENT)["statusCode"] == 303


def test_several_things_are_said_at_once(browser: Browser) -> None:
    page = send(browser, browser.ask("/plan"), "/plan", **(SENT | {"title": "", "day": "", "email-1": "x"}))
    assert set(wrong(page)) == {"title", "day", "email-1"}
    assert "3 things have to be put right:" in text_of(page)


def test_more_rows_keep_what_was_typed(house: House, browser: Browser, host: User) -> None:
    # when
    page = send(browser, browser.ask("/plan"), "/plan", more="1", **SENT)
    # then
    assert (page["statusCode"], value(page, "rows")) == (200, str(ROWS_AT_FIRST + ROWS_MORE))
    assert (value(page, "name-1"), value(page, "title")) == ("Ben Okafor", "Follow-up")
    assert re.search(r'id="name-4"[^>]*autofocus', page["body"])
    assert hosted_by(house, host) == []
    # there is an end to it
    whole = send(browser, page, "/plan", more="1", **(SENT | {"rows": "99"}))
    assert value(whole, "rows") == str(ROWS_AT_MOST)
    assert 'name="more"' not in whole["body"]
    assert len(whole["body"].encode()) < LARGEST_PAGE


def test_hostile_text_is_text(house: House, browser: Browser, host: User) -> None:
    hostile = '"><script>alert(1)</script>'
    page = send(browser, browser.ask("/plan"), "/plan", **(SENT | {"title": hostile, "day": hostile, "zone": hostile}))
    assert "<script>alert" not in page["body"]
    assert value(page, "title") == hostile
    send(browser, page, "/plan", **(SENT | {"title": hostile, "name-1": hostile}))
    (session,) = hosted_by(house, host)
    assert "<script>alert" not in browser.ask(f"/plan/{session.session_id}")["body"]


def test_a_failing_table_is_a_503_and_the_form_may_be_sent_again(
    house: House, wire: Wire, browser: Browser, host: User
) -> None:
    # given
    wire.fail("TransactWriteItems", "InternalServerError")
    # when
    failed = send(browser, browser.ask("/plan"), "/plan", **SENT)
    # then: nothing that was typed is lost
    assert (failed["statusCode"], header(failed, "retry-after")) == (503, "1")
    assert "nothing is done twice" in text_of(failed)
    assert (value(failed, "title"), value(failed, "name-1")) == ("Follow-up", "Ben Okafor")
    assert send(browser, failed, "/plan", **SENT)["statusCode"] == 303
    assert len(hosted_by(house, host)) == 1


def test_a_lost_answer_plans_no_second_session(house: House, wire: Wire, browser: Browser, host: User) -> None:
    wire.lose_answer("TransactWriteItems", times=3)
    failed = send(browser, browser.ask("/plan"), "/plan", **SENT)
    assert failed["statusCode"] in {303, 503}
    if failed["statusCode"] == 503:
        assert send(browser, failed, "/plan", **SENT)["statusCode"] == 303
    assert len(hosted_by(house, host)) == 1


def test_a_failing_table_loses_no_change_and_nobody_of_the_list(
    house: House, wire: Wire, browser: Browser, planned: Session
) -> None:
    # given
    change, add = (f"/plan/{planned.session_id}/{step}" for step in ("change", "add"))
    page, people = browser.ask(change), browser.ask(add)
    row = {"rows": "1", "name-1": "Carla", "role-1": "attendee"}
    # when
    wire.fail("PutItem", "InternalServerError")
    failed = send(browser, page, change, **typed_of(page, title="Renamed"))
    wire.fail("TransactWriteItems", "InternalServerError")
    lost = send(browser, people, add, **row)
    # then
    assert (failed["statusCode"], value(failed, "title")) == (503, "Renamed")
    assert (lost["statusCode"], value(lost, "name-1")) == (503, "Carla")
    assert send(browser, failed, change, **typed_of(failed))["statusCode"] == 303
    assert send(browser, lost, add, **row)["statusCode"] == 303
    assert (as_it_is(house, planned).title, len(people_of(house, planned))) == ("Renamed", 3)


# --- changing -------------------------------------------------------------------------------------------


def typed_of(page: Show, **changed: str) -> dict[str, str]:
    """Return what a form of a session holds, with some of it typed anew."""
    (zone,) = re.findall(r"<option selected>([^<]+)</option>", page["body"])
    return {**{name: value(page, name) for name in ("title", "day", "clock", "minutes")}, "zone": zone, **changed}


def test_only_what_was_typed_anew_is_changed(house: House, browser: Browser, planned: Session) -> None:
    """A start that the form cannot show to the millisecond stays where it is, and nobody is told of it."""
    # given
    assert planned.starts_at % MINUTE
    address = f"/plan/{planned.session_id}/change"
    page = browser.ask(address)
    # when
    answer = send(browser, page, address, **typed_of(page, password=PASSWORD))
    # then
    now = as_it_is(house, planned)
    assert header(answer, "location") == f"/plan/{planned.session_id}?done=changed"
    assert (now.starts_at, now.title, now.event) == (planned.starts_at, planned.title, planned.event)
    assert now.password_hash is not None
    # when
    page = browser.ask(address)
    send(browser, page, address, **typed_of(page, clock="10:15", title="Later", minutes="90", drops_password="on"))
    # then
    now = as_it_is(house, planned)
    assert now.starts_at == moment_at(date(2026, 11, 23), time(10, 15), BERLIN)
    assert (now.title, now.duration_minutes, now.password_hash) == ("Later", 90, None)


def test_a_change_is_never_lost(house: House, browser: Browser, planned: Session) -> None:
    # given: a form, and somebody else who is faster
    address = f"/plan/{planned.session_id}/change"
    page = browser.ask(address)
    house.sessions.change(planned.account_id, planned.session_id, {"title": "By the portal", "duration_minutes": 20})
    # when
    refused = send(browser, page, address, **typed_of(page, title="By the host"))
    # then
    assert refused["statusCode"] == 412
    text = text_of(refused)
    assert "Somebody changed this session meanwhile." in text
    assert "Title now By the portal" in text
    assert "Duration now 20 minutes" in text
    assert value(refused, "title") == "By the host"
    assert as_it_is(house, planned).title == "By the portal"
    # when: seen, and sent again
    assert send(browser, refused, address, **typed_of(refused, minutes="20"))["statusCode"] == 303
    now = as_it_is(house, planned)
    assert (now.title, now.duration_minutes) == ("By the host", 20)


def test_a_change_in_the_very_moment_is_not_lost_either(
    house: House, browser: Browser, planned: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: the other one comes between reading and writing
    address = f"/plan/{planned.session_id}/change"
    page, real = browser.ask(address), house.sessions.change

    def change(*arguments: Any, **named: Any) -> Any:
        real(planned.account_id, planned.session_id, {"title": "By the portal"})
        return real(*arguments, **named)

    monkeypatch.setattr(house.sessions, "change", change)
    # then
    refused = send(browser, page, address, **typed_of(page, title="By the host"))
    assert refused["statusCode"] == 412
    assert "Title now By the portal" in text_of(refused)


def test_a_change_that_is_sent_twice_is_made_once(house: House, browser: Browser, planned: Session) -> None:
    # given
    address = f"/plan/{planned.session_id}/change"
    page = browser.ask(address)
    typed = typed_of(page, title="Renamed", password=PASSWORD)
    # then
    assert [send(browser, page, address, **typed)["statusCode"] for _ in range(2)] == [303, 303]
    assert as_it_is(house, planned).version == planned.version + 1


def test_a_change_is_judged_by_the_domain(house: House, browser: Browser, planned: Session) -> None:
    address = f"/plan/{planned.session_id}/change"
    page = browser.ask(address)
    refused = send(browser, page, address, **typed_of(page, title="", day="2026-11-20", password="abc"))
    assert set(wrong(refused)) == {"title"}
    refused = send(browser, refused, address, **typed_of(refused, title="T", password="abc"))
    assert set(wrong(refused)) == {"password"}
    refused = send(browser, refused, address, **typed_of(refused))
    assert set(wrong(refused)) == {"day"}
    assert as_it_is(house, planned).version == planned.version


# --- cancelling -----------------------------------------------------------------------------------------


def test_a_session_is_cancelled_after_a_question(house: House, browser: Browser, planned: Session) -> None:
    # given
    address = f"/plan/{planned.session_id}/cancel"
    page = browser.ask(address)
    assert "Cancel this session?" in text_of(page)
    assert as_it_is(house, planned).status is SessionStatus.SCHEDULED
    # when: twice, as a double click does
    answers = [send(browser, page, address) for _ in range(2)]
    # then
    assert {header(answer, "location") for answer in answers} == {f"/plan/{planned.session_id}?done=cancelled"}
    now = as_it_is(house, planned)
    assert (now.status, now.version) == (SessionStatus.CANCELLED, planned.version + 1)
    shown = browser.ask(f"/plan/{planned.session_id}?done=cancelled")
    assert "The session is cancelled." in text_of(shown)
    assert "Personal link" not in text_of(shown)
    for step in ("change", "add"):
        assert f"/plan/{planned.session_id}/{step}" not in shown["body"]
    refused = browser.ask(f"/plan/{planned.session_id}/change")
    assert (refused["statusCode"], "nothing was done" in text_of(refused)) == (409, True)


# --- people ---------------------------------------------------------------------------------------------


@pytest.mark.req("S02", "S03")
def test_the_host_sees_everybodys_code_and_link(
    house: House, account: Account, browser: Browser, planned: Session
) -> None:
    # when
    page = browser.ask(f"/plan/{planned.session_id}")
    # then
    guest = guest_of(house, planned)
    for shown in (
        house.links.session_link(account.slug, planned),
        house.links.personal_link(account.slug, guest),
        house.links.connect_code(guest),
    ):
        assert f'value="{shown}"' in page["body"]
    assert "Ben Okafor Attendee · ben@example.org" in text_of(page)
    assert "Passkey" not in text_of(page)
    house.sessions.change(planned.account_id, planned.session_id, {"friendly_url": "my-hour"})
    assert "/go/clinic/my-hour" in browser.ask(f"/plan/{planned.session_id}")["body"]


def test_passkeys_stand_there_where_the_account_wants_them(
    house: House, account: Account, browser: Browser, planned: Session
) -> None:
    house.accounts.change(account.account_id, {"require_passkey": True})
    page = browser.ask(f"/plan/{planned.session_id}")
    assert house.links.passkey(guest_of(house, planned)) in page["body"]


def test_people_are_added_once_and_all_of_them_or_none(house: House, browser: Browser, planned: Session) -> None:
    # given
    address = f"/plan/{planned.session_id}/add"
    page = browser.ask(address)
    rows = {
        "rows": "3",
        "name-1": "Carla",
        "email-1": "carla@example.org",
        "role-1": "presenter",
        "name-2": "Dora",
        "role-2": "attendee",
    }
    # when
    answers = [send(browser, page, address, **rows) for _ in range(2)]
    # then
    assert {header(answer, "location") for answer in answers} == {f"/plan/{planned.session_id}?done=added&page=1"}
    added = people_of(house, planned)[2:]
    assert [(one.full_name, one.role.value, one.notify) for one in added] == [
        ("Carla", "presenter", Channel.NONE),
        ("Dora", "attendee", Channel.NONE),
    ]
    # when: one of them takes part already
    page = browser.ask(address)
    refused = send(browser, page, address, **(rows | {"name-2": "Ben", "email-2": "ben@example.org", "email-1": ""}))
    # then
    assert refused["statusCode"] == 422
    assert set(wrong(refused)) == {"email-2"}
    assert value(refused, "name-1") == "Carla"
    assert len(people_of(house, planned)) == 4


@pytest.mark.parametrize(
    ("rows", "field"),
    [({"rows": "3"}, "name-1"), ({"rows": "x", "name-1": "A", "email-1": "@", "role-1": "attendee"}, "email-1")],
)
def test_rows_that_are_nobody_are_refused(
    house: House, browser: Browser, planned: Session, rows: dict[str, str], field: str
) -> None:
    address = f"/plan/{planned.session_id}/add"
    page = send(browser, browser.ask(address), address, **rows)
    assert (page["statusCode"], set(wrong(page))) == (422, {field})
    assert len(people_of(house, planned)) == 2


def test_more_rows_for_people(browser: Browser, planned: Session) -> None:
    address = f"/plan/{planned.session_id}/add"
    page = send(browser, browser.ask(address), address, rows="3", more="1")
    assert (page["statusCode"], value(page, "rows")) == (200, str(ROWS_AT_FIRST + ROWS_MORE))


def test_a_full_session_says_so(house: House, browser: Browser, host: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vestibule.domain.participants.PARTICIPANTS_AT_MOST", 2)
    session = plan(house, host, Invitee(full_name="Ben"))
    address = f"/plan/{session.session_id}/add"
    sent = {"rows": "1", "name-1": "Carla", "role-1": "attendee"}
    page = send(browser, browser.ask(address), address, **sent)
    assert "too many participants, so nobody was added" in text_of(page)
    # and sent again after an addition that came through, it asks
    monkeypatch.undo()
    page = browser.ask(address)
    assert send(browser, page, address, **sent)["statusCode"] == 303
    again = send(browser, page, address, **(sent | {"name-1": "Dora"}))
    assert "You have sent this form before" in text_of(again)


def test_somebody_is_removed_after_a_question(house: House, browser: Browser, planned: Session) -> None:
    # given
    guest = guest_of(house, planned)
    address = f"/plan/{planned.session_id}/participants/{guest.participant_id}/remove"
    page = browser.ask(address)
    assert "Remove this person? Ben Okafor" in text_of(page)
    # when it is sent twice
    answers = [send(browser, page, address) for _ in range(2)]
    # then
    assert {header(answer, "location") for answer in answers} == {f"/plan/{planned.session_id}?done=removed"}
    assert [one.role for one in people_of(house, planned)] == [ParticipantRole.HOST]
    gone = browser.ask(address)
    assert (gone["statusCode"], "This person does not take part any more." in text_of(gone)) == (404, True)


def test_the_host_stays(house: House, browser: Browser, planned: Session) -> None:
    (host,) = [one for one in people_of(house, planned) if one.role is ParticipantRole.HOST]
    page = browser.ask(f"/plan/{planned.session_id}")
    address = f"/plan/{planned.session_id}/participants/{host.participant_id}/remove"
    assert address not in page["body"]
    refused = send(browser, page, address)
    assert refused["statusCode"] == 409
    assert "The host takes part as long as the session is theirs." in text_of(refused)


@pytest.mark.req("S05")
def test_reminders_go_out_once_a_click_and_end_for_an_hour(
    house: House, clock: FakeClock, browser: Browser, planned: Session
) -> None:
    # given
    guest = guest_of(house, planned)
    address = f"/plan/{planned.session_id}/participants/{guest.participant_id}/remind"
    home = f"/plan/{planned.session_id}"
    # when: each sent twice, as double clicks do
    for _ in range(AN_HOUR):
        page = browser.ask(home)
        for _ in range(2):
            assert header(send(browser, page, address, page="1"), "location") == f"{home}?done=reminded&page=1"
    clock.advance(20 * MINUTE)
    refused = send(browser, browser.ask(home), address)
    # then
    assert refused["statusCode"] == 429
    assert header(refused, "retry-after") == str(40 * 60)
    assert "Ben Okafor had enough reminders for now. The next one can go out in 40 minutes." in text_of(refused)
    clock.advance(40 * MINUTE)
    assert send(browser, browser.ask(home), address)["statusCode"] == 303


def test_a_reminder_that_cannot_go_out_says_why(house: House, clock: FakeClock, browser: Browser, host: User) -> None:
    # given
    planned = plan(house, host, Invitee(full_name="Ben", email="b@example.org"), starts_at=START + HOUR)
    silent = plan(house, host, Invitee(full_name="No Address"))
    to_silent = f"/plan/{silent.session_id}/participants/{guest_of(house, silent).participant_id}/remind"
    to_guest = f"/plan/{planned.session_id}/participants/{guest_of(house, planned).participant_id}/remind"
    page = browser.ask(f"/plan/{silent.session_id}")
    assert to_silent not in page["body"]
    # then
    refused = send(browser, page, to_silent)
    assert (refused["statusCode"], "has no address" in text_of(refused)) == (409, True)
    nobody = send(browser, page, f"/plan/{planned.session_id}/participants/99999999/remind")
    assert (nobody["statusCode"], "does not take part any more" in text_of(nobody)) == (404, True)
    assert "Remind this person?" in text_of(browser.ask(to_guest))
    clock.now = planned.ends_at
    page = browser.ask(f"/plan/{planned.session_id}")
    assert to_guest not in page["body"]
    refused = send(browser, page, to_guest)
    assert (refused["statusCode"], "The session is over" in text_of(refused)) == (409, True)


def test_many_people_stand_on_several_pages_of_bounded_weight(house: House, browser: Browser, host: User) -> None:
    # given
    longest = [Invitee(full_name=f"{n:03}" + "W" * 197, email=f"{n:03}{'w' * 60}@{'d' * 180}.org") for n in range(30)]
    session = plan(house, host, *longest, title="T" * 300)
    # when
    first = browser.ask(f"/plan/{session.session_id}")
    second = browser.ask(f"/plan/{session.session_id}?page=2")
    # then
    assert (first["body"].count('id="person-'), second["body"].count('id="person-')) == (PEOPLE_SHOWN, PEOPLE_SHOWN)
    assert f'href="/plan/{session.session_id}?page=2"' in first["body"]
    assert max(len(page["body"].encode()) for page in (first, second)) < LARGEST_PAGE
    beyond = browser.ask(f"/plan/{session.session_id}?page=77&done=nonsense")
    assert beyond["body"].count('id="person-') == 31 - 2 * PEOPLE_SHOWN


# --- one of its people ----------------------------------------------------------------------------------


def of_guest(house: House, session: Session, step: str) -> str:
    return f"/plan/{session.session_id}/participants/{guest_of(house, session).participant_id}/{step}"


PERSON = {"name": "Ben Okafor", "email": "ben@example.org", "phone": "", "role": "attendee", "notify": "none"}


def test_the_form_of_a_person_shows_what_is(house: House, browser: Browser, planned: Session) -> None:
    # when
    overview = browser.ask(f"/plan/{planned.session_id}")
    page = browser.ask(of_guest(house, planned, "change"))
    # then
    assert of_guest(house, planned, "change") in overview["body"]
    assert {name: value(page, name) for name in ("name", "email", "phone")} == {
        "name": "Ben Okafor",
        "email": "ben@example.org",
        "phone": "",
    }
    assert '<option value="attendee" selected>' in page["body"]
    assert '<option value="none" selected>' in page["body"]


@pytest.mark.req("S05")
def test_a_person_is_changed_once_however_often_it_is_sent(house: House, browser: Browser, planned: Session) -> None:
    # given
    address = of_guest(house, planned, "change")
    page = browser.ask(f"{address}?page=1")
    typed = {"name": "Ben A. Okafor", "email": "b@example.org", "phone": "+49 30 1234567", "role": "presenter"}
    # when
    answers = [send(browser, page, address, **typed, notify="email", page="1") for _ in range(2)]
    # then
    home = f"/plan/{planned.session_id}"
    assert {header(answer, "location") for answer in answers} == {f"{home}?done=person_changed&page=1"}
    guest = guest_of(house, planned)
    assert (guest.full_name, guest.email, guest.phone) == ("Ben A. Okafor", "b@example.org", "+49 30 1234567")
    assert (guest.role, guest.notify, guest.version) == (ParticipantRole.PRESENTER, Channel.EMAIL, 2)
    assert guest.event is not None
    assert guest.event.kind is EventKind.INVITED
    assert "The participant is saved." in text_of(browser.ask(f"{home}?done=person_changed&page=1"))
    # when: everything that may be cleared is
    page = browser.ask(address)
    send(browser, page, address, **PERSON | {"email": ""})
    # then
    cleared = guest_of(house, planned)
    assert (cleared.full_name, cleared.email, cleared.phone, cleared.notify) == (
        "Ben Okafor",
        None,
        None,
        Channel.NONE,
    )


@pytest.mark.parametrize(
    ("typed", "field", "reason"),
    [
        ({"name": " "}, "name", "Give this person"),
        ({"email": "@"}, "email", "Give an e-mail address such as"),
        ({"email": "", "notify": "email"}, "email", "Give the e-mail address that messages go to"),
        ({"phone": "call me"}, "phone", "Give a telephone number with its country"),
        ({"notify": "sms"}, "phone", "Give the number that text messages go to"),
        ({"notify": "sms", "phone": "030 1234567"}, "phone", "Give a telephone number with its country"),
        ({"notify": "pigeon"}, "notify", "Choose from the list how this person is told"),
        ({"role": "king"}, "role", "Choose a role from the list"),
        ({"role": "host"}, "role", "Choose a role from the list"),
    ],
)
def test_what_is_wrong_with_a_person_stands_at_its_field(
    house: House, browser: Browser, planned: Session, typed: dict[str, str], field: str, reason: str
) -> None:
    # given
    before, address = guest_of(house, planned), of_guest(house, planned, "change")
    # when
    page = send(browser, browser.ask(address), address, **(PERSON | {"name": "Another"} | typed))
    # then
    assert (page["statusCode"], list(wrong(page))) == (422, [field])
    assert wrong(page)[field].startswith(reason)
    assert value(page, "email") == (PERSON | typed)["email"]
    assert guest_of(house, planned) == before


def test_nobody_becomes_somebody_else_who_takes_part(house: House, browser: Browser, planned: Session) -> None:
    # given
    house.participants.add(planned.account_id, planned.session_id, [Invitee(full_name="Carla", email="c@example.org")])
    ben = next(one for one in people_of(house, planned) if one.full_name == "Ben Okafor")
    address = f"/plan/{planned.session_id}/participants/{ben.participant_id}/change"
    # when
    page = send(browser, browser.ask(address), address, **PERSON | {"email": "C@Example.org"})
    # then
    assert (page["statusCode"], list(wrong(page))) == (409, ["email"])
    assert "This person takes part already" in wrong(page)["email"]


def test_a_host_keeps_the_role_and_may_have_the_rest_changed(house: House, browser: Browser, planned: Session) -> None:
    # given
    (host,) = [one for one in people_of(house, planned) if one.role is ParticipantRole.HOST]
    address = f"/plan/{planned.session_id}/participants/{host.participant_id}/change"
    page = browser.ask(address)
    assert 'name="role"' not in page["body"]
    # when
    answer = send(browser, page, address, name="Grace", email="grace@example.org", phone="", notify="none")
    # then
    assert answer["statusCode"] == 303
    (host,) = [one for one in people_of(house, planned) if one.role is ParticipantRole.HOST]
    assert host.full_name == "Grace"
    # and a role that is sent all the same is refused
    refused = send(browser, browser.ask(address), address, **PERSON | {"role": "observer"})
    assert (refused["statusCode"], guest_of(house, planned).full_name) == (422, "Ben Okafor")


def test_two_windows_lose_no_change_of_a_person(house: House, browser: Browser, planned: Session) -> None:
    # given
    address = of_guest(house, planned, "change")
    page = browser.ask(address)
    send(browser, page, address, **PERSON | {"phone": "+49 30 1234567"})
    # when
    late = send(browser, page, address, **PERSON | {"name": "Benjamin"})
    # then
    assert late["statusCode"] == 412
    text = text_of(late)
    assert "Somebody changed this person meanwhile." in text
    assert "Telephone number now +49 30 1234567" in text
    assert value(late, "name") == "Benjamin"
    assert guest_of(house, planned).full_name == "Ben Okafor"
    # and sent again it counts
    assert send(browser, late, address, **PERSON | {"name": "Benjamin"})["statusCode"] == 303
    assert (guest_of(house, planned).full_name, guest_of(house, planned).phone) == ("Benjamin", None)


@pytest.mark.req("R01")
def test_somebody_is_faster_between_look_and_write(
    house: House, browser: Browser, planned: Session, wire: Wire
) -> None:
    # given
    address = of_guest(house, planned, "change")
    page = browser.ask(address)
    guest = guest_of(house, planned)

    def rename() -> None:
        key = (planned.account_id, planned.session_id, guest.participant_id)
        house.participants.change(*key, {"phone": "+49 30 7654321"})

    # when
    wire.before("PutItem", rename)
    late = send(browser, page, address, **PERSON | {"name": "Benjamin"})
    # then
    assert "Telephone number now +49 30 7654321" in text_of(late)
    assert (late["statusCode"], value(late, "name")) == (409, "Benjamin")


@pytest.mark.req("S02", "S03", "S05")
def test_a_new_link_and_code_are_given_once_a_click(house: House, browser: Browser, planned: Session) -> None:
    # given
    address, before = of_guest(house, planned, "rotate"), guest_of(house, planned)
    page = browser.ask(f"{address}?page=1")
    assert "Give this person a new link and code? Ben Okafor" in text_of(page)
    # when it is sent twice
    answers = [send(browser, page, address, page="1") for _ in range(2)]
    # then
    home = f"/plan/{planned.session_id}?done=rotated&page=1"
    assert {header(answer, "location") for answer in answers} == {home}
    after = guest_of(house, planned)
    assert after.link_version == before.link_version + 1
    assert house.links.connect_code(after) != house.links.connect_code(before)
    shown = browser.ask(home)
    assert "The link and the code are new." in text_of(shown)
    assert f'value="{house.links.connect_code(after)}"' in shown["body"]


@pytest.mark.parametrize("step", ["change", "rotate"])
def test_whoever_is_gone_is_neither_changed_nor_given_anything(
    house: House, browser: Browser, planned: Session, step: str
) -> None:
    # given
    address = of_guest(house, planned, step)
    page = browser.ask(address)
    key = (planned.account_id, planned.session_id, guest_of(house, planned).participant_id)
    house.participants.remove(*key)
    # then
    for answer in (send(browser, page, address, **PERSON), browser.ask(address)):
        assert (answer["statusCode"], "does not take part any more" in text_of(answer)) == (404, True)


def test_people_of_a_cancelled_session_stay_as_they_are(house: House, browser: Browser, planned: Session) -> None:
    # given
    address, before = of_guest(house, planned, "change"), guest_of(house, planned)
    page = browser.ask(address)
    house.sessions.cancel(planned.account_id, planned.session_id)
    # when
    answer = send(browser, page, address, **PERSON | {"name": "Another"})
    # then
    assert (answer["statusCode"], "The session is cancelled" in text_of(answer)) == (409, True)
    assert guest_of(house, planned).full_name == before.full_name
    assert address not in browser.ask(f"/plan/{planned.session_id}")["body"]


# --- what was typed when the sign-in had ended -----------------------------------------------------------


@pytest.fixture
def again(house: House, account: Account) -> Callable[[Browser, User], None]:
    """Sign somebody in in a browser that is there already."""

    def arrive(browser: Browser, user: User) -> None:
        issued = house.login_uris.issue(account, user_id=user.user_id)
        assert browser.ask(f"/login/{issued.guid}")["statusCode"] == 303

    return arrive


def kept_by(browser: Browser) -> str:
    return browser.further.get(drafts.COOKIE, "")


@pytest.mark.req("L12", "L19", "L04")
def test_what_was_typed_outlives_the_sign_in_and_comes_back_once(
    house: House, browser: Browser, host: User, clock: FakeClock, again: Callable[[Browser, User], None]
) -> None:
    # given
    page = browser.ask("/plan")
    clock.advance(240 * MINUTE)
    # when
    answer = send(browser, page, "/plan", **SENT)
    # then: it is not done, and readable by nobody
    assert header(answer, "location") == "/sign-in?expired=1&next=%2Fplan"
    assert hosted_by(house, host) == []
    assert "__Host-vestibule-draft=" in str(answer["multiValueHeaders"])
    assert len(kept_by(browser)) < 1_000
    for typed in ("Follow-up", "Ben", "b64", "Rm9sbG93"):
        assert typed not in kept_by(browser)
    assert "What you typed is kept for an hour" in text_of(browser.ask("/sign-in?expired=1&next=%2Fplan"))
    # when
    again(browser, host)
    shown = browser.ask("/plan")
    # then
    assert "You were signed out before this was sent" in text_of(shown)
    assert {name: value(shown, name) for name in ("title", "day", "clock", "minutes", "name-1", "email-1")} == {
        name: SENT[name] for name in ("title", "day", "clock", "minutes", "name-1", "email-1")
    }
    assert value(shown, "form_key") == value(page, "form_key")
    assert hosted_by(house, host) == []
    assert kept_by(browser) == ""
    assert value(browser.ask("/plan"), "title") == ""
    # and its person sends it
    assert send(browser, shown, "/plan", **SENT)["statusCode"] == 303
    assert [one.title for one in hosted_by(house, host)] == ["Follow-up"]


@pytest.mark.req("L13", "L19")
def test_nobody_else_who_signs_in_there_sees_what_was_typed(
    browser: Browser, host: User, other: User, account: Account, again: Callable[[Browser, User], None]
) -> None:
    # given: signed out in another tab
    page = browser.ask("/plan")
    browser.ask("/logout")
    assert header(send(browser, page, "/plan", **SENT), "location") == "/sign-in?next=%2Fplan"
    # when
    again(browser, other)
    theirs = browser.ask("/plan")
    # then
    assert value(theirs, "title") == ""
    assert "Ben Okafor" not in theirs["body"]
    assert "signed out before" not in text_of(theirs)
    # and the person themselves does
    again(browser, host)
    assert value(browser.ask("/plan"), "title") == "Follow-up"


@pytest.mark.req("L19")
def test_a_form_of_another_sign_in_is_shown_again_to_its_person_alone(
    house: House, browser: Browser, host: User, other: User, again: Callable[[Browser, User], None]
) -> None:
    # given
    page = browser.ask("/plan")
    # when: the same person signed in once more
    again(browser, host)
    shown = send(browser, page, "/plan", **SENT)
    # then
    assert (shown["statusCode"], value(shown, "title")) == (200, "Follow-up")
    assert hosted_by(house, host) == []
    assert send(browser, shown, "/plan", **SENT)["statusCode"] == 303
    # when: another person did, and the page's script or somebody's click sends the form
    page = browser.ask("/plan")
    again(browser, other)
    clicked, left = send(browser, page, "/plan", **SENT), send(browser, page, "/plan", **SENT, later="1")
    # then
    assert (clicked["statusCode"], header(left, "location")) == (403, "/plan")
    assert "Follow-up" not in clicked["body"]
    assert value(browser.ask("/plan"), "title") == ""
    again(browser, host)
    assert value(browser.ask("/plan"), "title") == "Follow-up"
    assert (len(hosted_by(house, host)), hosted_by(house, other)) == (1, [])


def test_a_page_that_only_keeps_does_nothing_for_somebody_who_is_signed_in(
    house: House, browser: Browser, host: User
) -> None:
    shown = send(browser, browser.ask("/plan"), "/plan", **SENT, later="1")
    assert (shown["statusCode"], value(shown, "title"), hosted_by(house, host)) == (200, "Follow-up", [])


@pytest.mark.req("L19")
def test_another_sites_form_is_kept_for_nobody(browser: Browser, host: User) -> None:
    browser.ask("/logout")
    body = urlencode({**SENT, drafts.OWNER: host.user_id})
    headers = {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"}
    answer = browser.ask("/plan", "POST", headers=headers, body=body)
    assert (answer["statusCode"], kept_by(browser)) == (303, "")


def test_what_is_kept_is_kept_for_an_hour_and_in_one_cookie(
    browser: Browser, host: User, clock: FakeClock, again: Callable[[Browser, User], None]
) -> None:
    # given
    page = browser.ask("/plan")
    browser.ask("/logout")
    crowd = {f"{kind}-{n}": f"{kind}{n}@example.org" for n in range(1, 21) for kind in ("name", "email")}
    send(browser, page, "/plan", **SENT | crowd | {"rows": "20"})
    assert 0 < len(kept_by(browser)) < 2_000
    again(browser, host)
    assert value(browser.ask("/plan"), "name-20") == "name20@example.org"
    # when: it is more than a cookie holds
    page = browser.ask("/plan")
    browser.ask("/logout")
    rng = random.Random(1)  # noqa: S311 - made to be repeatable
    send(browser, page, "/plan", **SENT | {"title": "".join(rng.choices(string.printable, k=5_000))})
    assert kept_by(browser) == ""
    # when: it is too late
    send(browser, page, "/plan", **SENT)
    clock.advance(60 * MINUTE)
    again(browser, host)
    assert value(browser.ask("/plan"), "title") == ""


@pytest.mark.req("L07", "L12")
def test_a_form_goes_to_where_the_portal_said_by_a_page_that_moves_on(
    house: House, account: Account, host: User, function: LoadFunction, clock: FakeClock
) -> None:
    # given
    expiry = "https://portal.example/again"
    issued = house.login_uris.issue(account, user_id=host.user_id, redirect_to_uri_on_expiry=expiry)
    browser = Browser(function, account.slug)
    browser.ask(f"/login/{issued.guid}")
    page = browser.ask("/plan")
    clock.advance(240 * MINUTE)
    # when
    answer = send(browser, page, "/plan", **SENT)
    # then
    assert answer["statusCode"] == 200
    assert 'content="0;url=https://portal.example/again"' in answer["body"]
    assert kept_by(browser)


@pytest.mark.parametrize(
    ("step", "typed"),
    [
        ("change", {**SENT, "title": "Moved"}),
        ("add", SENT | {"email-1": "b@example.org"}),
        ("person", {**PERSON, "name": "Benjamin"}),
    ],
)
def test_every_form_with_something_typed_comes_back(
    house: House,
    browser: Browser,
    host: User,
    planned: Session,
    again: Callable[[Browser, User], None],
    *,
    step: str,
    typed: dict[str, str],
) -> None:
    # given
    address = of_guest(house, planned, "change") if step == "person" else f"/plan/{planned.session_id}/{step}"
    page = browser.ask(address)
    browser.ask("/logout")
    # when
    answer = send(browser, page, address, **typed)
    again(browser, host)
    shown = browser.follow(parse_qs(urlsplit(header(answer, "location") or "").query)["next"][0])
    # then
    assert "You were signed out before this was sent" in text_of(shown)
    names = {"change": ("title",), "add": ("name-1", "name-3"), "person": ("name", "email")}[step]
    assert [value(shown, name) for name in names] == [typed[name] for name in names]
    assert send(browser, shown, address, **typed)["statusCode"] == 303


def test_what_was_kept_opens_in_no_other_hands(house: House, account: Account, host: User) -> None:
    sealed = house.drafts.seal(account.account_id, host.user_id, "/plan", {"title": "Follow-up", "password": ""})
    assert sealed is not None
    assert house.drafts.open(account.account_id, host.user_id, "/plan", sealed) == {"title": "Follow-up"}
    assert house.drafts.open(account.account_id, host.user_id, "/plan/1/add", sealed) is None
    assert house.drafts.open(account.account_id, "1", "/plan", sealed) is None
    assert house.drafts.open("1", host.user_id, "/plan", sealed) is None
    for spoilt in ("", "x", sealed[:-2], sealed[4:] + sealed[:4], sealed + "AAAA", "é", "x" * 10_000):
        assert house.drafts.open(account.account_id, host.user_id, "/plan", spoilt) is None


@pytest.mark.req("R01")
def test_a_key_that_cannot_be_read_is_said_and_nothing_is_lost(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: str) -> str:
        raise UnavailableError("SecretsManager")

    page = browser.ask("/plan")
    browser.ask("/logout")
    monkeypatch.setattr("vestibule.sealing.Sealing.seal", unreadable)
    assert send(browser, page, "/plan", **SENT)["statusCode"] == 503
    monkeypatch.setattr("vestibule.sealing.Sealing.unseal", unreadable)
    with pytest.raises(UnavailableError):
        house.drafts.open("1", "1", "/plan", "x")


# --- the last of it --------------------------------------------------------------------------------------


def test_a_step_that_there_is_not(browser: Browser, planned: Session) -> None:
    for further in ("/rename", "/participants/1/promote"):
        assert browser.ask(f"/plan/{planned.session_id}{further}")["statusCode"] == 404
    assert browser.ask("/plan/not-an-id")["statusCode"] == 404


def test_the_dashboard_leads_there(browser: Browser, planned: Session) -> None:
    assert f'href="/plan/{planned.session_id}"' in browser.ask("/dashboard")["body"]


# --- the form by itself ---------------------------------------------------------------------------------


@pytest.mark.req("S07")
@pytest.mark.parametrize(
    ("day", "clock", "utc"),
    [
        ("2026-11-23", "09:30", 1_795_422_600_000),
        ("2026-10-25", "02:30", 1_792_888_200_000),  # twice: the first of the two
        ("2027-03-28", "02:30", None),
        ("2027-03-28", "03:00", 1_806_195_600_000),
    ],
)
def test_a_time_is_that_of_the_zones_clocks(day: str, clock: str, utc: int | None) -> None:
    assert moment_at(date.fromisoformat(day), time.fromisoformat(clock), BERLIN) == utc


def test_the_first_and_the_last_day_of_the_calendar_are_no_error() -> None:
    for day, place in ((date.min, "Asia/Tokyo"), (date.max, "America/New_York")):
        for clock in (time.min, time(23, 59)):
            moment_at(day, clock, ZoneInfo(place))
    typed = SessionForm(title="T", day="0001-01-01", clock="00:00", zone="Asia/Tokyo")
    assert typed.fields()[1] == {"clock": "no_such_time"}


@pytest.mark.req("S07")
@pytest.mark.parametrize(
    ("zone", "moment", "day", "clock"),
    [
        ("Europe/Berlin", START, "2026-11-22", "04:00"),
        ("Asia/Kolkata", START, "2026-11-22", "09:00"),  # half an hour beside those of the others
        ("Asia/Kathmandu", START, "2026-11-22", "09:00"),
        ("America/Los_Angeles", START + 5 * HOUR, "2026-11-22", "00:00"),
        ("UTC", START - START % HOUR, "2026-11-22", "03:00"),  # it is 02:00, which is the past when the form is sent
    ],
)
def test_a_new_form_proposes_the_next_full_hour(zone: str, moment: int, day: str, clock: str) -> None:
    form = SessionForm.fresh(zone, moment)
    assert (form.day, form.clock, form.zone) == (day, clock, zone)


def test_a_zone_that_is_no_place_can_still_be_kept() -> None:
    assert "US/Pacific" not in zones("UTC")
    assert zones("US/Pacific")[0] == "US/Pacific"
    assert "<script>" not in zones("<script>")


def test_what_a_form_shows_of_a_session_is_no_change(house: House, planned: Session) -> None:
    shown = SessionForm.shown(planned)
    assert shown.fields(shown) == ({}, {})
    assert SessionForm.fresh("no/zone", START).zone == "UTC"
    assert not PeopleForm().is_anybody
    assert house.clock() + HOUR > START
