"""The hub's pages: safe whatever is put into them, readable whatever colours an account has."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from tests.support import letters
from vestibule.domain.colors import EDGE_CONTRAST, SCHEMES, TEXT_CONTRAST, contrast, palette
from vestibule.http.hub.plan_form import (
    CHANNELS,
    LIMITS,
    ROLES,
    ROWS_AT_MOST,
    PeopleForm,
    PersonForm,
    Row,
    SessionForm,
    zones,
)
from vestibule.http.pages import assets
from vestibule.http.pages import render as render_module
from vestibule.http.pages.face import (
    NO_ACCOUNT,
    AccountFace,
    check_link,
    check_logo,
    check_stage_link,
    face_of,
    initials,
    origin_of,
)
from vestibule.http.pages.render import render
from vestibule.http.pages.style import style_of
from vestibule.http.pages.times import Span, clock_time, span
from vestibule.languages import translation
from vestibule.model import Account, NavigationLink

PAGES = Path(render_module.__file__).parent
LARGEST_PAGE = 60_000  # bytes, without images

CLINIC = AccountFace(
    name="Northside Clinic",
    logo_url="https://cdn.northside.example/logo.svg",
    colors={"accent": "#b3261e", "header": "#14213d"},
    navigation=(("Appointments", "https://portal.northside.example/a"), ("Help", "/help")),
    portal_url="https://portal.northside.example/",
)
NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def a_session(text: str = "Consultation", **fields: Any) -> dict[str, Any]:
    """Return a session as the hub's dashboard hands it to a template."""
    return {
        "id": "12345678",
        "title": text,
        "begins": NOW,
        "ends": NOW,
        "ends_days_later": 0,
        "minutes": 30,
        "moments": (1, 2, 3),
        "state": "open",
        "is_host": True,
        "host_name": None,
        "people": (text, text),
        "more": 2,
        "is_named": True,
        "manage_url": "/plan/12345678",
        "join_url": "/s/12345678?launch=1",
        **fields,
    }


def a_day(*sessions: dict[str, Any], distance: int = 0) -> dict[str, Any]:
    """Return a day as the hub's dashboard hands it to a template."""
    return {"date": NOW.date(), "distance": distance, "is_apart": False, "sessions": sessions}


NOTICES = ["switched", "other_person", "other_session", "session_over", "session_cancelled"]
PERSON = {"person_name": "Maria Lindqvist", "form_token": "t", "now": 1, "zone": "Europe/Berlin"}
STARTS = 1_795_315_772_123
"""2026-11-22T02:49:32.123Z."""


def a_span(minutes: int, zone: str, *, starts_at: int = STARTS, language: str = "en") -> Span:
    """Return when a session takes place, as a page shows it."""
    session = replace(letters.SESSION, starts_at=starts_at, duration_minutes=minutes, time_zone=zone)
    return span(translation(language), session)


WHEN = a_span(60, "Europe/Berlin")
REGISTER: dict[str, Any] = {
    "session_title": "Open lecture",
    "when": WHEN,
    "action": "/s/1/register",
    "form_token": "t",
    "problems": set(),
    "name": "",
    "email": "",
}
SESSION: dict[str, Any] = {
    "session_title": "Consultation",
    "when": WHEN,
    "person_name": "Ben Okafor",
    "role": "attendee",
    "phase": "upcoming",
    "version": 1,
    "opens_in": 60_000,
    "opens_at": "10:50",
    "opening": "2026-11-22T09:50:00.000Z",
    "again_in": 10_000,
    "state_url": "/s/1/state",
    "here": "/p/t?launch=1",
    "action": "/p/t",
    "form_token": "",
    "refresh_seconds": 60,
    "has_stage": True,
    "is_host": False,
    "launch": "no",
    "session_id": "12345678",
    "fields": {},
    "return_path": None,
    "picture": None,
    "ticket": None,
    "waiting_url": "/s/1/waiting",
}
DESK: dict[str, Any] = {"form_token": "t", "form_key": "k", "form_user": "1", "is_typed": False}
PLANNED: dict[str, Any] = {**DESK, "url": "/plan/1", "session_title": "Consultation", "when": WHEN}
FORM: dict[str, Any] = {
    **DESK,
    "typed": SessionForm(),
    "people": PeopleForm(),
    "roles": ROLES,
    "zones": zones("UTC"),
    "problems": {},
    "limits": LIMITS,
}
HOSTILE_FORM: dict[str, Any] = {
    **FORM,
    "form_key": HOSTILE,
    "form_user": HOSTILE,
    "is_typed": True,
    "typed": SessionForm(
        title=HOSTILE, day=HOSTILE, clock=HOSTILE, minutes=HOSTILE, zone=HOSTILE, password=HOSTILE, drops_password=True
    ),
    "people": PeopleForm((Row(HOSTILE, HOSTILE, HOSTILE),) * ROWS_AT_MOST, mails=False, grown_from=1),
    "zones": zones("US/Pacific"),
    "problems": {"": "changed_meanwhile", "title": "invalid_length", "name-1": "takes_part", "role-2": "invalid"},
}
PERSON_FORM: dict[str, Any] = {
    **PLANNED,
    "action": "/plan/1/participants/2/change",
    "now": PersonForm(),
    "version": "1",
    "page": 1,
    "typed": PersonForm(),
    "roles": (),
    "channels": CHANNELS,
    "problems": {},
    "limits": LIMITS,
}
MANAGED: dict[str, Any] = {
    **PLANNED,
    "minutes": 1,
    "phase": "cancelled",
    "is_open": False,
    "has_password": False,
    "session_link": "https://clinic.hub.vestibule.example/s/1",
    "friendly_link": None,
    "join_url": None,
    "people": (),
    "count": 0,
    "page": 1,
    "pages": 1,
    "done": None,
    "alert": None,
}


def a_person(text: str, number: int, **fields: Any) -> dict[str, Any]:
    """Return somebody who takes part as the host's page hands them to its template."""
    return {
        "id": str(number),
        "name": text,
        "email": text,
        "role": "attendee",
        "letter": "bounced",
        "code": "111222333",
        "passkey": text,
        "personal_link": f"https://clinic.hub.vestibule.example/p/{number}",
        "may_change": True,
        "may_remind": True,
        "may_remove": True,
        **fields,
    }


DOOR: dict[str, Any] = {"room_name": "Walk-ins", "here": "/u/front", "form_token": "t"}


def a_room(text: str = "Walk-ins", **fields: Any) -> dict[str, Any]:
    """Return a room as the hub hands it to a template."""
    waiter = {"key": "guest:1", "name": text, "minutes": 0, "is_walk_in": True}
    waiters = [waiter, {**waiter, "key": "user:2", "minutes": 7, "is_walk_in": False}, {**waiter, "minutes": 200}]
    door = "https://clinic.hub.vestibule.example/u/front?domain=clinic.example"
    return {"id": "1", "name": text, "door": door, "waiters": waiters[:2], **fields}


# Template -> the least that it can be rendered with.
MINIMAL: Mapping[str, dict[str, Any]] = {
    "check.html": {"uses_devices": True},
    "code.html": {"reason": "", "carried": {}},
    "come_in.html": {
        "action": "/s/1",
        "form_token": "",
        "sign_in_url": None,
        "person_name": None,
        "asks_password": False,
        "problem": "",
        "name": "",
    },
    "launch.html": {"launch_url": "https://stage.example/1", "opens_application": False, "back_url": "/s/1"},
    "passkey.html": {"action": "/join/111222333", "carried": {}, "is_wrong": False},
    "personal_refused.html": {},
    "session.html": SESSION,
    "embed.html": {"session_id": "1", "action": "/embed/1", "register_url": None},
    "embed_refused.html": {},
    "left.html": {"back_url": "/s/1"},
    "register.html": REGISTER,
    "registered.html": {"outcome": "taken"},
    "seat_refused.html": {"action": "/s/1"},
    "session_closed.html": {"is_cancelled": False},
    "session_unknown.html": {},
    "choose_organisation.html": {"hub_host": "hub.vestibule.example"},
    "dashboard.html": {**PERSON, "days": ()},
    "form_refused.html": {"back_url": "/dashboard"},
    "room_door.html": DOOR
    | {
        "receivers": [],
        "person_name": None,
        "is_receiver": True,
        "sign_in_url": None,
        "starts": False,
        "problem": "",
        "name": "",
    },
    "room_unknown.html": {},
    "rooms.html": {
        "rooms": [],
        "form_token": "t",
        "login": "",
        "action": "/dashboard/rooms",
        "is_too_late": False,
        "refresh_url": "/dashboard/rooms?again=1",
        "refresh_seconds": 10,
    },
    "turned_away.html": {"here": "/p/t", "form_token": None},
    "waiting.html": DOOR
    | {
        "person_name": "Ben Okafor",
        "receivers": [],
        "minutes": 0,
        "is_admitted": True,
        "state_url": "/u/front/state",
        "again_in": 4_000,
        "refresh_seconds": 8,
    },
    "launch_panel.html": {**PERSON, "day": a_day(a_session())},
    "link_refused.html": {"is_token": False, "login": "", "dashboard_url": "/dashboard", "again_url": None},
    "ask_link.html": {
        "is_password": False,
        "form": {"url": "/sign-in/link", "token": "", "longest_name": 254},
        "back_url": "/sign-in",
    },
    "choose_password.html": {"form": {"url": "/sign-in/password/x", "token": ""}},
    "follow_link.html": {"form": {"url": "/sign-in/link/x", "token": ""}},
    "link_sent.html": {"is_password": False, "again_url": "/sign-in/link", "back_url": "/sign-in"},
    "mailed_link_refused.html": {"again_url": "/sign-in/link", "back_url": "/sign-in"},
    "not_found.html": {},
    "panel_only.html": {"form_token": "t"},
    "host_only.html": {**DESK, "is_session": True},
    "manage.html": MANAGED,
    "plan.html": FORM,
    "plan_change.html": {**FORM, **PLANNED, "minutes": 60, "has_password": False, "version": "1"},
    "plan_confirm.html": {**PLANNED, "what": "cancel", "action": "/plan/1/cancel", "name": None, "page": 1},
    "plan_people.html": {**FORM, **PLANNED},
    "plan_person.html": PERSON_FORM,
    "sign_in.html": {"form": None},
    "signed_out.html": {},
    "unavailable.html": {"retry_url": None},
}
# Template -> everything that it knows, with other people's text in every place that takes text.
FULL: Mapping[str, dict[str, Any]] = {
    **MINIMAL,
    "code.html": {"reason": "unknown", "carried": {"launch": HOSTILE}},
    "come_in.html": {
        "action": "/s/1?launch=1",
        "form_token": HOSTILE,
        "sign_in_url": "/sign-in?next=%2Fs%2F1",
        "person_name": None,
        "asks_password": True,
        "problem": "password_wrong",
        "name": HOSTILE,
    },
    "launch.html": {"launch_url": "zoommtg://x/?g=1", "opens_application": True, "back_url": "/s/1"},
    "passkey.html": {"action": "/join/111222333", "carried": {"launch": HOSTILE}, "is_wrong": True},
    "session.html": SESSION
    | {
        "session_title": HOSTILE,
        "person_name": HOSTILE,
        "role": "host",
        "phase": "running",
        "opens_in": None,
        "form_token": HOSTILE,
        "launch": "application",
        "fields": {"pass": HOSTILE, "join": "1"},
        "return_path": "/dashboard?scrollTo=1",
        "picture": "https://pictures.example/ada.png",
        "ticket": HOSTILE,
    },
    "embed.html": {"session_id": "1", "action": "/embed/1", "register_url": "/s/1/register"},
    "register.html": REGISTER
    | {"session_title": HOSTILE, "name": HOSTILE, "email": HOSTILE, "problems": {"name", "email"}},
    "registered.html": {"outcome": "full"},
    "session_closed.html": {"is_cancelled": True},
    "choose_organisation.html": {"hub_host": "hub.vestibule.example", "asked": HOSTILE},
    "dashboard.html": {
        "person_name": HOSTILE,
        "form_token": HOSTILE,
        "notices": NOTICES,
        "idle_minutes": 240,
        "login": HOSTILE,
        "now": 1,
        "zone": HOSTILE,
        "days": [
            a_day(
                a_session(HOSTILE), a_session("Ward round", id="2", is_named=False, is_host=False, host_name=HOSTILE)
            ),
            a_day(
                a_session("Ward round", id="3", is_named=False, ends_days_later=1, state="over", join_url=None),
                distance=1,
            ),
            a_day(a_session("Ward round", id="4", is_named=False, ends_days_later=2, people=()), distance=-9),
        ],
        "launch_url": "/s/12345678?launch=1",
        "is_first": False,
        "next_url": "/dashboard?page=1",
        "plan_url": "/plan",
        "receives": True,
    },
    "launch_panel.html": {
        "person_name": HOSTILE,
        "form_token": HOSTILE,
        "notices": NOTICES,
        "login": HOSTILE,
        "now": 1,
        "zone": HOSTILE,
        "day": a_day(a_session(HOSTILE, state="cancelled", join_url=None)),
        "launch_url": "/s/12345678?launch=1",
    },
    "link_refused.html": {
        "is_token": True,
        "login": HOSTILE,
        "dashboard_url": "/dashboard?scrollTo=1&launch=1",
        "again_url": "/login/again?x=%22",
    },
    "ask_link.html": {
        "is_password": True,
        "is_empty": True,
        "form": {"url": "/sign-in/password?next=%2Fx&launch=1", "token": HOSTILE, "longest_name": 254},
        "back_url": "/sign-in?next=%2Fx&launch=1",
    },
    "choose_password.html": {"form": {"url": "/sign-in/password/x?launch=1", "token": HOSTILE}, "is_short": True},
    "follow_link.html": {"form": {"url": "/sign-in/link/x?launch=1", "token": HOSTILE}},
    "link_sent.html": {"is_password": True, "again_url": "/sign-in/link?launch=1", "back_url": "/sign-in?launch=1"},
    "sign_in.html": {
        "expired": True,
        "is_kept": True,
        "wrong": True,
        "name": HOSTILE,
        "form": {"url": "/sign-in?next=%2Fdashboard&launch=1", "token": HOSTILE, "longest_name": 254},
        "mailed": {"link_url": "/sign-in/link?launch=1", "password_url": "/sign-in/password?launch=1"},
    },
    "host_only.html": {**DESK, "login": HOSTILE, "is_session": False},
    "manage.html": {
        **MANAGED,
        "session_title": HOSTILE,
        "phase": "open",
        "is_open": True,
        "has_password": True,
        "friendly_link": "https://clinic.hub.vestibule.example/go/clinic/a",
        "join_url": "/s/1?launch=1",
        "people": [a_person(HOSTILE, 1), a_person("Ada", 2, letter="queued", passkey=None, role="host")],
        "page": 2,
        "pages": 3,
        "done": "planned",
        "alert": {"code": "too_many_reminders", "name": HOSTILE, "minutes": 2},
    },
    "plan.html": HOSTILE_FORM,
    "plan_change.html": {
        **HOSTILE_FORM,
        **PLANNED,
        "session_title": HOSTILE,
        "minutes": 1,
        "has_password": True,
        "version": HOSTILE,
    },
    "plan_confirm.html": {
        **PLANNED,
        "session_title": HOSTILE,
        "what": "remove",
        "action": "/plan/1/participants/2/remove",
        "name": HOSTILE,
        "page": 1,
    },
    "plan_people.html": {**HOSTILE_FORM, **PLANNED, "session_title": HOSTILE},
    "plan_person.html": {
        **PERSON_FORM,
        "session_title": HOSTILE,
        "now": PersonForm(name=HOSTILE, email=HOSTILE, phone=HOSTILE, role="host", notify="sms"),
        "version": HOSTILE,
        "typed": PersonForm(name=HOSTILE, email=HOSTILE, phone=HOSTILE, role=HOSTILE, notify=HOSTILE),
        "roles": ROLES,
        "problems": {"": "person_changed_meanwhile", "email": "required", "phone": "required", "notify": "invalid"},
    },
    "room_door.html": {
        "room_name": HOSTILE,
        "here": "/u/front?domain=clinic.example",
        "form_token": HOSTILE,
        "receivers": [HOSTILE, HOSTILE],
        "person_name": None,
        "is_receiver": False,
        "sign_in_url": "/sign-in?next=%2Fu%2Ffront",
        "starts": True,
        "problem": "name",
        "name": HOSTILE,
    },
    "rooms.html": {
        "rooms": [a_room(HOSTILE), a_room("", id="2", waiters=[])],
        "form_token": HOSTILE,
        "login": HOSTILE,
        "action": "/dashboard/rooms",
        "is_too_late": True,
        "refresh_url": "/dashboard/rooms?again=1",
        "refresh_seconds": 10,
    },
    "turned_away.html": {"here": "/u/front", "form_token": HOSTILE},
    "waiting.html": {
        "room_name": HOSTILE,
        "here": "/u/front",
        "form_token": HOSTILE,
        "person_name": HOSTILE,
        "receivers": [HOSTILE, HOSTILE],
        "minutes": 3,
        "is_admitted": False,
        "state_url": "/u/front/state",
        "again_in": 4_000,
        "refresh_seconds": 8,
    },
    "signed_out.html": {"continue_url": "https://portal.northside.example/bye"},
    "unavailable.html": {"retry_url": "/dashboard"},
}
CASES = [(name, values) for table in (MINIMAL, FULL) for name, values in table.items()]


class Tags(HTMLParser):
    """Every start tag of a page with its attributes, and the text inside ``style``."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.style = ""
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        """Leave the style sheet."""
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        """Collect the style sheet."""
        if self._in_style:
            self.style += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def policy_of(answer: dict[str, Any]) -> dict[str, list[str]]:
    """Return the Content-Security-Policy by directive."""
    rules = (rule.split() for rule in answer["headers"]["Content-Security-Policy"].split("; "))
    return {name: sources for name, *sources in rules}


def test_every_template_is_tested() -> None:
    """A page cannot be added without being in the tables above."""
    names = {path.name for path in (PAGES / "templates").iterdir()}

    assert {name for name in names if not name.startswith("_")} - {"base.html", "icons.html"} == MINIMAL.keys()


def test_every_template_is_shown_to_somebody() -> None:
    code = "".join(path.read_text() for path in (PAGES.parent / "hub").glob("*.py"))

    assert [name for name in sorted(MINIMAL) if f'"{name}"' not in code] == []


@pytest.mark.req("H01")
@pytest.mark.parametrize(("template", "values"), CASES)
@pytest.mark.parametrize("account", [CLINIC, NO_ACCOUNT])
def test_a_page_runs_nothing_but_our_own_files(template: str, values: dict[str, Any], account: AccountFace) -> None:
    """The style's hash fits, and there is no other code in the page, even from hostile names."""
    answer = render(template, account, **values)
    page, policy = Tags(answer["body"]), policy_of(answer)

    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    assert policy["style-src"] == [f"'sha256-{digest}'"]
    assert len(page.named("style")) == 1
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in answer["headers"]["Content-Security-Policy"]
    for _tag, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    for script in page.named("script"):
        assert str(script["src"]).startswith("/static/")
        assert policy["script-src"] == policy["connect-src"] == ["'self'"]
    if not page.named("script"):
        assert "script-src" not in policy
    assert len(answer["body"].encode()) < LARGEST_PAGE


@pytest.mark.req("H01")
def test_every_page_carries_the_security_headers() -> None:
    """What a browser needs to know to keep a page to itself."""
    headers = render("not_found.html", CLINIC, status=404)["headers"]

    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Language"] == "en"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(("template", "values"), CASES)
@pytest.mark.parametrize("account", [CLINIC, NO_ACCOUNT])
def test_a_page_has_what_a_screen_reader_needs(template: str, values: dict[str, Any], account: AccountFace) -> None:
    """One h1, a language, a title, a main region that the skip link reaches, unique ids."""
    page = Tags(render(template, account, **values)["body"])
    ids = [attributes["id"] for _tag, attributes in page.tags if "id" in attributes]

    assert len(page.named("h1")) == len(page.named("main")) == len(page.named("title")) == 1
    assert page.named("html") == [{"lang": "en"}]
    assert page.named("a")[0] == {"class": "skip", "href": "#main"}
    assert "main" in ids
    assert len(ids) == len(set(ids))
    assert all("alt" in image for image in page.named("img"))
    assert all(drawing["aria-hidden"] == "true" for drawing in page.named("svg"))


@pytest.mark.req("H04")
@pytest.mark.parametrize("template", sorted(MINIMAL))
def test_every_page_shows_the_way_back_to_the_portal(template: str) -> None:
    """No page is a dead end."""
    page = Tags(render(template, CLINIC, **MINIMAL[template])["body"])

    assert any(link["href"] == CLINIC.portal_url for link in page.named("a"))


def test_text_is_escaped() -> None:
    """A name is text."""
    body = render("dashboard.html", CLINIC, **{**MINIMAL["dashboard.html"], "person_name": "<script>"})["body"]

    assert "<bdi>&lt;script&gt;</bdi>" in body
    assert body.count("<script") == body.count('<script type="module" src="/static/')


def test_a_forgotten_value_is_an_error() -> None:
    """Never a page with a hole in it."""
    with pytest.raises(UndefinedError):
        render("dashboard.html", CLINIC, person_name="Maria")


def test_an_answer_is_what_api_gateway_expects() -> None:
    """Status, more headers and several cookies."""
    answer = render(
        "unavailable.html",
        CLINIC,
        status=503,
        headers={"Retry-After": "5"},
        cookies=("a=1; Path=/", "b=2; Path=/"),
        retry_url="/dashboard",
    )

    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == "5"
    assert answer["multiValueHeaders"] == {"Set-Cookie": ["a=1; Path=/", "b=2; Path=/"]}
    assert answer["isBase64Encoded"] is False


@pytest.mark.parametrize("name", ["content-security-policy", "Cache-Control", "set-cookie"])
def test_a_caller_cannot_weaken_a_page(name: str) -> None:
    """The headers that make a page safe are not the caller's."""
    with pytest.raises(ValueError, match="sets these headers itself"):
        render("not_found.html", CLINIC, headers={name: "x"})


def test_only_a_page_with_a_form_may_send_one() -> None:
    """Redirects after a form count, so their origins are named; other pages send none."""
    target = "https://portal.northside.example/bye?x=1"
    with_form = render("dashboard.html", CLINIC, form_targets=[target, target], **MINIMAL["dashboard.html"])
    without = render("signed_out.html", CLINIC, form_targets=[target])

    expected = ["'self'", "https://portal.northside.example"]
    assert policy_of(with_form)["form-action"] == expected
    assert policy_of(without)["form-action"] == ["'none'"]


def test_images_come_from_us_and_from_the_logos_origin() -> None:
    """Nowhere else."""
    with_logo = policy_of(render("signed_out.html", CLINIC))
    without = policy_of(render("signed_out.html", NO_ACCOUNT))

    assert with_logo["img-src"] == ["'self'", "https://cdn.northside.example"]
    assert without["img-src"] == ["'self'"]


@pytest.mark.req("L08")
def test_a_refused_link_looks_once_more_and_not_for_ever() -> None:
    """The second look without scripts is not followed by a third."""
    first = render("link_refused.html", CLINIC, **FULL["link_refused.html"])["body"]
    second = render("link_refused.html", CLINIC, **MINIMAL["link_refused.html"])["body"]

    assert '<noscript><meta http-equiv="refresh" content="1;url=/login/again?x=%22">' in first
    assert "refresh" not in second


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, "after one minute"),
        (45, "after 45 minutes"),
        (60, "after one hour"),
        (240, "after 4 hours"),
    ],
)
def test_the_dashboard_says_when_it_signs_out(minutes: int, words: str) -> None:
    """In hours where that is exact."""
    values = MINIMAL["dashboard.html"]

    assert words in render("dashboard.html", CLINIC, idle_minutes=minutes, **values)["body"]


def test_after_a_logout_the_page_goes_on_by_itself() -> None:
    """Without a redirect, which form-action would stop at the portal's second site."""
    body = render("signed_out.html", CLINIC, continue_url="https://idp.example/out?a=1&b=2")["body"]

    assert '<meta http-equiv="refresh" content="0;url=https://idp.example/out?a=1&amp;b=2">' in body
    assert "refresh" not in render("signed_out.html", CLINIC)["body"]


@pytest.mark.req("L19")
def test_a_page_with_a_form_lets_the_browser_say_where_it_comes_from() -> None:
    """Under no-referrer a form's Origin would be null."""
    with_form = render("dashboard.html", CLINIC, **MINIMAL["dashboard.html"])

    assert with_form["headers"]["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["//evil.example", "/a b", "javascript:alert(1)"])
def test_the_last_page_of_all_does_not_fail(path: str) -> None:
    """It leaves out what it cannot link to; other pages refuse it."""
    body = render("unavailable.html", CLINIC, retry_url=path)["body"]

    assert path not in body
    with pytest.raises(ValueError, match="starts with"):
        render("form_refused.html", CLINIC, back_url=path)


COLORS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(accent=COLORS, header=st.none() | COLORS, scheme=st.sampled_from(sorted(SCHEMES)))
def test_all_text_can_be_read_in_every_colour(accent: str, header: str | None, scheme: str) -> None:
    """4.5 : 1 for text and 3 : 1 for the edges of controls, in both schemes."""
    colors = palette(scheme, accent, header)
    text = [
        *((ink, ground) for ink in ("ink", "muted", "link") for ground in ("page", "surface")),
        ("link", "tint"),
        ("on-fill", "fill"),
        ("on-fill", "fill-hover"),
        ("on-band", "band"),
        ("on-tile", "tile"),
    ]
    edges = [("edge", "surface"), ("control", "surface"), ("band-control", "band")]

    for one, other in text:
        assert contrast(colors[one], colors[other]) >= TEXT_CONTRAST, (one, other)
    for one, other in edges:
        assert contrast(colors[one], colors[other]) >= EDGE_CONTRAST, (one, other)


def test_contrast_is_wcags() -> None:
    """Known pairs: the ends of the scale, and the palest grey that passes on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize(
    "color", ["red", "#fff", "#12345g", "#123456;}", "#123456\n", "", "rgb(0,0,0)", "#\uff1123456"]
)
def test_only_plain_colours_reach_a_style_sheet(color: str) -> None:
    """Neither through a face nor past it."""
    with pytest.raises(ValueError, match="#rrggbb"):
        AccountFace(name="x", colors={"accent": color})
    with pytest.raises(ValueError, match="#rrggbb"):
        style_of(color or "-", None)


def test_an_unknown_colour_is_refused() -> None:
    """A typing error is not silently without effect."""
    with pytest.raises(ValueError, match="no colour 'acent'"):
        AccountFace(name="x", colors={"acent": "#123456"})


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "https:\\\\evil.example",
        "https://a@evil.example",
        "https://evil.example;script-src",
        "https://a b.example",
        "https://evil.example\n",
        "https://",
        "https:evil",
        "ftp://a.example",
        "mailto:a@b.example",
        "https://bücher.example",
        "https://a.example:99999",
        "help",
        "",
    ],
)
def test_other_links_are_refused(url: str) -> None:
    """Whatever is no page, or could be read as another one."""
    with pytest.raises(ValueError):  # noqa: PT011 - which of the reasons does not matter
        check_link(url)
    with pytest.raises(ValueError):  # noqa: PT011
        AccountFace(name="x", navigation=(("Help", url),))


def test_links_and_origins_are_kept() -> None:
    """A path with its query, and an address with its port."""
    assert check_link("/dashboard?scrollTo=1#x") == "/dashboard?scrollTo=1#x"
    assert origin_of("https://Portal.Example:8443/a?b") == "https://portal.example:8443"


def test_a_logo_is_https_but_for_this_machine() -> None:
    """A developer's own server may be plain."""
    assert check_logo("http://cdn.localhost:4566/logo.png")
    with pytest.raises(ValueError, match="https image"):
        check_logo("http://cdn.example/logo.png")


def test_a_face_is_taken_from_an_account() -> None:
    """Nothing is lost on the way."""
    account = Account(
        account_id="1",
        slug="northside",
        name=CLINIC.name,
        created_at=0,
        updated_at=0,
        logo_url=CLINIC.logo_url,
        portal_url=CLINIC.portal_url,
        colors=CLINIC.colors,
        navigation=tuple(NavigationLink(label=a, url=b) for a, b in CLINIC.navigation),
    )

    assert face_of(account) == CLINIC


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Maria del Carmen Ruiz", "MR"),
        ("(Prince)", "P"),
        ("ßeta", "S"),
        ("山田 太郎", "山太"),
        ("", "·"),
        ("🙂 !", "·"),
    ],
)
def test_initials(name: str, expected: str) -> None:
    """Two letters at most, in any script."""
    assert initials(name) == expected


@pytest.mark.parametrize("name", ["arrive.js", "watch.js", "mark.svg"])
def test_an_asset_is_kept_for_ever_under_its_own_hash_only(name: str) -> None:
    """Another hash of a known file gets today's content, to be asked for again."""
    url = assets.asset_url(name)
    stem, _, extension = name.rpartition(".")
    current = assets.find(url.removeprefix("/static/"))
    stale = assets.find(f"{stem}.AAAAAAAAAAAA.{extension}")

    assert re.fullmatch(rf"/static/{stem}\.[A-Za-z0-9_-]{{12}}\.{extension}", url)
    assert current is not None
    assert stale is not None
    assert current.body == stale.body == (PAGES / "assets" / name).read_bytes()
    assert current.cache_control == assets.IMMUTABLE
    assert stale.cache_control == assets.NOT_KEPT
    assert current.content_type in {
        "text/javascript; charset=utf-8",
        "image/svg+xml; charset=utf-8",
    }


@pytest.mark.parametrize(
    "file_name",
    ["", ".", "watch.js", "../face.py", "..%2fface.py", "face.x.py", "watch.x.js.map", "a/b.c.js"],
)
def test_nothing_else_is_served(file_name: str) -> None:
    """No path is made of what was asked for."""
    assert assets.find(file_name) is None
    assert assets.respond(file_name)["statusCode"] == 404


def test_an_asset_is_answered_as_a_file() -> None:
    """With its type, which the browser is told not to guess."""
    answer = assets.respond(assets.asset_url("watch.js").removeprefix("/static/"))

    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
    assert answer["body"].startswith("//")


@pytest.mark.parametrize("name", ["session.html", "come_in.html", "code.html"])
@pytest.mark.parametrize(
    "values",
    [
        {"has_stage": False, "is_host": True, "opens_in": None},
        {"has_stage": False, "opens_in": None},
        {"launch": "confirm", "opens_in": None, "phase": "open"},
        {"launch": "start"},
        {"role": "presenter"},
        {"role": "organizer"},
        {"role": "observer"},
        {"problem": "name"},
        {"problem": "password_blocked"},
        {"person_name": "Ada", "asks_password": True},
        {"reason": "malformed"},
        {"reason": "blocked"},
    ],
)
@pytest.mark.req("H04")
def test_every_state_of_a_page_can_be_shown(name: str, values: dict[str, Any]) -> None:
    known = {key: value for key, value in values.items() if key in MINIMAL[name]}
    assert render(name, CLINIC, **(MINIMAL[name] | known))["statusCode"] == 200


@pytest.mark.parametrize("url", ["https://stage.example/x?y#z", "zoommtg://x/?a=1&b=%20", "org.jitsi.meet://x/y"])
def test_a_click_may_open_a_stage(url: str) -> None:
    assert check_stage_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//x",
        "zoommtg://a b",
        "zoommtg:\\\\x",
        "https://u@x/",
    ],
)
def test_a_click_may_run_nothing(url: str) -> None:
    with pytest.raises(ValueError, match=r"an address|a path"):
        check_stage_link(url)


@pytest.mark.req("S07")
def test_times_are_shown_in_their_own_zone() -> None:
    assert (WHEN.day, WHEN.clock) == ("Sunday, November 22, 2026", "3:49 AM \u2013 4:49 AM")
    assert WHEN.zone == "Europe/Berlin"
    assert (WHEN.starts, WHEN.ends) == ("2026-11-22T02:49:32.123Z", "2026-11-22T03:49:32.123Z")
    late = a_span(1_440, "America/Los_Angeles")
    assert late.day == "Saturday, November 21, 2026"
    assert late.clock == "6:49 PM \u2013 Sunday, November 22, 2026 at 6:49 PM"
    german = a_span(60, "Europe/Berlin", language="de")
    assert (german.day, german.clock) == ("Sonntag, 22. November 2026", "03:49 \u2013 04:49")
    assert clock_time(translation(), STARTS, "Asia/Kolkata") == "8:19 AM"
    assert a_span(0, "UTC", starts_at=7_258_118_399_000).day == "Tuesday, December 31, 2199"
